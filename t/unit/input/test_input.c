
/*
 * Copyright (C) vidcast contributors
 */


/*
 * What a user types behind "input" is parsed by the functions here, for all
 * inputs: a size or a rate taken wrongly would be found in front of a camera
 * only.
 */

#include "input/ngx_vidcast_input.c"
#include "unit.h"
#include "unit_ngx.h"

#include <signal.h>
#include <sys/time.h>


static void test_find(void);
static void test_redact(void);
static void test_size(void);
static void test_fps(void);
static void test_wait(void);
static void test_wait_signal(void);

static ngx_vidcast_input_module_t *test_uri(const char *uri, char *path);
static void test_handler(int signo);


/* the table needs their names only */

ngx_vidcast_input_module_t  ngx_vidcast_input_test = {
    ngx_string("test"), 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL
};

ngx_vidcast_input_module_t  ngx_vidcast_input_images = {
    ngx_string("images"), 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL
};

ngx_vidcast_input_module_t  ngx_vidcast_input_v4l2 = {
    ngx_string("v4l2"), 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL
};

ngx_vidcast_input_module_t  ngx_vidcast_input_file = {
    ngx_string("file"), 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL
};

ngx_vidcast_input_module_t  ngx_vidcast_input_rtsp = {
    ngx_string("rtsp"), 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL
};

ngx_vidcast_input_module_t  ngx_vidcast_input_rtsps = {
    ngx_string("rtsps"), 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL
};

ngx_vidcast_input_module_t  ngx_vidcast_input_http = {
    ngx_string("http"), 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL
};

ngx_vidcast_input_module_t  ngx_vidcast_input_https = {
    ngx_string("https"), 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL
};

ngx_vidcast_input_module_t  ngx_vidcast_input_push = {
    ngx_string("push"), 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL
};


static volatile sig_atomic_t  signals;


int
main(void)
{
    test_find();
    test_redact();
    test_size();
    test_fps();
    test_wait();
    test_wait_signal();

    return unit_done();
}


static void
test_find(void)
{
    char        path[64];
    ngx_uint_t  i;

    static const struct {
        const char                  *uri;
        ngx_vidcast_input_module_t  *module;
        const char                  *path;
    } uris[] = {
        { "test:",                &ngx_vidcast_input_test,    "" },
        { "images:/a/*.jpg",      &ngx_vidcast_input_images,  "/a/*.jpg" },
        { "images:/a:b",          &ngx_vidcast_input_images,  "/a:b" },
        { "v4l2:/dev/video0",     &ngx_vidcast_input_v4l2,    "/dev/video0" },
        { "file:a.mp4",           &ngx_vidcast_input_file,    "a.mp4" },
        { "rtsp://cam:554/1",     &ngx_vidcast_input_rtsp,    "//cam:554/1" },
        { "rtsps://cam/1",        &ngx_vidcast_input_rtsps,   "//cam/1" },
        { "http://cam/v",         &ngx_vidcast_input_http,    "//cam/v" },
        { "https://cam/v",        &ngx_vidcast_input_https,   "//cam/v" },
        { "push:",                &ngx_vidcast_input_push,    "" },
        { "",                     NULL,                       "-" },
        { ":",                    NULL,                       "-" },
        { "images",               NULL,                       "-" },
        { "image:/a",             NULL,                       "-" },
        { "imagess:/a",           NULL,                       "-" },
        { "IMAGES:/a",            NULL,                       "-" },
        { "/a/images:b",          NULL,                       "-" }
    };

    for (i = 0; i < sizeof(uris) / sizeof(uris[0]); i++) {
        strcpy(path, "-");

        unit_ok(test_uri(uris[i].uri, path) == uris[i].module
                && strcmp(path, uris[i].path) == 0,
                "module and path of \"%s\"", uris[i].uri);
    }
}


/* of a URI that cannot be taken apart, less is told rather than more */

static void
test_redact(void)
{
    char         text[128];
    ngx_str_t    uri, told;
    ngx_int_t    rc;
    ngx_uint_t   i;
    ngx_pool_t  *pool;

    static const struct {
        const char  *uri;
        const char  *told;
    } uris[] = {
        { "test:",                   "test:" },
        { "file:/a/b?c@d.mp4",       "file:/a/b?c@d.mp4" },
        { "rtsp://cam/1",            "rtsp://cam/1" },
        { "rtsp://cam",              "rtsp://cam" },
        { "rtsp://cam:554/a=b;c",    "rtsp://cam:554/a=b;c" },
        { "rtsp://me:key@cam/1",     "rtsp://***@cam/1" },
        { "rtsp://me@cam/1",         "rtsp://***@cam/1" },
        { "rtsp://me:k@y@cam/1",     "rtsp://***@cam/1" },
        { "rtsp://me:k/y@cam/1",     "rtsp://***@cam/1" },
        { "rtsp://me:k?y@cam/1",     "rtsp://***@cam/1" },
        { "rtsp://@cam/1",           "rtsp://***@cam/1" },
        { "http://cam/v?key=1",      "http://cam/v?***" },
        { "http://cam/v?",           "http://cam/v?***" },
        { "http://a:b@cam/v?k=1",    "http://***@cam/v?***" },
        { "http://cam/v?k=a@b",      "http://***@b" },
        { "http://a:b@cam/v?k=1?2",  "http://***@cam/v?***" },
        { "http://",                 "http://" },
        { "http:/",                  "http:/" },
        { "",                        "" }
    };

    pool = ngx_create_pool(1024, &unit_log);

    for (i = 0; i < sizeof(uris) / sizeof(uris[0]); i++) {
        uri.data = (u_char *) uris[i].uri;
        uri.len = strlen(uris[i].uri);

        rc = ngx_vidcast_input_redact(pool, &uri, &told);

        (void) ngx_sprintf((u_char *) text, "%V%Z", &told);

        unit_ok(rc == NGX_OK && strcmp(text, uris[i].told) == 0,
                "\"%s\" is told as \"%s\"", uris[i].uri, text);
    }

    ngx_destroy_pool(pool);
}


static void
test_size(void)
{
    uint32_t    w, h;
    ngx_str_t   value;
    ngx_int_t   rc;
    ngx_uint_t  i;

    static const struct {
        const char  *text;
        uint32_t     width;
        uint32_t     height;
    } sizes[] = {
        { "640x480",        640, 480 },
        { "1x1",            1, 1 },
        { "16384x16384",    16384, 16384 },
        { "0640x0480",      640, 480 },
        { "16385x1",        0, 0 },
        { "1x16385",        0, 0 },
        { "0x480",          0, 0 },
        { "640x0",          0, 0 },
        { "",               0, 0 },
        { "x",              0, 0 },
        { "640",            0, 0 },
        { "640x",           0, 0 },
        { "x480",           0, 0 },
        { "640X480",        0, 0 },
        { "640x480x3",      0, 0 },
        { "640x480 ",       0, 0 },
        { " 640x480",       0, 0 },
        { "-640x480",       0, 0 },
        { "640*480",        0, 0 },
        { "6 40x480",       0, 0 },
        { "4294967936x480", 0, 0 },
        { "99999999999999999999x1", 0, 0 }
    };

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        w = 7;
        h = 9;

        value.data = (u_char *) sizes[i].text;
        value.len = strlen(sizes[i].text);

        rc = ngx_vidcast_input_parse_size(&value, &w, &h);

        if (sizes[i].width) {
            unit_ok(rc == NGX_OK && w == sizes[i].width
                    && h == sizes[i].height, "size \"%s\"", sizes[i].text);

        } else {
            unit_ok(rc == NGX_ERROR && w == 7 && h == 9,
                    "no size: \"%s\"", sizes[i].text);
        }
    }

    value.data = (u_char *) "640x4801";
    value.len = 7;

    unit_ok(ngx_vidcast_input_parse_size(&value, &w, &h) == NGX_OK
            && h == 480, "nothing behind the length is read");
}


static void
test_fps(void)
{
    double      fps;
    ngx_str_t   value;
    ngx_int_t   rc;
    ngx_uint_t  i;

    static const struct {
        const char  *text;
        double       fps;
    } rates[] = {
        { "30",          30 },
        { "29.97",       29.97 },
        { "30000/1001",  30000.0 / 1001 },
        { "1000",        1000 },
        { "1",           1 },
        { "0.5",         0.5 },
        { "1/2",         0.5 },
        { "0.001",       0.001 },
        { "59.940060",   59.94006 },
        { "1001",        0 },
        { "1000.001",    0 },
        { "2001/2",      0 },
        { "0",           0 },
        { "0.0",         0 },
        { "0.0001",      0 },
        { "1/0",         0 },
        { "",            0 },
        { ".5",          0 },
        { "5.",          0 },
        { "30/",         0 },
        { "/30",         0 },
        { "30fps",       0 },
        { "-30",         0 },
        { "+30",         0 },
        { "3e1",         0 },
        { "0x1e",        0 },
        { "inf",         0 },
        { "nan",         0 },
        { "30,5",        0 },
        { "30/1001/2",   0 },
        { "1.5.5",       0 },
        { "99999999999999999999", 0 },
        { "1/99999999999999999999", 0 }
    };

    for (i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        fps = -1;

        value.data = (u_char *) rates[i].text;
        value.len = strlen(rates[i].text);

        rc = ngx_vidcast_input_parse_fps(&value, &fps);

        if (rates[i].fps) {
            unit_ok(rc == NGX_OK && fps > rates[i].fps * 0.999999999
                    && fps < rates[i].fps * 1.000000001,
                    "rate \"%s\"", rates[i].text);

        } else {
            unit_ok(rc == NGX_ERROR && fps == -1, "no rate: \"%s\"",
                    rates[i].text);
        }
    }
}


static void
test_wait(void)
{
    uint64_t    due;
    ngx_int_t   rc;
    ngx_uint_t  n;

    unit_ok(ngx_vidcast_input_wait(0) == NGX_OK, "it came long ago");
    unit_ok(ngx_vidcast_input_wait(ngx_vidcast_clock()) == NGX_OK,
            "it comes now");
    unit_ok(ngx_vidcast_input_wait(UINT64_MAX) == NGX_AGAIN,
            "it never comes");

    due = ngx_vidcast_clock() + 300000;
    rc = NGX_AGAIN;

    for (n = 0; n < 1000 && rc == NGX_AGAIN; n++) {
        rc = ngx_vidcast_input_wait(due);
    }

    unit_ok(rc == NGX_OK && n > 1, "it comes at the second call or later");
    unit_ok(ngx_vidcast_clock() >= due, "and not before its time");
}


static void
test_wait_signal(void)
{
    uint64_t          due;
    ngx_int_t         rc;
    struct itimerval  itv;

    (void) signal(SIGALRM, test_handler);

    memset(&itv, 0, sizeof(itv));
    itv.it_value.tv_usec = 20000;
    itv.it_interval.tv_usec = 20000;

    (void) setitimer(ITIMER_REAL, &itv, NULL);

    due = ngx_vidcast_clock() + 600000000;

    do {
        rc = ngx_vidcast_input_wait(due);
    } while (rc == NGX_AGAIN && signals == 0);

    memset(&itv, 0, sizeof(itv));
    (void) setitimer(ITIMER_REAL, &itv, NULL);

    unit_ok(rc == NGX_AGAIN && signals, "a signal is not the time to come");
}


static ngx_vidcast_input_module_t *
test_uri(const char *uri, char *path)
{
    ngx_str_t                    value, rest;
    ngx_vidcast_input_module_t  *module;

    value.data = (u_char *) uri;
    value.len = strlen(uri);

    module = ngx_vidcast_input_find(&value, &rest);

    if (module) {
        memcpy(path, rest.data, rest.len);
        path[rest.len] = '\0';
    }

    return module;
}


static void
test_handler(int signo)
{
    signals = 1;
}
