
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _VIDCAST_ONNX_TENSOR_H_INCLUDED_
#define _VIDCAST_ONNX_TENSOR_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


/* what a model takes and gives, its shape and its numbers */

#define VIDCAST_ONNX_DIMS  8


typedef enum {
    VIDCAST_ONNX_OTHER = 0,         /* strings, complex numbers and the like */
    VIDCAST_ONNX_FLOAT,
    VIDCAST_ONNX_FLOAT16,
    VIDCAST_ONNX_DOUBLE,
    VIDCAST_ONNX_UINT8,
    VIDCAST_ONNX_INT8,
    VIDCAST_ONNX_INT32,
    VIDCAST_ONNX_INT64,
    VIDCAST_ONNX_BOOL
} vidcast_onnx_type_e;


typedef struct {
    const char           *name;
    vidcast_onnx_type_e   type;
    uint32_t              ndims;
    int64_t               dims[VIDCAST_ONNX_DIMS];  /* -1: not fixed */
    const void           *data;     /* the rest: of one run */
    size_t                count;
    const float          *values;   /* as the data, or made of it */
    float                *own;
    size_t                room;     /* of "own" */
} vidcast_onnx_tensor_t;


/* "output0" float32 [1, 84, ?]; cut to "size", the null included */
char *vidcast_onnx_tensor_print(const vidcast_onnx_tensor_t *tensor, char *buf,
    size_t size);

/* bytes of one number */
size_t vidcast_onnx_type_size(vidcast_onnx_type_e type);

/* numbers of a shape, of which each part is known; -1: it is none */
int64_t vidcast_onnx_tensor_volume(const vidcast_onnx_tensor_t *tensor);

/* one number, whatever the type */
double vidcast_onnx_tensor_number(const vidcast_onnx_tensor_t *tensor,
    size_t i);

/* data to values; VIDCAST_OK; VIDCAST_ERROR: no memory */
int vidcast_onnx_tensor_values(vidcast_onnx_tensor_t *tensor);

/* IEEE 754's half precision */
uint16_t vidcast_onnx_half(float value);
float vidcast_onnx_unhalf(uint16_t half);


#endif /* _VIDCAST_ONNX_TENSOR_H_INCLUDED_ */
