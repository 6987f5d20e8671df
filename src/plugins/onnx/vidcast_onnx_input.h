
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _VIDCAST_ONNX_INPUT_H_INCLUDED_
#define _VIDCAST_ONNX_INPUT_H_INCLUDED_


#include "plugins/onnx/vidcast_onnx_tensor.h"
#include "vidcast_plugin.h"


/* a picture becomes the numbers that a model takes */

#define VIDCAST_ONNX_NCHW      1
#define VIDCAST_ONNX_NHWC      2

#define VIDCAST_ONNX_MAX_SIZE  16384


/* what is configured of it */

typedef struct {
    uint32_t              width;       /* 0: as the model has it */
    uint32_t              height;
    uint32_t              layout;      /* 0: by the shape */
    float                 mean[3];     /* of 0-255, by channel */
    float                 scale[3];    /* of what is left */
    unsigned              scaled:1;
    unsigned              given:1;     /* mean or scale */
} vidcast_onnx_requested_t;


typedef struct {
    vidcast_onnx_type_e   type;
    uint32_t              layout;
    uint32_t              channels;    /* 1 or 3 */
    uint32_t              width;
    uint32_t              height;
    size_t                size;        /* bytes of all numbers */

    union {                            /* of each value of each channel */
        float             number[3][256];
        uint16_t          half[3][256];
    } table;
} vidcast_onnx_input_t;


/*
 * Plans what a model with this input gets; what is open in the tensor's shape
 * is set.  VIDCAST_OK; VIDCAST_ERROR: reason in "error".
 */
int vidcast_onnx_input_plan(vidcast_onnx_input_t *input,
    vidcast_onnx_tensor_t *tensor, const vidcast_onnx_requested_t *params,
    char *error);

/* what becomes of 0-255, unless "params" says it: less "mean", times "scale" */
void vidcast_onnx_input_scale(vidcast_onnx_input_t *input,
    const vidcast_onnx_requested_t *params, float mean, float scale);

/* of a picture of this size; RGB24, BGR24 or, of one channel, GRAY8 */
void vidcast_onnx_input_fill(const vidcast_onnx_input_t *input,
    const vidcast_image_t *image, void *data);


#endif /* _VIDCAST_ONNX_INPUT_H_INCLUDED_ */
