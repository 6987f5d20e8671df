
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <sys/pidfd.h>
#include <time.h>

#include "os/ngx_vidcast_process_tree.h"
#include "process/ngx_vidcast_watchdog.h"
#include "shm/ngx_vidcast_process_locks.h"


#define NGX_VIDCAST_WATCHDOG_STEP    2000000   /* us counted of one look */
#define NGX_VIDCAST_WATCHDOG_LOOK    1000      /* ms */
#define NGX_VIDCAST_WATCHDOG_STATUS  4096      /* of /proc/PID/status */
#define NGX_VIDCAST_WATCHDOG_KILLS   20        /* times 1 ms */


static void ngx_vidcast_watchdog_signal(ngx_fd_t fd, ngx_pid_t pid, int signo);


ngx_uint_t
ngx_vidcast_watchdog_hangs(ngx_vidcast_watchdog_t *watchdog, ngx_pid_t pid,
    uint64_t beat, ngx_msec_t limit)
{
    uint64_t  now, passed, step;

    now = ngx_vidcast_clock();

    if (watchdog->pid != pid || watchdog->beat != beat) {
        watchdog->pid = pid;
        watchdog->beat = beat;
        watchdog->looked = now;
        watchdog->still = 0;

        return 0;
    }

    /* a longer time than this we have not looked, and may not have run */

    step = ngx_min((uint64_t) limit * 1000 / 4, NGX_VIDCAST_WATCHDOG_STEP);
    passed = now - watchdog->looked;

    watchdog->looked = now;
    watchdog->still += ngx_min(passed, step);

    if (watchdog->still < (uint64_t) limit * 1000) {
        return 0;
    }

    watchdog->still = 0;

    return !ngx_vidcast_watchdog_traced(pid);
}


ngx_uint_t
ngx_vidcast_watchdog_stuck(ngx_vidcast_watchdog_t *watchdog, ngx_pid_t pid)
{
    uint64_t         used;
    clockid_t        clock;
    struct timespec  ts;

    used = 0;

    if (clock_getcpuclockid(pid, &clock) == 0
        && clock_gettime(clock, &ts) == 0)
    {
        used = (uint64_t) ts.tv_sec * 1000000000 + ts.tv_nsec;
    }

    return ngx_vidcast_watchdog_hangs(watchdog, pid, used,
                                      NGX_VIDCAST_WATCHDOG_COMES);
}


ngx_msec_t
ngx_vidcast_watchdog_interval(ngx_vidcast_conf_t *conf)
{
    return conf->watchdog ? ngx_min(conf->watchdog / 5,
                                    NGX_VIDCAST_WATCHDOG_LOOK)
                          : NGX_VIDCAST_WATCHDOG_LOOK;
}


/* what cannot be read is said to have none */

ngx_uint_t
ngx_vidcast_watchdog_traced(ngx_pid_t pid)
{
    u_char   *p, path[sizeof("/proc//status") + NGX_INT64_LEN],
              text[NGX_VIDCAST_WATCHDOG_STATUS];
    ssize_t   n;
    ngx_fd_t  fd;

    (void) ngx_sprintf(path, "/proc/%P/status%Z", pid);

    fd = ngx_open_file(path, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        return 0;
    }

    n = ngx_read_fd(fd, text, sizeof(text) - 1);

    (void) ngx_close_file(fd);

    if (n <= 0) {
        return 0;
    }

    text[n] = '\0';

    p = (u_char *) ngx_strstr(text, "\nTracerPid:\t");

    return p && p[sizeof("\nTracerPid:\t") - 1] != '0';
}


/*
 * A pid may be that of another process by now; a pidfd of the process that
 * has the lock is not.  There are sandboxes which refuse one: then the lock
 * alone has to do.
 *
 * Once a predictor is dead, what its program started is no descendant of it
 * any more, and cannot be found.  So it is stopped first, and dies last.
 */

ngx_int_t
ngx_vidcast_watchdog_kill(ngx_fd_t locks, ngx_uint_t lock, ngx_pid_t pid,
    ngx_uint_t tree, ngx_log_t *log)
{
    ngx_fd_t    fd;
    ngx_int_t   rc;
    ngx_uint_t  n;

    rc = NGX_DECLINED;
    fd = pidfd_open(pid, 0);

    if (fd == -1 && ngx_errno == NGX_ESRCH) {
        return rc;
    }

    if (ngx_vidcast_process_lock_holder(locks, lock, log) == pid) {
        rc = NGX_OK;

        if (tree) {
            ngx_vidcast_watchdog_signal(fd, pid, SIGSTOP);

            for (n = 0; n < NGX_VIDCAST_WATCHDOG_KILLS; n++) {

                if (ngx_vidcast_kill_descendants(pid) == 0) {
                    break;
                }

                ngx_msleep(1);
            }
        }

        ngx_vidcast_watchdog_signal(fd, pid, SIGKILL);
    }

    if (fd != -1) {
        (void) ngx_close_file(fd);
    }

    return rc;
}


static void
ngx_vidcast_watchdog_signal(ngx_fd_t fd, ngx_pid_t pid, int signo)
{
    if (fd == -1) {
        (void) kill(pid, signo);

    } else {
        (void) pidfd_send_signal(fd, signo, NULL, 0);
    }
}
