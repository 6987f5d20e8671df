
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_OVERLAY_H_INCLUDED_
#define _NGX_VIDCAST_OVERLAY_H_INCLUDED_


#include "capture/ngx_vidcast_capture.h"


/*
 * Pictures with boxes drawn in, for those who cannot draw them themselves:
 * a ring of its own, in the zone of the source's overlay, filled by a thread
 * of the capture as long as somebody watches it.
 *
 * create()  NULL: there is none, or no memory, logged
 * look()    now and then, by the main thread: does anybody watch?
 * emits()    there is a new frame in the source's ring, or a new result; may
 *           be called for each, by any thread
 */
ngx_vidcast_overlay_t *ngx_vidcast_overlay_create(
    ngx_vidcast_capture_t *capture, ngx_vidcast_source_t *source);
void ngx_vidcast_overlay_look(ngx_vidcast_overlay_t *overlay);
void ngx_vidcast_overlay_notify(ngx_vidcast_overlay_t *overlay);


#endif /* _NGX_VIDCAST_OVERLAY_H_INCLUDED_ */
