
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "core/ngx_vidcast.h"
#include "http/status/ngx_http_vidcast_status_response.h"
#include "http/request/ngx_http_vidcast_response.h"


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
    static ngx_str_t  cache = ngx_string("no-cache, no-store");

    if (text->failed) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_vidcast_add_header(r, "Cache-Control", &cache) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* a configuration without sources may have no text */

    return ngx_http_vidcast_response_send(r, status, type, text->first,
                                          text->size);
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
