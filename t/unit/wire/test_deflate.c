
/*
 * Copyright (C) vidcast contributors
 */


/*
 * Offers and compressed messages are written by strangers: each rule of RFC
 * 7692 stands here under its section.  What is made for viewers is read back
 * by zlib itself with the window that was agreed on, as a browser would, and
 * what comes in is whole, cut, final, too big or garbage.
 */

#include "wire/ngx_vidcast_deflate.c"
#include "wire/ngx_vidcast_deflate_offer.c"
#include "unit.h"


#define TEST_ANSWER  "permessage-deflate; server_no_context_takeover; "       \
                     "client_no_context_takeover"

/* "Hello" in a final block, and in one that is not, with the byte behind */

#define TEST_FINAL   "\xf3\x48\xcd\xc9\xc9\x07\x00"
#define TEST_HELLO   "\xf2\x48\xcd\xc9\xc9\x07\x00"

#define test_inflate(bytes, limit)                                            \
    test_inflate_bytes(bytes, sizeof(bytes) - 1, limit)


static void test_offers(void);
static void test_offers_declined(void);
static void test_offer_windows(void);
static void test_negotiate(const char *name, const char *value,
    const char *answer, ngx_uint_t bits);
static void test_rfc(void);
static void test_final(void);
static void test_not_deflate(void);
static void test_limits(void);
static void test_kept(void);
static void test_parts(void);
static ngx_int_t test_inflate_parts(ngx_str_t *payload, size_t part,
    size_t limit, ngx_str_t *wanted);
static void test_round_trip(void);
static void test_room(void);
static const char *test_inflate_bytes(const char *bytes, size_t size,
    size_t limit);
static ngx_uint_t test_browser(ngx_str_t *payload, ngx_uint_t bits,
    ngx_str_t *message);
static uint32_t test_random(void);
static void test_fill(u_char *p, size_t size, ngx_uint_t kind);


static uint32_t  seed = 2463534242;


int
main(void)
{
    test_offers();
    test_offers_declined();
    test_offer_windows();
    test_rfc();
    test_final();
    test_not_deflate();
    test_limits();
    test_kept();
    test_parts();
    test_round_trip();
    test_room();

    return unit_done();
}


static void
test_offers(void)
{
    test_negotiate("7.1: an offer", "permessage-deflate", TEST_ANSWER, 15);
    test_negotiate("7.1: what browsers offer",
                   "permessage-deflate; client_max_window_bits",
                   TEST_ANSWER, 15);
    test_negotiate("7.1.1.1: server_no_context_takeover",
                   "permessage-deflate; server_no_context_takeover",
                   TEST_ANSWER, 15);
    test_negotiate("7.1.1.2: client_no_context_takeover",
                   "permessage-deflate;client_no_context_takeover",
                   TEST_ANSWER, 15);
    test_negotiate("7.1.2.1: server_max_window_bits",
                   "permessage-deflate; server_max_window_bits=10",
                   TEST_ANSWER "; server_max_window_bits=10", 10);
    test_negotiate("7.1.2.2: client_max_window_bits with a value",
                   "permessage-deflate; client_max_window_bits=8",
                   TEST_ANSWER, 15);
    test_negotiate("7.1: all four",
                   "permessage-deflate; client_max_window_bits=12; "
                   "server_no_context_takeover; server_max_window_bits=9; "
                   "client_no_context_takeover",
                   TEST_ANSWER "; server_max_window_bits=9", 9);

    test_negotiate("RFC 6455, 9.1: a quoted value",
                   "permessage-deflate; server_max_window_bits=\"11\"",
                   TEST_ANSWER "; server_max_window_bits=11", 11);
    test_negotiate("RFC 6455, 9.1: space wherever it may be",
                   " \tpermessage-deflate ;\tserver_max_window_bits = 12 \t",
                   TEST_ANSWER "; server_max_window_bits=12", 12);

    test_negotiate("5: the second offer, as the first asks for 8 bits",
                   "permessage-deflate; server_max_window_bits=8, "
                   "permessage-deflate; server_max_window_bits=13",
                   TEST_ANSWER "; server_max_window_bits=13", 13);
    test_negotiate("5: the first of two that are good",
                   "permessage-deflate; server_max_window_bits=9,"
                   "permessage-deflate", TEST_ANSWER
                   "; server_max_window_bits=9", 9);
    test_negotiate("5: behind other extensions",
                   "x-webkit-deflate-frame, foo; bar=\"a,b;\\\"c, "
                   "permessage-deflate\", permessage-deflate",
                   TEST_ANSWER, 15);
    test_negotiate("5: behind junk and empty elements",
                   ",, =;, \x01\xff, \"permessage-deflate\", "
                   "permessage-deflate;, permessage-deflate",
                   TEST_ANSWER, 15);
}


static void
test_offers_declined(void)
{
    ngx_uint_t  i;

    static const char  *values[] = {
        "", " ", ",", "x-webkit-deflate-frame", "permessage-deflat",
        "permessage-deflate2", "Permessage-Deflate", "deflate",
        "permessage-bzip2; permessage-deflate",
        "permessage-deflate;", "permessage-deflate; ;",
        "permessage-deflate; unknown", "permessage-deflate; mode=1",
        "permessage-deflate server_no_context_takeover",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; server_no_context_takeover=",
        "permessage-deflate; client_no_context_takeover=\"\"",
        "permessage-deflate; client_no_context_takeover; "
            "client_no_context_takeover",
        "permessage-deflate; client_max_window_bits; "
            "client_max_window_bits=10",
        "permessage-deflate; server_max_window_bits=10; "
            "server_max_window_bits=10",
        "permessage-deflate; server_max_window_bits=10; a",
        "permessage-deflate; \"server_no_context_takeover\"",
        "permessage-deflate=1",
        "permessage-deflate; server_max_window_bits=\"10",
        "permessage-deflate; server_max_window_bits=\"10\"1",
        "permessage-deflate; server_max_window_bits=\"10, "
            "permessage-deflate",
        "permessage-deflate; server_max_window_bits=10\\, a"
    };

    for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        test_negotiate("7.1: declined", values[i], NULL, 0);
    }
}


static void
test_offer_windows(void)
{
    char        value[128], answer[256];
    ngx_uint_t  i, good;

    static const char  *bits[] = {
        "9", "10", "11", "12", "13", "14", "15", "8", "0", "1", "7", "16",
        "99", "09", "010", "015", "+9", "-9", "9.0", "0x9", "", "a", " ",
        "9 9", "4294967305", "18446744073709551625", "\"09\"", "\"\""
    };

    for (i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
        good = (i < 7);

        sprintf(value, "permessage-deflate; server_max_window_bits=%s",
                bits[i]);
        sprintf(answer, TEST_ANSWER "; server_max_window_bits=%s", bits[i]);

        test_negotiate("7.1.2.1", value, good ? answer : NULL,
                       good ? 9 + i : 0);

        good = (i < 8);

        sprintf(value, "permessage-deflate; client_max_window_bits=%s",
                bits[i]);

        test_negotiate("7.1.2.2", value, good ? TEST_ANSWER : NULL,
                       good ? 15 : 0);
    }

    test_negotiate("7.1.2.1: a value is required",
                   "permessage-deflate; server_max_window_bits", NULL, 0);
}


/* the value is copied to its exact size, so that a sanitizer sees more */

static void
test_negotiate(const char *name, const char *value, const char *answer,
    ngx_uint_t bits)
{
    u_char                 *copy;
    ngx_int_t               rc;
    ngx_str_t               text;
    ngx_vidcast_deflate_t   deflate, untouched;

    text.len = strlen(value);
    text.data = copy = malloc(text.len ? text.len : 1);
    memcpy(copy, value, text.len);

    memset(&deflate, 0x5a, sizeof(deflate));
    memset(&untouched, 0x5a, sizeof(untouched));

    rc = ngx_vidcast_deflate_negotiate(&text, &deflate);

    free(copy);

    if (answer == NULL) {
        unit_ok(rc == NGX_DECLINED
                && memcmp(&deflate, &untouched, sizeof(deflate)) == 0,
                "%s: \"%s\"", name, value);
        return;
    }

    unit_ok(rc == NGX_OK && deflate.bits == bits
            && deflate.answer_len == strlen(answer)
            && memcmp(deflate.answer, answer, deflate.answer_len) == 0,
            "%s: \"%s\"", name, value);
}


static void
test_rfc(void)
{
    unit_ok(strcmp(test_inflate(TEST_HELLO, 5), "Hello") == 0,
            "7.2.3.1: one compressed block");

    unit_ok(strcmp(test_inflate("\xf2\x00\x11\x00\x00", 5), "!ERROR") == 0,
            "7.2.3.2: nothing is kept of the message before");

    unit_ok(strcmp(test_inflate("\x00\x05\x00\xfa\xff" "Hello\x00", 5),
                   "Hello") == 0, "7.2.3.3: a block without compression");

    unit_ok(strcmp(test_inflate(TEST_FINAL "\x00", 5), "Hello") == 0,
            "7.2.3.4: a final block");

    unit_ok(strcmp(test_inflate("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9"
                                "\xc9\x07\x00", 5), "Hello") == 0,
            "7.2.3.5: two blocks");

    unit_ok(strcmp(test_inflate("\x00", 0), "") == 0,
            "7.2.3.6: an empty message");
}


static void
test_final(void)
{
    unit_ok(strcmp(test_inflate(TEST_FINAL "\x00" TEST_FINAL "\x00", 10),
                   "!ERROR") == 0,
            "7.2.3.4: an empty block without its length is behind it");

    unit_ok(strcmp(test_inflate(TEST_FINAL TEST_HELLO, 10), "HelloHello") == 0,
            "7.2.3.4: a block behind a final one");

    unit_ok(strcmp(test_inflate(TEST_FINAL TEST_FINAL "\x00", 10),
                   "HelloHello") == 0, "7.2.3.4: two final blocks");

    unit_ok(strcmp(test_inflate(TEST_FINAL "\x00\x00\x00\xff\xff"
                                TEST_HELLO, 10), "HelloHello") == 0,
            "7.2.3.4: a final block, an empty one, another");

    unit_ok(strcmp(test_inflate(TEST_FINAL "\xf2\x00\x11\x00\x00", 10),
                   "HelloHello") == 0,
            "7.2.3.4: the window goes on behind a final block");

    unit_ok(strcmp(test_inflate(TEST_FINAL TEST_FINAL, 9), "!DECLINED") == 0,
            "7.2.3.4: the limit is for all of them");

    unit_ok(strcmp(test_inflate(TEST_FINAL, 5), "Hello") == 0,
            "7.2.3.4: the byte behind a final block may be missing");

    unit_ok(strcmp(test_inflate("", 0), "") == 0,
            "7.2.3.6: the byte of an empty message may be missing");
}


static void
test_not_deflate(void)
{
    size_t      n;
    ngx_str_t   in, out;
    ngx_uint_t  i, bad, declined, good;

    static const char  hello[] = TEST_HELLO;
    static const char  stored[] = "\x00\x05\x00\xfa\xff" "Hello\x00";

    for (bad = 0, n = 1; n < sizeof(hello) - 1; n++) {
        bad += strcmp(test_inflate_bytes(hello, n, 5), "!ERROR") != 0;
    }

    unit_ok(bad == 0, "7.2.2: a message that is cut off");

    /* its first byte alone is an empty message */

    for (bad = 0, n = 2; n < sizeof(stored) - 1; n++) {
        bad += test_inflate_bytes(stored, n, 9)[0] != '!';
    }

    unit_ok(bad == 0, "7.2.2: a block without compression that is cut off");

    unit_ok(strcmp(test_inflate("\x07", 9), "!ERROR") == 0,
            "7.2.2: a type of block that there is not");
    unit_ok(strcmp(test_inflate("plain text", 99), "!ERROR") == 0,
            "7.2.2: text that is not compressed");
    unit_ok(strcmp(test_inflate("\x78\x9c\xf3\x48\xcd\xc9\xc9\x07\x00", 99),
                   "!ERROR") == 0, "7.2.2: zlib's header is none of deflate");

    declined = 0;
    good = 0;
    bad = 0;

    for (i = 0; i < 50000; i++) {
        in.len = test_random() % 64;
        in.data = malloc(in.len ? in.len : 1);
        test_fill(in.data, in.len, 0);

        switch (ngx_vidcast_inflate(&in, 100, &out)) {

        case NGX_OK:
            bad += out.len > 100;
            good++;
            break;

        case NGX_DECLINED:
            declined++;
            break;

        case NGX_ERROR:
            break;

        default:
            bad++;
            break;
        }

        free(in.data);
    }

    unit_ok(bad == 0 && good > 0 && declined > 0,
            "garbage: %zu were messages, %zu were too big", good, declined);

    unit_ok(strcmp(test_inflate(TEST_HELLO, 5), "Hello") == 0,
            "and what came before it does no harm to the next");
}


static void
test_limits(void)
{
    size_t      size, room;
    u_char     *data;
    ngx_str_t   in, payload, out;
    ngx_uint_t  i, bad;

    static const size_t  sizes[] = {
        1, 2, 511, 512, 513, 1023, 1024, 1025, 32767, 32768, 32769, 70000,
        8 * 1024 * 1024
    };

    unit_ok(strcmp(test_inflate(TEST_HELLO, 4), "!DECLINED") == 0,
            "one byte more than the limit");
    unit_ok(strcmp(test_inflate(TEST_HELLO, 0), "!DECLINED") == 0,
            "more than nothing");

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        size = sizes[i];
        data = calloc(1, size);
        room = ngx_vidcast_deflate_bound(size);

        in.data = data;
        in.len = size;

        payload.data = malloc(room);
        payload.len = room;

        bad = ngx_vidcast_deflate(&in, 15, &payload) != NGX_OK;

        bad += ngx_vidcast_inflate(&payload, size - 1, &out) != NGX_DECLINED;
        bad += ngx_vidcast_inflate(&payload, 0, &out) != NGX_DECLINED;

        if (ngx_vidcast_inflate(&payload, size, &out) == NGX_OK) {
            bad += out.len != size || memcmp(out.data, data, size) != 0;

        } else {
            bad++;
        }

        unit_ok(bad == 0, "%zu zeros, as %zu bytes: the limit is exact", size,
                payload.len);

        free(payload.data);
        free(data);
    }
}


/*
 * To make the room of a message of 1 MB costs more than to inflate it; the
 * room of a larger one is not kept by a process for ever
 */

static void
test_kept(void)
{
    u_char     *first;
    ngx_str_t   in, payload, out;

    in.len = 4 * 1024 * 1024;
    in.data = calloc(1, in.len);

    payload.data = malloc(in.len);
    payload.len = in.len;

    (void) ngx_vidcast_deflate(&in, 15, &payload);

    ngx_vidcast_deflate_done();

    unit_ok(ngx_vidcast_inflate(&payload, in.len, &out) == NGX_OK
            && out.len == in.len, "a message of 4 MB");

    ngx_vidcast_inflate_end();

    unit_ok(ngx_vidcast_inflate_one.data == NULL,
            "of which nothing is kept");

    in.len = 1024 * 1024;
    payload.len = in.len;

    (void) ngx_vidcast_deflate(&in, 15, &payload);

    (void) ngx_vidcast_inflate(&payload, in.len, &out);
    ngx_vidcast_inflate_end();

    first = ngx_vidcast_inflate_one.data;

    unit_ok(first != NULL
            && ngx_vidcast_inflate(&payload, in.len, &out) == NGX_OK
            && out.data == first && out.len == in.len,
            "the room of 1 MB serves the next message");

    unit_ok(strcmp(test_inflate(TEST_HELLO, 4), "!DECLINED") == 0
            && strcmp(test_inflate(TEST_HELLO, 5), "Hello") == 0
            && ngx_vidcast_inflate_one.data == first,
            "and smaller ones, whose limits hold");

    ngx_vidcast_deflate_done();

    unit_ok(ngx_vidcast_inflate_one.data == NULL, "until the end");

    free(payload.data);
    free(in.data);
}


/* a message that comes in parts, several of them at a time */

static void
test_parts(void)
{
    size_t                  i, bad;
    ngx_str_t               in, payload, cut, out;
    ngx_vidcast_inflate_t  *one, *two;

    static const size_t  parts[] = { 1, 2, 7, 1000, 40000, 1000000 };

    in.len = 300000;
    in.data = malloc(in.len);
    test_fill(in.data, in.len, 1);

    payload.len = ngx_vidcast_deflate_bound(in.len);
    payload.data = malloc(payload.len);

    (void) ngx_vidcast_deflate(&in, 15, &payload);

    for (bad = 0, i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        bad += test_inflate_parts(&payload, parts[i], in.len, &in) != NGX_OK;
        bad += test_inflate_parts(&payload, parts[i], in.len - 1, &in)
               != NGX_DECLINED;

        cut.data = payload.data;
        cut.len = payload.len / 2;

        bad += test_inflate_parts(&cut, parts[i], in.len, &in) != NGX_ERROR;
    }

    unit_ok(bad == 0, "in parts: whole, too big, cut off");

    one = ngx_vidcast_inflate_begin(in.len);
    two = ngx_vidcast_inflate_begin(5);

    out.data = payload.data;
    out.len = 1000;

    bad = ngx_vidcast_inflate_add(one, &out) != NGX_OK;

    ngx_str_set(&out, TEST_HELLO);

    bad += ngx_vidcast_inflate_add(two, &out) != NGX_OK
           || strcmp(test_inflate(TEST_HELLO, 5), "Hello") != 0;

    out.data = payload.data + 1000;
    out.len = payload.len - 1000;

    bad += ngx_vidcast_inflate_add(one, &out) != NGX_OK;

    bad += ngx_vidcast_inflate_last(two, &out) != NGX_OK
           || out.len != 5 || memcmp(out.data, "Hello", 5) != 0;
    bad += ngx_vidcast_inflate_last(one, &out) != NGX_OK
           || out.len != in.len || memcmp(out.data, in.data, in.len) != 0;

    unit_ok(bad == 0, "in parts: several messages at a time");

    ngx_vidcast_inflate_free(one);
    ngx_vidcast_inflate_free(two);

    free(payload.data);
    free(in.data);
}


static ngx_int_t
test_inflate_parts(ngx_str_t *payload, size_t part, size_t limit,
    ngx_str_t *wanted)
{
    size_t                  size;
    ngx_int_t               rc;
    ngx_str_t               in, out;
    ngx_vidcast_inflate_t  *message;

    rc = NGX_OK;
    message = ngx_vidcast_inflate_begin(limit);

    for (size = 0; rc == NGX_OK && size < payload->len; size += in.len) {
        in.data = payload->data + size;
        in.len = ngx_min(part, payload->len - size);

        rc = ngx_vidcast_inflate_add(message, &in);
    }

    if (rc == NGX_OK) {
        rc = ngx_vidcast_inflate_last(message, &out);
    }

    if (rc == NGX_OK
        && (out.len != wanted->len
            || memcmp(out.data, wanted->data, out.len) != 0))
    {
        rc = NGX_ABORT;
    }

    ngx_vidcast_inflate_free(message);

    return rc;
}


static void
test_round_trip(void)
{
    size_t      room;
    ngx_str_t   in, payload, out;
    ngx_uint_t  bits, i, bad, tails;

    for (bits = 9; bits <= 15; bits++) {
        bad = 0;
        tails = 0;

        for (i = 0; i < 300; i++) {
            in.len = (i < 100) ? i : test_random() % (i < 290 ? 5000 : 200000);
            in.data = malloc(in.len ? in.len : 1);
            test_fill(in.data, in.len, i % 3);

            room = ngx_vidcast_deflate_bound(in.len);
            payload.data = malloc(room);
            payload.len = room;

            if (ngx_vidcast_deflate(&in, bits, &payload) != NGX_OK
                || payload.len == 0
                || !test_browser(&payload, bits, &in))
            {
                bad++;
            }

            if (payload.len >= 4
                && memcmp(payload.data + payload.len - 4, "\0\0\xff\xff", 4)
                   == 0)
            {
                tails++;
            }

            if (ngx_vidcast_inflate(&payload, in.len, &out) == NGX_OK) {
                bad += out.len != in.len
                       || memcmp(out.data, in.data, in.len) != 0;

            } else {
                bad++;
            }

            free(payload.data);
            free(in.data);
        }

        unit_ok(bad == 0 && tails == 0,
                "7.2.1: messages with a window of %zu bits", bits);
    }

    ngx_str_set(&in, "Hello");
    payload.data = malloc(64);
    payload.len = 64;

    unit_ok(ngx_vidcast_deflate(&in, 15, &payload) == NGX_OK
            && payload.len == 7
            && memcmp(payload.data, "\xf2\x48\xcd\xc9\xc9\x07\x00", 7) == 0,
            "7.2.3.1: the bytes of the RFC");

    in.len = 0;
    payload.len = 1;

    unit_ok(ngx_vidcast_deflate(&in, 15, &payload) == NGX_OK
            && payload.len == 1 && payload.data[0] == 0,
            "7.2.3.6: an empty message is one byte");

    free(payload.data);
}


/* nothing is written beyond the room; five bytes too many are enough */

static void
test_room(void)
{
    size_t      size, room, i, bad;
    u_char     *all;
    ngx_str_t   in, out;

    in.len = 3000;
    in.data = malloc(in.len);
    test_fill(in.data, in.len, 1);

    all = malloc(4096);
    out.data = all;
    out.len = 4096;

    bad = ngx_vidcast_deflate(&in, 15, &out) != NGX_OK;
    size = out.len;

    for (room = 0; room < size + 10; room++) {
        memset(all, 0x5a, 4096);
        out.len = room;

        if (ngx_vidcast_deflate(&in, 15, &out)
            != (room < size + 5 ? NGX_DECLINED : NGX_OK))
        {
            bad++;
        }

        for (i = room; i < 4096; i++) {
            bad += all[i] != 0x5a;
        }
    }

    unit_ok(bad == 0, "every room for %zu bytes", size);

    test_fill(in.data, in.len, 0);
    out.len = in.len + 4;

    unit_ok(ngx_vidcast_deflate(&in, 15, &out) == NGX_DECLINED,
            "noise does not get smaller");

    ngx_vidcast_deflate_done();
    ngx_vidcast_deflate_done();

    test_fill(in.data, in.len, 1);
    out.len = 4096;

    unit_ok(ngx_vidcast_deflate(&in, 15, &out) == NGX_OK
            && strcmp(test_inflate(TEST_HELLO, 5), "Hello") == 0,
            "after the end another beginning");

    ngx_vidcast_deflate_done();

    free(all);
    free(in.data);
}


/* what came out, or how it was refused */

static const char *
test_inflate_bytes(const char *bytes, size_t size, size_t limit)
{
    ngx_int_t    rc;
    ngx_str_t    in, out;
    static char  told[256];

    in.len = size;
    in.data = malloc(size ? size : 1);
    memcpy(in.data, bytes, size);

    rc = ngx_vidcast_inflate(&in, limit, &out);

    free(in.data);

    switch (rc) {

    case NGX_OK:
        sprintf(told, "%.*s", (int) out.len, (char *) out.data);
        return told;

    case NGX_DECLINED:
        return "!DECLINED";

    case NGX_ERROR:
        return "!ERROR";

    default:
        return "!ABORT";
    }
}


/* a window no larger than agreed on; zlib does not forgive a distance */

static ngx_uint_t
test_browser(ngx_str_t *payload, ngx_uint_t bits, ngx_str_t *message)
{
    u_char      *out;
    z_stream     stream;
    ngx_uint_t   good;

    static u_char  tail[4] = { 0, 0, 0xff, 0xff };

    memset(&stream, 0, sizeof(stream));

    if (inflateInit2(&stream, -(int) bits) != Z_OK) {
        return 0;
    }

    out = malloc(message->len + 1);

    stream.next_in = payload->data;
    stream.avail_in = (uInt) payload->len;
    stream.next_out = out;
    stream.avail_out = (uInt) message->len + 1;

    good = (inflate(&stream, Z_SYNC_FLUSH) == Z_OK && stream.avail_in == 0);

    stream.next_in = tail;
    stream.avail_in = 4;

    good = good && inflate(&stream, Z_SYNC_FLUSH) == Z_OK
           && stream.avail_in == 0 && stream.avail_out == 1
           && memcmp(out, message->data, message->len) == 0;

    (void) inflateEnd(&stream);
    free(out);

    return good;
}


static uint32_t
test_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;

    return seed;
}


/* noise, JSON, or repeats over distances up to more than any window */

static void
test_fill(u_char *p, size_t size, ngx_uint_t kind)
{
    size_t  i, distance;

    static const char  json[] = "{\"label\":\"motion\",\"score\":0.9,\"box\":[";

    for (i = 0; i < size; i++) {

        switch (kind) {

        case 0:
            p[i] = (u_char) (test_random() >> 7);
            break;

        case 1:
            p[i] = (i % 60 < sizeof(json) - 1)
                   ? (u_char) json[i % 60]
                   : (u_char) ('0' + test_random() % 10);
            break;

        default:
            distance = 1 << (i / 4096 % 17);
            p[i] = (i >= distance && test_random() % 64)
                   ? p[i - distance] : (u_char) test_random();
            break;
        }
    }
}
