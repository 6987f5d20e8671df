
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_vidcast_status.h"
#include "ngx_vidcast_roles.h"


/* what the status says of predictor processes; they may write it just now */


static ngx_vidcast_desk_t *ngx_http_vidcast_status_worst(
    ngx_vidcast_desks_t *desks);
static u_char *ngx_http_vidcast_status_counters(u_char *p, u_char *last,
    ngx_vidcast_desks_t *desks);
static u_char *ngx_http_vidcast_status_desk(u_char *p, u_char *last,
    ngx_vidcast_conf_t *conf, ngx_vidcast_source_t *source, ngx_uint_t n,
    ngx_log_t *log);


typedef struct {
    const char  *name;
    size_t       offset;
} ngx_http_vidcast_status_count_t;


#define ngx_http_vidcast_status_count(name)                                   \
    { #name, offsetof(ngx_vidcast_desk_counters_t, name) }

static ngx_http_vidcast_status_count_t  ngx_http_vidcast_status_counts[] = {
    ngx_http_vidcast_status_count(starts),
    ngx_http_vidcast_status_count(deaths),
    ngx_http_vidcast_status_count(timeouts),
    ngx_http_vidcast_status_count(killed),
    ngx_http_vidcast_status_count(answers),
    ngx_http_vidcast_status_count(none),
    ngx_http_vidcast_status_count(bad),
    ngx_http_vidcast_status_count(too_large),
    ngx_http_vidcast_status_count(stray),
    ngx_http_vidcast_status_count(logged),
    { NULL, 0 }
};


u_char *
ngx_http_vidcast_status_predictor(u_char *p, u_char *last,
    ngx_vidcast_conf_t *conf, ngx_vidcast_source_t *source, ngx_log_t *log)
{
    ngx_uint_t            i;
    ngx_vidcast_desk_t   *desk;
    ngx_vidcast_desks_t  *desks;

    desks = &source->zone->desks;

    if (desks->n == 0) {
        return p;
    }

    desk = ngx_http_vidcast_status_worst(desks);

    p = ngx_slprintf(p, last, "\"predictor\":{\"state\":\"%V\",",
                     ngx_vidcast_desk_state_name(
                         ngx_vidcast_load(&desk->state)));

    p = ngx_http_vidcast_status_error(p, last, desk->error);
    p = ngx_http_vidcast_status_counters(p, last, desks);

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


static u_char *
ngx_http_vidcast_status_counters(u_char *p, u_char *last,
    ngx_vidcast_desks_t *desks)
{
    u_char                           *counters;
    uint64_t                          sum;
    ngx_uint_t                        i;
    ngx_http_vidcast_status_count_t  *count;

    for (count = ngx_http_vidcast_status_counts; count->name; count++) {

        sum = 0;

        for (i = 0; i < desks->n; i++) {
            counters = (u_char *) &ngx_vidcast_desk(desks, i)->counters;
            sum += *(uint64_t *) (counters + count->offset);
        }

        p = ngx_slprintf(p, last, "\"%s\":%uL,", count->name, sum);
    }

    return p;
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
