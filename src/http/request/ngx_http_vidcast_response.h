
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_HTTP_VIDCAST_RESPONSE_H_INCLUDED_
#define _NGX_HTTP_VIDCAST_RESPONSE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* a header of the response, its value in static or pool memory */
ngx_int_t ngx_http_vidcast_add_header(ngx_http_request_t *r, const char *name,
    ngx_str_t *value);

/* the same, in the place of one that an earlier location has added */
ngx_int_t ngx_http_vidcast_set_header(ngx_http_request_t *r, const char *name,
    ngx_str_t *value);

/*
 * Sends a whole response: the header, and these buffers, "size" bytes
 * together; NULL: no body.  Returns what the handler returns; nothing but the
 * header was sent if r->header_only is set.
 */
ngx_int_t ngx_http_vidcast_response_send(ngx_http_request_t *r,
    ngx_uint_t status, ngx_str_t *type, ngx_chain_t *out, off_t size);

/* the same with one text, in static or pool memory */
ngx_int_t ngx_http_vidcast_response_text(ngx_http_request_t *r,
    ngx_uint_t status, ngx_str_t *type, ngx_str_t *text);

/*
 * The same of an error, unless the configuration has an "error_page" for it,
 * or it is that of a subrequest: then the status, for nginx.
 */
ngx_int_t ngx_http_vidcast_response_error(ngx_http_request_t *r,
    ngx_uint_t status, ngx_str_t *type, ngx_str_t *text);


#endif /* _NGX_HTTP_VIDCAST_RESPONSE_H_INCLUDED_ */
