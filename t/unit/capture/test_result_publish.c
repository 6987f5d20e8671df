
/*
 * Copyright (C) vidcast contributors
 */


/*
 * What an overlay goes by: which frames have no result to come.  Several
 * threads say so, in any order, and it must never be taken back, or the
 * overlay waits in vain and draws old boxes.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "unit.h"
#include "unit_ngx.h"

#include "capture/ngx_vidcast_result_publish.c"


#define TEST_ROUNDS   100000
#define TEST_THREADS  3


static void test_order(void);
static void test_threads(void);
static void *test_judge(void *data);


static ngx_vidcast_capture_t  test_capture;
static ngx_uint_t             test_told;


void
ngx_vidcast_capture_on_result(ngx_vidcast_capture_t *capture)
{
    ngx_vidcast_count(&test_told, 1);
}


void
ngx_vidcast_zone_wake_workers(ngx_vidcast_zone_t *zone)
{
    /* void */
}


ngx_vidcast_ring_result_t *
ngx_vidcast_ring_open_result(ngx_vidcast_ring_t *ring, uint64_t *seq)
{
    *seq = 0;

    return NULL;
}


void
ngx_vidcast_ring_publish_result(ngx_vidcast_ring_t *ring,
    ngx_vidcast_ring_result_t *result, uint64_t seq)
{
    /* void */
}


int
main(void)
{
    (void) alarm(50);

    test_order();
    test_threads();

    return unit_done();
}


static void
test_order(void)
{
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
