
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <math.h>

#include "predict/motion/ngx_vidcast_background_model.h"


/*
 * Light, or the camera's gain, changes all pixels in proportion.  The
 * background goes with it at once, so that it has not to be learned anew, and
 * a lamp is no thing that moves.
 */


#define NGX_VIDCAST_BACKGROUND_GRID    4          /* one pixel in 4x4 */
#define NGX_VIDCAST_BACKGROUND_STOPS   512        /* 256: twice as bright */
#define NGX_VIDCAST_BACKGROUND_STEADY  3


static ngx_uint_t ngx_vidcast_background_light_agree(
    ngx_vidcast_background_model_t *bg, ngx_uint_t gain);
static void ngx_vidcast_background_light_scale(
    ngx_vidcast_background_model_t *bg, ngx_uint_t gain);


/*
 * By the median of what pixels have changed by, if the picture agrees better
 * with the background then.
 */

void
ngx_vidcast_background_light(ngx_vidcast_background_model_t *bg)
{
    size_t      i;
    uint32_t    x, y;
    ngx_int_t   back, d;
    ngx_uint_t  n, sum, gain;
    uint32_t    changes[2 * NGX_VIDCAST_BACKGROUND_STOPS + 1];

    ngx_memzero(changes, sizeof(changes));
    n = 0;

    for (y = 0; y < bg->height; y += NGX_VIDCAST_BACKGROUND_GRID) {
        for (x = 0; x < bg->width; x += NGX_VIDCAST_BACKGROUND_GRID) {
            i = y * bg->stride + x;
            back = ngx_min(bg->mean[i] >> 7, 255);

            if (back < 16 || back > 240 || bg->current[i] < 8
                || bg->current[i] > 250)
            {
                continue;
            }

            d = bg->logs[bg->current[i]] - bg->logs[back];

            if (ngx_abs(d) <= NGX_VIDCAST_BACKGROUND_STOPS) {
                changes[d + NGX_VIDCAST_BACKGROUND_STOPS]++;
                n++;
            }
        }
    }

    sum = 0;

    for (d = -NGX_VIDCAST_BACKGROUND_STOPS; n; d++) {
        sum += changes[d + NGX_VIDCAST_BACKGROUND_STOPS];

        if (2 * sum >= n) {
            break;
        }
    }

    if (n == 0 || ngx_abs(d) <= NGX_VIDCAST_BACKGROUND_STEADY) {
        return;
    }

    gain = lround(exp2(d / 256.0) * 4096);

    if (ngx_vidcast_background_light_agree(bg, gain)
        > ngx_vidcast_background_light_agree(bg, 4096))
    {
        ngx_vidcast_background_light_scale(bg, gain);
    }
}


static ngx_uint_t
ngx_vidcast_background_light_agree(ngx_vidcast_background_model_t *bg,
    ngx_uint_t gain)
{
    size_t      i;
    uint32_t    x, y;
    ngx_int_t   change;
    ngx_uint_t  n;

    n = 0;

    for (y = 0; y < bg->height; y += NGX_VIDCAST_BACKGROUND_GRID) {
        for (x = 0; x < bg->width; x += NGX_VIDCAST_BACKGROUND_GRID) {
            i = y * bg->stride + x;

            change = bg->current[i]
                     - (ngx_int_t) ngx_min(bg->mean[i] * gain >> 19, 255);

            n += (ngx_abs(change) * 2 <= (ngx_int_t) bg->floor);
        }
    }

    return n;
}


static void
ngx_vidcast_background_light_scale(ngx_vidcast_background_model_t *bg,
    ngx_uint_t gain)
{
    size_t  i, size;

    size = bg->stride * bg->height;

    for (i = 0; i < NGX_VIDCAST_BACKGROUND_SAMPLES; i++) {
        bg->gains[i] = bg->gains[i] * gain >> 12;
    }

    for (i = 0; i < size; i++) {
        bg->mean[i] = ngx_min(bg->mean[i] * gain >> 12, 65535);
        bg->past[i] = ngx_min(bg->past[i] * gain >> 12, 255);

        ngx_vidcast_background_limit(bg, i);
    }
}
