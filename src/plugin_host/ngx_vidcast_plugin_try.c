
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <poll.h>

#include "core/ngx_vidcast_error.h"
#include "os/ngx_vidcast_child.h"
#include "plugin_host/ngx_vidcast_plugin.h"


/*
 * The check of a plugin runs code which is not ours, at a time when a crash
 * would end nginx, and as root.  Hence the process, which is started anew and
 * has nothing of nginx's: it answers by a pipe, with a byte, and a reason in
 * words.
 */

#define NGX_VIDCAST_PLUGIN_GOOD  'g'
#define NGX_VIDCAST_PLUGIN_BAD   'b'


typedef struct {
    ngx_pid_t    pid;
    ngx_fd_t     fd;
    size_t       size;
    ngx_msec_t   limit;
    unsigned     timedout:1;
    u_char       answer[1 + NGX_VIDCAST_ERROR_LEN];
} ngx_vidcast_plugin_try_t;


static void ngx_vidcast_plugin_wait(ngx_vidcast_plugin_try_t *attempt);
static ngx_int_t ngx_vidcast_plugin_verdict(
    ngx_vidcast_plugin_try_t *attempt, u_char *error);


ngx_int_t
ngx_vidcast_plugin_try(ngx_vidcast_source_t *source,
    ngx_vidcast_plugin_kind_e kind, ngx_uint_t index, ngx_msec_t limit,
    ngx_cycle_t *cycle, u_char *error)
{
    sigset_t                  set, before;
    ngx_fd_t                  fd[2];
    ngx_int_t                 rc;
    ngx_vidcast_child_t       task;
    ngx_vidcast_plugin_try_t  attempt;

    static const ngx_vidcast_role_e  roles[] = {
        NGX_VIDCAST_CHECK_INPUT,
        NGX_VIDCAST_CHECK_PREDICTOR,
        NGX_VIDCAST_CHECK_OUTPUT
    };

    if (pipe2(fd, O_CLOEXEC) == -1) {
        ngx_vidcast_error(error, "could not start a process: %s",
                          strerror(ngx_errno));
        return NGX_ERROR;
    }

    ngx_memzero(&attempt, sizeof(ngx_vidcast_plugin_try_t));

    attempt.limit = limit;
    attempt.fd = fd[0];

    ngx_memzero(&task, sizeof(ngx_vidcast_child_t));

    task.role = roles[kind];
    task.index = index;
    task.source = source;
    task.answer = fd[1];

    /* nginx's handler of SIGCHLD would wait for our child as well */

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);

    (void) sigprocmask(SIG_BLOCK, &set, &before);

    attempt.pid = ngx_vidcast_child_start(&task, NULL, cycle);

    (void) ngx_close_file(fd[1]);

    if (attempt.pid != NGX_INVALID_PID) {

        /* as it does itself; processes of its own are with it */

        (void) setpgid(attempt.pid, attempt.pid);

        ngx_vidcast_plugin_wait(&attempt);
        rc = ngx_vidcast_plugin_verdict(&attempt, error);

    } else {
        ngx_vidcast_error(error, "could not start a process: %s",
                          strerror(ngx_errno));
        (void) ngx_close_file(fd[0]);
        rc = NGX_ERROR;
    }

    (void) sigprocmask(SIG_SETMASK, &before, NULL);

    return rc;
}


void
ngx_vidcast_plugin_answer(ngx_fd_t fd, ngx_int_t rc, u_char *error)
{
    size_t  len;
    u_char  text[1 + NGX_VIDCAST_ERROR_LEN];

    text[0] = (rc == NGX_OK) ? NGX_VIDCAST_PLUGIN_GOOD
                             : NGX_VIDCAST_PLUGIN_BAD;

    (void) ngx_cpystrn(&text[1], error, NGX_VIDCAST_ERROR_LEN);

    len = 1 + ngx_strlen(&text[1]);

    /* without an answer the check has failed */

    _exit(write(fd, text, len) == (ssize_t) len ? 0 : 2);
}


/* the answer comes at once and whole; without one, the pipe ends */

static void
ngx_vidcast_plugin_wait(ngx_vidcast_plugin_try_t *attempt)
{
    int            rc;
    ssize_t        n;
    uint64_t       now, due;
    struct pollfd  pfd;

    pfd.fd = attempt->fd;
    pfd.events = POLLIN;

    now = ngx_vidcast_clock();
    due = now + (uint64_t) attempt->limit * 1000;

    for ( /* void */ ; now < due; now = ngx_vidcast_clock()) {

        rc = poll(&pfd, 1, (int) ((due - now) / 1000 + 1));

        if (rc <= 0) {
            continue;
        }

        n = read(attempt->fd, attempt->answer, sizeof(attempt->answer));

        if (n == -1 && ngx_errno == NGX_EINTR) {
            continue;
        }

        attempt->size = ngx_max(n, 0);
        break;
    }

    attempt->timedout = (now >= due);

    (void) ngx_close_file(attempt->fd);
}


static ngx_int_t
ngx_vidcast_plugin_verdict(ngx_vidcast_plugin_try_t *attempt, u_char *error)
{
    int         status;
    ngx_pid_t   pid;

    /* and what it has forked, if anything */

    (void) kill(-attempt->pid, SIGKILL);

    do {
        pid = waitpid(attempt->pid, &status, 0);
    } while (pid == -1 && ngx_errno == NGX_EINTR);

    if (attempt->size) {

        ngx_vidcast_error(error, "%*s", attempt->size - 1,
                          attempt->answer + 1);

        return attempt->answer[0] == NGX_VIDCAST_PLUGIN_GOOD ? NGX_OK
                                                             : NGX_ERROR;
    }

    if (attempt->timedout) {
        ngx_vidcast_error(error, "the check took longer than %Mms",
                          attempt->limit);

    } else if (pid == -1) {
        ngx_vidcast_error(error, "the check ended without an answer");

    } else if (WIFSIGNALED(status)) {
        ngx_vidcast_error(error, "the check crashed: signal %d (%s)",
                          WTERMSIG(status), strsignal(WTERMSIG(status)));

    } else {
        ngx_vidcast_error(error, "the check left with exit code %d",
                          WEXITSTATUS(status));
    }

    return NGX_ERROR;
}
