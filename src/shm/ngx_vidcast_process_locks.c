
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "shm/ngx_vidcast_memory.h"
#include "shm/ngx_vidcast_process_locks.h"


static ngx_int_t ngx_vidcast_process_lock_set(ngx_fd_t fd, int cmd, short type,
    ngx_uint_t lock, ngx_uint_t n, struct flock *fl);


ngx_fd_t
ngx_vidcast_process_locks_create(const char *name, ngx_log_t *log)
{
    /* the bytes behind the end of a file can be locked as well */

    return ngx_vidcast_memory_file(name, 0, NULL, log);
}


ngx_int_t
ngx_vidcast_process_lock_take(ngx_fd_t fd, ngx_uint_t lock, ngx_log_t *log)
{
    ngx_err_t     err;
    struct flock  fl;

    if (ngx_vidcast_process_lock_set(fd, F_SETLK, F_WRLCK, lock, 1, &fl)
        == NGX_OK)
    {
        return NGX_OK;
    }

    err = ngx_errno;

    if (err == NGX_EAGAIN || err == NGX_EACCES) {
        return NGX_BUSY;
    }

    ngx_log_error(NGX_LOG_ALERT, log, err,
                  "fcntl(F_SETLK) of vidcast process lock %ui failed", lock);

    return NGX_ERROR;
}


void
ngx_vidcast_process_lock_drop(ngx_fd_t fd, ngx_uint_t lock, ngx_log_t *log)
{
    struct flock  fl;

    if (ngx_vidcast_process_lock_set(fd, F_SETLK, F_UNLCK, lock, 1, &fl)
        != NGX_OK)
    {
        ngx_log_error(NGX_LOG_ALERT, log, ngx_errno,
                      "fcntl(F_UNLCK) of vidcast process lock %ui failed",
                      lock);
    }
}


ngx_pid_t
ngx_vidcast_process_lock_holder(ngx_fd_t fd, ngx_uint_t lock, ngx_log_t *log)
{
    return ngx_vidcast_process_lock_among(fd, lock, 1, &lock, log);
}


ngx_pid_t
ngx_vidcast_process_lock_among(ngx_fd_t fd, ngx_uint_t first, ngx_uint_t n,
    ngx_uint_t *lock, ngx_log_t *log)
{
    struct flock  fl;

    if (ngx_vidcast_process_lock_set(fd, F_GETLK, F_WRLCK, first, n, &fl)
        != NGX_OK)
    {
        ngx_log_error(NGX_LOG_ALERT, log, ngx_errno,
                      "fcntl(F_GETLK) of vidcast process lock %ui failed",
                      first);
        return 0;
    }

    if (fl.l_type == F_UNLCK) {
        return 0;
    }

    *lock = (ngx_uint_t) fl.l_start;

    return fl.l_pid;
}


static ngx_int_t
ngx_vidcast_process_lock_set(ngx_fd_t fd, int cmd, short type, ngx_uint_t lock,
    ngx_uint_t n, struct flock *fl)
{
    ngx_memzero(fl, sizeof(struct flock));

    fl->l_type = type;
    fl->l_whence = SEEK_SET;
    fl->l_start = lock;
    fl->l_len = n;

    return (fcntl(fd, cmd, fl) == -1) ? NGX_ERROR : NGX_OK;
}
