
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_BLOBS_H_INCLUDED_
#define _NGX_VIDCAST_BLOBS_H_INCLUDED_


#include "core/ngx_vidcast.h"
#include "predict/motion/ngx_vidcast_background_model.h"


/* what stands out from a background, as boxes with scores */


#define NGX_VIDCAST_BOXES_MAX  64


typedef struct {
    ngx_vidcast_component_t  component;  /* pixels of the picture */
    uint64_t                 contrast;   /* sum over them */
    ngx_uint_t               score;      /* percent */
} ngx_vidcast_box_t;


/* at most NGX_VIDCAST_BOXES_MAX, the best first; how many */
ngx_uint_t ngx_vidcast_blobs_find(ngx_vidcast_background_model_t *bg,
    ngx_vidcast_box_t *boxes);


#endif /* _NGX_VIDCAST_BLOBS_H_INCLUDED_ */
