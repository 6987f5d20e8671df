
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_vidcast_input.h"
#include "ngx_vidcast_v4l2.h"
#include "ngx_vidcast_image.h"
#include "ngx_vidcast_jpeg.h"


/*
 * A camera: parameters, and which of its frames is taken.  The calls to the
 * driver are in ngx_vidcast_v4l2.c.
 */


#define NGX_VIDCAST_INPUT_V4L2_WAIT     150        /* ms */
#define NGX_VIDCAST_INPUT_V4L2_SILENCE  5000000    /* us */


typedef struct {
    ngx_uint_t                format;

    /*
     * What was said last of a driver that gives other than was asked.  Here,
     * as it outlives the opened device; each process has its own copy.
     */

    uint32_t                  told_width;
    uint32_t                  told_height;
    double                    told_fps;
} ngx_vidcast_input_v4l2_params_t;


typedef struct {
    ngx_vidcast_v4l2_t        dev;
    ngx_vidcast_v4l2_frame_t  frame;
    uint64_t                  last;         /* when a good frame came */
    unsigned                  lent:1;       /* the frame, until release() */
    unsigned                  lost:1;       /* told by the next grab() */
    u_char                    luma[256];    /* to full range, as JPEG has it */
    u_char                    chroma[256];
    u_char                    reason[NGX_VIDCAST_ERROR_LEN];  /* of dev */
} ngx_vidcast_input_v4l2_t;


static void *ngx_vidcast_input_v4l2_create_params(ngx_pool_t *pool);
static ngx_int_t ngx_vidcast_input_v4l2_set(ngx_vidcast_input_conf_t *conf,
    ngx_str_t *name, ngx_str_t *value);
static ngx_int_t ngx_vidcast_input_v4l2_set_format(
    ngx_vidcast_input_v4l2_params_t *params, ngx_str_t *value);
static ngx_int_t ngx_vidcast_input_v4l2_check(ngx_vidcast_input_conf_t *conf,
    u_char *error);
static ngx_int_t ngx_vidcast_input_v4l2_open(ngx_vidcast_input_t *in);
static void ngx_vidcast_input_v4l2_range(ngx_vidcast_input_v4l2_t *v4l2);
static void ngx_vidcast_input_v4l2_tell(ngx_vidcast_input_t *in,
    ngx_vidcast_v4l2_t *dev);
static ngx_int_t ngx_vidcast_input_v4l2_grab(ngx_vidcast_input_t *in,
    ngx_vidcast_picture_t *picture);
static ngx_int_t ngx_vidcast_input_v4l2_newest(ngx_vidcast_input_v4l2_t *v4l2);
static ngx_int_t ngx_vidcast_input_v4l2_take(ngx_vidcast_input_t *in,
    ngx_vidcast_picture_t *picture);
static void ngx_vidcast_input_v4l2_expand(ngx_vidcast_image_t *image,
    ngx_uint_t plane, u_char *table);
static void ngx_vidcast_input_v4l2_release(ngx_vidcast_input_t *in);
static void ngx_vidcast_input_v4l2_requeue(ngx_vidcast_input_v4l2_t *v4l2);
static void ngx_vidcast_input_v4l2_close(ngx_vidcast_input_t *in);


ngx_vidcast_input_module_t  ngx_vidcast_input_v4l2 = {
    ngx_string("v4l2"),
    0,
    ngx_vidcast_input_v4l2_create_params,
    ngx_vidcast_input_v4l2_set,
    ngx_vidcast_input_v4l2_check,
    ngx_vidcast_input_v4l2_open,
    ngx_vidcast_input_v4l2_grab,
    ngx_vidcast_input_v4l2_release,
    ngx_vidcast_input_v4l2_close
};


static void *
ngx_vidcast_input_v4l2_create_params(ngx_pool_t *pool)
{
    /*
     * set by ngx_pcalloc():
     *
     *     params->format = NGX_VIDCAST_V4L2_AUTO;
     *     params->told_width = 0;
     *     params->told_height = 0;
     *     params->told_fps = 0;
     */

    return ngx_pcalloc(pool, sizeof(ngx_vidcast_input_v4l2_params_t));
}


static ngx_int_t
ngx_vidcast_input_v4l2_set(ngx_vidcast_input_conf_t *conf, ngx_str_t *name,
    ngx_str_t *value)
{
    if (name->len == 4 && ngx_strncmp(name->data, "size", 4) == 0) {
        return ngx_vidcast_input_parse_size(value, &conf->width,
                                            &conf->height);
    }

    if (name->len == 3 && ngx_strncmp(name->data, "fps", 3) == 0) {
        return ngx_vidcast_input_parse_fps(value, &conf->fps);
    }

    if (name->len == 6 && ngx_strncmp(name->data, "format", 6) == 0) {
        return ngx_vidcast_input_v4l2_set_format(conf->params, value);
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_vidcast_input_v4l2_set_format(ngx_vidcast_input_v4l2_params_t *params,
    ngx_str_t *value)
{
    ngx_uint_t  i;

    static ngx_str_t  names[] = {
        ngx_string("auto"),          /* NGX_VIDCAST_V4L2_AUTO */
        ngx_string("mjpeg"),         /* NGX_VIDCAST_V4L2_MJPEG */
        ngx_string("yuyv")           /* NGX_VIDCAST_V4L2_YUYV */
    };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {

        if (value->len == names[i].len
            && ngx_strncmp(value->data, names[i].data, value->len) == 0)
        {
            params->format = i;
            return NGX_OK;
        }
    }

    return NGX_ERROR;
}


static ngx_int_t
ngx_vidcast_input_v4l2_check(ngx_vidcast_input_conf_t *conf, u_char *error)
{
    if (conf->path.len == 0 || conf->path.data[0] != '/') {
        (void) ngx_snprintf(error, NGX_VIDCAST_ERROR_LEN,
                            "the device must be given by its full path%Z");
        return NGX_ERROR;
    }

    if (conf->path.len >= NGX_MAX_PATH) {
        (void) ngx_snprintf(error, NGX_VIDCAST_ERROR_LEN,
                            "the path of the device is too long%Z");
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_input_v4l2_open(ngx_vidcast_input_t *in)
{
    u_char                            path[NGX_MAX_PATH];
    ngx_int_t                         rc;
    ngx_vidcast_v4l2_t               *dev;
    ngx_vidcast_input_v4l2_t         *v4l2;
    ngx_vidcast_input_v4l2_params_t  *params;

    params = in->conf->params;

    v4l2 = ngx_calloc(sizeof(ngx_vidcast_input_v4l2_t), in->log);
    if (v4l2 == NULL) {
        (void) ngx_snprintf(in->error, NGX_VIDCAST_ERROR_LEN, "no memory%Z");
        return NGX_ERROR;
    }

    dev = &v4l2->dev;
    dev->error = in->error;
    dev->format = params->format;
    dev->width = in->conf->width;
    dev->height = in->conf->height;
    dev->fps = in->conf->fps;

    /* its length has been checked */

    (void) ngx_cpystrn(path, in->conf->path.data, in->conf->path.len + 1);

    rc = ngx_vidcast_v4l2_open(dev, (char *) path);

    if (rc != NGX_OK) {
        ngx_free(v4l2);
        return rc;
    }

    dev->error = v4l2->reason;

    ngx_vidcast_input_v4l2_range(v4l2);
    ngx_vidcast_input_v4l2_tell(in, dev);

    in->format = (dev->format == NGX_VIDCAST_V4L2_MJPEG)
                 ? NGX_VIDCAST_INPUT_JPEG : NGX_VIDCAST_INPUT_I420;
    in->width = dev->width;
    in->height = dev->height;
    in->fps = dev->fps;
    in->data = v4l2;

    v4l2->last = ngx_vidcast_clock();

    return NGX_OK;
}


/* cameras leave room at both ends of a byte, JPEG uses all of it */

static void
ngx_vidcast_input_v4l2_range(ngx_vidcast_input_v4l2_t *v4l2)
{
    ngx_int_t  i, luma, chroma;

    for (i = 0; i < 256; i++) {
        luma = ((i - 16) * 255 * 2 + 219) / (219 * 2);
        chroma = ((i - 16) * 255 * 2 + 224) / (224 * 2);

        v4l2->luma[i] = (u_char) ngx_min(ngx_max(luma, 0), 255);
        v4l2->chroma[i] = (u_char) ngx_min(ngx_max(chroma, 0), 255);
    }
}


static void
ngx_vidcast_input_v4l2_tell(ngx_vidcast_input_t *in, ngx_vidcast_v4l2_t *dev)
{
    double                            diff;
    ngx_vidcast_input_conf_t         *conf;
    ngx_vidcast_input_v4l2_params_t  *params;

    conf = in->conf;
    params = conf->params;

    if (conf->width
        && (dev->width != conf->width || dev->height != conf->height)
        && (dev->width != params->told_width
            || dev->height != params->told_height))
    {
        ngx_log_error(NGX_LOG_NOTICE, in->log, 0,
                      "\"%V\" gives pictures of %uDx%uD, not of %uDx%uD",
                      &conf->uri, dev->width, dev->height, conf->width,
                      conf->height);
    }

    diff = dev->fps - conf->fps;

    if (conf->fps > 0 && dev->fps > 0 && dev->fps != params->told_fps
        && (diff > 0.01 * conf->fps || diff < -0.01 * conf->fps))
    {
        ngx_log_error(NGX_LOG_NOTICE, in->log, 0,
                      "\"%V\" gives %.2f frames a second, not %.2f",
                      &conf->uri, dev->fps, conf->fps);
    }

    params->told_width = dev->width;
    params->told_height = dev->height;
    params->told_fps = dev->fps;
}


static ngx_int_t
ngx_vidcast_input_v4l2_grab(ngx_vidcast_input_t *in,
    ngx_vidcast_picture_t *picture)
{
    uint64_t                   now;
    ngx_int_t                  rc;
    ngx_vidcast_input_v4l2_t  *v4l2;

    v4l2 = in->data;

    rc = v4l2->lost ? NGX_ERROR : ngx_vidcast_input_v4l2_newest(v4l2);

    if (rc == NGX_OK) {
        rc = ngx_vidcast_input_v4l2_take(in, picture);

    } else if (rc != NGX_AGAIN) {
        (void) ngx_cpystrn(in->error, v4l2->reason, NGX_VIDCAST_ERROR_LEN);
    }

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    now = ngx_vidcast_clock();

    if (rc == NGX_OK) {
        v4l2->last = now;
        return NGX_OK;
    }

    /* a device that hangs says nothing; to open it again often helps */

    if (now - v4l2->last > NGX_VIDCAST_INPUT_V4L2_SILENCE) {
        (void) ngx_snprintf(in->error, NGX_VIDCAST_ERROR_LEN,
                            "no %sframe for %d s%Z",
                            (rc == NGX_DECLINED) ? "good " : "",
                            NGX_VIDCAST_INPUT_V4L2_SILENCE / 1000000);
        return NGX_ERROR;
    }

    return rc;
}


/* skips what is older, as we were late, and leaves the newest in v4l2->frame */

static ngx_int_t
ngx_vidcast_input_v4l2_newest(ngx_vidcast_input_v4l2_t *v4l2)
{
    ngx_int_t                 rc;
    ngx_uint_t                i;
    ngx_vidcast_v4l2_frame_t  next;

    rc = ngx_vidcast_v4l2_dequeue(&v4l2->dev, &v4l2->frame,
                                  NGX_VIDCAST_INPUT_V4L2_WAIT);
    if (rc != NGX_OK) {
        return rc;
    }

    for (i = 1; i < v4l2->dev.nbuffers && !v4l2->lost; i++) {

        rc = ngx_vidcast_v4l2_dequeue(&v4l2->dev, &next, 0);

        if (rc == NGX_ERROR) {
            v4l2->lost = 1;
        }

        if (rc != NGX_OK) {
            break;
        }

        ngx_vidcast_input_v4l2_requeue(v4l2);

        v4l2->frame = next;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_input_v4l2_take(ngx_vidcast_input_t *in,
    ngx_vidcast_picture_t *picture)
{
    ngx_vidcast_v4l2_t        *dev;
    ngx_vidcast_input_v4l2_t  *v4l2;
    ngx_vidcast_jpeg_info_t    info;

    v4l2 = in->data;
    dev = &v4l2->dev;

    picture->time = v4l2->frame.time;

    if (dev->format == NGX_VIDCAST_V4L2_MJPEG) {

        if (ngx_vidcast_jpeg_probe(v4l2->frame.data, v4l2->frame.size, &info)
            != NGX_OK)
        {
            (void) ngx_snprintf(in->error, NGX_VIDCAST_ERROR_LEN,
                                "not a whole JPEG: %uz bytes%Z",
                                v4l2->frame.size);
            ngx_vidcast_input_v4l2_requeue(v4l2);
            return NGX_DECLINED;
        }

        picture->data = v4l2->frame.data;
        picture->size = info.size;
        v4l2->lent = 1;

        return NGX_OK;
    }

    if (dev->format == NGX_VIDCAST_V4L2_YUYV) {
        ngx_vidcast_image_from_yuyv(picture->image, v4l2->frame.data,
                                    dev->stride);

    } else {
        ngx_vidcast_image_from_i420(picture->image, v4l2->frame.data,
                                    dev->stride);
    }

    ngx_vidcast_input_v4l2_requeue(v4l2);

    if (dev->limited) {
        ngx_vidcast_input_v4l2_expand(picture->image, 0, v4l2->luma);
        ngx_vidcast_input_v4l2_expand(picture->image, 1, v4l2->chroma);
        ngx_vidcast_input_v4l2_expand(picture->image, 2, v4l2->chroma);
    }

    return NGX_OK;
}


static void
ngx_vidcast_input_v4l2_expand(ngx_vidcast_image_t *image, ngx_uint_t plane,
    u_char *table)
{
    u_char    *p, *last;
    uint32_t   width, height, y;

    width = plane ? (image->width + 1) / 2 : image->width;
    height = plane ? (image->height + 1) / 2 : image->height;

    for (y = 0; y < height; y++) {

        p = image->plane[plane] + (size_t) y * image->stride[plane];
        last = p + width;

        for ( /* void */ ; p < last; p++) {
            *p = table[*p];
        }
    }
}


static void
ngx_vidcast_input_v4l2_release(ngx_vidcast_input_t *in)
{
    ngx_vidcast_input_v4l2_t  *v4l2;

    v4l2 = in->data;

    if (v4l2->lent) {
        v4l2->lent = 0;
        ngx_vidcast_input_v4l2_requeue(v4l2);
    }
}


static void
ngx_vidcast_input_v4l2_requeue(ngx_vidcast_input_v4l2_t *v4l2)
{
    if (v4l2->lost) {
        return;
    }

    if (ngx_vidcast_v4l2_queue(&v4l2->dev, v4l2->frame.index) != NGX_OK) {
        v4l2->lost = 1;
    }
}


static void
ngx_vidcast_input_v4l2_close(ngx_vidcast_input_t *in)
{
    ngx_vidcast_input_v4l2_t  *v4l2;

    v4l2 = in->data;

    ngx_vidcast_v4l2_close(&v4l2->dev);

    ngx_free(v4l2);
    in->data = NULL;
}
