
/*
 * Copyright (C) vidcast contributors
 */


/*
 * The synthetic camera is the measure for what predicts and for what shows
 * boxes, so its pictures must be what its boxes say: here that is checked
 * pixel by pixel, for any size, in any order, next to the input built on it.
 */

#include "media/ngx_vidcast_image.c"
#include "input/synthetic/ngx_vidcast_test_background.c"
#include "input/synthetic/ngx_vidcast_test_pattern.c"
#include "input/synthetic/ngx_vidcast_input_test.c"

#include "unit.h"


/* the others of the table of inputs, which are not called here */



static ngx_pool_t          *pool;


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


/* the digit that is drawn at a place of the text; -1: none */

static ngx_int_t
read_digit(ngx_vidcast_image_t *image, ngx_uint_t place)
{
    u_char      *p, ink;
    uint32_t     scale, row, column;
    ngx_uint_t   digit, bad;

    scale = ngx_vidcast_test_pattern_text_scale(image->width, image->height);

    for (digit = 0; digit < 10; digit++) {
        bad = 0;

        for (row = 0; row < 7; row++) {
            for (column = 0; column < 5; column++) {
                p = image->plane[0] + (2 + row) * scale * image->stride[0]
                    + (2 + place * 6 + column) * scale;

                ink = ngx_vidcast_test_pattern_digits[digit][row]
                          >> (4 - column)
                      & 1;

                bad += (ink != (*p > 150));
            }
        }

        if (bad == 0) {
            return digit;
        }
    }

    return -1;
}


static ngx_int_t
read_number(ngx_vidcast_image_t *image)
{
    ngx_int_t   n, digit;
    ngx_uint_t  i;

    n = 0;

    for (i = 1; i <= 6; i++) {
        digit = read_digit(image, i);

        if (digit < 0) {
            return NGX_ERROR;
        }

        n = n * 10 + digit;
    }

    return n;
}


static ngx_int_t
set(ngx_vidcast_input_conf_t *conf, char *name, char *value)
{
    ngx_str_t  n, v;

    n.data = (u_char *) name;
    n.len = strlen(name);
    v.data = (u_char *) value;
    v.len = strlen(value);

    return ngx_vidcast_input_test.set(conf, &n, &v);
}


static void
test_input(void)
{
    u_char                     error[NGX_VIDCAST_ERROR_LEN];
    uint64_t                   deadline, last;
    ngx_int_t                  rc;
    ngx_uint_t                 n, bad;
    ngx_vidcast_image_t        image;
    ngx_vidcast_input_t        in;
    ngx_vidcast_picture_t      picture;
    ngx_vidcast_input_test_t  *test;
    ngx_vidcast_input_conf_t   conf;

    ngx_memzero(&conf, sizeof(conf));
    ngx_memzero(&in, sizeof(in));

    conf.params = ngx_vidcast_input_test.create_params(pool);
    in.conf = &conf;
    in.log = ngx_cycle->log;

    unit_ok(ngx_vidcast_input_test.check(&conf, error) == NGX_OK
            && ngx_vidcast_input_test.open(&in) == NGX_OK
            && in.width == 640 && in.height == 480 && in.fps == 30
            && in.format == NGX_VIDCAST_INPUT_I420,
            "640x480 at 30 by default");

    ngx_vidcast_input_test.close(&in);

    unit_ok(set(&conf, "size", "321x243") == NGX_OK, "size");
    unit_ok(set(&conf, "size", "321") == NGX_ERROR, "half a size");
    unit_ok(set(&conf, "fps", "500") == NGX_OK, "fps");
    unit_ok(set(&conf, "fps", "-1") == NGX_ERROR, "fps -1");
    unit_ok(set(&conf, "noise", "5") == NGX_OK, "noise");
    unit_ok(set(&conf, "noise", "21") == NGX_ERROR, "noise 21");
    unit_ok(set(&conf, "shapes", "16") == NGX_OK, "shapes");
    unit_ok(set(&conf, "shapes", "17") == NGX_ERROR, "shapes 17");
    unit_ok(set(&conf, "shapes", "x") == NGX_ERROR, "shapes x");
    unit_ok(set(&conf, "color", "1") == NGX_DECLINED, "an unknown name");

    ngx_str_set(&conf.path, "x");
    unit_ok(ngx_vidcast_input_test.check(&conf, error) == NGX_ERROR,
            "a path is refused: %s", error);
    ngx_str_null(&conf.path);

    (void) set(&conf, "size", "15x100");
    unit_ok(ngx_vidcast_input_test.check(&conf, error) == NGX_ERROR,
            "a size too small is refused: %s", error);

    (void) set(&conf, "size", "321x243");

    if (ngx_vidcast_input_test.open(&in) != NGX_OK) {
        printf("Bail out! %s\n", in.error);
        exit(1);
    }

    (void) ngx_vidcast_image_alloc(&image, in.width, in.height, 0);

    picture.image = &image;

    deadline = ngx_vidcast_clock() + 20 * 1000000;
    last = 0;
    bad = 0;

    for (n = 0; n < 25 && ngx_vidcast_clock() < deadline; /* void */) {
        rc = ngx_vidcast_input_test.grab(&in, &picture);

        if (rc == NGX_AGAIN) {
            continue;
        }

        bad += (rc != NGX_OK || read_number(&image) != (ngx_int_t) n
                || picture.time <= last);

        last = picture.time;
        n++;
    }

    unit_ok(n == 25 && bad == 0, "frames are counted from 0, and say so");

    test = in.data;
    test->due = ngx_vidcast_clock() - 1000000;
    in.dropped.late = 0;

    rc = ngx_vidcast_input_test.grab(&in, &picture);

    unit_ok(rc == NGX_OK && in.dropped.late >= 499,
            "a second late, it has lost %u frames", in.dropped.late);

    ngx_vidcast_input_test.close(&in);
    ngx_vidcast_image_free(&image);
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
    pool = ngx_create_pool(4096, ngx_cycle->log);

    test_boxes();

    test_pixels(640, 480);
    test_pixels(321, 243);
    test_pixels(17, 16);
    test_pixels(100, 333);

    test_noise(0);
    test_noise(2);
    test_noise(NGX_VIDCAST_TEST_PATTERN_MAX_NOISE);

    test_input();

    tell_cpu(640, 480);
    tell_cpu(1280, 720);

    ngx_destroy_pool(pool);

    return unit_done();
}
