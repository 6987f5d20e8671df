
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast_backoff.h"
#include "core/ngx_vidcast_error.h"
#include "os/ngx_vidcast_child.h"
#include "core/ngx_vidcast_escape.h"
#include "process/ngx_vidcast_supervisor.h"
#include "process/ngx_vidcast_watchdog.h"
#include "predict/ngx_vidcast_predict.h"
#include "process/ngx_vidcast_predictor.h"
#include "shm/ngx_vidcast_control.h"
#include "shm/ngx_vidcast_process_locks.h"


#define NGX_VIDCAST_SUPERVISOR_GRACE   2000000  /* us, if it times itself */
#define NGX_VIDCAST_SUPERVISOR_ORPHAN  3000     /* ms, to leave a mailbox */
#define NGX_VIDCAST_SUPERVISOR_TRUST   5000     /* ms more, whatever it says */
#define NGX_VIDCAST_SUPERVISOR_END     20       /* times 50 ms */


/* a predictor; what is to last for longer than the manager is in its mailbox */

typedef struct {
    ngx_vidcast_predictor_id_t        id;
    ngx_vidcast_predictor_mailbox_t  *mailbox;
    ngx_pid_t                         pid;     /* 0: not a child of ours */
    ngx_vidcast_watchdog_t            coming;  /* to take its lock */
    ngx_vidcast_watchdog_t            orphan;  /* in our mailbox */
    ngx_vidcast_watchdog_t            ready;   /* to be it */
    ngx_vidcast_watchdog_t            answer;  /* to what it was given */
    ngx_vidcast_watchdog_t            main;
    ngx_vidcast_watchdog_t            death;   /* of the one that was killed */
    ngx_pid_t                         killed;  /* by us, and not yet dead */
    ngx_uint_t                        said;    /* that it does not die */
    ngx_vidcast_log_limit_t           deaths;
} ngx_vidcast_supervised_t;


struct ngx_vidcast_supervisor_s {
    ngx_vidcast_conf_t          *conf;
    ngx_vidcast_clock_gap_t      gap;
    ngx_uint_t                   n;
    ngx_vidcast_supervised_t    *child;
};


static void ngx_vidcast_supervisor_init(ngx_vidcast_supervised_t *child,
    ngx_vidcast_source_t *source, ngx_uint_t index);
static void ngx_vidcast_supervisor_check(ngx_vidcast_conf_t *conf,
    ngx_vidcast_supervised_t *child, uint64_t since);
static void ngx_vidcast_supervisor_watch(ngx_vidcast_conf_t *conf,
    ngx_vidcast_supervised_t *child, ngx_pid_t pid, uint64_t since);
static ngx_uint_t ngx_vidcast_supervisor_overdue(
    ngx_vidcast_supervised_t *child, uint64_t since);
static ngx_uint_t ngx_vidcast_supervisor_forges(ngx_vidcast_conf_t *conf,
    ngx_vidcast_supervised_t *child, ngx_pid_t pid);
static void ngx_vidcast_supervisor_kill(ngx_vidcast_conf_t *conf,
    ngx_vidcast_supervised_t *child, ngx_pid_t pid);
static void ngx_vidcast_supervisor_died(ngx_vidcast_supervised_t *child,
    int status, ngx_log_t *log);
static void ngx_vidcast_supervisor_reason(
    ngx_vidcast_predictor_mailbox_t *mailbox, int status);
static ngx_uint_t ngx_vidcast_supervisor_pause(ngx_vidcast_supervised_t *child,
    uint64_t now);
static void ngx_vidcast_supervisor_spawn(ngx_vidcast_conf_t *conf,
    ngx_vidcast_supervised_t *child);


ngx_vidcast_supervisor_t *
ngx_vidcast_supervisor_create(ngx_vidcast_conf_t *conf)
{
    ngx_uint_t                  i, k, n;
    ngx_vidcast_source_t      **source;
    ngx_vidcast_supervisor_t   *supervisor;

    n = 0;
    source = conf->sources.elts;

    for (i = 0; i < conf->sources.nelts; i++) {
        n += source[i]->predict.workers;
    }

    supervisor = ngx_calloc(sizeof(ngx_vidcast_supervisor_t)
                                + n * sizeof(ngx_vidcast_supervised_t),
                            conf->cycle->log);
    if (supervisor == NULL) {
        return NULL;
    }

    supervisor->conf = conf;
    supervisor->child = (ngx_vidcast_supervised_t *) (supervisor + 1);

    for (i = 0; i < conf->sources.nelts; i++) {
        for (k = 0; k < source[i]->predict.workers; k++) {
            ngx_vidcast_supervisor_init(&supervisor->child[supervisor->n++],
                                        source[i], k);
        }
    }

    return supervisor;
}


static void
ngx_vidcast_supervisor_init(ngx_vidcast_supervised_t *child,
    ngx_vidcast_source_t *source, ngx_uint_t index)
{
    child->id.source = source;
    child->id.index = index;
    child->mailbox = ngx_vidcast_mailbox(&source->original.zone->mailboxes,
                                         index);

    /* a reload is worth a try at once */

    ngx_vidcast_backoff_reset(&child->mailbox->backoff);
    ngx_memzero(child->mailbox->deaths, sizeof(child->mailbox->deaths));
}


void
ngx_vidcast_supervisor_look(ngx_vidcast_supervisor_t *supervisor)
{
    uint64_t    since;
    ngx_uint_t  i;

    since = ngx_vidcast_clock_since(&supervisor->gap);

    for (i = 0; i < supervisor->n; i++) {
        ngx_vidcast_supervisor_check(supervisor->conf, &supervisor->child[i],
                                     since);
    }
}


static void
ngx_vidcast_supervisor_check(ngx_vidcast_conf_t *conf,
    ngx_vidcast_supervised_t *child, uint64_t since)
{
    int         status;
    ngx_pid_t   pid;
    ngx_log_t  *log;

    log = conf->cycle->log;
    status = -1;

    ngx_vidcast_log_limit_tell(&child->deaths, NGX_VIDCAST_LOG_DEATHS,
                               NGX_LOG_ERR, log, &child->id.source->name,
                               "failures of the predictor");

    if (child->pid && waitpid(child->pid, &status, WNOHANG) == child->pid) {
        child->pid = 0;
    }

    pid = ngx_vidcast_predictor_pid(conf->control, child->id.source,
                                    child->id.index, log);
    if (pid) {
        ngx_vidcast_supervisor_watch(conf, child, pid, since);
        return;
    }

    /*
     * A child without the lock has not come to take it, or is a zombie.  One
     * that hangs before it has read its settings would never come.
     */

    if (child->pid) {

        if (ngx_vidcast_watchdog_stuck(&child->coming, child->pid)) {
            (void) kill(child->pid, SIGKILL);
        }

        return;
    }

    child->killed = 0;

    if (ngx_vidcast_load(&child->mailbox->pid)) {
        ngx_vidcast_supervisor_died(child, status, log);

    } else if (status != -1) {

        /* it did not come to take its place, or has left it in order */

        ngx_vidcast_backoff_failed(&child->mailbox->backoff,
                                   ngx_vidcast_clock());
    }

    if (ngx_vidcast_clock() >= child->mailbox->backoff.due) {
        ngx_vidcast_supervisor_spawn(conf, child);
    }
}


static void
ngx_vidcast_supervisor_watch(ngx_vidcast_conf_t *conf,
    ngx_vidcast_supervised_t *child, ngx_pid_t pid, uint64_t since)
{
    ngx_vidcast_predictor_mailbox_t  *mailbox;

    mailbox = child->mailbox;

    if (child->killed == pid) {

        if (!child->said
            && ngx_vidcast_watchdog_hangs(&child->death, pid, 0,
                                          NGX_VIDCAST_WATCHDOG_DIES))
        {
            child->said = 1;

            ngx_log_error(NGX_LOG_ERR, conf->cycle->log, 0,
                          "predictor process %P of vidcast source \"%V\" was "
                          "killed and does not die, it waits in the kernel",
                          pid, &child->id.source->name);
        }

        return;
    }

    if (ngx_vidcast_load(&mailbox->pid) == 0) {

        /* it has not registered yet, or its mailbox is gone */

        if (ngx_vidcast_watchdog_hangs(&child->orphan, pid, 0,
                                       NGX_VIDCAST_SUPERVISOR_ORPHAN))
        {
            ngx_vidcast_supervisor_kill(conf, child, pid);
        }

        return;
    }

    child->orphan.pid = 0;

    /* it says itself that it moves; its time for a frame is for us to say */

    if (conf->watchdog
        && ngx_vidcast_watchdog_hangs(&child->main, pid,
                                      ngx_vidcast_load(&mailbox->beat),
                                      conf->watchdog))
    {
        mailbox->counters.hung++;

        ngx_vidcast_error(mailbox->error, "the process did not move for %M s",
                          conf->watchdog / 1000);

    } else if (!ngx_vidcast_supervisor_forges(conf, child, pid)
               && (!ngx_vidcast_supervisor_overdue(child, since)
                   || ngx_vidcast_watchdog_traced(pid)))
    {
        return;

    } else {
        mailbox->counters.timeouts++;

        if (mailbox->lived) {
            ngx_vidcast_error(mailbox->error, "no answer within %M ms",
                              child->id.source->predict.timeout);

        } else {
            ngx_vidcast_error(mailbox->error, "no first answer within %M ms",
                              ngx_max(child->id.source->predict.timeout,
                                      child->id.source->predict.start));
        }
    }

    ngx_vidcast_store(&mailbox->explained, 1);

    child->killed = pid;
    child->said = 0;

    ngx_vidcast_supervisor_kill(conf, child, pid);
}


static ngx_uint_t
ngx_vidcast_supervisor_overdue(ngx_vidcast_supervised_t *child, uint64_t since)
{
    int64_t                left;
    ngx_vidcast_source_t  *source;

    source = child->id.source;

    left = ngx_vidcast_predictor_left(source, child->mailbox, since);

    if (!source->predict.module->engine->foreign) {
        left += NGX_VIDCAST_SUPERVISOR_GRACE;
    }

    return left <= 0;
}


/*
 * What is in its mailbox a predictor can have written itself, to take as long
 * as it likes.  So there is a limit by our own clock, and by what its capture
 * says where predictors only read: to be ready, and to answer.  A capture that
 * is no more does not say that an answer came.
 */

static ngx_uint_t
ngx_vidcast_supervisor_forges(ngx_vidcast_conf_t *conf,
    ngx_vidcast_supervised_t *child, ngx_pid_t pid)
{
    uint64_t               given;
    ngx_msec_t             limit;
    ngx_vidcast_source_t  *source;

    source = child->id.source;

    limit = ngx_max(source->predict.timeout, source->predict.start)
            + NGX_VIDCAST_SUPERVISOR_TRUST;

    if (ngx_vidcast_load(&child->mailbox->state) == NGX_VIDCAST_PREDICTOR_READY)
    {
        child->ready.pid = 0;

    } else if (ngx_vidcast_watchdog_hangs(&child->ready, pid, 0, limit)) {
        return 1;
    }

    given = ngx_vidcast_load(
                         &source->original.zone->shm->given[child->id.index]);

    if (given == 0) {
        child->answer.pid = 0;
        return 0;
    }

    return ngx_vidcast_watchdog_hangs(&child->answer, pid, given, limit)
           && ngx_vidcast_process_lock_holder(conf->control->locks,
                                              NGX_VIDCAST_LOCK_CAPTURE
                                              + source->entry,
                                              conf->cycle->log);
}


static void
ngx_vidcast_supervisor_kill(ngx_vidcast_conf_t *conf,
    ngx_vidcast_supervised_t *child, ngx_pid_t pid)
{
    if (ngx_vidcast_watchdog_kill(conf->control->predictors,
                                  ngx_vidcast_predictor_lock(
                                      child->id.source->entry,
                                      child->id.index),
                                  pid, 1, conf->cycle->log)
        == NGX_OK)
    {
        child->mailbox->counters.killed++;
    }
}


static void
ngx_vidcast_supervisor_died(ngx_vidcast_supervised_t *child, int status,
    ngx_log_t *log)
{
    uint64_t                          now;
    ngx_uint_t                        level, rest;
    ngx_vidcast_source_t             *source;
    ngx_vidcast_escaped_t             escaped;
    ngx_vidcast_predictor_mailbox_t  *mailbox;
    u_char                            error[NGX_VIDCAST_ERROR_LEN];

    mailbox = child->mailbox;
    source = child->id.source;
    now = ngx_vidcast_clock();

    level = (status != -1 && WTERMSIG(status) && !mailbox->explained)
                ? NGX_LOG_ALERT
                : NGX_LOG_ERR;
    ngx_vidcast_supervisor_reason(mailbox, status);
    ngx_vidcast_mailbox_error(mailbox, error);

    mailbox->counters.deaths++;

    rest = ngx_vidcast_supervisor_pause(child, now);

    ngx_vidcast_store(&mailbox->pid, 0);
    ngx_vidcast_store(&mailbox->failing, 1);
    ngx_vidcast_store(&mailbox->state, rest ? NGX_VIDCAST_PREDICTOR_PAUSED
                                         : NGX_VIDCAST_PREDICTOR_FAILED);

    if (ngx_vidcast_load(&mailbox->task) != ngx_vidcast_load(&mailbox->done)) {
        ngx_vidcast_mailbox_reply(&source->original.zone->mailboxes, mailbox,
                                  NGX_VIDCAST_REPLY_LOST, 0);
    }

    ngx_vidcast_futex_wake(source->original.zone->mailboxes.futex);

    if (!ngx_vidcast_log_limit(&child->deaths, NGX_VIDCAST_LOG_DEATHS, now)) {
        return;
    }

    if (rest) {
        ngx_log_error(level, log, 0,
                      "predictor of vidcast source \"%V\" failed: %V; as it "
                      "failed %d times in %d s it is paused for %M ms",
                      &source->name,
                      ngx_vidcast_escape_text(&escaped, error),
                      NGX_VIDCAST_PREDICTOR_DEATHS,
                      NGX_VIDCAST_PREDICTOR_DYING / 1000000,
                      source->predict.pause);

    } else {
        ngx_log_error(level, log, 0,
                      "predictor of vidcast source \"%V\" failed: %V",
                      &source->name,
                      ngx_vidcast_escape_text(&escaped, error));
    }
}


static void
ngx_vidcast_supervisor_reason(ngx_vidcast_predictor_mailbox_t *mailbox,
    int status)
{
    if (mailbox->explained) {
        return;
    }

    if (status == -1) {
        ngx_vidcast_error(mailbox->error, "the process died");

    } else if (WTERMSIG(status)) {
        ngx_vidcast_error(mailbox->error, "the process exited on signal %d",
                          WTERMSIG(status));

    } else {
        ngx_vidcast_error(mailbox->error, "the process exited with code %d",
                          WEXITSTATUS(status));
    }
}


/*
 * When it may start again: at once if it did its work before, else later each
 * time, and after a pause, which is said, when it dies again and again.
 */

static ngx_uint_t
ngx_vidcast_supervisor_pause(ngx_vidcast_supervised_t *child, uint64_t now)
{
    ngx_uint_t                        i;
    ngx_vidcast_predictor_mailbox_t  *mailbox;

    mailbox = child->mailbox;

    for (i = NGX_VIDCAST_PREDICTOR_DEATHS - 1; i; i--) {
        mailbox->deaths[i] = mailbox->deaths[i - 1];
    }

    mailbox->deaths[0] = now;

    if (mailbox->deaths[NGX_VIDCAST_PREDICTOR_DEATHS - 1]
        && now - mailbox->deaths[NGX_VIDCAST_PREDICTOR_DEATHS - 1]
           < NGX_VIDCAST_PREDICTOR_DYING)
    {
        ngx_memzero(mailbox->deaths, sizeof(mailbox->deaths));

        ngx_vidcast_backoff_reset(&mailbox->backoff);
        mailbox->backoff.due = now
                      + (uint64_t) child->id.source->predict.pause * 1000;

        return 1;
    }

    if (mailbox->lived
        && now - mailbox->started >= NGX_VIDCAST_BACKOFF_SETTLED)
    {
        ngx_vidcast_backoff_reset(&mailbox->backoff);

    } else {
        ngx_vidcast_backoff_failed(&mailbox->backoff, now);
    }

    return 0;
}


static void
ngx_vidcast_supervisor_spawn(ngx_vidcast_conf_t *conf,
    ngx_vidcast_supervised_t *child)
{
    ngx_pid_t            pid;
    ngx_vidcast_child_t  task;

    ngx_memzero(&task, sizeof(ngx_vidcast_child_t));

    task.role = NGX_VIDCAST_PREDICTOR;
    task.source = child->id.source;
    task.index = child->id.index;
    task.answer = NGX_INVALID_FILE;

    pid = ngx_vidcast_child_start(&task, conf, conf->cycle);

    if (pid == NGX_INVALID_PID) {
        child->mailbox->backoff.due = ngx_vidcast_clock()
                                      + NGX_VIDCAST_BACKOFF_MIN;
        return;
    }

    child->pid = pid;
    child->coming.pid = 0;
    child->mailbox->counters.starts++;
}


void
ngx_vidcast_supervisor_end(ngx_vidcast_supervisor_t *supervisor)
{
    ngx_pid_t                  pid;
    ngx_uint_t                 i, n, left;
    ngx_vidcast_conf_t        *conf;
    ngx_vidcast_supervised_t  *child;

    conf = supervisor->conf;

    for (n = 0; n <= NGX_VIDCAST_SUPERVISOR_END; n++) {

        left = 0;

        for (i = 0; i < supervisor->n; i++) {
            child = &supervisor->child[i];

            if (child->pid
                && waitpid(child->pid, NULL, WNOHANG) == child->pid)
            {
                child->pid = 0;
            }

            pid = ngx_vidcast_predictor_pid(conf->control, child->id.source,
                                            child->id.index, conf->cycle->log);
            if (pid == 0) {
                continue;
            }

            left++;

            if (n == NGX_VIDCAST_SUPERVISOR_END) {
                ngx_vidcast_supervisor_kill(conf, child, pid);
            }
        }

        if (left == 0) {
            return;
        }

        ngx_msleep(50);
    }
}
