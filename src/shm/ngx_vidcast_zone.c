
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include <poll.h>
#include <sys/eventfd.h>

#include "core/ngx_vidcast_string.h"
#include "shm/ngx_vidcast_zone.h"
#include "shm/ngx_vidcast_control.h"
#include "shm/ngx_vidcast_process_locks.h"


static ngx_int_t ngx_vidcast_zone_add_rendition(ngx_conf_t *cf,
    ngx_vidcast_conf_t *conf, ngx_vidcast_rendition_t *rendition,
    const char *prefix, void *tag);
static ngx_shm_zone_t *ngx_vidcast_zone_reserve(ngx_conf_t *cf,
    const char *prefix, ngx_str_t *name, void *tag);
static ngx_int_t ngx_vidcast_control_init(ngx_shm_zone_t *shm_zone,
    void *data);
static ngx_int_t ngx_vidcast_control_create(ngx_vidcast_conf_t *conf,
    ngx_log_t *log);
static ngx_int_t ngx_vidcast_control_readonly(ngx_vidcast_conf_t *conf,
    ngx_log_t *log);
static ngx_int_t ngx_vidcast_control_check_event(ngx_cycle_t *cycle,
    ngx_log_t *log);
static ngx_int_t ngx_vidcast_control_adopt(ngx_vidcast_conf_t *conf,
    ngx_vidcast_control_t *control);
static void ngx_vidcast_control_cleanup(void *data);
static ngx_int_t ngx_vidcast_zone_settle(ngx_vidcast_conf_t *conf,
    ngx_vidcast_rendition_t *rendition, size_t *space, ngx_log_t *log);
static size_t ngx_vidcast_zone_contents(ngx_vidcast_geometry_t *geometry);
static ngx_vidcast_zone_t *ngx_vidcast_zone_before(ngx_vidcast_conf_t *conf,
    ngx_shm_zone_t *shm_zone, size_t *size);
static ngx_int_t ngx_vidcast_zone_init(ngx_shm_zone_t *shm_zone, void *data);
static ngx_int_t ngx_vidcast_zone_adopt(ngx_vidcast_rendition_t *rendition,
    ngx_vidcast_zone_t *zone);
static ngx_int_t ngx_vidcast_zone_create(ngx_shm_zone_t *shm_zone,
    ngx_vidcast_rendition_t *rendition);
static ngx_int_t ngx_vidcast_zone_open(ngx_vidcast_zone_t *zone,
    ngx_vidcast_rendition_t *rendition, ngx_log_t *log);
static void ngx_vidcast_zone_renewable(ngx_vidcast_zone_t *zone);
static ngx_int_t ngx_vidcast_zone_events(ngx_vidcast_zone_t *zone,
    ngx_vidcast_rendition_t *rendition, ngx_log_t *log);
static void ngx_vidcast_zone_cleanup(void *data);
static void ngx_vidcast_zone_close_file(ngx_fd_t *fd);


static ngx_str_t  ngx_vidcast_state_names[] = {
    ngx_string("off"),
    ngx_string("starting"),
    ngx_string("live"),
    ngx_string("stale"),
    ngx_string("reconnecting"),
    ngx_string("failed"),
    ngx_string("ended"),
    ngx_string("sleeping")
};


static ngx_str_t  ngx_vidcast_output_state_names[] = {
    ngx_string("off"),
    ngx_string("starting"),
    ngx_string("live"),
    ngx_string("waiting"),
    ngx_string("failed"),
    ngx_string("hung")
};


ngx_int_t
ngx_vidcast_conf_init(ngx_vidcast_conf_t *conf, ngx_cycle_t *cycle)
{
    conf->cycle = cycle;

    if (ngx_array_init(&conf->sources, cycle->pool, 4,
                       sizeof(ngx_vidcast_source_t *))
           != NGX_OK
        || ngx_array_init(&conf->renditions, cycle->pool, 4,
                          sizeof(ngx_vidcast_rendition_t *))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_vidcast_zone_add(ngx_conf_t *cf, ngx_vidcast_conf_t *conf,
    ngx_vidcast_source_t *source, void *tag)
{
    ngx_str_t               none;
    ngx_vidcast_source_t  **sp;

    if (conf->shm_zone == NULL) {

        ngx_str_set(&none, "");

        conf->shm_zone = ngx_vidcast_zone_reserve(cf, NGX_VIDCAST_CONTROL_NAME,
                                                  &none, tag);
        if (conf->shm_zone == NULL) {
            return NGX_ERROR;
        }

        conf->shm_zone->init = ngx_vidcast_control_init;
        conf->shm_zone->data = conf;

        /* the list of zones is walked in order: see ngx_vidcast_zone_settle */

        conf->shm_zone->shm.size = ngx_pagesize;
    }

    source->cycle = cf->cycle;

    sp = ngx_array_push(&conf->sources);
    if (sp == NULL) {
        return NGX_ERROR;
    }

    *sp = source;

    return ngx_vidcast_zone_add_rendition(cf, conf, &source->original,
                                          NGX_VIDCAST_ZONE_PREFIX, tag);
}


ngx_int_t
ngx_vidcast_zone_add_overlay(ngx_conf_t *cf, ngx_vidcast_conf_t *conf,
    ngx_vidcast_source_t *source, void *tag)
{
    return ngx_vidcast_zone_add_rendition(cf, conf, source->overlay,
                                          NGX_VIDCAST_OVERLAY_PREFIX, tag);
}


static ngx_int_t
ngx_vidcast_zone_add_rendition(ngx_conf_t *cf, ngx_vidcast_conf_t *conf,
    ngx_vidcast_rendition_t *rendition, const char *prefix, void *tag)
{
    ngx_vidcast_rendition_t  **rp;

    rendition->shm_zone = ngx_vidcast_zone_reserve(cf, prefix,
                                                   &rendition->source->name,
                                                   tag);
    if (rendition->shm_zone == NULL) {
        return NGX_ERROR;
    }

    rendition->shm_zone->init = ngx_vidcast_zone_init;
    rendition->shm_zone->data = rendition;
    rendition->index = conf->renditions.nelts;

    rp = ngx_array_push(&conf->renditions);
    if (rp == NULL) {
        return NGX_ERROR;
    }

    *rp = rendition;

    return NGX_OK;
}


static ngx_shm_zone_t *
ngx_vidcast_zone_reserve(ngx_conf_t *cf, const char *prefix, ngx_str_t *name,
    void *tag)
{
    ngx_str_t  full;

    full.len = ngx_strlen(prefix) + name->len;

    full.data = ngx_pnalloc(cf->pool, full.len + 1);
    if (full.data == NULL) {
        return NULL;
    }

    (void) ngx_sprintf(full.data, "%s%V%Z", prefix, name);

    return ngx_shared_memory_add(cf, &full, 0, tag);
}


/*
 * The control zone stands in the list before those of the sources.  When it
 * is initialized the configuration has been read to its end, so that
 * worker_processes is known wherever it stands, and the zones of the sources,
 * still without a size, come next.
 */

static ngx_int_t
ngx_vidcast_control_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_vidcast_conf_t  *old = data;

    size_t                      space;
    ngx_int_t                   rc;
    ngx_uint_t                  i;
    ngx_vidcast_conf_t         *conf;
    ngx_vidcast_rendition_t   **rendition;

    conf = shm_zone->data;

    if (ngx_vidcast_control_check_event(conf->cycle, shm_zone->shm.log)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    rendition = conf->renditions.elts;
    space = 0;

    for (i = 0; i < conf->renditions.nelts; i++) {
        if (ngx_vidcast_zone_settle(conf, rendition[i], &space,
                                    shm_zone->shm.log)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (old) {
        rc = ngx_vidcast_control_adopt(conf, old->control);

    } else {
        rc = ngx_vidcast_control_create(conf, shm_zone->shm.log);
    }

    if (rc != NGX_OK
        || ngx_vidcast_control_readonly(conf, shm_zone->shm.log) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_vidcast_control_assign(conf, shm_zone->shm.log);
}


static ngx_int_t
ngx_vidcast_control_create(ngx_vidcast_conf_t *conf, ngx_log_t *log)
{
    ngx_vidcast_control_t  *control;

    control = ngx_calloc(sizeof(ngx_vidcast_control_t), log);
    if (control == NULL) {
        return NGX_ERROR;
    }

    ngx_vidcast_memory_init(&control->contents);

    control->locks = NGX_INVALID_FILE;
    control->predictors = NGX_INVALID_FILE;
    control->alive[0] = NGX_INVALID_FILE;
    control->alive[1] = NGX_INVALID_FILE;
    control->worker_index = NGX_VIDCAST_NO_PROCESS;

    if (ngx_vidcast_control_adopt(conf, control) != NGX_OK) {
        ngx_free(control);
        return NGX_ERROR;
    }

    if (ngx_vidcast_memory_create(&control->contents, "vidcast control",
                                  sizeof(ngx_vidcast_control_shm_t), NULL, log)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    control->shm = (ngx_vidcast_control_shm_t *) control->contents.addr;

    control->locks = ngx_vidcast_process_locks_create("vidcast process locks",
                                                      log);
    if (control->locks == NGX_INVALID_FILE) {
        return NGX_ERROR;
    }

    control->predictors = ngx_vidcast_process_locks_create(
                                              "vidcast predictor locks", log);
    if (control->predictors == NGX_INVALID_FILE) {
        return NGX_ERROR;
    }

    if (pipe2(control->alive, O_CLOEXEC|O_NONBLOCK) == -1) {
        ngx_log_error(NGX_LOG_EMERG, log, ngx_errno, "pipe2() failed");
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* a predictor process may read the control zone, and no more */

static ngx_int_t
ngx_vidcast_control_readonly(ngx_vidcast_conf_t *conf, ngx_log_t *log)
{
    ngx_uint_t                  i;
    ngx_vidcast_rendition_t   **rendition;

    rendition = conf->renditions.elts;

    for (i = 0; i < conf->renditions.nelts; i++) {

        if (rendition[i]->predictors) {
            return ngx_vidcast_memory_readonly(&conf->control->contents, NULL,
                                               log);
        }
    }

    return NGX_OK;
}


/* one write to an eventfd must wake every worker: edges, as epoll has them */

static ngx_int_t
ngx_vidcast_control_check_event(ngx_cycle_t *cycle, ngx_log_t *log)
{
    ngx_event_conf_t  *ecf;

    ecf = ngx_event_get_conf(cycle->conf_ctx, ngx_event_core_module);

    if (ngx_strcmp(ecf->name, "epoll") != 0) {
        ngx_log_error(NGX_LOG_EMERG, log, 0,
                      "vidcast needs the \"epoll\" event method, "
                      "but \"use %s\" is configured", ecf->name);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_control_adopt(ngx_vidcast_conf_t *conf,
    ngx_vidcast_control_t *control)
{
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(conf->cycle->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_vidcast_control_cleanup;
    cln->data = control;

    control->refs++;
    conf->control = control;

    return NGX_OK;
}


static void
ngx_vidcast_control_cleanup(void *data)
{
    ngx_vidcast_control_t  *control = data;

    if (--control->refs) {
        return;
    }

    (void) ngx_vidcast_memory_free(&control->contents);

    ngx_vidcast_zone_close_file(&control->locks);
    ngx_vidcast_zone_close_file(&control->predictors);
    ngx_vidcast_zone_close_file(&control->alive[0]);
    ngx_vidcast_zone_close_file(&control->alive[1]);

    ngx_free(control);
}


/*
 * Geometry and size of a rendition's zone.  Memory is kept over a reload when
 * name and size are the same, so another geometry must show in the size: a
 * page, or, if that is what was there before, two.
 */

static ngx_int_t
ngx_vidcast_zone_settle(ngx_vidcast_conf_t *conf,
    ngx_vidcast_rendition_t *rendition, size_t *space, ngx_log_t *log)
{
    size_t                   size, before;
    ngx_uint_t               least, workers, predictors;
    ngx_core_conf_t         *ccf;
    ngx_vidcast_zone_t      *zone;
    ngx_vidcast_source_t    *source;
    ngx_vidcast_geometry_t  *g;

    ccf = (ngx_core_conf_t *) ngx_get_conf(conf->cycle->conf_ctx,
                                           ngx_core_module);

    workers = ngx_min((ngx_uint_t) ccf->worker_processes,
                      NGX_VIDCAST_RING_BITS);

    source = rendition->source;
    g = &rendition->geometry;

    /*
     * Two pins a worker, a claim an encoder, the newest, the overlay's, and
     * one that is lent.  Of a predictor process the frame it has and the one
     * of its last result, and for all of them the next one; of a built-in
     * predictor, which has no process, the frame it decodes and the next one,
     * of those that come as JPEGs: of these the encoders claim nothing.  Of
     * an output the one that it gives on.  Of a predictor on another machine
     * those whose results are still to come.
     */

    predictors = 2 * rendition->predictors + 1;

    least = 2 * workers + rendition->encoders + predictors
            + rendition->outputs + 4;

    if (source->input.remote && !source->predict.module
        && rendition == &source->original)
    {
        least += NGX_VIDCAST_REMOTE_KEEPS;
    }

    if (g->slots == 0) {
        g->slots = least;
    }

    if (g->slots < least) {
        ngx_log_error(NGX_LOG_EMERG, log, 0,
                      "\"frames %uD\" of vidcast_source \"%V\" is too small "
                      "for %ui workers and %ui encoders, it must be at least "
                      "%ui in %s:%ui",
                      g->slots, &source->name, workers,
                      rendition->encoders, least, source->file,
                      source->line);
        return NGX_ERROR;
    }

    size = ngx_pagesize;

    zone = ngx_vidcast_zone_before(conf, rendition->shm_zone, &before);

    if (zone
        && zone->ring.geometry.slots == g->slots
        && zone->ring.geometry.slot_size == g->slot_size
        && zone->ring.geometry.results == g->results
        && zone->ring.geometry.result_size == g->result_size
        && zone->mailboxes.n == rendition->predictors)
    {
        rendition->shm_zone->shm.size = before;

        return NGX_OK;
    }

    if (zone && before == size) {
        size += ngx_pagesize;
    }

    rendition->shm_zone->shm.size = size;

    /*
     * nginx maps the zones next, and would say no more than that a mapping has
     * failed; *space is that of the sources before this one
     */

    size += ngx_vidcast_zone_contents(g) + ngx_vidcast_ring_frames_size(g);
    *space += size;

    if (ngx_vidcast_limit_space(*space) != NGX_OK) {
        ngx_vidcast_limit_log(log, ngx_errno, "mmap()", size, &source->name);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static size_t
ngx_vidcast_zone_contents(ngx_vidcast_geometry_t *geometry)
{
    return ngx_align(sizeof(ngx_vidcast_zone_shm_t), 64)
           + ngx_vidcast_ring_size(geometry);
}


/* the zone of the same name in the configuration before this one, if any */

static ngx_vidcast_zone_t *
ngx_vidcast_zone_before(ngx_vidcast_conf_t *conf, ngx_shm_zone_t *shm_zone,
    size_t *size)
{
    ngx_uint_t                i;
    ngx_list_part_t          *part;
    ngx_shm_zone_t           *old;
    ngx_vidcast_rendition_t  *rendition;

    part = &conf->cycle->old_cycle->shared_memory.part;
    old = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return NULL;
            }

            part = part->next;
            old = part->elts;
            i = 0;
        }

        if (old[i].tag == shm_zone->tag
            && ngx_vidcast_equal(&old[i].shm.name, &shm_zone->shm.name))
        {
            rendition = old[i].data;
            *size = old[i].shm.size;

            return rendition->zone;
        }
    }
}


static ngx_int_t
ngx_vidcast_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_vidcast_rendition_t  *old = data;

    ngx_vidcast_rendition_t  *rendition;

    rendition = shm_zone->data;

    if (old) {
        return ngx_vidcast_zone_adopt(rendition, old->zone);
    }

    return ngx_vidcast_zone_create(shm_zone, rendition);
}


static ngx_int_t
ngx_vidcast_zone_adopt(ngx_vidcast_rendition_t *rendition,
    ngx_vidcast_zone_t *zone)
{
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(rendition->source->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_vidcast_zone_cleanup;
    cln->data = zone;

    zone->refs++;
    rendition->zone = zone;

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_zone_create(ngx_shm_zone_t *shm_zone,
    ngx_vidcast_rendition_t *rendition)
{
    ngx_vidcast_zone_t  *zone;

    zone = ngx_calloc(sizeof(ngx_vidcast_zone_t), shm_zone->shm.log);
    if (zone == NULL) {
        return NGX_ERROR;
    }

    ngx_vidcast_memory_init(&zone->contents);
    ngx_vidcast_memory_init(&zone->frames);

    zone->wake_workers = NGX_INVALID_FILE;
    zone->wake_capture = NGX_INVALID_FILE;

    if (ngx_vidcast_zone_adopt(rendition, zone) != NGX_OK) {
        ngx_free(zone);
        return NGX_ERROR;
    }

    return ngx_vidcast_zone_open(zone, rendition, shm_zone->shm.log);
}


static ngx_int_t
ngx_vidcast_zone_open(ngx_vidcast_zone_t *zone,
    ngx_vidcast_rendition_t *rendition, ngx_log_t *log)
{
    ngx_str_t               *name;
    ngx_vidcast_geometry_t  *g;

    name = &rendition->source->name;
    g = &rendition->geometry;

    if (ngx_vidcast_memory_create(&zone->contents, "vidcast contents",
                                  ngx_vidcast_zone_contents(g), name, log)
            != NGX_OK
        || ngx_vidcast_memory_create(&zone->frames, "vidcast frames",
                                     ngx_vidcast_ring_frames_size(g), name,
                                     log)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    zone->shm = (ngx_vidcast_zone_shm_t *) zone->contents.addr;

    ngx_vidcast_ring_create(&zone->ring,
                            zone->contents.addr
                            + ngx_align(sizeof(ngx_vidcast_zone_shm_t), 64),
                            zone->frames.addr, g);

    ngx_vidcast_zone_renewable(zone);

    zone->epoch = ((uint64_t) ngx_random() << 32) ^ (uint64_t) ngx_random()
                  ^ (ngx_vidcast_clock() << 8);

    zone->ring.shm->epoch = zone->epoch;

    if (rendition->predictors
        && (ngx_vidcast_memory_readonly(&zone->contents, name, log) != NGX_OK
            || ngx_vidcast_memory_readonly(&zone->frames, name, log) != NGX_OK
            || ngx_vidcast_mailboxes_create(&zone->mailboxes,
                                            rendition->predictors,
                                            g->result_size, name, log)
               != NGX_OK))
    {
        return NGX_ERROR;
    }

    return ngx_vidcast_zone_events(zone, rendition, log);
}


/* nothing is behind the end: a question whether pages can be renewed */

static void
ngx_vidcast_zone_renewable(ngx_vidcast_zone_t *zone)
{
    if (fallocate(zone->frames.fd, FALLOC_FL_PUNCH_HOLE|FALLOC_FL_KEEP_SIZE,
                  (off_t) zone->frames.size, (off_t) ngx_pagesize)
        == 0)
    {
        zone->ring.file = zone->frames.fd;
    }
}


ngx_int_t
ngx_vidcast_control_attach(ngx_vidcast_control_t *control, ngx_fd_t *fds)
{
    if (ngx_vidcast_memory_attach(&control->contents, fds[0], fds[1],
                                  sizeof(ngx_vidcast_control_shm_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    control->shm = (ngx_vidcast_control_shm_t *) control->contents.addr;
    control->locks = fds[2];
    control->predictors = fds[3];
    control->alive[0] = fds[4];
    control->alive[1] = NGX_INVALID_FILE;
    control->worker_index = NGX_VIDCAST_NO_PROCESS;

    return NGX_OK;
}


ngx_int_t
ngx_vidcast_zone_attach(ngx_vidcast_rendition_t *rendition, ngx_fd_t *fds,
    ngx_uint_t n, ngx_uint_t frames, ngx_pool_t *pool)
{
    ngx_vidcast_zone_t      *zone;
    ngx_vidcast_geometry_t  *g;

    g = &rendition->geometry;

    zone = ngx_pcalloc(pool, sizeof(ngx_vidcast_zone_t));

    if (zone == NULL || n < NGX_VIDCAST_ZONE_LEAST) {
        return NGX_ERROR;
    }

    rendition->zone = zone;

    if (ngx_vidcast_memory_attach(&zone->contents, fds[0], fds[1],
                                  ngx_vidcast_zone_contents(g))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    zone->shm = (ngx_vidcast_zone_shm_t *) zone->contents.addr;

    if (frames) {
        if (ngx_vidcast_memory_attach(&zone->frames, fds[2], fds[3],
                                      ngx_vidcast_ring_frames_size(g))
            != NGX_OK)
        {
            return NGX_ERROR;
        }

    } else {
        zone->frames.fd = fds[2];
        zone->frames.readonly = fds[3];
    }

    ngx_vidcast_ring_attach(&zone->ring,
                            zone->contents.addr
                            + ngx_align(sizeof(ngx_vidcast_zone_shm_t), 64),
                            zone->frames.addr, g);

    if (frames && zone->frames.fd != NGX_INVALID_FILE) {
        ngx_vidcast_zone_renewable(zone);
    }

    zone->wake_workers = fds[4];
    zone->wake_capture = fds[5];

    if (n == NGX_VIDCAST_ZONE_LEAST) {
        return NGX_OK;
    }

    return ngx_vidcast_mailboxes_attach(&zone->mailboxes,
                                        &fds[NGX_VIDCAST_ZONE_LEAST],
                                        n - NGX_VIDCAST_ZONE_LEAST,
                                        g->result_size);
}


static ngx_int_t
ngx_vidcast_zone_events(ngx_vidcast_zone_t *zone,
    ngx_vidcast_rendition_t *rendition, ngx_log_t *log)
{
    zone->wake_workers = eventfd(0, EFD_CLOEXEC|EFD_NONBLOCK);

    if (zone->wake_workers != -1) {
        zone->wake_capture = eventfd(0, EFD_CLOEXEC|EFD_NONBLOCK);
    }

    if (zone->wake_workers == -1 || zone->wake_capture == -1) {
        ngx_vidcast_limit_log(log, ngx_errno, "eventfd()", 0,
                              &rendition->source->name);
        return NGX_ERROR;
    }

    if (ngx_vidcast_limit_files(rendition->source->cycle,
                                ngx_max(zone->wake_workers, zone->wake_capture))
        != NGX_OK)
    {
        ngx_vidcast_limit_log(log, ngx_errno, "keeping descriptors for workers",
                              0, &rendition->source->name);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_vidcast_zone_cleanup(void *data)
{
    ngx_vidcast_zone_t  *zone = data;

    if (--zone->refs) {
        return;
    }

    (void) ngx_vidcast_memory_free(&zone->contents);
    (void) ngx_vidcast_memory_free(&zone->frames);
    (void) ngx_vidcast_mailboxes_free(&zone->mailboxes);

    ngx_vidcast_zone_close_file(&zone->wake_workers);
    ngx_vidcast_zone_close_file(&zone->wake_capture);

    ngx_free(zone);
}


static void
ngx_vidcast_zone_close_file(ngx_fd_t *fd)
{
    if (*fd != NGX_INVALID_FILE) {
        (void) ngx_close_file(*fd);
        *fd = NGX_INVALID_FILE;
    }
}


uint64_t
ngx_vidcast_zone_unfinished(ngx_vidcast_counters_t *counters)
{
    uint64_t  n, *loss;

    n = ngx_vidcast_load(&counters->grabbed)
        - ngx_vidcast_load(&counters->published);

    for (loss = &counters->bad_frame; loss <= &counters->unfinished; loss++) {
        n -= ngx_vidcast_load(loss);
    }

    return n;
}


uint64_t
ngx_vidcast_zone_interrupted(ngx_vidcast_counters_t *counters)
{
    uint64_t  n, *loss;

    n = ngx_vidcast_load(&counters->offered)
        - ngx_vidcast_load(&counters->predicted);

    for (loss = &counters->every; loss <= &counters->interrupted; loss++) {
        n -= ngx_vidcast_load(loss);
    }

    return n;
}


void
ngx_vidcast_zone_balance(ngx_vidcast_zone_t *zone)
{
    uint64_t                 nth;
    ngx_vidcast_counters_t  *counters;

    counters = &zone->shm->counters;

    /* it may have ended between a frame and its number */

    nth = ngx_vidcast_ring_published(&zone->ring);

    if (nth > counters->published) {
        ngx_vidcast_store(&counters->published, nth);
    }

    ngx_vidcast_count(&counters->unfinished,
                      ngx_vidcast_zone_unfinished(counters));
    ngx_vidcast_count(&counters->interrupted,
                      ngx_vidcast_zone_interrupted(counters));
}


void
ngx_vidcast_zone_wake_workers(ngx_vidcast_zone_t *zone)
{
    uint64_t  one;

    one = 1;

    /* never read, so it may be full one day; the sleepers are woken anyway */

    if (write(zone->wake_workers, &one, sizeof(uint64_t)) == -1) {
        return;
    }
}


void
ngx_vidcast_zone_wake_capture(ngx_vidcast_zone_t *zone)
{
    uint64_t  one;

    one = 1;

    /* full means that it has been called already */

    if (write(zone->wake_capture, &one, sizeof(uint64_t)) == -1) {
        return;
    }
}


void
ngx_vidcast_zone_wake_on_demand(ngx_vidcast_zone_t *zone)
{
    ngx_vidcast_store(&zone->shm->asked, ngx_vidcast_clock());

    /*
     * A capture that falls asleep says so before it looks for viewers the
     * last time: it sees us, or we see that it sleeps.
     */

    if (ngx_vidcast_load(&zone->shm->state) == NGX_VIDCAST_SLEEPING) {
        ngx_vidcast_zone_wake_capture(zone);
    }
}


ngx_int_t
ngx_vidcast_zone_wait_wake(ngx_vidcast_zone_t *zone, int timeout)
{
    uint64_t       calls;
    struct pollfd  pfd;

    pfd.fd = zone->wake_capture;
    pfd.events = POLLIN;

    if (poll(&pfd, 1, timeout) != 1) {
        return NGX_AGAIN;
    }

    if (read(zone->wake_capture, &calls, sizeof(uint64_t)) == -1) {
        return NGX_AGAIN;
    }

    return NGX_OK;
}


ngx_str_t *
ngx_vidcast_state_name(ngx_uint_t state)
{
    if (state >= sizeof(ngx_vidcast_state_names) / sizeof(ngx_str_t)) {
        state = NGX_VIDCAST_OFF;
    }

    return &ngx_vidcast_state_names[state];
}


ngx_str_t *
ngx_vidcast_output_state_name(ngx_uint_t state)
{
    if (state >= NGX_VIDCAST_OUTPUT_STATES) {
        state = NGX_VIDCAST_OUTPUT_OFF;
    }

    return &ngx_vidcast_output_state_names[state];
}
