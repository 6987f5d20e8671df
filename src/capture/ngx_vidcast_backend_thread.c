
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast_error.h"
#include "core/ngx_vidcast_escape.h"
#include "capture/ngx_vidcast_scheduler.h"
#include "media/ngx_vidcast_image.h"
#include "media/ngx_vidcast_jpeg.h"


#define NGX_VIDCAST_BACKEND_THREAD_LOOK  60000    /* ms: nothing to look for */


/* a predictor of our own, which gets small gray pictures */

typedef struct {
    uint32_t                      futex;
    ngx_vidcast_jpeg_decoder_t   *decoder;
    ngx_vidcast_image_t           scaled;
    uint64_t                      past;      /* frames before a sleep */
} ngx_vidcast_backend_thread_t;


static ngx_int_t ngx_vidcast_backend_thread_create(
    ngx_vidcast_scheduler_t *scheduler);
static void ngx_vidcast_backend_thread_open(
    ngx_vidcast_scheduler_t *scheduler);
static ngx_int_t ngx_vidcast_backend_thread_ready(
    ngx_vidcast_scheduler_t *scheduler, u_char *error);
static void ngx_vidcast_backend_thread_give(ngx_vidcast_scheduler_t *scheduler,
    ngx_vidcast_task_t *task);
static ngx_uint_t ngx_vidcast_backend_thread_run(
    ngx_vidcast_scheduler_t *scheduler, ngx_vidcast_task_t *task);
static ngx_int_t ngx_vidcast_backend_thread_picture(
    ngx_vidcast_scheduler_t *scheduler, ngx_vidcast_task_t *task,
    ngx_vidcast_image_t **image);
static ngx_int_t ngx_vidcast_backend_thread_scale(
    ngx_vidcast_backend_thread_t *thread, ngx_vidcast_image_t *image,
    uint32_t width);


ngx_vidcast_backend_t  ngx_vidcast_backend_thread = {
    1,
    NGX_VIDCAST_BACKEND_THREAD_LOOK,
    ngx_vidcast_backend_thread_create,
    ngx_vidcast_backend_thread_open,
    NULL,
    ngx_vidcast_backend_thread_ready,
    ngx_vidcast_backend_thread_give,
    NULL
};


static ngx_int_t
ngx_vidcast_backend_thread_create(ngx_vidcast_scheduler_t *scheduler)
{
    ngx_vidcast_backend_thread_t  *thread;

    thread = ngx_calloc(sizeof(ngx_vidcast_backend_thread_t),
                        scheduler->capture->log);
    if (thread == NULL) {
        return NGX_ERROR;
    }

    scheduler->data = thread;
    scheduler->n = 1;
    scheduler->futex = &thread->futex;

    return NGX_OK;
}


static void
ngx_vidcast_backend_thread_open(ngx_vidcast_scheduler_t *scheduler)
{
    ngx_log_t                     *log;
    ngx_vidcast_predict_t         *predict;
    ngx_vidcast_escaped_t          escaped;
    ngx_vidcast_backend_thread_t  *thread;

    thread = scheduler->data;
    predict = &scheduler->predict;
    log = scheduler->capture->log;

    thread->decoder = ngx_vidcast_jpeg_decoder_create();

    if (thread->decoder == NULL) {
        ngx_log_error(NGX_LOG_ALERT, log, 0, "could not create JPEG decoder");
        _exit(2);
    }

    if (predict->conf->module->open(predict) != NGX_OK) {
        ngx_log_error(NGX_LOG_ALERT, log, 0,
                      "could not open predictor of vidcast source \"%V\": %V",
                      &scheduler->capture->source->name,
                      ngx_vidcast_escape_text(&escaped, predict->error));
        _exit(2);
    }
}


/* it is asked by its own thread, which has nothing else to do */

static ngx_int_t
ngx_vidcast_backend_thread_ready(ngx_vidcast_scheduler_t *scheduler,
    u_char *error)
{
    return NGX_OK;
}


static void
ngx_vidcast_backend_thread_give(ngx_vidcast_scheduler_t *scheduler,
    ngx_vidcast_task_t *task)
{
    task->status = ngx_vidcast_backend_thread_run(scheduler, task);
    task->replied = ngx_vidcast_clock();
    task->waiting = 0;

    ngx_vidcast_scheduler_release(scheduler, task);
}


static ngx_uint_t
ngx_vidcast_backend_thread_run(ngx_vidcast_scheduler_t *scheduler,
    ngx_vidcast_task_t *task)
{
    uint64_t                       past, *turn;
    ngx_int_t                      rc;
    ngx_vidcast_sample_t           sample;
    ngx_vidcast_predict_t         *predict;
    ngx_vidcast_backend_thread_t  *thread;

    thread = scheduler->data;
    predict = &scheduler->predict;

    if (ngx_vidcast_backend_thread_picture(scheduler, task, &sample.image)
        != NGX_OK)
    {
        return NGX_VIDCAST_REPLY_BAD;
    }

    /* what is predicted on is a copy */

    ngx_vidcast_scheduler_release(scheduler, task);

    sample.width = task->frame.width;
    sample.height = task->frame.height;
    sample.number = task->frame.number;
    sample.time = task->frame.media_time;

    past = ngx_vidcast_ring_min_frame(&scheduler->capture->zone->ring);

    sample.anew = (past != thread->past && sample.number > past);

    if (sample.anew) {
        thread->past = past;
    }

    task->size = scheduler->capture->source->original.geometry.result_size;

    turn = &scheduler->capture->zone->shm->predict_turn;

    ngx_vidcast_turn(turn);

    rc = predict->conf->module->predict(predict, &sample, task->text,
                                        &task->size);
    ngx_vidcast_turn(turn);

    if (rc != NGX_OK) {
        (void) ngx_cpystrn(task->error, predict->error, NGX_VIDCAST_ERROR_LEN);
        return NGX_VIDCAST_REPLY_BAD;
    }

    return NGX_VIDCAST_REPLY_OK;
}


/* the gray picture of the size that the predictor wants, or NULL: none */

static ngx_int_t
ngx_vidcast_backend_thread_picture(ngx_vidcast_scheduler_t *scheduler,
    ngx_vidcast_task_t *task, ngx_vidcast_image_t **image)
{
    uint32_t                       width;
    ngx_vidcast_image_t            decoded;
    ngx_vidcast_predict_conf_t    *conf;
    ngx_vidcast_backend_thread_t  *thread;

    *image = NULL;
    thread = scheduler->data;
    conf = scheduler->predict.conf;

    width = conf->module->want(conf, task->frame.width);

    if (width == 0) {
        return NGX_OK;
    }

    if (task->raw) {
        decoded = task->raw->image;

    } else if (ngx_vidcast_jpeg_decode_gray(thread->decoder, task->frame.data,
                                            task->frame.size, width, &decoded)
               != NGX_OK)
    {
        ngx_vidcast_error(task->error, "the frame could not be decoded: %s",
                          ngx_vidcast_jpeg_decoder_error(thread->decoder));
        return NGX_ERROR;
    }

    if (ngx_vidcast_backend_thread_scale(thread, &decoded, width) != NGX_OK) {
        ngx_vidcast_error(task->error, "no memory");
        return NGX_ERROR;
    }

    *image = &thread->scaled;

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_backend_thread_scale(ngx_vidcast_backend_thread_t *thread,
    ngx_vidcast_image_t *image, uint32_t width)
{
    uint32_t              height;
    ngx_vidcast_image_t  *scaled;

    scaled = &thread->scaled;

    width = ngx_min(width, image->width);

    height = (uint32_t) ((uint64_t) image->height * width / image->width);
    height = ngx_max(height, 1);

    if (scaled->width != width || scaled->height != height) {
        ngx_vidcast_image_free(scaled);
        ngx_memzero(scaled, sizeof(ngx_vidcast_image_t));

        if (ngx_vidcast_image_alloc(scaled, width, height, 1) != NGX_OK) {
            ngx_memzero(scaled, sizeof(ngx_vidcast_image_t));
            return NGX_ERROR;
        }
    }

    ngx_vidcast_image_scale_luma(image, scaled);

    return NGX_OK;
}
