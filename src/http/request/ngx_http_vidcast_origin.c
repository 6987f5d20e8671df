
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "core/ngx_vidcast_escape.h"
#include "core/ngx_vidcast_string.h"
#include "http/conf/ngx_http_vidcast_module.h"
#include "http/request/ngx_http_vidcast_origin.h"


static ngx_int_t ngx_http_vidcast_origin_allowed(
    ngx_http_vidcast_loc_conf_t *vlcf, ngx_str_t *origin, ngx_str_t *host);
static void ngx_http_vidcast_split_host(ngx_str_t *value, ngx_str_t *host,
    ngx_str_t *port);


/*
 * A page of another site can open a WebSocket here with the user's cookies;
 * only the Origin header tells.  No such header: not a browser.
 */

ngx_int_t
ngx_http_vidcast_origin_check(ngx_http_request_t *r, ngx_str_t *origin)
{
    ngx_vidcast_escaped_t         one, other;
    ngx_http_vidcast_loc_conf_t  *vlcf;

    vlcf = ngx_http_get_module_loc_conf(r, ngx_http_vidcast_module);

    if (origin == NULL || (vlcf->origin & NGX_HTTP_VIDCAST_ORIGIN_ANY)) {
        return NGX_OK;
    }

    if (r->headers_in.host
        && ngx_http_vidcast_origin_allowed(vlcf, origin,
                                           &r->headers_in.host->value)
           == NGX_OK)
    {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "origin \"%V\" is not allowed for host \"%V\", "
                  "see \"vidcast_origin\"",
                  ngx_vidcast_escape_name(&one, origin),
                  ngx_vidcast_escape_name(&other, r->headers_in.host
                                               ? &r->headers_in.host->value
                                               : &r->headers_in.server));

    return NGX_HTTP_FORBIDDEN;
}


static ngx_int_t
ngx_http_vidcast_origin_allowed(ngx_http_vidcast_loc_conf_t *vlcf,
    ngx_str_t *origin, ngx_str_t *host)
{
    u_char      *p;
    ngx_str_t    value, name, port, own, own_port, *allowed;
    ngx_uint_t   i;

    p = ngx_strlchr(origin->data, origin->data + origin->len, ':');

    if (p == NULL
        || origin->data + origin->len - p < 4
        || ngx_strncmp(p, "://", 3) != 0)
    {
        return NGX_DECLINED;
    }

    value.data = p + 3;
    value.len = origin->data + origin->len - value.data;

    ngx_http_vidcast_split_host(&value, &name, &port);

    if (vlcf->origin & NGX_HTTP_VIDCAST_ORIGIN_SAME) {

        ngx_http_vidcast_split_host(host, &own, &own_port);

        if (ngx_vidcast_equal_nocase(&name, &own)
            && ngx_vidcast_equal_nocase(&port, &own_port))
        {
            return NGX_OK;
        }
    }

    if (vlcf->origins == NULL) {
        return NGX_DECLINED;
    }

    allowed = vlcf->origins->elts;

    for (i = 0; i < vlcf->origins->nelts; i++) {

        ngx_http_vidcast_split_host(&allowed[i], &own, &own_port);

        if (own_port.len && !ngx_vidcast_equal_nocase(&port, &own_port)) {
            continue;
        }

        if (own.len > 2 && own.data[0] == '*' && own.data[1] == '.') {
            own.data++;
            own.len--;

            if (name.len > own.len
                && ngx_strncasecmp(name.data + name.len - own.len, own.data,
                                   own.len)
                   == 0)
            {
                return NGX_OK;
            }

            continue;
        }

        if (ngx_vidcast_equal_nocase(&name, &own)) {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


/*
 * "host[:port]", the host possibly an IPv6 address in brackets.  The ports of
 * http and https are as good as none: TLS may end in front of us, and a Host
 * header may or may not name them.
 */

static void
ngx_http_vidcast_split_host(ngx_str_t *value, ngx_str_t *host, ngx_str_t *port)
{
    u_char  *p, *last;

    *host = *value;
    ngx_str_null(port);

    last = value->data + value->len;

    for (p = last; p > value->data; p--) {

        if (p[-1] == ']') {
            return;
        }

        if (p[-1] == ':') {
            host->len = p - 1 - value->data;
            port->data = p;
            port->len = last - p;
            break;
        }
    }

    if ((ngx_vidcast_is(port, "80"))
        || (ngx_vidcast_is(port, "443")))
    {
        port->len = 0;
    }
}
