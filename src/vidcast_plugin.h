
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _VIDCAST_PLUGIN_H_INCLUDED_
#define _VIDCAST_PLUGIN_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


/*
 * What a plugin of vidcast is: a shared object which exports one function,
 * vidcast_plugin().  It knows nothing of nginx, and nginx's own processes
 * never keep it: it is loaded by the process which uses it, the capture
 * process of a source (an input, an output) or a predictor process (a
 * predictor), and by a short-lived one which checks the configuration.  These
 * run as nginx's "user".
 *
 * A predictor may be anybody's: "predict plugin" names its file.  An input or
 * an output is one of this module's own plugins, by the scheme of its URI: no
 * directive names another one.
 *
 * All text is UTF-8 and terminated by a null.  All structures which the host
 * makes begin with their size, "size", as the host was built: a member beyond
 * it is not there.  Tables which a plugin makes begin with their size as the
 * plugin was built.  Members are only ever added, at the end; anything else
 * is another VIDCAST_ABI.  An array has the size of its elements beside it, so
 * that these may grow as well.
 */

#define VIDCAST_ABI           2


/* what functions return; where others are possible, they are named */

#define VIDCAST_OK            0
#define VIDCAST_ERROR         (-1)    /* the reason is in "error" */
#define VIDCAST_AGAIN         (-2)    /* nothing yet, call again */
#define VIDCAST_BAD           (-4)    /* this one; the next may be good */
#define VIDCAST_END           (-5)    /* there is no more, and never will be */
#define VIDCAST_UNCHANGED     (-6)    /* asked, it shows the same as before */
#define VIDCAST_RESULT        (-7)    /* a result, rather than a picture */
#define VIDCAST_WAITING       (-8)    /* nothing for now, why is in "error" */

#define VIDCAST_DECLINED      ((void *) -1)    /* of an input's open() */

#define VIDCAST_ERROR_LEN     256     /* of "error", the null included */


/* the levels of nginx's error log */

#define VIDCAST_LOG_ERROR     4
#define VIDCAST_LOG_WARN      5
#define VIDCAST_LOG_NOTICE    6
#define VIDCAST_LOG_INFO      7
#define VIDCAST_LOG_DEBUG     8


/*
 * Pixel formats.  I420: three planes, 8 bits, full width and height for Y,
 * halves rounded up for U and V, JPEG's full range of values (BT.601).  The
 * others have plane[0] only: GRAY8 one byte a pixel, RGB24 and BGR24 three in
 * the order of the name.
 */

#define VIDCAST_I420          1
#define VIDCAST_GRAY8         2
#define VIDCAST_RGB24         3
#define VIDCAST_BGR24         4


/* a view of a picture; strides are in bytes, a row may be padded at its end */

typedef struct {
    uint32_t                    format;
    uint32_t                    width;        /* pixels, 1-16384 */
    uint32_t                    height;
    uint32_t                    stride[3];
    uint8_t                    *plane[3];
} vidcast_image_t;


/* "name=value" of the directive, in its order; the last one has no name */

typedef struct {
    const char                 *name;
    const char                 *value;
} vidcast_param_t;


/*
 * What the host gives an instance, valid till its close() has returned.
 * log() may be called from any thread; the line is UTF-8, and is written with
 * the source's name before it, control characters in it as "\x0A".  Of a
 * check() that says VIDCAST_OK the first warning is shown, with file and line.
 */

typedef struct {
    size_t                      size;
    const char                 *source;       /* its name */
    const char                 *argument;     /* URI, or the first argument */
    const vidcast_param_t      *params;
    void                       *host;
    void                      (*log)(void *host, int level, const char *line);
    size_t                      result_size;  /* of a predictor's answer as
                                                 JSON, bytes at most; of what
                                                 VIDCAST_RESULT gives */

    /* of an input: what its ring has from before; of "epoch", 0: nothing */

    uint64_t                    epoch;
    uint64_t                    frame;        /* newest number, 0: none */
    uint64_t                    seq;          /* of the newest result */
    uint32_t                    results;      /* that its history can have */
} vidcast_context_t;


/* the media time of a live picture, which has none */

#define VIDCAST_NO_PTS        (-1)


/*
 * A source that is somewhere else has numbered its frames and results there,
 * and keeps these numbers here, so that a viewer may come from there, or from
 * another machine which has them from there.  An "epoch" is a series of such
 * numbers: in it those of frames rise, and those of results, which need not be
 * without gaps.  Another epoch begins anew.
 */

typedef struct {
    uint64_t                    epoch;        /* 0: the host gives numbers */
    uint64_t                    number;       /* of the frame, from 1 on */
    int64_t                     time;         /* of capture, since 1970, us */
} vidcast_identity_t;


/*
 * The text is an object of JSON, as viewers get it there; "v", "source",
 * "epoch", "seq", "skipped" and "reset" in it are the host's, which are put
 * in anew.
 */

typedef struct {
    uint64_t                    epoch;
    uint64_t                    seq;          /* from 1 on */
    uint64_t                    frame;        /* number, or 0 */
    const char                 *json;
    size_t                      json_size;    /* bytes */
} vidcast_result_t;


/*
 * An input.  One thread calls all functions of an instance, one at a time.
 *
 * check()    required.  At configuration, in a process of its own: are the
 *            URI and all parameters known and sensible?  Opens nothing.
 *            VIDCAST_OK or VIDCAST_ERROR.
 *
 * open()     required.  Connects, and returns an instance; what it is going to
 *            deliver is told by the pictures.  NULL: reason in "error", and
 *            nothing is left open.  VIDCAST_DECLINED, likewise: what is there
 *            is not of a kind that the plugin knows, the next one of the same
 *            scheme may have it.  May take as long as the input's own
 *            time-outs; *stop becomes nonzero when the process wants to leave,
 *            and is to be looked at at least every 200 ms.
 *
 * grab()     required.  The next picture, as soon as it is due, within 200 ms.
 *            VIDCAST_OK, VIDCAST_AGAIN, VIDCAST_BAD, VIDCAST_END; or
 *            VIDCAST_ERROR: it is lost, close() comes next.  All but OK and
 *            AGAIN with a reason in "error".  VIDCAST_UNCHANGED, without one,
 *            once for each answer of a source which is polled and has nothing
 *            new: it lives.  The first picture after open() is always given.
 *            VIDCAST_WAITING: as VIDCAST_AGAIN, but something is wrong that
 *            the plugin itself is about to mend, so that there is no need of
 *            close(); the source is called "reconnecting" for that reason,
 *            until it gives something.
 *            VIDCAST_RESULT: "result" is set instead, of a source which
 *            numbers its results itself; release() follows.
 *
 * release()  optional.  After each grab() that said VIDCAST_OK: the picture
 *            is not used any more.
 *
 * close()    required.  After each open() that gave an instance.
 */

typedef struct {
    size_t                      size;         /* set by the host */
    int64_t                     time;         /* CLOCK_MONOTONIC of capture,
                                                 us; 0: now */
    const uint8_t              *jpeg;         /* a whole JPEG; or NULL, and */
    size_t                      jpeg_size;
    vidcast_image_t             image;        /* this one, of I420 */

    /* pictures that were lost since the last call; whatever it returns */

    uint32_t                    late;         /* a newer one was there */
    uint32_t                    fps_limit;    /* more than "fps" asks for */

    int64_t                     pts;          /* of a film: since its start,
                                                 us; the host sets NO_PTS */

    /* pictures with a damage since the last call, as above */

    uint32_t                    held;         /* that were not shown */
    uint32_t                    damaged;      /* all of them */

    /* how it is to be turned to be upright: a number of EXIF's (tag 0x0112),
       after that in the JPEG itself; 0, as the host sets it, and 1: it is */

    uint32_t                    orientation;

    vidcast_identity_t          identity;     /* of one from elsewhere */
    vidcast_result_t            result;       /* VIDCAST_RESULT: this one */
} vidcast_picture_t;


typedef struct {
    size_t                      size;
    int                       (*check)(const vidcast_context_t *context,
                                  char *error);
    void                     *(*open)(const vidcast_context_t *context,
                                  const volatile int *stop, char *error);
    int                       (*grab)(void *instance,
                                  vidcast_picture_t *picture, char *error);
    void                      (*release)(void *instance);
    void                      (*close)(void *instance);
} vidcast_input_table_t;


/*
 * A predictor.  Each instance has a process of its own, and one thread.
 *
 * check()    required.  At configuration, in a process of its own: are the
 *            argument and all parameters good?  It may load the model.
 *            VIDCAST_OK or VIDCAST_ERROR.
 *
 * open()     required.  An instance, and in *want what its pictures are to be
 *            like.  NULL: reason in "error".
 *
 * predict()  required.  Looks at a picture and tells what is there.
 *            VIDCAST_OK: *answer is set, and what it points to is the
 *            plugin's, left alone till the next call of this instance.
 *            VIDCAST_AGAIN: no result for this frame; VIDCAST_BAD: neither,
 *            and it is counted as an error, reason in "error";
 *            VIDCAST_ERROR: the instance is of no use any more, close() comes
 *            next and then, after a pause, open().
 *
 * close()    required.  After each open() that gave an instance; but not
 *            when its process is killed, for its time-out or its memory.
 */

/* how a picture becomes one of the width and height that are wanted */

#define VIDCAST_FIT_ANY        0    /* as it is; both must be 0 */
#define VIDCAST_FIT_WITHIN     1    /* scaled down in proportion */
#define VIDCAST_FIT_STRETCH    2    /* exactly, not in proportion */
#define VIDCAST_FIT_LETTERBOX  3    /* in proportion, the rest filled */


/* where it is in a letterbox; what is beside it is filled */

#define VIDCAST_ANCHOR_CENTER   0
#define VIDCAST_ANCHOR_TOPLEFT  1


typedef struct {
    size_t                      size;         /* set by the host */
    uint32_t                    format;       /* the host sets VIDCAST_RGB24 */
    uint32_t                    fit;          /* the host sets FIT_ANY */
    uint32_t                    width;        /* pixels, 1-16384, or 0 */
    uint32_t                    height;
    uint32_t                    fill;         /* gray value around, 0-255 */
    uint32_t                    anchor;       /* the host sets CENTER */
} vidcast_want_t;


/*
 * A point x, y of the image is the point (x - offset_x) * scale_x,
 * (y - offset_y) * scale_y of the frame.  The image is valid till predict()
 * returns, and must not be written to.
 *
 * Between two frames so much time passed in the world as "media_time" says,
 * which never goes back: of a film it goes by "pts", also where it begins
 * anew, however fast it is played; else by the time of capture.  What depends
 * on time, such as a speed or a track, goes by it.
 */

typedef struct {
    size_t                      size;
    vidcast_image_t             image;
    uint64_t                    frame;        /* number, from 1 on */
    int64_t                     time;         /* of capture, since 1970, us */
    uint32_t                    width;        /* of the frame, pixels */
    uint32_t                    height;
    double                      scale_x;
    double                      scale_y;
    double                      offset_x;
    double                      offset_y;
    int64_t                     pts;          /* of a film: since its start,
                                                 us, or VIDCAST_NO_PTS */
    uint64_t                    media_time;   /* us, see below */
} vidcast_sample_t;


/*
 * A key point of a detection, such as an eye or an elbow, in pixels of the
 * image.  The host maps it to the frame, and does not clip it.  A point of
 * which a number is not finite is not known, and keeps its place in the row.
 */

#define VIDCAST_KEYPOINTS_MAX  512    /* of one detection */


typedef struct {
    float                       x;
    float                       y;
    float                       score;        /* 0-1; negative: none */
} vidcast_keypoint_t;


/*
 * Box in pixels of the image; the host maps it to the frame and clips it.
 * What is not set must be zero, so that members that are added stand for
 * none.  With key points "keypoint_size" is required, as the plugin was built.
 */

typedef struct {
    float                       x;            /* left */
    float                       y;            /* top */
    float                       width;
    float                       height;
    float                       score;        /* 0-1; negative: none */
    int32_t                     track;        /* identity; negative: none */
    const char                 *label;        /* NULL: none */
    const vidcast_keypoint_t   *keypoints;    /* or NULL */
    size_t                      nkeypoints;
    size_t                      keypoint_size;  /* sizeof() of one */
} vidcast_detection_t;


/*
 * "json" is one JSON value, checked by the host.  With detections as well it
 * must be an object, and "detections" is added to it; with neither the result
 * is an empty list of detections.  With detections "detection_size" is
 * required, as the plugin was built: members behind it are not there.
 */

typedef struct {
    size_t                      size;         /* set by the host */
    const char                 *json;         /* or NULL */
    size_t                      json_size;    /* bytes */
    const vidcast_detection_t  *detections;
    size_t                      ndetections;
    size_t                      detection_size;  /* sizeof() of one */
} vidcast_answer_t;


typedef struct {
    size_t                      size;
    int                       (*check)(const vidcast_context_t *context,
                                  char *error);
    void                     *(*open)(const vidcast_context_t *context,
                                  vidcast_want_t *want, char *error);
    int                       (*predict)(void *instance,
                                  const vidcast_sample_t *sample,
                                  vidcast_answer_t *answer, char *error);
    void                      (*close)(void *instance);
} vidcast_predictor_table_t;


/*
 * An output: what a source has, it gives on to somewhere else.  An instance has
 * a thread of its own in the capture process, which calls all its functions;
 * what others do meanwhile is not held up.
 *
 * check()    required.  As an input's.
 *
 * open()     required.  An instance, which connects by itself, in its own time.
 *            NULL: reason in "error".  "output" is valid till its close() has
 *            returned.
 *
 * run()      required.  There may be something to do: a frame or a result is
 *            new, or wake() was called, or 200 ms have passed.  It asks for
 *            what it can give on now, returns within 200 ms, and sets what
 *            "report" is to tell.
 *            VIDCAST_OK; VIDCAST_WAITING: it cannot give on anything for now,
 *            and mends that by itself, reason in "error"; VIDCAST_ERROR:
 *            close() comes next and then, after a pause, open(), reason in
 *            "error".
 *
 * close()    required.  After each open() that gave an instance.
 */

typedef struct {
    size_t                      size;         /* set by the caller */
    vidcast_identity_t          identity;
    int64_t                     captured;     /* CLOCK_MONOTONIC, us */
    int64_t                     pts;          /* us, or VIDCAST_NO_PTS */
    uint32_t                    width;        /* pixels */
    uint32_t                    height;
    const uint8_t              *jpeg;
    size_t                      jpeg_size;
} vidcast_output_frame_t;


typedef struct {
    size_t                      size;         /* set by the caller */
    const char                 *name;         /* "live": see the status */
    const char                 *reason;       /* "": none */
    uint64_t                    epoch;
    uint64_t                    frame;        /* newest number, 0: none */
    uint64_t                    seq;          /* newest result, 0: none */
    uint64_t                    oldest;       /* result to be had */
    uint32_t                    width;        /* pixels; 0: not known */
    uint32_t                    height;
    double                      fps;          /* published, frames a second */
} vidcast_output_state_t;


/*
 * What the host does for an output.
 *
 * wake()     any thread: run() is to be called soon
 *
 * wanted()   any thread: somebody elsewhere looks at the source, as a viewer
 *            would, so that an input on demand is open for its time; to be
 *            repeated while that is so
 *
 * frame()    in run(): the newest frame whose number is above "after", of this
 *            epoch.  VIDCAST_OK: valid till the next call of it, or till run()
 *            returns; VIDCAST_AGAIN: there is none
 *
 * result()   in run(): a result by its number, valid till the next call of it.
 *            VIDCAST_OK; VIDCAST_AGAIN: not yet; VIDCAST_BAD: not any more
 *
 * state()    in run(): of the source, just now; its texts are valid till run()
 *            returns
 */

typedef struct {
    size_t                      size;
    void                       *host;
    void                      (*wake)(void *host);
    void                      (*wanted)(void *host);
    int                       (*frame)(void *host, uint64_t after,
                                  vidcast_output_frame_t *frame);
    int                       (*result)(void *host, uint64_t seq,
                                  vidcast_result_t *result);
    void                      (*state)(void *host,
                                  vidcast_output_state_t *state);
} vidcast_output_t;


/* since open(); the host adds up those of all instances */

typedef struct {
    size_t                      size;         /* set by the host */
    uint64_t                    frames;       /* given on */
    uint64_t                    results;
    uint64_t                    bytes;        /* of both */
    uint64_t                    skipped;      /* frames: not fast enough */
    uint64_t                    too_large;    /* frames, for what is there */
    uint64_t                    lost;         /* results, gone before */
    uint64_t                    reconnects;
    uint32_t                    readers;      /* that have asked, of late */
} vidcast_output_report_t;


typedef struct {
    size_t                      size;
    int                       (*check)(const vidcast_context_t *context,
                                  char *error);
    void                     *(*open)(const vidcast_context_t *context,
                                  const vidcast_output_t *output,
                                  char *error);
    int                       (*run)(void *instance,
                                  vidcast_output_report_t *report,
                                  char *error);
    void                      (*close)(void *instance);
} vidcast_output_table_t;


/*
 * What the code of a plugin needs of the system while it works: from open() of
 * an input or an output on, from the first predict() of a predictor on.  0:
 * that is not said, and only calls are refused which nobody needs.  Else all
 * that it does not name is refused to its process, with EPERM or ENOSYS, and
 * for good; the libraries which it calls are such code, too.
 *
 * COMPUTING  memory, threads, time, the descriptors that it has, and reading
 *            of files: what all may, so this alone says that it needs nothing
 *            else
 * NETWORK    sockets, of any kind
 * FILES      writing of files: to make, change, rename and remove them
 * EXEC       other processes: to start and to signal them
 * DEVICES    writing to devices that are there, and ioctl() of devices
 */

#define VIDCAST_NEEDS_COMPUTING  0x01
#define VIDCAST_NEEDS_NETWORK    0x02
#define VIDCAST_NEEDS_FILES      0x04
#define VIDCAST_NEEDS_EXEC       0x08
#define VIDCAST_NEEDS_DEVICES    0x10


/* a plugin is an input, a predictor, an output, or several of these */

typedef struct {
    size_t                             size;
    uint32_t                           abi;        /* VIDCAST_ABI */
    const char                        *name;       /* and version, for logs */
    const vidcast_input_table_t       *input;      /* or NULL */
    const vidcast_predictor_table_t   *predictor;  /* or NULL */
    uint32_t                           needs;      /* VIDCAST_NEEDS_* */
    const vidcast_output_table_t      *output;     /* or NULL */
} vidcast_plugin_t;


/*
 * The one symbol that the host looks for.  "abi" is the host's.  The answer
 * is not copied: it stays.  A plugin which cannot serve this ABI still
 * returns its description, so that the refusal can name both.
 */

#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
const vidcast_plugin_t *vidcast_plugin(uint32_t abi);

typedef const vidcast_plugin_t *(*vidcast_plugin_pt)(uint32_t abi);

#define VIDCAST_PLUGIN_SYMBOL  "vidcast_plugin"


#endif /* _VIDCAST_PLUGIN_H_INCLUDED_ */
