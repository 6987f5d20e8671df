
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "shm/ngx_vidcast_mail.h"
#include "shm/ngx_vidcast_ring.h"


/* the word: 4 bits of state, 4 of flags, 16 each of process and slot, turn */

#define NGX_VIDCAST_MAIL_STATE    0x0f
#define NGX_VIDCAST_MAIL_SESSION  0x10
#define NGX_VIDCAST_MAIL_ONCE     0x20

#define NGX_VIDCAST_MAIL_TURN     40

#define ngx_vidcast_mail_state(word)                                          \
    ((ngx_uint_t) ((word) & NGX_VIDCAST_MAIL_STATE))

#define ngx_vidcast_mail_owner(word)                                          \
    ((ngx_uint_t) (((word) >> 8) & 0xffff))

#define ngx_vidcast_mail_slot(word)                                           \
    ((uint32_t) (((word) >> 24) & 0xffff))


typedef enum {
    mail_free = 0,
    mail_wanted,
    mail_lent,
    mail_submitted,
    mail_done,
    mail_returned
} ngx_vidcast_mail_state_e;


static ngx_uint_t ngx_vidcast_mail_change(ngx_vidcast_mail_t *mail,
    uint64_t *word, ngx_uint_t state, ngx_uint_t process, uint32_t slot,
    ngx_uint_t flags);
static ngx_uint_t ngx_vidcast_mail_reset(ngx_vidcast_mail_t *mail,
    uint64_t *word);


ngx_int_t
ngx_vidcast_mail_enter(ngx_vidcast_mail_t *mail, ngx_uint_t process,
    ngx_uint_t session)
{
    uint64_t  word;

    word = ngx_vidcast_load(&mail->word);

    do {
        if (ngx_vidcast_mail_state(word) != mail_free) {
            return NGX_BUSY;
        }

    } while (!ngx_vidcast_mail_change(mail, &word, mail_wanted, process,
                                      NGX_VIDCAST_MAIL_NO_SLOT,
                                      session ? NGX_VIDCAST_MAIL_SESSION : 0));

    ngx_vidcast_mail_forget(mail, process);

    return NGX_OK;
}


ngx_int_t
ngx_vidcast_mail_look(ngx_vidcast_mail_t *mail, ngx_uint_t process,
    uint32_t *slot)
{
    uint64_t  word;

    word = ngx_vidcast_load(&mail->word);

    if (ngx_vidcast_mail_state(word) == mail_free
        || ngx_vidcast_mail_owner(word) != process)
    {
        return NGX_DECLINED;
    }

    switch (ngx_vidcast_mail_state(word)) {

    case mail_lent:
        *slot = ngx_vidcast_mail_slot(word);
        return NGX_OK;

    case mail_done:
        return NGX_DONE;

    default:
        return NGX_AGAIN;
    }
}


ngx_int_t
ngx_vidcast_mail_submit(ngx_vidcast_mail_t *mail, ngx_uint_t process,
    ngx_uint_t kind, size_t size, ngx_uint_t once)
{
    uint64_t    word;
    ngx_uint_t  flags;

    word = ngx_vidcast_load(&mail->word);

    if (ngx_vidcast_mail_state(word) != mail_lent
        || ngx_vidcast_mail_owner(word) != process)
    {
        return NGX_DECLINED;
    }

    ngx_vidcast_store(&mail->kind, (uint32_t) kind);
    ngx_vidcast_store(&mail->size, (uint32_t) size);

    flags = (word & NGX_VIDCAST_MAIL_SESSION)
            | (once ? NGX_VIDCAST_MAIL_ONCE : 0);

    return ngx_vidcast_mail_change(mail, &word, mail_submitted, process,
                                   ngx_vidcast_mail_slot(word), flags)
           ? NGX_OK : NGX_DECLINED;
}


ngx_int_t
ngx_vidcast_mail_answer(ngx_vidcast_mail_t *mail, ngx_uint_t process,
    ngx_uint_t *reason, uint64_t *number)
{
    uint64_t  word;

    word = ngx_vidcast_load(&mail->word);

    if (ngx_vidcast_mail_state(word) == mail_free
        || ngx_vidcast_mail_owner(word) != process)
    {
        return NGX_DECLINED;
    }

    if (ngx_vidcast_mail_state(word) == mail_submitted) {
        return NGX_AGAIN;
    }

    *reason = ngx_vidcast_load(&mail->reason);
    *number = ngx_vidcast_load(&mail->number);

    return NGX_OK;
}


ngx_int_t
ngx_vidcast_mail_leave(ngx_vidcast_mail_t *mail, ngx_uint_t process)
{
    uint64_t    word;
    ngx_uint_t  state, next;

    ngx_vidcast_mail_forget(mail, process);

    word = ngx_vidcast_load(&mail->word);

    do {
        state = ngx_vidcast_mail_state(word);

        if (state == mail_free || ngx_vidcast_mail_owner(word) != process) {
            return NGX_DECLINED;
        }

        if (state == mail_lent) {
            next = mail_returned;

        } else {
            next = (state == mail_submitted) ? mail_submitted : mail_free;
        }

    } while (!ngx_vidcast_mail_change(mail, &word, next,
                                      NGX_VIDCAST_MAIL_NOBODY,
                                      ngx_vidcast_mail_slot(word), 0));

    return (next == mail_free) ? NGX_DONE : NGX_OK;
}


void
ngx_vidcast_mail_knock(ngx_vidcast_mail_t *mail, ngx_uint_t process)
{
    ngx_vidcast_store(&mail->knock, (uint32_t) process + 1);
}


ngx_uint_t
ngx_vidcast_mail_knocker(ngx_vidcast_mail_t *mail)
{
    uint32_t  knock;

    knock = ngx_vidcast_load(&mail->knock);

    return knock ? knock - 1 : NGX_VIDCAST_MAIL_NOBODY;
}


void
ngx_vidcast_mail_forget(ngx_vidcast_mail_t *mail, ngx_uint_t process)
{
    if (ngx_vidcast_mail_knocker(mail) == process) {
        ngx_vidcast_store(&mail->knock, 0);
    }
}


ngx_uint_t
ngx_vidcast_mail_process(ngx_vidcast_mail_t *mail, ngx_uint_t *session)
{
    uint64_t  word;

    word = ngx_vidcast_load(&mail->word);

    *session = (word & NGX_VIDCAST_MAIL_SESSION) ? 1 : 0;

    return (ngx_vidcast_mail_state(word) == mail_free)
               ? NGX_VIDCAST_MAIL_NOBODY : ngx_vidcast_mail_owner(word);
}


ngx_uint_t
ngx_vidcast_mail_wanted(ngx_vidcast_mail_t *mail)
{
    return ngx_vidcast_mail_state(ngx_vidcast_load(&mail->word))
           == mail_wanted;
}


ngx_int_t
ngx_vidcast_mail_lend(ngx_vidcast_mail_t *mail, uint32_t slot)
{
    uint64_t  word;

    word = ngx_vidcast_load(&mail->word);

    do {
        if (ngx_vidcast_mail_state(word) != mail_wanted) {
            return NGX_DECLINED;
        }

    } while (!ngx_vidcast_mail_change(mail, &word, mail_lent,
                                      ngx_vidcast_mail_owner(word), slot,
                                      word & NGX_VIDCAST_MAIL_SESSION));

    return NGX_OK;
}


ngx_int_t
ngx_vidcast_mail_take(ngx_vidcast_mail_t *mail, uint32_t *slot,
    ngx_uint_t *kind, size_t *size)
{
    uint64_t  word;

    word = ngx_vidcast_load(&mail->word);

    if (ngx_vidcast_mail_state(word) != mail_submitted) {
        return NGX_AGAIN;
    }

    *slot = ngx_vidcast_mail_slot(word);
    *kind = ngx_vidcast_load(&mail->kind);
    *size = ngx_vidcast_load(&mail->size);

    return NGX_OK;
}


ngx_int_t
ngx_vidcast_mail_reply(ngx_vidcast_mail_t *mail, ngx_uint_t reason,
    uint64_t number, uint32_t slot)
{
    uint64_t    word;
    ngx_uint_t  lent;

    ngx_vidcast_store(&mail->reason, (uint32_t) reason);
    ngx_vidcast_store(&mail->number, number);

    word = ngx_vidcast_load(&mail->word);

    for ( ;; ) {

        /* the process may still leave it to us, which is all it may */

        if (ngx_vidcast_mail_state(word) != mail_submitted) {
            return NGX_DECLINED;
        }

        lent = (slot != NGX_VIDCAST_MAIL_NO_SLOT
                && !(word & NGX_VIDCAST_MAIL_ONCE)
                && ngx_vidcast_mail_owner(word) != NGX_VIDCAST_MAIL_NOBODY);

        if (lent) {
            if (ngx_vidcast_mail_change(mail, &word, mail_lent,
                                        ngx_vidcast_mail_owner(word), slot,
                                        word & NGX_VIDCAST_MAIL_SESSION))
            {
                return NGX_OK;
            }

        } else if (ngx_vidcast_mail_reset(mail, &word)) {
            return NGX_DECLINED;
        }
    }
}


ngx_int_t
ngx_vidcast_mail_returned(ngx_vidcast_mail_t *mail, uint32_t *slot)
{
    uint64_t  word;

    word = ngx_vidcast_load(&mail->word);

    do {
        if (ngx_vidcast_mail_state(word) != mail_returned) {
            return NGX_AGAIN;
        }

        *slot = ngx_vidcast_mail_slot(word);

    } while (!ngx_vidcast_mail_reset(mail, &word));

    return NGX_OK;
}


uint32_t
ngx_vidcast_mail_recover(ngx_vidcast_mail_t *mail)
{
    uint64_t  word;

    word = ngx_vidcast_load(&mail->word);

    for ( ;; ) {

        switch (ngx_vidcast_mail_state(word)) {

        case mail_lent:
            return ngx_vidcast_mail_slot(word);

        case mail_submitted:

            /* not looked at again: it may be what the capture died of */

            (void) ngx_vidcast_mail_reply(mail, NGX_VIDCAST_MAIL_LOST, 0,
                                          NGX_VIDCAST_MAIL_NO_SLOT);
            return NGX_VIDCAST_MAIL_NO_SLOT;

        case mail_returned:

            if (ngx_vidcast_mail_reset(mail, &word)) {
                return NGX_VIDCAST_MAIL_NO_SLOT;
            }

            break;

        default:
            return NGX_VIDCAST_MAIL_NO_SLOT;
        }
    }
}


/* a state without a slot, as the process wishes */

static ngx_uint_t
ngx_vidcast_mail_reset(ngx_vidcast_mail_t *mail, uint64_t *word)
{
    ngx_uint_t  state;

    if (ngx_vidcast_mail_owner(*word) == NGX_VIDCAST_MAIL_NOBODY) {
        state = mail_free;

    } else {
        state = (*word & NGX_VIDCAST_MAIL_ONCE) ? mail_done : mail_wanted;
    }

    return ngx_vidcast_mail_change(mail, word, state,
                                   ngx_vidcast_mail_owner(*word),
                                   NGX_VIDCAST_MAIL_NO_SLOT,
                                   *word & NGX_VIDCAST_MAIL_SESSION);
}


/* if it is still *word, which is what is there otherwise */

static ngx_uint_t
ngx_vidcast_mail_change(ngx_vidcast_mail_t *mail, uint64_t *word,
    ngx_uint_t state, ngx_uint_t process, uint32_t slot, ngx_uint_t flags)
{
    uint64_t  turn;

    turn = (*word >> NGX_VIDCAST_MAIL_TURN) + 1;

    return ngx_vidcast_cas(&mail->word, word,
                           turn << NGX_VIDCAST_MAIL_TURN
                           | (uint64_t) slot << 24
                           | (uint64_t) process << 8
                           | flags | state);
}
