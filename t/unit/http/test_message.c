
/*
 * Copyright (C) vidcast contributors
 */


/*
 * A worker without memory loses messages, of which its viewers see nothing but
 * a gap: each must be counted, and the next one be taken all the same.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "unit.h"
#include "unit_ngx.h"

static void *test_alloc(size_t size, ngx_log_t *log);

#define ngx_alloc  test_alloc

#include "http/delivery/ngx_http_vidcast_message.c"

#undef ngx_alloc

#include "wire/ngx_vidcast_ws.c"


static void test_result(void);
static void test_frame(void);
static void test_copy(void);
static void test_start(void);


static ngx_vidcast_zone_t          test_zone;
static ngx_http_vidcast_feed_t     test_feed;
static ngx_vidcast_worker_stats_t  test_stats;
static ngx_uint_t                  test_full;     /* no memory */
static u_char                      test_slot[NGX_VIDCAST_RING_HEAD + 256];


int
main(void)
{
    test_result();
    test_frame();
    test_copy();

    return unit_done();
}


static void
test_result(void)
{
    ngx_http_vidcast_message_t  *message, *told;

    test_start();
    test_full = 1;

    unit_ok(ngx_http_vidcast_message_result(&test_feed, 1) == NULL
            && test_stats.no_memory == 1,
            "a result that there is no memory for is counted");

    test_full = 0;
    message = ngx_http_vidcast_message_result(&test_feed, 2);

    unit_ok(message && test_stats.no_memory == 1, "the next one is not");

    test_full = 1;
    told = ngx_http_vidcast_message_told(message, 1, 0);

    unit_ok(told == NULL && test_stats.no_memory == 2,
            "nor is there any for what one viewer has missed");
    unit_ok(ngx_http_vidcast_message_error(&test_feed, "no") == NULL
            && test_stats.no_memory == 3, "or for the answer to a command");

    ngx_http_vidcast_message_unref(message);
}


static void
test_frame(void)
{
    ngx_http_vidcast_message_t  *message;

    test_start();
    test_full = 1;

    unit_ok(ngx_http_vidcast_message_frame(&test_feed) == NULL
            && test_stats.no_memory == 1,
            "a picture that there is no memory for is counted");

    test_full = 0;
    message = ngx_http_vidcast_message_frame(&test_feed);

    unit_ok(message && test_stats.no_memory == 1, "the next one is not");

    ngx_http_vidcast_message_unref(message);
    ngx_free(test_feed.free);
}


static void
test_copy(void)
{
    ngx_http_vidcast_message_t  *message;

    test_start();
    message = ngx_http_vidcast_message_frame(&test_feed);

    test_full = 1;

    unit_ok(ngx_http_vidcast_message_copy(message) == NGX_ERROR
            && test_stats.no_memory == 1,
            "so is a copy of a picture that still leaves");

    ngx_http_vidcast_message_unref(message);
    ngx_free(test_feed.free);
}


static void
test_start(void)
{
    ngx_memzero(&test_feed, sizeof(test_feed));
    ngx_memzero(&test_stats, sizeof(test_stats));

    test_feed.zone = &test_zone;
    test_feed.stats = &test_stats;

    test_zone.ring.bit = 1;
    test_full = 0;
}


static void *
test_alloc(size_t size, ngx_log_t *log)
{
    return test_full ? NULL : malloc(size);
}


/* the ring has everything that it is asked for */

ngx_int_t
ngx_vidcast_ring_peek_result(ngx_vidcast_ring_t *ring, uint64_t seq,
    ngx_vidcast_ring_result_t *result)
{
    u_char  text[64];

    ngx_memzero(result, sizeof(ngx_vidcast_ring_result_t));

    result->seq = seq;
    result->size = ngx_sprintf(text, "{\"v\":1,\"seq\":%uL}", seq) - text;

    return NGX_OK;
}


ngx_int_t
ngx_vidcast_ring_copy_result(ngx_vidcast_ring_t *ring,
    ngx_vidcast_ring_result_t *result, u_char *text)
{
    (void) ngx_sprintf(text, "{\"v\":1,\"seq\":%uL}", result->seq);

    return NGX_OK;
}


ngx_int_t
ngx_vidcast_ring_acquire(ngx_vidcast_ring_t *ring, uint64_t seen,
    ngx_vidcast_frame_t *frame)
{
    ngx_memzero(frame, sizeof(ngx_vidcast_frame_t));

    frame->number = seen + 1;
    frame->data = test_slot + NGX_VIDCAST_RING_HEAD;
    frame->size = 64;

    return NGX_OK;
}


ngx_int_t
ngx_vidcast_ring_acquire_at(ngx_vidcast_ring_t *ring, uint32_t slot,
    uint64_t number, ngx_vidcast_frame_t *frame)
{
    return ngx_vidcast_ring_acquire(ring, number - 1, frame);
}


ngx_int_t
ngx_vidcast_ring_peek(ngx_vidcast_ring_t *ring, uint64_t seen,
    ngx_vidcast_frame_t *frame)
{
    return ngx_vidcast_ring_acquire(ring, seen, frame);
}


ngx_int_t
ngx_vidcast_ring_check(ngx_vidcast_ring_t *ring, ngx_vidcast_frame_t *frame)
{
    return NGX_OK;
}


void
ngx_vidcast_ring_release(ngx_vidcast_ring_t *ring, ngx_vidcast_frame_t *frame)
{
    /* void */
}


ngx_int_t
ngx_vidcast_deflate(ngx_str_t *in, ngx_uint_t bits, ngx_str_t *out)
{
    return NGX_ERROR;
}
