
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
