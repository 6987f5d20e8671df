
/*
 * Copyright (C) vidcast contributors
 */


/*
 * An input that paces itself waits by this: it must not end before its time,
 * and must let the caller look at its orders meanwhile.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast.h"
#include "unit.h"
#include "unit_ngx.h"

#include <signal.h>
#include <sys/time.h>


static void test_wait(void);
static void test_wait_signal(void);

static void test_handler(int signo);


static volatile sig_atomic_t  signals;


int
main(void)
{
    test_wait();
    test_wait_signal();

    return unit_done();
}


static void
test_wait(void)
{
    uint64_t    due;
    ngx_int_t   rc;
    ngx_uint_t  n;

    unit_ok(ngx_vidcast_clock_wait(0) == NGX_OK, "it came long ago");
    unit_ok(ngx_vidcast_clock_wait(ngx_vidcast_clock()) == NGX_OK,
            "it comes now");
    unit_ok(ngx_vidcast_clock_wait(UINT64_MAX) == NGX_AGAIN,
            "it never comes");

    due = ngx_vidcast_clock() + 300000;
    rc = NGX_AGAIN;

    for (n = 0; n < 1000 && rc == NGX_AGAIN; n++) {
        rc = ngx_vidcast_clock_wait(due);
    }

    unit_ok(rc == NGX_OK && n > 1, "it comes at the second call or later");
    unit_ok(ngx_vidcast_clock() >= due, "and not before its time");
}


static void
test_wait_signal(void)
{
    uint64_t          due;
    ngx_int_t         rc;
    struct itimerval  itv;

    (void) signal(SIGALRM, test_handler);

    memset(&itv, 0, sizeof(itv));
    itv.it_value.tv_usec = 20000;
    itv.it_interval.tv_usec = 20000;

    (void) setitimer(ITIMER_REAL, &itv, NULL);

    due = ngx_vidcast_clock() + 600000000;

    do {
        rc = ngx_vidcast_clock_wait(due);
    } while (rc == NGX_AGAIN && signals == 0);

    memset(&itv, 0, sizeof(itv));
    (void) setitimer(ITIMER_REAL, &itv, NULL);

    unit_ok(rc == NGX_AGAIN && signals, "a signal is not the time to come");
}


static void
test_handler(int signo)
{
    signals = 1;
}
