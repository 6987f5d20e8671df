
/*
 * Copyright (C) vidcast contributors
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <onnxruntime_c_api.h>

#include "plugins/onnx/runtime/vidcast_onnx_runtime.h"


/* of some models it says the same of a hundred nodes */

void ORT_API_CALL
vidcast_onnx_runtime_log(void *data, OrtLoggingLevel severity,
    const char *category, const char *id, const char *place,
    const char *message)
{
    vidcast_onnx_runtime_t *runtime = data;

    char  line[512];
    int   gathered;

    gathered = 0;

    if (severity < ORT_LOGGING_LEVEL_ERROR) {
        (void) pthread_mutex_lock(&runtime->lock);

        gathered = !runtime->loaded;

        if (gathered && runtime->warnings++ == 0) {
            (void) snprintf(runtime->first, sizeof(runtime->first), "%s",
                            message);
            runtime->first[strcspn(runtime->first, "\r\n")] = '\0';
        }

        (void) pthread_mutex_unlock(&runtime->lock);
    }

    if (gathered) {
        return;
    }

    (void) snprintf(line, sizeof(line), "ONNX Runtime: %s", message);

    runtime->context->log(runtime->context->host,
                          severity >= ORT_LOGGING_LEVEL_ERROR
                              ? VIDCAST_LOG_ERROR : VIDCAST_LOG_WARN,
                          line);
}


void
vidcast_onnx_session_loaded(vidcast_onnx_session_t *session)
{
    char                     line[512];
    uint64_t                 warnings;
    vidcast_onnx_runtime_t  *runtime;

    runtime = session->runtime;

    (void) pthread_mutex_lock(&runtime->lock);

    runtime->loaded = 1;
    warnings = runtime->warnings;

    (void) pthread_mutex_unlock(&runtime->lock);

    if (warnings == 0) {
        return;
    }

    if (warnings == 1) {
        (void) snprintf(line, sizeof(line), "ONNX Runtime: %s",
                        runtime->first);

    } else {
        (void) snprintf(line, sizeof(line), "ONNX Runtime has %llu warnings "
                        "of the model, the first one: %s",
                        (unsigned long long) warnings, runtime->first);
    }

    runtime->context->log(runtime->context->host, VIDCAST_LOG_WARN, line);
}


int
vidcast_onnx_runtime_said(vidcast_onnx_runtime_t *runtime, OrtStatus *status,
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


char *
vidcast_onnx_runtime_own(vidcast_onnx_runtime_t *runtime, char *value)
{
    char  *own, ignored[VIDCAST_ERROR_LEN];

    own = strdup(value);

    if (own == NULL) {
        return NULL;
    }

    (void) vidcast_onnx_runtime_said(runtime,
               runtime->api->AllocatorFree(runtime->allocator, value),
               ignored);

    return own;
}
