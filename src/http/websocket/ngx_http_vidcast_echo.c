
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "http/websocket/ngx_http_vidcast_handshake.h"
#include "http/delivery/ngx_http_vidcast_session.h"
#include "http/websocket/ngx_http_vidcast_connection.h"
#include "wire/ngx_vidcast_deflate.h"


/*
 * Sends each message back as it came, for checking a path through proxies.
 * While one is leaving nothing is read, so that a peer which only sends holds
 * the memory of one message.
 *
 * To compress a message takes as long as what comes out of it is large: there
 * it ends, and the message goes back uncompressed.
 */

#define NGX_HTTP_VIDCAST_ECHO_DEFLATED  32768

typedef struct {
    ngx_http_vidcast_connection_t    wc;
    ngx_http_vidcast_session_t   session;
    uint64_t                     waits;

    u_char                      *out;        /* the frame leaving */
    u_char                      *data;       /* in it, from the header on */
    size_t                       size;
    size_t                       sent;
} ngx_http_vidcast_echo_t;


static ngx_int_t ngx_http_vidcast_echo_ping(
    ngx_http_vidcast_session_t *session);
static void ngx_http_vidcast_echo_drain(ngx_http_vidcast_session_t *session);
static ngx_int_t ngx_http_vidcast_echo_message(
    ngx_http_vidcast_connection_t *wc, ngx_uint_t opcode, u_char *data,
    size_t size);
static ngx_int_t ngx_http_vidcast_echo_build(ngx_http_vidcast_echo_t *echo,
    ngx_uint_t opcode, u_char *data, size_t size);
static ngx_int_t ngx_http_vidcast_echo_flush(
    ngx_http_vidcast_connection_t *wc);
static void ngx_http_vidcast_echo_ready(ngx_http_vidcast_connection_t *wc);
static void ngx_http_vidcast_echo_leave(ngx_http_vidcast_connection_t *wc);

#define ngx_http_vidcast_echo_of(s)                                           \
    (ngx_http_vidcast_echo_t *)                                               \
        ((u_char *) (s) - offsetof(ngx_http_vidcast_echo_t, session))


static ngx_http_vidcast_session_handlers_t  ngx_http_vidcast_echo_handlers = {
    "viewer",
    NULL,
    NULL,
    ngx_http_vidcast_echo_ping,
    NULL,
    ngx_http_vidcast_echo_drain,
    NULL
};


static ngx_http_vidcast_wc_user_t  ngx_http_vidcast_echo_user = {
    ngx_http_vidcast_echo_message,
    NULL,
    NULL,
    ngx_http_vidcast_echo_flush,
    ngx_http_vidcast_echo_ready,
    ngx_http_vidcast_echo_leave
};


ngx_int_t
ngx_http_vidcast_echo_handler(ngx_http_request_t *r)
{
    ngx_int_t                     rc;
    ngx_str_t                     protocol;
    ngx_http_vidcast_echo_t      *echo;
    ngx_http_vidcast_headers_t    headers;
    ngx_http_vidcast_loc_conf_t  *vlcf;

    /* the response of the main request would never end */

    if (r != r->main) {

        if (ngx_http_vidcast_log_limit(r, NGX_HTTP_VIDCAST_LOG_LOCATION)) {
            ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                          "a subrequest cannot have \"vidcast_echo\"");
        }

        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    vlcf = ngx_http_get_module_loc_conf(r, ngx_http_vidcast_module);

    ngx_http_vidcast_headers_read(r, &headers);

    rc = ngx_http_vidcast_handshake_check(r, &headers);

    if (rc != NGX_OK) {
        return rc;
    }

    echo = ngx_pcalloc(r->pool, sizeof(ngx_http_vidcast_echo_t));
    if (echo == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    echo->wc.session = &echo->session;
    echo->wc.user = &ngx_http_vidcast_echo_user;
    echo->wc.turn.waits = &echo->waits;

    echo->session.request = r;
    echo->session.handlers = &ngx_http_vidcast_echo_handlers;
    echo->session.resumes = 1;

    rc = ngx_http_vidcast_session_join(&echo->session);

    if (rc != NGX_OK) {
        return (rc == NGX_BUSY) ? NGX_HTTP_SERVICE_UNAVAILABLE
                                : NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_null(&protocol);

    rc = ngx_http_vidcast_connection_open(r, &headers, &echo->wc, &protocol,
                                          vlcf->deflate);

    if (rc != NGX_OK) {
        ngx_http_vidcast_session_leave(&echo->session);
        return rc;
    }

    r->main->count++;

    return NGX_DONE;
}


static ngx_int_t
ngx_http_vidcast_echo_ping(ngx_http_vidcast_session_t *session)
{
    ngx_http_vidcast_echo_t  *echo;

    echo = ngx_http_vidcast_echo_of(session);

    return ngx_http_vidcast_connection_ping(&echo->wc);
}


static void
ngx_http_vidcast_echo_drain(ngx_http_vidcast_session_t *session)
{
    ngx_http_vidcast_echo_t  *echo;

    echo = ngx_http_vidcast_echo_of(session);

    (void) ngx_http_vidcast_connection_close(&echo->wc,
                                             NGX_VIDCAST_WS_CLOSE_AWAY, "");
}


static ngx_int_t
ngx_http_vidcast_echo_message(ngx_http_vidcast_connection_t *wc,
    ngx_uint_t opcode, u_char *data, size_t size)
{
    ngx_int_t                 rc;
    ngx_http_vidcast_echo_t  *echo;

    echo = (ngx_http_vidcast_echo_t *) wc;

    if (ngx_http_vidcast_echo_build(echo, opcode, data, size) != NGX_OK) {
        return ngx_http_vidcast_connection_close(wc,
                                                 NGX_VIDCAST_WS_CLOSE_INTERNAL,
                                                 "no memory");
    }

    rc = ngx_http_vidcast_connection_flush(wc);

    if (rc == NGX_ERROR) {
        ngx_http_vidcast_connection_finalize(wc, NGX_ERROR);
        return NGX_DONE;
    }

    echo->session.busy = (rc == NGX_AGAIN);
    wc->holding = echo->session.busy;

    return NGX_OK;
}


static ngx_int_t
ngx_http_vidcast_echo_build(ngx_http_vidcast_echo_t *echo, ngx_uint_t opcode,
    u_char *data, size_t size)
{
    size_t     header;
    ngx_int_t  rc;
    ngx_str_t  in, payload;

    payload.len = ngx_min(ngx_vidcast_deflate_bound(size),
                          NGX_HTTP_VIDCAST_ECHO_DEFLATED);

    echo->out = ngx_alloc(NGX_VIDCAST_WS_MAX_HEADER
                          + ngx_max(size, payload.len),
                          echo->wc.request->connection->log);
    if (echo->out == NULL) {
        return NGX_ERROR;
    }

    payload.data = echo->out + NGX_VIDCAST_WS_MAX_HEADER;

    in.data = data;
    in.len = size;

    rc = echo->wc.inbound.compressed
         ? ngx_vidcast_deflate(&in, echo->wc.bits, &payload) : NGX_DECLINED;

    switch (rc) {

    case NGX_OK:
        opcode |= NGX_VIDCAST_WS_RSV1;
        break;

    case NGX_DECLINED:
        ngx_memcpy(payload.data, data, size);
        payload.len = size;
        break;

    default: /* NGX_ERROR */
        return NGX_ERROR;
    }

    header = ngx_vidcast_ws_header_len(payload.len);

    echo->data = payload.data - header;
    echo->size = header + payload.len;
    echo->sent = 0;

    (void) ngx_vidcast_ws_header(echo->data, opcode, payload.len);

    return NGX_OK;
}


static ngx_int_t
ngx_http_vidcast_echo_flush(ngx_http_vidcast_connection_t *wc)
{
    ngx_int_t                 rc;
    ngx_http_vidcast_echo_t  *echo;

    echo = (ngx_http_vidcast_echo_t *) wc;

    if (echo->out == NULL) {
        return NGX_OK;
    }

    rc = ngx_http_vidcast_connection_write(wc, echo->data, echo->size,
                                           &echo->sent);

    if (rc == NGX_OK) {
        ngx_free(echo->out);
        echo->out = NULL;
    }

    return rc;
}


static void
ngx_http_vidcast_echo_ready(ngx_http_vidcast_connection_t *wc)
{
    if (wc->holding) {
        wc->holding = 0;
        ngx_http_vidcast_connection_resume(wc);
    }
}


static void
ngx_http_vidcast_echo_leave(ngx_http_vidcast_connection_t *wc)
{
    ngx_http_vidcast_echo_t  *echo;

    echo = (ngx_http_vidcast_echo_t *) wc;

    if (echo->out && wc->gone) {
        ngx_free(echo->out);
        echo->out = NULL;
    }
}
