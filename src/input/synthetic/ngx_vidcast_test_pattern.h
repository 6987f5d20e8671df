
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_TEST_PATTERN_H_INCLUDED_
#define _NGX_VIDCAST_TEST_PATTERN_H_INCLUDED_


#include "core/ngx_vidcast.h"


/* a picture with moving shapes, whose every pixel follows from its number */


#define NGX_VIDCAST_TEST_PATTERN_MIN_DIMENSION  16
#define NGX_VIDCAST_TEST_PATTERN_MAX_SHAPES     16
#define NGX_VIDCAST_TEST_PATTERN_MAX_NOISE      20


typedef struct {
    uint32_t                    x;         /* pixels, from the top left */
    uint32_t                    y;
    uint32_t                    width;
    uint32_t                    height;
} ngx_vidcast_test_pattern_box_t;


typedef struct ngx_vidcast_test_pattern_s  ngx_vidcast_test_pattern_t;


/*
 * The true boxes of the first "n" shapes in frame "number" of the size; later
 * shapes are drawn over earlier ones.  All are whole within the frame.
 */
void ngx_vidcast_test_pattern_boxes(uint64_t number, uint32_t width,
    uint32_t height, ngx_uint_t n, ngx_vidcast_test_pattern_box_t *boxes);

/*
 * Draws what stands still.  "noise" is the standard deviation of the sensor
 * noise in gray levels, 0 is none.  NULL: no memory.
 */
ngx_vidcast_test_pattern_t *ngx_vidcast_test_pattern_create(uint32_t width,
    uint32_t height, ngx_uint_t shapes, ngx_uint_t noise);
void ngx_vidcast_test_pattern_destroy(ngx_vidcast_test_pattern_t *tp);

/*
 * Frame "number" into an I420 image of the test pattern's size.  The text,
 * made of digits, "#", ".", "-", ":" and spaces, is written at the top left,
 * as much of it as fits.
 */
void ngx_vidcast_test_pattern_render(ngx_vidcast_test_pattern_t *tp,
    uint64_t number, ngx_str_t *text, ngx_vidcast_image_t *image);


#endif /* _NGX_VIDCAST_TEST_PATTERN_H_INCLUDED_ */
