
/*
 * Copyright (C) vidcast contributors
 */


/*
 * The v4l2: input above a device with several inputs, of which one has DV
 * timings: which is chosen, what is said of one without a signal, and that a
 * source which changes is followed without being lost.
 */

#include "unit_v4l2_input.h"


#define WEBCAM  0
#define TV      1
#define HDMI    2


static int                     input;
static uint32_t                input_status;
static v4l2_std_id             norm;
static v4l2_std_id             norm_seen;
static struct v4l2_dv_timings  timings;
static struct v4l2_dv_timings  timings_seen;
static int                     timings_errno;
static ngx_uint_t              events;
static ngx_uint_t              subscribed;
static ngx_uint_t              timings_set;
static ngx_uint_t              input_set;


static int
enum_input(struct v4l2_input *in)
{
    static const char  *names[] = { "Webcam", "TV", "HDMI 1" };

    if (in->index > HDMI) {
        return unit_v4l2_fail(EINVAL);
    }

    (void) ngx_cpystrn(in->name, (u_char *) names[in->index], 32);

    in->status = ((int) in->index == input) ? input_status : 0;
    in->std = (in->index == TV) ? V4L2_STD_PAL_BG|V4L2_STD_NTSC_M : 0;
    in->capabilities = (in->index == HDMI) ? V4L2_IN_CAP_DV_TIMINGS : 0;

    return 0;
}


static int
enum_norm(struct v4l2_standard *standard)
{
    if (standard->index > 1) {
        return unit_v4l2_fail(EINVAL);
    }

    standard->id = standard->index ? V4L2_STD_NTSC_M : V4L2_STD_PAL_BG;
    (void) ngx_cpystrn(standard->name,
                       (u_char *) (standard->index ? "NTSC-M" : "PAL-BG"), 24);
    return 0;
}


static int
dv_timings(unsigned long request, struct v4l2_dv_timings *t)
{
    if (input != HDMI) {
        return unit_v4l2_fail(ENODATA);
    }

    if (request == VIDIOC_G_DV_TIMINGS) {
        *t = timings;
        return 0;
    }

    if (request == VIDIOC_QUERY_DV_TIMINGS) {
        *t = timings_seen;
        return timings_errno ? unit_v4l2_fail(timings_errno) : 0;
    }

    timings = *t;
    timings_set++;

    /* the format follows */

    unit_v4l2.offers[0].width = t->bt.width;
    unit_v4l2.offers[0].height = t->bt.height;
    unit_v4l2.width = t->bt.width;
    unit_v4l2.height = t->bt.height;

    return 0;
}


static int
device(unsigned long request, void *arg)
{
    switch (request) {

    case VIDIOC_G_INPUT:
        *(int *) arg = input;
        return 0;

    case VIDIOC_S_INPUT:
        input = *(int *) arg;
        input_set++;
        return 0;

    case VIDIOC_ENUMINPUT:
        return enum_input(arg);

    case VIDIOC_ENUMSTD:
        return enum_norm(arg);

    case VIDIOC_QUERYSTD:
        *(v4l2_std_id *) arg &= norm_seen;
        return 0;

    case VIDIOC_S_STD:
        norm = *(v4l2_std_id *) arg;
        return 0;

    case VIDIOC_G_PARM:
    case VIDIOC_S_PARM:
        return (input == HDMI) ? unit_v4l2_fail(ENOTTY) : 1;

    case VIDIOC_G_DV_TIMINGS:
    case VIDIOC_S_DV_TIMINGS:
    case VIDIOC_QUERY_DV_TIMINGS:
        return dv_timings(request, arg);

    case VIDIOC_SUBSCRIBE_EVENT:
        subscribed = ((struct v4l2_event_subscription *) arg)->type;
        return 0;

    case VIDIOC_DQEVENT:

        unit_v4l2.revents = 0;

        if (events == 0) {
            return unit_v4l2_fail(ENOENT);
        }

        events--;
        ((struct v4l2_event *) arg)->type = V4L2_EVENT_SOURCE_CHANGE;
        return 0;

    default:
        return 1;
    }
}


static void
make_timings(struct v4l2_dv_timings *t, uint32_t width, uint32_t height,
    uint32_t fps)
{
    ngx_memzero(t, sizeof(struct v4l2_dv_timings));

    t->bt.width = width;
    t->bt.height = height;
    t->bt.hfrontporch = 10;
    t->bt.vfrontporch = 5;
    t->bt.pixelclock = (width + 10) * (height + 5) * fps;
}


static void
thread(int current)
{
    fresh();

    input = current;
    input_status = 0;
    input_set = 0;
    norm = V4L2_STD_NTSC_M;
    norm_seen = V4L2_STD_PAL_BG;
    events = 0;
    subscribed = 0;
    timings_set = 0;
    timings_errno = 0;

    make_timings(&timings, W, H, 50);
    timings_seen = timings;

    unit_v4l2_offer(V4L2_PIX_FMT_YUYV, W, H);
    unit_v4l2.width = W;
    unit_v4l2.height = H;
    unit_v4l2.extra = device;
}


static void
refused(ngx_int_t rc, const char *text, const char *name)
{
    unit_ok(start() == rc && says(text), "%s", name);
    unit_ok(unit_v4l2.fd == -1, "nothing is left open");
}


static void
test_input(void)
{
    thread(WEBCAM);
    (void) set("input", "1");
    unit_ok(start() == NGX_OK && input == TV, "an input by its number");
    stop();

    (void) set("input", "hdmi 1");
    unit_ok(start() == NGX_OK && input == HDMI && input_set == 2,
            "by its name");
    stop();

    (void) start();
    unit_ok(input_set == 2, "one that is chosen is not chosen again");
    stop();

    (void) set("input", "SDI");
    refused(NGX_ERROR, "no input \"SDI\", it has 0 \"Webcam\", 1 \"TV\", "
            "2 \"HDMI 1\"", "an unknown one is refused");

    thread(WEBCAM);
    unit_ok(start() == NGX_OK && input_set == 0 && norm == V4L2_STD_NTSC_M,
            "none asked for: nothing is set");
    stop();

    thread(WEBCAM);
    unit_v4l2.extra = NULL;
    unit_ok(start() == NGX_OK, "a device which knows no inputs");
    stop();
    (void) set("input", "0");
    refused(NGX_ERROR, "no input \"0\", it has none", "but one is asked for");
}


static void
test_norm(void)
{
    thread(TV);
    (void) set("norm", "pal");
    unit_ok(start() == NGX_OK && norm == V4L2_STD_PAL_BG,
            "a norm: what the input has of it");
    stop();

    (void) set("norm", "auto");
    norm_seen = V4L2_STD_NTSC_M;
    unit_ok(start() == NGX_OK && norm == V4L2_STD_NTSC_M, "auto: as detected");
    stop();

    norm_seen = 0;
    refused(NGX_AGAIN, "no signal at input \"TV\"", "auto, without a signal");

    (void) set("norm", "secam");
    refused(NGX_ERROR, "input \"TV\" does not have this norm, but PAL-BG, "
            "NTSC-M", "a norm which the input has not");

    thread(WEBCAM);
    (void) set("norm", "pal");
    refused(NGX_ERROR, "input \"Webcam\" does not have this norm, but none",
            "an input without any");
}


static void
test_signal(void)
{
    thread(TV);
    input_status = V4L2_IN_ST_NO_SIGNAL;
    refused(NGX_AGAIN, "no signal at input \"TV\"", "no signal");

    input_status = V4L2_IN_ST_NO_POWER;
    refused(NGX_AGAIN, "no power at input \"TV\"", "no power");

    input_status = V4L2_IN_ST_NO_COLOR|V4L2_IN_ST_NO_H_LOCK;
    unit_ok(start() == NGX_OK, "a bad signal is shown");
    stop();

    thread(HDMI);
    timings_errno = ENOLINK;
    refused(NGX_AGAIN, "no signal at input \"HDMI 1\"", "no cable");

    timings_errno = ENOLCK;
    refused(NGX_AGAIN, "no stable signal at input \"HDMI 1\"", "no lock");

    timings_errno = ERANGE;
    refused(NGX_AGAIN, "a signal that the device cannot take at input",
            "out of range");

    timings_errno = EIO;
    refused(NGX_ERROR, "VIDIOC_QUERY_DV_TIMINGS failed (5", "failed");

    timings_errno = ENODATA;
    unit_ok(start() == NGX_OK && timings_set == 0, "timings of no matter");
    stop();
}


static void
test_timings(void)
{
    thread(HDMI);
    unit_ok(start() == NGX_OK && timings_set == 0 && in.width == W,
            "timings as they are set already");
    unit_ok(fabs(in.fps - 50) < 0.01, "their rate");
    stop();

    make_timings(&timings_seen, 128, 32, 60);
    unit_ok(start() == NGX_OK && timings_set == 1 && in.width == 128
            && in.height == 32 && fabs(in.fps - 60) < 0.01,
            "those of the signal are set, and give size and rate");
    unit_ok(subscribed == V4L2_EVENT_SOURCE_CHANGE, "changes are asked for");
    stop();
}


/* an event, and whether a frame is there as well */

static void
change(uint32_t width, uint32_t height)
{
    make_timings(&timings_seen, width, height, 50);
    events = 1;
    unit_v4l2.revents = POLLPRI;
}


static ngx_int_t
frame(void)
{
    ngx_int_t            rc;
    ngx_vidcast_image_t  own;

    (void) ngx_vidcast_image_alloc(&own, in.width, in.height, 0);
    picture.image = &own;

    unit_v4l2_push(raw, in.width * in.height * 2, 0, 0);
    rc = grab();
    release();

    picture.image = &image;
    ngx_vidcast_image_free(&own);

    return rc;
}


static void
test_change(void)
{
    ngx_uint_t  opens;

    thread(HDMI);
    (void) start();
    unit_ok(frame() == NGX_OK, "a frame of the first source");

    change(W, H);
    unit_ok(frame() == NGX_OK && unit_v4l2.opens == 1,
            "a change to the same timings is none");

    change(32, 64);
    unit_v4l2_push(raw, W * H * 2, 0, 0);
    opens = unit_v4l2.opens;
    unit_ok(grab() == NGX_AGAIN && unit_v4l2.opens == opens + 1,
            "a change: opened again at once, what was there is dropped");
    unit_ok(in.width == 32 && in.height == 64, "in the new size");
    unit_ok(frame() == NGX_OK, "a frame of it");

    change(W, H);
    unit_ok(grab() == NGX_AGAIN && in.width == W, "and back");
    change(32, 64);
    unit_ok(grab() == NGX_ERROR && says("the signal does not settle"),
            "a change before a frame has come: no storm");
    stop();

    unit_ok(start() == NGX_OK && frame() == NGX_OK, "opened, a frame");
    change(32, 64);
    timings_errno = ENOLINK;
    unit_ok(grab() == NGX_ERROR && says("no signal at input \"HDMI 1\""),
            "the signal is lost: the reason");
    stop();
    unit_ok(unit_v4l2.fd == -1 && unit_v4l2.maps == 0, "closed");

    timings_errno = 0;
    unit_ok(start() == NGX_OK && in.width == 32 && in.height == 64,
            "it is back");
    stop();

    thread(WEBCAM);
    (void) start();
    (void) frame();
    change(W, H);
    unit_ok(grab() == NGX_AGAIN && unit_v4l2.opens == 2,
            "a change without timings: opened again");
    unit_ok(frame() == NGX_OK, "a frame");

    unit_v4l2.revents = POLLPRI;
    unit_ok(frame() == NGX_OK && unit_v4l2.opens == 2, "no event, no change");
    stop();
}


int
main(void)
{
    static void  (*tests[])(void) = {
        test_input,
        test_norm,
        test_signal,
        test_timings,
        test_change,
        NULL
    };

    return run(tests);
}
