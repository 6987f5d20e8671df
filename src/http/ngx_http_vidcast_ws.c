
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "ngx_http_vidcast_handshake.h"
#include "ngx_http_vidcast_hub.h"
#include "ngx_vidcast_ws.h"


#define NGX_HTTP_VIDCAST_INPUT_TURNS  4       /* then others have a turn */
#define NGX_HTTP_VIDCAST_CLOSE_WAIT   2000    /* ms for the peer's close */


/*
 * A WebSocket viewer writes to its connection by itself: messages lie ready,
 * header included, where all viewers share them.
 */

typedef struct {
    ngx_http_vidcast_viewer_t    viewer;

    ngx_http_vidcast_message_t  *message;      /* leaving */
    size_t                       sent;         /* of it */

    size_t                       ncontrol;     /* a control frame to send */
    size_t                       control_sent;
    u_char                       control[4 + NGX_VIDCAST_WS_MAX_CONTROL];

    ngx_msec_t                   ping;
    ngx_msec_t                   ping_timeout;
    ngx_msec_t                   heard;        /* when bytes last came */
    ngx_msec_t                   pinged;       /* when the ping left */

    unsigned                     v1:1;
    unsigned                     pinging:1;    /* no answer to it yet */
    unsigned                     closing:1;    /* our close frame is made */
    unsigned                     closed:1;     /* the peer's has come */

    ngx_vidcast_ws_reader_t      reader;
} ngx_http_vidcast_ws_t;


static ngx_int_t ngx_http_vidcast_ws_start(ngx_http_request_t *r,
    ngx_http_vidcast_ws_t *ws);
static void ngx_http_vidcast_ws_cleanup(void *data);
static void ngx_http_vidcast_ws_read_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_vidcast_ws_input(ngx_http_vidcast_ws_t *ws,
    u_char *pos, u_char *last);
static ngx_int_t ngx_http_vidcast_ws_event(ngx_http_vidcast_ws_t *ws,
    ngx_vidcast_ws_event_t *event);
static ngx_int_t ngx_http_vidcast_ws_pong(ngx_http_vidcast_ws_t *ws,
    ngx_vidcast_ws_event_t *event);
static void ngx_http_vidcast_ws_write_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_vidcast_ws_send(ngx_http_vidcast_viewer_t *viewer,
    ngx_http_vidcast_message_t *message);
static ngx_int_t ngx_http_vidcast_ws_flush(ngx_http_vidcast_ws_t *ws);
static ngx_int_t ngx_http_vidcast_ws_flush_answer(ngx_http_vidcast_ws_t *ws);
static ngx_int_t ngx_http_vidcast_ws_flush_message(ngx_http_vidcast_ws_t *ws);
static ngx_int_t ngx_http_vidcast_ws_write(ngx_http_vidcast_ws_t *ws,
    u_char *data, size_t size, size_t *sent);
static ngx_int_t ngx_http_vidcast_ws_idle(ngx_http_vidcast_viewer_t *viewer);
static void ngx_http_vidcast_ws_stop(ngx_http_vidcast_viewer_t *viewer);
static ngx_int_t ngx_http_vidcast_ws_close(ngx_http_vidcast_ws_t *ws,
    ngx_uint_t code, const char *reason);
static ngx_int_t ngx_http_vidcast_ws_finish(ngx_http_vidcast_ws_t *ws);


static ngx_http_vidcast_transport_t  ngx_http_vidcast_ws_transport = {
    NGX_VIDCAST_WEBSOCKET,
    1,
    ngx_http_vidcast_ws_send,
    ngx_http_vidcast_ws_idle,
    ngx_http_vidcast_ws_stop
};


static ngx_str_t  ngx_http_vidcast_ws_v1 = ngx_string("vidcast.v1");


ngx_int_t
ngx_http_vidcast_ws_handler(ngx_http_request_t *r, ngx_http_vidcast_hub_t *hub)
{
    ngx_int_t                     rc;
    ngx_http_vidcast_ws_t        *ws;
    ngx_http_vidcast_loc_conf_t  *vlcf;

    vlcf = ngx_http_get_module_loc_conf(r, ngx_http_vidcast_module);

    rc = ngx_http_vidcast_handshake_check(r);

    if (rc != NGX_OK) {
        return rc;
    }

    ws = ngx_pcalloc(r->pool, sizeof(ngx_http_vidcast_ws_t));
    if (ws == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ws->viewer.request = r;
    ws->viewer.transport = &ngx_http_vidcast_ws_transport;
    ws->viewer.results = (vlcf->send & NGX_HTTP_VIDCAST_RESULTS) ? 1 : 0;
    ws->viewer.frames = (vlcf->send & NGX_HTTP_VIDCAST_FRAMES) ? 1 : 0;
    ws->viewer.interval = vlcf->fps ? 1000000 / vlcf->fps : 0;
    ws->viewer.backlog = vlcf->backlog;
    ws->viewer.stall_timeout = vlcf->stall_timeout;

    ws->ping = vlcf->ping;
    ws->ping_timeout = vlcf->ping_timeout;
    ws->heard = ngx_current_msec;

    ngx_vidcast_ws_reader_init(&ws->reader, vlcf->max_message);

    rc = ngx_http_vidcast_hub_join(hub, &ws->viewer);

    if (rc != NGX_OK) {
        return (rc == NGX_BUSY) ? NGX_HTTP_SERVICE_UNAVAILABLE
                                : NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_vidcast_ws_start(r, ws);

    if (rc != NGX_OK) {
        ngx_http_vidcast_hub_leave(&ws->viewer);
        return rc;
    }

    r->main->count++;

    return NGX_DONE;
}


/*
 * What the client has sent already, and what there is for it, waits for
 * events: nothing here may finalize the request before the handler returned.
 */

static ngx_int_t
ngx_http_vidcast_ws_start(ngx_http_request_t *r, ngx_http_vidcast_ws_t *ws)
{
    ngx_int_t            rc;
    ngx_str_t            protocol;
    ngx_connection_t    *c;
    ngx_http_cleanup_t  *cln;

    c = r->connection;

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = ngx_http_vidcast_ws_cleanup;
    cln->data = ws;

    ngx_str_null(&protocol);

    if (ngx_http_vidcast_handshake_offers(r, &ngx_http_vidcast_ws_v1)
        == NGX_OK)
    {
        ws->v1 = 1;
        protocol = ngx_http_vidcast_ws_v1;
    }

    rc = ngx_http_vidcast_handshake_answer(r, &protocol);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_tcp_nodelay(c) != NGX_OK) {
        return NGX_ERROR;
    }

#if (NGX_SSL)

    /* a frame on its way may move from the ring to a copy */

    if (c->ssl) {
        SSL_set_mode(c->ssl->connection, SSL_MODE_ENABLE_PARTIAL_WRITE
                                         |SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    }

#endif

    c->log->action = "sending video to client";

    ngx_http_set_ctx(r, ws, ngx_http_vidcast_module);

    r->read_event_handler = ngx_http_vidcast_ws_read_handler;
    r->write_event_handler = ngx_http_vidcast_ws_write_handler;

    ngx_post_event(c->read, &ngx_posted_events);
    ngx_post_event(c->write, &ngx_posted_events);

    return NGX_OK;
}


static void
ngx_http_vidcast_ws_cleanup(void *data)
{
    ngx_http_vidcast_ws_t  *ws = data;

    if (ws->message) {
        ngx_http_vidcast_message_unref(ws->message);
        ws->message = NULL;
    }
}


static void
ngx_http_vidcast_ws_read_handler(ngx_http_request_t *r)
{
    ssize_t                        n;
    ngx_uint_t                     turn;
    ngx_event_t                   *rev;
    ngx_connection_t              *c;
    ngx_http_vidcast_ws_t         *ws;
    ngx_http_vidcast_main_conf_t  *vmcf;

    c = r->connection;
    rev = c->read;

    ws = ngx_http_get_module_ctx(r, ngx_http_vidcast_module);
    vmcf = ngx_http_get_module_main_conf(r, ngx_http_vidcast_module);

    if (rev->timedout) {
        ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT,
                      "viewer did not close its websocket");
        ngx_http_vidcast_hub_finalize(&ws->viewer, NGX_ERROR);
        return;
    }

    if (r->header_in->pos < r->header_in->last) {

        /* came with the handshake */

        n = r->header_in->last - r->header_in->pos;
        r->header_in->pos = r->header_in->last;

        if (ngx_http_vidcast_ws_input(ws, r->header_in->last - n,
                                      r->header_in->last)
            != NGX_OK)
        {
            return;
        }
    }

    for (turn = 0; turn < NGX_HTTP_VIDCAST_INPUT_TURNS; turn++) {

        n = c->recv(c, vmcf->input, NGX_HTTP_VIDCAST_INPUT);

        if (n == NGX_AGAIN) {

            if (ngx_handle_read_event(rev, 0) != NGX_OK) {
                ngx_http_vidcast_hub_finalize(&ws->viewer, NGX_ERROR);
            }

            return;
        }

        if (n == 0 || n == NGX_ERROR) {
            ngx_http_vidcast_hub_finalize(&ws->viewer,
                                          NGX_HTTP_CLIENT_CLOSED_REQUEST);
            return;
        }

        if (ngx_http_vidcast_ws_input(ws, vmcf->input, vmcf->input + n)
            != NGX_OK)
        {
            return;
        }
    }

    ngx_post_event(rev, &ngx_posted_next_events);
}


/* NGX_OK; NGX_DONE: the request is gone */

static ngx_int_t
ngx_http_vidcast_ws_input(ngx_http_vidcast_ws_t *ws, u_char *pos, u_char *last)
{
    ngx_int_t               rc;
    ngx_vidcast_ws_event_t  event;

    ws->heard = ngx_current_msec;

    for ( ;; ) {

        if (ws->closed) {
            return NGX_OK;
        }

        rc = ngx_vidcast_ws_read(&ws->reader, &pos, last, &event);

        if (rc == NGX_AGAIN) {
            return NGX_OK;
        }

        if (rc == NGX_ERROR) {
            ngx_log_error(NGX_LOG_INFO, ws->viewer.request->connection->log, 0,
                          "viewer sent invalid websocket data, close code %ui",
                          ws->reader.code);

            /* whatever follows could not be understood */

            ws->closed = 1;

            return ngx_http_vidcast_ws_close(ws, ws->reader.code, "");
        }

        if (ngx_http_vidcast_ws_event(ws, &event) != NGX_OK) {
            return NGX_DONE;
        }
    }
}


static ngx_int_t
ngx_http_vidcast_ws_event(ngx_http_vidcast_ws_t *ws,
    ngx_vidcast_ws_event_t *event)
{
    switch (event->opcode) {

    case NGX_VIDCAST_WS_PING:
        return ngx_http_vidcast_ws_pong(ws, event);

    case NGX_VIDCAST_WS_PONG:
        ws->pinging = 0;
        return NGX_OK;

    case NGX_VIDCAST_WS_CLOSE:
        ws->closed = 1;
        return ngx_http_vidcast_ws_close(ws, event->code, "");

    case NGX_VIDCAST_WS_BINARY:
        return ngx_http_vidcast_ws_close(ws, NGX_VIDCAST_WS_CLOSE_TYPE,
                                         "only text is understood here");

    default: /* NGX_VIDCAST_WS_TEXT */
        return NGX_OK;
    }
}


/* of several pings the newest one is answered, RFC 6455, 5.5.3 */

static ngx_int_t
ngx_http_vidcast_ws_pong(ngx_http_vidcast_ws_t *ws,
    ngx_vidcast_ws_event_t *event)
{
    u_char  *p;

    if (ws->closing || ws->control_sent) {
        return NGX_OK;
    }

    /* who asks lives, and a ping of ours may be what is overwritten here */

    ws->pinging = 0;

    p = ngx_vidcast_ws_header(ws->control, NGX_VIDCAST_WS_PONG, event->size);
    p = ngx_cpymem(p, event->data, event->size);

    ws->ncontrol = p - ws->control;

    return ngx_http_vidcast_ws_finish(ws);
}


static void
ngx_http_vidcast_ws_write_handler(ngx_http_request_t *r)
{
    ngx_http_vidcast_ws_t  *ws;

    ws = ngx_http_get_module_ctx(r, ngx_http_vidcast_module);

    if (ngx_http_vidcast_ws_finish(ws) != NGX_OK || ws->viewer.busy) {
        return;
    }

    ngx_http_vidcast_hub_ready(&ws->viewer);
}


static ngx_int_t
ngx_http_vidcast_ws_send(ngx_http_vidcast_viewer_t *viewer,
    ngx_http_vidcast_message_t *message)
{
    ngx_http_vidcast_ws_t  *ws;

    ws = (ngx_http_vidcast_ws_t *) viewer;

    message->refs++;
    ws->message = message;
    ws->sent = 0;

    return ngx_http_vidcast_ws_flush(ws);
}


/*
 * Writes what has been begun, then the control frame.  NGX_OK: all has left;
 * NGX_AGAIN, the viewer is busy; NGX_ERROR.
 */

static ngx_int_t
ngx_http_vidcast_ws_flush(ngx_http_vidcast_ws_t *ws)
{
    ngx_int_t  rc;

    rc = ngx_http_vidcast_ws_flush_answer(ws);

    if (rc == NGX_OK && ws->message && ws->control_sent == 0) {
        rc = ngx_http_vidcast_ws_flush_message(ws);
    }

    if (rc == NGX_OK && ws->ncontrol) {
        rc = ngx_http_vidcast_ws_write(ws, ws->control, ws->ncontrol,
                                       &ws->control_sent);
        if (rc == NGX_OK) {
            ws->ncontrol = 0;
            ws->control_sent = 0;
            ws->pinged = ngx_current_msec;
        }
    }

    ws->viewer.busy = (rc == NGX_AGAIN);

    return rc;
}


/* what the output filters still have of the handshake: nothing may pass it */

static ngx_int_t
ngx_http_vidcast_ws_flush_answer(ngx_http_vidcast_ws_t *ws)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = ws->viewer.request;
    c = r->connection;

    if (!r->buffered && !c->buffered) {
        return NGX_OK;
    }

    if (ngx_http_output_filter(r, NULL) == NGX_ERROR || c->error) {
        return NGX_ERROR;
    }

    if (!r->buffered && !c->buffered) {
        return NGX_OK;
    }

    if (!c->write->delayed && ngx_handle_write_event(c->write, 0) != NGX_OK) {
        return NGX_ERROR;
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_vidcast_ws_flush_message(ngx_http_vidcast_ws_t *ws)
{
    size_t                       header;
    ngx_int_t                    rc;
    ngx_http_vidcast_message_t  *message;

    message = ws->message;

    if (message->seq) {
        header = message->header;

    } else {
        header = ws->v1 ? message->frame.v1 : message->frame.plain;
    }

    rc = ngx_http_vidcast_ws_write(ws, message->data - header,
                                   header + message->size, &ws->sent);

    if (rc == NGX_OK) {
        ws->message = NULL;
        ngx_http_vidcast_message_unref(message);
    }

    return rc;
}


static ngx_int_t
ngx_http_vidcast_ws_write(ngx_http_vidcast_ws_t *ws, u_char *data, size_t size,
    size_t *sent)
{
    ssize_t            n;
    ngx_connection_t  *c;

    c = ws->viewer.request->connection;

    while (*sent < size) {

        if (!c->write->ready) {
            return ngx_handle_write_event(c->write, 0) == NGX_OK ? NGX_AGAIN
                                                                 : NGX_ERROR;
        }

        n = c->send(c, data + *sent, size - *sent);

        if (n > 0) {
            *sent += n;
            continue;
        }

        if (n != NGX_AGAIN) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_vidcast_ws_idle(ngx_http_vidcast_viewer_t *viewer)
{
    u_char                 *p;
    ngx_msec_t              now;
    ngx_http_vidcast_ws_t  *ws;

    ws = (ngx_http_vidcast_ws_t *) viewer;
    now = ngx_current_msec;

    if (ws->ping == 0 || ws->ncontrol) {
        return NGX_OK;
    }

    if (ws->pinging) {

        if ((ngx_msec_int_t) (ws->heard - ws->pinged) > 0) {
            ws->pinging = 0;
            return NGX_OK;
        }

        if (now - ws->pinged < ws->ping_timeout) {
            return NGX_OK;
        }

        ngx_log_error(NGX_LOG_INFO, viewer->request->connection->log,
                      NGX_ETIMEDOUT, "viewer did not answer a ping");

        return NGX_ERROR;
    }

    if (now - ws->heard < ws->ping) {
        return NGX_OK;
    }

    p = ngx_vidcast_ws_header(ws->control, NGX_VIDCAST_WS_PING, 0);

    ws->ncontrol = p - ws->control;
    ws->pinged = now;
    ws->pinging = 1;

    if (viewer->busy) {
        return NGX_OK;
    }

    return ngx_http_vidcast_ws_flush(ws) == NGX_ERROR ? NGX_ERROR : NGX_OK;
}


static void
ngx_http_vidcast_ws_stop(ngx_http_vidcast_viewer_t *viewer)
{
    (void) ngx_http_vidcast_ws_close((ngx_http_vidcast_ws_t *) viewer,
                                     NGX_VIDCAST_WS_CLOSE_AWAY, "");
}


/*
 * Makes the close frame the last thing that leaves, and gives the peer some
 * time for its own.  NGX_OK; NGX_DONE: the request is gone.
 */

static ngx_int_t
ngx_http_vidcast_ws_close(ngx_http_vidcast_ws_t *ws, ngx_uint_t code,
    const char *reason)
{
    u_char            *p;
    ngx_connection_t  *c;

    c = ws->viewer.request->connection;

    ngx_http_vidcast_hub_leave(&ws->viewer);

    if (ws->closing) {
        return ngx_http_vidcast_ws_finish(ws);
    }

    ws->closing = 1;

    if (ws->control_sent == 0) {
        p = ngx_vidcast_ws_close(ws->control, code, reason);
        ws->ncontrol = p - ws->control;

    } else {

        /* half a ping or pong has left: no frame can follow it any more */

        ws->closed = 1;
    }

    ngx_add_timer(c->read, NGX_HTTP_VIDCAST_CLOSE_WAIT);

    return ngx_http_vidcast_ws_finish(ws);
}


/* NGX_OK: goes on, now or at the next event; NGX_DONE: the request is gone */

static ngx_int_t
ngx_http_vidcast_ws_finish(ngx_http_vidcast_ws_t *ws)
{
    ngx_int_t  rc;

    rc = ngx_http_vidcast_ws_flush(ws);

    if (rc == NGX_ERROR) {
        ngx_http_vidcast_hub_finalize(&ws->viewer, NGX_ERROR);
        return NGX_DONE;
    }

    if (rc == NGX_OK && ws->closing && ws->closed) {

        if (ws->viewer.request->connection->read->timer_set) {
            ngx_del_timer(ws->viewer.request->connection->read);
        }

        ngx_http_vidcast_hub_finalize(&ws->viewer, NGX_OK);
        return NGX_DONE;
    }

    return NGX_OK;
}
