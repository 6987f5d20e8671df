
/*
 * Copyright (C) vidcast contributors
 */


#include <stdio.h>
#include <string.h>

#include "plugins/nats/vidcast_nats.h"


#define VIDCAST_NATS_EDGE_LIFE     12000000     /* us behind its last word */
#define VIDCAST_NATS_EDGE_FORGET   15000000
#define VIDCAST_NATS_PLAIN_LIFE    10000000
#define VIDCAST_NATS_UNANSWERED    1000000
#define VIDCAST_NATS_UNANSWERED_MAX  8000000


static vidcast_nats_edge_t *vidcast_nats_edges_find(
    vidcast_nats_edges_t *edges, const char *name, int64_t now, int *fresh);
static unsigned vidcast_nats_edges_open(const vidcast_nats_edges_t *edges,
    const vidcast_nats_edge_t *edge);
static int64_t vidcast_nats_edges_last(const vidcast_nats_edges_t *edges);


int
vidcast_nats_edges_want(vidcast_nats_edges_t *edges,
    const vidcast_nats_message_t *message, int64_t now)
{
    int                   fresh;
    uint64_t              acked;
    vidcast_nats_edge_t  *edge;

    if (!(message->has & VIDCAST_NATS_HAS_EDGE) || message->edge[0] == '\0') {
        fresh = (now >= edges->plain);
        edges->plain = now + VIDCAST_NATS_PLAIN_LIFE;
        return fresh;
    }

    edge = vidcast_nats_edges_find(edges, message->edge, now, &fresh);

    acked = message->epoch == edges->epoch ? message->frame : 0;

    if (acked > edge->acked) {
        edge->acked = acked;
        edge->timeout = VIDCAST_NATS_UNANSWERED;
    }

    edge->heard = now;
    edge->credit = message->credit;

    if (edge->credit > VIDCAST_NATS_CREDIT) {
        edge->credit = VIDCAST_NATS_CREDIT;
    }

    return fresh;
}


/* where there is no room, the one that was not heard of for longest goes */

static vidcast_nats_edge_t *
vidcast_nats_edges_find(vidcast_nats_edges_t *edges, const char *name,
    int64_t now, int *fresh)
{
    unsigned              i;
    vidcast_nats_edge_t  *edge, *oldest;

    oldest = &edges->edge[0];

    for (i = 0; i < edges->nedges; i++) {
        edge = &edges->edge[i];

        if (strcmp(edge->name, name) == 0) {
            *fresh = (now - edge->heard > VIDCAST_NATS_EDGE_FORGET);

            if (now - edge->heard > VIDCAST_NATS_EDGE_LIFE) {
                edge->joined = now;
                edge->timeout = VIDCAST_NATS_UNANSWERED;
            }

            return edge;
        }

        if (edge->heard < oldest->heard) {
            oldest = edge;
        }
    }

    edge = edges->nedges < VIDCAST_NATS_EDGES ? &edges->edge[edges->nedges++]
                                              : oldest;

    memset(edge, 0, sizeof(vidcast_nats_edge_t));

    (void) snprintf(edge->name, VIDCAST_NATS_NAME, "%s", name);

    edge->joined = now;
    edge->timeout = VIDCAST_NATS_UNANSWERED;

    *fresh = 1;

    return edge;
}


void
vidcast_nats_edges_epoch(vidcast_nats_edges_t *edges, uint64_t epoch)
{
    unsigned  i;

    edges->epoch = epoch;
    edges->nsent = 0;

    for (i = 0; i < edges->nedges; i++) {
        edges->edge[i].acked = 0;
    }
}


/* a reader that has no name has no credit, but all that others have */

int
vidcast_nats_edges_may(vidcast_nats_edges_t *edges, int64_t now)
{
    unsigned              i;
    vidcast_nats_edge_t  *edge;

    if (now < edges->plain) {
        return 1;
    }

    for (i = 0; i < edges->nedges; i++) {
        edge = &edges->edge[i];

        if (edge->credit == 0
            || now - edge->heard > VIDCAST_NATS_EDGE_LIFE)
        {
            continue;
        }

        if (vidcast_nats_edges_open(edges, edge) < edge->credit
            || now - vidcast_nats_edges_last(edges) >= edge->timeout)
        {
            return 1;
        }
    }

    return 0;
}


void
vidcast_nats_edges_sent(vidcast_nats_edges_t *edges, uint64_t number,
    int64_t now)
{
    unsigned              i;
    vidcast_nats_edge_t  *edge;
    vidcast_nats_sent_t  *sent;

    /* what one that is silent was given in spite of it counts */

    for (i = 0; i < edges->nedges; i++) {
        edge = &edges->edge[i];

        if (edge->credit
            && vidcast_nats_edges_open(edges, edge) >= edge->credit
            && now - vidcast_nats_edges_last(edges) >= edge->timeout)
        {
            edge->timeout *= 2;

            if (edge->timeout > VIDCAST_NATS_UNANSWERED_MAX) {
                edge->timeout = VIDCAST_NATS_UNANSWERED_MAX;
            }
        }
    }

    sent = &edges->sent[edges->nsent++ % VIDCAST_NATS_SENT];
    sent->number = number;
    sent->time = now;
}


/* frames which an edge was sent, and has not acknowledged */

static unsigned
vidcast_nats_edges_open(const vidcast_nats_edges_t *edges,
    const vidcast_nats_edge_t *edge)
{
    unsigned                    n;
    uint64_t                    i;
    const vidcast_nats_sent_t  *sent;

    n = 0;

    for (i = edges->nsent; i > 0 && i + VIDCAST_NATS_SENT > edges->nsent; i--) {
        sent = &edges->sent[(i - 1) % VIDCAST_NATS_SENT];

        if (sent->number <= edge->acked || sent->time < edge->joined) {
            break;
        }

        n++;
    }

    return n;
}


static int64_t
vidcast_nats_edges_last(const vidcast_nats_edges_t *edges)
{
    return edges->nsent ? edges->sent[(edges->nsent - 1)
                                      % VIDCAST_NATS_SENT].time
                        : 0;
}


unsigned
vidcast_nats_edges_readers(vidcast_nats_edges_t *edges, int64_t now)
{
    unsigned  i, n;

    n = (now < edges->plain);

    for (i = 0; i < edges->nedges; i++) {
        n += (now - edges->edge[i].heard <= VIDCAST_NATS_EDGE_LIFE);
    }

    return n;
}
