
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_REMOTE_H_INCLUDED_
#define _NGX_VIDCAST_REMOTE_H_INCLUDED_


#include "capture/ngx_vidcast_capture.h"


/*
 * Frames and results of a source that is somewhere else keep the numbers that
 * they have there, in its epoch, which this one takes over: NGX_OK.
 * NGX_DECLINED: there are frames or results of another one in the ring, so that
 * this process has to make room for one that begins with it.
 */
ngx_int_t ngx_vidcast_remote_epoch(ngx_vidcast_capture_t *capture,
    uint64_t epoch);

/*
 * A frame that was just published in this slot stays there till its result has
 * come, for viewers that want both together, or till there are too many.
 */
void ngx_vidcast_remote_keep(ngx_vidcast_capture_t *capture, uint32_t slot,
    uint64_t number);

/*
 * Such a result, with the text that it has there, of which the members around
 * it are put in anew.  NGX_OK; NGX_DECLINED: it is too large; NGX_ERROR: not an
 * object of JSON, or not above the newest one; reason in "error".
 */
ngx_int_t ngx_vidcast_remote_result(ngx_vidcast_capture_t *capture,
    ngx_vidcast_remote_result_t *remote, u_char *error);


#endif /* _NGX_VIDCAST_REMOTE_H_INCLUDED_ */
