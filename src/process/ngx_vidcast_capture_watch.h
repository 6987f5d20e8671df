
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_CAPTURE_WATCH_H_INCLUDED_
#define _NGX_VIDCAST_CAPTURE_WATCH_H_INCLUDED_


#include "core/ngx_vidcast_log_limit.h"
#include "process/ngx_vidcast_watchdog.h"


/*
 * The manager's look at the capture process of a source, whether it hangs: its
 * main loop, or a thread that is in the hands of others, the input or the
 * predictor, and has not come back for that one's own time-out and five seconds
 * more.  Then the process is killed, as a thread alone cannot be.
 */

typedef struct {
    ngx_vidcast_watchdog_t       main;
    ngx_vidcast_watchdog_t       input;
    ngx_vidcast_watchdog_t       predictor;
    ngx_vidcast_watchdog_t       death;    /* of the one that was killed */
    ngx_pid_t                    killed;   /* by us, 0: none */
    ngx_uint_t                   said;     /* that it does not die */
    ngx_vidcast_log_limit_t      hung;
    u_char                       reason[NGX_VIDCAST_ERROR_LEN];
} ngx_vidcast_capture_watch_t;


/* once each ngx_vidcast_watchdog_interval() */
void ngx_vidcast_capture_watch(ngx_vidcast_capture_watch_t *watch,
    ngx_vidcast_conf_t *conf, ngx_vidcast_source_t *source);


#endif /* _NGX_VIDCAST_CAPTURE_WATCH_H_INCLUDED_ */
