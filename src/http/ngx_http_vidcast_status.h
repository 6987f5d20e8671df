
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_HTTP_VIDCAST_STATUS_H_INCLUDED_
#define _NGX_HTTP_VIDCAST_STATUS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_vidcast_zone.h"


/* bytes of the text of one predictor process, whatever its error is */

#define NGX_HTTP_VIDCAST_STATUS_PREDICTOR  2560


/* "error": the reason is copied first, as its owner may be writing it */
u_char *ngx_http_vidcast_status_error(u_char *p, u_char *last,
    const u_char *text);

/* "predictor": nothing, unless the source has processes for it */
u_char *ngx_http_vidcast_status_predictor(u_char *p, u_char *last,
    ngx_vidcast_conf_t *conf, ngx_vidcast_source_t *source, ngx_log_t *log);


#endif /* _NGX_HTTP_VIDCAST_STATUS_H_INCLUDED_ */
