
/*
 * Copyright (C) vidcast contributors
 */


/*
 * The thread of an output, between a capture that must never wait for it and
 * code on a foreign library: what that may see of the source, and what is told
 * of it when it waits, fails, hangs or counts backward.  A pin that it leaves
 * would take a slot from the source for good.
 */

#include "unit_zone.h"

#include "capture/ngx_vidcast_capture.h"
#include "core/ngx_vidcast_escape.c"
#include "core/ngx_vidcast_log_limit.c"


static uint64_t  test_clock;


/* time is ours */

#define ngx_vidcast_clock()          test_clock
#define ngx_vidcast_clock_since(gap)  test_since

static uint64_t  test_since;

#include "capture/output/ngx_vidcast_output_view.c"
#include "capture/output/ngx_vidcast_output_thread.c"

#undef ngx_vidcast_clock
#undef ngx_vidcast_clock_since


#define TEST_SECOND  1000000


static void test_create(void);
static void test_frames(void);
static void test_results(void);
static void test_state(void);
static void test_sizes(void);
static void test_live(void);
static void test_counters(void);
static void test_failing(void);
static void test_hung(void);
static void test_told(void);
static void test_wanted(void);
static void test_finish(void);
static void test_needs(void);
static void test_ends(void);
static void test_publish(uint64_t captured, u_char byte);
static void test_result(const char *text);
static uint64_t test_pins(void);
static ngx_uint_t test_is(ngx_uint_t state, const char *error);

static ngx_int_t test_open(ngx_vidcast_output_t *out);
static ngx_int_t test_run(ngx_vidcast_output_t *out);
static void test_close(ngx_vidcast_output_t *out);
static ngx_uint_t test_need(ngx_vidcast_output_conf_t *conf);


static ngx_vidcast_conf_t           *test_conf;
static ngx_vidcast_source_t         *test_source;
static ngx_vidcast_capture_t         test_capture;
static ngx_vidcast_zone_t           *test_zone;
static ngx_vidcast_outputs_t        *test_outputs;
static ngx_vidcast_output_thread_t  *test_thread;
static ngx_uint_t                    test_sinks;
static ngx_uint_t                    test_threads;

/* what the output says, and how often it was called */

static ngx_int_t                     test_opens = NGX_OK;
static ngx_int_t                     test_runs = NGX_OK;
static const char                   *test_error = "";
static vidcast_output_report_t       test_report;
static ngx_uint_t                    test_opened;
static ngx_uint_t                    test_closed;
static ngx_uint_t                    test_ran;
static ngx_uint_t                    test_takes;     /* a frame in each run */
static ngx_uint_t                    test_rest;      /* so many results */
static ngx_uint_t                    test_needed = VIDCAST_NEEDS_NETWORK;

static ngx_vidcast_output_module_t   test_module = {
    .scheme = ngx_string("test"),
    .open = test_open,
    .run = test_run,
    .close = test_close,
    .needs = test_need
};

static unit_source_t                 test_sources[] = {
    { "front", { 14, 100, 4, 100 }, 1 }
};


ngx_int_t
ngx_vidcast_capture_add_sink(ngx_vidcast_capture_t *capture,
    ngx_vidcast_sink_t *sink)
{
    test_sinks += (sink->on_frame && sink->on_result && sink->on_tick);

    return NGX_OK;
}


ngx_int_t
ngx_vidcast_capture_thread(ngx_vidcast_capture_t *capture,
    void *(*proc)(void *data), void *data, const char *name)
{
    test_threads++;

    return NGX_OK;
}


void
ngx_vidcast_capture_log_said(ngx_vidcast_capture_t *capture, int level,
    const char *line)
{
    /* void */
}


int
main(void)
{
    test_clock = 100 * TEST_SECOND;

    test_conf = unit_load(NULL, test_sources, 1);
    test_source = unit_source(test_conf, 0);
    test_zone = test_source->original.zone;

    test_capture.conf = test_conf;
    test_capture.source = test_source;
    test_capture.zone = test_zone;
    test_capture.counters = &test_zone->shm->counters;
    test_capture.log = &unit_log;

    (void) pthread_mutex_init(&test_capture.results_mutex, NULL);
    (void) pthread_mutex_init(&test_capture.state_mutex, NULL);

    test_create();
    test_frames();
    test_results();
    test_state();
    test_sizes();
    test_live();
    test_counters();
    test_failing();
    test_hung();
    test_told();
    test_wanted();
    test_finish();
    test_needs();
    test_ends();

    unit_ok(unit_log_count[NGX_LOG_ALERT] == 0, "no alerts");

    unit_unload(test_conf);

    return unit_done();
}


static void
test_create(void)
{
    ngx_uint_t  i;

    for (i = 0; i < 2; i++) {
        test_source->outputs[i].module = &test_module;
        test_source->outputs[i].index = i;
        ngx_str_set(&test_source->outputs[i].uri, "test://here/video");
    }

    test_source->noutputs = 2;

    ngx_vidcast_outputs_begin(test_source, test_zone->shm, 1);

    test_outputs = ngx_vidcast_outputs_create(&test_capture);
    test_thread = &test_outputs->thread[0];

    unit_ok(test_sinks == 2 && test_threads == 2,
            "create: a sink and a thread for each");
    unit_ok(test_is(NGX_VIDCAST_OUTPUT_STARTING, ""), "create: it starts");
    unit_ok(test_outputs->thread[1].view.ring.bit
            == (uint64_t) 1 << (NGX_VIDCAST_RING_OUTPUT + 1),
            "create: each has a pin of its own");
}


static void
test_frames(void)
{
    vidcast_output_t        *host;
    vidcast_output_frame_t   frame;

    host = &test_thread->host;

    ngx_memzero(&frame, sizeof(frame));
    frame.size = sizeof(frame);

    unit_ok(host->frame(host->host, 0, &frame) == VIDCAST_AGAIN,
            "frame: none yet");

    test_publish(7, 'a');
    test_publish(8, 'b');

    unit_ok(host->frame(host->host, 0, &frame) == VIDCAST_OK
            && frame.identity.number == 2 && frame.captured == 8
            && frame.identity.epoch == test_zone->epoch
            && frame.identity.time == 1000 && frame.pts == 5
            && frame.width == 64 && frame.height == 48
            && frame.jpeg_size == 10 && frame.jpeg[0] == 'b',
            "frame: the newest one");
    unit_ok(test_pins() == test_thread->view.ring.bit, "frame: it is pinned");

    test_publish(9, 'c');

    unit_ok(frame.jpeg[0] == 'b', "frame: it stays as it is");
    unit_ok(host->frame(host->host, 2, &frame) == VIDCAST_OK
            && frame.identity.number == 3 && frame.jpeg[0] == 'c',
            "frame: a newer one");
    unit_ok(host->frame(host->host, 3, &frame) == VIDCAST_AGAIN,
            "frame: nothing newer");
    unit_ok(test_pins() == 0, "frame: and none is pinned");

    (void) host->frame(host->host, 0, &frame);

    unit_ok(test_pins() != 0 && ngx_vidcast_ring_pins(&test_zone->ring) == 0,
            "frame: a pin is none of a process");

    ngx_vidcast_ring_recover(&test_zone->ring);

    unit_ok(test_pins() == 0, "frame: nor of the next capture");

    ngx_vidcast_ring_invalidate(&test_zone->ring);

    unit_ok(host->frame(host->host, 0, &frame) == VIDCAST_AGAIN,
            "frame: none of another time");
}


static void
test_results(void)
{
    ngx_uint_t         i;
    vidcast_output_t  *host;
    vidcast_result_t   result;

    host = &test_thread->host;

    unit_ok(host->result(host->host, 1, &result) == VIDCAST_AGAIN,
            "result: not yet");

    test_result("{\"a\":1}");

    unit_ok(host->result(host->host, 1, &result) == VIDCAST_OK
            && result.seq == 1 && result.frame == 77
            && result.epoch == test_zone->epoch
            && result.json_size == 7
            && strcmp(result.json, "{\"a\":1}") == 0,
            "result: it is there");

    for (i = 0; i < 4; i++) {
        test_result("{}");
    }

    unit_ok(host->result(host->host, 1, &result) == VIDCAST_BAD,
            "result: not any more");
    unit_ok(host->result(host->host, 0, &result) == VIDCAST_BAD,
            "result: there is no such one");
    unit_ok(host->result(host->host, 2, &result) == VIDCAST_OK
            && host->result(host->host, 5, &result) == VIDCAST_OK
            && host->result(host->host, 6, &result) == VIDCAST_AGAIN,
            "result: the history");
}


static void
test_state(void)
{
    vidcast_output_t        *host;
    vidcast_output_state_t   state;
    ngx_vidcast_zone_shm_t  *shm;

    host = &test_thread->host;
    shm = test_zone->shm;

    shm->state = NGX_VIDCAST_RECONNECTING;
    (void) ngx_cpystrn(shm->error, (u_char *) "no such device",
                       NGX_VIDCAST_ERROR_LEN);
    shm->width = 640;
    shm->height = 480;
    shm->published_mfps = 12500;

    ngx_memzero(&state, sizeof(state));
    state.size = sizeof(state);

    host->state(host->host, &state);

    unit_ok(strcmp(state.name, "reconnecting") == 0
            && strcmp(state.reason, "no such device") == 0
            && state.epoch == test_zone->epoch
            && state.width == 640 && state.height == 480
            && state.fps == 12.5,
            "state: of the source");
    unit_ok(state.frame == 3 && state.seq == 5 && state.oldest == 2,
            "state: what there is");

    /* another camera in the same ring */

    ngx_vidcast_ring_invalidate_all(&test_zone->ring);
    test_result("{}");
    test_result("{}");

    host->state(host->host, &state);

    unit_ok(state.seq == 7 && state.oldest == 6,
            "state: what is gone is not said to be there");

    test_zone->ring.shm->seq = 0;
    test_zone->ring.shm->epoch++;

    host->state(host->host, &state);

    unit_ok(state.seq == 0 && state.oldest == 0, "state: no result");

    test_result("{}");

    host->state(host->host, &state);

    unit_ok(state.seq == 1 && state.oldest == 1,
            "state: the first one of another epoch");

    test_zone->ring.shm->epoch--;

    test_capture.leaving = 1;
    host->state(host->host, &state);
    test_capture.leaving = 0;

    unit_ok(strcmp(state.name, "off") == 0 && state.reason[0] == '\0',
            "state: of a process that leaves");

    shm->state = NGX_VIDCAST_LIVE;
    shm->error[0] = '\0';
}


/* a plugin that was built with another header */

static void
test_sizes(void)
{
    u_char                   *p;
    ngx_uint_t                i, bad;
    vidcast_output_t         *host;

    struct {
        vidcast_output_state_t   state;
        u_char                   more[16];
    } all;

    host = &test_thread->host;

    ngx_memset(&all, 0x5a, sizeof(all));
    all.state.size = offsetof(vidcast_output_state_t, frame);

    host->state(host->host, &all.state);

    bad = 0;

    for (p = (u_char *) &all.state.frame; p < (u_char *) (&all + 1); p++) {
        bad += (*p != 0x5a);
    }

    unit_ok(bad == 0 && strcmp(all.state.name, "live") == 0
            && all.state.size == offsetof(vidcast_output_state_t, frame),
            "sizes: of a smaller structure no more is set");

    ngx_memset(&all, 0x5a, sizeof(all));
    all.state.size = sizeof(all);

    host->state(host->host, &all.state);

    bad = 0;

    for (i = 0; i < sizeof(all.more); i++) {
        bad += (all.more[i] != 0x5a);
    }

    unit_ok(bad == 0, "sizes: nor of a larger one");
}


static void
test_live(void)
{
    test_takes = 1;
    test_publish(10, 'd');

    ngx_vidcast_output_thread_turn(test_thread);

    test_takes = 0;

    unit_ok(test_opened == 1 && test_ran == 1, "live: opened, and run at once");
    unit_ok(test_is(NGX_VIDCAST_OUTPUT_LIVE, ""), "live: so it is called");
    unit_ok(test_pins() == 0, "live: what it had pinned is not, behind run()");

    test_runs = NGX_AGAIN;
    test_error = "nobody answers";

    ngx_vidcast_output_thread_turn(test_thread);

    unit_ok(test_is(NGX_VIDCAST_OUTPUT_WAITING, "nobody answers"),
            "live: it waits");
    unit_ok(strstr(unit_log_last, "output \"test://here/video\" of vidcast "
                                  "source \"front\" is waiting: nobody answers")
            != NULL,
            "live: so says the log");

    test_runs = NGX_OK;
    test_error = "too large";

    ngx_vidcast_output_thread_turn(test_thread);

    unit_ok(test_is(NGX_VIDCAST_OUTPUT_LIVE, "too large"),
            "live: with something wrong");

    test_error = "";

    ngx_vidcast_output_thread_turn(test_thread);

    unit_ok(test_is(NGX_VIDCAST_OUTPUT_LIVE, "") && test_opened == 1,
            "live: and without");
}


static void
test_counters(void)
{
    ngx_vidcast_output_stats_t  *stats;

    stats = test_thread->stats;

    test_report.frames = 5;
    test_report.results = 6;
    test_report.bytes = 7;
    test_report.skipped = 8;
    test_report.too_large = 9;
    test_report.lost = 10;
    test_report.reconnects = 11;
    test_report.readers = 12;

    ngx_vidcast_output_thread_turn(test_thread);

    unit_ok(stats->frames == 5 && stats->results == 6 && stats->bytes == 7
            && stats->skipped == 8 && stats->too_large == 9
            && stats->lost == 10 && stats->reconnects == 11
            && stats->readers == 12, "counters: as it said");

    test_report.frames = 6;

    ngx_vidcast_output_thread_turn(test_thread);

    unit_ok(stats->frames == 6, "counters: since it was opened");

    test_report.frames = 2;

    ngx_vidcast_output_thread_turn(test_thread);

    unit_ok(stats->frames == 6, "counters: they never go back");
}


static void
test_failing(void)
{
    ngx_uint_t  opened;

    ngx_memzero(&test_report, sizeof(test_report));

    test_clock += NGX_VIDCAST_BACKOFF_SETTLED;
    test_runs = NGX_ERROR;
    test_error = "broken";
    opened = test_opened;

    ngx_vidcast_output_thread_turn(test_thread);

    unit_ok(test_closed == 1 && test_is(NGX_VIDCAST_OUTPUT_FAILED, "broken"),
            "failing: it is closed");
    unit_ok(test_thread->stats->readers == 0, "failing: it has no readers");

    ngx_vidcast_output_thread_turn(test_thread);

    unit_ok(test_opened == opened, "failing: and is let alone for a while");

    test_clock += NGX_VIDCAST_BACKOFF_MIN;

    ngx_vidcast_output_thread_turn(test_thread);

    unit_ok(test_opened == opened + 1 && test_closed == 2,
            "failing: it is opened anew");

    test_clock += NGX_VIDCAST_BACKOFF_MIN;

    ngx_vidcast_output_thread_turn(test_thread);

    unit_ok(test_opened == opened + 1,
            "failing: and then after a longer while");

    test_opens = NGX_ERROR;
    test_error = "not to be opened";
    test_clock += NGX_VIDCAST_BACKOFF_MIN;

    ngx_vidcast_output_thread_turn(test_thread);

    unit_ok(test_opened == opened + 2 && test_closed == 2
            && test_is(NGX_VIDCAST_OUTPUT_FAILED, "not to be opened"),
            "failing: what was not opened is not closed");

    test_opens = NGX_OK;
    test_runs = NGX_OK;
    test_error = "";
    test_report.frames = 1;
    test_clock += NGX_VIDCAST_BACKOFF_MAX;

    ngx_vidcast_output_thread_turn(test_thread);

    unit_ok(test_is(NGX_VIDCAST_OUTPUT_LIVE, ""), "failing: not any more");
    unit_ok(test_thread->stats->frames == 7,
            "failing: its counters are added to those of before");

    test_clock += NGX_VIDCAST_BACKOFF_SETTLED;
    test_runs = NGX_ERROR;

    ngx_vidcast_output_thread_turn(test_thread);

    unit_ok(test_thread->backoff.delay == NGX_VIDCAST_BACKOFF_MIN,
            "failing: what had settled is tried again soon");

    test_runs = NGX_OK;
    test_clock += NGX_VIDCAST_BACKOFF_MIN;

    ngx_vidcast_output_thread_turn(test_thread);
}


static void
test_hung(void)
{
    ngx_vidcast_output_thread_enter(test_thread);

    test_clock += NGX_VIDCAST_OUTPUT_HANGS - 1;
    ngx_vidcast_output_thread_look(test_thread);

    unit_ok(test_is(NGX_VIDCAST_OUTPUT_LIVE, ""), "hung: not yet");

    test_clock++;
    test_since = test_clock - TEST_SECOND;
    ngx_vidcast_output_thread_look(test_thread);

    unit_ok(test_is(NGX_VIDCAST_OUTPUT_LIVE, ""),
            "hung: not if all of the process had stopped");

    test_since = 0;
    ngx_vidcast_output_thread_look(test_thread);

    unit_ok(test_is(NGX_VIDCAST_OUTPUT_HUNG, "it did not come back for 5 s"),
            "hung: it is");

    ngx_vidcast_output_thread_come_back(test_thread);
    test_clock += TEST_SECOND;
    ngx_vidcast_output_thread_look(test_thread);

    unit_ok(test_is(NGX_VIDCAST_OUTPUT_HUNG, "it did not come back for 5 s"),
            "hung: till it has something to say");

    ngx_vidcast_output_thread_turn(test_thread);

    unit_ok(test_is(NGX_VIDCAST_OUTPUT_LIVE, ""), "hung: that it is live");
}


/* a change of the source's state is news for it, and a wake() of its own */

static void
test_told(void)
{
    ngx_vidcast_output_thread_look(test_thread);
    test_thread->notified = 0;
    ngx_vidcast_output_thread_look(test_thread);

    unit_ok(test_thread->notified == 0, "told: of nothing");

    test_zone->shm->changed++;
    ngx_vidcast_output_thread_look(test_thread);

    unit_ok(test_thread->notified == 1, "told: of another state");

    ngx_vidcast_output_thread_wait(test_thread);

    unit_ok(test_thread->notified == 0, "told: it has heard");

    test_thread->host.wake(test_thread->host.host);

    unit_ok(test_thread->notified == 1, "told: it woke itself");
}


static void
test_wanted(void)
{
    test_zone->shm->asked = 0;

    test_thread->host.wanted(test_thread->host.host);

    unit_ok(test_zone->shm->asked != 0, "wanted: as by a viewer");
}


static void
test_finish(void)
{
    ngx_uint_t  ran;

    unit_ok(!ngx_vidcast_outputs_left(test_outputs), "finish: not yet");

    test_capture.leaving = 1;
    test_rest = 3;
    ran = test_ran;

    (void) ngx_vidcast_output_thread(test_thread);

    unit_ok(test_ran == ran + 4 && test_thread->opened == 0,
            "finish: it gives on what is there, and is closed");

    test_outputs->thread[1].left = 1;

    unit_ok(ngx_vidcast_outputs_left(test_outputs), "finish: all have left");

    test_capture.leaving = 0;
}


static void
test_needs(void)
{
    unit_ok(ngx_vidcast_outputs_needs(test_source, VIDCAST_NEEDS_COMPUTING)
            == (VIDCAST_NEEDS_COMPUTING|VIDCAST_NEEDS_NETWORK),
            "needs: of all together");
    unit_ok(ngx_vidcast_outputs_needs(test_source, 0) == 0,
            "needs: what the input needs is not known");

    test_needed = 0;

    unit_ok(ngx_vidcast_outputs_needs(test_source, VIDCAST_NEEDS_COMPUTING)
            == 0, "needs: what an output needs is not");
}


static void
test_ends(void)
{
    ngx_vidcast_outputs_end(test_zone->shm);

    unit_ok(test_is(NGX_VIDCAST_OUTPUT_OFF, "")
            && test_thread->stats->readers == 0, "end: it is off");

    ngx_vidcast_outputs_begin(test_source, test_zone->shm, 0);

    unit_ok(test_is(NGX_VIDCAST_OUTPUT_STARTING, "")
            && test_thread->stats->frames == 8, "end: counters go on");

    ngx_vidcast_outputs_begin(test_source, test_zone->shm, 1);

    unit_ok(test_thread->stats->frames == 0,
            "end: those of another output do not");
}


static void
test_publish(uint64_t captured, u_char byte)
{
    uint32_t                  slot;
    ngx_vidcast_ring_t       *ring;
    ngx_vidcast_ring_slot_t  *s;

    ring = &test_zone->ring;
    slot = ngx_vidcast_ring_claim(ring);

    if (slot == NGX_VIDCAST_RING_NONE) {
        unit_ok(0, "a slot is free");
        return;
    }

    s = ngx_vidcast_ring_slot(ring, slot);

    s->captured = captured;
    s->time = 1000;
    s->pts = 5;
    s->width = 64;
    s->height = 48;
    s->size = 10;

    ngx_memset(ngx_vidcast_ring_data(ring, slot), byte, 10);

    ngx_vidcast_ring_publish(ring, slot, ngx_vidcast_ring_next(ring));
}


static void
test_result(const char *text)
{
    uint64_t                    seq;
    ngx_vidcast_ring_result_t  *result;

    result = ngx_vidcast_ring_open_result(&test_zone->ring, &seq);

    result->frame = 77;
    result->size = ngx_strlen(text);
    ngx_memcpy(result + 1, text, result->size);

    ngx_vidcast_ring_publish_result(&test_zone->ring, result, seq);
}


static uint64_t
test_pins(void)
{
    return ngx_vidcast_ring_pinned(&test_zone->ring);
}


static ngx_uint_t
test_is(ngx_uint_t state, const char *error)
{
    ngx_vidcast_output_stats_t  *stats;

    stats = &test_zone->shm->outputs[0];

    return stats->state == state && ngx_strcmp(stats->error, error) == 0;
}


static ngx_int_t
test_open(ngx_vidcast_output_t *out)
{
    test_opened++;

    (void) ngx_cpystrn(out->error, (u_char *) test_error,
                       NGX_VIDCAST_ERROR_LEN);

    return test_opens;
}


static ngx_int_t
test_run(ngx_vidcast_output_t *out)
{
    size_t                   size;
    vidcast_result_t         result;
    vidcast_output_frame_t   frame;

    test_ran++;

    if (test_takes) {
        frame.size = sizeof(frame);
        (void) out->host->frame(out->host->host, 0, &frame);
    }

    if (test_rest) {
        test_rest--;
        (void) out->host->result(out->host->host, 1, &result);
    }

    size = out->report.size;
    out->report = test_report;
    out->report.size = size;

    (void) ngx_cpystrn(out->error, (u_char *) test_error,
                       NGX_VIDCAST_ERROR_LEN);

    return (size == sizeof(vidcast_output_report_t)) ? test_runs : NGX_ERROR;
}


static void
test_close(ngx_vidcast_output_t *out)
{
    test_closed++;
}


static ngx_uint_t
test_need(ngx_vidcast_output_conf_t *conf)
{
    return test_needed;
}
