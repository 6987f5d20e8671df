
/*
 * Copyright (C) vidcast contributors
 */


/*
 * What a viewer sends is the only foreign input a worker parses byte by byte,
 * and TCP may cut it anywhere.  So every rule of RFC 6455 stands here under
 * its section number, is fed whole, cut at every position and byte by byte,
 * and must tell the same each time, and refuse at the first byte that proves
 * the peer wrong.
 */

#include "wire/ngx_vidcast_ws.c"
#include "unit_ws.h"


static void test_messages(void);
static void test_control(void);
static void test_headers(void);
static void test_long_forms(void);
static void test_max_message(void);
static void test_close_frames(void);
static void test_close_codes(void);


int
main(void)
{
    input = malloc(TEST_BUFFER);
    if (input == NULL) {
        return 2;
    }

    test_messages();
    test_control();
    test_headers();
    test_long_forms();
    test_max_message();
    test_close_frames();
    test_close_codes();

    free(input);

    return unit_done();
}


static void
test_messages(void)
{
    static const u_char  rfc[] = {
        0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58
    };

    test_start();
    memcpy(input, rfc, sizeof(rfc));
    input_len = sizeof(rfc);
    test_expect_text("5.7: the masked text of the RFC", "T(Hello)");

    test_start();
    test_text(0x82, "bytes");
    test_text(0x81, "text");
    test_text(0x82, "x");
    test_expect_text("5.6: text and binary follow each other",
                     "B(bytes)T(text)B(x)");

    test_start();
    test_text(0x01, "Hel");
    test_text(0x80, "lo");
    test_expect_text("5.4: two fragments", "T(Hello)");

    test_start();
    test_text(0x02, "a");
    test_text(0x00, "b");
    test_text(0x00, "c");
    test_text(0x80, "d");
    test_text(0x81, "e");
    test_expect_text("5.4: four fragments, then a message", "B(abcd)T(e)");

    test_start();
    test_text(0x81, "");
    test_text(0x82, "");
    test_expect_text("5.4: empty messages are told", "T()B()");

    test_start();
    test_text(0x01, "");
    test_text(0x00, "");
    test_text(0x00, "in");
    test_text(0x00, "");
    test_text(0x80, "");
    test_text(0x02, "");
    test_text(0x80, "");
    test_expect_text("5.4: empty fragments before, in and after", "T(in)B()");

    test_start();
    test_text(0x01, "never");
    test_expect_text("5.4: a message that does not end", "T(never...");
}


static void
test_control(void)
{
    char  big[126], told[128];

    memset(big, 'x', sizeof(big));
    memset(told, 'x', sizeof(told));

    memcpy(told, "P(", 2);
    told[127] = ')';

    test_start();
    test_text(0x89, "");
    test_text(0x8a, "");
    test_text(0x89, "ping");
    test_text(0x8a, "pong");
    test_expect_text("5.5: pings and pongs, empty ones too",
                     "P()O()P(ping)O(pong)");

    test_start();
    test_text(0x01, "a");
    test_text(0x89, "1");
    test_text(0x00, "b");
    test_text(0x8a, "");
    test_text(0x80, "c");
    test_text(0x89, "2");
    test_expect_text("5.4: control frames between fragments",
                     "P(1)O()T(abc)P(2)");

    test_start();
    test_text(0x02, "");
    test_text(0x89, "1");
    test_text(0x80, "c");
    test_expect_text("5.4: a ping after an empty first fragment", "P(1)B(c)");

    test_start();
    test_text(0x01, "a");
    test_text(0x88, "");
    test_expect_text("5.4: a close inside a message", "C1005()T(a...");

    test_start();
    test_frame(0x89, big, 125);
    test_expect("5.5: 125 bytes in a ping", 0, told, 128, 0);

    test_start();
    test_frame(0x89, big, 126);
    test_expect_fail("5.5: not 126 bytes in a ping", 1002, 2);

    test_start();
    test_header(0x88, 5, 64);
    test_expect_fail("5.5: no long length in a close", 1002, 2);

    test_start();
    test_text(0x09, "part");
    test_expect_fail("5.5: a fragmented ping", 1002, 1);

    test_start();
    test_text(0x0a, "");
    test_expect_fail("5.5: a fragmented pong", 1002, 1);

    test_start();
    test_text(0x08, "");
    test_expect_fail("5.5: a fragmented close", 1002, 1);
}


static void
test_headers(void)
{
    u_char        data[256];
    size_t        taken;
    ngx_uint_t    byte, good, bad, known, fin;
    test_story_t  story;

    bad = 0;
    story.data = data;

    /* every first byte, alone, with no message open: what may begin? */

    for (byte = 0; byte < 256; byte++) {

        test_start();
        test_frame(byte, "", 0);

        fin = byte & 0x80;
        known = (byte & 0x0f) == 1 || (byte & 0x0f) == 2;
        good = !(byte & 0x70)
               && (known || (fin && (byte & 0x0f) >= 8 && (byte & 0x0f) <= 10));

        taken = good ? input_len : 1;

        if (test_run(TEST_MAX, 1, 1, &story) == good || story.taken != taken) {
            printf("# first byte %02zx: %.*s at %zu\n", (size_t) byte,
                   (int) story.len, (char *) story.data, story.taken);
            bad++;
        }
    }

    unit_ok(bad == 0, "5.2: all first bytes: RSV, opcodes, FIN");

    test_start();
    memcpy(input, "\x81\x05Hello", 7);
    input_len = 7;
    test_expect_fail("5.1: a frame that is not masked", 1002, 2);

    test_start();
    test_text(0x80, "lo");
    test_expect_fail("5.4: a continuation of nothing", 1002, 1);

    test_start();
    test_text(0x81, "done");
    test_text(0x80, "lo");
    test_expect("5.4: a continuation after the end", TEST_MAX,
                "T(done)!1002", 12, 11);

    test_start();
    test_text(0x01, "Hel");
    test_text(0x81, "lo");
    test_expect_fail("5.4: a text within a message", 1002, 10);

    test_start();
    test_text(0x02, "Hel");
    test_text(0x02, "lo");
    test_expect_fail("5.4: a binary within a message", 1002, 10);
}


static void
test_long_forms(void)
{
    u_char                   *pos;
    ngx_int_t                 rc;
    ngx_vidcast_ws_event_t    event;
    ngx_vidcast_ws_reader_t   reader;

    test_start();
    test_header(0x82, 125, 16);
    test_expect_fail("5.2: 125 in 16 bits", 1002, 4);

    test_start();
    test_header(0x82, 0, 16);
    test_expect_fail("5.2: 0 in 16 bits", 1002, 4);

    test_start();
    test_header(0x82, 65535, 64);
    test_expect_fail("5.2: 65535 in 64 bits", 1002, 10);

    test_start();
    test_header(0x82, 0, 64);
    test_expect_fail("5.2: 0 in 64 bits", 1002, 10);

    test_start();
    test_header(0x82, 0x8000000000000000, 64);
    test_expect_fail("5.2: the top bit of the length", 1002, 10);

    test_start();
    test_header(0x82, 0xffffffffffffffff, 64);
    test_expect_fail("5.2: all bits of the length", 1002, 10);

    test_start();
    test_header(0x82, 0x7fffffffffffffff, 64);
    test_expect_fail("2^63 - 1 is too big here", 1009, 10);

    ngx_vidcast_ws_reader_init(&reader, (size_t) -1);
    memcpy(input + input_len, "\0\0\0\0abc", 7);
    pos = input;

    rc = ngx_vidcast_ws_read(&reader, &pos, input + input_len + 7, &event);

    unit_ok(rc == NGX_OK && event.size == 3 && event.first && !event.last
            && memcmp(event.data, "abc", 3) == 0
            && reader.rest == 0x7fffffffffffffff - 3,
            "2^63 - 1 is read where it is allowed");
}


static void
test_max_message(void)
{
    test_start();
    test_text(0x01, "abc");
    test_text(0x00, "def");
    test_text(0x80, "gh");
    test_expect("8 bytes in fragments", 8, "T(abcdefgh)", 11, 0);
    test_expect("8 bytes of 7, told by the last header", 7, "!1009", 5, 20);

    test_start();
    test_text(0x01, "abcdefgh");
    test_text(0x00, "");
    test_text(0x80, "");
    test_text(0x81, "abcdefgh");
    test_expect("the count starts anew with a message", 8,
                "T(abcdefgh)T(abcdefgh)", 22, 0);

    test_start();
    test_text(0x01, "abcdefgh");
    test_text(0x89, "a ping is not counted");
    test_text(0x80, "");
    test_expect("control frames are not counted", 8,
                "P(a ping is not counted)T(abcdefgh)", 35, 0);

    test_start();
    test_text(0x01, "abcdefgh");
    test_header(0x80, 0x7fffffffffffffff, 64);
    test_expect("the sum does not wrap", 9, "!1009", 5, 24);
}


static void
test_close_frames(void)
{
    char    told[130];
    u_char  body[125];

    test_start();
    test_text(0x88, "");
    test_expect_text("5.5.1: a close without a body", "C1005()");

    test_start();
    test_frame(0x88, "\x03\xe8", 2);
    test_expect_text("5.5.1: a close with a code", "C1000()");

    test_start();
    test_frame(0x88, "\x03\xe9going", 7);
    test_text(0x81, "late");
    test_text(0x0f, "rubbish");
    test_expect_text("5.5.1: what follows a close is dropped", "C1001(going)");

    test_start();
    test_frame(0x88, "\x03", 1);
    test_expect_fail("5.5.1: a body of one byte", 1002, 7);

    test_start();
    memset(body, 'r', sizeof(body));
    memcpy(body, "\x0f\xa0", 2);
    test_frame(0x88, body, 125);
    memcpy(told, "C4000(", 6);
    memset(told + 6, 'r', 123);
    told[129] = ')';
    test_expect("5.5.1: the longest reason", 0, told, 130, 0);

    test_start();
    test_frame(0x88, "\x03\xe8\xe2\x82\xac", 5);
    test_expect_text("5.5.1: a reason in UTF-8", "C1000(\xe2\x82\xac)");

    test_start();
    test_frame(0x88, "\x03\xe8\xc3\x28", 4);
    test_expect_fail("8.1: a reason that is not UTF-8", 1007, 10);

    test_start();
    test_frame(0x88, "\x03\xe8\xe2\x82", 4);
    test_expect_fail("8.1: a reason that ends in a character", 1007, 10);

    test_start();
    test_frame(0x01, "\xe2\x82", 2);
    test_frame(0x88, "\x03\xe8ok", 4);
    test_expect_text("a reason does not go on with the text before",
                     "C1000(ok)T(\xe2\x82...");
}


static void
test_close_codes(void)
{
    u_char        body[2], data[64];
    ngx_uint_t    code, allowed, refused, bad;
    test_story_t  story;

    bad = 0;
    allowed = 0;
    story.data = data;

    for (code = 0; code < 65536; code++) {
        body[0] = code / 256;
        body[1] = code % 256;

        test_start();
        test_frame(0x88, body, 2);

        switch (code) {
        case 1000: case 1001: case 1002: case 1003: case 1007: case 1008:
        case 1009: case 1010: case 1011: case 1012: case 1013: case 1014:
            refused = 0;
            break;

        default:
            refused = (code < 3000 || code > 4999);
            break;
        }

        allowed += !refused;

        if (test_run(TEST_MAX, 0, 8, &story) != refused) {
            printf("# code %zu\n", (size_t) code);
            bad++;
        }
    }

    unit_ok(bad == 0 && allowed == 2012, "7.4: all 65536 close codes");
}
