
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_INPUT_H_INCLUDED_
#define _NGX_VIDCAST_INPUT_H_INCLUDED_


#include "media/ngx_vidcast_jpeg.h"
#include "shm/ngx_vidcast_zone.h"


/* what an input delivers; settled by open(), or by each picture: ANY */

#define NGX_VIDCAST_INPUT_JPEG  0
#define NGX_VIDCAST_INPUT_I420  1
#define NGX_VIDCAST_INPUT_ANY   2

/* what grab() says besides nginx's codes */

#define NGX_VIDCAST_INPUT_UNCHANGED  1
#define NGX_VIDCAST_INPUT_RESULT     2
#define NGX_VIDCAST_INPUT_WAITING    3

/* what an input is; see "flags" */

#define NGX_VIDCAST_INPUT_FILE     0x1
#define NGX_VIDCAST_INPUT_PASSIVE  0x2
#define NGX_VIDCAST_INPUT_SESSION  0x4
#define NGX_VIDCAST_INPUT_RAW      0x8


typedef struct ngx_vidcast_capture_s  ngx_vidcast_capture_t;


/*
 * What an input may call of the capture process that it runs in.
 *
 * claim()           a slot of the ring to write a JPEG into, or
 *                   NGX_VIDCAST_RING_NONE: all are pinned
 * abandon()         gives it back
 * publish_result()  makes a JSON text a result, whose number is *seq, without
 *                   waking the workers, and the source live.  NGX_OK;
 *                   NGX_DECLINED: it is too large
 * log_said()        a line of a plugin, at its level, within limits
 */

typedef struct {
    uint32_t    (*claim)(ngx_vidcast_capture_t *capture);
    void        (*abandon)(ngx_vidcast_capture_t *capture, uint32_t slot);
    ngx_int_t   (*publish_result)(ngx_vidcast_capture_t *capture,
                      const u_char *json, size_t size, uint64_t *seq);
    void        (*log_said)(ngx_vidcast_capture_t *capture, int level,
                      const char *line);
} ngx_vidcast_input_host_t;


/* frames that an input lost, by the reasons that the status has for them */

typedef struct {
    uint32_t                   bad_frame;
    uint32_t                   late;         /* a newer one is there */
    uint32_t                   sequence_gap; /* lost by the device's driver */
    uint32_t                   fps_limit;    /* more than conf->fps */
    uint32_t                   held;         /* damaged, and not shown */

    uint32_t                   damaged;      /* shown or not */
} ngx_vidcast_input_dropped_t;


/* one opened input; made by the capture process, used by its input thread */

typedef struct {
    ngx_vidcast_input_conf_t  *conf;
    ngx_log_t                 *log;
    ngx_vidcast_source_t      *source;
    ngx_vidcast_control_t     *control;
    ngx_vidcast_input_host_t  *host;
    ngx_vidcast_capture_t     *capture;   /* for the host's functions */
    void                      *data;      /* the module's own state */
    int                       *stop;      /* nonzero there: see open() */

    /* set by open() */

    ngx_uint_t                 format;
    uint32_t                   width;     /* pixels; I420 only */
    uint32_t                   height;
    double                     fps;       /* frames a second, 0: unknown */

    /* set by the caller, zero at grab(): what became of the picture */

    uint64_t                   number;    /* of the frame, 0: it is none */
    ngx_uint_t                 large;     /* since it is too large, */
    ngx_uint_t                 bad;       /* or could not be turned */

    /* added to by grab(), whatever it returns; the caller takes it away */

    ngx_vidcast_input_dropped_t  dropped;

    /* why the last call failed, in words, terminated */

    u_char                     error[NGX_VIDCAST_ERROR_LEN];
} ngx_vidcast_input_t;


/*
 * Of a source that is somewhere else: the numbers which its frames and results
 * have there, and keep here, in a series of them, the epoch; 0: they get
 * numbers here.
 */

typedef struct {
    uint64_t                   epoch;
    uint64_t                   number;    /* of the frame; rises in an epoch */
    uint64_t                   time;      /* of capture, since 1970, us */
} ngx_vidcast_identity_t;


typedef struct {
    uint64_t                   epoch;
    uint64_t                   seq;       /* rises in an epoch */
    uint64_t                   frame;     /* number, or 0 */
    const u_char              *json;      /* not looked at yet */
    size_t                     size;
} ngx_vidcast_remote_result_t;


typedef struct {
    uint64_t                   time;      /* of capture, CLOCK_MONOTONIC, us */
    int64_t                    pts;       /* of a film; NO_PTS at grab() */
    ngx_vidcast_image_t       *image;     /* I420: given by the caller */
    const u_char              *data;      /* JPEG: valid until release() */
    size_t                     size;
    ngx_vidcast_jpeg_info_t    info;      /* JPEG: what its probe found */
    uint32_t                   slot;      /* lent: of the ring, with data */
    ngx_uint_t                 lent;      /* it came in a slot */
    ngx_vidcast_image_t        view;      /* I420: valid until release() */
    ngx_uint_t                 orientation;  /* by EXIF's numbers; zero is
                                          upright; after a JPEG's own */
    ngx_vidcast_identity_t     identity;
    ngx_vidcast_remote_result_t  result;  /* RESULT: rather than a picture */
} ngx_vidcast_picture_t;


/*
 * flags      FILE: the path names files: a relative one, which the capture
 *            process would look for in its own directory, is made full by
 *            nginx's prefix before check().
 *            PASSIVE: it has no device that could be closed, and takes what
 *            others bring: "on_demand" and "warmup" are refused.
 *            SESSION: a server goes on sending for a while unless it is told
 *            of the end: a process that leaves waits a moment for close().
 *            RAW: it never gives a JPEG: "truncated" is refused.
 *
 * set()      at configuration, in the master: one "name=value" of the input
 *            directive.  Common ones (size=, fps=) are set through here as
 *            well, by those inputs which have them.  One that may wait for
 *            the encoders and the predictor sets conf->lossless, by
 *            "realtime=off".
 *            NGX_OK; NGX_DECLINED: no such parameter; NGX_ERROR: bad value.
 *
 * check()    at configuration, after all set(): is it whole and sensible?
 *            Touches no device.  NGX_OK; NGX_ERROR: reason in "error".  Sets
 *            conf->rereads if the input finds what became of its files by
 *            itself, so that a reload need not begin it anew.  May set
 *            conf->validate_late, which is called when all of the
 *            configuration has been read, so that nginx's "user" is known;
 *            it returns the same, with NGX_OK perhaps a warning in "error".
 *
 * open()     in the capture process.  NGX_OK; NGX_BUSY: another program has
 *            the device; NGX_AGAIN: there is nothing to be opened yet, which
 *            is cheap to find out; NGX_ERROR.  All but the first with the
 *            reason in in->error, and with nothing left open.  One that takes
 *            longer than 200 ms gives up when *in->stop becomes nonzero.
 *
 * grab()     the next picture, as soon as it is there.  Blocks for 200 ms at
 *            most.  JPEG: data, size and info are set, by input_jpeg(), the
 *            one look at this picture.
 *            I420: the planes of picture->image, which has the size that
 *            open() told, are filled.  ANY: as JPEG, or else view is set.
 *            An input whose source changes may tell another format, size and
 *            rate with NGX_AGAIN.
 *            NGX_OK; NGX_AGAIN: none yet; NGX_BUSY: none, and no publisher to
 *            give one, reason in in->error; NGX_DECLINED: a bad frame, to
 *            be counted and skipped, reason in in->error; NGX_DONE: the source
 *            has ended; NGX_ERROR: the device is lost, reason in in->error,
 *            close() comes next.  A JPEG may come in a slot of the ring, which
 *            becomes the frame or, if in->number is zero at release(), is
 *            the module's own again.
 *            NGX_VIDCAST_INPUT_UNCHANGED: none, since the source was asked
 *            and says that the last picture, good or bad, is still what there
 *            is to see.  It is for inputs that poll, once for each answer and
 *            not while they only wait for their turn, which is NGX_AGAIN; the
 *            first picture after open() is always given.  It is proof of life,
 *            as a published frame is: the source stays "live", unless that
 *            last picture was refused.  A source that does not answer gives
 *            none, and becomes "stale".
 *
 *            NGX_VIDCAST_INPUT_WAITING: as NGX_AGAIN; something is wrong, by
 *            the reason in in->error, which the input mends by itself.
 *            NGX_VIDCAST_INPUT_RESULT: "result" is set, of a source that has
 *            its predictor somewhere else.  release() follows.
 *
 * release()  after each grab() that said NGX_OK or NGX_VIDCAST_INPUT_RESULT,
 *            with what became of the picture.  May be NULL.
 *
 * close()    after each open() that said NGX_OK; but a process that leaves
 *            may end before it, unless the flag SESSION is set: the kernel
 *            gives back what is open.
 *
 * needs()    in the capture process, before all open(): VIDCAST_NEEDS_*, all
 *            else is refused from then on; 0: not known.  NULL: it computes,
 *            and reads files.
 *
 * One that does not come back from open(), grab() or close() for conf->timeout,
 * which set() may change, and 5 s, is judged to hang, and its process killed.
 *
 * "params" is what create_params() gave; it is found in in->conf->params.
 * One module, several sources: no static state.
 */

struct ngx_vidcast_input_module_s {
    ngx_str_t     scheme;
    ngx_uint_t    flags;
    void       *(*create_params)(ngx_pool_t *pool);
    ngx_int_t   (*set)(ngx_vidcast_input_conf_t *conf, ngx_str_t *name,
                      ngx_str_t *value);
    ngx_int_t   (*check)(ngx_vidcast_input_conf_t *conf, u_char *error);
    ngx_int_t   (*open)(ngx_vidcast_input_t *in);
    ngx_int_t   (*grab)(ngx_vidcast_input_t *in,
                      ngx_vidcast_picture_t *picture);
    void        (*release)(ngx_vidcast_input_t *in);
    void        (*close)(ngx_vidcast_input_t *in);
    ngx_uint_t  (*needs)(ngx_vidcast_input_conf_t *conf);
};


/* finds the module of "scheme:path" and splits it; NULL: unknown scheme */
ngx_vidcast_input_module_t *ngx_vidcast_input_find(ngx_str_t *uri,
    ngx_str_t *path);

/* what to say of a URI that has none: is it a file, or which ones are there? */
void ngx_vidcast_input_unknown(ngx_str_t *uri, u_char *error);

/* is it clear where its host begins?  NGX_OK, NGX_ERROR: reason in "error" */
ngx_int_t ngx_vidcast_input_check_uri(ngx_str_t *uri, u_char *error);

/*
 * For grab(): these data are to be the picture, "data", "size" and "info" of
 * which are set.  NGX_OK; NGX_DECLINED: it is none for viewers, reason in
 * in->error, and in picture->info.fault.
 */
ngx_int_t ngx_vidcast_input_jpeg(ngx_vidcast_input_t *in,
    ngx_vidcast_picture_t *picture, const u_char *data, size_t size);

/*
 * What may be told of a URI: user, password and query are left out of it, or
 * all of it where they are not clear.  NGX_OK, NGX_ERROR: no memory.
 */
ngx_int_t ngx_vidcast_input_redact(ngx_pool_t *pool, ngx_str_t *uri,
    ngx_str_t *told);


extern ngx_vidcast_input_module_t  ngx_vidcast_input_test;
extern ngx_vidcast_input_module_t  ngx_vidcast_input_images;
extern ngx_vidcast_input_module_t  ngx_vidcast_input_v4l2;
extern ngx_vidcast_input_module_t  ngx_vidcast_input_push;
extern ngx_vidcast_input_module_t  ngx_vidcast_input_file;
extern ngx_vidcast_input_module_t  ngx_vidcast_input_rtsp;
extern ngx_vidcast_input_module_t  ngx_vidcast_input_rtsps;
extern ngx_vidcast_input_module_t  ngx_vidcast_input_rtmp;
extern ngx_vidcast_input_module_t  ngx_vidcast_input_srt;
extern ngx_vidcast_input_module_t  ngx_vidcast_input_udp;
extern ngx_vidcast_input_module_t  ngx_vidcast_input_pipe;
extern ngx_vidcast_input_module_t  ngx_vidcast_input_http;
extern ngx_vidcast_input_module_t  ngx_vidcast_input_https;
extern ngx_vidcast_input_module_t  ngx_vidcast_input_nats;


#endif /* _NGX_VIDCAST_INPUT_H_INCLUDED_ */
