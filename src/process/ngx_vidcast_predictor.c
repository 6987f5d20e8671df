
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <pthread.h>

#include "core/ngx_vidcast_error.h"
#include "os/ngx_vidcast_child.h"
#include "os/ngx_vidcast_sandbox.h"
#include "shm/ngx_vidcast_control.h"
#include "predict/ngx_vidcast_predict.h"
#include "process/ngx_vidcast_predictor.h"
#include "shm/ngx_vidcast_process_locks.h"


#define NGX_VIDCAST_PREDICTOR_TICK   50     /* ms */
#define NGX_VIDCAST_PREDICTOR_GRACE  500


static ngx_uint_t ngx_vidcast_predictor_sandbox(
    ngx_vidcast_predictor_t *predictor);
static ngx_int_t ngx_vidcast_predictor_init(
    ngx_vidcast_predictor_t *predictor);
static ngx_int_t ngx_vidcast_predictor_watch(
    ngx_vidcast_predictor_t *predictor);
static void *ngx_vidcast_predictor_watcher(void *data);
static ngx_int_t ngx_vidcast_predictor_tick(
    ngx_vidcast_predictor_t *predictor);
static int64_t ngx_vidcast_predictor_time(ngx_vidcast_predictor_t *predictor);
static ngx_int_t ngx_vidcast_predictor_wait(
    ngx_vidcast_predictor_t *predictor);
static ngx_int_t ngx_vidcast_predictor_run(
    ngx_vidcast_predictor_t *predictor);
static ngx_int_t ngx_vidcast_predictor_picture(
    ngx_vidcast_predictor_t *predictor, vidcast_sample_t *sample);
static void ngx_vidcast_predictor_reply(ngx_vidcast_predictor_t *predictor,
    ngx_uint_t status, size_t size);
static void ngx_vidcast_predictor_leave(ngx_vidcast_predictor_t *predictor);
static void ngx_vidcast_predictor_gone(ngx_vidcast_predictor_t *predictor);
static void ngx_vidcast_predictor_die(ngx_vidcast_predictor_t *predictor);


void
ngx_vidcast_predictor_process(ngx_vidcast_conf_t *conf,
    ngx_vidcast_predictor_id_t *id)
{
    ngx_int_t                 rc;
    ngx_vidcast_predictor_t   predictor;
    ngx_vidcast_mailboxes_t  *mailboxes;

    mailboxes = &id->source->original.zone->mailboxes;

    ngx_memzero(&predictor, sizeof(ngx_vidcast_predictor_t));

    predictor.conf = conf;
    predictor.source = id->source;
    predictor.index = id->index;
    predictor.engine = id->source->predict.module->engine;
    predictor.mailbox = ngx_vidcast_mailbox(mailboxes, id->index);
    predictor.log = conf->cycle->log;
    predictor.sandbox = ngx_vidcast_predictor_sandbox(&predictor);
    predictor.tick = ngx_vidcast_predictor_tick;
    predictor.left = ngx_vidcast_predictor_time;

    if (ngx_vidcast_process_lock_take(conf->control->predictors,
                                      ngx_vidcast_predictor_lock(
                                          id->source->entry, id->index),
                                      predictor.log)
        != NGX_OK)
    {
        return;
    }

    if (ngx_vidcast_predictor_init(&predictor) != NGX_OK
        || predictor.engine->open(&predictor) != NGX_OK)
    {
        ngx_vidcast_predictor_die(&predictor);
    }

    ngx_vidcast_store(&predictor.mailbox->state, NGX_VIDCAST_PREDICTOR_READY);
    ngx_vidcast_futex_wake(mailboxes->futex);

    do {
        rc = ngx_vidcast_predictor_wait(&predictor);

        if (rc == NGX_OK) {
            rc = ngx_vidcast_predictor_run(&predictor);
        }

    } while (rc == NGX_OK);

    if (rc == NGX_DONE) {
        ngx_vidcast_predictor_leave(&predictor);
    }

    ngx_vidcast_predictor_die(&predictor);
}


/* what it lacks */

static ngx_uint_t
ngx_vidcast_predictor_sandbox(ngx_vidcast_predictor_t *predictor)
{
    if (!predictor->source->predict.open) {
        return ngx_vidcast_sandbox_enter(predictor->conf->sandbox,
                                         predictor->log);
    }

    ngx_log_error(NGX_LOG_NOTICE, predictor->log, 0,
                  "predictor of vidcast source \"%V\" has no sandbox",
                  &predictor->source->name);

    return NGX_VIDCAST_SANDBOX_ALL;
}


static ngx_int_t
ngx_vidcast_predictor_init(ngx_vidcast_predictor_t *predictor)
{
    ngx_vidcast_predictor_mailbox_t  *mailbox;

    mailbox = predictor->mailbox;

    mailbox->life++;
    mailbox->fingerprint = predictor->source->fingerprint;
    mailbox->lived = 0;
    mailbox->explained = 0;
    mailbox->sandbox = predictor->sandbox;
    mailbox->started = ngx_vidcast_clock();

    ngx_vidcast_store(&mailbox->state, NGX_VIDCAST_PREDICTOR_STARTING);
    ngx_vidcast_store(&mailbox->pid, (int64_t) ngx_pid);

    /* what was given to the one before us */

    if (ngx_vidcast_load(&mailbox->done) != ngx_vidcast_load(&mailbox->task)) {
        ngx_vidcast_predictor_reply(predictor, NGX_VIDCAST_REPLY_LOST, 0);
    }

    if (predictor->source->predict.error) {
        (void) ngx_cpystrn(predictor->error, predictor->source->predict.error,
                           NGX_VIDCAST_ERROR_LEN);
        return NGX_ERROR;
    }

    predictor->decoder = ngx_vidcast_jpeg_decoder_create();

    if (predictor->decoder == NULL) {
        ngx_vidcast_error(predictor->error, "could not create JPEG decoder");
        return NGX_ERROR;
    }

    return predictor->engine->foreign ? ngx_vidcast_predictor_watch(predictor)
                                      : NGX_OK;
}


/* while foreign code has the main thread another one must look around */

static ngx_int_t
ngx_vidcast_predictor_watch(ngx_vidcast_predictor_t *predictor)
{
    int        err;
    sigset_t   all, before;
    pthread_t  tid;

    sigfillset(&all);
    (void) pthread_sigmask(SIG_BLOCK, &all, &before);

    err = pthread_create(&tid, NULL, ngx_vidcast_predictor_watcher, predictor);

    (void) pthread_sigmask(SIG_SETMASK, &before, NULL);

    if (err) {
        ngx_vidcast_error(predictor->error, "pthread_create() failed: %s",
                          strerror(err));
        return NGX_ERROR;
    }

    (void) pthread_setname_np(tid, "vidcast watch");

    return NGX_OK;
}


static void *
ngx_vidcast_predictor_watcher(void *data)
{
    ngx_vidcast_predictor_t  *predictor = data;

    while (ngx_vidcast_predictor_tick(predictor) == NGX_OK) {
        ngx_msleep(NGX_VIDCAST_PREDICTOR_TICK);
    }

    ngx_vidcast_store(&predictor->leaving, 1);
    ngx_vidcast_futex_wake(&predictor->mailbox->futex);

    /* the main thread does it in order, if it gets to it */

    ngx_msleep(NGX_VIDCAST_PREDICTOR_GRACE);

    ngx_vidcast_predictor_gone(predictor);

    return NULL;
}


static ngx_int_t
ngx_vidcast_predictor_tick(ngx_vidcast_predictor_t *predictor)
{
    ngx_log_t           *log;
    ngx_str_t           *name;
    ngx_vidcast_conf_t  *conf;

    conf = predictor->conf;
    log = predictor->log;
    name = &predictor->source->name;

    ngx_vidcast_store(&predictor->mailbox->beat, predictor->mailbox->beat + 1);

    if (!predictor->engine->foreign) {
        (void) ngx_vidcast_clock_since(&predictor->gap);
    }

    ngx_vidcast_log_limit_tell(&predictor->unexpected, 1, NGX_LOG_WARN, log,
                               name,
                               "lines of the predictor which are no result");
    ngx_vidcast_log_limit_tell(&predictor->warned, NGX_VIDCAST_LOG_SAID,
                               NGX_LOG_WARN, log, name, "warnings");
    ngx_vidcast_log_limit_tell(&predictor->said, NGX_VIDCAST_LOG_SAID,
                               NGX_LOG_INFO, log, name,
                               "lines of the predictor");

    if (ngx_vidcast_child_wait(conf, 0) == NGX_DONE
        || !ngx_vidcast_zone_wanted(conf->control, predictor->source)
        || ngx_vidcast_control_deserted(conf, &predictor->deserted, NULL))
    {
        return NGX_DONE;
    }

    return NGX_OK;
}


/* NGX_OK: there is a task; NGX_DONE: leave; NGX_ERROR: die */

static ngx_int_t
ngx_vidcast_predictor_wait(ngx_vidcast_predictor_t *predictor)
{
    uint32_t                          seen;
    ngx_int_t                         rc;
    ngx_vidcast_predictor_mailbox_t  *mailbox;

    mailbox = predictor->mailbox;

    for ( ;; ) {
        seen = ngx_vidcast_load(&mailbox->futex);

        if (ngx_vidcast_load(&predictor->leaving)) {
            return NGX_DONE;
        }

        if (ngx_vidcast_load(&mailbox->task)
            != ngx_vidcast_load(&mailbox->done))
        {
            return NGX_OK;
        }

        if (predictor->engine->idle) {
            rc = predictor->engine->idle(predictor);

            if (rc != NGX_OK) {
                return rc;
            }
        }

        if (!predictor->engine->foreign
            && ngx_vidcast_predictor_tick(predictor) == NGX_DONE)
        {
            return NGX_DONE;
        }

        ngx_vidcast_futex_wait(&mailbox->futex, seen,
                               NGX_VIDCAST_PREDICTOR_TICK);
    }
}


static ngx_int_t
ngx_vidcast_predictor_run(ngx_vidcast_predictor_t *predictor)
{
    size_t                size;
    ngx_int_t             rc;
    ngx_uint_t            status;
    vidcast_sample_t      sample;

    rc = ngx_vidcast_predictor_picture(predictor, &sample);

    if (rc != NGX_OK) {
        status = (rc == NGX_AGAIN) ? NGX_VIDCAST_REPLY_LOST
                                   : NGX_VIDCAST_REPLY_BAD;
        ngx_vidcast_predictor_reply(predictor, status, 0);
        return NGX_OK;
    }

    size = predictor->source->original.geometry.result_size;

    rc = predictor->engine->predict(predictor, &sample,
                                    ngx_vidcast_mailbox_text(
                                        predictor->mailbox),
                                    &size, &status);
    if (rc != NGX_OK) {
        return rc;
    }

    ngx_vidcast_store(&predictor->mailbox->failing, 0);
    predictor->mailbox->lived++;

    ngx_vidcast_predictor_reply(predictor, status, size);

    return NGX_OK;
}


/*
 * NGX_AGAIN: the capture that gave us the frame is no more, and so is the
 * frame; NGX_DECLINED: it could not be made into a picture.
 */

static ngx_int_t
ngx_vidcast_predictor_picture(ngx_vidcast_predictor_t *predictor,
    vidcast_sample_t *sample)
{
    u_char                           *dst;
    uint32_t                          slot;
    const char                       *reason;
    ngx_vidcast_resize_t             *fit;
    ngx_vidcast_ring_t               *ring;
    ngx_vidcast_frame_t               frame;
    ngx_vidcast_predictor_mailbox_t  *mailbox;
    u_char                            text[NGX_VIDCAST_ERROR_LEN];

    mailbox = predictor->mailbox;
    fit = &predictor->fit;
    ring = &predictor->source->original.zone->ring;

    slot = ngx_vidcast_load(&mailbox->slot);

    if (slot >= ring->geometry.slots) {
        return NGX_AGAIN;
    }

    ngx_vidcast_ring_describe(ring, slot, &frame);

    if (frame.number != ngx_vidcast_load(&mailbox->number)) {
        return NGX_AGAIN;
    }

    dst = NULL;
    reason = NULL;

    if (ngx_vidcast_resize_plan(fit, &predictor->want, frame.width,
                                frame.height)
        != NGX_OK)
    {
        reason = "the predictor wants an impossible picture";

    } else {
        ngx_set_errno(ENOMEM);

        dst = predictor->engine->get_buffer(predictor, fit->size);

        if (dst == NULL) {
            ngx_vidcast_error(text, "no memory for a picture of %uz bytes: %s",
                              fit->size, strerror(ngx_errno));
            reason = (char *) text;
        }
    }

    if (dst
        && ngx_vidcast_resize_jpeg(fit, predictor->decoder, frame.data,
                                   frame.size, dst)
           != NGX_OK)
    {
        ngx_vidcast_error(text, "the frame could not be decoded: %s",
                          ngx_vidcast_jpeg_decoder_error(predictor->decoder));
        reason = (char *) text;
        dst = NULL;
    }

    if (ngx_vidcast_ring_check(ring, &frame) != NGX_OK) {
        return NGX_AGAIN;
    }

    if (dst == NULL) {
        (void) ngx_cpystrn(predictor->error, (u_char *) reason,
                           NGX_VIDCAST_ERROR_LEN);
        return NGX_DECLINED;
    }

    ngx_memzero(sample, sizeof(vidcast_sample_t));

    sample->size = sizeof(vidcast_sample_t);
    sample->frame = frame.number;
    sample->time = (int64_t) frame.time;
    sample->pts = frame.pts;
    sample->media_time = frame.media_time;
    sample->width = frame.width;
    sample->height = frame.height;
    sample->scale_x = fit->scale_x;
    sample->scale_y = fit->scale_y;
    sample->offset_x = fit->left;
    sample->offset_y = fit->top;

    ngx_vidcast_resize_view(fit, dst, &sample->image);

    return NGX_OK;
}


static void
ngx_vidcast_predictor_reply(ngx_vidcast_predictor_t *predictor,
    ngx_uint_t status, size_t size)
{
    ngx_vidcast_predictor_mailbox_t   *mailbox;
    ngx_vidcast_predictor_counters_t  *counters;

    mailbox = predictor->mailbox;
    counters = &mailbox->counters;

    switch (status) {

    case NGX_VIDCAST_REPLY_OK:
        counters->answers++;
        break;

    case NGX_VIDCAST_REPLY_NONE:
        counters->none++;
        break;

    case NGX_VIDCAST_REPLY_BAD:
        counters->bad++;
        break;

    case NGX_VIDCAST_REPLY_TOO_LARGE:
        counters->too_large++;
        break;

    default: /* NGX_VIDCAST_REPLY_LOST */
        break;
    }

    if (status == NGX_VIDCAST_REPLY_BAD
        || status == NGX_VIDCAST_REPLY_TOO_LARGE)
    {
        (void) ngx_cpystrn(mailbox->error, predictor->error,
                           NGX_VIDCAST_ERROR_LEN);
    }

    ngx_vidcast_mailbox_reply(&predictor->source->original.zone->mailboxes,
                              mailbox, status, size);
}


static int64_t
ngx_vidcast_predictor_time(ngx_vidcast_predictor_t *predictor)
{
    return ngx_vidcast_predictor_left(predictor->source, predictor->mailbox,
                                    ngx_vidcast_clock_since(&predictor->gap));
}


int64_t
ngx_vidcast_predictor_left(ngx_vidcast_source_t *source,
    ngx_vidcast_predictor_mailbox_t *mailbox, uint64_t since)
{
    uint64_t                     from, passed, limit;
    ngx_vidcast_predict_conf_t  *predict;

    predict = &source->predict;

    if (ngx_vidcast_load(&mailbox->state) == NGX_VIDCAST_PREDICTOR_STARTING) {
        from = ngx_vidcast_load(&mailbox->started);
        passed = ngx_vidcast_clock() - ngx_max(from, since);
        limit = predict->start;

    } else if (ngx_vidcast_load(&mailbox->task)
               != ngx_vidcast_load(&mailbox->done))
    {
        from = ngx_vidcast_load(&mailbox->given);
        passed = ngx_vidcast_clock() - ngx_max(from, since);
        limit = mailbox->lived ? predict->timeout
                            : ngx_max(predict->timeout, predict->start);

    } else {
        passed = 0;
        limit = predict->timeout;
    }

    return (int64_t) (limit * 1000) - (int64_t) passed;
}


static void
ngx_vidcast_predictor_leave(ngx_vidcast_predictor_t *predictor)
{
    if (predictor->engine->close) {
        predictor->engine->close(predictor);
    }

    ngx_vidcast_predictor_gone(predictor);
}


/* in the watcher, too: then foreign code is still running beside us */

static void
ngx_vidcast_predictor_gone(ngx_vidcast_predictor_t *predictor)
{
    ngx_vidcast_store(&predictor->mailbox->state, NGX_VIDCAST_PREDICTOR_OFF);
    ngx_vidcast_store(&predictor->mailbox->failing, 0);
    ngx_vidcast_store(&predictor->mailbox->pid, 0);

    ngx_vidcast_futex_wake(predictor->source->original.zone->mailboxes.futex);

    _exit(0);
}


static void
ngx_vidcast_predictor_die(ngx_vidcast_predictor_t *predictor)
{
    (void) ngx_cpystrn(predictor->mailbox->error, predictor->error,
                       NGX_VIDCAST_ERROR_LEN);
    ngx_vidcast_store(&predictor->mailbox->explained, 1);

    if (predictor->engine->close) {
        predictor->engine->close(predictor);
    }

    _exit(1);
}
