
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_WS_H_INCLUDED_
#define _NGX_VIDCAST_WS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast_string.h"


/* RFC 6455, the server's side: bytes in, events out; no connection here */


#define NGX_VIDCAST_WS_CONTINUATION    0x0
#define NGX_VIDCAST_WS_TEXT            0x1
#define NGX_VIDCAST_WS_BINARY          0x2
#define NGX_VIDCAST_WS_CLOSE           0x8
#define NGX_VIDCAST_WS_PING            0x9
#define NGX_VIDCAST_WS_PONG            0xa

#define NGX_VIDCAST_WS_RSV1            0x40  /* the message is compressed */

#define NGX_VIDCAST_WS_CLOSE_NORMAL    1000
#define NGX_VIDCAST_WS_CLOSE_AWAY      1001
#define NGX_VIDCAST_WS_CLOSE_PROTOCOL  1002
#define NGX_VIDCAST_WS_CLOSE_TYPE      1003
#define NGX_VIDCAST_WS_CLOSE_NO_CODE   1005
#define NGX_VIDCAST_WS_CLOSE_DATA      1007
#define NGX_VIDCAST_WS_CLOSE_POLICY    1008
#define NGX_VIDCAST_WS_CLOSE_TOO_BIG   1009
#define NGX_VIDCAST_WS_CLOSE_INTERNAL  1011
#define NGX_VIDCAST_WS_CLOSE_FULL      1013

#define NGX_VIDCAST_WS_MAX_HEADER      10    /* of a frame that is not masked */
#define NGX_VIDCAST_WS_MAX_CONTROL     125
#define NGX_VIDCAST_WS_ACCEPT_LEN      28


typedef struct {
    ngx_uint_t                   opcode;     /* never a continuation */
    u_char                      *data;       /* unmasked; reason of a close */
    size_t                       size;
    ngx_uint_t                   code;       /* of a close frame */
    unsigned                     first:1;    /* first chunk of its message */
    unsigned                     last:1;     /* last chunk of its message */
    unsigned                     compressed:1;  /* its message came with RSV1 */
} ngx_vidcast_ws_event_t;


/* resumable at every byte */

typedef struct {
    size_t                       max_message;  /* bytes over all fragments */

    uint64_t                     rest;         /* of the frame's payload */
    uint64_t                     message;      /* bytes of the message so far */
    ngx_uint_t                   state;
    ngx_uint_t                   code;         /* why it was refused */

    u_char                       mask[4];
    u_char                       nmask;        /* position in the mask, 0-3 */
    u_char                       opcode;       /* of the frame */
    u_char                       type;         /* of the message, 0: none */
    u_char                       nheader;
    u_char                       ncontrol;
    ngx_vidcast_utf8_t           utf8;         /* of a text */
    u_char                       header[14];
    u_char                       control[NGX_VIDCAST_WS_MAX_CONTROL];

    unsigned                     fin:1;
    unsigned                     fresh:1;      /* no chunk given out yet */
    unsigned                     compressed:1; /* the message has RSV1 */
    unsigned                     deflate:1;    /* set by the caller */
} ngx_vidcast_ws_reader_t;


void ngx_vidcast_ws_reader_init(ngx_vidcast_ws_reader_t *reader,
    size_t max_message);

/*
 * Reads from *pos to last and advances *pos.  Data is unmasked where it
 * stands, and given out chunk by chunk as it came: event->data points into
 * the input (control frames: into the reader) until the next call.
 *
 * NGX_OK        one event; call again, even when *pos == last
 * NGX_AGAIN     more bytes are needed, *pos == last
 * NGX_ERROR     the peer broke the protocol; reader->code is the close code:
 *               1002 framing, 1007 text that is not UTF-8, 1009 too big;
 *               told again by every further call
 *
 * An empty frame yields an event only where it ends its message, so that
 * the event with "last" may be of size 0, and the one with "first" is the
 * first to be given out, whichever fragment it came from.  Events of control
 * frames have both bits set.  What follows a close frame is dropped, as RFC
 * 6455, 1.4, asks for: all of it is taken, and NGX_AGAIN returned.
 *
 * Enforced: masked frames only, RSV bits zero, known opcodes, shortest form
 * of the length and its top bit zero, control frames whole and 125 bytes at
 * most, continuation only within a message and nothing but it, UTF-8 in text
 * and in close reasons (checked over chunk and fragment borders, fail-fast),
 * close codes that may be sent (RFC 6455, 7.4), a close body of one byte.
 * A length beyond max_message is refused from the header alone.
 * A close frame without a code is told as NGX_VIDCAST_WS_CLOSE_NO_CODE.
 *
 * With reader->deflate (of RFC 7692; set after the init) the first frame of a
 * message may have RSV1.  event->compressed is set then in all events of that
 * message, max_message counts bytes as they came, and its text is not checked:
 * the caller does, when it is inflated.
 */
ngx_int_t ngx_vidcast_ws_read(ngx_vidcast_ws_reader_t *reader, u_char **pos,
    u_char *last, ngx_vidcast_ws_event_t *event);

/*
 * Bytes of data, of the frame in hand, which come next; zero: none, or those
 * of a header or of a control frame do.
 */
uint64_t ngx_vidcast_ws_expected(ngx_vidcast_ws_reader_t *reader);

/* bytes that ngx_vidcast_ws_header() writes: 2, 4 or 10 */
size_t ngx_vidcast_ws_header_len(uint64_t size);

/*
 * Header of a whole (FIN) frame that is not masked; returns its end.
 * NGX_VIDCAST_WS_RSV1 may be OR-ed into the opcode.
 */
u_char *ngx_vidcast_ws_header(u_char *dst, ngx_uint_t opcode, uint64_t size);

/*
 * A whole close frame, at most 4 + 123 bytes; the reason (ASCII, may be NULL)
 * is cut to fit.  NGX_VIDCAST_WS_CLOSE_NO_CODE, which must not be sent, makes
 * a frame without a body.  Returns its end.
 */
u_char *ngx_vidcast_ws_close(u_char *dst, ngx_uint_t code, const char *reason);

/* Sec-WebSocket-Accept (RFC 6455, 4.2.2): NGX_VIDCAST_WS_ACCEPT_LEN bytes */
void ngx_vidcast_ws_accept(u_char *dst, ngx_str_t *key);

/* is "key" the base64 of 16 bytes?  NGX_OK or NGX_DECLINED */
ngx_int_t ngx_vidcast_ws_check_key(ngx_str_t *key);


#endif /* _NGX_VIDCAST_WS_H_INCLUDED_ */
