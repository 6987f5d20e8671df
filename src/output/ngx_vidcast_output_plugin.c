
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast_error.h"
#include "core/ngx_vidcast_parse.h"
#include "core/ngx_vidcast_string.h"
#include "output/ngx_vidcast_output.h"
#include "plugin_host/ngx_vidcast_plugin.h"


/*
 * Outputs which plugins of ours serve.  What is wrong with a URI or a parameter
 * is found here, where a fault has its line, and all is handed on as text; the
 * plugin itself is tried when all of the configuration is known.
 */

#define NGX_VIDCAST_OUTPUT_PLUGIN_NATS  "vidcast_nats.so"
#define NGX_VIDCAST_OUTPUT_PLUGIN_HINT                                        \
    "it is built with the module if libnats-dev is installed"


/* NGX_OK, or NGX_ERROR: a bad value */

typedef struct {
    const char                 *name;
    ngx_int_t                 (*parse)(ngx_str_t *value);
    unsigned                    file:1;
} ngx_vidcast_output_plugin_param_t;


typedef struct {
    ngx_vidcast_plugin_conf_t   plugin;   /* first */
    ngx_array_t                 files;    /* of ngx_str_t */
} ngx_vidcast_output_plugin_params_t;


typedef struct {
    ngx_vidcast_output_t       *out;
    const vidcast_plugin_t     *plugin;
    void                       *instance;
    vidcast_context_t           context;
} ngx_vidcast_output_plugin_t;


static void *ngx_vidcast_output_plugin_create_params(ngx_pool_t *pool);
static ngx_int_t ngx_vidcast_output_plugin_set(
    ngx_vidcast_output_conf_t *conf, ngx_str_t *name, ngx_str_t *value);
static const ngx_vidcast_output_plugin_param_t *
    ngx_vidcast_output_plugin_param(ngx_str_t *name);
static ngx_int_t ngx_vidcast_output_plugin_file(ngx_str_t *value);
static ngx_int_t ngx_vidcast_output_plugin_send(ngx_str_t *value);
static ngx_int_t ngx_vidcast_output_plugin_fps(ngx_str_t *value);
static ngx_int_t ngx_vidcast_output_plugin_flag(ngx_str_t *value);
static ngx_int_t ngx_vidcast_output_plugin_check(
    ngx_vidcast_output_conf_t *conf, ngx_cycle_t *cycle, u_char *error);
static ngx_int_t ngx_vidcast_output_plugin_check_uri(
    ngx_vidcast_output_conf_t *conf, u_char *error);
static ngx_int_t ngx_vidcast_output_plugin_check_subject(
    ngx_vidcast_output_conf_t *conf, ngx_str_t *prefix, u_char *error);
static ngx_uint_t ngx_vidcast_output_plugin_is_subject(ngx_str_t *subject);
static ngx_int_t ngx_vidcast_output_plugin_check_params(
    ngx_vidcast_output_plugin_params_t *params, u_char *error);
static const char *ngx_vidcast_output_plugin_value(
    ngx_vidcast_output_plugin_params_t *params, const char *name);
static ngx_int_t ngx_vidcast_output_plugin_full_names(
    ngx_vidcast_output_plugin_params_t *params, ngx_cycle_t *cycle);
static ngx_str_t *ngx_vidcast_output_plugin_files(
    ngx_vidcast_output_conf_t *conf, ngx_uint_t n);
static ngx_int_t ngx_vidcast_output_plugin_validate_late(
    ngx_vidcast_output_conf_t *conf, ngx_vidcast_source_t *source,
    ngx_cycle_t *cycle, u_char *error);
static void ngx_vidcast_output_plugin_log(void *host, int level,
    const char *line);
static ngx_int_t ngx_vidcast_output_plugin_open(ngx_vidcast_output_t *out);
static ngx_int_t ngx_vidcast_output_plugin_run(ngx_vidcast_output_t *out);
static void ngx_vidcast_output_plugin_close(ngx_vidcast_output_t *out);
static ngx_uint_t ngx_vidcast_output_plugin_needs(
    ngx_vidcast_output_conf_t *conf);


ngx_vidcast_output_module_t  ngx_vidcast_output_nats = {
    ngx_string("nats"),
    ngx_vidcast_output_plugin_create_params,
    ngx_vidcast_output_plugin_set,
    ngx_vidcast_output_plugin_check,
    ngx_vidcast_output_plugin_files,
    ngx_vidcast_output_plugin_validate_late,
    ngx_vidcast_output_plugin_open,
    ngx_vidcast_output_plugin_run,
    ngx_vidcast_output_plugin_close,
    ngx_vidcast_output_plugin_needs
};


static const ngx_vidcast_output_plugin_param_t
    ngx_vidcast_output_plugin_params_nats[] =
{
    { "creds", ngx_vidcast_output_plugin_file, 1 },
    { "ca", ngx_vidcast_output_plugin_file, 1 },
    { "cert", ngx_vidcast_output_plugin_file, 1 },
    { "key", ngx_vidcast_output_plugin_file, 1 },
    { "tls", ngx_vidcast_output_plugin_flag, 0 },
    { "send", ngx_vidcast_output_plugin_send, 0 },
    { "fps", ngx_vidcast_output_plugin_fps, 0 },
    { NULL, NULL, 0 }
};


static void *
ngx_vidcast_output_plugin_create_params(ngx_pool_t *pool)
{
    ngx_vidcast_output_plugin_params_t  *params;

    params = ngx_vidcast_plugin_conf_create(pool,
                                   sizeof(ngx_vidcast_output_plugin_params_t));

    if (params == NULL
        || ngx_array_init(&params->files, pool, 4, sizeof(ngx_str_t))
           != NGX_OK)
    {
        return NULL;
    }

    return params;
}


static ngx_int_t
ngx_vidcast_output_plugin_set(ngx_vidcast_output_conf_t *conf,
    ngx_str_t *name, ngx_str_t *value)
{
    const ngx_vidcast_output_plugin_param_t  *param;

    param = ngx_vidcast_output_plugin_param(name);

    if (param == NULL) {
        return NGX_DECLINED;
    }

    if (param->parse(value) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_vidcast_plugin_conf_add(conf->params, name, value);
}


static const ngx_vidcast_output_plugin_param_t *
ngx_vidcast_output_plugin_param(ngx_str_t *name)
{
    const ngx_vidcast_output_plugin_param_t  *param;

    for (param = ngx_vidcast_output_plugin_params_nats; param->name; param++) {
        if (ngx_vidcast_is(name, param->name)) {
            return param;
        }
    }

    return NULL;
}


static ngx_int_t
ngx_vidcast_output_plugin_file(ngx_str_t *value)
{
    return value->len ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_vidcast_output_plugin_send(ngx_str_t *value)
{
    return ngx_vidcast_is(value, "results") || ngx_vidcast_is(value, "frames")
           || ngx_vidcast_is(value, "both")
               ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_vidcast_output_plugin_fps(ngx_str_t *value)
{
    double  fps;

    return ngx_vidcast_parse_fps(value, &fps);
}


static ngx_int_t
ngx_vidcast_output_plugin_flag(ngx_str_t *value)
{
    ngx_uint_t  on;

    return ngx_vidcast_parse_flag(value, &on);
}


static ngx_int_t
ngx_vidcast_output_plugin_check(ngx_vidcast_output_conf_t *conf,
    ngx_cycle_t *cycle, u_char *error)
{
    ngx_vidcast_output_plugin_params_t  *params = conf->params;

    if (ngx_vidcast_output_plugin_check_uri(conf, error) != NGX_OK
        || ngx_vidcast_output_plugin_check_params(params, error) != NGX_OK)
    {
        return NGX_ERROR;
    }

    params->plugin.index = conf->index;
    params->plugin.argument = ngx_pnalloc(params->plugin.pool,
                                          conf->module->scheme.len + 1
                                          + conf->path.len + 1);

    if (params->plugin.argument == NULL
        || ngx_vidcast_plugin_conf_own(&params->plugin,
                                       NGX_VIDCAST_OUTPUT_PLUGIN_NATS)
           != NGX_OK
        || ngx_vidcast_output_plugin_full_names(params, cycle) != NGX_OK)
    {
        ngx_vidcast_error(error, "no memory");
        return NGX_ERROR;
    }

    (void) ngx_sprintf(params->plugin.argument, "%V:%V%Z",
                       &conf->module->scheme, &conf->path);

    return NGX_OK;
}


/*
 * "//[user:password@]host[:port][,host[:port]...]/prefix": what is said of the
 * hosts stands in the status and in metrics, so it has no character that would
 * need a mark there
 */

static ngx_int_t
ngx_vidcast_output_plugin_check_uri(ngx_vidcast_output_conf_t *conf,
    u_char *error)
{
    u_char     *p, *host, *last;
    ngx_str_t   prefix;

    last = conf->path.data + conf->path.len;

    if (conf->path.len < 3 || ngx_strncmp(conf->path.data, "//", 2) != 0) {
        ngx_vidcast_error(error, "no host");
        return NGX_ERROR;
    }

    host = conf->path.data + 2;

    for (p = host; p < last && *p != '/'; p++) {
        if (*p == '@') {
            host = p + 1;
        }
    }

    if (p == host) {
        ngx_vidcast_error(error, "no host");
        return NGX_ERROR;
    }

    prefix.data = (p < last) ? p + 1 : p;
    prefix.len = last - prefix.data;

    for (last = p, p = host; p < last; p++) {

        if ((*p >= '0' && *p <= '9')
            || ((*p | 0x20) >= 'a' && (*p | 0x20) <= 'z')
            || (*p && ngx_strchr(".-_:,[]%", *p)))
        {
            continue;
        }

        ngx_vidcast_error(error, "its host has the character \"%c\"", *p);
        return NGX_ERROR;
    }

    return ngx_vidcast_output_plugin_check_subject(conf, &prefix, error);
}


/* subjects are PREFIX.SOURCE..., in which no token is empty */

static ngx_int_t
ngx_vidcast_output_plugin_check_subject(ngx_vidcast_output_conf_t *conf,
    ngx_str_t *prefix, u_char *error)
{
    u_char  *p;

    if (prefix->len == 0) {
        ngx_vidcast_error(error, "it has no prefix of subjects, as \"/video\"");
        return NGX_ERROR;
    }

    for (p = prefix->data; p < prefix->data + prefix->len; p++) {

        if ((*p >= '0' && *p <= '9')
            || ((*p | 0x20) >= 'a' && (*p | 0x20) <= 'z')
            || (*p && ngx_strchr("._-", *p)))
        {
            continue;
        }

        ngx_vidcast_error(error, "its prefix of subjects may have letters, "
                          "digits, \"_\", \"-\" and \".\" only");
        return NGX_ERROR;
    }

    if (!ngx_vidcast_output_plugin_is_subject(prefix)) {
        ngx_vidcast_error(error, "its prefix of subjects has an empty part");
        return NGX_ERROR;
    }

    if (!ngx_vidcast_output_plugin_is_subject(&conf->source)) {
        ngx_vidcast_error(error, "the name \"%V\" of the source has an empty "
                          "part, so that it can be no subject",
                          &conf->source);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_vidcast_output_plugin_is_subject(ngx_str_t *subject)
{
    u_char  *p, *last, dot;

    dot = '.';
    last = subject->data + subject->len;

    for (p = subject->data; p < last; p++) {

        if (*p == '.' && dot == '.') {
            return 0;
        }

        dot = *p;
    }

    return dot != '.';
}


static ngx_int_t
ngx_vidcast_output_plugin_check_params(
    ngx_vidcast_output_plugin_params_t *params, u_char *error)
{
    const char  *send, *tls;
    ngx_uint_t   cert, key;

    cert = (ngx_vidcast_output_plugin_value(params, "cert") != NULL);
    key = (ngx_vidcast_output_plugin_value(params, "key") != NULL);

    if (cert != key) {
        ngx_vidcast_error(error, "\"%s\" needs \"%s\"", cert ? "cert" : "key",
                          cert ? "key" : "cert");
        return NGX_ERROR;
    }

    tls = ngx_vidcast_output_plugin_value(params, "tls");

    if (tls && ngx_strcmp(tls, "off") == 0
        && (cert || ngx_vidcast_output_plugin_value(params, "ca")))
    {
        ngx_vidcast_error(error, "\"%s\" is of no use with \"tls=off\"",
                          cert ? "cert" : "ca");
        return NGX_ERROR;
    }

    send = ngx_vidcast_output_plugin_value(params, "send");

    if (send && ngx_strcmp(send, "results") == 0
        && ngx_vidcast_output_plugin_value(params, "fps"))
    {
        ngx_vidcast_error(error, "\"fps\" is of no use with \"send=results\"");
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* the last one of the name; NULL: there is none */

static const char *
ngx_vidcast_output_plugin_value(ngx_vidcast_output_plugin_params_t *params,
    const char *name)
{
    const char       *value;
    vidcast_param_t  *param;

    value = NULL;

    for (param = params->plugin.params.elts; param->name; param++) {
        if (ngx_strcmp(param->name, name) == 0) {
            value = param->value;
        }
    }

    return value;
}


static ngx_int_t
ngx_vidcast_output_plugin_full_names(
    ngx_vidcast_output_plugin_params_t *params, ngx_cycle_t *cycle)
{
    ngx_str_t         name, *file;
    vidcast_param_t  *param;

    for (param = params->plugin.params.elts; param->name; param++) {

        name.data = (u_char *) param->name;
        name.len = ngx_strlen(param->name);

        if (!ngx_vidcast_output_plugin_param(&name)->file) {
            continue;
        }

        file = ngx_array_push(&params->files);
        if (file == NULL) {
            return NGX_ERROR;
        }

        file->data = (u_char *) param->value;
        file->len = ngx_strlen(param->value);

        if (ngx_conf_full_name(cycle, file, 0) != NGX_OK) {
            return NGX_ERROR;
        }

        param->value = (char *) file->data;
    }

    return NGX_OK;
}


static ngx_str_t *
ngx_vidcast_output_plugin_files(ngx_vidcast_output_conf_t *conf, ngx_uint_t n)
{
    ngx_vidcast_output_plugin_params_t  *params = conf->params;

    ngx_str_t  *file;

    file = params->files.elts;

    return (n < params->files.nelts) ? &file[n] : NULL;
}


static ngx_int_t
ngx_vidcast_output_plugin_validate_late(ngx_vidcast_output_conf_t *conf,
    ngx_vidcast_source_t *source, ngx_cycle_t *cycle, u_char *error)
{
    ngx_vidcast_plugin_conf_t  *plugin = conf->params;

    if (ngx_vidcast_plugin_exists(&plugin->file,
                                  NGX_VIDCAST_OUTPUT_PLUGIN_HINT, error)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_vidcast_plugin_check(plugin, NGX_VIDCAST_PLUGIN_OUTPUT, source,
                                    cycle, error);
}


static void
ngx_vidcast_output_plugin_log(void *host, int level, const char *line)
{
    ngx_vidcast_output_plugin_t  *plug = host;

    plug->out->log_said(plug->out->caller, level, line);
}


static ngx_int_t
ngx_vidcast_output_plugin_open(ngx_vidcast_output_t *out)
{
    const vidcast_output_table_t  *table;
    ngx_vidcast_output_plugin_t   *plug;

    plug = ngx_calloc(sizeof(ngx_vidcast_output_plugin_t), out->log);
    if (plug == NULL) {
        ngx_vidcast_error(out->error, "no memory");
        return NGX_ERROR;
    }

    plug->out = out;
    plug->plugin = ngx_vidcast_plugin_conf_load(out->conf->params,
                                                NGX_VIDCAST_PLUGIN_OUTPUT,
                                                out->error);

    if (plug->plugin == NULL) {
        ngx_free(plug);
        return NGX_ERROR;
    }

    ngx_vidcast_plugin_context(&plug->context, out->conf->params,
                               &out->conf->source);

    plug->context.host = plug;
    plug->context.log = ngx_vidcast_output_plugin_log;

    table = ngx_vidcast_plugin_output(plug->plugin);

    plug->instance = table->open(&plug->context, out->host,
                                 (char *) out->error);

    out->error[NGX_VIDCAST_ERROR_LEN - 1] = '\0';

    if (plug->instance == NULL) {
        ngx_free(plug);
        return NGX_ERROR;
    }

    out->data = plug;

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_output_plugin_run(ngx_vidcast_output_t *out)
{
    int                           rc;
    ngx_vidcast_output_plugin_t  *plug;

    plug = out->data;

    rc = ngx_vidcast_plugin_output(plug->plugin)->run(plug->instance,
                                                      &out->report,
                                                      (char *) out->error);

    out->error[NGX_VIDCAST_ERROR_LEN - 1] = '\0';

    switch (rc) {

    case VIDCAST_OK:
        return NGX_OK;

    case VIDCAST_WAITING:
        return NGX_AGAIN;

    default: /* VIDCAST_ERROR */
        return NGX_ERROR;
    }
}


static void
ngx_vidcast_output_plugin_close(ngx_vidcast_output_t *out)
{
    ngx_vidcast_output_plugin_t  *plug;

    plug = out->data;

    ngx_vidcast_plugin_output(plug->plugin)->close(plug->instance);

    ngx_free(plug);
    out->data = NULL;
}


/* one that cannot be loaded tells why when it is opened */

static ngx_uint_t
ngx_vidcast_output_plugin_needs(ngx_vidcast_output_conf_t *conf)
{
    u_char                   error[NGX_VIDCAST_ERROR_LEN];
    const vidcast_plugin_t  *plugin;

    plugin = ngx_vidcast_plugin_conf_load(conf->params,
                                          NGX_VIDCAST_PLUGIN_OUTPUT, error);

    return plugin ? ngx_vidcast_plugin_needs(plugin) : 0;
}
