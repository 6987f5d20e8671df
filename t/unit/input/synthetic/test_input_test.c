
/*
 * Copyright (C) vidcast contributors
 */


/*
 * The input "test:" is what nearly all tests watch: its parameters must be
 * taken within their bounds, no frame may be missing unless it says so, and
 * each picture must bear its number.
 */

#include "unit_image.h"
#include "input/synthetic/ngx_vidcast_test_background.c"
#include "input/synthetic/ngx_vidcast_test_pattern.c"
#include "input/synthetic/ngx_vidcast_input_test.c"

#include "unit.h"


static ngx_pool_t  *pool;


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


int
main(void)
{
    pool = ngx_create_pool(4096, ngx_cycle->log);

    test_input();

    ngx_destroy_pool(pool);

    return unit_done();
}
