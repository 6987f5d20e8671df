
/*
 * Copyright (C) vidcast contributors
 */


#include <math.h>
#include <stdio.h>

#include "plugins/onnx/heads/vidcast_onnx_head.h"
#include "vidcast_plugin.h"


/*
 * BlazeFace, the face detector of MediaPipe: numbers [1, n, 16] and scores
 * [1, n, 1], of faces around the middles of cells.  A picture of any size has
 * 16 x 16 cells with two faces each, then 8 x 8 with six, 896 together; or, for
 * faces farther away, 48 x 48 with one, 2304.  A face is its middle, from that
 * of the cell, its width and height, and six points, from the middle of the
 * cell: the right eye, the left one, nose, mouth, right ear, left ear, of the
 * person.  All are in pixels.  They are read as MediaPipe does, in its
 * tflite_tensors_to_detections_calculator.cc, with its options for faces.
 */

#define VIDCAST_ONNX_BLAZEFACE_NEAR     896
#define VIDCAST_ONNX_BLAZEFACE_FAR      2304
#define VIDCAST_ONNX_BLAZEFACE_NUMBERS  16
#define VIDCAST_ONNX_BLAZEFACE_POINTS   6


typedef struct {
    const vidcast_onnx_tensor_t  *numbers;
    const vidcast_onnx_tensor_t  *scores;
    size_t                        n;
} vidcast_onnx_blazeface_t;


static int vidcast_onnx_blazeface_fits(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n);
static int vidcast_onnx_blazeface_find(const vidcast_onnx_tensor_t *outputs,
    uint32_t n, vidcast_onnx_blazeface_t *faces);
static void vidcast_onnx_blazeface_wants(
    const vidcast_onnx_reading_t *reading, char *buf, size_t size);
static int vidcast_onnx_blazeface_boxes(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    vidcast_onnx_nms_t *boxes);
static void vidcast_onnx_blazeface_middle(
    const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_blazeface_t *faces, size_t i, float *x, float *y);
static uint32_t vidcast_onnx_blazeface_points(
    const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    const vidcast_onnx_box_t *box, vidcast_keypoint_t *points);


const vidcast_onnx_head_t  vidcast_onnx_blazeface = {
    "blazeface",
    vidcast_onnx_blazeface_fits,
    vidcast_onnx_blazeface_fits,
    vidcast_onnx_blazeface_wants,
    vidcast_onnx_blazeface_boxes,
    NULL,
    vidcast_onnx_blazeface_points,
    NULL,
    NULL,
    0.5f, 0.3f, 50,
    1 / 127.5f, VIDCAST_FIT_LETTERBOX, 0, 0, 127.5f, "face", 0
};


static int
vidcast_onnx_blazeface_fits(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n)
{
    vidcast_onnx_blazeface_t  faces;

    return vidcast_onnx_head_labeled(reading, 1)
           && vidcast_onnx_blazeface_find(outputs, n, &faces);
}


static int
vidcast_onnx_blazeface_find(const vidcast_onnx_tensor_t *outputs, uint32_t n,
    vidcast_onnx_blazeface_t *faces)
{
    uint32_t                      i;
    const vidcast_onnx_tensor_t  *output;

    faces->numbers = NULL;
    faces->scores = NULL;

    for (i = 0; i < n; i++) {
        output = &outputs[i];

        if (output->type == VIDCAST_ONNX_OTHER
            || output->ndims != 3 || output->dims[0] != 1
            || (output->dims[1] != VIDCAST_ONNX_BLAZEFACE_NEAR
                && output->dims[1] != VIDCAST_ONNX_BLAZEFACE_FAR))
        {
            continue;
        }

        if (output->dims[2] == VIDCAST_ONNX_BLAZEFACE_NUMBERS) {
            faces->numbers = output;

        } else if (output->dims[2] == 1) {
            faces->scores = output;
        }
    }

    if (n != 2 || faces->numbers == NULL || faces->scores == NULL
        || faces->numbers->dims[1] != faces->scores->dims[1])
    {
        return 0;
    }

    faces->n = faces->numbers->dims[1];

    return 1;
}


static void
vidcast_onnx_blazeface_wants(const vidcast_onnx_reading_t *reading, char *buf,
    size_t size)
{
    (void) snprintf(buf, size, "[1, n, 16] and [1, n, 1], n is %d or %d, "
                    "and one label", VIDCAST_ONNX_BLAZEFACE_NEAR,
                    VIDCAST_ONNX_BLAZEFACE_FAR);
}


static int
vidcast_onnx_blazeface_boxes(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    vidcast_onnx_nms_t *boxes)
{
    float                      x, y, v[4];
    size_t                     i;
    const float               *face;
    vidcast_onnx_box_t         box;
    vidcast_onnx_blazeface_t   faces;

    if (!vidcast_onnx_blazeface_find(outputs, n, &faces)) {
        return VIDCAST_OK;
    }

    for (i = 0; i < faces.n; i++) {
        box.score = vidcast_onnx_sigmoid(faces.scores->values[i]);

        if (!(box.score >= reading->score)) {
            continue;
        }

        vidcast_onnx_blazeface_middle(reading, &faces, i, &x, &y);

        face = faces.numbers->values + i * VIDCAST_ONNX_BLAZEFACE_NUMBERS;

        v[0] = face[0] + x;
        v[1] = face[1] + y;
        v[2] = face[2];
        v[3] = face[3];

        vidcast_onnx_head_place(reading, VIDCAST_ONNX_CXCYWH,
                                VIDCAST_ONNX_PIXELS, v, &box);

        box.class = 0;
        box.row = i;

        if (vidcast_onnx_nms_add(boxes, &box) != VIDCAST_OK) {
            return VIDCAST_ERROR;
        }
    }

    return VIDCAST_OK;
}


/* of its cell, in pixels */

static void
vidcast_onnx_blazeface_middle(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_blazeface_t *faces, size_t i, float *x, float *y)
{
    size_t  cell, columns;

    if (faces->n == VIDCAST_ONNX_BLAZEFACE_FAR) {
        columns = 48;
        cell = i;

    } else if (i < 2 * 16 * 16) {
        columns = 16;
        cell = i / 2;

    } else {
        columns = 8;
        cell = (i - 2 * 16 * 16) / 6;
    }

    *x = ((float) (cell % columns) + 0.5f) / (float) columns
         * (float) reading->width;
    *y = ((float) (cell / columns) + 0.5f) / (float) columns
         * (float) reading->height;
}


static uint32_t
vidcast_onnx_blazeface_points(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    const vidcast_onnx_box_t *box, vidcast_keypoint_t *points)
{
    float                      x, y;
    uint32_t                   k;
    const float               *v;
    vidcast_onnx_blazeface_t   faces;

    if (box == NULL || !vidcast_onnx_blazeface_find(outputs, n, &faces)) {
        return VIDCAST_ONNX_BLAZEFACE_POINTS;
    }

    vidcast_onnx_blazeface_middle(reading, &faces, box->row, &x, &y);

    v = faces.numbers->values + box->row * VIDCAST_ONNX_BLAZEFACE_NUMBERS + 4;

    for (k = 0; k < VIDCAST_ONNX_BLAZEFACE_POINTS; k++, v += 2) {
        vidcast_onnx_head_point(reading, VIDCAST_ONNX_PIXELS, v[0] + x,
                                v[1] + y, &points[k]);

        points[k].score = -1;
    }

    return VIDCAST_ONNX_BLAZEFACE_POINTS;
}
