
/*
 * Copyright (C) vidcast contributors
 */


/*
 * The capture's side of the mailboxes of predictors, to which foreign code in
 * these writes: any byte of them may change before any look of ours.  Whatever
 * they do, nothing may be read or written beside the mailbox, results are those
 * of frames in their order, and no more slots are pinned than there are tasks.
 *
 * A change, while the capture is at work, is one of a box, at an offset, to a
 * value.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "fuzz_script.h"
#include "unit_mailboxes.h"


static void fuzz_answer(void);
static void fuzz_turn(void);


static uint64_t  fuzz_frame;   /* of the last result */


ngx_uint_t
ngx_vidcast_predict_emits(ngx_vidcast_predict_t *predict, u_char *json,
    size_t size)
{
    return size == 0 || json[size - 1] != 's';
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char                    error[NGX_VIDCAST_ERROR_LEN];
    ngx_vidcast_scheduler_t  *scheduler;

    scheduler = unit_mailboxes_open();

    fuzz_pos = data;
    fuzz_last = data + size;
    fuzz_frame = 0;

    while (fuzz_pos < fuzz_last) {

        switch (fuzz_next() % 5) {

        case 0:

            if (test_pins() < TEST_SLOTS / 2) {
                (void) test_publish();
            }

            fuzz_turn();
            break;

        case 1:
            fuzz_turn();
            break;

        case 2:
            fuzz_answer();
            fuzz_turn();
            break;

        case 3:
            fuzz_change();
            break;

        default:
            ngx_vidcast_mailbox_error(
                         ngx_vidcast_mailbox(&test_zone.mailboxes, 0), error);

            fuzz_check(ngx_strlen(error) < NGX_VIDCAST_ERROR_LEN);
            fuzz_check(ngx_vidcast_predictor_state_name(
                           ngx_vidcast_mailbox(&test_zone.mailboxes, 0)->state)
                       ->len > 0);
        }

        fuzz_check(test_pins() <= scheduler->ntasks + 1);
    }

    unit_mailboxes_close(scheduler);

    return 0;
}


static void
fuzz_change(void)
{
    u_char      *box;
    ngx_uint_t   offset;

    box = test_zone.mailboxes.box[fuzz_next() % TEST_WORKERS].addr;

    offset = fuzz_next() | fuzz_next() << 8;
    offset %= sizeof(ngx_vidcast_predictor_mailbox_t) + TEST_TEXT;

    box[offset] = (u_char) fuzz_next();
}


/* as one that is honest does, with a status and a size of any sort */

static void
fuzz_answer(void)
{
    size_t                            size;
    ngx_uint_t                        status;
    ngx_vidcast_predictor_mailbox_t  *mailbox;

    mailbox = ngx_vidcast_mailbox(&test_zone.mailboxes,
                                  fuzz_next() % TEST_WORKERS);
    status = fuzz_next() % 6;
    size = fuzz_next();

    ngx_memset(ngx_vidcast_mailbox_text(mailbox), fuzz_next(), TEST_TEXT);

    mailbox->state = NGX_VIDCAST_PREDICTOR_READY;

    ngx_vidcast_mailbox_reply(&test_zone.mailboxes, mailbox, status, size);
}


static void
fuzz_turn(void)
{
    ngx_uint_t  i;

    test_nresults = 0;

    fuzz_hostile = 1;
    ngx_vidcast_scheduler_turn(test_capture.scheduler);
    fuzz_hostile = 0;

    for (i = 0; i < test_nresults; i++) {
        fuzz_check(test_results[i].frame > fuzz_frame);
        fuzz_frame = test_results[i].frame;
    }
}
