
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "http/websocket/ngx_http_vidcast_handshake.h"
#include "http/request/ngx_http_vidcast_wish.h"
#include "core/ngx_vidcast_escape.h"


static ngx_uint_t ngx_http_vidcast_wish_narrow(ngx_uint_t given,
    ngx_uint_t asked);
static ngx_int_t ngx_http_vidcast_wish_allow(ngx_http_request_t *r,
    ngx_http_vidcast_wish_t *wish);
static ngx_int_t ngx_http_vidcast_wish_add(ngx_http_request_t *r,
    ngx_http_vidcast_wish_t *wish, ngx_str_t *name);
static ngx_int_t ngx_http_vidcast_wish_choose(ngx_http_request_t *r,
    ngx_http_vidcast_wish_t *wish);
static void ngx_http_vidcast_wish_point(ngx_http_request_t *r,
    ngx_vidcast_query_t *query);


ngx_int_t
ngx_http_vidcast_wish_read(ngx_http_request_t *r,
    ngx_http_vidcast_wish_t *wish)
{
    ngx_int_t                     rc;
    ngx_str_t                     name;
    ngx_vidcast_query_t          *query;
    ngx_vidcast_escaped_t         escaped;
    ngx_http_vidcast_loc_conf_t  *vlcf;

    vlcf = ngx_http_get_module_loc_conf(r, ngx_http_vidcast_module);

    wish->nhubs = 0;
    query = &wish->query;

    rc = ngx_http_vidcast_wish_allow(r, wish);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_vidcast_query_parse(&r->args, query, &name) != NGX_OK) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "client sent invalid argument \"%V\"",
                      ngx_vidcast_escape_name(&escaped, &name));
        return NGX_HTTP_BAD_REQUEST;
    }

    ngx_http_vidcast_wish_point(r, query);

    wish->send = vlcf->send;

    if (query->has & NGX_VIDCAST_QUERY_SEND) {
        wish->send = ngx_http_vidcast_wish_narrow(vlcf->send, query->send);

        if (wish->send == 0) {
            return NGX_HTTP_FORBIDDEN;
        }
    }

    if (query->overlay && !vlcf->overlay) {
        return NGX_HTTP_FORBIDDEN;
    }

    wish->interval = vlcf->fps ? 1000000 / vlcf->fps : 0;
    wish->interval = ngx_max(wish->interval, query->interval);

    return ngx_http_vidcast_wish_choose(r, wish);
}


/*
 * Less than the location gives, never more: pairs are less than both, and
 * pictures alone are more than pairs.
 */

static ngx_uint_t
ngx_http_vidcast_wish_narrow(ngx_uint_t given, ngx_uint_t asked)
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
ngx_http_vidcast_wish_allow(ngx_http_request_t *r,
    ngx_http_vidcast_wish_t *wish)
{
    u_char                        *p, *last;
    ngx_int_t                      rc;
    ngx_str_t                      names, name;
    ngx_http_vidcast_loc_conf_t   *vlcf;
    ngx_http_vidcast_main_conf_t  *vmcf;

    vlcf = ngx_http_get_module_loc_conf(r, ngx_http_vidcast_module);
    vmcf = ngx_http_get_module_main_conf(r, ngx_http_vidcast_module);

    if (vmcf->hubs == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (vlcf->source == NULL) {
        wish->hubs[wish->nhubs++] = &vmcf->hubs[0];
        return NGX_OK;
    }

    if (ngx_http_complex_value(r, vlcf->source, &names) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    last = names.data + names.len;
    name.data = names.data;

    for (p = name.data; p <= last; p++) {

        if (p < last && *p != ',') {
            continue;
        }

        name.len = p - name.data;

        rc = ngx_http_vidcast_wish_add(r, wish, &name);

        if (rc != NGX_OK) {
            return rc;
        }

        name.data = p + 1;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_vidcast_wish_add(ngx_http_request_t *r, ngx_http_vidcast_wish_t *wish,
    ngx_str_t *name)
{
    ngx_vidcast_escaped_t          escaped;
    ngx_http_vidcast_hub_t        *hub;
    ngx_http_vidcast_main_conf_t  *vmcf;

    vmcf = ngx_http_get_module_main_conf(r, ngx_http_vidcast_module);

    hub = ngx_http_vidcast_hub_find(vmcf, name);

    if (hub == NULL || wish->nhubs == NGX_HTTP_VIDCAST_MAX_WATCH) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      hub ? "too many sources, at \"%V\""
                          : "no vidcast_source \"%V\"",
                      ngx_vidcast_escape_name(&escaped, name));
        return NGX_HTTP_NOT_FOUND;
    }

    wish->hubs[wish->nhubs++] = hub;

    return NGX_OK;
}


/* all of them, but for those who name what they want */

static ngx_int_t
ngx_http_vidcast_wish_choose(ngx_http_request_t *r,
    ngx_http_vidcast_wish_t *wish)
{
    ngx_str_t            *name;
    ngx_uint_t            i, n;
    ngx_vidcast_query_t  *query;

    query = &wish->query;

    wish->chosen = (uint32_t) (((uint64_t) 1 << wish->nhubs) - 1);

    if (!(query->has & NGX_VIDCAST_QUERY_SOURCE)) {
        return NGX_OK;
    }

    wish->chosen = 0;

    for (i = 0; i < query->nsources; i++) {

        for (n = 0; n < wish->nhubs; n++) {
            name = &wish->hubs[n]->source->name;

            if (name->len == query->sources[i].len
                && ngx_strncmp(name->data, query->sources[i].data, name->len)
                   == 0)
            {
                wish->chosen |= (uint32_t) 1 << n;
                break;
            }
        }

        if (n == wish->nhubs) {
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
ngx_http_vidcast_wish_point(ngx_http_request_t *r, ngx_vidcast_query_t *query)
{
    ngx_table_elt_t  *h;

    static ngx_str_t  name = ngx_string("Last-Event-ID");

    if (query->has & NGX_VIDCAST_QUERY_SINCE) {
        return;
    }

    h = ngx_http_vidcast_header(r, &name, 0);

    if (h == NULL || h->value.len == 0) {
        return;
    }

    query->has |= NGX_VIDCAST_QUERY_SINCE;

    if (ngx_vidcast_query_point(&h->value, &query->since) != NGX_OK) {
        query->since.any = 1;
        query->since.seq = NGX_HTTP_VIDCAST_UNKNOWN;
    }
}


void
ngx_http_vidcast_wish_overlay(ngx_http_request_t *r,
    ngx_http_vidcast_wish_t *wish)
{
    ngx_uint_t                    n;
    ngx_http_vidcast_loc_conf_t  *vlcf;

    vlcf = ngx_http_get_module_loc_conf(r, ngx_http_vidcast_module);

    if (!vlcf->overlay
        || ((wish->query.has & NGX_VIDCAST_QUERY_OVERLAY)
            && !wish->query.overlay))
    {
        return;
    }

    for (n = 0; n < wish->nhubs; n++) {
        if (wish->hubs[n]->overlay) {
            wish->hubs[n] = wish->hubs[n]->overlay;
        }
    }
}


ngx_http_vidcast_hub_t *
ngx_http_vidcast_wish_hub(ngx_http_vidcast_wish_t *wish)
{
    ngx_uint_t  n;

    for (n = 0; !(wish->chosen & ((uint32_t) 1 << n)); n++) {
        /* void */
    }

    return wish->hubs[n];
}


ngx_int_t
ngx_http_vidcast_wish_tell(ngx_http_vidcast_wish_t *wish,
    ngx_http_request_t *r, ngx_http_vidcast_tally_t *tally)
{
    u_char      *p;
    ngx_str_t   *name;
    ngx_uint_t   n;

    tally->source = ngx_http_vidcast_wish_hub(wish)->source->name;

    if (wish->chosen & (wish->chosen - 1)) {

        p = ngx_pnalloc(r->pool, wish->nhubs * (NGX_VIDCAST_MAX_NAME + 1));
        if (p == NULL) {
            return NGX_ERROR;
        }

        tally->source.data = p;

        for (n = 0; n < wish->nhubs; n++) {

            if (!(wish->chosen & ((uint32_t) 1 << n))) {
                continue;
            }

            name = &wish->hubs[n]->source->name;

            p = ngx_cpymem(p, name->data, name->len);
            *p++ = ',';
        }

        tally->source.len = p - 1 - tally->source.data;
    }

    return ngx_http_vidcast_variables_tell(r, tally);
}


ngx_int_t
ngx_http_vidcast_wish_join(ngx_http_vidcast_wish_t *wish,
    ngx_http_vidcast_viewer_t *viewer)
{
    uint64_t                      since;
    ngx_int_t                     rc;
    ngx_uint_t                    n;
    ngx_vidcast_query_t          *query;
    ngx_http_vidcast_hub_t       *hub;
    ngx_http_vidcast_loc_conf_t  *vlcf;

    query = &wish->query;

    vlcf = ngx_http_get_module_loc_conf(viewer->request,
                                        ngx_http_vidcast_module);

    viewer->results = (wish->send & NGX_HTTP_VIDCAST_RESULTS) ? 1 : 0;
    viewer->frames = (wish->send & NGX_HTTP_VIDCAST_FRAMES) ? 1 : 0;
    viewer->paired = (wish->send == NGX_HTTP_VIDCAST_PAIRED);
    viewer->interval = wish->interval;
    viewer->backlog = vlcf->backlog;
    viewer->stall_timeout = vlcf->stall_timeout;

    rc = ngx_http_vidcast_wish_tell(wish, viewer->request, &viewer->tally);

    if (rc == NGX_OK) {
        rc = ngx_http_vidcast_hub_join(wish->hubs[0]->vmcf, viewer);
    }

    for (n = 0; rc == NGX_OK && n < wish->nhubs; n++) {

        if (!(wish->chosen & ((uint32_t) 1 << n))) {
            continue;
        }

        hub = wish->hubs[n];

        since = query->since.seq;

        if (!query->since.any
            && query->since.epoch != hub->zone->ring.shm->epoch)
        {
            since = NGX_HTTP_VIDCAST_UNKNOWN;
        }

        rc = ngx_http_vidcast_hub_subscribe(hub, viewer,
                             (query->has & NGX_VIDCAST_QUERY_SINCE) ? &since
                                                                    : NULL);
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
