
/*
 * Copyright (C) vidcast contributors
 */


#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <onnxruntime_c_api.h>

#include "plugins/onnx/vidcast_onnx_session.h"
#include "plugins/onnx/vidcast_onnx_silence_stderr.h"


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
};


static int vidcast_onnx_session_start(vidcast_onnx_session_t *session,
    uint32_t threads, int draft, char *error);
static void ORT_API_CALL vidcast_onnx_session_log(void *data,
    OrtLoggingLevel severity, const char *category, const char *id,
    const char *place, const char *message);
static int vidcast_onnx_session_options(vidcast_onnx_runtime_t *runtime,
    uint32_t threads, int draft, char *error);
static int vidcast_onnx_session_load(vidcast_onnx_runtime_t *runtime,
    char *error);
static int vidcast_onnx_session_create(vidcast_onnx_runtime_t *runtime,
    char *error);
static int vidcast_onnx_session_list(vidcast_onnx_session_t *session,
    char *error);
static int vidcast_onnx_session_describe(vidcast_onnx_session_t *session,
    uint32_t i, char *error);
static char *vidcast_onnx_session_own(vidcast_onnx_runtime_t *runtime,
    char *value);
static int vidcast_onnx_session_type(vidcast_onnx_runtime_t *runtime,
    const OrtTypeInfo *info, vidcast_onnx_tensor_t *tensor, char *error);
static int vidcast_onnx_session_shape(vidcast_onnx_runtime_t *runtime,
    const OrtTensorTypeAndShapeInfo *info, vidcast_onnx_tensor_t *tensor,
    char *error);
static vidcast_onnx_type_e vidcast_onnx_session_element(
    ONNXTensorElementDataType type);
static int vidcast_onnx_session_take(vidcast_onnx_runtime_t *runtime,
    OrtValue *value, vidcast_onnx_tensor_t *tensor, char *error);
static void vidcast_onnx_session_drop(vidcast_onnx_session_t *session);
static int vidcast_onnx_session_said(vidcast_onnx_runtime_t *runtime,
    OrtStatus *status, char *error);


/* in the order of vidcast_onnx_type_e */

static const ONNXTensorElementDataType  vidcast_onnx_session_types[] = {
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


vidcast_onnx_session_t *
vidcast_onnx_session_open(const vidcast_context_t *context, uint32_t threads,
    int draft, char *error)
{
    int                      rc, kept;
    sigset_t                 all, before;
    vidcast_onnx_session_t  *session;

    (void) snprintf(error, VIDCAST_ERROR_LEN, "no memory");

    session = calloc(1, sizeof(vidcast_onnx_session_t));

    if (session == NULL) {
        return NULL;
    }

    session->runtime = calloc(1, sizeof(vidcast_onnx_runtime_t));

    if (session->runtime == NULL) {
        free(session);
        return NULL;
    }

    session->runtime->context = context;

    /* its threads are not to get the process's signals */

    sigfillset(&all);
    (void) pthread_sigmask(SIG_BLOCK, &all, &before);

    /* Debian's has the schemas of ONNX twice, and complains of each */

    kept = vidcast_onnx_silence_stderr();

    rc = vidcast_onnx_session_start(session, threads, draft, error);

    vidcast_onnx_restore_stderr(kept);

    (void) pthread_sigmask(SIG_SETMASK, &before, NULL);

    if (rc != VIDCAST_OK) {
        vidcast_onnx_session_close(session);
        return NULL;
    }

    return session;
}


static int
vidcast_onnx_session_start(vidcast_onnx_session_t *session, uint32_t threads,
    int draft, char *error)
{
    const OrtApi            *api;
    const OrtApiBase        *base;
    vidcast_onnx_runtime_t  *runtime;

    runtime = session->runtime;
    base = OrtGetApiBase();
    api = base->GetApi(ORT_API_VERSION);

    if (api == NULL) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "ONNX Runtime is %s, but "
                        "the plugin was built for 1.%d or later",
                        base->GetVersionString(), ORT_API_VERSION);
        return VIDCAST_ERROR;
    }

    runtime->api = api;
    session->version = base->GetVersionString();

    if (vidcast_onnx_session_said(runtime,
            api->CreateEnvWithCustomLogger(vidcast_onnx_session_log, runtime,
                                           ORT_LOGGING_LEVEL_WARNING,
                                           "vidcast", &runtime->env),
            error)
        != VIDCAST_OK
        || vidcast_onnx_session_options(runtime, threads, draft, error)
           != VIDCAST_OK
        || vidcast_onnx_session_load(runtime, error) != VIDCAST_OK)
    {
        return VIDCAST_ERROR;
    }

    return vidcast_onnx_session_list(session, error);
}


static void ORT_API_CALL
vidcast_onnx_session_log(void *data, OrtLoggingLevel severity,
    const char *category, const char *id, const char *place,
    const char *message)
{
    vidcast_onnx_runtime_t *runtime = data;

    char  line[512];

    (void) snprintf(line, sizeof(line), "ONNX Runtime: %s", message);

    runtime->context->log(runtime->context->host,
                          severity >= ORT_LOGGING_LEVEL_ERROR
                              ? VIDCAST_LOG_ERROR : VIDCAST_LOG_WARN,
                          line);
}


/* its threads would turn around and around when they wait */

static int
vidcast_onnx_session_options(vidcast_onnx_runtime_t *runtime,
    uint32_t threads, int draft, char *error)
{
    const OrtApi  *api;

    api = runtime->api;

    if (vidcast_onnx_session_said(runtime,
            api->CreateSessionOptions(&runtime->options), error)
        != VIDCAST_OK
        || vidcast_onnx_session_said(runtime,
               api->SetIntraOpNumThreads(runtime->options, (int) threads),
               error)
           != VIDCAST_OK
        || vidcast_onnx_session_said(runtime,
               api->AddSessionConfigEntry(runtime->options,
                   "session.intra_op.allow_spinning", "0"), error)
           != VIDCAST_OK)
    {
        return VIDCAST_ERROR;
    }

    return vidcast_onnx_session_said(runtime,
               api->SetSessionGraphOptimizationLevel(runtime->options,
                   draft ? ORT_DISABLE_ALL : ORT_ENABLE_ALL), error);
}


/* the optimizer fails on models which are good, if it is an old one */

static int
vidcast_onnx_session_load(vidcast_onnx_runtime_t *runtime, char *error)
{
    int            rc;
    const OrtApi  *api;

    api = runtime->api;

    rc = vidcast_onnx_session_create(runtime, error);

    if (rc != VIDCAST_OK
        && vidcast_onnx_session_said(runtime,
               api->SetSessionGraphOptimizationLevel(runtime->options,
                                                     ORT_DISABLE_ALL), error)
           == VIDCAST_OK)
    {
        rc = vidcast_onnx_session_create(runtime, error);
    }

    if (rc != VIDCAST_OK
        || vidcast_onnx_session_said(runtime,
               api->GetAllocatorWithDefaultOptions(&runtime->allocator),
               error)
           != VIDCAST_OK)
    {
        return VIDCAST_ERROR;
    }

    return vidcast_onnx_session_said(runtime,
               api->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault,
                                        &runtime->memory),
               error);
}


static int
vidcast_onnx_session_create(vidcast_onnx_runtime_t *runtime, char *error)
{
    return vidcast_onnx_session_said(runtime,
               runtime->api->CreateSession(runtime->env,
                                           runtime->context->argument,
                                           runtime->options,
                                           &runtime->session),
               error);
}


static int
vidcast_onnx_session_list(vidcast_onnx_session_t *session, char *error)
{
    size_t                   nin, nout;
    uint32_t                 i;
    const OrtApi            *api;
    vidcast_onnx_runtime_t  *runtime;

    runtime = session->runtime;
    api = runtime->api;

    if (vidcast_onnx_session_said(runtime,
            api->SessionGetInputCount(runtime->session, &nin), error)
        != VIDCAST_OK
        || vidcast_onnx_session_said(runtime,
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

        if (vidcast_onnx_session_describe(session, i, error) != VIDCAST_OK) {
            return VIDCAST_ERROR;
        }
    }

    return VIDCAST_OK;
}


/* the i-th of all, inputs first */

static int
vidcast_onnx_session_describe(vidcast_onnx_session_t *session, uint32_t i,
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

    if (vidcast_onnx_session_said(runtime, status, error) != VIDCAST_OK) {
        return VIDCAST_ERROR;
    }

    tensor->name = vidcast_onnx_session_own(runtime, name);

    if (tensor->name == NULL) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "no memory");
        return VIDCAST_ERROR;
    }

    *(input ? &runtime->in_names[i] : &runtime->out_names[i]) = tensor->name;

    status = input ? api->SessionGetInputTypeInfo(runtime->session, i, &info)
                   : api->SessionGetOutputTypeInfo(runtime->session, i,
                                                   &info);

    if (vidcast_onnx_session_said(runtime, status, error) != VIDCAST_OK) {
        return VIDCAST_ERROR;
    }

    rc = vidcast_onnx_session_type(runtime, info, tensor, error);

    api->ReleaseTypeInfo(info);

    return rc;
}


/* what is no tensor is "of another type", and has no shape */

static int
vidcast_onnx_session_type(vidcast_onnx_runtime_t *runtime,
    const OrtTypeInfo *info, vidcast_onnx_tensor_t *tensor, char *error)
{
    ONNXType                          type;
    const OrtApi                     *api;
    const OrtTensorTypeAndShapeInfo  *shape;

    api = runtime->api;
    shape = NULL;

    if (vidcast_onnx_session_said(runtime,
            api->GetOnnxTypeFromTypeInfo(info, &type), error)
        != VIDCAST_OK)
    {
        return VIDCAST_ERROR;
    }

    if (type != ONNX_TYPE_TENSOR) {
        return VIDCAST_OK;
    }

    if (vidcast_onnx_session_said(runtime,
            api->CastTypeInfoToTensorInfo(info, &shape), error)
        != VIDCAST_OK
        || shape == NULL)
    {
        return VIDCAST_ERROR;
    }

    return vidcast_onnx_session_shape(runtime, shape, tensor, error);
}


static int
vidcast_onnx_session_shape(vidcast_onnx_runtime_t *runtime,
    const OrtTensorTypeAndShapeInfo *info, vidcast_onnx_tensor_t *tensor,
    char *error)
{
    size_t                      ndims;
    const OrtApi               *api;
    ONNXTensorElementDataType   type;

    api = runtime->api;

    if (vidcast_onnx_session_said(runtime,
            api->GetTensorElementType(info, &type), error)
        != VIDCAST_OK
        || vidcast_onnx_session_said(runtime,
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

    tensor->type = vidcast_onnx_session_element(type);
    tensor->ndims = (uint32_t) ndims;

    return vidcast_onnx_session_said(runtime,
               api->GetDimensions(info, tensor->dims, ndims), error);
}


static vidcast_onnx_type_e
vidcast_onnx_session_element(ONNXTensorElementDataType type)
{
    uint32_t  i;

    for (i = VIDCAST_ONNX_BOOL; i > VIDCAST_ONNX_OTHER; i--) {
        if (vidcast_onnx_session_types[i] == type) {
            break;
        }
    }

    return (vidcast_onnx_type_e) i;
}


char *
vidcast_onnx_session_metadata(vidcast_onnx_session_t *session, const char *key)
{
    char                    *value, ignored[VIDCAST_ERROR_LEN];
    const OrtApi            *api;
    OrtModelMetadata        *metadata;
    vidcast_onnx_runtime_t  *runtime;

    runtime = session->runtime;
    api = runtime->api;

    if (vidcast_onnx_session_said(runtime,
            api->SessionGetModelMetadata(runtime->session, &metadata),
            ignored)
        != VIDCAST_OK)
    {
        return NULL;
    }

    value = NULL;

    (void) vidcast_onnx_session_said(runtime,
               api->ModelMetadataLookupCustomMetadataMap(metadata,
                   runtime->allocator, key, &value), ignored);

    api->ReleaseModelMetadata(metadata);

    if (value == NULL) {
        return NULL;
    }

    return vidcast_onnx_session_own(runtime, value);
}


/* its copy, of our memory */

static char *
vidcast_onnx_session_own(vidcast_onnx_runtime_t *runtime, char *value)
{
    char  *own, ignored[VIDCAST_ERROR_LEN];

    own = strdup(value);

    if (own == NULL) {
        return NULL;
    }

    (void) vidcast_onnx_session_said(runtime,
               runtime->api->AllocatorFree(runtime->allocator, value),
               ignored);

    return own;
}


int
vidcast_onnx_session_feed(vidcast_onnx_session_t *session, uint32_t input,
    void *data, size_t size, char *error)
{
    vidcast_onnx_tensor_t   *tensor;
    vidcast_onnx_runtime_t  *runtime;

    runtime = session->runtime;
    tensor = &session->inputs[input];

    return vidcast_onnx_session_said(runtime,
               runtime->api->CreateTensorWithDataAsOrtValue(runtime->memory,
                   data, size, tensor->dims, tensor->ndims,
                   vidcast_onnx_session_types[tensor->type],
                   &runtime->in[input]),
               error);
}


int
vidcast_onnx_session_run(vidcast_onnx_session_t *session, char *error)
{
    uint32_t                 i;
    vidcast_onnx_runtime_t  *runtime;

    runtime = session->runtime;

    vidcast_onnx_session_drop(session);

    if (vidcast_onnx_session_said(runtime,
            runtime->api->Run(runtime->session, NULL, runtime->in_names,
                              (const OrtValue *const *) runtime->in,
                              session->ninputs, runtime->out_names,
                              session->noutputs, runtime->out),
            error)
        != VIDCAST_OK)
    {
        return VIDCAST_ERROR;
    }

    for (i = 0; i < session->noutputs; i++) {

        if (vidcast_onnx_session_take(runtime, runtime->out[i],
                                      &session->outputs[i], error)
            != VIDCAST_OK)
        {
            return VIDCAST_ERROR;
        }
    }

    return VIDCAST_OK;
}


static int
vidcast_onnx_session_take(vidcast_onnx_runtime_t *runtime, OrtValue *value,
    vidcast_onnx_tensor_t *tensor, char *error)
{
    int                         rc, is;
    void                       *data;
    const OrtApi               *api;
    OrtTensorTypeAndShapeInfo  *info;

    api = runtime->api;
    is = 0;

    if (tensor->type == VIDCAST_ONNX_OTHER) {
        return VIDCAST_OK;
    }

    if (vidcast_onnx_session_said(runtime, api->IsTensor(value, &is), error)
        != VIDCAST_OK
        || !is
        || vidcast_onnx_session_said(runtime,
               api->GetTensorTypeAndShape(value, &info), error)
           != VIDCAST_OK)
    {
        return VIDCAST_ERROR;
    }

    rc = vidcast_onnx_session_shape(runtime, info, tensor, error);

    if (rc == VIDCAST_OK) {
        rc = vidcast_onnx_session_said(runtime,
                 api->GetTensorShapeElementCount(info, &tensor->count),
                 error);
    }

    api->ReleaseTensorTypeAndShapeInfo(info);

    if (rc != VIDCAST_OK
        || vidcast_onnx_session_said(runtime,
               api->GetTensorMutableData(value, &data), error)
           != VIDCAST_OK)
    {
        return VIDCAST_ERROR;
    }

    tensor->data = data;

    (void) snprintf(error, VIDCAST_ERROR_LEN, "no memory");

    return vidcast_onnx_tensor_values(tensor);
}


/* what the last run has left */

static void
vidcast_onnx_session_drop(vidcast_onnx_session_t *session)
{
    uint32_t                 i;
    vidcast_onnx_runtime_t  *runtime;

    runtime = session->runtime;

    for (i = 0; i < session->noutputs; i++) {
        runtime->api->ReleaseValue(runtime->out[i]);
        runtime->out[i] = NULL;
    }
}


/* VIDCAST_ERROR: its message is in "error", the first line of it */

static int
vidcast_onnx_session_said(vidcast_onnx_runtime_t *runtime, OrtStatus *status,
    char *error)
{
    if (status == NULL) {
        return VIDCAST_OK;
    }

    (void) snprintf(error, VIDCAST_ERROR_LEN, "%s",
                    runtime->api->GetErrorMessage(status));

    error[strcspn(error, "\r\n")] = '\0';

    runtime->api->ReleaseStatus(status);

    return VIDCAST_ERROR;
}


void
vidcast_onnx_session_close(vidcast_onnx_session_t *session)
{
    uint32_t                 i;
    const OrtApi            *api;
    vidcast_onnx_runtime_t  *runtime;

    runtime = session->runtime;
    api = runtime->api;

    vidcast_onnx_session_drop(session);

    for (i = 0; i < session->ninputs; i++) {
        api->ReleaseValue(runtime->in[i]);
        free((char *) session->inputs[i].name);
    }

    for (i = 0; i < session->noutputs; i++) {
        free(session->outputs[i].own);
        free((char *) session->outputs[i].name);
    }

    if (api) {
        api->ReleaseMemoryInfo(runtime->memory);
        api->ReleaseSession(runtime->session);
        api->ReleaseSessionOptions(runtime->options);
        api->ReleaseEnv(runtime->env);
    }

    free(session->inputs);
    free(session->outputs);
    free(runtime->in);
    free(runtime->out);
    free(runtime->in_names);
    free(runtime->out_names);
    free(runtime);
    free(session);
}
