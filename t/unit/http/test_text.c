
/*
 * Copyright (C) vidcast contributors
 */


/*
 * A status that is cut is no JSON any more, and one that is written behind its
 * buffer is worse: texts of every length around the end of a buffer must come
 * out whole, and in a chain that nginx's filters take.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "unit.h"
#include "unit_ngx.h"

#define ngx_create_temp_buf   test_create_temp_buf
#define ngx_alloc_chain_link  test_alloc_chain_link

static ngx_buf_t *test_create_temp_buf(ngx_pool_t *pool, size_t size);
static ngx_chain_t *test_alloc_chain_link(ngx_pool_t *pool);

#include "http/status/ngx_http_vidcast_text.c"

#undef ngx_create_temp_buf
#undef ngx_alloc_chain_link


#define TEST_FIRST  NGX_HTTP_VIDCAST_TEXT_SIZE
#define TEST_LONG   (16 * TEST_FIRST)


static void test_items(void);
static void test_escapes(void);
static void test_empty(void);
static void test_printf_lengths(void);
static void test_string_lengths(void);
static void test_many(void);
static void test_memory(void);
static void test_begin(void);
static ngx_uint_t test_ends(const char *expected);
static size_t test_gather(void);
static ngx_uint_t test_wrong(size_t before, const char *head, size_t n,
    const char *fill, const char *tail);


static ngx_http_vidcast_text_t   test_text;
static ngx_pool_t               *test_pool;
static ngx_uint_t                test_buffers;      /* asked for */
static ngx_int_t                 test_allowed;      /* allocations; -1: all */
static u_char                    test_data[TEST_LONG];
static u_char                    test_all[4 * TEST_LONG];
static u_char                    test_expected[4 * TEST_LONG];


int
main(void)
{
    test_items();
    test_escapes();
    test_empty();
    test_printf_lengths();
    test_string_lengths();
    test_many();
    test_memory();

    ngx_destroy_pool(test_pool);

    return unit_done();
}


static void
test_items(void)
{
    test_begin();

    ngx_http_vidcast_text_begin(&test_text, NULL, '{');
    ngx_http_vidcast_text_item(&test_text, "\"v\":%d,\"w\":%d", 1, 2);
    ngx_http_vidcast_text_begin(&test_text, "empty", '[');
    ngx_http_vidcast_text_end(&test_text, ']');
    ngx_http_vidcast_text_begin(&test_text, "list", '[');
    ngx_http_vidcast_text_begin(&test_text, NULL, '{');
    ngx_http_vidcast_text_string(&test_text, "s", (u_char *) "t", 1);
    ngx_http_vidcast_text_end(&test_text, '}');
    ngx_http_vidcast_text_begin(&test_text, NULL, '{');
    ngx_http_vidcast_text_end(&test_text, '}');
    ngx_http_vidcast_text_item(&test_text, "%s", "true");
    ngx_http_vidcast_text_end(&test_text, ']');
    ngx_http_vidcast_text_item(&test_text, "\"last\":%uL", (uint64_t) -1);
    ngx_http_vidcast_text_end(&test_text, '}');
    ngx_http_vidcast_text_printf(&test_text, CRLF);

    unit_ok(test_ends("{\"v\":1,\"w\":2,\"empty\":[],"
                      "\"list\":[{\"s\":\"t\"},{},true],"
                      "\"last\":18446744073709551615}\r\n"),
            "commas are where JSON wants them");
}


static void
test_escapes(void)
{
    test_begin();

    ngx_http_vidcast_text_string(&test_text, "a", (u_char *) "\"\\\n\0\x1f", 5);
    ngx_http_vidcast_text_string(&test_text, "b", (u_char *) "", 0);

    unit_ok(test_ends("\"a\":\"\\\"\\\\\\n\\u0000\\u001F\",\"b\":\"\""),
            "escapes, and an empty string");

    /* bytes of no character, the last one of them cut off */

    test_begin();

    ngx_http_vidcast_text_string(&test_text, "a", (u_char *)
                                 "\xf6\xc3\xa4 \xc0\x80\xe2\x82", 8);

    unit_ok(test_ends("\"a\":\"?\xc3\xa4 ????\""),
            "what is no UTF-8 is a question mark");
}


static void
test_empty(void)
{
    test_begin();

    unit_ok(test_text.first == NULL && test_text.size == 0, "nothing");

    ngx_http_vidcast_text_printf(&test_text, "%s", "");

    unit_ok(test_text.first == NULL && test_text.size == 0 && !test_text.failed,
            "nothing has no buffer in the chain");

    /* the string fills the first buffer, to the last byte */

    ngx_memset(test_data, 'x', TEST_FIRST);
    ngx_http_vidcast_text_string(&test_text, "s", test_data,
                                 TEST_FIRST - ngx_strlen("\"s\":\"\""));
    ngx_http_vidcast_text_printf(&test_text, "%s", "");

    unit_ok(test_text.size == TEST_FIRST && test_gather() == TEST_FIRST
            && test_text.first->next == NULL,
            "nor behind a full one");
}


/* one of every length, behind others that leave nearly nothing, or all */

static void
test_printf_lengths(void)
{
    size_t      before, len;
    ngx_str_t   name;
    ngx_uint_t  wrong;

    wrong = 0;
    ngx_memset(test_data, 'x', TEST_LONG);

    for (before = TEST_FIRST - 9; before < TEST_FIRST + 9; before++) {
        for (len = 0; len < 19; len++) {
            test_begin();

            name.data = test_data;
            name.len = before;
            ngx_http_vidcast_text_printf(&test_text, "%V", &name);

            name.len = len;
            ngx_http_vidcast_text_printf(&test_text, "<%V>", &name);

            wrong += test_wrong(before, "<", len, "x", ">");
        }
    }

    unit_ok(wrong == 0, "no printf() is cut at the end of the first buffer");

    wrong = 0;

    for (before = 0; before < 5; before++) {
        for (len = TEST_LONG - 9; len <= TEST_LONG; len++) {
            test_begin();

            name.data = test_data;
            name.len = before;
            ngx_http_vidcast_text_printf(&test_text, "%V", &name);

            name.len = len;
            ngx_http_vidcast_text_printf(&test_text, "<%V>", &name);

            wrong += test_wrong(before, "<", len, "x", ">");
        }
    }

    unit_ok(wrong == 0, "nor is a long one");
}


/* a string of those characters that become most when they are escaped */

static void
test_string_lengths(void)
{
    size_t      before, len;
    ngx_str_t   name;
    ngx_uint_t  wrong;
    u_char      control[TEST_FIRST];

    wrong = 0;
    ngx_memset(test_data, 'x', TEST_LONG);
    ngx_memset(control, '\1', sizeof(control));

    for (before = TEST_FIRST - 40; before < TEST_FIRST + 9; before++) {
        for (len = 0; len < 8; len++) {
            test_begin();

            name.data = test_data;
            name.len = before;
            ngx_http_vidcast_text_printf(&test_text, "%V", &name);
            ngx_http_vidcast_text_string(&test_text, "s", control, len);

            wrong += test_wrong(before, "\"s\":\"", len,
                                "\\u0001", "\"");
        }
    }

    unit_ok(wrong == 0, "no string is cut at the end of the first buffer");

    test_begin();
    ngx_http_vidcast_text_string(&test_text, "s", control, sizeof(control));

    unit_ok(test_wrong(0, "\"s\":\"", sizeof(control), "\\u0001", "\"") == 0,
            "nor is a long one");
}


static void
test_many(void)
{
    u_char      *p;
    ngx_uint_t   i, wrong;

    test_begin();

    for (i = 0; i < TEST_LONG / 8; i++) {
        ngx_http_vidcast_text_item(&test_text, "%07ui", i);
    }

    wrong = (test_gather() != TEST_LONG - 1);

    for (i = 0; i < TEST_LONG / 8; i++) {
        p = test_all + 8 * i;
        wrong += (ngx_atoi(p, 7) != (ngx_int_t) i || (i && p[-1] != ','));
    }

    unit_ok(wrong == 0, "many items");
    unit_ok(test_buffers <= 6, "in few buffers: %d", (int) test_buffers);
}


/* each allocation fails once, and from then on every one */

static void
test_memory(void)
{
    ngx_int_t   n;
    ngx_str_t   name;
    ngx_uint_t  wrong;

    wrong = 0;

    for (n = 0; ; n++) {
        test_begin();
        test_allowed = n;

        ngx_http_vidcast_text_begin(&test_text, NULL, '[');
        name.data = test_data;
        name.len = 2 * TEST_FIRST;
        ngx_http_vidcast_text_item(&test_text, "%V", &name);
        ngx_http_vidcast_text_string(&test_text, "s", test_data, TEST_LONG);

        if (!test_text.failed) {
            break;
        }

        test_allowed = -1;
        ngx_http_vidcast_text_string(&test_text, "s", test_data, 1);
        ngx_http_vidcast_text_end(&test_text, ']');

        wrong += !test_text.failed;
        (void) test_gather();
    }

    unit_ok(n > 4 && wrong == 0,
            "without memory it has failed, whatever comes after: %d", (int) n);
}


static void
test_begin(void)
{
    if (test_pool) {
        ngx_destroy_pool(test_pool);
    }

    test_pool = ngx_create_pool(1024, &unit_log);
    if (test_pool == NULL) {
        exit(1);
    }

    test_buffers = 0;
    test_allowed = -1;

    ngx_http_vidcast_text_init(&test_text, test_pool);
}


static ngx_uint_t
test_ends(const char *expected)
{
    size_t  len;

    len = ngx_strlen(expected);

    return test_gather() == len && ngx_memcmp(test_all, expected, len) == 0;
}


/* the text; 0, if a buffer is empty, or its size is not what is in it */

static size_t
test_gather(void)
{
    u_char       *p;
    ngx_chain_t  *cl;

    p = test_all;

    for (cl = test_text.first; cl; cl = cl->next) {
        if (cl->buf->pos == cl->buf->last
            || cl->buf->last > cl->buf->end
            || (cl->next == NULL && cl != test_text.last))
        {
            return 0;
        }

        p = ngx_cpymem(p, cl->buf->pos, cl->buf->last - cl->buf->pos);
    }

    return ((size_t) (p - test_all) == test_text.size) ? test_text.size : 0;
}


/* so many 'x', then head, so many times fill, and tail */

static ngx_uint_t
test_wrong(size_t before, const char *head, size_t n, const char *fill,
    const char *tail)
{
    u_char  *p;
    size_t   i;

    ngx_memset(test_expected, 'x', before);

    p = ngx_cpymem(test_expected + before, head, ngx_strlen(head));

    for (i = 0; i < n; i++) {
        p = ngx_cpymem(p, fill, ngx_strlen(fill));
    }

    p = ngx_cpymem(p, tail, ngx_strlen(tail));

    return test_text.failed
           || test_gather() != (size_t) (p - test_expected)
           || ngx_memcmp(test_all, test_expected, p - test_expected) != 0;
}


static ngx_buf_t *
test_create_temp_buf(ngx_pool_t *pool, size_t size)
{
    if (test_allowed == 0) {
        return NULL;
    }

    test_allowed -= (test_allowed > 0);
    test_buffers++;

    return ngx_create_temp_buf(pool, size);
}


static ngx_chain_t *
test_alloc_chain_link(ngx_pool_t *pool)
{
    if (test_allowed == 0) {
        return NULL;
    }

    test_allowed -= (test_allowed > 0);

    return ngx_alloc_chain_link(pool);
}
