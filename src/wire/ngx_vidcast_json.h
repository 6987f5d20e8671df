
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_JSON_H_INCLUDED_
#define _NGX_VIDCAST_JSON_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Is this one JSON value (RFC 8259), and nothing else?  White space around it
 * is cut, *size being what is left, and line feeds, carriage returns and tabs
 * in it become spaces, so that it can stand in a line; otherwise it stays as
 * it is.  NGX_OK; NGX_DECLINED: no, or too deep for the library, or no memory.
 */
ngx_int_t ngx_vidcast_json_check(u_char *data, size_t *size);


#endif /* _NGX_VIDCAST_JSON_H_INCLUDED_ */
