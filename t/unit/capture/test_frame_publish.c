
/*
 * Copyright (C) vidcast contributors
 */


/*
 * The ways of a frame into the ring and out of its life: one that is lost must
 * be counted, once and under its own name, and one that is published must be
 * told to the sinks before the workers are woken, once.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "unit.h"
#include "unit_ngx.h"

#include "shm/ngx_vidcast_ring.c"
#include "unit_capture.h"
#include "capture/ngx_vidcast_frame_publish.c"


#define TEST_SLOTS  4


static void test_publish(void);
static void test_pushed(void);
static void test_late(void);
static void test_full(void);
static void test_sinks(void);
static void test_fill(ngx_vidcast_frame_publish_t *frame, uint64_t number);
static void test_on_frame(void *data);
static void test_on_result(void *data);


static ngx_vidcast_geometry_t   test_geometry = { TEST_SLOTS, 512, 4, 64 };
static ngx_vidcast_conf_t       test_conf;
static ngx_vidcast_source_t     test_source;
static ngx_vidcast_zone_t       test_zone;
static ngx_vidcast_counters_t  *test_counters;
static ngx_vidcast_capture_t    test_capture;

static ngx_uint_t               test_frames;
static ngx_uint_t               test_results;
static ngx_uint_t               test_wakes;
static ngx_uint_t               test_told;     /* frames, at the last wake-up */


void
ngx_vidcast_zone_wake_workers(ngx_vidcast_zone_t *zone)
{
    test_wakes++;
    test_told = test_frames;
}


void
ngx_vidcast_zone_unpin_dead(ngx_vidcast_control_t *control,
    ngx_vidcast_zone_t *zone, ngx_log_t *log)
{
    /* void */
}


size_t
ngx_vidcast_ws_header_len(uint64_t size)
{
    return 4;
}


u_char *
ngx_vidcast_ws_header(u_char *dst, ngx_uint_t opcode, uint64_t size)
{
    return ngx_cpymem(dst, "head", 4);
}


int
main(void)
{
    u_char              *memory, *frames;
    ngx_vidcast_sink_t   sink;

    memory = ngx_calloc(ngx_vidcast_ring_size(&test_geometry), &unit_log);
    frames = ngx_calloc(ngx_vidcast_ring_frames_size(&test_geometry),
                        &unit_log);
    test_zone.shm = ngx_calloc(sizeof(ngx_vidcast_zone_shm_t), &unit_log);

    if (memory == NULL || frames == NULL || test_zone.shm == NULL) {
        exit(2);
    }

    test_counters = &test_zone.shm->counters;

    ngx_vidcast_ring_create(&test_zone.ring, memory, frames, &test_geometry);

    ngx_str_set(&test_source.name, "front");

    test_capture.conf = &test_conf;
    test_capture.source = &test_source;
    test_capture.zone = &test_zone;
    test_capture.counters = test_counters;
    test_capture.log = &unit_log;

    (void) ngx_vidcast_frame_writer_init(&test_capture.writer, &test_capture,
                                         &test_zone,
                                         ngx_vidcast_capture_on_frame);

    sink.on_frame = test_on_frame;
    sink.on_result = test_on_result;
    sink.on_tick = NULL;
    sink.data = NULL;

    (void) ngx_vidcast_capture_add_sink(&test_capture, &sink);

    test_publish();
    test_pushed();
    test_late();
    test_full();
    test_sinks();

    ngx_free(memory);
    ngx_free(frames);
    ngx_free(test_zone.shm);

    return unit_done();
}


static void
test_publish(void)
{
    u_char                       *data;
    ngx_vidcast_ring_slot_t      *slot;
    ngx_vidcast_frame_publish_t   frame;

    test_fill(&frame, ngx_vidcast_ring_next(&test_zone.ring));
    (void) ngx_vidcast_frame_publish(&test_capture.writer, &frame);

    unit_ok(ngx_vidcast_ring_newest(&test_zone.ring) == 1
            && test_counters->published == 1,
            "publish: the newest frame, and counted");
    unit_ok(test_frames == 1 && test_wakes == 1 && test_told == 1,
            "publish: the sinks are told, and then the workers, once");

    slot = ngx_vidcast_ring_slot(&test_zone.ring, frame.slot);
    data = ngx_vidcast_ring_data(&test_zone.ring, frame.slot);

    unit_ok(slot->width == 16
            && slot->nth == 1
            && slot->size == 5
            && ngx_memcmp(data - 4, "headbytes\r\n--frame\r\n", 20) == 0
            && ngx_strnstr(data - slot->v1, "vidc", slot->v1) != NULL,
            "publish: with its headers before it, and a tail");
}


/* its publisher's answer wakes the workers */

static void
test_pushed(void)
{
    ngx_vidcast_frame_publish_t  frame;

    test_fill(&frame, ngx_vidcast_ring_next(&test_zone.ring));
    frame.pushed = 1;
    (void) ngx_vidcast_frame_publish(&test_capture.writer, &frame);

    unit_ok(test_counters->published == 2 && test_frames == 2
            && test_wakes == 1,
            "pushed: the sinks are told only");
}


static void
test_late(void)
{
    uint64_t                     number;
    ngx_vidcast_frame_publish_t  frame, before;

    number = ngx_vidcast_ring_next(&test_zone.ring);

    test_fill(&before, number);
    test_fill(&frame, ngx_vidcast_ring_next(&test_zone.ring));

    unit_ok(ngx_vidcast_frame_publish(&test_capture.writer, &frame) == NGX_OK
            && ngx_vidcast_frame_publish(&test_capture.writer, &before)
               == NGX_DECLINED,
            "late: its caller sees that it is lost");
    unit_ok(test_counters->published == 3 && test_counters->overtaken == 1,
            "late: one that a newer one was faster than is lost, and counted");
    unit_ok(test_frames == 3 && test_wakes == 2, "late: nobody is told of it");
    unit_ok(!(ngx_vidcast_ring_slot(&test_zone.ring, before.slot)->state
              & NGX_VIDCAST_RING_WRITING),
            "late: its slot is free");
}


static void
test_full(void)
{
    uint32_t    slot[TEST_SLOTS];
    ngx_uint_t  i, n;

    n = 0;

    for (i = 0; i < TEST_SLOTS; i++) {
        slot[n] = ngx_vidcast_frame_claim(&test_capture.writer);

        if (slot[n] != NGX_VIDCAST_RING_NONE) {
            n++;
        }
    }

    unit_ok(n == TEST_SLOTS - 1 && test_counters->ring_full == 1,
            "full: a picture in hand that finds no slot is counted");
    unit_ok(ngx_vidcast_frame_try_claim(&test_capture.writer)
            == NGX_VIDCAST_RING_NONE && test_counters->ring_full == 1,
            "full: without one there is nothing to count");

    ngx_vidcast_frame_abandon(&test_capture.writer, slot[0]);

    unit_ok(ngx_vidcast_frame_try_claim(&test_capture.writer) == slot[0],
            "full: a slot that was given back is free");

    for (i = 0; i < n; i++) {
        ngx_vidcast_frame_abandon(&test_capture.writer, slot[i]);
    }
}


static void
test_sinks(void)
{
    ngx_uint_t          i, n;
    ngx_vidcast_sink_t  sink;

    ngx_vidcast_capture_on_result(&test_capture);
    ngx_vidcast_capture_on_tick(&test_capture);

    unit_ok(test_results == 1, "sinks: told of what they ask for only");

    ngx_memzero(&sink, sizeof(ngx_vidcast_sink_t));
    n = 0;

    for (i = 0; i < 2 * NGX_VIDCAST_MAX_SINKS; i++) {
        n += ngx_vidcast_capture_add_sink(&test_capture, &sink) == NGX_OK;
    }

    unit_ok(n == NGX_VIDCAST_MAX_SINKS - 1
            && unit_log_count[NGX_LOG_ALERT] == NGX_VIDCAST_MAX_SINKS + 1,
            "sinks: no more than there is place for");
}


static void
test_fill(ngx_vidcast_frame_publish_t *frame, uint64_t number)
{
    ngx_memzero(frame, sizeof(ngx_vidcast_frame_publish_t));

    frame->number = number;
    frame->captured = ngx_vidcast_clock();
    frame->size = 5;
    frame->width = 16;
    frame->height = 16;
    frame->slot = ngx_vidcast_frame_claim(&test_capture.writer);

    ngx_memcpy(ngx_vidcast_ring_data(&test_zone.ring, frame->slot), "bytes",
               5);
}


static void
test_on_frame(void *data)
{
    test_frames++;
}


static void
test_on_result(void *data)
{
    test_results++;
}
