
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_ZONE_H_INCLUDED_
#define _NGX_VIDCAST_ZONE_H_INCLUDED_


#include "core/ngx_vidcast.h"
#include "shm/ngx_vidcast_memory.h"
#include "shm/ngx_vidcast_publish_handoff.h"
#include "shm/ngx_vidcast_predictor_mailbox.h"
#include "shm/ngx_vidcast_ring.h"


/*
 * The shared memory of a configuration: one control zone, which tells all
 * processes of all generations what they are and what is wanted, and one zone
 * for each source.  It lies in memfds, which are made by the master before any
 * fork, as are eventfds and a pipe, and belongs to the contexts here, which
 * live as long as a configuration refers to them.  Of nginx's own zones nothing
 * is used but their names and sizes: by these it finds over a reload the
 * context of before.
 */

#define NGX_VIDCAST_CONTROL_NAME    "vidcast_control:1"
#define NGX_VIDCAST_ZONE_PREFIX     "vidcast:"
#define NGX_VIDCAST_OVERLAY_PREFIX  "vidcast_overlay:"

#define NGX_VIDCAST_ENTRIES        512     /* of sources; some are leaving */
#define NGX_VIDCAST_PROCESSES      1024
#define NGX_VIDCAST_NO_PROCESS     NGX_VIDCAST_PROCESSES

#define NGX_VIDCAST_LINGER         700000  /* us without workers, then leave */
#define NGX_VIDCAST_LINGER_NEW     10000000  /* new ones have yet to come */


typedef enum {
    NGX_VIDCAST_OFF = 0,
    NGX_VIDCAST_STARTING,
    NGX_VIDCAST_LIVE,
    NGX_VIDCAST_STALE,
    NGX_VIDCAST_RECONNECTING,
    NGX_VIDCAST_FAILED,
    NGX_VIDCAST_ENDED,
    NGX_VIDCAST_SLEEPING,
    NGX_VIDCAST_STATES
} ngx_vidcast_state_e;


typedef enum {
    NGX_VIDCAST_WEBSOCKET = 0,
    NGX_VIDCAST_SSE,
    NGX_VIDCAST_MJPEG,
    NGX_VIDCAST_NDJSON,
    NGX_VIDCAST_SNAPSHOT,
    NGX_VIDCAST_TRANSPORTS
} ngx_vidcast_transport_e;


/* counted beside the transports: viewers of any that see the overlay */

#define NGX_VIDCAST_OVERLAID  NGX_VIDCAST_TRANSPORTS


/* and those that can be sent pictures straight from the memfd */

#define NGX_VIDCAST_SENDFILE    (NGX_VIDCAST_TRANSPORTS + 1)


/* and those that see pictures of the source itself */

#define NGX_VIDCAST_PICTURED    (NGX_VIDCAST_TRANSPORTS + 2)


/*
 * Why a viewer of pictures has not got one that was published: it, or its
 * worker, was too slow, or wanted fewer a second, or had paused, or still had
 * to acknowledge one, or gets pairs, and this one had no result to be told; or
 * it was not sent yet when the viewer left.
 */

typedef enum {
    NGX_VIDCAST_SKIP_SLOW = 0,
    NGX_VIDCAST_SKIP_FPS,
    NGX_VIDCAST_SKIP_PAUSED,
    NGX_VIDCAST_SKIP_UNACKNOWLEDGED,
    NGX_VIDCAST_SKIP_UNPAIRED,
    NGX_VIDCAST_SKIP_LEFT,
    NGX_VIDCAST_SKIPS
} ngx_vidcast_skip_e;


/* a source as the newest configuration wants it */

typedef struct {
    uint64_t                     fingerprint;
    uint64_t                     memory;      /* which its rings are in */
    uint32_t                     wanted;
    uint32_t                     unused[11];
} ngx_vidcast_entry_t;


/*
 * And as the master knows it.  The master is root, and looks at nothing that
 * others can write: which entry is whose, and which one is free, it must not
 * be told by a worker.
 */

typedef struct {
    u_char                       name[NGX_VIDCAST_MAX_NAME + 1];
    u_char                       wanted;
} ngx_vidcast_owner_t;


/* a worker */

typedef struct {
    int64_t                      pid;        /* 0: free */
    uint64_t                     generation;
    uint32_t                     exiting;
    uint32_t                     unused[3];
} ngx_vidcast_process_t;


typedef struct {
    uint64_t                     generation;
    uint64_t                     manager_generation;
    uint64_t                     manager_restarts;
    uint64_t                     served;      /* newest with a worker */
    uint64_t                     manager_beat;
    uint64_t                     manager_hung;
    uint32_t                     retired;
    uint32_t                     unused[1];
    ngx_vidcast_entry_t          sources[NGX_VIDCAST_ENTRIES];
    ngx_vidcast_process_t        processes[NGX_VIDCAST_PROCESSES];
} ngx_vidcast_control_shm_t;


typedef struct {
    ngx_vidcast_control_shm_t   *shm;
    ngx_vidcast_memory_t         contents;      /* where that is */
    ngx_fd_t                     locks;         /* of nginx's processes */
    ngx_fd_t                     predictors;    /* locks of predictors */
    ngx_fd_t                     alive[2];      /* ends when all nginx ended */
    ngx_uint_t                   refs;          /* configurations */
    ngx_uint_t                   worker_index;  /* ours, or NO_PROCESS */

    /* the master's */

    uint64_t                     generation;
    ngx_vidcast_owner_t          owners[NGX_VIDCAST_ENTRIES];
} ngx_vidcast_control_t;


/* what one worker says of one source; written by that worker only */

typedef struct {
    uint32_t                     viewers[8];
    uint64_t                     frames;
    uint64_t                     results;
    uint64_t                     frames_skipped;   /* all but "left" */
    uint64_t                     results_skipped;
    uint64_t                     skips[NGX_VIDCAST_SKIPS];  /* of frames */
    uint64_t                     unpublished;
    uint64_t                     cut;        /* frames: it left meanwhile */
    uint64_t                     results_left;
    uint64_t                     bytes;
    uint64_t                     stalled;
    uint64_t                     refused;
    uint64_t                     publishers; /* now */
    uint64_t                     published;  /* messages that were taken */
    uint64_t                     received;   /* bytes of them */
    uint64_t                     unwanted;   /* and those that were not */
    uint64_t                     slow;       /* of them, not ended in time */
    uint64_t                     no_memory;  /* messages lost for want of it */
    uint64_t                     commands;   /* of viewers */
    uint64_t                     talkative;  /* viewers closed for them */
    uint64_t                     waits;      /* of peers, to be read */
} ngx_vidcast_worker_stats_t;


/* how an output of a source fares */

typedef enum {
    NGX_VIDCAST_OUTPUT_OFF = 0,
    NGX_VIDCAST_OUTPUT_STARTING,
    NGX_VIDCAST_OUTPUT_LIVE,
    NGX_VIDCAST_OUTPUT_WAITING,          /* and will be live by itself */
    NGX_VIDCAST_OUTPUT_FAILED,           /* it is opened anew after a pause */
    NGX_VIDCAST_OUTPUT_HUNG,             /* its plugin does not come back */
    NGX_VIDCAST_OUTPUT_STATES
} ngx_vidcast_output_state_e;


/* written by the capture only, as all below */

typedef struct {
    uint32_t                     state;
    uint32_t                     readers;       /* that have asked, of late */
    uint64_t                     changed;       /* CLOCK_MONOTONIC, us */
    uint64_t                     frames;        /* given on */
    uint64_t                     results;
    uint64_t                     bytes;         /* of both */
    uint64_t                     skipped;       /* frames: not fast enough */
    uint64_t                     too_large;     /* frames, for what is there */
    uint64_t                     lost;          /* results, gone before */
    uint64_t                     reconnects;
    u_char                       error[NGX_VIDCAST_ERROR_LEN];
} ngx_vidcast_output_stats_t;


typedef struct {
    uint64_t                     grabbed;
    uint64_t                     captured;
    uint64_t                     published;
    uint64_t                     offered;        /* to the predictor */
    uint64_t                     predicted;

    /*
     * A frame that is grabbed and not published is in one of these, the first
     * six of which are not captured either
     */

    uint64_t                     bad_frame;
    uint64_t                     warmup;
    uint64_t                     late;
    uint64_t                     sequence_gap;
    uint64_t                     fps_limit;
    uint64_t                     held;           /* as it is damaged */
    uint64_t                     too_large;
    uint64_t                     ring_full;
    uint64_t                     encoder_busy;
    uint64_t                     encoder_error;
    uint64_t                     overtaken;      /* by a newer one */
    uint64_t                     no_memory;
    uint64_t                     unfinished;     /* when a capture ended */

    /* and one that was offered to the predictor, and not predicted, in these */

    uint64_t                     every;
    uint64_t                     predictor_busy;
    uint64_t                     predictor_error;
    uint64_t                     no_result;
    uint64_t                     gone;           /* from the ring */
    uint64_t                     interrupted;    /* when a capture ended */

    uint64_t                     damaged;        /* shown or not */
    uint64_t                     tables_inserted;
    uint64_t                     trailing;       /* bytes were cut off */
    uint64_t                     truncated;      /* shown all the same */
    uint64_t                     direct;
    uint64_t                     pushed;         /* results */
    uint64_t                     received;       /* results, from elsewhere */
    uint64_t                     unreadable;     /* of them */
    uint64_t                     opened;
    uint64_t                     lost;
    uint64_t                     encode_time;    /* us, sum */
    uint64_t                     predict_time;   /* us, sum */
} ngx_vidcast_counters_t;


typedef struct {
    uint32_t                     state;
    uint32_t                     sandbox;       /* what it lacks, of os/ */
    int64_t                      pid;           /* of the capture */
    uint64_t                     fingerprint;   /* of what is in the ring */
    uint64_t                     changed;       /* CLOCK_MONOTONIC, us */
    uint64_t                     last;          /* frame, likewise; 0: none */
    uint64_t                     life;          /* proof of it, likewise */
    uint64_t                     beat;          /* of its main loop */
    uint64_t                     input_turn;    /* of a thread, see below */
    uint64_t                     predict_turn;
    uint64_t                     restarts;      /* of the capture */
    uint64_t                     hung;          /* captures, and were killed */
    uint64_t                     predicting;    /* number of the frame */
    uint64_t                     asked;         /* by a viewer, at last, us */
    uint64_t                     epoch;         /* to begin with; 0: as it is */
    uint32_t                     width;
    uint32_t                     height;
    uint32_t                     asked_mfps;    /* frames in 1,000 s */
    uint32_t                     published_mfps;
    uint32_t                     predicted_mfps;
    uint32_t                     predict_time;  /* us, the last one */
    u_char                       error[NGX_VIDCAST_ERROR_LEN];
    u_char                       refused[NGX_VIDCAST_ERROR_LEN]; /* why, last */
    ngx_vidcast_handoff_t        handoff;

    /* to each predictor, at last, us; 0: its answer came */

    uint64_t                     given[NGX_VIDCAST_MAX_PREDICTORS];
    ngx_vidcast_counters_t       counters;
    ngx_vidcast_output_stats_t   outputs[NGX_VIDCAST_MAX_OUTPUTS];
    ngx_vidcast_worker_stats_t   worker_stats[NGX_VIDCAST_PROCESSES];
} ngx_vidcast_zone_shm_t;


struct ngx_vidcast_zone_s {
    ngx_vidcast_zone_shm_t      *shm;
    ngx_vidcast_ring_t           ring;
    ngx_vidcast_memory_t         contents;     /* where the former two are */
    ngx_vidcast_memory_t         frames;       /* of the ring */
    ngx_vidcast_mailboxes_t      mailboxes;
    uint64_t                     epoch;        /* as the master made it */
    ngx_fd_t                     wake_workers; /* eventfd, capture to workers */
    ngx_fd_t                     wake_capture; /* eventfd, workers to capture */
    ngx_uint_t                   refs;         /* configurations */
};


/* all of one configuration; in its cycle's pool */

typedef struct {
    ngx_cycle_t                 *cycle;
    ngx_array_t                  sources;    /* of ngx_vidcast_source_t * */
    ngx_array_t                  renditions; /* of ngx_vidcast_rendition_t * */
    ngx_shm_zone_t              *shm_zone;   /* of control */
    ngx_vidcast_control_t       *control;
    uint64_t                     generation;
    ngx_uint_t                   sandbox;    /* flags of os/, for all */
    ngx_msec_t                   watchdog;   /* of main loops, 0: off */
} ngx_vidcast_conf_t;


/* without sources, of memory that is zero; NGX_OK or NGX_ERROR */
ngx_int_t ngx_vidcast_conf_init(ngx_vidcast_conf_t *conf, ngx_cycle_t *cycle);

/*
 * Adds a source and its zone, and that of the control with the first one;
 * add_overlay() the zone of its overlay.  The sizes are settled later, when
 * worker_processes is known for sure.  NGX_OK; NGX_ERROR, logged.
 */
ngx_int_t ngx_vidcast_zone_add(ngx_conf_t *cf, ngx_vidcast_conf_t *conf,
    ngx_vidcast_source_t *source, void *tag);
ngx_int_t ngx_vidcast_zone_add_overlay(ngx_conf_t *cf,
    ngx_vidcast_conf_t *conf, ngx_vidcast_source_t *source, void *tag);

/*
 * In a process that was handed the descriptors: maps what they are.  Of the
 * control zone these are its contents, the same read-only, locks, locks of
 * predictors, and the end of the alive pipe; of a rendition, whose geometry is
 * known, the contents and the frames, each with the same read-only, and the two
 * that wake workers and capture; if it has predictors also the bell, and a
 * mailbox for each.  One that the process is not to have is NGX_INVALID_FILE.
 * Without "frames" these are not mapped.  NGX_ERROR: see errno.
 */
#define NGX_VIDCAST_CONTROL_FILES  5
#define NGX_VIDCAST_ZONE_LEAST     6      /* without mailboxes */
#define NGX_VIDCAST_ZONE_FILES     (NGX_VIDCAST_MAX_PREDICTORS + 7)

ngx_int_t ngx_vidcast_control_attach(ngx_vidcast_control_t *control,
    ngx_fd_t *fds);
ngx_int_t ngx_vidcast_zone_attach(ngx_vidcast_rendition_t *rendition,
    ngx_fd_t *fds, ngx_uint_t n, ngx_uint_t frames, ngx_pool_t *pool);

/*
 * What a capture had in hand, by its counters, when it ended: frames that were
 * neither published nor lost for a reason, and those that were offered to the
 * predictor, without an end.  balance() is for the next one, whose threads do
 * not run yet: it counts them.
 */
uint64_t ngx_vidcast_zone_unfinished(ngx_vidcast_counters_t *counters);
uint64_t ngx_vidcast_zone_interrupted(ngx_vidcast_counters_t *counters);
void ngx_vidcast_zone_balance(ngx_vidcast_zone_t *zone);

/*
 * A thread enters what is not ours, a driver or a library, or comes back from
 * it: its turn is odd meanwhile.  Another process sees whether that goes on.
 */
#define ngx_vidcast_turn(turn)  ngx_vidcast_store(turn, *(turn) + 1)

/* wakes all workers which have viewers of the source */
void ngx_vidcast_zone_wake_workers(ngx_vidcast_zone_t *zone);

/*
 * The other way: wake_capture() wakes the source's capture, where wait_wake()
 * waits for it, or until "timeout" ms have passed, NGX_AGAIN; it tells nothing
 * but to look again.
 */
void ngx_vidcast_zone_wake_capture(ngx_vidcast_zone_t *zone);
ngx_int_t ngx_vidcast_zone_wait_wake(ngx_vidcast_zone_t *zone, int timeout);

/*
 * A viewer is there, and if it stays it is counted already: a sleeping capture
 * is woken, and one that is awake stays so for its time.
 */
void ngx_vidcast_zone_wake_on_demand(ngx_vidcast_zone_t *zone);

/* state in the words of the status page, of a source and of an output */
ngx_str_t *ngx_vidcast_state_name(ngx_uint_t state);
ngx_str_t *ngx_vidcast_output_state_name(ngx_uint_t state);


/*
 * What can keep memory from being made: limits of the process, of the system,
 * and sandboxes.  It is met in the master, which must neither die of it nor
 * leave the reader of the log without its name.
 */

/* is there address space for so many bytes more?  NGX_ERROR: errno */
ngx_int_t ngx_vidcast_limit_space(size_t size);

/*
 * Above "fd", the highest one, descriptors must be left for the channels of
 * the workers: a master that has none for them starts no worker, and has told
 * the old ones to leave.  NGX_ERROR: there are not enough, errno.
 */
ngx_int_t ngx_vidcast_limit_files(ngx_cycle_t *cycle, ngx_fd_t fd);

/*
 * Says that memory cannot be made: what failed, for how many bytes, 0: none
 * to be told, for which source, NULL: for all of them, and the limit that
 * "err" hints at.
 */
void ngx_vidcast_limit_log(ngx_log_t *log, ngx_err_t err, const char *what,
    size_t size, ngx_str_t *source);


#endif /* _NGX_VIDCAST_ZONE_H_INCLUDED_ */
