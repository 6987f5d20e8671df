
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_KEEPER_H_INCLUDED_
#define _NGX_VIDCAST_KEEPER_H_INCLUDED_


#include "shm/ngx_vidcast_zone.h"


/*
 * The manager's care for predictor processes: starts them, kills those that
 * take too long, starts them again, or lets them rest when they die too often.
 */

typedef struct ngx_vidcast_keeper_s  ngx_vidcast_keeper_t;


/* NULL: no memory */
ngx_vidcast_keeper_t *ngx_vidcast_keeper_create(ngx_vidcast_conf_t *conf);

/* looks after all of them once */
void ngx_vidcast_keeper_look(ngx_vidcast_keeper_t *keeper);

/* nginx has ended, and so have they; who is stopped, or stuck, is killed */
void ngx_vidcast_keeper_end(ngx_vidcast_keeper_t *keeper);


#endif /* _NGX_VIDCAST_KEEPER_H_INCLUDED_ */
