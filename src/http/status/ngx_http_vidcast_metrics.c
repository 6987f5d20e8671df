
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "http/status/ngx_http_vidcast_status.h"


/* the text format of Prometheus, version 0.0.4 */


#define NGX_HTTP_VIDCAST_METRICS_HELP    8192     /* bytes, of all */
#define NGX_HTTP_VIDCAST_METRICS_SOURCE  16384


static u_char *ngx_http_vidcast_metrics_family(u_char *p, u_char *last,
    const char *prefix, ngx_http_vidcast_metric_t *metric);
static u_char *ngx_http_vidcast_metrics_value(u_char *p, u_char *last,
    ngx_http_vidcast_metric_t *metric, void *value);
static u_char *ngx_http_vidcast_metrics_of(u_char *p, u_char *last,
    ngx_vidcast_conf_t *conf, ngx_http_vidcast_metric_t *metric,
    size_t offset);
static u_char *ngx_http_vidcast_metrics_dropped(u_char *p, u_char *last,
    ngx_vidcast_conf_t *conf);
static u_char *ngx_http_vidcast_metrics_delivered(u_char *p, u_char *last,
    ngx_vidcast_conf_t *conf);
static u_char *ngx_http_vidcast_metrics_viewers(u_char *p, u_char *last,
    ngx_vidcast_conf_t *conf, u_char *alive);
static u_char *ngx_http_vidcast_metrics_publishers(u_char *p, u_char *last,
    ngx_vidcast_conf_t *conf, u_char *alive);
static u_char *ngx_http_vidcast_metrics_predictors(u_char *p, u_char *last,
    ngx_vidcast_conf_t *conf);
static u_char *ngx_http_vidcast_metrics_processes(u_char *p, u_char *last,
    ngx_vidcast_conf_t *conf);
static u_char *ngx_http_vidcast_metrics_lives(u_char *p, u_char *last,
    ngx_vidcast_conf_t *conf, ngx_http_vidcast_life_t *lives);
static u_char *ngx_http_vidcast_metrics_states(u_char *p, u_char *last,
    ngx_vidcast_conf_t *conf, ngx_http_vidcast_life_t *lives);


ngx_http_vidcast_metric_t  ngx_http_vidcast_captured[] = {

    { "captured", "Frames that came from the input.",
      NGX_HTTP_VIDCAST_COUNTER, offsetof(ngx_vidcast_counters_t, captured) },

    { "published", "Frames that became the newest one for viewers.",
      NGX_HTTP_VIDCAST_COUNTER, offsetof(ngx_vidcast_counters_t, published) },

    { "predicted", "Results of the predictor.",
      NGX_HTTP_VIDCAST_COUNTER, offsetof(ngx_vidcast_counters_t, predicted) },

    { "opened", "How often the input was opened.",
      NGX_HTTP_VIDCAST_COUNTER, offsetof(ngx_vidcast_counters_t, opened) },

    { "lost", "How often the input was lost.",
      NGX_HTTP_VIDCAST_COUNTER, offsetof(ngx_vidcast_counters_t, lost) },

    { "tables_inserted", "JPEGs that came without Huffman tables.",
      NGX_HTTP_VIDCAST_COUNTER,
      offsetof(ngx_vidcast_counters_t, tables_inserted) },

    { "direct", "Frames which could be sent by sendfile().",
      NGX_HTTP_VIDCAST_COUNTER, offsetof(ngx_vidcast_counters_t, direct) },

    { "encode_seconds", "Time that JPEG encoders took.",
      NGX_HTTP_VIDCAST_SECONDS,
      offsetof(ngx_vidcast_counters_t, encode_time) },

    { "predict_seconds", "Time that the predictor took.",
      NGX_HTTP_VIDCAST_SECONDS,
      offsetof(ngx_vidcast_counters_t, predict_time) },

    { NULL, NULL, NGX_HTTP_VIDCAST_COUNTER, 0 }
};


ngx_http_vidcast_metric_t  ngx_http_vidcast_dropped[] = {

    { "bad_frame", "It was not a whole JPEG.",
      NGX_HTTP_VIDCAST_COUNTER, offsetof(ngx_vidcast_counters_t, bad_frame) },

    { "too_large", "It was larger than a slot of the ring.",
      NGX_HTTP_VIDCAST_COUNTER, offsetof(ngx_vidcast_counters_t, too_large) },

    { "warmup", "It was one of the first after an open.",
      NGX_HTTP_VIDCAST_COUNTER, offsetof(ngx_vidcast_counters_t, warmup) },

    { "ring_full", "No slot was free.",
      NGX_HTTP_VIDCAST_COUNTER, offsetof(ngx_vidcast_counters_t, ring_full) },

    { "encoder_busy", "The encoders were too slow.",
      NGX_HTTP_VIDCAST_COUNTER,
      offsetof(ngx_vidcast_counters_t, encoder_busy) },

    { "encoder_error", "It could not be encoded.",
      NGX_HTTP_VIDCAST_COUNTER,
      offsetof(ngx_vidcast_counters_t, encoder_error) },

    { "predictor_busy", "The predictor was too slow.",
      NGX_HTTP_VIDCAST_COUNTER,
      offsetof(ngx_vidcast_counters_t, predictor_busy) },

    { "predictor_error", "The predictor failed.",
      NGX_HTTP_VIDCAST_COUNTER,
      offsetof(ngx_vidcast_counters_t, predictor_error) },

    { NULL, NULL, NGX_HTTP_VIDCAST_COUNTER, 0 }
};


ngx_http_vidcast_metric_t  ngx_http_vidcast_delivered[] = {

    { "frames", "Pictures sent to viewers.",
      NGX_HTTP_VIDCAST_COUNTER, offsetof(ngx_vidcast_share_t, frames) },

    { "results", "Results sent to viewers.",
      NGX_HTTP_VIDCAST_COUNTER, offsetof(ngx_vidcast_share_t, results) },

    { "frames_skipped", "Pictures that viewers were too slow for, or wanted "
      "fewer of.",
      NGX_HTTP_VIDCAST_COUNTER,
      offsetof(ngx_vidcast_share_t, frames_skipped) },

    { "results_skipped", "Results that viewers were too slow for.",
      NGX_HTTP_VIDCAST_COUNTER,
      offsetof(ngx_vidcast_share_t, results_skipped) },

    { "bytes", "Bytes sent to viewers.",
      NGX_HTTP_VIDCAST_COUNTER, offsetof(ngx_vidcast_share_t, bytes) },

    { "stalled", "Viewers who took no byte for too long.",
      NGX_HTTP_VIDCAST_COUNTER, offsetof(ngx_vidcast_share_t, stalled) },

    { "refused", "Viewers who were refused.",
      NGX_HTTP_VIDCAST_COUNTER, offsetof(ngx_vidcast_share_t, refused) },

    { NULL, NULL, NGX_HTTP_VIDCAST_COUNTER, 0 }
};


ngx_http_vidcast_metric_t  ngx_http_vidcast_desks[] = {

    { "starts", "Predictor processes started.",
      NGX_HTTP_VIDCAST_COUNTER,
      offsetof(ngx_vidcast_desk_counters_t, starts) },

    { "deaths", "Predictor processes that died.",
      NGX_HTTP_VIDCAST_COUNTER,
      offsetof(ngx_vidcast_desk_counters_t, deaths) },

    { "timeouts", "Frames that took a predictor process too long.",
      NGX_HTTP_VIDCAST_COUNTER,
      offsetof(ngx_vidcast_desk_counters_t, timeouts) },

    { "killed", "Predictor processes killed, for whatever reason.",
      NGX_HTTP_VIDCAST_COUNTER,
      offsetof(ngx_vidcast_desk_counters_t, killed) },

    { "answers", "Answers of predictor processes.",
      NGX_HTTP_VIDCAST_COUNTER,
      offsetof(ngx_vidcast_desk_counters_t, answers) },

    { "none", "Answers without a result.",
      NGX_HTTP_VIDCAST_COUNTER,
      offsetof(ngx_vidcast_desk_counters_t, none) },

    { "bad", "Answers that were no result.",
      NGX_HTTP_VIDCAST_COUNTER, offsetof(ngx_vidcast_desk_counters_t, bad) },

    { "too_large", "Answers too large for a result.",
      NGX_HTTP_VIDCAST_COUNTER,
      offsetof(ngx_vidcast_desk_counters_t, too_large) },

    { "stray", "Lines that were no answer.",
      NGX_HTTP_VIDCAST_COUNTER,
      offsetof(ngx_vidcast_desk_counters_t, stray) },

    { "logged", "Lines of standard error.",
      NGX_HTTP_VIDCAST_COUNTER,
      offsetof(ngx_vidcast_desk_counters_t, logged) },

    { NULL, NULL, NGX_HTTP_VIDCAST_COUNTER, 0 }
};


static ngx_http_vidcast_metric_t  ngx_http_vidcast_publishing[] = {

    { "publishers", "Publishers now.", NGX_HTTP_VIDCAST_GAUGE,
      offsetof(ngx_http_vidcast_publishing_t, publishers) },

    { "published_by_taken", "Pictures and texts taken from publishers.",
      NGX_HTTP_VIDCAST_COUNTER,
      offsetof(ngx_http_vidcast_publishing_t, taken) },

    { "published_by_results", "Texts of publishers that became results.",
      NGX_HTTP_VIDCAST_COUNTER,
      offsetof(ngx_http_vidcast_publishing_t, results) },

    { "published_by_refused", "Publishers refused, and what they sent.",
      NGX_HTTP_VIDCAST_COUNTER,
      offsetof(ngx_http_vidcast_publishing_t, refused) },

    { "published_by_bytes", "Bytes that publishers sent.",
      NGX_HTTP_VIDCAST_COUNTER,
      offsetof(ngx_http_vidcast_publishing_t, bytes) },

    { NULL, NULL, NGX_HTTP_VIDCAST_COUNTER, 0 }
};


/* in ngx_http_vidcast_life_t */

static ngx_http_vidcast_metric_t  ngx_http_vidcast_living[] = {

    { "fps", "Frames a second, captured.",
      NGX_HTTP_VIDCAST_MILLI,
      offsetof(ngx_http_vidcast_life_t, captured_mfps) },

    { "fps_predicted", "Frames a second, predicted.",
      NGX_HTTP_VIDCAST_MILLI,
      offsetof(ngx_http_vidcast_life_t, predicted_mfps) },

    { NULL, NULL, NGX_HTTP_VIDCAST_GAUGE, 0 }
};


static ngx_http_vidcast_metric_t  ngx_http_vidcast_present[] = {

    { "fps_asked", "Frames a second, wanted of the input.",
      NGX_HTTP_VIDCAST_MILLI, offsetof(ngx_vidcast_zone_shm_t, asked_mfps) },

    { "width", "Pixels of the newest frame.",
      NGX_HTTP_VIDCAST_GAUGE, offsetof(ngx_vidcast_zone_shm_t, width) },

    { "height", "Pixels of the newest frame.",
      NGX_HTTP_VIDCAST_GAUGE, offsetof(ngx_vidcast_zone_shm_t, height) },

    { NULL, NULL, NGX_HTTP_VIDCAST_GAUGE, 0 }
};


ngx_int_t
ngx_http_vidcast_metrics_handler(ngx_http_request_t *r)
{
    u_char                        *p, *last, *alive;
    ngx_int_t                      rc;
    ngx_buf_t                     *b;
    ngx_uint_t                     i;
    ngx_vidcast_conf_t            *conf;
    ngx_vidcast_source_t         **source;
    ngx_http_vidcast_life_t       *lives;
    ngx_http_vidcast_metric_t     *m;
    ngx_http_vidcast_main_conf_t  *vmcf;

    static ngx_str_t  type = ngx_string("text/plain; version=0.0.4");

    rc = ngx_http_vidcast_status_begin(r);

    if (rc != NGX_OK) {
        return rc;
    }

    vmcf = ngx_http_get_module_main_conf(r, ngx_http_vidcast_module);
    conf = &vmcf->vidcast;

    b = ngx_create_temp_buf(r->pool, NGX_HTTP_VIDCAST_METRICS_HELP
                                     + conf->nsources
                                       * NGX_HTTP_VIDCAST_METRICS_SOURCE);
    alive = ngx_pcalloc(r->pool, NGX_VIDCAST_PROCESSES);
    lives = ngx_palloc(r->pool, conf->nsources
                                * sizeof(ngx_http_vidcast_life_t));

    if (b == NULL || alive == NULL || lives == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = b->last;
    last = b->end;

    if (vmcf->hubs) {
        (void) ngx_http_vidcast_status_list_workers(conf, alive,
                                                    r->connection->log);

        source = conf->sources.elts;

        for (i = 0; i < conf->nsources; i++) {
            ngx_http_vidcast_status_life(conf, source[i], &lives[i],
                                         r->connection->log);
        }

        p = ngx_http_vidcast_metrics_lives(p, last, conf, lives);

        for (m = ngx_http_vidcast_present; m->name; m++) {
            p = ngx_http_vidcast_metrics_of(p, last, conf, m, m->offset);
        }

        for (m = ngx_http_vidcast_captured; m->name; m++) {
            p = ngx_http_vidcast_metrics_of(p, last, conf, m, m->offset
                                 + offsetof(ngx_vidcast_zone_shm_t, counters));
        }

        p = ngx_http_vidcast_metrics_dropped(p, last, conf);
        p = ngx_http_vidcast_metrics_delivered(p, last, conf);
        p = ngx_http_vidcast_metrics_viewers(p, last, conf, alive);
        p = ngx_http_vidcast_metrics_publishers(p, last, conf, alive);
        p = ngx_http_vidcast_metrics_predictors(p, last, conf);
    }

    b->last = p;

    return ngx_http_vidcast_status_send(r, b, NGX_HTTP_OK, &type);
}


static u_char *
ngx_http_vidcast_metrics_family(u_char *p, u_char *last, const char *prefix,
    ngx_http_vidcast_metric_t *metric)
{
    const char  *type, *suffix;

    type = "gauge";
    suffix = "";

    if (metric->type == NGX_HTTP_VIDCAST_COUNTER
        || metric->type == NGX_HTTP_VIDCAST_SECONDS)
    {
        type = "counter";
        suffix = "_total";
    }

    return ngx_slprintf(p, last, "# HELP vidcast_%s%s%s %s\n"
                        "# TYPE vidcast_%s%s%s %s\n", prefix, metric->name,
                        suffix, metric->help, prefix, metric->name, suffix,
                        type);
}


static u_char *
ngx_http_vidcast_metrics_value(u_char *p, u_char *last,
    ngx_http_vidcast_metric_t *metric, void *value)
{
    uint32_t  number;
    uint64_t  count;

    switch (metric->type) {

    case NGX_HTTP_VIDCAST_COUNTER:
        return ngx_slprintf(p, last, " %uL\n", *(uint64_t *) value);

    case NGX_HTTP_VIDCAST_SECONDS:
        count = *(uint64_t *) value;

        return ngx_slprintf(p, last, " %uL.%06uL\n", count / 1000000,
                            count % 1000000);

    case NGX_HTTP_VIDCAST_GAUGE:
        return ngx_slprintf(p, last, " %uD\n", *(uint32_t *) value);

    default: /* NGX_HTTP_VIDCAST_MILLI */
        number = *(uint32_t *) value;

        return ngx_slprintf(p, last, " %uD.%03uD\n", number / 1000,
                            number % 1000);
    }
}


static u_char *
ngx_http_vidcast_metrics_of(u_char *p, u_char *last, ngx_vidcast_conf_t *conf,
    ngx_http_vidcast_metric_t *metric, size_t offset)
{
    ngx_uint_t              i;
    ngx_vidcast_source_t  **source;

    source = conf->sources.elts;

    p = ngx_http_vidcast_metrics_family(p, last, "", metric);

    for (i = 0; i < conf->nsources; i++) {
        p = ngx_slprintf(p, last, "vidcast_%s%s{source=\"%V\"}", metric->name,
                         (metric->type == NGX_HTTP_VIDCAST_COUNTER
                          || metric->type == NGX_HTTP_VIDCAST_SECONDS)
                             ? "_total" : "",
                         &source[i]->name);

        p = ngx_http_vidcast_metrics_value(p, last, metric,
                                   (u_char *) source[i]->zone->shm + offset);
    }

    return p;
}


/* one family, whose label is the reason; so it has one help for all */

static u_char *
ngx_http_vidcast_metrics_dropped(u_char *p, u_char *last,
    ngx_vidcast_conf_t *conf)
{
    ngx_uint_t                   i;
    ngx_vidcast_source_t       **source;
    ngx_http_vidcast_metric_t   *m;

    static ngx_http_vidcast_metric_t  family = {
        "dropped", "Frames dropped, by reason.", NGX_HTTP_VIDCAST_COUNTER, 0
    };

    source = conf->sources.elts;

    p = ngx_http_vidcast_metrics_family(p, last, "", &family);

    for (i = 0; i < conf->nsources; i++) {
        for (m = ngx_http_vidcast_dropped; m->name; m++) {
            p = ngx_slprintf(p, last, "vidcast_dropped_total{source=\"%V\","
                             "reason=\"%s\"}", &source[i]->name, m->name);

            p = ngx_http_vidcast_metrics_value(p, last, m,
                       (u_char *) &source[i]->zone->shm->counters + m->offset);
        }
    }

    return p;
}


static u_char *
ngx_http_vidcast_metrics_delivered(u_char *p, u_char *last,
    ngx_vidcast_conf_t *conf)
{
    uint64_t                     sum;
    ngx_uint_t                   i;
    ngx_vidcast_source_t       **source;
    ngx_http_vidcast_metric_t   *m;

    source = conf->sources.elts;

    for (m = ngx_http_vidcast_delivered; m->name; m++) {

        p = ngx_http_vidcast_metrics_family(p, last, "delivered_", m);

        for (i = 0; i < conf->nsources; i++) {
            sum = ngx_http_vidcast_status_sum(source[i]->zone->shm, m->offset);

            p = ngx_slprintf(p, last, "vidcast_delivered_%s_total"
                             "{source=\"%V\"}", m->name, &source[i]->name);

            p = ngx_http_vidcast_metrics_value(p, last, m, &sum);
        }
    }

    return p;
}


static u_char *
ngx_http_vidcast_metrics_viewers(u_char *p, u_char *last,
    ngx_vidcast_conf_t *conf, u_char *alive)
{
    ngx_uint_t              i, t;
    ngx_vidcast_source_t  **source;

    static ngx_http_vidcast_metric_t  family = {
        "viewers", "Viewers now, by transport.", NGX_HTTP_VIDCAST_GAUGE, 0
    };

    source = conf->sources.elts;

    p = ngx_http_vidcast_metrics_family(p, last, "", &family);

    for (i = 0; i < conf->nsources; i++) {
        for (t = 0; t < NGX_VIDCAST_TRANSPORTS; t++) {
            p = ngx_slprintf(p, last, "vidcast_viewers{source=\"%V\","
                             "transport=\"%s\"} %uL\n", &source[i]->name,
                             ngx_http_vidcast_transports[t],
                             ngx_http_vidcast_status_count(
                                          source[i]->zone->shm, alive, t));
        }
    }

    return p;
}


/* of sources with the input "push:"; nothing, if there is none */

static u_char *
ngx_http_vidcast_metrics_publishers(u_char *p, u_char *last,
    ngx_vidcast_conf_t *conf, u_char *alive)
{
    ngx_uint_t                      i, n;
    ngx_vidcast_source_t          **source;
    ngx_http_vidcast_metric_t      *m;
    ngx_http_vidcast_publishing_t   publishing;

    source = conf->sources.elts;
    n = 0;

    for (i = 0; i < conf->nsources; i++) {
        n += source[i]->input.push;
    }

    for (m = ngx_http_vidcast_publishing; n && m->name; m++) {

        p = ngx_http_vidcast_metrics_family(p, last, "", m);

        for (i = 0; i < conf->nsources; i++) {

            if (!source[i]->input.push) {
                continue;
            }

            ngx_http_vidcast_status_publishing(source[i]->zone->shm, alive,
                                               &publishing);

            p = ngx_slprintf(p, last, "vidcast_%s%s{source=\"%V\"}", m->name,
                             m->type == NGX_HTTP_VIDCAST_COUNTER ? "_total"
                                                                 : "",
                             &source[i]->name);

            p = ngx_http_vidcast_metrics_value(p, last, m,
                                         (u_char *) &publishing + m->offset);
        }
    }

    return p;
}


/* of sources which have predictor processes; nothing, if none has */

static u_char *
ngx_http_vidcast_metrics_predictors(u_char *p, u_char *last,
    ngx_vidcast_conf_t *conf)
{
    uint64_t                     sum;
    ngx_uint_t                   i, n;
    ngx_vidcast_source_t       **source;
    ngx_http_vidcast_metric_t   *m;

    source = conf->sources.elts;
    n = 0;

    for (i = 0; i < conf->nsources; i++) {
        n += source[i]->zone->desks.n;
    }

    if (n == 0) {
        return p;
    }

    for (m = ngx_http_vidcast_desks; m->name; m++) {

        p = ngx_http_vidcast_metrics_family(p, last, "predictor_", m);

        for (i = 0; i < conf->nsources; i++) {

            if (source[i]->zone->desks.n == 0) {
                continue;
            }

            sum = ngx_http_vidcast_status_desks(&source[i]->zone->desks,
                                                m->offset);

            p = ngx_slprintf(p, last, "vidcast_predictor_%s_total"
                             "{source=\"%V\"}", m->name, &source[i]->name);

            p = ngx_http_vidcast_metrics_value(p, last, m, &sum);
        }
    }

    return ngx_http_vidcast_metrics_processes(p, last, conf);
}


static u_char *
ngx_http_vidcast_metrics_processes(u_char *p, u_char *last,
    ngx_vidcast_conf_t *conf)
{
    ngx_uint_t              i, k, n, state;
    ngx_vidcast_desks_t    *desks;
    ngx_vidcast_source_t  **source;

    static ngx_http_vidcast_metric_t  family = {
        "processes", "Predictor processes now, by state.",
        NGX_HTTP_VIDCAST_GAUGE, 0
    };

    source = conf->sources.elts;

    p = ngx_http_vidcast_metrics_family(p, last, "predictor_", &family);

    for (i = 0; i < conf->nsources; i++) {
        desks = &source[i]->zone->desks;

        if (desks->n == 0) {
            continue;
        }

        for (state = 0; state <= NGX_VIDCAST_PREDICTOR_PAUSED; state++) {

            n = 0;

            for (k = 0; k < desks->n; k++) {
                n += (ngx_vidcast_load(&ngx_vidcast_desk(desks, k)->state)
                      == state);
            }

            p = ngx_slprintf(p, last, "vidcast_predictor_processes"
                             "{source=\"%V\",state=\"%V\"} %ui\n",
                             &source[i]->name,
                             ngx_vidcast_desk_state_name(state), n);
        }
    }

    return p;
}


static u_char *
ngx_http_vidcast_metrics_lives(u_char *p, u_char *last,
    ngx_vidcast_conf_t *conf, ngx_http_vidcast_life_t *lives)
{
    ngx_uint_t                   i;
    ngx_vidcast_source_t       **source;
    ngx_http_vidcast_metric_t   *m;

    source = conf->sources.elts;

    p = ngx_http_vidcast_metrics_states(p, last, conf, lives);

    for (m = ngx_http_vidcast_living; m->name; m++) {

        p = ngx_http_vidcast_metrics_family(p, last, "", m);

        for (i = 0; i < conf->nsources; i++) {
            p = ngx_slprintf(p, last, "vidcast_%s{source=\"%V\"}", m->name,
                             &source[i]->name);

            p = ngx_http_vidcast_metrics_value(p, last, m,
                                           (u_char *) &lives[i] + m->offset);
        }
    }

    return p;
}


/* one for the state that it is in, zero for the others */

static u_char *
ngx_http_vidcast_metrics_states(u_char *p, u_char *last,
    ngx_vidcast_conf_t *conf, ngx_http_vidcast_life_t *lives)
{
    ngx_uint_t              i, n;
    ngx_vidcast_source_t  **source;

    static ngx_http_vidcast_metric_t  family = {
        "state", "Whether a source is in this state.",
        NGX_HTTP_VIDCAST_GAUGE, 0
    };

    source = conf->sources.elts;

    p = ngx_http_vidcast_metrics_family(p, last, "", &family);

    for (i = 0; i < conf->nsources; i++) {
        for (n = 0; n <= NGX_VIDCAST_SLEEPING; n++) {
            p = ngx_slprintf(p, last, "vidcast_state{source=\"%V\","
                             "state=\"%V\"} %d\n", &source[i]->name,
                             ngx_vidcast_state_name(n), n == lives[i].state);
        }
    }

    return p;
}
