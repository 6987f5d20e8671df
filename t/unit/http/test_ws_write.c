
/*
 * Copyright (C) vidcast contributors
 */


/*
 * The headers that a worker writes go to all viewers unseen, and one wrong
 * byte ends every connection: they are compared with hand-made ones.
 */

#include "wire/ngx_vidcast_ws.c"
#include "unit_ws.h"


static void test_writer(void);
static void test_close_writer(void);
static void test_accept(void);


int
main(void)
{
    input = malloc(TEST_BUFFER);
    if (input == NULL) {
        return 2;
    }

    test_writer();
    test_close_writer();
    test_accept();

    free(input);

    return unit_done();
}


static void
test_writer(void)
{
    u_char  *p, *end, buf[16], *q;
    size_t   i, n, bad;

    static const uint64_t  sizes[] = {
        0, 1, 125, 126, 127, 128, 255, 256, 65535, 65536, 65537, 0xffffffff,
        0x100000000, 0x0123456789abcdef, 0x7fffffffffffffff
    };

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        memset(buf, 0x5a, sizeof(buf));

        test_start();
        test_header(0x82, sizes[i],
                    sizes[i] < 126 ? 7 : sizes[i] < 65536 ? 16 : 64);
        input[1] &= 0x7f;

        end = ngx_vidcast_ws_header(buf, NGX_VIDCAST_WS_BINARY, sizes[i]);
        n = end - buf;
        bad = 0;

        for (q = end; q < buf + sizeof(buf); q++) {
            bad += (*q != 0x5a);
        }

        unit_ok(n == input_len && memcmp(buf, input, n) == 0 && bad == 0
                && n == ngx_vidcast_ws_header_len(sizes[i])
                && n <= NGX_VIDCAST_WS_MAX_HEADER,
                "5.2: the header of %llu bytes",
                (unsigned long long) sizes[i]);
    }

    p = ngx_vidcast_ws_header(buf, NGX_VIDCAST_WS_TEXT, 5);
    unit_ok(p == buf + 2 && memcmp(buf, "\x81\x05", 2) == 0,
            "5.7: the unmasked text header of the RFC");
}


static void
test_close_writer(void)
{
    char    reason[200];
    u_char  buf[160], *end;

    end = ngx_vidcast_ws_close(buf, 1001, "going");
    unit_ok(end == buf + 9 && memcmp(buf, "\x88\x07\x03\xe9going", 9) == 0,
            "5.5.1: a close with a reason");

    end = ngx_vidcast_ws_close(buf, 4999, NULL);
    unit_ok(end == buf + 4 && memcmp(buf, "\x88\x02\x13\x87", 4) == 0,
            "5.5.1: a close without a reason");

    end = ngx_vidcast_ws_close(buf, NGX_VIDCAST_WS_CLOSE_NO_CODE, "unseen");
    unit_ok(end == buf + 2 && memcmp(buf, "\x88\x00", 2) == 0,
            "7.4.1: 1005 is never sent");

    memset(reason, 'r', sizeof(reason));
    reason[123] = '\0';
    memset(buf, 0x5a, sizeof(buf));
    end = ngx_vidcast_ws_close(buf, 1002, reason);
    unit_ok(end == buf + 127 && buf[1] == 125 && buf[126] == 'r'
            && buf[127] == 0x5a, "5.5: a reason of 123 bytes");

    reason[123] = 'r';
    reason[199] = '\0';
    end = ngx_vidcast_ws_close(buf, 1002, reason);
    unit_ok(end == buf + 127 && buf[1] == 125 && buf[127] == 0x5a,
            "5.5: a longer one is cut");
}


static void
test_accept(void)
{
    u_char      accept[NGX_VIDCAST_WS_ACCEPT_LEN + 1];
    ngx_str_t   key;
    ngx_uint_t  i;

    static const struct {
        const char  *key;
        ngx_int_t    rc;
    } keys[] = {
        { "dGhlIHNhbXBsZSBub25jZQ==", NGX_OK },
        { "AQIDBAUGBwgJCgsMDQ4PEA==", NGX_OK },
        { "+/+/+/+/+/+/+/+/+/+/+w==", NGX_OK },
        { "", NGX_DECLINED },
        { "dGhlIHNhbXBsZSBub25jZQ", NGX_DECLINED },
        { "dGhlIHNhbXBsZSBub25jZQ=", NGX_DECLINED },
        { "dGhlIHNhbXBsZSBub25jZQ===", NGX_DECLINED },
        { "dGhlIHNhbXBsZSBub25jZQ=a", NGX_DECLINED },
        { "dGhlIHNhbXBsZSBub25jZQa=", NGX_DECLINED },
        { "dGhlIHNhbXBsZSBub25j====", NGX_DECLINED },
        { "dGhlIHNhbXBsZSBub25jZWVl", NGX_DECLINED },
        { "dGhlIHNhbXBsZSBub2 jZQ==", NGX_DECLINED },
        { "dGhlIHNhbXBsZSBub2_jZQ==", NGX_DECLINED },
        { "dGhl=HNhbXBsZSBub25jZQ==", NGX_DECLINED },
        { "dGhlIHNhbXBsZSBub25jZWRhdGE=", NGX_DECLINED },
    };

    for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        key.data = (u_char *) keys[i].key;
        key.len = strlen(keys[i].key);

        unit_ok(ngx_vidcast_ws_check_key(&key) == keys[i].rc,
                "4.2.1: key \"%s\"", keys[i].key);
    }

    key.data = (u_char *) keys[0].key;
    key.len = strlen(keys[0].key);
    memset(accept, 0x5a, sizeof(accept));
    ngx_vidcast_ws_accept(accept, &key);

    unit_ok(memcmp(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\x5a", 29) == 0,
            "4.2.2: the accept value of the RFC");
}
