
/*
 * Copyright (C) vidcast contributors
 */


/*
 * The state of a source is set by its input and by a watch of the main thread:
 * one that is called stale after its frame has come stays so for viewers,
 * which get no frames of it, until the next frame.  It goes by frames that are
 * published, and by answers that the last one is still right: a camera whose
 * pictures are all refused is neither live nor starting for ever.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "unit.h"
#include "unit_ngx.h"

#include "capture/ngx_vidcast_capture.c"


#define TEST_STALE  5000    /* ms */


static void test_stale(void);
static void test_closed(void);
static void test_refused(void);
static void test_unchanged(void);
static void test_large(void);
static ngx_uint_t test_is(ngx_uint_t state, const char *error);


static ngx_vidcast_zone_shm_t  test_shm;
static ngx_vidcast_source_t    test_source;
static ngx_vidcast_zone_t      test_zone;
static ngx_vidcast_capture_t   test_capture;
static ngx_uint_t              test_logged;


void
ngx_vidcast_capture_log_state(ngx_vidcast_capture_t *capture, ngx_uint_t state,
    const u_char *reason)
{
    test_logged++;
}


/* the clock stands still */

ngx_uint_t
ngx_vidcast_zone_silent(ngx_vidcast_source_t *source, uint64_t last)
{
    return 1000 * TEST_STALE - last >= (uint64_t) source->stale * 1000;
}


void
ngx_vidcast_zone_silence(ngx_vidcast_source_t *source, u_char *error)
{
    (void) ngx_sprintf(error, "no frame: %s%Z",
                       source->original.zone->shm->refused);
}


void
ngx_vidcast_capture_log_too_large(ngx_vidcast_capture_t *capture)
{
    test_logged++;
}


int
main(void)
{
    test_source.stale = TEST_STALE;
    test_source.original.zone = &test_zone;
    test_zone.shm = &test_shm;

    test_capture.source = &test_source;
    test_capture.zone = &test_zone;
    test_capture.counters = &test_shm.counters;
    test_capture.log = &unit_log;

    (void) pthread_mutex_init(&test_capture.state_mutex, NULL);

    test_stale();
    test_closed();
    test_refused();
    test_unchanged();
    test_large();

    return unit_done();
}


static void
test_stale(void)
{
    ngx_vidcast_capture_state(&test_capture, NGX_VIDCAST_LIVE, NULL);

    /* the watch found it silent, and then this frame came */

    test_shm.life = 1;

    ngx_vidcast_capture_state(&test_capture, NGX_VIDCAST_LIVE, NULL);
    ngx_vidcast_capture_state(&test_capture, NGX_VIDCAST_STALE,
                              (u_char *) "no frame");

    unit_ok(test_shm.state == NGX_VIDCAST_LIVE && test_logged == 1,
            "stale: not when a frame has come");

    test_shm.life = 0;

    ngx_vidcast_capture_state(&test_capture, NGX_VIDCAST_STALE,
                              (u_char *) "no frame");

    unit_ok(test_shm.state == NGX_VIDCAST_STALE
            && ngx_strcmp(test_shm.error, "no frame") == 0
            && test_logged == 2,
            "stale: when none has");
}


static void
test_closed(void)
{
    ngx_vidcast_capture_state(&test_capture, NGX_VIDCAST_RECONNECTING,
                              (u_char *) "no device");
    ngx_vidcast_capture_state(&test_capture, NGX_VIDCAST_STALE,
                              (u_char *) "no frame");

    unit_ok(test_shm.state == NGX_VIDCAST_RECONNECTING
            && ngx_strcmp(test_shm.error, "no device") == 0,
            "closed: the input knows it better");
}


static void
test_refused(void)
{
    ngx_vidcast_capture_state(&test_capture, NGX_VIDCAST_STARTING, NULL);

    unit_ok(!ngx_vidcast_capture_silent(&test_capture),
            "refused: a source that starts may take its time");

    test_shm.changed = 0;

    ngx_vidcast_capture_refused(&test_capture, (u_char *) "bad");

    unit_ok(test_is(NGX_VIDCAST_STARTING, "bad") && test_shm.changed,
            "refused: while it starts, the reason is told");

    ngx_vidcast_capture_refused(&test_capture, (u_char *) "worse");

    unit_ok(test_is(NGX_VIDCAST_STARTING, "bad"), "refused: not for each one");

    test_capture.told = 0;

    ngx_vidcast_capture_refused(&test_capture, (u_char *) "worse");

    unit_ok(test_is(NGX_VIDCAST_STARTING, "worse"), "refused: but later");

    /* since long ago, by a clock which stands still */

    test_capture.refused = 1000 * TEST_STALE;

    ngx_vidcast_capture_state(&test_capture, NGX_VIDCAST_STALE,
                              (u_char *) "no frame");

    unit_ok(test_is(NGX_VIDCAST_STARTING, "worse"),
            "refused: it is not stale before its time");

    test_capture.refused = 0;
    test_capture.told = 0;

    ngx_vidcast_capture_refused(&test_capture, (u_char *) "bad");

    test_capture.refused = 1;
    test_shm.life = 1;

    unit_ok(!ngx_vidcast_capture_silent(&test_capture), "refused: just before");

    test_capture.refused = 0;
    ngx_vidcast_capture_refused(&test_capture, (u_char *) "bad");
    test_source.stale = TEST_STALE - 1;
    test_capture.refused = 1;

    unit_ok(ngx_vidcast_capture_silent(&test_capture), "refused: and after");

    ngx_vidcast_capture_state(&test_capture, NGX_VIDCAST_STALE,
                              (u_char *) "no frame: bad");

    unit_ok(test_is(NGX_VIDCAST_STALE, "no frame: bad"),
            "refused: it is stale, and says why");

    test_capture.told = 0;

    ngx_vidcast_capture_refused(&test_capture, (u_char *) "worse");

    unit_ok(test_is(NGX_VIDCAST_STALE, "no frame: worse"),
            "refused: also the newest reason");

    ngx_vidcast_capture_alive(&test_capture, 1000 * TEST_STALE);

    unit_ok(test_is(NGX_VIDCAST_LIVE, "")
            && test_shm.last == 1000 * TEST_STALE
            && test_shm.life == test_shm.last
            && test_shm.refused[0] == '\0'
            && test_capture.refused == 0,
            "refused: one that is good ends it");

    ngx_vidcast_capture_refused(&test_capture, (u_char *) "bad");

    unit_ok(test_is(NGX_VIDCAST_LIVE, "")
            && ngx_strcmp(test_shm.refused, "bad") == 0,
            "refused: a live source only keeps the reason");

    test_source.stale = TEST_STALE;
}


static void
test_unchanged(void)
{
    ngx_vidcast_capture_alive(&test_capture, 1);

    test_shm.life = 0;

    ngx_vidcast_capture_state(&test_capture, NGX_VIDCAST_STALE,
                              (u_char *) "no frame");

    ngx_vidcast_capture_unchanged(&test_capture);

    unit_ok(test_is(NGX_VIDCAST_LIVE, "")
            && test_shm.life > 1 && test_shm.last == 1,
            "unchanged: it is alive, and the frame as old as it was");

    test_shm.life = 0;

    ngx_vidcast_capture_refused(&test_capture, (u_char *) "bad");
    ngx_vidcast_capture_unchanged(&test_capture);

    unit_ok(test_shm.life == 0, "unchanged: a bad picture proves nothing");

    ngx_vidcast_capture_state(&test_capture, NGX_VIDCAST_STARTING, NULL);
    ngx_vidcast_capture_unchanged(&test_capture);

    unit_ok(test_is(NGX_VIDCAST_STARTING, ""),
            "unchanged: it is live when the first frame is published");
}


static void
test_large(void)
{
    test_source.original.geometry.slot_size = 7;

    ngx_vidcast_capture_too_large(&test_capture);

    unit_ok(test_is(NGX_VIDCAST_STARTING,
                    "a frame is larger than 7 bytes, see \"frames\"")
            && test_shm.counters.too_large == 1,
            "large: counted and told");
}


static ngx_uint_t
test_is(ngx_uint_t state, const char *error)
{
    return test_shm.state == state
           && ngx_strcmp(test_shm.error, error) == 0;
}
