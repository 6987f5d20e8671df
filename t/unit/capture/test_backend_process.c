
/*
 * Copyright (C) vidcast contributors
 */


/*
 * Frames between the capture and its predictor processes: what is given to
 * which, in which order answers leave, what becomes of frames that none has
 * time for, and of predictors that die.  The memory between them is the
 * predictors', and may change between any two looks at it.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "unit.h"
#include "unit_ngx.h"


/* the minimum of two expressions, with time between test and use */

static void  (*test_between)(void);

#undef ngx_min
#define ngx_min(val1, val2)                                                   \
    ((val1) > (val2) ? (val2) : (test_wait(), (val1)))

static void test_wait(void);


#include "unit_mailboxes.h"


static void test_order(void);
static void test_busy(void);
static void test_none(void);
static void test_died(void);
static void test_failing(void);
static void test_failing_slow(void);
static void test_large(void);
static void test_changing(void);
static void test_change_size(void);
static void test_answer(ngx_uint_t n, ngx_uint_t status, const char *text);
static ngx_uint_t test_has(uint32_t slot, uint64_t number);


ngx_uint_t
ngx_vidcast_predict_emits(ngx_vidcast_predict_t *predict, u_char *json,
    size_t size)
{
    return size != 4 || ngx_strncmp(json, "same", 4) != 0;
}


int
main(void)
{
    test_order();
    test_busy();
    test_none();
    test_died();
    test_failing();
    test_failing_slow();
    test_large();
    test_changing();

    return unit_done();
}


static void
test_order(void)
{
    ngx_vidcast_scheduler_t  *scheduler;

    scheduler = unit_mailboxes_open();

    (void) test_publish();
    ngx_vidcast_scheduler_turn(scheduler);
    (void) test_publish();
    ngx_vidcast_scheduler_turn(scheduler);

    unit_ok(ngx_vidcast_mailbox(&test_zone.mailboxes, 0)->number == 1
            && ngx_vidcast_mailbox(&test_zone.mailboxes, 1)->number == 2,
            "order: a frame for each of two predictors");

    test_answer(1, NGX_VIDCAST_REPLY_OK, "two");
    ngx_vidcast_scheduler_turn(scheduler);

    unit_ok(test_nresults == 0, "order: the second one waits for the first");

    test_answer(0, NGX_VIDCAST_REPLY_OK, "one");
    ngx_vidcast_scheduler_turn(scheduler);

    unit_ok(test_nresults == 2
            && test_results[0].frame == 1
            && ngx_strcmp(test_results[0].text, "one") == 0
            && test_results[1].frame == 2
            && ngx_strcmp(test_results[1].text, "two") == 0,
            "order: both leave in the order of the frames");
    unit_ok(test_predicted == 2, "order: and are counted");

    unit_mailboxes_close(scheduler);
}


static void
test_busy(void)
{
    ngx_uint_t                i;
    ngx_vidcast_scheduler_t  *scheduler;

    scheduler = unit_mailboxes_open();

    for (i = 0; i < 6; i++) {
        (void) test_publish();
        ngx_vidcast_scheduler_turn(scheduler);
    }

    unit_ok(test_counters.predictor_busy == 3,
            "busy: all but the newest are skipped, and counted");
    unit_ok(test_pins() == 3, "busy: which are not pinned any more");

    test_answer(0, NGX_VIDCAST_REPLY_OK, "one");
    ngx_vidcast_scheduler_turn(scheduler);

    unit_ok(ngx_vidcast_mailbox(&test_zone.mailboxes, 0)->number == 6,
            "busy: one that is free gets the newest");

    unit_mailboxes_close(scheduler);
}


/* no result, or none that is new, is not waited for by what draws it */

static void
test_none(void)
{
    ngx_vidcast_scheduler_t  *scheduler;

    scheduler = unit_mailboxes_open();

    (void) test_publish();
    ngx_vidcast_scheduler_turn(scheduler);
    test_answer(0, NGX_VIDCAST_REPLY_NONE, "");
    ngx_vidcast_scheduler_turn(scheduler);

    unit_ok(test_nresults == 0 && test_judged == 1 && test_predicted == 0,
            "none: no result is an answer");
    unit_ok(test_counters.no_result == 1 && test_counters.predictor_error == 0,
            "none: which has a reason of its own");

    (void) test_publish();
    ngx_vidcast_scheduler_turn(scheduler);
    test_answer(0, NGX_VIDCAST_REPLY_OK, "same");
    ngx_vidcast_scheduler_turn(scheduler);

    unit_ok(test_nresults == 0 && test_judged == 2 && test_predicted == 1,
            "none: one that is not told is predicted all the same");

    unit_mailboxes_close(scheduler);
}


static void
test_died(void)
{
    ngx_vidcast_scheduler_t          *scheduler;
    ngx_vidcast_predictor_mailbox_t  *mailbox;

    scheduler = unit_mailboxes_open();
    mailbox = ngx_vidcast_mailbox(&test_zone.mailboxes, 0);

    (void) test_publish();
    ngx_vidcast_scheduler_turn(scheduler);

    mailbox->state = NGX_VIDCAST_PREDICTOR_FAILED;
    mailbox->failing = 1;
    ngx_memset(mailbox->error, 'x', NGX_VIDCAST_ERROR_LEN);

    ngx_vidcast_scheduler_turn(scheduler);

    unit_ok(test_nresults == 1
            && ngx_strcmp(test_results[0].status, "predictor_failed") == 0
            && test_counters.predictor_error == 1,
            "died: its viewers are told");

    (void) test_publish();
    ngx_vidcast_scheduler_turn(scheduler);

    unit_ok(ngx_vidcast_mailbox(&test_zone.mailboxes, 1)->number == 2,
            "died: the other one goes on");

    unit_mailboxes_close(scheduler);
}


/* all are down: told at the full rate, and one that comes back is tried */

static void
test_failing(void)
{
    ngx_uint_t                i;
    ngx_vidcast_scheduler_t  *scheduler;

    scheduler = unit_mailboxes_open();

    for (i = 0; i < TEST_WORKERS; i++) {
        ngx_vidcast_mailbox(&test_zone.mailboxes, i)->failing = 1;
    }

    (void) test_publish();
    ngx_vidcast_scheduler_turn(scheduler);

    unit_ok(test_nresults == 1
            && ngx_strcmp(test_results[0].status, "predictor_failed") == 0,
            "failing: told at once");
    unit_ok(ngx_vidcast_mailbox(&test_zone.mailboxes, 0)->number == 1,
            "failing: one that is there has it all the same");

    test_answer(0, NGX_VIDCAST_REPLY_OK, "back");
    ngx_vidcast_mailbox(&test_zone.mailboxes, 0)->failing = 0;
    ngx_vidcast_scheduler_turn(scheduler);

    unit_ok(test_nresults == 1, "failing: whose answer nobody waits for");

    (void) test_publish();
    ngx_vidcast_scheduler_turn(scheduler);
    test_answer(0, NGX_VIDCAST_REPLY_OK, "well");
    ngx_vidcast_scheduler_turn(scheduler);

    unit_ok(test_nresults == 2
            && ngx_strcmp(test_results[1].text, "well") == 0,
            "failing: and the next one counts");

    unit_mailboxes_close(scheduler);
}


/*
 * A frame that was given to those that come back stays as it is until they
 * have answered, or they never answer: all others find that it is lost.
 */

static void
test_failing_slow(void)
{
    ngx_uint_t                        i, pins;
    ngx_vidcast_scheduler_t          *scheduler;
    ngx_vidcast_predictor_mailbox_t  *mailbox[TEST_WORKERS];

    scheduler = unit_mailboxes_open();

    for (i = 0; i < TEST_WORKERS; i++) {
        mailbox[i] = ngx_vidcast_mailbox(&test_zone.mailboxes, i);
        mailbox[i]->failing = 1;
    }

    for (pins = 0, i = 0; i < 12; i++) {
        (void) test_publish();
        ngx_vidcast_scheduler_turn(scheduler);
        pins = ngx_max(pins, test_pins());
    }

    unit_ok(mailbox[0]->number == 1
            && mailbox[1]->number == 2
            && test_has(mailbox[0]->slot, 1)
            && test_has(mailbox[1]->slot, 2),
            "slow: the frames that are read stay where they are");
    unit_ok(test_nresults == 12 && test_results[11].frame == 12,
            "slow: viewers are told with each frame");
    unit_ok(pins <= 2 * TEST_WORKERS + 1,
            "slow: no more is pinned than the ring has slots for");

    test_answer(0, NGX_VIDCAST_REPLY_OK, "back");
    mailbox[0]->failing = 0;
    mailbox[1]->state = NGX_VIDCAST_PREDICTOR_FAILED;

    for (i = 0; i < 4; i++) {
        (void) test_publish();
        ngx_vidcast_scheduler_turn(scheduler);
        test_answer(0, NGX_VIDCAST_REPLY_OK, "well");
        ngx_vidcast_scheduler_turn(scheduler);
    }

    unit_ok(!test_has(mailbox[0]->slot, 1) && !test_has(mailbox[1]->slot, 2),
            "slow: until it was answered, or its reader has died");
    unit_ok(test_nresults == 16
            && test_results[15].frame == 16
            && ngx_strcmp(test_results[15].text, "well") == 0,
            "slow: the others have their results");

    unit_mailboxes_close(scheduler);
}


static void
test_large(void)
{
    ngx_vidcast_scheduler_t          *scheduler;
    ngx_vidcast_predictor_mailbox_t  *mailbox;

    scheduler = unit_mailboxes_open();
    mailbox = ngx_vidcast_mailbox(&test_zone.mailboxes, 0);

    (void) test_publish();
    ngx_vidcast_scheduler_turn(scheduler);

    ngx_memset(ngx_vidcast_mailbox_text(mailbox), 'x', TEST_TEXT);
    test_answer(0, NGX_VIDCAST_REPLY_OK, NULL);
    mailbox->size = 0xffffffff;
    ngx_vidcast_scheduler_turn(scheduler);

    unit_ok(test_nresults == 1
            && ngx_strlen(test_results[0].text) == TEST_TEXT,
            "large: no more than there is place for");

    unit_mailboxes_close(scheduler);
}


static void
test_changing(void)
{
    ngx_vidcast_scheduler_t  *scheduler;

    scheduler = unit_mailboxes_open();

    (void) test_publish();
    ngx_vidcast_scheduler_turn(scheduler);
    test_answer(0, NGX_VIDCAST_REPLY_OK, "small");

    test_between = test_change_size;
    ngx_vidcast_backend_process_collect(scheduler);
    test_between = NULL;

    unit_ok(scheduler->tasks[0].size == 5,
            "changing: a size is read once");

    ngx_vidcast_scheduler_turn(scheduler);
    unit_mailboxes_close(scheduler);
}


static void
test_change_size(void)
{
    /* the status of the answer is known, its size is just being looked at */

    if (test_capture.scheduler->tasks[0].status == NGX_VIDCAST_REPLY_OK) {
        ngx_vidcast_mailbox(&test_zone.mailboxes, 0)->size = 2 * TEST_TEXT;
    }
}


static void
test_wait(void)
{
    if (test_between) {
        test_between();
    }
}


/* as a predictor does; NULL: a text as long as it can be */

static void
test_answer(ngx_uint_t n, ngx_uint_t status, const char *text)
{
    size_t                            size;
    ngx_vidcast_predictor_mailbox_t  *mailbox;

    mailbox = ngx_vidcast_mailbox(&test_zone.mailboxes, n);
    size = TEST_TEXT;

    if (text) {
        size = ngx_strlen(text);
        ngx_memcpy(ngx_vidcast_mailbox_text(mailbox), text, size);
    }

    ngx_vidcast_mailbox_reply(&test_zone.mailboxes, mailbox, status, size);
}


/* is the slot pinned, and is this frame in it? */

static ngx_uint_t
test_has(uint32_t slot, uint64_t number)
{
    ngx_vidcast_ring_slot_t  *s;

    s = ngx_vidcast_ring_slot(&test_zone.ring, slot);

    return (s->state & test_zone.ring.bit) != 0 && s->number == number;
}
