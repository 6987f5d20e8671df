
/*
 * Copyright (C) vidcast contributors
 */


/*
 * Results which leave together for one viewer: whatever the socket takes of
 * them, at whichever byte it is cut, the viewer gets each of them whole, once
 * and in order, control frames only between two of them, and no reference is
 * left; what leaves in the middle gets what was begun and nothing more.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "unit.h"
#include "unit_ngx.h"

#include "http/websocket/ngx_http_vidcast_connection.c"
#include "http/transport/ngx_http_vidcast_ws.c"

#include "unit_connection.h"


#define TEST_MESSAGES  4


static void test_cuts(ngx_uint_t tls);
static void test_control(void);
static void test_leave(void);
static void test_broken(void);
static void test_open(ngx_uint_t tls);
static ngx_int_t test_begin(size_t room);
static ngx_int_t test_go_on(size_t room);
static ngx_uint_t test_all(size_t size);
static ngx_uint_t test_free(void);
static size_t test_take(u_char *data, size_t size);
static ssize_t test_send(ngx_connection_t *c, u_char *data, size_t size);
static ngx_chain_t *test_send_chain(ngx_connection_t *c, ngx_chain_t *in,
    off_t limit);


static u_char                        test_text[] = "oneTWOandthreeFOURTEEN";
static size_t                        test_sizes[] = { 3, 3, 8, 8 };
static size_t                        test_total = sizeof(test_text) - 1;
static ngx_http_vidcast_message_t    test_messages[TEST_MESSAGES];
static ngx_http_vidcast_message_t   *test_list[TEST_MESSAGES];

static ngx_http_vidcast_ws_t         test_ws;
static ngx_http_request_t            test_request;
static ngx_connection_t              test_connection;
static ngx_event_t                   test_write;
static u_char                        test_got[256];
static size_t                        test_ngot, test_room;
static ngx_uint_t                    test_calls, test_fail;


int
main(void)
{
    test_cuts(0);
    test_cuts(1);
    test_control();
    test_leave();
    test_broken();

    return unit_done();
}


static void
test_cuts(ngx_uint_t tls)
{
    size_t      one, two;
    ngx_uint_t  wrong;

    test_open(tls);

    unit_ok(test_begin(1000) == NGX_OK && test_all(test_total) && test_free(),
            "all leave at once");
    unit_ok(test_calls == (tls ? TEST_MESSAGES : 1),
            "%s", tls ? "TLS takes one after the other" : "by one call");

    wrong = 0;

    for (one = 0; one < test_total; one++) {
        for (two = 0; one + two < test_total; two++) {

            test_open(tls);

            wrong += test_begin(one) != NGX_AGAIN;
            wrong += !test_ws.viewer.session.busy;
            wrong += test_go_on(two) != NGX_AGAIN;
            wrong += test_go_on(1000) != NGX_OK;
            wrong += !test_all(test_total) || !test_free();
        }
    }

    unit_ok(wrong == 0, "cut twice, at every two bytes");
}


static void
test_control(void)
{
    size_t      cut;
    u_char     *p;
    ngx_uint_t  wrong;

    wrong = 0;

    for (cut = 0; cut < test_total; cut++) {
        test_open(0);

        wrong += test_begin(cut) != NGX_AGAIN;

        test_ws.wc.control[0] = '!';
        test_ws.wc.ncontrol = 1;

        wrong += test_go_on(1000) != NGX_OK;

        p = ngx_strlchr(test_got, test_got + test_ngot, '!');

        wrong += p != test_got + test_total || test_ngot != test_total + 1;
        test_ngot--;
        wrong += !test_all(test_total) || !test_free();
    }

    unit_ok(wrong == 0, "a control frame waits till they have left");
}


static void
test_leave(void)
{
    size_t      cut, end;
    ngx_uint_t  i, wrong;

    wrong = 0;

    for (cut = 0; cut < test_total; cut++) {
        test_open(0);

        wrong += test_begin(cut) != NGX_AGAIN;

        ngx_http_vidcast_ws_leave(&test_ws.wc);

        for (end = 0, i = 0; end < cut; i++) {
            end += test_sizes[i];
        }

        wrong += test_go_on(1000) != NGX_OK;
        wrong += !test_all(end) || !test_free();

        test_open(0);

        wrong += test_begin(cut) != NGX_AGAIN;

        test_ws.wc.gone = 1;
        ngx_http_vidcast_ws_leave(&test_ws.wc);

        wrong += !test_free();
    }

    unit_ok(wrong == 0, "one that leaves gets the rest of what was begun");
}


static void
test_broken(void)
{
    test_open(0);

    unit_ok(test_begin(5) == NGX_AGAIN, "cut in the second one");

    test_fail = 1;

    unit_ok(test_go_on(1000) == NGX_ERROR, "a broken connection is told");

    test_ws.wc.gone = 1;
    ngx_http_vidcast_ws_leave(&test_ws.wc);

    unit_ok(test_free(), "and nothing is left");
}


static void
test_open(ngx_uint_t tls)
{
    u_char      *p;
    ngx_uint_t   i;

    ngx_memzero(&test_ws, sizeof(ngx_http_vidcast_ws_t));
    ngx_memzero(&test_request, sizeof(ngx_http_request_t));
    ngx_memzero(&test_connection, sizeof(ngx_connection_t));
    ngx_memzero(&test_write, sizeof(ngx_event_t));

    ngx_io.send_chain = test_send_chain;

    test_connection.write = &test_write;
    test_connection.send = test_send;
    test_connection.send_chain = tls ? NULL : test_send_chain;
    test_request.connection = &test_connection;

    test_ws.wc.request = &test_request;
    test_ws.wc.connection = &test_connection;
    test_ws.wc.user = &ngx_http_vidcast_ws_user;

    p = test_text;

    for (i = 0; i < TEST_MESSAGES; i++) {
        ngx_memzero(&test_messages[i], sizeof(ngx_http_vidcast_message_t));

        test_messages[i].refs = 1;
        test_messages[i].data = p;
        test_messages[i].size = test_sizes[i];
        test_list[i] = &test_messages[i];

        p += test_sizes[i];
    }

    test_ngot = 0;
    test_calls = 0;
    test_fail = 0;
}


static ngx_int_t
test_begin(size_t room)
{
    test_write.ready = 1;
    test_room = room;

    return ngx_http_vidcast_ws_coalesce(&test_ws.viewer, test_list,
                                        TEST_MESSAGES);
}


static ngx_int_t
test_go_on(size_t room)
{
    test_write.ready = 1;
    test_room = room;

    return ngx_http_vidcast_connection_flush(&test_ws.wc);
}


static ngx_uint_t
test_all(size_t size)
{
    return test_ngot == size && ngx_memcmp(test_got, test_text, size) == 0;
}


static ngx_uint_t
test_free(void)
{
    ngx_uint_t  i;

    for (i = 0; i < TEST_MESSAGES; i++) {
        if (test_messages[i].refs != 1) {
            return 0;
        }
    }

    return test_ws.nleaving == 0;
}


static size_t
test_take(u_char *data, size_t size)
{
    size_t  n;

    n = ngx_min(size, test_room);

    ngx_memcpy(test_got + test_ngot, data, n);

    test_ngot += n;
    test_room -= n;
    test_connection.sent += n;

    if (n < size) {
        test_write.ready = 0;
    }

    return n;
}


static ssize_t
test_send(ngx_connection_t *c, u_char *data, size_t size)
{
    size_t  n;

    test_calls++;

    if (test_fail) {
        return NGX_ERROR;
    }

    n = test_take(data, size);

    return n ? (ssize_t) n : NGX_AGAIN;
}


static ngx_chain_t *
test_send_chain(ngx_connection_t *c, ngx_chain_t *in, off_t limit)
{
    test_calls++;

    if (test_fail) {
        return NGX_CHAIN_ERROR;
    }

    for ( /* void */ ; in; in = in->next) {
        in->buf->pos += test_take(in->buf->pos, ngx_buf_size(in->buf));

        if (in->buf->pos < in->buf->last) {
            break;
        }
    }

    return in;
}


/* what the viewer calls */

void
ngx_http_vidcast_message_bytes(ngx_http_vidcast_message_t *message,
    ngx_uint_t v1, ngx_uint_t bits, u_char **data, size_t *size)
{
    *data = message->data;
    *size = message->size;
}


void
ngx_http_vidcast_message_unref(ngx_http_vidcast_message_t *message)
{
    message->refs--;
}


void
ngx_http_vidcast_queue_ready(ngx_http_vidcast_viewer_t *viewer)
{
    viewer->session.busy = 0;
}


/* what this test never comes to */

ngx_int_t
ngx_http_vidcast_handshake_check(ngx_http_request_t *r,
    ngx_http_vidcast_headers_t *headers)
{
    return NGX_ERROR;
}


ngx_http_vidcast_feed_t *
ngx_http_vidcast_feed_find(ngx_http_vidcast_main_conf_t *vmcf, ngx_str_t *name)
{
    return NULL;
}


ngx_int_t
ngx_http_vidcast_viewer_subscribe(ngx_http_vidcast_feed_t *feed,
    ngx_http_vidcast_viewer_t *viewer, ngx_vidcast_point_t *since)
{
    return NGX_ERROR;
}


void
ngx_http_vidcast_viewer_unsubscribe(ngx_http_vidcast_feed_t *feed,
    ngx_http_vidcast_viewer_t *viewer)
{
    /* void */
}


ngx_http_vidcast_message_t *
ngx_http_vidcast_message_error(ngx_http_vidcast_feed_t *feed,
    const char *reason)
{
    return NULL;
}


ngx_int_t
ngx_http_vidcast_params_join(ngx_http_vidcast_params_t *params,
    ngx_http_vidcast_viewer_t *viewer)
{
    return NGX_ERROR;
}


ngx_int_t
ngx_vidcast_command_parse(u_char *data, size_t size,
    ngx_vidcast_command_t *command, const char **reason)
{
    *reason = "";

    return NGX_ERROR;
}


void
ngx_http_vidcast_viewer_wake(ngx_http_vidcast_viewer_t *viewer)
{
    /* void */
}


void
ngx_http_vidcast_feed_wake_on_demand(ngx_http_vidcast_feed_t *feed)
{
    /* void */
}
