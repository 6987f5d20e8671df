
/*
 * Copyright (C) vidcast contributors
 */


/*
 * Every viewer reads what is around the text of a result: its members must be
 * there, each in its place, and a failure must be told also where there is
 * hardly room.
 *
 * And what an overlay goes by: which frames have no result to come.  Several
 * threads say so, in any order, and it must never be taken back, or the
 * overlay waits in vain and draws old boxes.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include <jansson.h>

#include "unit.h"
#include "unit_ngx.h"

#include "capture/ngx_vidcast_result_publish.c"


#define TEST_ROUNDS   100000
#define TEST_THREADS  3
#define TEST_RESULT   512       /* the least that "results" takes */
#define TEST_NAME_63  "0123456789012345678901234567890"                       \
                      "01234567890123456789012345678901"


/* a result that would be too long is seen by the bytes behind it */

typedef struct {
    ngx_vidcast_ring_result_t    result;
    u_char                       text[2 * TEST_RESULT];
} test_slot_t;


static void test_members(void);
static void test_failures(void);
static void test_room(void);
static void test_pushed(void);
static ngx_uint_t test_has(ngx_vidcast_result_t *result, const char *json,
    const char *members);
static ngx_int_t test_publish(ngx_vidcast_result_t *result, const char *json);
static void test_reset(const char *name, size_t size);
static void test_order(void);
static void test_threads(void);
static void *test_judge(void *data);


static ngx_vidcast_capture_t     test_capture;
static ngx_vidcast_source_t      test_source;
static ngx_vidcast_zone_t        test_zone;
static ngx_vidcast_zone_shm_t    test_zone_shm;
static ngx_vidcast_counters_t    test_counters;
static ngx_vidcast_ring_shm_t    test_ring_shm;
static ngx_uint_t                test_told;
static ngx_uint_t                test_woken;
static ngx_uint_t                test_published;
static uint64_t                  test_seq;

static test_slot_t               test_slot;


void
ngx_vidcast_capture_on_result(ngx_vidcast_capture_t *capture)
{
    ngx_vidcast_count(&test_told, 1);
}


void
ngx_vidcast_zone_wake_workers(ngx_vidcast_zone_t *zone)
{
    test_woken++;
}


ngx_vidcast_ring_result_t *
ngx_vidcast_ring_open_result(ngx_vidcast_ring_t *ring, uint64_t *seq)
{
    *seq = test_seq;

    return &test_slot.result;
}


void
ngx_vidcast_ring_publish_result(ngx_vidcast_ring_t *ring,
    ngx_vidcast_ring_result_t *result, uint64_t seq)
{
    test_published += (result == &test_slot.result && seq == test_seq);
}


int
main(void)
{
    (void) alarm(50);

    test_members();
    test_failures();
    test_room();
    test_pushed();
    test_order();
    test_threads();

    return unit_done();
}


static void
test_members(void)
{
    ngx_vidcast_result_t  result;

    test_reset("front", 2 * TEST_RESULT);
    ngx_memzero(&result, sizeof(ngx_vidcast_result_t));

    result.frame = 1207;
    result.captured = ngx_vidcast_clock() - 15000;
    result.pts = NGX_VIDCAST_NO_PTS;
    result.predict = 12000;
    result.width = 1280;
    result.height = 720;
    result.slot = 3;

    unit_ok(test_has(&result, "{\"a\":1}", "v source epoch seq frame ts width "
                     "height status latency result"),
            "members: %s", test_slot.text);

    unit_ok(ngx_strncmp(test_slot.text, "{\"v\":1,\"source\":\"front\","
                        "\"epoch\":\"00000000000000ab\",\"seq\":42,"
                        "\"frame\":1207,\"ts\":", 69)
            == 0
            && ngx_strstr(test_slot.text, ",\"width\":1280,\"height\":720,"
                          "\"status\":\"ok\","
                          "\"latency\":{\"predict\":0.012000,\"total\":0.")
            && ngx_strstr(test_slot.text, "},\"result\":{\"a\":1}}"),
            "members: what they say");

    unit_ok(test_slot.result.frame == 1207 && test_slot.result.slot == 3
            && test_slot.result.captured == result.captured
            && test_slot.result.ready >= result.captured + 15000
            && result.seq == 42,
            "members: what the ring says of it");

    unit_ok(test_counters.predicted == 1
            && test_counters.predict_time == 12000
            && test_zone_shm.predict_time == 12000
            && test_told == 1 && test_woken == 1,
            "members: it is counted, and told to sinks and workers");

    result.status = "predictor_failed";
    result.error = (u_char *) "a \"b\" \xf6 \xc3\xb6";

    unit_ok(test_has(&result, "null", "v source epoch seq frame ts width "
                     "height status error latency result"),
            "members of a failure: %s", test_slot.text);
    unit_ok(ngx_strstr(test_slot.text, "\"status\":\"predictor_failed\","
                       "\"error\":\"a \\\"b\\\" ? \xc3\xb6\",\"latency\":"),
            "members of a failure: what they say");
    unit_ok(test_counters.predicted == 1, "members of a failure: not counted");

    result.pts = 3600000001;

    unit_ok(test_has(&result, "null", "v source epoch seq frame ts pts width "
                     "height status error latency result")
            && ngx_strstr(test_slot.text, ",\"pts\":3600.000001,"),
            "members of a film: %s", test_slot.text);
}


/* in the least room, of the longest name and with the largest numbers */

static void
test_failures(void)
{
    u_char                error[NGX_VIDCAST_ERROR_LEN];
    ngx_uint_t            i, n, bad, with;
    ngx_vidcast_result_t  result;

    static const char  *statuses[] = {
        "predictor_failed", "result_too_large", "bad_result"
    };

    test_reset(TEST_NAME_63, TEST_RESULT);
    ngx_memzero(&result, sizeof(ngx_vidcast_result_t));

    test_ring_shm.epoch = UINT64_MAX;
    test_seq = UINT64_MAX;

    result.frame = UINT64_MAX;
    result.predict = UINT64_MAX;
    result.width = NGX_VIDCAST_MAX_DIMENSION;
    result.height = NGX_VIDCAST_MAX_DIMENSION;
    result.error = error;

    bad = 0;
    with = 0;

    for (i = 0; i < 3; i++) {
        for (n = 0; n < NGX_VIDCAST_ERROR_LEN; n++) {

            /* each byte of it becomes six */

            ngx_memset(error, 1, n);
            error[n] = '\0';

            result.status = statuses[i];

            bad += (test_publish(&result, "null") != NGX_OK
                    || test_slot.result.size > TEST_RESULT
                    || ngx_strstr(test_slot.text, "},\"result\":null}")
                       == NULL);

            with += (ngx_strstr(test_slot.text, "\"error\":") != NULL);
        }
    }

    unit_ok(bad == 0, "failures: all of %d are told in %d bytes", (int) (i * n),
            TEST_RESULT);
    unit_ok(with > 0 && with < i * n,
            "failures: %d with the reason, which had room", (int) with);
}


static void
test_room(void)
{
    char                  json[2 * TEST_RESULT];
    size_t                head;
    ngx_vidcast_result_t  result;

    test_reset("front", TEST_RESULT);
    ngx_memzero(&result, sizeof(ngx_vidcast_result_t));

    result.captured = ngx_vidcast_clock();

    (void) test_publish(&result, "");

    head = test_slot.result.size;

    ngx_memset(json, '1', sizeof(json));
    json[TEST_RESULT - head] = '\0';

    unit_ok(test_publish(&result, json) == NGX_OK
            && test_slot.result.size == TEST_RESULT
            && test_slot.text[TEST_RESULT - 1] == '}',
            "room: full to the last byte");

    json[TEST_RESULT - head] = '1';
    json[TEST_RESULT - head + 1] = '\0';

    unit_ok(test_publish(&result, json) == NGX_DECLINED
            && test_published == 2 && test_told == 2 && test_woken == 2
            && test_counters.predicted == 2,
            "room: one byte more is declined, and no result");
    unit_ok(test_slot.text[TEST_RESULT] == '#', "room: nothing is behind it");

    unit_ok(test_publish(&result, "1") == NGX_OK, "room: the next one is told");
}


/* a publisher is answered afterwards, which wakes the workers */

static void
test_pushed(void)
{
    ngx_vidcast_result_t  result;

    test_reset("front", TEST_RESULT);
    ngx_memzero(&result, sizeof(ngx_vidcast_result_t));

    result.pushed = 1;

    unit_ok(test_publish(&result, "1") == NGX_OK
            && test_told == 1 && test_woken == 0
            && test_counters.predicted == 0,
            "pushed: not predicted, and workers are not woken yet");
}


/* are these its members, in this order? */

static ngx_uint_t
test_has(ngx_vidcast_result_t *result, const char *json, const char *members)
{
    char         names[256], *p;
    json_t      *root, *value;
    const char  *name;

    if (test_publish(result, json) != NGX_OK) {
        return 0;
    }

    root = json_loads((char *) test_slot.text, JSON_REJECT_DUPLICATES, NULL);
    if (root == NULL) {
        return 0;
    }

    p = names;
    *p = '\0';

    json_object_foreach(root, name, value) {
        p += sprintf(p, "%s%s", p == names ? "" : " ", name);
    }

    json_decref(root);

    return ngx_strcmp(names, members) == 0;
}


static ngx_int_t
test_publish(ngx_vidcast_result_t *result, const char *json)
{
    ngx_int_t  rc;

    ngx_memset(test_slot.text, '#', sizeof(test_slot.text) - 1);

    rc = ngx_vidcast_result_publish(&test_capture, result, (u_char *) json,
                                    strlen(json));

    if (rc == NGX_OK && test_slot.result.size < TEST_RESULT) {
        test_slot.text[test_slot.result.size] = '\0';
    }

    return rc;
}


static void
test_reset(const char *name, size_t size)
{
    ngx_memzero(&test_capture, sizeof(ngx_vidcast_capture_t));
    ngx_memzero(&test_counters, sizeof(ngx_vidcast_counters_t));

    test_source.name.data = (u_char *) name;
    test_source.name.len = strlen(name);
    test_source.original.geometry.result_size = size;

    test_ring_shm.epoch = 0xab;
    test_zone.ring.shm = &test_ring_shm;
    test_zone.shm = &test_zone_shm;

    test_capture.source = &test_source;
    test_capture.zone = &test_zone;
    test_capture.counters = &test_counters;

    (void) pthread_mutex_init(&test_capture.results_mutex, NULL);

    test_seq = 42;
    test_told = 0;
    test_woken = 0;
    test_published = 0;
}


static void
test_order(void)
{
    test_reset("front", TEST_RESULT);

    ngx_vidcast_capture_judged(&test_capture, 5);

    unit_ok(test_capture.judged == 5 && test_told == 1,
            "order: a frame is judged, and the sinks are told");

    ngx_vidcast_capture_judged(&test_capture, 3);

    unit_ok(test_capture.judged == 5 && test_told == 2,
            "order: one before it takes nothing back");
}


static void
test_threads(void)
{
    uint64_t    first[TEST_THREADS];
    pthread_t   tid[TEST_THREADS];
    ngx_uint_t  i;

    for (i = 0; i < TEST_THREADS; i++) {
        first[i] = i;

        if (pthread_create(&tid[i], NULL, test_judge, &first[i]) != 0) {
            exit(2);
        }
    }

    for (i = 0; i < TEST_THREADS; i++) {
        (void) pthread_join(tid[i], NULL);
    }

    unit_ok(test_capture.judged
            == TEST_THREADS * TEST_ROUNDS + TEST_THREADS - 1,
            "threads: the highest of all stays");
}


static void *
test_judge(void *data)
{
    uint64_t  *first = data;

    uint64_t  i, number;

    for (i = 1; i <= TEST_ROUNDS; i++) {
        number = i * TEST_THREADS + *first;

        ngx_vidcast_capture_judged(&test_capture, number);

        if (ngx_vidcast_load(&test_capture.judged) < number) {
            unit_ok(0, "threads: never below what was said");
            break;
        }
    }

    return NULL;
}
