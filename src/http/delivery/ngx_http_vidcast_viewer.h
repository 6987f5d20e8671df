
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_HTTP_VIDCAST_VIEWER_H_INCLUDED_
#define _NGX_HTTP_VIDCAST_VIEWER_H_INCLUDED_


#include "http/delivery/ngx_http_vidcast_feed.h"
#include "http/delivery/ngx_http_vidcast_session.h"
#include "wire/ngx_vidcast_query.h"


/*
 * A viewer has one connection, and a subscription for each source that it
 * watches.
 */

typedef struct ngx_http_vidcast_viewer_s        ngx_http_vidcast_viewer_t;
typedef struct ngx_http_vidcast_subscription_s  ngx_http_vidcast_subscription_t;
typedef struct ngx_http_vidcast_transport_s     ngx_http_vidcast_transport_t;


struct ngx_http_vidcast_subscription_s {
    ngx_queue_t                    queue;     /* of the feed, or pending */
    ngx_queue_t                    link;      /* of the viewer */
    ngx_http_vidcast_viewer_t     *viewer;
    ngx_http_vidcast_feed_t       *feed;

    uint64_t                       last_frame;   /* its number; 0: none yet */
    uint64_t                       last_nth;     /* likewise */
    uint64_t                       nth;       /* up to it sent, or skipped */
    uint64_t                       next_result;
    uint64_t                       untold;    /* results that were skipped */
    uint64_t                       due;       /* capture time, us */

    ngx_http_vidcast_message_t    *pair;      /* the picture to come next */

    unsigned                       held:3;    /* ngx_vidcast_skip_e */
    unsigned                       reset:1;   /* to be told */
    unsigned                       replay:1;  /* history, up to the newest */
    unsigned                       awaits:1;  /* the first result since */

    uint32_t                       series;    /* of all these numbers */
    ngx_vidcast_point_t            since;     /* of others; seq 0: none */
};


/* what variables tell of one viewer, also when it has gone */

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
    ngx_http_vidcast_feed_t         *leaving;  /* a picture of it, or NULL */
    uint64_t                         interval; /* us between frames */
    ngx_uint_t                       backlog;
    ngx_http_vidcast_viewer_stats_t  stats;

    ngx_queue_t                      ended;   /* to be used again */
};


/*
 * Adds a viewer whose request, transport and parameters are set, still without
 * a subscription.  All its subscriptions end when its session leaves.  NGX_OK;
 * NGX_BUSY: this worker is leaving; NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_vidcast_viewer_join(ngx_http_vidcast_viewer_t *viewer);

/*
 * Lets a viewer watch a source; nothing new if it does.  The newest picture
 * and result are sent by a ready() after it.  With *since, which is the last
 * result that it has, results go on from there, as far as they are still known;
 * it may be of other times.
 * NGX_OK; NGX_BUSY: the source has viewers enough, or cannot be watched by
 * this worker; NGX_ERROR: no memory.
 *
 * The viewer has its place then, and an input on demand sleeps on: wake() when
 * nothing can refuse the viewer any more, for all its sources.
 */
ngx_int_t ngx_http_vidcast_viewer_subscribe(ngx_http_vidcast_feed_t *feed,
    ngx_http_vidcast_viewer_t *viewer, ngx_vidcast_point_t *since);
void ngx_http_vidcast_viewer_unsubscribe(ngx_http_vidcast_feed_t *feed,
    ngx_http_vidcast_viewer_t *viewer);
void ngx_http_vidcast_viewer_wake(ngx_http_vidcast_viewer_t *viewer);


/* lets the request's variables tell this; NGX_OK or NGX_ERROR: no memory */
ngx_int_t ngx_http_vidcast_variables_set(ngx_http_request_t *r,
    ngx_http_vidcast_viewer_stats_t *stats);


#endif /* _NGX_HTTP_VIDCAST_VIEWER_H_INCLUDED_ */
