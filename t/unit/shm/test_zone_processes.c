
/*
 * Copyright (C) vidcast contributors
 */


/*
 * Workers in the control zone: each has an entry of its own, and with it a
 * pin, from its first moment to its last, also when that comes by SIGKILL.
 */

#include "unit_zone.h"
#include "unit_actor.h"


#define TEST_WORKERS  70               /* more than there are pins */


static void test_enter(void);
static void test_dead(void);
static void test_leave(void);
static void test_reload(void);
static void test_deserted(void);
static void test_many(void);
static void test_random(void);
static ngx_uint_t test_others(unit_actor_t *workers, uint64_t *pinned,
    ngx_uint_t n);
static int64_t test_worker(ngx_uint_t what, uint32_t arg);
static int64_t test_pin(uint32_t arg);
static void test_frame(ngx_uint_t n);
static ngx_vidcast_zone_t *test_zone(ngx_uint_t n);
static ngx_uint_t test_served(void);
static ngx_uint_t test_deserted_for(uint64_t time);


static ngx_vidcast_conf_t   *test_conf;
static ngx_vidcast_frame_t   test_frames[8];

static unit_source_t         test_sources[] = {
    { "front", { 40, 100, 16, 100 }, 1 },
    { "back", { 40, 100, 16, 100 }, 2 }
};


int
main(void)
{
    (void) signal(SIGPIPE, SIG_IGN);

    test_conf = unit_load(NULL, test_sources, 2);

    test_enter();
    test_dead();
    test_leave();
    test_reload();
    test_deserted();
    test_many();
    test_random();

    unit_ok(unit_log_count[NGX_LOG_ALERT] == 0, "no alerts");

    unit_unload(test_conf);

    return unit_done();
}


static void
test_enter(void)
{
    unit_actor_t               a, b;
    ngx_vidcast_control_t     *control;
    ngx_vidcast_process_t     *process;
    ngx_vidcast_zone_shm_t    *shm;

    control = test_conf->control;
    shm = test_zone(0)->shm;

    unit_ok(control->worker_index == NGX_VIDCAST_NO_PROCESS && !test_served(),
            "enter: nobody is there");
    unit_ok(ngx_vidcast_zone_worker_stats(control, test_zone(0))
            == &ngx_vidcast_control_nowhere,
            "enter: without an entry nothing is counted in shared memory");

    shm->worker_stats[0].viewers[0] = 7;
    shm->worker_stats[0].frames = 9;

    unit_spawn(&a, test_worker);
    unit_spawn(&b, test_worker);

    unit_ok(unit_tell(&a, 'e', 0) == 0 && unit_tell(&b, 'e', 0) == 1,
            "enter: entries 0 and 1");

    process = control->shm->processes;

    unit_ok(process[0].pid == a.pid && process[1].pid == b.pid
            && process[0].generation == test_conf->generation
            && !process[0].exiting && test_served(), "enter: they are there");
    unit_ok(ngx_vidcast_process_alive(control, 0, &unit_log)
            && ngx_vidcast_process_alive(control, 1, &unit_log)
            && !ngx_vidcast_process_alive(control, 2, &unit_log),
            "enter: and alive");
    unit_ok(shm->worker_stats[0].viewers[0] == 0
                && shm->worker_stats[0].frames == 9,
            "enter: a predecessor's viewers are gone, its sums are not");

    test_frame(0);
    test_frame(1);

    unit_ok(unit_tell(&a, 'p', 0) == NGX_OK && unit_tell(&b, 'p', 0) == NGX_OK
            && unit_tell(&b, 'p', 1) == NGX_OK, "enter: they pin");
    unit_ok(ngx_vidcast_ring_pinned(&test_zone(0)->ring) == 3
            && ngx_vidcast_ring_pinned(&test_zone(1)->ring) == 2,
            "enter: by their bits");

    unit_kill(&a);
    unit_reap(&a);
    unit_kill(&b);
    unit_reap(&b);
}


static void
test_dead(void)
{
    unit_actor_t            c;
    ngx_vidcast_zone_t     *front, *back;
    ngx_vidcast_control_t  *control;

    control = test_conf->control;
    front = test_zone(0);
    back = test_zone(1);

    unit_ok(!ngx_vidcast_process_alive(control, 0, &unit_log)
            && !ngx_vidcast_process_alive(control, 1, &unit_log)
            && !test_served(), "dead: nobody is alive");

    unit_spawn(&c, test_worker);

    unit_ok(unit_tell(&c, 'e', 0) == 0, "dead: entry 0 is free again");
    unit_ok(ngx_vidcast_ring_pinned(&front->ring) == 2,
            "dead: the next one clears what its predecessor pinned");

    test_frame(0);
    (void) unit_tell(&c, 'p', 0);
    ngx_vidcast_zone_unpin_dead(control, front, &unit_log);

    unit_ok(ngx_vidcast_ring_pinned(&front->ring) == 1
            && ngx_vidcast_ring_pinned(&back->ring) == 2,
            "dead: the capture clears other dead ones' pins");

    ngx_vidcast_zone_unpin_dead(control, back, &unit_log);

    unit_ok(ngx_vidcast_ring_pinned(&back->ring) == 0,
            "dead: of each source its own");
    unit_ok(ngx_vidcast_process_lock_holder(control->locks,
                                            NGX_VIDCAST_LOCK_PROCESS + 1,
                                            &unit_log)
                    == 0
                && unit_tell(&c, 'h', 1) == 0,
            "dead: and gives their entries back");

    unit_kill(&c);
    ngx_vidcast_zone_unpin_dead(control, front, &unit_log);

    unit_ok(ngx_vidcast_ring_pinned(&front->ring) == 0,
            "dead: a zombie is dead");

    unit_reap(&c);
}


static void
test_leave(void)
{
    unit_actor_t  a;

    unit_spawn(&a, test_worker);

    (void) unit_tell(&a, 'e', 0);
    test_frame(0);
    test_frame(1);
    (void) unit_tell(&a, 'p', 0);
    (void) unit_tell(&a, 'p', 1);

    unit_ok(test_served(), "leave: not yet");

    (void) unit_tell(&a, 'x', 0);

    unit_ok(!test_served()
            && ngx_vidcast_process_alive(test_conf->control, 0, &unit_log)
            && ngx_vidcast_ring_pinned(&test_zone(0)->ring) == 1,
            "leave: exiting, it serves no more, but lives and keeps its pins");

    (void) unit_tell(&a, 'l', 0);

    unit_ok(!ngx_vidcast_process_alive(test_conf->control, 0, &unit_log)
            && ngx_vidcast_ring_pinned(&test_zone(0)->ring) == 0
            && ngx_vidcast_ring_pinned(&test_zone(1)->ring) == 0,
            "leave: no pin is left");

    unit_kill(&a);
    unit_reap(&a);
}


/* workers of two generations live side by side */

static void
test_reload(void)
{
    unit_actor_t         a, b;
    ngx_vidcast_zone_t  *zone;

    unit_spawn(&a, test_worker);
    (void) unit_tell(&a, 'e', 0);
    test_frame(0);
    (void) unit_tell(&a, 'p', 0);

    zone = test_zone(0);
    test_conf = unit_load(test_conf, test_sources, 2);

    unit_ok(test_zone(0) == zone && test_served(),
            "reload: the old worker serves till it is told to leave");

    unit_spawn(&b, test_worker);

    unit_ok(unit_tell(&b, 'e', 0) == 1 && test_served(),
            "reload: it has one, beside the old one");
    unit_ok(ngx_vidcast_ring_pinned(&zone->ring) == 1,
            "reload: which keeps its pin");

    test_frame(0);

    unit_ok(unit_tell(&b, 'p', 0) == NGX_OK
            && unit_tell(&a, 'p', 0) == NGX_OK
            && ngx_vidcast_ring_pinned(&zone->ring) == 3,
            "reload: both get the new frame");

    unit_kill(&b);

    unit_ok(test_served(), "reload: the old one has not been told so yet");

    unit_kill(&a);
    unit_reap(&a);
    unit_reap(&b);

    ngx_vidcast_zone_unpin_dead(test_conf->control, zone, &unit_log);
}


/* old workers are gone before new ones have come */

static void
test_deserted(void)
{
    unit_actor_t  a, b;

    unit_spawn(&a, test_worker);
    (void) unit_tell(&a, 'e', 0);

    unit_ok(!test_deserted_for(NGX_VIDCAST_LINGER_NEW * 2),
            "deserted: not by a worker that is here");

    unit_kill(&a);
    unit_reap(&a);

    unit_ok(!test_deserted_for(0) && test_deserted_for(NGX_VIDCAST_LINGER * 2),
            "deserted: when it has been away for a while");

    test_conf = unit_load(test_conf, test_sources, 2);

    unit_ok(!test_deserted_for(NGX_VIDCAST_LINGER * 2),
            "deserted: not while those of a new generation are to come");
    unit_ok(test_deserted_for(NGX_VIDCAST_LINGER_NEW * 2),
            "deserted: unless they never do");

    unit_spawn(&b, test_worker);
    (void) unit_tell(&b, 'e', 0);

    unit_ok(!test_deserted_for(NGX_VIDCAST_LINGER_NEW * 2),
            "deserted: not when they have come");

    unit_kill(&b);
    unit_reap(&b);

    unit_ok(test_deserted_for(NGX_VIDCAST_LINGER * 2),
            "deserted: when they are away as well");
}


/* those that come when all pins are given do without one */

static void
test_many(void)
{
    int64_t              rc;
    uint64_t             all;
    ngx_uint_t           i, bad;
    unit_actor_t         workers[TEST_WORKERS];
    ngx_vidcast_zone_t  *zone;

    zone = test_zone(0);
    test_frame(0);
    bad = 0;

    for (i = 0; i < TEST_WORKERS; i++) {
        unit_spawn(&workers[i], test_worker);
        bad += (unit_tell(&workers[i], 'e', 0) != (int64_t) i);
    }

    unit_ok(bad == 0, "many: %d entries", TEST_WORKERS);

    for (i = 0; i < TEST_WORKERS; i++) {
        rc = unit_tell(&workers[i], 'p', 0);
        bad += (rc != (i < NGX_VIDCAST_RING_BITS ? NGX_OK : NGX_DECLINED));
    }

    all = ((uint64_t) 1 << NGX_VIDCAST_RING_BITS) - 1;

    unit_ok(bad == 0 && ngx_vidcast_ring_pinned(&zone->ring) == all,
            "many: %d pins, the others do without", NGX_VIDCAST_RING_BITS);

    /* entries beyond the pins are told apart as well */

    (void) unit_tell(&workers[TEST_WORKERS - 1], 'l', 0);

    unit_ok(ngx_vidcast_ring_pinned(&zone->ring) == all,
            "many: what leaves without a pin takes none away");

    for (i = 0; i < TEST_WORKERS; i += 2) {
        unit_kill(&workers[i]);
        all &= (i < NGX_VIDCAST_RING_BITS) ? ~((uint64_t) 1 << i) : all;
    }

    ngx_vidcast_zone_unpin_dead(test_conf->control, zone, &unit_log);

    unit_ok(ngx_vidcast_ring_pinned(&zone->ring) == all,
            "many: every second one is dead");

    for (i = 0; i < TEST_WORKERS; i++) {
        if (i % 2) {
            unit_kill(&workers[i]);
        }

        unit_reap(&workers[i]);
    }

    ngx_vidcast_zone_unpin_dead(test_conf->control, zone, &unit_log);

    unit_ok(ngx_vidcast_ring_pinned(&zone->ring) == 0, "many: all are dead");
}


/* in any order: enter, pin, die, come again, while the capture cleans up */

static void
test_random(void)
{
    uint64_t             random, pinned[6];
    ngx_uint_t           i, n, bad;
    unit_actor_t         workers[6];
    ngx_vidcast_zone_t  *zone;

    zone = test_zone(0);
    random = 3;
    bad = 0;

    for (i = 0; i < 6; i++) {
        unit_spawn(&workers[i], test_worker);
        pinned[i] = (uint64_t) 1 << unit_tell(&workers[i], 'e', 0);
        (void) unit_tell(&workers[i], 'p', 0);
    }

    for (n = 0; n < 100; n++) {
        random = random * 6364136223846793005 + 1442695040888963407;
        i = (random >> 33) % 6;

        unit_kill(&workers[i]);

        if ((random >> 40) % 2) {
            ngx_vidcast_zone_unpin_dead(test_conf->control, zone, &unit_log);
        }

        test_frame(0);
        unit_reap(&workers[i]);

        unit_spawn(&workers[i], test_worker);
        pinned[i] = (uint64_t) 1 << unit_tell(&workers[i], 'e', 0);
        bad += (unit_tell(&workers[i], 'p', 0) != NGX_OK);
        bad += test_others(workers, pinned, 6);
    }

    unit_ok(bad == 0, "random: 100 deaths, and nobody's pin is lost or left");

    for (i = 0; i < 6; i++) {
        unit_kill(&workers[i]);
        unit_reap(&workers[i]);
    }

    ngx_vidcast_zone_unpin_dead(test_conf->control, zone, &unit_log);

    unit_ok(ngx_vidcast_ring_pinned(&zone->ring) == 0, "random: none is left");
}


/* all have an entry of their own, and all pins are of living ones */

static ngx_uint_t
test_others(unit_actor_t *workers, uint64_t *pinned, ngx_uint_t n)
{
    uint64_t    all;
    ngx_uint_t  i;

    all = 0;

    for (i = 0; i < n; i++) {

        if (all & pinned[i]) {
            return 1;
        }

        all |= pinned[i];
    }

    return ngx_vidcast_ring_pinned(&test_zone(0)->ring) != all;
}


static int64_t
test_worker(ngx_uint_t what, uint32_t arg)
{
    switch (what) {

    case 'e':
        ngx_vidcast_process_enter(test_conf, &unit_log);
        return test_conf->control->worker_index;

    case 'p':
        return test_pin(arg);

    case 'h':
        return ngx_vidcast_process_lock_holder(test_conf->control->locks,
                                               NGX_VIDCAST_LOCK_PROCESS + arg,
                                               &unit_log);

    case 'x':
        ngx_vidcast_process_exiting(test_conf);
        return 0;

    default: /* 'l' */
        ngx_vidcast_process_leave(test_conf);
        return 0;
    }
}


/* the newest frame in place of the one held before, if any */

static int64_t
test_pin(uint32_t n)
{
    ngx_int_t             rc;
    ngx_vidcast_ring_t   *ring;
    ngx_vidcast_frame_t   frame;

    ring = &test_zone(n)->ring;

    rc = ngx_vidcast_ring_acquire(ring, test_frames[n].number, &frame);

    if (rc == NGX_OK) {

        if (test_frames[n].number) {
            ngx_vidcast_ring_release(ring, &test_frames[n]);
        }

        test_frames[n] = frame;
    }

    return rc;
}


static void
test_frame(ngx_uint_t n)
{
    uint32_t             slot;
    ngx_vidcast_ring_t  *ring;

    ring = &test_zone(n)->ring;
    slot = ngx_vidcast_ring_claim(ring);

    if (slot == NGX_VIDCAST_RING_NONE) {
        unit_ok(0, "a slot is free");
        return;
    }

    ngx_vidcast_ring_publish(ring, slot, ngx_vidcast_ring_next(ring));
}


static ngx_vidcast_zone_t *
test_zone(ngx_uint_t n)
{
    return unit_source(test_conf, n)->original.zone;
}


static ngx_uint_t
test_served(void)
{
    return ngx_vidcast_control_served(test_conf->control, &unit_log);
}


static ngx_uint_t
test_deserted_for(uint64_t time)
{
    uint64_t  since;

    since = time ? ngx_vidcast_clock() - time : 0;

    return ngx_vidcast_control_deserted(test_conf, &since, &unit_log);
}
