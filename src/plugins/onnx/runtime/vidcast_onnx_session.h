
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _VIDCAST_ONNX_SESSION_H_INCLUDED_
#define _VIDCAST_ONNX_SESSION_H_INCLUDED_


#include "plugins/onnx/vidcast_onnx_tensor.h"
#include "vidcast_plugin.h"


/* a model in ONNX Runtime, which is called in vidcast_onnx_session.c only */

typedef struct vidcast_onnx_runtime_s  vidcast_onnx_runtime_t;


typedef struct {
    vidcast_onnx_runtime_t  *runtime;
    const char              *version;      /* of ONNX Runtime */
    vidcast_onnx_tensor_t   *inputs;
    vidcast_onnx_tensor_t   *outputs;
    uint32_t                 ninputs;
    uint32_t                 noutputs;
} vidcast_onnx_session_t;


/*
 * Loads the model.  "draft": not to be run often, hence it is not optimized.
 * NULL: reason in "error".
 */
vidcast_onnx_session_t *vidcast_onnx_session_open(
    const vidcast_context_t *context, uint32_t threads, int draft,
    char *error);

/*
 * Of the outputs those of these names, with commas between, in their order.
 * VIDCAST_OK; VIDCAST_ERROR: reason in "error", with the names that there are.
 */
int vidcast_onnx_session_choose(vidcast_onnx_session_t *session,
    const char *names, char *error);

/* logs how many warnings there were till now; others are logged at once */
void vidcast_onnx_session_loaded(vidcast_onnx_session_t *session);

void vidcast_onnx_session_close(vidcast_onnx_session_t *session);

/* what its maker has put into the model, to be freed; NULL: no such key */
char *vidcast_onnx_session_metadata(vidcast_onnx_session_t *session,
    const char *key);

/*
 * The input's numbers, of its shape and type; they stay the caller's, and are
 * read by each run.  VIDCAST_OK; VIDCAST_ERROR: reason in "error".
 */
int vidcast_onnx_session_feed(vidcast_onnx_session_t *session, uint32_t input,
    void *data, size_t size, char *error);

/*
 * Sets the outputs' shapes, data and values, valid till the next run.
 * VIDCAST_OK; VIDCAST_ERROR: reason in "error".
 */
int vidcast_onnx_session_run(vidcast_onnx_session_t *session, char *error);


#endif /* _VIDCAST_ONNX_SESSION_H_INCLUDED_ */
