
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
#include "http/request/ngx_http_vidcast_params.h"
#include "http/request/ngx_http_vidcast_response.h"


/*
 * Responses without an end: MJPEG, SSE and NDJSON.  They leave through
 * nginx's output filters, which keep pointers until the bytes are gone; so a
 * message is referred to until nothing is buffered any more.
 *
 * Where the filters keep no other pointers than those in our bufs, a picture
 * leaves from the ring, and the buf follows it when it moves.
 *
 * Where there is no picture, a viewer of MJPEG sees a placeholder, by
 * "vidcast_offline".  It is no message: it counts as no picture, and lies in
 * memory of the configuration.
 */


#define NGX_HTTP_VIDCAST_REPEAT      1000  /* ms until a picture comes again */

#define NGX_HTTP_VIDCAST_RETRY       1000  /* ms, of SSE: the least */
#define NGX_HTTP_VIDCAST_RETRY_SPAN  2000  /* what may come on top of it */

#define NGX_HTTP_VIDCAST_BUFS        3     /* a message: headers, and */
#define NGX_HTTP_VIDCAST_BODY        2     /* what is flushed */


typedef struct {
    ngx_http_vidcast_viewer_t    viewer;
    ngx_http_vidcast_message_t  *message;    /* leaving */

    ngx_buf_t                    bufs[NGX_HTTP_VIDCAST_BUFS];
    ngx_chain_t                  links[NGX_HTTP_VIDCAST_BUFS];
    u_char                       id[64];     /* before an event of SSE */

    /* of MJPEG */

    ngx_http_vidcast_feed_t     *feed;
    ngx_http_vidcast_message_t  *last;       /* to be sent again */
    ngx_str_t                   *shown;      /* placeholder; NULL: a picture */
    ngx_uint_t                   offline;
    ngx_msec_t                   started;

    ngx_msec_t                   ping;
    ngx_msec_t                   wrote;      /* when bytes were last given */

    unsigned                     sendfile:1;  /* pictures leave from the ring */
} ngx_http_vidcast_stream_t;


static ngx_int_t ngx_http_vidcast_stream_start(ngx_http_request_t *r,
    ngx_http_vidcast_stream_t *st);
static ngx_int_t ngx_http_vidcast_stream_header(ngx_http_request_t *r,
    ngx_uint_t transport);
static ngx_uint_t ngx_http_vidcast_stream_sendfile(
    ngx_http_vidcast_stream_t *st);
static void ngx_http_vidcast_stream_cleanup(void *data);
static void ngx_http_vidcast_stream_write_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_vidcast_stream_send(
    ngx_http_vidcast_viewer_t *viewer, ngx_http_vidcast_message_t *message);
static ngx_int_t ngx_http_vidcast_stream_picture(
    ngx_http_vidcast_stream_t *st, ngx_http_vidcast_message_t *message);
static void ngx_http_vidcast_stream_part(ngx_http_vidcast_stream_t *st,
    ngx_uint_t n, u_char *pos, size_t size);
static void ngx_http_vidcast_stream_follow(ngx_http_vidcast_stream_t *st);
static ngx_int_t ngx_http_vidcast_stream_output(ngx_http_vidcast_stream_t *st,
    ngx_chain_t *out);
static ngx_int_t ngx_http_vidcast_stream_retry(ngx_http_vidcast_stream_t *st);
static ngx_int_t ngx_http_vidcast_stream_text(ngx_http_vidcast_stream_t *st,
    u_char *text, size_t len);
static ngx_uint_t ngx_http_vidcast_stream_pending(
    ngx_http_vidcast_stream_t *st);
static ngx_int_t ngx_http_vidcast_stream_placeholder(
    ngx_http_vidcast_stream_t *st);
static ngx_int_t ngx_http_vidcast_stream_ping(
    ngx_http_vidcast_viewer_t *viewer);
static ngx_int_t ngx_http_vidcast_stream_again(ngx_http_vidcast_stream_t *st);
static void ngx_http_vidcast_stream_drain(ngx_http_vidcast_viewer_t *viewer);


static ngx_http_vidcast_transport_t  ngx_http_vidcast_sse_transport = {
    NGX_VIDCAST_SSE,
    1,
    ngx_http_vidcast_stream_send,
    ngx_http_vidcast_stream_ping,
    ngx_http_vidcast_stream_drain,
    NULL
};


static ngx_http_vidcast_transport_t  ngx_http_vidcast_mjpeg_transport = {
    NGX_VIDCAST_MJPEG,
    0,
    ngx_http_vidcast_stream_send,
    ngx_http_vidcast_stream_ping,
    ngx_http_vidcast_stream_drain,
    NULL
};


static ngx_http_vidcast_transport_t  ngx_http_vidcast_ndjson_transport = {
    NGX_VIDCAST_NDJSON,
    0,
    ngx_http_vidcast_stream_send,
    ngx_http_vidcast_stream_ping,
    ngx_http_vidcast_stream_drain,
    NULL
};


ngx_int_t
ngx_http_vidcast_stream_handler(ngx_http_request_t *r,
    ngx_http_vidcast_params_t *params, ngx_uint_t transport)
{
    ngx_int_t                     rc;
    ngx_http_vidcast_stream_t    *st;
    ngx_http_vidcast_loc_conf_t  *vlcf;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    vlcf = ngx_http_get_module_loc_conf(r, ngx_http_vidcast_module);

    st = ngx_pcalloc(r->pool, sizeof(ngx_http_vidcast_stream_t));
    if (st == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    st->ping = vlcf->ping;
    st->wrote = ngx_current_msec;

    st->viewer.session.request = r;

    params->send = NGX_HTTP_VIDCAST_RESULTS;

    switch (transport) {

    case NGX_VIDCAST_MJPEG:
        st->viewer.transport = &ngx_http_vidcast_mjpeg_transport;
        params->send = NGX_HTTP_VIDCAST_FRAMES;

        /* of several sources, the first */

        params->chosen &= ~params->chosen + 1;

        st->feed = ngx_http_vidcast_params_feed(params);
        st->offline = vlcf->offline;
        st->started = ngx_current_msec;
        break;

    case NGX_VIDCAST_SSE:
        st->viewer.transport = &ngx_http_vidcast_sse_transport;
        break;

    default: /* NGX_VIDCAST_NDJSON */
        st->viewer.transport = &ngx_http_vidcast_ndjson_transport;
        break;
    }

    if (r->method == NGX_HTTP_HEAD) {
        return ngx_http_vidcast_stream_header(r, transport);
    }

    rc = ngx_http_vidcast_params_join(params, &st->viewer);

    if (rc == NGX_OK) {
        rc = ngx_http_vidcast_stream_start(r, st);
    }

    if (rc != NGX_OK) {
        ngx_http_vidcast_session_leave(&st->viewer.session);
        return rc;
    }

    ngx_http_vidcast_viewer_wake(&st->viewer);

    r->main->count++;

    return NGX_DONE;
}


static ngx_int_t
ngx_http_vidcast_stream_start(ngx_http_request_t *r,
    ngx_http_vidcast_stream_t *st)
{
    ngx_int_t            rc;
    ngx_uint_t           transport;
    ngx_connection_t    *c;
    ngx_pool_cleanup_t  *cln;

    c = r->connection;
    transport = st->viewer.transport->id;

    /* a frame of HTTP/2 that has been begun leaves even if the request ended */

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = ngx_http_vidcast_stream_cleanup;
    cln->data = st;

    rc = ngx_http_vidcast_stream_header(r, transport);

    if (rc == NGX_ERROR || rc > NGX_OK) {
        return rc;
    }

    if (transport == NGX_VIDCAST_MJPEG) {
        st->sendfile = ngx_http_vidcast_stream_sendfile(st);

        ngx_http_vidcast_offline_look(st->feed);

        rc = ngx_http_vidcast_stream_text(st, (u_char *) "--frame" CRLF,
                                          sizeof("--frame" CRLF) - 1);

    } else if (transport == NGX_VIDCAST_SSE) {
        rc = ngx_http_vidcast_stream_retry(st);

    } else {
        rc = ngx_http_send_special(r, NGX_HTTP_FLUSH);
    }

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    c->log->action = "sending video to client";

    ngx_http_set_ctx(r, st, ngx_http_vidcast_module);

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_vidcast_stream_write_handler;

    /* the first message comes when this handler has returned */

    st->viewer.session.busy = 1;

    ngx_post_event(c->write, &ngx_posted_events);

    return NGX_OK;
}


static ngx_int_t
ngx_http_vidcast_stream_header(ngx_http_request_t *r, ngx_uint_t transport)
{
    static ngx_str_t  cache = ngx_string("no-cache, no-store");
    static ngx_str_t  no = ngx_string("no");

    switch (transport) {

    case NGX_VIDCAST_MJPEG:
        ngx_str_set(&r->headers_out.content_type,
                    "multipart/x-mixed-replace; boundary=frame");
        break;

    case NGX_VIDCAST_SSE:
        ngx_str_set(&r->headers_out.content_type, "text/event-stream");
        break;

    default: /* NGX_VIDCAST_NDJSON */
        ngx_str_set(&r->headers_out.content_type, "application/x-ndjson");
        break;
    }

    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = -1;

    /* the latter for an nginx in front of us, which would wait for more */

    if (ngx_http_vidcast_add_header(r, "Cache-Control", &cache) != NGX_OK
        || ngx_http_vidcast_add_header(r, "X-Accel-Buffering", &no) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_send_header(r);
}


/* not by filters which keep what they get, nor by threads of nginx */

static ngx_uint_t
ngx_http_vidcast_stream_sendfile(ngx_http_vidcast_stream_t *st)
{
    ngx_http_request_t        *r;
    ngx_http_core_loc_conf_t  *clcf;

    r = st->viewer.session.request;
    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (!st->viewer.sendfile
        || r != r->main
        || r->filter_need_in_memory
        || r->main_filter_need_in_memory
        || clcf->aio != NGX_HTTP_AIO_OFF)
    {
        return 0;
    }

    /* a cork would hold back the end of each picture */

    r->connection->tcp_nopush = NGX_TCP_NOPUSH_DISABLED;

    return 1;
}


static void
ngx_http_vidcast_stream_cleanup(void *data)
{
    ngx_http_vidcast_stream_t  *st = data;

    if (st->message) {
        ngx_http_vidcast_message_unref(st->message);
        st->message = NULL;
    }

    if (st->last) {
        ngx_http_vidcast_message_unref(st->last);
        st->last = NULL;
    }
}


static void
ngx_http_vidcast_stream_write_handler(ngx_http_request_t *r)
{
    ngx_int_t                   rc;
    ngx_http_vidcast_stream_t  *st;

    st = ngx_http_get_module_ctx(r, ngx_http_vidcast_module);

    rc = ngx_http_vidcast_stream_output(st, NULL);

    /* its state changes at once; what is to be repeated is left to ping() */

    if (rc == NGX_OK
        && st->feed
        && !ngx_http_vidcast_stream_pending(st)
        && ngx_http_vidcast_offline_decide(st->feed, st->offline,
                                           st->last != NULL, st->started)
           == NGX_HTTP_VIDCAST_SHOW_PLACEHOLDER)
    {
        rc = ngx_http_vidcast_stream_placeholder(st);
    }

    if (rc == NGX_ERROR) {
        ngx_http_vidcast_session_finalize(&st->viewer.session, NGX_ERROR);
        return;
    }

    if (rc == NGX_OK) {
        ngx_http_vidcast_queue_ready(&st->viewer);
    }
}


static ngx_int_t
ngx_http_vidcast_stream_send(ngx_http_vidcast_viewer_t *viewer,
    ngx_http_vidcast_message_t *message)
{
    u_char                     *p;
    ngx_uint_t                  first;
    ngx_http_vidcast_stream_t  *st;

    st = (ngx_http_vidcast_stream_t *) viewer;
    first = 0;

    switch (viewer->transport->id) {

    case NGX_VIDCAST_MJPEG:

        if (ngx_http_vidcast_stream_picture(st, message) != NGX_OK) {
            return NGX_ERROR;
        }

        break;

    case NGX_VIDCAST_SSE:
        p = ngx_sprintf(st->id, "id: %016xL-%uL\ndata: ",
                        message->feed->epoch, message->seq);

        ngx_http_vidcast_stream_part(st, 1, st->id, p - st->id);
        ngx_http_vidcast_stream_part(st, 2, message->data, message->size + 2);
        first = 1;
        break;

    default: /* NGX_VIDCAST_NDJSON */
        ngx_http_vidcast_stream_part(st, 2, message->data, message->size + 1);
        first = 2;
        break;
    }

    message->refs++;
    st->message = message;

    return ngx_http_vidcast_stream_output(st, &st->links[first]);
}


/* by sendfile(), if the ring says so */

static ngx_int_t
ngx_http_vidcast_stream_picture(ngx_http_vidcast_stream_t *st,
    ngx_http_vidcast_message_t *message)
{
    u_char     *part;
    ngx_buf_t  *b;
    ngx_str_t  *header;

    if (!st->sendfile
        && ngx_http_vidcast_message_duplicate(message) != NGX_OK)
    {
        return NGX_ERROR;
    }

    part = ngx_http_vidcast_message_part(message);
    header = ngx_http_vidcast_offline_header(st->feed);

    ngx_http_vidcast_stream_part(st, 0, part, message->part_len);
    ngx_http_vidcast_stream_part(st, 1, header->data, header->len);
    ngx_http_vidcast_stream_part(st, 2, st->sendfile ? message->data
                                                   : message->copy,
                                 message->size + NGX_VIDCAST_RING_TAIL_LEN);

    if (st->sendfile && message->pinned && message->frame.sendfile) {
        b = &st->bufs[NGX_HTTP_VIDCAST_BODY];

        b->in_file = 1;
        b->file = &st->feed->file;
        b->file_pos = b->pos - st->feed->zone->ring.frames;
        b->file_last = b->last - st->feed->zone->ring.frames;
    }

    st->shown = NULL;

    if (st->offline == NGX_HTTP_VIDCAST_PICTURE && st->feed->dark) {

        /* it is of the past, as its header says: the placeholder is next */

        ngx_post_event(st->viewer.session.request->connection->write,
                       &ngx_posted_events);
    }

    return NGX_OK;
}


/* each part is followed by the next one, the last one is flushed */

static void
ngx_http_vidcast_stream_part(ngx_http_vidcast_stream_t *st, ngx_uint_t n,
    u_char *pos, size_t size)
{
    ngx_buf_t  *b;

    b = &st->bufs[n];

    ngx_memzero(b, sizeof(ngx_buf_t));

    b->start = pos;
    b->pos = pos;
    b->last = pos + size;
    b->end = b->last;
    b->memory = 1;
    b->flush = (n == NGX_HTTP_VIDCAST_BODY);
    b->tag = (ngx_buf_tag_t) &ngx_http_vidcast_module;

    st->links[n].buf = b;
    st->links[n].next = b->flush ? NULL : &st->links[n + 1];
}


/* a picture that leaves slowly may have been copied meanwhile */

static void
ngx_http_vidcast_stream_follow(ngx_http_vidcast_stream_t *st)
{
    ngx_buf_t                   *b;
    ngx_http_vidcast_message_t  *message;

    b = &st->bufs[NGX_HTTP_VIDCAST_BODY];
    message = st->message;

    if (message && !message->pinned && b->start != message->data) {
        b->pos = message->data + (b->pos - b->start);
        b->last = message->data + (b->last - b->start);
        b->start = message->data;
        b->end = b->last;
        b->in_file = 0;
    }
}


/* NGX_OK: nothing is left in any filter; NGX_AGAIN; NGX_ERROR */

static ngx_int_t
ngx_http_vidcast_stream_output(ngx_http_vidcast_stream_t *st, ngx_chain_t *out)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = st->viewer.session.request;
    c = r->connection;

    if (out) {
        st->wrote = ngx_current_msec;

    } else {
        ngx_http_vidcast_stream_follow(st);
    }

    if ((out || r->buffered || c->buffered)
        && (ngx_http_output_filter(r, out) == NGX_ERROR || c->error))
    {
        return NGX_ERROR;
    }

    if (r->buffered || c->buffered) {

        if (!c->write->delayed
            && ngx_handle_write_event(c->write, 0) != NGX_OK)
        {
            return NGX_ERROR;
        }

        return NGX_AGAIN;
    }

    if (st->message) {

        if (st->viewer.frames) {

            /* kept, it is still the newest one when nothing comes */

            if (st->last) {
                ngx_http_vidcast_message_unref(st->last);
            }

            st->last = st->message;

        } else {
            ngx_http_vidcast_message_unref(st->message);
        }

        st->message = NULL;
    }

    return NGX_OK;
}


/* not one time for all: they would come back in one instant after a reload */

static ngx_int_t
ngx_http_vidcast_stream_retry(ngx_http_vidcast_stream_t *st)
{
    u_char      *p;
    ngx_uint_t   retry;

    retry = NGX_HTTP_VIDCAST_RETRY
            + ngx_random() % (NGX_HTTP_VIDCAST_RETRY_SPAN + 1);

    p = ngx_sprintf(st->id, "retry: %ui\n\n", retry);

    return ngx_http_vidcast_stream_text(st, st->id, p - st->id);
}


/* a text that stays as it is, at the start or between messages */

static ngx_int_t
ngx_http_vidcast_stream_text(ngx_http_vidcast_stream_t *st, u_char *text,
    size_t len)
{
    ngx_int_t  rc;

    ngx_http_vidcast_stream_part(st, NGX_HTTP_VIDCAST_BODY, text, len);

    rc = ngx_http_vidcast_stream_output(st, &st->links[NGX_HTTP_VIDCAST_BODY]);

    st->viewer.session.busy = (rc == NGX_AGAIN);

    return rc;
}


/* is there a picture that this viewer has still to get? */

static ngx_uint_t
ngx_http_vidcast_stream_pending(ngx_http_vidcast_stream_t *st)
{
    ngx_queue_t                      *q;
    ngx_http_vidcast_subscription_t  *sub;

    if (st->feed->frame == NULL || !st->viewer.session.joined) {
        return 0;
    }

    q = ngx_queue_head(&st->viewer.subscriptions);
    sub = ngx_queue_data(q, ngx_http_vidcast_subscription_t, link);

    return st->feed->frame->frame.number > sub->last_frame;
}


/*
 * Another one at once, the same one each second.  A source that lives is about
 * to give a picture, which this is not worth to come before.
 */

static ngx_int_t
ngx_http_vidcast_stream_placeholder(ngx_http_vidcast_stream_t *st)
{
    ngx_str_t  *part;

    part = ngx_http_vidcast_offline_part(st->feed);

    if (ngx_current_msec - st->wrote < NGX_HTTP_VIDCAST_REPEAT
        && (part == st->shown || st->feed->state == NGX_VIDCAST_LIVE))
    {
        return NGX_OK;
    }

    st->shown = part;

    return ngx_http_vidcast_stream_text(st, part->data, part->len);
}


/*
 * SSE: a comment now and then keeps proxies from taking silence for death.
 * NDJSON: a space, which may stand before the next line's JSON; an empty line
 * would be none, and not every reader passes over it.
 */

static ngx_int_t
ngx_http_vidcast_stream_ping(ngx_http_vidcast_viewer_t *viewer)
{
    ngx_http_vidcast_stream_t  *st;

    st = (ngx_http_vidcast_stream_t *) viewer;

    if (viewer->session.busy) {
        return NGX_OK;
    }

    if (viewer->frames) {
        return ngx_http_vidcast_stream_again(st);
    }

    if (st->ping == 0 || ngx_current_msec - st->wrote < st->ping) {
        return NGX_OK;
    }

    return (viewer->transport->id == NGX_VIDCAST_SSE)
               ? ngx_http_vidcast_stream_text(st, (u_char *) ":\n\n", 3)
               : ngx_http_vidcast_stream_text(st, (u_char *) " ", 1);
}


/*
 * MJPEG: the picture again, so that a browser which paints a part only when
 * the next one begins has it, and one that came late too; or what takes its
 * place.
 */

static ngx_int_t
ngx_http_vidcast_stream_again(ngx_http_vidcast_stream_t *st)
{
    ngx_int_t                    rc;
    ngx_http_vidcast_viewer_t   *viewer;
    ngx_http_vidcast_message_t  *message;

    viewer = &st->viewer;

    switch (ngx_http_vidcast_offline_decide(st->feed, st->offline,
                                            st->last != NULL, st->started))
    {
    case NGX_HTTP_VIDCAST_SHOW_END:
        return NGX_DECLINED;

    case NGX_HTTP_VIDCAST_SHOW_PLACEHOLDER:
        return ngx_http_vidcast_stream_placeholder(st);

    default: /* NGX_HTTP_VIDCAST_SHOW_PICTURE */
        break;
    }

    if (st->last == NULL
        || (st->shown == NULL
            && ngx_current_msec - st->wrote < NGX_HTTP_VIDCAST_REPEAT))
    {
        return NGX_OK;
    }

    message = st->last;
    message->refs++;

    rc = viewer->transport->send(viewer, message);

    ngx_http_vidcast_message_unref(message);

    viewer->session.busy = (rc == NGX_AGAIN);

    return rc;
}


static void
ngx_http_vidcast_stream_drain(ngx_http_vidcast_viewer_t *viewer)
{
    ngx_int_t                   rc;
    ngx_http_request_t         *r;
    ngx_http_vidcast_stream_t  *st;

    st = (ngx_http_vidcast_stream_t *) viewer;
    r = viewer->session.request;

    /* no event comes here when the rest of a picture leaves */

    if (st->message && st->message->pinned
        && ngx_http_vidcast_message_copy(st->message) != NGX_OK)
    {
        ngx_http_vidcast_session_finalize(&viewer->session, NGX_ERROR);
        return;
    }

    ngx_http_vidcast_stream_follow(st);

    ngx_http_vidcast_session_leave(&viewer->session);

    r->keepalive = 0;

    rc = ngx_http_send_special(r, NGX_HTTP_LAST);

    ngx_http_vidcast_session_finalize(&viewer->session, rc);
}
