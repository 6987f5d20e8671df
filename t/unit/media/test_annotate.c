
/*
 * Copyright (C) vidcast contributors
 */


/*
 * Boxes on the server's pictures come from the answers of any predictor, so
 * from anybody: each must be where it says, cut at the borders, whatever the
 * numbers are.
 */

#include "media/ngx_vidcast_annotate.c"
#include "media/ngx_vidcast_font.c"

#include "unit.h"
#include "unit_detections.h"
#include "unit_image.h"


static ngx_vidcast_image_t  image;


static void
blank(uint32_t width, uint32_t height)
{
    ngx_vidcast_image_free(&image);
    ngx_memzero(&image, sizeof(ngx_vidcast_image_t));

    if (ngx_vidcast_image_alloc(&image, width, height, 0) != NGX_OK) {
        exit(1);
    }

    ngx_memset(image.plane[0], 7, (size_t) image.stride[0] * height);
    ngx_memset(image.plane[1], 128,
               (size_t) image.stride[1] * ((height + 1) / 2));
    ngx_memset(image.plane[2], 128,
               (size_t) image.stride[2] * ((height + 1) / 2));
}


static u_char
luma(uint32_t x, uint32_t y)
{
    return image.plane[0][(size_t) y * image.stride[0] + x];
}


/* pixels which are not as blank() left them */

static ngx_uint_t
touched(uint32_t x, uint32_t y, uint32_t right, uint32_t bottom)
{
    uint32_t    i, j;
    ngx_uint_t  n;

    n = 0;

    for (j = y; j < bottom; j++) {
        for (i = x; i < right; i++) {
            n += (luma(i, j) != 7);
        }
    }

    return n;
}


static void
test_place(void)
{
    uint32_t  i, edge;
    u_char    color;

    blank(640, 480);

    read_text("{\"width\":320,\"height\":240,\"result\":{\"detections\":["
              "{\"bbox\":[50,60,40,30]}]}}");
    ngx_vidcast_annotate(&image, &detections);

    color = luma(100, 120);
    edge = 0;

    for (i = 0; i < 80; i++) {
        edge += (luma(100 + i, 120) == color) + (luma(100 + i, 179) == color);
    }

    for (i = 0; i < 60; i++) {
        edge += (luma(100, 120 + i) == color) + (luma(179, 120 + i) == color);
    }

    unit_ok(color != 7 && edge == 280, "the line is on the box's edges");
    unit_ok(touched(0, 0, 640, 480) == 2 * 2 * (80 + 56),
            "2 pixels wide, and nothing else is drawn: %d",
            (int) touched(0, 0, 640, 480));
    unit_ok(image.plane[1][60 * image.stride[1] + 50] != 128
            && image.plane[1][60 * image.stride[1] + 49] == 128,
            "in color");
}


/* filled, in the color of the box, as large as the picture wants it */

static void
test_dots(void)
{
    u_char      color;
    uint32_t    i, row[8];

    static const uint32_t  wanted[] = { 4, 4, 8, 8, 8, 8, 4, 4 };

    blank(640, 480);

    read_text("{\"width\":320,\"height\":240,\"result\":{\"detections\":["
              "{\"label\":\"\",\"bbox\":[200,200,20,20],"
              "\"keypoints\":[[50,60,1],[150,60,0.1],null,[0,0],[-99,9]]}]}}");
    ngx_vidcast_annotate(&image, &detections);

    color = luma(400, 400);

    for (i = 0; i < 8; i++) {
        row[i] = touched(96, 116 + i, 104, 117 + i);
    }

    unit_ok(ngx_memcmp(row, wanted, sizeof(row)) == 0
            && luma(100, 120) == color,
            "a dot is round, and around its point");
    unit_ok(touched(80, 100, 200, 140) == 48
            && image.plane[1][60 * image.stride[1] + 50] != 128
            && image.plane[1][60 * image.stride[1] + 47] == 128
            && image.plane[2][57 * image.stride[2] + 50] == 128,
            "in color, and nothing is around it");
    unit_ok(touched(280, 100, 320, 140) == 0, "none where nobody has seen one");
    unit_ok(touched(0, 0, 20, 20) == 12, "at the edge it is cut: %d",
            (int) touched(0, 0, 20, 20));

    blank(1920, 1080);
    read_text("{\"result\":{\"detections\":[{\"bbox\":[900,900,20,20],"
              "\"keypoints\":[[500,500]]}]}}");
    ngx_vidcast_annotate(&image, &detections);

    unit_ok(touched(480, 500, 520, 501) == 16
            && touched(500, 480, 501, 520) == 16,
            "larger in a larger picture");
}


static void
test_tag(void)
{
    ngx_uint_t  above;

    blank(640, 480);
    read_text("{\"result\":{\"detections\":[{\"label\":\"A\","
              "\"bbox\":[100,100,50,50]}]}}");
    ngx_vidcast_annotate(&image, &detections);

    above = touched(100, 78, 118, 100);

    unit_ok(above == 18 * 22, "a tag is above the box: %d", (int) above);

    /* the A's roof and legs, two pixels a dot */

    unit_ok(luma(104, 82) != NGX_VIDCAST_ANNOTATE_INK
            && luma(106, 82) == NGX_VIDCAST_ANNOTATE_INK
            && luma(111, 83) == NGX_VIDCAST_ANNOTATE_INK
            && luma(104, 95) == NGX_VIDCAST_ANNOTATE_INK
            && luma(108, 95) != NGX_VIDCAST_ANNOTATE_INK
            && luma(112, 95) == NGX_VIDCAST_ANNOTATE_INK,
            "and can be read");

    blank(640, 480);
    read_text("{\"result\":{\"detections\":[{\"label\":\"A\","
              "\"bbox\":[630,4,50,50]}]}}");
    ngx_vidcast_annotate(&image, &detections);

    unit_ok(touched(622, 4, 640, 26) == 18 * 22,
            "at the upper right it is moved into the picture");
}


/* all numbers that JSON can hold, in pictures of odd sizes */

static void
test_any(void)
{
    char                json[512];
    ngx_uint_t          i;

    static const char  *numbers[] = {
        "0", "1", "-1", "3.5", "-100", "17", "100000", "1e18", "-1e18",
        "1e308", "-1e308", "9223372036854775807", "1e-300", "63.99"
    };
    static uint32_t     sizes[][2] = {
        { 1, 1 }, { 2, 3 }, { 17, 5 }, { 64, 48 }, { 641, 479 }
    };

    srandom(11);

    for (i = 0; i < 4000; i++) {

        if (i % 800 == 0) {
            blank(sizes[i / 800][0], sizes[i / 800][1]);
        }

#define any  numbers[random() % 14]

        sprintf(json, "{\"width\":%d,\"height\":%d,\"result\":{\"detections\":["
                "{\"label\":\"%c abc\",\"score\":%s,\"bbox\":[%s,%s,%s,%s],"
                "\"keypoints\":[[%s,%s],[%s,%s,%s]]},"
                "{\"label\":\"\",\"track_id\":1,\"bbox\":[%s,%s,%s,%s]}]}}",
                (int) (random() % 3 * 8000), (int) (random() % 700),
                (int) ('A' + random() % 26), any, any, any, any, any, any, any,
                any, any, any, any, any, any, any);

        read_text(json);
        ngx_vidcast_annotate(&image, &detections);
    }

    unit_ok(1, "%d boxes of any numbers have done no harm", (int) (2 * i));
}


/* every letter is another one, and within its cell */

static void
test_font(void)
{
    ngx_uint_t  i, j, k, wrong;

    wrong = 0;

    for (i = 0; i < NGX_VIDCAST_FONT_GLYPHS; i++) {
        for (j = 0; j < i; j++) {
            wrong += (ngx_memcmp(ngx_vidcast_font[i], ngx_vidcast_font[j],
                                 NGX_VIDCAST_FONT_HEIGHT)
                      == 0);
        }

        for (k = 0; k < NGX_VIDCAST_FONT_HEIGHT; k++) {
            wrong += (ngx_vidcast_font[i][k] > 0x1f);
        }
    }

    unit_ok(wrong == 0, "the letters of the font differ");
}


int
main(void)
{
    test_place();
    test_dots();
    test_tag();
    test_any();
    test_font();

    ngx_vidcast_image_free(&image);

    return unit_done();
}
