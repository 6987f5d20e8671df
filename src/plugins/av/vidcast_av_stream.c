
/*
 * Copyright (C) vidcast contributors
 */


#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <libavutil/cpu.h>

#include "plugins/av/vidcast_av_stream.h"


/* a stream that tells of itself late is not worth a longer wait */

#define VIDCAST_AV_ANALYZE   "2000000"     /* us */

#define VIDCAST_AV_FAREWELL  200000        /* us to say that we leave */


static void vidcast_av_stream_options(vidcast_av_stream_t *stream,
    AVDictionary **options);
static int vidcast_av_stream_io(AVFormatContext *format, AVIOContext **pb,
    const char *url, int flags, AVDictionary **options);
static int vidcast_av_stream_trust(vidcast_av_stream_t *stream,
    AVDictionary **options);
static int vidcast_av_stream_find(vidcast_av_stream_t *stream, char *error);
static void vidcast_av_stream_nature(vidcast_av_stream_t *stream);
static int vidcast_av_stream_interrupt(void *data);
static void vidcast_av_stream_log(void *object, int level, const char *format,
    va_list args);


/* the last complaint of libav's in this thread; it may tell what errno can't */

static __thread char  vidcast_av_said[96];


int
vidcast_av_stream_open(vidcast_av_stream_t *stream, char *error)
{
    int            rc;
    AVDictionary  *options;

    av_log_set_callback(vidcast_av_stream_log);

    vidcast_av_said[0] = '\0';
    options = NULL;

    stream->timedout = 0;
    stream->deadline = vidcast_av_clock() + stream->conf->timeout;

    stream->format = avformat_alloc_context();

    if (stream->format == NULL) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "no memory");
        return VIDCAST_ERROR;
    }

    stream->format->interrupt_callback.callback = vidcast_av_stream_interrupt;
    stream->format->interrupt_callback.opaque = stream;

    stream->io_open = stream->format->io_open;

    stream->format->io_open = vidcast_av_stream_io;
    stream->format->opaque = stream;

    vidcast_av_stream_options(stream, &options);

    rc = vidcast_av_stream_trust(stream, &options);

    if (rc >= 0) {
        rc = avformat_open_input(&stream->format, stream->conf->url, NULL,
                                 &options);
    }

    av_dict_free(&options);

    if (rc >= 0) {
        rc = avformat_find_stream_info(stream->format, NULL);
    }

    if (rc < 0) {
        vidcast_av_stream_reason(stream, "could not be opened", rc, error);
        vidcast_av_stream_close(stream);
        return VIDCAST_ERROR;
    }

    if (vidcast_av_stream_find(stream, error) != VIDCAST_OK) {
        vidcast_av_stream_close(stream);
        return VIDCAST_ERROR;
    }

    return VIDCAST_OK;
}


/*
 * What a file or a server says must not make us open something else: a list
 * of parts may name any file of this machine.
 */

static void
vidcast_av_stream_options(vidcast_av_stream_t *stream, AVDictionary **options)
{
    const char               *protocols;
    const vidcast_av_conf_t  *conf;

    conf = stream->conf;

    if (conf->file) {
        protocols = "file";

    } else if (conf->rtsp) {
        protocols = "rtp,srtp,udp,tcp,tls";

        (void) av_dict_set(options, "rtsp_transport", conf->udp ? "udp" : "tcp",
                           0);
        (void) av_dict_set(options, "allowed_media_types", "video", 0);

    } else {
        protocols = "http,https,httpproxy,tcp,tls,crypto";
    }

    (void) av_dict_set(options, "protocol_whitelist", protocols, 0);

    if (!conf->file) {
        (void) av_dict_set(options, "analyzeduration", VIDCAST_AV_ANALYZE, 0);
        (void) av_dict_set(options, "user_agent", "vidcast", 0);
    }
}


/* the parts of a list are opened with few of the options of the list */

static int
vidcast_av_stream_io(AVFormatContext *format, AVIOContext **pb,
    const char *url, int flags, AVDictionary **options)
{
    int                   rc;
    AVDictionary         *own;
    vidcast_av_stream_t  *stream;

    stream = format->opaque;
    own = NULL;

    if (options == NULL) {
        options = &own;
    }

    rc = vidcast_av_stream_trust(stream, options);

    if (rc >= 0) {
        rc = stream->io_open(format, pb, url, flags, options);
    }

    av_dict_free(&own);

    return rc;
}


/* every server that is connected to by TLS, also after a redirection */

static int
vidcast_av_stream_trust(vidcast_av_stream_t *stream, AVDictionary **options)
{
    int  rc;

    if (!stream->conf->tls) {
        return 0;
    }

    rc = av_dict_set(options, "tls_verify", stream->conf->verify ? "1" : "0",
                     0);

    if (rc >= 0 && stream->conf->ca) {
        rc = av_dict_set(options, "ca_file", stream->conf->ca, 0);
    }

    return rc;
}


static int
vidcast_av_stream_find(vidcast_av_stream_t *stream, char *error)
{
    int        n;
    unsigned   i;
    AVStream  *video;

    n = av_find_best_stream(stream->format, AVMEDIA_TYPE_VIDEO, -1, -1, NULL,
                            0);

    video = n < 0 ? NULL : stream->format->streams[n];

    /* a piece of music may have a picture of its cover */

    if (video == NULL || video->disposition & AV_DISPOSITION_ATTACHED_PIC) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "no video in it");
        return VIDCAST_ERROR;
    }

    for (i = 0; i < stream->format->nb_streams; i++) {
        if (i != (unsigned) n) {
            stream->format->streams[i]->discard = AVDISCARD_ALL;
        }
    }

    stream->video = video;

    vidcast_av_stream_nature(stream);

    if (video->codecpar->codec_id == AV_CODEC_ID_MJPEG
        && stream->conf->width == 0)
    {
        return VIDCAST_OK;
    }

    return vidcast_av_stream_decoder(stream, error);
}


/* formats which are nothing but pictures get time stamps from a guess */

static void
vidcast_av_stream_nature(vidcast_av_stream_t *stream)
{
    unsigned         i;
    const char      *name;
    AVFormatContext *format;

    static const char  *bare[] = { "mpjpeg", "mjpeg", "mjpeg_2000",
                                   "jpeg_pipe", "h264", "hevc", "m4v",
                                   "mpegvideo" };

    format = stream->format;
    name = format->iformat->name;

    stream->stored = stream->conf->file
                     || strcmp(name, "hls") == 0
                     || strcmp(name, "dash") == 0
                     || (!stream->conf->rtsp && format->duration > 0);

    stream->timeless = 0;

    if (stream->stored) {
        return;
    }

    for (i = 0; i < sizeof(bare) / sizeof(bare[0]); i++) {
        if (strcmp(name, bare[i]) == 0) {
            stream->timeless = 1;
        }
    }
}


/*
 * Threads which take a picture each are faster, but each holds back one: of a
 * live stream it would come later.
 */

int
vidcast_av_stream_decoder(vidcast_av_stream_t *stream, char *error)
{
    int                 rc, cpus;
    const AVCodec      *codec;
    AVCodecContext     *decoder;
    AVCodecParameters  *codecpar;

    codecpar = stream->video->codecpar;
    codec = avcodec_find_decoder(codecpar->codec_id);

    if (codec == NULL) {
        if (error) {
            (void) snprintf(error, VIDCAST_ERROR_LEN, "no decoder for \"%s\"",
                            avcodec_get_name(codecpar->codec_id));
        }

        return VIDCAST_ERROR;
    }

    decoder = avcodec_alloc_context3(codec);

    if (decoder == NULL) {
        vidcast_av_stream_reason(stream, "decoder", AVERROR(ENOMEM), error);
        return VIDCAST_ERROR;
    }

    cpus = av_cpu_count();

    decoder->thread_count = cpus < VIDCAST_AV_THREADS ? cpus
                                                      : VIDCAST_AV_THREADS;
    decoder->thread_type = stream->stored ? FF_THREAD_FRAME|FF_THREAD_SLICE
                                          : FF_THREAD_SLICE;
    decoder->pkt_timebase = stream->video->time_base;

    rc = avcodec_parameters_to_context(decoder, codecpar);

    if (rc >= 0) {
        rc = avcodec_open2(decoder, codec, NULL);
    }

    if (rc < 0) {
        vidcast_av_stream_reason(stream, "decoder", rc, error);
        avcodec_free_context(&decoder);
        return VIDCAST_ERROR;
    }

    stream->decoder = decoder;

    return VIDCAST_OK;
}


/* not all formats find back to their very first picture */

int
vidcast_av_stream_rewind(vidcast_av_stream_t *stream, char *error)
{
    vidcast_av_stream_close(stream);

    return vidcast_av_stream_open(stream, error);
}


/* a server of RTSP is told, even if we were interrupted */

void
vidcast_av_stream_close(vidcast_av_stream_t *stream)
{
    stream->closing = 1;
    stream->deadline = vidcast_av_clock() + VIDCAST_AV_FAREWELL;

    avcodec_free_context(&stream->decoder);
    avformat_close_input(&stream->format);

    stream->closing = 0;
}


int
vidcast_av_stream_read(vidcast_av_stream_t *stream, AVPacket *packet)
{
    int  rc;

    stream->deadline = vidcast_av_clock() + stream->conf->timeout;

    for ( ;; ) {

        /* of a file, libav does not ask */

        if (__atomic_load_n(&stream->quit, __ATOMIC_RELAXED)) {
            return AVERROR_EXIT;
        }

        rc = av_read_frame(stream->format, packet);

        /* some look for one more, and call it broken */

        if (rc == AVERROR_INVALIDDATA
            && stream->format->pb
            && avio_feof(stream->format->pb))
        {
            return AVERROR_EOF;
        }

        if (rc < 0 || packet->stream_index == stream->video->index) {
            return rc;
        }

        av_packet_unref(packet);
    }
}


static int
vidcast_av_stream_interrupt(void *data)
{
    vidcast_av_stream_t  *stream = data;

    if (stream->closing) {
        return vidcast_av_clock() >= stream->deadline;
    }

    if (__atomic_load_n(&stream->quit, __ATOMIC_RELAXED)
        || (stream->stop && *stream->stop))
    {
        return 1;
    }

    if (stream->conf->file || vidcast_av_clock() < stream->deadline) {
        return 0;
    }

    stream->timedout = 1;

    return 1;
}


void
vidcast_av_stream_reason(vidcast_av_stream_t *stream, const char *what, int rc,
    char *error)
{
    char  reason[AV_ERROR_MAX_STRING_SIZE];

    if (error == NULL) {
        return;
    }

    if (stream->timedout) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "%s: nothing came for %d ms",
                        what, (int) (stream->conf->timeout / 1000));
        return;
    }

    (void) av_strerror(rc, reason, sizeof(reason));

    if (vidcast_av_said[0]) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "%s: %s (%s)", what, reason,
                        vidcast_av_said);
        return;
    }

    (void) snprintf(error, VIDCAST_ERROR_LEN, "%s: %s", what, reason);
}


/* a URL, which may hold a password, is not to be in a log */

static void
vidcast_av_stream_log(void *object, int level, const char *format,
    va_list args)
{
    if (level > AV_LOG_ERROR) {
        return;
    }

    (void) vsnprintf(vidcast_av_said, sizeof(vidcast_av_said), format, args);

    if (strstr(vidcast_av_said, "://")) {
        vidcast_av_said[0] = '\0';
    }

    vidcast_av_said[strcspn(vidcast_av_said, "\r\n")] = '\0';
}


int64_t
vidcast_av_stream_time(vidcast_av_stream_t *stream, int64_t stamp)
{
    return av_rescale_q(stamp, stream->video->time_base,
                        (AVRational) { 1, 1000000 });
}


int64_t
vidcast_av_stream_duration(vidcast_av_stream_t *stream)
{
    AVRational  rate;

    rate = stream->video->avg_frame_rate;

    if (rate.num <= 0 || rate.den <= 0) {
        return 40000;
    }

    return (int64_t) rate.den * 1000000 / rate.num;
}


/* the marker "AVI1" tells which of two fields it is, or 0: neither */

int
vidcast_av_stream_halves(const uint8_t *data, int size)
{
    static const uint8_t  marker[] = { 0xff, 0xd8, 0xff, 0xe0 };

    return size > 11
           && memcmp(data, marker, 4) == 0
           && memcmp(data + 6, "AVI1", 4) == 0
           && data[10] != 0;
}
