
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _UNIT_ZONE_H_INCLUDED_
#define _UNIT_ZONE_H_INCLUDED_


/*
 * What nginx does with shared memory zones while it loads a configuration,
 * on the zones of vidcast.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include <sys/mman.h>

#include "unit.h"
#include "unit_ngx.h"

#include "shm/ngx_vidcast_publish_handoff.c"
#include "shm/ngx_vidcast_predictor_mailbox.c"
#include "shm/ngx_vidcast_limit.c"
#include "shm/ngx_vidcast_memory.c"
#include "shm/ngx_vidcast_ring.c"
#include "shm/ngx_vidcast_process_locks.c"
#include "shm/ngx_vidcast_zone.c"
#include "shm/ngx_vidcast_control.c"


typedef struct {
    const char              *name;
    ngx_vidcast_geometry_t   geometry;
    uint64_t                 fingerprint;
} unit_source_t;


/* these belong to nginx.c and ngx_event.c */

ngx_module_t  ngx_core_module;
ngx_module_t  ngx_events_module;
ngx_module_t  ngx_event_core_module;

static char        *unit_event = "epoll";
static ngx_int_t    unit_workers = 2;
static ngx_uint_t   unit_encoders = 1;
static ngx_uint_t   unit_overlays;        /* each source has one */
static ngx_uint_t   unit_outputs;         /* of each source */


static ngx_int_t unit_zones_init(ngx_cycle_t *cycle);
static ngx_shm_zone_t *unit_zone_find(ngx_cycle_t *cycle, ngx_str_t *name);
static void unit_zones_free(ngx_cycle_t *cycle, ngx_cycle_t *supervisor);


ngx_shm_zone_t *
ngx_shared_memory_add(ngx_conf_t *cf, ngx_str_t *name, size_t size, void *tag)
{
    ngx_shm_zone_t  *zone;

    zone = unit_zone_find(cf->cycle, name);

    if (zone) {
        return (zone->tag == tag) ? zone : NULL;
    }

    zone = ngx_list_push(&cf->cycle->shared_memory);
    if (zone == NULL) {
        return NULL;
    }

    ngx_memzero(zone, sizeof(ngx_shm_zone_t));

    zone->shm.log = cf->cycle->log;
    zone->shm.size = size;
    zone->shm.name = *name;
    zone->tag = tag;

    return zone;
}


static ngx_shm_zone_t *
unit_zone_find(ngx_cycle_t *cycle, ngx_str_t *name)
{
    ngx_uint_t        i;
    ngx_shm_zone_t   *zone;
    ngx_list_part_t  *part;

    for (part = &cycle->shared_memory.part; part; part = part->next) {
        zone = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (zone[i].shm.name.len == name->len
                && ngx_strncmp(zone[i].shm.name.data, name->data, name->len)
                   == 0)
            {
                return &zone[i];
            }
        }
    }

    return NULL;
}


static void
unit_cycle_conf(ngx_cycle_t *cycle)
{
    void             **ctx, **events, ***wrap;
    ngx_core_conf_t   *ccf;
    ngx_event_conf_t  *ecf;

    ngx_core_module.index = 0;
    ngx_events_module.index = 1;
    ngx_event_core_module.ctx_index = 0;

    ctx = ngx_pcalloc(cycle->pool, 2 * sizeof(void *));
    wrap = ngx_pcalloc(cycle->pool, sizeof(void *));
    events = ngx_pcalloc(cycle->pool, sizeof(void *));
    ccf = ngx_pcalloc(cycle->pool, sizeof(ngx_core_conf_t));
    ecf = ngx_pcalloc(cycle->pool, sizeof(ngx_event_conf_t));

    if (ctx == NULL || wrap == NULL || events == NULL || ccf == NULL
        || ecf == NULL)
    {
        exit(2);
    }

    ccf->worker_processes = unit_workers;
    ecf->name = (u_char *) unit_event;

    events[0] = ecf;
    *wrap = events;
    ctx[0] = ccf;
    ctx[1] = wrap;

    cycle->conf_ctx = (void ****) ctx;
}


static void
unit_source_add(ngx_conf_t *cf, ngx_vidcast_conf_t *conf,
    unit_source_t *source)
{
    ngx_vidcast_source_t     *s;
    ngx_vidcast_rendition_t  *overlay;

    s = ngx_pcalloc(cf->pool, sizeof(ngx_vidcast_source_t));
    overlay = ngx_pcalloc(cf->pool, sizeof(ngx_vidcast_rendition_t));

    if (s == NULL || overlay == NULL) {
        exit(2);
    }

    s->name.data = (u_char *) source->name;
    s->name.len = ngx_strlen(source->name);
    s->original.geometry = source->geometry;
    s->fingerprint = source->fingerprint;
    s->original.source = s;
    s->original.encoders = unit_encoders;
    s->original.outputs = unit_outputs;
    s->pool = cf->pool;
    s->file = (u_char *) "nginx.conf";
    s->line = 7;

    if (ngx_vidcast_zone_add(cf, conf, s, &ngx_core_module) != NGX_OK) {
        exit(2);
    }

    if (!unit_overlays) {
        return;
    }

    overlay->source = s;
    overlay->geometry = source->geometry;
    overlay->encoders = 1;

    s->overlay = overlay;

    if (ngx_vidcast_zone_add_overlay(cf, conf, s, &ngx_core_module) != NGX_OK) {
        exit(2);
    }
}


/*
 * A new configuration in place of "old", which may be NULL; NULL: refused,
 * and the old one goes on.
 */

static ngx_vidcast_conf_t *
unit_load(ngx_vidcast_conf_t *old, unit_source_t *sources, ngx_uint_t n)
{
    ngx_uint_t           i;
    ngx_conf_t           cf;
    ngx_pool_t          *pool;
    ngx_cycle_t         *cycle;
    ngx_vidcast_conf_t  *conf;

    static ngx_cycle_t   init_cycle;

    pool = ngx_create_pool(16384, &unit_log);
    cycle = ngx_pcalloc(pool, sizeof(ngx_cycle_t));
    conf = ngx_pcalloc(pool, sizeof(ngx_vidcast_conf_t));

    if (cycle == NULL || conf == NULL) {
        exit(2);
    }

    cycle->pool = pool;
    cycle->log = &unit_log;
    cycle->old_cycle = old ? old->cycle : &init_cycle;

    if (ngx_list_init(&cycle->shared_memory, pool, 1, sizeof(ngx_shm_zone_t))
            != NGX_OK
        || ngx_vidcast_conf_init(conf, cycle) != NGX_OK)
    {
        exit(2);
    }

    ngx_memzero(&cf, sizeof(ngx_conf_t));
    cf.pool = pool;
    cf.cycle = cycle;
    cf.log = &unit_log;

    unit_cycle_conf(cycle);

    for (i = 0; i < n; i++) {
        unit_source_add(&cf, conf, &sources[i]);
    }

    if (unit_zones_init(cycle) != NGX_OK) {
        unit_zones_free(cycle, cycle->old_cycle);
        ngx_destroy_pool(pool);
        return NULL;
    }

    ngx_vidcast_zone_publish(conf, old);

    if (old) {
        unit_zones_free(old->cycle, cycle);
        ngx_destroy_pool(old->cycle->pool);
    }

    cycle->old_cycle = NULL;

    return conf;
}


static ngx_int_t
unit_zone_init(ngx_cycle_t *cycle, ngx_shm_zone_t *zone)
{
    ngx_shm_zone_t   *old;
    ngx_slab_pool_t  *shpool;

    old = unit_zone_find(cycle->old_cycle, &zone->shm.name);

    if (old && old->tag == zone->tag && old->shm.size == zone->shm.size) {
        zone->shm.addr = old->shm.addr;
        return zone->init(zone, old->data);
    }

    zone->shm.addr = mmap(NULL, zone->shm.size, PROT_READ|PROT_WRITE,
                          MAP_SHARED|MAP_ANONYMOUS, -1, 0);

    if (zone->shm.addr == MAP_FAILED) {
        exit(2);
    }

    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    shpool->end = zone->shm.addr + zone->shm.size;
    shpool->min_shift = 3;
    shpool->addr = zone->shm.addr;

    if (ngx_shmtx_create(&shpool->mutex, &shpool->lock, NULL) != NGX_OK) {
        exit(2);
    }

    ngx_slab_init(shpool);

    return zone->init(zone, NULL);
}


/* the list is walked while a zone's init may still change the next ones */

static ngx_int_t
unit_zones_init(ngx_cycle_t *cycle)
{
    ngx_uint_t        i;
    ngx_shm_zone_t   *zone;
    ngx_list_part_t  *part;

    for (part = &cycle->shared_memory.part; part; part = part->next) {
        zone = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (zone[i].shm.size == 0
                || unit_zone_init(cycle, &zone[i]) != NGX_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


/* all zones of a configuration which another one does not keep */

static void
unit_zones_free(ngx_cycle_t *cycle, ngx_cycle_t *supervisor)
{
    ngx_uint_t        i;
    ngx_shm_zone_t   *zone, *kept;
    ngx_list_part_t  *part;

    for (part = &cycle->shared_memory.part; part; part = part->next) {
        zone = part->elts;

        for (i = 0; i < part->nelts; i++) {
            kept = supervisor ? unit_zone_find(supervisor, &zone[i].shm.name)
                              : NULL;

            if (zone[i].shm.addr == NULL
                || (kept && kept->shm.addr == zone[i].shm.addr))
            {
                continue;
            }

            (void) munmap(zone[i].shm.addr, zone[i].shm.size);
        }
    }
}


/* its sources, in the order in which they were given */

static ngx_vidcast_source_t *
unit_source(ngx_vidcast_conf_t *conf, ngx_uint_t n)
{
    ngx_vidcast_source_t  **source;

    source = conf->sources.elts;

    return source[n];
}


/* the end of nginx */

static void
unit_unload(ngx_vidcast_conf_t *conf)
{
    unit_zones_free(conf->cycle, NULL);
    ngx_destroy_pool(conf->cycle->pool);
}


#endif /* _UNIT_ZONE_H_INCLUDED_ */
