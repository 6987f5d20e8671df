
/*
 * Copyright (C) vidcast contributors
 */


#include <math.h>
#include <stdlib.h>

#include "plugins/onnx/heads/vidcast_onnx_nms.h"
#include "vidcast_plugin.h"


static int vidcast_onnx_nms_order(const void *one, const void *two);
static float vidcast_onnx_nms_area(const vidcast_onnx_box_t *box);
static int vidcast_onnx_nms_covered(const vidcast_onnx_nms_t *boxes,
    size_t n, const vidcast_onnx_box_t *box, float iou);


int
vidcast_onnx_nms_add(vidcast_onnx_nms_t *boxes,
    const vidcast_onnx_box_t *box)
{
    size_t               room;
    vidcast_onnx_box_t  *elts;

    if (!isfinite(box->left) || !isfinite(box->top)
        || !isfinite(box->right) || !isfinite(box->bottom)
        || !isfinite(box->score)
        || box->right <= box->left || box->bottom <= box->top)
    {
        return VIDCAST_OK;
    }

    if (boxes->n == boxes->room) {
        room = boxes->room ? 2 * boxes->room : 64;
        elts = realloc(boxes->elts, room * sizeof(vidcast_onnx_box_t));

        if (elts == NULL) {
            return VIDCAST_ERROR;
        }

        boxes->elts = elts;
        boxes->room = room;
    }

    boxes->elts[boxes->n++] = *box;

    return VIDCAST_OK;
}


void
vidcast_onnx_nms_free(vidcast_onnx_nms_t *boxes)
{
    free(boxes->elts);

    boxes->elts = NULL;
    boxes->n = 0;
    boxes->room = 0;
}


float
vidcast_onnx_nms_iou(const vidcast_onnx_box_t *a,
    const vidcast_onnx_box_t *b)
{
    float  width, height, both;

    width = fminf(a->right, b->right) - fmaxf(a->left, b->left);
    height = fminf(a->bottom, b->bottom) - fmaxf(a->top, b->top);

    if (width <= 0 || height <= 0) {
        return 0;
    }

    both = width * height;

    return both / (vidcast_onnx_nms_area(a) + vidcast_onnx_nms_area(b)
                   - both);
}


static float
vidcast_onnx_nms_area(const vidcast_onnx_box_t *box)
{
    return (box->right - box->left) * (box->bottom - box->top);
}


void
vidcast_onnx_nms_suppress(vidcast_onnx_nms_t *boxes, float iou, size_t max)
{
    size_t               i, n, kept;
    vidcast_onnx_box_t  *box;

    if (boxes->n == 0) {
        return;
    }

    qsort(boxes->elts, boxes->n, sizeof(vidcast_onnx_box_t),
          vidcast_onnx_nms_order);

    n = boxes->n < VIDCAST_ONNX_CANDIDATES ? boxes->n
                                           : VIDCAST_ONNX_CANDIDATES;
    kept = 0;

    for (i = 0; i < n && kept < max; i++) {
        box = &boxes->elts[i];

        if (iou >= 1
            || !vidcast_onnx_nms_covered(boxes, kept, box, iou))
        {
            boxes->elts[kept++] = *box;
        }
    }

    boxes->n = kept;
}


static int
vidcast_onnx_nms_order(const void *one, const void *two)
{
    const vidcast_onnx_box_t  *a = one;
    const vidcast_onnx_box_t  *b = two;

    if (a->score != b->score) {
        return a->score < b->score ? 1 : -1;
    }

    /* any order that is always the same */

    if (a->class != b->class) {
        return a->class > b->class ? 1 : -1;
    }

    if (a->top != b->top) {
        return a->top > b->top ? 1 : -1;
    }

    return (a->left > b->left) - (a->left < b->left);
}


/* by one of the first n of its class */

static int
vidcast_onnx_nms_covered(const vidcast_onnx_nms_t *boxes, size_t n,
    const vidcast_onnx_box_t *box, float iou)
{
    size_t  i;

    for (i = 0; i < n; i++) {

        if (boxes->elts[i].class == box->class
            && vidcast_onnx_nms_iou(&boxes->elts[i], box) > iou)
        {
            return 1;
        }
    }

    return 0;
}
