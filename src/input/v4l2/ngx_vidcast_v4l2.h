
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_V4L2_H_INCLUDED_
#define _NGX_VIDCAST_V4L2_H_INCLUDED_


#include "core/ngx_vidcast.h"


/*
 * One V4L2 capture device: what it is asked for, what its driver gives, and
 * its mapped buffers.  Which frame is taken when is decided by the input.
 */


#define NGX_VIDCAST_V4L2_AUTO      0      /* only asked for, never settled */
#define NGX_VIDCAST_V4L2_MJPEG     1
#define NGX_VIDCAST_V4L2_YUYV      2
#define NGX_VIDCAST_V4L2_I420      3      /* by the conversion of libv4l2 */

#define NGX_VIDCAST_V4L2_BUFFERS   4      /* asked for */
#define NGX_VIDCAST_V4L2_MAX       16     /* taken, if the driver wants more */

#define NGX_VIDCAST_V4L2_CONTROLS  64     /* asked for, of one device */
#define NGX_VIDCAST_V4L2_NAME      32     /* bytes, with its null */

#define NGX_VIDCAST_V4L2_ARRIVAL   0      /* no stamps of our clock */
#define NGX_VIDCAST_V4L2_END       1      /* of the frame */
#define NGX_VIDCAST_V4L2_EXPOSURE  2      /* its start */

#define NGX_VIDCAST_V4L2_DETECT    ((uint64_t) -1)    /* the norm */


typedef struct {
    ngx_str_t                      name;     /* as v4l2-ctl prints it */
    ngx_str_t                      value;
} ngx_vidcast_v4l2_control_t;


typedef struct v4l2_query_ext_ctrl  ngx_vidcast_v4l2_query_t;


typedef struct {
    u_char                        *data;
    size_t                         size;
} ngx_vidcast_v4l2_buffer_t;


typedef struct {
    u_char                        *error;    /* NGX_VIDCAST_ERROR_LEN bytes */
    ngx_log_t                     *log;
    int                            fd;

    /* in: asked, 0 or empty is any; out: what the driver gives */

    ngx_uint_t                     format;
    uint32_t                       width;
    uint32_t                       height;
    double                         fps;      /* out: 0 is unknown */

    /* in */

    ngx_str_t                      input;    /* its number or name */
    uint64_t                       norm;     /* any of these standards */
    ngx_vidcast_v4l2_control_t    *controls;
    ngx_uint_t                     ncontrols;

    /* raw formats only */

    uint32_t                       stride;
    size_t                         size;     /* of a whole frame */
    ngx_uint_t                     limited;  /* luma is 16-235, as in TV */

    unsigned                       list:1;   /* controls, if one is wrong */
    unsigned                       events:1; /* tells changes of its source */
    unsigned                       timed:1;  /* has DV timings */

    unsigned                       numbered:1;    /* "sequence" is known */
    uint32_t                       sequence;      /* of the next frame */
    uint32_t                       gap;      /* missing ones, to be counted */
    uint32_t                       bad;      /* likewise, and the device lost */

    ngx_uint_t                     stamps;   /* what frames' times are of */
    ngx_uint_t                     nbuffers;
    ngx_vidcast_v4l2_buffer_t      buffers[NGX_VIDCAST_V4L2_MAX];
} ngx_vidcast_v4l2_t;


/* a buffer which is ours until it is queued again */

typedef struct {
    ngx_uint_t                     index;
    u_char                        *data;
    size_t                         size;
    uint64_t                       time;     /* of capture, monotonic, us */
} ngx_vidcast_v4l2_frame_t;


/*
 * Opens the device and starts it.  NGX_OK; NGX_BUSY: another program has it;
 * NGX_AGAIN: it is not there, or has no signal; NGX_ERROR.  All but the first
 * with the reason in dev->error and nothing left open.
 */
ngx_int_t ngx_vidcast_v4l2_open(ngx_vidcast_v4l2_t *dev, const char *path);

/*
 * The oldest frame that is ready, waited for "timeout" ms at most.  NGX_OK;
 * NGX_AGAIN: none; NGX_DECLINED: a bad one, given back already; NGX_DONE: its
 * source is another one now, it has to be opened again; NGX_ERROR: the device
 * is lost.  NGX_DECLINED and NGX_ERROR with the reason in dev->error.
 */
ngx_int_t ngx_vidcast_v4l2_dequeue(ngx_vidcast_v4l2_t *dev,
    ngx_vidcast_v4l2_frame_t *frame, ngx_uint_t timeout);

/* gives a buffer back; NGX_OK; NGX_ERROR: the device is lost */
ngx_int_t ngx_vidcast_v4l2_queue(ngx_vidcast_v4l2_t *dev, ngx_uint_t index);

void ngx_vidcast_v4l2_close(ngx_vidcast_v4l2_t *dev);

/* the standards of a name such as "pal" or "ntsc-m"; 0: it is none */
uint64_t ngx_vidcast_v4l2_norm(ngx_str_t *name);


/*
 * Between the files of the device.  In the order of an open: its source is
 * selected, its controls are set, its format is chosen and set.  Answers as
 * of ngx_vidcast_v4l2_open().
 */

ngx_int_t ngx_vidcast_v4l2_select_source(ngx_vidcast_v4l2_t *dev);
ngx_int_t ngx_vidcast_v4l2_set_controls(ngx_vidcast_v4l2_t *dev);
ngx_int_t ngx_vidcast_v4l2_choose_format(ngx_vidcast_v4l2_t *dev,
    uint32_t *fourcc);
ngx_int_t ngx_vidcast_v4l2_set_format(ngx_vidcast_v4l2_t *dev,
    uint32_t fourcc);

/*
 * The device's own controls.  By name: NGX_OK or NGX_DECLINED.  An entry of a
 * menu, by number, its name has NGX_VIDCAST_V4L2_NAME bytes: NGX_OK or
 * NGX_DECLINED; by name: NGX_OK or NGX_ERROR.  The list goes to the log, if
 * dev->list, which it clears.
 */
ngx_int_t ngx_vidcast_v4l2_find_control(ngx_vidcast_v4l2_t *dev,
    ngx_str_t *name, ngx_vidcast_v4l2_query_t *query);
ngx_uint_t ngx_vidcast_v4l2_is_menu(ngx_vidcast_v4l2_query_t *query);
ngx_int_t ngx_vidcast_v4l2_entry(ngx_vidcast_v4l2_t *dev,
    ngx_vidcast_v4l2_query_t *query, uint32_t index, u_char *name);
ngx_int_t ngx_vidcast_v4l2_find_entry(ngx_vidcast_v4l2_t *dev,
    ngx_vidcast_v4l2_query_t *query, ngx_str_t *text, int64_t *number);
void ngx_vidcast_v4l2_unknown_control(ngx_vidcast_v4l2_t *dev,
    ngx_str_t *name);
void ngx_vidcast_v4l2_list_controls(ngx_vidcast_v4l2_t *dev);
u_char *ngx_vidcast_v4l2_print_range(ngx_vidcast_v4l2_t *dev, u_char *p,
    u_char *last, ngx_vidcast_v4l2_query_t *query);

/* asks for being told of changes of the source; whether there was one */
void ngx_vidcast_v4l2_subscribe(ngx_vidcast_v4l2_t *dev);
ngx_uint_t ngx_vidcast_v4l2_source_changed(ngx_vidcast_v4l2_t *dev);

/* the source's rate by its DV timings; 0: unknown */
double ngx_vidcast_v4l2_source_rate(ngx_vidcast_v4l2_t *dev);

/*
 * The device below all of these: opened, which leaves dev->fd open if it
 * fails, but for -1; one more buffer of it is mapped; a call, 0, or -1 with
 * errno.
 */
ngx_int_t ngx_vidcast_v4l2_open_device(ngx_vidcast_v4l2_t *dev,
    const char *path, ngx_uint_t convert);
ngx_int_t ngx_vidcast_v4l2_map_buffer(ngx_vidcast_v4l2_t *dev, size_t size,
    off_t offset);
int ngx_vidcast_v4l2_ioctl(ngx_vidcast_v4l2_t *dev, unsigned long request,
    void *arg);

/*
 * Reasons, written to dev->error: a text; a failed call, and a failed open()
 * of the path, which tell what to answer.
 */
void ngx_vidcast_v4l2_error(ngx_vidcast_v4l2_t *dev, const char *fmt, ...);
ngx_int_t ngx_vidcast_v4l2_failed(ngx_vidcast_v4l2_t *dev, const char *call,
    ngx_err_t err);
ngx_int_t ngx_vidcast_v4l2_open_failed(ngx_vidcast_v4l2_t *dev,
    const char *path, ngx_err_t err);

/* more of the reason, as far as there is room */
void ngx_vidcast_v4l2_error_add(ngx_vidcast_v4l2_t *dev, const char *fmt, ...);

/* drivers have any bytes in names: the status is JSON */
void ngx_vidcast_v4l2_error_plain(ngx_vidcast_v4l2_t *dev);


#endif /* _NGX_VIDCAST_V4L2_H_INCLUDED_ */
