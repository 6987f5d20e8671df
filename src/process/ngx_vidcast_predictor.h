
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_PREDICTOR_H_INCLUDED_
#define _NGX_VIDCAST_PREDICTOR_H_INCLUDED_


#include "predict/ngx_vidcast_engine.h"


/*
 * The predictor process.  It takes frames from its mailbox, makes of them the
 * picture that its engine wants, and puts the engine's answer back.  It may
 * crash, hang or be killed at any time: nothing waits for it.
 */


/* the source and the place that the process is for */

typedef struct {
    ngx_vidcast_source_t        *source;
    ngx_uint_t                   index;     /* from 0 on */
} ngx_vidcast_predictor_id_t;


/*
 * The process.  Returns only when another process has the place, or when its
 * lock cannot be taken.
 */
void ngx_vidcast_predictor_process(ngx_vidcast_conf_t *conf,
    ngx_vidcast_predictor_id_t *id);

/*
 * us that the task in hand, or the loading, may still take; the time before
 * "since" is not counted
 */
int64_t ngx_vidcast_predictor_left(ngx_vidcast_source_t *source,
    ngx_vidcast_predictor_mailbox_t *mailbox, uint64_t since);


#endif /* _NGX_VIDCAST_PREDICTOR_H_INCLUDED_ */
