
/*
 * Copyright (C) vidcast contributors
 */


#include <math.h>
#include <stdio.h>
#include <string.h>

#include "plugins/onnx/heads/vidcast_onnx_head.h"
#include "vidcast_plugin.h"


/*
 * The heads of YOLO, one output each.  A box is four numbers, in some of them
 * whether there is anything, and how well each class fits.
 *
 * yolov5   [1, boxes, 5 + classes]; also YOLOv6, YOLOv7
 * yolov8   [1, 4 + classes, boxes]; also YOLOv9, YOLO11, YOLO12
 * yolov10  [1, boxes, 6]: sides, score and class, nothing is to be suppressed
 * yolox    as yolov5; the numbers are relative to the cells of three or four
 *          grids, and logarithms
 *
 * yolov8pose   [1, 4 + classes + points * 3, boxes]: a yolov8 with x, y and how
 *              well it is seen of each key point behind the classes, in pixels;
 *              or x and y only.  This is how Ultralytics' own PosePredictor
 *              reads it.
 */

#define VIDCAST_ONNX_YOLO_COCO  17    /* points of a person */

#define VIDCAST_ONNX_YOLO_BLOCK  64


typedef struct {
    const float  *values;
    size_t        n;           /* boxes */
    size_t        box;         /* from one to the next, numbers */
    size_t        column;
    uint32_t      objectness;  /* 0: there is none */
    uint32_t      classes;
} vidcast_onnx_yolo_t;


/* one of yolox's grids after the other */

typedef struct {
    uint32_t      stride;
    uint32_t      x;
    uint32_t      y;
} vidcast_onnx_yolo_cell_t;


static int vidcast_onnx_yolo_one(const vidcast_onnx_tensor_t *outputs,
    uint32_t n, int64_t *masks);
static int vidcast_onnx_yolo_rows(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    vidcast_onnx_yolo_t *yolo);
static int vidcast_onnx_yolo_columns(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    vidcast_onnx_yolo_t *yolo);
static int64_t vidcast_onnx_yolo_turn(const vidcast_onnx_tensor_t *output,
    vidcast_onnx_yolo_t *yolo);
static uint32_t vidcast_onnx_yolo_strides(
    const vidcast_onnx_reading_t *reading, int64_t cells);
static int vidcast_onnx_yolo_found(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_yolo_t *yolo, vidcast_onnx_yolo_cell_t *cell,
    vidcast_onnx_nms_t *boxes);
static void vidcast_onnx_yolo_best(const vidcast_onnx_yolo_t *yolo,
    size_t first, size_t n, float *scores, uint32_t *classes);
static void vidcast_onnx_yolo_uncell(const vidcast_onnx_yolo_cell_t *cell,
    float *v);
static void vidcast_onnx_yolo_next(const vidcast_onnx_reading_t *reading,
    vidcast_onnx_yolo_cell_t *cell);
static void vidcast_onnx_yolo_wants(const vidcast_onnx_reading_t *reading,
    int64_t columns, int64_t cells, char *buf, size_t size);
static int64_t vidcast_onnx_yolo_cells(const vidcast_onnx_reading_t *reading,
    uint32_t last);
static int vidcast_onnx_yolo_doubt(const vidcast_onnx_yolo_t *yolo,
    char *buf, size_t size);
static int vidcast_onnx_yolo_rows_doubt(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n, char *buf, size_t size);
static int vidcast_onnx_yolo_columns_doubt(
    const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n, char *buf, size_t size);

static int vidcast_onnx_yolov5_fits(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n);
static int vidcast_onnx_yolov5_sure(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n);
static void vidcast_onnx_yolov5_wants(const vidcast_onnx_reading_t *reading,
    char *buf, size_t size);
static int vidcast_onnx_yolov5_boxes(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    vidcast_onnx_nms_t *boxes);
static int vidcast_onnx_yolov8_fits(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n);
static int vidcast_onnx_yolov8_sure(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n);
static void vidcast_onnx_yolov8_wants(const vidcast_onnx_reading_t *reading,
    char *buf, size_t size);
static int vidcast_onnx_yolov8_boxes(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    vidcast_onnx_nms_t *boxes);
static int vidcast_onnx_yolov8pose_find(
    const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    vidcast_onnx_yolo_t *yolo, uint32_t *points);
static int vidcast_onnx_yolov8pose_fits(
    const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n);
static int vidcast_onnx_yolov8pose_sure(
    const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n);
static void vidcast_onnx_yolov8pose_wants(
    const vidcast_onnx_reading_t *reading, char *buf, size_t size);
static int vidcast_onnx_yolov8pose_boxes(
    const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    vidcast_onnx_nms_t *boxes);
static uint32_t vidcast_onnx_yolov8pose_points(
    const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    const vidcast_onnx_box_t *box, vidcast_keypoint_t *points);
static int vidcast_onnx_yolov8pose_doubt(
    const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n, char *buf, size_t size);
static int vidcast_onnx_yolov10_fits(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n);
static int vidcast_onnx_yolov10_sure(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n);
static void vidcast_onnx_yolov10_wants(const vidcast_onnx_reading_t *reading,
    char *buf, size_t size);
static int vidcast_onnx_yolov10_boxes(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    vidcast_onnx_nms_t *boxes);
static int vidcast_onnx_yolov10_doubt(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n, char *buf, size_t size);
static int vidcast_onnx_yolox_fits(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n);
static void vidcast_onnx_yolox_wants(const vidcast_onnx_reading_t *reading,
    char *buf, size_t size);
static int vidcast_onnx_yolox_boxes(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    vidcast_onnx_nms_t *boxes);


const vidcast_onnx_head_t  vidcast_onnx_yolov5 = {
    "yolov5",
    vidcast_onnx_yolov5_fits,
    vidcast_onnx_yolov5_sure,
    vidcast_onnx_yolov5_wants,
    vidcast_onnx_yolov5_boxes,
    NULL,
    NULL,
    NULL,
    vidcast_onnx_yolo_rows_doubt,
    0.25f, 0.45f, 50,
    1 / 255.0f, VIDCAST_FIT_LETTERBOX, 114, 0, 0, NULL, 0
};


const vidcast_onnx_head_t  vidcast_onnx_yolov8 = {
    "yolov8",
    vidcast_onnx_yolov8_fits,
    vidcast_onnx_yolov8_sure,
    vidcast_onnx_yolov8_wants,
    vidcast_onnx_yolov8_boxes,
    NULL,
    NULL,
    NULL,
    vidcast_onnx_yolo_columns_doubt,
    0.25f, 0.45f, 50,
    1 / 255.0f, VIDCAST_FIT_LETTERBOX, 114, 0, 0, NULL, 0
};


const vidcast_onnx_head_t  vidcast_onnx_yolov8pose = {
    "yolov8pose",
    vidcast_onnx_yolov8pose_fits,
    vidcast_onnx_yolov8pose_sure,
    vidcast_onnx_yolov8pose_wants,
    vidcast_onnx_yolov8pose_boxes,
    NULL,
    vidcast_onnx_yolov8pose_points,
    NULL,
    vidcast_onnx_yolov8pose_doubt,
    0.25f, 0.45f, 50,
    1 / 255.0f, VIDCAST_FIT_LETTERBOX, 114, 0, 0, NULL, 0
};


const vidcast_onnx_head_t  vidcast_onnx_yolov10 = {
    "yolov10",
    vidcast_onnx_yolov10_fits,
    vidcast_onnx_yolov10_sure,
    vidcast_onnx_yolov10_wants,
    vidcast_onnx_yolov10_boxes,
    NULL,
    NULL,
    NULL,
    vidcast_onnx_yolov10_doubt,
    0.25f, 1, 50,
    1 / 255.0f, VIDCAST_FIT_LETTERBOX, 114, 0, 0, NULL, 0
};


const vidcast_onnx_head_t  vidcast_onnx_yolox = {
    "yolox",
    vidcast_onnx_yolox_fits,
    vidcast_onnx_yolox_fits,
    vidcast_onnx_yolox_wants,
    vidcast_onnx_yolox_boxes,
    NULL,
    NULL,
    NULL,
    vidcast_onnx_yolo_rows_doubt,
    0.25f, 0.45f, 50,
    1, VIDCAST_FIT_LETTERBOX, 114, 1, 0, NULL, VIDCAST_ANCHOR_TOPLEFT
};


/* besides it, models that segment have [1, masks, height, width] */

static int
vidcast_onnx_yolo_one(const vidcast_onnx_tensor_t *outputs, uint32_t n,
    int64_t *masks)
{
    *masks = 0;

    if (n == 2 && outputs[1].ndims == 4 && outputs[1].dims[0] == 1) {
        *masks = outputs[1].dims[1];
        n = 1;
    }

    return n == 1 && outputs[0].ndims == 3 && outputs[0].dims[0] == 1
           && outputs[0].type != VIDCAST_ONNX_OTHER;
}


static int
vidcast_onnx_yolo_rows(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    vidcast_onnx_yolo_t *yolo)
{
    int64_t  masks, classes;

    if (!vidcast_onnx_yolo_one(outputs, n, &masks)) {
        return 0;
    }

    classes = outputs[0].dims[2] - 5 - masks;

    if (classes < 1 || !vidcast_onnx_head_labeled(reading, classes)) {
        return 0;
    }

    yolo->values = outputs[0].values;
    yolo->n = outputs[0].dims[1];
    yolo->box = outputs[0].dims[2];
    yolo->column = 1;
    yolo->objectness = 1;
    yolo->classes = (uint32_t) classes;

    return 1;
}


/* some exporters turn it, [1, boxes, 4 + classes] */

static int
vidcast_onnx_yolo_columns(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    vidcast_onnx_yolo_t *yolo)
{
    int64_t  masks, classes;

    if (!vidcast_onnx_yolo_one(outputs, n, &masks)) {
        return 0;
    }

    classes = vidcast_onnx_yolo_turn(&outputs[0], yolo) - 4 - masks;

    if (classes < 1 || !vidcast_onnx_head_labeled(reading, classes)) {
        return 0;
    }

    yolo->classes = (uint32_t) classes;

    return 1;
}


/* all but the classes; returns how many numbers a box has */

static int64_t
vidcast_onnx_yolo_turn(const vidcast_onnx_tensor_t *output,
    vidcast_onnx_yolo_t *yolo)
{
    uint32_t  turned;

    turned = (output->dims[2] < output->dims[1]);

    yolo->values = output->values;
    yolo->n = output->dims[turned ? 1 : 2];
    yolo->box = turned ? output->dims[2] : 1;
    yolo->column = turned ? 1 : output->dims[2];
    yolo->objectness = 0;
    yolo->classes = 0;

    return output->dims[turned ? 2 : 1];
}


/* of 8, 16, 32, and of 64 in models for large pictures: the last one */

static uint32_t
vidcast_onnx_yolo_strides(const vidcast_onnx_reading_t *reading, int64_t cells)
{
    uint32_t  last;

    for (last = 32; last <= 64; last *= 2) {

        if (cells && cells == vidcast_onnx_yolo_cells(reading, last)) {
            return last;
        }
    }

    return 0;
}


static int64_t
vidcast_onnx_yolo_cells(const vidcast_onnx_reading_t *reading, uint32_t last)
{
    int64_t   cells;
    uint32_t  stride;

    cells = 0;

    for (stride = 8; stride <= last; stride *= 2) {
        cells += (int64_t) (reading->width / stride)
                 * (reading->height / stride);
    }

    return cells;
}


static int
vidcast_onnx_yolo_found(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_yolo_t *yolo, vidcast_onnx_yolo_cell_t *cell,
    vidcast_onnx_nms_t *boxes)
{
    float                v[4];
    size_t               i, k, n, first;
    uint32_t             j;
    vidcast_onnx_box_t   box;

    float                scores[VIDCAST_ONNX_YOLO_BLOCK];
    uint32_t             classes[VIDCAST_ONNX_YOLO_BLOCK];

    for (first = 0; first < yolo->n; first += n) {

        n = yolo->n - first;

        if (n > VIDCAST_ONNX_YOLO_BLOCK) {
            n = VIDCAST_ONNX_YOLO_BLOCK;
        }

        vidcast_onnx_yolo_best(yolo, first, n, scores, classes);

        for (i = 0; i < n; i++) {

            if (scores[i] >= reading->score) {
                k = (first + i) * yolo->box;

                for (j = 0; j < 4; j++) {
                    v[j] = yolo->values[k + j * yolo->column];
                }

                if (cell) {
                    vidcast_onnx_yolo_uncell(cell, v);
                }

                vidcast_onnx_head_place(reading, VIDCAST_ONNX_CXCYWH,
                                        VIDCAST_ONNX_PIXELS, v, &box);

                box.score = scores[i];
                box.class = classes[i];
                box.row = first + i;

                if (vidcast_onnx_nms_add(boxes, &box) != VIDCAST_OK) {
                    return VIDCAST_ERROR;
                }
            }

            if (cell) {
                vidcast_onnx_yolo_next(reading, cell);
            }
        }
    }

    return VIDCAST_OK;
}


/* class by class, as the numbers of one class may stand together */

static void
vidcast_onnx_yolo_best(const vidcast_onnx_yolo_t *yolo, size_t first, size_t n,
    float *scores, uint32_t *classes)
{
    size_t        i;
    uint32_t      class;
    const float  *p;

    p = yolo->values + first * yolo->box
        + (4 + yolo->objectness) * yolo->column;

    for (i = 0; i < n; i++) {
        scores[i] = p[i * yolo->box];
        classes[i] = 0;
    }

    for (class = 1; class < yolo->classes; class++) {
        p += yolo->column;

        for (i = 0; i < n; i++) {

            if (p[i * yolo->box] > scores[i]) {
                scores[i] = p[i * yolo->box];
                classes[i] = class;
            }
        }
    }

    if (yolo->objectness) {
        p = yolo->values + first * yolo->box + 4 * yolo->column;

        for (i = 0; i < n; i++) {
            scores[i] *= p[i * yolo->box];
        }
    }
}


static void
vidcast_onnx_yolo_uncell(const vidcast_onnx_yolo_cell_t *cell, float *v)
{
    v[0] = (v[0] + (float) cell->x) * (float) cell->stride;
    v[1] = (v[1] + (float) cell->y) * (float) cell->stride;
    v[2] = expf(v[2]) * (float) cell->stride;
    v[3] = expf(v[3]) * (float) cell->stride;
}


static void
vidcast_onnx_yolo_next(const vidcast_onnx_reading_t *reading,
    vidcast_onnx_yolo_cell_t *cell)
{
    cell->x++;

    if (cell->x < reading->width / cell->stride) {
        return;
    }

    cell->x = 0;
    cell->y++;

    if (cell->y < reading->height / cell->stride) {
        return;
    }

    cell->y = 0;
    cell->stride *= 2;
}


static void
vidcast_onnx_yolo_wants(const vidcast_onnx_reading_t *reading,
    int64_t columns, int64_t cells, char *buf, size_t size)
{
    char     number[24], boxes[24], sum[24];
    int64_t  classes;

    classes = vidcast_onnx_head_classes(reading);

    (void) snprintf(sum, sizeof(sum), "%lld + classes", (long long) columns);

    columns = (classes < 0) ? -1 : columns + classes;

    (void) snprintf(buf, size, "one output [1, %s, %s]",
                    vidcast_onnx_head_number(cells, "boxes", boxes,
                                             sizeof(boxes)),
                    vidcast_onnx_head_number(columns, sum, number,
                                             sizeof(number)));
}


/* in place of scores, key points and other numbers are not of 0 to 1 */

static int
vidcast_onnx_yolo_doubt(const vidcast_onnx_yolo_t *yolo, char *buf,
    size_t size)
{
    uint32_t  i;

    for (i = 4; i < 4 + yolo->objectness + yolo->classes; i++) {

        if (vidcast_onnx_head_improbable(yolo->values + i * yolo->column,
                                         yolo->n, yolo->box, buf, size))
        {
            return 1;
        }
    }

    return 0;
}


static int
vidcast_onnx_yolo_rows_doubt(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n, char *buf, size_t size)
{
    vidcast_onnx_yolo_t  yolo;

    return vidcast_onnx_yolo_rows(reading, outputs, n, &yolo)
           && vidcast_onnx_yolo_doubt(&yolo, buf, size);
}


static int
vidcast_onnx_yolo_columns_doubt(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n, char *buf, size_t size)
{
    vidcast_onnx_yolo_t  yolo;

    return vidcast_onnx_yolo_columns(reading, outputs, n, &yolo)
           && vidcast_onnx_yolo_doubt(&yolo, buf, size);
}


/* a turned one, which is not this head's, has few rows that are long */

static int
vidcast_onnx_yolov5_fits(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n)
{
    vidcast_onnx_yolo_t  yolo;

    return vidcast_onnx_yolo_rows(reading, outputs, n, &yolo)
           && (yolo.n > yolo.box
               || vidcast_onnx_yolov5_sure(reading, outputs, n));
}


/* three anchors a cell, or, of YOLOv6, one */

static int
vidcast_onnx_yolov5_sure(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n)
{
    vidcast_onnx_yolo_t  yolo;

    return vidcast_onnx_yolo_rows(reading, outputs, n, &yolo)
           && (vidcast_onnx_yolo_strides(reading, (int64_t) yolo.n)
               || (yolo.n % 3 == 0
                   && vidcast_onnx_yolo_strides(reading,
                                                (int64_t) yolo.n / 3)));
}


static void
vidcast_onnx_yolov5_wants(const vidcast_onnx_reading_t *reading, char *buf,
    size_t size)
{
    vidcast_onnx_yolo_wants(reading, 5, -1, buf, size);
}


static int
vidcast_onnx_yolov5_boxes(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    vidcast_onnx_nms_t *boxes)
{
    vidcast_onnx_yolo_t  yolo;

    (void) vidcast_onnx_yolo_rows(reading, outputs, n, &yolo);

    return vidcast_onnx_yolo_found(reading, &yolo, NULL, boxes);
}


static int
vidcast_onnx_yolov8_fits(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n)
{
    vidcast_onnx_yolo_t  yolo;

    return vidcast_onnx_yolo_columns(reading, outputs, n, &yolo);
}


/* turned, it might be another one */

static int
vidcast_onnx_yolov8_sure(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n)
{
    vidcast_onnx_yolo_t  yolo;

    return vidcast_onnx_yolo_columns(reading, outputs, n, &yolo)
           && yolo.box == 1 && reading->keypoints == 0
           && vidcast_onnx_yolo_strides(reading, (int64_t) yolo.n);
}


static void
vidcast_onnx_yolov8_wants(const vidcast_onnx_reading_t *reading, char *buf,
    size_t size)
{
    char     number[24];
    int64_t  columns;

    columns = vidcast_onnx_head_classes(reading);
    columns += (columns < 0) ? 0 : 4;

    (void) snprintf(buf, size, "one output [1, %s, boxes]",
                    vidcast_onnx_head_number(columns, "4 + classes", number,
                                             sizeof(number)));
}


static int
vidcast_onnx_yolov8_boxes(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    vidcast_onnx_nms_t *boxes)
{
    vidcast_onnx_yolo_t  yolo;

    (void) vidcast_onnx_yolo_columns(reading, outputs, n, &yolo);

    return vidcast_onnx_yolo_found(reading, &yolo, NULL, boxes);
}


/* without labels there is one class, unless the maker counted the points */

static int
vidcast_onnx_yolov8pose_find(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    vidcast_onnx_yolo_t *yolo, uint32_t *points)
{
    int64_t  masks, rest, classes, numbers;

    if (!vidcast_onnx_yolo_one(outputs, n, &masks) || masks) {
        return 0;
    }

    rest = vidcast_onnx_yolo_turn(&outputs[0], yolo) - 4;
    numbers = reading->keypoint ? reading->keypoint : 3;
    classes = vidcast_onnx_head_classes(reading);

    if (classes < 0) {
        classes = reading->keypoints ? rest - reading->keypoints * numbers : 1;
    }

    rest -= classes;

    if (classes < 1 || rest < numbers || rest % numbers
        || rest / numbers > VIDCAST_KEYPOINTS_MAX
        || (reading->keypoints && rest / numbers != reading->keypoints))
    {
        return 0;
    }

    yolo->classes = (uint32_t) classes;
    *points = (uint32_t) (rest / numbers);

    return 1;
}


static int
vidcast_onnx_yolov8pose_fits(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n)
{
    uint32_t             points;
    vidcast_onnx_yolo_t  yolo;

    return vidcast_onnx_yolov8pose_find(reading, outputs, n, &yolo, &points);
}


/* unless its maker says it, any number of points may be classes */

static int
vidcast_onnx_yolov8pose_sure(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n)
{
    uint32_t             points;
    vidcast_onnx_yolo_t  yolo;

    return vidcast_onnx_yolov8pose_find(reading, outputs, n, &yolo, &points)
           && yolo.box == 1
           && vidcast_onnx_yolo_strides(reading, (int64_t) yolo.n)
           && (reading->keypoints || points == VIDCAST_ONNX_YOLO_COCO);
}


static void
vidcast_onnx_yolov8pose_wants(const vidcast_onnx_reading_t *reading,
    char *buf, size_t size)
{
    char     number[24], columns[48];
    int64_t  classes, numbers;

    classes = vidcast_onnx_head_classes(reading);
    numbers = reading->keypoint ? reading->keypoint : 3;

    (void) snprintf(columns, sizeof(columns), "4 + %s + points * %lld",
                    vidcast_onnx_head_number(classes, "1 class", number,
                                             sizeof(number)),
                    (long long) numbers);

    (void) snprintf(buf, size, "one output [1, %s, boxes]", columns);
}


static int
vidcast_onnx_yolov8pose_boxes(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    vidcast_onnx_nms_t *boxes)
{
    uint32_t             points;
    vidcast_onnx_yolo_t  yolo;

    if (!vidcast_onnx_yolov8pose_find(reading, outputs, n, &yolo, &points)) {
        return VIDCAST_OK;
    }

    return vidcast_onnx_yolo_found(reading, &yolo, NULL, boxes);
}


static uint32_t
vidcast_onnx_yolov8pose_points(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    const vidcast_onnx_box_t *box, vidcast_keypoint_t *points)
{
    uint32_t             i, count, numbers;
    const float         *v;
    vidcast_onnx_yolo_t  yolo;

    if (!vidcast_onnx_yolov8pose_find(reading, outputs, n, &yolo, &count)) {
        return 0;
    }

    if (box == NULL) {
        return count;
    }

    numbers = reading->keypoint ? reading->keypoint : 3;
    v = yolo.values + box->row * yolo.box + (4 + yolo.classes) * yolo.column;

    for (i = 0; i < count; i++, v += numbers * yolo.column) {
        vidcast_onnx_head_point(reading, VIDCAST_ONNX_PIXELS, v[0],
                                v[yolo.column], &points[i]);

        points[i].score = (numbers > 2) ? v[2 * yolo.column] : -1;
    }

    return count;
}


static int
vidcast_onnx_yolov8pose_doubt(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n, char *buf, size_t size)
{
    uint32_t             points;
    vidcast_onnx_yolo_t  yolo;

    return vidcast_onnx_yolov8pose_find(reading, outputs, n, &yolo, &points)
           && vidcast_onnx_yolo_doubt(&yolo, buf, size);
}


static int
vidcast_onnx_yolov10_fits(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n)
{
    int64_t  masks;

    return vidcast_onnx_yolo_one(outputs, n, &masks)
           && outputs[0].dims[2] == 6 + masks;
}


/* a yolov5 of one class has six numbers as well, but another count of boxes */

static int
vidcast_onnx_yolov10_sure(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n)
{
    int64_t  boxes;

    if (!vidcast_onnx_yolov10_fits(reading, outputs, n)) {
        return 0;
    }

    boxes = outputs[0].dims[1];

    return !vidcast_onnx_yolo_strides(reading, boxes)
           && (boxes % 3 || !vidcast_onnx_yolo_strides(reading, boxes / 3));
}


static void
vidcast_onnx_yolov10_wants(const vidcast_onnx_reading_t *reading, char *buf,
    size_t size)
{
    (void) snprintf(buf, size, "one output [1, boxes, 6]");
}


static int
vidcast_onnx_yolov10_boxes(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    vidcast_onnx_nms_t *boxes)
{
    int64_t              i;
    const float         *v;
    vidcast_onnx_box_t   box;

    v = outputs[0].values;

    for (i = 0; i < outputs[0].dims[1]; i++, v += outputs[0].dims[2]) {

        if (!(v[4] >= reading->score) || !(v[5] >= 0 && v[5] < 1e6f)) {
            continue;
        }

        vidcast_onnx_head_place(reading, VIDCAST_ONNX_XYXY,
                                VIDCAST_ONNX_PIXELS, v, &box);

        box.score = v[4];
        box.class = (uint32_t) v[5];
        box.row = i;

        if (vidcast_onnx_nms_add(boxes, &box) != VIDCAST_OK) {
            return VIDCAST_ERROR;
        }
    }

    return VIDCAST_OK;
}


static int
vidcast_onnx_yolov10_doubt(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n, char *buf, size_t size)
{
    return vidcast_onnx_head_improbable(outputs[0].values + 4,
                                        outputs[0].dims[1],
                                        outputs[0].dims[2], buf, size);
}


static int
vidcast_onnx_yolox_fits(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n)
{
    vidcast_onnx_yolo_t  yolo;

    return vidcast_onnx_yolo_rows(reading, outputs, n, &yolo)
           && vidcast_onnx_yolo_strides(reading, (int64_t) yolo.n);
}


static void
vidcast_onnx_yolox_wants(const vidcast_onnx_reading_t *reading, char *buf,
    size_t size)
{
    vidcast_onnx_yolo_wants(reading, 5, vidcast_onnx_yolo_cells(reading, 32),
                            buf, size);
}


static int
vidcast_onnx_yolox_boxes(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    vidcast_onnx_nms_t *boxes)
{
    vidcast_onnx_yolo_t       yolo;
    vidcast_onnx_yolo_cell_t  cell;

    (void) vidcast_onnx_yolo_rows(reading, outputs, n, &yolo);

    memset(&cell, 0, sizeof(vidcast_onnx_yolo_cell_t));
    cell.stride = 8;

    return vidcast_onnx_yolo_found(reading, &yolo, &cell, boxes);
}
