
/*
 * Copyright (C) vidcast contributors
 */


/*
 * Raw pictures come back from other threads at any moment, also between a look
 * for a free one and the wait for it: a lossless input, which waits, must get
 * one each time, or it loses a frame.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "unit.h"
#include "unit_ngx.h"

#include "unit_image.h"
#include "capture/ngx_vidcast_raw.c"


#define TEST_ROUNDS  200000


static void test_none(void);
static void test_size(void);
static void test_wait(void);
static void *test_give_back(void *data);
static void test_free(ngx_vidcast_raw_pool_t *pool);


static ngx_vidcast_raw_t  *test_raw;


int
main(void)
{
    test_none();
    test_size();
    test_wait();

    return unit_done();
}


static void
test_none(void)
{
    ngx_vidcast_raw_t       *a, *b;
    ngx_vidcast_raw_pool_t  *pool;

    pool = ngx_vidcast_raw_pool_create(2, &unit_log);

    unit_ok(pool != NULL, "a pool of two");

    a = ngx_vidcast_raw_get(pool, 16, 16, 0);
    b = ngx_vidcast_raw_get(pool, 16, 16, 0);

    unit_ok(a && b && a != b, "two pictures");
    unit_ok(ngx_vidcast_raw_get(pool, 16, 16, 0) == NULL
            && !ngx_vidcast_raw_failed(pool),
            "no third one");

    ngx_vidcast_raw_refer(a);
    ngx_vidcast_raw_unref(a);

    unit_ok(ngx_vidcast_raw_get(pool, 16, 16, 0) == NULL,
            "one that is shared is not free");

    ngx_vidcast_raw_unref(a);

    unit_ok(ngx_vidcast_raw_get(pool, 16, 16, 0) == a, "it is free at last");

    ngx_vidcast_raw_unref(a);

    unit_ok(ngx_vidcast_raw_get(pool, 1 << 24, 1 << 24, 0) == NULL
            && ngx_vidcast_raw_failed(pool),
            "one that there is no memory for is told apart");
    unit_ok(ngx_vidcast_raw_get(pool, 16, 16, 0) == a
            && !ngx_vidcast_raw_failed(pool),
            "and is free again");

    test_free(pool);
}


static void
test_size(void)
{
    ngx_vidcast_raw_t       *raw;
    ngx_vidcast_raw_pool_t  *pool;

    pool = ngx_vidcast_raw_pool_create(1, &unit_log);
    raw = ngx_vidcast_raw_get(pool, 16, 8, 0);

    unit_ok(raw && raw->image.width == 16 && raw->image.height == 8,
            "a picture of a size");

    ngx_vidcast_raw_unref(raw);
    raw = ngx_vidcast_raw_get(pool, 8, 32, 1);

    unit_ok(raw && raw->image.width == 8 && raw->image.height == 32,
            "and then of another one");

    test_free(pool);
}


static void
test_wait(void)
{
    ngx_uint_t               i, n;
    pthread_t                tid;
    ngx_vidcast_raw_t       *raw;
    ngx_vidcast_raw_pool_t  *pool;

    pool = ngx_vidcast_raw_pool_create(1, &unit_log);

    if (pthread_create(&tid, NULL, test_give_back, NULL) != 0) {
        unit_ok(0, "a thread");
        return;
    }

    n = 0;

    for (i = 0; i < TEST_ROUNDS; i++) {
        raw = ngx_vidcast_raw_get(pool, 16, 16, 1);

        if (raw == NULL) {
            n++;
            continue;
        }

        ngx_vidcast_store(&test_raw, raw);
    }

    unit_ok(n == 0, "whoever waits gets one: %lu times none of %d",
            (unsigned long) n, TEST_ROUNDS);

    while (ngx_vidcast_load(&test_raw)) {
        sched_yield();
    }

    ngx_vidcast_store(&test_raw, (ngx_vidcast_raw_t *) -1);
    (void) pthread_join(tid, NULL);

    test_free(pool);
}


static void *
test_give_back(void *data)
{
    ngx_vidcast_raw_t  *raw;

    for ( ;; ) {
        raw = ngx_vidcast_load(&test_raw);

        if (raw == (ngx_vidcast_raw_t *) -1) {
            return NULL;
        }

        if (raw) {
            ngx_vidcast_store(&test_raw, NULL);
            ngx_vidcast_raw_unref(raw);
        }
    }
}


/* a capture keeps its pool till its process ends */

static void
test_free(ngx_vidcast_raw_pool_t *pool)
{
    ngx_uint_t  i;

    for (i = 0; i < pool->nraws; i++) {
        ngx_vidcast_image_free(&pool->raws[i].image);
    }

    ngx_free(pool->raws);
    ngx_free(pool);
}
