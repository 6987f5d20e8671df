
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _VIDCAST_AV_STREAM_H_INCLUDED_
#define _VIDCAST_AV_STREAM_H_INCLUDED_


#include "plugins/av/vidcast_av.h"


/* the opened file or stream, of which one video stream is looked at */

typedef struct {
    const vidcast_av_conf_t   *conf;
    const volatile int        *stop;        /* or NULL */
    int                        quit;        /* set by another thread */

    char                      *url;         /* of a redirect; or NULL */

    AVFormatContext           *format;
    AVIOContext               *pipe;        /* of a FIFO; or NULL */
    int                      (*io_open)(AVFormatContext *format,
                                  AVIOContext **pb, const char *url, int flags,
                                  AVDictionary **options);
    AVPacket                  *first;       /* read to know its codec */
    AVStream                  *video;
    vidcast_av_look_t          look;        /* of the last picture decoded */
    AVCodecContext            *decoder;     /* NULL: it is JPEGs */
    int                        lacks;       /* it has said that it lacks some
                                               picture; it has threads */

    int64_t                    deadline;    /* CLOCK_MONOTONIC, us */
    unsigned                   timedout:1;
    unsigned                   closing:1;
    unsigned                   foreign:1;   /* the redirect's server is */
    unsigned                   stored:1;    /* we have to pace it */
    unsigned                   timeless:1;  /* its time stamps mean nothing */
} vidcast_av_stream_t;


/* VIDCAST_OK; VIDCAST_ERROR: reason in "error" */
int vidcast_av_stream_open(vidcast_av_stream_t *stream, char *error);
int vidcast_av_stream_decoder(vidcast_av_stream_t *stream, char *error);
int vidcast_av_stream_rewind(vidcast_av_stream_t *stream, char *error);
void vidcast_av_stream_close(vidcast_av_stream_t *stream);

/* the next packet of the video stream; 0, or an error of libav's */
int vidcast_av_stream_read(vidcast_av_stream_t *stream, AVPacket *packet);

/* "what: reason" for such an error */
void vidcast_av_stream_reason(vidcast_av_stream_t *stream, const char *what,
    int rc, char *error);

/* microseconds of a time stamp, and between two pictures */
int64_t vidcast_av_stream_time(vidcast_av_stream_t *stream, int64_t stamp);
int64_t vidcast_av_stream_duration(vidcast_av_stream_t *stream);

/* are these the two JPEGs of an interlaced picture? */
int vidcast_av_stream_halves(const uint8_t *data, int size);


#endif /* _VIDCAST_AV_STREAM_H_INCLUDED_ */
