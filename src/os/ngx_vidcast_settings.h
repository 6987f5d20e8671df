
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_SETTINGS_H_INCLUDED_
#define _NGX_VIDCAST_SETTINGS_H_INCLUDED_


#include "os/ngx_vidcast_program.h"
#include "shm/ngx_vidcast_zone.h"


#define NGX_VIDCAST_TITLE  (NGX_VIDCAST_MAX_NAME + 64)


/* what a process of ours is for */

typedef enum {
    NGX_VIDCAST_MANAGER = 0,
    NGX_VIDCAST_CAPTURE,
    NGX_VIDCAST_PREDICTOR,
    NGX_VIDCAST_CHECK_INPUT,       /* of a configuration which is read */
    NGX_VIDCAST_CHECK_PREDICTOR,
    NGX_VIDCAST_CHECK_OUTPUT,
    NGX_VIDCAST_ROLES
} ngx_vidcast_role_e;


typedef struct {
    ngx_vidcast_role_e     role;
    ngx_uint_t             index;     /* of a predictor or an output that
                                         is checked, from 0 on */
    ngx_vidcast_source_t  *source;    /* of the manager: NULL */
    ngx_fd_t               answer;    /* of a check: where it is written to */
} ngx_vidcast_child_t;


/*
 * The settings of a process: a configuration for nginx with no more than what
 * the process is for, in a sealed memfd.  A source is in it as the words of
 * its directives, which are read again by what has read them first; memory,
 * locks and logs are the numbers of descriptors:
 *
 *     vidcast_child ROLE INDEX {
 *         program BINARY MODULE FILE;      and the module's full name
 *         answer FD;                       of a check, nothing else
 *         generation N;
 *         sandbox FLAGS;
 *         control FD ...;                  see ngx_vidcast_control_attach()
 *         log FD LEVEL FILE;               each, the one of all first
 *         syslog SERVER FACILITY SEVERITY TAG LEVEL;
 *     }
 *
 *     vidcast_child_source NAME {
 *         entry N FINGERPRINT MEMORY;
 *         original SLOTS SIZE RESULTS SIZE FD ...;  see
 *                                          ngx_vidcast_zone_attach()
 *         overlay SLOTS SIZE RESULTS SIZE FD ...;
 *         input ...;                       as in vidcast_source
 *         output ...;                      each; not of a predictor
 *     }
 *
 * create() makes them, and lists in program->keep the descriptors which are
 * named in them; "pool" is a temporary one.  NGX_OK; NGX_ERROR, logged.
 */
ngx_int_t ngx_vidcast_settings_create(ngx_vidcast_program_t *program,
    ngx_vidcast_child_t *task, ngx_vidcast_conf_t *conf, ngx_cycle_t *cycle,
    ngx_pool_t *pool);

/*
 * Can it be read again as a word of settings?  Quotes and backslashes become
 * two bytes, and a word may have 4093 of them.
 */
ngx_uint_t ngx_vidcast_settings_fits(ngx_str_t *word);

/* by its number; NULL: there is none */
const char *ngx_vidcast_role_name(ngx_uint_t role);

/* as ps(1) and the log have it; room for NGX_VIDCAST_TITLE bytes */
void ngx_vidcast_child_title(ngx_vidcast_child_t *task, u_char *title);


#endif /* _NGX_VIDCAST_SETTINGS_H_INCLUDED_ */
