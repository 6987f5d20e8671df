
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast_string.h"
#include "predict/ngx_vidcast_predict.h"


#define NGX_VIDCAST_PREDICT_MEMORY  (16 * 1024 * 1024)    /* the least */


static ngx_int_t ngx_vidcast_predict_set_number(ngx_uint_t *number,
    ngx_str_t *value, ngx_uint_t max);
static ngx_int_t ngx_vidcast_predict_set_time(ngx_msec_t *time,
    ngx_str_t *value);


/*
 * Adding a predictor: these files.
 *
 *     src/predict/ngx_vidcast_predict_NAME.c
 *         it, or in a folder there; with processes of its own by an engine,
 *         src/predict/ngx_vidcast_engine.h
 *     src/predict/ngx_vidcast_predict.h
 *         its module, "extern"
 *     src/predict/ngx_vidcast_predict.c
 *         the table below
 *     config
 *         its files
 *     docs/directives/predictors.md, docs/development.md, CHANGES
 *         what a user sees of it; its place among the folders
 *     conf/vidcast-full.conf
 *         its parameters, with their defaults
 *     t/unit/unit_predict.h
 *         it, or its name
 *     t/conf.t, t/conf-errors.t
 *         its parameters, good and bad
 *     t/lib/Vidcast/Features.pm
 *         its row in the table of features
 *
 * A model, or code of somebody else, is a plugin, by src/vidcast_plugin.h, and
 * needs none of these.
 */

static ngx_vidcast_predict_module_t  *ngx_vidcast_predict_modules[] = {
    &ngx_vidcast_predict_delay,
    &ngx_vidcast_predict_exec,
    &ngx_vidcast_predict_motion,
    &ngx_vidcast_predict_onnx,
    &ngx_vidcast_predict_plugin,
    NULL
};


ngx_vidcast_predict_module_t *
ngx_vidcast_predict_find(ngx_str_t *name)
{
    ngx_uint_t                     i;
    ngx_vidcast_predict_module_t  *module;

    for (i = 0; ngx_vidcast_predict_modules[i]; i++) {
        module = ngx_vidcast_predict_modules[i];

        if (module->name.len == name->len
            && ngx_strncmp(module->name.data, name->data, name->len) == 0)
        {
            return module;
        }
    }

    return NULL;
}


void
ngx_vidcast_predict_init(ngx_vidcast_predict_conf_t *conf)
{
    conf->every = 1;
    conf->timeout = 5000;

    if (conf->module->engine) {
        conf->workers = 1;
        conf->start = 60000;
        conf->pause = 30000;
    }
}


/*
 * Adding a parameter of all predictors: these files.  It takes the name away
 * from plugins, which may have one of that name.
 *
 *     src/core/ngx_vidcast.h
 *         its member of ngx_vidcast_predict_conf_t
 *     src/predict/ngx_vidcast_predict.c
 *         its default, in predict_init(), and its value below; behind the look
 *         at the engine, if only predictors with processes have it
 *     docs/directives/predictors.md, CHANGES
 *         its row
 *     conf/vidcast-full.conf
 *         its default, which t/demo.t compares with that row
 *     t/conf.t, t/conf-errors.t
 *         good values and bad ones
 *     t/lib/Vidcast/Features.pm
 *         its row in the table of features
 */

ngx_int_t
ngx_vidcast_predict_set(ngx_vidcast_predict_conf_t *conf, ngx_str_t *name,
    ngx_str_t *value)
{
    off_t  size;

    if (ngx_vidcast_is(name, "emit")) {

        if (ngx_strcmp(value->data, "always") == 0) {
            conf->emit = NGX_VIDCAST_PREDICT_ALWAYS;
            return NGX_OK;
        }

        if (ngx_strcmp(value->data, "change") == 0) {
            conf->emit = NGX_VIDCAST_PREDICT_CHANGE;
            return NGX_OK;
        }

        return NGX_ERROR;
    }

    if (ngx_vidcast_is(name, "every")) {
        return ngx_vidcast_predict_set_number(&conf->every, value, 1000000);
    }

    if (conf->module->engine == NULL) {
        return conf->module->set(conf, name, value);
    }

    if (ngx_vidcast_is(name, "workers")) {
        return ngx_vidcast_predict_set_number(&conf->workers, value,
                                              NGX_VIDCAST_MAX_PREDICTORS);
    }

    if (ngx_vidcast_is(name, "timeout")) {
        return ngx_vidcast_predict_set_time(&conf->timeout, value);
    }

    if (ngx_vidcast_is(name, "start")) {
        return ngx_vidcast_predict_set_time(&conf->start, value);
    }

    if (ngx_vidcast_is(name, "pause")) {
        return ngx_vidcast_predict_set_time(&conf->pause, value);
    }

    if (ngx_vidcast_is(name, "memory")) {
        size = ngx_parse_offset(value);

        if (size == NGX_ERROR || size < NGX_VIDCAST_PREDICT_MEMORY) {
            return NGX_ERROR;
        }

        conf->memory = size;

        return NGX_OK;
    }

    if (ngx_vidcast_is(name, "sandbox")) {

        if (ngx_strcmp(value->data, "on") == 0) {
            conf->open = 0;
            return NGX_OK;
        }

        if (ngx_strcmp(value->data, "off") == 0) {
            conf->open = 1;
            return NGX_OK;
        }

        return NGX_ERROR;
    }

    return conf->module->set(conf, name, value);
}


static ngx_int_t
ngx_vidcast_predict_set_number(ngx_uint_t *number, ngx_str_t *value,
    ngx_uint_t max)
{
    ngx_int_t  n;

    n = ngx_atoi(value->data, value->len);

    if (n == NGX_ERROR || n == 0 || (ngx_uint_t) n > max) {
        return NGX_ERROR;
    }

    *number = n;

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_predict_set_time(ngx_msec_t *time, ngx_str_t *value)
{
    ngx_int_t  ms;

    ms = ngx_parse_time(value, 0);

    if (ms == NGX_ERROR || ms == 0) {
        return NGX_ERROR;
    }

    *time = ms;

    return NGX_OK;
}


ngx_uint_t
ngx_vidcast_predict_emits(ngx_vidcast_predict_t *predict, u_char *json,
    size_t size)
{
    uint64_t  state;

    if (predict->conf->emit == NGX_VIDCAST_PREDICT_ALWAYS) {
        return 1;
    }

    state = predict->state;

    if (state == 0) {

        /* FNV-1a */

        for (state = 14695981039346656037U; size; size--) {
            state = (state ^ *json++) * 1099511628211U;
        }
    }

    predict->asked = state;

    return state != predict->emitted;
}


void
ngx_vidcast_predict_emitted(ngx_vidcast_predict_t *predict)
{
    predict->emitted = predict->asked;
}
