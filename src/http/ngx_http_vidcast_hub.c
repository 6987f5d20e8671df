
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "ngx_http_vidcast_hub.h"
#include "ngx_vidcast_control.h"
#include "ngx_vidcast_notify.h"


#define NGX_HTTP_VIDCAST_SLICE        3000    /* us before others have a turn */
#define NGX_HTTP_VIDCAST_SLICE_CHECK  31      /* sends between clock readings */
#define NGX_HTTP_VIDCAST_SWEEP        500     /* ms */
#define NGX_HTTP_VIDCAST_DRAIN        50      /* ms */
#define NGX_HTTP_VIDCAST_DRAIN_STEPS  30
#define NGX_HTTP_VIDCAST_JITTER       2000    /* us that cost no frame */


static ngx_int_t ngx_http_vidcast_hub_create(ngx_http_vidcast_hub_t *hub,
    ngx_cycle_t *cycle);
static void ngx_http_vidcast_hub_wake_handler(ngx_event_t *ev);
static void ngx_http_vidcast_hub_slice_handler(ngx_event_t *ev);
static void ngx_http_vidcast_hub_walk(ngx_http_vidcast_hub_t *hub);
static void ngx_http_vidcast_hub_deliver(ngx_http_vidcast_viewer_t *viewer);
static ngx_int_t ngx_http_vidcast_hub_next(ngx_http_vidcast_viewer_t *viewer,
    ngx_http_vidcast_message_t **message);
static ngx_int_t ngx_http_vidcast_hub_next_result(
    ngx_http_vidcast_viewer_t *viewer, ngx_http_vidcast_message_t **message);
static ngx_int_t ngx_http_vidcast_hub_next_frame(
    ngx_http_vidcast_viewer_t *viewer, ngx_http_vidcast_message_t **message);
static void ngx_http_vidcast_hub_sweep_handler(ngx_event_t *ev);
static void ngx_http_vidcast_hub_sweep(ngx_http_vidcast_hub_t *hub);
static void ngx_http_vidcast_hub_drain_handler(ngx_event_t *ev);
static ngx_uint_t ngx_http_vidcast_hub_drain_some(ngx_http_vidcast_hub_t *hub,
    ngx_uint_t most, ngx_uint_t all);
static ngx_int_t ngx_http_vidcast_hub_stalled(
    ngx_http_vidcast_viewer_t *viewer);
static void ngx_http_vidcast_hub_arm(ngx_http_vidcast_main_conf_t *vmcf);
static void ngx_http_vidcast_hub_cleanup(void *data);


ngx_int_t
ngx_http_vidcast_hub_init(ngx_cycle_t *cycle,
    ngx_http_vidcast_main_conf_t *vmcf)
{
    ngx_uint_t               i, n;
    ngx_vidcast_source_t   **source;
    ngx_http_vidcast_hub_t  *hub;

    n = vmcf->vidcast.sources.nelts;
    source = vmcf->vidcast.sources.elts;

    vmcf->hubs = ngx_pcalloc(cycle->pool, n * sizeof(ngx_http_vidcast_hub_t));
    if (vmcf->hubs == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        hub = &vmcf->hubs[i];

        hub->vmcf = vmcf;
        hub->source = source[i];
        hub->zone = source[i]->zone;
        hub->share = ngx_vidcast_zone_share(vmcf->vidcast.control,
                                            source[i]->zone);

        if (ngx_http_vidcast_hub_create(hub, cycle) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    vmcf->sweep.handler = ngx_http_vidcast_hub_sweep_handler;
    vmcf->sweep.data = vmcf;
    vmcf->sweep.log = cycle->log;

    vmcf->drain.handler = ngx_http_vidcast_hub_drain_handler;
    vmcf->drain.data = vmcf;
    vmcf->drain.log = cycle->log;

    return NGX_OK;
}


static ngx_int_t
ngx_http_vidcast_hub_create(ngx_http_vidcast_hub_t *hub, ngx_cycle_t *cycle)
{
    ngx_vidcast_geometry_t  *g;

    g = &hub->source->geometry;

    ngx_queue_init(&hub->viewers);

    hub->results = ngx_pcalloc(cycle->pool, g->results
                                     * sizeof(ngx_http_vidcast_message_t *));
    hub->text = ngx_pnalloc(cycle->pool, g->result_size);

    if (hub->results == NULL || hub->text == NULL) {
        return NGX_ERROR;
    }

    hub->slice.handler = ngx_http_vidcast_hub_slice_handler;
    hub->slice.data = hub;
    hub->slice.log = cycle->log;

    hub->wake = ngx_vidcast_notify_create(hub->zone->wake,
                                          ngx_http_vidcast_hub_wake_handler,
                                          hub, cycle->log);

    if (hub->wake == NULL) {
        ngx_log_error(NGX_LOG_ALERT, cycle->log, 0,
                      "no connection is free to watch vidcast source \"%V\"",
                      &hub->source->name);
    }

    return NGX_OK;
}


void
ngx_http_vidcast_hub_exit(ngx_http_vidcast_main_conf_t *vmcf)
{
    ngx_uint_t               i;
    ngx_http_vidcast_hub_t  *hub;

    if (vmcf->sweep.timer_set) {
        ngx_del_timer(&vmcf->sweep);
    }

    if (vmcf->drain.timer_set) {
        ngx_del_timer(&vmcf->drain);
    }

    for (i = 0; i < vmcf->vidcast.sources.nelts; i++) {
        hub = &vmcf->hubs[i];

        if (hub->slice.posted) {
            ngx_delete_posted_event(&hub->slice);
        }

        if (hub->nviewers == 0) {
            ngx_http_vidcast_message_drop(hub);
        }

        if (hub->wake) {
            ngx_vidcast_notify_destroy(hub->wake);
            hub->wake = NULL;
        }
    }
}


ngx_http_vidcast_hub_t *
ngx_http_vidcast_hub_find(ngx_http_vidcast_main_conf_t *vmcf, ngx_str_t *name)
{
    ngx_str_t   *s;
    ngx_uint_t   i;

    for (i = 0; i < vmcf->vidcast.sources.nelts; i++) {
        s = &vmcf->hubs[i].source->name;

        if (s->len == name->len
            && ngx_strncmp(s->data, name->data, name->len) == 0)
        {
            return &vmcf->hubs[i];
        }
    }

    return NULL;
}


ngx_int_t
ngx_http_vidcast_hub_join(ngx_http_vidcast_hub_t *hub,
    ngx_http_vidcast_viewer_t *viewer)
{
    ngx_http_cleanup_t  *cln;

    if (hub->wake == NULL
        || hub->vmcf->draining
        || ngx_vidcast_notify_enable(hub->wake) != NGX_OK)
    {
        hub->share->refused++;
        return NGX_BUSY;
    }

    cln = ngx_http_cleanup_add(viewer->request, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_vidcast_hub_cleanup;
    cln->data = viewer;

    viewer->hub = hub;
    viewer->progress = ngx_current_msec;

    ngx_queue_insert_tail(&hub->viewers, &viewer->queue);

    hub->nviewers++;
    hub->nframes += viewer->frames;
    hub->vmcf->viewers++;
    hub->share->viewers[viewer->transport->id]++;

    ngx_http_vidcast_hub_arm(hub->vmcf);
    ngx_http_vidcast_message_news(hub);

    viewer->result = hub->result;

    return NGX_OK;
}


static void
ngx_http_vidcast_hub_cleanup(void *data)
{
    ngx_http_vidcast_hub_leave(data);
}


void
ngx_http_vidcast_hub_leave(ngx_http_vidcast_viewer_t *viewer)
{
    ngx_http_vidcast_hub_t  *hub;

    hub = viewer->hub;

    if (hub == NULL) {
        return;
    }

    viewer->hub = NULL;

    ngx_queue_remove(&viewer->queue);

    hub->nviewers--;
    hub->nframes -= viewer->frames;
    hub->vmcf->viewers--;
    hub->share->viewers[viewer->transport->id]--;
    hub->share->bytes += viewer->request->connection->sent - viewer->sent;

    if (hub->nframes == 0) {
        ngx_http_vidcast_message_drop_frame(hub);
    }

    if (hub->nviewers == 0) {
        ngx_http_vidcast_message_drop(hub);

        if (hub->wake) {
            ngx_vidcast_notify_disable(hub->wake);
        }
    }
}


void
ngx_http_vidcast_hub_finalize(ngx_http_vidcast_viewer_t *viewer, ngx_int_t rc)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = viewer->request;
    c = r->connection;

    ngx_http_vidcast_hub_leave(viewer);

    ngx_http_set_log_request(c->log, r);

    ngx_http_finalize_request(r, rc);

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_vidcast_hub_wake_handler(ngx_event_t *ev)
{
    ngx_connection_t        *c;
    ngx_http_vidcast_hub_t  *hub;

    c = ev->data;
    hub = c->data;

    if (hub->nviewers == 0) {
        return;
    }

    ngx_http_vidcast_message_news(hub);

    /* a walk that is under way goes on from where it is, all around again */

    hub->remaining = hub->nviewers;

    if (!hub->slice.posted) {
        ngx_http_vidcast_hub_walk(hub);
    }
}


static void
ngx_http_vidcast_hub_slice_handler(ngx_event_t *ev)
{
    ngx_http_vidcast_hub_walk(ev->data);
}


/*
 * Visits viewers in turn: the one visited goes to the end of the queue, so
 * that the walk needs no place of its own, and whoever leaves meanwhile is
 * just not there.
 */

static void
ngx_http_vidcast_hub_walk(ngx_http_vidcast_hub_t *hub)
{
    uint64_t                    start;
    ngx_uint_t                  n;
    ngx_queue_t                *q;
    ngx_http_vidcast_viewer_t  *viewer;

    start = ngx_vidcast_clock();

    for (n = 1; hub->remaining && !ngx_queue_empty(&hub->viewers); n++) {

        q = ngx_queue_head(&hub->viewers);
        ngx_queue_remove(q);
        ngx_queue_insert_tail(&hub->viewers, q);

        hub->remaining--;

        viewer = ngx_queue_data(q, ngx_http_vidcast_viewer_t, queue);
        ngx_http_vidcast_hub_deliver(viewer);

        if ((n & NGX_HTTP_VIDCAST_SLICE_CHECK) == 0
            && ngx_vidcast_clock() - start > NGX_HTTP_VIDCAST_SLICE)
        {
            break;
        }
    }

    if (hub->remaining && !ngx_queue_empty(&hub->viewers)) {
        ngx_post_event(&hub->slice, &ngx_posted_next_events);
    }
}


void
ngx_http_vidcast_hub_ready(ngx_http_vidcast_viewer_t *viewer)
{
    viewer->busy = 0;

    if (viewer->hub) {
        ngx_http_vidcast_hub_deliver(viewer);
    }
}


static void
ngx_http_vidcast_hub_deliver(ngx_http_vidcast_viewer_t *viewer)
{
    ngx_int_t                    rc;
    ngx_http_vidcast_message_t  *message;

    while (!viewer->busy) {

        rc = ngx_http_vidcast_hub_next(viewer, &message);

        if (rc == NGX_DONE) {
            return;
        }

        if (rc == NGX_OK) {
            rc = viewer->transport->send(viewer, message);
            ngx_http_vidcast_message_unref(message);
        }

        if (rc == NGX_ERROR) {
            ngx_http_vidcast_hub_finalize(viewer, NGX_ERROR);
            return;
        }

        if (rc == NGX_AGAIN) {
            viewer->busy = 1;
        }

        if (viewer->hub == NULL) {
            return;
        }
    }
}


/* NGX_OK, with a reference for the caller; NGX_DONE: nothing; NGX_ERROR */

static ngx_int_t
ngx_http_vidcast_hub_next(ngx_http_vidcast_viewer_t *viewer,
    ngx_http_vidcast_message_t **message)
{
    ngx_int_t  rc;

    rc = NGX_DONE;

    if (viewer->results) {
        rc = ngx_http_vidcast_hub_next_result(viewer, message);
    }

    if (rc == NGX_DONE && viewer->frames) {
        rc = ngx_http_vidcast_hub_next_frame(viewer, message);
    }

    return rc;
}


static ngx_int_t
ngx_http_vidcast_hub_next_result(ngx_http_vidcast_viewer_t *viewer,
    ngx_http_vidcast_message_t **message)
{
    ngx_uint_t                   n;
    ngx_http_vidcast_hub_t      *hub;
    ngx_http_vidcast_message_t  *m;

    hub = viewer->hub;
    n = hub->source->geometry.results;

    if (viewer->result == 0) {

        /* came before the first result */

        viewer->result = ngx_max(hub->result, 1);
    }

    if (viewer->result + ngx_min(viewer->backlog, n) <= hub->result) {
        viewer->skipped += hub->result - viewer->result;
        hub->share->results_skipped += hub->result - viewer->result;
        viewer->result = hub->result;
    }

    while (viewer->result <= hub->result) {

        m = hub->results[viewer->result % n];
        viewer->result++;

        if (m == NULL) {

            /* its writer died before it was whole, or we had no memory */

            viewer->skipped++;
            continue;
        }

        hub->share->results++;

        if (viewer->skipped == 0) {
            m->refs++;
            *message = m;
            return NGX_OK;
        }

        *message = ngx_http_vidcast_message_told(m, viewer->skipped);
        viewer->skipped = 0;

        return *message ? NGX_OK : NGX_ERROR;
    }

    return NGX_DONE;
}


static ngx_int_t
ngx_http_vidcast_hub_next_frame(ngx_http_vidcast_viewer_t *viewer,
    ngx_http_vidcast_message_t **message)
{
    ngx_http_vidcast_hub_t      *hub;
    ngx_http_vidcast_message_t  *frame;

    hub = viewer->hub;
    frame = hub->frame;

    if (frame == NULL || frame->frame.number <= viewer->frame) {
        return NGX_DONE;
    }

    if (viewer->interval) {

        if (frame->frame.captured + NGX_HTTP_VIDCAST_JITTER < viewer->due) {
            return NGX_DONE;
        }

        viewer->due = ngx_max(viewer->due + viewer->interval,
                              frame->frame.captured + viewer->interval / 2);
    }

    if (viewer->frame) {
        hub->share->frames_skipped += frame->frame.number - viewer->frame - 1;
    }

    viewer->frame = frame->frame.number;
    hub->share->frames++;

    frame->refs++;
    *message = frame;

    return NGX_OK;
}


static void
ngx_http_vidcast_hub_arm(ngx_http_vidcast_main_conf_t *vmcf)
{
    if (!vmcf->sweep.timer_set && vmcf->viewers) {
        ngx_add_timer(&vmcf->sweep, NGX_HTTP_VIDCAST_SWEEP);
    }
}


/*
 * One timer for all viewers, armed while there are any: it is not cancelable,
 * so an exiting worker waits for those which may stay.
 */

static void
ngx_http_vidcast_hub_sweep_handler(ngx_event_t *ev)
{
    ngx_uint_t                     i;
    ngx_http_vidcast_main_conf_t  *vmcf;

    vmcf = ev->data;

    for (i = 0; i < vmcf->vidcast.sources.nelts; i++) {
        ngx_http_vidcast_hub_sweep(&vmcf->hubs[i]);
    }

    ngx_http_vidcast_hub_arm(vmcf);
}


static void
ngx_http_vidcast_hub_sweep(ngx_http_vidcast_hub_t *hub)
{
    ngx_uint_t                  n, wanted;
    ngx_queue_t                *q;
    ngx_http_vidcast_viewer_t  *viewer;

    wanted = ngx_vidcast_zone_wanted(hub->vmcf->vidcast.control, hub->source);

    for (n = hub->nviewers; n && !ngx_queue_empty(&hub->viewers); n--) {

        q = ngx_queue_head(&hub->viewers);
        ngx_queue_remove(q);
        ngx_queue_insert_tail(&hub->viewers, q);

        viewer = ngx_queue_data(q, ngx_http_vidcast_viewer_t, queue);

        if (!wanted) {
            viewer->transport->stop(viewer);
            continue;
        }

        if (ngx_http_vidcast_hub_stalled(viewer) == NGX_OK) {
            hub->share->stalled++;

            ngx_log_error(NGX_LOG_INFO, viewer->request->connection->log,
                          NGX_ETIMEDOUT,
                          "vidcast viewer took no byte for %M ms",
                          viewer->stall_timeout);

            viewer->request->connection->timedout = 1;
            ngx_http_vidcast_hub_finalize(viewer, NGX_HTTP_REQUEST_TIME_OUT);
            continue;
        }

        if (viewer->transport->idle
            && viewer->transport->idle(viewer) == NGX_ERROR)
        {
            ngx_http_vidcast_hub_finalize(viewer, NGX_ERROR);
        }
    }
}


/*
 * The worker is to leave.  Viewers who can come back and resume are sent away
 * first, not all at once, as they all come back; the others may stay if there
 * will be pictures for them: after a reload, not when nginx quits.
 */

void
ngx_http_vidcast_hub_drain(ngx_http_vidcast_main_conf_t *vmcf)
{
    ngx_uint_t               i;
    ngx_http_vidcast_hub_t  *hub;

    if (vmcf->draining) {
        return;
    }

    vmcf->draining = ngx_max(vmcf->viewers / NGX_HTTP_VIDCAST_DRAIN_STEPS, 1);

    for (i = 0; i < vmcf->vidcast.sources.nelts; i++) {
        hub = &vmcf->hubs[i];

        if ((hub->frame && ngx_http_vidcast_message_copy(hub->frame) != NGX_OK)
            || (hub->older
                && ngx_http_vidcast_message_copy(hub->older) != NGX_OK))
        {
            continue;
        }

        hub->zone->ring.bit = 0;
    }

    ngx_http_vidcast_hub_drain_handler(&vmcf->drain);
}


static void
ngx_http_vidcast_hub_drain_handler(ngx_event_t *ev)
{
    ngx_uint_t                     i, n, all;
    ngx_vidcast_conf_t            *conf;
    ngx_http_vidcast_main_conf_t  *vmcf;

    vmcf = ev->data;
    conf = &vmcf->vidcast;

    /* nginx may also quit later, when we wait for those who stay */

    all = ngx_vidcast_load(&conf->control->shm->generation) == conf->generation
          || !ngx_vidcast_control_served(conf->control, ev->log);
    n = vmcf->draining;

    for (i = 0; n && i < conf->sources.nelts; i++) {
        n -= ngx_http_vidcast_hub_drain_some(&vmcf->hubs[i], n, all);
    }

    if (vmcf->viewers) {
        ngx_add_timer(ev, n ? NGX_HTTP_VIDCAST_SWEEP : NGX_HTTP_VIDCAST_DRAIN);
    }
}


static ngx_uint_t
ngx_http_vidcast_hub_drain_some(ngx_http_vidcast_hub_t *hub, ngx_uint_t most,
    ngx_uint_t all)
{
    ngx_uint_t                  n, stopped;
    ngx_queue_t                *q;
    ngx_http_vidcast_viewer_t  *viewer;

    stopped = 0;

    for (n = hub->nviewers;
         n && stopped < most && !ngx_queue_empty(&hub->viewers);
         n--)
    {
        q = ngx_queue_head(&hub->viewers);
        ngx_queue_remove(q);
        ngx_queue_insert_tail(&hub->viewers, q);

        viewer = ngx_queue_data(q, ngx_http_vidcast_viewer_t, queue);

        if (all || viewer->transport->resumes) {
            viewer->transport->stop(viewer);
            stopped++;
        }
    }

    return stopped;
}


/* NGX_OK: it is; NGX_DECLINED: it is not; counts what left since last time */

static ngx_int_t
ngx_http_vidcast_hub_stalled(ngx_http_vidcast_viewer_t *viewer)
{
    off_t              sent;
    ngx_connection_t  *c;

    c = viewer->request->connection;

    sent = c->sent - viewer->sent;
    viewer->sent = c->sent;
    viewer->hub->share->bytes += sent;

    if (!viewer->busy || c->write->delayed || sent) {
        viewer->progress = ngx_current_msec;
        return NGX_DECLINED;
    }

    return (ngx_msec_int_t) (ngx_current_msec - viewer->progress)
           < (ngx_msec_int_t) viewer->stall_timeout
               ? NGX_DECLINED : NGX_OK;
}
