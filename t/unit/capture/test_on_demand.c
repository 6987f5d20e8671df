
/*
 * Copyright (C) vidcast contributors
 */


/*
 * Whether anybody looks at a source: a camera that closes under a viewer, or
 * stays open for one that died with its worker, or misses the one that came at
 * the wrong moment, is worse than one which is always open.
 */

#include "unit_zone.h"
#include "unit_actor.h"

#include "capture/ngx_vidcast_capture.h"


static uint64_t  test_clock;
static int       test_timeout;


/* time is ours, and a call that is lost is not mended within a second */

#define ngx_vidcast_clock()  test_clock
#define ngx_vidcast_zone_wait_wake(zone, timeout)                             \
    ngx_vidcast_zone_wait_wake(zone, (test_timeout = (timeout), 60000))

#include "capture/ngx_vidcast_on_demand.c"

#undef ngx_vidcast_clock
#undef ngx_vidcast_zone_wait_wake


#define TEST_SECOND  1000000


static void test_off(void);
static void test_time(void);
static void test_asked(void);
static void test_dead(void);
static void test_sleep(void);
static void test_races(void);
static void test_first(void);
static int64_t test_worker(ngx_uint_t what, uint32_t arg);
static int64_t test_when_asleep(ngx_uint_t what);
static void test_begin(ngx_vidcast_on_demand_t *demand);
static ngx_uint_t test_gone(ngx_vidcast_on_demand_t *demand, uint64_t later);


static ngx_vidcast_conf_t     *test_conf;
static ngx_vidcast_capture_t   test_capture;
static ngx_vidcast_zone_t     *test_zone;
static ngx_uint_t              test_started;

static unit_source_t           test_source = {
    "front", { 12, 100, 16, 100 }, 1
};


/* there are none */

void
ngx_vidcast_encoder_pool_drain(ngx_vidcast_encoder_pool_t *encoders)
{
    /* void */
}


/* the states are what a worker goes by */

void
ngx_vidcast_capture_state(ngx_vidcast_capture_t *capture, ngx_uint_t state,
    const u_char *reason)
{
    test_started += (state == NGX_VIDCAST_STARTING);

    ngx_vidcast_store(&capture->zone->shm->state, state);
}


int
main(void)
{
    (void) signal(SIGPIPE, SIG_IGN);

    /* one that sleeps through a call does so for longer than this */

    (void) alarm(50);

    test_conf = unit_load(NULL, &test_source, 1);

    test_capture.conf = test_conf;
    test_capture.source = unit_source(test_conf, 0);
    test_capture.zone = test_capture.source->original.zone;
    test_capture.counters = &test_capture.zone->shm->counters;
    test_capture.log = &unit_log;
    test_zone = test_capture.zone;

    (void) pthread_mutex_init(&test_capture.writer.mutex, NULL);

    test_off();
    test_time();
    test_asked();
    test_dead();
    test_sleep();
    test_races();
    test_first();

    unit_ok(unit_log_count[NGX_LOG_ALERT] == 0, "no alerts");

    unit_unload(test_conf);

    return unit_done();
}


static void
test_off(void)
{
    ngx_vidcast_on_demand_t  demand;

    test_begin(&demand);
    test_capture.source->on_demand = 0;

    unit_ok(!test_gone(&demand, 0) && !test_gone(&demand, 3600),
            "off: never gone");
}


static void
test_time(void)
{
    unit_actor_t             a, b;
    ngx_vidcast_on_demand_t  demand;

    test_begin(&demand);

    unit_ok(test_gone(&demand, 0), "time: nobody was ever there");

    unit_spawn(&a, test_worker);
    unit_spawn(&b, test_worker);

    (void) unit_tell(&a, 'v', 1);
    (void) unit_tell(&b, 'v', 2);

    unit_ok(!test_gone(&demand, 1) && !test_gone(&demand, 3600),
            "time: as long as somebody is there");

    (void) unit_tell(&a, 'v', 0);

    unit_ok(!test_gone(&demand, 3600), "time: in any worker");

    (void) unit_tell(&b, 'v', 0);

    unit_ok(!test_gone(&demand, 9), "time: just before it");
    unit_ok(test_gone(&demand, 2), "time: just after it");

    (void) unit_tell(&b, 'v', 1);

    unit_ok(!test_gone(&demand, 1), "time: somebody came yet");

    unit_kill(&a);
    unit_reap(&a);
    unit_kill(&b);
    unit_reap(&b);
}


/* a snapshot that is answered at once is never seen among the viewers */

static void
test_asked(void)
{
    ngx_uint_t               i, gone;
    ngx_vidcast_on_demand_t  demand;

    test_begin(&demand);

    gone = 0;

    for (i = 0; i < 20; i++) {
        ngx_vidcast_store(&test_zone->shm->asked, test_clock);
        gone += test_gone(&demand, 9);
    }

    unit_ok(gone == 0, "asked: one that asks again and again keeps it open");
    unit_ok(test_gone(&demand, 2), "asked: and then no more");

    /* by a clock that was read later than ours */

    ngx_vidcast_store(&test_zone->shm->asked, test_clock + 11 * TEST_SECOND);

    unit_ok(!test_gone(&demand, 10), "asked: while we looked");
}


static void
test_dead(void)
{
    unit_actor_t             a;
    ngx_vidcast_on_demand_t  demand;

    test_begin(&demand);
    unit_spawn(&a, test_worker);

    (void) unit_tell(&a, 'v', 5);

    unit_ok(!test_gone(&demand, 1), "dead: five viewers");

    unit_kill(&a);
    unit_reap(&a);

    unit_ok(ngx_vidcast_zone_viewers(test_conf->control, test_zone, NULL) >= 5,
            "dead: their number stays");
    unit_ok(!test_gone(&demand, 9), "dead: the time runs");
    unit_ok(test_gone(&demand, 2), "dead: to its end");
}


static void
test_sleep(void)
{
    uint64_t                 seq;
    unit_actor_t             a;
    ngx_vidcast_on_demand_t  demand;

    test_begin(&demand);

    (void) test_gone(&demand, 0);
    seq = ngx_vidcast_ring_next(&test_zone->ring);

    unit_spawn(&a, test_worker);
    test_started = 0;

    (void) unit_send(&a, 'z', 1);

    ngx_vidcast_on_demand_sleep(&demand);

    unit_ok(unit_answer(&a) == 0, "sleep: a viewer woke it");
    unit_ok(test_started == 1
            && test_zone->shm->state == NGX_VIDCAST_STARTING,
            "sleep: it is starting");
    unit_ok(test_timeout == NGX_VIDCAST_ON_DEMAND_NET,
            "sleep: it would have looked by itself");
    unit_ok(!demand.gone && !test_gone(&demand, 3600), "sleep: it stays");
    unit_ok(ngx_vidcast_ring_min_frame(&test_zone->ring) == seq,
            "sleep: the frames before it are past");

    unit_kill(&a);
    unit_reap(&a);
}


/* what comes between the last look and the sleep */

static void
test_races(void)
{
    unit_actor_t             a;
    ngx_vidcast_on_demand_t  demand;

    test_begin(&demand);
    unit_spawn(&a, test_worker);

    (void) unit_tell(&a, 'v', 0);

    unit_ok(test_gone(&demand, 3600), "races: all have gone");

    (void) unit_tell(&a, 'v', 1);

    ngx_vidcast_on_demand_sleep(&demand);

    unit_ok(1, "races: one came before it slept");

    (void) unit_tell(&a, 'v', 0);

    unit_ok(test_gone(&demand, 3600), "races: all have gone again");

    ngx_vidcast_store(&test_zone->shm->asked, test_clock + 1);

    ngx_vidcast_on_demand_sleep(&demand);

    unit_ok(1, "races: one came and went before it slept");

    unit_kill(&a);
    unit_reap(&a);
}


/* a run that is as fast as it can be waits for those that started it */

static void
test_first(void)
{
    uint32_t                  slot;
    unit_actor_t              a;
    ngx_vidcast_on_demand_t   demand;

    test_begin(&demand);
    unit_spawn(&a, test_worker);

    (void) test_gone(&demand, 0);
    (void) unit_send(&a, 'z', 1);

    ngx_vidcast_on_demand_sleep(&demand);
    (void) unit_answer(&a);

    ngx_vidcast_on_demand_first(&demand);

    unit_ok(demand.woken, "first: nothing is published yet");

    ngx_vidcast_count(&test_zone->shm->counters.published, 1);
    slot = ngx_vidcast_ring_claim(&test_zone->ring);
    ngx_vidcast_ring_publish(&test_zone->ring, slot,
                             ngx_vidcast_ring_next(&test_zone->ring));

    ngx_vidcast_on_demand_first(&demand);

    unit_ok(!demand.woken, "first: nobody wants pictures");

    /* the clock stands still: without a pin it would wait for ever */

    demand.woken = 1;
    demand.published = 0;

    (void) unit_tell(&a, 'p', 1);
    (void) unit_send(&a, 'a', 0);

    ngx_vidcast_on_demand_first(&demand);

    unit_ok(ngx_vidcast_ring_pins(&test_zone->ring) == 1 && !demand.woken
            && unit_answer(&a) == 0,
            "first: a viewer has it");

    unit_kill(&a);
    unit_reap(&a);
}


/*
 * 'v': has so many viewers, and tells; 'z': as soon as the capture sleeps;
 * 'p': of pictures; 'a': pins the newest one, after a while
 */

static int64_t
test_worker(ngx_uint_t what, uint32_t arg)
{
    ngx_vidcast_frame_t     frame;
    ngx_vidcast_control_t  *control;

    control = test_conf->control;

    if (control->worker_index == NGX_VIDCAST_NO_PROCESS) {
        ngx_vidcast_process_enter(test_conf, &unit_log);
    }

    if (what == 'a') {
        ngx_msleep(20);
        return ngx_vidcast_ring_acquire(&test_zone->ring, 0, &frame);
    }

    if (what == 'z' && test_when_asleep(what) != 0) {
        return -1;
    }

    ngx_vidcast_store(
        &ngx_vidcast_zone_worker_stats(control, test_zone)
             ->viewers[NGX_VIDCAST_PICTURED], what == 'p');

    ngx_vidcast_store(
        &ngx_vidcast_zone_worker_stats(control, test_zone)->viewers[0], arg);

    if (what == 'z') {
        ngx_vidcast_zone_wake_on_demand(test_zone);
    }

    return 0;
}


static int64_t
test_when_asleep(ngx_uint_t what)
{
    ngx_uint_t  i;

    for (i = 0; i < UNIT_ACTOR_DEADLINE; i++) {

        if (ngx_vidcast_load(&test_zone->shm->state) == NGX_VIDCAST_SLEEPING) {
            return 0;
        }

        ngx_msleep(1);
    }

    return -1;
}


static void
test_begin(ngx_vidcast_on_demand_t *demand)
{
    ngx_memzero(demand, sizeof(ngx_vidcast_on_demand_t));

    demand->capture = &test_capture;
    test_capture.source->on_demand = 10000;

    test_clock = ngx_vidcast_clock();
    test_zone->shm->asked = 0;
    test_zone->shm->state = NGX_VIDCAST_LIVE;
}


/* so many seconds later */

static ngx_uint_t
test_gone(ngx_vidcast_on_demand_t *demand, uint64_t later)
{
    test_clock += later * TEST_SECOND;

    return ngx_vidcast_on_demand_gone(demand);
}
