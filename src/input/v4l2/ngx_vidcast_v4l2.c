
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <poll.h>
#include <linux/videodev2.h>

#include "input/v4l2/ngx_vidcast_v4l2.h"


#define NGX_VIDCAST_V4L2_ANCIENT  5000000    /* us */
#define NGX_VIDCAST_V4L2_MAX_GAP  65535      /* frames; no gap if more */


/* with the time of our clock, though it may be nonsense */

#define ngx_vidcast_v4l2_stamped(buf)                                         \
    (((buf)->flags & V4L2_BUF_FLAG_TIMESTAMP_MASK)                            \
     == V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC)


static ngx_int_t ngx_vidcast_v4l2_open_source(ngx_vidcast_v4l2_t *dev,
    const char *path, ngx_uint_t convert);
static ngx_int_t ngx_vidcast_v4l2_map(ngx_vidcast_v4l2_t *dev);
static ngx_int_t ngx_vidcast_v4l2_start(ngx_vidcast_v4l2_t *dev);
static ngx_int_t ngx_vidcast_v4l2_accept(ngx_vidcast_v4l2_t *dev,
    struct v4l2_buffer *buf, ngx_vidcast_v4l2_frame_t *frame);
static void ngx_vidcast_v4l2_sequence(ngx_vidcast_v4l2_t *dev,
    uint32_t sequence);
static uint64_t ngx_vidcast_v4l2_time(struct v4l2_buffer *buf);


ngx_int_t
ngx_vidcast_v4l2_open(ngx_vidcast_v4l2_t *dev, const char *path)
{
    uint32_t   fourcc;
    ngx_int_t  rc;

    fourcc = 0;

    rc = ngx_vidcast_v4l2_open_source(dev, path, 0);

    if (rc == NGX_OK) {
        rc = ngx_vidcast_v4l2_set_controls(dev);
    }

    if (rc == NGX_OK) {
        rc = ngx_vidcast_v4l2_choose_format(dev, &fourcc);
    }

    if (rc == NGX_OK && dev->format == NGX_VIDCAST_V4L2_I420) {
        ngx_vidcast_v4l2_close(dev);

        rc = ngx_vidcast_v4l2_open_source(dev, path, 1);
    }

    if (rc == NGX_OK) {
        rc = ngx_vidcast_v4l2_set_format(dev, fourcc);
    }

    if (rc == NGX_OK) {
        rc = ngx_vidcast_v4l2_map(dev);
    }

    if (rc == NGX_OK) {
        rc = ngx_vidcast_v4l2_start(dev);
    }

    if (rc != NGX_OK) {
        ngx_vidcast_v4l2_error_plain(dev);
        ngx_vidcast_v4l2_close(dev);
    }

    return rc;
}


/* leaves dev->fd open if it fails, but for -1 */

static ngx_int_t
ngx_vidcast_v4l2_open_source(ngx_vidcast_v4l2_t *dev, const char *path,
    ngx_uint_t convert)
{
    ngx_int_t  rc;

    rc = ngx_vidcast_v4l2_open_device(dev, path, convert);

    if (rc != NGX_OK) {
        return rc;
    }

    /* before the source is looked at, so that no change of it is missed */

    ngx_vidcast_v4l2_subscribe(dev);

    return ngx_vidcast_v4l2_select_source(dev);
}


static ngx_int_t
ngx_vidcast_v4l2_map(ngx_vidcast_v4l2_t *dev)
{
    ngx_int_t                   rc;
    ngx_uint_t                  i;
    struct v4l2_buffer          buf;
    struct v4l2_requestbuffers  req;

    ngx_memzero(&req, sizeof(struct v4l2_requestbuffers));
    req.count = NGX_VIDCAST_V4L2_BUFFERS;
    req.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    req.memory = V4L2_MEMORY_MMAP;

    if (ngx_vidcast_v4l2_ioctl(dev, VIDIOC_REQBUFS, &req) == -1) {
        return ngx_vidcast_v4l2_failed(dev, "VIDIOC_REQBUFS", ngx_errno);
    }

    if (req.count < 2) {
        ngx_vidcast_v4l2_error(dev, "the driver gave %uD of %d buffers",
                               req.count, NGX_VIDCAST_V4L2_BUFFERS);
        return NGX_ERROR;
    }

    for (i = 0; i < req.count && i < NGX_VIDCAST_V4L2_MAX; i++) {

        ngx_memzero(&buf, sizeof(struct v4l2_buffer));
        buf.index = i;
        buf.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
        buf.memory = V4L2_MEMORY_MMAP;

        if (ngx_vidcast_v4l2_ioctl(dev, VIDIOC_QUERYBUF, &buf) == -1) {
            return ngx_vidcast_v4l2_failed(dev, "VIDIOC_QUERYBUF", ngx_errno);
        }

        rc = ngx_vidcast_v4l2_map_buffer(dev, buf.length, buf.m.offset);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (!ngx_vidcast_v4l2_stamped(&buf)) {
        dev->stamps = NGX_VIDCAST_V4L2_ARRIVAL;

    } else if ((buf.flags & V4L2_BUF_FLAG_TSTAMP_SRC_MASK)
               == V4L2_BUF_FLAG_TSTAMP_SRC_SOE)
    {
        dev->stamps = NGX_VIDCAST_V4L2_EXPOSURE;

    } else {
        dev->stamps = NGX_VIDCAST_V4L2_END;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_v4l2_start(ngx_vidcast_v4l2_t *dev)
{
    ngx_err_t           err;
    ngx_int_t           rc;
    ngx_uint_t          i;
    enum v4l2_buf_type  type;

    for (i = 0; i < dev->nbuffers; i++) {
        rc = ngx_vidcast_v4l2_queue(dev, i);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    dev->numbered = 0;

    type = V4L2_BUF_TYPE_VIDEO_CAPTURE;

    if (ngx_vidcast_v4l2_ioctl(dev, VIDIOC_STREAMON, &type) == -1) {
        err = ngx_errno;

        if (err == ENOSPC) {
            ngx_vidcast_v4l2_error(dev, "not enough bandwidth left on the USB "
                                   "bus: VIDIOC_STREAMON failed (28), try "
                                   "format=mjpeg, less size or fps, or another "
                                   "USB controller");
            return NGX_ERROR;
        }

        return ngx_vidcast_v4l2_failed(dev, "VIDIOC_STREAMON", err);
    }

    return NGX_OK;
}


ngx_int_t
ngx_vidcast_v4l2_dequeue(ngx_vidcast_v4l2_t *dev,
    ngx_vidcast_v4l2_frame_t *frame, ngx_uint_t timeout)
{
    int                 n;
    struct pollfd       pfd;
    struct v4l2_buffer  buf;

    pfd.fd = dev->fd;
    pfd.events = dev->events ? POLLIN|POLLPRI : POLLIN;
    pfd.revents = 0;

    n = poll(&pfd, 1, (int) timeout);

    if (n == 0 || (n == -1 && ngx_errno == NGX_EINTR)) {
        return NGX_AGAIN;
    }

    if (n == -1) {
        return ngx_vidcast_v4l2_failed(dev, "poll()", ngx_errno);
    }

    if ((pfd.revents & POLLPRI) && ngx_vidcast_v4l2_source_changed(dev)) {
        return NGX_DONE;
    }

    ngx_memzero(&buf, sizeof(struct v4l2_buffer));
    buf.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    buf.memory = V4L2_MEMORY_MMAP;

    /* also after POLLERR: it tells why */

    if (ngx_vidcast_v4l2_ioctl(dev, VIDIOC_DQBUF, &buf) == -1) {

        if (ngx_errno != NGX_EAGAIN) {
            return ngx_vidcast_v4l2_failed(dev, "VIDIOC_DQBUF", ngx_errno);
        }

        if (pfd.revents & (POLLERR|POLLHUP|POLLNVAL)) {
            return ngx_vidcast_v4l2_failed(dev, "poll()", EIO);
        }

        return NGX_AGAIN;
    }

    return ngx_vidcast_v4l2_accept(dev, &buf, frame);
}


static ngx_int_t
ngx_vidcast_v4l2_accept(ngx_vidcast_v4l2_t *dev, struct v4l2_buffer *buf,
    ngx_vidcast_v4l2_frame_t *frame)
{
    if (buf->index >= dev->nbuffers) {
        ngx_vidcast_v4l2_error(dev, "the driver gave the unknown buffer %uD",
                               buf->index);
        dev->bad++;
        return NGX_ERROR;
    }

    ngx_vidcast_v4l2_sequence(dev, buf->sequence);

    frame->index = buf->index;
    frame->data = dev->buffers[buf->index].data;
    frame->size = ngx_min(buf->bytesused, dev->buffers[buf->index].size);
    frame->time = ngx_vidcast_v4l2_time(buf);

    if (!(buf->flags & V4L2_BUF_FLAG_ERROR) && frame->size >= dev->size) {
        return NGX_OK;
    }

    if (ngx_vidcast_v4l2_queue(dev, buf->index) != NGX_OK) {
        dev->bad++;
        return NGX_ERROR;
    }

    if (buf->flags & V4L2_BUF_FLAG_ERROR) {
        ngx_vidcast_v4l2_error(dev, "the driver says the frame is damaged");

    } else {
        ngx_vidcast_v4l2_error(dev, "short frame: %uz of %uz bytes",
                               frame->size, dev->size);
    }

    return NGX_DECLINED;
}


/*
 * A driver counts the frames which it had no buffer for, or lost on the way;
 * one which does not count at all, or goes back, has lost none.
 */

static void
ngx_vidcast_v4l2_sequence(ngx_vidcast_v4l2_t *dev, uint32_t sequence)
{
    uint32_t  gap;

    gap = sequence - dev->sequence;

    if (dev->numbered && gap <= NGX_VIDCAST_V4L2_MAX_GAP) {
        dev->gap += gap;
    }

    dev->numbered = 1;
    dev->sequence = sequence + 1;
}


static uint64_t
ngx_vidcast_v4l2_time(struct v4l2_buffer *buf)
{
    uint64_t  now, time;

    now = ngx_vidcast_clock();

    if (!ngx_vidcast_v4l2_stamped(buf)) {
        return now;
    }

    time = (uint64_t) buf->timestamp.tv_sec * 1000000
           + buf->timestamp.tv_usec;

    /* some cameras' own clocks make it nonsense */

    if (time > now || now - time > NGX_VIDCAST_V4L2_ANCIENT) {
        return now;
    }

    return time;
}


ngx_int_t
ngx_vidcast_v4l2_queue(ngx_vidcast_v4l2_t *dev, ngx_uint_t index)
{
    struct v4l2_buffer  buf;

    ngx_memzero(&buf, sizeof(struct v4l2_buffer));
    buf.index = index;
    buf.type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    buf.memory = V4L2_MEMORY_MMAP;

    if (ngx_vidcast_v4l2_ioctl(dev, VIDIOC_QBUF, &buf) == -1) {
        (void) ngx_vidcast_v4l2_failed(dev, "VIDIOC_QBUF", ngx_errno);
        return NGX_ERROR;
    }

    return NGX_OK;
}
