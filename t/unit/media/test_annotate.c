
/*
 * Copyright (C) vidcast contributors
 */


/*
 * Boxes on the server's pictures come from the answers of any predictor, so
 * from anybody: what is no box must not be drawn, and what is one must be
 * where it says, cut at the borders, whatever the numbers are.
 */

#include "media/ngx_vidcast_image.c"
#include "wire/ngx_vidcast_detections_reader.c"
#include "media/ngx_vidcast_annotate.c"
#include "media/ngx_vidcast_font.c"

#include "unit.h"


static ngx_vidcast_image_t       image;
static ngx_vidcast_detections_t  detections;


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


static void
read_text(const char *json)
{
    /* exactly as long as it is, for the sanitizer */

    u_char  *p;
    size_t   len;

    len = strlen(json);
    p = malloc(len);
    ngx_memcpy(p, json, len);

    ngx_vidcast_detections_read(p, len, &detections);

    free(p);
}


static ngx_uint_t
is_text(ngx_uint_t i, const char *text)
{
    ngx_vidcast_detection_t  *d;

    d = &detections.list[i];

    return d->len == strlen(text) && ngx_memcmp(d->text, text, d->len) == 0;
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
test_read(void)
{
    char        many[8192], *p;
    ngx_uint_t  i;

    read_text("{\"width\":320,\"height\":240,\"result\":{\"detections\":["
              "{\"label\":\"cat\",\"score\":0.987,\"bbox\":[1,2.5,3,4]},"
              "{\"label\":\"dog\",\"score\":1,\"bbox\":[-1,-2,3,4],"
              "\"track_id\":12},"
              "{\"bbox\":[0,0,0,0],\"track_id\":\"a7\"},"
              "{\"bbox\":[5,6,7,8]}]}}");

    unit_ok(detections.n == 4 && detections.width == 320
            && detections.height == 240, "boxes and what they are told in");
    unit_ok(detections.list[0].x == 1 && detections.list[0].y == 2.5
            && detections.list[0].width == 3 && detections.list[0].height == 4,
            "a box");
    unit_ok(is_text(0, "cat 0.99"), "label and score");
    unit_ok(is_text(1, "dog #12 1.00"), "and number");
    unit_ok(is_text(2, "#a7"), "a number which is a text");
    unit_ok(is_text(3, ""), "nothing of all that");
    unit_ok(detections.list[0].color != detections.list[1].color
            && detections.list[2].color == detections.list[3].color,
            "colors go by labels");

    read_text("{\"result\":{\"detections\":[null,7,\"x\",[],{},"
              "{\"bbox\":null},{\"bbox\":[1,2,3]},{\"bbox\":[1,2,3,4,5]},"
              "{\"bbox\":[1,2,3,\"4\"]},{\"bbox\":[1,2,-3,4]},"
              "{\"bbox\":[1,2,3,-4]},{\"bbox\":{\"0\":1}},"
              "{\"label\":7,\"score\":\"x\",\"track_id\":{},"
              "\"bbox\":[1,2,3,4]}]}}");

    unit_ok(detections.n == 1 && is_text(0, ""), "what is no box is none");

    read_text("{\"result\":{\"detections\":[{\"label\":"
              "\"K\xc3\xb6ln \\u0001 \xf0\x9f\x98\x80!\",\"score\":1e300,"
              "\"bbox\":[1,2,3,4]}]}}");

    unit_ok(is_text(0, "K?ln ? ?!"), "letters that the font does not have");

    read_text("{\"result\":{\"detections\":[{\"label\":"
              "\"0123456789012345678901234567890123456789\",\"score\":-999.4,"
              "\"track_id\":-9223372036854775808,\"bbox\":[1,2,3,4]}]}}");

    unit_ok(detections.n == 1
            && detections.list[0].len <= NGX_VIDCAST_DETECTIONS_TEXT,
            "a long text is cut at %d", (int) detections.list[0].len);

    p = many + sprintf(many, "{\"result\":{\"detections\":[");

    for (i = 0; i < 200; i++) {
        p += sprintf(p, "%s{\"bbox\":[%d,1,1,1]}", i ? "," : "", (int) i);
    }

    strcpy(p, "]}}");
    read_text(many);

    unit_ok(detections.n == NGX_VIDCAST_DETECTIONS_MAX, "the first %d of 200",
            NGX_VIDCAST_DETECTIONS_MAX);

    read_text("{\"width\":-1,\"height\":1e9,\"result\":{\"detections\":[]}}");
    unit_ok(detections.n == 0 && !detections.width && !detections.height,
            "no box, no size");

    read_text("{\"result\":\"text\"}");
    unit_ok(detections.n == 0, "a text");
    read_text("{\"result\":{\"detections\":");
    unit_ok(detections.n == 0, "half a result");
    read_text("");
    unit_ok(detections.n == 0, "nothing");
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
                "{\"label\":\"%c abc\",\"score\":%s,\"bbox\":[%s,%s,%s,%s]},"
                "{\"label\":\"\",\"track_id\":1,\"bbox\":[%s,%s,%s,%s]}]}}",
                (int) (random() % 3 * 8000), (int) (random() % 700),
                (int) ('A' + random() % 26), any, any, any, any, any, any, any,
                any, any);

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
    test_read();
    test_place();
    test_tag();
    test_any();
    test_font();

    ngx_vidcast_image_free(&image);

    return unit_done();
}
