
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <grp.h>

#include "input/v4l2/ngx_vidcast_v4l2.h"


/* why a device does not work, in words, and what to do about it */


static void ngx_vidcast_v4l2_denied(ngx_vidcast_v4l2_t *dev, const char *path);


ngx_int_t
ngx_vidcast_v4l2_open_failed(ngx_vidcast_v4l2_t *dev, const char *path,
    ngx_err_t err)
{
    switch (err) {

    case ENOENT:
    case ENOTDIR:
    case ENODEV:
    case ENXIO:
        ngx_vidcast_v4l2_error(dev, "no such device");
        return NGX_AGAIN;

    case EACCES:
    case EPERM:
        ngx_vidcast_v4l2_denied(dev, path);
        return NGX_ERROR;

    default:
        return ngx_vidcast_v4l2_failed(dev, "open()", err);
    }
}


/* says what to do about it, as this is met by everybody once */

static void
ngx_vidcast_v4l2_denied(ngx_vidcast_v4l2_t *dev, const char *path)
{
    char             buf[1024];
    struct stat      st;
    struct group     group, *found;

    if (stat(path, &st) == -1) {
        ngx_vidcast_v4l2_error(dev, "permission denied");
        return;
    }

    if ((st.st_mode & 0060) != 0060) {
        ngx_vidcast_v4l2_error(dev, "permission denied, its mode is "
                               "0%ui%ui%ui",
                               (ngx_uint_t) (st.st_mode >> 6 & 7),
                               (ngx_uint_t) (st.st_mode >> 3 & 7),
                               (ngx_uint_t) (st.st_mode & 7));
        return;
    }

    found = NULL;

    if (getgrgid_r(st.st_gid, &group, buf, sizeof(buf), &found) == 0
        && found != NULL)
    {
        ngx_vidcast_v4l2_error(dev, "permission denied, nginx's \"user\" has "
                               "to be in the group \"%s\"", found->gr_name);
        return;
    }

    ngx_vidcast_v4l2_error(dev, "permission denied, nginx's \"user\" has to "
                           "be in the group %ui", (ngx_uint_t) st.st_gid);
}


void
ngx_vidcast_v4l2_error(ngx_vidcast_v4l2_t *dev, const char *fmt, ...)
{
    u_char   *p;
    va_list   args;

    va_start(args, fmt);
    p = ngx_vslprintf(dev->error, dev->error + NGX_VIDCAST_ERROR_LEN - 1, fmt,
                      args);
    va_end(args);

    *p = '\0';
}


void
ngx_vidcast_v4l2_error_add(ngx_vidcast_v4l2_t *dev, const char *fmt, ...)
{
    u_char   *p, *last;
    va_list   args;

    p = dev->error + ngx_strlen(dev->error);
    last = dev->error + NGX_VIDCAST_ERROR_LEN - 1;

    va_start(args, fmt);
    p = ngx_vslprintf(p, last, fmt, args);
    va_end(args);

    if (p == last) {
        ngx_memcpy(last - 3, "...", 3);
    }

    *p = '\0';
}


void
ngx_vidcast_v4l2_error_plain(ngx_vidcast_v4l2_t *dev)
{
    u_char  *p;

    for (p = dev->error; *p; p++) {

        if (*p < ' ' || *p > '~') {
            *p = '?';
        }
    }
}


ngx_int_t
ngx_vidcast_v4l2_failed(ngx_vidcast_v4l2_t *dev, const char *call,
    ngx_err_t err)
{
    u_char      *p, text[NGX_MAX_ERROR_STR / 16];
    const char  *what;

    switch (err) {

    case EBUSY:
        what = "busy, another program uses it";
        break;

    case ENODEV:
    case ENXIO:
        what = "the device is gone";
        break;

    default:
        what = "the device failed";
    }

    p = ngx_strerror(err, text, sizeof(text) - 1);
    *p = '\0';

    ngx_vidcast_v4l2_error(dev, "%s: %s failed (%d: %s)", what, call, err,
                           text);

    return (err == EBUSY) ? NGX_BUSY : NGX_ERROR;
}
