
/*
 * Copyright (C) vidcast contributors
 */


#include <time.h>

#include <sys/random.h>

#include "plugins/nats/vidcast_nats.h"


#define VIDCAST_NATS_DELAY_PART  10000000  /* us of which there is a least */
#define VIDCAST_NATS_DELAY_STEP  30000000  /* a clock was set */


int64_t
vidcast_nats_clock(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}


/* an id, which need not be a secret; never 0 */

uint64_t
vidcast_nats_random(void)
{
    uint64_t         id;
    struct timespec  ts;

    if (getrandom(&id, sizeof(uint64_t), GRND_NONBLOCK)
        != (ssize_t) sizeof(uint64_t))
    {
        (void) clock_gettime(CLOCK_REALTIME, &ts);

        id = ((uint64_t) ts.tv_sec << 30 | (uint64_t) ts.tv_nsec)
             ^ (uint64_t) (uintptr_t) &id << 32;
    }

    return id ? id : 1;
}


int64_t
vidcast_nats_delay_add(vidcast_nats_delay_t *delay, int64_t sent,
    int64_t arrival)
{
    int64_t   raw, least;
    unsigned  i;

    raw = arrival - sent;

    if (delay->count
        && (raw > delay->last + VIDCAST_NATS_DELAY_STEP
            || raw < delay->last - VIDCAST_NATS_DELAY_STEP))
    {
        delay->count = 0;
    }

    delay->last = raw;

    if (delay->count == 0
        || arrival - delay->since >= VIDCAST_NATS_DELAY_PART)
    {
        for (i = VIDCAST_NATS_DELAY_MINUTE - 1; i > 0; i--) {
            delay->least[i] = delay->least[i - 1];
        }

        delay->least[0] = raw;
        delay->since = arrival;

        if (delay->count < VIDCAST_NATS_DELAY_MINUTE) {
            delay->count++;
        }

    } else if (raw < delay->least[0]) {
        delay->least[0] = raw;
    }

    least = delay->least[0];

    for (i = 1; i < delay->count; i++) {
        if (delay->least[i] < least) {
            least = delay->least[i];
        }
    }

    return raw - least;
}
