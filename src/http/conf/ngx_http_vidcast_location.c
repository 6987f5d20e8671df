
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "core/ngx_vidcast_string.h"
#include "http/conf/ngx_http_vidcast_module.h"
#include "http/offline/ngx_http_vidcast_offline.h"
#include "http/publish/ngx_http_vidcast_publish_body.h"
#include "http/request/ngx_http_vidcast_params.h"


/* an overlay has no results */

#define NGX_HTTP_VIDCAST_OVERLAY_RESULT  64

#define NGX_HTTP_VIDCAST_PUBLISH_TIMEOUT  30000    /* ms */


typedef struct {
    ngx_str_t          name;
    ngx_conf_enum_t   *words;     /* NULL: it is a time, not zero */
    size_t             offset;    /* of a ngx_uint_t, or ngx_msec_t */
} ngx_http_vidcast_location_param_t;


static ngx_int_t ngx_http_vidcast_location_set(ngx_str_t *arg,
    ngx_http_vidcast_location_param_t *param,
    ngx_http_vidcast_loc_conf_t *vlcf);
static char *ngx_http_vidcast_refer_list(ngx_conf_t *cf, ngx_str_t *list,
    ngx_uint_t overlay);
static char *ngx_http_vidcast_refer(ngx_conf_t *cf, ngx_str_t *name,
    ngx_uint_t push, ngx_uint_t overlay);
static ngx_int_t ngx_http_vidcast_location_overlay(ngx_conf_t *cf,
    ngx_http_vidcast_main_conf_t *vmcf, ngx_vidcast_source_t *source);
static ngx_http_complex_value_t *ngx_http_vidcast_compile(ngx_conf_t *cf,
    ngx_str_t *value);


static ngx_conf_enum_t  ngx_http_vidcast_location_as[] = {
    { ngx_string("auto"), NGX_HTTP_VIDCAST_AUTO },
    { ngx_string("websocket"), NGX_VIDCAST_WEBSOCKET },
    { ngx_string("sse"), NGX_VIDCAST_SSE },
    { ngx_string("mjpeg"), NGX_VIDCAST_MJPEG },
    { ngx_string("ndjson"), NGX_VIDCAST_NDJSON },
    { ngx_string("snapshot"), NGX_VIDCAST_SNAPSHOT },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_vidcast_location_send[] = {
    { ngx_string("results"), NGX_HTTP_VIDCAST_RESULTS },
    { ngx_string("frames"), NGX_HTTP_VIDCAST_FRAMES },
    { ngx_string("both"), NGX_HTTP_VIDCAST_BOTH },
    { ngx_string("paired"), NGX_HTTP_VIDCAST_PAIRED },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_vidcast_location_flag[] = {
    { ngx_string("on"), 1 },
    { ngx_string("off"), 0 },
    { ngx_null_string, 0 }
};


/* both tables are read by t/features.t and t/util/gate-readme as they stand */

static ngx_http_vidcast_location_param_t  ngx_http_vidcast_params[] = {
    { ngx_string("as"), ngx_http_vidcast_location_as,
      offsetof(ngx_http_vidcast_loc_conf_t, as) },
    { ngx_string("send"), ngx_http_vidcast_location_send,
      offsetof(ngx_http_vidcast_loc_conf_t, send) },
    { ngx_string("overlay"), ngx_http_vidcast_location_flag,
      offsetof(ngx_http_vidcast_loc_conf_t, overlay) },
    { ngx_null_string, NULL, 0 }
};


static ngx_http_vidcast_location_param_t  ngx_http_vidcast_publish_params[] = {
    { ngx_string("takeover"), ngx_http_vidcast_location_flag,
      offsetof(ngx_http_vidcast_loc_conf_t, takeover) },
    { ngx_string("timeout"), NULL,
      offsetof(ngx_http_vidcast_loc_conf_t, publish_timeout) },
    { ngx_null_string, NULL, 0 }
};


char *
ngx_http_vidcast_location(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_vidcast_loc_conf_t *vlcf = conf;

    char                          *rv;
    ngx_str_t                     *value, *source;
    ngx_uint_t                     i;
    ngx_http_vidcast_main_conf_t  *vmcf;

    rv = ngx_http_vidcast_content_set(cf, cmd, ngx_http_vidcast_handler);

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    vlcf->as = NGX_HTTP_VIDCAST_AUTO;
    vlcf->send = NGX_HTTP_VIDCAST_RESULTS;

    value = cf->args->elts;
    source = NULL;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_http_vidcast_location_set(&value[i], ngx_http_vidcast_params,
                                          vlcf)
            == NGX_OK)
        {
            continue;
        }

        if (i == 1 && ngx_strchr(value[i].data, '=') == NULL) {
            source = &value[i];
            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\"", &value[i]);
        return NGX_CONF_ERROR;
    }

    if (vlcf->overlay
        && vlcf->as != NGX_HTTP_VIDCAST_AUTO
        && vlcf->as != NGX_VIDCAST_MJPEG
        && vlcf->as != NGX_VIDCAST_SNAPSHOT)
    {
        return "has \"overlay=on\" without pictures to draw on, which are "
               "those of \"as=mjpeg\" and \"as=snapshot\"";
    }

    if (source == NULL) {
        return ngx_http_vidcast_refer(cf, NULL, 0, vlcf->overlay);
    }

    vlcf->source = ngx_http_vidcast_compile(cf, source);
    if (vlcf->source == NULL) {
        return NGX_CONF_ERROR;
    }

    /* a name made of variables is known only when a request comes */

    if (vlcf->source->lengths) {
        vmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_vidcast_module);
        vmcf->overlay |= vlcf->overlay;

        return NGX_CONF_OK;
    }

    return ngx_http_vidcast_refer_list(cf, source, vlcf->overlay);
}


char *
ngx_http_vidcast_location_publish(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_vidcast_loc_conf_t *vlcf = conf;

    char        *rv;
    ngx_str_t   *value;
    ngx_uint_t   i;

    rv = ngx_http_vidcast_content_set(cf, cmd,
                                      ngx_http_vidcast_publish_handler);

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    value = cf->args->elts;

    vlcf->publish = ngx_http_vidcast_compile(cf, &value[1]);
    if (vlcf->publish == NULL) {
        return NGX_CONF_ERROR;
    }

    vlcf->publish_timeout = NGX_HTTP_VIDCAST_PUBLISH_TIMEOUT;

    for (i = 2; i < cf->args->nelts; i++) {

        if (ngx_http_vidcast_location_set(&value[i],
                                          ngx_http_vidcast_publish_params,
                                          vlcf)
            != NGX_OK)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\"", &value[i]);
            return NGX_CONF_ERROR;
        }
    }

    return vlcf->publish->lengths ? NGX_CONF_OK
                                  : ngx_http_vidcast_refer(cf, &value[1], 1,
                                                           0);
}


/* "name=word"; NGX_DECLINED: no such one */

static ngx_int_t
ngx_http_vidcast_location_set(ngx_str_t *arg,
    ngx_http_vidcast_location_param_t *param,
    ngx_http_vidcast_loc_conf_t *vlcf)
{
    ngx_int_t         time;
    ngx_str_t         name, word;
    ngx_uint_t       *value;
    ngx_conf_enum_t  *known;

    name.data = arg->data;
    word.data = (u_char *) ngx_strchr(arg->data, '=');

    if (word.data == NULL) {
        return NGX_DECLINED;
    }

    name.len = word.data++ - name.data;
    word.len = arg->data + arg->len - word.data;

    for ( /* void */ ; param->name.len; param++) {

        if (!ngx_vidcast_equal(&name, &param->name)) {
            continue;
        }

        value = (ngx_uint_t *) ((u_char *) vlcf + param->offset);

        if (param->words == NULL) {
            time = ngx_parse_time(&word, 0);

            if (time == NGX_ERROR || time == 0) {
                return NGX_DECLINED;
            }

            *value = (ngx_uint_t) time;
            return NGX_OK;
        }

        for (known = param->words; known->name.len; known++) {

            if (ngx_vidcast_equal(&word, &known->name)) {
                *value = known->value;
                return NGX_OK;
            }
        }
    }

    return NGX_DECLINED;
}


static char *
ngx_http_vidcast_refer_list(ngx_conf_t *cf, ngx_str_t *list,
    ngx_uint_t overlay)
{
    char       *rv;
    ngx_str_t   rest, name;
    ngx_uint_t  n, more;

    n = 0;
    rest = *list;

    do {
        more = ngx_vidcast_list_next(&rest, &name, 0);

        if (n++ == NGX_HTTP_VIDCAST_MAX_WATCH) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "more than %d sources in \"%V\"",
                               NGX_HTTP_VIDCAST_MAX_WATCH, list);
            return NGX_CONF_ERROR;
        }

        rv = ngx_http_vidcast_refer(cf, &name, 0, overlay);

        if (rv != NGX_CONF_OK) {
            return rv;
        }

    } while (more);

    return NGX_CONF_OK;
}


static char *
ngx_http_vidcast_refer(ngx_conf_t *cf, ngx_str_t *name, ngx_uint_t push,
    ngx_uint_t overlay)
{
    ngx_http_vidcast_reference_t  *ref;
    ngx_http_vidcast_main_conf_t  *vmcf;

    vmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_vidcast_module);

    ref = ngx_array_push(&vmcf->references);
    if (ref == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_str_null(&ref->name);

    if (name) {
        ref->name = *name;
    }

    ref->file = cf->conf_file->file.name.data;
    ref->line = cf->conf_file->line;
    ref->push = push;
    ref->overlay = overlay;

    return NGX_CONF_OK;
}


/*
 * A body that does not fit into nginx's buffer is written to a file, and read
 * from there, by a worker that meanwhile serves nobody.  A picture fits, unless
 * the buffer has been configured.  Its memory is taken as bytes come.
 */

void
ngx_http_vidcast_location_body(ngx_conf_t *cf)
{
    size_t                          size;
    ngx_uint_t                      i;
    ngx_vidcast_source_t          **source;
    ngx_http_core_loc_conf_t       *clcf;
    ngx_http_vidcast_main_conf_t   *vmcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    vmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_vidcast_module);

    /* nginx's default; its module has been merged before ours */

    if (clcf->client_body_buffer_size != (size_t) 2 * ngx_pagesize) {
        return;
    }

    source = vmcf->vidcast.sources.elts;
    size = 0;

    for (i = 0; i < vmcf->vidcast.sources.nelts; i++) {
        if (source[i]->input.push) {
            size = ngx_max(size, source[i]->original.geometry.slot_size);
        }
    }

    size += NGX_HTTP_VIDCAST_PUBLISH_FORM;

    if (clcf->client_max_body_size
        && (off_t) size > clcf->client_max_body_size)
    {
        size = (size_t) clcf->client_max_body_size;
    }

    clcf->client_body_buffer_size = ngx_max(size,
                                            clcf->client_body_buffer_size);
}


/* NULL: logged */

static ngx_http_complex_value_t *
ngx_http_vidcast_compile(ngx_conf_t *cf, ngx_str_t *value)
{
    ngx_http_complex_value_t          *cv;
    ngx_http_compile_complex_value_t   ccv;

    cv = ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (cv == NULL) {
        return NULL;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = value;
    ccv.complex_value = cv;

    return (ngx_http_compile_complex_value(&ccv) == NGX_OK) ? cv : NULL;
}


/* locations may name sources which are defined behind them */

ngx_int_t
ngx_http_vidcast_location_check(ngx_conf_t *cf)
{
    ngx_int_t                       n;
    ngx_uint_t                      i;
    ngx_vidcast_source_t          **source;
    ngx_http_vidcast_reference_t   *ref;
    ngx_http_vidcast_main_conf_t   *vmcf;

    vmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_vidcast_module);

    ref = vmcf->references.elts;
    source = vmcf->vidcast.sources.elts;

    for (i = 0; i < vmcf->references.nelts; i++) {

        if (ref[i].name.data == NULL) {

            if (vmcf->vidcast.sources.nelts != 1) {
                ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                              vmcf->vidcast.sources.nelts
                              ? "\"vidcast\" must name one of the sources "
                                "in %s:%ui"
                              : "\"vidcast\" without any vidcast_source "
                                "in %s:%ui",
                              ref[i].file, ref[i].line);
                return NGX_ERROR;
            }

            n = 0;

        } else {
            n = ngx_http_vidcast_source_find(vmcf, &ref[i].name);
        }

        if (n == NGX_ERROR) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "unknown vidcast_source \"%V\" in %s:%ui",
                          &ref[i].name, ref[i].file, ref[i].line);
            return NGX_ERROR;
        }

        if (ref[i].push && !source[n]->input.push) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"vidcast_publish\" needs a source with "
                          "\"input push:\", which \"%V\" is not, in %s:%ui",
                          &ref[i].name, ref[i].file, ref[i].line);
            return NGX_ERROR;
        }

        if (ref[i].overlay
            && ngx_http_vidcast_location_overlay(cf, vmcf, source[n])
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    for (i = 0; i < vmcf->vidcast.sources.nelts; i++) {

        if (vmcf->overlay
            && ngx_http_vidcast_location_overlay(cf, vmcf, source[i])
               != NGX_OK)
        {
            return NGX_ERROR;
        }

        ngx_http_vidcast_source_fingerprint(source[i]);
    }

    if (vmcf->vidcast.sources.nelts == 0) {
        return NGX_OK;
    }

    return ngx_http_vidcast_offline_create(cf, vmcf);
}


static ngx_int_t
ngx_http_vidcast_location_overlay(ngx_conf_t *cf,
    ngx_http_vidcast_main_conf_t *vmcf, ngx_vidcast_source_t *source)
{
    ngx_vidcast_rendition_t  *overlay;

    if (source->overlay) {
        return NGX_OK;
    }

    overlay = ngx_pcalloc(cf->pool, sizeof(ngx_vidcast_rendition_t));
    if (overlay == NULL) {
        return NGX_ERROR;
    }

    overlay->source = source;
    overlay->encoders = 1;
    overlay->geometry.slot_size = source->original.geometry.slot_size;
    overlay->geometry.results = 1;
    overlay->geometry.result_size = NGX_HTTP_VIDCAST_OVERLAY_RESULT;

    source->overlay = overlay;

    return ngx_vidcast_zone_add_overlay(cf, &vmcf->vidcast, source,
                                        &ngx_http_vidcast_module);
}
