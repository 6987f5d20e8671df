
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_STRING_H_INCLUDED_
#define _NGX_VIDCAST_STRING_H_INCLUDED_


#include "core/ngx_vidcast.h"


#define NGX_VIDCAST_LIST_TRIM     0x1  /* spaces and tabs around an item */
#define NGX_VIDCAST_LIST_ESCAPED  0x2  /* "%2C" is a comma, too */


/* byte by byte, and without regard to case */
ngx_uint_t ngx_vidcast_equal(ngx_str_t *one, ngx_str_t *two);
ngx_uint_t ngx_vidcast_equal_nocase(ngx_str_t *one, ngx_str_t *two);

/*
 * The name of a source or zone: 1 to "max" bytes of letters, digits, "_", "-"
 * and ".".  It goes into messages, titles, URLs and JSON just as it is.
 */
ngx_uint_t ngx_vidcast_is_name(ngx_str_t *name, size_t max);

/*
 * Moves the first item of "a,b" from the list to "item", which may be empty.
 * Is there a comma, so another item, behind it?
 */
ngx_uint_t ngx_vidcast_list_next(ngx_str_t *list, ngx_str_t *item,
    ngx_uint_t flags);

/*
 * Is there an item in the list, without spaces around it, that equal() finds
 * to be the one?
 */
ngx_uint_t ngx_vidcast_list_has(ngx_str_t *list, ngx_str_t *one,
    ngx_uint_t (*equal)(ngx_str_t *item, ngx_str_t *one));


#endif /* _NGX_VIDCAST_STRING_H_INCLUDED_ */
