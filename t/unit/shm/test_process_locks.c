
/*
 * Copyright (C) vidcast contributors
 */


/*
 * Lock bytes between processes: a lock is held by one process, told to others
 * by its pid, and free as soon as its holder was killed, reaped or not.
 */

#include "unit.h"
#include "unit_ngx.h"
#include "unit_actor.h"

#include "shm/ngx_vidcast_memory.c"
#include "shm/ngx_vidcast_process_locks.c"


#define TEST_ROUNDS  50


static void test_file(void);
static void test_own(void);
static void test_fork(void);
static void test_ranges(void);
static void test_kill(void);
static ngx_uint_t test_round(ngx_uint_t lock);
static void test_race(void);
static void test_close(void);
static void test_errors(void);
static int64_t test_act(ngx_uint_t what, uint32_t lock);


static ngx_fd_t  test_fd;


void
ngx_vidcast_limit_log(ngx_log_t *log, ngx_err_t err, const char *what,
    size_t size, ngx_str_t *source)
{
    /* void */
}


int
main(void)
{
    (void) signal(SIGPIPE, SIG_IGN);

    test_file();
    test_own();
    test_fork();
    test_ranges();
    test_kill();
    test_race();
    test_close();
    test_errors();

    return unit_done();
}


static void
test_file(void)
{
    test_fd = ngx_vidcast_process_locks_create("test", &unit_log);

    unit_ok(test_fd != NGX_INVALID_FILE, "create");
    unit_ok(fcntl(test_fd, F_GETFD) & FD_CLOEXEC, "create: closed on exec");
}


static void
test_own(void)
{
    unit_ok(ngx_vidcast_process_lock_holder(test_fd, 5, &unit_log) == 0,
            "own: nobody has it");
    unit_ok(ngx_vidcast_process_lock_take(test_fd, 5, &unit_log) == NGX_OK,
            "own: taken");
    unit_ok(ngx_vidcast_process_lock_take(test_fd, 5, &unit_log) == NGX_OK,
            "own: taken twice");
    unit_ok(ngx_vidcast_process_lock_holder(test_fd, 5, &unit_log) == 0,
            "own: no other has it");

    ngx_vidcast_process_lock_drop(test_fd, 5, &unit_log);
    ngx_vidcast_process_lock_drop(test_fd, 5, &unit_log);

    unit_ok(ngx_vidcast_process_lock_holder(test_fd, 5, &unit_log) == 0,
            "own: dropped");
}


static void
test_fork(void)
{
    unit_actor_t  a, b;

    (void) ngx_vidcast_process_lock_take(test_fd, 7, &unit_log);

    unit_spawn(&a, test_act);
    unit_spawn(&b, test_act);

    unit_ok(unit_tell(&a, 'h', 7) == getpid(), "fork: the child sees us");
    unit_ok(unit_tell(&a, 't', 7) == NGX_BUSY, "fork: and did not inherit it");

    ngx_vidcast_process_lock_drop(test_fd, 7, &unit_log);

    unit_ok(unit_tell(&a, 't', 7) == NGX_OK, "fork: taken after our drop");
    unit_ok(ngx_vidcast_process_lock_holder(test_fd, 7, &unit_log) == a.pid
            && unit_tell(&b, 'h', 7) == a.pid, "fork: all see it");
    unit_ok(unit_tell(&b, 't', 7) == NGX_BUSY, "fork: a second is refused");

    (void) unit_tell(&b, 'd', 7);

    unit_ok(unit_tell(&b, 'h', 7) == a.pid,
            "fork: nobody drops another's lock");

    (void) unit_tell(&a, 'd', 7);

    unit_ok(unit_tell(&b, 't', 7) == NGX_OK, "fork: the second takes it now");
    unit_ok(unit_tell(&a, 'h', 7) == b.pid, "fork: its pid is told");

    unit_kill(&a);
    unit_reap(&a);
    unit_kill(&b);
    unit_reap(&b);
}


/* neighbors are other locks, up to the last one there is */

static void
test_ranges(void)
{
    ngx_uint_t     i;
    unit_actor_t   a, b;

    static uint32_t  locks[] = {
        NGX_VIDCAST_LOCK_MANAGER, NGX_VIDCAST_LOCK_FORKING,
        NGX_VIDCAST_LOCK_CAPTURE, NGX_VIDCAST_LOCK_CAPTURE + 1,
        ngx_vidcast_predictor_lock(511, 15),
        NGX_VIDCAST_LOCK_PROCESS - 1, NGX_VIDCAST_LOCK_PROCESS,
        NGX_VIDCAST_LOCK_PROCESS + 1023
    };

    static uint32_t  n = sizeof(locks) / sizeof(locks[0]);

    unit_spawn(&a, test_act);
    unit_spawn(&b, test_act);

    for (i = 0; i < n; i++) {
        (void) unit_tell((i % 2) ? &a : &b, 't', locks[i]);
    }

    for (i = 0; i < n; i++) {
        if (ngx_vidcast_process_lock_holder(test_fd, locks[i], &unit_log)
            != ((i % 2) ? a.pid : b.pid))
        {
            break;
        }
    }

    unit_ok(i == n, "ranges: each lock has its own holder");

    unit_kill(&a);

    for (i = 0; i < n; i++) {
        if (ngx_vidcast_process_lock_holder(test_fd, locks[i], &unit_log)
            != ((i % 2) ? 0 : b.pid))
        {
            break;
        }
    }

    unit_ok(i == n, "ranges: one process's death frees all that it had");

    unit_reap(&a);
    unit_kill(&b);
    unit_reap(&b);
}


static void
test_kill(void)
{
    ngx_uint_t  i, bad, wrong;

    bad = 0;

    for (i = 0; i < TEST_ROUNDS; i++) {
        wrong = test_round(NGX_VIDCAST_LOCK_CAPTURE + i % 7);

        if (wrong) {
            printf("# round:%u check:%u\n", (unsigned) i, (unsigned) wrong);
            bad++;
        }
    }

    unit_ok(bad == 0, "kill: %d rounds", TEST_ROUNDS);
}


/* zero, or the number of the check that failed */

static ngx_uint_t
test_round(ngx_uint_t lock)
{
    ngx_uint_t     wrong;
    unit_actor_t   a, b;

    wrong = 0;

    unit_spawn(&a, test_act);
    unit_spawn(&b, test_act);

    if (unit_tell(&a, 't', lock) != NGX_OK) {
        wrong = 1;

    } else if (ngx_vidcast_process_lock_holder(test_fd, lock, &unit_log)
               != a.pid)
    {
        wrong = 2;

    } else if (unit_tell(&b, 't', lock) != NGX_BUSY) {
        wrong = 3;

    } else if (ngx_vidcast_process_lock_take(test_fd, lock, &unit_log)
               != NGX_BUSY)
    {
        wrong = 4;
    }

    /* a zombie still has its pid, but not its locks */

    unit_kill(&a);

    if (wrong == 0) {

        if (kill(a.pid, 0) != 0) {
            wrong = 5;

        } else if (ngx_vidcast_process_lock_holder(test_fd, lock, &unit_log)
                   != 0)
        {
            wrong = 6;

        } else if (unit_tell(&b, 't', lock) != NGX_OK) {
            wrong = 7;

        } else if (ngx_vidcast_process_lock_holder(test_fd, lock, &unit_log)
                   != b.pid)
        {
            wrong = 8;
        }
    }

    unit_reap(&a);

    if (wrong == 0
        && ngx_vidcast_process_lock_holder(test_fd, lock, &unit_log) != b.pid)
    {
        wrong = 9;
    }

    unit_kill(&b);
    unit_reap(&b);

    return wrong;
}


/* of several that try at once, one gets it */

static void
test_race(void)
{
    char        got[6];
    int         status;
    pid_t       pids[6];
    uint32_t    lock;
    ngx_uint_t  i, n, round, bad;
    int         start[2], result[2], end[2];

    bad = 0;

    for (round = 0; round < 20; round++) {

        lock = NGX_VIDCAST_LOCK_FORKING;

        if (pipe(start) == -1 || pipe(result) == -1 || pipe(end) == -1) {
            exit(2);
        }

        for (i = 0; i < 6; i++) {
            pids[i] = fork();

            if (pids[i] == -1) {
                exit(2);
            }

            if (pids[i] == 0) {
                (void) close(start[1]);
                (void) close(end[1]);

                /* the end of the pipe is the signal for all */

                (void) !read(start[0], got, 1);

                got[0] = (ngx_vidcast_process_lock_take(test_fd, lock,
                                                        &unit_log)
                          == NGX_OK);

                (void) !write(result[1], got, 1);
                (void) !read(end[0], got, 1);
                _exit(0);
            }
        }

        (void) close(start[1]);

        n = 0;

        for (i = 0; i < 6; i++) {
            if (read(result[0], got, 1) != 1) {
                exit(2);
            }

            n += got[0];
        }

        bad += (n != 1);

        (void) close(end[1]);

        for (i = 0; i < 6; i++) {
            (void) waitpid(pids[i], &status, 0);
        }

        (void) close(start[0]);
        (void) close(result[0]);
        (void) close(result[1]);
        (void) close(end[0]);
    }

    unit_ok(bad == 0, "race: one of 6 gets it, 20 times");
}


/* why no descriptor of the file may ever be closed, nor another be opened */

static void
test_close(void)
{
    unit_actor_t  a;

    unit_spawn(&a, test_act);

    (void) unit_tell(&a, 't', 9);
    (void) unit_tell(&a, 'c', 9);

    unit_ok(ngx_vidcast_process_lock_holder(test_fd, 9, &unit_log) == 0,
            "close: closing any descriptor gives all locks away");

    unit_kill(&a);
    unit_reap(&a);
}


static void
test_errors(void)
{
    ngx_uint_t  alerts;

    alerts = unit_log_count[NGX_LOG_ALERT];

    unit_ok(alerts == 0, "errors: none so far");
    unit_ok(ngx_vidcast_process_lock_take(-1, 1, &unit_log) == NGX_ERROR
            && unit_log_count[NGX_LOG_ALERT] == 1,
            "errors: take, no file");
    unit_ok(ngx_vidcast_process_lock_holder(-1, 1, &unit_log) == 0
            && unit_log_count[NGX_LOG_ALERT] == 2,
            "errors: holder, no file");

    ngx_vidcast_process_lock_drop(-1, 1, &unit_log);

    unit_ok(unit_log_count[NGX_LOG_ALERT] == 3, "errors: drop, no file");
}


static int64_t
test_act(ngx_uint_t what, uint32_t lock)
{
    switch (what) {

    case 't':
        return ngx_vidcast_process_lock_take(test_fd, lock, &unit_log);

    case 'h':
        return ngx_vidcast_process_lock_holder(test_fd, lock, &unit_log);

    case 'd':
        ngx_vidcast_process_lock_drop(test_fd, lock, &unit_log);
        return 0;

    default: /* 'c' */
        return close(dup(test_fd));
    }
}
