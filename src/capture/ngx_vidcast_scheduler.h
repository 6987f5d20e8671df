
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_SCHEDULER_H_INCLUDED_
#define _NGX_VIDCAST_SCHEDULER_H_INCLUDED_


#include "capture/ngx_vidcast_capture.h"
#include "capture/ngx_vidcast_raw.h"
#include "predict/ngx_vidcast_predict.h"


/*
 * Which frame is predicted, and when, whatever runs the predictor: one of each
 * "every", and while all predictors are busy only the newest waits, what it
 * takes the place of is skipped and counted.  Results come out in the order of
 * the frames.
 *
 * A frame is offered once: by offer_raw() before it is encoded, NGX_DECLINED:
 * the predictor takes it from the ring only; or by publish_frame(), which
 * makes it the newest of the ring, or loses it: then it is not offered.  Of an
 * input that is lossless no frame is skipped: both wait until the next offer
 * skips none.  drain() returns when all that was offered is predicted, and its
 * results are out.
 *
 * publish_frame() is for all frames, also where there is no predictor;
 * "offered": the raw picture was.
 */
ngx_int_t ngx_vidcast_scheduler_offer_raw(ngx_vidcast_scheduler_t *scheduler,
    ngx_vidcast_raw_t *raw);
void ngx_vidcast_scheduler_publish_frame(ngx_vidcast_capture_t *capture,
    ngx_vidcast_frame_publish_t *frame, ngx_uint_t offered);
void ngx_vidcast_scheduler_drain(ngx_vidcast_scheduler_t *scheduler);


/*
 * A frame that was given to a predictor.  The pin of one that a process has
 * stays when the result is out, till the place is needed: a viewer of pairs
 * may still ask for the picture.
 */

typedef struct {
    ngx_vidcast_frame_t             frame;
    ngx_vidcast_raw_t              *raw;      /* NULL: it is in the ring */
    ngx_uint_t                      pinned;   /* there */
    ngx_uint_t                      waiting;  /* for its reply */
    uint64_t                        given;    /* CLOCK_MONOTONIC, us */
    uint64_t                        replied;
    ngx_uint_t                      status;   /* ngx_vidcast_reply_e */
    u_char                         *text;     /* result_size bytes */
    size_t                          size;
    u_char                          error[NGX_VIDCAST_ERROR_LEN];
} ngx_vidcast_task_t;


/*
 * What runs the predictors.
 *
 * create()   sets scheduler->n, how many there are, and ->futex, which wakes
 *            it when there is something to look at.  NGX_OK, NGX_ERROR.
 *
 * open()     may be NULL; all but create() are called by the scheduler's own
 *            thread, this one first.
 *
 * collect()  may be NULL; puts replies that have come into their tasks, which
 *            are "waiting" no more.
 *
 * ready()    NGX_OK: one is free; NGX_AGAIN: all are busy; NGX_DECLINED: none
 *            is there, reason in "error": the frame is replied to as lost.
 *
 * give()     after NGX_OK the task to the predictor that ready() found, and
 *            the reply may be there when it returns.  Also after NGX_DECLINED,
 *            to one that may have come back, whose reply is not waited for.
 *
 * reads()    may be NULL; whether a predictor still reads the picture of a
 *            task which is not "waiting".
 */

typedef struct {
    ngx_uint_t    raw;      /* takes raw pictures */
    int           look;     /* ms between looks when nothing is rung */
    ngx_int_t   (*create)(ngx_vidcast_scheduler_t *scheduler);
    void        (*open)(ngx_vidcast_scheduler_t *scheduler);
    void        (*collect)(ngx_vidcast_scheduler_t *scheduler);
    ngx_int_t   (*ready)(ngx_vidcast_scheduler_t *scheduler, u_char *error);
    void        (*give)(ngx_vidcast_scheduler_t *scheduler,
                      ngx_vidcast_task_t *task);
    ngx_uint_t  (*reads)(ngx_vidcast_scheduler_t *scheduler,
                      ngx_vidcast_task_t *task);
} ngx_vidcast_backend_t;


struct ngx_vidcast_scheduler_s {
    ngx_vidcast_capture_t          *capture;
    ngx_vidcast_backend_t          *backend;
    void                           *data;     /* the backend's */
    ngx_uint_t                      n;        /* predictors */
    uint32_t                       *futex;
    ngx_uint_t                      lossless; /* no frame may be skipped */

    /* of the scheduler's thread */

    ngx_vidcast_predict_t           predict;
    ngx_vidcast_task_t             *tasks;    /* two a predictor */
    ngx_uint_t                      ntasks;
    uint64_t                        first;    /* not yet published */
    uint64_t                        last;     /* not yet there */

    pthread_mutex_t                 mutex;    /* of what follows */
    pthread_cond_t                  taken;
    ngx_vidcast_frame_t             next;     /* pinned, unless it is raw */
    ngx_vidcast_raw_t              *raw;
    ngx_uint_t                      offered;
    ngx_uint_t                      waiting;  /* next is there */
    ngx_uint_t                      open;     /* taken, not yet published */
    uint64_t                        left_out; /* frame, by "every" */
};


/* NULL: logged, or no memory */
ngx_vidcast_scheduler_t *ngx_vidcast_scheduler_create(
    ngx_vidcast_capture_t *capture, ngx_vidcast_backend_t *backend);

/* the picture of the task is not needed any more */
void ngx_vidcast_scheduler_release(ngx_vidcast_scheduler_t *scheduler,
    ngx_vidcast_task_t *task);


/* one predictor, in the scheduler's thread */
extern ngx_vidcast_backend_t  ngx_vidcast_backend_thread;

/* predictors in processes of their own */
extern ngx_vidcast_backend_t  ngx_vidcast_backend_process;


#endif /* _NGX_VIDCAST_SCHEDULER_H_INCLUDED_ */
