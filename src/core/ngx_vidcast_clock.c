
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast.h"


#define NGX_VIDCAST_CLOCK_MAX_WAIT  200000  /* us */
#define NGX_VIDCAST_CLOCK_GAP       1000000


ngx_int_t
ngx_vidcast_clock_wait(uint64_t due)
{
    uint64_t         now, until;
    struct timespec  ts;

    now = ngx_vidcast_clock();

    if (now >= due) {
        return NGX_OK;
    }

    until = ngx_min(due, now + NGX_VIDCAST_CLOCK_MAX_WAIT);

    ts.tv_sec = until / 1000000;
    ts.tv_nsec = until % 1000000 * 1000;

    /* a signal ends it early: the caller has to look at its orders */

    (void) clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);

    return ngx_vidcast_clock() >= due ? NGX_OK : NGX_AGAIN;
}


uint64_t
ngx_vidcast_clock_since(ngx_vidcast_clock_gap_t *gap)
{
    uint64_t  now;

    now = ngx_vidcast_clock();

    if (now - gap->looked >= NGX_VIDCAST_CLOCK_GAP) {
        gap->since = now;
    }

    gap->looked = now;

    return gap->since;
}
