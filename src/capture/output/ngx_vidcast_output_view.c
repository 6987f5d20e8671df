
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "capture/output/ngx_vidcast_output_view.h"


static void ngx_vidcast_output_view_fill(void *dst, const void *src,
    size_t size);
static uint64_t ngx_vidcast_output_view_oldest(
    ngx_vidcast_output_view_t *view, uint64_t newest);


ngx_int_t
ngx_vidcast_output_view_init(ngx_vidcast_output_view_t *view,
    ngx_vidcast_capture_t *capture, ngx_uint_t index)
{
    view->capture = capture;
    view->ring = capture->zone->ring;
    view->ring.bit = (uint64_t) 1 << (NGX_VIDCAST_RING_OUTPUT + index);

    view->text = ngx_alloc(view->ring.geometry.result_size + 1, capture->log);
    if (view->text == NULL) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


int
ngx_vidcast_output_view_frame(ngx_vidcast_output_view_t *view,
    uint64_t after, vidcast_output_frame_t *frame)
{
    vidcast_output_frame_t  given;

    ngx_vidcast_output_view_release(view);

    if (ngx_vidcast_ring_acquire(&view->ring, after, &view->frame) != NGX_OK) {
        return VIDCAST_AGAIN;
    }

    view->pinned = 1;
    view->given++;

    ngx_memzero(&given, sizeof(vidcast_output_frame_t));

    given.identity.epoch = ngx_vidcast_load(&view->ring.shm->epoch);
    given.identity.number = view->frame.number;
    given.identity.time = (int64_t) view->frame.time;
    given.captured = (int64_t) view->frame.captured;
    given.pts = view->frame.pts;
    given.width = view->frame.width;
    given.height = view->frame.height;
    given.jpeg = view->frame.data;
    given.jpeg_size = view->frame.size;

    ngx_vidcast_output_view_fill(frame, &given, sizeof(given));

    return VIDCAST_OK;
}


/* a plugin may know less of a structure, or more; "size" comes first */

static void
ngx_vidcast_output_view_fill(void *dst, const void *src, size_t size)
{
    size = ngx_min(size, *(size_t *) dst);

    if (size > sizeof(size_t)) {
        ngx_memcpy((u_char *) dst + sizeof(size_t),
                   (u_char *) src + sizeof(size_t), size - sizeof(size_t));
    }
}


void
ngx_vidcast_output_view_release(ngx_vidcast_output_view_t *view)
{
    if (view->pinned) {
        view->pinned = 0;
        ngx_vidcast_ring_release(&view->ring, &view->frame);
    }
}


/* the mutex is for threads of ours that write one: no process waits for it */

int
ngx_vidcast_output_view_result(ngx_vidcast_output_view_t *view,
    uint64_t seq, vidcast_result_t *result)
{
    ngx_int_t                   rc;
    ngx_vidcast_capture_t      *capture;
    ngx_vidcast_ring_result_t   r;

    capture = view->capture;

    (void) pthread_mutex_lock(&capture->results_mutex);

    rc = ngx_vidcast_ring_read_result(&view->ring, seq, &r, view->text);

    (void) pthread_mutex_unlock(&capture->results_mutex);

    if (rc != NGX_OK) {
        return (rc == NGX_AGAIN) ? VIDCAST_AGAIN : VIDCAST_BAD;
    }

    view->given++;
    view->text[r.size] = '\0';

    result->epoch = ngx_vidcast_load(&view->ring.shm->epoch);
    result->seq = seq;
    result->frame = r.frame;
    result->json = (char *) view->text;
    result->json_size = r.size;

    return VIDCAST_OK;
}


void
ngx_vidcast_output_view_state(ngx_vidcast_output_view_t *view,
    vidcast_output_state_t *state)
{
    ngx_uint_t               now;
    ngx_vidcast_capture_t   *capture;
    vidcast_output_state_t   told;
    ngx_vidcast_zone_shm_t  *shm;

    capture = view->capture;
    shm = capture->zone->shm;

    (void) pthread_mutex_lock(&capture->state_mutex);

    now = ngx_vidcast_load(&shm->state);
    ngx_memcpy(view->reason, shm->error, NGX_VIDCAST_ERROR_LEN);

    (void) pthread_mutex_unlock(&capture->state_mutex);

    view->reason[NGX_VIDCAST_ERROR_LEN - 1] = '\0';

    if (ngx_vidcast_load(&capture->leaving)) {
        now = NGX_VIDCAST_OFF;
        view->reason[0] = '\0';
    }

    ngx_memzero(&told, sizeof(vidcast_output_state_t));

    told.name = (char *) ngx_vidcast_state_name(now)->data;
    told.reason = (char *) view->reason;
    told.epoch = ngx_vidcast_load(&view->ring.shm->epoch);
    told.frame = ngx_vidcast_ring_newest(&view->ring);
    told.seq = ngx_vidcast_ring_newest_result(&view->ring);
    told.oldest = ngx_vidcast_output_view_oldest(view, told.seq);
    told.width = ngx_vidcast_load(&shm->width);
    told.height = ngx_vidcast_load(&shm->height);
    told.fps = (double) ngx_vidcast_load(&shm->published_mfps) / 1000;

    ngx_vidcast_output_view_fill(state, &told, sizeof(told));
}


/* those of another camera in the same ring are not there any more */

static uint64_t
ngx_vidcast_output_view_oldest(ngx_vidcast_output_view_t *view,
    uint64_t newest)
{
    uint64_t                    epoch, oldest;
    ngx_vidcast_ring_result_t   r;

    epoch = ngx_vidcast_load(&view->ring.shm->epoch);

    if (newest == 0) {
        return 0;
    }

    if (epoch != view->epoch || newest < view->oldest) {
        view->epoch = epoch;
        view->oldest = 1;
    }

    oldest = (newest > view->ring.geometry.results)
                 ? newest - view->ring.geometry.results + 1 : 1;

    oldest = ngx_max(oldest, view->oldest);

    while (oldest < newest
           && ngx_vidcast_ring_peek_result(&view->ring, oldest, &r) != NGX_OK)
    {
        oldest++;
    }

    view->oldest = oldest;

    return oldest;
}
