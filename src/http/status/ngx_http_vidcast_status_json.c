
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "http/conf/ngx_http_vidcast_module.h"
#include "http/status/ngx_http_vidcast_metrics_table.h"
#include "http/status/ngx_http_vidcast_status_response.h"
#include "http/status/ngx_http_vidcast_status_source.h"
#include "os/ngx_vidcast_sandbox.h"
#include "shm/ngx_vidcast_control.h"
#include "shm/ngx_vidcast_process_locks.h"


static void ngx_http_vidcast_status_write(ngx_http_vidcast_text_t *text,
    ngx_http_vidcast_main_conf_t *vmcf, ngx_log_t *log);
static void ngx_http_vidcast_status_source(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf, ngx_vidcast_source_t *source, u_char *alive,
    ngx_log_t *log);
static void ngx_http_vidcast_status_age(ngx_http_vidcast_text_t *text,
    const char *name, uint64_t age);
static void ngx_http_vidcast_status_counters(ngx_http_vidcast_text_t *text,
    ngx_vidcast_counters_t *counters, ngx_http_vidcast_metric_t *metric);
static void ngx_http_vidcast_status_losses(ngx_http_vidcast_text_t *text,
    ngx_vidcast_zone_shm_t *shm, ngx_pid_t pid);
static void ngx_http_vidcast_status_predictor(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf, ngx_vidcast_source_t *source, ngx_log_t *log);
static ngx_vidcast_predictor_mailbox_t *ngx_http_vidcast_status_worst(
    ngx_vidcast_mailboxes_t *mailboxes);
static void ngx_http_vidcast_status_mailbox(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf, ngx_vidcast_source_t *source, ngx_uint_t n,
    ngx_log_t *log);
static void ngx_http_vidcast_status_viewers(ngx_http_vidcast_text_t *text,
    ngx_vidcast_zone_shm_t *shm, u_char *alive);
static void ngx_http_vidcast_status_delivered(ngx_http_vidcast_text_t *text,
    ngx_vidcast_zone_shm_t *shm);
static void ngx_http_vidcast_status_publishers(ngx_http_vidcast_text_t *text,
    ngx_vidcast_zone_shm_t *shm, u_char *alive);
static void ngx_http_vidcast_status_outputs(ngx_http_vidcast_text_t *text,
    ngx_vidcast_source_t *source, ngx_pid_t pid);
static void ngx_http_vidcast_status_overlay(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf, ngx_vidcast_source_t *source, ngx_pid_t pid,
    ngx_log_t *log);
static void ngx_http_vidcast_status_workers(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf, ngx_vidcast_zone_shm_t *shm, u_char *alive);


ngx_int_t
ngx_http_vidcast_status_handler(ngx_http_request_t *r)
{
    ngx_int_t                      rc;
    ngx_http_vidcast_text_t        text;
    ngx_http_vidcast_main_conf_t  *vmcf;

    static ngx_str_t  type = ngx_string("application/json");

    rc = ngx_http_vidcast_status_begin(r);

    if (rc != NGX_OK) {
        return rc;
    }

    vmcf = ngx_http_get_module_main_conf(r, ngx_http_vidcast_module);

    ngx_http_vidcast_text_init(&text, r->pool);
    ngx_http_vidcast_status_write(&text, vmcf, r->connection->log);

    return ngx_http_vidcast_status_send(r, &text, NGX_HTTP_OK, &type);
}


static void
ngx_http_vidcast_status_write(ngx_http_vidcast_text_t *text,
    ngx_http_vidcast_main_conf_t *vmcf, ngx_log_t *log)
{
    u_char                  alive[NGX_VIDCAST_PROCESSES];
    uint64_t                restarts, hung;
    ngx_pid_t               manager;
    ngx_uint_t              i, n;
    ngx_vidcast_conf_t     *conf;
    ngx_vidcast_source_t  **source;

    conf = &vmcf->vidcast;
    source = conf->sources.elts;
    n = vmcf->feeds ? conf->sources.nelts : 0;
    manager = 0;
    restarts = 0;
    hung = 0;

    if (n) {
        ngx_http_vidcast_status_list_workers(conf, alive, log);

        restarts = conf->control->shm->manager_restarts;
        hung = conf->control->shm->manager_hung;
        manager = ngx_vidcast_process_lock_holder(conf->control->locks,
                                                  NGX_VIDCAST_LOCK_MANAGER,
                                                  log);
    }

    ngx_http_vidcast_text_begin(text, NULL, '{');

    ngx_http_vidcast_text_item(text, "\"v\":1,\"pid\":%P,"
                               "\"generation\":%uL,"
                               "\"manager\":{\"pid\":%P,\"restarts\":%uL,"
                               "\"hung\":%uL}",
                               ngx_pid, conf->generation, manager, restarts,
                               hung);

    ngx_http_vidcast_text_begin(text, "sources", '[');

    for (i = 0; i < n; i++) {
        ngx_http_vidcast_status_source(text, conf, source[i], alive, log);
    }

    ngx_http_vidcast_text_end(text, ']');
    ngx_http_vidcast_text_end(text, '}');
    ngx_http_vidcast_text_printf(text, CRLF);
}


static void
ngx_http_vidcast_status_source(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf, ngx_vidcast_source_t *source, u_char *alive,
    ngx_log_t *log)
{
    uint64_t                 predicted, encoded;
    ngx_vidcast_zone_t      *zone;
    ngx_vidcast_counters_t  *counters;
    ngx_vidcast_zone_shm_t  *shm;
    ngx_http_vidcast_life_t  life;

    zone = source->original.zone;
    shm = zone->shm;
    counters = &shm->counters;

    ngx_http_vidcast_status_life(conf, source, &life, log);

    /* read before they are compared: what is divided by must not be zero */

    predicted = ngx_vidcast_load(&counters->predicted);
    predicted = ngx_max(predicted, 1);
    encoded = ngx_vidcast_load(&counters->published);
    encoded = ngx_max(encoded, 1);

    ngx_http_vidcast_text_begin(text, NULL, '{');

    ngx_http_vidcast_text_item(text,
                     "\"name\":\"%V\",\"state\":\"%V\",\"state_age\":%uL,"
                     "\"pid\":%P,\"starts\":%uL,\"hung\":%uL,"
                     "\"sandbox\":\"%V\","
                     "\"width\":%uD,\"height\":%uD,"
                     "\"fps_asked\":%uD.%03uD,\"fps\":%uD.%03uD,"
                     "\"fps_predicted\":%uD.%03uD,"
                     "\"frame\":%uL,\"result\":%uL,"
                     "\"slots\":%uD,\"pins\":%uD,"
                     "\"encode_ms\":%uL.%03uL,\"predict_ms\":%uL.%03uL",
                     &source->name, ngx_vidcast_state_name(life.state),
                     life.age / 1000000, life.pid, shm->restarts, shm->hung,
                     ngx_vidcast_sandbox_name(shm->sandbox),
                     shm->width, shm->height,
                     shm->asked_mfps / 1000, shm->asked_mfps % 1000,
                     life.published_mfps / 1000, life.published_mfps % 1000,
                     life.predicted_mfps / 1000, life.predicted_mfps % 1000,
                     ngx_vidcast_ring_newest(&zone->ring),
                     ngx_vidcast_ring_newest_result(&zone->ring),
                     zone->ring.geometry.slots,
                     ngx_vidcast_ring_pins(&zone->ring),
                     counters->encode_time / encoded / 1000,
                     counters->encode_time / encoded % 1000,
                     counters->predict_time / predicted / 1000,
                     counters->predict_time / predicted % 1000);

    ngx_http_vidcast_status_age(text, "frame_age", life.frame);
    ngx_http_vidcast_status_age(text, "life_age", life.proof);

    ngx_http_vidcast_status_counters(text, counters, ngx_http_vidcast_captured);

    ngx_http_vidcast_status_losses(text, shm, life.pid);

    ngx_http_vidcast_status_error(text, life.error);
    ngx_http_vidcast_status_predictor(text, conf, source, log);
    ngx_http_vidcast_status_viewers(text, shm, alive);
    ngx_http_vidcast_status_delivered(text, shm);

    if (source->input.push) {
        ngx_http_vidcast_status_publishers(text, shm, alive);
    }

    if (source->overlay) {
        ngx_http_vidcast_status_overlay(text, conf, source, life.pid, log);
    }

    if (source->noutputs) {
        ngx_http_vidcast_status_outputs(text, source, life.pid);
    }

    if (source->predict.zones.len) {
        ngx_http_vidcast_text_item(text, "\"zones\":%V",
                                   &source->predict.zones);
    }

    ngx_http_vidcast_status_workers(text, conf, shm, alive);

    ngx_http_vidcast_text_end(text, '}');
}


static void
ngx_http_vidcast_status_age(ngx_http_vidcast_text_t *text, const char *name,
    uint64_t age)
{
    if (age == NGX_HTTP_VIDCAST_NEVER) {
        ngx_http_vidcast_text_item(text, "\"%s\":null", name);
        return;
    }

    ngx_http_vidcast_text_item(text, "\"%s\":%uL.%03uL", name, age / 1000000,
                               age / 1000 % 1000);
}


/* times are told as means */

static void
ngx_http_vidcast_status_counters(ngx_http_vidcast_text_t *text,
    ngx_vidcast_counters_t *counters, ngx_http_vidcast_metric_t *metric)
{
    u_char  *base;

    base = (u_char *) counters;

    for ( /* void */ ; metric->name; metric++) {
        if (metric->type == NGX_HTTP_VIDCAST_COUNTER) {
            ngx_http_vidcast_text_item(text, "\"%s\":%uL", metric->name,
                                       *(uint64_t *) (base + metric->offset));
        }
    }
}


static void
ngx_http_vidcast_status_losses(ngx_http_vidcast_text_t *text,
    ngx_vidcast_zone_shm_t *shm, ngx_pid_t pid)
{
    ngx_http_vidcast_loss_t        *loss;
    ngx_http_vidcast_loss_group_t  *g;

    for (g = ngx_http_vidcast_loss_groups; g->group; g++) {

        ngx_http_vidcast_text_begin(text, g->family.name, '{');

        for (loss = ngx_http_vidcast_losses; loss->name; loss++) {
            if (loss->groups & g->group) {
                ngx_http_vidcast_text_item(text, "\"%s\":%uL", loss->name,
                                           ngx_http_vidcast_status_loss(
                                               shm, loss, pid));
            }
        }

        ngx_http_vidcast_text_end(text, '}');
    }
}


/* nothing, unless the source has processes for it; they may write it now */

static void
ngx_http_vidcast_status_predictor(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf, ngx_vidcast_source_t *source, ngx_log_t *log)
{
    ngx_uint_t                        i;
    ngx_vidcast_mailboxes_t          *mailboxes;
    ngx_http_vidcast_metric_t        *m;
    ngx_vidcast_predictor_mailbox_t  *mailbox;

    mailboxes = &source->original.zone->mailboxes;

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

    mailbox = ngx_vidcast_mailbox(&source->original.zone->mailboxes, n);

    pid = ngx_vidcast_predictor_pid(conf->control, source, n, log);

    ngx_http_vidcast_text_begin(text, NULL, '{');

    ngx_http_vidcast_text_item(text, "\"pid\":%P,\"child\":%L,"
                               "\"state\":\"%V\",\"failing\":%s,"
                               "\"starts\":%uL,\"sandbox\":\"%V\"",
                               pid, pid ? mailbox->child : 0,
                               ngx_vidcast_predictor_state_name(
                                   ngx_vidcast_load(&mailbox->state)),
                               ngx_vidcast_load(&mailbox->failing) ? "true"
                                                                : "false",
                               mailbox->counters.starts,
                               ngx_vidcast_sandbox_name(mailbox->sandbox));

    ngx_http_vidcast_status_error(text, mailbox->error);

    ngx_http_vidcast_text_end(text, '}');
}


static void
ngx_http_vidcast_status_viewers(ngx_http_vidcast_text_t *text,
    ngx_vidcast_zone_shm_t *shm, u_char *alive)
{
    uint64_t    n, sum;
    ngx_uint_t  t;

    ngx_http_vidcast_text_begin(text, "viewers", '{');

    sum = 0;

    for (t = 0; t < NGX_VIDCAST_TRANSPORTS; t++) {

        n = ngx_http_vidcast_status_count(shm, alive, t);
        sum += n;

        ngx_http_vidcast_text_item(text, "\"%s\":%uL",
                                   ngx_http_vidcast_transports[t], n);
    }

    ngx_http_vidcast_text_item(text, "\"all\":%uL", sum);

    ngx_http_vidcast_text_end(text, '}');
}


static void
ngx_http_vidcast_status_delivered(ngx_http_vidcast_text_t *text,
    ngx_vidcast_zone_shm_t *shm)
{
    ngx_http_vidcast_metric_t  *m;

    ngx_http_vidcast_text_begin(text, "delivered", '{');

    for (m = ngx_http_vidcast_delivered; m->name; m++) {
        ngx_http_vidcast_text_item(text, "\"%s\":%uL", m->name,
                                 ngx_http_vidcast_status_sum(shm, m->offset));
    }

    ngx_http_vidcast_text_end(text, '}');
}


static void
ngx_http_vidcast_status_publishers(ngx_http_vidcast_text_t *text,
    ngx_vidcast_zone_shm_t *shm, u_char *alive)
{
    ngx_http_vidcast_publishing_t  publishing;

    ngx_http_vidcast_status_publishing(shm, alive, &publishing);

    ngx_http_vidcast_text_item(text, "\"published_by\":{\"publishers\":%uD,"
                               "\"taken\":%uL,\"results\":%uL,"
                               "\"refused\":%uL,\"slow\":%uL,"
                               "\"bytes\":%uL}",
                               publishing.publishers, publishing.taken,
                               publishing.results, publishing.refused,
                               publishing.slow, publishing.bytes);
}


static void
ngx_http_vidcast_status_outputs(ngx_http_vidcast_text_t *text,
    ngx_vidcast_source_t *source, ngx_pid_t pid)
{
    u_char                      *value;
    uint64_t                     number;
    ngx_str_t                   *uri;
    ngx_uint_t                   i;
    ngx_vidcast_output_stats_t   stats;
    ngx_http_vidcast_metric_t   *m;

    ngx_http_vidcast_text_begin(text, "outputs", '[');

    for (i = 0; i < source->noutputs; i++) {
        ngx_http_vidcast_status_output(source, i, pid, &stats);

        uri = &source->outputs[i].uri;

        ngx_http_vidcast_text_begin(text, NULL, '{');
        ngx_http_vidcast_text_string(text, "uri", uri->data, uri->len);
        ngx_http_vidcast_text_item(text, "\"state\":\"%V\"",
                                   ngx_vidcast_output_state_name(stats.state));
        ngx_http_vidcast_status_error(text, stats.error);

        for (m = ngx_http_vidcast_output_metrics; m->name; m++) {
            value = (u_char *) &stats + m->offset;
            number = (m->type == NGX_HTTP_VIDCAST_GAUGE) ? *(uint32_t *) value
                                                         : *(uint64_t *) value;

            ngx_http_vidcast_text_item(text, "\"%s\":%uL", m->name, number);
        }

        ngx_http_vidcast_text_end(text, '}');
    }

    ngx_http_vidcast_text_end(text, ']');
}


static void
ngx_http_vidcast_status_overlay(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf, ngx_vidcast_source_t *source, ngx_pid_t pid,
    ngx_log_t *log)
{
    ngx_uint_t                viewers;
    ngx_vidcast_zone_shm_t   *shm;
    ngx_http_vidcast_loss_t  *loss;

    shm = source->overlay->zone->shm;
    viewers = ngx_vidcast_zone_overlaid(conf->control, source->original.zone,
                                        log);

    ngx_http_vidcast_text_begin(text, "overlay", '{');

    ngx_http_vidcast_status_counters(text, &shm->counters,
                                     ngx_http_vidcast_overlay);
    ngx_http_vidcast_text_item(text, "\"viewers\":%ui", viewers);

    ngx_http_vidcast_text_begin(text, "dropped", '{');

    for (loss = ngx_http_vidcast_overlay_losses; loss->name; loss++) {
        ngx_http_vidcast_text_item(text, "\"%s\":%uL", loss->name,
                                   ngx_http_vidcast_status_loss(shm, loss,
                                                                pid));
    }

    ngx_http_vidcast_text_end(text, '}');
    ngx_http_vidcast_text_end(text, '}');
}


static void
ngx_http_vidcast_status_workers(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf, ngx_vidcast_zone_shm_t *shm, u_char *alive)
{
    uint64_t                n;
    ngx_uint_t              i, t;
    ngx_vidcast_process_t  *process;

    ngx_http_vidcast_text_begin(text, "workers", '[');

    for (i = 0; i < NGX_VIDCAST_PROCESSES; i++) {

        if (!alive[i]) {
            continue;
        }

        n = 0;

        for (t = 0; t < NGX_VIDCAST_TRANSPORTS; t++) {
            n += ngx_vidcast_load(&shm->worker_stats[i].viewers[t]);
        }

        process = &conf->control->shm->processes[i];

        ngx_http_vidcast_text_item(text, "{\"pid\":%L,\"generation\":%uL,"
                                   "\"exiting\":%s,\"viewers\":%uL}",
                                   process->pid, process->generation,
                                   process->exiting ? "true" : "false", n);
    }

    ngx_http_vidcast_text_end(text, ']');
}
