
/*
 * Copyright (C) vidcast contributors
 */


#include <time.h>

#include "plugins/curl/vidcast_curl.h"


int64_t
vidcast_curl_clock(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}
