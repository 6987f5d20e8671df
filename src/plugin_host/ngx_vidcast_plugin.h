
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_PLUGIN_H_INCLUDED_
#define _NGX_VIDCAST_PLUGIN_H_INCLUDED_


#include "core/ngx_vidcast.h"
#include "core/ngx_vidcast_log_limit.h"
#include "vidcast_plugin.h"


#define NGX_VIDCAST_PLUGIN_CHECK  10000    /* ms that one may take: an input */


/*
 * The full name of a plugin which is ours, "vidcast_av.so": it lies where
 * the module itself does, or, of a module linked into nginx, in "modules"
 * under nginx's prefix.  NULL: no memory.
 */
u_char *ngx_vidcast_plugin_path(ngx_pool_t *pool, const char *name);

/*
 * Loads the plugin of this full name, for good.  NULL: reason in "error" of
 * NGX_VIDCAST_ERROR_LEN.  Its functions which the ABI requires are there.
 */
const vidcast_plugin_t *ngx_vidcast_plugin_load(const char *path,
    u_char *error);

/* VIDCAST_NEEDS_* as it says; 0: it does not */
ngx_uint_t ngx_vidcast_plugin_needs(const vidcast_plugin_t *plugin);

/* its table of an output; NULL: it is none, or older than these */
const vidcast_output_table_t *ngx_vidcast_plugin_output(
    const vidcast_plugin_t *plugin);

/* a table of vidcast_plugin.h which the plugin has to have */

typedef enum {
    NGX_VIDCAST_PLUGIN_INPUT = 0,
    NGX_VIDCAST_PLUGIN_PREDICTOR,
    NGX_VIDCAST_PLUGIN_OUTPUT
} ngx_vidcast_plugin_kind_e;


/* a plugin, and what it is to be told, as configured */

typedef struct {
    ngx_pool_t                *pool;
    ngx_str_t                  file;      /* of the plugin, terminated */
    u_char                    *argument;  /* terminated */
    ngx_array_t                params;    /* of vidcast_param_t, with its end */
    ngx_msec_t                 limit;     /* of its check */
    ngx_uint_t                 index;     /* of an output, of its source */
    size_t                     result_size;  /* the largest; of a predictor */
} ngx_vidcast_plugin_conf_t;


/*
 * conf_create()  a zeroed structure of "size" bytes which begins with a
 *                ngx_vidcast_plugin_conf_t: the argument is empty, there are
 *                no parameters, and the limit is an input's.  NULL: no memory.
 *
 * conf_add()     copies one more parameter.  NGX_OK, NGX_ERROR: no memory.
 *
 * conf_own()     the file is a plugin of ours.  As conf_add().
 *
 * conf_load()    as load(), and the table of this kind is there.
 */
void *ngx_vidcast_plugin_conf_create(ngx_pool_t *pool, size_t size);
ngx_int_t ngx_vidcast_plugin_conf_add(ngx_vidcast_plugin_conf_t *conf,
    ngx_str_t *name, ngx_str_t *value);
ngx_int_t ngx_vidcast_plugin_conf_own(ngx_vidcast_plugin_conf_t *conf,
    const char *name);
const vidcast_plugin_t *ngx_vidcast_plugin_conf_load(
    ngx_vidcast_plugin_conf_t *conf, ngx_vidcast_plugin_kind_e kind,
    u_char *error);

/*
 * NGX_OK; NGX_ERROR: there is no such file, reason in "error", with the hint,
 * which may be NULL.
 */
ngx_int_t ngx_vidcast_plugin_exists(ngx_str_t *file, const char *hint,
    u_char *error);

/*
 * At configuration: does the plugin take it?  It is loaded and asked in a
 * process of its own, or in this one, if it is that.  NGX_OK: with a warning
 * in "error", or nothing; NGX_ERROR: reason there.
 */
ngx_int_t ngx_vidcast_plugin_check(ngx_vidcast_plugin_conf_t *conf,
    ngx_vidcast_plugin_kind_e kind, ngx_vidcast_source_t *source,
    ngx_cycle_t *cycle, u_char *error);

/*
 * try()     asks that process, which has the user of the configuration.  One
 *           that crashes, or takes longer than "limit" ms, has failed
 * answer()  in it: tells what was found, and ends
 */
ngx_int_t ngx_vidcast_plugin_try(ngx_vidcast_source_t *source,
    ngx_vidcast_plugin_kind_e kind, ngx_uint_t index, ngx_msec_t limit,
    ngx_cycle_t *cycle, u_char *error);
void ngx_vidcast_plugin_answer(ngx_fd_t fd, ngx_int_t rc, u_char *error);

/* all but "host" and "log" */
void ngx_vidcast_plugin_context(vidcast_context_t *context,
    ngx_vidcast_plugin_conf_t *conf, ngx_str_t *source);

/* logs a line of a plugin's, within the limits of warnings or of other lines */
void ngx_vidcast_plugin_said(ngx_vidcast_log_limit_t *warnings,
    ngx_vidcast_log_limit_t *lines, ngx_log_t *log, ngx_str_t *source,
    int level, const char *line);


#endif /* _NGX_VIDCAST_PLUGIN_H_INCLUDED_ */
