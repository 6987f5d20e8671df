
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _UNIT_SCHEDULER_H_INCLUDED_
#define _UNIT_SCHEDULER_H_INCLUDED_


/*
 * The scheduler of predictors, on a ring of its own: what the capture is to it,
 * and what came out of it.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "unit.h"
#include "unit_ngx.h"

#include "shm/ngx_vidcast_memory.c"
#include "shm/ngx_vidcast_predictor_mailbox.c"
#include "shm/ngx_vidcast_ring.c"
#include "capture/ngx_vidcast_scheduler.c"


#define TEST_SLOTS    16
#define TEST_TEXT     64
#define TEST_WORKERS  2


/* a result that was published */

typedef struct {
    uint64_t      frame;
    uint32_t      slot;
    const char   *status;
    char          text[TEST_TEXT + 1];
} test_result_t;


static test_result_t           test_results[16];
static ngx_uint_t              test_nresults;
static size_t                  test_room_left;   /* of a result, bytes */
static uint64_t                test_judged;
static ngx_uint_t              test_predicted;
static ngx_uint_t              test_logged;      /* the level */

static ngx_vidcast_source_t    test_source;
static ngx_vidcast_zone_t      test_zone;
static ngx_vidcast_counters_t  test_counters;
static ngx_vidcast_capture_t   test_capture;
static void                   *test_memory;
static void                   *test_frames;


void
ngx_vidcast_limit_log(ngx_log_t *log, ngx_err_t err, const char *what,
    size_t size, ngx_str_t *source)
{
    /* void */
}


ngx_int_t
ngx_vidcast_capture_thread(ngx_vidcast_capture_t *capture,
    void *(*proc)(void *data), void *data, const char *name)
{
    return NGX_OK;
}


ngx_int_t
ngx_vidcast_frame_publish(ngx_vidcast_frame_writer_t *writer,
    ngx_vidcast_frame_publish_t *frame)
{
    ngx_uint_t  late;

    late = frame->number <= ngx_vidcast_ring_newest(&writer->zone->ring);

    ngx_vidcast_ring_publish(&writer->zone->ring, frame->slot, frame->number);

    return late ? NGX_DECLINED : NGX_OK;
}


ngx_int_t
ngx_vidcast_result_publish(ngx_vidcast_capture_t *capture,
    ngx_vidcast_result_t *result, const u_char *json, size_t size)
{
    test_result_t  *r;

    if (size > test_room_left) {
        return NGX_DECLINED;
    }

    r = &test_results[test_nresults++];

    r->frame = result->frame;
    r->slot = result->slot;
    r->status = result->status ? result->status : "ok";
    ngx_memcpy(r->text, json, size);
    r->text[size] = '\0';

    result->seq = test_nresults;
    test_predicted += (result->status == NULL);

    return NGX_OK;
}


void
ngx_vidcast_capture_predicted(ngx_vidcast_capture_t *capture, uint64_t time)
{
    test_predicted++;
}


void
ngx_vidcast_capture_judged(ngx_vidcast_capture_t *capture, uint64_t number)
{
    test_judged = number;
}


void
ngx_vidcast_capture_log_predictor(ngx_vidcast_capture_t *capture,
    ngx_uint_t level, const char *what, const u_char *reason)
{
    test_logged = level;
}


static ngx_vidcast_scheduler_t *
unit_scheduler_open(ngx_vidcast_backend_t *backend)
{
    ngx_vidcast_geometry_t  *g;

    g = &test_source.original.geometry;

    g->slots = TEST_SLOTS;
    g->slot_size = 512;
    g->results = 4;
    g->result_size = TEST_TEXT;

    test_source.predict.every = 1;

    test_memory = ngx_calloc(ngx_vidcast_ring_size(g), &unit_log);
    test_frames = ngx_calloc(ngx_vidcast_ring_frames_size(g), &unit_log);
    test_zone.shm = ngx_calloc(sizeof(ngx_vidcast_zone_shm_t), &unit_log);

    if (test_memory == NULL || test_frames == NULL || test_zone.shm == NULL) {
        exit(2);
    }

    ngx_vidcast_ring_create(&test_zone.ring, test_memory, test_frames, g);

    test_zone.ring.bit = (uint64_t) 1 << NGX_VIDCAST_RING_OWN;

    ngx_memzero(&test_counters, sizeof(ngx_vidcast_counters_t));

    test_capture.source = &test_source;
    test_capture.zone = &test_zone;
    test_capture.writer.zone = &test_zone;
    test_capture.counters = &test_counters;
    test_capture.log = &unit_log;

    test_nresults = 0;
    test_room_left = TEST_TEXT;
    test_judged = 0;
    test_predicted = 0;
    test_logged = 0;

    test_capture.scheduler = ngx_vidcast_scheduler_create(&test_capture,
                                                          backend);
    if (test_capture.scheduler == NULL) {
        exit(2);
    }

    return test_capture.scheduler;
}


static void
unit_scheduler_close(ngx_vidcast_scheduler_t *scheduler)
{
    ngx_uint_t  i;

    for (i = 0; i < scheduler->ntasks; i++) {
        ngx_free(scheduler->tasks[i].text);
    }

    ngx_free(scheduler->tasks);
    ngx_free(scheduler);

    ngx_free(test_memory);
    ngx_free(test_frames);
    ngx_free(test_zone.shm);
}


static uint64_t
test_publish(void)
{
    ngx_vidcast_frame_publish_t  frame;

    frame.slot = ngx_vidcast_ring_claim(&test_zone.ring);
    frame.number = ngx_vidcast_ring_next(&test_zone.ring);

    ngx_vidcast_scheduler_publish_frame(&test_capture, &frame, 0);

    return frame.number;
}


static ngx_uint_t
test_pins(void)
{
    ngx_uint_t  i, n;

    n = 0;

    for (i = 0; i < TEST_SLOTS; i++) {
        n += (ngx_vidcast_ring_slot(&test_zone.ring, i)->state
              & test_zone.ring.bit)
             != 0;
    }

    return n;
}


#endif /* _UNIT_SCHEDULER_H_INCLUDED_ */
