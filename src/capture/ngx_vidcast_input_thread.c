
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast_backoff.h"
#include "core/ngx_vidcast.h"
#include "core/ngx_vidcast_error.h"
#include "capture/ngx_vidcast_capture.h"
#include "capture/ngx_vidcast_scheduler.h"
#include "capture/remote/ngx_vidcast_remote.h"
#include "media/ngx_vidcast_image.h"
#include "media/ngx_vidcast_jpeg.h"


/*
 * The input thread: keeps the input open, as long as the process lives and
 * the source has viewers, and hands on what comes.
 */


#define NGX_VIDCAST_INPUT_THREAD_GONE  1000000   /* us, longest back-off */
#define NGX_VIDCAST_INPUT_THREAD_BUSY  10000000  /* the old one leaves */
#define NGX_VIDCAST_INPUT_THREAD_FILM  1000000   /* media time of the start */


/* of a film: see "media time" */

typedef struct {
    uint64_t                  time;      /* of the last picture, 0: none yet */
    int64_t                   pts;
    int64_t                   step;      /* from the one before it */
} ngx_vidcast_media_clock_t;


typedef struct {
    ngx_vidcast_capture_t      *capture;
    ngx_vidcast_on_demand_t     demand;
    ngx_vidcast_input_t         in;
    ngx_vidcast_raw_t          *raw;     /* the next one to be filled */
    ngx_vidcast_jpeg_turner_t  *turner;  /* NULL: not needed yet */
    ngx_vidcast_media_clock_t   clock;
    uint64_t                    started;
    uint64_t                    opened;
    uint64_t                    frames;  /* since it was opened */
    ngx_uint_t                  warmup;  /* frames still to be skipped */
    ngx_vidcast_backoff_t       backoff;
} ngx_vidcast_input_thread_t;


static ngx_int_t ngx_vidcast_input_thread_result(
    ngx_vidcast_capture_t *capture, const u_char *json, size_t size,
    uint64_t *seq);
static ngx_int_t ngx_vidcast_input_thread_open(
    ngx_vidcast_input_thread_t *thread);
static ngx_int_t ngx_vidcast_input_thread_run(
    ngx_vidcast_input_thread_t *thread);
static ngx_int_t ngx_vidcast_input_thread_grab(
    ngx_vidcast_input_thread_t *thread, ngx_vidcast_picture_t *picture);
static void ngx_vidcast_input_thread_dropped(
    ngx_vidcast_input_thread_t *thread);
static void ngx_vidcast_input_thread_skip(ngx_vidcast_input_thread_t *thread,
    ngx_int_t rc);
static ngx_int_t ngx_vidcast_input_thread_image(
    ngx_vidcast_input_thread_t *thread, uint32_t width, uint32_t height);
static void ngx_vidcast_input_thread_remote(
    ngx_vidcast_input_thread_t *thread, ngx_vidcast_remote_result_t *remote);
static ngx_int_t ngx_vidcast_input_thread_take(
    ngx_vidcast_input_thread_t *thread, ngx_vidcast_picture_t *picture);
static void ngx_vidcast_input_thread_bad(ngx_vidcast_input_thread_t *thread);
static void ngx_vidcast_input_thread_jpeg(ngx_vidcast_input_thread_t *thread,
    ngx_vidcast_picture_t *picture);
static ngx_uint_t ngx_vidcast_input_thread_orientation(
    ngx_vidcast_input_thread_t *thread, ngx_vidcast_picture_t *picture);
static ngx_int_t ngx_vidcast_input_thread_turn(
    ngx_vidcast_input_thread_t *thread, ngx_vidcast_picture_t *picture);
static uint64_t ngx_vidcast_input_thread_number(
    ngx_vidcast_capture_t *capture, ngx_vidcast_picture_t *picture);
static ngx_int_t ngx_vidcast_input_thread_identify(
    ngx_vidcast_input_thread_t *thread, ngx_vidcast_picture_t *picture);
static uint64_t ngx_vidcast_input_thread_media_time(
    ngx_vidcast_input_thread_t *thread, ngx_vidcast_picture_t *picture);
static void ngx_vidcast_input_thread_publish(ngx_vidcast_input_thread_t *thread,
    ngx_vidcast_picture_t *picture, ngx_vidcast_jpeg_info_t *info,
    uint64_t number, size_t size);
static void ngx_vidcast_input_thread_raw(ngx_vidcast_input_thread_t *thread,
    ngx_vidcast_picture_t *picture);
static void ngx_vidcast_input_thread_pause(ngx_vidcast_input_thread_t *thread);
static uint32_t ngx_vidcast_input_thread_claim(ngx_vidcast_capture_t *capture);
static void ngx_vidcast_input_thread_abandon(ngx_vidcast_capture_t *capture,
    uint32_t slot);


static ngx_vidcast_input_host_t  ngx_vidcast_input_thread_host = {
    ngx_vidcast_input_thread_claim,
    ngx_vidcast_input_thread_abandon,
    ngx_vidcast_input_thread_result,
    ngx_vidcast_capture_log_said
};


void *
ngx_vidcast_input_thread(void *data)
{
    ngx_int_t                    rc;
    ngx_vidcast_input_thread_t   thread;
    ngx_vidcast_input_module_t  *module;

    ngx_memzero(&thread, sizeof(ngx_vidcast_input_thread_t));

    thread.capture = data;
    thread.started = ngx_vidcast_clock();
    thread.demand.capture = data;

    thread.in.conf = &thread.capture->source->input;
    thread.in.log = thread.capture->log;
    thread.in.source = thread.capture->source;
    thread.in.control = thread.capture->conf->control;
    thread.in.host = &ngx_vidcast_input_thread_host;
    thread.in.capture = thread.capture;
    thread.in.stop = &thread.capture->leaving;

    module = thread.in.conf->module;

    for ( ;; ) {

        if (ngx_vidcast_on_demand_gone(&thread.demand)) {
            ngx_vidcast_on_demand_sleep(&thread.demand);

            thread.started = ngx_vidcast_clock();
            ngx_vidcast_backoff_reset(&thread.backoff);
        }

        if (ngx_vidcast_input_thread_open(&thread) == NGX_OK) {

            rc = ngx_vidcast_input_thread_run(&thread);

            ngx_vidcast_turn(&thread.capture->zone->shm->input_turn);

            module->close(&thread.in);

            ngx_vidcast_turn(&thread.capture->zone->shm->input_turn);

            ngx_vidcast_store(&thread.capture->open, 0);

            if (ngx_vidcast_load(&thread.capture->leaving)) {
                break;
            }

            /* a frame that came out now would say that the source is live */

            ngx_vidcast_encoder_pool_drain(thread.capture->encoders);

            if (rc == NGX_DECLINED) {
                continue;
            }

            if (rc == NGX_DONE) {

                if (thread.capture->scheduler) {
                    ngx_vidcast_scheduler_drain(thread.capture->scheduler);
                }

                ngx_vidcast_capture_state(thread.capture, NGX_VIDCAST_ENDED,
                                          NULL);

                if (thread.capture->source->on_demand == 0) {
                    break;
                }

                /* a viewer that comes later sees it from the start */

                while (!ngx_vidcast_on_demand_gone(&thread.demand)) {
                    ngx_msleep(100);
                }

                continue;
            }

            ngx_vidcast_count(&thread.capture->counters->lost, 1);

            ngx_vidcast_capture_state(thread.capture,
                                      NGX_VIDCAST_RECONNECTING,
                                      thread.in.error);
        }

        ngx_vidcast_input_thread_pause(&thread);
    }

    return NULL;
}


/* of a publisher, about the newest frame if there is one */

static ngx_int_t
ngx_vidcast_input_thread_result(ngx_vidcast_capture_t *capture,
    const u_char *json, size_t size, uint64_t *seq)
{
    ngx_int_t              rc;
    ngx_vidcast_zone_t    *zone;
    ngx_vidcast_result_t   result;

    zone = capture->zone;

    ngx_memzero(&result, sizeof(ngx_vidcast_result_t));

    result.frame = ngx_vidcast_ring_newest(&zone->ring);
    result.captured = ngx_vidcast_clock();
    result.pts = NGX_VIDCAST_NO_PTS;
    result.width = zone->shm->width;
    result.height = zone->shm->height;
    result.slot = NGX_VIDCAST_RING_NONE;
    result.pushed = 1;

    rc = ngx_vidcast_result_publish(capture, &result, json, size);

    if (rc == NGX_OK) {
        *seq = result.seq;

        ngx_vidcast_count(&capture->counters->pushed, 1);

        ngx_vidcast_store(&zone->shm->life, result.captured);
        ngx_vidcast_capture_state(capture, NGX_VIDCAST_LIVE, NULL);
    }

    return rc;
}


static uint32_t
ngx_vidcast_input_thread_claim(ngx_vidcast_capture_t *capture)
{
    return ngx_vidcast_frame_try_claim(&capture->writer);
}


static void
ngx_vidcast_input_thread_abandon(ngx_vidcast_capture_t *capture, uint32_t slot)
{
    ngx_vidcast_frame_abandon(&capture->writer, slot);
}


static ngx_int_t
ngx_vidcast_input_thread_open(ngx_vidcast_input_thread_t *thread)
{
    ngx_int_t             rc;
    ngx_uint_t            state;
    ngx_vidcast_input_t  *in;

    in = &thread->in;

    in->error[0] = '\0';
    in->fps = 0;

    ngx_vidcast_store(&thread->capture->open, 1);

    ngx_vidcast_turn(&thread->capture->zone->shm->input_turn);

    rc = in->conf->module->open(in);

    ngx_vidcast_turn(&thread->capture->zone->shm->input_turn);

    if (rc == NGX_OK) {
        thread->opened = ngx_vidcast_clock();
        thread->frames = 0;
        thread->warmup = in->conf->warmup;
        ngx_vidcast_count(&thread->capture->counters->opened, 1);

        return NGX_OK;
    }

    ngx_vidcast_store(&thread->capture->open, 0);

    if (ngx_vidcast_load(&thread->capture->leaving)) {
        return NGX_ERROR;
    }

    state = NGX_VIDCAST_RECONNECTING;

    if (rc == NGX_AGAIN) {

        /* the user that plugs it in is waiting for the picture */

        thread->backoff.delay = ngx_min(thread->backoff.delay,
                                        NGX_VIDCAST_INPUT_THREAD_GONE / 2);
    }

    if (rc == NGX_BUSY) {

        /*
         * A capture before us may be just about to leave the device; or that
         * of an nginx whose successor we are, which takes its time.
         */

        ngx_vidcast_backoff_reset(&thread->backoff);

        if (ngx_vidcast_clock() - thread->started
            < NGX_VIDCAST_INPUT_THREAD_BUSY)
        {
            state = NGX_VIDCAST_STARTING;
        }
    }

    ngx_vidcast_capture_state(thread->capture, state, in->error);

    return NGX_ERROR;
}


/*
 * NGX_ERROR: the device is lost; NGX_DONE: the source has ended; NGX_DECLINED:
 * there is no viewer, or the process is to leave.
 */

static ngx_int_t
ngx_vidcast_input_thread_run(ngx_vidcast_input_thread_t *thread)
{
    ngx_int_t               rc;
    ngx_vidcast_input_t    *in;
    ngx_vidcast_picture_t   picture;

    in = &thread->in;

    for ( ;; ) {

        if (ngx_vidcast_load(&thread->capture->leaving)
            || ngx_vidcast_on_demand_gone(&thread->demand))
        {
            return NGX_DECLINED;
        }

        rc = ngx_vidcast_input_thread_grab(thread, &picture);

        if (rc == NGX_AGAIN) {
            continue;
        }

        if (rc == NGX_BUSY) {
            ngx_vidcast_capture_state(thread->capture, NGX_VIDCAST_OFF,
                                      in->error);
            continue;
        }

        if (rc == NGX_VIDCAST_INPUT_UNCHANGED) {
            ngx_vidcast_capture_unchanged(thread->capture);
            thread->frames++;
            continue;
        }

        if (rc == NGX_VIDCAST_INPUT_WAITING) {
            ngx_vidcast_capture_state(thread->capture,
                                      NGX_VIDCAST_RECONNECTING, in->error);
            continue;
        }

        if (rc == NGX_VIDCAST_INPUT_RESULT) {
            ngx_vidcast_input_thread_remote(thread, &picture.result);

            if (in->conf->module->release) {
                in->conf->module->release(in);
            }

            continue;
        }

        if (rc != NGX_OK && rc != NGX_DECLINED) {
            return rc;
        }

        if (thread->warmup) {
            ngx_vidcast_input_thread_skip(thread, rc);
            continue;
        }

        if (rc == NGX_DECLINED) {
            ngx_vidcast_input_thread_bad(thread);
            continue;
        }

        rc = ngx_vidcast_input_thread_take(thread, &picture);

        if (in->conf->module->release) {
            in->conf->module->release(in);
        }

        if (rc == NGX_ERROR) {
            return rc;
        }

        if (in->conf->lossless) {
            ngx_vidcast_on_demand_first(&thread->demand);
        }

        thread->frames++;
    }
}


static ngx_int_t
ngx_vidcast_input_thread_grab(ngx_vidcast_input_thread_t *thread,
    ngx_vidcast_picture_t *picture)
{
    ngx_int_t             rc;
    ngx_vidcast_input_t  *in;

    in = &thread->in;

    if (in->fps) {
        thread->capture->zone->shm->asked_mfps = (uint32_t) (in->fps * 1000);
    }

    ngx_memzero(picture, sizeof(ngx_vidcast_picture_t));
    picture->pts = NGX_VIDCAST_NO_PTS;

    in->number = 0;
    in->large = 0;
    in->bad = 0;

    if (in->format == NGX_VIDCAST_INPUT_I420) {

        if (ngx_vidcast_input_thread_image(thread, in->width, in->height)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        picture->image = &thread->raw->image;
    }

    ngx_vidcast_turn(&thread->capture->zone->shm->input_turn);

    rc = in->conf->module->grab(in, picture);

    ngx_vidcast_turn(&thread->capture->zone->shm->input_turn);

    if (rc == NGX_OK || rc == NGX_DECLINED) {
        ngx_vidcast_count(&thread->capture->counters->grabbed, 1);
    }

    ngx_vidcast_input_thread_dropped(thread);

    if (rc == NGX_OK && picture->time == 0) {
        picture->time = ngx_vidcast_clock();
    }

    return rc;
}


/* what the driver lost by itself */

static void
ngx_vidcast_input_thread_dropped(ngx_vidcast_input_thread_t *thread)
{
    ngx_vidcast_counters_t       *counters;
    ngx_vidcast_input_dropped_t  *dropped;

    counters = thread->capture->counters;
    dropped = &thread->in.dropped;

    ngx_vidcast_count(&counters->grabbed,
                      dropped->bad_frame + dropped->late
                      + dropped->sequence_gap + dropped->fps_limit
                      + dropped->held);

    ngx_vidcast_count(&counters->bad_frame, dropped->bad_frame);
    ngx_vidcast_count(&counters->late, dropped->late);
    ngx_vidcast_count(&counters->sequence_gap, dropped->sequence_gap);
    ngx_vidcast_count(&counters->fps_limit, dropped->fps_limit);
    ngx_vidcast_count(&counters->held, dropped->held);
    ngx_vidcast_count(&counters->damaged, dropped->damaged);

    ngx_memzero(dropped, sizeof(ngx_vidcast_input_dropped_t));
}


/* the first frames are those of a camera which still looks for its exposure */

static void
ngx_vidcast_input_thread_skip(ngx_vidcast_input_thread_t *thread, ngx_int_t rc)
{
    ngx_vidcast_input_module_t  *module;

    module = thread->in.conf->module;

    thread->warmup--;
    ngx_vidcast_count(&thread->capture->counters->warmup, 1);

    if (rc == NGX_OK && module->release) {
        module->release(&thread->in);
    }
}


/* the picture in hand gets this size; the first one may wait for a free one */

static ngx_int_t
ngx_vidcast_input_thread_image(ngx_vidcast_input_thread_t *thread,
    uint32_t width, uint32_t height)
{
    if (thread->raw
        && (thread->raw->image.width != width
            || thread->raw->image.height != height))
    {
        ngx_vidcast_raw_unref(thread->raw);
        thread->raw = NULL;
    }

    if (thread->raw == NULL) {
        thread->raw = ngx_vidcast_raw_get(thread->capture->raws, width, height,
                                          1);
    }

    if (thread->raw == NULL) {
        ngx_vidcast_error(thread->in.error, "no memory for %uDx%uD pixels",
                          width, height);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* a result of a predictor on another machine */

static void
ngx_vidcast_input_thread_remote(ngx_vidcast_input_thread_t *thread,
    ngx_vidcast_remote_result_t *remote)
{
    ngx_int_t               rc;
    ngx_vidcast_capture_t  *capture;

    capture = thread->capture;

    if (capture->scheduler
        || ngx_vidcast_remote_epoch(capture, remote->epoch) != NGX_OK)
    {
        return;
    }

    rc = ngx_vidcast_remote_result(capture, remote, thread->in.error);

    if (rc == NGX_OK) {
        ngx_vidcast_store(&capture->zone->shm->life, ngx_vidcast_clock());
        ngx_vidcast_capture_state(capture, NGX_VIDCAST_LIVE, NULL);

        return;
    }

    if (rc == NGX_DECLINED) {
        ngx_vidcast_error(thread->in.error, "it is larger than %uD bytes, "
                          "see \"results\"",
                          capture->source->original.geometry.result_size);
    }

    ngx_vidcast_count(&capture->counters->unreadable, 1);
    ngx_vidcast_capture_log_remote(capture, thread->in.error);
}


static ngx_int_t
ngx_vidcast_input_thread_take(ngx_vidcast_input_thread_t *thread,
    ngx_vidcast_picture_t *picture)
{
    ngx_uint_t               cut, bare;
    ngx_vidcast_counters_t  *counters;

    counters = thread->capture->counters;

    if (thread->capture->scheduler) {

        /* it has results of its own, and so numbers */

        picture->identity.epoch = 0;
    }

    if (picture->identity.epoch
        && ngx_vidcast_input_thread_identify(thread, picture) != NGX_OK)
    {
        return NGX_OK;
    }

    if (picture->data) {
        cut = picture->info.cut;
        bare = !picture->info.dht;

        ngx_vidcast_count(&counters->trailing, picture->info.trailing);

        if ((ngx_vidcast_orientation_lies(thread->in.conf->orientation)
             || ngx_vidcast_orientation_lies(picture->orientation))
            && ngx_vidcast_input_thread_turn(thread, picture) != NGX_OK)
        {
            thread->in.bad = 1;
            ngx_vidcast_input_thread_bad(thread);

            return NGX_OK;
        }

        ngx_vidcast_input_thread_jpeg(thread, picture);

        /* "info" is that of a turned one, which has an end and tables */

        if (thread->in.number) {
            ngx_vidcast_count(&counters->truncated, cut);
            ngx_vidcast_count(&counters->tables_inserted, bare);
        }

        return NGX_OK;
    }

    if (thread->in.format == NGX_VIDCAST_INPUT_ANY) {

        if (ngx_vidcast_input_thread_image(thread, picture->view.width,
                                           picture->view.height)
            != NGX_OK)
        {
            ngx_vidcast_count(&counters->no_memory, 1);
            return NGX_ERROR;
        }

        ngx_vidcast_image_copy(&thread->raw->image, &picture->view);
    }

    ngx_vidcast_input_thread_raw(thread, picture);

    return NGX_OK;
}


static void
ngx_vidcast_input_thread_bad(ngx_vidcast_input_thread_t *thread)
{
    ngx_vidcast_count(&thread->capture->counters->bad_frame, 1);

    ngx_vidcast_capture_refused(thread->capture, thread->in.error);
    ngx_vidcast_capture_log_bad(thread->capture, thread->in.error);
}


/* passed through as it is; only what it lacks is put in */

static void
ngx_vidcast_input_thread_jpeg(ngx_vidcast_input_thread_t *thread,
    ngx_vidcast_picture_t *picture)
{
    size_t                    size;
    uint64_t                  number;
    ngx_vidcast_capture_t    *capture;
    ngx_vidcast_jpeg_info_t  *info;

    capture = thread->capture;
    info = &picture->info;

    number = ngx_vidcast_input_thread_number(capture, picture);

    size = ngx_vidcast_jpeg_whole_size(info);

    if (size > capture->source->original.geometry.slot_size) {
        thread->in.large = 1;
        ngx_vidcast_capture_too_large(capture);

        return;
    }

    if (!picture->lent) {
        picture->slot = ngx_vidcast_frame_claim(&capture->writer);

        if (picture->slot == NGX_VIDCAST_RING_NONE) {
            return;
        }
    }

    ngx_vidcast_input_thread_publish(thread, picture, info, number, size);
}


/* as the input says, and then as it is configured */

static ngx_uint_t
ngx_vidcast_input_thread_orientation(ngx_vidcast_input_thread_t *thread,
    ngx_vidcast_picture_t *picture)
{
    return ngx_vidcast_orientation_join(picture->orientation,
                                        thread->in.conf->orientation);
}


/* the picture is in memory of the turner's then, even one that was lent */

static ngx_int_t
ngx_vidcast_input_thread_turn(ngx_vidcast_input_thread_t *thread,
    ngx_vidcast_picture_t *picture)
{
    u_char               *data;
    ngx_uint_t            orientation;
    ngx_vidcast_input_t  *in;

    in = &thread->in;

    if (thread->turner == NULL) {
        thread->turner = ngx_vidcast_jpeg_turner_create();
    }

    orientation = ngx_vidcast_orientation_join(picture->info.orientation,
                                 ngx_vidcast_input_thread_orientation(thread,
                                                                     picture));

    data = thread->turner
               ? ngx_vidcast_jpeg_turn_lossless(thread->turner, picture->data,
                                                &picture->info, orientation)
               : NULL;

    if (data == NULL) {
        ngx_vidcast_error(in->error, "a JPEG that could not be turned: %s",
                          thread->turner
                              ? ngx_vidcast_jpeg_turner_error(thread->turner)
                              : "no memory");

        return NGX_ERROR;
    }

    picture->data = data;
    picture->size = picture->info.size;

    return NGX_OK;
}


static uint64_t
ngx_vidcast_input_thread_number(ngx_vidcast_capture_t *capture,
    ngx_vidcast_picture_t *picture)
{
    ngx_vidcast_count(&capture->counters->captured, 1);

    if (picture->identity.epoch) {
        ngx_vidcast_ring_set_number(&capture->zone->ring,
                                    picture->identity.number);

        return picture->identity.number;
    }

    return ngx_vidcast_ring_next(&capture->zone->ring);
}


/*
 * Can it keep its number?  It is late if it comes again, or behind a newer one;
 * of another epoch, the next process begins with the one behind it.
 */

static ngx_int_t
ngx_vidcast_input_thread_identify(ngx_vidcast_input_thread_t *thread,
    ngx_vidcast_picture_t *picture)
{
    ngx_vidcast_capture_t  *capture;

    capture = thread->capture;

    if (ngx_vidcast_remote_epoch(capture, picture->identity.epoch) != NGX_OK
        || picture->identity.number
           <= ngx_vidcast_ring_newest(&capture->zone->ring))
    {
        ngx_vidcast_count(&capture->counters->late, 1);
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* a film that begins anew, or is opened again, goes on one frame later */

static uint64_t
ngx_vidcast_input_thread_media_time(ngx_vidcast_input_thread_t *thread,
    ngx_vidcast_picture_t *picture)
{
    ngx_vidcast_media_clock_t  *clock;

    if (picture->pts == NGX_VIDCAST_NO_PTS) {
        return picture->time;
    }

    clock = &thread->clock;

    if (clock->time == 0) {
        clock->time = NGX_VIDCAST_INPUT_THREAD_FILM;

    } else {

        if (picture->pts > clock->pts) {
            clock->step = picture->pts - clock->pts;
        }

        clock->time += clock->step;
    }

    clock->pts = picture->pts;

    return clock->time;
}


static void
ngx_vidcast_input_thread_publish(ngx_vidcast_input_thread_t *thread,
    ngx_vidcast_picture_t *picture, ngx_vidcast_jpeg_info_t *info,
    uint64_t number, size_t size)
{
    u_char                       *data;
    ngx_vidcast_capture_t        *capture;
    ngx_vidcast_frame_publish_t   frame;

    capture = thread->capture;

    data = ngx_vidcast_ring_data(&capture->zone->ring, picture->slot);

    ngx_vidcast_jpeg_make_whole(data, picture->data, info);

    frame.number = number;
    frame.captured = picture->time;
    frame.time = picture->identity.epoch ? picture->identity.time : 0;
    frame.pts = picture->pts;
    frame.media_time = ngx_vidcast_input_thread_media_time(thread, picture);
    frame.size = size;
    frame.width = info->width;
    frame.height = info->height;
    frame.slot = picture->slot;
    frame.pushed = thread->in.conf->push;

    ngx_vidcast_scheduler_publish_frame(capture, &frame, 0);

    if (picture->identity.epoch) {
        ngx_vidcast_remote_keep(capture, frame.slot, number);
    }

    thread->in.number = number;
}


/*
 * The picture in hand goes to the encoders if there is another one to be
 * filled next, or to be turned into; else it is dropped, and filled again.
 */

static void
ngx_vidcast_input_thread_raw(ngx_vidcast_input_thread_t *thread,
    ngx_vidcast_picture_t *picture)
{
    uint64_t                number;
    ngx_uint_t              orientation, swaps;
    ngx_vidcast_raw_t      *raw, *next;
    ngx_vidcast_capture_t  *capture;

    capture = thread->capture;
    raw = thread->raw;
    orientation = ngx_vidcast_input_thread_orientation(thread, picture);
    swaps = ngx_vidcast_orientation_swaps(orientation);
    number = ngx_vidcast_input_thread_number(capture, picture);

    /* where no frame may be skipped it waits for the encoders */

    next = ngx_vidcast_raw_get(capture->raws,
                               swaps ? raw->image.height : raw->image.width,
                               swaps ? raw->image.width : raw->image.height,
                               thread->in.conf->lossless);
    if (next == NULL) {

        if (ngx_vidcast_raw_failed(capture->raws)) {
            ngx_vidcast_count(&capture->counters->no_memory, 1);
            ngx_vidcast_capture_refused(capture,
                                        (u_char *) "no memory for a picture");

        } else {
            ngx_vidcast_count(&capture->counters->encoder_busy, 1);
        }

        return;
    }

    if (ngx_vidcast_orientation_lies(orientation)) {

        /* the other one is it then, and ours is filled again */

        ngx_vidcast_image_turn_i420(&raw->image, orientation, &next->image);
        raw = next;

    } else {
        thread->raw = next;
    }

    raw->number = number;
    raw->captured = picture->time;
    raw->pts = picture->pts;
    raw->media_time = ngx_vidcast_input_thread_media_time(thread, picture);

    raw->offered = capture->scheduler
                   && ngx_vidcast_scheduler_offer_raw(capture->scheduler, raw)
                      == NGX_OK;

    ngx_vidcast_encoder_pool_encode(capture->encoders, raw);
}


/* an input that had settled is tried again soon, another one ever later */

static void
ngx_vidcast_input_thread_pause(ngx_vidcast_input_thread_t *thread)
{
    uint64_t  now;

    now = ngx_vidcast_clock();

    if (thread->frames
        && now - thread->opened >= NGX_VIDCAST_BACKOFF_SETTLED)
    {
        ngx_vidcast_backoff_reset(&thread->backoff);
    }

    thread->frames = 0;

    ngx_vidcast_backoff_failed(&thread->backoff, now);

    while (ngx_vidcast_clock_wait(thread->backoff.due) == NGX_AGAIN
           && !ngx_vidcast_on_demand_gone(&thread->demand))
    {
        /* void */
    }
}
