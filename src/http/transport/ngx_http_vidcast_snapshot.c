
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "http/delivery/ngx_http_vidcast_message.h"
#include "http/delivery/ngx_http_vidcast_queue.h"
#include "http/delivery/ngx_http_vidcast_session.h"
#include "http/delivery/ngx_http_vidcast_transport.h"
#include "http/delivery/ngx_http_vidcast_viewer.h"
#include "http/offline/ngx_http_vidcast_offline.h"
#include "http/status/ngx_http_vidcast_status_source.h"
#include "http/request/ngx_http_vidcast_params.h"
#include "http/request/ngx_http_vidcast_response.h"
#include "shm/ngx_vidcast_control.h"


/*
 * One picture: the newest, if it will do; else the request waits, as a viewer
 * of a single frame, for the next one.
 */

typedef struct {
    ngx_http_vidcast_viewer_t    viewer;
    ngx_http_vidcast_feed_t     *feed;
    ngx_http_vidcast_message_t  *message;     /* being sent */
    ngx_msec_t                   started;
    ngx_msec_t                   timeout;
    ngx_buf_t                    buf;
} ngx_http_vidcast_snapshot_t;


static ngx_int_t ngx_http_vidcast_snapshot_read(ngx_http_request_t *r,
    ngx_http_vidcast_feed_t *feed, ngx_vidcast_frame_t *frame);
static ngx_uint_t ngx_http_vidcast_snapshot_will_do(
    ngx_vidcast_source_t *source, ngx_vidcast_query_t *query,
    ngx_vidcast_frame_t *frame);
static ngx_int_t ngx_http_vidcast_snapshot_send_now(ngx_http_request_t *r,
    ngx_http_vidcast_params_t *params, ngx_vidcast_frame_t *frame);
static ngx_int_t ngx_http_vidcast_snapshot_send_frame(ngx_http_request_t *r,
    ngx_http_vidcast_feed_t *feed, ngx_vidcast_frame_t *frame, ngx_buf_t *b);
static ngx_int_t ngx_http_vidcast_snapshot_headers(ngx_http_request_t *r,
    ngx_http_vidcast_feed_t *feed, ngx_vidcast_frame_t *frame);
static ngx_int_t ngx_http_vidcast_snapshot_add(ngx_http_request_t *r,
    const char *name, const char *fmt, ...);
static ngx_int_t ngx_http_vidcast_snapshot_wait(ngx_http_request_t *r,
    ngx_http_vidcast_params_t *params, uint64_t seen);
static void ngx_http_vidcast_snapshot_cleanup(void *data);
static void ngx_http_vidcast_snapshot_write_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_vidcast_snapshot_send(
    ngx_http_vidcast_viewer_t *viewer, ngx_http_vidcast_message_t *message);
static ngx_int_t ngx_http_vidcast_snapshot_ping(
    ngx_http_vidcast_viewer_t *viewer);
static void ngx_http_vidcast_snapshot_drain(ngx_http_vidcast_viewer_t *viewer);
static ngx_int_t ngx_http_vidcast_snapshot_none(ngx_http_request_t *r,
    ngx_http_vidcast_feed_t *feed);


static ngx_http_vidcast_transport_t  ngx_http_vidcast_snapshot_transport = {
    NGX_VIDCAST_SNAPSHOT,
    1,
    ngx_http_vidcast_snapshot_send,
    ngx_http_vidcast_snapshot_ping,
    ngx_http_vidcast_snapshot_drain,
    NULL
};


ngx_int_t
ngx_http_vidcast_snapshot_handler(ngx_http_request_t *r,
    ngx_http_vidcast_params_t *params)
{
    uint64_t                  seen;
    ngx_int_t                 rc;
    ngx_vidcast_frame_t       frame;
    ngx_http_vidcast_feed_t  *feed;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    /* of several sources, the first */

    params->chosen &= ~params->chosen + 1;

    feed = ngx_http_vidcast_params_feed(params);
    seen = 0;

    rc = ngx_http_vidcast_snapshot_read(r, feed, &frame);

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rc == NGX_OK) {

        if (ngx_http_vidcast_snapshot_will_do(feed->source, &params->query,
                                              &frame))
        {
            /* requests now and then keep the source awake, too */

            ngx_http_vidcast_feed_wake_on_demand(feed);

            return ngx_http_vidcast_snapshot_send_now(r, params, &frame);
        }

        seen = frame.number;
    }

    if (r != r->main) {

        /* it cannot wait, but may be asked for again */

        ngx_http_vidcast_feed_wake_on_demand(feed);

        return ngx_http_vidcast_snapshot_none(r, feed);
    }

    return ngx_http_vidcast_snapshot_wait(r, params,
                                          ngx_max(seen, params->query.after));
}


/*
 * The newest frame, copied to the request's memory, as it is once only and
 * may take its time.  NGX_AGAIN: there is none.
 */

static ngx_int_t
ngx_http_vidcast_snapshot_read(ngx_http_request_t *r,
    ngx_http_vidcast_feed_t *feed, ngx_vidcast_frame_t *frame)
{
    u_char      *p;
    uint32_t     size;
    ngx_int_t    rc;
    ngx_uint_t   n;

    p = NULL;
    size = 0;

    /* overtaken at each try: it waits for a pin on the next one */

    for (n = 0; n < 100; n++) {

        rc = ngx_vidcast_ring_peek(&feed->zone->ring, 0, frame);

        if (rc == NGX_AGAIN) {
            return NGX_AGAIN;
        }

        if (rc == NGX_DECLINED) {
            continue;
        }

        if (frame->size > size) {
            size = frame->size;

            p = ngx_pnalloc(r->pool, size);
            if (p == NULL) {
                return NGX_ERROR;
            }
        }

        ngx_memcpy(p, frame->data, frame->size);

        if (ngx_vidcast_ring_check(&feed->zone->ring, frame) == NGX_OK) {
            frame->data = p;
            return NGX_OK;
        }
    }

    return NGX_AGAIN;
}


static ngx_uint_t
ngx_http_vidcast_snapshot_will_do(ngx_vidcast_source_t *source,
    ngx_vidcast_query_t *query, ngx_vidcast_frame_t *frame)
{
    if ((query->has & NGX_VIDCAST_QUERY_AFTER)
        && frame->number <= query->after)
    {
        return 0;
    }

    if ((query->has & NGX_VIDCAST_QUERY_MAX_AGE)
        && ngx_vidcast_clock() - frame->captured > query->max_age)
    {
        return 0;
    }

    return !ngx_http_vidcast_status_past(source, frame->ready);
}


static ngx_int_t
ngx_http_vidcast_snapshot_send_now(ngx_http_request_t *r,
    ngx_http_vidcast_params_t *params, ngx_vidcast_frame_t *frame)
{
    ngx_int_t                         rc;
    ngx_buf_t                        *b;
    ngx_http_vidcast_feed_t          *feed;
    ngx_http_vidcast_viewer_stats_t  *stats;

    b = ngx_calloc_buf(r->pool);
    stats = ngx_pcalloc(r->pool, sizeof(ngx_http_vidcast_viewer_stats_t));

    if (b == NULL
        || stats == NULL
        || ngx_http_vidcast_params_stats(params, r, stats) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    feed = ngx_http_vidcast_params_feed(params);
    feed->stats->frames++;

    stats->frames = 1;

    rc = ngx_http_vidcast_snapshot_send_frame(r, feed, frame, b);

    stats->bytes = r->header_only ? 0 : frame->size;

    return rc;
}


static ngx_int_t
ngx_http_vidcast_snapshot_send_frame(ngx_http_request_t *r,
    ngx_http_vidcast_feed_t *feed, ngx_vidcast_frame_t *frame, ngx_buf_t *b)
{
    ngx_int_t    rc;
    ngx_chain_t  out;

    static ngx_str_t  type = ngx_string("image/jpeg");

    if (ngx_http_vidcast_snapshot_headers(r, feed, frame) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->pos = frame->data;
    b->last = frame->data + frame->size;
    b->memory = 1;

    out.buf = b;
    out.next = NULL;

    rc = ngx_http_vidcast_response_send(r, NGX_HTTP_OK, &type, &out,
                                        frame->size);

    if (rc != NGX_ERROR && rc <= NGX_OK && !r->header_only) {
        feed->stats->bytes += frame->size;
    }

    return rc;
}


static ngx_int_t
ngx_http_vidcast_snapshot_headers(ngx_http_request_t *r,
    ngx_http_vidcast_feed_t *feed, ngx_vidcast_frame_t *frame)
{
    uint64_t          age;
    ngx_table_elt_t  *etag;

    static ngx_str_t  cache = ngx_string("no-cache");

    age = ngx_vidcast_clock() - frame->captured;

    if (ngx_http_vidcast_add_header(r, "Cache-Control", &cache) != NGX_OK
        || ngx_http_vidcast_snapshot_add(r, "X-Vidcast-Frame", "%uL",
                                         frame->number)
           != NGX_OK
        || ngx_http_vidcast_snapshot_add(r, "X-Vidcast-Age", "%uL.%06uL",
                                         age / 1000000, age % 1000000)
           != NGX_OK
        || ngx_http_vidcast_snapshot_add(r, "X-Timestamp", "%uL.%06uL",
                                         frame->time / 1000000,
                                         frame->time % 1000000)
           != NGX_OK
        || ngx_http_vidcast_snapshot_add(r, "ETag", "\"%016xL-%uL\"",
                                         feed->zone->ring.shm->epoch,
                                         frame->number)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* the header added last; nginx compares it with If-None-Match */

    etag = r->headers_out.headers.last->elts;
    r->headers_out.etag = &etag[r->headers_out.headers.last->nelts - 1];

    return NGX_OK;
}


static ngx_int_t
ngx_http_vidcast_snapshot_add(ngx_http_request_t *r, const char *name,
    const char *fmt, ...)
{
    u_char     *p;
    va_list     args;
    ngx_str_t   value;

    value.data = ngx_pnalloc(r->pool, 64);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    va_start(args, fmt);
    p = ngx_vslprintf(value.data, value.data + 64, fmt, args);
    va_end(args);

    value.len = p - value.data;

    return ngx_http_vidcast_add_header(r, name, &value);
}


static ngx_int_t
ngx_http_vidcast_snapshot_wait(ngx_http_request_t *r,
    ngx_http_vidcast_params_t *params, uint64_t seen)
{
    ngx_int_t                         rc;
    ngx_queue_t                      *q;
    ngx_pool_cleanup_t               *cln;
    ngx_http_vidcast_snapshot_t      *shot;
    ngx_http_vidcast_loc_conf_t      *vlcf;
    ngx_http_vidcast_subscription_t  *sub;

    vlcf = ngx_http_get_module_loc_conf(r, ngx_http_vidcast_module);

    shot = ngx_pcalloc(r->pool, sizeof(ngx_http_vidcast_snapshot_t));
    cln = ngx_pool_cleanup_add(r->pool, 0);

    if (shot == NULL || cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = ngx_http_vidcast_snapshot_cleanup;
    cln->data = shot;

    shot->feed = ngx_http_vidcast_params_feed(params);
    shot->started = ngx_current_msec;
    shot->timeout = vlcf->snapshot_timeout;

    shot->viewer.session.request = r;
    shot->viewer.transport = &ngx_http_vidcast_snapshot_transport;

    params->send = NGX_HTTP_VIDCAST_FRAMES;

    rc = ngx_http_vidcast_params_join(params, &shot->viewer);

    if (rc != NGX_OK) {
        ngx_http_vidcast_session_leave(&shot->viewer.session);
        return rc;
    }

    ngx_http_vidcast_viewer_wake(&shot->viewer);

    q = ngx_queue_head(&shot->viewer.subscriptions);
    sub = ngx_queue_data(q, ngx_http_vidcast_subscription_t, link);
    sub->last_frame = seen;

    ngx_http_set_ctx(r, shot, ngx_http_vidcast_module);

    r->connection->log->action = "waiting for video frame";

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_vidcast_snapshot_write_handler;

    /* one may have come since */

    ngx_post_event(r->connection->write, &ngx_posted_events);

    r->main->count++;

    return NGX_DONE;
}


static void
ngx_http_vidcast_snapshot_cleanup(void *data)
{
    ngx_http_vidcast_snapshot_t  *shot = data;

    if (shot->message) {
        ngx_http_vidcast_message_unref(shot->message);
        shot->message = NULL;
    }
}


static void
ngx_http_vidcast_snapshot_write_handler(ngx_http_request_t *r)
{
    ngx_http_vidcast_snapshot_t  *shot;

    shot = ngx_http_get_module_ctx(r, ngx_http_vidcast_module);

    ngx_http_vidcast_queue_ready(&shot->viewer);
}


static ngx_int_t
ngx_http_vidcast_snapshot_send(ngx_http_vidcast_viewer_t *viewer,
    ngx_http_vidcast_message_t *message)
{
    ngx_int_t                     rc;
    ngx_http_request_t           *r;
    ngx_vidcast_frame_t           frame;
    ngx_http_vidcast_snapshot_t  *shot;

    shot = (ngx_http_vidcast_snapshot_t *) viewer;
    r = viewer->session.request;

    if (ngx_http_vidcast_message_copy(message) != NGX_OK) {
        return NGX_ERROR;
    }

    /* referred to till the request is over: filters have pointers to it */

    message->refs++;
    shot->message = message;

    frame = message->frame;
    frame.data = message->data;

    rc = ngx_http_vidcast_snapshot_send_frame(r, message->feed, &frame,
                                              &shot->buf);

    /* counted, as it is: it may still be leaving when the viewer has left */

    viewer->session.sent = r->connection->sent;
    viewer->stats.bytes = r->header_only ? 0 : frame.size;

    return (rc == NGX_ERROR || rc > NGX_OK) ? NGX_ERROR : NGX_DONE;
}


static ngx_int_t
ngx_http_vidcast_snapshot_ping(ngx_http_vidcast_viewer_t *viewer)
{
    ngx_http_vidcast_snapshot_t  *shot;

    shot = (ngx_http_vidcast_snapshot_t *) viewer;

    return (ngx_current_msec - shot->started >= shot->timeout) ? NGX_DECLINED
                                                               : NGX_OK;
}


static void
ngx_http_vidcast_snapshot_drain(ngx_http_vidcast_viewer_t *viewer)
{
    ngx_int_t                     rc;
    ngx_http_vidcast_snapshot_t  *shot;

    shot = (ngx_http_vidcast_snapshot_t *) viewer;

    rc = ngx_http_vidcast_snapshot_none(viewer->session.request, shot->feed);

    ngx_http_vidcast_session_finalize(&viewer->session, rc);
}


static ngx_int_t
ngx_http_vidcast_snapshot_none(ngx_http_request_t *r,
    ngx_http_vidcast_feed_t *feed)
{
    static ngx_str_t  retry = ngx_string("1");

    feed->stats->refused++;

    if (ngx_http_vidcast_add_header(r, "Retry-After", &retry) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_vidcast_offline_answer(r, feed);
}
