
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _UNIT_V4L2_INPUT_H_INCLUDED_
#define _UNIT_V4L2_INPUT_H_INCLUDED_


/* the v4l2: input above the device of unit_v4l2.h, and what tests do with it */

#include "unit_v4l2.h"

#include "core/ngx_vidcast_escape.c"
#include "input/ngx_vidcast_input_jpeg.c"
#include "unit_codec.h"
#include "input/v4l2/ngx_vidcast_v4l2.c"
#include "input/v4l2/ngx_vidcast_v4l2_control.c"
#include "input/v4l2/ngx_vidcast_v4l2_device.c"
#include "input/v4l2/ngx_vidcast_v4l2_format.c"
#include "input/v4l2/ngx_vidcast_v4l2_range.c"
#include "input/v4l2/ngx_vidcast_v4l2_reason.c"
#include "input/v4l2/ngx_vidcast_v4l2_source.c"
#include "input/v4l2/ngx_vidcast_input_v4l2.c"

#include "unit.h"
#include "unit_ngx.h"

#include <dirent.h>
#include <math.h>


#define W  64
#define H  48


static ngx_pool_t               *pool;
static ngx_vidcast_input_t       in;
static ngx_vidcast_input_conf_t  conf;
static ngx_vidcast_image_t       image;
static ngx_vidcast_picture_t     picture;
static u_char                    jpeg[UNIT_V4L2_LENGTH];
static size_t                    jpeg_size;
static u_char                    raw[UNIT_V4L2_LENGTH]
                                     __attribute__((unused));


static ngx_int_t __attribute__((unused))
set(char *name, char *value)
{
    ngx_str_t  n, v;

    n.data = (u_char *) name;
    n.len = strlen(name);
    v.data = (u_char *) value;
    v.len = strlen(value);

    return ngx_vidcast_input_v4l2.set(&conf, &n, &v);
}


static ngx_int_t __attribute__((unused))
check(char *path)
{
    conf.path.data = (u_char *) path;
    conf.path.len = strlen(path);
    in.error[0] = '\0';

    return ngx_vidcast_input_v4l2.check(&conf, in.error);
}


/* a new device, a new configuration */

static void __attribute__((unused))
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


static ngx_int_t __attribute__((unused))
start(void)
{
    in.error[0] = '\0';

    return ngx_vidcast_input_v4l2.open(&in);
}


static ngx_int_t __attribute__((unused))
grab(void)
{
    in.error[0] = '\0';

    return ngx_vidcast_input_v4l2.grab(&in, &picture);
}


static void __attribute__((unused))
release(void)
{
    ngx_vidcast_input_v4l2.release(&in);
}


static void __attribute__((unused))
stop(void)
{
    ngx_vidcast_input_v4l2.close(&in);
}


static ngx_uint_t __attribute__((unused))
says(const char *text)
{
    if (strstr((char *) in.error, text) != NULL) {
        return 1;
    }

    printf("# error: \"%s\"\n", in.error);

    return 0;
}


static ngx_uint_t __attribute__((unused))
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


static void __attribute__((unused))
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


/* runs the tests, which end with NULL */

static int
run(void (**tests)(void))
{
    pool = ngx_create_pool(4096, &unit_log);

    if (ngx_vidcast_image_alloc(&image, W, H, 0) != NGX_OK) {
        return 1;
    }

    memset(image.plane[0], 100, image.stride[0] * H);
    memset(image.plane[1], 128, image.stride[1] * H / 2);
    memset(image.plane[2], 128, image.stride[2] * H / 2);

    make_jpeg();

    while (*tests) {
        (*tests++)();
    }

    unit_v4l2_reset();
    ngx_vidcast_image_free(&image);
    ngx_destroy_pool(pool);

    return unit_done();
}


#endif /* _UNIT_V4L2_INPUT_H_INCLUDED_ */
