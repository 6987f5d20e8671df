
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_HTTP_VIDCAST_PUBLISHER_H_INCLUDED_
#define _NGX_HTTP_VIDCAST_PUBLISHER_H_INCLUDED_


#include "http/delivery/ngx_http_vidcast_feed.h"
#include "http/request/ngx_http_vidcast_headers.h"


/*
 * A publisher gives pictures or texts to a source.  One at a time has the
 * source's hand-off: a session till it leaves, others for one message, for
 * which they queue.
 */

typedef struct ngx_http_vidcast_publisher_s  ngx_http_vidcast_publisher_t;


/* why a publisher is sent away */

#define NGX_HTTP_VIDCAST_RIVAL     1    /* another one is publishing */
#define NGX_HTTP_VIDCAST_REPLACED  2    /* another one took over */
#define NGX_HTTP_VIDCAST_NO_TURN   3    /* it waited for too long */


/*
 * lent()      publisher->data can be filled, with slot_size bytes, and be
 *             submitted
 * answered()  what was submitted became "number", or nothing: "reason" is
 *             one of NGX_VIDCAST_MAIL_*
 * dismiss()   it is to leave, which it must have done on return
 *
 * Each may leave, and end its request.
 */

typedef struct {
    void                         (*lent)(
                                     ngx_http_vidcast_publisher_t *publisher);
    void                         (*answered)(
                                     ngx_http_vidcast_publisher_t *publisher,
                                     ngx_uint_t reason, uint64_t number);
    void                         (*dismiss)(
                                     ngx_http_vidcast_publisher_t *publisher,
                                     ngx_uint_t why);
} ngx_http_vidcast_publisher_user_t;


struct ngx_http_vidcast_publisher_s {
    ngx_queue_t                          queue;
    ngx_http_vidcast_feed_t             *feed;
    ngx_http_vidcast_publisher_user_t   *user;
    ngx_log_t                           *log;

    u_char                              *data;  /* in the slot, or NULL */
    ngx_msec_t                           since; /* it is in line */

    unsigned                             session:1;
    unsigned                             takeover:1;
    unsigned                             joined:1;
    unsigned                             entered:1;    /* the hand-off */
    unsigned                             submitted:1;
};


void ngx_http_vidcast_publisher_init(ngx_http_vidcast_main_conf_t *vmcf,
    ngx_log_t *log);

/*
 * Stands in line, "feed", "user", "log", "session" and "takeover" being set.
 * NGX_OK: nothing is called before the next event; NGX_BUSY: there is another
 * publisher; NGX_DECLINED: this worker cannot publish now.
 */
ngx_int_t ngx_http_vidcast_publisher_join(
    ngx_http_vidcast_publisher_t *publisher);

/* hands in what stands in the slot, which is not the publisher's any more */
void ngx_http_vidcast_publisher_submit(
    ngx_http_vidcast_publisher_t *publisher, ngx_uint_t kind, size_t size);

void ngx_http_vidcast_publisher_leave(
    ngx_http_vidcast_publisher_t *publisher);

/* it has begun a message, and not ended it in this time: counts and logs */
void ngx_http_vidcast_publisher_slow(
    ngx_http_vidcast_publisher_t *publisher, ngx_msec_t timeout);


/* the handler of requests for an upgrade */
ngx_int_t ngx_http_vidcast_publish_ws_handler(ngx_http_request_t *r,
    ngx_http_vidcast_headers_t *headers, ngx_http_vidcast_feed_t *feed);


#endif /* _NGX_HTTP_VIDCAST_PUBLISHER_H_INCLUDED_ */
