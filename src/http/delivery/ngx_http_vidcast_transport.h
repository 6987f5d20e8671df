
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_HTTP_VIDCAST_TRANSPORT_H_INCLUDED_
#define _NGX_HTTP_VIDCAST_TRANSPORT_H_INCLUDED_


#include "http/delivery/ngx_http_vidcast_viewer.h"


/* how a viewer is served: WebSocket, a stream, a snapshot */

/*
 * send()   begins to send a message.  NGX_OK: it has left; NGX_AGAIN: it is
 *          leaving, the transport has its own reference to it and calls
 *          ngx_http_vidcast_queue_ready() when it is done; NGX_DONE: that was
 *          all, NGX_ERROR: the connection is broken, and in both cases the
 *          queue finalizes the session.
 *
 * coalesce()  the same for several results at once, in their order, at most
 *          NGX_HTTP_VIDCAST_COALESCE.  NULL: send() is called for each.
 *
 * ping(), drain()  those of its session.
 */

#define NGX_HTTP_VIDCAST_COALESCE     8

struct ngx_http_vidcast_transport_s {
    ngx_vidcast_transport_e        id;
    ngx_uint_t                     resumes;   /* its clients come back */
    ngx_int_t                    (*send)(ngx_http_vidcast_viewer_t *viewer,
                                       ngx_http_vidcast_message_t *message);
    ngx_int_t                    (*ping)(ngx_http_vidcast_viewer_t *viewer);
    void                         (*drain)(ngx_http_vidcast_viewer_t *viewer);
    ngx_int_t                    (*coalesce)(ngx_http_vidcast_viewer_t *viewer,
                                       ngx_http_vidcast_message_t **messages,
                                       ngx_uint_t n);
};


#endif /* _NGX_HTTP_VIDCAST_TRANSPORT_H_INCLUDED_ */
