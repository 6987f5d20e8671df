
/*
 * Copyright (C) vidcast contributors
 */


/*
 * A camera of which every second picture is bad wrote fifteen lines a second
 * into the log, for ever.  Whatever the pattern of a fault, its first lines
 * are told at once, then one a minute with the number of the others, and none
 * is lost when the fault stops.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "unit.h"
#include "unit_ngx.h"

#include "core/ngx_vidcast_log_limit.c"


#define MINUTE  NGX_VIDCAST_LOG_MINUTE


static ngx_vidcast_log_limit_t  limit;


static void
test_first(void)
{
    uint64_t  now;

    ngx_memzero(&limit, sizeof(limit));
    now = 5;

    unit_ok(ngx_vidcast_log_limit_more(&limit, 1, now) == 0,
            "nothing is to be told of nothing");
    unit_ok(ngx_vidcast_log_limit(&limit, 1, now), "the first one is logged");
    unit_ok(!ngx_vidcast_log_limit(&limit, 1, now), "the second one is not");
    unit_ok(!ngx_vidcast_log_limit(&limit, 1, now + MINUTE - 1),
            "nor the last one of the minute");
    unit_ok(ngx_vidcast_log_limit_more(&limit, 1, now + MINUTE - 1) == 0,
            "which is told later");
    unit_ok(ngx_vidcast_log_limit_more(&limit, 1, now + MINUTE) == 2,
            "after the minute, though the fault has stopped");
    unit_ok(ngx_vidcast_log_limit_more(&limit, 1, now + MINUTE) == 0,
            "and once");
    unit_ok(!ngx_vidcast_log_limit(&limit, 1, now + 2 * MINUTE - 1),
            "the line that tells is the one of its minute");
    unit_ok(!ngx_vidcast_log_limit(&limit, 1, now + 2 * MINUTE),
            "what is to be told comes before what is new");
    unit_ok(ngx_vidcast_log_limit_more(&limit, 1, now + 2 * MINUTE) == 2,
            "both are told");
    unit_ok(ngx_vidcast_log_limit(&limit, 1, now + 3 * MINUTE),
            "a minute of silence: logged at once");
}


/* 30 a second for ten minutes, with a look each second */

static void
test_storm(void)
{
    uint64_t    now, more, told;
    ngx_uint_t  i, lines, events;

    ngx_memzero(&limit, sizeof(limit));

    lines = 0;
    told = 0;
    events = 30 * 600;

    for (i = 0; i < events; i++) {
        now = MINUTE + (uint64_t) i * 1000000 / 30;

        if (ngx_vidcast_log_limit(&limit, 1, now)) {
            lines++;
            told++;
        }

        if (i % 30 == 29) {
            more = ngx_vidcast_log_limit_more(&limit, 1, now);
            lines += (more != 0);
            told += more;
        }
    }

    unit_ok(lines == 10, "ten lines in ten minutes: %d", (int) lines);

    told += ngx_vidcast_log_limit_more(&limit, 1, 20 * (uint64_t) MINUTE);

    unit_ok(told == events, "which tell of all: %d of %d", (int) told,
            (int) events);
}


static void
test_burst(void)
{
    ngx_uint_t  i, lines;

    ngx_memzero(&limit, sizeof(limit));

    lines = 0;

    for (i = 0; i < 20; i++) {
        lines += ngx_vidcast_log_limit(&limit, 5, MINUTE + i);
    }

    unit_ok(lines == 5, "five at once");
    unit_ok(ngx_vidcast_log_limit_more(&limit, 5, 2 * MINUTE - 1) == 0,
            "the others not before the minute is over");
    unit_ok(ngx_vidcast_log_limit_more(&limit, 5, 2 * MINUTE) == 15,
            "then they are told");

    /* every ten seconds, for ever */

    lines = 0;

    for (i = 0; i < 600; i++) {
        lines += ngx_vidcast_log_limit(&limit, 5, 3 * (uint64_t) MINUTE
                                                  + i * (MINUTE / 6));
        lines += (ngx_vidcast_log_limit_more(&limit, 5, 3 * (uint64_t) MINUTE
                                                  + i * (MINUTE / 6) + 1)
                  != 0);
    }

    unit_ok(lines >= 99 && lines <= 106, "one a minute: %d in 100",
            (int) lines);

    (void) ngx_vidcast_log_limit_more(&limit, 5, 150 * (uint64_t) MINUTE);

    lines = 0;

    for (i = 0; i < 20; i++) {
        lines += ngx_vidcast_log_limit(&limit, 5, 200 * (uint64_t) MINUTE);
    }

    unit_ok(lines == 5, "five at once after a long silence");
}


static void
test_tell(void)
{
    ngx_str_t  name;

    ngx_str_set(&name, "front");
    ngx_memzero(&limit, sizeof(limit));

    limit.more = 7;

    ngx_vidcast_log_limit_tell(&limit, 1, NGX_LOG_WARN, &unit_log, &name,
                               "bad frames");

    unit_ok(ngx_strcmp(unit_log_last, "vidcast source \"front\": 7 more bad "
                       "frames in the last minute") == 0, "the line");
    unit_ok(unit_log_count[NGX_LOG_WARN] == 1, "its level");

    ngx_vidcast_log_limit_tell(&limit, 1, NGX_LOG_WARN, &unit_log, &name,
                               "bad frames");

    unit_ok(unit_log_count[NGX_LOG_WARN] == 1, "no line when there is nothing");
}


int
main(void)
{
    test_first();
    test_storm();
    test_burst();
    test_tell();

    return unit_done();
}
