
/*
 * Copyright (C) vidcast contributors
 */


/*
 * Which frame is predicted when: a frame that is skipped must be counted and
 * free its picture, none may be skipped where all are wanted, and results leave
 * in the order of the frames, however the predictors are run.
 */

#include "unit_scheduler.h"
#include "unit_image.h"
#include "capture/ngx_vidcast_raw.c"


static void test_every(void);
static void test_left_out(void);
static void test_busy(void);
static void test_overtaken(void);
static void test_order(void);
static void test_raw(void);
static void test_down(void);
static void test_failed(void);
static void test_large(void);
static void test_room(void);
static void test_exact(void);
static void test_drain(void);
static ngx_int_t test_create(ngx_vidcast_scheduler_t *scheduler);
static ngx_int_t test_ready(ngx_vidcast_scheduler_t *scheduler, u_char *error);
static void test_give(ngx_vidcast_scheduler_t *scheduler,
    ngx_vidcast_task_t *task);
static void test_open(ngx_uint_t exact);
static void test_close(void);
static void test_turn(void);
static void test_reply(ngx_uint_t n, ngx_uint_t status, const char *text);
static void test_begin(pthread_t *tid, void *(*proc)(void *data));
static void *test_offer_next(void *data);
static void *test_offer_raw(void *data);
static void *test_wait_drained(void *data);


/* a backend whose predictors reply when they are told to */

static ngx_vidcast_backend_t     test_backend = {
    1, 0, test_create, NULL, NULL, test_ready, test_give, NULL
};

static uint32_t                  test_futex;
static ngx_int_t                 test_rc;
static ngx_vidcast_task_t       *test_given[16];
static uint64_t                  test_numbers[16];
static ngx_uint_t                test_ngiven;

static ngx_uint_t                test_change;
static ngx_str_t                 test_asked;
static char                      test_emitted[TEST_TEXT + 1];

static int                       test_begun;
static uint64_t                  test_seen;
static ngx_vidcast_raw_t        *test_picture;

static ngx_vidcast_scheduler_t  *test_scheduler;


ngx_uint_t
ngx_vidcast_predict_emits(ngx_vidcast_predict_t *predict, u_char *json,
    size_t size)
{
    test_asked.data = json;
    test_asked.len = size;

    if (!test_change) {
        return 1;
    }

    return size != ngx_strlen(test_emitted)
           || ngx_strncmp(json, test_emitted, size) != 0;
}


void
ngx_vidcast_predict_emitted(ngx_vidcast_predict_t *predict)
{
    ngx_memcpy(test_emitted, test_asked.data, test_asked.len);
    test_emitted[test_asked.len] = '\0';
}


int
main(void)
{
    (void) alarm(50);

    test_every();
    test_left_out();
    test_busy();
    test_overtaken();
    test_order();
    test_raw();
    test_down();
    test_failed();
    test_large();
    test_room();
    test_exact();
    test_drain();

    return unit_done();
}


static void
test_every(void)
{
    ngx_uint_t  i;

    test_open(0);
    test_source.predict.every = 3;

    for (i = 0; i < 7; i++) {
        (void) test_publish();
        test_turn();

        if (test_ngiven) {
            test_reply(test_ngiven - 1, NGX_VIDCAST_REPLY_OK, "some");
            test_turn();
        }
    }

    unit_ok(test_ngiven == 3
            && test_numbers[0] == 1
            && test_numbers[1] == 4
            && test_numbers[2] == 7,
            "every: the first of each three");
    unit_ok(test_counters.predictor_busy == 0,
            "every: the others are not skipped");

    test_close();
}


/* an overlay that waits for the result of such a frame waits in vain */

static void
test_left_out(void)
{
    test_open(0);
    test_source.predict.every = 3;

    (void) test_publish();
    test_turn();
    (void) test_publish();

    unit_ok(test_judged == 0, "left out: not judged before the one in hand");

    test_reply(0, NGX_VIDCAST_REPLY_OK, "one");
    test_turn();

    unit_ok(test_nresults == 1 && test_judged == 2,
            "left out: but as soon as that one has its result");

    (void) test_publish();

    unit_ok(test_judged == 3, "left out: at once where there is none");

    (void) test_publish();
    (void) test_publish();
    test_turn();

    unit_ok(test_judged == 3, "left out: nor before one that waits");

    test_reply(1, NGX_VIDCAST_REPLY_NONE, NULL);
    test_turn();

    unit_ok(test_judged == 5, "left out: whatever becomes of that");

    test_close();
}


static void
test_busy(void)
{
    ngx_uint_t  i;

    test_open(0);
    test_rc = NGX_AGAIN;

    for (i = 0; i < 5; i++) {
        (void) test_publish();
        test_turn();
    }

    unit_ok(test_ngiven == 0 && test_counters.predictor_busy == 4,
            "busy: all but the newest are skipped, and counted");
    unit_ok(test_pins() == 1, "busy: only that one is pinned");

    test_rc = NGX_OK;
    test_turn();

    unit_ok(test_ngiven == 1 && test_numbers[0] == 5,
            "busy: and given to the first that is free");

    test_close();
}


/* a frame is lost once, though on its way to viewers and predictors */

static void
test_overtaken(void)
{
    ngx_vidcast_frame_publish_t  frame;

    test_open(0);
    test_source.predict.every = 2;

    frame.slot = ngx_vidcast_ring_claim(&test_zone.ring);
    frame.number = ngx_vidcast_ring_next(&test_zone.ring);

    (void) test_publish();
    ngx_vidcast_scheduler_publish_frame(&test_capture, &frame, 0);
    test_turn();

    unit_ok(test_counters.every == 0 && test_counters.gone == 0,
            "overtaken: not offered, so not counted here");

    (void) test_publish();
    (void) test_publish();
    test_turn();

    unit_ok(test_ngiven == 2
            && test_numbers[1] == 4
            && test_counters.every == 1
            && test_counters.gone == 0,
            "overtaken: nor is its turn another one's");

    frame.slot = ngx_vidcast_ring_claim(&test_zone.ring);
    frame.number = ngx_vidcast_ring_next(&test_zone.ring);

    ngx_vidcast_scheduler_publish_frame(&test_capture, &frame, 1);
    test_turn();

    unit_ok(ngx_vidcast_ring_newest(&test_zone.ring) == frame.number
            && test_ngiven == 2
            && test_counters.every == 1,
            "overtaken: one whose raw picture was offered is published only");

    test_close();
}


static void
test_order(void)
{
    ngx_uint_t  i;

    test_open(0);

    for (i = 0; i < 3; i++) {
        (void) test_publish();
        test_turn();
    }

    test_reply(2, NGX_VIDCAST_REPLY_OK, "three");
    test_reply(1, NGX_VIDCAST_REPLY_NONE, NULL);
    test_turn();

    unit_ok(test_nresults == 0, "order: they wait for the first");

    test_reply(0, NGX_VIDCAST_REPLY_OK, "one");
    test_turn();

    unit_ok(test_nresults == 2
            && test_results[0].frame == 1
            && test_results[1].frame == 3
            && test_judged == 2,
            "order: all leave in that of the frames");
    unit_ok(test_results[1].slot == test_given[2]->frame.slot
            && test_pins() == 3,
            "order: the pictures stay for pairs");

    for (i = 0; i < 2; i++) {
        (void) test_publish();
        test_turn();
    }

    unit_ok(test_pins() == 4, "order: until their place is needed");

    test_close();
}


static void
test_raw(void)
{
    ngx_uint_t               i;
    ngx_vidcast_raw_t       *raw[3];
    ngx_vidcast_raw_pool_t  *pool;

    test_open(0);

    pool = ngx_vidcast_raw_pool_create(3, &unit_log);

    for (i = 0; i < 3; i++) {
        raw[i] = ngx_vidcast_raw_get(pool, 16, 16, 0);
        raw[i]->number = i + 1;
    }

    unit_ok(ngx_vidcast_raw_get(pool, 16, 16, 0) == NULL,
            "raw: all are in use");

    test_rc = NGX_AGAIN;

    unit_ok(ngx_vidcast_scheduler_offer_raw(test_scheduler, raw[0]) == NGX_OK
            && raw[0]->refs == 2,
            "raw: a picture that waits has a reference");

    (void) ngx_vidcast_scheduler_offer_raw(test_scheduler, raw[1]);

    unit_ok(raw[0]->refs == 1
            && raw[1]->refs == 2
            && test_counters.predictor_busy == 1,
            "raw: one that is skipped has none");

    test_rc = NGX_OK;
    test_turn();

    unit_ok(test_ngiven == 1
            && test_given[0]->raw == raw[1]
            && test_given[0]->frame.width == 16
            && !test_given[0]->pinned,
            "raw: it is given as it is");

    ngx_vidcast_scheduler_release(test_scheduler, test_given[0]);
    test_reply(0, NGX_VIDCAST_REPLY_OK, "two");
    test_turn();

    unit_ok(raw[1]->refs == 1, "raw: and free when it was looked at");
    unit_ok(test_results[0].slot == NGX_VIDCAST_RING_NONE,
            "raw: its result names no slot");

    test_backend.raw = 0;

    unit_ok(ngx_vidcast_scheduler_offer_raw(test_scheduler, raw[2])
            == NGX_DECLINED && raw[2]->refs == 1,
            "raw: not for those that take it from the ring");

    test_backend.raw = 1;

    for (i = 0; i < 3; i++) {
        unit_ok(raw[i]->refs == 1, "raw: all are free again");

        ngx_vidcast_raw_unref(raw[i]);
        ngx_vidcast_image_free(&raw[i]->image);
    }

    ngx_free(pool->raws);
    ngx_free(pool);

    test_close();
}


static void
test_down(void)
{
    test_open(0);
    test_rc = NGX_DECLINED;

    (void) test_publish();
    test_turn();

    unit_ok(test_nresults == 1
            && ngx_strcmp(test_results[0].status, "predictor_failed") == 0,
            "down: viewers are told at once");
    unit_ok(test_ngiven == 1, "down: one that came back may have the frame");
    unit_ok(test_counters.predictor_error == 1 && test_logged == 0,
            "down: counted, and not logged for each frame");

    test_close();
}


static void
test_failed(void)
{
    test_open(0);

    (void) test_publish();
    test_turn();
    test_reply(0, NGX_VIDCAST_REPLY_BAD, NULL);
    test_turn();

    unit_ok(test_nresults == 1 && test_results[0].frame == 1
            && ngx_strcmp(test_results[0].status, "bad_result") == 0
            && ngx_strcmp(test_results[0].text, "null") == 0,
            "failed: viewers are told that there is no result");
    unit_ok(test_counters.predictor_error == 1 && test_logged == NGX_LOG_ERR,
            "failed: which is counted and logged");

    (void) test_publish();
    test_turn();
    test_reply(1, NGX_VIDCAST_REPLY_OK, NULL);
    test_room_left = 4;
    test_given[1]->size = 5;
    test_turn();

    unit_ok(test_nresults == 2
            && ngx_strcmp(test_results[1].status, "result_too_large") == 0,
            "failed: and why");

    test_close();
}


/* what viewers did not get is no result which the next one may be like */

static void
test_large(void)
{
    ngx_uint_t  i;

    test_open(0);
    test_change = 1;

    for (i = 0; i < 3; i++) {
        test_room_left = (i == 0) ? 1 : TEST_TEXT;

        (void) test_publish();
        test_turn();
        test_reply(i, NGX_VIDCAST_REPLY_OK, "same");
        test_turn();
    }

    unit_ok(test_nresults == 1 && test_results[0].frame == 2,
            "large: the next of the same kind is told, and none after it");

    test_room_left = 1;

    (void) test_publish();
    test_turn();
    test_reply(3, NGX_VIDCAST_REPLY_BAD, NULL);
    test_turn();

    unit_ok(test_nresults == 1 && test_judged == 4,
            "large: a failure that cannot be told is judged");

    test_room_left = TEST_TEXT;

    (void) test_publish();
    test_turn();
    test_reply(4, NGX_VIDCAST_REPLY_BAD, NULL);
    test_turn();

    unit_ok(test_nresults == 2
            && ngx_strcmp(test_results[1].status, "bad_result") == 0,
            "large: and told when it can be");

    test_close();
}


static void
test_room(void)
{
    test_open(0);
    test_rc = NGX_AGAIN;

    (void) test_publish();
    ngx_vidcast_scheduler_room(test_scheduler);

    unit_ok(1, "room: none is waited for where frames may be skipped");

    test_close();
}


static void
test_exact(void)
{
    pthread_t                tid;
    ngx_vidcast_raw_pool_t  *pool;

    test_open(1);
    test_rc = NGX_AGAIN;

    (void) test_publish();
    test_begin(&tid, test_offer_next);

    test_rc = NGX_OK;
    test_turn();
    (void) pthread_join(tid, NULL);
    test_turn();

    unit_ok(test_counters.predictor_busy == 0
            && test_ngiven == 2
            && test_numbers[0] == 1
            && test_numbers[1] == 2,
            "exact: the next frame waits for its predictor");

    /* and one that is raw */

    pool = ngx_vidcast_raw_pool_create(1, &unit_log);
    test_picture = ngx_vidcast_raw_get(pool, 16, 16, 0);
    test_picture->number = 4;
    test_rc = NGX_AGAIN;

    (void) test_publish();
    test_begin(&tid, test_offer_raw);

    test_rc = NGX_OK;
    test_turn();
    (void) pthread_join(tid, NULL);

    test_reply(0, NGX_VIDCAST_REPLY_OK, "one");
    test_reply(1, NGX_VIDCAST_REPLY_OK, "two");
    test_turn();

    unit_ok(test_counters.predictor_busy == 0
            && test_ngiven == 4
            && test_numbers[3] == 4,
            "exact: a raw one does, too");

    ngx_vidcast_scheduler_release(test_scheduler, test_given[3]);
    ngx_vidcast_image_free(&test_picture->image);
    ngx_free(pool->raws);
    ngx_free(pool);

    test_close();
}


static void
test_drain(void)
{
    pthread_t  tid;

    test_open(0);

    (void) test_publish();
    test_begin(&tid, test_wait_drained);

    test_turn();
    test_reply(0, NGX_VIDCAST_REPLY_OK, "one");
    test_turn();
    (void) pthread_join(tid, NULL);

    unit_ok(test_seen == 1, "drain: returns when the result is out");

    test_close();
}


static ngx_int_t
test_create(ngx_vidcast_scheduler_t *scheduler)
{
    scheduler->n = TEST_WORKERS;
    scheduler->futex = &test_futex;

    return NGX_OK;
}


static ngx_int_t
test_ready(ngx_vidcast_scheduler_t *scheduler, u_char *error)
{
    return test_rc;
}


static void
test_give(ngx_vidcast_scheduler_t *scheduler, ngx_vidcast_task_t *task)
{
    test_numbers[test_ngiven] = task->frame.number;
    test_given[test_ngiven++] = task;
}


static void
test_open(ngx_uint_t exact)
{
    test_source.input.lossless = exact;

    test_rc = NGX_OK;
    test_ngiven = 0;
    test_change = 0;
    test_emitted[0] = '\0';

    test_scheduler = unit_scheduler_open(&test_backend);
}


static void
test_close(void)
{
    unit_scheduler_close(test_scheduler);
}


static void
test_turn(void)
{
    ngx_vidcast_scheduler_turn(test_scheduler);
}


/* to the frame that was given as number "n", from 0 on */

static void
test_reply(ngx_uint_t n, ngx_uint_t status, const char *text)
{
    ngx_vidcast_task_t  *task;

    task = test_given[n];

    task->waiting = 0;
    task->status = status;
    task->size = 0;

    if (text) {
        task->size = ngx_strlen(text);
        ngx_memcpy(task->text, text, task->size);
    }
}


/* a thread, and time for it to come where it must wait */

static void
test_begin(pthread_t *tid, void *(*proc)(void *data))
{
    ngx_vidcast_store(&test_begun, 0);

    if (pthread_create(tid, NULL, proc, NULL) != 0) {
        exit(2);
    }

    while (!ngx_vidcast_load(&test_begun)) {
        ngx_msleep(1);
    }

    ngx_msleep(20);
}


static void *
test_offer_next(void *data)
{
    ngx_vidcast_store(&test_begun, 1);

    ngx_vidcast_scheduler_room(test_scheduler);
    (void) test_publish();

    return NULL;
}


static void *
test_offer_raw(void *data)
{
    ngx_vidcast_store(&test_begun, 1);

    (void) ngx_vidcast_scheduler_offer_raw(test_scheduler, test_picture);

    return NULL;
}


static void *
test_wait_drained(void *data)
{
    ngx_vidcast_store(&test_begun, 1);

    ngx_vidcast_scheduler_drain(test_scheduler);
    test_seen = test_nresults;

    return NULL;
}
