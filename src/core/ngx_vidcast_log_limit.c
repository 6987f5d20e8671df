
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast_log_limit.h"
#include "core/ngx_vidcast_atomic.h"


static ngx_uint_t ngx_vidcast_log_limit_take(ngx_vidcast_log_limit_t *limit,
    ngx_uint_t burst, uint64_t now);


ngx_uint_t
ngx_vidcast_log_limit(ngx_vidcast_log_limit_t *limit, ngx_uint_t burst,
    uint64_t now)
{
    /* those before it are to be told first */

    if (ngx_vidcast_load(&limit->more) == 0
        && ngx_vidcast_log_limit_take(limit, burst, now))
    {
        return 1;
    }

    (void) __atomic_fetch_add(&limit->more, 1, __ATOMIC_SEQ_CST);

    return 0;
}


uint64_t
ngx_vidcast_log_limit_more(ngx_vidcast_log_limit_t *limit, ngx_uint_t burst,
    uint64_t now)
{
    if (ngx_vidcast_load(&limit->more) == 0
        || !ngx_vidcast_log_limit_take(limit, burst, now))
    {
        return 0;
    }

    return __atomic_exchange_n(&limit->more, 0, __ATOMIC_SEQ_CST);
}


void
ngx_vidcast_log_limit_tell(ngx_vidcast_log_limit_t *limit, ngx_uint_t burst,
    ngx_uint_t level, ngx_log_t *log, ngx_str_t *source, const char *what)
{
    uint64_t  more;

    more = ngx_vidcast_log_limit_more(limit, burst, ngx_vidcast_clock());

    if (more == 0) {
        return;
    }

    if (source) {
        ngx_log_error(level, log, 0,
                      "vidcast source \"%V\": %uL more %s in the last minute",
                      source, more, what);

    } else {
        ngx_log_error(level, log, 0,
                      "vidcast: %uL more %s in the last minute", more, what);
    }
}


/* each line moves the next one on by a minute; "burst" may be ahead of time */

static ngx_uint_t
ngx_vidcast_log_limit_take(ngx_vidcast_log_limit_t *limit, ngx_uint_t burst,
    uint64_t now)
{
    uint64_t  next;

    next = ngx_vidcast_load(&limit->next);

    do {
        if (next > now + (burst - 1) * (uint64_t) NGX_VIDCAST_LOG_MINUTE) {
            return 0;
        }

    } while (!ngx_vidcast_cas(&limit->next, &next,
                              ngx_max(next, now) + NGX_VIDCAST_LOG_MINUTE));

    return 1;
}
