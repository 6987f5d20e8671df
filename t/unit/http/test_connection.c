
/*
 * Copyright (C) vidcast contributors
 */


/*
 * A WebSocket connection between its socket and its user: however the bytes
 * come, the user gets each message once and whole, none while it holds, and
 * none after the close; control frames leave in one piece and between
 * messages; a peer that is silent, or breaks the protocol, is sent away once.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "unit.h"
#include "unit_ngx.h"

#include "http/websocket/ngx_http_vidcast_connection.c"

#include "unit_connection.h"


static void test_messages(void);
static void test_holding(void);
static void test_pong(void);
static void test_half(void);
static void test_ping(void);
static void test_close(void);
static void test_peer_closes(void);
static void test_invalid(void);
static void test_chunks(void);
static void test_turn(void);
static void test_read_handler(ngx_event_t *rev);
static void test_open(void);
static void test_frame(ngx_uint_t first, const char *text);
static void test_feed(size_t size);
static void test_writable(size_t room);
static ngx_uint_t test_is(u_char *got, size_t n, const char *expected,
    size_t size);
static ssize_t test_recv(ngx_connection_t *c, u_char *buf, size_t size);
static ssize_t test_send(ngx_connection_t *c, u_char *buf, size_t size);
static ngx_int_t test_message(ngx_http_vidcast_connection_t *wc,
    ngx_uint_t opcode, u_char *data, size_t size);
static ngx_int_t test_data(ngx_http_vidcast_connection_t *wc,
    ngx_vidcast_ws_event_t *event);
static u_char *test_get_buffer(ngx_http_vidcast_connection_t *wc, size_t size);
static ngx_int_t test_flush(ngx_http_vidcast_connection_t *wc);
static void test_ready(ngx_http_vidcast_connection_t *wc);
static void test_leave(ngx_http_vidcast_connection_t *wc);


#define test_got_is(s)   test_is(test_got, test_ngot, s, sizeof(s) - 1)
#define test_sent_is(s)  test_is(test_sent, test_nsent, s, sizeof(s) - 1)


static ngx_http_vidcast_session_handlers_t  test_handlers = {
    "peer", NULL, NULL, NULL, NULL, NULL, NULL
};


static ngx_http_vidcast_wc_user_t  test_user = {
    test_message, NULL, NULL, test_flush, test_ready, test_leave
};


static ngx_http_vidcast_wc_user_t  test_chunk_user = {
    NULL, test_data, test_get_buffer, test_flush, test_ready, test_leave
};


static ngx_http_vidcast_connection_t  test_wc;
static ngx_http_vidcast_headers_t     test_headers;
static ngx_http_vidcast_session_t     test_session;
static ngx_http_vidcast_loc_conf_t    test_vlcf;
static ngx_http_vidcast_main_conf_t   test_vmcf;
static uint64_t                       test_waits;
static ngx_http_request_t             test_request;
static ngx_connection_t               test_connection;
static ngx_event_t                    test_read, test_write;
static ngx_buf_t                      test_header_in;
static void                          *test_conf[1], *test_main[1], *test_ctx[1];

static u_char                         test_recv_buffer[
                                          NGX_HTTP_VIDCAST_RECV_BUFFER];
static u_char                         test_in[4096];    /* from the peer */
static size_t                         test_nin, test_pos, test_last;
static u_char                         test_sent[4096];  /* to it */
static size_t                         test_nsent, test_room;
static u_char                         test_got[4096];   /* by the user */
static size_t                         test_ngot;
static u_char                         test_buffer[64];  /* the user's */
static ngx_uint_t                     test_lent, test_hold, test_nready;
static ngx_uint_t                     test_nleave;
static const char                    *test_out;         /* the user's, or 0 */
static size_t                         test_out_sent;


int
main(void)
{
    ngx_queue_init(&ngx_posted_events);
    ngx_queue_init(&ngx_posted_next_events);

    test_messages();
    test_holding();
    test_pong();
    test_half();
    test_ping();
    test_close();
    test_peer_closes();
    test_invalid();
    test_chunks();
    test_turn();

    return unit_done();
}


static void
test_messages(void)
{
    size_t      size, all;
    ngx_uint_t  wrong;

    wrong = 0;
    all = 1;

    for (size = 1; size <= all; size++) {
        test_open();

        test_frame(0x81, "one");
        test_frame(0x01, "t");
        test_frame(0x00, "w");
        test_frame(0x89, "");
        test_frame(0x80, "o");
        test_frame(0x81, "");
        test_frame(0x82, "three");

        all = test_nin;

        test_feed(size);

        wrong += !test_got_is("one;two;;three;");
        wrong += test_wc.inbound.text != NULL;
        wrong += unit_finalized;
    }

    unit_ok(wrong == 0, "whole messages, of one and several frames, however "
            "many bytes come at a time");
}


/* what has come is kept, and TCP has the rest */

static void
test_holding(void)
{
    size_t      size;
    ngx_uint_t  i, wrong;

    wrong = 0;

    for (size = 1; size < 40; size++) {
        test_open();

        test_hold = 1;

        for (i = 0; i < 3; i++) {
            test_frame(0x81, "m");
        }

        test_feed(size);

        wrong += !test_got_is("m;") || !test_wc.holding;

        test_wc.holding = 0;
        ngx_http_vidcast_connection_resume(&test_wc);
        wrong += !test_read.posted;
        ngx_delete_posted_event(&test_read);
        test_feed(size);

        wrong += !test_got_is("m;m;");

        test_wc.holding = 0;
        test_feed(size);

        wrong += !test_got_is("m;m;m;") || test_wc.kept != NULL;
    }

    unit_ok(wrong == 0, "one that holds gets one message each time");

    test_open();

    test_hold = 1;
    test_frame(0x81, "m");
    test_frame(0x81, "m");
    test_feed(100);

    unit_ok(test_wc.kept != NULL, "what came meanwhile is kept");

    ngx_http_vidcast_connection_cleanup(&test_wc);

    unit_ok(test_wc.kept == NULL && test_nleave == 1 && unit_left == 1,
            "and freed with the request");
}


static void
test_pong(void)
{
    test_open();

    test_frame(0x89, "a");
    test_feed(100);

    unit_ok(test_sent_is("\x8a\x01" "a"), "a ping is answered with its bytes");

    test_open();
    test_room = 0;
    test_write.ready = 0;

    test_frame(0x89, "a");
    test_frame(0x89, "b");
    test_frame(0x89, "c");
    test_feed(100);

    test_writable(100);

    unit_ok(test_sent_is("\x8a\x01" "c"), "of several the newest");
}


/* a control frame of which the socket took a part */

static void
test_half(void)
{
    test_open();
    test_room = 2;

    test_frame(0x89, "abc");
    test_feed(100);

    test_frame(0x89, "d");
    test_frame(0x89, "e");
    test_out = "message";
    test_feed(100);

    test_writable(100);

    unit_ok(test_sent_is("\x8a\x03" "abc" "message" "\x8a\x01" "e"),
            "it is finished first, then a message, then the newest pong");
    unit_ok(test_nready == 1 && !test_wc.busy && !test_session.busy,
            "and the user is told once");
}


static void
test_ping(void)
{
    test_open();

    unit_ok(ngx_http_vidcast_connection_ping(&test_wc) == NGX_OK
            && test_nsent == 0,
            "a peer that was just heard is not asked");

    ngx_current_msec += 1000;

    unit_ok(ngx_http_vidcast_connection_ping(&test_wc) == NGX_OK
            && test_sent_is("\x89\x00"),
            "a silent one is");

    ngx_current_msec += 400;
    test_frame(0x8a, "");
    test_feed(100);

    ngx_current_msec += 400;

    unit_ok(ngx_http_vidcast_connection_ping(&test_wc) == NGX_OK,
            "it answers");

    ngx_current_msec += 1000;
    (void) ngx_http_vidcast_connection_ping(&test_wc);
    ngx_current_msec += 499;

    unit_ok(ngx_http_vidcast_connection_ping(&test_wc) == NGX_OK,
            "it has the time for it");

    ngx_current_msec += 1;

    unit_ok(ngx_http_vidcast_connection_ping(&test_wc) == NGX_ERROR,
            "which ends");

    test_open();
    test_wc.holding = 1;
    ngx_current_msec += 10000;

    unit_ok(ngx_http_vidcast_connection_ping(&test_wc) == NGX_OK
            && test_nsent == 0,
            "one that is not read cannot answer, and is not asked");

    test_open();
    test_wc.busy = 1;

    (void) ngx_http_vidcast_connection_ping(&test_wc);

    unit_ok(test_session.busy, "one that takes nothing may stall");
}


static void
test_close(void)
{
    test_open();

    unit_ok(ngx_http_vidcast_connection_close(&test_wc, 1001, "") == NGX_OK
            && test_sent_is("\x88\x02\x03\xe9"),
            "a close frame");
    unit_ok(test_nleave == 1 && unit_left == 1 && test_read.timer_set,
            "the user and the session leave, and the peer has a time limit");

    test_frame(0x81, "late");
    test_feed(100);

    unit_ok(test_ngot == 0, "messages are not taken any more");

    test_frame(0x88, "\x03\xe9");
    test_feed(100);

    unit_ok(unit_finalized == 1 && unit_rc == NGX_OK && !test_read.timer_set,
            "the peer's frame ends it");
    unit_ok(test_nsent == 4 && unit_left == 1, "nothing is done twice");

    test_open();

    (void) ngx_http_vidcast_connection_close(&test_wc, 1001, "");
    ngx_event_del_timer(&test_read);
    test_read.timedout = 1;
    ngx_http_vidcast_connection_read_handler(&test_request);

    unit_ok(unit_finalized == 1 && unit_rc == NGX_ERROR,
            "or the time does");

    test_open();
    test_room = 0;
    test_write.ready = 0;

    (void) ngx_http_vidcast_connection_close(&test_wc, 1013, "full");
    test_frame(0x88, "\x03\xe8");
    test_feed(100);

    unit_ok(unit_finalized == 0, "it is not over before ours has left");

    test_writable(100);

    unit_ok(unit_finalized == 1 && test_sent_is("\x88\x06\x03\xf5" "full"),
            "then it is");
    unit_ok(test_nready == 0, "and nobody is told to send");
}


static void
test_peer_closes(void)
{
    test_open();

    test_frame(0x88, "\x03\xe8");
    test_frame(0x81, "late");
    test_feed(100);

    unit_ok(test_sent_is("\x88\x02\x03\xe8") && unit_finalized == 1
            && unit_rc == NGX_OK && test_ngot == 0,
            "a close of the peer is answered, and ends it");

    test_open();

    test_last = test_nin;
    test_connection.read->eof = 1;
    test_feed(100);

    unit_ok(unit_finalized == 1 && unit_rc == NGX_HTTP_CLIENT_CLOSED_REQUEST,
            "or it just leaves");
}


static void
test_invalid(void)
{
    test_open();

    test_frame(0x83, "x");
    test_frame(0x81, "late");
    test_feed(100);

    unit_ok(test_sent_is("\x88\x02\x03\xea") && unit_finalized == 1
            && test_ngot == 0,
            "invalid data is answered with 1002");
    unit_ok(test_request.lingering_close, "what is on its way is discarded");
    unit_ok(ngx_strcmp(unit_log_last,
                       "peer sent invalid websocket data, close code 1002")
            == 0, "by its name: %s", unit_log_last);

    test_open();

    test_vlcf.max_message = 4;
    ngx_vidcast_ws_reader_init(&test_wc.reader, 4);
    test_frame(0x81, "12345");
    test_feed(100);

    unit_ok(test_sent_is("\x88\x02\x03\xf1"), "one that is too long with 1009");

    test_vlcf.max_message = 1000;
}


/* the user has a place for them, or not */

static void
test_chunks(void)
{
    test_open();
    test_wc.user = &test_chunk_user;

    test_frame(0x02, "chunk");
    test_frame(0x80, "ed");
    test_feed(100);

    unit_ok(test_got_is("chunk<ed<;"), "chunks of a message");

    test_open();
    test_wc.user = &test_chunk_user;
    test_lent = 1;

    test_frame(0x82, "where it is wanted");
    test_feed(8);

    unit_ok(test_got_is("wh<ere it i<s wanted<;")
            && ngx_memcmp(test_buffer, "s wanted", 8) == 0,
            "all but what came with the header is read to the user's buffer");
}


/* it says much: the rest of it is for later, and lost with the connection */

static void
test_turn(void)
{
    ngx_uint_t  i;

    test_open();

    for (i = 0; i < NGX_HTTP_VIDCAST_TURN_MESSAGES + 10; i++) {
        test_frame(0x81, "m");
    }

    test_last = test_nin;
    ngx_http_vidcast_connection_read_handler(&test_request);

    unit_ok(test_ngot == 2 * NGX_HTTP_VIDCAST_TURN_MESSAGES
            && test_wc.turn.waiting && test_waits == 1,
            "a turn ends after some messages");

    ngx_http_vidcast_connection_read_handler(&test_request);

    unit_ok(test_ngot == 2 * NGX_HTTP_VIDCAST_TURN_MESSAGES,
            "an event is no turn");

    ngx_current_msec += 10000;

    unit_ok(ngx_http_vidcast_connection_ping(&test_wc) == NGX_OK
            && test_nsent == 0,
            "one that waits may have answered, and is not asked");

    test_read.handler = test_read_handler;

    ngx_delete_posted_event(&test_vmcf.turns.event);
    test_vmcf.turns.event.handler(&test_vmcf.turns.event);

    unit_ok(test_ngot == 2 * NGX_HTTP_VIDCAST_TURN_MESSAGES + 20
            && !test_wc.turn.waiting && test_wc.kept == NULL,
            "the next one has the rest");

    for (i = 0; i < NGX_HTTP_VIDCAST_TURN_MESSAGES + 10; i++) {
        test_frame(0x81, "m");
    }

    test_last = test_nin;
    ngx_http_vidcast_connection_read_handler(&test_request);
    ngx_http_vidcast_connection_cleanup(&test_wc);

    unit_ok(ngx_queue_empty(&test_vmcf.turns.waiting) && test_wc.kept == NULL,
            "and one that has left does not wait");
}


static void
test_read_handler(ngx_event_t *rev)
{
    ngx_http_vidcast_connection_read_handler(&test_request);
}


static void
test_open(void)
{
    ngx_str_t  protocol;

    if (test_read.timer_set) {
        ngx_event_del_timer(&test_read);
    }

    if (test_read.posted) {
        ngx_delete_posted_event(&test_read);
    }

    if (test_write.posted) {
        ngx_delete_posted_event(&test_write);
    }

    if (test_wc.request) {
        ngx_http_vidcast_connection_cleanup(&test_wc);
        ngx_destroy_pool(test_request.pool);
    }

    ngx_memzero(&test_wc, sizeof(test_wc));
    ngx_memzero(&test_session, sizeof(test_session));
    ngx_memzero(&test_request, sizeof(test_request));
    ngx_memzero(&test_connection, sizeof(test_connection));
    ngx_memzero(&test_read, sizeof(test_read));
    ngx_memzero(&test_write, sizeof(test_write));
    ngx_memzero(test_buffer, sizeof(test_buffer));

    (void) ngx_event_timer_init(&unit_log);

    test_vlcf.ping = 1000;
    test_vlcf.ping_timeout = 500;
    test_vlcf.max_message = 1000;
    test_vmcf.recv_buffer = test_recv_buffer;

    test_conf[0] = &test_vlcf;
    test_main[0] = &test_vmcf;

    test_connection.log = &unit_log;
    test_connection.read = &test_read;
    test_connection.write = &test_write;
    test_connection.recv = test_recv;
    test_connection.send = test_send;

    test_read.log = &unit_log;
    test_read.data = &test_connection;
    test_write.log = &unit_log;
    test_write.data = &test_connection;
    test_write.ready = 1;

    test_request.connection = &test_connection;
    test_request.loc_conf = test_conf;
    test_request.main_conf = test_main;
    test_request.ctx = test_ctx;
    test_request.header_in = &test_header_in;
    test_request.pool = ngx_create_pool(1024, &unit_log);

    test_session.handlers = &test_handlers;
    test_session.joined = 1;

    test_wc.session = &test_session;
    test_wc.user = &test_user;
    test_wc.turn.waits = &test_waits;

    if (test_vmcf.turns.event.posted) {
        ngx_delete_posted_event(&test_vmcf.turns.event);
    }

    ngx_memzero(&test_vmcf.turns, sizeof(test_vmcf.turns));
    ngx_http_vidcast_turns_init(&test_vmcf.turns, &unit_log);

    test_waits = 0;

    test_nin = 0;
    test_pos = 0;
    test_last = 0;
    test_nsent = 0;
    test_ngot = 0;
    test_room = sizeof(test_sent);
    test_lent = 0;
    test_hold = 0;
    test_nready = 0;
    test_nleave = 0;
    test_out = NULL;
    test_out_sent = 0;

    unit_left = 0;
    unit_finalized = 0;

    ngx_str_null(&protocol);

    if (ngx_http_vidcast_connection_open(&test_request, &test_headers, &test_wc,
                                         &protocol, 0)
        != NGX_OK)
    {
        unit_ok(0, "a connection is opened");
    }

    ngx_delete_posted_event(&test_read);
    ngx_delete_posted_event(&test_write);
}


/* appends a frame of the peer, masked */

static void
test_frame(ngx_uint_t first, const char *text)
{
    size_t  i, size;

    static u_char  mask[] = { 0x12, 0x34, 0x56, 0x78 };

    size = ngx_strlen(text);

    test_in[test_nin++] = (u_char) first;
    test_in[test_nin++] = (u_char) (0x80 | size);

    ngx_memcpy(test_in + test_nin, mask, 4);
    test_nin += 4;

    for (i = 0; i < size; i++) {
        test_in[test_nin++] = text[i] ^ mask[i % 4];
    }
}


/* the rest of it comes, so many bytes at a time */

static void
test_feed(size_t size)
{
    do {
        test_last = ngx_min(test_last + size, test_nin);

        ngx_http_vidcast_connection_read_handler(&test_request);

    } while (test_last < test_nin && !unit_finalized && !test_wc.holding);

    if (test_read.posted) {
        ngx_delete_posted_event(&test_read);
    }

    if (!unit_finalized && !test_wc.holding) {
        ngx_http_vidcast_connection_read_handler(&test_request);
    }
}


static void
test_writable(size_t room)
{
    test_room = room;
    test_write.ready = 1;

    ngx_http_vidcast_connection_write_handler(&test_request);
}


static ngx_uint_t
test_is(u_char *got, size_t n, const char *expected, size_t size)
{
    return n == size && ngx_memcmp(got, expected, size) == 0;
}


static ssize_t
test_recv(ngx_connection_t *c, u_char *buf, size_t size)
{
    size_t  n;

    n = ngx_min(size, test_last - test_pos);

    if (n == 0) {
        return c->read->eof ? 0 : NGX_AGAIN;
    }

    ngx_memcpy(buf, test_in + test_pos, n);
    test_pos += n;

    return n;
}


static ssize_t
test_send(ngx_connection_t *c, u_char *buf, size_t size)
{
    size_t  n;

    n = ngx_min(size, test_room);

    ngx_memcpy(test_sent + test_nsent, buf, n);
    test_nsent += n;
    test_room -= n;

    if (n < size) {
        c->write->ready = 0;
    }

    return n ? (ssize_t) n : NGX_AGAIN;
}


static ngx_int_t
test_message(ngx_http_vidcast_connection_t *wc, ngx_uint_t opcode,
    u_char *data, size_t size)
{
    ngx_memcpy(test_got + test_ngot, data, size);
    test_ngot += size;
    test_got[test_ngot++] = ';';

    wc->holding = test_hold;

    return NGX_OK;
}


static ngx_int_t
test_data(ngx_http_vidcast_connection_t *wc, ngx_vidcast_ws_event_t *event)
{
    ngx_memcpy(test_got + test_ngot, event->data, event->size);
    test_ngot += event->size;
    test_got[test_ngot++] = '<';

    if (event->last) {
        test_got[test_ngot++] = ';';
    }

    return NGX_OK;
}


static u_char *
test_get_buffer(ngx_http_vidcast_connection_t *wc, size_t size)
{
    return (test_lent && size <= sizeof(test_buffer)) ? test_buffer : NULL;
}


static ngx_int_t
test_flush(ngx_http_vidcast_connection_t *wc)
{
    ngx_int_t  rc;

    if (test_out == NULL) {
        return NGX_OK;
    }

    rc = ngx_http_vidcast_connection_write(wc, (u_char *) test_out,
                                           ngx_strlen(test_out),
                                           &test_out_sent);

    if (rc == NGX_OK) {
        test_out = NULL;
    }

    return rc;
}


static void
test_ready(ngx_http_vidcast_connection_t *wc)
{
    test_nready++;
}


static void
test_leave(ngx_http_vidcast_connection_t *wc)
{
    test_nleave++;
}
