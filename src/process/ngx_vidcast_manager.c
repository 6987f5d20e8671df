
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast_backoff.h"
#include "core/ngx_vidcast_error.h"
#include "process/ngx_vidcast_manager.h"
#include "os/ngx_vidcast_child.h"
#include "os/ngx_vidcast_sandbox.h"
#include "shm/ngx_vidcast_control.h"
#include "process/ngx_vidcast_capture_watch.h"
#include "process/ngx_vidcast_leftovers.h"
#include "process/ngx_vidcast_supervisor.h"
#include "shm/ngx_vidcast_process_locks.h"


#define NGX_VIDCAST_MANAGER_TICK  50          /* ms */
#define NGX_VIDCAST_MANAGER_WAIT  3000000     /* us, for the lock */


/* a source as the manager sees it */

typedef struct {
    ngx_vidcast_source_t        *source;
    ngx_pid_t                    pid;        /* 0: not a child of ours */
    ngx_uint_t                   came;       /* it had its lock, late enough */
    uint64_t                     started;    /* CLOCK_MONOTONIC, us */
    uint64_t                     published;  /* frames, when it was started */
    ngx_vidcast_backoff_t        backoff;
    ngx_vidcast_child_t          task;
    ngx_vidcast_watchdog_t       coming;     /* to take its lock */
    ngx_vidcast_capture_watch_t  watch;
} ngx_vidcast_managed_t;


/* a manager as a worker sees it */

typedef struct {
    ngx_pid_t                    coming;     /* ours; 0: it has, or is dead */
    ngx_vidcast_watchdog_t       start;
    ngx_vidcast_watchdog_t       main;
    ngx_vidcast_watchdog_t       death;
    ngx_pid_t                    killed;
    ngx_uint_t                   said;
} ngx_vidcast_manager_watch_t;


static ngx_uint_t ngx_vidcast_manager_coming(ngx_vidcast_conf_t *conf);
static ngx_int_t ngx_vidcast_manager_watch(ngx_vidcast_conf_t *conf,
    ngx_pid_t pid);
static void ngx_vidcast_manager_sandbox(ngx_vidcast_conf_t *conf);
static ngx_int_t ngx_vidcast_manager_take_lock(ngx_vidcast_conf_t *conf);
static ngx_uint_t ngx_vidcast_manager_outdated(ngx_vidcast_conf_t *conf);
static ngx_vidcast_managed_t *ngx_vidcast_manager_list(
    ngx_vidcast_conf_t *conf);
static void ngx_vidcast_manager_reap(ngx_vidcast_conf_t *conf,
    ngx_vidcast_managed_t *managed);
static void ngx_vidcast_manager_overdue(ngx_vidcast_conf_t *conf,
    ngx_vidcast_managed_t *managed);
static void ngx_vidcast_manager_exited(ngx_vidcast_managed_t *managed,
    int status);
static void ngx_vidcast_manager_spawn(ngx_vidcast_conf_t *conf,
    ngx_vidcast_managed_t *managed);


/* of the worker that this process is */

static ngx_vidcast_manager_watch_t  ngx_vidcast_manager_watched;


ngx_int_t
ngx_vidcast_manager_start(ngx_vidcast_conf_t *conf)
{
    ngx_int_t               rc;
    ngx_log_t              *log;
    ngx_pid_t               pid;
    ngx_uint_t              coming;
    ngx_vidcast_child_t     task;
    ngx_vidcast_control_t  *control;

    log = conf->cycle->log;
    control = conf->control;

    /*
     * The lock of the process that forks is held till the manager has its own,
     * or is dead.  Where it takes long to come, others beside it would only
     * take it the processor.
     */

    coming = ngx_vidcast_manager_coming(conf);

    if (!coming) {
        ngx_vidcast_process_lock_drop(control->locks, NGX_VIDCAST_LOCK_FORKING,
                                      log);
    }

    if (ngx_vidcast_load(&control->shm->generation) != conf->generation) {
        return NGX_OK;
    }

    pid = ngx_vidcast_process_lock_holder(control->locks,
                                          NGX_VIDCAST_LOCK_MANAGER, log);

    if (pid && conf->watchdog && ngx_vidcast_manager_watch(conf, pid) != NGX_OK)
    {
        return NGX_AGAIN;
    }

    if (pid
        && ngx_vidcast_load(&control->shm->manager_generation)
               == conf->generation)
    {
        return NGX_OK;
    }

    if (coming) {
        return NGX_OK;
    }

    rc = ngx_vidcast_process_lock_take(control->locks,
                                       NGX_VIDCAST_LOCK_FORKING, log);

    if (rc == NGX_BUSY) {
        return NGX_AGAIN;
    }

    if (rc == NGX_OK) {
        ngx_memzero(&task, sizeof(ngx_vidcast_child_t));

        task.role = NGX_VIDCAST_MANAGER;
        task.answer = NGX_INVALID_FILE;

        pid = ngx_vidcast_child_start(&task, conf, conf->cycle);

        if (pid != NGX_INVALID_PID) {
            ngx_vidcast_manager_watched.coming = pid;
            ngx_vidcast_manager_watched.start.pid = 0;
        }
    }

    return NGX_OK;
}


/* is the manager that we have started still on its way to its lock? */

static ngx_uint_t
ngx_vidcast_manager_coming(ngx_vidcast_conf_t *conf)
{
    ngx_pid_t                     pid;
    ngx_vidcast_manager_watch_t  *watch;

    watch = &ngx_vidcast_manager_watched;
    pid = watch->coming;

    if (pid == 0) {
        return 0;
    }

    if (ngx_vidcast_load(&conf->control->shm->generation) != conf->generation
        || ngx_vidcast_process_lock_holder(conf->control->locks,
                                           NGX_VIDCAST_LOCK_MANAGER,
                                           conf->cycle->log)
           == pid
        || (kill(pid, 0) == -1 && ngx_errno == NGX_ESRCH)
        || ngx_vidcast_watchdog_stuck(&watch->start, pid))
    {
        watch->coming = 0;
    }

    return watch->coming != 0;
}


/*
 * All workers look, and the one that forks kills it, whatever generation it is
 * of: one that hangs does not make way for the next one.  NGX_AGAIN: it hung,
 * and is being killed.
 */

static ngx_int_t
ngx_vidcast_manager_watch(ngx_vidcast_conf_t *conf, ngx_pid_t pid)
{
    ngx_log_t                    *log;
    ngx_vidcast_control_t        *control;
    ngx_vidcast_manager_watch_t  *watch;

    log = conf->cycle->log;
    control = conf->control;
    watch = &ngx_vidcast_manager_watched;

    if (pid == watch->killed) {

        if (!watch->said
            && ngx_vidcast_watchdog_hangs(&watch->death, pid, 0,
                                          NGX_VIDCAST_WATCHDOG_DIES))
        {
            watch->said = 1;

            ngx_log_error(NGX_LOG_ERR, log, 0,
                          "vidcast manager process %P was killed and does not "
                          "die, it waits in the kernel: there is no other one "
                          "before it has left", pid);
        }

        return watch->said ? NGX_OK : NGX_AGAIN;
    }

    if (!ngx_vidcast_watchdog_hangs(&watch->main, pid,
                                    ngx_vidcast_load(
                                        &control->shm->manager_beat),
                                    conf->watchdog))
    {
        return NGX_OK;
    }

    if (ngx_vidcast_process_lock_take(control->locks, NGX_VIDCAST_LOCK_FORKING,
                                      log)
        != NGX_OK)
    {
        return NGX_AGAIN;
    }

    /* another worker may just have done it */

    if (ngx_vidcast_process_lock_holder(control->locks,
                                        NGX_VIDCAST_LOCK_MANAGER, log)
        == pid)
    {
        watch->killed = pid;
        watch->said = 0;

        control->shm->manager_hung++;

        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "vidcast manager process %P did not move for %M s, it is "
                      "killed", pid, conf->watchdog / 1000);

        (void) ngx_vidcast_watchdog_kill(control->locks,
                                         NGX_VIDCAST_LOCK_MANAGER, pid, 0, log);
    }

    return NGX_AGAIN;
}


ngx_msec_t
ngx_vidcast_manager_interval(ngx_vidcast_conf_t *conf)
{
    return ngx_vidcast_watchdog_interval(conf);
}


void
ngx_vidcast_manager_process(ngx_vidcast_conf_t *conf)
{
    uint64_t                   look, deserted;
    ngx_uint_t                 i, ended;
    ngx_vidcast_managed_t     *managed;
    ngx_vidcast_leftovers_t   *leftovers;
    ngx_vidcast_supervisor_t  *supervisor;

    ngx_log_error(NGX_LOG_NOTICE, conf->cycle->log, 0,
                  "start vidcast manager process %P", ngx_pid);

    ngx_vidcast_manager_sandbox(conf);

    if (ngx_vidcast_manager_take_lock(conf) != NGX_OK) {
        return;
    }

    managed = ngx_vidcast_manager_list(conf);
    if (managed == NULL) {
        return;
    }

    supervisor = ngx_vidcast_supervisor_create(conf);
    if (supervisor == NULL) {
        return;
    }

    leftovers = ngx_vidcast_leftovers_create(conf);
    if (leftovers == NULL) {
        return;
    }

    look = 0;
    deserted = 0;

    for ( ;; ) {

        ngx_vidcast_store(&conf->control->shm->manager_beat,
                          conf->control->shm->manager_beat + 1);

        if (conf->watchdog && ngx_vidcast_clock() >= look) {
            look = ngx_vidcast_clock()
                   + (uint64_t) ngx_vidcast_watchdog_interval(conf) * 1000;

            for (i = 0; i < conf->sources.nelts; i++) {
                ngx_vidcast_capture_watch(&managed[i].watch, conf,
                                          managed[i].source);
            }

            ngx_vidcast_leftovers_look(leftovers);
        }

        for (i = 0; i < conf->sources.nelts; i++) {
            ngx_vidcast_manager_reap(conf, &managed[i]);
            ngx_vidcast_manager_spawn(conf, &managed[i]);
        }

        ngx_vidcast_supervisor_look(supervisor);

        ended = (ngx_vidcast_child_wait(conf, NGX_VIDCAST_MANAGER_TICK)
                 == NGX_DONE);

        if (ended
            || ngx_vidcast_control_deserted(conf, &deserted, conf->cycle->log))
        {
            ngx_vidcast_supervisor_end(supervisor);
            break;
        }

        if (ngx_vidcast_manager_outdated(conf)) {
            break;
        }
    }

    ngx_free(managed);
    ngx_free(supervisor);
    ngx_free(leftovers);

    ngx_log_error(NGX_LOG_NOTICE, conf->cycle->log, 0,
                  "vidcast manager process exiting");
}


/*
 * It kills predictors that a manager before it has started.  What it starts
 * itself can have no more than it has: so it enters none where a predictor is
 * to have none.
 */

static void
ngx_vidcast_manager_sandbox(ngx_vidcast_conf_t *conf)
{
    ngx_uint_t              i, open, lacks;
    ngx_vidcast_source_t  **source;

    open = 0;
    source = conf->sources.elts;

    for (i = 0; i < conf->sources.nelts; i++) {
        open |= source[i]->predict.open;
    }

    if (!open) {
        lacks = ngx_vidcast_sandbox_enter(conf->sandbox
                                          |NGX_VIDCAST_SANDBOX_SIGNALS,
                                          conf->cycle->log);

        if (!(lacks & NGX_VIDCAST_SANDBOX_SECCOMP)) {
            conf->sandbox |= NGX_VIDCAST_SANDBOX_FILTERED;
        }
    }

    lacks = ngx_vidcast_sandbox_lacks();

    if (lacks & NGX_VIDCAST_SANDBOX_SECCOMP) {
        ngx_log_error(NGX_LOG_NOTICE, conf->cycle->log, 0,
                      "no seccomp in the kernel, or no libseccomp: all system "
                      "calls are open to programs and plugins of vidcast");
    }

    if (lacks & NGX_VIDCAST_SANDBOX_LANDLOCK) {
        ngx_log_error(NGX_LOG_NOTICE, conf->cycle->log, 0,
                      "no Landlock in the kernel: programs and plugins of "
                      "vidcast can look into processes of the same user");
    }
}


/* the manager before us may be still there: it leaves when it sees us coming */

static ngx_int_t
ngx_vidcast_manager_take_lock(ngx_vidcast_conf_t *conf)
{
    uint64_t                    start;
    ngx_int_t                   rc;
    ngx_vidcast_control_shm_t  *shm;

    start = ngx_vidcast_clock();

    for ( ;; ) {
        rc = ngx_vidcast_process_lock_take(conf->control->locks,
                                           NGX_VIDCAST_LOCK_MANAGER,
                                           conf->cycle->log);

        if (rc == NGX_OK) {
            break;
        }

        /* two workers may have thought that there was none */

        if (rc == NGX_ERROR
            || ngx_vidcast_load(&conf->control->shm->manager_generation)
               == conf->generation
            || ngx_vidcast_clock() - start > NGX_VIDCAST_MANAGER_WAIT
            || ngx_vidcast_child_wait(conf, 10) == NGX_DONE
            || ngx_vidcast_manager_outdated(conf))
        {
            return NGX_DECLINED;
        }
    }

    shm = conf->control->shm;

    if (ngx_vidcast_load(&shm->manager_generation) == conf->generation) {
        shm->manager_restarts++;
    }

    ngx_vidcast_store(&shm->manager_generation, conf->generation);

    return NGX_OK;
}


static ngx_uint_t
ngx_vidcast_manager_outdated(ngx_vidcast_conf_t *conf)
{
    return ngx_vidcast_load(&conf->control->shm->retired)
           || ngx_vidcast_load(&conf->control->shm->generation)
              != conf->generation;
}


static ngx_vidcast_managed_t *
ngx_vidcast_manager_list(ngx_vidcast_conf_t *conf)
{
    ngx_uint_t               i;
    ngx_vidcast_source_t   **source;
    ngx_vidcast_managed_t   *managed;

    managed = ngx_calloc(conf->sources.nelts * sizeof(ngx_vidcast_managed_t),
                         conf->cycle->log);
    if (managed == NULL) {
        return NULL;
    }

    source = conf->sources.elts;

    for (i = 0; i < conf->sources.nelts; i++) {
        managed[i].source = source[i];

        managed[i].task.role = NGX_VIDCAST_CAPTURE;
        managed[i].task.source = source[i];
        managed[i].task.answer = NGX_INVALID_FILE;
    }

    return managed;
}


static void
ngx_vidcast_manager_reap(ngx_vidcast_conf_t *conf,
    ngx_vidcast_managed_t *managed)
{
    int         status;
    u_char      title[NGX_VIDCAST_TITLE];
    ngx_log_t  *log;
    ngx_uint_t  level;

    if (managed->pid == 0) {

        /* a manager before us has started it */

        if (managed->watch.killed
            && ngx_vidcast_process_lock_holder(conf->control->locks,
                                               NGX_VIDCAST_LOCK_CAPTURE
                                                   + managed->source->entry,
                                               conf->cycle->log)
               == 0)
        {
            ngx_vidcast_manager_exited(managed, SIGKILL);
        }

        return;
    }

    if (waitpid(managed->pid, &status, WNOHANG) != managed->pid) {
        ngx_vidcast_manager_overdue(conf, managed);
        return;
    }

    log = conf->cycle->log;

    ngx_vidcast_child_title(&managed->task, title);

    if (WTERMSIG(status)) {
        level = (managed->watch.killed == managed->pid) ? NGX_LOG_NOTICE
                                                        : NGX_LOG_ALERT;
        ngx_log_error(level, log, 0, "%s %P exited on signal %d",
                      title, managed->pid, WTERMSIG(status));

    } else {
        ngx_log_error(NGX_LOG_NOTICE, log, 0, "%s %P exited with code %d",
                      title, managed->pid, WEXITSTATUS(status));
    }

    managed->pid = 0;

    /* the manager before us may have forked one, which was there first */

    if (ngx_vidcast_process_lock_holder(conf->control->locks,
                                        NGX_VIDCAST_LOCK_CAPTURE
                                            + managed->source->entry,
                                        log)
        == 0)
    {
        ngx_vidcast_manager_exited(managed, status);
    }
}


/* one that hangs before it has read its settings would never take its lock */

static void
ngx_vidcast_manager_overdue(ngx_vidcast_conf_t *conf,
    ngx_vidcast_managed_t *managed)
{
    if (managed->came
        || !ngx_vidcast_watchdog_stuck(&managed->coming, managed->pid))
    {
        return;
    }

    managed->came = ngx_vidcast_process_lock_holder(conf->control->locks,
                                                    NGX_VIDCAST_LOCK_CAPTURE
                                                    + managed->source->entry,
                                                    conf->cycle->log)
                    != 0;

    if (!managed->came) {
        (void) kill(managed->pid, SIGKILL);
    }
}


/*
 * A capture that did its work is started again at once; one that died before
 * it had settled must wait, longer each time.
 */

static void
ngx_vidcast_manager_exited(ngx_vidcast_managed_t *managed, int status)
{
    uint64_t                 now;
    ngx_uint_t               state, settled;
    ngx_vidcast_zone_shm_t  *shm;

    now = ngx_vidcast_clock();
    shm = managed->source->original.zone->shm;

    settled = now - managed->started >= NGX_VIDCAST_BACKOFF_SETTLED
              && (ngx_vidcast_load(&shm->counters.published)
                  != managed->published
                  || ngx_vidcast_load(&shm->state) == NGX_VIDCAST_SLEEPING);

    if (settled) {
        ngx_vidcast_backoff_reset(&managed->backoff);

    } else {
        ngx_vidcast_backoff_failed(&managed->backoff, now);
    }

    state = settled ? NGX_VIDCAST_STARTING : NGX_VIDCAST_FAILED;

    if (managed->watch.killed) {
        state = NGX_VIDCAST_RECONNECTING;
        (void) ngx_cpystrn(shm->error, managed->watch.reason,
                           NGX_VIDCAST_ERROR_LEN);
        managed->watch.killed = 0;

    } else if (WTERMSIG(status)) {
        ngx_vidcast_error(shm->error, "capture process exited on signal %d",
                          WTERMSIG(status));

    } else {
        ngx_vidcast_error(shm->error, "capture process exited with code %d",
                          WEXITSTATUS(status));
    }

    ngx_vidcast_store(&shm->pid, 0);
    ngx_vidcast_store(&shm->changed, now);
    ngx_vidcast_store(&shm->state, state);
}


static void
ngx_vidcast_manager_spawn(ngx_vidcast_conf_t *conf,
    ngx_vidcast_managed_t *managed)
{
    uint64_t                 now;
    ngx_pid_t                pid;
    ngx_vidcast_zone_shm_t  *shm;

    now = ngx_vidcast_clock();

    if (managed->pid || now < managed->backoff.due
        || ngx_vidcast_process_lock_holder(conf->control->locks,
                                           NGX_VIDCAST_LOCK_CAPTURE
                                               + managed->source->entry,
                                           conf->cycle->log))
    {
        return;
    }

    shm = managed->source->original.zone->shm;

    managed->started = now;
    managed->published = ngx_vidcast_load(&shm->counters.published);

    pid = ngx_vidcast_child_start(&managed->task, conf, conf->cycle);

    if (pid == NGX_INVALID_PID) {
        managed->backoff.due = now + NGX_VIDCAST_BACKOFF_MIN;
        return;
    }

    managed->pid = pid;
    managed->came = 0;
    managed->coming.pid = 0;
    shm->restarts++;
}
