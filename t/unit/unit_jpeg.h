
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _UNIT_JPEG_H_INCLUDED_
#define _UNIT_JPEG_H_INCLUDED_


/*
 * The codec, and pictures for the tests of what handles JPEG.  Everything is on
 * the heap and of exact size, so that a sanitizer sees the first byte too many.
 */

#include "unit.h"
#include "unit_codec.h"


typedef struct {
    u_char    *data;
    size_t     size;
} unit_jpeg_t;


static uint32_t  unit_seed = 1;


static uint32_t __attribute__((unused))
unit_random(uint32_t n)
{
    unit_seed = unit_seed * 1664525 + 1013904223;

    return (uint32_t) (((uint64_t) unit_seed * n) >> 32);
}


/* slopes, an edge and some noise; U and V of their own */

static void __attribute__((unused))
unit_picture(ngx_vidcast_image_t *image, uint32_t width, uint32_t height,
    uint32_t noise)
{
    uint32_t  i, x, y, w, h, v;

    if (ngx_vidcast_image_alloc(image, width, height, 0) != NGX_OK) {
        exit(2);
    }

    for (i = 0; i < 3; i++) {
        w = i ? (width + 1) / 2 : width;
        h = i ? (height + 1) / 2 : height;

        for (y = 0; y < h; y++) {
            for (x = 0; x < w; x++) {
                v = 40 + 60 * i / 2 + x * 80 / w + y * 60 / h;
                v += (i == 0 && x > w / 3 && y > h / 2) ? 30 : 0;
                v += noise ? unit_random(noise) : 0;

                image->plane[i][y * image->stride[i] + x] = v;
            }
        }
    }
}


static void __attribute__((unused))
unit_jpeg_copy(unit_jpeg_t *jpeg, const u_char *data, size_t size)
{
    jpeg->data = malloc(size ? size : 1);
    jpeg->size = size;

    if (jpeg->data == NULL) {
        exit(2);
    }

    memcpy(jpeg->data, data, size);
}


/* encodes with our own encoder */

static void __attribute__((unused))
unit_jpeg(unit_jpeg_t *jpeg, uint32_t width, uint32_t height)
{
    u_char                      *buf;
    size_t                       size;
    ngx_vidcast_image_t          image;
    ngx_vidcast_jpeg_encoder_t  *enc;

    unit_picture(&image, width, height, 16);

    size = (size_t) width * height * 3 + 65536;
    buf = malloc(size);
    enc = ngx_vidcast_jpeg_encoder_create();

    if (buf == NULL || enc == NULL
        || ngx_vidcast_jpeg_encode(enc, &image, 80, buf, &size) != NGX_OK)
    {
        exit(2);
    }

    unit_jpeg_copy(jpeg, buf, size);

    ngx_vidcast_jpeg_encoder_destroy(enc);
    ngx_vidcast_image_free(&image);
    free(buf);
}


/* as other programs write it */

static void __attribute__((unused))
unit_jpeg_foreign(unit_jpeg_t *jpeg, uint32_t width, uint32_t height,
    int format, int subsampling, int flags)
{
    u_char         *rgb, *p, *data;
    tjhandle        handle;
    uint32_t        x, y, i, n;
    unsigned long   size;

    n = tjPixelSize[format];

    rgb = malloc((size_t) width * height * n);
    handle = tjInitCompress();
    p = rgb;

    for (y = 0; y < height; y++) {
        for (x = 0; x < width; x++) {
            for (i = 0; i < n; i++) {
                *p++ = x * 2 + y * (i + 1) + (x * y % 7) * 4;
            }
        }
    }

    data = NULL;
    size = 0;

    if (tjCompress2(handle, rgb, width, 0, height, format, &data, &size,
                    subsampling, 85, flags|TJFLAG_ACCURATEDCT)
        != 0)
    {
        exit(2);
    }

    unit_jpeg_copy(jpeg, data, size);

    tjFree(data);
    (void) tjDestroy(handle);
    free(rgb);
}


/* offset of the n-th (from 0) marker of this code, 0: none */

static size_t __attribute__((unused))
unit_jpeg_find(unit_jpeg_t *jpeg, ngx_uint_t code, ngx_uint_t n)
{
    size_t  p;

    for (p = 2; p + 4 <= jpeg->size; /* void */ ) {

        if (jpeg->data[p] != 0xff) {
            break;
        }

        if (jpeg->data[p + 1] == code && n-- == 0) {
            return p;
        }

        if (jpeg->data[p + 1] == 0xda) {
            break;
        }

        p += 2 + (jpeg->data[p + 2] << 8 | jpeg->data[p + 3]);
    }

    return 0;
}


/* replaces "cut" bytes at "pos" */

static void __attribute__((unused))
unit_jpeg_splice(unit_jpeg_t *jpeg, size_t pos, size_t cut, const void *data,
    size_t size)
{
    u_char  *p;

    p = malloc(jpeg->size - cut + size);
    if (p == NULL) {
        exit(2);
    }

    memcpy(p, jpeg->data, pos);
    memcpy(p + pos, data, size);
    memcpy(p + pos + size, jpeg->data + pos + cut, jpeg->size - pos - cut);

    free(jpeg->data);

    jpeg->data = p;
    jpeg->size = jpeg->size - cut + size;
}


/* the luma, in memory of its own */

static void __attribute__((unused))
unit_copy(ngx_vidcast_image_t *dst, const ngx_vidcast_image_t *src)
{
    uint32_t  y;

    if (ngx_vidcast_image_alloc(dst, src->width, src->height, 1) != NGX_OK) {
        exit(2);
    }

    for (y = 0; y < src->height; y++) {
        memcpy(dst->plane[0] + (size_t) y * dst->stride[0],
               src->plane[0] + (size_t) y * src->stride[0], src->width);
    }
}


/* mean absolute difference, times 100 */

static uint64_t __attribute__((unused))
unit_difference(const ngx_vidcast_image_t *a, const ngx_vidcast_image_t *b)
{
    int       d;
    uint32_t  x, y;
    uint64_t  sum;

    if (a->width != b->width || a->height != b->height) {
        return 25600;
    }

    sum = 0;

    for (y = 0; y < a->height; y++) {
        for (x = 0; x < a->width; x++) {
            d = a->plane[0][(size_t) y * a->stride[0] + x]
                - b->plane[0][(size_t) y * b->stride[0] + x];

            sum += d < 0 ? -d : d;
        }
    }

    return sum * 100 / ((uint64_t) a->width * a->height);
}


#endif /* _UNIT_JPEG_H_INCLUDED_ */
