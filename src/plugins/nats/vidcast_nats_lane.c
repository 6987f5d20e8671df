
/*
 * Copyright (C) vidcast contributors
 */


#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "plugins/nats/vidcast_nats.h"


#define VIDCAST_NATS_WANT_EACH     5000000     /* us */
#define VIDCAST_NATS_WANT_AGAIN    500000
#define VIDCAST_NATS_WANT_QUIET    300000

#define VIDCAST_NATS_BEGIN         4           /* credit */
#define VIDCAST_NATS_DELAY_LOW     50000       /* us above the least */
#define VIDCAST_NATS_DELAY_HIGH    150000
#define VIDCAST_NATS_DELAY_SLOW    400000
#define VIDCAST_NATS_DELAY_SLACK   50000
#define VIDCAST_NATS_GOOD          10          /* frames */
#define VIDCAST_NATS_QUEUED        2

#define VIDCAST_NATS_PULL_AGAIN    4000000     /* us without an answer */
#define VIDCAST_NATS_PULL_NOBODY   500000
#define VIDCAST_NATS_BACK          10000000    /* us before the shared lane */
#define VIDCAST_NATS_BACK_MAX      300000000
#define VIDCAST_NATS_BACK_EASY     6           /* times as long */
#define VIDCAST_NATS_SETTLED       60000000


static void vidcast_nats_lane_want(vidcast_nats_lane_t *lane, int64_t now);
static void vidcast_nats_lane_pull(vidcast_nats_lane_t *lane,
    unsigned waiting, int64_t now);
static void vidcast_nats_lane_credit(vidcast_nats_lane_t *lane,
    const vidcast_nats_message_t *message, int64_t relative);
static void vidcast_nats_lane_judge(vidcast_nats_lane_t *lane,
    const vidcast_nats_origin_t *origin, int64_t transfer, int64_t now);
static void vidcast_nats_lane_share(vidcast_nats_lane_t *lane, int64_t now);
static void vidcast_nats_lane_leave(vidcast_nats_lane_t *lane, int64_t now);
static int vidcast_nats_lane_send(vidcast_nats_lane_t *lane, const char *last,
    const char *reply, const vidcast_nats_message_t *message);


void
vidcast_nats_lane_begin(vidcast_nats_lane_t *lane, vidcast_nats_bus_t *bus,
    const vidcast_nats_conf_t *conf)
{
    memset(lane, 0, sizeof(vidcast_nats_lane_t));

    lane->bus = bus;
    lane->conf = conf;
    lane->patience = VIDCAST_NATS_BACK;

    (void) snprintf(lane->edge, sizeof(lane->edge), "%016" PRIx64,
                    vidcast_nats_random());

    if (conf->group) {
        lane->mode = VIDCAST_NATS_MEMBER;
        return;
    }

    vidcast_nats_lane_share(lane, vidcast_nats_clock());

    lane->credit = VIDCAST_NATS_BEGIN;
}


void
vidcast_nats_lane_run(vidcast_nats_lane_t *lane,
    const vidcast_nats_origin_t *origin, unsigned waiting, int64_t now)
{
    uint64_t  connects;

    connects = vidcast_nats_bus_connects(lane->bus);

    if (connects != lane->connects) {
        lane->connects = connects;
        lane->told = 0;
        lane->queued = 0;
        memset(lane->pulls, 0, sizeof(lane->pulls));
    }

    if (connects == 0) {
        return;
    }

    /* what was said, or what it caused, may have been lost */

    if (lane->told == 0
        || now - lane->told >= VIDCAST_NATS_WANT_EACH
        || (lane->mode == VIDCAST_NATS_SHARED
            && origin->frame > lane->arrived
            && now - lane->came >= VIDCAST_NATS_WANT_QUIET
            && now - lane->told >= VIDCAST_NATS_WANT_AGAIN))
    {
        vidcast_nats_lane_want(lane, now);
    }

    if (lane->mode != VIDCAST_NATS_SHARED) {
        vidcast_nats_lane_pull(lane, waiting, now);
    }
}


/* one that pulls has no credit: it is there, and that is all */

static void
vidcast_nats_lane_want(vidcast_nats_lane_t *lane, int64_t now)
{
    vidcast_nats_message_t  message;

    memset(&message, 0, sizeof(vidcast_nats_message_t));

    message.has = VIDCAST_NATS_HAS_EDGE | VIDCAST_NATS_HAS_CREDIT
                  | VIDCAST_NATS_HAS_FRAME;
    message.frame = lane->frame;
    message.credit = lane->mode == VIDCAST_NATS_SHARED ? lane->credit : 0;

    if (lane->epoch) {
        message.has |= VIDCAST_NATS_HAS_EPOCH;
        message.epoch = lane->epoch;
    }

    (void) strcpy(message.edge, lane->edge);

    if (vidcast_nats_lane_send(lane, "want", NULL, &message) == VIDCAST_OK) {
        lane->told = now;
    }
}


static void
vidcast_nats_lane_pull(vidcast_nats_lane_t *lane, unsigned waiting,
    int64_t now)
{
    unsigned                 i, n;
    vidcast_nats_pull_t     *pull;
    vidcast_nats_message_t   message;

    n = lane->mode == VIDCAST_NATS_MEMBER ? 2 : 1;

    for (i = 0; i < n; i++) {
        pull = &lane->pulls[i];

        if (pull->number && now - pull->sent >= VIDCAST_NATS_PULL_AGAIN) {
            pull->number = 0;
        }

        waiting += (pull->number != 0);
    }

    for (i = 0; i < n && waiting < n; i++) {
        pull = &lane->pulls[i];

        if (pull->number) {
            continue;
        }

        memset(&message, 0, sizeof(vidcast_nats_message_t));

        message.has = VIDCAST_NATS_HAS_AFTER;
        message.after = lane->arrived;

        (void) strcpy(message.get, "frame");

        if (lane->conf->group) {
            message.has |= VIDCAST_NATS_HAS_GROUP;
            (void) strcpy(message.group, lane->conf->group);
        }

        pull->number = vidcast_nats_lane_get(lane, &message);
        pull->sent = now;
        waiting++;
    }
}


uint64_t
vidcast_nats_lane_get(vidcast_nats_lane_t *lane, vidcast_nats_message_t *get)
{
    char      reply[VIDCAST_NATS_SUBJECT];
    uint64_t  number;

    number = ++lane->number;
    get->has |= VIDCAST_NATS_HAS_GET;

    if (lane->epoch) {
        get->has |= VIDCAST_NATS_HAS_EPOCH;
        get->epoch = lane->epoch;
    }

    (void) snprintf(reply, sizeof(reply), "%.100s.%" PRIu64,
                    vidcast_nats_bus_inbox(lane->bus), number);

    return vidcast_nats_lane_send(lane, "get", reply, get) == VIDCAST_OK
           ? number : 0;
}


void
vidcast_nats_lane_came(vidcast_nats_lane_t *lane,
    const vidcast_nats_origin_t *origin,
    const vidcast_nats_message_t *message)
{
    int64_t               now, relative, transfer;
    unsigned              i;
    vidcast_nats_pull_t  *pull;

    now = message->arrival;
    transfer = -1;

    for (i = 0; i < 2 && message->kind == VIDCAST_NATS_REPLY; i++) {
        pull = &lane->pulls[i];

        if (pull->number != message->number || message->number == 0) {
            continue;
        }

        /* there may be an origin soon, but it need not be at once */

        if (message->nobody) {
            pull->sent = now - VIDCAST_NATS_PULL_AGAIN
                         + VIDCAST_NATS_PULL_NOBODY;
            return;
        }

        transfer = now - pull->sent - message->held;
        pull->number = 0;
    }

    if (!(message->has & VIDCAST_NATS_HAS_TIME)) {
        return;
    }

    if (message->frame > lane->arrived) {
        lane->arrived = message->frame;
    }

    lane->came = now;

    relative = vidcast_nats_delay_add(&lane->delay,
                                      message->time + message->age, now);

    if (lane->mode == VIDCAST_NATS_SHARED
        && message->kind == VIDCAST_NATS_FRAME)
    {
        vidcast_nats_lane_credit(lane, message, relative);

    } else if (lane->mode == VIDCAST_NATS_PULL && transfer >= 0) {
        vidcast_nats_lane_judge(lane, origin, transfer, now);
    }

    lane->relative = relative;
}


/*
 * With a credit of one, a frame which was sent before the one before it was
 * acknowledged is not ours: edges that are faster make the origin send more.
 * Two of these, later and later, are the beginning of a queue that grows for
 * as long as we share it.  One that was held up, and is let go, is shorter with
 * each frame.
 */

static void
vidcast_nats_lane_credit(vidcast_nats_lane_t *lane,
    const vidcast_nats_message_t *message, int64_t relative)
{
    if (lane->credit == 1 && relative > VIDCAST_NATS_DELAY_SLOW
        && relative >= lane->relative - VIDCAST_NATS_DELAY_SLACK / 2
        && lane->acked
        && relative > message->arrival - lane->acked
                      + VIDCAST_NATS_DELAY_SLACK)
    {
        if (++lane->queued >= VIDCAST_NATS_QUEUED) {
            vidcast_nats_lane_leave(lane, message->arrival);
            return;
        }

    } else {
        lane->queued = 0;
    }

    if (relative > VIDCAST_NATS_DELAY_SLOW) {
        lane->credit = 1;
        lane->good = 0;

    } else if (relative > VIDCAST_NATS_DELAY_HIGH) {
        lane->good = 0;

        if (lane->credit > 1) {
            lane->credit--;
        }

    } else if (relative >= VIDCAST_NATS_DELAY_LOW) {
        lane->good = 0;

    } else if (++lane->good >= VIDCAST_NATS_GOOD) {
        lane->good = 0;

        if (lane->credit < VIDCAST_NATS_CREDIT) {
            lane->credit++;
        }
    }
}


/* frames would come in half of the time that there is for each */

static void
vidcast_nats_lane_judge(vidcast_nats_lane_t *lane,
    const vidcast_nats_origin_t *origin, int64_t transfer, int64_t now)
{
    int64_t  interval;

    interval = origin->fps > 0 ? 1000000000000 / origin->fps
                               : VIDCAST_NATS_DELAY_LOW;

    if (transfer >= interval / 2) {
        lane->quick = now;
    }

    /* the time of one that is far away, but not slow, is not its line's */

    if (transfer >= VIDCAST_NATS_DELAY_SLOW) {
        lane->easy = now;
    }

    if (now - lane->quick >= lane->patience
        || now - lane->easy >= VIDCAST_NATS_BACK_EASY * lane->patience)
    {
        vidcast_nats_lane_share(lane, now);
    }
}


static void
vidcast_nats_lane_share(vidcast_nats_lane_t *lane, int64_t now)
{
    char  subject[VIDCAST_NATS_SUBJECT];

    lane->mode = VIDCAST_NATS_SHARED;
    lane->credit = 1;
    lane->good = 0;
    lane->queued = 0;
    lane->acked = 0;
    lane->entered = now;
    lane->told = 0;

    (void) snprintf(subject, sizeof(subject), "%s.frame",
                    lane->conf->subject);
    (void) vidcast_nats_bus_subscribe(lane->bus, VIDCAST_NATS_FRAME, subject);
}


/* what stands in the queue goes with the connection */

static void
vidcast_nats_lane_leave(vidcast_nats_lane_t *lane, int64_t now)
{
    if (now - lane->entered < VIDCAST_NATS_BACK) {
        lane->patience *= 2;

        if (lane->patience > VIDCAST_NATS_BACK_MAX) {
            lane->patience = VIDCAST_NATS_BACK_MAX;
        }

    } else if (now - lane->entered >= VIDCAST_NATS_SETTLED) {
        lane->patience = VIDCAST_NATS_BACK;
    }

    lane->mode = VIDCAST_NATS_PULL;
    lane->entered = now;
    lane->quick = now;
    lane->easy = now;
    lane->told = 0;

    memset(lane->pulls, 0, sizeof(lane->pulls));

    vidcast_nats_bus_unsubscribe(lane->bus, VIDCAST_NATS_FRAME);
    vidcast_nats_bus_drop(lane->bus);
}


void
vidcast_nats_lane_took(vidcast_nats_lane_t *lane, uint64_t frame, int64_t now)
{
    lane->frame = frame;

    if (lane->mode == VIDCAST_NATS_SHARED) {
        vidcast_nats_lane_want(lane, now);
        lane->acked = now;
    }
}


void
vidcast_nats_lane_epoch(vidcast_nats_lane_t *lane, uint64_t epoch,
    uint64_t frame)
{
    lane->epoch = epoch;
    lane->frame = frame;
    lane->arrived = frame;
    lane->told = 0;
    lane->acked = 0;
    lane->queued = 0;
}


static int
vidcast_nats_lane_send(vidcast_nats_lane_t *lane, const char *last,
    const char *reply, const vidcast_nats_message_t *message)
{
    char     subject[VIDCAST_NATS_SUBJECT];
    int64_t  max;

    (void) snprintf(subject, sizeof(subject), "%s.%s", lane->conf->subject,
                    last);

    return vidcast_nats_bus_send(lane->bus, subject, reply, message, &max);
}
