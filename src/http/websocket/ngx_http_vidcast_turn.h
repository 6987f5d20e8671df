
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_HTTP_VIDCAST_TURN_H_INCLUDED_
#define _NGX_HTTP_VIDCAST_TURN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>


/*
 * A worker reads what WebSocket peers say in turns.  All of them together have
 * a millisecond of each round of its event loop; whose turn would begin later
 * waits in a queue.  So peers that say much wait for each other, and what
 * everybody is sent waits for none of them.
 *
 * What is done with a whole message is never cut: what the largest one that is
 * allowed costs, a round may last longer.
 */

#define NGX_HTTP_VIDCAST_TURN_MESSAGES  64
#define NGX_HTTP_VIDCAST_TURN_BYTES     524288
#define NGX_HTTP_VIDCAST_ROUND_TIME     1000     /* us */

/* a byte of a message that is inflated, or parsed, is worth so many read */

#define NGX_HTTP_VIDCAST_TURN_PARSED    8


/* a peer's */

typedef struct {
    ngx_queue_t     queue;
    ngx_event_t    *read;
    uint64_t       *waits;       /* counts them */
    ngx_uint_t      messages;    /* in this turn, and reads */
    size_t          bytes;
    unsigned        waiting:1;   /* it is in the queue */
    unsigned        called:1;    /* out of it */
    unsigned        over:1;      /* the turn; there may be more to read */
} ngx_http_vidcast_turn_t;


/* of a worker */

typedef struct {
    ngx_queue_t     waiting;
    ngx_event_t     event;       /* the next round */
    ngx_msec_t      round;       /* that began at this time */
    uint64_t        spent;       /* us, in it, by turns that are over */
    uint64_t        begun;       /* us, the turn in hand */
} ngx_http_vidcast_turns_t;


void ngx_http_vidcast_turns_init(ngx_http_vidcast_turns_t *turns,
    ngx_log_t *log);

/*
 * begin()  NGX_OK: it may read now; NGX_AGAIN: the read event's handler is
 *          called when it may
 * spend()  something was read, or handled, whose bytes the caller has added:
 *          sets turn->over when others are to read
 * end()    it reads no more for now.  "turn" is NULL if the peer is gone; else
 *          it is called again if turn->over
 * leave()  it does not want any more; as often as one likes
 */
ngx_int_t ngx_http_vidcast_turn_begin(ngx_http_vidcast_turns_t *turns,
    ngx_http_vidcast_turn_t *turn);
void ngx_http_vidcast_turn_spend(ngx_http_vidcast_turns_t *turns,
    ngx_http_vidcast_turn_t *turn);
void ngx_http_vidcast_turn_end(ngx_http_vidcast_turns_t *turns,
    ngx_http_vidcast_turn_t *turn);
void ngx_http_vidcast_turn_leave(ngx_http_vidcast_turn_t *turn);


#endif /* _NGX_HTTP_VIDCAST_TURN_H_INCLUDED_ */
