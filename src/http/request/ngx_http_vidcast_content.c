
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "http/conf/ngx_http_vidcast_module.h"


static ngx_int_t ngx_http_vidcast_content_handler(ngx_http_request_t *r);


char *
ngx_http_vidcast_content_set(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_handler_pt handler)
{
    ngx_http_core_loc_conf_t     *clcf;
    ngx_http_vidcast_loc_conf_t  *vlcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    vlcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_vidcast_module);

    if (vlcf->directive == &cmd->name) {
        return "is duplicate";
    }

    if (vlcf->directive) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" cannot be in one location with \"%V\"",
                           &cmd->name, vlcf->directive);
        return NGX_CONF_ERROR;
    }

    if (clcf->handler) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" cannot be in one location with a handler "
                           "of another module", &cmd->name);
        return NGX_CONF_ERROR;
    }

    clcf->handler = ngx_http_vidcast_content_handler;

    vlcf->handler = handler;
    vlcf->directive = &cmd->name;
    vlcf->file = cf->conf_file->file.name.data;
    vlcf->line = cf->conf_file->line;

    return NGX_CONF_OK;
}


char *
ngx_http_vidcast_content_merge(ngx_conf_t *cf,
    ngx_http_vidcast_loc_conf_t *prev, ngx_http_vidcast_loc_conf_t *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (conf->handler) {

        /* other modules set theirs without a look at what there is */

        if (clcf->handler == ngx_http_vidcast_content_handler) {
            return NGX_CONF_OK;
        }

        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"%V\" cannot be in one location with a handler of "
                      "another module in %s:%ui",
                      conf->directive, conf->file, conf->line);
        return NGX_CONF_ERROR;
    }

    if (!clcf->noname || prev->handler == NULL) {
        return NGX_CONF_OK;
    }

    conf->source = prev->source;
    conf->as = prev->as;
    conf->send = prev->send;
    conf->overlay = prev->overlay;
    conf->publish = prev->publish;
    conf->takeover = prev->takeover;
    conf->publish_timeout = prev->publish_timeout;
    conf->handler = prev->handler;

    /* nginx keeps the handler of the location in "if", but not here */

    if (clcf->lmt_excpt && clcf->handler == NULL) {
        clcf->handler = ngx_http_vidcast_content_handler;
    }

    return NGX_CONF_OK;
}


/*
 * The handler stays that of an earlier "if" when a later one, which has none,
 * gives the configuration: so it is looked up in the latter.
 */

static ngx_int_t
ngx_http_vidcast_content_handler(ngx_http_request_t *r)
{
    ngx_http_vidcast_loc_conf_t  *vlcf;

    vlcf = ngx_http_get_module_loc_conf(r, ngx_http_vidcast_module);

    if (vlcf->handler) {
        return vlcf->handler(r);
    }

    if (ngx_http_vidcast_log_limit(r, NGX_HTTP_VIDCAST_LOG_LOCATION)) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "the last \"if\" that holds has no vidcast directive");
    }

    return NGX_HTTP_INTERNAL_SERVER_ERROR;
}
