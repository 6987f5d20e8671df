
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_WATCHDOG_H_INCLUDED_
#define _NGX_VIDCAST_WATCHDOG_H_INCLUDED_


#include "shm/ngx_vidcast_zone.h"


/*
 * Judges whether another process still moves.  It shows that by a number in
 * shared memory, its beat, which changes with each turn of its main loop.  For
 * how long it has not is counted in the time in which the judge ran itself:
 * where all were stopped, by a suspend of the machine or with their cgroup,
 * none hangs.
 */

typedef struct {
    ngx_pid_t                    pid;      /* whose beat that is */
    uint64_t                     beat;
    uint64_t                     looked;   /* CLOCK_MONOTONIC, us */
    uint64_t                     still;    /* us without a change */
} ngx_vidcast_watchdog_t;


/* ms that a process may take to die, before it is said that it does not */

#define NGX_VIDCAST_WATCHDOG_DIES   5000

/* and not run, before it has read its settings and taken its lock */

#define NGX_VIDCAST_WATCHDOG_COMES  10000


/*
 * Has the process shown the same beat for "limit" ms?  It is to be asked at
 * least four times within these.  If it has, they begin anew.  A process which
 * a debugger looks at never hangs.
 */
ngx_uint_t ngx_vidcast_watchdog_hangs(ngx_vidcast_watchdog_t *watchdog,
    ngx_pid_t pid, uint64_t beat, ngx_msec_t limit);

/*
 * The same of one that has yet to come, by the time that it had a processor:
 * where many start at once, or the machine is slow, that takes what it takes.
 */
ngx_uint_t ngx_vidcast_watchdog_stuck(ngx_vidcast_watchdog_t *watchdog,
    ngx_pid_t pid);

/* ms between two looks at what costs a system call */
ngx_msec_t ngx_vidcast_watchdog_interval(ngx_vidcast_conf_t *conf);

/* does a debugger look at it? */
ngx_uint_t ngx_vidcast_watchdog_traced(ngx_pid_t pid);

/*
 * Kills the process, if it is still the one that has this lock, and with "tree"
 * all that it has started.  NGX_OK; NGX_DECLINED: it is not.
 */
ngx_int_t ngx_vidcast_watchdog_kill(ngx_fd_t locks, ngx_uint_t lock,
    ngx_pid_t pid, ngx_uint_t tree, ngx_log_t *log);


#endif /* _NGX_VIDCAST_WATCHDOG_H_INCLUDED_ */
