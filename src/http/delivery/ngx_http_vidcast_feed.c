
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "http/delivery/ngx_http_vidcast_feed.h"
#include "http/publish/ngx_http_vidcast_publisher.h"
#include "shm/ngx_vidcast_control.h"
#include "shm/ngx_vidcast_notify.h"


#define NGX_HTTP_VIDCAST_UNSENT  65536    /* bytes to wait in the kernel */


static void ngx_http_vidcast_feed_pair_overlay(
    ngx_http_vidcast_main_conf_t *vmcf, ngx_uint_t n);
static ngx_int_t ngx_http_vidcast_feed_create(ngx_http_vidcast_feed_t *feed,
    ngx_cycle_t *cycle);
static void ngx_http_vidcast_feed_keep_fresh(ngx_http_request_t *r);
static void ngx_http_vidcast_feed_cleanup(void *data);
static ngx_http_vidcast_subscription_t *ngx_http_vidcast_feed_subscription(
    ngx_http_vidcast_feed_t *feed, ngx_http_vidcast_viewer_t *viewer);
static ngx_http_vidcast_subscription_t *
    ngx_http_vidcast_feed_create_subscription(
    ngx_http_vidcast_viewer_t *viewer);
static void ngx_http_vidcast_feed_count(ngx_http_vidcast_feed_t *feed,
    ngx_http_vidcast_viewer_t *viewer, ngx_int_t n);
static ngx_uint_t ngx_http_vidcast_feed_full(ngx_http_vidcast_feed_t *feed,
    ngx_http_vidcast_viewer_t *viewer);
static ngx_uint_t ngx_http_vidcast_feed_current(ngx_http_vidcast_feed_t *feed);
static void ngx_http_vidcast_feed_resume(ngx_http_vidcast_subscription_t *sub,
    uint64_t since);
static void ngx_http_vidcast_feed_end(ngx_http_vidcast_subscription_t *sub);


ngx_int_t
ngx_http_vidcast_feed_init(ngx_cycle_t *cycle,
    ngx_http_vidcast_main_conf_t *vmcf)
{
    ngx_uint_t                 i, n;
    ngx_vidcast_source_t     **source;
    ngx_http_vidcast_feed_t   *feed;

    n = vmcf->vidcast.sources.nelts;
    source = vmcf->vidcast.sources.elts;

    ngx_http_vidcast_session_init(vmcf, cycle->log);

    ngx_queue_init(&vmcf->pending);

    vmcf->slice.handler = ngx_http_vidcast_delivery_slice_handler;
    vmcf->slice.data = vmcf;
    vmcf->slice.log = cycle->log;

    if (n == 0) {
        return NGX_OK;
    }

    vmcf->feeds = ngx_pcalloc(cycle->pool, n * sizeof(ngx_http_vidcast_feed_t));
    if (vmcf->feeds == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        feed = &vmcf->feeds[i];

        feed->vmcf = vmcf;
        feed->source = source[i];
        feed->zone = source[i]->zone;
        feed->camera = source[i]->of ? source[i]->of->zone : feed->zone;
        feed->stats = ngx_vidcast_zone_worker_stats(vmcf->vidcast.control,
                                                    feed->camera);

        ngx_http_vidcast_feed_pair_overlay(vmcf, i);

        if (ngx_http_vidcast_feed_create(feed, cycle) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* sources stand before their overlays */

static void
ngx_http_vidcast_feed_pair_overlay(ngx_http_vidcast_main_conf_t *vmcf,
    ngx_uint_t n)
{
    ngx_uint_t  i;

    for (i = 0; i < n; i++) {
        if (vmcf->feeds[i].source->overlay == vmcf->feeds[n].source) {
            vmcf->feeds[i].overlay = &vmcf->feeds[n];
        }
    }
}


static ngx_int_t
ngx_http_vidcast_feed_create(ngx_http_vidcast_feed_t *feed, ngx_cycle_t *cycle)
{
    ngx_vidcast_geometry_t  *g;

    g = &feed->source->geometry;

    ngx_queue_init(&feed->subscriptions);

    ngx_http_vidcast_publisher_init(feed, cycle->log);

    feed->file.fd = feed->zone->frames_fd;
    feed->file.name = feed->source->name;
    feed->file.log = cycle->log;

    feed->results = ngx_pcalloc(cycle->pool, g->results
                                     * sizeof(ngx_http_vidcast_message_t *));
    feed->text = ngx_pnalloc(cycle->pool, g->result_size);

    if (feed->results == NULL || feed->text == NULL) {
        return NGX_ERROR;
    }

    feed->wake = ngx_vidcast_notify_create(feed->zone->wake_workers,
                                        ngx_http_vidcast_delivery_wake_handler,
                                        feed, cycle->log);

    if (feed->wake == NULL) {
        ngx_log_error(NGX_LOG_ALERT, cycle->log, 0,
                      "no connection is free to watch vidcast source \"%V\"",
                      &feed->source->name);
    }

    return NGX_OK;
}


void
ngx_http_vidcast_feed_exit(ngx_http_vidcast_main_conf_t *vmcf)
{
    ngx_uint_t                i;
    ngx_http_vidcast_feed_t  *feed;

    ngx_http_vidcast_session_exit(vmcf);

    if (vmcf->slice.posted) {
        ngx_delete_posted_event(&vmcf->slice);
    }

    for (i = 0; i < vmcf->vidcast.sources.nelts; i++) {
        feed = &vmcf->feeds[i];

        if (feed->wait_timer.timer_set) {
            ngx_del_timer(&feed->wait_timer);
        }

        if (feed->nsubscriptions == 0) {
            ngx_http_vidcast_message_drop(feed);
        }

        if (feed->wake) {
            ngx_vidcast_notify_destroy(feed->wake);
            feed->wake = NULL;
        }
    }
}


ngx_http_vidcast_feed_t *
ngx_http_vidcast_feed_find(ngx_http_vidcast_main_conf_t *vmcf, ngx_str_t *name)
{
    ngx_str_t   *s;
    ngx_uint_t   i;

    for (i = 0; i < vmcf->vidcast.sources.nelts; i++) {
        s = &vmcf->feeds[i].source->name;

        if (s->len == name->len
            && ngx_strncmp(s->data, name->data, name->len) == 0)
        {
            return &vmcf->feeds[i];
        }
    }

    return NULL;
}


ngx_int_t
ngx_http_vidcast_feed_join(ngx_http_vidcast_main_conf_t *vmcf,
    ngx_http_vidcast_viewer_t *viewer)
{
    ngx_connection_t             *c;
    ngx_http_cleanup_t           *cln;
    ngx_http_vidcast_loc_conf_t  *vlcf;

    if (vmcf->draining) {
        return NGX_BUSY;
    }

    cln = ngx_http_cleanup_add(viewer->request, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_vidcast_feed_cleanup;
    cln->data = viewer;

    ngx_queue_init(&viewer->subscriptions);
    ngx_queue_init(&viewer->ended);
    ngx_queue_insert_tail(&vmcf->viewers, &viewer->queue);

    c = viewer->request->connection;

    viewer->joined = 1;
    viewer->sendfile = c->sendfile
                     && c->send_chain == ngx_send_chain
                     && c->sockaddr->sa_family != AF_UNIX;
    viewer->progress = ngx_current_msec;
    viewer->answered = ngx_current_msec;

    vlcf = ngx_http_get_module_loc_conf(viewer->request,
                                        ngx_http_vidcast_module);

    viewer->wait_timer = vlcf->ping ? vlcf->ping + vlcf->ping_timeout : 0;

    ngx_http_vidcast_peer_watch(viewer->request);

    if (viewer->frames) {
        ngx_http_vidcast_feed_keep_fresh(viewer->request);
    }

    vmcf->nviewers++;

    ngx_http_vidcast_session_watch(vmcf);

    return NGX_OK;
}


/*
 * The kernel would queue megabytes for a slow viewer, who then sees pictures
 * that are many seconds old, and who seems to take nothing for as long: it
 * says that there is room again only when a third is free.
 */

static void
ngx_http_vidcast_feed_keep_fresh(ngx_http_request_t *r)
{
    int                lowat;
    ngx_connection_t  *c;

    c = r->connection;

#if (NGX_HTTP_V2)

    if (r->stream) {
        return;
    }

#endif

    lowat = NGX_HTTP_VIDCAST_UNSENT;

    if (setsockopt(c->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT,
                   (const void *) &lowat, sizeof(int))
        == -1)
    {
        /* a Unix socket, for one; it has a small queue of its own */

        ngx_log_debug0(NGX_LOG_DEBUG_HTTP, c->log, ngx_socket_errno,
                       "vidcast setsockopt(TCP_NOTSENT_LOWAT) failed");
    }
}


static void
ngx_http_vidcast_feed_cleanup(void *data)
{
    ngx_http_vidcast_feed_leave(data);
}


void
ngx_http_vidcast_feed_leave(ngx_http_vidcast_viewer_t *viewer)
{
    ngx_queue_t                      *q;
    ngx_http_vidcast_main_conf_t     *vmcf;
    ngx_http_vidcast_subscription_t  *sub;

    if (!viewer->joined) {
        return;
    }

    viewer->joined = 0;

    (void) ngx_http_vidcast_feed_account(viewer);

    while (!ngx_queue_empty(&viewer->subscriptions)) {
        q = ngx_queue_head(&viewer->subscriptions);
        sub = ngx_queue_data(q, ngx_http_vidcast_subscription_t, link);

        ngx_http_vidcast_feed_end(sub);
    }

    vmcf = ngx_http_get_module_main_conf(viewer->request,
                                         ngx_http_vidcast_module);

    ngx_queue_remove(&viewer->queue);
    vmcf->nviewers--;
}


off_t
ngx_http_vidcast_feed_account(ngx_http_vidcast_viewer_t *viewer)
{
    off_t                             sent;
    ngx_queue_t                      *q;
    ngx_connection_t                 *c;
    ngx_http_vidcast_subscription_t  *sub;

    c = viewer->request->connection;

    sent = c->sent - viewer->sent;
    viewer->sent = c->sent;
    viewer->stats.bytes += sent;

    if (!ngx_queue_empty(&viewer->subscriptions)) {
        q = ngx_queue_head(&viewer->subscriptions);
        sub = ngx_queue_data(q, ngx_http_vidcast_subscription_t, link);
        sub->feed->stats->bytes += sent;
    }

    return sent;
}


ngx_int_t
ngx_http_vidcast_feed_subscribe(ngx_http_vidcast_feed_t *feed,
    ngx_http_vidcast_viewer_t *viewer, uint64_t *since)
{
    uint32_t                         *viewers;
    ngx_http_vidcast_subscription_t  *sub;

    if (ngx_http_vidcast_feed_subscription(feed, viewer)) {
        return NGX_OK;
    }

    viewers = &feed->stats->viewers[viewer->transport->id];

    /* counted first: of two workers at a time one at least sees the other */

    ngx_vidcast_store(viewers, *viewers + 1);

    if (feed->wake == NULL
        || ngx_http_vidcast_feed_full(feed, viewer)
        || ngx_vidcast_notify_enable(feed->wake) != NGX_OK)
    {
        ngx_vidcast_store(viewers, *viewers - 1);
        feed->stats->refused++;
        return NGX_BUSY;
    }

    sub = ngx_http_vidcast_feed_create_subscription(viewer);
    if (sub == NULL) {
        ngx_vidcast_store(viewers, *viewers - 1);
        return NGX_ERROR;
    }

    sub->feed = feed;

    ngx_queue_insert_tail(&feed->subscriptions, &sub->queue);
    ngx_queue_insert_tail(&viewer->subscriptions, &sub->link);

    feed->nsubscriptions++;
    feed->nframes += viewer->frames;
    feed->npaired += viewer->paired;

    ngx_http_vidcast_message_poll(feed);

    sub->result = feed->result;

    if (feed->result && !ngx_http_vidcast_feed_current(feed)) {
        sub->result++;
    }

    if (since) {
        ngx_http_vidcast_feed_resume(sub, *since);
    }

    ngx_http_vidcast_feed_count(feed, viewer, 1);

    ngx_http_vidcast_feed_wake_on_demand(feed);

    return NGX_OK;
}


/* what is known of viewers beside their transport */

static void
ngx_http_vidcast_feed_count(ngx_http_vidcast_feed_t *feed,
    ngx_http_vidcast_viewer_t *viewer, ngx_int_t n)
{
    uint32_t  *viewers;

    viewers = feed->stats->viewers;

    if (feed->camera != feed->zone) {
        ngx_vidcast_store(&viewers[NGX_VIDCAST_OVERLAID],
                          viewers[NGX_VIDCAST_OVERLAID] + n);

    } else if (viewer->frames && viewer->sendfile) {
        ngx_vidcast_store(&viewers[NGX_VIDCAST_SENDFILE],
                          viewers[NGX_VIDCAST_SENDFILE] + n);
    }
}


void
ngx_http_vidcast_feed_wake_on_demand(ngx_http_vidcast_feed_t *feed)
{
    ngx_vidcast_zone_wake_on_demand(feed->camera);

    if (feed->camera != feed->zone) {
        ngx_vidcast_zone_wake_on_demand(feed->zone);
    }
}


void
ngx_http_vidcast_feed_unsubscribe(ngx_http_vidcast_feed_t *feed,
    ngx_http_vidcast_viewer_t *viewer)
{
    ngx_http_vidcast_subscription_t  *sub;

    sub = ngx_http_vidcast_feed_subscription(feed, viewer);

    if (sub) {
        ngx_http_vidcast_feed_end(sub);
    }
}


/* is the newest result not of other times, or before the source slept? */

static ngx_uint_t
ngx_http_vidcast_feed_current(ngx_http_vidcast_feed_t *feed)
{
    ngx_http_vidcast_message_t  *message;

    message = feed->results[feed->result % feed->source->geometry.results];

    return message
           && (message->frame.number == 0
               || message->frame.number
                  > ngx_vidcast_ring_min_frame(&feed->zone->ring));
}


/* NULL: the viewer does not watch this source */

static ngx_http_vidcast_subscription_t *
ngx_http_vidcast_feed_subscription(ngx_http_vidcast_feed_t *feed,
    ngx_http_vidcast_viewer_t *viewer)
{
    ngx_queue_t                      *q;
    ngx_http_vidcast_subscription_t  *sub;

    for (q = ngx_queue_head(&viewer->subscriptions);
         q != ngx_queue_sentinel(&viewer->subscriptions);
         q = ngx_queue_next(q))
    {
        sub = ngx_queue_data(q, ngx_http_vidcast_subscription_t, link);

        if (sub->feed == feed) {
            return sub;
        }
    }

    return NULL;
}


/* ended ones are used again: viewers may come and go as long as they like */

static ngx_http_vidcast_subscription_t *
ngx_http_vidcast_feed_create_subscription(ngx_http_vidcast_viewer_t *viewer)
{
    ngx_queue_t                      *q;
    ngx_http_vidcast_subscription_t  *sub;

    if (ngx_queue_empty(&viewer->ended)) {
        sub = ngx_palloc(viewer->request->pool,
                         sizeof(ngx_http_vidcast_subscription_t));
        if (sub == NULL) {
            return NULL;
        }

    } else {
        q = ngx_queue_head(&viewer->ended);
        ngx_queue_remove(q);
        sub = ngx_queue_data(q, ngx_http_vidcast_subscription_t, link);
    }

    ngx_memzero(sub, sizeof(ngx_http_vidcast_subscription_t));

    sub->viewer = viewer;

    return sub;
}


static void
ngx_http_vidcast_feed_end(ngx_http_vidcast_subscription_t *sub)
{
    ngx_http_vidcast_feed_t    *feed;
    ngx_http_vidcast_viewer_t  *viewer;

    feed = sub->feed;
    viewer = sub->viewer;

    ngx_queue_remove(&sub->queue);
    ngx_queue_remove(&sub->link);
    ngx_queue_insert_tail(&viewer->ended, &sub->link);

    feed->nsubscriptions--;
    feed->nframes -= viewer->frames;
    feed->npaired -= viewer->paired;
    feed->stats->viewers[viewer->transport->id]--;

    ngx_http_vidcast_feed_count(feed, viewer, -1);

    if (sub->pair) {
        ngx_http_vidcast_message_unref(sub->pair);
        sub->pair = NULL;
    }

    if (feed->nframes == 0) {
        ngx_http_vidcast_message_drop_frame(feed);
    }

    if (feed->nsubscriptions == 0) {
        ngx_http_vidcast_message_drop(feed);
        ngx_http_vidcast_feed_unwatch(feed);
    }
}


void
ngx_http_vidcast_feed_unwatch(ngx_http_vidcast_feed_t *feed)
{
    if (feed->wake && feed->nsubscriptions == 0 && feed->npublishers == 0) {
        ngx_vidcast_notify_disable(feed->wake);
    }
}


/*
 * Viewers of all workers are counted; what a worker that was killed left is
 * told from the living ones only when it matters.
 */

static ngx_uint_t
ngx_http_vidcast_feed_full(ngx_http_vidcast_feed_t *feed,
    ngx_http_vidcast_viewer_t *viewer)
{
    ngx_uint_t                    most;
    ngx_vidcast_control_t        *control;
    ngx_http_vidcast_loc_conf_t  *vlcf;

    vlcf = ngx_http_get_module_loc_conf(viewer->request,
                                        ngx_http_vidcast_module);
    most = vlcf->max_viewers;
    control = feed->vmcf->vidcast.control;

    return most
           && ngx_vidcast_zone_viewers(control, feed->camera, NULL) > most
           && ngx_vidcast_zone_viewers(control, feed->camera,
                                       viewer->request->connection->log)
              > most;
}


/* a number that we did not give, or not yet, is of another series */

static void
ngx_http_vidcast_feed_resume(ngx_http_vidcast_subscription_t *sub,
    uint64_t since)
{
    if (since == NGX_HTTP_VIDCAST_UNKNOWN || since > sub->feed->result) {
        sub->reset = 1;
        return;
    }

    sub->result = ngx_http_vidcast_message_seek(sub->feed, since + 1);
    sub->skipped = sub->result - (since + 1);
    sub->replay = 1;
}


void
ngx_http_vidcast_feed_finalize(ngx_http_vidcast_viewer_t *viewer, ngx_int_t rc)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = viewer->request;
    c = r->connection;

    ngx_http_vidcast_feed_leave(viewer);

    ngx_http_set_log_request(c->log, r);

    ngx_http_finalize_request(r, rc);

    ngx_http_run_posted_requests(c);
}
