
/*
 * Copyright (C) vidcast contributors
 */


/*
 * The mailbox between a process and a capture which die at any step.  Both go
 * through their programs on stacks of their own, interleaved one atomic step
 * at a time; wherever they stand one of them dies, or both.  Their successors
 * go on with what they find.  Each slot is written byte by byte by who has it:
 * if two have it, or a letter is half there, the bytes tell; and at the end
 * every slot must be free again.
 */

#include "unit_ring.h"

#include <ucontext.h>


static int mail_cas(uint64_t *p, uint64_t *old, uint64_t value);

#define __atomic_load_n(p, o)      (unit_step(), __atomic_load_n(p, o))
#define __atomic_store_n(p, v, o)  (unit_step(), __atomic_store_n(p, v, o))
#define __atomic_compare_exchange_n(p, old, v, w, s, f)  mail_cas(p, old, v)

#include "shm/ngx_vidcast_mail.c"

#undef __atomic_load_n
#undef __atomic_store_n
#undef __atomic_compare_exchange_n


#define MAIL_SLOTS      4
#define MAIL_SIZE       6              /* bytes, and as many steps */
#define MAIL_LETTERS    3
#define MAIL_PROCESS    9              /* the entry */
#define MAIL_END        20000          /* steps, then it hangs */

#define MAIL_RANDOM     40000

/* how they die */

#define MAIL_CAPTURE    0x1
#define MAIL_WORKER     0x2

/* what is broken */

#define MAIL_RETAKE     1              /* a lent slot is not kept */
#define MAIL_LEAVE      2              /* a dead worker's stays lent */
#define MAIL_RETURNED   3              /* a returned slot stays claimed */
#define MAIL_PLAIN      4              /* the word is changed without a look */


typedef struct {
    ucontext_t    context;
    void        (*program)(void);
    ngx_uint_t    ended;
    uint64_t      stack[8192];
} mail_actor_t;


static void mail_all(void);
static void mail_some(ngx_uint_t n);
static void mail_begin(ngx_uint_t session, ngx_uint_t heir);
static void mail_die(ngx_uint_t who);
static void mail_end(void);
static void mail_lost(void);
static void mail_start(mail_actor_t *actor, void (*program)(void));
static void mail_resume(mail_actor_t *actor, ngx_uint_t n);
static void mail_hook(void);
static void mail_worker(void);
static ngx_uint_t mail_letter(u_char id);
static void mail_capture(void);
static void mail_take_letter(void);
static void mail_take_back(void);
static void mail_other_frame(void);
static void mail_fill(uint32_t slot, u_char id, const char *who);
static void mail_whole(uint32_t slot, const char *who);
static void mail_error(const char *what);


static unit_ring_t           mail_ring;
static ngx_vidcast_mail_t    mail;

static mail_actor_t          mail_actors[2];
static mail_actor_t         *mail_current;
static ucontext_t            mail_main;
static ngx_uint_t            mail_left;      /* steps of the current one */

static ngx_uint_t            mail_session;
static ngx_uint_t            mail_heir;      /* who takes from the dead */
static ngx_uint_t            mail_dead;      /* the worker is */
static ngx_uint_t            mail_broken;

static u_char                mail_id;
static uint64_t              mail_random;
static uint64_t              mail_schedules;
static uint64_t              mail_taken;
static uint64_t              mail_kept;      /* lent over a capture's death */
static uint64_t              mail_errors;
static const char           *mail_first;


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

    unit_ring_open(&mail_ring, MAIL_SLOTS, MAIL_SIZE, 2, 24);

    unit_step_hook = mail_hook;

    mail_all();
    mail_some(MAIL_RANDOM);

    unit_ok(mail_errors == 0, "no slot is lost, no letter is mixed");
    unit_ok(mail_taken > mail_schedules, "letters were taken");
    unit_ok(mail_kept > 0, "slots were kept for those who had them");

    printf("# schedules:%llu taken:%llu kept:%llu errors:%llu %s\n",
           (unsigned long long) mail_schedules,
           (unsigned long long) mail_taken, (unsigned long long) mail_kept,
           (unsigned long long) mail_errors, mail_first ? mail_first : "");

    for (i = MAIL_RETAKE; i <= MAIL_PLAIN; i++) {
        mail_broken = i;
        mail_errors = 0;
        mail_first = NULL;

        mail_some(MAIL_RANDOM / 4);

        unit_ok(mail_errors != 0, "negative control: %s", broken[i]);
        printf("# %s\n", mail_first ? mail_first : "nothing");
    }

    return unit_done();
}


/* each of the two goes on by any number of steps, then each may die */

static void
mail_all(void)
{
    ngx_uint_t  a, b, n;

    for (n = 0; n < 16; n++) {
        for (a = 0; a < 60; a++) {
            for (b = 0; b < 90; b++) {
                mail_begin(n & 4, n & 8);

                mail_resume(&mail_actors[0], 3);
                mail_resume(&mail_actors[1], b);
                mail_resume(&mail_actors[0], a);

                mail_die(n & 3);
                mail_end();
            }
        }
    }
}


static void
mail_some(ngx_uint_t n)
{
    ngx_uint_t  i;

    mail_random = 4711;

    while (n-- && !(mail_broken && mail_errors)) {
        mail_begin(unit_random(&mail_random) & 1,
                   unit_random(&mail_random) & 1);

        for (i = 0; i < 2 + unit_random(&mail_random) % 4; i++) {
            mail_resume(&mail_actors[0], unit_random(&mail_random) % 40);
            mail_resume(&mail_actors[1], unit_random(&mail_random) % 60);

            mail_die(unit_random(&mail_random) & 3);
        }

        mail_end();
    }
}


static void
mail_begin(ngx_uint_t session, ngx_uint_t heir)
{
    mail_schedules++;

    mail_session = session;
    mail_heir = heir;
    mail_dead = 0;

    mail_start(&mail_actors[0], mail_worker);
    mail_start(&mail_actors[1], mail_capture);
}


static void
mail_die(ngx_uint_t who)
{
    if (who & MAIL_CAPTURE) {
        mail_start(&mail_actors[1], mail_capture);
    }

    if ((who & MAIL_WORKER) && !mail_actors[0].ended) {
        mail_dead = 1;
        mail_start(&mail_actors[0], mail_worker);
    }
}


/* they go on together till the worker has done his work */

static void
mail_end(void)
{
    ngx_uint_t  n;

    for (n = 0; n < MAIL_END / 10; n++) {
        mail_resume(&mail_actors[0], 3);
        mail_resume(&mail_actors[1], 7);

        if (mail_actors[0].ended
            && ngx_vidcast_mail_state(mail.word) == mail_free)
        {
            break;
        }
    }

    if (n == MAIL_END / 10) {
        mail_error("somebody waits for ever");
    }

    mail_lost();
}


/* the next capture must find all slots but the newest one */

static void
mail_lost(void)
{
    uint32_t    slot;
    ngx_uint_t  n;

    (void) ngx_vidcast_mail_recover(&mail);
    ngx_vidcast_ring_recover(&mail_ring.writer);

    if (ngx_vidcast_mail_state(mail.word) != mail_free) {
        mail.word = 0;
    }

    for (n = 0; n < MAIL_SLOTS; n++) {
        slot = ngx_vidcast_ring_claim(&mail_ring.writer);

        if (slot == NGX_VIDCAST_RING_NONE) {
            break;
        }
    }

    if (n < MAIL_SLOTS - 1) {
        mail_error("a slot is lost");
    }

    ngx_vidcast_ring_recover(&mail_ring.writer);
}


static void
mail_start(mail_actor_t *actor, void (*program)(void))
{
    (void) getcontext(&actor->context);

    actor->context.uc_stack.ss_sp = actor->stack;
    actor->context.uc_stack.ss_size = sizeof(actor->stack);
    actor->context.uc_link = &mail_main;
    actor->ended = 0;

    makecontext(&actor->context, program, 0);
}


static void
mail_resume(mail_actor_t *actor, ngx_uint_t n)
{
    if (actor->ended) {
        return;
    }

    mail_current = actor;
    mail_left = n;

    (void) swapcontext(&mail_main, &actor->context);

    mail_current = NULL;
}


static void
mail_hook(void)
{
    if (mail_current && mail_left-- == 0) {
        (void) swapcontext(&mail_current->context, &mail_main);
    }
}


/* the next owner of an entry clears what the last one left there */

static void
mail_worker(void)
{
    ngx_uint_t  n, more;

    if (mail_dead && mail_heir) {

        if (mail_broken != MAIL_LEAVE) {
            (void) ngx_vidcast_mail_leave(&mail, MAIL_PROCESS);
        }

        mail_dead = 0;
    }

    while (mail_dead) {
        unit_step();
    }

    for (n = 0; n < MAIL_LETTERS; /* void */ ) {

        while (ngx_vidcast_mail_enter(&mail, MAIL_PROCESS, mail_session)
               != NGX_OK)
        {
            unit_step();
        }

        do {
            n++;
            more = mail_letter(++mail_id) && mail_session && n < MAIL_LETTERS;

        } while (more);

        (void) ngx_vidcast_mail_leave(&mail, MAIL_PROCESS);
    }

    mail_actors[0].ended = 1;
}


static ngx_uint_t
mail_letter(u_char id)
{
    uint32_t    slot;
    uint64_t    number;
    ngx_int_t   rc;
    ngx_uint_t  reason;

    for ( ;; ) {
        rc = ngx_vidcast_mail_look(&mail, MAIL_PROCESS, &slot);

        if (rc == NGX_OK) {
            break;
        }

        if (rc != NGX_AGAIN) {
            mail_error("the box is not the worker's any more");
            return 0;
        }

        unit_step();
    }

    mail_fill(slot, id, "a lent slot is written by another one, too");

    /* sometimes it has nothing to say */

    if (id % 5 == 0) {
        return 0;
    }

    rc = ngx_vidcast_mail_submit(&mail, MAIL_PROCESS, NGX_VIDCAST_MAIL_PICTURE,
                                 MAIL_SIZE, !mail_session);
    if (rc != NGX_OK) {
        mail_error("what is lent cannot be submitted");
        return 0;
    }

    while (ngx_vidcast_mail_answer(&mail, MAIL_PROCESS, &reason, &number)
           == NGX_AGAIN)
    {
        unit_step();
    }

    if (reason > NGX_VIDCAST_MAIL_LOST
        || (reason == NGX_VIDCAST_MAIL_TAKEN) != (number != 0))
    {
        mail_error("the answer makes no sense");
    }

    return 1;
}


static void
mail_capture(void)
{
    uint32_t             lent, slot;
    ngx_vidcast_ring_t  *ring;

    ring = &mail_ring.writer;

    lent = ngx_vidcast_mail_recover(&mail);

    ngx_vidcast_ring_recover(ring);

    if (lent != NGX_VIDCAST_MAIL_NO_SLOT && mail_broken != MAIL_RETAKE) {
        mail_kept++;
        ngx_vidcast_ring_retake(ring, lent);
    }

    for ( ;; ) {
        mail_take_letter();
        mail_take_back();

        if (ngx_vidcast_mail_wanted(&mail)) {
            slot = ngx_vidcast_ring_claim(ring);

            if (slot == NGX_VIDCAST_RING_NONE) {
                mail_error("no slot is free to be lent");

            } else if (ngx_vidcast_mail_lend(&mail, slot) != NGX_OK) {
                ngx_vidcast_ring_abandon(ring, slot);
            }
        }

        mail_other_frame();

        unit_step();
    }
}


static void
mail_take_letter(void)
{
    size_t               size;
    uint32_t             slot, next;
    uint64_t             number;
    ngx_uint_t           kind, reason;
    ngx_vidcast_ring_t  *ring;

    ring = &mail_ring.writer;

    if (ngx_vidcast_mail_take(&mail, &slot, &kind, &size) != NGX_OK) {
        return;
    }

    mail_whole(slot, "a letter is half there");
    mail_taken++;

    if (size != MAIL_SIZE || kind != NGX_VIDCAST_MAIL_PICTURE) {
        mail_error("a letter of another kind");
    }

    /* every third one is refused, and its slot lent again */

    if (mail_taken % 3 == 0) {
        next = slot;
        number = 0;
        reason = NGX_VIDCAST_MAIL_BAD;

    } else {
        number = ngx_vidcast_ring_next(ring);
        reason = NGX_VIDCAST_MAIL_TAKEN;

        ngx_vidcast_ring_publish(ring, slot, number);

        next = ngx_vidcast_ring_claim(ring);

        if (next == NGX_VIDCAST_RING_NONE) {
            next = NGX_VIDCAST_MAIL_NO_SLOT;
        }
    }

    if (ngx_vidcast_mail_reply(&mail, reason, number, next) != NGX_OK
        && next != NGX_VIDCAST_MAIL_NO_SLOT)
    {
        ngx_vidcast_ring_abandon(ring, next);
    }
}


static void
mail_take_back(void)
{
    uint32_t  slot;

    if (mail_dead && !mail_heir) {

        if (mail_broken != MAIL_LEAVE) {
            (void) ngx_vidcast_mail_leave(&mail, MAIL_PROCESS);
        }

        mail_dead = 0;
    }

    if (ngx_vidcast_mail_returned(&mail, &slot) == NGX_OK
        && mail_broken != MAIL_RETURNED)
    {
        ngx_vidcast_ring_abandon(&mail_ring.writer, slot);
    }
}


/* other slots are written meanwhile, and the newest frame stays as it is */

static void
mail_other_frame(void)
{
    uint32_t  slot;

    slot = ngx_vidcast_ring_claim(&mail_ring.writer);

    if (slot == NGX_VIDCAST_RING_NONE) {
        mail_error("no slot is free");
        return;
    }

    mail_fill(slot, 255, "a claimed slot is written by another one, too");

    ngx_vidcast_ring_abandon(&mail_ring.writer, slot);

    slot = mail_ring.writer.shm->newest;

    if (slot != NGX_VIDCAST_RING_NONE) {
        mail_whole(slot, "a frame has changed");
    }
}


static void
mail_fill(uint32_t slot, u_char id, const char *who)
{
    u_char      *data;
    ngx_uint_t   i;

    data = ngx_vidcast_ring_data(&mail_ring.writer, slot);

    for (i = 0; i < MAIL_SIZE; i++) {
        data[i] = id;
        unit_step();
    }

    mail_whole(slot, who);
}


static void
mail_whole(uint32_t slot, const char *who)
{
    u_char      *data;
    ngx_uint_t   i;

    data = ngx_vidcast_ring_data(&mail_ring.writer, slot);

    for (i = 1; i < MAIL_SIZE; i++) {
        if (data[i] != data[0]) {
            mail_error(who);
            return;
        }
    }
}


static void
mail_error(const char *what)
{
    if (mail_errors++ == 0) {
        mail_first = what;
    }
}


static int
mail_cas(uint64_t *p, uint64_t *old, uint64_t value)
{
    unit_step();

    if (mail_broken == MAIL_PLAIN) {
        __atomic_store_n(p, value, __ATOMIC_SEQ_CST);
        return 1;
    }

    return __atomic_compare_exchange_n(p, old, value, 0, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
}
