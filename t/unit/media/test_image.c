
/*
 * Copyright (C) vidcast contributors
 */


/*
 * Raw frames come from drivers with strides and odd sizes of their own, and
 * the buffer that they lie in ends where the frame ends.  The library is fast
 * because it takes many pixels at a time: here every size is checked against
 * arithmetic done pixel by pixel, with no byte to spare around the frame.
 */

#include "unit_image.h"
#include "unit.h"


static void test_alloc(void);
static void test_yuyv(void);
static void test_i420(void);
static void test_range(void);
static void test_scale(void);
static void test_scale_flat(void);
static void test_scale_source(void);

static ngx_uint_t test_planes(const ngx_vidcast_image_t *image);
static uint32_t test_random(uint32_t n);


static uint32_t  seed = 7;

static const uint32_t  sizes[][2] = {
    { 1, 1 }, { 1, 2 }, { 2, 1 }, { 2, 2 }, { 3, 3 }, { 5, 8 }, { 15, 4 },
    { 16, 5 }, { 17, 7 }, { 31, 6 }, { 33, 9 }, { 63, 3 }, { 64, 2 },
    { 65, 11 }, { 127, 5 }, { 129, 4 }, { 640, 6 }, { 641, 7 }
};


int
main(void)
{
    test_alloc();
    test_yuyv();
    test_i420();
    test_range();
    test_scale();
    test_scale_flat();
    test_scale_source();

    return unit_done();
}


static void
test_alloc(void)
{
    ngx_uint_t           i, bad;
    ngx_vidcast_image_t  image;

    static const uint32_t  refused[][2] = {
        { 0, 1 }, { 1, 0 }, { 0, 0 },
        { NGX_VIDCAST_MAX_DIMENSION + 1, 1 },
        { 1, NGX_VIDCAST_MAX_DIMENSION + 1 },
        { UINT32_MAX, UINT32_MAX }, { 0x80000000, 2 }
    };

    bad = 0;

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {

        if (ngx_vidcast_image_alloc(&image, sizes[i][0], sizes[i][1], 0)
            != NGX_OK)
        {
            bad++;
            continue;
        }

        bad += test_planes(&image);

        ngx_vidcast_image_free(&image);

        bad += (image.plane[0] != NULL || image.width != 0);

        if (ngx_vidcast_image_alloc(&image, sizes[i][0], sizes[i][1], 1)
            != NGX_OK)
        {
            bad++;
            continue;
        }

        bad += (image.plane[1] != NULL || image.plane[2] != NULL);
        bad += test_planes(&image);

        ngx_vidcast_image_free(&image);
    }

    unit_ok(bad == 0, "planes are aligned, apart and large enough");

    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        memset(&image, 0xff, sizeof(ngx_vidcast_image_t));

        unit_ok(ngx_vidcast_image_alloc(&image, refused[i][0], refused[i][1],
                                        0)
                == NGX_ERROR && image.plane[0] == NULL,
                "no picture of %ux%u", refused[i][0], refused[i][1]);

        ngx_vidcast_image_free(&image);
    }

    memset(&image, 0, sizeof(ngx_vidcast_image_t));
    ngx_vidcast_image_free(&image);
    ngx_vidcast_image_free(&image);

    unit_ok(image.plane[0] == NULL, "nothing can be freed, twice");
}


/* chroma of two rows is their mean, and of the last odd row its own */

static void
test_yuyv(void)
{
    int                   want;
    u_char               *src;
    size_t                stride, i, k;
    uint32_t              w, h, x, y, c, next;
    ngx_uint_t            n, pad, luma, chroma;
    ngx_vidcast_image_t   image;

    for (n = 0; n < sizeof(sizes) / sizeof(sizes[0]); n++) {
        luma = 0;
        chroma = 0;

        w = sizes[n][0];
        h = sizes[n][1];

        for (pad = 0; pad < 2; pad++) {
            stride = (w + 1) / 2 * 4 + pad * 12;

            /* the last row without its padding */

            k = stride * h - pad * 12;
            src = malloc(k);

            for (i = 0; i < k; i++) {
                src[i] = test_random(256);
            }

            if (ngx_vidcast_image_alloc(&image, w, h, 0) != NGX_OK) {
                exit(2);
            }

            ngx_vidcast_image_from_yuyv(&image, src, stride);

            for (y = 0; y < h; y++) {
                for (x = 0; x < w; x++) {
                    luma += (image.plane[0][y * image.stride[0] + x]
                             != src[y * stride + 2 * x]);
                }
            }

            for (c = 1; c <= 2; c++) {
                for (y = 0; y < (h + 1) / 2; y++) {
                    for (x = 0; x < (w + 1) / 2; x++) {

                        next = ngx_min(2 * y + 1, h - 1);
                        i = 4 * x + 2 * c - 1;

                        want = (src[2 * y * stride + i]
                                + src[next * stride + i] + 1) / 2;

                        chroma += (image.plane[c][y * image.stride[c] + x]
                                   != want);
                    }
                }
            }

            ngx_vidcast_image_free(&image);
            free(src);
        }

        unit_ok(luma == 0, "YUYV %ux%u: luma", w, h);
        unit_ok(chroma == 0, "YUYV %ux%u: chroma", w, h);
    }
}


static void
test_i420(void)
{
    u_char               *src, *p;
    size_t                stride, chroma, i, k;
    uint32_t              w, h, c, x, y;
    ngx_uint_t            n, pad, bad;
    ngx_vidcast_image_t   image;

    for (n = 0; n < sizeof(sizes) / sizeof(sizes[0]); n++) {
        bad = 0;

        for (pad = 0; pad < 2; pad++) {
            w = sizes[n][0];
            h = sizes[n][1];

            stride = w + pad * 32;
            chroma = (stride + 1) / 2;

            /* the very last row without its padding */

            k = stride * h + 2 * chroma * ((h + 1) / 2)
                - (chroma - (w + 1) / 2);
            src = malloc(k);

            for (i = 0; i < k; i++) {
                src[i] = test_random(256);
            }

            if (ngx_vidcast_image_alloc(&image, w, h, 0) != NGX_OK) {
                exit(2);
            }

            ngx_vidcast_image_from_i420(&image, src, stride);

            p = src;

            for (c = 0; c < 3; c++) {

                for (y = 0; y < h; y++) {
                    for (x = 0; x < w; x++) {
                        bad += (image.plane[c][y * image.stride[c] + x]
                                != p[x]);
                    }

                    p += c ? chroma : stride;
                }

                if (c == 0) {
                    w = (w + 1) / 2;
                    h = (h + 1) / 2;
                }
            }

            ngx_vidcast_image_free(&image);
            free(src);
        }

        unit_ok(bad == 0, "I420 %ux%u", sizes[n][0], sizes[n][1]);
    }
}


/* all values, in all places of a row, and none behind its end */

static void
test_range(void)
{
    u_char               *p, luma[256], chroma[256], plain[2][256];
    uint32_t              width, x, y, plane, n, wrong;
    ngx_vidcast_image_t   image;

    for (n = 0; n < 256; n++) {
        x = ngx_min(ngx_max(n, 16), 235) - 16;
        luma[n] = (x * 255 * 2 + 219) / (219 * 2);

        x = ngx_min(ngx_max(n, 16), 240) - 16;
        chroma[n] = (x * 255 * 2 + 224) / (224 * 2);
    }

    for (width = 1; width < 140; width++) {

        (void) ngx_vidcast_image_alloc(&image, width, 7, 0);

        for (plane = 0; plane < 3; plane++) {
            for (x = 0; x < image.stride[plane] * (plane ? 4 : 7); x++) {
                image.plane[plane][x] = x * 11 + width;
            }
        }

        ngx_vidcast_image_expand_range(&image);

        wrong = 0;

        for (plane = 0; plane < 3; plane++) {
            for (y = 0; y < (plane ? 4u : 7u); y++) {
                p = image.plane[plane] + y * image.stride[plane];

                for (x = 0; x < image.stride[plane]; x++) {
                    n = (y * image.stride[plane] + x) * 11 + width;
                    n &= 255;

                    if (x < (plane ? (width + 1) / 2 : width)) {
                        n = plane ? chroma[n] : luma[n];
                    }

                    wrong += (p[x] != n);
                }
            }
        }

        if (wrong) {
            break;
        }

        ngx_vidcast_image_free(&image);
    }

    unit_ok(width == 140, "the range is stretched, rounded, in rows of 1 to "
            "139 pixels");

    /* what processors without AVX2 run */

    for (n = 0; n < 256; n++) {
        plain[0][n] = n;
        plain[1][n] = n;
    }

    ngx_vidcast_image_expand_luma(plain[0], 256 / NGX_VIDCAST_IMAGE_BLOCK);
    ngx_vidcast_image_expand_chroma(plain[1], 256 / NGX_VIDCAST_IMAGE_BLOCK);

    unit_ok(memcmp(plain[0], luma, 256) == 0
            && memcmp(plain[1], chroma, 256) == 0,
            "and by any processor");
}


/* by whole numbers: each pixel is the mean of its area */

static void
test_scale(void)
{
    int                  d, worst;
    uint32_t             f, w, h, x, y, i, k, sum;
    ngx_vidcast_image_t  src, dst;

    static const uint32_t  factors[] = { 1, 2, 3, 4, 5, 7, 8, 16 };

    for (f = 0; f < sizeof(factors) / sizeof(factors[0]); f++) {
        k = factors[f];
        w = 37;
        h = 23;

        if (ngx_vidcast_image_alloc(&src, w * k, h * k, 1) != NGX_OK
            || ngx_vidcast_image_alloc(&dst, w, h, 1) != NGX_OK)
        {
            exit(2);
        }

        for (i = 0; i < src.stride[0] * src.height; i++) {
            src.plane[0][i] = test_random(256);
        }

        ngx_vidcast_image_scale_luma(&src, &dst);

        worst = 0;

        for (y = 0; y < h; y++) {
            for (x = 0; x < w; x++) {

                for (sum = 0, i = 0; i < k * k; i++) {
                    sum += src.plane[0][(y * k + i / k) * src.stride[0]
                                        + x * k + i % k];
                }

                d = dst.plane[0][y * dst.stride[0] + x]
                    - (int) ((sum + k * k / 2) / (k * k));

                worst = ngx_max(worst, ngx_abs(d));
            }
        }

        unit_ok(worst <= 2, "1/%u is the mean of each area (%d)", k, worst);

        ngx_vidcast_image_free(&src);
        ngx_vidcast_image_free(&dst);
    }
}


/* at any proportion nothing gets brighter or darker, at no edge either */

static void
test_scale_flat(void)
{
    uint32_t             i, x, y;
    ngx_uint_t           n, bad;
    ngx_vidcast_image_t  src, dst;

    bad = 0;

    for (n = 0; n < 300; n++) {

        if (ngx_vidcast_image_alloc(&src, 1 + test_random(300),
                                    1 + test_random(200), 1)
            != NGX_OK
            || ngx_vidcast_image_alloc(&dst, 1 + test_random(300),
                                       1 + test_random(200), 1)
               != NGX_OK)
        {
            exit(2);
        }

        /* what pads the rows must not get in */

        memset(src.plane[0], 0, src.stride[0] * src.height);
        memset(dst.plane[0], 0, dst.stride[0] * dst.height);

        for (i = 0; i < src.height; i++) {
            memset(src.plane[0] + i * src.stride[0], 200, src.width);
        }

        ngx_vidcast_image_scale_luma(&src, &dst);

        for (y = 0; y < dst.height; y++) {
            for (x = 0; x < dst.width; x++) {
                i = dst.plane[0][y * dst.stride[0] + x];
                bad += (i < 199 || i > 201);
            }
        }

        ngx_vidcast_image_free(&src);
        ngx_vidcast_image_free(&dst);
    }

    unit_ok(bad == 0, "300 proportions of a flat picture");
}


/* luma of I420 will do as a source */

static void
test_scale_source(void)
{
    ngx_uint_t           i, bad;
    ngx_vidcast_image_t  src, gray, one, two;

    if (ngx_vidcast_image_alloc(&src, 161, 91, 0) != NGX_OK
        || ngx_vidcast_image_alloc(&one, 40, 30, 1) != NGX_OK
        || ngx_vidcast_image_alloc(&two, 40, 30, 1) != NGX_OK)
    {
        exit(2);
    }

    for (i = 0; i < src.stride[0] * src.height; i++) {
        src.plane[0][i] = test_random(256);
    }

    gray = src;
    gray.plane[1] = NULL;
    gray.plane[2] = NULL;

    ngx_vidcast_image_scale_luma(&src, &one);
    ngx_vidcast_image_scale_luma(&gray, &two);

    bad = 0;

    for (i = 0; i < 30; i++) {
        bad += (memcmp(one.plane[0] + i * one.stride[0],
                       two.plane[0] + i * two.stride[0], 40)
                != 0);
    }

    unit_ok(bad == 0, "I420 and GRAY8 scale alike");

    ngx_vidcast_image_free(&src);
    ngx_vidcast_image_free(&one);
    ngx_vidcast_image_free(&two);
}


/* alignment, and that no plane reaches into the next one: faults found */

static ngx_uint_t
test_planes(const ngx_vidcast_image_t *image)
{
    uint32_t    c, w, h, y;
    ngx_uint_t  bad;

    bad = 0;

    for (c = 0; c < 3 && image->plane[c]; c++) {
        w = c ? (image->width + 1) / 2 : image->width;
        h = c ? (image->height + 1) / 2 : image->height;

        bad += (image->stride[c] < w || image->stride[c] % 64 != 0
                || (uintptr_t) image->plane[c] % 64 != 0);

        for (y = 0; y < h; y++) {
            memset(image->plane[c] + y * image->stride[c], c + 1, w);
        }
    }

    for (c = 0; c < 3 && image->plane[c]; c++) {
        w = c ? (image->width + 1) / 2 : image->width;
        h = c ? (image->height + 1) / 2 : image->height;

        for (y = 0; y < h; y++) {
            bad += (image->plane[c][y * image->stride[c]] != c + 1
                    || image->plane[c][y * image->stride[c] + w - 1]
                       != c + 1);
        }
    }

    return bad;
}


static uint32_t
test_random(uint32_t n)
{
    seed = seed * 1664525 + 1013904223;

    return (uint32_t) (((uint64_t) seed * n) >> 32);
}
