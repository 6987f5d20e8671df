
/*
 * Copyright (C) vidcast contributors
 */


/*
 * nginx without its main(): the functions which domain code calls, from
 * nginx's own source, so that a unit test meets the allocator, the strings
 * and the locks that run in production.  Only logging, and the variables that
 * main() would have set, are ours.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include <ngx_alloc.c>
#include <ngx_array.c>
#include <ngx_buf.c>
#include <ngx_crc32.c>
#include <ngx_errno.c>
#include <ngx_hash.c>
#include <ngx_inet.c>
#include <ngx_list.c>
#include <ngx_md5.c>
#include <ngx_palloc.c>
#include <ngx_parse.c>
#include <ngx_queue.c>
#include <ngx_rbtree.c>
#include <ngx_sha1.c>
#include <ngx_shmtx.c>
#include <ngx_slab.c>
#include <ngx_string.c>
#include <ngx_time.c>
#include <ngx_times.c>

#include "unit_ngx.h"

#include "core/ngx_vidcast_clock.c"
#include "core/ngx_vidcast_error.c"
#include "core/ngx_vidcast_parse.c"
#include "core/ngx_vidcast_string.c"


static void unit_init(void) __attribute__((constructor));


ngx_log_t              unit_log;
char                   unit_log_last[NGX_MAX_ERROR_STR];
ngx_uint_t             unit_log_count[NGX_LOG_DEBUG + 1];

ngx_pid_t              ngx_pid;
ngx_pid_t              ngx_parent;
ngx_int_t              ngx_ncpu;
ngx_uint_t             ngx_process = NGX_PROCESS_SINGLE;
ngx_uint_t             ngx_worker;
ngx_uint_t             ngx_test_config;
ngx_uint_t             ngx_quiet_mode;
ngx_uint_t             ngx_exiting;

sig_atomic_t           ngx_quit;
sig_atomic_t           ngx_terminate;
sig_atomic_t           ngx_reopen;

volatile ngx_cycle_t  *ngx_cycle;

static ngx_cycle_t     unit_cycle;


static const char *unit_levels[] = {
    "stderr", "emerg", "alert", "crit", "error", "warn", "notice", "info",
    "debug"
};


void ngx_cdecl
ngx_log_stderr(ngx_err_t err, const char *fmt, ...)
{
    u_char   *p;
    va_list   args;
    u_char    text[NGX_MAX_ERROR_STR];

    va_start(args, fmt);
    p = ngx_vslprintf(text, text + sizeof(text), fmt, args);
    va_end(args);

    ngx_log_error_core(NGX_LOG_STDERR, &unit_log, err, "%*s",
                       (size_t) (p - text), text);
}


void
ngx_log_error_core(ngx_uint_t level, ngx_log_t *log, ngx_err_t err,
    const char *fmt, ...)
{
    u_char   *p, *last;
    va_list   args;
    u_char    text[NGX_MAX_ERROR_STR];

    last = text + NGX_MAX_ERROR_STR - 1;

    va_start(args, fmt);
    p = ngx_vslprintf(text, last, fmt, args);
    va_end(args);

    if (err) {
        p = ngx_slprintf(p, last, " (%d: %s)", err, strerror(err));
    }

    *p = '\0';

    /* debug lines carry bits above the level */

    level = ngx_min(level, NGX_LOG_DEBUG);

    (void) ngx_cpystrn((u_char *) unit_log_last, text, NGX_MAX_ERROR_STR);
    unit_log_count[level]++;

    fprintf(stderr, "[%s] %d: %s\n", unit_levels[level], (int) ngx_getpid(),
            text);
}


void ngx_cdecl
ngx_conf_log_error(ngx_uint_t level, ngx_conf_t *cf, ngx_err_t err,
    const char *fmt, ...)
{
    u_char   *p;
    va_list   args;
    u_char    text[NGX_MAX_CONF_ERRSTR];

    va_start(args, fmt);
    p = ngx_vslprintf(text, text + sizeof(text), fmt, args);
    va_end(args);

    ngx_log_error_core(level, cf->log, err, "%*s", (size_t) (p - text),
                       text);
}


/* of no log here */

void
ngx_syslog_writer(ngx_log_t *log, ngx_uint_t level, u_char *buf, size_t len)
{
    /* void */
}


void
ngx_debug_point(void)
{
    ngx_abort();
}


static void
unit_init(void)
{
    ngx_uint_t  n;

    unit_log.log_level = NGX_LOG_INFO;

    unit_cycle.log = &unit_log;
    ngx_cycle = &unit_cycle;

    ngx_pid = ngx_getpid();
    ngx_parent = getppid();
    ngx_ncpu = sysconf(_SC_NPROCESSORS_ONLN);

    ngx_pagesize = getpagesize();
    ngx_cacheline_size = NGX_CPU_CACHE_LINE;

    for (n = ngx_pagesize; n >>= 1; ngx_pagesize_shift++) { /* void */ }

    (void) ngx_strerror_init();
    ngx_time_init();
    ngx_slab_sizes_init();
}
