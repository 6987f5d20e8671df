
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <math.h>

#include "predict/motion/ngx_vidcast_background_model.h"


/*
 * Each pixel has a running mean and a mean absolute deviation, which begin as
 * median and quartiles of some pictures.  What stands out by more than the
 * threshold and four deviations, in one piece, does not go into them: a shape
 * that moves never becomes background, however slow it is.
 */


#define NGX_VIDCAST_BACKGROUND_SAMPLE_TIME  62000      /* us */
#define NGX_VIDCAST_BACKGROUND_TICK         500000     /* us */

#define NGX_VIDCAST_BACKGROUND_FLOOD        40         /* % of the picture */
#define NGX_VIDCAST_BACKGROUND_FLOODED      3          /* frames */

#define NGX_VIDCAST_BACKGROUND_DEVIATIONS   (76 * 255 / 64 + 1)

#define NGX_VIDCAST_BACKGROUND_TOPS         0x8080808080808080


static void ngx_vidcast_background_model_load(
    ngx_vidcast_background_model_t *bg, ngx_vidcast_image_t *image);
static void ngx_vidcast_background_model_soften(
    ngx_vidcast_background_model_t *bg, const u_char *above,
    const u_char *line, const u_char *below, u_char *out);
static void ngx_vidcast_background_model_blend(const u_char *one,
    const u_char *middle, const u_char *two, u_char *out);
static void ngx_vidcast_background_model_learn(
    ngx_vidcast_background_model_t *bg, uint64_t time);
static void ngx_vidcast_background_model_settle(
    ngx_vidcast_background_model_t *bg);
static void ngx_vidcast_background_model_focus(
    ngx_vidcast_background_model_t *bg);
static void ngx_vidcast_background_model_sort(u_char *v, ngx_uint_t n);
static void ngx_vidcast_background_model_compare(
    ngx_vidcast_background_model_t *bg);
static uint64_t ngx_vidcast_background_model_stands_out(const u_char *current,
    const u_char *low, const u_char *high);
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
    ngx_uint_t                       i;
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

    p = calloc(size * (2 * sizeof(int16_t) + 6 + NGX_VIDCAST_BACKGROUND_SAMPLES)
               + size / 8 + bg->stride + 16, 1);

    bg->block = p;
    bg->components = ngx_vidcast_components_create(width, height);

    if (p == NULL || bg->components == NULL) {
        ngx_vidcast_background_model_destroy(bg);
        return NULL;
    }

    for (i = 1; i < 256; i++) {
        bg->logs[i] = lround(log2(i) * 256);
    }

    bg->mean = (uint16_t *) p;
    bg->deviation = (int16_t *) (bg->mean + size);

    p += 2 * sizeof(int16_t) * size;

    bg->current = p;
    bg->low = p + size;
    bg->high = p + 2 * size;
    bg->past = p + 3 * size;
    bg->age = p + 4 * size;
    bg->samples = p + 5 * size;
    bg->restless = p + (5 + NGX_VIDCAST_BACKGROUND_SAMPLES) * size;
    bg->outside = (uint64_t *) (bg->restless + size);
    bg->row = bg->restless + size + size / 8;

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

    ngx_vidcast_background_light(bg);
    ngx_vidcast_background_model_compare(bg);
    ngx_vidcast_background_recall(bg);

    count = ngx_vidcast_components_count(bg->components);

    if (count * 100 > (uint64_t) bg->width * bg->height
                      * NGX_VIDCAST_BACKGROUND_FLOOD)
    {
        /* the light was switched, or the camera turned */

        if (++bg->flooded == NGX_VIDCAST_BACKGROUND_FLOODED) {
            bg->nsamples = 0;
        }

        return NGX_AGAIN;
    }

    bg->flooded = 0;

    ngx_vidcast_components_find(bg->components, bg->min);

    tick = (time - bg->tick >= NGX_VIDCAST_BACKGROUND_TICK);

    ngx_vidcast_background_judge(bg, tick);
    ngx_vidcast_background_model_adapt(bg);
    ngx_vidcast_background_model_focus(bg);

    if (tick) {
        ngx_vidcast_background_remember(bg);
        bg->tick = time;
    }

    return NGX_OK;
}


/* planes are whole words wide; what is beyond the picture stays zero */

static void
ngx_vidcast_background_model_load(ngx_vidcast_background_model_t *bg,
    ngx_vidcast_image_t *image)
{
    u_char    *line, *above, *below, *current;
    uint32_t   y;

    for (y = 0; y < bg->height; y++) {
        line = image->plane[0] + (size_t) y * image->stride[0];
        current = bg->current + y * bg->stride;

        if (!bg->soft) {
            ngx_memcpy(current, line, bg->width);
            continue;
        }

        above = (y > 0) ? line - image->stride[0] : line;
        below = (y + 1 < bg->height) ? line + image->stride[0] : line;

        ngx_vidcast_background_model_soften(bg, above, line, below, current);
    }
}


/*
 * A row without most of its noise: a pixel counts for a quarter, its neighbors
 * for the rest, the nearer ones for more.
 */

static void
ngx_vidcast_background_model_soften(ngx_vidcast_background_model_t *bg,
    const u_char *above, const u_char *line, const u_char *below, u_char *out)
{
    u_char    *row;
    uint32_t   x;

    row = bg->row + 8;

    for (x = 0; x + 8 <= bg->width; x += 8) {
        ngx_vidcast_background_model_blend(above + x, line + x, below + x,
                                           row + x);
    }

    for ( /* void */ ; x < bg->width; x++) {
        row[x] = (((above[x] + below[x]) >> 1) + line[x]) >> 1;
    }

    row[-1] = row[0];
    row[x] = row[x - 1];

    for (x = 0; x < bg->stride; x += 8) {
        ngx_vidcast_background_model_blend(row + x - 1, row + x, row + x + 1,
                                           out + x);
    }

    ngx_memzero(out + bg->width, bg->stride - bg->width);
}


/* of eight pixels each: averages of the outer ones, then with the middle */

static ngx_inline void
ngx_vidcast_background_model_blend(const u_char *one, const u_char *middle,
    const u_char *two, u_char *out)
{
    uint64_t  a, b, m;

    ngx_memcpy(&a, one, 8);
    ngx_memcpy(&b, two, 8);
    ngx_memcpy(&m, middle, 8);

    a = (a & b) + (((a ^ b) >> 1) & ~NGX_VIDCAST_BACKGROUND_TOPS);
    a = (a & m) + (((a ^ m) >> 1) & ~NGX_VIDCAST_BACKGROUND_TOPS);

    ngx_memcpy(out, &a, 8);
}


static void
ngx_vidcast_background_model_learn(ngx_vidcast_background_model_t *bg,
    uint64_t time)
{
    size_t  i, size;

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
    ngx_vidcast_background_model_focus(bg);

    ngx_memcpy(bg->past, bg->current, size);
    ngx_memzero(bg->age, size);
    ngx_memzero(bg->restless, size);
    ngx_memzero(bg->outside, size / 8);

    for (i = 0; i < NGX_VIDCAST_BACKGROUND_SAMPLES; i++) {
        bg->gains[i] = 4096;
    }

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
    uint32_t    counts[NGX_VIDCAST_BACKGROUND_DEVIATIONS];

    ngx_memzero(counts, sizeof(counts));

    quarter = NGX_VIDCAST_BACKGROUND_SAMPLES / 4;
    size = bg->stride * bg->height;

    for (i = 0; i < size; i++) {
        for (n = 0; n < NGX_VIDCAST_BACKGROUND_SAMPLES; n++) {
            v[n] = bg->samples[n * size + i];
        }

        ngx_vidcast_background_model_sort(v, NGX_VIDCAST_BACKGROUND_SAMPLES);

        bg->mean[i] = 64 * (v[2 * quarter - 1] + v[2 * quarter]);

        /*
         * Of normal noise the deviation is 0.59 of the way from 1/4 to 3/4.
         * Where a thing has passed by, one half of it is too long.
         */

        bg->deviation[i] = 76 * 2 * ngx_min(v[3 * quarter] - v[2 * quarter],
                                            v[2 * quarter - 1]
                                            - v[quarter - 1]);

        counts[bg->deviation[i] / 64]++;
    }

    /* the median; what is beyond the picture has none */

    counts[0] -= size - (size_t) bg->width * bg->height;

    for (n = 0, sum = 0; 2 * sum < (size_t) bg->width * bg->height; n++) {
        sum += counts[n];
    }

    bg->noise = n * 64;
    bg->floor = ngx_max(bg->threshold, bg->noise * 4 / 128 + 1);

    for (i = 0; i < size; i++) {
        ngx_vidcast_background_limit(bg, i);
    }
}


/* pictures are softened where noise would hide things, and learned anew then */

static void
ngx_vidcast_background_model_focus(ngx_vidcast_background_model_t *bg)
{
    ngx_uint_t  limit;

    limit = bg->threshold * 128;

    if (bg->soft ? bg->noise * 12 < limit : bg->noise * 8 > limit * 3) {
        bg->soft = !bg->soft;
        bg->nsamples = 0;
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


/* every other row of the picture, in turn, but for the components */

static void
ngx_vidcast_background_model_adapt(ngx_vidcast_background_model_t *bg)
{
    size_t      i, last;
    uint32_t    y, w;
    uint64_t    bits;
    ngx_uint_t  above, count;

    above = 0;
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
                    above += (ngx_vidcast_background_model_adapt_pixel(bg, i)
                              > bg->noise);
                    count++;
                }
            }
        }
    }

    if (count == 0) {
        return;
    }

    /* the noise is the median of all deviations, or soon will be */

    if (2 * above > count) {
        bg->noise += bg->noise / 16 + 1;

    } else {
        bg->noise -= bg->noise / 16;
    }

    bg->floor = ngx_max(bg->threshold, bg->noise * 4 / 128 + 1);
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

    ngx_vidcast_background_limit(bg, i);

    return deviation;
}
