
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_HTTP_VIDCAST_SESSION_H_INCLUDED_
#define _NGX_HTTP_VIDCAST_SESSION_H_INCLUDED_


#include "http/conf/ngx_http_vidcast_module.h"


/*
 * A connection that may last, of a viewer, a publisher or an echo.  All of
 * the process are looked at twice a second, while there are any: the bytes
 * that left are counted, a peer that takes none or has vanished is closed, and
 * one that says nothing is asked.  They are sent away when the worker leaves.
 */

typedef struct ngx_http_vidcast_session_s  ngx_http_vidcast_session_t;


/*
 * name     in log lines
 *
 * wanted() zero: its source is not there any more, and it is to be drained.
 *          NULL: it has none
 *
 * sent()   so many bytes have left since the last call.  NULL: not counted
 *
 * ping()   about twice a second: pings, comments, whatever keeps it alive.
 *          NGX_OK; NGX_DONE: that was all, or NGX_ERROR: it is broken, in both
 *          cases it is finalized; NGX_DECLINED: it is to be drained
 *
 * ready()  after ping(), if nothing is leaving.  May finalize it.  NULL: there
 *          is nothing to send without an event
 *
 * drain()  ends it politely: it leaves, and its request may be finalized
 *
 * gone()   it has left: what belongs to it is given back.  May be NULL
 */

typedef struct {
    const char                            *name;
    ngx_uint_t                           (*wanted)(
                                          ngx_http_vidcast_session_t *session);
    void                                 (*sent)(
                                          ngx_http_vidcast_session_t *session,
                                          off_t bytes);
    ngx_int_t                            (*ping)(
                                          ngx_http_vidcast_session_t *session);
    void                                 (*ready)(
                                          ngx_http_vidcast_session_t *session);
    void                                 (*drain)(
                                          ngx_http_vidcast_session_t *session);
    void                                 (*gone)(
                                          ngx_http_vidcast_session_t *session);
} ngx_http_vidcast_session_handlers_t;


/* the bits last, beside what else each message of a viewer needs */

struct ngx_http_vidcast_session_s {
    ngx_queue_t                            queue;     /* of all sessions */
    ngx_http_request_t                    *request;
    ngx_http_vidcast_session_handlers_t   *handlers;
    ngx_msec_t                             stall_timeout;
    ngx_msec_t                             progress;  /* bytes last left */
    ngx_msec_t                             peer_timeout; /* a silent host's */
    ngx_msec_t                             answered;  /* it was last there */
    off_t                                  sent;      /* bytes by then */

    unsigned                               joined:1;
    unsigned                               busy:1;    /* bytes are leaving */
    unsigned                               stalled:1; /* none, for too long */
    unsigned                               resumes:1; /* its client does */
};


void ngx_http_vidcast_session_init(ngx_http_vidcast_main_conf_t *vmcf,
    ngx_log_t *log);
void ngx_http_vidcast_session_exit(ngx_http_vidcast_main_conf_t *vmcf);

/* the worker is leaving: sends its sessions away, some at a time */
void ngx_http_vidcast_session_drain(ngx_http_vidcast_main_conf_t *vmcf);

/*
 * Adds a session whose "request", "handlers" and "resumes" are set; its times
 * are those of the location.  NGX_OK; NGX_BUSY: this worker is leaving;
 * NGX_ERROR: no memory.
 *
 * leave() is called when the request is cleaned up, if not before.
 */
ngx_int_t ngx_http_vidcast_session_join(ngx_http_vidcast_session_t *session);
void ngx_http_vidcast_session_leave(ngx_http_vidcast_session_t *session);

/*
 * Leaves, and ends the request, with NGX_DONE as with NGX_OK; nothing of it is
 * left.
 */
void ngx_http_vidcast_session_finalize(ngx_http_vidcast_session_t *session,
    ngx_int_t rc);


#endif /* _NGX_HTTP_VIDCAST_SESSION_H_INCLUDED_ */
