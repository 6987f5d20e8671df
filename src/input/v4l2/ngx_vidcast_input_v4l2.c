
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast_parse.h"
#include "core/ngx_vidcast_error.h"
#include "core/ngx_vidcast_string.h"
#include "input/ngx_vidcast_input.h"
#include "input/v4l2/ngx_vidcast_v4l2.h"
#include "media/ngx_vidcast_image.h"


/*
 * A camera: parameters, and which of its frames is taken.  The calls to the
 * driver are in ngx_vidcast_v4l2.c.
 */


#define NGX_VIDCAST_INPUT_V4L2_WAIT     150        /* ms */
#define NGX_VIDCAST_INPUT_V4L2_SILENCE  5000000    /* us */


typedef struct {
    ngx_uint_t                  format;
    uint32_t                    width;
    uint32_t                    height;
    double                      fps;
    ngx_uint_t                  stamps;
} ngx_vidcast_input_v4l2_mode_t;


typedef struct {
    ngx_uint_t                  format;
    uint64_t                    norm;
    ngx_str_t                   input;
    ngx_vidcast_v4l2_control_t  controls[NGX_VIDCAST_V4L2_CONTROLS];
    ngx_uint_t                  ncontrols;

    /*
     * What was said last of the driver.  Here, as it outlives the opened
     * device; each process has its own copy.
     */

    ngx_vidcast_input_v4l2_mode_t  told;
    unsigned                    listed:1;     /* the device's controls */
    unsigned                    fit:1;        /* which is refused */
} ngx_vidcast_input_v4l2_params_t;


typedef struct {
    ngx_vidcast_v4l2_t          dev;
    ngx_vidcast_v4l2_frame_t    frame;
    uint64_t                    last;         /* when a good frame came */
    unsigned                    lent:1;       /* the frame, until release() */
    unsigned                    lost:1;       /* told by the next grab() */
    unsigned                    changed:1;    /* likewise, its source */
    unsigned                    fresh:1;      /* no good frame yet */
    u_char                      reason[NGX_VIDCAST_ERROR_LEN];  /* of dev */
} ngx_vidcast_input_v4l2_t;


static void *ngx_vidcast_input_v4l2_create_params(ngx_pool_t *pool);
static ngx_int_t ngx_vidcast_input_v4l2_set(ngx_vidcast_input_conf_t *conf,
    ngx_str_t *name, ngx_str_t *value);
static ngx_int_t ngx_vidcast_input_v4l2_set_format(
    ngx_vidcast_input_v4l2_params_t *params, ngx_str_t *value);
static ngx_int_t ngx_vidcast_input_v4l2_set_control(
    ngx_vidcast_input_v4l2_params_t *params, ngx_str_t *name,
    ngx_str_t *value);
static ngx_int_t ngx_vidcast_input_v4l2_check(ngx_vidcast_input_conf_t *conf,
    u_char *error);
static ngx_int_t ngx_vidcast_input_v4l2_open(ngx_vidcast_input_t *in);
static ngx_int_t ngx_vidcast_input_v4l2_start(ngx_vidcast_input_t *in,
    ngx_vidcast_input_v4l2_t *v4l2);
static ngx_int_t ngx_vidcast_input_v4l2_restart(ngx_vidcast_input_t *in);
static void ngx_vidcast_input_v4l2_tell(ngx_vidcast_input_t *in,
    ngx_vidcast_v4l2_t *dev);
static ngx_int_t ngx_vidcast_input_v4l2_grab(ngx_vidcast_input_t *in,
    ngx_vidcast_picture_t *picture);
static ngx_int_t ngx_vidcast_input_v4l2_newest(ngx_vidcast_input_t *in);
static ngx_int_t ngx_vidcast_input_v4l2_take(ngx_vidcast_input_t *in,
    ngx_vidcast_picture_t *picture);
static void ngx_vidcast_input_v4l2_release(ngx_vidcast_input_t *in);
static void ngx_vidcast_input_v4l2_requeue(ngx_vidcast_input_v4l2_t *v4l2);
static void ngx_vidcast_input_v4l2_close(ngx_vidcast_input_t *in);
static ngx_uint_t ngx_vidcast_input_v4l2_needs(
    ngx_vidcast_input_conf_t *conf);


ngx_vidcast_input_module_t  ngx_vidcast_input_v4l2 = {
    ngx_string("v4l2"),
    0,
    ngx_vidcast_input_v4l2_create_params,
    ngx_vidcast_input_v4l2_set,
    ngx_vidcast_input_v4l2_check,
    ngx_vidcast_input_v4l2_open,
    ngx_vidcast_input_v4l2_grab,
    ngx_vidcast_input_v4l2_release,
    ngx_vidcast_input_v4l2_close,
    ngx_vidcast_input_v4l2_needs
};


static void *
ngx_vidcast_input_v4l2_create_params(ngx_pool_t *pool)
{
    /*
     * set by ngx_pcalloc():
     *
     *     params->format = NGX_VIDCAST_V4L2_AUTO;
     *     params->norm = 0;
     *     params->input = { 0, NULL };
     *     params->ncontrols = 0;
     *     params->told = { 0, 0, 0, 0, 0 };
     *     params->listed = 0;
     *     params->fit = 0;
     */

    return ngx_pcalloc(pool, sizeof(ngx_vidcast_input_v4l2_params_t));
}


static ngx_int_t
ngx_vidcast_input_v4l2_set(ngx_vidcast_input_conf_t *conf, ngx_str_t *name,
    ngx_str_t *value)
{
    ngx_vidcast_input_v4l2_params_t  *params;

    params = conf->params;

    if (name->len > 5 && ngx_strncmp(name->data, "ctrl.", 5) == 0) {
        return ngx_vidcast_input_v4l2_set_control(params, name, value);
    }

    if (ngx_vidcast_is(name, "size")) {
        return ngx_vidcast_parse_sides(value, &conf->width, &conf->height);
    }

    if (ngx_vidcast_is(name, "fit")) {
        params->fit = 1;
        return NGX_OK;
    }

    if (ngx_vidcast_is(name, "fps")) {
        return ngx_vidcast_parse_fps(value, &conf->fps);
    }

    if (ngx_vidcast_is(name, "format")) {
        return ngx_vidcast_input_v4l2_set_format(params, value);
    }

    if (ngx_vidcast_is(name, "input")) {
        params->input = *value;
        return value->len ? NGX_OK : NGX_ERROR;
    }

    if (ngx_vidcast_is(name, "norm")) {
        params->norm = ngx_vidcast_v4l2_norm(value);
        return params->norm ? NGX_OK : NGX_ERROR;
    }

    return NGX_DECLINED;
}


/* whether the camera has it, and this value, is seen when it is opened */

static ngx_int_t
ngx_vidcast_input_v4l2_set_control(ngx_vidcast_input_v4l2_params_t *params,
    ngx_str_t *name, ngx_str_t *value)
{
    u_char                      *p, *last;
    ngx_vidcast_v4l2_control_t  *control;

    last = name->data + name->len;

    for (p = name->data + 5; p < last; p++) {

        if ((*p < 'a' || *p > 'z') && (*p < '0' || *p > '9') && *p != '_') {
            return NGX_DECLINED;
        }
    }

    if (value->len == 0 || params->ncontrols == NGX_VIDCAST_V4L2_CONTROLS) {
        return NGX_ERROR;
    }

    control = &params->controls[params->ncontrols++];

    control->name.data = name->data + 5;
    control->name.len = name->len - 5;
    control->value = *value;

    return NGX_OK;
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
    ngx_uint_t                        i, j;
    ngx_vidcast_v4l2_control_t       *c;
    ngx_vidcast_input_v4l2_params_t  *params;

    params = conf->params;
    c = params->controls;

    for (i = 1; i < params->ncontrols; i++) {

        for (j = 0; j < i; j++) {

            if (c[i].name.len == c[j].name.len
                && ngx_memcmp(c[i].name.data, c[j].name.data, c[i].name.len)
                   == 0)
            {
                (void) ngx_snprintf(error, NGX_VIDCAST_ERROR_LEN - 1,
                                    "control \"%V\" is given twice%Z",
                                    &c[i].name);
                error[NGX_VIDCAST_ERROR_LEN - 1] = '\0';
                return NGX_ERROR;
            }
        }
    }

    if (params->fit) {
        ngx_vidcast_error(error, "a camera's pictures are not scaled: \"fit\" "
                          "is not for it, and \"size\" chooses one of its "
                          "modes");
        return NGX_ERROR;
    }

    if (conf->path.len == 0 || conf->path.data[0] != '/') {
        ngx_vidcast_error(error, "the device must be given by its full path");
        return NGX_ERROR;
    }

    if (conf->path.len >= NGX_MAX_PATH) {
        ngx_vidcast_error(error, "the path of the device is too long");
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_input_v4l2_open(ngx_vidcast_input_t *in)
{
    ngx_int_t                  rc;
    ngx_vidcast_input_v4l2_t  *v4l2;

    v4l2 = ngx_calloc(sizeof(ngx_vidcast_input_v4l2_t), in->log);
    if (v4l2 == NULL) {
        ngx_vidcast_error(in->error, "no memory");
        return NGX_ERROR;
    }

    rc = ngx_vidcast_input_v4l2_start(in, v4l2);

    if (rc != NGX_OK) {
        ngx_free(v4l2);
        return rc;
    }

    in->data = v4l2;

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_input_v4l2_start(ngx_vidcast_input_t *in,
    ngx_vidcast_input_v4l2_t *v4l2)
{
    u_char                            path[NGX_MAX_PATH];
    ngx_int_t                         rc;
    ngx_vidcast_v4l2_t               *dev;
    ngx_vidcast_input_v4l2_params_t  *params;

    params = in->conf->params;

    dev = &v4l2->dev;
    dev->error = in->error;
    dev->log = in->log;
    dev->format = params->format;
    dev->width = in->conf->width;
    dev->height = in->conf->height;
    dev->fps = in->conf->fps;
    dev->input = params->input;
    dev->norm = params->norm;
    dev->controls = params->controls;
    dev->ncontrols = params->ncontrols;
    dev->list = !params->listed;

    /* its length has been checked */

    (void) ngx_cpystrn(path, in->conf->path.data, in->conf->path.len + 1);

    rc = ngx_vidcast_v4l2_open(dev, (char *) path);

    params->listed = !dev->list;

    if (rc != NGX_OK) {
        return rc;
    }

    dev->error = v4l2->reason;

    ngx_vidcast_input_v4l2_tell(in, dev);

    in->format = (dev->format == NGX_VIDCAST_V4L2_MJPEG)
                 ? NGX_VIDCAST_INPUT_JPEG : NGX_VIDCAST_INPUT_I420;
    in->width = dev->width;
    in->height = dev->height;
    in->fps = dev->fps;

    v4l2->last = ngx_vidcast_clock();
    v4l2->changed = 0;
    v4l2->fresh = 1;

    return NGX_OK;
}


/*
 * Its source is another one now, in another size perhaps: nothing is lost.  A
 * source that changes before it has given a frame waits as others that fail.
 */

static ngx_int_t
ngx_vidcast_input_v4l2_restart(ngx_vidcast_input_t *in)
{
    ngx_vidcast_input_v4l2_t  *v4l2;

    v4l2 = in->data;

    if (v4l2->fresh) {
        ngx_vidcast_error(in->error, "the signal does not settle");
        return NGX_ERROR;
    }

    ngx_vidcast_v4l2_close(&v4l2->dev);

    return (ngx_vidcast_input_v4l2_start(in, v4l2) == NGX_OK) ? NGX_AGAIN
                                                              : NGX_ERROR;
}


/* what the driver gives, with what was asked for where that is another */

static void
ngx_vidcast_input_v4l2_tell(ngx_vidcast_input_t *in, ngx_vidcast_v4l2_t *dev)
{
    u_char                           *p, *last, text[256];
    ngx_vidcast_input_conf_t         *conf;
    ngx_vidcast_input_v4l2_mode_t    *told;
    ngx_vidcast_input_v4l2_params_t  *params;

    static char  *formats[] = { "", "MJPEG", "YUYV", "converted" };
    static char  *stamps[] = { "they arrive", "they end",
                               "their exposure starts" };

    conf = in->conf;
    params = conf->params;
    told = &params->told;

    if (dev->format == told->format
        && dev->width == told->width
        && dev->height == told->height
        && dev->fps == told->fps
        && dev->stamps == told->stamps)
    {
        return;
    }

    told->format = dev->format;
    told->width = dev->width;
    told->height = dev->height;
    told->fps = dev->fps;
    told->stamps = dev->stamps;

    p = text;
    last = text + sizeof(text);

    if ((conf->width && dev->width != conf->width)
        || (conf->height && dev->height != conf->height))
    {
        p = ngx_slprintf(p, last, ", not of ");

        if (conf->width) {
            p = ngx_slprintf(p, last, "%uD", conf->width);
        }

        p = ngx_slprintf(p, last, "x");

        if (conf->height) {
            p = ngx_slprintf(p, last, "%uD", conf->height);
        }
    }

    if (dev->fps > 0) {
        p = ngx_slprintf(p, last, ", %.2f a second", dev->fps);
    }

    if (conf->fps > 0 && dev->fps > 0
        && (dev->fps > 1.01 * conf->fps || dev->fps < 0.99 * conf->fps))
    {
        p = ngx_slprintf(p, last, ", not %.2f", conf->fps);
    }

    ngx_log_error(NGX_LOG_NOTICE, in->log, 0,
                  "\"%V\" gives %s frames of %uDx%uD%*s, timed when %s",
                  &conf->uri, formats[dev->format], dev->width, dev->height,
                  (size_t) (p - text), text, stamps[dev->stamps]);
}


static ngx_int_t
ngx_vidcast_input_v4l2_grab(ngx_vidcast_input_t *in,
    ngx_vidcast_picture_t *picture)
{
    u_char                     reason[NGX_VIDCAST_ERROR_LEN];
    uint64_t                   now;
    ngx_int_t                  rc;
    ngx_vidcast_input_v4l2_t  *v4l2;

    v4l2 = in->data;

    rc = v4l2->lost ? NGX_ERROR
                    : v4l2->changed ? NGX_DONE
                                    : ngx_vidcast_input_v4l2_newest(in);

    in->dropped.sequence_gap += v4l2->dev.gap;
    in->dropped.bad_frame += v4l2->dev.bad;
    v4l2->dev.gap = 0;
    v4l2->dev.bad = 0;

    if (rc == NGX_DONE) {
        return ngx_vidcast_input_v4l2_restart(in);
    }

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
        v4l2->fresh = 0;
        return NGX_OK;
    }

    /* a device that hangs says nothing; to open it again often helps */

    if (now - v4l2->last > NGX_VIDCAST_INPUT_V4L2_SILENCE) {

        if (rc == NGX_DECLINED) {
            in->dropped.bad_frame++;

            (void) ngx_cpystrn(reason, in->error, NGX_VIDCAST_ERROR_LEN);
            ngx_vidcast_error(in->error, "no good frame for %d s: %s",
                              NGX_VIDCAST_INPUT_V4L2_SILENCE / 1000000,
                              reason);

        } else {
            ngx_vidcast_error(in->error, "no frame for %d s",
                              NGX_VIDCAST_INPUT_V4L2_SILENCE / 1000000);
        }

        return NGX_ERROR;
    }

    return rc;
}


/* skips what is older, as we were late, and leaves the newest in v4l2->frame */

static ngx_int_t
ngx_vidcast_input_v4l2_newest(ngx_vidcast_input_t *in)
{
    ngx_int_t                  rc;
    ngx_uint_t                 i;
    ngx_vidcast_input_v4l2_t  *v4l2;
    ngx_vidcast_v4l2_frame_t   next;

    v4l2 = in->data;

    rc = ngx_vidcast_v4l2_dequeue(&v4l2->dev, &v4l2->frame,
                                  NGX_VIDCAST_INPUT_V4L2_WAIT);
    if (rc != NGX_OK) {
        return rc;
    }

    for (i = 1; i < v4l2->dev.nbuffers && !v4l2->lost; i++) {

        rc = ngx_vidcast_v4l2_dequeue(&v4l2->dev, &next, 0);

        if (rc == NGX_ERROR) {
            v4l2->lost = 1;

        } else if (rc == NGX_DONE) {
            v4l2->changed = 1;

        } else if (rc == NGX_DECLINED) {
            in->dropped.bad_frame++;
        }

        if (rc != NGX_OK) {
            break;
        }

        in->dropped.late++;

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

    v4l2 = in->data;
    dev = &v4l2->dev;

    picture->time = v4l2->frame.time;

    if (dev->format == NGX_VIDCAST_V4L2_MJPEG) {

        if (ngx_vidcast_input_jpeg(in, picture, v4l2->frame.data,
                                   v4l2->frame.size)
            != NGX_OK)
        {
            ngx_vidcast_input_v4l2_requeue(v4l2);
            return NGX_DECLINED;
        }

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
        ngx_vidcast_image_expand_range(picture->image);
    }

    return NGX_OK;
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


/*
 * libv4l2 keeps settings in shared memory, which is a file, and has programs
 * for what some old cameras send.
 */

static ngx_uint_t
ngx_vidcast_input_v4l2_needs(ngx_vidcast_input_conf_t *conf)
{
    return VIDCAST_NEEDS_DEVICES|VIDCAST_NEEDS_FILES|VIDCAST_NEEDS_EXEC;
}
