
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
static u_char *ngx_http_vidcast_status_desk(u_char *p, u_char *last,
    ngx_vidcast_conf_t *conf, ngx_vidcast_source_t *source, ngx_uint_t n,
    ngx_log_t *log);


u_char *
ngx_http_vidcast_status_predictor(u_char *p, u_char *last,
    ngx_vidcast_conf_t *conf, ngx_vidcast_source_t *source, ngx_log_t *log)
{
    ngx_uint_t                  i;
    ngx_vidcast_desk_t         *desk;
    ngx_vidcast_desks_t        *desks;
    ngx_http_vidcast_metric_t  *m;

    desks = &source->zone->desks;

    if (desks->n == 0) {
        return p;
    }

    desk = ngx_http_vidcast_status_worst(desks);

    p = ngx_slprintf(p, last, "\"predictor\":{\"state\":\"%V\",",
                     ngx_vidcast_desk_state_name(
                         ngx_vidcast_load(&desk->state)));

    p = ngx_http_vidcast_status_error(p, last, desk->error);

    for (m = ngx_http_vidcast_desks; m->name; m++) {
        p = ngx_slprintf(p, last, "\"%s\":%uL,", m->name,
                         ngx_http_vidcast_status_desks(desks, m->offset));
    }

    p = ngx_slprintf(p, last, "\"processes\":[");

    for (i = 0; i < desks->n; i++) {

        if (i) {
            p = ngx_slprintf(p, last, ",");
        }

        p = ngx_http_vidcast_status_desk(p, last, conf, source, i, log);
    }

    return ngx_slprintf(p, last, "]},");
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


static u_char *
ngx_http_vidcast_status_desk(u_char *p, u_char *last,
    ngx_vidcast_conf_t *conf, ngx_vidcast_source_t *source, ngx_uint_t n,
    ngx_log_t *log)
{
    ngx_pid_t            pid;
    ngx_vidcast_desk_t  *desk;

    desk = ngx_vidcast_desk(&source->zone->desks, n);

    pid = ngx_vidcast_role_holder(conf->control->roles,
                                  ngx_vidcast_role_predictor(source->entry, n),
                                  log);

    p = ngx_slprintf(p, last,
                     "{\"pid\":%P,\"child\":%L,\"state\":\"%V\","
                     "\"failing\":%s,\"starts\":%uL,",
                     pid, pid ? desk->child : 0,
                     ngx_vidcast_desk_state_name(
                         ngx_vidcast_load(&desk->state)),
                     ngx_vidcast_load(&desk->failing) ? "true" : "false",
                     desk->counters.starts);

    p = ngx_http_vidcast_status_error(p, last, desk->error);

    p[-1] = '}';

    return p;
}
