
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_vidcast_handshake.h"
#include "ngx_http_vidcast_hub.h"


static ngx_int_t ngx_http_vidcast_snapshot_read(ngx_http_request_t *r,
    ngx_http_vidcast_hub_t *hub, ngx_vidcast_frame_t *frame);
static ngx_int_t ngx_http_vidcast_snapshot_none(ngx_http_request_t *r,
    ngx_http_vidcast_hub_t *hub);
static ngx_int_t ngx_http_vidcast_snapshot_header(ngx_http_request_t *r,
    ngx_http_vidcast_hub_t *hub, ngx_vidcast_frame_t *frame);
static ngx_int_t ngx_http_vidcast_snapshot_add(ngx_http_request_t *r,
    const char *name, const char *fmt, ...);


ngx_int_t
ngx_http_vidcast_snapshot_handler(ngx_http_request_t *r,
    ngx_http_vidcast_hub_t *hub)
{
    ngx_int_t             rc;
    ngx_buf_t            *b;
    ngx_chain_t           out;
    ngx_vidcast_frame_t   frame;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_http_vidcast_snapshot_read(r, hub, &frame);

    if (rc == NGX_AGAIN) {
        return ngx_http_vidcast_snapshot_none(r, hub);
    }

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_vidcast_snapshot_header(r, hub, &frame);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->pos = frame.data;
    b->last = frame.data + frame.size;
    b->memory = 1;
    b->last_buf = (r == r->main);
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    hub->share->frames++;
    hub->share->bytes += frame.size;

    return ngx_http_output_filter(r, &out);
}


/*
 * The newest frame, copied to the request's memory, as it is once only and
 * may take its time.  NGX_AGAIN: there is none.
 */

static ngx_int_t
ngx_http_vidcast_snapshot_read(ngx_http_request_t *r,
    ngx_http_vidcast_hub_t *hub, ngx_vidcast_frame_t *frame)
{
    u_char      *p;
    uint32_t     size;
    ngx_int_t    rc;
    ngx_uint_t   n;

    p = NULL;
    size = 0;

    /* overtaken at each try: the writer is mad, or we are slower than it */

    for (n = 0; n < 100; n++) {

        rc = ngx_vidcast_ring_peek(&hub->zone->ring, 0, frame);

        if (rc == NGX_AGAIN) {
            return NGX_AGAIN;
        }

        if (rc == NGX_DECLINED) {
            continue;
        }

        if (frame->size > size) {
            size = frame->size;

            p = ngx_pnalloc(r->pool, size);
            if (p == NULL) {
                return NGX_ERROR;
            }
        }

        ngx_memcpy(p, frame->data, frame->size);

        if (ngx_vidcast_ring_check(&hub->zone->ring, frame) == NGX_OK) {
            frame->data = p;
            return NGX_OK;
        }
    }

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_vidcast_snapshot_none(ngx_http_request_t *r,
    ngx_http_vidcast_hub_t *hub)
{
    static ngx_str_t  retry = ngx_string("1");

    hub->share->refused++;

    if (ngx_http_vidcast_add_header(r, "Retry-After", &retry) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_HTTP_SERVICE_UNAVAILABLE;
}


static ngx_int_t
ngx_http_vidcast_snapshot_header(ngx_http_request_t *r,
    ngx_http_vidcast_hub_t *hub, ngx_vidcast_frame_t *frame)
{
    uint64_t          age;
    ngx_table_elt_t  *etag;

    static ngx_str_t  cache = ngx_string("no-cache");

    age = ngx_vidcast_clock() - frame->captured;

    if (ngx_http_vidcast_add_header(r, "Cache-Control", &cache) != NGX_OK
        || ngx_http_vidcast_snapshot_add(r, "X-Vidcast-Frame", "%uL",
                                         frame->number)
           != NGX_OK
        || ngx_http_vidcast_snapshot_add(r, "X-Vidcast-Age", "%uL.%06uL",
                                         age / 1000000, age % 1000000)
           != NGX_OK
        || ngx_http_vidcast_snapshot_add(r, "X-Timestamp", "%uL.%06uL",
                                         frame->time / 1000000,
                                         frame->time % 1000000)
           != NGX_OK
        || ngx_http_vidcast_snapshot_add(r, "ETag", "\"%016xL-%uL\"",
                                         hub->zone->ring.shm->epoch,
                                         frame->number)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* the header added last; nginx compares it with If-None-Match */

    etag = r->headers_out.headers.last->elts;
    r->headers_out.etag = &etag[r->headers_out.headers.last->nelts - 1];

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = frame->size;

    ngx_str_set(&r->headers_out.content_type, "image/jpeg");
    r->headers_out.content_type_len = r->headers_out.content_type.len;

    return ngx_http_send_header(r);
}


static ngx_int_t
ngx_http_vidcast_snapshot_add(ngx_http_request_t *r, const char *name,
    const char *fmt, ...)
{
    u_char     *p;
    va_list     args;
    ngx_str_t   value;

    value.data = ngx_pnalloc(r->pool, 64);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    va_start(args, fmt);
    p = ngx_vslprintf(value.data, value.data + 64, fmt, args);
    va_end(args);

    value.len = p - value.data;

    return ngx_http_vidcast_add_header(r, name, &value);
}
