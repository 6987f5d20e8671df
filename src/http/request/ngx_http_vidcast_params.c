
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "http/request/ngx_http_vidcast_params.h"
#include "core/ngx_vidcast_escape.h"
#include "core/ngx_vidcast_string.h"


/* of results: none is as high */

#define NGX_HTTP_VIDCAST_PARAMS_NEVER  ((uint64_t) -1)


static ngx_uint_t ngx_http_vidcast_params_narrow(ngx_uint_t given,
    ngx_uint_t asked);
static ngx_int_t ngx_http_vidcast_params_allow(ngx_http_request_t *r,
    ngx_http_vidcast_params_t *params);
static ngx_int_t ngx_http_vidcast_params_add(ngx_http_request_t *r,
    ngx_http_vidcast_params_t *params, ngx_str_t *name);
static ngx_int_t ngx_http_vidcast_params_choose(ngx_http_request_t *r,
    ngx_http_vidcast_params_t *params);
static void ngx_http_vidcast_params_since(ngx_vidcast_query_t *query,
    ngx_str_t *id);


/*
 * What is asked for beyond the location: "fps" is cut to it, in silence; "send"
 * is cut, or 403 if nothing is left; "overlay" is 403, and "source" 404.
 */

ngx_int_t
ngx_http_vidcast_params_read(ngx_http_request_t *r,
    ngx_http_vidcast_params_t *params)
{
    ngx_int_t                     rc;
    ngx_str_t                     name;
    ngx_vidcast_query_t          *query;
    ngx_vidcast_escaped_t         escaped;
    ngx_http_vidcast_loc_conf_t  *vlcf;

    vlcf = ngx_http_get_module_loc_conf(r, ngx_http_vidcast_module);

    params->nfeeds = 0;
    query = &params->query;

    ngx_http_vidcast_headers_read(r, &params->headers);

    rc = ngx_http_vidcast_params_allow(r, params);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_vidcast_query_parse(&r->args, query, &name) != NGX_OK) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "client sent invalid argument \"%V\"",
                      ngx_vidcast_escape_name(&escaped, &name));
        return NGX_HTTP_BAD_REQUEST;
    }

    ngx_http_vidcast_params_since(query, params->headers.last_event_id);

    params->send = vlcf->send;

    if (query->has & NGX_VIDCAST_QUERY_SEND) {
        params->send = ngx_http_vidcast_params_narrow(vlcf->send, query->send);

        if (params->send == 0) {
            return NGX_HTTP_FORBIDDEN;
        }
    }

    if (query->overlay && !vlcf->overlay) {
        return NGX_HTTP_FORBIDDEN;
    }

    params->min_interval = vlcf->fps ? 1000000 / vlcf->fps : 0;
    params->interval = ngx_max(params->min_interval, query->interval);

    return ngx_http_vidcast_params_choose(r, params);
}


/*
 * Less than the location gives, never more: pairs are less than both, and
 * pictures alone are more than pairs.
 */

static ngx_uint_t
ngx_http_vidcast_params_narrow(ngx_uint_t given, ngx_uint_t asked)
{
    if (given == NGX_HTTP_VIDCAST_PAIRED) {
        return (asked == NGX_HTTP_VIDCAST_FRAMES) ? 0
               : (asked == NGX_HTTP_VIDCAST_RESULTS) ? asked : given;
    }

    if (given == NGX_HTTP_VIDCAST_BOTH) {
        return asked;
    }

    return given & asked;
}


/* the location's sources: "a,b", possibly made of variables, or the only one */

static ngx_int_t
ngx_http_vidcast_params_allow(ngx_http_request_t *r,
    ngx_http_vidcast_params_t *params)
{
    ngx_int_t                      rc;
    ngx_str_t                      names, name;
    ngx_uint_t                     more;
    ngx_http_vidcast_loc_conf_t   *vlcf;
    ngx_http_vidcast_main_conf_t  *vmcf;

    vlcf = ngx_http_get_module_loc_conf(r, ngx_http_vidcast_module);
    vmcf = ngx_http_get_module_main_conf(r, ngx_http_vidcast_module);

    if (vmcf->feeds == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (vlcf->source == NULL) {
        params->feeds[params->nfeeds++] = &vmcf->feeds[0];
        return NGX_OK;
    }

    if (ngx_http_complex_value(r, vlcf->source, &names) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    do {
        more = ngx_vidcast_list_next(&names, &name, 0);

        rc = ngx_http_vidcast_params_add(r, params, &name);

        if (rc != NGX_OK) {
            return rc;
        }

    } while (more);

    return NGX_OK;
}


static ngx_int_t
ngx_http_vidcast_params_add(ngx_http_request_t *r,
    ngx_http_vidcast_params_t *params, ngx_str_t *name)
{
    ngx_vidcast_escaped_t          escaped;
    ngx_http_vidcast_feed_t       *feed;
    ngx_http_vidcast_main_conf_t  *vmcf;

    vmcf = ngx_http_get_module_main_conf(r, ngx_http_vidcast_module);

    feed = ngx_http_vidcast_feed_find(vmcf, name);

    if (feed && params->nfeeds < NGX_HTTP_VIDCAST_MAX_WATCH) {
        params->feeds[params->nfeeds++] = feed;
        return NGX_OK;
    }

    if (ngx_http_vidcast_log_limit(r, NGX_HTTP_VIDCAST_LOG_SOURCE)) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      feed ? "too many sources, at \"%V\""
                          : "no vidcast_source \"%V\"",
                      ngx_vidcast_escape_name(&escaped, name));
    }

    return NGX_HTTP_NOT_FOUND;
}


/* all of them, unless the query names some */

static ngx_int_t
ngx_http_vidcast_params_choose(ngx_http_request_t *r,
    ngx_http_vidcast_params_t *params)
{
    ngx_uint_t                     i, n;
    ngx_vidcast_query_t           *query;
    ngx_http_vidcast_feed_t       *feed;
    ngx_http_vidcast_main_conf_t  *vmcf;

    vmcf = ngx_http_get_module_main_conf(r, ngx_http_vidcast_module);

    query = &params->query;

    params->chosen = (uint32_t) (((uint64_t) 1 << params->nfeeds) - 1);

    if (!(query->has & NGX_VIDCAST_QUERY_SOURCE)) {
        return NGX_OK;
    }

    params->chosen = 0;

    for (i = 0; i < query->nsources; i++) {

        feed = ngx_http_vidcast_feed_find(vmcf, &query->sources[i]);

        for (n = 0; n < params->nfeeds; n++) {
            if (params->feeds[n] == feed) {
                params->chosen |= (uint32_t) 1 << n;
                break;
            }
        }

        if (n == params->nfeeds) {
            return NGX_HTTP_NOT_FOUND;
        }
    }

    return NGX_OK;
}


/*
 * EventSource says by itself what it got last; "since" is for the others.  The
 * id may be of another server, which had this address before: a refusal would
 * end the EventSource for good, so it is an id of other times.
 */

static void
ngx_http_vidcast_params_since(ngx_vidcast_query_t *query, ngx_str_t *id)
{
    if ((query->has & NGX_VIDCAST_QUERY_SINCE) || id == NULL || id->len == 0) {
        return;
    }

    query->has |= NGX_VIDCAST_QUERY_SINCE;

    if (ngx_vidcast_query_point(id, &query->since) != NGX_OK) {
        query->since.any = 1;
        query->since.seq = NGX_HTTP_VIDCAST_PARAMS_NEVER;
    }
}


void
ngx_http_vidcast_params_overlay(ngx_http_request_t *r,
    ngx_http_vidcast_params_t *params)
{
    ngx_uint_t                    n;
    ngx_http_vidcast_loc_conf_t  *vlcf;

    vlcf = ngx_http_get_module_loc_conf(r, ngx_http_vidcast_module);

    if (!vlcf->overlay
        || ((params->query.has & NGX_VIDCAST_QUERY_OVERLAY)
            && !params->query.overlay))
    {
        return;
    }

    for (n = 0; n < params->nfeeds; n++) {
        if (params->feeds[n]->overlay) {
            params->feeds[n] = params->feeds[n]->overlay;
        }
    }
}


ngx_http_vidcast_feed_t *
ngx_http_vidcast_params_feed(ngx_http_vidcast_params_t *params)
{
    ngx_uint_t  n;

    for (n = 0; !(params->chosen & ((uint32_t) 1 << n)); n++) {
        /* void */
    }

    return params->feeds[n];
}


ngx_int_t
ngx_http_vidcast_params_stats(ngx_http_vidcast_params_t *params,
    ngx_http_request_t *r, ngx_http_vidcast_viewer_stats_t *stats)
{
    u_char      *p;
    ngx_str_t   *name;
    ngx_uint_t   n;

    stats->source = ngx_http_vidcast_params_feed(params)->source->name;

    if (params->chosen & (params->chosen - 1)) {

        p = ngx_pnalloc(r->pool, params->nfeeds * (NGX_VIDCAST_MAX_NAME + 1));
        if (p == NULL) {
            return NGX_ERROR;
        }

        stats->source.data = p;

        for (n = 0; n < params->nfeeds; n++) {

            if (!(params->chosen & ((uint32_t) 1 << n))) {
                continue;
            }

            name = &params->feeds[n]->source->name;

            p = ngx_cpymem(p, name->data, name->len);
            *p++ = ',';
        }

        stats->source.len = p - 1 - stats->source.data;
    }

    return ngx_http_vidcast_variables_set(r, stats);
}


ngx_int_t
ngx_http_vidcast_params_join(ngx_http_vidcast_params_t *params,
    ngx_http_vidcast_viewer_t *viewer)
{
    ngx_int_t                     rc;
    ngx_uint_t                    n;
    ngx_vidcast_query_t          *query;
    ngx_http_vidcast_loc_conf_t  *vlcf;

    query = &params->query;

    vlcf = ngx_http_get_module_loc_conf(viewer->session.request,
                                        ngx_http_vidcast_module);

    viewer->results = (params->send & NGX_HTTP_VIDCAST_RESULTS) ? 1 : 0;
    viewer->frames = (params->send & NGX_HTTP_VIDCAST_FRAMES) ? 1 : 0;
    viewer->paired = (params->send == NGX_HTTP_VIDCAST_PAIRED);
    viewer->interval = params->interval;
    viewer->backlog = vlcf->backlog;

    rc = ngx_http_vidcast_params_stats(params, viewer->session.request,
                                       &viewer->stats);

    if (rc == NGX_OK) {
        rc = ngx_http_vidcast_viewer_join(viewer);
    }

    for (n = 0; rc == NGX_OK && n < params->nfeeds; n++) {

        if (!(params->chosen & ((uint32_t) 1 << n))) {
            continue;
        }

        rc = ngx_http_vidcast_viewer_subscribe(params->feeds[n], viewer,
                             (query->has & NGX_VIDCAST_QUERY_SINCE)
                                 ? &query->since : NULL);
    }

    switch (rc) {

    case NGX_OK:
        return NGX_OK;

    case NGX_BUSY:
        return NGX_HTTP_SERVICE_UNAVAILABLE;

    default: /* NGX_ERROR */
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
}
