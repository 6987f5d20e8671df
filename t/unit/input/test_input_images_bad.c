
/*
 * Copyright (C) vidcast contributors
 */


/*
 * While a folder plays, files come, go, are half written, and turn out to be
 * something else: each such file is one bad frame with its name in the reason,
 * and the others go on in order.  Only when nothing is left to show it is an
 * error, in words that tell what to do.
 */

#include "unit_images.h"


static void test_open_errors(void);
static void test_permission(void);
static void test_bad_files(void);
static void test_nothing_usable(void);
static void test_folder_gone(void);
static void test_long_name(void);


int
main(void)
{
    test_init();

    test_open_errors();
    test_permission();
    test_bad_files();
    test_nothing_usable();
    test_folder_gone();
    test_long_name();

    return test_done();
}


static void
test_open_errors(void)
{
    ngx_vidcast_input_t  in;

    unit_ok(test_open(&in, "/nonexistent/pictures", "on") == NGX_AGAIN
            && test_says(&in, "opendir() \"/nonexistent/pictures\" failed "
                              "(2: No such file or directory)"),
            "no such folder");

    unit_ok(test_open(&in, "/nonexistent/*.jpg", "on") == NGX_ERROR
            && test_says(&in, "opendir() \"/nonexistent/\" failed (2: "),
            "no such folder of a pattern");

    unit_ok(test_open(&in, "/nonexistent/a/b*c/d.jpg", "on") == NGX_ERROR
            && test_says(&in, "opendir() \"/nonexistent/a/\" failed (2: "),
            "nor of one with its star elsewhere");

    unit_ok(test_open(&in, "nonexistent*.jpg", "on") == NGX_ERROR
            && test_says(&in, "failed (2: "), "nor of a relative one");

    unit_ok(test_open(&in, folder, "on") == NGX_ERROR
            && test_says(&in, "no *.jpg or *.jpeg in \"/tmp/"),
            "an empty folder");

    test_jpeg("a.png", 16);

    unit_ok(test_open(&in, folder, "on") == NGX_ERROR
            && test_says(&in, "no *.jpg or *.jpeg in \"/tmp/"),
            "a folder of other things");

    unit_ok(test_open(&in, test_path("*.jpg"), "on") == NGX_ERROR
            && test_says(&in, "no file matches \"/tmp/")
            && test_says(&in, "/*.jpg\""),
            "a pattern that nothing matches");

    unit_ok(test_open(&in, test_path("a.jpg"), "on") == NGX_AGAIN
            && test_says(&in, "/a.jpg\" failed (2: "), "no such file");

    unit_ok(test_open(&in, test_path("a.png/*.jpg"), "on") == NGX_ERROR
            && test_says(&in, "failed (20: Not a directory)"),
            "a folder that is a file");

    test_clear();
}


static void
test_permission(void)
{
    ngx_int_t            rc, glob_rc;
    ngx_uint_t           said;
    ngx_vidcast_input_t  in, other;

    (void) mkdir(test_path("closed"), 0000);
    (void) chmod(folder, 0755);

    if (geteuid() == 0 && seteuid(65534) != 0) {
        exit(2);
    }

    rc = test_open(&in, test_path("closed"), "on");
    said = test_says(&in, "failed (13: Permission denied)");

    glob_rc = test_open(&other, test_path("closed/*.jpg"), "on");

    if (getuid() == 0 && seteuid(0) != 0) {
        exit(2);
    }

    unit_ok(rc == NGX_ERROR && said, "a folder that is closed to us");
    unit_ok(glob_rc == NGX_ERROR
            && test_says(&other, "/closed/\" failed (13: Permission denied)"),
            "a pattern in it");

    (void) rmdir(test_path("closed"));
}


static void
test_bad_files(void)
{
    int                  fd;
    unit_jpeg_t          jpeg;
    ngx_vidcast_input_t  in;

    unit_jpeg(&jpeg, 64, 64);

    test_jpeg("01.jpg", 16);
    test_write("02.jpg", "", 0);
    test_write("03.jpg", "\x89PNG\r\n\x1a\n", 8);
    test_write("04.jpg", jpeg.data, jpeg.size / 2);
    (void) mkdir(test_path("05.jpg"), 0700);
    (void) mkfifo(test_path("06.jpg"), 0600);
    (void) symlink("/nonexistent/file", test_path("07.jpg"));
    test_jpeg("08.jpg", 24);
    test_jpeg("09.jpg", 100);
    test_jpeg("11.jpg", 32);

    fd = open(test_path("10.jpg"), O_WRONLY|O_CREAT, 0600);

    if (write(fd, jpeg.data, jpeg.size) != (ssize_t) jpeg.size
        || ftruncate(fd, NGX_VIDCAST_IMAGES_FILE_MAX_SIZE + 1) != 0)
    {
        exit(2);
    }

    (void) close(fd);

    (void) test_open(&in, folder, "off");

    unit_ok(test_next(&in, 16), "01.jpg is good");
    unit_ok(test_grab(&in) == NGX_DECLINED
            && test_says(&in, "an empty picture: \"/tmp/")
            && test_says(&in, "/02.jpg\""), "02.jpg is empty");
    unit_ok(test_grab(&in) == NGX_DECLINED
            && test_says(&in, "PNG, not a JPEG: ")
            && test_says(&in, "/03.jpg\""), "03.jpg is something else");
    unit_ok(test_grab(&in) == NGX_DECLINED && test_says(&in, "truncated")
            && test_says(&in, "/04.jpg\""), "04.jpg is half written");
    unit_ok(test_grab(&in) == NGX_DECLINED && test_says(&in, "not a file")
            && test_says(&in, "/05.jpg\""), "05.jpg is a folder");
    unit_ok(test_grab(&in) == NGX_DECLINED && test_says(&in, "not a file")
            && test_says(&in, "/06.jpg\""), "06.jpg is a pipe");
    unit_ok(test_grab(&in) == NGX_DECLINED
            && test_says(&in, "/07.jpg\" failed (2: "),
            "07.jpg points to nothing");
    unit_ok(test_next(&in, 24), "08.jpg is good");

    (void) unlink(test_path("09.jpg"));

    unit_ok(test_grab(&in) == NGX_DECLINED && test_says(&in, "open() \"/tmp/")
            && test_says(&in, "/09.jpg\" failed (2: "), "09.jpg is gone");
    unit_ok(test_grab(&in) == NGX_DECLINED
            && test_says(&in, "more than 64 megabytes")
            && test_says(&in, "/10.jpg\""), "10.jpg is too large");
    unit_ok(test_next(&in, 32), "11.jpg is good");
    unit_ok(test_grab(&in) == NGX_DONE, "the end");

    free(jpeg.data);
    test_close(&in);
    test_clear();
}


static void
test_nothing_usable(void)
{
    ngx_uint_t           n;
    ngx_vidcast_input_t  in;

    static const char *loops[] = { "on", "off" };

    for (n = 0; n < 2; n++) {
        test_write("1.jpg", "one", 3);
        test_write("2.jpg", "two", 3);

        unit_ok(test_open(&in, folder, loops[n]) == NGX_OK
                && test_grab(&in) == NGX_DECLINED
                && test_grab(&in) == NGX_DECLINED,
                "loop=%s: two bad files", loops[n]);
        unit_ok(test_grab(&in) == NGX_ERROR
                && test_says(&in, "no usable JPEG; the last one: text, "
                                  "not a JPEG: \"/tmp/")
                && test_says(&in, "/2.jpg\""),
                "loop=%s: a whole round without a picture", loops[n]);
        test_close(&in);

        test_jpeg("2.jpg", 16);

        unit_ok(test_open(&in, folder, loops[n]) == NGX_OK
                && test_grab(&in) == NGX_DECLINED && test_next(&in, 16)
                && test_grab(&in) == (n ? NGX_DONE : NGX_DECLINED),
                "loop=%s: one good picture is enough", loops[n]);

        test_write("2.jpg", "two", 3);

        if (n == 0) {
            unit_ok(test_grab(&in) == NGX_DECLINED
                    && test_grab(&in) == NGX_ERROR, "in each round");
        }

        test_close(&in);
        test_clear();
    }
}


static void
test_folder_gone(void)
{
    ngx_vidcast_input_t  in;

    (void) mkdir(test_path("in"), 0700);
    test_jpeg("in/1.jpg", 16);

    (void) test_open(&in, test_path("in"), "on");
    unit_ok(test_next(&in, 16) && test_next(&in, 16), "it plays");

    (void) unlink(test_path("in/1.jpg"));

    unit_ok(test_grab(&in) == NGX_ERROR
            && test_says(&in, "no *.jpg or *.jpeg in"), "the folder is empty");
    test_close(&in);

    test_jpeg("in/1.jpg", 16);

    (void) test_open(&in, test_path("in"), "on");
    unit_ok(test_next(&in, 16), "it plays again");

    (void) unlink(test_path("in/1.jpg"));
    (void) rmdir(test_path("in"));

    unit_ok(test_grab(&in) == NGX_ERROR && test_says(&in, "failed (2: "),
            "the folder is gone");
    test_close(&in);
}


/* a long path must push neither the file's name nor the reason out */

static void
test_long_name(void)
{
    char                 name[600];
    ngx_uint_t           i;
    ngx_vidcast_input_t  in;

    memset(name, 'd', sizeof(name));

    for (i = 0; i < 500; i += 100) {
        name[i] = '/';
    }

    strcpy(name + 500, "/the-end");

    unit_ok(test_open(&in, name, "on") == NGX_AGAIN
            && test_says(&in, "opendir() \"...")
            && test_says(&in, "/the-end\" failed (2: No such file or"
                              " directory)")
            && memchr(in.error, '\0', NGX_VIDCAST_ERROR_LEN),
            "the reason has the end of a long name");
}
