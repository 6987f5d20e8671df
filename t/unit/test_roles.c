
/*
 * Copyright (C) vidcast contributors
 */


/*
 * Lock bytes between processes: a role is held by one process, told to others
 * by its pid, and free as soon as its holder was killed, reaped or not.
 */

#include "unit.h"
#include "unit_ngx.h"

#include "../../src/shm/ngx_vidcast_roles.c"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>


#define TEST_ROUNDS    50
#define TEST_DEADLINE  20000           /* ms */


/* a process that does what it is told, a byte each time */

typedef struct {
    pid_t   pid;
    int     fd;
} test_actor_t;


static void test_file(void);
static void test_own(void);
static void test_fork(void);
static void test_ranges(void);
static void test_kill(void);
static ngx_uint_t test_round(ngx_uint_t role);
static void test_race(void);
static void test_close(void);
static void test_errors(void);
static void test_spawn(test_actor_t *actor);
static void test_act(int fd);
static int test_tell(test_actor_t *actor, char what, uint32_t role);
static void test_dead(test_actor_t *actor);
static void test_reap(test_actor_t *actor);


static ngx_fd_t  test_fd;


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
    test_fd = ngx_vidcast_roles_create(&unit_log);

    unit_ok(test_fd != NGX_INVALID_FILE, "create");
    unit_ok(fcntl(test_fd, F_GETFD) & FD_CLOEXEC, "create: closed on exec");
}


static void
test_own(void)
{
    unit_ok(ngx_vidcast_role_holder(test_fd, 5, &unit_log) == 0,
            "own: nobody has it");
    unit_ok(ngx_vidcast_role_take(test_fd, 5, &unit_log) == NGX_OK,
            "own: taken");
    unit_ok(ngx_vidcast_role_take(test_fd, 5, &unit_log) == NGX_OK,
            "own: taken twice");
    unit_ok(ngx_vidcast_role_holder(test_fd, 5, &unit_log) == 0,
            "own: no other has it");

    ngx_vidcast_role_drop(test_fd, 5, &unit_log);
    ngx_vidcast_role_drop(test_fd, 5, &unit_log);

    unit_ok(ngx_vidcast_role_holder(test_fd, 5, &unit_log) == 0,
            "own: dropped");
}


static void
test_fork(void)
{
    test_actor_t  a, b;

    (void) ngx_vidcast_role_take(test_fd, 7, &unit_log);

    test_spawn(&a);
    test_spawn(&b);

    unit_ok(test_tell(&a, 'h', 7) == getpid(), "fork: the child sees us");
    unit_ok(test_tell(&a, 't', 7) == NGX_BUSY, "fork: and did not inherit it");

    ngx_vidcast_role_drop(test_fd, 7, &unit_log);

    unit_ok(test_tell(&a, 't', 7) == NGX_OK, "fork: taken after our drop");
    unit_ok(ngx_vidcast_role_holder(test_fd, 7, &unit_log) == a.pid
            && test_tell(&b, 'h', 7) == a.pid, "fork: all see it");
    unit_ok(test_tell(&b, 't', 7) == NGX_BUSY, "fork: a second is refused");

    (void) test_tell(&b, 'd', 7);

    unit_ok(test_tell(&b, 'h', 7) == a.pid,
            "fork: nobody drops another's role");

    (void) test_tell(&a, 'd', 7);

    unit_ok(test_tell(&b, 't', 7) == NGX_OK, "fork: the second takes it now");
    unit_ok(test_tell(&a, 'h', 7) == b.pid, "fork: its pid is told");

    test_dead(&a);
    test_reap(&a);
    test_dead(&b);
    test_reap(&b);
}


/* neighbors are other roles, up to the last one there is */

static void
test_ranges(void)
{
    ngx_uint_t     i;
    test_actor_t   a, b;

    static uint32_t  roles[] = {
        NGX_VIDCAST_ROLE_MANAGER, NGX_VIDCAST_ROLE_FORKING,
        NGX_VIDCAST_ROLE_CAPTURE, NGX_VIDCAST_ROLE_CAPTURE + 1,
        NGX_VIDCAST_ROLE_PREDICTOR - 1, NGX_VIDCAST_ROLE_PREDICTOR,
        NGX_VIDCAST_ROLE_PROCESS - 1, NGX_VIDCAST_ROLE_PROCESS,
        NGX_VIDCAST_ROLE_PROCESS + 1023
    };

    static uint32_t  n = sizeof(roles) / sizeof(roles[0]);

    test_spawn(&a);
    test_spawn(&b);

    for (i = 0; i < n; i++) {
        (void) test_tell((i % 2) ? &a : &b, 't', roles[i]);
    }

    for (i = 0; i < n; i++) {
        if (ngx_vidcast_role_holder(test_fd, roles[i], &unit_log)
            != ((i % 2) ? a.pid : b.pid))
        {
            break;
        }
    }

    unit_ok(i == n, "ranges: each role has its own holder");

    test_dead(&a);

    for (i = 0; i < n; i++) {
        if (ngx_vidcast_role_holder(test_fd, roles[i], &unit_log)
            != ((i % 2) ? 0 : b.pid))
        {
            break;
        }
    }

    unit_ok(i == n, "ranges: one process's death frees all that it had");

    test_reap(&a);
    test_dead(&b);
    test_reap(&b);
}


static void
test_kill(void)
{
    ngx_uint_t  i, bad, wrong;

    bad = 0;

    for (i = 0; i < TEST_ROUNDS; i++) {
        wrong = test_round(NGX_VIDCAST_ROLE_CAPTURE + i % 7);

        if (wrong) {
            printf("# round:%u check:%u\n", (unsigned) i, (unsigned) wrong);
            bad++;
        }
    }

    unit_ok(bad == 0, "kill: %d rounds", TEST_ROUNDS);
}


/* zero, or the number of the check that failed */

static ngx_uint_t
test_round(ngx_uint_t role)
{
    ngx_uint_t     wrong;
    test_actor_t   a, b;

    wrong = 0;

    test_spawn(&a);
    test_spawn(&b);

    if (test_tell(&a, 't', role) != NGX_OK) {
        wrong = 1;

    } else if (ngx_vidcast_role_holder(test_fd, role, &unit_log) != a.pid) {
        wrong = 2;

    } else if (test_tell(&b, 't', role) != NGX_BUSY) {
        wrong = 3;

    } else if (ngx_vidcast_role_take(test_fd, role, &unit_log) != NGX_BUSY) {
        wrong = 4;
    }

    /* a zombie still has its pid, but not its roles */

    test_dead(&a);

    if (wrong == 0) {

        if (kill(a.pid, 0) != 0) {
            wrong = 5;

        } else if (ngx_vidcast_role_holder(test_fd, role, &unit_log) != 0) {
            wrong = 6;

        } else if (test_tell(&b, 't', role) != NGX_OK) {
            wrong = 7;

        } else if (ngx_vidcast_role_holder(test_fd, role, &unit_log)
                   != b.pid)
        {
            wrong = 8;
        }
    }

    test_reap(&a);

    if (wrong == 0
        && ngx_vidcast_role_holder(test_fd, role, &unit_log) != b.pid)
    {
        wrong = 9;
    }

    test_dead(&b);
    test_reap(&b);

    return wrong;
}


/* of several that try at once, one gets it */

static void
test_race(void)
{
    char           got[6];
    int            status;
    pid_t          pids[6];
    uint32_t       role;
    ngx_uint_t     i, n, round, bad;
    int            start[2], result[2], end[2];

    bad = 0;

    for (round = 0; round < 20; round++) {

        role = NGX_VIDCAST_ROLE_FORKING;

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

                got[0] = (ngx_vidcast_role_take(test_fd, role, &unit_log)
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
    test_actor_t  a;

    test_spawn(&a);

    (void) test_tell(&a, 't', 9);
    (void) test_tell(&a, 'c', 9);

    unit_ok(ngx_vidcast_role_holder(test_fd, 9, &unit_log) == 0,
            "close: closing any descriptor gives all roles away");

    test_dead(&a);
    test_reap(&a);
}


static void
test_errors(void)
{
    ngx_uint_t  alerts;

    alerts = unit_log_count[NGX_LOG_ALERT];

    unit_ok(alerts == 0, "errors: none so far");
    unit_ok(ngx_vidcast_role_take(-1, 1, &unit_log) == NGX_ERROR
            && unit_log_count[NGX_LOG_ALERT] == 1,
            "errors: take, no file");
    unit_ok(ngx_vidcast_role_holder(-1, 1, &unit_log) == 0
            && unit_log_count[NGX_LOG_ALERT] == 2,
            "errors: holder, no file");

    ngx_vidcast_role_drop(-1, 1, &unit_log);

    unit_ok(unit_log_count[NGX_LOG_ALERT] == 3, "errors: drop, no file");
}


static void
test_spawn(test_actor_t *actor)
{
    int    fds[2];
    pid_t  parent;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) == -1) {
        exit(2);
    }

    parent = getpid();
    actor->fd = fds[0];
    actor->pid = fork();

    if (actor->pid == -1) {
        exit(2);
    }

    if (actor->pid == 0) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != parent) {
            _exit(3);
        }

        (void) close(fds[0]);
        test_act(fds[1]);
    }

    (void) close(fds[1]);
}


static void
test_act(int fd)
{
    int64_t   answer;
    uint32_t  order[2];

    for ( ;; ) {
        if (read(fd, order, sizeof(order)) != sizeof(order)) {
            _exit(0);
        }

        answer = 0;

        switch (order[0]) {

        case 't':
            answer = ngx_vidcast_role_take(test_fd, order[1], &unit_log);
            break;

        case 'h':
            answer = ngx_vidcast_role_holder(test_fd, order[1], &unit_log);
            break;

        case 'd':
            ngx_vidcast_role_drop(test_fd, order[1], &unit_log);
            break;

        case 'c':
            answer = close(dup(test_fd));
            break;
        }

        if (write(fd, &answer, sizeof(answer)) != sizeof(answer)) {
            _exit(0);
        }
    }
}


static int
test_tell(test_actor_t *actor, char what, uint32_t role)
{
    int64_t        answer;
    uint32_t       order[2];
    struct pollfd  pfd;

    order[0] = what;
    order[1] = role;

    pfd.fd = actor->fd;
    pfd.events = POLLIN;

    if (write(actor->fd, order, sizeof(order)) != sizeof(order)
        || poll(&pfd, 1, TEST_DEADLINE) != 1
        || read(actor->fd, &answer, sizeof(answer)) != sizeof(answer))
    {
        printf("# process %d does not answer\n", (int) actor->pid);
        return -1000;
    }

    return (int) answer;
}


/* killed, and left as a zombie */

static void
test_dead(test_actor_t *actor)
{
    siginfo_t  info;

    (void) kill(actor->pid, SIGKILL);
    (void) waitid(P_PID, actor->pid, &info, WEXITED|WNOWAIT);
    (void) close(actor->fd);
}


static void
test_reap(test_actor_t *actor)
{
    int  status;

    (void) waitpid(actor->pid, &status, 0);
}
