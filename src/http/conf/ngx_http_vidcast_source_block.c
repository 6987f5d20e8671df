
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "core/ngx_vidcast_escape.h"
#include "core/ngx_vidcast_string.h"
#include "http/conf/ngx_http_vidcast_module.h"
#include "http/conf/ngx_http_vidcast_source.h"
#include "input/ngx_vidcast_input.h"
#include "os/ngx_vidcast_program.h"
#include "output/ngx_vidcast_output.h"
#include "predict/ngx_vidcast_predict.h"


static ngx_int_t ngx_http_vidcast_source_init(ngx_shm_zone_t *shm_zone,
    void *data);
static ngx_int_t ngx_http_vidcast_source_verdict(ngx_shm_zone_t *shm_zone,
    ngx_int_t rc, const char *what, ngx_str_t *name, ngx_uint_t line,
    u_char *error);
static char *ngx_http_vidcast_source_check_name(ngx_conf_t *cf,
    ngx_http_vidcast_main_conf_t *vmcf, ngx_str_t *name);
static void ngx_http_vidcast_fingerprint_output(ngx_vidcast_source_t *source,
    ngx_vidcast_output_conf_t *output);
static void ngx_http_vidcast_fingerprint_words(ngx_vidcast_source_t *source,
    ngx_array_t *words);
static void ngx_http_vidcast_fingerprint_add(ngx_vidcast_source_t *source,
    void *data, size_t size);
static void ngx_http_vidcast_fingerprint_file(ngx_vidcast_source_t *source,
    ngx_str_t *path);


char *
ngx_http_vidcast_source_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_vidcast_main_conf_t  *vmcf = conf;

    char                      *rv;
    ngx_str_t                 *value;
    ngx_vidcast_source_t      *source;
    ngx_http_vidcast_block_t   block;

    value = cf->args->elts;

    rv = ngx_http_vidcast_source_check_name(cf, vmcf, &value[1]);

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    source = ngx_http_vidcast_source_create(cf, &value[1]);
    if (source == NULL) {
        return NGX_CONF_ERROR;
    }

    block.source = source;
    block.seen = 0;

    rv = ngx_http_vidcast_source_parse(cf, ngx_http_vidcast_source_directive,
                                       &block);

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (source->input.module == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "vidcast_source \"%V\" must have \"input\"",
                           &source->name);
        return NGX_CONF_ERROR;
    }

    if (source->on_demand
        && (source->input.module->flags & NGX_VIDCAST_INPUT_PASSIVE))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"on_demand\" is of no use with input \"%V\", "
                           "which has no device to close", &source->input.uri);
        return NGX_CONF_ERROR;
    }

    source->original.predictors = source->predict.workers;
    source->original.outputs = source->noutputs;

    if (ngx_vidcast_zone_add(cf, &vmcf->vidcast, source,
                             &ngx_http_vidcast_module)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    source->init = source->original.shm_zone->init;
    source->original.shm_zone->init = ngx_http_vidcast_source_init;

    return NGX_CONF_OK;
}


char *
ngx_http_vidcast_source_parse(ngx_conf_t *cf, ngx_conf_handler_pt handler,
    void *conf)
{
    char        *rv;
    ngx_conf_t   save;

    save = *cf;
    cf->handler = handler;
    cf->handler_conf = conf;

    rv = ngx_conf_parse(cf, NULL);

    *cf = save;

    return rv;
}


/* the first time that all of the configuration is known, "user" as well */

static ngx_int_t
ngx_http_vidcast_source_init(ngx_shm_zone_t *shm_zone, void *data)
{
    u_char                         error[NGX_VIDCAST_ERROR_LEN];
    ngx_int_t                      rc;
    ngx_uint_t                     i;
    ngx_vidcast_source_t          *source;
    ngx_vidcast_rendition_t       *rendition;
    ngx_vidcast_input_conf_t      *input;
    ngx_vidcast_output_conf_t     *output;
    ngx_vidcast_predict_module_t  *module;

    rendition = shm_zone->data;
    source = rendition->source;
    input = &source->input;

    if (ngx_vidcast_program_open(source->cycle) != NGX_OK) {
        return NGX_ERROR;
    }

    if (input->validate_late) {
        error[0] = '\0';
        rc = input->validate_late(source, source->cycle, error);

        if (ngx_http_vidcast_source_verdict(shm_zone, rc, "input", &input->uri,
                                            input->line, error)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    module = source->predict.module;

    if (module && module->validate_late) {
        error[0] = '\0';
        rc = module->validate_late(source, source->cycle, error);

        if (ngx_http_vidcast_source_verdict(shm_zone, rc, "predictor",
                                            &module->name,
                                            source->predict.line, error)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    for (i = 0; i < source->noutputs; i++) {
        output = &source->outputs[i];

        error[0] = '\0';
        rc = output->module->validate_late(output, source, source->cycle,
                                           error);

        if (ngx_http_vidcast_source_verdict(shm_zone, rc, "output",
                                            &output->uri, output->line, error)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return source->init(shm_zone, data);
}


/* NGX_ERROR, and the reason is logged; NGX_OK, and a warning is */

static ngx_int_t
ngx_http_vidcast_source_verdict(ngx_shm_zone_t *shm_zone, ngx_int_t rc,
    const char *what, ngx_str_t *name, ngx_uint_t line, u_char *error)
{
    ngx_vidcast_escaped_t     escaped;
    ngx_vidcast_rendition_t  *rendition;

    rendition = shm_zone->data;

    if (rc != NGX_OK) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "invalid %s \"%V\": %V in %s:%ui", what, name,
                      ngx_vidcast_escape_text(&escaped, error),
                      rendition->source->file, line);
        return NGX_ERROR;
    }

    if (error[0]) {
        ngx_log_error(NGX_LOG_WARN, shm_zone->shm.log, 0,
                      "%s \"%V\": %V in %s:%ui", what, name,
                      ngx_vidcast_escape_text(&escaped, error),
                      rendition->source->file, line);
    }

    return NGX_OK;
}


ngx_vidcast_source_t *
ngx_http_vidcast_source_create(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_vidcast_source_t  *source;

    source = ngx_pcalloc(cf->pool, sizeof(ngx_vidcast_source_t));
    if (source == NULL) {
        return NULL;
    }

    source->original.source = source;
    source->name = *name;
    source->pool = cf->cycle->pool;
    source->file = cf->conf_file->file.name.data;
    source->line = cf->conf_file->line;

    source->quality = 80;
    source->original.encoders = ngx_max(ngx_min(ngx_ncpu, 4), 1);
    source->stale = 5000;
    source->input.timeout = 10000;

    source->original.geometry.slot_size = 4 * 1024 * 1024;
    source->original.geometry.results = 256;
    source->original.geometry.result_size = 4096;

    return source;
}


static char *
ngx_http_vidcast_source_check_name(ngx_conf_t *cf,
    ngx_http_vidcast_main_conf_t *vmcf, ngx_str_t *name)
{
    if (!ngx_vidcast_is_name(name, NGX_VIDCAST_MAX_NAME)) {
        return ngx_http_vidcast_source_invalid(cf, "source name", name);
    }

    if (ngx_http_vidcast_source_find(vmcf, name) != NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate vidcast_source \"%V\"", name);
        return NGX_CONF_ERROR;
    }

    if (vmcf->vidcast.sources.nelts == NGX_VIDCAST_MAX_SOURCES) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "more than %d vidcast_source blocks",
                           NGX_VIDCAST_MAX_SOURCES);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_vidcast_source_find(ngx_http_vidcast_main_conf_t *vmcf,
    ngx_str_t *name)
{
    ngx_uint_t              i;
    ngx_vidcast_source_t  **source;

    source = vmcf->vidcast.sources.elts;

    for (i = 0; i < vmcf->vidcast.sources.nelts; i++) {
        if (ngx_vidcast_equal(&source[i]->name, name)) {
            return i;
        }
    }

    return NGX_ERROR;
}


/*
 * Tells what a source is from what it was before a reload: FNV-1a, as there
 * is no one to forge it.  It is computed once, when all is known, and
 * in an order of its own, so that it does not depend on that of directives.
 */

void
ngx_http_vidcast_source_fingerprint(ngx_vidcast_source_t *source)
{
    ngx_str_t                     *file;
    ngx_uint_t                     i, overlay;
    ngx_vidcast_predict_module_t  *module;

    source->fingerprint = 14695981039346656037U;

    overlay = (source->overlay != NULL);

    ngx_http_vidcast_fingerprint_words(source, &source->input.args);

    if (!source->input.rereads) {
        ngx_http_vidcast_fingerprint_file(source, &source->input.path);
    }

    ngx_http_vidcast_fingerprint_file(source, &source->input.ca);

    ngx_http_vidcast_fingerprint_words(source, &source->predict.args);

    module = source->predict.module;

    for (i = 0; module && module->files; i++) {
        file = module->files(&source->predict, i);

        if (file == NULL) {
            break;
        }

        ngx_http_vidcast_fingerprint_file(source, file);
    }

    for (i = 0; i < source->noutputs; i++) {
        ngx_http_vidcast_fingerprint_output(source, &source->outputs[i]);
    }

    ngx_http_vidcast_fingerprint_add(source, &source->quality,
                                     sizeof(source->quality));
    ngx_http_vidcast_fingerprint_add(source, &source->original.encoders,
                                     sizeof(source->original.encoders));
    ngx_http_vidcast_fingerprint_add(source, &source->original.geometry,
                                     sizeof(source->original.geometry));
    ngx_http_vidcast_fingerprint_add(source, &source->stale,
                                     sizeof(source->stale));
    ngx_http_vidcast_fingerprint_add(source, &source->on_demand,
                                     sizeof(source->on_demand));
    ngx_http_vidcast_fingerprint_add(source, &overlay, sizeof(overlay));
}


static void
ngx_http_vidcast_fingerprint_output(ngx_vidcast_source_t *source,
    ngx_vidcast_output_conf_t *output)
{
    ngx_str_t   *file;
    ngx_uint_t   i;

    ngx_http_vidcast_fingerprint_words(source, &output->args);

    for (i = 0; /* void */ ; i++) {
        file = output->module->files(output, i);

        if (file == NULL) {
            break;
        }

        ngx_http_vidcast_fingerprint_file(source, file);
    }
}


/* each with its terminating null, and how many there are */

static void
ngx_http_vidcast_fingerprint_words(ngx_vidcast_source_t *source,
    ngx_array_t *words)
{
    ngx_str_t   *word;
    ngx_uint_t   i;

    word = words->elts;

    for (i = 0; i < words->nelts; i++) {
        ngx_http_vidcast_fingerprint_add(source, word[i].data, word[i].len + 1);
    }

    ngx_http_vidcast_fingerprint_add(source, &words->nelts,
                                     sizeof(words->nelts));
}


static void
ngx_http_vidcast_fingerprint_add(ngx_vidcast_source_t *source, void *data,
    size_t size)
{
    u_char  *p, *last;

    p = data;
    last = p + size;

    while (p < last) {
        source->fingerprint ^= *p++;
        source->fingerprint *= 1099511628211U;
    }
}


/* a source whose file was replaced is another one; a device stays the same */

static void
ngx_http_vidcast_fingerprint_file(ngx_vidcast_source_t *source, ngx_str_t *path)
{
    time_t           mtime;
    ngx_file_info_t  fi;

    if (path->len == 0
        || ngx_file_info(path->data, &fi) == NGX_FILE_ERROR
        || !(ngx_is_file(&fi) || ngx_is_dir(&fi)))
    {
        return;
    }

    mtime = ngx_file_mtime(&fi);

    ngx_http_vidcast_fingerprint_add(source, &fi.st_ino, sizeof(fi.st_ino));
    ngx_http_vidcast_fingerprint_add(source, &fi.st_size, sizeof(fi.st_size));
    ngx_http_vidcast_fingerprint_add(source, &mtime, sizeof(mtime));
}
