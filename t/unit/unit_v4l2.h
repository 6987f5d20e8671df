
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _UNIT_V4L2_H_INCLUDED_
#define _UNIT_V4L2_H_INCLUDED_


/*
 * A V4L2 capture device inside the test program.  open(), ioctl(), mmap() and
 * the syscall() by which libv4l2 does the same are interposed, so that the
 * real library runs above it.  Its descriptor is an eventfd, readable while
 * frames are ready, its buffers are a memfd: both are counted by the kernel.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include <dlfcn.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <linux/videodev2.h>


#define UNIT_V4L2_PATH     "/dev/unit-video"
#define UNIT_V4L2_BUFFERS  4
#define UNIT_V4L2_LENGTH   (1024 * 1024)
#define UNIT_V4L2_OFFERS   8


typedef struct {
    uint32_t                fourcc;
    uint32_t                width;
    uint32_t                height;
    uint32_t                rate;           /* the highest; 0: not told */
} unit_v4l2_offer_t;


typedef struct {
    uint32_t                used;
    uint32_t                flags;
    uint32_t                sequence;
    struct timeval          time;
    unsigned                queued:1;
    unsigned                done:1;
} unit_v4l2_buffer_t;


typedef struct {
    /* what the device is, set by the test */

    uint32_t                caps;
    unit_v4l2_offer_t       offers[UNIT_V4L2_OFFERS];
    ngx_uint_t              noffers;
    uint32_t                rate;           /* the only one it has */
    uint32_t                padding;        /* of each line, bytes */
    uint32_t                quantization;
    uint32_t                stamps;         /* flags of all buffers */

    /* what else it can; 1: not this request, else as ioctl() */

    int                   (*extra)(unsigned long request, void *arg);

    /* faults, set by the test */

    int                     open_errno;
    unsigned long           fail_request;   /* 0: none */
    int                     fail_errno;
    ngx_uint_t              fail_after;     /* so many go well before */
    short                   revents;        /* or-ed to what poll() tells */
    int                     poll_errno;
    uint64_t                clock_offset;   /* ns, added to CLOCK_MONOTONIC */

    /* state */

    int                     fd;
    int                     memfd;
    u_char                 *memory;
    uint32_t                fourcc;
    uint32_t                width;
    uint32_t                height;
    ngx_uint_t              nbuffers;
    ngx_uint_t              order[UNIT_V4L2_BUFFERS];
    ngx_uint_t              norder;         /* done, oldest first */
    unit_v4l2_buffer_t      buffers[UNIT_V4L2_BUFFERS];
    ngx_uint_t              streaming;
    ngx_int_t               maps;
    ngx_uint_t              opens;
    ngx_uint_t              lost;           /* pushed with nothing queued */
    uint32_t                sequence;       /* of the next one, lost or not */
    int                     timeout;        /* longest that poll() was given */
} unit_v4l2_t;


static unit_v4l2_t  unit_v4l2 = { .fd = -1, .memfd = -1 };


static long
unit_v4l2_syscall(long number, long a, long b, long c, long d, long e, long f)
{
    static long  (*next)(long number, ...);

    if (next == NULL) {
        *(void **) &next = dlsym(RTLD_NEXT, "syscall");
    }

    return next(number, a, b, c, d, e, f);
}


static int
unit_v4l2_fail(int err)
{
    errno = err;

    return -1;
}


static void
unit_v4l2_reset(void)
{
    if (unit_v4l2.memory != NULL) {
        (void) munmap(unit_v4l2.memory, UNIT_V4L2_BUFFERS * UNIT_V4L2_LENGTH);
        (void) close(unit_v4l2.memfd);
    }

    ngx_memzero(&unit_v4l2, sizeof(unit_v4l2_t));

    unit_v4l2.caps = V4L2_CAP_VIDEO_CAPTURE|V4L2_CAP_STREAMING;
    unit_v4l2.rate = 30;
    unit_v4l2.fd = -1;
    unit_v4l2.memfd = memfd_create("unit-v4l2", MFD_CLOEXEC);

    if (ftruncate(unit_v4l2.memfd, UNIT_V4L2_BUFFERS * UNIT_V4L2_LENGTH) != 0) {
        abort();
    }

    unit_v4l2.memory = mmap(NULL, UNIT_V4L2_BUFFERS * UNIT_V4L2_LENGTH,
                            PROT_READ|PROT_WRITE, MAP_SHARED, unit_v4l2.memfd,
                            0);
}


static void
unit_v4l2_offer(uint32_t fourcc, uint32_t width, uint32_t height)
{
    unit_v4l2_offer_t  *offer;

    offer = &unit_v4l2.offers[unit_v4l2.noffers++];

    offer->fourcc = fourcc;
    offer->width = width;
    offer->height = height;
    offer->rate = 0;
}


/* the hardware: fills a queued buffer, or has none */

static void __attribute__((unused))
unit_v4l2_push(const void *data, size_t size, uint32_t flags, uint64_t time)
{
    uint32_t             sequence;
    uint64_t             one;
    ngx_uint_t           i;
    unit_v4l2_buffer_t  *buf;

    sequence = unit_v4l2.sequence++;

    for (i = 0; i < unit_v4l2.nbuffers; i++) {

        buf = &unit_v4l2.buffers[i];

        if (!buf->queued || buf->done) {
            continue;
        }

        ngx_memcpy(unit_v4l2.memory + i * UNIT_V4L2_LENGTH, data, size);

        buf->done = 1;
        buf->used = size;
        buf->flags = flags;
        buf->sequence = sequence;
        buf->time.tv_sec = time / 1000000;
        buf->time.tv_usec = time % 1000000;

        unit_v4l2.order[unit_v4l2.norder++] = i;

        one = 1;

        if (write(unit_v4l2.fd, &one, sizeof(one)) != sizeof(one)) {
            abort();
        }

        return;
    }

    unit_v4l2.lost++;
}


static ngx_uint_t __attribute__((unused))
unit_v4l2_queued(void)
{
    ngx_uint_t  i, n;

    for (i = 0, n = 0; i < unit_v4l2.nbuffers; i++) {
        n += unit_v4l2.buffers[i].queued;
    }

    return n;
}


/* as drivers do: what is not offered is replaced by what is */

static int
unit_v4l2_fit(struct v4l2_pix_format *pix)
{
    ngx_uint_t          i;
    unit_v4l2_offer_t  *offer, *best;

    best = &unit_v4l2.offers[0];

    for (i = 0; i < unit_v4l2.noffers; i++) {

        offer = &unit_v4l2.offers[i];

        if (offer->fourcc != pix->pixelformat) {
            continue;
        }

        if (best->fourcc != pix->pixelformat
            || (offer->width == pix->width && offer->height == pix->height))
        {
            best = offer;
        }
    }

    pix->pixelformat = best->fourcc;
    pix->width = best->width;
    pix->height = best->height;
    pix->field = V4L2_FIELD_NONE;
    pix->colorspace = V4L2_COLORSPACE_SRGB;
    pix->quantization = unit_v4l2.quantization;
    pix->bytesperline = 0;
    pix->sizeimage = UNIT_V4L2_LENGTH;

    if (best->fourcc == V4L2_PIX_FMT_YUYV) {
        pix->bytesperline = best->width * 2 + unit_v4l2.padding;

    } else if (best->fourcc == V4L2_PIX_FMT_RGB24) {
        pix->bytesperline = best->width * 3;
        pix->sizeimage = pix->bytesperline * best->height;
    }

    return 0;
}


static int
unit_v4l2_format(unsigned long request, struct v4l2_format *fmt)
{
    if (fmt->type != V4L2_BUF_TYPE_VIDEO_CAPTURE) {
        return unit_v4l2_fail(EINVAL);
    }

    if (request == VIDIOC_G_FMT) {
        fmt->fmt.pix.pixelformat = unit_v4l2.fourcc;
        fmt->fmt.pix.width = unit_v4l2.width;
        fmt->fmt.pix.height = unit_v4l2.height;
    }

    (void) unit_v4l2_fit(&fmt->fmt.pix);

    if (request == VIDIOC_S_FMT) {
        unit_v4l2.fourcc = fmt->fmt.pix.pixelformat;
        unit_v4l2.width = fmt->fmt.pix.width;
        unit_v4l2.height = fmt->fmt.pix.height;
    }

    return 0;
}


static int
unit_v4l2_enum(unsigned long request, void *arg)
{
    struct v4l2_fmtdesc       *desc = arg;
    struct v4l2_frmsizeenum   *size = arg;

    ngx_uint_t  i, n;

    if (request == VIDIOC_ENUM_FMT) {

        if (desc->index >= unit_v4l2.noffers) {
            return unit_v4l2_fail(EINVAL);
        }

        desc->pixelformat = unit_v4l2.offers[desc->index].fourcc;
        return 0;
    }

    for (i = 0, n = 0; i < unit_v4l2.noffers; i++) {

        if (unit_v4l2.offers[i].fourcc != size->pixel_format
            || n++ != size->index)
        {
            continue;
        }

        size->type = V4L2_FRMSIZE_TYPE_DISCRETE;
        size->discrete.width = unit_v4l2.offers[i].width;
        size->discrete.height = unit_v4l2.offers[i].height;
        return 0;
    }

    return unit_v4l2_fail(EINVAL);
}


static int
unit_v4l2_intervals(struct v4l2_frmivalenum *interval)
{
    ngx_uint_t          i;
    unit_v4l2_offer_t  *offer;

    for (i = 0; i < unit_v4l2.noffers; i++) {

        offer = &unit_v4l2.offers[i];

        if (offer->fourcc == interval->pixel_format
            && offer->width == interval->width
            && offer->height == interval->height
            && offer->rate && interval->index < 2)
        {
            interval->type = V4L2_FRMIVAL_TYPE_DISCRETE;
            interval->discrete.numerator = 1 + interval->index;
            interval->discrete.denominator = offer->rate;
            return 0;
        }
    }

    return unit_v4l2_fail(EINVAL);
}


static int
unit_v4l2_buffer(unsigned long request, struct v4l2_buffer *buf)
{
    uint64_t             count;
    unit_v4l2_buffer_t  *b;

    if (request == VIDIOC_DQBUF) {

        if (unit_v4l2.norder == 0) {
            return unit_v4l2_fail(EAGAIN);
        }

        if (read(unit_v4l2.fd, &count, sizeof(count)) != sizeof(count)) {
            abort();
        }

        buf->index = unit_v4l2.order[0];

        unit_v4l2.norder--;
        memmove(unit_v4l2.order, unit_v4l2.order + 1,
                unit_v4l2.norder * sizeof(ngx_uint_t));
    }

    if (buf->index >= unit_v4l2.nbuffers) {
        return unit_v4l2_fail(EINVAL);
    }

    b = &unit_v4l2.buffers[buf->index];

    buf->length = UNIT_V4L2_LENGTH;
    buf->m.offset = buf->index * UNIT_V4L2_LENGTH;
    buf->flags = unit_v4l2.stamps;

    if (request == VIDIOC_QBUF) {

        if (b->queued) {
            return unit_v4l2_fail(EINVAL);
        }

        b->queued = 1;
        b->done = 0;
    }

    if (request == VIDIOC_DQBUF) {
        b->queued = 0;
        b->done = 0;
        buf->bytesused = b->used;
        buf->flags = b->flags;
        buf->timestamp = b->time;
        buf->sequence = b->sequence;
    }

    return 0;
}


static int
unit_v4l2_ioctl(unsigned long request, void *arg)
{
    struct v4l2_capability      *cap = arg;
    struct v4l2_streamparm      *parm = arg;
    struct v4l2_requestbuffers  *req = arg;

    int  rc;

    request = (uint32_t) request;

    if (request == unit_v4l2.fail_request) {

        if (unit_v4l2.fail_after == 0) {
            return unit_v4l2_fail(unit_v4l2.fail_errno);
        }

        unit_v4l2.fail_after--;
    }

    if (unit_v4l2.extra != NULL) {
        rc = unit_v4l2.extra(request, arg);

        if (rc != 1) {
            return rc;
        }
    }

    switch (request) {

    case VIDIOC_QUERYCAP:
        ngx_memzero(cap, sizeof(struct v4l2_capability));
        cap->capabilities = unit_v4l2.caps|V4L2_CAP_DEVICE_CAPS;
        cap->device_caps = unit_v4l2.caps;
        return 0;

    case VIDIOC_ENUM_FMT:
    case VIDIOC_ENUM_FRAMESIZES:
        return unit_v4l2_enum(request, arg);

    case VIDIOC_ENUM_FRAMEINTERVALS:
        return unit_v4l2_intervals(arg);

    case VIDIOC_G_FMT:
    case VIDIOC_TRY_FMT:
    case VIDIOC_S_FMT:
        return unit_v4l2_format(request, arg);

    case VIDIOC_G_PARM:
    case VIDIOC_S_PARM:
        parm->parm.capture.capability = V4L2_CAP_TIMEPERFRAME;
        parm->parm.capture.timeperframe.numerator = 1;
        parm->parm.capture.timeperframe.denominator = unit_v4l2.rate;
        return unit_v4l2.rate ? 0 : unit_v4l2_fail(ENOTTY);

    case VIDIOC_REQBUFS:
        req->count = ngx_min(req->count, UNIT_V4L2_BUFFERS);
        unit_v4l2.nbuffers = req->count;
        ngx_memzero(unit_v4l2.buffers, sizeof(unit_v4l2.buffers));
        return 0;

    case VIDIOC_QUERYBUF:
    case VIDIOC_QBUF:
    case VIDIOC_DQBUF:
        return unit_v4l2_buffer(request, arg);

    case VIDIOC_STREAMON:
        unit_v4l2.streaming = 1;
        return 0;

    case VIDIOC_STREAMOFF:
        unit_v4l2.streaming = 0;
        return 0;

    default:
        return unit_v4l2_fail(ENOTTY);
    }
}


static void *
unit_v4l2_mmap(size_t length, int prot, off_t offset)
{
    void  *p;

    if (unit_v4l2.fail_request == SYS_mmap) {
        errno = unit_v4l2.fail_errno;
        return MAP_FAILED;
    }

    p = (void *) unit_v4l2_syscall(SYS_mmap, 0, length, prot, MAP_SHARED,
                                   unit_v4l2.memfd, offset);
    if (p != MAP_FAILED) {
        unit_v4l2.maps++;
    }

    return p;
}


static int
unit_v4l2_munmap(void *addr, size_t length)
{
    if (length == UNIT_V4L2_LENGTH) {
        unit_v4l2.maps--;
    }

    return unit_v4l2_syscall(SYS_munmap, (long) addr, length, 0, 0, 0, 0);
}


static int
unit_v4l2_close(int fd)
{
    if (fd == unit_v4l2.fd) {
        unit_v4l2.fd = -1;
        unit_v4l2.norder = 0;
    }

    return unit_v4l2_syscall(SYS_close, fd, 0, 0, 0, 0, 0);
}


int
open(const char *path, int flags, ...)
{
    int      mode;
    va_list  args;

    va_start(args, flags);
    mode = (flags & O_CREAT) ? va_arg(args, int) : 0;
    va_end(args);

    if (strcmp(path, UNIT_V4L2_PATH) != 0) {
        return unit_v4l2_syscall(SYS_openat, AT_FDCWD, (long) path, flags,
                                 mode, 0, 0);
    }

    if (unit_v4l2.open_errno) {
        return unit_v4l2_fail(unit_v4l2.open_errno);
    }

    unit_v4l2.opens++;
    unit_v4l2.fd = eventfd(0, EFD_SEMAPHORE|EFD_NONBLOCK|EFD_CLOEXEC);

    return unit_v4l2.fd;
}


int
close(int fd)
{
    return unit_v4l2_close(fd);
}


int
poll(struct pollfd *fds, nfds_t nfds, int timeout)
{
    int                      rc;
    struct timespec          ts;
    struct pollfd *volatile  pfd;     /* gcc takes *fds for written only */

    pfd = fds;

    if (nfds != 1 || pfd->fd != unit_v4l2.fd) {
        ts.tv_sec = timeout / 1000;
        ts.tv_nsec = (timeout % 1000) * 1000000;

        return unit_v4l2_syscall(SYS_ppoll, (long) fds, nfds,
                                 (timeout < 0) ? 0 : (long) &ts, 0, 0, 0);
    }

    unit_v4l2.timeout = ngx_max(unit_v4l2.timeout, timeout);

    if (unit_v4l2.poll_errno) {
        return unit_v4l2_fail(unit_v4l2.poll_errno);
    }

    /* whoever waits here waits in vain: one thread */

    ts.tv_sec = 0;
    ts.tv_nsec = 0;

    rc = unit_v4l2_syscall(SYS_ppoll, (long) fds, nfds, (long) &ts, 0, 0, 0);

    if (rc >= 0 && unit_v4l2.revents) {
        pfd->revents |= unit_v4l2.revents;
        rc = 1;
    }

    return rc;
}


int
clock_gettime(clockid_t clock, struct timespec *ts)
{
    int       rc;
    uint64_t  ns;

    rc = unit_v4l2_syscall(SYS_clock_gettime, clock, (long) ts, 0, 0, 0, 0);

    if (rc == 0 && clock == CLOCK_MONOTONIC) {
        ns = ts->tv_nsec + unit_v4l2.clock_offset;
        ts->tv_sec += ns / 1000000000;
        ts->tv_nsec = ns % 1000000000;
    }

    return rc;
}


/* what libv4l2 calls; its arguments are read as the kernel would */

long
syscall(long number, ...)
{
    long     a[6];
    va_list  args;

    va_start(args, number);
    a[0] = va_arg(args, long);
    a[1] = va_arg(args, long);
    a[2] = va_arg(args, long);
    a[3] = va_arg(args, long);
    a[4] = va_arg(args, long);
    a[5] = va_arg(args, long);
    va_end(args);

    if (number == SYS_munmap) {
        return unit_v4l2_munmap((void *) a[0], a[1]);
    }

    if (number == SYS_close) {
        return unit_v4l2_close((int) a[0]);
    }

    if (unit_v4l2.fd != -1) {

        if (number == SYS_ioctl && (int) a[0] == unit_v4l2.fd) {
            return unit_v4l2_ioctl(a[1], (void *) a[2]);
        }

        if (number == SYS_mmap && (int) a[4] == unit_v4l2.fd) {
            return (long) unit_v4l2_mmap(a[1], a[2], a[5]);
        }
    }

    return unit_v4l2_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}


#endif /* _UNIT_V4L2_H_INCLUDED_ */
