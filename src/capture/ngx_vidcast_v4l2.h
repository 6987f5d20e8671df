
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_V4L2_H_INCLUDED_
#define _NGX_VIDCAST_V4L2_H_INCLUDED_


#include "ngx_vidcast.h"


/*
 * One V4L2 capture device: what it is asked for, what its driver gives, and
 * its mapped buffers.  Which frame is taken when is decided by the input.
 */


#define NGX_VIDCAST_V4L2_AUTO     0      /* only asked for, never settled */
#define NGX_VIDCAST_V4L2_MJPEG    1
#define NGX_VIDCAST_V4L2_YUYV     2
#define NGX_VIDCAST_V4L2_I420     3      /* by the conversion of libv4l2 */

#define NGX_VIDCAST_V4L2_BUFFERS  4      /* asked for */
#define NGX_VIDCAST_V4L2_MAX      16     /* taken, if the driver wants more */


typedef struct {
    u_char                       *data;
    size_t                        size;
} ngx_vidcast_v4l2_buffer_t;


typedef struct {
    u_char                       *error;    /* NGX_VIDCAST_ERROR_LEN bytes */
    int                           fd;

    /* in: asked, 0 is any; out: what the driver gives */

    ngx_uint_t                    format;
    uint32_t                      width;
    uint32_t                      height;
    double                        fps;      /* out: 0 is unknown */

    /* raw formats only */

    uint32_t                      stride;
    size_t                        size;     /* of a whole frame */
    ngx_uint_t                    limited;  /* luma is 16-235, as in TV */

    ngx_uint_t                    nbuffers;
    ngx_vidcast_v4l2_buffer_t     buffers[NGX_VIDCAST_V4L2_MAX];
} ngx_vidcast_v4l2_t;


/* a buffer which is ours until it is queued again */

typedef struct {
    ngx_uint_t                    index;
    u_char                       *data;
    size_t                        size;
    uint64_t                      time;     /* of capture, monotonic, us */
} ngx_vidcast_v4l2_frame_t;


/*
 * Opens the device and starts it.  NGX_OK; NGX_BUSY: somebody else has it;
 * NGX_ERROR.  Both with the reason in dev->error and nothing left open.
 */
ngx_int_t ngx_vidcast_v4l2_open(ngx_vidcast_v4l2_t *dev, const char *path);

/*
 * The oldest frame that is ready, waited for "timeout" ms at most.  NGX_OK;
 * NGX_AGAIN: none; NGX_DECLINED: a bad one, given back already; NGX_ERROR:
 * the device is lost.  The last two with the reason in dev->error.
 */
ngx_int_t ngx_vidcast_v4l2_dequeue(ngx_vidcast_v4l2_t *dev,
    ngx_vidcast_v4l2_frame_t *frame, ngx_uint_t timeout);

/* gives a buffer back; NGX_OK; NGX_ERROR: the device is lost */
ngx_int_t ngx_vidcast_v4l2_queue(ngx_vidcast_v4l2_t *dev, ngx_uint_t index);

void ngx_vidcast_v4l2_close(ngx_vidcast_v4l2_t *dev);

/*
 * Reasons, written to dev->error: a text; a failed call, which is NGX_BUSY or
 * NGX_ERROR; a failed open() of the path, likewise.
 */
void ngx_vidcast_v4l2_error(ngx_vidcast_v4l2_t *dev, const char *fmt, ...);
ngx_int_t ngx_vidcast_v4l2_failed(ngx_vidcast_v4l2_t *dev, const char *call,
    ngx_err_t err);
ngx_int_t ngx_vidcast_v4l2_open_failed(ngx_vidcast_v4l2_t *dev,
    const char *path, ngx_err_t err);


#endif /* _NGX_VIDCAST_V4L2_H_INCLUDED_ */
