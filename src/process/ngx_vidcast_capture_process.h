
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_CAPTURE_PROCESS_H_INCLUDED_
#define _NGX_VIDCAST_CAPTURE_PROCESS_H_INCLUDED_


#include "shm/ngx_vidcast_zone.h"


/*
 * The process that runs the pipeline of one source: starts its threads, and
 * watches whether it is still wanted.
 * Returns only when another process has the source, or when its lock cannot
 * be taken.
 */
void ngx_vidcast_capture_process(ngx_vidcast_conf_t *conf,
    ngx_vidcast_source_t *source);


#endif /* _NGX_VIDCAST_CAPTURE_PROCESS_H_INCLUDED_ */
