
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "http/websocket/ngx_http_vidcast_handshake.h"
#include "http/conf/ngx_http_vidcast_module.h"
#include "wire/ngx_vidcast_deflate.h"
#include "core/ngx_vidcast_escape.h"
#include "core/ngx_vidcast_string.h"
#include "wire/ngx_vidcast_ws.h"


static ngx_int_t ngx_http_vidcast_header_token(ngx_http_request_t *r,
    ngx_str_t *name, ngx_str_t *token, ngx_uint_t exact);
static ngx_int_t ngx_http_vidcast_upgrade_required(ngx_http_request_t *r);
static ngx_int_t ngx_http_vidcast_handshake_deflate(ngx_http_request_t *r,
    ngx_uint_t *bits);
static ngx_int_t ngx_http_vidcast_origin_allowed(
    ngx_http_vidcast_loc_conf_t *vlcf, ngx_str_t *origin, ngx_str_t *host);
static void ngx_http_vidcast_split_host(ngx_str_t *value, ngx_str_t *host,
    ngx_str_t *port);


static ngx_str_t  ngx_http_vidcast_name_connection = ngx_string("Connection");
static ngx_str_t  ngx_http_vidcast_name_upgrade = ngx_string("Upgrade");
static ngx_str_t  ngx_http_vidcast_name_origin = ngx_string("Origin");
static ngx_str_t  ngx_http_vidcast_name_version =
    ngx_string("Sec-WebSocket-Version");
static ngx_str_t  ngx_http_vidcast_name_key = ngx_string("Sec-WebSocket-Key");
static ngx_str_t  ngx_http_vidcast_name_protocol =
    ngx_string("Sec-WebSocket-Protocol");
static ngx_str_t  ngx_http_vidcast_name_extensions =
    ngx_string("Sec-WebSocket-Extensions");

static ngx_str_t  ngx_http_vidcast_websocket = ngx_string("websocket");
static ngx_str_t  ngx_http_vidcast_version = ngx_string("13");


ngx_uint_t
ngx_http_vidcast_handshake_wanted(ngx_http_request_t *r)
{
    return ngx_http_vidcast_header_token(r, &ngx_http_vidcast_name_upgrade,
                                         &ngx_http_vidcast_websocket, 0)
           == NGX_OK;
}


ngx_int_t
ngx_http_vidcast_handshake_check(ngx_http_request_t *r)
{
    ngx_table_elt_t  *key, *version;

    if (r->method != NGX_HTTP_GET) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    if (r->http_version > NGX_HTTP_VERSION_11
        || !ngx_http_vidcast_handshake_wanted(r))
    {
        return ngx_http_vidcast_upgrade_required(r);
    }

    if (r->http_version < NGX_HTTP_VERSION_11
        || r->headers_in.content_length_n > 0
        || r->headers_in.chunked
        || ngx_http_vidcast_header_token(r, &ngx_http_vidcast_name_connection,
                                         &ngx_http_vidcast_name_upgrade, 0)
           != NGX_OK)
    {
        return NGX_HTTP_BAD_REQUEST;
    }

    version = ngx_http_vidcast_header(r, &ngx_http_vidcast_name_version, 0);

    if (version == NULL
        || !ngx_vidcast_equal(&version->value, &ngx_http_vidcast_version))
    {
        return ngx_http_vidcast_upgrade_required(r);
    }

    key = ngx_http_vidcast_header(r, &ngx_http_vidcast_name_key, 0);

    if (key == NULL
        || ngx_http_vidcast_header(r, &ngx_http_vidcast_name_key, 1)
        || ngx_vidcast_ws_check_key(&key->value) != NGX_OK)
    {
        return NGX_HTTP_BAD_REQUEST;
    }

    return ngx_http_vidcast_origin_check(r);
}


static ngx_int_t
ngx_http_vidcast_upgrade_required(ngx_http_request_t *r)
{
    if (ngx_http_vidcast_add_header(r, "Upgrade", &ngx_http_vidcast_websocket)
        != NGX_OK
        || ngx_http_vidcast_add_header(r, "Sec-WebSocket-Version",
                                       &ngx_http_vidcast_version)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return 426;
}


ngx_int_t
ngx_http_vidcast_handshake_answer(ngx_http_request_t *r, ngx_str_t *protocol,
    ngx_uint_t *bits)
{
    ngx_int_t         rc;
    ngx_str_t         accept;
    ngx_table_elt_t  *key;

    key = ngx_http_vidcast_header(r, &ngx_http_vidcast_name_key, 0);

    accept.len = NGX_VIDCAST_WS_ACCEPT_LEN;

    accept.data = ngx_pnalloc(r->pool, accept.len);
    if (accept.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_vidcast_ws_accept(accept.data, &key->value);

    if (ngx_http_vidcast_add_header(r, "Upgrade", &ngx_http_vidcast_websocket)
        != NGX_OK
        || ngx_http_vidcast_add_header(r, "Sec-WebSocket-Accept", &accept)
           != NGX_OK
        || (protocol->len
            && ngx_http_vidcast_add_header(r, "Sec-WebSocket-Protocol",
                                           protocol)
               != NGX_OK)
        || (bits && ngx_http_vidcast_handshake_deflate(r, bits) != NGX_OK))
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.status = NGX_HTTP_SWITCHING_PROTOCOLS;
    ngx_str_set(&r->headers_out.status_line, "101 Switching Protocols");

    r->keepalive = 0;
    r->lingering_close = 1;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return NGX_ERROR;
    }

    return ngx_http_send_special(r, NGX_HTTP_FLUSH) == NGX_ERROR ? NGX_ERROR
                                                                 : NGX_OK;
}


static ngx_int_t
ngx_http_vidcast_handshake_deflate(ngx_http_request_t *r, ngx_uint_t *bits)
{
    ngx_str_t              answer;
    ngx_uint_t             n;
    ngx_table_elt_t       *h;
    ngx_vidcast_deflate_t  deflate;

    *bits = 0;

    for (n = 0; /* void */ ; n++) {

        h = ngx_http_vidcast_header(r, &ngx_http_vidcast_name_extensions, n);

        if (h == NULL) {
            return NGX_OK;
        }

        if (ngx_vidcast_deflate_negotiate(&h->value, &deflate) == NGX_OK) {
            break;
        }
    }

    answer.len = deflate.answer_len;

    answer.data = ngx_pnalloc(r->pool, answer.len);
    if (answer.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(answer.data, deflate.answer, answer.len);

    *bits = deflate.bits;

    return ngx_http_vidcast_add_header(r, "Sec-WebSocket-Extensions", &answer);
}


ngx_int_t
ngx_http_vidcast_handshake_offers(ngx_http_request_t *r, ngx_str_t *protocol)
{
    return ngx_http_vidcast_header_token(r, &ngx_http_vidcast_name_protocol,
                                         protocol, 1);
}


ngx_int_t
ngx_http_vidcast_add_header(ngx_http_request_t *r, const char *name,
    ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value = *value;

    return NGX_OK;
}


ngx_table_elt_t *
ngx_http_vidcast_header(ngx_http_request_t *r, ngx_str_t *name, ngx_uint_t nth)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    part = &r->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return NULL;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (ngx_vidcast_equal_nocase(&h[i].key, name) && nth-- == 0) {
            return &h[i];
        }
    }
}


/* is the token in one of the comma-separated lists of the headers? */

static ngx_int_t
ngx_http_vidcast_header_token(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *token, ngx_uint_t exact)
{
    ngx_str_t         list, item;
    ngx_uint_t        n, more;
    ngx_table_elt_t  *h;

    for (n = 0; /* void */ ; n++) {

        h = ngx_http_vidcast_header(r, name, n);
        if (h == NULL) {
            return NGX_DECLINED;
        }

        list = h->value;

        do {
            more = ngx_vidcast_list_next(&list, &item, NGX_VIDCAST_LIST_TRIM);

            if (exact ? ngx_vidcast_equal(&item, token)
                      : ngx_vidcast_equal_nocase(&item, token))
            {
                return NGX_OK;
            }

        } while (more);
    }
}


/*
 * A page of another site can open a WebSocket here with the user's cookies;
 * only the Origin header tells.  No such header: not a browser.
 */

ngx_int_t
ngx_http_vidcast_origin_check(ngx_http_request_t *r)
{
    ngx_table_elt_t              *origin;
    ngx_vidcast_escaped_t         one, other;
    ngx_http_vidcast_loc_conf_t  *vlcf;

    vlcf = ngx_http_get_module_loc_conf(r, ngx_http_vidcast_module);

    origin = ngx_http_vidcast_header(r, &ngx_http_vidcast_name_origin, 0);

    if (origin == NULL || (vlcf->origin & NGX_HTTP_VIDCAST_ORIGIN_ANY)) {
        return NGX_OK;
    }

    if (r->headers_in.host
        && ngx_http_vidcast_origin_allowed(vlcf, &origin->value,
                                           &r->headers_in.host->value)
           == NGX_OK)
    {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "origin \"%V\" is not allowed for host \"%V\", "
                  "see \"vidcast_origin\"",
                  ngx_vidcast_escape_name(&one, &origin->value),
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

    if ((port->len == 2 && ngx_strncmp(port->data, "80", 2) == 0)
        || (port->len == 3 && ngx_strncmp(port->data, "443", 3) == 0))
    {
        port->len = 0;
    }
}
