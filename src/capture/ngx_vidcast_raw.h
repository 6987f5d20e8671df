
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_RAW_H_INCLUDED_
#define _NGX_VIDCAST_RAW_H_INCLUDED_


#include <pthread.h>

#include "core/ngx_vidcast.h"


/*
 * Raw pictures on their way to the encoders and the predictor, which share
 * them: one that has no reference any more is filled again.
 */

typedef struct ngx_vidcast_raw_s       ngx_vidcast_raw_t;
typedef struct ngx_vidcast_raw_pool_s  ngx_vidcast_raw_pool_t;


struct ngx_vidcast_raw_s {
    ngx_vidcast_raw_pool_t       *pool;
    ngx_vidcast_raw_t            *next;      /* in the encoders' queue */
    ngx_uint_t                    refs;      /* atomic */
    uint64_t                      number;
    uint64_t                      captured;  /* CLOCK_MONOTONIC, us */
    int64_t                       pts;
    uint64_t                      media_time;
    ngx_uint_t                    offered;   /* to the predictor */
    ngx_vidcast_image_t           image;
};


/* NULL: no memory */
ngx_vidcast_raw_pool_t *ngx_vidcast_raw_pool_create(ngx_uint_t n,
    ngx_log_t *log);

/*
 * A free one of this size, with one reference; "wait": as soon as one is free.
 * NULL: none is, or, if failed() says so, no memory.  One thread gets, any
 * thread gives back.
 */
ngx_vidcast_raw_t *ngx_vidcast_raw_get(ngx_vidcast_raw_pool_t *pool,
    uint32_t width, uint32_t height, ngx_uint_t wait);
ngx_uint_t ngx_vidcast_raw_failed(ngx_vidcast_raw_pool_t *pool);

void ngx_vidcast_raw_refer(ngx_vidcast_raw_t *raw);
void ngx_vidcast_raw_unref(ngx_vidcast_raw_t *raw);


#endif /* _NGX_VIDCAST_RAW_H_INCLUDED_ */
