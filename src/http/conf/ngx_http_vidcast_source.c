
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "http/conf/ngx_http_vidcast_module.h"
#include "http/conf/ngx_http_vidcast_source.h"
#include "core/ngx_vidcast_escape.h"
#include "core/ngx_vidcast_string.h"
#include "input/ngx_vidcast_input.h"
#include "predict/ngx_vidcast_predict.h"


#define NGX_HTTP_VIDCAST_MAX_SLOTS     1024
#define NGX_HTTP_VIDCAST_MAX_FRAME     (64 * 1024 * 1024)
#define NGX_HTTP_VIDCAST_MAX_RESULTS   65536
#define NGX_HTTP_VIDCAST_MIN_RESULT    512
#define NGX_HTTP_VIDCAST_MAX_RESULT    (1024 * 1024)
#define NGX_HTTP_VIDCAST_MAX_WARMUP    10000


/*
 * The directives inside of vidcast_source.  They are not nginx commands of
 * their own: all exist only in this block, and each may be there once.
 */

typedef struct ngx_http_vidcast_field_s  ngx_http_vidcast_field_t;

struct ngx_http_vidcast_field_s {
    ngx_str_t     name;
    ngx_uint_t    min;           /* arguments */
    ngx_uint_t    max;
    char       *(*set)(ngx_conf_t *cf, ngx_vidcast_source_t *source,
                      ngx_http_vidcast_field_t *field, ngx_str_t *args,
                      ngx_uint_t n);
    size_t        offset;
    ngx_uint_t    low;           /* bounds of a number */
    ngx_uint_t    high;
};


typedef struct {
    ngx_vidcast_source_t  *source;
    ngx_uint_t             seen;          /* bits, by field */
} ngx_http_vidcast_block_t;


static ngx_int_t ngx_http_vidcast_source_init(ngx_shm_zone_t *shm_zone,
    void *data);
static ngx_vidcast_source_t *ngx_http_vidcast_source_create(ngx_conf_t *cf,
    ngx_str_t *name);
static char *ngx_http_vidcast_source_check_name(ngx_conf_t *cf,
    ngx_http_vidcast_main_conf_t *vmcf, ngx_str_t *name);
static char *ngx_http_vidcast_source_field(ngx_conf_t *cf,
    ngx_command_t *dummy, void *conf);
static char *ngx_http_vidcast_source_input(ngx_conf_t *cf,
    ngx_vidcast_source_t *source, ngx_http_vidcast_field_t *field,
    ngx_str_t *args, ngx_uint_t n);
static ngx_int_t ngx_http_vidcast_source_set(ngx_vidcast_input_conf_t *input,
    ngx_str_t *name, ngx_str_t *value);
static char *ngx_http_vidcast_source_predict(ngx_conf_t *cf,
    ngx_vidcast_source_t *source, ngx_http_vidcast_field_t *field,
    ngx_str_t *args, ngx_uint_t n);
static char *ngx_http_vidcast_source_number(ngx_conf_t *cf,
    ngx_vidcast_source_t *source, ngx_http_vidcast_field_t *field,
    ngx_str_t *args, ngx_uint_t n);
static char *ngx_http_vidcast_source_ring(ngx_conf_t *cf,
    ngx_vidcast_source_t *source, ngx_http_vidcast_field_t *field,
    ngx_str_t *args, ngx_uint_t n);
static char *ngx_http_vidcast_source_time(ngx_conf_t *cf,
    ngx_vidcast_source_t *source, ngx_http_vidcast_field_t *field,
    ngx_str_t *args, ngx_uint_t n);
static char *ngx_http_vidcast_source_time_or_off(ngx_conf_t *cf,
    ngx_vidcast_source_t *source, ngx_http_vidcast_field_t *field,
    ngx_str_t *args, ngx_uint_t n);


static ngx_http_vidcast_field_t  ngx_http_vidcast_fields[] = {

    { ngx_string("input"), 1, 32,
      ngx_http_vidcast_source_input, 0, 0, 0 },

    { ngx_string("predict"), 1, 32,
      ngx_http_vidcast_source_predict, 0, 0, 0 },

    { ngx_string("quality"), 1, 1,
      ngx_http_vidcast_source_number,
      offsetof(ngx_vidcast_source_t, quality), 1, 100 },

    { ngx_string("encoders"), 1, 1,
      ngx_http_vidcast_source_number,
      offsetof(ngx_vidcast_source_t, encoders), 1, 64 },

    { ngx_string("frames"), 1, 2,
      ngx_http_vidcast_source_ring,
      offsetof(ngx_vidcast_geometry_t, slots), 0, 0 },

    { ngx_string("results"), 1, 2,
      ngx_http_vidcast_source_ring,
      offsetof(ngx_vidcast_geometry_t, results), 0, 0 },

    { ngx_string("stale"), 1, 1,
      ngx_http_vidcast_source_time,
      offsetof(ngx_vidcast_source_t, stale), 0, 0 },

    { ngx_string("on_demand"), 1, 1,
      ngx_http_vidcast_source_time_or_off,
      offsetof(ngx_vidcast_source_t, on_demand), 0, 0 },

    { ngx_null_string, 0, 0, NULL, 0, 0, 0 }
};


char *
ngx_http_vidcast_source_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_vidcast_main_conf_t  *vmcf = conf;

    char                      *rv;
    ngx_str_t                 *value;
    ngx_conf_t                 save;
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

    save = *cf;
    cf->handler = ngx_http_vidcast_source_field;
    cf->handler_conf = (char *) &block;

    rv = ngx_conf_parse(cf, NULL);

    *cf = save;

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

    ngx_http_vidcast_fingerprint_add(source, &source->quality,
                                     sizeof(source->quality));
    ngx_http_vidcast_fingerprint_add(source, &source->encoders,
                                     sizeof(source->encoders));
    ngx_http_vidcast_fingerprint_add(source, &source->geometry,
                                     sizeof(source->geometry));
    ngx_http_vidcast_fingerprint_add(source, &source->stale,
                                     sizeof(source->stale));
    ngx_http_vidcast_fingerprint_add(source, &source->on_demand,
                                     sizeof(source->on_demand));

    if (ngx_vidcast_zone_add(cf, &vmcf->vidcast, source,
                             &ngx_http_vidcast_module)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    source->init = source->shm_zone->init;
    source->shm_zone->init = ngx_http_vidcast_source_init;

    return NGX_CONF_OK;
}


/* the first time that all of the configuration is known, "user" as well */

static ngx_int_t
ngx_http_vidcast_source_init(ngx_shm_zone_t *shm_zone, void *data)
{
    u_char                         error[NGX_VIDCAST_ERROR_LEN];
    ngx_vidcast_source_t          *source;
    ngx_vidcast_escaped_t          escaped;
    ngx_vidcast_input_conf_t      *input;
    ngx_vidcast_predict_module_t  *module;

    source = shm_zone->data;
    input = &source->input;

    error[0] = '\0';

    if (input->validate_late
        && input->validate_late(input, source->cycle, error) != NGX_OK)
    {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "invalid input \"%V\": %V in %s:%ui", &input->uri,
                      ngx_vidcast_escape_text(&escaped, error), source->file,
                      input->line);
        return NGX_ERROR;
    }

    module = source->predict.module;

    if (module
        && module->validate_late
        && module->validate_late(source, source->cycle, error) != NGX_OK)
    {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "invalid predictor \"%V\": %V in %s:%ui", &module->name,
                      ngx_vidcast_escape_text(&escaped, error), source->file,
                      source->predict.line);
        return NGX_ERROR;
    }

    return source->init(shm_zone, data);
}


static ngx_vidcast_source_t *
ngx_http_vidcast_source_create(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_vidcast_source_t  *source;

    source = ngx_pcalloc(cf->pool, sizeof(ngx_vidcast_source_t));
    if (source == NULL) {
        return NULL;
    }

    source->name = *name;
    source->pool = cf->cycle->pool;
    source->file = cf->conf_file->file.name.data;
    source->line = cf->conf_file->line;

    source->quality = 80;
    source->encoders = ngx_max(ngx_min(ngx_ncpu, 4), 1);
    source->stale = 5000;

    source->geometry.slot_size = 4 * 1024 * 1024;
    source->geometry.results = 256;
    source->geometry.result_size = 4096;

    source->fingerprint = 14695981039346656037U;

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


/* an overlay has the name of its source, and stands behind it */

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


static char *
ngx_http_vidcast_source_field(ngx_conf_t *cf, ngx_command_t *dummy, void *conf)
{
    ngx_http_vidcast_block_t  *block = conf;

    char                      *rv;
    ngx_str_t                 *value;
    ngx_uint_t                 i, n;
    ngx_http_vidcast_field_t  *field;

    value = cf->args->elts;
    n = cf->args->nelts - 1;

    for (i = 0; ngx_http_vidcast_fields[i].name.len; i++) {
        field = &ngx_http_vidcast_fields[i];

        if (field->name.len != value[0].len
            || ngx_strcmp(field->name.data, value[0].data) != 0)
        {
            continue;
        }

        if (n < field->min || n > field->max) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid number of arguments in \"%V\" "
                               "directive", &value[0]);
            return NGX_CONF_ERROR;
        }

        if (block->seen & ((ngx_uint_t) 1 << i)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" directive is duplicate", &value[0]);
            return NGX_CONF_ERROR;
        }

        block->seen |= (ngx_uint_t) 1 << i;

        rv = field->set(cf, block->source, field, &value[1], n);

        if (rv != NGX_CONF_OK && rv != NGX_CONF_ERROR) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" directive %s", &value[0], rv);
            return NGX_CONF_ERROR;
        }

        return rv;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "unknown directive \"%V\" in vidcast_source",
                       &value[0]);

    return NGX_CONF_ERROR;
}


static char *
ngx_http_vidcast_source_input(ngx_conf_t *cf, ngx_vidcast_source_t *source,
    ngx_http_vidcast_field_t *field, ngx_str_t *args, ngx_uint_t n)
{
    char                        *rv;
    u_char                       error[NGX_VIDCAST_ERROR_LEN];
    ngx_str_t                    name, value;
    ngx_uint_t                   i;
    ngx_vidcast_escaped_t        escaped;
    ngx_vidcast_input_conf_t    *input;
    ngx_vidcast_input_module_t  *module;

    input = &source->input;
    input->source = source->name;
    input->line = cf->conf_file->line;

    if (ngx_vidcast_input_redact(cf->pool, &args[0], &input->uri) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    module = ngx_vidcast_input_find(&args[0], &input->path);

    if (module == NULL) {
        return ngx_http_vidcast_source_invalid(cf, "input", &input->uri);
    }

    input->module = module;

    if ((module->flags & NGX_VIDCAST_INPUT_FILE)
        && input->path.len
        && ngx_conf_full_name(cf->cycle, &input->path, 0) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    input->params = module->create_params(cf->pool);
    if (input->params == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < n; i++) {

        if (ngx_http_vidcast_source_split(&args[i], &name, &value) != NGX_OK) {
            return ngx_http_vidcast_source_invalid(cf, "parameter", &args[i]);
        }

        rv = ngx_http_vidcast_source_answer(cf, &args[i],
                 ngx_http_vidcast_source_set(input, &name, &value));

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    if (input->ca.len
        && ngx_conf_full_name(cf->cycle, &input->ca, 0) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    error[0] = '\0';

    if (module->check(input, error) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid input \"%V\": %V",
                           &input->uri,
                           ngx_vidcast_escape_text(&escaped, error));
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < n; i++) {
        ngx_http_vidcast_fingerprint_add(source, args[i].data, args[i].len + 1);
    }

    ngx_http_vidcast_fingerprint_file(source, &input->path);
    ngx_http_vidcast_fingerprint_file(source, &input->ca);

    return NGX_CONF_OK;
}


/* what all inputs have, and their own */

static ngx_int_t
ngx_http_vidcast_source_set(ngx_vidcast_input_conf_t *input, ngx_str_t *name,
    ngx_str_t *value)
{
    ngx_int_t  number;

    if (name->len != sizeof("warmup") - 1
        || ngx_strncmp(name->data, "warmup", sizeof("warmup") - 1) != 0)
    {
        return input->module->set(input, name, value);
    }

    if (input->module->flags & NGX_VIDCAST_INPUT_PASSIVE) {
        return NGX_DECLINED;
    }

    number = ngx_atoi(value->data, value->len);

    if (number == NGX_ERROR || number > NGX_HTTP_VIDCAST_MAX_WARMUP) {
        return NGX_ERROR;
    }

    input->warmup = number;

    return NGX_OK;
}


static char *
ngx_http_vidcast_source_predict(ngx_conf_t *cf, ngx_vidcast_source_t *source,
    ngx_http_vidcast_field_t *field, ngx_str_t *args, ngx_uint_t n)
{
    char                          *rv;
    u_char                         error[NGX_VIDCAST_ERROR_LEN];
    ngx_str_t                     *file;
    ngx_uint_t                     i;
    ngx_vidcast_escaped_t          escaped;
    ngx_vidcast_predict_conf_t    *predict;
    ngx_vidcast_predict_module_t  *module;

    predict = &source->predict;

    module = ngx_vidcast_predict_find(&args[0]);

    if (module == NULL) {
        return ngx_http_vidcast_source_invalid(cf, "predictor", &args[0]);
    }

    predict->module = module;
    predict->line = cf->conf_file->line;

    ngx_vidcast_predict_init(predict);

    predict->params = module->create_params(cf->pool);
    if (predict->params == NULL) {
        return NGX_CONF_ERROR;
    }

    rv = ngx_http_vidcast_source_predict_args(cf, predict, args, n);

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    error[0] = '\0';

    if (module->check
        && module->check(predict, cf->cycle, error) != NGX_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid predictor \"%V\": %V", &args[0],
                           ngx_vidcast_escape_text(&escaped, error));
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < n; i++) {
        ngx_http_vidcast_fingerprint_add(source, args[i].data, args[i].len + 1);
    }

    for (i = 0; module->files; i++) {
        file = module->files(predict, i);

        if (file == NULL) {
            break;
        }

        ngx_http_vidcast_fingerprint_file(source, file);
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_vidcast_source_number(ngx_conf_t *cf, ngx_vidcast_source_t *source,
    ngx_http_vidcast_field_t *field, ngx_str_t *args, ngx_uint_t n)
{
    ngx_int_t  number;

    number = ngx_atoi(args[0].data, args[0].len);

    if (number == NGX_ERROR
        || (ngx_uint_t) number < field->low
        || (ngx_uint_t) number > field->high)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in \"%V\" directive, it must "
                           "be between %ui and %ui", &args[0], &field->name,
                           field->low, field->high);
        return NGX_CONF_ERROR;
    }

    *(ngx_uint_t *) ((u_char *) source + field->offset) = number;

    return NGX_CONF_OK;
}


/* how many, and the size of the largest; of frames, "auto" is how many */

static char *
ngx_http_vidcast_source_ring(ngx_conf_t *cf, ngx_vidcast_source_t *source,
    ngx_http_vidcast_field_t *field, ngx_str_t *args, ngx_uint_t n)
{
    ssize_t                  size, least, most;
    ngx_int_t                number, max;
    ngx_uint_t               frames;
    ngx_vidcast_geometry_t  *g;

    g = &source->geometry;
    frames = (field->offset == offsetof(ngx_vidcast_geometry_t, slots));

    max = frames ? NGX_HTTP_VIDCAST_MAX_SLOTS : NGX_HTTP_VIDCAST_MAX_RESULTS;
    least = frames ? 1024 : NGX_HTTP_VIDCAST_MIN_RESULT;
    most = frames ? NGX_HTTP_VIDCAST_MAX_FRAME : NGX_HTTP_VIDCAST_MAX_RESULT;

    if (frames && ngx_strcmp(args[0].data, "auto") == 0) {
        number = 0;

    } else {
        number = ngx_atoi(args[0].data, args[0].len);

        if (number == NGX_ERROR || number == 0 || number > max) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid value \"%V\" in \"%V\" directive, it "
                               "must be between 1 and %i", &args[0],
                               &field->name, max);
            return NGX_CONF_ERROR;
        }
    }

    if (frames) {
        g->slots = number;

    } else {
        g->results = number;
    }

    if (n == 1) {
        return NGX_CONF_OK;
    }

    size = ngx_parse_size(&args[1]);

    if (size == NGX_ERROR || size < least || size > most) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid size \"%V\" in \"%V\" directive, it must "
                           "be between %z and %z", &args[1], &field->name,
                           least, most);
        return NGX_CONF_ERROR;
    }

    if (frames) {
        g->slot_size = size;

    } else {
        g->result_size = size;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_vidcast_source_time(ngx_conf_t *cf, ngx_vidcast_source_t *source,
    ngx_http_vidcast_field_t *field, ngx_str_t *args, ngx_uint_t n)
{
    ngx_int_t  time;

    time = ngx_parse_time(&args[0], 0);

    if (time == NGX_ERROR || time == 0) {
        return ngx_http_vidcast_source_invalid(cf, "value", &args[0]);
    }

    *(ngx_msec_t *) ((u_char *) source + field->offset) = time;

    return NGX_CONF_OK;
}


static char *
ngx_http_vidcast_source_time_or_off(ngx_conf_t *cf,
    ngx_vidcast_source_t *source, ngx_http_vidcast_field_t *field,
    ngx_str_t *args, ngx_uint_t n)
{
    if (ngx_strcmp(args[0].data, "off") == 0) {
        *(ngx_msec_t *) ((u_char *) source + field->offset) = 0;
        return NGX_CONF_OK;
    }

    return ngx_http_vidcast_source_time(cf, source, field, args, n);
}
