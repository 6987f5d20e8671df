
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "http/conf/ngx_http_vidcast_module.h"


/* FNV-1a; tells configurations apart, nobody is to be kept from forging it */

void
ngx_http_vidcast_fingerprint_add(ngx_vidcast_source_t *source, void *data,
    size_t size)
{
    u_char  *p, *last;

    p = data;
    last = p + size;

    while (p < last) {
        source->fingerprint ^= *p++;
        source->fingerprint *= 1099511628211U;
    }
}


/* a source whose file was replaced is another one; a device stays the same */

void
ngx_http_vidcast_fingerprint_file(ngx_vidcast_source_t *source, ngx_str_t *path)
{
    time_t           mtime;
    ngx_file_info_t  fi;

    if (path->len == 0
        || ngx_file_info(path->data, &fi) == NGX_FILE_ERROR
        || !(ngx_is_file(&fi) || ngx_is_dir(&fi)))
    {
        return;
    }

    mtime = ngx_file_mtime(&fi);

    ngx_http_vidcast_fingerprint_add(source, &fi.st_ino, sizeof(fi.st_ino));
    ngx_http_vidcast_fingerprint_add(source, &fi.st_size, sizeof(fi.st_size));
    ngx_http_vidcast_fingerprint_add(source, &mtime, sizeof(mtime));
}
