
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_ENGINE_H_INCLUDED_
#define _NGX_VIDCAST_ENGINE_H_INCLUDED_


#include "core/ngx_vidcast_log_limit.h"
#include "media/ngx_vidcast_resize.h"
#include "shm/ngx_vidcast_zone.h"
#include "vidcast_plugin.h"


/* what predicts in a predictor process, and what it sees of that process */

typedef struct ngx_vidcast_engine_s     ngx_vidcast_engine_t;
typedef struct ngx_vidcast_predictor_s  ngx_vidcast_predictor_t;


struct ngx_vidcast_predictor_s {
    ngx_vidcast_conf_t               *conf;
    ngx_vidcast_source_t             *source;
    ngx_uint_t                        index;
    ngx_vidcast_engine_t             *engine;
    ngx_vidcast_predictor_mailbox_t  *mailbox;
    ngx_log_t                        *log;
    ngx_uint_t                        sandbox; /* what it lacks, of os/ */

    ngx_vidcast_jpeg_decoder_t       *decoder;
    vidcast_want_t                    want;
    ngx_vidcast_resize_t              fit;     /* of this frame */

    /* what an engine may call, set before its open() */

    ngx_int_t                       (*tick)(ngx_vidcast_predictor_t *predictor);
    int64_t                         (*left)(
                                      ngx_vidcast_predictor_t *predictor);

    void                             *data; /* the engine's */
    ngx_vidcast_clock_gap_t           gap;
    uint64_t                          deserted;
    ngx_uint_t                        leaving;
    u_char                            error[NGX_VIDCAST_ERROR_LEN];

    ngx_vidcast_log_limit_t           unexpected;  /* lines of a program */
    ngx_vidcast_log_limit_t           warned;      /* by a plugin */
    ngx_vidcast_log_limit_t           said;
};


/*
 * tick()     for engines which wait themselves, every 50 ms or so.  NGX_OK;
 *            NGX_DONE: it is time to leave.
 *
 * left()     us that the task in hand, or the loading, may still take.
 *
 * And what the process calls of an engine:
 *
 * open()     sets predictor->want, which is that of vidcast_plugin.h.
 *            NGX_OK, or NGX_ERROR, reason in predictor->error.
 *
 * get_buffer()
 *            where a picture of "size" bytes is to go; NULL: no memory.
 *
 * predict()  writes at most *size bytes of JSON to "json", and says in
 *            *status what sort of answer it is (ngx_vidcast_reply_e), with
 *            a reason in predictor->error where there is none.  NGX_OK; or
 *            NGX_ERROR, reason there too: the process is to be replaced.
 *
 * idle()     may be NULL; called at least every 50 ms while there is no task.
 *            As predict().
 *
 * close()    may be NULL; before the process leaves, for whatever reason of
 *            its own.
 */

struct ngx_vidcast_engine_s {
    ngx_uint_t    foreign;    /* runs code that is not ours in the process */
    ngx_int_t   (*open)(ngx_vidcast_predictor_t *predictor);
    u_char     *(*get_buffer)(ngx_vidcast_predictor_t *predictor, size_t size);
    ngx_int_t   (*predict)(ngx_vidcast_predictor_t *predictor,
                      const vidcast_sample_t *sample, u_char *json,
                      size_t *size, ngx_uint_t *status);
    ngx_int_t   (*idle)(ngx_vidcast_predictor_t *predictor);
    void        (*close)(ngx_vidcast_predictor_t *predictor);
};


#endif /* _NGX_VIDCAST_ENGINE_H_INCLUDED_ */
