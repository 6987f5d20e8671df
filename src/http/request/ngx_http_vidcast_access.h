
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_HTTP_VIDCAST_ACCESS_H_INCLUDED_
#define _NGX_HTTP_VIDCAST_ACCESS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Has requests looked at before their handler is called: those of pages which
 * may not come here ("vidcast_origin") are refused.
 */
ngx_int_t ngx_http_vidcast_access_init(ngx_conf_t *cf);


#endif /* _NGX_HTTP_VIDCAST_ACCESS_H_INCLUDED_ */
