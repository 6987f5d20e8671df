
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast_error.h"


void
ngx_vidcast_error(u_char *error, const char *fmt, ...)
{
    u_char   *p;
    va_list   args;

    va_start(args, fmt);
    p = ngx_vslprintf(error, error + NGX_VIDCAST_ERROR_LEN - 1, fmt, args);
    va_end(args);

    *p = '\0';
}
