
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <sys/mman.h>

#include "capture/ngx_vidcast_capture.h"
#include "os/ngx_vidcast_child.h"
#include "shm/ngx_vidcast_control.h"
#include "capture/ngx_vidcast_overlay.h"
#include "shm/ngx_vidcast_process_locks.h"
#include "wire/ngx_vidcast_ws.h"


#define NGX_VIDCAST_CAPTURE_TICK     50          /* ms */
#define NGX_VIDCAST_CAPTURE_RATE     1000000     /* us between rates */
#define NGX_VIDCAST_CAPTURE_UNPIN    100000      /* us between looks */
#define NGX_VIDCAST_CAPTURE_PAUSE    2           /* ms, of a batch run */
#define NGX_VIDCAST_CAPTURE_LEAVE    600000      /* us to close the input */
#define NGX_VIDCAST_CAPTURE_STACK    (1024 * 1024)

/*
 * Where sendfile() pays: fresh pages cost 45 us for 50 kB, and each viewer
 * saves 2 us at least.  Below 16 kB, and above 256 kB, a copy is as cheap.
 */

#define NGX_VIDCAST_CAPTURE_SENDFILE      32      /* viewers */
#define NGX_VIDCAST_CAPTURE_SENDFILE_END  24
#define NGX_VIDCAST_CAPTURE_SENDFILE_MIN  16384   /* bytes */
#define NGX_VIDCAST_CAPTURE_SENDFILE_MAX  262144

#define NGX_VIDCAST_V1_PREFIX        12
#define NGX_VIDCAST_V1_JSON          (NGX_VIDCAST_MAX_NAME + 256)


/* for the rates: counters as they were */

typedef struct {
    uint64_t                 time;
    uint64_t                 captured;
    uint64_t                 predicted;
} ngx_vidcast_rates_t;


static void ngx_vidcast_capture_forget(ngx_vidcast_conf_t *conf,
    ngx_vidcast_source_t *source);
static ngx_int_t ngx_vidcast_capture_init(ngx_vidcast_capture_t *capture,
    ngx_vidcast_conf_t *conf, ngx_vidcast_source_t *source);
static ngx_int_t ngx_vidcast_capture_start(ngx_vidcast_capture_t *capture);
static ngx_uint_t ngx_vidcast_capture_unwanted(ngx_vidcast_capture_t *capture);
static void ngx_vidcast_capture_leave(ngx_vidcast_capture_t *capture);
static void ngx_vidcast_capture_return_handoff(ngx_vidcast_capture_t *capture);
static void ngx_vidcast_capture_watch(ngx_vidcast_capture_t *capture);
static void ngx_vidcast_capture_rates(ngx_vidcast_capture_t *capture,
    ngx_vidcast_rates_t *rates);
static void ngx_vidcast_capture_count(ngx_vidcast_capture_t *capture);
static void ngx_vidcast_capture_headers(ngx_vidcast_capture_t *capture,
    ngx_vidcast_ring_slot_t *slot, u_char *data, uint64_t number);


void
ngx_vidcast_capture_process(ngx_vidcast_conf_t *conf, void *data)
{
    ngx_vidcast_source_t  *source = data;

    uint64_t                deserted;
    ngx_vidcast_rates_t     rates;
    ngx_vidcast_capture_t   capture;

    if (ngx_vidcast_process_lock_take(conf->control->locks,
                                      NGX_VIDCAST_LOCK_CAPTURE + source->entry,
                                      conf->cycle->log)
        != NGX_OK)
    {
        return;
    }

    ngx_vidcast_capture_forget(conf, source);

    if (ngx_vidcast_capture_init(&capture, conf, source) != NGX_OK
        || ngx_vidcast_capture_start(&capture) != NGX_OK)
    {
        _exit(2);
    }

    deserted = 0;
    ngx_memzero(&rates, sizeof(ngx_vidcast_rates_t));

    while (ngx_vidcast_child_wait(conf, NGX_VIDCAST_CAPTURE_TICK) == NGX_OK
           && !ngx_vidcast_capture_unwanted(&capture)
           && !ngx_vidcast_control_deserted(conf, &deserted,
                                            conf->cycle->log))
    {
        if (!source->input.push) {
            ngx_vidcast_capture_return_handoff(&capture);
        }

        if (capture.overlay) {
            ngx_vidcast_overlay_look(capture.overlay);
        }

        ngx_vidcast_capture_watch(&capture);
        ngx_vidcast_capture_log_more(&capture);
        ngx_vidcast_capture_rates(&capture, &rates);
    }

    ngx_log_error(NGX_LOG_NOTICE, capture.log, 0,
                  "vidcast capture process of \"%V\" exiting", &source->name);

    ngx_vidcast_capture_leave(&capture);

    /* no other thread of ours may say that it is live again */

    (void) pthread_mutex_lock(&capture.state_mutex);

    /* the kernel takes the device and the slots' claims are taken back */

    ngx_vidcast_store(&capture.zone->shm->pid, 0);
    ngx_vidcast_store(&capture.zone->shm->state, NGX_VIDCAST_OFF);
    ngx_vidcast_zone_wake_workers(capture.zone);

    _exit(0);
}


/*
 * A capture may outlive many configurations: the memory of other sources must
 * not live as long.
 */

static void
ngx_vidcast_capture_forget(ngx_vidcast_conf_t *conf,
    ngx_vidcast_source_t *source)
{
    ngx_uint_t              i;
    ngx_vidcast_zone_t     *zone;
    ngx_vidcast_source_t  **other;

    other = conf->sources.elts;

    for (i = 0; i < conf->sources.nelts; i++) {

        if (other[i] == source || other[i]->of == source) {
            continue;
        }

        zone = other[i]->zone;

        (void) munmap(zone->ring.frames, zone->frames_size);
        ngx_vidcast_mailboxes_free(&zone->mailboxes);
        (void) ngx_close_file(zone->frames_fd);
        (void) ngx_close_file(zone->wake_workers);
        (void) ngx_close_file(zone->wake_capture);

        ngx_shm_free(&other[i]->shm_zone->shm);
    }
}


static ngx_int_t
ngx_vidcast_capture_init(ngx_vidcast_capture_t *capture,
    ngx_vidcast_conf_t *conf, ngx_vidcast_source_t *source)
{
    uint32_t                 lent;
    ngx_vidcast_zone_shm_t  *shm;

    ngx_memzero(capture, sizeof(ngx_vidcast_capture_t));

    capture->conf = conf;
    capture->source = source;
    capture->zone = source->zone;
    capture->log = conf->cycle->log;

    shm = source->zone->shm;
    capture->counters = &shm->counters;

    if (pthread_mutex_init(&capture->ring_mutex, NULL) != 0
        || pthread_mutex_init(&capture->results_mutex, NULL) != 0
        || pthread_mutex_init(&capture->state_mutex, NULL) != 0)
    {
        return NGX_ERROR;
    }

    lent = ngx_vidcast_handoff_recover(&shm->handoff);

    ngx_vidcast_ring_recover(&source->zone->ring);

    if (lent != NGX_VIDCAST_HANDOFF_NO_SLOT) {

        /* a worker may be writing to it just now, whatever our input is */

        ngx_vidcast_ring_reclaim(&source->zone->ring, lent);
    }

    if (shm->fingerprint != source->fingerprint) {

        /* the pictures of another camera, in the ring of the same name */

        ngx_vidcast_ring_invalidate_all(&source->zone->ring);
        shm->fingerprint = source->fingerprint;
    }

    source->zone->ring.bit = (uint64_t) 1 << NGX_VIDCAST_RING_OWN;

    shm->width = 0;
    shm->height = 0;
    shm->error[0] = '\0';
    shm->asked_mfps = (uint32_t) (source->input.fps * 1000);
    shm->captured_mfps = 0;
    shm->predicted_mfps = 0;

    ngx_vidcast_store(&shm->pid, (int64_t) ngx_pid);
    ngx_vidcast_store(&shm->changed, ngx_vidcast_clock());
    ngx_vidcast_store(&shm->state, NGX_VIDCAST_STARTING);

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_capture_start(ngx_vidcast_capture_t *capture)
{
    capture->encoders = ngx_vidcast_encoder_pool_create(capture);
    if (capture->encoders == NULL) {
        return NGX_ERROR;
    }

    if (capture->source->predict.workers) {
        capture->dispatch = ngx_vidcast_dispatch_create(capture);
        if (capture->dispatch == NULL) {
            return NGX_ERROR;
        }

    } else if (capture->source->predict.module) {
        capture->analysis = ngx_vidcast_analysis_create(capture);
        if (capture->analysis == NULL) {
            return NGX_ERROR;
        }
    }

    if (capture->source->overlay) {
        capture->overlay = ngx_vidcast_overlay_create(capture,
                                                     capture->source->overlay);
        if (capture->overlay == NULL) {
            return NGX_ERROR;
        }
    }

    return ngx_vidcast_capture_thread(capture, ngx_vidcast_input_thread,
                                      capture, "vidcast input");
}


ngx_int_t
ngx_vidcast_capture_thread(ngx_vidcast_capture_t *capture,
    void *(*proc)(void *data), void *data, const char *name)
{
    int             err;
    sigset_t        all, before;
    pthread_t       tid;
    pthread_attr_t  attr;

    err = pthread_attr_init(&attr);

    if (err) {
        ngx_log_error(NGX_LOG_ALERT, capture->log, err,
                      "pthread_attr_init() failed");
        return NGX_ERROR;
    }

    (void) pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    (void) pthread_attr_setstacksize(&attr, NGX_VIDCAST_CAPTURE_STACK);

    /* signals are for the main thread, which sleeps in poll() */

    sigfillset(&all);
    (void) pthread_sigmask(SIG_BLOCK, &all, &before);

    err = pthread_create(&tid, &attr, proc, data);

    (void) pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void) pthread_attr_destroy(&attr);

    if (err) {
        ngx_log_error(NGX_LOG_ALERT, capture->log, err,
                      "pthread_create() failed");
        return NGX_ERROR;
    }

    (void) pthread_setname_np(tid, name);

    return NGX_OK;
}


/*
 * A capture whose source goes on unchanged lives through a reload; one that
 * fails makes room for a new one, so that a reload is worth a try.
 */

static ngx_uint_t
ngx_vidcast_capture_unwanted(ngx_vidcast_capture_t *capture)
{
    uint32_t             state;
    ngx_vidcast_conf_t  *conf;

    conf = capture->conf;

    if (!ngx_vidcast_zone_wanted(conf->control, capture->source)) {
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


/* a server that is not told would send to nobody, till it finds out */

static void
ngx_vidcast_capture_leave(ngx_vidcast_capture_t *capture)
{
    uint64_t  due;

    ngx_vidcast_store(&capture->leaving, 1);

    if (!(capture->source->input.module->flags & NGX_VIDCAST_INPUT_SESSION)) {
        return;
    }

    due = ngx_vidcast_clock() + NGX_VIDCAST_CAPTURE_LEAVE;

    while (ngx_vidcast_load(&capture->open) && ngx_vidcast_clock() < due) {
        ngx_msleep(NGX_VIDCAST_CAPTURE_PAUSE);
    }
}


/* workers of an older configuration may still publish, to another input */

static void
ngx_vidcast_capture_return_handoff(ngx_vidcast_capture_t *capture)
{
    size_t                  size;
    uint32_t                slot;
    ngx_uint_t              kind;
    ngx_vidcast_handoff_t  *handoff;

    handoff = &capture->zone->shm->handoff;

    if (ngx_vidcast_handoff_take(handoff, &slot, &kind, &size) == NGX_OK) {
        ngx_vidcast_capture_abandon(capture, slot);

        (void) ngx_vidcast_handoff_reply(handoff, NGX_VIDCAST_HANDOFF_LOST, 0,
                                         NGX_VIDCAST_HANDOFF_NO_SLOT);
        ngx_vidcast_zone_wake_workers(capture->zone);
    }

    ngx_vidcast_zone_take_back(capture->conf->control, capture->zone,
                               capture->log);
}


static void
ngx_vidcast_capture_watch(ngx_vidcast_capture_t *capture)
{
    u_char    *p, reason[64];
    uint64_t   last;

    if (ngx_vidcast_load(&capture->zone->shm->state) != NGX_VIDCAST_LIVE) {
        return;
    }

    /* read after the state: the frame which made it live is older than that */

    last = ngx_vidcast_load(&capture->zone->shm->last);

    if (!ngx_vidcast_zone_silent(capture->source, last)) {
        return;
    }

    p = ngx_snprintf(reason, sizeof(reason) - 1, "no frame for %M ms",
                     capture->source->stale);
    *p = '\0';

    ngx_vidcast_capture_state(capture, NGX_VIDCAST_STALE, reason);
}


static void
ngx_vidcast_capture_rates(ngx_vidcast_capture_t *capture,
    ngx_vidcast_rates_t *rates)
{
    uint64_t                 now, passed, captured, predicted;
    ngx_vidcast_zone_shm_t  *shm;

    now = ngx_vidcast_clock();
    passed = now - rates->time;

    if (passed < NGX_VIDCAST_CAPTURE_RATE) {
        return;
    }

    shm = capture->zone->shm;

    captured = ngx_vidcast_load(&capture->counters->captured);
    predicted = ngx_vidcast_load(&capture->counters->predicted);

    if (rates->time) {
        shm->captured_mfps = (uint32_t) ((captured - rates->captured)
                                         * 1000000000 / passed);
        shm->predicted_mfps = (uint32_t) ((predicted - rates->predicted)
                                          * 1000000000 / passed);
    }

    rates->time = now;
    rates->captured = captured;
    rates->predicted = predicted;

    ngx_vidcast_capture_count(capture);
    ngx_vidcast_source_unpin_dead(capture->conf->control, capture->source,
                                  capture->log);
}


/* the pictures of an overlay stay as they are: few watch them directly */

static void
ngx_vidcast_capture_count(ngx_vidcast_capture_t *capture)
{
    ngx_uint_t  n, least;

    n = ngx_vidcast_zone_sendfile(capture->conf->control, capture->zone,
                                  capture->log);

    least = ngx_vidcast_load(&capture->sendfile)
                ? NGX_VIDCAST_CAPTURE_SENDFILE_END
                : NGX_VIDCAST_CAPTURE_SENDFILE;

    ngx_vidcast_store(&capture->sendfile, n >= least);
}


void
ngx_vidcast_capture_state(ngx_vidcast_capture_t *capture, ngx_uint_t state,
    const u_char *reason)
{
    ngx_vidcast_zone_shm_t  *shm;

    shm = capture->zone->shm;

    if (reason == NULL) {
        reason = (u_char *) "";
    }

    (void) pthread_mutex_lock(&capture->state_mutex);

    if ((shm->state == state
         && ngx_strncmp(shm->error, reason, NGX_VIDCAST_ERROR_LEN - 1) == 0)
        || (state == NGX_VIDCAST_STALE && shm->state != NGX_VIDCAST_LIVE))
    {
        /* nothing new; or the input was closed while we looked */

        (void) pthread_mutex_unlock(&capture->state_mutex);
        return;
    }

    (void) ngx_cpystrn(shm->error, (u_char *) reason, NGX_VIDCAST_ERROR_LEN);

    ngx_vidcast_store(&shm->changed, ngx_vidcast_clock());
    ngx_vidcast_store(&shm->state, state);

    ngx_vidcast_capture_log_state(capture, state, reason);

    (void) pthread_mutex_unlock(&capture->state_mutex);
}


uint32_t
ngx_vidcast_capture_claim(ngx_vidcast_capture_t *capture)
{
    uint32_t  slot;

    for ( ;; ) {
        slot = ngx_vidcast_capture_try_claim(capture);

        if (slot != NGX_VIDCAST_RING_NONE || !capture->source->input.lossless) {
            break;
        }

        ngx_msleep(NGX_VIDCAST_CAPTURE_PAUSE);
    }

    if (slot == NGX_VIDCAST_RING_NONE) {
        ngx_vidcast_count(&capture->counters->ring_full, 1);
    }

    return slot;
}


uint32_t
ngx_vidcast_capture_try_claim(ngx_vidcast_capture_t *capture)
{
    uint32_t  slot;
    uint64_t  now;

    (void) pthread_mutex_lock(&capture->ring_mutex);

    slot = ngx_vidcast_ring_claim(&capture->zone->ring);

    if (slot == NGX_VIDCAST_RING_NONE) {
        now = ngx_vidcast_clock();

        if (now - capture->unpinned > NGX_VIDCAST_CAPTURE_UNPIN) {
            capture->unpinned = now;
            ngx_vidcast_zone_unpin_dead(capture->conf->control, capture->zone,
                                        capture->log);
            slot = ngx_vidcast_ring_claim(&capture->zone->ring);
        }
    }

    (void) pthread_mutex_unlock(&capture->ring_mutex);

    return slot;
}


void
ngx_vidcast_capture_publish(ngx_vidcast_capture_t *capture, uint32_t slot,
    uint64_t number, uint64_t captured, size_t size, uint32_t width,
    uint32_t height)
{
    u_char                   *data;
    uint64_t                  now;
    struct timespec           ts;
    ngx_vidcast_ring_t       *ring;
    ngx_vidcast_ring_slot_t  *s;

    ring = &capture->zone->ring;
    s = ngx_vidcast_ring_slot(ring, slot);

    if (capture->dispatch) {
        ngx_vidcast_dispatch_room(capture->dispatch);
    }

    (void) clock_gettime(CLOCK_REALTIME, &ts);
    now = ngx_vidcast_clock();

    s->time = (uint64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000
              - (now - captured);
    s->captured = captured;
    s->ready = now;
    s->size = (uint32_t) size;
    s->width = width;
    s->height = height;
    s->sendfile = ngx_vidcast_load(&capture->sendfile)
                && ring->file != NGX_INVALID_FILE
                && size >= NGX_VIDCAST_CAPTURE_SENDFILE_MIN
                && size <= NGX_VIDCAST_CAPTURE_SENDFILE_MAX;

    data = ngx_vidcast_ring_data(ring, slot);

    ngx_vidcast_capture_headers(capture, s, data, number);
    ngx_memcpy(data + size, NGX_VIDCAST_RING_TAIL, NGX_VIDCAST_RING_TAIL_LEN);

    (void) pthread_mutex_lock(&capture->ring_mutex);

    ngx_vidcast_ring_publish(ring, slot, number);
    ngx_vidcast_count(&capture->counters->published, 1);
    ngx_vidcast_count(&capture->counters->direct, s->sendfile);

    if (capture->dispatch) {
        ngx_vidcast_dispatch_offer(capture->dispatch, slot, number);
    }

    (void) pthread_mutex_unlock(&capture->ring_mutex);

    if (capture->overlay) {
        ngx_vidcast_overlay_notify(capture->overlay);
    }

    ngx_vidcast_store(&capture->zone->shm->width, width);
    ngx_vidcast_store(&capture->zone->shm->height, height);
}


void
ngx_vidcast_capture_abandon(ngx_vidcast_capture_t *capture, uint32_t slot)
{
    (void) pthread_mutex_lock(&capture->ring_mutex);

    ngx_vidcast_ring_abandon(&capture->zone->ring, slot);

    (void) pthread_mutex_unlock(&capture->ring_mutex);
}


/*
 * A message of "vidcast.v1" begins with "vidc", a version, flags, the offset
 * of the picture, the length of the JSON text which follows.  What is between
 * that text and the picture means nothing, and holds the plain header.
 */

static void
ngx_vidcast_capture_headers(ngx_vidcast_capture_t *capture,
    ngx_vidcast_ring_slot_t *slot, u_char *data, uint64_t number)
{
    u_char  *p, *last, json[NGX_VIDCAST_V1_JSON];
    size_t   len, offset;

    last = ngx_slprintf(json, json + NGX_VIDCAST_V1_JSON,
                        "{\"v\":1,\"source\":\"%V\",\"epoch\":\"%016xL\","
                        "\"frame\":%uL,\"ts\":%uL.%06uL,"
                        "\"width\":%uD,\"height\":%uD}",
                        &capture->source->name,
                        capture->zone->ring.shm->epoch, number,
                        slot->time / 1000000, slot->time % 1000000,
                        slot->width, slot->height);
    len = last - json;

    slot->plain = ngx_vidcast_ws_header_len(slot->size);
    offset = ngx_align(NGX_VIDCAST_V1_PREFIX + len + slot->plain, 8);
    slot->v1 = offset + ngx_vidcast_ws_header_len(offset + slot->size);

    (void) ngx_vidcast_ws_header(data - slot->plain, NGX_VIDCAST_WS_BINARY,
                                 slot->size);

    p = ngx_vidcast_ws_header(data - slot->v1, NGX_VIDCAST_WS_BINARY,
                              offset + slot->size);

    p = ngx_cpymem(p, "vidc\x01\x00", 6);
    *p++ = (u_char) (offset >> 8);
    *p++ = (u_char) offset;
    *p++ = (u_char) (len >> 8);
    *p++ = (u_char) len;
    *p++ = 0;
    *p++ = 0;

    p = ngx_cpymem(p, json, len);

    ngx_memzero(p, data - slot->plain - p);
}
