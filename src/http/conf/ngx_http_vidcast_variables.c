
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "http/delivery/ngx_http_vidcast_viewer.h"


/*
 * What one viewer got, for access logs.  The counters of a viewer are found by
 * their place among the pool's cleanups: those of the request have been called
 * when the log is written, and so its viewer has left.
 */


static void ngx_http_vidcast_variables_cleanup(void *data);
static ngx_http_vidcast_viewer_stats_t *ngx_http_vidcast_variables_stats(
    ngx_http_request_t *r);
static ngx_int_t ngx_http_vidcast_variables_source(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_vidcast_variables_number(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);


static ngx_http_variable_t  ngx_http_vidcast_vars[] = {

    { ngx_string("vidcast_source"), NULL,
      ngx_http_vidcast_variables_source, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("vidcast_frames"), NULL,
      ngx_http_vidcast_variables_number,
      offsetof(ngx_http_vidcast_viewer_stats_t, frames),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("vidcast_results"), NULL,
      ngx_http_vidcast_variables_number,
      offsetof(ngx_http_vidcast_viewer_stats_t, results),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("vidcast_skipped"), NULL,
      ngx_http_vidcast_variables_number,
      offsetof(ngx_http_vidcast_viewer_stats_t, skipped),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("vidcast_bytes"), NULL,
      ngx_http_vidcast_variables_number,
      offsetof(ngx_http_vidcast_viewer_stats_t, bytes),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_http_vidcast_variables_add(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_vidcast_vars; v->name.len; v++) {

        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_vidcast_variables_set(ngx_http_request_t *r,
    ngx_http_vidcast_viewer_stats_t *stats)
{
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_vidcast_variables_cleanup;
    cln->data = stats;

    return NGX_OK;
}


static void
ngx_http_vidcast_variables_cleanup(void *data)
{
    /* void */
}


/* NULL: the request is none of ours, or was refused before it was one */

static ngx_http_vidcast_viewer_stats_t *
ngx_http_vidcast_variables_stats(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t  *cln;

    for (cln = r->pool->cleanup; cln; cln = cln->next) {
        if (cln->handler == ngx_http_vidcast_variables_cleanup) {
            return cln->data;
        }
    }

    return NULL;
}


static ngx_int_t
ngx_http_vidcast_variables_source(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_vidcast_viewer_stats_t  *stats;

    stats = ngx_http_vidcast_variables_stats(r);

    if (stats == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->data = stats->source.data;
    v->len = stats->source.len;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


static ngx_int_t
ngx_http_vidcast_variables_number(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char                           *p;
    ngx_http_vidcast_viewer_stats_t  *stats;

    stats = ngx_http_vidcast_variables_stats(r);

    if (stats == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, NGX_INT64_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    v->len = ngx_sprintf(p, "%uL", *(uint64_t *) ((u_char *) stats + data))
             - p;
    v->data = p;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}
