
/*
 * Copyright (C) vidcast contributors
 */


#include <math.h>
#include <stdio.h>
#include <string.h>

#include "plugins/onnx/heads/vidcast_onnx_head.h"
#include "vidcast_plugin.h"


/*
 * YuNet, the face detector of OpenCV's zoo.  It has three grids, of cells of 8,
 * 16 and 32 pixels, and four outputs for each of them: cls_8 and obj_8
 * [1, cells, 1], bbox_8 [1, cells, 4], kps_8 [1, cells, 10].  They are read as
 * by OpenCV, postProcess() in modules/objdetect/src/face_detect.cpp.  The five
 * points are the right eye, the left one, the nose, the right corner of the
 * mouth and the left one, of the person.
 */

#define VIDCAST_ONNX_YUNET_GRIDS   3
#define VIDCAST_ONNX_YUNET_POINTS  5


typedef struct {
    const float  *cls;
    const float  *obj;
    const float  *bbox;
    const float  *kps;
    size_t        n;          /* cells */
    size_t        columns;
    uint32_t      stride;
} vidcast_onnx_yunet_grid_t;


static int vidcast_onnx_yunet_fits(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n);
static int vidcast_onnx_yunet_find(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    vidcast_onnx_yunet_grid_t *grids);
static const vidcast_onnx_tensor_t *vidcast_onnx_yunet_output(
    const vidcast_onnx_tensor_t *outputs, uint32_t n, const char *name,
    const vidcast_onnx_yunet_grid_t *grid, int64_t numbers);
static void vidcast_onnx_yunet_wants(const vidcast_onnx_reading_t *reading,
    char *buf, size_t size);
static int vidcast_onnx_yunet_boxes(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    vidcast_onnx_nms_t *boxes);
static float vidcast_onnx_yunet_score(const vidcast_onnx_yunet_grid_t *grid,
    size_t i);
static uint32_t vidcast_onnx_yunet_points(
    const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    const vidcast_onnx_box_t *box, vidcast_keypoint_t *points);


const vidcast_onnx_head_t  vidcast_onnx_yunet = {
    "yunet",
    vidcast_onnx_yunet_fits,
    vidcast_onnx_yunet_fits,
    vidcast_onnx_yunet_wants,
    vidcast_onnx_yunet_boxes,
    NULL,
    vidcast_onnx_yunet_points,
    NULL,
    NULL,
    0.9f, 0.3f, 50,
    1, VIDCAST_FIT_LETTERBOX, 0, 1, 0, "face", 0
};


static int
vidcast_onnx_yunet_fits(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n)
{
    vidcast_onnx_yunet_grid_t  grids[VIDCAST_ONNX_YUNET_GRIDS];

    return vidcast_onnx_head_labeled(reading, 1)
           && vidcast_onnx_yunet_find(reading, outputs, n, grids);
}


/* by their names, as two of them have one shape */

static int
vidcast_onnx_yunet_find(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    vidcast_onnx_yunet_grid_t *grids)
{
    uint32_t                      i;
    vidcast_onnx_yunet_grid_t    *grid;
    const vidcast_onnx_tensor_t  *cls, *obj, *bbox, *kps;

    for (i = 0; i < VIDCAST_ONNX_YUNET_GRIDS; i++) {
        grid = &grids[i];

        grid->stride = 8 << i;
        grid->columns = reading->width / grid->stride;
        grid->n = grid->columns * (reading->height / grid->stride);

        cls = vidcast_onnx_yunet_output(outputs, n, "cls", grid, 1);
        obj = vidcast_onnx_yunet_output(outputs, n, "obj", grid, 1);
        bbox = vidcast_onnx_yunet_output(outputs, n, "bbox", grid, 4);
        kps = vidcast_onnx_yunet_output(outputs, n, "kps", grid,
                                        2 * VIDCAST_ONNX_YUNET_POINTS);

        if (cls == NULL || obj == NULL || bbox == NULL || kps == NULL) {
            return 0;
        }

        grid->cls = cls->values;
        grid->obj = obj->values;
        grid->bbox = bbox->values;
        grid->kps = kps->values;
    }

    return 1;
}


static const vidcast_onnx_tensor_t *
vidcast_onnx_yunet_output(const vidcast_onnx_tensor_t *outputs, uint32_t n,
    const char *name, const vidcast_onnx_yunet_grid_t *grid, int64_t numbers)
{
    char                          whole[16];
    uint32_t                      i;
    const vidcast_onnx_tensor_t  *output;

    (void) snprintf(whole, sizeof(whole), "%s_%u", name, grid->stride);

    for (i = 0; i < n; i++) {
        output = &outputs[i];

        if (strcmp(output->name, whole) == 0) {
            return (output->type != VIDCAST_ONNX_OTHER
                    && output->ndims == 3 && output->dims[0] == 1
                    && output->dims[1] == (int64_t) grid->n
                    && output->dims[2] == numbers)
                   ? output : NULL;
        }
    }

    return NULL;
}


static void
vidcast_onnx_yunet_wants(const vidcast_onnx_reading_t *reading, char *buf,
    size_t size)
{
    (void) snprintf(buf, size, "cls_8, obj_8 [1, %u, 1], bbox_8 [1, n, 4], "
                    "kps_8 [1, n, 10], these of 16 and 32, and one label",
                    (reading->width / 8) * (reading->height / 8));
}


static int
vidcast_onnx_yunet_boxes(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    vidcast_onnx_nms_t *boxes)
{
    float                      v[4], stride;
    size_t                     i, first;
    uint32_t                   g;
    const float               *bbox;
    vidcast_onnx_box_t         box;
    vidcast_onnx_yunet_grid_t  grids[VIDCAST_ONNX_YUNET_GRIDS], *grid;

    if (!vidcast_onnx_yunet_find(reading, outputs, n, grids)) {
        return VIDCAST_OK;
    }

    first = 0;

    for (g = 0; g < VIDCAST_ONNX_YUNET_GRIDS; g++) {
        grid = &grids[g];
        stride = (float) grid->stride;

        for (i = 0; i < grid->n; i++) {
            box.score = vidcast_onnx_yunet_score(grid, i);

            if (!(box.score >= reading->score)) {
                continue;
            }

            bbox = grid->bbox + 4 * i;

            v[0] = (bbox[0] + (float) (i % grid->columns)) * stride;
            v[1] = (bbox[1] + (float) (i / grid->columns)) * stride;
            v[2] = expf(bbox[2]) * stride;
            v[3] = expf(bbox[3]) * stride;

            vidcast_onnx_head_place(reading, VIDCAST_ONNX_CXCYWH,
                                    VIDCAST_ONNX_PIXELS, v, &box);

            box.class = 0;
            box.row = first + i;

            if (vidcast_onnx_nms_add(boxes, &box) != VIDCAST_OK) {
                return VIDCAST_ERROR;
            }
        }

        first += grid->n;
    }

    return VIDCAST_OK;
}


static float
vidcast_onnx_yunet_score(const vidcast_onnx_yunet_grid_t *grid, size_t i)
{
    float  cls, obj;

    /* a comparison that keeps what is no number */

    cls = (grid->cls[i] > 1) ? 1 : (grid->cls[i] < 0) ? 0 : grid->cls[i];
    obj = (grid->obj[i] > 1) ? 1 : (grid->obj[i] < 0) ? 0 : grid->obj[i];

    return sqrtf(cls * obj);
}


static uint32_t
vidcast_onnx_yunet_points(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    const vidcast_onnx_box_t *box, vidcast_keypoint_t *points)
{
    float                      stride;
    size_t                     i;
    uint32_t                   k;
    const float               *kps;
    vidcast_onnx_yunet_grid_t  grids[VIDCAST_ONNX_YUNET_GRIDS], *grid;

    if (box == NULL || !vidcast_onnx_yunet_find(reading, outputs, n, grids)) {
        return VIDCAST_ONNX_YUNET_POINTS;
    }

    grid = grids;

    for (i = box->row; i >= grid->n; i -= grid->n, grid++) { /* void */ }

    stride = (float) grid->stride;
    kps = grid->kps + 2 * VIDCAST_ONNX_YUNET_POINTS * i;

    for (k = 0; k < VIDCAST_ONNX_YUNET_POINTS; k++, kps += 2) {
        vidcast_onnx_head_point(reading, VIDCAST_ONNX_PIXELS,
                           (kps[0] + (float) (i % grid->columns)) * stride,
                           (kps[1] + (float) (i / grid->columns)) * stride,
                           &points[k]);

        points[k].score = -1;
    }

    return VIDCAST_ONNX_YUNET_POINTS;
}
