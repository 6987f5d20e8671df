
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_ESCAPE_H_INCLUDED_
#define _NGX_VIDCAST_ESCAPE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Text for a log, which has one entry in a line: whatever a client, a camera,
 * a file, a plugin or a program has chosen is escaped where it is logged.
 * Control characters, those that end a line in Unicode as well, "\", and what
 * is no UTF-8 become "\x0A"; what does not fit ends with "...".
 *
 *     ngx_vidcast_escaped_t  escaped;
 *
 *     ngx_log_error(..., "no source \"%V\"",
 *                   ngx_vidcast_escape_name(&escaped, &name));
 *
 * name()  to stand in quotes: a quote is escaped, too
 * text()  of a C string
 * line()  of "len" bytes
 */

#define NGX_VIDCAST_ESCAPED  1024

typedef struct {
    ngx_str_t              text;
    u_char                 data[NGX_VIDCAST_ESCAPED];
} ngx_vidcast_escaped_t;


ngx_str_t *ngx_vidcast_escape_name(ngx_vidcast_escaped_t *escaped,
    ngx_str_t *name);
ngx_str_t *ngx_vidcast_escape_text(ngx_vidcast_escaped_t *escaped,
    const void *text);
ngx_str_t *ngx_vidcast_escape_line(ngx_vidcast_escaped_t *escaped,
    u_char *line, size_t len);


#endif /* _NGX_VIDCAST_ESCAPE_H_INCLUDED_ */
