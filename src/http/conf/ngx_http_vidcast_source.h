
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

/* one more output, by the words of its directive; NGX_CONF_ERROR, logged */
char *ngx_http_vidcast_source_add_output(ngx_conf_t *cf,
    ngx_vidcast_source_t *source, ngx_str_t *args, ngx_uint_t n);

/*
 * What directives do with their words.
 *
 * keep()     makes an array of them as they are, for the fingerprint, and to be
 *            read again.  NGX_ERROR: no memory.
 * split()    "name=value"; the value ends with a null, as the whole does.
 *            NGX_ERROR: it is none
 * answer()   logs what an input, a predictor or an output said of one of its
 *            parameters, if it is bad
 * invalid()  logs that the value is an invalid "what"; NGX_CONF_ERROR
 */
ngx_int_t ngx_http_vidcast_source_keep(ngx_conf_t *cf, ngx_array_t *words,
    ngx_str_t *args, ngx_uint_t n);
ngx_int_t ngx_http_vidcast_source_split(ngx_str_t *arg, ngx_str_t *name,
    ngx_str_t *value);
char *ngx_http_vidcast_source_answer(ngx_conf_t *cf, ngx_str_t *arg,
    ngx_int_t rc);
char *ngx_http_vidcast_source_invalid(ngx_conf_t *cf, const char *what,
    ngx_str_t *value);


#endif /* _NGX_HTTP_VIDCAST_SOURCE_H_INCLUDED_ */
