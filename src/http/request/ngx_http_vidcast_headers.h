
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_HTTP_VIDCAST_HEADERS_H_INCLUDED_
#define _NGX_HTTP_VIDCAST_HEADERS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "wire/ngx_vidcast_deflate.h"


#define NGX_HTTP_VIDCAST_ACCEPT_SSE     0x1
#define NGX_HTTP_VIDCAST_ACCEPT_NDJSON  0x2
#define NGX_HTTP_VIDCAST_ACCEPT_MJPEG   0x4
#define NGX_HTTP_VIDCAST_ACCEPT_JPEG    0x8
#define NGX_HTTP_VIDCAST_ACCEPT_HTML    0x10


#define NGX_HTTP_VIDCAST_UPGRADE_REQUIRED  426


/*
 * What the headers of a request say that nginx does not read.  Texts are those
 * of the first header of their name, NULL: there is none.  The others may be
 * there several times, and are lists.
 */

typedef struct {
    ngx_str_t              *origin;
    ngx_str_t              *referer;
    ngx_str_t              *fetch_site;   /* Sec-Fetch-Site, and so on */
    ngx_str_t              *fetch_mode;
    ngx_str_t              *fetch_dest;
    ngx_str_t              *purpose;      /* Sec-Purpose: not asked by a user */
    ngx_str_t              *request_method; /* Access-Control-Request-Method */
    ngx_str_t              *request_headers; /* and -Headers */
    ngx_str_t              *version;      /* Sec-WebSocket-Version */
    ngx_str_t              *key;          /* Sec-WebSocket-Key */
    ngx_str_t              *last_event_id;
    ngx_uint_t              accept;       /* bits, of Accept */
    ngx_vidcast_deflate_t   deflate;      /* to be agreed on; no bits: none */
    unsigned                upgrade:1;    /* Connection has "Upgrade" */
    unsigned                websocket:1;  /* Upgrade has "websocket" */
    unsigned                vidcast_v1:1; /* a subprotocol that it offers */
    unsigned                keys:1;       /* more keys than one */
    unsigned                origins:1;    /* likewise */
    unsigned                representation:1; /* Prefer asks to be told */
} ngx_http_vidcast_headers_t;


/* one pass over all of them */
void ngx_http_vidcast_headers_read(ngx_http_request_t *r,
    ngx_http_vidcast_headers_t *headers);


#endif /* _NGX_HTTP_VIDCAST_HEADERS_H_INCLUDED_ */
