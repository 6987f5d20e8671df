
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "input/ngx_vidcast_input.h"


#define NGX_VIDCAST_INPUT_MAX_WAIT    200000  /* us */
#define NGX_VIDCAST_INPUT_MAX_DIGITS  9
#define NGX_VIDCAST_INPUT_MIN_FPS     0.001


static u_char *ngx_vidcast_input_parse_number(u_char *p, u_char *last,
    uint64_t *value);
static u_char *ngx_vidcast_input_parse_decimal(u_char *p, u_char *last,
    double *value);


static ngx_vidcast_input_module_t  *ngx_vidcast_input_modules[] = {
    &ngx_vidcast_input_test,
    &ngx_vidcast_input_images,
    &ngx_vidcast_input_v4l2,
    &ngx_vidcast_input_push,
    &ngx_vidcast_input_file,
    &ngx_vidcast_input_rtsp,
    &ngx_vidcast_input_rtsps,
    &ngx_vidcast_input_http,
    &ngx_vidcast_input_https,
    NULL
};


ngx_vidcast_input_module_t *
ngx_vidcast_input_find(ngx_str_t *uri, ngx_str_t *path)
{
    size_t                       len;
    u_char                      *p;
    ngx_uint_t                   i;
    ngx_vidcast_input_module_t  *module;

    p = ngx_strlchr(uri->data, uri->data + uri->len, ':');

    if (p == NULL) {
        return NULL;
    }

    len = p - uri->data;

    for (i = 0; ngx_vidcast_input_modules[i]; i++) {
        module = ngx_vidcast_input_modules[i];

        if (module->scheme.len == len
            && ngx_strncmp(module->scheme.data, uri->data, len) == 0)
        {
            path->data = p + 1;
            path->len = uri->len - len - 1;

            return module;
        }
    }

    return NULL;
}


ngx_int_t
ngx_vidcast_input_redact(ngx_pool_t *pool, ngx_str_t *uri, ngx_str_t *told)
{
    u_char  *p, *last, *host, *at, *query;

    *told = *uri;

    last = uri->data + uri->len;
    host = ngx_strlcasestrn(uri->data, last, (u_char *) "://", 3 - 1);

    if (host == NULL) {
        return NGX_OK;
    }

    host += 3;

    /* a password may have any character which its owner forgot to escape */

    for (at = last; at > host && at[-1] != '@'; at--) {
        /* void */
    }

    query = ngx_strlchr(at, last, '?');

    if (query == NULL) {
        query = last;
    }

    if (at == host && query == last) {
        return NGX_OK;
    }

    p = ngx_pnalloc(pool, uri->len + sizeof("***@?***"));
    if (p == NULL) {
        return NGX_ERROR;
    }

    told->data = p;

    p = ngx_cpymem(p, uri->data, host - uri->data);

    if (at != host) {
        p = ngx_cpymem(p, "***@", 4);
    }

    p = ngx_cpymem(p, at, query - at);

    if (query != last) {
        p = ngx_cpymem(p, "?***", 4);
    }

    told->len = p - told->data;
    *p = '\0';

    return NGX_OK;
}


ngx_int_t
ngx_vidcast_input_parse_size(ngx_str_t *value, uint32_t *width,
    uint32_t *height)
{
    u_char    *p, *last;
    uint64_t   w, h;

    last = value->data + value->len;

    p = ngx_vidcast_input_parse_number(value->data, last, &w);

    if (p == NULL || p == last || *p != 'x') {
        return NGX_ERROR;
    }

    p = ngx_vidcast_input_parse_number(p + 1, last, &h);

    if (p != last) {
        return NGX_ERROR;
    }

    if (w == 0 || w > NGX_VIDCAST_MAX_DIMENSION
        || h == 0 || h > NGX_VIDCAST_MAX_DIMENSION)
    {
        return NGX_ERROR;
    }

    *width = w;
    *height = h;

    return NGX_OK;
}


ngx_int_t
ngx_vidcast_input_parse_fps(ngx_str_t *value, double *fps)
{
    u_char    *p, *last;
    double     n;
    uint64_t   d;

    last = value->data + value->len;

    p = ngx_vidcast_input_parse_decimal(value->data, last, &n);

    if (p == NULL) {
        return NGX_ERROR;
    }

    if (p != last && *p == '/') {

        p = ngx_vidcast_input_parse_number(p + 1, last, &d);

        if (p == NULL || d == 0) {
            return NGX_ERROR;
        }

        n /= d;
    }

    if (p != last
        || n < NGX_VIDCAST_INPUT_MIN_FPS || n > NGX_VIDCAST_MAX_FPS)
    {
        return NGX_ERROR;
    }

    *fps = n;

    return NGX_OK;
}


ngx_int_t
ngx_vidcast_input_parse_flag(ngx_str_t *value, ngx_uint_t *on)
{
    if (value->len == 2 && ngx_strncmp(value->data, "on", 2) == 0) {
        *on = 1;
        return NGX_OK;
    }

    if (value->len == 3 && ngx_strncmp(value->data, "off", 3) == 0) {
        *on = 0;
        return NGX_OK;
    }

    return NGX_ERROR;
}


/* the end of the digits; NULL: there are none, or too many */

static u_char *
ngx_vidcast_input_parse_number(u_char *p, u_char *last, uint64_t *value)
{
    u_char  *start;

    *value = 0;

    for (start = p; p < last && *p >= '0' && *p <= '9'; p++) {

        if (p - start == NGX_VIDCAST_INPUT_MAX_DIGITS) {
            return NULL;
        }

        *value = *value * 10 + (*p - '0');
    }

    return p == start ? NULL : p;
}


/* as above, with a fraction allowed; not strtod(), which obeys the locale */

static u_char *
ngx_vidcast_input_parse_decimal(u_char *p, u_char *last, double *value)
{
    u_char    *start;
    double     scale;
    uint64_t   n;

    p = ngx_vidcast_input_parse_number(p, last, &n);

    if (p == NULL) {
        return NULL;
    }

    *value = n;

    if (p == last || *p != '.') {
        return p;
    }

    start = ++p;

    p = ngx_vidcast_input_parse_number(p, last, &n);

    if (p == NULL) {
        return NULL;
    }

    for (scale = 1; start < p; start++) {
        scale *= 10;
    }

    *value += n / scale;

    return p;
}


ngx_int_t
ngx_vidcast_input_wait(uint64_t due)
{
    uint64_t         now, until;
    struct timespec  ts;

    now = ngx_vidcast_clock();

    if (now >= due) {
        return NGX_OK;
    }

    until = ngx_min(due, now + NGX_VIDCAST_INPUT_MAX_WAIT);

    ts.tv_sec = until / 1000000;
    ts.tv_nsec = until % 1000000 * 1000;

    /* a signal ends it early: the caller has to look at its orders */

    (void) clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);

    return ngx_vidcast_clock() >= due ? NGX_OK : NGX_AGAIN;
}
