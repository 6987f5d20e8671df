
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_PUBLISH_HANDOFF_H_INCLUDED_
#define _NGX_VIDCAST_PUBLISH_HANDOFF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * The hand-off of a source whose pictures come through workers.  The capture
 * stays the only writer of its ring: it lends one slot at a time to the
 * process that publishes, which fills the slot and hands it in.  It lies in
 * shared memory, and needs none of its two sides to live:
 *
 *     free       no publisher is there
 *     wanted     a process is, and waits for a slot
 *     lent       the slot is the process's, to be written
 *     submitted  the slot is the capture's again, with a message in it
 *     done       answered, and no other slot was asked for
 *     returned   the slot is the capture's again, with nothing in it
 *
 * One word says it all: state, process, slot.  It is changed as a whole, by
 * compare and swap, and never becomes one that was there before, so that a
 * side that acts on what it read either wins or reads again.  The process
 * leaves "free", "lent" and "done"; the capture leaves "submitted" and
 * "returned"; "wanted" is left by the first one.  Slots are in the ring's
 * "writing" state from the claim before "lent" to what the capture does after
 * "submitted" or "returned".
 *
 * The other members belong to the side that may leave the state that the word
 * shows: what is written before a change is seen by the other one behind it.
 *
 * Of a process that died, leave() is called by the holder of its lock byte: the
 * capture, or the next owner of its entry.  Of a capture that died, the next
 * one calls recover().
 */

#define NGX_VIDCAST_HANDOFF_NOBODY   0xffff
#define NGX_VIDCAST_HANDOFF_NO_SLOT  0xffff

/* messages */

#define NGX_VIDCAST_HANDOFF_PICTURE  0
#define NGX_VIDCAST_HANDOFF_RESULT   1

/* answers */

#define NGX_VIDCAST_HANDOFF_TAKEN      0
#define NGX_VIDCAST_HANDOFF_BAD        1     /* not a whole JPEG: its fault */
#define NGX_VIDCAST_HANDOFF_TOO_LARGE  2
#define NGX_VIDCAST_HANDOFF_LOST       3     /* the capture died over it */


typedef struct {
    uint64_t                     word;
    uint32_t                     kind;       /* of the message */
    uint32_t                     size;       /* of it, bytes */
    uint64_t                     number;     /* answer: frame, result, fault */
    uint32_t                     reason;     /* answer */
    uint32_t                     takeover;   /* process + 1, wants to be it */
    uint32_t                     waiting;    /* a publisher waits for "free" */
    uint32_t                     unused[7];
} ngx_vidcast_handoff_t;


/*
 * The process's side.
 *
 * enter()   NGX_OK: it is ours, and a slot is wanted; NGX_BUSY: not free.
 *           A publisher in a session stays for many messages
 * look()    NGX_OK: *slot is lent to us; NGX_AGAIN: not yet, or the message is
 *           with the capture; NGX_DONE: answered, no slot; NGX_DECLINED: the
 *           box is not ours
 * submit()  hands in what has been written into the lent slot; "once": no
 *           other slot is wanted after it
 * answer()  what became of it.  NGX_OK, told until the next submit();
 *           NGX_AGAIN: not looked at yet; NGX_DECLINED: the box is not ours
 * leave()   whatever the state is, nothing of the slot may be touched behind
 *           it.  NGX_OK: there is something for the capture to do;
 *           NGX_DONE: it is free; NGX_DECLINED: it was not this process's
 * request_takeover()   asks the publisher in a session to leave it to us
 * takeover()  the process that does, or NGX_VIDCAST_HANDOFF_NOBODY; it may be
 *           dead
 * forget()  it does no more: enter() and leave() do so, too, that none
 *           inherits it with the entry
 */
ngx_int_t ngx_vidcast_handoff_enter(ngx_vidcast_handoff_t *handoff,
    ngx_uint_t process, ngx_uint_t session);
ngx_int_t ngx_vidcast_handoff_slot_lent(ngx_vidcast_handoff_t *handoff,
    ngx_uint_t process, uint32_t *slot);
ngx_int_t ngx_vidcast_handoff_submit(ngx_vidcast_handoff_t *handoff,
    ngx_uint_t process, ngx_uint_t kind, size_t size, ngx_uint_t once);
ngx_int_t ngx_vidcast_handoff_outcome(ngx_vidcast_handoff_t *handoff,
    ngx_uint_t process, ngx_uint_t *reason, uint64_t *number);
ngx_int_t ngx_vidcast_handoff_leave(ngx_vidcast_handoff_t *handoff,
    ngx_uint_t process);
void ngx_vidcast_handoff_request_takeover(ngx_vidcast_handoff_t *handoff,
    ngx_uint_t process);
ngx_uint_t ngx_vidcast_handoff_takeover_by(ngx_vidcast_handoff_t *handoff);
void ngx_vidcast_handoff_cancel_takeover(ngx_vidcast_handoff_t *handoff,
    ngx_uint_t process);

/* the process in the box, or NGX_VIDCAST_HANDOFF_NOBODY; is it in a session? */
ngx_uint_t ngx_vidcast_handoff_process(ngx_vidcast_handoff_t *handoff,
    ngx_uint_t *session);


/*
 * The capture's side.
 *
 * wanted()    a slot is: claim one, and lend() it
 * lend()      NGX_OK; NGX_DECLINED: the process has left, the slot stays the
 *             caller's
 * take()      NGX_OK: the message is in *slot, which is the caller's to be
 *             published or abandoned; NGX_AGAIN: there is none
 * reply()     says what became of the message, and lends the next slot in the
 *             same turn: as lend(), NGX_VIDCAST_HANDOFF_NO_SLOT being none now
 * returned()  NGX_OK: *slot is the caller's, to be abandoned; NGX_AGAIN
 * recover()   before the ring is recovered: whatever a dead capture had in
 *             its hands is answered as lost.  The slot that is lent and must
 *             stay claimed, or NGX_VIDCAST_HANDOFF_NO_SLOT
 */
ngx_uint_t ngx_vidcast_handoff_wanted(ngx_vidcast_handoff_t *handoff);
ngx_int_t ngx_vidcast_handoff_lend(ngx_vidcast_handoff_t *handoff,
    uint32_t slot);
ngx_int_t ngx_vidcast_handoff_take(ngx_vidcast_handoff_t *handoff,
    uint32_t *slot, ngx_uint_t *kind, size_t *size);
ngx_int_t ngx_vidcast_handoff_reply(ngx_vidcast_handoff_t *handoff,
    ngx_uint_t reason, uint64_t number, uint32_t slot);
ngx_int_t ngx_vidcast_handoff_returned(ngx_vidcast_handoff_t *handoff,
    uint32_t *slot);
uint32_t ngx_vidcast_handoff_recover(ngx_vidcast_handoff_t *handoff);


#endif /* _NGX_VIDCAST_PUBLISH_HANDOFF_H_INCLUDED_ */
