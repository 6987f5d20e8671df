
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "http/status/ngx_http_vidcast_status.h"


/* for who balances loads, or starts containers anew: is all as it should be? */


#define NGX_HTTP_VIDCAST_HEALTH_SOURCE                                        \
    (NGX_VIDCAST_MAX_NAME + 6 * NGX_VIDCAST_ERROR_LEN + 128)


static u_char *ngx_http_vidcast_health_source(u_char *p, u_char *last,
    ngx_vidcast_conf_t *conf, ngx_vidcast_source_t *source, ngx_log_t *log);
static ngx_uint_t ngx_http_vidcast_health_ails(ngx_vidcast_source_t *source,
    ngx_http_vidcast_life_t *life);


ngx_int_t
ngx_http_vidcast_health_handler(ngx_http_request_t *r)
{
    u_char                         *p, *last, *list;
    ngx_int_t                       rc;
    ngx_buf_t                      *b;
    ngx_uint_t                      i, n, ailing;
    ngx_vidcast_conf_t             *conf;
    ngx_vidcast_source_t          **source;
    ngx_http_vidcast_main_conf_t   *vmcf;

    static ngx_str_t  type = ngx_string("application/json");

    rc = ngx_http_vidcast_status_begin(r);

    if (rc != NGX_OK) {
        return rc;
    }

    vmcf = ngx_http_get_module_main_conf(r, ngx_http_vidcast_module);
    conf = &vmcf->vidcast;

    source = conf->sources.elts;
    n = vmcf->hubs ? conf->nsources : 0;

    b = ngx_create_temp_buf(r->pool,
                            64 + n * NGX_HTTP_VIDCAST_HEALTH_SOURCE);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    last = b->end;

    /* "status" comes first, and as long as nothing ails there is no list */

    list = ngx_slprintf(b->last, last, "{\"v\":1,\"status\":\"ailing\","
                        "\"sources\":[");
    p = list;

    for (i = 0; i < n; i++) {
        p = ngx_http_vidcast_health_source(p, last, conf, source[i],
                                           r->connection->log);
    }

    ailing = (p != list);

    if (ailing) {

        /* in place of the last comma */

        b->last = ngx_slprintf(p - 1, last, "]}" CRLF);

    } else {
        b->last = ngx_slprintf(b->pos, last, "{\"v\":1,\"status\":\"ok\"}"
                               CRLF);
    }

    return ngx_http_vidcast_status_send(r, b,
                          ailing ? NGX_HTTP_SERVICE_UNAVAILABLE : NGX_HTTP_OK,
                          &type);
}


/*
 * Nothing, if it is well.  Where pictures come somebody has to look at them:
 * without any predictor its viewers get "predictor_failed" for each result.
 */

static u_char *
ngx_http_vidcast_health_source(u_char *p, u_char *last,
    ngx_vidcast_conf_t *conf, ngx_vidcast_source_t *source, ngx_log_t *log)
{
    u_char                   *error;
    ngx_str_t                *name;
    ngx_vidcast_desk_t       *desk;
    ngx_http_vidcast_life_t   life;

    ngx_http_vidcast_status_life(conf, source, &life, log);

    name = ngx_vidcast_state_name(life.state);
    error = life.error;

    if (!ngx_http_vidcast_health_ails(source, &life)) {

        desk = ngx_http_vidcast_status_failed(&source->zone->desks);

        if (desk == NULL || life.state != NGX_VIDCAST_LIVE) {
            return p;
        }

        name = ngx_vidcast_desk_state_name(NGX_VIDCAST_PREDICTOR_FAILED);
        error = desk->error;
    }

    p = ngx_slprintf(p, last, "{\"name\":\"%V\",", &source->name);
    p = ngx_http_vidcast_status_error(p, last, error);

    return ngx_slprintf(p, last, "\"state\":\"%V\"},", name);
}


/*
 * What waits for somebody is well: a sleeping source, also when it has just
 * been woken, and one to which nobody publishes.
 */

static ngx_uint_t
ngx_http_vidcast_health_ails(ngx_vidcast_source_t *source,
    ngx_http_vidcast_life_t *life)
{
    if (life->pid == 0) {
        return 1;
    }

    switch (life->state) {

    case NGX_VIDCAST_LIVE:
    case NGX_VIDCAST_ENDED:
    case NGX_VIDCAST_SLEEPING:
        return 0;

    case NGX_VIDCAST_STARTING:
        return source->on_demand == 0 || life->error[0];

    case NGX_VIDCAST_OFF:
        return !source->input.push;

    default:
        return 1;
    }
}
