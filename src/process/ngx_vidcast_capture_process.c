
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "process/ngx_vidcast_capture_process.h"
#include "capture/ngx_vidcast_capture.h"
#include "capture/ngx_vidcast_scheduler.h"
#include "capture/output/ngx_vidcast_output_thread.h"
#include "os/ngx_vidcast_child.h"
#include "os/ngx_vidcast_sandbox.h"
#include "shm/ngx_vidcast_control.h"
#include "shm/ngx_vidcast_process_locks.h"
#include "vidcast_plugin.h"


#define NGX_VIDCAST_CAPTURE_TICK   50        /* ms */
#define NGX_VIDCAST_CAPTURE_RATES  1000000   /* us between rates */
#define NGX_VIDCAST_CAPTURE_LEAVE  600000    /* us to close what is open */
#define NGX_VIDCAST_CAPTURE_PAUSE  2         /* ms, between looks at that */

/* viewers from whose number on sendfile() pays, and below which no more */

#define NGX_VIDCAST_CAPTURE_SENDFILE      32
#define NGX_VIDCAST_CAPTURE_SENDFILE_END  24

/* two for each encoder, and what the input and the predictor hold */

#define ngx_vidcast_capture_process_nraws(encoders)  (2 * (encoders) + 3)


/* for the rates: counters as they were */

typedef struct {
    uint64_t                 time;
    uint64_t                 published;
    uint64_t                 predicted;
} ngx_vidcast_rates_t;


static ngx_int_t ngx_vidcast_capture_process_init(
    ngx_vidcast_capture_t *capture, ngx_vidcast_conf_t *conf,
    ngx_vidcast_source_t *source);
static void ngx_vidcast_capture_process_confine(
    ngx_vidcast_capture_t *capture);
static ngx_int_t ngx_vidcast_capture_process_start(
    ngx_vidcast_capture_t *capture, ngx_vidcast_outputs_t **outputs);
static ngx_uint_t ngx_vidcast_capture_process_unwanted(
    ngx_vidcast_capture_t *capture);
static void ngx_vidcast_capture_process_leave(ngx_vidcast_capture_t *capture,
    ngx_vidcast_outputs_t *outputs);
static void ngx_vidcast_capture_process_return_handoff(
    ngx_vidcast_capture_t *capture);
static void ngx_vidcast_capture_process_watch(ngx_vidcast_capture_t *capture);
static void ngx_vidcast_capture_process_rates(ngx_vidcast_capture_t *capture,
    ngx_vidcast_rates_t *rates);
static void ngx_vidcast_capture_process_sendfile(
    ngx_vidcast_capture_t *capture);


void
ngx_vidcast_capture_process(ngx_vidcast_conf_t *conf,
    ngx_vidcast_source_t *source)
{
    uint64_t                 deserted;
    ngx_uint_t               lacks;
    ngx_vidcast_rates_t      rates;
    ngx_vidcast_outputs_t   *outputs;
    ngx_vidcast_capture_t    capture;
    ngx_vidcast_zone_shm_t  *shm;

    lacks = ngx_vidcast_sandbox_enter(conf->sandbox, conf->cycle->log);

    if (ngx_vidcast_process_lock_take(conf->control->locks,
                                      NGX_VIDCAST_LOCK_CAPTURE + source->entry,
                                      conf->cycle->log)
        != NGX_OK)
    {
        return;
    }

    source->original.zone->shm->sandbox = lacks;

    if (ngx_vidcast_capture_process_init(&capture, conf, source) != NGX_OK) {
        _exit(2);
    }

    ngx_vidcast_capture_process_confine(&capture);

    if (ngx_vidcast_capture_process_start(&capture, &outputs) != NGX_OK) {
        _exit(2);
    }

    deserted = 0;
    ngx_memzero(&rates, sizeof(ngx_vidcast_rates_t));

    while (ngx_vidcast_child_wait(conf, NGX_VIDCAST_CAPTURE_TICK) == NGX_OK
           && !ngx_vidcast_capture_process_unwanted(&capture)
           && !ngx_vidcast_control_deserted(conf, &deserted,
                                            conf->cycle->log))
    {
        if (!source->input.push) {
            ngx_vidcast_capture_process_return_handoff(&capture);
        }

        ngx_vidcast_store(&capture.zone->shm->beat,
                          capture.zone->shm->beat + 1);

        ngx_vidcast_capture_on_tick(&capture);
        ngx_vidcast_capture_process_watch(&capture);
        ngx_vidcast_capture_log_more(&capture);
        ngx_vidcast_capture_process_rates(&capture, &rates);
    }

    ngx_log_error(NGX_LOG_NOTICE, capture.log, 0,
                  "vidcast capture process of \"%V\" exiting", &source->name);

    ngx_vidcast_capture_process_leave(&capture, outputs);

    /* no other thread of ours may say that it is live again */

    (void) pthread_mutex_lock(&capture.state_mutex);

    /* the kernel takes the device and the slots' claims are taken back */

    shm = capture.zone->shm;
    shm->error[0] = '\0';
    shm->epoch = ngx_vidcast_load(&capture.epoch);

    ngx_vidcast_outputs_end(shm);

    ngx_vidcast_store(&shm->pid, 0);
    ngx_vidcast_store(&shm->changed, ngx_vidcast_clock());
    ngx_vidcast_store(&shm->state, NGX_VIDCAST_OFF);
    ngx_vidcast_zone_wake_workers(capture.zone);

    _exit(0);
}


static ngx_int_t
ngx_vidcast_capture_process_init(ngx_vidcast_capture_t *capture,
    ngx_vidcast_conf_t *conf, ngx_vidcast_source_t *source)
{
    uint32_t                 lent, state;
    ngx_vidcast_zone_shm_t  *shm;

    ngx_memzero(capture, sizeof(ngx_vidcast_capture_t));

    capture->conf = conf;
    capture->source = source;
    capture->zone = source->original.zone;
    capture->log = conf->cycle->log;

    shm = source->original.zone->shm;
    capture->counters = &shm->counters;

    if (ngx_vidcast_frame_writer_init(&capture->writer, capture,
                                      source->original.zone,
                                      ngx_vidcast_capture_on_frame)
           != NGX_OK
        || pthread_mutex_init(&capture->results_mutex, NULL) != 0
        || pthread_mutex_init(&capture->state_mutex, NULL) != 0)
    {
        return NGX_ERROR;
    }

    capture->writer.lossless = source->input.lossless;

    lent = ngx_vidcast_handoff_recover(&shm->handoff);

    ngx_vidcast_ring_recover(&source->original.zone->ring);

    if (lent != NGX_VIDCAST_HANDOFF_NO_SLOT) {

        /* a worker may be writing to it just now, whatever our input is */

        ngx_vidcast_ring_reclaim(&source->original.zone->ring, lent);
    }

    ngx_vidcast_zone_balance(source->original.zone);

    if (shm->epoch) {
        ngx_vidcast_ring_begin(&source->original.zone->ring, shm->epoch);
        shm->epoch = 0;
    }

    ngx_vidcast_outputs_begin(source, shm,
                              shm->fingerprint != source->fingerprint);

    if (shm->fingerprint != source->fingerprint) {

        /* the pictures of another camera, in the ring of the same name */

        ngx_vidcast_ring_invalidate_all(&source->original.zone->ring);
        shm->fingerprint = source->fingerprint;
    }

    source->original.zone->ring.bit = (uint64_t) 1 << NGX_VIDCAST_RING_OWN;

    /* why the one before us was killed holds till there is a picture */

    state = NGX_VIDCAST_RECONNECTING;

    if (ngx_vidcast_load(&shm->state) != state || ngx_vidcast_load(&shm->pid)) {
        state = NGX_VIDCAST_STARTING;
        shm->error[0] = '\0';
        ngx_vidcast_store(&shm->changed, ngx_vidcast_clock());
    }

    ngx_vidcast_store(&shm->input_turn, 0);
    ngx_vidcast_store(&shm->predict_turn, 0);

    shm->width = 0;
    shm->height = 0;
    shm->refused[0] = '\0';
    shm->asked_mfps = (uint32_t) (source->input.fps * 1000);
    shm->published_mfps = 0;
    shm->predicted_mfps = 0;

    ngx_vidcast_store(&shm->pid, (int64_t) ngx_pid);
    ngx_vidcast_store(&shm->state, state);

    return NGX_OK;
}


/* our own code, which predictors in this process are as well, computes */

static void
ngx_vidcast_capture_process_confine(ngx_vidcast_capture_t *capture)
{
    ngx_uint_t                 needs;
    ngx_vidcast_zone_shm_t    *shm;
    ngx_vidcast_input_conf_t  *input;

    shm = capture->zone->shm;
    input = &capture->source->input;

    needs = input->module->needs ? input->module->needs(input)
                                 : VIDCAST_NEEDS_COMPUTING;

    needs = ngx_vidcast_outputs_needs(capture->source, needs);

    shm->sandbox = ngx_vidcast_sandbox_confine(needs, shm->sandbox,
                                               capture->log);
}


static ngx_int_t
ngx_vidcast_capture_process_start(ngx_vidcast_capture_t *capture,
    ngx_vidcast_outputs_t **outputs)
{
    ngx_uint_t             nraws;
    ngx_vidcast_source_t  *source;

    source = capture->source;

    nraws = ngx_vidcast_capture_process_nraws(source->original.encoders);

    capture->raws = ngx_vidcast_raw_pool_create(nraws, capture->log);
    if (capture->raws == NULL) {
        return NGX_ERROR;
    }

    capture->encoders = ngx_vidcast_encoder_pool_create(capture);
    if (capture->encoders == NULL) {
        return NGX_ERROR;
    }

    if (source->predict.module) {
        capture->scheduler = ngx_vidcast_scheduler_create(capture,
                                            source->predict.workers
                                                ? &ngx_vidcast_backend_process
                                                : &ngx_vidcast_backend_thread);
        if (capture->scheduler == NULL) {
            return NGX_ERROR;
        }
    }

    if (source->overlay && ngx_vidcast_overlay_create(capture) != NGX_OK) {
        return NGX_ERROR;
    }

    *outputs = ngx_vidcast_outputs_create(capture);
    if (*outputs == NULL) {
        return NGX_ERROR;
    }

    return ngx_vidcast_capture_thread(capture, ngx_vidcast_input_thread,
                                      capture, "vidcast input");
}


/*
 * A capture whose source goes on unchanged lives through a reload; one that
 * fails makes room for a new one, so that a reload is worth a try.
 */

static ngx_uint_t
ngx_vidcast_capture_process_unwanted(ngx_vidcast_capture_t *capture)
{
    uint32_t             state;
    ngx_vidcast_conf_t  *conf;

    conf = capture->conf;

    if (!ngx_vidcast_zone_wanted(conf->control, capture->source)) {
        return 1;
    }

    if (ngx_vidcast_load(&capture->epoch)) {
        return 1;
    }

    if (ngx_vidcast_load(&conf->control->shm->generation) == conf->generation) {
        return 0;
    }

    state = ngx_vidcast_load(&capture->zone->shm->state);

    if (state == NGX_VIDCAST_RECONNECTING || state == NGX_VIDCAST_FAILED) {
        return 1;
    }

    conf->generation = ngx_vidcast_load(&conf->control->shm->generation);

    return 0;
}


/*
 * A server that is not told would go on sending till it finds out; and outputs
 * give on what is there.
 */

static void
ngx_vidcast_capture_process_leave(ngx_vidcast_capture_t *capture,
    ngx_vidcast_outputs_t *outputs)
{
    uint64_t    due;
    ngx_uint_t  session;

    ngx_vidcast_store(&capture->leaving, 1);
    ngx_vidcast_outputs_leave(outputs);

    session = capture->source->input.module->flags & NGX_VIDCAST_INPUT_SESSION;
    due = ngx_vidcast_clock() + NGX_VIDCAST_CAPTURE_LEAVE;

    while (((session && ngx_vidcast_load(&capture->open))
            || !ngx_vidcast_outputs_left(outputs))
           && ngx_vidcast_clock() < due)
    {
        ngx_msleep(NGX_VIDCAST_CAPTURE_PAUSE);
    }
}


/* workers of an older configuration may still publish, to another input */

static void
ngx_vidcast_capture_process_return_handoff(ngx_vidcast_capture_t *capture)
{
    size_t                  size;
    uint32_t                slot;
    ngx_uint_t              kind;
    ngx_vidcast_handoff_t  *handoff;

    handoff = &capture->zone->shm->handoff;

    if (ngx_vidcast_handoff_take(handoff, &slot, &kind, &size) == NGX_OK) {
        ngx_vidcast_frame_abandon(&capture->writer, slot);

        (void) ngx_vidcast_handoff_reply(handoff, NGX_VIDCAST_HANDOFF_LOST, 0,
                                         NGX_VIDCAST_HANDOFF_NO_SLOT);
        ngx_vidcast_zone_wake_workers(capture->zone);
    }

    ngx_vidcast_zone_take_back(capture->conf->control, capture->zone,
                               capture->log);
}


static void
ngx_vidcast_capture_process_watch(ngx_vidcast_capture_t *capture)
{
    u_char  reason[NGX_VIDCAST_ERROR_LEN];

    if (ngx_vidcast_capture_silent(capture)) {
        ngx_vidcast_zone_silence(capture->source, reason);
        ngx_vidcast_capture_state(capture, NGX_VIDCAST_STALE, reason);
    }
}


static void
ngx_vidcast_capture_process_rates(ngx_vidcast_capture_t *capture,
    ngx_vidcast_rates_t *rates)
{
    uint64_t                 now, passed, published, predicted;
    ngx_vidcast_zone_shm_t  *shm;

    now = ngx_vidcast_clock();
    passed = now - rates->time;

    if (passed < NGX_VIDCAST_CAPTURE_RATES) {
        return;
    }

    shm = capture->zone->shm;

    published = ngx_vidcast_load(&capture->counters->published);
    predicted = ngx_vidcast_load(&capture->counters->predicted);

    if (rates->time) {
        ngx_vidcast_store(&shm->published_mfps,
                          (uint32_t) ((published - rates->published)
                                      * 1000000000 / passed));
        ngx_vidcast_store(&shm->predicted_mfps,
                          (uint32_t) ((predicted - rates->predicted)
                                      * 1000000000 / passed));
    }

    rates->time = now;
    rates->published = published;
    rates->predicted = predicted;

    ngx_vidcast_capture_process_sendfile(capture);
    ngx_vidcast_source_unpin_dead(capture->conf->control, capture->source,
                                  capture->log);
}


/* the pictures of an overlay stay as they are: few watch them directly */

static void
ngx_vidcast_capture_process_sendfile(ngx_vidcast_capture_t *capture)
{
    ngx_uint_t  n, least;

    n = ngx_vidcast_zone_sendfile(capture->conf->control, capture->zone,
                                  capture->log);

    least = ngx_vidcast_load(&capture->writer.sendfile)
                ? NGX_VIDCAST_CAPTURE_SENDFILE_END
                : NGX_VIDCAST_CAPTURE_SENDFILE;

    ngx_vidcast_store(&capture->writer.sendfile, n >= least);
}
