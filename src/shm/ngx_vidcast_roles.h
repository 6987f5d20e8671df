
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_ROLES_H_INCLUDED_
#define _NGX_VIDCAST_ROLES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Who is alive.  Each role is a byte of one memfd; a process has the role
 * while it holds the write lock on that byte.  The kernel drops the locks of
 * a process when it dies, before its parent has reaped it, and when the
 * process closes any descriptor of the file: so it must never be closed.
 * Locks are not inherited by fork.
 */

#define NGX_VIDCAST_ROLE_MANAGER    0
#define NGX_VIDCAST_ROLE_FORKING    1
#define NGX_VIDCAST_ROLE_CAPTURE    1024    /* + entry of the source */
#define NGX_VIDCAST_ROLE_PROCESS    4096    /* + entry of the process */
#define NGX_VIDCAST_ROLE_PREDICTOR  8192    /* + 16 * entry, + number */

#define ngx_vidcast_role_predictor(entry, n)                                  \
    (NGX_VIDCAST_ROLE_PREDICTOR + 16 * (entry) + (n))


/* a new file; NGX_INVALID_FILE: no file, logged */
ngx_fd_t ngx_vidcast_roles_create(ngx_log_t *log);

/* NGX_OK, also if we have it; NGX_BUSY; NGX_ERROR, logged */
ngx_int_t ngx_vidcast_role_take(ngx_fd_t fd, ngx_uint_t role, ngx_log_t *log);

void ngx_vidcast_role_drop(ngx_fd_t fd, ngx_uint_t role, ngx_log_t *log);

/* pid of another process that has the role; 0: nobody, or ourselves */
ngx_pid_t ngx_vidcast_role_holder(ngx_fd_t fd, ngx_uint_t role,
    ngx_log_t *log);


#endif /* _NGX_VIDCAST_ROLES_H_INCLUDED_ */
