
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "capture/ngx_vidcast_raw.h"
#include "core/ngx_vidcast_atomic.h"
#include "media/ngx_vidcast_image.h"


struct ngx_vidcast_raw_pool_s {
    ngx_uint_t                    nraws;
    ngx_vidcast_raw_t            *raws;
    ngx_uint_t                    failed;    /* the last get(), no memory */

    pthread_mutex_t               mutex;     /* between get() and unref() */
    pthread_cond_t                freed;
};


static ngx_vidcast_raw_t *ngx_vidcast_raw_claim(ngx_vidcast_raw_pool_t *pool);


ngx_vidcast_raw_pool_t *
ngx_vidcast_raw_pool_create(ngx_uint_t n, ngx_log_t *log)
{
    ngx_uint_t               i;
    ngx_vidcast_raw_pool_t  *pool;

    pool = ngx_calloc(sizeof(ngx_vidcast_raw_pool_t), log);
    if (pool == NULL) {
        return NULL;
    }

    pool->nraws = n;
    pool->raws = ngx_calloc(n * sizeof(ngx_vidcast_raw_t), log);

    if (pool->raws == NULL
        || pthread_mutex_init(&pool->mutex, NULL) != 0
        || pthread_cond_init(&pool->freed, NULL) != 0)
    {
        return NULL;
    }

    for (i = 0; i < n; i++) {
        pool->raws[i].pool = pool;
    }

    return pool;
}


ngx_vidcast_raw_t *
ngx_vidcast_raw_get(ngx_vidcast_raw_pool_t *pool, uint32_t width,
    uint32_t height, ngx_uint_t wait)
{
    ngx_vidcast_raw_t  *raw;

    pool->failed = 0;

    raw = ngx_vidcast_raw_claim(pool);

    if (raw == NULL && wait) {
        (void) pthread_mutex_lock(&pool->mutex);

        while ((raw = ngx_vidcast_raw_claim(pool)) == NULL) {
            (void) pthread_cond_wait(&pool->freed, &pool->mutex);
        }

        (void) pthread_mutex_unlock(&pool->mutex);
    }

    if (raw == NULL) {
        return NULL;
    }

    if (raw->image.width == width && raw->image.height == height) {
        return raw;
    }

    ngx_vidcast_image_free(&raw->image);
    ngx_memzero(&raw->image, sizeof(ngx_vidcast_image_t));

    if (ngx_vidcast_image_alloc(&raw->image, width, height, 0) != NGX_OK) {
        ngx_memzero(&raw->image, sizeof(ngx_vidcast_image_t));
        ngx_vidcast_raw_unref(raw);
        pool->failed = 1;
        return NULL;
    }

    return raw;
}


ngx_uint_t
ngx_vidcast_raw_failed(ngx_vidcast_raw_pool_t *pool)
{
    return pool->failed;
}


static ngx_vidcast_raw_t *
ngx_vidcast_raw_claim(ngx_vidcast_raw_pool_t *pool)
{
    ngx_uint_t  i, refs;

    for (i = 0; i < pool->nraws; i++) {
        refs = 0;

        if (ngx_vidcast_cas(&pool->raws[i].refs, &refs, 1)) {
            return &pool->raws[i];
        }
    }

    return NULL;
}


void
ngx_vidcast_raw_refer(ngx_vidcast_raw_t *raw)
{
    ngx_uint_t  refs;

    refs = ngx_vidcast_load(&raw->refs);

    while (!ngx_vidcast_cas(&raw->refs, &refs, refs + 1)) {
        /* void */
    }
}


void
ngx_vidcast_raw_unref(ngx_vidcast_raw_t *raw)
{
    ngx_uint_t               refs;
    ngx_vidcast_raw_pool_t  *pool;

    pool = raw->pool;
    refs = ngx_vidcast_load(&raw->refs);

    while (!ngx_vidcast_cas(&raw->refs, &refs, refs - 1)) {
        /* void */
    }

    if (refs > 1) {
        return;
    }

    (void) pthread_mutex_lock(&pool->mutex);
    (void) pthread_cond_signal(&pool->freed);
    (void) pthread_mutex_unlock(&pool->mutex);
}
