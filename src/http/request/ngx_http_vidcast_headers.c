
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "core/ngx_vidcast_string.h"
#include "http/request/ngx_http_vidcast_headers.h"


typedef struct {
    ngx_str_t    name;
    void       (*read)(ngx_http_vidcast_headers_t *headers, ngx_str_t *value,
                       ngx_uint_t offset);
    ngx_uint_t   offset;
} ngx_http_vidcast_header_t;


static void ngx_http_vidcast_headers_text(ngx_http_vidcast_headers_t *headers,
    ngx_str_t *value, ngx_uint_t offset);
static void ngx_http_vidcast_headers_origin(
    ngx_http_vidcast_headers_t *headers, ngx_str_t *value, ngx_uint_t offset);
static void ngx_http_vidcast_headers_key(ngx_http_vidcast_headers_t *headers,
    ngx_str_t *value, ngx_uint_t offset);
static void ngx_http_vidcast_headers_upgrade(
    ngx_http_vidcast_headers_t *headers, ngx_str_t *value, ngx_uint_t offset);
static void ngx_http_vidcast_headers_connection(
    ngx_http_vidcast_headers_t *headers, ngx_str_t *value, ngx_uint_t offset);
static void ngx_http_vidcast_headers_protocol(
    ngx_http_vidcast_headers_t *headers, ngx_str_t *value, ngx_uint_t offset);
static void ngx_http_vidcast_headers_extensions(
    ngx_http_vidcast_headers_t *headers, ngx_str_t *value, ngx_uint_t offset);
static void ngx_http_vidcast_headers_prefer(
    ngx_http_vidcast_headers_t *headers, ngx_str_t *value, ngx_uint_t offset);
static void ngx_http_vidcast_headers_accept(
    ngx_http_vidcast_headers_t *headers, ngx_str_t *value, ngx_uint_t offset);
static ngx_uint_t ngx_http_vidcast_headers_is_type(ngx_str_t *item,
    ngx_str_t *type);


static ngx_http_vidcast_header_t  ngx_http_vidcast_headers[] = {

    { ngx_string("Accept"), ngx_http_vidcast_headers_accept, 0 },

    { ngx_string("Access-Control-Request-Headers"),
      ngx_http_vidcast_headers_text,
      offsetof(ngx_http_vidcast_headers_t, request_headers) },

    { ngx_string("Access-Control-Request-Method"),
      ngx_http_vidcast_headers_text,
      offsetof(ngx_http_vidcast_headers_t, request_method) },

    { ngx_string("Connection"), ngx_http_vidcast_headers_connection, 0 },

    { ngx_string("Last-Event-ID"), ngx_http_vidcast_headers_text,
      offsetof(ngx_http_vidcast_headers_t, last_event_id) },

    { ngx_string("Origin"), ngx_http_vidcast_headers_origin, 0 },

    { ngx_string("Prefer"), ngx_http_vidcast_headers_prefer, 0 },

    { ngx_string("Referer"), ngx_http_vidcast_headers_text,
      offsetof(ngx_http_vidcast_headers_t, referer) },

    { ngx_string("Sec-Fetch-Dest"), ngx_http_vidcast_headers_text,
      offsetof(ngx_http_vidcast_headers_t, fetch_dest) },

    { ngx_string("Sec-Fetch-Mode"), ngx_http_vidcast_headers_text,
      offsetof(ngx_http_vidcast_headers_t, fetch_mode) },

    { ngx_string("Sec-Fetch-Site"), ngx_http_vidcast_headers_text,
      offsetof(ngx_http_vidcast_headers_t, fetch_site) },

    { ngx_string("Sec-Purpose"), ngx_http_vidcast_headers_text,
      offsetof(ngx_http_vidcast_headers_t, purpose) },

    { ngx_string("Sec-WebSocket-Extensions"),
      ngx_http_vidcast_headers_extensions, 0 },

    { ngx_string("Sec-WebSocket-Key"), ngx_http_vidcast_headers_key, 0 },

    { ngx_string("Sec-WebSocket-Protocol"),
      ngx_http_vidcast_headers_protocol, 0 },

    { ngx_string("Sec-WebSocket-Version"), ngx_http_vidcast_headers_text,
      offsetof(ngx_http_vidcast_headers_t, version) },

    { ngx_string("Upgrade"), ngx_http_vidcast_headers_upgrade, 0 },

    { ngx_null_string, NULL, 0 }
};


void
ngx_http_vidcast_headers_read(ngx_http_request_t *r,
    ngx_http_vidcast_headers_t *headers)
{
    ngx_uint_t                  i;
    ngx_list_part_t            *part;
    ngx_table_elt_t            *h;
    ngx_http_vidcast_header_t  *known;

    ngx_memzero(headers, sizeof(ngx_http_vidcast_headers_t));

    part = &r->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        for (known = ngx_http_vidcast_headers; known->read; known++) {

            if (ngx_vidcast_equal_nocase(&h[i].key, &known->name)) {
                known->read(headers, &h[i].value, known->offset);
                break;
            }
        }
    }
}


static void
ngx_http_vidcast_headers_text(ngx_http_vidcast_headers_t *headers,
    ngx_str_t *value, ngx_uint_t offset)
{
    ngx_str_t  **text;

    text = (ngx_str_t **) ((u_char *) headers + offset);

    if (*text == NULL) {
        *text = value;
    }
}


static void
ngx_http_vidcast_headers_origin(ngx_http_vidcast_headers_t *headers,
    ngx_str_t *value, ngx_uint_t offset)
{
    if (headers->origin) {
        headers->origins = 1;
        return;
    }

    headers->origin = value;
}


static void
ngx_http_vidcast_headers_key(ngx_http_vidcast_headers_t *headers,
    ngx_str_t *value, ngx_uint_t offset)
{
    if (headers->key) {
        headers->keys = 1;
        return;
    }

    headers->key = value;
}


static void
ngx_http_vidcast_headers_upgrade(ngx_http_vidcast_headers_t *headers,
    ngx_str_t *value, ngx_uint_t offset)
{
    static ngx_str_t  websocket = ngx_string("websocket");

    if (ngx_vidcast_list_has(value, &websocket, ngx_vidcast_equal_nocase)) {
        headers->websocket = 1;
    }
}


static void
ngx_http_vidcast_headers_connection(ngx_http_vidcast_headers_t *headers,
    ngx_str_t *value, ngx_uint_t offset)
{
    static ngx_str_t  upgrade = ngx_string("upgrade");

    if (ngx_vidcast_list_has(value, &upgrade, ngx_vidcast_equal_nocase)) {
        headers->upgrade = 1;
    }
}


static void
ngx_http_vidcast_headers_protocol(ngx_http_vidcast_headers_t *headers,
    ngx_str_t *value, ngx_uint_t offset)
{
    static ngx_str_t  v1 = ngx_string("vidcast.v1");

    if (ngx_vidcast_list_has(value, &v1, ngx_vidcast_equal)) {
        headers->vidcast_v1 = 1;
    }
}


/* the first of them with an offer that can be kept */

static void
ngx_http_vidcast_headers_extensions(ngx_http_vidcast_headers_t *headers,
    ngx_str_t *value, ngx_uint_t offset)
{
    if (headers->deflate.bits == 0) {
        (void) ngx_vidcast_deflate_negotiate(value, &headers->deflate);
    }
}


/* RFC 7240, 4.2: a client that wants to see what it made says so */

static void
ngx_http_vidcast_headers_prefer(ngx_http_vidcast_headers_t *headers,
    ngx_str_t *value, ngx_uint_t offset)
{
    static ngx_str_t  wanted = ngx_string("return=representation");

    if (ngx_strlcasestrn(value->data, value->data + value->len, wanted.data,
                         wanted.len - 1)
        != NULL)
    {
        headers->representation = 1;
    }
}


static void
ngx_http_vidcast_headers_accept(ngx_http_vidcast_headers_t *headers,
    ngx_str_t *value, ngx_uint_t offset)
{
    ngx_uint_t  i;

    static struct {
        ngx_str_t   type;
        ngx_uint_t  bit;
    } types[] = {
        { ngx_string("text/event-stream"), NGX_HTTP_VIDCAST_ACCEPT_SSE },
        { ngx_string("application/x-ndjson"), NGX_HTTP_VIDCAST_ACCEPT_NDJSON },
        { ngx_string("multipart/x-mixed-replace"),
          NGX_HTTP_VIDCAST_ACCEPT_MJPEG },
        { ngx_string("image/jpeg"), NGX_HTTP_VIDCAST_ACCEPT_JPEG },
        { ngx_string("text/html"), NGX_HTTP_VIDCAST_ACCEPT_HTML }
    };

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {

        if (ngx_vidcast_list_has(value, &types[i].type,
                                 ngx_http_vidcast_headers_is_type))
        {
            headers->accept |= types[i].bit;
        }
    }
}


/* its parameters do not matter */

static ngx_uint_t
ngx_http_vidcast_headers_is_type(ngx_str_t *item, ngx_str_t *type)
{
    u_char  c;

    if (item->len < type->len
        || ngx_strncasecmp(item->data, type->data, type->len) != 0)
    {
        return 0;
    }

    if (item->len == type->len) {
        return 1;
    }

    c = item->data[type->len];

    return c == ';' || c == ' ' || c == '\t';
}
