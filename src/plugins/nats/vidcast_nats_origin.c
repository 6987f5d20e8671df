
/*
 * Copyright (C) vidcast contributors
 */


#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "plugins/nats/vidcast_nats.h"


#define VIDCAST_NATS_GONE     3000000      /* us: another one may take over */
#define VIDCAST_NATS_WAKING   5000000      /* us that a camera may need */


static void vidcast_nats_origin_state(vidcast_nats_origin_t *origin,
    const vidcast_nats_message_t *message);


int
vidcast_nats_origin_hear(vidcast_nats_origin_t *origin,
    const vidcast_nats_message_t *message)
{
    int  rc;

    if (origin->id != message->origin) {

        if (message->kind == VIDCAST_NATS_STATE
            && strcmp(message->state, "gone") == 0)
        {
            return VIDCAST_UNCHANGED;
        }

        /* one that has its numbers has come in its place */

        if (origin->id
            && !(origin->epoch && (message->has & VIDCAST_NATS_HAS_EPOCH)
                 && message->epoch == origin->epoch)
            && message->arrival - origin->heard < VIDCAST_NATS_GONE)
        {
            origin->other = message->origin;
            origin->other_heard = message->arrival;

            return VIDCAST_UNCHANGED;
        }

        origin->id = message->origin;
        origin->other = 0;
        origin->two = 0;
        origin->known = 0;
        origin->asleep = 0;
        origin->before = 0;
    }

    origin->heard = message->arrival;

    if (origin->other
        && message->arrival - origin->other_heard >= VIDCAST_NATS_GONE)
    {
        origin->other = 0;
    }

    /* it speaks, after the other one has spoken */

    origin->two = (origin->other != 0);

    rc = VIDCAST_OK;

    if ((message->has & VIDCAST_NATS_HAS_EPOCH)
        && message->epoch != origin->epoch)
    {
        if (message->epoch == origin->before
            && message->kind != VIDCAST_NATS_STATE)
        {
            return VIDCAST_UNCHANGED;
        }

        origin->before = origin->epoch;
        origin->epoch = message->epoch;
        origin->seq = 0;
        origin->oldest = 0;
        origin->frame = 0;
        rc = VIDCAST_RESULT;
    }

    if (message->kind == VIDCAST_NATS_STATE) {
        vidcast_nats_origin_state(origin, message);
    }

    return rc;
}


static void
vidcast_nats_origin_state(vidcast_nats_origin_t *origin,
    const vidcast_nats_message_t *message)
{
    /* it said that this was its last word: another one is welcome */

    if (strcmp(message->state, "gone") == 0) {
        origin->heard = message->arrival - VIDCAST_NATS_GONE;
        origin->two = 0;
        return;
    }

    origin->known = 1;

    (void) strcpy(origin->state, message->state);
    (void) strcpy(origin->reason, message->reason);

    if (message->has & VIDCAST_NATS_HAS_EPOCH) {
        origin->seq = message->seq;
        origin->oldest = message->oldest;
        origin->frame = message->frame;
    }

    origin->fps = message->fps;

    if (strcmp(origin->state, "sleeping") != 0) {
        origin->asleep = 0;

    } else if (origin->asleep == 0) {
        origin->asleep = message->arrival;
    }
}


int
vidcast_nats_origin_look(vidcast_nats_origin_t *origin,
    const vidcast_nats_conf_t *conf, int64_t since, int64_t now, char *error)
{
    if (origin->id == 0) {

        if (now - since < conf->timeout) {
            return VIDCAST_OK;
        }

        (void) snprintf(error, VIDCAST_ERROR_LEN, "no origin publishes %.100s",
                        conf->subject);
        return VIDCAST_WAITING;
    }

    /* while there was no connection, nothing could be heard */

    if (now - (origin->heard > since ? origin->heard : since)
        >= conf->timeout)
    {
        (void) snprintf(error, VIDCAST_ERROR_LEN,
                        "the origin of %.100s is silent for more than %g s",
                        conf->subject, (double) conf->timeout / 1000000);
        return VIDCAST_WAITING;
    }

    if (!origin->known || strcmp(origin->state, "live") == 0) {
        return VIDCAST_OK;
    }

    if (origin->asleep && now - origin->asleep < VIDCAST_NATS_WAKING) {
        return VIDCAST_OK;
    }

    (void) snprintf(error, VIDCAST_ERROR_LEN, "the origin is %.31s%s%.180s",
                    origin->state, origin->reason[0] ? ": " : "",
                    origin->reason);

    return VIDCAST_WAITING;
}
