
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "http/delivery/ngx_http_vidcast_session.h"
#include "http/delivery/ngx_http_vidcast_feed.h"
#include "http/delivery/ngx_http_vidcast_peer.h"
#include "shm/ngx_vidcast_control.h"


#define NGX_HTTP_VIDCAST_HOUSEKEEPING  500   /* ms */
#define NGX_HTTP_VIDCAST_DRAIN         50
#define NGX_HTTP_VIDCAST_DRAIN_STEPS   30


static void ngx_http_vidcast_session_watch(ngx_http_vidcast_main_conf_t *vmcf);
static void ngx_http_vidcast_session_cleanup(void *data);
static void ngx_http_vidcast_session_handler(ngx_event_t *ev);
static ngx_http_vidcast_session_t *ngx_http_vidcast_session_next(
    ngx_http_vidcast_main_conf_t *vmcf);
static void ngx_http_vidcast_session_look(ngx_http_vidcast_session_t *session);
static ngx_uint_t ngx_http_vidcast_session_stalled(
    ngx_http_vidcast_session_t *session);
static off_t ngx_http_vidcast_session_account(
    ngx_http_vidcast_session_t *session);
static void ngx_http_vidcast_session_drain_handler(ngx_event_t *ev);


void
ngx_http_vidcast_session_init(ngx_http_vidcast_main_conf_t *vmcf,
    ngx_log_t *log)
{
    ngx_queue_init(&vmcf->sessions);

    vmcf->housekeeping.handler = ngx_http_vidcast_session_handler;
    vmcf->housekeeping.data = vmcf;
    vmcf->housekeeping.log = log;

    vmcf->drain.handler = ngx_http_vidcast_session_drain_handler;
    vmcf->drain.data = vmcf;
    vmcf->drain.log = log;
}


void
ngx_http_vidcast_session_exit(ngx_http_vidcast_main_conf_t *vmcf)
{
    /* nginx ends at once: what is still here gives back what it holds */

    while (!ngx_queue_empty(&vmcf->sessions)) {
        ngx_http_vidcast_session_finalize(ngx_http_vidcast_session_next(vmcf),
                                          NGX_ERROR);
    }

    if (vmcf->housekeeping.timer_set) {
        ngx_del_timer(&vmcf->housekeeping);
    }

    if (vmcf->drain.timer_set) {
        ngx_del_timer(&vmcf->drain);
    }
}


ngx_int_t
ngx_http_vidcast_session_join(ngx_http_vidcast_session_t *session)
{
    ngx_http_request_t            *r;
    ngx_http_cleanup_t            *cln;
    ngx_http_vidcast_loc_conf_t   *vlcf;
    ngx_http_vidcast_main_conf_t  *vmcf;

    r = session->request;

    vlcf = ngx_http_get_module_loc_conf(r, ngx_http_vidcast_module);
    vmcf = ngx_http_get_module_main_conf(r, ngx_http_vidcast_module);

    if (vmcf->draining) {
        return NGX_BUSY;
    }

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_vidcast_session_cleanup;
    cln->data = session;

    session->joined = 1;
    session->stall_timeout = vlcf->stall_timeout;
    session->progress = ngx_current_msec;
    session->peer_timeout = vlcf->ping ? vlcf->ping + vlcf->ping_timeout : 0;
    session->answered = ngx_current_msec;

    ngx_http_vidcast_peer_watch(r);

    ngx_queue_insert_tail(&vmcf->sessions, &session->queue);
    vmcf->nsessions++;

    ngx_http_vidcast_session_watch(vmcf);

    return NGX_OK;
}


/*
 * One timer for all, armed while there are any: it is not cancelable, so an
 * exiting worker waits for those which may stay.
 */

static void
ngx_http_vidcast_session_watch(ngx_http_vidcast_main_conf_t *vmcf)
{
    if (!vmcf->housekeeping.timer_set && vmcf->nsessions) {
        ngx_add_timer(&vmcf->housekeeping, NGX_HTTP_VIDCAST_HOUSEKEEPING);
    }
}


static void
ngx_http_vidcast_session_cleanup(void *data)
{
    ngx_http_vidcast_session_leave(data);
}


void
ngx_http_vidcast_session_leave(ngx_http_vidcast_session_t *session)
{
    ngx_http_vidcast_main_conf_t  *vmcf;

    if (!session->joined) {
        return;
    }

    session->joined = 0;

    (void) ngx_http_vidcast_session_account(session);

    if (session->handlers->gone) {
        session->handlers->gone(session);
    }

    vmcf = ngx_http_get_module_main_conf(session->request,
                                         ngx_http_vidcast_module);

    ngx_queue_remove(&session->queue);
    vmcf->nsessions--;
}


void
ngx_http_vidcast_session_finalize(ngx_http_vidcast_session_t *session,
    ngx_int_t rc)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = session->request;
    c = r->connection;

    ngx_http_vidcast_session_leave(session);

    ngx_http_set_log_request(c->log, r);

    ngx_http_finalize_request(r, (rc == NGX_DONE) ? NGX_OK : rc);

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_vidcast_session_handler(ngx_event_t *ev)
{
    ngx_uint_t                     n;
    ngx_http_vidcast_main_conf_t  *vmcf;

    vmcf = ev->data;

    ngx_http_vidcast_feed_look(vmcf);

    for (n = vmcf->nsessions; n && !ngx_queue_empty(&vmcf->sessions); n--) {
        ngx_http_vidcast_session_look(ngx_http_vidcast_session_next(vmcf));
    }

    ngx_http_vidcast_session_watch(vmcf);
}


/* it goes to the end: what is done then may end it, or another one */

static ngx_http_vidcast_session_t *
ngx_http_vidcast_session_next(ngx_http_vidcast_main_conf_t *vmcf)
{
    ngx_queue_t  *q;

    q = ngx_queue_head(&vmcf->sessions);
    ngx_queue_remove(q);
    ngx_queue_insert_tail(&vmcf->sessions, q);

    return ngx_queue_data(q, ngx_http_vidcast_session_t, queue);
}


static void
ngx_http_vidcast_session_look(ngx_http_vidcast_session_t *session)
{
    ngx_int_t                             rc;
    ngx_connection_t                     *c;
    ngx_http_vidcast_session_handlers_t  *handlers;

    handlers = session->handlers;

    if (handlers->wanted && !handlers->wanted(session)) {
        handlers->drain(session);
        return;
    }

    c = session->request->connection;

    if (ngx_http_vidcast_session_stalled(session)) {
        ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT,
                      "vidcast %s took no byte for %M ms",
                      handlers->name, session->stall_timeout);

        c->timedout = 1;

        ngx_http_vidcast_session_finalize(session, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }

    if (ngx_http_vidcast_peer_gone(session)) {
        ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT,
                      "vidcast %s acknowledged no byte for %M ms",
                      handlers->name, ngx_current_msec - session->answered);

        c->timedout = 1;

        ngx_http_vidcast_session_finalize(session, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }

    rc = handlers->ping(session);

    if (rc == NGX_DECLINED) {
        handlers->drain(session);
        return;
    }

    if (rc == NGX_ERROR || rc == NGX_DONE) {
        ngx_http_vidcast_session_finalize(session, rc);
        return;
    }

    if (handlers->ready && !session->busy) {
        handlers->ready(session);
    }
}


/* bytes that left are looked at here, so that no transport has to note them */

static ngx_uint_t
ngx_http_vidcast_session_stalled(ngx_http_vidcast_session_t *session)
{
    off_t              sent;
    ngx_connection_t  *c;

    c = session->request->connection;

    sent = ngx_http_vidcast_session_account(session);

    if (!session->busy || c->write->delayed || sent) {
        session->progress = ngx_current_msec;
        return 0;
    }

    if ((ngx_msec_int_t) (ngx_current_msec - session->progress)
        < (ngx_msec_int_t) session->stall_timeout)
    {
        return 0;
    }

    session->stalled = 1;

    return 1;
}


static off_t
ngx_http_vidcast_session_account(ngx_http_vidcast_session_t *session)
{
    off_t              sent;
    ngx_connection_t  *c;

    c = session->request->connection;

    sent = c->sent - session->sent;
    session->sent = c->sent;

    if (session->handlers->sent) {
        session->handlers->sent(session, sent);
    }

    return sent;
}


/*
 * Sessions whose clients come back and resume are sent away first, not all at
 * once, as they all come back; the others may stay if there will be pictures
 * for them: after a reload, not when nginx quits.
 */

void
ngx_http_vidcast_session_drain(ngx_http_vidcast_main_conf_t *vmcf)
{
    if (vmcf->draining) {
        return;
    }

    vmcf->draining = ngx_max(vmcf->nsessions / NGX_HTTP_VIDCAST_DRAIN_STEPS,
                             1);

    ngx_http_vidcast_feed_unpin(vmcf);

    ngx_http_vidcast_session_drain_handler(&vmcf->drain);
}


static void
ngx_http_vidcast_session_drain_handler(ngx_event_t *ev)
{
    ngx_uint_t                     n, drained, all;
    ngx_vidcast_conf_t            *conf;
    ngx_http_vidcast_session_t    *session;
    ngx_http_vidcast_main_conf_t  *vmcf;

    vmcf = ev->data;
    conf = &vmcf->vidcast;
    drained = 0;

    /*
     * nginx may also quit later, when we wait for those which stay; but new
     * workers may take their time to come
     */

    all = conf->control == NULL
          || ngx_vidcast_load(&conf->control->shm->generation)
             == conf->generation
          || ngx_vidcast_control_deserted(conf, &vmcf->deserted, ev->log);

    for (n = vmcf->nsessions;
         n && drained < vmcf->draining && !ngx_queue_empty(&vmcf->sessions);
         n--)
    {
        session = ngx_http_vidcast_session_next(vmcf);

        if (all || session->resumes) {
            session->handlers->drain(session);
            drained++;
        }
    }

    if (vmcf->nsessions) {
        ngx_add_timer(ev, (drained == vmcf->draining)
                              ? NGX_HTTP_VIDCAST_DRAIN
                              : NGX_HTTP_VIDCAST_HOUSEKEEPING);
    }
}
