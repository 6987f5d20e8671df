
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "http/delivery/ngx_http_vidcast_feed.h"
#include "http/delivery/ngx_http_vidcast_message.h"
#include "http/delivery/ngx_http_vidcast_pairing.h"
#include "http/offline/ngx_http_vidcast_offline.h"
#include "shm/ngx_vidcast_control.h"
#include "os/ngx_vidcast_notify.h"


/* what is new in the ring of a source, for its viewers in this worker */


/*
 * A frame in the ring is pinned as long as a message here refers to it, but
 * this worker keeps two slots at most: the newest and one before it.  When a
 * third frame comes, the oldest moves to memory of this process, for all
 * viewers to which it is still leaving.
 */


static ngx_int_t ngx_http_vidcast_feed_create(ngx_http_vidcast_feed_t *feed,
    ngx_event_handler_pt wake, ngx_cycle_t *cycle);
static void ngx_http_vidcast_feed_begin(ngx_http_vidcast_feed_t *feed,
    uint64_t epoch);
static void ngx_http_vidcast_feed_new_results(ngx_http_vidcast_feed_t *feed);
static void ngx_http_vidcast_feed_new_frame(ngx_http_vidcast_feed_t *feed);
static void ngx_http_vidcast_feed_retire(ngx_http_vidcast_feed_t *feed);
static void ngx_http_vidcast_feed_drop_results(ngx_http_vidcast_feed_t *feed);


ngx_int_t
ngx_http_vidcast_feed_init(ngx_cycle_t *cycle,
    ngx_http_vidcast_main_conf_t *vmcf, ngx_event_handler_pt wake)
{
    ngx_uint_t                  i, n;
    ngx_vidcast_source_t       *source;
    ngx_http_vidcast_feed_t    *feed;
    ngx_vidcast_rendition_t   **rendition;

    n = vmcf->vidcast.renditions.nelts;
    rendition = vmcf->vidcast.renditions.elts;

    if (n == 0) {
        return NGX_OK;
    }

    vmcf->feeds = ngx_pcalloc(cycle->pool, n * sizeof(ngx_http_vidcast_feed_t));
    if (vmcf->feeds == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        feed = &vmcf->feeds[i];
        source = rendition[i]->source;

        feed->vmcf = vmcf;
        feed->source = source;
        feed->rendition = rendition[i];
        feed->zone = rendition[i]->zone;
        feed->epoch = ngx_vidcast_ring_epoch(&feed->zone->ring);
        feed->nresults = rendition[i]->geometry.results;
        feed->stats = ngx_vidcast_zone_worker_stats(vmcf->vidcast.control,
                                                    source->original.zone);

        if (rendition[i] == &source->original && source->overlay) {
            feed->overlay = &vmcf->feeds[source->overlay->index];
        }

        if (ngx_http_vidcast_feed_create(feed, wake, cycle) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_vidcast_feed_create(ngx_http_vidcast_feed_t *feed,
    ngx_event_handler_pt wake, ngx_cycle_t *cycle)
{
    ngx_queue_init(&feed->subscriptions);

    feed->file.fd = feed->zone->frames.fd;
    feed->file.name = feed->source->name;
    feed->file.log = cycle->log;

    feed->results = ngx_pcalloc(cycle->pool, feed->nresults
                                     * sizeof(ngx_http_vidcast_message_t *));
    if (feed->results == NULL) {
        return NGX_ERROR;
    }

    feed->wake = ngx_vidcast_notify_create(feed->zone->wake_workers, wake, feed,
                                           cycle->log);

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

    for (i = 0; i < vmcf->vidcast.renditions.nelts; i++) {
        feed = &vmcf->feeds[i];

        if (feed->wait_timer.timer_set) {
            ngx_del_timer(&feed->wait_timer);
        }

        if (feed->nsubscriptions == 0) {
            ngx_http_vidcast_feed_drop(feed);
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
    ngx_int_t               n;
    ngx_vidcast_source_t  **source;

    n = ngx_http_vidcast_source_find(vmcf, name);

    if (n == NGX_ERROR || vmcf->feeds == NULL) {
        return NULL;
    }

    source = vmcf->vidcast.sources.elts;

    return &vmcf->feeds[source[n]->original.index];
}


void
ngx_http_vidcast_feed_wake_on_demand(ngx_http_vidcast_feed_t *feed)
{
    ngx_vidcast_zone_wake_on_demand(feed->source->original.zone);

    if (feed->rendition == feed->source->overlay) {
        ngx_vidcast_zone_wake_on_demand(feed->zone);
    }
}


void
ngx_http_vidcast_feed_unwatch(ngx_http_vidcast_feed_t *feed)
{
    if (feed->wake && feed->nsubscriptions == 0 && feed->npublishers == 0) {
        ngx_vidcast_notify_disable(feed->wake);
    }
}


void
ngx_http_vidcast_feed_poll(ngx_http_vidcast_feed_t *feed)
{
    uint64_t  epoch;

    epoch = ngx_vidcast_ring_epoch(&feed->zone->ring);

    if (epoch != feed->epoch) {

        if (epoch == 0) {
            return;
        }

        ngx_http_vidcast_feed_begin(feed, epoch);
    }

    ngx_http_vidcast_feed_new_results(feed);

    if (feed->npaired) {
        ngx_http_vidcast_pairing_fetch(feed);
    }

    if (feed->nframes) {
        ngx_http_vidcast_feed_new_frame(feed);
    }
}


/*
 * The source is somewhere else, and another one there than before: its numbers
 * are no longer those that viewers know, which each of them finds out when it
 * gets something, by the number of the series.
 */

static void
ngx_http_vidcast_feed_begin(ngx_http_vidcast_feed_t *feed, uint64_t epoch)
{
    ngx_http_vidcast_feed_drop_frame(feed);
    ngx_http_vidcast_feed_drop_results(feed);

    feed->ended = feed->result;
    feed->result = 0;
    feed->watched = 0;

    feed->epoch = epoch;
    feed->series++;
}


static void
ngx_http_vidcast_feed_new_results(ngx_http_vidcast_feed_t *feed)
{
    uint64_t                      seq, newest;
    ngx_uint_t                    n, watched;
    ngx_http_vidcast_message_t  **slot;

    n = feed->nresults;
    newest = ngx_vidcast_ring_newest_result(&feed->zone->ring);

    watched = feed->watched;
    feed->watched = 1;

    if (newest == feed->result) {
        return;
    }

    seq = feed->result + 1;

    /* the history is for viewers that fell behind, not for those before them */

    if (!watched) {
        seq = newest;

    } else if (newest - feed->result >= n) {
        seq = newest - n + 1;
    }

    for ( /* void */ ; seq <= newest; seq++) {
        slot = &feed->results[seq % n];

        if (*slot) {
            ngx_http_vidcast_message_unref(*slot);
        }

        *slot = ngx_http_vidcast_message_result(feed, seq);
    }

    feed->result = newest;
}


/* results before the first viewer came were not read: they may be there */

uint64_t
ngx_http_vidcast_feed_seek(ngx_http_vidcast_feed_t *feed, uint64_t seq)
{
    uint64_t                      i;
    ngx_uint_t                    n;
    ngx_http_vidcast_message_t  **slot;

    n = feed->nresults;

    if (seq + n <= feed->result) {
        seq = feed->result - n + 1;
    }

    for (i = seq; i <= feed->result; i++) {
        slot = &feed->results[i % n];

        if (*slot && (*slot)->seq == i) {
            continue;
        }

        if (*slot) {
            ngx_http_vidcast_message_unref(*slot);
        }

        *slot = ngx_http_vidcast_message_result(feed, i);
    }

    return seq;
}


static void
ngx_http_vidcast_feed_new_frame(ngx_http_vidcast_feed_t *feed)
{
    ngx_http_vidcast_message_t  *message;

    message = ngx_http_vidcast_message_frame(feed);
    if (message == NULL) {
        return;
    }

    ngx_http_vidcast_pairing_keep(feed);
    ngx_http_vidcast_feed_retire(feed);

    feed->frame = message;

    if (feed->state != NGX_VIDCAST_LIVE) {
        ngx_http_vidcast_offline_look(feed);
    }
}


/*
 * Viewers that left in the middle of a frame, with a close frame to come, may
 * still refer to it: they must not keep the slot.
 */

void
ngx_http_vidcast_feed_drop_frame(ngx_http_vidcast_feed_t *feed)
{
    ngx_http_vidcast_message_t  *frame;

    while (feed->kept) {
        frame = feed->kept;
        feed->kept = frame->next;
        ngx_http_vidcast_message_unref(frame);
    }

    if (feed->frame && feed->frame->refs > 1) {
        (void) ngx_http_vidcast_message_copy(feed->frame);
    }

    ngx_http_vidcast_feed_retire(feed);
}


static void
ngx_http_vidcast_feed_retire(ngx_http_vidcast_feed_t *feed)
{
    ngx_http_vidcast_message_t  *frame;

    frame = feed->frame;
    feed->frame = NULL;

    if (frame == NULL) {
        return;
    }

    if (frame->refs > 1 && frame->pinned) {

        /* without memory for a copy the slot stays ours: whole it must be */

        if (feed->older) {
            (void) ngx_http_vidcast_message_copy(feed->older);
        }

        feed->older = frame;
    }

    ngx_http_vidcast_message_unref(frame);
}


/* called without viewers: everything left is referred to by the feed alone */

void
ngx_http_vidcast_feed_drop(ngx_http_vidcast_feed_t *feed)
{
    ngx_http_vidcast_message_t  *message;

    ngx_http_vidcast_feed_drop_frame(feed);
    ngx_http_vidcast_feed_drop_results(feed);

    feed->result = 0;
    feed->watched = 0;

    while (feed->free) {
        message = feed->free;
        feed->free = message->next;
        ngx_free(message);
    }
}


static void
ngx_http_vidcast_feed_drop_results(ngx_http_vidcast_feed_t *feed)
{
    ngx_uint_t  i;

    for (i = 0; i < feed->nresults; i++) {
        if (feed->results[i]) {
            ngx_http_vidcast_message_unref(feed->results[i]);
            feed->results[i] = NULL;
        }
    }
}


void
ngx_http_vidcast_feed_look(ngx_http_vidcast_main_conf_t *vmcf)
{
    ngx_uint_t                i;
    ngx_vidcast_control_t    *control;
    ngx_http_vidcast_feed_t  *feed;

    control = vmcf->vidcast.control;

    for (i = 0; i < vmcf->vidcast.renditions.nelts; i++) {
        feed = &vmcf->feeds[i];

        feed->wanted = feed->nsubscriptions == 0
                       || ngx_vidcast_zone_wanted(control, feed->source);

        if (feed->nsubscriptions
            && control->worker_index == NGX_VIDCAST_NO_PROCESS)
        {
            /* this worker has no entry in which its viewers are counted */

            ngx_http_vidcast_feed_wake_on_demand(feed);
        }

        if (feed->nframes) {
            ngx_http_vidcast_offline_look(feed);
        }
    }
}


/* an exiting worker may take long, and pins nothing meanwhile */

void
ngx_http_vidcast_feed_unpin(ngx_http_vidcast_main_conf_t *vmcf)
{
    ngx_uint_t                i;
    ngx_http_vidcast_feed_t  *feed;

    for (i = 0; i < vmcf->vidcast.renditions.nelts; i++) {
        feed = &vmcf->feeds[i];

        if (feed->frame
            && ngx_http_vidcast_message_copy(feed->frame) != NGX_OK)
        {
            continue;
        }

        if (feed->older
            && ngx_http_vidcast_message_copy(feed->older) != NGX_OK)
        {
            continue;
        }

        feed->zone->ring.bit = 0;
    }
}
