
/*
 * Copyright (C) vidcast contributors
 */


/*
 * Sources over NATS with a real server between them: what origins give, and
 * edges have, on lines that are slow or cut, with servers that are killed,
 * stopped or refuse, and beside strangers on the same subjects.  All results
 * come once and in order, and the picture that is shown is a new one.
 */

#include "unit.h"
#include "unit_nats.h"

#include "plugins/nats/bus/vidcast_nats_message.c"
#include "plugins/nats/bus/vidcast_nats_queue.c"
#include "plugins/nats/bus/vidcast_nats_reach.c"
#include "plugins/nats/bus/vidcast_nats_bus.c"
#include "plugins/nats/vidcast_nats_conf.c"
#include "plugins/nats/vidcast_nats_delay.c"
#include "plugins/nats/vidcast_nats_edges.c"
#include "plugins/nats/vidcast_nats_origin.c"
#include "plugins/nats/vidcast_nats_results.c"
#include "plugins/nats/vidcast_nats_lane.c"
#include "plugins/nats/vidcast_nats_feed.c"
#include "plugins/nats/vidcast_nats_gets.c"
#include "plugins/nats/vidcast_nats_input.c"
#include "plugins/nats/vidcast_nats_output.c"
#include "plugins/nats/vidcast_nats.c"


#define TEST_FPS    33333                  /* us, of 30 frames a second */
#define TEST_FRAME  50000                  /* bytes */
#define TEST_SLOW   250000                 /* bytes a second: 2 Mbit/s */


static void test_plain(void);
static void test_history(void);
static void test_epoch(void);
static void test_holes(void);
static void test_cut(void);
static void test_restart(void);
static void test_stopped(void);
static void test_refused(void);
static void test_denied(void);
static void test_permitted(void);
static void test_unreachable(void);
static void test_silent(void);
static void test_slow_line(void);
static void test_slow_origin(void);
static void test_two_origins(void);
static void test_group(void);
static void test_large(void);
static void test_send(void);
static void test_hostile(void);
static void test_reader(void);
static void test_program(void);
static natsConnection *test_stranger(int port);
static void test_publish(natsConnection *nc, vidcast_nats_message_t *message,
    const char *subject);
static void test_by_hand(vidcast_nats_message_t *message, uint64_t seq,
    char *json);
static void test_answer(natsConnection *nc, natsSubscription *sub,
    natsMsg *msg, void *data);


/* the words are of afterwards */

#define test_ok(cond, ...)                                                    \
    do {                                                                      \
        int  rc = (cond) ? 1 : 0;                                             \
                                                                              \
        (void) unit_report(rc, #cond, __FILE__, __LINE__, __VA_ARGS__);       \
    } while (0)


#if defined(__SANITIZE_ADDRESS__)

/* libnats 3.4 loses the half of a message that a connection ended with */

const char *__lsan_default_suppressions(void);
const char *__lsan_default_options(void);


const char *
__lsan_default_options(void)
{
    return "print_suppressions=0";
}


const char *
__lsan_default_suppressions(void)
{
    return "leak:natsBuf_Create\n";
}

#endif


static unit_nats_server_t  test_server;


int
main(void)
{
    if (access(UNIT_NATS_SERVER, X_OK) != 0) {
        printf("1..0 # SKIP %s is not installed\n", UNIT_NATS_SERVER);
        return 0;
    }

    (void) signal(SIGPIPE, SIG_IGN);

    unit_nats_start(&test_server, "");

    test_plain();
    test_history();
    test_epoch();
    test_holes();
    test_cut();
    test_restart();
    test_stopped();
    test_silent();
    test_slow_line();
    test_slow_origin();
    test_two_origins();
    test_group();
    test_large();
    test_send();
    test_hostile();
    test_reader();
    test_program();

    unit_nats_end(&test_server);

    test_refused();
    test_denied();
    test_permitted();
    test_unreachable();

    nats_CloseAndWait(5000);

    return unit_done();
}


static void
test_plain(void)
{
    unit_nats_edge_t    *edge;
    unit_nats_origin_t  *origin;

    origin = unit_nats_origin_start(&vidcast_nats_output, test_server.port,
                                    "", "", TEST_FPS, TEST_FRAME);
    edge = unit_nats_edge_start(&vidcast_nats_input, test_server.port, "", "",
                                origin, NULL);

    test_ok(unit_nats_wait(edge->frames >= 60 && edge->results >= 60),
            "frames and results arrive: %d, %d", (int) edge->frames,
            (int) edge->results);

    test_ok(edge->wrong == 0 && edge->missed == 0 && edge->epoch == 0x11
            && edge->bad == 0, "as they are there, and in order");

    test_ok(unit_nats_wait(origin->report.readers == 1)
            && origin->report.frames >= 60 && origin->report.results >= 60
            && origin->report.bytes > 60 * TEST_FRAME && origin->wanted,
            "the origin tells of it");

    /* it stands still, and lives */

    origin->interval = 0;

    test_ok(unit_nats_wait(edge->unchanged > 1), "a still picture lives");

    origin->state = "reconnecting";
    origin->reason = "the cable is cut";

    test_ok(unit_nats_wait(strcmp(edge->error, "the origin is reconnecting: "
                                  "the cable is cut") == 0),
            "%s", edge->error);

    unit_nats_edge_end(edge);
    unit_nats_origin_end(origin);
}


/* an edge begins with what history it has room for, or where it was */

static void
test_history(void)
{
    int                  i;
    vidcast_context_t    ring;
    unit_nats_edge_t    *edge, *again;
    unit_nats_origin_t  *origin;

    origin = unit_nats_origin_start(&vidcast_nats_output, test_server.port,
                                    "", "", 0, TEST_FRAME);

    for (i = 0; i < 700; i++) {
        unit_nats_origin_capture(origin);
    }

    memset(&ring, 0, sizeof(vidcast_context_t));
    ring.results = 100;

    edge = unit_nats_edge_start(&vidcast_nats_input, test_server.port, "", "",
                                origin, &ring);

    test_ok(unit_nats_wait(edge->seq == 700) && edge->first == 601
            && edge->results == 100 && edge->wrong == 0,
            "the newest hundred: from %d on", (int) edge->first);

    test_ok(unit_nats_wait(edge->frame == 700), "and the newest frame");

    ring.results = 1000;
    ring.epoch = 0x11;
    ring.frame = 600;
    ring.seq = 400;

    again = unit_nats_edge_start(&vidcast_nats_input, test_server.port, "", "",
                                 origin, &ring);

    test_ok(unit_nats_wait(again->seq == 700) && again->results == 300
            && again->missed == 0 && again->wrong == 0,
            "what is behind those that it has");

    unit_nats_edge_end(again);

    ring.seq = 10;

    again = unit_nats_edge_start(&vidcast_nats_input, test_server.port, "", "",
                                 origin, &ring);

    test_ok(unit_nats_wait(again->seq == 700)
            && again->results == UNIT_NATS_HISTORY && again->wrong == 0,
            "what the origin has not any more is left out");

    unit_nats_edge_end(again);
    unit_nats_edge_end(edge);
    unit_nats_origin_end(origin);
}


static void
test_epoch(void)
{
    int                  i;
    unit_nats_edge_t    *edge;
    unit_nats_origin_t  *origin;

    origin = unit_nats_origin_start(&vidcast_nats_output, test_server.port,
                                    "", "", TEST_FPS, TEST_FRAME);
    edge = unit_nats_edge_start(&vidcast_nats_input, test_server.port, "", "",
                                origin, NULL);

    test_ok(unit_nats_wait(edge->frames >= 10 && edge->results >= 10),
            "an epoch");

    (void) pthread_mutex_lock(&origin->mutex);

    origin->epoch = 0x22;
    origin->frame = 0;
    origin->seq = 0;
    origin->first = 1;

    (void) pthread_mutex_unlock(&origin->mutex);

    for (i = 0; i < 20; i++) {
        unit_nats_origin_capture(origin);
    }

    test_ok(unit_nats_wait(edge->epoch == 0x22 && edge->seq >= 40
                           && edge->frame >= 30),
            "another one");

    test_ok(edge->first == 1 && edge->missed == 0 && edge->wrong == 0,
            "from its first result on: %d", (int) edge->first);

    unit_nats_edge_end(edge);
    unit_nats_origin_end(origin);
}


static natsConnection *
test_stranger(int port)
{
    char             url[64];
    natsConnection  *nc;

    (void) snprintf(url, sizeof(url), "nats://127.0.0.1:%d", port);

    if (natsConnection_ConnectTo(&nc, url) != NATS_OK) {
        printf("Bail out! no connection\n");
        exit(1);
    }

    return nc;
}


static void
test_publish(natsConnection *nc, vidcast_nats_message_t *message,
    const char *subject)
{
    natsMsg  *msg;

    msg = vidcast_nats_message_write(message, subject, NULL);

    (void) natsConnection_PublishMsg(nc, msg);
    natsMsg_Destroy(msg);
}


/* a message of an origin that has no host */

static void
test_by_hand(vidcast_nats_message_t *message, uint64_t seq, char *json)
{
    memset(message, 0, sizeof(vidcast_nats_message_t));

    message->has = VIDCAST_NATS_HAS_ORIGIN | VIDCAST_NATS_HAS_EPOCH
                   | VIDCAST_NATS_HAS_SEQ;
    message->origin = 0x77;
    message->epoch = 0x33;
    message->seq = seq;
    message->data = (const uint8_t *) json;
    message->size = sprintf(json, "{\"seq\":%d}", (int) seq);
}


/* an origin that has all of them from 3 on, but loses its first answer */

static void
test_answer(natsConnection *nc, natsSubscription *sub, natsMsg *msg,
    void *data)
{
    int *asked = data;

    char                     json[64], error[VIDCAST_ERROR_LEN];
    char                     reply[VIDCAST_NATS_SUBJECT];
    uint64_t                 seq, upto;
    vidcast_nats_message_t  *get, message;

    get = vidcast_nats_message_read(VIDCAST_NATS_GET, msg, error);

    if (get == NULL || strcmp(get->get, "results") != 0
        || __sync_fetch_and_add(asked, 1) == 0)
    {
        if (get) {
            vidcast_nats_message_free(get);
        }

        return;
    }

    (void) strcpy(reply, get->reply);
    upto = get->upto;

    for (seq = get->after + 1; seq <= upto; seq++) {
        if (seq >= 3) {
            test_by_hand(&message, seq, json);
            test_publish(nc, &message, reply);
        }
    }

    test_by_hand(&message, 20, json);

    message.has |= VIDCAST_NATS_HAS_STATUS | VIDCAST_NATS_HAS_OLDEST;
    message.oldest = 3;
    (void) strcpy(message.status, "end");
    test_publish(nc, &message, reply);

    vidcast_nats_message_free(get);
}


static void
test_holes(void)
{
    int                      asked, seq;
    char                     json[64];
    natsConnection          *nc;
    natsSubscription        *sub;
    vidcast_context_t        ring;
    unit_nats_edge_t        *edge;
    vidcast_nats_message_t   message;

    asked = 0;
    nc = test_stranger(test_server.port);
    (void) natsConnection_Subscribe(&sub, nc, "cams.front.get", test_answer,
                                    &asked);

    memset(&ring, 0, sizeof(vidcast_context_t));
    ring.epoch = 0x33;
    ring.seq = 1;
    ring.results = 100;

    edge = unit_nats_edge_start(&vidcast_nats_input, test_server.port, "", "",
                                NULL, &ring);

    test_by_hand(&message, 4, json);
    message.has |= VIDCAST_NATS_HAS_STATE | VIDCAST_NATS_HAS_OLDEST;
    message.oldest = 2;
    (void) strcpy(message.state, "live");

    /* it may not have subscribed yet */

    (void) unit_nats_wait((test_publish(nc, &message, "cams.front.state"),
                           edge->rc == VIDCAST_AGAIN && asked));

    for (seq = 5; seq <= 20; seq++) {
        if (seq % 5 > 1 || seq == 20) {
            test_by_hand(&message, seq, json);
            test_publish(nc, &message, "cams.front.result");
        }
    }

    test_ok(unit_nats_wait(edge->seq == 20) && edge->wrong == 0
            && edge->results == 18, "all that the origin has: %d up to %d",
            (int) edge->results, (int) edge->seq);

    test_ok(edge->missed == 1 && asked > 1, "and not the one that it has not");

    unit_nats_edge_end(edge);

    natsSubscription_Destroy(sub);
    natsConnection_Destroy(nc);
}


/* lines of both are cut, again and again */

static void
test_cut(void)
{
    int                  i;
    uint64_t             seq;
    unit_nats_line_t     before, behind;
    unit_nats_edge_t    *edge;
    unit_nats_origin_t  *origin;

    unit_nats_line_start(&before, test_server.port, 0, 0);
    unit_nats_line_start(&behind, test_server.port, 0, 0);

    origin = unit_nats_origin_start(&vidcast_nats_output, before.port, "", "",
                                    TEST_FPS / 3, 5000);
    edge = unit_nats_edge_start(&vidcast_nats_input, behind.port, "", "",
                                origin, NULL);

    for (i = 0; i < 6; i++) {
        seq = edge->seq + 30;

        if (!unit_nats_wait(edge->seq >= seq)) {
            break;
        }

        if (i & 1) {
            before.cut = 1;

        } else {
            behind.cut = 1;
        }
    }

    seq = edge->seq + 30;

    test_ok(i == 6 && unit_nats_wait(edge->seq >= seq), "it goes on");

    test_ok(edge->missed == 0 && edge->wrong == 0,
            "no result is missing: %d, %d", (int) edge->missed,
            (int) edge->wrong);

    test_ok(origin->report.reconnects >= 1, "the origin counts connections");

    unit_nats_edge_end(edge);
    unit_nats_origin_end(origin);
    unit_nats_line_end(&before);
    unit_nats_line_end(&behind);
}


static void
test_restart(void)
{
    uint64_t             frames, seq;
    unit_nats_edge_t    *edge;
    unit_nats_origin_t  *origin;

    origin = unit_nats_origin_start(&vidcast_nats_output, test_server.port,
                                    "", "", TEST_FPS, TEST_FRAME);
    edge = unit_nats_edge_start(&vidcast_nats_input, test_server.port, "", "",
                                origin, NULL);

    test_ok(unit_nats_wait(edge->frames >= 10), "before");

    unit_nats_kill(&test_server);

    test_ok(unit_nats_wait(edge->rc == VIDCAST_WAITING
                           && strstr(edge->error, "Connection refused"))
            && unit_nats_wait(origin->rc == VIDCAST_WAITING
                              && strstr(origin->error, "Connection refused")),
            "%s", edge->error);

    unit_nats_restart(&test_server);

    frames = edge->frames + 30;
    seq = origin->seq;

    test_ok(unit_nats_wait(edge->frames >= frames && edge->seq >= seq)
            && unit_nats_wait(origin->rc == VIDCAST_OK),
            "behind a server that was restarted");

    test_ok(edge->missed == 0 && edge->wrong == 0, "no result is missing");

    unit_nats_edge_end(edge);
    unit_nats_origin_end(origin);
}


static void
test_stopped(void)
{
    uint64_t             frames;
    unit_nats_edge_t    *edge;
    unit_nats_origin_t  *origin;

    origin = unit_nats_origin_start(&vidcast_nats_output, test_server.port,
                                    "", "", TEST_FPS, TEST_FRAME);
    edge = unit_nats_edge_start(&vidcast_nats_input, test_server.port, "", "",
                                origin, NULL);

    test_ok(unit_nats_wait(edge->frames >= 10), "before");

    (void) kill(test_server.pid, SIGSTOP);

    test_ok(unit_nats_wait(edge->rc == VIDCAST_WAITING)
            && unit_nats_wait(origin->rc == VIDCAST_WAITING),
            "a server that stands still: %s", edge->error);

    (void) kill(test_server.pid, SIGCONT);

    frames = edge->frames + 30;

    test_ok(unit_nats_wait(edge->frames >= frames
                           && edge->seq + 30 >= origin->seq),
            "it goes on");

    test_ok(edge->missed == 0 && edge->wrong == 0, "no result is missing");

    unit_nats_edge_end(edge);
    unit_nats_origin_end(origin);
}


static void
test_silent(void)
{
    unit_nats_edge_t    *edge;
    unit_nats_origin_t  *origin;

    edge = unit_nats_edge_start(&vidcast_nats_input, test_server.port, "",
                                "timeout=500ms", NULL, NULL);

    test_ok(unit_nats_wait(edge->rc == VIDCAST_WAITING
                           && strcmp(edge->error, "no origin publishes "
                                                  "cams.front") == 0),
            "%s", edge->error);

    unit_nats_edge_end(edge);

    edge = unit_nats_edge_start(&vidcast_nats_input, test_server.port, "",
                                "timeout=2s", NULL, NULL);
    origin = unit_nats_origin_start(&vidcast_nats_output, test_server.port,
                                    "", "", TEST_FPS, TEST_FRAME);

    test_ok(unit_nats_wait(edge->frames > 0), "one does");

    unit_nats_origin_end(origin);

    test_ok(unit_nats_wait(strcmp(edge->error, "the origin of cams.front is "
                                  "silent for more than 2 s") == 0),
            "%s", edge->error);

    unit_nats_edge_end(edge);
}


/* twelve megabits a second, of which a line carries two */

static void
test_slow_line(void)
{
    uint64_t             frames, sent;
    unit_nats_line_t     line;
    unit_nats_edge_t    *slow, *fast;
    unit_nats_origin_t  *origin;

    unit_nats_line_start(&line, test_server.port, TEST_SLOW, 0);

    origin = unit_nats_origin_start(&vidcast_nats_output, test_server.port,
                                    "", "", TEST_FPS, TEST_FRAME);
    fast = unit_nats_edge_start(&vidcast_nats_input, test_server.port, "", "",
                                origin, NULL);

    test_ok(unit_nats_wait(fast->frames >= 30), "a fast edge");

    frames = fast->frames;
    sent = fast->frame;

    slow = unit_nats_edge_start(&vidcast_nats_input, line.port, "", "",
                                origin, NULL);

    test_ok(unit_nats_wait(slow->frames >= 40),
            "a slow one has frames, too: %d", (int) slow->frames);

    /*
     * Without credit it would be 8 to 16 s; each frame is 200 ms on its way,
     * and a machine with much to do may stop for a second.
     */

    test_ok(slow->old * 4 <= slow->frames && slow->wrong == 0,
            "the one that it shows is new: %d of %d are not, %d ms at most",
            (int) slow->old, (int) slow->frames, (int) (slow->oldest / 1000));

    frames = fast->frames - frames;
    sent = fast->frame - sent;

    test_ok(frames >= 2 * slow->frames,
            "the fast one has not to wait for it: it has %d of %d",
            (int) frames, (int) sent);

    test_ok(slow->missed == 0 && fast->missed == 0,
            "both have all results");

    unit_nats_edge_end(fast);

    /* alone, it has what its line carries */

    frames = slow->frames + 10;

    test_ok(unit_nats_wait(slow->frames >= frames)
            && slow->old * 4 <= slow->frames,
            "alone as well: %d ms", (int) (slow->oldest / 1000));

    unit_nats_edge_end(slow);
    unit_nats_origin_end(origin);
    unit_nats_line_end(&line);
}


/* the same line, before the origin: it is the same for all edges */

static void
test_slow_origin(void)
{
    unit_nats_line_t     line;
    unit_nats_edge_t    *a, *b;
    unit_nats_origin_t  *origin;

    unit_nats_line_start(&line, test_server.port, 0, TEST_SLOW);

    origin = unit_nats_origin_start(&vidcast_nats_output, line.port, "", "",
                                    TEST_FPS, TEST_FRAME);
    a = unit_nats_edge_start(&vidcast_nats_input, test_server.port, "", "",
                             origin, NULL);
    b = unit_nats_edge_start(&vidcast_nats_input, test_server.port, "", "",
                             origin, NULL);

    test_ok(unit_nats_wait(a->frames >= 30 && b->frames >= 30),
            "a slow origin: %d, %d", (int) a->frames, (int) b->frames);

    test_ok(a->old * 4 <= a->frames && b->old * 4 <= b->frames,
            "what is shown is new: %d ms, %d ms at most",
            (int) (a->oldest / 1000), (int) (b->oldest / 1000));

    test_ok(a->missed == 0 && b->missed == 0 && a->wrong == 0
            && b->wrong == 0 && origin->report.skipped > 0,
            "all results are there, and frames were skipped: %d",
            (int) origin->report.skipped);

    unit_nats_edge_end(a);
    unit_nats_edge_end(b);
    unit_nats_origin_end(origin);
    unit_nats_line_end(&line);
}


static void
test_two_origins(void)
{
    uint64_t             frames;
    unit_nats_edge_t    *edge;
    unit_nats_origin_t  *first, *second;

    first = unit_nats_origin_start(&vidcast_nats_output, test_server.port, "",
                                   "", TEST_FPS, 5000);
    edge = unit_nats_edge_start(&vidcast_nats_input, test_server.port, "", "",
                                NULL, NULL);

    test_ok(unit_nats_wait(edge->frames >= 10), "an origin");

    second = unit_nats_origin_start(&vidcast_nats_output, test_server.port,
                                    "", "", 0, 5000);
    second->epoch = 0x99;
    second->interval = TEST_FPS;

    test_ok(unit_nats_wait(strstr(edge->line, "two origins publish "
                                              "cams.front")),
            "%s", edge->line);

    frames = edge->frames + 30;

    test_ok(unit_nats_wait(edge->frames >= frames) && edge->epoch == 0x11
            && edge->wrong == 0, "it stays with the first one");

    unit_nats_origin_end(first);

    test_ok(unit_nats_wait(edge->epoch == 0x99 && edge->frame > 0),
            "till that has gone");

    unit_nats_edge_end(edge);
    unit_nats_origin_end(second);
}


static void
test_group(void)
{
    int                  i, twice, none;
    uint64_t             from, to;
    unit_nats_edge_t    *a, *b;
    unit_nats_origin_t  *origin;

    origin = unit_nats_origin_start(&vidcast_nats_output, test_server.port,
                                    "", "", TEST_FPS * 3, 5000);
    a = unit_nats_edge_start(&vidcast_nats_input, test_server.port, "",
                             "group=boxes", origin, NULL);

    a->slow = 20;

    test_ok(unit_nats_wait(a->frames >= 10), "one has all");

    b = unit_nats_edge_start(&vidcast_nats_input, test_server.port, "",
                             "group=boxes", origin, NULL);

    b->slow = 20;

    test_ok(unit_nats_wait(b->frames >= 5), "two have some");

    from = origin->frame + 1;

    test_ok(unit_nats_wait(origin->frame >= from + 40), "for a while");

    to = origin->frame - 5;
    twice = 0;
    none = 0;

    for (i = (int) from; i <= (int) to; i++) {
        twice += (a->got[i] + b->got[i] > 1);
        none += (a->got[i] + b->got[i] == 0);
    }

    test_ok(twice == 0, "no frame has two: %d", twice);

    /* of a machine that stands still a frame may be too old */

    test_ok(none <= 4, "and none has nobody: %d of %d", none,
            (int) (to - from + 1));

    test_ok(a->wrong == 0 && b->wrong == 0 && a->results == 0
            && b->results == 0, "results are their own");

    from = a->frames;

    unit_nats_edge_end(b);

    test_ok(unit_nats_wait(a->frames >= from + 20), "one has gone");

    unit_nats_edge_end(a);
    unit_nats_origin_end(origin);
}


static void
test_large(void)
{
    unit_nats_edge_t     *edge;
    unit_nats_origin_t   *origin;
    unit_nats_server_t    roomy;

    origin = unit_nats_origin_start(&vidcast_nats_output, test_server.port,
                                    "", "", TEST_FPS * 3, 2000000);
    edge = unit_nats_edge_start(&vidcast_nats_input, test_server.port, "", "",
                                origin, NULL);

    test_ok(unit_nats_wait(origin->report.too_large > 0 && edge->seq > 10)
            && edge->frames == 0, "%s", origin->line);

    test_ok(strcmp(origin->line, "a frame of 2000000 bytes is larger than the "
                   "server's max_payload of 1048576: put \"max_payload: 8MB\" "
                   "into its configuration") == 0
            && strcmp(origin->error, origin->line) == 0
            && origin->rc == VIDCAST_OK, "in words");

    unit_nats_edge_end(edge);
    unit_nats_origin_end(origin);

    unit_nats_start(&roomy, "max_payload: 8MB");

    origin = unit_nats_origin_start(&vidcast_nats_output, roomy.port, "", "",
                                    TEST_FPS * 3, 2000000);
    edge = unit_nats_edge_start(&vidcast_nats_input, roomy.port, "", "",
                                origin, NULL);

    test_ok(unit_nats_wait(edge->frames >= 10) && edge->wrong == 0
            && origin->report.too_large == 0, "a server has room for it");

    unit_nats_edge_end(edge);
    unit_nats_origin_end(origin);
    unit_nats_end(&roomy);
}


static void
test_send(void)
{
    uint64_t             frames, seq;
    unit_nats_edge_t    *edge;
    unit_nats_origin_t  *origin;

    origin = unit_nats_origin_start(&vidcast_nats_output, test_server.port,
                                    "", "send=results", TEST_FPS, 5000);
    edge = unit_nats_edge_start(&vidcast_nats_input, test_server.port, "", "",
                                origin, NULL);

    test_ok(unit_nats_wait(edge->seq >= 20) && edge->frames == 0,
            "results alone");

    unit_nats_edge_end(edge);
    unit_nats_origin_end(origin);

    origin = unit_nats_origin_start(&vidcast_nats_output, test_server.port,
                                    "", "fps=5", TEST_FPS, 5000);
    edge = unit_nats_edge_start(&vidcast_nats_input, test_server.port, "", "",
                                origin, NULL);

    test_ok(unit_nats_wait(edge->frames >= 2), "few frames");

    frames = edge->frames;
    seq = edge->seq;

    test_ok(unit_nats_wait(edge->seq >= seq + 90)
            && edge->frames - frames <= 21 && edge->missed == 0,
            "five a second: %d of 90", (int) (edge->frames - frames));

    unit_nats_edge_end(edge);
    unit_nats_origin_end(origin);
}


static void
test_hostile(void)
{
    int                      i, n;
    char                     value[128], subject[64];
    char                    *junk;
    natsMsg                 *msg;
    uint64_t                 frames;
    natsConnection          *nc;
    unit_nats_edge_t        *edge;
    unit_nats_origin_t      *origin;

    static const char  *subjects[] = {
        "cams.front.frame", "cams.front.result", "cams.front.state",
        "cams.front.want", "cams.front.get"
    };

    static const char  *headers[] = {
        "Vidcast-Origin", "Vidcast-Epoch", "Vidcast-Frame", "Vidcast-Seq",
        "Vidcast-Time", "Vidcast-Age", "Vidcast-Size", "Vidcast-Pts",
        "Vidcast-State", "Vidcast-Reason", "Vidcast-Oldest", "Vidcast-Fps",
        "Vidcast-Edge", "Vidcast-Credit", "Vidcast-Get", "Vidcast-After",
        "Vidcast-Upto", "Vidcast-Group", "Vidcast-Status", "Vidcast-Held"
    };

    static const char  *values[] = {
        "", "0", "1", "-1", "999999999999999999", "18446744073709551615",
        "99999999999999999999999999999999", "ffffffffffffffff", "nan", "1e308",
        "16384x16384", "65536x65536", "live", "frame", "results", "end",
        "\xff\xfe\x01", "%s%n%x", "\"},{", "1763693000.5"
    };

    origin = unit_nats_origin_start(&vidcast_nats_output, test_server.port,
                                    "", "", TEST_FPS, 5000);
    edge = unit_nats_edge_start(&vidcast_nats_input, test_server.port, "", "",
                                origin, NULL);
    nc = test_stranger(test_server.port);
    junk = calloc(1, 500000);

    test_ok(unit_nats_wait(edge->frames >= 10), "before");

    srandom(1);

    for (i = 0; i < 5000; i++) {
        (void) strcpy(subject, subjects[random() % 5]);

        (void) natsMsg_Create(&msg, subject,
                              random() % 2 ? "cams.front.state" : "x.y", junk,
                              random() % 100 ? (int) (random() % 50)
                                             : 500000);

        for (n = random() % 12; n > 0; n--) {
            (void) snprintf(value, sizeof(value), "%s",
                            values[random() % 20]);
            (void) natsMsgHeader_Set(msg, headers[random() % 20], value);
        }

        (void) natsConnection_PublishMsg(nc, msg);
        natsMsg_Destroy(msg);

        if (i % 100 == 0) {
            (void) natsConnection_Flush(nc);
        }
    }

    (void) natsConnection_Flush(nc);

    frames = edge->frames + 30;

    test_ok(unit_nats_wait(edge->frames >= frames && edge->bad > 0),
            "it goes on: %s", edge->badness);

    test_ok(edge->wrong == 0 && edge->epoch == 0x11,
            "nothing of it was shown");

    test_ok(unit_nats_wait(strstr(origin->line, "were not understood")),
            "%s", origin->line);

    /* in the name of the origin: nobody else can, where the server has users */

    free(junk);
    natsConnection_Destroy(nc);
    unit_nats_edge_end(edge);
    unit_nats_origin_end(origin);
}


/* a program that reads: a want without a name, and no acknowledgement */

static void
test_reader(void)
{
    int                  n;
    natsMsg             *msg;
    natsStatus           s;
    const char          *number;
    natsConnection      *nc;
    natsSubscription    *sub;
    unit_nats_origin_t  *origin;

    origin = unit_nats_origin_start(&vidcast_nats_output, test_server.port,
                                    "", "", TEST_FPS, 5000);
    nc = test_stranger(test_server.port);

    (void) natsConnection_SubscribeSync(&sub, nc, "cams.front.frame");

    n = 0;

    while (n < 40) {

        /* the first one may come before the origin has a connection */

        if (n % 20 == 0) {
            (void) natsConnection_PublishString(nc, "cams.front.want", "");
        }

        s = natsSubscription_NextMsg(&msg, sub, 1000);

        if (s == NATS_TIMEOUT && n == 0
            && unit_nats_clock() - origin->captured[1] < UNIT_NATS_DEADLINE)
        {
            continue;
        }

        if (s != NATS_OK) {
            break;
        }

        s = natsMsgHeader_Get(msg, "Vidcast-Frame", &number);

        n += (s == NATS_OK && natsMsg_GetDataLength(msg) == 5000);
        natsMsg_Destroy(msg);
    }

    test_ok(n == 40 && origin->report.readers == 1,
            "a reader has frames without a word for each: %d", n);

    natsSubscription_Destroy(sub);
    natsConnection_Destroy(nc);
    unit_nats_origin_end(origin);
}


/* a program that publishes results, and has no history */

static void
test_program(void)
{
    int                      seq;
    char                     json[64];
    natsConnection          *nc;
    unit_nats_edge_t        *edge;
    vidcast_nats_message_t   message;

    nc = test_stranger(test_server.port);
    edge = unit_nats_edge_start(&vidcast_nats_input, test_server.port, "", "",
                                NULL, NULL);

    for (seq = 1; seq < 1500 && edge->results < 10; seq++) {
        test_by_hand(&message, seq, json);

        /* one of them is lost */

        if (seq % 5) {
            test_publish(nc, &message, "cams.front.result");
        }

        message.has |= VIDCAST_NATS_HAS_STATE | VIDCAST_NATS_HAS_OLDEST;
        message.oldest = seq + 1;
        message.size = 0;
        (void) strcpy(message.state, "live");
        test_publish(nc, &message, "cams.front.state");

        usleep(20000);
    }

    test_ok(edge->results >= 10 && edge->wrong == 0 && edge->missed > 0
            && edge->missed <= 4,
            "results of a program, and without those that are lost: %d, %d",
            (int) edge->results, (int) edge->missed);

    unit_nats_edge_end(edge);
    natsConnection_Destroy(nc);
}


static void
test_refused(void)
{
    unit_nats_edge_t    *edge;
    unit_nats_origin_t  *origin;
    unit_nats_server_t   server;

    unit_nats_start(&server, "authorization { user: me, password: hush }");

    origin = unit_nats_origin_start(&vidcast_nats_output, server.port,
                                    "me:guess@", "", TEST_FPS, 5000);
    edge = unit_nats_edge_start(&vidcast_nats_input, server.port, "", "",
                                NULL, NULL);

    test_ok(unit_nats_wait(edge->rc == VIDCAST_WAITING
                           && strstr(edge->error, "not authorised"))
            && unit_nats_wait(origin->rc == VIDCAST_WAITING
                              && strstr(origin->error, "not authorised"))
            && strstr(origin->error, "guess") == NULL,
            "%s", origin->error);

    unit_nats_edge_end(edge);
    unit_nats_origin_end(origin);

    origin = unit_nats_origin_start(&vidcast_nats_output, server.port,
                                    "me:hush@", "", TEST_FPS, 5000);
    edge = unit_nats_edge_start(&vidcast_nats_input, server.port, "me:hush@",
                                "", origin, NULL);

    test_ok(unit_nats_wait(edge->frames >= 5), "the right password");

    unit_nats_edge_end(edge);
    unit_nats_origin_end(origin);
    unit_nats_end(&server);
}


static void
test_denied(void)
{
    unit_nats_edge_t    *edge;
    unit_nats_origin_t  *origin;
    unit_nats_server_t   server;

    unit_nats_start(&server, "authorization { users: [ { user: me, "
                             "password: hush, permissions: { "
                             "subscribe: \"_INBOX.>\", "
                             "publish: \"other.>\" } } ] }");

    origin = unit_nats_origin_start(&vidcast_nats_output, server.port,
                                    "me:hush@", "", TEST_FPS, 5000);
    edge = unit_nats_edge_start(&vidcast_nats_input, server.port, "me:hush@",
                                "timeout=1s", NULL, NULL);

    test_ok(unit_nats_wait(edge->rc == VIDCAST_WAITING
                           && strstr(edge->error, "not authorised: ")
                           && strstr(edge->error, "cams.front")),
            "%s", edge->error);

    test_ok(unit_nats_wait(origin->rc == VIDCAST_WAITING
                           && strstr(origin->error, "not authorised: ")
                           && strstr(origin->error, "cams.front")),
            "%s", origin->error);

    unit_nats_edge_end(edge);
    unit_nats_origin_end(origin);
    unit_nats_end(&server);
}


/* what docs/nats.md says that each needs, and no more */

static void
test_permitted(void)
{
    unit_nats_edge_t    *edge, *member;
    unit_nats_origin_t  *origin;
    unit_nats_server_t   server;

    unit_nats_start(&server, "authorization { users: [ "
                    "{ user: origin, password: a, permissions: { "
                    "publish: [ \"cams.front.frame\", \"cams.front.result\", "
                    "\"cams.front.state\", \"_INBOX.>\" ], "
                    "subscribe: [ \"cams.front.want\", "
                    "\"cams.front.get\" ] } }, "
                    "{ user: edge, password: b, permissions: { "
                    "subscribe: [ \"cams.front.frame\", "
                    "\"cams.front.result\", \"cams.front.state\", "
                    "\"_INBOX.>\" ], "
                    "publish: [ \"cams.front.want\", "
                    "\"cams.front.get\" ] } } ] }");

    origin = unit_nats_origin_start(&vidcast_nats_output, server.port,
                                    "origin:a@", "", TEST_FPS, 5000);
    edge = unit_nats_edge_start(&vidcast_nats_input, server.port, "edge:b@",
                                "", origin, NULL);
    member = unit_nats_edge_start(&vidcast_nats_input, server.port, "edge:b@",
                                  "group=boxes", origin, NULL);

    test_ok(unit_nats_wait(edge->frames >= 10 && edge->results >= 10
                           && member->frames >= 10)
            && origin->error[0] == '\0'
            && strstr(edge->error, "authorised") == NULL
            && strstr(member->error, "authorised") == NULL,
            "what each may do is enough: \"%s\" \"%s\"", origin->error,
            edge->error);

    unit_nats_edge_end(member);
    unit_nats_edge_end(edge);
    unit_nats_origin_end(origin);
    unit_nats_end(&server);
}


static void
test_unreachable(void)
{
    int                  fd, port;
    char                 words[128];
    unit_nats_edge_t    *edge;
    unit_nats_origin_t  *origin;

    port = 0;
    fd = unit_nats_listen(&port);
    (void) close(fd);

    origin = unit_nats_origin_start(&vidcast_nats_output, port, "", "",
                                    TEST_FPS, 5000);
    edge = unit_nats_edge_start(&vidcast_nats_input, port, "", "", NULL, NULL);

    (void) snprintf(words, sizeof(words), "no server at 127.0.0.1:%d answers: "
                    "Connection refused", port);

    test_ok(unit_nats_wait(strcmp(edge->error, words) == 0)
            && unit_nats_wait(strcmp(origin->error, words) == 0),
            "%s", edge->error);

    unit_nats_edge_end(edge);
    unit_nats_origin_end(origin);

    /* something answers, but not as a server does */

    fd = unit_nats_listen(&port);

    edge = unit_nats_edge_start(&vidcast_nats_input, port, "", "", NULL, NULL);

    test_ok(unit_nats_wait(edge->rc == VIDCAST_WAITING), "%s", edge->error);

    unit_nats_edge_end(edge);
    (void) close(fd);
}
