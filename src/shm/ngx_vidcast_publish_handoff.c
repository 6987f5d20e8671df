
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "shm/ngx_vidcast_publish_handoff.h"
#include "shm/ngx_vidcast_ring.h"


/* the word: 4 bits of state, 4 of flags, 16 each of process and slot, turn */

#define NGX_VIDCAST_HANDOFF_STATE    0x0f
#define NGX_VIDCAST_HANDOFF_SESSION  0x10
#define NGX_VIDCAST_HANDOFF_ONCE     0x20

#define NGX_VIDCAST_HANDOFF_TURN     40

#define ngx_vidcast_handoff_state(word)                                       \
    ((ngx_uint_t) ((word) & NGX_VIDCAST_HANDOFF_STATE))

#define ngx_vidcast_handoff_owner(word)                                       \
    ((ngx_uint_t) (((word) >> 8) & 0xffff))

#define ngx_vidcast_handoff_slot(word)                                        \
    ((uint32_t) (((word) >> 24) & 0xffff))


typedef enum {
    handoff_free = 0,
    handoff_wanted,
    handoff_lent,
    handoff_submitted,
    handoff_done,
    handoff_returned
} ngx_vidcast_handoff_state_e;


static ngx_uint_t ngx_vidcast_handoff_change(ngx_vidcast_handoff_t *handoff,
    uint64_t *word, ngx_uint_t state, ngx_uint_t process, uint32_t slot,
    ngx_uint_t flags);
static ngx_uint_t ngx_vidcast_handoff_reset(ngx_vidcast_handoff_t *handoff,
    uint64_t *word);


ngx_int_t
ngx_vidcast_handoff_enter(ngx_vidcast_handoff_t *handoff, ngx_uint_t process,
    ngx_uint_t session)
{
    uint64_t  word;

    word = ngx_vidcast_load(&handoff->word);

    do {
        if (ngx_vidcast_handoff_state(word) != handoff_free) {
            return NGX_BUSY;
        }

    } while (!ngx_vidcast_handoff_change(handoff, &word, handoff_wanted,
                                         process, NGX_VIDCAST_HANDOFF_NO_SLOT,
                                         session ? NGX_VIDCAST_HANDOFF_SESSION
                                                 : 0));

    ngx_vidcast_handoff_cancel_takeover(handoff, process);

    return NGX_OK;
}


ngx_int_t
ngx_vidcast_handoff_slot_lent(ngx_vidcast_handoff_t *handoff,
    ngx_uint_t process, uint32_t *slot)
{
    uint64_t  word;

    word = ngx_vidcast_load(&handoff->word);

    if (ngx_vidcast_handoff_state(word) == handoff_free
        || ngx_vidcast_handoff_owner(word) != process)
    {
        return NGX_DECLINED;
    }

    switch (ngx_vidcast_handoff_state(word)) {

    case handoff_lent:
        *slot = ngx_vidcast_handoff_slot(word);
        return NGX_OK;

    case handoff_done:
        return NGX_DONE;

    default:
        return NGX_AGAIN;
    }
}


ngx_int_t
ngx_vidcast_handoff_submit(ngx_vidcast_handoff_t *handoff, ngx_uint_t process,
    ngx_uint_t kind, size_t size, ngx_uint_t once)
{
    uint64_t    word;
    ngx_uint_t  flags;

    word = ngx_vidcast_load(&handoff->word);

    if (ngx_vidcast_handoff_state(word) != handoff_lent
        || ngx_vidcast_handoff_owner(word) != process)
    {
        return NGX_DECLINED;
    }

    ngx_vidcast_store(&handoff->kind, (uint32_t) kind);
    ngx_vidcast_store(&handoff->size, (uint32_t) size);

    flags = (word & NGX_VIDCAST_HANDOFF_SESSION)
            | (once ? NGX_VIDCAST_HANDOFF_ONCE : 0);

    return ngx_vidcast_handoff_change(handoff, &word, handoff_submitted,
                                      process, ngx_vidcast_handoff_slot(word),
                                      flags)
               ? NGX_OK
               : NGX_DECLINED;
}


ngx_int_t
ngx_vidcast_handoff_outcome(ngx_vidcast_handoff_t *handoff, ngx_uint_t process,
    ngx_uint_t *reason, uint64_t *number)
{
    uint64_t  word;

    word = ngx_vidcast_load(&handoff->word);

    if (ngx_vidcast_handoff_state(word) == handoff_free
        || ngx_vidcast_handoff_owner(word) != process)
    {
        return NGX_DECLINED;
    }

    if (ngx_vidcast_handoff_state(word) == handoff_submitted) {
        return NGX_AGAIN;
    }

    *reason = ngx_vidcast_load(&handoff->reason);
    *number = ngx_vidcast_load(&handoff->number);

    return NGX_OK;
}


ngx_int_t
ngx_vidcast_handoff_leave(ngx_vidcast_handoff_t *handoff, ngx_uint_t process)
{
    uint64_t    word;
    ngx_uint_t  state, next;

    ngx_vidcast_handoff_cancel_takeover(handoff, process);

    word = ngx_vidcast_load(&handoff->word);

    do {
        state = ngx_vidcast_handoff_state(word);

        if (state == handoff_free
            || ngx_vidcast_handoff_owner(word) != process)
        {
            return NGX_DECLINED;
        }

        if (state == handoff_lent) {
            next = handoff_returned;

        } else {
            next = (state == handoff_submitted) ? handoff_submitted
                                                : handoff_free;
        }

    } while (!ngx_vidcast_handoff_change(handoff, &word, next,
                                         NGX_VIDCAST_HANDOFF_NOBODY,
                                         ngx_vidcast_handoff_slot(word), 0));

    return (next == handoff_free) ? NGX_DONE : NGX_OK;
}


void
ngx_vidcast_handoff_request_takeover(ngx_vidcast_handoff_t *handoff,
    ngx_uint_t process)
{
    ngx_vidcast_store(&handoff->takeover, (uint32_t) process + 1);
}


ngx_uint_t
ngx_vidcast_handoff_takeover_by(ngx_vidcast_handoff_t *handoff)
{
    uint32_t  takeover;

    takeover = ngx_vidcast_load(&handoff->takeover);

    return takeover ? takeover - 1 : NGX_VIDCAST_HANDOFF_NOBODY;
}


void
ngx_vidcast_handoff_cancel_takeover(ngx_vidcast_handoff_t *handoff,
    ngx_uint_t process)
{
    if (ngx_vidcast_handoff_takeover_by(handoff) == process) {
        ngx_vidcast_store(&handoff->takeover, 0);
    }
}


ngx_uint_t
ngx_vidcast_handoff_process(ngx_vidcast_handoff_t *handoff, ngx_uint_t *session)
{
    uint64_t  word;

    word = ngx_vidcast_load(&handoff->word);

    *session = (word & NGX_VIDCAST_HANDOFF_SESSION) ? 1 : 0;

    return (ngx_vidcast_handoff_state(word) == handoff_free)
               ? NGX_VIDCAST_HANDOFF_NOBODY : ngx_vidcast_handoff_owner(word);
}


ngx_uint_t
ngx_vidcast_handoff_wanted(ngx_vidcast_handoff_t *handoff)
{
    return ngx_vidcast_handoff_state(ngx_vidcast_load(&handoff->word))
           == handoff_wanted;
}


ngx_int_t
ngx_vidcast_handoff_lend(ngx_vidcast_handoff_t *handoff, uint32_t slot)
{
    uint64_t  word;

    word = ngx_vidcast_load(&handoff->word);

    do {
        if (ngx_vidcast_handoff_state(word) != handoff_wanted) {
            return NGX_DECLINED;
        }

    } while (!ngx_vidcast_handoff_change(handoff, &word, handoff_lent,
                                         ngx_vidcast_handoff_owner(word), slot,
                                         word & NGX_VIDCAST_HANDOFF_SESSION));

    return NGX_OK;
}


ngx_int_t
ngx_vidcast_handoff_take(ngx_vidcast_handoff_t *handoff, uint32_t *slot,
    ngx_uint_t *kind, size_t *size)
{
    uint64_t  word;

    word = ngx_vidcast_load(&handoff->word);

    if (ngx_vidcast_handoff_state(word) != handoff_submitted) {
        return NGX_AGAIN;
    }

    *slot = ngx_vidcast_handoff_slot(word);
    *kind = ngx_vidcast_load(&handoff->kind);
    *size = ngx_vidcast_load(&handoff->size);

    return NGX_OK;
}


ngx_int_t
ngx_vidcast_handoff_reply(ngx_vidcast_handoff_t *handoff, ngx_uint_t reason,
    uint64_t number, uint32_t slot)
{
    uint64_t    word;
    ngx_uint_t  lent;

    ngx_vidcast_store(&handoff->reason, (uint32_t) reason);
    ngx_vidcast_store(&handoff->number, number);

    word = ngx_vidcast_load(&handoff->word);

    for ( ;; ) {

        /* the process may still leave it to us, which is all it may */

        if (ngx_vidcast_handoff_state(word) != handoff_submitted) {
            return NGX_DECLINED;
        }

        lent = (slot != NGX_VIDCAST_HANDOFF_NO_SLOT
                && !(word & NGX_VIDCAST_HANDOFF_ONCE)
                && ngx_vidcast_handoff_owner(word)
                       != NGX_VIDCAST_HANDOFF_NOBODY);

        if (lent) {
            if (ngx_vidcast_handoff_change(
                    handoff, &word, handoff_lent,
                    ngx_vidcast_handoff_owner(word), slot,
                    word & NGX_VIDCAST_HANDOFF_SESSION))
            {
                return NGX_OK;
            }

        } else if (ngx_vidcast_handoff_reset(handoff, &word)) {
            return NGX_DECLINED;
        }
    }
}


ngx_int_t
ngx_vidcast_handoff_returned(ngx_vidcast_handoff_t *handoff, uint32_t *slot)
{
    uint64_t  word;

    word = ngx_vidcast_load(&handoff->word);

    do {
        if (ngx_vidcast_handoff_state(word) != handoff_returned) {
            return NGX_AGAIN;
        }

        *slot = ngx_vidcast_handoff_slot(word);

    } while (!ngx_vidcast_handoff_reset(handoff, &word));

    return NGX_OK;
}


uint32_t
ngx_vidcast_handoff_recover(ngx_vidcast_handoff_t *handoff)
{
    uint64_t  word;

    word = ngx_vidcast_load(&handoff->word);

    for ( ;; ) {

        switch (ngx_vidcast_handoff_state(word)) {

        case handoff_lent:
            return ngx_vidcast_handoff_slot(word);

        case handoff_submitted:

            /* not looked at again: it may be what the capture died of */

            (void) ngx_vidcast_handoff_reply(handoff, NGX_VIDCAST_HANDOFF_LOST,
                                             0, NGX_VIDCAST_HANDOFF_NO_SLOT);
            return NGX_VIDCAST_HANDOFF_NO_SLOT;

        case handoff_returned:

            if (ngx_vidcast_handoff_reset(handoff, &word)) {
                return NGX_VIDCAST_HANDOFF_NO_SLOT;
            }

            break;

        default:
            return NGX_VIDCAST_HANDOFF_NO_SLOT;
        }
    }
}


/* a state without a slot, as the process wishes */

static ngx_uint_t
ngx_vidcast_handoff_reset(ngx_vidcast_handoff_t *handoff, uint64_t *word)
{
    ngx_uint_t  state;

    if (ngx_vidcast_handoff_owner(*word) == NGX_VIDCAST_HANDOFF_NOBODY) {
        state = handoff_free;

    } else {
        state = (*word & NGX_VIDCAST_HANDOFF_ONCE) ? handoff_done
                                                   : handoff_wanted;
    }

    return ngx_vidcast_handoff_change(handoff, word, state,
                                      ngx_vidcast_handoff_owner(*word),
                                      NGX_VIDCAST_HANDOFF_NO_SLOT,
                                      *word & NGX_VIDCAST_HANDOFF_SESSION);
}


/* if it is still *word, which is what is there otherwise */

static ngx_uint_t
ngx_vidcast_handoff_change(ngx_vidcast_handoff_t *handoff, uint64_t *word,
    ngx_uint_t state, ngx_uint_t process, uint32_t slot, ngx_uint_t flags)
{
    uint64_t  turn;

    turn = (*word >> NGX_VIDCAST_HANDOFF_TURN) + 1;

    return ngx_vidcast_cas(&handoff->word, word,
                           turn << NGX_VIDCAST_HANDOFF_TURN
                           | (uint64_t) slot << 24
                           | (uint64_t) process << 8
                           | flags | state);
}
