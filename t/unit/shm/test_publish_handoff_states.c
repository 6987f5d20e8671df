
/*
 * Copyright (C) vidcast contributors
 */


/*
 * What each call of the hand-off says in each of its states: a process that is
 * not in it must not get anything, and one that is only what the state allows.
 */

#include "shm/ngx_vidcast_publish_handoff.c"
#include "unit.h"


static ngx_vidcast_handoff_t  handoff;


static void test_rest(void);


int
main(void)
{
    size_t      size;
    uint32_t    slot;
    uint64_t    number;
    ngx_uint_t  kind, reason, session;

    unit_ok(ngx_vidcast_handoff_process(&handoff, &session)
                    == NGX_VIDCAST_HANDOFF_NOBODY
                && ngx_vidcast_handoff_slot_lent(&handoff, 0, &slot)
                       == NGX_DECLINED
                && ngx_vidcast_handoff_submit(&handoff, 0, 0, 1, 0)
                       == NGX_DECLINED
                && ngx_vidcast_handoff_outcome(&handoff, 0, &reason, &number)
                       == NGX_DECLINED
                && ngx_vidcast_handoff_leave(&handoff, 0) == NGX_DECLINED
                && !ngx_vidcast_handoff_wanted(&handoff)
                && ngx_vidcast_handoff_lend(&handoff, 1) == NGX_DECLINED
                && ngx_vidcast_handoff_take(&handoff, &slot, &kind, &size)
                       == NGX_AGAIN
                && ngx_vidcast_handoff_returned(&handoff, &slot) == NGX_AGAIN
                && ngx_vidcast_handoff_recover(&handoff)
                       == NGX_VIDCAST_HANDOFF_NO_SLOT,
            "free: zeroed memory is an empty box");

    unit_ok(ngx_vidcast_handoff_enter(&handoff, 1023, 1) == NGX_OK
                && ngx_vidcast_handoff_enter(&handoff, 2, 0) == NGX_BUSY
                && ngx_vidcast_handoff_process(&handoff, &session) == 1023
                && session && ngx_vidcast_handoff_wanted(&handoff)
                && ngx_vidcast_handoff_slot_lent(&handoff, 1023, &slot)
                       == NGX_AGAIN
                && ngx_vidcast_handoff_slot_lent(&handoff, 2, &slot)
                       == NGX_DECLINED
                && ngx_vidcast_handoff_leave(&handoff, 2) == NGX_DECLINED,
            "wanted: one is in, others are not");

    unit_ok(ngx_vidcast_handoff_lend(&handoff, 1023) == NGX_OK
            && ngx_vidcast_handoff_lend(&handoff, 7) == NGX_DECLINED
            && ngx_vidcast_handoff_slot_lent(&handoff, 1023, &slot) == NGX_OK
            && slot == 1023
            && ngx_vidcast_handoff_recover(&handoff) == 1023
            && ngx_vidcast_handoff_submit(&handoff, 2, 0, 1, 0) == NGX_DECLINED,
            "lent: to one");

    unit_ok(ngx_vidcast_handoff_submit(&handoff, 1023,
                                       NGX_VIDCAST_HANDOFF_RESULT, 77, 0)
                    == NGX_OK
                && ngx_vidcast_handoff_submit(&handoff, 1023, 0, 1, 0)
                       == NGX_DECLINED
                && ngx_vidcast_handoff_slot_lent(&handoff, 1023, &slot)
                       == NGX_AGAIN
                && ngx_vidcast_handoff_outcome(&handoff, 1023, &reason,
                                               &number)
                       == NGX_AGAIN
                && ngx_vidcast_handoff_take(&handoff, &slot, &kind, &size)
                       == NGX_OK
                && slot == 1023 && kind == NGX_VIDCAST_HANDOFF_RESULT
                && size == 77,
            "submitted: the message is the capture's");

    unit_ok(ngx_vidcast_handoff_reply(&handoff, NGX_VIDCAST_HANDOFF_TAKEN, 12,
                                      3)
                    == NGX_OK
                && ngx_vidcast_handoff_outcome(&handoff, 1023, &reason,
                                               &number)
                       == NGX_OK
                && reason == NGX_VIDCAST_HANDOFF_TAKEN && number == 12
                && ngx_vidcast_handoff_slot_lent(&handoff, 1023, &slot)
                       == NGX_OK
                && slot == 3,
            "answered: with the next slot");

    unit_ok(ngx_vidcast_handoff_submit(&handoff, 1023, 0, 5, 1) == NGX_OK
                && ngx_vidcast_handoff_reply(&handoff, NGX_VIDCAST_HANDOFF_BAD,
                                             0, 3)
                       == NGX_DECLINED
                && ngx_vidcast_handoff_slot_lent(&handoff, 1023, &slot)
                       == NGX_DONE
                && ngx_vidcast_handoff_outcome(&handoff, 1023, &reason,
                                               &number)
                       == NGX_OK
                && reason == NGX_VIDCAST_HANDOFF_BAD
                && ngx_vidcast_handoff_leave(&handoff, 1023) == NGX_DONE
                && ngx_vidcast_handoff_enter(&handoff, 2, 0) == NGX_OK,
            "done: no other slot, and free for the next one");

    unit_ok(ngx_vidcast_handoff_lend(&handoff, 0) == NGX_OK
                && ngx_vidcast_handoff_leave(&handoff, 2) == NGX_OK
                && ngx_vidcast_handoff_slot_lent(&handoff, 2, &slot)
                       == NGX_DECLINED
                && ngx_vidcast_handoff_enter(&handoff, 2, 0) == NGX_BUSY
                && ngx_vidcast_handoff_process(&handoff, &session)
                       == NGX_VIDCAST_HANDOFF_NOBODY
                && ngx_vidcast_handoff_returned(&handoff, &slot) == NGX_OK
                && slot == 0
                && ngx_vidcast_handoff_returned(&handoff, &slot) == NGX_AGAIN
                && ngx_vidcast_handoff_enter(&handoff, 2, 0) == NGX_OK,
            "returned: the slot is the capture's, then the box is free");

    test_rest();

    return unit_done();
}


static void
test_rest(void)
{
    size_t      size;
    uint32_t    slot;
    uint64_t    number;
    ngx_uint_t  kind, reason;

    unit_ok(ngx_vidcast_handoff_lend(&handoff, 1) == NGX_OK
                && ngx_vidcast_handoff_submit(&handoff, 2, 0, 5, 0) == NGX_OK
                && ngx_vidcast_handoff_leave(&handoff, 2) == NGX_OK
                && ngx_vidcast_handoff_take(&handoff, &slot, &kind, &size)
                       == NGX_OK
                && ngx_vidcast_handoff_reply(&handoff,
                                             NGX_VIDCAST_HANDOFF_TAKEN, 1, 2)
                       == NGX_DECLINED
                && ngx_vidcast_handoff_enter(&handoff, 2, 0) == NGX_OK,
            "submitted and left: the message counts, the slot does not");

    unit_ok(ngx_vidcast_handoff_lend(&handoff, 1) == NGX_OK
                && ngx_vidcast_handoff_submit(&handoff, 2, 0, 5, 0) == NGX_OK
                && ngx_vidcast_handoff_recover(&handoff)
                       == NGX_VIDCAST_HANDOFF_NO_SLOT
                && ngx_vidcast_handoff_outcome(&handoff, 2, &reason, &number)
                       == NGX_OK
                && reason == NGX_VIDCAST_HANDOFF_LOST
                && ngx_vidcast_handoff_wanted(&handoff)
                && ngx_vidcast_handoff_leave(&handoff, 2) == NGX_DONE,
            "recovered: what a capture died over is lost");

    unit_ok(ngx_vidcast_handoff_takeover_by(&handoff)
                == NGX_VIDCAST_HANDOFF_NOBODY,
            "knock: nobody does");

    ngx_vidcast_handoff_request_takeover(&handoff, 0);
    ngx_vidcast_handoff_cancel_takeover(&handoff, 7);

    unit_ok(ngx_vidcast_handoff_takeover_by(&handoff) == 0
            && ngx_vidcast_handoff_enter(&handoff, 7, 1) == NGX_OK
            && ngx_vidcast_handoff_enter(&handoff, 0, 1) == NGX_BUSY
            && ngx_vidcast_handoff_takeover_by(&handoff) == 0
            && ngx_vidcast_handoff_leave(&handoff, 7) == NGX_DONE
            && ngx_vidcast_handoff_takeover_by(&handoff) == 0,
            "knock: whatever others do");
    unit_ok(ngx_vidcast_handoff_enter(&handoff, 0, 1) == NGX_OK
                && ngx_vidcast_handoff_takeover_by(&handoff)
                       == NGX_VIDCAST_HANDOFF_NOBODY,
            "knock: till it is in");

    (void) ngx_vidcast_handoff_leave(&handoff, 0);
    (void) ngx_vidcast_handoff_enter(&handoff, 7, 1);
    ngx_vidcast_handoff_request_takeover(&handoff, 0);

    unit_ok(ngx_vidcast_handoff_leave(&handoff, 0) == NGX_DECLINED
                && ngx_vidcast_handoff_takeover_by(&handoff)
                       == NGX_VIDCAST_HANDOFF_NOBODY,
            "knock: or gone without ever having been in");
}
