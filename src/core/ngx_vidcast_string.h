
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_STRING_H_INCLUDED_
#define _NGX_VIDCAST_STRING_H_INCLUDED_


#include "core/ngx_vidcast.h"


#define NGX_VIDCAST_LIST_TRIM     0x1  /* spaces and tabs around an item */
#define NGX_VIDCAST_LIST_ESCAPED  0x2  /* "%2C" is a comma, too */


typedef struct {
    u_char  need;    /* bytes to end a character */
    u_char  low;     /* bounds of its next byte */
    u_char  high;
} ngx_vidcast_utf8_t;


/* byte by byte, and without regard to case */
ngx_uint_t ngx_vidcast_equal(ngx_str_t *one, ngx_str_t *two);
ngx_uint_t ngx_vidcast_equal_nocase(ngx_str_t *one, ngx_str_t *two);

/* the same of a word that we know, such as the name of a parameter */

static ngx_inline ngx_uint_t
ngx_vidcast_is(ngx_str_t *str, const char *word)
{
    return str->len == ngx_strlen(word)
           && ngx_strncmp(str->data, word, str->len) == 0;
}


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

/*
 * Reads text as it comes: NGX_OK, utf8->need bytes of its last character being
 * still to come; NGX_ERROR: this is not UTF-8.  "need" is zero at first.
 */
ngx_int_t ngx_vidcast_utf8_read(ngx_vidcast_utf8_t *utf8, u_char *data,
    size_t size);

/* is this UTF-8, from the first to the last byte?  NGX_OK or NGX_ERROR */
ngx_int_t ngx_vidcast_utf8_check(u_char *data, size_t size);

/*
 * Text of any origin as it stands in a string of JSON; bytes that are not
 * UTF-8 become question marks.  It needs as much room as ngx_escape_json()
 * says, "size" and what that answers for NULL.  Answers the end of it.
 */
u_char *ngx_vidcast_json(u_char *p, u_char *data, size_t size);


#endif /* _NGX_VIDCAST_STRING_H_INCLUDED_ */
