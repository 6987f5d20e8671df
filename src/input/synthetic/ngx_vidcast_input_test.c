
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast.h"
#include "core/ngx_vidcast_parse.h"
#include "core/ngx_vidcast_string.h"
#include "input/ngx_vidcast_input.h"
#include "input/synthetic/ngx_vidcast_test_pattern.h"


/*
 * A synthetic camera; the true boxes of its shapes are in the test pattern's
 * header.
 */


#define NGX_VIDCAST_INPUT_TEST_WIDTH   640
#define NGX_VIDCAST_INPUT_TEST_HEIGHT  480
#define NGX_VIDCAST_INPUT_TEST_FPS     30


typedef struct {
    ngx_uint_t            noise;
    ngx_uint_t            shapes;
} ngx_vidcast_input_test_params_t;


typedef struct {
    ngx_vidcast_test_pattern_t  *tp;
    uint64_t                     number; /* of the next frame */
    double                       due; /* CLOCK_MONOTONIC, us */
} ngx_vidcast_input_test_t;


static void *ngx_vidcast_input_test_create_params(ngx_pool_t *pool);
static ngx_int_t ngx_vidcast_input_test_set(ngx_vidcast_input_conf_t *conf,
    ngx_str_t *name, ngx_str_t *value);
static ngx_int_t ngx_vidcast_input_test_set_number(ngx_str_t *value,
    ngx_int_t max, ngx_uint_t *number);
static ngx_int_t ngx_vidcast_input_test_check(ngx_vidcast_input_conf_t *conf,
    u_char *error);
static ngx_int_t ngx_vidcast_input_test_open(ngx_vidcast_input_t *in);
static ngx_int_t ngx_vidcast_input_test_grab(ngx_vidcast_input_t *in,
    ngx_vidcast_picture_t *picture);
static void ngx_vidcast_input_test_close(ngx_vidcast_input_t *in);


ngx_vidcast_input_module_t  ngx_vidcast_input_test = {
    ngx_string("test"),
    NGX_VIDCAST_INPUT_RAW,
    ngx_vidcast_input_test_create_params,
    ngx_vidcast_input_test_set,
    ngx_vidcast_input_test_check,
    ngx_vidcast_input_test_open,
    ngx_vidcast_input_test_grab,
    NULL,
    ngx_vidcast_input_test_close,
    NULL
};


static void *
ngx_vidcast_input_test_create_params(ngx_pool_t *pool)
{
    ngx_vidcast_input_test_params_t  *params;

    params = ngx_palloc(pool, sizeof(ngx_vidcast_input_test_params_t));
    if (params == NULL) {
        return NULL;
    }

    params->noise = 2;
    params->shapes = 3;

    return params;
}


static ngx_int_t
ngx_vidcast_input_test_set(ngx_vidcast_input_conf_t *conf, ngx_str_t *name,
    ngx_str_t *value)
{
    ngx_vidcast_input_test_params_t  *params = conf->params;

    if (ngx_vidcast_is(name, "size")) {
        return ngx_vidcast_parse_sides(value, &conf->width, &conf->height);
    }

    if (ngx_vidcast_is(name, "fps")) {
        return ngx_vidcast_parse_fps(value, &conf->fps);
    }

    if (ngx_vidcast_is(name, "noise")) {
        return ngx_vidcast_input_test_set_number(
            value, NGX_VIDCAST_TEST_PATTERN_MAX_NOISE, &params->noise);
    }

    if (ngx_vidcast_is(name, "shapes")) {
        return ngx_vidcast_input_test_set_number(
            value, NGX_VIDCAST_TEST_PATTERN_MAX_SHAPES, &params->shapes);
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_vidcast_input_test_set_number(ngx_str_t *value, ngx_int_t max,
    ngx_uint_t *number)
{
    ngx_int_t  n;

    n = ngx_atoi(value->data, value->len);

    if (n == NGX_ERROR || n > max) {
        return NGX_ERROR;
    }

    *number = n;

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_input_test_check(ngx_vidcast_input_conf_t *conf, u_char *error)
{
    if (conf->path.len) {
        (void) ngx_slprintf(error, error + NGX_VIDCAST_ERROR_LEN - 1,
                            "unexpected \"%V\" after \"test:\"%Z",
                            &conf->path);
        return NGX_ERROR;
    }

    /* "640x" */

    if (conf->width == 0) {
        conf->width = (uint64_t) conf->height * NGX_VIDCAST_INPUT_TEST_WIDTH
                      / NGX_VIDCAST_INPUT_TEST_HEIGHT & ~1U;
    }

    if (conf->height == 0) {
        conf->height = (uint64_t) conf->width * NGX_VIDCAST_INPUT_TEST_HEIGHT
                       / NGX_VIDCAST_INPUT_TEST_WIDTH & ~1U;
    }

    if (conf->width > NGX_VIDCAST_MAX_DIMENSION
        || conf->height > NGX_VIDCAST_MAX_DIMENSION)
    {
        (void) ngx_slprintf(error, error + NGX_VIDCAST_ERROR_LEN - 1,
                            "size %uDx%uD is too large%Z", conf->width,
                            conf->height);
        return NGX_ERROR;
    }

    if (conf->width != 0
        && (conf->width < NGX_VIDCAST_TEST_PATTERN_MIN_DIMENSION
            || conf->height < NGX_VIDCAST_TEST_PATTERN_MIN_DIMENSION))
    {
        (void) ngx_slprintf(error, error + NGX_VIDCAST_ERROR_LEN - 1,
                            "size %uDx%uD is too small, at least %dx%d "
                            "is needed%Z", conf->width, conf->height,
                            NGX_VIDCAST_TEST_PATTERN_MIN_DIMENSION,
                            NGX_VIDCAST_TEST_PATTERN_MIN_DIMENSION);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_input_test_open(ngx_vidcast_input_t *in)
{
    ngx_vidcast_input_test_t         *test;
    ngx_vidcast_input_test_params_t  *params;

    params = in->conf->params;

    in->format = NGX_VIDCAST_INPUT_I420;
    in->width = NGX_VIDCAST_INPUT_TEST_WIDTH;
    in->height = NGX_VIDCAST_INPUT_TEST_HEIGHT;
    in->fps = NGX_VIDCAST_INPUT_TEST_FPS;

    if (in->conf->width) {
        in->width = in->conf->width;
        in->height = in->conf->height;
    }

    if (in->conf->fps > 0) {
        in->fps = in->conf->fps;
    }

    test = calloc(1, sizeof(ngx_vidcast_input_test_t));
    if (test == NULL) {
        goto failed;
    }

    test->tp = ngx_vidcast_test_pattern_create(in->width, in->height,
                                               params->shapes, params->noise);
    if (test->tp == NULL) {
        free(test);
        goto failed;
    }

    test->due = ngx_vidcast_clock();

    in->data = test;

    return NGX_OK;

failed:

    (void) ngx_slprintf(in->error, in->error + NGX_VIDCAST_ERROR_LEN - 1,
                        "no memory for pictures of %uDx%uD%Z",
                        in->width, in->height);

    return NGX_ERROR;
}


static ngx_int_t
ngx_vidcast_input_test_grab(ngx_vidcast_input_t *in,
    ngx_vidcast_picture_t *picture)
{
    u_char                     buf[NGX_INT64_LEN + sizeof("#  00:00:00.000")];
    ngx_tm_t                   tm;
    ngx_str_t                  text;
    struct timeval             tv;
    ngx_vidcast_input_test_t  *test;

    test = in->data;

    if (ngx_vidcast_clock_wait((uint64_t) test->due) != NGX_OK) {
        return NGX_AGAIN;
    }

    picture->time = ngx_vidcast_clock();

    /* a grab() that is late by a frame or more has lost some, as of a camera */

    test->due += 1000000 / in->fps;

    if (test->due < picture->time) {
        in->dropped.late += (uint32_t) ((picture->time - test->due) * in->fps
                                        / 1000000);
        test->due = picture->time;
    }

    ngx_gettimeofday(&tv);
    ngx_libc_localtime(tv.tv_sec, &tm);

    text.data = buf;
    text.len = ngx_sprintf(buf, "#%06uL  %02d:%02d:%02d.%03d", test->number,
                           tm.ngx_tm_hour, tm.ngx_tm_min, tm.ngx_tm_sec,
                           (int) (tv.tv_usec / 1000))
               - buf;

    ngx_vidcast_test_pattern_render(test->tp, test->number, &text,
                                    picture->image);
    test->number++;

    return NGX_OK;
}


static void
ngx_vidcast_input_test_close(ngx_vidcast_input_t *in)
{
    ngx_vidcast_input_test_t  *test;

    test = in->data;

    ngx_vidcast_test_pattern_destroy(test->tp);
    free(test);

    in->data = NULL;
}
