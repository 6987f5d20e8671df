
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_OVERLAY_H_INCLUDED_
#define _NGX_VIDCAST_OVERLAY_H_INCLUDED_


#include "capture/ngx_vidcast_capture.h"


/*
 * Pictures with boxes drawn in, for viewers that cannot draw them themselves:
 * a ring of its own, in the zone of the source's overlay, filled by a thread
 * of the capture as long as it has viewers.  NGX_OK; NGX_ERROR: logged,
 * or no memory.
 */
ngx_int_t ngx_vidcast_overlay_create(ngx_vidcast_capture_t *capture,
    ngx_vidcast_source_t *source);


#endif /* _NGX_VIDCAST_OVERLAY_H_INCLUDED_ */
