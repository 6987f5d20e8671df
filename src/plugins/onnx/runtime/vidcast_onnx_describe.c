
/*
 * Copyright (C) vidcast contributors
 */


#include <stdio.h>
#include <stdlib.h>

#include <onnxruntime_c_api.h>

#include "plugins/onnx/runtime/vidcast_onnx_runtime.h"


static int vidcast_onnx_describe_one(vidcast_onnx_session_t *session,
    uint32_t i, char *error);
static int vidcast_onnx_describe_type(vidcast_onnx_runtime_t *runtime,
    const OrtTypeInfo *info, vidcast_onnx_tensor_t *tensor, char *error);
static vidcast_onnx_type_e vidcast_onnx_describe_element(
    ONNXTensorElementDataType type);


const ONNXTensorElementDataType  vidcast_onnx_runtime_types[] = {
    ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL
};


int
vidcast_onnx_describe(vidcast_onnx_session_t *session, char *error)
{
    size_t                   nin, nout;
    uint32_t                 i;
    const OrtApi            *api;
    vidcast_onnx_runtime_t  *runtime;

    runtime = session->runtime;
    api = runtime->api;

    if (vidcast_onnx_runtime_said(runtime,
            api->SessionGetInputCount(runtime->session, &nin), error)
        != VIDCAST_OK
        || vidcast_onnx_runtime_said(runtime,
               api->SessionGetOutputCount(runtime->session, &nout), error)
           != VIDCAST_OK)
    {
        return VIDCAST_ERROR;
    }

    (void) snprintf(error, VIDCAST_ERROR_LEN, "no memory");

    session->inputs = calloc(nin + 1, sizeof(vidcast_onnx_tensor_t));
    session->outputs = calloc(nout + 1, sizeof(vidcast_onnx_tensor_t));
    runtime->in = calloc(nin + 1, sizeof(OrtValue *));
    runtime->out = calloc(nout + 1, sizeof(OrtValue *));
    runtime->in_names = calloc(nin + 1, sizeof(char *));
    runtime->out_names = calloc(nout + 1, sizeof(char *));

    if (session->inputs == NULL || session->outputs == NULL
        || runtime->in == NULL || runtime->out == NULL
        || runtime->in_names == NULL || runtime->out_names == NULL)
    {
        return VIDCAST_ERROR;
    }

    session->ninputs = (uint32_t) nin;
    session->noutputs = (uint32_t) nout;

    for (i = 0; i < nin + nout; i++) {

        if (vidcast_onnx_describe_one(session, i, error) != VIDCAST_OK) {
            return VIDCAST_ERROR;
        }
    }

    return VIDCAST_OK;
}


/* the i-th of all, inputs first */

static int
vidcast_onnx_describe_one(vidcast_onnx_session_t *session, uint32_t i,
    char *error)
{
    int                      rc, input;
    char                    *name;
    OrtStatus               *status;
    OrtTypeInfo             *info;
    const OrtApi            *api;
    vidcast_onnx_tensor_t   *tensor;
    vidcast_onnx_runtime_t  *runtime;

    runtime = session->runtime;
    api = runtime->api;

    input = (i < session->ninputs);
    i -= input ? 0 : session->ninputs;
    tensor = input ? &session->inputs[i] : &session->outputs[i];

    status = input ? api->SessionGetInputName(runtime->session, i,
                                              runtime->allocator, &name)
                   : api->SessionGetOutputName(runtime->session, i,
                                               runtime->allocator, &name);

    if (vidcast_onnx_runtime_said(runtime, status, error) != VIDCAST_OK) {
        return VIDCAST_ERROR;
    }

    tensor->name = vidcast_onnx_runtime_own(runtime, name);

    if (tensor->name == NULL) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "no memory");
        return VIDCAST_ERROR;
    }

    *(input ? &runtime->in_names[i] : &runtime->out_names[i]) = tensor->name;

    status = input ? api->SessionGetInputTypeInfo(runtime->session, i, &info)
                   : api->SessionGetOutputTypeInfo(runtime->session, i,
                                                   &info);

    if (vidcast_onnx_runtime_said(runtime, status, error) != VIDCAST_OK) {
        return VIDCAST_ERROR;
    }

    rc = vidcast_onnx_describe_type(runtime, info, tensor, error);

    api->ReleaseTypeInfo(info);

    return rc;
}


/* what is no tensor is "of another type", and has no shape */

static int
vidcast_onnx_describe_type(vidcast_onnx_runtime_t *runtime,
    const OrtTypeInfo *info, vidcast_onnx_tensor_t *tensor, char *error)
{
    ONNXType                          type;
    const OrtApi                     *api;
    const OrtTensorTypeAndShapeInfo  *shape;

    api = runtime->api;
    shape = NULL;

    if (vidcast_onnx_runtime_said(runtime,
            api->GetOnnxTypeFromTypeInfo(info, &type), error)
        != VIDCAST_OK)
    {
        return VIDCAST_ERROR;
    }

    if (type != ONNX_TYPE_TENSOR) {
        return VIDCAST_OK;
    }

    if (vidcast_onnx_runtime_said(runtime,
            api->CastTypeInfoToTensorInfo(info, &shape), error)
        != VIDCAST_OK
        || shape == NULL)
    {
        return VIDCAST_ERROR;
    }

    return vidcast_onnx_describe_shape(runtime, shape, tensor, error);
}


int
vidcast_onnx_describe_shape(vidcast_onnx_runtime_t *runtime,
    const OrtTensorTypeAndShapeInfo *info, vidcast_onnx_tensor_t *tensor,
    char *error)
{
    size_t                      ndims;
    const OrtApi               *api;
    ONNXTensorElementDataType   type;

    api = runtime->api;

    if (vidcast_onnx_runtime_said(runtime,
            api->GetTensorElementType(info, &type), error)
        != VIDCAST_OK
        || vidcast_onnx_runtime_said(runtime,
               api->GetDimensionsCount(info, &ndims), error)
           != VIDCAST_OK)
    {
        return VIDCAST_ERROR;
    }

    if (ndims > VIDCAST_ONNX_DIMS) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "\"%.60s\" has %zu "
                        "dimensions, at most %d can be", tensor->name, ndims,
                        VIDCAST_ONNX_DIMS);
        return VIDCAST_ERROR;
    }

    tensor->type = vidcast_onnx_describe_element(type);
    tensor->ndims = (uint32_t) ndims;

    return vidcast_onnx_runtime_said(runtime,
               api->GetDimensions(info, tensor->dims, ndims), error);
}


static vidcast_onnx_type_e
vidcast_onnx_describe_element(ONNXTensorElementDataType type)
{
    uint32_t  i;

    for (i = VIDCAST_ONNX_BOOL; i > VIDCAST_ONNX_OTHER; i--) {
        if (vidcast_onnx_runtime_types[i] == type) {
            break;
        }
    }

    return (vidcast_onnx_type_e) i;
}
