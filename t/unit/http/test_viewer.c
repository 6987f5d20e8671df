
/*
 * Copyright (C) vidcast contributors
 */


/*
 * A viewer's places: each source counts it once, gives it up again whatever
 * happens, and refuses one too many without a trace.  Nothing is woken before
 * the viewer says so, and a viewer that resumes gets what it has missed.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "unit.h"
#include "unit_ngx.h"

#include "http/delivery/ngx_http_vidcast_viewer.c"


static void test_places(void);
static void test_limit(void);
static void test_kinds(void);
static void test_left(void);
static void test_begin(void);
static void test_resume(void);
static void test_resume_remote(void);
static void test_resumed(ngx_http_vidcast_viewer_t *viewer,
    ngx_vidcast_point_t *since);
static void test_session(void);
static void test_reset(void);
static void test_join(ngx_http_vidcast_viewer_t *viewer);
static ngx_int_t test_ping(ngx_http_vidcast_viewer_t *viewer);
static void test_drain(ngx_http_vidcast_viewer_t *viewer);
static ngx_http_vidcast_subscription_t *test_sub(
    ngx_http_vidcast_viewer_t *viewer);


ngx_os_io_t                          ngx_io;
ngx_module_t                         ngx_http_vidcast_module;

static ngx_http_vidcast_transport_t  test_transport = {
    NGX_VIDCAST_SSE, 1, NULL, test_ping, test_drain, NULL
};


static ngx_http_vidcast_main_conf_t  test_vmcf;
static ngx_http_vidcast_loc_conf_t   test_vlcf;
static ngx_http_vidcast_feed_t       test_feeds[2];
static ngx_vidcast_source_t          test_source;
static ngx_vidcast_rendition_t       test_overlay;
static ngx_vidcast_zone_t            test_zones[2];
static ngx_vidcast_worker_stats_t    test_stats[2];
static ngx_http_vidcast_message_t    test_result;
static ngx_http_vidcast_message_t   *test_results[4];
static ngx_connection_t              test_wake;
static struct sockaddr               test_sockaddr;
static ngx_connection_t              test_connection;
static ngx_http_request_t            test_request;
static void                         *test_conf[1];
static ngx_uint_t                    test_woken, test_watched, test_dropped;
static ngx_uint_t                    test_dropped_frames, test_ready;
static ngx_uint_t                    test_pings, test_drains;
static ngx_int_t                     test_rc;
static uint64_t                      test_min_frame;
static uint64_t                      test_newest_result;
static ngx_vidcast_zone_shm_t        test_shm;


int
main(void)
{
    test_places();
    test_limit();
    test_kinds();
    test_left();
    test_begin();
    test_resume();
    test_resume_remote();
    test_session();

    return unit_done();
}


static void
test_places(void)
{
    ngx_http_vidcast_viewer_t  a;

    test_reset();
    test_join(&a);

    unit_ok(ngx_http_vidcast_viewer_subscribe(&test_feeds[0], &a, NULL)
            == NGX_OK
            && ngx_http_vidcast_viewer_subscribe(&test_feeds[1], &a, NULL)
               == NGX_OK
            && ngx_http_vidcast_viewer_subscribe(&test_feeds[0], &a, NULL)
               == NGX_OK,
            "two sources, one of them asked for twice");
    unit_ok(test_stats[0].viewers[NGX_VIDCAST_SSE] == 1
            && test_stats[1].viewers[NGX_VIDCAST_SSE] == 1
            && test_feeds[0].nsubscriptions == 1,
            "each counts it once");
    unit_ok(test_woken == 0, "and sleeps on");

    ngx_http_vidcast_viewer_wake(&a);

    unit_ok(test_woken == 2, "till the viewer has got in");

    ngx_http_vidcast_viewer_unsubscribe(&test_feeds[0], &a);
    ngx_http_vidcast_viewer_unsubscribe(&test_feeds[0], &a);

    unit_ok(test_stats[0].viewers[NGX_VIDCAST_SSE] == 0
            && test_feeds[0].nsubscriptions == 0 && test_dropped == 1
            && test_stats[1].viewers[NGX_VIDCAST_SSE] == 1,
            "it may leave one of them, once");

    (void) ngx_http_vidcast_viewer_subscribe(&test_feeds[0], &a, NULL);

    unit_ok(ngx_queue_empty(&a.ended), "and come back, in the same memory");

    a.session.handlers->gone(&a.session);

    unit_ok(test_stats[0].viewers[NGX_VIDCAST_SSE] == 0
            && test_stats[1].viewers[NGX_VIDCAST_SSE] == 0
            && test_dropped == 3,
            "when it is gone no place is left");
}


static void
test_limit(void)
{
    ngx_http_vidcast_viewer_t  a, b;

    test_reset();
    test_vlcf.max_viewers = 1;
    test_join(&a);
    test_join(&b);

    unit_ok(ngx_http_vidcast_viewer_subscribe(&test_feeds[0], &a, NULL)
            == NGX_OK
            && ngx_http_vidcast_viewer_subscribe(&test_feeds[0], &b, NULL)
               == NGX_BUSY,
            "one too many");
    unit_ok(test_stats[0].viewers[NGX_VIDCAST_SSE] == 1
            && test_stats[0].refused == 1
            && ngx_queue_empty(&b.subscriptions),
            "leaves no trace but a count");

    ngx_http_vidcast_viewer_unsubscribe(&test_feeds[0], &a);

    unit_ok(ngx_http_vidcast_viewer_subscribe(&test_feeds[0], &b, NULL)
            == NGX_OK, "there is room again");

    test_reset();
    test_join(&a);
    test_feeds[0].wake = NULL;

    unit_ok(ngx_http_vidcast_viewer_subscribe(&test_feeds[0], &a, NULL)
            == NGX_BUSY
            && test_stats[0].viewers[NGX_VIDCAST_SSE] == 0,
            "a worker that cannot hear a source has no viewers of it");
}


/* counted beside their transports, as what they want costs something else */

static void
test_kinds(void)
{
    ngx_http_vidcast_viewer_t  a;

    test_reset();
    test_join(&a);

    a.frames = 1;
    a.paired = 1;
    a.sendfile = 1;

    (void) ngx_http_vidcast_viewer_subscribe(&test_feeds[0], &a, NULL);

    unit_ok(test_feeds[0].nframes == 1 && test_feeds[0].npaired == 1
            && test_stats[0].viewers[NGX_VIDCAST_SENDFILE] == 1,
            "one of pictures, in pairs");

    test_source.overlay = &test_overlay;
    test_feeds[1].rendition = &test_overlay;

    (void) ngx_http_vidcast_viewer_subscribe(&test_feeds[1], &a, NULL);

    unit_ok(test_stats[1].viewers[NGX_VIDCAST_OVERLAID] == 1
            && test_stats[1].viewers[NGX_VIDCAST_SENDFILE] == 0,
            "one of an overlay");

    test_sub(&a)->pair = &test_result;
    test_result.refs = 2;

    a.session.handlers->gone(&a.session);

    unit_ok(test_feeds[0].nframes == 0 && test_feeds[0].npaired == 0
            && test_stats[0].viewers[NGX_VIDCAST_SENDFILE] == 0
            && test_stats[1].viewers[NGX_VIDCAST_OVERLAID] == 0
            && test_dropped_frames == 2,
            "all of it is given up");
    unit_ok(test_result.refs == 1, "with the picture that was to come");
}


/* what it missed at its end, by what the capture has published by then */

static void
test_left(void)
{
    ngx_http_vidcast_viewer_t   a;
    ngx_http_vidcast_message_t  frame;

    test_reset();
    test_join(&a);
    a.frames = 1;
    a.results = 1;

    ngx_memzero(&frame, sizeof(ngx_http_vidcast_message_t));
    frame.frame.nth = 8;
    test_feeds[0].frame = &frame;
    test_shm.counters.published = 8;

    (void) ngx_http_vidcast_viewer_subscribe(&test_feeds[0], &a, NULL);

    unit_ok(test_sub(&a)->nth == 7, "left: it begins with the newest picture");

    test_feeds[0].frame = NULL;
    test_shm.counters.published = 12;
    test_newest_result = 3;
    test_sub(&a)->untold = 2;
    a.leaving = &test_feeds[0];

    a.session.handlers->gone(&a.session);

    unit_ok(test_stats[0].skips[NGX_VIDCAST_SKIP_LEFT] == 5
            && test_stats[0].frames_skipped == 0,
            "left: with pictures that it was not sent");
    unit_ok(test_stats[0].results_left == 5, "left: with results");
    unit_ok(test_stats[0].cut == 1 && a.leaving == NULL,
            "left: with one that was being sent");

    test_reset();
    test_join(&a);
    test_shm.counters.published = 8;
    (void) ngx_http_vidcast_viewer_subscribe(&test_feeds[0], &a, NULL);
    test_shm.counters.published = 12;
    a.session.handlers->gone(&a.session);

    unit_ok(test_stats[0].skips[NGX_VIDCAST_SKIP_LEFT] == 0,
            "left: without pictures if it wanted none");
}


/* which result comes first */

static void
test_begin(void)
{
    ngx_http_vidcast_viewer_t  a;

    test_reset();
    test_join(&a);
    (void) ngx_http_vidcast_viewer_subscribe(&test_feeds[0], &a, NULL);

    unit_ok(test_sub(&a)->next_result == 1
            && test_sub(&a)->awaits && test_sub(&a)->replay,
            "there is none yet: the first one, whatever else comes with it");

    test_reset();
    test_join(&a);
    a.paired = 1;
    (void) ngx_http_vidcast_viewer_subscribe(&test_feeds[0], &a, NULL);

    unit_ok(test_sub(&a)->next_result == 1 && !test_sub(&a)->awaits,
            "of pairs the newest");

    test_reset();
    test_join(&a);
    test_feeds[0].result = 6;
    test_results[2] = &test_result;
    test_result.frame.number = 10;
    (void) ngx_http_vidcast_viewer_subscribe(&test_feeds[0], &a, NULL);

    unit_ok(test_sub(&a)->next_result == 6 && !test_sub(&a)->awaits,
            "the newest");

    test_reset();
    test_join(&a);
    test_feeds[0].result = 6;
    test_results[2] = &test_result;
    test_result.frame.number = 10;
    test_min_frame = 10;
    (void) ngx_http_vidcast_viewer_subscribe(&test_feeds[0], &a, NULL);

    unit_ok(test_sub(&a)->next_result == 7 && test_sub(&a)->awaits,
            "not one from before the source slept");
}


static void
test_resume(void)
{
    ngx_vidcast_point_t         since;
    ngx_http_vidcast_viewer_t   a;

    ngx_memzero(&since, sizeof(ngx_vidcast_point_t));

    since.epoch = 0xe;
    since.seq = 7;
    test_resumed(&a, &since);

    unit_ok(test_sub(&a)->next_result == 8 && test_sub(&a)->untold == 0
            && test_sub(&a)->replay && !test_sub(&a)->reset,
            "it goes on behind the last one that it has");

    since.seq = 1;
    test_resumed(&a, &since);

    unit_ok(test_sub(&a)->next_result == 6 && test_sub(&a)->untold == 4,
            "or with the oldest one that is left, and is told");

    since.seq = 10;
    test_resumed(&a, &since);

    unit_ok(test_sub(&a)->reset && test_sub(&a)->next_result == 10,
            "a number not given yet is of another series");

    since.epoch = 0xf;
    since.seq = 7;
    test_resumed(&a, &since);

    unit_ok(test_sub(&a)->reset && test_sub(&a)->since.seq == 0,
            "and so is one of another epoch");

    since.any = 1;
    test_resumed(&a, &since);

    unit_ok(!test_sub(&a)->reset && test_sub(&a)->next_result == 8,
            "unless no epoch was given");
}


/* of a source that is on another machine, which may be ahead of this one */

static void
test_resume_remote(void)
{
    ngx_vidcast_point_t         since;
    ngx_http_vidcast_viewer_t   a;

    test_source.input.remote = 1;

    ngx_memzero(&since, sizeof(ngx_vidcast_point_t));

    since.epoch = 0xe;
    since.seq = 12;
    test_resumed(&a, &since);

    unit_ok(!test_sub(&a)->reset && test_sub(&a)->next_result == 13
            && test_sub(&a)->replay && test_sub(&a)->untold == 0,
            "elsewhere it was given: it waits for the next one");

    since.epoch = 0xf;
    test_resumed(&a, &since);

    unit_ok(test_sub(&a)->reset && test_sub(&a)->since.epoch == 0xf
            && test_sub(&a)->since.seq == 12,
            "an epoch that may come yet is kept");

    since.any = 1;
    test_resumed(&a, &since);

    unit_ok(test_sub(&a)->reset && test_sub(&a)->since.seq == 0,
            "without an epoch it is none of ours");

    test_source.input.remote = 0;
}


static void
test_resumed(ngx_http_vidcast_viewer_t *viewer, ngx_vidcast_point_t *since)
{
    test_reset();
    test_join(viewer);

    test_feeds[0].result = 9;
    test_feeds[0].epoch = 0xe;

    (void) ngx_http_vidcast_viewer_subscribe(&test_feeds[0], viewer, since);
}


/* what its session does with it */

static void
test_session(void)
{
    ngx_http_vidcast_viewer_t             a;
    ngx_http_vidcast_session_handlers_t  *handlers;

    test_reset();
    test_join(&a);
    (void) ngx_http_vidcast_viewer_subscribe(&test_feeds[0], &a, NULL);
    (void) ngx_http_vidcast_viewer_subscribe(&test_feeds[1], &a, NULL);

    handlers = a.session.handlers;

    unit_ok(a.session.resumes, "its transport knows whether clients come back");

    test_feeds[0].wanted = 1;
    test_feeds[1].wanted = 1;
    unit_ok(handlers->wanted(&a.session), "both of its sources are wanted");

    test_feeds[1].wanted = 0;
    unit_ok(!handlers->wanted(&a.session), "one is not any more");

    handlers->sent(&a.session, 70);

    unit_ok(a.stats.bytes == 70
            && test_stats[0].bytes + test_stats[1].bytes == 70,
            "bytes are counted once");

    (void) handlers->ping(&a.session);
    handlers->drain(&a.session);
    handlers->ready(&a.session);

    unit_ok(test_pings == 1 && test_drains == 1 && test_ready == 0,
            "its transport does what there is to do");

    a.interval = 1000;
    handlers->ready(&a.session);

    unit_ok(test_ready == 1, "a limit of frames may hold one back");

    a.session.stalled = 1;
    handlers->gone(&a.session);

    unit_ok(test_stats[0].stalled + test_stats[1].stalled == 1,
            "one that stalled is counted once");

    test_reset();
    test_rc = NGX_BUSY;
    ngx_memzero(&a, sizeof(a));
    a.session.request = &test_request;
    a.transport = &test_transport;

    unit_ok(ngx_http_vidcast_viewer_join(&a) == NGX_BUSY,
            "a worker that leaves has no new viewers");
}


static void
test_reset(void)
{
    ngx_uint_t  i;

    ngx_memzero(&test_vmcf, sizeof(test_vmcf));
    ngx_memzero(&test_vlcf, sizeof(test_vlcf));
    ngx_memzero(test_feeds, sizeof(test_feeds));
    ngx_memzero(test_stats, sizeof(test_stats));
    ngx_memzero(test_results, sizeof(test_results));
    ngx_memzero(&test_result, sizeof(test_result));
    ngx_memzero(&test_shm, sizeof(test_shm));

    if (test_request.pool) {
        ngx_destroy_pool(test_request.pool);
    }

    test_source.original.zone = &test_zones[0];
    test_source.overlay = NULL;
    test_conf[0] = &test_vlcf;
    test_connection.log = &unit_log;
    test_connection.sockaddr = &test_sockaddr;
    test_request.connection = &test_connection;
    test_request.loc_conf = test_conf;
    test_request.pool = ngx_create_pool(1024, &unit_log);

    for (i = 0; i < 2; i++) {
        test_feeds[i].vmcf = &test_vmcf;
        test_feeds[i].source = &test_source;
        test_feeds[i].zone = &test_zones[i];
        test_zones[i].shm = &test_shm;
        test_feeds[i].rendition = &test_source.original;
        test_feeds[i].nresults = 4;
        test_feeds[i].stats = &test_stats[i];
        test_feeds[i].wake = &test_wake;
        test_feeds[i].results = test_results;
        ngx_queue_init(&test_feeds[i].subscriptions);
    }

    test_woken = 0;
    test_watched = 0;
    test_dropped = 0;
    test_dropped_frames = 0;
    test_ready = 0;
    test_pings = 0;
    test_drains = 0;
    test_rc = NGX_OK;
    test_min_frame = 0;
    test_newest_result = 0;
}


static void
test_join(ngx_http_vidcast_viewer_t *viewer)
{
    ngx_memzero(viewer, sizeof(ngx_http_vidcast_viewer_t));

    viewer->session.request = &test_request;
    viewer->transport = &test_transport;

    if (ngx_http_vidcast_viewer_join(viewer) != NGX_OK) {
        unit_ok(0, "a viewer joins");
    }
}


static ngx_int_t
test_ping(ngx_http_vidcast_viewer_t *viewer)
{
    test_pings++;

    return NGX_OK;
}


static void
test_drain(ngx_http_vidcast_viewer_t *viewer)
{
    test_drains++;
}


static ngx_http_vidcast_subscription_t *
test_sub(ngx_http_vidcast_viewer_t *viewer)
{
    return ngx_queue_data(ngx_queue_head(&viewer->subscriptions),
                          ngx_http_vidcast_subscription_t, link);
}


/* what a viewer calls */

ngx_int_t
ngx_http_vidcast_session_join(ngx_http_vidcast_session_t *session)
{
    return test_rc;
}


void
ngx_http_vidcast_feed_poll(ngx_http_vidcast_feed_t *feed)
{
    /* nothing is new */
}


uint64_t
ngx_http_vidcast_feed_seek(ngx_http_vidcast_feed_t *feed, uint64_t seq)
{
    return ngx_max(seq, feed->result - 3);
}


void
ngx_http_vidcast_feed_drop(ngx_http_vidcast_feed_t *feed)
{
    test_dropped++;
}


void
ngx_http_vidcast_feed_drop_frame(ngx_http_vidcast_feed_t *feed)
{
    test_dropped_frames += (feed->nframes == 0);
}


void
ngx_http_vidcast_feed_unwatch(ngx_http_vidcast_feed_t *feed)
{
    test_watched--;
}


void
ngx_http_vidcast_feed_wake_on_demand(ngx_http_vidcast_feed_t *feed)
{
    test_woken++;
}


ngx_int_t
ngx_vidcast_notify_enable(ngx_connection_t *c)
{
    test_watched++;

    return NGX_OK;
}


uint64_t
ngx_vidcast_ring_newest_result(ngx_vidcast_ring_t *ring)
{
    return test_newest_result;
}


uint64_t
ngx_vidcast_ring_min_frame(ngx_vidcast_ring_t *ring)
{
    return test_min_frame;
}


ngx_uint_t
ngx_vidcast_zone_viewers(ngx_vidcast_control_t *control,
    ngx_vidcast_zone_t *zone, ngx_log_t *log)
{
    return test_stats[zone - test_zones].viewers[NGX_VIDCAST_SSE];
}


void
ngx_http_vidcast_queue_ready(ngx_http_vidcast_viewer_t *viewer)
{
    test_ready++;
}


void
ngx_http_vidcast_message_unref(ngx_http_vidcast_message_t *message)
{
    message->refs--;
}
