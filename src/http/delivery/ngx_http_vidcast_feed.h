
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_HTTP_VIDCAST_FEED_H_INCLUDED_
#define _NGX_HTTP_VIDCAST_FEED_H_INCLUDED_


#include "http/conf/ngx_http_vidcast_module.h"
#include "http/delivery/ngx_http_vidcast_session.h"


/*
 * A feed is a source in one worker: the viewers that subscribed to it there,
 * and the messages that they share.  A viewer has one connection and a
 * subscription for each source that it watches.
 */

typedef struct ngx_http_vidcast_viewer_s        ngx_http_vidcast_viewer_t;
typedef struct ngx_http_vidcast_subscription_s  ngx_http_vidcast_subscription_t;
typedef struct ngx_http_vidcast_message_s       ngx_http_vidcast_message_t;

typedef void (*ngx_http_vidcast_feed_pt)(ngx_http_vidcast_feed_t *feed);


/*
 * send()   begins to send a message.  NGX_OK: it has left; NGX_AGAIN: it is
 *          leaving, the transport has its own reference to it and calls
 *          ngx_http_vidcast_queue_ready() when it is done; NGX_DONE: that was
 *          all, NGX_ERROR: the connection is broken, and in both cases the
 *          queue finalizes the session.
 *
 * coalesce()  the same for several results at once, in their order, at most
 *          NGX_HTTP_VIDCAST_COALESCE.  NULL: send() is called for each.
 *
 * ping(), drain()  those of its session.
 */

#define NGX_HTTP_VIDCAST_COALESCE     8

typedef struct {
    ngx_vidcast_transport_e        id;
    ngx_uint_t                     resumes;   /* its clients come back */
    ngx_int_t                    (*send)(ngx_http_vidcast_viewer_t *viewer,
                                       ngx_http_vidcast_message_t *message);
    ngx_int_t                    (*ping)(ngx_http_vidcast_viewer_t *viewer);
    void                         (*drain)(ngx_http_vidcast_viewer_t *viewer);
    ngx_int_t                    (*coalesce)(ngx_http_vidcast_viewer_t *viewer,
                                       ngx_http_vidcast_message_t **messages,
                                       ngx_uint_t n);
} ngx_http_vidcast_transport_t;


/*
 * What viewers are sent, counted by references.  Of a frame "data" is the
 * picture with the headers and the tail of ngx_vidcast_ring.h: in the ring
 * while it is pinned, else "copy", which is in memory of this process.  Of a
 * result "data" is the text with the WebSocket header before it and "\n\n"
 * behind it.
 */

#define NGX_HTTP_VIDCAST_PART_LEN  160

struct ngx_http_vidcast_message_s {
    ngx_uint_t                     refs;
    ngx_http_vidcast_feed_t       *feed;
    ngx_http_vidcast_message_t    *next;      /* of those kept, or free */

    uint64_t                       seq;       /* of the result, or zero */
    u_char                        *data;
    size_t                         size;
    size_t                         header;    /* of a result, WebSocket */

    u_char                        *deflated;  /* a frame of WebSocket */
    size_t                         deflated_size;

    ngx_vidcast_frame_t            frame;
    u_char                        *copy;
    size_t                         part_len;  /* MJPEG: of the header, or 0 */

    unsigned                       pinned:1;
    unsigned                       text:1;    /* a result, or like one */
    unsigned                       plain:1;   /* deflate is not worth it */
};


struct ngx_http_vidcast_subscription_s {
    ngx_queue_t                    queue;     /* of the feed, or behind */
    ngx_queue_t                    link;      /* of the viewer */
    ngx_http_vidcast_viewer_t     *viewer;
    ngx_http_vidcast_feed_t       *feed;      /* NULL: ended */

    uint64_t                       frame;     /* number of the last one */
    uint64_t                       result;    /* the next one; 0: newest */
    uint64_t                       skipped;   /* results, to be told */
    uint64_t                       due;       /* capture time, us */

    ngx_http_vidcast_message_t    *pair;      /* the picture to come next */

    unsigned                       reset:1;   /* to be told */
    unsigned                       replay:1;  /* history, up to the newest */
};


/* what variables tell of one viewer, also when he has gone */

typedef struct {
    uint64_t                       frames;
    uint64_t                       results;
    uint64_t                       skipped;   /* of both */
    uint64_t                       bytes;
    ngx_str_t                      source;    /* or several: "a,b" */
} ngx_http_vidcast_viewer_stats_t;


/* what each message needs stands together, from the bits of the session on */

struct ngx_http_vidcast_viewer_s {
    ngx_http_vidcast_session_t       session;

    unsigned                         results:1;
    unsigned                         frames:1;
    unsigned                         paired:1; /* a result and its picture */
    unsigned                         paused:1;
    unsigned                         sendfile:1; /* sendfile() is possible */
    unsigned                         acks:1;  /* acknowledges pictures */
    unsigned                         unacked:1; /* has one to acknowledge */

    ngx_queue_t                      subscriptions;
    ngx_http_vidcast_transport_t    *transport;
    uint64_t                         interval; /* us between frames */
    ngx_uint_t                       backlog;
    ngx_http_vidcast_viewer_stats_t  stats;

    ngx_queue_t                      ended;   /* to be used again */
};


struct ngx_http_vidcast_feed_s {
    ngx_http_vidcast_main_conf_t  *vmcf;
    ngx_vidcast_source_t          *source;
    ngx_vidcast_zone_t            *zone;
    ngx_vidcast_zone_t            *camera;    /* another one of an overlay */
    ngx_vidcast_worker_stats_t    *stats;     /* in the camera's */
    ngx_http_vidcast_feed_t       *overlay;   /* NULL: there is none */
    ngx_connection_t              *wake;      /* NULL: none was free */
    ngx_file_t                     file;      /* the ring's memfd */

    ngx_queue_t                    subscriptions;   /* not behind */
    ngx_uint_t                     nsubscriptions;  /* all of them */
    ngx_uint_t                     nframes;   /* which want frames */
    ngx_uint_t                     npaired;   /* which want pairs */
    ngx_uint_t                     wanted;    /* still, by the master */

    ngx_queue_t                    publishers;  /* the first may publish */
    ngx_uint_t                     npublishers;
    ngx_event_t                    wait_timer;  /* of publishers that wait */
    ngx_http_vidcast_feed_pt       publisher_handler;  /* of the hand-off */

    ngx_http_vidcast_message_t    *frame;     /* the newest */
    ngx_http_vidcast_message_t    *older;     /* pinned, still leaving */
    ngx_http_vidcast_message_t    *kept;      /* may get a result yet */
    ngx_http_vidcast_message_t    *free;

    ngx_http_vidcast_message_t   **results;   /* by seq modulo their number */
    uint64_t                       result;    /* the newest of them */
    u_char                        *text;      /* a result being read */
};


/* "wake" is called when something new is in a ring, with the feed's "wake" */
ngx_int_t ngx_http_vidcast_feed_init(ngx_cycle_t *cycle,
    ngx_http_vidcast_main_conf_t *vmcf, ngx_event_handler_pt wake);
void ngx_http_vidcast_feed_exit(ngx_http_vidcast_main_conf_t *vmcf);


/* NULL: no such source */
ngx_http_vidcast_feed_t *ngx_http_vidcast_feed_find(
    ngx_http_vidcast_main_conf_t *vmcf, ngx_str_t *name);

/* of a viewer; somebody may be asleep until then */
void ngx_http_vidcast_feed_wake_on_demand(ngx_http_vidcast_feed_t *feed);

/*
 * Adds a viewer whose request, transport and parameters are set, still without
 * a subscription.  All its subscriptions end when its session leaves.  NGX_OK;
 * NGX_BUSY: this worker is leaving; NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_vidcast_viewer_join(ngx_http_vidcast_viewer_t *viewer);

#define NGX_HTTP_VIDCAST_UNKNOWN  ((uint64_t) -1)

/*
 * Lets a viewer watch a source; nothing new if it does.  The newest picture
 * and result are sent by a ready() after it.  With *since, which is the
 * number of the last result that it has, results go on from there, as far as
 * they are still known; NGX_HTTP_VIDCAST_UNKNOWN is a number of other times.
 * NGX_OK; NGX_BUSY: the source has viewers enough, or cannot be watched by
 * this worker; NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_vidcast_viewer_subscribe(ngx_http_vidcast_feed_t *feed,
    ngx_http_vidcast_viewer_t *viewer, uint64_t *since);
void ngx_http_vidcast_viewer_unsubscribe(ngx_http_vidcast_feed_t *feed,
    ngx_http_vidcast_viewer_t *viewer);

/*
 * The viewer can take a message: sends what there is for it.  The request
 * may be finalized on return.
 */
void ngx_http_vidcast_queue_ready(ngx_http_vidcast_viewer_t *viewer);

/*
 * poll()   takes what is new in the ring: all results, and the newest frame
 *          if a viewer wants frames
 * seek()   makes results from "seq" on available, where the ring has them;
 *          the first one there
 * drop()   gives up all that the feed itself refers to, when it has no viewers
 *          any more; drop_frame() the newest frame, without viewers of frames
 */
void ngx_http_vidcast_feed_poll(ngx_http_vidcast_feed_t *feed);
uint64_t ngx_http_vidcast_feed_seek(ngx_http_vidcast_feed_t *feed,
    uint64_t seq);
void ngx_http_vidcast_feed_drop_frame(ngx_http_vidcast_feed_t *feed);
void ngx_http_vidcast_feed_drop(ngx_http_vidcast_feed_t *feed);

/* the eventfd is watched while there is a viewer or a publisher */
void ngx_http_vidcast_feed_unwatch(ngx_http_vidcast_feed_t *feed);

/* of all feeds: housekeeping, and to pin nothing while the worker is leaving */
void ngx_http_vidcast_feed_look(ngx_http_vidcast_main_conf_t *vmcf);
void ngx_http_vidcast_feed_unpin(ngx_http_vidcast_main_conf_t *vmcf);

/* something new is in the ring: walks over the viewers, in slices */
void ngx_http_vidcast_queue_init(ngx_http_vidcast_main_conf_t *vmcf,
    ngx_log_t *log);
void ngx_http_vidcast_queue_exit(ngx_http_vidcast_main_conf_t *vmcf);
void ngx_http_vidcast_queue_wake_handler(ngx_event_t *ev);


/* lets the request's variables tell this; NGX_OK or NGX_ERROR: no memory */
ngx_int_t ngx_http_vidcast_variables_set(ngx_http_request_t *r,
    ngx_http_vidcast_viewer_stats_t *stats);


/*
 * Messages.
 *
 * result() the result of this number, if the ring still has it
 * frame()  the newest frame, if it is newer than the feed's
 * at()     a copy of the frame of this number, if it is still in that slot
 * told()   the result with what its viewer missed, or that it is another
 *          series, written in; NULL: no memory
 * error()  a text for one viewer, about what it said; NULL: no memory
 * bytes()  what leaves by WebSocket: with a header of "vidcast.v1" if it is a
 *          frame, compressed if it is text and our window has these bits
 * part()   the header of a frame as a part of MJPEG, "part_len" bytes, which
 *          stay where they are
 * duplicate()  gives a frame its "copy", which stays where it is, as output
 *          filters want it; NGX_OK or NGX_ERROR: no memory
 * copy()   the same, and makes the frame independent of the ring
 */
ngx_http_vidcast_message_t *ngx_http_vidcast_message_result(
    ngx_http_vidcast_feed_t *feed, uint64_t seq);
ngx_http_vidcast_message_t *ngx_http_vidcast_message_frame(
    ngx_http_vidcast_feed_t *feed);
ngx_http_vidcast_message_t *ngx_http_vidcast_message_at(
    ngx_http_vidcast_feed_t *feed, uint32_t slot, uint64_t number);
ngx_http_vidcast_message_t *ngx_http_vidcast_message_told(
    ngx_http_vidcast_message_t *message, uint64_t skipped, ngx_uint_t reset);
ngx_http_vidcast_message_t *ngx_http_vidcast_message_error(
    ngx_http_vidcast_feed_t *feed, const char *reason);
void ngx_http_vidcast_message_bytes(ngx_http_vidcast_message_t *message,
    ngx_uint_t v1, ngx_uint_t bits, u_char **data, size_t *size);
u_char *ngx_http_vidcast_message_part(ngx_http_vidcast_message_t *message);
ngx_int_t ngx_http_vidcast_message_duplicate(
    ngx_http_vidcast_message_t *message);
ngx_int_t ngx_http_vidcast_message_copy(ngx_http_vidcast_message_t *message);
void ngx_http_vidcast_message_unref(ngx_http_vidcast_message_t *message);


/*
 * Pictures for viewers who get each with its result.
 *
 * keep()   before the newest frame becomes an older one
 * fetch()  when there are new results
 * find()   the frame of this number, if it is there; no reference is added
 */
void ngx_http_vidcast_pairing_keep(ngx_http_vidcast_feed_t *feed);
void ngx_http_vidcast_pairing_fetch(ngx_http_vidcast_feed_t *feed);
ngx_http_vidcast_message_t *ngx_http_vidcast_pairing_find(
    ngx_http_vidcast_feed_t *feed, uint64_t number);


#endif /* _NGX_HTTP_VIDCAST_FEED_H_INCLUDED_ */
