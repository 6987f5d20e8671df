
/*
 * Copyright (C) vidcast contributors
 */


/*
 * A log has one entry in a line: a name that a stranger has chosen must not
 * write another one, nor be taken for what nginx itself wrote, nor make it
 * unreadable for those that expect UTF-8.
 */

#include "core/ngx_vidcast_escape.c"
#include "unit.h"


static void test_text(void);
static void test_name(void);
static void test_every_byte(void);
static void test_long(void);
static ngx_uint_t test_is(ngx_str_t *text, const char *expected);


static ngx_vidcast_escaped_t  escaped;


int
main(void)
{
    test_text();
    test_name();
    test_every_byte();
    test_long();

    return unit_done();
}


static void
test_text(void)
{
    ngx_uint_t  i;

    static const struct {
        const char  *text;
        const char  *expected;
    } tests[] = {
        { "", "" },
        { "front door", "front door" },
        { "say \"cheese\"", "say \"cheese\"" },
        { "fr\xc3\xa4me \xe2\x82\xac \xf0\x9f\x8e\xa5",
          "fr\xc3\xa4me \xe2\x82\xac \xf0\x9f\x8e\xa5" },
        { "a\n[emerg] b\r", "a\\x0A[emerg] b\\x0D" },
        { "\t\x1b[31m\x7f", "\\x09\\x1B[31m\\x7F" },
        { "\\x0A", "\\x5Cx0A" },
        { "\xff\xc3", "\\xFF\\xC3" },
        { "\xc3(", "\\xC3(" },
        { "\xc0\x8a", "\\xC0\\x8A" },
        { "\xed\xa0\x80", "\\xED\\xA0\\x80" },
        { "\xf4\x90\x80\x80", "\\xF4\\x90\\x80\\x80" },
        { "\xc2\x85\xc2\x9b\xc2\xa0", "\\xC2\\x85\\xC2\\x9B\xc2\xa0" },
        { "\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa",
          "\\xE2\\x80\\xA8\\xE2\\x80\\xA9\xe2\x80\xaa" }
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        unit_ok(test_is(ngx_vidcast_escape_text(&escaped, tests[i].text),
                        tests[i].expected),
                "text %s", tests[i].expected);
    }

    unit_ok(test_is(ngx_vidcast_escape_line(&escaped, (u_char *) "a\0b\nc", 4),
                    "a\\x00b\\x0A"),
            "so many bytes");
}


static void
test_name(void)
{
    ngx_str_t  name = ngx_string("x\", client: \"y\n");

    unit_ok(test_is(ngx_vidcast_escape_name(&escaped, &name),
                    "x\\x22, client: \\x22y\\x0A"),
            "a name cannot end its quotes");
}


static void
test_every_byte(void)
{
    u_char      byte;
    ngx_str_t  *text;
    ngx_uint_t  i, wrong;

    wrong = 0;

    for (i = 0; i < 256; i++) {
        byte = i;
        text = ngx_vidcast_escape_line(&escaped, &byte, 1);

        if (i >= ' ' && i < 0x7f && i != '\\') {
            wrong += (text->len != 1 || text->data[0] != byte);

        } else {
            wrong += (text->len != 4 || text->data[0] != '\\');
        }
    }

    unit_ok(wrong == 0, "each byte for itself");
}


static void
test_long(void)
{
    u_char      line[2 * NGX_VIDCAST_ESCAPED];
    ngx_str_t  *text;
    ngx_uint_t  i, last, wrong;

    static const char  *fill[] = { "a", "\n", "\xc3\xa4", "\xf0\x9f\x8e\xa5" };

    wrong = 0;

    for (i = 0; i < sizeof(fill) / sizeof(fill[0]); i++) {

        for (last = 0; last < sizeof(line); last++) {
            line[last] = fill[i][last % strlen(fill[i])];
        }

        text = ngx_vidcast_escape_line(&escaped, line, sizeof(line));

        wrong += (text->len > NGX_VIDCAST_ESCAPED
                  || text->len < NGX_VIDCAST_ESCAPED - 8
                  || memcmp(text->data + text->len - 3, "...", 3) != 0);

        /* nothing was cut in two: the rest is as if it had been alone */

        last = text->len - 3;

        wrong += (i == 1) ? last % 4 : last % strlen(fill[i]);
    }

    unit_ok(wrong == 0, "what is too long is cut between characters");
}


static ngx_uint_t
test_is(ngx_str_t *text, const char *expected)
{
    return text->len == strlen(expected)
           && memcmp(text->data, expected, text->len) == 0;
}
