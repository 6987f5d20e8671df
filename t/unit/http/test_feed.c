
/*
 * Copyright (C) vidcast contributors
 */


/*
 * What a worker keeps of a source: all results that the ring has for viewers
 * that fall behind, the newest frame and one before it in the ring, what is
 * older in its own memory, and nothing when nobody watches or it is leaving.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
#include <ngx_event_timer.c>

#include "unit.h"
#include "unit_ngx.h"

#include "http/delivery/ngx_http_vidcast_feed.c"


#define TEST_RESULTS   4
#define TEST_MESSAGES  64


static void test_results(void);
static void test_seek(void);
static void test_frames(void);
static void test_drop(void);
static void test_unpin(void);
static void test_look(void);
static void test_find(void);
static void test_series(void);
static void test_reset(void);
static void test_frame(void);
static ngx_http_vidcast_message_t *test_message(uint64_t seq);
static ngx_uint_t test_has(uint64_t first, uint64_t last);


static ngx_http_vidcast_main_conf_t  test_vmcf;
static ngx_http_vidcast_feed_t       test_feed;
static ngx_vidcast_source_t          test_source;
static ngx_vidcast_source_t         *test_sources[1];
static ngx_vidcast_zone_t            test_zone;
static ngx_vidcast_control_t         test_control;
static ngx_connection_t              test_wake;
static ngx_http_vidcast_message_t   *test_history[TEST_RESULTS];
static ngx_http_vidcast_message_t    test_messages[TEST_MESSAGES];
static ngx_uint_t                    test_nmessages, test_read, test_copied;
static ngx_uint_t                    test_fails, test_new, test_disabled;
static ngx_uint_t                    test_woken, test_wanted, test_looked;
static uint64_t                      test_newest, test_lost, test_epoch;


int
main(void)
{
    test_results();
    test_seek();
    test_frames();
    test_drop();
    test_unpin();
    test_look();
    test_find();
    test_series();

    return unit_done();
}


static void
test_results(void)
{
    test_reset();

    test_newest = 7;
    ngx_http_vidcast_feed_poll(&test_feed);

    unit_ok(test_feed.result == 7 && test_read == 1 && test_has(7, 7),
            "of what was before the first viewer, the newest");

    ngx_http_vidcast_feed_poll(&test_feed);

    unit_ok(test_read == 1, "nothing is new: nothing is read");

    test_newest = 9;
    ngx_http_vidcast_feed_poll(&test_feed);

    unit_ok(test_read == 3 && test_has(7, 9), "then each of them, once");

    test_newest = 11;
    ngx_http_vidcast_feed_poll(&test_feed);

    unit_ok(test_has(8, 11) && test_messages[0].refs == 0,
            "the oldest gives way");

    test_newest = 100;
    ngx_http_vidcast_feed_poll(&test_feed);

    unit_ok(test_has(97, 100) && test_read == 9,
            "after a long time those that are left");

    test_newest = 102;
    test_lost = 101;
    ngx_http_vidcast_feed_poll(&test_feed);

    unit_ok(test_has(102, 102) && test_history[101 % TEST_RESULTS] == NULL
            && test_feed.result == 102,
            "one that is lost is not there");
}


/* the source is on another machine, and another one than before */

static void
test_series(void)
{
    test_reset();

    test_newest = 7;
    ngx_http_vidcast_feed_poll(&test_feed);
    test_newest = 9;
    ngx_http_vidcast_feed_poll(&test_feed);

    test_epoch = 0;
    test_newest = 0;
    ngx_http_vidcast_feed_poll(&test_feed);

    unit_ok(test_feed.result == 9 && test_feed.series == 0,
            "while it begins nothing is looked at");

    test_epoch = 2;
    test_newest = 3;
    ngx_http_vidcast_feed_poll(&test_feed);

    unit_ok(test_feed.series == 1 && test_feed.ended == 9
            && test_feed.epoch == 2 && test_feed.result == 3
            && test_has(3, 3) && test_messages[0].refs == 0,
            "what was of other times is gone, the newest is there");

    test_newest = 5;
    ngx_http_vidcast_feed_poll(&test_feed);

    unit_ok(test_feed.series == 1 && test_has(3, 5), "and those behind it");
}


/* a viewer resumes, and the others were not interested in those before them */

static void
test_seek(void)
{
    test_reset();

    test_newest = 7;
    ngx_http_vidcast_feed_poll(&test_feed);

    unit_ok(ngx_http_vidcast_feed_seek(&test_feed, 6) == 6 && test_has(6, 7)
            && test_read == 2,
            "those that are asked for are read");
    unit_ok(ngx_http_vidcast_feed_seek(&test_feed, 6) == 6 && test_read == 2,
            "not twice");
    unit_ok(ngx_http_vidcast_feed_seek(&test_feed, 1) == 4 && test_has(4, 7),
            "from the oldest on, if it is too late");
    unit_ok(ngx_http_vidcast_feed_seek(&test_feed, 8) == 8 && test_read == 4,
            "of the future there is nothing");
}


static void
test_frames(void)
{
    ngx_http_vidcast_message_t  *one, *two, *three;

    test_reset();

    test_new = 1;
    ngx_http_vidcast_feed_poll(&test_feed);

    unit_ok(test_feed.frame == NULL, "nobody wants frames");

    test_feed.nframes = 1;

    test_frame();
    one = test_feed.frame;
    test_frame();

    unit_ok(one->refs == 0 && test_feed.older == NULL,
            "one that has left makes room");

    one = test_feed.frame;
    one->refs++;
    test_frame();

    unit_ok(test_feed.older == one && one->pinned && test_copied == 0,
            "one that is leaving stays in the ring");

    two = test_feed.frame;
    two->refs++;
    test_frame();

    unit_ok(test_feed.older == two && !one->pinned && two->pinned
            && test_copied == 1,
            "when there are three the oldest is copied");

    three = test_feed.frame;
    three->refs++;
    test_fails = 1;
    test_frame();

    unit_ok(test_feed.older == three && two->pinned,
            "without memory it stays whole where it is");

    test_new = 0;
    one = test_feed.frame;
    ngx_http_vidcast_feed_poll(&test_feed);

    unit_ok(test_feed.frame == one, "nothing new changes nothing");
}


static void
test_drop(void)
{
    ngx_http_vidcast_message_t  *frame, *kept;

    test_reset();
    test_feed.nframes = 1;

    test_newest = 3;
    test_frame();
    frame = test_feed.frame;
    frame->refs++;

    kept = test_message(0);
    test_feed.kept = kept;

    ngx_http_vidcast_feed_drop(&test_feed);

    unit_ok(test_feed.frame == NULL && frame->refs == 1 && !frame->pinned,
            "what said good-bye in the middle of a frame does not keep a slot");
    unit_ok(test_feed.kept == NULL && kept->refs == 0, "nothing is kept");
    unit_ok(test_feed.result == 0 && test_history[3] == NULL, "no result is");

    test_feed.nsubscriptions = 1;
    ngx_http_vidcast_feed_unwatch(&test_feed);
    test_feed.nsubscriptions = 0;
    test_feed.npublishers = 1;
    ngx_http_vidcast_feed_unwatch(&test_feed);

    unit_ok(test_disabled == 0, "with anybody there it is watched");

    test_feed.npublishers = 0;
    ngx_http_vidcast_feed_unwatch(&test_feed);

    unit_ok(test_disabled == 1, "then not any more");
}


static void
test_unpin(void)
{
    test_reset();
    test_feed.nframes = 1;
    test_zone.ring.bit = 4;

    test_frame();
    test_feed.frame->refs++;
    test_frame();

    test_fails = 1;
    ngx_http_vidcast_feed_unpin(&test_vmcf);

    unit_ok(test_zone.ring.bit == 4, "without memory nothing is changed");

    test_fails = 0;
    ngx_http_vidcast_feed_unpin(&test_vmcf);

    unit_ok(test_zone.ring.bit == 0 && test_copied == 2
            && !test_feed.frame->pinned && test_feed.older == NULL,
            "a worker that is leaving has copies, and pins nothing");
}


static void
test_look(void)
{
    test_reset();
    test_looked = 0;

    test_wanted = 0;
    ngx_http_vidcast_feed_look(&test_vmcf);

    unit_ok(test_feed.wanted, "without viewers it does not matter");

    test_feed.nsubscriptions = 1;
    ngx_http_vidcast_feed_look(&test_vmcf);

    unit_ok(!test_feed.wanted && test_woken == 0, "a source is gone");

    test_wanted = 1;
    test_control.worker_index = NGX_VIDCAST_NO_PROCESS;
    ngx_http_vidcast_feed_look(&test_vmcf);

    unit_ok(test_feed.wanted && test_woken == 1,
            "where nobody counts its viewers it is kept awake");
    unit_ok(test_looked == 0, "without viewers of pictures its state is none");

    test_feed.nframes = 1;
    ngx_http_vidcast_feed_look(&test_vmcf);

    unit_ok(test_looked == 1, "with them it is looked at");
}


static void
test_find(void)
{
    ngx_str_t  name;

    test_reset();

    ngx_str_set(&name, "front");
    unit_ok(ngx_http_vidcast_feed_find(&test_vmcf, &name) == &test_feed,
            "the feed of a source");

    ngx_str_set(&name, "back");
    unit_ok(ngx_http_vidcast_feed_find(&test_vmcf, &name) == NULL,
            "there is no such source");

    test_vmcf.feeds = NULL;

    ngx_str_set(&name, "front");
    unit_ok(ngx_http_vidcast_feed_find(&test_vmcf, &name) == NULL,
            "or no feed in this process");
}


static void
test_reset(void)
{
    ngx_memzero(&test_vmcf, sizeof(test_vmcf));
    ngx_memzero(&test_feed, sizeof(test_feed));
    ngx_memzero(&test_zone, sizeof(test_zone));
    ngx_memzero(&test_control, sizeof(test_control));
    ngx_memzero(test_history, sizeof(test_history));
    ngx_memzero(test_messages, sizeof(test_messages));

    test_source.original.zone = &test_zone;
    test_sources[0] = &test_source;

    test_vmcf.feeds = &test_feed;
    test_vmcf.vidcast.sources.elts = test_sources;
    test_vmcf.vidcast.renditions.nelts = 1;
    test_vmcf.vidcast.control = &test_control;

    test_feed.vmcf = &test_vmcf;
    test_feed.source = &test_source;
    test_feed.zone = &test_zone;
    test_feed.rendition = &test_source.original;
    test_feed.nresults = TEST_RESULTS;
    test_feed.wake = &test_wake;
    test_feed.results = test_history;

    test_nmessages = 0;
    test_read = 0;
    test_copied = 0;
    test_fails = 0;
    test_new = 0;
    test_disabled = 0;
    test_woken = 0;
    test_wanted = 1;
    test_newest = 0;
    test_lost = 0;
    test_epoch = 1;
    test_feed.epoch = 1;
}


static void
test_frame(void)
{
    test_new = 1;
    ngx_http_vidcast_feed_poll(&test_feed);
}


static ngx_http_vidcast_message_t *
test_message(uint64_t seq)
{
    ngx_http_vidcast_message_t  *message;

    message = &test_messages[test_nmessages++];
    message->refs = 1;
    message->feed = &test_feed;
    message->seq = seq;

    return message;
}


/* these results, in their places */

static ngx_uint_t
test_has(uint64_t first, uint64_t last)
{
    ngx_http_vidcast_message_t  *message;

    for ( /* void */ ; first <= last; first++) {
        message = test_history[first % TEST_RESULTS];

        if (message == NULL || message->seq != first || message->refs != 1) {
            return 0;
        }
    }

    return 1;
}


/* what a feed calls */

ngx_int_t
ngx_http_vidcast_source_find(ngx_http_vidcast_main_conf_t *vmcf,
    ngx_str_t *name)
{
    return (name->data[0] == 'f') ? 0 : NGX_ERROR;
}


uint64_t
ngx_vidcast_ring_newest_result(ngx_vidcast_ring_t *ring)
{
    return test_newest;
}


uint64_t
ngx_vidcast_ring_epoch(ngx_vidcast_ring_t *ring)
{
    return test_epoch;
}


ngx_http_vidcast_message_t *
ngx_http_vidcast_message_result(ngx_http_vidcast_feed_t *feed, uint64_t seq)
{
    if (seq == test_lost) {
        return NULL;
    }

    test_read++;

    return test_message(seq);
}


ngx_http_vidcast_message_t *
ngx_http_vidcast_message_frame(ngx_http_vidcast_feed_t *feed)
{
    ngx_http_vidcast_message_t  *message;

    if (!test_new) {
        return NULL;
    }

    message = test_message(0);
    message->pinned = 1;

    return message;
}


ngx_int_t
ngx_http_vidcast_message_copy(ngx_http_vidcast_message_t *message)
{
    if (test_fails) {
        return NGX_ERROR;
    }

    if (message->pinned) {
        test_copied++;
    }

    message->pinned = 0;

    if (test_feed.older == message) {
        test_feed.older = NULL;
    }

    return NGX_OK;
}


void
ngx_http_vidcast_message_unref(ngx_http_vidcast_message_t *message)
{
    message->refs--;
}


void
ngx_http_vidcast_pairing_keep(ngx_http_vidcast_feed_t *feed)
{
    /* nobody wants pairs */
}


void
ngx_http_vidcast_pairing_fetch(ngx_http_vidcast_feed_t *feed)
{
    /* void */
}


ngx_connection_t *
ngx_vidcast_notify_create(ngx_fd_t fd, ngx_event_handler_pt handler,
    void *data, ngx_log_t *log)
{
    return NULL;
}


void
ngx_vidcast_notify_destroy(ngx_connection_t *c)
{
    /* void */
}


void
ngx_vidcast_notify_disable(ngx_connection_t *c)
{
    test_disabled++;
}


ngx_vidcast_worker_stats_t *
ngx_vidcast_zone_worker_stats(ngx_vidcast_control_t *control,
    ngx_vidcast_zone_t *zone)
{
    return NULL;
}


void
ngx_vidcast_zone_wake_on_demand(ngx_vidcast_zone_t *zone)
{
    test_woken++;
}


void
ngx_http_vidcast_offline_look(ngx_http_vidcast_feed_t *feed)
{
    test_looked++;
}


ngx_uint_t
ngx_vidcast_zone_wanted(ngx_vidcast_control_t *control,
    ngx_vidcast_source_t *source)
{
    return test_wanted;
}
