
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_HTTP_VIDCAST_PUBLISH_BODY_H_INCLUDED_
#define _NGX_HTTP_VIDCAST_PUBLISH_BODY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* bytes that a form may have beside its picture */

#define NGX_HTTP_VIDCAST_PUBLISH_FORM  65536


/*
 * The body of a request, which has come: in memory, or in a file of nginx's.
 *
 * size()  of all of it, chunked ones included
 * copy()  all of it.  NGX_OK, or NGX_ERROR: the file could not be read, logged
 * form()  the first JPEG in the parts of a form, into room for *size bytes,
 *         which becomes the picture's.  NGX_OK; NGX_DECLINED: there is none;
 *         NGX_BUSY: it is larger; NGX_ERROR: as above, or no memory
 */
off_t ngx_http_vidcast_publish_body_size(ngx_http_request_t *r);
ngx_int_t ngx_http_vidcast_publish_body_copy(ngx_http_request_t *r,
    u_char *data);
ngx_int_t ngx_http_vidcast_publish_body_form(ngx_http_request_t *r,
    u_char *data, size_t *size);


#endif /* _NGX_HTTP_VIDCAST_PUBLISH_BODY_H_INCLUDED_ */
