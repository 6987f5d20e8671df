
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "http/delivery/ngx_http_vidcast_queue.h"
#include "http/delivery/ngx_http_vidcast_feed.h"
#include "http/delivery/ngx_http_vidcast_message.h"
#include "http/delivery/ngx_http_vidcast_pairing.h"
#include "http/delivery/ngx_http_vidcast_session.h"
#include "http/delivery/ngx_http_vidcast_transport.h"
#include "http/delivery/ngx_http_vidcast_viewer.h"


/*
 * The policy of delivery, whatever the transport: what a viewer gets, and what
 * a slow one skips.
 *
 * A viewer has one message on its way at a time, or several results at once if
 * its transport takes them.  While it is busy or paused it gets nothing; it is
 * busy until its socket has room, and viewer_keep_fresh() keeps the kernel
 * from taking pictures in advance, but for HTTP/2.  A viewer that is busy and
 * whose socket takes no byte at all is closed, see session_look().
 *
 * A new viewer begins with the newest result and the newest picture; or, where
 * that result is of a time before its source slept, or there is none, with the
 * first one to come, and goes by "since" until it has caught up.  When its turn
 * comes again:
 *
 *                behind is it           it goes on with        counted as
 *                                       (and is told)
 *
 *     results    with more than its     the newest one         results_skipped
 *                backlog to get         ("skipped")
 *     - "since"  never, until it has    the oldest one left    results_skipped
 *                caught up              ("skipped")
 *     pictures   with one between       the newest one         frames_skipped,
 *                                       (not told)             by its reason
 *     pairs      with a result between  the newest one whose   results_skipped
 *                                       picture is there
 *                                       ("skipped")
 *
 *     next_result(), next_frame() and next_pair() decide, in this order.
 *
 * Results come in order, and before pictures; those that were lost before this
 * worker saw them are skipped, too.  No picture comes twice, but for the last
 * one of MJPEG, stream_again().  The feed keeps one picture, which
 * feed_new_frame() replaces.  A viewer that has acknowledged a picture gets no
 * other before it has acknowledged the last one.  A limit of frames a second
 * goes by the time of capture: a picture that is too early is sent if it is
 * still the newest when its time has come, or half a second later at most.
 *
 * Each picture that is published while a viewer of pictures is there, the one
 * that it began with included, is counted once for it: as sent, or as skipped
 * by a reason, which is what the viewer was kept by when another one took its
 * place: ngx_vidcast_skip_e.  What is still to be sent when it leaves is
 * "left".  Numbers that were lost before they were published are not among
 * them.
 *
 * A pair is a result and directly after it its picture.
 *
 * Several sources take turns, message by message, or pair by pair.
 *
 * The subscriptions of all viewers for which there may be something stand in
 * one pending queue of the worker; each gets some messages, then it is the
 * next one's turn, and it goes to the end if there may be more for it.  A new
 * frame or result puts the subscriptions of its source at the end.  After a
 * slice of time the walk stops, and goes on when other connections had a turn.
 */


/*
 * nginx accepts one connection in each turn of its loop: longer slices would
 * leave new ones waiting for seconds when we have no end of work.
 */

#define NGX_HTTP_VIDCAST_SLICE        1000    /* us before others have a turn */
#define NGX_HTTP_VIDCAST_SLICE_CHECK  3       /* mask: each 4th visit reads */
#define NGX_HTTP_VIDCAST_VISIT        8       /* messages for one viewer */
#define NGX_HTTP_VIDCAST_JITTER       2000    /* us that cost no frame */


static void ngx_http_vidcast_queue_slice_handler(ngx_event_t *ev);
static void ngx_http_vidcast_queue_walk(
    ngx_http_vidcast_main_conf_t *vmcf);
static void ngx_http_vidcast_queue_pass(
    ngx_http_vidcast_subscription_t *sub);
static void ngx_http_vidcast_queue_skip(ngx_http_vidcast_subscription_t *sub,
    uint64_t nth);
static ngx_int_t ngx_http_vidcast_queue_deliver(
    ngx_http_vidcast_viewer_t *viewer);
static ngx_int_t ngx_http_vidcast_queue_gather(
    ngx_http_vidcast_viewer_t *viewer, ngx_http_vidcast_message_t **messages,
    ngx_uint_t *n);
static ngx_int_t ngx_http_vidcast_queue_next_text(
    ngx_http_vidcast_viewer_t *viewer, ngx_http_vidcast_message_t **message);
static ngx_int_t ngx_http_vidcast_queue_next_picture(
    ngx_http_vidcast_viewer_t *viewer, ngx_http_vidcast_message_t **message);
static ngx_int_t ngx_http_vidcast_queue_pair_picture(
    ngx_http_vidcast_viewer_t *viewer, ngx_http_vidcast_message_t **message);
static void ngx_http_vidcast_queue_begin(
    ngx_http_vidcast_subscription_t *sub);
static ngx_int_t ngx_http_vidcast_queue_next_result(
    ngx_http_vidcast_subscription_t *sub,
    ngx_http_vidcast_message_t **message);
static ngx_int_t ngx_http_vidcast_queue_next_pair(
    ngx_http_vidcast_subscription_t *sub,
    ngx_http_vidcast_message_t **message);
static ngx_int_t ngx_http_vidcast_queue_take_result(
    ngx_http_vidcast_subscription_t *sub, ngx_http_vidcast_message_t *result,
    ngx_http_vidcast_message_t **message);
static ngx_int_t ngx_http_vidcast_queue_next_frame(
    ngx_http_vidcast_subscription_t *sub,
    ngx_http_vidcast_message_t **message);
static void ngx_http_vidcast_queue_count_frame(
    ngx_http_vidcast_subscription_t *sub, ngx_http_vidcast_message_t *message);
static void ngx_http_vidcast_queue_sent_frame(
    ngx_http_vidcast_subscription_t *sub);
static ngx_uint_t ngx_http_vidcast_queue_admit(
    ngx_http_vidcast_subscription_t *sub, uint64_t captured);


void
ngx_http_vidcast_queue_init(ngx_http_vidcast_main_conf_t *vmcf,
    ngx_log_t *log)
{
    ngx_queue_init(&vmcf->pending);

    vmcf->slice.handler = ngx_http_vidcast_queue_slice_handler;
    vmcf->slice.data = vmcf;
    vmcf->slice.log = log;
}


void
ngx_http_vidcast_queue_exit(ngx_http_vidcast_main_conf_t *vmcf)
{
    if (vmcf->slice.posted) {
        ngx_delete_posted_event(&vmcf->slice);
    }
}


void
ngx_http_vidcast_queue_wake_handler(ngx_event_t *ev)
{
    ngx_connection_t         *c;
    ngx_http_vidcast_feed_t  *feed;

    c = ev->data;
    feed = c->data;

    if (feed->npublishers) {
        feed->publisher_handler(feed);
    }

    if (feed->nsubscriptions == 0) {
        return;
    }

    ngx_http_vidcast_feed_poll(feed);

    /* those that are pending already keep their places before the others */

    if (!ngx_queue_empty(&feed->subscriptions)) {
        ngx_queue_add(&feed->vmcf->pending, &feed->subscriptions);
        ngx_queue_init(&feed->subscriptions);
    }

    if (!feed->vmcf->slice.posted) {
        ngx_http_vidcast_queue_walk(feed->vmcf);
    }
}


static void
ngx_http_vidcast_queue_slice_handler(ngx_event_t *ev)
{
    ngx_http_vidcast_queue_walk(ev->data);
}


/*
 * A viewer that leaves meanwhile is just not there.  Several messages at a time
 * cost much less each than one, when there is no end of them.
 */

static void
ngx_http_vidcast_queue_walk(ngx_http_vidcast_main_conf_t *vmcf)
{
    uint64_t                          start;
    ngx_uint_t                        n;
    ngx_queue_t                      *q;
    ngx_http_vidcast_subscription_t  *sub;

    start = ngx_vidcast_clock();

    for (n = 1; !ngx_queue_empty(&vmcf->pending); n++) {

        q = ngx_queue_head(&vmcf->pending);
        sub = ngx_queue_data(q, ngx_http_vidcast_subscription_t, queue);

        ngx_queue_remove(q);
        ngx_queue_insert_tail(&sub->feed->subscriptions, q);

        ngx_http_vidcast_queue_pass(sub);

        if (ngx_http_vidcast_queue_deliver(sub->viewer) == NGX_OK) {
            ngx_queue_remove(q);
            ngx_queue_insert_tail(&vmcf->pending, q);
        }

        if ((n & NGX_HTTP_VIDCAST_SLICE_CHECK) == 0
            && ngx_vidcast_clock() - start > NGX_HTTP_VIDCAST_SLICE)
        {
            break;
        }
    }

    if (!ngx_queue_empty(&vmcf->pending)) {
        ngx_post_event(&vmcf->slice, &ngx_posted_next_events);
    }
}


/*
 * There may be a new picture: those before it are not to be had any more, for
 * the reason that was noted when this viewer was last looked at, and the new
 * one waits for what is the reason now.  A pair may still have an older one.
 */

static void
ngx_http_vidcast_queue_pass(ngx_http_vidcast_subscription_t *sub)
{
    ngx_http_vidcast_viewer_t   *viewer;
    ngx_http_vidcast_message_t  *frame;

    viewer = sub->viewer;
    frame = sub->feed->frame;

    if (!viewer->frames || frame == NULL || frame->frame.nth <= sub->nth) {
        return;
    }

    if (!viewer->paired) {
        ngx_http_vidcast_queue_skip(sub, frame->frame.nth - 1);
        sub->held = NGX_VIDCAST_SKIP_SLOW;
    }

    if (viewer->paused) {
        sub->held = NGX_VIDCAST_SKIP_PAUSED;

    } else if (viewer->session.busy) {
        sub->held = NGX_VIDCAST_SKIP_SLOW;

    } else if (viewer->acks && viewer->unacked) {
        sub->held = NGX_VIDCAST_SKIP_UNACKNOWLEDGED;
    }
}


/* what was published up to this one, and not sent, is counted by its reason */

static void
ngx_http_vidcast_queue_skip(ngx_http_vidcast_subscription_t *sub, uint64_t nth)
{
    uint64_t                     skipped;
    ngx_vidcast_worker_stats_t  *stats;

    skipped = nth - sub->nth;

    if ((int64_t) skipped <= 0) {
        return;
    }

    sub->nth = nth;

    if (sub->viewer->transport->id == NGX_VIDCAST_SNAPSHOT) {
        return;
    }

    stats = sub->feed->stats;

    stats->skips[sub->held] += skipped;
    stats->frames_skipped += skipped;

    sub->viewer->stats.skipped += skipped;
}


void
ngx_http_vidcast_queue_ready(ngx_http_vidcast_viewer_t *viewer)
{
    ngx_queue_t                      *q;
    ngx_http_vidcast_main_conf_t     *vmcf;
    ngx_http_vidcast_subscription_t  *sub;

    viewer->session.busy = 0;
    viewer->leaving = NULL;

    if (ngx_http_vidcast_queue_deliver(viewer) != NGX_OK) {
        return;
    }

    q = ngx_queue_head(&viewer->subscriptions);
    sub = ngx_queue_data(q, ngx_http_vidcast_subscription_t, link);
    vmcf = sub->feed->vmcf;

    ngx_queue_remove(&sub->queue);
    ngx_queue_insert_tail(&vmcf->pending, &sub->queue);

    ngx_post_event(&vmcf->slice, &ngx_posted_next_events);
}


/*
 * NGX_OK: some have left, and there may be more; NGX_DONE: there are none, or
 * one is leaving, or the viewer is gone
 */

static ngx_int_t
ngx_http_vidcast_queue_deliver(ngx_http_vidcast_viewer_t *viewer)
{
    ngx_int_t                    rc;
    ngx_uint_t                   i, n, sent;
    ngx_http_vidcast_message_t  *messages[NGX_HTTP_VIDCAST_COALESCE];

    for (sent = 0; sent < NGX_HTTP_VIDCAST_VISIT; sent += n) {

        if (!viewer->session.joined || viewer->session.busy || viewer->paused) {
            return NGX_DONE;
        }

        rc = ngx_http_vidcast_queue_gather(viewer, messages, &n);

        if (rc == NGX_DONE) {
            return NGX_DONE;
        }

        if (rc == NGX_OK) {
            viewer->leaving = messages[0]->text ? NULL : messages[0]->feed;

            rc = (n == 1) ? viewer->transport->send(viewer, messages[0])
                          : viewer->transport->coalesce(viewer, messages, n);
        }

        for (i = 0; i < n; i++) {
            ngx_http_vidcast_message_unref(messages[i]);
        }

        if (rc == NGX_OK || rc == NGX_DONE) {
            viewer->leaving = NULL;
        }

        if (rc == NGX_ERROR || rc == NGX_DONE) {

            /* the latter: it was the last thing this viewer wanted */

            ngx_http_vidcast_session_finalize(&viewer->session, rc);
            return NGX_DONE;
        }

        viewer->session.busy = (rc == NGX_AGAIN);
    }

    return viewer->session.busy ? NGX_DONE : NGX_OK;
}


/*
 * What is next for a viewer: results, several if its transport takes them, or
 * else a picture.  NGX_OK, with references for the caller; NGX_DONE: nothing;
 * NGX_ERROR, with *n references none the less.
 */

static ngx_int_t
ngx_http_vidcast_queue_gather(ngx_http_vidcast_viewer_t *viewer,
    ngx_http_vidcast_message_t **messages, ngx_uint_t *n)
{
    ngx_int_t   rc;
    ngx_uint_t  most;

    *n = 0;

    if (viewer->paired
        && ngx_http_vidcast_queue_pair_picture(viewer, messages) == NGX_OK)
    {
        *n = 1;
        return NGX_OK;
    }

    /* behind a paired one comes its picture */

    most = (viewer->transport->coalesce && !viewer->paired)
               ? NGX_HTTP_VIDCAST_COALESCE : 1;

    do {
        rc = ngx_http_vidcast_queue_next_text(viewer, &messages[*n]);

    } while (rc == NGX_OK && ++*n < most);

    if (rc == NGX_DONE && *n == 0) {
        rc = ngx_http_vidcast_queue_next_picture(viewer, messages);
        *n = (rc == NGX_OK);

        return rc;
    }

    return (rc == NGX_ERROR) ? NGX_ERROR : NGX_OK;
}


/* of one source after the other, as pictures are */

static ngx_int_t
ngx_http_vidcast_queue_next_text(ngx_http_vidcast_viewer_t *viewer,
    ngx_http_vidcast_message_t **message)
{
    ngx_int_t                         rc;
    ngx_queue_t                      *q, *sentinel;
    ngx_http_vidcast_subscription_t  *sub;

    if (!viewer->results) {
        return NGX_DONE;
    }

    sentinel = ngx_queue_sentinel(&viewer->subscriptions);

    for (q = ngx_queue_head(&viewer->subscriptions);
         q != sentinel;
         q = ngx_queue_next(q))
    {
        sub = ngx_queue_data(q, ngx_http_vidcast_subscription_t, link);

        rc = viewer->paired
                 ? ngx_http_vidcast_queue_next_pair(sub, message)
                 : ngx_http_vidcast_queue_next_result(sub, message);

        if (rc != NGX_DONE) {
            ngx_queue_remove(q);
            ngx_queue_insert_tail(&viewer->subscriptions, q);
            return rc;
        }
    }

    return NGX_DONE;
}


static ngx_int_t
ngx_http_vidcast_queue_next_picture(ngx_http_vidcast_viewer_t *viewer,
    ngx_http_vidcast_message_t **message)
{
    ngx_queue_t                      *q, *sentinel;
    ngx_http_vidcast_subscription_t  *sub;

    if (!viewer->frames
        || viewer->paired
        || (viewer->acks && viewer->unacked))
    {
        return NGX_DONE;
    }

    sentinel = ngx_queue_sentinel(&viewer->subscriptions);

    for (q = ngx_queue_head(&viewer->subscriptions);
         q != sentinel;
         q = ngx_queue_next(q))
    {
        sub = ngx_queue_data(q, ngx_http_vidcast_subscription_t, link);

        if (ngx_http_vidcast_queue_next_frame(sub, message) == NGX_OK) {
            ngx_queue_remove(q);
            ngx_queue_insert_tail(&viewer->subscriptions, q);
            return NGX_OK;
        }
    }

    return NGX_DONE;
}


/* a picture whose result was the last thing that this viewer got */

static ngx_int_t
ngx_http_vidcast_queue_pair_picture(ngx_http_vidcast_viewer_t *viewer,
    ngx_http_vidcast_message_t **message)
{
    ngx_queue_t                      *q;
    ngx_http_vidcast_subscription_t  *sub;

    for (q = ngx_queue_head(&viewer->subscriptions);
         q != ngx_queue_sentinel(&viewer->subscriptions);
         q = ngx_queue_next(q))
    {
        sub = ngx_queue_data(q, ngx_http_vidcast_subscription_t, link);

        if (sub->pair) {
            *message = sub->pair;
            sub->pair = NULL;
            ngx_http_vidcast_queue_sent_frame(sub);
            return NGX_OK;
        }
    }

    return NGX_DONE;
}


/*
 * Numbers have begun anew: the viewer goes on with the newest ones, and is
 * told; or, if they are those which it knows, from its last one on.
 */

static void
ngx_http_vidcast_queue_begin(ngx_http_vidcast_subscription_t *sub)
{
    ngx_http_vidcast_feed_t  *feed;

    feed = sub->feed;

    if (sub->next_result && sub->next_result <= feed->ended) {
        sub->untold += feed->ended - sub->next_result + 1;
    }

    sub->series = feed->series;
    sub->last_frame = 0;
    sub->next_result = 0;
    sub->replay = 0;
    sub->awaits = 0;
    sub->reset = 1;

    if (sub->pair) {
        ngx_http_vidcast_message_unref(sub->pair);
        sub->pair = NULL;
    }

    if (sub->since.seq && sub->since.epoch == feed->epoch) {
        sub->next_result = sub->since.seq + 1;
        sub->untold = 0;
        sub->replay = 1;
        sub->reset = 0;
        sub->since.seq = 0;
    }
}


static ngx_int_t
ngx_http_vidcast_queue_next_result(ngx_http_vidcast_subscription_t *sub,
    ngx_http_vidcast_message_t **message)
{
    uint64_t                     next;
    ngx_uint_t                   n, backlog;
    ngx_http_vidcast_feed_t     *feed;
    ngx_http_vidcast_message_t  *m;

    feed = sub->feed;
    n = feed->nresults;

    if (sub->series != feed->series) {
        ngx_http_vidcast_queue_begin(sub);
    }

    if (sub->next_result == 0) {
        sub->next_result = feed->result;
    }

    if (sub->next_result > feed->result || feed->result == 0) {
        sub->replay = sub->awaits;
        return NGX_DONE;
    }

    sub->awaits = 0;

    backlog = sub->replay ? n : ngx_min(sub->viewer->backlog, n);

    if (sub->next_result + backlog <= feed->result) {

        /* one that asked for the history gets what is left of it */

        next = sub->replay ? feed->result - n + 1 : feed->result;
        sub->untold += next - sub->next_result;
        sub->next_result = next;
    }

    while (sub->next_result <= feed->result) {

        m = feed->results[sub->next_result % n];

        if (m == NULL || m->seq != sub->next_result) {

            /* overwritten by now, never whole, or we had no memory for it */

            sub->next_result++;
            sub->untold++;
            continue;
        }

        sub->next_result++;

        return ngx_http_vidcast_queue_take_result(sub, m, message);
    }

    return NGX_DONE;
}


/*
 * The newest result, if its picture is there, and that picture next, whatever
 * other sources have.  A result may come before its picture, when the
 * predictor is faster than the encoder; one whose picture was dropped is
 * skipped.
 */

static ngx_int_t
ngx_http_vidcast_queue_next_pair(ngx_http_vidcast_subscription_t *sub,
    ngx_http_vidcast_message_t **message)
{
    ngx_http_vidcast_feed_t     *feed;
    ngx_http_vidcast_viewer_t   *viewer;
    ngx_http_vidcast_message_t  *m, *frame;

    feed = sub->feed;
    viewer = sub->viewer;

    if (sub->series != feed->series) {
        ngx_http_vidcast_queue_begin(sub);
    }

    if (sub->next_result > feed->result || (viewer->acks && viewer->unacked)) {
        return NGX_DONE;
    }

    m = feed->results[feed->result % feed->nresults];

    if (m == NULL) {
        return NGX_DONE;
    }

    frame = ngx_http_vidcast_pairing_find(feed, m->frame.number);

    if (frame == NULL) {
        return NGX_DONE;
    }

    if (!ngx_http_vidcast_queue_admit(sub, frame->frame.captured)) {
        sub->held = NGX_VIDCAST_SKIP_FPS;
        return NGX_DONE;
    }

    /* what had no picture when this viewer came was not meant for it */

    if (sub->last_frame || sub->replay) {
        sub->untold += feed->result - sub->next_result;
    }

    sub->replay = 0;

    sub->next_result = feed->result + 1;

    if (sub->last_frame == 0) {

        /* it may be older than this viewer */

        sub->nth = ngx_min(sub->nth, frame->frame.nth - 1);
    }

    ngx_http_vidcast_queue_count_frame(sub, frame);

    sub->held = NGX_VIDCAST_SKIP_UNPAIRED;

    frame->refs++;
    sub->pair = frame;

    return ngx_http_vidcast_queue_take_result(sub, m, message);
}


/* a reference to a result, which says what this viewer missed before it */

static ngx_int_t
ngx_http_vidcast_queue_take_result(ngx_http_vidcast_subscription_t *sub,
    ngx_http_vidcast_message_t *result, ngx_http_vidcast_message_t **message)
{
    sub->feed->stats->results++;
    sub->feed->stats->results_skipped += sub->untold;

    sub->viewer->stats.results++;
    sub->viewer->stats.skipped += sub->untold;

    if (sub->untold == 0 && !sub->reset) {
        result->refs++;
        *message = result;
        return NGX_OK;
    }

    *message = ngx_http_vidcast_message_told(result, sub->untold, sub->reset);

    sub->untold = 0;
    sub->reset = 0;
    sub->since.seq = 0;

    return *message ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_http_vidcast_queue_next_frame(ngx_http_vidcast_subscription_t *sub,
    ngx_http_vidcast_message_t **message)
{
    ngx_http_vidcast_message_t  *frame;

    frame = sub->feed->frame;

    if (sub->series != sub->feed->series) {
        ngx_http_vidcast_queue_begin(sub);
    }

    if (frame == NULL || frame->frame.number <= sub->last_frame) {
        return NGX_DONE;
    }

    if (!ngx_http_vidcast_queue_admit(sub, frame->frame.captured)) {
        sub->held = NGX_VIDCAST_SKIP_FPS;
        return NGX_DONE;
    }

    ngx_http_vidcast_queue_count_frame(sub, frame);
    ngx_http_vidcast_queue_sent_frame(sub);

    frame->refs++;
    *message = frame;

    return NGX_OK;
}


/* this one is next for the viewer */

static void
ngx_http_vidcast_queue_count_frame(ngx_http_vidcast_subscription_t *sub,
    ngx_http_vidcast_message_t *message)
{
    uint64_t              between;
    ngx_vidcast_frame_t  *frame;

    frame = &message->frame;

    ngx_http_vidcast_queue_skip(sub, frame->nth - 1);

    sub->nth = ngx_max(sub->nth, frame->nth);

    /* numbers that were lost before they were published: of some other rings */

    if (sub->last_nth && frame->nth > sub->last_nth) {
        between = frame->number - sub->last_frame;

        sub->feed->stats->unpublished += between - (frame->nth - sub->last_nth);
    }

    sub->last_frame = frame->number;
    sub->last_nth = frame->nth;
}


static void
ngx_http_vidcast_queue_sent_frame(ngx_http_vidcast_subscription_t *sub)
{
    sub->viewer->unacked = 1;
    sub->viewer->stats.frames++;
    sub->feed->stats->frames++;
}


/*
 * May it be sent, by the pictures a second that the viewer may have?  If so the
 * time of the next one is settled.
 */

static ngx_uint_t
ngx_http_vidcast_queue_admit(ngx_http_vidcast_subscription_t *sub,
    uint64_t captured)
{
    uint64_t  now, time, latest, interval;

    interval = sub->viewer->interval;

    if (interval == 0) {
        return 1;
    }

    time = captured;
    latest = time + interval;

    if (sub->due > latest + NGX_HTTP_VIDCAST_JITTER) {

        /* of a longer interval, which the viewer had before */

        sub->due = 0;
    }

    if (time + NGX_HTTP_VIDCAST_JITTER < sub->due) {

        /* it stays the newest for so long: the source gives no more */

        now = ngx_vidcast_clock();

        if (now < latest || now < sub->due) {
            return 0;
        }

        time = now;
    }

    sub->due = ngx_max(sub->due + interval, time + interval / 2);

    return 1;
}
