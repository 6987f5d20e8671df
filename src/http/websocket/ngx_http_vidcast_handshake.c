
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "http/websocket/ngx_http_vidcast_handshake.h"
#include "http/request/ngx_http_vidcast_response.h"
#include "core/ngx_vidcast_string.h"
#include "wire/ngx_vidcast_ws.h"


static ngx_int_t ngx_http_vidcast_upgrade_required(ngx_http_request_t *r);
static ngx_int_t ngx_http_vidcast_handshake_deflate(ngx_http_request_t *r,
    ngx_vidcast_deflate_t *deflate);


static ngx_str_t  ngx_http_vidcast_websocket = ngx_string("websocket");
static ngx_str_t  ngx_http_vidcast_version = ngx_string("13");


ngx_int_t
ngx_http_vidcast_handshake_check(ngx_http_request_t *r,
    ngx_http_vidcast_headers_t *headers)
{
    if (r->method != NGX_HTTP_GET) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    if (r->http_version > NGX_HTTP_VERSION_11 || !headers->websocket) {
        return ngx_http_vidcast_upgrade_required(r);
    }

    if (r->http_version < NGX_HTTP_VERSION_11
        || r->headers_in.content_length_n > 0
        || r->headers_in.chunked
        || !headers->upgrade)
    {
        return NGX_HTTP_BAD_REQUEST;
    }

    if (headers->version == NULL
        || !ngx_vidcast_equal(headers->version, &ngx_http_vidcast_version))
    {
        return ngx_http_vidcast_upgrade_required(r);
    }

    if (headers->key == NULL
        || headers->keys
        || ngx_vidcast_ws_check_key(headers->key) != NGX_OK)
    {
        return NGX_HTTP_BAD_REQUEST;
    }

    return NGX_OK;
}


/* HTTP/2 forbids "Upgrade": a client would take the answer for malformed */

static ngx_int_t
ngx_http_vidcast_upgrade_required(ngx_http_request_t *r)
{
    if ((r->http_version <= NGX_HTTP_VERSION_11
         && ngx_http_vidcast_add_header(r, "Upgrade",
                                        &ngx_http_vidcast_websocket)
            != NGX_OK)
        || ngx_http_vidcast_add_header(r, "Sec-WebSocket-Version",
                                       &ngx_http_vidcast_version)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_HTTP_VIDCAST_UPGRADE_REQUIRED;
}


ngx_int_t
ngx_http_vidcast_handshake_answer(ngx_http_request_t *r,
    ngx_http_vidcast_headers_t *headers, ngx_str_t *protocol, ngx_uint_t *bits)
{
    ngx_int_t  rc;
    ngx_str_t  accept;

    if (bits) {
        *bits = headers->deflate.bits;
    }

    accept.len = NGX_VIDCAST_WS_ACCEPT_LEN;

    accept.data = ngx_pnalloc(r->pool, accept.len);
    if (accept.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_vidcast_ws_accept(accept.data, headers->key);

    if (ngx_http_vidcast_add_header(r, "Upgrade", &ngx_http_vidcast_websocket)
        != NGX_OK
        || ngx_http_vidcast_add_header(r, "Sec-WebSocket-Accept", &accept)
           != NGX_OK
        || (protocol->len
            && ngx_http_vidcast_add_header(r, "Sec-WebSocket-Protocol",
                                           protocol)
               != NGX_OK)
        || (bits && *bits
            && ngx_http_vidcast_handshake_deflate(r, &headers->deflate)
               != NGX_OK))
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.status = NGX_HTTP_SWITCHING_PROTOCOLS;
    ngx_str_set(&r->headers_out.status_line, "101 Switching Protocols");

    r->keepalive = 0;
    r->lingering_close = 1;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return NGX_ERROR;
    }

    return ngx_http_send_special(r, NGX_HTTP_FLUSH) == NGX_ERROR ? NGX_ERROR
                                                                 : NGX_OK;
}


static ngx_int_t
ngx_http_vidcast_handshake_deflate(ngx_http_request_t *r,
    ngx_vidcast_deflate_t *deflate)
{
    ngx_str_t  answer;

    answer.len = deflate->answer_len;

    answer.data = ngx_pnalloc(r->pool, answer.len);
    if (answer.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(answer.data, deflate->answer, answer.len);

    return ngx_http_vidcast_add_header(r, "Sec-WebSocket-Extensions", &answer);
}
