
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_OUTPUT_H_INCLUDED_
#define _NGX_VIDCAST_OUTPUT_H_INCLUDED_


#include "core/ngx_vidcast.h"
#include "vidcast_plugin.h"


/* one opened output; made by the capture process, used by its output thread */

typedef struct {
    ngx_vidcast_output_conf_t  *conf;
    ngx_log_t                  *log;
    const vidcast_output_t     *host;      /* what it may call */
    void                      (*log_said)(void *caller, int level,
                                    const char *line);
    void                       *caller;
    void                       *data;      /* the module's own state */

    /* set by run(), since open() */

    vidcast_output_report_t     report;

    /* why the last call failed, or what is wrong though it did not */

    u_char                      error[NGX_VIDCAST_ERROR_LEN];
} ngx_vidcast_output_t;


/*
 * set()      at configuration, in the master: one "name=value" of the output
 *            directive.  NGX_OK; NGX_DECLINED: no such parameter; NGX_ERROR:
 *            bad value.
 *
 * check()    at configuration, after all set(): is it whole and sensible?
 *            Opens nothing.  NGX_OK; NGX_ERROR: reason in "error".
 *
 * files()    file "n" that it reads when it is opened, by its full name; NULL:
 *            there are no more.  Another one there is another output.
 *
 * validate_late()
 *            when all of the configuration has been read, so that nginx's
 *            "user" is known.  As check(), with NGX_OK perhaps a warning in
 *            "error".
 *
 * open()     in the capture process.  NGX_OK; NGX_ERROR: reason in
 *            out->error, and nothing is left open.
 *
 * run()      gives on what there is, within 200 ms.  NGX_OK; NGX_AGAIN: it
 *            cannot for now, and mends that by itself, reason in out->error;
 *            NGX_ERROR: close() comes next, reason in out->error.
 *
 * close()    after each open() that said NGX_OK.
 *
 * needs()    in the capture process, before all open(): VIDCAST_NEEDS_*, all
 *            else is refused from then on; 0: not known.
 *
 * "params" is what create_params() gave; it is found in conf->params.
 */

struct ngx_vidcast_output_module_s {
    ngx_str_t     scheme;
    void       *(*create_params)(ngx_pool_t *pool);
    ngx_int_t   (*set)(ngx_vidcast_output_conf_t *conf, ngx_str_t *name,
                      ngx_str_t *value);
    ngx_int_t   (*check)(ngx_vidcast_output_conf_t *conf, ngx_cycle_t *cycle,
                      u_char *error);
    ngx_str_t  *(*files)(ngx_vidcast_output_conf_t *conf, ngx_uint_t n);
    ngx_int_t   (*validate_late)(ngx_vidcast_output_conf_t *conf,
                      ngx_vidcast_source_t *source, ngx_cycle_t *cycle,
                      u_char *error);
    ngx_int_t   (*open)(ngx_vidcast_output_t *out);
    ngx_int_t   (*run)(ngx_vidcast_output_t *out);
    void        (*close)(ngx_vidcast_output_t *out);
    ngx_uint_t  (*needs)(ngx_vidcast_output_conf_t *conf);
};


/* finds the module of "scheme:path" and splits it; NULL: unknown scheme */
ngx_vidcast_output_module_t *ngx_vidcast_output_find(ngx_str_t *uri,
    ngx_str_t *path);

/* what to say of a URI that has none */
void ngx_vidcast_output_unknown(u_char *error);


extern ngx_vidcast_output_module_t  ngx_vidcast_output_nats;


#endif /* _NGX_VIDCAST_OUTPUT_H_INCLUDED_ */
