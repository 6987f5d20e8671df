
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_vidcast_predict.h"


static ngx_vidcast_predict_module_t  *ngx_vidcast_predict_modules[] = {
    &ngx_vidcast_predict_delay,
    &ngx_vidcast_predict_motion,
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


ngx_int_t
ngx_vidcast_predict_set(ngx_vidcast_predict_conf_t *conf, ngx_str_t *name,
    ngx_str_t *value)
{
    if (name->len == 4 && ngx_strncmp(name->data, "emit", 4) == 0) {

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

    return conf->module->set(conf, name, value);
}


ngx_uint_t
ngx_vidcast_predict_news(ngx_vidcast_predict_t *predict, u_char *json,
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

    if (state == predict->told) {
        return 0;
    }

    predict->told = state;

    return 1;
}
