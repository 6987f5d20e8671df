
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <linux/videodev2.h>

#include "input/v4l2/ngx_vidcast_v4l2.h"


/*
 * Format, size and rate.  Of the modes which a device has that one is taken
 * whose size is the nearest to what is asked for; then the one whose rate
 * reaches it; then MJPEG.
 */


typedef struct {
    ngx_uint_t  format;
    uint32_t    fourcc;        /* 0: no mode yet */
    uint32_t    width;
    uint32_t    height;
    uint64_t    distance;      /* from the size asked for */
    double      missing;       /* of the rate asked for */
} ngx_vidcast_v4l2_mode_t;


typedef struct {
    ngx_uint_t  format;
    uint32_t    fourcc;
} ngx_vidcast_v4l2_fourcc_t;


static ngx_int_t ngx_vidcast_v4l2_try_format(ngx_vidcast_v4l2_t *dev,
    ngx_vidcast_v4l2_fourcc_t *format, ngx_vidcast_v4l2_mode_t *best);
static void ngx_vidcast_v4l2_try_mode(ngx_vidcast_v4l2_t *dev,
    ngx_vidcast_v4l2_mode_t *mode, uint32_t width, uint32_t height,
    ngx_vidcast_v4l2_mode_t *best);
static uint64_t ngx_vidcast_v4l2_distance(ngx_vidcast_v4l2_t *dev,
    ngx_vidcast_v4l2_mode_t *mode, uint32_t width, uint32_t height);
static uint32_t ngx_vidcast_v4l2_nearest(uint32_t wanted, uint32_t min,
    uint32_t max, uint32_t step);
static double ngx_vidcast_v4l2_highest_rate(ngx_vidcast_v4l2_t *dev,
    ngx_vidcast_v4l2_mode_t *mode);
static double ngx_vidcast_v4l2_rate(struct v4l2_fract *interval);
static ngx_int_t ngx_vidcast_v4l2_no_format(ngx_vidcast_v4l2_t *dev);
static int ngx_vidcast_v4l2_ask(ngx_vidcast_v4l2_t *dev,
    unsigned long request, uint32_t fourcc, struct v4l2_format *fmt);
static ngx_int_t ngx_vidcast_v4l2_layout(ngx_vidcast_v4l2_t *dev,
    struct v4l2_pix_format *pix);
static void ngx_vidcast_v4l2_set_rate(ngx_vidcast_v4l2_t *dev);


/* as they are preferred; some drivers call the first one by the other name */

static ngx_vidcast_v4l2_fourcc_t  ngx_vidcast_v4l2_fourccs[] = {
    { NGX_VIDCAST_V4L2_MJPEG, V4L2_PIX_FMT_MJPEG },
    { NGX_VIDCAST_V4L2_MJPEG, V4L2_PIX_FMT_JPEG },
    { NGX_VIDCAST_V4L2_YUYV, V4L2_PIX_FMT_YUYV },
    { NGX_VIDCAST_V4L2_AUTO, 0 }
};


/* settles dev->format and the size; what has neither needs a conversion */

ngx_int_t
ngx_vidcast_v4l2_choose_format(ngx_vidcast_v4l2_t *dev, uint32_t *fourcc)
{
    ngx_int_t                   rc;
    ngx_vidcast_v4l2_mode_t     best;
    ngx_vidcast_v4l2_fourcc_t  *f;

    ngx_memzero(&best, sizeof(ngx_vidcast_v4l2_mode_t));

    for (f = ngx_vidcast_v4l2_fourccs; f->fourcc; f++) {

        if (dev->format != NGX_VIDCAST_V4L2_AUTO && dev->format != f->format) {
            continue;
        }

        rc = ngx_vidcast_v4l2_try_format(dev, f, &best);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (best.fourcc) {
        dev->format = best.format;
        dev->width = best.width;
        dev->height = best.height;
        *fourcc = best.fourcc;

        return NGX_OK;
    }

    if (dev->format != NGX_VIDCAST_V4L2_AUTO) {
        return ngx_vidcast_v4l2_no_format(dev);
    }

    dev->format = NGX_VIDCAST_V4L2_I420;
    *fourcc = V4L2_PIX_FMT_YUV420;

    return NGX_OK;
}


/* all sizes which the device has in this format, if it has the format */

static ngx_int_t
ngx_vidcast_v4l2_try_format(ngx_vidcast_v4l2_t *dev,
    ngx_vidcast_v4l2_fourcc_t *format, ngx_vidcast_v4l2_mode_t *best)
{
    uint32_t                       width, height;
    struct v4l2_format             fmt;
    struct v4l2_frmsizeenum        size;
    ngx_vidcast_v4l2_mode_t        mode;
    struct v4l2_frmsize_stepwise  *step;

    if (ngx_vidcast_v4l2_ask(dev, VIDIOC_TRY_FMT, format->fourcc, &fmt) == -1
        || fmt.fmt.pix.pixelformat != format->fourcc)
    {
        return NGX_OK;
    }

    mode.format = format->format;
    mode.fourcc = format->fourcc;

    /* no size is asked for: the one which it has now */

    width = dev->width ? dev->width : fmt.fmt.pix.width;
    height = dev->height ? dev->height : fmt.fmt.pix.height;

    ngx_memzero(&size, sizeof(struct v4l2_frmsizeenum));
    size.pixel_format = format->fourcc;

    while (ngx_vidcast_v4l2_ioctl(dev, VIDIOC_ENUM_FRAMESIZES, &size) == 0) {

        if (size.type == V4L2_FRMSIZE_TYPE_DISCRETE) {
            mode.width = size.discrete.width;
            mode.height = size.discrete.height;

        } else {
            step = &size.stepwise;

            mode.width = ngx_vidcast_v4l2_nearest(width, step->min_width,
                                                  step->max_width,
                                                  step->step_width);
            mode.height = ngx_vidcast_v4l2_nearest(height, step->min_height,
                                                   step->max_height,
                                                   step->step_height);
        }

        ngx_vidcast_v4l2_try_mode(dev, &mode, width, height, best);

        if (size.type != V4L2_FRMSIZE_TYPE_DISCRETE) {
            return NGX_OK;
        }

        size.index++;
    }

    if (size.index) {
        return NGX_OK;
    }

    /* it cannot enumerate them */

    mode.width = fmt.fmt.pix.width;
    mode.height = fmt.fmt.pix.height;

    ngx_vidcast_v4l2_try_mode(dev, &mode, width, height, best);

    return NGX_OK;
}


static void
ngx_vidcast_v4l2_try_mode(ngx_vidcast_v4l2_t *dev,
    ngx_vidcast_v4l2_mode_t *mode, uint32_t width, uint32_t height,
    ngx_vidcast_v4l2_mode_t *best)
{
    double  rate;

    mode->distance = ngx_vidcast_v4l2_distance(dev, mode, width, height);

    if (best->fourcc && mode->distance > best->distance) {
        return;
    }

    mode->missing = 0;

    if (dev->fps > 0) {
        rate = ngx_vidcast_v4l2_highest_rate(dev, mode);

        /* 29.97 is as good as 30 */

        if (rate > 0 && rate < 0.99 * dev->fps) {
            mode->missing = dev->fps - rate;
        }
    }

    if (best->fourcc == 0
        || mode->distance < best->distance
        || mode->missing < best->missing)
    {
        *best = *mode;
    }
}


/* by one side, if that is what is asked for; of equal ones the largest */

static uint64_t
ngx_vidcast_v4l2_distance(ngx_vidcast_v4l2_t *dev,
    ngx_vidcast_v4l2_mode_t *mode, uint32_t width, uint32_t height)
{
    uint64_t  area, off;

    area = (uint64_t) mode->width * mode->height;

    if ((dev->width == 0) != (dev->height == 0)) {

        off = dev->width ? ngx_abs((int64_t) mode->width - width)
                         : ngx_abs((int64_t) mode->height - height);

        return (off << 32) + NGX_MAX_UINT32_VALUE
               - ngx_min(area, NGX_MAX_UINT32_VALUE);
    }

    /* what two rectangles of these sizes, laid on each other, do not share */

    return area + (uint64_t) width * height
           - 2 * (uint64_t) ngx_min(mode->width, width)
             * ngx_min(mode->height, height);
}


static uint32_t
ngx_vidcast_v4l2_nearest(uint32_t wanted, uint32_t min, uint32_t max,
    uint32_t step)
{
    uint32_t  n;

    if (wanted <= min || max <= min) {
        return min;
    }

    wanted = ngx_min(wanted, max);
    step = ngx_max(step, 1);
    n = (wanted - min + step / 2) / step;

    if (min + n * step > max) {
        n--;
    }

    return min + n * step;
}


/* 0: the driver does not tell, or has any */

static double
ngx_vidcast_v4l2_highest_rate(ngx_vidcast_v4l2_t *dev,
    ngx_vidcast_v4l2_mode_t *mode)
{
    double                    rate;
    struct v4l2_frmivalenum   interval;

    rate = 0;

    ngx_memzero(&interval, sizeof(struct v4l2_frmivalenum));
    interval.pixel_format = mode->fourcc;
    interval.width = mode->width;
    interval.height = mode->height;

    while (ngx_vidcast_v4l2_ioctl(dev, VIDIOC_ENUM_FRAMEINTERVALS, &interval)
           == 0)
    {
        if (interval.type != V4L2_FRMIVAL_TYPE_DISCRETE) {
            return ngx_vidcast_v4l2_rate(&interval.stepwise.min);
        }

        rate = ngx_max(rate, ngx_vidcast_v4l2_rate(&interval.discrete));
        interval.index++;
    }

    return rate;
}


static double
ngx_vidcast_v4l2_rate(struct v4l2_fract *interval)
{
    return interval->numerator
           ? (double) interval->denominator / interval->numerator : 0;
}


static ngx_int_t
ngx_vidcast_v4l2_no_format(ngx_vidcast_v4l2_t *dev)
{
    uint32_t              fourcc;
    const char           *gap;
    struct v4l2_fmtdesc   desc;

    ngx_vidcast_v4l2_error(dev, "unsupported format: no %s from this device",
                           (dev->format == NGX_VIDCAST_V4L2_MJPEG) ? "MJPEG"
                                                                   : "YUYV");
    gap = ", it has ";

    ngx_memzero(&desc, sizeof(struct v4l2_fmtdesc));
    desc.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;

    while (ngx_vidcast_v4l2_ioctl(dev, VIDIOC_ENUM_FMT, &desc) == 0) {

        /* the highest bit says that the bytes are the other way around */

        fourcc = desc.pixelformat & 0x7fffffff;

        ngx_vidcast_v4l2_error_add(dev, "%s%*s%s", gap, sizeof(uint32_t),
                                   &fourcc, (fourcc == desc.pixelformat)
                                            ? "" : "-BE");
        gap = ", ";
        desc.index++;
    }

    return NGX_ERROR;
}


ngx_int_t
ngx_vidcast_v4l2_set_format(ngx_vidcast_v4l2_t *dev, uint32_t fourcc)
{
    ngx_int_t           rc;
    struct v4l2_format  fmt;

    if (ngx_vidcast_v4l2_ask(dev, VIDIOC_S_FMT, fourcc, &fmt) == -1) {
        return ngx_vidcast_v4l2_failed(dev, "VIDIOC_S_FMT", ngx_errno);
    }

    if (fmt.fmt.pix.pixelformat != fourcc) {
        ngx_vidcast_v4l2_error(dev, "unsupported format: \"%*s\"",
                               sizeof(uint32_t), &fmt.fmt.pix.pixelformat);
        return NGX_ERROR;
    }

    rc = ngx_vidcast_v4l2_layout(dev, &fmt.fmt.pix);

    if (rc == NGX_OK) {
        ngx_vidcast_v4l2_set_rate(dev);
    }

    return rc;
}


/* without a size, the one which the driver has now; a side alone changes it */

static int
ngx_vidcast_v4l2_ask(ngx_vidcast_v4l2_t *dev, unsigned long request,
    uint32_t fourcc, struct v4l2_format *fmt)
{
    struct v4l2_pix_format  now;

    ngx_memzero(fmt, sizeof(struct v4l2_format));
    fmt->type = V4L2_BUF_TYPE_VIDEO_CAPTURE;

    if (ngx_vidcast_v4l2_ioctl(dev, VIDIOC_G_FMT, fmt) == -1) {
        return -1;
    }

    now = fmt->fmt.pix;

    if (dev->width) {
        fmt->fmt.pix.width = dev->width;

    } else if (dev->height && now.height) {
        fmt->fmt.pix.width = (uint64_t) dev->height * now.width / now.height;
    }

    if (dev->height) {
        fmt->fmt.pix.height = dev->height;

    } else if (dev->width && now.width) {
        fmt->fmt.pix.height = (uint64_t) dev->width * now.height / now.width;
    }

    fmt->fmt.pix.pixelformat = fourcc;
    fmt->fmt.pix.field = V4L2_FIELD_ANY;
    fmt->fmt.pix.bytesperline = 0;
    fmt->fmt.pix.sizeimage = 0;

    return ngx_vidcast_v4l2_ioctl(dev, request, fmt);
}


static ngx_int_t
ngx_vidcast_v4l2_layout(ngx_vidcast_v4l2_t *dev, struct v4l2_pix_format *pix)
{
    uint32_t  least, range;

    dev->width = pix->width;
    dev->height = pix->height;

    if (dev->width == 0 || dev->width > NGX_VIDCAST_MAX_DIMENSION
        || dev->height == 0 || dev->height > NGX_VIDCAST_MAX_DIMENSION)
    {
        ngx_vidcast_v4l2_error(dev, "unsupported size: %uDx%uD", dev->width,
                               dev->height);
        return NGX_ERROR;
    }

    if (dev->format == NGX_VIDCAST_V4L2_MJPEG) {
        dev->stride = 0;
        dev->size = 1;
        dev->limited = 0;
        return NGX_OK;
    }

    least = (dev->format == NGX_VIDCAST_V4L2_YUYV) ? (dev->width + 1) / 2 * 4
                                                   : dev->width;

    dev->stride = ngx_max(pix->bytesperline, least);
    dev->size = (size_t) dev->stride * dev->height;

    if (dev->format == NGX_VIDCAST_V4L2_I420) {
        dev->size += (size_t) ((dev->stride + 1) / 2) * 2
                     * ((dev->height + 1) / 2);
    }

    range = pix->quantization;

    if (range == V4L2_QUANTIZATION_DEFAULT) {
        range = V4L2_MAP_QUANTIZATION_DEFAULT(0, pix->colorspace, 0);
    }

    dev->limited = (range == V4L2_QUANTIZATION_LIM_RANGE);

    return NGX_OK;
}


/* a driver which takes no rate, or tells none, is no error */

static void
ngx_vidcast_v4l2_set_rate(ngx_vidcast_v4l2_t *dev)
{
    struct v4l2_fract       *interval;
    struct v4l2_streamparm   parm;

    ngx_memzero(&parm, sizeof(struct v4l2_streamparm));
    parm.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;

    interval = &parm.parm.capture.timeperframe;

    if (dev->fps > 0) {
        interval->numerator = 1000;
        interval->denominator = (uint32_t) (dev->fps * 1000 + 0.5);

        (void) ngx_vidcast_v4l2_ioctl(dev, VIDIOC_S_PARM, &parm);
    }

    dev->fps = 0;

    ngx_memzero(&parm, sizeof(struct v4l2_streamparm));
    parm.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;

    if (ngx_vidcast_v4l2_ioctl(dev, VIDIOC_G_PARM, &parm) == 0
        && (parm.parm.capture.capability & V4L2_CAP_TIMEPERFRAME)
        && interval->numerator)
    {
        dev->fps = ngx_vidcast_v4l2_rate(interval);

    } else {
        dev->fps = ngx_vidcast_v4l2_source_rate(dev);
    }
}
