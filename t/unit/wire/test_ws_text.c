
/*
 * Copyright (C) vidcast contributors
 */


/*
 * Text must be refused at the first byte that cannot be UTF-8 any more (RFC
 * 6455, 8.1), however it is cut.  The fast path for ASCII, the bounds of the
 * second byte and the unmasking by words are easy to get wrong by one, so
 * they are compared with slow ones over all values.
 */

#include "wire/ngx_vidcast_ws.c"
#include "unit_ws.h"


static void test_text_rules(void);
static ngx_uint_t test_utf8_valid(const u_char *s, size_t size);
static ngx_uint_t test_utf8_prefix(const u_char *s, size_t size);
static ngx_uint_t test_utf8_check(const u_char *s, size_t size);
static void test_utf8_all(void);
static void test_unmask(void);


int
main(void)
{
    input = malloc(TEST_BUFFER);
    if (input == NULL) {
        return 2;
    }

    test_text_rules();
    test_utf8_all();
    test_unmask();

    free(input);

    return unit_done();
}


static void
test_text_rules(void)
{
    test_start();
    test_text(0x81, "\xce\xba\xe1\xbd\xb9\xf0\x9f\x98\x80");
    test_expect_text("8.1: characters of 2, 3 and 4 bytes",
                     "T(\xce\xba\xe1\xbd\xb9\xf0\x9f\x98\x80)");

    test_start();
    test_text(0x01, "\xf0");
    test_text(0x89, "\xff");
    test_text(0x00, "");
    test_text(0x00, "\x9f\x98");
    test_text(0x80, "\x80");
    test_expect_text("8.1: a character over four fragments and a ping",
                     "P(\xff)T(\xf0\x9f\x98\x80)");

    test_start();
    test_frame(0x81, "\xe2\x82", 2);
    test_expect_fail("8.1: a text that ends in a character", 1007, 8);

    test_start();
    test_frame(0x01, "\xe2\x82", 2);
    test_frame(0x80, "", 0);
    test_expect_fail("8.1: the same, ended by an empty frame", 1007, 14);

    test_start();
    test_frame(0x01, "\xe2", 1);
    test_frame(0x80, "a", 1);
    test_expect_fail("8.1: a character broken off by a fragment", 1007, 14);

    test_start();
    test_frame(0x81, "plain\xc0\xaftext", 11);
    test_expect_fail("8.1: refused at the byte that is wrong", 1007, 12);

    test_start();
    test_frame(0x81, "\xed\xa0\x80long text", 12);
    test_expect_fail("8.1: a surrogate is refused at its 2nd byte", 1007, 8);

    test_start();
    test_frame(0x82, "\xff\xfe\xc0", 3);
    test_frame(0x81, "t", 1);
    test_expect_text("5.6: binary is not looked at", "B(\xff\xfe\xc0)T(t)");
}


/* by decoding: all that RFC 3629 says of a number, not of its bytes */

static ngx_uint_t
test_utf8_valid(const u_char *s, size_t size)
{
    size_t    i, j, n;
    uint32_t  code;

    static const uint32_t  least[] = { 0, 0x80, 0x800, 0x10000 };

    for (i = 0; i < size; i += n + 1) {
        code = s[i];

        n = (code >= 0xf0) ? 3 : (code >= 0xe0) ? 2 : (code >= 0xc0) ? 1 : 0;

        if ((n == 0 && code >= 0x80) || code >= 0xf8 || i + n >= size) {
            return 0;
        }

        code &= n ? 0x3fU >> n : 0x7fU;

        for (j = 1; j <= n; j++) {
            if ((s[i + j] & 0xc0) != 0x80) {
                return 0;
            }

            code = code << 6 | (s[i + j] & 0x3f);
        }

        if (code < least[n] || code > 0x10ffff
            || (code >= 0xd800 && code < 0xe000))
        {
            return 0;
        }
    }

    return 1;
}


/* can anything that follows still make it valid? */

static ngx_uint_t
test_utf8_prefix(const u_char *s, size_t size)
{
    size_t  n;
    u_char  low[16], high[16];

    memcpy(low, s, size);
    memcpy(high, s, size);

    for (n = size; n <= size + 3; n++) {
        if (test_utf8_valid(low, n) || test_utf8_valid(high, n)) {
            return 1;
        }

        low[n] = 0x80;
        high[n] = 0xbf;
    }

    return 0;
}


static ngx_uint_t
test_utf8_check(const u_char *s, size_t size)
{
    size_t                   n;
    ngx_int_t                rc;
    ngx_vidcast_ws_reader_t  reader;

    u_char  copy[16];

    memcpy(copy, s, size);

    reader.utf8.need = 0;
    rc = ngx_vidcast_utf8_read(&reader.utf8, copy, size);

    if ((rc == NGX_OK && reader.utf8.need == 0) != test_utf8_valid(s, size)) {
        return 0;
    }

    reader.utf8.need = 0;

    for (n = 1; n <= size; n++) {
        rc = ngx_vidcast_utf8_read(&reader.utf8, copy + n - 1, 1);

        if ((rc == NGX_OK) != test_utf8_prefix(s, n)) {
            return 0;
        }

        if (rc != NGX_OK) {
            return 1;
        }
    }

    return 1;
}


static void
test_utf8_all(void)
{
    u_char  s[12];
    size_t  i, j, k, l, bad;

    static const u_char  edge[] = {
        0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff
    };

    bad = 0;

    for (i = 0; i < 256; i++) {
        for (j = 0; j < 256; j++) {
            for (k = 0; k < sizeof(edge); k++) {

                /* a third and a fourth byte matter behind a long lead only */

                for (l = 0; l < (i < 0xe0 ? 1 : sizeof(edge)); l++) {
                    s[0] = (u_char) i;
                    s[1] = (u_char) j;
                    s[2] = edge[k];
                    s[3] = edge[l];

                    bad += !test_utf8_check(s, 3);
                    bad += !test_utf8_check(s, 4);
                }
            }
        }
    }

    unit_ok(bad == 0, "8.1: all pairs of bytes, all edges behind them");

    bad = 0;

    for (i = 0; i < 12; i++) {
        for (j = 0x7f; j < 256; j++) {
            memset(s, 'a', sizeof(s));
            s[i] = (u_char) j;

            bad += !test_utf8_check(s, sizeof(s));
        }
    }

    unit_ok(bad == 0, "8.1: one byte amid ASCII, at every place");
}


static void
test_unmask(void)
{
    size_t                   i, size, shift, start, bad;
    ngx_vidcast_ws_reader_t  reader;

    u_char  key[4], data[256], copy[256];

    bad = 0;

    for (i = 0; i < sizeof(data); i++) {
        data[i] = (u_char) test_random();
    }

    for (size = 0; size < 200; size++) {
        for (shift = 0; shift < 16; shift++) {
            for (start = 0; start < 4; start++) {

                memcpy(key, data + size, 4);
                memcpy(reader.mask, key, 4);
                memcpy(copy, data, sizeof(data));
                reader.nmask = (u_char) start;

                ngx_vidcast_ws_unmask(&reader, copy + shift, size);

                for (i = 0; i < size; i++) {
                    copy[shift + i] ^= key[(start + i) % 4];
                }

                bad += (memcmp(copy, data, sizeof(data)) != 0);
                bad += (reader.nmask != (start + size) % 4);
            }
        }
    }

    unit_ok(bad == 0, "5.3: all sizes, alignments and starts of the mask");
}
