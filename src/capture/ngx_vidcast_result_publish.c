
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "capture/ngx_vidcast_capture.h"
#include "core/ngx_vidcast_string.h"


/*
 * What is around the text of a result, wherever it comes from: WebSocket, SSE
 * and NDJSON share it.
 *
 * Adding a member of results: these files.
 *
 *     src/capture/ngx_vidcast_capture.h
 *         ngx_vidcast_result_t; what is configured comes from the source
 *     src/capture/ngx_vidcast_result_publish.c
 *         result_publish_head(); behind the error also RESULT_ROOM; a text is
 *         escaped, and has a limit
 *     src/http/conf/ngx_http_vidcast_source_directives.c
 *         MIN_RESULT, in which a failure has to find room
 *     src/shm/ngx_vidcast_ring.h, src/shm/ngx_vidcast_ring.c
 *     src/http/delivery/ngx_http_vidcast_message.c
 *         only if workers have to know it: they do not look into the text, but
 *         copy what stands beside it, ring_peek_result() member by member
 *     conf/html/app.js, conf/html/log.js
 *         what the page shows of it
 *     docs/wire-protocol.md, CHANGES
 *         what a client sees of it
 *     t/unit/capture/test_result_publish.c
 *     t/ws-frames.t, t/sse.t, t/browser/messages.t
 *         the members, one by one
 *
 * And of pictures, if they are to have it:
 *
 *     src/capture/ngx_vidcast_frame_publish.c
 *         frame_publish_headers(), within V1_JSON
 *     src/shm/ngx_vidcast_ring.h
 *         NGX_VIDCAST_RING_HEAD, the room before a picture
 *
 * "v" stays the first member.  A text that was published has "pushed" set, and
 * no predictor, whose module is NULL in a source that has none.  The pictures
 * of an overlay are those of the same source, with its predictor: what is to
 * be told of them only is told apart by writer->zone.
 */


/* what comes behind the reason of a failure, at most */

#define NGX_VIDCAST_RESULT_ROOM  128


static u_char *ngx_vidcast_result_publish_head(ngx_vidcast_capture_t *capture,
    ngx_vidcast_result_t *result, uint64_t seq, uint64_t now, u_char *p,
    u_char *last);
static u_char *ngx_vidcast_result_publish_error(const u_char *error, u_char *p,
    u_char *last);


ngx_int_t
ngx_vidcast_result_publish(ngx_vidcast_capture_t *capture,
    ngx_vidcast_result_t *result, const u_char *json, size_t size)
{
    u_char                     *p, *last;
    uint64_t                    now, seq;
    ngx_vidcast_ring_t         *ring;
    ngx_vidcast_ring_result_t  *r;

    ring = &capture->zone->ring;
    now = ngx_vidcast_clock();

    (void) pthread_mutex_lock(&capture->results_mutex);

    r = ngx_vidcast_ring_open_result(ring, &seq);

    p = (u_char *) (r + 1);
    last = p + capture->source->original.geometry.result_size;

    p = ngx_vidcast_result_publish_head(capture, result, seq, now, p, last);

    if ((size_t) (last - p) < size + 1) {
        (void) pthread_mutex_unlock(&capture->results_mutex);
        return NGX_DECLINED;
    }

    p = ngx_cpymem(p, json, size);
    *p++ = '}';

    r->frame = result->frame;
    r->slot = result->slot;
    r->captured = result->captured;
    r->ready = now;
    r->size = (uint32_t) (p - (u_char *) (r + 1));

    ngx_vidcast_ring_publish_result(ring, r, seq);

    (void) pthread_mutex_unlock(&capture->results_mutex);

    result->seq = seq;

    if (result->status == NULL && !result->pushed) {
        ngx_vidcast_capture_predicted(capture, result->predict);
    }

    ngx_vidcast_capture_on_result(capture);

    if (!result->pushed) {
        ngx_vidcast_zone_wake_workers(capture->zone);
    }

    return NGX_OK;
}


static u_char *
ngx_vidcast_result_publish_head(ngx_vidcast_capture_t *capture,
    ngx_vidcast_result_t *result, uint64_t seq, uint64_t now, u_char *p,
    u_char *last)
{
    uint64_t         time, total;
    struct timespec  ts;

    /* both clocks at once, as for the frame: "now" may be older */

    (void) clock_gettime(CLOCK_REALTIME, &ts);

    time = (uint64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000
           - (ngx_vidcast_clock() - result->captured);
    total = now - result->captured;

    p = ngx_slprintf(p, last,
                     "{\"v\":1,\"source\":\"%V\",\"epoch\":\"%016xL\","
                     "\"seq\":%uL,\"frame\":%uL,\"ts\":%uL.%06uL,",
                     &capture->source->name, capture->zone->ring.shm->epoch,
                     seq, result->frame, time / 1000000, time % 1000000);

    if (result->pts != NGX_VIDCAST_NO_PTS) {
        p = ngx_slprintf(p, last, "\"pts\":%L.%06L,",
                         result->pts / 1000000, result->pts % 1000000);
    }

    p = ngx_slprintf(p, last,
                     "\"width\":%uD,\"height\":%uD,\"status\":\"%s\",",
                     result->width, result->height,
                     result->status ? result->status : "ok");

    if (result->status) {
        p = ngx_vidcast_result_publish_error(result->error, p, last);
    }

    return ngx_slprintf(p, last, "\"latency\":{\"predict\":%uL.%06uL,"
                        "\"total\":%uL.%06uL},\"result\":",
                        result->predict / 1000000, result->predict % 1000000,
                        total / 1000000, total % 1000000);
}


static u_char *
ngx_vidcast_result_publish_error(const u_char *error, u_char *p, u_char *last)
{
    size_t  len;

    len = ngx_strlen(error);

    /* without its reason, rather than without a result */

    if ((size_t) (last - p) < 6 * len + NGX_VIDCAST_RESULT_ROOM) {
        return p;
    }

    p = ngx_cpymem(p, "\"error\":\"", sizeof("\"error\":\"") - 1);
    p = ngx_vidcast_json(p, (u_char *) error, len);

    return ngx_cpymem(p, "\",", 2);
}


void
ngx_vidcast_capture_predicted(ngx_vidcast_capture_t *capture, uint64_t time)
{
    ngx_vidcast_count(&capture->counters->predicted, 1);
    ngx_vidcast_count(&capture->counters->predict_time, time);

    ngx_vidcast_store(&capture->zone->shm->predict_time, (uint32_t) time);
}


void
ngx_vidcast_capture_judged(ngx_vidcast_capture_t *capture, uint64_t number)
{
    uint64_t  judged;

    judged = ngx_vidcast_load(&capture->judged);

    while (number > judged
           && !ngx_vidcast_cas(&capture->judged, &judged, number))
    {
        /* void */
    }

    ngx_vidcast_capture_on_result(capture);
}
