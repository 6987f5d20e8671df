
/*
 * Copyright (C) vidcast contributors
 */


/*
 * What the plugin for sources over NATS is told, and what it makes of what
 * strangers send: the URI and parameters, headers of any kind, the credit of
 * edges, the order of results, the delay by clocks that differ, two origins.
 * None of it needs a server; test_nats_server.c has one.
 */

#include "unit.h"

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


static void test_conf(void);
static void test_conf_members(void);
static void test_headers(void);
static void test_words(void);
static void test_messages(void);
static void test_queue(void);
static void test_edges(void);
static void test_many_edges(void);
static void test_results(void);
static void test_results_lost(void);
static void test_results_patience(void);
static void test_results_bounds(void);
static void test_delay(void);
static void test_origin(void);
static void test_credit(void);
static void test_gets(void);
static void test_escape(void);
static int test_set(vidcast_nats_conf_t *conf, const char *uri,
    const char *name, const char *value, int output, char *error);
static vidcast_nats_message_t *test_result(uint64_t seq, size_t size);
static int test_want(vidcast_nats_edges_t *edges, const char *name,
    uint64_t frame, uint64_t credit, int64_t now);


int
main(void)
{
    (void) nats_Open(-1);

    test_conf();
    test_conf_members();
    test_headers();
    test_words();
    test_messages();
    test_queue();
    test_edges();
    test_many_edges();
    test_results();
    test_results_lost();
    test_results_patience();
    test_results_bounds();
    test_delay();
    test_origin();
    test_credit();
    test_gets();
    test_escape();

    nats_Close();

    return unit_done();
}


static int
test_set(vidcast_nats_conf_t *conf, const char *uri, const char *name,
    const char *value, int output, char *error)
{
    vidcast_param_t    params[2];
    vidcast_context_t  context;

    memset(&context, 0, sizeof(vidcast_context_t));

    params[0].name = name;
    params[0].value = value;
    params[1].name = NULL;

    context.source = "front";
    context.argument = uri;
    context.params = params;

    error[0] = '\0';

    return output ? vidcast_nats_conf_output(conf, &context, error)
                  : vidcast_nats_conf_input(conf, &context, error);
}


static void
test_conf(void)
{
    int                  rc;
    char                 error[VIDCAST_ERROR_LEN];
    size_t               i;
    vidcast_nats_conf_t  conf;

    static const struct {
        const char  *uri;
        const char  *name;
        const char  *value;
        int          output;
        int          rc;
    } tests[] = {
        { "nats://h/a.b", NULL, NULL, 0, VIDCAST_OK },
        { "nats://h/a.b.c-d_E9", NULL, NULL, 0, VIDCAST_OK },
        { "nats://h/a", NULL, NULL, 0, VIDCAST_ERROR },
        { "nats://h/a", NULL, NULL, 1, VIDCAST_OK },
        { "nats://h:4222,i:1,[::1]:65535/a", NULL, NULL, 1, VIDCAST_OK },
        { "nats://[::1]/a", NULL, NULL, 1, VIDCAST_OK },
        { "nats://h", NULL, NULL, 1, VIDCAST_ERROR },
        { "nats://h/", NULL, NULL, 1, VIDCAST_ERROR },
        { "nats://", NULL, NULL, 1, VIDCAST_ERROR },
        { "nats:///a", NULL, NULL, 1, VIDCAST_ERROR },
        { "nats://,/a", NULL, NULL, 1, VIDCAST_ERROR },
        { "nats://h,/a", NULL, NULL, 1, VIDCAST_ERROR },
        { "nats://h:0/a", NULL, NULL, 1, VIDCAST_ERROR },
        { "nats://h:65536/a", NULL, NULL, 1, VIDCAST_ERROR },
        { "nats://h:-1/a", NULL, NULL, 1, VIDCAST_ERROR },
        { "nats://h:/a", NULL, NULL, 1, VIDCAST_ERROR },
        { "nats://h:4222x/a", NULL, NULL, 1, VIDCAST_ERROR },
        { "nats://[::1/a", NULL, NULL, 1, VIDCAST_ERROR },
        { "nats://[::1]x/a", NULL, NULL, 1, VIDCAST_ERROR },
        { "nats://h h/a", NULL, NULL, 1, VIDCAST_ERROR },
        { "nats://h?a/a", NULL, NULL, 1, VIDCAST_ERROR },
        { "tls://h/a", NULL, NULL, 1, VIDCAST_ERROR },
        { "nats://h/a..b", NULL, NULL, 1, VIDCAST_ERROR },
        { "nats://h/.a", NULL, NULL, 1, VIDCAST_ERROR },
        { "nats://h/a.", NULL, NULL, 1, VIDCAST_ERROR },
        { "nats://h/a.*", NULL, NULL, 1, VIDCAST_ERROR },
        { "nats://h/a.>", NULL, NULL, 1, VIDCAST_ERROR },
        { "nats://h/a b", NULL, NULL, 1, VIDCAST_ERROR },
        { "nats://me:hush@h/a", NULL, NULL, 1, VIDCAST_OK },
        { "nats://me:p%40ss%2f@h/a", NULL, NULL, 1, VIDCAST_OK },
        { "nats://me:p@s/s@h/a", NULL, NULL, 1, VIDCAST_OK },
        { "nats://token@h/a", NULL, NULL, 1, VIDCAST_OK },
        { "nats://me:%4@h/a", NULL, NULL, 1, VIDCAST_ERROR },
        { "nats://me:%zz@h/a", NULL, NULL, 1, VIDCAST_ERROR },
        { "nats://me:@h/a", NULL, NULL, 1, VIDCAST_ERROR },
        { "nats://@h/a", NULL, NULL, 1, VIDCAST_ERROR },
        { "nats://h/a", "send", "frames", 1, VIDCAST_OK },
        { "nats://h/a", "send", "none", 1, VIDCAST_ERROR },
        { "nats://h/a.b", "send", "both", 0, VIDCAST_ERROR },
        { "nats://h/a", "fps", "5", 1, VIDCAST_OK },
        { "nats://h/a", "fps", "30000/1001", 1, VIDCAST_OK },
        { "nats://h/a", "fps", "0", 1, VIDCAST_ERROR },
        { "nats://h/a", "fps", "nan", 1, VIDCAST_ERROR },
        { "nats://h/a", "fps", "1001", 1, VIDCAST_ERROR },
        { "nats://h/a.b", "fps", "5", 0, VIDCAST_ERROR },
        { "nats://h/a.b", "group", "yard", 0, VIDCAST_OK },
        { "nats://h/a.b", "group", "a.b", 0, VIDCAST_ERROR },
        { "nats://h/a.b", "group", "", 0, VIDCAST_ERROR },
        { "nats://h/a.b", "group", "0123456789012345678901234567890123456789"
          "0123456789012345678901234", 0, VIDCAST_ERROR },
        { "nats://h/a", "group", "yard", 1, VIDCAST_ERROR },
        { "nats://h/a.b", "timeout", "500ms", 0, VIDCAST_OK },
        { "nats://h/a.b", "timeout", "0", 0, VIDCAST_ERROR },
        { "nats://h/a.b", "timeout", "-1", 0, VIDCAST_ERROR },
        { "nats://h/a.b", "timeout", "1h", 0, VIDCAST_ERROR },
        { "nats://h/a.b", "tls", "on", 0, VIDCAST_OK },
        { "nats://h/a.b", "tls", "yes", 0, VIDCAST_ERROR },
        { "nats://h/a.b", "ca", "/nothing/there", 0, VIDCAST_ERROR },
        { "nats://h/a.b", "creds", "/nothing/there", 0, VIDCAST_ERROR },
        { "nats://me:hush@h/a.b", "creds", "/dev/null", 0, VIDCAST_ERROR },
        { "nats://h/a.b", "cert", "/dev/null", 0, VIDCAST_ERROR },
        { "nats://h/a.b", "size", "640x480", 0, VIDCAST_ERROR },
        { "nats://h/0123456789012345678901234567890123456789012345678901234567"
          "89012345678901234567890123456789012345678901234567890123456789.a",
          NULL, NULL, 0, VIDCAST_ERROR }
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        rc = test_set(&conf, tests[i].uri, tests[i].name, tests[i].value,
                      tests[i].output, error);

        unit_ok(rc == tests[i].rc
                && (rc == VIDCAST_OK || (error[0] && conf.subject == NULL
                                         && strstr(error, "hush") == NULL)),
                "%s %s=%s: %s", tests[i].uri,
                tests[i].name ? tests[i].name : "",
                tests[i].value ? tests[i].value : "",
                rc == VIDCAST_OK ? "taken" : error);

        if (rc == VIDCAST_OK) {
            vidcast_nats_conf_free(&conf);
        }
    }
}


static void
test_conf_members(void)
{
    char                 error[VIDCAST_ERROR_LEN];
    vidcast_context_t    context;
    vidcast_param_t      params[1];
    vidcast_nats_conf_t  conf;

    (void) test_set(&conf, "nats://me:p%40s@s@cam,[::1]:9/a.b", "fps", "4", 1,
                    error);

    unit_ok(strcmp(conf.user, "me") == 0 && strcmp(conf.password, "p@s@s") == 0
            && conf.nservers == 2
            && strcmp(conf.servers[0], "nats://cam:4222") == 0
            && strcmp(conf.servers[1], "nats://[::1]:9") == 0
            && strcmp(conf.place, "cam,[::1]:9") == 0
            && strcmp(conf.subject, "a.b.front") == 0
            && conf.interval == 250000 && conf.frames && conf.results
            && !conf.tls, "what an output is told");

    vidcast_nats_conf_free(&conf);

    (void) test_set(&conf, "nats://tok@h/a.b", "ca", "/dev/null", 0, error);

    unit_ok(strcmp(conf.user, "tok") == 0 && conf.password == NULL && conf.tls
            && strcmp(conf.subject, "a.b") == 0 && conf.timeout == 5000000,
            "what an input is told");

    vidcast_nats_conf_free(&conf);

    memset(&context, 0, sizeof(vidcast_context_t));
    params[0].name = NULL;
    context.argument = "nats://h/a";
    context.params = params;
    context.source = "front door";

    unit_ok(vidcast_nats_conf_output(&conf, &context, error) == VIDCAST_ERROR
            && strstr(error, "front door"), "%s", error);

    context.source = "a..b";

    unit_ok(vidcast_nats_conf_output(&conf, &context, error) == VIDCAST_ERROR,
            "%s", error);

    context.source = "yard.door";

    unit_ok(vidcast_nats_conf_output(&conf, &context, error) == VIDCAST_OK
            && strcmp(conf.subject, "a.yard.door") == 0,
            "a name of several parts");

    vidcast_nats_conf_free(&conf);
}


/* each header, with what it must not be */

static void
test_headers(void)
{
    int                     rc;
    size_t                  i;
    vidcast_nats_message_t  message;

    static const struct {
        const char  *name;
        const char  *value;
        int          rc;
    } tests[] = {
        { "Vidcast-Epoch", "3163c556a4bf81d9", VIDCAST_OK },
        { "Vidcast-Epoch", "0", VIDCAST_BAD },
        { "Vidcast-Epoch", "0000000000000000", VIDCAST_BAD },
        { "Vidcast-Epoch", "", VIDCAST_BAD },
        { "Vidcast-Epoch", " 1", VIDCAST_BAD },
        { "Vidcast-Epoch", "-1", VIDCAST_BAD },
        { "Vidcast-Epoch", "0x1", VIDCAST_BAD },
        { "Vidcast-Epoch", "11111111111111111", VIDCAST_BAD },
        { "Vidcast-Epoch", "g", VIDCAST_BAD },
        { "Vidcast-Frame", "1", VIDCAST_OK },
        { "Vidcast-Frame", "999999999999999999", VIDCAST_OK },
        { "Vidcast-Frame", "1000000000000000000", VIDCAST_BAD },
        { "Vidcast-Frame", "18446744073709551616", VIDCAST_BAD },
        { "Vidcast-Frame", "-1", VIDCAST_BAD },
        { "Vidcast-Frame", "+1", VIDCAST_BAD },
        { "Vidcast-Frame", "1.5", VIDCAST_BAD },
        { "Vidcast-Frame", "1e9", VIDCAST_BAD },
        { "Vidcast-Frame", "", VIDCAST_BAD },
        { "Vidcast-Frame", "1 ", VIDCAST_BAD },
        { "Vidcast-Time", "1763693000.123456", VIDCAST_OK },
        { "Vidcast-Time", "99999999999.999999999", VIDCAST_OK },
        { "Vidcast-Time", "100000000000", VIDCAST_BAD },
        { "Vidcast-Time", "1.", VIDCAST_OK },
        { "Vidcast-Time", ".5", VIDCAST_BAD },
        { "Vidcast-Time", "1.2.3", VIDCAST_BAD },
        { "Vidcast-Time", "-1.5", VIDCAST_BAD },
        { "Vidcast-Time", "nan", VIDCAST_BAD },
        { "Vidcast-Time", "1,5", VIDCAST_BAD },
        { "Vidcast-Size", "1920x1080", VIDCAST_OK },
        { "Vidcast-Size", "16384x16384", VIDCAST_OK },
        { "Vidcast-Size", "16385x1", VIDCAST_BAD },
        { "Vidcast-Size", "0x1", VIDCAST_BAD },
        { "Vidcast-Size", "1x0", VIDCAST_BAD },
        { "Vidcast-Size", "1x-1", VIDCAST_BAD },
        { "Vidcast-Size", "99999999999x1", VIDCAST_BAD },
        { "Vidcast-Size", "1x1x1", VIDCAST_BAD },
        { "Vidcast-Size", "", VIDCAST_BAD },
        { "Vidcast-Credit", "99999", VIDCAST_OK },
        { "Vidcast-Unknown", "anything", VIDCAST_OK },
        { "Vidcast-Reason", "", VIDCAST_OK }
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        memset(&message, 0, sizeof(vidcast_nats_message_t));

        rc = vidcast_nats_message_header(&message, tests[i].name,
                                         tests[i].value);

        unit_ok(rc == tests[i].rc, "%s: %s", tests[i].name, tests[i].value);
    }

    (void) vidcast_nats_message_header(&message, "Vidcast-Time",
                                       "1763693000.12345678");

    unit_ok(message.time == 1763693000123456, "a time is in us");

    (void) vidcast_nats_message_header(&message, "Vidcast-Time", "12.5");

    unit_ok(message.time == 12500000, "with few digits as well");

    unit_ok(vidcast_nats_message_header(&message, "Vidcast-Frame", NULL)
            == VIDCAST_BAD, "a header without a value");
}


static void
test_words(void)
{
    char                    text[1024];
    size_t                  i;
    vidcast_nats_message_t  message;

    static const struct {
        const char  *value;
        const char  *words;
    } tests[] = {
        { "the camera is off", "the camera is off" },
        { "a\tb\x1b[2J\x7f", "a?b?[2J?" },
        { "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
        { "\xc3", "?" },
        { "\xff\xfe", "??" },
        { "\xe0\x80\x80", "???" },
        { "\xed\xa0\x80", "???" },
        { "\xc2\x9b", "??" },
        { "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
        { "\xf4\x90\x80\x80", "????" }
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        (void) vidcast_nats_message_header(&message, "Vidcast-Reason",
                                           tests[i].value);

        unit_ok(strcmp(message.reason, tests[i].words) == 0, "words: %s",
                message.reason);
    }

    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';

    (void) vidcast_nats_message_header(&message, "Vidcast-Edge", text);

    unit_ok(strlen(message.edge) == VIDCAST_NATS_NAME - 1,
            "a long name is cut");

    /* in the middle of a character */

    for (i = 0; i + 2 < sizeof(text); i += 2) {
        memcpy(text + i, "\xc3\xbc", 2);
    }

    text[i] = '\0';

    (void) vidcast_nats_message_header(&message, "Vidcast-Edge", text);

    unit_ok(strlen(message.edge) == VIDCAST_NATS_NAME - 2,
            "and not in the middle of a character");
}


/* as they cross the library, and what must be there */

static void
test_messages(void)
{
    void                    *msg;
    char                     error[VIDCAST_ERROR_LEN];
    natsMsg                 *raw;
    vidcast_nats_message_t   message, *read;

    memset(&message, 0, sizeof(vidcast_nats_message_t));

    message.has = VIDCAST_NATS_HAS_ORIGIN | VIDCAST_NATS_HAS_EPOCH
                  | VIDCAST_NATS_HAS_FRAME | VIDCAST_NATS_HAS_TIME
                  | VIDCAST_NATS_HAS_AGE | VIDCAST_NATS_HAS_SIZE
                  | VIDCAST_NATS_HAS_PTS;
    message.origin = 0x1;
    message.epoch = 0xfedcba9876543210;
    message.frame = 999999999999999999;
    message.time = 1763693000123456;
    message.age = 1;
    message.pts = 12000001;
    message.width = 640;
    message.height = 480;
    message.data = (const uint8_t *) "\xff\xd8\0\xff";
    message.size = 4;

    msg = vidcast_nats_message_write(&message, "a.b.frame", NULL);
    read = vidcast_nats_message_read(VIDCAST_NATS_FRAME, msg, error);

    unit_ok(read && read->has == message.has && read->origin == 1
            && read->epoch == message.epoch && read->frame == message.frame
            && read->time == message.time && read->age == 1
            && read->pts == message.pts && read->width == 640
            && read->height == 480 && read->size == 4
            && memcmp(read->data, message.data, 4) == 0
            && read->reply[0] == '\0', "a frame");

    vidcast_nats_message_free(read);

    message.has &= ~VIDCAST_NATS_HAS_PTS;
    msg = vidcast_nats_message_write(&message, "a.b.frame", NULL);
    read = vidcast_nats_message_read(VIDCAST_NATS_FRAME, msg, error);

    unit_ok(read && read->pts == VIDCAST_NO_PTS, "one of a camera");

    vidcast_nats_message_free(read);

    message.has &= ~VIDCAST_NATS_HAS_TIME;
    msg = vidcast_nats_message_write(&message, "a.b.frame", NULL);
    read = vidcast_nats_message_read(VIDCAST_NATS_FRAME, msg, error);

    unit_ok(read == NULL
            && strcmp(error, "a message on a.b.frame has no Vidcast-Time")
               == 0, "%s", error);

    (void) natsMsg_Create(&raw, "a.b.result", NULL, NULL, 0);
    read = vidcast_nats_message_read(VIDCAST_NATS_RESULT, raw, error);

    unit_ok(read == NULL, "%s", error);

    (void) natsMsg_Create(&raw, "a.b.want", NULL, "payload", 7);
    (void) natsMsgHeader_Set(raw, "Vidcast-Credit", "-1");
    read = vidcast_nats_message_read(VIDCAST_NATS_WANT, raw, error);

    unit_ok(read == NULL
            && strcmp(error, "a message on a.b.want has a bad Vidcast-Credit")
               == 0, "%s", error);

    (void) natsMsg_Create(&raw, "a.b.want", NULL, "payload", 7);
    read = vidcast_nats_message_read(VIDCAST_NATS_WANT, raw, error);

    unit_ok(read && read->data == NULL && read->handle == NULL && !read->has,
            "a want without a word, and its payload is not kept");

    vidcast_nats_message_free(read);

    (void) natsMsg_Create(&raw, "_INBOX.abc.17", NULL, NULL, 0);
    (void) natsMsgHeader_Set(raw, "Status", "503");
    read = vidcast_nats_message_read(VIDCAST_NATS_REPLY, raw, error);

    unit_ok(read && read->nobody && read->number == 17, "nobody answers");

    vidcast_nats_message_free(read);
}


static void
test_queue(void)
{
    size_t                   i, n;
    vidcast_nats_queue_t    *queue;
    vidcast_nats_message_t  *message;

    queue = vidcast_nats_queue_create(NULL, NULL);

    for (i = 1; i <= 5; i++) {
        message = calloc(1, sizeof(vidcast_nats_message_t));
        message->kind = VIDCAST_NATS_FRAME;
        message->frame = i;
        vidcast_nats_queue_put(queue, message);

        vidcast_nats_queue_put(queue, test_result(i, 1));
    }

    unit_ok(vidcast_nats_queue_told_late(queue) == 3
            && vidcast_nats_queue_told_late(queue) == 0,
            "of five frames three are late, which is told once");

    n = 0;

    for (i = 1; i <= 7; i++) {
        message = vidcast_nats_queue_take(queue);
        n += message->kind == VIDCAST_NATS_FRAME ? message->frame * 10
                                                 : message->seq;
        vidcast_nats_message_free(message);
    }

    unit_ok(n == 90 + 15 && vidcast_nats_queue_take(queue) == NULL,
            "the newest two frames, and all results");

    for (i = 1; i <= 2000; i++) {
        vidcast_nats_queue_put(queue, test_result(i, 1));
    }

    for (i = 0; /* void */ ; i++) {
        message = vidcast_nats_queue_take(queue);

        if (message == NULL) {
            break;
        }

        vidcast_nats_message_free(message);
    }

    unit_ok(i == VIDCAST_NATS_QUEUE_MAX, "results are bounded");

    for (i = 1; i <= 20; i++) {
        vidcast_nats_queue_put(queue, test_result(i, 1024 * 1024));
    }

    for (i = 0; /* void */ ; i++) {
        message = vidcast_nats_queue_take(queue);

        if (message == NULL) {
            break;
        }

        vidcast_nats_message_free(message);
    }

    unit_ok(i == 16, "also in bytes");

    vidcast_nats_queue_put(queue, test_result(1, 1));
    vidcast_nats_queue_release(queue);
}


static vidcast_nats_message_t *
test_result(uint64_t seq, size_t size)
{
    vidcast_nats_message_t  *message;

    message = calloc(1, sizeof(vidcast_nats_message_t));

    message->kind = VIDCAST_NATS_RESULT;
    message->has = VIDCAST_NATS_HAS_SEQ;
    message->seq = seq;
    message->size = size;
    message->arrival = vidcast_nats_clock();

    return message;
}


static int
test_want(vidcast_nats_edges_t *edges, const char *name, uint64_t frame,
    uint64_t credit, int64_t now)
{
    vidcast_nats_message_t  message;

    memset(&message, 0, sizeof(vidcast_nats_message_t));

    if (name) {
        message.has = VIDCAST_NATS_HAS_EDGE;
        (void) strcpy(message.edge, name);
    }

    message.epoch = 1;
    message.frame = frame;
    message.credit = credit;

    return vidcast_nats_edges_want(edges, &message, now);
}


static void
test_edges(void)
{
    int64_t                now, second;
    unsigned               i;
    vidcast_nats_edges_t  *edges;

    edges = calloc(1, sizeof(vidcast_nats_edges_t));
    second = 1000000;
    now = 1000 * second;

    vidcast_nats_edges_epoch(edges, 1);

    unit_ok(!vidcast_nats_edges_may(edges, now)
            && vidcast_nats_edges_readers(edges, now) == 0,
            "nobody wants anything");

    unit_ok(test_want(edges, "slow", 0, 2, now)
            && !test_want(edges, "slow", 0, 2, now)
            && vidcast_nats_edges_readers(edges, now) == 1,
            "an edge is new once");

    vidcast_nats_edges_sent(edges, 1, now);

    unit_ok(vidcast_nats_edges_may(edges, now), "one of two is on its way");

    vidcast_nats_edges_sent(edges, 2, now);

    unit_ok(!vidcast_nats_edges_may(edges, now), "two of two are");

    (void) test_want(edges, "slow", 1, 2, now);

    unit_ok(vidcast_nats_edges_may(edges, now), "the first one has arrived");

    vidcast_nats_edges_sent(edges, 5, now);
    (void) test_want(edges, "fast", 0, 4, now);

    unit_ok(vidcast_nats_edges_may(edges, now), "another edge has credit");

    vidcast_nats_edges_sent(edges, 6, now);
    vidcast_nats_edges_sent(edges, 7, now);
    vidcast_nats_edges_sent(edges, 8, now);
    vidcast_nats_edges_sent(edges, 9, now);

    unit_ok(!vidcast_nats_edges_may(edges, now), "neither has");

    /* an acknowledgement was lost, or a frame */

    now += second - 1;

    unit_ok(!vidcast_nats_edges_may(edges, now), "for a second none");

    now += 1;

    unit_ok(vidcast_nats_edges_may(edges, now), "then one more");

    vidcast_nats_edges_sent(edges, 10, now);
    now += 2 * second - 1;

    unit_ok(!vidcast_nats_edges_may(edges, now), "then none for two");

    for (i = 0; i < 5; i++) {
        now += 9 * second;
        (void) test_want(edges, "slow", 1, 2, now);
        vidcast_nats_edges_sent(edges, 11 + i, now);
    }

    now += 8 * second - 1;

    unit_ok(!vidcast_nats_edges_may(edges, now), "for eight at most");

    now += 1;

    unit_ok(vidcast_nats_edges_may(edges, now), "then one more");

    (void) test_want(edges, "slow", 15, 2, now);
    vidcast_nats_edges_sent(edges, 16, now);
    vidcast_nats_edges_sent(edges, 17, now);

    now += second;

    unit_ok(vidcast_nats_edges_may(edges, now),
            "for one, where an answer has come again");

    now += 13 * second;

    unit_ok(!vidcast_nats_edges_may(edges, now)
            && vidcast_nats_edges_readers(edges, now) == 0,
            "an edge is forgotten");

    (void) test_want(edges, "slow", 15, 0, now);

    unit_ok(!vidcast_nats_edges_may(edges, now)
            && vidcast_nats_edges_readers(edges, now) == 1,
            "one without credit reads, but not here");

    (void) test_want(edges, NULL, 0, 0, now);

    unit_ok(vidcast_nats_edges_may(edges, now + 9 * second)
            && !vidcast_nats_edges_may(edges, now + 10 * second),
            "a reader without a name has ten seconds");

    (void) test_want(edges, "huge", 999999999999999999, 999999999999999999,
                     now);

    unit_ok(edges->edge[2].credit == VIDCAST_NATS_CREDIT,
            "a credit is bounded");

    free(edges);
}


static void
test_many_edges(void)
{
    char                   name[VIDCAST_NATS_NAME];
    unsigned               i;
    vidcast_nats_edges_t  *edges;

    edges = calloc(1, sizeof(vidcast_nats_edges_t));

    for (i = 0; i < 1000; i++) {
        (void) snprintf(name, sizeof(name), "edge%u", i);
        (void) test_want(edges, name, 0, 1, 1000000 + i);
    }

    unit_ok(edges->nedges == VIDCAST_NATS_EDGES
            && vidcast_nats_edges_readers(edges, 1001000)
               == VIDCAST_NATS_EDGES,
            "of many the newest are known");

    for (i = 0; i < 1000; i++) {
        vidcast_nats_edges_sent(edges, i + 1, 1001000);
    }

    unit_ok(!vidcast_nats_edges_may(edges, 1001000), "many frames were sent");

    free(edges);
}


static void
test_results(void)
{
    int64_t                  now;
    uint64_t                 after, upto;
    vidcast_nats_message_t  *message;
    vidcast_nats_results_t  *results;

    results = calloc(1, sizeof(vidcast_nats_results_t));
    now = vidcast_nats_clock();

    vidcast_nats_results_put(results, test_result(1, 1));

    unit_ok(!vidcast_nats_results_ask(results, now, &after, &upto)
            && results->count == 0, "before a state nothing is taken");

    vidcast_nats_results_begin(results, 5);

    vidcast_nats_results_put(results, test_result(4, 1));
    vidcast_nats_results_put(results, test_result(5, 1));
    vidcast_nats_results_put(results, test_result(7, 1));
    vidcast_nats_results_put(results, test_result(7, 1));

    message = vidcast_nats_results_take(results);

    unit_ok(message && message->seq == 5 && results->count == 1,
            "the first one");

    vidcast_nats_message_free(message);

    unit_ok(vidcast_nats_results_take(results) == NULL,
            "the next one is missing");

    unit_ok(vidcast_nats_results_ask(results, now, &after, &upto)
            && after == 5 && upto == 6, "so it is asked for");

    unit_ok(!vidcast_nats_results_ask(results, now + 499999, &after, &upto)
            && vidcast_nats_results_ask(results, now + 500000, &after, &upto),
            "again after half a second");

    vidcast_nats_results_put(results, test_result(6, 1));

    message = vidcast_nats_results_take(results);

    unit_ok(message && message->seq == 6, "it has come");

    vidcast_nats_message_free(message);

    message = vidcast_nats_results_take(results);

    unit_ok(message && message->seq == 7
            && vidcast_nats_results_take(results) == NULL,
            "and the one that has waited");

    vidcast_nats_message_free(message);

    /* a state tells of one that did not come */

    vidcast_nats_results_end(results, 1, 7);
    vidcast_nats_results_known(results, 1, 9);
    now = vidcast_nats_clock();

    unit_ok(!vidcast_nats_results_ask(results, now, &after, &upto)
            && !vidcast_nats_results_ask(results, now + 99999, &after, &upto)
            && vidcast_nats_results_ask(results, now + 100000, &after, &upto)
            && after == 7 && upto == 9, "it may be on its way for a while");

    vidcast_nats_results_end(results, 9, 9);

    unit_ok(results->next == 9 && results->lost == 1,
            "the origin has it not any more");

    vidcast_nats_results_clear(results);
    free(results);
}


/* what is given up when nobody answers is not what nobody could answer */

static void
test_results_patience(void)
{
    int64_t                  now;
    uint64_t                 after, upto;
    vidcast_nats_results_t  *results;

    results = calloc(1, sizeof(vidcast_nats_results_t));
    now = vidcast_nats_clock();

    vidcast_nats_results_begin(results, 5);
    vidcast_nats_results_known(results, 1, 5);

    unit_ok(!vidcast_nats_results_ask(results, now, &after, &upto)
            && vidcast_nats_results_ask(results, now + 100000, &after, &upto),
            "one is missing");

    /* and then there was no connection for a while */

    vidcast_nats_results_connected(results);
    vidcast_nats_results_put(results, test_result(9, 1));

    unit_ok(vidcast_nats_results_ask(results, now + 6000000, &after, &upto)
            && after == 4 && upto == 8 && results->lost == 0,
            "all of them are asked for");
    unit_ok(!vidcast_nats_results_ask(results, now + 11000000, &after, &upto)
            && results->lost > 0,
            "without an answer they are given up");

    vidcast_nats_results_clear(results);

    /* an answer of long ago */

    vidcast_nats_results_begin(results, 5);
    results->asked = now - 60000000;
    results->heard = now - 60000000;
    vidcast_nats_results_put(results, test_result(9, 1));

    unit_ok(vidcast_nats_results_ask(results, now, &after, &upto)
            && after == 4 && results->next == 5,
            "a hole is not as old as the last request");

    vidcast_nats_results_clear(results);
    free(results);
}


/* what the origin cannot give, though it has it; and what nobody asks for */

static void
test_results_lost(void)
{
    int64_t                  now;
    uint64_t                 after, upto;
    vidcast_nats_message_t  *message;
    vidcast_nats_results_t  *results;

    results = calloc(1, sizeof(vidcast_nats_results_t));
    now = vidcast_nats_clock();

    vidcast_nats_results_begin(results, 9);
    vidcast_nats_results_put(results, test_result(10, 1));

    unit_ok(vidcast_nats_results_ask(results, now, &after, &upto)
            && after == 8 && upto == 9, "9 is asked for");

    vidcast_nats_results_end(results, 1, 10);
    vidcast_nats_results_end(results, 1, 10);
    vidcast_nats_results_end(results, 1, 10);

    message = vidcast_nats_results_take(results);

    unit_ok(message && message->seq == 10 && results->lost == 1,
            "three answers were without it");

    vidcast_nats_message_free(message);

    /* those that are here already do not become older */

    vidcast_nats_results_put(results, test_result(11, 1));
    vidcast_nats_results_put(results, test_result(13, 1));
    vidcast_nats_results_known(results, 20, 20);

    message = vidcast_nats_results_take(results);

    unit_ok(message && message->seq == 11
            && vidcast_nats_results_take(results) == NULL,
            "what waits is given, though the origin has it not any more");

    vidcast_nats_message_free(message);
    vidcast_nats_results_known(results, 15, 15);

    message = vidcast_nats_results_take(results);

    unit_ok(message && message->seq == 13 && results->lost == 2,
            "and what is missing before it is left out");

    vidcast_nats_message_free(message);

    /* no answer at all, while others come */

    vidcast_nats_results_put(results, test_result(20, 1));
    now = vidcast_nats_clock();

    unit_ok(vidcast_nats_results_ask(results, now, &after, &upto), "asked");

    results->heard -= 5000000;

    unit_ok(!vidcast_nats_results_ask(results, now + 1000, &after, &upto)
            && results->next == 20, "it goes on behind the hole");

    vidcast_nats_results_clear(results);
    free(results);
}


static void
test_results_bounds(void)
{
    uint64_t                 i, after, upto;
    vidcast_nats_results_t  *results;

    results = calloc(1, sizeof(vidcast_nats_results_t));

    vidcast_nats_results_begin(results, 1);

    for (i = 2; i < 3000; i++) {
        vidcast_nats_results_put(results, test_result(i, 1));
    }

    unit_ok(results->count == VIDCAST_NATS_RESULTS_MAX - 1
            && results->newest == 2999, "what waits is bounded");

    vidcast_nats_results_begin(results, 1);

    for (i = 2; i < 100; i++) {
        vidcast_nats_results_put(results, test_result(i, 1024 * 1024));
    }

    unit_ok(results->count == 16, "also in bytes");

    vidcast_nats_results_put(results, test_result(1, 1024 * 1024));

    unit_ok(results->count == 17, "the next one has room");

    /* numbers of a stranger */

    vidcast_nats_results_begin(results, 1);
    vidcast_nats_results_put(results, test_result(999999999999999999, 1));
    vidcast_nats_results_put(results, test_result(0, 1));

    unit_ok(results->count == 0
            && vidcast_nats_results_ask(results, 1000000, &after, &upto) == 0,
            "a number without a sense is not kept");

    results->missing = 1;

    unit_ok(vidcast_nats_results_ask(results, 1000000, &after, &upto)
            && after == 0 && upto == 512, "and not many are asked for");

    vidcast_nats_results_end(results, 999999999999999999,
                             999999999999999999);

    unit_ok(results->next == 999999999999999999, "it goes on there");

    /* a number that was not the origin's */

    vidcast_nats_results_begin(results, 1);
    vidcast_nats_results_put(results, test_result(999999999999999999, 1));
    vidcast_nats_results_end(results, 1, 0);

    unit_ok(!vidcast_nats_results_ask(results, 2000000, &after, &upto)
            && results->missing == 0, "the origin has it not");

    vidcast_nats_results_clear(results);
    free(results);
}


static void
test_delay(void)
{
    int64_t               now, skew, delay;
    unsigned              i;
    vidcast_nats_delay_t  tracker;

    memset(&tracker, 0, sizeof(vidcast_nats_delay_t));

    skew = -1700000000000000;
    now = 1000000000;

    delay = vidcast_nats_delay_add(&tracker, now - skew, now + 20000);

    unit_ok(delay == 0, "the first one is the least");

    delay = vidcast_nats_delay_add(&tracker, now - skew, now + 500000);

    unit_ok(delay == 480000, "one that is late");

    delay = vidcast_nats_delay_add(&tracker, now - skew, now + 10000);

    unit_ok(delay == 0, "one that was faster");

    /* a longer way, after a minute, is the least again */

    for (i = 1; i <= 70; i++) {
        delay = vidcast_nats_delay_add(&tracker, now - skew + i * 1000000,
                                       now + i * 1000000 + 300000);
    }

    unit_ok(delay == 0, "the least is of a minute");

    delay = vidcast_nats_delay_add(&tracker, now - skew + 71000000
                                   - 3600000000, now + 71000000);

    unit_ok(delay == 0, "a clock was set");
}


static void
test_origin(void)
{
    char                    error[VIDCAST_ERROR_LEN];
    int64_t                 now;
    vidcast_nats_conf_t     conf;
    vidcast_nats_origin_t   origin;
    vidcast_nats_message_t  a, b;

    memset(&origin, 0, sizeof(vidcast_nats_origin_t));
    memset(&a, 0, sizeof(vidcast_nats_message_t));
    memset(&conf, 0, sizeof(vidcast_nats_conf_t));

    conf.subject = "cams.front";
    conf.timeout = 5000000;
    now = 1000000000;

    unit_ok(vidcast_nats_origin_look(&origin, &conf, now, now + 4999999,
                                     error) == VIDCAST_OK
            && vidcast_nats_origin_look(&origin, &conf, now, now + 5000000,
                                        error) == VIDCAST_WAITING
            && strcmp(error, "no origin publishes cams.front") == 0, "%s",
            error);

    a.kind = VIDCAST_NATS_STATE;
    a.has = VIDCAST_NATS_HAS_EPOCH;
    a.origin = 1;
    a.epoch = 11;
    a.seq = 5;
    a.arrival = now;
    (void) strcpy(a.state, "live");

    b = a;
    b.origin = 2;
    b.epoch = 22;
    b.seq = 99;

    unit_ok(vidcast_nats_origin_hear(&origin, &a) == VIDCAST_RESULT
            && vidcast_nats_origin_hear(&origin, &a) == VIDCAST_OK
            && origin.epoch == 11 && origin.seq == 5, "its first epoch");

    unit_ok(vidcast_nats_origin_hear(&origin, &b) == VIDCAST_UNCHANGED
            && !origin.two, "another one speaks");

    a.arrival = b.arrival = now + 1000000;

    unit_ok(vidcast_nats_origin_hear(&origin, &a) == VIDCAST_OK && origin.two
            && origin.seq == 5, "so there are two");

    b.arrival = now + 3999999;

    unit_ok(vidcast_nats_origin_hear(&origin, &b) == VIDCAST_UNCHANGED,
            "it stays with the first one");

    b.arrival = now + 4000000;

    unit_ok(vidcast_nats_origin_hear(&origin, &b) == VIDCAST_RESULT
            && origin.id == 2 && origin.epoch == 22 && !origin.two,
            "till that is silent");

    /* the first one leaves, and its successor need not wait */

    (void) strcpy(b.state, "gone");
    (void) vidcast_nats_origin_hear(&origin, &b);
    a.arrival = b.arrival;

    unit_ok(vidcast_nats_origin_hear(&origin, &a) == VIDCAST_RESULT
            && origin.id == 1, "one that says that it is gone");

    /* what was on its way when the epoch changed */

    a.epoch = 12;

    unit_ok(vidcast_nats_origin_hear(&origin, &a) == VIDCAST_RESULT
            && origin.epoch == 12, "another epoch");

    a.epoch = 11;
    a.kind = VIDCAST_NATS_FRAME;

    unit_ok(vidcast_nats_origin_hear(&origin, &a) == VIDCAST_UNCHANGED
            && origin.epoch == 12, "a frame of the one before");

    a.kind = VIDCAST_NATS_STATE;
    a.epoch = 12;
    (void) strcpy(a.state, "reconnecting");
    (void) strcpy(a.reason, "no route to the camera");
    (void) vidcast_nats_origin_hear(&origin, &a);
    now = a.arrival;

    unit_ok(vidcast_nats_origin_look(&origin, &conf, 1, now, error)
            == VIDCAST_WAITING
            && strcmp(error, "the origin is reconnecting: no route to the "
                             "camera") == 0, "%s", error);

    (void) strcpy(a.state, "sleeping");
    a.reason[0] = '\0';
    (void) vidcast_nats_origin_hear(&origin, &a);

    unit_ok(vidcast_nats_origin_look(&origin, &conf, 1, now + 4900000, error)
            == VIDCAST_OK, "one that wakes up");

    a.arrival = now + 5000000;
    (void) vidcast_nats_origin_hear(&origin, &a);

    unit_ok(vidcast_nats_origin_look(&origin, &conf, 1, now + 5000000, error)
            == VIDCAST_WAITING
            && strcmp(error, "the origin is sleeping") == 0, "%s", error);

    unit_ok(vidcast_nats_origin_look(&origin, &conf, 1, now + 10000000, error)
            == VIDCAST_WAITING
            && strcmp(error, "the origin of cams.front is silent for more "
                             "than 5 s") == 0, "%s", error);

    unit_ok(vidcast_nats_origin_look(&origin, &conf, now + 9000000,
                                     now + 10000000, error)
            == VIDCAST_WAITING
            && strcmp(error, "the origin is sleeping") == 0,
            "which it cannot be while there is no connection");
}


/* a line on which frames are a second late */

static void
test_credit(void)
{
    int                     i;
    char                    error[VIDCAST_ERROR_LEN];
    int64_t                 now;
    vidcast_nats_bus_t     *bus;
    vidcast_nats_conf_t     conf;
    vidcast_nats_lane_t     lane;
    vidcast_nats_origin_t   origin;
    vidcast_nats_message_t  message;

    (void) test_set(&conf, "nats://127.0.0.1:1/a.b", NULL, NULL, 0, error);

    bus = vidcast_nats_bus_create(&conf, "test", NULL, NULL, error);

    memset(&origin, 0, sizeof(vidcast_nats_origin_t));
    memset(&message, 0, sizeof(vidcast_nats_message_t));

    vidcast_nats_lane_begin(&lane, bus, &conf);

    message.kind = VIDCAST_NATS_FRAME;
    message.has = VIDCAST_NATS_HAS_TIME;
    now = vidcast_nats_clock();

    for (i = 0; i < 200; i++) {
        message.frame++;
        message.time = 1700000000000000 + i * 40000;
        message.arrival = now + i * 40000;

        vidcast_nats_lane_came(&lane, &origin, &message);
        vidcast_nats_lane_took(&lane, message.frame, message.arrival);
    }

    unit_ok(lane.mode == VIDCAST_NATS_SHARED
            && lane.credit == VIDCAST_NATS_CREDIT,
            "where there is no delay, there is credit");

    /* all is held up for a second, and comes at once */

    for ( /* void */ ; i < 225; i++) {
        message.frame++;
        message.time = 1700000000000000 + i * 40000;
        message.arrival = now + 225 * 40000;

        vidcast_nats_lane_came(&lane, &origin, &message);
        vidcast_nats_lane_took(&lane, message.frame, message.arrival);
    }

    unit_ok(lane.mode == VIDCAST_NATS_SHARED && lane.credit < 4,
            "one pause takes credit, but is no queue");

    for ( /* void */ ; i < 300; i++) {
        message.frame++;
        message.time = 1700000000000000 + i * 40000;
        message.arrival = now + i * 40000;

        vidcast_nats_lane_came(&lane, &origin, &message);
        vidcast_nats_lane_took(&lane, message.frame, message.arrival);
    }

    unit_ok(lane.credit > 4, "it comes back");

    /* each takes 200 ms, and is sent every 40 */

    for (i = 0; i < 20 && lane.mode == VIDCAST_NATS_SHARED; i++) {
        message.frame++;
        message.time = 1700000000000000 + (300 + i) * 40000;
        message.arrival = now + 300 * 40000 + i * 200000;

        vidcast_nats_lane_came(&lane, &origin, &message);
        vidcast_nats_lane_took(&lane, message.frame, message.arrival);
    }

    unit_ok(lane.mode == VIDCAST_NATS_PULL && i < 7,
            "a queue that grows is left: at frame %d", i);

    /* back: frames of 25 a second come in 10 ms for long enough */

    origin.fps = 25000000;
    now = message.arrival;

    for (i = 0; i < 1000 && lane.mode == VIDCAST_NATS_PULL; i++) {
        now += 40000;
        lane.pulls[0].number = 7;
        lane.pulls[0].sent = now - 40000;

        message.kind = VIDCAST_NATS_REPLY;
        message.number = 7;
        message.frame++;
        message.held = 30000;
        message.arrival = now;

        vidcast_nats_lane_came(&lane, &origin, &message);
    }

    unit_ok(lane.mode == VIDCAST_NATS_SHARED && i >= 249 && i < 260,
            "ten seconds later it shares again: %d", i);

    vidcast_nats_bus_destroy(bus);
    vidcast_nats_conf_free(&conf);
}


static void
test_gets(void)
{
    int                     i;
    vidcast_nats_gets_t    *gets;
    vidcast_nats_feed_t     feed;
    vidcast_nats_message_t  message;

    gets = calloc(1, sizeof(vidcast_nats_gets_t));

    memset(&feed, 0, sizeof(vidcast_nats_feed_t));
    memset(&message, 0, sizeof(vidcast_nats_message_t));

    feed.subject = "cams.front";
    feed.epoch = 1;

    (void) strcpy(message.get, "frame");
    vidcast_nats_gets_add(gets, &feed, &message);

    (void) strcpy(message.reply, "cams.front.frame");
    vidcast_nats_gets_add(gets, &feed, &message);

    (void) strcpy(message.reply, "cams.front");
    vidcast_nats_gets_add(gets, &feed, &message);

    (void) strcpy(message.reply, "a.>");
    vidcast_nats_gets_add(gets, &feed, &message);

    (void) strcpy(message.reply, "a");
    (void) strcpy(message.get, "all");
    vidcast_nats_gets_add(gets, &feed, &message);

    unit_ok(gets->nframes == 0 && gets->get[0].reply[0] == '\0',
            "an answer goes nowhere else");

    (void) strcpy(message.get, "frame");

    for (i = 0; i < 1000; i++) {
        (void) snprintf(message.reply, sizeof(message.reply), "inbox.%d", i);
        (void) snprintf(message.group, sizeof(message.group), "group%d", i);
        message.arrival = i + 1;
        vidcast_nats_gets_add(gets, &feed, &message);
    }

    unit_ok(gets->nframes == VIDCAST_NATS_GETS, "requests are bounded");

    vidcast_nats_gets_add(gets, &feed, &message);

    unit_ok(gets->nframes == VIDCAST_NATS_GETS, "the same one is one");

    free(gets);
}


static void
test_escape(void)
{
    char  text[256];

    *vidcast_nats_feed_escape(text, "a\"b\\c\n\xc3\xbc", SIZE_MAX) = '\0';

    unit_ok(strcmp(text, "a\\\"b\\\\c\\u000a\xc3\xbc") == 0, "%s", text);
}
