
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <sys/mman.h>
#include <linux/videodev2.h>
#include <libv4l2.h>

#include "input/v4l2/ngx_vidcast_v4l2.h"


/*
 * The device is opened by libv4l2 without its conversion, so that MJPEG and
 * YUYV are the camera's own bytes.  Only if it has neither it is opened once
 * more, with conversion to YUV 4:2:0.
 */


static ngx_int_t ngx_vidcast_v4l2_check_device(ngx_vidcast_v4l2_t *dev);


ngx_int_t
ngx_vidcast_v4l2_open_device(ngx_vidcast_v4l2_t *dev, const char *path,
    ngx_uint_t convert)
{
    /* libv4l2 would print to stderr, each time; our caller says it once */

    if (v4l2_log_file == NULL) {
        v4l2_log_file = fopen("/dev/null", "we");
    }

    dev->nbuffers = 0;
    dev->fd = open(path, O_RDWR|O_NONBLOCK|O_CLOEXEC);

    if (dev->fd == -1) {
        return ngx_vidcast_v4l2_open_failed(dev, path, ngx_errno);
    }

    if (ngx_vidcast_v4l2_check_device(dev) != NGX_OK) {
        return NGX_ERROR;
    }

    if (v4l2_fd_open(dev->fd, convert ? 0 : V4L2_DISABLE_CONVERSION) == -1) {
        return ngx_vidcast_v4l2_failed(dev, "v4l2_fd_open()", ngx_errno);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_v4l2_check_device(ngx_vidcast_v4l2_t *dev)
{
    uint32_t                caps;
    struct v4l2_capability  cap;

    caps = 0;

    if (ngx_vidcast_v4l2_ioctl(dev, VIDIOC_QUERYCAP, &cap) == 0) {
        caps = (cap.capabilities & V4L2_CAP_DEVICE_CAPS) ? cap.device_caps
                                                         : cap.capabilities;

    } else if (ngx_errno != ENOTTY && ngx_errno != EINVAL) {
        return ngx_vidcast_v4l2_failed(dev, "VIDIOC_QUERYCAP", ngx_errno);
    }

    if (!(caps & (V4L2_CAP_VIDEO_CAPTURE|V4L2_CAP_VIDEO_CAPTURE_MPLANE))) {
        ngx_vidcast_v4l2_error(dev, "not a video capture device");
        return NGX_ERROR;
    }

    if (!(caps & V4L2_CAP_STREAMING)) {
        ngx_vidcast_v4l2_error(dev, "the driver has no streaming");
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_vidcast_v4l2_map_buffer(ngx_vidcast_v4l2_t *dev, size_t size, off_t offset)
{
    u_char                     *data;
    ngx_vidcast_v4l2_buffer_t  *buffer;

    data = v4l2_mmap(NULL, size, PROT_READ, MAP_SHARED, dev->fd, offset);

    if (data == MAP_FAILED) {
        return ngx_vidcast_v4l2_failed(dev, "mmap()", ngx_errno);
    }

    buffer = &dev->buffers[dev->nbuffers++];

    buffer->data = data;
    buffer->size = size;

    return NGX_OK;
}


void
ngx_vidcast_v4l2_close(ngx_vidcast_v4l2_t *dev)
{
    ngx_uint_t          i;
    enum v4l2_buf_type  type;

    if (dev->fd == -1) {
        return;
    }

    if (dev->nbuffers) {
        type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
        (void) ngx_vidcast_v4l2_ioctl(dev, VIDIOC_STREAMOFF, &type);
    }

    for (i = 0; i < dev->nbuffers; i++) {
        (void) v4l2_munmap(dev->buffers[i].data, dev->buffers[i].size);
    }

    (void) v4l2_close(dev->fd);

    dev->nbuffers = 0;
    dev->fd = -1;
}


int
ngx_vidcast_v4l2_ioctl(ngx_vidcast_v4l2_t *dev, unsigned long request,
    void *arg)
{
    int  rc;

    do {
        rc = v4l2_ioctl(dev->fd, request, arg);
    } while (rc == -1 && ngx_errno == NGX_EINTR);

    return (rc == -1) ? -1 : 0;
}
