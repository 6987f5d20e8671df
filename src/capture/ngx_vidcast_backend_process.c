
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "capture/ngx_vidcast_scheduler.h"


#define NGX_VIDCAST_BACKEND_PROCESS_LOOK  100    /* ms, for those that died */


/* a predictor as we see it; foreign code there may write to its mailbox */

typedef struct {
    ngx_vidcast_predictor_mailbox_t  *mailbox;
    uint64_t                          number;   /* of the last one given */
    uint64_t                          frame;    /* its own */
    ngx_vidcast_task_t               *task;     /* NULL: not waited for */
    ngx_uint_t                        busy;
} ngx_vidcast_backend_predictor_t;


typedef struct {
    ngx_vidcast_mailboxes_t          *mailboxes;
    ngx_vidcast_backend_predictor_t  *predictors;
    ngx_vidcast_backend_predictor_t  *chosen;   /* by ready() */
    uint64_t                         *given;    /* when, which they only read */
} ngx_vidcast_backend_process_t;


static ngx_int_t ngx_vidcast_backend_process_create(
    ngx_vidcast_scheduler_t *scheduler);
static void ngx_vidcast_backend_process_collect(
    ngx_vidcast_scheduler_t *scheduler);
static void ngx_vidcast_backend_process_reply(
    ngx_vidcast_backend_process_t *process,
    ngx_vidcast_backend_predictor_t *predictor, ngx_uint_t status);
static ngx_int_t ngx_vidcast_backend_process_ready(
    ngx_vidcast_scheduler_t *scheduler, u_char *error);
static ngx_vidcast_backend_predictor_t *ngx_vidcast_backend_process_choose(
    ngx_vidcast_scheduler_t *scheduler, ngx_uint_t failing);
static ngx_uint_t ngx_vidcast_backend_process_failing(
    ngx_vidcast_backend_process_t *process, u_char *error);
static void ngx_vidcast_backend_process_give(
    ngx_vidcast_scheduler_t *scheduler, ngx_vidcast_task_t *task);
static ngx_uint_t ngx_vidcast_backend_process_reads(
    ngx_vidcast_scheduler_t *scheduler, ngx_vidcast_task_t *task);


ngx_vidcast_backend_t  ngx_vidcast_backend_process = {
    0,
    NGX_VIDCAST_BACKEND_PROCESS_LOOK,
    ngx_vidcast_backend_process_create,
    NULL,
    ngx_vidcast_backend_process_collect,
    ngx_vidcast_backend_process_ready,
    ngx_vidcast_backend_process_give,
    ngx_vidcast_backend_process_reads
};


static ngx_int_t
ngx_vidcast_backend_process_create(ngx_vidcast_scheduler_t *scheduler)
{
    ngx_log_t                      *log;
    ngx_uint_t                      i;
    ngx_vidcast_backend_process_t  *process;

    log = scheduler->capture->log;

    process = ngx_calloc(sizeof(ngx_vidcast_backend_process_t), log);
    if (process == NULL) {
        return NGX_ERROR;
    }

    process->mailboxes = &scheduler->capture->zone->mailboxes;
    process->given = scheduler->capture->zone->shm->given;

    ngx_memzero(process->given, NGX_VIDCAST_MAX_PREDICTORS * sizeof(uint64_t));

    scheduler->data = process;
    scheduler->n = process->mailboxes->n;
    scheduler->futex = process->mailboxes->futex;

    process->predictors = ngx_calloc(scheduler->n
                                     * sizeof(ngx_vidcast_backend_predictor_t),
                                     log);
    if (process->predictors == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < scheduler->n; i++) {
        process->predictors[i].mailbox =
                                   ngx_vidcast_mailbox(process->mailboxes, i);
    }

    return NGX_OK;
}


/* replies, and the want of them from those that are dead */

static void
ngx_vidcast_backend_process_collect(ngx_vidcast_scheduler_t *scheduler)
{
    ngx_uint_t                        i;
    ngx_vidcast_backend_process_t    *process;
    ngx_vidcast_backend_predictor_t  *predictor;
    ngx_vidcast_predictor_mailbox_t  *mailbox;

    process = scheduler->data;

    for (i = 0; i < scheduler->n; i++) {
        predictor = &process->predictors[i];
        mailbox = predictor->mailbox;

        if (!predictor->busy) {
            continue;
        }

        if (ngx_vidcast_load(&mailbox->done) == predictor->number) {
            predictor->busy = 0;
            ngx_vidcast_store(&process->given[i], 0);
            ngx_vidcast_backend_process_reply(process, predictor,
                                           ngx_vidcast_load(&mailbox->status));
            continue;
        }

        if (ngx_vidcast_load(&mailbox->state) != NGX_VIDCAST_PREDICTOR_READY) {

            /* the mailbox is cleared by its next predictor */

            ngx_vidcast_backend_process_reply(process, predictor,
                                              NGX_VIDCAST_REPLY_LOST);
        }
    }
}


static void
ngx_vidcast_backend_process_reply(ngx_vidcast_backend_process_t *process,
    ngx_vidcast_backend_predictor_t *predictor, ngx_uint_t status)
{
    uint32_t                          size;
    ngx_vidcast_task_t               *task;
    ngx_vidcast_predictor_mailbox_t  *mailbox;

    task = predictor->task;
    predictor->task = NULL;

    if (task == NULL) {
        return;
    }

    mailbox = predictor->mailbox;

    task->waiting = 0;
    task->replied = ngx_vidcast_clock();
    task->status = ngx_min(status, NGX_VIDCAST_REPLY_LOST);

    if (task->status == NGX_VIDCAST_REPLY_OK) {

        /* read once: it may be another one the next time */

        size = ngx_vidcast_load(&mailbox->size);

        task->size = ngx_min(size, process->mailboxes->text);
        ngx_memcpy(task->text, ngx_vidcast_mailbox_text(mailbox), task->size);
        return;
    }

    ngx_vidcast_mailbox_error(mailbox, task->error);
}


/*
 * When all are down viewers are told so with each frame, at the full rate; and
 * one that comes back is given a frame whose reply is not waited for.
 */

static ngx_int_t
ngx_vidcast_backend_process_ready(ngx_vidcast_scheduler_t *scheduler,
    u_char *error)
{
    ngx_vidcast_backend_process_t  *process;

    process = scheduler->data;

    process->chosen = ngx_vidcast_backend_process_choose(scheduler,
                                                         scheduler->lossless);
    if (process->chosen) {
        return NGX_OK;
    }

    if (scheduler->lossless
        || !ngx_vidcast_backend_process_failing(process, error))
    {
        return NGX_AGAIN;
    }

    process->chosen = ngx_vidcast_backend_process_choose(scheduler, 1);

    return NGX_DECLINED;
}


/* after a reload the one of before may still be about to leave */

static ngx_vidcast_backend_predictor_t *
ngx_vidcast_backend_process_choose(ngx_vidcast_scheduler_t *scheduler,
    ngx_uint_t failing)
{
    uint64_t                          fingerprint;
    ngx_uint_t                        i;
    ngx_vidcast_backend_process_t    *process;
    ngx_vidcast_backend_predictor_t  *predictor;
    ngx_vidcast_predictor_mailbox_t  *mailbox;

    process = scheduler->data;
    fingerprint = scheduler->capture->source->fingerprint;

    for (i = 0; i < scheduler->n; i++) {
        predictor = &process->predictors[i];
        mailbox = predictor->mailbox;

        if (!predictor->busy
            && ngx_vidcast_load(&mailbox->state) == NGX_VIDCAST_PREDICTOR_READY
            && ngx_vidcast_load(&mailbox->fingerprint) == fingerprint
            && ngx_vidcast_load(&mailbox->done)
                   == ngx_vidcast_load(&mailbox->task)
            && (failing || !ngx_vidcast_load(&mailbox->failing)))
        {
            return predictor;
        }
    }

    return NULL;
}


/* none that is there, or is coming for the first time, and why */

static ngx_uint_t
ngx_vidcast_backend_process_failing(ngx_vidcast_backend_process_t *process,
    u_char *error)
{
    ngx_uint_t                        i;
    ngx_vidcast_predictor_mailbox_t  *mailbox;

    for (i = 0; i < process->mailboxes->n; i++) {
        mailbox = process->predictors[i].mailbox;

        if (!ngx_vidcast_load(&mailbox->failing)) {
            return 0;
        }
    }

    ngx_vidcast_mailbox_error(process->predictors[0].mailbox, error);

    return 1;
}


static void
ngx_vidcast_backend_process_give(ngx_vidcast_scheduler_t *scheduler,
    ngx_vidcast_task_t *task)
{
    ngx_vidcast_backend_process_t    *process;
    ngx_vidcast_backend_predictor_t  *predictor;
    ngx_vidcast_predictor_mailbox_t  *mailbox;

    process = scheduler->data;
    predictor = process->chosen;

    if (predictor == NULL) {
        return;
    }

    mailbox = predictor->mailbox;

    mailbox->number = task->frame.number;
    mailbox->slot = task->frame.slot;
    mailbox->given = ngx_vidcast_clock();

    ngx_vidcast_store(&process->given[predictor - process->predictors],
                      ngx_vidcast_clock());

    predictor->task = task->waiting ? task : NULL;
    predictor->busy = 1;
    predictor->frame = task->frame.number;
    predictor->number = ngx_vidcast_load(&mailbox->task) + 1;

    ngx_vidcast_store(&mailbox->task, predictor->number);

    ngx_vidcast_futex_wake(&mailbox->futex);
}


/* one that died reads no more, though its mailbox is not yet cleared */

static ngx_uint_t
ngx_vidcast_backend_process_reads(ngx_vidcast_scheduler_t *scheduler,
    ngx_vidcast_task_t *task)
{
    ngx_uint_t                        i;
    ngx_vidcast_backend_process_t    *process;
    ngx_vidcast_backend_predictor_t  *predictor;

    process = scheduler->data;

    for (i = 0; i < scheduler->n; i++) {
        predictor = &process->predictors[i];

        if (predictor->busy
            && predictor->frame == task->frame.number
            && ngx_vidcast_load(&predictor->mailbox->state)
               == NGX_VIDCAST_PREDICTOR_READY)
        {
            return 1;
        }
    }

    return 0;
}
