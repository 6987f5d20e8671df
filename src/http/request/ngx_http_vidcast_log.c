
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "http/conf/ngx_http_vidcast_module.h"


#define NGX_HTTP_VIDCAST_LOG_TELL  1000    /* ms */


/*
 * Lines above the level of info that a client can have written with each of
 * its requests.  A location may be without a source, so nothing here waits for
 * what is made for sources when a process starts.
 */


static void ngx_http_vidcast_log_tell_handler(ngx_event_t *ev);


static const char  *ngx_http_vidcast_log_kinds[NGX_HTTP_VIDCAST_LOG_KINDS] = {
    "requests of pages which are not allowed",
    "requests for sources which are not there",
    "requests which their location cannot answer"
};


ngx_uint_t
ngx_http_vidcast_log_limit(ngx_http_request_t *r, ngx_uint_t kind)
{
    ngx_event_t                   *timer;
    ngx_http_vidcast_main_conf_t  *vmcf;

    vmcf = ngx_http_get_module_main_conf(r, ngx_http_vidcast_module);

    if (ngx_vidcast_log_limit(&vmcf->log_limits[kind],
                              NGX_VIDCAST_LOG_REQUESTS, ngx_vidcast_clock()))
    {
        return 1;
    }

    timer = &vmcf->log_timer;

    if (!timer->timer_set) {
        timer->handler = ngx_http_vidcast_log_tell_handler;
        timer->data = vmcf;
        timer->log = ngx_cycle->log;
        timer->cancelable = 1;

        ngx_add_timer(timer, NGX_HTTP_VIDCAST_LOG_TELL);
    }

    return 0;
}


/* goes on as long as there is something to be told, later */

static void
ngx_http_vidcast_log_tell_handler(ngx_event_t *ev)
{
    ngx_uint_t                     i, more;
    ngx_vidcast_log_limit_t       *limit;
    ngx_http_vidcast_main_conf_t  *vmcf;

    vmcf = ev->data;
    more = 0;

    for (i = 0; i < NGX_HTTP_VIDCAST_LOG_KINDS; i++) {
        limit = &vmcf->log_limits[i];

        ngx_vidcast_log_limit_tell(limit, NGX_VIDCAST_LOG_REQUESTS,
                                   NGX_LOG_ERR, ev->log, NULL,
                                   ngx_http_vidcast_log_kinds[i]);

        more |= (limit->more != 0);
    }

    if (more) {
        ngx_add_timer(ev, NGX_HTTP_VIDCAST_LOG_TELL);
    }
}
