
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _UNIT_NGX_H_INCLUDED_
#define _UNIT_NGX_H_INCLUDED_


/*
 * What ngx_core.c adds to nginx's own functions.  The log's level is
 * NGX_LOG_INFO and may be changed; ngx_cycle->log is the same log.
 */

#include <ngx_config.h>
#include <ngx_core.h>


extern ngx_log_t   unit_log;
extern char        unit_log_last[NGX_MAX_ERROR_STR];  /* terminated */
extern ngx_uint_t  unit_log_count[NGX_LOG_DEBUG + 1]; /* lines by level */


#endif /* _UNIT_NGX_H_INCLUDED_ */
