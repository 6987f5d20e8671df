
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <sys/resource.h>

#include "core/ngx_vidcast_error.h"
#include "os/ngx_vidcast_sandbox.h"
#include "plugin_host/ngx_vidcast_plugin.h"
#include "predict/ngx_vidcast_predict.h"
#include "wire/ngx_vidcast_result_value.h"


/*
 * Predictors which are plugins: of anybody's, and "onnx", of which the plugin
 * is ours and the first word the model.  What is configured is handed on as
 * text, and the plugin itself is asked when all of the configuration is known.
 */

#define NGX_VIDCAST_PREDICT_PLUGIN_ONNX  "vidcast_onnx.so"
#define NGX_VIDCAST_PREDICT_PLUGIN_HINT                                       \
    "it is built with the module if libonnxruntime-dev is installed"


typedef struct {
    ngx_vidcast_plugin_conf_t          plugin;    /* first */
    ngx_str_t                          model;     /* for ours */
    ngx_str_t                          labels;
} ngx_vidcast_predict_plugin_params_t;


typedef struct {
    ngx_vidcast_predictor_t           *predictor;
    ngx_uint_t                         ours;      /* its JSON needs no check */
    const vidcast_predictor_table_t   *table;
    void                              *instance;
    vidcast_context_t                  context;
    u_char                            *picture;
    size_t                             size;
} ngx_vidcast_predict_plugin_t;


static void *ngx_vidcast_predict_plugin_create_params(ngx_pool_t *pool);
static ngx_int_t ngx_vidcast_predict_plugin_set(
    ngx_vidcast_predict_conf_t *conf, ngx_str_t *name, ngx_str_t *value);
static ngx_int_t ngx_vidcast_predict_plugin_arg(
    ngx_vidcast_predict_conf_t *conf, ngx_str_t *arg);
static ngx_int_t ngx_vidcast_predict_plugin_check(
    ngx_vidcast_predict_conf_t *conf, ngx_cycle_t *cycle, u_char *error);
static ngx_int_t ngx_vidcast_predict_plugin_model(
    ngx_vidcast_predict_conf_t *conf, ngx_str_t *arg);
static ngx_int_t ngx_vidcast_predict_plugin_onnx(
    ngx_vidcast_predict_conf_t *conf, ngx_cycle_t *cycle, u_char *error);
static ngx_int_t ngx_vidcast_predict_plugin_labels(
    ngx_vidcast_predict_plugin_params_t *params, ngx_cycle_t *cycle);
static ngx_str_t *ngx_vidcast_predict_plugin_files(
    ngx_vidcast_predict_conf_t *conf, ngx_uint_t n);
static ngx_int_t ngx_vidcast_predict_plugin_validate_late(
    ngx_vidcast_source_t *source, ngx_cycle_t *cycle, u_char *error);
static void ngx_vidcast_predict_plugin_log(void *host, int level,
    const char *line);
static ngx_int_t ngx_vidcast_predict_plugin_open(
    ngx_vidcast_predictor_t *predictor);
static ngx_int_t ngx_vidcast_predict_plugin_limit(
    ngx_vidcast_predictor_t *predictor);
static u_char *ngx_vidcast_predict_plugin_get_buffer(
    ngx_vidcast_predictor_t *predictor, size_t size);
static ngx_int_t ngx_vidcast_predict_plugin_predict(
    ngx_vidcast_predictor_t *predictor, const vidcast_sample_t *sample,
    u_char *json, size_t *size, ngx_uint_t *status);
static ngx_int_t ngx_vidcast_predict_plugin_answer(
    ngx_vidcast_predictor_t *predictor, const vidcast_sample_t *sample,
    const vidcast_answer_t *answer, u_char *json, size_t *size,
    ngx_uint_t *status);
static void ngx_vidcast_predict_plugin_close(
    ngx_vidcast_predictor_t *predictor);


static ngx_vidcast_engine_t  ngx_vidcast_predict_plugin_engine = {
    1,
    ngx_vidcast_predict_plugin_open,
    ngx_vidcast_predict_plugin_get_buffer,
    ngx_vidcast_predict_plugin_predict,
    NULL,
    ngx_vidcast_predict_plugin_close
};


ngx_vidcast_predict_module_t  ngx_vidcast_predict_plugin = {
    ngx_string("plugin"),
    ngx_vidcast_predict_plugin_create_params,
    ngx_vidcast_predict_plugin_set,
    NULL,
    NULL,
    NULL,
    NULL,
    &ngx_vidcast_predict_plugin_engine,
    ngx_vidcast_predict_plugin_arg,
    ngx_vidcast_predict_plugin_check,
    ngx_vidcast_predict_plugin_files,
    ngx_vidcast_predict_plugin_validate_late
};


ngx_vidcast_predict_module_t  ngx_vidcast_predict_onnx = {
    ngx_string("onnx"),
    ngx_vidcast_predict_plugin_create_params,
    ngx_vidcast_predict_plugin_set,
    NULL,
    NULL,
    NULL,
    NULL,
    &ngx_vidcast_predict_plugin_engine,
    ngx_vidcast_predict_plugin_model,
    ngx_vidcast_predict_plugin_onnx,
    ngx_vidcast_predict_plugin_files,
    ngx_vidcast_predict_plugin_validate_late
};


static void *
ngx_vidcast_predict_plugin_create_params(ngx_pool_t *pool)
{
    return ngx_vidcast_plugin_conf_create(pool,
                                  sizeof(ngx_vidcast_predict_plugin_params_t));
}


static ngx_int_t
ngx_vidcast_predict_plugin_set(ngx_vidcast_predict_conf_t *conf,
    ngx_str_t *name, ngx_str_t *value)
{
    return ngx_vidcast_plugin_conf_add(conf->params, name, value);
}


/* the plugin's file, and one more for the plugin */

static ngx_int_t
ngx_vidcast_predict_plugin_arg(ngx_vidcast_predict_conf_t *conf,
    ngx_str_t *arg)
{
    ngx_vidcast_plugin_conf_t  *plugin = conf->params;

    if (arg->len == 0) {
        return NGX_ERROR;
    }

    if (plugin->file.len == 0) {
        plugin->file = *arg;
        return NGX_OK;
    }

    if (*plugin->argument == '\0') {
        plugin->argument = arg->data;
        return NGX_OK;
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_vidcast_predict_plugin_check(ngx_vidcast_predict_conf_t *conf,
    ngx_cycle_t *cycle, u_char *error)
{
    ngx_vidcast_plugin_conf_t  *plugin = conf->params;

    if (plugin->file.len == 0) {
        ngx_vidcast_error(error, "no file");
        return NGX_ERROR;
    }

    if (ngx_conf_full_name(cycle, &plugin->file, 0) != NGX_OK) {
        ngx_vidcast_error(error, "no memory");
        return NGX_ERROR;
    }

    return ngx_vidcast_plugin_exists(&plugin->file, NULL, error);
}


static ngx_int_t
ngx_vidcast_predict_plugin_model(ngx_vidcast_predict_conf_t *conf,
    ngx_str_t *arg)
{
    ngx_vidcast_predict_plugin_params_t  *params = conf->params;

    if (arg->len == 0) {
        return NGX_ERROR;
    }

    if (params->model.len) {
        return NGX_DECLINED;
    }

    params->model = *arg;

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_predict_plugin_onnx(ngx_vidcast_predict_conf_t *conf,
    ngx_cycle_t *cycle, u_char *error)
{
    ngx_vidcast_predict_plugin_params_t  *params = conf->params;

    if (params->model.len == 0) {
        ngx_vidcast_error(error, "no model");
        return NGX_ERROR;
    }

    if (ngx_vidcast_plugin_conf_own(&params->plugin,
                                    NGX_VIDCAST_PREDICT_PLUGIN_ONNX)
        != NGX_OK
        || ngx_conf_full_name(cycle, &params->model, 0) != NGX_OK
        || ngx_vidcast_predict_plugin_labels(params, cycle) != NGX_OK)
    {
        ngx_vidcast_error(error, "no memory");
        return NGX_ERROR;
    }

    params->plugin.argument = params->model.data;

    if (ngx_vidcast_plugin_exists(&params->model, NULL, error) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_vidcast_plugin_exists(&params->plugin.file,
                                     NGX_VIDCAST_PREDICT_PLUGIN_HINT, error);
}


/* their file's full name */

static ngx_int_t
ngx_vidcast_predict_plugin_labels(
    ngx_vidcast_predict_plugin_params_t *params, ngx_cycle_t *cycle)
{
    vidcast_param_t  *param;

    for (param = params->plugin.params.elts; param->name; param++) {

        if (ngx_strcmp(param->name, "labels") != 0 || *param->value == '\0') {
            continue;
        }

        params->labels.data = (u_char *) param->value;
        params->labels.len = ngx_strlen(param->value);

        if (ngx_conf_full_name(cycle, &params->labels, 0) != NGX_OK) {
            return NGX_ERROR;
        }

        param->value = (char *) params->labels.data;
    }

    return NGX_OK;
}


static ngx_str_t *
ngx_vidcast_predict_plugin_files(ngx_vidcast_predict_conf_t *conf,
    ngx_uint_t n)
{
    ngx_vidcast_predict_plugin_params_t  *params = conf->params;

    switch (n) {

    case 0:
        return &params->plugin.file;

    case 1:
        return params->model.len ? &params->model : NULL;

    case 2:
        return params->labels.len ? &params->labels : NULL;

    default:
        return NULL;
    }
}


static ngx_int_t
ngx_vidcast_predict_plugin_validate_late(ngx_vidcast_source_t *source,
    ngx_cycle_t *cycle, u_char *error)
{
    ngx_vidcast_plugin_conf_t  *plugin = source->predict.params;

    /* a model that takes so long to load does so here, too */

    plugin->limit = source->predict.start;
    plugin->result_size = source->original.geometry.result_size;

    return ngx_vidcast_plugin_check(plugin, NGX_VIDCAST_PLUGIN_PREDICTOR,
                                    source, cycle, error);
}


static void
ngx_vidcast_predict_plugin_log(void *host, int level, const char *line)
{
    ngx_vidcast_predict_plugin_t  *plug = host;

    ngx_vidcast_predictor_t  *predictor;

    predictor = plug->predictor;

    ngx_vidcast_plugin_said(&predictor->warned, &predictor->said,
                            predictor->log, &predictor->source->name, level,
                            line);
}


static ngx_int_t
ngx_vidcast_predict_plugin_open(ngx_vidcast_predictor_t *predictor)
{
    const vidcast_plugin_t        *plugin;
    ngx_vidcast_plugin_conf_t     *conf;
    ngx_vidcast_predict_plugin_t  *plug;

    conf = predictor->source->predict.params;
    conf->result_size = predictor->source->original.geometry.result_size;

    ngx_vidcast_error(predictor->error, "no memory");

    plug = ngx_calloc(sizeof(ngx_vidcast_predict_plugin_t), predictor->log);

    if (plug == NULL
        || ngx_vidcast_predict_plugin_limit(predictor) != NGX_OK)
    {
        return NGX_ERROR;
    }

    plugin = ngx_vidcast_plugin_conf_load(conf, NGX_VIDCAST_PLUGIN_PREDICTOR,
                                          predictor->error);

    if (plugin == NULL) {
        return NGX_ERROR;
    }

    ngx_vidcast_plugin_context(&plug->context,
                               predictor->source->predict.params,
                               &predictor->source->name);

    plug->predictor = predictor;
    plug->ours = (predictor->source->predict.module
                  == &ngx_vidcast_predict_onnx);
    plug->table = plugin->predictor;
    plug->context.host = plug;
    plug->context.log = ngx_vidcast_predict_plugin_log;

    predictor->want.size = sizeof(vidcast_want_t);
    predictor->want.format = VIDCAST_RGB24;

    plug->instance = plug->table->open(&plug->context, &predictor->want,
                                       (char *) predictor->error);

    predictor->error[NGX_VIDCAST_ERROR_LEN - 1] = '\0';

    if (plug->instance == NULL) {
        return NGX_ERROR;
    }

    /* what it did for a start, it need not be able to do for ever */

    predictor->sandbox = ngx_vidcast_sandbox_confine(
                                             ngx_vidcast_plugin_needs(plugin),
                                             predictor->sandbox,
                                             predictor->log);

    ngx_vidcast_store(&predictor->mailbox->sandbox,
                      (uint32_t) predictor->sandbox);

    predictor->data = plug;

    return NGX_OK;
}


/* what nginx itself has in this process does not count */

static ngx_int_t
ngx_vidcast_predict_plugin_limit(ngx_vidcast_predictor_t *predictor)
{
    FILE           *file;
    size_t          data;
    struct rlimit   rlmt;

    if (predictor->source->predict.memory == 0) {
        return NGX_OK;
    }

    data = 0;
    file = fopen("/proc/self/statm", "re");

    if (file) {
        if (fscanf(file, "%*s %*s %*s %*s %*s %zu", &data) != 1) {
            data = 0;
        }

        (void) fclose(file);
    }

    rlmt.rlim_cur = predictor->source->predict.memory + data * ngx_pagesize;
    rlmt.rlim_max = rlmt.rlim_cur;

    if (setrlimit(RLIMIT_DATA, &rlmt) == -1) {
        ngx_vidcast_error(predictor->error,
                          "setrlimit(RLIMIT_DATA) failed: %s",
                          strerror(ngx_errno));
        return NGX_ERROR;
    }

    return NGX_OK;
}


static u_char *
ngx_vidcast_predict_plugin_get_buffer(ngx_vidcast_predictor_t *predictor,
    size_t size)
{
    ngx_vidcast_predict_plugin_t  *plug = predictor->data;

    if (plug->size < size) {
        free(plug->picture);

        plug->size = 0;
        plug->picture = malloc(size);

        if (plug->picture == NULL) {
            return NULL;
        }

        plug->size = size;
    }

    return plug->picture;
}


static ngx_int_t
ngx_vidcast_predict_plugin_predict(ngx_vidcast_predictor_t *predictor,
    const vidcast_sample_t *sample, u_char *json, size_t *size,
    ngx_uint_t *status)
{
    ngx_vidcast_predict_plugin_t  *plug = predictor->data;

    int               rc;
    vidcast_answer_t  answer;

    ngx_memzero(&answer, sizeof(vidcast_answer_t));

    answer.size = sizeof(vidcast_answer_t);
    predictor->error[0] = '\0';

    rc = plug->table->predict(plug->instance, sample, &answer,
                              (char *) predictor->error);

    predictor->error[NGX_VIDCAST_ERROR_LEN - 1] = '\0';

    switch (rc) {

    case VIDCAST_OK:
        return ngx_vidcast_predict_plugin_answer(predictor, sample, &answer,
                                                 json, size, status);

    case VIDCAST_AGAIN:
        *status = NGX_VIDCAST_REPLY_NONE;
        return NGX_OK;

    case VIDCAST_BAD:

        /* which is counted; the frame is to have no result */

        predictor->mailbox->counters.bad++;
        (void) ngx_cpystrn(predictor->mailbox->error, predictor->error,
                           NGX_VIDCAST_ERROR_LEN);
        *status = NGX_VIDCAST_REPLY_NONE;
        return NGX_OK;

    default: /* VIDCAST_ERROR */

        if (predictor->error[0] == '\0') {
            ngx_vidcast_error(predictor->error, "the plugin gave up: %d", rc);
        }

        return NGX_ERROR;
    }
}


static ngx_int_t
ngx_vidcast_predict_plugin_answer(ngx_vidcast_predictor_t *predictor,
    const vidcast_sample_t *sample, const vidcast_answer_t *answer,
    u_char *json, size_t *size, ngx_uint_t *status)
{
    ngx_vidcast_predict_plugin_t  *plug = predictor->data;

    ngx_int_t  rc;

    /* for its numbers, the check would take longer than many a model */

    if (plug->ours && answer->json && answer->ndetections == 0) {
        rc = ngx_vidcast_result_value_copy((u_char *) answer->json,
                                           answer->json_size, json, size);

    } else {
        rc = ngx_vidcast_result_value_plugin(answer, &predictor->fit,
                                             sample->width, sample->height,
                                             json, size, predictor->error);
    }

    switch (rc) {

    case NGX_OK:
        *status = NGX_VIDCAST_REPLY_OK;
        break;

    case NGX_BUSY:
        *status = NGX_VIDCAST_REPLY_TOO_LARGE;
        ngx_vidcast_error(predictor->error,
                          "the result is too large, see \"results\"");
        break;

    default: /* NGX_DECLINED */
        *status = NGX_VIDCAST_REPLY_BAD;
        break;
    }

    return NGX_OK;
}


static void
ngx_vidcast_predict_plugin_close(ngx_vidcast_predictor_t *predictor)
{
    ngx_vidcast_predict_plugin_t  *plug = predictor->data;

    if (plug) {
        plug->table->close(plug->instance);
    }
}
