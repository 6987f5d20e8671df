
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "ngx_http_vidcast_module.h"
#include "ngx_http_vidcast_handshake.h"
#include "ngx_http_vidcast_hub.h"
#include "ngx_vidcast_control.h"
#include "ngx_vidcast_manager.h"
#include "ngx_vidcast_notify.h"


#define NGX_HTTP_VIDCAST_WATCH  1000     /* ms */
#define NGX_HTTP_VIDCAST_INPUT  16384


/* a location's static source name, checked when all sources are known */

typedef struct {
    ngx_str_t            name;           /* empty: the only one */
    u_char              *file;
    ngx_uint_t           line;
} ngx_http_vidcast_reference_t;


static ngx_int_t ngx_http_vidcast_handler(ngx_http_request_t *r);
static ngx_http_vidcast_hub_t *ngx_http_vidcast_request_hub(
    ngx_http_request_t *r, ngx_int_t *rc);
static ngx_uint_t ngx_http_vidcast_negotiate(ngx_http_request_t *r);
static ngx_uint_t ngx_http_vidcast_accepts(ngx_http_request_t *r,
    ngx_str_t *type);

static ngx_int_t ngx_http_vidcast_postconfiguration(ngx_conf_t *cf);
static void *ngx_http_vidcast_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_vidcast_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_vidcast_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_http_vidcast(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
static char *ngx_http_vidcast_refer(ngx_conf_t *cf, ngx_str_t *name);
static char *ngx_http_vidcast_status(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_vidcast_ping(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_vidcast_origin(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

static ngx_int_t ngx_http_vidcast_init_module(ngx_cycle_t *cycle);
static ngx_int_t ngx_http_vidcast_init_process(ngx_cycle_t *cycle);
static void ngx_http_vidcast_exit_process(ngx_cycle_t *cycle);
static ngx_http_vidcast_main_conf_t *ngx_http_vidcast_cycle_conf(
    ngx_cycle_t *cycle);
static void ngx_http_vidcast_watch_handler(ngx_event_t *ev);
static void ngx_http_vidcast_exit_handler(ngx_event_t *ev);


static ngx_conf_num_bounds_t  ngx_http_vidcast_fps_bounds = {
    ngx_conf_check_num_bounds, 0, NGX_VIDCAST_MAX_FPS
};


static ngx_conf_num_bounds_t  ngx_http_vidcast_backlog_bounds = {
    ngx_conf_check_num_bounds, 1, 65536
};


static ngx_command_t  ngx_http_vidcast_commands[] = {

    { ngx_string("vidcast_source"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_http_vidcast_source_block,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("vidcast"),
      NGX_HTTP_LOC_CONF|NGX_CONF_ANY,
      ngx_http_vidcast,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("vidcast_status"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_vidcast_status,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("vidcast_fps"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_vidcast_loc_conf_t, fps),
      &ngx_http_vidcast_fps_bounds },

    { ngx_string("vidcast_backlog"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_vidcast_loc_conf_t, backlog),
      &ngx_http_vidcast_backlog_bounds },

    { ngx_string("vidcast_ping"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_vidcast_ping,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("vidcast_stall_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_vidcast_loc_conf_t, stall_timeout),
      NULL },

    { ngx_string("vidcast_max_message"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_vidcast_loc_conf_t, max_message),
      NULL },

    { ngx_string("vidcast_origin"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_vidcast_origin,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_vidcast_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_http_vidcast_postconfiguration,    /* postconfiguration */

    ngx_http_vidcast_create_main_conf,     /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_vidcast_create_loc_conf,      /* create location configuration */
    ngx_http_vidcast_merge_loc_conf        /* merge location configuration */
};


ngx_module_t  ngx_http_vidcast_module = {
    NGX_MODULE_V1,
    &ngx_http_vidcast_module_ctx,          /* module context */
    ngx_http_vidcast_commands,             /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_http_vidcast_init_module,          /* init module */
    ngx_http_vidcast_init_process,         /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_vidcast_exit_process,         /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_http_vidcast_handler(ngx_http_request_t *r)
{
    ngx_int_t                     rc;
    ngx_uint_t                    as;
    ngx_http_vidcast_hub_t       *hub;
    ngx_http_vidcast_loc_conf_t  *vlcf;

    vlcf = ngx_http_get_module_loc_conf(r, ngx_http_vidcast_module);

    hub = ngx_http_vidcast_request_hub(r, &rc);
    if (hub == NULL) {
        return rc;
    }

    as = vlcf->as;

    if (as == NGX_HTTP_VIDCAST_AUTO) {
        as = ngx_http_vidcast_negotiate(r);
    }

    switch (as) {

    case NGX_VIDCAST_WEBSOCKET:
        return ngx_http_vidcast_ws_handler(r, hub);

    case NGX_VIDCAST_SNAPSHOT:
        return ngx_http_vidcast_snapshot_handler(r, hub);

    default:
        return ngx_http_vidcast_stream_handler(r, hub, as);
    }
}


static ngx_http_vidcast_hub_t *
ngx_http_vidcast_request_hub(ngx_http_request_t *r, ngx_int_t *rc)
{
    ngx_str_t                      name;
    ngx_http_vidcast_hub_t        *hub;
    ngx_http_vidcast_loc_conf_t   *vlcf;
    ngx_http_vidcast_main_conf_t  *vmcf;

    vlcf = ngx_http_get_module_loc_conf(r, ngx_http_vidcast_module);
    vmcf = ngx_http_get_module_main_conf(r, ngx_http_vidcast_module);

    *rc = NGX_HTTP_INTERNAL_SERVER_ERROR;

    if (vmcf->hubs == NULL) {
        return NULL;
    }

    if (vlcf->source == NULL) {
        return &vmcf->hubs[0];
    }

    if (ngx_http_complex_value(r, vlcf->source, &name) != NGX_OK) {
        return NULL;
    }

    hub = ngx_http_vidcast_hub_find(vmcf, &name);

    if (hub == NULL) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "no vidcast_source \"%V\"", &name);
        *rc = NGX_HTTP_NOT_FOUND;
    }

    return hub;
}


/* a WebSocket is also what nobody asked for: it is answered by how to ask */

static ngx_uint_t
ngx_http_vidcast_negotiate(ngx_http_request_t *r)
{
    static ngx_str_t  sse = ngx_string("text/event-stream");
    static ngx_str_t  ndjson = ngx_string("application/x-ndjson");
    static ngx_str_t  mjpeg = ngx_string("multipart/x-mixed-replace");
    static ngx_str_t  jpeg = ngx_string("image/jpeg");

    if (ngx_http_vidcast_handshake_wanted(r)) {
        return NGX_VIDCAST_WEBSOCKET;
    }

    if (ngx_http_vidcast_accepts(r, &sse)) {
        return NGX_VIDCAST_SSE;
    }

    if (ngx_http_vidcast_accepts(r, &ndjson)) {
        return NGX_VIDCAST_NDJSON;
    }

    if (ngx_http_vidcast_accepts(r, &mjpeg)) {
        return NGX_VIDCAST_MJPEG;
    }

    if (ngx_http_vidcast_accepts(r, &jpeg)) {
        return NGX_VIDCAST_SNAPSHOT;
    }

    return NGX_VIDCAST_WEBSOCKET;
}


static ngx_uint_t
ngx_http_vidcast_accepts(ngx_http_request_t *r, ngx_str_t *type)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    part = &r->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return 0;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (h[i].key.len == sizeof("Accept") - 1
            && ngx_strncasecmp(h[i].key.data, (u_char *) "Accept",
                               sizeof("Accept") - 1)
               == 0
            && ngx_strlcasestrn(h[i].value.data,
                                h[i].value.data + h[i].value.len,
                                type->data, type->len - 1)
               != NULL)
        {
            return 1;
        }
    }
}


/* locations may name sources which are defined behind them */

static ngx_int_t
ngx_http_vidcast_postconfiguration(ngx_conf_t *cf)
{
    ngx_uint_t                      i, n;
    ngx_vidcast_source_t          **source;
    ngx_http_vidcast_reference_t   *ref;
    ngx_http_vidcast_main_conf_t   *vmcf;

    vmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_vidcast_module);

    ref = vmcf->references.elts;
    source = vmcf->vidcast.sources.elts;

    for (i = 0; i < vmcf->references.nelts; i++) {

        if (ref[i].name.len == 0) {

            if (vmcf->vidcast.sources.nelts == 1) {
                continue;
            }

            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          vmcf->vidcast.sources.nelts
                          ? "\"vidcast\" must name one of the sources in %s:%ui"
                          : "\"vidcast\" without any vidcast_source in %s:%ui",
                          ref[i].file, ref[i].line);
            return NGX_ERROR;
        }

        for (n = 0; n < vmcf->vidcast.sources.nelts; n++) {
            if (source[n]->name.len == ref[i].name.len
                && ngx_strncmp(source[n]->name.data, ref[i].name.data,
                               ref[i].name.len)
                   == 0)
            {
                break;
            }
        }

        if (n == vmcf->vidcast.sources.nelts) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "unknown vidcast_source \"%V\" in %s:%ui",
                          &ref[i].name, ref[i].file, ref[i].line);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static void *
ngx_http_vidcast_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_vidcast_main_conf_t  *vmcf;

    vmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_vidcast_main_conf_t));
    if (vmcf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     vmcf->vidcast.shm_zone = NULL;
     *     vmcf->vidcast.control = NULL;
     *     vmcf->hubs = NULL;
     */

    vmcf->vidcast.cycle = cf->cycle;

    if (ngx_array_init(&vmcf->vidcast.sources, cf->pool, 4,
                       sizeof(ngx_vidcast_source_t *))
        != NGX_OK
        || ngx_array_init(&vmcf->references, cf->pool, 4,
                          sizeof(ngx_http_vidcast_reference_t))
           != NGX_OK)
    {
        return NULL;
    }

    return vmcf;
}


static void *
ngx_http_vidcast_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_vidcast_loc_conf_t  *vlcf;

    vlcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_vidcast_loc_conf_t));
    if (vlcf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     vlcf->source = NULL;
     *     vlcf->as = 0;
     *     vlcf->send = 0;
     *     vlcf->origin = 0;
     */

    vlcf->origins = NGX_CONF_UNSET_PTR;
    vlcf->fps = NGX_CONF_UNSET_UINT;
    vlcf->backlog = NGX_CONF_UNSET_UINT;
    vlcf->ping = NGX_CONF_UNSET_MSEC;
    vlcf->ping_timeout = NGX_CONF_UNSET_MSEC;
    vlcf->stall_timeout = NGX_CONF_UNSET_MSEC;
    vlcf->max_message = NGX_CONF_UNSET_SIZE;

    return vlcf;
}


static char *
ngx_http_vidcast_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_vidcast_loc_conf_t *prev = parent;
    ngx_http_vidcast_loc_conf_t *conf = child;

    /* set by one directive together, "origins" may be NULL then */

    if (conf->origin == 0) {
        conf->origin = prev->origin ? prev->origin
                                    : NGX_HTTP_VIDCAST_ORIGIN_SAME;
        conf->origins = prev->origins;
    }

    ngx_conf_init_ptr_value(conf->origins, NULL);

    ngx_conf_merge_uint_value(conf->fps, prev->fps, 0);
    ngx_conf_merge_uint_value(conf->backlog, prev->backlog, 64);
    ngx_conf_merge_msec_value(conf->ping, prev->ping, 20000);
    ngx_conf_merge_msec_value(conf->ping_timeout, prev->ping_timeout, 20000);
    ngx_conf_merge_msec_value(conf->stall_timeout, prev->stall_timeout, 10000);
    ngx_conf_merge_size_value(conf->max_message, prev->max_message, 16384);

    return NGX_CONF_OK;
}


static char *
ngx_http_vidcast(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_vidcast_loc_conf_t *vlcf = conf;

    ngx_str_t                         *value, *source;
    ngx_uint_t                         i, n;
    ngx_http_core_loc_conf_t          *clcf;
    ngx_http_compile_complex_value_t   ccv;

    static ngx_conf_enum_t  as[] = {
        { ngx_string("as=auto"), NGX_HTTP_VIDCAST_AUTO },
        { ngx_string("as=websocket"), NGX_VIDCAST_WEBSOCKET },
        { ngx_string("as=sse"), NGX_VIDCAST_SSE },
        { ngx_string("as=mjpeg"), NGX_VIDCAST_MJPEG },
        { ngx_string("as=ndjson"), NGX_VIDCAST_NDJSON },
        { ngx_string("as=snapshot"), NGX_VIDCAST_SNAPSHOT },
        { ngx_null_string, 0 }
    };

    static ngx_conf_enum_t  send[] = {
        { ngx_string("send=results"), NGX_HTTP_VIDCAST_RESULTS },
        { ngx_string("send=frames"), NGX_HTTP_VIDCAST_FRAMES },
        { ngx_string("send=both"), NGX_HTTP_VIDCAST_BOTH },
        { ngx_null_string, 0 }
    };

    if (vlcf->send) {
        return "is duplicate";
    }

    vlcf->as = NGX_HTTP_VIDCAST_AUTO;
    vlcf->send = NGX_HTTP_VIDCAST_RESULTS;

    value = cf->args->elts;
    source = NULL;

    for (i = 1; i < cf->args->nelts; i++) {

        for (n = 0; as[n].name.len; n++) {
            if (ngx_strcmp(value[i].data, as[n].name.data) == 0) {
                vlcf->as = as[n].value;
                break;
            }
        }

        if (as[n].name.len) {
            continue;
        }

        for (n = 0; send[n].name.len; n++) {
            if (ngx_strcmp(value[i].data, send[n].name.data) == 0) {
                vlcf->send = send[n].value;
                break;
            }
        }

        if (send[n].name.len) {
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

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_vidcast_handler;

    if (source == NULL) {
        return ngx_http_vidcast_refer(cf, NULL);
    }

    vlcf->source = ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (vlcf->source == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = source;
    ccv.complex_value = vlcf->source;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    /* a name made of variables is known only when a request comes */

    return vlcf->source->lengths ? NGX_CONF_OK
                                 : ngx_http_vidcast_refer(cf, source);
}


static char *
ngx_http_vidcast_refer(ngx_conf_t *cf, ngx_str_t *name)
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

    return NGX_CONF_OK;
}


static char *
ngx_http_vidcast_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_vidcast_status_handler;

    return NGX_CONF_OK;
}


static char *
ngx_http_vidcast_ping(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_vidcast_loc_conf_t *vlcf = conf;

    ngx_int_t   time;
    ngx_str_t  *value, timeout;

    if (vlcf->ping != NGX_CONF_UNSET_MSEC) {
        return "is duplicate";
    }

    value = cf->args->elts;

    time = ngx_parse_time(&value[1], 0);

    if (time == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid value \"%V\"",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    vlcf->ping = time;

    if (cf->args->nelts == 2) {
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(value[2].data, "timeout=", 8) != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid parameter \"%V\"",
                           &value[2]);
        return NGX_CONF_ERROR;
    }

    timeout.data = value[2].data + 8;
    timeout.len = value[2].len - 8;

    time = ngx_parse_time(&timeout, 0);

    if (time == NGX_ERROR || time == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid value \"%V\"",
                           &value[2]);
        return NGX_CONF_ERROR;
    }

    vlcf->ping_timeout = time;

    return NGX_CONF_OK;
}


static char *
ngx_http_vidcast_origin(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_vidcast_loc_conf_t *vlcf = conf;

    ngx_str_t   *value, *host;
    ngx_uint_t   i;

    if (vlcf->origin) {
        return "is duplicate";
    }

    value = cf->args->elts;
    vlcf->origins = NULL;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strcmp(value[i].data, "any") == 0) {
            vlcf->origin |= NGX_HTTP_VIDCAST_ORIGIN_ANY;
            continue;
        }

        if (ngx_strcmp(value[i].data, "same") == 0) {
            vlcf->origin |= NGX_HTTP_VIDCAST_ORIGIN_SAME;
            continue;
        }

        vlcf->origin |= NGX_HTTP_VIDCAST_ORIGIN_NONE;

        if (ngx_strcmp(value[i].data, "none") == 0) {

            if (cf->args->nelts == 2) {
                continue;
            }

            return "has \"none\" beside other values";
        }

        if (ngx_strchr(value[i].data, '/') || value[i].len == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid host \"%V\", it is \"host[:port]\" "
                               "without a scheme", &value[i]);
            return NGX_CONF_ERROR;
        }

        if (vlcf->origins == NULL) {
            vlcf->origins = ngx_array_create(cf->pool, 4, sizeof(ngx_str_t));
            if (vlcf->origins == NULL) {
                return NGX_CONF_ERROR;
            }
        }

        host = ngx_array_push(vlcf->origins);
        if (host == NULL) {
            return NGX_CONF_ERROR;
        }

        *host = value[i];
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_vidcast_init_module(ngx_cycle_t *cycle)
{
    ngx_http_vidcast_main_conf_t  *vmcf, *old;

    if (ngx_test_config) {
        return NGX_OK;
    }

    vmcf = ngx_http_vidcast_cycle_conf(cycle);
    old = ngx_http_vidcast_cycle_conf(cycle->old_cycle);

    ngx_vidcast_zone_publish(vmcf ? &vmcf->vidcast : NULL,
                             old ? &old->vidcast : NULL);

    return NGX_OK;
}


/* NULL: a configuration without us */

static ngx_http_vidcast_main_conf_t *
ngx_http_vidcast_cycle_conf(ngx_cycle_t *cycle)
{
    ngx_http_vidcast_main_conf_t  *vmcf;

    if (cycle == NULL
        || cycle->conf_ctx == NULL
        || ngx_get_conf(cycle->conf_ctx, ngx_http_module) == NULL)
    {
        return NULL;
    }

    vmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_vidcast_module);

    return (vmcf && vmcf->vidcast.control) ? vmcf : NULL;
}


static ngx_int_t
ngx_http_vidcast_init_process(ngx_cycle_t *cycle)
{
    ngx_vidcast_control_t         *control;
    ngx_http_vidcast_main_conf_t  *vmcf;

    vmcf = ngx_http_vidcast_cycle_conf(cycle);

    if (vmcf == NULL) {
        return NGX_OK;
    }

    control = vmcf->vidcast.control;

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        /* a cache manager must not be what keeps captures alive */

        (void) ngx_close_file(control->alive[1]);
        control->alive[1] = NGX_INVALID_FILE;

        return NGX_OK;
    }

    ngx_vidcast_process_enter(&vmcf->vidcast, cycle->log);

    vmcf->input = ngx_pnalloc(cycle->pool, NGX_HTTP_VIDCAST_INPUT);
    if (vmcf->input == NULL
        || ngx_http_vidcast_hub_init(cycle, vmcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    vmcf->exit = ngx_vidcast_notify_watch_exit(ngx_http_vidcast_exit_handler,
                                               vmcf, cycle->log);
    if (vmcf->exit == NULL) {
        return NGX_ERROR;
    }

    vmcf->watch.handler = ngx_http_vidcast_watch_handler;
    vmcf->watch.data = vmcf;
    vmcf->watch.log = cycle->log;
    vmcf->watch.cancelable = 1;

    ngx_add_timer(&vmcf->watch, NGX_HTTP_VIDCAST_WATCH);

    /* the other workers take the part of this one when it has died */

    if (ngx_worker == 0) {
        ngx_vidcast_manager_start(&vmcf->vidcast);
    }

    return NGX_OK;
}


static void
ngx_http_vidcast_exit_process(ngx_cycle_t *cycle)
{
    ngx_http_vidcast_main_conf_t  *vmcf;

    vmcf = ngx_http_vidcast_cycle_conf(cycle);

    if (vmcf == NULL || vmcf->exit == NULL) {
        return;
    }

    if (vmcf->watch.timer_set) {
        ngx_del_timer(&vmcf->watch);
    }

    ngx_http_vidcast_hub_exit(vmcf);

    ngx_vidcast_notify_unwatch_exit(vmcf->exit);
    vmcf->exit = NULL;

    ngx_vidcast_process_leave(&vmcf->vidcast);
}


static void
ngx_http_vidcast_watch_handler(ngx_event_t *ev)
{
    ngx_http_vidcast_main_conf_t  *vmcf;

    vmcf = ev->data;

    if (ngx_exiting) {
        return;
    }

    ngx_vidcast_manager_start(&vmcf->vidcast);

    ngx_add_timer(ev, NGX_HTTP_VIDCAST_WATCH);
}


static void
ngx_http_vidcast_exit_handler(ngx_event_t *ev)
{
    ngx_connection_t              *c;
    ngx_http_vidcast_main_conf_t  *vmcf;

    c = ev->data;
    vmcf = c->data;

    if (!c->close) {
        return;
    }

    ngx_vidcast_process_exiting(&vmcf->vidcast);

    ngx_http_vidcast_hub_drain(vmcf);
}
