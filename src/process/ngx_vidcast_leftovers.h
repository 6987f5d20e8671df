
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_LEFTOVERS_H_INCLUDED_
#define _NGX_VIDCAST_LEFTOVERS_H_INCLUDED_


#include "shm/ngx_vidcast_zone.h"


/*
 * Processes of sources, and predictors, that older configurations had.  They
 * leave by themselves; one that cannot, as it hangs, would be there as long as
 * nginx is, and keep its device: the manager ends it.
 */

typedef struct ngx_vidcast_leftovers_s  ngx_vidcast_leftovers_t;


/* NULL: no memory */
ngx_vidcast_leftovers_t *ngx_vidcast_leftovers_create(
    ngx_vidcast_conf_t *conf);

/* once each ngx_vidcast_watchdog_interval() */
void ngx_vidcast_leftovers_look(ngx_vidcast_leftovers_t *leftovers);


#endif /* _NGX_VIDCAST_LEFTOVERS_H_INCLUDED_ */
