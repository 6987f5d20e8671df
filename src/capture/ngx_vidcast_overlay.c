
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "capture/ngx_vidcast_capture.h"
#include "shm/ngx_vidcast_control.h"
#include "media/ngx_vidcast_annotate.h"
#include "media/ngx_vidcast_image.h"
#include "media/ngx_vidcast_jpeg.h"
#include "wire/ngx_vidcast_detections_reader.h"


#define NGX_VIDCAST_OVERLAY_COUNT  1000000    /* us between counts */
#define NGX_VIDCAST_OVERLAY_HELD   1000000    /* us until boxes are too old */
#define NGX_VIDCAST_OVERLAY_WAIT   30         /* ms, for a frame's result */


typedef struct {
    ngx_vidcast_capture_t        *capture;
    ngx_vidcast_ring_t            in;        /* its ring, with a pin of ours */
    ngx_vidcast_frame_writer_t    out;       /* into our own */

    pthread_mutex_t               mutex;
    pthread_cond_t                changed;
    ngx_uint_t                    active;    /* it has viewers */
    ngx_uint_t                    notified;

    /* of the main thread */

    uint64_t                      asked;
    uint64_t                      counted;

    /* of our own */

    uint64_t                      drawn;     /* number of the frame */
    uint64_t                      nth;       /* published, it was; 0: none */
    uint64_t                      seq;       /* of the result */
    ngx_uint_t                    futile;    /* waiting for results is */
    ngx_vidcast_ring_result_t     result;
    ngx_vidcast_detections_t      detections;
    u_char                       *text;
    ngx_vidcast_jpeg_decoder_t   *decoder;
    ngx_vidcast_jpeg_encoder_t   *encoder;
    ngx_vidcast_image_t           image;     /* of JPEGs not sampled 4:2:0 */
} ngx_vidcast_overlay_t;


static ngx_int_t ngx_vidcast_overlay_init(ngx_vidcast_overlay_t *overlay,
    ngx_vidcast_capture_t *capture);
static void ngx_vidcast_overlay_look(void *data);
static void ngx_vidcast_overlay_notify(void *data);
static void *ngx_vidcast_overlay_thread(void *data);
static void ngx_vidcast_overlay_wait(ngx_vidcast_overlay_t *overlay,
    ngx_msec_t timeout);
static ngx_uint_t ngx_vidcast_overlay_early(ngx_vidcast_overlay_t *overlay);
static void ngx_vidcast_overlay_results(ngx_vidcast_overlay_t *overlay);
static void ngx_vidcast_overlay_draw(ngx_vidcast_overlay_t *overlay,
    ngx_vidcast_frame_t *frame);
static void ngx_vidcast_overlay_count(ngx_vidcast_overlay_t *overlay,
    ngx_vidcast_frame_t *frame);
static ngx_int_t ngx_vidcast_overlay_fill(ngx_vidcast_overlay_t *overlay,
    ngx_vidcast_frame_t *frame, u_char *dst, size_t *size);
static ngx_int_t ngx_vidcast_overlay_decode(ngx_vidcast_overlay_t *overlay,
    ngx_vidcast_frame_t *frame, ngx_vidcast_image_t *image);
static ngx_int_t ngx_vidcast_overlay_convert(ngx_vidcast_overlay_t *overlay,
    vidcast_image_t *rgb);
static void ngx_vidcast_overlay_failed(ngx_vidcast_overlay_t *overlay,
    uint64_t *counter, const char *reason);


ngx_int_t
ngx_vidcast_overlay_create(ngx_vidcast_capture_t *capture)
{
    ngx_vidcast_sink_t      sink;
    ngx_vidcast_overlay_t  *overlay;

    overlay = ngx_calloc(sizeof(ngx_vidcast_overlay_t), capture->log);
    if (overlay == NULL) {
        return NGX_ERROR;
    }

    if (ngx_vidcast_overlay_init(overlay, capture) != NGX_OK) {
        return NGX_ERROR;
    }

    sink.on_frame = ngx_vidcast_overlay_notify;
    sink.on_result = ngx_vidcast_overlay_notify;
    sink.on_tick = ngx_vidcast_overlay_look;
    sink.data = overlay;

    if (ngx_vidcast_capture_add_sink(capture, &sink) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_vidcast_capture_thread(capture, ngx_vidcast_overlay_thread,
                                      overlay, "vidcast overlay");
}


static ngx_int_t
ngx_vidcast_overlay_init(ngx_vidcast_overlay_t *overlay,
    ngx_vidcast_capture_t *capture)
{
    pthread_condattr_t       attr;
    ngx_vidcast_ring_t      *ring;
    ngx_vidcast_zone_t      *zone;
    ngx_vidcast_geometry_t  *g;

    g = &capture->source->original.geometry;
    zone = capture->source->overlay->zone;
    ring = &zone->ring;

    overlay->capture = capture;

    overlay->in = capture->zone->ring;
    overlay->in.bit = (uint64_t) 1 << NGX_VIDCAST_RING_OVERLAY;

    ngx_vidcast_ring_recover(ring);
    ngx_vidcast_zone_balance(zone);
    ngx_vidcast_ring_set_number(ring,
                                ngx_vidcast_ring_newest(&capture->zone->ring));
    ngx_vidcast_ring_invalidate(ring);

    overlay->text = ngx_alloc(g->result_size, capture->log);

    overlay->decoder = ngx_vidcast_jpeg_decoder_create();
    overlay->encoder = ngx_vidcast_jpeg_encoder_create();

    if (overlay->text == NULL
        || overlay->decoder == NULL
        || overlay->encoder == NULL
        || ngx_vidcast_frame_writer_init(&overlay->out, capture, zone, NULL)
           != NGX_OK
        || pthread_mutex_init(&overlay->mutex, NULL) != 0
        || pthread_condattr_init(&attr) != 0
        || pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) != 0
        || pthread_cond_init(&overlay->changed, &attr) != 0)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* has it viewers? */

static void
ngx_vidcast_overlay_look(void *data)
{
    ngx_vidcast_overlay_t  *overlay = data;

    uint64_t    now, asked;
    ngx_uint_t  active;

    now = ngx_vidcast_clock();
    asked = ngx_vidcast_load(&overlay->out.zone->shm->asked);

    /* a viewer that came was counted before it asked */

    if (asked != overlay->asked) {
        overlay->asked = asked;
        active = 1;

    } else if (overlay->active
               && now - overlay->counted >= NGX_VIDCAST_OVERLAY_COUNT)
    {
        active = ngx_vidcast_zone_overlaid(overlay->capture->conf->control,
                                           overlay->capture->zone,
                                           overlay->capture->log)
                 > 0;

    } else {
        return;
    }

    overlay->counted = now;

    if (active == overlay->active) {
        return;
    }

    (void) pthread_mutex_lock(&overlay->mutex);

    ngx_vidcast_store(&overlay->active, active);
    overlay->notified = 1;

    (void) pthread_cond_signal(&overlay->changed);
    (void) pthread_mutex_unlock(&overlay->mutex);
}


static void
ngx_vidcast_overlay_notify(void *data)
{
    ngx_vidcast_overlay_t  *overlay = data;

    if (!ngx_vidcast_load(&overlay->active)) {
        return;
    }

    (void) pthread_mutex_lock(&overlay->mutex);

    overlay->notified = 1;

    (void) pthread_cond_signal(&overlay->changed);
    (void) pthread_mutex_unlock(&overlay->mutex);
}


static void *
ngx_vidcast_overlay_thread(void *data)
{
    ngx_vidcast_overlay_t  *overlay = data;

    uint64_t             waited;
    ngx_vidcast_frame_t  frame;

    waited = 0;

    for ( ;; ) {

        if (!ngx_vidcast_load(&overlay->active)) {

            /* the next viewer wants nothing that was drawn for others */

            ngx_vidcast_ring_invalidate(&overlay->out.zone->ring);
            overlay->drawn = 0;
            overlay->nth = 0;

            ngx_vidcast_overlay_wait(overlay, 0);
            continue;
        }

        ngx_vidcast_overlay_results(overlay);

        if (ngx_vidcast_overlay_early(overlay)) {

            if (waited == 0) {
                waited = ngx_vidcast_clock();
            }

            if (ngx_vidcast_clock() - waited
                < NGX_VIDCAST_OVERLAY_WAIT * 1000)
            {
                ngx_vidcast_overlay_wait(overlay, NGX_VIDCAST_OVERLAY_WAIT);
                continue;
            }

            overlay->futile = 1;
        }

        waited = 0;

        if (ngx_vidcast_ring_acquire(&overlay->in, overlay->drawn, &frame)
            == NGX_OK)
        {
            ngx_vidcast_overlay_draw(overlay, &frame);
            ngx_vidcast_ring_release(&overlay->in, &frame);
            continue;
        }

        ngx_vidcast_overlay_wait(overlay, 0);
    }

    return NULL;
}


/* till there is something new; "timeout" in ms, 0: as long as it takes */

static void
ngx_vidcast_overlay_wait(ngx_vidcast_overlay_t *overlay, ngx_msec_t timeout)
{
    uint64_t         until;
    struct timespec  ts;

    until = ngx_vidcast_clock() + (uint64_t) timeout * 1000;

    ts.tv_sec = until / 1000000;
    ts.tv_nsec = until % 1000000 * 1000;

    (void) pthread_mutex_lock(&overlay->mutex);

    while (!overlay->notified) {

        if (timeout == 0) {
            (void) pthread_cond_wait(&overlay->changed, &overlay->mutex);

        } else if (pthread_cond_timedwait(&overlay->changed, &overlay->mutex,
                                          &ts)
                   != 0)
        {
            break;
        }
    }

    overlay->notified = 0;

    (void) pthread_mutex_unlock(&overlay->mutex);
}


/*
 * Is there a new frame whose own result is still to come, and soon?  The
 * predictor has it in hand, or nothing else; and the frames before it got
 * theirs in time.
 */

static ngx_uint_t
ngx_vidcast_overlay_early(ngx_vidcast_overlay_t *overlay)
{
    uint64_t             frame, judged, predicting;
    ngx_vidcast_zone_t  *zone;

    zone = overlay->capture->zone;

    frame = ngx_vidcast_ring_newest(&zone->ring);
    judged = ngx_vidcast_load(&overlay->capture->judged);
    judged = ngx_max(judged, overlay->result.frame);

    if (judged >= frame) {
        overlay->futile = 0;
        return 0;
    }

    if (overlay->futile
        || frame <= overlay->drawn
        || overlay->capture->source->predict.module == NULL)
    {
        return 0;
    }

    predicting = ngx_vidcast_load(&zone->shm->predicting);

    return predicting <= judged || predicting == frame;
}


/* the newest result, unless we have it */

static void
ngx_vidcast_overlay_results(ngx_vidcast_overlay_t *overlay)
{
    uint64_t                    seq;
    ngx_int_t                   rc;
    ngx_vidcast_capture_t      *capture;
    ngx_vidcast_ring_result_t   result;

    capture = overlay->capture;
    seq = ngx_vidcast_ring_newest_result(&overlay->in);

    if (seq == overlay->seq) {
        return;
    }

    (void) pthread_mutex_lock(&capture->results_mutex);

    rc = ngx_vidcast_ring_read_result(&overlay->in, seq, &result,
                                      overlay->text);

    (void) pthread_mutex_unlock(&capture->results_mutex);

    if (rc != NGX_OK) {
        return;
    }

    overlay->seq = seq;
    overlay->result = result;

    ngx_vidcast_detections_read(overlay->text, result.size,
                                &overlay->detections);
}


static void
ngx_vidcast_overlay_draw(ngx_vidcast_overlay_t *overlay,
    ngx_vidcast_frame_t *frame)
{
    ngx_vidcast_ring_t           *ring;
    ngx_vidcast_frame_publish_t   drawn;
    ngx_vidcast_frame_writer_t   *out;

    out = &overlay->out;
    ring = &out->zone->ring;

    ngx_vidcast_overlay_count(overlay, frame);

    overlay->drawn = frame->number;
    overlay->nth = frame->nth;

    drawn.number = frame->number;
    drawn.captured = frame->captured;
    drawn.time = frame->time;
    drawn.pts = frame->pts;
    drawn.media_time = frame->media_time;
    drawn.width = frame->width;
    drawn.height = frame->height;
    drawn.slot = ngx_vidcast_frame_claim(out);
    drawn.pushed = 0;

    if (drawn.slot == NGX_VIDCAST_RING_NONE) {
        return;
    }

    if (ngx_vidcast_overlay_fill(overlay, frame,
                                 ngx_vidcast_ring_data(ring, drawn.slot),
                                 &drawn.size)
        != NGX_OK)
    {
        ngx_vidcast_frame_abandon(out, drawn.slot);
        return;
    }

    if (drawn.number == ngx_vidcast_ring_newest(ring)) {

        /* it was drawn for others that have left: another series begins */

        ngx_vidcast_ring_set_number(ring, drawn.number - 1);
    }

    ngx_vidcast_ring_set_number(ring, drawn.number);

    (void) ngx_vidcast_frame_publish(out, &drawn);
}


/* with it those that were published since, and that it is too late for */

static void
ngx_vidcast_overlay_count(ngx_vidcast_overlay_t *overlay,
    ngx_vidcast_frame_t *frame)
{
    uint64_t                 late;
    ngx_vidcast_counters_t  *counters;

    counters = &overlay->out.zone->shm->counters;

    late = overlay->nth ? frame->nth - overlay->nth - 1 : 0;

    ngx_vidcast_count(&counters->grabbed, late + 1);
    ngx_vidcast_count(&counters->late, late);
}


static ngx_int_t
ngx_vidcast_overlay_fill(ngx_vidcast_overlay_t *overlay,
    ngx_vidcast_frame_t *frame, u_char *dst, size_t *size)
{
    ngx_int_t                rc;
    ngx_vidcast_image_t      image;
    ngx_vidcast_counters_t  *counters;

    counters = &overlay->out.zone->shm->counters;

    /* nothing to draw, or none to draw it: the picture as it is */

    if (overlay->detections.n == 0
        || overlay->result.captured + NGX_VIDCAST_OVERLAY_HELD
           <= frame->captured
        || ngx_vidcast_overlay_decode(overlay, frame, &image) != NGX_OK)
    {
        ngx_memcpy(dst, frame->data, frame->size);
        *size = frame->size;

        return NGX_OK;
    }

    ngx_vidcast_annotate(&image, &overlay->detections);

    *size = overlay->out.zone->ring.geometry.slot_size;

    rc = ngx_vidcast_jpeg_encode(overlay->encoder, &image,
                                 overlay->capture->source->quality, dst, size);

    if (rc == NGX_DECLINED) {
        ngx_vidcast_overlay_failed(overlay, &counters->too_large,
                                   "it is too large, see \"frames\"");

    } else if (rc != NGX_OK) {
        ngx_vidcast_overlay_failed(overlay, &counters->encoder_error,
                             ngx_vidcast_jpeg_encoder_error(overlay->encoder));
    }

    return rc;
}


/*
 * In memory of the decoder's, or ours; it may be drawn on.  Not NGX_OK: viewers
 * get it as it is.
 */

static ngx_int_t
ngx_vidcast_overlay_decode(ngx_vidcast_overlay_t *overlay,
    ngx_vidcast_frame_t *frame, ngx_vidcast_image_t *image)
{
    ngx_int_t        rc;
    ngx_uint_t       i;
    const char      *reason;
    vidcast_image_t  decoded;

    decoded.format = VIDCAST_I420;
    decoded.width = frame->width;
    decoded.height = frame->height;

    rc = ngx_vidcast_jpeg_decode(overlay->decoder, frame->data, frame->size,
                                 NULL, &decoded);

    if (rc == NGX_AGAIN) {
        decoded.format = VIDCAST_RGB24;
        decoded.width = frame->width;
        decoded.height = frame->height;

        rc = ngx_vidcast_jpeg_decode(overlay->decoder, frame->data,
                                     frame->size, NULL, &decoded);

        if (rc == NGX_OK) {

            if (ngx_vidcast_overlay_convert(overlay, &decoded) == NGX_OK) {
                *image = overlay->image;
                return NGX_OK;
            }

            ngx_vidcast_capture_log_draw(overlay->capture, "no memory");

            return NGX_ERROR;
        }
    }

    if (rc != NGX_OK) {
        reason = ngx_vidcast_jpeg_decoder_error(overlay->decoder);
        ngx_vidcast_capture_log_draw(overlay->capture, reason);

        return NGX_ERROR;
    }

    for (i = 0; i < 3; i++) {
        image->plane[i] = decoded.plane[i];
        image->stride[i] = decoded.stride[i];
    }

    image->width = decoded.width;
    image->height = decoded.height;

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_overlay_convert(ngx_vidcast_overlay_t *overlay,
    vidcast_image_t *rgb)
{
    ngx_uint_t            i;
    vidcast_image_t       dst;
    ngx_vidcast_image_t  *image;

    image = &overlay->image;

    if (image->width != rgb->width || image->height != rgb->height) {
        ngx_vidcast_image_free(image);
        ngx_memzero(image, sizeof(ngx_vidcast_image_t));

        if (ngx_vidcast_image_alloc(image, rgb->width, rgb->height, 0)
            != NGX_OK)
        {
            ngx_memzero(image, sizeof(ngx_vidcast_image_t));
            return NGX_ERROR;
        }
    }

    dst.format = VIDCAST_I420;
    dst.width = image->width;
    dst.height = image->height;

    for (i = 0; i < 3; i++) {
        dst.plane[i] = image->plane[i];
        dst.stride[i] = image->stride[i];
    }

    ngx_vidcast_image_from_rgb(&dst, rgb);

    return NGX_OK;
}


/* what was drawn last stays for the viewers */

static void
ngx_vidcast_overlay_failed(ngx_vidcast_overlay_t *overlay, uint64_t *counter,
    const char *reason)
{
    ngx_vidcast_count(counter, 1);

    ngx_vidcast_capture_log_draw(overlay->capture, reason);
}
