
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_HTTP_VIDCAST_TEXT_H_INCLUDED_
#define _NGX_HTTP_VIDCAST_TEXT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * A text in buffers that are added as it grows: its writers need not know how
 * long it will be, and it is never cut.  Without memory it has failed, and
 * what is written to it then is lost.
 *
 * Commas of JSON are set here, before each item but the first one of an object
 * or an array.
 */

typedef struct {
    ngx_pool_t   *pool;
    ngx_chain_t  *first;             /* NULL: nothing is written yet */
    ngx_chain_t  *last;
    ngx_buf_t    *buf;               /* being filled, in the chain or not yet */
    size_t        size;              /* of all that is written */
    unsigned      comma:1;           /* comes before the next item */
    unsigned      failed:1;
} ngx_http_vidcast_text_t;


void ngx_http_vidcast_text_init(ngx_http_vidcast_text_t *text,
    ngx_pool_t *pool);

/* as ngx_sprintf() does, whatever the length */
void ngx_cdecl ngx_http_vidcast_text_printf(ngx_http_vidcast_text_t *text,
    const char *fmt, ...);

/* the same: a value of an array, or one or more members of an object */
void ngx_cdecl ngx_http_vidcast_text_item(ngx_http_vidcast_text_t *text,
    const char *fmt, ...);

/* a member whose value is a string, to be escaped */
void ngx_http_vidcast_text_string(ngx_http_vidcast_text_t *text,
    const char *name, u_char *data, size_t len);

/* an item that is an object or an array; without a name: NULL */
void ngx_http_vidcast_text_begin(ngx_http_vidcast_text_t *text,
    const char *name, int bracket);
void ngx_http_vidcast_text_end(ngx_http_vidcast_text_t *text, int bracket);


#endif /* _NGX_HTTP_VIDCAST_TEXT_H_INCLUDED_ */
