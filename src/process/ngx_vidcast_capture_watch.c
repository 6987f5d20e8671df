
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast_error.h"
#include "core/ngx_vidcast_escape.h"
#include "process/ngx_vidcast_capture_watch.h"
#include "shm/ngx_vidcast_process_locks.h"


#define NGX_VIDCAST_CAPTURE_WATCH_MORE  5000     /* ms, than its time-out */


static ngx_uint_t ngx_vidcast_capture_watch_hangs(
    ngx_vidcast_capture_watch_t *watch, ngx_vidcast_conf_t *conf,
    ngx_vidcast_source_t *source, ngx_pid_t pid);
static ngx_uint_t ngx_vidcast_capture_watch_thread(
    ngx_vidcast_watchdog_t *watchdog, ngx_pid_t pid, uint64_t turn,
    ngx_msec_t limit);
static void ngx_vidcast_capture_watch_kill(ngx_vidcast_capture_watch_t *watch,
    ngx_vidcast_conf_t *conf, ngx_vidcast_source_t *source, ngx_pid_t pid);
static void ngx_vidcast_capture_watch_death(ngx_vidcast_capture_watch_t *watch,
    ngx_vidcast_conf_t *conf, ngx_vidcast_source_t *source, ngx_pid_t pid);


void
ngx_vidcast_capture_watch(ngx_vidcast_capture_watch_t *watch,
    ngx_vidcast_conf_t *conf, ngx_vidcast_source_t *source)
{
    ngx_pid_t   pid;
    ngx_log_t  *log;

    log = conf->cycle->log;

    ngx_vidcast_log_limit_tell(&watch->hung, NGX_VIDCAST_LOG_DEATHS,
                               NGX_LOG_ERR, log, &source->name,
                               "hung capture processes");

    pid = ngx_vidcast_process_lock_holder(conf->control->locks,
                                          NGX_VIDCAST_LOCK_CAPTURE
                                          + source->entry, log);
    if (pid == 0) {
        return;
    }

    if (pid == watch->killed) {
        ngx_vidcast_capture_watch_death(watch, conf, source, pid);
        return;
    }

    if (ngx_vidcast_capture_watch_hangs(watch, conf, source, pid)) {
        ngx_vidcast_capture_watch_kill(watch, conf, source, pid);
    }
}


static ngx_uint_t
ngx_vidcast_capture_watch_hangs(ngx_vidcast_capture_watch_t *watch,
    ngx_vidcast_conf_t *conf, ngx_vidcast_source_t *source, ngx_pid_t pid)
{
    ngx_msec_t               limit;
    ngx_vidcast_zone_shm_t  *shm;

    shm = source->original.zone->shm;

    if (ngx_vidcast_watchdog_hangs(&watch->main, pid,
                                   ngx_vidcast_load(&shm->beat),
                                   conf->watchdog))
    {
        ngx_vidcast_error(watch->reason,
                          "the capture process did not move for %M s",
                          conf->watchdog / 1000);
        return 1;
    }

    limit = source->input.timeout + NGX_VIDCAST_CAPTURE_WATCH_MORE;

    if (ngx_vidcast_capture_watch_thread(&watch->input, pid,
                                      ngx_vidcast_load(&shm->input_turn),
                                      limit))
    {
        ngx_vidcast_error(watch->reason, "the input did not come back for %M s",
                          limit / 1000);
        return 1;
    }

    limit = source->predict.timeout + NGX_VIDCAST_CAPTURE_WATCH_MORE;

    if (ngx_vidcast_capture_watch_thread(&watch->predictor, pid,
                                      ngx_vidcast_load(&shm->predict_turn),
                                      limit))
    {
        ngx_vidcast_error(watch->reason,
                          "the predictor did not come back for %M s",
                          limit / 1000);
        return 1;
    }

    return 0;
}


/* the turn is odd while it is in other hands */

static ngx_uint_t
ngx_vidcast_capture_watch_thread(ngx_vidcast_watchdog_t *watchdog,
    ngx_pid_t pid, uint64_t turn, ngx_msec_t limit)
{
    if (turn % 2 == 0) {
        watchdog->pid = 0;
        return 0;
    }

    return ngx_vidcast_watchdog_hangs(watchdog, pid, turn, limit);
}


static void
ngx_vidcast_capture_watch_kill(ngx_vidcast_capture_watch_t *watch,
    ngx_vidcast_conf_t *conf, ngx_vidcast_source_t *source, ngx_pid_t pid)
{
    uint64_t                 now;
    ngx_vidcast_escaped_t    escaped;
    ngx_vidcast_zone_shm_t  *shm;

    now = ngx_vidcast_clock();
    shm = source->original.zone->shm;

    watch->killed = pid;
    watch->said = 0;

    shm->hung++;

    if (ngx_vidcast_log_limit(&watch->hung, NGX_VIDCAST_LOG_DEATHS, now)) {
        ngx_log_error(NGX_LOG_ERR, conf->cycle->log, 0,
                      "vidcast source \"%V\" hangs: %V, capture process %P is "
                      "killed", &source->name,
                      ngx_vidcast_escape_text(&escaped, watch->reason), pid);
    }

    (void) ngx_vidcast_watchdog_kill(conf->control->locks,
                                     NGX_VIDCAST_LOCK_CAPTURE + source->entry,
                                     pid, 0, conf->cycle->log);

    /* now, as it may not die */

    (void) ngx_cpystrn(shm->error, watch->reason, NGX_VIDCAST_ERROR_LEN);

    ngx_vidcast_store(&shm->pid, 0);
    ngx_vidcast_store(&shm->changed, now);
    ngx_vidcast_store(&shm->state, NGX_VIDCAST_RECONNECTING);
}


/*
 * What waits in the kernel, for a driver or for a file of another machine, is
 * killed when that lets it go.  Till then it has its device, so that there can
 * be no other capture.
 */

static void
ngx_vidcast_capture_watch_death(ngx_vidcast_capture_watch_t *watch,
    ngx_vidcast_conf_t *conf, ngx_vidcast_source_t *source, ngx_pid_t pid)
{
    ngx_vidcast_zone_shm_t  *shm;

    if (watch->said
        || !ngx_vidcast_watchdog_hangs(&watch->death, pid, 0,
                                       NGX_VIDCAST_WATCHDOG_DIES))
    {
        return;
    }

    watch->said = 1;
    shm = source->original.zone->shm;

    ngx_vidcast_error(shm->error, "%s, and cannot be killed: it waits in the "
                      "kernel", watch->reason);

    ngx_log_error(NGX_LOG_ERR, conf->cycle->log, 0,
                  "capture process %P of vidcast source \"%V\" was killed and "
                  "does not die, it waits in the kernel: there is no other one "
                  "before it has left", pid, &source->name);
}
