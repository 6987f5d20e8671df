
/*
 * Copyright (C) vidcast contributors
 */


/*
 * The hand-off between a process and a capture that die at any step.  Both go
 * through their programs on stacks of their own, interleaved one atomic step
 * at a time; wherever they stand one of them dies, or both.  Their successors
 * go on with what they find.  Each slot is written byte by byte by its holder:
 * if two have it, or a message is half there, the bytes tell; and at the end
 * every slot must be free again.
 */

#include "unit_ring.h"

#include <ucontext.h>


static int handoff_cas(uint64_t *p, uint64_t *old, uint64_t value);

#define __atomic_load_n(p, o)      (unit_step(), __atomic_load_n(p, o))
#define __atomic_store_n(p, v, o)  (unit_step(), __atomic_store_n(p, v, o))
#define __atomic_compare_exchange_n(p, old, v, w, s, f)  handoff_cas(p, old, v)

#include "shm/ngx_vidcast_publish_handoff.c"

#undef __atomic_load_n
#undef __atomic_store_n
#undef __atomic_compare_exchange_n


#define HANDOFF_SLOTS      4
#define HANDOFF_SIZE       6              /* bytes, and as many steps */
#define HANDOFF_LETTERS    3
#define HANDOFF_PROCESS    9              /* the entry */
#define HANDOFF_END        20000          /* steps, then it hangs */

#define HANDOFF_RANDOM     40000

/* how they die */

#define HANDOFF_CAPTURE    0x1
#define HANDOFF_WORKER     0x2

/* what is broken */

#define HANDOFF_RETAKE     1              /* a lent slot is not kept */
#define HANDOFF_LEAVE      2              /* a dead worker's stays lent */
#define HANDOFF_RETURNED   3              /* a returned slot stays claimed */
#define HANDOFF_PLAIN      4  /* the word is changed without a look */


typedef struct {
    ucontext_t    context;
    void        (*program)(void);
    ngx_uint_t    ended;
    uint64_t      stack[8192];
} handoff_actor_t;


static void handoff_all(void);
static void handoff_some(ngx_uint_t n);
static void handoff_begin(ngx_uint_t session, ngx_uint_t heir);
static void handoff_die(ngx_uint_t which);
static void handoff_end(void);
static void handoff_lost(void);
static void handoff_start(handoff_actor_t *actor, void (*program)(void));
static void handoff_resume(handoff_actor_t *actor, ngx_uint_t n);
static void handoff_hook(void);
static void handoff_worker(void);
static ngx_uint_t handoff_letter(u_char id);
static void handoff_capture(void);
static void handoff_take_letter(void);
static void handoff_take_back(void);
static void handoff_other_frame(void);
static void handoff_fill(uint32_t slot, u_char id, const char *which);
static void handoff_whole(uint32_t slot, const char *which);
static void handoff_error(const char *what);


static unit_ring_t           handoff_ring;
static ngx_vidcast_handoff_t    handoff;

static handoff_actor_t          handoff_actors[2];
static handoff_actor_t         *handoff_current;
static ucontext_t            handoff_main;
static ngx_uint_t            handoff_left;      /* steps of the current one */

static ngx_uint_t            handoff_session;
static ngx_uint_t            handoff_heir;      /* it takes from the dead */
static ngx_uint_t            handoff_dead;      /* the worker is */
static ngx_uint_t            handoff_broken;

static u_char                handoff_id;
static uint64_t              handoff_random;
static uint64_t              handoff_schedules;
static uint64_t              handoff_taken;
static uint64_t              handoff_kept;  /* lent over a capture's death */
static uint64_t              handoff_errors;
static const char           *handoff_first;


int
main(void)
{
    ngx_uint_t  i;

    static const char  *broken[] = {
        NULL, "a lent slot that is claimed again is seen",
        "a slot that a dead worker keeps is seen",
        "a slot that nobody takes back is seen",
        "a state that is overwritten is seen"
    };

    unit_ring_open(&handoff_ring, HANDOFF_SLOTS, HANDOFF_SIZE, 2, 24);

    unit_step_hook = handoff_hook;

    handoff_all();
    handoff_some(HANDOFF_RANDOM);

    unit_ok(handoff_errors == 0, "no slot is lost, no message is mixed");
    unit_ok(handoff_taken > handoff_schedules, "messages were taken");
    unit_ok(handoff_kept > 0, "slots were kept for those that had them");

    printf("# schedules:%llu taken:%llu kept:%llu errors:%llu %s\n",
           (unsigned long long) handoff_schedules,
           (unsigned long long) handoff_taken,
           (unsigned long long) handoff_kept,
           (unsigned long long) handoff_errors,
           handoff_first ? handoff_first : "");

    for (i = HANDOFF_RETAKE; i <= HANDOFF_PLAIN; i++) {
        handoff_broken = i;
        handoff_errors = 0;
        handoff_first = NULL;

        handoff_some(HANDOFF_RANDOM / 4);

        unit_ok(handoff_errors != 0, "negative control: %s", broken[i]);
        printf("# %s\n", handoff_first ? handoff_first : "nothing");
    }

    return unit_done();
}


/* each of the two goes on by any number of steps, then each may die */

static void
handoff_all(void)
{
    ngx_uint_t  a, b, n;

    for (n = 0; n < 16; n++) {
        for (a = 0; a < 60; a++) {
            for (b = 0; b < 90; b++) {
                handoff_begin(n & 4, n & 8);

                handoff_resume(&handoff_actors[0], 3);
                handoff_resume(&handoff_actors[1], b);
                handoff_resume(&handoff_actors[0], a);

                handoff_die(n & 3);
                handoff_end();
            }
        }
    }
}


static void
handoff_some(ngx_uint_t n)
{
    ngx_uint_t  i;

    handoff_random = 4711;

    while (n-- && !(handoff_broken && handoff_errors)) {
        handoff_begin(unit_random(&handoff_random) & 1,
                      unit_random(&handoff_random) & 1);

        for (i = 0; i < 2 + unit_random(&handoff_random) % 4; i++) {
            handoff_resume(&handoff_actors[0],
                           unit_random(&handoff_random) % 40);
            handoff_resume(&handoff_actors[1],
                           unit_random(&handoff_random) % 60);

            handoff_die(unit_random(&handoff_random) & 3);
        }

        handoff_end();
    }
}


static void
handoff_begin(ngx_uint_t session, ngx_uint_t heir)
{
    handoff_schedules++;

    handoff_session = session;
    handoff_heir = heir;
    handoff_dead = 0;

    handoff_start(&handoff_actors[0], handoff_worker);
    handoff_start(&handoff_actors[1], handoff_capture);
}


static void
handoff_die(ngx_uint_t which)
{
    if (which & HANDOFF_CAPTURE) {
        handoff_start(&handoff_actors[1], handoff_capture);
    }

    if ((which & HANDOFF_WORKER) && !handoff_actors[0].ended) {
        handoff_dead = 1;
        handoff_start(&handoff_actors[0], handoff_worker);
    }
}


/* they go on together till the worker has done its work */

static void
handoff_end(void)
{
    ngx_uint_t  n;

    for (n = 0; n < HANDOFF_END / 10; n++) {
        handoff_resume(&handoff_actors[0], 3);
        handoff_resume(&handoff_actors[1], 7);

        if (handoff_actors[0].ended
            && ngx_vidcast_handoff_state(handoff.word) == handoff_free)
        {
            break;
        }
    }

    if (n == HANDOFF_END / 10) {
        handoff_error("somebody waits for ever");
    }

    handoff_lost();
}


/* the next capture must find all slots but the newest one */

static void
handoff_lost(void)
{
    uint32_t    slot;
    ngx_uint_t  n;

    (void) ngx_vidcast_handoff_recover(&handoff);
    ngx_vidcast_ring_recover(&handoff_ring.writer);

    if (ngx_vidcast_handoff_state(handoff.word) != handoff_free) {
        handoff.word = 0;
    }

    for (n = 0; n < HANDOFF_SLOTS; n++) {
        slot = ngx_vidcast_ring_claim(&handoff_ring.writer);

        if (slot == NGX_VIDCAST_RING_NONE) {
            break;
        }
    }

    if (n < HANDOFF_SLOTS - 1) {
        handoff_error("a slot is lost");
    }

    ngx_vidcast_ring_recover(&handoff_ring.writer);
}


static void
handoff_start(handoff_actor_t *actor, void (*program)(void))
{
    (void) getcontext(&actor->context);

    actor->context.uc_stack.ss_sp = actor->stack;
    actor->context.uc_stack.ss_size = sizeof(actor->stack);
    actor->context.uc_link = &handoff_main;
    actor->ended = 0;

    makecontext(&actor->context, program, 0);
}


static void
handoff_resume(handoff_actor_t *actor, ngx_uint_t n)
{
    if (actor->ended) {
        return;
    }

    handoff_current = actor;
    handoff_left = n;

    (void) swapcontext(&handoff_main, &actor->context);

    handoff_current = NULL;
}


static void
handoff_hook(void)
{
    if (handoff_current && handoff_left-- == 0) {
        (void) swapcontext(&handoff_current->context, &handoff_main);
    }
}


/* the next owner of an entry clears what the last one left there */

static void
handoff_worker(void)
{
    ngx_uint_t  n, more;

    if (handoff_dead && handoff_heir) {

        if (handoff_broken != HANDOFF_LEAVE) {
            (void) ngx_vidcast_handoff_leave(&handoff, HANDOFF_PROCESS);
        }

        handoff_dead = 0;
    }

    while (handoff_dead) {
        unit_step();
    }

    for (n = 0; n < HANDOFF_LETTERS; /* void */ ) {

        while (ngx_vidcast_handoff_enter(&handoff, HANDOFF_PROCESS,
                                         handoff_session)
               != NGX_OK)
        {
            unit_step();
        }

        do {
            n++;
            more = handoff_letter(++handoff_id) && handoff_session
                   && n < HANDOFF_LETTERS;

        } while (more);

        (void) ngx_vidcast_handoff_leave(&handoff, HANDOFF_PROCESS);
    }

    handoff_actors[0].ended = 1;
}


static ngx_uint_t
handoff_letter(u_char id)
{
    uint32_t    slot;
    uint64_t    number;
    ngx_int_t   rc;
    ngx_uint_t  reason;

    for ( ;; ) {
        rc = ngx_vidcast_handoff_slot_lent(&handoff, HANDOFF_PROCESS, &slot);

        if (rc == NGX_OK) {
            break;
        }

        if (rc != NGX_AGAIN) {
            handoff_error("the box is not the worker's any more");
            return 0;
        }

        unit_step();
    }

    handoff_fill(slot, id, "a lent slot is written by another one, too");

    /* sometimes it has nothing to say */

    if (id % 5 == 0) {
        return 0;
    }

    rc = ngx_vidcast_handoff_submit(&handoff, HANDOFF_PROCESS,
                                    NGX_VIDCAST_HANDOFF_PICTURE, HANDOFF_SIZE,
                                    !handoff_session);
    if (rc != NGX_OK) {
        handoff_error("what is lent cannot be submitted");
        return 0;
    }

    while (ngx_vidcast_handoff_outcome(&handoff, HANDOFF_PROCESS, &reason,
                                       &number)
           == NGX_AGAIN)
    {
        unit_step();
    }

    if (reason > NGX_VIDCAST_HANDOFF_LOST
        || (reason == NGX_VIDCAST_HANDOFF_TAKEN) != (number != 0))
    {
        handoff_error("the answer makes no sense");
    }

    return 1;
}


static void
handoff_capture(void)
{
    uint32_t             lent, slot;
    ngx_vidcast_ring_t  *ring;

    ring = &handoff_ring.writer;

    lent = ngx_vidcast_handoff_recover(&handoff);

    ngx_vidcast_ring_recover(ring);

    if (lent != NGX_VIDCAST_HANDOFF_NO_SLOT
        && handoff_broken != HANDOFF_RETAKE)
    {
        handoff_kept++;
        ngx_vidcast_ring_reclaim(ring, lent);
    }

    for ( ;; ) {
        handoff_take_letter();
        handoff_take_back();

        if (ngx_vidcast_handoff_wanted(&handoff)) {
            slot = ngx_vidcast_ring_claim(ring);

            if (slot == NGX_VIDCAST_RING_NONE) {
                handoff_error("no slot is free to be lent");

            } else if (ngx_vidcast_handoff_lend(&handoff, slot) != NGX_OK) {
                ngx_vidcast_ring_abandon(ring, slot);
            }
        }

        handoff_other_frame();

        unit_step();
    }
}


static void
handoff_take_letter(void)
{
    size_t               size;
    uint32_t             slot, next;
    uint64_t             number;
    ngx_uint_t           kind, reason;
    ngx_vidcast_ring_t  *ring;

    ring = &handoff_ring.writer;

    if (ngx_vidcast_handoff_take(&handoff, &slot, &kind, &size) != NGX_OK) {
        return;
    }

    handoff_whole(slot, "a message is half there");
    handoff_taken++;

    if (size != HANDOFF_SIZE || kind != NGX_VIDCAST_HANDOFF_PICTURE) {
        handoff_error("a message of another kind");
    }

    /* every third one is refused, and its slot lent again */

    if (handoff_taken % 3 == 0) {
        next = slot;
        number = 0;
        reason = NGX_VIDCAST_HANDOFF_BAD;

    } else {
        number = ngx_vidcast_ring_next(ring);
        reason = NGX_VIDCAST_HANDOFF_TAKEN;

        ngx_vidcast_ring_publish(ring, slot, number);

        next = ngx_vidcast_ring_claim(ring);

        if (next == NGX_VIDCAST_RING_NONE) {
            next = NGX_VIDCAST_HANDOFF_NO_SLOT;
        }
    }

    if (ngx_vidcast_handoff_reply(&handoff, reason, number, next) != NGX_OK
        && next != NGX_VIDCAST_HANDOFF_NO_SLOT)
    {
        ngx_vidcast_ring_abandon(ring, next);
    }
}


static void
handoff_take_back(void)
{
    uint32_t  slot;

    if (handoff_dead && !handoff_heir) {

        if (handoff_broken != HANDOFF_LEAVE) {
            (void) ngx_vidcast_handoff_leave(&handoff, HANDOFF_PROCESS);
        }

        handoff_dead = 0;
    }

    if (ngx_vidcast_handoff_returned(&handoff, &slot) == NGX_OK
        && handoff_broken != HANDOFF_RETURNED)
    {
        ngx_vidcast_ring_abandon(&handoff_ring.writer, slot);
    }
}


/* other slots are written meanwhile, and the newest frame stays as it is */

static void
handoff_other_frame(void)
{
    uint32_t  slot;

    slot = ngx_vidcast_ring_claim(&handoff_ring.writer);

    if (slot == NGX_VIDCAST_RING_NONE) {
        handoff_error("no slot is free");
        return;
    }

    handoff_fill(slot, 255, "a claimed slot is written by another one, too");

    ngx_vidcast_ring_abandon(&handoff_ring.writer, slot);

    slot = handoff_ring.writer.shm->newest;

    if (slot != NGX_VIDCAST_RING_NONE) {
        handoff_whole(slot, "a frame has changed");
    }
}


static void
handoff_fill(uint32_t slot, u_char id, const char *which)
{
    u_char      *data;
    ngx_uint_t   i;

    data = ngx_vidcast_ring_data(&handoff_ring.writer, slot);

    for (i = 0; i < HANDOFF_SIZE; i++) {
        data[i] = id;
        unit_step();
    }

    handoff_whole(slot, which);
}


static void
handoff_whole(uint32_t slot, const char *which)
{
    u_char      *data;
    ngx_uint_t   i;

    data = ngx_vidcast_ring_data(&handoff_ring.writer, slot);

    for (i = 1; i < HANDOFF_SIZE; i++) {
        if (data[i] != data[0]) {
            handoff_error(which);
            return;
        }
    }
}


static void
handoff_error(const char *what)
{
    if (handoff_errors++ == 0) {
        handoff_first = what;
    }
}


static int
handoff_cas(uint64_t *p, uint64_t *old, uint64_t value)
{
    unit_step();

    if (handoff_broken == HANDOFF_PLAIN) {
        __atomic_store_n(p, value, __ATOMIC_SEQ_CST);
        return 1;
    }

    return __atomic_compare_exchange_n(p, old, value, 0, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
}
