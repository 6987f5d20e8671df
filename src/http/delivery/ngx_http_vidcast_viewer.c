
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "http/delivery/ngx_http_vidcast_viewer.h"
#include "http/delivery/ngx_http_vidcast_feed.h"
#include "http/delivery/ngx_http_vidcast_message.h"
#include "http/delivery/ngx_http_vidcast_queue.h"
#include "http/delivery/ngx_http_vidcast_session.h"
#include "http/delivery/ngx_http_vidcast_transport.h"
#include "shm/ngx_vidcast_control.h"
#include "os/ngx_vidcast_notify.h"


/* which viewer watches which sources, from its first byte to its last */


#define NGX_HTTP_VIDCAST_UNSENT  65536    /* bytes to wait in the kernel */


static void ngx_http_vidcast_viewer_keep_fresh(ngx_http_request_t *r);
static ngx_uint_t ngx_http_vidcast_viewer_wanted(
    ngx_http_vidcast_session_t *session);
static void ngx_http_vidcast_viewer_sent(ngx_http_vidcast_session_t *session,
    off_t bytes);
static ngx_int_t ngx_http_vidcast_viewer_ping(
    ngx_http_vidcast_session_t *session);
static void ngx_http_vidcast_viewer_ready(
    ngx_http_vidcast_session_t *session);
static void ngx_http_vidcast_viewer_drain(
    ngx_http_vidcast_session_t *session);
static void ngx_http_vidcast_viewer_gone(ngx_http_vidcast_session_t *session);
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
static void ngx_http_vidcast_viewer_left(ngx_http_vidcast_subscription_t *sub);
static ngx_uint_t ngx_http_vidcast_viewer_full(ngx_http_vidcast_feed_t *feed,
    ngx_http_vidcast_viewer_t *viewer);
static void ngx_http_vidcast_viewer_resume(
    ngx_http_vidcast_subscription_t *sub, ngx_vidcast_point_t *since);


static ngx_http_vidcast_session_handlers_t  ngx_http_vidcast_viewer_handlers = {
    "viewer",
    ngx_http_vidcast_viewer_wanted,
    ngx_http_vidcast_viewer_sent,
    ngx_http_vidcast_viewer_ping,
    ngx_http_vidcast_viewer_ready,
    ngx_http_vidcast_viewer_drain,
    ngx_http_vidcast_viewer_gone
};


ngx_int_t
ngx_http_vidcast_viewer_join(ngx_http_vidcast_viewer_t *viewer)
{
    ngx_int_t          rc;
    ngx_connection_t  *c;

    c = viewer->session.request->connection;

    ngx_queue_init(&viewer->subscriptions);
    ngx_queue_init(&viewer->ended);

    viewer->session.handlers = &ngx_http_vidcast_viewer_handlers;
    viewer->session.resumes = viewer->transport->resumes;
    viewer->sendfile = c->sendfile
                       && c->send_chain == ngx_send_chain
                       && c->sockaddr->sa_family != AF_UNIX;

    rc = ngx_http_vidcast_session_join(&viewer->session);

    if (rc == NGX_OK && viewer->frames) {
        ngx_http_vidcast_viewer_keep_fresh(viewer->session.request);
    }

    return rc;
}


/*
 * By itself the kernel takes megabytes for a slow viewer, which then shows
 * pictures that are many seconds old, and says that there is room again only
 * when a third of them has left.  So it shall say so while less than these
 * bytes are unsent.
 */

static void
ngx_http_vidcast_viewer_keep_fresh(ngx_http_request_t *r)
{
    int                lowat;
    ngx_connection_t  *c;

    c = r->connection;

#if (NGX_HTTP_V2)

    /* the socket is that of other streams as well */

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


/* a source that was changed or removed ends whatever watches it */

static ngx_uint_t
ngx_http_vidcast_viewer_wanted(ngx_http_vidcast_session_t *session)
{
    ngx_queue_t                      *q;
    ngx_http_vidcast_viewer_t        *viewer;
    ngx_http_vidcast_subscription_t  *sub;

    viewer = (ngx_http_vidcast_viewer_t *) session;

    for (q = ngx_queue_head(&viewer->subscriptions);
         q != ngx_queue_sentinel(&viewer->subscriptions);
         q = ngx_queue_next(q))
    {
        sub = ngx_queue_data(q, ngx_http_vidcast_subscription_t, link);

        if (!sub->feed->wanted) {
            return 0;
        }
    }

    return 1;
}


/* of several sources one gets them all */

static void
ngx_http_vidcast_viewer_sent(ngx_http_vidcast_session_t *session, off_t bytes)
{
    ngx_queue_t                      *q;
    ngx_http_vidcast_viewer_t        *viewer;
    ngx_http_vidcast_subscription_t  *sub;

    viewer = (ngx_http_vidcast_viewer_t *) session;

    viewer->stats.bytes += bytes;

    if (!ngx_queue_empty(&viewer->subscriptions)) {
        q = ngx_queue_head(&viewer->subscriptions);
        sub = ngx_queue_data(q, ngx_http_vidcast_subscription_t, link);
        sub->feed->stats->bytes += bytes;
    }
}


static ngx_int_t
ngx_http_vidcast_viewer_ping(ngx_http_vidcast_session_t *session)
{
    ngx_http_vidcast_viewer_t  *viewer;

    viewer = (ngx_http_vidcast_viewer_t *) session;

    return viewer->transport->ping(viewer);
}


/* a picture that came too soon may have been the last one */

static void
ngx_http_vidcast_viewer_ready(ngx_http_vidcast_session_t *session)
{
    ngx_http_vidcast_viewer_t  *viewer;

    viewer = (ngx_http_vidcast_viewer_t *) session;

    if (viewer->interval) {
        ngx_http_vidcast_queue_ready(viewer);
    }
}


static void
ngx_http_vidcast_viewer_drain(ngx_http_vidcast_session_t *session)
{
    ngx_http_vidcast_viewer_t  *viewer;

    viewer = (ngx_http_vidcast_viewer_t *) session;

    viewer->transport->drain(viewer);
}


static void
ngx_http_vidcast_viewer_gone(ngx_http_vidcast_session_t *session)
{
    ngx_queue_t                      *q;
    ngx_http_vidcast_viewer_t        *viewer;
    ngx_http_vidcast_subscription_t  *sub;

    viewer = (ngx_http_vidcast_viewer_t *) session;

    if (viewer->leaving) {
        viewer->leaving->stats->cut++;
        viewer->leaving = NULL;
    }

    while (!ngx_queue_empty(&viewer->subscriptions)) {
        q = ngx_queue_head(&viewer->subscriptions);
        sub = ngx_queue_data(q, ngx_http_vidcast_subscription_t, link);

        if (session->stalled) {
            session->stalled = 0;
            sub->feed->stats->stalled++;
        }

        ngx_http_vidcast_viewer_end(sub);
    }
}


ngx_int_t
ngx_http_vidcast_viewer_subscribe(ngx_http_vidcast_feed_t *feed,
    ngx_http_vidcast_viewer_t *viewer, ngx_vidcast_point_t *since)
{
    uint32_t                         *viewers;
    uint64_t                          published;
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

    published = ngx_vidcast_load(&feed->zone->shm->counters.published);

    ngx_http_vidcast_feed_poll(feed);

    /* it begins with the newest picture, which may just have come */

    sub->nth = feed->frame ? ngx_min(published, feed->frame->frame.nth - 1)
                           : published;
    sub->held = viewer->paired ? NGX_VIDCAST_SKIP_UNPAIRED
                               : NGX_VIDCAST_SKIP_SLOW;

    sub->series = feed->series;
    sub->next_result = feed->result;

    if (!ngx_http_vidcast_viewer_current(feed)) {

        /* the first one to come is meant for it, and it may be woken by it */

        sub->next_result++;
        sub->awaits = !viewer->paired;
        sub->replay = sub->awaits;
    }

    if (since) {
        ngx_http_vidcast_viewer_resume(sub, since);
    }

    ngx_http_vidcast_viewer_count(feed, viewer, 1);

    return NGX_OK;
}


/* what is known of viewers beside their transport */

static void
ngx_http_vidcast_viewer_count(ngx_http_vidcast_feed_t *feed,
    ngx_http_vidcast_viewer_t *viewer, ngx_int_t n)
{
    uint32_t  *viewers;

    viewers = feed->stats->viewers;

    if (feed->rendition == feed->source->overlay) {
        ngx_vidcast_store(&viewers[NGX_VIDCAST_OVERLAID],
                          viewers[NGX_VIDCAST_OVERLAID] + n);

    } else if (viewer->frames) {
        ngx_vidcast_store(&viewers[NGX_VIDCAST_PICTURED],
                          viewers[NGX_VIDCAST_PICTURED] + n);

        if (viewer->sendfile) {
            ngx_vidcast_store(&viewers[NGX_VIDCAST_SENDFILE],
                              viewers[NGX_VIDCAST_SENDFILE] + n);
        }
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


void
ngx_http_vidcast_viewer_wake(ngx_http_vidcast_viewer_t *viewer)
{
    ngx_queue_t                      *q;
    ngx_http_vidcast_subscription_t  *sub;

    for (q = ngx_queue_head(&viewer->subscriptions);
         q != ngx_queue_sentinel(&viewer->subscriptions);
         q = ngx_queue_next(q))
    {
        sub = ngx_queue_data(q, ngx_http_vidcast_subscription_t, link);

        ngx_http_vidcast_feed_wake_on_demand(sub->feed);
    }
}


/* is the newest result not of other times, or before the source slept? */

static ngx_uint_t
ngx_http_vidcast_viewer_current(ngx_http_vidcast_feed_t *feed)
{
    ngx_http_vidcast_message_t  *message;

    message = feed->results[feed->result % feed->nresults];

    return feed->result
           && message
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
        sub = ngx_palloc(viewer->session.request->pool,
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

    ngx_http_vidcast_viewer_left(sub);

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


/* what was there for it, and would have been sent yet; a snapshot is done */

static void
ngx_http_vidcast_viewer_left(ngx_http_vidcast_subscription_t *sub)
{
    uint64_t                    nth, newest;
    ngx_http_vidcast_feed_t    *feed;
    ngx_http_vidcast_viewer_t  *viewer;

    feed = sub->feed;
    viewer = sub->viewer;

    if (viewer->frames && viewer->transport->id != NGX_VIDCAST_SNAPSHOT) {

        if (sub->pair) {

            /* its result has left */

            feed->stats->skips[NGX_VIDCAST_SKIP_LEFT]++;
        }

        nth = ngx_vidcast_load(&feed->zone->shm->counters.published);

        if (nth > sub->nth) {
            feed->stats->skips[NGX_VIDCAST_SKIP_LEFT] += nth - sub->nth;
        }
    }

    if (viewer->results) {
        newest = ngx_vidcast_ring_newest_result(&feed->zone->ring);

        feed->stats->results_left += sub->untold;

        if (sub->series == feed->series
            && sub->next_result
            && newest >= sub->next_result)
        {
            feed->stats->results_left += newest - sub->next_result + 1;
        }
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
    ngx_vidcast_zone_t           *zone;
    ngx_vidcast_control_t        *control;
    ngx_http_vidcast_loc_conf_t  *vlcf;

    vlcf = ngx_http_get_module_loc_conf(viewer->session.request,
                                        ngx_http_vidcast_module);
    most = vlcf->max_viewers;
    control = feed->vmcf->vidcast.control;
    zone = feed->source->original.zone;

    return most
           && ngx_vidcast_zone_viewers(control, zone, NULL) > most
           && ngx_vidcast_zone_viewers(control, zone,
                                       viewer->session.request->connection->log)
              > most;
}


/*
 * A number that we did not give, or not yet, is of another series; unless it
 * was given on another machine, where the source is: that may be ahead of us,
 * or we do not know it yet.
 */

static void
ngx_http_vidcast_viewer_resume(ngx_http_vidcast_subscription_t *sub,
    ngx_vidcast_point_t *since)
{
    ngx_uint_t                remote;
    ngx_http_vidcast_feed_t  *feed;

    feed = sub->feed;
    remote = feed->source->input.remote && !feed->source->predict.module;

    if (!since->any && since->epoch != feed->epoch) {
        sub->reset = 1;

        if (remote) {
            sub->since = *since;
        }

        return;
    }

    if (since->seq > feed->result) {

        if (!remote || since->any) {
            sub->reset = 1;
            return;
        }

        sub->next_result = since->seq + 1;

    } else {
        sub->next_result = ngx_http_vidcast_feed_seek(feed, since->seq + 1);
        sub->untold = sub->next_result - (since->seq + 1);
    }

    sub->replay = 1;
    sub->awaits = 0;
}
