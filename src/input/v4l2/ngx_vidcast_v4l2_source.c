
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <linux/videodev2.h>

#include "input/v4l2/ngx_vidcast_v4l2.h"


/*
 * What the device looks at: one of its inputs (sockets), the standard or the
 * timings of the signal there, and whether there is one.
 */


typedef struct {
    ngx_str_t  name;
    uint64_t   standards;
} ngx_vidcast_v4l2_norm_t;


static ngx_int_t ngx_vidcast_v4l2_select_input(ngx_vidcast_v4l2_t *dev,
    struct v4l2_input *input);
static ngx_int_t ngx_vidcast_v4l2_find_input(ngx_vidcast_v4l2_t *dev,
    struct v4l2_input *input);
static ngx_int_t ngx_vidcast_v4l2_set_norm(ngx_vidcast_v4l2_t *dev,
    struct v4l2_input *input);
static ngx_int_t ngx_vidcast_v4l2_detect_norm(ngx_vidcast_v4l2_t *dev,
    struct v4l2_input *input, v4l2_std_id *std);
static void ngx_vidcast_v4l2_unknown_norm(ngx_vidcast_v4l2_t *dev,
    struct v4l2_input *input);
static ngx_int_t ngx_vidcast_v4l2_set_timings(ngx_vidcast_v4l2_t *dev,
    struct v4l2_input *input);
static ngx_int_t ngx_vidcast_v4l2_no_timings(ngx_vidcast_v4l2_t *dev,
    struct v4l2_input *input, ngx_err_t err);
static ngx_uint_t ngx_vidcast_v4l2_same_timings(struct v4l2_dv_timings *a,
    struct v4l2_dv_timings *b);
static double ngx_vidcast_v4l2_timings_rate(struct v4l2_dv_timings *timings);
static ngx_int_t ngx_vidcast_v4l2_check_signal(ngx_vidcast_v4l2_t *dev,
    struct v4l2_input *input);


static ngx_vidcast_v4l2_norm_t  ngx_vidcast_v4l2_norms[] = {
    { ngx_string("auto"), NGX_VIDCAST_V4L2_DETECT },
    { ngx_string("pal"), V4L2_STD_PAL },
    { ngx_string("pal-b"), V4L2_STD_PAL_B },
    { ngx_string("pal-bg"), V4L2_STD_PAL_BG },
    { ngx_string("pal-d"), V4L2_STD_PAL_D },
    { ngx_string("pal-dk"), V4L2_STD_PAL_DK },
    { ngx_string("pal-g"), V4L2_STD_PAL_G },
    { ngx_string("pal-h"), V4L2_STD_PAL_H },
    { ngx_string("pal-i"), V4L2_STD_PAL_I },
    { ngx_string("pal-k"), V4L2_STD_PAL_K },
    { ngx_string("pal-m"), V4L2_STD_PAL_M },
    { ngx_string("pal-n"), V4L2_STD_PAL_N },
    { ngx_string("pal-nc"), V4L2_STD_PAL_Nc },
    { ngx_string("pal-60"), V4L2_STD_PAL_60 },
    { ngx_string("ntsc"), V4L2_STD_NTSC },
    { ngx_string("ntsc-m"), V4L2_STD_NTSC_M },
    { ngx_string("ntsc-m-jp"), V4L2_STD_NTSC_M_JP },
    { ngx_string("ntsc-m-kr"), V4L2_STD_NTSC_M_KR },
    { ngx_string("ntsc-443"), V4L2_STD_NTSC_443 },
    { ngx_string("secam"), V4L2_STD_SECAM },
    { ngx_string("secam-b"), V4L2_STD_SECAM_B },
    { ngx_string("secam-d"), V4L2_STD_SECAM_D },
    { ngx_string("secam-dk"), V4L2_STD_SECAM_DK },
    { ngx_string("secam-g"), V4L2_STD_SECAM_G },
    { ngx_string("secam-h"), V4L2_STD_SECAM_H },
    { ngx_string("secam-k"), V4L2_STD_SECAM_K },
    { ngx_string("secam-k1"), V4L2_STD_SECAM_K1 },
    { ngx_string("secam-l"), V4L2_STD_SECAM_L },
    { ngx_string("secam-lc"), V4L2_STD_SECAM_LC },
    { ngx_null_string, 0 }
};


uint64_t
ngx_vidcast_v4l2_norm(ngx_str_t *name)
{
    ngx_vidcast_v4l2_norm_t  *norm;

    for (norm = ngx_vidcast_v4l2_norms; norm->name.len; norm++) {

        if (norm->name.len == name->len
            && ngx_strncasecmp(norm->name.data, name->data, name->len) == 0)
        {
            break;
        }
    }

    return norm->standards;
}


ngx_int_t
ngx_vidcast_v4l2_select_source(ngx_vidcast_v4l2_t *dev)
{
    ngx_int_t          rc;
    struct v4l2_input  input;

    dev->timed = 0;

    rc = ngx_vidcast_v4l2_select_input(dev, &input);

    if (rc != NGX_OK) {

        /* a driver which has no inputs has no choice and no word about them */

        return (rc == NGX_DECLINED) ? NGX_OK : rc;
    }

    if (dev->norm) {
        rc = ngx_vidcast_v4l2_set_norm(dev, &input);
    }

    if (rc == NGX_OK && (input.capabilities & V4L2_IN_CAP_DV_TIMINGS)) {
        rc = ngx_vidcast_v4l2_set_timings(dev, &input);
    }

    if (rc == NGX_OK) {
        rc = ngx_vidcast_v4l2_check_signal(dev, &input);
    }

    return rc;
}


static ngx_int_t
ngx_vidcast_v4l2_select_input(ngx_vidcast_v4l2_t *dev,
    struct v4l2_input *input)
{
    int        current, index;
    ngx_int_t  rc;

    if (ngx_vidcast_v4l2_ioctl(dev, VIDIOC_G_INPUT, &current) == -1) {
        current = -1;
    }

    if (dev->input.len) {
        rc = ngx_vidcast_v4l2_find_input(dev, input);

        if (rc != NGX_OK) {
            return rc;
        }

        index = input->index;

        /* to choose what is chosen could lose what was set there */

        if (index != current
            && ngx_vidcast_v4l2_ioctl(dev, VIDIOC_S_INPUT, &index) == -1)
        {
            return ngx_vidcast_v4l2_failed(dev, "VIDIOC_S_INPUT", ngx_errno);
        }

        current = index;
    }

    /* its status is that of the input which is chosen now */

    ngx_memzero(input, sizeof(struct v4l2_input));
    input->index = current;

    if (current != -1
        && ngx_vidcast_v4l2_ioctl(dev, VIDIOC_ENUMINPUT, input) == 0)
    {
        return NGX_OK;
    }

    if (dev->norm) {
        ngx_vidcast_v4l2_error(dev, "the driver knows no norms");
        return NGX_ERROR;
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_vidcast_v4l2_find_input(ngx_vidcast_v4l2_t *dev, struct v4l2_input *input)
{
    ngx_int_t   number;
    ngx_uint_t  i;

    number = ngx_atoi(dev->input.data, dev->input.len);

    for (i = 0; ; i++) {

        ngx_memzero(input, sizeof(struct v4l2_input));
        input->index = i;

        if (ngx_vidcast_v4l2_ioctl(dev, VIDIOC_ENUMINPUT, input) == -1) {
            break;
        }

        if ((ngx_int_t) i == number
            || (ngx_strlen(input->name) == dev->input.len
                && ngx_strncasecmp(input->name, dev->input.data,
                                   dev->input.len)
                   == 0))
        {
            return NGX_OK;
        }
    }

    ngx_vidcast_v4l2_error(dev, "no input \"%V\", it has", &dev->input);

    for (i = 0; ; i++) {

        ngx_memzero(input, sizeof(struct v4l2_input));
        input->index = i;

        if (ngx_vidcast_v4l2_ioctl(dev, VIDIOC_ENUMINPUT, input) == -1) {
            break;
        }

        ngx_vidcast_v4l2_error_add(dev, "%s %ui \"%s\"", i ? "," : "", i,
                                   input->name);
    }

    if (i == 0) {
        ngx_vidcast_v4l2_error_add(dev, " none");
    }

    return NGX_ERROR;
}


static ngx_int_t
ngx_vidcast_v4l2_set_norm(ngx_vidcast_v4l2_t *dev, struct v4l2_input *input)
{
    ngx_int_t    rc;
    v4l2_std_id  std;

    if (dev->norm == NGX_VIDCAST_V4L2_DETECT) {
        rc = ngx_vidcast_v4l2_detect_norm(dev, input, &std);

        if (rc != NGX_OK) {
            return rc;
        }

    } else {
        std = input->std & dev->norm;

        if (std == 0) {
            ngx_vidcast_v4l2_unknown_norm(dev, input);
            return NGX_ERROR;
        }
    }

    if (ngx_vidcast_v4l2_ioctl(dev, VIDIOC_S_STD, &std) == -1) {
        return ngx_vidcast_v4l2_failed(dev, "VIDIOC_S_STD", ngx_errno);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_v4l2_detect_norm(ngx_vidcast_v4l2_t *dev,
    struct v4l2_input *input, v4l2_std_id *std)
{
    *std = input->std;

    if (input->std == 0) {
        ngx_vidcast_v4l2_unknown_norm(dev, input);
        return NGX_ERROR;
    }

    if (ngx_vidcast_v4l2_ioctl(dev, VIDIOC_QUERYSTD, std) == -1) {
        return ngx_vidcast_v4l2_failed(dev, "VIDIOC_QUERYSTD", ngx_errno);
    }

    *std &= input->std;

    if (*std == V4L2_STD_UNKNOWN) {
        ngx_vidcast_v4l2_error(dev, "no signal at input \"%s\"", input->name);
        return NGX_AGAIN;
    }

    return NGX_OK;
}


static void
ngx_vidcast_v4l2_unknown_norm(ngx_vidcast_v4l2_t *dev,
    struct v4l2_input *input)
{
    ngx_uint_t            i, n;
    struct v4l2_standard  standard;

    ngx_vidcast_v4l2_error(dev, "input \"%s\" does not have this norm, but",
                           input->name);

    for (i = 0, n = 0; ; i++) {

        ngx_memzero(&standard, sizeof(struct v4l2_standard));
        standard.index = i;

        if (ngx_vidcast_v4l2_ioctl(dev, VIDIOC_ENUMSTD, &standard) == -1) {
            break;
        }

        if (standard.id & input->std) {
            ngx_vidcast_v4l2_error_add(dev, "%s %s", n++ ? "," : "",
                                       standard.name);
        }
    }

    if (n == 0) {
        ngx_vidcast_v4l2_error_add(dev, " none");
    }
}


/* to those of the signal, if the driver can tell them */

static ngx_int_t
ngx_vidcast_v4l2_set_timings(ngx_vidcast_v4l2_t *dev,
    struct v4l2_input *input)
{
    ngx_err_t               err;
    struct v4l2_dv_timings  current, found;

    dev->timed = 1;

    ngx_memzero(&found, sizeof(struct v4l2_dv_timings));

    if (ngx_vidcast_v4l2_ioctl(dev, VIDIOC_QUERY_DV_TIMINGS, &found) == -1) {
        err = ngx_errno;

        if (err == ENOTTY || err == ENODATA || err == EINVAL) {
            return NGX_OK;
        }

        return ngx_vidcast_v4l2_no_timings(dev, input, err);
    }

    ngx_memzero(&current, sizeof(struct v4l2_dv_timings));

    if (ngx_vidcast_v4l2_ioctl(dev, VIDIOC_G_DV_TIMINGS, &current) == 0
        && ngx_vidcast_v4l2_same_timings(&current, &found))
    {
        return NGX_OK;
    }

    if (ngx_vidcast_v4l2_ioctl(dev, VIDIOC_S_DV_TIMINGS, &found) == -1) {
        return ngx_vidcast_v4l2_failed(dev, "VIDIOC_S_DV_TIMINGS", ngx_errno);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_v4l2_no_timings(ngx_vidcast_v4l2_t *dev, struct v4l2_input *input,
    ngx_err_t err)
{
    const char  *what;

    switch (err) {

    case ENOLINK:
        what = "no signal";
        break;

    case ENOLCK:
        what = "no stable signal";
        break;

    case ERANGE:
        what = "a signal that the device cannot take";
        break;

    default:
        return ngx_vidcast_v4l2_failed(dev, "VIDIOC_QUERY_DV_TIMINGS", err);
    }

    ngx_vidcast_v4l2_error(dev, "%s at input \"%s\"", what, input->name);

    return NGX_AGAIN;
}


/* what was measured is never quite what was set */

static ngx_uint_t
ngx_vidcast_v4l2_same_timings(struct v4l2_dv_timings *a,
    struct v4l2_dv_timings *b)
{
    double  ratio;

    if (a->type != b->type
        || a->bt.width != b->bt.width
        || a->bt.height != b->bt.height
        || a->bt.interlaced != b->bt.interlaced)
    {
        return 0;
    }

    if (a->bt.pixelclock == 0 || b->bt.pixelclock == 0) {
        return 1;
    }

    ratio = (double) a->bt.pixelclock / b->bt.pixelclock;

    return ratio > 0.99 && ratio < 1.01;
}


double
ngx_vidcast_v4l2_source_rate(ngx_vidcast_v4l2_t *dev)
{
    struct v4l2_dv_timings  timings;

    ngx_memzero(&timings, sizeof(struct v4l2_dv_timings));

    if (!dev->timed
        || ngx_vidcast_v4l2_ioctl(dev, VIDIOC_G_DV_TIMINGS, &timings) == -1)
    {
        return 0;
    }

    return ngx_vidcast_v4l2_timings_rate(&timings);
}


static double
ngx_vidcast_v4l2_timings_rate(struct v4l2_dv_timings *timings)
{
    double  pixels;

    pixels = (double) V4L2_DV_BT_FRAME_WIDTH(&timings->bt)
             * V4L2_DV_BT_FRAME_HEIGHT(&timings->bt);

    return (pixels > 0) ? timings->bt.pixelclock / pixels : 0;
}


/* a signal that is only bad is shown as it is */

static ngx_int_t
ngx_vidcast_v4l2_check_signal(ngx_vidcast_v4l2_t *dev,
    struct v4l2_input *input)
{
    uint32_t  index;

    index = input->index;

    ngx_memzero(input, sizeof(struct v4l2_input));
    input->index = index;

    if (ngx_vidcast_v4l2_ioctl(dev, VIDIOC_ENUMINPUT, input) == -1) {
        return ngx_vidcast_v4l2_failed(dev, "VIDIOC_ENUMINPUT", ngx_errno);
    }

    if (input->status & V4L2_IN_ST_NO_POWER) {
        ngx_vidcast_v4l2_error(dev, "no power at input \"%s\"", input->name);
        return NGX_AGAIN;
    }

    if (input->status & V4L2_IN_ST_NO_SIGNAL) {
        ngx_vidcast_v4l2_error(dev, "no signal at input \"%s\"", input->name);
        return NGX_AGAIN;
    }

    return NGX_OK;
}


void
ngx_vidcast_v4l2_subscribe(ngx_vidcast_v4l2_t *dev)
{
    struct v4l2_event_subscription  sub;

    ngx_memzero(&sub, sizeof(struct v4l2_event_subscription));
    sub.type = V4L2_EVENT_SOURCE_CHANGE;

    dev->events = (ngx_vidcast_v4l2_ioctl(dev, VIDIOC_SUBSCRIBE_EVENT, &sub)
                   == 0);
}


/* a change which comes to nothing, such as a short loss of lock, is none */

ngx_uint_t
ngx_vidcast_v4l2_source_changed(ngx_vidcast_v4l2_t *dev)
{
    ngx_uint_t              changed;
    struct v4l2_event       event;
    struct v4l2_dv_timings  current, found;

    changed = 0;

    for ( ;; ) {
        ngx_memzero(&event, sizeof(struct v4l2_event));

        if (ngx_vidcast_v4l2_ioctl(dev, VIDIOC_DQEVENT, &event) == -1) {
            break;
        }

        if (event.type == V4L2_EVENT_SOURCE_CHANGE) {
            changed = 1;
        }
    }

    if (!changed || !dev->timed) {
        return changed;
    }

    ngx_memzero(&found, sizeof(struct v4l2_dv_timings));
    ngx_memzero(&current, sizeof(struct v4l2_dv_timings));

    return ngx_vidcast_v4l2_ioctl(dev, VIDIOC_QUERY_DV_TIMINGS, &found) == -1
           || ngx_vidcast_v4l2_ioctl(dev, VIDIOC_G_DV_TIMINGS, &current) == -1
           || !ngx_vidcast_v4l2_same_timings(&current, &found);
}
