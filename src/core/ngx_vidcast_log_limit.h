
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_LOG_LIMIT_H_INCLUDED_
#define _NGX_VIDCAST_LOG_LIMIT_H_INCLUDED_


#include "core/ngx_vidcast.h"


/*
 * Log lines of one kind which a camera, a program, a plugin or a client can
 * cause again and again: the first ones come at once, and then no more than
 * one a minute, which tells how many there were.  Any thread.
 */

#define NGX_VIDCAST_LOG_MINUTE  60000000    /* us */

/* how many come at once, where it is more than one */

#define NGX_VIDCAST_LOG_STATES  10
#define NGX_VIDCAST_LOG_DEATHS  10          /* of a predictor */
#define NGX_VIDCAST_LOG_SAID    20          /* by a plugin */
#define NGX_VIDCAST_LOG_REQUESTS  10        /* of clients, for one reason */


typedef struct {
    uint64_t                     next;       /* line, us; burst counted in */
    uint64_t                     more;       /* that were not logged */
} ngx_vidcast_log_limit_t;


/*
 * Is a line to be logged now?  "burst" of them are at once, when there were
 * none for so many minutes.  What is not is counted.
 */
ngx_uint_t ngx_vidcast_log_limit(ngx_vidcast_log_limit_t *limit,
    ngx_uint_t burst, uint64_t now);

/*
 * To be called about once a second: how many lines were not logged and are to
 * be told now, 0: none.
 */
uint64_t ngx_vidcast_log_limit_more(ngx_vidcast_log_limit_t *limit,
    ngx_uint_t burst, uint64_t now);

/*
 * The same, and tells it: "what" are bad frames, or the like; without a source
 * if they are of none.
 */
void ngx_vidcast_log_limit_tell(ngx_vidcast_log_limit_t *limit,
    ngx_uint_t burst, ngx_uint_t level, ngx_log_t *log, ngx_str_t *source,
    const char *what);


#endif /* _NGX_VIDCAST_LOG_LIMIT_H_INCLUDED_ */
