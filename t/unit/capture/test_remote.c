
/*
 * Copyright (C) vidcast contributors
 */


/*
 * A source that is on another machine has numbers already.  They must come out
 * as they are, in its epoch, whatever the text says, and never go back; and
 * what is no result must not become one, since each of its viewers reads it.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "unit.h"
#include "unit_ngx.h"
#include "unit_ring.h"

#include "capture/remote/ngx_vidcast_result_members.c"
#include "wire/ngx_vidcast_result_value.c"
#include "capture/remote/ngx_vidcast_remote.c"


#define TEST_RESULT  512


static void test_epochs(void);
static void test_results(void);
static void test_refused(void);
static ngx_int_t test_result(uint64_t seq, const char *json);
static const char *test_read(uint64_t seq);
static void test_reset(void);


static unit_ring_t             test_ring;
static ngx_vidcast_capture_t   test_capture;
static ngx_vidcast_source_t    test_source;
static ngx_vidcast_zone_t      test_zone;
static ngx_vidcast_counters_t  test_counters;
static ngx_uint_t              test_told, test_woken;
static u_char                  test_error[NGX_VIDCAST_ERROR_LEN];
static u_char                  test_text[TEST_RESULT + 1];


void
ngx_vidcast_capture_on_result(ngx_vidcast_capture_t *capture)
{
    test_told++;
}


void
ngx_vidcast_zone_wake_workers(ngx_vidcast_zone_t *zone)
{
    test_woken++;
}


int
main(void)
{
    unit_ring_open(&test_ring, 3, 600, 5, TEST_RESULT);

    test_epochs();
    test_results();
    test_refused();

    unit_ring_close(&test_ring);

    return unit_done();
}


static void
test_epochs(void)
{
    ngx_vidcast_ring_t  *ring;

    test_reset();
    ring = &test_zone.ring;

    unit_ok(ngx_vidcast_remote_epoch(&test_capture, 0xe) == NGX_OK
            && ngx_vidcast_ring_epoch(ring) == 0xe && test_capture.epoch == 0,
            "a ring that has nothing takes an epoch");

    ngx_vidcast_ring_set_number(ring, 41);
    (void) unit_ring_put(ring);

    unit_ok(ngx_vidcast_remote_epoch(&test_capture, 0xe) == NGX_OK
            && ngx_vidcast_ring_newest(ring) == 42,
            "the same again is none");
    unit_ok(ngx_vidcast_remote_epoch(&test_capture, 0xf) == NGX_DECLINED
            && ngx_vidcast_ring_epoch(ring) == 0xe
            && ngx_vidcast_ring_newest(ring) == 42
            && test_capture.epoch == 0xf,
            "of two in one process, the next process begins with the other");
}


static void
test_results(void)
{
    test_reset();
    (void) ngx_vidcast_remote_epoch(&test_capture, 0xab);

    unit_ok(test_result(7, "{\"v\":1,\"source\":\"far\",\"epoch\":"
                        "\"0000000000000001\",\"seq\":1,\"frame\":9,"
                        "\"result\":[1.50]}")
            == NGX_OK && test_told == 1 && test_woken == 1
            && test_counters.received == 1,
            "a result");
    unit_ok(strcmp(test_read(7), "{\"v\":1,\"source\":\"near\",\"epoch\":"
                   "\"00000000000000ab\",\"seq\":7,\"frame\":9,"
                   "\"result\":[1.50]}")
            == 0,
            "has the name that it has here, and its number: %s", test_text);

    unit_ok(test_result(9, " {\"a\":\n1}\n") == NGX_OK
            && strcmp(test_read(9), "{\"v\":1,\"source\":\"near\",\"epoch\":"
                      "\"00000000000000ab\",\"seq\":9,\"a\": 1}")
               == 0,
            "in a line, after a gap: %s", test_text);
}


static void
test_refused(void)
{
    char        large[2 * TEST_RESULT];
    ngx_uint_t  i;

    static const char  *bad[] = {
        "", "{", "[]", "1", "{\"a\":}", "{\"a\":1} x", "{\"a\":\"\xff\"}",
        NULL
    };

    test_reset();
    (void) ngx_vidcast_remote_epoch(&test_capture, 0xab);
    (void) test_result(5, "{}");

    for (i = 0; bad[i]; i++) {
        unit_ok(test_result(6, bad[i]) == NGX_ERROR && test_error[0],
                "refused: %s: %s", bad[i], test_error);
    }

    unit_ok(test_result(5, "{}") == NGX_ERROR
            && test_result(0, "{}") == NGX_ERROR,
            "a number that is there already: %s", test_error);

    ngx_memset(large, 'x', sizeof(large));
    ngx_memcpy(large, "{\"a\":\"", 6);
    ngx_memcpy(large + TEST_RESULT - 10, "\"}", 3);

    unit_ok(test_result(6, large) == NGX_DECLINED,
            "too large with what is put around it");

    ngx_memset(large + TEST_RESULT - 10, 'x', 4);
    ngx_memcpy(large + sizeof(large) - 3, "\"}", 3);

    unit_ok(test_result(6, large) == NGX_DECLINED, "too large by itself");

    unit_ok(ngx_vidcast_ring_newest_result(&test_zone.ring) == 5
            && test_told == 1,
            "none of them is a result");
}


static ngx_int_t
test_result(uint64_t seq, const char *json)
{
    ngx_vidcast_remote_result_t  remote;

    remote.epoch = 0xab;
    remote.seq = seq;
    remote.frame = 9;
    remote.json = (u_char *) json;
    remote.size = strlen(json);

    test_error[0] = '\0';

    return ngx_vidcast_remote_result(&test_capture, &remote, test_error);
}


static const char *
test_read(uint64_t seq)
{
    ngx_vidcast_ring_result_t  result;

    if (ngx_vidcast_ring_read_result(&test_ring.a, seq, &result, test_text)
        != NGX_OK)
    {
        return "(none)";
    }

    test_text[result.size] = '\0';

    return (char *) test_text;
}


static void
test_reset(void)
{
    ngx_vidcast_ring_begin(&test_ring.writer, 1);

    test_zone.ring = test_ring.writer;
    test_zone.ring.shm->epoch = 1;

    ngx_str_set(&test_source.name, "near");
    test_source.original.geometry = test_ring.writer.geometry;

    test_capture.source = &test_source;
    test_capture.zone = &test_zone;
    test_capture.counters = &test_counters;
    test_capture.log = &unit_log;
    test_capture.epoch = 0;

    ngx_memzero(&test_counters, sizeof(ngx_vidcast_counters_t));

    test_told = 0;
    test_woken = 0;
}
