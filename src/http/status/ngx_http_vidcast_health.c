
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "http/conf/ngx_http_vidcast_module.h"
#include "http/status/ngx_http_vidcast_status_response.h"
#include "http/status/ngx_http_vidcast_status_source.h"


/* for balancers of load, and what restarts containers: is all well? */


static void ngx_http_vidcast_health_source(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf, ngx_vidcast_source_t *source, ngx_log_t *log);
static ngx_uint_t ngx_http_vidcast_health_unhealthy(
    ngx_vidcast_source_t *source, ngx_http_vidcast_life_t *life);


ngx_int_t
ngx_http_vidcast_health_handler(ngx_http_request_t *r)
{
    ngx_int_t                       rc;
    ngx_uint_t                      i, n, unhealthy;
    ngx_vidcast_conf_t             *conf;
    ngx_vidcast_source_t          **source;
    ngx_http_vidcast_text_t         text;
    ngx_http_vidcast_main_conf_t   *vmcf;

    static ngx_str_t  type = ngx_string("application/json");

    rc = ngx_http_vidcast_status_begin(r);

    if (rc != NGX_OK) {
        return rc;
    }

    vmcf = ngx_http_get_module_main_conf(r, ngx_http_vidcast_module);
    conf = &vmcf->vidcast;

    source = conf->sources.elts;
    n = vmcf->feeds ? conf->sources.nelts : 0;

    ngx_http_vidcast_text_init(&text, r->pool);

    for (i = 0; i < n; i++) {
        ngx_http_vidcast_health_source(&text, conf, source[i],
                                       r->connection->log);
    }

    /* as long as nothing is unhealthy there is no list */

    unhealthy = (text.size != 0);

    if (unhealthy) {
        ngx_http_vidcast_text_end(&text, ']');
        ngx_http_vidcast_text_end(&text, '}');

    } else {
        ngx_http_vidcast_text_printf(&text, "{\"v\":1,\"status\":\"ok\"}");
    }

    ngx_http_vidcast_text_printf(&text, CRLF);

    return ngx_http_vidcast_status_send(r, &text,
                                        unhealthy
                                            ? NGX_HTTP_SERVICE_UNAVAILABLE
                                            : NGX_HTTP_OK,
                                        &type);
}


/*
 * Nothing, if it is well.  Where pictures come a predictor has to look at them:
 * without any predictor its viewers get "predictor_failed" for each result.
 */

static void
ngx_http_vidcast_health_source(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf, ngx_vidcast_source_t *source, ngx_log_t *log)
{
    u_char                           *error;
    ngx_str_t                        *name;
    ngx_vidcast_zone_t               *zone;
    ngx_http_vidcast_life_t           life;
    ngx_vidcast_predictor_mailbox_t  *mailbox;

    ngx_http_vidcast_status_life(conf, source, &life, log);

    zone = source->original.zone;
    name = ngx_vidcast_state_name(life.state);
    error = life.error;

    if (!ngx_http_vidcast_health_unhealthy(source, &life)) {

        mailbox = ngx_http_vidcast_status_failed(&zone->mailboxes);

        if (mailbox == NULL || life.state != NGX_VIDCAST_LIVE) {
            return;
        }

        name = ngx_vidcast_predictor_state_name(NGX_VIDCAST_PREDICTOR_FAILED);
        error = mailbox->error;
    }

    if (text->size == 0) {
        ngx_http_vidcast_text_begin(text, NULL, '{');
        ngx_http_vidcast_text_item(text, "\"v\":1,\"status\":\"unhealthy\"");
        ngx_http_vidcast_text_begin(text, "sources", '[');
    }

    ngx_http_vidcast_text_begin(text, NULL, '{');
    ngx_http_vidcast_text_item(text, "\"name\":\"%V\"", &source->name);
    ngx_http_vidcast_status_error(text, error);
    ngx_http_vidcast_text_item(text, "\"state\":\"%V\"", name);
    ngx_http_vidcast_text_end(text, '}');
}


/*
 * What waits for a viewer is well: a sleeping source, also when it has just
 * been woken, and one without a publisher.
 */

static ngx_uint_t
ngx_http_vidcast_health_unhealthy(ngx_vidcast_source_t *source,
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
