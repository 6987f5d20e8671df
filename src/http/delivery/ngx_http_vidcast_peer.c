
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "http/delivery/ngx_http_vidcast_peer.h"
#include "http/delivery/ngx_http_vidcast_session.h"


/*
 * A host that vanishes ends no connection.  When nothing is on its way, TCP
 * asks whether it is still there.  When something is, TCP sends that again and
 * again, for a quarter of an hour; its own limit for this, TCP_USER_TIMEOUT,
 * would hold for peers too which are there and take nothing for a while, which
 * is the affair of "vidcast_stall_timeout".  So we look whether answers come.
 */


#define NGX_HTTP_VIDCAST_PEER_PROBES  4
#define NGX_HTTP_VIDCAST_PEER_MOST    32767   /* of the kernel, seconds */


static void ngx_http_vidcast_peer_option(ngx_connection_t *c, int level,
    int name, int value);
static int ngx_http_vidcast_peer_seconds(ngx_msec_t time);


void
ngx_http_vidcast_peer_watch(ngx_http_request_t *r)
{
    int                           timeout, interval;
    ngx_connection_t             *c;
    ngx_http_vidcast_loc_conf_t  *vlcf;

    c = r->connection;

    vlcf = ngx_http_get_module_loc_conf(r, ngx_http_vidcast_module);

    /* "so_keepalive" of "listen" is what the administrator wants, or not */

    if (vlcf->ping == 0
        || c->listening == NULL
        || c->listening->keepalive
        || c->listening->sockaddr->sa_family == AF_UNIX)
    {
        return;
    }

    /* streams of HTTP/2 have the descriptor of their connection */

    timeout = ngx_http_vidcast_peer_seconds(vlcf->ping_timeout);
    interval = ngx_max(timeout / NGX_HTTP_VIDCAST_PEER_PROBES, 1);

    ngx_http_vidcast_peer_option(c, IPPROTO_TCP, TCP_KEEPIDLE,
                                 ngx_http_vidcast_peer_seconds(vlcf->ping));
    ngx_http_vidcast_peer_option(c, IPPROTO_TCP, TCP_KEEPINTVL, interval);
    ngx_http_vidcast_peer_option(c, IPPROTO_TCP, TCP_KEEPCNT,
                                 (timeout + interval - 1) / interval);
    ngx_http_vidcast_peer_option(c, SOL_SOCKET, SO_KEEPALIVE, 1);
}


static void
ngx_http_vidcast_peer_option(ngx_connection_t *c, int level, int name,
    int value)
{
    if (setsockopt(c->fd, level, name, (const void *) &value, sizeof(int))
        == -1)
    {
        /* QUIC, for one, which has a timeout of its own */

        ngx_log_debug1(NGX_LOG_DEBUG_HTTP, c->log, ngx_socket_errno,
                       "vidcast setsockopt(%d) for keepalive failed", name);
    }
}


/* rounded up, as the kernel wants them */

static int
ngx_http_vidcast_peer_seconds(ngx_msec_t time)
{
    time = (time + 999) / 1000;

    return (int) ngx_min(time, NGX_HTTP_VIDCAST_PEER_MOST);
}


ngx_uint_t
ngx_http_vidcast_peer_gone(ngx_http_vidcast_session_t *session)
{
    socklen_t          len;
    ngx_msec_t         silent, unheard;
    struct tcp_info    ti;
    ngx_connection_t  *c;

    unheard = ngx_current_msec - session->answered;

    if (session->peer_timeout == 0 || unheard < session->peer_timeout / 4) {
        return 0;
    }

    c = session->request->connection;
    len = sizeof(struct tcp_info);

    /*
     * Not TCP, or nothing to be answered: a probe of a closed window is, and
     * one may just be on its way
     */

    if (getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, (void *) &ti, &len) == -1
        || (ti.tcpi_unacked == 0 && ti.tcpi_probes < 2))
    {
        session->answered = ngx_current_msec;
        return 0;
    }

    silent = ngx_min(ti.tcpi_last_ack_recv, ti.tcpi_last_data_recv);

    if (silent < unheard) {
        session->answered = ngx_current_msec - silent;
        unheard = silent;
    }

    return unheard >= session->peer_timeout;
}


ngx_int_t
ngx_http_vidcast_peer_error(ngx_connection_t *c)
{
    int        err;
    socklen_t  len;

    err = 0;
    len = sizeof(int);

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, (void *) &err, &len) == -1) {
        err = ngx_socket_errno;
    }

    if (err == 0) {
        return NGX_OK;
    }

    c->error = 1;

    ngx_log_error(NGX_LOG_INFO, c->log, err, "vidcast peer is gone");

    return NGX_ERROR;
}
