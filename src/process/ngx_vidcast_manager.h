
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_MANAGER_H_INCLUDED_
#define _NGX_VIDCAST_MANAGER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "shm/ngx_vidcast_zone.h"


/*
 * Starts a manager of this generation unless one lives, and kills one that
 * hangs.  Called by a worker, at its start and each interval(), in ms; of
 * several workers one wins.  NGX_OK; NGX_AGAIN: there is none, but another
 * worker may be starting one.
 */
ngx_int_t ngx_vidcast_manager_start(ngx_vidcast_conf_t *conf);
ngx_msec_t ngx_vidcast_manager_interval(ngx_vidcast_conf_t *conf);

/*
 * The process; returns when nginx has ended, or when another manager has taken
 * its place.
 */
void ngx_vidcast_manager_process(ngx_vidcast_conf_t *conf);


#endif /* _NGX_VIDCAST_MANAGER_H_INCLUDED_ */
