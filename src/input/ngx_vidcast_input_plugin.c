
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast_error.h"
#include "core/ngx_vidcast_parse.h"
#include "core/ngx_vidcast_string.h"
#include "input/ngx_vidcast_input.h"
#include "media/ngx_vidcast_orientation.h"
#include "plugin_host/ngx_vidcast_plugin.h"


/*
 * Inputs which plugins of ours serve: files and streams by vidcast_av.so, and
 * what is nothing but JPEGs, by HTTP, by vidcast_curl.so.  Parameters are
 * looked at here, where a fault has its line, and handed on as text; the plugin
 * itself is tried when all of the configuration is known.
 *
 * Adding a plugin of ours, on another library: these files.
 *
 *     src/plugins/NAME/
 *         it, by src/vidcast_plugin.h alone
 *     src/input/ngx_vidcast_input_plugin.c
 *         its file and its hint; its modules, and their place in the table
 *         of schemes.  A predictor: src/predict/ngx_vidcast_predict_plugin.c
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
 *         its header, in %foreign, unless several of its files include it;
 *         in %shared what it is built with of the module's own
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

/* of ours, that serve one scheme, one after the other */

#define NGX_VIDCAST_INPUT_PLUGIN_SERVERS  2


/*
 * A plugin of ours.  "sizes": it makes pictures of the size that is asked for;
 * one that does not is left out where one is.
 */

typedef struct {
    const char                  *file;
    const char                  *hint;
    unsigned                     sizes:1;
} ngx_vidcast_input_plugin_server_t;


/* NGX_OK, or NGX_ERROR: a bad value */

typedef struct {
    const char                  *name;
    ngx_int_t                  (*parse)(ngx_vidcast_input_conf_t *conf,
                                     ngx_str_t *value);
} ngx_vidcast_input_plugin_param_t;


/*
 * What is not of the first plugin goes to the next one.  One which was not
 * built is left out, but for the last.
 */

typedef struct {
    ngx_vidcast_input_module_t               *module;
    const ngx_vidcast_input_plugin_server_t  *servers[
                                     NGX_VIDCAST_INPUT_PLUGIN_SERVERS + 1];
    const ngx_vidcast_input_plugin_param_t   *params;
    ngx_int_t                               (*check)(
                                     ngx_vidcast_input_conf_t *conf,
                                     u_char *error);
} ngx_vidcast_input_plugin_scheme_t;


typedef struct {
    ngx_vidcast_plugin_conf_t                 plugin;
    const ngx_vidcast_input_plugin_scheme_t  *scheme;
    uint32_t                                  fit;
    ngx_str_t                                 files[
                                     NGX_VIDCAST_INPUT_PLUGIN_SERVERS];

    /* in the capture process: the one that took it at last */

    ngx_uint_t                                taken;
} ngx_vidcast_input_plugin_params_t;


typedef struct {
    ngx_vidcast_input_t         *in;
    const vidcast_plugin_t      *plugin;
    void                        *instance;
    vidcast_context_t            context;
    vidcast_picture_t            picture;
} ngx_vidcast_input_plugin_t;


static void *ngx_vidcast_input_plugin_create_params(ngx_pool_t *pool);
static ngx_int_t ngx_vidcast_input_plugin_set(ngx_vidcast_input_conf_t *conf,
    ngx_str_t *name, ngx_str_t *value);
static const ngx_vidcast_input_plugin_scheme_t *
    ngx_vidcast_input_plugin_scheme(ngx_vidcast_input_module_t *module);
static ngx_int_t ngx_vidcast_input_plugin_size(ngx_vidcast_input_conf_t *conf,
    ngx_str_t *value);
static ngx_int_t ngx_vidcast_input_plugin_fit(ngx_vidcast_input_conf_t *conf,
    ngx_str_t *value);
static ngx_int_t ngx_vidcast_input_plugin_fps(ngx_vidcast_input_conf_t *conf,
    ngx_str_t *value);
static ngx_int_t ngx_vidcast_input_plugin_flag(ngx_vidcast_input_conf_t *conf,
    ngx_str_t *value);
static ngx_int_t ngx_vidcast_input_plugin_realtime(
    ngx_vidcast_input_conf_t *conf, ngx_str_t *value);
static ngx_int_t ngx_vidcast_input_plugin_timeout(
    ngx_vidcast_input_conf_t *conf, ngx_str_t *value);
static ngx_int_t ngx_vidcast_input_plugin_damaged(
    ngx_vidcast_input_conf_t *conf, ngx_str_t *value);
static ngx_int_t ngx_vidcast_input_plugin_transport(
    ngx_vidcast_input_conf_t *conf, ngx_str_t *value);
static ngx_int_t ngx_vidcast_input_plugin_ca(ngx_vidcast_input_conf_t *conf,
    ngx_str_t *value);
static ngx_int_t ngx_vidcast_input_plugin_group(
    ngx_vidcast_input_conf_t *conf, ngx_str_t *value);
static ngx_int_t ngx_vidcast_input_plugin_secret(
    ngx_vidcast_input_conf_t *conf, ngx_str_t *value);
static ngx_int_t ngx_vidcast_input_plugin_check(ngx_vidcast_input_conf_t *conf,
    u_char *error);
static ngx_int_t ngx_vidcast_input_plugin_check_fit(
    ngx_vidcast_input_conf_t *conf, u_char *error);
static ngx_int_t ngx_vidcast_input_plugin_check_path(
    ngx_vidcast_input_conf_t *conf, u_char *error);
static ngx_int_t ngx_vidcast_input_plugin_check_host(
    ngx_vidcast_input_conf_t *conf, u_char *error);
static ngx_int_t ngx_vidcast_input_plugin_check_subject(
    ngx_vidcast_input_conf_t *conf, u_char *error);
static ngx_int_t ngx_vidcast_input_plugin_files(
    ngx_vidcast_input_conf_t *conf);
static ngx_int_t ngx_vidcast_input_plugin_argument(
    ngx_vidcast_input_conf_t *conf);
static ngx_int_t ngx_vidcast_input_plugin_validate_late(
    ngx_vidcast_source_t *source, ngx_cycle_t *cycle, u_char *error);
static ngx_int_t ngx_vidcast_input_plugin_choose(
    ngx_vidcast_input_conf_t *conf, ngx_uint_t *n, u_char *error);
static void ngx_vidcast_input_plugin_log(void *host, int level,
    const char *line);
static ngx_int_t ngx_vidcast_input_plugin_open(ngx_vidcast_input_t *in);
static ngx_int_t ngx_vidcast_input_plugin_open_one(ngx_vidcast_input_t *in,
    ngx_vidcast_input_plugin_t *plug);
static void ngx_vidcast_input_plugin_known(ngx_vidcast_input_t *in,
    vidcast_context_t *context);
static ngx_int_t ngx_vidcast_input_plugin_grab(ngx_vidcast_input_t *in,
    ngx_vidcast_picture_t *picture);
static ngx_int_t ngx_vidcast_input_plugin_take(ngx_vidcast_input_t *in,
    ngx_vidcast_picture_t *picture, vidcast_picture_t *given);
static void ngx_vidcast_input_plugin_release(ngx_vidcast_input_t *in);
static void ngx_vidcast_input_plugin_close(ngx_vidcast_input_t *in);
static ngx_uint_t ngx_vidcast_input_plugin_needs(
    ngx_vidcast_input_conf_t *conf);


#define NGX_VIDCAST_INPUT_PLUGIN_MODULE(scheme, flags)                        \
    ngx_vidcast_input_module_t  ngx_vidcast_input_##scheme = {                \
        ngx_string(#scheme),                                                  \
        flags,                                                                \
        ngx_vidcast_input_plugin_create_params,                               \
        ngx_vidcast_input_plugin_set,                                         \
        ngx_vidcast_input_plugin_check,                                       \
        ngx_vidcast_input_plugin_open,                                        \
        ngx_vidcast_input_plugin_grab,                                        \
        ngx_vidcast_input_plugin_release,                                     \
        ngx_vidcast_input_plugin_close,                                       \
        ngx_vidcast_input_plugin_needs                                        \
    }

NGX_VIDCAST_INPUT_PLUGIN_MODULE(file, NGX_VIDCAST_INPUT_FILE);
NGX_VIDCAST_INPUT_PLUGIN_MODULE(rtsp, NGX_VIDCAST_INPUT_SESSION);
NGX_VIDCAST_INPUT_PLUGIN_MODULE(rtsps, NGX_VIDCAST_INPUT_SESSION);
NGX_VIDCAST_INPUT_PLUGIN_MODULE(rtmp, 0);
NGX_VIDCAST_INPUT_PLUGIN_MODULE(srt, 0);
NGX_VIDCAST_INPUT_PLUGIN_MODULE(udp, 0);
NGX_VIDCAST_INPUT_PLUGIN_MODULE(pipe, NGX_VIDCAST_INPUT_FILE);
NGX_VIDCAST_INPUT_PLUGIN_MODULE(http, 0);
NGX_VIDCAST_INPUT_PLUGIN_MODULE(https, 0);
NGX_VIDCAST_INPUT_PLUGIN_MODULE(nats, 0);


static const ngx_vidcast_input_plugin_server_t  ngx_vidcast_input_plugin_av = {
    "vidcast_av.so",
    "it is built with the module if libavformat-dev, libavcodec-dev, "
        "libavutil-dev and libswscale-dev are installed",
    1
};


static const ngx_vidcast_input_plugin_server_t  ngx_vidcast_input_plugin_curl =
{
    "vidcast_curl.so",
    "it is built with the module if libcurl4-openssl-dev is installed",
    0
};


static const ngx_vidcast_input_plugin_server_t  ngx_vidcast_input_plugin_bus = {
    "vidcast_nats.so",
    "it is built with the module if libnats-dev is installed",
    0
};


static const ngx_vidcast_input_plugin_param_t
    ngx_vidcast_input_plugin_params_file[] =
{
    { "size", ngx_vidcast_input_plugin_size },
    { "fit", ngx_vidcast_input_plugin_fit },
    { "fps", ngx_vidcast_input_plugin_fps },
    { "damaged", ngx_vidcast_input_plugin_damaged },
    { "loop", ngx_vidcast_input_plugin_flag },
    { "realtime", ngx_vidcast_input_plugin_realtime },
    { NULL, NULL }
};


static const ngx_vidcast_input_plugin_param_t
    ngx_vidcast_input_plugin_params_rtsp[] =
{
    { "size", ngx_vidcast_input_plugin_size },
    { "fit", ngx_vidcast_input_plugin_fit },
    { "fps", ngx_vidcast_input_plugin_fps },
    { "damaged", ngx_vidcast_input_plugin_damaged },
    { "timeout", ngx_vidcast_input_plugin_timeout },
    { "transport", ngx_vidcast_input_plugin_transport },
    { NULL, NULL }
};


static const ngx_vidcast_input_plugin_param_t
    ngx_vidcast_input_plugin_params_rtsps[] =
{
    { "size", ngx_vidcast_input_plugin_size },
    { "fit", ngx_vidcast_input_plugin_fit },
    { "fps", ngx_vidcast_input_plugin_fps },
    { "damaged", ngx_vidcast_input_plugin_damaged },
    { "timeout", ngx_vidcast_input_plugin_timeout },
    { "verify", ngx_vidcast_input_plugin_flag },
    { "ca", ngx_vidcast_input_plugin_ca },
    { NULL, NULL }
};


static const ngx_vidcast_input_plugin_param_t
    ngx_vidcast_input_plugin_params_stream[] =
{
    { "size", ngx_vidcast_input_plugin_size },
    { "fit", ngx_vidcast_input_plugin_fit },
    { "fps", ngx_vidcast_input_plugin_fps },
    { "damaged", ngx_vidcast_input_plugin_damaged },
    { "timeout", ngx_vidcast_input_plugin_timeout },
    { NULL, NULL }
};


static const ngx_vidcast_input_plugin_param_t
    ngx_vidcast_input_plugin_params_tls[] =
{
    { "size", ngx_vidcast_input_plugin_size },
    { "fit", ngx_vidcast_input_plugin_fit },
    { "fps", ngx_vidcast_input_plugin_fps },
    { "timeout", ngx_vidcast_input_plugin_timeout },
    { "verify", ngx_vidcast_input_plugin_flag },
    { "ca", ngx_vidcast_input_plugin_ca },
    { NULL, NULL }
};


static const ngx_vidcast_input_plugin_param_t
    ngx_vidcast_input_plugin_params_nats[] =
{
    { "timeout", ngx_vidcast_input_plugin_timeout },
    { "group", ngx_vidcast_input_plugin_group },
    { "tls", ngx_vidcast_input_plugin_flag },
    { "creds", ngx_vidcast_input_plugin_secret },
    { "ca", ngx_vidcast_input_plugin_ca },
    { "cert", ngx_vidcast_input_plugin_secret },
    { "key", ngx_vidcast_input_plugin_secret },
    { NULL, NULL }
};


static const ngx_vidcast_input_plugin_scheme_t
    ngx_vidcast_input_plugin_schemes[] =
{
    { &ngx_vidcast_input_file, { &ngx_vidcast_input_plugin_av },
      ngx_vidcast_input_plugin_params_file,
      ngx_vidcast_input_plugin_check_path },

    { &ngx_vidcast_input_rtsp, { &ngx_vidcast_input_plugin_av },
      ngx_vidcast_input_plugin_params_rtsp,
      ngx_vidcast_input_plugin_check_host },

    { &ngx_vidcast_input_rtsps, { &ngx_vidcast_input_plugin_av },
      ngx_vidcast_input_plugin_params_rtsps,
      ngx_vidcast_input_plugin_check_host },

    { &ngx_vidcast_input_rtmp, { &ngx_vidcast_input_plugin_av },
      ngx_vidcast_input_plugin_params_stream,
      ngx_vidcast_input_plugin_check_host },

    { &ngx_vidcast_input_srt, { &ngx_vidcast_input_plugin_av },
      ngx_vidcast_input_plugin_params_stream,
      ngx_vidcast_input_plugin_check_host },

    { &ngx_vidcast_input_udp, { &ngx_vidcast_input_plugin_av },
      ngx_vidcast_input_plugin_params_stream,
      ngx_vidcast_input_plugin_check_host },

    { &ngx_vidcast_input_pipe, { &ngx_vidcast_input_plugin_av },
      ngx_vidcast_input_plugin_params_stream,
      ngx_vidcast_input_plugin_check_path },

    /* a server of HTTP may redirect to HTTPS */

    { &ngx_vidcast_input_http,
      { &ngx_vidcast_input_plugin_curl, &ngx_vidcast_input_plugin_av },
      ngx_vidcast_input_plugin_params_tls,
      ngx_vidcast_input_plugin_check_host },

    { &ngx_vidcast_input_https,
      { &ngx_vidcast_input_plugin_curl, &ngx_vidcast_input_plugin_av },
      ngx_vidcast_input_plugin_params_tls,
      ngx_vidcast_input_plugin_check_host },

    { &ngx_vidcast_input_nats, { &ngx_vidcast_input_plugin_bus },
      ngx_vidcast_input_plugin_params_nats,
      ngx_vidcast_input_plugin_check_subject },

    { NULL, { NULL }, NULL, NULL }
};


static void *
ngx_vidcast_input_plugin_create_params(ngx_pool_t *pool)
{
    return ngx_vidcast_plugin_conf_create(pool,
                                     sizeof(ngx_vidcast_input_plugin_params_t));
}


static ngx_int_t
ngx_vidcast_input_plugin_set(ngx_vidcast_input_conf_t *conf, ngx_str_t *name,
    ngx_str_t *value)
{
    u_char                                   *p;
    ngx_str_t                                 time;
    const ngx_vidcast_input_plugin_param_t   *param;
    const ngx_vidcast_input_plugin_scheme_t  *scheme;

    u_char  text[NGX_INT64_LEN + sizeof("ms")];

    scheme = ngx_vidcast_input_plugin_scheme(conf->module);

    for (param = scheme->params; param->name; param++) {
        if (name->len == ngx_strlen(param->name)
            && ngx_strncmp(name->data, param->name, name->len) == 0)
        {
            break;
        }
    }

    if (param->name == NULL) {
        return NGX_DECLINED;
    }

    if (param->parse(conf, value) != NGX_OK) {
        return NGX_ERROR;
    }

    if (param->parse == ngx_vidcast_input_plugin_timeout) {

        /* a plugin need not know all forms of a time */

        p = ngx_sprintf(text, "%Mms", (ngx_msec_t) ngx_parse_time(value, 0));

        time.data = text;
        time.len = p - text;
        value = &time;
    }

    return ngx_vidcast_plugin_conf_add(conf->params, name, value);
}


static const ngx_vidcast_input_plugin_scheme_t *
ngx_vidcast_input_plugin_scheme(ngx_vidcast_input_module_t *module)
{
    const ngx_vidcast_input_plugin_scheme_t  *scheme;

    scheme = ngx_vidcast_input_plugin_schemes;

    while (scheme->module != module) {
        scheme++;
    }

    return scheme;
}


static ngx_int_t
ngx_vidcast_input_plugin_size(ngx_vidcast_input_conf_t *conf, ngx_str_t *value)
{
    return ngx_vidcast_parse_sides(value, &conf->width, &conf->height);
}


static ngx_int_t
ngx_vidcast_input_plugin_fit(ngx_vidcast_input_conf_t *conf, ngx_str_t *value)
{
    ngx_vidcast_input_plugin_params_t  *params = conf->params;

    return ngx_vidcast_parse_fit(value, &params->fit);
}


static ngx_int_t
ngx_vidcast_input_plugin_fps(ngx_vidcast_input_conf_t *conf, ngx_str_t *value)
{
    return ngx_vidcast_parse_fps(value, &conf->fps);
}


static ngx_int_t
ngx_vidcast_input_plugin_flag(ngx_vidcast_input_conf_t *conf, ngx_str_t *value)
{
    ngx_uint_t  on;

    return ngx_vidcast_parse_flag(value, &on);
}


static ngx_int_t
ngx_vidcast_input_plugin_realtime(ngx_vidcast_input_conf_t *conf,
    ngx_str_t *value)
{
    ngx_uint_t  on;

    if (ngx_vidcast_parse_flag(value, &on) != NGX_OK) {
        return NGX_ERROR;
    }

    conf->lossless = !on;

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_input_plugin_timeout(ngx_vidcast_input_conf_t *conf,
    ngx_str_t *value)
{
    ngx_int_t  time;

    time = ngx_parse_time(value, 0);

    if (time == NGX_ERROR || time == 0) {
        return NGX_ERROR;
    }

    conf->timeout = time;

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_input_plugin_damaged(ngx_vidcast_input_conf_t *conf,
    ngx_str_t *value)
{
    return ngx_vidcast_is(value, "show") || ngx_vidcast_is(value, "hold")
               ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_vidcast_input_plugin_transport(ngx_vidcast_input_conf_t *conf,
    ngx_str_t *value)
{
    return ngx_vidcast_is(value, "tcp") || ngx_vidcast_is(value, "udp")
               ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_vidcast_input_plugin_ca(ngx_vidcast_input_conf_t *conf, ngx_str_t *value)
{
    conf->ca = *value;

    return value->len ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_vidcast_input_plugin_group(ngx_vidcast_input_conf_t *conf, ngx_str_t *value)
{
    return ngx_vidcast_is_name(value, NGX_VIDCAST_MAX_NAME) ? NGX_OK
                                                            : NGX_ERROR;
}


/* a file, whose name is made full before the plugin gets it */

static ngx_int_t
ngx_vidcast_input_plugin_secret(ngx_vidcast_input_conf_t *conf,
    ngx_str_t *value)
{
    ngx_vidcast_plugin_conf_t  *plugin = conf->params;

    if (value->len == 0) {
        return NGX_ERROR;
    }

    return ngx_get_full_name(plugin->pool, (ngx_str_t *) &ngx_cycle->prefix,
                             value);
}


static ngx_int_t
ngx_vidcast_input_plugin_check(ngx_vidcast_input_conf_t *conf, u_char *error)
{
    ngx_vidcast_input_plugin_params_t  *params = conf->params;

    params->scheme = ngx_vidcast_input_plugin_scheme(conf->module);

    if (params->scheme->check(conf, error) != NGX_OK
        || ngx_vidcast_input_plugin_check_fit(conf, error) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_vidcast_input_plugin_files(conf) != NGX_OK
        || ngx_vidcast_input_plugin_argument(conf) != NGX_OK)
    {
        ngx_vidcast_error(error, "no memory");
        return NGX_ERROR;
    }

    conf->validate_late = ngx_vidcast_input_plugin_validate_late;

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_input_plugin_check_fit(ngx_vidcast_input_conf_t *conf,
    u_char *error)
{
    ngx_vidcast_input_plugin_params_t  *params = conf->params;

    if (params->fit == VIDCAST_FIT_ANY) {
        return NGX_OK;
    }

    if (conf->width == 0 && conf->height == 0) {
        ngx_vidcast_error(error, "\"fit\" needs \"size\"");
        return NGX_ERROR;
    }

    if ((conf->width == 0 || conf->height == 0)
        && params->fit != VIDCAST_FIT_WITHIN)
    {
        ngx_vidcast_error(error, "\"fit=%s\" needs both sides of \"size\"",
                          params->fit == VIDCAST_FIT_STRETCH ? "stretch"
                                                             : "letterbox");
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_input_plugin_check_path(ngx_vidcast_input_conf_t *conf,
    u_char *error)
{
    if (conf->path.len == 0) {
        ngx_vidcast_error(error, "no path");
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_input_plugin_check_host(ngx_vidcast_input_conf_t *conf,
    u_char *error)
{
    if (conf->path.len < 3
        || ngx_strncmp(conf->path.data, "//", 2) != 0
        || conf->path.data[2] == '/')
    {
        ngx_vidcast_error(error, "no host");
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* of a bus; what may stand in it the plugin knows */

static ngx_int_t
ngx_vidcast_input_plugin_check_subject(ngx_vidcast_input_conf_t *conf,
    u_char *error)
{
    u_char  *p, *last;

    if (ngx_vidcast_input_plugin_check_host(conf, error) != NGX_OK) {
        return NGX_ERROR;
    }

    last = conf->path.data + conf->path.len;
    p = ngx_strlchr(conf->path.data + 2, last, '/');

    if (p == NULL || p + 1 == last) {
        ngx_vidcast_error(error, "no subject");
        return NGX_ERROR;
    }

    conf->remote = 1;

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_input_plugin_files(ngx_vidcast_input_conf_t *conf)
{
    ngx_vidcast_input_plugin_params_t  *params = conf->params;

    ngx_uint_t  i;

    for (i = 0; params->scheme->servers[i]; i++) {

        if (ngx_vidcast_plugin_conf_own(&params->plugin,
                                        params->scheme->servers[i]->file)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        params->files[i] = params->plugin.file;
    }

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


/* the first one is asked for all; what it takes, the next one takes as well */

static ngx_int_t
ngx_vidcast_input_plugin_validate_late(ngx_vidcast_source_t *source,
    ngx_cycle_t *cycle, u_char *error)
{
    ngx_uint_t                          n;
    ngx_vidcast_input_plugin_params_t  *params;

    n = 0;
    params = source->input.params;

    if (ngx_vidcast_input_plugin_choose(&source->input, &n, error) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_vidcast_plugin_check(&params->plugin, NGX_VIDCAST_PLUGIN_INPUT,
                                    source, cycle, error);
}


/*
 * The first plugin from *n on which is there and can do what is asked for.
 * NGX_DECLINED: there is none, reason in "error" with a hint.
 */

static ngx_int_t
ngx_vidcast_input_plugin_choose(ngx_vidcast_input_conf_t *conf, ngx_uint_t *n,
    u_char *error)
{
    ngx_vidcast_input_plugin_params_t  *params = conf->params;

    u_char                                    why[NGX_VIDCAST_ERROR_LEN];
    ngx_uint_t                                i, told;
    const ngx_vidcast_input_plugin_server_t  *server;

    told = 0;
    error[0] = '\0';

    for (i = *n; params->scheme->servers[i]; i++) {
        server = params->scheme->servers[i];

        if ((conf->width || conf->height) && !server->sizes) {
            continue;
        }

        if (ngx_vidcast_plugin_exists(&params->files[i], server->hint, why)
            == NGX_OK)
        {
            params->plugin.file = params->files[i];
            *n = i;

            return NGX_OK;
        }

        if (!told) {
            told = 1;
            ngx_vidcast_error(error, "%s", why);
        }
    }

    return NGX_DECLINED;
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
    ngx_vidcast_input_plugin_params_t  *params = in->conf->params;

    size_t                       len;
    u_char                       why[NGX_VIDCAST_ERROR_LEN];
    ngx_int_t                    rc;
    ngx_uint_t                   n;
    ngx_vidcast_input_plugin_t  *plug;

    plug = ngx_calloc(sizeof(ngx_vidcast_input_plugin_t), in->log);
    if (plug == NULL) {
        ngx_vidcast_error(in->error, "no memory");
        return NGX_ERROR;
    }

    plug->in = in;

    /* what another one has taken before is probably still its own */

    n = params->taken;
    params->taken = 0;
    in->error[0] = '\0';

    for ( ;; ) {

        if (ngx_vidcast_input_plugin_choose(in->conf, &n, why) != NGX_OK) {

            /* with what the one which is there says of it */

            len = ngx_strlen(in->error);

            (void) ngx_snprintf(in->error + len, NGX_VIDCAST_ERROR_LEN - len,
                                "%s%s%Z", len && *why ? "; " : "", why);

            in->error[NGX_VIDCAST_ERROR_LEN - 1] = '\0';

            rc = NGX_ERROR;
            break;
        }

        rc = ngx_vidcast_input_plugin_open_one(in, plug);

        if (rc == NGX_OK) {
            params->taken = n;
        }

        if (rc != NGX_DECLINED) {
            break;
        }

        n++;
    }

    if (rc != NGX_OK) {
        ngx_free(plug);

        /* what writes into a FIFO waits for its reader */

        return in->conf->module == &ngx_vidcast_input_pipe ? NGX_AGAIN
                                                           : NGX_ERROR;
    }

    in->data = plug;
    in->format = NGX_VIDCAST_INPUT_ANY;

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_input_plugin_open_one(ngx_vidcast_input_t *in,
    ngx_vidcast_input_plugin_t *plug)
{
    plug->plugin = ngx_vidcast_plugin_conf_load(in->conf->params,
                                                NGX_VIDCAST_PLUGIN_INPUT,
                                                in->error);

    if (plug->plugin == NULL) {
        return NGX_ERROR;
    }

    ngx_vidcast_plugin_context(&plug->context, in->conf->params,
                               &in->conf->source);

    plug->context.host = plug;
    plug->context.log = ngx_vidcast_input_plugin_log;

    ngx_vidcast_input_plugin_known(in, &plug->context);

    plug->instance = plug->plugin->input->open(&plug->context, in->stop,
                                               (char *) in->error);

    in->error[NGX_VIDCAST_ERROR_LEN - 1] = '\0';

    if (plug->instance == VIDCAST_DECLINED) {
        return NGX_DECLINED;
    }

    return plug->instance ? NGX_OK : NGX_ERROR;
}


/* with a predictor here, results and so all numbers are our own */

static void
ngx_vidcast_input_plugin_known(ngx_vidcast_input_t *in,
    vidcast_context_t *context)
{
    ngx_vidcast_ring_t  *ring;

    ring = &in->source->original.zone->ring;

    context->result_size = ring->geometry.result_size;

    if (in->source->predict.module) {
        return;
    }

    context->epoch = ngx_vidcast_ring_epoch(ring);
    context->frame = ngx_vidcast_ring_newest(ring);
    context->seq = ngx_vidcast_ring_newest_result(ring);
    context->results = ring->geometry.results;
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
    in->dropped.held += given.held;
    in->dropped.damaged += given.damaged;

    switch (rc) {

    case VIDCAST_OK:
        return ngx_vidcast_input_plugin_take(in, picture, &given);

    case VIDCAST_AGAIN:
        return NGX_AGAIN;

    case VIDCAST_BAD:
        return NGX_DECLINED;

    case VIDCAST_END:
        return NGX_DONE;

    case VIDCAST_UNCHANGED:
        return NGX_VIDCAST_INPUT_UNCHANGED;

    case VIDCAST_WAITING:
        return NGX_VIDCAST_INPUT_WAITING;

    case VIDCAST_RESULT:
        picture->result.epoch = given.result.epoch;
        picture->result.seq = given.result.seq;
        picture->result.frame = given.result.frame;
        picture->result.json = (u_char *) given.result.json;
        picture->result.size = given.result.json_size;

        return NGX_VIDCAST_INPUT_RESULT;

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

    if (given->orientation > NGX_VIDCAST_TURN_270) {
        ngx_vidcast_error(in->error, "the plugin gave a picture of "
                          "orientation %uD", given->orientation);

        ngx_vidcast_input_plugin_release(in);

        return NGX_DECLINED;
    }

    picture->time = given->time;
    picture->pts = ngx_max(given->pts, NGX_VIDCAST_NO_PTS);
    picture->orientation = given->orientation;

    picture->identity.epoch = given->identity.epoch;
    picture->identity.number = given->identity.number;
    picture->identity.time = given->identity.time;

    if (given->jpeg) {

        if (ngx_vidcast_input_jpeg(in, picture, given->jpeg, given->jpeg_size)
            != NGX_OK)
        {
            ngx_vidcast_input_plugin_release(in);
            return NGX_DECLINED;
        }

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


/*
 * Of all that may come to serve it: what is refused once stays so.  One that
 * cannot be loaded tells why when it is opened.
 */

static ngx_uint_t
ngx_vidcast_input_plugin_needs(ngx_vidcast_input_conf_t *conf)
{
    ngx_vidcast_input_plugin_params_t  *params = conf->params;

    u_char                   error[NGX_VIDCAST_ERROR_LEN];
    ngx_uint_t               n, one, needs;
    const vidcast_plugin_t  *plugin;

    needs = 0;

    for (n = 0;
         ngx_vidcast_input_plugin_choose(conf, &n, error) == NGX_OK;
         n++)
    {
        plugin = ngx_vidcast_plugin_load((char *) params->plugin.file.data,
                                         error);

        one = plugin ? ngx_vidcast_plugin_needs(plugin) : 0;

        if (one == 0) {
            return 0;
        }

        needs |= one;
    }

    return needs;
}
