
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "http/delivery/ngx_http_vidcast_feed.h"
#include "shm/ngx_vidcast_control.h"
#include "shm/ngx_vidcast_notify.h"


/* who watches which sources, from its first byte to its last */


#define NGX_HTTP_VIDCAST_UNSENT  65536    /* bytes to wait in the kernel */


static void ngx_http_vidcast_viewer_keep_fresh(ngx_http_request_t *r);
static void ngx_http_vidcast_viewer_cleanup(void *data);
static void ngx_http_vidcast_viewer_count(ngx_http_vidcast_feed_t *feed,
    ngx_http_vidcast_viewer_t *viewer, ngx_int_t n);
static ngx_uint_t ngx_http_vidcast_viewer_current(
    ngx_http_vidcast_feed_t *feed);
static ngx_http_vidcast_subscription_t *ngx_http_vidcast_viewer_subscription(
    ngx_http_vidcast_feed_t *feed, ngx_http_vidcast_viewer_t *viewer);
static ngx_http_vidcast_subscription_t *
    ngx_http_vidcast_viewer_create_subscription(
    ngx_http_vidcast_viewer_t *viewer);
static void ngx_http_vidcast_viewer_end(ngx_http_vidcast_subscription_t *sub);
static ngx_uint_t ngx_http_vidcast_viewer_full(ngx_http_vidcast_feed_t *feed,
    ngx_http_vidcast_viewer_t *viewer);
static void ngx_http_vidcast_viewer_resume(
    ngx_http_vidcast_subscription_t *sub, uint64_t since);


ngx_int_t
ngx_http_vidcast_viewer_join(ngx_http_vidcast_main_conf_t *vmcf,
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

    cln->handler = ngx_http_vidcast_viewer_cleanup;
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

    viewer->peer_timeout = vlcf->ping ? vlcf->ping + vlcf->ping_timeout : 0;

    ngx_http_vidcast_peer_watch(viewer->request);

    if (viewer->frames) {
        ngx_http_vidcast_viewer_keep_fresh(viewer->request);
    }

    vmcf->nviewers++;

    ngx_http_vidcast_viewer_watch(vmcf);

    return NGX_OK;
}


/*
 * One timer for all viewers, armed while there are any: it is not cancelable,
 * so an exiting worker waits for those which may stay.
 */

void
ngx_http_vidcast_viewer_watch(ngx_http_vidcast_main_conf_t *vmcf)
{
    if (!vmcf->housekeeping.timer_set && vmcf->nviewers) {
        ngx_add_timer(&vmcf->housekeeping, NGX_HTTP_VIDCAST_HOUSEKEEPING);
    }
}


/*
 * The kernel would queue megabytes for a slow viewer, who then sees pictures
 * that are many seconds old, and who seems to take nothing for as long: it
 * says that there is room again only when a third is free.
 */

static void
ngx_http_vidcast_viewer_keep_fresh(ngx_http_request_t *r)
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
ngx_http_vidcast_viewer_cleanup(void *data)
{
    ngx_http_vidcast_viewer_leave(data);
}


void
ngx_http_vidcast_viewer_leave(ngx_http_vidcast_viewer_t *viewer)
{
    ngx_queue_t                      *q;
    ngx_http_vidcast_main_conf_t     *vmcf;
    ngx_http_vidcast_subscription_t  *sub;

    if (!viewer->joined) {
        return;
    }

    viewer->joined = 0;

    (void) ngx_http_vidcast_viewer_account(viewer);

    while (!ngx_queue_empty(&viewer->subscriptions)) {
        q = ngx_queue_head(&viewer->subscriptions);
        sub = ngx_queue_data(q, ngx_http_vidcast_subscription_t, link);

        ngx_http_vidcast_viewer_end(sub);
    }

    vmcf = ngx_http_get_module_main_conf(viewer->request,
                                         ngx_http_vidcast_module);

    ngx_queue_remove(&viewer->queue);
    vmcf->nviewers--;
}


off_t
ngx_http_vidcast_viewer_account(ngx_http_vidcast_viewer_t *viewer)
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
ngx_http_vidcast_viewer_subscribe(ngx_http_vidcast_feed_t *feed,
    ngx_http_vidcast_viewer_t *viewer, uint64_t *since)
{
    uint32_t                         *viewers;
    ngx_http_vidcast_subscription_t  *sub;

    if (ngx_http_vidcast_viewer_subscription(feed, viewer)) {
        return NGX_OK;
    }

    viewers = &feed->stats->viewers[viewer->transport->id];

    /* counted first: of two workers at a time one at least sees the other */

    ngx_vidcast_store(viewers, *viewers + 1);

    if (feed->wake == NULL
        || ngx_http_vidcast_viewer_full(feed, viewer)
        || ngx_vidcast_notify_enable(feed->wake) != NGX_OK)
    {
        ngx_vidcast_store(viewers, *viewers - 1);
        feed->stats->refused++;
        return NGX_BUSY;
    }

    sub = ngx_http_vidcast_viewer_create_subscription(viewer);
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

    ngx_http_vidcast_feed_poll(feed);

    sub->result = feed->result;

    if (feed->result && !ngx_http_vidcast_viewer_current(feed)) {
        sub->result++;
    }

    if (since) {
        ngx_http_vidcast_viewer_resume(sub, *since);
    }

    ngx_http_vidcast_viewer_count(feed, viewer, 1);

    ngx_http_vidcast_feed_wake_on_demand(feed);

    return NGX_OK;
}


/* what is known of viewers beside their transport */

static void
ngx_http_vidcast_viewer_count(ngx_http_vidcast_feed_t *feed,
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
ngx_http_vidcast_viewer_unsubscribe(ngx_http_vidcast_feed_t *feed,
    ngx_http_vidcast_viewer_t *viewer)
{
    ngx_http_vidcast_subscription_t  *sub;

    sub = ngx_http_vidcast_viewer_subscription(feed, viewer);

    if (sub) {
        ngx_http_vidcast_viewer_end(sub);
    }
}


/* is the newest result not of other times, or before the source slept? */

static ngx_uint_t
ngx_http_vidcast_viewer_current(ngx_http_vidcast_feed_t *feed)
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
ngx_http_vidcast_viewer_subscription(ngx_http_vidcast_feed_t *feed,
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
ngx_http_vidcast_viewer_create_subscription(ngx_http_vidcast_viewer_t *viewer)
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
ngx_http_vidcast_viewer_end(ngx_http_vidcast_subscription_t *sub)
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

    ngx_http_vidcast_viewer_count(feed, viewer, -1);

    if (sub->pair) {
        ngx_http_vidcast_message_unref(sub->pair);
        sub->pair = NULL;
    }

    if (feed->nframes == 0) {
        ngx_http_vidcast_feed_drop_frame(feed);
    }

    if (feed->nsubscriptions == 0) {
        ngx_http_vidcast_feed_drop(feed);
        ngx_http_vidcast_feed_unwatch(feed);
    }
}


/*
 * Viewers of all workers are counted; what a worker that was killed left is
 * told from the living ones only when it matters.
 */

static ngx_uint_t
ngx_http_vidcast_viewer_full(ngx_http_vidcast_feed_t *feed,
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
ngx_http_vidcast_viewer_resume(ngx_http_vidcast_subscription_t *sub,
    uint64_t since)
{
    if (since == NGX_HTTP_VIDCAST_UNKNOWN || since > sub->feed->result) {
        sub->reset = 1;
        return;
    }

    sub->result = ngx_http_vidcast_feed_seek(sub->feed, since + 1);
    sub->skipped = sub->result - (since + 1);
    sub->replay = 1;
}


void
ngx_http_vidcast_viewer_finalize(ngx_http_vidcast_viewer_t *viewer,
    ngx_int_t rc)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = viewer->request;
    c = r->connection;

    ngx_http_vidcast_viewer_leave(viewer);

    ngx_http_set_log_request(c->log, r);

    ngx_http_finalize_request(r, rc);

    ngx_http_run_posted_requests(c);
}
