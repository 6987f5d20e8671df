
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <sys/mman.h>
#include <sys/resource.h>

#include "shm/ngx_vidcast_zone.h"


#define NGX_VIDCAST_LIMIT_FILES  16     /* a worker's own, and a few more */


typedef struct {
    ngx_err_t    err;
    int          resource;
    const char  *name;
} ngx_vidcast_limit_t;


static ngx_vidcast_limit_t  ngx_vidcast_limits[] = {
    { EFBIG, RLIMIT_FSIZE, "RLIMIT_FSIZE" },
    { ENOMEM, RLIMIT_AS, "RLIMIT_AS" },
    { EMFILE, RLIMIT_NOFILE, "RLIMIT_NOFILE" },
    { EAGAIN, RLIMIT_MEMLOCK, "RLIMIT_MEMLOCK" }
};


ngx_int_t
ngx_vidcast_limit_space(size_t size)
{
    void  *p;

    p = mmap(NULL, size, PROT_NONE,
             MAP_PRIVATE|MAP_ANONYMOUS|MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED) {
        return NGX_ERROR;
    }

    (void) munmap(p, size);

    return NGX_OK;
}


ngx_int_t
ngx_vidcast_limit_files(ngx_cycle_t *cycle, ngx_fd_t fd)
{
    ngx_uint_t        n;
    struct rlimit     rlmt;
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    n = 2 * (ngx_uint_t) ccf->worker_processes + NGX_VIDCAST_LIMIT_FILES;

    if (getrlimit(RLIMIT_NOFILE, &rlmt) == 0
        && rlmt.rlim_cur != RLIM_INFINITY
        && rlmt.rlim_cur < (rlim_t) fd + 1 + n)
    {
        ngx_set_errno(NGX_EMFILE);
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_vidcast_limit_log(ngx_log_t *log, ngx_err_t err, const char *what,
    size_t size, ngx_str_t *source)
{
    u_char                *p;
    ngx_uint_t             i;
    struct rlimit          rlmt;
    ngx_vidcast_limit_t   *limit;
    u_char                 bytes[64], name[64];

    bytes[0] = '\0';
    name[0] = '\0';

    if (size) {
        p = ngx_snprintf(bytes, sizeof(bytes) - 1, " of %uz bytes", size);
        *p = '\0';
    }

    limit = ngx_vidcast_limits;

    for (i = 0; i < sizeof(ngx_vidcast_limits) / sizeof(limit[0]); i++) {

        if (limit[i].err == err
            && getrlimit(limit[i].resource, &rlmt) == 0
            && rlmt.rlim_cur != RLIM_INFINITY)
        {
            p = ngx_snprintf(name, sizeof(name) - 1, ", %s is %uL",
                             limit[i].name, (uint64_t) rlmt.rlim_cur);
            *p = '\0';
            break;
        }
    }

    if (source == NULL) {
        ngx_log_error(NGX_LOG_EMERG, log, err,
                      "%s%s for \"" NGX_VIDCAST_CONTROL_NAME "\" failed%s",
                      what, bytes, name);
        return;
    }

    ngx_log_error(NGX_LOG_EMERG, log, err,
                  "%s%s for vidcast_source \"%V\" failed%s", what, bytes,
                  source, name);
}
