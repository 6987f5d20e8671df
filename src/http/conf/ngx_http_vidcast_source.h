
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_HTTP_VIDCAST_SOURCE_H_INCLUDED_
#define _NGX_HTTP_VIDCAST_SOURCE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "core/ngx_vidcast.h"


/* a vidcast_source block while it is read */

typedef struct {
    ngx_vidcast_source_t  *source;
    ngx_uint_t             seen;          /* bits, by directive */
} ngx_http_vidcast_block_t;


/* a source with the defaults of its directives; NULL: no memory */
ngx_vidcast_source_t *ngx_http_vidcast_source_create(ngx_conf_t *cf,
    ngx_str_t *name);


/* reads the directives of the block that "cf" stands in by a handler */
char *ngx_http_vidcast_source_parse(ngx_conf_t *cf,
    ngx_conf_handler_pt handler, void *conf);

/* the handler of those of a source; conf: ngx_http_vidcast_block_t */
char *ngx_http_vidcast_source_directive(ngx_conf_t *cf, ngx_command_t *dummy,
    void *conf);

/* logs that the value is an invalid "what"; NGX_CONF_ERROR */
char *ngx_http_vidcast_source_invalid(ngx_conf_t *cf, const char *what,
    ngx_str_t *value);


#endif /* _NGX_HTTP_VIDCAST_SOURCE_H_INCLUDED_ */
