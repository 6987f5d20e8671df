
/*
 * Copyright (C) vidcast contributors
 */


/*
 * What a process has started is found, however it tries to get away: in
 * sessions of its own, by other threads than the first, several generations
 * deep; and nothing beside it is touched.
 */

#include "unit.h"
#include "unit_ngx.h"

#include <sys/prctl.h>
#include <sys/wait.h>

#include "os/ngx_vidcast_process_tree.c"


#define TEST_DEADLINE  10000    /* ms */


static void test_none(void);
static void test_generations(void);
static void test_thread(void);
static void test_stopped(void);
static ngx_pid_t test_fork(ngx_uint_t generations);
static void *test_thread_forks(void *data);
static ngx_uint_t test_kill(ngx_pid_t pid);
static ngx_uint_t test_reap(void);


static int  test_forked[2];
static int  test_leave[2];


int
main(void)
{
    test_none();
    test_generations();
    test_thread();
    test_stopped();

    return unit_done();
}


static void
test_none(void)
{
    unit_ok(ngx_vidcast_kill_descendants(getpid()) == 0, "no children");
    unit_ok(ngx_vidcast_kill_descendants(-1) == 0, "no such process");
}


/* a process that is killed gives its children to us, the subreaper */

static void
test_generations(void)
{
    ngx_pid_t  beside;

    (void) prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);

    (void) test_fork(5);

    unit_ok(test_kill(getpid()) == 5, "five generations are killed");
    unit_ok(test_reap() == 5, "and nobody else");

    beside = test_fork(1);

    unit_ok(ngx_vidcast_kill_descendants(beside) == 0,
            "the process itself is not killed");
    unit_ok(waitpid(beside, NULL, WNOHANG) == 0, "it lives");

    (void) test_kill(getpid());
    (void) test_reap();
}


static void
test_thread(void)
{
    u_char     c;
    pthread_t  tid;

    unit_ok(pipe(test_forked) == 0 && pipe(test_leave) == 0
            && pthread_create(&tid, NULL, test_thread_forks, NULL) == 0
            && read(test_forked[0], &c, 1) == 1,
            "a thread forks");

    unit_ok(test_kill(getpid()) == 2, "its children are killed");
    unit_ok(test_reap() == 2, "and nobody else");

    (void) close(test_leave[1]);
    (void) pthread_join(tid, NULL);
}


/* a parent that stands still never reaps: dead children are no living ones */

static void
test_stopped(void)
{
    int        status;
    ngx_pid_t  pid;

    pid = test_fork(3);

    unit_ok(kill(pid, SIGSTOP) == 0
            && waitpid(pid, &status, WUNTRACED) == pid
            && WIFSTOPPED(status),
            "a process is stopped");

    unit_ok(test_kill(pid) == 2, "all below it are killed");
    unit_ok(kill(pid, SIGKILL) == 0
            && waitpid(pid, &status, 0) == pid
            && WIFSIGNALED(status),
            "and it is still there to be killed");

    (void) test_reap();
}


/*
 * A child that has a child, and so on, each in its own session; returns the
 * pid of the first when all of them are there.
 */

static ngx_pid_t
test_fork(ngx_uint_t generations)
{
    int         ready[2];
    u_char      c;
    ngx_pid_t   pid;
    ngx_uint_t  n, child;

    if (pipe(ready) == -1) {
        return -1;
    }

    pid = 0;
    child = 0;

    for (n = 0; n < generations; n++) {
        pid = fork();

        if (pid != 0) {
            break;
        }

        child = 1;

        (void) setsid();
        (void) prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
    }

    if (child) {

        if (n == generations) {
            (void) !write(ready[1], "x", 1);
        }

        for ( ;; ) {
            (void) pause();
        }
    }

    (void) !read(ready[0], &c, 1);

    (void) close(ready[0]);
    (void) close(ready[1]);

    return pid;
}


static void *
test_thread_forks(void *data)
{
    u_char  c;

    (void) test_fork(2);
    (void) !write(test_forked[1], "x", 1);

    /* a thread that ends gives its children to another one */

    (void) !read(test_leave[0], &c, 1);

    return NULL;
}


/* until there are none; returns how many there were at first */

static ngx_uint_t
test_kill(ngx_pid_t pid)
{
    ngx_uint_t  i, n;

    n = ngx_vidcast_kill_descendants(pid);

    for (i = 0; i < TEST_DEADLINE; i++) {

        if (ngx_vidcast_kill_descendants(pid) == 0) {
            return n;
        }

        ngx_msleep(1);
    }

    return 0;
}


static ngx_uint_t
test_reap(void)
{
    ngx_uint_t  n;

    for (n = 0; waitpid(-1, NULL, 0) > 0; n++) { /* void */ }

    return n;
}
