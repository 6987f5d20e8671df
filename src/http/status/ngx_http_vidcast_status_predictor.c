
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "http/status/ngx_http_vidcast_metrics_table.h"
#include "http/status/ngx_http_vidcast_status_predictor.h"
#include "http/status/ngx_http_vidcast_status_response.h"
#include "http/status/ngx_http_vidcast_status_source.h"
#include "shm/ngx_vidcast_process_locks.h"


/* what the status says of predictor processes; they may write it just now */


static ngx_vidcast_predictor_mailbox_t *ngx_http_vidcast_status_worst(
    ngx_vidcast_mailboxes_t *mailboxes);
static void ngx_http_vidcast_status_mailbox(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf, ngx_vidcast_source_t *source, ngx_uint_t n,
    ngx_log_t *log);


void
ngx_http_vidcast_status_predictor(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf, ngx_vidcast_source_t *source, ngx_log_t *log)
{
    ngx_uint_t                        i;
    ngx_vidcast_mailboxes_t          *mailboxes;
    ngx_http_vidcast_metric_t        *m;
    ngx_vidcast_predictor_mailbox_t  *mailbox;

    mailboxes = &source->zone->mailboxes;

    if (mailboxes->n == 0) {
        return;
    }

    mailbox = ngx_http_vidcast_status_worst(mailboxes);

    ngx_http_vidcast_text_begin(text, "predictor", '{');

    ngx_http_vidcast_text_item(text, "\"state\":\"%V\"",
                               ngx_vidcast_predictor_state_name(
                                   ngx_vidcast_load(&mailbox->state)));

    ngx_http_vidcast_status_error(text, mailbox->error);

    for (m = ngx_http_vidcast_predictor_metrics; m->name; m++) {
        ngx_http_vidcast_text_item(
            text, "\"%s\":%uL", m->name,
            ngx_http_vidcast_status_mailboxes(mailboxes, m->offset));
    }

    ngx_http_vidcast_text_begin(text, "processes", '[');

    for (i = 0; i < mailboxes->n; i++) {
        ngx_http_vidcast_status_mailbox(text, conf, source, i, log);
    }

    ngx_http_vidcast_text_end(text, ']');
    ngx_http_vidcast_text_end(text, '}');
}


/* "ready" is said of all together only */

static ngx_vidcast_predictor_mailbox_t *
ngx_http_vidcast_status_worst(ngx_vidcast_mailboxes_t *mailboxes)
{
    ngx_uint_t                        i;
    ngx_vidcast_predictor_mailbox_t  *mailbox, *worst;

    worst = ngx_vidcast_mailbox(mailboxes, 0);

    for (i = 1; i < mailboxes->n; i++) {
        mailbox = ngx_vidcast_mailbox(mailboxes, i);

        if (ngx_vidcast_load(&worst->state) == NGX_VIDCAST_PREDICTOR_READY
            || ngx_vidcast_load(&mailbox->state) > NGX_VIDCAST_PREDICTOR_READY)
        {
            worst = mailbox;
        }
    }

    return worst;
}


static void
ngx_http_vidcast_status_mailbox(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf, ngx_vidcast_source_t *source, ngx_uint_t n,
    ngx_log_t *log)
{
    ngx_pid_t                         pid;
    ngx_vidcast_predictor_mailbox_t  *mailbox;

    mailbox = ngx_vidcast_mailbox(&source->zone->mailboxes, n);

    pid = ngx_vidcast_process_lock_holder(
        conf->control->locks, ngx_vidcast_predictor_lock(source->entry, n),
        log);

    ngx_http_vidcast_text_begin(text, NULL, '{');

    ngx_http_vidcast_text_item(text, "\"pid\":%P,\"child\":%L,"
                               "\"state\":\"%V\",\"failing\":%s,"
                               "\"starts\":%uL",
                               pid, pid ? mailbox->child : 0,
                               ngx_vidcast_predictor_state_name(
                                   ngx_vidcast_load(&mailbox->state)),
                               ngx_vidcast_load(&mailbox->failing) ? "true"
                                                                : "false",
                               mailbox->counters.starts);

    ngx_http_vidcast_status_error(text, mailbox->error);

    ngx_http_vidcast_text_end(text, '}');
}
