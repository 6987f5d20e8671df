
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_sha1.h>

#include "wire/ngx_vidcast_ws.h"


#define NGX_VIDCAST_WS_KEY_LEN         24

#define NGX_VIDCAST_WS_FIN            0x80
#define NGX_VIDCAST_WS_RSV            0x70
#define NGX_VIDCAST_WS_OPCODE         0x0f
#define NGX_VIDCAST_WS_MASKED         0x80
#define NGX_VIDCAST_WS_LENGTH         0x7f

#define NGX_VIDCAST_WS_LENGTH_16      126
#define NGX_VIDCAST_WS_LENGTH_64      127

#define ngx_vidcast_ws_is_control(opcode)  ((opcode) & 0x8)


typedef enum {
    ws_header = 0,
    ws_payload,
    ws_control,
    ws_closed,
    ws_failed
} ngx_vidcast_ws_state_e;


static ngx_int_t ngx_vidcast_ws_read_header(ngx_vidcast_ws_reader_t *reader,
    u_char **pos, u_char *last);
static ngx_int_t ngx_vidcast_ws_parse_opcode(ngx_vidcast_ws_reader_t *reader,
    u_char byte);
static ngx_int_t ngx_vidcast_ws_parse_length(ngx_vidcast_ws_reader_t *reader,
    u_char byte);
static ngx_int_t ngx_vidcast_ws_parse_extended(
    ngx_vidcast_ws_reader_t *reader);
static ngx_int_t ngx_vidcast_ws_check_length(ngx_vidcast_ws_reader_t *reader);
static void ngx_vidcast_ws_begin_payload(ngx_vidcast_ws_reader_t *reader);
static ngx_int_t ngx_vidcast_ws_read_payload(ngx_vidcast_ws_reader_t *reader,
    u_char **pos, u_char *last, ngx_vidcast_ws_event_t *event);
static ngx_int_t ngx_vidcast_ws_read_control(ngx_vidcast_ws_reader_t *reader,
    u_char **pos, u_char *last, ngx_vidcast_ws_event_t *event);
static ngx_int_t ngx_vidcast_ws_parse_close(ngx_vidcast_ws_reader_t *reader,
    ngx_vidcast_ws_event_t *event);
static ngx_uint_t ngx_vidcast_ws_code_allowed(ngx_uint_t code);
static ngx_int_t ngx_vidcast_ws_fail(ngx_vidcast_ws_reader_t *reader,
    ngx_uint_t code);
static void ngx_vidcast_ws_unmask(ngx_vidcast_ws_reader_t *reader,
    u_char *data, size_t size);


void
ngx_vidcast_ws_reader_init(ngx_vidcast_ws_reader_t *reader, size_t max_message)
{
    ngx_memzero(reader, sizeof(ngx_vidcast_ws_reader_t));

    reader->max_message = max_message;
}


ngx_int_t
ngx_vidcast_ws_read(ngx_vidcast_ws_reader_t *reader, u_char **pos,
    u_char *last, ngx_vidcast_ws_event_t *event)
{
    ngx_int_t  rc;

    for ( ;; ) {

        switch (reader->state) {

        case ws_header:
            rc = ngx_vidcast_ws_read_header(reader, pos, last);
            break;

        case ws_payload:
            rc = ngx_vidcast_ws_read_payload(reader, pos, last, event);
            break;

        case ws_control:
            rc = ngx_vidcast_ws_read_control(reader, pos, last, event);
            break;

        case ws_closed:
            *pos = last;
            return NGX_AGAIN;

        default: /* ws_failed */
            return NGX_ERROR;
        }

        if (rc != NGX_DECLINED) {
            return rc;
        }

        /* no event yet: the state has changed */
    }
}


uint64_t
ngx_vidcast_ws_expected(ngx_vidcast_ws_reader_t *reader)
{
    return (reader->state == ws_payload) ? reader->rest : 0;
}


static ngx_int_t
ngx_vidcast_ws_read_header(ngx_vidcast_ws_reader_t *reader, u_char **pos,
    u_char *last)
{
    u_char     byte;
    ngx_int_t  rc;

    /* each rule is applied as soon as its byte is there */

    while (*pos < last) {

        byte = *(*pos)++;

        reader->header[reader->nheader++] = byte;

        switch (reader->nheader) {

        case 1:
            rc = ngx_vidcast_ws_parse_opcode(reader, byte);
            break;

        case 2:
            rc = ngx_vidcast_ws_parse_length(reader, byte);
            break;

        default:
            rc = ngx_vidcast_ws_parse_extended(reader);
            break;
        }

        if (rc != NGX_AGAIN) {
            return rc;
        }
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_vidcast_ws_parse_opcode(ngx_vidcast_ws_reader_t *reader, u_char byte)
{
    u_char      opcode;
    ngx_uint_t  valid, rsv;

    opcode = byte & NGX_VIDCAST_WS_OPCODE;
    rsv = byte & NGX_VIDCAST_WS_RSV;

    switch (opcode) {

    case NGX_VIDCAST_WS_TEXT:
    case NGX_VIDCAST_WS_BINARY:
        valid = (reader->type == 0);

        if (valid) {
            reader->compressed = (reader->deflate
                                  && rsv == NGX_VIDCAST_WS_RSV1);
        }

        if (reader->compressed) {
            rsv = 0;
        }

        break;

    case NGX_VIDCAST_WS_CONTINUATION:
        valid = (reader->type != 0);
        break;

    case NGX_VIDCAST_WS_CLOSE:
    case NGX_VIDCAST_WS_PING:
    case NGX_VIDCAST_WS_PONG:
        valid = (byte & NGX_VIDCAST_WS_FIN);
        break;

    default:
        valid = 0;
        break;
    }

    if (!valid || rsv) {
        return ngx_vidcast_ws_fail(reader, NGX_VIDCAST_WS_CLOSE_PROTOCOL);
    }

    reader->opcode = opcode;
    reader->fin = (byte & NGX_VIDCAST_WS_FIN) ? 1 : 0;

    return NGX_AGAIN;
}


static ngx_int_t
ngx_vidcast_ws_parse_length(ngx_vidcast_ws_reader_t *reader, u_char byte)
{
    if (!(byte & NGX_VIDCAST_WS_MASKED)) {
        return ngx_vidcast_ws_fail(reader, NGX_VIDCAST_WS_CLOSE_PROTOCOL);
    }

    reader->rest = byte & NGX_VIDCAST_WS_LENGTH;

    if (ngx_vidcast_ws_is_control(reader->opcode)
        && reader->rest > NGX_VIDCAST_WS_MAX_CONTROL)
    {
        return ngx_vidcast_ws_fail(reader, NGX_VIDCAST_WS_CLOSE_PROTOCOL);
    }

    if (reader->rest >= NGX_VIDCAST_WS_LENGTH_16) {
        return NGX_AGAIN;
    }

    return ngx_vidcast_ws_check_length(reader);
}


static ngx_int_t
ngx_vidcast_ws_parse_extended(ngx_vidcast_ws_reader_t *reader)
{
    u_char      *p;
    uint64_t     length;
    ngx_uint_t   i, n;

    length = reader->header[1] & NGX_VIDCAST_WS_LENGTH;

    n = (length < NGX_VIDCAST_WS_LENGTH_16) ? 0
        : (length == NGX_VIDCAST_WS_LENGTH_16) ? 2 : 8;

    p = &reader->header[2];

    if (n && reader->nheader == 2 + n) {

        length = 0;

        for (i = 0; i < n; i++) {
            length = (length << 8) | p[i];
        }

        if (length < ((n == 2) ? NGX_VIDCAST_WS_LENGTH_16 : 65536)
            || length >> 63)
        {
            return ngx_vidcast_ws_fail(reader, NGX_VIDCAST_WS_CLOSE_PROTOCOL);
        }

        reader->rest = length;

        return ngx_vidcast_ws_check_length(reader);
    }

    if (reader->nheader == 2 + n + 4) {
        ngx_memcpy(reader->mask, p + n, 4);
        ngx_vidcast_ws_begin_payload(reader);

        return NGX_DECLINED;
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_vidcast_ws_check_length(ngx_vidcast_ws_reader_t *reader)
{
    /* reader->message never exceeds max_message */

    if (!ngx_vidcast_ws_is_control(reader->opcode)
        && reader->rest > reader->max_message - reader->message)
    {
        return ngx_vidcast_ws_fail(reader, NGX_VIDCAST_WS_CLOSE_TOO_BIG);
    }

    return NGX_AGAIN;
}


static void
ngx_vidcast_ws_begin_payload(ngx_vidcast_ws_reader_t *reader)
{
    reader->nheader = 0;
    reader->nmask = 0;

    if (ngx_vidcast_ws_is_control(reader->opcode)) {
        reader->ncontrol = 0;
        reader->state = ws_control;
        return;
    }

    if (reader->type == 0) {
        reader->type = reader->opcode;
        reader->fresh = 1;
    }

    reader->message += reader->rest;
    reader->state = ws_payload;
}


static ngx_int_t
ngx_vidcast_ws_read_payload(ngx_vidcast_ws_reader_t *reader, u_char **pos,
    u_char *last, ngx_vidcast_ws_event_t *event)
{
    size_t      size;
    u_char     *data;
    ngx_uint_t  end;

    data = *pos;
    size = last - data;

    if (size >= reader->rest) {
        size = (size_t) reader->rest;
        reader->state = ws_header;

    } else if (size == 0) {
        return NGX_AGAIN;
    }

    reader->rest -= size;
    *pos += size;

    end = (reader->state == ws_header && reader->fin);

    if (size == 0 && !end) {
        return NGX_DECLINED;
    }

    ngx_vidcast_ws_unmask(reader, data, size);

    if (reader->type == NGX_VIDCAST_WS_TEXT && !reader->compressed) {

        if (ngx_vidcast_utf8_read(&reader->utf8, data, size) != NGX_OK
            || (end && reader->utf8.need))
        {
            return ngx_vidcast_ws_fail(reader, NGX_VIDCAST_WS_CLOSE_DATA);
        }
    }

    event->opcode = reader->type;
    event->data = data;
    event->size = size;
    event->code = 0;
    event->first = reader->fresh;
    event->last = end ? 1 : 0;
    event->compressed = reader->compressed;

    reader->fresh = 0;

    if (end) {
        reader->type = 0;
        reader->message = 0;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_ws_read_control(ngx_vidcast_ws_reader_t *reader, u_char **pos,
    u_char *last, ngx_vidcast_ws_event_t *event)
{
    size_t   size;
    u_char  *data;

    /* collected, as the answer needs it whole */

    size = ngx_min((size_t) (last - *pos), (size_t) reader->rest);
    data = &reader->control[reader->ncontrol];

    ngx_memcpy(data, *pos, size);
    ngx_vidcast_ws_unmask(reader, data, size);

    reader->ncontrol += (u_char) size;
    reader->rest -= size;
    *pos += size;

    if (reader->rest) {
        return NGX_AGAIN;
    }

    reader->state = ws_header;

    event->opcode = reader->opcode;
    event->data = reader->control;
    event->size = reader->ncontrol;
    event->code = 0;
    event->first = 1;
    event->last = 1;
    event->compressed = 0;

    if (reader->opcode == NGX_VIDCAST_WS_CLOSE) {
        return ngx_vidcast_ws_parse_close(reader, event);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_ws_parse_close(ngx_vidcast_ws_reader_t *reader,
    ngx_vidcast_ws_event_t *event)
{
    reader->state = ws_closed;

    if (event->size == 0) {
        event->code = NGX_VIDCAST_WS_CLOSE_NO_CODE;
        return NGX_OK;
    }

    if (event->size == 1) {
        return ngx_vidcast_ws_fail(reader, NGX_VIDCAST_WS_CLOSE_PROTOCOL);
    }

    event->code = (event->data[0] << 8) | event->data[1];
    event->data += 2;
    event->size -= 2;

    if (!ngx_vidcast_ws_code_allowed(event->code)) {
        return ngx_vidcast_ws_fail(reader, NGX_VIDCAST_WS_CLOSE_PROTOCOL);
    }

    /* the message that was being sent, if any, ends here, so does its text */

    reader->utf8.need = 0;

    if (ngx_vidcast_utf8_read(&reader->utf8, event->data, event->size) != NGX_OK
        || reader->utf8.need)
    {
        return ngx_vidcast_ws_fail(reader, NGX_VIDCAST_WS_CLOSE_DATA);
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_vidcast_ws_code_allowed(ngx_uint_t code)
{
    /* RFC 6455, 7.4, and the IANA registry, where 1012-1014 were added */

    if (code >= 3000) {
        return (code < 5000);
    }

    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}


static ngx_int_t
ngx_vidcast_ws_fail(ngx_vidcast_ws_reader_t *reader, ngx_uint_t code)
{
    reader->state = ws_failed;
    reader->code = code;

    return NGX_ERROR;
}


static void
ngx_vidcast_ws_unmask(ngx_vidcast_ws_reader_t *reader, u_char *data,
    size_t size)
{
    u_char      key[8], *end;
    uint64_t    mask, a, b, c, d;
    ngx_uint_t  i;

    /* the key is rotated to where the last chunk ended; 8 is 2 periods */

    for (i = 0; i < 8; i++) {
        key[i] = reader->mask[(reader->nmask + i) & 3];
    }

    reader->nmask = (u_char) ((reader->nmask + size) & 3);

    ngx_memcpy(&mask, key, 8);

    end = data + size;

    /* four variables: an array is written to the stack as well */

    while (end - data >= 32) {
        ngx_memcpy(&a, data, 8);
        ngx_memcpy(&b, data + 8, 8);
        ngx_memcpy(&c, data + 16, 8);
        ngx_memcpy(&d, data + 24, 8);

        a ^= mask;
        b ^= mask;
        c ^= mask;
        d ^= mask;

        ngx_memcpy(data, &a, 8);
        ngx_memcpy(data + 8, &b, 8);
        ngx_memcpy(data + 16, &c, 8);
        ngx_memcpy(data + 24, &d, 8);

        data += 32;
    }

    while (end - data >= 8) {
        ngx_memcpy(&a, data, 8);
        a ^= mask;
        ngx_memcpy(data, &a, 8);
        data += 8;
    }

    for (i = 0; data < end; i++) {
        *data++ ^= key[i];
    }
}


size_t
ngx_vidcast_ws_header_len(uint64_t size)
{
    if (size < NGX_VIDCAST_WS_LENGTH_16) {
        return 2;
    }

    return (size < 65536) ? 4 : 10;
}


u_char *
ngx_vidcast_ws_header(u_char *dst, ngx_uint_t opcode, uint64_t size)
{
    ngx_int_t  shift;

    *dst++ = (u_char) (NGX_VIDCAST_WS_FIN | opcode);

    if (size < NGX_VIDCAST_WS_LENGTH_16) {
        *dst++ = (u_char) size;
        return dst;
    }

    if (size < 65536) {
        *dst++ = NGX_VIDCAST_WS_LENGTH_16;
        shift = 8;

    } else {
        *dst++ = NGX_VIDCAST_WS_LENGTH_64;
        shift = 56;
    }

    for ( /* void */ ; shift >= 0; shift -= 8) {
        *dst++ = (u_char) (size >> shift);
    }

    return dst;
}


u_char *
ngx_vidcast_ws_close(u_char *dst, ngx_uint_t code, const char *reason)
{
    size_t  len;

    if (reason == NULL) {
        reason = "";
    }

    if (code == NGX_VIDCAST_WS_CLOSE_NO_CODE) {
        return ngx_vidcast_ws_header(dst, NGX_VIDCAST_WS_CLOSE, 0);
    }

    len = ngx_min(ngx_strlen(reason), NGX_VIDCAST_WS_MAX_CONTROL - 2);

    dst = ngx_vidcast_ws_header(dst, NGX_VIDCAST_WS_CLOSE, 2 + len);

    *dst++ = (u_char) (code >> 8);
    *dst++ = (u_char) code;

    return ngx_cpymem(dst, reason, len);
}


void
ngx_vidcast_ws_accept(u_char *dst, ngx_str_t *key)
{
    u_char      hash[20];
    ngx_str_t   src, accept;
    ngx_sha1_t  sha1;

    static const u_char  guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    ngx_sha1_init(&sha1);
    ngx_sha1_update(&sha1, key->data, key->len);
    ngx_sha1_update(&sha1, guid, sizeof(guid) - 1);
    ngx_sha1_final(hash, &sha1);

    src.len = sizeof(hash);
    src.data = hash;

    accept.data = dst;

    ngx_encode_base64(&accept, &src);
}


ngx_int_t
ngx_vidcast_ws_check_key(ngx_str_t *key)
{
    u_char     nonce[ngx_base64_decoded_length(NGX_VIDCAST_WS_KEY_LEN)];
    ngx_str_t  decoded;

    /* the decoder stops at the first "=" and does without the padding */

    if (key->len != NGX_VIDCAST_WS_KEY_LEN
        || key->data[NGX_VIDCAST_WS_KEY_LEN - 1] != '=')
    {
        return NGX_DECLINED;
    }

    decoded.data = nonce;

    if (ngx_decode_base64(&decoded, key) != NGX_OK || decoded.len != 16) {
        return NGX_DECLINED;
    }

    return NGX_OK;
}
