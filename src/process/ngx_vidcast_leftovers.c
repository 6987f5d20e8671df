
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "process/ngx_vidcast_leftovers.h"
#include "process/ngx_vidcast_watchdog.h"
#include "shm/ngx_vidcast_process_locks.h"


#define NGX_VIDCAST_LEFTOVERS_LEAVE  2000    /* ms, to say farewell */


/* one at a time of those that have the same entry */

typedef struct {
    ngx_vidcast_watchdog_t       watchdog;
    ngx_pid_t                    killed;
} ngx_vidcast_leftover_t;


struct ngx_vidcast_leftovers_s {
    ngx_vidcast_conf_t          *conf;
    u_char                       used[NGX_VIDCAST_ENTRIES];
    ngx_uint_t                   workers[NGX_VIDCAST_ENTRIES];
    ngx_vidcast_leftover_t       captures[NGX_VIDCAST_ENTRIES];
    ngx_vidcast_leftover_t       predictors[NGX_VIDCAST_ENTRIES];
};


static void ngx_vidcast_leftovers_check(ngx_vidcast_leftovers_t *leftovers,
    ngx_vidcast_leftover_t *leftover, ngx_fd_t locks, ngx_uint_t first,
    ngx_uint_t n);


ngx_vidcast_leftovers_t *
ngx_vidcast_leftovers_create(ngx_vidcast_conf_t *conf)
{
    ngx_uint_t                 i;
    ngx_vidcast_source_t     **source;
    ngx_vidcast_leftovers_t   *leftovers;

    leftovers = ngx_calloc(sizeof(ngx_vidcast_leftovers_t), conf->cycle->log);
    if (leftovers == NULL) {
        return NULL;
    }

    leftovers->conf = conf;
    source = conf->sources.elts;

    for (i = 0; i < conf->sources.nelts; i++) {
        leftovers->used[source[i]->entry] = 1;
        leftovers->workers[source[i]->entry] = source[i]->predict.workers;
    }

    return leftovers;
}


void
ngx_vidcast_leftovers_look(ngx_vidcast_leftovers_t *leftovers)
{
    ngx_uint_t              i, workers;
    ngx_vidcast_control_t  *control;

    control = leftovers->conf->control;

    for (i = 0; i < NGX_VIDCAST_ENTRIES; i++) {

        if (!leftovers->used[i]) {
            ngx_vidcast_leftovers_check(leftovers, &leftovers->captures[i],
                                        control->locks,
                                        NGX_VIDCAST_LOCK_CAPTURE + i, 1);
        }

        workers = leftovers->workers[i];

        if (workers < NGX_VIDCAST_MAX_PREDICTORS) {
            ngx_vidcast_leftovers_check(leftovers, &leftovers->predictors[i],
                                        control->predictors,
                                        ngx_vidcast_predictor_lock(i, workers),
                                        NGX_VIDCAST_MAX_PREDICTORS - workers);
        }
    }
}


static void
ngx_vidcast_leftovers_check(ngx_vidcast_leftovers_t *leftovers,
    ngx_vidcast_leftover_t *leftover, ngx_fd_t locks, ngx_uint_t first,
    ngx_uint_t n)
{
    ngx_log_t            *log;
    ngx_pid_t             pid;
    ngx_uint_t            lock;
    ngx_vidcast_conf_t   *conf;

    conf = leftovers->conf;
    log = conf->cycle->log;

    pid = ngx_vidcast_process_lock_among(locks, first, n, &lock, log);

    if (pid == 0
        || leftover->killed == pid
        || !ngx_vidcast_watchdog_hangs(&leftover->watchdog, pid, lock,
                                       conf->watchdog
                                       + NGX_VIDCAST_LEFTOVERS_LEAVE))
    {
        return;
    }

    leftover->killed = pid;

    ngx_log_error(NGX_LOG_ERR, log, 0,
                  "a process of vidcast, %P, of an older configuration did not "
                  "leave for %M s, it is killed", pid,
                  (conf->watchdog + NGX_VIDCAST_LEFTOVERS_LEAVE) / 1000);

    (void) ngx_vidcast_watchdog_kill(locks, lock, pid, 1, log);
}
