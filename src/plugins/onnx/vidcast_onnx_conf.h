
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _VIDCAST_ONNX_CONF_H_INCLUDED_
#define _VIDCAST_ONNX_CONF_H_INCLUDED_


#include "plugins/onnx/heads/vidcast_onnx_heads.h"
#include "plugins/onnx/vidcast_onnx_input.h"
#include "vidcast_plugin.h"


/* what is configured; zeros, and negative numbers, are left to the head */

typedef struct {
    const vidcast_onnx_head_t  *head;      /* NULL: by the outputs */
    const char                 *labels;    /* a file */
    const char                 *outputs;   /* names; NULL: all */
    uint32_t                    threads;
    uint32_t                    fit;
    int32_t                     fill;
    int32_t                     bgr;
    int32_t                     anchor;
    vidcast_onnx_requested_t    params;    /* of the input */
    vidcast_onnx_reading_t      reading;   /* its labels and size are not */
} vidcast_onnx_conf_t;


/* VIDCAST_OK; VIDCAST_ERROR: reason in "error" */
int vidcast_onnx_conf(vidcast_onnx_conf_t *conf,
    const vidcast_context_t *context, char *error);


#endif /* _VIDCAST_ONNX_CONF_H_INCLUDED_ */
