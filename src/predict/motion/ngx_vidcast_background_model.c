
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "predict/motion/ngx_vidcast_background_model.h"


/*
 * Each pixel has a running mean and a mean absolute deviation, which begin as
 * median and quartiles of some pictures.  What stands out by more than the
 * threshold and four deviations, in one piece, does not go into them: a shape
 * that moves never becomes background, however slow it is.  Such a piece is
 * given back to the background when it proves to be the place of a thing that
 * has left (the edge is in the background, not in the picture), or when
 * nothing of it has moved for a while.
 */


#define NGX_VIDCAST_BACKGROUND_SAMPLE_TIME  62000      /* us */
#define NGX_VIDCAST_BACKGROUND_TICK         500000     /* us */
#define NGX_VIDCAST_BACKGROUND_PATIENCE     16         /* ticks */

#define NGX_VIDCAST_BACKGROUND_FLOOD        40         /* % of the picture */
#define NGX_VIDCAST_BACKGROUND_FLOODED      3          /* frames */

#define NGX_VIDCAST_BACKGROUND_TOPS         0x8080808080808080


typedef struct {
    uint64_t                contrast;
    uint32_t                edge;           /* in the picture */
    uint32_t                back_edge;      /* in the background */
    uint32_t                moved;          /* pixels, since the last tick */
} ngx_vidcast_background_model_evidence_t;


static void ngx_vidcast_background_model_load(
    ngx_vidcast_background_model_t *bg, ngx_vidcast_image_t *image);
static void ngx_vidcast_background_model_learn(
    ngx_vidcast_background_model_t *bg, uint64_t time);
static void ngx_vidcast_background_model_settle(
    ngx_vidcast_background_model_t *bg);
static void ngx_vidcast_background_model_sort(u_char *v, ngx_uint_t n);
static void ngx_vidcast_background_model_limit(
    ngx_vidcast_background_model_t *bg, size_t i);
static void ngx_vidcast_background_model_compare(
    ngx_vidcast_background_model_t *bg);
static uint64_t ngx_vidcast_background_model_stands_out(const u_char *current,
    const u_char *low, const u_char *high);
static void ngx_vidcast_background_model_judge(
    ngx_vidcast_background_model_t *bg, ngx_uint_t tick);
static void ngx_vidcast_background_model_examine(
    ngx_vidcast_background_model_t *bg, ngx_vidcast_run_t *run,
    ngx_vidcast_background_model_evidence_t *evidence);
static uint32_t ngx_vidcast_background_model_step(
    ngx_vidcast_background_model_t *bg, ngx_vidcast_run_t *run, uint32_t x,
    uint32_t *back);
static void ngx_vidcast_background_model_grow_old(
    ngx_vidcast_background_model_t *bg,
    ngx_vidcast_background_model_evidence_t *evidence);
static void ngx_vidcast_background_model_absorb(
    ngx_vidcast_background_model_t *bg, size_t i);
static void ngx_vidcast_background_model_adapt(
    ngx_vidcast_background_model_t *bg);
static ngx_uint_t ngx_vidcast_background_model_adapt_pixel(
    ngx_vidcast_background_model_t *bg, size_t i);


ngx_vidcast_background_model_t *
ngx_vidcast_background_model_create(uint32_t width, uint32_t height,
    ngx_uint_t threshold, uint32_t min)
{
    size_t                           size;
    u_char                          *p;
    ngx_vidcast_background_model_t  *bg;

    bg = calloc(1, sizeof(ngx_vidcast_background_model_t));
    if (bg == NULL) {
        return NULL;
    }

    bg->width = width;
    bg->height = height;
    bg->stride = ngx_align(width, 64);
    bg->threshold = threshold;
    bg->min = min;

    size = bg->stride * height;

    p = calloc(size, 2 * sizeof(int16_t) + 5 + NGX_VIDCAST_BACKGROUND_SAMPLES);

    bg->block = p;
    bg->components = ngx_vidcast_components_create(width, height);

    if (p == NULL || bg->components == NULL) {
        ngx_vidcast_background_model_destroy(bg);
        return NULL;
    }

    bg->mean = (int16_t *) p;
    bg->deviation = bg->mean + size;

    p += 2 * sizeof(int16_t) * size;

    bg->current = p;
    bg->low = p + size;
    bg->high = p + 2 * size;
    bg->past = p + 3 * size;
    bg->age = p + 4 * size;
    bg->samples = p + 5 * size;

    return bg;
}


void
ngx_vidcast_background_model_destroy(ngx_vidcast_background_model_t *bg)
{
    if (bg->components) {
        ngx_vidcast_components_destroy(bg->components);
    }

    free(bg->block);
    free(bg);
}


ngx_int_t
ngx_vidcast_background_model_update(ngx_vidcast_background_model_t *bg,
    ngx_vidcast_image_t *image, uint64_t time)
{
    uint64_t    count;
    ngx_uint_t  tick;

    ngx_vidcast_background_model_load(bg, image);

    if (bg->nsamples < NGX_VIDCAST_BACKGROUND_SAMPLES) {
        ngx_vidcast_background_model_learn(bg, time);
        return NGX_AGAIN;
    }

    ngx_vidcast_background_model_compare(bg);

    count = ngx_vidcast_components_count(bg->components);

    if (count * 100 > (uint64_t) bg->width * bg->height
                      * NGX_VIDCAST_BACKGROUND_FLOOD)
    {
        /* the light was switched, or the camera turned */

        if (++bg->flooded == NGX_VIDCAST_BACKGROUND_FLOODED) {
            bg->nsamples = 0;
            bg->sampled = 0;
        }

        return NGX_AGAIN;
    }

    bg->flooded = 0;

    ngx_vidcast_components_find(bg->components, bg->min);

    tick = (time - bg->tick >= NGX_VIDCAST_BACKGROUND_TICK);

    ngx_vidcast_background_model_judge(bg, tick);
    ngx_vidcast_background_model_adapt(bg);

    if (tick) {
        ngx_memcpy(bg->past, bg->current, bg->stride * bg->height);
        bg->tick = time;
    }

    return NGX_OK;
}


/* planes are whole words wide; what is beyond the picture stays zero */

static void
ngx_vidcast_background_model_load(ngx_vidcast_background_model_t *bg,
    ngx_vidcast_image_t *image)
{
    uint32_t  y;

    for (y = 0; y < bg->height; y++) {
        ngx_memcpy(bg->current + y * bg->stride,
                   image->plane[0] + (size_t) y * image->stride[0],
                   bg->width);
    }
}


static void
ngx_vidcast_background_model_learn(ngx_vidcast_background_model_t *bg,
    uint64_t time)
{
    size_t  size;

    if (bg->nsamples > 0
        && time - bg->sampled < NGX_VIDCAST_BACKGROUND_SAMPLE_TIME)
    {
        return;
    }

    size = bg->stride * bg->height;

    ngx_memcpy(bg->samples + bg->nsamples * size, bg->current, size);

    bg->sampled = time;
    bg->nsamples++;

    if (bg->nsamples < NGX_VIDCAST_BACKGROUND_SAMPLES) {
        return;
    }

    ngx_vidcast_background_model_settle(bg);

    ngx_memcpy(bg->past, bg->current, size);
    ngx_memzero(bg->age, size);

    bg->tick = time;
    bg->flooded = 0;
}


static void
ngx_vidcast_background_model_settle(ngx_vidcast_background_model_t *bg)
{
    size_t      i, size;
    u_char      v[NGX_VIDCAST_BACKGROUND_SAMPLES];
    uint64_t    sum;
    ngx_uint_t  n, quarter;

    quarter = NGX_VIDCAST_BACKGROUND_SAMPLES / 4;
    size = bg->stride * bg->height;
    sum = 0;

    for (i = 0; i < size; i++) {
        for (n = 0; n < NGX_VIDCAST_BACKGROUND_SAMPLES; n++) {
            v[n] = bg->samples[n * size + i];
        }

        ngx_vidcast_background_model_sort(v, NGX_VIDCAST_BACKGROUND_SAMPLES);

        bg->mean[i] = 64 * (v[2 * quarter - 1] + v[2 * quarter]);

        /* of normal noise the deviation is 0.59 of the way from 1/4 to 3/4 */

        bg->deviation[i] = 76 * (v[3 * quarter] - v[quarter - 1]);

        sum += bg->deviation[i];
    }

    bg->floor = ngx_max(bg->threshold,
                        sum * 4 / 128 / ((size_t) bg->width * bg->height) + 1);

    for (i = 0; i < size; i++) {
        ngx_vidcast_background_model_limit(bg, i);
    }
}


static void
ngx_vidcast_background_model_sort(u_char *v, ngx_uint_t n)
{
    u_char      c;
    ngx_uint_t  i, j;

    for (i = 1; i < n; i++) {
        c = v[i];

        for (j = i; j > 0 && v[j - 1] > c; j--) {
            v[j] = v[j - 1];
        }

        v[j] = c;
    }
}


static void
ngx_vidcast_background_model_limit(ngx_vidcast_background_model_t *bg, size_t i)
{
    ngx_int_t  back, limit;

    back = (bg->mean[i] + 64) >> 7;
    limit = bg->deviation[i] >> 5;
    limit = ngx_max(limit, (ngx_int_t) bg->floor);

    bg->low[i] = ngx_max(back - limit, 0);
    bg->high[i] = ngx_min(back + limit, 255);
}


static void
ngx_vidcast_background_model_compare(ngx_vidcast_background_model_t *bg)
{
    size_t      n, i, j;
    uint64_t    word;
    ngx_uint_t  k;

    n = (size_t) bg->components->words * bg->height;

    for (i = 0, j = 0; i < n; i++) {
        word = 0;

        for (k = 0; k < 64; k += 8, j += 8) {
            word |= ngx_vidcast_background_model_stands_out(bg->current + j,
                                                            bg->low + j,
                                                            bg->high + j)
                    << k;
        }

        bg->components->raw[i] = word;
    }
}


/*
 * One bit for each of eight pixels.  With the top bits out of the way (one is
 * set in what is subtracted from) bytes subtract without a borrow from the
 * next; a product gathers the eight top bits of the outcome.
 */

static ngx_inline uint64_t
ngx_vidcast_background_model_stands_out(const u_char *current,
    const u_char *low, const u_char *high)
{
    uint64_t  c, l, h, t, below, above;

    ngx_memcpy(&c, current, 8);
    ngx_memcpy(&l, low, 8);
    ngx_memcpy(&h, high, 8);

    t = NGX_VIDCAST_BACKGROUND_TOPS;

    below = (c & ~l) | (~(c ^ l) & ((c | t) - (l & ~t)));
    above = (h & ~c) | (~(h ^ c) & ((h | t) - (c & ~t)));

    c = ~(below & above) & t;

#if !(NGX_HAVE_LITTLE_ENDIAN)
    c = __builtin_bswap64(c);
#endif

    return (c >> 7) * 0x0102040810204080 >> 56;
}


static void
ngx_vidcast_background_model_judge(ngx_vidcast_background_model_t *bg,
    ngx_uint_t tick)
{
    size_t                                    row;
    uint32_t                                  i, x;
    ngx_uint_t                                n;
    ngx_vidcast_run_t                        *run;
    ngx_vidcast_components_t                 *rs;
    ngx_vidcast_background_model_evidence_t  *e;
    ngx_vidcast_background_model_evidence_t
        evidence[NGX_VIDCAST_COMPONENTS_MAX];

    rs = bg->components;

    ngx_memzero(evidence, rs->ncomponents * sizeof(evidence[0]));

    for (i = 0; i < rs->nruns; i++) {
        if (rs->runs[i].component != NGX_VIDCAST_COMPONENTS_NONE) {
            ngx_vidcast_background_model_examine(
                bg, &rs->runs[i], &evidence[rs->runs[i].component]);
        }
    }

    if (tick) {
        ngx_vidcast_background_model_grow_old(bg, evidence);
    }

    for (n = 0; n < rs->ncomponents; n++) {
        bg->contrast[n] = evidence[n].contrast / rs->components[n].pixels;
    }

    for (i = 0; i < rs->nruns; i++) {
        run = &rs->runs[i];

        if (run->component == NGX_VIDCAST_COMPONENTS_NONE) {
            continue;
        }

        e = &evidence[run->component];

        if (e->back_edge <= 2 * e->edge) {
            continue;
        }

        rs->components[run->component].pixels = 0;

        row = run->y * bg->stride;

        for (x = run->x; x < run->end; x++) {
            ngx_vidcast_background_model_absorb(bg, row + x);
        }
    }
}


static void
ngx_vidcast_background_model_examine(ngx_vidcast_background_model_t *bg,
    ngx_vidcast_run_t *run, ngx_vidcast_background_model_evidence_t *evidence)
{
    size_t     i, last;
    uint32_t   back;
    ngx_int_t  change;

    i = run->y * bg->stride + run->x;
    last = run->y * bg->stride + run->end;

    for ( /* void */ ; i < last; i++) {
        evidence->contrast += ngx_abs(bg->current[i]
                                      - ((bg->mean[i] + 64) >> 7));

        change = bg->current[i] - bg->past[i];

        if (ngx_abs(change) * 2 > bg->high[i] - bg->low[i]) {
            evidence->moved++;
        }
    }

    evidence->edge += ngx_vidcast_background_model_step(bg, run, run->x, &back);
    evidence->back_edge += back;

    evidence->edge += ngx_vidcast_background_model_step(bg, run, run->end,
                                                        &back);
    evidence->back_edge += back;
}


/* how high a step picture and background have across column x */

static uint32_t
ngx_vidcast_background_model_step(ngx_vidcast_background_model_t *bg,
    ngx_vidcast_run_t *run, uint32_t x, uint32_t *back)
{
    size_t     i;
    ngx_int_t  step;

    *back = 0;

    if (x < 2 || x + 2 > bg->width) {
        return 0;
    }

    i = run->y * bg->stride + x;

    step = (bg->mean[i + 1] - bg->mean[i - 2]) / 128;
    *back = ngx_abs(step);

    step = bg->current[i + 1] - bg->current[i - 2];

    return ngx_abs(step);
}


/*
 * A component where fewer than one pixel in 50 have changed since the last tick
 * stands still: its pixels grow older.  All others are young again.
 */

static void
ngx_vidcast_background_model_grow_old(ngx_vidcast_background_model_t *bg,
    ngx_vidcast_background_model_evidence_t *evidence)
{
    size_t                     i, n, size;
    uint32_t                   x;
    ngx_vidcast_run_t         *run;
    ngx_vidcast_components_t  *rs;

    rs = bg->components;
    size = bg->stride * bg->height;

    for (i = 0; i < size; i++) {
        if ((rs->mask[i / 64] >> i % 64 & 1) == 0) {
            bg->age[i] = 0;
        }
    }

    for (n = 0; n < rs->nruns; n++) {
        run = &rs->runs[n];

        for (x = run->x; x < run->end; x++) {
            i = run->y * bg->stride + x;

            if (run->component != NGX_VIDCAST_COMPONENTS_NONE
                && evidence[run->component].moved * 50
                   > rs->components[run->component].pixels)
            {
                bg->age[i] = 0;

            } else if (++bg->age[i] == NGX_VIDCAST_BACKGROUND_PATIENCE) {
                bg->age[i] = 0;
                ngx_vidcast_background_model_absorb(bg, i);
            }
        }
    }
}


static void
ngx_vidcast_background_model_absorb(ngx_vidcast_background_model_t *bg,
    size_t i)
{
    bg->mean[i] = bg->current[i] * 128;
    bg->deviation[i] = 0;

    ngx_vidcast_background_model_limit(bg, i);
}


/* every other row of the picture, in turn, but for the components */

static void
ngx_vidcast_background_model_adapt(ngx_vidcast_background_model_t *bg)
{
    size_t      i, last;
    uint32_t    y, w;
    uint64_t    sum, count, bits;

    sum = 0;
    count = 0;

    bg->turn ^= 1;

    for (y = bg->turn; y < bg->height; y += 2) {
        for (w = 0; w < bg->components->words; w++) {

            bits = bg->components
                       ->grown[(size_t) y * bg->components->words + w];

            i = y * bg->stride + w * 64;
            last = y * bg->stride + ngx_min(w * 64 + 64, bg->width);

            for ( /* void */ ; i < last; i++, bits >>= 1) {
                if ((bits & 1) == 0) {
                    sum += ngx_vidcast_background_model_adapt_pixel(bg, i);
                    count++;
                }
            }
        }
    }

    if (count) {
        bg->floor = ngx_max(bg->threshold, sum * 4 / 128 / count + 1);
    }
}


static ngx_inline ngx_uint_t
ngx_vidcast_background_model_adapt_pixel(ngx_vidcast_background_model_t *bg,
    size_t i)
{
    int  change, deviation;

    change = bg->current[i] * 128 - bg->mean[i];

    bg->mean[i] += (change + 8) >> 4;

    deviation = bg->deviation[i];
    deviation += (ngx_abs(change) - deviation + 16) >> 5;

    bg->deviation[i] = deviation;

    ngx_vidcast_background_model_limit(bg, i);

    return deviation;
}
