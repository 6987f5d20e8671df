
/*
 * Copyright (C) vidcast contributors
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libavformat/avformat.h>

#include "plugins/av/vidcast_av.h"


#define VIDCAST_AV_SLIP         1000000  /* us off the time: it begins anew */
#define VIDCAST_AV_MAX_REFUSED  1000     /* pictures in a row */


typedef struct {
    vidcast_av_conf_t      conf;
    vidcast_av_reader_t   *reader;
    vidcast_av_image_t    *image;

    vidcast_av_item_t      item;     /* in hand; not yet due, or lent */
    int64_t                due;      /* of the next one by "fps", us */
    int64_t                start;    /* CLOCK_MONOTONIC of time stamp zero */
    int64_t                last;     /* what was told as time */
    char                   reason[VIDCAST_ERROR_LEN];
    unsigned               refused;  /* pictures in a row, the last for it */
    unsigned               shown:1;  /* one, or more */
    unsigned               started:1;
    unsigned               rated:1;  /* "due" is known */
} vidcast_av_t;


static int vidcast_av_check(const vidcast_context_t *context, char *error);
static void *vidcast_av_open(const vidcast_context_t *context,
    const volatile int *stop, char *error);
static int vidcast_av_grab(void *instance, vidcast_picture_t *picture,
    char *error);
static int vidcast_av_refused(vidcast_av_t *av, const char *error);
static int vidcast_av_next(vidcast_av_t *av, vidcast_picture_t *picture,
    int64_t until, char *error);
static int vidcast_av_unwanted(vidcast_av_t *av);
static int vidcast_av_wait(vidcast_av_t *av, int64_t until);
static int64_t vidcast_av_time(vidcast_av_t *av);
static int vidcast_av_picture(vidcast_av_t *av, vidcast_picture_t *picture,
    char *error);
static void vidcast_av_release(void *instance);
static void vidcast_av_close(void *instance);


static const vidcast_input_table_t  vidcast_av_input = {
    sizeof(vidcast_input_table_t),
    vidcast_av_check,
    vidcast_av_open,
    vidcast_av_grab,
    vidcast_av_release,
    vidcast_av_close
};


static const vidcast_plugin_t  vidcast_av_plugin = {
    sizeof(vidcast_plugin_t),
    VIDCAST_ABI,
    "vidcast_av with " LIBAVFORMAT_IDENT,
    &vidcast_av_input,
    NULL,
    VIDCAST_NEEDS_NETWORK,
    NULL
};


const vidcast_plugin_t *
vidcast_plugin(uint32_t abi)
{
    return &vidcast_av_plugin;
}


static int
vidcast_av_check(const vidcast_context_t *context, char *error)
{
    vidcast_av_conf_t  conf;

    if (vidcast_av_conf(&conf, context, error) != VIDCAST_OK) {
        return VIDCAST_ERROR;
    }

    vidcast_av_conf_free(&conf);

    return VIDCAST_OK;
}


static void *
vidcast_av_open(const vidcast_context_t *context, const volatile int *stop,
    char *error)
{
    vidcast_av_t  *av;

    av = calloc(1, sizeof(vidcast_av_t));

    if (av == NULL) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "no memory");
        return NULL;
    }

    if (vidcast_av_conf(&av->conf, context, error) != VIDCAST_OK) {
        free(av);
        return NULL;
    }

    av->item.packet = av_packet_alloc();
    av->item.frame = av_frame_alloc();
    av->image = vidcast_av_image_create(&av->conf);

    if (av->item.packet == NULL || av->item.frame == NULL
        || av->image == NULL)
    {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "no memory");
        vidcast_av_close(av);
        return NULL;
    }

    av->reader = vidcast_av_reader_open(&av->conf, stop, error);

    if (av->reader == NULL) {
        vidcast_av_close(av);
        return NULL;
    }

    return av;
}


static int
vidcast_av_grab(void *instance, vidcast_picture_t *picture, char *error)
{
    vidcast_av_t  *av = instance;

    int      rc;
    int64_t  until;

    until = vidcast_av_clock() + VIDCAST_AV_GRAB;

    rc = vidcast_av_next(av, picture, until, error);

    if (rc != VIDCAST_OK) {
        return rc;
    }

    if (vidcast_av_wait(av, until) != VIDCAST_OK) {
        return VIDCAST_AGAIN;
    }

    picture->time = vidcast_av_time(av);

    if (av->conf.file && av->item.pts != VIDCAST_AV_NO_TIME) {
        picture->pts = av->item.pts - av->item.round;
    }

    rc = vidcast_av_picture(av, picture, error);

    if (rc != VIDCAST_OK) {
        return vidcast_av_refused(av, error);
    }

    av->shown = 1;
    av->refused = 0;

    return VIDCAST_OK;
}


/* a film of such pictures alone must come to an end */

static int
vidcast_av_refused(vidcast_av_t *av, const char *error)
{
    vidcast_av_release(av);

    (void) snprintf(av->reason, VIDCAST_ERROR_LEN, "%s", error);

    return ++av->refused == VIDCAST_AV_MAX_REFUSED ? VIDCAST_ERROR
                                                   : VIDCAST_BAD;
}


/* there is a picture in hand, and it is one that is wanted */

static int
vidcast_av_next(vidcast_av_t *av, vidcast_picture_t *picture, int64_t until,
    char *error)
{
    int64_t  now;

    for ( ;; ) {

        switch (av->item.kind) {

        case VIDCAST_AV_JPEG:
        case VIDCAST_AV_FRAME:
            return VIDCAST_OK;

        case VIDCAST_AV_LOST:
            (void) snprintf(error, VIDCAST_ERROR_LEN, "%s", av->item.error);
            return VIDCAST_ERROR;

        case VIDCAST_AV_END:

            if (av->shown || av->refused == 0) {
                return VIDCAST_END;
            }

            (void) snprintf(error, VIDCAST_ERROR_LEN,
                            "no picture in it can be shown: %.200s",
                            av->reason);
            return VIDCAST_ERROR;

        case VIDCAST_AV_BAD:
            (void) snprintf(error, VIDCAST_ERROR_LEN, "%s", av->item.error);
            av->item.kind = VIDCAST_AV_NONE;
            return VIDCAST_BAD;

        default: /* VIDCAST_AV_NONE */
            break;
        }

        now = vidcast_av_clock();

        vidcast_av_reader_take(av->reader, &av->item,
                               now < until ? until - now : 0);

        picture->late += av->item.late;
        picture->held += av->item.held;
        picture->damaged += av->item.damaged;

        if (av->item.kind == VIDCAST_AV_NONE) {
            return VIDCAST_AGAIN;
        }

        if (vidcast_av_unwanted(av)) {
            picture->fps_limit++;
            vidcast_av_release(av);
        }
    }
}


/* more pictures than "fps" asks for; a little early is in time */

static int
vidcast_av_unwanted(vidcast_av_t *av)
{
    int64_t  pts, step;

    if (av->conf.interval == 0
        || (av->item.kind != VIDCAST_AV_JPEG
            && av->item.kind != VIDCAST_AV_FRAME))
    {
        return 0;
    }

    step = av->conf.interval;
    pts = av->item.pts == VIDCAST_AV_NO_TIME ? av->item.arrived : av->item.pts;

    if (!av->rated
        || pts < av->due - 2 * step
        || pts > av->due + VIDCAST_AV_SLIP)
    {
        av->rated = 1;
        av->due = pts;
    }

    if (pts < av->due - step / 8) {
        return 1;
    }

    while (av->due <= pts + step / 8) {
        av->due += step;
    }

    return 0;
}


/* VIDCAST_AGAIN: it is not yet time for what is stored */

static int
vidcast_av_wait(vidcast_av_t *av, int64_t until)
{
    int64_t          now, due;
    struct timespec  ts;

    if (av->conf.batch || !vidcast_av_reader_stored(av->reader)) {
        return VIDCAST_OK;
    }

    now = vidcast_av_clock();
    due = av->start + av->item.pts;

    if (!av->started
        || now - due > VIDCAST_AV_SLIP
        || due - now > av->conf.timeout)
    {
        /* the first, one after a gap, or we cannot keep up */

        av->started = 1;
        av->start = now - av->item.pts;

        return VIDCAST_OK;
    }

    if (now >= due) {
        return VIDCAST_OK;
    }

    due = due < until ? due : until;

    ts.tv_sec = due / 1000000;
    ts.tv_nsec = due % 1000000 * 1000;

    (void) clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);

    return vidcast_av_clock() < av->start + av->item.pts ? VIDCAST_AGAIN
                                                         : VIDCAST_OK;
}


/*
 * When it was captured.  A live picture has been under way for some time: the
 * fastest one tells how the stream's clock is to ours, slowly forgotten, as
 * clocks drift.
 */

static int64_t
vidcast_av_time(vidcast_av_t *av)
{
    int64_t  time, start;

    if (av->conf.batch) {
        return 0;
    }

    if (vidcast_av_reader_stored(av->reader)) {
        time = av->start + av->item.pts;

    } else if (av->item.pts == VIDCAST_AV_NO_TIME) {
        time = av->item.arrived;

    } else {
        start = av->item.arrived - av->item.pts;

        if (!av->started
            || start < av->start
            || start > av->start + VIDCAST_AV_SLIP)
        {
            av->started = 1;
            av->start = start;

        } else {
            av->start += (start - av->start) / 256;
        }

        time = av->start + av->item.pts;
    }

    if (time <= av->last) {
        time = av->last + 1;
    }

    av->last = time;

    return time;
}


static int
vidcast_av_picture(vidcast_av_t *av, vidcast_picture_t *picture, char *error)
{
    picture->orientation = av->item.orientation;

    if (av->item.kind == VIDCAST_AV_JPEG) {
        picture->jpeg = av->item.packet->data;
        picture->jpeg_size = av->item.packet->size;

        return VIDCAST_OK;
    }

    picture->jpeg = NULL;
    picture->jpeg_size = 0;

    return vidcast_av_image_convert(av->image, av->item.frame,
                                    av->item.orientation, &picture->image,
                                    error);
}


static void
vidcast_av_release(void *instance)
{
    vidcast_av_t  *av = instance;

    av->item.kind = VIDCAST_AV_NONE;

    av_packet_unref(av->item.packet);
    av_frame_unref(av->item.frame);
}


static void
vidcast_av_close(void *instance)
{
    vidcast_av_t  *av = instance;

    if (av->reader) {
        vidcast_av_reader_close(av->reader);
    }

    if (av->image) {
        vidcast_av_image_free(av->image);
    }

    av_packet_free(&av->item.packet);
    av_frame_free(&av->item.frame);

    vidcast_av_conf_free(&av->conf);
    free(av);
}
