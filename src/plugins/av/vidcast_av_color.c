
/*
 * Copyright (C) vidcast contributors
 */


#include <math.h>
#include <string.h>

#include "plugins/av/vidcast_av.h"


/*
 * Most video has luma of 16-235 and chroma of 16-240, and if it is high
 * definition, the matrix of BT.709; a JPEG has 0-255 and BT.601.  Luma is
 * scaled, the other matrix adds to it what the chroma of its block tells.
 * All of it is 16 bits wide, which compilers know how to do eight or sixteen
 * times at once.
 */

#define VIDCAST_AV_WIDTH  16384


/* the upper half of a product, which is a single instruction */

#define vidcast_av_high(a, b)                                                 \
    ((int16_t) (((int32_t) (int16_t) (a) * (b)) >> 16))


typedef struct {
    double    r;
    double    b;
} vidcast_av_weights_t;


static void vidcast_av_color_chroma(const vidcast_av_color_t *color,
    const uint8_t *restrict u, const uint8_t *restrict v, uint8_t *restrict tu,
    uint8_t *restrict tv, int16_t *restrict add, uint32_t n);
static void vidcast_av_color_luma(const vidcast_av_color_t *color,
    const uint8_t *restrict from, const int16_t *restrict add,
    uint8_t *restrict to, uint32_t n);
static uint8_t vidcast_av_color_half(int16_t value);


static const vidcast_av_weights_t  vidcast_av_weights[] = {
    { 0.299, 0.114 },
    { 0.2126, 0.0722 },
    { 0.2627, 0.0593 },
    { 0.212, 0.087 },
    { 0.30, 0.11 }
};


/*
 * With W the weights of R, G and B in Y, and U and V the distances of B and R
 * from Y: what goes to Y, U and V of BT.601 for one U and one V of the other.
 */

void
vidcast_av_color_init(vidcast_av_color_t *color, vidcast_av_matrix_e matrix,
    int full)
{
    double                       luma, chroma, g, u[3], v[3];
    double                       yu, yv, uu, uv, vu, vv;
    const vidcast_av_weights_t  *from, *to;

    from = &vidcast_av_weights[matrix];
    to = &vidcast_av_weights[VIDCAST_AV_BT601];

    luma = full ? 1 : 255.0 / 219;
    chroma = full ? 1 : 255.0 / 224;

    g = 1 - from->r - from->b;

    u[0] = 0;
    u[1] = -2 * from->b * (1 - from->b) / g;
    u[2] = 2 * (1 - from->b);

    v[0] = 2 * (1 - from->r);
    v[1] = -2 * from->r * (1 - from->r) / g;
    v[2] = 0;

    g = 1 - to->r - to->b;

    yu = to->r * u[0] + g * u[1] + to->b * u[2];
    yv = to->r * v[0] + g * v[1] + to->b * v[2];

    uu = (u[2] - yu) / (2 * (1 - to->b));
    uv = (v[2] - yv) / (2 * (1 - to->b));

    vu = (u[0] - yu) / (2 * (1 - to->r));
    vv = (v[0] - yv) / (2 * (1 - to->r));

    memset(color, 0, sizeof(vidcast_av_color_t));

    /* halves, of a value that is 128 or 256 times itself */

    color->luma[0] = (int16_t) lrint(luma * 1024);
    color->luma[1] = full ? 0 : -16 * 128;

    color->chroma[0] = (int16_t) lrint(yu * chroma * 512);
    color->chroma[1] = (int16_t) lrint(yv * chroma * 512);
    color->chroma[2] = (int16_t) lrint(uu * chroma * 512);
    color->chroma[3] = (int16_t) lrint(uv * chroma * 512);
    color->chroma[4] = (int16_t) lrint(vu * chroma * 512);
    color->chroma[5] = (int16_t) lrint(vv * chroma * 512);

    color->same = (matrix == VIDCAST_AV_BT601 && full);
}


void
vidcast_av_color_convert(const vidcast_av_color_t *color,
    const vidcast_image_t *src, vidcast_image_t *dst)
{
    uint32_t  row, chroma;
    int16_t   add[VIDCAST_AV_WIDTH + 1];

    chroma = (src->width + 1) / 2;

    for (row = 0; row < src->height; row++) {

        if (row % 2 == 0) {
            vidcast_av_color_chroma(color,
                          src->plane[1] + (size_t) row / 2 * src->stride[1],
                          src->plane[2] + (size_t) row / 2 * src->stride[2],
                          dst->plane[1] + (size_t) row / 2 * dst->stride[1],
                          dst->plane[2] + (size_t) row / 2 * dst->stride[2],
                          add, chroma);
        }

        vidcast_av_color_luma(color,
                              src->plane[0] + (size_t) row * src->stride[0],
                              add,
                              dst->plane[0] + (size_t) row * dst->stride[0],
                              src->width);
    }
}


static void
vidcast_av_color_chroma(const vidcast_av_color_t *color,
    const uint8_t *restrict u, const uint8_t *restrict v, uint8_t *restrict tu,
    uint8_t *restrict tv, int16_t *restrict add, uint32_t n)
{
    int16_t         cu, cv, ty, tb, tr;
    uint32_t        i;
    const int16_t  *f;

    f = color->chroma;

    for (i = 0; i < n; i++) {
        cu = (int16_t) ((u[i] - 128) * 256);
        cv = (int16_t) ((v[i] - 128) * 256);

        ty = vidcast_av_high(cu, f[0]) + vidcast_av_high(cv, f[1]);
        tb = vidcast_av_high(cu, f[2]) + vidcast_av_high(cv, f[3]) + 257;
        tr = vidcast_av_high(cu, f[4]) + vidcast_av_high(cv, f[5]) + 257;

        add[2 * i] = ty + 1;
        add[2 * i + 1] = ty + 1;

        tu[i] = vidcast_av_color_half(tb);
        tv[i] = vidcast_av_color_half(tr);
    }
}


static void
vidcast_av_color_luma(const vidcast_av_color_t *color,
    const uint8_t *restrict from, const int16_t *restrict add,
    uint8_t *restrict to, uint32_t n)
{
    int16_t   y, factor, before;
    uint32_t  i;

    factor = color->luma[0];
    before = color->luma[1];

    for (i = 0; i < n; i++) {
        y = (int16_t) (from[i] * 128 + before);
        y = vidcast_av_high(y, factor) + add[i];

        to[i] = vidcast_av_color_half(y);
    }
}


static uint8_t
vidcast_av_color_half(int16_t value)
{
    value = value < 0 ? 0 : value;
    value = value > 511 ? 511 : value;

    return (uint8_t) (value >> 1);
}
