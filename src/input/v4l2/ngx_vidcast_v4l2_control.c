
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <linux/videodev2.h>

#include "input/v4l2/ngx_vidcast_v4l2.h"
#include "core/ngx_vidcast_escape.h"


/*
 * Controls: brightness, exposure and the like.  All that were asked for are
 * checked against the device before the first one is set.
 */


typedef struct {
    int64_t       number;
    ngx_str_t    *text;                /* of a string control, terminated */
} ngx_vidcast_v4l2_value_t;


static ngx_int_t ngx_vidcast_v4l2_check_control(ngx_vidcast_v4l2_t *dev,
    ngx_vidcast_v4l2_control_t *control);
static ngx_uint_t ngx_vidcast_v4l2_set_active(ngx_vidcast_v4l2_t *dev,
    uint64_t *left, ngx_uint_t switches, ngx_int_t *rc);
static ngx_int_t ngx_vidcast_v4l2_set_control(ngx_vidcast_v4l2_t *dev,
    ngx_vidcast_v4l2_control_t *control, ngx_vidcast_v4l2_query_t *query);
static void ngx_vidcast_v4l2_tell_control(ngx_vidcast_v4l2_t *dev,
    ngx_vidcast_v4l2_control_t *control, int64_t number);
static ngx_uint_t ngx_vidcast_v4l2_is_switch(ngx_vidcast_v4l2_query_t *query);
static ngx_int_t ngx_vidcast_v4l2_parse_value(ngx_vidcast_v4l2_t *dev,
    ngx_vidcast_v4l2_query_t *query, ngx_str_t *text,
    ngx_vidcast_v4l2_value_t *value);
static ngx_int_t ngx_vidcast_v4l2_parse_number(ngx_str_t *text,
    int64_t *number);
static ngx_int_t ngx_vidcast_v4l2_parse_switch(ngx_str_t *text,
    int64_t *number);
static ngx_int_t ngx_vidcast_v4l2_parse_entry(ngx_vidcast_v4l2_t *dev,
    ngx_vidcast_v4l2_query_t *query, ngx_str_t *text, int64_t *number);
static void ngx_vidcast_v4l2_wrong_value(ngx_vidcast_v4l2_t *dev,
    ngx_vidcast_v4l2_control_t *control, ngx_vidcast_v4l2_query_t *query);


ngx_int_t
ngx_vidcast_v4l2_set_controls(ngx_vidcast_v4l2_t *dev)
{
    uint64_t    left;
    ngx_int_t   rc;
    ngx_uint_t  i, progress;

    left = 0;

    for (i = 0; i < dev->ncontrols; i++) {

        rc = ngx_vidcast_v4l2_check_control(dev, &dev->controls[i]);

        if (rc != NGX_OK) {
            ngx_vidcast_v4l2_list_controls(dev);
            return rc;
        }

        left |= (uint64_t) 1 << i;
    }

    /*
     * An automatic makes what it rules inactive: switches and menus, which
     * automatics are, go first, and what they have set free comes next.
     */

    do {
        rc = NGX_OK;
        progress = ngx_vidcast_v4l2_set_active(dev, &left, 1, &rc);

        if (rc == NGX_OK) {
            progress |= ngx_vidcast_v4l2_set_active(dev, &left, 0, &rc);
        }

    } while (rc == NGX_OK && left && progress);

    if (rc != NGX_OK) {
        return rc;
    }

    for (i = 0; i < dev->ncontrols; i++) {

        if (left & ((uint64_t) 1 << i)) {
            ngx_vidcast_v4l2_error(dev, "control \"%V\" is inactive, another "
                                   "one, such as an automatic, rules it",
                                   &dev->controls[i].name);
            ngx_vidcast_v4l2_list_controls(dev);
            return NGX_ERROR;
        }
    }

    dev->list = 1;

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_v4l2_check_control(ngx_vidcast_v4l2_t *dev,
    ngx_vidcast_v4l2_control_t *control)
{
    ngx_vidcast_v4l2_value_t  value;
    ngx_vidcast_v4l2_query_t  query;

    if (ngx_vidcast_v4l2_find_control(dev, &control->name, &query) != NGX_OK) {
        ngx_vidcast_v4l2_unknown_control(dev, &control->name);
        return NGX_ERROR;
    }

    if (query.flags & V4L2_CTRL_FLAG_READ_ONLY) {
        ngx_vidcast_v4l2_error(dev, "control \"%V\" is read-only",
                               &control->name);
        return NGX_ERROR;
    }

    if (ngx_vidcast_v4l2_parse_value(dev, &query, &control->value, &value)
        != NGX_OK)
    {
        ngx_vidcast_v4l2_wrong_value(dev, control, &query);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* those which are left and active, only switches or only others */

static ngx_uint_t
ngx_vidcast_v4l2_set_active(ngx_vidcast_v4l2_t *dev, uint64_t *left,
    ngx_uint_t switches, ngx_int_t *rc)
{
    ngx_uint_t                   i, progress;
    ngx_vidcast_v4l2_query_t     query;
    ngx_vidcast_v4l2_control_t  *control;

    progress = 0;

    for (i = 0; i < dev->ncontrols; i++) {
        control = &dev->controls[i];

        if (!(*left & ((uint64_t) 1 << i))
            || ngx_vidcast_v4l2_find_control(dev, &control->name, &query)
               != NGX_OK
            || ngx_vidcast_v4l2_is_switch(&query) != switches
            || (query.flags & V4L2_CTRL_FLAG_INACTIVE))
        {
            continue;
        }

        *rc = ngx_vidcast_v4l2_set_control(dev, control, &query);

        if (*rc != NGX_OK) {
            return 0;
        }

        *left &= ~((uint64_t) 1 << i);
        progress = 1;
    }

    return progress;
}


static ngx_int_t
ngx_vidcast_v4l2_set_control(ngx_vidcast_v4l2_t *dev,
    ngx_vidcast_v4l2_control_t *control, ngx_vidcast_v4l2_query_t *query)
{
    ngx_err_t                 err;
    ngx_int_t                 rc;
    struct v4l2_ext_control   ctrl;
    struct v4l2_ext_controls  ctrls;
    ngx_vidcast_v4l2_value_t  value;

    if (ngx_vidcast_v4l2_parse_value(dev, query, &control->value, &value)
        != NGX_OK)
    {
        ngx_vidcast_v4l2_wrong_value(dev, control, query);
        return NGX_ERROR;
    }

    ngx_memzero(&ctrl, sizeof(struct v4l2_ext_control));
    ctrl.id = query->id;

    if (value.text) {
        ctrl.size = value.text->len + 1;
        ctrl.string = (char *) value.text->data;

    } else if (query->type == V4L2_CTRL_TYPE_INTEGER64) {
        ctrl.value64 = value.number;

    } else {
        ctrl.value = (int32_t) value.number;
    }

    ngx_memzero(&ctrls, sizeof(struct v4l2_ext_controls));
    ctrls.which = V4L2_CTRL_WHICH_CUR_VAL;
    ctrls.count = 1;
    ctrls.controls = &ctrl;

    if (ngx_vidcast_v4l2_ioctl(dev, VIDIOC_S_EXT_CTRLS, &ctrls) == -1) {
        err = ngx_errno;
        rc = ngx_vidcast_v4l2_failed(dev, "VIDIOC_S_EXT_CTRLS", err);
        ngx_vidcast_v4l2_error_add(dev, ", of control \"%V\"",
                                   &control->name);
        return rc;
    }

    if (query->type == V4L2_CTRL_TYPE_INTEGER
        && ctrl.value != (int32_t) value.number)
    {
        ngx_vidcast_v4l2_tell_control(dev, control, ctrl.value);
    }

    return NGX_OK;
}


/* a value between two steps is no error, but not what was asked for */

static void
ngx_vidcast_v4l2_tell_control(ngx_vidcast_v4l2_t *dev,
    ngx_vidcast_v4l2_control_t *control, int64_t number)
{
    ngx_vidcast_escaped_t  name, value;

    if (dev->list) {
        ngx_log_error(NGX_LOG_NOTICE, dev->log, 0,
                      "the camera made control \"%V\" %L, not %V",
                      ngx_vidcast_escape_name(&name, &control->name), number,
                      ngx_vidcast_escape_name(&value, &control->value));
    }
}


static ngx_uint_t
ngx_vidcast_v4l2_is_switch(ngx_vidcast_v4l2_query_t *query)
{
    return query->type == V4L2_CTRL_TYPE_BOOLEAN
           || ngx_vidcast_v4l2_is_menu(query);
}


static ngx_int_t
ngx_vidcast_v4l2_parse_value(ngx_vidcast_v4l2_t *dev,
    ngx_vidcast_v4l2_query_t *query, ngx_str_t *text,
    ngx_vidcast_v4l2_value_t *value)
{
    value->text = NULL;

    switch (query->type) {

    case V4L2_CTRL_TYPE_STRING:
        value->text = text;

        return ((int64_t) text->len < query->minimum
                || (int64_t) text->len > query->maximum) ? NGX_ERROR : NGX_OK;

    case V4L2_CTRL_TYPE_MENU:
    case V4L2_CTRL_TYPE_INTEGER_MENU:
        return ngx_vidcast_v4l2_parse_entry(dev, query, text, &value->number);

    case V4L2_CTRL_TYPE_BOOLEAN:
        return ngx_vidcast_v4l2_parse_switch(text, &value->number);

    case V4L2_CTRL_TYPE_BUTTON:
        return (ngx_vidcast_v4l2_parse_switch(text, &value->number) == NGX_OK
                && value->number) ? NGX_OK : NGX_ERROR;

    default:
        break;
    }

    if (ngx_vidcast_v4l2_parse_number(text, &value->number) != NGX_OK) {
        return NGX_ERROR;
    }

    if (query->type == V4L2_CTRL_TYPE_BITMASK) {
        return (value->number < 0 || (value->number & ~query->maximum))
               ? NGX_ERROR : NGX_OK;
    }

    return (value->number < query->minimum || value->number > query->maximum)
           ? NGX_ERROR : NGX_OK;
}


/* decimal, or hexadecimal behind "0x" */

static ngx_int_t
ngx_vidcast_v4l2_parse_number(ngx_str_t *text, int64_t *number)
{
    u_char     *p, *last;
    size_t      len;
    ngx_uint_t  minus;

    p = text->data;
    last = p + text->len;

    minus = (p < last && *p == '-');
    p += minus;
    len = last - p;

    if (len > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
        *number = ngx_hextoi(p + 2, len - 2);

    } else {
        *number = ngx_atoi(p, len);
    }

    if (*number == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (minus) {
        *number = -*number;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_v4l2_parse_switch(ngx_str_t *text, int64_t *number)
{
    ngx_uint_t  i;

    static ngx_str_t  words[] = {
        ngx_string("0"),
        ngx_string("1"),
        ngx_string("off"),
        ngx_string("on"),
        ngx_string("false"),
        ngx_string("true")
    };

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {

        if (words[i].len == text->len
            && ngx_strncasecmp(words[i].data, text->data, text->len) == 0)
        {
            *number = i % 2;
            return NGX_OK;
        }
    }

    return NGX_ERROR;
}


/* by its number, else by its name */

static ngx_int_t
ngx_vidcast_v4l2_parse_entry(ngx_vidcast_v4l2_t *dev,
    ngx_vidcast_v4l2_query_t *query, ngx_str_t *text, int64_t *number)
{
    u_char  name[NGX_VIDCAST_V4L2_NAME];

    if (ngx_vidcast_v4l2_parse_number(text, number) == NGX_OK
        && *number >= query->minimum && *number <= query->maximum
        && ngx_vidcast_v4l2_entry(dev, query, *number, name) == NGX_OK)
    {
        return NGX_OK;
    }

    return ngx_vidcast_v4l2_find_entry(dev, query, text, number);
}


static void
ngx_vidcast_v4l2_wrong_value(ngx_vidcast_v4l2_t *dev,
    ngx_vidcast_v4l2_control_t *control, ngx_vidcast_v4l2_query_t *query)
{
    u_char  *p, *last;

    ngx_vidcast_v4l2_error(dev, "control \"%V\" is not \"%V\", it has ",
                           &control->name, &control->value);

    p = dev->error + ngx_strlen(dev->error);
    last = dev->error + NGX_VIDCAST_ERROR_LEN - 1;

    p = ngx_vidcast_v4l2_print_range(dev, p, last, query);
    *p = '\0';
}
