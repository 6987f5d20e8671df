
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "wire/ngx_vidcast_deflate.h"


#define NGX_VIDCAST_DEFLATE_SERVER_TAKEOVER  0x1
#define NGX_VIDCAST_DEFLATE_CLIENT_TAKEOVER  0x2
#define NGX_VIDCAST_DEFLATE_SERVER_BITS      0x4
#define NGX_VIDCAST_DEFLATE_CLIENT_BITS      0x8


typedef struct {
    u_char      *pos;
    u_char      *last;
} ngx_vidcast_deflate_text_t;


typedef struct {
    ngx_str_t    name;
    ngx_str_t    value;
    ngx_uint_t   valued;
} ngx_vidcast_deflate_param_t;


static void ngx_vidcast_deflate_element(ngx_vidcast_deflate_text_t *text,
    ngx_vidcast_deflate_text_t *element);
static ngx_int_t ngx_vidcast_deflate_offer(ngx_vidcast_deflate_text_t *text,
    ngx_uint_t *given, ngx_uint_t *bits);
static ngx_int_t ngx_vidcast_deflate_param(ngx_vidcast_deflate_text_t *text,
    ngx_vidcast_deflate_param_t *param);
static ngx_int_t ngx_vidcast_deflate_apply(ngx_vidcast_deflate_param_t *param,
    ngx_uint_t *given, ngx_uint_t *bits);
static ngx_int_t ngx_vidcast_deflate_bits(ngx_str_t *value, ngx_uint_t *bits);
static ngx_int_t ngx_vidcast_deflate_token(ngx_vidcast_deflate_text_t *text,
    ngx_str_t *token);
static ngx_int_t ngx_vidcast_deflate_quoted(ngx_vidcast_deflate_text_t *text,
    ngx_str_t *value);
static ngx_uint_t ngx_vidcast_deflate_token_char(u_char c);
static void ngx_vidcast_deflate_skip(ngx_vidcast_deflate_text_t *text);
static ngx_uint_t ngx_vidcast_deflate_equal(ngx_str_t *text, const char *name);


ngx_int_t
ngx_vidcast_deflate_negotiate(ngx_str_t *value, ngx_vidcast_deflate_t *deflate)
{
    u_char                      *p, *last;
    ngx_uint_t                   given, bits;
    ngx_vidcast_deflate_text_t   text, element;

    text.pos = value->data;
    text.last = value->data + value->len;

    for ( ;; ) {
        ngx_vidcast_deflate_element(&text, &element);

        if (ngx_vidcast_deflate_offer(&element, &given, &bits) == NGX_OK) {
            break;
        }

        if (text.pos == text.last) {
            return NGX_DECLINED;
        }

        text.pos++;
    }

    p = deflate->answer;
    last = p + NGX_VIDCAST_DEFLATE_ANSWER;

    p = ngx_slprintf(p, last, "permessage-deflate; "
                     "server_no_context_takeover; client_no_context_takeover");

    if (given & NGX_VIDCAST_DEFLATE_SERVER_BITS) {
        p = ngx_slprintf(p, last, "; server_max_window_bits=%ui", bits);
    }

    deflate->answer_len = p - deflate->answer;
    deflate->bits = bits;

    return NGX_OK;
}


/* up to the next comma that is not within quotes */

static void
ngx_vidcast_deflate_element(ngx_vidcast_deflate_text_t *text,
    ngx_vidcast_deflate_text_t *element)
{
    u_char      *p;
    ngx_uint_t   quoted;

    quoted = 0;

    for (p = text->pos; p < text->last; p++) {

        if (*p == '"') {
            quoted = !quoted;

        } else if (*p == '\\' && quoted && p + 1 < text->last) {
            p++;

        } else if (*p == ',' && !quoted) {
            break;
        }
    }

    element->pos = text->pos;
    element->last = p;
    text->pos = p;
}


static ngx_int_t
ngx_vidcast_deflate_offer(ngx_vidcast_deflate_text_t *text, ngx_uint_t *given,
    ngx_uint_t *bits)
{
    ngx_str_t                    name;
    ngx_vidcast_deflate_param_t  param;

    *given = 0;
    *bits = NGX_VIDCAST_DEFLATE_MAX_BITS;

    ngx_vidcast_deflate_skip(text);

    if (ngx_vidcast_deflate_token(text, &name) != NGX_OK
        || !ngx_vidcast_deflate_equal(&name, "permessage-deflate"))
    {
        return NGX_DECLINED;
    }

    for ( ;; ) {
        ngx_vidcast_deflate_skip(text);

        if (text->pos == text->last) {
            return NGX_OK;
        }

        if (*text->pos++ != ';'
            || ngx_vidcast_deflate_param(text, &param) != NGX_OK
            || ngx_vidcast_deflate_apply(&param, given, bits) != NGX_OK)
        {
            return NGX_DECLINED;
        }
    }
}


static ngx_int_t
ngx_vidcast_deflate_param(ngx_vidcast_deflate_text_t *text,
    ngx_vidcast_deflate_param_t *param)
{
    ngx_vidcast_deflate_skip(text);

    if (ngx_vidcast_deflate_token(text, &param->name) != NGX_OK) {
        return NGX_DECLINED;
    }

    ngx_vidcast_deflate_skip(text);

    param->valued = (text->pos < text->last && *text->pos == '=');

    if (!param->valued) {
        return NGX_OK;
    }

    text->pos++;
    ngx_vidcast_deflate_skip(text);

    if (text->pos < text->last && *text->pos == '"') {
        return ngx_vidcast_deflate_quoted(text, &param->value);
    }

    return ngx_vidcast_deflate_token(text, &param->value);
}


static ngx_int_t
ngx_vidcast_deflate_apply(ngx_vidcast_deflate_param_t *param,
    ngx_uint_t *given, ngx_uint_t *bits)
{
    ngx_uint_t  i, n;

    static const char  *names[] = {
        "server_no_context_takeover",
        "client_no_context_takeover",
        "server_max_window_bits",
        "client_max_window_bits"
    };

    for (i = 0; i < 4; i++) {
        if (ngx_vidcast_deflate_equal(&param->name, names[i])) {
            break;
        }
    }

    if (i == 4 || (*given & (1 << i))) {
        return NGX_DECLINED;
    }

    *given |= 1 << i;

    switch (1 << i) {

    case NGX_VIDCAST_DEFLATE_SERVER_BITS:

        if (!param->valued
            || ngx_vidcast_deflate_bits(&param->value, bits) != NGX_OK
            || *bits < NGX_VIDCAST_DEFLATE_MIN_BITS)
        {
            return NGX_DECLINED;
        }

        return NGX_OK;

    case NGX_VIDCAST_DEFLATE_CLIENT_BITS:

        /* any window will do, so the answer does not limit it */

        return param->valued ? ngx_vidcast_deflate_bits(&param->value, &n)
                             : NGX_OK;

    default: /* takeover */
        return param->valued ? NGX_DECLINED : NGX_OK;
    }
}


/* RFC 7692, 7.1.2.1: a decimal from 8 to 15 without leading zeros */

static ngx_int_t
ngx_vidcast_deflate_bits(ngx_str_t *value, ngx_uint_t *bits)
{
    ngx_int_t  n;

    if (value->len == 0 || value->data[0] == '0') {
        return NGX_DECLINED;
    }

    n = ngx_atoi(value->data, value->len);

    if (n < 8 || n > NGX_VIDCAST_DEFLATE_MAX_BITS) {
        return NGX_DECLINED;
    }

    *bits = n;

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_deflate_token(ngx_vidcast_deflate_text_t *text, ngx_str_t *token)
{
    token->data = text->pos;

    while (text->pos < text->last
           && ngx_vidcast_deflate_token_char(*text->pos))
    {
        text->pos++;
    }

    token->len = text->pos - token->data;

    return token->len ? NGX_OK : NGX_DECLINED;
}


/*
 * A quoted value is a token, too (RFC 6455, 9.1).  None that is good for
 * anything needs a backslash, which is no character of a token: not undone.
 */

static ngx_int_t
ngx_vidcast_deflate_quoted(ngx_vidcast_deflate_text_t *text, ngx_str_t *value)
{
    text->pos++;

    if (ngx_vidcast_deflate_token(text, value) != NGX_OK
        || text->pos == text->last || *text->pos != '"')
    {
        return NGX_DECLINED;
    }

    text->pos++;

    return NGX_OK;
}


static ngx_uint_t
ngx_vidcast_deflate_token_char(u_char c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
        || (c >= '0' && c <= '9'))
    {
        return 1;
    }

    return c && ngx_strchr("!#$%&'*+-.^_`|~", c) != NULL;
}


static void
ngx_vidcast_deflate_skip(ngx_vidcast_deflate_text_t *text)
{
    while (text->pos < text->last && (*text->pos == ' ' || *text->pos == '\t'))
    {
        text->pos++;
    }
}


static ngx_uint_t
ngx_vidcast_deflate_equal(ngx_str_t *text, const char *name)
{
    return text->len == ngx_strlen(name)
           && ngx_strncmp(text->data, name, text->len) == 0;
}
