
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "core/ngx_vidcast_escape.h"
#include "core/ngx_vidcast_string.h"
#include "http/conf/ngx_http_vidcast_source.h"
#include "input/ngx_vidcast_input.h"
#include "media/ngx_vidcast_orientation.h"
#include "os/ngx_vidcast_settings.h"
#include "predict/ngx_vidcast_predict.h"


#define NGX_HTTP_VIDCAST_MAX_SLOTS     1024
#define NGX_HTTP_VIDCAST_MAX_FRAME     (64 * 1024 * 1024)
#define NGX_HTTP_VIDCAST_MAX_RESULTS   65536
#define NGX_HTTP_VIDCAST_MIN_RESULT    512
#define NGX_HTTP_VIDCAST_MAX_RESULT    (1024 * 1024)
#define NGX_HTTP_VIDCAST_MAX_WARMUP    10000


/*
 * The directives inside of vidcast_source.  They are not nginx commands of
 * their own: all exist only in this block, and each may be there once, or
 * "many" times.
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
    ngx_uint_t    many;          /* it may be there again */
};


static char *ngx_http_vidcast_source_input(ngx_conf_t *cf,
    ngx_vidcast_source_t *source, ngx_http_vidcast_field_t *field,
    ngx_str_t *args, ngx_uint_t n);
static ngx_int_t ngx_http_vidcast_source_set(ngx_vidcast_input_conf_t *input,
    ngx_str_t *name, ngx_str_t *value);
static ngx_int_t ngx_http_vidcast_source_turn(
    ngx_vidcast_input_conf_t *input, ngx_str_t *name, ngx_str_t *value);
static char *ngx_http_vidcast_source_predict(ngx_conf_t *cf,
    ngx_vidcast_source_t *source, ngx_http_vidcast_field_t *field,
    ngx_str_t *args, ngx_uint_t n);
static char *ngx_http_vidcast_source_unusable(ngx_conf_t *cf,
    ngx_vidcast_predict_conf_t *predict, u_char *error);
static char *ngx_http_vidcast_source_output(ngx_conf_t *cf,
    ngx_vidcast_source_t *source, ngx_http_vidcast_field_t *field,
    ngx_str_t *args, ngx_uint_t n);
static char *ngx_http_vidcast_source_predict_args(ngx_conf_t *cf,
    ngx_vidcast_predict_conf_t *predict, ngx_str_t *args, ngx_uint_t n);
static char *ngx_http_vidcast_source_bad_input(ngx_conf_t *cf,
    ngx_vidcast_input_conf_t *input, u_char *error);
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
      ngx_http_vidcast_source_input, 0, 0, 0, 0 },

    { ngx_string("predict"), 1, 32,
      ngx_http_vidcast_source_predict, 0, 0, 0, 0 },

    { ngx_string("output"), 1, 32,
      ngx_http_vidcast_source_output, 0, 0, 0, 1 },

    { ngx_string("quality"), 1, 1,
      ngx_http_vidcast_source_number,
      offsetof(ngx_vidcast_source_t, quality), 1, 100, 0 },

    { ngx_string("encoders"), 1, 1,
      ngx_http_vidcast_source_number,
      offsetof(ngx_vidcast_source_t, original.encoders), 1, 64, 0 },

    { ngx_string("frames"), 1, 2,
      ngx_http_vidcast_source_ring,
      offsetof(ngx_vidcast_geometry_t, slots), 0, 0, 0 },

    { ngx_string("results"), 1, 2,
      ngx_http_vidcast_source_ring,
      offsetof(ngx_vidcast_geometry_t, results), 0, 0, 0 },

    { ngx_string("stale"), 1, 1,
      ngx_http_vidcast_source_time,
      offsetof(ngx_vidcast_source_t, stale), 0, 0, 0 },

    { ngx_string("on_demand"), 1, 1,
      ngx_http_vidcast_source_time_or_off,
      offsetof(ngx_vidcast_source_t, on_demand), 0, 0, 0 },

    { ngx_null_string, 0, 0, NULL, 0, 0, 0, 0 }
};


char *
ngx_http_vidcast_source_directive(ngx_conf_t *cf, ngx_command_t *dummy,
    void *conf)
{
    ngx_http_vidcast_block_t  *block = conf;

    char                      *rv;
    ngx_str_t                 *value;
    ngx_uint_t                 i, k, n;
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

        if ((block->seen & ((ngx_uint_t) 1 << i)) && !field->many) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" directive is duplicate", &value[0]);
            return NGX_CONF_ERROR;
        }

        block->seen |= (ngx_uint_t) 1 << i;

        for (k = 1; k <= n; k++) {
            if (!ngx_vidcast_settings_fits(&value[k])) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "too long parameter of \"%V\": its quotes "
                                   "and backslashes count twice", &value[0]);
                return NGX_CONF_ERROR;
            }
        }

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
    ngx_vidcast_input_conf_t    *input;
    ngx_vidcast_input_module_t  *module;

    input = &source->input;
    input->source = source->name;
    input->line = cf->conf_file->line;

    if (ngx_http_vidcast_source_keep(cf, &input->args, args, n) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (ngx_vidcast_input_redact(cf->pool, &args[0], &input->uri) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    module = ngx_vidcast_input_find(&args[0], &input->path);

    if (module == NULL) {
        ngx_vidcast_input_unknown(&args[0], error);
        return ngx_http_vidcast_source_bad_input(cf, input, error);
    }

    if (ngx_vidcast_input_check_uri(&args[0], error) != NGX_OK) {
        return ngx_http_vidcast_source_bad_input(cf, input, error);
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
        return ngx_http_vidcast_source_bad_input(cf, input, error);
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_vidcast_source_bad_input(ngx_conf_t *cf,
    ngx_vidcast_input_conf_t *input, u_char *error)
{
    ngx_vidcast_escaped_t  escaped;

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid input \"%V\": %V",
                       &input->uri, ngx_vidcast_escape_text(&escaped, error));

    return NGX_CONF_ERROR;
}


/* what all inputs have, and their own */

static ngx_int_t
ngx_http_vidcast_source_set(ngx_vidcast_input_conf_t *input, ngx_str_t *name,
    ngx_str_t *value)
{
    ngx_int_t  number;

    if (ngx_vidcast_is(name, "rotate") || ngx_vidcast_is(name, "flip")) {
        return ngx_http_vidcast_source_turn(input, name, value);
    }

    if (ngx_vidcast_is(name, "truncated")) {

        if (ngx_vidcast_is(value, "allow")) {
            input->truncated = 1;

        } else if (ngx_vidcast_is(value, "refuse")) {
            input->truncated = 0;

        } else {
            return NGX_ERROR;
        }

        return (input->module->flags & NGX_VIDCAST_INPUT_RAW) ? NGX_DECLINED
                                                              : NGX_OK;
    }

    if (!ngx_vidcast_is(name, "warmup")) {
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


/* first it is turned, and then it is flipped, in whatever order they stand */

static ngx_int_t
ngx_http_vidcast_source_turn(ngx_vidcast_input_conf_t *input, ngx_str_t *name,
    ngx_str_t *value)
{
    ngx_uint_t        rotate;
    ngx_conf_enum_t  *turn;

    static ngx_conf_enum_t  rotations[] = {
        { ngx_string("90"), NGX_VIDCAST_TURN_90 },
        { ngx_string("180"), NGX_VIDCAST_TURN_180 },
        { ngx_string("270"), NGX_VIDCAST_TURN_270 },
        { ngx_null_string, 0 }
    };

    static ngx_conf_enum_t  flips[] = {
        { ngx_string("h"), NGX_VIDCAST_MIRROR_H },
        { ngx_string("v"), NGX_VIDCAST_MIRROR_V },
        { ngx_null_string, 0 }
    };

    rotate = ngx_vidcast_is(name, "rotate");

    for (turn = rotate ? rotations : flips; turn->name.len; turn++) {

        if (!ngx_vidcast_equal(value, &turn->name)) {
            continue;
        }

        input->orientation = rotate
                  ? ngx_vidcast_orientation_join(turn->value,
                                                 input->orientation)
                  : ngx_vidcast_orientation_join(input->orientation,
                                                 turn->value);
        return NGX_OK;
    }

    return NGX_ERROR;
}


static char *
ngx_http_vidcast_source_predict(ngx_conf_t *cf, ngx_vidcast_source_t *source,
    ngx_http_vidcast_field_t *field, ngx_str_t *args, ngx_uint_t n)
{
    char                          *rv;
    u_char                         error[NGX_VIDCAST_ERROR_LEN];
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

    if (ngx_http_vidcast_source_keep(cf, &predict->args, args, n) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

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
        if (source->again) {
            return ngx_http_vidcast_source_unusable(cf, predict, error);
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid predictor \"%V\": %V", &args[0],
                           ngx_vidcast_escape_text(&escaped, error));
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/*
 * It was good when nginx read its configuration: a file has gone since.  Its
 * process says so where all look for it.
 */

static char *
ngx_http_vidcast_source_unusable(ngx_conf_t *cf,
    ngx_vidcast_predict_conf_t *predict, u_char *error)
{
    predict->error = ngx_pnalloc(cf->pool, NGX_VIDCAST_ERROR_LEN);
    if (predict->error == NULL) {
        return NGX_CONF_ERROR;
    }

    (void) ngx_cpystrn(predict->error, error, NGX_VIDCAST_ERROR_LEN);

    return NGX_CONF_OK;
}


/*
 * Parameters are "name=value"; what has no "=", or begins with "-", and all
 * behind "--", is for those predictors that have arguments.
 */

static char *
ngx_http_vidcast_source_predict_args(ngx_conf_t *cf,
    ngx_vidcast_predict_conf_t *predict, ngx_str_t *args, ngx_uint_t n)
{
    char                          *rv;
    ngx_int_t                      rc;
    ngx_str_t                      name, value;
    ngx_uint_t                     i, rest;
    ngx_vidcast_predict_module_t  *module;

    rest = 0;
    module = predict->module;

    for (i = 1; i < n; i++) {

        if (module->arg && !rest && ngx_strcmp(args[i].data, "--") == 0) {
            rest = 1;
            continue;
        }

        if (rest
            || (module->arg && args[i].len && args[i].data[0] == '-')
            || ngx_http_vidcast_source_split(&args[i], &name, &value)
               != NGX_OK)
        {
            rc = module->arg ? module->arg(predict, &args[i]) : NGX_DECLINED;

        } else {
            rc = ngx_vidcast_predict_set(predict, &name, &value);
        }

        rv = ngx_http_vidcast_source_answer(cf, &args[i], rc);

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_vidcast_source_output(ngx_conf_t *cf, ngx_vidcast_source_t *source,
    ngx_http_vidcast_field_t *field, ngx_str_t *args, ngx_uint_t n)
{
    return ngx_http_vidcast_source_add_output(cf, source, args, n);
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

    g = &source->original.geometry;
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
