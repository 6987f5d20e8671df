
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "media/ngx_vidcast_image.h"

#include <libyuv.h>
#include <libyuv/scale_rgb.h>


#define NGX_VIDCAST_IMAGE_ALIGNMENT  64
#define NGX_VIDCAST_IMAGE_BLOCK      32

#if (__GNUC__ && __x86_64__)
#define NGX_VIDCAST_IMAGE_AVX2       1
#endif


typedef void (*ngx_vidcast_image_expand_pt)(u_char *p, ngx_uint_t blocks);


static void ngx_vidcast_image_turn_pixels(const vidcast_image_t *src,
    ngx_uint_t orientation, vidcast_image_t *dst);
static void ngx_vidcast_image_expand_plane(ngx_vidcast_image_t *image,
    ngx_uint_t plane, ngx_vidcast_image_expand_pt expand);
static ngx_inline void ngx_vidcast_image_expand_blocks(u_char *p,
    ngx_uint_t blocks, u_char most, uint32_t factor, uint16_t round,
    ngx_uint_t shift);
static void ngx_vidcast_image_expand_luma(u_char *p, ngx_uint_t blocks);
static void ngx_vidcast_image_expand_chroma(u_char *p, ngx_uint_t blocks);
#if (NGX_VIDCAST_IMAGE_AVX2)
static void ngx_vidcast_image_expand_luma_avx2(u_char *p, ngx_uint_t blocks);
static void ngx_vidcast_image_expand_chroma_avx2(u_char *p,
    ngx_uint_t blocks);
#endif


/* the calls of libyuv can only fail by arguments that are not given here */


ngx_int_t
ngx_vidcast_image_alloc(ngx_vidcast_image_t *image, uint32_t width,
    uint32_t height, ngx_uint_t gray)
{
    void    *p;
    size_t   luma, chroma, rows;

    ngx_memzero(image, sizeof(ngx_vidcast_image_t));

    if (width == 0 || width > NGX_VIDCAST_MAX_DIMENSION
        || height == 0 || height > NGX_VIDCAST_MAX_DIMENSION)
    {
        return NGX_ERROR;
    }

    luma = ngx_align(width, NGX_VIDCAST_IMAGE_ALIGNMENT);
    chroma = gray ? 0 : ngx_align((width + 1) / 2, NGX_VIDCAST_IMAGE_ALIGNMENT);
    rows = (height + 1) / 2;

    if (posix_memalign(&p, NGX_VIDCAST_IMAGE_ALIGNMENT,
                       luma * height + 2 * chroma * rows)
        != 0)
    {
        return NGX_ERROR;
    }

    image->width = width;
    image->height = height;
    image->plane[0] = p;
    image->stride[0] = luma;

    if (!gray) {
        image->plane[1] = image->plane[0] + luma * height;
        image->plane[2] = image->plane[1] + chroma * rows;
        image->stride[1] = chroma;
        image->stride[2] = chroma;
    }

    return NGX_OK;
}


void
ngx_vidcast_image_free(ngx_vidcast_image_t *image)
{
    /* the planes are one block */

    free(image->plane[0]);

    ngx_memzero(image, sizeof(ngx_vidcast_image_t));
}


void
ngx_vidcast_image_from_yuyv(ngx_vidcast_image_t *dst, const u_char *src,
    uint32_t stride)
{
    (void) YUY2ToI420(src, stride, dst->plane[0], dst->stride[0],
                      dst->plane[1], dst->stride[1], dst->plane[2],
                      dst->stride[2], dst->width, dst->height);
}


void
ngx_vidcast_image_from_i420(ngx_vidcast_image_t *dst, const u_char *src,
    uint32_t stride)
{
    uint32_t  width, height, chroma;

    width = (dst->width + 1) / 2;
    height = (dst->height + 1) / 2;
    chroma = (stride + 1) / 2;

    CopyPlane(src, stride, dst->plane[0], dst->stride[0], dst->width,
              dst->height);

    src += (size_t) stride * dst->height;

    CopyPlane(src, chroma, dst->plane[1], dst->stride[1], width, height);

    src += (size_t) chroma * height;

    CopyPlane(src, chroma, dst->plane[2], dst->stride[2], width, height);
}


void
ngx_vidcast_image_copy(ngx_vidcast_image_t *dst,
    const ngx_vidcast_image_t *src)
{
    (void) I420Copy(src->plane[0], src->stride[0], src->plane[1],
                    src->stride[1], src->plane[2], src->stride[2],
                    dst->plane[0], dst->stride[0], dst->plane[1],
                    dst->stride[1], dst->plane[2], dst->stride[2],
                    dst->width, dst->height);
}


void
ngx_vidcast_image_scale_luma(const ngx_vidcast_image_t *src,
    ngx_vidcast_image_t *dst)
{
    (void) ScalePlane(src->plane[0], src->stride[0], src->width, src->height,
                      dst->plane[0], dst->stride[0], dst->width, dst->height,
                      kFilterBox);
}


void
ngx_vidcast_image_expand_range(ngx_vidcast_image_t *image)
{
    ngx_vidcast_image_expand_pt  luma, chroma;

    luma = ngx_vidcast_image_expand_luma;
    chroma = ngx_vidcast_image_expand_chroma;

#if (NGX_VIDCAST_IMAGE_AVX2)

    if (__builtin_cpu_supports("avx2")) {
        luma = ngx_vidcast_image_expand_luma_avx2;
        chroma = ngx_vidcast_image_expand_chroma_avx2;
    }

#endif

    ngx_vidcast_image_expand_plane(image, 0, luma);
    ngx_vidcast_image_expand_plane(image, 1, chroma);
    ngx_vidcast_image_expand_plane(image, 2, chroma);
}


static void
ngx_vidcast_image_expand_plane(ngx_vidcast_image_t *image, ngx_uint_t plane,
    ngx_vidcast_image_expand_pt expand)
{
    u_char    *p, rest[NGX_VIDCAST_IMAGE_BLOCK];
    uint32_t   width, height, blocks, left, y;

    width = plane ? (image->width + 1) / 2 : image->width;
    height = plane ? (image->height + 1) / 2 : image->height;

    blocks = width / NGX_VIDCAST_IMAGE_BLOCK;
    left = width % NGX_VIDCAST_IMAGE_BLOCK;

    for (y = 0; y < height; y++) {

        p = image->plane[plane] + (size_t) y * image->stride[plane];

        expand(p, blocks);

        if (left) {
            p += width - left;

            ngx_memzero(rest, NGX_VIDCAST_IMAGE_BLOCK);
            ngx_memcpy(rest, p, left);
            expand(rest, 1);
            ngx_memcpy(p, rest, left);
        }
    }
}


/*
 * (n - 16) * 255 / 219, and / 224, rounded: exact, though all is in 16 bits.
 * In blocks, as compilers use SIMD if they know the number of rounds, and
 * clamped as a byte, for which there is one instruction.
 */

static ngx_inline void
ngx_vidcast_image_expand_blocks(u_char *p, ngx_uint_t blocks, u_char most,
    uint32_t factor, uint16_t round, ngx_uint_t shift)
{
    u_char      c;
    uint16_t    n;
    ngx_uint_t  i;

    while (blocks--) {

        for (i = 0; i < NGX_VIDCAST_IMAGE_BLOCK; i++) {
            c = ngx_max(p[i], 16);
            c = ngx_min(c, most);
            c -= 16;
            n = (uint16_t) (c << 8) * factor >> 16;
            p[i] = (uint16_t) (n + round) >> shift;
        }

        p += NGX_VIDCAST_IMAGE_BLOCK;
    }
}


static void
ngx_vidcast_image_expand_luma(u_char *p, ngx_uint_t blocks)
{
    ngx_vidcast_image_expand_blocks(p, blocks, 235, 19077, 32, 6);
}


static void
ngx_vidcast_image_expand_chroma(u_char *p, ngx_uint_t blocks)
{
    ngx_vidcast_image_expand_blocks(p, blocks, 240, 37302, 65, 7);
}


#if (NGX_VIDCAST_IMAGE_AVX2)

/* the same, compiled for processors that do twice as much at a time */

static void __attribute__((target("avx2")))
ngx_vidcast_image_expand_luma_avx2(u_char *p, ngx_uint_t blocks)
{
    ngx_vidcast_image_expand_blocks(p, blocks, 235, 19077, 32, 6);
}


static void __attribute__((target("avx2")))
ngx_vidcast_image_expand_chroma_avx2(u_char *p, ngx_uint_t blocks)
{
    ngx_vidcast_image_expand_blocks(p, blocks, 240, 37302, 65, 7);
}

#endif


size_t
ngx_vidcast_image_size(uint32_t format, uint32_t width, uint32_t height)
{
    size_t  pixels;

    pixels = (size_t) width * height;

    switch (format) {

    case VIDCAST_I420:
        return pixels + 2 * ((size_t) (width + 1) / 2) * ((height + 1) / 2);

    case VIDCAST_GRAY8:
        return pixels;

    default: /* VIDCAST_RGB24, VIDCAST_BGR24 */
        return 3 * pixels;
    }
}


void
ngx_vidcast_image_lay_out(vidcast_image_t *image, u_char *data)
{
    image->plane[0] = data;

    switch (image->format) {

    case VIDCAST_I420:
        image->stride[0] = image->width;
        image->stride[1] = (image->width + 1) / 2;
        image->stride[2] = image->stride[1];
        image->plane[1] = data + (size_t) image->width * image->height;
        image->plane[2] = image->plane[1] + (size_t) image->stride[1]
                                            * ((image->height + 1) / 2);
        break;

    case VIDCAST_GRAY8:
        image->stride[0] = image->width;
        break;

    default: /* VIDCAST_RGB24, VIDCAST_BGR24 */
        image->stride[0] = 3 * image->width;
        break;
    }
}


ngx_int_t
ngx_vidcast_image_scale(const vidcast_image_t *src, vidcast_image_t *dst)
{
    int  rc;

    switch (src->format) {

    case VIDCAST_I420:
        rc = I420Scale(src->plane[0], src->stride[0], src->plane[1],
                       src->stride[1], src->plane[2], src->stride[2],
                       src->width, src->height, dst->plane[0], dst->stride[0],
                       dst->plane[1], dst->stride[1], dst->plane[2],
                       dst->stride[2], dst->width, dst->height, kFilterBox);
        break;

    case VIDCAST_GRAY8:
        ScalePlane(src->plane[0], src->stride[0], src->width, src->height,
                   dst->plane[0], dst->stride[0], dst->width, dst->height,
                   kFilterBox);
        rc = 0;
        break;

    default: /* VIDCAST_RGB24, VIDCAST_BGR24 */
        rc = RGBScale(src->plane[0], src->stride[0], src->width, src->height,
                      dst->plane[0], dst->stride[0], dst->width, dst->height,
                      kFilterBox);
        break;
    }

    return (rc == 0) ? NGX_OK : NGX_ERROR;
}


void
ngx_vidcast_image_turn(const vidcast_image_t *src, ngx_uint_t orientation,
    vidcast_image_t *dst)
{
    int         width, height;
    ngx_uint_t  i, turns;

    static enum RotationMode  modes[] = {
        kRotate0, kRotate90, kRotate180, kRotate270
    };

    turns = ngx_vidcast_orientation_turns(orientation);

    dst->width = (turns & 1) ? src->height : src->width;
    dst->height = (turns & 1) ? src->width : src->height;

    if (src->format == VIDCAST_RGB24 || src->format == VIDCAST_BGR24) {
        ngx_vidcast_image_turn_pixels(src, orientation, dst);
        return;
    }

    for (i = 0; i < (src->format == VIDCAST_I420 ? 3 : 1); i++) {
        width = i ? (src->width + 1) / 2 : src->width;
        height = i ? (src->height + 1) / 2 : src->height;

        /* to the library a negative height is a mirror top to bottom */

        (void) RotatePlane(src->plane[i], src->stride[i], dst->plane[i],
                           dst->stride[i], width,
                           ngx_vidcast_orientation_mirrors(orientation)
                               ? -height : height,
                           modes[turns]);
    }
}


void
ngx_vidcast_image_turn_i420(const ngx_vidcast_image_t *src,
    ngx_uint_t orientation, ngx_vidcast_image_t *dst)
{
    ngx_uint_t       i;
    vidcast_image_t  from, to;

    from.format = VIDCAST_I420;
    from.width = src->width;
    from.height = src->height;
    to.format = VIDCAST_I420;

    for (i = 0; i < 3; i++) {
        from.plane[i] = src->plane[i];
        from.stride[i] = src->stride[i];
        to.plane[i] = dst->plane[i];
        to.stride[i] = dst->stride[i];
    }

    ngx_vidcast_image_turn(&from, orientation, &to);
}


/* of three bytes, which the library does not turn */

static void
ngx_vidcast_image_turn_pixels(const vidcast_image_t *src,
    ngx_uint_t orientation, vidcast_image_t *dst)
{
    u_char        *d;
    uint32_t       x, y;
    ptrdiff_t      right, down, next, row;
    const u_char  *s, *first;

    /* the first pixel of "dst", and the way to those beside and below it */

    first = src->plane[0];
    right = 3;
    down = src->stride[0];

    if (ngx_vidcast_orientation_mirrors(orientation)) {
        first += (ptrdiff_t) (src->height - 1) * down;
        down = -down;
    }

    switch (ngx_vidcast_orientation_turns(orientation)) {

    case 0:
        next = right;
        row = down;
        break;

    case 1:
        first += (ptrdiff_t) (src->height - 1) * down;
        next = -down;
        row = right;
        break;

    case 2:
        first += (ptrdiff_t) (src->height - 1) * down
                 + (ptrdiff_t) (src->width - 1) * right;
        next = -right;
        row = -down;
        break;

    default: /* 3 */
        first += (ptrdiff_t) (src->width - 1) * right;
        next = down;
        row = -right;
        break;
    }

    for (y = 0; y < dst->height; y++) {
        s = first + (ptrdiff_t) y * row;
        d = dst->plane[0] + (size_t) y * dst->stride[0];

        for (x = 0; x < dst->width; x++) {
            d[0] = s[0];
            d[1] = s[1];
            d[2] = s[2];

            d += 3;
            s += next;
        }
    }
}


/* what the library calls RAW is R, G, B in memory */

void
ngx_vidcast_image_from_rgb(vidcast_image_t *dst, const vidcast_image_t *rgb)
{
    (void) RAWToJ420(rgb->plane[0], rgb->stride[0], dst->plane[0],
                     dst->stride[0], dst->plane[1], dst->stride[1],
                     dst->plane[2], dst->stride[2], dst->width, dst->height);
}
