
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "capture/ngx_vidcast_capture.h"
#include "shm/ngx_vidcast_control.h"


#define NGX_VIDCAST_ON_DEMAND_LOOK  100000    /* us between looks at viewers */
#define NGX_VIDCAST_ON_DEMAND_NET   1000      /* ms, should a call be lost */
#define NGX_VIDCAST_ON_DEMAND_SEEN  5000000   /* us for the first picture */
#define NGX_VIDCAST_ON_DEMAND_STEP  1         /* ms between looks at it */


static ngx_uint_t ngx_vidcast_on_demand_viewers(
    ngx_vidcast_on_demand_t *demand);


ngx_uint_t
ngx_vidcast_on_demand_gone(ngx_vidcast_on_demand_t *demand)
{
    uint64_t               now, wanted;
    ngx_vidcast_source_t  *source;

    source = demand->capture->source;

    if (source->on_demand == 0) {
        return 0;
    }

    now = ngx_vidcast_clock();

    if (now - demand->looked < NGX_VIDCAST_ON_DEMAND_LOOK) {
        return demand->gone;
    }

    demand->looked = now;
    demand->asked = ngx_vidcast_load(&demand->capture->zone->shm->asked);

    if (ngx_vidcast_on_demand_viewers(demand)) {
        demand->wanted = now;
    }

    /* it may have been asked for since "now" */

    wanted = ngx_max(demand->wanted, demand->asked);

    demand->gone = wanted == 0
                   || wanted + (uint64_t) source->on_demand * 1000 <= now;

    return demand->gone;
}


/* of living workers: one that was killed did not take its viewers back */

static ngx_uint_t
ngx_vidcast_on_demand_viewers(ngx_vidcast_on_demand_t *demand)
{
    ngx_vidcast_capture_t  *capture;

    capture = demand->capture;

    return ngx_vidcast_zone_viewers(capture->conf->control, capture->zone,
                                    capture->log);
}


void
ngx_vidcast_on_demand_sleep(ngx_vidcast_on_demand_t *demand)
{
    ngx_vidcast_zone_t     *zone;
    ngx_vidcast_capture_t  *capture;

    capture = demand->capture;
    zone = capture->zone;

    /* the last picture is not what the source shows when a viewer comes */

    (void) pthread_mutex_lock(&capture->writer.mutex);
    ngx_vidcast_ring_invalidate(&zone->ring);
    (void) pthread_mutex_unlock(&capture->writer.mutex);

    ngx_vidcast_capture_state(capture, NGX_VIDCAST_SLEEPING, NULL);

    while (ngx_vidcast_load(&zone->shm->asked) == demand->asked
           && ngx_vidcast_on_demand_viewers(demand) == 0)
    {
        ngx_vidcast_zone_wait_wake(zone, NGX_VIDCAST_ON_DEMAND_NET);
    }

    demand->looked = ngx_vidcast_clock();
    demand->wanted = demand->looked;
    demand->published = ngx_vidcast_load(&capture->counters->published);
    demand->gone = 0;
    demand->woken = 1;

    ngx_vidcast_capture_state(capture, NGX_VIDCAST_STARTING, NULL);
}


void
ngx_vidcast_on_demand_first(ngx_vidcast_on_demand_t *demand)
{
    uint64_t                due;
    ngx_vidcast_capture_t  *capture;

    capture = demand->capture;

    if (!demand->woken) {
        return;
    }

    if (capture->encoders) {
        ngx_vidcast_encoder_pool_drain(capture->encoders);
    }

    if (ngx_vidcast_load(&capture->counters->published) == demand->published) {
        return;
    }

    demand->woken = 0;
    due = ngx_vidcast_clock() + NGX_VIDCAST_ON_DEMAND_SEEN;

    /* a worker has a pin on the newest one as long as it is that */

    while (ngx_vidcast_ring_pins(&capture->zone->ring) == 0
           && ngx_vidcast_zone_pictured(capture->conf->control, capture->zone,
                                        NULL)
           && !ngx_vidcast_load(&capture->leaving)
           && ngx_vidcast_clock() < due)
    {
        ngx_msleep(NGX_VIDCAST_ON_DEMAND_STEP);
    }
}
