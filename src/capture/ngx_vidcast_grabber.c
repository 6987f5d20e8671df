
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "capture/ngx_vidcast_capture.h"
#include "capture/ngx_vidcast_demand.h"
#include "media/ngx_vidcast_image.h"
#include "media/ngx_vidcast_jpeg.h"


/*
 * The input thread: keeps the input open, as long as the process lives and
 * somebody looks, and hands on what comes.
 */


#define NGX_VIDCAST_GRABBER_BACKOFF_MIN  200000      /* us */
#define NGX_VIDCAST_GRABBER_BACKOFF_MAX  30000000
#define NGX_VIDCAST_GRABBER_BACKOFF_GONE  1000000
#define NGX_VIDCAST_GRABBER_SETTLED      2000000
#define NGX_VIDCAST_GRABBER_BUSY         10000000    /* the old one leaves */


typedef struct {
    ngx_vidcast_capture_t   *capture;
    ngx_vidcast_demand_t     demand;
    ngx_vidcast_input_t      in;
    ngx_vidcast_raw_t       *raw;        /* the next one to be filled */
    uint64_t                 started;
    uint64_t                 opened;
    uint64_t                 frames;     /* since it was opened */
    uint64_t                 backoff;
    ngx_uint_t               warmup;     /* frames still to be skipped */
} ngx_vidcast_grabber_t;


static ngx_int_t ngx_vidcast_grabber_open(ngx_vidcast_grabber_t *grabber);
static ngx_int_t ngx_vidcast_grabber_run(ngx_vidcast_grabber_t *grabber);
static ngx_int_t ngx_vidcast_grabber_grab(ngx_vidcast_grabber_t *grabber,
    ngx_vidcast_picture_t *picture);
static void ngx_vidcast_grabber_skip(ngx_vidcast_grabber_t *grabber,
    ngx_int_t rc);
static ngx_int_t ngx_vidcast_grabber_image(ngx_vidcast_grabber_t *grabber,
    uint32_t width, uint32_t height);
static ngx_vidcast_raw_t *ngx_vidcast_grabber_get(
    ngx_vidcast_grabber_t *grabber, uint32_t width, uint32_t height);
static ngx_int_t ngx_vidcast_grabber_take(ngx_vidcast_grabber_t *grabber,
    ngx_vidcast_picture_t *picture);
static void ngx_vidcast_grabber_bad(ngx_vidcast_grabber_t *grabber);
static ngx_int_t ngx_vidcast_grabber_jpeg(ngx_vidcast_grabber_t *grabber,
    ngx_vidcast_picture_t *picture);
static void ngx_vidcast_grabber_large(ngx_vidcast_grabber_t *grabber);
static void ngx_vidcast_grabber_publish(ngx_vidcast_grabber_t *grabber,
    ngx_vidcast_picture_t *picture, ngx_vidcast_jpeg_info_t *info,
    uint64_t number, size_t size);
static void ngx_vidcast_grabber_raw(ngx_vidcast_grabber_t *grabber,
    ngx_vidcast_picture_t *picture);
static void ngx_vidcast_grabber_drain(ngx_vidcast_grabber_t *grabber);
static void ngx_vidcast_grabber_pause(ngx_vidcast_grabber_t *grabber);


void *
ngx_vidcast_grabber_thread(void *data)
{
    ngx_int_t                     rc;
    ngx_vidcast_grabber_t         grabber;
    ngx_vidcast_input_module_t   *module;

    ngx_memzero(&grabber, sizeof(ngx_vidcast_grabber_t));

    grabber.capture = data;
    grabber.started = ngx_vidcast_clock();
    grabber.demand.capture = data;

    grabber.in.conf = &grabber.capture->source->input;
    grabber.in.log = grabber.capture->log;
    grabber.in.capture = grabber.capture;
    grabber.in.stop = &grabber.capture->leaving;

    module = grabber.in.conf->module;

    for ( ;; ) {

        if (ngx_vidcast_demand_gone(&grabber.demand)) {
            ngx_vidcast_demand_sleep(&grabber.demand);

            grabber.started = ngx_vidcast_clock();
            grabber.backoff = 0;
        }

        if (ngx_vidcast_grabber_open(&grabber) == NGX_OK) {

            rc = ngx_vidcast_grabber_run(&grabber);

            module->close(&grabber.in);

            ngx_vidcast_store(&grabber.capture->open, 0);

            if (ngx_vidcast_load(&grabber.capture->leaving)) {
                break;
            }

            if (rc == NGX_DECLINED) {
                continue;
            }

            if (rc == NGX_DONE) {
                ngx_vidcast_grabber_drain(&grabber);
                ngx_vidcast_capture_state(grabber.capture, NGX_VIDCAST_ENDED,
                                          NULL);

                if (grabber.capture->source->on_demand == 0) {
                    break;
                }

                /* who comes when all have gone sees it from its beginning */

                while (!ngx_vidcast_demand_gone(&grabber.demand)) {
                    ngx_msleep(100);
                }

                continue;
            }

            ngx_vidcast_count(&grabber.capture->counters->lost, 1);

            ngx_vidcast_capture_state(grabber.capture,
                                      NGX_VIDCAST_RECONNECTING,
                                      grabber.in.error);
        }

        ngx_vidcast_grabber_pause(&grabber);
    }

    return NULL;
}


static ngx_int_t
ngx_vidcast_grabber_open(ngx_vidcast_grabber_t *grabber)
{
    ngx_int_t             rc;
    ngx_uint_t            state;
    ngx_vidcast_input_t  *in;

    in = &grabber->in;

    in->error[0] = '\0';
    in->fps = 0;

    ngx_vidcast_store(&grabber->capture->open, 1);

    rc = in->conf->module->open(in);

    if (rc == NGX_OK) {
        grabber->opened = ngx_vidcast_clock();
        grabber->frames = 0;
        grabber->warmup = in->conf->warmup;
        ngx_vidcast_count(&grabber->capture->counters->opened, 1);

        return NGX_OK;
    }

    ngx_vidcast_store(&grabber->capture->open, 0);

    if (ngx_vidcast_load(&grabber->capture->leaving)) {
        return NGX_ERROR;
    }

    state = NGX_VIDCAST_RECONNECTING;

    if (rc == NGX_AGAIN) {

        /* whoever plugs it in looks at the screen */

        grabber->backoff = ngx_min(grabber->backoff,
                                   NGX_VIDCAST_GRABBER_BACKOFF_GONE / 2);
    }

    if (rc == NGX_BUSY) {

        /*
         * A capture before us may be just about to leave the device; or that
         * of an nginx whose successor we are, which takes its time.
         */

        grabber->backoff = 0;

        if (ngx_vidcast_clock() - grabber->started < NGX_VIDCAST_GRABBER_BUSY) {
            state = NGX_VIDCAST_STARTING;
        }
    }

    ngx_vidcast_capture_state(grabber->capture, state, in->error);

    return NGX_ERROR;
}


/*
 * NGX_ERROR: the device is lost; NGX_DONE: the source has ended; NGX_DECLINED:
 * nobody looks, or the process is to leave.
 */

static ngx_int_t
ngx_vidcast_grabber_run(ngx_vidcast_grabber_t *grabber)
{
    ngx_int_t               rc;
    ngx_vidcast_input_t    *in;
    ngx_vidcast_picture_t   picture;

    in = &grabber->in;

    for ( ;; ) {

        if (ngx_vidcast_load(&grabber->capture->leaving)
            || ngx_vidcast_demand_gone(&grabber->demand))
        {
            return NGX_DECLINED;
        }

        rc = ngx_vidcast_grabber_grab(grabber, &picture);

        if (rc == NGX_AGAIN) {
            continue;
        }

        if (rc == NGX_BUSY) {
            ngx_vidcast_capture_state(grabber->capture, NGX_VIDCAST_OFF,
                                      in->error);
            continue;
        }

        if (rc != NGX_OK && rc != NGX_DECLINED) {
            return rc;
        }

        if (grabber->warmup) {
            ngx_vidcast_grabber_skip(grabber, rc);
            continue;
        }

        if (rc == NGX_DECLINED) {
            ngx_vidcast_grabber_bad(grabber);
            continue;
        }

        rc = ngx_vidcast_grabber_take(grabber, &picture);

        if (in->conf->module->release) {
            in->conf->module->release(in);
        }

        if (in->number) {
            ngx_vidcast_zone_wake_workers(grabber->capture->zone);
        }

        if (rc == NGX_ERROR) {
            return rc;
        }

        if (rc == NGX_DECLINED) {
            ngx_vidcast_grabber_bad(grabber);
            continue;
        }

        grabber->frames++;

        ngx_vidcast_store(&grabber->capture->zone->shm->last,
                          ngx_vidcast_clock());

        ngx_vidcast_capture_state(grabber->capture, NGX_VIDCAST_LIVE, NULL);
    }
}


static ngx_int_t
ngx_vidcast_grabber_grab(ngx_vidcast_grabber_t *grabber,
    ngx_vidcast_picture_t *picture)
{
    ngx_int_t             rc;
    ngx_vidcast_input_t  *in;

    in = &grabber->in;

    if (in->fps) {
        grabber->capture->zone->shm->asked_mfps = (uint32_t) (in->fps * 1000);
    }

    ngx_memzero(picture, sizeof(ngx_vidcast_picture_t));

    in->number = 0;
    in->large = 0;

    if (in->format == NGX_VIDCAST_INPUT_I420) {

        if (ngx_vidcast_grabber_image(grabber, in->width, in->height)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        picture->image = &grabber->raw->image;
    }

    rc = in->conf->module->grab(in, picture);

    if (rc == NGX_OK && picture->time == 0) {
        picture->time = ngx_vidcast_clock();
    }

    return rc;
}


/* the first frames are those of a camera which still looks for its exposure */

static void
ngx_vidcast_grabber_skip(ngx_vidcast_grabber_t *grabber, ngx_int_t rc)
{
    ngx_vidcast_input_module_t  *module;

    module = grabber->in.conf->module;

    grabber->warmup--;
    ngx_vidcast_count(&grabber->capture->counters->warmup, 1);

    if (rc == NGX_OK && module->release) {
        module->release(&grabber->in);
    }
}


/* the picture in hand gets this size */

static ngx_int_t
ngx_vidcast_grabber_image(ngx_vidcast_grabber_t *grabber, uint32_t width,
    uint32_t height)
{
    ngx_vidcast_encoders_t  *encoders;

    encoders = grabber->capture->encoders;

    if (grabber->raw
        && (grabber->raw->image.width != width
            || grabber->raw->image.height != height))
    {
        ngx_vidcast_encoders_unref(encoders, grabber->raw);
        grabber->raw = NULL;
    }

    if (grabber->raw == NULL) {
        grabber->raw = ngx_vidcast_grabber_get(grabber, width, height);
    }

    if (grabber->raw == NULL) {
        (void) ngx_snprintf(grabber->in.error, NGX_VIDCAST_ERROR_LEN,
                            "no memory for %uDx%uD pixels%Z", width, height);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* where no frame may be skipped, one waits for the encoders */

static ngx_vidcast_raw_t *
ngx_vidcast_grabber_get(ngx_vidcast_grabber_t *grabber, uint32_t width,
    uint32_t height)
{
    ngx_vidcast_raw_t       *raw;
    ngx_vidcast_encoders_t  *encoders;

    encoders = grabber->capture->encoders;

    do {
        raw = ngx_vidcast_encoders_get(encoders, width, height);

    } while (raw == NULL && grabber->in.conf->batch
             && ngx_vidcast_encoders_wait(encoders) == NGX_AGAIN);

    return raw;
}


static ngx_int_t
ngx_vidcast_grabber_take(ngx_vidcast_grabber_t *grabber,
    ngx_vidcast_picture_t *picture)
{
    if (picture->data) {
        return ngx_vidcast_grabber_jpeg(grabber, picture);
    }

    if (grabber->in.format == NGX_VIDCAST_INPUT_ANY) {

        if (ngx_vidcast_grabber_image(grabber, picture->view.width,
                                      picture->view.height)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        ngx_vidcast_image_copy(&grabber->raw->image, &picture->view);
    }

    ngx_vidcast_grabber_raw(grabber, picture);

    return NGX_OK;
}


static void
ngx_vidcast_grabber_bad(ngx_vidcast_grabber_t *grabber)
{
    ngx_vidcast_count(&grabber->capture->counters->bad_frame, 1);

    ngx_vidcast_capture_log_bad(grabber->capture, grabber->in.error);
}


/* passed through as it is; only missing Huffman tables are put in */

static ngx_int_t
ngx_vidcast_grabber_jpeg(ngx_vidcast_grabber_t *grabber,
    ngx_vidcast_picture_t *picture)
{
    size_t                    size;
    uint64_t                  number;
    ngx_vidcast_capture_t    *capture;
    ngx_vidcast_jpeg_info_t   info;

    capture = grabber->capture;

    if (ngx_vidcast_jpeg_probe(picture->data, picture->size, &info)
        != NGX_OK)
    {
        (void) ngx_snprintf(grabber->in.error, NGX_VIDCAST_ERROR_LEN,
                            "%uz bytes which are not a whole JPEG%Z",
                            picture->size);
        return NGX_DECLINED;
    }

    ngx_vidcast_count(&capture->counters->captured, 1);

    number = ngx_vidcast_ring_next(&capture->zone->ring);

    size = info.size + (info.dht ? 0 : NGX_VIDCAST_JPEG_DHT_LEN);

    if (size > capture->source->geometry.slot_size) {
        ngx_vidcast_grabber_large(grabber);
        return NGX_OK;
    }

    if (capture->analysis && grabber->in.conf->batch) {
        ngx_vidcast_analysis_wait(capture->analysis, 1);
    }

    if (!picture->lent) {
        picture->slot = ngx_vidcast_capture_claim(capture);

        if (picture->slot == NGX_VIDCAST_RING_NONE) {
            return NGX_OK;
        }
    }

    ngx_vidcast_grabber_publish(grabber, picture, &info, number, size);

    return NGX_OK;
}


static void
ngx_vidcast_grabber_large(ngx_vidcast_grabber_t *grabber)
{
    ngx_vidcast_count(&grabber->capture->counters->too_large, 1);

    grabber->in.large = 1;

    ngx_vidcast_capture_log_too_large(grabber->capture);
}


static void
ngx_vidcast_grabber_publish(ngx_vidcast_grabber_t *grabber,
    ngx_vidcast_picture_t *picture, ngx_vidcast_jpeg_info_t *info,
    uint64_t number, size_t size)
{
    u_char                 *data;
    ngx_vidcast_capture_t  *capture;

    capture = grabber->capture;

    data = ngx_vidcast_ring_data(&capture->zone->ring, picture->slot);

    if (!info->dht) {
        (void) ngx_vidcast_jpeg_insert_dht(data, picture->data, info);
        ngx_vidcast_count(&capture->counters->tables_inserted, 1);

    } else if (!picture->lent) {
        ngx_memcpy(data, picture->data, info->size);
    }

    ngx_vidcast_capture_publish(capture, picture->slot, number, picture->time,
                                size, info->width, info->height);

    grabber->in.number = number;

    if (capture->analysis) {
        ngx_vidcast_analysis_submit(capture->analysis, NULL, number,
                                    picture->time, info->width, info->height);
    }
}


/*
 * The picture in hand goes to the encoders if there is another one to be
 * filled next; else it is dropped, and filled again.
 */

static void
ngx_vidcast_grabber_raw(ngx_vidcast_grabber_t *grabber,
    ngx_vidcast_picture_t *picture)
{
    ngx_vidcast_raw_t      *raw, *next;
    ngx_vidcast_capture_t  *capture;

    capture = grabber->capture;
    raw = grabber->raw;

    ngx_vidcast_count(&capture->counters->captured, 1);

    raw->number = ngx_vidcast_ring_next(&capture->zone->ring);
    raw->captured = picture->time;

    next = ngx_vidcast_grabber_get(grabber, raw->image.width,
                                   raw->image.height);
    if (next == NULL) {
        ngx_vidcast_count(&capture->counters->encoder_busy, 1);
        return;
    }

    grabber->raw = next;

    if (capture->analysis) {

        if (grabber->in.conf->batch) {
            ngx_vidcast_analysis_wait(capture->analysis, 0);
        }

        ngx_vidcast_analysis_submit(capture->analysis, raw, raw->number,
                                    raw->captured, raw->image.width,
                                    raw->image.height);
    }

    ngx_vidcast_encoders_encode(capture->encoders, raw);
}


/* what was grabbed is out, and predicted */

static void
ngx_vidcast_grabber_drain(ngx_vidcast_grabber_t *grabber)
{
    ngx_vidcast_encoders_drain(grabber->capture->encoders);

    if (grabber->capture->analysis) {
        ngx_vidcast_analysis_wait(grabber->capture->analysis, 1);
    }

    if (grabber->capture->dispatch) {
        ngx_vidcast_dispatch_drain(grabber->capture->dispatch);
    }
}


/* a source that did its work is tried again at once, another one ever later */

static void
ngx_vidcast_grabber_pause(ngx_vidcast_grabber_t *grabber)
{
    uint64_t  now, due;

    now = ngx_vidcast_clock();

    if (grabber->frames
        && now - grabber->opened >= NGX_VIDCAST_GRABBER_SETTLED)
    {
        grabber->backoff = 0;
    }

    grabber->frames = 0;

    grabber->backoff = ngx_max(ngx_min(grabber->backoff * 2,
                                       NGX_VIDCAST_GRABBER_BACKOFF_MAX),
                               NGX_VIDCAST_GRABBER_BACKOFF_MIN);

    due = now + grabber->backoff;

    while (ngx_vidcast_input_wait(due) == NGX_AGAIN
           && !ngx_vidcast_demand_gone(&grabber->demand))
    {
        /* void */
    }
}
