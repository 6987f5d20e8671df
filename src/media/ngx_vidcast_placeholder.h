
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_PLACEHOLDER_H_INCLUDED_
#define _NGX_VIDCAST_PLACEHOLDER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* room for one; the library wants its worst case */

#define NGX_VIDCAST_PLACEHOLDER_ROOM  (3 * 640 * 368 + 2048)


/*
 * A picture in place of one, which says why there is none: 640x360, dark, a
 * title of 20 letters at most, and a line of 50 below it, printable ASCII.
 * "dst" has room for *size bytes.  NGX_OK: *size is the length; NGX_ERROR: no
 * memory, or the library refused it.
 */
ngx_int_t ngx_vidcast_placeholder(ngx_str_t *title, ngx_str_t *line,
    u_char *dst, size_t *size);


#endif /* _NGX_VIDCAST_PLACEHOLDER_H_INCLUDED_ */
