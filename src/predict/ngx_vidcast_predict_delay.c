
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast_string.h"
#include "predict/ngx_vidcast_predict.h"


/* looks at nothing, waits, and answers a fixed text */


typedef struct {
    ngx_pool_t  *pool;
    ngx_msec_t   time;
    ngx_str_t    json;      /* the text as a JSON string */
} ngx_vidcast_predict_delay_params_t;


static void *ngx_vidcast_predict_delay_create_params(ngx_pool_t *pool);
static ngx_int_t ngx_vidcast_predict_delay_set(
    ngx_vidcast_predict_conf_t *conf, ngx_str_t *name, ngx_str_t *value);
static ngx_int_t ngx_vidcast_predict_delay_set_text(
    ngx_vidcast_predict_delay_params_t *params, ngx_str_t *text);
static uint32_t ngx_vidcast_predict_delay_want(
    ngx_vidcast_predict_conf_t *conf, uint32_t width);
static ngx_int_t ngx_vidcast_predict_delay_open(
    ngx_vidcast_predict_t *predict);
static ngx_int_t ngx_vidcast_predict_delay_predict(
    ngx_vidcast_predict_t *predict, ngx_vidcast_sample_t *sample,
    u_char *json, size_t *size);
static void ngx_vidcast_predict_delay_close(ngx_vidcast_predict_t *predict);


ngx_vidcast_predict_module_t  ngx_vidcast_predict_delay = {
    ngx_string("delay"),
    ngx_vidcast_predict_delay_create_params,
    ngx_vidcast_predict_delay_set,
    ngx_vidcast_predict_delay_want,
    ngx_vidcast_predict_delay_open,
    ngx_vidcast_predict_delay_predict,
    ngx_vidcast_predict_delay_close,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL
};


static void *
ngx_vidcast_predict_delay_create_params(ngx_pool_t *pool)
{
    ngx_vidcast_predict_delay_params_t  *params;

    params = ngx_palloc(pool, sizeof(ngx_vidcast_predict_delay_params_t));
    if (params == NULL) {
        return NULL;
    }

    params->pool = pool;
    params->time = 100;
    ngx_str_set(&params->json, "\"test\"");

    return params;
}


static ngx_int_t
ngx_vidcast_predict_delay_set(ngx_vidcast_predict_conf_t *conf,
    ngx_str_t *name, ngx_str_t *value)
{
    ngx_vidcast_predict_delay_params_t  *params = conf->params;

    ngx_int_t  time;

    if (ngx_vidcast_is(name, "time")) {
        time = ngx_parse_time(value, 0);

        if (time == NGX_ERROR) {
            return NGX_ERROR;
        }

        params->time = time;
        conf->timeout += time;

        return NGX_OK;
    }

    if (ngx_vidcast_is(name, "text")) {
        return ngx_vidcast_predict_delay_set_text(params, value);
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_vidcast_predict_delay_set_text(ngx_vidcast_predict_delay_params_t *params,
    ngx_str_t *text)
{
    u_char    *p, *last;
    size_t     len;
    uint32_t   ch;

    /* WebSocket clients close on text that is not UTF-8 */

    p = text->data;
    last = p + text->len;

    while (p < last) {

        if (*p < 0x80) {
            p++;
            continue;
        }

        ch = ngx_utf8_decode(&p, last - p);

        if (ch > 0x10ffff || (ch >= 0xd800 && ch <= 0xdfff)) {
            return NGX_ERROR;
        }
    }

    len = text->len + ngx_escape_json(NULL, text->data, text->len);

    p = ngx_pnalloc(params->pool, len + 2);
    if (p == NULL) {
        return NGX_ERROR;
    }

    params->json.data = p;
    params->json.len = len + 2;

    *p++ = '"';
    p = (u_char *) ngx_escape_json(p, text->data, text->len);
    *p = '"';

    return NGX_OK;
}


static uint32_t
ngx_vidcast_predict_delay_want(ngx_vidcast_predict_conf_t *conf,
    uint32_t width)
{
    return 0;
}


static ngx_int_t
ngx_vidcast_predict_delay_open(ngx_vidcast_predict_t *predict)
{
    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_predict_delay_predict(ngx_vidcast_predict_t *predict,
    ngx_vidcast_sample_t *sample, u_char *json, size_t *size)
{
    uint64_t                             due;
    struct timespec                      ts;
    ngx_vidcast_predict_delay_params_t  *params;

    params = predict->conf->params;

    if (params->json.len > *size) {
        (void) ngx_slprintf(predict->error,
                            predict->error + NGX_VIDCAST_ERROR_LEN - 1,
                            "text of %uz bytes does not fit into a result "
                            "of %uz%Z", params->json.len, *size);
        return NGX_ERROR;
    }

    due = ngx_vidcast_clock() + (uint64_t) params->time * 1000;

    ts.tv_sec = due / 1000000;
    ts.tv_nsec = due % 1000000 * 1000;

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL)
           == NGX_EINTR)
    {
        /* void */
    }

    ngx_memcpy(json, params->json.data, params->json.len);
    *size = params->json.len;

    return NGX_OK;
}


static void
ngx_vidcast_predict_delay_close(ngx_vidcast_predict_t *predict)
{
    /* void */
}
