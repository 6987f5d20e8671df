
/*
 * Copyright (C) vidcast contributors
 */


/*
 * What a request asks for, within what its location allows.  A wish beyond the
 * location is cut to it in silence, cut or refused, or refused, by its
 * argument; a mistake here gives a viewer what it must not see, or gives
 * nothing to one that asked for less.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "http/request/ngx_http_vidcast_params.c"
#include "core/ngx_vidcast_escape.c"
#include "wire/ngx_vidcast_query.c"

#include "unit.h"
#include "unit_ngx.h"


#define TEST_FEEDS  40
#define TEST_FRONT  0
#define TEST_GATE   1
#define TEST_YARD   2
#define TEST_NEVER  99


static void test_send(void);
static void test_fps(void);
static void test_overlay(void);
static void test_choice(void);
static void test_location(void);
static void test_bad(void);
static void test_since(void);
static void test_join(void);
static void test_refused(void);
static void test_reset(const char *sources);
static ngx_int_t test_read(const char *args);
static ngx_uint_t test_chosen(const char *args, ngx_uint_t first,
    uint32_t chosen);


ngx_module_t                         ngx_http_vidcast_module;

static ngx_http_vidcast_main_conf_t  test_vmcf;
static ngx_http_vidcast_loc_conf_t   test_vlcf;
static ngx_http_vidcast_feed_t       test_feeds[TEST_FEEDS];
static ngx_http_vidcast_feed_t       test_drawn;
static ngx_vidcast_source_t          test_sources[TEST_FEEDS];
static ngx_vidcast_zone_t            test_zones[TEST_FEEDS];
static ngx_vidcast_ring_shm_t        test_rings[TEST_FEEDS];
static u_char                        test_names[TEST_FEEDS][8];
static ngx_http_complex_value_t      test_value;
static ngx_connection_t              test_connection;
static ngx_http_request_t            test_request;
static ngx_http_vidcast_params_t     test_params;
static ngx_http_vidcast_viewer_t     test_viewer;
static ngx_str_t                    *test_id;
static void                         *test_conf[1], *test_main[1];
static ngx_int_t                     test_value_rc, test_join_rc, test_rc;
static ngx_uint_t                    test_subscribed[TEST_FEEDS];
static ngx_vidcast_point_t           test_sinces[TEST_FEEDS];


int
main(void)
{
    test_send();
    test_fps();
    test_overlay();
    test_choice();
    test_location();
    test_bad();
    test_since();
    test_join();
    test_refused();

    return unit_done();
}


/* 0: 403 */

static void
test_send(void)
{
    ngx_int_t   rc;
    ngx_uint_t  i, n;

    static const char  *asked[] = {
        "", "send=results", "send=frames", "send=both", "send=paired"
    };

    static const struct {
        const char  *name;
        ngx_uint_t   given;
        ngx_uint_t   send[5];
    } rows[] = {
        { "results", NGX_HTTP_VIDCAST_RESULTS, {
              NGX_HTTP_VIDCAST_RESULTS, NGX_HTTP_VIDCAST_RESULTS, 0,
              NGX_HTTP_VIDCAST_RESULTS, NGX_HTTP_VIDCAST_RESULTS } },
        { "frames", NGX_HTTP_VIDCAST_FRAMES, {
              NGX_HTTP_VIDCAST_FRAMES, 0, NGX_HTTP_VIDCAST_FRAMES,
              NGX_HTTP_VIDCAST_FRAMES, NGX_HTTP_VIDCAST_FRAMES } },
        { "both", NGX_HTTP_VIDCAST_BOTH, {
              NGX_HTTP_VIDCAST_BOTH, NGX_HTTP_VIDCAST_RESULTS,
              NGX_HTTP_VIDCAST_FRAMES, NGX_HTTP_VIDCAST_BOTH,
              NGX_HTTP_VIDCAST_PAIRED } },
        { "paired", NGX_HTTP_VIDCAST_PAIRED, {
              NGX_HTTP_VIDCAST_PAIRED, NGX_HTTP_VIDCAST_RESULTS, 0,
              NGX_HTTP_VIDCAST_PAIRED, NGX_HTTP_VIDCAST_PAIRED } }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {

        for (n = 0; n < 5; n++) {
            test_reset("front");
            test_vlcf.send = rows[i].given;

            rc = test_read(asked[n]);

            unit_ok(rows[i].send[n]
                    ? (rc == NGX_OK && test_params.send == rows[i].send[n])
                    : rc == NGX_HTTP_FORBIDDEN,
                    "a location of %s, asked \"%s\"", rows[i].name, asked[n]);
        }
    }
}


static void
test_fps(void)
{
    ngx_uint_t  i;

    static const struct {
        ngx_uint_t   given;
        const char  *args;
        uint64_t     interval;
    } rows[] = {
        { 0, "", 0 },
        { 0, "fps=0", 0 },
        { 0, "fps=20", 50000 },
        { 10, "", 100000 },
        { 10, "fps=0", 100000 },
        { 10, "fps=5", 200000 },
        { 10, "fps=20", 100000 },
        { 10, "fps=1000", 100000 }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        test_reset("front");
        test_vlcf.fps = rows[i].given;

        unit_ok(test_read(rows[i].args) == NGX_OK
                && test_params.interval == rows[i].interval
                && test_params.min_interval
                   == (rows[i].given ? 1000000 / rows[i].given : 0),
                "vidcast_fps %zu, asked \"%s\"", rows[i].given, rows[i].args);
    }
}


static void
test_overlay(void)
{
    ngx_uint_t  i;

    static const struct {
        ngx_uint_t   given;
        const char  *args;
        ngx_int_t    rc;
        ngx_uint_t   drawn;
    } rows[] = {
        { 0, "", NGX_OK, 0 },
        { 0, "overlay=off", NGX_OK, 0 },
        { 0, "overlay=on", NGX_HTTP_FORBIDDEN, 0 },
        { 1, "", NGX_OK, 1 },
        { 1, "overlay=off", NGX_OK, 0 },
        { 1, "overlay=on", NGX_OK, 1 }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        test_reset("gate,front");
        test_vlcf.overlay = rows[i].given;

        unit_ok(test_read(rows[i].args) == rows[i].rc,
                "overlay=%s, asked \"%s\"", rows[i].given ? "on" : "off",
                rows[i].args);

        if (rows[i].rc != NGX_OK) {
            continue;
        }

        ngx_http_vidcast_params_overlay(&test_request, &test_params);

        unit_ok((test_params.feeds[1] == &test_drawn) == rows[i].drawn
                && test_params.feeds[0] == &test_feeds[TEST_GATE],
                "it gets %s pictures, and plain ones where there are no others",
                rows[i].drawn ? "drawn" : "plain");
    }
}


static void
test_choice(void)
{
    test_reset("front,gate");

    unit_ok(test_chosen("", TEST_FRONT, 3), "all of the location's");
    unit_ok(test_chosen("source=front", TEST_FRONT, 1), "one of them");
    unit_ok(test_chosen("source=gate", TEST_GATE, 2), "the other one");
    unit_ok(test_chosen("source=gate,front", TEST_FRONT, 3),
            "both; the first is the location's first");

    unit_ok(test_read("source=yard") == NGX_HTTP_NOT_FOUND,
            "one that is not the location's");
    unit_ok(test_read("source=nobody") == NGX_HTTP_NOT_FOUND,
            "one that is nobody's, with the same answer");
    unit_ok(test_read("source=front,yard") == NGX_HTTP_NOT_FOUND,
            "one that is, with one that is not");
}


static void
test_location(void)
{
    int         i;
    char       *p, names[TEST_FEEDS * 8];
    ngx_uint_t  errors;

    test_reset(NULL);
    unit_ok(test_chosen("", TEST_FRONT, 1), "the only one needs no name");

    p = names;

    for (i = 0; i < NGX_HTTP_VIDCAST_MAX_WATCH; i++) {
        p += sprintf(p, "%s%s", i ? "," : "", test_names[i]);
    }

    test_reset(names);
    unit_ok(test_chosen("", TEST_FRONT, 0xffffffff), "as many as there may be");

    errors = unit_log_count[NGX_LOG_ERR];

    (void) sprintf(p, ",%s", test_names[NGX_HTTP_VIDCAST_MAX_WATCH]);

    test_reset(names);
    unit_ok(test_read("") == NGX_HTTP_NOT_FOUND
            && strstr(unit_log_last, "too many sources, at \"s32\""),
            "one more than that");

    test_reset("front,nobody");
    unit_ok(test_read("fps=x") == NGX_HTTP_NOT_FOUND
            && strstr(unit_log_last, "no vidcast_source \"nobody\""),
            "by variables, a source that is not there; before all arguments");

    unit_ok(unit_log_count[NGX_LOG_ERR] == errors + 2, "both are errors");

    test_reset("front");
    test_value_rc = NGX_ERROR;
    unit_ok(test_read("") == NGX_HTTP_INTERNAL_SERVER_ERROR,
            "variables without memory");

    test_reset("front");
    test_vmcf.feeds = NULL;
    unit_ok(test_read("") == NGX_HTTP_INTERNAL_SERVER_ERROR,
            "a worker without feeds");
}


static void
test_bad(void)
{
    ngx_uint_t  i, lines;

    static const char  *args[] = {
        "fps=x", "send=all", "since=x", "after=-1", "max_age=", "source=",
        "overlay=maybe", "fps=1&fps=1"
    };

    test_reset("front");

    /* nothing is allowed, but a wrong value is told first */

    for (i = 0; i < sizeof(args) / sizeof(args[0]); i++) {
        lines = unit_log_count[NGX_LOG_INFO];

        unit_ok(test_read(args[i]) == NGX_HTTP_BAD_REQUEST
                && unit_log_count[NGX_LOG_INFO] == lines + 1
                && strstr(unit_log_last, "client sent invalid argument \""),
                "400: %s", args[i]);
    }

    unit_ok(test_read("send=frames&fps=x") == NGX_HTTP_BAD_REQUEST,
            "400, not 403");
    unit_ok(test_read("utm_source=x&FPS=x") == NGX_OK, "others are ignored");
}


static void
test_since(void)
{
    ngx_vidcast_point_t  *since;

    static ngx_str_t  id = ngx_string("0123456789abcdef-42");
    static ngx_str_t  other = ngx_string("somebody else's");
    static ngx_str_t  empty = ngx_string("");

    since = &test_params.query.since;

    test_reset("front");
    unit_ok(test_read("") == NGX_OK
            && !(test_params.query.has & NGX_VIDCAST_QUERY_SINCE),
            "no point");

    test_id = &id;
    unit_ok(test_read("") == NGX_OK
            && (test_params.query.has & NGX_VIDCAST_QUERY_SINCE)
            && since->epoch == 0x0123456789abcdef && since->seq == 42,
            "Last-Event-ID");
    unit_ok(test_read("since=7") == NGX_OK && since->any && since->seq == 7,
            "the query is stronger");

    test_id = &other;
    unit_ok(test_read("") == NGX_OK
            && (test_params.query.has & NGX_VIDCAST_QUERY_SINCE)
            && since->any && since->seq == NGX_HTTP_VIDCAST_PARAMS_NEVER,
            "a text of another server is a point of other times");

    test_id = &empty;
    unit_ok(test_read("") == NGX_OK
            && !(test_params.query.has & NGX_VIDCAST_QUERY_SINCE),
            "an empty one is none");
}


static void
test_join(void)
{
    test_reset("front,gate,yard");
    test_vlcf.send = NGX_HTTP_VIDCAST_PAIRED;
    test_vlcf.fps = 10;
    test_vlcf.backlog = 7;

    unit_ok(test_read("source=front,yard&since=0000000000000002-5") == NGX_OK
            && ngx_http_vidcast_params_join(&test_params, &test_viewer)
               == NGX_OK,
            "a viewer of two of three");

    unit_ok(test_viewer.results && test_viewer.frames && test_viewer.paired
            && test_viewer.interval == 100000 && test_viewer.backlog == 7,
            "has what was settled");
    unit_ok(test_subscribed[TEST_FRONT] == 1 && test_subscribed[TEST_GATE] == 0
            && test_subscribed[TEST_YARD] == 1,
            "is subscribed to these");
    unit_ok(test_sinces[TEST_YARD].seq == 5
            && test_sinces[TEST_YARD].epoch == 2 && !test_sinces[TEST_YARD].any
            && test_sinces[TEST_FRONT].seq == 5,
            "each with the point that it asked for");
    unit_ok(test_viewer.stats.source.len == 10
            && memcmp(test_viewer.stats.source.data, "front,yard", 10) == 0,
            "its variables have their names");

    unit_ok(test_read("send=results&source=gate&since=3") == NGX_OK
            && ngx_http_vidcast_params_join(&test_params, &test_viewer)
               == NGX_OK
            && test_viewer.results && !test_viewer.frames
            && !test_viewer.paired && test_sinces[TEST_GATE].seq == 3
            && test_sinces[TEST_GATE].any,
            "results alone, by a number of any epoch");

    unit_ok(test_read("source=gate") == NGX_OK
            && ngx_http_vidcast_params_join(&test_params, &test_viewer)
               == NGX_OK
            && test_sinces[TEST_GATE].seq == TEST_NEVER,
            "and without a point");
}


static void
test_refused(void)
{
    ngx_int_t  rc;

    test_reset("front");
    test_rc = NGX_BUSY;

    rc = test_read("");
    unit_ok(rc == NGX_OK
            && ngx_http_vidcast_params_join(&test_params, &test_viewer)
               == NGX_HTTP_SERVICE_UNAVAILABLE,
            "a source with viewers enough");

    test_rc = NGX_ERROR;
    unit_ok(ngx_http_vidcast_params_join(&test_params, &test_viewer)
            == NGX_HTTP_INTERNAL_SERVER_ERROR, "no memory");

    test_reset("front");
    test_join_rc = NGX_BUSY;

    rc = test_read("");
    unit_ok(rc == NGX_OK
            && ngx_http_vidcast_params_join(&test_params, &test_viewer)
               == NGX_HTTP_SERVICE_UNAVAILABLE
            && test_subscribed[TEST_FRONT] == 0,
            "a worker that is leaving, before any source");
}


/* a location of these sources, which sends results; NULL: of the only one */

static void
test_reset(const char *sources)
{
    ngx_uint_t  i;

    if (test_request.pool) {
        ngx_destroy_pool(test_request.pool);
    }

    ngx_memzero(&test_vmcf, sizeof(test_vmcf));
    ngx_memzero(&test_vlcf, sizeof(test_vlcf));
    ngx_memzero(&test_request, sizeof(test_request));
    ngx_memzero(&test_viewer, sizeof(test_viewer));
    ngx_memzero(test_subscribed, sizeof(test_subscribed));

    for (i = 0; i < TEST_FEEDS; i++) {
        (void) sprintf((char *) test_names[i], i == TEST_FRONT ? "front"
                       : i == TEST_GATE ? "gate"
                       : i == TEST_YARD ? "yard" : "s%d", (int) i);

        test_sources[i].name.data = test_names[i];
        test_sources[i].name.len = strlen((char *) test_names[i]);

        test_zones[i].ring.shm = &test_rings[i];
        test_feeds[i].source = &test_sources[i];
        test_feeds[i].zone = &test_zones[i];
    }

    test_feeds[TEST_FRONT].overlay = &test_drawn;

    test_vmcf.feeds = test_feeds;
    test_vlcf.send = NGX_HTTP_VIDCAST_RESULTS;

    if (sources) {
        test_value.value.data = (u_char *) sources;
        test_value.value.len = strlen(sources);
        test_vlcf.source = &test_value;
    }

    test_conf[0] = &test_vlcf;
    test_main[0] = &test_vmcf;

    test_connection.log = &unit_log;

    test_request.connection = &test_connection;
    test_request.loc_conf = test_conf;
    test_request.main_conf = test_main;
    test_request.pool = ngx_create_pool(1024, &unit_log);

    test_viewer.session.request = &test_request;

    test_id = NULL;
    test_value_rc = NGX_OK;
    test_join_rc = NGX_OK;
    test_rc = NGX_OK;
}


static ngx_int_t
test_read(const char *args)
{
    test_request.args.data = (u_char *) args;
    test_request.args.len = strlen(args);

    ngx_memset(&test_params, 0x5a, sizeof(test_params));

    return ngx_http_vidcast_params_read(&test_request, &test_params);
}


static ngx_uint_t
test_chosen(const char *args, ngx_uint_t first, uint32_t chosen)
{
    return test_read(args) == NGX_OK && test_params.chosen == chosen
           && ngx_http_vidcast_params_feed(&test_params) == &test_feeds[first];
}


void
ngx_http_vidcast_headers_read(ngx_http_request_t *r,
    ngx_http_vidcast_headers_t *headers)
{
    ngx_memzero(headers, sizeof(ngx_http_vidcast_headers_t));
    headers->last_event_id = test_id;
}


ngx_int_t
ngx_http_complex_value(ngx_http_request_t *r, ngx_http_complex_value_t *val,
    ngx_str_t *value)
{
    *value = val->value;

    return test_value_rc;
}


ngx_uint_t
ngx_http_vidcast_log_limit(ngx_http_request_t *r, ngx_uint_t kind)
{
    return kind == NGX_HTTP_VIDCAST_LOG_SOURCE;
}


ngx_http_vidcast_feed_t *
ngx_http_vidcast_feed_find(ngx_http_vidcast_main_conf_t *vmcf, ngx_str_t *name)
{
    ngx_uint_t  i;

    for (i = 0; i < TEST_FEEDS; i++) {
        if (ngx_vidcast_equal(&test_sources[i].name, name)) {
            return &vmcf->feeds[i];
        }
    }

    return NULL;
}


ngx_int_t
ngx_http_vidcast_variables_set(ngx_http_request_t *r,
    ngx_http_vidcast_viewer_stats_t *stats)
{
    return NGX_OK;
}


ngx_int_t
ngx_http_vidcast_viewer_join(ngx_http_vidcast_viewer_t *viewer)
{
    return test_join_rc;
}


ngx_int_t
ngx_http_vidcast_viewer_subscribe(ngx_http_vidcast_feed_t *feed,
    ngx_http_vidcast_viewer_t *viewer, ngx_vidcast_point_t *since)
{
    static ngx_vidcast_point_t  never = { 0, TEST_NEVER, 0 };

    test_subscribed[feed - test_feeds]++;
    test_sinces[feed - test_feeds] = since ? *since : never;

    return test_rc;
}
