
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <poll.h>
#include <sys/prctl.h>

#include "core/ngx_vidcast_error.h"
#include "os/ngx_vidcast_sandbox.h"
#include "plugin_host/ngx_vidcast_plugin.h"


/*
 * The check of a plugin runs code which is not ours, at a time when a crash
 * would end nginx, and as root.  Hence the child: it answers by a pipe, with
 * a byte, and a reason in words.
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


static ngx_int_t ngx_vidcast_plugin_fork(ngx_vidcast_plugin_try_t *attempt,
    ngx_cycle_t *cycle, ngx_vidcast_plugin_check_pt check, void *data);
static void ngx_vidcast_plugin_child(ngx_cycle_t *cycle, ngx_fd_t fd,
    ngx_vidcast_plugin_check_pt check, void *data);
static void ngx_vidcast_plugin_clean(ngx_fd_t fd);
static ngx_int_t ngx_vidcast_plugin_user(ngx_cycle_t *cycle, u_char *error);
static void ngx_vidcast_plugin_wait(ngx_vidcast_plugin_try_t *attempt);
static ngx_int_t ngx_vidcast_plugin_verdict(
    ngx_vidcast_plugin_try_t *attempt, u_char *error);


ngx_int_t
ngx_vidcast_plugin_try(ngx_cycle_t *cycle, ngx_msec_t limit,
    ngx_vidcast_plugin_check_pt check, void *data, u_char *error)
{
    sigset_t                  set, before;
    ngx_int_t                 rc;
    ngx_vidcast_plugin_try_t  attempt;

    ngx_memzero(&attempt, sizeof(ngx_vidcast_plugin_try_t));

    attempt.limit = limit;

    /* nginx's handler of SIGCHLD would wait for our child as well */

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);

    (void) sigprocmask(SIG_BLOCK, &set, &before);

    rc = ngx_vidcast_plugin_fork(&attempt, cycle, check, data);

    if (rc == NGX_OK) {
        ngx_vidcast_plugin_wait(&attempt);
        rc = ngx_vidcast_plugin_verdict(&attempt, error);

    } else {
        ngx_vidcast_error(error, "could not start a process: %s",
                          strerror(ngx_errno));
    }

    (void) sigprocmask(SIG_SETMASK, &before, NULL);

    return rc;
}


static ngx_int_t
ngx_vidcast_plugin_fork(ngx_vidcast_plugin_try_t *attempt, ngx_cycle_t *cycle,
    ngx_vidcast_plugin_check_pt check, void *data)
{
    ngx_fd_t   fd[2];
    ngx_err_t  err;

    if (pipe2(fd, O_CLOEXEC) == -1) {
        return NGX_ERROR;
    }

    attempt->pid = fork();

    if (attempt->pid == 0) {
        ngx_vidcast_plugin_child(cycle, fd[1], check, data);
    }

    if (attempt->pid == -1) {
        err = ngx_errno;

        (void) ngx_close_file(fd[0]);
        (void) ngx_close_file(fd[1]);

        ngx_set_errno(err);
        return NGX_ERROR;
    }

    /* as the child does, whoever is first; processes of its own are with it */

    (void) setpgid(attempt->pid, attempt->pid);

    (void) ngx_close_file(fd[1]);
    attempt->fd = fd[0];

    return NGX_OK;
}


static void
ngx_vidcast_plugin_child(ngx_cycle_t *cycle, ngx_fd_t fd,
    ngx_vidcast_plugin_check_pt check, void *data)
{
    size_t     len;
    u_char     text[1 + NGX_VIDCAST_ERROR_LEN];
    ngx_int_t  rc;

    ngx_parent = ngx_pid;
    ngx_pid = ngx_getpid();
    ngx_process = NGX_PROCESS_HELPER;

    (void) setpgid(0, 0);

    ngx_vidcast_plugin_clean(fd);

    text[1] = '\0';

    rc = ngx_vidcast_plugin_user(cycle, &text[1]);

    /* after the change of user, which would undo it */

    (void) prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);

    if (getppid() != ngx_parent) {
        _exit(2);
    }

    if (rc == NGX_OK) {
        (void) ngx_vidcast_sandbox_enter(0, NULL);
        rc = check(data, &text[1]);
    }

    text[0] = (rc == NGX_OK) ? NGX_VIDCAST_PLUGIN_GOOD
                             : NGX_VIDCAST_PLUGIN_BAD;
    text[NGX_VIDCAST_ERROR_LEN] = '\0';

    len = 1 + ngx_strlen(&text[1]);

    _exit(write(fd, text, len) == (ssize_t) len ? 0 : 2);
}


/* no descriptor of nginx's, and none of its handlers */

static void
ngx_vidcast_plugin_clean(ngx_fd_t fd)
{
    int               signo;
    sigset_t          set;
    struct sigaction  sa;

    if (fd > STDERR_FILENO + 1) {
        (void) close_range(STDERR_FILENO + 1, fd - 1, 0);
    }

    (void) close_range(fd + 1, ~0U, 0);

    ngx_memzero(&sa, sizeof(struct sigaction));
    sigemptyset(&sa.sa_mask);
    sa.sa_handler = SIG_DFL;

    for (signo = 1; signo < NSIG; signo++) {
        (void) sigaction(signo, &sa, NULL);
    }

    sigemptyset(&set);
    (void) sigprocmask(SIG_SETMASK, &set, NULL);
}


static ngx_int_t
ngx_vidcast_plugin_user(ngx_cycle_t *cycle, u_char *error)
{
    ngx_core_conf_t  *ccf;

    if (geteuid() != 0) {
        return NGX_OK;
    }

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    if (ccf->user == (ngx_uid_t) NGX_CONF_UNSET_UINT) {
        return NGX_OK;
    }

    if (setgid(ccf->group) == -1
        || initgroups(ccf->username, ccf->group) == -1
        || setuid(ccf->user) == -1)
    {
        ngx_vidcast_error(error, "could not become user \"%s\": %s",
                          ccf->username, strerror(ngx_errno));
        return NGX_ERROR;
    }

    return NGX_OK;
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
