
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "capture/ngx_vidcast_capture.h"
#include "shm/ngx_vidcast_control.h"
#include "wire/ngx_vidcast_ws.h"


/*
 * The life of a frame, and every way out of it.  A frame is "grabbed" when its
 * input gives it, or tells that it has lost it, and is counted once more at its
 * end: as "published", or under one of these names, which the status has, too.
 * A frame has a number, and is "captured", once it is good; all reasons above
 * that line are of frames without one.  The inputs decide on those before
 * grab(), and tell of them with the next picture; input_thread_dropped() adds
 * them up.
 *
 *     before grab()    sequence_gap   the kernel had no buffer for it:
 *                                     ngx_vidcast_input_v4l2.c, by the numbers
 *                                     of its buffers
 *                      late           a newer one was there first:
 *                                     ngx_vidcast_input_v4l2.c,
 *                                     ngx_vidcast_input_test.c,
 *                                     vidcast_av_reader.c, by way of
 *                                     ngx_vidcast_input_plugin.c
 *                      fps_limit      more than "fps": vidcast_av.c, likewise
 *                      bad_frame      one that is older than a good one, or
 *                                     the last one of a lost device:
 *                                     ngx_vidcast_input_v4l2.c
 *                      held           damaged, and "damaged=hold":
 *                                     vidcast_av_reader.c, likewise
 *
 *     grabbed          warmup         one of the first after an open, good or
 *                                     not: input_thread_skip()
 *                      bad_frame      no whole JPEG, or else nothing that can
 *                                     be decoded, by grab() of any input that
 *                                     looks: v4l2, images, push, plugins:
 *                                     input_thread_bad()
 *
 *                      no_memory      raw: for a copy: input_thread_take()
 *
 *     captured         encoder_busy   raw: no other raw picture is free to be
 *                                     filled next, since encoders or predictor
 *                                     have them: input_thread_raw()
 *                      no_memory      raw: for that one: likewise
 *                      too_large      JPEG: larger than a slot
 *
 *     claims a slot    ring_full      frame_claim() below: each slot is pinned
 *                                     by a worker, a predictor or the overlay,
 *                                     lent, being written, or the newest; or
 *                                     its pages could not be replaced
 *
 *     is encoded       too_large      raw: its JPEG is larger than the slot
 *                      encoder_error  raw: encoder_pool_failed()
 *
 *     is published     overtaken      raw: a JPEG of the same input was faster:
 *                                     frame_publish() below
 *
 *     at any time      unfinished     the capture process ended: the next one
 *                                     finds what is missing in the sum, before
 *                                     it begins: ngx_vidcast_zone_balance()
 *
 * What is left is "published", and goes on to the readers of the ring.  What
 * an input had not told of when it was closed, in buffers of a device or a
 * queue of a plugin, was never grabbed, and is not counted.
 *
 * With "realtime=off" no frame is lost for "encoder_busy" or "ring_full", nor
 * for the predictor: the thread that has the frame waits.
 *
 * A frame that is "offered" to the predictor is counted once more: as
 * "predicted", or, by the scheduler, as "every", "predictor_busy", "gone",
 * "predictor_error" or "no_result"; or it was "interrupted", as above.
 *
 * An overlay has a ring and counters of its own, in its zone: what is published
 * while it has viewers is offered to it, and is drawn, or is "late", if it was
 * passed over for a newer one, or is counted by the names above.
 *
 * A picture that a viewer skips is counted by its worker.
 */


#define NGX_VIDCAST_FRAME_UNPIN  100000   /* us between looks for dead pins */
#define NGX_VIDCAST_FRAME_PAUSE  2        /* ms, where no frame is skipped */

/*
 * Where sendfile() pays: fresh pages cost 45 us for 50 kB, and each viewer
 * saves 2 us at least.  Below 16 kB, and above 256 kB, a copy is as cheap.
 */

#define NGX_VIDCAST_FRAME_SENDFILE_MIN  16384    /* bytes */
#define NGX_VIDCAST_FRAME_SENDFILE_MAX  262144

#define NGX_VIDCAST_V1_PREFIX  12
#define NGX_VIDCAST_V1_JSON    (NGX_VIDCAST_MAX_NAME + 256)


static void ngx_vidcast_frame_publish_headers(
    ngx_vidcast_frame_writer_t *writer, ngx_vidcast_ring_slot_t *slot,
    u_char *data, uint64_t number);


ngx_int_t
ngx_vidcast_frame_writer_init(ngx_vidcast_frame_writer_t *writer,
    ngx_vidcast_capture_t *capture, ngx_vidcast_zone_t *zone,
    void (*on_frame)(ngx_vidcast_capture_t *capture))
{
    ngx_memzero(writer, sizeof(ngx_vidcast_frame_writer_t));

    writer->capture = capture;
    writer->zone = zone;
    writer->on_frame = on_frame;

    return (pthread_mutex_init(&writer->mutex, NULL) == 0) ? NGX_OK
                                                           : NGX_ERROR;
}


uint32_t
ngx_vidcast_frame_claim(ngx_vidcast_frame_writer_t *writer)
{
    uint32_t  slot;

    for ( ;; ) {
        slot = ngx_vidcast_frame_try_claim(writer);

        if (slot != NGX_VIDCAST_RING_NONE || !writer->lossless) {
            break;
        }

        ngx_msleep(NGX_VIDCAST_FRAME_PAUSE);
    }

    if (slot == NGX_VIDCAST_RING_NONE) {
        ngx_vidcast_count(&writer->zone->shm->counters.ring_full, 1);

        if (writer->zone == writer->capture->zone) {
            ngx_vidcast_capture_refused(writer->capture,
                                        (u_char *) "no slot is free");
        }
    }

    return slot;
}


uint32_t
ngx_vidcast_frame_try_claim(ngx_vidcast_frame_writer_t *writer)
{
    uint32_t  slot;
    uint64_t  now;

    (void) pthread_mutex_lock(&writer->mutex);

    slot = ngx_vidcast_ring_claim(&writer->zone->ring);

    if (slot == NGX_VIDCAST_RING_NONE) {
        now = ngx_vidcast_clock();

        if (now - writer->unpinned > NGX_VIDCAST_FRAME_UNPIN) {
            writer->unpinned = now;
            ngx_vidcast_zone_unpin_dead(writer->capture->conf->control,
                                        writer->zone, writer->capture->log);
            slot = ngx_vidcast_ring_claim(&writer->zone->ring);
        }
    }

    (void) pthread_mutex_unlock(&writer->mutex);

    return slot;
}


ngx_int_t
ngx_vidcast_frame_publish(ngx_vidcast_frame_writer_t *writer,
    ngx_vidcast_frame_publish_t *frame)
{
    u_char                   *data;
    uint64_t                  now;
    ngx_uint_t                overtaken, sendfile;
    struct timespec           ts;
    ngx_vidcast_ring_t       *ring;
    ngx_vidcast_counters_t   *counters;
    ngx_vidcast_ring_slot_t  *s;

    ring = &writer->zone->ring;
    counters = &writer->zone->shm->counters;
    s = ngx_vidcast_ring_slot(ring, frame->slot);

    (void) clock_gettime(CLOCK_REALTIME, &ts);
    now = ngx_vidcast_clock();

    s->time = frame->time ? frame->time
                          : (uint64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000
                            - (now - frame->captured);
    s->captured = frame->captured;
    s->pts = frame->pts;
    s->media_time = frame->media_time;
    s->ready = now;
    s->size = (uint32_t) frame->size;
    s->width = frame->width;
    s->height = frame->height;

    sendfile = ngx_vidcast_load(&writer->sendfile)
               && ring->file != NGX_INVALID_FILE
               && frame->size >= NGX_VIDCAST_FRAME_SENDFILE_MIN
               && frame->size <= NGX_VIDCAST_FRAME_SENDFILE_MAX;

    s->sendfile = sendfile;

    data = ngx_vidcast_ring_data(ring, frame->slot);

    ngx_vidcast_frame_publish_headers(writer, s, data, frame->number);
    ngx_memcpy(data + frame->size, NGX_VIDCAST_RING_TAIL,
               NGX_VIDCAST_RING_TAIL_LEN);

    if (writer->zone == writer->capture->zone) {
        ngx_vidcast_capture_alive(writer->capture, now);
    }

    (void) pthread_mutex_lock(&writer->mutex);

    overtaken = frame->number <= ngx_vidcast_ring_newest(ring);

    s->nth = counters->published + 1;

    ngx_vidcast_ring_publish(ring, frame->slot, frame->number);

    /* counted when it is there: a viewer that comes begins to count here */

    ngx_vidcast_count(&counters->published, !overtaken);

    (void) pthread_mutex_unlock(&writer->mutex);

    if (overtaken) {

        /* the input gave a JPEG meanwhile, which is out already */

        ngx_vidcast_count(&counters->overtaken, 1);
        return NGX_DECLINED;
    }

    ngx_vidcast_count(&counters->direct, sendfile);

    ngx_vidcast_store(&writer->zone->shm->width, frame->width);
    ngx_vidcast_store(&writer->zone->shm->height, frame->height);

    if (writer->on_frame) {
        writer->on_frame(writer->capture);
    }

    if (!frame->pushed) {
        ngx_vidcast_zone_wake_workers(writer->zone);
    }

    return NGX_OK;
}


void
ngx_vidcast_frame_abandon(ngx_vidcast_frame_writer_t *writer, uint32_t slot)
{
    (void) pthread_mutex_lock(&writer->mutex);

    ngx_vidcast_ring_abandon(&writer->zone->ring, slot);

    (void) pthread_mutex_unlock(&writer->mutex);
}


/*
 * A message of "vidcast.v1" begins with "vidc", a version, flags, the offset
 * of the picture, the length of the JSON text which follows.  What is between
 * that text and the picture means nothing, and holds the plain header.
 */

static void
ngx_vidcast_frame_publish_headers(ngx_vidcast_frame_writer_t *writer,
    ngx_vidcast_ring_slot_t *slot, u_char *data, uint64_t number)
{
    u_char  *p, *last, json[NGX_VIDCAST_V1_JSON];
    size_t   len, offset;

    last = ngx_slprintf(json, json + NGX_VIDCAST_V1_JSON,
                        "{\"v\":1,\"source\":\"%V\",\"epoch\":\"%016xL\","
                        "\"frame\":%uL,\"ts\":%uL.%06uL,"
                        "\"width\":%uD,\"height\":%uD}",
                        &writer->capture->source->name,
                        writer->zone->ring.shm->epoch, number,
                        slot->time / 1000000, slot->time % 1000000,
                        slot->width, slot->height);
    len = last - json;

    slot->plain = ngx_vidcast_ws_header_len(slot->size);
    offset = ngx_align(NGX_VIDCAST_V1_PREFIX + len + slot->plain, 8);
    slot->v1 = offset + ngx_vidcast_ws_header_len(offset + slot->size);

    (void) ngx_vidcast_ws_header(data - slot->plain, NGX_VIDCAST_WS_BINARY,
                                 slot->size);

    p = ngx_vidcast_ws_header(data - slot->v1, NGX_VIDCAST_WS_BINARY,
                              offset + slot->size);

    p = ngx_cpymem(p, "vidc\x01\x00", 6);
    *p++ = (u_char) (offset >> 8);
    *p++ = (u_char) offset;
    *p++ = (u_char) (len >> 8);
    *p++ = (u_char) len;
    *p++ = 0;
    *p++ = 0;

    p = ngx_cpymem(p, json, len);

    ngx_memzero(p, data - slot->plain - p);
}
