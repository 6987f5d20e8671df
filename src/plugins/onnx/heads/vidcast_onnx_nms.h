
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _VIDCAST_ONNX_NMS_H_INCLUDED_
#define _VIDCAST_ONNX_NMS_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


/* what a head found, in pixels of the model's picture */

#define VIDCAST_ONNX_CANDIDATES  4096    /* the best of more are looked at */


typedef struct {
    float                 left;
    float                 top;
    float                 right;
    float                 bottom;
    float                 score;
    uint32_t              class;
    size_t                row;         /* of the outputs */
} vidcast_onnx_box_t;


typedef struct {
    vidcast_onnx_box_t   *elts;
    size_t                n;
    size_t                room;
} vidcast_onnx_nms_t;


/*
 * A copy of *box, unless its numbers are none, or it is empty.  VIDCAST_OK;
 * VIDCAST_ERROR: no memory.
 */
int vidcast_onnx_nms_add(vidcast_onnx_nms_t *boxes,
    const vidcast_onnx_box_t *box);

void vidcast_onnx_nms_free(vidcast_onnx_nms_t *boxes);

/* the overlap of two boxes: intersection over union, 0-1 */
float vidcast_onnx_nms_iou(const vidcast_onnx_box_t *a,
    const vidcast_onnx_box_t *b);

/*
 * Sorts them by score, and keeps at most "max": of those of one class which
 * overlap by more than "iou" the best.  An "iou" of 1 or more keeps all.
 */
void vidcast_onnx_nms_suppress(vidcast_onnx_nms_t *boxes, float iou,
    size_t max);


#endif /* _VIDCAST_ONNX_NMS_H_INCLUDED_ */
