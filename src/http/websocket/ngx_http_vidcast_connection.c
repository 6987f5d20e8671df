
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "http/websocket/ngx_http_vidcast_connection.h"
#include "http/delivery/ngx_http_vidcast_peer.h"
#include "http/websocket/ngx_http_vidcast_handshake.h"


/*
 * In this order: the connection is opened; what comes is read, as frames, and
 * put together; control frames are made, and the closing handshake; all of it
 * leaves; the end.
 */


#define NGX_HTTP_VIDCAST_WC_CHUNK  131072  /* read to the user's buffer */
#define NGX_HTTP_VIDCAST_WC_HEAD   512     /* else, to find out of it */
#define NGX_HTTP_VIDCAST_WC_CLOSE  2000    /* ms for the peer's close */


static void ngx_http_vidcast_connection_cleanup(void *data);
static void ngx_http_vidcast_connection_read_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_vidcast_connection_read(
    ngx_http_vidcast_connection_t *wc);
static u_char *ngx_http_vidcast_connection_buffer(
    ngx_http_vidcast_connection_t *wc, size_t *size);
static ngx_int_t ngx_http_vidcast_connection_pending(
    ngx_http_vidcast_connection_t *wc);
static ngx_int_t ngx_http_vidcast_connection_keep(
    ngx_http_vidcast_connection_t *wc, u_char *pos, u_char *last);
static ngx_int_t ngx_http_vidcast_connection_input(
    ngx_http_vidcast_connection_t *wc, u_char **pos, u_char *last);
static ngx_int_t ngx_http_vidcast_connection_event(
    ngx_http_vidcast_connection_t *wc, ngx_vidcast_ws_event_t *event);
static ngx_int_t ngx_http_vidcast_connection_data(
    ngx_http_vidcast_connection_t *wc, ngx_vidcast_ws_event_t *event);
static ngx_int_t ngx_http_vidcast_connection_message(
    ngx_http_vidcast_connection_t *wc, ngx_uint_t opcode, ngx_str_t *message);
static ngx_int_t ngx_http_vidcast_connection_pong(
    ngx_http_vidcast_connection_t *wc, ngx_vidcast_ws_event_t *event);
static ngx_int_t ngx_http_vidcast_connection_control(
    ngx_http_vidcast_connection_t *wc, u_char *frame, size_t size);
static ngx_int_t ngx_http_vidcast_connection_fail(
    ngx_http_vidcast_connection_t *wc, ngx_uint_t code);
static void ngx_http_vidcast_connection_write_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_vidcast_connection_finish(
    ngx_http_vidcast_connection_t *wc);
static ngx_int_t ngx_http_vidcast_connection_flush_answer(
    ngx_http_vidcast_connection_t *wc);


ngx_int_t
ngx_http_vidcast_connection_open(ngx_http_request_t *r,
    ngx_http_vidcast_headers_t *headers, ngx_http_vidcast_connection_t *wc,
    ngx_str_t *protocol, ngx_uint_t deflate)
{
    ngx_int_t                     rc;
    ngx_connection_t             *c;
    ngx_http_cleanup_t           *cln;
    ngx_http_vidcast_loc_conf_t  *vlcf;

    c = r->connection;

    vlcf = ngx_http_get_module_loc_conf(r, ngx_http_vidcast_module);

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = ngx_http_vidcast_connection_cleanup;
    cln->data = wc;

    wc->request = r;
    wc->connection = c;
    wc->ping = vlcf->ping;
    wc->ping_timeout = vlcf->ping_timeout;
    wc->heard = ngx_current_msec;
    wc->turn.read = c->read;

    ngx_vidcast_ws_reader_init(&wc->reader, vlcf->max_message);

    rc = ngx_http_vidcast_handshake_answer(r, headers, protocol,
                                           deflate ? &wc->bits : NULL);
    if (rc != NGX_OK) {
        return rc;
    }

    wc->deflate = (wc->bits != 0);
    wc->reader.deflate = wc->deflate;

    if (ngx_tcp_nodelay(c) != NGX_OK) {
        return NGX_ERROR;
    }

#if (NGX_SSL)

    /* what is on its way may move, from the ring to a copy */

    if (c->ssl) {
        SSL_set_mode(c->ssl->connection, SSL_MODE_ENABLE_PARTIAL_WRITE
                                         |SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    }

#endif

    c->log->action = "sending video to client";

    ngx_http_set_ctx(r, wc, ngx_http_vidcast_module);

    r->read_event_handler = ngx_http_vidcast_connection_read_handler;
    r->write_event_handler = ngx_http_vidcast_connection_write_handler;

    /* bytes may have come with the handshake, and there may be some to send */

    ngx_post_event(c->read, &ngx_posted_events);
    ngx_post_event(c->write, &ngx_posted_events);

    return NGX_OK;
}


static void
ngx_http_vidcast_connection_cleanup(void *data)
{
    ngx_http_vidcast_connection_t  *wc = data;

    ngx_http_vidcast_turn_leave(&wc->turn);
    ngx_http_vidcast_inbound_forget(&wc->inbound);

    if (wc->kept) {
        ngx_free(wc->kept);
        wc->kept = NULL;
    }

#if (NGX_SSL)

    if (wc->pending) {
        ngx_connection_t  *c;

        /* behind half a record TLS can say nothing, not even good-bye */

        c = wc->connection;

        c->ssl->no_wait_shutdown = 1;
        c->ssl->no_send_shutdown = 1;
    }

#endif

    wc->gone = 1;

    ngx_http_vidcast_session_leave(wc->session);
    wc->user->leave(wc);
}


static void
ngx_http_vidcast_connection_read_handler(ngx_http_request_t *r)
{
    ngx_int_t                       rc;
    ngx_connection_t               *c;
    ngx_http_vidcast_main_conf_t   *vmcf;
    ngx_http_vidcast_connection_t  *wc;

    c = r->connection;

    wc = ngx_http_get_module_ctx(r, ngx_http_vidcast_module);
    vmcf = ngx_http_get_module_main_conf(r, ngx_http_vidcast_module);

    if (c->read->timedout) {
        ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT,
                      "%s did not close its websocket",
                      wc->session->handlers->name);
        ngx_http_vidcast_connection_finalize(wc, NGX_ERROR);
        return;
    }

    if (ngx_http_vidcast_turn_begin(&vmcf->turns, &wc->turn) != NGX_OK) {
        return;
    }

    rc = ngx_http_vidcast_connection_read(wc);

    ngx_http_vidcast_turn_end(&vmcf->turns, rc == NGX_OK ? &wc->turn : NULL);
}


/* NGX_OK: all for now, or for this turn; NGX_DONE: the request is gone */

static ngx_int_t
ngx_http_vidcast_connection_read(ngx_http_vidcast_connection_t *wc)
{
    size_t                         size;
    u_char                        *pos, *last;
    ssize_t                        n;
    ngx_connection_t              *c;
    ngx_http_vidcast_main_conf_t  *vmcf;

    c = wc->connection;

    vmcf = ngx_http_get_module_main_conf(wc->request,
                                         ngx_http_vidcast_module);

    if (ngx_http_vidcast_connection_pending(wc) != NGX_OK) {
        return NGX_DONE;
    }

    while (!wc->holding && !wc->turn.over) {

        pos = ngx_http_vidcast_connection_buffer(wc, &size);

        n = c->recv(c, pos, size);

        if (n == NGX_AGAIN) {

            if (ngx_handle_read_event(c->read, 0) == NGX_OK) {
                return NGX_OK;
            }

            n = NGX_ERROR;
        }

        if (n == 0 || n == NGX_ERROR) {
            ngx_http_vidcast_connection_finalize(wc,
                                               NGX_HTTP_CLIENT_CLOSED_REQUEST);
            return NGX_DONE;
        }

        wc->heard = ngx_current_msec;
        last = pos + n;

        if (ngx_http_vidcast_connection_input(wc, &pos, last) != NGX_OK) {
            return NGX_DONE;
        }

        if (ngx_http_vidcast_connection_keep(wc, pos, last) != NGX_OK) {
            ngx_http_vidcast_connection_finalize(wc, NGX_ERROR);
            return NGX_DONE;
        }

        wc->turn.bytes += n;
        ngx_http_vidcast_turn_spend(&vmcf->turns, &wc->turn);
    }

    return NGX_OK;
}


/*
 * Data goes where the user wants it, in chunks which the processor's cache
 * still has when they are unmasked.  A header is read with few bytes behind
 * it, since those have to be copied.
 */

static u_char *
ngx_http_vidcast_connection_buffer(ngx_http_vidcast_connection_t *wc,
    size_t *size)
{
    u_char                        *p;
    uint64_t                       expected;
    ngx_http_vidcast_main_conf_t  *vmcf;

    vmcf = ngx_http_get_module_main_conf(wc->request,
                                         ngx_http_vidcast_module);

    *size = NGX_HTTP_VIDCAST_RECV_BUFFER;

    if (wc->user->get_buffer == NULL || wc->closing) {
        return vmcf->recv_buffer;
    }

    expected = ngx_vidcast_ws_expected(&wc->reader);

    if (expected) {
        *size = ngx_min(expected, NGX_HTTP_VIDCAST_WC_CHUNK);

        p = wc->user->get_buffer(wc, *size);

        if (p) {
            return p;
        }
    }

    *size = NGX_HTTP_VIDCAST_WC_HEAD;

    return vmcf->recv_buffer;
}


/* what came with the handshake, or was left by a turn, or by the user */

static ngx_int_t
ngx_http_vidcast_connection_pending(ngx_http_vidcast_connection_t *wc)
{
    ngx_buf_t  *b;

    b = wc->request->header_in;

    if (b->pos < b->last) {

        if (ngx_http_vidcast_connection_input(wc, &b->pos, b->last)
            != NGX_OK)
        {
            return NGX_DONE;
        }

        if (b->pos < b->last) {
            return NGX_OK;
        }
    }

    if (wc->kept) {

        if (ngx_http_vidcast_connection_input(wc, &wc->pos, wc->last)
            != NGX_OK)
        {
            return NGX_DONE;
        }

        if (wc->pos == wc->last) {
            ngx_free(wc->kept);
            wc->kept = NULL;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_vidcast_connection_keep(ngx_http_vidcast_connection_t *wc, u_char *pos,
    u_char *last)
{
    if (pos == last) {
        return NGX_OK;
    }

    wc->kept = ngx_alloc(last - pos, wc->connection->log);
    if (wc->kept == NULL) {
        return NGX_ERROR;
    }

    wc->pos = wc->kept;
    wc->last = ngx_cpymem(wc->kept, pos, last - pos);

    return NGX_OK;
}


void
ngx_http_vidcast_connection_resume(ngx_http_vidcast_connection_t *wc)
{
    ngx_post_event(wc->connection->read, &ngx_posted_events);
}


/* NGX_OK: read so far, or till it may not; NGX_DONE: the request is gone */

static ngx_int_t
ngx_http_vidcast_connection_input(ngx_http_vidcast_connection_t *wc,
    u_char **pos, u_char *last)
{
    ngx_int_t                      rc;
    ngx_vidcast_ws_event_t         event;
    ngx_http_vidcast_main_conf_t  *vmcf;

    vmcf = ngx_http_get_module_main_conf(wc->request,
                                         ngx_http_vidcast_module);

    for ( ;; ) {

        if (wc->closed) {
            *pos = last;
            return NGX_OK;
        }

        if (wc->holding || wc->turn.over) {
            return NGX_OK;
        }

        rc = ngx_vidcast_ws_read(&wc->reader, pos, last, &event);

        if (rc == NGX_AGAIN) {
            return NGX_OK;
        }

        if (rc == NGX_ERROR) {
            ngx_log_error(NGX_LOG_INFO, wc->connection->log, 0,
                          "%s sent invalid websocket data, close code %ui",
                          wc->session->handlers->name,
                          wc->reader.code);

            return ngx_http_vidcast_connection_fail(wc, wc->reader.code);
        }

        if (ngx_http_vidcast_connection_event(wc, &event) != NGX_OK) {
            return NGX_DONE;
        }

        ngx_http_vidcast_turn_spend(&vmcf->turns, &wc->turn);
    }
}


static ngx_int_t
ngx_http_vidcast_connection_event(ngx_http_vidcast_connection_t *wc,
    ngx_vidcast_ws_event_t *event)
{
    switch (event->opcode) {

    case NGX_VIDCAST_WS_PING:
        return ngx_http_vidcast_connection_pong(wc, event);

    case NGX_VIDCAST_WS_PONG:
        wc->pinging = 0;
        return NGX_OK;

    case NGX_VIDCAST_WS_CLOSE:
        wc->closed = 1;
        return ngx_http_vidcast_connection_close(wc, event->code, "");

    default: /* NGX_VIDCAST_WS_TEXT, NGX_VIDCAST_WS_BINARY */

        return wc->user->data ? wc->user->data(wc, event)
                              : ngx_http_vidcast_connection_data(wc, event);
    }
}


/* a chunk of a message: when it is the last one, the user gets all of it */

static ngx_int_t
ngx_http_vidcast_connection_data(ngx_http_vidcast_connection_t *wc,
    ngx_vidcast_ws_event_t *event)
{
    ngx_str_t  message;

    if (wc->closing) {
        return NGX_OK;
    }

    switch (ngx_http_vidcast_inbound_add(&wc->inbound, event,
                                         wc->reader.max_message, &message))
    {

    case NGX_OK:
        return ngx_http_vidcast_connection_message(wc, event->opcode,
                                                   &message);

    case NGX_AGAIN:
        return NGX_OK;

    case NGX_ERROR:
        return ngx_http_vidcast_connection_fail(wc, wc->inbound.code);

    default: /* NGX_ABORT */
        return ngx_http_vidcast_connection_close(wc,
                                                 NGX_VIDCAST_WS_CLOSE_INTERNAL,
                                                 "no memory");
    }
}


static ngx_int_t
ngx_http_vidcast_connection_message(ngx_http_vidcast_connection_t *wc,
    ngx_uint_t opcode, ngx_str_t *message)
{
    ngx_int_t  rc;

    wc->turn.bytes += message->len * NGX_HTTP_VIDCAST_TURN_PARSED;

    rc = wc->user->message(wc, opcode, message->data, message->len);

    if (rc != NGX_DONE) {
        ngx_http_vidcast_inbound_forget(&wc->inbound);
    }

    ngx_vidcast_inflate_end();

    return rc;
}


/* of several pings the newest one is answered, RFC 6455, 5.5.3 */

static ngx_int_t
ngx_http_vidcast_connection_pong(ngx_http_vidcast_connection_t *wc,
    ngx_vidcast_ws_event_t *event)
{
    u_char  *p, frame[NGX_HTTP_VIDCAST_WC_CONTROL];

    if (wc->closing) {
        return NGX_OK;
    }

    /* a ping of ours that waits is lost by it, and needless: the peer lives */

    if (wc->ncontrol) {
        wc->pinging = 0;
    }

    p = ngx_vidcast_ws_header(frame, NGX_VIDCAST_WS_PONG, event->size);
    p = ngx_cpymem(p, event->data, event->size);

    if (ngx_http_vidcast_connection_control(wc, frame, p - frame) != NGX_OK) {
        ngx_http_vidcast_connection_finalize(wc, NGX_ERROR);
        return NGX_DONE;
    }

    return ngx_http_vidcast_connection_finish(wc);
}


/* takes the place of one that waits; behind one of which half has left */

static ngx_int_t
ngx_http_vidcast_connection_control(ngx_http_vidcast_connection_t *wc,
    u_char *frame, size_t size)
{
    if (!wc->half) {
        ngx_memcpy(wc->control, frame, size);
        wc->ncontrol = size;
        return NGX_OK;
    }

    if (wc->next == NULL) {
        wc->next = ngx_pnalloc(wc->request->pool, NGX_HTTP_VIDCAST_WC_CONTROL);
        if (wc->next == NULL) {
            return NGX_ERROR;
        }
    }

    ngx_memcpy(wc->next, frame, size);
    wc->nnext = size;

    return NGX_OK;
}


ngx_int_t
ngx_http_vidcast_connection_ping(ngx_http_vidcast_connection_t *wc)
{
    u_char     *p;
    ngx_msec_t  now;

    now = ngx_current_msec;

    /* a peer that does not take an answer to a ping is stalled, too */

    wc->session->busy = wc->busy;

    if (wc->holding || wc->turn.waiting) {

        /* nothing is read now, not even that nothing can come any more */

        return ngx_http_vidcast_peer_error(wc->connection);
    }

    if (wc->ping == 0 || wc->ncontrol) {
        return NGX_OK;
    }

    if (wc->pinging) {

        if ((ngx_msec_int_t) (wc->heard - wc->pinged) > 0) {
            wc->pinging = 0;
            return NGX_OK;
        }

        if (now - wc->pinged < wc->ping_timeout) {
            return NGX_OK;
        }

        ngx_log_error(NGX_LOG_INFO, wc->connection->log,
                      NGX_ETIMEDOUT, "%s did not answer a ping",
                      wc->session->handlers->name);

        return NGX_ERROR;
    }

    if (now - wc->heard < wc->ping) {
        return NGX_OK;
    }

    p = ngx_vidcast_ws_header(wc->control, NGX_VIDCAST_WS_PING, 0);

    wc->ncontrol = p - wc->control;
    wc->pinged = now;
    wc->pinging = 1;

    return ngx_http_vidcast_connection_flush(wc) == NGX_ERROR ? NGX_ERROR
                                                              : NGX_OK;
}


ngx_int_t
ngx_http_vidcast_connection_close(ngx_http_vidcast_connection_t *wc,
    ngx_uint_t code, const char *reason)
{
    u_char  *p, frame[NGX_HTTP_VIDCAST_WC_CONTROL];

    if (wc->closing) {
        return ngx_http_vidcast_connection_finish(wc);
    }

    wc->closing = 1;

    if (wc->holding) {

        /* the peer's close frame may be here already */

        wc->holding = 0;
        ngx_http_vidcast_connection_resume(wc);
    }

    ngx_http_vidcast_session_leave(wc->session);
    wc->user->leave(wc);

    p = ngx_vidcast_ws_close(frame, code, reason);

    if (ngx_http_vidcast_connection_control(wc, frame, p - frame) != NGX_OK) {
        ngx_http_vidcast_connection_finalize(wc, NGX_ERROR);
        return NGX_DONE;
    }

    ngx_add_timer(wc->connection->read,
                  NGX_HTTP_VIDCAST_WC_CLOSE);

    return ngx_http_vidcast_connection_finish(wc);
}


/*
 * The peer broke the protocol: we do not wait for its close frame.  Whatever
 * follows could not be understood, but may be on its way.
 */

static ngx_int_t
ngx_http_vidcast_connection_fail(ngx_http_vidcast_connection_t *wc,
    ngx_uint_t code)
{
    wc->closed = 1;
    wc->request->lingering_close = 1;

    return ngx_http_vidcast_connection_close(wc, code, "");
}


static void
ngx_http_vidcast_connection_write_handler(ngx_http_request_t *r)
{
    ngx_http_vidcast_connection_t  *wc;

    wc = ngx_http_get_module_ctx(r, ngx_http_vidcast_module);

    if (ngx_http_vidcast_connection_finish(wc) != NGX_OK
        || wc->busy
        || wc->closing)
    {
        return;
    }

    wc->session->busy = 0;
    wc->user->ready(wc);
}


/* NGX_OK: goes on, now or at the next event; NGX_DONE: the request is gone */

static ngx_int_t
ngx_http_vidcast_connection_finish(ngx_http_vidcast_connection_t *wc)
{
    ngx_int_t     rc;
    ngx_event_t  *rev;

    rc = ngx_http_vidcast_connection_flush(wc);

    if (rc == NGX_ERROR) {
        ngx_http_vidcast_connection_finalize(wc, NGX_ERROR);
        return NGX_DONE;
    }

    if (rc == NGX_OK && wc->closing && wc->closed) {

        rev = wc->connection->read;

        if (rev->timer_set) {
            ngx_del_timer(rev);
        }

        ngx_http_vidcast_connection_finalize(wc, NGX_OK);
        return NGX_DONE;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_vidcast_connection_flush(ngx_http_vidcast_connection_t *wc)
{
    ngx_int_t  rc;

    rc = wc->answered ? NGX_OK
                          : ngx_http_vidcast_connection_flush_answer(wc);

    while (rc == NGX_OK) {

        /* between the bytes of a control frame nothing else may come */

        if (!wc->half) {
            rc = wc->user->flush(wc);
        }

        if (rc != NGX_OK || wc->ncontrol == 0) {
            break;
        }

        rc = ngx_http_vidcast_connection_write(wc, wc->control, wc->ncontrol,
                                               &wc->control_sent);

        wc->half = (wc->control_sent || wc->pending);

        if (rc != NGX_OK) {
            break;
        }

        wc->half = 0;
        wc->ncontrol = wc->nnext;
        wc->control_sent = 0;
        wc->nnext = 0;
        wc->pinged = ngx_current_msec;

        if (wc->ncontrol) {
            ngx_memcpy(wc->control, wc->next, wc->ncontrol);
        }
    }

    wc->busy = (rc == NGX_AGAIN);

    return rc;
}


/*
 * What the output filters still have of the handshake: nothing may pass it,
 * and nothing else goes through them.
 */

static ngx_int_t
ngx_http_vidcast_connection_flush_answer(ngx_http_vidcast_connection_t *wc)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = wc->request;
    c = r->connection;

    if ((r->buffered || c->buffered)
        && (ngx_http_output_filter(r, NULL) == NGX_ERROR || c->error))
    {
        return NGX_ERROR;
    }

    if (!r->buffered && !c->buffered) {
        wc->answered = 1;
        return NGX_OK;
    }

    if (!c->write->delayed && ngx_handle_write_event(c->write, 0) != NGX_OK) {
        return NGX_ERROR;
    }

    return NGX_AGAIN;
}


ngx_int_t
ngx_http_vidcast_connection_write(ngx_http_vidcast_connection_t *wc,
    u_char *data, size_t size, size_t *sent)
{
    ssize_t            n;
    ngx_connection_t  *c;

    c = wc->connection;

    while (*sent < size) {

        if (!c->write->ready) {
            return ngx_handle_write_event(c->write, 0) == NGX_OK ? NGX_AGAIN
                                                                 : NGX_ERROR;
        }

        n = c->send(c, data + *sent, size - *sent);

        if (n > 0) {
            *sent += n;
            wc->pending = 0;
            continue;
        }

        if (n != NGX_AGAIN) {
            return NGX_ERROR;
        }

#if (NGX_SSL)
        wc->pending = (c->ssl != NULL);

        if (c->write->ready) {

            /* TLS wants to read first, and calls the write handler then */

            return NGX_AGAIN;
        }
#endif
    }

    return NGX_OK;
}


/* without TLS, which would make a record of each place all the same */

ngx_int_t
ngx_http_vidcast_connection_write_chain(ngx_http_vidcast_connection_t *wc,
    ngx_chain_t *in, size_t *sent)
{
    off_t              before;
    ngx_connection_t  *c;

    c = wc->connection;

    if (c->write->ready) {
        before = c->sent;

        in = c->send_chain(c, in, 0);

        *sent += c->sent - before;

        if (in == NULL) {
            return NGX_OK;
        }

        if (in == NGX_CHAIN_ERROR) {
            return NGX_ERROR;
        }
    }

    return ngx_handle_write_event(c->write, 0) == NGX_OK ? NGX_AGAIN
                                                         : NGX_ERROR;
}


void
ngx_http_vidcast_connection_finalize(ngx_http_vidcast_connection_t *wc,
    ngx_int_t rc)
{
    wc->gone = 1;

    ngx_http_vidcast_turn_leave(&wc->turn);
    ngx_http_vidcast_session_leave(wc->session);
    wc->user->leave(wc);

    ngx_http_vidcast_session_finalize(wc->session, rc);
}
