
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "http/websocket/ngx_http_vidcast_handshake.h"
#include "http/delivery/ngx_http_vidcast_session.h"
#include "http/publish/ngx_http_vidcast_publisher.h"
#include "http/websocket/ngx_http_vidcast_connection.h"
#include "shm/ngx_vidcast_control.h"
#include "media/ngx_vidcast_jpeg.h"
#include "wire/ngx_vidcast_ws_assembler.h"


/*
 * A WebSocket of pictures and texts.  What comes is read into a slot of the
 * ring, and unmasked where it stands; while there is no slot nothing is read,
 * and TCP slows the peer down.
 */

typedef struct {
    ngx_http_vidcast_connection_t     wc;
    ngx_http_vidcast_session_t    session;
    ngx_http_vidcast_publisher_t  publisher;

    ngx_vidcast_ws_assembler_t    message;           /* the message in hand */

    ngx_msec_t                    timeout;
    ngx_msec_t                    begun;     /* the message in hand */

    unsigned                      started:1;
    unsigned                      receiving:1; /* there is one */
    unsigned                      slow:1;    /* for too long */
    unsigned                      refused:1;  /* it broke the protocol */
} ngx_http_vidcast_publish_ws_t;


static ngx_int_t ngx_http_vidcast_publish_ws_open(ngx_http_request_t *r,
    ngx_http_vidcast_headers_t *headers, ngx_http_vidcast_publish_ws_t *ws);
static ngx_uint_t ngx_http_vidcast_publish_ws_wanted(
    ngx_http_vidcast_session_t *session);
static ngx_int_t ngx_http_vidcast_publish_ws_ping(
    ngx_http_vidcast_session_t *session);
static void ngx_http_vidcast_publish_ws_drain(
    ngx_http_vidcast_session_t *session);
static ngx_int_t ngx_http_vidcast_publish_ws_data(
    ngx_http_vidcast_connection_t *wc, ngx_vidcast_ws_event_t *event);
static u_char *ngx_http_vidcast_publish_ws_get_buffer(
    ngx_http_vidcast_connection_t *wc, size_t size);
static ngx_int_t ngx_http_vidcast_publish_ws_flush(
    ngx_http_vidcast_connection_t *wc);
static void ngx_http_vidcast_publish_ws_ready(
    ngx_http_vidcast_connection_t *wc);
static void ngx_http_vidcast_publish_ws_leave(
    ngx_http_vidcast_connection_t *wc);
static void ngx_http_vidcast_publish_ws_lent(
    ngx_http_vidcast_publisher_t *publisher);
static void ngx_http_vidcast_publish_ws_answered(
    ngx_http_vidcast_publisher_t *publisher, ngx_uint_t reason,
    uint64_t number);
static void ngx_http_vidcast_publish_ws_dismiss(
    ngx_http_vidcast_publisher_t *publisher, ngx_uint_t why);

#define ngx_http_vidcast_publish_ws_of(p, member)                             \
    (ngx_http_vidcast_publish_ws_t *)                                         \
        ((u_char *) (p) - offsetof(ngx_http_vidcast_publish_ws_t, member))


static ngx_http_vidcast_session_handlers_t
    ngx_http_vidcast_publish_ws_handlers =
{
    "publisher",
    ngx_http_vidcast_publish_ws_wanted,
    NULL,
    ngx_http_vidcast_publish_ws_ping,
    NULL,
    ngx_http_vidcast_publish_ws_drain,
    NULL
};


static ngx_http_vidcast_wc_user_t  ngx_http_vidcast_publish_ws_user = {
    NULL,
    ngx_http_vidcast_publish_ws_data,
    ngx_http_vidcast_publish_ws_get_buffer,
    ngx_http_vidcast_publish_ws_flush,
    ngx_http_vidcast_publish_ws_ready,
    ngx_http_vidcast_publish_ws_leave
};


static ngx_http_vidcast_publisher_user_t  ngx_http_vidcast_publish_ws_turns =
{
    ngx_http_vidcast_publish_ws_lent,
    ngx_http_vidcast_publish_ws_answered,
    ngx_http_vidcast_publish_ws_dismiss
};


ngx_int_t
ngx_http_vidcast_publish_ws_handler(ngx_http_request_t *r,
    ngx_http_vidcast_headers_t *headers, ngx_http_vidcast_feed_t *feed)
{
    ngx_int_t                       rc;
    ngx_http_vidcast_loc_conf_t    *vlcf;
    ngx_http_vidcast_publish_ws_t  *ws;

    rc = ngx_http_vidcast_handshake_check(r, headers);

    if (rc != NGX_OK) {
        return rc;
    }

    vlcf = ngx_http_get_module_loc_conf(r, ngx_http_vidcast_module);

    ws = ngx_pcalloc(r->pool, sizeof(ngx_http_vidcast_publish_ws_t));
    if (ws == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ws->session.request = r;
    ws->session.handlers = &ngx_http_vidcast_publish_ws_handlers;
    ws->session.resumes = 1;

    ws->publisher.feed = feed;
    ws->publisher.user = &ngx_http_vidcast_publish_ws_turns;
    ws->publisher.log = r->connection->log;
    ws->publisher.session = 1;
    ws->publisher.takeover = vlcf->takeover;
    ws->timeout = vlcf->publish_timeout;

    rc = ngx_http_vidcast_session_join(&ws->session);

    if (rc != NGX_OK) {
        return (rc == NGX_BUSY) ? NGX_HTTP_SERVICE_UNAVAILABLE
                                : NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_vidcast_publish_ws_open(r, headers, ws);

    if (rc != NGX_OK) {
        ngx_http_vidcast_session_leave(&ws->session);
        return rc;
    }

    r->main->count++;

    return NGX_DONE;
}


static ngx_int_t
ngx_http_vidcast_publish_ws_open(ngx_http_request_t *r,
    ngx_http_vidcast_headers_t *headers, ngx_http_vidcast_publish_ws_t *ws)
{
    ngx_int_t              rc;
    ngx_str_t              protocol;
    ngx_vidcast_source_t  *source;

    ws->wc.session = &ws->session;
    ws->wc.user = &ngx_http_vidcast_publish_ws_user;
    ws->wc.turn.waits = &ws->publisher.feed->stats->waits;
    ws->wc.holding = 1;

    /* pictures are compressed already, and texts would need another copy */

    ngx_str_null(&protocol);

    rc = ngx_http_vidcast_connection_open(r, headers, &ws->wc, &protocol, 0);

    if (rc != NGX_OK) {
        return rc;
    }

    source = ws->publisher.feed->source;

    ws->message.max_picture = source->original.geometry.slot_size;
    ws->message.max_text = ngx_min(source->original.geometry.slot_size,
                                   source->original.geometry.result_size);

    ws->wc.reader.max_message = source->original.geometry.slot_size;

    r->connection->log->action = "receiving video from client";

    return NGX_OK;
}


static ngx_uint_t
ngx_http_vidcast_publish_ws_wanted(ngx_http_vidcast_session_t *session)
{
    ngx_http_vidcast_feed_t        *feed;
    ngx_http_vidcast_publish_ws_t  *ws;

    ws = ngx_http_vidcast_publish_ws_of(session, session);
    feed = ws->publisher.feed;

    return ngx_vidcast_zone_wanted(feed->vmcf->vidcast.control, feed->source);
}


static ngx_int_t
ngx_http_vidcast_publish_ws_ping(ngx_http_vidcast_session_t *session)
{
    ngx_http_vidcast_publish_ws_t  *ws;

    ws = ngx_http_vidcast_publish_ws_of(session, session);

    if (ws->receiving
        && !ws->wc.closing
        && ngx_current_msec - ws->begun >= ws->timeout)
    {
        ngx_http_vidcast_publisher_slow(&ws->publisher, ws->timeout);

        ws->slow = 1;

        return NGX_DECLINED;
    }

    return ngx_http_vidcast_connection_ping(&ws->wc);
}


static void
ngx_http_vidcast_publish_ws_drain(ngx_http_vidcast_session_t *session)
{
    ngx_http_vidcast_publish_ws_t  *ws;

    ws = ngx_http_vidcast_publish_ws_of(session, session);

    (void) ngx_http_vidcast_connection_close(&ws->wc,
                                             ws->slow
                                                 ? NGX_VIDCAST_WS_CLOSE_POLICY
                                                 : NGX_VIDCAST_WS_CLOSE_AWAY,
                                             ws->slow ? "too slow" : "");
}


static ngx_int_t
ngx_http_vidcast_publish_ws_data(ngx_http_vidcast_connection_t *wc,
    ngx_vidcast_ws_event_t *event)
{
    ngx_int_t                       rc;
    ngx_vidcast_ws_assembler_t     *message;
    ngx_http_vidcast_publish_ws_t  *ws;

    ws = (ngx_http_vidcast_publish_ws_t *) wc;
    message = &ws->message;

    if (wc->closing) {
        return NGX_OK;
    }

    if (!ws->receiving) {
        ws->receiving = 1;
        ws->begun = ngx_current_msec;
    }

    rc = ngx_vidcast_ws_assembler_add(message, event);

    if (rc == NGX_AGAIN) {
        return NGX_OK;
    }

    ws->receiving = 0;

    if (rc == NGX_DECLINED) {
        ws->publisher.feed->stats->unwanted++;

        return ngx_http_vidcast_connection_close(wc, message->code,
                                                 message->reason);
    }

    wc->holding = 1;

    ngx_http_vidcast_publisher_submit(&ws->publisher,
                                      message->text
                                          ? NGX_VIDCAST_HANDOFF_RESULT
                                          : NGX_VIDCAST_HANDOFF_PICTURE,
                                      message->size);
    message->data = NULL;

    return NGX_OK;
}


static u_char *
ngx_http_vidcast_publish_ws_get_buffer(ngx_http_vidcast_connection_t *wc,
    size_t size)
{
    ngx_http_vidcast_publish_ws_t  *ws;

    ws = (ngx_http_vidcast_publish_ws_t *) wc;

    return ngx_vidcast_ws_assembler_buffer(&ws->message, size);
}


static ngx_int_t
ngx_http_vidcast_publish_ws_flush(ngx_http_vidcast_connection_t *wc)
{
    return  NGX_OK;
}


/* the handshake has left: a publisher refused from here on is told why */

static void
ngx_http_vidcast_publish_ws_ready(ngx_http_vidcast_connection_t *wc)
{
    ngx_http_vidcast_publish_ws_t  *ws;

    ws = (ngx_http_vidcast_publish_ws_t *) wc;

    if (ws->started) {
        return;
    }

    ws->started = 1;

    switch (ngx_http_vidcast_publisher_join(&ws->publisher)) {

    case NGX_OK:
        return;

    case NGX_BUSY:
        ngx_http_vidcast_publish_ws_dismiss(&ws->publisher,
                                            NGX_HTTP_VIDCAST_RIVAL);
        return;

    default: /* NGX_DECLINED */
        ngx_http_vidcast_publish_ws_dismiss(&ws->publisher,
                                            NGX_HTTP_VIDCAST_NO_TURN);
        return;
    }
}


static void
ngx_http_vidcast_publish_ws_leave(ngx_http_vidcast_connection_t *wc)
{
    ngx_http_vidcast_publish_ws_t  *ws;

    ws = (ngx_http_vidcast_publish_ws_t *) wc;

    if (wc->reader.code && !ws->refused) {
        ws->refused = 1;
        ws->publisher.feed->stats->unwanted++;
    }

    ngx_http_vidcast_publisher_leave(&ws->publisher);

    ws->message.data = NULL;
}


static void
ngx_http_vidcast_publish_ws_lent(ngx_http_vidcast_publisher_t *publisher)
{
    ngx_http_vidcast_publish_ws_t  *ws;

    ws = ngx_http_vidcast_publish_ws_of(publisher, publisher);

    ws->message.data = publisher->data;
    ws->message.size = 0;

    ws->wc.holding = 0;
    ngx_http_vidcast_connection_resume(&ws->wc);
}


static void
ngx_http_vidcast_publish_ws_answered(ngx_http_vidcast_publisher_t *publisher,
    ngx_uint_t reason, uint64_t number)
{
    ngx_http_vidcast_publish_ws_t  *ws;

    ws = ngx_http_vidcast_publish_ws_of(publisher, publisher);

    switch (reason) {

    case NGX_VIDCAST_HANDOFF_BAD:
        (void) ngx_http_vidcast_connection_close(&ws->wc,
                                          NGX_VIDCAST_WS_CLOSE_DATA,
                                          ngx_vidcast_jpeg_fault_text(number));
        return;

    case NGX_VIDCAST_HANDOFF_TOO_LARGE:
        (void) ngx_http_vidcast_connection_close(&ws->wc,
                                                 NGX_VIDCAST_WS_CLOSE_TOO_BIG,
                                                 "too large");
        return;

    default:

        /* taken; or lost, and the next one comes soon */

        return;
    }
}


static void
ngx_http_vidcast_publish_ws_dismiss(ngx_http_vidcast_publisher_t *publisher,
    ngx_uint_t why)
{
    ngx_uint_t                      code;
    const char                     *reason;
    ngx_http_vidcast_publish_ws_t  *ws;

    ws = ngx_http_vidcast_publish_ws_of(publisher, publisher);

    switch (why) {

    case NGX_HTTP_VIDCAST_RIVAL:
        code = NGX_VIDCAST_WS_CLOSE_POLICY;
        reason = "another publisher is there";
        break;

    case NGX_HTTP_VIDCAST_REPLACED:
        code = NGX_VIDCAST_WS_CLOSE_POLICY;
        reason = "another publisher took over";
        break;

    default: /* NGX_HTTP_VIDCAST_NO_TURN */
        code = NGX_VIDCAST_WS_CLOSE_FULL;
        reason = "try again later";
        break;
    }

    ngx_log_error(NGX_LOG_INFO, ws->wc.request->connection->log, 0,
                  "vidcast publisher is sent away: %s", reason);

    publisher->feed->stats->refused++;

    (void) ngx_http_vidcast_connection_close(&ws->wc, code, reason);
}
