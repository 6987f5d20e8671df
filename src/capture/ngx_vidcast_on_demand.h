
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_ON_DEMAND_H_INCLUDED_
#define _NGX_VIDCAST_ON_DEMAND_H_INCLUDED_


#include "capture/ngx_vidcast_capture.h"


/* whether the source has viewers; of the input thread */

typedef struct {
    ngx_vidcast_capture_t        *capture;
    uint64_t                      wanted;    /* at last, us */
    uint64_t                      looked;
    uint64_t                      asked;     /* as it was when all had gone */
    ngx_uint_t                    gone;
} ngx_vidcast_on_demand_t;


/*
 * Has the source had no viewer for the time set?  Never with "on_demand
 * off".  Cheap enough to be asked for each frame.
 */
ngx_uint_t ngx_vidcast_on_demand_gone(ngx_vidcast_on_demand_t *demand);

/* all have gone(), and the input is closed: returns when a viewer comes */
void ngx_vidcast_on_demand_sleep(ngx_vidcast_on_demand_t *demand);


#endif /* _NGX_VIDCAST_ON_DEMAND_H_INCLUDED_ */
