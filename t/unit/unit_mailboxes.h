
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _UNIT_MAILBOXES_H_INCLUDED_
#define _UNIT_MAILBOXES_H_INCLUDED_


/*
 * The scheduler with the backend of predictor processes: their mailboxes, in
 * which all are ready, and what the capture is to them besides.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "unit_scheduler.h"
#include "capture/ngx_vidcast_backend_process.c"


void
ngx_vidcast_raw_refer(ngx_vidcast_raw_t *raw)
{
    /* void */
}


void
ngx_vidcast_raw_unref(ngx_vidcast_raw_t *raw)
{
    /* void */
}


void
ngx_vidcast_predict_emitted(ngx_vidcast_predict_t *predict)
{
    /* void */
}


static ngx_vidcast_scheduler_t *
unit_mailboxes_open(void)
{
    ngx_uint_t  i;

    test_source.predict.workers = TEST_WORKERS;

    if (ngx_vidcast_mailboxes_create(&test_zone.mailboxes, TEST_WORKERS,
                                     TEST_TEXT, NULL, &unit_log)
        != NGX_OK)
    {
        exit(2);
    }

    for (i = 0; i < TEST_WORKERS; i++) {
        ngx_vidcast_mailbox(&test_zone.mailboxes, i)->state =
                                                  NGX_VIDCAST_PREDICTOR_READY;
    }

    return unit_scheduler_open(&ngx_vidcast_backend_process);
}


static void
unit_mailboxes_close(ngx_vidcast_scheduler_t *scheduler)
{
    ngx_free(((ngx_vidcast_backend_process_t *) scheduler->data)->predictors);
    ngx_free(scheduler->data);

    (void) ngx_vidcast_mailboxes_free(&test_zone.mailboxes);

    unit_scheduler_close(scheduler);
}


#endif /* _UNIT_MAILBOXES_H_INCLUDED_ */
