
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "http/websocket/ngx_http_vidcast_inbound.h"


/* compressed bytes that are kept, to be inflated at once */
#define NGX_HTTP_VIDCAST_INBOUND_WHOLE  65536


static ngx_int_t ngx_http_vidcast_inbound_part(
    ngx_http_vidcast_inbound_t *inbound, ngx_vidcast_ws_event_t *event,
    size_t limit);
static ngx_int_t ngx_http_vidcast_inbound_append(
    ngx_http_vidcast_inbound_t *inbound, u_char *data, size_t size);
static ngx_int_t ngx_http_vidcast_inbound_result(
    ngx_http_vidcast_inbound_t *inbound, ngx_int_t rc);
static void ngx_http_vidcast_inbound_forget_text(
    ngx_http_vidcast_inbound_t *inbound);


ngx_int_t
ngx_http_vidcast_inbound_add(ngx_http_vidcast_inbound_t *inbound,
    ngx_vidcast_ws_event_t *event, size_t limit, ngx_str_t *out)
{
    ngx_int_t  rc;
    ngx_str_t  in;

    if (event->first) {
        inbound->size = 0;
        inbound->compressed = event->compressed;
    }

    in.data = event->data;
    in.len = event->size;

    if (!event->first || !event->last) {

        rc = ngx_http_vidcast_inbound_part(inbound, event, limit);

        if (rc != NGX_OK) {
            return rc;
        }

        if (!event->last) {
            return NGX_AGAIN;
        }

        in.data = inbound->text;
        in.len = inbound->size;
    }

    if (inbound->inflate) {
        rc = ngx_vidcast_inflate_last(inbound->inflate, out);

    } else if (inbound->compressed) {
        rc = ngx_vidcast_inflate(&in, limit, out);

    } else {
        *out = in;
        return NGX_OK;
    }

    if (rc == NGX_OK
        && event->opcode == NGX_VIDCAST_WS_TEXT
        && ngx_vidcast_utf8_check(out->data, out->len) != NGX_OK)
    {
        rc = NGX_ERROR;
    }

    return ngx_http_vidcast_inbound_result(inbound, rc);
}


/* one of several */

static ngx_int_t
ngx_http_vidcast_inbound_part(ngx_http_vidcast_inbound_t *inbound,
    ngx_vidcast_ws_event_t *event, size_t limit)
{
    ngx_int_t  rc;
    ngx_str_t  in;

    in.data = event->data;
    in.len = event->size;

    if (inbound->inflate == NULL) {

        if (ngx_http_vidcast_inbound_append(inbound, in.data, in.len)
            != NGX_OK)
        {
            return NGX_ABORT;
        }

        if (!inbound->compressed
            || inbound->size < NGX_HTTP_VIDCAST_INBOUND_WHOLE)
        {
            return NGX_OK;
        }

        inbound->inflate = ngx_vidcast_inflate_begin(limit);
        if (inbound->inflate == NULL) {
            return NGX_ABORT;
        }

        in.data = inbound->text;
        in.len = inbound->size;
    }

    rc = ngx_vidcast_inflate_add(inbound->inflate, &in);

    ngx_http_vidcast_inbound_forget_text(inbound);

    return ngx_http_vidcast_inbound_result(inbound, rc);
}


/* the reader of frames has made sure that it never outgrows its limit */

static ngx_int_t
ngx_http_vidcast_inbound_append(ngx_http_vidcast_inbound_t *inbound,
    u_char *data, size_t size)
{
    u_char  *p;
    size_t   allocated;

    if (inbound->size + size > inbound->allocated) {

        allocated = ngx_max(2 * inbound->allocated, 1024);
        allocated = ngx_max(allocated, inbound->size + size);

        p = ngx_alloc(allocated, ngx_cycle->log);
        if (p == NULL) {
            return NGX_ERROR;
        }

        if (inbound->text) {
            ngx_memcpy(p, inbound->text, inbound->size);
            ngx_free(inbound->text);
        }

        inbound->text = p;
        inbound->allocated = allocated;
    }

    ngx_memcpy(inbound->text + inbound->size, data, size);
    inbound->size += size;

    return NGX_OK;
}


/* of zlib's, what it is to the peer */

static ngx_int_t
ngx_http_vidcast_inbound_result(ngx_http_vidcast_inbound_t *inbound,
    ngx_int_t rc)
{
    switch (rc) {

    case NGX_DECLINED:
        inbound->code = NGX_VIDCAST_WS_CLOSE_TOO_BIG;
        return NGX_ERROR;

    case NGX_ERROR:
        inbound->code = NGX_VIDCAST_WS_CLOSE_DATA;
        return NGX_ERROR;

    default: /* NGX_OK, NGX_ABORT */
        return rc;
    }
}


void
ngx_http_vidcast_inbound_forget(ngx_http_vidcast_inbound_t *inbound)
{
    ngx_http_vidcast_inbound_forget_text(inbound);

    if (inbound->inflate) {
        ngx_vidcast_inflate_free(inbound->inflate);
        inbound->inflate = NULL;
    }
}


static void
ngx_http_vidcast_inbound_forget_text(ngx_http_vidcast_inbound_t *inbound)
{
    if (inbound->text) {
        ngx_free(inbound->text);
        inbound->text = NULL;
        inbound->allocated = 0;
    }
}
