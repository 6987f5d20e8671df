
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _UNIT_CAPTURE_H_INCLUDED_
#define _UNIT_CAPTURE_H_INCLUDED_


/* the capture, where neither its log nor silent sources matter */

#include "capture/ngx_vidcast_capture.c"


ngx_uint_t
ngx_vidcast_zone_silent(ngx_vidcast_source_t *source, uint64_t last)
{
    return 0;
}


void
ngx_vidcast_zone_silence(ngx_vidcast_source_t *source, u_char *error)
{
    /* void */
}


void
ngx_vidcast_capture_log_state(ngx_vidcast_capture_t *capture, ngx_uint_t state,
    const u_char *reason)
{
    /* void */
}


void
ngx_vidcast_capture_log_too_large(ngx_vidcast_capture_t *capture)
{
    /* void */
}


#endif /* _UNIT_CAPTURE_H_INCLUDED_ */
