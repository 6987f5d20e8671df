
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast_error.h"
#include "core/ngx_vidcast_parse.h"
#include "core/ngx_vidcast_string.h"
#include "input/ngx_vidcast_input.h"
#include "plugin_host/ngx_vidcast_plugin.h"


/*
 * Inputs which a plugin of ours serves: files and streams by vidcast_av.so.
 * Parameters are looked at here, where a fault has its line, and handed on as
 * text; the plugin itself is tried when all of the configuration is known.
 *
 * Adding a plugin of ours, on another library: these files.
 *
 *     src/plugins/NAME/
 *         it, by src/vidcast_plugin.h alone
 *     src/input/ngx_vidcast_input_plugin.c
 *         the file and the hint below, which are those of "av"; its modules
 *         at the end.  A predictor: src/predict/ngx_vidcast_predict_plugin.c
 *     src/input/ngx_vidcast_input.c
 *         its modules, by the list there; of a predictor by that in
 *         src/predict/ngx_vidcast_predict.c
 *     config, config.make
 *         whether its library is there; how it is built
 *     Makefile
 *         FOUND; UNIT_LIBS of its unit test, unless a header of t/unit stands
 *         in for the library
 *     t/util/packages
 *         the packages of the library
 *     t/util/gate-layers
 *         its header, in %foreign, unless several of its files include it
 *     t/features.t, t/lib/Vidcast/Features.pm
 *         its table of parameters; its row, which is skipped without it
 *     t/docs.t
 *         examples that need it
 *     t/unit/plugins/test_NAME.c, t/NAME.t
 *         its own tests
 *     README.md, docs/development.md, docs/directives/inputs.md, CHANGES
 *         what it serves; its place; its parameters
 *
 * "git grep onnx" shows all of the places of one that is there.
 */

#define NGX_VIDCAST_INPUT_PLUGIN_AV    "vidcast_av.so"
#define NGX_VIDCAST_INPUT_PLUGIN_HINT                                         \
    "it is built with the module if libavformat-dev, libavcodec-dev, "        \
    "libavutil-dev and libswscale-dev are installed"


typedef struct {
    ngx_vidcast_input_t      *in;
    const vidcast_plugin_t   *plugin;
    void                     *instance;
    vidcast_context_t         context;
    vidcast_picture_t         picture;
} ngx_vidcast_input_plugin_t;


static void *ngx_vidcast_input_plugin_create_params(ngx_pool_t *pool);
static ngx_int_t ngx_vidcast_input_plugin_set(ngx_vidcast_input_conf_t *conf,
    ngx_str_t *name, ngx_str_t *value);
static ngx_int_t ngx_vidcast_input_plugin_known(ngx_vidcast_input_conf_t *conf,
    ngx_str_t *name, ngx_str_t *value);
static ngx_int_t ngx_vidcast_input_plugin_known_stream(
    ngx_vidcast_input_conf_t *conf, ngx_str_t *name, ngx_str_t *value);
static ngx_int_t ngx_vidcast_input_plugin_check(ngx_vidcast_input_conf_t *conf,
    u_char *error);
static ngx_int_t ngx_vidcast_input_plugin_argument(
    ngx_vidcast_input_conf_t *conf);
static ngx_int_t ngx_vidcast_input_plugin_validate_late(
    ngx_vidcast_input_conf_t *conf, ngx_cycle_t *cycle, u_char *error);
static void ngx_vidcast_input_plugin_log(void *host, int level,
    const char *line);
static ngx_int_t ngx_vidcast_input_plugin_open(ngx_vidcast_input_t *in);
static ngx_int_t ngx_vidcast_input_plugin_grab(ngx_vidcast_input_t *in,
    ngx_vidcast_picture_t *picture);
static ngx_int_t ngx_vidcast_input_plugin_take(ngx_vidcast_input_t *in,
    ngx_vidcast_picture_t *picture, vidcast_picture_t *given);
static void ngx_vidcast_input_plugin_release(ngx_vidcast_input_t *in);
static void ngx_vidcast_input_plugin_close(ngx_vidcast_input_t *in);


ngx_vidcast_input_module_t  ngx_vidcast_input_file = {
    ngx_string("file"),
    NGX_VIDCAST_INPUT_FILE,
    ngx_vidcast_input_plugin_create_params,
    ngx_vidcast_input_plugin_set,
    ngx_vidcast_input_plugin_check,
    ngx_vidcast_input_plugin_open,
    ngx_vidcast_input_plugin_grab,
    ngx_vidcast_input_plugin_release,
    ngx_vidcast_input_plugin_close
};


ngx_vidcast_input_module_t  ngx_vidcast_input_rtsp = {
    ngx_string("rtsp"),
    NGX_VIDCAST_INPUT_SESSION,
    ngx_vidcast_input_plugin_create_params,
    ngx_vidcast_input_plugin_set,
    ngx_vidcast_input_plugin_check,
    ngx_vidcast_input_plugin_open,
    ngx_vidcast_input_plugin_grab,
    ngx_vidcast_input_plugin_release,
    ngx_vidcast_input_plugin_close
};


ngx_vidcast_input_module_t  ngx_vidcast_input_rtsps = {
    ngx_string("rtsps"),
    NGX_VIDCAST_INPUT_SESSION,
    ngx_vidcast_input_plugin_create_params,
    ngx_vidcast_input_plugin_set,
    ngx_vidcast_input_plugin_check,
    ngx_vidcast_input_plugin_open,
    ngx_vidcast_input_plugin_grab,
    ngx_vidcast_input_plugin_release,
    ngx_vidcast_input_plugin_close
};


ngx_vidcast_input_module_t  ngx_vidcast_input_http = {
    ngx_string("http"),
    0,
    ngx_vidcast_input_plugin_create_params,
    ngx_vidcast_input_plugin_set,
    ngx_vidcast_input_plugin_check,
    ngx_vidcast_input_plugin_open,
    ngx_vidcast_input_plugin_grab,
    ngx_vidcast_input_plugin_release,
    ngx_vidcast_input_plugin_close
};


ngx_vidcast_input_module_t  ngx_vidcast_input_https = {
    ngx_string("https"),
    0,
    ngx_vidcast_input_plugin_create_params,
    ngx_vidcast_input_plugin_set,
    ngx_vidcast_input_plugin_check,
    ngx_vidcast_input_plugin_open,
    ngx_vidcast_input_plugin_grab,
    ngx_vidcast_input_plugin_release,
    ngx_vidcast_input_plugin_close
};


static void *
ngx_vidcast_input_plugin_create_params(ngx_pool_t *pool)
{
    return ngx_vidcast_plugin_conf_create(pool,
                                          sizeof(ngx_vidcast_plugin_conf_t));
}


static ngx_int_t
ngx_vidcast_input_plugin_set(ngx_vidcast_input_conf_t *conf, ngx_str_t *name,
    ngx_str_t *value)
{
    u_char     text[NGX_INT64_LEN + sizeof("ms")];
    ngx_int_t  rc;
    ngx_str_t  time;

    rc = ngx_vidcast_input_plugin_known(conf, name, value);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_vidcast_is(name, "timeout")) {

        /* a plugin need not know all forms of a time */

        time.data = text;
        time.len = ngx_sprintf(text, "%Mms",
                               (ngx_msec_t) ngx_parse_time(value, 0)) - text;
        value = &time;
    }

    return ngx_vidcast_plugin_conf_add(conf->params, name, value);
}


static ngx_int_t
ngx_vidcast_input_plugin_known(ngx_vidcast_input_conf_t *conf, ngx_str_t *name,
    ngx_str_t *value)
{
    ngx_uint_t  on;

    if (ngx_vidcast_is(name, "size")) {
        return ngx_vidcast_parse_size(value, &conf->width, &conf->height);
    }

    if (ngx_vidcast_is(name, "fps")) {
        return ngx_vidcast_parse_fps(value, &conf->fps);
    }

    if (conf->module == &ngx_vidcast_input_file) {

        if (ngx_vidcast_is(name, "loop")) {
            return ngx_vidcast_parse_flag(value, &on);
        }

        if (ngx_vidcast_is(name, "realtime")) {

            if (ngx_vidcast_parse_flag(value, &on) != NGX_OK) {
                return NGX_ERROR;
            }

            conf->lossless = !on;

            return NGX_OK;
        }

        return NGX_DECLINED;
    }

    return ngx_vidcast_input_plugin_known_stream(conf, name, value);
}


static ngx_int_t
ngx_vidcast_input_plugin_known_stream(ngx_vidcast_input_conf_t *conf,
    ngx_str_t *name, ngx_str_t *value)
{
    ngx_int_t   time;
    ngx_uint_t  on;

    if (ngx_vidcast_is(name, "timeout")) {
        time = ngx_parse_time(value, 0);

        return time == NGX_ERROR || time == 0 ? NGX_ERROR : NGX_OK;
    }

    if (conf->module == &ngx_vidcast_input_rtsp) {

        if (ngx_vidcast_is(name, "transport")) {
            return ngx_vidcast_is(value, "tcp")
                   || ngx_vidcast_is(value, "udp")
                       ? NGX_OK : NGX_ERROR;
        }

        return NGX_DECLINED;
    }

    if (ngx_vidcast_is(name, "verify")) {
        return ngx_vidcast_parse_flag(value, &on);
    }

    if (ngx_vidcast_is(name, "ca")) {
        conf->ca = *value;
        return value->len ? NGX_OK : NGX_ERROR;
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_vidcast_input_plugin_check(ngx_vidcast_input_conf_t *conf, u_char *error)
{
    ngx_uint_t  file;

    file = (conf->module == &ngx_vidcast_input_file);

    if (file && conf->path.len == 0) {
        ngx_vidcast_error(error, "no path");
        return NGX_ERROR;
    }

    if (!file
        && (conf->path.len < 3
            || ngx_strncmp(conf->path.data, "//", 2) != 0
            || conf->path.data[2] == '/'))
    {
        ngx_vidcast_error(error, "no host");
        return NGX_ERROR;
    }

    if (ngx_vidcast_plugin_conf_own(conf->params, NGX_VIDCAST_INPUT_PLUGIN_AV)
        != NGX_OK
        || ngx_vidcast_input_plugin_argument(conf) != NGX_OK)
    {
        ngx_vidcast_error(error, "no memory");
        return NGX_ERROR;
    }

    conf->validate_late = ngx_vidcast_input_plugin_validate_late;

    return NGX_OK;
}


/* the URI whole again, and a full name of the file that only now has one */

static ngx_int_t
ngx_vidcast_input_plugin_argument(ngx_vidcast_input_conf_t *conf)
{
    ngx_vidcast_plugin_conf_t  *plugin = conf->params;

    vidcast_param_t  *param;

    for (param = plugin->params.elts; param->name; param++) {
        if (ngx_strcmp(param->name, "ca") == 0) {
            param->value = (char *) conf->ca.data;
        }
    }

    plugin->argument = ngx_pnalloc(plugin->pool,
                                   conf->module->scheme.len + 1
                                   + conf->path.len + 1);

    if (plugin->argument == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_sprintf(plugin->argument, "%V:%V%Z", &conf->module->scheme,
                       &conf->path);

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_input_plugin_validate_late(ngx_vidcast_input_conf_t *conf,
    ngx_cycle_t *cycle, u_char *error)
{
    ngx_vidcast_plugin_conf_t  *plugin = conf->params;

    if (ngx_vidcast_plugin_exists(&plugin->file,
                                  NGX_VIDCAST_INPUT_PLUGIN_HINT, error)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_vidcast_plugin_check(plugin, NGX_VIDCAST_PLUGIN_INPUT,
                                    &conf->source, cycle, error);
}


static void
ngx_vidcast_input_plugin_log(void *host, int level, const char *line)
{
    ngx_vidcast_input_plugin_t  *plug = host;

    plug->in->host->log_said(plug->in->capture, level, line);
}


static ngx_int_t
ngx_vidcast_input_plugin_open(ngx_vidcast_input_t *in)
{
    ngx_vidcast_input_plugin_t  *plug;

    plug = ngx_calloc(sizeof(ngx_vidcast_input_plugin_t), in->log);
    if (plug == NULL) {
        ngx_vidcast_error(in->error, "no memory");
        return NGX_ERROR;
    }

    plug->in = in;
    plug->plugin = ngx_vidcast_plugin_conf_load(in->conf->params,
                                                NGX_VIDCAST_PLUGIN_INPUT,
                                                in->error);

    if (plug->plugin == NULL) {
        ngx_free(plug);
        return NGX_ERROR;
    }

    ngx_vidcast_plugin_context(&plug->context, in->conf->params,
                               &in->conf->source);

    plug->context.host = plug;
    plug->context.log = ngx_vidcast_input_plugin_log;

    plug->instance = plug->plugin->input->open(&plug->context, in->stop,
                                               (char *) in->error);

    if (plug->instance == NULL) {
        in->error[NGX_VIDCAST_ERROR_LEN - 1] = '\0';
        ngx_free(plug);
        return NGX_ERROR;
    }

    in->data = plug;
    in->format = NGX_VIDCAST_INPUT_ANY;

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_input_plugin_grab(ngx_vidcast_input_t *in,
    ngx_vidcast_picture_t *picture)
{
    int                          rc;
    vidcast_picture_t            given;
    ngx_vidcast_input_plugin_t  *plug;

    plug = in->data;

    ngx_memzero(&given, sizeof(vidcast_picture_t));
    given.size = sizeof(vidcast_picture_t);
    given.pts = VIDCAST_NO_PTS;

    rc = plug->plugin->input->grab(plug->instance, &given, (char *) in->error);

    in->error[NGX_VIDCAST_ERROR_LEN - 1] = '\0';

    in->dropped.late += given.late;
    in->dropped.fps_limit += given.fps_limit;

    switch (rc) {

    case VIDCAST_OK:
        return ngx_vidcast_input_plugin_take(in, picture, &given);

    case VIDCAST_AGAIN:
        return NGX_AGAIN;

    case VIDCAST_BAD:
        return NGX_DECLINED;

    case VIDCAST_END:
        return NGX_DONE;

    default: /* VIDCAST_ERROR */
        return NGX_ERROR;
    }
}


static ngx_int_t
ngx_vidcast_input_plugin_take(ngx_vidcast_input_t *in,
    ngx_vidcast_picture_t *picture, vidcast_picture_t *given)
{
    ngx_uint_t        i;
    vidcast_image_t  *image;

    picture->time = given->time;
    picture->pts = ngx_max(given->pts, NGX_VIDCAST_NO_PTS);

    if (given->jpeg) {

        if (ngx_vidcast_jpeg_probe(given->jpeg, given->jpeg_size,
                                   &picture->info)
            != NGX_OK)
        {
            ngx_vidcast_error(in->error,
                              "%uz bytes which are not a whole JPEG",
                              given->jpeg_size);

            ngx_vidcast_input_plugin_release(in);

            return NGX_DECLINED;
        }

        picture->data = given->jpeg;
        picture->size = picture->info.size;

        return NGX_OK;
    }

    image = &given->image;

    if (image->format != VIDCAST_I420
        || image->width == 0 || image->width > NGX_VIDCAST_MAX_DIMENSION
        || image->height == 0 || image->height > NGX_VIDCAST_MAX_DIMENSION)
    {
        ngx_vidcast_error(in->error, "the plugin gave a picture of format "
                          "%uD and %uDx%uD pixels", image->format,
                          image->width, image->height);

        ngx_vidcast_input_plugin_release(in);

        return NGX_DECLINED;
    }

    picture->view.width = image->width;
    picture->view.height = image->height;

    for (i = 0; i < 3; i++) {
        picture->view.plane[i] = image->plane[i];
        picture->view.stride[i] = image->stride[i];
    }

    return NGX_OK;
}


static void
ngx_vidcast_input_plugin_release(ngx_vidcast_input_t *in)
{
    ngx_vidcast_input_plugin_t  *plug;

    plug = in->data;

    if (plug->plugin->input->release) {
        plug->plugin->input->release(plug->instance);
    }
}


static void
ngx_vidcast_input_plugin_close(ngx_vidcast_input_t *in)
{
    ngx_vidcast_input_plugin_t  *plug;

    plug = in->data;

    plug->plugin->input->close(plug->instance);

    ngx_free(plug);
    in->data = NULL;
}
