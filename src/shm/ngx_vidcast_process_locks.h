
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_PROCESS_LOCKS_H_INCLUDED_
#define _NGX_VIDCAST_PROCESS_LOCKS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Which processes live.  Each lock is a byte of a memfd; a process has it
 * while it holds the write lock on that byte.  The kernel drops the locks of
 * a process when it dies, before its parent has reaped it, and when the
 * process closes any descriptor of the file: so it must never be closed.
 * Locks are not inherited by fork.
 */

#define NGX_VIDCAST_LOCK_MANAGER    0
#define NGX_VIDCAST_LOCK_FORKING    1
#define NGX_VIDCAST_LOCK_CAPTURE    1024    /* + entry of the source */
#define NGX_VIDCAST_LOCK_PROCESS    4096    /* + entry of the process */

/*
 * Those of predictors are in a file of their own: the others would not be safe
 * from the foreign code that runs there.
 */

#define ngx_vidcast_predictor_lock(entry, n)  (16 * (entry) + (n))


/* a new file; NGX_INVALID_FILE: no file, logged */
ngx_fd_t ngx_vidcast_process_locks_create(const char *name, ngx_log_t *log);

/* NGX_OK, also if we have it; NGX_BUSY; NGX_ERROR, logged */
ngx_int_t ngx_vidcast_process_lock_take(ngx_fd_t fd, ngx_uint_t lock,
    ngx_log_t *log);

void ngx_vidcast_process_lock_drop(ngx_fd_t fd, ngx_uint_t lock,
    ngx_log_t *log);

/* pid of another process that has the lock; 0: none, or ourselves */
ngx_pid_t ngx_vidcast_process_lock_holder(ngx_fd_t fd, ngx_uint_t lock,
    ngx_log_t *log);

/* the same of any of "n" locks, and which it is; not in any order */
ngx_pid_t ngx_vidcast_process_lock_among(ngx_fd_t fd, ngx_uint_t first,
    ngx_uint_t n, ngx_uint_t *lock, ngx_log_t *log);


#endif /* _NGX_VIDCAST_PROCESS_LOCKS_H_INCLUDED_ */
