
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_SUPERVISOR_H_INCLUDED_
#define _NGX_VIDCAST_SUPERVISOR_H_INCLUDED_


#include "shm/ngx_vidcast_zone.h"


/*
 * The manager's care for predictor processes: starts them, kills those that
 * take too long, starts them again, or lets them rest when they die too often.
 */

typedef struct ngx_vidcast_supervisor_s  ngx_vidcast_supervisor_t;


/* NULL: no memory */
ngx_vidcast_supervisor_t *ngx_vidcast_supervisor_create(
    ngx_vidcast_conf_t *conf);

/* looks after all of them once */
void ngx_vidcast_supervisor_look(ngx_vidcast_supervisor_t *supervisor);

/* nginx has ended, and so have they; those stopped, or stuck, are killed */
void ngx_vidcast_supervisor_end(ngx_vidcast_supervisor_t *supervisor);


#endif /* _NGX_VIDCAST_SUPERVISOR_H_INCLUDED_ */
