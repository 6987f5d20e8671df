
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "http/delivery/ngx_http_vidcast_pairing.h"
#include "http/delivery/ngx_http_vidcast_feed.h"
#include "http/delivery/ngx_http_vidcast_message.h"


/* pictures that wait for their results, for viewers of both together */


/*
 * A picture is to be sent with its result, which comes later.  Needed are the
 * one that is being predicted, that of the newest result, and the one before
 * the newest, which the predictor may just be taking; as copies, since pins
 * are few.
 */

void
ngx_http_vidcast_pairing_keep(ngx_http_vidcast_feed_t *feed)
{
    uint64_t                       predicting, predicted;
    ngx_http_vidcast_message_t    *frame, *result, **next;

    predicting = ngx_vidcast_load(&feed->zone->shm->predicting);

    result = feed->results[feed->result % feed->nresults];
    predicted = result ? result->frame.number : 0;

    for (next = &feed->kept; *next; /* void */ ) {

        frame = *next;

        if (feed->npaired
            && (frame->frame.number == predicting
                || frame->frame.number == predicted))
        {
            next = &frame->next;
            continue;
        }

        *next = frame->next;
        ngx_http_vidcast_message_unref(frame);
    }

    frame = feed->frame;

    if (frame
        && feed->npaired
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
ngx_http_vidcast_pairing_fetch(ngx_http_vidcast_feed_t *feed)
{
    ngx_http_vidcast_message_t  *result, *frame;

    result = feed->results[feed->result % feed->nresults];

    if (result == NULL
        || result->frame.slot == NGX_VIDCAST_RING_NONE
        || ngx_http_vidcast_pairing_find(feed, result->frame.number))
    {
        return;
    }

    frame = ngx_http_vidcast_message_at(feed, result->frame.slot,
                                        result->frame.number);

    if (frame) {
        frame->next = feed->kept;
        feed->kept = frame;
    }
}


ngx_http_vidcast_message_t *
ngx_http_vidcast_pairing_find(ngx_http_vidcast_feed_t *feed, uint64_t number)
{
    ngx_http_vidcast_message_t  *frame;

    if (feed->frame && feed->frame->frame.number == number) {
        return feed->frame;
    }

    for (frame = feed->kept; frame; frame = frame->next) {
        if (frame->frame.number == number) {
            return frame;
        }
    }

    return NULL;
}
