
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _VIDCAST_ONNX_RUNTIME_H_INCLUDED_
#define _VIDCAST_ONNX_RUNTIME_H_INCLUDED_


#include <pthread.h>

#include "plugins/onnx/runtime/vidcast_onnx_session.h"


/*
 * What a session has of ONNX Runtime, for the files of this folder, which
 * include onnxruntime_c_api.h before.
 */

struct vidcast_onnx_runtime_s {
    const vidcast_context_t   *context;
    const OrtApi              *api;
    OrtEnv                    *env;
    OrtSessionOptions         *options;
    OrtSession                *session;
    OrtAllocator              *allocator;
    OrtMemoryInfo             *memory;
    OrtValue                 **in;
    OrtValue                 **out;
    const char               **in_names;
    const char               **out_names;

    pthread_mutex_t            lock;         /* of the rest */
    uint64_t                   warnings;     /* while it is loaded */
    unsigned                   loaded:1;
    char                       first[256];   /* of the warnings */
};


/* its logger: warnings are gathered until "loaded", all else goes on */
void ORT_API_CALL vidcast_onnx_runtime_log(void *data,
    OrtLoggingLevel severity, const char *category, const char *id,
    const char *place, const char *message);

/* VIDCAST_OK; VIDCAST_ERROR: its message is in "error", the first line of it */
int vidcast_onnx_runtime_said(vidcast_onnx_runtime_t *runtime,
    OrtStatus *status, char *error);

/* a copy of its text, of our memory; NULL: no memory */
char *vidcast_onnx_runtime_own(vidcast_onnx_runtime_t *runtime, char *value);

/* types, in the order of vidcast_onnx_type_e */
extern const ONNXTensorElementDataType  vidcast_onnx_runtime_types[];

/*
 * Names, types and shapes of all inputs and outputs; shape() of one tensor.
 * VIDCAST_OK; VIDCAST_ERROR: reason in "error".
 */
int vidcast_onnx_describe(vidcast_onnx_session_t *session, char *error);
int vidcast_onnx_describe_shape(vidcast_onnx_runtime_t *runtime,
    const OrtTensorTypeAndShapeInfo *info, vidcast_onnx_tensor_t *tensor,
    char *error);


#endif /* _VIDCAST_ONNX_RUNTIME_H_INCLUDED_ */
