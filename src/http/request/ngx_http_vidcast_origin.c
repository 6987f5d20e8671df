
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast_string.h"
#include "http/request/ngx_http_vidcast_origin.h"


#define NGX_HTTP_VIDCAST_MAX_HOST  253


static ngx_int_t ngx_http_vidcast_origin_scheme(ngx_str_t *text,
    ngx_str_t *scheme);
static ngx_int_t ngx_http_vidcast_origin_authority(ngx_str_t *text,
    ngx_http_vidcast_origin_t *origin);
static ngx_int_t ngx_http_vidcast_origin_name(ngx_str_t *host);
static ngx_int_t ngx_http_vidcast_origin_address(ngx_str_t *host);
static ngx_uint_t ngx_http_vidcast_origin_default(ngx_str_t *scheme);


ngx_int_t
ngx_http_vidcast_origin_parse(ngx_str_t *text,
    ngx_http_vidcast_origin_t *origin)
{
    ngx_str_t  rest;

    rest = *text;

    ngx_memzero(origin, sizeof(ngx_http_vidcast_origin_t));

    if (ngx_http_vidcast_origin_scheme(&rest, &origin->scheme) != NGX_OK
        || ngx_http_vidcast_origin_authority(&rest, origin) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (origin->port == 0) {
        origin->port = ngx_http_vidcast_origin_default(&origin->scheme);
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_vidcast_origin_host(ngx_str_t *text,
    ngx_http_vidcast_origin_t *origin)
{
    ngx_memzero(origin, sizeof(ngx_http_vidcast_origin_t));

    if (ngx_http_vidcast_origin_authority(text, origin) != NGX_OK) {
        return NGX_ERROR;
    }

    if (origin->port == 80 || origin->port == 443) {
        origin->port = 0;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_vidcast_origin_value(ngx_str_t *text,
    ngx_http_vidcast_origin_t *origin)
{
    ngx_str_t   rest;
    ngx_uint_t  sub;

    rest = *text;

    ngx_memzero(origin, sizeof(ngx_http_vidcast_origin_t));

    if (ngx_strlchr(rest.data, rest.data + rest.len, '/') != NULL
        && ngx_http_vidcast_origin_scheme(&rest, &origin->scheme) != NGX_OK)
    {
        return NGX_ERROR;
    }

    sub = (rest.len > 2 && rest.data[0] == '*' && rest.data[1] == '.');

    if (sub) {
        rest.data += 2;
        rest.len -= 2;
    }

    if (ngx_http_vidcast_origin_authority(&rest, origin) != NGX_OK
        || (sub && origin->host.data[0] == '['))
    {
        return NGX_ERROR;
    }

    origin->sub = sub;

    if (origin->port == 0) {
        origin->port = ngx_http_vidcast_origin_default(&origin->scheme);
    }

    return NGX_OK;
}


ngx_uint_t
ngx_http_vidcast_origin_same(ngx_http_vidcast_origin_t *origin,
    ngx_http_vidcast_origin_t *host)
{
    ngx_uint_t  port, usual;

    usual = ngx_http_vidcast_origin_default(&origin->scheme);

    if (usual == 0) {
        return 0;
    }

    port = (origin->port == usual) ? 0 : origin->port;

    return port == host->port
           && ngx_vidcast_equal_nocase(&origin->host, &host->host);
}


ngx_uint_t
ngx_http_vidcast_origin_match(ngx_http_vidcast_origin_t *origin,
    ngx_http_vidcast_origin_t *value)
{
    ngx_str_t  tail;

    if (value->scheme.len
        ? !ngx_vidcast_equal_nocase(&origin->scheme, &value->scheme)
        : ngx_http_vidcast_origin_default(&origin->scheme) == 0)
    {
        return 0;
    }

    if (origin->port != value->port && (value->scheme.len || value->port)) {
        return 0;
    }

    if (!value->sub) {
        return ngx_vidcast_equal_nocase(&origin->host, &value->host);
    }

    if (origin->host.len < value->host.len + 2) {
        return 0;
    }

    tail.len = value->host.len;
    tail.data = origin->host.data + origin->host.len - tail.len;

    return tail.data[-1] == '.'
           && ngx_vidcast_equal_nocase(&tail, &value->host);
}


/* moves it, and the "://" behind it, from the text */

static ngx_int_t
ngx_http_vidcast_origin_scheme(ngx_str_t *text, ngx_str_t *scheme)
{
    u_char  c, *p, *last;

    last = text->data + text->len;

    for (p = text->data; p < last; p++) {
        c = (u_char) (*p | 0x20);

        if (c >= 'a' && c <= 'z') {
            continue;
        }

        if (p == text->data
            || !((*p >= '0' && *p <= '9')
                 || *p == '+' || *p == '-' || *p == '.'))
        {
            break;
        }
    }

    if (p == text->data || last - p < 3 || ngx_strncmp(p, "://", 3) != 0) {
        return NGX_ERROR;
    }

    scheme->data = text->data;
    scheme->len = p - text->data;

    text->data = p + 3;
    text->len = last - text->data;

    return NGX_OK;
}


/* host [ ":" port ], an address of IPv6 in brackets; the port is 0 if none */

static ngx_int_t
ngx_http_vidcast_origin_authority(ngx_str_t *text,
    ngx_http_vidcast_origin_t *origin)
{
    u_char     *p, *last;
    ngx_int_t   port;

    if (text->len == 0) {
        return NGX_ERROR;
    }

    last = text->data + text->len;

    p = (text->data[0] == '[') ? ngx_strlchr(text->data, last, ']')
                               : text->data;

    if (p == NULL) {
        return NGX_ERROR;
    }

    p = ngx_strlchr(p, last, ':');

    origin->host.data = text->data;
    origin->host.len = (p ? p : last) - text->data;

    if (p) {
        p++;

        /* a port has no zero before it, and none is no port */

        if (p == last || *p == '0' || last - p > 5) {
            return NGX_ERROR;
        }

        port = ngx_atoi(p, last - p);

        if (port == NGX_ERROR || port > 65535) {
            return NGX_ERROR;
        }

        origin->port = (ngx_uint_t) port;
    }

    return (text->data[0] == '[')
               ? ngx_http_vidcast_origin_address(&origin->host)
               : ngx_http_vidcast_origin_name(&origin->host);
}


/* labels with dots between them; the last one may have one behind it, too */

static ngx_int_t
ngx_http_vidcast_origin_name(ngx_str_t *host)
{
    u_char      c;
    size_t      i;
    ngx_uint_t  dot;

    if (host->len == 0 || host->len > NGX_HTTP_VIDCAST_MAX_HOST) {
        return NGX_ERROR;
    }

    dot = 1;

    for (i = 0; i < host->len; i++) {
        c = host->data[i];

        if (c == '.') {
            if (dot) {
                return NGX_ERROR;
            }

            dot = 1;
            continue;
        }

        dot = 0;

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9') || c == '-' || c == '_'))
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_vidcast_origin_address(ngx_str_t *host)
{
    u_char  address[16];

    if (host->len < 4 || host->data[host->len - 1] != ']') {
        return NGX_ERROR;
    }

    return ngx_inet6_addr(host->data + 1, host->len - 2, address);
}


static ngx_uint_t
ngx_http_vidcast_origin_default(ngx_str_t *scheme)
{
    static ngx_str_t  http = ngx_string("http");
    static ngx_str_t  https = ngx_string("https");

    return ngx_vidcast_equal_nocase(scheme, &http) ? 80
           : ngx_vidcast_equal_nocase(scheme, &https) ? 443 : 0;
}
