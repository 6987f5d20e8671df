
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "input/synthetic/ngx_vidcast_test_background.h"


#define NGX_VIDCAST_TEST_BACKGROUND_HILLS  3


typedef struct {
    uint32_t                    width;
    uint32_t                    height;
    float                      *ridges;    /* y by hill and column */
} ngx_vidcast_test_background_t;


static void ngx_vidcast_test_background_ridges(
    ngx_vidcast_test_background_t *bd);
static void ngx_vidcast_test_background_color(
    ngx_vidcast_test_background_t *bd, uint32_t x, uint32_t y, float *rgb);
static float ngx_vidcast_test_background_texture(
    ngx_vidcast_test_background_t *bd, uint32_t x, uint32_t y);
static float ngx_vidcast_test_background_fractal(float x, float y,
    uint32_t seed);
static float ngx_vidcast_test_background_value(float x, float y, uint32_t seed);


ngx_int_t
ngx_vidcast_test_background_draw(ngx_vidcast_image_t *image)
{
    float                          rgb[3], luma;
    size_t                         offset;
    u_char                         chroma[2];
    uint32_t                       x, y;
    ngx_vidcast_test_background_t  bd;

    bd.width = image->width;
    bd.height = image->height;

    bd.ridges = malloc(bd.width * NGX_VIDCAST_TEST_BACKGROUND_HILLS
                       * sizeof(float));
    if (bd.ridges == NULL) {
        return NGX_ERROR;
    }

    ngx_vidcast_test_background_ridges(&bd);

    for (y = 0; y < bd.height; y++) {
        for (x = 0; x < bd.width; x++) {
            ngx_vidcast_test_background_color(&bd, x, y, rgb);

            luma = 0.299f * rgb[0] + 0.587f * rgb[1] + 0.114f * rgb[2]
                   + ngx_vidcast_test_background_texture(&bd, x, y);

            luma = ngx_max(luma, 0);
            luma = ngx_min(luma, 255);

            image->plane[0][(size_t) y * image->stride[0] + x] = luma + 0.5f;

            if ((x & 1) || (y & 1)) {
                continue;
            }

            ngx_vidcast_test_background_chroma(rgb, chroma);

            offset = (size_t) (y / 2) * image->stride[1] + x / 2;
            image->plane[1][offset] = chroma[0];

            offset = (size_t) (y / 2) * image->stride[2] + x / 2;
            image->plane[2][offset] = chroma[1];
        }
    }

    free(bd.ridges);

    return NGX_OK;
}


static void
ngx_vidcast_test_background_ridges(ngx_vidcast_test_background_t *bd)
{
    float       u, rise;
    uint32_t    x;
    ngx_uint_t  n;

    for (n = 0; n < NGX_VIDCAST_TEST_BACKGROUND_HILLS; n++) {
        for (x = 0; x < bd->width; x++) {
            u = (float) x / bd->height * (3.4f - 0.8f * n);
            rise = ngx_vidcast_test_background_fractal(u, 0, 20 + 4 * n);

            bd->ridges[n * bd->width + x] =
                              bd->height * (0.58f + 0.14f * n + 0.11f * rise);
        }
    }
}


/* an evening sky over hills, the nearer the darker, with mist between them */

static void
ngx_vidcast_test_background_color(ngx_vidcast_test_background_t *bd,
    uint32_t x, uint32_t y, float *rgb)
{
    float               v, part, depth;
    ngx_uint_t          i, n;

    static const float  stops[][4] = {
        { 0,     20, 24, 64 },
        { 0.34f, 74, 50, 112 },
        { 0.58f, 152, 82, 106 },
        { 1,     186, 112, 92 }
    };

    static const float  hills[NGX_VIDCAST_TEST_BACKGROUND_HILLS][3] = {
        { 84, 58, 100 }, { 50, 46, 82 }, { 20, 26, 46 }
    };

    v = (y + 0.5f) / bd->height;

    for (n = 1; v > stops[n][0]; n++) { /* void */ }

    part = (v - stops[n - 1][0]) / (stops[n][0] - stops[n - 1][0]);

    for (i = 0; i < 3; i++) {
        rgb[i] = stops[n - 1][i + 1]
                 + part * (stops[n][i + 1] - stops[n - 1][i + 1]);
    }

    for (n = 0; n < NGX_VIDCAST_TEST_BACKGROUND_HILLS; n++) {
        depth = y + 1 - bd->ridges[n * bd->width + x];

        if (depth <= 0) {
            continue;
        }

        part = ngx_min(depth, 1);
        depth = ngx_min(depth / bd->height / 0.3f, 1);

        for (i = 0; i < 3; i++) {
            rgb[i] += part * (hills[n][i] + 30 * depth - rgb[i]);
        }
    }
}


/* what clouds, grass and stars add to luma */

static float
ngx_vidcast_test_background_texture(ngx_vidcast_test_background_t *bd,
    uint32_t x, uint32_t y)
{
    float     u, v;
    uint32_t  star, pitch;

    u = (float) x / bd->height;
    v = (float) y / bd->height;

    if (y >= bd->ridges[x]) {
        return 7 * ngx_vidcast_test_background_fractal(u * 18, v * 24, 40);
    }

    pitch = bd->height / 480 + 1;
    star = ngx_vidcast_test_background_hash(x / pitch, y / pitch, 50);

    if (star % 1024 == 0 && v < 0.4f) {
        return 20 + (star >> 16) % 90 * (1 - v / 0.4f);
    }

    return 14 * ngx_vidcast_test_background_fractal(u * 2.2f, v * 9, 60);
}


static float
ngx_vidcast_test_background_fractal(float x, float y, uint32_t seed)
{
    return 0.57f * ngx_vidcast_test_background_value(x, y, seed)
           + 0.29f * ngx_vidcast_test_background_value(2 * x, 2 * y, seed + 1)
           + 0.14f * ngx_vidcast_test_background_value(4 * x, 4 * y, seed + 2);
}


/* smooth noise, -1 to 1, from a lattice of pitch 1 */

static float
ngx_vidcast_test_background_value(float x, float y, uint32_t seed)
{
    float     fx, fy, top, bottom;
    uint32_t  ix, iy, i, corner[4];

    ix = x;
    iy = y;

    fx = x - ix;
    fy = y - iy;

    fx = fx * fx * (3 - 2 * fx);
    fy = fy * fy * (3 - 2 * fy);

    for (i = 0; i < 4; i++) {
        corner[i] = ngx_vidcast_test_background_hash(ix + (i & 1), iy + i / 2,
                                                     seed)
                    >> 16;
    }

    top = corner[0] + fx * ((float) corner[1] - corner[0]);
    bottom = corner[2] + fx * ((float) corner[3] - corner[2]);

    return (top + fy * (bottom - top)) / 32768 - 1;
}


void
ngx_vidcast_test_background_chroma(const float *rgb, u_char *chroma)
{
    chroma[0] = 128.5f - 0.1687f * rgb[0] - 0.3313f * rgb[1] + 0.5f * rgb[2];
    chroma[1] = 128.5f + 0.5f * rgb[0] - 0.4187f * rgb[1] - 0.0813f * rgb[2];
}


uint32_t
ngx_vidcast_test_background_hash(uint32_t a, uint32_t b, uint32_t seed)
{
    uint32_t  h;

    h = a * 0x9e3779b1 ^ b * 0x85ebca77 ^ seed * 0xc2b2ae3d;

    h = (h ^ (h >> 15)) * 0x2c1b3c6d;
    h = (h ^ (h >> 12)) * 0x297a2d39;

    return h ^ (h >> 15);
}
