
/*
 * Copyright (C) vidcast contributors
 */


/*
 * A header of plugins may get more members, at the ends of its structures; a
 * plugin that was built before them is still one of this ABI, and must not be
 * refused.  The host is built here with structures that have grown, and gets
 * plugins by the header of today.
 */

#include "unit.h"
#include "unit_ngx.h"

#include "vidcast_plugin.h"


typedef struct {
    size_t                             size;
    int                              (*check)(const vidcast_context_t *context,
                                         char *error);
    void                            *(*open)(const vidcast_context_t *context,
                                         const volatile int *stop,
                                         char *error);
    int                              (*grab)(void *instance,
                                         vidcast_picture_t *picture,
                                         char *error);
    void                             (*release)(void *instance);
    void                             (*close)(void *instance);
    void                              *more;
} grown_input_t;


typedef struct {
    size_t                             size;
    int                              (*check)(const vidcast_context_t *context,
                                         char *error);
    void                            *(*open)(const vidcast_context_t *context,
                                         vidcast_want_t *want, char *error);
    int                              (*predict)(void *instance,
                                         const vidcast_sample_t *sample,
                                         vidcast_answer_t *answer,
                                         char *error);
    void                             (*close)(void *instance);
    void                              *more;
} grown_predictor_t;


typedef struct {
    size_t                             size;
    int                              (*check)(const vidcast_context_t *context,
                                         char *error);
    void                            *(*open)(const vidcast_context_t *context,
                                         const vidcast_output_t *output,
                                         char *error);
    int                              (*run)(void *instance,
                                         vidcast_output_report_t *report,
                                         char *error);
    void                             (*close)(void *instance);
    void                              *more;
} grown_output_t;


typedef struct {
    size_t                             size;
    uint32_t                           abi;
    const char                        *name;
    const grown_input_t               *input;
    const grown_predictor_t           *predictor;
    uint32_t                           needs;
    const grown_output_t              *output;
    void                              *more;
} grown_plugin_t;


typedef const grown_plugin_t *(*grown_plugin_pt)(uint32_t abi);


static int old_check(const vidcast_context_t *context, char *error);
static void *old_open_input(const vidcast_context_t *context,
    const volatile int *stop, char *error);
static int old_grab(void *instance, vidcast_picture_t *picture, char *error);
static void *old_open_predictor(const vidcast_context_t *context,
    vidcast_want_t *want, char *error);
static int old_predict(void *instance, const vidcast_sample_t *sample,
    vidcast_answer_t *answer, char *error);
static void *old_open_output(const vidcast_context_t *context,
    const vidcast_output_t *output, char *error);
static int old_run(void *instance, vidcast_output_report_t *report,
    char *error);
static void old_close(void *instance);


static vidcast_input_table_t  old_input = {
    sizeof(vidcast_input_table_t), old_check, old_open_input, old_grab, NULL,
    old_close
};

static vidcast_predictor_table_t  old_predictor = {
    sizeof(vidcast_predictor_table_t), old_check, old_open_predictor,
    old_predict, old_close
};

static vidcast_output_table_t  old_output = {
    sizeof(vidcast_output_table_t), old_check, old_open_output, old_run,
    old_close
};

static vidcast_plugin_t  old_plugin = {
    sizeof(vidcast_plugin_t), VIDCAST_ABI, "old 1", &old_input, &old_predictor,
    VIDCAST_NEEDS_NETWORK, &old_output
};


#define vidcast_input_table_t      grown_input_t
#define vidcast_predictor_table_t  grown_predictor_t
#define vidcast_output_table_t     grown_output_t
#define vidcast_plugin_t           grown_plugin_t
#define vidcast_plugin_pt          grown_plugin_pt

#include "plugin_host/ngx_vidcast_plugin.c"


u_char *
ngx_vidcast_program_module(void)
{
    return NULL;
}


static const char *
incomplete(void)
{
    return ngx_vidcast_plugin_incomplete((grown_plugin_t *) &old_plugin);
}


int
main(void)
{
    const char  *missing;

    missing = incomplete();

    unit_ok(missing == NULL, "a plugin that is older is taken: %s",
            missing ? missing : "it is whole");

    old_input.size--;

    unit_ok(incomplete() && ngx_strstr(incomplete(), "of its input"),
            "not one whose input ends too early");

    old_input.size++;
    old_predictor.size--;

    unit_ok(incomplete() && ngx_strstr(incomplete(), "of its predictor"),
            "nor one whose predictor does");

    old_predictor.size++;
    old_output.size--;

    unit_ok(incomplete() && ngx_strstr(incomplete(), "of its output"),
            "nor one whose output does");

    old_output.size++;

    /* without the padding at its end */

    old_plugin.size = offsetof(grown_plugin_t, needs) + sizeof(uint32_t);

    unit_ok(ngx_vidcast_plugin_needs((grown_plugin_t *) &old_plugin)
            == VIDCAST_NEEDS_NETWORK,
            "what it says that it needs is known");

    old_plugin.size--;

    unit_ok(incomplete() == NULL
            && ngx_vidcast_plugin_needs((grown_plugin_t *) &old_plugin) == 0,
            "one that cannot say what it needs is taken, and has not said it");

    old_plugin.size = offsetof(grown_plugin_t, predictor) + sizeof(void *) - 1;

    unit_ok(incomplete() && ngx_strcmp(incomplete(), "name") == 0,
            "nor one that itself ends too early");

    return unit_done();
}


static int
old_check(const vidcast_context_t *context, char *error)
{
    return VIDCAST_OK;
}


static void *
old_open_input(const vidcast_context_t *context, const volatile int *stop,
    char *error)
{
    return NULL;
}


static int
old_grab(void *instance, vidcast_picture_t *picture, char *error)
{
    return VIDCAST_AGAIN;
}


static void *
old_open_predictor(const vidcast_context_t *context, vidcast_want_t *want,
    char *error)
{
    return NULL;
}


static int
old_predict(void *instance, const vidcast_sample_t *sample,
    vidcast_answer_t *answer, char *error)
{
    return VIDCAST_AGAIN;
}


static void *
old_open_output(const vidcast_context_t *context,
    const vidcast_output_t *output, char *error)
{
    return NULL;
}


static int
old_run(void *instance, vidcast_output_report_t *report, char *error)
{
    return VIDCAST_OK;
}


static void
old_close(void *instance)
{
    /* void */
}
