
/*
 * Copyright (C) vidcast contributors
 */


/*
 * What ngx_vidcast_ring.h promises of frames, one by one, in one process: what
 * happens between processes is in test_ring_steps.c and test_ring_stress.c.
 */

#include "unit_ring.h"


static void test_acquire(void);
static void test_no_bit(void);
static void test_declined_step(void);
static void test_declined(void);
static void test_hold_in_writing(void);
static void test_ring_full(void);
static void test_never_newest(void);
static void test_few_slots(void);
static void test_same_slots(void);
static void test_out_of_order(void);
static void test_abandon(void);
static void test_recover(void);
static void test_unpin(void);
static void test_peek(void);
static void test_forget(void);
static void test_follow(void);
static void test_pass(void);
static void test_hostile(void);


static unit_ring_t  *test_ring;
static uint32_t      test_slot;
static ngx_uint_t    test_tries;


int
main(void)
{
    test_acquire();
    test_no_bit();
    test_declined();
    test_hold_in_writing();
    test_ring_full();
    test_never_newest();
    test_few_slots();
    test_same_slots();
    test_out_of_order();
    test_abandon();
    test_recover();
    test_unpin();
    test_peek();
    test_forget();
    test_follow();
    test_pass();
    test_hostile();

    return unit_done();
}


static void
test_acquire(void)
{
    unit_ring_t           r;
    ngx_vidcast_frame_t   first, second, other;

    unit_ring_open(&r, 4, 5000, 4, 16);

    (void) unit_ring_put(&r.writer);

    unit_ok(ngx_vidcast_ring_newest(&r.a) == 1, "acquire: newest is 1");
    unit_ok(ngx_vidcast_ring_acquire(&r.a, 0, &first) == NGX_OK
            && first.number == 1, "acquire: the first frame");
    unit_ok(unit_whole(&r.a, &first), "acquire: whole");
    unit_ok(first.data == ngx_vidcast_ring_data(&r.a, first.slot),
            "acquire: in its slot");
    unit_ok(ngx_vidcast_ring_slot(&r.a, first.slot)->state == r.a.bit,
            "acquire: one bit is set");

    unit_ok(ngx_vidcast_ring_acquire(&r.a, 1, &second) == NGX_AGAIN,
            "acquire: nothing newer than seen");
    unit_ok(ngx_vidcast_ring_acquire(&r.a, 7, &second) == NGX_AGAIN,
            "acquire: nothing newer than what will come");
    unit_ok(ngx_vidcast_ring_slot(&r.a, first.slot)->state == r.a.bit,
            "acquire: in vain, changes no pin");

    unit_ok(ngx_vidcast_ring_acquire(&r.a, 0, &second) == NGX_DECLINED
            && ngx_vidcast_ring_slot(&r.a, first.slot)->state == r.a.bit,
            "acquire: not twice by a process");
    unit_ok(ngx_vidcast_ring_acquire(&r.b, 0, &other) == NGX_OK
            && other.slot == first.slot, "acquire: by another process");
    unit_ok(ngx_vidcast_ring_pinned(&r.a) == (r.a.bit | r.b.bit),
            "acquire: two bits are set");

    (void) unit_ring_put(&r.writer);

    unit_ok(ngx_vidcast_ring_acquire(&r.a, 1, &second) == NGX_OK
            && second.number == 2 && second.slot != first.slot,
            "acquire: a second pin of a process");

    ngx_vidcast_ring_release(&r.a, &first);

    unit_ok(ngx_vidcast_ring_slot(&r.a, first.slot)->state == r.b.bit,
            "release: the other's pin stays");

    ngx_vidcast_ring_release(&r.b, &other);
    ngx_vidcast_ring_release(&r.a, &second);

    unit_ok(ngx_vidcast_ring_pinned(&r.a) == 0, "release: no pins");

    unit_ring_close(&r);
}


static void
test_no_bit(void)
{
    unit_ring_t           r;
    ngx_vidcast_frame_t   frame;

    unit_ring_open(&r, 4, 5000, 4, 16);

    (void) unit_ring_put(&r.writer);
    r.a.bit = 0;

    unit_ok(ngx_vidcast_ring_acquire(&r.a, 0, &frame) == NGX_DECLINED,
            "no bit: acquire is declined");
    unit_ok(ngx_vidcast_ring_peek(&r.a, 0, &frame) == NGX_OK
            && ngx_vidcast_ring_check(&r.a, &frame) == NGX_OK,
            "no bit: peek and check");
    unit_ok(ngx_vidcast_ring_pinned(&r.a) == 0, "no bit: no pin");

    unit_ring_close(&r);
}


/* the writer takes the slot just before it is pinned, each time */

static void
test_declined_step(void)
{
    void  (*hook)(void);

    hook = unit_step_hook;
    unit_step_hook = NULL;

    /* acquire(): past; newest, number, pin, number, unpin */

    if (test_tries++ % 5 == 3) {

        if (test_slot != NGX_VIDCAST_RING_NONE) {
            ngx_vidcast_ring_abandon(&test_ring->writer, test_slot);
        }

        (void) unit_ring_put(&test_ring->writer);
        test_slot = ngx_vidcast_ring_claim(&test_ring->writer);
    }

    unit_step_hook = hook;
}


static void
test_declined(void)
{
    ngx_int_t             rc;
    unit_ring_t           r;
    ngx_vidcast_frame_t   frame;

    unit_ring_open(&r, 2, 600, 4, 16);
    (void) unit_ring_put(&r.writer);

    test_ring = &r;
    test_tries = 0;
    test_slot = NGX_VIDCAST_RING_NONE;
    unit_step_hook = test_declined_step;

    rc = ngx_vidcast_ring_acquire(&r.a, 0, &frame);

    unit_step_hook = NULL;

    unit_ok(rc == NGX_DECLINED, "declined: the writer was faster");
    unit_ok(test_tries == 16, "declined: after three times");
    unit_ok(ngx_vidcast_ring_pinned(&r.a) == 0, "declined: no pin is left");
    unit_ok(ngx_vidcast_ring_slot(&r.a, test_slot)->state
            == NGX_VIDCAST_RING_WRITING, "declined: nor is the writer's lost");
    unit_ok(ngx_vidcast_ring_acquire(&r.a, 0, &frame) == NGX_OK
            && unit_whole(&r.a, &frame), "declined: later it works");

    unit_ring_close(&r);
}


static void
test_hold_in_writing(void)
{
    uint32_t              slot;
    unit_ring_t           r;
    ngx_vidcast_frame_t   frame;

    unit_ring_open(&r, 3, 600, 4, 16);

    slot = ngx_vidcast_ring_claim(&r.writer);
    unit_frame_write(&r.writer, slot, 1);

    /* a reader which was late sets its bit, and has not yet withdrawn it */

    unit_set_bits(&ngx_vidcast_ring_slot(&r.a, slot)->state, r.a.bit);

    ngx_vidcast_ring_publish(&r.writer, slot,
                             ngx_vidcast_ring_next(&r.writer));

    unit_ok(ngx_vidcast_ring_slot(&r.a, slot)->state == r.a.bit,
            "publish: keeps a pin set meanwhile");

    slot = ngx_vidcast_ring_claim(&r.writer);
    unit_set_bits(&ngx_vidcast_ring_slot(&r.a, slot)->state, r.a.bit);
    ngx_vidcast_ring_abandon(&r.writer, slot);

    unit_ok(ngx_vidcast_ring_slot(&r.a, slot)->state == r.a.bit,
            "abandon: keeps a pin set meanwhile");

    ngx_vidcast_ring_unpin(&r.writer, r.a.bit);

    unit_ok(ngx_vidcast_ring_acquire(&r.a, 0, &frame) == NGX_OK
            && unit_whole(&r.a, &frame), "publish: the frame is whole");

    slot = ngx_vidcast_ring_claim(&r.writer);
    unit_set_bits(&ngx_vidcast_ring_slot(&r.a, slot)->state, r.b.bit);
    ngx_vidcast_ring_recover(&r.writer);

    unit_ok(ngx_vidcast_ring_slot(&r.a, slot)->state == r.b.bit,
            "recover: keeps a pin set meanwhile");

    unit_ring_close(&r);
}


static void
test_ring_full(void)
{
    uint32_t              slots[4];
    uint64_t              seen;
    ngx_uint_t            i;
    unit_ring_t           r;
    ngx_vidcast_frame_t   frames[4];

    unit_ring_open(&r, 5, 600, 4, 16);

    seen = 0;

    for (i = 0; i < 4; i++) {
        (void) unit_ring_put(&r.writer);
        (void) ngx_vidcast_ring_acquire(i % 2 ? &r.a : &r.b, seen, &frames[i]);
        seen = frames[i].number;
    }

    (void) unit_ring_put(&r.writer);

    unit_ok(unit_ring_put(&r.writer) == 0, "full: all pinned but the newest");
    unit_ok(ngx_vidcast_ring_newest(&r.a) == 5, "full: newest is still 5");
    unit_ok(unit_whole(&r.b, &frames[0]) && unit_whole(&r.a, &frames[1])
            && unit_whole(&r.b, &frames[2]) && unit_whole(&r.a, &frames[3]),
            "full: all frames are as they were");

    ngx_vidcast_ring_release(&r.b, &frames[2]);

    unit_ok(ngx_vidcast_ring_claim(&r.writer) == frames[2].slot,
            "full: what is released is taken");
    unit_ok(ngx_vidcast_ring_claim(&r.writer) == NGX_VIDCAST_RING_NONE,
            "full: once");

    ngx_vidcast_ring_abandon(&r.writer, frames[2].slot);
    ngx_vidcast_ring_unpin(&r.writer, r.a.bit | r.b.bit);

    unit_ok(unit_ring_free(&r.writer) == 4, "full: all are free again");

    for (i = 0; i < 4; i++) {
        slots[i] = ngx_vidcast_ring_claim(&r.writer);
    }

    unit_ok(slots[0] != slots[1] && slots[0] != slots[2]
            && slots[0] != slots[3] && slots[1] != slots[2]
            && slots[1] != slots[3] && slots[2] != slots[3],
            "claim: several at once, all different");

    unit_ring_close(&r);
}


static void
test_never_newest(void)
{
    uint32_t              slot;
    uint64_t              number;
    ngx_uint_t            i, bad;
    unit_ring_t           r;
    ngx_vidcast_frame_t   frame;

    unit_ring_open(&r, 3, 600, 4, 16);

    bad = 0;

    for (i = 0; i < 100; i++) {
        slot = ngx_vidcast_ring_claim(&r.writer);

        bad |= (slot == r.writer.shm->newest);

        if (i % 3 == 0) {
            ngx_vidcast_ring_abandon(&r.writer, slot);
            continue;
        }

        number = ngx_vidcast_ring_next(&r.writer);
        unit_frame_write(&r.writer, slot, number);
        ngx_vidcast_ring_publish(&r.writer, slot, number);

        bad |= (ngx_vidcast_ring_acquire(&r.a, number - 1, &frame) != NGX_OK
                || frame.number != number || !unit_whole(&r.a, &frame));

        ngx_vidcast_ring_release(&r.a, &frame);
    }

    unit_ok(bad == 0, "claim: never the newest of three slots");

    unit_ring_close(&r);
}


static void
test_few_slots(void)
{
    unit_ring_t  r;

    unit_ring_open(&r, 1, 600, 1, 16);

    unit_ok(unit_ring_put(&r.writer) == 1, "one slot: a first frame");
    unit_ok(unit_ring_put(&r.writer) == 0, "one slot: and no more");
    unit_ok(ngx_vidcast_ring_newest(&r.a) == 1, "one slot: newest is 1");

    unit_ring_close(&r);

    unit_ring_open(&r, 2, 600, 1, 16);

    unit_ok(unit_ring_put(&r.writer) && unit_ring_put(&r.writer)
            && unit_ring_put(&r.writer) && unit_ring_put(&r.writer)
            && ngx_vidcast_ring_newest(&r.a) == 4, "two slots: any number");

    unit_ring_close(&r);
}


/* slots are not touched for nothing: memory is what was needed at a time */

static void
test_same_slots(void)
{
    uint32_t     i, used;
    unit_ring_t  r;

    unit_ring_open(&r, 6, 600, 4, 16);

    used = 0;

    for (i = 0; i < 20; i++) {
        (void) unit_ring_put(&r.writer);
        used |= 1 << r.writer.shm->newest;
    }

    unit_ok(__builtin_popcount(used) == 2, "claim: two slots, if none is kept");

    /* a reader that keeps one, which is not the newest any more */

    ngx_vidcast_ring_slot(&r.writer, r.writer.shm->newest)->state = r.a.bit;

    for (i = 0; i < 20; i++) {
        (void) unit_ring_put(&r.writer);
        used |= 1 << r.writer.shm->newest;
    }

    unit_ok(__builtin_popcount(used) == 3, "claim: and one more for a reader");

    unit_ring_close(&r);
}


static void
test_out_of_order(void)
{
    uint32_t              s1, s2, s3;
    unit_ring_t           r;
    ngx_vidcast_frame_t   frame;

    unit_ring_open(&r, 6, 600, 4, 16);

    s1 = ngx_vidcast_ring_claim(&r.writer);
    s2 = ngx_vidcast_ring_claim(&r.writer);
    s3 = ngx_vidcast_ring_claim(&r.writer);

    unit_frame_write(&r.writer, s1, 1);
    unit_frame_write(&r.writer, s2, 2);
    unit_frame_write(&r.writer, s3, 3);

    ngx_vidcast_ring_publish(&r.writer, s2, 2);
    ngx_vidcast_ring_publish(&r.writer, s1, 1);

    unit_ok(ngx_vidcast_ring_newest(&r.a) == 2 && r.a.shm->newest == s2,
            "order: a late frame is no newest one");
    unit_ok(ngx_vidcast_ring_slot(&r.a, s1)->state == 0
            && ngx_vidcast_ring_slot(&r.a, s1)->number == 0,
            "order: its slot is given back without a frame");
    unit_ok(ngx_vidcast_ring_acquire(&r.a, 0, &frame) == NGX_OK
            && frame.number == 2 && unit_whole(&r.a, &frame),
            "order: readers get the newer one");

    ngx_vidcast_ring_publish(&r.writer, s3, 3);

    unit_ok(ngx_vidcast_ring_newest(&r.a) == 3, "order: a newer one counts");

    ngx_vidcast_ring_release(&r.a, &frame);

    unit_ok(unit_ring_free(&r.writer) == 5, "order: no slot is lost");

    s1 = ngx_vidcast_ring_claim(&r.writer);
    unit_frame_write(&r.writer, s1, 3);
    ngx_vidcast_ring_publish(&r.writer, s1, 3);

    unit_ok(r.a.shm->newest == s3, "order: nor does the same number twice");

    unit_ring_close(&r);
}


static void
test_abandon(void)
{
    uint32_t              slot;
    unit_ring_t           r;
    ngx_vidcast_frame_t   frame;

    unit_ring_open(&r, 3, 600, 4, 16);

    slot = ngx_vidcast_ring_claim(&r.writer);
    ngx_vidcast_ring_abandon(&r.writer, slot);

    unit_ok(ngx_vidcast_ring_acquire(&r.a, 0, &frame) == NGX_AGAIN
            && ngx_vidcast_ring_newest(&r.a) == 0,
            "abandon: is no first frame");

    (void) unit_ring_put(&r.writer);

    slot = ngx_vidcast_ring_claim(&r.writer);
    unit_frame_write(&r.writer, slot, 100);
    ngx_vidcast_ring_abandon(&r.writer, slot);

    unit_ok(ngx_vidcast_ring_acquire(&r.a, 0, &frame) == NGX_OK
            && frame.number == 1 && unit_whole(&r.a, &frame),
            "abandon: readers get the frame before");

    ngx_vidcast_ring_release(&r.a, &frame);

    unit_ok(unit_ring_free(&r.writer) == 2, "abandon: no slot is lost");

    unit_ring_close(&r);
}


static void
test_recover(void)
{
    uint32_t              s1, s2;
    unit_ring_t           r;
    ngx_vidcast_ring_t    own;
    ngx_vidcast_frame_t   held, mine, frame;

    unit_ring_open(&r, 6, 600, 4, 16);

    (void) unit_ring_put(&r.writer);
    (void) ngx_vidcast_ring_acquire(&r.a, 0, &held);
    (void) unit_ring_put(&r.writer);

    own = r.writer;
    own.bit = (uint64_t) 1 << NGX_VIDCAST_RING_OWN;

    unit_ok(ngx_vidcast_ring_acquire(&own, 1, &mine) == NGX_OK,
            "recover: the writer has a pin of its own");

    (void) unit_ring_put(&r.writer);

    /* one half-written slot with a number, one without */

    s1 = ngx_vidcast_ring_claim(&r.writer);
    s2 = ngx_vidcast_ring_claim(&r.writer);
    ngx_vidcast_ring_slot(&r.writer, s2)->number = 5;

    unit_ok(unit_ring_free(&r.writer) == 1, "recover: before, one is free");

    ngx_vidcast_ring_attach(&r.writer, r.shm.addr, r.frames.addr,
                            &r.a.geometry);
    ngx_vidcast_ring_recover(&r.writer);

    unit_ok(ngx_vidcast_ring_slot(&r.a, s1)->state == 0
            && ngx_vidcast_ring_slot(&r.a, s1)->number == 0
            && ngx_vidcast_ring_slot(&r.a, s2)->state == 0
            && ngx_vidcast_ring_slot(&r.a, s2)->number == 0,
            "recover: half-written slots are empty");
    unit_ok(ngx_vidcast_ring_pinned(&r.a) == r.a.bit,
            "recover: the writer's pin is gone, the reader's is not");
    unit_ok(unit_whole(&r.a, &held), "recover: the reader's frame is whole");
    unit_ok(ngx_vidcast_ring_newest(&r.a) == 3
            && ngx_vidcast_ring_acquire(&r.b, 0, &frame) == NGX_OK
            && frame.number == 3 && unit_whole(&r.b, &frame),
            "recover: the newest frame stays");
    unit_ok(unit_ring_put(&r.writer) == 4, "recover: numbers go on");

    ngx_vidcast_ring_unpin(&r.writer, r.a.bit | r.b.bit);

    unit_ok(unit_ring_free(&r.writer) == 5, "recover: no slot is lost");

    unit_ring_close(&r);
}


static void
test_unpin(void)
{
    uint32_t              slot;
    unit_ring_t           r;
    ngx_vidcast_frame_t   f1, f2, f3;

    unit_ring_open(&r, 6, 600, 4, 16);

    (void) unit_ring_put(&r.writer);
    (void) ngx_vidcast_ring_acquire(&r.a, 0, &f1);
    (void) unit_ring_put(&r.writer);
    (void) ngx_vidcast_ring_acquire(&r.a, 1, &f2);
    (void) ngx_vidcast_ring_acquire(&r.b, 1, &f3);
    slot = ngx_vidcast_ring_claim(&r.writer);

    unit_ok(ngx_vidcast_ring_pinned(&r.writer) == (r.a.bit | r.b.bit),
            "unpin: pinned() tells which, and not that a slot is written");

    ngx_vidcast_ring_unpin(&r.writer, r.a.bit);

    unit_ok(ngx_vidcast_ring_pinned(&r.writer) == r.b.bit
            && ngx_vidcast_ring_slot(&r.a, f3.slot)->state == r.b.bit,
            "unpin: all pins of one process, and of no other");
    unit_ok(ngx_vidcast_ring_slot(&r.a, slot)->state
            == NGX_VIDCAST_RING_WRITING, "unpin: a slot is still written");

    ngx_vidcast_ring_unpin(&r.writer, 0);

    unit_ok(ngx_vidcast_ring_pinned(&r.writer) == r.b.bit, "unpin: nobody");

    unit_ring_close(&r);
}


static void
test_peek(void)
{
    unit_ring_t           r;
    ngx_vidcast_frame_t   f1, f2, f3;

    unit_ring_open(&r, 3, 600, 4, 16);

    (void) unit_ring_put(&r.writer);

    unit_ok(ngx_vidcast_ring_peek(&r.a, 1, &f1) == NGX_AGAIN,
            "peek: nothing newer than seen");
    unit_ok(ngx_vidcast_ring_peek(&r.a, 0, &f1) == NGX_OK
            && f1.number == 1 && unit_whole(&r.a, &f1), "peek: the newest");
    unit_ok(ngx_vidcast_ring_slot(&r.a, f1.slot)->state == 0,
            "peek: sets no pin");

    (void) unit_ring_put(&r.writer);

    unit_ok(ngx_vidcast_ring_check(&r.a, &f1) == NGX_OK
            && unit_whole(&r.a, &f1), "check: a newer one is no harm");
    unit_ok(ngx_vidcast_ring_peek(&r.a, 1, &f2) == NGX_OK && f2.number == 2,
            "peek: the next");
    unit_ok(ngx_vidcast_ring_claim(&r.writer) == f1.slot,
            "check: the slot is taken");
    unit_ok(ngx_vidcast_ring_check(&r.a, &f1) == NGX_DECLINED,
            "check: the slot is being written");

    ngx_vidcast_ring_abandon(&r.writer, f1.slot);

    unit_ok(ngx_vidcast_ring_check(&r.a, &f1) == NGX_DECLINED,
            "check: the slot was abandoned");

    f3 = f1;
    f3.number = 0;

    unit_ok(ngx_vidcast_ring_check(&r.a, &f3) == NGX_DECLINED,
            "check: nothing is no frame");

    (void) unit_ring_put(&r.writer);
    (void) unit_ring_put(&r.writer);

    unit_ok(ngx_vidcast_ring_slot(&r.a, f2.slot)->number > 3
            && ngx_vidcast_ring_check(&r.a, &f2) == NGX_DECLINED,
            "check: another frame is there");

    unit_ring_close(&r);
}


/* a source that slept: an encoder may still be at a frame from before */

static void
test_pass(void)
{
    u_char                       text[16];
    uint64_t                     seq, late;
    uint32_t                     slot;
    unit_ring_t                  r;
    ngx_vidcast_frame_t          frame;
    ngx_vidcast_ring_result_t   *result, read;

    unit_ring_open(&r, 4, 5000, 4, 16);

    (void) unit_ring_put(&r.writer);

    result = ngx_vidcast_ring_open_result(&r.writer, &seq);
    result->size = 3;
    ngx_vidcast_ring_publish_result(&r.writer, result, seq);

    late = ngx_vidcast_ring_next(&r.writer);
    slot = ngx_vidcast_ring_claim(&r.writer);

    unit_ok(ngx_vidcast_ring_min_frame(&r.a) == 0, "pass: nothing is past");

    ngx_vidcast_ring_invalidate(&r.writer);

    unit_ok(ngx_vidcast_ring_min_frame(&r.a) == late,
            "pass: nor will the one be that has its number");
    unit_ok(ngx_vidcast_ring_acquire(&r.a, 0, &frame) == NGX_AGAIN
            && ngx_vidcast_ring_peek(&r.a, 0, &frame) == NGX_AGAIN,
            "pass: no frame for what comes now");
    unit_ok(ngx_vidcast_ring_read_result(&r.a, seq, &read, text) == NGX_OK,
            "pass: the history stays");

    ngx_vidcast_ring_publish(&r.writer, slot, late);

    unit_ok(ngx_vidcast_ring_newest(&r.a) == late
            && ngx_vidcast_ring_acquire(&r.a, 0, &frame) == NGX_AGAIN
            && ngx_vidcast_ring_peek(&r.a, 0, &frame) == NGX_AGAIN,
            "pass: nor one that comes out late");
    unit_ok(ngx_vidcast_ring_pinned(&r.a) == 0, "pass: no pin is left");

    (void) unit_ring_put(&r.writer);

    unit_ok(ngx_vidcast_ring_acquire(&r.a, 0, &frame) == NGX_OK
            && frame.number == late + 1, "pass: the next one is there");

    ngx_vidcast_ring_release(&r.a, &frame);
    unit_ring_close(&r);
}


/* a ring whose source became another one */

static void
test_forget(void)
{
    u_char                       text[16];
    uint64_t                     seq;
    unit_ring_t                  r;
    ngx_vidcast_frame_t          held, frame;
    ngx_vidcast_ring_result_t   *result, read;

    unit_ring_open(&r, 4, 5000, 4, 16);

    (void) unit_ring_put(&r.writer);

    result = ngx_vidcast_ring_open_result(&r.writer, &seq);
    result->size = 3;
    ngx_vidcast_ring_publish_result(&r.writer, result, seq);

    (void) ngx_vidcast_ring_acquire(&r.a, 0, &held);

    ngx_vidcast_ring_invalidate_all(&r.writer);

    unit_ok(ngx_vidcast_ring_acquire(&r.b, 0, &frame) == NGX_AGAIN
            && ngx_vidcast_ring_peek(&r.b, 0, &frame) == NGX_AGAIN,
            "forget: no frame for what comes now");
    unit_ok(ngx_vidcast_ring_read_result(&r.b, seq, &read, text)
            == NGX_DECLINED, "forget: no result");
    unit_ok(unit_whole(&r.a, &held), "forget: whole for what has it");

    ngx_vidcast_ring_release(&r.a, &held);
    (void) unit_ring_put(&r.writer);

    unit_ok(ngx_vidcast_ring_acquire(&r.b, 0, &frame) == NGX_OK
            && frame.number == 2, "forget: numbers go on");
}


/* a ring whose numbers are those of another one, which may begin anew */

static void
test_follow(void)
{
    uint32_t             slot;
    unit_ring_t          r;
    ngx_vidcast_frame_t  frame;

    unit_ring_open(&r, 4, 5000, 4, 16);

    slot = ngx_vidcast_ring_claim(&r.writer);
    ngx_vidcast_ring_set_number(&r.writer, 70);
    ngx_vidcast_ring_publish(&r.writer, slot, 70);

    unit_ok(ngx_vidcast_ring_peek(&r.a, 0, &frame) == NGX_OK
            && frame.number == 70, "follow: the number of the other");

    ngx_vidcast_ring_invalidate(&r.writer);

    unit_ok(ngx_vidcast_ring_peek(&r.a, 0, &frame) == NGX_AGAIN,
            "follow: which may be over");

    ngx_vidcast_ring_set_number(&r.writer, 3);

    unit_ok(ngx_vidcast_ring_peek(&r.a, 0, &frame) == NGX_AGAIN,
            "follow: a new series without a frame");

    slot = ngx_vidcast_ring_claim(&r.writer);
    ngx_vidcast_ring_publish(&r.writer, slot, 3);

    unit_ok(ngx_vidcast_ring_peek(&r.a, 0, &frame) == NGX_OK
            && frame.number == 3, "follow: and with one");

    unit_ring_close(&r);
}


/*
 * A writer that has gone mad, or was taken over, says what it likes of itself:
 * no reader goes beyond the slots and results that there are.
 */

static void
test_hostile(void)
{
    u_char                      text[16];
    unit_ring_t                 r;
    ngx_vidcast_frame_t         frame;
    ngx_vidcast_ring_slot_t    *slot;
    ngx_vidcast_ring_result_t   result, *written;

    unit_ring_open(&r, 4, 600, 4, 16);

    (void) unit_ring_put(&r.writer);

    slot = ngx_vidcast_ring_slot(&r.a, r.writer.shm->newest);
    slot->size = 0xffffffff;
    slot->plain = 0xfffffff0;
    slot->v1 = 0x80000000;

    unit_ok(ngx_vidcast_ring_acquire(&r.a, 0, &frame) == NGX_OK
            && frame.size == 600
            && frame.plain == NGX_VIDCAST_RING_HEAD
            && frame.v1 == NGX_VIDCAST_RING_HEAD,
            "hostile: sizes end where the slot ends");

    ngx_vidcast_ring_release(&r.a, &frame);

    unit_ok(ngx_vidcast_ring_acquire_at(&r.a, 4, 1, &frame) == NGX_DECLINED,
            "hostile: there are no more slots");

    r.writer.shm->newest = 4;

    unit_ok(ngx_vidcast_ring_acquire(&r.a, 0, &frame) == NGX_AGAIN
            && ngx_vidcast_ring_peek(&r.a, 0, &frame) == NGX_AGAIN,
            "hostile: the newest is in no slot");

    ngx_vidcast_ring_abandon(&r.writer, 0xffff);
    ngx_vidcast_ring_reclaim(&r.writer, 0xffff);

    unit_ok(ngx_vidcast_ring_pinned(&r.a) == 0,
            "hostile: a slot that is none is left alone");

    r.writer.shm->seq = 0xfffffffffffffff0;
    written = ngx_vidcast_ring_result(&r.a, r.writer.shm->seq);
    written->seq = r.writer.shm->seq;
    written->size = 17;

    unit_ok(ngx_vidcast_ring_read_result(&r.a, r.writer.shm->seq, &result,
                                         text)
            == NGX_DECLINED,
            "hostile: a text is no larger than its place");

    unit_ring_close(&r);
}
