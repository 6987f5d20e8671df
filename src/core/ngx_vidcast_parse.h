
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_PARSE_H_INCLUDED_
#define _NGX_VIDCAST_PARSE_H_INCLUDED_


#include "core/ngx_vidcast.h"


/* the words of a configuration that several directives have */

/* "640x480"; NGX_OK or NGX_ERROR */
ngx_int_t ngx_vidcast_parse_size(ngx_str_t *value, uint32_t *width,
    uint32_t *height);

/* as well "640x" or "x480", of which the other side is zero, then */
ngx_int_t ngx_vidcast_parse_sides(ngx_str_t *value, uint32_t *width,
    uint32_t *height);

/* "within", "stretch" or "letterbox": VIDCAST_FIT_...; NGX_OK or NGX_ERROR */
ngx_int_t ngx_vidcast_parse_fit(ngx_str_t *value, uint32_t *fit);

/* "30", "29.97" or "30000/1001"; NGX_OK or NGX_ERROR */
ngx_int_t ngx_vidcast_parse_fps(ngx_str_t *value, double *fps);

/* "on" or "off"; NGX_OK, or NGX_ERROR: *on stays as it is */
ngx_int_t ngx_vidcast_parse_flag(ngx_str_t *value, ngx_uint_t *on);


#endif /* _NGX_VIDCAST_PARSE_H_INCLUDED_ */
