
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "http/status/ngx_http_vidcast_status_source.h"
#include "shm/ngx_vidcast_control.h"
#include "shm/ngx_vidcast_process_locks.h"


/* how a source fares, and sums of its counters, for status and metrics */


void
ngx_http_vidcast_status_list_workers(ngx_vidcast_conf_t *conf, u_char *alive,
    ngx_log_t *log)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_VIDCAST_PROCESSES; i++) {
        alive[i] = (i == conf->control->worker_index
                    || ngx_vidcast_process_alive(conf->control, i, log));
    }
}


void
ngx_http_vidcast_status_life(ngx_vidcast_conf_t *conf,
    ngx_vidcast_source_t *source, ngx_http_vidcast_life_t *life,
    ngx_log_t *log)
{
    uint64_t                 now, last, proof, changed;
    ngx_vidcast_zone_shm_t  *shm;

    shm = source->original.zone->shm;

    life->pid = ngx_vidcast_process_lock_holder(conf->control->locks,
                                                NGX_VIDCAST_LOCK_CAPTURE
                                                + source->entry, log);

    life->state = ngx_vidcast_load(&shm->state);
    changed = ngx_vidcast_load(&shm->changed);
    life->published_mfps = shm->published_mfps;
    life->predicted_mfps = shm->predicted_mfps;

    ngx_memcpy(life->error, shm->error, NGX_VIDCAST_ERROR_LEN);
    life->error[NGX_VIDCAST_ERROR_LEN - 1] = '\0';

    /* one that hung is replaced: its manager has said so, and taken its pid */

    if (life->pid == 0 && life->state != NGX_VIDCAST_FAILED
        && (life->state != NGX_VIDCAST_RECONNECTING
            || ngx_vidcast_load(&shm->pid)))
    {
        life->state = NGX_VIDCAST_OFF;
    }

    /* read after the state: what made it live is older */

    last = ngx_vidcast_load(&shm->last);
    proof = ngx_vidcast_load(&shm->life);

    if (life->state == NGX_VIDCAST_LIVE
        && ngx_vidcast_zone_silent(source, proof))
    {
        life->state = NGX_VIDCAST_STALE;
        changed = proof + (uint64_t) source->stale * 1000;

        ngx_vidcast_zone_silence(source, life->error);
    }

    if (life->pid == 0 || ngx_vidcast_zone_silent(source, last)) {
        life->published_mfps = 0;
        life->predicted_mfps = 0;
    }

    now = ngx_vidcast_clock();

    life->age = now - changed;
    life->frame = last ? now - last : NGX_HTTP_VIDCAST_NEVER;
    life->proof = proof ? now - proof : NGX_HTTP_VIDCAST_NEVER;
}


/*
 * Of some sources the last picture is right however old it is: a film that
 * has ended, a run over a folder that goes as fast as it can, and what is
 * published when there is something new to see.
 */

ngx_uint_t
ngx_http_vidcast_status_past(ngx_vidcast_source_t *source, uint64_t time)
{
    uint32_t                 mfps;
    uint64_t                 now, proof;
    ngx_vidcast_zone_shm_t  *shm;

    shm = source->original.zone->shm;

    /* it may have been asked since, and have nothing new */

    proof = ngx_vidcast_load(&shm->life);
    time = ngx_max(time, proof);

    if (source->input.push
        || source->input.lossless
        || ngx_vidcast_load(&shm->state) == NGX_VIDCAST_ENDED
        || !ngx_vidcast_zone_silent(source, time))
    {
        return 0;
    }

    /* frames in 1,000 s: a slow source is to have missed one */

    mfps = ngx_vidcast_load(&shm->asked_mfps);
    now = ngx_vidcast_clock();

    return mfps == 0 || now - time > 2 * (uint64_t) 1000000000 / mfps;
}


uint64_t
ngx_http_vidcast_status_loss(ngx_vidcast_zone_shm_t *shm,
    ngx_http_vidcast_loss_t *loss, ngx_pid_t pid)
{
    uint64_t                 n;
    ngx_vidcast_counters_t  *counters;

    if (loss->groups & NGX_HTTP_VIDCAST_NOT_DELIVERED) {
        return ngx_http_vidcast_status_sum(shm, loss->offset);
    }

    counters = &shm->counters;

    n = *(uint64_t *) ((u_char *) counters + loss->offset);

    if (pid == 0) {

        /* its next process will count it */

        if (loss->offset == offsetof(ngx_vidcast_counters_t, unfinished)) {
            n += ngx_vidcast_zone_unfinished(counters);
        }

        if (loss->offset == offsetof(ngx_vidcast_counters_t, interrupted)) {
            n += ngx_vidcast_zone_interrupted(counters);
        }
    }

    return n;
}


uint64_t
ngx_http_vidcast_status_sum(ngx_vidcast_zone_shm_t *shm, size_t offset)
{
    uint64_t    sum;
    ngx_uint_t  i;

    sum = 0;

    for (i = 0; i < NGX_VIDCAST_PROCESSES; i++) {
        sum += *(uint64_t *) ((u_char *) &shm->worker_stats[i] + offset);
    }

    return sum;
}


uint64_t
ngx_http_vidcast_status_count(ngx_vidcast_zone_shm_t *shm, u_char *alive,
    ngx_uint_t transport)
{
    uint64_t    n;
    ngx_uint_t  i;

    n = 0;

    for (i = 0; i < NGX_VIDCAST_PROCESSES; i++) {
        if (alive[i]) {
            n += ngx_vidcast_load(&shm->worker_stats[i].viewers[transport]);
        }
    }

    return n;
}


void
ngx_http_vidcast_status_publishing(ngx_vidcast_zone_shm_t *shm, u_char *alive,
    ngx_http_vidcast_publishing_t *publishing)
{
    ngx_uint_t                   i;
    ngx_vidcast_worker_stats_t  *stats;

    ngx_memzero(publishing, sizeof(ngx_http_vidcast_publishing_t));

    publishing->results = shm->counters.pushed;

    for (i = 0; i < NGX_VIDCAST_PROCESSES; i++) {
        stats = &shm->worker_stats[i];

        if (alive[i]) {
            publishing->publishers += stats->publishers;
        }

        publishing->taken += stats->published;
        publishing->bytes += stats->received;
        publishing->refused += stats->unwanted;
        publishing->slow += stats->slow;
    }
}


void
ngx_http_vidcast_status_output(ngx_vidcast_source_t *source, ngx_uint_t n,
    ngx_pid_t pid, ngx_vidcast_output_stats_t *stats)
{
    *stats = source->original.zone->shm->outputs[n];

    stats->error[NGX_VIDCAST_ERROR_LEN - 1] = '\0';

    /* it has not said so, if it was killed */

    if (pid == 0) {
        stats->state = NGX_VIDCAST_OUTPUT_OFF;
        stats->readers = 0;
        stats->error[0] = '\0';
    }
}


uint64_t
ngx_http_vidcast_status_mailboxes(ngx_vidcast_mailboxes_t *mailboxes,
    size_t offset)
{
    u_char      *counters;
    uint64_t     sum;
    ngx_uint_t   i;

    sum = 0;

    for (i = 0; i < mailboxes->n; i++) {
        counters = (u_char *) &ngx_vidcast_mailbox(mailboxes, i)->counters;
        sum += *(uint64_t *) (counters + offset);
    }

    return sum;
}


ngx_vidcast_predictor_mailbox_t *
ngx_http_vidcast_status_failed(ngx_vidcast_mailboxes_t *mailboxes)
{
    ngx_uint_t  i;

    for (i = 0; i < mailboxes->n; i++) {
        if (!ngx_vidcast_load(&ngx_vidcast_mailbox(mailboxes, i)->failing)) {
            return NULL;
        }
    }

    return mailboxes->n ? ngx_vidcast_mailbox(mailboxes, 0) : NULL;
}
