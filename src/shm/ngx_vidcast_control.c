
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <pthread.h>

#include "shm/ngx_vidcast_control.h"
#include "shm/ngx_vidcast_process_locks.h"


static uint64_t ngx_vidcast_control_memory(ngx_vidcast_source_t *source);
static ngx_uint_t ngx_vidcast_control_known(ngx_vidcast_control_t *control,
    ngx_vidcast_source_t *source);
static ngx_uint_t ngx_vidcast_control_free(ngx_vidcast_control_t *control,
    u_char *taken, ngx_log_t *log);
static ngx_uint_t ngx_vidcast_control_served(ngx_vidcast_control_t *control,
    ngx_log_t *log);
static void ngx_vidcast_process_settle(ngx_vidcast_conf_t *conf,
    ngx_uint_t process);
static uint64_t ngx_vidcast_process_bit(ngx_uint_t process);
static ngx_uint_t ngx_vidcast_zone_count(ngx_vidcast_control_t *control,
    ngx_vidcast_zone_t *zone, ngx_uint_t first, ngx_uint_t end,
    ngx_log_t *log);


/* for a worker that found no entry: counted, but not told */

static ngx_vidcast_worker_stats_t  ngx_vidcast_control_nowhere;


/*
 * A lock byte is held by the process: the thread that drops it drops it for
 * another one, too, which is still clearing up after a dead process.
 */

static pthread_mutex_t  ngx_vidcast_control_mutex = PTHREAD_MUTEX_INITIALIZER;


void
ngx_vidcast_zone_publish(ngx_vidcast_conf_t *conf, ngx_vidcast_conf_t *old)
{
    ngx_uint_t                  i, n;
    ngx_vidcast_entry_t        *entry;
    ngx_vidcast_owner_t        *owner;
    ngx_vidcast_source_t      **source;
    ngx_vidcast_control_shm_t  *shm;

    if (old && old->control && (conf == NULL || conf->control != old->control))
    {
        ngx_vidcast_store(&old->control->shm->retired, 1);
    }

    if (conf == NULL || conf->control == NULL) {
        return;
    }

    shm = conf->control->shm;
    source = conf->sources.elts;

    for (i = 0; i < conf->sources.nelts; i++) {
        source[i]->memory = ngx_vidcast_control_memory(source[i]);
        entry = &shm->sources[source[i]->entry];

        ngx_vidcast_store(&entry->fingerprint, source[i]->fingerprint);
        ngx_vidcast_store(&entry->memory, source[i]->memory);

        ngx_vidcast_store(&entry->wanted, 1);

        owner = &conf->control->owners[source[i]->entry];

        (void) ngx_cpystrn(owner->name, source[i]->name.data,
                           source[i]->name.len + 1);
        owner->wanted = 1;
    }

    for (n = 0; n < NGX_VIDCAST_ENTRIES; n++) {

        for (i = 0; i < conf->sources.nelts; i++) {
            if (source[i]->entry == n) {
                break;
            }
        }

        if (i == conf->sources.nelts) {
            ngx_vidcast_store(&shm->sources[n].wanted, 0);
            conf->control->owners[n].wanted = 0;
        }
    }

    conf->generation = ++conf->control->generation;

    ngx_vidcast_store(&shm->generation, conf->generation);
}


/*
 * The memory of a source and of its overlay is replaced together or alone, and
 * the process that writes to the one must leave with the other.
 */

static uint64_t
ngx_vidcast_control_memory(ngx_vidcast_source_t *source)
{
    return source->original.zone->epoch
           + (source->overlay ? source->overlay->zone->epoch : 0);
}


/*
 * A source keeps its entry, and with it the lock byte of its capture, as long
 * as its name is known: a new capture then waits until the old one has left
 * the device.  There are twice as many entries as a configuration may have
 * sources; the other half is for captures which are leaving, and one that
 * hangs may take long to leave.
 */

ngx_int_t
ngx_vidcast_control_assign(ngx_vidcast_conf_t *conf, ngx_log_t *log)
{
    u_char                  taken[NGX_VIDCAST_ENTRIES];
    ngx_uint_t              i, n;
    ngx_vidcast_source_t  **source;

    ngx_memzero(taken, sizeof(taken));

    source = conf->sources.elts;

    for (i = 0; i < conf->sources.nelts; i++) {
        n = ngx_vidcast_control_known(conf->control, source[i]);

        source[i]->entry = n;

        if (n < NGX_VIDCAST_ENTRIES) {
            taken[n] = 1;
        }
    }

    for (i = 0; i < conf->sources.nelts; i++) {

        if (source[i]->entry < NGX_VIDCAST_ENTRIES) {
            continue;
        }

        n = ngx_vidcast_control_free(conf->control, taken, log);

        if (n == NGX_VIDCAST_ENTRIES) {
            ngx_log_error(NGX_LOG_EMERG, log, 0,
                          "no entry is free for vidcast_source \"%V\": too "
                          "many captures of older configurations have not "
                          "left yet", &source[i]->name);
            return NGX_ERROR;
        }

        source[i]->entry = n;
        taken[n] = 1;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_vidcast_control_known(ngx_vidcast_control_t *control,
    ngx_vidcast_source_t *source)
{
    ngx_uint_t            i;
    ngx_vidcast_owner_t  *owner;

    for (i = 0; i < NGX_VIDCAST_ENTRIES; i++) {
        owner = &control->owners[i];

        if (ngx_strncmp(owner->name, source->name.data, source->name.len) == 0
            && owner->name[source->name.len] == '\0')
        {
            return i;
        }
    }

    return NGX_VIDCAST_ENTRIES;
}


static ngx_uint_t
ngx_vidcast_control_free(ngx_vidcast_control_t *control, u_char *taken,
    ngx_log_t *log)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_VIDCAST_ENTRIES; i++) {

        if (!taken[i] && !control->owners[i].wanted
            && ngx_vidcast_process_lock_holder(control->locks,
                                               NGX_VIDCAST_LOCK_CAPTURE + i,
                                               log)
                   == 0)
        {
            break;
        }
    }

    return i;
}


void
ngx_vidcast_process_enter(ngx_vidcast_conf_t *conf, ngx_log_t *log)
{
    ngx_uint_t              i;
    ngx_vidcast_control_t  *control;

    control = conf->control;
    control->worker_index = NGX_VIDCAST_NO_PROCESS;

    for (i = 0; i < NGX_VIDCAST_PROCESSES; i++) {

        switch (ngx_vidcast_process_lock_take(control->locks,
                                              NGX_VIDCAST_LOCK_PROCESS + i,
                                              log))
        {
        case NGX_OK:
            ngx_vidcast_process_settle(conf, i);
            return;

        case NGX_BUSY:
            continue;

        default: /* NGX_ERROR */
            return;
        }
    }

    ngx_log_error(NGX_LOG_ALERT, log, 0,
                  "more than %d processes share \"%s\"",
                  NGX_VIDCAST_PROCESSES, NGX_VIDCAST_CONTROL_NAME);
}


static void
ngx_vidcast_process_settle(ngx_vidcast_conf_t *conf, ngx_uint_t process)
{
    uint64_t                      bit;
    ngx_uint_t                    i;
    ngx_vidcast_rendition_t     **rendition;
    ngx_vidcast_process_t        *entry;
    ngx_vidcast_worker_stats_t   *stats;

    bit = ngx_vidcast_process_bit(process);

    rendition = conf->renditions.elts;

    for (i = 0; i < conf->renditions.nelts; i++) {
        stats = &rendition[i]->zone->shm->worker_stats[process];
        ngx_memzero(stats->viewers, sizeof(stats->viewers));
        stats->publishers = 0;

        (void) ngx_vidcast_handoff_leave(&rendition[i]->zone->shm->handoff,
                                         process);

        ngx_vidcast_ring_unpin(&rendition[i]->zone->ring, bit);
        rendition[i]->zone->ring.bit = bit;
    }

    conf->control->worker_index = process;
    entry = &conf->control->shm->processes[process];

    ngx_vidcast_store(&entry->exiting, 0);
    ngx_vidcast_store(&entry->generation, conf->generation);
    ngx_vidcast_store(&entry->pid, (int64_t) ngx_pid);

    if (ngx_vidcast_load(&conf->control->shm->generation) == conf->generation) {
        ngx_vidcast_store(&conf->control->shm->served, conf->generation);
    }
}


static uint64_t
ngx_vidcast_process_bit(ngx_uint_t process)
{
    return (process < NGX_VIDCAST_RING_BITS) ? (uint64_t) 1 << process : 0;
}


void
ngx_vidcast_process_exiting(ngx_vidcast_conf_t *conf)
{
    ngx_uint_t  process;

    process = conf->control->worker_index;

    if (process != NGX_VIDCAST_NO_PROCESS) {
        ngx_vidcast_store(&conf->control->shm->processes[process].exiting, 1);
    }

    /* it may still take hours to leave */

    ngx_vidcast_process_lock_drop(conf->control->locks,
                                  NGX_VIDCAST_LOCK_FORKING, conf->cycle->log);
}


void
ngx_vidcast_process_leave(ngx_vidcast_conf_t *conf)
{
    ngx_uint_t                    i, process;
    ngx_vidcast_rendition_t     **rendition;
    ngx_vidcast_worker_stats_t   *stats;

    process = conf->control->worker_index;

    if (process == NGX_VIDCAST_NO_PROCESS) {
        return;
    }

    rendition = conf->renditions.elts;

    for (i = 0; i < conf->renditions.nelts; i++) {
        stats = &rendition[i]->zone->shm->worker_stats[process];
        ngx_memzero(stats->viewers, sizeof(stats->viewers));
        stats->publishers = 0;

        (void) ngx_vidcast_handoff_leave(&rendition[i]->zone->shm->handoff,
                                         process);

        ngx_vidcast_ring_unpin(&rendition[i]->zone->ring,
                               ngx_vidcast_process_bit(process));
    }

    ngx_vidcast_store(&conf->control->shm->processes[process].pid, 0);

    conf->control->worker_index = NGX_VIDCAST_NO_PROCESS;
}


ngx_uint_t
ngx_vidcast_process_alive(ngx_vidcast_control_t *control, ngx_uint_t process,
    ngx_log_t *log)
{
    if (process >= NGX_VIDCAST_PROCESSES
        || ngx_vidcast_load(&control->shm->processes[process].pid) == 0)
    {
        return 0;
    }

    return ngx_vidcast_process_lock_holder(control->locks,
                                           NGX_VIDCAST_LOCK_PROCESS + process,
                                           log)
           != 0;
}


ngx_pid_t
ngx_vidcast_predictor_pid(ngx_vidcast_control_t *control,
    ngx_vidcast_source_t *source, ngx_uint_t n, ngx_log_t *log)
{
    return ngx_vidcast_process_lock_holder(control->predictors,
                                           ngx_vidcast_predictor_lock(
                                               source->entry, n),
                                           log);
}


ngx_uint_t
ngx_vidcast_control_deserted(ngx_vidcast_conf_t *conf, uint64_t *since,
    ngx_log_t *log)
{
    uint64_t                    now, linger;
    ngx_vidcast_control_shm_t  *shm;

    if (ngx_vidcast_control_served(conf->control, log)) {
        *since = 0;
        return 0;
    }

    now = ngx_vidcast_clock();

    if (*since == 0) {
        *since = now;
    }

    shm = conf->control->shm;

    linger = (ngx_vidcast_load(&shm->served)
              == ngx_vidcast_load(&shm->generation))
             ? NGX_VIDCAST_LINGER
             : NGX_VIDCAST_LINGER_NEW;

    return now - *since > linger;
}


static ngx_uint_t
ngx_vidcast_control_served(ngx_vidcast_control_t *control, ngx_log_t *log)
{
    ngx_uint_t              i;
    ngx_vidcast_process_t  *process;

    /*
     * Of any generation: the workers of an old one are told to leave when
     * those of the new one are there.
     */

    for (i = 0; i < NGX_VIDCAST_PROCESSES; i++) {
        process = &control->shm->processes[i];

        if (ngx_vidcast_load(&process->pid)
            && !ngx_vidcast_load(&process->exiting)
            && (log == NULL || ngx_vidcast_process_alive(control, i, log)))
        {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_vidcast_zone_wanted(ngx_vidcast_control_t *control,
    ngx_vidcast_source_t *source)
{
    ngx_vidcast_entry_t  *entry;

    entry = &control->shm->sources[source->entry];

    return !ngx_vidcast_load(&control->shm->retired)
           && ngx_vidcast_load(&entry->wanted)
           && ngx_vidcast_load(&entry->fingerprint) == source->fingerprint
           && ngx_vidcast_load(&entry->memory) == source->memory;
}


ngx_uint_t
ngx_vidcast_zone_silent(ngx_vidcast_source_t *source, uint64_t last)
{
    uint64_t  now;

    /* one may have come while we looked */

    now = ngx_vidcast_clock();

    return now > last && now - last >= (uint64_t) source->stale * 1000;
}


/* with the reason, if frames came and were refused */

void
ngx_vidcast_zone_silence(ngx_vidcast_source_t *source, u_char *error)
{
    u_char  *p, reason[NGX_VIDCAST_ERROR_LEN];

    ngx_memcpy(reason, source->original.zone->shm->refused,
               NGX_VIDCAST_ERROR_LEN);
    reason[NGX_VIDCAST_ERROR_LEN - 1] = '\0';

    p = ngx_snprintf(error, NGX_VIDCAST_ERROR_LEN - 1, "no frame for %M ms%s%s",
                     source->stale, reason[0] ? ": " : "", reason);
    *p = '\0';
}


void
ngx_vidcast_zone_unpin_dead(ngx_vidcast_control_t *control,
    ngx_vidcast_zone_t *zone, ngx_log_t *log)
{
    uint64_t    pins, bit;
    ngx_uint_t  i, lock;

    pins = ngx_vidcast_ring_pinned(&zone->ring);

    for (i = 0; i < NGX_VIDCAST_RING_BITS; i++) {

        bit = (uint64_t) 1 << i;

        if (!(pins & bit)) {
            continue;
        }

        lock = NGX_VIDCAST_LOCK_PROCESS + i;

        (void) pthread_mutex_lock(&ngx_vidcast_control_mutex);

        if (ngx_vidcast_process_lock_take(control->locks, lock, log)
            == NGX_OK)
        {
            ngx_vidcast_ring_unpin(&zone->ring, bit);
            ngx_vidcast_process_lock_drop(control->locks, lock, log);
        }

        (void) pthread_mutex_unlock(&ngx_vidcast_control_mutex);
    }
}


void
ngx_vidcast_source_unpin_dead(ngx_vidcast_control_t *control,
    ngx_vidcast_source_t *source, ngx_log_t *log)
{
    ngx_vidcast_zone_unpin_dead(control, source->original.zone, log);

    if (source->overlay) {
        ngx_vidcast_zone_unpin_dead(control, source->overlay->zone, log);
    }
}


void
ngx_vidcast_zone_take_back(ngx_vidcast_control_t *control,
    ngx_vidcast_zone_t *zone, ngx_log_t *log)
{
    uint32_t                slot;
    ngx_uint_t              process, lock, session;
    ngx_vidcast_handoff_t  *handoff;

    handoff = &zone->shm->handoff;

    process = ngx_vidcast_handoff_process(handoff, &session);
    lock = NGX_VIDCAST_LOCK_PROCESS + process;

    if (process < NGX_VIDCAST_PROCESSES) {

        (void) pthread_mutex_lock(&ngx_vidcast_control_mutex);

        if (ngx_vidcast_process_lock_take(control->locks, lock, log)
            == NGX_OK)
        {
            (void) ngx_vidcast_handoff_leave(handoff, process);
            ngx_vidcast_process_lock_drop(control->locks, lock, log);
        }

        (void) pthread_mutex_unlock(&ngx_vidcast_control_mutex);
    }

    if (ngx_vidcast_handoff_returned(handoff, &slot) == NGX_OK) {
        ngx_vidcast_ring_abandon(&zone->ring, slot);
    }
}


ngx_uint_t
ngx_vidcast_zone_viewers(ngx_vidcast_control_t *control,
    ngx_vidcast_zone_t *zone, ngx_log_t *log)
{
    return ngx_vidcast_zone_count(control, zone, 0, NGX_VIDCAST_TRANSPORTS,
                                  log);
}


ngx_uint_t
ngx_vidcast_zone_overlaid(ngx_vidcast_control_t *control,
    ngx_vidcast_zone_t *zone, ngx_log_t *log)
{
    return ngx_vidcast_zone_count(control, zone, NGX_VIDCAST_OVERLAID,
                                  NGX_VIDCAST_OVERLAID + 1, log);
}


ngx_uint_t
ngx_vidcast_zone_sendfile(ngx_vidcast_control_t *control,
    ngx_vidcast_zone_t *zone, ngx_log_t *log)
{
    return ngx_vidcast_zone_count(control, zone, NGX_VIDCAST_SENDFILE,
                                  NGX_VIDCAST_SENDFILE + 1, log);
}


ngx_uint_t
ngx_vidcast_zone_pictured(ngx_vidcast_control_t *control,
    ngx_vidcast_zone_t *zone, ngx_log_t *log)
{
    return ngx_vidcast_zone_count(control, zone, NGX_VIDCAST_PICTURED,
                                  NGX_VIDCAST_PICTURED + 1, log);
}


static ngx_uint_t
ngx_vidcast_zone_count(ngx_vidcast_control_t *control,
    ngx_vidcast_zone_t *zone, ngx_uint_t first, ngx_uint_t end, ngx_log_t *log)
{
    ngx_uint_t                   i, t, n;
    ngx_vidcast_worker_stats_t  *stats;

    n = 0;

    for (i = 0; i < NGX_VIDCAST_PROCESSES; i++) {

        if (ngx_vidcast_load(&control->shm->processes[i].pid) == 0
            || (log
                && i != control->worker_index
                && !ngx_vidcast_process_alive(control, i, log)))
        {
            continue;
        }

        stats = &zone->shm->worker_stats[i];

        for (t = first; t < end; t++) {
            n += ngx_vidcast_load(&stats->viewers[t]);
        }
    }

    return n;
}


ngx_vidcast_worker_stats_t *
ngx_vidcast_zone_worker_stats(ngx_vidcast_control_t *control,
    ngx_vidcast_zone_t *zone)
{
    if (control->worker_index == NGX_VIDCAST_NO_PROCESS) {
        return &ngx_vidcast_control_nowhere;
    }

    return &zone->shm->worker_stats[control->worker_index];
}
