
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_HTTP_VIDCAST_QUEUE_H_INCLUDED_
#define _NGX_HTTP_VIDCAST_QUEUE_H_INCLUDED_


#include "http/delivery/ngx_http_vidcast_viewer.h"


/*
 * What a viewer gets, and what a slow one skips: see the head of the .c file.
 */

void ngx_http_vidcast_queue_init(ngx_http_vidcast_main_conf_t *vmcf,
    ngx_log_t *log);
void ngx_http_vidcast_queue_exit(ngx_http_vidcast_main_conf_t *vmcf);

/* something new is in the ring: walks over the viewers, in slices */
void ngx_http_vidcast_queue_wake_handler(ngx_event_t *ev);

/*
 * The viewer can take a message: sends what there is for it.  The request
 * may be finalized on return.
 */
void ngx_http_vidcast_queue_ready(ngx_http_vidcast_viewer_t *viewer);


#endif /* _NGX_HTTP_VIDCAST_QUEUE_H_INCLUDED_ */
