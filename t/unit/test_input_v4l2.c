
/*
 * Copyright (C) vidcast contributors
 */


/*
 * The v4l2: input above the real libv4l2 and a device that does what the test
 * says: which format is chosen, that frames are the camera's own bytes, what
 * becomes of bad frames, and that no fault leaves anything open.  The faults
 * of a real driver are in t/v4l2.t.
 */

#include "unit_v4l2.h"

#include "../../src/codec/ngx_vidcast_image.c"
#include "../../src/codec/ngx_vidcast_jpeg.c"
#include "../../src/capture/ngx_vidcast_v4l2.c"
#include "../../src/capture/ngx_vidcast_v4l2_reason.c"
#include "../../src/capture/ngx_vidcast_input_v4l2.c"
#include "../../src/capture/ngx_vidcast_input.c"

#include "unit.h"
#include "unit_ngx.h"

#include <dirent.h>


#define W  64
#define H  48


/* the table names them, nobody calls them here */

ngx_vidcast_input_module_t       ngx_vidcast_input_test;
ngx_vidcast_input_module_t       ngx_vidcast_input_images;

static ngx_pool_t               *pool;
static ngx_vidcast_input_t       in;
static ngx_vidcast_input_conf_t  conf;
static ngx_vidcast_image_t       image;
static ngx_vidcast_picture_t     picture;
static u_char                    jpeg[UNIT_V4L2_LENGTH];
static size_t                    jpeg_size;
static u_char                    raw[UNIT_V4L2_LENGTH];


static ngx_int_t
set(char *name, char *value)
{
    ngx_str_t  n, v;

    n.data = (u_char *) name;
    n.len = strlen(name);
    v.data = (u_char *) value;
    v.len = strlen(value);

    return ngx_vidcast_input_v4l2.set(&conf, &n, &v);
}


static ngx_int_t
check(char *path)
{
    conf.path.data = (u_char *) path;
    conf.path.len = strlen(path);
    in.error[0] = '\0';

    return ngx_vidcast_input_v4l2.check(&conf, in.error);
}


/* a new device, a new configuration */

static void
fresh(void)
{
    unit_v4l2_reset();

    ngx_memzero(&conf, sizeof(ngx_vidcast_input_conf_t));
    ngx_memzero(&in, sizeof(ngx_vidcast_input_t));

    conf.module = &ngx_vidcast_input_v4l2;
    conf.params = ngx_vidcast_input_v4l2.create_params(pool);
    ngx_str_set(&conf.uri, "v4l2:" UNIT_V4L2_PATH);
    ngx_str_set(&conf.path, UNIT_V4L2_PATH);

    in.conf = &conf;
    in.log = &unit_log;
    picture.image = &image;
}


static ngx_int_t
start(void)
{
    in.error[0] = '\0';

    return ngx_vidcast_input_v4l2.open(&in);
}


static ngx_int_t
grab(void)
{
    in.error[0] = '\0';

    return ngx_vidcast_input_v4l2.grab(&in, &picture);
}


static void
release(void)
{
    ngx_vidcast_input_v4l2.release(&in);
}


static void
stop(void)
{
    ngx_vidcast_input_v4l2.close(&in);
}


static ngx_uint_t
says(const char *text)
{
    if (strstr((char *) in.error, text) != NULL) {
        return 1;
    }

    printf("# error: \"%s\"\n", in.error);

    return 0;
}


static ngx_uint_t
descriptors(void)
{
    DIR         *dir;
    ngx_uint_t   n;

    n = 0;
    dir = opendir("/proc/self/fd");

    while (readdir(dir) != NULL) {
        n++;
    }

    (void) closedir(dir);

    return n;
}


static void
make_jpeg(void)
{
    ngx_vidcast_jpeg_encoder_t  *enc;

    enc = ngx_vidcast_jpeg_encoder_create();
    jpeg_size = sizeof(jpeg);

    if (ngx_vidcast_jpeg_encode(enc, &image, 80, jpeg, &jpeg_size) != NGX_OK) {
        abort();
    }

    ngx_vidcast_jpeg_encoder_destroy(enc);
}


static void
test_parameters(void)
{
    fresh();

    unit_ok(set("size", "640x480") == NGX_OK && conf.width == 640
            && conf.height == 480, "size=640x480");
    unit_ok(set("size", "640") == NGX_ERROR, "size=640 is refused");
    unit_ok(set("fps", "25") == NGX_OK && conf.fps == 25, "fps=25");
    unit_ok(set("fps", "many") == NGX_ERROR, "fps=many is refused");
    unit_ok(set("format", "auto") == NGX_OK, "format=auto");
    unit_ok(set("format", "mjpeg") == NGX_OK, "format=mjpeg");
    unit_ok(set("format", "yuyv") == NGX_OK, "format=yuyv");
    unit_ok(set("format", "yuy") == NGX_ERROR, "format=yuy is refused");
    unit_ok(set("format", "") == NGX_ERROR, "format= is refused");
    unit_ok(set("loop", "on") == NGX_DECLINED, "loop=on is unknown");

    unit_ok(check("/dev/video0") == NGX_OK, "a full path");
    unit_ok(check("/no/such/thing") == NGX_OK, "no device is touched");
    unit_ok(check("video0") == NGX_ERROR && says("full path"),
            "a relative path is refused");
    unit_ok(check("") == NGX_ERROR && says("full path"),
            "an empty path is refused");
}


static void
test_choice(void)
{
    fresh();
    unit_v4l2_offer(V4L2_PIX_FMT_YUYV, W, H);
    unit_v4l2_offer(V4L2_PIX_FMT_MJPEG, W, H);
    (void) set("size", "64x48");

    unit_ok(start() == NGX_OK && in.format == NGX_VIDCAST_INPUT_JPEG,
            "both offered: MJPEG");
    stop();

    (void) set("format", "yuyv");
    unit_ok(start() == NGX_OK && in.format == NGX_VIDCAST_INPUT_I420
            && unit_v4l2.fourcc == V4L2_PIX_FMT_YUYV,
            "both offered, format=yuyv: YUYV");
    stop();

    (void) set("format", "auto");
    (void) set("size", "32x32");
    unit_v4l2_offer(V4L2_PIX_FMT_YUYV, 32, 32);
    unit_ok(start() == NGX_OK && unit_v4l2.fourcc == V4L2_PIX_FMT_YUYV
            && in.width == 32 && in.height == 32,
            "the size is offered by YUYV only: YUYV");
    stop();

    (void) set("format", "mjpeg");
    unit_ok(start() == NGX_OK && unit_v4l2.fourcc == V4L2_PIX_FMT_MJPEG
            && in.width == W, "format=mjpeg: MJPEG, though in another size");
    stop();

    fresh();
    unit_v4l2_offer(V4L2_PIX_FMT_JPEG, W, H);
    unit_ok(start() == NGX_OK && in.format == NGX_VIDCAST_INPUT_JPEG,
            "JPEG, as some drivers call it");
    unit_ok(in.width == W && in.height == H && in.fps == 30,
            "without size= and fps=: what the driver has");
    stop();

    (void) set("format", "yuyv");
    unit_ok(start() == NGX_ERROR && says("unsupported format: no YUYV"),
            "format=yuyv from a camera without it");

    fresh();
    unit_v4l2_offer(V4L2_PIX_FMT_YUYV, W, H);
    (void) set("format", "mjpeg");
    unit_ok(start() == NGX_ERROR && says("unsupported format: no MJPEG"),
            "format=mjpeg from a camera without it");
}


static void
test_mjpeg(void)
{
    u_char  *copy;

    fresh();
    unit_v4l2_offer(V4L2_PIX_FMT_MJPEG, W, H);

    unit_ok(start() == NGX_OK, "an MJPEG camera");
    unit_ok(unit_v4l2_queued() == UNIT_V4L2_BUFFERS && unit_v4l2.streaming,
            "all buffers are queued, and it streams");
    unit_ok(grab() == NGX_AGAIN, "no frame yet");
    unit_ok(unit_v4l2.timeout > 0 && unit_v4l2.timeout <= 200,
            "waits for 200 ms at most");

    unit_v4l2_push(jpeg, jpeg_size, 0, 0);

    unit_ok(grab() == NGX_OK, "a frame");
    unit_ok(picture.size == jpeg_size
            && ngx_memcmp(picture.data, jpeg, jpeg_size) == 0,
            "it is the camera's own bytes");
    unit_ok(unit_v4l2_queued() == UNIT_V4L2_BUFFERS - 1, "lent by the driver");

    release();
    unit_ok(unit_v4l2_queued() == UNIT_V4L2_BUFFERS, "and given back");

    copy = raw;
    ngx_memzero(copy, jpeg_size + 100);
    ngx_memcpy(copy, jpeg, jpeg_size);
    unit_v4l2_push(copy, jpeg_size + 100, 0, 0);

    unit_ok(grab() == NGX_OK && picture.size == jpeg_size, "padding is cut");
    release();

    jpeg[1000]++;
    unit_v4l2_push(raw, jpeg_size, 0, 0);
    unit_v4l2_push(raw, jpeg_size, 0, 0);
    unit_v4l2_push(jpeg, jpeg_size, 0, 0);

    unit_ok(grab() == NGX_OK
            && ngx_memcmp(picture.data, jpeg, jpeg_size) == 0,
            "the newest of three");
    unit_ok(grab() == NGX_AGAIN, "and the older ones are skipped");
    release();
    unit_ok(unit_v4l2_queued() == UNIT_V4L2_BUFFERS && unit_v4l2.lost == 0,
            "all given back");

    jpeg[1000]--;

    unit_v4l2_push(jpeg, jpeg_size, 0, 0);
    (void) grab();
    stop();
    unit_ok(unit_v4l2.maps == 0, "closed with a frame lent: nothing mapped");
}


static void
test_yuyv(void)
{
    size_t      size, stride;
    ngx_uint_t  i, good;

    fresh();
    unit_v4l2_offer(V4L2_PIX_FMT_YUYV, W, H);
    unit_v4l2.padding = 16;

    stride = W * 2 + 16;
    size = stride * H;

    for (i = 0; i < size; i += 4) {
        raw[i] = i / stride;
        raw[i + 1] = 90;
        raw[i + 2] = i / stride;
        raw[i + 3] = 200;
    }

    (void) start();
    unit_v4l2_push(raw, size, 0, 0);

    unit_ok(grab() == NGX_OK, "a YUYV frame with padded lines");

    for (i = 0, good = 1; i < W * H; i++) {
        good &= image.plane[0][i / W * image.stride[0] + i % W] == i / W;
    }

    for (i = 0; i < W * H / 4; i++) {
        good &= image.plane[1][i / (W / 2) * image.stride[1] + i % (W / 2)]
                == 90;
        good &= image.plane[2][i / (W / 2) * image.stride[2] + i % (W / 2)]
                == 200;
    }

    unit_ok(good, "every sample in its plane");
    unit_ok(unit_v4l2_queued() == UNIT_V4L2_BUFFERS, "given back at once");
    release();
    unit_ok(unit_v4l2_queued() == UNIT_V4L2_BUFFERS, "release() is no matter");

    unit_v4l2_push(raw, size - 1, 0, 0);
    unit_ok(grab() == NGX_DECLINED && says("short frame: 6911 of 6912 bytes"),
            "a short frame");
    unit_ok(unit_v4l2_queued() == UNIT_V4L2_BUFFERS, "given back");
    stop();
}


static void
test_conversion(void)
{
    ngx_uint_t  i, white, black;

    fresh();
    unit_v4l2_offer(V4L2_PIX_FMT_RGB24, W, H);

    unit_ok(start() == NGX_OK && in.format == NGX_VIDCAST_INPUT_I420
            && in.width == W && in.height == H,
            "an RGB camera is converted by libv4l2");

    ngx_memset(raw, 255, W * H * 3 / 2);
    ngx_memset(raw + W * H * 3 / 2, 0, W * H * 3 / 2);
    unit_v4l2_push(raw, W * H * 3, 0, 0);

    unit_ok(grab() == NGX_OK, "a frame");

    for (i = 0, white = 0, black = 0; i < W; i++) {
        white += image.plane[0][i];
        black += image.plane[0][image.stride[0] * (H - 1) + i];
    }

    unit_ok(white / W > 220 && black / W < 30, "white above, black below");
    unit_ok(unit_v4l2_queued() == UNIT_V4L2_BUFFERS, "given back");

    stop();
    unit_ok(unit_v4l2.fd == -1 && unit_v4l2.maps == 0, "closed");
}


static void
test_accepted(void)
{
    ngx_uint_t  *said;

    said = &unit_log_count[NGX_LOG_NOTICE];

    fresh();
    unit_v4l2_offer(V4L2_PIX_FMT_MJPEG, W, H);
    unit_v4l2.rate = 25;
    (void) set("size", "64x48");
    (void) set("fps", "25");
    *said = 0;

    (void) start();
    stop();
    unit_ok(*said == 0, "nothing to say of a driver that does as asked");

    fresh();
    unit_v4l2_offer(V4L2_PIX_FMT_MJPEG, W, H);
    (void) set("size", "1280x720");

    unit_ok(start() == NGX_OK && in.width == W && in.height == H,
            "the driver's size is accepted");
    stop();
    unit_ok(*said == 1 && strstr(unit_log_last, "64x48, not of 1280x720"),
            "and said");

    (void) start();
    stop();
    unit_ok(*said == 1, "once");

    unit_v4l2.offers[0].width = 32;
    (void) start();
    stop();
    unit_ok(*said == 2 && strstr(unit_log_last, "32x48"), "a change is said");

    (void) set("fps", "60");
    unit_v4l2.rate = 15;
    unit_ok(start() == NGX_OK && in.fps == 15, "the driver's rate likewise");
    stop();
    (void) start();
    stop();
    unit_ok(*said == 3
            && strstr(unit_log_last, "15.00 frames a second, not 60.00"),
            "and said, once");

    unit_v4l2.rate = 0;
    unit_ok(start() == NGX_OK && in.fps == 0, "a driver that tells no rate");
    stop();
}


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
    unit_ok(grab() == NGX_DECLINED && says("not a whole JPEG"), "truncated");

    unit_v4l2_push(jpeg + 1, jpeg_size - 1, 0, 0);
    unit_ok(grab() == NGX_DECLINED && says("not a whole JPEG"), "no SOI");

    unit_ok(unit_v4l2_queued() == UNIT_V4L2_BUFFERS, "all given back");

    unit_v4l2_push(jpeg, jpeg_size, 0, 0);
    unit_v4l2_push(jpeg, jpeg_size, V4L2_BUF_FLAG_ERROR, 0);
    unit_ok(grab() == NGX_OK && picture.size == jpeg_size,
            "a good one before a bad one is taken");
    release();
    unit_ok(unit_v4l2_queued() == UNIT_V4L2_BUFFERS, "all given back");

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


static void
test_time(void)
{
    uint64_t  now, monotonic;

    fresh();
    unit_v4l2_offer(V4L2_PIX_FMT_MJPEG, W, H);
    (void) start();

    monotonic = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
    now = ngx_vidcast_clock();

    unit_v4l2_push(jpeg, jpeg_size, monotonic, now - 20000);
    (void) grab();
    release();
    unit_ok(picture.time == now - 20000, "the driver's monotonic time");

    unit_v4l2_push(jpeg, jpeg_size, 0, now - 20000);
    (void) grab();
    release();
    unit_ok(picture.time >= now, "another clock's time is not taken");

    unit_v4l2_push(jpeg, jpeg_size, monotonic, now + 3600000000ull);
    (void) grab();
    release();
    unit_ok(picture.time >= now && picture.time <= ngx_vidcast_clock(),
            "nor one that is to come");

    unit_v4l2_push(jpeg, jpeg_size, monotonic, 1);
    (void) grab();
    release();
    unit_ok(picture.time >= now, "nor one of long ago");

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

    unit_ok(ngx_vidcast_input_v4l2.grab(&in, &picture) == NGX_ERROR
            && says("VIDIOC_QBUF failed (22"),
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
    refuse(SYS_mmap, ENOMEM, NGX_ERROR, "mmap() failed (12");

    unit_v4l2.open_errno = EBUSY;
    refuse(0, 0, NGX_BUSY, "busy, another program uses it: open() failed");

    unit_v4l2.open_errno = ENXIO;
    refuse(0, 0, NGX_ERROR, "no such device");

    unit_v4l2.open_errno = EMFILE;
    refuse(0, 0, NGX_ERROR, "open() failed (24: Too many open files)");

    unit_v4l2.open_errno = 0;
    unit_v4l2.caps = V4L2_CAP_META_CAPTURE|V4L2_CAP_STREAMING;
    refuse(0, 0, NGX_ERROR, "not a video capture device");

    unit_v4l2.caps = V4L2_CAP_VIDEO_CAPTURE|V4L2_CAP_READWRITE;
    refuse(0, 0, NGX_ERROR, "the driver has no streaming");

    ngx_str_set(&conf.path, "/no/such/device");
    refuse(0, 0, NGX_ERROR, "no such device");

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
    pool = ngx_create_pool(4096, &unit_log);

    if (ngx_vidcast_image_alloc(&image, W, H, 0) != NGX_OK) {
        return 1;
    }

    memset(image.plane[0], 100, image.stride[0] * H);
    memset(image.plane[1], 128, image.stride[1] * H / 2);
    memset(image.plane[2], 128, image.stride[2] * H / 2);

    make_jpeg();

    test_parameters();
    test_choice();
    test_mjpeg();
    test_yuyv();
    test_conversion();
    test_accepted();
    test_bad_frames();
    test_silence();
    test_time();
    test_lost();
    test_refused();
    test_denied();
    test_leak();

    unit_v4l2_reset();
    ngx_vidcast_image_free(&image);
    ngx_destroy_pool(pool);

    return unit_done();
}
