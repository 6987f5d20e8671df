
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast_error.h"
#include "capture/ngx_vidcast_capture.h"
#include "core/ngx_vidcast_escape.h"
#include "media/ngx_vidcast_image.h"
#include "media/ngx_vidcast_jpeg.h"
#include "predict/ngx_vidcast_predict.h"


/* a frame to be predicted */

typedef struct {
    ngx_vidcast_raw_t            *raw;       /* NULL: it is in the ring */
    uint64_t                      number;
    uint64_t                      captured;
    uint32_t                      width;
    uint32_t                      height;
    unsigned                      waiting:1;
} ngx_vidcast_task_t;


struct ngx_vidcast_analysis_s {
    ngx_vidcast_capture_t        *capture;
    ngx_vidcast_predict_t         predict;

    pthread_mutex_t               mutex;
    pthread_cond_t                submitted;
    pthread_cond_t                taken;
    ngx_vidcast_task_t            task;      /* the newest one */
    ngx_uint_t                    busy;      /* with one before it */

    ngx_vidcast_jpeg_decoder_t   *decoder;
    ngx_vidcast_image_t           scaled;
    u_char                       *json;
    uint64_t                      last;      /* frame predicted */
    uint64_t                      past;      /* frames before a sleep */

    ngx_uint_t                    frames;    /* submitted */
};


static void *ngx_vidcast_analysis_thread(void *data);
static void ngx_vidcast_analysis_open(ngx_vidcast_analysis_t *analysis);
static void ngx_vidcast_analysis_take(ngx_vidcast_analysis_t *analysis,
    ngx_vidcast_task_t *task);
static void ngx_vidcast_analysis_done(ngx_vidcast_analysis_t *analysis);
static ngx_int_t ngx_vidcast_analysis_picture(ngx_vidcast_analysis_t *analysis,
    ngx_vidcast_task_t *task, ngx_vidcast_image_t **image);
static ngx_int_t ngx_vidcast_analysis_decode(ngx_vidcast_analysis_t *analysis,
    ngx_vidcast_task_t *task, uint32_t width, ngx_vidcast_image_t *image);
static ngx_int_t ngx_vidcast_analysis_scale(ngx_vidcast_analysis_t *analysis,
    ngx_vidcast_image_t *image, uint32_t width);
static void ngx_vidcast_analysis_run(ngx_vidcast_analysis_t *analysis,
    ngx_vidcast_task_t *task);
static void ngx_vidcast_analysis_publish(ngx_vidcast_analysis_t *analysis,
    ngx_vidcast_task_t *task, uint64_t start, size_t size);


ngx_vidcast_analysis_t *
ngx_vidcast_analysis_create(ngx_vidcast_capture_t *capture)
{
    ngx_vidcast_analysis_t  *analysis;

    analysis = ngx_calloc(sizeof(ngx_vidcast_analysis_t), capture->log);
    if (analysis == NULL) {
        return NULL;
    }

    analysis->capture = capture;
    analysis->predict.conf = &capture->source->predict;
    analysis->predict.log = capture->log;

    analysis->json = ngx_alloc(capture->source->geometry.result_size,
                               capture->log);
    if (analysis->json == NULL) {
        return NULL;
    }

    if (pthread_mutex_init(&analysis->mutex, NULL) != 0
        || pthread_cond_init(&analysis->submitted, NULL) != 0
        || pthread_cond_init(&analysis->taken, NULL) != 0
        || ngx_vidcast_capture_thread(capture, ngx_vidcast_analysis_thread,
                                      analysis, "vidcast predict")
           != NGX_OK)
    {
        return NULL;
    }

    return analysis;
}


void
ngx_vidcast_analysis_submit(ngx_vidcast_analysis_t *analysis,
    ngx_vidcast_raw_t *raw, uint64_t number, uint64_t captured, uint32_t width,
    uint32_t height)
{
    ngx_uint_t           skipped;
    ngx_vidcast_raw_t   *old;
    ngx_vidcast_task_t  *task;

    if (analysis->frames++ % analysis->predict.conf->every) {
        ngx_vidcast_count(&analysis->capture->counters->every, 1);
        return;
    }

    if (raw) {
        ngx_vidcast_encoder_pool_refer(analysis->capture->encoders, raw);
    }

    task = &analysis->task;

    (void) pthread_mutex_lock(&analysis->mutex);

    old = task->raw;
    skipped = task->waiting;

    task->raw = raw;
    task->number = number;
    task->captured = captured;
    task->width = width;
    task->height = height;
    task->waiting = 1;

    (void) pthread_cond_signal(&analysis->submitted);
    (void) pthread_mutex_unlock(&analysis->mutex);

    if (skipped) {
        ngx_vidcast_count(&analysis->capture->counters->predictor_busy, 1);
    }

    if (old) {
        ngx_vidcast_encoder_pool_unref(analysis->capture->encoders, old);
    }
}


void
ngx_vidcast_analysis_wait(ngx_vidcast_analysis_t *analysis, ngx_uint_t idle)
{
    (void) pthread_mutex_lock(&analysis->mutex);

    while (analysis->task.waiting || (idle && analysis->busy)) {
        (void) pthread_cond_wait(&analysis->taken, &analysis->mutex);
    }

    (void) pthread_mutex_unlock(&analysis->mutex);
}


static void *
ngx_vidcast_analysis_thread(void *data)
{
    ngx_vidcast_analysis_t  *analysis = data;

    ngx_vidcast_task_t  task;

    ngx_vidcast_analysis_open(analysis);

    for ( ;; ) {
        ngx_vidcast_analysis_take(analysis, &task);

        ngx_vidcast_analysis_run(analysis, &task);

        if (task.raw) {
            ngx_vidcast_encoder_pool_unref(analysis->capture->encoders,
                                           task.raw);
        }

        ngx_vidcast_analysis_done(analysis);
    }

    return NULL;
}


static void
ngx_vidcast_analysis_open(ngx_vidcast_analysis_t *analysis)
{
    ngx_log_t              *log;
    ngx_vidcast_escaped_t   escaped;

    log = analysis->capture->log;

    analysis->decoder = ngx_vidcast_jpeg_decoder_create();

    if (analysis->decoder == NULL) {
        ngx_log_error(NGX_LOG_ALERT, log, 0, "could not create JPEG decoder");
        _exit(2);
    }

    if (analysis->predict.conf->module->open(&analysis->predict) != NGX_OK) {
        ngx_log_error(NGX_LOG_ALERT, log, 0,
                      "could not open predictor of vidcast source \"%V\": %V",
                      &analysis->capture->source->name,
                      ngx_vidcast_escape_text(&escaped,
                                              analysis->predict.error));
        _exit(2);
    }
}


static void
ngx_vidcast_analysis_take(ngx_vidcast_analysis_t *analysis,
    ngx_vidcast_task_t *task)
{
    (void) pthread_mutex_lock(&analysis->mutex);

    while (!analysis->task.waiting) {
        (void) pthread_cond_wait(&analysis->submitted, &analysis->mutex);
    }

    *task = analysis->task;

    analysis->task.waiting = 0;
    analysis->task.raw = NULL;
    analysis->busy = 1;

    ngx_vidcast_store(&analysis->capture->zone->shm->predicting, task->number);

    (void) pthread_cond_signal(&analysis->taken);
    (void) pthread_mutex_unlock(&analysis->mutex);
}


static void
ngx_vidcast_analysis_done(ngx_vidcast_analysis_t *analysis)
{
    (void) pthread_mutex_lock(&analysis->mutex);

    analysis->busy = 0;

    (void) pthread_cond_signal(&analysis->taken);
    (void) pthread_mutex_unlock(&analysis->mutex);
}


static void
ngx_vidcast_analysis_run(ngx_vidcast_analysis_t *analysis,
    ngx_vidcast_task_t *task)
{
    size_t                   size;
    uint64_t                 start, past;
    ngx_int_t                rc;
    ngx_vidcast_sample_t     sample;
    ngx_vidcast_predict_t   *predict;

    predict = &analysis->predict;

    start = ngx_vidcast_clock();

    rc = ngx_vidcast_analysis_picture(analysis, task, &sample.image);

    if (rc == NGX_AGAIN) {
        return;
    }

    if (rc != NGX_OK) {
        ngx_vidcast_capture_predictor_failed(analysis->capture,
                                             predict->error);
        return;
    }

    sample.width = task->width;
    sample.height = task->height;
    sample.number = task->number;
    sample.time = task->captured;

    past = ngx_vidcast_ring_min_frame(&analysis->capture->zone->ring);

    sample.anew = (past != analysis->past && task->number > past);

    if (sample.anew) {
        analysis->past = past;
    }

    size = analysis->capture->source->geometry.result_size;

    if (predict->conf->module->predict(predict, &sample, analysis->json, &size)
        != NGX_OK)
    {
        ngx_vidcast_capture_predictor_failed(analysis->capture,
                                             predict->error);
        return;
    }

    if (!ngx_vidcast_predict_emits(predict, analysis->json, size)) {
        ngx_vidcast_capture_predicted(analysis->capture,
                                      ngx_vidcast_clock() - start);
        ngx_vidcast_capture_judged(analysis->capture, task->number);
        return;
    }

    ngx_vidcast_analysis_publish(analysis, task, start, size);
}


/*
 * The gray picture of the size that the predictor wants.  A frame which is
 * only in the ring is the newest there, task is told which.  NGX_AGAIN: it
 * was predicted already, for an older one.
 */

static ngx_int_t
ngx_vidcast_analysis_picture(ngx_vidcast_analysis_t *analysis,
    ngx_vidcast_task_t *task, ngx_vidcast_image_t **image)
{
    uint32_t                width;
    ngx_int_t               rc;
    ngx_vidcast_image_t     decoded;
    ngx_vidcast_predict_t  *predict;

    *image = NULL;
    predict = &analysis->predict;

    width = predict->conf->module->want(predict->conf, task->width);

    if (width == 0) {
        return NGX_OK;
    }

    if (task->raw) {
        decoded = task->raw->image;

    } else {
        rc = ngx_vidcast_analysis_decode(analysis, task, width, &decoded);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (ngx_vidcast_analysis_scale(analysis, &decoded, width) != NGX_OK) {
        ngx_vidcast_error(predict->error, "no memory");
        return NGX_ERROR;
    }

    *image = &analysis->scaled;

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_analysis_decode(ngx_vidcast_analysis_t *analysis,
    ngx_vidcast_task_t *task, uint32_t width, ngx_vidcast_image_t *image)
{
    ngx_int_t             rc;
    ngx_vidcast_ring_t   *ring;
    ngx_vidcast_frame_t   frame;

    ring = &analysis->capture->zone->ring;

    rc = ngx_vidcast_ring_acquire(ring, ngx_max(analysis->last,
                                                task->number - 1), &frame);
    if (rc != NGX_OK) {

        if (task->number > analysis->last) {
            ngx_vidcast_count(&analysis->capture->counters->gone, 1);

        } else {
            ngx_vidcast_count(&analysis->capture->counters->predictor_busy, 1);
        }

        return NGX_AGAIN;
    }

    analysis->last = frame.number;

    ngx_vidcast_store(&analysis->capture->zone->shm->predicting, frame.number);

    task->number = frame.number;
    task->captured = frame.captured;
    task->width = frame.width;
    task->height = frame.height;

    rc = ngx_vidcast_jpeg_decode_gray(analysis->decoder, frame.data,
                                      frame.size, width, image);

    ngx_vidcast_ring_release(ring, &frame);

    if (rc != NGX_OK) {
        ngx_vidcast_error(analysis->predict.error,
                          "the frame could not be decoded");
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_analysis_scale(ngx_vidcast_analysis_t *analysis,
    ngx_vidcast_image_t *image, uint32_t width)
{
    uint32_t              height;
    ngx_vidcast_image_t  *scaled;

    scaled = &analysis->scaled;

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


static void
ngx_vidcast_analysis_publish(ngx_vidcast_analysis_t *analysis,
    ngx_vidcast_task_t *task, uint64_t start, size_t size)
{
    ngx_vidcast_result_t    result;
    ngx_vidcast_capture_t  *capture;

    capture = analysis->capture;

    ngx_memzero(&result, sizeof(ngx_vidcast_result_t));

    result.frame = task->number;
    result.captured = task->captured;
    result.predict = ngx_vidcast_clock() - start;
    result.width = task->width;
    result.height = task->height;
    result.slot = NGX_VIDCAST_RING_NONE;

    if (ngx_vidcast_result_publish(capture, &result, analysis->json, size)
        != NGX_OK)
    {
        ngx_vidcast_capture_predictor_failed(capture, (u_char *)
                                             "the result is too large, see "
                                             "\"results\"");
    }
}
