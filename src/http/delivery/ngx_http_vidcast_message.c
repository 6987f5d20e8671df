
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "http/delivery/ngx_http_vidcast_message.h"
#include "http/delivery/ngx_http_vidcast_feed.h"
#include "wire/ngx_vidcast_deflate.h"
#include "wire/ngx_vidcast_ws.h"


/* results are small: a window of 4 kB, and none for a few bytes */

#define NGX_HTTP_VIDCAST_WINDOW       12
#define NGX_HTTP_VIDCAST_DEFLATE_MIN  64

/* all our results begin with these bytes */

#define NGX_HTTP_VIDCAST_VERSION      "{\"v\":1,"
#define NGX_HTTP_VIDCAST_VERSION_LEN  (sizeof(NGX_HTTP_VIDCAST_VERSION) - 1)


static ngx_http_vidcast_message_t *ngx_http_vidcast_message_text(
    ngx_http_vidcast_feed_t *feed, size_t size);
static ngx_int_t ngx_http_vidcast_message_deflate(
    ngx_http_vidcast_message_t *message);
static ngx_http_vidcast_message_t *ngx_http_vidcast_message_alloc(
    ngx_http_vidcast_feed_t *feed);
static ngx_int_t ngx_http_vidcast_message_pin(
    ngx_http_vidcast_message_t *message);
static ngx_int_t ngx_http_vidcast_message_read(
    ngx_http_vidcast_message_t *message);
static void ngx_http_vidcast_message_free_copy(
    ngx_http_vidcast_message_t *message);
static void ngx_http_vidcast_message_unpin(
    ngx_http_vidcast_message_t *message);


/* NULL: lost, or no memory */

ngx_http_vidcast_message_t *
ngx_http_vidcast_message_result(ngx_http_vidcast_feed_t *feed, uint64_t seq)
{
    ngx_vidcast_ring_result_t    result;
    ngx_http_vidcast_message_t  *message;

    if (ngx_vidcast_ring_peek_result(&feed->zone->ring, seq, &result)
        != NGX_OK)
    {
        return NULL;
    }

    /* told() relies on it, and the text is another process's */

    if (result.size < NGX_HTTP_VIDCAST_VERSION_LEN) {
        return NULL;
    }

    message = ngx_http_vidcast_message_text(feed, result.size);
    if (message == NULL) {
        return NULL;
    }

    message->seq = seq;
    message->frame.number = result.frame;
    message->frame.slot = result.slot;

    /* the only copy in this worker, whole or given up again */

    if (ngx_vidcast_ring_copy_result(&feed->zone->ring, &result, message->data)
        != NGX_OK)
    {
        ngx_free(message);
        return NULL;
    }

    return message;
}


static ngx_http_vidcast_message_t *
ngx_http_vidcast_message_text(ngx_http_vidcast_feed_t *feed, size_t size)
{
    ngx_http_vidcast_message_t  *message;

    message = ngx_alloc(sizeof(ngx_http_vidcast_message_t)
                        + NGX_VIDCAST_WS_MAX_HEADER + size + 2,
                        ngx_cycle->log);
    if (message == NULL) {
        feed->stats->no_memory++;
        return NULL;
    }

    ngx_memzero(message, sizeof(ngx_http_vidcast_message_t));

    message->refs = 1;
    message->text = 1;
    message->feed = feed;
    message->data = (u_char *) (message + 1) + NGX_VIDCAST_WS_MAX_HEADER;
    message->size = size;
    message->header = ngx_vidcast_ws_header_len(size);

    (void) ngx_vidcast_ws_header(message->data - message->header,
                                 NGX_VIDCAST_WS_TEXT, size);

    message->data[size] = '\n';
    message->data[size + 1] = '\n';

    return message;
}


ngx_http_vidcast_message_t *
ngx_http_vidcast_message_told(ngx_http_vidcast_message_t *message,
    uint64_t skipped, ngx_uint_t reset)
{
    u_char                      *p, text[sizeof("\"skipped\":,\"reset\":true,")
                                         + NGX_INT64_LEN];
    size_t                       len;
    ngx_http_vidcast_message_t  *told;

    p = text;

    if (skipped) {
        p = ngx_sprintf(p, "\"skipped\":%uL,", skipped);
    }

    if (reset) {
        p = ngx_sprintf(p, "\"reset\":true,");
    }

    len = p - text;

    told = ngx_http_vidcast_message_text(message->feed, message->size + len);
    if (told == NULL) {
        return NULL;
    }

    told->seq = message->seq;
    told->frame.number = message->frame.number;

    p = ngx_cpymem(told->data, message->data, NGX_HTTP_VIDCAST_VERSION_LEN);
    p = ngx_cpymem(p, text, len);
    ngx_memcpy(p, message->data + NGX_HTTP_VIDCAST_VERSION_LEN,
               message->size - NGX_HTTP_VIDCAST_VERSION_LEN);

    return told;
}


ngx_http_vidcast_message_t *
ngx_http_vidcast_message_error(ngx_http_vidcast_feed_t *feed,
    const char *reason)
{
    u_char                      *p;
    ngx_http_vidcast_message_t  *message;

    static const char  before[] = "{\"v\":1,\"type\":\"error\",\"error\":\"";

    message = ngx_http_vidcast_message_text(feed, sizeof(before) - 1
                                                 + ngx_strlen(reason) + 2);
    if (message == NULL) {
        return NULL;
    }

    p = ngx_cpymem(message->data, before, sizeof(before) - 1);
    p = ngx_cpymem(p, reason, ngx_strlen(reason));
    ngx_memcpy(p, "\"}", 2);

    return message;
}


void
ngx_http_vidcast_message_bytes(ngx_http_vidcast_message_t *message,
    ngx_uint_t v1, ngx_uint_t bits, u_char **data, size_t *size)
{
    size_t  header;

    if (message->text) {

        if (bits >= NGX_HTTP_VIDCAST_WINDOW
            && ngx_http_vidcast_message_deflate(message) == NGX_OK)
        {
            *data = message->deflated;
            *size = message->deflated_size;
            return;
        }

        header = message->header;

    } else {
        header = v1 ? message->frame.v1 : message->frame.plain;
    }

    *data = message->data - header;
    *size = message->size + header;
}


/* once for all viewers; NGX_DECLINED: it is better sent as it is */

static ngx_int_t
ngx_http_vidcast_message_deflate(ngx_http_vidcast_message_t *message)
{
    u_char     *p;
    size_t      header;
    ngx_str_t   in, out;

    if (message->deflated) {
        return NGX_OK;
    }

    if (message->plain || message->size < NGX_HTTP_VIDCAST_DEFLATE_MIN) {
        return NGX_DECLINED;
    }

    message->plain = 1;

    p = ngx_alloc(NGX_VIDCAST_WS_MAX_HEADER + message->size, ngx_cycle->log);
    if (p == NULL) {
        return NGX_DECLINED;
    }

    in.data = message->data;
    in.len = message->size;
    header = ngx_vidcast_ws_header_len(message->size);
    out.data = p + header;
    out.len = message->size - 1;

    if (ngx_vidcast_deflate(&in, NGX_HTTP_VIDCAST_WINDOW, &out) != NGX_OK) {
        ngx_free(p);
        return NGX_DECLINED;
    }

    /* the header is made shorter by a shorter message: it ends at the data */

    if (ngx_vidcast_ws_header_len(out.len) != header) {
        header = ngx_vidcast_ws_header_len(out.len);
        ngx_memmove(p + header, out.data, out.len);
    }

    (void) ngx_vidcast_ws_header(p, NGX_VIDCAST_WS_TEXT|NGX_VIDCAST_WS_RSV1,
                                 out.len);

    message->deflated = p;
    message->deflated_size = header + out.len;

    return NGX_OK;
}


static ngx_http_vidcast_message_t *
ngx_http_vidcast_message_alloc(ngx_http_vidcast_feed_t *feed)
{
    ngx_http_vidcast_message_t  *message;

    message = feed->free;

    if (message) {
        feed->free = message->next;

    } else {
        message = ngx_alloc(sizeof(ngx_http_vidcast_message_t)
                            + NGX_HTTP_VIDCAST_PART_LEN, ngx_cycle->log);
        if (message == NULL) {
            feed->stats->no_memory++;
            return NULL;
        }
    }

    ngx_memzero(message, sizeof(ngx_http_vidcast_message_t));
    message->feed = feed;

    return message;
}


/* NULL: there is no newer one, or no memory */

ngx_http_vidcast_message_t *
ngx_http_vidcast_message_frame(ngx_http_vidcast_feed_t *feed)
{
    ngx_int_t                    rc;
    ngx_http_vidcast_message_t  *message;

    message = ngx_http_vidcast_message_alloc(feed);
    if (message == NULL) {
        return NULL;
    }

    rc = feed->zone->ring.bit ? ngx_http_vidcast_message_pin(message)
                              : ngx_http_vidcast_message_read(message);

    if (rc != NGX_OK) {
        message->next = feed->free;
        feed->free = message;
        return NULL;
    }

    message->refs = 1;
    message->size = message->frame.size;

    return message;
}


/* NULL: it is not there any more, or no memory */

ngx_http_vidcast_message_t *
ngx_http_vidcast_message_at(ngx_http_vidcast_feed_t *feed, uint32_t slot,
    uint64_t number)
{
    ngx_int_t                    rc;
    ngx_http_vidcast_message_t  *message;

    message = ngx_http_vidcast_message_alloc(feed);
    if (message == NULL) {
        return NULL;
    }

    rc = ngx_vidcast_ring_acquire_at(&feed->zone->ring, slot, number,
                                     &message->frame);

    if (rc == NGX_OK) {
        message->size = message->frame.size;

        rc = ngx_http_vidcast_message_duplicate(message);
        message->data = message->copy;

        ngx_vidcast_ring_release(&feed->zone->ring, &message->frame);
    }

    if (rc != NGX_OK) {
        message->next = feed->free;
        feed->free = message;
        return NULL;
    }

    message->refs = 1;

    return message;
}


static ngx_int_t
ngx_http_vidcast_message_pin(ngx_http_vidcast_message_t *message)
{
    uint64_t                  seen;
    ngx_int_t                 rc;
    ngx_http_vidcast_feed_t  *feed;

    feed = message->feed;
    seen = feed->frame ? feed->frame->frame.number : 0;

    rc = ngx_vidcast_ring_acquire(&feed->zone->ring, seen, &message->frame);

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
    uint64_t                  seen;
    ngx_int_t                 rc;
    ngx_http_vidcast_feed_t  *feed;

    feed = message->feed;
    seen = feed->frame ? feed->frame->frame.number : 0;

    rc = ngx_vidcast_ring_peek(&feed->zone->ring, seen, &message->frame);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_vidcast_message_duplicate(message) != NGX_OK) {
        return NGX_ERROR;
    }

    message->data = message->copy;

    rc = ngx_vidcast_ring_check(&feed->zone->ring, &message->frame);

    if (rc != NGX_OK) {
        ngx_http_vidcast_message_free_copy(message);
    }

    return rc;
}


u_char *
ngx_http_vidcast_message_part(ngx_http_vidcast_message_t *message)
{
    u_char               *p;
    ngx_vidcast_frame_t  *frame;

    p = (u_char *) (message + 1);
    frame = &message->frame;

    if (message->part_len == 0) {
        message->part_len = ngx_sprintf(p, "Content-Type: image/jpeg" CRLF
                                        "Content-Length: %uD" CRLF
                                        "X-Timestamp: %uL.%06uL" CRLF
                                        "X-Vidcast-Frame: %uL" CRLF,
                                        frame->size, frame->time / 1000000,
                                        frame->time % 1000000, frame->number)
                            - p;
    }

    return p;
}


ngx_int_t
ngx_http_vidcast_message_copy(ngx_http_vidcast_message_t *message)
{
    if (ngx_http_vidcast_message_duplicate(message) != NGX_OK) {
        return NGX_ERROR;
    }

    message->data = message->copy;

    ngx_http_vidcast_message_unpin(message);

    return NGX_OK;
}


ngx_int_t
ngx_http_vidcast_message_duplicate(ngx_http_vidcast_message_t *message)
{
    u_char  *p;
    size_t   size;

    if (message->copy) {
        return NGX_OK;
    }

    size = NGX_VIDCAST_RING_HEAD + message->frame.size
           + NGX_VIDCAST_RING_TAIL_LEN;

    p = ngx_alloc(size, ngx_cycle->log);
    if (p == NULL) {
        message->feed->stats->no_memory++;
        return NGX_ERROR;
    }

    ngx_memcpy(p, message->frame.data - NGX_VIDCAST_RING_HEAD, size);

    message->copy = p + NGX_VIDCAST_RING_HEAD;

    return NGX_OK;
}


static void
ngx_http_vidcast_message_free_copy(ngx_http_vidcast_message_t *message)
{
    if (message->copy) {
        ngx_free(message->copy - NGX_VIDCAST_RING_HEAD);
    }
}


static void
ngx_http_vidcast_message_unpin(ngx_http_vidcast_message_t *message)
{
    if (message->pinned) {
        ngx_vidcast_ring_release(&message->feed->zone->ring, &message->frame);
        message->pinned = 0;
    }

    if (message->feed->older == message) {
        message->feed->older = NULL;
    }
}


void
ngx_http_vidcast_message_unref(ngx_http_vidcast_message_t *message)
{
    ngx_http_vidcast_feed_t  *feed;

    if (--message->refs) {
        return;
    }

    if (message->text) {

        if (message->deflated) {
            ngx_free(message->deflated);
        }

        ngx_free(message);
        return;
    }

    ngx_http_vidcast_message_unpin(message);

    ngx_http_vidcast_message_free_copy(message);

    feed = message->feed;

    message->next = feed->free;
    feed->free = message;
}
