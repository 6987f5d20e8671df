
/*
 * Copyright (C) vidcast contributors
 */


#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <onnxruntime_c_api.h>

#include "plugins/onnx/runtime/vidcast_onnx_runtime.h"
#include "plugins/onnx/runtime/vidcast_onnx_silence_stderr.h"


static int vidcast_onnx_session_readable(const char *model, char *error);
static int vidcast_onnx_session_start(vidcast_onnx_session_t *session,
    uint32_t threads, int draft, char *error);
static int vidcast_onnx_session_options(vidcast_onnx_runtime_t *runtime,
    uint32_t threads, int draft, char *error);
static int vidcast_onnx_session_load(vidcast_onnx_runtime_t *runtime,
    char *error);
static int vidcast_onnx_session_create(vidcast_onnx_runtime_t *runtime,
    char *error);
static int vidcast_onnx_session_unknown(vidcast_onnx_session_t *session,
    const char *name, size_t len, char *error);
static int vidcast_onnx_session_take(vidcast_onnx_runtime_t *runtime,
    OrtValue *value, vidcast_onnx_tensor_t *tensor, char *error);
static void vidcast_onnx_session_drop(vidcast_onnx_session_t *session);


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
    (void) pthread_mutex_init(&session->runtime->lock, NULL);

    if (vidcast_onnx_session_readable(context->argument, error)
        != VIDCAST_OK)
    {
        vidcast_onnx_session_close(session);
        return NULL;
    }

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


/* ONNX Runtime has numbers of errors only, and names no user */

static int
vidcast_onnx_session_readable(const char *model, char *error)
{
    int             fd, err;
    char            byte;
    ssize_t         n;
    struct passwd  *user;

    err = 0;
    n = 0;
    fd = open(model, O_RDONLY|O_CLOEXEC);

    if (fd != -1) {
        n = read(fd, &byte, 1);
    }

    if (fd == -1 || n == -1) {
        err = errno;
    }

    if (fd != -1) {
        (void) close(fd);
    }

    if (n == 1) {
        return VIDCAST_OK;
    }

    user = (err == EACCES) ? getpwuid(geteuid()) : NULL;

    (void) snprintf(error, VIDCAST_ERROR_LEN, "\"%.150s\": %s%s%.40s%s", model,
                    err ? strerror(err) : "it is empty",
                    user ? " to user \"" : "", user ? user->pw_name : "",
                    user ? "\"" : "");

    return VIDCAST_ERROR;
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

    if (vidcast_onnx_runtime_said(runtime,
            api->CreateEnvWithCustomLogger(vidcast_onnx_runtime_log, runtime,
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

    return vidcast_onnx_describe(session, error);
}


/* its threads would turn around and around when they wait */

static int
vidcast_onnx_session_options(vidcast_onnx_runtime_t *runtime,
    uint32_t threads, int draft, char *error)
{
    const OrtApi  *api;

    api = runtime->api;

    if (vidcast_onnx_runtime_said(runtime,
            api->CreateSessionOptions(&runtime->options), error)
        != VIDCAST_OK
        || vidcast_onnx_runtime_said(runtime,
               api->SetIntraOpNumThreads(runtime->options, (int) threads),
               error)
           != VIDCAST_OK
        || vidcast_onnx_runtime_said(runtime,
               api->AddSessionConfigEntry(runtime->options,
                   "session.intra_op.allow_spinning", "0"), error)
           != VIDCAST_OK)
    {
        return VIDCAST_ERROR;
    }

    return vidcast_onnx_runtime_said(runtime,
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
        && vidcast_onnx_runtime_said(runtime,
               api->SetSessionGraphOptimizationLevel(runtime->options,
                                                     ORT_DISABLE_ALL), error)
           == VIDCAST_OK)
    {
        rc = vidcast_onnx_session_create(runtime, error);
    }

    if (rc != VIDCAST_OK
        || vidcast_onnx_runtime_said(runtime,
               api->GetAllocatorWithDefaultOptions(&runtime->allocator),
               error)
           != VIDCAST_OK)
    {
        return VIDCAST_ERROR;
    }

    return vidcast_onnx_runtime_said(runtime,
               api->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault,
                                        &runtime->memory),
               error);
}


static int
vidcast_onnx_session_create(vidcast_onnx_runtime_t *runtime, char *error)
{
    return vidcast_onnx_runtime_said(runtime,
               runtime->api->CreateSession(runtime->env,
                                           runtime->context->argument,
                                           runtime->options,
                                           &runtime->session),
               error);
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

    if (vidcast_onnx_runtime_said(runtime,
            api->SessionGetModelMetadata(runtime->session, &metadata),
            ignored)
        != VIDCAST_OK)
    {
        return NULL;
    }

    value = NULL;

    (void) vidcast_onnx_runtime_said(runtime,
               api->ModelMetadataLookupCustomMetadataMap(metadata,
                   runtime->allocator, key, &value), ignored);

    api->ReleaseModelMetadata(metadata);

    if (value == NULL) {
        return NULL;
    }

    return vidcast_onnx_runtime_own(runtime, value);
}


int
vidcast_onnx_session_choose(vidcast_onnx_session_t *session, const char *names,
    char *error)
{
    size_t                  len;
    uint32_t                i, n;
    const char             *name;
    vidcast_onnx_tensor_t   other;

    n = 0;

    for (name = names; *name; name += len + (name[len] == ',')) {
        len = strcspn(name, ",");

        for (i = n; i < session->noutputs; i++) {

            if (strlen(session->outputs[i].name) == len
                && strncmp(session->outputs[i].name, name, len) == 0)
            {
                break;
            }
        }

        if (i == session->noutputs) {
            return vidcast_onnx_session_unknown(session, name, len, error);
        }

        other = session->outputs[n];
        session->outputs[n] = session->outputs[i];
        session->outputs[i] = other;

        n++;
    }

    for (i = n; i < session->noutputs; i++) {
        free((char *) session->outputs[i].name);
    }

    session->noutputs = n;

    for (i = 0; i < n; i++) {
        session->runtime->out_names[i] = session->outputs[i].name;
    }

    return VIDCAST_OK;
}


/* nor is one that was chosen twice */

static int
vidcast_onnx_session_unknown(vidcast_onnx_session_t *session, const char *name,
    size_t len, char *error)
{
    size_t    used;
    uint32_t  i;

    (void) snprintf(error, VIDCAST_ERROR_LEN, "no output \"%.*s\", there %s",
                    (int) (len < 60 ? len : 60), name,
                    session->noutputs == 1 ? "is" : "are");

    for (i = 0; i < session->noutputs; i++) {
        used = strlen(error);

        (void) snprintf(error + used, VIDCAST_ERROR_LEN - used, "%s\"%s\"",
                        i ? ", " : " ", session->outputs[i].name);
    }

    return VIDCAST_ERROR;
}


int
vidcast_onnx_session_feed(vidcast_onnx_session_t *session, uint32_t input,
    void *data, size_t size, char *error)
{
    vidcast_onnx_tensor_t   *tensor;
    vidcast_onnx_runtime_t  *runtime;

    runtime = session->runtime;
    tensor = &session->inputs[input];

    return vidcast_onnx_runtime_said(runtime,
               runtime->api->CreateTensorWithDataAsOrtValue(runtime->memory,
                   data, size, tensor->dims, tensor->ndims,
                   vidcast_onnx_runtime_types[tensor->type],
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

    if (vidcast_onnx_runtime_said(runtime,
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

    if (vidcast_onnx_runtime_said(runtime, api->IsTensor(value, &is), error)
        != VIDCAST_OK
        || !is
        || vidcast_onnx_runtime_said(runtime,
               api->GetTensorTypeAndShape(value, &info), error)
           != VIDCAST_OK)
    {
        return VIDCAST_ERROR;
    }

    rc = vidcast_onnx_describe_shape(runtime, info, tensor, error);

    if (rc == VIDCAST_OK) {
        rc = vidcast_onnx_runtime_said(runtime,
                 api->GetTensorShapeElementCount(info, &tensor->count),
                 error);
    }

    api->ReleaseTensorTypeAndShapeInfo(info);

    if (rc != VIDCAST_OK
        || vidcast_onnx_runtime_said(runtime,
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

    (void) pthread_mutex_destroy(&runtime->lock);

    free(runtime);
    free(session);
}
