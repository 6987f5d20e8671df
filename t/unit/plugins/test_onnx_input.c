
/*
 * Copyright (C) vidcast contributors
 */


/*
 * What a model of vidcast_onnx gets to see: numbers of a picture in every
 * layout and type, and what is said of shapes, parameters and labels which do
 * not fit.
 */

#include "unit_onnx.h"


static char  error[VIDCAST_ERROR_LEN];


static void
test_half(void)
{
    float     value;
    uint32_t  i, wrong;

    wrong = 0;

    for (i = 0; i < 65536; i++) {
        value = vidcast_onnx_unhalf((uint16_t) i);

        if (!isnan(value) && vidcast_onnx_half(value) != i) {
            wrong++;
        }
    }

    unit_ok(wrong == 0, "half: all of them, there and back");
    unit_ok(vidcast_onnx_unhalf(0x3c00) == 1
            && vidcast_onnx_unhalf(0xc000) == -2
            && vidcast_onnx_unhalf(0x7bff) == 65504
            && vidcast_onnx_unhalf(0x0001) == 1 / 16777216.0f
            && isinf(vidcast_onnx_unhalf(0x7c00))
            && isnan(vidcast_onnx_unhalf(0x7e01)), "half: known ones");
    unit_ok(vidcast_onnx_half(1 / 3.0f) == 0x3555
            && vidcast_onnx_half(65519) == 0x7bff
            && vidcast_onnx_half(65520) == 0x7c00
            && vidcast_onnx_half(2047.5f) == 0x6800
            && vidcast_onnx_half(1e-9f) == 0
            && vidcast_onnx_half(NAN) == 0x7e00, "half: rounded");
}


static void
test_tensor(void)
{
    char                   buf[64];
    vidcast_onnx_tensor_t  t;

    static const int8_t  bytes[] = { -1, 0, 127 };

    t = tensor("x", VIDCAST_ONNX_FLOAT16, NULL, 4, 1, 3, -1, 640);
    unit_ok(strcmp(vidcast_onnx_tensor_print(&t, buf, sizeof(buf)),
                   "\"x\" float16 [1, 3, ?, 640]") == 0, "%s", buf);
    unit_ok(vidcast_onnx_tensor_volume(&t) == -1, "of no known volume");

    t.dims[2] = 2;
    unit_ok(vidcast_onnx_tensor_volume(&t) == 3840, "volume");
    t.dims[2] = 1 << 21;
    unit_ok(vidcast_onnx_tensor_volume(&t) == -1, "too large");

    t = tensor("x", VIDCAST_ONNX_INT8, bytes, 1, 3, 0, 0, 0);
    unit_ok(t.values[0] == -1 && t.values[2] == 127, "values of bytes");
    free(t.own);
}


/* a picture of 2x2: red, green, blue, white; a row has four bytes more */

static uint8_t  pixels[] = {
    255, 0, 0, 0, 255, 0, 9, 9, 9, 9,
    0, 0, 255, 255, 255, 255, 9, 9, 9, 9
};


static int
fill(vidcast_onnx_tensor_t *t, const vidcast_onnx_requested_t *params,
    float mean, float scale, void *data)
{
    vidcast_image_t       image;
    vidcast_onnx_input_t  input;

    memset(&image, 0, sizeof(vidcast_image_t));

    image.format = VIDCAST_RGB24;
    image.width = 2;
    image.height = 2;
    image.stride[0] = 10;
    image.plane[0] = pixels;

    if (vidcast_onnx_input_plan(&input, t, params, error) != VIDCAST_OK) {
        printf("# %s\n", error);
        return 0;
    }

    if (input.type != VIDCAST_ONNX_UINT8) {
        vidcast_onnx_input_scale(&input, params, mean, scale);
    }

    vidcast_onnx_input_fill(&input, &image, data);

    return 1;
}


static int
same(const float *a, const float *b, size_t n)
{
    while (n--) {
        if (!near(a[n], b[n])) {
            return 0;
        }
    }

    return 1;
}


static void
test_fill(void)
{
    size_t                    i;
    vidcast_onnx_tensor_t     t;
    vidcast_onnx_requested_t  params;
    float                     data[12];
    uint8_t                   bytes[12];
    uint16_t                  halves[12];

    static const float    planes[] = { 1, 0, 0, 1, 0, 1, 0, 1, 0, 0, 1, 1 };
    static const float    moved[] = { 1, 0, 0, 1, -2, 2, -2, 2, 0, 0, 5, 5 };
    static const uint8_t  lines[] = {
        255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255
    };

    memset(&params, 0, sizeof(vidcast_onnx_requested_t));

    t = tensor("x", VIDCAST_ONNX_FLOAT, NULL, 4, 1, 3, 2, 2);
    unit_ok(fill(&t, &params, 0, 1 / 255.0f, data) && same(data, planes, 12),
            "float32, NCHW");

    t = tensor("x", VIDCAST_ONNX_FLOAT16, NULL, 3, 3, 2, 2, 0);
    unit_ok(fill(&t, &params, 0, 1 / 255.0f, halves), "float16, CHW");

    for (i = 0; i < 12; i++) {
        data[i] = vidcast_onnx_unhalf(halves[i]);
    }

    unit_ok(same(data, planes, 12), "float16: its numbers");

    t = tensor("x", VIDCAST_ONNX_UINT8, NULL, 4, 1, 2, 2, 3);
    unit_ok(fill(&t, &params, 0, 0, bytes) && memcmp(bytes, lines, 12) == 0,
            "uint8, NHWC");

    t = tensor("x", VIDCAST_ONNX_FLOAT, NULL, 4, 1, 3, 2, 2);
    unit_ok(fill(&t, &params, 127.5f, 1 / 127.5f, data)
            && near(data[0], 1) && near(data[1], -1),
            "mean and scale of a head");

    params.given = 1;
    params.scaled = 1;
    params.mean[1] = 127.5f;
    params.scale[0] = 1 / 255.0f;
    params.scale[1] = 4 / 255.0f;
    params.scale[2] = 5 / 255.0f;

    t = tensor("x", VIDCAST_ONNX_FLOAT, NULL, 4, -1, 3, 2, 2);
    unit_ok(fill(&t, &params, 9, 1, data) && same(data, moved, 12),
            "mean and scale of each channel");
    unit_ok(t.dims[0] == 1, "what was open is one");
}


static int
refused(vidcast_onnx_tensor_t *t, uint32_t width, uint32_t height,
    uint32_t layout, int given, const char *reason)
{
    vidcast_onnx_input_t      input;
    vidcast_onnx_requested_t  params;

    memset(&params, 0, sizeof(vidcast_onnx_requested_t));

    params.width = width;
    params.height = height;
    params.layout = layout;
    params.given = given ? 1 : 0;
    error[0] = '\0';

    return vidcast_onnx_input_plan(&input, t, &params, error) == VIDCAST_ERROR
           && strcmp(error, reason) == 0;
}


static void
test_plan(void)
{
    vidcast_onnx_input_t      input;
    vidcast_onnx_tensor_t     t;
    vidcast_onnx_requested_t  params;

    t = tensor("x", VIDCAST_ONNX_FLOAT, NULL, 4, 1, 3, 480, 640);
    unit_ok(refused(&t, 640, 640, 0, 0, "its input is \"x\" float32 "
                    "[1, 3, 480, 640], but \"size\" is 640x640"),
            "another size: %s", error);

    t = tensor("x", VIDCAST_ONNX_FLOAT, NULL, 4, -1, 3, -1, -1);
    unit_ok(refused(&t, 0, 0, 0, 0, "its input is \"x\" float32 [?, 3, ?, ?], "
                    "but \"size\" must be given"), "no size: %s", error);

    t = tensor("x", VIDCAST_ONNX_INT64, NULL, 4, 1, 3, 2, 2);
    unit_ok(refused(&t, 0, 0, 0, 0, "its input is \"x\" int64 [1, 3, 2, 2], "
                    "but pictures are float32, float16 or uint8"),
            "whole numbers: %s", error);

    t = tensor("x", VIDCAST_ONNX_UINT8, NULL, 4, 1, 2, 2, 3);
    unit_ok(refused(&t, 0, 0, 0, 1, "its input is \"x\" uint8 [1, 2, 2, 3], "
                    "but \"mean\" and \"scale\" are for floating-point "
                    "numbers"), "no fractions: %s", error);

    t = tensor("x", VIDCAST_ONNX_FLOAT, NULL, 2, 1, 784, 0, 0);
    unit_ok(refused(&t, 0, 0, 0, 0, "its input is \"x\" float32 [1, 784], but "
                    "pictures are [1, 3, height, width] or [1, height, width, "
                    "3], or 1 instead of 3"), "no picture: %s", error);

    t = tensor("x", VIDCAST_ONNX_FLOAT, NULL, 4, 8, 3, 2, 2);
    unit_ok(refused(&t, 0, 0, 0, 0, "its input is \"x\" float32 [8, 3, 2, 2], "
                    "but pictures are [1, 3, height, width] or [1, height, "
                    "width, 3], or 1 instead of 3"), "eight: %s", error);

    memset(&params, 0, sizeof(vidcast_onnx_requested_t));
    params.width = 320;
    params.height = 240;

    t = tensor("x", VIDCAST_ONNX_FLOAT, NULL, 4, -1, -1, -1, -1);
    unit_ok(vidcast_onnx_input_plan(&input, &t, &params, error) == VIDCAST_OK
            && input.layout == VIDCAST_ONNX_NCHW && input.channels == 3
            && t.dims[1] == 3 && t.dims[2] == 240 && t.dims[3] == 320
            && input.size == 3 * 240 * 320 * 4, "all open");

    params.layout = VIDCAST_ONNX_NHWC;

    t = tensor("x", VIDCAST_ONNX_UINT8, NULL, 4, 1, -1, -1, -1);
    unit_ok(vidcast_onnx_input_plan(&input, &t, &params, error) == VIDCAST_OK
            && t.dims[1] == 240 && t.dims[2] == 320 && t.dims[3] == 3,
            "all open, NHWC");

    memset(&params, 0, sizeof(vidcast_onnx_requested_t));

    t = tensor("x", VIDCAST_ONNX_FLOAT, NULL, 4, 1, 1, 28, 20);
    unit_ok(vidcast_onnx_input_plan(&input, &t, &params, error) == VIDCAST_OK
            && input.channels == 1 && input.width == 20
            && input.height == 28, "gray");
}


static int
configure(const char *name, const char *value, vidcast_onnx_conf_t *conf)
{
    vidcast_param_t    params[] = { { name, value }, { NULL, NULL } };
    vidcast_context_t  context;

    memset(&context, 0, sizeof(vidcast_context_t));

    context.params = params;
    error[0] = '\0';

    return vidcast_onnx_conf(conf, &context, error) == VIDCAST_OK;
}


static void
test_conf(void)
{
    size_t               i;
    vidcast_onnx_conf_t  conf;

    static const char  *bad[][2] = {
        { "head", "yolo" }, { "labels", "" }, { "first", "x" },
        { "score", "1.1" }, { "score", "nan" }, { "score", "" },
        { "score", "-0.1" }, { "score", "0.5x" }, { "iou", "on" },
        { "max", "0" }, { "max", "-1" }, { "max", "1001" },
        { "threads", "0" }, { "threads", "65" }, { "size", "640" },
        { "size", "0x5" }, { "size", "20000x20000" }, { "layout", "hw" },
        { "color", "gray" }, { "fit", "within" }, { "fill", "256" },
        { "mean", "1,2" }, { "mean", "1,2,3,4" }, { "mean", "a" },
        { "scale", "1/0" }, { "scale", "1/" }, { "scale", "inf" },
        { "scale", "0x10" }, { "boxes", "xy" }, { "units", "cm" },
        { "activation", "relu" }
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        unit_ok(!configure(bad[i][0], bad[i][1], &conf)
                && strncmp(error, "invalid value \"", 15) == 0, "%s", error);
    }

    unit_ok(!configure("other", "1", &conf)
            && strcmp(error, "invalid parameter \"other=1\"") == 0, "%s",
            error);

    unit_ok(configure("head", "yolox", &conf)
            && conf.head == &vidcast_onnx_yolox, "head");
    unit_ok(configure("head", "auto", &conf) && conf.head == NULL, "auto");
    unit_ok(configure("score", ".3", &conf) && near(conf.reading.score, .3),
            "score");
    unit_ok(configure("iou", "off", &conf) && conf.reading.iou == 1, "iou");
    unit_ok(configure("size", "640x384", &conf) && conf.params.width == 640
            && conf.params.height == 384, "size");
    unit_ok(configure("scale", "1/255", &conf)
            && near(255 * conf.params.scale[2], 1), "one scale for all");
    unit_ok(configure("mean", "123.675,116.28,-1e1", &conf)
            && near(conf.params.mean[0], 123.675)
            && near(conf.params.mean[2], -10), "a mean for each");
    unit_ok(configure("boxes", "yxyx", &conf)
            && conf.reading.order == VIDCAST_ONNX_YXYX, "boxes");
    unit_ok(conf.threads >= 1 && conf.threads <= 4, "threads by themselves");
}


static int
lines(vidcast_onnx_labels_t *labels, const char *text, size_t len)
{
    return vidcast_onnx_labels_lines(labels, text, len, error) == VIDCAST_OK;
}


static void
test_labels(void)
{
    char                    buf[16], longest[VIDCAST_ONNX_LABEL_LEN + 1];
    vidcast_onnx_labels_t   l;

    unit_ok(lines(&l, "cat\r\ndog house\nl\303\266we\n\n", 20) && l.n == 3
            && strcmp(l.elts[0], "cat") == 0
            && strcmp(l.elts[1], "dog house") == 0
            && strcmp(l.elts[2], "l\303\266we") == 0, "lines");

    unit_ok(strcmp(vidcast_onnx_labels_name(&l, 0, 1, buf, 16), "dog house")
            == 0
            && strcmp(vidcast_onnx_labels_name(&l, 1, 1, buf, 16), "cat") == 0
            && strcmp(vidcast_onnx_labels_name(&l, 1, 0, buf, 16), "0") == 0
            && strcmp(vidcast_onnx_labels_name(&l, 0, 3, buf, 16), "3") == 0,
            "names of classes");

    vidcast_onnx_labels_free(&l);

    unit_ok(lines(&l, "\xef\xbb\xbf" "cat\r\ndog\r\n", 13) && l.n == 2
            && strcmp(l.elts[0], "cat") == 0
            && strcmp(l.elts[1], "dog") == 0, "a byte order mark");
    vidcast_onnx_labels_free(&l);

    unit_ok(!lines(&l, "\xff\xfe" "c\0a\0\n\0", 8)
            && strcmp(error, "it is UTF-16, save it as UTF-8") == 0,
            "UTF-16: %s", error);
    unit_ok(!lines(&l, "\0c\0a\0\n", 6)
            && strcmp(error, "it is UTF-16, save it as UTF-8") == 0,
            "UTF-16 without a mark: %s", error);
    unit_ok(!lines(&l, "\xef\xbb\xbf\r\n", 5), "only a mark: %s", error);

    unit_ok(!lines(&l, "", 0) && strcmp(error, "line 1 is empty") == 0,
            "nothing: %s", error);
    unit_ok(!lines(&l, "a\n\nb", 4) && strcmp(error, "line 2 is empty") == 0,
            "a gap: %s", error);
    unit_ok(!lines(&l, "a\n\xff", 3) && strcmp(error, "line 2 is not UTF-8")
            == 0, "another encoding: %s", error);
    unit_ok(!lines(&l, "a\n\xc3", 3), "half a character");
    unit_ok(!lines(&l, "\xc0\xaf", 2), "a long form of a short one");
    unit_ok(!lines(&l, "\xed\xa0\x80", 3), "a surrogate");
    unit_ok(!lines(&l, "a\tb", 3), "a tab: %s", error);
    unit_ok(!lines(&l, "a\0b", 3), "a null: %s", error);

    memset(longest, 'x', sizeof(longest));
    unit_ok(!lines(&l, longest, VIDCAST_ONNX_LABEL_LEN), "too long: %s",
            error);
    unit_ok(lines(&l, longest, VIDCAST_ONNX_LABEL_LEN - 1), "the longest");
    vidcast_onnx_labels_free(&l);

    unit_ok(vidcast_onnx_labels_read(&l, "/nonexistent", error)
            == VIDCAST_ERROR
            && strcmp(error, "labels \"/nonexistent\": No such file or "
                      "directory") == 0, "no file: %s", error);
    unit_ok(vidcast_onnx_labels_read(&l, "/", error) == VIDCAST_ERROR,
            "a directory: %s", error);
}


static void
test_names(void)
{
    size_t                 i;
    vidcast_onnx_labels_t  l;

    static const char  *bad[] = {
        "", "{", "{}", "[]", "{0: 'a'", "{1: 'a'}", "{0: 'a', 2: 'b'}",
        "{0: 'a' 1: 'b'}", "{0: a}", "{0: 'a", "{0: 'a\\", "['a',]",
        "{'0': 'a'}", "{0: ''}"
    };

    unit_ok(vidcast_onnx_labels_names(&l, "{0: 'person', 1: \"driver's\", "
                                          "2: 'it\\'s'}") == VIDCAST_OK
            && l.n == 3
            && strcmp(l.elts[0], "person") == 0
            && strcmp(l.elts[1], "driver's") == 0
            && strcmp(l.elts[2], "it's") == 0, "a dictionary");
    vidcast_onnx_labels_free(&l);

    unit_ok(vidcast_onnx_labels_names(&l, "['a', 'b']") == VIDCAST_OK
            && l.n == 2 && strcmp(l.elts[1], "b") == 0, "a list");
    vidcast_onnx_labels_free(&l);

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        unit_ok(vidcast_onnx_labels_names(&l, bad[i]) == VIDCAST_ERROR,
                "not names: %s", bad[i]);
    }
}


int
main(void)
{
    test_half();
    test_tensor();
    test_fill();
    test_plan();
    test_conf();
    test_labels();
    test_names();

    return unit_done();
}
