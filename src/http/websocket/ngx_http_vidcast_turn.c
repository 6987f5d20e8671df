
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "core/ngx_vidcast.h"
#include "http/websocket/ngx_http_vidcast_turn.h"


static void ngx_http_vidcast_turns_handler(ngx_event_t *ev);
static void ngx_http_vidcast_turn_wait(ngx_http_vidcast_turns_t *turns,
    ngx_http_vidcast_turn_t *turn);


void
ngx_http_vidcast_turns_init(ngx_http_vidcast_turns_t *turns, ngx_log_t *log)
{
    ngx_queue_init(&turns->waiting);

    turns->event.handler = ngx_http_vidcast_turns_handler;
    turns->event.data = turns;
    turns->event.log = log;
}


/* the next round: those which have waited longest come first */

static void
ngx_http_vidcast_turns_handler(ngx_event_t *ev)
{
    ngx_queue_t               *q;
    ngx_http_vidcast_turn_t   *turn;
    ngx_http_vidcast_turns_t  *turns;

    turns = ev->data;

    turns->round = ngx_current_msec;
    turns->spent = 0;

    while (!ngx_queue_empty(&turns->waiting)) {

        if (turns->spent >= NGX_HTTP_VIDCAST_ROUND_TIME) {
            ngx_post_event(ev, &ngx_posted_next_events);
            return;
        }

        q = ngx_queue_head(&turns->waiting);
        turn = ngx_queue_data(q, ngx_http_vidcast_turn_t, queue);

        ngx_http_vidcast_turn_leave(turn);

        turn->called = 1;
        turn->read->handler(turn->read);
    }
}


ngx_int_t
ngx_http_vidcast_turn_begin(ngx_http_vidcast_turns_t *turns,
    ngx_http_vidcast_turn_t *turn)
{
    if (turn->waiting) {
        return NGX_AGAIN;
    }

    /*
     * Two rounds may be of the same millisecond; together they are no longer
     * than one
     */

    if (turns->round != ngx_current_msec) {
        turns->round = ngx_current_msec;
        turns->spent = 0;
    }

    if (!turn->called
        && (turns->spent >= NGX_HTTP_VIDCAST_ROUND_TIME
            || !ngx_queue_empty(&turns->waiting)))
    {
        ngx_http_vidcast_turn_wait(turns, turn);
        return NGX_AGAIN;
    }

    turn->called = 0;
    turn->over = 0;
    turn->messages = 0;
    turn->bytes = 0;

    turns->begun = ngx_vidcast_clock();

    return NGX_OK;
}


void
ngx_http_vidcast_turn_spend(ngx_http_vidcast_turns_t *turns,
    ngx_http_vidcast_turn_t *turn)
{
    turn->messages++;

    if (turn->messages >= NGX_HTTP_VIDCAST_TURN_MESSAGES
        || turn->bytes >= NGX_HTTP_VIDCAST_TURN_BYTES
        || turns->spent + ngx_vidcast_clock() - turns->begun
           >= NGX_HTTP_VIDCAST_ROUND_TIME)
    {
        turn->over = 1;
    }
}


void
ngx_http_vidcast_turn_end(ngx_http_vidcast_turns_t *turns,
    ngx_http_vidcast_turn_t *turn)
{
    /* none is for nothing: a round ends, however short its turns are */

    turns->spent += ngx_vidcast_clock() - turns->begun + 1;

    if (turn && turn->over && !turn->waiting) {
        ngx_http_vidcast_turn_wait(turns, turn);
    }
}


static void
ngx_http_vidcast_turn_wait(ngx_http_vidcast_turns_t *turns,
    ngx_http_vidcast_turn_t *turn)
{
    ngx_queue_insert_tail(&turns->waiting, &turn->queue);

    turn->waiting = 1;
    (*turn->waits)++;

    if (!turns->event.posted) {
        ngx_post_event(&turns->event, &ngx_posted_next_events);
    }
}


void
ngx_http_vidcast_turn_leave(ngx_http_vidcast_turn_t *turn)
{
    if (turn->waiting) {
        ngx_queue_remove(&turn->queue);
        turn->waiting = 0;
    }
}
