
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _VIDCAST_ONNX_HEADS_H_INCLUDED_
#define _VIDCAST_ONNX_HEADS_H_INCLUDED_


#include "plugins/onnx/heads/vidcast_onnx_head.h"


/* all the heads */


/* the one of this name; NULL: unknown */
const vidcast_onnx_head_t *vidcast_onnx_head_find(const char *name);

/*
 * The only one that is sure of these outputs; NULL: reason in "error".  Here
 * and in check() that may be the number of labels.
 */
const vidcast_onnx_head_t *vidcast_onnx_head_guess(
    const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n, char *error);

/* VIDCAST_OK; VIDCAST_ERROR: both shapes in "error" */
int vidcast_onnx_head_check(const vidcast_onnx_head_t *head,
    const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n, char *error);

/* "output0" float32 [1, 84, 8400], ...; as many as there is room for */
void vidcast_onnx_head_outputs(const vidcast_onnx_tensor_t *outputs,
    uint32_t n, char *buf, size_t size);

/* what is left open becomes the head's */
void vidcast_onnx_head_defaults(const vidcast_onnx_head_t *head,
    vidcast_onnx_reading_t *reading);


#endif /* _VIDCAST_ONNX_HEADS_H_INCLUDED_ */
