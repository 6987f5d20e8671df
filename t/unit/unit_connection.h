
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _UNIT_CONNECTION_H_INCLUDED_
#define _UNIT_CONNECTION_H_INCLUDED_


/*
 * What ngx_http_vidcast_connection.c calls beside itself, for tests that
 * include it: nginx, the session and the handshake, which do nothing but
 * count.  Frames are made and read by the module's own ngx_vidcast_ws.c, in
 * turns that take no time, and put together; none is inflated.
 */

#include <ngx_event_timer.c>

#define ngx_vidcast_clock()  0
#include "http/websocket/ngx_http_vidcast_turn.c"
#undef ngx_vidcast_clock

#include "http/websocket/ngx_http_vidcast_inbound.c"
#include "wire/ngx_vidcast_ws.c"


ngx_os_io_t                ngx_io;
ngx_uint_t                 ngx_event_flags;
ngx_queue_t                ngx_posted_events;
ngx_queue_t                ngx_posted_next_events;
ngx_module_t               ngx_http_vidcast_module;

static ngx_uint_t          unit_left;           /* sessions */
static ngx_uint_t          unit_finalized;
static ngx_int_t           unit_rc;             /* of the last one */
static ngx_http_cleanup_t  unit_cleanup;


void
ngx_http_vidcast_session_leave(ngx_http_vidcast_session_t *session)
{
    if (session && session->joined) {
        session->joined = 0;
        unit_left++;
    }
}


void
ngx_http_vidcast_session_finalize(ngx_http_vidcast_session_t *session,
    ngx_int_t rc)
{
    unit_finalized++;
    unit_rc = rc;
}


ngx_int_t
ngx_http_vidcast_peer_error(ngx_connection_t *c)
{
    return NGX_OK;
}


ngx_int_t
ngx_http_vidcast_handshake_answer(ngx_http_request_t *r,
    ngx_http_vidcast_headers_t *headers, ngx_str_t *protocol, ngx_uint_t *bits)
{
    return NGX_OK;
}


ngx_http_cleanup_t *
ngx_http_cleanup_add(ngx_http_request_t *r, size_t size)
{
    return &unit_cleanup;
}


ngx_int_t
ngx_http_output_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    return NGX_ERROR;
}


ngx_int_t
ngx_handle_read_event(ngx_event_t *rev, ngx_uint_t flags)
{
    return NGX_OK;
}


ngx_int_t
ngx_handle_write_event(ngx_event_t *wev, size_t lowat)
{
    return NGX_OK;
}


ngx_int_t
ngx_tcp_nodelay(ngx_connection_t *c)
{
    return NGX_OK;
}


ngx_int_t
ngx_vidcast_inflate(ngx_str_t *in, size_t max, ngx_str_t *out)
{
    return NGX_ERROR;
}


void
ngx_vidcast_inflate_end(void)
{
    /* void */
}


ngx_vidcast_inflate_t *
ngx_vidcast_inflate_begin(size_t limit)
{
    return NULL;
}


ngx_int_t
ngx_vidcast_inflate_add(ngx_vidcast_inflate_t *message, ngx_str_t *in)
{
    return NGX_ERROR;
}


ngx_int_t
ngx_vidcast_inflate_last(ngx_vidcast_inflate_t *message, ngx_str_t *out)
{
    return NGX_ERROR;
}


void
ngx_vidcast_inflate_free(ngx_vidcast_inflate_t *message)
{
    /* void */
}


#if (NGX_SSL)

long
SSL_ctrl(SSL *ssl, int cmd, long larg, void *parg)
{
    return 0;
}

#endif


#endif /* _UNIT_CONNECTION_H_INCLUDED_ */
