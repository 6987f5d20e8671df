
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <poll.h>
#include <sys/prctl.h>

#include "os/ngx_vidcast_child.h"
#include "shm/ngx_vidcast_control.h"


static void ngx_vidcast_child_signals(ngx_log_t *log);
static void ngx_vidcast_child_signal_handler(int signo);
static void ngx_vidcast_child_reopen(ngx_cycle_t *cycle);
static ngx_uint_t ngx_vidcast_child_reopen_file(ngx_open_file_t *file);


ngx_pid_t
ngx_vidcast_child_start(ngx_vidcast_child_t *task, ngx_vidcast_conf_t *conf,
    ngx_cycle_t *cycle)
{
    u_char                  title[NGX_VIDCAST_TITLE];
    ngx_err_t               err;
    ngx_pid_t               pid;
    ngx_pool_t             *pool;
    ngx_vidcast_program_t   program;

    ngx_vidcast_child_title(task, title);

    program.title = title;
    program.detached = (task->role == NGX_VIDCAST_MANAGER);
    program.brief = (task->answer != NGX_INVALID_FILE);

    pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, cycle->log);
    if (pool == NULL) {
        return NGX_INVALID_PID;
    }

    if (ngx_vidcast_settings_create(&program, task, conf, cycle, pool)
        != NGX_OK)
    {
        ngx_destroy_pool(pool);
        return NGX_INVALID_PID;
    }

    pid = ngx_vidcast_program_start(&program, cycle);
    err = ngx_errno;

    (void) ngx_close_file(program.settings);
    ngx_destroy_pool(pool);

    if (pid == NGX_INVALID_PID) {
        ngx_log_error(NGX_LOG_ALERT, cycle->log, err,
                      "fork() failed while spawning \"%s\"", title);

    } else if (!program.detached && !program.brief) {
        ngx_log_error(NGX_LOG_NOTICE, cycle->log, 0, "start %s %P", title,
                      pid);
    }

    ngx_set_errno(err);

    return pid;
}


void
ngx_vidcast_child_init(ngx_log_t *log, const char *title)
{
    ngx_process = NGX_PROCESS_HELPER;
    ngx_use_stderr = 0;

    /* the binary was started by the name of a descriptor */

    (void) prctl(PR_SET_NAME, "nginx", 0, 0, 0);

    ngx_vidcast_child_signals(log);

    ngx_setproctitle((char *) title);
    ngx_time_update();
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
