
/*
 * Copyright (C) vidcast contributors
 */


/*
 * The v4l2: input above the real libv4l2 and a device that does what the test
 * says: which format is chosen, that frames are the camera's own bytes and
 * pixels, the newest of them, with the right time.  Faults are in
 * test_input_v4l2_faults.c, real drivers in t/v4l2.t.
 */

#include "unit_v4l2_input.h"


static struct v4l2_pix_format  wanted;      /* by the last VIDIOC_S_FMT */


static void
test_parameters(void)
{
    fresh();

    unit_ok(set("size", "640x480") == NGX_OK && conf.width == 640
            && conf.height == 480, "size=640x480");
    unit_ok(set("size", "640") == NGX_ERROR, "size=640 is refused");
    unit_ok(set("size", "640x") == NGX_OK && conf.width == 640
            && conf.height == 0, "size=640x");
    unit_ok(set("fps", "25") == NGX_OK && conf.fps == 25, "fps=25");
    unit_ok(set("fps", "many") == NGX_ERROR, "fps=many is refused");
    unit_ok(set("format", "auto") == NGX_OK, "format=auto");
    unit_ok(set("format", "mjpeg") == NGX_OK, "format=mjpeg");
    unit_ok(set("format", "yuyv") == NGX_OK, "format=yuyv");
    unit_ok(set("format", "yuy") == NGX_ERROR, "format=yuy is refused");
    unit_ok(set("format", "") == NGX_ERROR, "format= is refused");
    unit_ok(set("loop", "on") == NGX_DECLINED, "loop=on is unknown");

    unit_ok(set("input", "1") == NGX_OK && set("input", "HDMI") == NGX_OK,
            "input=1 and input=HDMI");
    unit_ok(set("input", "") == NGX_ERROR, "input= is refused");
    unit_ok(set("norm", "pal") == NGX_OK && set("norm", "NTSC-M") == NGX_OK
            && set("norm", "auto") == NGX_OK, "norm=pal, NTSC-M and auto");
    unit_ok(set("norm", "hdtv") == NGX_ERROR && set("norm", "") == NGX_ERROR,
            "norm=hdtv and norm= are refused");

    unit_ok(set("ctrl.brightness", "-1") == NGX_OK, "ctrl.brightness=-1");
    unit_ok(set("ctrl.brightness", "") == NGX_ERROR, "an empty one is not");
    unit_ok(set("ctrl.", "1") == NGX_DECLINED
            && set("ctrl.Brightness", "1") == NGX_DECLINED
            && set("ctrl.a b", "1") == NGX_DECLINED, "nor are other names");

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

    unit_ok(says("no MJPEG from this device, it has YUYV"),
            "with what it has");

    unit_v4l2_offer(v4l2_fourcc_be('A', 0x81, '\n', '2'), W, H);
    unit_ok(start() == NGX_ERROR && says("it has YUYV, A??2-BE"),
            "in characters that can be printed");

    fresh();
    unit_v4l2_offer(V4L2_PIX_FMT_H264, W, H);
    unit_ok(start() == NGX_ERROR && says("unsupported format: \"H264\""),
            "a format which libv4l2 cannot convert is named");
}


/* two formats, each in two sizes, each with a highest rate */

static void
modes(uint32_t mjpeg, uint32_t mjpeg2, uint32_t yuyv, uint32_t yuyv2)
{
    fresh();
    unit_v4l2_offer(V4L2_PIX_FMT_YUYV, W, H);
    unit_v4l2_offer(V4L2_PIX_FMT_YUYV, 2 * W, 2 * H);
    unit_v4l2_offer(V4L2_PIX_FMT_MJPEG, W, H);
    unit_v4l2_offer(V4L2_PIX_FMT_MJPEG, 2 * W, 2 * H);
    unit_v4l2.offers[0].rate = yuyv;
    unit_v4l2.offers[1].rate = yuyv2;
    unit_v4l2.offers[2].rate = mjpeg;
    unit_v4l2.offers[3].rate = mjpeg2;
}


static void
chosen(char *size, char *fps, uint32_t fourcc, uint32_t width,
    const char *name)
{
    (void) set("size", size);
    (void) set("fps", fps);

    unit_ok(start() == NGX_OK && unit_v4l2.fourcc == fourcc
            && in.width == width, "chosen: %s", name);
    stop();
}


static int
stepwise(unsigned long request, void *arg)
{
    struct v4l2_frmsizeenum  *size = arg;
    struct v4l2_frmivalenum  *interval = arg;

    if (request == VIDIOC_ENUM_FRAMESIZES) {
        size->type = V4L2_FRMSIZE_TYPE_STEPWISE;
        size->stepwise.min_width = 48;
        size->stepwise.max_width = 1000;
        size->stepwise.step_width = 16;
        size->stepwise.min_height = 16;
        size->stepwise.max_height = 500;
        size->stepwise.step_height = 2;
        return 0;
    }

    if (request == VIDIOC_ENUM_FRAMEINTERVALS) {
        interval->type = V4L2_FRMIVAL_TYPE_STEPWISE;
        interval->stepwise.min.numerator = 1;
        interval->stepwise.min.denominator
            = (interval->pixel_format == V4L2_PIX_FMT_MJPEG) ? 20 : 40;
        return 0;
    }

    if (request == VIDIOC_S_FMT) {
        wanted = ((struct v4l2_format *) arg)->fmt.pix;
    }

    return 1;
}


static void
stepped(char *size, uint32_t width, uint32_t height)
{
    (void) set("size", size);
    (void) start();
    stop();

    unit_ok(wanted.width == width && wanted.height == height,
            "of a range of sizes, for %s: %ux%u", size, width, height);
}


static void
test_modes(void)
{
    modes(30, 30, 30, 10);

    chosen("64x48", "30", V4L2_PIX_FMT_MJPEG, W, "MJPEG if both reach it");
    chosen("128x96", "30", V4L2_PIX_FMT_MJPEG, 2 * W,
           "MJPEG if only that reaches the rate");
    chosen("128x96", "10", V4L2_PIX_FMT_MJPEG, 2 * W, "MJPEG for a low one");
    chosen("120x100", "30", V4L2_PIX_FMT_MJPEG, 2 * W, "the nearest size");
    chosen("9999x9999", "30", V4L2_PIX_FMT_MJPEG, 2 * W, "the largest one");
    chosen("8x8", "30", V4L2_PIX_FMT_MJPEG, W, "the smallest one");

    chosen("120x", "30", V4L2_PIX_FMT_MJPEG, 2 * W, "the nearest width");
    chosen("x40", "30", V4L2_PIX_FMT_MJPEG, W, "the nearest height");

    unit_v4l2.offers[0].height = 4 * H;

    chosen("64x", "30", V4L2_PIX_FMT_YUYV, W,
           "of one width, the largest picture");

    modes(15, 15, 30, 10);

    chosen("64x48", "30", V4L2_PIX_FMT_YUYV, W,
           "YUYV if only that reaches the rate");
    chosen("64x48", "29.97", V4L2_PIX_FMT_YUYV, W, "29.97");
    chosen("64x48", "15", V4L2_PIX_FMT_MJPEG, W, "15");
    chosen("128x96", "30", V4L2_PIX_FMT_MJPEG, 2 * W,
           "if none does, the one that comes nearest");

    modes(0, 0, 30, 30);

    chosen("64x48", "60", V4L2_PIX_FMT_MJPEG, W, "MJPEG of unknown rate");

    modes(30, 30, 30, 30);
    unit_v4l2.offers[3].width = 20;

    chosen("128x96", "30", V4L2_PIX_FMT_YUYV, 2 * W,
           "YUYV if only that has the size");

    modes(30, 30, 30, 30);
    unit_v4l2.extra = stepwise;

    chosen("64x48", "30", V4L2_PIX_FMT_YUYV, W, "by a range of rates");
    stepped("100x99", 96, 100);
    stepped("128x", 128, 96);
    stepped("x24", 64, 24);
    stepped("105x51", 112, 52);
    stepped("1x1", 48, 16);
    stepped("9999x9999", 992, 500);
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


/* lines of "luma" and its number, between chroma of 90 and 200 */

static size_t
make_yuyv(uint32_t padding)
{
    size_t      size, stride;
    ngx_uint_t  i;

    stride = W * 2 + padding;
    size = stride * H;

    for (i = 0; i < size; i += 4) {
        raw[i] = i / stride * 5;
        raw[i + 1] = 90;
        raw[i + 2] = i / stride * 5;
        raw[i + 3] = 200;
    }

    return size;
}


static void
test_yuyv(void)
{
    size_t      size;
    ngx_uint_t  i, good;

    fresh();
    unit_v4l2_offer(V4L2_PIX_FMT_YUYV, W, H);
    unit_v4l2.padding = 16;
    unit_v4l2.quantization = V4L2_QUANTIZATION_FULL_RANGE;

    size = make_yuyv(16);

    (void) start();
    unit_v4l2_push(raw, size, 0, 0);

    unit_ok(grab() == NGX_OK, "a YUYV frame with padded lines");

    for (i = 0, good = 1; i < W * H; i++) {
        good &= image.plane[0][i / W * image.stride[0] + i % W] == i / W * 5;
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


/* the range of TV, which is what a driver means that says nothing of it */

static void
test_range(void)
{
    size_t      size;
    double      wanted;
    ngx_uint_t  i, good;

    fresh();
    unit_v4l2_offer(V4L2_PIX_FMT_YUYV, W, H);

    size = make_yuyv(0);

    (void) start();
    unit_v4l2_push(raw, size, 0, 0);
    (void) grab();

    for (i = 0, good = 1; i < W * H; i++) {
        wanted = (i / W * 5 - 16.0) * 255 / 219;
        wanted = (wanted < 0) ? 0 : (wanted > 255) ? 255 : wanted;

        good &= fabs(image.plane[0][i / W * image.stride[0] + i % W] - wanted)
                <= 0.5;
    }

    unit_ok(good, "luma of 16-235 becomes 0-255");

    for (i = 0, good = 1; i < W * H / 4; i++) {
        good &= fabs(image.plane[1][i / (W / 2) * image.stride[1] + i % (W / 2)]
                     - (127.5 + (90 - 128) * 255.0 / 224)) <= 1;
        good &= fabs(image.plane[2][i / (W / 2) * image.stride[2] + i % (W / 2)]
                     - (127.5 + (200 - 128) * 255.0 / 224)) <= 1;
    }

    unit_ok(good, "chroma of 16-240 likewise");
    stop();

    unit_v4l2.quantization = V4L2_QUANTIZATION_LIM_RANGE;
    (void) start();
    unit_v4l2_push(raw, size, 0, 0);
    (void) grab();
    unit_ok(image.plane[0][47 * image.stride[0]] == 255, "also if it is said");
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

    unit_ok(white / W > 250 && black / W < 5, "white above, black below");
    unit_ok(unit_v4l2_queued() == UNIT_V4L2_BUFFERS, "given back");

    stop();
    unit_ok(unit_v4l2.fd == -1 && unit_v4l2.maps == 0, "closed");
}


/* what comes is said once, with what was asked for where it is another */

static void
said(ngx_uint_t count, const char *text, const char *name)
{
    unit_ok(unit_log_count[NGX_LOG_NOTICE] == count
            && strstr(unit_log_last, text), "said: %s", name);

    if (strstr(unit_log_last, text) == NULL) {
        printf("# said: %s\n", unit_log_last);
    }
}


static void
test_accepted(void)
{
    fresh();
    unit_v4l2_offer(V4L2_PIX_FMT_MJPEG, W, H);
    unit_v4l2.rate = 25;
    (void) set("size", "64x48");
    (void) set("fps", "25");
    unit_log_count[NGX_LOG_NOTICE] = 0;

    (void) start();
    stop();
    said(1, "\"v4l2:" UNIT_V4L2_PATH "\" gives MJPEG frames of 64x48, 25.00 a "
         "second, timed when they arrive", "a driver that does as asked");

    (void) start();
    stop();
    said(1, "", "once");

    fresh();
    unit_v4l2_offer(V4L2_PIX_FMT_MJPEG, W, H);
    unit_v4l2.stamps = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
    (void) set("size", "1280x720");
    unit_ok(start() == NGX_OK && in.width == W && in.height == H,
            "the driver's size is accepted");
    stop();
    said(2, "64x48, not of 1280x720, 30.00 a second, timed when they end",
         "another size");

    unit_v4l2.stamps |= V4L2_BUF_FLAG_TSTAMP_SRC_SOE;
    unit_v4l2.offers[0].width = 32;
    (void) start();
    stop();
    said(3, "32x48, not of 1280x720, 30.00 a second, timed when their "
         "exposure starts", "a change");

    (void) set("fps", "60");
    unit_v4l2.rate = 15;
    unit_ok(start() == NGX_OK && in.fps == 15, "the driver's rate likewise");
    stop();
    (void) start();
    stop();
    said(4, "15.00 a second, not 60.00", "another rate, once");

    unit_v4l2.rate = 0;
    unit_ok(start() == NGX_OK && in.fps == 0, "a driver that tells no rate");
    stop();
    said(5, "of 32x48, not of 1280x720, timed", "no rate");
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


int
main(void)
{
    static void  (*tests[])(void) = {
        test_parameters,
        test_choice,
        test_modes,
        test_mjpeg,
        test_yuyv,
        test_range,
        test_conversion,
        test_accepted,
        test_time,
        NULL
    };

    return run(tests);
}
