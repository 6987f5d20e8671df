
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast_error.h"
#include "shm/ngx_vidcast_control.h"
#include "input/ngx_vidcast_input.h"


/*
 * push: pictures which workers received.  A slot of the ring is lent to the
 * worker by the hand-off, and what comes back in it becomes the frame where it
 * stands.  Texts become results.
 */

#define NGX_VIDCAST_INPUT_PUSH_WAIT  200         /* ms for a message */
#define NGX_VIDCAST_INPUT_PUSH_FULL  5           /* ms till a slot is free */


typedef struct {
    ngx_vidcast_handoff_t  *handoff;
    uint32_t                slot;   /* of the message in hand */
    uint64_t                last;   /* message, CLOCK_MONOTONIC, us; 0: none */
    uint64_t                looked; /* for publishers that are gone */
    u_char                  refused[NGX_VIDCAST_ERROR_LEN];
} ngx_vidcast_input_push_t;


static void *ngx_vidcast_input_push_create_params(ngx_pool_t *pool);
static ngx_int_t ngx_vidcast_input_push_set(ngx_vidcast_input_conf_t *conf,
    ngx_str_t *name, ngx_str_t *value);
static ngx_int_t ngx_vidcast_input_push_check(ngx_vidcast_input_conf_t *conf,
    u_char *error);
static ngx_int_t ngx_vidcast_input_push_open(ngx_vidcast_input_t *in);
static ngx_int_t ngx_vidcast_input_push_grab(ngx_vidcast_input_t *in,
    ngx_vidcast_picture_t *picture);
static void ngx_vidcast_input_push_look(ngx_vidcast_input_t *in,
    ngx_uint_t called);
static ngx_int_t ngx_vidcast_input_push_submitted(ngx_vidcast_input_t *in,
    ngx_vidcast_picture_t *picture, ngx_uint_t kind, size_t size);
static void ngx_vidcast_input_push_result(ngx_vidcast_input_t *in,
    size_t size);
static ngx_uint_t ngx_vidcast_input_push_lend(ngx_vidcast_input_t *in);
static void ngx_vidcast_input_push_reply(ngx_vidcast_input_t *in,
    ngx_uint_t reason, uint64_t number, ngx_uint_t free);
static ngx_int_t ngx_vidcast_input_push_idle(ngx_vidcast_input_t *in);
static void ngx_vidcast_input_push_release(ngx_vidcast_input_t *in);
static void ngx_vidcast_input_push_close(ngx_vidcast_input_t *in);


ngx_vidcast_input_module_t  ngx_vidcast_input_push = {
    ngx_string("push"),
    NGX_VIDCAST_INPUT_PASSIVE,
    ngx_vidcast_input_push_create_params,
    ngx_vidcast_input_push_set,
    ngx_vidcast_input_push_check,
    ngx_vidcast_input_push_open,
    ngx_vidcast_input_push_grab,
    ngx_vidcast_input_push_release,
    ngx_vidcast_input_push_close,
    NULL
};


static void *
ngx_vidcast_input_push_create_params(ngx_pool_t *pool)
{
    /* it has none, but NULL would be an error */

    return pool;
}


static ngx_int_t
ngx_vidcast_input_push_set(ngx_vidcast_input_conf_t *conf, ngx_str_t *name,
    ngx_str_t *value)
{
    return NGX_DECLINED;
}


static ngx_int_t
ngx_vidcast_input_push_check(ngx_vidcast_input_conf_t *conf, u_char *error)
{
    if (conf->path.len) {
        ngx_vidcast_error(error, "nothing may follow \"push:\"");
        return NGX_ERROR;
    }

    conf->push = 1;

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_input_push_open(ngx_vidcast_input_t *in)
{
    ngx_vidcast_input_push_t  *push;

    push = ngx_calloc(sizeof(ngx_vidcast_input_push_t), in->log);
    if (push == NULL) {
        ngx_vidcast_error(in->error, "no memory");
        return NGX_ERROR;
    }

    push->handoff = &in->source->original.zone->shm->handoff;

    in->data = push;
    in->format = NGX_VIDCAST_INPUT_JPEG;

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_input_push_grab(ngx_vidcast_input_t *in,
    ngx_vidcast_picture_t *picture)
{
    size_t                     size;
    uint32_t                   slot;
    ngx_int_t                  rc;
    ngx_uint_t                 kind, full;
    ngx_vidcast_zone_t        *zone;
    ngx_vidcast_input_push_t  *push;

    push = in->data;
    zone = in->source->original.zone;
    full = 0;

    if (ngx_vidcast_handoff_take(push->handoff, &push->slot, &kind, &size)
        == NGX_OK)
    {
        return ngx_vidcast_input_push_submitted(in, picture, kind, size);
    }

    if (ngx_vidcast_handoff_returned(push->handoff, &slot) == NGX_OK) {
        in->host->abandon(in->capture, slot);
        ngx_vidcast_zone_wake_workers(zone);
    }

    if (ngx_vidcast_handoff_wanted(push->handoff)) {
        full = !ngx_vidcast_input_push_lend(in);
    }

    rc = ngx_vidcast_zone_wait_wake(zone, full ? NGX_VIDCAST_INPUT_PUSH_FULL
                                            : NGX_VIDCAST_INPUT_PUSH_WAIT);

    ngx_vidcast_input_push_look(in, rc == NGX_OK);

    return (rc == NGX_OK) ? NGX_AGAIN : ngx_vidcast_input_push_idle(in);
}


/* also if calls come all the time, from workers that wait for a dead one */

static void
ngx_vidcast_input_push_look(ngx_vidcast_input_t *in, ngx_uint_t called)
{
    uint64_t                   now;
    ngx_vidcast_input_push_t  *push;

    push = in->data;

    now = ngx_vidcast_clock();

    if (called && now - push->looked < NGX_VIDCAST_INPUT_PUSH_WAIT * 1000) {
        return;
    }

    push->looked = now;

    ngx_vidcast_zone_take_back(in->control, in->source->original.zone, in->log);
}


static ngx_int_t
ngx_vidcast_input_push_submitted(ngx_vidcast_input_t *in,
    ngx_vidcast_picture_t *picture, ngx_uint_t kind, size_t size)
{
    u_char                    *data;
    ngx_vidcast_ring_t        *ring;
    ngx_vidcast_input_push_t  *push;

    push = in->data;

    ring = &in->source->original.zone->ring;

    if (push->slot >= ring->geometry.slots || size > ring->geometry.slot_size) {
        ngx_vidcast_input_push_reply(in, NGX_VIDCAST_HANDOFF_TOO_LARGE, 0,
                                     push->slot < ring->geometry.slots);
        ngx_vidcast_zone_wake_workers(in->source->original.zone);

        return NGX_AGAIN;
    }

    if (kind == NGX_VIDCAST_HANDOFF_RESULT) {
        ngx_vidcast_input_push_result(in, size);
        return NGX_AGAIN;
    }

    data = ngx_vidcast_ring_data(ring, push->slot);

    if (ngx_vidcast_input_jpeg(in, picture, data, size) != NGX_OK) {
        (void) ngx_cpystrn(push->refused, in->error, NGX_VIDCAST_ERROR_LEN);

        ngx_vidcast_input_push_reply(in, NGX_VIDCAST_HANDOFF_BAD,
                                     picture->info.fault, 1);
        ngx_vidcast_zone_wake_workers(in->source->original.zone);

        return NGX_DECLINED;
    }

    picture->slot = push->slot;
    picture->lent = 1;

    return NGX_OK;
}


/* its slot was only the way here, and is lent again */

static void
ngx_vidcast_input_push_result(ngx_vidcast_input_t *in, size_t size)
{
    uint64_t                   seq;
    ngx_int_t                  rc;
    ngx_vidcast_zone_t        *zone;
    ngx_vidcast_input_push_t  *push;

    push = in->data;
    zone = in->source->original.zone;

    rc = in->host->publish_result(in->capture,
                                  ngx_vidcast_ring_data(&zone->ring,
                                                        push->slot),
                                  size, &seq);

    if (rc == NGX_OK) {
        push->last = ngx_vidcast_clock();

        ngx_vidcast_input_push_reply(in, NGX_VIDCAST_HANDOFF_TAKEN, seq, 1);

    } else {
        ngx_vidcast_input_push_reply(in, NGX_VIDCAST_HANDOFF_TOO_LARGE, 0, 1);
    }

    ngx_vidcast_zone_wake_workers(zone);
}


/* zero: the ring is full, the worker waits, and whoever sends to it */

static ngx_uint_t
ngx_vidcast_input_push_lend(ngx_vidcast_input_t *in)
{
    uint32_t                   slot;
    ngx_vidcast_input_push_t  *push;

    push = in->data;

    slot = in->host->claim(in->capture);

    if (slot == NGX_VIDCAST_RING_NONE) {
        return 0;
    }

    if (ngx_vidcast_handoff_lend(push->handoff, slot) != NGX_OK) {
        in->host->abandon(in->capture, slot);
    }

    ngx_vidcast_zone_wake_workers(in->source->original.zone);

    return 1;
}


/* with another slot, or the message's own one if that is "free" */

static void
ngx_vidcast_input_push_reply(ngx_vidcast_input_t *in, ngx_uint_t reason,
    uint64_t number, ngx_uint_t free)
{
    uint32_t                   slot;
    ngx_vidcast_input_push_t  *push;

    push = in->data;

    slot = free ? push->slot : in->host->claim(in->capture);

    if (slot == NGX_VIDCAST_RING_NONE) {
        slot = NGX_VIDCAST_HANDOFF_NO_SLOT;
    }

    if (ngx_vidcast_handoff_reply(push->handoff, reason, number, slot) != NGX_OK
        && slot != NGX_VIDCAST_HANDOFF_NO_SLOT)
    {
        in->host->abandon(in->capture, slot);
    }
}


/* is there a publisher, and was there a message of late? */

static ngx_int_t
ngx_vidcast_input_push_idle(ngx_vidcast_input_t *in)
{
    uint64_t                   silence;
    ngx_uint_t                 session;
    ngx_vidcast_input_push_t  *push;

    push = in->data;

    (void) ngx_vidcast_handoff_process(push->handoff, &session);

    silence = 2 * (uint64_t) in->source->stale * 1000;

    if (push->last) {

        /* "stale" comes first, and stays while there is a publisher */

        if (session || ngx_vidcast_clock() - push->last < silence) {
            return NGX_AGAIN;
        }

        push->last = 0;
    }

    if (!session) {
        push->refused[0] = '\0';
        ngx_vidcast_error(in->error, "no publisher");

    } else if (push->refused[0]) {
        ngx_vidcast_error(in->error, "the publisher sent nothing good yet: %s",
                          push->refused);

    } else {
        ngx_vidcast_error(in->error, "the publisher sent nothing yet");
    }

    return NGX_BUSY;
}


static void
ngx_vidcast_input_push_release(ngx_vidcast_input_t *in)
{
    ngx_vidcast_input_push_t  *push;

    push = in->data;

    if (in->number) {
        push->last = ngx_vidcast_clock();

        ngx_vidcast_input_push_reply(in, NGX_VIDCAST_HANDOFF_TAKEN, in->number,
                                     0);

    } else {
        ngx_vidcast_input_push_reply(in,
                                     in->large ? NGX_VIDCAST_HANDOFF_TOO_LARGE
                                               : NGX_VIDCAST_HANDOFF_BAD,
                                     0, 1);
    }

    ngx_vidcast_zone_wake_workers(in->source->original.zone);
}


static void
ngx_vidcast_input_push_close(ngx_vidcast_input_t *in)
{
    ngx_free(in->data);
}
