
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "capture/output/ngx_vidcast_output_thread.h"
#include "capture/output/ngx_vidcast_output_view.h"
#include "core/ngx_vidcast_backoff.h"
#include "core/ngx_vidcast_error.h"
#include "core/ngx_vidcast_escape.h"
#include "output/ngx_vidcast_output.h"


#define NGX_VIDCAST_OUTPUT_WAIT   200000     /* us, between two runs */
#define NGX_VIDCAST_OUTPUT_HANGS  5000000    /* us in one call */
#define NGX_VIDCAST_OUTPUT_REST   300000     /* us for what is there at last */


typedef struct {
    ngx_vidcast_capture_t        *capture;
    ngx_vidcast_output_stats_t   *stats;     /* in shared memory */
    ngx_vidcast_output_t          out;
    ngx_vidcast_output_view_t     view;
    vidcast_output_t              host;
    vidcast_output_report_t       counted;   /* of out.report */
    ngx_vidcast_backoff_t         backoff;
    uint64_t                      opened;    /* us; 0: it is not open */

    pthread_mutex_t               mutex;
    pthread_cond_t                changed;
    ngx_uint_t                    notified;

    uint64_t                      entered;   /* a call, us; 0: none */
    ngx_uint_t                    left;

    pthread_mutex_t               state_mutex;
    ngx_vidcast_log_limit_t       alarm;     /* states that must not be */
    ngx_vidcast_log_limit_t       state;     /* all others */

    /* of the main thread */

    ngx_vidcast_clock_gap_t       gap;
    uint64_t                      source_changed;
} ngx_vidcast_output_thread_t;


struct ngx_vidcast_outputs_s {
    ngx_uint_t                    n;
    ngx_vidcast_output_thread_t   thread[NGX_VIDCAST_MAX_OUTPUTS];
};


static ngx_int_t ngx_vidcast_output_thread_create(
    ngx_vidcast_output_thread_t *thread, ngx_vidcast_capture_t *capture,
    ngx_uint_t index);
static ngx_int_t ngx_vidcast_output_thread_init(
    ngx_vidcast_output_thread_t *thread, ngx_vidcast_capture_t *capture,
    ngx_uint_t index);
static void ngx_vidcast_output_thread_notify(void *data);
static void ngx_vidcast_output_thread_look(void *data);
static ngx_uint_t ngx_vidcast_output_thread_hangs(
    ngx_vidcast_output_thread_t *thread, uint64_t since);
static void *ngx_vidcast_output_thread(void *data);
static void ngx_vidcast_output_thread_wait(
    ngx_vidcast_output_thread_t *thread);
static void ngx_vidcast_output_thread_turn(
    ngx_vidcast_output_thread_t *thread);
static void ngx_vidcast_output_thread_open(
    ngx_vidcast_output_thread_t *thread);
static ngx_int_t ngx_vidcast_output_thread_run(
    ngx_vidcast_output_thread_t *thread);
static void ngx_vidcast_output_thread_close(
    ngx_vidcast_output_thread_t *thread);
static void ngx_vidcast_output_thread_failed(
    ngx_vidcast_output_thread_t *thread);
static void ngx_vidcast_output_thread_finish(
    ngx_vidcast_output_thread_t *thread);
static void ngx_vidcast_output_thread_enter(
    ngx_vidcast_output_thread_t *thread);
static void ngx_vidcast_output_thread_come_back(
    ngx_vidcast_output_thread_t *thread);
static void ngx_vidcast_output_thread_count(
    ngx_vidcast_output_thread_t *thread);
static void ngx_vidcast_output_thread_add(uint64_t *counter, uint64_t now,
    uint64_t *counted);
static void ngx_vidcast_output_thread_state(
    ngx_vidcast_output_thread_t *thread, ngx_uint_t state,
    const u_char *reason);
static void ngx_vidcast_output_thread_set_state(
    ngx_vidcast_output_thread_t *thread, ngx_uint_t state,
    const u_char *reason);
static void ngx_vidcast_output_thread_log(ngx_vidcast_output_thread_t *thread,
    ngx_uint_t state, const u_char *reason);
static void ngx_vidcast_output_thread_said(void *data, int level,
    const char *line);
static void ngx_vidcast_output_thread_wake(void *host);
static void ngx_vidcast_output_thread_wanted(void *host);
static int ngx_vidcast_output_thread_frame(void *host, uint64_t after,
    vidcast_output_frame_t *frame);
static int ngx_vidcast_output_thread_result(void *host, uint64_t seq,
    vidcast_result_t *result);
static void ngx_vidcast_output_thread_source(void *host,
    vidcast_output_state_t *state);


static const vidcast_output_t  ngx_vidcast_output_thread_host = {
    sizeof(vidcast_output_t),
    NULL,
    ngx_vidcast_output_thread_wake,
    ngx_vidcast_output_thread_wanted,
    ngx_vidcast_output_thread_frame,
    ngx_vidcast_output_thread_result,
    ngx_vidcast_output_thread_source
};


ngx_vidcast_outputs_t *
ngx_vidcast_outputs_create(ngx_vidcast_capture_t *capture)
{
    ngx_vidcast_outputs_t  *outputs;

    outputs = ngx_calloc(sizeof(ngx_vidcast_outputs_t), capture->log);
    if (outputs == NULL) {
        return NULL;
    }

    while (outputs->n < capture->source->noutputs) {

        if (ngx_vidcast_output_thread_create(&outputs->thread[outputs->n],
                                             capture, outputs->n)
            != NGX_OK)
        {
            return NULL;
        }

        outputs->n++;
    }

    return outputs;
}


static ngx_int_t
ngx_vidcast_output_thread_create(ngx_vidcast_output_thread_t *thread,
    ngx_vidcast_capture_t *capture, ngx_uint_t index)
{
    ngx_vidcast_sink_t  sink;

    if (ngx_vidcast_output_thread_init(thread, capture, index) != NGX_OK) {
        return NGX_ERROR;
    }

    sink.on_frame = ngx_vidcast_output_thread_notify;
    sink.on_result = ngx_vidcast_output_thread_notify;
    sink.on_tick = ngx_vidcast_output_thread_look;
    sink.data = thread;

    if (ngx_vidcast_capture_add_sink(capture, &sink) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_vidcast_capture_thread(capture, ngx_vidcast_output_thread,
                                      thread, "vidcast output");
}


static ngx_int_t
ngx_vidcast_output_thread_init(ngx_vidcast_output_thread_t *thread,
    ngx_vidcast_capture_t *capture, ngx_uint_t index)
{
    pthread_condattr_t  attr;

    thread->capture = capture;
    thread->stats = &capture->zone->shm->outputs[index];

    thread->host = ngx_vidcast_output_thread_host;
    thread->host.host = thread;

    thread->out.conf = &capture->source->outputs[index];
    thread->out.log = capture->log;
    thread->out.host = &thread->host;
    thread->out.log_said = ngx_vidcast_output_thread_said;
    thread->out.caller = thread;

    if (ngx_vidcast_output_view_init(&thread->view, capture, index) != NGX_OK
        || pthread_mutex_init(&thread->mutex, NULL) != 0
        || pthread_mutex_init(&thread->state_mutex, NULL) != 0
        || pthread_condattr_init(&attr) != 0
        || pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) != 0
        || pthread_cond_init(&thread->changed, &attr) != 0)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* a thread that has not looked yet is told already */

static void
ngx_vidcast_output_thread_notify(void *data)
{
    ngx_vidcast_output_thread_t  *thread = data;

    if (ngx_vidcast_load(&thread->notified)) {
        return;
    }

    (void) pthread_mutex_lock(&thread->mutex);

    ngx_vidcast_store(&thread->notified, 1);

    (void) pthread_cond_signal(&thread->changed);
    (void) pthread_mutex_unlock(&thread->mutex);
}


/* has the state of the source changed, and does it come back? */

static void
ngx_vidcast_output_thread_look(void *data)
{
    ngx_vidcast_output_thread_t  *thread = data;

    u_char      reason[NGX_VIDCAST_ERROR_LEN];
    uint64_t    since, changed;
    ngx_log_t  *log;
    ngx_str_t  *name;

    changed = ngx_vidcast_load(&thread->capture->zone->shm->changed);

    if (changed != thread->source_changed) {
        thread->source_changed = changed;
        ngx_vidcast_output_thread_notify(thread);
    }

    since = ngx_vidcast_clock_since(&thread->gap);

    if (ngx_vidcast_output_thread_hangs(thread, since)) {

        (void) pthread_mutex_lock(&thread->state_mutex);

        /* it may have come back since */

        if (ngx_vidcast_output_thread_hangs(thread, since)) {
            ngx_vidcast_error(reason, "it did not come back for %d s",
                              NGX_VIDCAST_OUTPUT_HANGS / 1000000);

            ngx_vidcast_output_thread_set_state(thread,
                                                NGX_VIDCAST_OUTPUT_HUNG,
                                                reason);
        }

        (void) pthread_mutex_unlock(&thread->state_mutex);
    }

    log = thread->capture->log;
    name = &thread->capture->source->name;

    ngx_vidcast_log_limit_tell(&thread->alarm, NGX_VIDCAST_LOG_STATES,
                               NGX_LOG_ERR, log, name, "losses of an output");
    ngx_vidcast_log_limit_tell(&thread->state, NGX_VIDCAST_LOG_STATES,
                               NGX_LOG_NOTICE, log, name,
                               "changes of the state of an output");
}


static ngx_uint_t
ngx_vidcast_output_thread_hangs(ngx_vidcast_output_thread_t *thread,
    uint64_t since)
{
    uint64_t  entered;

    entered = ngx_vidcast_load(&thread->entered);

    if (entered == 0) {
        return 0;
    }

    /* while we did not run ourselves, it may not have either */

    entered = ngx_max(entered, since);

    return ngx_vidcast_clock() >= entered + NGX_VIDCAST_OUTPUT_HANGS;
}


static void *
ngx_vidcast_output_thread(void *data)
{
    ngx_vidcast_output_thread_t  *thread = data;

    while (!ngx_vidcast_load(&thread->capture->leaving)) {
        ngx_vidcast_output_thread_turn(thread);
        ngx_vidcast_output_thread_wait(thread);
    }

    ngx_vidcast_output_thread_finish(thread);

    ngx_vidcast_store(&thread->left, 1);

    return NULL;
}


/* till there is something new, or until it is time to look */

static void
ngx_vidcast_output_thread_wait(ngx_vidcast_output_thread_t *thread)
{
    uint64_t         until;
    struct timespec  ts;

    until = ngx_vidcast_clock() + NGX_VIDCAST_OUTPUT_WAIT;

    ts.tv_sec = until / 1000000;
    ts.tv_nsec = until % 1000000 * 1000;

    (void) pthread_mutex_lock(&thread->mutex);

    while (!thread->notified
           && pthread_cond_timedwait(&thread->changed, &thread->mutex, &ts)
              == 0)
    {
        /* void */
    }

    ngx_vidcast_store(&thread->notified, 0);

    (void) pthread_mutex_unlock(&thread->mutex);
}


static void
ngx_vidcast_output_thread_turn(ngx_vidcast_output_thread_t *thread)
{
    if (thread->opened == 0) {

        if (ngx_vidcast_clock() < thread->backoff.due) {
            return;
        }

        ngx_vidcast_output_thread_open(thread);
    }

    if (thread->opened
        && ngx_vidcast_output_thread_run(thread) == NGX_ERROR)
    {
        ngx_vidcast_output_thread_close(thread);
        ngx_vidcast_output_thread_failed(thread);
    }
}


static void
ngx_vidcast_output_thread_open(ngx_vidcast_output_thread_t *thread)
{
    ngx_int_t  rc;

    ngx_memzero(&thread->out.report, sizeof(vidcast_output_report_t));
    ngx_memzero(&thread->counted, sizeof(vidcast_output_report_t));

    thread->out.error[0] = '\0';

    ngx_vidcast_output_thread_enter(thread);
    rc = thread->out.conf->module->open(&thread->out);
    ngx_vidcast_output_thread_come_back(thread);

    if (rc != NGX_OK) {
        ngx_vidcast_output_thread_failed(thread);
        return;
    }

    thread->opened = ngx_vidcast_clock();
}


static ngx_int_t
ngx_vidcast_output_thread_run(ngx_vidcast_output_thread_t *thread)
{
    ngx_int_t  rc;

    thread->out.report.size = sizeof(vidcast_output_report_t);
    thread->out.error[0] = '\0';

    ngx_vidcast_output_thread_enter(thread);
    rc = thread->out.conf->module->run(&thread->out);
    ngx_vidcast_output_thread_come_back(thread);

    ngx_vidcast_output_view_release(&thread->view);
    ngx_vidcast_output_thread_count(thread);

    if (rc != NGX_ERROR) {
        ngx_vidcast_output_thread_state(thread,
                                        rc == NGX_OK
                                            ? NGX_VIDCAST_OUTPUT_LIVE
                                            : NGX_VIDCAST_OUTPUT_WAITING,
                                        thread->out.error);
    }

    return rc;
}


static void
ngx_vidcast_output_thread_close(ngx_vidcast_output_thread_t *thread)
{
    ngx_vidcast_output_thread_enter(thread);
    thread->out.conf->module->close(&thread->out);
    ngx_vidcast_output_thread_come_back(thread);

    if (ngx_vidcast_clock() - thread->opened >= NGX_VIDCAST_BACKOFF_SETTLED) {
        ngx_vidcast_backoff_reset(&thread->backoff);
    }

    thread->opened = 0;
    ngx_vidcast_store(&thread->stats->readers, 0);
}


static void
ngx_vidcast_output_thread_failed(ngx_vidcast_output_thread_t *thread)
{
    ngx_vidcast_backoff_failed(&thread->backoff, ngx_vidcast_clock());

    ngx_vidcast_output_thread_state(thread, NGX_VIDCAST_OUTPUT_FAILED,
                                    thread->out.error);
}


/* what is there goes on, as long as it takes something */

static void
ngx_vidcast_output_thread_finish(ngx_vidcast_output_thread_t *thread)
{
    uint64_t  due, given;

    if (thread->opened == 0) {
        return;
    }

    due = ngx_vidcast_clock() + NGX_VIDCAST_OUTPUT_REST;

    do {
        given = thread->view.given;

    } while (ngx_vidcast_output_thread_run(thread) == NGX_OK
             && thread->view.given != given
             && ngx_vidcast_clock() < due);

    ngx_vidcast_output_thread_close(thread);
}


static void
ngx_vidcast_output_thread_enter(ngx_vidcast_output_thread_t *thread)
{
    ngx_vidcast_store(&thread->entered, ngx_vidcast_clock());
}


static void
ngx_vidcast_output_thread_come_back(ngx_vidcast_output_thread_t *thread)
{
    ngx_vidcast_store(&thread->entered, 0);
}


static void
ngx_vidcast_output_thread_count(ngx_vidcast_output_thread_t *thread)
{
    vidcast_output_report_t     *now, *counted;
    ngx_vidcast_output_stats_t  *stats;

    stats = thread->stats;
    now = &thread->out.report;
    counted = &thread->counted;

    ngx_vidcast_output_thread_add(&stats->frames, now->frames,
                                  &counted->frames);
    ngx_vidcast_output_thread_add(&stats->results, now->results,
                                  &counted->results);
    ngx_vidcast_output_thread_add(&stats->bytes, now->bytes, &counted->bytes);
    ngx_vidcast_output_thread_add(&stats->skipped, now->skipped,
                                  &counted->skipped);
    ngx_vidcast_output_thread_add(&stats->too_large, now->too_large,
                                  &counted->too_large);
    ngx_vidcast_output_thread_add(&stats->lost, now->lost, &counted->lost);
    ngx_vidcast_output_thread_add(&stats->reconnects, now->reconnects,
                                  &counted->reconnects);

    ngx_vidcast_store(&stats->readers, now->readers);
}


/* no counter goes back, whatever a plugin says */

static void
ngx_vidcast_output_thread_add(uint64_t *counter, uint64_t now,
    uint64_t *counted)
{
    if (now > *counted) {
        ngx_vidcast_count(counter, now - *counted);
    }

    *counted = now;
}


static void
ngx_vidcast_output_thread_state(ngx_vidcast_output_thread_t *thread,
    ngx_uint_t state, const u_char *reason)
{
    (void) pthread_mutex_lock(&thread->state_mutex);

    ngx_vidcast_output_thread_set_state(thread, state, reason);

    (void) pthread_mutex_unlock(&thread->state_mutex);
}


/* what is wrong with one that is live is in its own lines of the log */

static void
ngx_vidcast_output_thread_set_state(ngx_vidcast_output_thread_t *thread,
    ngx_uint_t state, const u_char *reason)
{
    ngx_uint_t                   before;
    ngx_vidcast_output_stats_t  *stats;

    stats = thread->stats;
    before = ngx_vidcast_load(&stats->state);

    if (before == state
        && ngx_strncmp(stats->error, reason, NGX_VIDCAST_ERROR_LEN - 1) == 0)
    {
        return;
    }

    (void) ngx_cpystrn(stats->error, (u_char *) reason, NGX_VIDCAST_ERROR_LEN);

    if (before != state) {
        ngx_vidcast_store(&stats->changed, ngx_vidcast_clock());
        ngx_vidcast_store(&stats->state, state);
    }

    if (before != state || state != NGX_VIDCAST_OUTPUT_LIVE) {
        ngx_vidcast_output_thread_log(thread, state, reason);
    }
}


static void
ngx_vidcast_output_thread_log(ngx_vidcast_output_thread_t *thread,
    ngx_uint_t state, const u_char *reason)
{
    ngx_uint_t                alarm, level;
    ngx_vidcast_escaped_t     escaped;
    ngx_vidcast_log_limit_t  *limit;

    alarm = (state != NGX_VIDCAST_OUTPUT_LIVE);
    level = alarm ? NGX_LOG_ERR : NGX_LOG_NOTICE;
    limit = alarm ? &thread->alarm : &thread->state;

    if (!ngx_vidcast_log_limit(limit, NGX_VIDCAST_LOG_STATES,
                               ngx_vidcast_clock()))
    {
        return;
    }

    ngx_log_error(level, thread->capture->log, 0,
                  "output \"%V\" of vidcast source \"%V\" is %V%s%V",
                  &thread->out.conf->uri, &thread->capture->source->name,
                  ngx_vidcast_output_state_name(state), *reason ? ": " : "",
                  ngx_vidcast_escape_text(&escaped, reason));
}


static void
ngx_vidcast_output_thread_said(void *data, int level, const char *line)
{
    ngx_vidcast_output_thread_t  *thread = data;

    ngx_vidcast_capture_log_said(thread->capture, level, line);
}


static void
ngx_vidcast_output_thread_wake(void *host)
{
    ngx_vidcast_output_thread_notify(host);
}


static void
ngx_vidcast_output_thread_wanted(void *host)
{
    ngx_vidcast_output_thread_t  *thread = host;

    ngx_vidcast_zone_wake_on_demand(thread->capture->zone);
}


static int
ngx_vidcast_output_thread_frame(void *host, uint64_t after,
    vidcast_output_frame_t *frame)
{
    ngx_vidcast_output_thread_t  *thread = host;

    return ngx_vidcast_output_view_frame(&thread->view, after, frame);
}


static int
ngx_vidcast_output_thread_result(void *host, uint64_t seq,
    vidcast_result_t *result)
{
    ngx_vidcast_output_thread_t  *thread = host;

    return ngx_vidcast_output_view_result(&thread->view, seq, result);
}


static void
ngx_vidcast_output_thread_source(void *host, vidcast_output_state_t *state)
{
    ngx_vidcast_output_thread_t  *thread = host;

    ngx_vidcast_output_view_state(&thread->view, state);
}


void
ngx_vidcast_outputs_leave(ngx_vidcast_outputs_t *outputs)
{
    ngx_uint_t  i;

    for (i = 0; i < outputs->n; i++) {
        ngx_vidcast_output_thread_notify(&outputs->thread[i]);
    }
}


ngx_uint_t
ngx_vidcast_outputs_left(ngx_vidcast_outputs_t *outputs)
{
    ngx_uint_t  i;

    for (i = 0; i < outputs->n; i++) {
        if (!ngx_vidcast_load(&outputs->thread[i].left)) {
            return 0;
        }
    }

    return 1;
}


ngx_uint_t
ngx_vidcast_outputs_needs(ngx_vidcast_source_t *source, ngx_uint_t needs)
{
    ngx_uint_t                  i, one;
    ngx_vidcast_output_conf_t  *output;

    for (i = 0; needs && i < source->noutputs; i++) {
        output = &source->outputs[i];
        one = output->module->needs(output);

        needs = one ? needs | one : 0;
    }

    return needs;
}


void
ngx_vidcast_outputs_begin(ngx_vidcast_source_t *source,
    ngx_vidcast_zone_shm_t *shm, ngx_uint_t anew)
{
    ngx_uint_t                   i;
    ngx_vidcast_output_stats_t  *stats;

    for (i = 0; i < source->noutputs; i++) {
        stats = &shm->outputs[i];

        if (anew) {
            ngx_memzero(stats, sizeof(ngx_vidcast_output_stats_t));
        }

        stats->error[0] = '\0';
        stats->readers = 0;

        ngx_vidcast_store(&stats->changed, ngx_vidcast_clock());
        ngx_vidcast_store(&stats->state, NGX_VIDCAST_OUTPUT_STARTING);
    }
}


void
ngx_vidcast_outputs_end(ngx_vidcast_zone_shm_t *shm)
{
    ngx_uint_t                   i;
    ngx_vidcast_output_stats_t  *stats;

    for (i = 0; i < NGX_VIDCAST_MAX_OUTPUTS; i++) {
        stats = &shm->outputs[i];

        stats->error[0] = '\0';

        ngx_vidcast_store(&stats->readers, 0);
        ngx_vidcast_store(&stats->changed, ngx_vidcast_clock());
        ngx_vidcast_store(&stats->state, NGX_VIDCAST_OUTPUT_OFF);
    }
}
