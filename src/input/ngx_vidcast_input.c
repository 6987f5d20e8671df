
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "input/ngx_vidcast_input.h"


/*
 * Adding an input: these files.
 *
 *     src/input/ngx_vidcast_input_NAME.c
 *         its driver, or in a folder there
 *     src/input/ngx_vidcast_input.h
 *         its module, "extern"
 *     src/input/ngx_vidcast_input.c
 *         the table below
 *     src/capture/ngx_vidcast_frame_publish.c
 *         where its frames can be lost, in the list at its head
 *     config
 *         its files
 *     docs/directives/inputs.md, docs/development.md, CHANGES
 *         what a user sees of it; its place among the folders
 *     conf/vidcast-full.conf
 *         its parameters, with their defaults
 *     t/unit/unit_input.h
 *         its name, for tests which have the table
 *     t/unit/input/test_input_NAME.c, t/NAME.t
 *         its own tests
 *     t/conf.t, t/conf-errors.t
 *         its parameters, good and bad
 *     t/lib/Vidcast/Features.pm
 *         its row in the table of features
 *
 * One that needs a library is a plugin, by src/vidcast_plugin.h: see the list
 * in src/input/ngx_vidcast_input_plugin.c.  A scheme of FFmpeg's has in the
 * place of a driver:
 *
 *     src/input/ngx_vidcast_input_plugin.c
 *         its module and its parameters
 *     src/plugins/av/vidcast_av.h
 *         its bit, unless it is HTTP
 *     src/plugins/av/vidcast_av_conf.c
 *         its scheme and its parameters
 *     src/plugins/av/vidcast_av_stream.c
 *         the protocols it may use, and whether it is a recording
 *     t/unit/plugins/test_av.c
 *         its parameters
 *     t/av-conf.t, t/docs.t
 *         its errors, its examples
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
