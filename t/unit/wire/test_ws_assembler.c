
/*
 * Copyright (C) vidcast contributors
 */


/*
 * What publishers send is checked where it will be sent from: a text must be
 * one JSON value in one line, and a picture without Huffman tables becomes
 * longer in its place.
 */

#include "wire/ngx_vidcast_result_value.c"
#include "unit_codec.h"
#include "wire/ngx_vidcast_ws_assembler.c"
#include "unit.h"


static void test_json(void);
static void test_not_json(void);
static void test_deep(void);
static void test_picture(void);
static void test_text(void);
static void test_tables(void);
static ngx_int_t test_add(ngx_uint_t opcode, const char *data,
    ngx_uint_t first, ngx_uint_t last);


static ngx_vidcast_ws_assembler_t  message;
static u_char                slot[64];


int
main(void)
{
    test_json();
    test_not_json();
    test_deep();
    test_picture();
    test_text();
    test_tables();

    return unit_done();
}


static void
test_json(void)
{
    u_char      text[128];
    size_t      size;
    ngx_uint_t  i;

    static struct {
        const char  *text;
        const char  *flat;
    } tests[] = {
        { "{}", "{}" },
        { "[1, 2.5e-3, null, true, false, \"a\"]",
          "[1, 2.5e-3, null, true, false, \"a\"]" },
        { "17", "17" },
        { "\"\\u0000\\n\\ud83d\\ude00\"", "\"\\u0000\\n\\ud83d\\ude00\"" },
        { "123456789012345678901234567890",
          "123456789012345678901234567890" },
        { "\"\xe2\x82\xac\x7f\"", "\"\xe2\x82\xac\x7f\"" },
        { " \t\r\n null \n", "null" },
        { "{\n\t\"a\" :\r\n 1 }", "{  \"a\" :   1 }" },
        { "{\"a\":1,\"a\":2}", "{\"a\":1,\"a\":2}" },
        { NULL, NULL }
    };

    for (i = 0; tests[i].text; i++) {
        size = ngx_strlen(tests[i].text);
        ngx_memcpy(text, tests[i].text, size);

        unit_ok(ngx_vidcast_result_value_check(text, &size) == NGX_OK
                && size == ngx_strlen(tests[i].flat)
                && ngx_memcmp(text, tests[i].flat, size) == 0,
                "json: %s", tests[i].flat);
    }
}


static void
test_not_json(void)
{
    u_char      text[128];
    size_t      size;
    ngx_uint_t  i;

    static ngx_str_t  tests[] = {
        ngx_string(""), ngx_string(" \n"), ngx_string("a"),
        ngx_string("{"), ngx_string("[1,]"), ngx_string("{\"a\":}"),
        ngx_string("1 2"), ngx_string("{}{}"), ngx_string("'a'"),
        ngx_string("\"a"), ngx_string("\"\n\""), ngx_string("\"\x01\""),
        ngx_string("\"\xff\""), ngx_string("\"\\ud800\""),
        ngx_string("\"\xed\xa0\x80\""), ngx_string("01"), ngx_string("+1"),
        ngx_string("NaN"), ngx_string("1e999"), ngx_string("\xef\xbb\xbf""1"),
        ngx_string("\0"), ngx_string("1\0"), ngx_string("1\0""2"),
        ngx_string("\0""1"), ngx_string("[1\0]"), ngx_string("\"\0\""),
        ngx_string("1\x0b"), ngx_string("\x0c""1"), ngx_string("1\x01"),
        ngx_null_string
    };

    for (i = 0; tests[i].data; i++) {
        size = tests[i].len;
        ngx_memcpy(text, tests[i].data, size);

        unit_ok(ngx_vidcast_result_value_check(text, &size) == NGX_DECLINED,
                "json: no %lu", i);
    }
}


/* as many brackets as one may send: refused, and no stack is used up */

static void
test_deep(void)
{
    u_char  *text;
    size_t   size;

    size = 1024 * 1024;
    text = malloc(size);

    if (text == NULL) {
        exit(2);
    }

    ngx_memset(text, '[', size / 2);
    ngx_memset(text + size / 2, ']', size / 2);

    unit_ok(ngx_vidcast_result_value_check(text, &size) == NGX_DECLINED,
            "json: half a million brackets");

    size = 2000;

    ngx_memset(text, '[', 1000);
    ngx_memset(text + 1000, ']', 1000);

    unit_ok(ngx_vidcast_result_value_check(text, &size) == NGX_OK
                && size == 2000,
            "json: a thousand");

    free(text);
}


static void
test_picture(void)
{
    message.data = slot;
    message.max_picture = 10;
    message.max_text = 6;

    unit_ok(test_add(NGX_VIDCAST_WS_BINARY, "0123456789", 1, 1) == NGX_OK
            && message.size == 10 && !message.text
            && ngx_memcmp(slot, "0123456789", 10) == 0,
            "picture: as large as the slot");

    unit_ok(test_add(NGX_VIDCAST_WS_BINARY, "0123456789a", 1, 1)
            == NGX_DECLINED && message.code == NGX_VIDCAST_WS_CLOSE_TOO_BIG,
            "picture: a byte larger");

    unit_ok(test_add(NGX_VIDCAST_WS_BINARY, "abc", 1, 0) == NGX_AGAIN
            && ngx_vidcast_ws_assembler_buffer(&message, 7) == slot + 3
            && ngx_vidcast_ws_assembler_buffer(&message, 8) == NULL,
            "picture: there is room for the rest, and no more");

    ngx_memcpy(slot + 3, "defghij", 7);

    unit_ok(test_add(NGX_VIDCAST_WS_BINARY, NULL, 0, 1) == NGX_OK
            && message.size == 10 && ngx_memcmp(slot, "abcdefghij", 10) == 0,
            "picture: what stands in its place is not copied");

    unit_ok(test_add(NGX_VIDCAST_WS_BINARY, "", 1, 1) == NGX_OK
            && message.size == 0, "picture: an empty one is for the probe");

    message.data = NULL;

    unit_ok(ngx_vidcast_ws_assembler_buffer(&message, 1) == NULL,
            "picture: no slot, no room");
}


static void
test_text(void)
{
    message.data = slot;

    unit_ok(test_add(NGX_VIDCAST_WS_TEXT, "[12", 1, 0) == NGX_AGAIN
            && test_add(NGX_VIDCAST_WS_TEXT, "34]", 0, 1) == NGX_OK
            && message.text && message.size == 6
            && ngx_memcmp(slot, "[1234]", 6) == 0, "text: in two parts");

    unit_ok(test_add(NGX_VIDCAST_WS_TEXT, "[12345]", 1, 1) == NGX_DECLINED
            && message.code == NGX_VIDCAST_WS_CLOSE_TOO_BIG,
            "text: a byte too large");

    unit_ok(test_add(NGX_VIDCAST_WS_TEXT, "[123", 1, 1) == NGX_DECLINED
            && message.code == NGX_VIDCAST_WS_CLOSE_DATA,
            "text: it must be JSON");

    unit_ok(test_add(NGX_VIDCAST_WS_TEXT, "1", 1, 0) == NGX_AGAIN
            && test_add(NGX_VIDCAST_WS_TEXT, "", 0, 1) == NGX_OK
            && message.size == 1, "text: an empty part ends it");

    unit_ok(test_add(NGX_VIDCAST_WS_BINARY, "1234567", 1, 1) == NGX_OK
            && !message.text, "text: a picture behind it is none");
}


/* data NULL: the seven bytes which stand in the room already */

static ngx_int_t
test_add(ngx_uint_t opcode, const char *data, ngx_uint_t first,
    ngx_uint_t last)
{
    ngx_vidcast_ws_event_t  event;

    ngx_memzero(&event, sizeof(ngx_vidcast_ws_event_t));

    event.opcode = opcode;
    event.data = data ? (u_char *) data : slot + message.size;
    event.size = data ? ngx_strlen(data) : 7;
    event.first = first;
    event.last = last;

    return ngx_vidcast_ws_assembler_add(&message, &event);
}


static void
test_tables(void)
{
    u_char                   *p, *end, bare[200], other[200 + 420];
    u_char                   *place;
    size_t                    size;
    ngx_vidcast_jpeg_info_t   info, again;

    p = bare;
    p = ngx_cpymem(p, "\xff\xd8\xff\xc0\0\x0b\x08\0\x08\0\x08\x01\x01\x11\0",
                   15);
    p = ngx_cpymem(p, "\xff\xda\0\x08\x01\x01\0\0\x3f\0", 10);
    ngx_memset(p, 0x55, 20);
    p = ngx_cpymem(p + 20, "\xff\xd9", 2);

    size = p - bare;

    unit_ok(ngx_vidcast_jpeg_probe(bare, size, &info) == NGX_OK && !info.dht
            && info.size == size, "tables: a picture without");

    /* of the exact size: the sanitizer would see a byte behind it */

    place = malloc(size + NGX_VIDCAST_JPEG_DHT_LEN);

    if (place == NULL) {
        exit(2);
    }

    ngx_memcpy(place, bare, size);

    end = ngx_vidcast_jpeg_insert_dht(other, bare, &info);
    unit_ok(end == other + size + NGX_VIDCAST_JPEG_DHT_LEN,
            "tables: put in on the way");

    end = ngx_vidcast_jpeg_insert_dht(place, place, &info);

    unit_ok(end == place + size + NGX_VIDCAST_JPEG_DHT_LEN
            && ngx_memcmp(place, other, end - place) == 0,
            "tables: put in where it stands");
    unit_ok(ngx_vidcast_jpeg_probe(place, end - place, &again) == NGX_OK
            && again.dht && again.width == 8 && again.height == 8,
            "tables: they are there");

    free(place);
}
