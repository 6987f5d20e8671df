
/*
 * Copyright (C) vidcast contributors
 */


/*
 * Whose turn it is: viewers get some messages each in turn, however many they
 * are pending, those of several sources too; a slice of work ends in time and
 * goes on where it was; a picture follows the result it belongs to.  What is
 * sent is noted as a message, of a viewer, and the numbers that it got.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "unit.h"
#include "unit_ngx.h"

#include "core/ngx_vidcast.h"

#define ngx_vidcast_clock  test_clock

static uint64_t test_clock(void);

#include "http/delivery/ngx_http_vidcast_queue.c"


#define TEST_RESULTS  256
#define TEST_CROWD    100


typedef struct {
    ngx_http_vidcast_viewer_t        viewer;
    ngx_http_vidcast_subscription_t  subs[2];
    char                             name;
    ngx_int_t                        rc;       /* of its socket */
    ngx_uint_t                       left;     /* finalized */
    ngx_uint_t                       got;      /* messages */
    ngx_uint_t                       first;    /* of all that were sent */
    ngx_uint_t                       last;
} test_viewer_t;


static void test_alternate(void);
static void test_newest(void);
static void test_skipped(void);
static void test_ready(void);
static void test_leave(void);
static void test_sources(void);
static void test_paired(void);
static void test_paired_history(void);
static void test_reasons(void);
static void test_unpaired(void);
static void test_first(void);
static void test_slice(void);
static void test_several(void);
static void test_begin(void);
static void test_reset(void);
static void test_join(test_viewer_t *v, char name);
static void test_watch(test_viewer_t *v, ngx_uint_t feed);
static void test_picture(ngx_uint_t feed, uint64_t number);
static void test_wake(ngx_uint_t feed);
static void test_results(ngx_uint_t feed, ngx_uint_t count);
static ngx_uint_t test_run(void);
static ngx_int_t test_send(ngx_http_vidcast_viewer_t *viewer,
    ngx_http_vidcast_message_t *message);
static ngx_int_t test_batch(ngx_http_vidcast_viewer_t *viewer,
    ngx_http_vidcast_message_t **messages, ngx_uint_t n);


ngx_queue_t                           ngx_posted_next_events;

static ngx_http_vidcast_main_conf_t   test_vmcf;
static ngx_http_vidcast_feed_t        test_feeds[2];
static ngx_vidcast_source_t           test_source;
static ngx_vidcast_worker_stats_t     test_stats;
static ngx_http_vidcast_message_t    *test_history[2][TEST_RESULTS];
static ngx_http_vidcast_message_t     test_messages[2][TEST_RESULTS];
static ngx_http_vidcast_message_t     test_pictures[2];
static ngx_http_vidcast_message_t     test_told;
static ngx_uint_t                     test_told_reset;
static ngx_uint_t                     test_queued[2];
static uint64_t                       test_time, test_step;
static char                           test_sent[1024];
static ngx_uint_t                     test_nsent;
static ngx_uint_t                     test_count;
static test_viewer_t                 *test_before;  /* it got the last one */
static uint64_t                       test_seq;     /* and which */
static ngx_uint_t                     test_series;  /* where its number ends */


static ngx_http_vidcast_transport_t   test_transport = {
    NGX_VIDCAST_WEBSOCKET, 1, test_send, NULL, NULL, NULL
};


static ngx_http_vidcast_transport_t   test_batches = {
    NGX_VIDCAST_WEBSOCKET, 1, test_send, NULL, NULL, test_batch
};


int
main(void)
{
    test_alternate();
    test_newest();
    test_skipped();
    test_ready();
    test_leave();
    test_sources();
    test_paired();
    test_paired_history();
    test_reasons();
    test_unpaired();
    test_first();
    test_slice();
    test_several();
    test_begin();

    return unit_done();
}


static void
test_alternate(void)
{
    test_viewer_t  a, b, c;

    test_reset();
    test_join(&a, 'a');
    test_watch(&a, 0);
    test_join(&b, 'b');
    test_watch(&b, 0);
    test_join(&c, 'c');
    test_watch(&c, 0);

    test_results(0, NGX_HTTP_VIDCAST_VISIT + 2);
    test_wake(0);

    unit_ok(ngx_strcmp(test_sent, "a1-8b1-8c1-8a9-10b9-10c9-10") == 0,
            "three viewers that are pending take turns: %s", test_sent);
    unit_ok(!ngx_queue_empty(&test_feeds[0].subscriptions)
            && ngx_queue_empty(&test_vmcf.pending),
            "then none of them is pending");
}


/* a history that is long costs those that have all of it nothing */

static void
test_newest(void)
{
    test_viewer_t  a, b;

    test_reset();
    test_join(&a, 'a');
    test_watch(&a, 0);
    test_join(&b, 'b');
    test_watch(&b, 0);

    test_results(0, 1);
    test_wake(0);

    test_nsent = 0;
    test_results(0, 11);
    a.subs[0].next_result = 1;
    a.subs[0].replay = 1;
    b.subs[0].next_result = 12;
    test_wake(0);

    unit_ok(ngx_strcmp(test_sent, "a1-8b12a9-12") == 0,
            "the newest one comes between those of a history: %s", test_sent);
}


static void
test_skipped(void)
{
    test_viewer_t  a, b;

    test_reset();
    test_join(&a, 'a');
    test_watch(&a, 0);
    test_join(&b, 'b');
    test_watch(&b, 0);

    a.viewer.backlog = 4;
    b.viewer.backlog = 8;

    test_results(0, 6);
    test_wake(0);

    unit_ok(ngx_strcmp(test_sent, "a6+5b1-6") == 0,
            "a viewer that is behind by more than its backlog skips: %s",
            test_sent);
    unit_ok(test_stats.results_skipped == 5, "which is counted");
}


static void
test_ready(void)
{
    test_viewer_t  a, b;

    test_reset();
    test_join(&a, 'a');
    test_watch(&a, 0);
    test_join(&b, 'b');
    test_watch(&b, 0);

    a.rc = NGX_AGAIN;

    test_results(0, 10);
    test_wake(0);

    unit_ok(ngx_strcmp(test_sent, "a1b1-10") == 0,
            "a viewer whose socket is full keeps nobody: %s", test_sent);

    test_nsent = 0;
    a.rc = NGX_OK;
    ngx_http_vidcast_queue_ready(&a.viewer);

    unit_ok(ngx_strcmp(test_sent, "a2-9") == 0,
            "no more than others get when it has room: %s", test_sent);

    test_results(0, 2);
    test_wake(0);

    unit_ok(ngx_strcmp(test_sent, "a2-9") == 0,
            "what is new does not run ahead of the slice: %s", test_sent);

    (void) test_run();

    unit_ok(ngx_strcmp(test_sent, "a2-12b11-12") == 0,
            "the others in turn: %s", test_sent);

    a.viewer.paused = 1;
    test_nsent = 0;
    test_results(0, 1);
    test_wake(0);

    unit_ok(ngx_strcmp(test_sent, "b13") == 0, "a pause: %s", test_sent);
    unit_ok(!test_vmcf.slice.posted, "nobody waits for one that paused");
}


static void
test_leave(void)
{
    test_viewer_t  a, b, c;

    test_reset();
    test_join(&a, 'a');
    test_watch(&a, 0);
    test_join(&b, 'b');
    test_watch(&b, 0);
    test_join(&c, 'c');
    test_watch(&c, 0);

    b.rc = NGX_ERROR;
    c.rc = NGX_DONE;

    test_results(0, 3);
    test_wake(0);

    unit_ok(ngx_strcmp(test_sent, "a1-3b1c1") == 0,
            "those that leave in the middle: %s", test_sent);
    unit_ok(!a.left && b.left == 1 && c.left == 1, "are finalized once");
}


/* one viewer of both sources, and one of each */

static void
test_sources(void)
{
    test_viewer_t  a, b, c;

    test_reset();
    test_join(&a, 'a');
    test_watch(&a, 0);
    test_join(&b, 'b');
    test_watch(&b, 0);
    test_watch(&b, 1);
    test_join(&c, 'c');
    test_watch(&c, 1);

    test_results(0, 3);
    test_results(1, 2);

    /* as if others had used up the slice */

    ngx_post_event(&test_vmcf.slice, &ngx_posted_next_events);

    test_wake(0);
    test_wake(1);
    (void) test_run();

    unit_ok(ngx_strcmp(test_sent, "a1-3b1b1*b2b2*b3c1*c2*") == 0,
            "sources take turns, too: %s", test_sent);
}


static void
test_paired(void)
{
    test_viewer_t  a;

    test_reset();
    test_join(&a, 'a');
    test_watch(&a, 0);
    test_watch(&a, 1);

    a.viewer.paired = 1;
    a.viewer.frames = 1;

    test_results(0, 1);
    test_picture(0, 1);
    test_results(1, 1);
    test_picture(1, 1);

    a.rc = NGX_AGAIN;
    test_wake(0);

    test_wake(1);

    unit_ok(ngx_strcmp(test_sent, "a1") == 0, "a result: %s", test_sent);

    a.rc = NGX_OK;
    ngx_http_vidcast_queue_ready(&a.viewer);
    (void) test_run();

    unit_ok(ngx_strcmp(test_sent, "a1aPa1*aP*") == 0,
            "its picture before another source's result: %s", test_sent);
}


/* the newest pair, whatever the history: what it misses it is told */

static void
test_paired_history(void)
{
    test_viewer_t  a;

    test_reset();
    test_join(&a, 'a');
    test_watch(&a, 0);

    a.viewer.paired = 1;
    a.viewer.frames = 1;

    test_results(0, 6);
    test_picture(0, 6);
    test_wake(0);

    unit_ok(ngx_strcmp(test_sent, "a6aP") == 0,
            "a new viewer has missed nothing: %s", test_sent);

    test_reset();
    test_join(&a, 'a');
    test_watch(&a, 0);

    a.viewer.paired = 1;
    a.viewer.frames = 1;
    a.subs[0].next_result = 3;
    a.subs[0].untold = 1;
    a.subs[0].replay = 1;

    test_results(0, 6);
    test_picture(0, 6);
    test_wake(0);

    unit_ok(ngx_strcmp(test_sent, "a6+4aP") == 0
            && test_stats.results_skipped == 4 && !a.subs[0].replay,
            "one that resumes has, and is told all of it: %s", test_sent);
}


/* each picture is sent, or has its reason, also if it is the last one */

static void
test_reasons(void)
{
    uint64_t       *skips;
    test_viewer_t   a;

    test_reset();
    test_join(&a, 'a');
    test_watch(&a, 0);

    a.viewer.frames = 1;
    a.viewer.results = 0;
    skips = test_stats.skips;

    test_picture(0, 1);
    test_wake(0);

    /* two come while the first one leaves */

    a.viewer.session.busy = 1;
    test_picture(0, 2);
    test_wake(0);
    test_picture(0, 3);
    test_wake(0);

    unit_ok(skips[NGX_VIDCAST_SKIP_SLOW] == 1,
            "one is lost as soon as the next one comes");

    ngx_http_vidcast_queue_ready(&a.viewer);
    (void) test_run();

    unit_ok(test_stats.frames == 2 && skips[NGX_VIDCAST_SKIP_SLOW] == 1,
            "that one is sent");

    a.viewer.paused = 1;
    test_picture(0, 4);
    test_wake(0);
    test_picture(0, 6);
    test_wake(0);

    a.viewer.paused = 0;
    a.viewer.acks = 1;
    a.viewer.unacked = 1;
    test_picture(0, 7);
    test_wake(0);
    test_picture(0, 8);
    test_wake(0);

    unit_ok(skips[NGX_VIDCAST_SKIP_PAUSED] == 3
            && skips[NGX_VIDCAST_SKIP_UNACKNOWLEDGED] == 1,
            "each by what the viewer was kept by: %d, %d",
            (int) skips[NGX_VIDCAST_SKIP_PAUSED],
            (int) skips[NGX_VIDCAST_SKIP_UNACKNOWLEDGED]);

    a.viewer.acks = 0;
    a.viewer.interval = 1000000;
    a.subs[0].due = 900000;
    test_picture(0, 9);
    test_wake(0);
    test_picture(0, 10);
    test_wake(0);

    unit_ok(skips[NGX_VIDCAST_SKIP_UNACKNOWLEDGED] == 2
            && skips[NGX_VIDCAST_SKIP_FPS] == 1,
            "or that it wants fewer");

    /* a number that was never published is not one that it was too slow for */

    a.viewer.interval = 0;
    test_picture(0, 20);
    test_pictures[0].frame.nth = 11;
    test_wake(0);

    unit_ok(skips[NGX_VIDCAST_SKIP_SLOW] == 1
            && skips[NGX_VIDCAST_SKIP_FPS] == 2
            && test_stats.unpublished == 9,
            "or was lost before: %d", (int) test_stats.unpublished);
    unit_ok(test_stats.frames == 3
            && test_stats.frames + test_stats.frames_skipped == 11
            && a.viewer.stats.skipped == test_stats.frames_skipped,
            "all of them are there");
}


/* a picture without a result to be told is none for a viewer of pairs */

static void
test_unpaired(void)
{
    test_viewer_t  a;

    test_reset();
    test_join(&a, 'a');
    test_watch(&a, 0);

    a.viewer.paired = 1;
    a.viewer.frames = 1;
    a.subs[0].held = NGX_VIDCAST_SKIP_UNPAIRED;

    test_results(0, 1);
    test_picture(0, 1);
    test_wake(0);
    test_picture(0, 2);
    test_wake(0);
    test_picture(0, 3);
    test_results(0, 2);
    test_wake(0);

    unit_ok(ngx_strcmp(test_sent, "a1aPa3+1aP") == 0
            && test_stats.skips[NGX_VIDCAST_SKIP_UNPAIRED] == 1
            && test_stats.frames == 2 && a.subs[0].nth == 3,
            "a picture between two pairs is unpaired: %s", test_sent);

    /* one that has a result, and comes too early, is not */

    a.viewer.interval = 1000000;
    a.subs[0].due = 900000;

    test_picture(0, 4);
    test_results(0, 1);
    test_wake(0);

    a.viewer.interval = 0;

    test_picture(0, 5);
    test_results(0, 1);
    test_wake(0);

    unit_ok(test_stats.skips[NGX_VIDCAST_SKIP_FPS] == 1
            && test_stats.skips[NGX_VIDCAST_SKIP_UNPAIRED] == 1
            && test_stats.frames == 3 && a.subs[0].nth == 5,
            "a pair that comes too early is one that it does not want: %d, %d",
            (int) test_stats.skips[NGX_VIDCAST_SKIP_FPS],
            (int) test_stats.skips[NGX_VIDCAST_SKIP_UNPAIRED]);
}


/* whose coming has started it all, and misses nothing of it */

static void
test_first(void)
{
    test_viewer_t  a;

    test_reset();
    test_join(&a, 'a');
    test_watch(&a, 0);

    a.viewer.backlog = 2;
    a.subs[0].replay = 1;
    a.subs[0].awaits = 1;

    test_wake(0);
    test_results(0, 5);
    test_wake(0);

    unit_ok(ngx_strcmp(test_sent, "a1-5") == 0 && !a.subs[0].awaits
            && !a.subs[0].replay,
            "the first results are more than its backlog: %s", test_sent);

    a.viewer.session.busy = 1;
    test_results(0, 5);
    test_wake(0);
    a.viewer.session.busy = 0;
    test_wake(0);

    unit_ok(test_stats.results_skipped == 4, "and later ones are skipped");
}


/* a crowd, with a clock that goes by one at each message */

static void
test_slice(void)
{
    ngx_uint_t             i, n, last, slices, wrong;
    static test_viewer_t   crowd[TEST_CROWD];

    test_reset();

    for (i = 0; i < TEST_CROWD; i++) {
        test_join(&crowd[i], 'a' + i % 26);
        test_watch(&crowd[i], 0);
    }

    test_step = NGX_HTTP_VIDCAST_SLICE / 16;

    test_results(0, 1);
    test_wake(0);

    n = test_count;

    unit_ok(n < TEST_CROWD && n >= 16, "a slice ends: %d", (int) n);
    unit_ok(test_vmcf.slice.posted, "and goes on");

    /* the next result comes before everybody has the first one */

    test_results(0, 1);
    test_wake(0);

    unit_ok(test_count == n, "not at once");

    slices = test_run();
    last = 0;
    wrong = 0;

    for (i = 0; i < TEST_CROWD; i++) {
        last = ngx_max(last, crowd[i].first);
        wrong += (crowd[i].got != 2);
    }

    unit_ok(slices >= 3, "in slices: %d", (int) slices);
    unit_ok(wrong == 0, "all of them got both");

    for (i = 0; i < n; i++) {
        wrong += (crowd[i].last < last);
    }

    unit_ok(wrong == 0, "none the second one while others had none");
}


/* what a transport takes at once: results, and nothing together with them */

static void
test_several(void)
{
    ngx_uint_t     i;
    test_viewer_t  a, b;

    test_reset();
    test_join(&a, 'a');
    a.viewer.transport = &test_batches;
    a.viewer.frames = 1;
    test_watch(&a, 0);

    test_results(0, 1);
    test_wake(0);

    unit_ok(ngx_strcmp(test_sent, "a1") == 0, "one is no batch: %s",
            test_sent);

    test_results(0, 3);
    test_picture(0, 4);
    test_wake(0);

    unit_ok(ngx_strcmp(test_sent, "a1(a2-4)aP") == 0,
            "results at once, then the picture: %s", test_sent);

    for (i = 1; i < TEST_RESULTS; i++) {
        if (test_messages[0][i].refs > 1) {
            break;
        }
    }

    unit_ok(i == TEST_RESULTS && test_pictures[0].refs == 1,
            "no reference to them is left");

    test_reset();
    test_join(&a, 'a');
    a.viewer.transport = &test_batches;
    test_watch(&a, 0);
    test_join(&b, 'b');
    test_watch(&b, 0);

    a.rc = NGX_AGAIN;
    test_results(0, NGX_HTTP_VIDCAST_COALESCE + 1);
    test_wake(0);

    unit_ok(ngx_strcmp(test_sent, "(a1-8)b1-9") == 0 && a.viewer.session.busy,
            "one that has no room for a batch gets no other: %s", test_sent);

    a.rc = NGX_OK;
    ngx_http_vidcast_queue_ready(&a.viewer);

    unit_ok(ngx_strcmp(test_sent, "(a1-8)b1-9a9") == 0,
            "and the rest when there is: %s", test_sent);

    test_reset();
    test_join(&a, 'a');
    a.viewer.transport = &test_batches;
    test_watch(&a, 0);

    a.rc = NGX_ERROR;
    test_results(0, 2);
    test_wake(0);

    unit_ok(a.left == 1 && test_messages[0][1].refs == 1
            && test_messages[0][2].refs == 1,
            "a broken connection takes no reference along");
}


/* the numbers of a source begin anew: it is on another machine */

static void
test_begin(void)
{
    test_viewer_t  a;

    test_reset();
    test_join(&a, 'a');
    a.viewer.frames = 1;
    test_watch(&a, 0);

    test_results(0, 5);
    test_picture(0, 90);
    test_wake(0);

    unit_ok(ngx_strcmp(test_sent, "a1-5aP") == 0, "before: %s", test_sent);

    /* it has not got two of the old ones */

    test_feeds[0].series = 1;
    test_feeds[0].ended = 7;
    test_feeds[0].result = 0;
    ngx_memzero(test_history, sizeof(test_history));
    test_messages[0][1].refs = 0;

    test_results(0, 1);
    test_picture(0, 2);
    test_wake(0);

    unit_ok(a.subs[0].series == 1 && a.subs[0].next_result == 2
            && test_told_reset && test_told.size == 2,
            "the newest is next, what is missed and the end are told");
    unit_ok(a.subs[0].last_frame == 2, "a picture with a lower number, too");

    /* it knows numbers of the one to come */

    test_reset();
    test_join(&a, 'a');
    test_watch(&a, 0);
    a.subs[0].reset = 1;
    a.subs[0].since.epoch = 0xe;
    a.subs[0].since.seq = 2;
    test_feeds[0].series = 1;
    test_feeds[0].epoch = 0xe;

    test_results(0, 4);
    test_wake(0);

    unit_ok(ngx_strcmp(test_sent, "a3-4") == 0 && !a.subs[0].reset
            && a.viewer.stats.skipped == 0,
            "goes on where it was: %s", test_sent);
}


static void
test_reset(void)
{
    ngx_uint_t  i;

    test_nsent = 0;
    test_sent[0] = '\0';
    test_count = 0;
    test_before = NULL;
    test_time = 0;
    test_step = 0;

    ngx_memzero(&test_vmcf, sizeof(test_vmcf));
    ngx_memzero(test_feeds, sizeof(test_feeds));
    ngx_memzero(test_history, sizeof(test_history));
    ngx_memzero(test_messages, sizeof(test_messages));
    ngx_memzero(test_queued, sizeof(test_queued));
    ngx_memzero(&test_stats, sizeof(test_stats));

    ngx_queue_init(&ngx_posted_next_events);
    ngx_http_vidcast_queue_init(&test_vmcf, &unit_log);

    for (i = 0; i < 2; i++) {
        test_feeds[i].vmcf = &test_vmcf;
        test_feeds[i].source = &test_source;
        test_feeds[i].nresults = TEST_RESULTS;
        test_feeds[i].stats = &test_stats;
        test_feeds[i].results = test_history[i];
        ngx_queue_init(&test_feeds[i].subscriptions);
    }
}


static void
test_join(test_viewer_t *v, char name)
{
    ngx_memzero(v, sizeof(test_viewer_t));
    ngx_queue_init(&v->viewer.subscriptions);

    v->name = name;
    v->viewer.transport = &test_transport;
    v->viewer.backlog = 64;
    v->viewer.results = 1;
    v->viewer.session.joined = 1;
}


static void
test_watch(test_viewer_t *v, ngx_uint_t feed)
{
    ngx_http_vidcast_subscription_t  *sub;

    sub = &v->subs[feed];
    sub->viewer = &v->viewer;
    sub->feed = &test_feeds[feed];
    sub->next_result = 1;

    ngx_queue_insert_tail(&sub->feed->subscriptions, &sub->queue);
    ngx_queue_insert_tail(&v->viewer.subscriptions, &sub->link);

    sub->feed->nsubscriptions++;
}


static void
test_results(ngx_uint_t feed, ngx_uint_t count)
{
    test_queued[feed] += count;
}


/* the newest picture, of the newest result */

static void
test_picture(ngx_uint_t feed, uint64_t number)
{
    test_pictures[feed].feed = &test_feeds[feed];
    test_pictures[feed].refs = 1;
    test_pictures[feed].frame.number = number;
    test_pictures[feed].frame.nth = number;

    test_feeds[feed].frame = &test_pictures[feed];
}


static void
test_wake(ngx_uint_t feed)
{
    ngx_event_t       ev;
    ngx_connection_t  c;

    ngx_memzero(&ev, sizeof(ngx_event_t));
    ngx_memzero(&c, sizeof(ngx_connection_t));

    ev.data = &c;
    c.data = &test_feeds[feed];

    ngx_http_vidcast_queue_wake_handler(&ev);
}


/* what nginx does between turns of its loop; how often */

static ngx_uint_t
test_run(void)
{
    ngx_uint_t    n;
    ngx_event_t  *ev;

    for (n = 0; !ngx_queue_empty(&ngx_posted_next_events); n++) {

        ev = ngx_queue_data(ngx_queue_head(&ngx_posted_next_events),
                            ngx_event_t, queue);

        ngx_delete_posted_event(ev);
        ev->handler(ev);
    }

    return n;
}


static uint64_t
test_clock(void)
{
    return test_time;
}


static ngx_int_t
test_send(ngx_http_vidcast_viewer_t *viewer,
    ngx_http_vidcast_message_t *message)
{
    u_char         *p, *last;
    test_viewer_t  *v;

    v = (test_viewer_t *) viewer;
    last = (u_char *) test_sent + sizeof(test_sent) - 1;

    if (test_nsent
        && v == test_before
        && message->feed == &test_feeds[0]
        && message->seq == test_seq + 1)
    {
        p = (u_char *) test_sent + test_series;
        p = ngx_slprintf(p, last, "-%uL", message->seq);

    } else {
        p = (u_char *) test_sent + test_nsent;
        p = message->seq ? ngx_slprintf(p, last, "%c%uL", v->name, message->seq)
                         : ngx_slprintf(p, last, "%cP", v->name);
        test_series = p - (u_char *) test_sent;
    }

    if (message == &test_told) {
        p = ngx_slprintf(p, last, "+%uz", message->size);
    }

    if (message->feed == &test_feeds[1]) {
        p = ngx_slprintf(p, last, "*");
    }

    *p = '\0';

    test_nsent = p - (u_char *) test_sent;
    test_before = v;
    test_seq = (message->feed == &test_feeds[0]) ? message->seq : 0;

    v->last = ++test_count;
    v->first = v->got++ ? v->first : test_count;

    test_time += test_step;

    return v->rc;
}


static ngx_int_t
test_batch(ngx_http_vidcast_viewer_t *viewer,
    ngx_http_vidcast_message_t **messages, ngx_uint_t n)
{
    ngx_uint_t  i;

    test_nsent = ngx_slprintf((u_char *) test_sent + test_nsent,
                              (u_char *) test_sent + sizeof(test_sent) - 1,
                              "(") - (u_char *) test_sent;
    test_before = NULL;

    for (i = 0; i < n; i++) {
        (void) test_send(viewer, messages[i]);
    }

    test_nsent = ngx_slprintf((u_char *) test_sent + test_nsent,
                              (u_char *) test_sent + sizeof(test_sent) - 1,
                              ")%Z") - (u_char *) test_sent - 1;
    test_before = NULL;

    return ((test_viewer_t *) viewer)->rc;
}


/* the rest of the feed, which has no publishers */

void
ngx_http_vidcast_feed_poll(ngx_http_vidcast_feed_t *feed)
{
    ngx_uint_t                   n;
    ngx_http_vidcast_message_t  *m;

    n = feed - test_feeds;

    for ( /* void */ ; test_queued[n]; test_queued[n]--) {
        feed->result++;

        m = &test_messages[n][feed->result % TEST_RESULTS];
        m->feed = feed;
        m->refs = 1;
        m->seq = feed->result;
        m->frame.number = feed->result;

        feed->results[feed->result % TEST_RESULTS] = m;
    }
}


ngx_http_vidcast_message_t *
ngx_http_vidcast_pairing_find(ngx_http_vidcast_feed_t *feed, uint64_t number)
{
    return (feed->frame && feed->frame->frame.number == number) ? feed->frame
                                                              : NULL;
}


ngx_http_vidcast_message_t *
ngx_http_vidcast_message_told(ngx_http_vidcast_message_t *message,
    uint64_t skipped, ngx_uint_t reset)
{
    test_told = *message;
    test_told.refs = 1;
    test_told.size = skipped;
    test_told_reset = reset;

    return &test_told;
}


void
ngx_http_vidcast_message_unref(ngx_http_vidcast_message_t *message)
{
    message->refs--;
}


void
ngx_http_vidcast_session_finalize(ngx_http_vidcast_session_t *session,
    ngx_int_t rc)
{
    ngx_queue_t                      *q;
    test_viewer_t                    *v;
    ngx_http_vidcast_viewer_t        *viewer;
    ngx_http_vidcast_subscription_t  *sub;

    v = (test_viewer_t *) session;
    viewer = &v->viewer;

    while (!ngx_queue_empty(&viewer->subscriptions)) {
        q = ngx_queue_head(&viewer->subscriptions);
        sub = ngx_queue_data(q, ngx_http_vidcast_subscription_t, link);

        ngx_queue_remove(q);
        ngx_queue_remove(&sub->queue);
        sub->feed->nsubscriptions--;
    }

    viewer->session.joined = 0;
    v->left++;
}
