
/*
 * Copyright (C) vidcast contributors
 */


/*
 * A judge that kills what could not run is worse than none: time in which the
 * judge itself did not look counts little, and a debugger's process nothing.
 */

#include "unit.h"
#include "unit_ngx.h"

#include <sys/ptrace.h>
#include <sys/wait.h>

#include "process/ngx_vidcast_watchdog.c"


static void test_hangs(void);
static void test_forgiven(void);
static void test_traced(void);
static void test_gap(void);
static ngx_uint_t test_look(ngx_vidcast_watchdog_t *watchdog, uint64_t beat,
    uint64_t passed);


/* what it is made of besides */

ngx_pid_t
ngx_vidcast_process_lock_holder(ngx_fd_t fd, ngx_uint_t lock, ngx_log_t *log)
{
    return 0;
}


ngx_uint_t
ngx_vidcast_kill_descendants(ngx_pid_t pid)
{
    return 0;
}


int
main(void)
{
    test_hangs();
    test_forgiven();
    test_traced();
    test_gap();

    return unit_done();
}


static void
test_hangs(void)
{
    ngx_uint_t              n;
    ngx_vidcast_watchdog_t  watchdog;

    ngx_memzero(&watchdog, sizeof(ngx_vidcast_watchdog_t));

    (void) test_look(&watchdog, 1, 0);

    for (n = 1; n < 20 && !test_look(&watchdog, 1, 1000000); n++) {
        /* void */
    }

    unit_ok(n == 10, "hangs: after ten looks, a second each");
    unit_ok(!test_look(&watchdog, 1, 1000000), "hangs: then it begins anew");

    for (n = 1; n < 20 && !test_look(&watchdog, n, 1000000); n++) {
        /* void */
    }

    unit_ok(n == 20, "hangs: one that moves does not");

    for (n = 1; n < 8; n++) {
        (void) test_look(&watchdog, 1, 1000000);
    }

    unit_ok(!ngx_vidcast_watchdog_hangs(&watchdog, ngx_getpid() + 1, 1, 10000),
            "hangs: another process with the same beat does not");
    unit_ok(watchdog.still == 0, "hangs: it has all of its time");
}


static void
test_forgiven(void)
{
    ngx_vidcast_watchdog_t  watchdog;

    ngx_memzero(&watchdog, sizeof(ngx_vidcast_watchdog_t));

    (void) test_look(&watchdog, 1, 0);

    unit_ok(!test_look(&watchdog, 1, (uint64_t) 3600 * 1000000),
            "forgiven: an hour in which nobody ran");
    unit_ok(watchdog.still == 2000000, "forgiven: two seconds of it count");
    unit_ok(!test_look(&watchdog, 2, 50000) && watchdog.still == 0,
            "forgiven: till it moves");

    ngx_memzero(&watchdog, sizeof(ngx_vidcast_watchdog_t));

    (void) ngx_vidcast_watchdog_hangs(&watchdog, ngx_getpid(), 1, 1000);
    watchdog.looked -= 60000000;

    unit_ok(!ngx_vidcast_watchdog_hangs(&watchdog, ngx_getpid(), 1, 1000)
            && watchdog.still == 250000,
            "forgiven: of a second no more than a quarter");
}


static void
test_traced(void)
{
    pid_t  pid;

    unit_ok(!ngx_vidcast_watchdog_traced(ngx_getpid()), "traced: we are not");

    pid = fork();

    if (pid == 0) {
        (void) ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        (void) raise(SIGSTOP);
        _exit(0);
    }

    (void) waitpid(pid, NULL, WUNTRACED);

    unit_ok(ngx_vidcast_watchdog_traced(pid), "traced: our child is");

    (void) kill(pid, SIGKILL);
    (void) waitpid(pid, NULL, 0);

    unit_ok(!ngx_vidcast_watchdog_traced(pid),
            "traced: one that is gone is not");
}


static void
test_gap(void)
{
    uint64_t                 since;
    ngx_vidcast_clock_gap_t  gap;

    ngx_memzero(&gap, sizeof(ngx_vidcast_clock_gap_t));

    since = ngx_vidcast_clock_since(&gap);

    gap.looked -= 500000;

    unit_ok(ngx_vidcast_clock_since(&gap) == since,
            "gap: half a second is none");

    gap.looked -= 1000000;

    unit_ok(ngx_vidcast_clock_since(&gap) > since, "gap: a second is one");
}


/* as if it had looked so many us ago; it is our own process that it judges */

static ngx_uint_t
test_look(ngx_vidcast_watchdog_t *watchdog, uint64_t beat, uint64_t passed)
{
    watchdog->looked -= passed;

    /* the time of the look itself is not to add up */

    watchdog->still -= watchdog->still % 1000;

    return ngx_vidcast_watchdog_hangs(watchdog, ngx_getpid(), beat, 10000);
}
