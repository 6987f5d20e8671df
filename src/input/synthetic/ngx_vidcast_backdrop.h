
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_BACKDROP_H_INCLUDED_
#define _NGX_VIDCAST_BACKDROP_H_INCLUDED_


#include "core/ngx_vidcast.h"


/* an evening landscape, the part of the synthetic scene that stands still */


/* fills an I420 image; NGX_OK, or NGX_ERROR: no memory */
ngx_int_t ngx_vidcast_backdrop_draw(ngx_vidcast_image_t *image);

/* U and V of a color, 0 to 255; full range BT.601, as JPEG has it */
void ngx_vidcast_backdrop_chroma(const float *rgb, u_char *chroma);

/* 32 bits of noise that depend on all arguments, the same everywhere */
uint32_t ngx_vidcast_backdrop_hash(uint32_t a, uint32_t b, uint32_t seed);


#endif /* _NGX_VIDCAST_BACKDROP_H_INCLUDED_ */
