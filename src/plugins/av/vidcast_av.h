
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _VIDCAST_AV_H_INCLUDED_
#define _VIDCAST_AV_H_INCLUDED_


#include <pthread.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>

#include "vidcast_plugin.h"


/*
 * The input plugin for files and streams.  A thread of its own reads and
 * decodes, since a read may last as long as its time-out, and queues what it
 * gets; grab() paces, converts and hands on.
 */

#define VIDCAST_AV_NO_TIME      INT64_MIN

#define VIDCAST_AV_THREADS      4          /* of a decoder, at most */
#define VIDCAST_AV_QUEUE        4          /* pictures which wait */
#define VIDCAST_AV_GRAB         200000     /* us that grab() may take */
#define VIDCAST_AV_MAX_SIZE     16384      /* pixels a side */


typedef struct vidcast_av_reader_s   vidcast_av_reader_t;
typedef struct vidcast_av_image_s    vidcast_av_image_t;


typedef struct {
    const vidcast_context_t  *context;
    char                     *url;        /* for libavformat */
    const char               *protocols;  /* it may use these */
    uint32_t                  width;      /* of the upright picture; 0: none */
    uint32_t                  height;     /* is asked for */
    uint32_t                  fit;        /* ANY: in proportion, it may grow */
    int64_t                   interval;   /* us between pictures; 0 is all */
    int64_t                   timeout;    /* us */
    unsigned                  file:1;
    unsigned                  rtsp:1;
    unsigned                  pipe:1;     /* "url" is the path of a FIFO */
    unsigned                  hold:1;     /* damaged pictures are not shown */
    unsigned                  loop:1;
    unsigned                  batch:1;
    unsigned                  udp:1;
    unsigned                  tls:1;
    unsigned                  verify:1;   /* certificates of servers */
    char                     *ca;         /* file; NULL: the system's */
} vidcast_av_conf_t;


typedef enum {
    VIDCAST_AV_NONE = 0,
    VIDCAST_AV_JPEG,                /* packet */
    VIDCAST_AV_FRAME,               /* frame */
    VIDCAST_AV_BAD,
    VIDCAST_AV_LOST,
    VIDCAST_AV_END
} vidcast_av_kind_e;


/*
 * What the reader has got.  Time stamps are microseconds of the stream, in
 * the order of presentation, and go on from round to round.
 */

typedef struct {
    vidcast_av_kind_e    kind;
    AVPacket            *packet;
    AVFrame             *frame;     /* its ratio is one to be looked at */
    uint32_t             orientation;  /* EXIF's number */
    int64_t              pts;       /* or VIDCAST_AV_NO_TIME */
    int64_t              round;     /* that of the first picture of its round */
    int64_t              arrived;   /* CLOCK_MONOTONIC, us */
    uint32_t             late;      /* of any kind: that were lost before */
    uint32_t             damaged;   /* came before it, or with it */
    uint32_t             held;      /* of these: are not shown */
    char                 error[VIDCAST_ERROR_LEN];  /* BAD, LOST: why */
} vidcast_av_item_t;


/* takes over what the configuration says; VIDCAST_OK, VIDCAST_ERROR */
int vidcast_av_conf(vidcast_av_conf_t *conf, const vidcast_context_t *context,
    char *error);
void vidcast_av_conf_free(vidcast_av_conf_t *conf);

/* the URI has a user, or a password */
int vidcast_av_conf_has_user(const vidcast_av_conf_t *conf);

/*
 * Where a server of RTSP sends us instead.  User and password go to the server
 * for which they were written, and to no other one.  *url is to be freed,
 * *foreign: it is of another server.  VIDCAST_OK; VIDCAST_ERROR: reason in
 * "error".
 */
int vidcast_av_conf_redirect(const vidcast_av_conf_t *conf,
    const char *location, char **url, int *foreign, char *error);


/* opens, and starts the thread; NULL: reason in "error" */
vidcast_av_reader_t *vidcast_av_reader_open(const vidcast_av_conf_t *conf,
    const volatile int *stop, char *error);
void vidcast_av_reader_close(vidcast_av_reader_t *reader);

/* does the stream come as fast as it can, so that we have to pace it? */
int vidcast_av_reader_stored(vidcast_av_reader_t *reader);

/*
 * The oldest item moves to "item", whose packet and frame are empty.  Its kind
 * is NONE: there was nothing within "timeout" us.  Its counts are set anyway.
 */
void vidcast_av_reader_take(vidcast_av_reader_t *reader,
    vidcast_av_item_t *item, int64_t timeout);


/* how a picture is to be shown */

typedef struct {
    uint32_t             orientation;    /* EXIF's number */
    AVRational           aspect;         /* of a pixel's sides */
    unsigned             matrix_told:1;  /* that it is ignored */
    unsigned             aspect_told:1;
} vidcast_av_look_t;


/* sizes of a picture as it lies */

typedef struct {
    int                  width;          /* of what is shown */
    int                  height;
    int                  inner_width;    /* of the picture in it */
    int                  inner_height;
    int                  left;
    int                  top;
} vidcast_av_shape_t;


/* do width and height change places? */

#define vidcast_av_shape_swaps(orientation)  ((orientation) >= 5)


/* by the stream and a picture of it, a key frame or not; NULL: by none */
void vidcast_av_shape_look(vidcast_av_look_t *look,
    const vidcast_av_conf_t *conf, AVFormatContext *format, AVStream *video,
    const AVFrame *frame, int key);

/* as "size" and "fit" ask; may be larger than a picture can be */
void vidcast_av_shape_fit(vidcast_av_shape_t *shape,
    const vidcast_av_conf_t *conf, const AVFrame *frame, uint32_t orientation);


/* pictures as the host wants them, but not yet turned; NULL: no memory */
vidcast_av_image_t *vidcast_av_image_create(const vidcast_av_conf_t *conf);
void vidcast_av_image_free(vidcast_av_image_t *image);

/* *view is valid till the next call, and as long as the frame is */
int vidcast_av_image_convert(vidcast_av_image_t *image, const AVFrame *frame,
    uint32_t orientation, vidcast_image_t *view, char *error);


/*
 * A picture of another range of values, or of another matrix of colors, as
 * JPEG wants them.
 */

typedef struct {
    int16_t              luma[2];   /* factor, what is added before */
    int16_t              chroma[6]; /* what U and V add to Y, U and V */
    unsigned             same:1;    /* nothing is to be done */
} vidcast_av_color_t;


typedef enum {
    VIDCAST_AV_BT601 = 0,
    VIDCAST_AV_BT709,
    VIDCAST_AV_BT2020,
    VIDCAST_AV_SMPTE240M,
    VIDCAST_AV_FCC
} vidcast_av_matrix_e;


void vidcast_av_color_init(vidcast_av_color_t *color,
    vidcast_av_matrix_e matrix, int full);

/* both are I420, of one size */
void vidcast_av_color_convert(const vidcast_av_color_t *color,
    const vidcast_image_t *src, vidcast_image_t *dst);


int64_t vidcast_av_clock(void);


#endif /* _VIDCAST_AV_H_INCLUDED_ */
