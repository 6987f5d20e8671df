
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <sys/mman.h>

#include "shm/ngx_vidcast_roles.h"


static ngx_int_t ngx_vidcast_role_lock(ngx_fd_t fd, int cmd, short type,
    ngx_uint_t role, struct flock *fl);


ngx_fd_t
ngx_vidcast_roles_create(ngx_log_t *log)
{
    ngx_fd_t  fd;

    fd = memfd_create("vidcast roles", MFD_CLOEXEC);

    if (fd == -1) {
        ngx_log_error(NGX_LOG_EMERG, log, ngx_errno,
                      "memfd_create(\"vidcast roles\") failed");
        return NGX_INVALID_FILE;
    }

    return fd;
}


ngx_int_t
ngx_vidcast_role_take(ngx_fd_t fd, ngx_uint_t role, ngx_log_t *log)
{
    ngx_err_t     err;
    struct flock  fl;

    if (ngx_vidcast_role_lock(fd, F_SETLK, F_WRLCK, role, &fl) == NGX_OK) {
        return NGX_OK;
    }

    err = ngx_errno;

    if (err == NGX_EAGAIN || err == NGX_EACCES) {
        return NGX_BUSY;
    }

    ngx_log_error(NGX_LOG_ALERT, log, err,
                  "fcntl(F_SETLK) of vidcast role %ui failed", role);

    return NGX_ERROR;
}


void
ngx_vidcast_role_drop(ngx_fd_t fd, ngx_uint_t role, ngx_log_t *log)
{
    struct flock  fl;

    if (ngx_vidcast_role_lock(fd, F_SETLK, F_UNLCK, role, &fl) != NGX_OK) {
        ngx_log_error(NGX_LOG_ALERT, log, ngx_errno,
                      "fcntl(F_UNLCK) of vidcast role %ui failed", role);
    }
}


ngx_pid_t
ngx_vidcast_role_holder(ngx_fd_t fd, ngx_uint_t role, ngx_log_t *log)
{
    struct flock  fl;

    if (ngx_vidcast_role_lock(fd, F_GETLK, F_WRLCK, role, &fl) != NGX_OK) {
        ngx_log_error(NGX_LOG_ALERT, log, ngx_errno,
                      "fcntl(F_GETLK) of vidcast role %ui failed", role);
        return 0;
    }

    return (fl.l_type == F_UNLCK) ? 0 : fl.l_pid;
}


static ngx_int_t
ngx_vidcast_role_lock(ngx_fd_t fd, int cmd, short type, ngx_uint_t role,
    struct flock *fl)
{
    ngx_memzero(fl, sizeof(struct flock));

    fl->l_type = type;
    fl->l_whence = SEEK_SET;
    fl->l_start = role;
    fl->l_len = 1;

    return (fcntl(fd, cmd, fl) == -1) ? NGX_ERROR : NGX_OK;
}
