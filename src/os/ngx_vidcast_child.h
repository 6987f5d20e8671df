
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_CHILD_H_INCLUDED_
#define _NGX_VIDCAST_CHILD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "os/ngx_vidcast_settings.h"
#include "shm/ngx_vidcast_zone.h"


/*
 * Starts a process of ours: nginx's own binary, in an address space of its
 * own, with no descriptors but those that its settings name.  "conf" is NULL
 * for a check, which has nothing of it.  Returns its pid; a manager is nobody's
 * child.  NGX_INVALID_PID, logged.
 */
ngx_pid_t ngx_vidcast_child_start(ngx_vidcast_child_t *task,
    ngx_vidcast_conf_t *conf, ngx_cycle_t *cycle);

/* in that process, when it has read its settings: its signals, its title */
void ngx_vidcast_child_init(ngx_log_t *log, const char *title);

/*
 * Sleeps until "timeout" ms have passed, a child has ended, or the last
 * process of nginx has.  Updates the time and follows log rotation.
 * NGX_OK; NGX_DONE: nginx has ended, leave.
 */
ngx_int_t ngx_vidcast_child_wait(ngx_vidcast_conf_t *conf, int timeout);


#endif /* _NGX_VIDCAST_CHILD_H_INCLUDED_ */
