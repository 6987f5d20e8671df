
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_HTTP_VIDCAST_MODULE_H_INCLUDED_
#define _NGX_HTTP_VIDCAST_MODULE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "core/ngx_vidcast_log_limit.h"
#include "http/websocket/ngx_http_vidcast_turn.h"
#include "shm/ngx_vidcast_zone.h"
#include "wire/ngx_vidcast_query.h"


#define NGX_HTTP_VIDCAST_AUTO         NGX_VIDCAST_TRANSPORTS

#define NGX_HTTP_VIDCAST_RESULTS      NGX_VIDCAST_QUERY_RESULTS
#define NGX_HTTP_VIDCAST_FRAMES       NGX_VIDCAST_QUERY_FRAMES
#define NGX_HTTP_VIDCAST_BOTH         NGX_VIDCAST_QUERY_BOTH
#define NGX_HTTP_VIDCAST_PAIRED       NGX_VIDCAST_QUERY_PAIRED

#define NGX_HTTP_VIDCAST_RECV_BUFFER        16384   /* bytes read at a time */

#define NGX_HTTP_VIDCAST_ORIGIN_ANY   0x1
#define NGX_HTTP_VIDCAST_ORIGIN_SAME  0x2
#define NGX_HTTP_VIDCAST_ORIGIN_NONE  0x4

/* kinds of log lines which clients can cause again and again */

#define NGX_HTTP_VIDCAST_LOG_PAGE      0    /* which may not come */
#define NGX_HTTP_VIDCAST_LOG_SOURCE    1    /* which is not there */
#define NGX_HTTP_VIDCAST_LOG_LOCATION  2    /* which cannot answer */
#define NGX_HTTP_VIDCAST_LOG_KINDS     3


typedef struct ngx_http_vidcast_feed_s     ngx_http_vidcast_feed_t;
typedef struct ngx_http_vidcast_offline_s  ngx_http_vidcast_offline_t;


/* a location's static source name, checked when all sources are known */

typedef struct {
    ngx_str_t            name;           /* no data: the only one */
    u_char              *file;
    ngx_uint_t           line;
    ngx_uint_t           push;           /* it must be such a source */
    ngx_uint_t           overlay;        /* which must have one */
} ngx_http_vidcast_reference_t;


typedef struct {
    ngx_vidcast_conf_t           vidcast;
    ngx_array_t                  references;  /* of sources, by locations */
    ngx_uint_t                   echo;        /* there is one somewhere */
    ngx_uint_t                   overlay;     /* of any source, by variables */
    ngx_flag_t                   debug;       /* processes may be looked into */
    ngx_http_vidcast_offline_t  *offline;     /* NULL: there is no source */

    /* of this process */

    ngx_http_vidcast_feed_t     *feeds;       /* as many as renditions */
    ngx_connection_t            *exit;
    ngx_event_t                  watch;       /* does the manager live? */
    ngx_event_t                  log_timer;   /* tells of lines not logged */
    ngx_vidcast_log_limit_t      log_limits[NGX_HTTP_VIDCAST_LOG_KINDS];
    ngx_event_t                  housekeeping; /* of all sessions */
    ngx_event_t                  drain;       /* sends some away */
    ngx_uint_t                   draining;    /* as many at a time, or zero */
    uint64_t                     deserted;    /* by other workers, since */
    ngx_queue_t                  sessions;    /* of all feeds, or of none */
    ngx_uint_t                   nsessions;
    ngx_queue_t                  pending;      /* subscriptions, in turn */
    ngx_event_t                  slice;       /* goes on with them */
    u_char                      *recv_buffer;       /* what viewers send */
    ngx_http_vidcast_turns_t     turns;       /* and when it is read */
} ngx_http_vidcast_main_conf_t;


typedef struct {
    ngx_http_complex_value_t    *source;      /* NULL: the only one */
    ngx_uint_t                   as;
    ngx_uint_t                   send;
    ngx_uint_t                   overlay;
    ngx_uint_t                   origin;      /* bits */
    ngx_array_t                 *origins;     /* ngx_http_vidcast_origin_t */
    ngx_uint_t                   fps;
    ngx_uint_t                   backlog;
    ngx_uint_t                   max_viewers;
    ngx_msec_t                   ping;
    ngx_msec_t                   ping_timeout;
    ngx_msec_t                   stall_timeout;
    ngx_msec_t                   snapshot_timeout;
    ngx_uint_t                   offline;
    size_t                       max_message;
    ngx_flag_t                   deflate;
    ngx_http_complex_value_t    *publish;     /* the source; NULL: none */
    ngx_uint_t                   takeover;    /* from another publisher */
    ngx_msec_t                   publish_timeout; /* of one message */

    ngx_http_handler_pt          handler;     /* NULL: not ours */
    ngx_str_t                   *directive;   /* which set it, and where */
    u_char                      *file;
    ngx_uint_t                   line;
} ngx_http_vidcast_loc_conf_t;


/* $vidcast_source and others */
ngx_int_t ngx_http_vidcast_variables_add(ngx_conf_t *cf);

/* the vidcast_source block */
char *ngx_http_vidcast_source_block(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* its place among the sources; NGX_ERROR: no such one */
ngx_int_t ngx_http_vidcast_source_find(ngx_http_vidcast_main_conf_t *vmcf,
    ngx_str_t *name);

/* once all of its configuration is known, whether it has an overlay, too */
void ngx_http_vidcast_source_fingerprint(ngx_vidcast_source_t *source);

/* what locations do, and the sources that they name */
char *ngx_http_vidcast_location(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_vidcast_location_publish(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
void ngx_http_vidcast_location_body(ngx_conf_t *cf);
ngx_int_t ngx_http_vidcast_location_check(ngx_conf_t *cf);

/*
 * A location has one handler.
 *
 * set()    makes it this one, if there is none yet
 * merge()  "if" and "limit_except" have that of their location, and all that
 *          belongs to it, unless they have one of their own
 */
char *ngx_http_vidcast_content_set(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_handler_pt handler);
char *ngx_http_vidcast_content_merge(ngx_conf_t *cf,
    ngx_http_vidcast_loc_conf_t *prev, ngx_http_vidcast_loc_conf_t *conf);

/* hooks of the master and of all processes */
ngx_int_t ngx_http_vidcast_init_module(ngx_cycle_t *cycle);
ngx_int_t ngx_http_vidcast_init_process(ngx_cycle_t *cycle);
void ngx_http_vidcast_exit_process(ngx_cycle_t *cycle);

/* is a line of this kind to be logged now?  What is not is told later */
ngx_uint_t ngx_http_vidcast_log_limit(ngx_http_request_t *r, ngx_uint_t kind);

/* of locations; the first settles what is wanted, and by which transport */
ngx_int_t ngx_http_vidcast_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_vidcast_status_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_vidcast_metrics_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_vidcast_health_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_vidcast_echo_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_vidcast_publish_handler(ngx_http_request_t *r);


extern ngx_module_t  ngx_http_vidcast_module;


#endif /* _NGX_HTTP_VIDCAST_MODULE_H_INCLUDED_ */
