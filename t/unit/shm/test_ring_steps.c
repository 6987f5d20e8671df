
/*
 * Copyright (C) vidcast contributors
 */


/*
 * The ring's operations interleaved one atomic step at a time, in one process
 * and without chance: a reader goes through its steps, and before any of them
 * the writer, on a stack of its own, may go on by any number of its steps.
 * Where the writer then stands it dies; so may the reader.  The next writer
 * must find everything.
 */

#include "unit_ring.h"

#include <setjmp.h>
#include <ucontext.h>


#define STEPS_SLOTS     3
#define STEPS_RESULTS   2
#define STEPS_SWITCHES  3              /* from reader to writer */
#define STEPS_READER    9              /* steps before which one may be */
#define STEPS_WRITER    56             /* a round of the writer */

#define STEPS_ALIVE     1000           /* the reader does not die */


typedef const char *(*steps_reader_pt)(ngx_vidcast_ring_t *ring);


static void steps_run(steps_reader_pt reader, const char *name);
static void steps_all(steps_reader_pt reader);
static void steps_some(steps_reader_pt reader, ngx_uint_t n);
static void steps_schedule(steps_reader_pt reader);
static void steps_start(void);
static void steps_writer(void);
static void steps_hook(void);
static void steps_resume(ngx_uint_t n);
static const char *steps_recover(void);
static void steps_recover_hook(void);
static const char *steps_dying_recover(void);
static const char *steps_next_writer(void);
static const char *steps_pin(ngx_vidcast_ring_t *ring);
static const char *steps_peek(ngx_vidcast_ring_t *ring);
static const char *steps_newest(ngx_vidcast_ring_t *ring);
static const char *steps_result(ngx_vidcast_ring_t *ring);
static void steps_error(const char *what);


static unit_ring_t         steps_ring;
static ucontext_t          steps_main;
static ucontext_t          steps_other;
static jmp_buf             steps_death;

static ngx_uint_t          steps_at[STEPS_SWITCHES];   /* step of the reader */
static ngx_uint_t          steps_go[STEPS_SWITCHES];   /* the writer's steps */
static ngx_uint_t          steps_die;
static ngx_uint_t          steps_died;
static ngx_uint_t          steps_broken_claim;
static ngx_uint_t          steps_in_writer;
static ngx_uint_t          steps_left;                 /* for the writer */
static ngx_uint_t          steps_n;                    /* of the reader */

static uint64_t            steps_schedules;
static uint64_t            steps_got;                  /* not in vain */
static uint64_t            steps_errors;
static const char         *steps_first;

static uint64_t            steps_stack[8192];


int
main(void)
{
    unit_ring_open(&steps_ring, STEPS_SLOTS, 24, STEPS_RESULTS, 24);

    steps_run(steps_pin, "acquire and release");
    steps_run(steps_peek, "peek, copy and check");
    steps_run(steps_newest, "newest");
    steps_run(steps_result, "read_result");

    /* the same with broken rules must fail */

    steps_broken_claim = 1;
    steps_all(steps_pin);
    unit_ok(steps_errors != 0, "negative control: a claim by a plain store");
    printf("# %s\n", steps_first ? steps_first : "nothing");
    steps_broken_claim = 0;

    unit_broken_result = 1;
    steps_all(steps_result);
    unit_ok(steps_errors != 0, "negative control: a result in the open");
    printf("# %s\n", steps_first ? steps_first : "nothing");

    return unit_done();
}


static void
steps_run(steps_reader_pt reader, const char *name)
{
    steps_all(reader);
    steps_some(reader, 30000);

    unit_ok(steps_errors == 0, "%s: every frame is whole, no slot is lost",
            name);
    unit_ok(steps_got != 0, "%s: not in vain", name);

    printf("# schedules:%lu got:%lu errors:%lu %s\n", steps_schedules,
           steps_got, steps_errors, steps_first ? steps_first : "");
}


/* with one switch, or two, all schedules there are */

static void
steps_all(steps_reader_pt reader)
{
    ngx_uint_t  a, b, n;

    steps_schedules = 0;
    steps_got = 0;
    steps_errors = 0;
    steps_first = NULL;

    steps_die = STEPS_ALIVE;
    steps_at[2] = STEPS_READER;

    for (a = 0; a < STEPS_READER; a++) {
        for (b = a + 1; b <= STEPS_READER; b++) {

            steps_at[0] = a;
            steps_at[1] = b;

            for (n = 0; n < STEPS_WRITER * STEPS_WRITER; n++) {
                steps_go[0] = n / STEPS_WRITER;
                steps_go[1] = n % STEPS_WRITER;

                steps_schedule(reader);
            }
        }
    }
}


/* of those with three switches, and a reader that may die, some */

static void
steps_some(steps_reader_pt reader, ngx_uint_t n)
{
    uint64_t    random;
    ngx_uint_t  i;

    random = 1;

    while (n--) {
        for (i = 0; i < STEPS_SWITCHES; i++) {
            steps_at[i] = unit_random(&random) % (2 * STEPS_READER);
            steps_go[i] = unit_random(&random) % STEPS_WRITER;
        }

        steps_die = unit_random(&random) % (4 * STEPS_READER);

        steps_schedule(reader);
    }
}


static void
steps_schedule(steps_reader_pt reader)
{
    const char *volatile  wrong;

    steps_start();
    steps_schedules++;

    unit_broken_claim = steps_broken_claim;
    unit_step_hook = steps_hook;
    wrong = NULL;

    if (setjmp(steps_death) == 0) {
        wrong = reader(&steps_ring.a);
    }

    unit_step_hook = NULL;
    unit_broken_claim = 0;

    steps_error(wrong);
    steps_error(steps_recover());
}


static void
steps_start(void)
{
    unit_ring_t             *r;
    ngx_vidcast_geometry_t   geometry;

    r = &steps_ring;

    geometry.slots = STEPS_SLOTS;
    geometry.slot_size = 24;
    geometry.results = STEPS_RESULTS;
    geometry.result_size = 24;

    ngx_memzero(r->shm.addr, ngx_vidcast_ring_size(&geometry));

    ngx_vidcast_ring_create(&r->writer, r->shm.addr, r->frames.addr,
                            &geometry);

    (void) unit_ring_put(&r->writer);
    (void) unit_ring_put(&r->writer);
    unit_result_write(&r->writer, 1);
    unit_result_write(&r->writer, 1);

    steps_died = 0;
    steps_in_writer = 0;
    steps_n = 0;

    (void) getcontext(&steps_other);

    steps_other.uc_stack.ss_sp = steps_stack;
    steps_other.uc_stack.ss_size = sizeof(steps_stack);
    steps_other.uc_link = &steps_main;

    makecontext(&steps_other, steps_writer, 0);
}


static void
steps_writer(void)
{
    uint32_t             s1, s2;
    uint64_t             n1, n2;
    ngx_vidcast_ring_t  *ring;

    ring = &steps_ring.writer;

    for ( ;; ) {
        (void) unit_ring_put(ring);
        unit_result_write(ring, 2);

        /* two at once, the second is ready first */

        s1 = ngx_vidcast_ring_claim(ring);

        if (s1 == NGX_VIDCAST_RING_NONE) {
            continue;
        }

        n1 = ngx_vidcast_ring_next(ring);
        s2 = ngx_vidcast_ring_claim(ring);

        if (s2 != NGX_VIDCAST_RING_NONE) {
            n2 = ngx_vidcast_ring_next(ring);
            unit_frame_write(ring, s2, n2);
            ngx_vidcast_ring_publish(ring, s2, n2);
        }

        unit_frame_write(ring, s1, n1);
        ngx_vidcast_ring_publish(ring, s1, n1);

        unit_result_write(ring, 3);

        s1 = ngx_vidcast_ring_claim(ring);

        if (s1 != NGX_VIDCAST_RING_NONE) {
            ngx_vidcast_ring_abandon(ring, s1);
        }
    }
}


static void
steps_hook(void)
{
    ngx_uint_t  i, n;

    if (steps_in_writer) {

        if (steps_left-- == 0) {
            (void) swapcontext(&steps_other, &steps_main);
        }

        return;
    }

    n = steps_n++;

    for (i = 0; i < STEPS_SWITCHES; i++) {
        if (steps_at[i] == n && steps_go[i]) {
            steps_resume(steps_go[i]);
        }
    }

    if (n == steps_die) {
        steps_died = 1;
        longjmp(steps_death, 1);
    }
}


/* each switch back has used up the step before which the writer stands */

static void
steps_resume(ngx_uint_t n)
{
    steps_left = n;
    steps_in_writer = 1;

    (void) swapcontext(&steps_main, &steps_other);

    steps_in_writer = 0;
}


/* the writer is dead, the reader is gone or dead */

static const char *
steps_recover(void)
{
    unit_ring_t  *r;
    const char   *wrong;

    r = &steps_ring;

    if (!steps_died && ngx_vidcast_ring_pinned(&r->a) != 0) {
        return "a pin is left by a reader that released it";
    }

    ngx_vidcast_ring_attach(&r->writer, r->shm.addr, r->frames.addr,
                            &r->a.geometry);

    if (steps_schedules % 16 == 0) {
        wrong = steps_dying_recover();

        if (wrong) {
            return wrong;
        }
    }

    ngx_vidcast_ring_recover(&r->writer);
    ngx_vidcast_ring_unpin(&r->writer, r->a.bit);

    return steps_next_writer();
}


static void
steps_recover_hook(void)
{
    if (steps_left-- == 0) {
        longjmp(steps_death, 1);
    }
}


/* this next writer dies as well, at each step of its recover() */

static const char *
steps_dying_recover(void)
{
    unsigned              n;
    volatile unsigned     died;
    ngx_vidcast_frame_t   frame;

    for (n = 0; n < 4 * STEPS_SLOTS; n++) {

        died = 1;
        steps_left = n;
        unit_step_hook = steps_recover_hook;

        if (setjmp(steps_death) == 0) {
            ngx_vidcast_ring_recover(&steps_ring.writer);
            died = 0;
        }

        unit_step_hook = NULL;

        if (ngx_vidcast_ring_peek(&steps_ring.b, 0, &frame) != NGX_OK
            || !unit_whole(&steps_ring.b, &frame))
        {
            return "no newest frame while the ring is recovered";
        }

        if (!died) {
            return NULL;
        }
    }

    return "recover() has more steps than thought";
}


static const char *
steps_next_writer(void)
{
    uint64_t                    newest, seq;
    u_char                      text[24];
    unit_ring_t                *r;
    ngx_vidcast_frame_t         frame;
    ngx_vidcast_ring_result_t   result;

    r = &steps_ring;

    if (ngx_vidcast_ring_pinned(&r->b) != 0) {
        return "a pin is left after unpin()";
    }

    if (unit_ring_free(&r->writer) != STEPS_SLOTS - 1) {
        return "a slot is lost";
    }

    newest = ngx_vidcast_ring_newest(&r->b);

    if (ngx_vidcast_ring_acquire(&r->b, 0, &frame) != NGX_OK
        || !unit_whole(&r->b, &frame) || frame.number > newest)
    {
        return "the newest frame is lost";
    }

    ngx_vidcast_ring_release(&r->b, &frame);

    if (unit_ring_put(&r->writer) <= newest) {
        return "a number is given twice";
    }

    if (ngx_vidcast_ring_acquire(&r->b, newest, &frame) != NGX_OK
        || !unit_whole(&r->b, &frame)
        || frame.number != ngx_vidcast_ring_newest(&r->b))
    {
        return "the next writer's frame is not the newest";
    }

    ngx_vidcast_ring_release(&r->b, &frame);

    unit_result_write(&r->writer, 4);
    seq = ngx_vidcast_ring_newest_result(&r->b);

    if (ngx_vidcast_ring_read_result(&r->b, seq, &result, text) != NGX_OK
        || unit_result_check(&r->b, seq, &result, text) != NULL
        || result.frame != 4)
    {
        return "the next writer's result is not the newest";
    }

    return NULL;
}


static const char *
steps_pin(ngx_vidcast_ring_t *ring)
{
    uint64_t              newest;
    ngx_int_t             rc;
    ngx_vidcast_frame_t   frame;

    newest = ring->shm->frame;

    rc = ngx_vidcast_ring_acquire(ring, 1, &frame);

    if (rc == NGX_DECLINED) {
        return NULL;
    }

    if (rc == NGX_AGAIN) {
        return "nothing newer, though there was";
    }

    if (frame.number < newest) {
        return "an old frame";
    }

    if (!(ngx_vidcast_ring_slot(ring, frame.slot)->state & ring->bit)) {
        return "the frame is not pinned";
    }

    if (frame.number > ring->shm->frame) {
        return "a frame above the newest";
    }

    if (!unit_whole(ring, &frame)) {
        return "a torn frame";
    }

    unit_step();
    unit_step();

    if (!unit_whole(ring, &frame)) {
        return "a frame torn later";
    }

    ngx_vidcast_ring_release(ring, &frame);
    steps_got++;

    return NULL;
}


static const char *
steps_peek(ngx_vidcast_ring_t *ring)
{
    u_char                copy[NGX_VIDCAST_RING_HEAD + 24];
    ngx_int_t             rc;
    ngx_vidcast_frame_t   frame;

    rc = ngx_vidcast_ring_peek(ring, 1, &frame);

    if (rc == NGX_DECLINED) {
        return NULL;
    }

    if (rc == NGX_AGAIN) {
        return "nothing newer, though there was";
    }

    if (frame.size > 24 || frame.v1 > NGX_VIDCAST_RING_HEAD) {
        return "a frame larger than its slot";
    }

    unit_copy(copy, frame.data - frame.v1, frame.v1 + frame.size);

    if (ngx_vidcast_ring_check(ring, &frame) != NGX_OK) {
        return NULL;
    }

    if (frame.number < 2 || frame.number > ring->shm->frame) {
        return "a wrong number";
    }

    steps_got++;

    return unit_frame_check(ring, &frame, copy + frame.v1);
}


static const char *
steps_newest(ngx_vidcast_ring_t *ring)
{
    uint64_t              before, after;
    ngx_int_t             rc;
    ngx_vidcast_frame_t   frame;

    before = ngx_vidcast_ring_newest(ring);
    rc = ngx_vidcast_ring_peek(ring, 0, &frame);
    after = ngx_vidcast_ring_newest(ring);

    if (before < 2) {
        return "there was a newer one";
    }

    if (after < before) {
        return "it went back";
    }

    if (rc == NGX_OK && frame.number > after) {
        return "a reader got one above it";
    }

    steps_got += (after > before);

    return NULL;
}


static const char *
steps_result(ngx_vidcast_ring_t *ring)
{
    u_char                      text[24];
    uint64_t                    before, after;
    ngx_int_t                   rc;
    ngx_vidcast_ring_result_t   result;

    before = ngx_vidcast_ring_newest_result(ring);

    rc = ngx_vidcast_ring_read_result(ring, before, &result, text);

    if (rc == NGX_OK) {
        steps_got++;
        return unit_result_check(ring, before, &result, text);
    }

    after = ring->shm->seq;

    if (rc == NGX_AGAIN) {
        return "the newest result is not yet written";
    }

    return (after - before + 1 < STEPS_RESULTS) ? "lost too early" : NULL;
}


static void
steps_error(const char *what)
{
    if (what == NULL) {
        return;
    }

    if (steps_errors++ == 0) {
        steps_first = what;
    }
}
