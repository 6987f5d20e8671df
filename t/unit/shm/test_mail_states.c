
/*
 * Copyright (C) vidcast contributors
 */


/*
 * What each call of the mailbox says in each of its states: who is not in it
 * must not get anything, and who is only what the state allows.
 */

#include "shm/ngx_vidcast_mail.c"
#include "unit.h"


static ngx_vidcast_mail_t  mail;


int
main(void)
{
    size_t      size;
    uint32_t    slot;
    uint64_t    number;
    ngx_uint_t  kind, reason, session;

    unit_ok(ngx_vidcast_mail_process(&mail, &session)
            == NGX_VIDCAST_MAIL_NOBODY
            && ngx_vidcast_mail_look(&mail, 0, &slot) == NGX_DECLINED
            && ngx_vidcast_mail_submit(&mail, 0, 0, 1, 0) == NGX_DECLINED
            && ngx_vidcast_mail_answer(&mail, 0, &reason, &number)
               == NGX_DECLINED
            && ngx_vidcast_mail_leave(&mail, 0) == NGX_DECLINED
            && !ngx_vidcast_mail_wanted(&mail)
            && ngx_vidcast_mail_lend(&mail, 1) == NGX_DECLINED
            && ngx_vidcast_mail_take(&mail, &slot, &kind, &size) == NGX_AGAIN
            && ngx_vidcast_mail_returned(&mail, &slot) == NGX_AGAIN
            && ngx_vidcast_mail_recover(&mail) == NGX_VIDCAST_MAIL_NO_SLOT,
            "free: zeroed memory is an empty box");

    unit_ok(ngx_vidcast_mail_enter(&mail, 1023, 1) == NGX_OK
            && ngx_vidcast_mail_enter(&mail, 2, 0) == NGX_BUSY
            && ngx_vidcast_mail_process(&mail, &session) == 1023 && session
            && ngx_vidcast_mail_wanted(&mail)
            && ngx_vidcast_mail_look(&mail, 1023, &slot) == NGX_AGAIN
            && ngx_vidcast_mail_look(&mail, 2, &slot) == NGX_DECLINED
            && ngx_vidcast_mail_leave(&mail, 2) == NGX_DECLINED,
            "wanted: one is in, others are not");

    unit_ok(ngx_vidcast_mail_lend(&mail, 1023) == NGX_OK
            && ngx_vidcast_mail_lend(&mail, 7) == NGX_DECLINED
            && ngx_vidcast_mail_look(&mail, 1023, &slot) == NGX_OK
            && slot == 1023
            && ngx_vidcast_mail_recover(&mail) == 1023
            && ngx_vidcast_mail_submit(&mail, 2, 0, 1, 0) == NGX_DECLINED,
            "lent: to one");

    unit_ok(ngx_vidcast_mail_submit(&mail, 1023, NGX_VIDCAST_MAIL_RESULT,
                                    77, 0) == NGX_OK
            && ngx_vidcast_mail_submit(&mail, 1023, 0, 1, 0) == NGX_DECLINED
            && ngx_vidcast_mail_look(&mail, 1023, &slot) == NGX_AGAIN
            && ngx_vidcast_mail_answer(&mail, 1023, &reason, &number)
               == NGX_AGAIN
            && ngx_vidcast_mail_take(&mail, &slot, &kind, &size) == NGX_OK
            && slot == 1023 && kind == NGX_VIDCAST_MAIL_RESULT && size == 77,
            "submitted: the letter is the capture's");

    unit_ok(ngx_vidcast_mail_reply(&mail, NGX_VIDCAST_MAIL_TAKEN, 12, 3)
            == NGX_OK
            && ngx_vidcast_mail_answer(&mail, 1023, &reason, &number) == NGX_OK
            && reason == NGX_VIDCAST_MAIL_TAKEN && number == 12
            && ngx_vidcast_mail_look(&mail, 1023, &slot) == NGX_OK
            && slot == 3, "answered: with the next slot");

    unit_ok(ngx_vidcast_mail_submit(&mail, 1023, 0, 5, 1) == NGX_OK
            && ngx_vidcast_mail_reply(&mail, NGX_VIDCAST_MAIL_BAD, 0, 3)
               == NGX_DECLINED
            && ngx_vidcast_mail_look(&mail, 1023, &slot) == NGX_DONE
            && ngx_vidcast_mail_answer(&mail, 1023, &reason, &number) == NGX_OK
            && reason == NGX_VIDCAST_MAIL_BAD
            && ngx_vidcast_mail_leave(&mail, 1023) == NGX_DONE
            && ngx_vidcast_mail_enter(&mail, 2, 0) == NGX_OK,
            "done: no other slot, and free for the next one");

    unit_ok(ngx_vidcast_mail_lend(&mail, 0) == NGX_OK
            && ngx_vidcast_mail_leave(&mail, 2) == NGX_OK
            && ngx_vidcast_mail_look(&mail, 2, &slot) == NGX_DECLINED
            && ngx_vidcast_mail_enter(&mail, 2, 0) == NGX_BUSY
            && ngx_vidcast_mail_process(&mail, &session)
               == NGX_VIDCAST_MAIL_NOBODY
            && ngx_vidcast_mail_returned(&mail, &slot) == NGX_OK && slot == 0
            && ngx_vidcast_mail_returned(&mail, &slot) == NGX_AGAIN
            && ngx_vidcast_mail_enter(&mail, 2, 0) == NGX_OK,
            "returned: the slot is the capture's, then the box is free");

    unit_ok(ngx_vidcast_mail_lend(&mail, 1) == NGX_OK
            && ngx_vidcast_mail_submit(&mail, 2, 0, 5, 0) == NGX_OK
            && ngx_vidcast_mail_leave(&mail, 2) == NGX_OK
            && ngx_vidcast_mail_take(&mail, &slot, &kind, &size) == NGX_OK
            && ngx_vidcast_mail_reply(&mail, NGX_VIDCAST_MAIL_TAKEN, 1, 2)
               == NGX_DECLINED
            && ngx_vidcast_mail_enter(&mail, 2, 0) == NGX_OK,
            "submitted and left: the letter counts, the slot does not");

    unit_ok(ngx_vidcast_mail_lend(&mail, 1) == NGX_OK
            && ngx_vidcast_mail_submit(&mail, 2, 0, 5, 0) == NGX_OK
            && ngx_vidcast_mail_recover(&mail) == NGX_VIDCAST_MAIL_NO_SLOT
            && ngx_vidcast_mail_answer(&mail, 2, &reason, &number) == NGX_OK
            && reason == NGX_VIDCAST_MAIL_LOST
            && ngx_vidcast_mail_wanted(&mail)
            && ngx_vidcast_mail_leave(&mail, 2) == NGX_DONE,
            "recovered: what a capture died over is lost");

    unit_ok(ngx_vidcast_mail_knocker(&mail) == NGX_VIDCAST_MAIL_NOBODY,
            "knock: nobody does");

    ngx_vidcast_mail_knock(&mail, 0);
    ngx_vidcast_mail_forget(&mail, 7);

    unit_ok(ngx_vidcast_mail_knocker(&mail) == 0
            && ngx_vidcast_mail_enter(&mail, 7, 1) == NGX_OK
            && ngx_vidcast_mail_enter(&mail, 0, 1) == NGX_BUSY
            && ngx_vidcast_mail_knocker(&mail) == 0
            && ngx_vidcast_mail_leave(&mail, 7) == NGX_DONE
            && ngx_vidcast_mail_knocker(&mail) == 0,
            "knock: whatever others do");
    unit_ok(ngx_vidcast_mail_enter(&mail, 0, 1) == NGX_OK
            && ngx_vidcast_mail_knocker(&mail) == NGX_VIDCAST_MAIL_NOBODY,
            "knock: till it is in");

    (void) ngx_vidcast_mail_leave(&mail, 0);
    (void) ngx_vidcast_mail_enter(&mail, 7, 1);
    ngx_vidcast_mail_knock(&mail, 0);

    unit_ok(ngx_vidcast_mail_leave(&mail, 0) == NGX_DECLINED
            && ngx_vidcast_mail_knocker(&mail) == NGX_VIDCAST_MAIL_NOBODY,
            "knock: or gone without ever having been in");

    return unit_done();
}
