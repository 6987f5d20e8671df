
/*
 * Copyright (C) vidcast contributors
 */


/*
 * A client could write a line into the error log with each request that was
 * refused, as fast as it asked.  The first ones of a kind are written, the
 * others told later; a kind that is asked for all the time keeps no other from
 * being written, and the timer that tells rests when there is nothing to tell.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
#include <ngx_event_timer.c>

#include "unit.h"
#include "unit_ngx.h"

#include "core/ngx_vidcast_log_limit.c"

#include "http/request/ngx_http_vidcast_log.c"


static void test_first(void);
static void test_tell(void);
static void test_kinds(void);
static ngx_uint_t test_ask(ngx_uint_t kind, ngx_uint_t times);


ngx_module_t                         ngx_http_vidcast_module;

static ngx_http_vidcast_main_conf_t  test_vmcf;
static ngx_http_request_t            test_request;
static void                         *test_main[1];


int
main(void)
{
    test_main[0] = &test_vmcf;
    test_request.main_conf = test_main;

    (void) ngx_event_timer_init(&unit_log);

    test_first();
    test_tell();
    test_kinds();

    return unit_done();
}


static void
test_first(void)
{
    unit_ok(test_ask(NGX_HTTP_VIDCAST_LOG_PAGE, NGX_VIDCAST_LOG_REQUESTS)
            == NGX_VIDCAST_LOG_REQUESTS, "the first ones are written");
    unit_ok(!test_vmcf.log_timer.timer_set, "there is nothing to be told");
    unit_ok(test_ask(NGX_HTTP_VIDCAST_LOG_PAGE, 1000) == 0,
            "the others are not");
    unit_ok(test_vmcf.log_timer.timer_set, "which is to be told");
    unit_ok(test_vmcf.log_timer.cancelable, "and keeps no process here");
}


static void
test_tell(void)
{
    ngx_uint_t    lines;
    ngx_event_t  *timer;

    timer = &test_vmcf.log_timer;
    lines = unit_log_count[NGX_LOG_ERR];

    ngx_del_timer(timer);
    timer->handler(timer);

    unit_ok(unit_log_count[NGX_LOG_ERR] == lines, "not before its minute");
    unit_ok(timer->timer_set, "but later");

    test_vmcf.log_limits[NGX_HTTP_VIDCAST_LOG_PAGE].next
        -= NGX_VIDCAST_LOG_MINUTE;

    ngx_del_timer(timer);
    timer->handler(timer);

    unit_ok(unit_log_count[NGX_LOG_ERR] == lines + 1
            && ngx_strcmp(unit_log_last, "vidcast: 1000 more requests of pages "
                          "which are not allowed in the last minute") == 0,
            "then in one line: %s", unit_log_last);
    unit_ok(!timer->timer_set, "and that was all");
}


static void
test_kinds(void)
{
    ngx_uint_t  kind;

    for (kind = NGX_HTTP_VIDCAST_LOG_PAGE + 1;
         kind < NGX_HTTP_VIDCAST_LOG_KINDS;
         kind++)
    {
        unit_ok(test_ask(kind, 100) == NGX_VIDCAST_LOG_REQUESTS,
                "kind %d has lines of its own", (int) kind);
    }
}


static ngx_uint_t
test_ask(ngx_uint_t kind, ngx_uint_t times)
{
    ngx_uint_t  i, lines;

    lines = 0;

    for (i = 0; i < times; i++) {
        lines += ngx_http_vidcast_log_limit(&test_request, kind);
    }

    return lines;
}
