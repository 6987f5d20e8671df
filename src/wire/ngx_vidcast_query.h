
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_QUERY_H_INCLUDED_
#define _NGX_VIDCAST_QUERY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* what a viewer may ask for in the query of its URL */


#define NGX_VIDCAST_QUERY_FPS          0x01
#define NGX_VIDCAST_QUERY_SEND         0x02
#define NGX_VIDCAST_QUERY_SINCE        0x04
#define NGX_VIDCAST_QUERY_AFTER        0x08
#define NGX_VIDCAST_QUERY_MAX_AGE      0x10
#define NGX_VIDCAST_QUERY_SOURCE       0x20
#define NGX_VIDCAST_QUERY_OVERLAY      0x40
#define NGX_VIDCAST_QUERY_ALL          0x7f

/* values of "send" */

#define NGX_VIDCAST_QUERY_RESULTS      0x1
#define NGX_VIDCAST_QUERY_FRAMES       0x2
#define NGX_VIDCAST_QUERY_BOTH         0x3
#define NGX_VIDCAST_QUERY_PAIRED       0x7   /* both, and by pairs */

#define NGX_VIDCAST_QUERY_MAX_SOURCES  32


/* a place in the history of results: "EPOCH-SEQ", or "SEQ" of any epoch */

typedef struct {
    uint64_t               epoch;
    uint64_t               seq;
    ngx_uint_t             any;         /* no epoch was given */
} ngx_vidcast_point_t;


/* "has" tells which were given; the others are zero */

typedef struct {
    ngx_uint_t             has;
    ngx_uint_t             send;
    ngx_uint_t             overlay;
    uint64_t               interval;    /* from fps, microseconds; 0: none */
    uint64_t               after;
    uint64_t               max_age;     /* microseconds */
    ngx_vidcast_point_t    since;
    ngx_uint_t             nsources;
    ngx_str_t              sources[NGX_VIDCAST_QUERY_MAX_SOURCES];
} ngx_vidcast_query_t;


/*
 * Parses a query as it stands in the URL (r->args, no "?").
 *
 *   fps      0.01 to 1000, or 0: no limit
 *   send     results, frames, both, paired
 *   since    16 hex digits of the epoch, "-", and a number; or a number
 *   after    a number
 *   max_age  seconds, "0.5", or a time of nginx's, "500ms"; up to 1e9 s
 *   overlay  on, off
 *   source   names, with commas between (or %2C), no name twice
 *
 * Other names are passed over.  One of these with a value that is none of
 * the above, or given twice, is NGX_ERROR, and its name is in "error".
 * sources[] and "error" point into "args".
 */
ngx_int_t ngx_vidcast_query_parse(ngx_str_t *args, ngx_vidcast_query_t *query,
    ngx_str_t *error);

/* the value of Last-Event-ID, or of "since"; NGX_OK or NGX_ERROR */
ngx_int_t ngx_vidcast_query_point(ngx_str_t *text, ngx_vidcast_point_t *point);


#endif /* _NGX_VIDCAST_QUERY_H_INCLUDED_ */
