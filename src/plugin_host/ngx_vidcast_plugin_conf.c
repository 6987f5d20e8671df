
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast_error.h"
#include "core/ngx_vidcast_escape.h"
#include "plugin_host/ngx_vidcast_plugin.h"


static ngx_int_t ngx_vidcast_plugin_ask(ngx_vidcast_plugin_conf_t *conf,
    ngx_vidcast_plugin_kind_e kind, ngx_str_t *source, u_char *error);
static void ngx_vidcast_plugin_warning(void *host, int level,
    const char *line);


void *
ngx_vidcast_plugin_conf_create(ngx_pool_t *pool, size_t size)
{
    vidcast_param_t            *end;
    ngx_vidcast_plugin_conf_t  *conf;

    conf = ngx_pcalloc(pool, size);
    if (conf == NULL) {
        return NULL;
    }

    conf->pool = pool;
    conf->argument = (u_char *) "";
    conf->limit = NGX_VIDCAST_PLUGIN_CHECK;

    if (ngx_array_init(&conf->params, pool, 4, sizeof(vidcast_param_t))
        != NGX_OK)
    {
        return NULL;
    }

    end = ngx_array_push(&conf->params);
    if (end == NULL) {
        return NULL;
    }

    ngx_memzero(end, sizeof(vidcast_param_t));

    return conf;
}


ngx_int_t
ngx_vidcast_plugin_conf_add(ngx_vidcast_plugin_conf_t *conf, ngx_str_t *name,
    ngx_str_t *value)
{
    u_char           *p;
    vidcast_param_t  *end;

    p = ngx_pnalloc(conf->pool, name->len + 1 + value->len + 1);
    end = ngx_array_push(&conf->params);

    if (p == NULL || end == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_sprintf(p, "%V%Z%V%Z", name, value);

    end[-1].name = (char *) p;
    end[-1].value = (char *) p + name->len + 1;

    ngx_memzero(end, sizeof(vidcast_param_t));

    return NGX_OK;
}


ngx_int_t
ngx_vidcast_plugin_conf_own(ngx_vidcast_plugin_conf_t *conf, const char *name)
{
    conf->file.data = ngx_vidcast_plugin_path(conf->pool, name);

    if (conf->file.data == NULL) {
        return NGX_ERROR;
    }

    conf->file.len = ngx_strlen(conf->file.data);

    return NGX_OK;
}


ngx_int_t
ngx_vidcast_plugin_exists(ngx_str_t *file, const char *hint, u_char *error)
{
    ngx_file_info_t  fi;

    if (ngx_file_info(file->data, &fi) != NGX_FILE_ERROR) {
        return NGX_OK;
    }

    if (hint && ngx_errno == NGX_ENOENT) {
        ngx_vidcast_error(error, "\"%V\" is not there; %s", file, hint);

    } else {
        ngx_vidcast_error(error, "\"%V\": %s", file, strerror(ngx_errno));
    }

    return NGX_ERROR;
}


ngx_int_t
ngx_vidcast_plugin_check(ngx_vidcast_plugin_conf_t *conf,
    ngx_vidcast_plugin_kind_e kind, ngx_vidcast_source_t *source,
    ngx_cycle_t *cycle, u_char *error)
{
    if (ngx_process != NGX_PROCESS_HELPER) {
        return ngx_vidcast_plugin_try(source, kind, conf->index, conf->limit,
                                      cycle, error);
    }

    return ngx_vidcast_plugin_ask(conf, kind, &source->name, error);
}


static ngx_int_t
ngx_vidcast_plugin_ask(ngx_vidcast_plugin_conf_t *conf,
    ngx_vidcast_plugin_kind_e kind, ngx_str_t *source, u_char *error)
{
    int                      rc;
    u_char                   warning[NGX_VIDCAST_ERROR_LEN];
    vidcast_context_t        context;
    const vidcast_plugin_t  *plugin;

    plugin = ngx_vidcast_plugin_conf_load(conf, kind, error);

    if (plugin == NULL) {
        return NGX_ERROR;
    }

    ngx_vidcast_plugin_context(&context, conf, source);

    warning[0] = '\0';

    context.host = warning;
    context.log = ngx_vidcast_plugin_warning;

    switch (kind) {

    case NGX_VIDCAST_PLUGIN_INPUT:
        rc = plugin->input->check(&context, (char *) error);
        break;

    case NGX_VIDCAST_PLUGIN_PREDICTOR:
        rc = plugin->predictor->check(&context, (char *) error);
        break;

    default: /* NGX_VIDCAST_PLUGIN_OUTPUT */
        rc = ngx_vidcast_plugin_output(plugin)->check(&context,
                                                      (char *) error);
    }

    if (rc != VIDCAST_OK) {
        return NGX_ERROR;
    }

    (void) ngx_cpystrn(error, warning, NGX_VIDCAST_ERROR_LEN);

    return NGX_OK;
}


/* the first one, which is about the configuration */

static void
ngx_vidcast_plugin_warning(void *host, int level, const char *line)
{
    u_char  *warning = host;

    if (level == VIDCAST_LOG_WARN && warning[0] == '\0') {
        (void) ngx_cpystrn(warning, (u_char *) line, NGX_VIDCAST_ERROR_LEN);
    }
}


const vidcast_plugin_t *
ngx_vidcast_plugin_conf_load(ngx_vidcast_plugin_conf_t *conf,
    ngx_vidcast_plugin_kind_e kind, u_char *error)
{
    const vidcast_plugin_t  *plugin;

    plugin = ngx_vidcast_plugin_load((char *) conf->file.data, error);

    if (plugin == NULL) {
        return NULL;
    }

    if (kind == NGX_VIDCAST_PLUGIN_INPUT && plugin->input == NULL) {
        ngx_vidcast_error(error, "\"%V\" is not an input", &conf->file);
        return NULL;
    }

    if (kind == NGX_VIDCAST_PLUGIN_PREDICTOR && plugin->predictor == NULL) {
        ngx_vidcast_error(error, "\"%V\" is not a predictor", &conf->file);
        return NULL;
    }

    if (kind == NGX_VIDCAST_PLUGIN_OUTPUT
        && ngx_vidcast_plugin_output(plugin) == NULL)
    {
        ngx_vidcast_error(error, "\"%V\" is not an output", &conf->file);
        return NULL;
    }

    return plugin;
}


void
ngx_vidcast_plugin_context(vidcast_context_t *context,
    ngx_vidcast_plugin_conf_t *conf, ngx_str_t *source)
{
    ngx_memzero(context, sizeof(vidcast_context_t));

    context->size = sizeof(vidcast_context_t);
    context->source = (char *) source->data;
    context->argument = (char *) conf->argument;
    context->params = conf->params.elts;
    context->result_size = conf->result_size;
}


void
ngx_vidcast_plugin_said(ngx_vidcast_log_limit_t *warnings,
    ngx_vidcast_log_limit_t *lines, ngx_log_t *log, ngx_str_t *source,
    int level, const char *line)
{
    ngx_vidcast_escaped_t     escaped;
    ngx_vidcast_log_limit_t  *limit;

    level = ngx_max(level, NGX_LOG_ERR);
    level = ngx_min(level, NGX_LOG_INFO);

    limit = (level <= NGX_LOG_WARN) ? warnings : lines;

    if (log->log_level >= (ngx_uint_t) level
        && ngx_vidcast_log_limit(limit, NGX_VIDCAST_LOG_SAID,
                                 ngx_vidcast_clock()))
    {
        ngx_log_error((ngx_uint_t) level, log, 0, "vidcast source \"%V\": %V",
                      source, ngx_vidcast_escape_text(&escaped, line));
    }
}
