
/*
 * Copyright (C) vidcast contributors
 */


/*
 * What predictors answer becomes what viewers get: JSON as it is, but on one
 * line; boxes in pixels of the frame, cut at its borders; and of what is none
 * of that a reason in words.
 */

#include "wire/ngx_vidcast_result_value.c"
#include "wire/ngx_vidcast_ws.c"
#include "unit.h"


static void test_json(void);
static void test_not_json(void);
static void test_room(void);
static void test_boxes(void);
static void test_labels(void);
static void test_both(void);
static void test_not_both(void);
static void test_bounds(void);
static void test_sizes(void);
static void test_keypoints(void);
static void test_not_keypoints(void);
static ngx_int_t test_array(void *detections, size_t n, size_t each,
    u_char *text, size_t room);
static ngx_int_t test_plugin(const char *json, size_t n, size_t room);


static vidcast_detection_t  found[3];
static ngx_vidcast_resize_t    fit;
static u_char               out[1024];
static u_char               error[NGX_VIDCAST_ERROR_LEN];


int
main(void)
{
    fit.scale_x = 2;
    fit.scale_y = 2;

    test_json();
    test_not_json();
    test_room();
    test_boxes();
    test_labels();
    test_both();
    test_not_both();
    test_bounds();
    test_sizes();
    test_keypoints();
    test_not_keypoints();

    return unit_done();
}


static void
test_json(void)
{
    size_t      size;
    ngx_uint_t  i;

    static struct {
        const char  *text;
        const char  *line;
    } tests[] = {
        { "{}", "{}" },
        { " \t\r\n{ \"a\" : 1 }\n\n", "{ \"a\" : 1 }" },
        { "[1,\r\n2]", "[1,  2]" },
        { "\"a\\nb\"", "\"a\\nb\"" },
        { "null", "null" },
        { "12345678901234567890", "12345678901234567890" },
        { "\"\xc3\xa4\"", "\"\xc3\xa4\"" }
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        size = sizeof(out);
        ngx_memset(out, 0, sizeof(out));

        unit_ok(ngx_vidcast_result_value_text((u_char *) tests[i].text,
                                             strlen(tests[i].text), out, &size,
                                             error)
                == NGX_OK
                && size == strlen(tests[i].line)
                && ngx_strcmp(out, tests[i].line) == 0,
                "JSON %d is taken as it is", (int) i);
    }
}


static void
test_not_json(void)
{
    size_t      size;
    ngx_uint_t  i;

    static struct {
        const char  *text;
        size_t       len;
    } tests[] = {
        { "", 0 },
        { " ", 1 },
        { "{", 1 },
        { "{} {}", 5 },
        { "NaN", 3 },
        { "1e999", 5 },
        { "{}\0", 3 },
        { "\"\0\"", 3 },
        { "\"\n\"", 3 },
        { "\"\xff\"", 3 },
        { "\"\xed\xa0\x80\"", 5 },
        { "{'a':1}", 7 }
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        size = sizeof(out);
        error[0] = '\0';

        unit_ok(ngx_vidcast_result_value_text((u_char *) tests[i].text,
                                             tests[i].len, out, &size, error)
                == NGX_DECLINED
                && ngx_strncmp(error, "not JSON: ", 10) == 0,
                "%d is no JSON", (int) i);
    }
}


static void
test_room(void)
{
    size_t  size;
    u_char  text[4000];

    size = 4;
    unit_ok(ngx_vidcast_result_value_text((u_char *) " 1234 ", 6, out, &size,
                                         error)
                    == NGX_OK
                && size == 4,
            "blanks need no room");

    size = 3;
    unit_ok(ngx_vidcast_result_value_text((u_char *) "1234", 4, out, &size,
                                         error)
                == NGX_BUSY,
            "what is larger has none");

    ngx_memset(text, '{', sizeof(text));
    size = 100;
    unit_ok(ngx_vidcast_result_value_text(text, sizeof(text), out, &size, error)
            == NGX_BUSY, "much larger ones are not even looked at");
}


static void
test_boxes(void)
{
    /* a letterbox: 12 rows above, half the size of the frame */

    fit.top = 12;

    found[0].x = 40;
    found[0].y = 40;
    found[0].width = 20;
    found[0].height = 10.2;
    found[0].score = .87654;
    found[0].track = 3;
    found[0].label = "cat";

    unit_ok(test_plugin(NULL, 1, sizeof(out)) == NGX_OK
            && ngx_strcmp(out, "{\"detections\":[{\"label\":\"cat\","
                          "\"score\":0.877,\"bbox\":[80,56,40,20],"
                          "\"track_id\":3}]}") == 0,
            "a box in pixels of the frame");

    found[0].x = -10;
    found[0].y = 0;
    found[0].width = 1000;
    found[0].height = 1000;
    found[0].score = -1;
    found[0].track = -1;
    found[0].label = NULL;

    unit_ok(test_plugin(NULL, 1, sizeof(out)) == NGX_OK
            && ngx_strcmp(out, "{\"detections\":[{\"bbox\":[0,0,200,150]}]}")
               == 0,
            "is cut at its borders, and has what is known");

    found[0].x = 300;
    found[1].x = -20;
    found[1].width = 10;
    found[1].height = 10;
    found[2].x = 10;
    found[2].y = 22;
    found[2].score = 7;
    found[2].track = -1;

    unit_ok(test_plugin(NULL, 3, sizeof(out)) == NGX_OK
            && ngx_strcmp(out, "{\"detections\":[{\"score\":1.000,"
                          "\"bbox\":[20,20,1,1]}]}") == 0,
            "outside is none; a point is one pixel");

    unit_ok(test_plugin(NULL, 0, sizeof(out)) == NGX_OK
            && ngx_strcmp(out, "{\"detections\":[]}") == 0,
            "nothing is an empty list");

    found[0].x = 0;
    found[0].width = -5;

    unit_ok(test_plugin(NULL, 1, sizeof(out)) == NGX_OK
            && ngx_strcmp(out, "{\"detections\":[]}") == 0,
            "less than nothing, too");

    found[0].width = 1e38;
    found[0].height = 3e38;

    unit_ok(test_plugin(NULL, 1, sizeof(out)) == NGX_OK
            && ngx_strcmp(out, "{\"detections\":[{\"bbox\":[0,0,200,150]}]}")
               == 0,
            "infinitely large is all");

    found[0].score = nan("");

    unit_ok(test_plugin(NULL, 1, sizeof(out)) == NGX_DECLINED
            && ngx_strcmp(error, "detection 0 is not in numbers") == 0,
            "what is no number is no detection");

    ngx_memzero(found, sizeof(found));
}


static void
test_labels(void)
{
    char  label[400];

    found[0].y = 12;
    found[0].track = -1;
    found[0].score = -1;
    found[0].label = "a \"b\"\\\n\x01\xc3\xa4\xff\xe2\x82";

    unit_ok(test_plugin(NULL, 1, sizeof(out)) == NGX_OK
            && ngx_strstr(out, "\"label\":\"a \\\"b\\\"\\\\\\n\\u0001\xc3\xa4"
                               "???\","),
            "a label is made text");

    ngx_memset(label, 1, sizeof(label));
    label[sizeof(label) - 1] = '\0';
    found[0].label = label;

    unit_ok(test_plugin(NULL, 1, sizeof(out)) == NGX_BUSY,
            "six bytes a character may have no room");

    ngx_memset(label, 'x', sizeof(label) - 1);

    unit_ok(test_plugin(NULL, 1, sizeof(out)) == NGX_OK
            && ngx_strstr(out, "\"bbox\"") - (char *) out == 25 + 256 + 2,
            "a long label is cut");

    ngx_memzero(found, sizeof(found));
}


static void
test_both(void)
{
    found[0].y = 12;
    found[0].width = 4;
    found[0].height = 4;
    found[0].score = 0;
    found[0].track = -1;

    unit_ok(test_plugin(" {\"a\":\n1 } ", 1, sizeof(out)) == NGX_OK
            && ngx_strcmp(out, "{\"a\": 1 ,\"detections\":"
                          "[{\"score\":0.000,\"bbox\":[0,0,8,8]}]}") == 0,
            "detections are added to the JSON");

    unit_ok(test_plugin("{ }", 1, sizeof(out)) == NGX_OK
            && ngx_strncmp(out, "{ \"detections\":[", 16) == 0,
            "also to an empty one");

    unit_ok(test_plugin("{\"a\":1}", 0, sizeof(out)) == NGX_OK
            && ngx_strcmp(out, "{\"a\":1}") == 0,
            "without detections it is as it was");
}


static void
test_not_both(void)
{
    unit_ok(test_plugin("[1]", 1, sizeof(out)) == NGX_DECLINED
            && ngx_strstr(error, "is not an object"),
            "there is no place for detections");

    unit_ok(test_plugin("{\"detections\":1}", 1, sizeof(out)) == NGX_DECLINED
            && ngx_strstr(error, "\"detections\""),
            "their place is taken");

    unit_ok(test_plugin("{\"a\":}", 1, sizeof(out)) == NGX_DECLINED
            && ngx_strstr(error, "not JSON"), "no JSON is none");

    ngx_memzero(found, sizeof(found));
}


/* each room that is too small, and the one that is not */

static void
test_bounds(void)
{
    size_t      whole, room;
    ngx_uint_t  bad;

    found[0].width = 4;
    found[0].height = 20;
    found[0].label = "cat";
    found[1] = found[0];

    (void) test_plugin("{\"a\":1}", 2, sizeof(out));

    whole = ngx_strlen(out);
    bad = 0;

    for (room = 0; room < whole; room++) {
        bad += (test_plugin("{\"a\":1}", 2, room) != NGX_BUSY);
    }

    unit_ok(bad == 0, "too small by whatever");
    unit_ok(test_plugin("{\"a\":1}", 2, whole) == NGX_OK
            && ngx_strlen(out) == whole, "large enough to the byte");

    /* no comma before the first one */

    (void) test_plugin(NULL, 1, sizeof(out));

    whole = ngx_strlen(out);

    unit_ok(test_plugin(NULL, 1, whole) == NGX_OK
            && test_plugin(NULL, 1, whole - 1) == NGX_BUSY,
            "for one of them as well");
}


/* a plugin of a later header has more of each, one of an older one less */

static void
test_sizes(void)
{
    ngx_uint_t            i;
    struct {
        vidcast_detection_t  known;
        uint64_t             later[3];
    } many[2];

    ngx_memset(many, 0x7f, sizeof(many));

    for (i = 0; i < 2; i++) {
        ngx_memzero(&many[i].known, sizeof(vidcast_detection_t));
        many[i].known.x = 20 * i;
        many[i].known.y = fit.top;
        many[i].known.width = 4;
        many[i].known.height = 5;
        many[i].known.score = -1;
        many[i].known.track = -1;
    }

    (void) test_array(many, 2, sizeof(many[0]), out, sizeof(out));

    unit_ok(ngx_strcmp(out, "{\"detections\":[{\"bbox\":[0,0,8,10]},"
                            "{\"bbox\":[40,0,8,10]}]}") == 0,
            "of a later header: %s", out);

    unit_ok(test_array(many, 1, offsetof(vidcast_detection_t, keypoints) - 1,
                       out, sizeof(out))
            == NGX_DECLINED
            && ngx_strstr(error, "bytes each"),
            "of none: %s", error);
}


/* in pixels of the frame, in their order, wherever they are */

static void
test_keypoints(void)
{
    size_t      whole, room;
    ngx_uint_t  i, bad;

    struct {
        vidcast_keypoint_t  known;
        uint64_t            later;
    } grown[2];

    /* a detection before there were key points, and what stands behind it */

    struct {
        float               x, y, width, height, score;
        int32_t             track;
        const char         *label;
        uint64_t            behind[3];
    } old;

    vidcast_keypoint_t  points[] = {
        { 10, 20, .25 }, { 10.3, 20.2, -1 }, { -60, 200, 1 },
        { 1e30, -1e30, 7 }, { NAN, 1, 1 }, { 1, INFINITY, 1 }, { 1, 1, NAN },
        { -.3, 12, 0 }
    };

    static vidcast_keypoint_t  many[VIDCAST_KEYPOINTS_MAX];
    static u_char              large[32 * VIDCAST_KEYPOINTS_MAX];

    ngx_memzero(found, sizeof(found));

    /* a letterbox: 12 rows above, half the size of the frame */

    found[0].y = 12;
    found[0].width = 4;
    found[0].height = 4;
    found[0].score = -1;
    found[0].track = 3;
    found[0].keypoints = points;
    found[0].nkeypoints = 8;
    found[0].keypoint_size = sizeof(points[0]);

    unit_ok(test_plugin(NULL, 1, sizeof(out)) == NGX_OK
            && ngx_strcmp(out, "{\"detections\":[{\"bbox\":[0,0,8,8],"
                          "\"track_id\":3,\"keypoints\":["
                          "[20,16,0.250],[21,16],[-120,376,1.000],"
                          "[99999,-99999,1.000],null,null,null,[-1,0,0.000]]}"
                          "]}") == 0,
            "key points, in their order, wherever they are: %s", out);

    whole = ngx_strlen(out);
    bad = 0;

    for (room = 0; room < whole; room++) {
        bad += (test_plugin(NULL, 1, room) != NGX_BUSY);
    }

    unit_ok(bad == 0, "too small by whatever");
    unit_ok(test_plugin(NULL, 1, whole) == NGX_OK && ngx_strlen(out) == whole,
            "large enough to the byte");

    ngx_memset(grown, 0x7f, sizeof(grown));
    grown[0].known = points[0];
    grown[1].known = points[1];

    found[0].keypoints = &grown[0].known;
    found[0].nkeypoints = 2;
    found[0].keypoint_size = sizeof(grown[0]);

    unit_ok(test_plugin(NULL, 1, sizeof(out)) == NGX_OK
            && ngx_strstr(out, "\"keypoints\":[[20,16,0.250],[21,16]]}"),
            "of a later header: %s", out);

    /* the second one has none, though the first one had */

    found[1] = found[0];
    found[1].keypoints = NULL;

    unit_ok(test_plugin(NULL, 2, sizeof(out)) == NGX_OK
            && ngx_strstr(out, "[21,16]]},{\"bbox\":[0,0,8,8],"
                               "\"track_id\":3}]}"),
            "each has its own: %s", out);

    ngx_memset(&old, 0xff, sizeof(old));
    old.x = 0;
    old.y = 12;
    old.width = 4;
    old.height = 4;
    old.score = -1;
    old.track = -1;
    old.label = NULL;

    (void) test_array(&old, 1, offsetof(vidcast_detection_t, keypoints), out,
                      sizeof(out));

    unit_ok(ngx_strcmp(out, "{\"detections\":[{\"bbox\":[0,0,8,8]}]}") == 0,
            "a plugin of an older header has none: %s", out);

    /* as many as there may be */

    for (i = 0; i < VIDCAST_KEYPOINTS_MAX; i++) {
        many[i].x = -1e9;
        many[i].y = -1e9;
        many[i].score = 1;
    }

    found[0].keypoints = many;
    found[0].nkeypoints = VIDCAST_KEYPOINTS_MAX;
    found[0].keypoint_size = sizeof(many[0]);

    (void) test_array(found, 1, sizeof(found[0]), large, sizeof(large));

    unit_ok(ngx_strstr(large, "[-99999,-99999,1.000]]}]}"),
            "%d of them", VIDCAST_KEYPOINTS_MAX);

    ngx_memzero(found, sizeof(found));
}


static void
test_not_keypoints(void)
{
    vidcast_keypoint_t  point = { 1, 2, 3 };

    found[0].y = 12;
    found[0].keypoints = &point;
    found[0].nkeypoints = VIDCAST_KEYPOINTS_MAX + 1;
    found[0].keypoint_size = sizeof(point);

    unit_ok(test_plugin(NULL, 1, sizeof(out)) == NGX_DECLINED
            && ngx_strcmp(error, "a detection has 513 key points, 512 are the "
                                 "most") == 0,
            "too many: %s", error);

    found[0].nkeypoints = 1;
    found[0].keypoint_size = sizeof(point) - 1;

    unit_ok(test_plugin(NULL, 1, sizeof(out)) == NGX_DECLINED
            && ngx_strcmp(error, "key points of 11 bytes each") == 0,
            "of another size: %s", error);

    found[0].keypoint_size = 0;
    found[0].nkeypoints = 0;

    unit_ok(test_plugin(NULL, 1, sizeof(out)) == NGX_OK
            && ngx_strstr(out, "keypoints") == NULL,
            "no point, no member: %s", out);

    /* what is outside has none that are told */

    found[0].x = -100;
    found[0].nkeypoints = VIDCAST_KEYPOINTS_MAX + 1;

    unit_ok(test_plugin(NULL, 1, sizeof(out)) == NGX_OK
            && ngx_strcmp(out, "{\"detections\":[]}") == 0,
            "a box outside takes them with it: %s", out);

    ngx_memzero(found, sizeof(found));
}


/* detections of any size */

static ngx_int_t
test_array(void *detections, size_t n, size_t each, u_char *text, size_t room)
{
    size_t            size;
    ngx_int_t         rc;
    vidcast_answer_t  answer;

    ngx_memzero(&answer, sizeof(answer));

    answer.size = sizeof(answer);
    answer.detections = detections;
    answer.ndetections = n;
    answer.detection_size = each;

    size = room - 1;
    rc = ngx_vidcast_result_value_plugin(&answer, &fit, 200, 150, text, &size,
                                         error);
    text[rc == NGX_OK ? size : 0] = '\0';

    return rc;
}


/* of a frame of 200x150; the room ends where the sanitizers see it */

static ngx_int_t
test_plugin(const char *json, size_t n, size_t room)
{
    size_t            size;
    u_char           *dst;
    ngx_int_t         rc;
    vidcast_answer_t  answer;

    ngx_memzero(&answer, sizeof(answer));

    answer.size = sizeof(answer);
    answer.json = json;
    answer.json_size = json ? strlen(json) : 0;
    answer.detections = found;
    answer.ndetections = n;
    answer.detection_size = sizeof(found[0]);

    dst = malloc(room);
    size = room;

    rc = ngx_vidcast_result_value_plugin(&answer, &fit, 200, 150, dst, &size,
                                        error);

    if (rc == NGX_OK) {
        ngx_memcpy(out, dst, size);
        out[size] = '\0';
    }

    free(dst);

    return rc;
}
