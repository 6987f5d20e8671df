
/*
 * Copyright (C) vidcast contributors
 */


/*
 * When a viewer of MJPEG sees a placeholder in place of a picture, and when
 * its stream is ended: a rule of states and times, which no test of a whole
 * nginx could go through.  An end too early is a camera that nobody ever sees;
 * an end that never comes leaves a program with nothing.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "unit.h"
#include "unit_ngx.h"

#include "core/ngx_vidcast_escape.c"
#include "http/offline/ngx_http_vidcast_offline.c"
#include "http/offline/ngx_http_vidcast_placeholders.c"


static void test_words(void);
static void test_hold(void);
static void test_picture(void);
static void test_close(void);
static void test_look(void);
static void test_answer(void);
static ngx_uint_t test_decide(ngx_uint_t policy, ngx_uint_t state,
    ngx_uint_t dark, ngx_uint_t shown, ngx_msec_t since);


ngx_module_t                         ngx_http_vidcast_module;

static ngx_http_vidcast_main_conf_t  test_vmcf;
static ngx_http_vidcast_feed_t       test_feed;
static ngx_vidcast_source_t          test_source;
static ngx_http_vidcast_life_t       test_life;
static ngx_uint_t                    test_past;
static ngx_str_t                     test_state, test_text;
static ngx_pool_t                   *test_pool;


int
main(void)
{
    test_pool = ngx_create_pool(4096, &unit_log);

    test_feed.vmcf = &test_vmcf;
    test_feed.source = &test_source;

    test_words();
    test_hold();
    test_picture();
    test_close();
    test_look();
    test_answer();

    ngx_destroy_pool(test_pool);

    return unit_done();
}


static void
test_words(void)
{
    ngx_uint_t                               n;
    const ngx_http_vidcast_offline_words_t  *words;

    for (n = 0; n < NGX_HTTP_VIDCAST_CAUSES; n++) {
        words = &ngx_http_vidcast_offline_words[n];

        unit_ok(words->title.len > 0 && words->title.len <= 20,
                "the title has room: %s", words->title.data);
        unit_ok(words->line.len > 0 && words->line.len <= 50,
                "the line has room: %s", words->line.data);
        unit_ok(words->hint.len > 0, "there is a hint: %s", words->hint.data);
    }
}


static void
test_hold(void)
{
    ngx_uint_t  state;

    for (state = 0; state < NGX_VIDCAST_STATES; state++) {
        unit_ok(test_decide(NGX_HTTP_VIDCAST_HOLD, state, 1, 0, 100000)
                == NGX_HTTP_VIDCAST_SHOW_PLACEHOLDER,
                "hold: nothing was shown, state %d", (int) state);
        unit_ok(test_decide(NGX_HTTP_VIDCAST_HOLD, state, 1, 1, 100000)
                == NGX_HTTP_VIDCAST_SHOW_PICTURE,
                "hold: the last one stays, state %d", (int) state);
    }
}


static void
test_picture(void)
{
    ngx_uint_t  state, shown;

    for (state = 0; state < NGX_VIDCAST_STATES; state++) {
        unit_ok(test_decide(NGX_HTTP_VIDCAST_PICTURE, state, 1, 0, 0)
                == NGX_HTTP_VIDCAST_SHOW_PLACEHOLDER,
                "picture: nothing was shown, state %d", (int) state);

        shown = (state == NGX_VIDCAST_ENDED);

        unit_ok(test_decide(NGX_HTTP_VIDCAST_PICTURE, state, 1, 1, 0)
                == (shown ? NGX_HTTP_VIDCAST_SHOW_PICTURE
                          : NGX_HTTP_VIDCAST_SHOW_PLACEHOLDER),
                "picture: the last one, state %d", (int) state);
    }

    unit_ok(test_decide(NGX_HTTP_VIDCAST_PICTURE, NGX_VIDCAST_LIVE, 0, 1, 0)
            == NGX_HTTP_VIDCAST_SHOW_PICTURE, "picture: it is live");
    unit_ok(test_decide(NGX_HTTP_VIDCAST_PICTURE, NGX_VIDCAST_STALE, 0, 1, 0)
            == NGX_HTTP_VIDCAST_SHOW_PICTURE, "picture: it is slow");
}


static void
test_close(void)
{
    ngx_uint_t  state, waits;

    for (state = 0; state < NGX_VIDCAST_STATES; state++) {

        waits = (state == NGX_VIDCAST_STARTING
                 || state == NGX_VIDCAST_SLEEPING
                 || state == NGX_VIDCAST_LIVE);

        unit_ok(test_decide(NGX_HTTP_VIDCAST_CLOSE, state, 1, 1, 2999)
                == NGX_HTTP_VIDCAST_SHOW_PICTURE,
                "close: it may be back at once, state %d", (int) state);
        unit_ok(test_decide(NGX_HTTP_VIDCAST_CLOSE, state, 1, 0, 3000)
                == (waits ? NGX_HTTP_VIDCAST_SHOW_PICTURE
                          : NGX_HTTP_VIDCAST_SHOW_END),
                "close: lost, or about to come, state %d", (int) state);
        unit_ok(test_decide(NGX_HTTP_VIDCAST_CLOSE, state, 1, 0, 15000)
                == NGX_HTTP_VIDCAST_SHOW_END,
                "close: not forever, state %d", (int) state);
    }

    unit_ok(test_decide(NGX_HTTP_VIDCAST_CLOSE, NGX_VIDCAST_LIVE, 0, 1, 999999)
            == NGX_HTTP_VIDCAST_SHOW_PICTURE, "close: it is live");
    unit_ok(test_decide(NGX_HTTP_VIDCAST_CLOSE, NGX_VIDCAST_LIVE, 0, 0, 15000)
            == NGX_HTTP_VIDCAST_SHOW_END, "close: it says so, and gives none");

    /* it was lost long before this viewer came, and the other way round */

    ngx_current_msec = 100000;
    test_feed.state = NGX_VIDCAST_RECONNECTING;
    test_feed.dark = 1;
    test_feed.darkened = 10;

    unit_ok(ngx_http_vidcast_offline_decide(&test_feed,
                                            NGX_HTTP_VIDCAST_CLOSE, 0, 98000)
            == NGX_HTTP_VIDCAST_SHOW_PICTURE, "close: a new viewer");

    test_feed.darkened = 98000;

    unit_ok(ngx_http_vidcast_offline_decide(&test_feed,
                                            NGX_HTTP_VIDCAST_CLOSE, 1, 10)
            == NGX_HTTP_VIDCAST_SHOW_PICTURE, "close: just lost");
}


static void
test_look(void)
{
    test_feed.dark = 0;
    test_feed.darkened = 0;

    ngx_current_msec = 5000;
    test_life.pid = 1;
    test_life.state = NGX_VIDCAST_LIVE;
    ngx_http_vidcast_offline_look(&test_feed);

    unit_ok(test_feed.state == NGX_VIDCAST_LIVE && !test_feed.dark, "live");

    test_life.state = NGX_VIDCAST_RECONNECTING;
    ngx_http_vidcast_offline_look(&test_feed);

    unit_ok(test_feed.dark && test_feed.darkened == 5000, "lost, since now");

    ngx_current_msec = 6000;
    test_life.state = NGX_VIDCAST_FAILED;
    ngx_http_vidcast_offline_look(&test_feed);

    unit_ok(test_feed.dark && test_feed.darkened == 5000, "since then");
    unit_ok(test_feed.cause == NGX_VIDCAST_FAILED, "by its state");

    test_life.state = NGX_VIDCAST_STALE;
    test_past = 0;
    ngx_http_vidcast_offline_look(&test_feed);

    unit_ok(!test_feed.dark, "stale, but only slow");

    test_past = 1;
    ngx_http_vidcast_offline_look(&test_feed);

    unit_ok(test_feed.dark && test_feed.darkened == 6000, "stale");

    test_past = 0;
    test_source.input.push = 1;
    ngx_http_vidcast_offline_look(&test_feed);

    unit_ok(test_feed.dark, "a publisher is silent");

    test_life.state = NGX_VIDCAST_OFF;
    ngx_http_vidcast_offline_look(&test_feed);

    unit_ok(test_feed.state == NGX_VIDCAST_OFF
            && test_feed.cause == NGX_HTTP_VIDCAST_NO_PUBLISHER,
            "no publisher");

    test_life.pid = 0;
    ngx_http_vidcast_offline_look(&test_feed);

    unit_ok(test_feed.cause == NGX_VIDCAST_OFF, "no capture process");

    test_source.input.push = 0;
}


static void
test_answer(void)
{
    ngx_connection_t    c;
    ngx_http_request_t  r;

    static const char  expected[] =
        "There is no picture of \"front\", which is reconnecting: "
        "a\\x0Ab <i> \\x5C." CRLF
        "It is tried again and again: look at the camera, its cable or "
        "network, and its \"input\"." CRLF;

    ngx_memzero(&c, sizeof(ngx_connection_t));
    ngx_memzero(&r, sizeof(ngx_http_request_t));

    r.connection = &c;
    r.pool = test_pool;

    ngx_str_set(&test_source.name, "front");

    test_life.pid = 1;
    test_life.state = NGX_VIDCAST_RECONNECTING;
    (void) ngx_cpystrn(test_life.error, (u_char *) "a\nb <i> \\",
                       NGX_VIDCAST_ERROR_LEN);

    unit_ok(ngx_http_vidcast_offline_answer(&r, &test_feed)
            == NGX_HTTP_SERVICE_UNAVAILABLE, "the status");
    unit_ok(test_state.len == 12
            && ngx_strncmp(test_state.data, "reconnecting", 12) == 0,
            "the state in a header");
    unit_ok(test_text.len == sizeof(expected) - 1
            && ngx_strncmp(test_text.data, expected, test_text.len) == 0,
            "the reason is escaped, and what to do follows");

    ngx_memset(test_life.error, '\n', NGX_VIDCAST_ERROR_LEN - 1);

    (void) ngx_http_vidcast_offline_answer(&r, &test_feed);

    unit_ok(test_text.len > 4 * (NGX_VIDCAST_ERROR_LEN - 1)
            && test_text.data[test_text.len - 1] == '\n',
            "the longest one is not cut");
}


static ngx_uint_t
test_decide(ngx_uint_t policy, ngx_uint_t state, ngx_uint_t dark,
    ngx_uint_t shown, ngx_msec_t since)
{
    ngx_current_msec = 1000000;

    test_feed.state = state;
    test_feed.dark = dark;
    test_feed.darkened = ngx_current_msec - since;

    return ngx_http_vidcast_offline_decide(&test_feed, policy, shown,
                                           ngx_current_msec - since);
}


/* the neighbors */

void
ngx_http_vidcast_status_life(ngx_vidcast_conf_t *conf,
    ngx_vidcast_source_t *source, ngx_http_vidcast_life_t *life,
    ngx_log_t *log)
{
    *life = test_life;
}


ngx_uint_t
ngx_http_vidcast_status_past(ngx_vidcast_source_t *source, uint64_t time)
{
    return test_past;
}


ngx_str_t *
ngx_vidcast_state_name(ngx_uint_t state)
{
    static ngx_str_t  name = ngx_string("reconnecting");

    return &name;
}


ngx_int_t
ngx_vidcast_placeholder(ngx_str_t *title, ngx_str_t *line, u_char *dst,
    size_t *size)
{
    return NGX_ERROR;
}


ngx_int_t
ngx_http_vidcast_add_header(ngx_http_request_t *r, const char *name,
    ngx_str_t *value)
{
    test_state = *value;

    return NGX_OK;
}


ngx_int_t
ngx_http_vidcast_response_error(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t *type, ngx_str_t *text)
{
    test_text = *text;

    return status;
}
