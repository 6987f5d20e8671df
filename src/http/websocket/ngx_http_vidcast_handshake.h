
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_HTTP_VIDCAST_HANDSHAKE_H_INCLUDED_
#define _NGX_HTTP_VIDCAST_HANDSHAKE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/*
 * The opening handshake of RFC 6455, section 4.2.
 *
 * wanted()  does the request ask for an upgrade to WebSocket?
 * check()   NGX_OK, or the status to answer with; the headers that belong to
 *           it are set
 * answer()  sends the 101; with "protocol" as the subprotocol, if not empty.
 *           With "bits", permessage-deflate may be agreed on: *bits is the
 *           window of what we send then, else zero.
 *           NGX_OK; NGX_ERROR; or a status
 */
ngx_uint_t ngx_http_vidcast_handshake_wanted(ngx_http_request_t *r);
ngx_int_t ngx_http_vidcast_handshake_check(ngx_http_request_t *r);
ngx_int_t ngx_http_vidcast_handshake_answer(ngx_http_request_t *r,
    ngx_str_t *protocol, ngx_uint_t *bits);

/*
 * May a page of the site in the Origin header, if there is one, come here
 * ("vidcast_origin")?  check() asks, too.  NGX_OK; or 403, logged.
 */
ngx_int_t ngx_http_vidcast_origin_check(ngx_http_request_t *r);

/* NGX_OK: the client offers the subprotocol; NGX_DECLINED */
ngx_int_t ngx_http_vidcast_handshake_offers(ngx_http_request_t *r,
    ngx_str_t *protocol);

/* the first (0), second, ... header of the name, of the request; or NULL */
ngx_table_elt_t *ngx_http_vidcast_header(ngx_http_request_t *r,
    ngx_str_t *name, ngx_uint_t nth);

/* a header of the response, its value in static or pool memory */
ngx_int_t ngx_http_vidcast_add_header(ngx_http_request_t *r, const char *name,
    ngx_str_t *value);


#endif /* _NGX_HTTP_VIDCAST_HANDSHAKE_H_INCLUDED_ */
