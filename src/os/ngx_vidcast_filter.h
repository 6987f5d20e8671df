
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_FILTER_H_INCLUDED_
#define _NGX_VIDCAST_FILTER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Filters of system calls: what they refuse fails in the process, in all of
 * its threads, and in all that it starts, for good.
 *
 * common()  what no process of ours needs, and no library and no program
 *           that was seen here
 * needs()   all but what code with these VIDCAST_NEEDS_* needs.  "log" is
 *           where the process writes to: it goes on being able to do so
 *
 * NGX_OK; NGX_DECLINED: there are none; NGX_ERROR, with errno.  They take
 * memory, so behind a fork there must have been no other thread.
 */
ngx_int_t ngx_vidcast_filter_common(void);
ngx_int_t ngx_vidcast_filter_needs(ngx_uint_t needs, ngx_log_t *log);

/* whether the kernel has filters, and we were built with libseccomp */
ngx_uint_t ngx_vidcast_filter_available(void);


#endif /* _NGX_VIDCAST_FILTER_H_INCLUDED_ */
