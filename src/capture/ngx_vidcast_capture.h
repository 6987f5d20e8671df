
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_CAPTURE_H_INCLUDED_
#define _NGX_VIDCAST_CAPTURE_H_INCLUDED_


#include <pthread.h>

#include "capture/ngx_vidcast_raw.h"
#include "shm/ngx_vidcast_zone.h"
#include "input/ngx_vidcast_input.h"
#include "core/ngx_vidcast_log_limit.h"


/*
 * The capture process of one source.  Its threads: main watches whether the
 * process is still wanted, input grabs pictures, encoders make them JPEGs,
 * one predicts or asks predictor processes, one draws overlays, one serves each
 * output.  Pictures which are JPEGs already go from the input thread straight
 * into the ring.
 */

typedef struct ngx_vidcast_encoder_pool_s   ngx_vidcast_encoder_pool_t;
typedef struct ngx_vidcast_scheduler_s      ngx_vidcast_scheduler_t;


/*
 * What is told of frames and results, and never holds the pipeline up: its
 * functions, which may be NULL, return at once.
 *
 * on_frame()   there is a new frame; called by the thread that published it,
 *              before it wakes the workers
 * on_result()  there is a new result, or a frame was judged and has none;
 *              likewise, and by other threads at the same time
 * on_tick()    now and then, by the main thread
 */

/* an overlay, and outputs */

#define NGX_VIDCAST_MAX_SINKS  (NGX_VIDCAST_MAX_OUTPUTS + 1)

typedef struct {
    void                        (*on_frame)(void *data);
    void                        (*on_result)(void *data);
    void                        (*on_tick)(void *data);
    void                         *data;
} ngx_vidcast_sink_t;


/* a frame from elsewhere, whose result may come yet: it is pinned */

typedef struct {
    uint64_t                      number;
    uint32_t                      slot;
} ngx_vidcast_remote_frame_t;


typedef struct {
    ngx_vidcast_log_limit_t       bad;
    ngx_vidcast_log_limit_t       large;
    ngx_vidcast_log_limit_t       encode;
    ngx_vidcast_log_limit_t       draw;
    ngx_vidcast_log_limit_t       predictor;
    ngx_vidcast_log_limit_t       remote;    /* results from elsewhere */
    ngx_vidcast_log_limit_t       alarm;     /* states that must not be */
    ngx_vidcast_log_limit_t       state;     /* all others */
    ngx_vidcast_log_limit_t       warned;    /* by a plugin */
    ngx_vidcast_log_limit_t       said;
} ngx_vidcast_capture_logs_t;


/*
 * Frames into one ring, by any thread of the process: into that of the source,
 * or of its overlay.
 */

typedef struct {
    ngx_vidcast_capture_t        *capture;
    ngx_vidcast_zone_t           *zone;
    pthread_mutex_t               mutex;
    uint64_t                      unpinned;  /* dead pins looked for, us */
    ngx_uint_t                    lossless;  /* a frame waits for a slot */
    ngx_uint_t                    sendfile;  /* viewers enough for it */
    void                        (*on_frame)(ngx_vidcast_capture_t *capture);
} ngx_vidcast_frame_writer_t;


struct ngx_vidcast_capture_s {
    ngx_vidcast_conf_t           *conf;
    ngx_vidcast_source_t         *source;
    ngx_vidcast_zone_t           *zone;
    ngx_vidcast_counters_t       *counters;
    ngx_log_t                    *log;

    ngx_vidcast_raw_pool_t       *raws;
    ngx_vidcast_encoder_pool_t   *encoders;
    ngx_vidcast_scheduler_t      *scheduler; /* NULL: no predictor */

    ngx_vidcast_sink_t            sinks[NGX_VIDCAST_MAX_SINKS];
    ngx_uint_t                    nsinks;    /* settled before input starts */

    ngx_vidcast_frame_writer_t    writer;
    pthread_mutex_t               results_mutex;   /* writing results */
    pthread_mutex_t               state_mutex;
    u_char                       *text;      /* of a result from elsewhere */
    ngx_vidcast_remote_frame_t    kept[NGX_VIDCAST_REMOTE_KEEPS];
    ngx_uint_t                    nkept;     /* in order, likewise */

    uint64_t                      refused;   /* frames, since then, us */
    uint64_t                      told;      /* the reason, at last, us */

    uint64_t                      judged;    /* the highest of such frames */

    uint64_t                      epoch;     /* for the next one, 0: none */

    int                           leaving;   /* the input is to be closed */
    int                           open;      /* it is not */

    ngx_vidcast_capture_logs_t    logs;
};


/*
 * A frame whose picture stands in a slot.  That of a publisher, and a result
 * of one, are "pushed": the publisher is answered afterwards, which wakes the
 * workers.
 */

typedef struct {
    uint64_t                      number;
    uint64_t                      captured;  /* CLOCK_MONOTONIC, us */
    uint64_t                      time;      /* since 1970, us; 0: by that */
    int64_t                       pts;
    uint64_t                      media_time;
    size_t                        size;
    uint32_t                      width;
    uint32_t                      height;
    uint32_t                      slot;
    ngx_uint_t                    pushed;
} ngx_vidcast_frame_publish_t;


/* what a result says besides its own text */

typedef struct {
    uint64_t                      frame;     /* number, 0: none yet */
    uint64_t                      captured;  /* CLOCK_MONOTONIC, us */
    int64_t                       pts;
    uint64_t                      predict;   /* it took so many us */
    uint32_t                      width;
    uint32_t                      height;
    uint32_t                      slot;      /* of the frame, or NONE */
    const char                   *status;    /* NULL: "ok" */
    const u_char                 *error;     /* told with another status */
    ngx_uint_t                    pushed;
    uint64_t                      seq;       /* set when it is published */
} ngx_vidcast_result_t;


/*
 * The state that viewers of the status see, with its reason, NULL: none.
 * Logged when either changes.  Any thread.
 */
void ngx_vidcast_capture_state(ngx_vidcast_capture_t *capture,
    ngx_uint_t state, const u_char *reason);

/*
 * What the state goes by, where the input is open.  alive() is called with each
 * frame, right before it is published, unchanged() for an answer that the last
 * one is still right, and refused() for a frame that is not published: its
 * reason is that of the state until one is.  silent(): none of the first two
 * came in time, so the source is to be called stale.
 */
void ngx_vidcast_capture_alive(ngx_vidcast_capture_t *capture, uint64_t now);
void ngx_vidcast_capture_unchanged(ngx_vidcast_capture_t *capture);
void ngx_vidcast_capture_refused(ngx_vidcast_capture_t *capture,
    const u_char *reason);
ngx_uint_t ngx_vidcast_capture_silent(ngx_vidcast_capture_t *capture);

/* a frame is: it is counted, logged and refused */
void ngx_vidcast_capture_too_large(ngx_vidcast_capture_t *capture);

/* adds a sink, while there is no input thread; NGX_ERROR: there are too many */
ngx_int_t ngx_vidcast_capture_add_sink(ngx_vidcast_capture_t *capture,
    ngx_vidcast_sink_t *sink);

/* tell all sinks */
void ngx_vidcast_capture_on_frame(ngx_vidcast_capture_t *capture);
void ngx_vidcast_capture_on_result(ngx_vidcast_capture_t *capture);
void ngx_vidcast_capture_on_tick(ngx_vidcast_capture_t *capture);

/* starts a thread which nobody waits for; NGX_ERROR is logged */
ngx_int_t ngx_vidcast_capture_thread(ngx_vidcast_capture_t *capture,
    void *(*proc)(void *data), void *data, const char *name);

/*
 * A writer into the ring of a zone, whose counters are its own.  on_frame(),
 * which may be NULL, is told of each frame before the workers are.  NGX_ERROR:
 * no mutex.
 */
ngx_int_t ngx_vidcast_frame_writer_init(ngx_vidcast_frame_writer_t *writer,
    ngx_vidcast_capture_t *capture, ngx_vidcast_zone_t *zone,
    void (*on_frame)(ngx_vidcast_capture_t *capture));

/*
 * A slot to write into; NGX_VIDCAST_RING_NONE: none is free, which claim(),
 * for a thread that has a picture in hand, counts as ring_full.  abandon()
 * gives it back without a frame.
 */
uint32_t ngx_vidcast_frame_try_claim(ngx_vidcast_frame_writer_t *writer);
uint32_t ngx_vidcast_frame_claim(ngx_vidcast_frame_writer_t *writer);
void ngx_vidcast_frame_abandon(ngx_vidcast_frame_writer_t *writer,
    uint32_t slot);

/*
 * Describes the picture, writes the headers before it and makes it the newest
 * frame, which the workers are told: NGX_OK; NGX_DECLINED: a newer one is out
 * already, so it is lost, and counted.
 */
ngx_int_t ngx_vidcast_frame_publish(ngx_vidcast_frame_writer_t *writer,
    ngx_vidcast_frame_publish_t *frame);

/*
 * Publishes a JSON text as a result, which sinks and workers are told; one of
 * the predictor's is counted.  NGX_OK; NGX_DECLINED: with what is put around
 * it, it is too large.
 */
ngx_int_t ngx_vidcast_result_publish(ngx_vidcast_capture_t *capture,
    ngx_vidcast_result_t *result, const u_char *json, size_t size);

/*
 * predicted()  a frame that took the predictor "time" us, whether its result
 *              is told or not
 * judged()     it has no result to be told, nor has one before it that is not
 *              told yet: none is to be waited for; any thread
 */
void ngx_vidcast_capture_predicted(ngx_vidcast_capture_t *capture,
    uint64_t time);
void ngx_vidcast_capture_judged(ngx_vidcast_capture_t *capture,
    uint64_t number);

/*
 * Lines of the log which may come with each frame.  The first one is logged,
 * then once a minute how many more there were, by more().  Any thread.
 */
void ngx_vidcast_capture_log_bad(ngx_vidcast_capture_t *capture,
    const u_char *reason);
void ngx_vidcast_capture_log_too_large(ngx_vidcast_capture_t *capture);
void ngx_vidcast_capture_log_encode(ngx_vidcast_capture_t *capture,
    const char *reason);
void ngx_vidcast_capture_log_draw(ngx_vidcast_capture_t *capture,
    const char *reason);
void ngx_vidcast_capture_log_predictor(ngx_vidcast_capture_t *capture,
    ngx_uint_t level, const char *what, const u_char *reason);
void ngx_vidcast_capture_log_remote(ngx_vidcast_capture_t *capture,
    const u_char *reason);
void ngx_vidcast_capture_log_state(ngx_vidcast_capture_t *capture,
    ngx_uint_t state, const u_char *reason);
void ngx_vidcast_capture_log_said(ngx_vidcast_capture_t *capture,
    int level, const char *line);
void ngx_vidcast_capture_log_more(ngx_vidcast_capture_t *capture);

/* the input thread; "data" is the capture */
void *ngx_vidcast_input_thread(void *data);


/*
 * encode() takes over the reference to a raw picture, which comes out in the
 * order of the calls; drain() returns when all of them are published.
 */
ngx_vidcast_encoder_pool_t *ngx_vidcast_encoder_pool_create(
    ngx_vidcast_capture_t *capture);
void ngx_vidcast_encoder_pool_encode(ngx_vidcast_encoder_pool_t *encoders,
    ngx_vidcast_raw_t *raw);
void ngx_vidcast_encoder_pool_drain(ngx_vidcast_encoder_pool_t *encoders);


/* whether the source has viewers; of the input thread */

typedef struct {
    ngx_vidcast_capture_t        *capture;
    uint64_t                      wanted;    /* at last, us */
    uint64_t                      looked;
    uint64_t                      asked;     /* as it was when all had gone */
    uint64_t                      published; /* frames, likewise */
    ngx_uint_t                    gone;
    ngx_uint_t                    woken;     /* no frame was published since */
} ngx_vidcast_on_demand_t;


/*
 * Has the source had no viewer for the time set?  Never with "on_demand
 * off".  Cheap enough to be asked for each frame.
 */
ngx_uint_t ngx_vidcast_on_demand_gone(ngx_vidcast_on_demand_t *demand);

/* all have gone(), and the input is closed: returns when a viewer comes */
void ngx_vidcast_on_demand_sleep(ngx_vidcast_on_demand_t *demand);

/*
 * After each frame of an input that goes as fast as it can: returns when the
 * first one since sleep() is in the hands of a viewer of pictures, if there is
 * one, so that no other takes its place.
 */
void ngx_vidcast_on_demand_first(ngx_vidcast_on_demand_t *demand);


/*
 * Pictures with boxes drawn in, for viewers that cannot draw them themselves:
 * a ring of its own, in the zone of the source's overlay, filled by a thread
 * of the capture as long as it has viewers.  NGX_OK; NGX_ERROR: logged,
 * or no memory.
 */
ngx_int_t ngx_vidcast_overlay_create(ngx_vidcast_capture_t *capture);


#endif /* _NGX_VIDCAST_CAPTURE_H_INCLUDED_ */
