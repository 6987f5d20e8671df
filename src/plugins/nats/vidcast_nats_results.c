
/*
 * Copyright (C) vidcast contributors
 */


#include <string.h>

#include "plugins/nats/vidcast_nats.h"


#define VIDCAST_NATS_PATIENCE  100000      /* us: it may be on its way */
#define VIDCAST_NATS_AGAIN     500000      /* us between two requests */
#define VIDCAST_NATS_SILENCE   5000000     /* us without an answer */
#define VIDCAST_NATS_REFUSALS  3
#define VIDCAST_NATS_AT_ONCE   512         /* of one request */


static void vidcast_nats_results_skip(vidcast_nats_results_t *results,
    uint64_t last);
static uint64_t vidcast_nats_results_first(
    const vidcast_nats_results_t *results);


void
vidcast_nats_results_begin(vidcast_nats_results_t *results, uint64_t next)
{
    vidcast_nats_results_clear(results);

    results->next = next;
    results->newest = next - 1;
}


void
vidcast_nats_results_clear(vidcast_nats_results_t *results)
{
    unsigned  i;

    for (i = 0; i < VIDCAST_NATS_RESULTS_MAX && results->count; i++) {
        if (results->waiting[i]) {
            vidcast_nats_message_free(results->waiting[i]);
            results->waiting[i] = NULL;
            results->count--;
        }
    }

    results->bytes = 0;
    results->next = 0;
    results->newest = 0;
    results->missing = 0;
    results->asked = 0;
    results->refused = 0;
}


/* the one that is next has always room */

void
vidcast_nats_results_put(vidcast_nats_results_t *results,
    vidcast_nats_message_t *message)
{
    uint64_t                  seq;
    vidcast_nats_message_t  **place;

    seq = message->seq;

    if (message->kind == VIDCAST_NATS_REPLY) {
        results->asked = message->arrival;
        results->heard = message->arrival;
    }

    if (results->next == 0 || seq < results->next) {
        vidcast_nats_message_free(message);
        return;
    }

    if (seq > results->newest) {
        results->newest = seq;
    }

    place = &results->waiting[seq % VIDCAST_NATS_RESULTS_MAX];

    if (seq - results->next >= VIDCAST_NATS_RESULTS_MAX
        || *place != NULL
        || (seq != results->next
            && results->bytes + message->size > VIDCAST_NATS_RESULTS_BYTES))
    {
        vidcast_nats_message_free(message);
        return;
    }

    *place = message;
    results->bytes += message->size;
    results->count++;
}


vidcast_nats_message_t *
vidcast_nats_results_take(vidcast_nats_results_t *results)
{
    vidcast_nats_message_t  *message, **place;

    place = &results->waiting[results->next % VIDCAST_NATS_RESULTS_MAX];
    message = *place;

    if (message) {
        *place = NULL;
        results->bytes -= message->size;
        results->count--;
        results->next++;
        results->missing = 0;
        results->refused = 0;
    }

    return message;
}


void
vidcast_nats_results_known(vidcast_nats_results_t *results, uint64_t oldest,
    uint64_t newest)
{
    if (results->next == 0) {
        return;
    }

    if (newest > results->newest) {
        results->newest = newest;
    }

    if (oldest > results->next
        && results->waiting[results->next % VIDCAST_NATS_RESULTS_MAX] == NULL)
    {
        vidcast_nats_results_skip(results, oldest - 1);
    }
}


/*
 * What an answer had not, though the origin said that it is there, was too
 * large for the server, or was lost again.
 */

void
vidcast_nats_results_end(vidcast_nats_results_t *results, uint64_t oldest,
    uint64_t newest)
{
    uint64_t  next;

    next = results->next;

    if (next == 0) {
        return;
    }

    results->heard = vidcast_nats_clock();

    /* it has no more than that, whatever was heard before */

    results->newest = newest;

    vidcast_nats_results_known(results, oldest, newest);

    if (results->next != next || next > newest
        || results->waiting[next % VIDCAST_NATS_RESULTS_MAX] != NULL)
    {
        results->asked = 0;
        return;
    }

    if (results->missing
        && ++results->refused >= VIDCAST_NATS_REFUSALS)
    {
        vidcast_nats_results_skip(results, next);
    }
}


/* what was asked for before has no answer, and is asked for again at once */

void
vidcast_nats_results_connected(vidcast_nats_results_t *results)
{
    results->missing = 0;
    results->asked = 0;
    results->refused = 0;
}


int
vidcast_nats_results_ask(vidcast_nats_results_t *results, int64_t now,
    uint64_t *after, uint64_t *upto)
{
    if (results->next == 0
        || (results->newest < results->next && results->count == 0)
        || results->waiting[results->next % VIDCAST_NATS_RESULTS_MAX] != NULL)
    {
        results->missing = 0;
        return 0;
    }

    if (results->missing == 0) {
        results->missing = now;
        results->heard = now;
    }

    if (results->count == 0
        && now - results->missing < VIDCAST_NATS_PATIENCE)
    {
        return 0;
    }

    if (results->count && now - results->heard >= VIDCAST_NATS_SILENCE) {
        vidcast_nats_results_skip(results,
                                  vidcast_nats_results_first(results) - 1);
        return 0;
    }

    if (results->asked && now - results->asked < VIDCAST_NATS_AGAIN) {
        return 0;
    }

    results->asked = now;

    *after = results->next - 1;
    *upto = results->count ? vidcast_nats_results_first(results) - 1
                           : results->newest;

    if (*upto - *after > VIDCAST_NATS_AT_ONCE) {
        *upto = *after + VIDCAST_NATS_AT_ONCE;
    }

    return 1;
}


/* up to this one they are lost, but for those that wait */

static void
vidcast_nats_results_skip(vidcast_nats_results_t *results, uint64_t last)
{
    uint64_t  next, first;

    next = last + 1;

    if (results->count) {
        first = vidcast_nats_results_first(results);

        if (first < next) {
            next = first;
        }
    }

    results->lost += next - results->next;
    results->next = next;
    results->missing = 0;
    results->asked = 0;
    results->refused = 0;
}


/* the first one that waits; there is one */

static uint64_t
vidcast_nats_results_first(const vidcast_nats_results_t *results)
{
    unsigned  i;

    for (i = 0; i < VIDCAST_NATS_RESULTS_MAX; i++) {
        if (results->waiting[(results->next + i) % VIDCAST_NATS_RESULTS_MAX]) {
            break;
        }
    }

    return results->next + i;
}
