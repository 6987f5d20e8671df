
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
 * faces farther away, 48 x 48 with one, 2304.  Some exporters leave the numbers
 * and scores of the 512 and of the 384 as they are, in outputs of their own.
 *
 * A face is its middle, from that of the cell, its width and height, and six
 * points, from the middle of the cell: the right eye, the left one, nose,
 * mouth, right ear, left ear, of the person.  All are in pixels.  They are read
 * as MediaPipe does, in its tflite_tensors_to_detections_calculator.cc, with
 * its options for faces.
 */

#define VIDCAST_ONNX_BLAZEFACE_NEAR     896
#define VIDCAST_ONNX_BLAZEFACE_FAR      2304
#define VIDCAST_ONNX_BLAZEFACE_FINE     512    /* of the near ones */
#define VIDCAST_ONNX_BLAZEFACE_NUMBERS  16
#define VIDCAST_ONNX_BLAZEFACE_POINTS   6


/* in one part, or two */

typedef struct {
    const vidcast_onnx_tensor_t  *numbers[2];
    const vidcast_onnx_tensor_t  *scores[2];
    size_t                        first;      /* in the first one */
    size_t                        n;
} vidcast_onnx_blazeface_t;


static int vidcast_onnx_blazeface_fits(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n);
static int vidcast_onnx_blazeface_find(const vidcast_onnx_tensor_t *outputs,
    uint32_t n, vidcast_onnx_blazeface_t *faces);
static int vidcast_onnx_blazeface_part(const vidcast_onnx_tensor_t *outputs,
    uint32_t n, vidcast_onnx_blazeface_t *faces, uint32_t part, size_t count);
static void vidcast_onnx_blazeface_wants(
    const vidcast_onnx_reading_t *reading, char *buf, size_t size);
static int vidcast_onnx_blazeface_boxes(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    vidcast_onnx_nms_t *boxes);
static const float *vidcast_onnx_blazeface_face(
    const vidcast_onnx_blazeface_t *faces, size_t i, float *score);
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
    if (n == 4) {
        return vidcast_onnx_blazeface_part(outputs, n, faces, 1,
                                           VIDCAST_ONNX_BLAZEFACE_NEAR
                                           - VIDCAST_ONNX_BLAZEFACE_FINE)
               && vidcast_onnx_blazeface_part(outputs, n, faces, 0,
                                              VIDCAST_ONNX_BLAZEFACE_FINE);
    }

    return n == 2
           && (vidcast_onnx_blazeface_part(outputs, n, faces, 0,
                                           VIDCAST_ONNX_BLAZEFACE_NEAR)
               || vidcast_onnx_blazeface_part(outputs, n, faces, 0,
                                              VIDCAST_ONNX_BLAZEFACE_FAR));
}


/* outputs of so many faces; all others are of the other part */

static int
vidcast_onnx_blazeface_part(const vidcast_onnx_tensor_t *outputs, uint32_t n,
    vidcast_onnx_blazeface_t *faces, uint32_t part, size_t count)
{
    uint32_t                      i;
    const vidcast_onnx_tensor_t  *output;

    faces->numbers[part] = NULL;
    faces->scores[part] = NULL;

    for (i = 0; i < n; i++) {
        output = &outputs[i];

        if (output->type == VIDCAST_ONNX_OTHER
            || output->ndims != 3 || output->dims[0] != 1
            || output->dims[1] != (int64_t) count)
        {
            continue;
        }

        if (output->dims[2] == VIDCAST_ONNX_BLAZEFACE_NUMBERS) {
            faces->numbers[part] = output;

        } else if (output->dims[2] == 1) {
            faces->scores[part] = output;
        }
    }

    if (part == 0) {
        faces->first = count;
        faces->n = (n == 4) ? VIDCAST_ONNX_BLAZEFACE_NEAR : count;
    }

    return faces->numbers[part] && faces->scores[part];
}


static void
vidcast_onnx_blazeface_wants(const vidcast_onnx_reading_t *reading, char *buf,
    size_t size)
{
    (void) snprintf(buf, size, "[1, n, 16] and [1, n, 1], n is %d or %d, "
                    "or two of each, %d and %d, and one label",
                    VIDCAST_ONNX_BLAZEFACE_NEAR, VIDCAST_ONNX_BLAZEFACE_FAR,
                    VIDCAST_ONNX_BLAZEFACE_FINE,
                    VIDCAST_ONNX_BLAZEFACE_NEAR - VIDCAST_ONNX_BLAZEFACE_FINE);
}


static int
vidcast_onnx_blazeface_boxes(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    vidcast_onnx_nms_t *boxes)
{
    float                      x, y, score, v[4];
    size_t                     i;
    const float               *face;
    vidcast_onnx_box_t         box;
    vidcast_onnx_blazeface_t   faces;

    if (!vidcast_onnx_blazeface_find(outputs, n, &faces)) {
        return VIDCAST_OK;
    }

    for (i = 0; i < faces.n; i++) {
        face = vidcast_onnx_blazeface_face(&faces, i, &score);
        box.score = vidcast_onnx_sigmoid(score);

        if (!(box.score >= reading->score)) {
            continue;
        }

        vidcast_onnx_blazeface_middle(reading, &faces, i, &x, &y);

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


/* its numbers */

static const float *
vidcast_onnx_blazeface_face(const vidcast_onnx_blazeface_t *faces, size_t i,
    float *score)
{
    uint32_t  part;

    part = (i < faces->first) ? 0 : 1;
    i -= part ? faces->first : 0;

    *score = faces->scores[part]->values[i];

    return faces->numbers[part]->values + i * VIDCAST_ONNX_BLAZEFACE_NUMBERS;
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

    } else if (i < VIDCAST_ONNX_BLAZEFACE_FINE) {
        columns = 16;
        cell = i / 2;

    } else {
        columns = 8;
        cell = (i - VIDCAST_ONNX_BLAZEFACE_FINE) / 6;
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
    float                      x, y, score;
    uint32_t                   k;
    const float               *v;
    vidcast_onnx_blazeface_t   faces;

    if (box == NULL || !vidcast_onnx_blazeface_find(outputs, n, &faces)) {
        return VIDCAST_ONNX_BLAZEFACE_POINTS;
    }

    vidcast_onnx_blazeface_middle(reading, &faces, box->row, &x, &y);

    v = vidcast_onnx_blazeface_face(&faces, box->row, &score) + 4;

    for (k = 0; k < VIDCAST_ONNX_BLAZEFACE_POINTS; k++, v += 2) {
        vidcast_onnx_head_point(reading, VIDCAST_ONNX_PIXELS, v[0] + x,
                                v[1] + y, &points[k]);

        points[k].score = -1;
    }

    return VIDCAST_ONNX_BLAZEFACE_POINTS;
}
