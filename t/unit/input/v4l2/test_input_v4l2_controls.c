
/*
 * Copyright (C) vidcast contributors
 */


/*
 * Controls of the v4l2: input above a device that has some: which values are
 * taken, in which order, and that what is refused is refused before anything
 * was set, with words that help.
 */

#include "unit_v4l2_input.h"


#define BRIGHTNESS  0x980900
#define AUTO        0x9a0901
#define EXPOSURE    0x9a0902
#define LAST        0x9a0999


typedef struct {
    uint32_t     id;
    uint32_t     type;
    const char  *name;
    int64_t      min;
    int64_t      max;
    uint64_t     step;
    uint32_t     flags;
    int64_t      value;
    uint32_t     sets;        /* how often, and when: of all */
    uint32_t     when;
} control_t;


static control_t  defaults[] = {
    { BRIGHTNESS, V4L2_CTRL_TYPE_INTEGER, "Brightness", -64, 64, 1, 0, 0, 0,
      0 },
    { 0x980902, V4L2_CTRL_TYPE_INTEGER, "Old", 0, 9, 1,
      V4L2_CTRL_FLAG_DISABLED, 0, 0, 0 },
    { 0x98090c, V4L2_CTRL_TYPE_BOOLEAN, "White Balance, Automatic", 0, 1, 1,
      0, 0, 0, 0 },
    { 0x980914, V4L2_CTRL_TYPE_INTEGER, "Gain", 0, 100, 10, 0, 0, 0, 0 },
    { 0x980918, V4L2_CTRL_TYPE_MENU, "Power Line Frequency", 0, 3, 1, 0, 0, 0,
      0 },
    { 0x980920, V4L2_CTRL_TYPE_BUTTON, "Center", 0, 0, 0, 0, 0, 0, 0 },
    { 0x990000, V4L2_CTRL_TYPE_CTRL_CLASS, "Camera Controls", 0, 0, 0, 0, 0,
      0, 0 },
    { AUTO, V4L2_CTRL_TYPE_MENU, "Auto Exposure", 0, 1, 1, 0, 0, 0, 0 },
    { EXPOSURE, V4L2_CTRL_TYPE_INTEGER, "Exposure Time, Absolute", 3, 2047, 1,
      V4L2_CTRL_FLAG_INACTIVE, 0, 0, 0 },
    { 0x9a0910, V4L2_CTRL_TYPE_INTEGER64, "Long", -5000000000, 5000000000, 1,
      0, 0, 0, 0 },
    { 0x9a0911, V4L2_CTRL_TYPE_BITMASK, "Mask", 0, 0xf0, 0, 0, 0, 0, 0 },
    { 0x9a0912, V4L2_CTRL_TYPE_STRING, "Title", 2, 8, 1, 0, 0, 0, 0 },
    { 0x9a0913, V4L2_CTRL_TYPE_INTEGER_MENU, "Link Frequency", 0, 1, 1, 0, 0,
      0, 0 },
    { LAST, V4L2_CTRL_TYPE_INTEGER, "Light", 0, 9, 1,
      V4L2_CTRL_FLAG_READ_ONLY, 0, 0, 0 }
};

#define NCONTROLS  (sizeof(defaults) / sizeof(defaults[0]))


static control_t   controls[NCONTROLS];
static char        title[16];
static ngx_uint_t  sets;


static control_t *
find(uint32_t id)
{
    ngx_uint_t  i;

    for (i = 0; i < NCONTROLS; i++) {
        if (controls[i].id == id) {
            return &controls[i];
        }
    }

    return NULL;
}


static int
query_control(struct v4l2_query_ext_ctrl *query)
{
    control_t   *c;
    uint32_t     after;
    ngx_uint_t   i;

    after = query->id & ~V4L2_CTRL_FLAG_NEXT_CTRL;

    for (i = 0; i < NCONTROLS && controls[i].id <= after; i++) { /* void */ }

    if (i == NCONTROLS) {
        return unit_v4l2_fail(EINVAL);
    }

    c = &controls[i];

    query->id = c->id;
    query->type = c->type;
    query->minimum = c->min;
    query->maximum = c->max;
    query->step = c->step;
    query->flags = c->flags;
    (void) ngx_cpystrn((u_char *) query->name, (u_char *) c->name, 32);

    return 0;
}


static int
query_menu(struct v4l2_querymenu *menu)
{
    static const char  *power[] = { "Disabled", "50 Hz", NULL, "Auto" };
    static const char  *exposure[] = { "Aperture Priority Mode",
                                       "Manual Mode" };
    const char         *name;

    if (menu->id == 0x9a0913) {
        menu->value = 100000000 * (menu->index + 1);
        return 0;
    }

    name = (menu->id == AUTO) ? exposure[menu->index] : power[menu->index];

    if (name == NULL) {
        return unit_v4l2_fail(EINVAL);
    }

    (void) ngx_cpystrn(menu->name, (u_char *) name, 32);

    return 0;
}


static int
set_control(struct v4l2_ext_controls *ctrls)
{
    control_t                *c;
    struct v4l2_ext_control  *ctrl;

    ctrl = ctrls->controls;
    c = find(ctrl->id);

    if (ctrls->count != 1 || c == NULL
        || (c->flags & V4L2_CTRL_FLAG_INACTIVE))
    {
        return unit_v4l2_fail(EINVAL);
    }

    c->sets++;
    c->when = ++sets;

    switch (c->type) {

    case V4L2_CTRL_TYPE_STRING:
        (void) ngx_cpystrn((u_char *) title, (u_char *) ctrl->string,
                           ctrl->size);
        return 0;

    case V4L2_CTRL_TYPE_INTEGER64:
        c->value = ctrl->value64;
        return 0;

    default:
        c->value = ctrl->value;
    }

    if (c->type == V4L2_CTRL_TYPE_INTEGER) {
        c->value -= (c->value - c->min) % (int64_t) c->step;
        ctrl->value = c->value;
    }

    if (c->id == AUTO) {
        find(EXPOSURE)->flags = c->value ? 0 : V4L2_CTRL_FLAG_INACTIVE;
    }

    return 0;
}


static int
device(unsigned long request, void *arg)
{
    switch (request) {

    case VIDIOC_QUERY_EXT_CTRL:
        return query_control(arg);

    case VIDIOC_QUERYMENU:
        return query_menu(arg);

    case VIDIOC_S_EXT_CTRLS:
        return set_control(arg);

    default:
        return 1;
    }
}


static void
camera(void)
{
    fresh();

    ngx_memcpy(controls, defaults, sizeof(controls));
    sets = 0;

    unit_v4l2_offer(V4L2_PIX_FMT_MJPEG, W, H);
    unit_v4l2.extra = device;
}


/* one control, one value */

static void
takes(char *name, char *value, uint32_t id, int64_t number)
{
    camera();
    (void) set(name, value);

    unit_ok(start() == NGX_OK && find(id)->sets == 1
            && find(id)->value == number, "%s=%s", name, value);
    stop();
}


static void
refuses(char *name, char *value, const char *text)
{
    camera();
    (void) set("ctrl.gain", "10");
    (void) set(name, value);

    unit_ok(start() == NGX_ERROR && says(text), "%s=%s is refused", name,
            value);
    unit_ok(sets == 0 && unit_v4l2.fd == -1,
            "nothing is set, nothing left open");
}


static void
test_values(void)
{
    takes("ctrl.brightness", "-64", BRIGHTNESS, -64);
    takes("ctrl.brightness", "64", BRIGHTNESS, 64);
    takes("ctrl.brightness", "0x20", BRIGHTNESS, 32);
    takes("ctrl.white_balance_automatic", "on", 0x98090c, 1);
    takes("ctrl.white_balance_automatic", "false", 0x98090c, 0);
    takes("ctrl.power_line_frequency", "1", 0x980918, 1);
    takes("ctrl.power_line_frequency", "50 Hz", 0x980918, 1);
    takes("ctrl.power_line_frequency", "auto", 0x980918, 3);
    takes("ctrl.power_line_frequency", "50_hz", 0x980918, 1);
    takes("ctrl.center", "1", 0x980920, 1);
    takes("ctrl.long", "-4000000000", 0x9a0910, -4000000000);
    takes("ctrl.mask", "0xa0", 0x9a0911, 0xa0);
    takes("ctrl.title", "garden", 0x9a0912, 0);
    unit_ok(strcmp(title, "garden") == 0, "a text arrives");
    takes("ctrl.link_frequency", "1", 0x9a0913, 1);
    takes("ctrl.link_frequency", "200000000", 0x9a0913, 1);
}


static void
test_refused(void)
{
    refuses("ctrl.brightness", "65",
            "control \"brightness\" is not \"65\", it has -64..64");
    refuses("ctrl.brightness", "-65", "it has -64..64");
    refuses("ctrl.brightness", "1.5", "it has -64..64");
    refuses("ctrl.brightness", "-", "it has -64..64");
    refuses("ctrl.gain", "101", "it has 0..100 by 10");
    refuses("ctrl.white_balance_automatic", "2",
            "control \"white_balance_automatic\" is not \"2\", it has on|off");
    refuses("ctrl.power_line_frequency", "2",
            "it has 0:\"Disabled\"|1:\"50 Hz\"|3:\"Auto\"");
    refuses("ctrl.power_line_frequency", "60 Hz", "it has 0:\"Disabled\"|");
    refuses("ctrl.center", "0", "it has on");
    refuses("ctrl.mask", "0x101", "it has 0..0xf0");
    refuses("ctrl.title", "x", "it has 2..8 bytes");
    refuses("ctrl.link_frequency", "3",
            "it has 0:\"100000000\"|1:\"200000000\"");
    refuses("ctrl.light", "3", "control \"light\" is read-only");
    refuses("ctrl.contrast", "3", "no control \"contrast\", it has brightness "
            "-64..64, white_balance_automatic on|off, gain 0..100 by 10, ");
    unit_ok(says(", ..."), "the list is cut where it does not fit");
    refuses("ctrl.old", "1", "no control \"old\"");
    refuses("ctrl.camera_controls", "1", "no control \"camera_controls\"");
}


static void
test_inactive(void)
{
    camera();
    (void) set("ctrl.exposure_time_absolute", "100");
    unit_ok(start() == NGX_ERROR
            && says("control \"exposure_time_absolute\" is inactive, another")
            && unit_v4l2.fd == -1, "what an automatic rules is refused");

    camera();
    (void) set("ctrl.exposure_time_absolute", "100");
    (void) set("ctrl.auto_exposure", "manual_mode");

    unit_ok(start() == NGX_OK && find(EXPOSURE)->value == 100
            && find(AUTO)->when < find(EXPOSURE)->when,
            "an automatic is switched off before what it rules is set");
    stop();

    unit_ok(start() == NGX_OK && find(EXPOSURE)->sets == 2,
            "all is set again when the device is opened again");
    stop();

    camera();
    find(EXPOSURE)->flags = 0;
    (void) set("ctrl.exposure_time_absolute", "100");
    (void) set("ctrl.auto_exposure", "0");

    unit_ok(start() == NGX_ERROR && says("\"exposure_time_absolute\" is "
                                         "inactive"),
            "and so it is if the automatic is asked for, too");
}


static void
test_said(void)
{
    ngx_uint_t  *notices;

    notices = &unit_log_count[NGX_LOG_NOTICE];

    camera();
    (void) set("ctrl.contrast", "3");
    *notices = 0;

    (void) start();
    unit_ok(*notices == 1
            && strstr(unit_log_last, "controls: brightness -64..64, ")
            && strstr(unit_log_last, "power_line_frequency 0:\"Disabled\"|"
                                     "1:\"50 Hz\"|3:\"Auto\", ")
            && strstr(unit_log_last, "exposure_time_absolute 3..2047 inactive,")
            && strstr(unit_log_last, "light 0..9 read-only"),
            "the log lists all controls");
    (void) start();
    unit_ok(*notices == 1, "once");

    camera();
    (void) set("ctrl.gain", "47");
    *notices = 0;

    unit_ok(start() == NGX_OK && find(0x980914)->value == 40, "between steps");
    unit_ok(*notices == 2, "the driver's value is said");
    stop();

    camera();
    unit_v4l2.extra = NULL;
    (void) set("ctrl.gain", "10");
    unit_ok(start() == NGX_ERROR && says("no control \"gain\", it has none"),
            "a device without any");
}


static void
test_failed(void)
{
    camera();
    (void) set("ctrl.gain", "10");

    unit_v4l2.fail_request = VIDIOC_S_EXT_CTRLS;
    unit_v4l2.fail_errno = EIO;
    unit_ok(start() == NGX_ERROR
            && says("the device failed: VIDIOC_S_EXT_CTRLS failed (5: Input/"
                    "output error), of control \"gain\""),
            "a control which the driver fails to set is named");

    unit_v4l2.fail_errno = EBUSY;
    unit_ok(start() == NGX_BUSY, "or which another program holds");
}


static void
test_twice(void)
{
    camera();
    (void) set("ctrl.gain", "10");
    (void) set("ctrl.mask", "1");
    unit_ok(check("/dev/video0") == NGX_OK, "two controls");

    (void) set("ctrl.gain", "20");
    unit_ok(check("/dev/video0") == NGX_ERROR
            && says("control \"gain\" is given twice"),
            "one of them twice is refused");
}


int
main(void)
{
    static void  (*tests[])(void) = {
        test_values,
        test_refused,
        test_inactive,
        test_said,
        test_failed,
        test_twice,
        NULL
    };

    return run(tests);
}
