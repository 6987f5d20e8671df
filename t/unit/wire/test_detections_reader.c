
/*
 * Copyright (C) vidcast contributors
 */


/*
 * Results come from any predictor, or publisher, so from anybody: what is no
 * box must not become one, what is one must be read with all that it says,
 * and nothing may be read beyond the end.
 */

#include "unit.h"
#include "unit_detections.h"


static ngx_uint_t
is_text(ngx_uint_t i, const char *text)
{
    ngx_vidcast_detection_t  *d;

    d = &detections.list[i];

    return d->len == strlen(text) && ngx_memcmp(d->text, text, d->len) == 0;
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


/* which of them are to be drawn, and whose they are */

static void
test_keypoints(void)
{
    char        *many, *p;
    ngx_uint_t   i;

    read_text("{\"result\":{\"detections\":["
              "{\"bbox\":[1,2,3,4],\"keypoints\":[[1,2.5,0.9],[-7,1e9],"
              "null,[3,4,0.2],[5,6,0.25],7,\"x\",{},[],[1],[1,2,3,4],"
              "[1,\"2\"],[1,2,\"3\"],[1,null],[[1],2]]},"
              "{\"bbox\":[1,2,3],\"keypoints\":[[1,1]]},"
              "{\"bbox\":[1,2,3,4],\"keypoints\":[[8,9]]},"
              "{\"bbox\":[1,2,3,4],\"keypoints\":7},"
              "{\"bbox\":[1,2,3,4],\"keypoints\":{\"0\":[1,2]}}]}}");

    unit_ok(detections.n == 4 && detections.npoints == 4,
            "%d points that are some", (int) detections.npoints);
    unit_ok(detections.list[0].first == 0 && detections.list[0].npoints == 3
            && detections.points[0].x == 1 && detections.points[0].y == 2.5
            && detections.points[1].x == -7 && detections.points[1].y == 1e9
            && detections.points[2].x == 5 && detections.points[2].y == 6,
            "without those that nobody has seen");
    unit_ok(detections.list[1].first == 3 && detections.list[1].npoints == 1
            && detections.points[3].x == 8,
            "of what has a box");
    unit_ok(detections.list[2].npoints == 0 && detections.list[3].npoints == 0,
            "and no list, no points");

    many = malloc(64 * 100 * 16);
    p = many + sprintf(many, "{\"result\":{\"detections\":[");

    for (i = 0; i < 6000; i++) {
        p += sprintf(p, "%s[%d,1]%s",
                     i % 100 ? "," : "{\"bbox\":[1,1,1,1],\"keypoints\":[",
                     (int) i,
                     i % 100 < 99 ? "" : i == 5999 ? "]}]}}" : "]},");
    }

    read_text(many);

    unit_ok(detections.n == 60
            && detections.npoints == NGX_VIDCAST_KEYPOINTS_MAX
            && detections.list[19].npoints == 100
            && detections.list[20].npoints == 48
            && detections.list[21].npoints == 0
            && detections.list[59].npoints == 0
            && detections.points[NGX_VIDCAST_KEYPOINTS_MAX - 1].x
               == NGX_VIDCAST_KEYPOINTS_MAX - 1,
            "the first %d of 6000, and all boxes", NGX_VIDCAST_KEYPOINTS_MAX);

    free(many);

    read_text("{\"result\":{\"detections\":[{\"bbox\":[1,2,3,4]}]}}");
    unit_ok(detections.n == 1 && detections.npoints == 0, "and none again");
}


int
main(void)
{
    test_read();
    test_keypoints();

    return unit_done();
}
