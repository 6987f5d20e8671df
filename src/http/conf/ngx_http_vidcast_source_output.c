
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
#include "output/ngx_vidcast_output.h"


static ngx_int_t ngx_http_vidcast_source_output_uri(ngx_conf_t *cf,
    ngx_vidcast_output_conf_t *output, ngx_str_t *uri, u_char *error);
static char *ngx_http_vidcast_source_bad_output(ngx_conf_t *cf,
    ngx_vidcast_output_conf_t *output, u_char *error);


char *
ngx_http_vidcast_source_add_output(ngx_conf_t *cf,
    ngx_vidcast_source_t *source, ngx_str_t *args, ngx_uint_t n)
{
    char                       *rv;
    u_char                      error[NGX_VIDCAST_ERROR_LEN];
    ngx_str_t                   name, value;
    ngx_uint_t                  i;
    ngx_vidcast_output_conf_t  *output;

    output = &source->outputs[source->noutputs];

    if (source->noutputs == NGX_VIDCAST_MAX_OUTPUTS) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "more than %d outputs of vidcast_source \"%V\"",
                           NGX_VIDCAST_MAX_OUTPUTS, &source->name);
        return NGX_CONF_ERROR;
    }

    output->source = source->name;
    output->index = source->noutputs;
    output->line = cf->conf_file->line;

    if (ngx_http_vidcast_source_keep(cf, &output->args, args, n) != NGX_OK
        || ngx_vidcast_input_redact(cf->pool, &args[0], &output->uri)
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    error[0] = '\0';

    if (ngx_http_vidcast_source_output_uri(cf, output, &args[0], error)
        != NGX_OK)
    {
        return ngx_http_vidcast_source_bad_output(cf, output, error);
    }

    for (i = 0; i < source->noutputs; i++) {

        /* a user more or less makes it no other place */

        if (ngx_vidcast_equal(&source->outputs[i].uri, &output->uri)) {
            return ngx_http_vidcast_source_bad_output(cf, output,
                                          (u_char *) "there is one already");
        }
    }

    output->params = output->module->create_params(cf->pool);
    if (output->params == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < n; i++) {

        if (ngx_http_vidcast_source_split(&args[i], &name, &value) != NGX_OK) {
            return ngx_http_vidcast_source_invalid(cf, "parameter", &args[i]);
        }

        rv = ngx_http_vidcast_source_answer(cf, &args[i],
                                 output->module->set(output, &name, &value));

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    if (output->module->check(output, cf->cycle, error) != NGX_OK) {
        return ngx_http_vidcast_source_bad_output(cf, output, error);
    }

    source->noutputs++;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_vidcast_source_output_uri(ngx_conf_t *cf,
    ngx_vidcast_output_conf_t *output, ngx_str_t *uri, u_char *error)
{
    output->module = ngx_vidcast_output_find(uri, &output->path);

    if (output->module == NULL) {
        ngx_vidcast_output_unknown(error);
        return NGX_ERROR;
    }

    return ngx_vidcast_input_check_uri(uri, error);
}


static char *
ngx_http_vidcast_source_bad_output(ngx_conf_t *cf,
    ngx_vidcast_output_conf_t *output, u_char *error)
{
    ngx_vidcast_escaped_t  escaped;

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid output \"%V\": %V",
                       &output->uri, ngx_vidcast_escape_text(&escaped, error));

    return NGX_CONF_ERROR;
}
