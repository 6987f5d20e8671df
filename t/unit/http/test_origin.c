
/*
 * Copyright (C) vidcast contributors
 */


/*
 * An Origin header is written by a browser, or by anything that wants to be
 * taken for one.  What is compared with the configuration must be an origin and
 * nothing else, wherever a name that may come stands in it.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "http/request/ngx_http_vidcast_origin.c"
#include "unit.h"


static void test_origins(void);
static void test_no_origins(void);
static void test_values(void);
static void test_no_values(void);
static void test_match(void);
static void test_same(void);
static ngx_str_t *test_copy(const char *text);
static ngx_uint_t test_is(ngx_str_t *text, const char *wanted);


static u_char  *copy;


int
main(void)
{
    test_origins();
    test_no_origins();
    test_values();
    test_no_values();
    test_match();
    test_same();

    free(copy);

    return unit_done();
}


static void
test_origins(void)
{
    ngx_uint_t                 i;
    ngx_http_vidcast_origin_t  origin;

    static struct {
        const char  *text;
        const char  *scheme;
        const char  *host;
        ngx_uint_t   port;
    } good[] = {
        { "http://a", "http", "a", 80 },
        { "https://a.example.com", "https", "a.example.com", 443 },
        { "HTTPS://A.Example", "HTTPS", "A.Example", 443 },
        { "http://a:1", "http", "a", 1 },
        { "http://a:65535", "http", "a", 65535 },
        { "http://a.", "http", "a.", 80 },
        { "http://a_b-c", "http", "a_b-c", 80 },
        { "http://127.0.0.1:8080", "http", "127.0.0.1", 8080 },
        { "http://[::1]", "http", "[::1]", 80 },
        { "https://[2001:db8::1]:8443", "https", "[2001:db8::1]", 8443 },
        { "capacitor://localhost", "capacitor", "localhost", 0 },
        { "chrome-extension://abc", "chrome-extension", "abc", 0 },
        { "a1+.-://b", "a1+.-", "b", 0 }
    };

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        unit_ok(ngx_http_vidcast_origin_parse(test_copy(good[i].text), &origin)
                == NGX_OK
                && test_is(&origin.scheme, good[i].scheme)
                && test_is(&origin.host, good[i].host)
                && origin.port == good[i].port
                && origin.sub == 0,
                "%s", good[i].text);
    }
}


static void
test_no_origins(void)
{
    char                       text[300];
    ngx_uint_t                 i;
    ngx_http_vidcast_origin_t  origin;

    static const char  *bad[] = {
        "", "n", "null", "a", "a.b:80", ":", "://", "://a", "//a", "http",
        "http:", "http:/", "http://", "http:a", "http:/a", "http//a",
        "http:///a", "http://a/", "http://a/b", "http://a?b", "http://a#b",
        "http://a\\b", "http://a@b", "http://@b", "http://a:b@c",
        "http://a b", " http://a", "http://a ", "http://a\t", "http://a,b",
        "http://a%2fb", "http://*.a", "http://*", "http://.", "http://.a",
        "http://a..b", "http://a..", "http://:80", "http://a:", "http://a:0",
        "http://a:00", "http://a:080", "http://a:65536", "http://a:100000",
        "http://a:18446744073709551616", "http://a:-1", "http://a:+1",
        "http://a:8x", "http://a:80:80", "http://a: 80", "http://[",
        "http://[]", "http://[:]", "http://[::1", "http://::1", "http://[a]",
        "http://[::1]a", "http://[::1]a:80", "http://[::1]]", "http://a[::1]",
        "http://[::1%25eth0]", "http://[1.2.3.4]", "1http://a", "-http://a",
        "ht_tp://a", "ht tp://a", "http://http://a", "http://\xc3\xa4",
        "http://a\x01", "http://a\x7f"
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        unit_ok(ngx_http_vidcast_origin_parse(test_copy(bad[i]), &origin)
                == NGX_ERROR, "no origin: \"%s\"", bad[i]);
    }

    memcpy(text, "http://", 7);
    memset(text + 7, 'a', 254);

    text[7 + 253] = '\0';
    unit_ok(ngx_http_vidcast_origin_parse(test_copy(text), &origin) == NGX_OK,
            "the longest name");

    text[7 + 253] = 'a';
    text[7 + 254] = '\0';
    unit_ok(ngx_http_vidcast_origin_parse(test_copy(text), &origin)
            == NGX_ERROR, "a longer one");
}


static void
test_values(void)
{
    ngx_uint_t                 i;
    ngx_http_vidcast_origin_t  value;

    static struct {
        const char  *text;
        const char  *scheme;
        const char  *host;
        ngx_uint_t   port;
        ngx_uint_t   sub;
    } good[] = {
        { "a", "", "a", 0, 0 },
        { "a:8080", "", "a", 8080, 0 },
        { "a:443", "", "a", 443, 0 },
        { "*.a", "", "a", 0, 1 },
        { "*.a.b:81", "", "a.b", 81, 1 },
        { "[::1]", "", "[::1]", 0, 0 },
        { "[::1]:80", "", "[::1]", 80, 0 },
        { "https://a", "https", "a", 443, 0 },
        { "http://a:81", "http", "a", 81, 0 },
        { "https://*.a", "https", "a", 443, 1 },
        { "capacitor://localhost", "capacitor", "localhost", 0, 0 }
    };

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        unit_ok(ngx_http_vidcast_origin_value(test_copy(good[i].text), &value)
                == NGX_OK
                && test_is(&value.scheme, good[i].scheme)
                && test_is(&value.host, good[i].host)
                && value.port == good[i].port
                && value.sub == good[i].sub,
                "configured: %s", good[i].text);
    }
}


static void
test_no_values(void)
{
    ngx_uint_t                 i;
    ngx_http_vidcast_origin_t  value;

    static const char  *bad[] = {
        "", "*", "*.", "**.a", "*a", "a*b", "a.*", "*.*.a", "*.[::1]", "a/",
        "/a", "http://", "http://a/", "http://a/b", "://a", "a:", "a:0",
        "a:65536", "a:http", "a@b", "a b", ".a", "::1", "http:a", "file://"
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        unit_ok(ngx_http_vidcast_origin_value(test_copy(bad[i]), &value)
                == NGX_ERROR, "not to be configured: \"%s\"", bad[i]);
    }
}


static void
test_match(void)
{
    ngx_str_t                  one, other;
    ngx_uint_t                 i;
    ngx_http_vidcast_origin_t  origin, value;

    static struct {
        const char  *origin;
        const char  *value;
        ngx_uint_t   match;
    } cases[] = {
        { "http://a", "a", 1 },
        { "https://A:8443", "a", 1 },
        { "http://b", "a", 0 },
        { "ftp://a", "a", 0 },
        { "http://a:8080", "a:8080", 1 },
        { "http://a", "a:8080", 0 },
        { "http://a", "a:80", 1 },
        { "https://a", "a:80", 0 },
        { "https://a", "a:443", 1 },
        { "https://a", "https://a", 1 },
        { "HTTPS://a:443", "https://a", 1 },
        { "http://a", "https://a", 0 },
        { "https://a:80", "https://a", 0 },
        { "http://b.a", "*.a", 1 },
        { "http://c.b.a", "*.a", 1 },
        { "http://a", "*.a", 0 },
        { "http://ba", "*.a", 0 },
        { "http://a.", "*.a", 0 },
        { "http://b.a.c", "*.a", 0 },
        { "https://b.a", "http://*.a", 0 },
        { "x://a", "x://a", 1 },
        { "x://a:80", "x://a", 0 },
        { "x://a", "y://a", 0 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        one.data = (u_char *) cases[i].origin;
        one.len = strlen(cases[i].origin);
        other.data = (u_char *) cases[i].value;
        other.len = strlen(cases[i].value);

        unit_ok(ngx_http_vidcast_origin_parse(&one, &origin) == NGX_OK
                && ngx_http_vidcast_origin_value(&other, &value) == NGX_OK
                && ngx_http_vidcast_origin_match(&origin, &value)
                   == cases[i].match,
                "%s, %s: %d", cases[i].origin, cases[i].value,
                (int) cases[i].match);
    }
}


static void
test_same(void)
{
    ngx_str_t                  one, other;
    ngx_uint_t                 i;
    ngx_http_vidcast_origin_t  origin, host;

    static struct {
        const char  *origin;
        const char  *host;
        ngx_uint_t   same;
    } cases[] = {
        { "http://a", "a", 1 },
        { "https://a", "A", 1 },
        { "https://a", "a:80", 1 },
        { "http://a", "a:443", 1 },
        { "http://a:8080", "a:8080", 1 },
        { "http://a:8080", "a", 0 },
        { "http://a", "a:8080", 0 },
        { "http://b", "a", 0 },
        { "x://a", "a", 0 },
        { "http://[::1]:81", "[::1]:81", 1 }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        one.data = (u_char *) cases[i].origin;
        one.len = strlen(cases[i].origin);
        other.data = (u_char *) cases[i].host;
        other.len = strlen(cases[i].host);

        unit_ok(ngx_http_vidcast_origin_parse(&one, &origin) == NGX_OK
                && ngx_http_vidcast_origin_host(&other, &host) == NGX_OK
                && ngx_http_vidcast_origin_same(&origin, &host)
                   == cases[i].same,
                "%s at %s: %d", cases[i].origin, cases[i].host,
                (int) cases[i].same);
    }
}


/* of just its size, so that a byte read behind it is seen */

static ngx_str_t *
test_copy(const char *text)
{
    static ngx_str_t  str;

    free(copy);

    str.len = strlen(text);
    copy = malloc(str.len ? str.len : 1);
    memcpy(copy, text, str.len);
    str.data = copy;

    return &str;
}


static ngx_uint_t
test_is(ngx_str_t *text, const char *wanted)
{
    return text->len == strlen(wanted)
           && (text->len == 0 || memcmp(text->data, wanted, text->len) == 0);
}
