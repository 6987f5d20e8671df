
/*
 * Copyright (C) vidcast contributors
 */


/*
 * A source on demand fell asleep and woke up hundreds of times, all as it
 * should be, and the log had one line of level "crit" a minute about it: the
 * summary of what is left out is of the level of what it stands for.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "unit.h"
#include "unit_ngx.h"

#include "core/ngx_vidcast_log_limit.c"
#include "core/ngx_vidcast_escape.c"
#include "capture/ngx_vidcast_capture_log.c"


static void test_harmless(void);
static void test_alarm(void);
static void test_published(void);
static void test_reset(void);
static void test_states(ngx_uint_t state);
static void test_minute(void);


static ngx_vidcast_capture_t  test_capture;
static ngx_vidcast_source_t   test_source;


void
ngx_vidcast_plugin_said(ngx_vidcast_log_limit_t *warned,
    ngx_vidcast_log_limit_t *said, ngx_log_t *log, ngx_str_t *source,
    int level, const char *line)
{
    /* void */
}


ngx_str_t *
ngx_vidcast_state_name(ngx_uint_t state)
{
    static ngx_str_t  name = ngx_string("as it is");

    return &name;
}


int
main(void)
{
    ngx_str_set(&test_source.name, "front");

    test_capture.source = &test_source;
    test_capture.log = &unit_log;

    test_harmless();
    test_alarm();
    test_published();

    return unit_done();
}


static void
test_harmless(void)
{
    test_reset();
    test_states(NGX_VIDCAST_SLEEPING);
    test_minute();

    unit_ok(unit_log_count[NGX_LOG_NOTICE] == NGX_VIDCAST_LOG_STATES + 1
            && unit_log_count[NGX_LOG_CRIT] == 0,
            "harmless: a notice for those that were left out");
}


static void
test_alarm(void)
{
    test_reset();
    test_states(NGX_VIDCAST_SLEEPING);
    test_states(NGX_VIDCAST_STALE);

    unit_ok(unit_log_count[NGX_LOG_CRIT] == NGX_VIDCAST_LOG_STATES,
            "alarm: it is told, though others are left out");

    test_minute();

    unit_ok(unit_log_count[NGX_LOG_CRIT] == NGX_VIDCAST_LOG_STATES + 1
            && unit_log_count[NGX_LOG_NOTICE] == NGX_VIDCAST_LOG_STATES + 1,
            "alarm: and told of in a line of its level");
}


/* publishers come and go */

static void
test_published(void)
{
    test_reset();
    test_source.input.push = 1;
    test_states(NGX_VIDCAST_STALE);
    test_minute();

    unit_ok(unit_log_count[NGX_LOG_CRIT] == 0,
            "published: no news is no alarm");
}


static void
test_reset(void)
{
    test_source.input.push = 0;

    ngx_memzero(&test_capture.logs, sizeof(test_capture.logs));
    ngx_memzero(unit_log_count, sizeof(unit_log_count));
}


static void
test_states(ngx_uint_t state)
{
    ngx_uint_t  i;

    for (i = 0; i < 3 * NGX_VIDCAST_LOG_STATES; i++) {
        ngx_vidcast_capture_log_state(&test_capture, state,
                                      (const u_char *) "");
    }
}


/* its lines have been silent for that long */

static void
test_minute(void)
{
    test_capture.logs.state.next = 0;
    test_capture.logs.alarm.next = 0;

    ngx_vidcast_capture_log_more(&test_capture);
}
