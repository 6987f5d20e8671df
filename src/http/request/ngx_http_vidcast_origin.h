
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_HTTP_VIDCAST_ORIGIN_H_INCLUDED_
#define _NGX_HTTP_VIDCAST_ORIGIN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/*
 * May a page of the site in the Origin header, NULL if there is none, come
 * here ("vidcast_origin")?  NGX_OK; or 403, logged.
 */
ngx_int_t ngx_http_vidcast_origin_check(ngx_http_request_t *r,
    ngx_str_t *origin);


#endif /* _NGX_HTTP_VIDCAST_ORIGIN_H_INCLUDED_ */
