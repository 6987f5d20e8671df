
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


struct ngx_vidcast_inflate_s {
    z_stream    stream;
    u_char     *data;
    size_t      size;
    size_t      allocated;
    size_t      max;             /* one byte more than is allowed */
    ngx_uint_t  ready;           /* the stream */
};


static z_stream *ngx_vidcast_deflate_stream(ngx_uint_t bits);
static ngx_int_t ngx_vidcast_inflate_reset(ngx_vidcast_inflate_t *message,
    size_t limit);
static ngx_int_t ngx_vidcast_inflate_feed(ngx_vidcast_inflate_t *message,
    u_char *data, size_t size);
static ngx_int_t ngx_vidcast_inflate_step(ngx_vidcast_inflate_t *message);
static ngx_int_t ngx_vidcast_inflate_restart(ngx_vidcast_inflate_t *message);
static ngx_int_t ngx_vidcast_inflate_room(ngx_vidcast_inflate_t *message);
static void ngx_vidcast_inflate_forget(ngx_vidcast_inflate_t *message);


/* of this process; made when first needed, and kept */

static z_stream    ngx_vidcast_deflate_streams[NGX_VIDCAST_DEFLATE_STREAMS];
static ngx_uint_t  ngx_vidcast_deflate_ready[NGX_VIDCAST_DEFLATE_STREAMS];

static ngx_vidcast_inflate_t  ngx_vidcast_inflate_one;


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
    ngx_int_t               rc;
    ngx_vidcast_inflate_t  *message;

    message = &ngx_vidcast_inflate_one;

    rc = ngx_vidcast_inflate_reset(message, limit);

    if (rc == NGX_OK) {
        rc = ngx_vidcast_inflate_add(message, in);
    }

    if (rc == NGX_OK) {
        rc = ngx_vidcast_inflate_last(message, out);
    }

    if (rc != NGX_OK) {
        ngx_vidcast_inflate_end();
    }

    return rc;
}


void
ngx_vidcast_inflate_end(void)
{
    if (ngx_vidcast_inflate_one.allocated > NGX_VIDCAST_INFLATE_KEPT) {
        ngx_vidcast_inflate_forget(&ngx_vidcast_inflate_one);
    }
}


ngx_vidcast_inflate_t *
ngx_vidcast_inflate_begin(size_t limit)
{
    ngx_vidcast_inflate_t  *message;

    message = ngx_calloc(sizeof(ngx_vidcast_inflate_t), ngx_cycle->log);
    if (message == NULL) {
        return NULL;
    }

    if (ngx_vidcast_inflate_reset(message, limit) != NGX_OK) {
        ngx_free(message);
        return NULL;
    }

    return message;
}


static ngx_int_t
ngx_vidcast_inflate_reset(ngx_vidcast_inflate_t *message, size_t limit)
{
    message->size = 0;
    message->max = ngx_min(limit, NGX_MAX_INT32_VALUE) + 1;

    if (message->ready) {
        (void) inflateReset(&message->stream);
        return NGX_OK;
    }

    if (inflateInit2(&message->stream, -NGX_VIDCAST_DEFLATE_MAX_BITS) != Z_OK) {
        return NGX_ABORT;
    }

    message->ready = 1;

    return NGX_OK;
}


ngx_int_t
ngx_vidcast_inflate_add(ngx_vidcast_inflate_t *message, ngx_str_t *in)
{
    if (in->len > NGX_MAX_INT32_VALUE) {
        return NGX_DECLINED;
    }

    return ngx_vidcast_inflate_feed(message, in->data, in->len);
}


ngx_int_t
ngx_vidcast_inflate_last(ngx_vidcast_inflate_t *message, ngx_str_t *out)
{
    size_t     size;
    ngx_int_t  rc;

    static u_char  tail[] = { 0x00, 0x00, 0xff, 0xff };

    /*
     * A message that ends with a final block, or has no byte at all, is short
     * of the one that the tail completes: that is forgiven
     */

    if (message->stream.total_in) {
        size = message->size;

        rc = ngx_vidcast_inflate_feed(message, tail, sizeof(tail));

        if (rc != NGX_OK) {
            return rc;
        }

        /* the tail ends a block, it is no data */

        if (message->stream.data_type != NGX_VIDCAST_DEFLATE_COMPLETE
            || message->size != size)
        {
            return NGX_ERROR;
        }
    }

    if (message->size == message->max) {
        return NGX_DECLINED;
    }

    out->data = message->data;
    out->len = message->size;

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_inflate_feed(ngx_vidcast_inflate_t *message, u_char *data,
    size_t size)
{
    ngx_int_t  rc;

    message->stream.next_in = data;
    message->stream.avail_in = (uInt) size;

    do {
        rc = ngx_vidcast_inflate_step(message);

        if (rc != NGX_OK) {
            return rc;
        }

    } while (message->stream.avail_in || message->stream.avail_out == 0);

    return NGX_OK;
}


/* never without room for output: what is left in zlib would not be seen */

static ngx_int_t
ngx_vidcast_inflate_step(ngx_vidcast_inflate_t *message)
{
    int        rc;
    z_stream  *stream;
    ngx_int_t  room;

    room = ngx_vidcast_inflate_room(message);
    if (room != NGX_OK) {
        return room;
    }

    stream = &message->stream;

    stream->next_out = message->data + message->size;
    stream->avail_out = (uInt) (ngx_min(message->allocated, message->max)
                                - message->size);

    rc = inflate(stream, Z_SYNC_FLUSH);

    message->size = stream->next_out - message->data;

    switch (rc) {

    case Z_OK:
    case Z_BUF_ERROR:
        return NGX_OK;

    case Z_STREAM_END:
        return ngx_vidcast_inflate_restart(message);

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
ngx_vidcast_inflate_restart(ngx_vidcast_inflate_t *message)
{
    size_t  size;

    (void) inflateReset(&message->stream);

    size = ngx_min(message->size, NGX_VIDCAST_DEFLATE_WINDOW);

    if (size
        && inflateSetDictionary(&message->stream,
                                message->data + message->size - size,
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
ngx_vidcast_inflate_room(ngx_vidcast_inflate_t *message)
{
    size_t   size;
    u_char  *data;

    if (message->size == message->max) {
        return NGX_DECLINED;
    }

    if (message->size < message->allocated) {
        return NGX_OK;
    }

    size = ngx_max(message->allocated * 2, NGX_VIDCAST_DEFLATE_MIN_OUTPUT);

    data = ngx_alloc(size, ngx_cycle->log);
    if (data == NULL) {
        return NGX_ABORT;
    }

    if (message->data) {
        ngx_memcpy(data, message->data, message->size);
        ngx_free(message->data);
    }

    message->data = data;
    message->allocated = size;

    return NGX_OK;
}


void
ngx_vidcast_inflate_free(ngx_vidcast_inflate_t *message)
{
    (void) inflateEnd(&message->stream);

    ngx_vidcast_inflate_forget(message);
    ngx_free(message);
}


static void
ngx_vidcast_inflate_forget(ngx_vidcast_inflate_t *message)
{
    if (message->data) {
        ngx_free(message->data);
        message->data = NULL;
        message->allocated = 0;
    }
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

    if (ngx_vidcast_inflate_one.ready) {
        (void) inflateEnd(&ngx_vidcast_inflate_one.stream);
        ngx_vidcast_inflate_one.ready = 0;
    }

    ngx_vidcast_inflate_forget(&ngx_vidcast_inflate_one);
}
