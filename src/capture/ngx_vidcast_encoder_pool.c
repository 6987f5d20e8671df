
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "capture/ngx_vidcast_capture.h"
#include "capture/ngx_vidcast_scheduler.h"
#include "media/ngx_vidcast_image.h"
#include "media/ngx_vidcast_jpeg.h"


/*
 * Raw pictures wait in a queue, as many encoder threads take them, and what
 * they made is published in the order of the queue: each waits for its turn.
 */

struct ngx_vidcast_encoder_pool_s {
    ngx_vidcast_capture_t        *capture;

    pthread_mutex_t               mutex;
    pthread_cond_t                queued;
    pthread_cond_t                turn;

    ngx_vidcast_raw_t            *first;     /* to be encoded */
    ngx_vidcast_raw_t           **last;
    uint64_t                      taken;     /* tickets given */
    uint64_t                      done;      /* tickets gone */
};


static void *ngx_vidcast_encoder_pool_thread(void *data);
static ngx_vidcast_raw_t *ngx_vidcast_encoder_pool_take(
    ngx_vidcast_encoder_pool_t *encoders, uint64_t *ticket);
static uint32_t ngx_vidcast_encoder_pool_fill(
    ngx_vidcast_encoder_pool_t *encoders, ngx_vidcast_jpeg_encoder_t *enc,
    ngx_vidcast_raw_t *raw, size_t *size);
static void ngx_vidcast_encoder_pool_failed(
    ngx_vidcast_encoder_pool_t *encoders, ngx_int_t rc, const char *reason);


ngx_vidcast_encoder_pool_t *
ngx_vidcast_encoder_pool_create(ngx_vidcast_capture_t *capture)
{
    ngx_uint_t                   i, n;
    ngx_vidcast_encoder_pool_t  *encoders;

    n = capture->source->original.encoders;

    encoders = ngx_calloc(sizeof(ngx_vidcast_encoder_pool_t), capture->log);
    if (encoders == NULL) {
        return NULL;
    }

    if (pthread_mutex_init(&encoders->mutex, NULL) != 0
        || pthread_cond_init(&encoders->queued, NULL) != 0
        || pthread_cond_init(&encoders->turn, NULL) != 0)
    {
        return NULL;
    }

    encoders->capture = capture;
    encoders->last = &encoders->first;

    for (i = 0; i < n; i++) {
        if (ngx_vidcast_capture_thread(capture, ngx_vidcast_encoder_pool_thread,
                                       encoders, "vidcast encode")
            != NGX_OK)
        {
            return NULL;
        }
    }

    return encoders;
}


void
ngx_vidcast_encoder_pool_encode(ngx_vidcast_encoder_pool_t *encoders,
    ngx_vidcast_raw_t *raw)
{
    raw->next = NULL;

    (void) pthread_mutex_lock(&encoders->mutex);

    *encoders->last = raw;
    encoders->last = &raw->next;

    (void) pthread_cond_signal(&encoders->queued);
    (void) pthread_mutex_unlock(&encoders->mutex);
}


void
ngx_vidcast_encoder_pool_drain(ngx_vidcast_encoder_pool_t *encoders)
{
    (void) pthread_mutex_lock(&encoders->mutex);

    while (encoders->first || encoders->done != encoders->taken) {
        (void) pthread_cond_wait(&encoders->turn, &encoders->mutex);
    }

    (void) pthread_mutex_unlock(&encoders->mutex);
}


static void *
ngx_vidcast_encoder_pool_thread(void *data)
{
    ngx_vidcast_encoder_pool_t  *encoders = data;

    uint64_t                      ticket;
    ngx_vidcast_raw_t            *raw;
    ngx_vidcast_jpeg_encoder_t   *enc;
    ngx_vidcast_frame_publish_t   frame;

    enc = ngx_vidcast_jpeg_encoder_create();
    if (enc == NULL) {
        ngx_log_error(NGX_LOG_ALERT, encoders->capture->log, 0,
                      "could not create JPEG encoder");
        _exit(2);
    }

    for ( ;; ) {
        raw = ngx_vidcast_encoder_pool_take(encoders, &ticket);

        frame.number = raw->number;
        frame.captured = raw->captured;
        frame.time = 0;
        frame.pts = raw->pts;
        frame.media_time = raw->media_time;
        frame.width = raw->image.width;
        frame.height = raw->image.height;
        frame.slot = ngx_vidcast_encoder_pool_fill(encoders, enc, raw,
                                                   &frame.size);
        frame.pushed = 0;

        (void) pthread_mutex_lock(&encoders->mutex);

        while (encoders->done != ticket) {
            (void) pthread_cond_wait(&encoders->turn, &encoders->mutex);
        }

        (void) pthread_mutex_unlock(&encoders->mutex);

        if (frame.slot != NGX_VIDCAST_RING_NONE) {
            ngx_vidcast_scheduler_publish_frame(encoders->capture, &frame,
                                                raw->offered);
        }

        ngx_vidcast_raw_unref(raw);

        (void) pthread_mutex_lock(&encoders->mutex);

        encoders->done++;

        (void) pthread_cond_broadcast(&encoders->turn);
        (void) pthread_mutex_unlock(&encoders->mutex);
    }

    return NULL;
}


static ngx_vidcast_raw_t *
ngx_vidcast_encoder_pool_take(ngx_vidcast_encoder_pool_t *encoders,
    uint64_t *ticket)
{
    ngx_vidcast_raw_t  *raw;

    (void) pthread_mutex_lock(&encoders->mutex);

    while (encoders->first == NULL) {
        (void) pthread_cond_wait(&encoders->queued, &encoders->mutex);
    }

    raw = encoders->first;
    encoders->first = raw->next;

    if (encoders->first == NULL) {
        encoders->last = &encoders->first;
    }

    *ticket = encoders->taken++;

    (void) pthread_mutex_unlock(&encoders->mutex);

    return raw;
}


static uint32_t
ngx_vidcast_encoder_pool_fill(ngx_vidcast_encoder_pool_t *encoders,
    ngx_vidcast_jpeg_encoder_t *enc, ngx_vidcast_raw_t *raw, size_t *size)
{
    uint32_t                slot;
    uint64_t                start;
    ngx_int_t               rc;
    ngx_vidcast_capture_t  *capture;

    capture = encoders->capture;

    slot = ngx_vidcast_frame_claim(&capture->writer);

    if (slot == NGX_VIDCAST_RING_NONE) {
        return NGX_VIDCAST_RING_NONE;
    }

    *size = capture->source->original.geometry.slot_size;

    start = ngx_vidcast_clock();

    rc = ngx_vidcast_jpeg_encode(enc, &raw->image, capture->source->quality,
                                 ngx_vidcast_ring_data(&capture->zone->ring,
                                                       slot),
                                 size);

    ngx_vidcast_count(&capture->counters->encode_time,
                      ngx_vidcast_clock() - start);

    if (rc == NGX_OK) {
        return slot;
    }

    ngx_vidcast_encoder_pool_failed(encoders, rc,
                                    ngx_vidcast_jpeg_encoder_error(enc));

    ngx_vidcast_frame_abandon(&capture->writer, slot);

    return NGX_VIDCAST_RING_NONE;
}


static void
ngx_vidcast_encoder_pool_failed(ngx_vidcast_encoder_pool_t *encoders,
    ngx_int_t rc, const char *reason)
{
    ngx_vidcast_capture_t  *capture;

    capture = encoders->capture;

    if (rc == NGX_DECLINED) {
        ngx_vidcast_capture_too_large(capture);
        return;
    }

    ngx_vidcast_count(&capture->counters->encoder_error, 1);
    ngx_vidcast_capture_refused(capture, (u_char *) reason);
    ngx_vidcast_capture_log_encode(capture, reason);
}
