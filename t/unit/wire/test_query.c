
/*
 * Copyright (C) vidcast contributors
 */


/*
 * Whoever has the URL writes the query.  What is known must be exact: a
 * number taken for another one is a stream that nobody asked for, and what
 * is accepted today cannot be refused tomorrow.
 */

#include "wire/ngx_vidcast_query.c"
#include "unit.h"


#define TEST_EPOCH  "0123456789abcdef-"

#define TEST_64     "0123456789012345678901234567890123456789012345678901234" \
                    "56789ABCD"


static void test_fps(void);
static void test_send(void);
static void test_since(void);
static void test_after(void);
static void test_max_age(void);
static void test_overlay(void);
static void test_source(void);
static void test_source_many(void);
static void test_names(void);
static void test_twice(void);
static void test_garbage(void);
static ngx_int_t test_parse(const char *args, size_t len);
static ngx_int_t test_parse_text(const char *args);
static void test_refused(const char *args, const char *name);
static ngx_uint_t test_sources(const char *args, const char *names);
static ngx_uint_t test_only(ngx_uint_t has);


static u_char               *copy;
static ngx_str_t             error;
static ngx_vidcast_query_t   query;


int
main(void)
{
    test_fps();
    test_send();
    test_since();
    test_after();
    test_max_age();
    test_overlay();
    test_source();
    test_source_many();
    test_names();
    test_twice();
    test_garbage();

    free(copy);

    return unit_done();
}


static void
test_fps(void)
{
    ngx_uint_t  i;

    static const struct {
        const char  *args;
        uint64_t     interval;
    } good[] = {
        { "fps=1", 1000000 },
        { "fps=30", 33333 },
        { "fps=29.97", 33367 },
        { "fps=0.01", 100000000 },
        { "fps=0.010", 100000000 },
        { "fps=0.5", 2000000 },
        { "fps=1000", 1000 },
        { "fps=1000.000000", 1000 },
        { "fps=1000.0000009", 1000 },
        { "fps=007", 142857 },
        { "fps=0.30000000000000004", 3333333 },
        { "fps=0", 0 },
        { "fps=0.0", 0 }
    };

    static const char  *bad[] = {
        "fps", "fps=", "fps=0.009999", "fps=1000.000001", "fps=1001", "fps=-1",
        "fps=+1", "fps=1e2", "fps=.5", "fps=5.", "fps=.", "fps=1..2",
        "fps=1.2.3", "fps=1,5", "fps= 1", "fps=1%20", "fps=1 ", "fps=x",
        "fps=NaN", "fps=inf", "fps=0x10", "fps=%31", "fps=1=1", "fps==1",
        "fps=18446744073709551617", "fps=99999999999999999999999999999999"
    };

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        unit_ok(test_parse_text(good[i].args) == NGX_OK
                && query.interval == good[i].interval
                && test_only(NGX_VIDCAST_QUERY_FPS), "%s", good[i].args);
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        test_refused(bad[i], "fps");
    }
}


static void
test_send(void)
{
    unit_ok(test_parse_text("send=results") == NGX_OK
            && query.send == NGX_VIDCAST_QUERY_RESULTS
            && test_only(NGX_VIDCAST_QUERY_SEND), "send=results");

    unit_ok(test_parse_text("send=frames") == NGX_OK
            && query.send == NGX_VIDCAST_QUERY_FRAMES
            && test_only(NGX_VIDCAST_QUERY_SEND), "send=frames");

    unit_ok(test_parse_text("send=both") == NGX_OK
            && query.send == NGX_VIDCAST_QUERY_BOTH
            && test_only(NGX_VIDCAST_QUERY_SEND), "send=both");

    unit_ok(test_parse_text("send=paired") == NGX_OK
            && query.send == NGX_VIDCAST_QUERY_PAIRED
            && test_only(NGX_VIDCAST_QUERY_SEND), "send=paired");

    test_refused("send", "send");
    test_refused("send=", "send");
    test_refused("send=result", "send");
    test_refused("send=resultss", "send");
    test_refused("send=Both", "send");
    test_refused("send=results,frames", "send");
    test_refused("a=b&send=all", "send");
}


static void
test_since(void)
{
    ngx_str_t            text;
    ngx_uint_t           i;
    ngx_vidcast_point_t  point;

    static const char  *bad[] = {
        "since", "since=", "since=-", "since=-1", "since=1-1", "since=a",
        "since=" TEST_EPOCH, "since=" TEST_EPOCH "x", "since=" TEST_EPOCH "-1",
        "since=" TEST_EPOCH "1-", "since=0123456789abcdeg-1",
        "since=0123456789abcde-1", "since=00123456789abcdef-1",
        "since=18446744073709551616", "since=99999999999999999999",
        "since=" TEST_EPOCH "18446744073709551616", "since=1.0",
        "since=0x0123456789abcdef-1", "since=%30", "since=1+"
    };

    unit_ok(test_parse_text("since=" TEST_EPOCH "42") == NGX_OK
            && query.since.epoch == 0x0123456789abcdef
            && query.since.seq == 42 && query.since.any == 0
            && test_only(NGX_VIDCAST_QUERY_SINCE), "since=EPOCH-SEQ");

    unit_ok(test_parse_text("since=FEDCBA9876543210-0") == NGX_OK
            && query.since.epoch == 0xfedcba9876543210
            && query.since.seq == 0 && query.since.any == 0,
            "since=, an epoch of capitals");

    unit_ok(test_parse_text("since=0000000000000000-7") == NGX_OK
            && query.since.epoch == 0 && query.since.seq == 7
            && query.since.any == 0, "since=, an epoch of zeros is one");

    unit_ok(test_parse_text("since=18446744073709551615") == NGX_OK
            && query.since.epoch == 0
            && query.since.seq == 18446744073709551615U
            && query.since.any == 1, "since=SEQ, the largest");

    unit_ok(test_parse_text("since=00000000000000000000000042") == NGX_OK
            && query.since.seq == 42 && query.since.any == 1,
            "since=SEQ, with zeros");

    unit_ok(test_parse_text("since=1234567890123456") == NGX_OK
            && query.since.seq == 1234567890123456 && query.since.any == 1,
            "since=SEQ, as long as an epoch");

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        test_refused(bad[i], "since");
    }

    ngx_str_set(&text, TEST_EPOCH "42");
    unit_ok(ngx_vidcast_query_point(&text, &point) == NGX_OK
            && point.epoch == 0x0123456789abcdef && point.seq == 42
            && point.any == 0, "Last-Event-ID");

    ngx_str_set(&text, TEST_EPOCH "42, 43");
    unit_ok(ngx_vidcast_query_point(&text, &point) == NGX_ERROR,
            "Last-Event-ID of somebody else");

    ngx_str_set(&text, "");
    unit_ok(ngx_vidcast_query_point(&text, &point) == NGX_ERROR,
            "Last-Event-ID that is empty");
}


static void
test_after(void)
{
    unit_ok(test_parse_text("after=0") == NGX_OK && query.after == 0
            && test_only(NGX_VIDCAST_QUERY_AFTER), "after=0");

    unit_ok(test_parse_text("after=18446744073709551615") == NGX_OK
            && query.after == 18446744073709551615U, "after=, the largest");

    test_refused("after", "after");
    test_refused("after=", "after");
    test_refused("after=18446744073709551616", "after");
    test_refused("after=18446744073709551620", "after");
    test_refused("after=-1", "after");
    test_refused("after=1.5", "after");
    test_refused("after=" TEST_EPOCH "42", "after");
}


static void
test_overlay(void)
{
    unit_ok(test_parse_text("overlay=on") == NGX_OK && query.overlay
            && test_only(NGX_VIDCAST_QUERY_OVERLAY), "overlay=on");
    unit_ok(test_parse_text("overlay=off") == NGX_OK && !query.overlay
            && test_only(NGX_VIDCAST_QUERY_OVERLAY), "overlay=off");

    test_refused("overlay", "overlay");
    test_refused("overlay=", "overlay");
    test_refused("overlay=1", "overlay");
    test_refused("overlay=ON", "overlay");
    test_refused("overlay=on&overlay=on", "overlay");
}


static void
test_max_age(void)
{
    ngx_uint_t  i;

    static const struct {
        const char  *args;
        uint64_t     max_age;
    } good[] = {
        { "max_age=0", 0 },
        { "max_age=5", 5000000 },
        { "max_age=0.5", 500000 },
        { "max_age=0.000001", 1 },
        { "max_age=0.0000019", 1 },
        { "max_age=1.25", 1250000 },
        { "max_age=500ms", 500000 },
        { "max_age=5s", 5000000 },
        { "max_age=1m", 60000000 },
        { "max_age=1m30s", 90000000 },
        { "max_age=1000000000", 1000000000000000 },
        { "max_age=1000000000s", 1000000000000000 }
    };

    static const char  *bad[] = {
        "max_age", "max_age=", "max_age=-1", "max_age=.5", "max_age=5.",
        "max_age=s", "max_age=ms", "max_age=0.5s", "max_age=5x",
        "max_age=1s1m", "max_age=1M", "max_age=1y", "max_age=1000000001",
        "max_age=1000000000.000001", "max_age=1000000001s",
        "max_age=9223372036854775807s", "max_age=9223372036854775808ms",
        "max_age=99999999999999999999999", "max_age=1%6ds"
    };

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        unit_ok(test_parse_text(good[i].args) == NGX_OK
                && query.max_age == good[i].max_age
                && test_only(NGX_VIDCAST_QUERY_MAX_AGE), "%s", good[i].args);
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        test_refused(bad[i], "max_age");
    }
}


static void
test_source(void)
{
    ngx_uint_t  i;

    static const char  *bad[] = {
        "source", "source=", "source=,", "source=a,", "source=,a",
        "source=a,,b", "source=a%2C", "source=%2Ca", "source=a%2C%2cb",
        "source=a,a", "source=a,b,a", "source=a%2Ca", "source=a b",
        "source=a+b", "source=a%20b", "source=%61", "source=a%2", "source=a%",
        "source=a%2D", "source=a%3Cb", "source=a/b", "source=a;b",
        "source=a=b", "source=a\"b", "source=\xc3\xa4", "source=a@b",
        "source=a[b", "source=" TEST_64, "source=a," TEST_64 ",b"
    };

    unit_ok(test_sources("source=front", "front|"), "source=, one");
    unit_ok(test_sources("source=a,b", "a|b|"), "source=, two");
    unit_ok(test_sources("source=a%2Cb%2cc", "a|b|c|"),
            "source=, commas that are escaped");
    unit_ok(test_sources("x=1&source=A-b_c.9,%2x", NULL),
            "source=, an escape that is no comma");
    unit_ok(test_sources("x=1&source=A-b_c.9,-,_,.,0,Z,z&y",
                         "A-b_c.9|-|_|.|0|Z|z|"),
            "source=, all kinds of characters");
    unit_ok(test_sources("source=a,A,ab", "a|A|ab|"),
            "source=, names that are not the same");

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        test_refused(bad[i], "source");
    }
}


static void
test_source_many(void)
{
    int    i;
    char  *p, *q, args[1024], names[1024];

    p = args + sprintf(args, "source=");
    q = names;

    for (i = 0; i < NGX_VIDCAST_QUERY_MAX_SOURCES; i++) {
        p += sprintf(p, "%ss%d", i ? "," : "", i);
        q += sprintf(q, "s%d|", i);
    }

    unit_ok(test_sources(args, names), "source=, as many as there may be");

    sprintf(p, ",one");
    test_refused(args, "source");

    sprintf(args, "source=%.63s,b", TEST_64);
    sprintf(names, "%.63s|b|", TEST_64);
    unit_ok(test_sources(args, names), "source=, the longest name");
}


static void
test_names(void)
{
    ngx_uint_t  i;

    static const char  *args[] = {
        "", "&", "&&&", "=", "=&=", "_=1763693000", "1763693000", "t=1&t=2",
        "FPS=x", "fps2=x", "fp=x", "%66ps=x", " fps=x", "sends=x", "sinc=x",
        "max-age=x", "sources=,", "action=stream", "utm_source=x",
        "\x80\xff=\x01"
    };

    for (i = 0; i < sizeof(args) / sizeof(args[0]); i++) {
        unit_ok(test_parse_text(args[i]) == NGX_OK && test_only(0),
                "not ours: \"%s\"", args[i][0] & 0x80 ? "bytes" : args[i]);
    }

    unit_ok(test_parse_text("fps=10&_=1&send=both&&since=5&after=6&max_age=7"
                            "&source=a%2Cb&overlay=on&") == NGX_OK
            && query.has == NGX_VIDCAST_QUERY_ALL && query.interval == 100000
            && query.send == NGX_VIDCAST_QUERY_BOTH && query.since.seq == 5
            && query.after == 6 && query.max_age == 7000000
            && query.nsources == 2, "all of them");

    unit_ok(test_parse("fps=1\0" "0", 7) == NGX_ERROR, "a null in a value");
    unit_ok(test_parse("fps\0=x", 6) == NGX_OK && test_only(0),
            "a null in a name");
}


static void
test_twice(void)
{
    char        args[64];
    ngx_str_t  *name;
    ngx_uint_t  i, n;

    static const struct {
        const char  *name;
        const char  *value;
        const char  *other;
    } values[] = {
        { "fps", "1", "2" },
        { "send", "both", "both" },
        { "since", "1", "2" },
        { "after", "1", "1" },
        { "max_age", "1", "1" },
        { "source", "a", "b" },
        { "overlay", "on", "off" }
    };

    for (n = 0; ngx_vidcast_query_names[n].has; n++) {
        name = &ngx_vidcast_query_names[n].name;

        for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {

            if (strcmp((char *) name->data, values[i].name) == 0) {
                sprintf(args, "%s=%s&%s=%s", name->data, values[i].value,
                        name->data, values[i].other);
                test_refused(args, values[i].name);
                break;
            }
        }

        unit_ok(i < sizeof(values) / sizeof(values[0]),
                "%s has values here", name->data);
    }

    test_refused("fps=0&send=both&fps=1", "fps");
    test_refused("fps=1&fps", "fps");
}


/* only that a sanitizer has nothing to say, and what is told is inside */

static void
test_garbage(void)
{
    char        args[64];
    size_t      i, len;
    uint32_t    seed;
    ngx_str_t  *name;
    ngx_uint_t  n, word, bad, good, refused, met;

    static const char  *words[] = {
        "&", "=", "%2C", ",", "a", "1", ".", "0123456789abcdef-", "ms", "both",
        "on"
    };

    static const ngx_uint_t  names = sizeof(ngx_vidcast_query_names)
                                     / sizeof(ngx_vidcast_query_name_t) - 1;

    seed = 2463534242;
    met = 0;
    bad = 0;
    good = 0;
    refused = 0;

    for (n = 0; n < 20000; n++) {
        len = 0;

        for (i = 0; i < 5; i++) {
            seed ^= seed << 13;
            seed ^= seed >> 17;
            seed ^= seed << 5;

            word = seed % (names + sizeof(words) / sizeof(words[0]));

            if (word < names) {
                name = &ngx_vidcast_query_names[word].name;
                len += sprintf(args + len, "%.9s=", name->data);

            } else {
                len += sprintf(args + len, "%.10s", words[word - names]);
            }
        }

        if (test_parse(args, len) == NGX_OK) {
            good++;
            met |= query.has;

            for (i = 0; i < query.nsources; i++) {
                bad += query.sources[i].data < copy
                       || query.sources[i].data + query.sources[i].len
                          > copy + len;
            }

        } else {
            refused++;

            bad += error.data < copy || error.data + error.len > copy + len
                   || error.len < 3;
        }
    }

    unit_ok(bad == 0 && good > 1000 && refused > 1000,
            "%zu mixtures were good, %zu were refused", good, refused);
    unit_ok(met == NGX_VIDCAST_QUERY_ALL, "in them is each argument: %zx", met);
}


/* of exactly its size, so that a sanitizer sees a step too far */

static ngx_int_t
test_parse(const char *args, size_t len)
{
    ngx_str_t  text;

    free(copy);

    text.len = len;
    text.data = copy = malloc(len ? len : 1);
    memcpy(copy, args, len);

    memset(&query, 0x5a, sizeof(query));
    ngx_str_null(&error);

    return ngx_vidcast_query_parse(&text, &query, &error);
}


static ngx_int_t
test_parse_text(const char *args)
{
    return test_parse(args, strlen(args));
}


static void
test_refused(const char *args, const char *name)
{
    unit_ok(test_parse_text(args) == NGX_ERROR && error.len == strlen(name)
            && memcmp(error.data, name, error.len) == 0,
            "refused: %.80s", args);
}


static ngx_uint_t
test_sources(const char *args, const char *names)
{
    size_t      i, len;
    ngx_str_t  *source;

    if (test_parse_text(args) != NGX_OK) {
        return names == NULL;
    }

    if (names == NULL || !test_only(NGX_VIDCAST_QUERY_SOURCE)) {
        return 0;
    }

    for (i = 0; i < query.nsources; i++) {
        source = &query.sources[i];
        len = source->len;

        if (memcmp(source->data, names, len) != 0 || names[len] != '|') {
            return 0;
        }

        names += len + 1;
    }

    return *names == '\0';
}


/* the others are zero */

static ngx_uint_t
test_only(ngx_uint_t has)
{
    return query.has == has
           && (query.interval == 0 || (has & NGX_VIDCAST_QUERY_FPS))
           && (query.send == 0 || (has & NGX_VIDCAST_QUERY_SEND))
           && (query.after == 0 || (has & NGX_VIDCAST_QUERY_AFTER))
           && (query.overlay == 0 || (has & NGX_VIDCAST_QUERY_OVERLAY))
           && (query.max_age == 0 || (has & NGX_VIDCAST_QUERY_MAX_AGE))
           && (query.since.seq == 0 || (has & NGX_VIDCAST_QUERY_SINCE))
           && (query.nsources == 0 || (has & NGX_VIDCAST_QUERY_SOURCE));
}
