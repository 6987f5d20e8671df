
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_HTTP_VIDCAST_HUB_H_INCLUDED_
#define _NGX_HTTP_VIDCAST_HUB_H_INCLUDED_


#include "ngx_http_vidcast_module.h"


/*
 * A hub is a source in one worker: the viewers it has there, and what they
 * share.  Whatever the transport, the policy is here: a viewer gets the
 * results in order and the newest picture, one message at a time.
 */

typedef struct ngx_http_vidcast_viewer_s   ngx_http_vidcast_viewer_t;
typedef struct ngx_http_vidcast_message_s  ngx_http_vidcast_message_t;


/*
 * send()   begins to send a message.  NGX_OK: it has left; NGX_AGAIN: it is
 *          leaving, the transport has its own reference to it and calls
 *          ngx_http_vidcast_hub_ready() when it is done; NGX_ERROR: the
 *          connection is broken, the hub finalizes the request.
 *
 * idle()   called about twice a second: pings, comments to keep alive.
 *          NGX_OK, or NGX_ERROR as above.  May be NULL.
 *
 * stop()   ends the viewer politely: it leaves the hub, and the request may
 *          be finalized.
 */

typedef struct {
    ngx_vidcast_transport_e        id;
    ngx_uint_t                     resumes;   /* its clients come back */
    ngx_int_t                    (*send)(ngx_http_vidcast_viewer_t *viewer,
                                       ngx_http_vidcast_message_t *message);
    ngx_int_t                    (*idle)(ngx_http_vidcast_viewer_t *viewer);
    void                         (*stop)(ngx_http_vidcast_viewer_t *viewer);
} ngx_http_vidcast_transport_t;


/*
 * What viewers share, counted by references.  Of a frame "data" is the
 * picture with the headers of ngx_vidcast_ring.h before it, in the ring or,
 * if "copy" is set, in memory of this process, with NGX_HTTP_VIDCAST_TAIL
 * bytes behind it.  Of a result "data" is the text with the WebSocket header
 * before it and "\n\n" behind it.
 */

#define NGX_HTTP_VIDCAST_TAIL      "\r\n--frame\r\n"
#define NGX_HTTP_VIDCAST_TAIL_LEN  (sizeof(NGX_HTTP_VIDCAST_TAIL) - 1)
#define NGX_HTTP_VIDCAST_PART_LEN  160

struct ngx_http_vidcast_message_s {
    ngx_uint_t                     refs;
    ngx_http_vidcast_hub_t        *hub;
    ngx_http_vidcast_message_t    *next;      /* older pinned, or free */

    uint64_t                       seq;       /* of the result, or zero */
    u_char                        *data;
    size_t                         size;
    size_t                         header;    /* of a result, WebSocket */

    ngx_vidcast_frame_t            frame;
    u_char                        *copy;
    u_char                        *part;      /* MJPEG, in the copy */
    size_t                         part_len;

    unsigned                       pinned:1;
};


struct ngx_http_vidcast_viewer_s {
    ngx_queue_t                    queue;
    ngx_http_request_t            *request;
    ngx_http_vidcast_hub_t        *hub;       /* NULL: left, or not yet in */
    ngx_http_vidcast_transport_t  *transport;

    uint64_t                       frame;     /* number of the last one */
    uint64_t                       result;    /* the next one */
    uint64_t                       skipped;   /* results, to be told */
    uint64_t                       interval;  /* us between frames */
    uint64_t                       due;       /* capture time, us */

    ngx_uint_t                     backlog;
    ngx_msec_t                     stall_timeout;
    ngx_msec_t                     progress;  /* when bytes last left */
    off_t                          sent;      /* bytes by then */

    unsigned                       results:1;
    unsigned                       frames:1;
    unsigned                       busy:1;    /* a message is leaving */
};


struct ngx_http_vidcast_hub_s {
    ngx_http_vidcast_main_conf_t  *vmcf;
    ngx_vidcast_source_t          *source;
    ngx_vidcast_zone_t            *zone;
    ngx_vidcast_share_t           *share;
    ngx_connection_t              *wake;      /* NULL: none was free */

    ngx_queue_t                    viewers;
    ngx_uint_t                     nviewers;
    ngx_uint_t                     nframes;   /* viewers of frames */
    ngx_uint_t                     remaining; /* to visit in this walk */
    ngx_event_t                    slice;     /* goes on with the walk */

    ngx_http_vidcast_message_t    *frame;     /* the newest */
    ngx_http_vidcast_message_t    *older;     /* pinned, still leaving */
    ngx_http_vidcast_message_t    *free;

    ngx_http_vidcast_message_t   **results;   /* by seq modulo their number */
    uint64_t                       result;    /* the newest of them */
    u_char                        *text;      /* a result being read */
};


ngx_int_t ngx_http_vidcast_hub_init(ngx_cycle_t *cycle,
    ngx_http_vidcast_main_conf_t *vmcf);
void ngx_http_vidcast_hub_exit(ngx_http_vidcast_main_conf_t *vmcf);

/* the worker is leaving: sends its viewers away, if it can be helped */
void ngx_http_vidcast_hub_drain(ngx_http_vidcast_main_conf_t *vmcf);

/* NULL: no such source */
ngx_http_vidcast_hub_t *ngx_http_vidcast_hub_find(
    ngx_http_vidcast_main_conf_t *vmcf, ngx_str_t *name);

/*
 * Adds a viewer whose request, transport and wishes are set; it leaves when
 * the request's pool is cleaned up, or by leave().  The newest picture and
 * result are sent by a ready() after it.
 * NGX_OK; NGX_BUSY: this worker cannot watch the source; NGX_ERROR.
 */
ngx_int_t ngx_http_vidcast_hub_join(ngx_http_vidcast_hub_t *hub,
    ngx_http_vidcast_viewer_t *viewer);
void ngx_http_vidcast_hub_leave(ngx_http_vidcast_viewer_t *viewer);

/*
 * The viewer can take a message: sends what there is for it.  The request
 * may be finalized on return.
 */
void ngx_http_vidcast_hub_ready(ngx_http_vidcast_viewer_t *viewer);

/* ends the request of a viewer and the connection; nothing of it is left */
void ngx_http_vidcast_hub_finalize(ngx_http_vidcast_viewer_t *viewer,
    ngx_int_t rc);


/*
 * Messages.
 *
 * news()   takes what is new in the ring: all results, and the newest frame
 *          if a viewer wants frames
 * told()   the result with what its viewer missed written in; NULL: no memory
 * copy()   makes a frame independent of the ring, as output filters want it;
 *          NGX_OK or NGX_ERROR: no memory
 * drop()   gives up all that the hub itself refers to, when it has no viewers
 *          any more; drop_frame() the newest frame, without viewers of frames
 */
void ngx_http_vidcast_message_news(ngx_http_vidcast_hub_t *hub);
ngx_http_vidcast_message_t *ngx_http_vidcast_message_told(
    ngx_http_vidcast_message_t *message, uint64_t skipped);
ngx_int_t ngx_http_vidcast_message_copy(ngx_http_vidcast_message_t *message);
void ngx_http_vidcast_message_unref(ngx_http_vidcast_message_t *message);
void ngx_http_vidcast_message_drop(ngx_http_vidcast_hub_t *hub);
void ngx_http_vidcast_message_drop_frame(ngx_http_vidcast_hub_t *hub);


#endif /* _NGX_HTTP_VIDCAST_HUB_H_INCLUDED_ */
