
/*
 * Copyright (C) vidcast contributors
 */


/*
 * Whose turn it is to publish: one at a time has the source's hand-off, in
 * this worker and in another one.  Messages take turns in the order in which
 * they came, a session keeps its turn, a second one is refused or takes over,
 * and whatever waits for too long is sent away.  The hand-off is the module's
 * own; the capture is played here.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
#include <ngx_event_timer.c>

#include "unit.h"
#include "unit_ngx.h"

#include "shm/ngx_vidcast_publish_handoff.c"

#include "http/publish/ngx_http_vidcast_publisher.c"


#define TEST_PUBLISHERS  4


typedef struct {
    ngx_http_vidcast_publisher_t   publisher;
    char                           name;
    ngx_uint_t                     why;       /* dismissed */
} test_publisher_t;


/* a worker */

typedef struct {
    ngx_http_vidcast_main_conf_t   vmcf;
    ngx_http_vidcast_feed_t        feed;
    ngx_vidcast_control_t          control;
    ngx_vidcast_source_t           source;
} test_worker_t;


static void test_turns(void);
static void test_session(void);
static void test_rival(void);
static void test_takeover(void);
static void test_dead(void);
static void test_waits(void);
static void test_leaves(void);
static void test_unable(void);
static void test_reset(void);
static ngx_int_t test_come(ngx_uint_t worker, ngx_uint_t n, ngx_uint_t session,
    ngx_uint_t takeover);
static void test_capture(ngx_uint_t reason);
static void test_ring(ngx_uint_t worker);
static void test_wait(ngx_uint_t worker, ngx_msec_t time);
static void test_note(test_publisher_t *p, char what);
static void test_lent(ngx_http_vidcast_publisher_t *publisher);
static void test_answered(ngx_http_vidcast_publisher_t *publisher,
    ngx_uint_t reason, uint64_t number);
static void test_dismiss(ngx_http_vidcast_publisher_t *publisher,
    ngx_uint_t why);


static ngx_http_vidcast_publisher_user_t  test_user = {
    test_lent, test_answered, test_dismiss
};


static test_publisher_t           test_all[2][TEST_PUBLISHERS];
static test_worker_t              test_workers[2];
static ngx_vidcast_zone_t         test_zone;
static ngx_vidcast_zone_shm_t     test_shm;
static ngx_vidcast_control_shm_t  test_control_shm;
static ngx_vidcast_worker_stats_t test_stats;
static ngx_connection_t           test_wake;
static u_char                     test_slot[64];
static char                       test_notes[256];
static size_t                     test_nnotes;
static ngx_uint_t                 test_dead_process, test_once, test_rings;
static ngx_uint_t                 test_watched;


int
main(void)
{
    test_turns();
    test_session();
    test_rival();
    test_takeover();
    test_dead();
    test_waits();
    test_leaves();
    test_unable();

    return unit_done();
}


/* "L" a slot is lent, "A" answered, "D" dismissed, "a" being the first */

static void
test_turns(void)
{
    test_reset();
    test_once = 1;

    unit_ok(test_come(0, 0, 0, 0) == NGX_OK
            && test_come(0, 1, 0, 0) == NGX_OK
            && test_come(1, 2, 0, 0) == NGX_OK,
            "three messages come, one of them to another worker");
    unit_ok(test_notes[0] == '\0', "nothing is called at once");

    test_capture(NGX_VIDCAST_HANDOFF_TAKEN);
    test_capture(NGX_VIDCAST_HANDOFF_BAD);
    test_capture(NGX_VIDCAST_HANDOFF_TAKEN);

    unit_ok(ngx_strcmp(test_notes, "aLaAbLbAcLcA") == 0,
            "they have their turns: %s", test_notes);
    unit_ok(test_stats.published == 2 && test_stats.unwanted == 1
            && test_stats.received == 3,
            "and are counted");
    unit_ok(test_stats.publishers == 0 && !test_watched,
            "nobody is left, and nothing is watched");
}


static void
test_session(void)
{
    test_reset();

    (void) test_come(0, 0, 1, 0);
    test_capture(NGX_VIDCAST_HANDOFF_TAKEN);
    test_capture(NGX_VIDCAST_HANDOFF_TAKEN);

    test_wait(0, 60000);
    test_capture(NGX_VIDCAST_HANDOFF_TAKEN);

    unit_ok(ngx_strcmp(test_notes, "aLaAaLaAaLaAaL") == 0,
            "a session keeps its turn, as long as it likes: %s", test_notes);
}


static void
test_rival(void)
{
    test_reset();

    (void) test_come(0, 0, 1, 0);

    unit_ok(test_come(0, 1, 1, 0) == NGX_BUSY
            && test_come(0, 1, 0, 0) == NGX_BUSY,
            "a session has no rival in its worker");
    unit_ok(test_come(1, 1, 1, 0) == NGX_BUSY
            && test_stats.publishers == 1,
            "nor in another one");

    test_reset();
    test_once = 1;

    (void) test_come(0, 0, 0, 0);

    unit_ok(test_come(1, 1, 1, 0) == NGX_OK, "a message may go on before one");

    test_capture(NGX_VIDCAST_HANDOFF_TAKEN);
    test_ring(1);

    unit_ok(test_all[1][1].publisher.entered, "which has its turn then");

    test_reset();

    (void) test_come(0, 0, 1, 0);
    test_control_shm.processes[0].exiting = 1;

    unit_ok(test_come(1, 1, 1, 0) == NGX_OK,
            "one that leaves with its worker is no rival");
}


static void
test_takeover(void)
{
    test_reset();

    (void) test_come(0, 0, 1, 0);

    unit_ok(test_come(0, 1, 1, 1) == NGX_OK
            && test_all[0][0].why == NGX_HTTP_VIDCAST_REPLACED
            && test_all[0][1].publisher.joined,
            "one takes over in the same worker");

    test_reset();

    (void) test_come(0, 0, 1, 0);
    test_capture(NGX_VIDCAST_HANDOFF_TAKEN);

    unit_ok(test_come(1, 1, 1, 1) == NGX_OK && test_rings > 0,
            "or asks another one for it");

    test_ring(0);

    unit_ok(test_all[0][0].why == NGX_HTTP_VIDCAST_REPLACED,
            "which sends its session away");

    test_capture(NGX_VIDCAST_HANDOFF_TAKEN);
    test_capture(NGX_VIDCAST_HANDOFF_TAKEN);

    unit_ok(test_all[1][1].publisher.entered
            && !test_all[1][1].why,
            "and the new one publishes: %s", test_notes);
}


/* a worker was killed while it asked to take over */

static void
test_dead(void)
{
    test_reset();

    (void) test_come(0, 0, 1, 0);
    (void) test_come(1, 1, 1, 1);

    test_dead_process = 2;
    test_ring(0);

    unit_ok(!test_all[0][0].why && test_all[0][0].publisher.entered,
            "the dead take over nothing");
    unit_ok(ngx_vidcast_handoff_takeover_by(&test_shm.handoff)
            == NGX_VIDCAST_HANDOFF_NOBODY,
            "and are forgotten");

    test_reset();

    (void) test_come(0, 0, 1, 0);
    test_dead_process = 1;

    unit_ok(test_come(1, 1, 1, 0) == NGX_OK,
            "a session whose worker was killed is no rival");
}


static void
test_waits(void)
{
    test_reset();

    (void) test_come(0, 0, 0, 0);
    (void) test_come(0, 1, 0, 0);

    test_wait(0, NGX_HTTP_VIDCAST_PUBLISHER_WAIT - 1);

    unit_ok(test_notes[0] == '\0', "a capture that is not there is waited for");

    test_wait(0, 1);

    unit_ok(ngx_strcmp(test_notes, "aDbD") == 0
            && test_all[0][0].why == NGX_HTTP_VIDCAST_NO_TURN,
            "not for ever: %s", test_notes);

    test_wait(0, 1);

    unit_ok(!test_workers[0].feed.wait_timer.timer_set, "nobody waits");
}


static void
test_leaves(void)
{
    test_reset();
    test_once = 1;

    (void) test_come(0, 0, 0, 0);
    (void) test_come(0, 1, 0, 0);

    ngx_http_vidcast_publisher_leave(&test_all[0][0].publisher);
    ngx_http_vidcast_publisher_leave(&test_all[0][0].publisher);

    unit_ok(test_stats.publishers == 1
            && test_workers[0].feed.wait_timer.timer_set,
            "one leaves, once, and the next one is looked at");

    test_wait(0, 1);
    test_capture(NGX_VIDCAST_HANDOFF_TAKEN);
    test_capture(NGX_VIDCAST_HANDOFF_TAKEN);

    unit_ok(ngx_strcmp(test_notes, "bLbA") == 0, "it publishes: %s",
            test_notes);
}


static void
test_unable(void)
{
    test_reset();
    test_workers[0].vmcf.draining = 1;

    unit_ok(test_come(0, 0, 1, 0) == NGX_DECLINED, "a worker that leaves");

    test_reset();
    test_workers[0].feed.wake = NULL;

    unit_ok(test_come(0, 0, 1, 0) == NGX_DECLINED, "one that hears nothing");

    test_reset();
    test_workers[0].control.worker_index = NGX_VIDCAST_NO_PROCESS;

    unit_ok(test_come(0, 0, 1, 0) == NGX_DECLINED
            && test_stats.publishers == 0,
            "one without an entry: nobody may publish there");
}


static void
test_reset(void)
{
    ngx_uint_t      i;
    test_worker_t  *w;

    ngx_memzero(test_all, sizeof(test_all));
    ngx_memzero(test_workers, sizeof(test_workers));
    ngx_memzero(&test_shm, sizeof(test_shm));
    ngx_memzero(&test_control_shm, sizeof(test_control_shm));
    ngx_memzero(&test_stats, sizeof(test_stats));

    (void) ngx_event_timer_init(&unit_log);

    test_zone.shm = &test_shm;
    test_zone.ring.geometry.slots = 1;

    for (i = 0; i < 2; i++) {
        w = &test_workers[i];

        w->control.shm = &test_control_shm;
        w->control.worker_index = i;
        w->vmcf.vidcast.control = &w->control;
        w->vmcf.vidcast.renditions.nelts = 1;
        w->vmcf.feeds = &w->feed;

        w->feed.vmcf = &w->vmcf;
        w->feed.source = &w->source;
        w->feed.zone = &test_zone;
        w->feed.stats = &test_stats;
        w->feed.wake = &test_wake;

        ngx_http_vidcast_publisher_init(&w->vmcf, &unit_log);
    }

    test_notes[0] = '\0';
    test_nnotes = 0;
    test_dead_process = 0;
    test_once = 0;
    test_rings = 0;
    test_watched = 0;
}


static ngx_int_t
test_come(ngx_uint_t worker, ngx_uint_t n, ngx_uint_t session,
    ngx_uint_t takeover)
{
    test_publisher_t  *p;

    p = &test_all[worker][n];

    p->name = 'a' + n;
    p->publisher.feed = &test_workers[worker].feed;
    p->publisher.user = &test_user;
    p->publisher.log = &unit_log;
    p->publisher.session = session;
    p->publisher.takeover = takeover;

    return ngx_http_vidcast_publisher_join(&p->publisher);
}


/* the capture does what there is, and all workers hear of it */

static void
test_capture(ngx_uint_t reason)
{
    size_t      size;
    uint32_t    slot;
    ngx_uint_t  i, kind;

    for (i = 0; i < 4; i++) {

        (void) ngx_vidcast_handoff_returned(&test_shm.handoff, &slot);

        if (ngx_vidcast_handoff_take(&test_shm.handoff, &slot, &kind, &size)
            == NGX_OK)
        {
            (void) ngx_vidcast_handoff_reply(&test_shm.handoff, reason, 1, 0);
            break;
        }

        if (ngx_vidcast_handoff_wanted(&test_shm.handoff)) {
            (void) ngx_vidcast_handoff_lend(&test_shm.handoff, 0);
        }

        test_ring(0);
        test_ring(1);
    }

    test_ring(0);
    test_ring(1);
}


static void
test_ring(ngx_uint_t worker)
{
    test_workers[worker].feed.publisher_handler(&test_workers[worker].feed);
}


static void
test_wait(ngx_uint_t worker, ngx_msec_t time)
{
    ngx_event_t  *ev;

    ev = &test_workers[worker].feed.wait_timer;

    ngx_current_msec += time;

    if (ev->timer_set) {
        ngx_event_del_timer(ev);
    }

    ev->handler(ev);
}


static void
test_note(test_publisher_t *p, char what)
{
    test_notes[test_nnotes++] = p->name;
    test_notes[test_nnotes++] = what;
    test_notes[test_nnotes] = '\0';
}


static void
test_lent(ngx_http_vidcast_publisher_t *publisher)
{
    test_note((test_publisher_t *) publisher, 'L');

    ngx_http_vidcast_publisher_submit(publisher, NGX_VIDCAST_HANDOFF_PICTURE,
                                      1);
}


static void
test_answered(ngx_http_vidcast_publisher_t *publisher, ngx_uint_t reason,
    uint64_t number)
{
    test_note((test_publisher_t *) publisher, 'A');

    if (test_once) {
        ngx_http_vidcast_publisher_leave(publisher);
    }
}


static void
test_dismiss(ngx_http_vidcast_publisher_t *publisher, ngx_uint_t why)
{
    test_publisher_t  *p;

    p = (test_publisher_t *) publisher;
    p->why = why;

    test_note(p, 'D');

    ngx_http_vidcast_publisher_leave(publisher);
}


/* what a publisher calls */

u_char *
ngx_vidcast_ring_data(ngx_vidcast_ring_t *ring, uint32_t slot)
{
    return test_slot;
}


ngx_int_t
ngx_vidcast_notify_enable(ngx_connection_t *c)
{
    test_watched = 1;

    return NGX_OK;
}


void
ngx_http_vidcast_feed_unwatch(ngx_http_vidcast_feed_t *feed)
{
    test_watched = (test_stats.publishers != 0);
}


void
ngx_vidcast_zone_wake_capture(ngx_vidcast_zone_t *zone)
{
    /* void */
}


void
ngx_vidcast_zone_wake_workers(ngx_vidcast_zone_t *zone)
{
    test_rings++;
}


ngx_uint_t
ngx_vidcast_process_alive(ngx_vidcast_control_t *control, ngx_uint_t process,
    ngx_log_t *log)
{
    return process + 1 != test_dead_process;
}
