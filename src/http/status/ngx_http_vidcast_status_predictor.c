
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "http/status/ngx_http_vidcast_status.h"
#include "shm/ngx_vidcast_roles.h"


/* what the status says of predictor processes; they may write it just now */


static ngx_vidcast_desk_t *ngx_http_vidcast_status_worst(
    ngx_vidcast_desks_t *desks);
static void ngx_http_vidcast_status_desk(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf, ngx_vidcast_source_t *source, ngx_uint_t n,
    ngx_log_t *log);


void
ngx_http_vidcast_status_predictor(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf, ngx_vidcast_source_t *source, ngx_log_t *log)
{
    ngx_uint_t                  i;
    ngx_vidcast_desk_t         *desk;
    ngx_vidcast_desks_t        *desks;
    ngx_http_vidcast_metric_t  *m;

    desks = &source->zone->desks;

    if (desks->n == 0) {
        return;
    }

    desk = ngx_http_vidcast_status_worst(desks);

    ngx_http_vidcast_text_begin(text, "predictor", '{');

    ngx_http_vidcast_text_item(text, "\"state\":\"%V\"",
                               ngx_vidcast_desk_state_name(
                                   ngx_vidcast_load(&desk->state)));

    ngx_http_vidcast_status_error(text, desk->error);

    for (m = ngx_http_vidcast_desks; m->name; m++) {
        ngx_http_vidcast_text_item(text, "\"%s\":%uL", m->name,
                             ngx_http_vidcast_status_desks(desks, m->offset));
    }

    ngx_http_vidcast_text_begin(text, "processes", '[');

    for (i = 0; i < desks->n; i++) {
        ngx_http_vidcast_status_desk(text, conf, source, i, log);
    }

    ngx_http_vidcast_text_end(text, ']');
    ngx_http_vidcast_text_end(text, '}');
}


/* "ready" is said of all together only */

static ngx_vidcast_desk_t *
ngx_http_vidcast_status_worst(ngx_vidcast_desks_t *desks)
{
    ngx_uint_t           i;
    ngx_vidcast_desk_t  *desk, *worst;

    worst = ngx_vidcast_desk(desks, 0);

    for (i = 1; i < desks->n; i++) {
        desk = ngx_vidcast_desk(desks, i);

        if (ngx_vidcast_load(&worst->state) == NGX_VIDCAST_PREDICTOR_READY
            || ngx_vidcast_load(&desk->state) > NGX_VIDCAST_PREDICTOR_READY)
        {
            worst = desk;
        }
    }

    return worst;
}


uint64_t
ngx_http_vidcast_status_desks(ngx_vidcast_desks_t *desks, size_t offset)
{
    u_char      *counters;
    uint64_t     sum;
    ngx_uint_t   i;

    sum = 0;

    for (i = 0; i < desks->n; i++) {
        counters = (u_char *) &ngx_vidcast_desk(desks, i)->counters;
        sum += *(uint64_t *) (counters + offset);
    }

    return sum;
}


ngx_vidcast_desk_t *
ngx_http_vidcast_status_failed(ngx_vidcast_desks_t *desks)
{
    ngx_uint_t  i;

    for (i = 0; i < desks->n; i++) {
        if (!ngx_vidcast_load(&ngx_vidcast_desk(desks, i)->failing)) {
            return NULL;
        }
    }

    return desks->n ? ngx_vidcast_desk(desks, 0) : NULL;
}


static void
ngx_http_vidcast_status_desk(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf, ngx_vidcast_source_t *source, ngx_uint_t n,
    ngx_log_t *log)
{
    ngx_pid_t            pid;
    ngx_vidcast_desk_t  *desk;

    desk = ngx_vidcast_desk(&source->zone->desks, n);

    pid = ngx_vidcast_role_holder(conf->control->roles,
                                  ngx_vidcast_role_predictor(source->entry, n),
                                  log);

    ngx_http_vidcast_text_begin(text, NULL, '{');

    ngx_http_vidcast_text_item(text, "\"pid\":%P,\"child\":%L,"
                               "\"state\":\"%V\",\"failing\":%s,"
                               "\"starts\":%uL",
                               pid, pid ? desk->child : 0,
                               ngx_vidcast_desk_state_name(
                                   ngx_vidcast_load(&desk->state)),
                               ngx_vidcast_load(&desk->failing) ? "true"
                                                                : "false",
                               desk->counters.starts);

    ngx_http_vidcast_status_error(text, desk->error);

    ngx_http_vidcast_text_end(text, '}');
}
