
/*
 * Copyright (C) vidcast contributors
 */


/*
 * A folder of pictures is the camera of most tests and of every first try:
 * which files, in which order, at which pace, and what a round takes up.
 */

#include "unit_images.h"


static void test_params(void);
static void test_order(void);
static void test_paths(void);
static void test_bytes(void);
static void test_loop(void);
static void test_pace(void);
static void test_late(void);
static void test_two(void);
static void test_slot(void);
static void test_batch(void);
static void test_watch(void);
static void test_watch_bad(void);
static void test_watch_same_time(void);

static ngx_int_t test_check(const char *path);
static ngx_int_t test_look(ngx_vidcast_input_t *in);
static ngx_uint_t test_taken(ngx_vidcast_input_t *in, uint32_t width);
static void test_age(const char *name, time_t seconds);


int
main(void)
{
    test_init();

    test_params();
    test_order();
    test_paths();
    test_bytes();
    test_loop();
    test_pace();
    test_late();
    test_two();
    test_slot();
    test_batch();
    test_watch();
    test_watch_bad();
    test_watch_same_time();

    return test_done();
}


static void
test_params(void)
{
    ngx_vidcast_input_conf_t            conf;
    ngx_vidcast_input_images_params_t  *params;

    ngx_memzero(&conf, sizeof(conf));
    conf.params = ngx_vidcast_input_images.create_params(pool);
    params = conf.params;

    unit_ok(params && params->loop == 1, "loop is on");
    unit_ok(test_set(&conf, "loop", "off") == NGX_OK && params->loop == 0,
            "loop=off");
    unit_ok(test_set(&conf, "loop", "on") == NGX_OK && params->loop == 1,
            "loop=on");
    unit_ok(test_set(&conf, "fps", "12.5") == NGX_OK && conf.fps == 12.5,
            "fps=12.5");
    unit_ok(test_set(&conf, "fps", "0") == NGX_ERROR && conf.fps == 12.5,
            "fps=0");
    unit_ok(test_set(&conf, "loop", "") == NGX_ERROR, "loop=");
    unit_ok(test_set(&conf, "loop", "yes") == NGX_ERROR, "loop=yes");
    unit_ok(test_set(&conf, "realtime", "off") == NGX_OK && conf.lossless == 1,
            "realtime=off");
    unit_ok(test_set(&conf, "realtime", "on") == NGX_OK && conf.lossless == 0,
            "realtime=on");
    unit_ok(test_set(&conf, "realtime", "1") == NGX_ERROR, "realtime=1");
    unit_ok(test_set(&conf, "size", "640x480") == NGX_DECLINED, "size=");
    unit_ok(test_set(&conf, "loops", "on") == NGX_DECLINED, "loops=");
    unit_ok(test_set(&conf, "", "") == NGX_DECLINED, "no name");

    unit_ok(test_check("/a") == NGX_OK, "/a");
    unit_ok(test_check("/") == NGX_OK, "/");
    unit_ok(test_check("") == NGX_ERROR, "no path");
    unit_ok(test_check("a/*.jpg") == NGX_ERROR, "relative path");
}


/* the order is that of bytes; what is no picture by its name is left out */

static void
test_order(void)
{
    ngx_vidcast_input_t  in;

    test_jpeg("b.jpg", 40);
    test_jpeg("9.Jpeg", 24);
    test_jpeg("a.JPG", 32);
    test_jpeg("10.jpeg", 16);
    test_jpeg("B.jPg", 28);
    test_jpeg(".hidden.jpg", 100);
    test_jpeg("._b.jpg", 101);
    test_jpeg("c.png", 102);
    test_jpeg("cjpg", 103);
    test_jpeg("d.jpg.part", 104);
    test_jpeg(".jpg", 105);

    unit_ok(test_open(&in, folder, "off") == NGX_OK, "a folder");
    unit_ok(in.format == NGX_VIDCAST_INPUT_JPEG, "has JPEG");
    unit_ok(test_next(&in, 16), "10.jpeg");
    unit_ok(test_next(&in, 24), "9.Jpeg");
    unit_ok(test_next(&in, 28), "B.jPg");
    unit_ok(test_next(&in, 32), "a.JPG");
    unit_ok(test_next(&in, 40), "b.jpg");
    unit_ok(test_grab(&in) == NGX_DONE, "and that is all");
    unit_ok(test_grab(&in) == NGX_DONE, "it stays so");

    test_close(&in);
    test_clear();
}


static void
test_paths(void)
{
    ngx_vidcast_input_t  in;

    test_jpeg("1.jpg", 16);
    test_jpeg("2.jpg", 24);
    test_jpeg("3.png", 32);
    test_jpeg("4*.jpg", 40);
    (void) mkdir(test_path("we[i]rd*\\"), 0700);
    test_jpeg("we[i]rd*\\/5.jpg", 48);

    (void) test_open(&in, test_path("*.jpg"), "off");
    unit_ok(test_next(&in, 16) && test_next(&in, 24) && test_next(&in, 40)
            && test_grab(&in) == NGX_DONE, "*.jpg");
    test_close(&in);

    (void) test_open(&in, test_path("[23].*"), "off");
    unit_ok(test_next(&in, 24) && test_next(&in, 32)
            && test_grab(&in) == NGX_DONE, "[23].*");
    test_close(&in);

    (void) test_open(&in, test_path("2.jpg"), "off");
    unit_ok(test_next(&in, 24) && test_grab(&in) == NGX_DONE, "one file");
    test_close(&in);

    (void) test_open(&in, test_path("4*.jpg"), "off");
    unit_ok(test_next(&in, 40) && test_grab(&in) == NGX_DONE,
            "one file with a star in its name");
    test_close(&in);

    (void) test_open(&in, test_path("we[i]rd*\\"), "off");
    unit_ok(test_next(&in, 48) && test_grab(&in) == NGX_DONE,
            "a folder with brackets in its name");
    test_close(&in);

    (void) test_open(&in, test_path("*/*.jpg"), "off");
    unit_ok(test_next(&in, 48) && test_grab(&in) == NGX_DONE, "*/*.jpg");
    test_close(&in);

    test_clear();
}


/* the file as it is, without the padding */

static void
test_bytes(void)
{
    unit_jpeg_t           jpeg;
    ngx_vidcast_input_t   in;

    unit_jpeg(&jpeg, 83, 47);

    test_write("1.jpg", jpeg.data, jpeg.size);

    unit_jpeg_splice(&jpeg, jpeg.size, 0, "\0\0\0\0", 4);
    test_write("2.jpg", jpeg.data, jpeg.size);

    (void) test_open(&in, folder, "off");

    unit_ok(test_grab(&in) == NGX_OK && picture.size == jpeg.size - 4
            && memcmp(picture.data, jpeg.data, jpeg.size - 4) == 0,
            "byte for byte");
    unit_ok(test_grab(&in) == NGX_OK && picture.size == jpeg.size - 4
            && memcmp(picture.data, jpeg.data, jpeg.size - 4) == 0,
            "what pads it is cut");

    free(jpeg.data);
    test_close(&in);
    test_clear();
}


static void
test_loop(void)
{
    ngx_vidcast_input_t  in;

    test_jpeg("1.jpg", 16);
    test_jpeg("3.jpg", 24);

    unit_ok(test_open(&in, folder, "on") == NGX_OK && test_next(&in, 16)
            && test_next(&in, 24) && test_next(&in, 16),
            "after the last comes the first");

    test_jpeg("2.jpg", 32);
    test_jpeg("4.jpg", 40);

    unit_ok(test_next(&in, 24), "this round goes on as it was");
    unit_ok(test_next(&in, 16) && test_next(&in, 32) && test_next(&in, 24)
            && test_next(&in, 40), "the next one has the new files");

    (void) unlink(test_path("1.jpg"));
    (void) unlink(test_path("2.jpg"));
    test_jpeg("4.jpg", 48);

    unit_ok(test_next(&in, 24) && test_next(&in, 48) && test_next(&in, 24),
            "and not the old ones");

    test_close(&in);
    test_clear();
}


/* no picture comes before its time, and time does not drift */

static void
test_pace(void)
{
    uint64_t                     anchor, last, n;
    ngx_uint_t                   early, unordered;
    ngx_vidcast_input_t          in;
    ngx_vidcast_input_images_t  *im;

    test_jpeg("1.jpg", 16);

    (void) test_open(&in, folder, "on");

    unit_ok(in.fps == 1000, "the rate asked is told");

    /* 333 1/3: an interval that no clock has */

    in.fps = 1000.0 / 3;
    im = in.data;
    anchor = im->anchor;
    early = 0;
    unordered = 0;
    last = 0;

    for (n = 0; n < 100; n++) {

        if (test_grab(&in) != NGX_OK) {
            break;
        }

        if (im->anchor != anchor) {
            unit_ok(picture.time > anchor + n * 3000 + 1000000,
                    "the machine was late by more than a second");
            anchor = picture.time - n * 3000;
            im->anchor = anchor;
            im->count = n + 1;
        }

        early += (picture.time < anchor + n * 3000
                  || picture.time > ngx_vidcast_clock());
        unordered += (picture.time < last);
        last = picture.time;
    }

    unit_ok(n == 100 && early == 0 && unordered == 0,
            "100 pictures, each in its time (%d early, %d out of order)",
            (int) early, (int) unordered);

    /* picture 3,000,000, two and a half hours later */

    anchor = ngx_vidcast_clock() - 9000000000;
    im->anchor = anchor;
    im->count = 3000000;

    unit_ok(ngx_vidcast_input_images.grab(&in, &picture) == NGX_OK,
            "a picture three million intervals later is due");
    unit_ok(im->anchor == anchor || picture.time > anchor + 9001000000,
            "and is not late: the time has not drifted");

    test_close(&in);

    (void) test_open(&in, folder, "on");
    in.conf->fps = 0;
    ngx_vidcast_input_images.close(&in);

    unit_ok(ngx_vidcast_input_images.open(&in) == NGX_OK && in.fps == 25,
            "25 if none is asked");

    test_close(&in);
    test_clear();
}


static void
test_late(void)
{
    uint64_t                     due;
    ngx_vidcast_input_t          in;
    ngx_vidcast_input_images_t  *im;

    test_jpeg("1.jpg", 16);

    (void) test_open(&in, folder, "on");
    im = in.data;

    unit_ok(test_next(&in, 16), "it plays");

    im->anchor -= 60000000;

    unit_ok(test_next(&in, 16) && im->anchor <= picture.time
            && im->anchor + 60000000 > picture.time
            && im->count == 1,
            "late by a minute: it does not play a minute's pictures at once");

    im->anchor -= 500000;
    due = im->anchor;

    (void) test_next(&in, 16);

    unit_ok(picture.time > due + 1000 + 1000000 || im->anchor == due,
            "late by half a second: it catches up");

    /* the next one is not due for long: nothing comes, and the call returns */

    im->anchor = ngx_vidcast_clock() + 3600000000;

    unit_ok(ngx_vidcast_input_images.grab(&in, &picture) == NGX_AGAIN,
            "not due: again");

    test_close(&in);
    test_clear();
}


static void
test_two(void)
{
    ngx_vidcast_input_t  one, two;

    test_jpeg("1.jpg", 16);
    test_jpeg("2.jpg", 24);

    (void) test_open(&one, folder, "on");
    (void) test_open(&two, test_path("2*"), "on");

    unit_ok(test_next(&one, 16) && test_next(&two, 24)
            && test_next(&one, 24) && test_next(&two, 24)
            && test_next(&one, 16), "two at once do not disturb each other");

    test_close(&one);

    unit_ok(test_next(&two, 24), "nor does one that leaves");

    test_close(&two);
    test_clear();
}


/* a picture is read to where it is shown from, when there is room */

static void
test_slot(void)
{
    ngx_vidcast_input_t  in;

    test_jpeg("1.jpg", 16);
    test_jpeg("2.jpg", 24);
    test_write("3.jpg", "no JPEG", 7);
    test_jpeg("4.jpg", 32);

    (void) test_open(&in, folder, "on");

    slots = 1;
    claimed = 0;
    abandoned = 0;

    unit_ok(test_next(&in, 16) && picture.lent && picture.data == slot,
            "it is read to the ring");

    in.number = 1;
    ngx_vidcast_input_images.release(&in);
    unit_ok(claimed == 1 && abandoned == 0, "where it stays as a frame");

    unit_ok(test_next(&in, 24) && !picture.lent && picture.data != slot,
            "without a slot it comes all the same");

    ngx_vidcast_input_images.release(&in);
    slots = 1;

    unit_ok(test_grab(&in) == NGX_DECLINED && claimed == 2 && abandoned == 1,
            "a bad one gives its slot back");

    unit_ok(test_next(&in, 32) && picture.lent, "a good one has it again");

    in.number = 0;
    ngx_vidcast_input_images.release(&in);
    unit_ok(claimed == 3 && abandoned == 2,
            "which was no frame: its slot is given back");

    source.original.geometry.slot_size = 100;
    unit_ok(test_next(&in, 16) && !picture.lent, "too large for a slot");
    source.original.geometry.slot_size = sizeof(slot);

    slots = 0;

    test_close(&in);
    test_clear();
}


/* realtime=off: nothing is waited for, and nothing left out */

static void
test_batch(void)
{
    ngx_uint_t           n;
    ngx_vidcast_input_t  in;

    for (n = 0; n < 20; n++) {
        test_jpeg((char [3]) { 'a' + n / 10, '0' + n % 10, 0 }, 16 + n);
    }

    (void) test_open(&in, test_path("*"), "off");
    in.fps = 0.001;
    in.conf->lossless = 1;

    for (n = 0; n < 20; n++) {
        memset(&picture, 0, sizeof(picture));

        if (ngx_vidcast_input_images.grab(&in, &picture) != NGX_OK) {
            break;
        }
    }

    unit_ok(n == 20 && test_grab(&in) == NGX_DONE, "each at once, and once");

    test_close(&in);
    test_clear();
}


static ngx_int_t
test_check(const char *path)
{
    u_char                    error[NGX_VIDCAST_ERROR_LEN];
    ngx_int_t                 rc;
    ngx_vidcast_input_conf_t  conf;

    ngx_memzero(&conf, sizeof(conf));
    conf.params = ngx_vidcast_input_images.create_params(pool);
    conf.path.data = (u_char *) path;
    conf.path.len = strlen(path);

    error[0] = '\0';

    rc = ngx_vidcast_input_images.check(&conf, error);

    return (rc == NGX_ERROR && error[0] == '\0') ? NGX_ABORT : rc;
}


/* one file that a program writes again and again */

static void
test_watch(void)
{
    ngx_vidcast_input_t  in;

    test_jpeg("cam.jpg", 16);
    test_age("cam.jpg", 10);

    unit_ok(test_open(&in, test_path("cam.jpg"), "on") == NGX_OK
            && test_taken(&in, 16), "one file: a picture");
    unit_ok(test_look(&in) == NGX_VIDCAST_INPUT_UNCHANGED
            && test_look(&in) == NGX_VIDCAST_INPUT_UNCHANGED,
            "one file: it does not come again");

    test_jpeg("cam.jpg", 24);
    test_age("cam.jpg", 9);

    unit_ok(test_taken(&in, 24), "one file: it was written again");
    unit_ok(test_look(&in) == NGX_VIDCAST_INPUT_UNCHANGED, "one file: once");

    test_jpeg("new.jpg", 32);
    test_age("new.jpg", 9);
    (void) rename(test_path("new.jpg"), test_path("cam.jpg"));

    unit_ok(test_taken(&in, 32), "one file: another one has its name");

    test_age("cam.jpg", 8);
    unit_ok(test_taken(&in, 32), "one file: the same picture, a new time");

    test_jpeg("cam.jpg", 40);
    test_age("cam.jpg", 7);

    unit_ok(test_grab(&in) == NGX_OK, "one file: one that is no frame");
    in.number = 0;
    ngx_vidcast_input_images.release(&in);

    unit_ok(test_taken(&in, 40), "one file: comes again");

    test_jpeg("cam.jpg", 48);
    test_age("cam.jpg", 6);

    unit_ok(test_grab(&in) == NGX_OK, "one file: one that is too large");
    in.number = 0;
    in.large = 1;
    ngx_vidcast_input_images.release(&in);
    in.large = 0;

    unit_ok(test_look(&in) == NGX_VIDCAST_INPUT_UNCHANGED,
            "one file: does not");

    test_age("cam.jpg", 5);

    unit_ok(test_grab(&in) == NGX_OK, "one file: one that cannot be turned");
    in.number = 0;
    in.bad = 1;
    ngx_vidcast_input_images.release(&in);
    in.bad = 0;

    unit_ok(test_look(&in) == NGX_VIDCAST_INPUT_UNCHANGED,
            "one file: does not, either");

    test_close(&in);

    unit_ok(test_open(&in, test_path("cam.jpg"), "on") == NGX_OK
            && test_taken(&in, 48), "one file: opened again, it comes");

    test_close(&in);
    test_clear();
}


static void
test_watch_bad(void)
{
    unit_jpeg_t          jpeg;
    ngx_vidcast_input_t  in;

    unit_jpeg(&jpeg, 64, 48);

    test_jpeg("cam.jpg", 16);
    test_age("cam.jpg", 10);

    (void) test_open(&in, test_path("cam.jpg"), "on");
    (void) test_taken(&in, 16);

    test_write("cam.jpg", jpeg.data, 0);
    test_age("cam.jpg", 9);

    unit_ok(test_grab(&in) == NGX_DECLINED, "one file: it is empty");
    unit_ok(test_look(&in) == NGX_VIDCAST_INPUT_UNCHANGED,
            "one file: which is told once");

    test_write("cam.jpg", jpeg.data, jpeg.size / 2);
    test_age("cam.jpg", 8);

    unit_ok(test_grab(&in) == NGX_DECLINED, "one file: half of it is there");

    test_write("cam.jpg", jpeg.data, jpeg.size);
    test_age("cam.jpg", 7);

    unit_ok(test_taken(&in, 64), "one file: and all of it");

    (void) unlink(test_path("cam.jpg"));

    unit_ok(test_grab(&in) == NGX_DECLINED
            && strstr((char *) in.error, "stat() \""), "one file: it is gone");
    unit_ok(test_look(&in) == NGX_AGAIN, "one file: which is told once");

    test_jpeg("cam.jpg", 24);

    unit_ok(test_taken(&in, 24), "one file: and is there again");

    test_close(&in);

    in.conf = NULL;
    (void) unlink(test_path("cam.jpg"));

    unit_ok(test_open(&in, test_path("cam.jpg"), "on") == NGX_AGAIN,
            "one file: not there yet");

    free(jpeg.data);
    test_clear();
}


/* two pictures within one tick of the clock of files */

static void
test_watch_same_time(void)
{
    ngx_int_t            rc;
    unit_jpeg_t          jpeg;
    struct stat          st;
    struct timespec      times[2];
    ngx_vidcast_input_t  in;

    unit_jpeg(&jpeg, 64, 48);

    test_write("cam.jpg", jpeg.data, jpeg.size);

    /* in the future: it is not old, however slow we are */

    (void) stat(test_path("cam.jpg"), &st);
    times[0] = st.st_mtim;
    times[1] = st.st_mtim;
    times[1].tv_sec += 100;
    (void) utimensat(AT_FDCWD, test_path("cam.jpg"), times, 0);

    (void) test_open(&in, test_path("cam.jpg"), "on");
    (void) test_taken(&in, 64);

    unit_ok(test_look(&in) == NGX_VIDCAST_INPUT_UNCHANGED,
            "same time: the same bytes");

    jpeg.data[jpeg.size - 10] ^= 1;
    test_write("cam.jpg", jpeg.data, jpeg.size);
    (void) utimensat(AT_FDCWD, test_path("cam.jpg"), times, 0);

    rc = test_grab(&in);

    unit_ok(rc == NGX_OK && memcmp(picture.data, jpeg.data, jpeg.size) == 0,
            "same time: other bytes");

    in.number = 1;
    ngx_vidcast_input_images.release(&in);

    unit_ok(test_look(&in) == NGX_VIDCAST_INPUT_UNCHANGED,
            "same time: which come once");

    free(jpeg.data);
    test_close(&in);
    test_clear();
}


/* once, at its time: NGX_AGAIN may mean that it is gone */

static ngx_int_t
test_look(ngx_vidcast_input_t *in)
{
    ngx_vidcast_input_images_t  *im;

    im = in->data;
    im->anchor = 0;

    memset(&picture, 0, sizeof(picture));
    in->number = 0;

    return ngx_vidcast_input_images.grab(in, &picture);
}


/* a picture of this width comes, and becomes a frame */

static ngx_uint_t
test_taken(ngx_vidcast_input_t *in, uint32_t width)
{
    ngx_uint_t  taken;

    taken = test_next(in, width);

    in->number = 1;
    ngx_vidcast_input_images.release(in);

    return taken;
}


/* it was written so many seconds ago */

static void
test_age(const char *name, time_t seconds)
{
    struct timespec  times[2];

    (void) clock_gettime(CLOCK_REALTIME, &times[1]);

    times[1].tv_sec -= seconds;
    times[1].tv_nsec |= 1;
    times[0] = times[1];

    if (utimensat(AT_FDCWD, test_path(name), times, 0) == -1) {
        exit(2);
    }
}
