
/*
 * Copyright (C) vidcast contributors
 */


/*
 * The state of a source is set by its input and by a watch of the main thread:
 * one that is called stale after its frame has come stays so for viewers,
 * which get no frames of it, until the next frame.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "unit.h"
#include "unit_ngx.h"

#include "capture/ngx_vidcast_capture.c"


#define TEST_STALE  5000    /* ms */


static void test_stale(void);
static void test_closed(void);


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


int
main(void)
{
    test_source.stale = TEST_STALE;
    test_zone.shm = &test_shm;

    test_capture.source = &test_source;
    test_capture.zone = &test_zone;
    test_capture.log = &unit_log;

    (void) pthread_mutex_init(&test_capture.state_mutex, NULL);

    test_stale();
    test_closed();

    return unit_done();
}


static void
test_stale(void)
{
    ngx_vidcast_capture_state(&test_capture, NGX_VIDCAST_LIVE, NULL);

    /* the watch found it silent, and then this frame came */

    test_shm.last = 1;

    ngx_vidcast_capture_state(&test_capture, NGX_VIDCAST_LIVE, NULL);
    ngx_vidcast_capture_state(&test_capture, NGX_VIDCAST_STALE,
                              (u_char *) "no frame");

    unit_ok(test_shm.state == NGX_VIDCAST_LIVE && test_logged == 1,
            "stale: not when a frame has come");

    test_shm.last = 0;

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
