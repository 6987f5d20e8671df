
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "http/conf/ngx_http_vidcast_source.h"
#include "predict/ngx_vidcast_predict.h"


/* what an input or a predictor said of one of its parameters */

char *
ngx_http_vidcast_source_answer(ngx_conf_t *cf, ngx_str_t *arg, ngx_int_t rc)
{
    switch (rc) {

    case NGX_OK:
        return NGX_CONF_OK;

    case NGX_DECLINED:
        return ngx_http_vidcast_source_invalid(cf, "parameter", arg);

    default: /* NGX_ERROR */
        return ngx_http_vidcast_source_invalid(cf, "value", arg);
    }
}


char *
ngx_http_vidcast_source_invalid(ngx_conf_t *cf, const char *what,
    ngx_str_t *value)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid %s \"%V\"", what, value);

    return NGX_CONF_ERROR;
}


/* "name=value"; the value ends with a null, as the whole does */

ngx_int_t
ngx_http_vidcast_source_split(ngx_str_t *arg, ngx_str_t *name,
    ngx_str_t *value)
{
    u_char  *p;

    p = ngx_strlchr(arg->data, arg->data + arg->len, '=');

    if (p == NULL || p == arg->data) {
        return NGX_ERROR;
    }

    name->data = arg->data;
    name->len = p - arg->data;

    value->data = p + 1;
    value->len = arg->data + arg->len - value->data;

    return NGX_OK;
}


/*
 * Parameters are "name=value"; what has no "=", or begins with "-", and all
 * behind "--", is for those predictors who have arguments.
 */

char *
ngx_http_vidcast_source_predict_args(ngx_conf_t *cf,
    ngx_vidcast_predict_conf_t *predict, ngx_str_t *args, ngx_uint_t n)
{
    char                          *rv;
    ngx_int_t                      rc;
    ngx_str_t                      name, value;
    ngx_uint_t                     i, rest;
    ngx_vidcast_predict_module_t  *module;

    rest = 0;
    module = predict->module;

    for (i = 1; i < n; i++) {

        if (module->arg && !rest && ngx_strcmp(args[i].data, "--") == 0) {
            rest = 1;
            continue;
        }

        if (rest
            || (module->arg && args[i].len && args[i].data[0] == '-')
            || ngx_http_vidcast_source_split(&args[i], &name, &value)
               != NGX_OK)
        {
            rc = module->arg ? module->arg(predict, &args[i]) : NGX_DECLINED;

        } else {
            rc = ngx_vidcast_predict_set(predict, &name, &value);
        }

        rv = ngx_http_vidcast_source_answer(cf, &args[i], rc);

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}
