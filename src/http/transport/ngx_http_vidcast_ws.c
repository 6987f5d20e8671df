
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "http/websocket/ngx_http_vidcast_handshake.h"
#include "http/delivery/ngx_http_vidcast_message.h"
#include "http/delivery/ngx_http_vidcast_queue.h"
#include "http/delivery/ngx_http_vidcast_session.h"
#include "http/delivery/ngx_http_vidcast_transport.h"
#include "http/delivery/ngx_http_vidcast_viewer.h"
#include "http/websocket/ngx_http_vidcast_connection.h"
#include "http/request/ngx_http_vidcast_params.h"
#include "http/request/ngx_http_vidcast_usage.h"
#include "wire/ngx_vidcast_command.h"


/*
 * A WebSocket viewer writes to its connection by itself: messages lie ready,
 * header included, where all viewers share them.
 */

#define NGX_HTTP_VIDCAST_WS_BURST    1048576  /* bytes of commands */
#define NGX_HTTP_VIDCAST_WS_RATE     64       /* a millisecond */
#define NGX_HTTP_VIDCAST_WS_COMMAND  64       /* bytes that each one counts */


typedef struct {
    ngx_http_vidcast_connection_t     wc;

    size_t                        sent;       /* of the first of those */
    ngx_uint_t                    nleaving;
    ngx_http_vidcast_message_t   *reply;      /* to a command, comes next */
    unsigned                      v1:1;

    ngx_http_vidcast_viewer_t     viewer;

    ngx_http_vidcast_message_t   *leaving[NGX_HTTP_VIDCAST_COALESCE];

    size_t                        commanded;    /* bytes, not paid off yet */
    ngx_msec_t                    reckoned;     /* when they were, at last */

    ngx_http_vidcast_feed_t     **feeds;        /* which may be subscribed to */
    ngx_uint_t                    nfeeds;
    uint64_t                      min_interval; /* us, of the location */
} ngx_http_vidcast_ws_t;


static ngx_int_t ngx_http_vidcast_ws_open(ngx_http_request_t *r,
    ngx_http_vidcast_ws_t *ws, ngx_http_vidcast_params_t *params);
static ngx_int_t ngx_http_vidcast_ws_send(ngx_http_vidcast_viewer_t *viewer,
    ngx_http_vidcast_message_t *message);
static ngx_int_t ngx_http_vidcast_ws_coalesce(ngx_http_vidcast_viewer_t *viewer,
    ngx_http_vidcast_message_t **messages, ngx_uint_t n);
static ngx_int_t ngx_http_vidcast_ws_ping(ngx_http_vidcast_viewer_t *viewer);
static void ngx_http_vidcast_ws_drain(ngx_http_vidcast_viewer_t *viewer);
static ngx_int_t ngx_http_vidcast_ws_flush(ngx_http_vidcast_connection_t *wc);
static ngx_int_t ngx_http_vidcast_ws_write(ngx_http_vidcast_ws_t *ws);
static ngx_int_t ngx_http_vidcast_ws_write_file(ngx_http_vidcast_ws_t *ws,
    u_char *data, size_t size);
static ngx_int_t ngx_http_vidcast_ws_write_several(ngx_http_vidcast_ws_t *ws);
static void ngx_http_vidcast_ws_drop(ngx_http_vidcast_ws_t *ws,
    ngx_uint_t from, ngx_uint_t to);
static void ngx_http_vidcast_ws_ready(ngx_http_vidcast_connection_t *wc);
static void ngx_http_vidcast_ws_leave(ngx_http_vidcast_connection_t *wc);
static ngx_int_t ngx_http_vidcast_ws_message(ngx_http_vidcast_connection_t *wc,
    ngx_uint_t opcode, u_char *data, size_t size);
static ngx_uint_t ngx_http_vidcast_ws_allowed(ngx_http_vidcast_ws_t *ws,
    size_t size, ngx_uint_t ack);
static const char *ngx_http_vidcast_ws_command(ngx_http_vidcast_ws_t *ws,
    ngx_vidcast_command_t *command);
static const char *ngx_http_vidcast_ws_subscribe(ngx_http_vidcast_ws_t *ws,
    ngx_str_t *name, ngx_uint_t subscribe);
static ngx_int_t ngx_http_vidcast_ws_refuse(ngx_http_vidcast_ws_t *ws,
    const char *reason);

#define ngx_http_vidcast_ws_of(v)                                             \
    (ngx_http_vidcast_ws_t *)                                                 \
        ((u_char *) (v) - offsetof(ngx_http_vidcast_ws_t, viewer))


static ngx_http_vidcast_transport_t  ngx_http_vidcast_ws_transport = {
    NGX_VIDCAST_WEBSOCKET,
    1,
    ngx_http_vidcast_ws_send,
    ngx_http_vidcast_ws_ping,
    ngx_http_vidcast_ws_drain,
    ngx_http_vidcast_ws_coalesce
};


static ngx_http_vidcast_wc_user_t  ngx_http_vidcast_ws_user = {
    ngx_http_vidcast_ws_message,
    NULL,
    NULL,
    ngx_http_vidcast_ws_flush,
    ngx_http_vidcast_ws_ready,
    ngx_http_vidcast_ws_leave
};


ngx_int_t
ngx_http_vidcast_ws_handler(ngx_http_request_t *r,
    ngx_http_vidcast_params_t *params)
{
    ngx_int_t               rc;
    ngx_http_vidcast_ws_t  *ws;

    rc = ngx_http_vidcast_handshake_check(r, &params->headers);

    if (rc == NGX_HTTP_VIDCAST_UPGRADE_REQUIRED) {
        return ngx_http_vidcast_usage_answer(r, &params->headers);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    ws = ngx_pcalloc(r->pool, sizeof(ngx_http_vidcast_ws_t)
                              + params->nfeeds
                                * sizeof(ngx_http_vidcast_feed_t *));
    if (ws == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ws->wc.user = &ngx_http_vidcast_ws_user;

    ws->wc.session = &ws->viewer.session;
    ws->wc.turn.waits = &params->feeds[0]->stats->waits;

    ws->viewer.session.request = r;
    ws->viewer.transport = &ngx_http_vidcast_ws_transport;

    ws->min_interval = params->min_interval;
    ws->feeds = (ngx_http_vidcast_feed_t **) (ws + 1);
    ws->nfeeds = params->nfeeds;
    ngx_memcpy(ws->feeds, params->feeds,
               params->nfeeds * sizeof(ngx_http_vidcast_feed_t *));

    rc = ngx_http_vidcast_params_join(params, &ws->viewer);

    if (rc == NGX_OK) {
        rc = ngx_http_vidcast_ws_open(r, ws, params);
    }

    if (rc != NGX_OK) {
        ngx_http_vidcast_session_leave(&ws->viewer.session);
        return rc;
    }

    ngx_http_vidcast_viewer_wake(&ws->viewer);

    r->main->count++;

    return NGX_DONE;
}


static ngx_int_t
ngx_http_vidcast_ws_open(ngx_http_request_t *r, ngx_http_vidcast_ws_t *ws,
    ngx_http_vidcast_params_t *params)
{
    ngx_str_t                     protocol;
    ngx_http_vidcast_loc_conf_t  *vlcf;

    vlcf = ngx_http_get_module_loc_conf(r, ngx_http_vidcast_module);

    ngx_str_null(&protocol);

    if (params->headers.vidcast_v1) {
        ws->v1 = 1;
        ngx_str_set(&protocol, "vidcast.v1");
    }

    return ngx_http_vidcast_connection_open(r, &params->headers, &ws->wc,
                                            &protocol, vlcf->deflate);
}


static ngx_int_t
ngx_http_vidcast_ws_send(ngx_http_vidcast_viewer_t *viewer,
    ngx_http_vidcast_message_t *message)
{
    return ngx_http_vidcast_ws_coalesce(viewer, &message, 1);
}


static ngx_int_t
ngx_http_vidcast_ws_coalesce(ngx_http_vidcast_viewer_t *viewer,
    ngx_http_vidcast_message_t **messages, ngx_uint_t n)
{
    ngx_uint_t              i;
    ngx_http_vidcast_ws_t  *ws;

    ws = ngx_http_vidcast_ws_of(viewer);

    for (i = 0; i < n; i++) {
        messages[i]->refs++;
        ws->leaving[i] = messages[i];
    }

    ws->nleaving = n;
    ws->sent = 0;

    return ngx_http_vidcast_connection_flush(&ws->wc);
}


static ngx_int_t
ngx_http_vidcast_ws_ping(ngx_http_vidcast_viewer_t *viewer)
{
    ngx_http_vidcast_ws_t  *ws;

    ws = ngx_http_vidcast_ws_of(viewer);

    return ngx_http_vidcast_connection_ping(&ws->wc);
}


static void
ngx_http_vidcast_ws_drain(ngx_http_vidcast_viewer_t *viewer)
{
    ngx_http_vidcast_ws_t  *ws;

    ws = ngx_http_vidcast_ws_of(viewer);

    (void) ngx_http_vidcast_connection_close(&ws->wc,
                                             NGX_VIDCAST_WS_CLOSE_AWAY, "");
}


static ngx_int_t
ngx_http_vidcast_ws_flush(ngx_http_vidcast_connection_t *wc)
{
    ngx_int_t               rc;
    ngx_http_vidcast_ws_t  *ws;

    ws = (ngx_http_vidcast_ws_t *) wc;

    for ( ;; ) {

        if (ws->nleaving == 0) {

            if (ws->reply == NULL) {
                return NGX_OK;
            }

            ws->leaving[0] = ws->reply;
            ws->nleaving = 1;
            ws->sent = 0;
            ws->reply = NULL;
        }

        rc = (ws->nleaving == 1
              || wc->connection->send_chain != ngx_send_chain)
                 ? ngx_http_vidcast_ws_write(ws)
                 : ngx_http_vidcast_ws_write_several(ws);

        if (rc != NGX_OK) {

            /* a reply was not the feed's: it must not send meanwhile */

            ws->viewer.session.busy = (rc == NGX_AGAIN);

            return rc;
        }
    }
}


/* the first one */

static ngx_int_t
ngx_http_vidcast_ws_write(ngx_http_vidcast_ws_t *ws)
{
    u_char                      *data;
    size_t                       size;
    ngx_int_t                    rc;
    ngx_http_vidcast_message_t  *message;

    message = ws->leaving[0];

    ngx_http_vidcast_message_bytes(message, ws->v1, ws->wc.bits, &data,
                                   &size);

    rc = (ws->viewer.sendfile && message->pinned && message->frame.sendfile)
             ? ngx_http_vidcast_ws_write_file(ws, data, size)
             : ngx_http_vidcast_connection_write(&ws->wc, data, size,
                                                 &ws->sent);

    if (rc == NGX_OK) {
        ngx_http_vidcast_ws_drop(ws, 0, 1);
        ws->sent = 0;
    }

    return rc;
}


/*
 * By sendfile() from the ring's memfd.  A picture that has been copied
 * meanwhile, for slow viewers, goes on from the copy.
 */

static ngx_int_t
ngx_http_vidcast_ws_write_file(ngx_http_vidcast_ws_t *ws, u_char *data,
    size_t size)
{
    off_t                     pos;
    ngx_buf_t                 buf;
    ngx_chain_t               chain;
    ngx_http_vidcast_feed_t  *feed;

    feed = ws->leaving[0]->feed;
    pos = data - feed->zone->ring.frames;

    ngx_memzero(&buf, sizeof(ngx_buf_t));

    buf.in_file = 1;
    buf.file = &feed->file;
    buf.file_pos = pos + ws->sent;
    buf.file_last = pos + size;

    chain.buf = &buf;
    chain.next = NULL;

    return ngx_http_vidcast_connection_write_chain(&ws->wc, &chain, &ws->sent);
}


/* all that are leaving by one system call, which is what a message costs */

static ngx_int_t
ngx_http_vidcast_ws_write_several(ngx_http_vidcast_ws_t *ws)
{
    size_t       size, sizes[NGX_HTTP_VIDCAST_COALESCE];
    u_char      *data;
    ngx_buf_t    bufs[NGX_HTTP_VIDCAST_COALESCE];
    ngx_int_t    rc;
    ngx_uint_t   i;
    ngx_chain_t  chain[NGX_HTTP_VIDCAST_COALESCE];

    ngx_memzero(bufs, ws->nleaving * sizeof(ngx_buf_t));

    for (i = 0; i < ws->nleaving; i++) {
        ngx_http_vidcast_message_bytes(ws->leaving[i], ws->v1,
                                       ws->wc.bits, &data, &size);

        bufs[i].memory = 1;
        bufs[i].pos = data;
        bufs[i].last = data + size;

        chain[i].buf = &bufs[i];
        chain[i].next = (i + 1 < ws->nleaving) ? &chain[i + 1] : NULL;

        sizes[i] = size;
    }

    bufs[0].pos += ws->sent;

    rc = ngx_http_vidcast_connection_write_chain(&ws->wc, chain, &ws->sent);

    for (i = 0; i < ws->nleaving && ws->sent >= sizes[i]; i++) {
        ws->sent -= sizes[i];
    }

    ngx_http_vidcast_ws_drop(ws, 0, i);

    return rc;
}


/* gives up those of "leaving" from one up to another */

static void
ngx_http_vidcast_ws_drop(ngx_http_vidcast_ws_t *ws, ngx_uint_t from,
    ngx_uint_t to)
{
    ngx_uint_t  i;

    for (i = from; i < to; i++) {
        ngx_http_vidcast_message_unref(ws->leaving[i]);
    }

    for (i = to; i < ws->nleaving; i++) {
        ws->leaving[from + i - to] = ws->leaving[i];
    }

    ws->nleaving -= to - from;
}


static void
ngx_http_vidcast_ws_ready(ngx_http_vidcast_connection_t *wc)
{
    ngx_http_vidcast_ws_t  *ws;

    ws = (ngx_http_vidcast_ws_t *) wc;

    ngx_http_vidcast_queue_ready(&ws->viewer);
}


/* a message that has been begun is kept till it has left, or nothing can */

static void
ngx_http_vidcast_ws_leave(ngx_http_vidcast_connection_t *wc)
{
    ngx_uint_t              begun;
    ngx_http_vidcast_ws_t  *ws;

    ws = (ngx_http_vidcast_ws_t *) wc;

    begun = ws->nleaving
            && !wc->gone
            && ngx_http_vidcast_connection_begun(wc, ws->sent);

    ngx_http_vidcast_ws_drop(ws, begun, ws->nleaving);

    if (ws->reply) {
        ngx_http_vidcast_message_unref(ws->reply);
        ws->reply = NULL;
    }
}


static ngx_int_t
ngx_http_vidcast_ws_message(ngx_http_vidcast_connection_t *wc,
    ngx_uint_t opcode, u_char *data, size_t size)
{
    ngx_int_t               rc;
    const char             *reason;
    ngx_http_vidcast_ws_t  *ws;
    ngx_vidcast_command_t   command;

    ws = (ngx_http_vidcast_ws_t *) wc;

    if (opcode == NGX_VIDCAST_WS_BINARY) {
        return ngx_http_vidcast_connection_close(wc, NGX_VIDCAST_WS_CLOSE_TYPE,
                                               "only text is understood here");
    }

    ws->feeds[0]->stats->commands++;

    rc = ngx_vidcast_command_parse(data, size, &command, &reason);

    if (!ngx_http_vidcast_ws_allowed(ws, size,
                                     rc == NGX_OK && command.type
                                                == NGX_VIDCAST_COMMAND_ACK))
    {
        ngx_log_error(NGX_LOG_INFO, wc->connection->log, 0,
                      "viewer sent too many commands");

        ws->feeds[0]->stats->talkative++;

        return ngx_http_vidcast_connection_close(wc,
                                                 NGX_VIDCAST_WS_CLOSE_POLICY,
                                                 "too many commands");
    }

    if (rc == NGX_OK) {
        reason = ngx_http_vidcast_ws_command(ws, &command);
    }

    if (reason && ngx_http_vidcast_ws_refuse(ws, reason) != NGX_OK) {
        return ngx_http_vidcast_connection_close(wc,
                                                 NGX_VIDCAST_WS_CLOSE_INTERNAL,
                                                 "no memory");
    }

    /* there may be something to send now: not from within reading */

    ngx_post_event(wc->connection->write, &ngx_posted_events);

    return NGX_OK;
}


/*
 * A command costs what it takes to inflate and parse it, which goes by its
 * size.  An acknowledgement is free, as the next picture waits for it, unless
 * it is blown up.
 */

static ngx_uint_t
ngx_http_vidcast_ws_allowed(ngx_http_vidcast_ws_t *ws, size_t size,
    ngx_uint_t ack)
{
    ngx_msec_t  paid;

    if (ack && size <= NGX_HTTP_VIDCAST_WS_COMMAND) {
        return 1;
    }

    paid = (ngx_current_msec - ws->reckoned) * NGX_HTTP_VIDCAST_WS_RATE;

    ws->commanded -= ngx_min(ws->commanded, paid);
    ws->commanded += ngx_max(size, NGX_HTTP_VIDCAST_WS_COMMAND);
    ws->reckoned = ngx_current_msec;

    return ws->commanded <= NGX_HTTP_VIDCAST_WS_BURST;
}


/* NULL, or why it was not done */

static const char *
ngx_http_vidcast_ws_command(ngx_http_vidcast_ws_t *ws,
    ngx_vidcast_command_t *command)
{
    switch (command->type) {

    case NGX_VIDCAST_COMMAND_FPS:
        ws->viewer.interval = ngx_max(command->interval, ws->min_interval);
        return NULL;

    case NGX_VIDCAST_COMMAND_PAUSE:
        ws->viewer.paused = 1;
        return NULL;

    case NGX_VIDCAST_COMMAND_RESUME:
        ws->viewer.paused = 0;
        return NULL;

    case NGX_VIDCAST_COMMAND_ACK:
        ws->viewer.acks = 1;
        ws->viewer.unacked = 0;
        return NULL;

    case NGX_VIDCAST_COMMAND_SUBSCRIBE:
        return ngx_http_vidcast_ws_subscribe(ws, &command->source, 1);

    default: /* NGX_VIDCAST_COMMAND_UNSUBSCRIBE */
        return ngx_http_vidcast_ws_subscribe(ws, &command->source, 0);
    }
}


static const char *
ngx_http_vidcast_ws_subscribe(ngx_http_vidcast_ws_t *ws, ngx_str_t *name,
    ngx_uint_t subscribe)
{
    ngx_uint_t                i;
    ngx_http_vidcast_feed_t  *feed;

    feed = ngx_http_vidcast_feed_find(ws->feeds[0]->vmcf, name);

    for (i = 0; i < ws->nfeeds; i++) {

        if (ws->feeds[i] != feed) {
            continue;
        }

        if (!subscribe) {
            ngx_http_vidcast_viewer_unsubscribe(feed, &ws->viewer);
            return NULL;
        }

        if (ngx_http_vidcast_viewer_subscribe(feed, &ws->viewer, NULL)
            != NGX_OK)
        {
            return "the source cannot be watched now";
        }

        ngx_http_vidcast_feed_wake_on_demand(feed);

        return NULL;
    }

    return "no such source here";
}


/* one answer waits at most: a viewer need not be told of each fault */

static ngx_int_t
ngx_http_vidcast_ws_refuse(ngx_http_vidcast_ws_t *ws, const char *reason)
{
    if (ws->reply) {
        return NGX_OK;
    }

    ws->reply = ngx_http_vidcast_message_error(ws->feeds[0], reason);

    return ws->reply ? NGX_OK : NGX_ERROR;
}
