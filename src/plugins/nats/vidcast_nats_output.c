
/*
 * Copyright (C) vidcast contributors
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/nats/vidcast_nats.h"


#define VIDCAST_NATS_RUN      150000       /* us that run() may take */
#define VIDCAST_NATS_TELL     1000000      /* us between two states */
#define VIDCAST_NATS_SLIP     1000000      /* us off the time: begins anew */
#define VIDCAST_NATS_BAD_LINE  60000000    /* us between lines of the log */


typedef struct {
    const vidcast_context_t     *context;
    vidcast_nats_conf_t          conf;
    vidcast_nats_bus_t          *bus;
    vidcast_nats_feed_t          feed;
    vidcast_nats_edges_t         edges;
    vidcast_nats_gets_t          gets;

    uint64_t                     next;      /* result to be given; 0: none */
    uint64_t                     offered;   /* frame that may be given */
    uint64_t                     given;     /* on the subject of all */
    int64_t                      due;       /* of the next one by "fps" */

    int64_t                      told;      /* the state */
    uint64_t                     connects;
    vidcast_nats_message_t       last;      /* what was told of it */
    unsigned                     tell:1;
    uint64_t                     bad;       /* not told yet */
    int64_t                      warned;
    char                         words[VIDCAST_ERROR_LEN];
} vidcast_nats_source_t;


static int vidcast_nats_output_check(const vidcast_context_t *context,
    char *error);
static void *vidcast_nats_output_open(const vidcast_context_t *context,
    const vidcast_output_t *output, char *error);
static int vidcast_nats_output_run(void *instance,
    vidcast_output_report_t *report, char *error);
static void vidcast_nats_output_take(vidcast_nats_source_t *source,
    int64_t now);
static void vidcast_nats_output_warn(vidcast_nats_source_t *source,
    int64_t now);
static void vidcast_nats_output_epoch(vidcast_nats_source_t *source,
    const vidcast_output_state_t *state);
static void vidcast_nats_output_tell(vidcast_nats_source_t *source,
    const vidcast_output_state_t *state, int64_t now);
static void vidcast_nats_output_results(vidcast_nats_source_t *source,
    const vidcast_output_state_t *state, int64_t until);
static void vidcast_nats_output_offer(vidcast_nats_source_t *source,
    const vidcast_output_state_t *state, int64_t now);
static void vidcast_nats_output_frame(vidcast_nats_source_t *source,
    int64_t now);
static void vidcast_nats_output_close(void *instance);


const vidcast_output_table_t  vidcast_nats_output = {
    sizeof(vidcast_output_table_t),
    vidcast_nats_output_check,
    vidcast_nats_output_open,
    vidcast_nats_output_run,
    vidcast_nats_output_close
};


static int
vidcast_nats_output_check(const vidcast_context_t *context, char *error)
{
    vidcast_nats_conf_t  conf;

    if (vidcast_nats_conf_output(&conf, context, error) != VIDCAST_OK) {
        return VIDCAST_ERROR;
    }

    vidcast_nats_conf_free(&conf);

    return VIDCAST_OK;
}


static void *
vidcast_nats_output_open(const vidcast_context_t *context,
    const vidcast_output_t *output, char *error)
{
    char                    subject[VIDCAST_NATS_SUBJECT];
    vidcast_nats_source_t  *source;

    source = calloc(1, sizeof(vidcast_nats_source_t));

    if (source == NULL) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "no memory");
        return NULL;
    }

    if (vidcast_nats_conf_output(&source->conf, context, error)
        != VIDCAST_OK)
    {
        free(source);
        return NULL;
    }

    source->context = context;
    source->bus = vidcast_nats_bus_create(&source->conf, context->source,
                                          output->wake, output->host, error);

    if (source->bus == NULL) {
        vidcast_nats_output_close(source);
        return NULL;
    }

    source->feed.bus = source->bus;
    source->feed.context = context;
    source->feed.host = output;
    source->feed.subject = source->conf.subject;
    source->feed.id = vidcast_nats_random();

    (void) snprintf(subject, sizeof(subject), "%s.want", source->conf.subject);
    (void) vidcast_nats_bus_subscribe(source->bus, VIDCAST_NATS_WANT, subject);

    (void) snprintf(subject, sizeof(subject), "%s.get", source->conf.subject);
    (void) vidcast_nats_bus_subscribe(source->bus, VIDCAST_NATS_GET, subject);

    return source;
}


static int
vidcast_nats_output_run(void *instance, vidcast_output_report_t *report,
    char *error)
{
    vidcast_nats_source_t  *source = instance;

    int                      rc;
    int64_t                  now;
    uint64_t                 connects;
    vidcast_nats_feed_t     *feed;
    vidcast_output_state_t   state;

    now = vidcast_nats_clock();
    feed = &source->feed;
    feed->error[0] = '\0';

    rc = vidcast_nats_bus_run(source->bus, error);

    vidcast_nats_output_take(source, now);

    memset(&state, 0, sizeof(vidcast_output_state_t));
    state.size = sizeof(vidcast_output_state_t);
    state.name = "";
    state.reason = "";

    feed->host->state(feed->host->host, &state);

    if (state.epoch && state.epoch != feed->epoch) {
        vidcast_nats_output_epoch(source, &state);
    }

    connects = vidcast_nats_bus_connects(source->bus);

    if (connects != source->connects) {
        source->connects = connects;
        source->tell = 1;
        feed->report.reconnects = connects - 1;
    }

    /* also where something is refused: so it shows when that is over */

    vidcast_nats_output_tell(source, &state, now);

    if (rc == VIDCAST_OK && feed->epoch) {
        vidcast_nats_output_results(source, &state, now + VIDCAST_NATS_RUN);
        vidcast_nats_output_offer(source, &state, now);
        vidcast_nats_output_frame(source, now);

        vidcast_nats_gets_run(&source->gets, feed, &state, source->offered,
                              now + VIDCAST_NATS_RUN);
    }

    feed->report.size = report->size;
    feed->report.readers = vidcast_nats_edges_readers(&source->edges, now);

    memcpy(report, &feed->report,
           report->size < sizeof(vidcast_output_report_t)
           ? report->size : sizeof(vidcast_output_report_t));

    if (rc == VIDCAST_WAITING) {
        return VIDCAST_WAITING;
    }

    (void) snprintf(error, VIDCAST_ERROR_LEN, "%s", feed->error);

    return VIDCAST_OK;
}


/* what edges have said */

static void
vidcast_nats_output_take(vidcast_nats_source_t *source, int64_t now)
{
    vidcast_nats_queue_t    *queue;
    vidcast_nats_message_t  *message;

    queue = vidcast_nats_bus_queue(source->bus);

    for ( ;; ) {
        message = vidcast_nats_queue_take(queue);

        if (message == NULL) {
            break;
        }

        if (message->kind == VIDCAST_NATS_WANT) {

            if (vidcast_nats_edges_want(&source->edges, message, now)) {
                source->tell = 1;
            }

            source->feed.host->wanted(source->feed.host->host);

        } else if (message->kind == VIDCAST_NATS_GET) {
            vidcast_nats_gets_add(&source->gets, &source->feed, message);
        }

        vidcast_nats_message_free(message);
    }

    vidcast_nats_output_warn(source, now);
}


static void
vidcast_nats_output_warn(vidcast_nats_source_t *source, int64_t now)
{
    char  line[VIDCAST_ERROR_LEN + 64];

    source->bad += vidcast_nats_queue_told_bad(
                                    vidcast_nats_bus_queue(source->bus),
                                    source->words);

    if (source->bad == 0
        || (source->warned && now - source->warned < VIDCAST_NATS_BAD_LINE))
    {
        return;
    }

    (void) snprintf(line, sizeof(line), "%llu messages were not understood: %s",
                    (unsigned long long) source->bad, source->words);

    source->context->log(source->context->host, VIDCAST_LOG_INFO, line);
    source->warned = now;
    source->bad = 0;
}


/* at the start from the newest result on; later from the first one */

static void
vidcast_nats_output_epoch(vidcast_nats_source_t *source,
    const vidcast_output_state_t *state)
{
    if (source->feed.epoch == 0 && state->seq) {
        source->next = state->seq;

    } else {
        source->next = state->oldest ? state->oldest : 1;
    }

    source->feed.epoch = state->epoch;
    source->offered = 0;
    source->given = 0;
    source->tell = 1;

    vidcast_nats_edges_epoch(&source->edges, state->epoch);
    vidcast_nats_gets_epoch(&source->gets);
}


static void
vidcast_nats_output_tell(vidcast_nats_source_t *source,
    const vidcast_output_state_t *state, int64_t now)
{
    vidcast_nats_message_t  *last;

    last = &source->last;

    if (!source->tell
        && now - source->told < VIDCAST_NATS_TELL
        && strncmp(last->state, state->name, sizeof(last->state) - 1) == 0
        && strncmp(last->reason, state->reason, sizeof(last->reason) - 1) == 0
        && last->width == state->width && last->height == state->height)
    {
        return;
    }

    if (vidcast_nats_feed_state(&source->feed, state) != VIDCAST_OK) {
        return;
    }

    (void) snprintf(last->state, sizeof(last->state), "%s", state->name);
    (void) snprintf(last->reason, sizeof(last->reason), "%s", state->reason);

    last->width = state->width;
    last->height = state->height;

    source->told = now;
    source->tell = 0;
}


static void
vidcast_nats_output_results(vidcast_nats_source_t *source,
    const vidcast_output_state_t *state, int64_t until)
{
    int                   rc;
    uint64_t              next;
    vidcast_result_t      result;
    vidcast_nats_feed_t  *feed;

    feed = &source->feed;

    while (source->conf.results && vidcast_nats_clock() < until) {

        memset(&result, 0, sizeof(vidcast_result_t));

        rc = feed->host->result(feed->host->host, source->next, &result);

        if (rc == VIDCAST_AGAIN) {
            return;
        }

        /* its history does not reach so far, or it has a gap */

        if (rc != VIDCAST_OK) {
            next = state->oldest > source->next ? state->oldest
                                                : source->next + 1;
            feed->report.lost += next - source->next;
            source->next = next;
            continue;
        }

        if (vidcast_nats_feed_result(feed, NULL, &result) == VIDCAST_AGAIN) {
            return;
        }

        source->next++;
    }
}


/* which frame may be given now, however it is asked for */

static void
vidcast_nats_output_offer(vidcast_nats_source_t *source,
    const vidcast_output_state_t *state, int64_t now)
{
    int64_t  step;

    step = source->conf.interval;

    if (!source->conf.frames || state->frame <= source->offered) {
        return;
    }

    if (step) {
        if (now < source->due - step / 8
            && source->due < now + 2 * step)
        {
            return;
        }

        if (now > source->due + VIDCAST_NATS_SLIP
            || source->due >= now + 2 * step)
        {
            source->due = now;
        }

        source->due += step;
    }

    source->offered = state->frame;
}


static void
vidcast_nats_output_frame(vidcast_nats_source_t *source, int64_t now)
{
    int                      rc;
    uint64_t                 number;
    vidcast_nats_feed_t     *feed;
    vidcast_output_frame_t   frame;

    feed = &source->feed;

    /* what there was while nobody looked was not skipped */

    if (vidcast_nats_edges_readers(&source->edges, now) == 0
        && source->offered > source->given)
    {
        source->given = source->offered - 1;
    }

    if (source->offered <= source->given
        || !vidcast_nats_edges_may(&source->edges, now))
    {
        return;
    }

    memset(&frame, 0, sizeof(vidcast_output_frame_t));
    frame.size = sizeof(vidcast_output_frame_t);

    if (feed->host->frame(feed->host->host, source->given, &frame)
        != VIDCAST_OK)
    {
        return;
    }

    rc = vidcast_nats_feed_frame(feed, NULL, &frame, 0);

    if (rc == VIDCAST_AGAIN) {
        return;
    }

    number = frame.identity.number;

    /* what "fps" leaves out is not skipped */

    if (source->given && source->conf.interval == 0) {
        feed->report.skipped += number - source->given - 1;
    }

    source->given = number;

    if (source->offered < number) {
        source->offered = number;
    }

    if (rc == VIDCAST_OK) {
        vidcast_nats_edges_sent(&source->edges, number, now);
    }
}


static void
vidcast_nats_output_close(void *instance)
{
    vidcast_nats_source_t  *source = instance;

    if (source->bus) {

        /* edges need not wait till it has been silent for long enough */

        (void) vidcast_nats_feed_gone(&source->feed);

        vidcast_nats_bus_destroy(source->bus);
    }

    vidcast_nats_conf_free(&source->conf);

    free(source->feed.json);
    free(source);
}
