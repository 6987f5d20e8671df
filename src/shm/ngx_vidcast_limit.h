
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_LIMIT_H_INCLUDED_
#define _NGX_VIDCAST_LIMIT_H_INCLUDED_


#include "core/ngx_vidcast.h"


/*
 * What can keep memory from being made: limits of the process, of the system,
 * and sandboxes.  It is met in the master, which must neither die of it nor
 * leave the one who reads the log without its name.
 */


/*
 * A new file of "size" bytes, mapped; NULL is logged, and the file, unless it
 * is NGX_INVALID_FILE, the caller's to be closed.
 */
u_char *ngx_vidcast_limit_map(ngx_fd_t *fd, size_t size, ngx_str_t *source,
    ngx_log_t *log);

/* is there address space for so many bytes more?  NGX_ERROR: errno */
ngx_int_t ngx_vidcast_limit_space(size_t size);

/*
 * Above "fd", the highest one, descriptors must be left for the channels of
 * the workers: a master that has none for them starts no worker, and has told
 * the old ones to leave.  NGX_ERROR: there are not enough, errno.
 */
ngx_int_t ngx_vidcast_limit_files(ngx_cycle_t *cycle, ngx_fd_t fd);

/*
 * Says that memory cannot be made: what failed, for how many bytes, 0: none
 * to be told, for which source, and the limit that "err" hints at.
 */
void ngx_vidcast_limit_log(ngx_log_t *log, ngx_err_t err, const char *what,
    size_t size, ngx_str_t *source);


#endif /* _NGX_VIDCAST_LIMIT_H_INCLUDED_ */
