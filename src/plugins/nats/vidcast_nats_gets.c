
/*
 * Copyright (C) vidcast contributors
 */


#include <stdio.h>
#include <string.h>

#include "plugins/nats/vidcast_nats.h"


#define VIDCAST_NATS_HOLD     2000000      /* us till there is a frame */


static int vidcast_nats_gets_group(vidcast_nats_gets_t *gets, const char *name);
static vidcast_nats_get_t *vidcast_nats_gets_slot(vidcast_nats_gets_t *gets,
    const char *reply);
static void vidcast_nats_gets_frame(vidcast_nats_gets_t *gets,
    vidcast_nats_feed_t *feed, vidcast_nats_get_t *get,
    const vidcast_output_state_t *state, uint64_t newest);
static void vidcast_nats_gets_results(vidcast_nats_feed_t *feed,
    vidcast_nats_get_t *get, const vidcast_output_state_t *state,
    int64_t until);
static void vidcast_nats_gets_done(vidcast_nats_gets_t *gets,
    vidcast_nats_get_t *get);


/*
 * An answer goes where the request says, but never to a subject of the source:
 * what stands there is the origin's own.
 */

void
vidcast_nats_gets_add(vidcast_nats_gets_t *gets,
    const vidcast_nats_feed_t *feed, const vidcast_nats_message_t *message)
{
    int                  same;
    size_t               len;
    vidcast_nats_get_t  *get;

    len = strlen(feed->subject);

    if (message->reply[0] == '\0'
        || strpbrk(message->reply, "*> \t\r\n")
        || (strncmp(message->reply, feed->subject, len) == 0
            && (message->reply[len] == '.' || message->reply[len] == '\0')))
    {
        return;
    }

    if (strcmp(message->get, "frame") != 0
        && strcmp(message->get, "results") != 0)
    {
        return;
    }

    get = vidcast_nats_gets_slot(gets, message->reply);

    if (get->reply[0]) {
        vidcast_nats_gets_done(gets, get);
    }

    same = (message->has & VIDCAST_NATS_HAS_EPOCH)
           && message->epoch == feed->epoch;

    (void) strcpy(get->reply, message->reply);

    get->frame = (message->get[0] == 'f');
    get->group = -1;
    get->after = same ? message->after : 0;
    get->upto = same && (message->has & VIDCAST_NATS_HAS_UPTO) ? message->upto
                                                              : 0;
    get->since = message->arrival;

    if (get->frame) {
        gets->nframes++;

        if (message->group[0]) {
            get->group = vidcast_nats_gets_group(gets, message->group);
            gets->group[get->group].heard = message->arrival;
        }
    }
}


/* a free one, or the one that has waited for longest */

static vidcast_nats_get_t *
vidcast_nats_gets_slot(vidcast_nats_gets_t *gets, const char *reply)
{
    unsigned             i;
    vidcast_nats_get_t  *get, *oldest;

    oldest = &gets->get[0];

    for (i = 0; i < VIDCAST_NATS_GETS; i++) {
        get = &gets->get[i];

        if (strcmp(get->reply, reply) == 0) {
            return get;
        }

        if (oldest->reply[0]
            && (get->reply[0] == '\0' || get->since < oldest->since))
        {
            oldest = get;
        }
    }

    return oldest;
}


static int
vidcast_nats_gets_group(vidcast_nats_gets_t *gets, const char *name)
{
    unsigned               i;
    vidcast_nats_group_t  *group, *oldest;

    oldest = &gets->group[0];

    for (i = 0; i < VIDCAST_NATS_GROUPS; i++) {
        group = &gets->group[i];

        if (strcmp(group->name, name) == 0) {
            return (int) i;
        }

        if (group->heard < oldest->heard) {
            oldest = group;
        }
    }

    memset(oldest, 0, sizeof(vidcast_nats_group_t));

    (void) snprintf(oldest->name, VIDCAST_NATS_NAME, "%s", name);

    return (int) (oldest - gets->group);
}


void
vidcast_nats_gets_epoch(vidcast_nats_gets_t *gets)
{
    unsigned  i;

    for (i = 0; i < VIDCAST_NATS_GETS; i++) {
        gets->get[i].after = 0;
        gets->get[i].upto = 0;
    }

    for (i = 0; i < VIDCAST_NATS_GROUPS; i++) {
        gets->group[i].last = 0;
    }
}


/* begins each time behind the one with which it ended */

void
vidcast_nats_gets_run(vidcast_nats_gets_t *gets, vidcast_nats_feed_t *feed,
    const vidcast_output_state_t *state, uint64_t frame, int64_t until)
{
    unsigned             i;
    vidcast_nats_get_t  *get;

    for (i = 0; i < VIDCAST_NATS_GETS; i++) {
        get = &gets->get[gets->first];
        gets->first = (gets->first + 1) % VIDCAST_NATS_GETS;

        if (get->reply[0] == '\0') {
            continue;
        }

        if (get->frame) {
            vidcast_nats_gets_frame(gets, feed, get, state, frame);

        } else {
            vidcast_nats_gets_results(feed, get, state, until);
        }

        if (vidcast_nats_clock() >= until) {
            break;
        }
    }
}


static void
vidcast_nats_gets_frame(vidcast_nats_gets_t *gets, vidcast_nats_feed_t *feed,
    vidcast_nats_get_t *get, const vidcast_output_state_t *state,
    uint64_t newest)
{
    int                      rc;
    int64_t                  held;
    uint64_t                 after;
    vidcast_nats_group_t    *group;
    vidcast_output_frame_t   frame;

    held = vidcast_nats_clock() - get->since;
    group = get->group >= 0 ? &gets->group[get->group] : NULL;
    after = get->after;

    if (group && group->last > after) {
        after = group->last;
    }

    if (newest > after) {
        memset(&frame, 0, sizeof(vidcast_output_frame_t));
        frame.size = sizeof(vidcast_output_frame_t);

        if (feed->host->frame(feed->host->host, after, &frame)
            == VIDCAST_OK)
        {
            rc = vidcast_nats_feed_frame(feed, get->reply, &frame, held);

            if (rc == VIDCAST_AGAIN) {
                return;
            }

            if (group) {
                group->last = frame.identity.number;
            }

            /* of one that is too large there will be no answer: the next */

            get->after = frame.identity.number;

            if (rc == VIDCAST_OK) {
                vidcast_nats_gets_done(gets, get);
                return;
            }
        }
    }

    if (held >= VIDCAST_NATS_HOLD
        && vidcast_nats_feed_status(feed, get->reply, "none", state, held)
           != VIDCAST_AGAIN)
    {
        vidcast_nats_gets_done(gets, get);
    }
}


/* as many as there is time for; the rest the next time */

static void
vidcast_nats_gets_results(vidcast_nats_feed_t *feed, vidcast_nats_get_t *get,
    const vidcast_output_state_t *state, int64_t until)
{
    int               rc;
    uint64_t          upto;
    vidcast_result_t  result;

    upto = get->upto && get->upto < state->seq ? get->upto : state->seq;

    if (get->after + 1 < state->oldest) {
        get->after = state->oldest - 1;
    }

    while (get->after < upto) {

        if (vidcast_nats_clock() >= until) {
            return;
        }

        memset(&result, 0, sizeof(vidcast_result_t));

        rc = feed->host->result(feed->host->host, get->after + 1, &result);

        if (rc == VIDCAST_AGAIN) {
            break;
        }

        if (rc == VIDCAST_OK
            && vidcast_nats_feed_result(feed, get->reply, &result)
               == VIDCAST_AGAIN)
        {
            return;
        }

        get->after++;
    }

    if (vidcast_nats_feed_status(feed, get->reply, "end", state, 0)
        != VIDCAST_AGAIN)
    {
        get->reply[0] = '\0';
    }
}


static void
vidcast_nats_gets_done(vidcast_nats_gets_t *gets, vidcast_nats_get_t *get)
{
    if (get->frame) {
        gets->nframes--;
    }

    get->frame = 0;
    get->reply[0] = '\0';
}
