
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "http/delivery/ngx_http_vidcast_feed.h"
#include "http/delivery/ngx_http_vidcast_queue.h"
#include "http/delivery/ngx_http_vidcast_session.h"
#include "http/publish/ngx_http_vidcast_publisher.h"
#include "shm/ngx_vidcast_control.h"
#include "wire/ngx_vidcast_deflate.h"
#include "process/ngx_vidcast_manager.h"
#include "os/ngx_vidcast_notify.h"


#define NGX_HTTP_VIDCAST_WATCH_AGAIN  100     /* ms */


static ngx_http_vidcast_main_conf_t *ngx_http_vidcast_cycle_conf(
    ngx_cycle_t *cycle);
static ngx_http_vidcast_main_conf_t *ngx_http_vidcast_source_conf(
    ngx_cycle_t *cycle);
static void ngx_http_vidcast_watch_handler(ngx_event_t *ev);
static void ngx_http_vidcast_exit_handler(ngx_event_t *ev);


ngx_int_t
ngx_http_vidcast_init_module(ngx_cycle_t *cycle)
{
    ngx_http_vidcast_main_conf_t  *vmcf, *old;

    if (ngx_test_config) {
        return NGX_OK;
    }

    vmcf = ngx_http_vidcast_source_conf(cycle);
    old = ngx_http_vidcast_source_conf(cycle->old_cycle);

    ngx_vidcast_zone_publish(vmcf ? &vmcf->vidcast : NULL,
                             old ? &old->vidcast : NULL);

    return NGX_OK;
}


/*
 * NULL: a configuration without us.  If the module's file was replaced before
 * a reload, the old configuration belongs to another module than this one: a
 * stranger, of whose memory nothing is known.
 */

static ngx_http_vidcast_main_conf_t *
ngx_http_vidcast_cycle_conf(ngx_cycle_t *cycle)
{
    ngx_uint_t                     i;
    ngx_http_vidcast_main_conf_t  *vmcf;

    if (cycle == NULL
        || cycle->conf_ctx == NULL
        || cycle->modules == NULL
        || ngx_get_conf(cycle->conf_ctx, ngx_http_module) == NULL)
    {
        return NULL;
    }

    for (i = 0; cycle->modules[i] != &ngx_http_vidcast_module; i++) {
        if (cycle->modules[i] == NULL) {
            return NULL;
        }
    }

    vmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_vidcast_module);

    return (vmcf && (vmcf->vidcast.control || vmcf->echo)) ? vmcf : NULL;
}


/* NULL: there may still be an echo, which shares nothing */

static ngx_http_vidcast_main_conf_t *
ngx_http_vidcast_source_conf(ngx_cycle_t *cycle)
{
    ngx_http_vidcast_main_conf_t  *vmcf;

    vmcf = ngx_http_vidcast_cycle_conf(cycle);

    return (vmcf && vmcf->vidcast.control) ? vmcf : NULL;
}


ngx_int_t
ngx_http_vidcast_init_process(ngx_cycle_t *cycle)
{
    ngx_vidcast_control_t         *control;
    ngx_http_vidcast_main_conf_t  *vmcf;

    vmcf = ngx_http_vidcast_cycle_conf(cycle);

    if (vmcf == NULL) {
        return NGX_OK;
    }

    control = vmcf->vidcast.control;

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        /* a cache manager must not be what keeps captures alive */

        if (control) {
            (void) ngx_close_file(control->alive[1]);
            control->alive[1] = NGX_INVALID_FILE;
        }

        return NGX_OK;
    }

    if (control) {
        ngx_vidcast_process_enter(&vmcf->vidcast, cycle->log);
    }

    vmcf->recv_buffer = ngx_pnalloc(cycle->pool, NGX_HTTP_VIDCAST_RECV_BUFFER);
    if (vmcf->recv_buffer == NULL) {
        return NGX_ERROR;
    }

    ngx_http_vidcast_turns_init(&vmcf->turns, cycle->log);
    ngx_http_vidcast_session_init(vmcf, cycle->log);
    ngx_http_vidcast_queue_init(vmcf, cycle->log);

    if (ngx_http_vidcast_feed_init(cycle, vmcf,
                                   ngx_http_vidcast_queue_wake_handler)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_vidcast_publisher_init(vmcf, cycle->log);

    vmcf->exit = ngx_vidcast_notify_watch_exit(ngx_http_vidcast_exit_handler,
                                               vmcf, cycle->log);
    if (vmcf->exit == NULL) {
        return NGX_ERROR;
    }

    if (control == NULL) {
        return NGX_OK;
    }

    vmcf->watch.handler = ngx_http_vidcast_watch_handler;
    vmcf->watch.data = vmcf;
    vmcf->watch.log = cycle->log;
    vmcf->watch.cancelable = 1;

    /*
     * The other workers take the part of the first one when it has died.  By
     * a timer also for that one: our time may be that of the fork still, and
     * the next look would come at once, when the manager is not yet there.
     */

    ngx_add_timer(&vmcf->watch, ngx_worker
                                     ? ngx_vidcast_manager_interval(
                                           &vmcf->vidcast)
                                     : 0);

    return NGX_OK;
}


void
ngx_http_vidcast_exit_process(ngx_cycle_t *cycle)
{
    ngx_http_vidcast_main_conf_t  *vmcf;

    vmcf = ngx_http_vidcast_cycle_conf(cycle);

    if (vmcf == NULL || vmcf->exit == NULL) {
        return;
    }

    if (vmcf->watch.timer_set) {
        ngx_del_timer(&vmcf->watch);
    }

    ngx_http_vidcast_session_exit(vmcf);
    ngx_http_vidcast_queue_exit(vmcf);
    ngx_http_vidcast_feed_exit(vmcf);
    ngx_vidcast_deflate_done();

    ngx_vidcast_notify_unwatch_exit(vmcf->exit);
    vmcf->exit = NULL;

    if (vmcf->vidcast.control) {
        ngx_vidcast_process_leave(&vmcf->vidcast);
    }
}


static void
ngx_http_vidcast_watch_handler(ngx_event_t *ev)
{
    ngx_int_t                      rc;
    ngx_http_vidcast_main_conf_t  *vmcf;

    vmcf = ev->data;

    if (ngx_exiting) {
        return;
    }

    rc = ngx_vidcast_manager_start(&vmcf->vidcast);

    ngx_add_timer(ev, (rc == NGX_OK) ? ngx_vidcast_manager_interval(
                                           &vmcf->vidcast)
                                     : NGX_HTTP_VIDCAST_WATCH_AGAIN);
}


static void
ngx_http_vidcast_exit_handler(ngx_event_t *ev)
{
    ngx_connection_t              *c;
    ngx_http_vidcast_main_conf_t  *vmcf;

    c = ev->data;
    vmcf = c->data;

    if (!c->close) {
        return;
    }

    if (vmcf->vidcast.control) {
        ngx_vidcast_process_exiting(&vmcf->vidcast);
    }

    ngx_http_vidcast_session_drain(vmcf);
}
