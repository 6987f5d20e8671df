
/*
 * Copyright (C) vidcast contributors
 */


/*
 * What is made of a model's numbers: boxes of every head, computed by hand,
 * what of them overlaps, and whose shapes are whose.  No ONNX Runtime is
 * needed for that.
 */

#include "unit_onnx.h"


#define WIDTH   64
#define HEIGHT  32
#define CELLS   42            /* 8 x 4, 4 x 2 and 2 x 1 */
#define MORE    168           /* of a picture twice as wide and high */


static vidcast_onnx_labels_t    none;
static vidcast_onnx_reading_t   reading;
static vidcast_onnx_nms_t       boxes;
static char                     error[VIDCAST_ERROR_LEN];
static float                    values[56 * MORE];
static vidcast_keypoint_t       points[VIDCAST_KEYPOINTS_MAX];


static void
start(const vidcast_onnx_head_t *head)
{
    memset(&reading, 0, sizeof(vidcast_onnx_reading_t));

    reading.width = WIDTH;
    reading.height = HEIGHT;
    reading.labels = &none;
    reading.score = -1;
    reading.iou = -1;
    reading.digits = -1;

    if (head) {
        vidcast_onnx_head_defaults(head, &reading);
    }

    boxes.n = 0;
    memset(values, 0, sizeof(values));
}


static int
run(const vidcast_onnx_head_t *head, vidcast_onnx_tensor_t *outputs,
    uint32_t n)
{
    return vidcast_onnx_head_check(head, &reading, outputs, n, error)
           == VIDCAST_OK
           && head->boxes(&reading, outputs, n, &boxes) == VIDCAST_OK;
}


static void
test_iou(void)
{
    vidcast_onnx_box_t  a = { 0, 0, 10, 10, 1, 0, 0 };
    vidcast_onnx_box_t  right = { 5, 0, 15, 10, 1, 0, 0 };
    vidcast_onnx_box_t  beside = { 10, 0, 20, 10, 1, 0, 0 };
    vidcast_onnx_box_t  inside = { 2, 2, 7, 7, 1, 0, 0 };

    unit_ok(near(vidcast_onnx_nms_iou(&a, &right), 1 / 3.0), "iou: half");
    unit_ok(near(vidcast_onnx_nms_iou(&a, &inside), .25), "iou: inside");
    unit_ok(near(vidcast_onnx_nms_iou(&a, &a), 1), "iou: the same");
    unit_ok(vidcast_onnx_nms_iou(&a, &beside) == 0, "iou: beside it");
}


/* score and class, one beside the other, "step" apart, 10 wide */

static void
row(size_t n, float step, const float *scores, const uint32_t *classes)
{
    size_t              i;
    vidcast_onnx_box_t  box;

    boxes.n = 0;

    for (i = 0; i < n; i++) {
        box.left = step * (float) i;
        box.top = 0;
        box.right = box.left + 10;
        box.bottom = 10;
        box.score = scores ? scores[i] : .5f;
        box.class = classes ? classes[i] : 0;
        box.row = i;

        (void) vidcast_onnx_nms_add(&boxes, &box);
    }
}


static void
test_suppress(void)
{
    vidcast_onnx_box_t  bad = { 0, 0, 10, NAN, 1, 0, 0 };
    vidcast_onnx_box_t  empty = { 5, 0, 5, 10, 1, 0, 0 };

    static const float     rising[] = { .1f, .2f, .3f };
    static const float     chain[] = { .9f, .8f, .7f };
    static const uint32_t  other[] = { 0, 1, 0 };

    row(3, 5, rising, NULL);
    vidcast_onnx_nms_suppress(&boxes, .3f, 10);

    unit_ok(boxes.n == 2, "suppress: the neighbor of the best");
    unit_ok(near(boxes.elts[0].score, .3) && near(boxes.elts[1].score, .1),
            "suppress: the best is the first");

    row(3, 5, rising, NULL);
    vidcast_onnx_nms_suppress(&boxes, .34f, 10);
    unit_ok(boxes.n == 3, "suppress: not if they overlap by less");

    row(3, 5, chain, other);
    vidcast_onnx_nms_suppress(&boxes, .3f, 10);
    unit_ok(boxes.n == 3, "suppress: nor one of another class");

    row(3, 5, chain, NULL);
    vidcast_onnx_nms_suppress(&boxes, .3f, 10);
    unit_ok(boxes.n == 2 && near(boxes.elts[1].score, .7),
            "suppress: what is suppressed suppresses nothing");

    row(3, 1, chain, NULL);
    vidcast_onnx_nms_suppress(&boxes, 1, 10);
    unit_ok(boxes.n == 3, "suppress: off");

    row(3, 100, chain, NULL);
    vidcast_onnx_nms_suppress(&boxes, .5f, 2);
    unit_ok(boxes.n == 2 && near(boxes.elts[1].score, .8),
            "suppress: at most two");

    row(5000, 20, NULL, NULL);
    vidcast_onnx_nms_suppress(&boxes, .5f, 5000);
    unit_ok(boxes.n == VIDCAST_ONNX_CANDIDATES, "suppress: so many at most");
    unit_ok(boxes.elts[0].left == 0 && near(boxes.elts[1].left, 20),
            "suppress: of one score always in the same order");

    boxes.n = 0;
    (void) vidcast_onnx_nms_add(&boxes, &bad);
    (void) vidcast_onnx_nms_add(&boxes, &empty);
    unit_ok(boxes.n == 0, "what is no box is not added");
}


static void
test_place(void)
{
    vidcast_onnx_box_t  box;

    static const float  v[] = { .25f, .125f, .5f, .5f };

    start(NULL);

    vidcast_onnx_head_place(&reading, VIDCAST_ONNX_XYXY, VIDCAST_ONNX_RATIO, v,
                            &box);
    unit_ok(sides(&box, 16, 4, 32, 16), "xyxy, ratio");

    vidcast_onnx_head_place(&reading, VIDCAST_ONNX_YXYX, VIDCAST_ONNX_RATIO, v,
                            &box);
    unit_ok(sides(&box, 8, 8, 32, 16), "yxyx, ratio");

    vidcast_onnx_head_place(&reading, VIDCAST_ONNX_XYWH, VIDCAST_ONNX_PIXELS,
                            v, &box);
    unit_ok(sides(&box, .25, .125, .75, .625), "xywh, pixels");

    vidcast_onnx_head_place(&reading, VIDCAST_ONNX_CXCYWH, VIDCAST_ONNX_RATIO,
                            v, &box);
    unit_ok(sides(&box, 0, -4, 32, 12), "cxcywh, ratio");

    reading.order = VIDCAST_ONNX_XYXY;
    reading.units = VIDCAST_ONNX_PIXELS;

    vidcast_onnx_head_place(&reading, VIDCAST_ONNX_CXCYWH, VIDCAST_ONNX_RATIO,
                            v, &box);
    unit_ok(sides(&box, .25, .125, .5, .5), "as configured");
}


/* the k-th box, of center 20, 16 and size 10 x 8 */

static void
set(size_t k, size_t box, size_t column, uint32_t n, const float *rest)
{
    float     *v;
    uint32_t   i;

    v = &values[k * box];

    v[0] = 20;
    v[column] = 16;
    v[2 * column] = 10;
    v[3 * column] = 8;

    for (i = 0; i < n; i++) {
        v[(4 + i) * column] = rest[i];
    }
}


static void
test_yolov5(void)
{
    vidcast_onnx_tensor_t  t[2];

    static const float  rest[] = { .8f, .1f, .9f };
    static const float  less[] = { .2f, .1f, .9f };

    start(&vidcast_onnx_yolov5);

    set(0, 7, 1, 3, rest);
    set(63, 7, 1, 3, rest);
    set(64, 7, 1, 3, rest);
    set(65, 7, 1, 3, less);
    set(125, 7, 1, 3, rest);

    t[0] = tensor("output", VIDCAST_ONNX_FLOAT, values, 3, 1, 126, 7, 0);

    unit_ok(run(&vidcast_onnx_yolov5, t, 1), "yolov5 runs");
    unit_ok(boxes.n == 4, "yolov5: boxes");
    unit_ok(sides(&boxes.elts[0], 15, 12, 25, 20), "yolov5: where");
    unit_ok(near(boxes.elts[3].score, .72), "yolov5: is it, and which");
    unit_ok(boxes.elts[3].class == 1, "yolov5: class");
    unit_ok(vidcast_onnx_head_guess(&reading, t, 1, error)
            == &vidcast_onnx_yolov5, "yolov5 is recognized");

    vidcast_onnx_nms_suppress(&boxes, reading.iou, reading.max);
    unit_ok(boxes.n == 1, "yolov5: they are all one");

    values[64 * 7 + 4] = NAN;
    boxes.n = 0;
    unit_ok(run(&vidcast_onnx_yolov5, t, 1) && boxes.n == 3,
            "yolov5: what is no number is nothing");

    t[1] = tensor("masks", VIDCAST_ONNX_FLOAT, NULL, 4, 1, 1, 8, 16);
    boxes.n = 0;
    unit_ok(run(&vidcast_onnx_yolov5, t, 2) && boxes.n == 0,
            "yolov5: coefficients of masks are no classes");
}


static void
test_yolov8(void)
{
    vidcast_onnx_tensor_t  t;

    static const float  rest[] = { .1f, .6f };

    start(&vidcast_onnx_yolov8);

    set(0, 1, CELLS, 2, rest);
    set(41, 1, CELLS, 2, rest);
    values[4 * CELLS + 41] = .7f;

    t = tensor("output0", VIDCAST_ONNX_FLOAT, values, 3, 1, 6, CELLS, 0);

    unit_ok(run(&vidcast_onnx_yolov8, &t, 1) && boxes.n == 2, "yolov8: boxes");
    unit_ok(sides(&boxes.elts[0], 15, 12, 25, 20), "yolov8: where");
    unit_ok(boxes.elts[0].class == 1 && boxes.elts[1].class == 0
            && near(boxes.elts[0].score, .6)
            && near(boxes.elts[1].score, .7), "yolov8: what");
    unit_ok(vidcast_onnx_head_guess(&reading, &t, 1, error)
            == &vidcast_onnx_yolov8, "yolov8 is recognized");

    start(&vidcast_onnx_yolov8);
    set(7, 6, 1, 2, rest);

    t = tensor("output0", VIDCAST_ONNX_FLOAT, values, 3, 1, CELLS, 6, 0);

    unit_ok(run(&vidcast_onnx_yolov8, &t, 1) && boxes.n == 1
            && sides(&boxes.elts[0], 15, 12, 25, 20), "yolov8, turned");
}


/* the k-th point of the i-th box that was found */

static int
point(const vidcast_onnx_head_t *head, const vidcast_onnx_tensor_t *outputs,
    uint32_t n, size_t i, uint32_t k, double x, double y, double score)
{
    uint32_t  count;

    count = head->points(&reading, outputs, n, &boxes.elts[i], points);

    return k < count && near(points[k].x, x) && near(points[k].y, y)
           && near(points[k].score, score);
}


static void
test_yolov8pose(void)
{
    char                   *two[] = { "person", "dog" };
    size_t                  i, row;
    uint32_t                k;
    vidcast_onnx_labels_t   labels = { two, 1, NULL, "l.txt" };
    vidcast_onnx_tensor_t   t;

    static const float  rest[] = { .6f };

    start(&vidcast_onnx_yolov8pose);
    reading.width = 2 * WIDTH;
    reading.height = 2 * HEIGHT;

    for (i = 0; i < 2; i++) {
        row = i ? 167 : 3;
        set(row, 1, MORE, 1, rest);

        for (k = 0; k < 17; k++) {
            values[(5 + 3 * k) * MORE + row] = 10 + k;
            values[(6 + 3 * k) * MORE + row] = 20 - (float) i;
            values[(7 + 3 * k) * MORE + row] = .01f * k;
        }
    }

    values[4 * MORE + 167] = .7f;

    t = tensor("output0", VIDCAST_ONNX_FLOAT, values, 3, 1, 56, MORE, 0);

    unit_ok(run(&vidcast_onnx_yolov8pose, &t, 1) && boxes.n == 2
            && sides(&boxes.elts[0], 15, 12, 25, 20)
            && near(boxes.elts[0].score, .6), "yolov8pose: boxes");
    unit_ok(vidcast_onnx_yolov8pose.points(&reading, &t, 1, NULL, NULL) == 17,
            "yolov8pose: their points");

    vidcast_onnx_nms_suppress(&boxes, reading.iou, reading.max);

    unit_ok(boxes.n == 1
            && point(&vidcast_onnx_yolov8pose, &t, 1, 0, 0, 10, 19, 0)
            && point(&vidcast_onnx_yolov8pose, &t, 1, 0, 16, 26, 19, .16),
            "yolov8pose: are those of the box that is left");

    unit_ok(vidcast_onnx_head_guess(&reading, &t, 1, error) == NULL
            && strstr(error, "may be \"yolov8\" or \"yolov8pose\""),
            "17 points may be 52 classes: %s", error);

    reading.labels = &labels;
    unit_ok(vidcast_onnx_head_guess(&reading, &t, 1, error)
            == &vidcast_onnx_yolov8pose, "unless one has a label");

    labels.n = 2;
    unit_ok(!run(&vidcast_onnx_yolov8pose, &t, 1)
            && strcmp(error, "1 or 4 labels wanted, 2 in \"l.txt\"") == 0,
            "both numbers: %s", error);

    reading.labels = &none;
    reading.keypoints = 25;
    reading.keypoint = 2;
    boxes.n = 0;

    unit_ok(vidcast_onnx_head_guess(&reading, &t, 1, error)
            == &vidcast_onnx_yolov8pose
            && run(&vidcast_onnx_yolov8pose, &t, 1) && boxes.n == 2,
            "or its maker counted the points");

    boxes.elts[0].row = 3;
    unit_ok(point(&vidcast_onnx_yolov8pose, &t, 1, 0, 0, 20, 0, -1)
            && point(&vidcast_onnx_yolov8pose, &t, 1, 0, 1, 11, 20, -1),
            "which may have no score");

    reading.keypoints = 26;
    unit_ok(!run(&vidcast_onnx_yolov8pose, &t, 1), "yolov8pose: one too few");

    /* turned, and in parts of the picture */

    start(&vidcast_onnx_yolov8pose);
    reading.units = VIDCAST_ONNX_RATIO;
    values[8 * 7 + 4] = .9f;
    values[8 * 7] = .5f;
    values[8 * 7 + 1] = .5f;
    values[8 * 7 + 2] = .25f;
    values[8 * 7 + 3] = .25f;
    values[8 * 7 + 5] = .125f;
    values[8 * 7 + 6] = .75f;
    values[8 * 7 + 7] = .4f;

    t = tensor("output0", VIDCAST_ONNX_FLOAT, values, 3, 1, CELLS, 8, 0);

    unit_ok(run(&vidcast_onnx_yolov8pose, &t, 1) && boxes.n == 1
            && sides(&boxes.elts[0], 24, 12, 40, 20)
            && point(&vidcast_onnx_yolov8pose, &t, 1, 0, 0, 8, 24, .4),
            "yolov8pose, turned, as ratio");
}


static void
test_yolov10(void)
{
    vidcast_onnx_tensor_t  t;

    static const float  v[] = {
        15, 12, 25, 20, .9f, 2,
        15, 12, 25, 20, .8f, 2,
        15, 12, 25, 20, .2f, 1,
        15, 12, 25, 20, .9f, -1,
        0, 0, 0, 0, 0, 0
    };

    start(&vidcast_onnx_yolov10);

    t = tensor("output0", VIDCAST_ONNX_FLOAT, v, 3, 1, 5, 6, 0);

    unit_ok(run(&vidcast_onnx_yolov10, &t, 1) && boxes.n == 2,
            "yolov10: boxes");
    unit_ok(sides(&boxes.elts[0], 15, 12, 25, 20)
            && boxes.elts[0].class == 2, "yolov10: where and what");
    unit_ok(vidcast_onnx_head_guess(&reading, &t, 1, error)
            == &vidcast_onnx_yolov10, "yolov10 is recognized");

    vidcast_onnx_nms_suppress(&boxes, reading.iou, reading.max);
    unit_ok(boxes.n == 2, "yolov10: nothing is suppressed");

    t = tensor("output0", VIDCAST_ONNX_FLOAT, values, 3, 1, 3 * CELLS, 6, 0);
    unit_ok(vidcast_onnx_head_guess(&reading, &t, 1, error)
            == &vidcast_onnx_yolov5, "a yolov5 of one class is none");
}


static void
test_yolox(void)
{
    uint32_t               i;
    vidcast_onnx_tensor_t  t;

    static const size_t  cells[] = { 0, 31, 32, 39, 41 };
    static const float   rest[] = { .5f, .9f, .1f };
    static const double  at[][2] = {
        { 4, 4 }, { 60, 28 }, { 8, 8 }, { 56, 24 }, { 48, 16 }
    };
    static const double  stride[] = { 8, 8, 16, 16, 32 };

    start(&vidcast_onnx_yolox);

    for (i = 0; i < 5; i++) {
        set(cells[i], 7, 1, 3, rest);
        values[7 * cells[i]] = .5f;
        values[7 * cells[i] + 1] = .5f;
        values[7 * cells[i] + 2] = logf(2);
        values[7 * cells[i] + 3] = 0;
    }

    t = tensor("output", VIDCAST_ONNX_FLOAT, values, 3, 1, CELLS, 7, 0);

    unit_ok(run(&vidcast_onnx_yolox, &t, 1) && boxes.n == 5, "yolox: boxes");

    for (i = 0; i < 5; i++) {
        unit_ok(sides(&boxes.elts[i], at[i][0] - stride[i],
                      at[i][1] - stride[i] / 2, at[i][0] + stride[i],
                      at[i][1] + stride[i] / 2), "yolox: cell %zu", cells[i]);
    }

    unit_ok(near(boxes.elts[0].score, .45) && boxes.elts[0].class == 0,
            "yolox: what");

    unit_ok(vidcast_onnx_head_guess(&reading, &t, 1, error) == NULL,
            "a yolox may be a yolov5 that is decoded");
    unit_ok(strcmp(error, "its output \"output\" float32 [1, 42, 7] may be "
                   "\"yolov5\" or \"yolox\": name the one by \"head\"") == 0,
            "and it is said: %s", error);

    t = tensor("output", VIDCAST_ONNX_FLOAT, values, 3, 1, 41, 7, 0);

    unit_ok(!run(&vidcast_onnx_yolox, &t, 1), "yolox: another size");
    unit_ok(strcmp(error, "\"yolox\" wants one output [1, 42, 5 + classes], "
                   "it has \"output\" float32 [1, 41, 7]") == 0,
            "both shapes: %s", error);
}


static void
test_ssd_tensorflow(void)
{
    vidcast_onnx_tensor_t  t[6];

    static const float  raw[] = { 0, 0, 1, 1 };
    static const float  four[] = { .25f, .5f, .5f, .75f, 0, 0, 1, 1,
                                   0, 0, .5f, .5f };
    static const float  scores[] = { .9f, .4f, .8f };
    static const float  classes[] = { 1, 2, 3 };
    static const float  two[] = { 2 };

    start(&vidcast_onnx_ssd);

    t[0] = tensor("raw_detection_boxes", VIDCAST_ONNX_FLOAT, raw, 3, 1, 1, 4,
                  0);
    t[1] = tensor("num_detections", VIDCAST_ONNX_FLOAT, two, 1, 1, 0, 0, 0);
    t[2] = tensor("detection_classes", VIDCAST_ONNX_FLOAT, classes, 2, 1, 3, 0,
                  0);
    t[3] = tensor("detection_multiclass_scores", VIDCAST_ONNX_FLOAT, four, 3,
                  1, 3, 4, 0);
    t[4] = tensor("detection_boxes", VIDCAST_ONNX_FLOAT, four, 3, 1, 3, 4, 0);
    t[5] = tensor("detection_scores", VIDCAST_ONNX_FLOAT, scores, 2, 1, 3, 0,
                  0);

    unit_ok(vidcast_onnx_head_guess(&reading, t, 6, error)
            == &vidcast_onnx_ssd, "ssd of TensorFlow is recognized");
    unit_ok(run(&vidcast_onnx_ssd, t, 6) && boxes.n == 1,
            "ssd: what counts, and is likely");
    unit_ok(sides(&boxes.elts[0], 32, 8, 48, 16) && boxes.elts[0].class == 1,
            "ssd: y comes first");

    reading.order = VIDCAST_ONNX_XYXY;
    boxes.n = 0;

    unit_ok(run(&vidcast_onnx_ssd, t, 6)
            && sides(&boxes.elts[0], 16, 16, 32, 24), "ssd: or as told");
}


static void
test_ssd_others(void)
{
    vidcast_onnx_tensor_t  t[3];

    static const float    pixels[] = { 15, 12, 25, 20, 0, 0, 64, 32 };
    static const float    ratio[] = { 0, 0, .5f, .5f, .5f, .5f, 1, 1 };
    static const float    scores[] = { .6f, .7f };
    static const int64_t  labels[] = { 5, 17 };
    static const float    each[] = { .1f, .8f, .6f, .95f, .02f, .03f };
    static const float    logits[] = { 0, 5, -5, 5, 0, 0 };
    static const float    packed[] = { 0, 3, .9f, 0, 0, .5f, .5f,
                                       0, 4, .1f, 0, 0, .5f, .5f,
                                       -1, 3, .9f, 0, 0, .5f, .5f };

    start(&vidcast_onnx_ssd);

    t[0] = tensor("boxes", VIDCAST_ONNX_FLOAT, pixels, 2, 2, 4, 0, 0);
    t[1] = tensor("labels", VIDCAST_ONNX_INT64, labels, 1, 2, 0, 0, 0);
    t[2] = tensor("scores", VIDCAST_ONNX_FLOAT, scores, 1, 2, 0, 0, 0);

    unit_ok(vidcast_onnx_head_guess(&reading, t, 3, error)
            == &vidcast_onnx_ssd, "ssd of torchvision is recognized");
    unit_ok(run(&vidcast_onnx_ssd, t, 3) && boxes.n == 2, "ssd: two of them");
    unit_ok(sides(&boxes.elts[0], 15, 12, 25, 20)
            && boxes.elts[1].class == 17, "ssd: in pixels");

    free(t[1].own);
    boxes.n = 0;

    t[0] = tensor("boxes", VIDCAST_ONNX_FLOAT, ratio, 3, 1, 2, 4, 0);
    t[1] = tensor("scores", VIDCAST_ONNX_FLOAT, each, 3, 1, 2, 3, 0);

    unit_ok(vidcast_onnx_head_guess(&reading, t, 2, error)
            == &vidcast_onnx_ssd, "ssd with scores by class is recognized");
    unit_ok(run(&vidcast_onnx_ssd, t, 2) && boxes.n == 2,
            "ssd: a box may be two things, and the background is none");
    unit_ok(boxes.elts[0].class == 1 && boxes.elts[1].class == 2
            && sides(&boxes.elts[1], 0, 0, 32, 16), "ssd: which");

    t[1] = tensor("scores", VIDCAST_ONNX_FLOAT, logits, 3, 1, 2, 3, 0);
    reading.activation = VIDCAST_ONNX_SOFTMAX;
    boxes.n = 0;

    unit_ok(run(&vidcast_onnx_ssd, t, 2) && boxes.n == 1
            && near(boxes.elts[0].score, .99326), "ssd: softmax");

    reading.activation = VIDCAST_ONNX_SIGMOID;
    boxes.n = 0;

    unit_ok(run(&vidcast_onnx_ssd, t, 2) && boxes.n == 5
            && near(boxes.elts[0].score, .5) && boxes.elts[0].class == 0,
            "ssd: by sigmoid there is no background");

    start(&vidcast_onnx_ssd);
    t[0] = tensor("detection_out", VIDCAST_ONNX_FLOAT, packed, 4, 1, 1, 3, 7);

    unit_ok(vidcast_onnx_head_guess(&reading, t, 1, error)
            == &vidcast_onnx_ssd
            && run(&vidcast_onnx_ssd, t, 1) && boxes.n == 1
            && boxes.elts[0].class == 3
            && sides(&boxes.elts[0], 0, 0, 32, 16), "ssd of Caffe");

    t[0] = tensor("boxes", VIDCAST_ONNX_FLOAT, ratio, 3, 1, 2, 4, 0);
    unit_ok(!run(&vidcast_onnx_ssd, t, 1), "boxes alone are not enough");
    unit_ok(strcmp(error, "\"ssd\" wants boxes [1, n, 4] with scores and "
                   "classes [1, n], or scores [1, n, classes], or "
                   "[1, 1, n, 7], it has \"boxes\" float32 [1, 2, 4]") == 0,
            "both shapes: %s", error);
}


static void
test_keypoint_rcnn(void)
{
    vidcast_onnx_tensor_t  t[5];

    static const float    pixels[] = { 15, 12, 25, 20, 0, 0, 64, 32 };
    static const float    scores[] = { .6f, .7f };
    static const int64_t  labels[] = { 1, 1 };
    static const float    where[] = { 1, 2, 1, 3, 4, 1, 5, 6, 1, 7, 8, 1,
                                      10, 20, 1, 30, 40, 1, 50, 60, 1,
                                      70, 80, 1 };
    static const float    heights[] = { 0, 2, -2, 9, 1, 1, 1, -1 };

    start(&vidcast_onnx_ssd);

    /* four points: their scores look like boxes */

    t[0] = tensor("boxes", VIDCAST_ONNX_FLOAT, pixels, 2, 2, 4, 0, 0);
    t[1] = tensor("labels", VIDCAST_ONNX_INT64, labels, 1, 2, 0, 0, 0);
    t[2] = tensor("scores", VIDCAST_ONNX_FLOAT, scores, 1, 2, 0, 0, 0);
    t[3] = tensor("keypoints", VIDCAST_ONNX_FLOAT, where, 3, 2, 4, 3, 0);
    t[4] = tensor("keypoints_scores", VIDCAST_ONNX_FLOAT, heights, 2, 2, 4, 0,
                  0);

    unit_ok(vidcast_onnx_head_guess(&reading, t, 5, error)
            == &vidcast_onnx_ssd, "keypoint R-CNN is recognized");
    unit_ok(run(&vidcast_onnx_ssd, t, 5) && boxes.n == 2
            && sides(&boxes.elts[0], 15, 12, 25, 20)
            && near(boxes.elts[1].score, .7), "keypoint R-CNN: boxes");
    unit_ok(point(&vidcast_onnx_ssd, t, 5, 0, 1, 3, 4, 1 / (1 + exp(-2)))
            && point(&vidcast_onnx_ssd, t, 5, 1, 3, 70, 80, 1 / (1 + exp(1))),
            "keypoint R-CNN: points");

    boxes.n = 0;
    unit_ok(run(&vidcast_onnx_ssd, t, 4) && boxes.n == 2
            && point(&vidcast_onnx_ssd, t, 4, 1, 0, 10, 20, 1),
            "keypoint R-CNN: without their scores");

    t[0].dims[0] = t[1].dims[0] = t[2].dims[0] = 0;
    t[3].dims[0] = t[4].dims[0] = 0;
    boxes.n = 0;

    unit_ok(run(&vidcast_onnx_ssd, t, 5) && boxes.n == 0,
            "keypoint R-CNN: nothing found");
    unit_ok(vidcast_onnx_ssd.points(&reading, t, 3, NULL, NULL) == 0,
            "others have none");

    free(t[1].own);
}


/* twelve outputs of YuNet, named "bbox_16" and so on */

static void
test_yunet(void)
{
    char                   *two[] = { "face", "mask" };
    char                    names[12][8];
    size_t                  i, cells;
    uint32_t                stride, kind;
    vidcast_onnx_labels_t   labels = { two, 1, NULL, "l.txt" };
    vidcast_onnx_tensor_t   t[12], *cls, *obj, *bbox, *kps;

    static float            out[12][320];
    static const char      *kinds[] = { "cls", "obj", "bbox", "kps" };
    static const uint32_t   numbers[] = { 1, 1, 4, 10 };

    start(&vidcast_onnx_yunet);
    memset(out, 0, sizeof(out));

    for (i = 0; i < 12; i++) {
        kind = (uint32_t) i / 3;
        stride = 8 << i % 3;
        cells = (WIDTH / stride) * (HEIGHT / stride);

        (void) snprintf(names[i], sizeof(names[i]), "%s_%u", kinds[kind],
                        stride);

        t[i] = tensor(names[i], VIDCAST_ONNX_FLOAT, out[i], 3, 1,
                      (int64_t) cells, numbers[kind], 0);
    }

    /* column 3, row 1 of 16; another one is not sure enough; one is NaN */

    cls = &t[1];
    obj = &t[4];
    bbox = &t[7];
    kps = &t[10];

    ((float *) cls->values)[7] = 1.5f;
    ((float *) obj->values)[7] = .96f;
    ((float *) bbox->values)[28] = .5f;
    ((float *) bbox->values)[29] = .25f;
    ((float *) bbox->values)[30] = logf(2);
    ((float *) kps->values)[70] = -.5f;
    ((float *) kps->values)[71] = .125f;
    ((float *) kps->values)[79] = 1;
    ((float *) cls->values)[0] = .9f;
    ((float *) obj->values)[0] = .8f;
    ((float *) cls->values)[1] = NAN;
    ((float *) obj->values)[1] = 1;

    unit_ok(vidcast_onnx_head_guess(&reading, t, 12, error)
            == &vidcast_onnx_yunet, "yunet is recognized: %s", error);
    unit_ok(run(&vidcast_onnx_yunet, t, 12) && boxes.n == 1,
            "yunet: a face, and no more");
    unit_ok(sides(&boxes.elts[0], 40, 12, 72, 28)
            && near(boxes.elts[0].score, sqrt(.96)), "yunet: where");
    unit_ok(point(&vidcast_onnx_yunet, t, 12, 0, 0, 40, 18, -1)
            && point(&vidcast_onnx_yunet, t, 12, 0, 1, 48, 16, -1)
            && point(&vidcast_onnx_yunet, t, 12, 0, 4, 48, 32, -1),
            "yunet: its points");

    reading.labels = &labels;
    unit_ok(run(&vidcast_onnx_yunet, t, 12), "yunet: a label");
    labels.n = 2;
    unit_ok(!run(&vidcast_onnx_yunet, t, 12), "yunet: two are too many");
    reading.labels = &none;

    names[11][4] = '4';
    unit_ok(!run(&vidcast_onnx_yunet, t, 12)
            && strstr(error, "\"yunet\" wants cls_8, obj_8 [1, 32, 1], "),
            "yunet: one is missing: %s", error);
}


static void
test_blazeface(void)
{
    size_t                 i;
    vidcast_onnx_tensor_t  t[4];

    static const size_t  at[] = { 0, 1, 513, 895 };
    static const double  middle[][2] = {
        { 2, 1 }, { 2, 1 }, { 4, 2 }, { 60, 30 }
    };

    static float         numbers[2304 * 16], scores[2304];

    start(&vidcast_onnx_blazeface);

    for (i = 0; i < 2304; i++) {
        scores[i] = -100;
    }

    for (i = 0; i < 4; i++) {
        scores[at[i]] = (float) i;
        numbers[16 * at[i]] = 1;
        numbers[16 * at[i] + 1] = 2;
        numbers[16 * at[i] + 2] = 8;
        numbers[16 * at[i] + 3] = 4;
        numbers[16 * at[i] + 4] = -1;
        numbers[16 * at[i] + 15] = 5;
    }

    t[0] = tensor("regressors", VIDCAST_ONNX_FLOAT, numbers, 3, 1, 896, 16, 0);
    t[1] = tensor("classificators", VIDCAST_ONNX_FLOAT, scores, 3, 1, 896, 1,
                  0);

    unit_ok(vidcast_onnx_head_guess(&reading, t, 2, error)
            == &vidcast_onnx_blazeface, "blazeface is recognized: %s", error);
    unit_ok(run(&vidcast_onnx_blazeface, t, 2) && boxes.n == 4,
            "blazeface: faces");

    for (i = 0; i < 4; i++) {
        unit_ok(sides(&boxes.elts[i], middle[i][0] - 3, middle[i][1],
                      middle[i][0] + 5, middle[i][1] + 4)
                && near(boxes.elts[i].score, 1 / (1 + exp(-(double) i)))
                && point(&vidcast_onnx_blazeface, t, 2, i, 0, middle[i][0] - 1,
                         middle[i][1], -1)
                && point(&vidcast_onnx_blazeface, t, 2, i, 5, middle[i][0],
                         middle[i][1] + 5, -1),
                "blazeface: number %zu", at[i]);
    }

    /* the same in two parts, as exporters of single layers leave them */

    t[0] = tensor("a", VIDCAST_ONNX_FLOAT, scores, 3, 1, 512, 1, 0);
    t[1] = tensor("b", VIDCAST_ONNX_FLOAT, scores + 512, 3, 1, 384, 1, 0);
    t[2] = tensor("c", VIDCAST_ONNX_FLOAT, numbers, 3, 1, 512, 16, 0);
    t[3] = tensor("d", VIDCAST_ONNX_FLOAT, numbers + 512 * 16, 3, 1, 384, 16,
                  0);
    boxes.n = 0;

    unit_ok(vidcast_onnx_head_guess(&reading, t, 4, error)
            == &vidcast_onnx_blazeface, "in two parts: recognized: %s", error);
    unit_ok(run(&vidcast_onnx_blazeface, t, 4) && boxes.n == 4,
            "blazeface in two parts: faces");

    for (i = 0; i < boxes.n; i++) {
        unit_ok(boxes.elts[i].row == at[i]
                && sides(&boxes.elts[i], middle[i][0] - 3, middle[i][1],
                         middle[i][0] + 5, middle[i][1] + 4)
                && point(&vidcast_onnx_blazeface, t, 4, i, 5, middle[i][0],
                         middle[i][1] + 5, -1),
                "in two parts: number %zu", at[i]);
    }

    t[3].dims[2] = 1;
    unit_ok(!run(&vidcast_onnx_blazeface, t, 4),
            "in two parts: one is missing");

    /* the order of the outputs is any; the last of 48 x 48 */

    scores[2303] = 5;
    t[1] = tensor("a", VIDCAST_ONNX_FLOAT, numbers, 3, 1, 2304, 16, 0);
    t[0] = tensor("b", VIDCAST_ONNX_FLOAT, scores, 3, 1, 2304, 1, 0);
    boxes.n = 0;

    unit_ok(run(&vidcast_onnx_blazeface, t, 2) && boxes.n == 4
            && point(&vidcast_onnx_blazeface, t, 2, 0, 1, 64 / 96., 32 / 96.,
                     -1),
            "blazeface, for faces that are far");

    t[0] = tensor("b", VIDCAST_ONNX_FLOAT, scores, 3, 1, 896, 1, 0);
    unit_ok(!run(&vidcast_onnx_blazeface, t, 2)
            && strstr(error, "wants [1, n, 16] and [1, n, 1], n is 896 or "
                             "2304"), "both shapes: %s", error);
}


static void
test_detr(void)
{
    char                   *three[] = { "a", "b", "c" };
    vidcast_onnx_labels_t   labels = { three, 3, NULL, "l.txt" };
    vidcast_onnx_tensor_t   t[3];

    const float  logits[] = { logf(6), 0, logf(3), 0, 0, 3 };

    static const float  four[] = { .5f, .5f, .25f, .5f, 0, 0, 1, 1 };

    start(&vidcast_onnx_detr);

    t[0] = tensor("hidden", VIDCAST_ONNX_FLOAT, values, 3, 1, 2, 16, 0);
    t[1] = tensor("logits", VIDCAST_ONNX_FLOAT, logits, 3, 1, 2, 3, 0);
    t[2] = tensor("pred_boxes", VIDCAST_ONNX_FLOAT, four, 3, 1, 2, 4, 0);

    unit_ok(vidcast_onnx_head_guess(&reading, t, 3, error)
            == &vidcast_onnx_detr, "detr is recognized");
    unit_ok(run(&vidcast_onnx_detr, t, 3) && boxes.n == 1,
            "detr: the last class is nothing");
    unit_ok(near(boxes.elts[0].score, .6) && boxes.elts[0].class == 0
            && sides(&boxes.elts[0], 24, 8, 40, 24), "detr: where and what");

    reading.labels = &labels;
    boxes.n = 0;

    unit_ok(run(&vidcast_onnx_detr, t, 3) && boxes.n == 2
            && near(boxes.elts[0].score, 6 / 7.0)
            && boxes.elts[1].class == 2
            && near(boxes.elts[1].score, .95257),
            "detr: unless it has a label");

    labels.n = 1;
    unit_ok(!run(&vidcast_onnx_detr, t, 3), "detr: too few labels");
    unit_ok(strcmp(error, "2 or 3 labels wanted, 1 in \"l.txt\"") == 0,
            "says: %s", error);

    unit_ok(!run(&vidcast_onnx_detr, t, 1)
            && strstr(error, "\"detr\" wants logits [1, n, 1 or 2] and boxes "
                             "[1, n, 4], it has ") == error,
            "detr: too few outputs: %s", error);
}


static int
says(vidcast_onnx_tensor_t *t, const vidcast_onnx_head_t *head,
    const char *json)
{
    int                  rc;
    vidcast_onnx_text_t  text;

    memset(&text, 0, sizeof(vidcast_onnx_text_t));

    rc = vidcast_onnx_head_check(head, &reading, t, 1, error) == VIDCAST_OK
         && head->json(&reading, t, 1, &text) == VIDCAST_OK;

    rc = rc && text.len == strlen(json) && text.len
         && memcmp(text.data, json, text.len) == 0;

    if (!rc) {
        printf("# %s: %.*s\n", error, (int) text.len, text.data);
    }

    vidcast_onnx_text_free(&text);

    return rc;
}


static void
test_classes(void)
{
    char                   *four[] = { "cat", "a \"dog\"", "x\\y", "no" };
    vidcast_onnx_labels_t   labels = { four, 4, NULL, "l.txt" };
    vidcast_onnx_tensor_t   t;

    const float  logits[] = { logf(5), logf(3), logf(2), -INFINITY };

    static const float  worker_stats[] = { .25f, .5f, .125f, .125f };

    start(&vidcast_onnx_classes);
    reading.labels = &labels;
    reading.max = 3;

    t = tensor("p", VIDCAST_ONNX_FLOAT, worker_stats, 2, 1, 4, 0, 0);

    unit_ok(vidcast_onnx_head_guess(&reading, &t, 1, error)
            == &vidcast_onnx_classes, "classes are recognized");
    unit_ok(says(&t, &vidcast_onnx_classes,
                 "{\"classes\":["
                 "{\"label\":\"a \\\"dog\\\"\",\"class\":1,\"score\":0.5},"
                 "{\"label\":\"cat\",\"class\":0,\"score\":0.25},"
                 "{\"label\":\"x\\\\y\",\"class\":2,\"score\":0.125}]}"),
            "classes: the best, in their order");

    reading.score = .3f;
    unit_ok(says(&t, &vidcast_onnx_classes,
                 "{\"classes\":["
                 "{\"label\":\"a \\\"dog\\\"\",\"class\":1,\"score\":0.5}]}"),
            "classes: the likely ones");

    t = tensor("p", VIDCAST_ONNX_FLOAT, logits, 4, 1, 4, 1, 1);
    reading.labels = &none;

    unit_ok(says(&t, &vidcast_onnx_classes,
                 "{\"classes\":["
                 "{\"label\":\"0\",\"class\":0,\"score\":0.5},"
                 "{\"label\":\"1\",\"class\":1,\"score\":0.3}]}"),
            "classes: what is no probability becomes one");

    t = tensor("p", VIDCAST_ONNX_FLOAT, worker_stats, 2, 1, 3, 0, 0);
    reading.labels = &labels;
    reading.first = 1;

    unit_ok(!says(&t, &vidcast_onnx_classes, "")
            && strcmp(error, "2 labels wanted, 4 in \"l.txt\"") == 0,
            "classes: other labels: %s", error);

    unit_ok(vidcast_onnx_head_guess(&reading, &t, 1, error) == NULL
            && strcmp(error, "2 labels wanted, 4 in \"l.txt\"") == 0,
            "classes: they are to be guessed: %s", error);

    t = tensor("p", VIDCAST_ONNX_FLOAT, worker_stats, 2, 2, 2, 0, 0);

    unit_ok(!says(&t, &vidcast_onnx_classes, "")
            && strcmp(error, "\"classes\" wants one output [1, 5], it has "
                      "\"p\" float32 [2, 2]") == 0,
            "classes: another shape: %s", error);
}


/* why it is none of a classifier; "": it may be one */

static const char *
doubt(const float *numbers, int64_t n)
{
    vidcast_onnx_tensor_t  t;

    t = tensor("p", VIDCAST_ONNX_FLOAT, numbers, 2, 1, n, 0, 0);
    error[0] = '\0';

    if (!vidcast_onnx_classes.doubt(&reading, &t, 1, error, sizeof(error))) {
        error[0] = '\0';
    }

    return error;
}


/* what other models tell has the shape of classes as well */

static void
test_doubt(void)
{
    float     numbers[512];
    uint32_t  i;

    start(&vidcast_onnx_classes);

    for (i = 0; i < 512; i++) {
        numbers[i] = (i % 2 ? 1 : -1) / sqrtf(512);
    }

    unit_ok(strcmp(doubt(numbers, 512), "as a vector they have the length 1")
            == 0, "doubt: an embedding, %s", error);

    for (i = 0; i < 512; i++) {
        numbers[i] = (float) (i % 100) / 100;
    }

    unit_ok(strstr(doubt(numbers, 136), "the best one has a share of 0.01"),
            "doubt: landmarks, %s", error);

    for (i = 0; i < 512; i++) {
        numbers[i] = (float) (i % 113);
    }

    unit_ok(strcmp(doubt(numbers, 136), "81 is no logit") == 0,
            "doubt: landmarks in pixels, %s", error);

    numbers[3] = NAN;

    unit_ok(strcmp(doubt(numbers, 136), "some are not numbers") == 0,
            "doubt: %s", error);

    for (i = 0; i < 512; i++) {
        numbers[i] = (float) (i % 7) - 3;
    }

    numbers[9] = 9;
    unit_ok(doubt(numbers, 512)[0] == '\0', "doubt: none of logits, %s", error);
    unit_ok(doubt(numbers, 2)[0] == '\0', "doubt: nor of two, %s", error);

    for (i = 0; i < 512; i++) {
        numbers[i] = 1 / 512.0f;
    }

    unit_ok(doubt(numbers, 512)[0] == '\0', "doubt: nor of shares, %s", error);

    for (i = 0; i < 512; i++) {
        numbers[i] = logf(1 / 512.0f);
    }

    numbers[0] = -100;
    unit_ok(doubt(numbers, 512)[0] == '\0',
            "doubt: nor of their logarithms, %s", error);

    reading.activation = VIDCAST_ONNX_NONE;

    unit_ok(strcmp(doubt(numbers, 512), "-100 is no probability") == 0,
            "doubt: without an activation, %s", error);
}


/* why they are none of this head; "": they may be its own */

static const char *
odd(const vidcast_onnx_head_t *head, const vidcast_onnx_tensor_t *outputs,
    uint32_t n)
{
    if (vidcast_onnx_head_check(head, &reading, outputs, n, error)
        == VIDCAST_OK
        && !head->doubt(&reading, outputs, n, error, sizeof(error)))
    {
        error[0] = '\0';
    }

    return error;
}


/* of models with boxes: what stands in place of scores */

static void
test_doubt_yolo(void)
{
    vidcast_onnx_tensor_t  t;

    /* YOLOv7's poses: one class, 17 points behind it */

    start(&vidcast_onnx_yolov5);
    t = tensor("o", VIDCAST_ONNX_FLOAT, values, 3, 1, 3 * CELLS, 57, 0);

    unit_ok(vidcast_onnx_head_guess(&reading, &t, 1, error)
            == &vidcast_onnx_yolov5, "doubt: poses are guessed as yolov5");
    unit_ok(odd(&vidcast_onnx_yolov5, &t, 1)[0] == '\0',
            "doubt: none of zeros, %s", error);

    values[0] = 31;
    values[57 + 4] = 1.005f;
    values[57 + 5] = -.005f;
    unit_ok(odd(&vidcast_onnx_yolov5, &t, 1)[0] == '\0',
            "doubt: nor of what was rounded, %s", error);

    values[57 * (3 * CELLS - 1) + 56] = 47.5f;
    unit_ok(strcmp(odd(&vidcast_onnx_yolov5, &t, 1),
                   "47.5 is no probability") == 0,
            "doubt: a key point in the last class of the last box, %s", error);

    values[57 + 4] = -3;
    unit_ok(strcmp(odd(&vidcast_onnx_yolov5, &t, 1),
                   "-3 is no probability") == 0,
            "doubt: whether there is anything, %s", error);

    values[57 + 4] = NAN;
    unit_ok(strcmp(odd(&vidcast_onnx_yolov5, &t, 1),
                   "some are not numbers") == 0, "doubt: yolov5, %s", error);

    start(&vidcast_onnx_yolox);
    t = tensor("o", VIDCAST_ONNX_FLOAT, values, 3, 1, CELLS, 8, 0);
    values[8 + 6] = 2;
    unit_ok(odd(&vidcast_onnx_yolox, &t, 1)[0] == '2', "doubt: yolox, %s",
            error);

    start(&vidcast_onnx_yolov8);
    t = tensor("o", VIDCAST_ONNX_FLOAT, values, 3, 1, 56, MORE, 0);
    values[0] = 31;
    unit_ok(odd(&vidcast_onnx_yolov8, &t, 1)[0] == '\0',
            "doubt: none of yolov8, %s", error);

    values[5 * MORE] = 31;
    unit_ok(odd(&vidcast_onnx_yolov8, &t, 1)[0] == '3',
            "doubt: yolov8, %s", error);
    unit_ok(odd(&vidcast_onnx_yolov8pose, &t, 1)[0] == '\0',
            "doubt: none of points that are read as such, %s", error);

    values[5 * MORE - 1] = 7;
    unit_ok(odd(&vidcast_onnx_yolov8pose, &t, 1)[0] == '7',
            "doubt: yolov8pose, %s", error);

    start(&vidcast_onnx_yolov10);
    t = tensor("o", VIDCAST_ONNX_FLOAT, values, 3, 1, 30, 6, 0);
    values[6 + 5] = 79;
    unit_ok(odd(&vidcast_onnx_yolov10, &t, 1)[0] == '\0',
            "doubt: none of a class, %s", error);

    values[6 + 4] = 79;
    unit_ok(odd(&vidcast_onnx_yolov10, &t, 1)[0] == '7',
            "doubt: yolov10, %s", error);
}


static void
test_doubt_ssd(void)
{
    vidcast_onnx_tensor_t  t[4];

    static const float  two[] = { 2 };

    /* of SCRFD, as numbered by its exporter: scores, boxes, points */

    start(&vidcast_onnx_ssd);
    t[0] = tensor("446", VIDCAST_ONNX_FLOAT, values, 2, 20, 1, 0, 0);
    t[1] = tensor("449", VIDCAST_ONNX_FLOAT, values, 2, 20, 4, 0, 0);
    t[2] = tensor("452", VIDCAST_ONNX_FLOAT, values, 2, 20, 10, 0, 0);
    values[199] = -1.25f;

    unit_ok(strcmp(odd(&vidcast_onnx_ssd, t, 3), "-1.25 is no probability")
            == 0, "doubt: points of SCRFD are no scores, %s", error);

    reading.activation = VIDCAST_ONNX_SOFTMAX;
    unit_ok(odd(&vidcast_onnx_ssd, t, 3)[0] == '\0',
            "doubt: none of what becomes shares, %s", error);

    start(&vidcast_onnx_ssd);
    t[0] = tensor("boxes", VIDCAST_ONNX_FLOAT, values, 3, 1, 5, 4, 0);
    t[1] = tensor("scores", VIDCAST_ONNX_FLOAT, values, 2, 1, 5, 0, 0);
    t[2] = tensor("classes", VIDCAST_ONNX_FLOAT, values, 2, 1, 5, 0, 0);
    t[3] = tensor("num", VIDCAST_ONNX_FLOAT, two, 1, 1, 0, 0, 0);
    values[2] = 9;

    unit_ok(odd(&vidcast_onnx_ssd, t, 4)[0] == '\0',
            "doubt: none of what does not count, %s", error);
    unit_ok(odd(&vidcast_onnx_ssd, t, 3)[0] == '9', "doubt: ssd, %s", error);

    start(&vidcast_onnx_ssd);
    t[0] = tensor("o", VIDCAST_ONNX_FLOAT, values, 4, 1, 1, 3, 7);
    values[1] = 5;
    values[14] = -1;
    values[14 + 2] = 5;
    unit_ok(odd(&vidcast_onnx_ssd, t, 1)[0] == '\0',
            "doubt: none of a class, or behind the end, %s", error);

    values[7 + 2] = 5;
    unit_ok(odd(&vidcast_onnx_ssd, t, 1)[0] == '5',
            "doubt: ssd in one output, %s", error);
}


static void
test_raw(void)
{
    vidcast_onnx_tensor_t  t;

    static const float    some[] = { 1, -.5f, NAN, 1e10f, .1f, INFINITY };
    static const int64_t  large[] = { 9007199254740991, -1 };

    start(&vidcast_onnx_raw);

    t = tensor("o\"", VIDCAST_ONNX_FLOAT, some, 2, 3, 2, 0, 0);
    unit_ok(says(&t, &vidcast_onnx_raw,
                 "{\"outputs\":[{\"name\":\"o\\\"\",\"shape\":[3,2],\"data\":"
                 "[1,-0.5,null,10000000000,0.1,null]}]}"), "raw");

    reading.digits = 0;
    unit_ok(says(&t, &vidcast_onnx_raw,
                 "{\"outputs\":[{\"name\":\"o\\\"\",\"shape\":[3,2],\"data\":"
                 "[1,0,null,10000000000,0,null]}]}"), "raw: rounded");

    reading.digits = -1;
    unit_ok(vidcast_onnx_head_guess(&reading, &t, 1, error) == NULL
            && strstr(error, "head=raw"), "raw is named: %s", error);

    t = tensor("o", VIDCAST_ONNX_INT64, large, 1, 2, 0, 0, 0);
    unit_ok(says(&t, &vidcast_onnx_raw,
                 "{\"outputs\":[{\"name\":\"o\",\"shape\":[2],\"data\":"
                 "[9007199254740991,-1]}]}"), "raw: whole numbers");
    free(t.own);

    t = tensor("\xffo\n", VIDCAST_ONNX_INT64, large, 1, 0, 0, 0, 0);
    unit_ok(says(&t, &vidcast_onnx_raw,
                 "{\"outputs\":[{\"name\":\"?o\\u000a\",\"shape\":[0],"
                 "\"data\":[]}]}"), "raw: a name that is no UTF-8");
    free(t.own);

    t = tensor("o", VIDCAST_ONNX_FLOAT, NULL, 2, 1000, 100, 0, 0);
    reading.result_size = 1100000;

    unit_ok(vidcast_onnx_raw.room(&reading, &t, 1, error) == VIDCAST_OK,
            "raw: there is room");

    reading.result_size--;

    unit_ok(vidcast_onnx_raw.room(&reading, &t, 1, error) == VIDCAST_ERROR
            && strcmp(error, "\"raw\" has 100000 numbers, some 1100000 bytes, "
                      "but \"results\" allows 1099999: choose some by "
                      "\"output\", round them by \"digits\", or allow more")
               == 0, "raw: there is none: %s", error);

    reading.digits = 3;

    unit_ok(vidcast_onnx_raw.room(&reading, &t, 1, error) == VIDCAST_OK,
            "raw: there is for some digits");
}


/* by whichever of the two */

static const char *
printed(float number, int digits)
{
    static char          buf[64];
    vidcast_onnx_text_t  text;

    memset(&text, 0, sizeof(vidcast_onnx_text_t));

    if (digits < 0) {
        vidcast_onnx_text_exact(&text, number, 24, -149);

    } else {
        vidcast_onnx_text_rounded(&text, number, digits);
    }

    (void) snprintf(buf, sizeof(buf), "%.*s", (int) text.len, text.data);
    vidcast_onnx_text_free(&text);

    return buf;
}


static void
test_numbers(void)
{
    float        f, other;
    size_t       i, wrong, longer;
    uint32_t     bits;
    const char  *text;

    static const struct {
        float        number;
        int          digits;
        const char  *text;
    } known[] = {
        { 0, -1, "0" }, { -0.0f, 3, "0" }, { 640, -1, "640" },
        { .3f, -1, "0.3" }, { -12.345f, -1, "-12.345" },
        { 1e-4f, -1, "0.0001" }, { 1e-5f, -1, "1e-5" },
        { 16777216, -1, "16777216" }, { 1e15f, -1, "1e15" },
        { FLT_MAX, -1, "3.4028235e38" }, { FLT_MIN, -1, "1.17549435e-38" },
        { .9996f, 3, "1" }, { -.0004f, 3, "0" }, { -.0006f, 3, "-0.001" },
        { 12.5f, 3, "12.5" }, { 255.25f, 1, "255.2" }, { 99.96f, 1, "100" },
        { .000123f, 9, "0.000123" }, { 3e20f, 2, "3.000000060122632e+20" }
    };

    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        text = printed(known[i].number, known[i].digits);

        unit_ok(strcmp(text, known[i].text) == 0, "number: %s is %s", text,
                known[i].text);
    }

    /* every 9973rd of all there are */

    wrong = 0;
    longer = 0;

    for (bits = 0; bits < UINT32_MAX - 9973; bits += 9973) {
        memcpy(&f, &bits, sizeof(f));

        if (!isfinite(f)) {
            continue;
        }

        text = printed(f, -1);
        other = strtof(text, NULL);

        wrong += (other != f);
        longer += strlen(text) > sizeof("-123456789000000") - 1;
    }

    unit_ok(wrong == 0 && longer == 0,
            "numbers: %zu are others, %zu are too long", wrong, longer);
}


int
main(void)
{
    test_iou();
    test_suppress();
    test_place();
    test_yolov5();
    test_yolov8();
    test_yolov8pose();
    test_yolov10();
    test_yolox();
    test_ssd_tensorflow();
    test_ssd_others();
    test_keypoint_rcnn();
    test_yunet();
    test_blazeface();
    test_detr();
    test_classes();
    test_doubt();
    test_doubt_yolo();
    test_doubt_ssd();
    test_raw();
    test_numbers();

    vidcast_onnx_nms_free(&boxes);

    return unit_done();
}
