
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "http/websocket/ngx_http_vidcast_handshake.h"
#include "http/delivery/ngx_http_vidcast_peer.h"
#include "http/delivery/ngx_http_vidcast_session.h"
#include "http/websocket/ngx_http_vidcast_socket.h"


#define NGX_HTTP_VIDCAST_SOCKET_TURNS  4       /* then others have a turn */
#define NGX_HTTP_VIDCAST_SOCKET_CHUNK  131072  /* read to the user's room */
#define NGX_HTTP_VIDCAST_SOCKET_HEAD   512     /* else, to find out of it */
#define NGX_HTTP_VIDCAST_SOCKET_CLOSE  2000    /* ms for the peer's close */


static void ngx_http_vidcast_socket_cleanup(void *data);
static void ngx_http_vidcast_socket_read_handler(ngx_http_request_t *r);
static u_char *ngx_http_vidcast_socket_buffer(
    ngx_http_vidcast_socket_t *socket, size_t *size);
static ngx_int_t ngx_http_vidcast_socket_pending(
    ngx_http_vidcast_socket_t *socket);
static ngx_int_t ngx_http_vidcast_socket_keep(
    ngx_http_vidcast_socket_t *socket, u_char *pos, u_char *last);
static void ngx_http_vidcast_socket_write_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_vidcast_socket_input(
    ngx_http_vidcast_socket_t *socket, u_char **pos, u_char *last);
static ngx_int_t ngx_http_vidcast_socket_event(
    ngx_http_vidcast_socket_t *socket, ngx_vidcast_ws_event_t *event);
static ngx_int_t ngx_http_vidcast_socket_pong(
    ngx_http_vidcast_socket_t *socket, ngx_vidcast_ws_event_t *event);
static ngx_int_t ngx_http_vidcast_socket_control(
    ngx_http_vidcast_socket_t *socket, u_char *frame, size_t size);
static ngx_int_t ngx_http_vidcast_socket_fail(
    ngx_http_vidcast_socket_t *socket, ngx_uint_t code);
static ngx_int_t ngx_http_vidcast_socket_finish(
    ngx_http_vidcast_socket_t *socket);


ngx_int_t
ngx_http_vidcast_socket_open(ngx_http_request_t *r,
    ngx_http_vidcast_headers_t *headers, ngx_http_vidcast_socket_t *socket,
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

    cln->handler = ngx_http_vidcast_socket_cleanup;
    cln->data = socket;

    socket->request = r;
    socket->connection = c;
    socket->ping = vlcf->ping;
    socket->ping_timeout = vlcf->ping_timeout;
    socket->heard = ngx_current_msec;

    ngx_vidcast_ws_reader_init(&socket->reader, vlcf->max_message);

    rc = ngx_http_vidcast_handshake_answer(r, headers, protocol,
                                           deflate ? &socket->bits : NULL);
    if (rc != NGX_OK) {
        return rc;
    }

    socket->deflate = (socket->bits != 0);
    socket->reader.deflate = socket->deflate;

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

    ngx_http_set_ctx(r, socket, ngx_http_vidcast_module);

    r->read_event_handler = ngx_http_vidcast_socket_read_handler;
    r->write_event_handler = ngx_http_vidcast_socket_write_handler;

    /* bytes may have come with the handshake, and there may be some to send */

    ngx_post_event(c->read, &ngx_posted_events);
    ngx_post_event(c->write, &ngx_posted_events);

    return NGX_OK;
}


static void
ngx_http_vidcast_socket_cleanup(void *data)
{
    ngx_http_vidcast_socket_t  *socket = data;

    ngx_http_vidcast_socket_forget(socket);

    if (socket->kept) {
        ngx_free(socket->kept);
        socket->kept = NULL;
    }

#if (NGX_SSL)

    if (socket->pending) {
        ngx_connection_t  *c;

        /* behind half a record TLS can say nothing, not even good-bye */

        c = socket->connection;

        c->ssl->no_wait_shutdown = 1;
        c->ssl->no_send_shutdown = 1;
    }

#endif

    socket->gone = 1;

    ngx_http_vidcast_session_leave(socket->session);
    socket->user->leave(socket);
}


static void
ngx_http_vidcast_socket_read_handler(ngx_http_request_t *r)
{
    size_t                      size;
    ssize_t                     n;
    u_char                     *pos, *last;
    ngx_uint_t                  turn;
    ngx_event_t                *rev;
    ngx_connection_t           *c;
    ngx_http_vidcast_socket_t  *socket;

    c = r->connection;
    rev = c->read;

    socket = ngx_http_get_module_ctx(r, ngx_http_vidcast_module);

    if (rev->timedout) {
        ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT,
                      "%s did not close its websocket",
                      socket->session->handlers->name);
        ngx_http_vidcast_socket_finalize(socket, NGX_ERROR);
        return;
    }

    if (ngx_http_vidcast_socket_pending(socket) != NGX_OK) {
        return;
    }

    for (turn = 0; turn < NGX_HTTP_VIDCAST_SOCKET_TURNS; turn++) {

        if (socket->holding) {
            return;
        }

        pos = ngx_http_vidcast_socket_buffer(socket, &size);

        n = c->recv(c, pos, size);

        if (n == NGX_AGAIN) {

            if (ngx_handle_read_event(rev, 0) != NGX_OK) {
                ngx_http_vidcast_socket_finalize(socket, NGX_ERROR);
            }

            return;
        }

        if (n == 0 || n == NGX_ERROR) {
            ngx_http_vidcast_socket_finalize(socket,
                                             NGX_HTTP_CLIENT_CLOSED_REQUEST);
            return;
        }

        socket->heard = ngx_current_msec;
        last = pos + n;

        if (ngx_http_vidcast_socket_input(socket, &pos, last) != NGX_OK) {
            return;
        }

        if (ngx_http_vidcast_socket_keep(socket, pos, last) != NGX_OK) {
            ngx_http_vidcast_socket_finalize(socket, NGX_ERROR);
            return;
        }
    }

    ngx_post_event(rev, &ngx_posted_next_events);
}


/*
 * Data goes where the user wants it, in chunks which the processor's cache
 * still has when they are unmasked.  A header is read with few bytes behind
 * it, since those have to be copied.
 */

static u_char *
ngx_http_vidcast_socket_buffer(ngx_http_vidcast_socket_t *socket, size_t *size)
{
    u_char                        *p;
    uint64_t                       expected;
    ngx_http_vidcast_main_conf_t  *vmcf;

    vmcf = ngx_http_get_module_main_conf(socket->request,
                                         ngx_http_vidcast_module);

    *size = NGX_HTTP_VIDCAST_RECV_BUFFER;

    if (socket->user->get_buffer == NULL || socket->closing) {
        return vmcf->recv_buffer;
    }

    expected = ngx_vidcast_ws_expected(&socket->reader);

    if (expected) {
        *size = ngx_min(expected, NGX_HTTP_VIDCAST_SOCKET_CHUNK);

        p = socket->user->get_buffer(socket, *size);

        if (p) {
            return p;
        }
    }

    *size = NGX_HTTP_VIDCAST_SOCKET_HEAD;

    return vmcf->recv_buffer;
}


/* what came with the handshake, or while the user did not want any more */

static ngx_int_t
ngx_http_vidcast_socket_pending(ngx_http_vidcast_socket_t *socket)
{
    ngx_buf_t  *b;

    b = socket->request->header_in;

    if (b->pos < b->last) {

        if (ngx_http_vidcast_socket_input(socket, &b->pos, b->last)
            != NGX_OK)
        {
            return NGX_DONE;
        }

        if (b->pos < b->last) {
            return NGX_OK;
        }
    }

    if (socket->kept) {

        if (ngx_http_vidcast_socket_input(socket, &socket->pos, socket->last)
            != NGX_OK)
        {
            return NGX_DONE;
        }

        if (socket->pos == socket->last) {
            ngx_free(socket->kept);
            socket->kept = NULL;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_vidcast_socket_keep(ngx_http_vidcast_socket_t *socket, u_char *pos,
    u_char *last)
{
    if (pos == last) {
        return NGX_OK;
    }

    socket->kept = ngx_alloc(last - pos, socket->connection->log);
    if (socket->kept == NULL) {
        return NGX_ERROR;
    }

    socket->pos = socket->kept;
    socket->last = ngx_cpymem(socket->kept, pos, last - pos);

    return NGX_OK;
}


void
ngx_http_vidcast_socket_resume(ngx_http_vidcast_socket_t *socket)
{
    ngx_post_event(socket->connection->read, &ngx_posted_events);
}


static void
ngx_http_vidcast_socket_write_handler(ngx_http_request_t *r)
{
    ngx_http_vidcast_socket_t  *socket;

    socket = ngx_http_get_module_ctx(r, ngx_http_vidcast_module);

    if (ngx_http_vidcast_socket_finish(socket) != NGX_OK
        || socket->busy
        || socket->closing)
    {
        return;
    }

    socket->session->busy = 0;
    socket->user->ready(socket);
}


/* NGX_OK: read so far, or till "holding"; NGX_DONE: the request is gone */

static ngx_int_t
ngx_http_vidcast_socket_input(ngx_http_vidcast_socket_t *socket, u_char **pos,
    u_char *last)
{
    ngx_int_t               rc;
    ngx_vidcast_ws_event_t  event;

    for ( ;; ) {

        if (socket->closed) {
            *pos = last;
            return NGX_OK;
        }

        if (socket->holding) {
            return NGX_OK;
        }

        rc = ngx_vidcast_ws_read(&socket->reader, pos, last, &event);

        if (rc == NGX_AGAIN) {
            return NGX_OK;
        }

        if (rc == NGX_ERROR) {
            ngx_log_error(NGX_LOG_INFO, socket->connection->log, 0,
                          "%s sent invalid websocket data, close code %ui",
                          socket->session->handlers->name,
                          socket->reader.code);

            return ngx_http_vidcast_socket_fail(socket, socket->reader.code);
        }

        if (ngx_http_vidcast_socket_event(socket, &event) != NGX_OK) {
            return NGX_DONE;
        }
    }
}


static ngx_int_t
ngx_http_vidcast_socket_event(ngx_http_vidcast_socket_t *socket,
    ngx_vidcast_ws_event_t *event)
{
    ngx_int_t   rc;
    ngx_uint_t  code;

    switch (event->opcode) {

    case NGX_VIDCAST_WS_PING:
        return ngx_http_vidcast_socket_pong(socket, event);

    case NGX_VIDCAST_WS_PONG:
        socket->pinging = 0;
        return NGX_OK;

    case NGX_VIDCAST_WS_CLOSE:
        socket->closed = 1;
        return ngx_http_vidcast_socket_close(socket, event->code, "");

    default: /* NGX_VIDCAST_WS_TEXT, NGX_VIDCAST_WS_BINARY */

        if (socket->user->data) {
            return socket->user->data(socket, event);
        }
    }

    code = 0;

    rc = ngx_http_vidcast_socket_data(socket, event, &code);

    switch (rc) {

    case NGX_ABORT:
        return ngx_http_vidcast_socket_close(socket,
                                             NGX_VIDCAST_WS_CLOSE_INTERNAL,
                                             "no memory");

    case NGX_ERROR:
        return ngx_http_vidcast_socket_fail(socket, code);

    default: /* NGX_OK, NGX_DONE */
        return rc;
    }
}


/* of several pings the newest one is answered, RFC 6455, 5.5.3 */

static ngx_int_t
ngx_http_vidcast_socket_pong(ngx_http_vidcast_socket_t *socket,
    ngx_vidcast_ws_event_t *event)
{
    u_char  *p, frame[NGX_HTTP_VIDCAST_SOCKET_CONTROL];

    if (socket->closing) {
        return NGX_OK;
    }

    /* a ping of ours that waits is lost by it, and needless: the peer lives */

    if (socket->ncontrol) {
        socket->pinging = 0;
    }

    p = ngx_vidcast_ws_header(frame, NGX_VIDCAST_WS_PONG, event->size);
    p = ngx_cpymem(p, event->data, event->size);

    if (ngx_http_vidcast_socket_control(socket, frame, p - frame) != NGX_OK) {
        ngx_http_vidcast_socket_finalize(socket, NGX_ERROR);
        return NGX_DONE;
    }

    return ngx_http_vidcast_socket_finish(socket);
}


/* takes the place of one that waits; behind one of which half has left */

static ngx_int_t
ngx_http_vidcast_socket_control(ngx_http_vidcast_socket_t *socket,
    u_char *frame, size_t size)
{
    if (!socket->half) {
        ngx_memcpy(socket->control, frame, size);
        socket->ncontrol = size;
        return NGX_OK;
    }

    if (socket->next == NULL) {
        socket->next = ngx_pnalloc(socket->request->pool,
                                   NGX_HTTP_VIDCAST_SOCKET_CONTROL);
        if (socket->next == NULL) {
            return NGX_ERROR;
        }
    }

    ngx_memcpy(socket->next, frame, size);
    socket->nnext = size;

    return NGX_OK;
}


ngx_int_t
ngx_http_vidcast_socket_ping(ngx_http_vidcast_socket_t *socket)
{
    u_char      *p;
    ngx_msec_t   now;

    now = ngx_current_msec;

    /* a peer that does not take an answer to a ping is stalled, too */

    socket->session->busy = socket->busy;

    if (socket->holding) {

        /* nothing is read now, not even that nothing can come any more */

        return ngx_http_vidcast_peer_error(socket->connection);
    }

    if (socket->ping == 0 || socket->ncontrol) {
        return NGX_OK;
    }

    if (socket->pinging) {

        if ((ngx_msec_int_t) (socket->heard - socket->pinged) > 0) {
            socket->pinging = 0;
            return NGX_OK;
        }

        if (now - socket->pinged < socket->ping_timeout) {
            return NGX_OK;
        }

        ngx_log_error(NGX_LOG_INFO, socket->connection->log,
                      NGX_ETIMEDOUT, "%s did not answer a ping",
                      socket->session->handlers->name);

        return NGX_ERROR;
    }

    if (now - socket->heard < socket->ping) {
        return NGX_OK;
    }

    p = ngx_vidcast_ws_header(socket->control, NGX_VIDCAST_WS_PING, 0);

    socket->ncontrol = p - socket->control;
    socket->pinged = now;
    socket->pinging = 1;

    return ngx_http_vidcast_socket_flush(socket) == NGX_ERROR ? NGX_ERROR
                                                              : NGX_OK;
}


ngx_int_t
ngx_http_vidcast_socket_close(ngx_http_vidcast_socket_t *socket,
    ngx_uint_t code, const char *reason)
{
    u_char  *p, frame[NGX_HTTP_VIDCAST_SOCKET_CONTROL];

    if (socket->closing) {
        return ngx_http_vidcast_socket_finish(socket);
    }

    socket->closing = 1;

    if (socket->holding) {

        /* the peer's close frame may be here already */

        socket->holding = 0;
        ngx_http_vidcast_socket_resume(socket);
    }

    ngx_http_vidcast_session_leave(socket->session);
    socket->user->leave(socket);

    p = ngx_vidcast_ws_close(frame, code, reason);

    if (ngx_http_vidcast_socket_control(socket, frame, p - frame) != NGX_OK) {
        ngx_http_vidcast_socket_finalize(socket, NGX_ERROR);
        return NGX_DONE;
    }

    ngx_add_timer(socket->connection->read,
                  NGX_HTTP_VIDCAST_SOCKET_CLOSE);

    return ngx_http_vidcast_socket_finish(socket);
}


/*
 * The peer broke the protocol: we do not wait for its close frame.  Whatever
 * follows could not be understood, but may be on its way.
 */

static ngx_int_t
ngx_http_vidcast_socket_fail(ngx_http_vidcast_socket_t *socket,
    ngx_uint_t code)
{
    socket->closed = 1;
    socket->request->lingering_close = 1;

    return ngx_http_vidcast_socket_close(socket, code, "");
}


/* NGX_OK: goes on, now or at the next event; NGX_DONE: the request is gone */

static ngx_int_t
ngx_http_vidcast_socket_finish(ngx_http_vidcast_socket_t *socket)
{
    ngx_int_t     rc;
    ngx_event_t  *rev;

    rc = ngx_http_vidcast_socket_flush(socket);

    if (rc == NGX_ERROR) {
        ngx_http_vidcast_socket_finalize(socket, NGX_ERROR);
        return NGX_DONE;
    }

    if (rc == NGX_OK && socket->closing && socket->closed) {

        rev = socket->connection->read;

        if (rev->timer_set) {
            ngx_del_timer(rev);
        }

        ngx_http_vidcast_socket_finalize(socket, NGX_OK);
        return NGX_DONE;
    }

    return NGX_OK;
}


void
ngx_http_vidcast_socket_finalize(ngx_http_vidcast_socket_t *socket,
    ngx_int_t rc)
{
    socket->gone = 1;

    ngx_http_vidcast_session_leave(socket->session);
    socket->user->leave(socket);

    ngx_http_vidcast_session_finalize(socket->session, rc);
}
