
/*
 * Copyright (C) vidcast contributors
 */


/*
 * A plugin with one of many faults, named by a macro SAMPLE_...; with none of
 * them it is a good one.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vidcast_plugin.h"


void there_is_no_such_function(void);

static int sample_check(const vidcast_context_t *context, char *error);
static void *sample_open(const vidcast_context_t *context,
    const volatile int *stop, char *error);
static int sample_grab(void *instance, vidcast_picture_t *picture,
    char *error);
static void sample_close(void *instance);


static const vidcast_input_table_t  sample_input = {
    sizeof(vidcast_input_table_t),
    sample_check,
    sample_open,
#if (SAMPLE_NO_GRAB)
    NULL,
#else
    sample_grab,
#endif
    NULL,
    sample_close
};


#if (SAMPLE_PREDICTOR)

static void *sample_predictor_open(const vidcast_context_t *context,
    vidcast_want_t *want, char *error);
static int sample_predict(void *instance, const vidcast_sample_t *sample,
    vidcast_answer_t *answer, char *error);

static const vidcast_predictor_table_t  sample_predictor = {
    sizeof(vidcast_predictor_table_t), sample_check, sample_predictor_open,
    sample_predict, sample_close
};

#elif (SAMPLE_NO_PREDICT)

static const vidcast_predictor_table_t  sample_predictor = {
    sizeof(vidcast_predictor_table_t), sample_check, NULL, NULL, sample_close
};

#endif


#if (SAMPLE_OUTPUT || SAMPLE_NO_RUN)

static void *sample_output_open(const vidcast_context_t *context,
    const vidcast_output_t *output, char *error);

#if (SAMPLE_OUTPUT)
static int sample_run(void *instance, vidcast_output_report_t *report,
    char *error);
#endif

static const vidcast_output_table_t  sample_output = {
    sizeof(vidcast_output_table_t), sample_check, sample_output_open,
#if (SAMPLE_NO_RUN)
    NULL,
#else
    sample_run,
#endif
    sample_close
};

#endif


static const vidcast_plugin_t  sample_plugin = {
    sizeof(vidcast_plugin_t),
#if (SAMPLE_ABI)
    VIDCAST_ABI + 1,
#else
    VIDCAST_ABI,
#endif
#if (SAMPLE_NO_NAME)
    NULL,
#else
    "sample 1.0",
#endif
#if (SAMPLE_NEITHER || SAMPLE_PREDICTOR || SAMPLE_OUTPUT)
    NULL,
#else
    &sample_input,
#endif
#if (SAMPLE_NO_PREDICT || SAMPLE_PREDICTOR)
    &sample_predictor,
#else
    NULL,
#endif
    VIDCAST_NEEDS_COMPUTING,
#if (SAMPLE_OUTPUT || SAMPLE_NO_RUN)
    &sample_output
#else
    NULL
#endif
};


#if (SAMPLE_NO_SYMBOL)
#define vidcast_plugin  another_name
const vidcast_plugin_t *another_name(uint32_t abi);
#endif

const vidcast_plugin_t *
vidcast_plugin(uint32_t abi)
{
#if (SAMPLE_NOTHING)
    return NULL;
#else
    return &sample_plugin;
#endif
}


static int
sample_check(const vidcast_context_t *context, char *error)
{
#if (SAMPLE_REFUSES)
    strcpy(error, "there is no such model");
    return VIDCAST_ERROR;
#endif

#if (SAMPLE_TALKS)
    while (strlen(error) < VIDCAST_ERROR_LEN - 22) {
        strcat(error, "a very long story, ");
    }

    return VIDCAST_ERROR;
#endif

#if (SAMPLE_WARNS)
    char  line[64];

    (void) snprintf(line, sizeof(line), "it has room for %zu",
                    context->result_size);

    context->log(context->host, VIDCAST_LOG_NOTICE, "nobody is to see this");
    context->log(context->host, VIDCAST_LOG_WARN, line);
    context->log(context->host, VIDCAST_LOG_WARN, "this is too much");
#endif

#if (SAMPLE_MUTTERS)
    strcpy(error, "in the end all is well");
#endif

#if (SAMPLE_ECHOES || SAMPLE_PREDICTOR || SAMPLE_OUTPUT)
    const vidcast_param_t  *param;

    error += sprintf(error, "%s %s", context->source, context->argument);

    for (param = context->params; param->name; param++) {
        error += sprintf(error, " %s=%s", param->name, param->value);
    }

    context->log(context->host, VIDCAST_LOG_WARN, "nobody is to see this");

    return VIDCAST_ERROR;
#endif

#if (SAMPLE_CRASHES)
    *(volatile int *) 8 = 0;
#endif

#if (SAMPLE_ABORTS)
    abort();
#endif

#if (SAMPLE_LEAVES)
    exit(3);
#endif

#if (SAMPLE_UNDEFINED)
    there_is_no_such_function();
#endif

#if (SAMPLE_HANGS)
    for ( ;; ) {
        pause();
    }
#endif

#if (SAMPLE_FORKS)
    if (fork() == 0) {
        for ( ;; ) {
            pause();
        }
    }
#endif

    return VIDCAST_OK;
}


static void *
sample_open(const vidcast_context_t *context, const volatile int *stop,
    char *error)
{
    return (void *) context;
}


static int
sample_grab(void *instance, vidcast_picture_t *picture, char *error)
{
    return VIDCAST_AGAIN;
}


static void
sample_close(void *instance)
{
    /* void */
}


#if (SAMPLE_PREDICTOR)

static void *
sample_predictor_open(const vidcast_context_t *context, vidcast_want_t *want,
    char *error)
{
    return (void *) context;
}


static int
sample_predict(void *instance, const vidcast_sample_t *sample,
    vidcast_answer_t *answer, char *error)
{
    return VIDCAST_AGAIN;
}

#endif


#if (SAMPLE_OUTPUT || SAMPLE_NO_RUN)

static void *
sample_output_open(const vidcast_context_t *context,
    const vidcast_output_t *output, char *error)
{
    return (void *) context;
}

#endif


#if (SAMPLE_OUTPUT)

static int
sample_run(void *instance, vidcast_output_report_t *report, char *error)
{
    return VIDCAST_OK;
}

#endif
