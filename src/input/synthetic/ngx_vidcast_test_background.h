
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_TEST_BACKGROUND_H_INCLUDED_
#define _NGX_VIDCAST_TEST_BACKGROUND_H_INCLUDED_


#include "core/ngx_vidcast.h"


/*
 * An evening landscape, the part of the synthetic test pattern that stands
 * still.
 */


/* fills an I420 image; NGX_OK, or NGX_ERROR: no memory */
ngx_int_t ngx_vidcast_test_background_draw(ngx_vidcast_image_t *image);

/* U and V of a color, 0 to 255; full range BT.601, as JPEG has it */
void ngx_vidcast_test_background_chroma(const float *rgb, u_char *chroma);

/* 32 bits of noise that depend on all arguments, the same everywhere */
uint32_t ngx_vidcast_test_background_hash(uint32_t a, uint32_t b,
    uint32_t seed);


#endif /* _NGX_VIDCAST_TEST_BACKGROUND_H_INCLUDED_ */
