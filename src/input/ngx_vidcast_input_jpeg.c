
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast_error.h"
#include "input/ngx_vidcast_input.h"


ngx_int_t
ngx_vidcast_input_jpeg(ngx_vidcast_input_t *in, ngx_vidcast_picture_t *picture,
    const u_char *data, size_t size)
{
    ngx_vidcast_jpeg_info_t  *info;

    info = &picture->info;

    if (ngx_vidcast_jpeg_probe(data, size, info) != NGX_OK
        && !(info->cut && in->conf->truncated))
    {
        if (info->width && info->height) {
            ngx_vidcast_error(in->error, "%s (%uz bytes, %uDx%uD pixels)",
                              ngx_vidcast_jpeg_fault_text(info->fault), size,
                              info->width, info->height);

        } else {
            ngx_vidcast_error(in->error, "%s (%uz bytes)",
                              ngx_vidcast_jpeg_fault_text(info->fault), size);
        }

        return NGX_DECLINED;
    }

    picture->data = data;
    picture->size = info->size;

    return NGX_OK;
}
