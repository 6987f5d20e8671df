
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_HTTP_VIDCAST_STATUS_RESPONSE_H_INCLUDED_
#define _NGX_HTTP_VIDCAST_STATUS_RESPONSE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "http/status/ngx_http_vidcast_text.h"


/* NGX_OK: it is to be answered; else what the handler returns */
ngx_int_t ngx_http_vidcast_status_begin(ngx_http_request_t *r);
ngx_int_t ngx_http_vidcast_status_send(ngx_http_request_t *r,
    ngx_http_vidcast_text_t *text, ngx_uint_t status, ngx_str_t *type);

/* "error"; it is copied, as its owner may be writing it */
void ngx_http_vidcast_status_error(ngx_http_vidcast_text_t *text,
    const u_char *reason);


#endif /* _NGX_HTTP_VIDCAST_STATUS_RESPONSE_H_INCLUDED_ */
