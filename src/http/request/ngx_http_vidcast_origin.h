
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_HTTP_VIDCAST_ORIGIN_H_INCLUDED_
#define _NGX_HTTP_VIDCAST_ORIGIN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * An origin of RFC 6454, scheme "://" host [ ":" port ], and what stands for
 * some in a configuration.
 */

typedef struct {
    ngx_str_t    scheme;      /* empty: http or https */
    ngx_str_t    host;        /* without the "*." before it */
    ngx_uint_t   port;        /* that of the scheme, if none is named; or 0 */
    ngx_uint_t   sub;         /* the hosts below it, not itself */
} ngx_http_vidcast_origin_t;


/*
 * parse()  of an Origin header: nothing else may stand there
 * host()   of a Host header, "host[:port]": the ports of http and https are
 *          as good as none, as TLS may end in front of us
 * value()  of a configuration, "[scheme://][*.]host[:port]": without a scheme
 *          and a port it is one of any port
 *
 * NGX_OK or NGX_ERROR: it is none
 */
ngx_int_t ngx_http_vidcast_origin_parse(ngx_str_t *text,
    ngx_http_vidcast_origin_t *origin);
ngx_int_t ngx_http_vidcast_origin_host(ngx_str_t *text,
    ngx_http_vidcast_origin_t *origin);
ngx_int_t ngx_http_vidcast_origin_value(ngx_str_t *text,
    ngx_http_vidcast_origin_t *origin);

/* is it that of a Host header, of one of the two schemes? */
ngx_uint_t ngx_http_vidcast_origin_same(ngx_http_vidcast_origin_t *origin,
    ngx_http_vidcast_origin_t *host);

/* is it one of those that a value of a configuration stands for? */
ngx_uint_t ngx_http_vidcast_origin_match(ngx_http_vidcast_origin_t *origin,
    ngx_http_vidcast_origin_t *value);


#endif /* _NGX_HTTP_VIDCAST_ORIGIN_H_INCLUDED_ */
