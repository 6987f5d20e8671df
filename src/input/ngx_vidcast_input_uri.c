
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast_error.h"
#include "input/ngx_vidcast_input.h"


/*
 * What a URI holds that must not be told: a user and a password before the
 * host, a query, and "password=" and the like in the path, where some cameras
 * want them.  Where the host begins, an unescaped "@", "/" or "?" in
 * a password makes a question that libraries answer in different ways; what
 * they take for a host is then a piece of the password.  Such a URI is
 * refused, and nothing of it is told.  Of NATS there may be several hosts,
 * and one user before them all.
 */

#define NGX_VIDCAST_INPUT_URI_MAX_PORT  65535


typedef struct {
    u_char      *authority;      /* "user:password@host:port" */
    u_char      *host;
    u_char      *path;           /* where the authority ends */
    u_char      *secret;         /* from "?" or "#" on, or in the path */
    u_char      *last;
    ngx_uint_t   list;           /* hosts may be several, "a:1,b:2" */
    ngx_uint_t   ambiguous;
} ngx_vidcast_input_uri_t;


static ngx_int_t ngx_vidcast_input_uri_split(ngx_str_t *uri,
    ngx_vidcast_input_uri_t *parts);
static ngx_uint_t ngx_vidcast_input_uri_secret(u_char *path, u_char *p);
static ngx_uint_t ngx_vidcast_input_uri_ambiguous(
    ngx_vidcast_input_uri_t *parts);
static ngx_uint_t ngx_vidcast_input_uri_host(u_char *p, u_char *last,
    ngx_uint_t *port);
static ngx_int_t ngx_vidcast_input_uri_port(u_char *p, u_char *last);
static ngx_uint_t ngx_vidcast_input_uri_path(ngx_str_t *uri);


ngx_int_t
ngx_vidcast_input_check_uri(ngx_str_t *uri, u_char *error)
{
    ngx_vidcast_input_uri_t  parts;

    if (ngx_vidcast_input_uri_split(uri, &parts) != NGX_OK
        || !parts.ambiguous)
    {
        return NGX_OK;
    }

    ngx_vidcast_error(error, "it is not clear what its host is; write "
                      "\"@\", \":\", \"/\", \"?\" and \"#\" of a user or a "
                      "password as %%40, %%3A, %%2F, %%3F and %%23, and any "
                      "\"@\" behind the host as %%40%s",
                      parts.list ? ", and \",\" as %2C" : "");

    return NGX_ERROR;
}


ngx_int_t
ngx_vidcast_input_redact(ngx_pool_t *pool, ngx_str_t *uri, ngx_str_t *told)
{
    size_t                    len;
    u_char                   *p;
    ngx_vidcast_input_uri_t   parts;

    *told = *uri;

    if (ngx_vidcast_input_uri_split(uri, &parts) != NGX_OK) {

        if (ngx_vidcast_input_uri_path(uri)
            || ngx_strlchr(uri->data, uri->data + uri->len, '@') == NULL)
        {
            return NGX_OK;
        }

        /* a URI whose slashes were forgotten */

        parts.authority = uri->data;
        parts.ambiguous = 1;
    }

    if (!parts.ambiguous
        && parts.host == parts.authority
        && parts.secret == parts.last)
    {
        return NGX_OK;
    }

    p = ngx_pnalloc(pool, uri->len + sizeof("***@?***"));
    if (p == NULL) {
        return NGX_ERROR;
    }

    told->data = p;

    len = parts.authority - uri->data;
    p = ngx_cpymem(p, uri->data, len);

    if (parts.ambiguous) {
        p = ngx_cpymem(p, "***", 3);

    } else {
        if (parts.host != parts.authority) {
            p = ngx_cpymem(p, "***@", 4);
        }

        p = ngx_cpymem(p, parts.host, parts.secret - parts.host);

        if (parts.secret != parts.last) {
            p = ngx_cpymem(p, "***", 3);
        }
    }

    told->len = p - told->data;
    *p = '\0';

    return NGX_OK;
}


/* NGX_DECLINED: it is no URL */

static ngx_int_t
ngx_vidcast_input_uri_split(ngx_str_t *uri, ngx_vidcast_input_uri_t *parts)
{
    u_char  *p, *last;

    last = uri->data + uri->len;

    p = ngx_strlcasestrn(uri->data, last, (u_char *) "://", 3 - 1);

    if (p == NULL || ngx_vidcast_input_uri_path(uri)) {
        return NGX_DECLINED;
    }

    parts->authority = p + 3;
    parts->host = parts->authority;
    parts->last = last;

    for (p = parts->authority; p < last; p++) {

        if (*p == '/' || *p == '?' || *p == '#') {
            break;
        }

        if (*p == '@') {
            parts->host = p + 1;
        }
    }

    parts->path = p;

    while (p < last
           && *p != '?' && *p != '#'
           && !ngx_vidcast_input_uri_secret(parts->path, p))
    {
        p++;
    }

    parts->secret = (p < last) ? p + 1 : p;
    parts->list = ngx_strncmp(uri->data, "nats:", 5) == 0;
    parts->ambiguous = ngx_vidcast_input_uri_ambiguous(parts);

    return NGX_OK;
}


/* does "p" end the name of what must not be told, as in "/user=me&pwd=key"? */

static ngx_uint_t
ngx_vidcast_input_uri_secret(u_char *path, u_char *p)
{
    u_char      *name;
    ngx_uint_t   i;

    static char  *names[] = { "pass", "pwd", "token", "secret", "key", NULL };

    if (*p != '=') {
        return 0;
    }

    for (name = p; name > path; name--) {
        if ((name[-1] | 0x20) < 'a' || (name[-1] | 0x20) > 'z') {
            break;
        }
    }

    for (i = 0; names[i]; i++) {
        if (ngx_strlcasestrn(name, p, (u_char *) names[i],
                             ngx_strlen(names[i]) - 1))
        {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_vidcast_input_uri_ambiguous(ngx_vidcast_input_uri_t *parts)
{
    u_char      *p, *end;
    ngx_uint_t   marks;

    marks = 0;

    for (p = parts->authority; p < parts->path; p++) {

        if (*p <= ' ' || *p == 0x7f || *p == '\\') {
            return 1;
        }

        if (*p == '@' && p + 1 != parts->host) {
            return 1;
        }

        if (*p == ',' && parts->list && p < parts->host) {
            return 1;
        }
    }

    for (p = parts->host; /* void */ ; p = end + 1) {

        end = parts->list ? ngx_strlchr(p, parts->path, ',') : NULL;

        if (end == NULL) {
            end = parts->path;
        }

        if (ngx_vidcast_input_uri_host(p, end, &marks)) {
            return 1;
        }

        if (end == parts->path) {
            break;
        }
    }

    if (parts->host != parts->authority || parts->path == parts->authority) {
        marks = 1;
    }

    /* "me:12/34@camera" */

    return marks && ngx_strlchr(parts->path, parts->last, '@') != NULL;
}


/* is it ambiguous?  *port: there is one */

static ngx_uint_t
ngx_vidcast_input_uri_host(u_char *p, u_char *last, ngx_uint_t *port)
{
    /* an IPv6 address has its colons in brackets */

    if (p < last && *p == '[') {
        p = ngx_strlchr(p, last, ']');

        if (p == NULL) {
            return 1;
        }

        p++;

        if (p < last && *p != ':') {
            return 1;
        }
    }

    p = ngx_strlchr(p, last, ':');

    if (p == NULL) {
        return 0;
    }

    *port = 1;

    return ngx_vidcast_input_uri_port(p + 1, last) != NGX_OK;
}


static ngx_int_t
ngx_vidcast_input_uri_port(u_char *p, u_char *last)
{
    ngx_int_t  port;

    if (p == last) {
        return NGX_OK;
    }

    port = ngx_atoi(p, last - p);

    return port == NGX_ERROR || port > NGX_VIDCAST_INPUT_URI_MAX_PORT
               ? NGX_ERROR : NGX_OK;
}


/* it names a file, which may have any character */

static ngx_uint_t
ngx_vidcast_input_uri_path(ngx_str_t *uri)
{
    ngx_str_t                    path;
    ngx_vidcast_input_module_t  *module;

    if (uri->len && (uri->data[0] == '/' || uri->data[0] == '.')) {
        return 1;
    }

    module = ngx_vidcast_input_find(uri, &path);

    return module
           && (module->flags & NGX_VIDCAST_INPUT_FILE
               || module == &ngx_vidcast_input_v4l2);
}
