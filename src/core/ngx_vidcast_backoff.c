
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast_atomic.h"
#include "core/ngx_vidcast_backoff.h"


void
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
