
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_HTTP_VIDCAST_PARAMS_H_INCLUDED_
#define _NGX_HTTP_VIDCAST_PARAMS_H_INCLUDED_


#include "http/delivery/ngx_http_vidcast_viewer.h"
#include "http/request/ngx_http_vidcast_headers.h"
#include "wire/ngx_vidcast_query.h"


#define NGX_HTTP_VIDCAST_MAX_WATCH  32    /* sources of one location */


/* what a request asks for, within what its location allows */

typedef struct {
    ngx_http_vidcast_feed_t     *feeds[NGX_HTTP_VIDCAST_MAX_WATCH];
    ngx_uint_t                   nfeeds;        /* allowed */
    uint32_t                     chosen;        /* of them, bits */
    ngx_uint_t                   send;
    uint64_t                     interval;      /* us between frames, least */
    uint64_t                     min_interval;  /* that of the location */
    ngx_vidcast_query_t          query;
    ngx_http_vidcast_headers_t   headers;
} ngx_http_vidcast_params_t;


/*
 * For pictures: those of the overlay, unless the location has none or the
 * viewer wants none.
 */
void ngx_http_vidcast_params_overlay(ngx_http_request_t *r,
    ngx_http_vidcast_params_t *params);

/* NGX_OK, or the status to answer with; what is wrong is logged */
ngx_int_t ngx_http_vidcast_params_read(ngx_http_request_t *r,
    ngx_http_vidcast_params_t *params);

/* the source of a response that can have one only */
ngx_http_vidcast_feed_t *ngx_http_vidcast_params_feed(
    ngx_http_vidcast_params_t *params);

/*
 * Lets variables tell this of the request, with the names of the sources
 * chosen.  NGX_OK or NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_vidcast_params_stats(ngx_http_vidcast_params_t *params,
    ngx_http_request_t *r, ngx_http_vidcast_viewer_stats_t *stats);

/*
 * Joins the viewer, whose request and transport are set, and subscribes it to
 * what is chosen.  NGX_OK, or the status to answer with.
 */
ngx_int_t ngx_http_vidcast_params_join(ngx_http_vidcast_params_t *params,
    ngx_http_vidcast_viewer_t *viewer);


/* a handler for each transport */
ngx_int_t ngx_http_vidcast_ws_handler(ngx_http_request_t *r,
    ngx_http_vidcast_params_t *params);
ngx_int_t ngx_http_vidcast_stream_handler(ngx_http_request_t *r,
    ngx_http_vidcast_params_t *params, ngx_uint_t transport);
ngx_int_t ngx_http_vidcast_snapshot_handler(ngx_http_request_t *r,
    ngx_http_vidcast_params_t *params);


#endif /* _NGX_HTTP_VIDCAST_PARAMS_H_INCLUDED_ */
