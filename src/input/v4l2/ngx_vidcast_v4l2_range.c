
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <linux/videodev2.h>

#include "input/v4l2/ngx_vidcast_v4l2.h"
#include "core/ngx_vidcast_escape.h"


/* the controls that a device has, by name, and what can be said of them */


#define NGX_VIDCAST_V4L2_LINE  1024    /* bytes of a list's line in the log */


static ngx_int_t ngx_vidcast_v4l2_next_control(ngx_vidcast_v4l2_t *dev,
    ngx_vidcast_v4l2_query_t *query);
static size_t ngx_vidcast_v4l2_variable(u_char *dst, const u_char *src,
    size_t len);
static ngx_uint_t ngx_vidcast_v4l2_same(ngx_str_t *name, const u_char *text);
static u_char *ngx_vidcast_v4l2_print_control(ngx_vidcast_v4l2_t *dev,
    u_char *p, u_char *last, ngx_vidcast_v4l2_query_t *query);


/* of those which one can set by a word; query->id is where it begins */

static ngx_int_t
ngx_vidcast_v4l2_next_control(ngx_vidcast_v4l2_t *dev,
    ngx_vidcast_v4l2_query_t *query)
{
    uint32_t  id;

    for ( ;; ) {
        id = query->id;

        ngx_memzero(query, sizeof(ngx_vidcast_v4l2_query_t));
        query->id = id | V4L2_CTRL_FLAG_NEXT_CTRL;

        if (ngx_vidcast_v4l2_ioctl(dev, VIDIOC_QUERY_EXT_CTRL, query) == -1
            || query->id <= id)
        {
            return NGX_DECLINED;
        }

        if (query->flags & V4L2_CTRL_FLAG_DISABLED) {
            continue;
        }

        switch (query->type) {

        case V4L2_CTRL_TYPE_INTEGER:
        case V4L2_CTRL_TYPE_BOOLEAN:
        case V4L2_CTRL_TYPE_MENU:
        case V4L2_CTRL_TYPE_INTEGER_MENU:
        case V4L2_CTRL_TYPE_BUTTON:
        case V4L2_CTRL_TYPE_BITMASK:
        case V4L2_CTRL_TYPE_INTEGER64:
        case V4L2_CTRL_TYPE_STRING:
            return NGX_OK;
        }
    }
}


ngx_int_t
ngx_vidcast_v4l2_find_control(ngx_vidcast_v4l2_t *dev, ngx_str_t *name,
    ngx_vidcast_v4l2_query_t *query)
{
    query->id = 0;

    while (ngx_vidcast_v4l2_next_control(dev, query) == NGX_OK) {

        if (ngx_vidcast_v4l2_same(name, (u_char *) query->name)) {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


ngx_uint_t
ngx_vidcast_v4l2_is_menu(ngx_vidcast_v4l2_query_t *query)
{
    return query->type == V4L2_CTRL_TYPE_MENU
           || query->type == V4L2_CTRL_TYPE_INTEGER_MENU;
}


/* "Exposure Time, Absolute" is exposure_time_absolute; dst may be src */

static size_t
ngx_vidcast_v4l2_variable(u_char *dst, const u_char *src, size_t len)
{
    u_char        c, *p;
    ngx_uint_t    gap;
    const u_char *last;

    p = dst;
    gap = 0;

    for (last = src + len; src < last && *src; src++) {

        c = ngx_tolower(*src);

        if ((c < 'a' || c > 'z') && (c < '0' || c > '9')) {
            gap = 1;
            continue;
        }

        if (gap && p != dst) {
            *p++ = '_';
        }

        gap = 0;
        *p++ = c;
    }

    return p - dst;
}


static ngx_uint_t
ngx_vidcast_v4l2_same(ngx_str_t *name, const u_char *text)
{
    size_t  len;
    u_char  buf[NGX_VIDCAST_V4L2_NAME];

    len = ngx_vidcast_v4l2_variable(buf, text, sizeof(buf));

    return len && len == name->len && ngx_memcmp(buf, name->data, len) == 0;
}


/* its name, terminated, of 32 bytes at most; NGX_DECLINED: there is none */

ngx_int_t
ngx_vidcast_v4l2_entry(ngx_vidcast_v4l2_t *dev,
    ngx_vidcast_v4l2_query_t *query, uint32_t index, u_char *name)
{
    struct v4l2_querymenu  menu;

    ngx_memzero(&menu, sizeof(struct v4l2_querymenu));
    menu.id = query->id;
    menu.index = index;

    if (ngx_vidcast_v4l2_ioctl(dev, VIDIOC_QUERYMENU, &menu) == -1) {
        return NGX_DECLINED;
    }

    if (query->type == V4L2_CTRL_TYPE_INTEGER_MENU) {
        (void) ngx_snprintf(name, NGX_VIDCAST_V4L2_NAME, "%L%Z",
                            (int64_t) menu.value);

    } else {
        (void) ngx_cpystrn(name, menu.name, NGX_VIDCAST_V4L2_NAME);
    }

    return NGX_OK;
}


ngx_int_t
ngx_vidcast_v4l2_find_entry(ngx_vidcast_v4l2_t *dev,
    ngx_vidcast_v4l2_query_t *query, ngx_str_t *text, int64_t *number)
{
    u_char     name[NGX_VIDCAST_V4L2_NAME], buf[NGX_VIDCAST_V4L2_NAME];
    int64_t    i;
    ngx_str_t  wanted;

    wanted.data = buf;
    wanted.len = ngx_vidcast_v4l2_variable(buf, text->data,
                                           ngx_min(text->len, sizeof(buf)));

    for (i = ngx_max(query->minimum, 0); i <= query->maximum; i++) {

        if (ngx_vidcast_v4l2_entry(dev, query, i, name) == NGX_OK
            && ngx_vidcast_v4l2_same(&wanted, name))
        {
            *number = i;
            return NGX_OK;
        }
    }

    return NGX_ERROR;
}


/* with all the others, as far as there is room; the log has room */

void
ngx_vidcast_v4l2_unknown_control(ngx_vidcast_v4l2_t *dev, ngx_str_t *name)
{
    u_char                    *p, *last, *end;
    ngx_uint_t                 n;
    ngx_vidcast_v4l2_query_t   query;

    ngx_vidcast_v4l2_error(dev, "no control \"%V\"", name);

    p = dev->error + ngx_strlen(dev->error);
    last = dev->error + NGX_VIDCAST_ERROR_LEN - sizeof(", ...");

    query.id = 0;

    for (n = 0; ngx_vidcast_v4l2_next_control(dev, &query) == NGX_OK; n++) {

        end = ngx_slprintf(p, last, n ? ", " : ", it has ");
        end = ngx_vidcast_v4l2_print_control(dev, end, last, &query);

        if (end >= last) {
            p = ngx_cpymem(p, ", ...", sizeof(", ...") - 1);
            break;
        }

        p = end;
    }

    if (n == 0) {
        p = ngx_slprintf(p, last, ", it has none");
    }

    *p = '\0';
}


/* once, until all are right */

void
ngx_vidcast_v4l2_list_controls(ngx_vidcast_v4l2_t *dev)
{
    u_char                    *p, *end, *last, line[NGX_VIDCAST_V4L2_LINE];
    ngx_vidcast_escaped_t      escaped;
    ngx_vidcast_v4l2_query_t   query;

    if (!dev->list) {
        return;
    }

    dev->list = 0;

    p = line;
    last = line + sizeof(line);
    query.id = 0;

    while (ngx_vidcast_v4l2_next_control(dev, &query) == NGX_OK) {

        end = ngx_slprintf(p, last, (p == line) ? "" : ", ");
        end = ngx_vidcast_v4l2_print_control(dev, end, last, &query);

        if (end == last && p != line) {
            ngx_log_error(NGX_LOG_NOTICE, dev->log, 0, "controls: %V",
                          ngx_vidcast_escape_line(&escaped, line, p - line));

            end = ngx_vidcast_v4l2_print_control(dev, line, last, &query);
        }

        p = end;
    }

    if (p != line) {
        ngx_log_error(NGX_LOG_NOTICE, dev->log, 0, "controls: %V",
                      ngx_vidcast_escape_line(&escaped, line, p - line));
    }
}


static u_char *
ngx_vidcast_v4l2_print_control(ngx_vidcast_v4l2_t *dev, u_char *p,
    u_char *last, ngx_vidcast_v4l2_query_t *query)
{
    u_char     buf[NGX_VIDCAST_V4L2_NAME];
    ngx_str_t  name;

    name.data = buf;
    name.len = ngx_vidcast_v4l2_variable(buf, (u_char *) query->name,
                                         sizeof(buf));

    p = ngx_slprintf(p, last, "%V ", &name);
    p = ngx_vidcast_v4l2_print_range(dev, p, last, query);

    if (query->flags & V4L2_CTRL_FLAG_READ_ONLY) {
        return ngx_slprintf(p, last, " read-only");
    }

    if (query->flags & V4L2_CTRL_FLAG_INACTIVE) {
        return ngx_slprintf(p, last, " inactive");
    }

    return p;
}


u_char *
ngx_vidcast_v4l2_print_range(ngx_vidcast_v4l2_t *dev, u_char *p, u_char *last,
    ngx_vidcast_v4l2_query_t *query)
{
    u_char      name[NGX_VIDCAST_V4L2_NAME];
    int64_t     i;
    const char *gap;

    switch (query->type) {

    case V4L2_CTRL_TYPE_BOOLEAN:
        return ngx_slprintf(p, last, "on|off");

    case V4L2_CTRL_TYPE_BUTTON:
        return ngx_slprintf(p, last, "on");

    case V4L2_CTRL_TYPE_BITMASK:
        return ngx_slprintf(p, last, "0..0x%xL", query->maximum);

    case V4L2_CTRL_TYPE_STRING:
        return ngx_slprintf(p, last, "%L..%L bytes", query->minimum,
                            query->maximum);

    default:
        break;
    }

    if (ngx_vidcast_v4l2_is_menu(query)) {
        gap = "";

        for (i = ngx_max(query->minimum, 0); i <= query->maximum; i++) {

            if (ngx_vidcast_v4l2_entry(dev, query, i, name) == NGX_OK) {
                p = ngx_slprintf(p, last, "%s%L:\"%s\"", gap, i, name);
                gap = "|";
            }
        }

        return p;
    }

    p = ngx_slprintf(p, last, "%L..%L", query->minimum, query->maximum);

    if (query->step > 1) {
        p = ngx_slprintf(p, last, " by %uL", (uint64_t) query->step);
    }

    return p;
}
