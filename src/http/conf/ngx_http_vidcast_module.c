
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "http/conf/ngx_http_vidcast_module.h"
#include "http/offline/ngx_http_vidcast_offline.h"
#include "http/request/ngx_http_vidcast_access.h"
#include "http/request/ngx_http_vidcast_origin.h"
#include "os/ngx_vidcast_sandbox.h"


#define NGX_HTTP_VIDCAST_WATCHDOG_LEAST  1000    /* ms */


static ngx_int_t ngx_http_vidcast_init(ngx_conf_t *cf);
static void *ngx_http_vidcast_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_vidcast_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_vidcast_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_http_vidcast_watchdog(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_vidcast_status(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_vidcast_health(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_vidcast_echo(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_vidcast_ping(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_vidcast_origin(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_vidcast_not_zero(ngx_conf_t *cf, void *post,
    void *data);


static ngx_conf_num_bounds_t  ngx_http_vidcast_fps_bounds = {
    ngx_conf_check_num_bounds, 0, NGX_VIDCAST_MAX_FPS
};


static ngx_conf_num_bounds_t  ngx_http_vidcast_backlog_bounds = {
    ngx_conf_check_num_bounds, 1, 65536
};


static ngx_conf_enum_t  ngx_http_vidcast_offline_policies[] = {
    { ngx_string("hold"), NGX_HTTP_VIDCAST_HOLD },
    { ngx_string("picture"), NGX_HTTP_VIDCAST_PICTURE },
    { ngx_string("close"), NGX_HTTP_VIDCAST_CLOSE },
    { ngx_null_string, 0 }
};


static ngx_conf_post_t  ngx_http_vidcast_stall_post = {
    ngx_http_vidcast_not_zero
};


/*
 * Adding a directive, or a parameter of "vidcast" or "vidcast_publish": these
 * files.
 *
 *     src/http/conf/ngx_http_vidcast_module.h
 *         its member of ngx_http_vidcast_loc_conf_t
 *     src/http/conf/ngx_http_vidcast_module.c
 *         a directive: its row below; its value at first, and how it merges
 *     src/http/conf/ngx_http_vidcast_location.c
 *         a parameter: its row, its words, and what it cannot be combined with
 *     src/http/request/ngx_http_vidcast_content.c
 *         a parameter: the same inside of "if" and "limit_except"
 *     docs/directives/locations.md, docs/directives/viewers.md, CHANGES
 *         syntax, default and context, which t/util/gate-readme compares with
 *         what stands here
 *     conf/vidcast-full.conf
 *         its default, or an example
 *     t/conf.t, t/conf-errors.t
 *         good values and bad ones
 *     t/lib/Vidcast/Features.pm
 *         its row in the table of features
 *
 * What a viewer may ask for by the query has a list of its own, in
 * src/wire/ngx_vidcast_query.c.
 */

static ngx_command_t  ngx_http_vidcast_commands[] = {

    { ngx_string("vidcast_source"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_http_vidcast_source_block,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("vidcast_debug"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_vidcast_main_conf_t, debug),
      NULL },

    { ngx_string("vidcast_watchdog"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_vidcast_watchdog,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("vidcast"),
      NGX_HTTP_LOC_CONF|NGX_HTTP_LIF_CONF|NGX_HTTP_LMT_CONF|NGX_CONF_ANY,
      ngx_http_vidcast_location,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("vidcast_status"),
      NGX_HTTP_LOC_CONF|NGX_HTTP_LIF_CONF|NGX_HTTP_LMT_CONF|NGX_CONF_NOARGS
                       |NGX_CONF_TAKE1,
      ngx_http_vidcast_status,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("vidcast_health"),
      NGX_HTTP_LOC_CONF|NGX_HTTP_LIF_CONF|NGX_HTTP_LMT_CONF|NGX_CONF_NOARGS,
      ngx_http_vidcast_health,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("vidcast_echo"),
      NGX_HTTP_LOC_CONF|NGX_HTTP_LIF_CONF|NGX_HTTP_LMT_CONF|NGX_CONF_NOARGS,
      ngx_http_vidcast_echo,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("vidcast_publish"),
      NGX_HTTP_LOC_CONF|NGX_HTTP_LIF_CONF|NGX_HTTP_LMT_CONF|NGX_CONF_TAKE123,
      ngx_http_vidcast_location_publish,
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

    { ngx_string("vidcast_max_viewers"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_vidcast_loc_conf_t, max_viewers),
      NULL },

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
      &ngx_http_vidcast_stall_post },

    { ngx_string("vidcast_snapshot_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_vidcast_loc_conf_t, snapshot_timeout),
      NULL },

    { ngx_string("vidcast_offline"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_vidcast_loc_conf_t, offline),
      &ngx_http_vidcast_offline_policies },

    { ngx_string("vidcast_deflate"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_vidcast_loc_conf_t, deflate),
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
    ngx_http_vidcast_variables_add,        /* preconfiguration */
    ngx_http_vidcast_init,                 /* postconfiguration */

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
ngx_http_vidcast_init(ngx_conf_t *cf)
{
    ngx_http_vidcast_main_conf_t  *vmcf;

    vmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_vidcast_module);

    if (vmcf->debug == 1) {
        vmcf->vidcast.sandbox |= NGX_VIDCAST_SANDBOX_DEBUG;
    }

    ngx_conf_init_msec_value(vmcf->vidcast.watchdog, 10000);

    if (ngx_http_vidcast_location_check(cf) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_vidcast_access_init(cf);
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
     *     vmcf->vidcast.sandbox = 0;
     *     vmcf->echo = 0;
     *     vmcf->offline = NULL;
     *     vmcf->feeds = NULL;
     */

    vmcf->debug = NGX_CONF_UNSET;
    vmcf->vidcast.watchdog = NGX_CONF_UNSET_MSEC;

    if (ngx_vidcast_conf_init(&vmcf->vidcast, cf->cycle) != NGX_OK
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
     *     vlcf->overlay = 0;
     *     vlcf->origin = 0;
     *     vlcf->publish = NULL;
     *     vlcf->takeover = 0;
     *     vlcf->publish_timeout = 0;
     *     vlcf->handler = NULL;
     *     vlcf->directive = NULL;
     */

    vlcf->origins = NGX_CONF_UNSET_PTR;
    vlcf->fps = NGX_CONF_UNSET_UINT;
    vlcf->backlog = NGX_CONF_UNSET_UINT;
    vlcf->max_viewers = NGX_CONF_UNSET_UINT;
    vlcf->ping = NGX_CONF_UNSET_MSEC;
    vlcf->ping_timeout = NGX_CONF_UNSET_MSEC;
    vlcf->stall_timeout = NGX_CONF_UNSET_MSEC;
    vlcf->snapshot_timeout = NGX_CONF_UNSET_MSEC;
    vlcf->offline = NGX_CONF_UNSET_UINT;
    vlcf->max_message = NGX_CONF_UNSET_SIZE;
    vlcf->deflate = NGX_CONF_UNSET;

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
    ngx_conf_merge_uint_value(conf->max_viewers, prev->max_viewers, 0);
    ngx_conf_merge_msec_value(conf->ping, prev->ping, 20000);
    ngx_conf_merge_msec_value(conf->ping_timeout, prev->ping_timeout, 20000);
    ngx_conf_merge_msec_value(conf->stall_timeout, prev->stall_timeout, 10000);
    ngx_conf_merge_msec_value(conf->snapshot_timeout, prev->snapshot_timeout,
                              3000);
    ngx_conf_merge_uint_value(conf->offline, prev->offline,
                              NGX_HTTP_VIDCAST_HOLD);
    ngx_conf_merge_size_value(conf->max_message, prev->max_message, 16384);
    ngx_conf_merge_value(conf->deflate, prev->deflate, 0);

    if (ngx_http_vidcast_content_merge(cf, prev, conf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (conf->publish) {
        ngx_http_vidcast_location_body(cf);
    }

    return NGX_CONF_OK;
}


/* a main loop that has a short time may only be waiting for a processor */

static char *
ngx_http_vidcast_watchdog(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_vidcast_main_conf_t *vmcf = conf;

    ngx_int_t   time;
    ngx_str_t  *value;

    if (vmcf->vidcast.watchdog != NGX_CONF_UNSET_MSEC) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        vmcf->vidcast.watchdog = 0;
        return NGX_CONF_OK;
    }

    time = ngx_parse_time(&value[1], 0);

    if (time == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid value \"%V\"",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    if (time < NGX_HTTP_VIDCAST_WATCHDOG_LEAST) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is too short for \"vidcast_watchdog\", "
                           "which is \"off\", or one second at least",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    vmcf->vidcast.watchdog = time;

    return NGX_CONF_OK;
}


static char *
ngx_http_vidcast_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    if (cf->args->nelts == 1 || ngx_strcmp(value[1].data, "json") == 0) {
        return ngx_http_vidcast_content_set(cf, cmd,
                                            ngx_http_vidcast_status_handler);
    }

    if (ngx_strcmp(value[1].data, "prometheus") == 0) {
        return ngx_http_vidcast_content_set(cf, cmd,
                                            ngx_http_vidcast_metrics_handler);
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid parameter \"%V\"",
                       &value[1]);

    return NGX_CONF_ERROR;
}


static char *
ngx_http_vidcast_health(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return ngx_http_vidcast_content_set(cf, cmd,
                                        ngx_http_vidcast_health_handler);
}


static char *
ngx_http_vidcast_echo(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_vidcast_main_conf_t  *vmcf;

    vmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_vidcast_module);
    vmcf->echo = 1;

    return ngx_http_vidcast_content_set(cf, cmd,
                                        ngx_http_vidcast_echo_handler);
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

    ngx_str_t                  *value;
    ngx_uint_t                  i;
    ngx_http_vidcast_origin_t  *origin;

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

        if (vlcf->origins == NULL) {
            vlcf->origins = ngx_array_create(cf->pool, 4,
                                           sizeof(ngx_http_vidcast_origin_t));
            if (vlcf->origins == NULL) {
                return NGX_CONF_ERROR;
            }
        }

        origin = ngx_array_push(vlcf->origins);
        if (origin == NULL) {
            return NGX_CONF_ERROR;
        }

        if (ngx_http_vidcast_origin_value(&value[i], origin) != NGX_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid host \"%V\", it is "
                               "\"[scheme://]host[:port]\"", &value[i]);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_vidcast_not_zero(ngx_conf_t *cf, void *post, void *data)
{
    ngx_msec_t  *msp = data;

    return *msp ? NGX_CONF_OK : "must not be zero";
}
