
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_HTTP_VIDCAST_STATUS_PREDICTOR_H_INCLUDED_
#define _NGX_HTTP_VIDCAST_STATUS_PREDICTOR_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "http/status/ngx_http_vidcast_text.h"
#include "shm/ngx_vidcast_zone.h"


/* "predictor": nothing, unless the source has processes for it */
void ngx_http_vidcast_status_predictor(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf, ngx_vidcast_source_t *source, ngx_log_t *log);


#endif /* _NGX_HTTP_VIDCAST_STATUS_PREDICTOR_H_INCLUDED_ */
