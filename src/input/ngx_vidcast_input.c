
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast_error.h"
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
    &ngx_vidcast_input_rtmp,
    &ngx_vidcast_input_srt,
    &ngx_vidcast_input_udp,
    &ngx_vidcast_input_pipe,
    &ngx_vidcast_input_http,
    &ngx_vidcast_input_https,
    &ngx_vidcast_input_nats,
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


void
ngx_vidcast_input_unknown(ngx_str_t *uri, u_char *error)
{
    u_char      *p, *last;
    ngx_uint_t   i;
    const char  *scheme;

    if (uri->len && (uri->data[0] == '/' || uri->data[0] == '.')) {

        last = uri->data + uri->len;

        if (uri->len > sizeof("/dev/v") - 1
            && ngx_strncmp(uri->data, "/dev/v", sizeof("/dev/v") - 1) == 0)
        {
            scheme = "v4l2";

        } else if (last[-1] == '/' || ngx_strlchr(uri->data, last, '*')) {
            scheme = "images";

        } else {
            scheme = "file";
        }

        ngx_vidcast_error(error, "did you mean \"%s:%V\"?", scheme, uri);

        return;
    }

    p = error;
    last = error + NGX_VIDCAST_ERROR_LEN - 1;

    p = ngx_slprintf(p, last, "unknown scheme, there are ");

    for (i = 0; ngx_vidcast_input_modules[i]; i++) {
        p = ngx_slprintf(p, last, "%s\"%V:\"",
                         i == 0 ? ""
                         : ngx_vidcast_input_modules[i + 1] ? ", " : " and ",
                         &ngx_vidcast_input_modules[i]->scheme);
    }

    *p = '\0';
}
