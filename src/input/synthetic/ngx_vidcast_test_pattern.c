
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <math.h>

#include "input/synthetic/ngx_vidcast_test_pattern.h"
#include "input/synthetic/ngx_vidcast_test_background.h"
#include "media/ngx_vidcast_image.h"


/*
 * The background is drawn once.  A canvas is a copy of it that also bears the
 * shapes and the text; from frame to frame only their places are restored and
 * drawn again.  Noise is added on the way from the canvas to the frame.  So
 * that one addition of 64 bits does eight pixels, with no carry from one to
 * the next, luma on the canvas is scaled to leave room for the noise.
 */


#define NGX_VIDCAST_TEST_PATTERN_PATTERN  65536 /* bytes of noise; power of 2 */

#define NGX_VIDCAST_TEST_PATTERN_GLYPH    6  /* font pixels, gap included */
#define NGX_VIDCAST_TEST_PATTERN_STRIP    11         /* font pixels */
#define NGX_VIDCAST_TEST_PATTERN_INK      236


typedef struct {
    float                      period;        /* frames */
    float                      cx;            /* centers and radii are parts */
    float                      rx;            /*   of the way that is free */
    float                      px;            /* phases, radians */
    float                      cy;
    float                      ry;
    float                      py;
    float                      ky;            /* vertical turns in a period */
    float                      width;         /* parts of the free square */
    float                      height;
} ngx_vidcast_test_path_t;


typedef struct {
    u_char                    *alpha;
    u_char                    *luma;
    u_char                     chroma[2];
    uint32_t                   width;
    uint32_t                   height;
} ngx_vidcast_test_pattern_sprite_t;


struct ngx_vidcast_test_pattern_s {
    uint32_t                           width;
    uint32_t                           height;
    ngx_uint_t                         shapes;
    ngx_uint_t                         peak;  /* of the noise, gray levels */
    u_char                            *noise; /* 0 to 2 * peak */
    ngx_vidcast_image_t                back;
    ngx_vidcast_image_t                canvas;
    ngx_vidcast_test_pattern_box_t dirty[NGX_VIDCAST_TEST_PATTERN_MAX_SHAPES];
    ngx_vidcast_test_pattern_sprite_t
        sprites[NGX_VIDCAST_TEST_PATTERN_MAX_SHAPES];
};


static uint32_t ngx_vidcast_test_pattern_text_scale(uint32_t width,
    uint32_t height);
static ngx_int_t ngx_vidcast_test_pattern_draw_back(
    ngx_vidcast_test_pattern_t *tp);
static u_char ngx_vidcast_test_pattern_luma(ngx_vidcast_test_pattern_t *tp,
    float luma);
static ngx_int_t ngx_vidcast_test_pattern_create_sprite(
    ngx_vidcast_test_pattern_t *tp, ngx_uint_t n);
static void ngx_vidcast_test_pattern_ball(float x, float y, float rx, float ry,
    float *alpha, float *light);
static void ngx_vidcast_test_pattern_tile(float x, float y, float rx, float ry,
    float *alpha, float *light);
static ngx_int_t ngx_vidcast_test_pattern_create_noise(
    ngx_vidcast_test_pattern_t *tp, ngx_uint_t noise);
static void ngx_vidcast_test_pattern_restore(ngx_vidcast_test_pattern_t *tp,
    ngx_vidcast_test_pattern_box_t *box);
static void ngx_vidcast_test_pattern_draw_sprite(
    ngx_vidcast_test_pattern_t *tp, ngx_vidcast_test_pattern_sprite_t *sprite,
    ngx_vidcast_test_pattern_box_t *box);
static ngx_uint_t ngx_vidcast_test_pattern_chroma_alpha(
    ngx_vidcast_test_pattern_sprite_t *sprite,
    ngx_vidcast_test_pattern_box_t *box, uint32_t x, uint32_t y);
static void ngx_vidcast_test_pattern_draw_text(ngx_vidcast_test_pattern_t *tp,
    ngx_str_t *text);
static void ngx_vidcast_test_pattern_draw_glyph(ngx_vidcast_test_pattern_t *tp,
    u_char ch, uint32_t x, uint32_t y, uint32_t scale);
static void ngx_vidcast_test_pattern_copy(ngx_vidcast_test_pattern_t *tp,
    uint64_t number, ngx_vidcast_image_t *image);
static void ngx_vidcast_test_pattern_add_noise(u_char *dst, const u_char *src,
    const u_char *noise, uint32_t n);


/*
 * Chosen so that the first three shapes are always on the move, 1.2 to 6.5
 * pixels a frame at 640x480, and seldom cross each other.
 */

static const ngx_vidcast_test_path_t  ngx_vidcast_test_paths[] = {
    { 300, .5f,  .48f, 0,    .5f,  .47f, .3f,  1, .15f, .15f },
    { 400, .5f,  .38f, 1.5f, .5f,  .26f, 5.9f, 2, .20f, .13f },
    { 400, .58f, .38f, .4f,  .42f, .3f,  0,    1, .12f, .18f }
};


static const u_char  ngx_vidcast_test_pattern_colors[][3] = {
    { 255, 205, 80 }, { 110, 225, 255 }, { 255, 165, 195 }, { 140, 240, 190 },
    { 250, 240, 215 }, { 205, 190, 255 }, { 200, 240, 110 }, { 255, 185, 130 }
};


/* 5x7, a row a byte, the leftmost pixel is bit 4 */

static const u_char  ngx_vidcast_test_pattern_digits[10][7] = {
    { 0x0e, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e },
    { 0x04, 0x0c, 0x04, 0x04, 0x04, 0x04, 0x0e },
    { 0x0e, 0x11, 0x01, 0x02, 0x04, 0x08, 0x1f },
    { 0x1f, 0x02, 0x04, 0x02, 0x01, 0x11, 0x0e },
    { 0x02, 0x06, 0x0a, 0x12, 0x1f, 0x02, 0x02 },
    { 0x1f, 0x10, 0x1e, 0x01, 0x01, 0x11, 0x0e },
    { 0x06, 0x08, 0x10, 0x1e, 0x11, 0x11, 0x0e },
    { 0x1f, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08 },
    { 0x0e, 0x11, 0x11, 0x0e, 0x11, 0x11, 0x0e },
    { 0x0e, 0x11, 0x11, 0x0f, 0x01, 0x02, 0x0c }
};

static const struct {
    u_char  ch;
    u_char  rows[7];
} ngx_vidcast_test_pattern_signs[] = {
    { '#', { 0x0a, 0x0a, 0x1f, 0x0a, 0x1f, 0x0a, 0x0a } },
    { '-', { 0x00, 0x00, 0x00, 0x1f, 0x00, 0x00, 0x00 } },
    { '.', { 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x04 } },
    { ':', { 0x00, 0x04, 0x04, 0x00, 0x04, 0x04, 0x00 } },
};


void
ngx_vidcast_test_pattern_boxes(uint64_t number, uint32_t width, uint32_t height,
    ngx_uint_t n, ngx_vidcast_test_pattern_box_t *boxes)
{
    double                          t, side, x, y;
    uint32_t                        top, free;
    uint64_t                        period;
    ngx_uint_t                      i, npaths, round;
    const ngx_vidcast_test_path_t  *path;

    npaths = sizeof(ngx_vidcast_test_paths) / sizeof(*path);

    top = NGX_VIDCAST_TEST_PATTERN_STRIP
          * ngx_vidcast_test_pattern_text_scale(width, height);
    free = height - top;
    side = ngx_min(width, free);

    for (i = 0; i < n; i++) {
        path = &ngx_vidcast_test_paths[i % npaths];
        round = i / npaths;

        period = (uint64_t) path->period + 44 * round;
        t = 2 * M_PI * (number % period) / period + 1.7 * round;

        boxes[i].width = ngx_max(side * path->width + 0.5, 2);
        boxes[i].height = ngx_max(side * path->height + 0.5, 2);

        x = path->cx + path->rx * cos(t + path->px);
        y = path->cy + path->ry * sin(path->ky * t + path->py);

        boxes[i].x = (width - boxes[i].width) * x + 0.5;
        boxes[i].y = top + (uint32_t) ((free - boxes[i].height) * y + 0.5);
    }
}


ngx_vidcast_test_pattern_t *
ngx_vidcast_test_pattern_create(uint32_t width, uint32_t height,
    ngx_uint_t shapes, ngx_uint_t noise)
{
    ngx_uint_t                   i;
    ngx_vidcast_test_pattern_t  *tp;

    tp = calloc(1, sizeof(ngx_vidcast_test_pattern_t));
    if (tp == NULL) {
        return NULL;
    }

    tp->width = width;
    tp->height = height;
    tp->shapes = ngx_min(shapes, NGX_VIDCAST_TEST_PATTERN_MAX_SHAPES);

    if (ngx_vidcast_image_alloc(&tp->back, width, height, 0) != NGX_OK
        || ngx_vidcast_image_alloc(&tp->canvas, width, height, 0) != NGX_OK
        || ngx_vidcast_test_pattern_create_noise(tp, noise) != NGX_OK
        || ngx_vidcast_test_pattern_draw_back(tp) != NGX_OK)
    {
        goto failed;
    }

    ngx_vidcast_test_pattern_boxes(0, width, height, tp->shapes, tp->dirty);

    for (i = 0; i < tp->shapes; i++) {
        if (ngx_vidcast_test_pattern_create_sprite(tp, i) != NGX_OK) {
            goto failed;
        }
    }

    return tp;

failed:

    ngx_vidcast_test_pattern_destroy(tp);

    return NULL;
}


void
ngx_vidcast_test_pattern_destroy(ngx_vidcast_test_pattern_t *tp)
{
    ngx_uint_t  i;

    for (i = 0; i < tp->shapes; i++) {
        free(tp->sprites[i].alpha);
    }

    ngx_vidcast_image_free(&tp->back);
    ngx_vidcast_image_free(&tp->canvas);
    free(tp->noise);
    free(tp);
}


void
ngx_vidcast_test_pattern_render(ngx_vidcast_test_pattern_t *tp, uint64_t number,
    ngx_str_t *text, ngx_vidcast_image_t *image)
{
    ngx_uint_t  i;

    for (i = 0; i < tp->shapes; i++) {
        ngx_vidcast_test_pattern_restore(tp, &tp->dirty[i]);
    }

    ngx_vidcast_test_pattern_boxes(number, tp->width, tp->height,
                                   tp->shapes, tp->dirty);

    for (i = 0; i < tp->shapes; i++) {
        ngx_vidcast_test_pattern_draw_sprite(tp, &tp->sprites[i],
                                             &tp->dirty[i]);
    }

    ngx_vidcast_test_pattern_draw_text(tp, text);

    ngx_vidcast_test_pattern_copy(tp, number, image);
}


/*
 * Strokes of the text are at most one pixel wide once the picture is reduced
 * to 320 pixels for the motion predictor, which clears away what is thinner
 * than three: the digits change, but make no box.  0: no place for a text.
 */

static uint32_t
ngx_vidcast_test_pattern_text_scale(uint32_t width, uint32_t height)
{
    uint32_t  scale;

    scale = ngx_max(width / 320, 1);

    return (scale * NGX_VIDCAST_TEST_PATTERN_STRIP * 4 <= height) ? scale : 0;
}


static ngx_int_t
ngx_vidcast_test_pattern_draw_back(ngx_vidcast_test_pattern_t *tp)
{
    u_char               *p;
    uint32_t              x, y, strip;
    ngx_uint_t            i;
    ngx_vidcast_image_t  *back;

    back = &tp->back;

    if (ngx_vidcast_test_background_draw(back) != NGX_OK) {
        return NGX_ERROR;
    }

    strip = NGX_VIDCAST_TEST_PATTERN_STRIP
            * ngx_vidcast_test_pattern_text_scale(tp->width, tp->height);

    for (y = 0; y < tp->height; y++) {
        p = back->plane[0] + (size_t) y * back->stride[0];

        for (x = 0; x < tp->width; x++) {

            /* the text stands as if on dark glass */

            p[x] = ngx_vidcast_test_pattern_luma(tp,
                                                 y < strip ? p[x] / 2 : p[x]);
        }
    }

    for (i = 0; i < 3; i++) {
        ngx_memcpy(tp->canvas.plane[i], back->plane[i],
                   (size_t) back->stride[i]
                   * (i ? (tp->height + 1) / 2 : tp->height));
    }

    return NGX_OK;
}


static u_char
ngx_vidcast_test_pattern_luma(ngx_vidcast_test_pattern_t *tp, float luma)
{
    luma = ngx_max(luma, 0);
    luma = ngx_min(luma, 255);

    return luma * (255 - 2 * tp->peak) / 255 + 0.5f;
}


static ngx_int_t
ngx_vidcast_test_pattern_create_sprite(ngx_vidcast_test_pattern_t *tp,
    ngx_uint_t n)
{
    float                               rgb[3], alpha, light, luma, rx, ry;
    size_t                              size, i;
    const u_char                       *color;
    ngx_vidcast_test_pattern_sprite_t  *sprite;

    sprite = &tp->sprites[n];
    sprite->width = tp->dirty[n].width;
    sprite->height = tp->dirty[n].height;

    size = (size_t) sprite->width * sprite->height;

    sprite->alpha = malloc(2 * size);
    if (sprite->alpha == NULL) {
        return NGX_ERROR;
    }

    sprite->luma = sprite->alpha + size;

    color = ngx_vidcast_test_pattern_colors[n % 8];

    for (i = 0; i < 3; i++) {
        rgb[i] = color[i];
    }

    luma = 0.299f * rgb[0] + 0.587f * rgb[1] + 0.114f * rgb[2];
    ngx_vidcast_test_background_chroma(rgb, sprite->chroma);

    rx = sprite->width / 2.0f;
    ry = sprite->height / 2.0f;

    for (i = 0; i < size; i++) {
        (n % 2 ? ngx_vidcast_test_pattern_tile : ngx_vidcast_test_pattern_ball)
            (i % sprite->width + 0.5f - rx, i / sprite->width + 0.5f - ry,
             rx, ry, &alpha, &light);

        alpha = ngx_max(alpha, 0);
        alpha = ngx_min(alpha, 1);

        sprite->alpha[i] = alpha * 255 + 0.5f;
        sprite->luma[i] = ngx_vidcast_test_pattern_luma(tp, luma + light);
    }

    return NGX_OK;
}


/* lit from the upper left; x and y are pixels from the center */

static void
ngx_vidcast_test_pattern_ball(float x, float y, float rx, float ry,
    float *alpha, float *light)
{
    float  r, spot;

    x /= rx;
    y /= ry;

    r = sqrtf(x * x + y * y);
    spot = (x + 0.35f) * (x + 0.35f) + (y + 0.4f) * (y + 0.4f);

    *alpha = (1 - r) * ngx_min(rx, ry) + 0.5f;
    *light = 60 * ngx_max(0.3f - spot, 0) / 0.3f - 34 * r * r * r;
}


/* a slab with round corners and a bright rim */

static void
ngx_vidcast_test_pattern_tile(float x, float y, float rx, float ry,
    float *alpha, float *light)
{
    float  radius, depth, cx, cy, size;

    size = ngx_min(rx, ry);
    radius = 0.4f * size;

    cx = ngx_max(fabsf(x) - rx + radius, 0);
    cy = ngx_max(fabsf(y) - ry + radius, 0);

    if (cx > 0 && cy > 0) {
        depth = radius - sqrtf(cx * cx + cy * cy);

    } else {
        depth = ngx_min(rx - fabsf(x), ry - fabsf(y));
    }

    *alpha = depth + 0.5f;
    *light = -20 - 18 * y / ry + ((depth < 0.14f * size) ? 26 : 0);
}


static ngx_int_t
ngx_vidcast_test_pattern_create_noise(ngx_vidcast_test_pattern_t *tp,
    ngx_uint_t noise)
{
    float     level, peak;
    uint32_t  i, hash, sum;

    noise = ngx_min(noise, NGX_VIDCAST_TEST_PATTERN_MAX_NOISE);

    if (noise == 0) {
        return NGX_OK;
    }

    tp->peak = 3 * noise;
    peak = tp->peak;

    tp->noise = malloc(NGX_VIDCAST_TEST_PATTERN_PATTERN + tp->width);
    if (tp->noise == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < NGX_VIDCAST_TEST_PATTERN_PATTERN + tp->width; i++) {
        hash = ngx_vidcast_test_background_hash(i, 0, 70);

        /* four even distributions make nearly a normal one, 147.8 wide */

        sum = (hash & 0xff) + (hash >> 8 & 0xff) + (hash >> 16 & 0xff)
              + (hash >> 24);

        level = ((float) sum - 510) * noise / 147.8f;
        level = ngx_max(level, -peak);
        level = ngx_min(level, peak);

        tp->noise[i] = level + peak + 0.5f;
    }

    return NGX_OK;
}


static void
ngx_vidcast_test_pattern_restore(ngx_vidcast_test_pattern_t *tp,
    ngx_vidcast_test_pattern_box_t *box)
{
    size_t                offset;
    uint32_t              x, y, width, bottom;
    ngx_uint_t            i, shift;
    ngx_vidcast_image_t  *back, *canvas;

    back = &tp->back;
    canvas = &tp->canvas;

    for (i = 0; i < 3; i++) {
        shift = (i > 0);

        x = box->x >> shift;
        width = ((box->x + box->width - 1) >> shift) - x + 1;
        bottom = (box->y + box->height - 1) >> shift;

        for (y = box->y >> shift; y <= bottom; y++) {
            offset = (size_t) y * back->stride[i] + x;

            ngx_memcpy(canvas->plane[i] + offset, back->plane[i] + offset,
                       width);
        }
    }
}


static void
ngx_vidcast_test_pattern_draw_sprite(ngx_vidcast_test_pattern_t *tp,
    ngx_vidcast_test_pattern_sprite_t *sprite,
    ngx_vidcast_test_pattern_box_t *box)
{
    u_char               *p, *u, *v, *luma, *alpha;
    uint32_t              x, y;
    ngx_int_t             a;
    ngx_vidcast_image_t  *canvas;

    canvas = &tp->canvas;
    luma = sprite->luma;
    alpha = sprite->alpha;

    for (y = 0; y < box->height; y++) {
        p = canvas->plane[0] + (size_t) (box->y + y) * canvas->stride[0]
            + box->x;

        for (x = 0; x < box->width; x++) {
            p[x] += ((*luma++ - p[x]) * *alpha++ + 127) / 255;
        }
    }

    for (y = box->y / 2; y <= (box->y + box->height - 1) / 2; y++) {
        u = canvas->plane[1] + (size_t) y * canvas->stride[1];
        v = canvas->plane[2] + (size_t) y * canvas->stride[2];

        for (x = box->x / 2; x <= (box->x + box->width - 1) / 2; x++) {
            a = ngx_vidcast_test_pattern_chroma_alpha(sprite, box, x, y);

            u[x] += (sprite->chroma[0] - u[x]) * a / 1020;
            v[x] += (sprite->chroma[1] - v[x]) * a / 1020;
        }
    }
}


/* of the four luma pixels which a chroma pixel is for, 0 to 1020 */

static ngx_uint_t
ngx_vidcast_test_pattern_chroma_alpha(ngx_vidcast_test_pattern_sprite_t *sprite,
    ngx_vidcast_test_pattern_box_t *box, uint32_t x, uint32_t y)
{
    uint32_t    i, sx, sy;
    ngx_uint_t  sum;

    sum = 0;

    for (i = 0; i < 4; i++) {

        /* wraps around left of the sprite and above it */

        sx = 2 * x + (i & 1) - box->x;
        sy = 2 * y + i / 2 - box->y;

        if (sx < sprite->width && sy < sprite->height) {
            sum += sprite->alpha[(size_t) sy * sprite->width + sx];
        }
    }

    return sum;
}


static void
ngx_vidcast_test_pattern_draw_text(ngx_vidcast_test_pattern_t *tp,
    ngx_str_t *text)
{
    size_t    i, max;
    uint32_t  scale, y, advance;

    scale = ngx_vidcast_test_pattern_text_scale(tp->width, tp->height);

    if (scale == 0) {
        return;
    }

    for (y = 2 * scale; y < 9 * scale; y++) {
        ngx_memcpy(tp->canvas.plane[0]
                   + (size_t) y * tp->canvas.stride[0],
                   tp->back.plane[0] + (size_t) y * tp->back.stride[0],
                   tp->width);
    }

    advance = NGX_VIDCAST_TEST_PATTERN_GLYPH * scale;
    max = (tp->width - 2 * scale) / advance;

    for (i = 0; i < ngx_min(text->len, max); i++) {
        ngx_vidcast_test_pattern_draw_glyph(tp, text->data[i],
                                            2 * scale + i * advance, 2 * scale,
                                            scale);
    }
}


static void
ngx_vidcast_test_pattern_draw_glyph(ngx_vidcast_test_pattern_t *tp, u_char ch,
    uint32_t x, uint32_t y, uint32_t scale)
{
    u_char         ink, *p;
    uint32_t       row, column, i;
    const u_char  *glyph;

    glyph = NULL;

    if (ch >= '0' && ch <= '9') {
        glyph = ngx_vidcast_test_pattern_digits[ch - '0'];
    }

    for (i = 0; i < 4; i++) {
        if (ngx_vidcast_test_pattern_signs[i].ch == ch) {
            glyph = ngx_vidcast_test_pattern_signs[i].rows;
        }
    }

    if (glyph == NULL) {
        return;
    }

    ink = ngx_vidcast_test_pattern_luma(tp, NGX_VIDCAST_TEST_PATTERN_INK);

    for (row = 0; row < 7 * scale; row++) {
        p = tp->canvas.plane[0]
            + (size_t) (y + row) * tp->canvas.stride[0] + x;

        for (column = 0; column < 5; column++) {
            if (glyph[row / scale] & 0x10 >> column) {
                ngx_memset(p + column * scale, ink, scale);
            }
        }
    }
}


static void
ngx_vidcast_test_pattern_copy(ngx_vidcast_test_pattern_t *tp, uint64_t number,
    ngx_vidcast_image_t *image)
{
    u_char      *dst, *src;
    uint32_t     y, width, height, offset;
    ngx_uint_t   i;

    for (i = 0; i < 3; i++) {
        width = i ? (tp->width + 1) / 2 : tp->width;
        height = i ? (tp->height + 1) / 2 : tp->height;

        for (y = 0; y < height; y++) {
            dst = image->plane[i] + (size_t) y * image->stride[i];
            src = tp->canvas.plane[i]
                  + (size_t) y * tp->canvas.stride[i];

            if (i > 0 || tp->noise == NULL) {
                ngx_memcpy(dst, src, width);
                continue;
            }

            offset = ngx_vidcast_test_background_hash(y, number, number >> 32)
                     % NGX_VIDCAST_TEST_PATTERN_PATTERN;

            ngx_vidcast_test_pattern_add_noise(dst, src, tp->noise + offset,
                                               width);
        }
    }
}


static void
ngx_vidcast_test_pattern_add_noise(u_char *dst, const u_char *src,
    const u_char *noise, uint32_t n)
{
    uint32_t  i;
    uint64_t  a, b;

    for (i = 0; i + 8 <= n; i += 8) {
        ngx_memcpy(&a, src + i, 8);
        ngx_memcpy(&b, noise + i, 8);

        a += b;

        ngx_memcpy(dst + i, &a, 8);
    }

    for ( /* void */ ; i < n; i++) {
        dst[i] = src[i] + noise[i];
    }
}
