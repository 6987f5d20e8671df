
/*
 * Copyright (C) vidcast contributors
 */


/*
 * A few WebSocket peers could keep a worker busy for seconds with messages that
 * cost them little.  Together they have a bounded time of each round of the
 * event loop, in the order in which they came, whatever they say; and one that
 * says little waits for none of them once they have had it.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "unit.h"
#include "unit_ngx.h"

#include "core/ngx_vidcast.h"

#define ngx_vidcast_clock()  test_clock

static uint64_t  test_clock;                 /* us */

#include "http/websocket/ngx_http_vidcast_turn.c"


#define TEST_PEERS  4


typedef struct {
    ngx_http_vidcast_turn_t  turn;
    ngx_event_t              read;
    ngx_uint_t               left;           /* messages to read */
    ngx_uint_t               cost;           /* us, of each one */
    size_t                   size;           /* of each one */
    ngx_uint_t               done;           /* messages */
    uint64_t                 waits;
} test_peer_t;


static void test_alone(void);
static void test_bounds(void);
static void test_order(void);
static void test_leave(void);
static void test_gone(void);
static void test_open(void);
static void test_say(ngx_uint_t n, ngx_uint_t messages, ngx_uint_t cost,
    size_t size);
static void test_read(ngx_event_t *rev);
static uint64_t test_round(void);


ngx_queue_t                      ngx_posted_events;
ngx_queue_t                      ngx_posted_next_events;

static ngx_http_vidcast_turns_t  test_turns;
static test_peer_t               test_peers[TEST_PEERS];


int
main(void)
{
    ngx_queue_init(&ngx_posted_next_events);

    test_alone();
    test_bounds();
    test_order();
    test_leave();
    test_gone();

    return unit_done();
}


static void
test_alone(void)
{
    test_open();
    test_say(0, 3, 10, 100);

    unit_ok(test_peers[0].done == 3 && test_peers[0].waits == 0
            && !test_turns.event.posted,
            "what says little is read at once, and no round is asked for");
}


static void
test_bounds(void)
{
    ngx_uint_t  rounds;

    test_open();
    test_say(0, 1000, 0, 1);

    unit_ok(test_peers[0].done == NGX_HTTP_VIDCAST_TURN_MESSAGES
            && test_turns.event.posted,
            "a turn ends after %d messages", NGX_HTTP_VIDCAST_TURN_MESSAGES);

    test_open();
    test_say(0, 1000, 0, NGX_HTTP_VIDCAST_TURN_BYTES / 4);

    unit_ok(test_peers[0].done == 4, "or bytes");

    test_open();
    test_say(0, 1000, 300, 1);

    unit_ok(test_peers[0].done == 4, "or a time");

    rounds = 0;

    while (test_turns.event.posted && rounds < 1000) {
        (void) test_round();
        rounds++;
    }

    unit_ok(test_peers[0].done == 1000 && rounds == 250,
            "all of it is read, in %lu rounds", rounds);
    unit_ok(test_peers[0].waits == 250, "which are counted");
}


/* four at once are no more than one; and the fifth message is the next one's */

static void
test_order(void)
{
    uint64_t    spent, most;
    ngx_uint_t  i, rounds, least, all;

    test_open();

    for (i = 0; i < TEST_PEERS; i++) {
        test_say(i, 100, 400, 1);
    }

    unit_ok(test_peers[0].done == 3 && test_peers[1].done == 0
            && test_peers[1].turn.waiting,
            "behind one that used up a round the others wait");

    most = 0;
    least = 0;
    all = 3;

    for (rounds = 0; test_turns.event.posted && rounds < 1000; rounds++) {
        spent = test_round();
        most = ngx_max(most, spent);

        if (rounds == 3) {
            least = test_peers[0].done;

            for (i = 0; i < TEST_PEERS; i++) {
                least = ngx_min(least, test_peers[i].done);
            }
        }
    }

    unit_ok(most < NGX_HTTP_VIDCAST_ROUND_TIME + 400,
            "a round is longer by one message at most: %lu us",
            (unsigned long) most);
    unit_ok(least == all, "after four more each has had a turn");

    for (i = 0; i < TEST_PEERS; i++) {
        unit_ok(test_peers[i].done == 100, "and at last all: %lu", i);
    }
}


static void
test_leave(void)
{
    test_open();

    test_say(0, 100, 400, 1);
    test_say(1, 1, 1, 1);

    ngx_http_vidcast_turn_leave(&test_peers[0].turn);
    ngx_http_vidcast_turn_leave(&test_peers[0].turn);

    (void) test_round();

    unit_ok(test_peers[0].done == 3 && test_peers[1].done == 1,
            "one that left is not called");
    unit_ok(!test_turns.event.posted, "and nothing is left to do");
}


/* its request ended in its turn: its memory is not looked at any more */

static void
test_gone(void)
{
    test_open();

    (void) ngx_http_vidcast_turn_begin(&test_turns, &test_peers[0].turn);
    test_clock += 2000;
    ngx_http_vidcast_turn_end(&test_turns, NULL);

    test_say(1, 1, 1, 1);

    unit_ok(test_peers[1].done == 0 && test_peers[1].turn.waiting,
            "what it cost counts all the same");

    ngx_current_msec++;
    test_say(2, 1, 1, 1);

    unit_ok(test_peers[2].done == 0, "a later one is behind those that wait");

    (void) test_round();

    unit_ok(test_peers[1].done == 1 && test_peers[2].done == 1,
            "both have their turn");
}


static void
test_open(void)
{
    ngx_uint_t  i;

    if (test_turns.event.posted) {
        ngx_delete_posted_event(&test_turns.event);
    }

    ngx_memzero(&test_turns, sizeof(test_turns));
    ngx_memzero(test_peers, sizeof(test_peers));

    ngx_http_vidcast_turns_init(&test_turns, &unit_log);

    for (i = 0; i < TEST_PEERS; i++) {
        test_peers[i].turn.read = &test_peers[i].read;
        test_peers[i].turn.waits = &test_peers[i].waits;
        test_peers[i].read.handler = test_read;
        test_peers[i].read.data = &test_peers[i];
    }

    ngx_current_msec++;
}


static void
test_say(ngx_uint_t n, ngx_uint_t messages, ngx_uint_t cost, size_t size)
{
    test_peers[n].left = messages;
    test_peers[n].cost = cost;
    test_peers[n].size = size;

    test_read(&test_peers[n].read);
}


static void
test_read(ngx_event_t *rev)
{
    test_peer_t  *peer;

    peer = rev->data;

    if (ngx_http_vidcast_turn_begin(&test_turns, &peer->turn) != NGX_OK) {
        return;
    }

    while (peer->left && !peer->turn.over) {
        peer->left--;
        peer->done++;
        peer->turn.bytes += peer->size;
        test_clock += peer->cost;

        ngx_http_vidcast_turn_spend(&test_turns, &peer->turn);
    }

    ngx_http_vidcast_turn_end(&test_turns, &peer->turn);
}


/* the next one; the time that it took */

static uint64_t
test_round(void)
{
    uint64_t  begun;

    begun = test_clock;

    ngx_current_msec++;
    ngx_delete_posted_event(&test_turns.event);
    test_turns.event.handler(&test_turns.event);

    return test_clock - begun;
}
