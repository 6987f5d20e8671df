
/*
 * Copyright (C) vidcast contributors
 */


#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/nats/vidcast_nats.h"


#define VIDCAST_NATS_WARN     60000000     /* us between lines of the log */


static void vidcast_nats_feed_message(vidcast_nats_feed_t *feed,
    vidcast_nats_message_t *message);
static int vidcast_nats_feed_send(vidcast_nats_feed_t *feed, const char *last,
    const char *reply, const vidcast_nats_message_t *message,
    const char *what);
static int vidcast_nats_feed_json(vidcast_nats_feed_t *feed,
    const vidcast_output_state_t *state, vidcast_nats_message_t *message);
static char *vidcast_nats_feed_escape(char *p, const char *text, size_t max);


int
vidcast_nats_feed_frame(vidcast_nats_feed_t *feed, const char *reply,
    const vidcast_output_frame_t *frame, int64_t held)
{
    int                     rc;
    vidcast_nats_message_t  message;

    vidcast_nats_feed_message(feed, &message);

    message.has |= VIDCAST_NATS_HAS_FRAME | VIDCAST_NATS_HAS_TIME
                   | VIDCAST_NATS_HAS_AGE;
    message.epoch = frame->identity.epoch;
    message.frame = frame->identity.number;
    message.time = frame->identity.time;
    message.age = vidcast_nats_clock() - frame->captured;
    message.data = frame->jpeg;
    message.size = frame->jpeg_size;

    if (frame->width && frame->height) {
        message.has |= VIDCAST_NATS_HAS_SIZE;
        message.width = frame->width;
        message.height = frame->height;
    }

    if (frame->pts >= 0) {
        message.has |= VIDCAST_NATS_HAS_PTS;
        message.pts = frame->pts;
    }

    if (reply) {
        message.has |= VIDCAST_NATS_HAS_HELD;
        message.held = held;
    }

    rc = vidcast_nats_feed_send(feed, "frame", reply, &message, "frame");

    if (rc == VIDCAST_OK) {
        feed->report.frames++;
        feed->report.bytes += frame->jpeg_size;

    } else if (rc == VIDCAST_BAD) {
        feed->report.too_large++;
    }

    return rc;
}


int
vidcast_nats_feed_result(vidcast_nats_feed_t *feed, const char *reply,
    const vidcast_result_t *result)
{
    int                     rc;
    vidcast_nats_message_t  message;

    vidcast_nats_feed_message(feed, &message);

    message.has |= VIDCAST_NATS_HAS_SEQ | VIDCAST_NATS_HAS_FRAME;
    message.epoch = result->epoch;
    message.seq = result->seq;
    message.frame = result->frame;
    message.data = (const uint8_t *) result->json;
    message.size = result->json_size;

    rc = vidcast_nats_feed_send(feed, "result", reply, &message, "result");

    if (rc == VIDCAST_OK) {
        feed->report.results++;
        feed->report.bytes += result->json_size;

    } else if (rc == VIDCAST_BAD && reply == NULL) {
        feed->report.lost++;
    }

    return rc;
}


int
vidcast_nats_feed_state(vidcast_nats_feed_t *feed,
    const vidcast_output_state_t *state)
{
    vidcast_nats_message_t  message;

    vidcast_nats_feed_message(feed, &message);

    message.has |= VIDCAST_NATS_HAS_STATE | VIDCAST_NATS_HAS_FRAME
                   | VIDCAST_NATS_HAS_SEQ | VIDCAST_NATS_HAS_OLDEST
                   | VIDCAST_NATS_HAS_FPS;
    message.epoch = state->epoch;
    message.frame = state->frame;
    message.seq = state->seq;
    message.oldest = state->oldest;
    message.fps = state->fps > 0 ? (int64_t) (state->fps * 1000000) : 0;

    if (state->width && state->height) {
        message.has |= VIDCAST_NATS_HAS_SIZE;
        message.width = state->width;
        message.height = state->height;
    }

    (void) snprintf(message.state, sizeof(message.state), "%s", state->name);

    if (state->reason[0]) {
        message.has |= VIDCAST_NATS_HAS_REASON;
        (void) snprintf(message.reason, sizeof(message.reason), "%s",
                        state->reason);
    }

    /* a source which has not begun has no numbers */

    if (state->epoch == 0) {
        message.has &= ~VIDCAST_NATS_HAS_EPOCH;
    }

    if (vidcast_nats_feed_json(feed, state, &message) != VIDCAST_OK) {
        return VIDCAST_AGAIN;
    }

    return vidcast_nats_feed_send(feed, "state", NULL, &message, "state");
}


int
vidcast_nats_feed_gone(vidcast_nats_feed_t *feed)
{
    vidcast_output_state_t  state;

    if (feed->context == NULL) {
        return VIDCAST_AGAIN;
    }

    memset(&state, 0, sizeof(vidcast_output_state_t));

    state.name = "gone";
    state.reason = "";
    state.epoch = feed->epoch;

    return vidcast_nats_feed_state(feed, &state);
}


int
vidcast_nats_feed_status(vidcast_nats_feed_t *feed, const char *reply,
    const char *status, const vidcast_output_state_t *state, int64_t held)
{
    vidcast_nats_message_t  message;

    vidcast_nats_feed_message(feed, &message);

    message.has |= VIDCAST_NATS_HAS_STATUS | VIDCAST_NATS_HAS_SEQ
                   | VIDCAST_NATS_HAS_OLDEST | VIDCAST_NATS_HAS_HELD;
    message.epoch = feed->epoch;
    message.seq = state->seq;
    message.oldest = state->oldest;
    message.held = held;

    (void) snprintf(message.status, sizeof(message.status), "%s", status);

    return vidcast_nats_feed_send(feed, "state", reply, &message, "status");
}


static void
vidcast_nats_feed_message(vidcast_nats_feed_t *feed,
    vidcast_nats_message_t *message)
{
    memset(message, 0, sizeof(vidcast_nats_message_t));

    message->has = VIDCAST_NATS_HAS_ORIGIN | VIDCAST_NATS_HAS_EPOCH;
    message->origin = feed->id;
}


/* without a reply, on the subject that ends so */

static int
vidcast_nats_feed_send(vidcast_nats_feed_t *feed, const char *last,
    const char *reply, const vidcast_nats_message_t *message,
    const char *what)
{
    int      rc;
    char     subject[VIDCAST_NATS_SUBJECT];
    int64_t  max, now;

    max = 0;

    if (reply == NULL) {
        (void) snprintf(subject, sizeof(subject), "%s.%s", feed->subject,
                        last);
        reply = subject;
    }

    rc = vidcast_nats_bus_send(feed->bus, reply, NULL, message, &max);

    if (rc != VIDCAST_BAD) {
        return rc;
    }

    (void) snprintf(feed->error, VIDCAST_ERROR_LEN,
                    "a %s of %zu bytes is larger than the server's "
                    "max_payload of %" PRId64 ": put \"max_payload: 8MB\" "
                    "into its configuration", what, message->size, max);

    now = vidcast_nats_clock();

    if (feed->warned == 0 || now - feed->warned > VIDCAST_NATS_WARN) {
        feed->warned = now;
        feed->context->log(feed->context->host, VIDCAST_LOG_WARN, feed->error);
    }

    return rc;
}


static int
vidcast_nats_feed_json(vidcast_nats_feed_t *feed,
    const vidcast_output_state_t *state, vidcast_nats_message_t *message)
{
    char    *p, *end;
    size_t   size;

    /* six bytes for each of a text at most, and less than 512 for the rest */

    size = 6 * (strlen(feed->context->source) + 2 * VIDCAST_ERROR_LEN) + 512;

    if (feed->json == NULL) {
        feed->json = malloc(size);

        if (feed->json == NULL) {
            return VIDCAST_ERROR;
        }
    }

    p = feed->json;
    end = p + size;

    p += sprintf(p, "{\"v\":1,\"source\":\"");
    p = vidcast_nats_feed_escape(p, feed->context->source, SIZE_MAX);
    p += snprintf(p, end - p, "\",\"origin\":\"%016" PRIx64
                  "\",\"epoch\":\"%016" PRIx64 "\",\"state\":\"", feed->id,
                  state->epoch);
    p = vidcast_nats_feed_escape(p, state->name, VIDCAST_ERROR_LEN);
    p += sprintf(p, "\",\"reason\":\"");
    p = vidcast_nats_feed_escape(p, state->reason, VIDCAST_ERROR_LEN);
    p += snprintf(p, end - p, "\",\"frame\":%" PRIu64 ",\"seq\":%" PRIu64
                  ",\"oldest\":%" PRIu64 ",\"width\":%" PRIu32
                  ",\"height\":%" PRIu32 ",\"fps\":%.3f}", state->frame,
                  state->seq, state->oldest, state->width, state->height,
                  (double) message->fps / 1000000);

    message->data = (const uint8_t *) feed->json;
    message->size = p - feed->json;

    return VIDCAST_OK;
}


static char *
vidcast_nats_feed_escape(char *p, const char *text, size_t max)
{
    size_t         i;
    unsigned char  c;

    for (i = 0; i < max && text[i]; i++) {
        c = text[i];

        if (c == '"' || c == '\\') {
            *p++ = '\\';
            *p++ = c;

        } else if (c < 0x20) {
            p += sprintf(p, "\\u%04x", c);

        } else {
            *p++ = c;
        }
    }

    return p;
}
