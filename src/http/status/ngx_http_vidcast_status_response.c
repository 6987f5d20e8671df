
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "core/ngx_vidcast.h"
#include "http/status/ngx_http_vidcast_status_response.h"
#include "http/websocket/ngx_http_vidcast_handshake.h"


/* what all responses about sources and workers have in common */


ngx_int_t
ngx_http_vidcast_status_begin(ngx_http_request_t *r)
{
    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    return ngx_http_discard_request_body(r);
}


ngx_int_t
ngx_http_vidcast_status_send(ngx_http_request_t *r,
    ngx_http_vidcast_text_t *text, ngx_uint_t status, ngx_str_t *type)
{
    ngx_int_t  rc;

    static ngx_str_t  cache = ngx_string("no-cache, no-store");

    if (text->failed) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.status = status;
    r->headers_out.content_length_n = text->size;

    r->headers_out.content_type = *type;
    r->headers_out.content_type_len = type->len;

    if (ngx_http_vidcast_add_header(r, "Cache-Control", &cache) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    if (text->first == NULL) {

        /* a configuration without sources */

        return ngx_http_send_special(r, NGX_HTTP_LAST);
    }

    text->last->buf->last_buf = (r == r->main);
    text->last->buf->last_in_chain = 1;

    return ngx_http_output_filter(r, text->first);
}


/* another process may be writing it: it is copied, and ends where ours ends */

void
ngx_http_vidcast_status_error(ngx_http_vidcast_text_t *text,
    const u_char *reason)
{
    u_char  error[NGX_VIDCAST_ERROR_LEN];

    ngx_memcpy(error, reason, NGX_VIDCAST_ERROR_LEN);
    error[NGX_VIDCAST_ERROR_LEN - 1] = '\0';

    ngx_http_vidcast_text_string(text, "error", error, ngx_strlen(error));
}
