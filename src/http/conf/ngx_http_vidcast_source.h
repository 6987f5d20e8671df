
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_HTTP_VIDCAST_SOURCE_H_INCLUDED_
#define _NGX_HTTP_VIDCAST_SOURCE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "core/ngx_vidcast.h"

/*
 * Arguments of directives in a vidcast_source block.
 *
 * split()    "name=value"; NGX_ERROR: it is none
 * answer()   what an input or a predictor said of one of its parameters:
 *            NGX_OK, NGX_DECLINED, NGX_ERROR
 * invalid()  tells it; NGX_CONF_ERROR
 * predict_args()  hands on those of a predictor
 */
ngx_int_t ngx_http_vidcast_source_split(ngx_str_t *arg, ngx_str_t *name,
    ngx_str_t *value);
char *ngx_http_vidcast_source_answer(ngx_conf_t *cf, ngx_str_t *arg,
    ngx_int_t rc);
char *ngx_http_vidcast_source_invalid(ngx_conf_t *cf, const char *what,
    ngx_str_t *value);
char *ngx_http_vidcast_source_predict_args(ngx_conf_t *cf,
    ngx_vidcast_predict_conf_t *predict, ngx_str_t *args, ngx_uint_t n);


#endif /* _NGX_HTTP_VIDCAST_SOURCE_H_INCLUDED_ */
