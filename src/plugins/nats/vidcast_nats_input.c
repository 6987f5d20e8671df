
/*
 * Copyright (C) vidcast contributors
 */


#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/nats/vidcast_nats.h"


#define VIDCAST_NATS_GRAB     190000       /* us that grab() may take */
#define VIDCAST_NATS_STEP     50000        /* us between looks at the time */
#define VIDCAST_NATS_TWO      60000000     /* us between lines of the log */
#define VIDCAST_NATS_BAD      1000000      /* us between bad messages told */
#define VIDCAST_NATS_WAITING  2            /* frames */


typedef struct {
    const vidcast_context_t     *context;
    vidcast_nats_conf_t          conf;
    vidcast_nats_bus_t          *bus;
    vidcast_nats_origin_t        origin;
    vidcast_nats_lane_t          lane;
    vidcast_nats_results_t       results;

    vidcast_nats_message_t      *frames[VIDCAST_NATS_WAITING];
    unsigned                     nframes;
    vidcast_nats_message_t      *given;     /* till release() */

    /* what the ring has */

    uint64_t                     epoch;
    uint64_t                     frame;
    uint64_t                     seq;

    int64_t                      since;     /* of the connection */
    uint64_t                     connects;
    uint32_t                     late;
    uint32_t                     bad;
    int64_t                      told_bad;
    int64_t                      warned;
    unsigned                     same:1;    /* to be told */
    unsigned                     shown:1;   /* a frame was given */
    unsigned                     turn:1;    /* it was the last one */
    unsigned                     begun:1;   /* an epoch was */
    unsigned                     results_wanted:1;
    char                         words[VIDCAST_ERROR_LEN];
} vidcast_nats_input_t;


static int vidcast_nats_input_check(const vidcast_context_t *context,
    char *error);
static void *vidcast_nats_input_open(const vidcast_context_t *context,
    const volatile int *stop, char *error);
static int vidcast_nats_input_subscribe(vidcast_nats_input_t *input);
static int vidcast_nats_input_grab(void *instance, vidcast_picture_t *picture,
    char *error);
static int vidcast_nats_input_ready(const vidcast_nats_input_t *input);
static void vidcast_nats_input_take(vidcast_nats_input_t *input);
static void vidcast_nats_input_message(vidcast_nats_input_t *input,
    vidcast_nats_message_t *message);
static void vidcast_nats_input_epoch(vidcast_nats_input_t *input);
static void vidcast_nats_input_state(vidcast_nats_input_t *input);
static void vidcast_nats_input_frame(vidcast_nats_input_t *input,
    vidcast_nats_message_t *message);
static void vidcast_nats_input_ask(vidcast_nats_input_t *input, int64_t now);
static int vidcast_nats_input_give(vidcast_nats_input_t *input,
    vidcast_picture_t *picture, char *error);
static int vidcast_nats_input_give_frame(vidcast_nats_input_t *input,
    vidcast_picture_t *picture, char *error);
static int vidcast_nats_input_give_result(vidcast_nats_input_t *input,
    vidcast_picture_t *picture, char *error);
static int vidcast_nats_input_bad(vidcast_nats_input_t *input, int64_t now,
    char *error);
static void vidcast_nats_input_two(vidcast_nats_input_t *input, int64_t now);
static void vidcast_nats_input_release(void *instance);
static void vidcast_nats_input_close(void *instance);


const vidcast_input_table_t  vidcast_nats_input = {
    sizeof(vidcast_input_table_t),
    vidcast_nats_input_check,
    vidcast_nats_input_open,
    vidcast_nats_input_grab,
    vidcast_nats_input_release,
    vidcast_nats_input_close
};


static int
vidcast_nats_input_check(const vidcast_context_t *context, char *error)
{
    vidcast_nats_conf_t  conf;

    if (vidcast_nats_conf_input(&conf, context, error) != VIDCAST_OK) {
        return VIDCAST_ERROR;
    }

    vidcast_nats_conf_free(&conf);

    return VIDCAST_OK;
}


static void *
vidcast_nats_input_open(const vidcast_context_t *context,
    const volatile int *stop, char *error)
{
    vidcast_nats_input_t  *input;

    input = calloc(1, sizeof(vidcast_nats_input_t));

    if (input == NULL) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "no memory");
        return NULL;
    }

    if (vidcast_nats_conf_input(&input->conf, context, error) != VIDCAST_OK) {
        free(input);
        return NULL;
    }

    input->context = context;
    input->epoch = context->epoch;
    input->frame = context->frame;
    input->seq = context->seq;
    input->results_wanted = context->results && !input->conf.group;

    input->bus = vidcast_nats_bus_create(&input->conf, context->source, NULL,
                                         NULL, error);

    if (input->bus == NULL) {
        vidcast_nats_input_close(input);
        return NULL;
    }

    vidcast_nats_lane_begin(&input->lane, input->bus, &input->conf);

    (void) vidcast_nats_input_subscribe(input);

    return input;
}


/* a member of a group makes results of its own, as one that predicts does */

static int
vidcast_nats_input_subscribe(vidcast_nats_input_t *input)
{
    char  subject[VIDCAST_NATS_SUBJECT];

    (void) snprintf(subject, sizeof(subject), "%.100s.*",
                    vidcast_nats_bus_inbox(input->bus));
    (void) vidcast_nats_bus_subscribe(input->bus, VIDCAST_NATS_REPLY, subject);

    (void) snprintf(subject, sizeof(subject), "%s.state",
                    input->conf.subject);
    (void) vidcast_nats_bus_subscribe(input->bus, VIDCAST_NATS_STATE, subject);

    if (!input->results_wanted) {
        return VIDCAST_OK;
    }

    (void) snprintf(subject, sizeof(subject), "%s.result",
                    input->conf.subject);

    return vidcast_nats_bus_subscribe(input->bus, VIDCAST_NATS_RESULT,
                                      subject);
}


static int
vidcast_nats_input_grab(void *instance, vidcast_picture_t *picture,
    char *error)
{
    vidcast_nats_input_t  *input = instance;

    int       rc;
    int64_t   now, until;
    uint64_t  connects;

    now = vidcast_nats_clock();
    until = now + VIDCAST_NATS_GRAB;

    for ( ;; ) {
        rc = vidcast_nats_bus_run(input->bus, error);

        connects = vidcast_nats_bus_connects(input->bus);

        if (connects != input->connects) {
            input->connects = connects;
            input->since = now;

            vidcast_nats_results_connected(&input->results);
        }

        vidcast_nats_input_take(input);

        if (rc != VIDCAST_AGAIN) {
            vidcast_nats_lane_run(&input->lane, &input->origin,
                                  input->nframes, now);
            vidcast_nats_input_ask(input, now);
        }

        if (vidcast_nats_input_ready(input) || now >= until) {
            break;
        }

        vidcast_nats_queue_wait(vidcast_nats_bus_queue(input->bus),
                                VIDCAST_NATS_STEP);
        now = vidcast_nats_clock();
    }

    vidcast_nats_input_two(input, now);

    picture->late += input->late
        + vidcast_nats_queue_told_late(vidcast_nats_bus_queue(input->bus));
    input->late = 0;

    if (vidcast_nats_input_bad(input, now, error)) {
        return VIDCAST_BAD;
    }

    if (vidcast_nats_input_ready(input)) {
        return vidcast_nats_input_give(input, picture, error);
    }

    if (rc == VIDCAST_OK) {
        return vidcast_nats_origin_look(&input->origin, &input->conf,
                                        input->since, now, error)
               == VIDCAST_WAITING ? VIDCAST_WAITING : VIDCAST_AGAIN;
    }

    /* what is refused matters where nothing comes */

    if (rc == VIDCAST_WAITING && connects && input->origin.heard
        && now - input->origin.heard < input->conf.timeout
        && strncmp(error, "not authorised", 14) == 0)
    {
        return VIDCAST_AGAIN;
    }

    return rc;
}


static int
vidcast_nats_input_ready(const vidcast_nats_input_t *input)
{
    const vidcast_nats_results_t  *results;

    results = &input->results;

    return input->nframes || input->same
           || results->waiting[results->next % VIDCAST_NATS_RESULTS_MAX];
}


static void
vidcast_nats_input_take(vidcast_nats_input_t *input)
{
    vidcast_nats_message_t  *message;

    for ( ;; ) {
        message = vidcast_nats_queue_take(vidcast_nats_bus_queue(input->bus));

        if (message == NULL) {
            return;
        }

        vidcast_nats_input_message(input, message);
    }
}


static void
vidcast_nats_input_message(vidcast_nats_input_t *input,
    vidcast_nats_message_t *message)
{
    int  rc;

    if (message->nobody) {
        vidcast_nats_lane_came(&input->lane, &input->origin, message);
        vidcast_nats_message_free(message);
        return;
    }

    rc = vidcast_nats_origin_hear(&input->origin, message);

    if (rc == VIDCAST_UNCHANGED) {
        vidcast_nats_message_free(message);
        return;
    }

    if (rc == VIDCAST_RESULT) {
        vidcast_nats_input_epoch(input);
    }

    if (message->kind == VIDCAST_NATS_STATE) {
        vidcast_nats_input_state(input);
        vidcast_nats_message_free(message);
        return;
    }

    /* an answer may be any of these */

    if (message->has & VIDCAST_NATS_HAS_STATUS) {

        if (strcmp(message->status, "end") == 0) {
            vidcast_nats_results_end(&input->results, message->oldest,
                                     message->seq);

        } else {
            vidcast_nats_lane_came(&input->lane, &input->origin, message);
        }

        vidcast_nats_message_free(message);

    } else if ((message->has & VIDCAST_NATS_HAS_TIME)
               && message->kind != VIDCAST_NATS_RESULT)
    {
        vidcast_nats_input_frame(input, message);

    } else if ((message->has & VIDCAST_NATS_HAS_SEQ) && input->results_wanted) {
        vidcast_nats_results_put(&input->results, message);

    } else {
        vidcast_nats_message_free(message);
    }
}


/*
 * Numbers go on where the ring has these, else from the first one on; at the
 * start from what history there is, which a state tells.
 */

static void
vidcast_nats_input_epoch(vidcast_nats_input_t *input)
{
    unsigned  known;

    for (known = 0; known < input->nframes; known++) {
        vidcast_nats_message_free(input->frames[known]);
        input->late++;
    }

    input->nframes = 0;

    known = (input->origin.epoch == input->epoch);

    vidcast_nats_results_clear(&input->results);

    if (!known) {
        input->frame = 0;
        input->seq = 0;
    }

    if ((known || input->begun) && input->results_wanted) {
        vidcast_nats_results_begin(&input->results, input->seq + 1);
    }

    input->epoch = input->origin.epoch;
    input->begun = 1;

    vidcast_nats_lane_epoch(&input->lane, input->epoch, input->frame);
}


static void
vidcast_nats_input_state(vidcast_nats_input_t *input)
{
    uint64_t                next;
    vidcast_nats_origin_t  *origin;

    origin = &input->origin;

    if (origin->epoch && input->results_wanted) {

        if (input->results.next == 0) {
            next = origin->seq > input->context->results
                   ? origin->seq - input->context->results + 1 : 1;

            if (next < origin->oldest) {
                next = origin->oldest;
            }

            vidcast_nats_results_begin(&input->results, next);
        }

        vidcast_nats_results_known(&input->results, origin->oldest,
                                   origin->seq);
    }

    if (input->shown && input->nframes == 0
        && strcmp(origin->state, "live") == 0
        && origin->frame <= input->frame)
    {
        input->same = 1;
    }
}


/* the newest one; of a group each, as nobody else has it */

static void
vidcast_nats_input_frame(vidcast_nats_input_t *input,
    vidcast_nats_message_t *message)
{
    vidcast_nats_lane_came(&input->lane, &input->origin, message);

    /* it was here before, or is behind one that waits */

    if (message->frame <= input->frame
        || (input->nframes
            && message->frame <= input->frames[input->nframes - 1]->frame))
    {
        input->late++;
        vidcast_nats_message_free(message);
        return;
    }

    if (message->size < 4 || message->data[0] != 0xff
        || message->data[1] != 0xd8)
    {
        input->bad++;
        (void) snprintf(input->words, VIDCAST_ERROR_LEN,
                        "frame %" PRIu64 " is no JPEG", message->frame);
        vidcast_nats_message_free(message);
        return;
    }

    if (input->nframes == (input->conf.group ? VIDCAST_NATS_WAITING : 1)) {
        input->late++;
        vidcast_nats_message_free(input->frames[0]);
        input->frames[0] = input->frames[--input->nframes];
    }

    input->frames[input->nframes++] = message;
    input->same = 0;
}


static void
vidcast_nats_input_ask(vidcast_nats_input_t *input, int64_t now)
{
    vidcast_nats_message_t  get;

    memset(&get, 0, sizeof(vidcast_nats_message_t));

    if (!vidcast_nats_results_ask(&input->results, now, &get.after,
                                  &get.upto))
    {
        return;
    }

    get.has = VIDCAST_NATS_HAS_AFTER | VIDCAST_NATS_HAS_UPTO;

    (void) strcpy(get.get, "results");
    (void) vidcast_nats_lane_get(&input->lane, &get);
}


/* frame and result by turns, where there are both */

static int
vidcast_nats_input_give(vidcast_nats_input_t *input,
    vidcast_picture_t *picture, char *error)
{
    vidcast_nats_message_t  *result;

    if (input->nframes && !input->turn) {
        input->turn = 1;
        return vidcast_nats_input_give_frame(input, picture, error);
    }

    input->turn = 0;

    result = vidcast_nats_results_take(&input->results);

    if (result) {
        input->given = result;
        return vidcast_nats_input_give_result(input, picture, error);
    }

    if (input->nframes) {
        input->turn = 1;
        return vidcast_nats_input_give_frame(input, picture, error);
    }

    input->same = 0;

    return VIDCAST_UNCHANGED;
}


static int
vidcast_nats_input_give_frame(vidcast_nats_input_t *input,
    vidcast_picture_t *picture, char *error)
{
    int64_t                  now;
    vidcast_nats_message_t  *message;

    now = vidcast_nats_clock();
    message = input->frames[0];

    input->frames[0] = input->frames[1];
    input->nframes--;
    input->given = message;
    input->frame = message->frame;
    input->shown = 1;
    input->same = 0;

    vidcast_nats_lane_took(&input->lane, message->frame, now);

    picture->time = message->arrival - message->age;
    picture->jpeg = message->data;
    picture->jpeg_size = message->size;
    picture->pts = message->pts;

    picture->identity.epoch = input->epoch;
    picture->identity.number = message->frame;
    picture->identity.time = message->time;

    return VIDCAST_OK;
}


static int
vidcast_nats_input_give_result(vidcast_nats_input_t *input,
    vidcast_picture_t *picture, char *error)
{
    vidcast_nats_message_t  *message;

    message = input->given;
    input->seq = message->seq;

    if (message->size == 0
        || (input->context->result_size
            && message->size > input->context->result_size))
    {
        (void) snprintf(error, VIDCAST_ERROR_LEN,
                        "result %" PRIu64 " has %zu bytes, of %zu at most",
                        message->seq, message->size,
                        input->context->result_size);
        vidcast_nats_input_release(input);
        return VIDCAST_BAD;
    }

    picture->result.epoch = input->epoch;
    picture->result.seq = message->seq;
    picture->result.frame = message->frame;
    picture->result.json = (const char *) message->data;
    picture->result.json_size = message->size;

    return VIDCAST_RESULT;
}


static int
vidcast_nats_input_bad(vidcast_nats_input_t *input, int64_t now, char *error)
{
    input->bad += vidcast_nats_queue_told_bad(
                                       vidcast_nats_bus_queue(input->bus),
                                       input->words);

    if (input->bad == 0
        || (input->told_bad && now - input->told_bad < VIDCAST_NATS_BAD))
    {
        return 0;
    }

    (void) snprintf(error, VIDCAST_ERROR_LEN, "%s", input->words);

    input->told_bad = now;
    input->bad = 0;

    return 1;
}


/* it stays with the one that it has, so this is no reason to be without one */

static void
vidcast_nats_input_two(vidcast_nats_input_t *input, int64_t now)
{
    char  line[VIDCAST_ERROR_LEN];

    if (!input->origin.two
        || (input->warned && now - input->warned < VIDCAST_NATS_TWO))
    {
        return;
    }

    (void) snprintf(line, sizeof(line), "two origins publish %.100s: %016"
                    PRIx64 ", which is taken, and %016" PRIx64,
                    input->conf.subject, input->origin.id,
                    input->origin.other);

    input->context->log(input->context->host, VIDCAST_LOG_WARN, line);
    input->warned = now;
}


static void
vidcast_nats_input_release(void *instance)
{
    vidcast_nats_input_t  *input = instance;

    vidcast_nats_message_free(input->given);

    input->given = NULL;
}


static void
vidcast_nats_input_close(void *instance)
{
    vidcast_nats_input_t  *input = instance;

    unsigned  i;

    if (input->given) {
        vidcast_nats_message_free(input->given);
    }

    for (i = 0; i < input->nframes; i++) {
        vidcast_nats_message_free(input->frames[i]);
    }

    vidcast_nats_results_clear(&input->results);

    if (input->bus) {
        vidcast_nats_bus_destroy(input->bus);
    }

    vidcast_nats_conf_free(&input->conf);

    free(input);
}
