
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast_error.h"
#include "capture/ngx_vidcast_scheduler.h"


static void ngx_vidcast_scheduler_offer(ngx_vidcast_scheduler_t *scheduler,
    uint32_t slot, uint64_t number);
static void ngx_vidcast_scheduler_put(ngx_vidcast_scheduler_t *scheduler,
    ngx_vidcast_frame_t *frame, ngx_vidcast_raw_t *raw);
static void ngx_vidcast_scheduler_room(ngx_vidcast_scheduler_t *scheduler);
static void *ngx_vidcast_scheduler_thread(void *data);
static void ngx_vidcast_scheduler_turn(ngx_vidcast_scheduler_t *scheduler);
static void ngx_vidcast_scheduler_finish(ngx_vidcast_scheduler_t *scheduler,
    ngx_vidcast_task_t *task);
static void ngx_vidcast_scheduler_publish(ngx_vidcast_scheduler_t *scheduler,
    ngx_vidcast_task_t *task);
static void ngx_vidcast_scheduler_failed(ngx_vidcast_scheduler_t *scheduler,
    ngx_vidcast_task_t *task, ngx_vidcast_result_t *result);
static const char *ngx_vidcast_scheduler_status(ngx_uint_t status);
static ngx_uint_t ngx_vidcast_scheduler_assign(
    ngx_vidcast_scheduler_t *scheduler);
static ngx_vidcast_task_t *ngx_vidcast_scheduler_place(
    ngx_vidcast_scheduler_t *scheduler);


ngx_vidcast_scheduler_t *
ngx_vidcast_scheduler_create(ngx_vidcast_capture_t *capture,
    ngx_vidcast_backend_t *backend)
{
    ngx_uint_t                i;
    ngx_vidcast_geometry_t   *g;
    ngx_vidcast_scheduler_t  *scheduler;

    scheduler = ngx_calloc(sizeof(ngx_vidcast_scheduler_t), capture->log);
    if (scheduler == NULL) {
        return NULL;
    }

    g = &capture->source->original.geometry;

    scheduler->capture = capture;
    scheduler->backend = backend;
    scheduler->lossless = capture->source->input.lossless;
    scheduler->predict.conf = &capture->source->predict;
    scheduler->predict.log = capture->log;

    if (backend->create(scheduler) != NGX_OK) {
        return NULL;
    }

    scheduler->ntasks = 2 * scheduler->n;

    scheduler->tasks = ngx_calloc(scheduler->ntasks
                                  * sizeof(ngx_vidcast_task_t),
                                  capture->log);
    if (scheduler->tasks == NULL) {
        return NULL;
    }

    for (i = 0; i < scheduler->ntasks; i++) {
        scheduler->tasks[i].text = ngx_alloc(g->result_size, capture->log);
        if (scheduler->tasks[i].text == NULL) {
            return NULL;
        }
    }

    if (pthread_mutex_init(&scheduler->mutex, NULL) != 0
        || pthread_cond_init(&scheduler->taken, NULL) != 0
        || ngx_vidcast_capture_thread(capture, ngx_vidcast_scheduler_thread,
                                      scheduler, "vidcast predict")
           != NGX_OK)
    {
        return NULL;
    }

    return scheduler;
}


ngx_int_t
ngx_vidcast_scheduler_offer_raw(ngx_vidcast_scheduler_t *scheduler,
    ngx_vidcast_raw_t *raw)
{
    ngx_vidcast_frame_t  frame;

    if (!scheduler->backend->raw) {
        return NGX_DECLINED;
    }

    ngx_vidcast_scheduler_room(scheduler);

    ngx_memzero(&frame, sizeof(ngx_vidcast_frame_t));

    frame.number = raw->number;
    frame.captured = raw->captured;
    frame.pts = raw->pts;
    frame.media_time = raw->media_time;
    frame.width = raw->image.width;
    frame.height = raw->image.height;
    frame.slot = NGX_VIDCAST_RING_NONE;

    ngx_vidcast_scheduler_put(scheduler, &frame, raw);

    return NGX_OK;
}


void
ngx_vidcast_scheduler_publish_frame(ngx_vidcast_capture_t *capture,
    ngx_vidcast_frame_publish_t *frame, ngx_uint_t offered)
{
    ngx_vidcast_scheduler_t  *scheduler;

    scheduler = offered ? NULL : capture->scheduler;

    if (scheduler) {
        ngx_vidcast_scheduler_room(scheduler);
    }

    if (ngx_vidcast_frame_publish(&capture->writer, frame) == NGX_OK
        && scheduler)
    {
        ngx_vidcast_scheduler_offer(scheduler, frame->slot, frame->number);
    }
}


static void
ngx_vidcast_scheduler_offer(ngx_vidcast_scheduler_t *scheduler, uint32_t slot,
    uint64_t number)
{
    ngx_vidcast_frame_t  frame;

    frame.slot = slot;
    frame.number = number;

    ngx_vidcast_scheduler_put(scheduler, &frame, NULL);
}


static void
ngx_vidcast_scheduler_put(ngx_vidcast_scheduler_t *scheduler,
    ngx_vidcast_frame_t *frame, ngx_vidcast_raw_t *raw)
{
    ngx_uint_t               idle, skipped;
    ngx_vidcast_raw_t       *old_raw;
    ngx_vidcast_ring_t      *ring;
    ngx_vidcast_frame_t      old;
    ngx_vidcast_counters_t  *counters;

    ring = &scheduler->capture->zone->ring;
    counters = scheduler->capture->counters;

    ngx_vidcast_count(&counters->offered, 1);

    (void) pthread_mutex_lock(&scheduler->mutex);

    if (scheduler->offered++ % scheduler->predict.conf->every) {
        scheduler->left_out = frame->number;
        idle = (!scheduler->waiting && scheduler->open == 0);

        (void) pthread_mutex_unlock(&scheduler->mutex);

        ngx_vidcast_count(&counters->every, 1);

        /* after those in hand, whose results are still to come */

        if (idle) {
            ngx_vidcast_capture_judged(scheduler->capture, frame->number);
        }

        return;
    }

    if (raw) {
        ngx_vidcast_raw_refer(raw);

    } else if (ngx_vidcast_ring_acquire_at(ring, frame->slot, frame->number,
                                           frame)
               != NGX_OK)
    {
        (void) pthread_mutex_unlock(&scheduler->mutex);
        ngx_vidcast_count(&counters->gone, 1);
        return;
    }

    skipped = scheduler->waiting;
    old = scheduler->next;
    old_raw = scheduler->raw;

    scheduler->next = *frame;
    scheduler->raw = raw;
    scheduler->waiting = 1;

    (void) pthread_mutex_unlock(&scheduler->mutex);

    ngx_vidcast_futex_wake(scheduler->futex);

    if (!skipped) {
        return;
    }

    if (old_raw) {
        ngx_vidcast_raw_unref(old_raw);

    } else {
        ngx_vidcast_ring_release(ring, &old);
    }

    ngx_vidcast_count(&counters->predictor_busy, 1);
}


static void
ngx_vidcast_scheduler_room(ngx_vidcast_scheduler_t *scheduler)
{
    if (!scheduler->lossless) {
        return;
    }

    (void) pthread_mutex_lock(&scheduler->mutex);

    while (scheduler->waiting) {
        (void) pthread_cond_wait(&scheduler->taken, &scheduler->mutex);
    }

    (void) pthread_mutex_unlock(&scheduler->mutex);
}


void
ngx_vidcast_scheduler_drain(ngx_vidcast_scheduler_t *scheduler)
{
    (void) pthread_mutex_lock(&scheduler->mutex);

    while (scheduler->waiting || scheduler->open) {
        (void) pthread_cond_wait(&scheduler->taken, &scheduler->mutex);
    }

    (void) pthread_mutex_unlock(&scheduler->mutex);
}


static void *
ngx_vidcast_scheduler_thread(void *data)
{
    ngx_vidcast_scheduler_t  *scheduler = data;

    uint32_t  seen;

    if (scheduler->backend->open) {
        scheduler->backend->open(scheduler);
    }

    for ( ;; ) {
        seen = ngx_vidcast_load(scheduler->futex);

        ngx_vidcast_scheduler_turn(scheduler);

        ngx_vidcast_futex_wait(scheduler->futex, seen,
                               scheduler->backend->look);
    }

    return NULL;
}


/* takes replies, publishes those whose turn it is, and gives frames */

static void
ngx_vidcast_scheduler_turn(ngx_vidcast_scheduler_t *scheduler)
{
    ngx_vidcast_task_t  *task;

    if (scheduler->backend->collect) {
        scheduler->backend->collect(scheduler);
    }

    do {
        while (scheduler->first < scheduler->last) {
            task = &scheduler->tasks[scheduler->first % scheduler->ntasks];

            if (task->waiting) {
                break;
            }

            ngx_vidcast_scheduler_finish(scheduler, task);
            scheduler->first++;
        }

    } while (ngx_vidcast_scheduler_assign(scheduler));
}


static void
ngx_vidcast_scheduler_finish(ngx_vidcast_scheduler_t *scheduler,
    ngx_vidcast_task_t *task)
{
    uint64_t  left_out;

    ngx_vidcast_scheduler_publish(scheduler, task);

    left_out = 0;

    (void) pthread_mutex_lock(&scheduler->mutex);

    if (--scheduler->open == 0) {
        (void) pthread_cond_broadcast(&scheduler->taken);

        if (!scheduler->waiting) {
            left_out = scheduler->left_out;
        }
    }

    (void) pthread_mutex_unlock(&scheduler->mutex);

    if (left_out > task->frame.number) {
        ngx_vidcast_capture_judged(scheduler->capture, left_out);
    }
}


static void
ngx_vidcast_scheduler_publish(ngx_vidcast_scheduler_t *scheduler,
    ngx_vidcast_task_t *task)
{
    ngx_vidcast_result_t    result;
    ngx_vidcast_capture_t  *capture;

    capture = scheduler->capture;

    if (task->status == NGX_VIDCAST_REPLY_NONE) {
        ngx_vidcast_count(&capture->counters->no_result, 1);
        ngx_vidcast_capture_judged(capture, task->frame.number);
        return;
    }

    ngx_memzero(&result, sizeof(ngx_vidcast_result_t));

    result.frame = task->frame.number;
    result.captured = task->frame.captured;
    result.pts = task->frame.pts;
    result.predict = task->replied - task->given;
    result.width = task->frame.width;
    result.height = task->frame.height;
    result.slot = task->pinned ? task->frame.slot : NGX_VIDCAST_RING_NONE;

    if (task->status == NGX_VIDCAST_REPLY_OK) {

        if (!ngx_vidcast_predict_emits(&scheduler->predict, task->text,
                                       task->size))
        {
            ngx_vidcast_capture_predicted(capture, result.predict);
            ngx_vidcast_capture_judged(capture, task->frame.number);
            return;
        }

        if (ngx_vidcast_result_publish(capture, &result, task->text,
                                       task->size)
            == NGX_OK)
        {
            ngx_vidcast_predict_emitted(&scheduler->predict);
            return;
        }

        task->status = NGX_VIDCAST_REPLY_TOO_LARGE;
        ngx_vidcast_error(task->error,
                          "the result is too large, see \"results\"");
    }

    ngx_vidcast_scheduler_failed(scheduler, task, &result);
}


static void
ngx_vidcast_scheduler_failed(ngx_vidcast_scheduler_t *scheduler,
    ngx_vidcast_task_t *task, ngx_vidcast_result_t *result)
{
    ngx_vidcast_capture_t  *capture;

    capture = scheduler->capture;

    ngx_vidcast_count(&capture->counters->predictor_error, 1);

    if (task->status != NGX_VIDCAST_REPLY_LOST) {

        /* deaths are the manager's to log */

        ngx_vidcast_capture_log_predictor(capture, NGX_LOG_ERR,
                                          "gave a bad result", task->error);
    }

    result->status = ngx_vidcast_scheduler_status(task->status);
    result->error = task->error;

    if (!ngx_vidcast_predict_emits(&scheduler->predict,
                                   (u_char *) result->status,
                                   ngx_strlen(result->status))
        || ngx_vidcast_result_publish(capture, result, (u_char *) "null", 4)
           != NGX_OK)
    {
        ngx_vidcast_capture_judged(capture, task->frame.number);
        return;
    }

    ngx_vidcast_predict_emitted(&scheduler->predict);
}


/* in the words of the viewers' messages */

static const char *
ngx_vidcast_scheduler_status(ngx_uint_t status)
{
    switch (status) {

    case NGX_VIDCAST_REPLY_TOO_LARGE:
        return "result_too_large";

    case NGX_VIDCAST_REPLY_BAD:
        return "bad_result";

    default: /* NGX_VIDCAST_REPLY_LOST */
        return "predictor_failed";
    }
}


/* the waiting frame to a predictor that is free; nonzero: there was one */

static ngx_uint_t
ngx_vidcast_scheduler_assign(ngx_vidcast_scheduler_t *scheduler)
{
    ngx_int_t            rc;
    ngx_uint_t           waiting;
    ngx_vidcast_task_t  *task;

    task = ngx_vidcast_scheduler_place(scheduler);

    if (task == NULL) {
        return 0;
    }

    rc = scheduler->backend->ready(scheduler, task->error);

    if (rc == NGX_AGAIN) {
        return 0;
    }

    (void) pthread_mutex_lock(&scheduler->mutex);

    waiting = scheduler->waiting;

    if (waiting) {
        ngx_vidcast_scheduler_release(scheduler, task);

        task->frame = scheduler->next;
        task->raw = scheduler->raw;
        task->pinned = (task->raw == NULL);

        scheduler->raw = NULL;
        scheduler->waiting = 0;
        scheduler->open++;

        (void) pthread_cond_broadcast(&scheduler->taken);
    }

    (void) pthread_mutex_unlock(&scheduler->mutex);

    if (!waiting) {
        return 0;
    }

    task->waiting = (rc == NGX_OK);
    task->status = NGX_VIDCAST_REPLY_LOST;
    task->given = ngx_vidcast_clock();
    task->replied = task->given;

    scheduler->last++;

    ngx_vidcast_store(&scheduler->capture->zone->shm->predicting,
                      task->frame.number);

    scheduler->backend->give(scheduler, task);

    return 1;
}


/*
 * The next place, NULL: none is free.  A frame that a predictor still reads
 * stays pinned: it changes places with one that nobody reads.
 */

static ngx_vidcast_task_t *
ngx_vidcast_scheduler_place(ngx_vidcast_scheduler_t *scheduler)
{
    uint64_t                n;
    ngx_vidcast_task_t     *next, *task, saved;
    ngx_vidcast_backend_t  *backend;

    backend = scheduler->backend;

    /* one place is for the frame of the last result */

    if (scheduler->last - scheduler->first >= scheduler->ntasks - 1) {
        return NULL;
    }

    next = &scheduler->tasks[scheduler->last % scheduler->ntasks];

    for (n = scheduler->last; n < scheduler->first + scheduler->ntasks; n++) {
        task = &scheduler->tasks[n % scheduler->ntasks];

        if (task->pinned && backend->reads && backend->reads(scheduler, task)) {
            continue;
        }

        if (task != next) {
            saved = *next;
            *next = *task;
            *task = saved;
        }

        return next;
    }

    return NULL;
}


void
ngx_vidcast_scheduler_release(ngx_vidcast_scheduler_t *scheduler,
    ngx_vidcast_task_t *task)
{
    if (task->raw) {
        ngx_vidcast_raw_unref(task->raw);
        task->raw = NULL;
    }

    if (task->pinned) {
        ngx_vidcast_ring_release(&scheduler->capture->zone->ring,
                                 &task->frame);
        task->pinned = 0;
    }
}
