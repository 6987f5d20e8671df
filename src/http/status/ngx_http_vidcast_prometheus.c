
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
#include "shm/ngx_vidcast_control.h"


/* the text format of Prometheus, version 0.0.4 */


static const char *ngx_http_vidcast_metrics_suffix(
    ngx_http_vidcast_metric_t *metric);
static void ngx_http_vidcast_metrics_family(ngx_http_vidcast_text_t *text,
    const char *prefix, ngx_http_vidcast_metric_t *metric);
static void ngx_http_vidcast_metrics_sample(ngx_http_vidcast_text_t *text,
    const char *prefix, ngx_http_vidcast_metric_t *metric,
    ngx_vidcast_source_t *source, void *value);
static void ngx_http_vidcast_metrics_of(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf, ngx_http_vidcast_metric_t *metric,
    size_t offset);
static void ngx_http_vidcast_metrics_losses(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf, ngx_http_vidcast_life_t *lives,
    ngx_http_vidcast_loss_group_t *g);
static void ngx_http_vidcast_metrics_overlays(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf, ngx_http_vidcast_life_t *lives,
    ngx_log_t *log);
static void ngx_http_vidcast_metrics_delivered(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf);
static void ngx_http_vidcast_metrics_viewers(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf, u_char *alive);
static void ngx_http_vidcast_metrics_publishers(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf, u_char *alive);
static void ngx_http_vidcast_metrics_outputs(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf, ngx_http_vidcast_life_t *lives);
static void ngx_http_vidcast_metrics_output_states(
    ngx_http_vidcast_text_t *text, ngx_vidcast_conf_t *conf,
    ngx_http_vidcast_life_t *lives);
static void ngx_http_vidcast_metrics_predictors(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf);
static void ngx_http_vidcast_metrics_processes(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf);
static void ngx_http_vidcast_metrics_lives(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf, ngx_http_vidcast_life_t *lives);
static void ngx_http_vidcast_metrics_states(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf, ngx_http_vidcast_life_t *lives);


ngx_int_t
ngx_http_vidcast_metrics_handler(ngx_http_request_t *r)
{
    u_char                         *alive;
    ngx_int_t                       rc;
    ngx_uint_t                      i;
    ngx_vidcast_conf_t             *conf;
    ngx_vidcast_source_t          **source;
    ngx_http_vidcast_text_t         text;
    ngx_http_vidcast_life_t        *lives;
    ngx_http_vidcast_metric_t      *m;
    ngx_http_vidcast_main_conf_t   *vmcf;
    ngx_http_vidcast_loss_group_t  *g;

    static ngx_str_t  type = ngx_string("text/plain; version=0.0.4");

    rc = ngx_http_vidcast_status_begin(r);

    if (rc != NGX_OK) {
        return rc;
    }

    vmcf = ngx_http_get_module_main_conf(r, ngx_http_vidcast_module);
    conf = &vmcf->vidcast;

    alive = ngx_palloc(r->pool, NGX_VIDCAST_PROCESSES);
    lives = ngx_palloc(r->pool, conf->sources.nelts
                                * sizeof(ngx_http_vidcast_life_t));

    if (alive == NULL || lives == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_vidcast_text_init(&text, r->pool);

    if (vmcf->feeds) {
        ngx_http_vidcast_status_list_workers(conf, alive, r->connection->log);

        source = conf->sources.elts;

        for (i = 0; i < conf->sources.nelts; i++) {
            ngx_http_vidcast_status_life(conf, source[i], &lives[i],
                                         r->connection->log);
        }

        ngx_http_vidcast_metrics_lives(&text, conf, lives);

        for (m = ngx_http_vidcast_present; m->name; m++) {
            ngx_http_vidcast_metrics_of(&text, conf, m, m->offset);
        }

        for (m = ngx_http_vidcast_captured; m->name; m++) {
            ngx_http_vidcast_metrics_of(&text, conf, m, m->offset
                                 + offsetof(ngx_vidcast_zone_shm_t, counters));
        }

        for (g = ngx_http_vidcast_loss_groups; g->group; g++) {
            ngx_http_vidcast_metrics_losses(&text, conf, lives, g);
        }

        ngx_http_vidcast_metrics_overlays(&text, conf, lives,
                                          r->connection->log);
        ngx_http_vidcast_metrics_outputs(&text, conf, lives);
        ngx_http_vidcast_metrics_delivered(&text, conf);
        ngx_http_vidcast_metrics_viewers(&text, conf, alive);
        ngx_http_vidcast_metrics_publishers(&text, conf, alive);
        ngx_http_vidcast_metrics_predictors(&text, conf);
    }

    return ngx_http_vidcast_status_send(r, &text, NGX_HTTP_OK, &type);
}


static const char *
ngx_http_vidcast_metrics_suffix(ngx_http_vidcast_metric_t *metric)
{
    return (metric->type == NGX_HTTP_VIDCAST_COUNTER
            || metric->type == NGX_HTTP_VIDCAST_SECONDS)
               ? "_total" : "";
}


static void
ngx_http_vidcast_metrics_family(ngx_http_vidcast_text_t *text,
    const char *prefix, ngx_http_vidcast_metric_t *metric)
{
    const char  *suffix;

    suffix = ngx_http_vidcast_metrics_suffix(metric);

    ngx_http_vidcast_text_printf(text, "# HELP vidcast_%s%s%s %s\n"
                                 "# TYPE vidcast_%s%s%s %s\n",
                                 prefix, metric->name, suffix, metric->help,
                                 prefix, metric->name, suffix,
                                 *suffix ? "counter" : "gauge");
}


static void
ngx_http_vidcast_metrics_sample(ngx_http_vidcast_text_t *text,
    const char *prefix, ngx_http_vidcast_metric_t *metric,
    ngx_vidcast_source_t *source, void *value)
{
    uint32_t  number;
    uint64_t  count;

    ngx_http_vidcast_text_printf(text, "vidcast_%s%s%s{source=\"%V\"} ",
                                 prefix, metric->name,
                                 ngx_http_vidcast_metrics_suffix(metric),
                                 &source->name);

    switch (metric->type) {

    case NGX_HTTP_VIDCAST_COUNTER:
        ngx_http_vidcast_text_printf(text, "%uL\n", *(uint64_t *) value);
        break;

    case NGX_HTTP_VIDCAST_SECONDS:
        count = *(uint64_t *) value;

        ngx_http_vidcast_text_printf(text, "%uL.%06uL\n", count / 1000000,
                                     count % 1000000);
        break;

    case NGX_HTTP_VIDCAST_GAUGE:
        ngx_http_vidcast_text_printf(text, "%uD\n", *(uint32_t *) value);
        break;

    default: /* NGX_HTTP_VIDCAST_MILLI */
        number = *(uint32_t *) value;

        ngx_http_vidcast_text_printf(text, "%uD.%03uD\n", number / 1000,
                                     number % 1000);
    }
}


static void
ngx_http_vidcast_metrics_of(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf, ngx_http_vidcast_metric_t *metric,
    size_t offset)
{
    u_char                 *shm;
    ngx_uint_t              i;
    ngx_vidcast_source_t  **source;

    source = conf->sources.elts;

    ngx_http_vidcast_metrics_family(text, "", metric);

    for (i = 0; i < conf->sources.nelts; i++) {
        shm = (u_char *) source[i]->original.zone->shm;

        ngx_http_vidcast_metrics_sample(text, "", metric, source[i],
                                        shm + offset);
    }
}


/* one family, whose label is the reason; so it has one help for all */

static void
ngx_http_vidcast_metrics_losses(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf, ngx_http_vidcast_life_t *lives,
    ngx_http_vidcast_loss_group_t *g)
{
    ngx_uint_t                i;
    ngx_vidcast_source_t    **source;
    ngx_vidcast_zone_shm_t   *shm;
    ngx_http_vidcast_loss_t  *loss;

    source = conf->sources.elts;

    ngx_http_vidcast_metrics_family(text, "", &g->family);

    for (i = 0; i < conf->sources.nelts; i++) {
        shm = source[i]->original.zone->shm;

        for (loss = ngx_http_vidcast_losses; loss->name; loss++) {

            if (!(loss->groups & g->group)) {
                continue;
            }

            ngx_http_vidcast_text_printf(text, "vidcast_%s_total"
                                         "{source=\"%V\",reason=\"%s\"} "
                                         "%uL\n", g->family.name,
                                         &source[i]->name, loss->name,
                                         ngx_http_vidcast_status_loss(
                                             shm, loss, lives[i].pid));
        }
    }
}


/* of sources which have one; nothing, if none has */

static void
ngx_http_vidcast_metrics_overlays(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf, ngx_http_vidcast_life_t *lives, ngx_log_t *log)
{
    u_char                     *counters;
    uint32_t                    viewers;
    ngx_uint_t                  i, n;
    ngx_vidcast_source_t      **source;
    ngx_http_vidcast_loss_t    *loss;
    ngx_http_vidcast_metric_t  *m;

    static ngx_http_vidcast_metric_t  lost = {
        "not_drawn", "Frames offered to the overlay, and not drawn, by reason.",
        NGX_HTTP_VIDCAST_COUNTER, 0
    };

    static ngx_http_vidcast_metric_t  now = {
        "viewers", "Viewers of the overlay now.", NGX_HTTP_VIDCAST_GAUGE, 0
    };

    source = conf->sources.elts;
    n = 0;

    for (i = 0; i < conf->sources.nelts; i++) {
        n += (source[i]->overlay != NULL);
    }

    if (n == 0) {
        return;
    }

    for (m = ngx_http_vidcast_overlay; m->name; m++) {

        ngx_http_vidcast_metrics_family(text, "overlay_", m);

        for (i = 0; i < conf->sources.nelts; i++) {

            if (source[i]->overlay) {
                counters = (u_char *) &source[i]->overlay->zone->shm->counters;

                ngx_http_vidcast_metrics_sample(text, "overlay_", m, source[i],
                                                counters + m->offset);
            }
        }
    }

    ngx_http_vidcast_metrics_family(text, "overlay_", &lost);

    for (i = 0; i < conf->sources.nelts; i++) {

        for (loss = ngx_http_vidcast_overlay_losses;
             source[i]->overlay && loss->name;
             loss++)
        {
            ngx_http_vidcast_text_printf(text,
                                         "vidcast_overlay_not_drawn_total"
                                         "{source=\"%V\",reason=\"%s\"} "
                                         "%uL\n", &source[i]->name, loss->name,
                                         ngx_http_vidcast_status_loss(
                                             source[i]->overlay->zone->shm,
                                             loss, lives[i].pid));
        }
    }

    ngx_http_vidcast_metrics_family(text, "overlay_", &now);

    for (i = 0; i < conf->sources.nelts; i++) {

        if (source[i]->overlay) {
            viewers = (uint32_t) ngx_vidcast_zone_overlaid(conf->control,
                                                source[i]->original.zone, log);

            ngx_http_vidcast_metrics_sample(text, "overlay_", &now, source[i],
                                            &viewers);
        }
    }
}


static void
ngx_http_vidcast_metrics_delivered(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf)
{
    uint64_t                     sum;
    ngx_uint_t                   i;
    ngx_vidcast_source_t       **source;
    ngx_http_vidcast_metric_t   *m;

    source = conf->sources.elts;

    for (m = ngx_http_vidcast_delivered; m->name; m++) {

        ngx_http_vidcast_metrics_family(text, "delivered_", m);

        for (i = 0; i < conf->sources.nelts; i++) {
            sum = ngx_http_vidcast_status_sum(source[i]->original.zone->shm,
                                              m->offset);

            ngx_http_vidcast_metrics_sample(text, "delivered_", m, source[i],
                                            &sum);
        }
    }
}


static void
ngx_http_vidcast_metrics_viewers(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf, u_char *alive)
{
    uint64_t                n;
    ngx_uint_t              i, t;
    ngx_vidcast_source_t  **source;

    static ngx_http_vidcast_metric_t  family = {
        "viewers", "Viewers now, by transport.", NGX_HTTP_VIDCAST_GAUGE, 0
    };

    source = conf->sources.elts;

    ngx_http_vidcast_metrics_family(text, "", &family);

    for (i = 0; i < conf->sources.nelts; i++) {
        for (t = 0; t < NGX_VIDCAST_TRANSPORTS; t++) {
            n = ngx_http_vidcast_status_count(source[i]->original.zone->shm,
                                              alive, t);

            ngx_http_vidcast_text_printf(text, "vidcast_viewers{source=\"%V\","
                                         "transport=\"%s\"} %uL\n",
                                         &source[i]->name,
                                         ngx_http_vidcast_transports[t], n);
        }
    }
}


/* of sources with the input "push:"; nothing, if there is none */

static void
ngx_http_vidcast_metrics_publishers(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf, u_char *alive)
{
    ngx_uint_t                      i, n;
    ngx_vidcast_source_t          **source;
    ngx_http_vidcast_metric_t      *m;
    ngx_http_vidcast_publishing_t   publishing;

    source = conf->sources.elts;
    n = 0;

    for (i = 0; i < conf->sources.nelts; i++) {
        n += source[i]->input.push;
    }

    for (m = ngx_http_vidcast_publishing; n && m->name; m++) {

        ngx_http_vidcast_metrics_family(text, "", m);

        for (i = 0; i < conf->sources.nelts; i++) {

            if (!source[i]->input.push) {
                continue;
            }

            ngx_http_vidcast_status_publishing(source[i]->original.zone->shm,
                                               alive, &publishing);

            ngx_http_vidcast_metrics_sample(text, "", m, source[i],
                                         (u_char *) &publishing + m->offset);
        }
    }
}


/* of sources which have some; nothing, if none has */

static void
ngx_http_vidcast_metrics_outputs(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf, ngx_http_vidcast_life_t *lives)
{
    u_char                       *value;
    uint64_t                      number;
    ngx_uint_t                    i, k, n;
    ngx_vidcast_source_t        **source;
    ngx_vidcast_output_stats_t    stats;
    ngx_http_vidcast_metric_t    *m;

    source = conf->sources.elts;
    n = 0;

    for (i = 0; i < conf->sources.nelts; i++) {
        n += source[i]->noutputs;
    }

    if (n == 0) {
        return;
    }

    ngx_http_vidcast_metrics_output_states(text, conf, lives);

    for (m = ngx_http_vidcast_output_metrics; m->name; m++) {

        ngx_http_vidcast_metrics_family(text, "output_", m);

        for (i = 0; i < conf->sources.nelts; i++) {
            for (k = 0; k < source[i]->noutputs; k++) {

                ngx_http_vidcast_status_output(source[i], k, lives[i].pid,
                                               &stats);

                value = (u_char *) &stats + m->offset;
                number = (m->type == NGX_HTTP_VIDCAST_GAUGE)
                             ? *(uint32_t *) value : *(uint64_t *) value;

                ngx_http_vidcast_text_printf(text, "vidcast_output_%s%s"
                                         "{source=\"%V\",output=\"%V\"} "
                                         "%uL\n", m->name,
                                         ngx_http_vidcast_metrics_suffix(m),
                                         &source[i]->name,
                                         &source[i]->outputs[k].uri, number);
            }
        }
    }
}


/* one for the state that it is in, zero for the others */

static void
ngx_http_vidcast_metrics_output_states(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf, ngx_http_vidcast_life_t *lives)
{
    ngx_uint_t                    i, k, state;
    ngx_vidcast_source_t        **source;
    ngx_vidcast_output_stats_t    stats;

    static ngx_http_vidcast_metric_t  family = {
        "state", "Whether an output is in this state.",
        NGX_HTTP_VIDCAST_GAUGE, 0
    };

    source = conf->sources.elts;

    ngx_http_vidcast_metrics_family(text, "output_", &family);

    for (i = 0; i < conf->sources.nelts; i++) {
        for (k = 0; k < source[i]->noutputs; k++) {

            ngx_http_vidcast_status_output(source[i], k, lives[i].pid, &stats);

            for (state = 0; state < NGX_VIDCAST_OUTPUT_STATES; state++) {
                ngx_http_vidcast_text_printf(text, "vidcast_output_state"
                                         "{source=\"%V\",output=\"%V\","
                                         "state=\"%V\"} %d\n",
                                         &source[i]->name,
                                         &source[i]->outputs[k].uri,
                                         ngx_vidcast_output_state_name(state),
                                         state == stats.state);
            }
        }
    }
}


/* of sources which have predictor processes; nothing, if none has */

static void
ngx_http_vidcast_metrics_predictors(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf)
{
    uint64_t                     sum;
    ngx_uint_t                   i, n;
    ngx_vidcast_source_t       **source;
    ngx_vidcast_mailboxes_t     *mailboxes;
    ngx_http_vidcast_metric_t   *m;

    source = conf->sources.elts;
    n = 0;

    for (i = 0; i < conf->sources.nelts; i++) {
        n += source[i]->original.zone->mailboxes.n;
    }

    if (n == 0) {
        return;
    }

    for (m = ngx_http_vidcast_predictor_metrics; m->name; m++) {

        ngx_http_vidcast_metrics_family(text, "predictor_", m);

        for (i = 0; i < conf->sources.nelts; i++) {
            mailboxes = &source[i]->original.zone->mailboxes;

            if (mailboxes->n == 0) {
                continue;
            }

            sum = ngx_http_vidcast_status_mailboxes(mailboxes, m->offset);

            ngx_http_vidcast_metrics_sample(text, "predictor_", m, source[i],
                                            &sum);
        }
    }

    ngx_http_vidcast_metrics_processes(text, conf);
}


static void
ngx_http_vidcast_metrics_processes(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf)
{
    ngx_uint_t                 i, k, n, state;
    ngx_vidcast_source_t     **source;
    ngx_vidcast_mailboxes_t   *mailboxes;

    static ngx_http_vidcast_metric_t  family = {
        "processes", "Predictor processes now, by state.",
        NGX_HTTP_VIDCAST_GAUGE, 0
    };

    source = conf->sources.elts;

    ngx_http_vidcast_metrics_family(text, "predictor_", &family);

    for (i = 0; i < conf->sources.nelts; i++) {
        mailboxes = &source[i]->original.zone->mailboxes;

        if (mailboxes->n == 0) {
            continue;
        }

        for (state = 0; state <= NGX_VIDCAST_PREDICTOR_PAUSED; state++) {

            n = 0;

            for (k = 0; k < mailboxes->n; k++) {
                n += (ngx_vidcast_load(
                          &ngx_vidcast_mailbox(mailboxes, k)->state)
                      == state);
            }

            ngx_http_vidcast_text_printf(text,
                                         "vidcast_predictor_processes"
                                         "{source=\"%V\",state=\"%V\"} %ui\n",
                                         &source[i]->name,
                                         ngx_vidcast_predictor_state_name(
                                             state),
                                         n);
        }
    }
}


static void
ngx_http_vidcast_metrics_lives(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf, ngx_http_vidcast_life_t *lives)
{
    ngx_uint_t                   i;
    ngx_vidcast_source_t       **source;
    ngx_http_vidcast_metric_t   *m;

    source = conf->sources.elts;

    ngx_http_vidcast_metrics_states(text, conf, lives);

    for (m = ngx_http_vidcast_living; m->name; m++) {

        ngx_http_vidcast_metrics_family(text, "", m);

        for (i = 0; i < conf->sources.nelts; i++) {
            ngx_http_vidcast_metrics_sample(text, "", m, source[i],
                                            (u_char *) &lives[i] + m->offset);
        }
    }
}


/* one for the state that it is in, zero for the others */

static void
ngx_http_vidcast_metrics_states(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf, ngx_http_vidcast_life_t *lives)
{
    ngx_uint_t              i, n;
    ngx_vidcast_source_t  **source;

    static ngx_http_vidcast_metric_t  family = {
        "state", "Whether a source is in this state.",
        NGX_HTTP_VIDCAST_GAUGE, 0
    };

    source = conf->sources.elts;

    ngx_http_vidcast_metrics_family(text, "", &family);

    for (i = 0; i < conf->sources.nelts; i++) {
        for (n = 0; n < NGX_VIDCAST_STATES; n++) {
            ngx_http_vidcast_text_printf(text, "vidcast_state{source=\"%V\","
                                         "state=\"%V\"} %d\n",
                                         &source[i]->name,
                                         ngx_vidcast_state_name(n),
                                         n == lives[i].state);
        }
    }
}
