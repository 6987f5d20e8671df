
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_BACKGROUND_MODEL_H_INCLUDED_
#define _NGX_VIDCAST_BACKGROUND_MODEL_H_INCLUDED_


#include "core/ngx_vidcast.h"
#include "predict/motion/ngx_vidcast_components.h"


/* an adaptive background, and the components which stand out from it */


#define NGX_VIDCAST_BACKGROUND_SAMPLES  16


typedef struct {
    uint32_t                   width;
    uint32_t                   height;
    size_t                     stride;      /* whole words of the mask */
    ngx_uint_t                 threshold;   /* gray levels, at least */
    ngx_uint_t                 floor;       /* the same, with noise seen */
    uint32_t                   min;         /* pixels of a component */

    u_char                    *block;       /* has all the planes */
    u_char                    *current;
    u_char                    *low;         /* background is low to high */
    u_char                    *high;
    u_char                    *past;        /* picture of the last tick */
    u_char                    *age;         /* ticks without a motion */
    u_char                    *samples;     /* planes to learn from */
    int16_t                   *mean;        /* gray levels times 128 */
    int16_t                   *deviation;   /* mean absolute, times 128 */

    uint64_t                   tick;        /* when they were, us */
    uint64_t                   sampled;
    ngx_uint_t                 nsamples;
    ngx_uint_t                 flooded;     /* frames in a row */
    ngx_uint_t                 turn;

    ngx_vidcast_components_t  *components;

    /* gray levels between component and background, on average */

    uint32_t                   contrast[NGX_VIDCAST_COMPONENTS_MAX];
} ngx_vidcast_background_model_t;


/* NULL: no memory */
ngx_vidcast_background_model_t *ngx_vidcast_background_model_create(
    uint32_t width, uint32_t height, ngx_uint_t threshold, uint32_t min);
void ngx_vidcast_background_model_destroy(ngx_vidcast_background_model_t *bg);

/*
 * The next GRAY8 picture, of the size given above, and its time by
 * CLOCK_MONOTONIC in microseconds.  NGX_OK: bg->components tells what stands
 * out, components of no pixels do not count; NGX_AGAIN: still learning.
 */
ngx_int_t ngx_vidcast_background_model_update(
    ngx_vidcast_background_model_t *bg, ngx_vidcast_image_t *image,
    uint64_t time);


#endif /* _NGX_VIDCAST_BACKGROUND_MODEL_H_INCLUDED_ */
