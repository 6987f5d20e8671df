
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_DEFLATE_H_INCLUDED_
#define _NGX_VIDCAST_DEFLATE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * RFC 7692, permessage-deflate, the server's side, without context takeover
 * in both directions: no state is kept between messages, so one compressed
 * message serves all viewers with the same window.
 */


#define NGX_VIDCAST_DEFLATE_MIN_BITS  9
#define NGX_VIDCAST_DEFLATE_MAX_BITS  15
#define NGX_VIDCAST_DEFLATE_ANSWER    128


typedef struct {
    ngx_uint_t  bits;        /* of the window of what we send, 9-15 */
    size_t      answer_len;
    u_char      answer[NGX_VIDCAST_DEFLATE_ANSWER];
} ngx_vidcast_deflate_t;


/* a message that is inflated as it comes */

typedef struct ngx_vidcast_inflate_s  ngx_vidcast_inflate_t;


/*
 * Takes the first offer that can be kept of one Sec-WebSocket-Extensions
 * value; a request may have several such headers, tried in their order.
 *
 * NGX_OK        deflate->answer is the value of the response's header (not
 *               terminated), deflate->bits is for ngx_vidcast_deflate()
 * NGX_DECLINED  none; "deflate" is untouched
 *
 * An offer with anything in it that is unknown, twice there, out of range or
 * not to be parsed is passed over, as is a window of 8 bits, which zlib does
 * not make; other extensions are passed over, too.
 */
ngx_int_t ngx_vidcast_deflate_negotiate(ngx_str_t *value,
    ngx_vidcast_deflate_t *deflate);

/* room that the payload of any message of "size" bytes fits in */
size_t ngx_vidcast_deflate_bound(size_t size);

/*
 * Makes the payload of a message (to be sent with RSV1) in the caller's
 * buffer: out->len is its room, 5 bytes more than the payload at least, and
 * becomes the size of the payload, which is never zero.
 *
 * NGX_OK
 * NGX_DECLINED  it does not fit; with out->len of in->len + 4 that means
 *               "does not get smaller": send the message as it is
 * NGX_ERROR     no memory (only at the first message with these bits)
 */
ngx_int_t ngx_vidcast_deflate(ngx_str_t *in, ngx_uint_t bits, ngx_str_t *out);

/*
 * Restores a message from the payload of all its frames; text is not checked,
 * see ngx_vidcast_utf8_check().
 *
 * NGX_OK        out->data is there until ngx_vidcast_inflate_end(), which is
 *               to be called, or the next message
 * NGX_DECLINED  it has more than "limit" bytes: 1009
 * NGX_ERROR     this is not what deflate makes, or not all of it: 1007
 * NGX_ABORT     no memory: 1011
 *
 * "out" is set with NGX_OK only.
 */
ngx_int_t ngx_vidcast_inflate(ngx_str_t *in, size_t limit, ngx_str_t *out);
void ngx_vidcast_inflate_end(void);

/*
 * The same for a message of which a part is here: begin(), NULL: no memory,
 * add() for each part, last() for what came out, which is there until free().
 * They return as above; after anything but NGX_OK only free() may follow.
 */
ngx_vidcast_inflate_t *ngx_vidcast_inflate_begin(size_t limit);
ngx_int_t ngx_vidcast_inflate_add(ngx_vidcast_inflate_t *message,
    ngx_str_t *in);
ngx_int_t ngx_vidcast_inflate_last(ngx_vidcast_inflate_t *message,
    ngx_str_t *out);
void ngx_vidcast_inflate_free(ngx_vidcast_inflate_t *message);

/* frees what was kept for the next message */
void ngx_vidcast_deflate_done(void);


#endif /* _NGX_VIDCAST_DEFLATE_H_INCLUDED_ */
