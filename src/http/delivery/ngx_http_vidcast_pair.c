
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "http/delivery/ngx_http_vidcast_hub.h"


/* pictures that wait for their results, for viewers of both together */


/*
 * A picture is to be sent with its result, which comes later.  Needed are the
 * one that is being predicted, that of the newest result, and the one before
 * the newest, which the predictor may just be taking; as copies, since pins
 * are few.
 */

void
ngx_http_vidcast_pair_keep(ngx_http_vidcast_hub_t *hub)
{
    uint64_t                       predicting, predicted;
    ngx_http_vidcast_message_t    *frame, *result, **next;

    predicting = ngx_vidcast_load(&hub->zone->shm->predicting);

    result = hub->results[hub->result % hub->source->geometry.results];
    predicted = result ? result->frame.number : 0;

    for (next = &hub->kept; *next; /* void */ ) {

        frame = *next;

        if (hub->npaired
            && (frame->frame.number == predicting
                || frame->frame.number == predicted))
        {
            next = &frame->next;
            continue;
        }

        *next = frame->next;
        ngx_http_vidcast_message_unref(frame);
    }

    frame = hub->frame;

    if (frame
        && hub->npaired
        && ngx_http_vidcast_message_copy(frame) == NGX_OK)
    {
        frame->refs++;
        frame->next = NULL;
        *next = frame;
    }
}


/*
 * The picture of the newest result, if we do not have it: a slow predictor's
 * has long been out of our sight, but the capture still holds it.
 */

void
ngx_http_vidcast_pair_fetch(ngx_http_vidcast_hub_t *hub)
{
    ngx_http_vidcast_message_t  *result, *frame;

    result = hub->results[hub->result % hub->source->geometry.results];

    if (result == NULL
        || result->frame.slot == NGX_VIDCAST_RING_NONE
        || ngx_http_vidcast_pair_find(hub, result->frame.number))
    {
        return;
    }

    frame = ngx_http_vidcast_message_at(hub, result->frame.slot,
                                        result->frame.number);

    if (frame) {
        frame->next = hub->kept;
        hub->kept = frame;
    }
}


ngx_http_vidcast_message_t *
ngx_http_vidcast_pair_find(ngx_http_vidcast_hub_t *hub, uint64_t number)
{
    ngx_http_vidcast_message_t  *frame;

    if (hub->frame && hub->frame->frame.number == number) {
        return hub->frame;
    }

    for (frame = hub->kept; frame; frame = frame->next) {
        if (frame->frame.number == number) {
            return frame;
        }
    }

    return NULL;
}
