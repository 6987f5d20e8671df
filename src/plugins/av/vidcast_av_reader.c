
/*
 * Copyright (C) vidcast contributors
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plugins/av/vidcast_av.h"
#include "plugins/av/vidcast_av_stream.h"


/*
 * The thread which reads and decodes, and the queue of what it got.  When the
 * queue is full a stored stream waits, and of a live one the oldest picture
 * makes room: what a network brings has to be taken.
 */

#define VIDCAST_AV_MAX_BAD   1000          /* reads in a row */
#define VIDCAST_AV_MAX_VAIN  20            /* packets that became nothing */
#define VIDCAST_AV_JUMP     1000000        /* us, of a clock that is set */


struct vidcast_av_reader_s {
    vidcast_av_stream_t    stream;

    AVPacket              *packet;
    AVFrame               *frame;

    int64_t                shift;          /* us, added in this round */
    int64_t                last;           /* us, of the last picture */
    int64_t                round;          /* us, of this round's first one */
    int64_t                duration;       /* us, of a picture */
    uint64_t               pictures;       /* in this round */
    uint64_t               shown;          /* of these */
    unsigned               broken:1;       /* till a picture of its own */

    int64_t                fruit;          /* us, when anything came of it */
    unsigned               vain;           /* packets since then */
    unsigned               keyed:1;        /* one of them was a key frame */

    pthread_t              tid;
    pthread_mutex_t        mutex;
    pthread_cond_t         changed;

    vidcast_av_item_t      items[VIDCAST_AV_QUEUE];
    unsigned               head;
    unsigned               count;
    uint32_t               late;           /* dropped, not yet told */
    uint32_t               damaged;        /* likewise */
    uint32_t               held;
};


static int vidcast_av_reader_init(vidcast_av_reader_t *reader);
static void vidcast_av_reader_free(vidcast_av_reader_t *reader);
static void *vidcast_av_reader_thread(void *data);
static vidcast_av_kind_e vidcast_av_reader_run(vidcast_av_reader_t *reader,
    char *error);
static int vidcast_av_reader_vain(vidcast_av_reader_t *reader, char *error);
static void vidcast_av_reader_fruit(vidcast_av_reader_t *reader);
static vidcast_av_kind_e vidcast_av_reader_end(vidcast_av_reader_t *reader,
    char *error);
static void vidcast_av_reader_packet(vidcast_av_reader_t *reader);
static void vidcast_av_reader_decode(vidcast_av_reader_t *reader,
    const AVPacket *packet);
static int vidcast_av_reader_damaged(vidcast_av_reader_t *reader);
static int vidcast_av_reader_key(const AVFrame *frame);
static int64_t vidcast_av_reader_time(vidcast_av_reader_t *reader,
    int64_t stamp);
static int64_t vidcast_av_reader_go_on(vidcast_av_reader_t *reader,
    int64_t pts, int64_t next);
static void vidcast_av_reader_bad(vidcast_av_reader_t *reader,
    const char *what, int rc);
static void vidcast_av_reader_put(vidcast_av_reader_t *reader,
    vidcast_av_kind_e kind, int64_t pts, const char *error);
static void vidcast_av_reader_drop(vidcast_av_reader_t *reader);


vidcast_av_reader_t *
vidcast_av_reader_open(const vidcast_av_conf_t *conf, const volatile int *stop,
    char *error)
{
    vidcast_av_reader_t  *reader;

    reader = calloc(1, sizeof(vidcast_av_reader_t));

    if (reader == NULL) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "no memory");
        return NULL;
    }

    reader->stream.conf = conf;
    reader->stream.stop = stop;

    if (vidcast_av_reader_init(reader) != VIDCAST_OK) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "no memory");
        vidcast_av_reader_free(reader);
        return NULL;
    }

    if (vidcast_av_stream_open(&reader->stream, error) != VIDCAST_OK) {
        vidcast_av_reader_free(reader);
        return NULL;
    }

    reader->stream.stop = NULL;
    reader->duration = vidcast_av_stream_duration(&reader->stream);

    if (pthread_create(&reader->tid, NULL, vidcast_av_reader_thread, reader)
        != 0)
    {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "could not start a thread");
        vidcast_av_reader_free(reader);
        return NULL;
    }

    return reader;
}


static int
vidcast_av_reader_init(vidcast_av_reader_t *reader)
{
    unsigned            i;
    vidcast_av_item_t  *item;
    pthread_condattr_t  attr;

    (void) pthread_mutex_init(&reader->mutex, NULL);
    (void) pthread_condattr_init(&attr);
    (void) pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void) pthread_cond_init(&reader->changed, &attr);
    (void) pthread_condattr_destroy(&attr);

    reader->last = VIDCAST_AV_NO_TIME;

    reader->packet = av_packet_alloc();
    reader->frame = av_frame_alloc();

    if (reader->packet == NULL || reader->frame == NULL) {
        return VIDCAST_ERROR;
    }

    for (i = 0; i < VIDCAST_AV_QUEUE; i++) {
        item = &reader->items[i];

        item->packet = av_packet_alloc();
        item->frame = av_frame_alloc();

        if (item->packet == NULL || item->frame == NULL) {
            return VIDCAST_ERROR;
        }
    }

    return VIDCAST_OK;
}


void
vidcast_av_reader_close(vidcast_av_reader_t *reader)
{
    (void) pthread_mutex_lock(&reader->mutex);

    __atomic_store_n(&reader->stream.quit, 1, __ATOMIC_RELAXED);

    (void) pthread_cond_broadcast(&reader->changed);
    (void) pthread_mutex_unlock(&reader->mutex);

    (void) pthread_join(reader->tid, NULL);

    vidcast_av_reader_free(reader);
}


static void
vidcast_av_reader_free(vidcast_av_reader_t *reader)
{
    unsigned  i;

    vidcast_av_stream_close(&reader->stream);

    for (i = 0; i < VIDCAST_AV_QUEUE; i++) {
        av_packet_free(&reader->items[i].packet);
        av_frame_free(&reader->items[i].frame);
    }

    av_packet_free(&reader->packet);
    av_frame_free(&reader->frame);

    (void) pthread_cond_destroy(&reader->changed);
    (void) pthread_mutex_destroy(&reader->mutex);

    free(reader);
}


int
vidcast_av_reader_stored(vidcast_av_reader_t *reader)
{
    return reader->stream.stored;
}


static void *
vidcast_av_reader_thread(void *data)
{
    vidcast_av_reader_t  *reader = data;

    char               error[VIDCAST_ERROR_LEN];
    vidcast_av_kind_e  kind;

    (void) pthread_setname_np(pthread_self(), "vidcast av");

    do {
        reader->pictures = 0;
        reader->shown = 0;

        kind = vidcast_av_reader_run(reader, error);

        if (kind == VIDCAST_AV_END) {
            kind = vidcast_av_reader_end(reader, error);
        }

    } while (kind == VIDCAST_AV_NONE);

    vidcast_av_reader_put(reader, kind, VIDCAST_AV_NO_TIME, error);

    return NULL;
}


/* reads till the stream ends, or is lost */

static vidcast_av_kind_e
vidcast_av_reader_run(vidcast_av_reader_t *reader, char *error)
{
    int       rc;
    unsigned  bad;

    bad = 0;

    vidcast_av_reader_fruit(reader);

    for ( ;; ) {

        rc = vidcast_av_stream_read(&reader->stream, reader->packet);

        if (rc == AVERROR_EOF) {
            vidcast_av_reader_decode(reader, NULL);
            return VIDCAST_AV_END;
        }

        if (rc == AVERROR_INVALIDDATA && bad++ < VIDCAST_AV_MAX_BAD) {
            vidcast_av_reader_bad(reader, "could not be read", rc);
            continue;
        }

        if (rc < 0) {
            vidcast_av_stream_reason(&reader->stream, "reading failed", rc,
                                     error);
            return VIDCAST_AV_LOST;
        }

        bad = 0;

        reader->vain++;
        reader->keyed |= (reader->packet->flags & AV_PKT_FLAG_KEY) != 0;

        vidcast_av_reader_packet(reader);

        av_packet_unref(reader->packet);

        if (vidcast_av_reader_vain(reader, error)) {
            return VIDCAST_AV_LOST;
        }
    }
}


/* a decoder is silent until a key frame comes, and a new stream has one */

static int
vidcast_av_reader_vain(vidcast_av_reader_t *reader, char *error)
{
    int64_t  most;

    most = 2 * reader->stream.conf->timeout;

    if (reader->vain < VIDCAST_AV_MAX_VAIN
        || reader->stream.stored
        || vidcast_av_clock() - reader->fruit < most)
    {
        return 0;
    }

    (void) snprintf(error, VIDCAST_ERROR_LEN, "no %s for %d ms in what came",
                    reader->keyed ? "picture" : "key frame",
                    (int) (most / 1000));

    return 1;
}


static void
vidcast_av_reader_fruit(vidcast_av_reader_t *reader)
{
    reader->fruit = vidcast_av_clock();
    reader->vain = 0;
    reader->keyed = 0;
}


/* of a file is its end, or the next round's beginning; others should go on */

static vidcast_av_kind_e
vidcast_av_reader_end(vidcast_av_reader_t *reader, char *error)
{
    if (!reader->stream.stored) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "the stream has ended");
        return VIDCAST_AV_LOST;
    }

    if (reader->pictures == 0) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "no picture in it");
        return VIDCAST_AV_LOST;
    }

    if (reader->shown == 0) {
        (void) snprintf(error, VIDCAST_ERROR_LEN,
                        "all pictures in it are damaged");
        return VIDCAST_AV_LOST;
    }

    if (!reader->stream.conf->loop) {
        error[0] = '\0';
        return VIDCAST_AV_END;
    }

    return vidcast_av_stream_rewind(&reader->stream, error) == VIDCAST_OK
               ? VIDCAST_AV_NONE : VIDCAST_AV_LOST;
}


static void
vidcast_av_reader_packet(vidcast_av_reader_t *reader)
{
    char       error[VIDCAST_ERROR_LEN];
    int64_t    pts;
    AVPacket  *packet;

    packet = reader->packet;

    if (reader->stream.decoder == NULL
        && vidcast_av_stream_halves(packet->data, packet->size))
    {
        /* a JPEG of the even lines, and one of the odd */

        if (vidcast_av_stream_decoder(&reader->stream, error) != VIDCAST_OK) {
            vidcast_av_reader_put(reader, VIDCAST_AV_BAD, VIDCAST_AV_NO_TIME,
                                  error);
            return;
        }
    }

    if (reader->stream.decoder) {
        vidcast_av_reader_decode(reader, packet);
        return;
    }

    if (packet->flags & AV_PKT_FLAG_DISCARD) {
        return;
    }

    if (packet->flags & AV_PKT_FLAG_CORRUPT) {
        vidcast_av_reader_bad(reader, "is not whole", 0);
        return;
    }

    pts = vidcast_av_reader_time(reader, packet->pts != AV_NOPTS_VALUE
                                             ? packet->pts : packet->dts);

    vidcast_av_reader_put(reader, VIDCAST_AV_JPEG, pts, NULL);
}


static void
vidcast_av_reader_decode(vidcast_av_reader_t *reader, const AVPacket *packet)
{
    int              rc;
    int64_t          pts;
    AVCodecContext  *decoder;

    decoder = reader->stream.decoder;

    if (decoder == NULL) {
        return;
    }

    if (packet && packet->flags & AV_PKT_FLAG_KEY) {

        /* it needs nothing of what was before it */

        __atomic_store_n(&reader->stream.lacks, 0, __ATOMIC_RELAXED);
    }

    if (packet && packet->flags & AV_PKT_FLAG_CORRUPT) {
        __atomic_store_n(&reader->stream.lacks, 1, __ATOMIC_RELAXED);
    }

    rc = avcodec_send_packet(decoder, packet);

    if (rc < 0 && rc != AVERROR_EOF) {
        reader->broken = 1;
        vidcast_av_reader_bad(reader, "could not be decoded", rc);
    }

    for ( ;; ) {
        rc = avcodec_receive_frame(decoder, reader->frame);

        if (rc == AVERROR(EAGAIN) || rc == AVERROR_EOF) {
            return;
        }

        if (rc < 0) {

            /* of several threads, each tells of its own */

            reader->broken = 1;
            vidcast_av_reader_bad(reader, "could not be decoded", rc);

            if (rc != AVERROR_INVALIDDATA) {
                return;
            }

            continue;
        }

        pts = vidcast_av_reader_time(reader,
                                     reader->frame->best_effort_timestamp);

        if (vidcast_av_reader_damaged(reader)) {
            av_frame_unref(reader->frame);
            continue;
        }

        vidcast_av_shape_look(&reader->stream.look, reader->stream.conf,
                              reader->stream.format, reader->stream.video,
                              reader->frame,
                              vidcast_av_reader_key(reader->frame));

        reader->frame->sample_aspect_ratio = reader->stream.look.aspect;

        vidcast_av_reader_put(reader, VIDCAST_AV_FRAME, pts, NULL);
    }
}


/*
 * A picture some of which could not be decoded, and all that refer to it: up
 * to one that refers to none.  Is it not to be shown?
 */

static int
vidcast_av_reader_damaged(vidcast_av_reader_t *reader)
{
    int       lacks;
    AVFrame  *frame;

    frame = reader->frame;
    lacks = __atomic_exchange_n(&reader->stream.lacks, 0, __ATOMIC_RELAXED);

    if (lacks
        || frame->decode_error_flags
        || frame->flags & AV_FRAME_FLAG_CORRUPT)
    {
        reader->broken = 1;

    } else if (vidcast_av_reader_key(frame)) {
        reader->broken = 0;
    }

    if (!reader->broken) {
        return 0;
    }

    vidcast_av_reader_fruit(reader);

    (void) pthread_mutex_lock(&reader->mutex);

    reader->damaged++;
    reader->held += reader->stream.conf->hold;

    (void) pthread_mutex_unlock(&reader->mutex);

    return reader->stream.conf->hold;
}


/* libavutil 60 has the flag alone, and those before 58 do not know it */

static int
vidcast_av_reader_key(const AVFrame *frame)
{
#ifdef AV_FRAME_FLAG_KEY
    return (frame->flags & AV_FRAME_FLAG_KEY) != 0;
#else
    return frame->key_frame;
#endif
}


static int64_t
vidcast_av_reader_time(vidcast_av_reader_t *reader, int64_t stamp)
{
    int      still;
    int64_t  pts, next;

    if (reader->stream.timeless) {
        reader->pictures++;
        return VIDCAST_AV_NO_TIME;
    }

    next = (reader->last == VIDCAST_AV_NO_TIME)
               ? 0 : reader->last + reader->duration;

    if (stamp == AV_NOPTS_VALUE) {
        pts = next;

    } else {
        pts = vidcast_av_stream_time(&reader->stream, stamp);

        if (reader->pictures == 0) {
            reader->shift = next - pts;
        }

        pts += reader->shift;

        if (reader->pictures && reader->stream.stored && pts <= reader->last) {
            pts = vidcast_av_reader_go_on(reader, pts, next);

        } else if (reader->pictures && pts > reader->last
                   && pts - reader->last < VIDCAST_AV_JUMP)
        {
            reader->duration = pts - reader->last;
        }
    }

    if (reader->pictures == 0) {
        reader->round = pts;
    }

    still = (reader->pictures && pts <= reader->last);

    reader->pictures++;
    reader->last = pts;

    /* nothing can be told of a clock that stands still, or has jumped back */

    return still ? VIDCAST_AV_NO_TIME : pts;
}


/*
 * In a film time only goes forward.  Where its clock begins anew, one recording
 * was put behind another; else the stamp alone is wrong.
 */

static int64_t
vidcast_av_reader_go_on(vidcast_av_reader_t *reader, int64_t pts, int64_t next)
{
    if (reader->last - pts < VIDCAST_AV_JUMP) {
        return reader->last + 1;
    }

    reader->shift += next - pts;

    return next;
}


static void
vidcast_av_reader_bad(vidcast_av_reader_t *reader, const char *what, int rc)
{
    char  error[VIDCAST_ERROR_LEN], reason[AV_ERROR_MAX_STRING_SIZE];

    if (rc && av_strerror(rc, reason, sizeof(reason)) == 0) {
        (void) snprintf(error, sizeof(error), "a packet %s: %s", what, reason);

    } else {
        (void) snprintf(error, sizeof(error), "a packet %s", what);
    }

    vidcast_av_reader_put(reader, VIDCAST_AV_BAD, VIDCAST_AV_NO_TIME, error);
}


/* the packet or the frame in hand moves into the queue */

static void
vidcast_av_reader_put(vidcast_av_reader_t *reader, vidcast_av_kind_e kind,
    int64_t pts, const char *error)
{
    vidcast_av_item_t  *item;

    vidcast_av_reader_fruit(reader);

    (void) pthread_mutex_lock(&reader->mutex);

    while (reader->count == VIDCAST_AV_QUEUE && !reader->stream.quit) {

        if (!reader->stream.stored) {
            reader->late++;
            vidcast_av_reader_drop(reader);
            break;
        }

        (void) pthread_cond_wait(&reader->changed, &reader->mutex);
    }

    if (!reader->stream.quit) {
        item = &reader->items[(reader->head + reader->count)
                              % VIDCAST_AV_QUEUE];

        item->kind = kind;
        item->orientation = reader->stream.look.orientation;
        item->pts = pts;
        item->round = reader->round;
        item->arrived = vidcast_av_clock();

        if (kind == VIDCAST_AV_JPEG) {
            av_packet_move_ref(item->packet, reader->packet);
            reader->shown++;
        }

        if (kind == VIDCAST_AV_FRAME) {
            av_frame_move_ref(item->frame, reader->frame);
            reader->shown++;
        }

        if (error) {
            (void) snprintf(item->error, VIDCAST_ERROR_LEN, "%s", error);
        }

        reader->count++;

        (void) pthread_cond_broadcast(&reader->changed);
    }

    (void) pthread_mutex_unlock(&reader->mutex);

    av_frame_unref(reader->frame);
}


static void
vidcast_av_reader_drop(vidcast_av_reader_t *reader)
{
    vidcast_av_item_t  *item;

    item = &reader->items[reader->head];

    av_packet_unref(item->packet);
    av_frame_unref(item->frame);

    reader->head = (reader->head + 1) % VIDCAST_AV_QUEUE;
    reader->count--;
}


void
vidcast_av_reader_take(vidcast_av_reader_t *reader, vidcast_av_item_t *item,
    int64_t timeout)
{
    int64_t             until;
    struct timespec     ts;
    vidcast_av_item_t  *first;

    until = vidcast_av_clock() + timeout;

    ts.tv_sec = until / 1000000;
    ts.tv_nsec = until % 1000000 * 1000;

    item->kind = VIDCAST_AV_NONE;

    (void) pthread_mutex_lock(&reader->mutex);

    while (reader->count == 0) {
        if (pthread_cond_timedwait(&reader->changed, &reader->mutex, &ts)
            != 0)
        {
            break;
        }
    }

    item->late = reader->late;
    item->damaged = reader->damaged;
    item->held = reader->held;

    reader->late = 0;
    reader->damaged = 0;
    reader->held = 0;

    if (reader->count) {
        first = &reader->items[reader->head];

        item->kind = first->kind;
        item->orientation = first->orientation;
        item->pts = first->pts;
        item->round = first->round;
        item->arrived = first->arrived;

        memcpy(item->error, first->error, VIDCAST_ERROR_LEN);

        av_packet_move_ref(item->packet, first->packet);
        av_frame_move_ref(item->frame, first->frame);

        vidcast_av_reader_drop(reader);

        (void) pthread_cond_broadcast(&reader->changed);
    }

    (void) pthread_mutex_unlock(&reader->mutex);
}
