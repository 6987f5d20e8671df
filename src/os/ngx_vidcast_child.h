
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_CHILD_H_INCLUDED_
#define _NGX_VIDCAST_CHILD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "shm/ngx_vidcast_zone.h"


typedef void (*ngx_vidcast_child_pt)(ngx_vidcast_conf_t *conf, void *data);


/*
 * Forks a process of ours from a worker, busy or not, or from another one of
 * ours.  The child closes all descriptors but those of logs and of shared
 * memory before anything else, so that it never keeps a client's connection,
 * resets signals, takes its title and runs "proc", after which it ends.
 * NGX_INVALID_PID: fork() failed, logged.
 */
ngx_pid_t ngx_vidcast_child_fork(ngx_vidcast_conf_t *conf,
    ngx_vidcast_child_pt proc, void *data, const char *title);

/*
 * Sleeps until "timeout" ms have passed, a child has ended, or the last
 * process of nginx has.  Updates the time and follows log rotation.
 * NGX_OK; NGX_DONE: nginx has ended, leave.
 */
ngx_int_t ngx_vidcast_child_wait(ngx_vidcast_conf_t *conf, int timeout);


#endif /* _NGX_VIDCAST_CHILD_H_INCLUDED_ */
