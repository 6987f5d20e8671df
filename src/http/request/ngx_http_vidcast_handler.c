
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "core/ngx_vidcast_string.h"
#include "http/websocket/ngx_http_vidcast_handshake.h"
#include "http/request/ngx_http_vidcast_params.h"


static ngx_uint_t ngx_http_vidcast_negotiate(ngx_http_request_t *r);
static ngx_uint_t ngx_http_vidcast_accepts(ngx_http_request_t *r,
    ngx_str_t *type);
static ngx_uint_t ngx_http_vidcast_lists(ngx_str_t *list, ngx_str_t *type);


ngx_int_t
ngx_http_vidcast_handler(ngx_http_request_t *r)
{
    ngx_int_t                     rc;
    ngx_uint_t                    as;
    ngx_http_vidcast_params_t     params;
    ngx_http_vidcast_loc_conf_t  *vlcf;

    vlcf = ngx_http_get_module_loc_conf(r, ngx_http_vidcast_module);

    rc = ngx_http_vidcast_params_read(r, &params);

    if (rc != NGX_OK) {
        return rc;
    }

    as = vlcf->as;

    if (as == NGX_HTTP_VIDCAST_AUTO) {
        as = ngx_http_vidcast_negotiate(r);
    }

    /* the response of the main request would never end */

    if (r != r->main && as != NGX_VIDCAST_SNAPSHOT) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "a subrequest can have a snapshot only of "
                      "vidcast_source \"%V\"",
                      &ngx_http_vidcast_params_feed(&params)->source->name);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (as == NGX_VIDCAST_MJPEG || as == NGX_VIDCAST_SNAPSHOT) {
        ngx_http_vidcast_params_overlay(r, &params);
    }

    switch (as) {

    case NGX_VIDCAST_WEBSOCKET:
        return ngx_http_vidcast_ws_handler(r, &params);

    case NGX_VIDCAST_SNAPSHOT:
        return ngx_http_vidcast_snapshot_handler(r, &params);

    default:
        return ngx_http_vidcast_stream_handler(r, &params, as);
    }
}


/* a WebSocket is also what nobody asked for: it is answered by how to ask */

static ngx_uint_t
ngx_http_vidcast_negotiate(ngx_http_request_t *r)
{
    static ngx_str_t  sse = ngx_string("text/event-stream");
    static ngx_str_t  ndjson = ngx_string("application/x-ndjson");
    static ngx_str_t  mjpeg = ngx_string("multipart/x-mixed-replace");
    static ngx_str_t  jpeg = ngx_string("image/jpeg");

    if (ngx_http_vidcast_handshake_wanted(r)) {
        return NGX_VIDCAST_WEBSOCKET;
    }

    if (ngx_http_vidcast_accepts(r, &sse)) {
        return NGX_VIDCAST_SSE;
    }

    if (ngx_http_vidcast_accepts(r, &ndjson)) {
        return NGX_VIDCAST_NDJSON;
    }

    if (ngx_http_vidcast_accepts(r, &mjpeg)) {
        return NGX_VIDCAST_MJPEG;
    }

    if (ngx_http_vidcast_accepts(r, &jpeg)) {
        return NGX_VIDCAST_SNAPSHOT;
    }

    return NGX_VIDCAST_WEBSOCKET;
}


static ngx_uint_t
ngx_http_vidcast_accepts(ngx_http_request_t *r, ngx_str_t *type)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    part = &r->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return 0;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (h[i].key.len == sizeof("Accept") - 1
            && ngx_strncasecmp(h[i].key.data, (u_char *) "Accept",
                               sizeof("Accept") - 1)
               == 0
            && ngx_http_vidcast_lists(&h[i].value, type))
        {
            return 1;
        }
    }
}


/* is the type in the list, as a whole?  Its parameters do not matter */

static ngx_uint_t
ngx_http_vidcast_lists(ngx_str_t *list, ngx_str_t *type)
{
    u_char      *p;
    ngx_str_t    rest, item;
    ngx_uint_t   more;

    rest = *list;

    do {
        more = ngx_vidcast_list_next(&rest, &item, NGX_VIDCAST_LIST_TRIM);

        if (item.len >= type->len
            && ngx_strncasecmp(item.data, type->data, type->len) == 0)
        {
            p = item.data + type->len;

            if (item.len == type->len || *p == ';' || *p == ' ' || *p == '\t') {
                return 1;
            }
        }

    } while (more);

    return 0;
}
