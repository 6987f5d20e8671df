
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "predict/motion/ngx_vidcast_background_model.h"


/*
 * Pixels that stand out again and again, as leaves in the wind do, have more
 * than one background: some samples of the last seconds.  Each time one begins
 * to stand out it is more restless, each tick less: from once in two seconds
 * on it stays so.
 */


#define NGX_VIDCAST_BACKGROUND_CAME      16
#define NGX_VIDCAST_BACKGROUND_CALM      4         /* a tick */
#define NGX_VIDCAST_BACKGROUND_RESTLESS  64
#define NGX_VIDCAST_BACKGROUND_KNOWN     2         /* samples */


static ngx_uint_t ngx_vidcast_background_recall_has(
    ngx_vidcast_background_model_t *bg, size_t i);


void
ngx_vidcast_background_recall(ngx_vidcast_background_model_t *bg)
{
    size_t     i, k, n;
    uint64_t   word, came, *raw;

    raw = bg->components->raw;
    n = (size_t) bg->components->words * bg->height;

    for (i = 0; i < n; i++) {
        word = raw[i];
        came = word & ~bg->outside[i];

        bg->outside[i] = word;
        bg->components->weak[i] = 0;

        for ( /* void */ ; came; came &= came - 1) {
            k = i * 64 + __builtin_ctzll(came);
            bg->restless[k] = ngx_min(bg->restless[k]
                                      + NGX_VIDCAST_BACKGROUND_CAME, 255);
        }

        for ( /* void */ ; word; word &= word - 1) {
            k = i * 64 + __builtin_ctzll(word);

            if (bg->restless[k] >= NGX_VIDCAST_BACKGROUND_RESTLESS
                && ngx_vidcast_background_recall_has(bg, k))
            {
                bg->components->weak[i] |= word & -word;
            }
        }

        raw[i] &= ~bg->components->weak[i];
    }
}


static ngx_uint_t
ngx_vidcast_background_recall_has(ngx_vidcast_background_model_t *bg, size_t i)
{
    size_t      size;
    ngx_int_t   change;
    ngx_uint_t  n, known;

    size = bg->stride * bg->height;
    known = 0;

    for (n = 0; n < NGX_VIDCAST_BACKGROUND_SAMPLES; n++) {
        change = bg->current[i] - (ngx_int_t) (bg->samples[n * size + i]
                                               * bg->gains[n] >> 12);

        known += (ngx_abs(change) <= (ngx_int_t) bg->floor);
    }

    return known >= NGX_VIDCAST_BACKGROUND_KNOWN;
}


/* the picture of a tick, and as a sample where no thing is before it */

void
ngx_vidcast_background_remember(ngx_vidcast_background_model_t *bg)
{
    size_t   i, size;
    u_char  *sample;

    size = bg->stride * bg->height;

    ngx_memcpy(bg->past, bg->current, size);

    bg->sample = (bg->sample + 1) % NGX_VIDCAST_BACKGROUND_SAMPLES;
    bg->gains[bg->sample] = 4096;

    sample = bg->samples + bg->sample * size;

    for (i = 0; i < size; i++) {
        if (bg->restless[i] >= NGX_VIDCAST_BACKGROUND_RESTLESS
            || !ngx_vidcast_background_masked(bg, i))
        {
            sample[i] = bg->current[i];
        }

        bg->restless[i] -= ngx_min(bg->restless[i],
                                   NGX_VIDCAST_BACKGROUND_CALM);
    }
}
