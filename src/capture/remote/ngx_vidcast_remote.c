
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "capture/remote/ngx_vidcast_remote.h"
#include "core/ngx_vidcast_error.h"
#include "shm/ngx_vidcast_control.h"
#include "capture/remote/ngx_vidcast_result_members.h"
#include "wire/ngx_vidcast_result_value.h"


static void ngx_vidcast_remote_drop(ngx_vidcast_capture_t *capture,
    ngx_uint_t n);
static uint32_t ngx_vidcast_remote_slot(ngx_vidcast_capture_t *capture,
    uint64_t number);


/*
 * What looks at numbers in this process, such as an overlay, has been told no
 * other ones if there are none; else the next process begins without any.
 */

ngx_int_t
ngx_vidcast_remote_epoch(ngx_vidcast_capture_t *capture, uint64_t epoch)
{
    ngx_vidcast_ring_t  *ring;

    ring = &capture->zone->ring;

    if (ngx_vidcast_ring_epoch(ring) == epoch) {
        return NGX_OK;
    }

    if (ngx_vidcast_ring_newest(ring) || ngx_vidcast_ring_newest_result(ring)) {
        ngx_vidcast_store(&capture->epoch, epoch);
        return NGX_DECLINED;
    }

    (void) pthread_mutex_lock(&capture->results_mutex);
    (void) pthread_mutex_lock(&capture->writer.mutex);

    ngx_vidcast_ring_begin(ring, epoch);

    (void) pthread_mutex_unlock(&capture->writer.mutex);
    (void) pthread_mutex_unlock(&capture->results_mutex);

    return NGX_OK;
}


void
ngx_vidcast_remote_keep(ngx_vidcast_capture_t *capture, uint32_t slot,
    uint64_t number)
{
    ngx_vidcast_frame_t          frame;
    ngx_vidcast_remote_frame_t  *kept;

    if (capture->nkept == NGX_VIDCAST_REMOTE_KEEPS) {
        ngx_vidcast_remote_drop(capture, 1);
    }

    if (ngx_vidcast_ring_acquire_at(&capture->zone->ring, slot, number, &frame)
        != NGX_OK)
    {
        return;
    }

    kept = &capture->kept[capture->nkept++];

    kept->number = number;
    kept->slot = slot;
}


static void
ngx_vidcast_remote_drop(ngx_vidcast_capture_t *capture, ngx_uint_t n)
{
    ngx_uint_t           i;
    ngx_vidcast_frame_t  frame;

    for (i = 0; i < n; i++) {
        frame.slot = capture->kept[i].slot;
        ngx_vidcast_ring_release(&capture->zone->ring, &frame);
    }

    capture->nkept -= n;

    ngx_memmove(capture->kept, &capture->kept[n],
                capture->nkept * sizeof(ngx_vidcast_remote_frame_t));
}


/* that frame is kept on, for the workers: of those before it, none has one */

static uint32_t
ngx_vidcast_remote_slot(ngx_vidcast_capture_t *capture, uint64_t number)
{
    ngx_uint_t  n;

    for (n = 0; n < capture->nkept && capture->kept[n].number < number; n++) {
        /* void */
    }

    ngx_vidcast_remote_drop(capture, n);

    if (capture->nkept && capture->kept[0].number == number) {
        return capture->kept[0].slot;
    }

    return NGX_VIDCAST_RING_NONE;
}


/*
 * What it says of times is meant there.  How old it is nobody here can tell: it
 * is as old as it is here.
 */

ngx_int_t
ngx_vidcast_remote_result(ngx_vidcast_capture_t *capture,
    ngx_vidcast_remote_result_t *remote, u_char *error)
{
    size_t                      size;
    u_char                     *p, *last, *text;
    uint64_t                    now;
    ngx_int_t                   rc;
    ngx_vidcast_ring_t         *ring;
    ngx_vidcast_ring_result_t  *r;

    ring = &capture->zone->ring;
    size = capture->source->original.geometry.result_size;

    text = capture->text;

    if (text == NULL) {
        text = ngx_alloc(size, capture->log);
        if (text == NULL) {
            ngx_vidcast_error(error, "no memory");
            return NGX_ERROR;
        }

        capture->text = text;
    }

    rc = ngx_vidcast_result_value_text(remote->json, remote->size,
                                       text, &size, error);

    if (rc == NGX_BUSY) {
        return NGX_DECLINED;
    }

    if (rc == NGX_DECLINED) {
        return NGX_ERROR;
    }

    if (text[0] != '{') {
        ngx_vidcast_error(error, "not an object");
        return NGX_ERROR;
    }

    if (remote->seq <= ngx_vidcast_ring_newest_result(ring)) {
        ngx_vidcast_error(error, "number %uL is there already", remote->seq);
        return NGX_ERROR;
    }

    now = ngx_vidcast_clock();

    (void) pthread_mutex_lock(&capture->results_mutex);

    r = ngx_vidcast_ring_open_result_at(ring, remote->seq);

    p = (u_char *) (r + 1);
    last = p + capture->source->original.geometry.result_size;

    p = ngx_slprintf(p, last, "{\"v\":1,\"source\":\"%V\","
                     "\"epoch\":\"%016xL\",\"seq\":%uL",
                     &capture->source->name, remote->epoch, remote->seq);

    p = ngx_vidcast_result_members(text, size, p, last);

    if (p == NULL) {
        (void) pthread_mutex_unlock(&capture->results_mutex);
        return NGX_DECLINED;
    }

    r->frame = remote->frame;
    r->slot = ngx_vidcast_remote_slot(capture, remote->frame);
    r->captured = now;
    r->ready = now;
    r->size = (uint32_t) (p - (u_char *) (r + 1));

    ngx_vidcast_ring_publish_result(ring, r, remote->seq);

    (void) pthread_mutex_unlock(&capture->results_mutex);

    ngx_vidcast_count(&capture->counters->received, 1);

    ngx_vidcast_capture_on_result(capture);
    ngx_vidcast_zone_wake_workers(capture->zone);

    return NGX_OK;
}
