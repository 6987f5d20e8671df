
/*
 * Copyright (C) vidcast contributors
 */


/*
 * Commands are JSON that a stranger wrote.  What is one of ours must be taken
 * in each form that JSON has for it, what is not must be refused with a reason
 * that can stand in a JSON text, and nothing may be read beyond the end.
 */

#include "wire/ngx_vidcast_command.c"
#include "unit.h"


#define TEST_NAME_63  "01234567890123456789012345678901234567890123456789"    \
                      "0123456789ABC"


static void test_plain(void);
static void test_fps(void);
static void test_fps_refused(void);
static void test_source(void);
static void test_refused(void);
static void test_depth(void);
static void test_cut(void);
static void test_garbage(void);
static ngx_int_t test_parse(const void *data, size_t size);
static ngx_int_t test_parse_text(const char *text);
static ngx_uint_t test_reason_ok(void);


static const char             *reason;
static ngx_vidcast_command_t   command;


int
main(void)
{
    test_plain();
    test_fps();
    test_fps_refused();
    test_source();
    test_refused();
    test_depth();
    test_cut();
    test_garbage();

    return unit_done();
}


static void
test_plain(void)
{
    ngx_uint_t  i;

    static const struct {
        const char             *text;
        ngx_vidcast_command_e   type;
    } good[] = {
        { "{\"type\":\"pause\"}", NGX_VIDCAST_COMMAND_PAUSE },
        { "{\"type\":\"resume\"}", NGX_VIDCAST_COMMAND_RESUME },
        { "{\"type\":\"ack\"}", NGX_VIDCAST_COMMAND_ACK },
        { " \t\r\n{ \"type\" : \"ack\" } \n", NGX_VIDCAST_COMMAND_ACK },
        { "{\"\\u0074ype\":\"\\u0061ck\"}", NGX_VIDCAST_COMMAND_ACK },
        { "{\"later\":{\"type\":\"fps\"},\"type\":\"pause\",\"value\":[-1]}",
          NGX_VIDCAST_COMMAND_PAUSE },
        { "{\"type\":\"resume\",\"source\":7}", NGX_VIDCAST_COMMAND_RESUME },
        { "{\"\":null,\"\xe2\x82\xac\":1e9,\"type\":\"ack\"}",
          NGX_VIDCAST_COMMAND_ACK }
    };

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        unit_ok(test_parse_text(good[i].text) == NGX_OK
                && command.type == good[i].type, "%s", good[i].text);
    }
}


static void
test_fps(void)
{
    ngx_uint_t  i;

    static const struct {
        const char  *value;
        uint64_t     interval;
    } good[] = {
        { "0", 0 },
        { "0.0", 0 },
        { "-0", 0 },
        { "-0.0", 0 },
        { "0e5", 0 },
        { "1", 1000000 },
        { "1.0", 1000000 },
        { "5", 200000 },
        { "5e0", 200000 },
        { "0.5e1", 200000 },
        { "30", 33333 },
        { "29.97", 33366 },
        { "0.5", 2000000 },
        { "0.01", 100000000 },
        { "1000", 1000 },
        { "1000.0", 1000 },
        { "1E3", 1000 }
    };

    char  text[100];

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        snprintf(text, sizeof(text), "{\"value\":%s,\"type\":\"fps\"}",
                 good[i].value);

        command.interval = 12345;

        unit_ok(test_parse_text(text) == NGX_OK
                && command.type == NGX_VIDCAST_COMMAND_FPS
                && command.interval == good[i].interval,
                "fps %s", good[i].value);
    }
}


static void
test_fps_refused(void)
{
    ngx_uint_t  i;

    static const char  *bad[] = {
        "{\"type\":\"fps\"}",
        "{\"type\":\"fps\",\"Value\":5}",
        "{\"type\":\"fps\",\"value\":\"5\"}",
        "{\"type\":\"fps\",\"value\":null}",
        "{\"type\":\"fps\",\"value\":true}",
        "{\"type\":\"fps\",\"value\":[5]}",
        "{\"type\":\"fps\",\"value\":{}}",
        "{\"type\":\"fps\",\"value\":-1}",
        "{\"type\":\"fps\",\"value\":-0.5}",
        "{\"type\":\"fps\",\"value\":0.0099}",
        "{\"type\":\"fps\",\"value\":1e-300}",
        "{\"type\":\"fps\",\"value\":1001}",
        "{\"type\":\"fps\",\"value\":1000.5}",
        "{\"type\":\"fps\",\"value\":1e300}",
        "{\"type\":\"fps\",\"value\":9223372036854775807}"
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        unit_ok(test_parse_text(bad[i]) == NGX_DECLINED
                && test_reason_ok()
                && strstr(reason, "value"), "refused: %s", bad[i]);
    }
}


static void
test_source(void)
{
    size_t       len;
    ngx_uint_t   i;

    static const char  *names[] = {
        "a", "front", "cam-1.b_C", TEST_NAME_63, "\xc3\xa4"
    };

    static const char  *bad[] = {
        "", ",\"source\":null", ",\"source\":5", ",\"source\":[\"front\"]",
        ",\"source\":\"\"", ",\"source\":\"" TEST_NAME_63 "D\"",
        ",\"Source\":\"front\""
    };

    char  text[200];

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(text, sizeof(text),
                 "{\"type\":\"%ssubscribe\",\"source\":\"%s\"}",
                 (i & 1) ? "un" : "", names[i]);

        len = strlen(names[i]);
        memset(&command, 0xff, sizeof(command));

        unit_ok(test_parse_text(text) == NGX_OK
                && command.type == ((i & 1) ? NGX_VIDCAST_COMMAND_UNSUBSCRIBE
                                            : NGX_VIDCAST_COMMAND_SUBSCRIBE)
                && command.source.len == len
                && memcmp(command.source.data, names[i], len) == 0,
                "%s", text);
    }

    /* the name is the command's own: the text may go */

    unit_ok(command.source.data == command.name, "the name is kept");

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(text, sizeof(text), "{\"type\":\"%ssubscribe\"%s}",
                 (i & 1) ? "un" : "", bad[i]);

        unit_ok(test_parse_text(text) == NGX_DECLINED
                && test_reason_ok()
                && strstr(reason, "source"), "refused: %s", text);
    }

    /* a NUL must not make a shorter name of it */

    unit_ok(test_parse_text("{\"type\":\"subscribe\","
                            "\"source\":\"front\\u0000x\"}")
            == NGX_DECLINED
            || command.source.len != 5, "a NUL in a name");
}


static void
test_refused(void)
{
    ngx_uint_t  i;

    static const char  *bad[] = {
        "", " ", "x", "null", "5", "\"pause\"", "[]", "{}", "[{}]",
        "{\"type\":\"pause\"", "{\"type\":\"pause\"}}", "{\"type\":\"pause\"}x",
        "{\"type\":\"pause\"}{\"type\":\"pause\"}",
        "{\"type\":\"pause\",}", "{type:\"pause\"}", "{'type':'pause'}",
        "{\"type\":\"pause\",\"type\":\"pause\"}",
        "{\"type\":\"pause\",\"a\":1,\"a\":2}",
        "{\"type\":\"pa\nuse\"}", "{\"type\":\"\xff\"}",
        "{\"type\":\"pause\",\"a\":\"\xed\xa0\x80\"}",
        "{\"type\":\"pause\",\"a\":\"\\ud800\"}",
        "{\"type\":\"pause\",\"a\":1e999}",
        "{\"type\":\"pause\",\"a\":99999999999999999999}",
        "{\"type\":\"pause\",\"a\":01}", "{\"type\":\"pause\",\"a\":NaN}",
        "{\"type\":null}", "{\"type\":1}", "{\"type\":[]}",
        "{\"type\":{\"type\":\"pause\"}}", "{\"Type\":\"pause\"}",
        "{\"type\":\"\"}", "{\"type\":\"Pause\"}", "{\"type\":\"pauses\"}",
        "{\"type\":\"paus\"}", "{\"type\":\" pause\"}", "{\"type\":\"quit\"}"
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        unit_ok(test_parse_text(bad[i]) == NGX_DECLINED && test_reason_ok(),
                "refused: %s", bad[i]);
    }
}


/* arrays and objects in each other must not use up the stack */

static void
test_depth(void)
{
    size_t       n, size;
    u_char      *text;
    ngx_uint_t   i;

    size = 1 << 20;
    text = malloc(size);

    for (i = 0; i < 3; i++) {

        for (n = 0; n < size; n++) {
            text[n] = (i == 0) ? '[' : (i == 1) ? "{\"a\":"[n % 5] : '"';
        }

        unit_ok(test_parse(text, size) == NGX_DECLINED && test_reason_ok(),
                "a megabyte of %c", text[0]);
    }

    free(text);
}


/* whole it is good, and no beginning of it is, nor read beyond its end */

static void
test_cut(void)
{
    size_t      size;
    ngx_uint_t  taken;

    static const char  text[] =
        "{\"type\":\"subscribe\",\"source\":\"front\",\"a\":[1,2.5,true]}";

    taken = 0;

    for (size = 0; size < sizeof(text) - 1; size++) {
        taken += (test_parse(text, size) != NGX_DECLINED);
    }

    unit_ok(taken == 0, "no beginning of a command is one");
    unit_ok(test_parse(text, sizeof(text) - 1) == NGX_OK, "all of it is");
}


/* bytes changed at random: anything may come out, but for a crash */

static void
test_garbage(void)
{
    u_char      *p;
    size_t       i, n, size;
    ngx_int_t    rc;
    ngx_uint_t   bad;

    static const char  *texts[] = {
        "{\"type\":\"subscribe\",\"source\":\"front\"}",
        "{\"type\":\"fps\",\"value\":29.97}",
        "{\"type\":\"pause\",\"a\":{\"b\":[null,\"\\u00e4\\ud83c\\udfa5\"]}}"
    };

    static u_char  copy[100];

    srand(1);
    bad = 0;

    for (i = 0; i < 60000; i++) {
        size = strlen(texts[i % 3]);
        memcpy(copy, texts[i % 3], size);

        for (n = rand() % 4; n != (size_t) -1; n--) {
            p = &copy[rand() % size];
            *p = (rand() & 1) ? (u_char) rand() : (u_char) (*p ^ (rand() & 7));
        }

        rc = test_parse(copy, size);

        if (rc == NGX_OK) {
            bad += (command.type > NGX_VIDCAST_COMMAND_UNSUBSCRIBE)
                   || (command.type >= NGX_VIDCAST_COMMAND_SUBSCRIBE
                       && (command.source.len == 0
                           || command.source.len > NGX_VIDCAST_MAX_NAME));

        } else {
            bad += (rc != NGX_DECLINED || !test_reason_ok());
        }
    }

    unit_ok(bad == 0, "60,000 commands with wrong bytes");
}


/* from memory that ends where the text does, so that a sanitizer sees */

static ngx_int_t
test_parse(const void *data, size_t size)
{
    u_char     *copy;
    ngx_int_t   rc;

    copy = malloc(size ? size : 1);
    memcpy(copy, data, size);

    reason = NULL;

    rc = ngx_vidcast_command_parse(copy, size, &command, &reason);

    free(copy);

    return rc;
}


static ngx_int_t
test_parse_text(const char *text)
{
    return test_parse(text, strlen(text));
}


/* it is put into a JSON text as it is */

static ngx_uint_t
test_reason_ok(void)
{
    char           text[200];
    json_t        *json;
    ngx_uint_t     ok;
    json_error_t   error;

    if (reason == NULL) {
        return 0;
    }

    snprintf(text, sizeof(text), "{\"error\":\"%s\"}", reason);

    json = json_loads(text, 0, &error);
    ok = (json != NULL);

    json_decref(json);

    return ok;
}
