
/*
 * Copyright (C) vidcast contributors
 */


#include <time.h>

#include "plugins/av/vidcast_av.h"


int64_t
vidcast_av_clock(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}
