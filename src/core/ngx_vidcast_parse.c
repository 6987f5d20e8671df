
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast_parse.h"
#include "core/ngx_vidcast_string.h"
#include "vidcast_plugin.h"


#define NGX_VIDCAST_PARSE_MAX_DIGITS  9
#define NGX_VIDCAST_PARSE_MIN_FPS     0.001


static u_char *ngx_vidcast_parse_side(u_char *p, u_char *last,
    uint32_t *side);
static u_char *ngx_vidcast_parse_number(u_char *p, u_char *last,
    uint64_t *value);
static u_char *ngx_vidcast_parse_decimal(u_char *p, u_char *last,
    double *value);


ngx_int_t
ngx_vidcast_parse_size(ngx_str_t *value, uint32_t *width, uint32_t *height)
{
    uint32_t  w, h;

    if (ngx_vidcast_parse_sides(value, &w, &h) != NGX_OK || w == 0 || h == 0) {
        return NGX_ERROR;
    }

    *width = w;
    *height = h;

    return NGX_OK;
}


ngx_int_t
ngx_vidcast_parse_sides(ngx_str_t *value, uint32_t *width, uint32_t *height)
{
    u_char    *p, *last;
    uint32_t   w, h;

    last = value->data + value->len;

    p = ngx_vidcast_parse_side(value->data, last, &w);

    if (p == NULL || p == last || *p != 'x') {
        return NGX_ERROR;
    }

    p = ngx_vidcast_parse_side(p + 1, last, &h);

    if (p != last || (w == 0 && h == 0)) {
        return NGX_ERROR;
    }

    *width = w;
    *height = h;

    return NGX_OK;
}


ngx_int_t
ngx_vidcast_parse_fit(ngx_str_t *value, uint32_t *fit)
{
    if (ngx_vidcast_is(value, "within")) {
        *fit = VIDCAST_FIT_WITHIN;

    } else if (ngx_vidcast_is(value, "stretch")) {
        *fit = VIDCAST_FIT_STRETCH;

    } else if (ngx_vidcast_is(value, "letterbox")) {
        *fit = VIDCAST_FIT_LETTERBOX;

    } else {
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_vidcast_parse_fps(ngx_str_t *value, double *fps)
{
    u_char    *p, *last;
    double     n;
    uint64_t   d;

    last = value->data + value->len;

    p = ngx_vidcast_parse_decimal(value->data, last, &n);

    if (p == NULL) {
        return NGX_ERROR;
    }

    if (p != last && *p == '/') {

        p = ngx_vidcast_parse_number(p + 1, last, &d);

        if (p == NULL || d == 0) {
            return NGX_ERROR;
        }

        n /= d;
    }

    if (p != last || n < NGX_VIDCAST_PARSE_MIN_FPS || n > NGX_VIDCAST_MAX_FPS) {
        return NGX_ERROR;
    }

    *fps = n;

    return NGX_OK;
}


ngx_int_t
ngx_vidcast_parse_flag(ngx_str_t *value, ngx_uint_t *on)
{
    if (ngx_vidcast_is(value, "on")) {
        *on = 1;
        return NGX_OK;
    }

    if (ngx_vidcast_is(value, "off")) {
        *on = 0;
        return NGX_OK;
    }

    return NGX_ERROR;
}


/* what is behind it; zero if it is left out.  NULL: it is none */

static u_char *
ngx_vidcast_parse_side(u_char *p, u_char *last, uint32_t *side)
{
    uint64_t  n;

    *side = 0;

    if (p == last || *p < '0' || *p > '9') {
        return p;
    }

    p = ngx_vidcast_parse_number(p, last, &n);

    if (p == NULL || n == 0 || n > NGX_VIDCAST_MAX_DIMENSION) {
        return NULL;
    }

    *side = n;

    return p;
}


/* the end of the digits; NULL: there are none, or too many */

static u_char *
ngx_vidcast_parse_number(u_char *p, u_char *last, uint64_t *value)
{
    u_char  *start;

    *value = 0;

    for (start = p; p < last && *p >= '0' && *p <= '9'; p++) {

        if (p - start == NGX_VIDCAST_PARSE_MAX_DIGITS) {
            return NULL;
        }

        *value = *value * 10 + (*p - '0');
    }

    return p == start ? NULL : p;
}


/* as above, with a fraction allowed; not strtod(), which obeys the locale */

static u_char *
ngx_vidcast_parse_decimal(u_char *p, u_char *last, double *value)
{
    u_char    *start;
    double     scale;
    uint64_t   n;

    p = ngx_vidcast_parse_number(p, last, &n);

    if (p == NULL) {
        return NULL;
    }

    *value = n;

    if (p == last || *p != '.') {
        return p;
    }

    start = ++p;

    p = ngx_vidcast_parse_number(p, last, &n);

    if (p == NULL) {
        return NULL;
    }

    for (scale = 1; start < p; start++) {
        scale *= 10;
    }

    *value += n / scale;

    return p;
}
