
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "http/delivery/ngx_http_vidcast_feed.h"
#include "shm/ngx_vidcast_control.h"


#define NGX_HTTP_VIDCAST_DRAIN        50      /* ms */
#define NGX_HTTP_VIDCAST_DRAIN_STEPS  30


static void ngx_http_vidcast_session_handler(ngx_event_t *ev);
static void ngx_http_vidcast_session_viewer(ngx_http_vidcast_viewer_t *viewer);
static ngx_uint_t ngx_http_vidcast_session_unwanted(
    ngx_http_vidcast_viewer_t *viewer);
static ngx_uint_t ngx_http_vidcast_session_stalled(
    ngx_http_vidcast_viewer_t *viewer);
static void ngx_http_vidcast_session_drain_handler(ngx_event_t *ev);
static void ngx_http_vidcast_session_unpin(ngx_http_vidcast_feed_t *feed);


void
ngx_http_vidcast_session_init(ngx_http_vidcast_main_conf_t *vmcf,
    ngx_log_t *log)
{
    ngx_queue_init(&vmcf->viewers);

    vmcf->housekeeping.handler = ngx_http_vidcast_session_handler;
    vmcf->housekeeping.data = vmcf;
    vmcf->housekeeping.log = log;

    vmcf->drain.handler = ngx_http_vidcast_session_drain_handler;
    vmcf->drain.data = vmcf;
    vmcf->drain.log = log;
}


void
ngx_http_vidcast_session_exit(ngx_http_vidcast_main_conf_t *vmcf)
{
    ngx_queue_t  *q;

    /* nginx ends at once: who is still here gives back what he holds */

    while (!ngx_queue_empty(&vmcf->viewers)) {
        q = ngx_queue_head(&vmcf->viewers);

        ngx_http_vidcast_viewer_finalize(ngx_queue_data(q,
                                           ngx_http_vidcast_viewer_t, queue),
                                         NGX_ERROR);
    }

    if (vmcf->housekeeping.timer_set) {
        ngx_del_timer(&vmcf->housekeeping);
    }

    if (vmcf->drain.timer_set) {
        ngx_del_timer(&vmcf->drain);
    }
}


/* the one looked at goes to the end: looking may end it, or another one */

static void
ngx_http_vidcast_session_handler(ngx_event_t *ev)
{
    ngx_uint_t                     n;
    ngx_queue_t                   *q;
    ngx_vidcast_control_t         *control;
    ngx_http_vidcast_feed_t       *feed;
    ngx_http_vidcast_main_conf_t  *vmcf;

    vmcf = ev->data;
    control = vmcf->vidcast.control;

    for (n = 0; n < vmcf->vidcast.sources.nelts; n++) {
        feed = &vmcf->feeds[n];

        feed->wanted = feed->nsubscriptions == 0
                      || ngx_vidcast_zone_wanted(control, feed->source);

        if (feed->nsubscriptions
            && control->worker_index == NGX_VIDCAST_NO_PROCESS)
        {
            /* nobody counts our viewers */

            ngx_vidcast_zone_wake_on_demand(feed->zone);
        }
    }

    for (n = vmcf->nviewers; n && !ngx_queue_empty(&vmcf->viewers); n--) {

        q = ngx_queue_head(&vmcf->viewers);
        ngx_queue_remove(q);
        ngx_queue_insert_tail(&vmcf->viewers, q);

        ngx_http_vidcast_session_viewer(ngx_queue_data(q,
                                           ngx_http_vidcast_viewer_t, queue));
    }

    ngx_http_vidcast_viewer_watch(vmcf);
}


static void
ngx_http_vidcast_session_viewer(ngx_http_vidcast_viewer_t *viewer)
{
    ngx_int_t          rc;
    ngx_connection_t  *c;

    if (ngx_http_vidcast_session_unwanted(viewer)) {
        viewer->transport->stop(viewer);
        return;
    }

    c = viewer->request->connection;

    if (ngx_http_vidcast_session_stalled(viewer)) {
        ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT,
                      "vidcast viewer took no byte for %M ms",
                      viewer->stall_timeout);

        c->timedout = 1;

        ngx_http_vidcast_viewer_finalize(viewer, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }

    if (ngx_http_vidcast_peer_gone(viewer)) {
        ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT,
                      "vidcast viewer acknowledged no byte for %M ms",
                      ngx_current_msec - viewer->answered);

        c->timedout = 1;

        ngx_http_vidcast_viewer_finalize(viewer, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }

    rc = viewer->transport->idle(viewer);

    if (rc == NGX_DECLINED) {
        viewer->transport->stop(viewer);
        return;
    }

    if (rc == NGX_ERROR || rc == NGX_DONE) {
        ngx_http_vidcast_viewer_finalize(viewer, rc == NGX_DONE ? NGX_OK
                                                               : NGX_ERROR);
        return;
    }

    if (viewer->interval && !viewer->busy) {

        /* a picture that came too soon may have been the last one */

        ngx_http_vidcast_queue_ready(viewer);
    }
}


/* a source that was changed or removed ends whoever watches it */

static ngx_uint_t
ngx_http_vidcast_session_unwanted(ngx_http_vidcast_viewer_t *viewer)
{
    ngx_queue_t                      *q;
    ngx_http_vidcast_subscription_t  *sub;

    for (q = ngx_queue_head(&viewer->subscriptions);
         q != ngx_queue_sentinel(&viewer->subscriptions);
         q = ngx_queue_next(q))
    {
        sub = ngx_queue_data(q, ngx_http_vidcast_subscription_t, link);

        if (!sub->feed->wanted) {
            return 1;
        }
    }

    return 0;
}


/* bytes that left are looked at here, so that nobody has to note them */

static ngx_uint_t
ngx_http_vidcast_session_stalled(ngx_http_vidcast_viewer_t *viewer)
{
    off_t                             sent;
    ngx_queue_t                      *q;
    ngx_connection_t                 *c;
    ngx_http_vidcast_subscription_t  *sub;

    c = viewer->request->connection;

    sent = ngx_http_vidcast_viewer_account(viewer);

    if (!viewer->busy || c->write->delayed || sent) {
        viewer->progress = ngx_current_msec;
        return 0;
    }

    if ((ngx_msec_int_t) (ngx_current_msec - viewer->progress)
        < (ngx_msec_int_t) viewer->stall_timeout)
    {
        return 0;
    }

    if (!ngx_queue_empty(&viewer->subscriptions)) {
        q = ngx_queue_head(&viewer->subscriptions);
        sub = ngx_queue_data(q, ngx_http_vidcast_subscription_t, link);
        sub->feed->stats->stalled++;
    }

    return 1;
}


/*
 * The worker is to leave.  Viewers who can come back and resume are sent away
 * first, not all at once, as they all come back; the others may stay if there
 * will be pictures for them: after a reload, not when nginx quits.
 */

void
ngx_http_vidcast_session_drain(ngx_http_vidcast_main_conf_t *vmcf)
{
    ngx_uint_t  i;

    if (vmcf->draining) {
        return;
    }

    vmcf->draining = ngx_max(vmcf->nviewers / NGX_HTTP_VIDCAST_DRAIN_STEPS, 1);

    for (i = 0; i < vmcf->vidcast.sources.nelts; i++) {
        ngx_http_vidcast_session_unpin(&vmcf->feeds[i]);
    }

    ngx_http_vidcast_session_drain_handler(&vmcf->drain);
}


/* an exiting worker may take long, and pins nothing meanwhile */

static void
ngx_http_vidcast_session_unpin(ngx_http_vidcast_feed_t *feed)
{
    if ((feed->frame && ngx_http_vidcast_message_copy(feed->frame) != NGX_OK)
        || (feed->older
            && ngx_http_vidcast_message_copy(feed->older) != NGX_OK))
    {
        return;
    }

    feed->zone->ring.bit = 0;
}


static void
ngx_http_vidcast_session_drain_handler(ngx_event_t *ev)
{
    ngx_uint_t                     n, stopped, all;
    ngx_queue_t                   *q;
    ngx_vidcast_conf_t            *conf;
    ngx_http_vidcast_viewer_t     *viewer;
    ngx_http_vidcast_main_conf_t  *vmcf;

    vmcf = ev->data;
    conf = &vmcf->vidcast;
    stopped = 0;

    /*
     * nginx may also quit later, when we wait for those who stay; but new
     * workers may take their time to come
     */

    all = conf->control == NULL
          || ngx_vidcast_load(&conf->control->shm->generation)
             == conf->generation
          || ngx_vidcast_control_deserted(conf, &vmcf->deserted, ev->log);

    for (n = vmcf->nviewers;
         n && stopped < vmcf->draining && !ngx_queue_empty(&vmcf->viewers);
         n--)
    {
        q = ngx_queue_head(&vmcf->viewers);
        ngx_queue_remove(q);
        ngx_queue_insert_tail(&vmcf->viewers, q);

        viewer = ngx_queue_data(q, ngx_http_vidcast_viewer_t, queue);

        if (all || viewer->transport->resumes) {
            viewer->transport->stop(viewer);
            stopped++;
        }
    }

    if (vmcf->nviewers) {
        ngx_add_timer(ev, (stopped == vmcf->draining)
                              ? NGX_HTTP_VIDCAST_DRAIN
                              : NGX_HTTP_VIDCAST_HOUSEKEEPING);
    }
}
