
/*
 * Copyright (C) vidcast contributors
 */


/*
 * permessage-deflate: offers and payloads of any kind.
 *
 * An input: a byte whose low bits choose (0: an offer, 1: a payload, 2 and 3:
 * a message) and whose high ones are a window, two bytes of a limit, and the
 * text.
 */

#include "wire/ngx_vidcast_deflate.c"
#include "wire/ngx_vidcast_deflate_offer.c"
#include "fuzz.h"


#define FUZZ_HEAD  3
#define FUZZ_MAX   (4 * 1024 * 1024)


static void fuzz_offer(ngx_str_t *text);
static void fuzz_payload(ngx_str_t *text, ngx_uint_t bits, size_t limit);
static void fuzz_parts(ngx_str_t *text, size_t limit, ngx_int_t wanted,
    ngx_str_t *all);
static void fuzz_message(ngx_str_t *text, ngx_uint_t bits, size_t room);
static ngx_uint_t fuzz_same(ngx_str_t *one, ngx_str_t *two);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t      limit;
    ngx_str_t   text;
    ngx_uint_t  bits;

    if (size < FUZZ_HEAD) {
        return 0;
    }

    bits = 9 + (data[0] >> 2) % 7;
    limit = data[1] << 8 | data[2];

    text.len = size - FUZZ_HEAD;
    text.data = fuzz_copy(data + FUZZ_HEAD, text.len);

    switch (data[0] & 3) {

    case 0:
        fuzz_offer(&text);
        break;

    case 1:
        fuzz_payload(&text, bits, limit);
        break;

    default:
        fuzz_message(&text, bits, limit);
        break;
    }

    free(text.data);

    return 0;
}


/* an answer is an offer, too, of which nothing is left out */

static void
fuzz_offer(ngx_str_t *text)
{
    ngx_str_t               answer;
    ngx_vidcast_deflate_t   deflate, again;

    memset(&deflate, 0x5a, sizeof(deflate));

    if (ngx_vidcast_deflate_negotiate(text, &deflate) != NGX_OK) {
        fuzz_check(deflate.answer_len == 0x5a5a5a5a5a5a5a5a);
        return;
    }

    fuzz_check(deflate.bits >= 9 && deflate.bits <= 15);
    fuzz_check(deflate.answer_len < NGX_VIDCAST_DEFLATE_ANSWER);

    answer.len = deflate.answer_len;
    answer.data = fuzz_copy(deflate.answer, answer.len);

    fuzz_check(ngx_vidcast_deflate_negotiate(&answer, &again) == NGX_OK);
    fuzz_check(again.bits == deflate.bits
               && again.answer_len == deflate.answer_len
               && memcmp(again.answer, deflate.answer, again.answer_len) == 0);

    free(answer.data);
}


static void
fuzz_payload(ngx_str_t *text, ngx_uint_t bits, size_t limit)
{
    ngx_int_t  rc;
    ngx_str_t  out, again;

    rc = ngx_vidcast_inflate(text, limit, &out);

    fuzz_parts(text, limit, rc, &out);

    if (rc == NGX_DECLINED) {
        rc = ngx_vidcast_inflate(text, FUZZ_MAX, &again);

        fuzz_check(rc != NGX_OK || again.len > limit);

        ngx_vidcast_inflate_end();

        return;
    }

    if (rc == NGX_ERROR) {
        fuzz_check(ngx_vidcast_inflate(text, limit, &again) == NGX_ERROR);
        return;
    }

    fuzz_check(rc == NGX_OK && out.len <= limit);

    /* that place is the next message's */

    out.data = fuzz_copy(out.data, out.len);

    fuzz_check(ngx_vidcast_inflate(text, out.len, &again) == NGX_OK);
    fuzz_check(fuzz_same(&out, &again));

    if (out.len) {
        fuzz_check(ngx_vidcast_inflate(text, out.len - 1, &again)
                   == NGX_DECLINED);
    }

    fuzz_message(&out, bits, limit);

    free(out.data);
}


/* in parts it is the same; what is both too big and garbage may be either */

static void
fuzz_parts(ngx_str_t *text, size_t limit, ngx_int_t wanted, ngx_str_t *all)
{
    size_t                  size;
    ngx_int_t               rc;
    ngx_str_t               in, out;
    ngx_vidcast_inflate_t  *message;

    message = ngx_vidcast_inflate_begin(limit);
    fuzz_check(message != NULL);

    size = 0;

    do {
        in.len = ngx_min(1 + limit % 97, text->len - size);
        in.data = fuzz_copy(text->data + size, in.len);

        rc = ngx_vidcast_inflate_add(message, &in);

        free(in.data);
        size += in.len;

    } while (rc == NGX_OK && size < text->len);

    if (rc == NGX_OK) {
        rc = ngx_vidcast_inflate_last(message, &out);
    }

    fuzz_check((rc == NGX_OK) == (wanted == NGX_OK));
    fuzz_check(rc != NGX_OK || fuzz_same(all, &out));

    ngx_vidcast_inflate_free(message);
}


static void
fuzz_message(ngx_str_t *text, ngx_uint_t bits, size_t room)
{
    ngx_int_t  rc;
    ngx_str_t  payload, small, out;

    payload.len = ngx_vidcast_deflate_bound(text->len);
    payload.data = malloc(payload.len);

    fuzz_check(ngx_vidcast_deflate(text, bits, &payload) == NGX_OK);
    fuzz_check(payload.len);

    fuzz_check(ngx_vidcast_inflate(&payload, text->len, &out) == NGX_OK);
    fuzz_check(fuzz_same(text, &out));

    ngx_vidcast_inflate_end();

    /* any room, of exactly that size */

    room = room % (payload.len + 16);

    small.len = room;
    small.data = malloc(room ? room : 1);

    rc = ngx_vidcast_deflate(text, bits, &small);

    if (rc == NGX_OK) {
        fuzz_check(fuzz_same(&small, &payload));

    } else {
        fuzz_check(rc == NGX_DECLINED && room < payload.len + 5);
    }

    free(small.data);
    free(payload.data);
}


static ngx_uint_t
fuzz_same(ngx_str_t *one, ngx_str_t *two)
{
    return one->len == two->len && memcmp(one->data, two->data, two->len) == 0;
}
