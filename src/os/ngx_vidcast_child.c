
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <poll.h>
#include <sched.h>

#include "os/ngx_vidcast_child.h"
#include "shm/ngx_vidcast_control.h"


static void ngx_vidcast_child_init(ngx_vidcast_conf_t *conf,
    const char *title);
static void ngx_vidcast_child_close_files(ngx_vidcast_conf_t *conf);
static void ngx_vidcast_child_keep(ngx_array_t *keep, ngx_fd_t fd);
static int ngx_libc_cdecl ngx_vidcast_child_cmp_fds(const void *one,
    const void *two);
static void ngx_vidcast_child_signals(ngx_log_t *log);
static void ngx_vidcast_child_signal_handler(int signo);
static void ngx_vidcast_child_affinity(ngx_cycle_t *cycle);
static void ngx_vidcast_child_syslog(ngx_log_t *log);
static void ngx_vidcast_child_reopen(ngx_cycle_t *cycle);
static ngx_uint_t ngx_vidcast_child_reopen_file(ngx_open_file_t *file);


ngx_pid_t
ngx_vidcast_child_fork(ngx_vidcast_conf_t *conf, ngx_vidcast_child_pt proc,
    void *data, const char *title)
{
    ngx_pid_t  pid;

    pid = fork();

    switch (pid) {

    case -1:
        ngx_log_error(NGX_LOG_ALERT, conf->cycle->log, ngx_errno,
                      "fork() failed while spawning \"%s\"", title);
        return NGX_INVALID_PID;

    case 0:
        ngx_vidcast_child_init(conf, title);
        proc(conf, data);
        _exit(0);

    default:
        break;
    }

    ngx_log_error(NGX_LOG_NOTICE, conf->cycle->log, 0, "start %s %P", title,
                  pid);

    return pid;
}


static void
ngx_vidcast_child_init(ngx_vidcast_conf_t *conf, const char *title)
{
    ngx_parent = ngx_pid;
    ngx_pid = ngx_getpid();
    ngx_process = NGX_PROCESS_HELPER;

    /* the entry is that of the worker that forked us, and may be dead */

    conf->control->worker_index = NGX_VIDCAST_NO_PROCESS;

    ngx_vidcast_child_close_files(conf);
    ngx_vidcast_child_signals(conf->cycle->log);
    ngx_vidcast_child_affinity(conf->cycle);
    ngx_vidcast_child_syslog(conf->cycle->log);

    ngx_setproctitle((char *) title);
    ngx_time_update();
}


static void
ngx_vidcast_child_close_files(ngx_vidcast_conf_t *conf)
{
    ngx_fd_t                   *fd, low, fds[NGX_VIDCAST_ZONE_FILES];
    ngx_uint_t                  i, k, n;
    ngx_array_t                 keep;
    ngx_list_part_t            *part;
    ngx_open_file_t            *file;
    ngx_vidcast_rendition_t   **rendition;

    if (ngx_array_init(&keep, conf->cycle->pool, 64, sizeof(ngx_fd_t))
        != NGX_OK)
    {
        _exit(2);
    }

    ngx_vidcast_child_keep(&keep, STDERR_FILENO);
    ngx_vidcast_child_keep(&keep, conf->control->contents.fd);
    ngx_vidcast_child_keep(&keep, conf->control->contents.readonly);
    ngx_vidcast_child_keep(&keep, conf->control->locks);
    ngx_vidcast_child_keep(&keep, conf->control->predictors);
    ngx_vidcast_child_keep(&keep, conf->control->alive[0]);

    rendition = conf->renditions.elts;

    for (i = 0; i < conf->renditions.nelts; i++) {
        n = ngx_vidcast_zone_files(rendition[i]->zone, fds);

        for (k = 0; k < n; k++) {
            ngx_vidcast_child_keep(&keep, fds[k]);
        }
    }

    part = &conf->cycle->open_files.part;
    file = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                break;
            }

            part = part->next;
            file = part->elts;
            i = 0;
        }

        ngx_vidcast_child_keep(&keep, file[i].fd);
    }

    fd = keep.elts;

    ngx_qsort(fd, keep.nelts, sizeof(ngx_fd_t), ngx_vidcast_child_cmp_fds);

    low = STDERR_FILENO + 1;

    for (i = 0; i < keep.nelts; i++) {

        if (fd[i] > low) {
            (void) close_range(low, fd[i] - 1, 0);
        }

        low = ngx_max(low, fd[i] + 1);
    }

    (void) close_range(low, ~0U, 0);
}


static void
ngx_vidcast_child_keep(ngx_array_t *keep, ngx_fd_t fd)
{
    ngx_fd_t  *elt;

    if (fd == NGX_INVALID_FILE) {
        return;
    }

    elt = ngx_array_push(keep);
    if (elt == NULL) {
        _exit(2);
    }

    *elt = fd;
}


static int ngx_libc_cdecl
ngx_vidcast_child_cmp_fds(const void *one, const void *two)
{
    return *(const ngx_fd_t *) one - *(const ngx_fd_t *) two;
}


/*
 * A terminal sends its signals to all of us; when to leave, we learn from
 * the alive pipe and from the control zone.  A file that may not grow is told
 * by errno.
 */

static void
ngx_vidcast_child_signals(ngx_log_t *log)
{
    ngx_uint_t        i;
    sigset_t          set;
    struct sigaction  sa;

    static int  ignored[] = {
        SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH, SIGPIPE, SIGIO,
        SIGXFSZ
    };

    ngx_memzero(&sa, sizeof(struct sigaction));
    sigemptyset(&sa.sa_mask);

    sa.sa_handler = SIG_IGN;

    for (i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) {
        (void) sigaction(ignored[i], &sa, NULL);
    }

    sa.sa_handler = SIG_DFL;
    (void) sigaction(SIGTERM, &sa, NULL);
    (void) sigaction(SIGALRM, &sa, NULL);
    (void) sigaction(SIGSYS, &sa, NULL);

    /* only to wake from poll() */

    sa.sa_handler = ngx_vidcast_child_signal_handler;
    (void) sigaction(SIGCHLD, &sa, NULL);

    sigemptyset(&set);

    if (sigprocmask(SIG_SETMASK, &set, NULL) == -1) {
        ngx_log_error(NGX_LOG_ALERT, log, ngx_errno, "sigprocmask() failed");
    }
}


static void
ngx_vidcast_child_signal_handler(int signo)
{
    /* void */
}


/* a worker may be bound to one processor, our threads want them all */

static void
ngx_vidcast_child_affinity(ngx_cycle_t *cycle)
{
#if (NGX_HAVE_SCHED_SETAFFINITY)
    cpu_set_t         set;
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    if (ccf->cpu_affinity == NULL) {
        return;
    }

    ngx_memset(&set, 0xff, sizeof(cpu_set_t));

    if (sched_setaffinity(0, sizeof(cpu_set_t), &set) == -1) {
        ngx_log_error(NGX_LOG_ALERT, cycle->log, ngx_errno,
                      "sched_setaffinity() failed");
    }
#endif
}


/* the worker's sockets to syslog are closed: let them be opened anew */

static void
ngx_vidcast_child_syslog(ngx_log_t *log)
{
    ngx_syslog_peer_t  *peer;

    for ( /* void */ ; log; log = log->next) {
        if (log->writer == ngx_syslog_writer) {
            peer = log->wdata;
            peer->conn.fd = (ngx_socket_t) -1;
        }
    }
}


ngx_int_t
ngx_vidcast_child_wait(ngx_vidcast_conf_t *conf, int timeout)
{
    time_t          before;
    struct pollfd   alive;

    alive.fd = conf->control->alive[0];
    alive.events = POLLIN;
    alive.revents = 0;

    before = ngx_time();

    if (poll(&alive, 1, timeout) > 0) {
        return NGX_DONE;
    }

    ngx_time_update();

    if (ngx_time() != before) {
        ngx_vidcast_child_reopen(conf->cycle);
    }

    return NGX_OK;
}


/*
 * The master reopens logs by name and tells its own children only.  We see
 * that the name leads to another file by now, and take that: under the old
 * descriptor, as other threads may be writing.
 */

static void
ngx_vidcast_child_reopen(ngx_cycle_t *cycle)
{
    ngx_uint_t        i, other;
    ngx_list_part_t  *part;
    ngx_open_file_t  *file;

    other = 0;
    part = &cycle->open_files.part;
    file = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                break;
            }

            part = part->next;
            file = part->elts;
            i = 0;
        }

        if (file[i].name.len && file[i].fd != NGX_INVALID_FILE) {
            other |= ngx_vidcast_child_reopen_file(&file[i]);
        }
    }

    /*
     * What foreign libraries say goes there, too; but they may have put
     * something else in its place for a while.
     */

    if (other) {
        (void) ngx_log_redirect_stderr(cycle);
    }
}


/* whether it is another one */

static ngx_uint_t
ngx_vidcast_child_reopen_file(ngx_open_file_t *file)
{
    ngx_fd_t         fd;
    ngx_file_info_t  named, opened;

    if (ngx_file_info(file->name.data, &named) == NGX_FILE_ERROR
        || ngx_fd_info(file->fd, &opened) == NGX_FILE_ERROR
        || (named.st_ino == opened.st_ino && named.st_dev == opened.st_dev))
    {
        return 0;
    }

    fd = ngx_open_file(file->name.data, NGX_FILE_APPEND, 0, 0);

    if (fd == NGX_INVALID_FILE) {

        /* not ours yet: the master has still to change the owner */

        return 0;
    }

    (void) dup3(fd, file->fd, O_CLOEXEC);
    (void) ngx_close_file(fd);

    return 1;
}
