
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_vidcast_predict.h"
#include "ngx_vidcast_background.h"


/* what moves before a background that is learned; the answer as JSON */


#define NGX_VIDCAST_PREDICT_MOTION_WIDTH  320
#define NGX_VIDCAST_PREDICT_MOTION_MAX    64      /* boxes in one answer */


typedef struct {
    ngx_uint_t                 threshold;    /* gray levels */
    ngx_uint_t                 area;         /* millionths of the picture */
} ngx_vidcast_predict_motion_params_t;


typedef struct {
    ngx_vidcast_region_t       region;       /* pixels of the picture */
    uint64_t                   contrast;     /* sum over them */
    ngx_uint_t                 score;        /* percent */
} ngx_vidcast_predict_motion_box_t;


static void *ngx_vidcast_predict_motion_create_params(ngx_pool_t *pool);
static ngx_int_t ngx_vidcast_predict_motion_set(
    ngx_vidcast_predict_conf_t *conf, ngx_str_t *name, ngx_str_t *value);
static uint32_t ngx_vidcast_predict_motion_want(
    ngx_vidcast_predict_conf_t *conf, uint32_t width);
static ngx_int_t ngx_vidcast_predict_motion_open(
    ngx_vidcast_predict_t *predict);
static ngx_int_t ngx_vidcast_predict_motion_predict(
    ngx_vidcast_predict_t *predict, ngx_vidcast_sample_t *sample,
    u_char *json, size_t *size);
static ngx_int_t ngx_vidcast_predict_motion_fit(
    ngx_vidcast_predict_t *predict, ngx_vidcast_image_t *image);
static ngx_uint_t ngx_vidcast_predict_motion_boxes(
    ngx_vidcast_background_t *bg, ngx_vidcast_predict_motion_box_t *boxes);
static ngx_uint_t ngx_vidcast_predict_motion_merge(
    ngx_vidcast_predict_motion_box_t *boxes, ngx_uint_t n);
static ngx_int_t ngx_vidcast_predict_motion_covers(ngx_vidcast_region_t *a,
    ngx_vidcast_region_t *b);
static void ngx_vidcast_predict_motion_score(
    ngx_vidcast_predict_motion_box_t *box, ngx_uint_t floor);
static int ngx_libc_cdecl ngx_vidcast_predict_motion_cmp(const void *one,
    const void *two);
static size_t ngx_vidcast_predict_motion_print(ngx_vidcast_sample_t *sample,
    ngx_vidcast_predict_motion_box_t *boxes, ngx_uint_t n, u_char *json,
    size_t size);
static void ngx_vidcast_predict_motion_close(ngx_vidcast_predict_t *predict);


ngx_vidcast_predict_module_t  ngx_vidcast_predict_motion = {
    ngx_string("motion"),
    ngx_vidcast_predict_motion_create_params,
    ngx_vidcast_predict_motion_set,
    ngx_vidcast_predict_motion_want,
    ngx_vidcast_predict_motion_open,
    ngx_vidcast_predict_motion_predict,
    ngx_vidcast_predict_motion_close
};


static void *
ngx_vidcast_predict_motion_create_params(ngx_pool_t *pool)
{
    ngx_vidcast_predict_motion_params_t  *params;

    params = ngx_palloc(pool, sizeof(ngx_vidcast_predict_motion_params_t));
    if (params == NULL) {
        return NULL;
    }

    params->threshold = 14;
    params->area = 1000;

    return params;
}


static ngx_int_t
ngx_vidcast_predict_motion_set(ngx_vidcast_predict_conf_t *conf,
    ngx_str_t *name, ngx_str_t *value)
{
    ngx_vidcast_predict_motion_params_t  *params = conf->params;

    ngx_int_t  n;

    if (name->len == 9 && ngx_strncmp(name->data, "threshold", 9) == 0) {
        n = ngx_atoi(value->data, value->len);

        if (n < 1 || n > 255) {
            return NGX_ERROR;
        }

        params->threshold = n;

        return NGX_OK;
    }

    if (name->len == 4 && ngx_strncmp(name->data, "area", 4) == 0) {
        n = ngx_atofp(value->data, value->len, 6);

        if (n == NGX_ERROR || n > 1000000) {
            return NGX_ERROR;
        }

        params->area = n;

        return NGX_OK;
    }

    return NGX_DECLINED;
}


static uint32_t
ngx_vidcast_predict_motion_want(ngx_vidcast_predict_conf_t *conf,
    uint32_t width)
{
    return ngx_min(width, NGX_VIDCAST_PREDICT_MOTION_WIDTH);
}


static ngx_int_t
ngx_vidcast_predict_motion_open(ngx_vidcast_predict_t *predict)
{
    /* planes are made when the first picture tells its size */

    predict->data = NULL;

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_predict_motion_predict(ngx_vidcast_predict_t *predict,
    ngx_vidcast_sample_t *sample, u_char *json, size_t *size)
{
    ngx_uint_t                        n;
    ngx_vidcast_background_t         *bg;
    ngx_vidcast_predict_motion_box_t  boxes[NGX_VIDCAST_PREDICT_MOTION_MAX];

    if (sample->anew) {

        /* what was put there meanwhile has not moved, nor has the light */

        ngx_vidcast_predict_motion_close(predict);
    }

    if (ngx_vidcast_predict_motion_fit(predict, sample->image) != NGX_OK) {
        return NGX_ERROR;
    }

    bg = predict->data;
    n = 0;

    if (ngx_vidcast_background_update(bg, sample->image, sample->time)
        == NGX_OK)
    {
        n = ngx_vidcast_predict_motion_boxes(bg, boxes);
    }

    *size = ngx_vidcast_predict_motion_print(sample, boxes, n, json, *size);

    if (*size == 0) {
        (void) ngx_slprintf(predict->error,
                            predict->error + NGX_VIDCAST_ERROR_LEN - 1,
                            "no room for a result%Z");
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_predict_motion_fit(ngx_vidcast_predict_t *predict,
    ngx_vidcast_image_t *image)
{
    uint64_t                              min;
    ngx_vidcast_background_t             *bg;
    ngx_vidcast_predict_motion_params_t  *params;

    bg = predict->data;

    if (bg && bg->width == image->width && bg->height == image->height) {
        return NGX_OK;
    }

    ngx_vidcast_predict_motion_close(predict);

    params = predict->conf->params;

    min = (uint64_t) image->width * image->height * params->area / 1000000;
    min = ngx_max(min, 1);

    predict->data = ngx_vidcast_background_create(image->width, image->height,
                                                  params->threshold, min);
    if (predict->data == NULL) {
        (void) ngx_slprintf(predict->error,
                            predict->error + NGX_VIDCAST_ERROR_LEN - 1,
                            "no memory for pictures of %uDx%uD%Z",
                            image->width, image->height);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_vidcast_predict_motion_boxes(ngx_vidcast_background_t *bg,
    ngx_vidcast_predict_motion_box_t *boxes)
{
    ngx_uint_t              i, n;
    ngx_vidcast_regions_t  *rs;

    rs = bg->regions;
    n = 0;

    for (i = 0; i < rs->nregions; i++) {

        if (rs->regions[i].pixels == 0) {
            continue;
        }

        if (n == NGX_VIDCAST_PREDICT_MOTION_MAX) {
            break;
        }

        boxes[n].region = rs->regions[i];
        boxes[n].contrast = (uint64_t) bg->contrast[i]
                            * rs->regions[i].pixels;
        n++;
    }

    n = ngx_vidcast_predict_motion_merge(boxes, n);

    for (i = 0; i < n; i++) {
        ngx_vidcast_predict_motion_score(&boxes[i], bg->floor);
    }

    ngx_qsort(boxes, n, sizeof(ngx_vidcast_predict_motion_box_t),
              ngx_vidcast_predict_motion_cmp);

    return n;
}


/* a piece that lies mostly in the box of another belongs to it */

static ngx_uint_t
ngx_vidcast_predict_motion_merge(ngx_vidcast_predict_motion_box_t *boxes,
    ngx_uint_t n)
{
    ngx_uint_t             i, j;
    ngx_vidcast_region_t  *a, *b;

    for (i = 0; i < n; i++) {
        for (j = 0; j < n; j++) {

            a = &boxes[i].region;
            b = &boxes[j].region;

            if (i == j || !ngx_vidcast_predict_motion_covers(a, b)) {
                continue;
            }

            a->x = ngx_min(a->x, b->x);
            a->y = ngx_min(a->y, b->y);
            a->right = ngx_max(a->right, b->right);
            a->bottom = ngx_max(a->bottom, b->bottom);
            a->pixels += b->pixels;

            boxes[i].contrast += boxes[j].contrast;

            /* the box has changed: start again */

            boxes[j] = boxes[--n];
            i = (ngx_uint_t) -1;

            break;
        }
    }

    return n;
}


/* does "a" cover half of "b", or more? */

static ngx_int_t
ngx_vidcast_predict_motion_covers(ngx_vidcast_region_t *a,
    ngx_vidcast_region_t *b)
{
    uint32_t  x, y, right, bottom;

    x = ngx_max(a->x, b->x);
    y = ngx_max(a->y, b->y);
    right = ngx_min(a->right, b->right);
    bottom = ngx_min(a->bottom, b->bottom);

    if (x >= right || y >= bottom) {
        return 0;
    }

    return 2 * (uint64_t) (right - x) * (bottom - y)
           >= (uint64_t) (b->right - b->x) * (b->bottom - b->y);
}


/*
 * Half of the score is contrast, in full at four times the threshold, the
 * other half is how much of its box the region fills, in full at 3/4: of an
 * ellipse that is 0.79.
 */

static void
ngx_vidcast_predict_motion_score(ngx_vidcast_predict_motion_box_t *box,
    ngx_uint_t floor)
{
    uint64_t               area, fill, contrast;
    ngx_vidcast_region_t  *region;

    region = &box->region;

    area = (uint64_t) (region->right - region->x)
           * (region->bottom - region->y);

    fill = (uint64_t) region->pixels * 200 / (3 * area);
    contrast = box->contrast * 50 / (4 * floor * region->pixels);

    box->score = ngx_min(fill, 50) + ngx_min(contrast, 50);
}


static int ngx_libc_cdecl
ngx_vidcast_predict_motion_cmp(const void *one, const void *two)
{
    ngx_vidcast_predict_motion_box_t  *first, *second;

    first = (ngx_vidcast_predict_motion_box_t *) one;
    second = (ngx_vidcast_predict_motion_box_t *) two;

    if (first->score != second->score) {
        return first->score < second->score ? 1 : -1;
    }

    if (first->region.pixels != second->region.pixels) {
        return first->region.pixels < second->region.pixels ? 1 : -1;
    }

    return 0;
}


/* as many boxes as fit; 0: not even an empty list does */

static size_t
ngx_vidcast_predict_motion_print(ngx_vidcast_sample_t *sample,
    ngx_vidcast_predict_motion_box_t *boxes, ngx_uint_t n, u_char *json,
    size_t size)
{
    size_t                 len;
    u_char                *p, *last;
    u_char                 buf[sizeof("{\"label\":\"motion\",\"score\":0.00,"
                                      "\"bbox\":[,,,]},")
                               + 4 * NGX_INT32_LEN];
    uint32_t               x, y, right, bottom;
    ngx_uint_t             i;
    ngx_vidcast_image_t   *image;
    ngx_vidcast_region_t  *region;

    if (size < sizeof("{\"detections\":[]}") - 1) {
        return 0;
    }

    image = sample->image;
    last = json + size - (sizeof("]}") - 1);

    p = ngx_cpymem(json, "{\"detections\":[", sizeof("{\"detections\":[") - 1);

    for (i = 0; i < n; i++) {
        region = &boxes[i].region;

        x = (uint64_t) region->x * sample->width / image->width;
        y = (uint64_t) region->y * sample->height / image->height;

        right = ((uint64_t) region->right * sample->width + image->width - 1)
                / image->width;
        bottom = ((uint64_t) region->bottom * sample->height + image->height
                  - 1)
                 / image->height;

        len = ngx_sprintf(buf, "%s{\"label\":\"motion\",\"score\":%ui.%02ui,"
                          "\"bbox\":[%uD,%uD,%uD,%uD]}",
                          i ? "," : "", boxes[i].score / 100,
                          boxes[i].score % 100, x, y, right - x, bottom - y)
              - buf;

        if (len > (size_t) (last - p)) {
            break;
        }

        p = ngx_cpymem(p, buf, len);
    }

    *p++ = ']';
    *p++ = '}';

    return p - json;
}


static void
ngx_vidcast_predict_motion_close(ngx_vidcast_predict_t *predict)
{
    if (predict->data) {
        ngx_vidcast_background_destroy(predict->data);
        predict->data = NULL;
    }
}
