
/*
 * Copyright (C) vidcast contributors
 */


/*
 * An extension that was agreed on gives one reserved bit a meaning, in one
 * place (RFC 7692, 6): everywhere else, and without the agreement, the bits
 * still end the connection.  A compressed message is passed on as it is, so
 * no rule on text may touch it, nor its neighbors.
 */

#include "wire/ngx_vidcast_ws.c"
#include "unit_ws.h"


static void test_first_bytes(void);
static void test_messages(void);
static void test_refused(void);
static void test_check_utf8(void);
static void test_rsv_header(void);


int
main(void)
{
    input = malloc(TEST_BUFFER);
    if (input == NULL) {
        return 2;
    }

    deflate = 1;

    test_first_bytes();
    test_messages();
    test_refused();
    test_check_utf8();
    test_rsv_header();

    free(input);

    return unit_done();
}


/* with no message open, and within one: what may a frame begin with? */

static void
test_first_bytes(void)
{
    u_char        data[256];
    ngx_uint_t    byte, opcode, good, bad, within;
    test_story_t  story;

    story.data = data;

    for (within = 0; within < 2; within++) {
        bad = 0;

        for (byte = 0; byte < 256; byte++) {
            opcode = byte & 0x0f;

            test_start();

            if (within) {
                test_text(0x42, "b");
            }

            test_frame(byte, "", 0);

            if (opcode >= 8) {
                good = (opcode <= 10 && (byte & 0xf0) == 0x80);

            } else if (within) {
                good = (opcode == 0 && (byte & 0x70) == 0);

            } else {
                good = (opcode == 1 || opcode == 2) && (byte & 0x30) == 0;
            }

            if (test_run(TEST_MAX, 1, 1, &story) == good) {
                printf("# byte %02zx: %.*s\n", (size_t) byte, (int) story.len,
                       (char *) story.data);
                bad++;
            }
        }

        unit_ok(bad == 0, "6: all first bytes%s", within ? " within" : "");
    }
}


static void
test_messages(void)
{
    test_start();
    test_text(0xc1, "\xf2\x48\xcd\xc9\xc9\x07");
    test_text(0xc2, "\xff\xfe");
    test_expect_text("6: text that is compressed is not looked at",
                     "t(\xf2\x48\xcd\xc9\xc9\x07)b(\xff\xfe)");

    test_start();
    test_text(0x41, "\xf2\x48");
    test_text(0x00, "\xcd");
    test_text(0x89, "ping");
    test_text(0x80, "\xc9\xc9\x07");
    test_expect_text("6.1: fragments, RSV1 in the first one only",
                     "P(ping)t(\xf2\x48\xcd\xc9\xc9\x07)");

    test_start();
    test_text(0x41, "");
    test_text(0x80, "\xf2");
    test_expect_text("6.1: the first fragment is empty", "t(\xf2)");

    test_start();
    test_text(0xc1, "");
    test_expect_text("6: a message of no bytes", "t()");

    test_start();
    test_text(0xc1, "\xce");
    test_text(0x81, "\xce\xba");
    test_text(0xc1, "\xba");
    test_text(0x82, "\xff");
    test_text(0x01, "\xce");
    test_text(0x80, "\xba");
    test_expect_text("6: messages with RSV1 and without take turns",
                     "t(\xce)T(\xce\xba)t(\xba)B(\xff)T(\xce\xba)");

    test_start();
    test_text(0x41, "\xce");
    test_frame(0x88, "\x03\xe8" "bye", 5);
    test_expect_text("6: a close within a compressed message",
                     "C1000(bye)t(\xce...");
}


static void
test_refused(void)
{
    test_start();
    test_text(0x41, "a");
    test_text(0xc0, "b");
    test_expect_fail("6.1: RSV1 in a continuation", 1002, 8);

    test_start();
    test_text(0xc9, "ping");
    test_expect_fail("6.1: RSV1 in a control frame", 1002, 1);

    test_start();
    test_text(0xe1, "a");
    test_expect_fail("6: RSV1 and RSV2", 1002, 1);

    test_start();
    test_text(0xc1, "a");
    test_frame(0x81, "\xff", 1);
    test_expect("8.1: text that is not compressed is looked at", TEST_MAX,
                "t(a)!1007", 9, 14);

    test_start();
    test_text(0x41, "abc");
    test_text(0x80, "def");
    test_expect("the limit is of bytes as they come", 5, "!1009", 5, 11);

    deflate = 0;

    test_start();
    test_text(0xc1, "a");
    test_expect_fail("6: RSV1 that was not agreed on", 1002, 1);

    deflate = 1;
}


static void
test_check_utf8(void)
{
    static u_char  good[] = "plain text, \xce\xba\xe1\xbd\xb9\xf0\x9f\x98\x80";
    static u_char  bad[] = "plain text, \xed\xa0\x80 and a surrogate";

    unit_ok(ngx_vidcast_utf8_check(good, sizeof(good) - 1) == NGX_OK
            && ngx_vidcast_utf8_check(good, 0) == NGX_OK,
            "8.1: UTF-8 in one piece");

    unit_ok(ngx_vidcast_utf8_check(good, sizeof(good) - 2) == NGX_ERROR,
            "8.1: it ends within a character");

    unit_ok(ngx_vidcast_utf8_check(good, 12) == NGX_OK
            && ngx_vidcast_utf8_check(bad, sizeof(bad) - 1) == NGX_ERROR,
            "8.1: a surrogate");
}


static void
test_rsv_header(void)
{
    u_char  buf[16], *p;

    p = ngx_vidcast_ws_header(buf, NGX_VIDCAST_WS_TEXT | NGX_VIDCAST_WS_RSV1,
                              7);

    unit_ok(p == buf + 2 && memcmp(buf, "\xc1\x07", 2) == 0,
            "7.2.3.1: the header of the RFC's message");
}
