
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "http/conf/ngx_http_vidcast_module.h"
#include "http/request/ngx_http_vidcast_response.h"
#include "http/request/ngx_http_vidcast_usage.h"


/*
 * The URL is what the client has sent, and what it sends may be a link of a
 * stranger's making.  It stands in HTML, in a string of JavaScript, and in an
 * argument of a shell: so whatever could end one of these is percent-encoded,
 * as a URL may have it.
 */


typedef struct {
    ngx_str_t                    base;       /* host and path, as encoded */
    const char                  *secure;     /* "s" of https and wss, or "" */
} ngx_http_vidcast_usage_url_t;


static ngx_int_t ngx_http_vidcast_usage_url(ngx_http_request_t *r,
    ngx_http_vidcast_usage_url_t *url);
static u_char *ngx_http_vidcast_usage_encode(u_char *dst, ngx_str_t *src);
static ngx_int_t ngx_http_vidcast_usage_policy(ngx_http_request_t *r);


static const char  ngx_http_vidcast_usage_page[] =
    "<!DOCTYPE html>" CRLF
    "<html lang=\"en\">" CRLF
    "<meta charset=\"utf-8\">" CRLF
    "<meta name=\"viewport\" content=\"width=device-width\">" CRLF
    "<meta name=\"color-scheme\" content=\"light dark\">" CRLF
    "<title>vidcast</title>" CRLF
    "<h1>This is a video stream, not a page</h1>" CRLF;

static const char  ngx_http_vidcast_usage_socket[] =
    "A script of a page gets it by WebSocket:\n\n"
    "    new WebSocket(\"ws%s://%V\")\n";

/* an <img> asks for any picture, and so for none of ours */

static const char  ngx_http_vidcast_usage_others[] =
    "\nResults alone, by server-sent events:\n\n"
    "    new EventSource(\"http%s://%V\")\n"
    "\nOne picture, in a file:\n\n"
    "    curl -H 'Accept: image/jpeg' -o picture.jpg 'http%s://%V'\n"
    "\nPictures one after the other, MJPEG:\n\n"
    "    curl -H 'Accept: multipart/x-mixed-replace' 'http%s://%V'\n"
    "\nFor <img src=\"...\"> the configuration of nginx needs a location with"
    "\n\"as=mjpeg\".\n";


ngx_int_t
ngx_http_vidcast_usage_answer(ngx_http_request_t *r,
    ngx_http_vidcast_headers_t *headers)
{
    u_char                        *p, *last;
    size_t                         len;
    ngx_str_t                      text, page;
    ngx_http_vidcast_loc_conf_t   *vlcf;
    ngx_http_vidcast_usage_url_t   url;

    static ngx_str_t  html = ngx_string("text/html; charset=utf-8");
    static ngx_str_t  plain = ngx_string("text/plain; charset=utf-8");

    if (ngx_http_vidcast_usage_url(r, &url) != NGX_OK
        || ngx_http_vidcast_usage_policy(r) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    vlcf = ngx_http_get_module_loc_conf(r, ngx_http_vidcast_module);

    len = sizeof(ngx_http_vidcast_usage_socket)
          + sizeof(ngx_http_vidcast_usage_others) + 4 * (1 + url.base.len);

    text.data = ngx_pnalloc(r->pool, len);
    if (text.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    last = text.data + len;

    p = ngx_slprintf(text.data, last, ngx_http_vidcast_usage_socket,
                     url.secure, &url.base);

    if (vlcf->as == NGX_HTTP_VIDCAST_AUTO) {
        p = ngx_slprintf(p, last, ngx_http_vidcast_usage_others,
                         url.secure, &url.base, url.secure, &url.base,
                         url.secure, &url.base);
    }

    text.len = p - text.data;

    if (!(headers->accept & NGX_HTTP_VIDCAST_ACCEPT_HTML)) {
        return ngx_http_vidcast_response_error(r,
                                        NGX_HTTP_VIDCAST_UPGRADE_REQUIRED,
                                        &plain, &text);
    }

    len = sizeof(ngx_http_vidcast_usage_page) + sizeof("<pre></pre>" CRLF)
          + text.len + ngx_escape_html(NULL, text.data, text.len);

    page.data = ngx_pnalloc(r->pool, len);
    if (page.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = ngx_cpymem(page.data, ngx_http_vidcast_usage_page,
                   sizeof(ngx_http_vidcast_usage_page) - 1);
    p = ngx_cpymem(p, "<pre>", sizeof("<pre>") - 1);
    p = (u_char *) ngx_escape_html(p, text.data, text.len);
    p = ngx_cpymem(p, "</pre>" CRLF, sizeof("</pre>" CRLF) - 1);

    page.len = p - page.data;

    return ngx_http_vidcast_response_error(r,
                                        NGX_HTTP_VIDCAST_UPGRADE_REQUIRED,
                                        &html, &page);
}


/* as the client has written it, before any rewrite; its query is its own */

static ngx_int_t
ngx_http_vidcast_usage_url(ngx_http_request_t *r,
    ngx_http_vidcast_usage_url_t *url)
{
    u_char                    *p;
    ngx_str_t                  host, path;
    ngx_http_core_srv_conf_t  *cscf;

    /* without a Host header, as $host has it */

    cscf = ngx_http_get_module_srv_conf(r, ngx_http_core_module);

    host = r->headers_in.host ? r->headers_in.host->value
                              : cscf->server_name;

    path = r->unparsed_uri;

    p = ngx_strlchr(path.data, path.data + path.len, '?');

    if (p) {
        path.len = p - path.data;
    }

    url->base.data = ngx_pnalloc(r->pool, 3 * (host.len + path.len));
    if (url->base.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_http_vidcast_usage_encode(url->base.data, &host);
    p = ngx_http_vidcast_usage_encode(p, &path);

    url->base.len = p - url->base.data;
    url->secure = "";

#if (NGX_HTTP_SSL)

    if (r->connection->ssl) {
        url->secure = "s";
    }

#endif

    return NGX_OK;
}


static u_char *
ngx_http_vidcast_usage_encode(u_char *dst, ngx_str_t *src)
{
    u_char  c;
    size_t  i;

    for (i = 0; i < src->len; i++) {
        c = src->data[i];

        if ((c >= '0' && c <= '9')
            || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
            || (c && ngx_strchr("-._~/:@%+,;=[]", c)))
        {
            *dst++ = c;

        } else {
            dst = ngx_sprintf(dst, "%%%02Xi", (ngx_uint_t) c);
        }
    }

    return dst;
}


/* nothing on it is to be loaded or run */

static ngx_int_t
ngx_http_vidcast_usage_policy(ngx_http_request_t *r)
{
    static ngx_str_t  policy = ngx_string("default-src 'none'; "
                          "base-uri 'none'; form-action 'none'; "
                          "frame-ancestors 'none'");
    static ngx_str_t  cache = ngx_string("no-store");

    if (ngx_http_vidcast_add_header(r, "Content-Security-Policy", &policy)
        != NGX_OK
        || ngx_http_vidcast_add_header(r, "Cache-Control", &cache) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}
