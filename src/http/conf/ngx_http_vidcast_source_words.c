
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "http/conf/ngx_http_vidcast_source.h"


/* what directives in vidcast_source do with their words */


ngx_int_t
ngx_http_vidcast_source_keep(ngx_conf_t *cf, ngx_array_t *words,
    ngx_str_t *args, ngx_uint_t n)
{
    ngx_str_t  *word;

    if (ngx_array_init(words, cf->pool, n, sizeof(ngx_str_t)) != NGX_OK) {
        return NGX_ERROR;
    }

    word = ngx_array_push_n(words, n);
    if (word == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(word, args, n * sizeof(ngx_str_t));

    return NGX_OK;
}


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
