
/*
 * Copyright (C) vidcast contributors
 */


/*
 * The v4l2: input above the real libv4l2 and a device that fails as the test
 * says: bad frames, silence, unplugging, refusals.  Each must be told for what
 * it is, and none may leave anything open.
 */

#include "unit_v4l2_input.h"


static void
test_bad_frames(void)
{
    fresh();
    unit_v4l2_offer(V4L2_PIX_FMT_MJPEG, W, H);
    (void) start();

    unit_v4l2_push(jpeg, jpeg_size, V4L2_BUF_FLAG_ERROR, 0);
    unit_ok(grab() == NGX_DECLINED && says("damaged"), "marked by the driver");

    unit_v4l2_push(jpeg, 0, 0, 0);
    unit_ok(grab() == NGX_DECLINED && says("short frame"), "empty");

    unit_v4l2_push(jpeg, jpeg_size / 2, 0, 0);
    unit_ok(grab() == NGX_DECLINED && says("a truncated JPEG: "), "truncated");

    unit_v4l2_push(jpeg + 1, jpeg_size - 1, 0, 0);
    unit_ok(grab() == NGX_DECLINED && says("not a JPEG, "), "no SOI");

    unit_ok(unit_v4l2_queued() == UNIT_V4L2_BUFFERS, "all given back");

    unit_v4l2_push(jpeg, jpeg_size, 0, 0);
    unit_v4l2_push(jpeg, jpeg_size, V4L2_BUF_FLAG_ERROR, 0);
    unit_ok(grab() == NGX_OK && picture.size == jpeg_size
            && in.dropped.bad_frame == 1 && in.dropped.late == 0,
            "a good one before a bad one is taken, and that one is counted");
    release();
    unit_ok(unit_v4l2_queued() == UNIT_V4L2_BUFFERS, "all given back");

    stop();
}


/* what is lost before it is grabbed has no number, but is counted */

static void
test_lost_frames(void)
{
    ngx_uint_t  i;

    fresh();
    unit_v4l2_offer(V4L2_PIX_FMT_MJPEG, W, H);
    unit_v4l2.sequence = 7;
    (void) start();

    for (i = 0; i < UNIT_V4L2_BUFFERS; i++) {
        unit_v4l2_push(jpeg, jpeg_size, 0, 0);
    }

    unit_ok(grab() == NGX_OK && in.dropped.late == UNIT_V4L2_BUFFERS - 1
            && in.dropped.sequence_gap == 0,
            "older ones are late, whatever the first one's number");

    /* one buffer is lent */

    for (i = 0; i < UNIT_V4L2_BUFFERS + 2; i++) {
        unit_v4l2_push(jpeg, jpeg_size, 0, 0);
    }

    release();
    unit_v4l2_push(jpeg, jpeg_size, 0, 0);
    ngx_memzero(&in.dropped, sizeof(in.dropped));

    unit_ok(grab() == NGX_OK && in.dropped.late == UNIT_V4L2_BUFFERS - 1
            && in.dropped.sequence_gap == 3 && unit_v4l2.lost == 3,
            "no buffer was free for three: a gap of three");
    release();

    /* a number that goes back, or jumps, is another count */

    ngx_memzero(&in.dropped, sizeof(in.dropped));

    unit_v4l2.sequence = 0;
    unit_v4l2_push(jpeg, jpeg_size, 0, 0);
    (void) grab();
    release();

    unit_v4l2.sequence = 0xffffffff;
    unit_v4l2_push(jpeg, jpeg_size, 0, 0);
    (void) grab();
    release();

    unit_ok(in.dropped.sequence_gap == 0, "no gap: another count");

    unit_v4l2.sequence = 1;
    unit_v4l2_push(jpeg, jpeg_size, 0, 0);
    (void) grab();
    release();

    unit_ok(in.dropped.sequence_gap == 1, "a gap around the largest number");

    stop();
}


static void
test_silence(void)
{
    fresh();
    unit_v4l2_offer(V4L2_PIX_FMT_MJPEG, W, H);
    (void) start();

    unit_v4l2.clock_offset = 4500000000;
    unit_ok(grab() == NGX_AGAIN, "silent, but not for long");

    unit_v4l2_push(jpeg, jpeg_size, 0, 0);
    unit_ok(grab() == NGX_OK, "a frame");
    release();

    unit_v4l2.clock_offset += 4500000000;
    unit_ok(grab() == NGX_AGAIN, "the clock was set back by it");

    unit_v4l2.clock_offset += 1000000000;
    unit_ok(grab() == NGX_ERROR && says("no frame for 5 s"), "no frame");
    stop();

    unit_ok(start() == NGX_OK && grab() == NGX_AGAIN, "opened again");

    unit_v4l2.clock_offset += 5500000000;
    unit_v4l2_push(jpeg, jpeg_size, V4L2_BUF_FLAG_ERROR, 0);
    unit_ok(grab() == NGX_ERROR && says("no good frame for 5 s"),
            "none but bad frames");
    stop();
}


/* the device breaks while a frame is waited for */

static void
lose(unsigned long request, int err, short revents, const char *text)
{
    ngx_int_t  rc;

    fresh();
    unit_v4l2_offer(V4L2_PIX_FMT_MJPEG, W, H);
    (void) start();

    unit_v4l2.fail_request = request;
    unit_v4l2.fail_errno = err;
    unit_v4l2.revents = revents;

    rc = grab();

    unit_ok(rc == NGX_ERROR && says(text), "lost: %s", text);

    stop();
    unit_ok(unit_v4l2.fd == -1 && unit_v4l2.maps == 0, "closed");

    unit_v4l2.fail_request = 0;
    unit_v4l2.revents = 0;

    unit_ok(start() == NGX_OK, "opened again");
    unit_v4l2_push(jpeg, jpeg_size, 0, 0);
    unit_ok(grab() == NGX_OK, "a frame");
    stop();
}


static void
test_lost(void)
{
    lose(VIDIOC_DQBUF, ENODEV, POLLERR|POLLHUP,
         "the device is gone: VIDIOC_DQBUF failed (19: No such device)");
    lose(VIDIOC_DQBUF, EINVAL, POLLIN,
         "the device failed: VIDIOC_DQBUF failed (22: Invalid argument)");
    lose(VIDIOC_DQBUF, EIO, POLLERR,
         "the device failed: VIDIOC_DQBUF failed (5: Input/output error)");
    lose(0, 0, POLLERR, "the device failed: poll() failed");

    fresh();
    unit_v4l2_offer(V4L2_PIX_FMT_MJPEG, W, H);
    (void) start();

    unit_v4l2.poll_errno = EINTR;
    unit_ok(grab() == NGX_AGAIN, "a signal is no loss");
    unit_v4l2.poll_errno = 0;

    unit_v4l2_push(jpeg, jpeg_size, 0, 0);
    unit_ok(grab() == NGX_OK, "a frame");
    unit_v4l2.fail_request = VIDIOC_QBUF;
    unit_v4l2.fail_errno = EINVAL;
    release();
    unit_v4l2.fail_request = 0;

    unit_ok(grab() == NGX_ERROR && says("VIDIOC_QBUF failed (22"),
            "a buffer that is not taken back is told by the next grab()");
    stop();
}


static void
refuse(unsigned long request, int err, ngx_int_t rc, const char *text)
{
    unit_v4l2.fail_request = request;
    unit_v4l2.fail_errno = err;

    unit_ok(start() == rc && says(text), "refused: %s", text);
    unit_ok(unit_v4l2.fd == -1 && unit_v4l2.maps == 0, "nothing left open");

    unit_v4l2.fail_request = 0;
}


static void
test_refused(void)
{
    fresh();
    unit_v4l2_offer(V4L2_PIX_FMT_MJPEG, W, H);

    refuse(VIDIOC_S_FMT, EBUSY, NGX_BUSY, "busy, another program uses it");
    refuse(VIDIOC_REQBUFS, EBUSY, NGX_BUSY, "VIDIOC_REQBUFS failed (16");
    refuse(VIDIOC_STREAMON, EBUSY, NGX_BUSY, "VIDIOC_STREAMON failed (16");
    refuse(VIDIOC_REQBUFS, EINVAL, NGX_ERROR, "VIDIOC_REQBUFS failed (22");
    refuse(VIDIOC_STREAMON, EINVAL, NGX_ERROR, "VIDIOC_STREAMON failed (22");
    refuse(VIDIOC_S_FMT, ENODEV, NGX_ERROR, "the device is gone");
    refuse(VIDIOC_QUERYCAP, ENOTTY, NGX_ERROR, "not a video capture device");
    refuse(VIDIOC_STREAMON, ENOSPC, NGX_ERROR, "not enough bandwidth left");
    refuse(SYS_mmap, ENOMEM, NGX_ERROR, "mmap() failed (12");

    unit_v4l2.open_errno = EBUSY;
    refuse(0, 0, NGX_BUSY, "busy, another program uses it: open() failed");

    unit_v4l2.open_errno = ENXIO;
    refuse(0, 0, NGX_AGAIN, "no such device");

    unit_v4l2.open_errno = EMFILE;
    refuse(0, 0, NGX_ERROR, "open() failed (24: Too many open files)");

    unit_v4l2.open_errno = 0;
    unit_v4l2.caps = V4L2_CAP_META_CAPTURE|V4L2_CAP_STREAMING;
    refuse(0, 0, NGX_ERROR, "not a video capture device");

    unit_v4l2.caps = V4L2_CAP_VIDEO_CAPTURE|V4L2_CAP_READWRITE;
    refuse(0, 0, NGX_ERROR, "the driver has no streaming");

    ngx_str_set(&conf.path, "/no/such/device");
    refuse(0, 0, NGX_AGAIN, "no such device");

    ngx_str_set(&conf.path, "/dev/null");
    refuse(0, 0, NGX_ERROR, "not a video capture device");
}


static void
test_denied(void)
{
    int                 fd;
    char                path[] = "/tmp/vidcast-unit-XXXXXX";
    struct stat         st;
    struct group       *group;
    ngx_vidcast_v4l2_t  dev;

    fresh();

    dev.error = in.error;
    fd = mkstemp(path);

    /* the call itself, as root is denied nothing */

    (void) fchmod(fd, 0660);
    (void) ngx_vidcast_v4l2_open_failed(&dev, path, EACCES);

    (void) fstat(fd, &st);
    group = getgrgid(st.st_gid);

    unit_ok(says("permission denied, nginx's \"user\" has to be in the group")
            && (group == NULL || says(group->gr_name)),
            "permission denied: the group is named");

    (void) fchmod(fd, 0600);
    (void) ngx_vidcast_v4l2_open_failed(&dev, path, EACCES);

    unit_ok(says("permission denied, its mode is 0600"),
            "where no group helps, the mode is told");

    (void) close(fd);
    (void) unlink(path);
}


static void
test_leak(void)
{
    ngx_uint_t  i, j, before, opened;

    static unsigned long  requests[] = {
        VIDIOC_QUERYCAP, VIDIOC_G_FMT, VIDIOC_TRY_FMT, VIDIOC_S_FMT,
        VIDIOC_REQBUFS, VIDIOC_QUERYBUF, SYS_mmap, VIDIOC_QBUF, VIDIOC_STREAMON
    };

    fresh();
    unit_v4l2_offer(V4L2_PIX_FMT_RGB24, W, H);

    before = descriptors();
    opened = 0;

    for (i = 0; i < 1008; i++) {
        j = i % (sizeof(requests) / sizeof(requests[0]));

        unit_v4l2.fail_request = requests[j];
        unit_v4l2.fail_errno = EINVAL;
        unit_v4l2.fail_after = i / 100 % 4;

        if (start() == NGX_OK) {
            opened++;
            stop();
        }
    }

    unit_ok(descriptors() == before && unit_v4l2.maps == 0,
            "1008 opens that fail: no descriptor, no mapping is left");
    unit_ok(opened < 504 && unit_v4l2.opens >= 1008,
            "(most did fail, past open())");

    unit_v4l2.fail_request = 0;
    unit_ok(start() == NGX_OK, "and it opens");
    stop();
}


int
main(void)
{
    static void  (*tests[])(void) = {
        test_bad_frames,
        test_lost_frames,
        test_silence,
        test_lost,
        test_refused,
        test_denied,
        test_leak,
        NULL
    };

    return run(tests);
}
