
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "predict/motion/ngx_vidcast_components.h"


/* pixels between pieces of one thing: things are higher than wide */

#define NGX_VIDCAST_COMPONENTS_GAP_X  4
#define NGX_VIDCAST_COMPONENTS_GAP_Y  8

#define NGX_VIDCAST_COMPONENTS_PART   2        /* a half of the least area */


static void ngx_vidcast_components_grow(ngx_vidcast_components_t *rs);
static void ngx_vidcast_components_spread(ngx_vidcast_components_t *rs,
    const uint64_t *src, uint64_t *dst, uint64_t invert);
static uint64_t ngx_vidcast_components_column(ngx_vidcast_components_t *rs,
    const uint64_t *src, uint32_t y, uint32_t w, uint64_t invert);
static uint64_t ngx_vidcast_components_valid(ngx_vidcast_components_t *rs,
    uint32_t w);
static void ngx_vidcast_components_scan(ngx_vidcast_components_t *rs,
    uint32_t y);
static uint32_t ngx_vidcast_components_next(const uint64_t *row, uint32_t x,
    uint32_t width, uint64_t invert);
static void ngx_vidcast_components_join_rows(ngx_vidcast_components_t *rs,
    uint32_t a, uint32_t b);
static uint32_t ngx_vidcast_components_root(ngx_vidcast_components_t *rs,
    uint32_t i);
static void ngx_vidcast_components_join(ngx_vidcast_components_t *rs,
    uint32_t i, uint32_t j);
static void ngx_vidcast_components_measure(ngx_vidcast_components_t *rs);
static void ngx_vidcast_components_filter(ngx_vidcast_components_t *rs,
    uint32_t min);


ngx_vidcast_components_t *
ngx_vidcast_components_create(uint32_t width, uint32_t height)
{
    size_t                     size, max;
    uint64_t                  *p;
    ngx_vidcast_components_t  *rs;

    rs = calloc(1, sizeof(ngx_vidcast_components_t));
    if (rs == NULL) {
        return NULL;
    }

    rs->width = width;
    rs->height = height;
    rs->words = (width + 63) / 64;

    size = (size_t) rs->words * height;

    max = (size_t) (width / 2 + 1) * height;

    p = calloc(5 * size, sizeof(uint64_t));

    rs->raw = p;
    rs->runs = malloc(max * sizeof(ngx_vidcast_run_t));
    rs->rows = malloc((height + 1) * sizeof(uint32_t));

    if (p == NULL || rs->runs == NULL || rs->rows == NULL) {
        ngx_vidcast_components_destroy(rs);
        return NULL;
    }

    rs->mask = p + size;
    rs->grown = p + 2 * size;
    rs->work = p + 3 * size;
    rs->weak = p + 4 * size;

    return rs;
}


void
ngx_vidcast_components_destroy(ngx_vidcast_components_t *rs)
{
    free(rs->raw);
    free(rs->runs);
    free(rs->rows);
    free(rs);
}


uint32_t
ngx_vidcast_components_count(ngx_vidcast_components_t *rs)
{
    size_t    i, n;
    uint32_t  count;
    uint64_t  v;

    n = (size_t) rs->words * rs->height;
    count = 0;

    for (i = 0; i < n; i++) {
        v = rs->raw[i];

        v -= (v >> 1) & 0x5555555555555555;
        v = (v & 0x3333333333333333) + ((v >> 2) & 0x3333333333333333);
        v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0f;

        count += v * 0x0101010101010101 >> 56;
    }

    return count;
}


void
ngx_vidcast_components_find(ngx_vidcast_components_t *rs, uint32_t min)
{
    size_t    n;
    uint32_t  y, i;

    /* zeros spread, then ones again: what was thin does not come back */

    ngx_vidcast_components_spread(rs, rs->raw, rs->work, (uint64_t) -1);
    ngx_vidcast_components_spread(rs, rs->work, rs->mask, 0);

    ngx_vidcast_components_grow(rs);

    n = (size_t) rs->words * rs->height;

    for (i = 0; i < n; i++) {
        rs->mask[i] |= rs->grown[i] & rs->weak[i];
    }

    ngx_vidcast_components_grow(rs);

    rs->nruns = 0;

    for (y = 0; y < rs->height; y++) {
        rs->rows[y] = rs->nruns;

        ngx_vidcast_components_scan(rs, y);

        rs->rows[y + 1] = rs->nruns;

        for (i = 1; i <= NGX_VIDCAST_COMPONENTS_GAP_Y + 1 && i <= y; i++) {
            ngx_vidcast_components_join_rows(rs, y, y - i);
        }
    }

    ngx_vidcast_components_measure(rs);
    ngx_vidcast_components_filter(rs, min);
}


static void
ngx_vidcast_components_grow(ngx_vidcast_components_t *rs)
{
    ngx_vidcast_components_spread(rs, rs->mask, rs->work, 0);
    ngx_vidcast_components_spread(rs, rs->work, rs->grown, 0);
}


/* ones grow to all eight neighbors; with "invert", zeros do */

static void
ngx_vidcast_components_spread(ngx_vidcast_components_t *rs, const uint64_t *src,
    uint64_t *dst, uint64_t invert)
{
    uint32_t  y, w;
    uint64_t  left, word, right, valid;

    for (y = 0; y < rs->height; y++) {
        left = 0;
        word = ngx_vidcast_components_column(rs, src, y, 0, invert);

        for (w = 0; w < rs->words; w++) {
            right = (w + 1 < rs->words)
                    ? ngx_vidcast_components_column(rs, src, y, w + 1, invert)
                    : 0;

            valid = ngx_vidcast_components_valid(rs, w);

            *dst++ = ((word | word << 1 | word >> 1 | left >> 63
                       | right << 63)
                      ^ invert)
                     & valid;

            left = word;
            word = right;
        }
    }
}


/* a word of a row, with those above and below it */

static uint64_t
ngx_vidcast_components_column(ngx_vidcast_components_t *rs, const uint64_t *src,
    uint32_t y, uint32_t w, uint64_t invert)
{
    uint64_t  word;

    src += (size_t) y * rs->words + w;

    word = *src ^ invert;

    if (y > 0) {
        word |= *(src - rs->words) ^ invert;
    }

    if (y + 1 < rs->height) {
        word |= *(src + rs->words) ^ invert;
    }

    return word & ngx_vidcast_components_valid(rs, w);
}


static uint64_t
ngx_vidcast_components_valid(ngx_vidcast_components_t *rs, uint32_t w)
{
    if (w + 1 < rs->words || rs->width % 64 == 0) {
        return (uint64_t) -1;
    }

    return ((uint64_t) 1 << rs->width % 64) - 1;
}


static void
ngx_vidcast_components_scan(ngx_vidcast_components_t *rs, uint32_t y)
{
    uint32_t            x, end;
    const uint64_t     *row;
    ngx_vidcast_run_t  *run;

    row = rs->mask + (size_t) y * rs->words;

    for (x = ngx_vidcast_components_next(row, 0, rs->width, 0);
         x < rs->width;
         x = ngx_vidcast_components_next(row, end, rs->width, 0))
    {
        end = ngx_vidcast_components_next(row, x, rs->width, (uint64_t) -1);

        run = &rs->runs[rs->nruns];

        run->x = x;
        run->end = end;
        run->y = y;
        run->parent = rs->nruns;

        if (rs->nruns > rs->rows[y]
            && x - run[-1].end <= NGX_VIDCAST_COMPONENTS_GAP_X)
        {
            run->parent = rs->nruns - 1;
        }

        rs->nruns++;
    }
}


/* the first one (with "invert": zero) from x on, or the width */

static uint32_t
ngx_vidcast_components_next(const uint64_t *row, uint32_t x, uint32_t width,
    uint64_t invert)
{
    uint64_t  word;

    if (x >= width) {
        return width;
    }

    word = (row[x / 64] ^ invert) & ((uint64_t) -1 << x % 64);

    while (word == 0) {
        x = (x / 64 + 1) * 64;

        if (x >= width) {
            return width;
        }

        word = row[x / 64] ^ invert;
    }

    x = x / 64 * 64 + __builtin_ctzll(word);

    return ngx_min(x, width);
}


/* both rows are in order: whichever run ends first has met all it can meet */

static void
ngx_vidcast_components_join_rows(ngx_vidcast_components_t *rs, uint32_t a,
    uint32_t b)
{
    uint32_t            i, j;
    ngx_vidcast_run_t  *runs;

    i = rs->rows[a];
    j = rs->rows[b];
    runs = rs->runs;

    while (i < rs->rows[a + 1] && j < rs->rows[b + 1]) {

        if (runs[i].x <= runs[j].end + NGX_VIDCAST_COMPONENTS_GAP_X
            && runs[j].x <= runs[i].end + NGX_VIDCAST_COMPONENTS_GAP_X)
        {
            ngx_vidcast_components_join(rs, i, j);
        }

        if (runs[i].end < runs[j].end) {
            i++;

        } else {
            j++;
        }
    }
}


static uint32_t
ngx_vidcast_components_root(ngx_vidcast_components_t *rs, uint32_t i)
{
    ngx_vidcast_run_t  *runs;

    runs = rs->runs;

    while (runs[i].parent != i) {
        runs[i].parent = runs[runs[i].parent].parent;
        i = runs[i].parent;
    }

    return i;
}


/* the earlier root wins, so that a root comes before all of its runs */

static void
ngx_vidcast_components_join(ngx_vidcast_components_t *rs, uint32_t i,
    uint32_t j)
{
    i = ngx_vidcast_components_root(rs, i);
    j = ngx_vidcast_components_root(rs, j);

    if (i < j) {
        rs->runs[j].parent = i;

    } else {
        rs->runs[i].parent = j;
    }
}


static void
ngx_vidcast_components_measure(ngx_vidcast_components_t *rs)
{
    uint32_t                  i, root;
    ngx_vidcast_run_t        *run;
    ngx_vidcast_component_t  *component;

    rs->ncomponents = 0;

    for (i = 0; i < rs->nruns; i++) {
        run = &rs->runs[i];
        root = ngx_vidcast_components_root(rs, i);

        if (root == i) {
            run->component = NGX_VIDCAST_COMPONENTS_NONE;

            if (rs->ncomponents == NGX_VIDCAST_COMPONENTS_MAX) {
                continue;
            }

            run->component = rs->ncomponents;

            component = &rs->components[rs->ncomponents++];

            component->x = run->x;
            component->y = run->y;
            component->right = run->end;
            component->bottom = run->y + 1;
            component->pixels = run->end - run->x;

            continue;
        }

        run->component = rs->runs[root].component;

        if (run->component == NGX_VIDCAST_COMPONENTS_NONE) {
            continue;
        }

        component = &rs->components[run->component];

        component->x = ngx_min(component->x, run->x);
        component->right = ngx_max(component->right, run->end);
        component->bottom = run->y + 1;
        component->pixels += run->end - run->x;
    }
}


static void
ngx_vidcast_components_filter(ngx_vidcast_components_t *rs, uint32_t min)
{
    uint32_t                  i, width, height;
    uint32_t                  map[NGX_VIDCAST_COMPONENTS_MAX];
    ngx_uint_t                n, kept;
    ngx_vidcast_run_t        *run;
    ngx_vidcast_component_t  *component;

    kept = 0;

    for (n = 0; n < rs->ncomponents; n++) {
        component = &rs->components[n];

        width = component->right - component->x + NGX_VIDCAST_COMPONENTS_GAP_X;
        height = component->bottom - component->y
                 + NGX_VIDCAST_COMPONENTS_GAP_Y;

        if ((uint64_t) width * height < min
            || component->pixels * NGX_VIDCAST_COMPONENTS_PART < min)
        {
            map[n] = NGX_VIDCAST_COMPONENTS_NONE;
            continue;
        }

        map[n] = kept;
        rs->components[kept++] = rs->components[n];
    }

    rs->ncomponents = kept;

    for (i = 0; i < rs->nruns; i++) {
        run = &rs->runs[i];

        if (run->component != NGX_VIDCAST_COMPONENTS_NONE) {
            run->component = map[run->component];
        }
    }
}
