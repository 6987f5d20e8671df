
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_vidcast_hub.h"
#include "ngx_vidcast_ws.h"


/*
 * A frame in the ring is pinned as long as somebody here refers to it, but
 * this worker keeps two slots at most: the newest and one before it.  When a
 * third frame comes, the oldest moves to memory of this process, for all
 * viewers to whom it is still leaving.
 */


static void ngx_http_vidcast_message_new_results(ngx_http_vidcast_hub_t *hub);
static ngx_http_vidcast_message_t *ngx_http_vidcast_message_result(
    ngx_http_vidcast_hub_t *hub, uint64_t seq);
static ngx_http_vidcast_message_t *ngx_http_vidcast_message_text(
    ngx_http_vidcast_hub_t *hub, size_t size);
static void ngx_http_vidcast_message_new_frame(ngx_http_vidcast_hub_t *hub);
static ngx_int_t ngx_http_vidcast_message_pin(
    ngx_http_vidcast_message_t *message);
static ngx_int_t ngx_http_vidcast_message_read(
    ngx_http_vidcast_message_t *message);
static ngx_int_t ngx_http_vidcast_message_duplicate(
    ngx_http_vidcast_message_t *message);
static void ngx_http_vidcast_message_unpin(
    ngx_http_vidcast_message_t *message);


void
ngx_http_vidcast_message_news(ngx_http_vidcast_hub_t *hub)
{
    ngx_http_vidcast_message_new_results(hub);

    if (hub->nframes) {
        ngx_http_vidcast_message_new_frame(hub);
    }
}


static void
ngx_http_vidcast_message_new_results(ngx_http_vidcast_hub_t *hub)
{
    uint64_t                      seq, newest;
    ngx_uint_t                    n;
    ngx_http_vidcast_message_t  **slot;

    n = hub->source->geometry.results;
    newest = ngx_vidcast_ring_newest_result(&hub->zone->ring);

    if (newest == hub->result) {
        return;
    }

    seq = hub->result + 1;

    /* the history is for viewers who fell behind, not for those before us */

    if (hub->result == 0 || newest - hub->result >= n) {
        seq = (hub->result == 0) ? newest : newest - n + 1;
    }

    for ( /* void */ ; seq <= newest; seq++) {
        slot = &hub->results[seq % n];

        if (*slot) {
            ngx_http_vidcast_message_unref(*slot);
        }

        *slot = ngx_http_vidcast_message_result(hub, seq);
    }

    hub->result = newest;
}


/* NULL: lost, or no memory */

static ngx_http_vidcast_message_t *
ngx_http_vidcast_message_result(ngx_http_vidcast_hub_t *hub, uint64_t seq)
{
    ngx_vidcast_ring_result_t    result;
    ngx_http_vidcast_message_t  *message;

    if (ngx_vidcast_ring_read_result(&hub->zone->ring, seq, &result, hub->text)
        != NGX_OK)
    {
        return NULL;
    }

    message = ngx_http_vidcast_message_text(hub, result.size);
    if (message == NULL) {
        return NULL;
    }

    message->seq = seq;

    ngx_memcpy(message->data, hub->text, result.size);

    return message;
}


static ngx_http_vidcast_message_t *
ngx_http_vidcast_message_text(ngx_http_vidcast_hub_t *hub, size_t size)
{
    ngx_http_vidcast_message_t  *message;

    message = ngx_alloc(sizeof(ngx_http_vidcast_message_t)
                        + NGX_VIDCAST_WS_MAX_HEADER + size + 2,
                        ngx_cycle->log);
    if (message == NULL) {
        return NULL;
    }

    ngx_memzero(message, sizeof(ngx_http_vidcast_message_t));

    message->refs = 1;
    message->hub = hub;
    message->data = (u_char *) (message + 1) + NGX_VIDCAST_WS_MAX_HEADER;
    message->size = size;
    message->header = ngx_vidcast_ws_header_len(size);

    (void) ngx_vidcast_ws_header(message->data - message->header,
                                 NGX_VIDCAST_WS_TEXT, size);

    message->data[size] = '\n';
    message->data[size + 1] = '\n';

    return message;
}


/* all our results begin with these bytes */

#define NGX_HTTP_VIDCAST_VERSION      "{\"v\":1,"
#define NGX_HTTP_VIDCAST_VERSION_LEN  (sizeof(NGX_HTTP_VIDCAST_VERSION) - 1)


ngx_http_vidcast_message_t *
ngx_http_vidcast_message_told(ngx_http_vidcast_message_t *message,
    uint64_t skipped)
{
    u_char                      *p, text[sizeof("\"skipped\":,")
                                         + NGX_INT64_LEN];
    size_t                       len;
    ngx_http_vidcast_message_t  *told;

    len = ngx_sprintf(text, "\"skipped\":%uL,", skipped) - text;

    told = ngx_http_vidcast_message_text(message->hub, message->size + len);
    if (told == NULL) {
        return NULL;
    }

    told->seq = message->seq;

    p = ngx_cpymem(told->data, message->data, NGX_HTTP_VIDCAST_VERSION_LEN);
    p = ngx_cpymem(p, text, len);
    ngx_memcpy(p, message->data + NGX_HTTP_VIDCAST_VERSION_LEN,
               message->size - NGX_HTTP_VIDCAST_VERSION_LEN);

    return told;
}


static void
ngx_http_vidcast_message_new_frame(ngx_http_vidcast_hub_t *hub)
{
    ngx_int_t                    rc;
    ngx_http_vidcast_message_t  *message, *frame;

    message = hub->free;

    if (message) {
        hub->free = message->next;

    } else {
        message = ngx_alloc(sizeof(ngx_http_vidcast_message_t),
                            ngx_cycle->log);
        if (message == NULL) {
            return;
        }
    }

    ngx_memzero(message, sizeof(ngx_http_vidcast_message_t));
    message->hub = hub;

    rc = hub->zone->ring.bit ? ngx_http_vidcast_message_pin(message)
                             : ngx_http_vidcast_message_read(message);

    if (rc != NGX_OK) {
        message->next = hub->free;
        hub->free = message;
        return;
    }

    message->refs = 1;
    message->size = message->frame.size;

    frame = hub->frame;
    hub->frame = message;

    if (frame == NULL) {
        return;
    }

    if (frame->refs > 1 && frame->pinned) {

        /* without memory for a copy the slot stays ours: whole it must be */

        if (hub->older) {
            (void) ngx_http_vidcast_message_copy(hub->older);
        }

        hub->older = frame;
    }

    ngx_http_vidcast_message_unref(frame);
}


static ngx_int_t
ngx_http_vidcast_message_pin(ngx_http_vidcast_message_t *message)
{
    uint64_t                 seen;
    ngx_int_t                rc;
    ngx_http_vidcast_hub_t  *hub;

    hub = message->hub;
    seen = hub->frame ? hub->frame->frame.number : 0;

    rc = ngx_vidcast_ring_acquire(&hub->zone->ring, seen, &message->frame);

    if (rc == NGX_OK) {
        message->data = message->frame.data;
        message->pinned = 1;
    }

    return rc;
}


/* without a pin: the bytes are copied, and then asked whether they were one */

static ngx_int_t
ngx_http_vidcast_message_read(ngx_http_vidcast_message_t *message)
{
    uint64_t                 seen;
    ngx_int_t                rc;
    ngx_http_vidcast_hub_t  *hub;

    hub = message->hub;
    seen = hub->frame ? hub->frame->frame.number : 0;

    rc = ngx_vidcast_ring_peek(&hub->zone->ring, seen, &message->frame);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_vidcast_message_duplicate(message) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_vidcast_ring_check(&hub->zone->ring, &message->frame);

    if (rc != NGX_OK) {
        ngx_free(message->copy);
    }

    return rc;
}


ngx_int_t
ngx_http_vidcast_message_copy(ngx_http_vidcast_message_t *message)
{
    if (message->copy) {
        return NGX_OK;
    }

    if (ngx_http_vidcast_message_duplicate(message) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_vidcast_message_unpin(message);

    return NGX_OK;
}


static ngx_int_t
ngx_http_vidcast_message_duplicate(ngx_http_vidcast_message_t *message)
{
    u_char               *p;
    ngx_vidcast_frame_t  *frame;

    frame = &message->frame;

    p = ngx_alloc(NGX_HTTP_VIDCAST_PART_LEN + NGX_VIDCAST_RING_HEAD
                  + frame->size + NGX_HTTP_VIDCAST_TAIL_LEN, ngx_cycle->log);
    if (p == NULL) {
        return NGX_ERROR;
    }

    message->copy = p;
    message->part = p;

    message->part_len = ngx_sprintf(p, "Content-Type: image/jpeg" CRLF
                                    "Content-Length: %uD" CRLF
                                    "X-Timestamp: %uL.%06uL" CRLF
                                    "X-Vidcast-Frame: %uL" CRLF CRLF,
                                    frame->size, frame->time / 1000000,
                                    frame->time % 1000000, frame->number)
                        - p;

    p += NGX_HTTP_VIDCAST_PART_LEN + NGX_VIDCAST_RING_HEAD;

    ngx_memcpy(p - NGX_VIDCAST_RING_HEAD, frame->data - NGX_VIDCAST_RING_HEAD,
               NGX_VIDCAST_RING_HEAD + frame->size);
    ngx_memcpy(p + frame->size, NGX_HTTP_VIDCAST_TAIL,
               NGX_HTTP_VIDCAST_TAIL_LEN);

    message->data = p;

    return NGX_OK;
}


static void
ngx_http_vidcast_message_unpin(ngx_http_vidcast_message_t *message)
{
    if (message->pinned) {
        ngx_vidcast_ring_release(&message->hub->zone->ring, &message->frame);
        message->pinned = 0;
    }

    if (message->hub->older == message) {
        message->hub->older = NULL;
    }
}


void
ngx_http_vidcast_message_unref(ngx_http_vidcast_message_t *message)
{
    ngx_http_vidcast_hub_t  *hub;

    if (--message->refs) {
        return;
    }

    if (message->seq) {
        ngx_free(message);
        return;
    }

    ngx_http_vidcast_message_unpin(message);

    if (message->copy) {
        ngx_free(message->copy);
    }

    hub = message->hub;

    message->next = hub->free;
    hub->free = message;
}


/*
 * Those who left in the middle of a frame, to say good-bye first, may still
 * refer to it: they must not keep the slot.
 */

void
ngx_http_vidcast_message_drop_frame(ngx_http_vidcast_hub_t *hub)
{
    ngx_http_vidcast_message_t  *frame;

    frame = hub->frame;

    if (frame == NULL
        || (frame->refs > 1
            && ngx_http_vidcast_message_copy(frame) != NGX_OK))
    {
        return;
    }

    hub->frame = NULL;

    ngx_http_vidcast_message_unref(frame);
}


void
ngx_http_vidcast_message_drop(ngx_http_vidcast_hub_t *hub)
{
    ngx_uint_t                   i;
    ngx_http_vidcast_message_t  *message;

    ngx_http_vidcast_message_drop_frame(hub);

    for (i = 0; i < hub->source->geometry.results; i++) {
        if (hub->results[i]) {
            ngx_http_vidcast_message_unref(hub->results[i]);
            hub->results[i] = NULL;
        }
    }

    hub->result = 0;

    while (hub->free) {
        message = hub->free;
        hub->free = message->next;
        ngx_free(message);
    }
}
