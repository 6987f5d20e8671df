
/*
 * Copyright (C) vidcast contributors
 */


/*
 * What ends a connection that may last, and what does not: bytes that leave,
 * a peer that takes none, one that is gone, a source that is gone, a worker
 * that leaves.  Each session ends once, whatever ends it, and others with it.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>
#include <ngx_event_timer.c>

#include "unit.h"
#include "unit_ngx.h"

#include "http/delivery/ngx_http_vidcast_session.c"


#define TEST_SESSIONS  90


typedef struct {
    ngx_http_vidcast_session_t   session;
    ngx_http_request_t           request;
    ngx_connection_t             connection;
    ngx_event_t                  write;
    ngx_log_t                    log;
    ngx_http_log_ctx_t           log_ctx;
    void                        *conf[1];
    void                        *main[1];
    ngx_http_cleanup_t           cleanup;

    ngx_int_t                    rc;         /* of its ping() */
    ngx_uint_t                   unwanted;
    ngx_uint_t                   vanished;
    ngx_uint_t                   takes;      /* another one with it */
    ngx_uint_t                   pings;
    ngx_uint_t                   readies;
    ngx_uint_t                   drains;
    ngx_uint_t                   gone;
    ngx_uint_t                   stalled;    /* when it was gone */
    off_t                        bytes;
    ngx_uint_t                   finalized;
    ngx_int_t                    status;
} test_session_t;


static void test_join(void);
static void test_leave(void);
static void test_ping(void);
static void test_unwanted(void);
static void test_stall(void);
static void test_peer(void);
static void test_together(void);
static void test_quit(void);
static void test_reload(void);
static void test_exit(void);
static void test_reset(void);
static void test_add(ngx_uint_t n, ngx_uint_t resumes);
static void test_look(void);
static ngx_uint_t test_wanted(ngx_http_vidcast_session_t *session);
static void test_sent(ngx_http_vidcast_session_t *session, off_t bytes);
static ngx_int_t test_pinged(ngx_http_vidcast_session_t *session);
static void test_ready(ngx_http_vidcast_session_t *session);
static void test_drain(ngx_http_vidcast_session_t *session);
static void test_gone(ngx_http_vidcast_session_t *session);


ngx_module_t                                ngx_http_vidcast_module;

static ngx_http_vidcast_session_handlers_t  test_handlers = {
    "peer", test_wanted, test_sent, test_pinged, test_ready, test_drain,
    test_gone
};


static test_session_t                       test_all[TEST_SESSIONS];
static ngx_http_vidcast_main_conf_t         test_vmcf;
static ngx_http_vidcast_loc_conf_t          test_vlcf;
static ngx_vidcast_control_t                test_control;
static ngx_vidcast_control_shm_t            test_shm;
static ngx_uint_t                           test_looks, test_unpins;


#define test_of(s)  ((test_session_t *) (s))


int
main(void)
{
    test_join();
    test_leave();
    test_ping();
    test_unwanted();
    test_stall();
    test_peer();
    test_together();
    test_quit();
    test_reload();
    test_exit();

    return unit_done();
}


static void
test_join(void)
{
    test_reset();

    unit_ok(!test_vmcf.housekeeping.timer_set, "nothing to look at");

    test_add(2, 1);

    unit_ok(test_vmcf.nsessions == 2 && test_vmcf.housekeeping.timer_set,
            "sessions are looked at");
    unit_ok(test_all[0].session.stall_timeout == 1000
            && test_all[0].session.peer_timeout == 3000,
            "by the times of the location");

    test_vmcf.draining = 1;

    unit_ok(ngx_http_vidcast_session_join(&test_all[5].session) == NGX_BUSY
            && test_vmcf.nsessions == 2,
            "a worker that leaves takes no more");
}


static void
test_leave(void)
{
    test_reset();
    test_add(2, 1);

    test_all[0].connection.sent = 70;

    ngx_http_vidcast_session_leave(&test_all[0].session);
    ngx_http_vidcast_session_leave(&test_all[0].session);
    test_all[0].cleanup.handler(test_all[0].cleanup.data);

    unit_ok(test_all[0].gone == 1 && test_vmcf.nsessions == 1,
            "a session leaves once");
    unit_ok(test_all[0].bytes == 70, "its last bytes are counted");

    ngx_http_vidcast_session_finalize(&test_all[1].session, NGX_DONE);

    unit_ok(test_all[1].finalized == 1 && test_all[1].status == NGX_OK
            && test_all[1].gone == 1,
            "all that was wanted is no error");

    ngx_event_del_timer(&test_vmcf.housekeeping);
    ngx_http_vidcast_session_handler(&test_vmcf.housekeeping);

    unit_ok(!test_vmcf.housekeeping.timer_set, "nothing is left to look at");
}


static void
test_ping(void)
{
    test_reset();
    test_add(5, 1);

    test_all[1].session.busy = 1;
    test_all[2].rc = NGX_DECLINED;
    test_all[3].rc = NGX_ERROR;
    test_all[4].rc = NGX_DONE;

    test_look();

    unit_ok(test_looks == 1 && test_all[0].pings == 1 && test_all[4].pings == 1,
            "each is asked once");
    unit_ok(test_all[0].readies == 1 && test_all[1].readies == 0,
            "what is not busy may send");
    unit_ok(test_all[2].drains == 1 && test_all[2].readies == 0
            && !test_all[2].finalized,
            "its time is up: drained");
    unit_ok(test_all[3].finalized == 1 && test_all[3].status == NGX_ERROR
            && test_all[3].readies == 0,
            "broken: finalized");
    unit_ok(test_all[4].finalized == 1 && test_all[4].status == NGX_OK,
            "done: finalized");
    unit_ok(test_vmcf.housekeeping.timer_set, "and again");
}


static void
test_unwanted(void)
{
    test_reset();
    test_add(1, 1);

    test_all[0].unwanted = 1;
    test_look();

    unit_ok(test_all[0].drains == 1 && test_all[0].pings == 0
            && !test_all[0].finalized,
            "without its source it is drained");
}


static void
test_stall(void)
{
    ngx_uint_t  i;

    test_reset();
    test_add(4, 1);

    test_all[0].session.busy = 1;
    test_all[1].session.busy = 1;
    test_all[2].session.busy = 1;
    test_all[2].write.delayed = 1;

    for (i = 0; i < 3; i++) {
        ngx_current_msec += 499;
        test_all[1].connection.sent += 1;
        test_look();

        unit_ok(test_all[0].finalized == (i == 2), "%d ms without a byte",
                (int) (i + 1) * 499);
    }

    unit_ok(test_all[0].status == NGX_HTTP_REQUEST_TIME_OUT
            && test_all[0].connection.timedout && test_all[0].stalled,
            "it is closed for that");
    unit_ok(ngx_strstr(unit_log_last, "vidcast peer took no byte for 1000 ms")
            != NULL, "by its name: %s", unit_log_last);
    unit_ok(!test_all[1].finalized && test_all[1].bytes == 3,
            "one byte is enough");
    unit_ok(!test_all[2].finalized, "limit_rate is no fault of the peer");
    unit_ok(!test_all[3].finalized, "one that is sent nothing cannot stall");
}


static void
test_peer(void)
{
    test_reset();
    test_add(1, 1);

    test_all[0].vanished = 1;
    test_look();

    unit_ok(test_all[0].finalized == 1 && !test_all[0].stalled
            && test_all[0].pings == 0,
            "a host that vanished");
}


/* what one does may end another, the next or the last */

static void
test_together(void)
{
    ngx_uint_t  i, k, n, wrong;

    wrong = 0;

    for (i = 0; i < 6; i++) {
        for (n = 0; n < 6; n++) {

            if (n == i) {
                continue;
            }

            test_reset();
            test_add(6, 1);

            test_all[i].takes = n + 1;
            test_look();

            wrong += test_vmcf.nsessions != 5 || test_all[n].gone != 1;

            for (k = 0; k < 6; k++) {
                wrong += (k != n && test_all[k].pings == 0);
            }
        }
    }

    unit_ok(wrong == 0, "one session ends another, and the rest are looked at");
}


static void
test_quit(void)
{
    ngx_uint_t  i, n, drained;

    test_reset();
    test_add(TEST_SESSIONS, 0);

    /* no newer generation: nginx quits */

    ngx_http_vidcast_session_drain(&test_vmcf);
    ngx_http_vidcast_session_drain(&test_vmcf);

    for (n = 1; test_vmcf.nsessions; n++) {
        drained = 0;

        for (i = 0; i < TEST_SESSIONS; i++) {
            drained += test_all[i].drains;
        }

        if (drained != n * TEST_SESSIONS / 30) {
            break;
        }

        if (test_vmcf.drain.timer_set) {
            ngx_event_del_timer(&test_vmcf.drain);
        }

        ngx_http_vidcast_session_drain_handler(&test_vmcf.drain);
    }

    unit_ok(test_vmcf.nsessions == 0 && n == 30,
            "all are sent away, some at a time: %d", (int) n);
    unit_ok(test_unpins == 1, "nothing is pinned, from the start");
}


static void
test_reload(void)
{
    test_reset();
    test_add(2, 1);
    test_add(2, 0);

    test_shm.generation = 2;

    ngx_http_vidcast_session_drain(&test_vmcf);
    ngx_event_del_timer(&test_vmcf.drain);
    ngx_http_vidcast_session_drain_handler(&test_vmcf.drain);
    ngx_event_del_timer(&test_vmcf.drain);
    ngx_http_vidcast_session_drain_handler(&test_vmcf.drain);

    unit_ok(test_all[0].drains == 1 && test_all[1].drains == 1,
            "after a reload those go which come back");
    unit_ok(test_vmcf.nsessions == 2 && test_vmcf.drain.timer_set,
            "the others stay, and nginx may still quit");

    test_shm.generation = 1;
    ngx_event_del_timer(&test_vmcf.drain);
    ngx_http_vidcast_session_drain_handler(&test_vmcf.drain);
    ngx_event_del_timer(&test_vmcf.drain);
    ngx_http_vidcast_session_drain_handler(&test_vmcf.drain);

    unit_ok(test_vmcf.nsessions == 0 && !test_vmcf.drain.timer_set,
            "then all go");
}


static void
test_exit(void)
{
    test_reset();
    test_add(3, 1);

    test_all[0].takes = 0;
    ngx_add_timer(&test_vmcf.drain, 1000);

    ngx_http_vidcast_session_exit(&test_vmcf);

    unit_ok(test_vmcf.nsessions == 0 && test_all[2].finalized == 1
            && test_all[2].status == NGX_ERROR,
            "at the exit all are finalized");
    unit_ok(!test_vmcf.housekeeping.timer_set && !test_vmcf.drain.timer_set,
            "and no timer is left");
}


static void
test_reset(void)
{
    ngx_memzero(&test_vmcf, sizeof(test_vmcf));
    ngx_memzero(test_all, sizeof(test_all));

    (void) ngx_event_timer_init(&unit_log);

    test_looks = 0;
    test_unpins = 0;

    test_shm.generation = 1;
    test_control.shm = &test_shm;
    test_vmcf.vidcast.control = &test_control;
    test_vmcf.vidcast.generation = 1;

    test_vlcf.stall_timeout = 1000;
    test_vlcf.ping = 1000;
    test_vlcf.ping_timeout = 2000;

    ngx_http_vidcast_session_init(&test_vmcf, &unit_log);

    /* one that has not joined */

    test_all[5].conf[0] = &test_vlcf;
    test_all[5].main[0] = &test_vmcf;
    test_all[5].request.loc_conf = test_all[5].conf;
    test_all[5].request.main_conf = test_all[5].main;
    test_all[5].session.request = &test_all[5].request;
}


static void
test_add(ngx_uint_t n, ngx_uint_t resumes)
{
    test_session_t  *t;

    for (t = &test_all[test_vmcf.nsessions]; n; n--, t++) {
        t->log = unit_log;
        t->log.data = &t->log_ctx;
        t->conf[0] = &test_vlcf;
        t->main[0] = &test_vmcf;
        t->connection.log = &t->log;
        t->connection.write = &t->write;
        t->request.connection = &t->connection;
        t->request.loc_conf = t->conf;
        t->request.main_conf = t->main;

        t->session.request = &t->request;
        t->session.handlers = &test_handlers;
        t->session.resumes = resumes;

        if (ngx_http_vidcast_session_join(&t->session) != NGX_OK) {
            unit_ok(0, "a session joins");
        }
    }
}


/* half a second has gone by */

static void
test_look(void)
{
    if (test_vmcf.housekeeping.timer_set) {
        ngx_event_del_timer(&test_vmcf.housekeeping);
    }

    ngx_http_vidcast_session_handler(&test_vmcf.housekeeping);
}


static ngx_uint_t
test_wanted(ngx_http_vidcast_session_t *session)
{
    return !test_of(session)->unwanted;
}


static void
test_sent(ngx_http_vidcast_session_t *session, off_t bytes)
{
    test_of(session)->bytes += bytes;
}


static ngx_int_t
test_pinged(ngx_http_vidcast_session_t *session)
{
    test_session_t  *t;

    t = test_of(session);
    t->pings++;

    if (t->takes) {
        ngx_http_vidcast_session_finalize(&test_all[t->takes - 1].session,
                                          NGX_OK);
        t->takes = 0;
    }

    return t->rc;
}


static void
test_ready(ngx_http_vidcast_session_t *session)
{
    test_of(session)->readies++;
}


static void
test_drain(ngx_http_vidcast_session_t *session)
{
    test_of(session)->drains++;

    ngx_http_vidcast_session_leave(session);
}


static void
test_gone(ngx_http_vidcast_session_t *session)
{
    test_of(session)->gone++;
    test_of(session)->stalled = session->stalled;
}


/* what the session calls */

ngx_http_cleanup_t *
ngx_http_cleanup_add(ngx_http_request_t *r, size_t size)
{
    test_session_t  *t;

    t = (test_session_t *) ((u_char *) r - offsetof(test_session_t, request));

    return &t->cleanup;
}


void
ngx_http_finalize_request(ngx_http_request_t *r, ngx_int_t rc)
{
    test_session_t  *t;

    t = (test_session_t *) ((u_char *) r - offsetof(test_session_t, request));

    t->finalized++;
    t->status = rc;

    t->cleanup.handler(t->cleanup.data);
}


void
ngx_http_run_posted_requests(ngx_connection_t *c)
{
    /* void */
}


void
ngx_http_vidcast_feed_look(ngx_http_vidcast_main_conf_t *vmcf)
{
    test_looks++;
}


void
ngx_http_vidcast_feed_unpin(ngx_http_vidcast_main_conf_t *vmcf)
{
    test_unpins++;
}


void
ngx_http_vidcast_peer_watch(ngx_http_request_t *r)
{
    /* void */
}


ngx_uint_t
ngx_http_vidcast_peer_gone(ngx_http_vidcast_session_t *session)
{
    return test_of(session)->vanished;
}


ngx_uint_t
ngx_vidcast_control_deserted(ngx_vidcast_conf_t *conf, uint64_t *since,
    ngx_log_t *log)
{
    return 0;
}
