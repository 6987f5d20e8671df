
/*
 * Copyright (C) vidcast contributors
 */


/*
 * Captures, predictors and inputs that fail wait for as long as is computed
 * here: one that does not wait burns a core, one that waits for ever is lost.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast_backoff.h"
#include "unit.h"
#include "unit_ngx.h"


static void test_grows(void);
static void test_hostile(void);


int
main(void)
{
    test_grows();
    test_hostile();

    return unit_done();
}


static void
test_grows(void)
{
    uint64_t               now;
    ngx_uint_t             i;
    ngx_vidcast_backoff_t  backoff;

    static const uint64_t  delays[] = {
        200000, 400000, 800000, 1600000, 3200000, 6400000, 12800000, 25600000,
        30000000, 30000000
    };

    now = 7;
    ngx_vidcast_backoff_reset(&backoff);

    unit_ok(backoff.due == 0, "what has not failed is due");

    for (i = 0; i < sizeof(delays) / sizeof(delays[0]); i++) {
        ngx_vidcast_backoff_failed(&backoff, now);

        unit_ok(backoff.delay == delays[i],
                "the delay doubles, up to its limit");
        unit_ok(backoff.due - now == delays[i], "and is counted from now");

        now = backoff.due;
    }

    ngx_vidcast_backoff_reset(&backoff);
    ngx_vidcast_backoff_failed(&backoff, now);

    unit_ok(backoff.delay == 200000, "after a success it begins anew");
}


static void
test_hostile(void)
{
    ngx_vidcast_backoff_t  backoff;

    backoff.delay = (uint64_t) -1;
    ngx_vidcast_backoff_failed(&backoff, 1000);

    unit_ok(backoff.due == 30001000, "a delay that overflows is the longest");

    backoff.delay = (uint64_t) 1 << 63;
    ngx_vidcast_backoff_failed(&backoff, 1000);

    unit_ok(backoff.due == 30001000, "so is one that doubles to nothing");
}
