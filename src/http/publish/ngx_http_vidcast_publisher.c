
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "http/publish/ngx_http_vidcast_publisher.h"
#include "shm/ngx_vidcast_control.h"
#include "os/ngx_vidcast_notify.h"


#define NGX_HTTP_VIDCAST_PUBLISHER_WAIT_STEP   100     /* ms */
#define NGX_HTTP_VIDCAST_PUBLISHER_WAIT        3000


static void ngx_http_vidcast_publisher_poll(ngx_http_vidcast_feed_t *feed);
static ngx_http_vidcast_publisher_t *ngx_http_vidcast_publisher_first(
    ngx_http_vidcast_feed_t *feed);
static ngx_int_t ngx_http_vidcast_publisher_room(
    ngx_http_vidcast_publisher_t *publisher);
static ngx_int_t ngx_http_vidcast_publisher_enter(
    ngx_http_vidcast_publisher_t *publisher);
static ngx_int_t ngx_http_vidcast_publisher_conflict(
    ngx_http_vidcast_publisher_t *publisher, ngx_uint_t process,
    ngx_uint_t session);
static ngx_int_t ngx_http_vidcast_publisher_step(
    ngx_http_vidcast_publisher_t *publisher);
static ngx_int_t ngx_http_vidcast_publisher_answer(
    ngx_http_vidcast_publisher_t *publisher);
static ngx_uint_t ngx_http_vidcast_publisher_taken_over(
    ngx_http_vidcast_publisher_t *publisher);
static void ngx_http_vidcast_publisher_wait_handler(ngx_event_t *ev);
static ngx_uint_t ngx_http_vidcast_publisher_waits(
    ngx_http_vidcast_feed_t *feed);


#define ngx_http_vidcast_publisher_process(feed)                              \
    ((feed)->vmcf->vidcast.control->worker_index)


void
ngx_http_vidcast_publisher_init(ngx_http_vidcast_main_conf_t *vmcf,
    ngx_log_t *log)
{
    ngx_uint_t                i;
    ngx_http_vidcast_feed_t  *feed;

    for (i = 0; i < vmcf->vidcast.renditions.nelts; i++) {
        feed = &vmcf->feeds[i];

        ngx_queue_init(&feed->publishers);

        feed->publisher_handler = ngx_http_vidcast_publisher_poll;

        feed->wait_timer.handler = ngx_http_vidcast_publisher_wait_handler;
        feed->wait_timer.data = feed;
        feed->wait_timer.log = log;
    }
}


ngx_int_t
ngx_http_vidcast_publisher_join(ngx_http_vidcast_publisher_t *publisher)
{
    ngx_int_t                 rc;
    ngx_http_vidcast_feed_t  *feed;

    feed = publisher->feed;

    if (feed->vmcf->draining
        || feed->wake == NULL
        || ngx_http_vidcast_publisher_process(feed) == NGX_VIDCAST_NO_PROCESS)
    {
        return NGX_DECLINED;
    }

    rc = ngx_http_vidcast_publisher_room(publisher);

    if (rc != NGX_OK) {
        return rc;
    }

    /* watched before the hand-off is looked at: no change of it is missed */

    if (ngx_vidcast_notify_enable(feed->wake) != NGX_OK) {
        return NGX_DECLINED;
    }

    ngx_queue_insert_tail(&feed->publishers, &publisher->queue);

    feed->npublishers++;
    feed->stats->publishers++;

    publisher->joined = 1;
    publisher->since = ngx_current_msec;

    if (publisher == ngx_http_vidcast_publisher_first(feed)
        && ngx_http_vidcast_publisher_enter(publisher) == NGX_BUSY)
    {
        ngx_http_vidcast_publisher_leave(publisher);
        return NGX_BUSY;
    }

    if (!feed->wait_timer.timer_set) {
        ngx_add_timer(&feed->wait_timer, NGX_HTTP_VIDCAST_PUBLISHER_WAIT_STEP);
    }

    return NGX_OK;
}


/* beside those of this worker; a session that is in line counts, too */

static ngx_int_t
ngx_http_vidcast_publisher_room(ngx_http_vidcast_publisher_t *publisher)
{
    ngx_queue_t                   *q;
    ngx_http_vidcast_feed_t       *feed;
    ngx_http_vidcast_publisher_t  *other;

    feed = publisher->feed;

    for (q = ngx_queue_head(&feed->publishers);
         q != ngx_queue_sentinel(&feed->publishers);
         q = ngx_queue_next(q))
    {
        other = ngx_queue_data(q, ngx_http_vidcast_publisher_t, queue);

        if (!other->session) {
            continue;
        }

        if (!publisher->takeover) {
            return NGX_BUSY;
        }

        /* there is one at most */

        other->user->dismiss(other, NGX_HTTP_VIDCAST_REPLACED);
        break;
    }

    return NGX_OK;
}


static ngx_http_vidcast_publisher_t *
ngx_http_vidcast_publisher_first(ngx_http_vidcast_feed_t *feed)
{
    if (ngx_queue_empty(&feed->publishers)) {
        return NULL;
    }

    return ngx_queue_data(ngx_queue_head(&feed->publishers),
                          ngx_http_vidcast_publisher_t, queue);
}


/* NGX_OK: entered; NGX_AGAIN: later, perhaps; NGX_BUSY: not before it ends */

static ngx_int_t
ngx_http_vidcast_publisher_enter(ngx_http_vidcast_publisher_t *publisher)
{
    ngx_uint_t                n, process, session;
    ngx_vidcast_handoff_t    *handoff;
    ngx_http_vidcast_feed_t  *feed;

    feed = publisher->feed;
    handoff = &feed->zone->shm->handoff;

    for (n = 0; n < 2; n++) {

        if (ngx_vidcast_handoff_enter(handoff,
                                      ngx_http_vidcast_publisher_process(feed),
                                      publisher->session)
            == NGX_OK)
        {
            publisher->entered = 1;

            ngx_vidcast_zone_wake_capture(feed->zone);

            return NGX_OK;
        }

        /* told first: a worker that leaves it meanwhile wakes this one */

        ngx_vidcast_store(&handoff->waiting, 1);

        process = ngx_vidcast_handoff_process(handoff, &session);

        if (process != NGX_VIDCAST_HANDOFF_NOBODY) {
            return ngx_http_vidcast_publisher_conflict(publisher, process,
                                                       session);
        }
    }

    /* the other worker has left it to the capture */

    ngx_vidcast_zone_wake_capture(feed->zone);

    return NGX_AGAIN;
}


static ngx_int_t
ngx_http_vidcast_publisher_conflict(ngx_http_vidcast_publisher_t *publisher,
    ngx_uint_t process, ngx_uint_t session)
{
    ngx_uint_t                own;
    ngx_vidcast_handoff_t    *handoff;
    ngx_vidcast_control_t    *control;
    ngx_http_vidcast_feed_t  *feed;

    feed = publisher->feed;
    handoff = &feed->zone->shm->handoff;
    control = feed->vmcf->vidcast.control;
    own = ngx_http_vidcast_publisher_process(feed);

    if (process == own || !session) {
        return NGX_AGAIN;
    }

    if (!ngx_vidcast_process_alive(control, process, publisher->log)) {

        /* the capture will find out */

        ngx_vidcast_zone_wake_capture(feed->zone);
        return NGX_AGAIN;
    }

    if (publisher->takeover) {
        ngx_vidcast_handoff_request_takeover(handoff, own);
        ngx_vidcast_zone_wake_workers(feed->zone);
        return NGX_AGAIN;
    }

    /* one that is leaving with its worker makes room for one that has come */

    return ngx_vidcast_load(&control->shm->processes[process].exiting)
           ? NGX_AGAIN : NGX_BUSY;
}


void
ngx_http_vidcast_publisher_submit(ngx_http_vidcast_publisher_t *publisher,
    ngx_uint_t kind, size_t size)
{
    ngx_http_vidcast_feed_t  *feed;

    feed = publisher->feed;

    publisher->data = NULL;
    publisher->submitted = 1;

    (void) ngx_vidcast_handoff_submit(&feed->zone->shm->handoff,
                                      ngx_http_vidcast_publisher_process(feed),
                                      kind, size, !publisher->session);
    ngx_vidcast_zone_wake_capture(feed->zone);

    feed->stats->received += size;
}


void
ngx_http_vidcast_publisher_leave(ngx_http_vidcast_publisher_t *publisher)
{
    ngx_int_t                 rc;
    ngx_vidcast_handoff_t    *handoff;
    ngx_http_vidcast_feed_t  *feed;

    if (!publisher->joined) {
        return;
    }

    feed = publisher->feed;
    handoff = &feed->zone->shm->handoff;

    ngx_queue_remove(&publisher->queue);

    feed->npublishers--;
    feed->stats->publishers--;

    publisher->joined = 0;
    publisher->data = NULL;

    if (publisher->entered) {
        rc = ngx_vidcast_handoff_leave(handoff,
                                       ngx_http_vidcast_publisher_process(
                                           feed));

        if (rc == NGX_OK) {
            ngx_vidcast_zone_wake_capture(feed->zone);

        } else if (ngx_vidcast_load(&handoff->waiting)) {
            ngx_vidcast_store(&handoff->waiting, 0);
            ngx_vidcast_zone_wake_workers(feed->zone);
        }

    } else {
        ngx_vidcast_handoff_cancel_takeover(handoff,
                                            ngx_http_vidcast_publisher_process(
                                                feed));
    }

    publisher->entered = 0;

    ngx_http_vidcast_feed_unwatch(feed);

    if (feed->npublishers && !feed->wait_timer.timer_set) {
        ngx_add_timer(&feed->wait_timer, 1);
    }
}


void
ngx_http_vidcast_publisher_slow(ngx_http_vidcast_publisher_t *publisher,
    ngx_msec_t timeout)
{
    publisher->feed->stats->unwanted++;
    publisher->feed->stats->slow++;

    ngx_log_error(NGX_LOG_INFO, publisher->log, NGX_ETIMEDOUT,
                  "vidcast publisher did not end its message in %M ms",
                  timeout);
}


/* the source's eventfd rang */

static void
ngx_http_vidcast_publisher_poll(ngx_http_vidcast_feed_t *feed)
{
    ngx_http_vidcast_publisher_t  *publisher;

    do {
        publisher = ngx_http_vidcast_publisher_first(feed);

    } while (publisher
             && ngx_http_vidcast_publisher_step(publisher) == NGX_DONE);

    if (!feed->wait_timer.timer_set && ngx_http_vidcast_publisher_waits(feed)) {
        ngx_add_timer(&feed->wait_timer, NGX_HTTP_VIDCAST_PUBLISHER_WAIT_STEP);
    }
}


/* NGX_DONE: it has left, the next one is looked at; NGX_OK: nothing for now */

static ngx_int_t
ngx_http_vidcast_publisher_step(ngx_http_vidcast_publisher_t *publisher)
{
    uint32_t                  slot;
    ngx_int_t                 rc;
    ngx_http_vidcast_feed_t  *feed;

    feed = publisher->feed;

    if (!publisher->entered) {

        if (ngx_http_vidcast_publisher_enter(publisher) == NGX_BUSY) {
            publisher->user->dismiss(publisher, NGX_HTTP_VIDCAST_RIVAL);
            return NGX_DONE;
        }

        return NGX_OK;
    }

    if (publisher->session
        && ngx_http_vidcast_publisher_taken_over(publisher))
    {
        publisher->user->dismiss(publisher, NGX_HTTP_VIDCAST_REPLACED);
        return NGX_DONE;
    }

    if (publisher->submitted
        && ngx_http_vidcast_publisher_answer(publisher) != NGX_OK)
    {
        return publisher == ngx_http_vidcast_publisher_first(feed) ? NGX_OK
                                                                  : NGX_DONE;
    }

    if (publisher->data) {
        return NGX_OK;
    }

    rc = ngx_vidcast_handoff_slot_lent(&feed->zone->shm->handoff,
                                       ngx_http_vidcast_publisher_process(feed),
                                       &slot);

    if (rc == NGX_OK && slot < feed->zone->ring.geometry.slots) {
        publisher->data = ngx_vidcast_ring_data(&feed->zone->ring, slot);
        publisher->user->lent(publisher);
    }

    return NGX_OK;
}


/* NGX_OK: answered, and still here; else nothing may be touched any more */

static ngx_int_t
ngx_http_vidcast_publisher_answer(ngx_http_vidcast_publisher_t *publisher)
{
    uint64_t                  number;
    ngx_int_t                 rc;
    ngx_uint_t                reason;
    ngx_http_vidcast_feed_t  *feed;

    feed = publisher->feed;

    rc = ngx_vidcast_handoff_outcome(&feed->zone->shm->handoff,
                                     ngx_http_vidcast_publisher_process(feed),
                                     &reason, &number);
    if (rc != NGX_OK) {
        return rc;
    }

    publisher->submitted = 0;

    if (reason == NGX_VIDCAST_HANDOFF_TAKEN) {
        feed->stats->published++;

    } else {
        feed->stats->unwanted++;
    }

    publisher->user->answered(publisher, reason, number);

    return (publisher == ngx_http_vidcast_publisher_first(feed)) ? NGX_OK
                                                                : NGX_DONE;
}


/* a worker that died with its request must not send away all publishers */

static ngx_uint_t
ngx_http_vidcast_publisher_taken_over(ngx_http_vidcast_publisher_t *publisher)
{
    ngx_uint_t                takeover;
    ngx_vidcast_handoff_t    *handoff;
    ngx_http_vidcast_feed_t  *feed;

    feed = publisher->feed;
    handoff = &feed->zone->shm->handoff;

    takeover = ngx_vidcast_handoff_takeover_by(handoff);

    if (takeover == NGX_VIDCAST_HANDOFF_NOBODY) {
        return 0;
    }

    if (takeover != ngx_http_vidcast_publisher_process(feed)
        && ngx_vidcast_process_alive(feed->vmcf->vidcast.control, takeover,
                                     publisher->log))
    {
        return 1;
    }

    ngx_vidcast_handoff_cancel_takeover(handoff, takeover);

    return 0;
}


/*
 * Looks again while a publisher waits: a capture may have died, or a worker
 * that had the hand-off.  A session that has it waits as long as it takes.
 */

static void
ngx_http_vidcast_publisher_wait_handler(ngx_event_t *ev)
{
    ngx_queue_t                   *q;
    ngx_http_vidcast_feed_t       *feed;
    ngx_http_vidcast_publisher_t  *publisher;

    feed = ev->data;

    ngx_http_vidcast_publisher_poll(feed);

    q = ngx_queue_head(&feed->publishers);

    while (q != ngx_queue_sentinel(&feed->publishers)) {

        publisher = ngx_queue_data(q, ngx_http_vidcast_publisher_t, queue);
        q = ngx_queue_next(q);

        if ((publisher->entered && publisher->session)
            || ngx_current_msec - publisher->since
                   < NGX_HTTP_VIDCAST_PUBLISHER_WAIT)
        {
            continue;
        }

        publisher->user->dismiss(publisher, NGX_HTTP_VIDCAST_NO_TURN);

        /* others may have gone with it */

        q = ngx_queue_head(&feed->publishers);
    }

    if (!ev->timer_set && ngx_http_vidcast_publisher_waits(feed)) {
        ngx_add_timer(ev, NGX_HTTP_VIDCAST_PUBLISHER_WAIT_STEP);
    }
}


static ngx_uint_t
ngx_http_vidcast_publisher_waits(ngx_http_vidcast_feed_t *feed)
{
    ngx_http_vidcast_publisher_t  *publisher;

    publisher = ngx_http_vidcast_publisher_first(feed);

    return publisher && publisher->data == NULL;
}
