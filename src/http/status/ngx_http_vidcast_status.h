
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_HTTP_VIDCAST_STATUS_H_INCLUDED_
#define _NGX_HTTP_VIDCAST_STATUS_H_INCLUDED_


#include "http/conf/ngx_http_vidcast_module.h"
#include "http/status/ngx_http_vidcast_text.h"


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


/* of a source that others publish to, all workers together */

typedef struct {
    uint64_t                     taken;
    uint64_t                     results;
    uint64_t                     refused;
    uint64_t                     bytes;
    uint32_t                     publishers;     /* now */
} ngx_http_vidcast_publishing_t;


/*
 * How a source fares, by what is known of it now: a capture that was killed,
 * or stopped, has not said so.
 */

typedef struct {
    ngx_pid_t                    pid;            /* of the capture, 0: none */
    ngx_uint_t                   state;
    uint64_t                     age;            /* us, of the state */
    uint32_t                     captured_mfps;
    uint32_t                     predicted_mfps;
    u_char                       error[NGX_VIDCAST_ERROR_LEN];
} ngx_http_vidcast_life_t;


/*
 * In ngx_vidcast_counters_t: what became of pictures, why some were dropped;
 * in ngx_vidcast_worker_stats_t, to be added up: what viewers got; in
 * ngx_vidcast_predictor_counters_t, likewise: how predictor processes fare.
 * All end by a name that is NULL.
 */

extern ngx_http_vidcast_metric_t  ngx_http_vidcast_captured[];
extern ngx_http_vidcast_metric_t  ngx_http_vidcast_dropped[];
extern ngx_http_vidcast_metric_t  ngx_http_vidcast_delivered[];
extern ngx_http_vidcast_metric_t  ngx_http_vidcast_predictor_metrics[];

/* by ngx_vidcast_transport_e */
extern const char                *ngx_http_vidcast_transports[];


/* marks the entries of living workers, our own included */
void ngx_http_vidcast_status_list_workers(ngx_vidcast_conf_t *conf,
    u_char *alive, ngx_log_t *log);

void ngx_http_vidcast_status_life(ngx_vidcast_conf_t *conf,
    ngx_vidcast_source_t *source, ngx_http_vidcast_life_t *life,
    ngx_log_t *log);

/* is the picture of that time, "ready", too old to be shown as the present? */
ngx_uint_t ngx_http_vidcast_status_past(ngx_vidcast_source_t *source,
    uint64_t time);

uint64_t ngx_http_vidcast_status_sum(ngx_vidcast_zone_shm_t *shm,
    size_t offset);
uint64_t ngx_http_vidcast_status_count(ngx_vidcast_zone_shm_t *shm,
    u_char *alive, ngx_uint_t transport);
void ngx_http_vidcast_status_publishing(ngx_vidcast_zone_shm_t *shm,
    u_char *alive, ngx_http_vidcast_publishing_t *publishing);

/* "error"; it is copied, as its owner may be writing it */
void ngx_http_vidcast_status_error(ngx_http_vidcast_text_t *text,
    const u_char *reason);

/* "predictor": nothing, unless the source has processes for it */
void ngx_http_vidcast_status_predictor(ngx_http_vidcast_text_t *text,
    ngx_vidcast_conf_t *conf, ngx_vidcast_source_t *source, ngx_log_t *log);

/*
 * mailboxes()   a counter of all processes of the source together
 * failed()  one of them, if all have died and none has answered since; NULL
 */
uint64_t ngx_http_vidcast_status_mailboxes(ngx_vidcast_mailboxes_t *mailboxes,
    size_t offset);
ngx_vidcast_predictor_mailbox_t *ngx_http_vidcast_status_failed(
    ngx_vidcast_mailboxes_t *mailboxes);

/* NGX_OK: it is to be answered; else what the handler returns */
ngx_int_t ngx_http_vidcast_status_begin(ngx_http_request_t *r);
ngx_int_t ngx_http_vidcast_status_send(ngx_http_request_t *r,
    ngx_http_vidcast_text_t *text, ngx_uint_t status, ngx_str_t *type);


#endif /* _NGX_HTTP_VIDCAST_STATUS_H_INCLUDED_ */
