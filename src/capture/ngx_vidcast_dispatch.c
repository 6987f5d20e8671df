
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast_error.h"
#include "capture/ngx_vidcast_capture.h"
#include "predict/ngx_vidcast_predict.h"


#define NGX_VIDCAST_DISPATCH_LOOK  100    /* ms, for those who died */


/*
 * Frames wait here for their answers, in their order, and leave in it.  One
 * that has left keeps its pin till its place is needed: a viewer of pairs may
 * still ask for the picture.
 */

typedef struct {
    ngx_vidcast_frame_t           frame;
    ngx_uint_t                    status;
    uint64_t                      given;     /* CLOCK_MONOTONIC, us */
    uint64_t                      answered;
    u_char                       *text;
    size_t                        size;
    u_char                        error[NGX_VIDCAST_ERROR_LEN];
    unsigned                      pinned:1;
    unsigned                      waiting:1; /* for its answer */
} ngx_vidcast_dispatch_entry_t;


/* a predictor as we see it; its mailbox may be written to by anybody there */

typedef struct {
    ngx_vidcast_predictor_mailbox_t  *mailbox;
    uint64_t                          task;  /* the last one given */
    ngx_vidcast_dispatch_entry_t     *entry; /* NULL: nobody waits for it */
    unsigned                          busy:1;
} ngx_vidcast_dispatch_worker_t;


struct ngx_vidcast_dispatch_s {
    ngx_vidcast_capture_t          *capture;
    ngx_vidcast_predict_t           predict; /* for news */
    ngx_vidcast_mailboxes_t        *mailboxes;
    ngx_vidcast_dispatch_worker_t  *workers;

    ngx_vidcast_dispatch_entry_t   *entries; /* two a worker */
    ngx_uint_t                      nentries;
    uint64_t                        first;   /* not yet published */
    uint64_t                        last;    /* not yet there */

    ngx_uint_t                      exact;   /* no frame may be skipped */
    ngx_uint_t                      offered; /* by the thread that publishes */

    pthread_mutex_t                 mutex;   /* of what follows */
    pthread_cond_t                  taken;
    ngx_vidcast_frame_t             next;    /* pinned */
    ngx_uint_t                      waiting; /* it is there */
    ngx_uint_t                      open;    /* taken, not yet published */
};


static void *ngx_vidcast_dispatch_thread(void *data);
static void ngx_vidcast_dispatch_turn(ngx_vidcast_dispatch_t *dispatch);
static void ngx_vidcast_dispatch_release(ngx_vidcast_dispatch_t *dispatch,
    ngx_vidcast_frame_t *frame);
static void ngx_vidcast_dispatch_collect(ngx_vidcast_dispatch_t *dispatch);
static void ngx_vidcast_dispatch_reply(ngx_vidcast_dispatch_t *dispatch,
    ngx_vidcast_dispatch_worker_t *worker, ngx_uint_t status);
static void ngx_vidcast_dispatch_finish(ngx_vidcast_dispatch_t *dispatch,
    ngx_vidcast_dispatch_entry_t *entry);
static void ngx_vidcast_dispatch_publish(ngx_vidcast_dispatch_t *dispatch,
    ngx_vidcast_dispatch_entry_t *entry);
static const char *ngx_vidcast_dispatch_status(ngx_uint_t status);
static ngx_uint_t ngx_vidcast_dispatch_assign(
    ngx_vidcast_dispatch_t *dispatch);
static ngx_uint_t ngx_vidcast_dispatch_waiting(
    ngx_vidcast_dispatch_t *dispatch);
static ngx_vidcast_dispatch_worker_t *ngx_vidcast_dispatch_choose(
    ngx_vidcast_dispatch_t *dispatch, ngx_uint_t failing);
static ngx_uint_t ngx_vidcast_dispatch_failing(
    ngx_vidcast_dispatch_t *dispatch, u_char *error);
static void ngx_vidcast_dispatch_give(ngx_vidcast_dispatch_t *dispatch,
    ngx_vidcast_dispatch_worker_t *worker,
    ngx_vidcast_dispatch_entry_t *entry, ngx_vidcast_frame_t *frame);


ngx_vidcast_dispatch_t *
ngx_vidcast_dispatch_create(ngx_vidcast_capture_t *capture)
{
    size_t                   size;
    ngx_uint_t               i, n;
    ngx_vidcast_dispatch_t  *dispatch;

    dispatch = ngx_calloc(sizeof(ngx_vidcast_dispatch_t), capture->log);
    if (dispatch == NULL) {
        return NULL;
    }

    dispatch->capture = capture;
    dispatch->predict.conf = &capture->source->predict;
    dispatch->exact = capture->source->input.lossless;
    dispatch->mailboxes = &capture->zone->mailboxes;

    n = dispatch->mailboxes->n;
    size = capture->source->geometry.result_size;

    dispatch->nentries = 2 * n;

    dispatch->entries = ngx_calloc(dispatch->nentries
                                   * sizeof(ngx_vidcast_dispatch_entry_t),
                                   capture->log);
    dispatch->workers = ngx_calloc(n * sizeof(ngx_vidcast_dispatch_worker_t),
                                   capture->log);

    if (dispatch->entries == NULL || dispatch->workers == NULL) {
        return NULL;
    }

    for (i = 0; i < dispatch->nentries; i++) {
        dispatch->entries[i].text = ngx_alloc(size, capture->log);
        if (dispatch->entries[i].text == NULL) {
            return NULL;
        }
    }

    for (i = 0; i < n; i++) {
        dispatch->workers[i].mailbox = ngx_vidcast_mailbox(dispatch->mailboxes,
                                                           i);
    }

    if (pthread_mutex_init(&dispatch->mutex, NULL) != 0
        || pthread_cond_init(&dispatch->taken, NULL) != 0
        || ngx_vidcast_capture_thread(capture, ngx_vidcast_dispatch_thread,
                                      dispatch, "vidcast predict")
           != NGX_OK)
    {
        return NULL;
    }

    return dispatch;
}


void
ngx_vidcast_dispatch_offer(ngx_vidcast_dispatch_t *dispatch, uint32_t slot,
    uint64_t number)
{
    ngx_uint_t            skipped;
    ngx_vidcast_ring_t   *ring;
    ngx_vidcast_frame_t   frame, old;

    ring = &dispatch->capture->zone->ring;

    if (dispatch->offered++ % dispatch->capture->source->predict.every) {
        ngx_vidcast_count(&dispatch->capture->counters->every, 1);
        return;
    }

    if (ngx_vidcast_ring_acquire_at(ring, slot, number, &frame) != NGX_OK) {
        ngx_vidcast_count(&dispatch->capture->counters->gone, 1);
        return;
    }

    (void) pthread_mutex_lock(&dispatch->mutex);

    skipped = dispatch->waiting;
    old = dispatch->next;

    dispatch->next = frame;
    dispatch->waiting = 1;

    (void) pthread_mutex_unlock(&dispatch->mutex);

    if (skipped) {
        ngx_vidcast_ring_release(ring, &old);
        ngx_vidcast_count(&dispatch->capture->counters->predictor_busy, 1);
    }

    ngx_vidcast_futex_wake(dispatch->mailboxes->futex);
}


void
ngx_vidcast_dispatch_room(ngx_vidcast_dispatch_t *dispatch)
{
    (void) pthread_mutex_lock(&dispatch->mutex);

    while (dispatch->exact && dispatch->waiting) {
        (void) pthread_cond_wait(&dispatch->taken, &dispatch->mutex);
    }

    (void) pthread_mutex_unlock(&dispatch->mutex);
}


void
ngx_vidcast_dispatch_drain(ngx_vidcast_dispatch_t *dispatch)
{
    (void) pthread_mutex_lock(&dispatch->mutex);

    while (dispatch->waiting || dispatch->open) {
        (void) pthread_cond_wait(&dispatch->taken, &dispatch->mutex);
    }

    (void) pthread_mutex_unlock(&dispatch->mutex);
}


static void *
ngx_vidcast_dispatch_thread(void *data)
{
    ngx_vidcast_dispatch_t  *dispatch = data;

    uint32_t  seen;

    for ( ;; ) {
        seen = ngx_vidcast_load(dispatch->mailboxes->futex);

        ngx_vidcast_dispatch_turn(dispatch);

        ngx_vidcast_futex_wait(dispatch->mailboxes->futex, seen,
                               NGX_VIDCAST_DISPATCH_LOOK);
    }

    return NULL;
}


/* takes answers, publishes those whose turn it is, and gives frames */

static void
ngx_vidcast_dispatch_turn(ngx_vidcast_dispatch_t *dispatch)
{
    ngx_vidcast_dispatch_entry_t  *entry;

    ngx_vidcast_dispatch_collect(dispatch);

    do {
        while (dispatch->first < dispatch->last) {
            entry = &dispatch->entries[dispatch->first % dispatch->nentries];

            if (entry->waiting) {
                break;
            }

            ngx_vidcast_dispatch_finish(dispatch, entry);
            dispatch->first++;
        }

    } while (ngx_vidcast_dispatch_assign(dispatch));
}


static void
ngx_vidcast_dispatch_release(ngx_vidcast_dispatch_t *dispatch,
    ngx_vidcast_frame_t *frame)
{
    ngx_vidcast_ring_release(&dispatch->capture->zone->ring, frame);
}


/* answers, and the want of them from those who are dead */

static void
ngx_vidcast_dispatch_collect(ngx_vidcast_dispatch_t *dispatch)
{
    ngx_uint_t                        i;
    ngx_vidcast_predictor_mailbox_t  *mailbox;
    ngx_vidcast_dispatch_worker_t    *worker;

    for (i = 0; i < dispatch->mailboxes->n; i++) {
        worker = &dispatch->workers[i];
        mailbox = worker->mailbox;

        if (!worker->busy) {
            continue;
        }

        if (ngx_vidcast_load(&mailbox->done) == worker->task) {
            worker->busy = 0;
            ngx_vidcast_dispatch_reply(dispatch, worker,
                                       ngx_vidcast_load(&mailbox->status));
            continue;
        }

        if (ngx_vidcast_load(&mailbox->state) != NGX_VIDCAST_PREDICTOR_READY) {

            /* the mailbox is cleared by its next predictor */

            ngx_vidcast_dispatch_reply(dispatch, worker,
                                       NGX_VIDCAST_REPLY_LOST);
        }
    }
}


static void
ngx_vidcast_dispatch_reply(ngx_vidcast_dispatch_t *dispatch,
    ngx_vidcast_dispatch_worker_t *worker, ngx_uint_t status)
{
    uint32_t                          size;
    ngx_vidcast_dispatch_entry_t     *entry;
    ngx_vidcast_predictor_mailbox_t  *mailbox;

    entry = worker->entry;
    worker->entry = NULL;

    if (entry == NULL) {
        return;
    }

    mailbox = worker->mailbox;

    entry->waiting = 0;
    entry->answered = ngx_vidcast_clock();
    entry->status = ngx_min(status, NGX_VIDCAST_REPLY_LOST);

    if (entry->status == NGX_VIDCAST_REPLY_OK) {

        /* read once: it may be another one the next time */

        size = ngx_vidcast_load(&mailbox->size);

        entry->size = ngx_min(size, dispatch->mailboxes->text);
        ngx_memcpy(entry->text, ngx_vidcast_mailbox_text(mailbox), entry->size);
        return;
    }

    ngx_vidcast_mailbox_error(mailbox, entry->error);
}


static void
ngx_vidcast_dispatch_finish(ngx_vidcast_dispatch_t *dispatch,
    ngx_vidcast_dispatch_entry_t *entry)
{
    ngx_vidcast_dispatch_publish(dispatch, entry);

    (void) pthread_mutex_lock(&dispatch->mutex);

    if (--dispatch->open == 0) {
        (void) pthread_cond_broadcast(&dispatch->taken);
    }

    (void) pthread_mutex_unlock(&dispatch->mutex);
}


static void
ngx_vidcast_dispatch_publish(ngx_vidcast_dispatch_t *dispatch,
    ngx_vidcast_dispatch_entry_t *entry)
{
    ngx_vidcast_result_t    result;
    ngx_vidcast_capture_t  *capture;

    capture = dispatch->capture;

    if (entry->status == NGX_VIDCAST_REPLY_NONE) {
        ngx_vidcast_count(&capture->counters->no_result, 1);
        ngx_vidcast_capture_judged(capture, entry->frame.number);
        return;
    }

    ngx_memzero(&result, sizeof(ngx_vidcast_result_t));

    result.frame = entry->frame.number;
    result.captured = entry->frame.captured;
    result.predict = entry->answered - entry->given;
    result.width = entry->frame.width;
    result.height = entry->frame.height;
    result.slot = entry->frame.slot;
    result.error = entry->error;

    if (entry->status == NGX_VIDCAST_REPLY_OK) {

        if (!ngx_vidcast_predict_emits(&dispatch->predict, entry->text,
                                       entry->size))
        {
            ngx_vidcast_capture_predicted(capture, result.predict);
            ngx_vidcast_capture_judged(capture, entry->frame.number);
            return;
        }

        if (ngx_vidcast_result_publish(capture, &result, entry->text,
                                       entry->size)
            == NGX_OK)
        {
            return;
        }

        entry->status = NGX_VIDCAST_REPLY_TOO_LARGE;
        ngx_vidcast_error(entry->error,
                          "the result is too large, see \"results\"");
    }

    ngx_vidcast_count(&capture->counters->predictor_error, 1);

    if (entry->status != NGX_VIDCAST_REPLY_LOST) {

        /* deaths are the manager's to log */

        ngx_vidcast_capture_log_predictor(capture, NGX_LOG_ERR,
                                          "gave a bad result", entry->error);
    }

    result.status = ngx_vidcast_dispatch_status(entry->status);

    if (!ngx_vidcast_predict_emits(&dispatch->predict,
                                   (u_char *) result.status,
                                   ngx_strlen(result.status)))
    {
        return;
    }

    (void) ngx_vidcast_result_publish(capture, &result, (u_char *) "null", 4);
}


/* in the words of the viewers' messages */

static const char *
ngx_vidcast_dispatch_status(ngx_uint_t status)
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


/*
 * The waiting frame to a predictor which has nothing to do.  When all are
 * down viewers are told so with each frame, at the full rate; and one that
 * comes back is given a frame whose answer nobody waits for.
 */

static ngx_uint_t
ngx_vidcast_dispatch_assign(ngx_vidcast_dispatch_t *dispatch)
{
    ngx_uint_t                      failing;
    ngx_vidcast_frame_t             frame;
    ngx_vidcast_dispatch_entry_t   *entry;
    ngx_vidcast_dispatch_worker_t  *worker, *probed;

    /* one place is for the frame of the last result */

    if (dispatch->last - dispatch->first >= dispatch->nentries - 1
        || !ngx_vidcast_dispatch_waiting(dispatch))
    {
        return 0;
    }

    entry = &dispatch->entries[dispatch->last % dispatch->nentries];

    worker = ngx_vidcast_dispatch_choose(dispatch, dispatch->exact);
    probed = NULL;
    failing = 0;

    if (worker == NULL && !dispatch->exact) {
        failing = ngx_vidcast_dispatch_failing(dispatch, entry->error);
        probed = ngx_vidcast_dispatch_choose(dispatch, 1);
    }

    if (worker == NULL && !failing) {
        return 0;
    }

    if (entry->pinned) {
        ngx_vidcast_dispatch_release(dispatch, &entry->frame);
    }

    (void) pthread_mutex_lock(&dispatch->mutex);

    frame = dispatch->next;
    dispatch->waiting = 0;
    dispatch->open++;

    (void) pthread_cond_broadcast(&dispatch->taken);
    (void) pthread_mutex_unlock(&dispatch->mutex);

    entry->frame = frame;
    entry->pinned = 1;
    entry->waiting = (worker != NULL);
    entry->status = NGX_VIDCAST_REPLY_LOST;
    entry->given = ngx_vidcast_clock();
    entry->answered = entry->given;

    dispatch->last++;

    if (worker) {
        ngx_vidcast_dispatch_give(dispatch, worker, entry, &frame);

    } else if (probed) {
        ngx_vidcast_dispatch_give(dispatch, probed, NULL, &frame);
    }

    return 1;
}


/* a frame; if another one takes its place, one still is there */

static ngx_uint_t
ngx_vidcast_dispatch_waiting(ngx_vidcast_dispatch_t *dispatch)
{
    ngx_uint_t  waiting;

    (void) pthread_mutex_lock(&dispatch->mutex);

    waiting = dispatch->waiting;

    (void) pthread_mutex_unlock(&dispatch->mutex);

    return waiting;
}


/* after a reload the one of before may still be about to leave */

static ngx_vidcast_dispatch_worker_t *
ngx_vidcast_dispatch_choose(ngx_vidcast_dispatch_t *dispatch,
    ngx_uint_t failing)
{
    uint64_t                          fingerprint;
    ngx_uint_t                        i;
    ngx_vidcast_predictor_mailbox_t  *mailbox;
    ngx_vidcast_dispatch_worker_t    *worker;

    fingerprint = dispatch->capture->source->fingerprint;

    for (i = 0; i < dispatch->mailboxes->n; i++) {
        worker = &dispatch->workers[i];
        mailbox = worker->mailbox;

        if (!worker->busy
            && ngx_vidcast_load(&mailbox->state) == NGX_VIDCAST_PREDICTOR_READY
            && ngx_vidcast_load(&mailbox->fingerprint) == fingerprint
            && ngx_vidcast_load(&mailbox->done)
                   == ngx_vidcast_load(&mailbox->task)
            && (failing || !ngx_vidcast_load(&mailbox->failing)))
        {
            return worker;
        }
    }

    return NULL;
}


/* none that is there, or is coming for the first time, and why */

static ngx_uint_t
ngx_vidcast_dispatch_failing(ngx_vidcast_dispatch_t *dispatch, u_char *error)
{
    ngx_uint_t                        i;
    ngx_vidcast_predictor_mailbox_t  *mailbox;

    for (i = 0; i < dispatch->mailboxes->n; i++) {
        mailbox = dispatch->workers[i].mailbox;

        if (!ngx_vidcast_load(&mailbox->failing)) {
            return 0;
        }
    }

    ngx_vidcast_mailbox_error(dispatch->workers[0].mailbox, error);

    return 1;
}


static void
ngx_vidcast_dispatch_give(ngx_vidcast_dispatch_t *dispatch,
    ngx_vidcast_dispatch_worker_t *worker,
    ngx_vidcast_dispatch_entry_t *entry, ngx_vidcast_frame_t *frame)
{
    ngx_vidcast_predictor_mailbox_t  *mailbox;

    mailbox = worker->mailbox;

    mailbox->number = frame->number;
    mailbox->slot = frame->slot;
    mailbox->given = ngx_vidcast_clock();

    worker->entry = entry;
    worker->busy = 1;
    worker->task = ngx_vidcast_load(&mailbox->task) + 1;

    ngx_vidcast_store(&dispatch->capture->zone->shm->predicting,
                      frame->number);

    ngx_vidcast_store(&mailbox->task, worker->task);

    ngx_vidcast_futex_wake(&mailbox->futex);
}
