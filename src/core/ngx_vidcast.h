
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_H_INCLUDED_
#define _NGX_VIDCAST_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_VIDCAST_MAX_NAME       63      /* bytes of a source's name */
#define NGX_VIDCAST_MAX_SOURCES    256
#define NGX_VIDCAST_MAX_OUTPUTS    4       /* of a source */
#define NGX_VIDCAST_MAX_DIMENSION  16384   /* pixels, width or height */
#define NGX_VIDCAST_MAX_FPS        1000
#define NGX_VIDCAST_ERROR_LEN      256     /* with the terminating null */


/*
 * Time, in microseconds.  "pts" is that of a film, since its start, which it
 * reaches again when it is played again; NO_PTS: the picture is live.  "media
 * time" is what passes in the pictures, for predictors: it never goes back,
 * goes by "pts" where there is one, however fast the film is played, and else
 * by the time of capture.
 */

#define NGX_VIDCAST_NO_PTS         (-1)


/*
 * A picture in memory.  I420: three planes, full width and height for Y,
 * halves rounded up for U and V; GRAY8: plane[0] only, the others are NULL.
 * Strides are in bytes.  The maker of an image owns its planes.
 */

typedef struct {
    u_char                        *plane[3];
    uint32_t                       stride[3];
    uint32_t                       width;
    uint32_t                       height;
} ngx_vidcast_image_t;


/* frames that wait for results which come from another machine, at most */

#define NGX_VIDCAST_REMOTE_KEEPS   16


typedef struct ngx_vidcast_input_module_s    ngx_vidcast_input_module_t;
typedef struct ngx_vidcast_predict_module_s  ngx_vidcast_predict_module_t;
typedef struct ngx_vidcast_output_module_s   ngx_vidcast_output_module_t;
typedef struct ngx_vidcast_source_s          ngx_vidcast_source_t;
typedef struct ngx_vidcast_zone_s            ngx_vidcast_zone_t;


typedef struct ngx_vidcast_input_conf_s      ngx_vidcast_input_conf_t;

struct ngx_vidcast_input_conf_s {
    ngx_vidcast_input_module_t    *module;
    ngx_str_t                      source;   /* its name, terminated */
    ngx_str_t                      uri;      /* for logs: without secrets */
    ngx_str_t                      path;     /* behind the scheme */
    ngx_str_t                      ca;       /* file, or empty */
    uint32_t                       width;    /* asked; 0 is any */
    uint32_t                       height;
    double                         fps;      /* asked; 0 is any */
    ngx_uint_t                     warmup;   /* frames to skip at first */
    ngx_msec_t                     timeout;  /* of a call of the module */
    ngx_uint_t                     orientation;  /* of the camera, by EXIF */
    ngx_uint_t                     truncated; /* JPEGs may lack their end */
    ngx_uint_t                     push;     /* workers take pictures for it */
    ngx_uint_t                     remote;   /* others have its numbers, too */
    void                          *params;   /* the module's own */
    ngx_uint_t                     lossless;    /* no frame may be skipped */
    ngx_uint_t                     rereads;  /* new files, without a reload */
    ngx_uint_t                     line;     /* of the configuration */
    ngx_array_t                    args;     /* of ngx_str_t, as written */

    /* set by check(): what is left to be looked at when all is known */

    ngx_int_t (*validate_late)(ngx_vidcast_source_t *source,
                               ngx_cycle_t *cycle, u_char *error);
};


#define NGX_VIDCAST_PREDICT_ALWAYS  0
#define NGX_VIDCAST_PREDICT_CHANGE  1      /* only new ones */


typedef struct {
    ngx_vidcast_predict_module_t  *module;   /* NULL is no predictor */
    ngx_uint_t                     emit;     /* which results */
    ngx_str_t                      zones;    /* for the status, as JSON */
    void                          *params;   /* the module's own */
    ngx_uint_t                     every;    /* so many frames one */
    ngx_uint_t                     line;     /* of the directive */
    ngx_array_t                    args;     /* of ngx_str_t, as written */
    u_char                        *error;    /* why it cannot run any more */

    ngx_msec_t                     timeout;  /* for one frame */

    /* of predictors which have processes of their own */

    ngx_uint_t                     workers;  /* processes; 0: no such one */
    ngx_msec_t                     start;    /* time till the first answer */
    ngx_msec_t                     pause;    /* when it died too often */
    size_t                         memory;   /* bytes; 0: no limit */
    ngx_uint_t                     open;     /* without a sandbox */
} ngx_vidcast_predict_conf_t;


typedef struct {
    ngx_vidcast_output_module_t   *module;
    ngx_str_t                      source;   /* its name, terminated */
    ngx_str_t                      uri;      /* for logs: without secrets */
    ngx_str_t                      path;     /* behind the scheme */
    void                          *params;   /* the module's own */
    ngx_uint_t                     index;    /* among those of its source */
    ngx_uint_t                     line;     /* of the directive */
    ngx_array_t                    args;     /* of ngx_str_t, as written */
} ngx_vidcast_output_conf_t;


typedef struct {
    uint32_t                       slots;
    uint32_t                       slot_size;    /* largest frame, bytes */
    uint32_t                       results;
    uint32_t                       result_size;  /* largest result, bytes */
} ngx_vidcast_geometry_t;


/*
 * The pictures of a source in a ring, and with it a zone, of their own: the
 * original ones, or an overlay, the same with boxes drawn in.  "slots" and
 * "zone" are set when the shared memory is.
 */

typedef struct {
    ngx_vidcast_source_t          *source;
    ngx_uint_t                     index;        /* among all renditions */
    ngx_vidcast_geometry_t         geometry;
    ngx_uint_t                     encoders;     /* each claims a slot */
    ngx_uint_t                     predictors;   /* processes */
    ngx_uint_t                     outputs;      /* each pins a slot */
    ngx_shm_zone_t                *shm_zone;
    ngx_vidcast_zone_t            *zone;
} ngx_vidcast_rendition_t;


/*
 * One vidcast_source block.  Read-only once the workers run; "entry" and
 * "memory" are set when the shared memory is.
 */

struct ngx_vidcast_source_s {
    ngx_str_t                      name;
    ngx_vidcast_input_conf_t       input;
    ngx_vidcast_predict_conf_t     predict;
    ngx_vidcast_output_conf_t      outputs[NGX_VIDCAST_MAX_OUTPUTS];
    ngx_uint_t                     noutputs;
    ngx_vidcast_rendition_t        original;
    ngx_vidcast_rendition_t       *overlay;      /* NULL: nobody may see one */
    ngx_uint_t                     quality;
    ngx_msec_t                     stale;
    ngx_msec_t                     on_demand;    /* 0: always open */
    uint64_t                       fingerprint;
    uint64_t                       memory;       /* tells rings apart */
    ngx_uint_t                     entry;        /* in the control zone */
    ngx_shm_zone_init_pt           init;         /* of the original's zone */
    ngx_cycle_t                   *cycle;
    ngx_pool_t                    *pool;         /* of the configuration */
    u_char                        *file;         /* place of the block */
    ngx_uint_t                     line;
    unsigned                       again:1;      /* read in another process */
};


/* CLOCK_MONOTONIC in microseconds; the same in all processes */

static ngx_inline uint64_t
ngx_vidcast_clock(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}


/*
 * Waits until that time is "due", but 200 ms at most.  NGX_OK: it has come;
 * NGX_AGAIN: not yet.
 */
ngx_int_t ngx_vidcast_clock_wait(uint64_t due);


/*
 * For one that judges others by their time, and looks several times a second:
 * since when, in us, it has run itself.  Before that it had not for a second
 * or more, as the machine was suspended, or the process stopped; and so may
 * have been those that it judges.
 */

typedef struct {
    uint64_t                       looked;
    uint64_t                       since;
} ngx_vidcast_clock_gap_t;


uint64_t ngx_vidcast_clock_since(ngx_vidcast_clock_gap_t *gap);


#endif /* _NGX_VIDCAST_H_INCLUDED_ */
