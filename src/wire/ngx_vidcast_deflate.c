
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <zlib.h>
#include "wire/ngx_vidcast_deflate.h"


#define NGX_VIDCAST_DEFLATE_WINDOW      32768
#define NGX_VIDCAST_DEFLATE_TAIL        4
#define NGX_VIDCAST_DEFLATE_MIN_OUTPUT  512

/* the most that is kept for the next message to be inflated to */
#define NGX_VIDCAST_INFLATE_KEPT        2097152

#define NGX_VIDCAST_DEFLATE_STREAMS                                           \
    (NGX_VIDCAST_DEFLATE_MAX_BITS - NGX_VIDCAST_DEFLATE_MIN_BITS + 1)

/* data_type, as zlib.h has it, between two blocks and at a byte's border */
#define NGX_VIDCAST_DEFLATE_COMPLETE    128


typedef struct {
    u_char  *data;
    size_t   size;
    size_t   allocated;
    size_t   max;             /* one byte more than is allowed */
} ngx_vidcast_inflate_output_t;


static z_stream *ngx_vidcast_deflate_stream(ngx_uint_t bits);
static z_stream *ngx_vidcast_inflate_stream(void);
static ngx_int_t ngx_vidcast_inflate_run(z_stream *stream, ngx_str_t *in,
    ngx_vidcast_inflate_output_t *output);
static ngx_int_t ngx_vidcast_inflate_feed(z_stream *stream, u_char *data,
    size_t size, ngx_vidcast_inflate_output_t *output);
static ngx_int_t ngx_vidcast_inflate_step(z_stream *stream,
    ngx_vidcast_inflate_output_t *output);
static ngx_int_t ngx_vidcast_inflate_restart(z_stream *stream,
    ngx_vidcast_inflate_output_t *output);
static ngx_int_t ngx_vidcast_inflate_room(
    ngx_vidcast_inflate_output_t *output);


/* of this process; made when first needed, and kept */

static z_stream    ngx_vidcast_deflate_streams[NGX_VIDCAST_DEFLATE_STREAMS];
static ngx_uint_t  ngx_vidcast_deflate_ready[NGX_VIDCAST_DEFLATE_STREAMS];

static z_stream    ngx_vidcast_inflate_one;
static ngx_uint_t  ngx_vidcast_inflate_ready;

static ngx_vidcast_inflate_output_t  ngx_vidcast_inflate_output;


size_t
ngx_vidcast_deflate_bound(size_t size)
{
    /* zlib's own bound for any parameters, and the flush at the end */

    return size + (size >> 3) + (size >> 6) + (size >> 8) + 32;
}


ngx_int_t
ngx_vidcast_deflate(ngx_str_t *in, ngx_uint_t bits, ngx_str_t *out)
{
    z_stream  *stream;

    if (out->len == 0 || in->len > NGX_MAX_INT32_VALUE) {
        return NGX_DECLINED;
    }

    if (in->len == 0) {
        out->data[0] = 0;
        out->len = 1;
        return NGX_OK;
    }

    stream = ngx_vidcast_deflate_stream(bits);
    if (stream == NULL) {
        return NGX_ERROR;
    }

    (void) deflateReset(stream);

    stream->next_in = in->data;
    stream->avail_in = (uInt) in->len;
    stream->next_out = out->data;
    stream->avail_out = (uInt) ngx_min(out->len, NGX_MAX_INT32_VALUE);

    (void) deflate(stream, Z_SYNC_FLUSH);

    if (stream->avail_out == 0) {
        return NGX_DECLINED;
    }

    out->len = stream->next_out - out->data - NGX_VIDCAST_DEFLATE_TAIL;

    return NGX_OK;
}


static z_stream *
ngx_vidcast_deflate_stream(ngx_uint_t bits)
{
    z_stream    *stream;
    ngx_uint_t   n;

    n = bits - NGX_VIDCAST_DEFLATE_MIN_BITS;
    stream = &ngx_vidcast_deflate_streams[n];

    if (!ngx_vidcast_deflate_ready[n]) {

        /* of results, more effort saves a twentieth and takes twice the time */

        if (deflateInit2(stream, Z_BEST_SPEED, Z_DEFLATED, -(int) bits, 8,
                         Z_DEFAULT_STRATEGY)
            != Z_OK)
        {
            return NULL;
        }

        ngx_vidcast_deflate_ready[n] = 1;
    }

    return stream;
}


ngx_int_t
ngx_vidcast_inflate(ngx_str_t *in, size_t limit, ngx_str_t *out)
{
    z_stream                      *stream;
    ngx_int_t                      rc;
    ngx_vidcast_inflate_output_t  *output;

    if (in->len > NGX_MAX_INT32_VALUE) {
        return NGX_DECLINED;
    }

    stream = ngx_vidcast_inflate_stream();
    if (stream == NULL) {
        return NGX_ABORT;
    }

    output = &ngx_vidcast_inflate_output;

    output->size = 0;
    output->max = ngx_min(limit, NGX_MAX_INT32_VALUE) + 1;

    rc = ngx_vidcast_inflate_run(stream, in, output);

    if (rc == NGX_OK && output->size == output->max) {
        rc = NGX_DECLINED;
    }

    if (rc != NGX_OK) {
        ngx_vidcast_inflate_end();
        return rc;
    }

    out->data = output->data;
    out->len = output->size;

    return NGX_OK;
}


void
ngx_vidcast_inflate_end(void)
{
    ngx_vidcast_inflate_output_t  *output;

    output = &ngx_vidcast_inflate_output;

    if (output->allocated > NGX_VIDCAST_INFLATE_KEPT) {
        ngx_free(output->data);
        output->data = NULL;
        output->allocated = 0;
    }
}


static z_stream *
ngx_vidcast_inflate_stream(void)
{
    z_stream  *stream;

    stream = &ngx_vidcast_inflate_one;

    if (ngx_vidcast_inflate_ready) {
        (void) inflateReset(stream);
        return stream;
    }

    if (inflateInit2(stream, -NGX_VIDCAST_DEFLATE_MAX_BITS) != Z_OK) {
        return NULL;
    }

    ngx_vidcast_inflate_ready = 1;

    return stream;
}


static ngx_int_t
ngx_vidcast_inflate_run(z_stream *stream, ngx_str_t *in,
    ngx_vidcast_inflate_output_t *output)
{
    size_t     size;
    ngx_int_t  rc;

    static u_char  tail[] = { 0x00, 0x00, 0xff, 0xff };

    rc = ngx_vidcast_inflate_feed(stream, in->data, in->len, output);

    /*
     * A message that ends with a final block, or has no byte at all, is short
     * of the one that the tail completes: that is forgiven
     */

    if (rc != NGX_OK || stream->total_in == 0) {
        return rc;
    }

    size = output->size;

    rc = ngx_vidcast_inflate_feed(stream, tail, sizeof(tail), output);

    if (rc != NGX_OK) {
        return rc;
    }

    /* the tail ends a block, it is no data */

    if (stream->data_type != NGX_VIDCAST_DEFLATE_COMPLETE
        || output->size != size)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_inflate_feed(z_stream *stream, u_char *data, size_t size,
    ngx_vidcast_inflate_output_t *output)
{
    ngx_int_t  rc;

    stream->next_in = data;
    stream->avail_in = (uInt) size;

    do {
        rc = ngx_vidcast_inflate_step(stream, output);

        if (rc != NGX_OK) {
            return rc;
        }

    } while (stream->avail_in || stream->avail_out == 0);

    return NGX_OK;
}


/* never without room for output: what is left in zlib would not be seen */

static ngx_int_t
ngx_vidcast_inflate_step(z_stream *stream,
    ngx_vidcast_inflate_output_t *output)
{
    int        rc;
    ngx_int_t  room;

    room = ngx_vidcast_inflate_room(output);
    if (room != NGX_OK) {
        return room;
    }

    stream->next_out = output->data + output->size;
    stream->avail_out = (uInt) (ngx_min(output->allocated, output->max)
                                - output->size);

    rc = inflate(stream, Z_SYNC_FLUSH);

    output->size = stream->next_out - output->data;

    switch (rc) {

    case Z_OK:
    case Z_BUF_ERROR:
        return NGX_OK;

    case Z_STREAM_END:
        return ngx_vidcast_inflate_restart(stream, output);

    case Z_MEM_ERROR:
        return NGX_ABORT;

    default:
        return NGX_ERROR;
    }
}


/*
 * RFC 7692, 7.2.3.4: after a final block others may follow, from the next
 * byte on.  The window is the message's, not zlib's.
 */

static ngx_int_t
ngx_vidcast_inflate_restart(z_stream *stream,
    ngx_vidcast_inflate_output_t *output)
{
    size_t  size;

    (void) inflateReset(stream);

    size = ngx_min(output->size, NGX_VIDCAST_DEFLATE_WINDOW);

    if (size
        && inflateSetDictionary(stream, output->data + output->size - size,
                                (uInt) size)
           != Z_OK)
    {
        return NGX_ABORT;
    }

    return NGX_OK;
}


/*
 * The room of one message serves the next: that of a large one, made anew,
 * would cost more than to inflate it
 */

static ngx_int_t
ngx_vidcast_inflate_room(ngx_vidcast_inflate_output_t *output)
{
    size_t   size;
    u_char  *data;

    if (output->size == output->max) {
        return NGX_DECLINED;
    }

    if (output->size < output->allocated) {
        return NGX_OK;
    }

    size = ngx_max(output->allocated * 2, NGX_VIDCAST_DEFLATE_MIN_OUTPUT);

    data = ngx_alloc(size, ngx_cycle->log);
    if (data == NULL) {
        return NGX_ABORT;
    }

    if (output->data) {
        ngx_memcpy(data, output->data, output->size);
        ngx_free(output->data);
    }

    output->data = data;
    output->allocated = size;

    return NGX_OK;
}


void
ngx_vidcast_deflate_done(void)
{
    ngx_uint_t  n;

    for (n = 0; n < NGX_VIDCAST_DEFLATE_STREAMS; n++) {

        if (ngx_vidcast_deflate_ready[n]) {
            (void) deflateEnd(&ngx_vidcast_deflate_streams[n]);
            ngx_vidcast_deflate_ready[n] = 0;
        }
    }

    if (ngx_vidcast_inflate_ready) {
        (void) inflateEnd(&ngx_vidcast_inflate_one);
        ngx_vidcast_inflate_ready = 0;
    }

    if (ngx_vidcast_inflate_output.data) {
        ngx_free(ngx_vidcast_inflate_output.data);
        ngx_vidcast_inflate_output.data = NULL;
        ngx_vidcast_inflate_output.allocated = 0;
    }
}
