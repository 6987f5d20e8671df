
/*
 * Copyright (C) vidcast contributors
 */


/*
 * A detector that cries wolf is switched off.  What must not become a box of
 * the motion predictor: noise, changes of light, the place of a thing that has
 * left; and what must go on being one: a thing that moves slowly.
 */

#include "unit_motion.h"


/*
 * A texture of our own, so that light, noise and things are in our hands: gray
 * levels are base * light + noise, and a flat square of 60 pixels at x, y.
 */

static void
paint(rig_t *rig, double light, double noise, int x, int y)
{
    int       level;
    double    n;
    u_char   *p;
    uint32_t  i, j, hash;

    for (j = 0; j < rig->height; j++) {
        p = rig->frame.plane[0] + (size_t) j * rig->frame.stride[0];

        for (i = 0; i < rig->width; i++) {
            hash = ngx_vidcast_test_background_hash(i, j, rig->number);

            n = (double) ((hash & 0xff) + (hash >> 8 & 0xff)
                          + (hash >> 16 & 0xff) + (hash >> 24)) - 510;

            level = 40 + 120 * i / rig->width
                    + ngx_vidcast_test_background_hash(i / 16, j / 16, 1) % 50;

            if (x >= 0 && (int) i >= x && (int) i < x + 60
                && (int) j >= y && (int) j < y + 60)
            {
                level = 240;
            }

            level = level * light + n / 147.8 * noise + 0.5;

            p[i] = ngx_max(0, ngx_min(level, 255));
        }
    }
}


/* "n" frames of it without a square; how many of them had a box */

static ngx_uint_t
still(rig_t *rig, ngx_uint_t n, double light, double noise)
{
    ngx_uint_t  wrong;

    for (wrong = 0; n; n--) {
        paint(rig, light, noise, -1, 0);

        wrong += (rig_frame(rig) != 0);
    }

    return wrong;
}


/* is there one answer, and that for the square? */

static ngx_uint_t
sees_square(rig_t *rig, double light, double noise, int x, int y)
{
    ngx_vidcast_test_pattern_box_t  box;

    box.x = x;
    box.y = y;
    box.width = 60;
    box.height = 60;

    paint(rig, light, noise, x, y);

    return rig_frame(rig) == 1 && iou(&rig->answers[0], &box) >= 0.6;
}


static void
test_noise(void)
{
    rig_t       rig;
    ngx_uint_t  n;

    rig_open(&rig, 320, 240);

    unit_ok(still(&rig, 200, 1, 20) == 0, "strong noise makes no box");

    n = sees_square(&rig, 1, 20, 100, 100);

    unit_ok(n == 1, "a square is seen through it");

    (void) still(&rig, 10, 1, 20);

    unit_ok(still(&rig, 100, 1, 35) == 0, "nor when it grows");

    rig_close(&rig);
}


static void
test_ramp(void)
{
    rig_t       rig;
    ngx_uint_t  i, wrong;

    rig_open(&rig, 320, 240);

    (void) still(&rig, LEARNING, 0.5, 3);

    wrong = 0;

    for (i = 0; i < 600; i++) {
        wrong += still(&rig, 1, 0.5 + 0.6 * i / 600, 3);
    }

    unit_ok(wrong == 0, "light that doubles within 20 s makes no box");
    unit_ok(sees_square(&rig, 1.1, 3, 40, 100), "a square is seen after it");

    rig_close(&rig);
}


static void
test_switch(void)
{
    rig_t       rig;
    ngx_uint_t  i, seen;

    rig_open(&rig, 320, 240);

    (void) still(&rig, LEARNING, 1, 3);

    seen = still(&rig, LEARNING, 0.5, 3);

    unit_ok(seen == 0, "lights switched off make no box");

    for (i = 0; i < 50; i++) {
        seen += sees_square(&rig, 0.5, 3, 20 + 4 * i, 100);
    }

    unit_ok(seen == 50, "2 s later squares are seen again");

    (void) still(&rig, 10, 0.5, 3);

    /* one bright frame, as lightning makes it */

    (void) still(&rig, 1, 1.5, 3);

    unit_ok(still(&rig, 3, 0.5, 3) == 0
            && sees_square(&rig, 0.5, 3, 40, 100), "a flash costs nothing");

    rig_close(&rig);
}


static void
test_slow(void)
{
    rig_t       rig;
    ngx_uint_t  i, seen;

    rig_open(&rig, 320, 240);

    (void) still(&rig, LEARNING, 1, 3);

    seen = 0;

    for (i = 0; i < 900; i++) {
        seen += sees_square(&rig, 1, 3, 20 + i / 10, 100);
    }

    unit_ok(seen == 900, "a square is seen for 30 s at 3 pixels a second");

    rig_close(&rig);
}


/* what parks there while the camera is closed has not been seen to move */

static void
test_sleep(void)
{
    rig_t       rig;
    ngx_uint_t  i, wrong;

    rig_open(&rig, 320, 240);

    (void) still(&rig, LEARNING, 1, 3);

    unit_ok(sees_square(&rig, 1, 3, 100, 100),
            "a square that came while we looked is seen");

    (void) still(&rig, 10, 1, 3);

    rig.anew = 1;
    wrong = 0;

    for (i = 0; i < LEARNING + 100; i++) {
        paint(&rig, 1, 3, 100, 100);
        wrong += (rig_frame(&rig) != 0);
    }

    unit_ok(wrong == 0, "one that came while we slept is none");
    unit_ok(sees_square(&rig, 1, 3, 100, 160) || rig.nanswers,
            "it is one when it moves");

    rig_close(&rig);
}


static void
test_ghost(void)
{
    rig_t       rig;
    ngx_uint_t  i, wrong;

    rig_open(&rig, 320, 240);

    for (i = 0; i < LEARNING; i++) {
        paint(&rig, 1, 3, 50, 80);
        (void) rig_frame(&rig);
    }

    unit_ok(still(&rig, 60, 1, 3) <= 2,
            "a thing that was there from the start leaves no ghost");

    wrong = 0;

    for (i = 0; i < 60; i++) {
        wrong += !sees_square(&rig, 1, 3, 200, 80);
    }

    unit_ok(wrong == 0, "a thing that comes is seen");

    for (i = 0; i < 300; i++) {
        paint(&rig, 1, 3, 200, 80);
        (void) rig_frame(&rig);
    }

    unit_ok(rig.nanswers == 0, "it is background once it has stayed");
    unit_ok(still(&rig, 60, 1, 3) <= 2, "and leaves no ghost");

    rig_close(&rig);
}


static void
test_sizes(void)
{
    rig_t                rig;
    ngx_int_t            bad;
    ngx_uint_t           i, n;
    ngx_vidcast_image_t  image;

    static uint32_t      sizes[][2] = {
        { 1, 1 }, { 3, 2 }, { 16384, 1 }, { 1, 16384 }, { 64, 64 }, { 65, 3 },
        { 129, 63 }
    };

    rig_open(&rig, 16384, 16384);

    bad = 0;

    for (n = 0; n < sizeof(sizes) / sizeof(sizes[0]); n++) {
        (void) ngx_vidcast_image_alloc(&image, sizes[n][0], sizes[n][1], 1);

        for (i = 0; i < 120; i++) {

            /* after learning a third of it, then all of it, changes */

            ngx_memset(image.plane[0], i % 7, image.stride[0] * image.height);

            if (i > 60) {
                ngx_memset(image.plane[0], 200,
                           image.stride[0] * image.height
                           / (i > 90 ? 1 : 3));
            }

            bad += (rig_predict(&rig, &image) < 0);
        }

        ngx_vidcast_image_free(&image);
    }

    unit_ok(bad == 0, "every size has an answer, and may change");

    rig_close(&rig);
}


/* so many pixels of one gray level that 16 bits do not count them */

static void
test_tall(void)
{
    rig_t                 rig;
    u_char               *p;
    ngx_uint_t            i, y;
    ngx_vidcast_image_t  *image;

    rig_open(&rig, 256, 16384);

    image = &rig.small;

    for (i = 0; i < 40; i++) {
        ngx_memset(image->plane[0], 100, image->stride[0] * image->height);
        (void) rig_predict(&rig, image);
    }

    ngx_memset(image->plane[0], 150, image->stride[0] * image->height);

    for (y = 1000; y < 1200; y++) {
        p = image->plane[0] + y * image->stride[0];
        ngx_memset(p + 50, 20, 100);
    }

    unit_ok(rig_predict(&rig, image) == 1,
            "a thing is seen in another light, in a tall picture");

    rig_close(&rig);
}


static ngx_int_t
set(rig_t *rig, char *name, char *value)
{
    ngx_str_t  n, v;

    n.data = (u_char *) name;
    n.len = strlen(name);
    v.data = (u_char *) value;
    v.len = strlen(value);

    return rig->conf.module->set(&rig->conf, &n, &v);
}


static void
test_params(void)
{
    rig_t  rig;

    rig_open(&rig, 320, 240);

    unit_ok(set(&rig, "threshold", "40") == NGX_OK, "threshold");
    unit_ok(set(&rig, "threshold", "0") == NGX_ERROR, "threshold 0");
    unit_ok(set(&rig, "threshold", "256") == NGX_ERROR, "threshold 256");
    unit_ok(set(&rig, "threshold", "x") == NGX_ERROR, "threshold x");
    unit_ok(set(&rig, "area", "0.2") == NGX_OK, "area");
    unit_ok(set(&rig, "area", "1.1") == NGX_ERROR, "area 1.1");
    unit_ok(set(&rig, "area", "") == NGX_ERROR, "area of nothing");
    unit_ok(set(&rig, "areas", "1") == NGX_DECLINED, "an unknown name");

    (void) still(&rig, LEARNING, 1, 3);

    unit_ok(!sees_square(&rig, 1, 3, 100, 100), "the square is too small");

    (void) set(&rig, "area", "0.01");

    rig.conf.module->close(&rig.predict);
    (void) rig.conf.module->open(&rig.predict);

    (void) still(&rig, LEARNING, 1, 3);

    unit_ok(sees_square(&rig, 1, 3, 100, 100), "with less area it is not");

    rig_close(&rig);
}


/* with many boxes, every size of the room given ends in whole JSON */

static void
test_room(void)
{
    rig_t                 rig;
    u_char                json[4097];
    size_t                size, room;
    ngx_uint_t            i, max, bad;
    ngx_vidcast_sample_t  sample;
    ngx_vidcast_box_t     boxes[20];

    rig_open(&rig, 1000, 1000);

    (void) rig_set(&rig, "zone", "all:0,0,1,0,1,1,0,1");
    (void) rig_set(&rig, "zone", "upper-left:0,0,1,0,0,1");

    sample.image = &rig.small;
    sample.time = 1;
    sample.width = 1000;
    sample.height = 1000;

    for (i = 0; i < 20; i++) {
        boxes[i].component.x = 10 * i;
        boxes[i].component.y = 5 * i;
        boxes[i].component.right = 10 * i + 7;
        boxes[i].component.bottom = 5 * i + 9;
        boxes[i].score = 100 - i;
    }

    ngx_vidcast_predict_motion_track(&rig.predict, &sample, boxes, 20);

    max = 0;
    bad = 0;

    for (room = 0; room <= 4096; room++) {
        ngx_memset(json, 'x', sizeof(json));

        size = ngx_vidcast_predict_motion_print(&rig.predict, &sample, json,
                                                room);

        bad += (size > room || json[room] != 'x' || (size == 0) != (room < 17));

        if (size == 0) {
            continue;
        }

        json[size] = '\0';

        bad += (rig_parse(&rig, (char *) json) != NGX_OK
                || rig.nanswers < max);

        max = rig.nanswers;
    }

    unit_ok(bad == 0, "JSON is whole in any room");
    unit_ok(max == 20, "all boxes are told where they fit");

    rig_close(&rig);
}


int
main(void)
{
    pool = ngx_create_pool(4096, ngx_cycle->log);

    test_noise();
    test_ramp();
    test_switch();
    test_slow();
    test_sleep();
    test_ghost();
    test_sizes();
    test_tall();
    test_params();
    test_room();

    ngx_destroy_pool(pool);

    return unit_done();
}
