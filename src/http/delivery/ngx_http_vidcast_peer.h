
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_HTTP_VIDCAST_PEER_H_INCLUDED_
#define _NGX_HTTP_VIDCAST_PEER_H_INCLUDED_


#include "http/delivery/ngx_http_vidcast_session.h"


/*
 * Whether the peer is still there, by the times of "vidcast_ping".
 *
 * watch()  TCP is to ask, from now on; so session_join() does
 * gone()   bytes have not been acknowledged for so long; cheap, most times
 * error()  of a connection that is not read now; NGX_OK or NGX_ERROR, logged
 */
void ngx_http_vidcast_peer_watch(ngx_http_request_t *r);
ngx_uint_t ngx_http_vidcast_peer_gone(ngx_http_vidcast_session_t *session);
ngx_int_t ngx_http_vidcast_peer_error(ngx_connection_t *c);


#endif /* _NGX_HTTP_VIDCAST_PEER_H_INCLUDED_ */
