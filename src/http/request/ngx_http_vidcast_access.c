
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "core/ngx_vidcast_escape.h"
#include "core/ngx_vidcast_string.h"
#include "http/conf/ngx_http_vidcast_module.h"
#include "http/request/ngx_http_vidcast_access.h"
#include "http/request/ngx_http_vidcast_headers.h"
#include "http/request/ngx_http_vidcast_origin.h"
#include "http/request/ngx_http_vidcast_response.h"


/*
 * Which pages may come here, for all locations that have a directive of ours,
 * and what their browser is told of it.
 *
 * A page of another site can have the user's browser ask for anything here,
 * with the user's cookies, and from within the user's network.  The browser
 * names the page in an Origin header where the page could read the answer, or
 * change something; where it could only show it, as <img> does, newer browsers
 * say at least that the site is another one, and most name it in a Referer.
 * Neither can be made up by a page.  No such header: not a browser, or a page
 * of this site.
 *
 * This is before the phase of nginx in which passwords and the like are looked
 * at: a browser asks whether it may ask (OPTIONS) without the password.
 */


typedef enum {
    NGX_HTTP_VIDCAST_PAGE_OWN = 0,      /* or none */
    NGX_HTTP_VIDCAST_PAGE_NAMED,        /* by the configuration */
    NGX_HTTP_VIDCAST_PAGE_ANY,
    NGX_HTTP_VIDCAST_PAGE_FOREIGN
} ngx_http_vidcast_page_e;


static ngx_int_t ngx_http_vidcast_access_handler(ngx_http_request_t *r);
static ngx_http_vidcast_page_e ngx_http_vidcast_access_page(
    ngx_http_request_t *r, ngx_http_vidcast_headers_t *headers);
static ngx_http_vidcast_page_e ngx_http_vidcast_access_find(
    ngx_http_request_t *r, ngx_str_t *text);
static ngx_uint_t ngx_http_vidcast_access_embeds(ngx_http_request_t *r,
    ngx_http_vidcast_headers_t *headers);
static ngx_int_t ngx_http_vidcast_access_refuse(ngx_http_request_t *r,
    ngx_http_vidcast_headers_t *headers);
static ngx_int_t ngx_http_vidcast_access_tell(ngx_http_request_t *r,
    ngx_http_vidcast_headers_t *headers, ngx_http_vidcast_page_e page);
static ngx_int_t ngx_http_vidcast_access_tell_origin(ngx_http_request_t *r,
    ngx_http_vidcast_headers_t *headers, ngx_uint_t named);
static ngx_int_t ngx_http_vidcast_access_preflight(ngx_http_request_t *r,
    ngx_http_vidcast_headers_t *headers);


ngx_int_t
ngx_http_vidcast_access_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_PREACCESS_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_vidcast_access_handler;

    return NGX_OK;
}


static ngx_int_t
ngx_http_vidcast_access_handler(ngx_http_request_t *r)
{
    ngx_http_vidcast_page_e       page;
    ngx_http_vidcast_headers_t    headers;
    ngx_http_vidcast_loc_conf_t  *vlcf;

    vlcf = ngx_http_get_module_loc_conf(r, ngx_http_vidcast_module);

    /* a subrequest is nginx's, whoever asked for the main one */

    if (vlcf->handler == NULL || r != r->main) {
        return NGX_DECLINED;
    }

    ngx_http_vidcast_headers_read(r, &headers);

    page = ngx_http_vidcast_access_page(r, &headers);

    /* a browser does not let the page see how a handshake was answered */

    if (!headers.websocket
        && ngx_http_vidcast_access_tell(r, &headers, page) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (page == NGX_HTTP_VIDCAST_PAGE_FOREIGN) {
        return ngx_http_vidcast_access_refuse(r, &headers);
    }

    if (r->method == NGX_HTTP_OPTIONS
        && headers.origin
        && headers.request_method)
    {
        return ngx_http_vidcast_access_preflight(r, &headers);
    }

    return NGX_DECLINED;
}


static ngx_http_vidcast_page_e
ngx_http_vidcast_access_page(ngx_http_request_t *r,
    ngx_http_vidcast_headers_t *headers)
{
    u_char                   *p, *last;
    ngx_str_t                 site;
    ngx_http_vidcast_page_e   page;

    if (headers->origin) {

        /* a browser sends one */

        if (headers->origins) {
            ngx_str_null(&site);
            return ngx_http_vidcast_access_find(r, &site);
        }

        return ngx_http_vidcast_access_find(r, headers->origin);
    }

    ngx_str_null(&site);

    if (headers->referer) {
        site = *headers->referer;
        last = site.data + site.len;

        p = ngx_strlcasestrn(site.data, last, (u_char *) "://", 3 - 1);
        p = p ? ngx_strlchr(p + 3, last, '/') : NULL;

        if (p) {
            site.len = p - site.data;
        }
    }

    page = ngx_http_vidcast_access_find(r, &site);

    if (page == NGX_HTTP_VIDCAST_PAGE_FOREIGN
        && !ngx_http_vidcast_access_embeds(r, headers))
    {
        return NGX_HTTP_VIDCAST_PAGE_OWN;
    }

    return page;
}


/* of its origin, which may be none that can be read */

static ngx_http_vidcast_page_e
ngx_http_vidcast_access_find(ngx_http_request_t *r, ngx_str_t *text)
{
    ngx_uint_t                    i;
    ngx_http_vidcast_origin_t     origin, own, *allowed;
    ngx_http_vidcast_loc_conf_t  *vlcf;

    vlcf = ngx_http_get_module_loc_conf(r, ngx_http_vidcast_module);

    if (ngx_http_vidcast_origin_parse(text, &origin) == NGX_OK) {

        if (vlcf->origins) {
            allowed = vlcf->origins->elts;

            for (i = 0; i < vlcf->origins->nelts; i++) {

                if (ngx_http_vidcast_origin_match(&origin, &allowed[i])) {
                    return NGX_HTTP_VIDCAST_PAGE_NAMED;
                }
            }
        }

        if ((vlcf->origin & NGX_HTTP_VIDCAST_ORIGIN_SAME)
            && r->headers_in.host
            && ngx_http_vidcast_origin_host(&r->headers_in.host->value, &own)
               == NGX_OK
            && ngx_http_vidcast_origin_same(&origin, &own))
        {
            return NGX_HTTP_VIDCAST_PAGE_OWN;
        }
    }

    return (vlcf->origin & NGX_HTTP_VIDCAST_ORIGIN_ANY)
               ? NGX_HTTP_VIDCAST_PAGE_ANY : NGX_HTTP_VIDCAST_PAGE_FOREIGN;
}


/*
 * Does a page of another site have it in itself, as an <img> or a frame?  A
 * page that the user comes from, by a link, does not see what the user sees.
 */

static ngx_uint_t
ngx_http_vidcast_access_embeds(ngx_http_request_t *r,
    ngx_http_vidcast_headers_t *headers)
{
    if (headers->fetch_site == NULL) {
        return 0;
    }

    /* what rules of a page have fetched ahead looks like the user's own */

    if (!ngx_vidcast_is(headers->fetch_site, "cross-site")
        && !(headers->purpose && ngx_vidcast_is(headers->fetch_site, "none")))
    {
        return 0;
    }

    return !(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))
           || headers->fetch_mode == NULL
           || !ngx_vidcast_is(headers->fetch_mode, "navigate")
           || headers->fetch_dest == NULL
           || !ngx_vidcast_is(headers->fetch_dest, "document")
           || headers->purpose;
}


static ngx_int_t
ngx_http_vidcast_access_refuse(ngx_http_request_t *r,
    ngx_http_vidcast_headers_t *headers)
{
    ngx_str_t              *host, *page;
    ngx_vidcast_escaped_t   one, other;

    static ngx_str_t  unnamed = ngx_string("");

    if (!ngx_http_vidcast_log_limit(r, NGX_HTTP_VIDCAST_LOG_PAGE)) {
        return NGX_HTTP_FORBIDDEN;
    }

    host = r->headers_in.host ? &r->headers_in.host->value
                              : &r->headers_in.server;

    if (headers->origin) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "origin \"%V\" is not allowed for host \"%V\", "
                      "see \"vidcast_origin\"",
                      ngx_vidcast_escape_name(&one, headers->origin),
                      ngx_vidcast_escape_name(&other, host));

        return NGX_HTTP_FORBIDDEN;
    }

    page = headers->referer ? headers->referer : &unnamed;

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "a page of another site, \"%V\", is not allowed for host "
                  "\"%V\", see \"vidcast_origin\"",
                  ngx_vidcast_escape_name(&one, page),
                  ngx_vidcast_escape_name(&other, host));

    return NGX_HTTP_FORBIDDEN;
}


/*
 * Without these a browser shows a picture of here to any page, and no text to
 * any of another origin.
 */

static ngx_int_t
ngx_http_vidcast_access_tell(ngx_http_request_t *r,
    ngx_http_vidcast_headers_t *headers, ngx_http_vidcast_page_e page)
{
    ngx_uint_t                    open;
    ngx_http_vidcast_loc_conf_t  *vlcf;

    static ngx_str_t  same = ngx_string("same-site");
    static ngx_str_t  cross = ngx_string("cross-origin");
    static ngx_str_t  nosniff = ngx_string("nosniff");
    static ngx_str_t  origin = ngx_string("Origin");

    vlcf = ngx_http_get_module_loc_conf(r, ngx_http_vidcast_module);

    open = (vlcf->origin & NGX_HTTP_VIDCAST_ORIGIN_ANY)
           || page == NGX_HTTP_VIDCAST_PAGE_NAMED;

    if (ngx_http_vidcast_set_header(r, "Cross-Origin-Resource-Policy",
                                    open ? &cross : &same)
        != NGX_OK
        || ngx_http_vidcast_set_header(r, "X-Content-Type-Options", &nosniff)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* with "any" alone the answer is the same for all */

    if (vlcf->origin != NGX_HTTP_VIDCAST_ORIGIN_ANY
        && ngx_http_vidcast_set_header(r, "Vary", &origin) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (headers->origin == NULL || page == NGX_HTTP_VIDCAST_PAGE_FOREIGN) {
        return NGX_OK;
    }

    return ngx_http_vidcast_access_tell_origin(r, headers,
                                           page != NGX_HTTP_VIDCAST_PAGE_ANY);
}


/* with the user's password only to those that the configuration names */

static ngx_int_t
ngx_http_vidcast_access_tell_origin(ngx_http_request_t *r,
    ngx_http_vidcast_headers_t *headers, ngx_uint_t named)
{
    static ngx_str_t  all = ngx_string("*");
    static ngx_str_t  yes = ngx_string("true");
    static ngx_str_t  expose = ngx_string("ETag, Retry-After, X-Timestamp, "
                                          "X-Vidcast-Age, X-Vidcast-Frame, "
                                          "X-Vidcast-Result, "
                                          "X-Vidcast-State");

    if (ngx_http_vidcast_set_header(r, "Access-Control-Allow-Origin",
                                    named ? headers->origin : &all)
        != NGX_OK
        || ngx_http_vidcast_set_header(r, "Access-Control-Expose-Headers",
                                       &expose)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return named ? ngx_http_vidcast_set_header(r,
                                          "Access-Control-Allow-Credentials",
                                          &yes)
                 : NGX_OK;
}


/* whatever headers it wants to send: those that are not known are not read */

static ngx_int_t
ngx_http_vidcast_access_preflight(ngx_http_request_t *r,
    ngx_http_vidcast_headers_t *headers)
{
    ngx_int_t                     rc;
    ngx_http_vidcast_loc_conf_t  *vlcf;

    static ngx_str_t  get = ngx_string("GET, HEAD");
    static ngx_str_t  put = ngx_string("POST, PUT");
    static ngx_str_t  age = ngx_string("7200");

    vlcf = ngx_http_get_module_loc_conf(r, ngx_http_vidcast_module);

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_vidcast_set_header(r, "Access-Control-Allow-Methods",
                                    vlcf->publish ? &put : &get)
        != NGX_OK
        || (headers->request_headers
            && ngx_http_vidcast_set_header(r, "Access-Control-Allow-Headers",
                                           headers->request_headers)
               != NGX_OK)
        || ngx_http_vidcast_set_header(r, "Access-Control-Max-Age", &age)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_HTTP_NO_CONTENT;
}
