
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "http/request/ngx_http_vidcast_params.h"


static ngx_uint_t ngx_http_vidcast_negotiate(
    ngx_http_vidcast_headers_t *headers);


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
        as = ngx_http_vidcast_negotiate(&params.headers);
    }

    /* the response of the main request would never end */

    if (r != r->main && as != NGX_VIDCAST_SNAPSHOT) {

        if (ngx_http_vidcast_log_limit(r, NGX_HTTP_VIDCAST_LOG_LOCATION)) {
            ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                          "a subrequest can have a snapshot only of "
                          "vidcast_source \"%V\"",
                          &ngx_http_vidcast_params_feed(&params)->source->name);
        }

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


/* without a wish it is a WebSocket, whose refusal says how to ask for one */

static ngx_uint_t
ngx_http_vidcast_negotiate(ngx_http_vidcast_headers_t *headers)
{
    if (headers->websocket) {
        return NGX_VIDCAST_WEBSOCKET;
    }

    if (headers->accept & NGX_HTTP_VIDCAST_ACCEPT_SSE) {
        return NGX_VIDCAST_SSE;
    }

    if (headers->accept & NGX_HTTP_VIDCAST_ACCEPT_NDJSON) {
        return NGX_VIDCAST_NDJSON;
    }

    if (headers->accept & NGX_HTTP_VIDCAST_ACCEPT_MJPEG) {
        return NGX_VIDCAST_MJPEG;
    }

    if (headers->accept & NGX_HTTP_VIDCAST_ACCEPT_JPEG) {
        return NGX_VIDCAST_SNAPSHOT;
    }

    return NGX_VIDCAST_WEBSOCKET;
}
