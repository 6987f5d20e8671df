
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
    u_char                    *restless;    /* how often it stands out */
    uint64_t                  *outside;     /* what stood out last, as bits */
    u_char                    *row;         /* to work on */
    uint16_t                  *mean;        /* gray levels times 128 */
    int16_t                   *deviation;   /* mean absolute, times 128 */

    int16_t                    logs[256];   /* binary, times 256 */

    uint64_t                   tick;        /* when they were, us */
    uint64_t                   sampled;
    ngx_uint_t                 nsamples;
    ngx_uint_t                 sample;      /* the latest one */
    ngx_uint_t                 gains[NGX_VIDCAST_BACKGROUND_SAMPLES];
    ngx_uint_t                 soft;        /* pictures are softened */
    ngx_uint_t                 noise;       /* deviation of most pixels */
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
 * The next GRAY8 picture, of the size given above, and its media time in
 * microseconds.  NGX_OK: bg->components tells what stands
 * out, components of no pixels do not count; NGX_AGAIN: still learning.
 */
ngx_int_t ngx_vidcast_background_model_update(
    ngx_vidcast_background_model_t *bg, ngx_vidcast_image_t *image,
    uint64_t time);


/* the parts of an update, in files of their own */

/* makes the background as light as the picture is */
void ngx_vidcast_background_light(ngx_vidcast_background_model_t *bg);

/* of what stands out, what is known does so weakly */
void ngx_vidcast_background_recall(ngx_vidcast_background_model_t *bg);

/* the picture of a tick, for later */
void ngx_vidcast_background_remember(ngx_vidcast_background_model_t *bg);

/* gives to the background which components do not move */
void ngx_vidcast_background_judge(ngx_vidcast_background_model_t *bg,
    ngx_uint_t tick);

/* is pixel i one of those which stand out in pieces that are not thin? */
#define ngx_vidcast_background_masked(bg, i)                                  \
    ((bg)->components->mask[(i) / 64] >> (i) % 64 & 1)


/* the range of a pixel, by its mean and deviation */

static ngx_inline void
ngx_vidcast_background_limit(ngx_vidcast_background_model_t *bg, size_t i)
{
    ngx_int_t  back, limit;

    back = ngx_min((bg->mean[i] + 64) >> 7, 255);
    limit = bg->deviation[i] >> 5;
    limit = ngx_max(limit, (ngx_int_t) bg->floor);

    bg->low[i] = ngx_max(back - limit, 0);
    bg->high[i] = ngx_min(back + limit, 255);
}


#endif /* _NGX_VIDCAST_BACKGROUND_MODEL_H_INCLUDED_ */
