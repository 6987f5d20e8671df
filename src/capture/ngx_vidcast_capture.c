
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "capture/ngx_vidcast_capture.h"
#include "shm/ngx_vidcast_control.h"


#define NGX_VIDCAST_CAPTURE_STACK  (1024 * 1024)


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

    if ((shm->state == state
         && ngx_strncmp(shm->error, reason, NGX_VIDCAST_ERROR_LEN - 1) == 0)
        || (state == NGX_VIDCAST_STALE
            && (shm->state != NGX_VIDCAST_LIVE
                || !ngx_vidcast_zone_silent(capture->source,
                                            ngx_vidcast_load(&shm->last)))))
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
