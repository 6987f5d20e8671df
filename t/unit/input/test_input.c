
/*
 * Copyright (C) vidcast contributors
 */


/*
 * What a user types behind "input" finds its module here: a name that is taken
 * for another one would open another camera, and a password that is not left
 * out of what is told would be in the log.
 */

#include "unit_input.h"
#include "unit.h"
#include "unit_ngx.h"


static void test_find(void);
static void test_redact(void);
static void test_clear(void);

static ngx_vidcast_input_module_t *test_uri(const char *uri, char *path);


int
main(void)
{
    test_find();
    test_redact();
    test_clear();

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
        { "rtmp://cam/a/b",       &ngx_vidcast_input_rtmp,    "//cam/a/b" },
        { "srt://:9000",          &ngx_vidcast_input_srt,     "//:9000" },
        { "udp://@:1234",         &ngx_vidcast_input_udp,     "//@:1234" },
        { "pipe:/a/fifo",         &ngx_vidcast_input_pipe,    "/a/fifo" },
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
        { "file:///a/b@c:d?e",       "file:///a/b@c:d?e" },
        { "rtsp:///me:key@cam/1",    "rtsp://***" },
        { "rtsp://me:key@cam/1",     "rtsp://***@cam/1" },
        { "rtsp://me@cam/1",         "rtsp://***@cam/1" },
        { "rtsp://me:k@y@cam/1",     "rtsp://***" },
        { "rtsp://me:k/y@cam/1",     "rtsp://***" },
        { "rtsp://me:k?y@cam/1",     "rtsp://***" },
        { "rtsp://me:k#y@cam/1",     "rtsp://***" },
        { "rtsp://me:12/34@cam/1",   "rtsp://***" },
        { "rtsp://me:k@y/z@cam/1",   "rtsp://***" },
        { "rtsp://me:key",           "rtsp://***" },
        { "rtsp:me:key@cam/1",       "***" },
        { "rtsp:/me:key@cam/1",      "***" },
        { "rtsp//me:key@cam/1",      "***" },
        { "/a/b@c",                  "/a/b@c" },
        { "v4l2:/dev/a@b",           "v4l2:/dev/a@b" },
        { "rtsp://@cam/1",           "rtsp://***@cam/1" },
        { "http://cam/v?key=1",      "http://cam/v?***" },
        { "http://cam/v?",           "http://cam/v?" },
        { "rtsp://a/user=b&password=c&channel=1",
          "rtsp://a/user=b&password=***" },
        { "rtsp://a/user=b_PassWord=c_stream=0.sdp",
          "rtsp://a/user=b_PassWord=***" },
        { "rtsp://a/d/pwd=c?e=f",    "rtsp://a/d/pwd=***" },
        { "rtsp://a/channel=1&x=2",  "rtsp://a/channel=1&x=2" },
        { "http://a:b@cam/v?k=1",    "http://***@cam/v?***" },
        { "http://cam/v?k=a@b",      "http://cam/v?***" },
        { "http://cam/v#a",          "http://cam/v#***" },
        { "http://cam:80/v?k=a@b",   "http://***" },
        { "http://a:b@cam/v?k=1?2",  "http://***@cam/v?***" },
        { "nats://a:1,[::1]:2,c/d",  "nats://a:1,[::1]:2,c/d" },
        { "nats://a:b@c:1,d/e",      "nats://***@c:1,d/e" },
        { "nats://a:1,b:key@c/d",    "nats://***" },
        { "nats://a,b:key/d",        "nats://***" },
        { "nats://me:1,2/3@a/d",     "nats://***" },
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


/* each library must find the same host, or none is asked */

static void
test_clear(void)
{
    u_char      error[NGX_VIDCAST_ERROR_LEN];
    ngx_str_t   uri;
    ngx_int_t   rc;
    ngx_uint_t  i;

    static const struct {
        const char  *uri;
        ngx_int_t    rc;
    } uris[] = {
        { "test:",                           NGX_OK },
        { "file:/a@b:c@d",                   NGX_OK },
        { "file:///a@b/c",                   NGX_OK },
        { "rtsp://cam",                      NGX_OK },
        { "rtsp://cam:554/1",                NGX_OK },
        { "rtsp://cam:/1",                   NGX_OK },
        { "rtsp://me:key@cam:554/1",         NGX_OK },
        { "rtsp://me:k:e:y@cam/1",           NGX_OK },
        { "rtsp://me:k%40%2F@cam/1?a=b",     NGX_OK },
        { "rtsp://me:@cam/1",                NGX_OK },
        { "rtsp://cam/1@2",                  NGX_OK },
        { "http://cam/1?mail=a@b",           NGX_OK },
        { "rtsp://[fe80::1]:554/1",          NGX_OK },
        { "rtsp://me:key@[::1]/1",           NGX_OK },
        { "rtsp://[::1]/a@b",                NGX_OK },
        { "udp://@239.0.0.1:1234",           NGX_OK },
        { "srt://:9000?mode=listener",       NGX_OK },
        { "srt://a:1?streamid=#!::r=b,m=c",  NGX_OK },
        { "nats://a:1,b,[::1]:2/c",          NGX_OK },
        { "nats://me:k%2Cy@a:1,b/c",         NGX_OK },
        { "nats://a:1,b:65536/c",            NGX_ERROR },
        { "nats://a,[::1/c",                 NGX_ERROR },
        { "nats://me:k,y@a/c",               NGX_ERROR },
        { "nats://a:1,me:key@b/c",           NGX_ERROR },
        { "rtsp://a:1,b:2/c",                NGX_ERROR },
        { "rtsp://me:k/y@cam/1",             NGX_ERROR },
        { "rtsp://admin:sec@ret/x@host",     NGX_ERROR },
        { "rtsp://me:k@y@cam/1",             NGX_ERROR },
        { "rtsp://me@you:key@cam/1",         NGX_ERROR },
        { "rtsp://me:k?y@cam/1",             NGX_ERROR },
        { "rtsp://me:k#y@cam/1",             NGX_ERROR },
        { "rtsp://me:12/3@cam/1",            NGX_ERROR },
        { "rtsp://me:12?3@cam/1",            NGX_ERROR },
        { "rtsp://me:k y@cam/1",             NGX_ERROR },
        { "rtsp://me:k\\y@cam/1",            NGX_ERROR },
        { "rtsp://me:key",                   NGX_ERROR },
        { "rtsp:///me:key@cam",              NGX_ERROR },
        { "rtsp://cam:0x22a/1",              NGX_ERROR },
        { "rtsp://cam:65536/1",              NGX_ERROR },
        { "rtsp://me:key:554/1",             NGX_ERROR },
        { "rtsp://::1/1",                    NGX_ERROR },
        { "rtsp://[::1/1",                   NGX_ERROR },
        { "rtsp://[::1]554/1",               NGX_ERROR },
        { "http://me:key@cam/1?k=a@b",       NGX_ERROR },
        { "http://cam:80/1@2",               NGX_ERROR }
    };

    for (i = 0; i < sizeof(uris) / sizeof(uris[0]); i++) {
        uri.data = (u_char *) uris[i].uri;
        uri.len = strlen(uris[i].uri);

        error[0] = '\0';
        rc = ngx_vidcast_input_check_uri(&uri, error);

        unit_ok(rc == uris[i].rc && (rc == NGX_OK) == (error[0] == '\0'),
                "\"%s\": %d %s", uris[i].uri, (int) rc, (char *) error);
    }
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
