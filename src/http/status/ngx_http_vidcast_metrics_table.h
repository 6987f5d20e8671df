
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_HTTP_VIDCAST_METRICS_TABLE_H_INCLUDED_
#define _NGX_HTTP_VIDCAST_METRICS_TABLE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* what is told of sources and workers, in whatever form */

typedef enum {
    NGX_HTTP_VIDCAST_COUNTER = 0,
    NGX_HTTP_VIDCAST_SECONDS,            /* counted in microseconds */
    NGX_HTTP_VIDCAST_GAUGE,              /* of 32 bits */
    NGX_HTTP_VIDCAST_MILLI               /* the same, times 1,000 */
} ngx_http_vidcast_metric_e;


typedef struct {
    const char                  *name;
    const char                  *help;
    ngx_http_vidcast_metric_e    type;
    size_t                       offset;
} ngx_http_vidcast_metric_t;


/*
 * Why a frame was lost, in ngx_vidcast_counters_t; "dropped" is the older
 * group, which has some of two others.  "not_delivered" is of viewers, in
 * ngx_vidcast_worker_stats_t.
 */

#define NGX_HTTP_VIDCAST_DROPPED        0x1
#define NGX_HTTP_VIDCAST_NOT_SHOWN      0x2
#define NGX_HTTP_VIDCAST_NOT_PREDICTED  0x4
#define NGX_HTTP_VIDCAST_NOT_DELIVERED  0x8


typedef struct {
    const char                  *name;
    const char                  *help;
    ngx_uint_t                   groups;
    size_t                       offset;
} ngx_http_vidcast_loss_t;


typedef struct {
    ngx_uint_t                   group;
    ngx_http_vidcast_metric_t    family;
} ngx_http_vidcast_loss_group_t;


/*
 * In ngx_vidcast_counters_t: what became of pictures, of a source or of its
 * overlay;
 * in ngx_vidcast_worker_stats_t, to be added up: what viewers got; in
 * ngx_vidcast_predictor_counters_t, likewise: how predictor processes fare;
 * in ngx_vidcast_output_stats_t: how an output does;
 * in ngx_http_vidcast_publishing_t, ngx_http_vidcast_life_t and
 * ngx_vidcast_zone_shm_t: how sources fare now.  All end by a name that is
 * NULL.
 */

extern ngx_http_vidcast_metric_t      ngx_http_vidcast_captured[];
extern ngx_http_vidcast_metric_t      ngx_http_vidcast_delivered[];
extern ngx_http_vidcast_metric_t      ngx_http_vidcast_predictor_metrics[];
extern ngx_http_vidcast_metric_t      ngx_http_vidcast_output_metrics[];
extern ngx_http_vidcast_metric_t      ngx_http_vidcast_publishing[];
extern ngx_http_vidcast_metric_t      ngx_http_vidcast_living[];
extern ngx_http_vidcast_metric_t      ngx_http_vidcast_present[];

extern ngx_http_vidcast_metric_t      ngx_http_vidcast_overlay[];

extern ngx_http_vidcast_loss_t        ngx_http_vidcast_losses[];
extern ngx_http_vidcast_loss_t        ngx_http_vidcast_overlay_losses[];
extern ngx_http_vidcast_loss_group_t  ngx_http_vidcast_loss_groups[];

/* by ngx_vidcast_transport_e */
extern const char                    *ngx_http_vidcast_transports[];


#endif /* _NGX_HTTP_VIDCAST_METRICS_TABLE_H_INCLUDED_ */
