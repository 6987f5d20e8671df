
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "input/ngx_vidcast_input.h"


/*
 * Adding an input: its file, ngx_vidcast_input_NAME.c, here or in a folder of
 * its own, with the functions that ngx_vidcast_input.h describes; its module
 * there among the "extern" ones, and in the table below; its files in "config".
 * One that needs a library is a plugin instead, see vidcast_plugin.h, and its
 * scheme and parameters are added to ngx_vidcast_input_plugin.c; a scheme of
 * FFmpeg's also to plugins/av, vidcast_av_conf.c, and to the protocols that
 * vidcast_av_stream.c allows.  The unit tests that take all inputs for stubs
 * get one more; docs/directives/inputs.md and t/lib/Vidcast/Features.pm, too.
 */

static ngx_vidcast_input_module_t  *ngx_vidcast_input_modules[] = {
    &ngx_vidcast_input_test,
    &ngx_vidcast_input_images,
    &ngx_vidcast_input_v4l2,
    &ngx_vidcast_input_push,
    &ngx_vidcast_input_file,
    &ngx_vidcast_input_rtsp,
    &ngx_vidcast_input_rtsps,
    &ngx_vidcast_input_http,
    &ngx_vidcast_input_https,
    NULL
};


ngx_vidcast_input_module_t *
ngx_vidcast_input_find(ngx_str_t *uri, ngx_str_t *path)
{
    size_t                       len;
    u_char                      *p;
    ngx_uint_t                   i;
    ngx_vidcast_input_module_t  *module;

    p = ngx_strlchr(uri->data, uri->data + uri->len, ':');

    if (p == NULL) {
        return NULL;
    }

    len = p - uri->data;

    for (i = 0; ngx_vidcast_input_modules[i]; i++) {
        module = ngx_vidcast_input_modules[i];

        if (module->scheme.len == len
            && ngx_strncmp(module->scheme.data, uri->data, len) == 0)
        {
            path->data = p + 1;
            path->len = uri->len - len - 1;

            return module;
        }
    }

    return NULL;
}


ngx_int_t
ngx_vidcast_input_redact(ngx_pool_t *pool, ngx_str_t *uri, ngx_str_t *told)
{
    u_char  *p, *last, *host, *at, *query;

    *told = *uri;

    last = uri->data + uri->len;
    host = ngx_strlcasestrn(uri->data, last, (u_char *) "://", 3 - 1);

    if (host == NULL) {
        return NGX_OK;
    }

    host += 3;

    /* a password may have any character which its owner forgot to escape */

    for (at = last; at > host && at[-1] != '@'; at--) {
        /* void */
    }

    query = ngx_strlchr(at, last, '?');

    if (query == NULL) {
        query = last;
    }

    if (at == host && query == last) {
        return NGX_OK;
    }

    p = ngx_pnalloc(pool, uri->len + sizeof("***@?***"));
    if (p == NULL) {
        return NGX_ERROR;
    }

    told->data = p;

    p = ngx_cpymem(p, uri->data, host - uri->data);

    if (at != host) {
        p = ngx_cpymem(p, "***@", 4);
    }

    p = ngx_cpymem(p, at, query - at);

    if (query != last) {
        p = ngx_cpymem(p, "?***", 4);
    }

    told->len = p - told->data;
    *p = '\0';

    return NGX_OK;
}
