
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_HTTP_VIDCAST_HANDSHAKE_H_INCLUDED_
#define _NGX_HTTP_VIDCAST_HANDSHAKE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "http/request/ngx_http_vidcast_headers.h"


/*
 * The opening handshake of RFC 6455, section 4.2.
 *
 * check()   NGX_OK, or the status to answer with; the headers that belong to
 *           it are set
 * answer()  sends the 101; with "protocol" as the subprotocol, if not empty.
 *           With "bits", permessage-deflate may be agreed on: *bits is the
 *           window of what we send then, else zero.
 *           NGX_OK; NGX_ERROR; or a status
 */
ngx_int_t ngx_http_vidcast_handshake_check(ngx_http_request_t *r,
    ngx_http_vidcast_headers_t *headers);
ngx_int_t ngx_http_vidcast_handshake_answer(ngx_http_request_t *r,
    ngx_http_vidcast_headers_t *headers, ngx_str_t *protocol,
    ngx_uint_t *bits);


#endif /* _NGX_HTTP_VIDCAST_HANDSHAKE_H_INCLUDED_ */
