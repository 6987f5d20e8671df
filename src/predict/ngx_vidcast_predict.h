
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_PREDICT_H_INCLUDED_
#define _NGX_VIDCAST_PREDICT_H_INCLUDED_


#include "core/ngx_vidcast.h"
#include "predict/ngx_vidcast_engine.h"


/* one opened predictor; made by the capture process, used by one thread */

typedef struct {
    ngx_vidcast_predict_conf_t  *conf;
    ngx_log_t                   *log;
    void                        *data;      /* the module's own state */
    uint64_t                     state;     /* what was answered: see emits() */
    uint64_t                     asked;     /* that of the last emits() */
    uint64_t                     emitted;   /* that of the last result */
    u_char                       error[NGX_VIDCAST_ERROR_LEN];
} ngx_vidcast_predict_t;


typedef struct {
    ngx_vidcast_image_t         *image;     /* GRAY8; NULL: none wanted */
    uint32_t                     width;     /* of the frame, pixels: answers */
    uint32_t                     height;    /*   are emitted in these */
    uint64_t                     number;    /* of the frame */
    uint64_t                     time;      /* media time, us */
    ngx_uint_t                   anew;      /* the first one after a sleep */
} ngx_vidcast_sample_t;


/*
 * set()      at configuration: one "name=value" of the predict directive.
 *            NGX_OK; NGX_DECLINED: no such parameter; NGX_ERROR: bad value.
 *
 * want()     the width in pixels of the GRAY8 picture which predict() is to
 *            get of frames this wide, the height follows in proportion; 0: no
 *            picture at all.
 *
 * open()     in the capture process.  NGX_OK or NGX_ERROR, reason in
 *            predict->error.
 *
 * predict()  writes one JSON value of at most "size" bytes to "json", which
 *            becomes "result" of the message to the viewers, and sets *size.
 *            The size of the image may change between calls.  NGX_OK; or
 *            NGX_ERROR, reason in predict->error, this frame has no result.
 *
 * close()    after an open() that said NGX_OK.
 *
 * A predictor with processes of its own has an engine (see there) in the place
 * of want(), open(), predict() and close(), which all are NULL.
 *
 * arg()      may be NULL; at configuration: an argument which is no
 *            "name=value".  As set().
 *
 * check()    may be NULL; at configuration, when all has been set.  NGX_OK, or
 *            NGX_ERROR: reason in "error".
 *
 * files()    may be NULL; the names of files whose change makes it another
 *            predictor, one for each "n" from 0 on, NULL: there are no more.
 *
 * validate_late()
 *            may be NULL; when all of the configuration has been read, so that
 *            nginx's "user" is known.  As check(); a
 *            warning may be in "error" where it is NGX_OK.
 */

struct ngx_vidcast_predict_module_s {
    ngx_str_t              name;
    void                *(*create_params)(ngx_pool_t *pool);
    ngx_int_t            (*set)(ngx_vidcast_predict_conf_t *conf,
                               ngx_str_t *name, ngx_str_t *value);
    uint32_t             (*want)(ngx_vidcast_predict_conf_t *conf,
                               uint32_t width);
    ngx_int_t            (*open)(ngx_vidcast_predict_t *predict);
    ngx_int_t            (*predict)(ngx_vidcast_predict_t *predict,
                               ngx_vidcast_sample_t *sample, u_char *json,
                               size_t *size);
    void                 (*close)(ngx_vidcast_predict_t *predict);

    ngx_vidcast_engine_t  *engine;    /* NULL: in the capture process */

    ngx_int_t            (*arg)(ngx_vidcast_predict_conf_t *conf,
                               ngx_str_t *arg);
    ngx_int_t            (*check)(ngx_vidcast_predict_conf_t *conf,
                               ngx_cycle_t *cycle, u_char *error);
    ngx_str_t           *(*files)(ngx_vidcast_predict_conf_t *conf,
                               ngx_uint_t n);
    ngx_int_t            (*validate_late)(ngx_vidcast_source_t *source,
                               ngx_cycle_t *cycle, u_char *error);
};


/* NULL: unknown */
ngx_vidcast_predict_module_t *ngx_vidcast_predict_find(ngx_str_t *name);

/* the defaults of what all predictors have */
void ngx_vidcast_predict_init(ngx_vidcast_predict_conf_t *conf);

/* what all predictors have, and their own; as the module's set() */
ngx_int_t ngx_vidcast_predict_set(ngx_vidcast_predict_conf_t *conf,
    ngx_str_t *name, ngx_str_t *value);

/*
 * emits()    is this answer one for the viewers?  All are, or with emit=change
 *            those which differ from the last one that was emitted().
 *            predict() may put a number which tells answers apart into
 *            predict->state, else their text does, byte by byte; so it is with
 *            all answers of other processes: exec, onnx and plugins.
 * emitted()  viewers have that answer
 */
ngx_uint_t ngx_vidcast_predict_emits(ngx_vidcast_predict_t *predict,
    u_char *json, size_t size);
void ngx_vidcast_predict_emitted(ngx_vidcast_predict_t *predict);


extern ngx_vidcast_predict_module_t  ngx_vidcast_predict_delay;
extern ngx_vidcast_predict_module_t  ngx_vidcast_predict_exec;
extern ngx_vidcast_predict_module_t  ngx_vidcast_predict_motion;
extern ngx_vidcast_predict_module_t  ngx_vidcast_predict_onnx;
extern ngx_vidcast_predict_module_t  ngx_vidcast_predict_plugin;


#endif /* _NGX_VIDCAST_PREDICT_H_INCLUDED_ */
