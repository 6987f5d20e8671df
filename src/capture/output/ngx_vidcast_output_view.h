
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_OUTPUT_VIEW_H_INCLUDED_
#define _NGX_VIDCAST_OUTPUT_VIEW_H_INCLUDED_


#include "capture/ngx_vidcast_capture.h"
#include "vidcast_plugin.h"


/* a source as one of its outputs sees it; of the output's thread */

typedef struct {
    ngx_vidcast_capture_t        *capture;
    ngx_vidcast_ring_t            ring;      /* with a pin of its own */
    ngx_vidcast_frame_t           frame;
    ngx_uint_t                    pinned;    /* it is */
    u_char                       *text;      /* of a result */
    uint64_t                      given;     /* results, frames */
    uint64_t                      epoch;
    uint64_t                      oldest;    /* result of that, at last */
    u_char                        reason[NGX_VIDCAST_ERROR_LEN];
} ngx_vidcast_output_view_t;


/* of output "index"; NGX_ERROR: no memory */
ngx_int_t ngx_vidcast_output_view_init(ngx_vidcast_output_view_t *view,
    ngx_vidcast_capture_t *capture, ngx_uint_t index);

/* as they are told in vidcast_plugin.h, of vidcast_output_t */
int ngx_vidcast_output_view_frame(ngx_vidcast_output_view_t *view,
    uint64_t after, vidcast_output_frame_t *frame);
int ngx_vidcast_output_view_result(ngx_vidcast_output_view_t *view,
    uint64_t seq, vidcast_result_t *result);
void ngx_vidcast_output_view_state(ngx_vidcast_output_view_t *view,
    vidcast_output_state_t *state);

/* the frame is not used any more, if there was one */
void ngx_vidcast_output_view_release(ngx_vidcast_output_view_t *view);


#endif /* _NGX_VIDCAST_OUTPUT_VIEW_H_INCLUDED_ */
