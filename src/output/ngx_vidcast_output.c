
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast_error.h"
#include "output/ngx_vidcast_output.h"


/*
 * Adding an output, which is a plugin by src/vidcast_plugin.h: these files.
 *
 *     src/plugins/NAME/
 *         it, by that header alone
 *     src/output/ngx_vidcast_output_plugin.c
 *         its file and its hint; its module, and its parameters
 *     src/output/ngx_vidcast_output.h
 *         its module, "extern"
 *     src/output/ngx_vidcast_output.c
 *         the table below
 *     docs/directives/outputs.md, docs/development.md, CHANGES
 *         what a user sees of it; its place among the folders
 *     conf/vidcast-full.conf
 *         its parameters, with their defaults
 *     t/unit/output/test_output_plugin.c, t/NAME.t
 *         its own tests
 *     t/output.t, t/conf-errors.t
 *         its parameters, good and bad
 *     t/lib/Vidcast/Features.pm
 *         its row in the table of features
 *
 * How a plugin of ours is built is told in the list in
 * src/input/ngx_vidcast_input_plugin.c.
 */

static ngx_vidcast_output_module_t  *ngx_vidcast_output_modules[] = {
    &ngx_vidcast_output_nats,
    NULL
};


ngx_vidcast_output_module_t *
ngx_vidcast_output_find(ngx_str_t *uri, ngx_str_t *path)
{
    size_t                        len;
    u_char                       *p;
    ngx_uint_t                    i;
    ngx_vidcast_output_module_t  *module;

    p = ngx_strlchr(uri->data, uri->data + uri->len, ':');

    if (p == NULL) {
        return NULL;
    }

    len = p - uri->data;

    for (i = 0; ngx_vidcast_output_modules[i]; i++) {
        module = ngx_vidcast_output_modules[i];

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


void
ngx_vidcast_output_unknown(u_char *error)
{
    u_char      *p, *last;
    ngx_uint_t   i;

    p = error;
    last = error + NGX_VIDCAST_ERROR_LEN - 1;

    p = ngx_slprintf(p, last, "unknown scheme, there is ");

    for (i = 0; ngx_vidcast_output_modules[i]; i++) {
        p = ngx_slprintf(p, last, "%s\"%V:\"", i ? ", " : "",
                         &ngx_vidcast_output_modules[i]->scheme);
    }

    *p = '\0';
}
