
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_HTTP_VIDCAST_USAGE_H_INCLUDED_
#define _NGX_HTTP_VIDCAST_USAGE_H_INCLUDED_


#include "http/request/ngx_http_vidcast_headers.h"


/*
 * The answer to a request that wants no transport of the location, as that of
 * a browser's address bar: 426, and how the location is used; a page, if
 * Accept has "text/html", else a text.
 */
ngx_int_t ngx_http_vidcast_usage_answer(ngx_http_request_t *r,
    ngx_http_vidcast_headers_t *headers);


#endif /* _NGX_HTTP_VIDCAST_USAGE_H_INCLUDED_ */
