
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_HTTP_VIDCAST_STATUS_SOURCE_H_INCLUDED_
#define _NGX_HTTP_VIDCAST_STATUS_SOURCE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "http/status/ngx_http_vidcast_metrics_table.h"
#include "shm/ngx_vidcast_zone.h"


/* of a source that others publish to, all workers together */

typedef struct {
    uint64_t                     taken;
    uint64_t                     results;
    uint64_t                     refused;
    uint64_t                     slow;           /* of the refused ones */
    uint64_t                     bytes;
    uint32_t                     publishers;     /* now */
} ngx_http_vidcast_publishing_t;


#define NGX_HTTP_VIDCAST_NEVER  ((uint64_t) -1)

/*
 * How a source fares, by what is known of it now: a capture that was killed,
 * or stopped, has not said so.
 */

typedef struct {
    ngx_pid_t                    pid;            /* of the capture, 0: none */
    ngx_uint_t                   state;
    uint64_t                     age;            /* us, of the state */
    uint64_t                     frame;          /* us, since the newest */
    uint64_t                     proof;          /* of life, likewise */
    uint32_t                     published_mfps;
    uint32_t                     predicted_mfps;
    u_char                       error[NGX_VIDCAST_ERROR_LEN];
} ngx_http_vidcast_life_t;


/* marks the entries of living workers, our own included */
void ngx_http_vidcast_status_list_workers(ngx_vidcast_conf_t *conf,
    u_char *alive, ngx_log_t *log);

void ngx_http_vidcast_status_life(ngx_vidcast_conf_t *conf,
    ngx_vidcast_source_t *source, ngx_http_vidcast_life_t *life,
    ngx_log_t *log);

/* is the picture of that time, "ready", too old to be shown as the present? */
ngx_uint_t ngx_http_vidcast_status_past(ngx_vidcast_source_t *source,
    uint64_t time);

/* of a source whose capture is "pid": 0, what it had in hand is lost by now */
uint64_t ngx_http_vidcast_status_loss(ngx_vidcast_zone_shm_t *shm,
    ngx_http_vidcast_loss_t *loss, ngx_pid_t pid);

uint64_t ngx_http_vidcast_status_sum(ngx_vidcast_zone_shm_t *shm,
    size_t offset);
uint64_t ngx_http_vidcast_status_count(ngx_vidcast_zone_shm_t *shm,
    u_char *alive, ngx_uint_t transport);
void ngx_http_vidcast_status_publishing(ngx_vidcast_zone_shm_t *shm,
    u_char *alive, ngx_http_vidcast_publishing_t *publishing);

/*
 * An output of the source, whose capture is "pid", 0: it is off.  What another
 * process may be writing is copied once, and its text ends where ours ends.
 */
void ngx_http_vidcast_status_output(ngx_vidcast_source_t *source, ngx_uint_t n,
    ngx_pid_t pid, ngx_vidcast_output_stats_t *stats);

/*
 * mailboxes()   a counter of all processes of the source together
 * failed()  one of them, if all have died and none has answered since; NULL
 */
uint64_t ngx_http_vidcast_status_mailboxes(ngx_vidcast_mailboxes_t *mailboxes,
    size_t offset);
ngx_vidcast_predictor_mailbox_t *ngx_http_vidcast_status_failed(
    ngx_vidcast_mailboxes_t *mailboxes);


#endif /* _NGX_HTTP_VIDCAST_STATUS_SOURCE_H_INCLUDED_ */
