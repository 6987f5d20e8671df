
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_HTTP_VIDCAST_FEED_H_INCLUDED_
#define _NGX_HTTP_VIDCAST_FEED_H_INCLUDED_


#include "http/delivery/ngx_http_vidcast_message.h"


/*
 * A feed is a rendition of a source in one worker: the viewers that subscribed
 * to it there, and the messages that they share.
 */

typedef void (*ngx_http_vidcast_feed_pt)(ngx_http_vidcast_feed_t *feed);


struct ngx_http_vidcast_feed_s {
    ngx_http_vidcast_main_conf_t  *vmcf;
    ngx_vidcast_source_t          *source;
    ngx_vidcast_rendition_t       *rendition; /* of the source */
    ngx_vidcast_zone_t            *zone;      /* of the rendition */
    ngx_vidcast_worker_stats_t    *stats;     /* in the original's zone */
    ngx_http_vidcast_feed_t       *overlay;   /* NULL: there is none */
    ngx_connection_t              *wake;      /* NULL: none was free */
    ngx_file_t                     file;      /* the ring's memfd */

    ngx_queue_t                    subscriptions;   /* not pending */
    ngx_uint_t                     nsubscriptions;  /* all of them */
    ngx_uint_t                     nframes;   /* which want frames */
    ngx_uint_t                     npaired;   /* which want pairs */
    ngx_uint_t                     wanted;    /* still, by the master */

    ngx_uint_t                     state;     /* of the source, of late */
    ngx_uint_t                     cause;     /* why there is no picture */
    ngx_uint_t                     dark;      /* none of the present */
    ngx_msec_t                     darkened;  /* since then */

    ngx_queue_t                    publishers;  /* the first may publish */
    ngx_uint_t                     npublishers;
    ngx_event_t                    wait_timer;  /* of publishers that wait */
    ngx_http_vidcast_feed_pt       publisher_handler;  /* of the hand-off */

    ngx_http_vidcast_message_t    *frame;     /* the newest */
    ngx_http_vidcast_message_t    *older;     /* pinned, still leaving */
    ngx_http_vidcast_message_t    *kept;      /* may get a result yet */
    ngx_http_vidcast_message_t    *free;

    ngx_http_vidcast_message_t   **results;   /* by seq modulo their number */
    ngx_uint_t                     nresults;
    ngx_uint_t                     watched;   /* results, from then on */
    uint64_t                       result;    /* the newest of them */

    uint64_t                       epoch;     /* of frames and results */
    uint32_t                       series;    /* counts these */
    uint64_t                       ended;     /* newest of the one before */
};


/* "wake" is called when something new is in a ring, with the feed's "wake" */
ngx_int_t ngx_http_vidcast_feed_init(ngx_cycle_t *cycle,
    ngx_http_vidcast_main_conf_t *vmcf, ngx_event_handler_pt wake);
void ngx_http_vidcast_feed_exit(ngx_http_vidcast_main_conf_t *vmcf);


/* NULL: no such source */
ngx_http_vidcast_feed_t *ngx_http_vidcast_feed_find(
    ngx_http_vidcast_main_conf_t *vmcf, ngx_str_t *name);

/* of a viewer; an input on demand may be asleep until then */
void ngx_http_vidcast_feed_wake_on_demand(ngx_http_vidcast_feed_t *feed);

/*
 * poll()   takes what is new in the ring: all results, and the newest frame
 *          if a viewer wants frames
 * seek()   makes results from "seq" on available, where the ring has them;
 *          the first one there
 * drop()   gives up all that the feed itself refers to, when it has no viewers
 *          any more; drop_frame() the newest frame, without viewers of frames
 */
void ngx_http_vidcast_feed_poll(ngx_http_vidcast_feed_t *feed);
uint64_t ngx_http_vidcast_feed_seek(ngx_http_vidcast_feed_t *feed,
    uint64_t seq);
void ngx_http_vidcast_feed_drop_frame(ngx_http_vidcast_feed_t *feed);
void ngx_http_vidcast_feed_drop(ngx_http_vidcast_feed_t *feed);

/* the eventfd is watched while there is a viewer or a publisher */
void ngx_http_vidcast_feed_unwatch(ngx_http_vidcast_feed_t *feed);

/* of all feeds: housekeeping, and to pin nothing while the worker is leaving */
void ngx_http_vidcast_feed_look(ngx_http_vidcast_main_conf_t *vmcf);
void ngx_http_vidcast_feed_unpin(ngx_http_vidcast_main_conf_t *vmcf);


#endif /* _NGX_HTTP_VIDCAST_FEED_H_INCLUDED_ */
