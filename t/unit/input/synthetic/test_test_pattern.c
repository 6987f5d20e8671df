
/*
 * Copyright (C) vidcast contributors
 */


/*
 * The synthetic camera is the measure for what predicts and for what shows
 * boxes, so its pictures must be what its boxes say: here that is checked
 * pixel by pixel, for any size, in any order.
 */

#include "unit_image.h"
#include "input/synthetic/ngx_vidcast_test_background.c"
#include "input/synthetic/ngx_vidcast_test_pattern.c"

#include "unit.h"


static void
render(ngx_vidcast_test_pattern_t *tp, uint64_t number, const char *text,
    ngx_vidcast_image_t *image)
{
    ngx_str_t  str;

    str.data = (u_char *) text;
    str.len = strlen(text);

    ngx_vidcast_test_pattern_render(tp, number, &str, image);
}


/* the box around all pixels of luma which differ; NGX_DECLINED: none do */

static ngx_int_t
difference(ngx_vidcast_image_t *a, ngx_vidcast_image_t *b,
    ngx_vidcast_test_pattern_box_t *box)
{
    uint32_t  x, y, left, right, top, bottom;

    left = top = NGX_VIDCAST_MAX_DIMENSION;
    right = bottom = 0;

    for (y = 0; y < a->height; y++) {
        for (x = 0; x < a->width; x++) {

            if (a->plane[0][y * a->stride[0] + x]
                == b->plane[0][y * b->stride[0] + x])
            {
                continue;
            }

            left = ngx_min(left, x);
            right = ngx_max(right, x + 1);
            top = ngx_min(top, y);
            bottom = ngx_max(bottom, y + 1);
        }
    }

    if (right == 0) {
        return NGX_DECLINED;
    }

    box->x = left;
    box->y = top;
    box->width = right - left;
    box->height = bottom - top;

    return NGX_OK;
}


static ngx_uint_t
same(ngx_vidcast_image_t *a, ngx_vidcast_image_t *b)
{
    uint32_t    y, width, height;
    ngx_uint_t  i;

    for (i = 0; i < 3; i++) {
        width = i ? (a->width + 1) / 2 : a->width;
        height = i ? (a->height + 1) / 2 : a->height;

        for (y = 0; y < height; y++) {
            if (ngx_memcmp(a->plane[i] + y * a->stride[i],
                           b->plane[i] + y * b->stride[i], width)
                != 0)
            {
                return 0;
            }
        }
    }

    return 1;
}


static void
test_boxes(void)
{
    uint64_t                        n;
    ngx_uint_t                      i, s, bad, slow;
    ngx_vidcast_test_pattern_box_t  boxes[NGX_VIDCAST_TEST_PATTERN_MAX_SHAPES];
    ngx_vidcast_test_pattern_box_t  later[NGX_VIDCAST_TEST_PATTERN_MAX_SHAPES];

    static uint32_t          sizes[][2] = {
        { 16, 16 }, { 17, 19 }, { 160, 120 }, { 640, 480 }, { 641, 479 },
        { 1280, 720 }, { 480, 1280 }, { 16384, 16 }, { 16, 16384 },
        { 16384, 16384 }
    };

    bad = 0;
    slow = 0;

    for (s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        for (n = (s % 2) ? 0 : UINT64_MAX - 3000; n % 3000 != 2999; n++) {

            ngx_vidcast_test_pattern_boxes(n, sizes[s][0], sizes[s][1],
                                           NGX_VIDCAST_TEST_PATTERN_MAX_SHAPES,
                                           boxes);

            for (i = 0; i < NGX_VIDCAST_TEST_PATTERN_MAX_SHAPES; i++) {
                bad += (boxes[i].width == 0 || boxes[i].height == 0
                        || boxes[i].x + boxes[i].width > sizes[s][0]
                        || boxes[i].y + boxes[i].height > sizes[s][1]);
            }
        }
    }

    for (n = 0; n < 3000; n++) {
        ngx_vidcast_test_pattern_boxes(n, 640, 480,
                                       NGX_VIDCAST_TEST_PATTERN_MAX_SHAPES,
                                       boxes);
        ngx_vidcast_test_pattern_boxes(n + 10, 640, 480,
                                       NGX_VIDCAST_TEST_PATTERN_MAX_SHAPES,
                                       later);

        for (i = 0; i < NGX_VIDCAST_TEST_PATTERN_MAX_SHAPES; i++) {
            slow += hypot((double) later[i].x - boxes[i].x,
                          (double) later[i].y - boxes[i].y)
                    < 5;
        }
    }

    unit_ok(bad == 0, "all shapes are whole within frames of any size");
    unit_ok(slow == 0, "none stands still, not even at a turn");
}


static void
test_pixels(uint32_t width, uint32_t height)
{
    uint32_t                         x, y;
    ngx_uint_t                       i, n, bad;
    ngx_vidcast_image_t              with, without;
    ngx_vidcast_test_pattern_t      *tp[4];
    ngx_vidcast_test_pattern_box_t   box, boxes[3], *b;

    (void) ngx_vidcast_image_alloc(&with, width, height, 0);
    (void) ngx_vidcast_image_alloc(&without, width, height, 0);

    for (i = 0; i < 4; i++) {
        tp[i] = ngx_vidcast_test_pattern_create(width, height, i, 0);
    }

    bad = 0;

    for (n = 0; n < 400; n += 7) {
        ngx_vidcast_test_pattern_boxes(n, width, height, 3, boxes);

        render(tp[0], n, "", &without);
        render(tp[1], n, "", &with);

        bad += (difference(&with, &without, &box) != NGX_OK
                || ngx_memcmp(&box, &boxes[0], sizeof(box)) != 0);

        /* with all three, no pixel outside of the boxes is touched */

        render(tp[3], n, "", &with);

        for (i = 0; i < 3; i++) {
            b = &boxes[i];

            for (y = b->y; y < b->y + b->height; y++) {
                for (x = b->x; x < b->x + b->width; x++) {
                    with.plane[0][y * with.stride[0] + x] =
                                without.plane[0][y * without.stride[0] + x];
                }
            }
        }

        bad += (difference(&with, &without, &box) == NGX_OK);
    }

    unit_ok(bad == 0, "pixels are where the boxes of %dx%d say", width,
            height);

    /* a fresh test pattern and one that has drawn much agree */

    render(tp[2], 5000, "#0123456789  12:34:56.789", &with);
    ngx_vidcast_test_pattern_destroy(tp[3]);
    tp[3] = ngx_vidcast_test_pattern_create(width, height, 2, 0);

    for (n = 0; n < 200; n += 3) {
        render(tp[3], n, "####### 8888 ####", &without);
    }

    render(tp[3], 5000, "#0123456789  12:34:56.789", &without);

    unit_ok(same(&with, &without), "nothing is left of earlier frames");

    for (i = 0; i < 4; i++) {
        ngx_vidcast_test_pattern_destroy(tp[i]);
    }

    ngx_vidcast_image_free(&with);
    ngx_vidcast_image_free(&without);
}


static void
test_noise(ngx_uint_t noise)
{
    double                       d, sum, squares;
    uint32_t                     x, y;
    ngx_vidcast_image_t          a, b;
    ngx_vidcast_test_pattern_t  *tp;

    (void) ngx_vidcast_image_alloc(&a, 333, 241, 0);
    (void) ngx_vidcast_image_alloc(&b, 333, 241, 0);

    tp = ngx_vidcast_test_pattern_create(333, 241, 0, noise);

    render(tp, 1, "", &a);
    render(tp, 2, "", &b);

    sum = 0;
    squares = 0;

    for (y = 0; y < a.height; y++) {
        for (x = 0; x < a.width; x++) {
            d = (double) a.plane[0][y * a.stride[0] + x]
                - b.plane[0][y * b.stride[0] + x];
            sum += d;
            squares += d * d;
        }
    }

    /* of a difference the deviation is sqrt(2) times as large */

    d = sqrt(squares / (333 * 241) / 2);

    printf("# noise %d: deviation %.2f\n", (int) noise, d);

    unit_ok(fabs(d - noise) < 0.1 * noise + 0.3, "noise is as strong as asked");
    unit_ok(fabs(sum / (333 * 241)) < 0.1 * noise + 0.01, "and has no bias");

    render(tp, 1, "", &b);

    unit_ok(same(&a, &b), "a frame of the same number is the same");

    ngx_vidcast_test_pattern_destroy(tp);
    ngx_vidcast_image_free(&a);
    ngx_vidcast_image_free(&b);
}


static void
tell_cpu(uint32_t width, uint32_t height)
{
    ngx_uint_t                   i;
    struct timespec              start, end;
    ngx_vidcast_image_t          image;
    ngx_vidcast_test_pattern_t  *tp;

    (void) ngx_vidcast_image_alloc(&image, width, height, 0);

    tp = ngx_vidcast_test_pattern_create(width, height, 3, 2);

    (void) clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);

    for (i = 0; i < 200; i++) {
        render(tp, i, "#012345  12:34:56.789", &image);
    }

    (void) clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);

    printf("# CPU: %.3f ms a frame of %dx%d\n",
           ((end.tv_sec - start.tv_sec) * 1e3
            + (end.tv_nsec - start.tv_nsec) / 1e6) / 200, width, height);

    ngx_vidcast_test_pattern_destroy(tp);
    ngx_vidcast_image_free(&image);
}


int
main(void)
{
    test_boxes();

    test_pixels(640, 480);
    test_pixels(321, 243);
    test_pixels(17, 16);
    test_pixels(100, 333);

    test_noise(0);
    test_noise(2);
    test_noise(NGX_VIDCAST_TEST_PATTERN_MAX_NOISE);

    tell_cpu(640, 480);
    tell_cpu(1280, 720);

    return unit_done();
}
