
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_BACKOFF_H_INCLUDED_
#define _NGX_VIDCAST_BACKOFF_H_INCLUDED_


#include "core/ngx_vidcast.h"
#include "core/ngx_vidcast_atomic.h"


/*
 * What fails is tried again after 0.2 s, then later each time, after 30 s at
 * most.  What had settled before, so had lived for 2 s at least, starts anew.
 * May lie in memory that another process can write.
 */

#define NGX_VIDCAST_BACKOFF_MIN      200000      /* us */
#define NGX_VIDCAST_BACKOFF_MAX      30000000
#define NGX_VIDCAST_BACKOFF_SETTLED  2000000


typedef struct {
    uint64_t  due;    /* CLOCK_MONOTONIC, us: not to be tried before */
    uint64_t  delay;  /* us; 0: it has not failed yet */
} ngx_vidcast_backoff_t;


/* it may be tried at once, and waits for the shortest time when it fails */
#define ngx_vidcast_backoff_reset(backoff)                                    \
    ngx_memzero(backoff, sizeof(ngx_vidcast_backoff_t))


static ngx_inline void
ngx_vidcast_backoff_failed(ngx_vidcast_backoff_t *backoff, uint64_t now)
{
    uint64_t  delay;

    /* once: it may change, and be anything */

    delay = ngx_vidcast_load(&backoff->delay);

    if (delay > NGX_VIDCAST_BACKOFF_MAX / 2) {
        delay = NGX_VIDCAST_BACKOFF_MAX;

    } else {
        delay = ngx_max(delay * 2, NGX_VIDCAST_BACKOFF_MIN);
    }

    backoff->delay = delay;
    backoff->due = now + delay;
}


#endif /* _NGX_VIDCAST_BACKOFF_H_INCLUDED_ */
