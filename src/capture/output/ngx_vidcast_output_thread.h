
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_OUTPUT_THREAD_H_INCLUDED_
#define _NGX_VIDCAST_OUTPUT_THREAD_H_INCLUDED_


#include "capture/ngx_vidcast_capture.h"


/*
 * The outputs of a source: a thread for each, which sleeps until there is
 * something to give on.  The capture never waits for one; one that does not
 * come back has a state that says so, and keeps its thread, and the slot that
 * it has pinned.
 */

typedef struct ngx_vidcast_outputs_s  ngx_vidcast_outputs_t;


/* while there is no input thread.  NULL, logged, or no memory */
ngx_vidcast_outputs_t *ngx_vidcast_outputs_create(
    ngx_vidcast_capture_t *capture);

/*
 * When the process leaves, which "capture->leaving" says by then.  leave()
 * lets them give on what is there, and close; left(): all have.
 */
void ngx_vidcast_outputs_leave(ngx_vidcast_outputs_t *outputs);
ngx_uint_t ngx_vidcast_outputs_left(ngx_vidcast_outputs_t *outputs);

/* what all of them need of the system, VIDCAST_NEEDS_*; 0: not known */
ngx_uint_t ngx_vidcast_outputs_needs(ngx_vidcast_source_t *source,
    ngx_uint_t needs);

/*
 * In shared memory: what the status says of them.  begin(): of a process that
 * starts, "anew": with another configuration.
 */
void ngx_vidcast_outputs_begin(ngx_vidcast_source_t *source,
    ngx_vidcast_zone_shm_t *shm, ngx_uint_t anew);
void ngx_vidcast_outputs_end(ngx_vidcast_zone_shm_t *shm);


#endif /* _NGX_VIDCAST_OUTPUT_THREAD_H_INCLUDED_ */
