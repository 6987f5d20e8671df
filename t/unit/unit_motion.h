
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _UNIT_MOTION_H_INCLUDED_
#define _UNIT_MOTION_H_INCLUDED_


/* a motion predictor, pictures for it, and its answers taken apart */

#include "unit_codec.h"
#include "input/synthetic/ngx_vidcast_test_background.c"
#include "input/synthetic/ngx_vidcast_test_pattern.c"

#include "unit.h"
#include "unit_predict.h"


#define LEARNING  60      /* frames without a judgment: 2 s */
#define MAX       64


typedef struct {
    double                       x;
    double                       y;
    double                       width;
    double                       height;
    double                       score;
    ngx_uint_t                   id;
    char                         zones[128];   /* as they are written */
} answer_t;


typedef struct {
    uint32_t                     width;
    uint32_t                     height;
    uint64_t                     number;
    ngx_uint_t                   anew;       /* the source has slept */
    ngx_vidcast_image_t          frame;
    ngx_vidcast_image_t          small;
    ngx_vidcast_predict_t        predict;
    ngx_vidcast_predict_conf_t   conf;
    ngx_uint_t                   news;      /* by emit= */
    ngx_uint_t                   nanswers;
    answer_t                     answers[MAX];
    double                       cpu;       /* ms, scaling and predicting */
} rig_t;


static ngx_pool_t  *pool;


static double __attribute__((unused))
cpu_ms(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);

    return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}


static void __attribute__((unused))
rig_open(rig_t *rig, uint32_t width, uint32_t height)
{
    uint32_t   want;
    ngx_str_t  name = ngx_string("motion");

    ngx_memzero(rig, sizeof(rig_t));

    rig->width = width;
    rig->height = height;

    rig->conf.module = ngx_vidcast_predict_find(&name);
    rig->conf.params = rig->conf.module->create_params(pool);
    rig->predict.conf = &rig->conf;
    rig->predict.log = ngx_cycle->log;

    want = rig->conf.module->want(&rig->conf, width);

    if (ngx_vidcast_image_alloc(&rig->frame, width, height, 0) != NGX_OK
        || ngx_vidcast_image_alloc(&rig->small, want,
                                   ngx_max(height * want / width, 1), 1)
           != NGX_OK
        || rig->conf.module->open(&rig->predict) != NGX_OK)
    {
        printf("Bail out! no memory\n");
        exit(1);
    }
}


static ngx_int_t __attribute__((unused))
rig_set(rig_t *rig, const char *name, const char *value)
{
    ngx_str_t  n, v;

    n.data = (u_char *) name;
    n.len = strlen(name);
    v.data = (u_char *) value;
    v.len = strlen(value);

    return ngx_vidcast_predict_set(&rig->conf, &n, &v);
}


static void __attribute__((unused))
rig_close(rig_t *rig)
{
    rig->conf.module->close(&rig->predict);

    ngx_vidcast_image_free(&rig->frame);
    ngx_vidcast_image_free(&rig->small);
}


/* the boxes of an answer; NGX_ERROR unless it has exactly the promised form */

static ngx_int_t __attribute__((unused))
rig_parse(rig_t *rig, const char *p)
{
    int            len;
    answer_t      *a;
    unsigned long  id;

    rig->nanswers = 0;

    if (strncmp(p, "{\"detections\":[", 15) != 0) {
        return NGX_ERROR;
    }

    for (p += 15; *p != ']'; p += len) {

        if (rig->nanswers == MAX || (rig->nanswers > 0 && *p++ != ',')) {
            return NGX_ERROR;
        }

        a = &rig->answers[rig->nanswers++];
        len = 0;

        (void) sscanf(p, "{\"label\":\"motion\",\"score\":%lf,"
                      "\"bbox\":[%lf,%lf,%lf,%lf],\"track_id\":%lu%n",
                      &a->score, &a->x, &a->y, &a->width, &a->height, &id,
                      &len);

        a->id = id;
        a->zones[0] = '\0';

        if (len && strncmp(p + len, ",\"zones\":[", 10) == 0) {
            p += len;
            len = strchr(p, ']') + 1 - p;

            if (len - 11 < (int) sizeof(a->zones) - 1) {
                memcpy(a->zones, p + 10, len - 11);
                a->zones[len - 11] = '\0';
            }
        }

        if (len && p[len++] != '}') {
            return NGX_ERROR;
        }

        if (len == 0 || a->score <= 0 || a->score > 1
            || a->width < 1 || a->height < 1
            || a->x + a->width > rig->width
            || a->y + a->height > rig->height)
        {
            return NGX_ERROR;
        }
    }

    return strcmp(p, "]}") == 0 ? NGX_OK : NGX_ERROR;
}


/* one picture, 30 a second; how many boxes there are, -1: a bad answer */

static ngx_int_t __attribute__((unused))
rig_predict(rig_t *rig, ngx_vidcast_image_t *image)
{
    u_char                json[4097];
    size_t                size;
    ngx_vidcast_sample_t  sample;

    sample.image = image;
    sample.width = rig->width;
    sample.height = rig->height;
    sample.number = rig->number;
    sample.anew = rig->anew;
    sample.time = rig->number++ * 1000000 / 30;

    rig->anew = 0;
    size = 4096;

    if (rig->conf.module->predict(&rig->predict, &sample, json, &size)
        != NGX_OK)
    {
        printf("# %s\n", rig->predict.error);
        return -1;
    }

    rig->news = ngx_vidcast_predict_emits(&rig->predict, json, size);
    ngx_vidcast_predict_emitted(&rig->predict);

    json[size] = '\0';

    if (rig_parse(rig, (char *) json) != NGX_OK) {
        printf("# bad answer: %s\n", json);
        return -1;
    }

    return rig->nanswers;
}


static ngx_int_t __attribute__((unused))
rig_frame(rig_t *rig)
{
    double     start;
    ngx_int_t  n;

    start = cpu_ms();

    ngx_vidcast_image_scale_luma(&rig->frame, &rig->small);

    n = rig_predict(rig, &rig->small);

    rig->cpu += cpu_ms() - start;

    return n;
}


static double __attribute__((unused))
iou(answer_t *a, ngx_vidcast_test_pattern_box_t *b)
{
    double  width, height, common;

    width = fmin(a->x + a->width, b->x + b->width) - fmax(a->x, b->x);
    height = fmin(a->y + a->height, b->y + b->height) - fmax(a->y, b->y);

    if (width <= 0 || height <= 0) {
        return 0;
    }

    common = width * height;

    return common / (a->width * a->height
                     + (double) b->width * b->height - common);
}


#endif /* _UNIT_MOTION_H_INCLUDED_ */
