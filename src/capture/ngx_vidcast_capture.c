
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "capture/ngx_vidcast_capture.h"
#include "core/ngx_vidcast_error.h"
#include "shm/ngx_vidcast_control.h"


#define NGX_VIDCAST_CAPTURE_STACK  (1024 * 1024)
#define NGX_VIDCAST_CAPTURE_TOLD   1000000    /* us between two reasons */


ngx_int_t
ngx_vidcast_capture_thread(ngx_vidcast_capture_t *capture,
    void *(*proc)(void *data), void *data, const char *name)
{
    int             err;
    sigset_t        all, before;
    pthread_t       tid;
    pthread_attr_t  attr;

    err = pthread_attr_init(&attr);

    if (err) {
        ngx_log_error(NGX_LOG_ALERT, capture->log, err,
                      "pthread_attr_init() failed");
        return NGX_ERROR;
    }

    (void) pthread_attr_setstacksize(&attr, NGX_VIDCAST_CAPTURE_STACK);

    /* signals are for the main thread, which sleeps in poll() */

    sigfillset(&all);
    (void) pthread_sigmask(SIG_BLOCK, &all, &before);

    err = pthread_create(&tid, &attr, proc, data);

    (void) pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void) pthread_attr_destroy(&attr);

    if (err) {
        ngx_log_error(NGX_LOG_ALERT, capture->log, err,
                      "pthread_create() failed");
        return NGX_ERROR;
    }

    /* a detached thread may be gone by now, and its tid with it */

    (void) pthread_setname_np(tid, name);
    (void) pthread_detach(tid);

    return NGX_OK;
}


void
ngx_vidcast_capture_state(ngx_vidcast_capture_t *capture, ngx_uint_t state,
    const u_char *reason)
{
    ngx_vidcast_zone_shm_t  *shm;

    shm = capture->zone->shm;

    if (reason == NULL) {
        reason = (u_char *) "";
    }

    (void) pthread_mutex_lock(&capture->state_mutex);

    if (state != NGX_VIDCAST_STALE) {
        ngx_vidcast_store(&capture->refused, 0);
        shm->refused[0] = '\0';
    }

    if ((shm->state == state
         && ngx_strncmp(shm->error, reason, NGX_VIDCAST_ERROR_LEN - 1) == 0)
        || (state == NGX_VIDCAST_STALE && !ngx_vidcast_capture_silent(capture)))
    {
        /* nothing new; or closed, or a frame came, since it was looked at */

        (void) pthread_mutex_unlock(&capture->state_mutex);
        return;
    }

    (void) ngx_cpystrn(shm->error, (u_char *) reason, NGX_VIDCAST_ERROR_LEN);

    ngx_vidcast_store(&shm->changed, ngx_vidcast_clock());
    ngx_vidcast_store(&shm->state, state);

    ngx_vidcast_capture_log_state(capture, state, reason);

    (void) pthread_mutex_unlock(&capture->state_mutex);
}


/* before a worker is told: it takes no frame of a source that seems dead */

void
ngx_vidcast_capture_alive(ngx_vidcast_capture_t *capture, uint64_t now)
{
    ngx_vidcast_store(&capture->zone->shm->last, now);
    ngx_vidcast_store(&capture->zone->shm->life, now);

    ngx_vidcast_capture_state(capture, NGX_VIDCAST_LIVE, NULL);
}


/* a picture that was refused, or is still being encoded, shows nothing */

void
ngx_vidcast_capture_unchanged(ngx_vidcast_capture_t *capture)
{
    ngx_vidcast_zone_shm_t  *shm;

    shm = capture->zone->shm;

    if (ngx_vidcast_load(&capture->refused)) {
        return;
    }

    ngx_vidcast_store(&shm->life, ngx_vidcast_clock());

    switch (ngx_vidcast_load(&shm->state)) {

    case NGX_VIDCAST_STALE:
    case NGX_VIDCAST_RECONNECTING:
        ngx_vidcast_capture_state(capture, NGX_VIDCAST_LIVE, NULL);
    }
}


void
ngx_vidcast_capture_refused(ngx_vidcast_capture_t *capture,
    const u_char *reason)
{
    uint64_t                 now;
    ngx_vidcast_zone_shm_t  *shm;

    shm = capture->zone->shm;
    now = ngx_vidcast_clock();

    (void) pthread_mutex_lock(&capture->state_mutex);

    if (capture->refused && now - capture->told < NGX_VIDCAST_CAPTURE_TOLD) {
        (void) pthread_mutex_unlock(&capture->state_mutex);
        return;
    }

    (void) ngx_cpystrn(shm->refused, (u_char *) reason, NGX_VIDCAST_ERROR_LEN);
    capture->told = now;

    if (shm->state == NGX_VIDCAST_STARTING
        || shm->state == NGX_VIDCAST_RECONNECTING)
    {
        (void) ngx_cpystrn(shm->error, (u_char *) reason,
                           NGX_VIDCAST_ERROR_LEN);

        if (capture->refused == 0) {
            ngx_vidcast_store(&shm->changed, now);
        }

    } else if (shm->state == NGX_VIDCAST_STALE) {
        ngx_vidcast_zone_silence(capture->source, shm->error);
    }

    if (capture->refused == 0) {
        ngx_vidcast_store(&capture->refused, now);
    }

    (void) pthread_mutex_unlock(&capture->state_mutex);
}


void
ngx_vidcast_capture_too_large(ngx_vidcast_capture_t *capture)
{
    u_char  reason[NGX_VIDCAST_ERROR_LEN];

    ngx_vidcast_count(&capture->counters->too_large, 1);

    ngx_vidcast_error(reason, "a frame is larger than %uD bytes, "
                      "see \"frames\"",
                      capture->source->original.geometry.slot_size);

    ngx_vidcast_capture_refused(capture, reason);
    ngx_vidcast_capture_log_too_large(capture);
}


ngx_uint_t
ngx_vidcast_capture_silent(ngx_vidcast_capture_t *capture)
{
    uint64_t                 since;
    ngx_vidcast_zone_shm_t  *shm;

    shm = capture->zone->shm;

    switch (ngx_vidcast_load(&shm->state)) {

    case NGX_VIDCAST_LIVE:

        /* read after the state: what made it live is older than that */

        return ngx_vidcast_zone_silent(capture->source,
                                       ngx_vidcast_load(&shm->life));

    case NGX_VIDCAST_STARTING:
    case NGX_VIDCAST_RECONNECTING:

        since = ngx_vidcast_load(&capture->refused);

        return since && ngx_vidcast_zone_silent(capture->source, since);

    default:
        return 0;
    }
}


ngx_int_t
ngx_vidcast_capture_add_sink(ngx_vidcast_capture_t *capture,
    ngx_vidcast_sink_t *sink)
{
    if (capture->nsinks == NGX_VIDCAST_MAX_SINKS) {
        ngx_log_error(NGX_LOG_ALERT, capture->log, 0,
                      "too many sinks of vidcast source \"%V\"",
                      &capture->source->name);
        return NGX_ERROR;
    }

    capture->sinks[capture->nsinks++] = *sink;

    return NGX_OK;
}


void
ngx_vidcast_capture_on_frame(ngx_vidcast_capture_t *capture)
{
    ngx_uint_t           i;
    ngx_vidcast_sink_t  *sink;

    for (i = 0; i < capture->nsinks; i++) {
        sink = &capture->sinks[i];

        if (sink->on_frame) {
            sink->on_frame(sink->data);
        }
    }
}


void
ngx_vidcast_capture_on_result(ngx_vidcast_capture_t *capture)
{
    ngx_uint_t           i;
    ngx_vidcast_sink_t  *sink;

    for (i = 0; i < capture->nsinks; i++) {
        sink = &capture->sinks[i];

        if (sink->on_result) {
            sink->on_result(sink->data);
        }
    }
}


void
ngx_vidcast_capture_on_tick(ngx_vidcast_capture_t *capture)
{
    ngx_uint_t           i;
    ngx_vidcast_sink_t  *sink;

    for (i = 0; i < capture->nsinks; i++) {
        sink = &capture->sinks[i];

        if (sink->on_tick) {
            sink->on_tick(sink->data);
        }
    }
}
