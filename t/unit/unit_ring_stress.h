
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _UNIT_RING_STRESS_H_INCLUDED_
#define _UNIT_RING_STRESS_H_INCLUDED_


/* the processes of test_ring_stress.c, which is about how they live and die */

#include "unit_ring.h"

#include <linux/futex.h>
#include <sys/syscall.h>


#define STRESS_ENCODERS   3                 /* slots open at once */

/* what a run breaks */

#define STRESS_CLAIM      1                 /* claims pinned slots as well */
#define STRESS_CHECK      2                 /* peeks, and never asks check() */
#define STRESS_RESULT     3                 /* overwrites without notice */
#define STRESS_RECOVER    4                 /* no recover() */
#define STRESS_UNPIN      5                 /* no unpin() */


typedef struct {
    uint64_t                  dead;         /* bits which the writer clears */
    uint64_t                  published;
    uint64_t                  late;
    uint64_t                  abandoned;
    uint64_t                  full;
    uint64_t                  results;
    uint64_t                  pinned;
    uint64_t                  peeked;
    uint64_t                  read;         /* results */
    uint64_t                  declined;
    uint64_t                  changed;      /* peeked in vain */
    uint64_t                  missed;       /* results overwritten */
    uint64_t                  errors;
    uint32_t                  wake;
    char                      error[128];   /* the first one */
} stress_shared_t;


typedef struct {
    const char               *name;
    uint64_t                  frames;
    ngx_vidcast_geometry_t    geometry;
    ngx_uint_t                broken;
    ngx_uint_t                kills;        /* from outside */
    uint64_t                  odds;         /* of a step to be the last one */
    uint64_t                  seed;
} stress_run_t;


typedef struct stress_child_s  stress_child_t;

struct stress_child_s {
    void                    (*handler)(stress_child_t *child);
    const char               *name;
    uint64_t                  bit;
    uint64_t                  random;
    uint64_t                  deaths;
    ngx_uint_t                waiting;      /* for the writer to clear bit */
    pid_t                     pid;
};


static void stress_writer(stress_child_t *child);
static ngx_uint_t stress_write(ngx_vidcast_ring_t *ring,
    stress_child_t *child);
static void stress_publish(ngx_vidcast_ring_t *ring, stress_child_t *child,
    uint32_t slot, uint64_t number);
static void stress_bury(ngx_vidcast_ring_t *ring);
static void stress_own(ngx_vidcast_ring_t *own, ngx_vidcast_frame_t *frame);
static void stress_pinner(stress_child_t *child);
static ngx_uint_t stress_pin(ngx_vidcast_ring_t *ring,
    ngx_vidcast_frame_t *frame, uint64_t *seen);
static void stress_unpin(ngx_vidcast_ring_t *ring, ngx_vidcast_frame_t *frame,
    ngx_uint_t again);
static void stress_peeker(stress_child_t *child);
static void stress_reader(stress_child_t *child);
static void stress_verify(ngx_vidcast_ring_t *ring, ngx_vidcast_frame_t *frame,
    u_char *data, const char *which);
static void stress_error(const char *which, uint64_t number, const char *what);
static void stress_wake(void);
static void stress_wait(uint32_t wake);
static void stress_step(void);


static stress_run_t        *stress;
static stress_shared_t     *shared;
static ngx_vidcast_ring_t   stress_ring;

static uint64_t             step_random;    /* a child's */
static ngx_uint_t           step_writer;


static void
stress_writer(stress_child_t *child)
{
    ngx_vidcast_ring_t   *ring, own;
    ngx_vidcast_frame_t   frame;

    ring = &stress_ring;

    if (stress->broken != STRESS_RECOVER) {
        ngx_vidcast_ring_recover(ring);
    }

    /* a thread of the writer which reads */

    own = *ring;
    own.bit = (uint64_t) 1 << NGX_VIDCAST_RING_OWN;
    frame.number = 0;

    for ( ;; ) {
        stress_bury(ring);

        if (!stress_write(ring, child)) {
            sched_yield();
        }

        if (unit_random(&child->random) % 4 == 0) {
            unit_result_write(ring, (uint64_t) getpid());
            (void) unit_add(&shared->results, 1);
        }

        if (unit_random(&child->random) % 8 == 0) {
            stress_own(&own, &frame);
        }

        stress_wake();
    }
}


/* like threads which encode frames at a time and finish in any order */

static ngx_uint_t
stress_write(ngx_vidcast_ring_t *ring, stress_child_t *child)
{
    uint32_t    slots[STRESS_ENCODERS];
    uint64_t    numbers[STRESS_ENCODERS];
    ngx_uint_t  i, j, n;

    n = unit_random(&child->random) % 4 ? 1 : STRESS_ENCODERS;

    for (i = 0; i < n; i++) {
        slots[i] = ngx_vidcast_ring_claim(ring);

        if (slots[i] == NGX_VIDCAST_RING_NONE) {
            (void) unit_add(&shared->full, 1);
            break;
        }

        numbers[i] = ngx_vidcast_ring_next(ring);

        for (j = 0; j < i; j++) {
            if (slots[j] == slots[i]) {
                stress_error("writer", numbers[i], "slot claimed twice");
            }
        }

        if (slots[i] == ring->shm->newest) {
            stress_error("writer", numbers[i], "newest slot claimed");
        }

        unit_frame_write(ring, slots[i], numbers[i]);
    }

    n = i;

    for (i = n; i > 0; i--) {
        j = unit_random(&child->random) % i;

        stress_publish(ring, child, slots[j], numbers[j]);

        slots[j] = slots[i - 1];
        numbers[j] = numbers[i - 1];
    }

    return n;
}


static void
stress_publish(ngx_vidcast_ring_t *ring, stress_child_t *child, uint32_t slot,
    uint64_t number)
{
    uint64_t  newest;

    if (unit_random(&child->random) % 32 == 0) {
        ngx_vidcast_ring_abandon(ring, slot);
        (void) unit_add(&shared->abandoned, 1);
        return;
    }

    newest = ngx_vidcast_ring_newest(ring);
    ngx_vidcast_ring_publish(ring, slot, number);

    if (newest > number) {
        (void) unit_add(&shared->late, 1);

    } else {
        (void) unit_add(&shared->published, 1);
        newest = number;
    }

    if (ngx_vidcast_ring_newest(ring) != newest) {
        stress_error("writer", number, "is not newest, or should not be");
    }
}


/* a word is taken from the list when its work is done, as we may die here */

static void
stress_bury(ngx_vidcast_ring_t *ring)
{
    uint64_t  bits;

    bits = unit_get(&shared->dead);

    if (bits == 0) {
        return;
    }

    if (stress->broken != STRESS_UNPIN) {
        ngx_vidcast_ring_unpin(ring, bits);
    }

    unit_clear_bits(&shared->dead, bits);
}


static void
stress_own(ngx_vidcast_ring_t *own, ngx_vidcast_frame_t *frame)
{
    if (frame->number) {
        stress_verify(own, frame, frame->data, "writer's reader");
        ngx_vidcast_ring_release(own, frame);
        frame->number = 0;
        return;
    }

    if (ngx_vidcast_ring_acquire(own, 0, frame) != NGX_OK) {
        frame->number = 0;
    }
}


static void
stress_pinner(stress_child_t *child)
{
    uint32_t              wake;
    uint64_t              seen;
    ngx_uint_t            n, r;
    ngx_vidcast_ring_t   *ring;
    ngx_vidcast_frame_t   held[2];

    ring = &stress_ring;

    if (stress->broken != STRESS_UNPIN) {
        ngx_vidcast_ring_unpin(ring, ring->bit);
    }

    seen = 0;
    n = 0;

    for ( ;; ) {
        wake = __atomic_load_n(&shared->wake, __ATOMIC_SEQ_CST);

        if (stress_pin(ring, &held[n], &seen)) {
            n++;

        } else {
            stress_wait(wake);
        }

        r = unit_random(&child->random);

        if (n == 2) {
            stress_unpin(ring, &held[0], r % 4 == 0);
            held[0] = held[1];
            n--;
        }

        if (n && r & 64) {
            stress_unpin(ring, &held[0], 1);
            n--;
        }
    }
}


static ngx_uint_t
stress_pin(ngx_vidcast_ring_t *ring, ngx_vidcast_frame_t *frame,
    uint64_t *seen)
{
    uint64_t    state;
    ngx_int_t   rc;

    rc = ngx_vidcast_ring_acquire(ring, *seen, frame);

    if (rc == NGX_DECLINED) {
        (void) unit_add(&shared->declined, 1);
    }

    if (rc != NGX_OK) {
        return 0;
    }

    state = unit_get(&ngx_vidcast_ring_slot(ring, frame->slot)->state);

    if (!(state & ring->bit)) {
        stress_error("pinner", frame->number, "is not pinned");
    }

    if (state & NGX_VIDCAST_RING_WRITING) {
        stress_error("pinner", frame->number, "is being written");
    }

    if (frame->number <= *seen) {
        stress_error("pinner", frame->number, "is not newer than seen");
    }

    *seen = frame->number;

    stress_verify(ring, frame, frame->data, "pinner");
    (void) unit_add(&shared->pinned, 1);

    return 1;
}


static void
stress_unpin(ngx_vidcast_ring_t *ring, ngx_vidcast_frame_t *frame,
    ngx_uint_t again)
{
    if (again) {
        stress_verify(ring, frame, frame->data, "pinner, later");
    }

    ngx_vidcast_ring_release(ring, frame);
}


static void
stress_peeker(stress_child_t *child)
{
    u_char               *copy;
    uint32_t              wake;
    uint64_t              seen, newest;
    ngx_int_t             rc;
    ngx_vidcast_ring_t   *ring;
    ngx_vidcast_frame_t   frame;

    ring = &stress_ring;
    seen = 0;
    copy = malloc(NGX_VIDCAST_RING_HEAD + stress->geometry.slot_size);

    if (copy == NULL) {
        _exit(4);
    }

    for ( ;; ) {
        wake = __atomic_load_n(&shared->wake, __ATOMIC_SEQ_CST);
        newest = ngx_vidcast_ring_newest(ring);
        rc = ngx_vidcast_ring_peek(ring, seen, &frame);

        if (newest < seen) {
            stress_error("peeker", newest, "is newest after a newer one");
        }

        if (rc != NGX_OK) {
            (void) unit_add(&shared->declined, rc == NGX_DECLINED);
            stress_wait(wake);
            continue;
        }

        unit_copy(copy, frame.data - frame.v1, frame.v1 + frame.size);

        if (stress->broken != STRESS_CHECK
            && ngx_vidcast_ring_check(ring, &frame) != NGX_OK)
        {
            (void) unit_add(&shared->changed, 1);
            continue;
        }

        if (frame.number <= seen) {
            stress_error("peeker", frame.number, "is not newer than seen");
        }

        seen = frame.number;
        stress_verify(ring, &frame, copy + frame.v1, "peeker");
        (void) unit_add(&shared->peeked, 1);
    }
}


static void
stress_reader(stress_child_t *child)
{
    u_char                     *text;
    uint32_t                    wake;
    uint64_t                    seq, newest;
    ngx_int_t                   rc;
    const char                 *wrong;
    ngx_vidcast_ring_t         *ring;
    ngx_vidcast_ring_result_t   result;

    ring = &stress_ring;
    seq = ngx_vidcast_ring_newest_result(ring) + 1;
    text = malloc(stress->geometry.result_size);

    if (text == NULL) {
        _exit(4);
    }

    for ( ;; ) {
        wake = __atomic_load_n(&shared->wake, __ATOMIC_SEQ_CST);
        rc = ngx_vidcast_ring_read_result(ring, seq, &result, text);
        newest = ngx_vidcast_ring_newest_result(ring);

        if (rc == NGX_AGAIN) {
            stress_wait(wake);
            continue;
        }

        if (newest < seq) {
            stress_error("result reader", seq, "is beyond the newest");
        }

        if (rc == NGX_DECLINED) {

            /* the one being written is the oldest, nothing else may be lost */

            if (newest - seq + 1 < stress->geometry.results) {
                stress_error("result reader", seq, "declined too early");
            }

            (void) unit_add(&shared->missed, 1);
            seq = newest;
            continue;
        }

        wrong = unit_result_check(ring, seq, &result, text);

        if (wrong) {
            stress_error("result reader", seq, wrong);
        }

        (void) unit_add(&shared->read, 1);
        seq++;
    }
}


static void
stress_verify(ngx_vidcast_ring_t *ring, ngx_vidcast_frame_t *frame,
    u_char *data, const char *which)
{
    const char  *wrong;

    wrong = unit_frame_check(ring, frame, data);

    if (wrong) {
        stress_error(which, frame->number, wrong);
    }
}


static void
stress_error(const char *which, uint64_t number, const char *what)
{
    if (unit_add(&shared->errors, 1) == 1) {
        (void) snprintf(shared->error, sizeof(shared->error),
                        "%s: %llu: %s", which, (unsigned long long) number,
                        what);
    }
}


static void
stress_wake(void)
{
    (void) __atomic_add_fetch(&shared->wake, 1, __ATOMIC_SEQ_CST);
    (void) syscall(SYS_futex, &shared->wake, FUTEX_WAKE, NGX_MAX_INT32_VALUE,
                   NULL, NULL, 0);
}


/* until the writer rings, or for a while when there is none */

static void
stress_wait(uint32_t wake)
{
    struct timespec  ts;

    ts.tv_sec = 0;
    ts.tv_nsec = 50000000;

    (void) syscall(SYS_futex, &shared->wake, FUTEX_WAIT, wake, &ts, NULL, 0);
}


/*
 * The worst moments to die, or to sleep while the ring turns, lie between two
 * atomic operations.
 */

static void
stress_step(void)
{
    uint64_t    r;
    ngx_uint_t  n;

    r = unit_random(&step_random);

    if (stress->odds && r % stress->odds == 0) {
        (void) kill(getpid(), SIGKILL);
    }

    r = r >> 32;

    if (step_writer) {
        if (r % 64 == 0) {
            sched_yield();
        }

        return;
    }

    if (r % 32 == 0) {
        for (n = r / 32 % (2 * stress->geometry.slots); n; n--) {
            stress_wait(__atomic_load_n(&shared->wake, __ATOMIC_SEQ_CST));
        }
    }
}


#endif /* _UNIT_RING_STRESS_H_INCLUDED_ */
