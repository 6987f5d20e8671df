
/*
 * Copyright (C) vidcast contributors
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <libavutil/cpu.h>
#include <libavutil/intreadwrite.h>

#include "plugins/av/vidcast_av_pipe.h"
#include "plugins/av/vidcast_av_said.h"
#include "plugins/av/vidcast_av_stream.h"


/* a recording that tells of itself late is not worth a longer wait */

#define VIDCAST_AV_ANALYZE   "2000000"     /* us */

#define VIDCAST_AV_FAREWELL  200000        /* us to say that we leave */

#define VIDCAST_AV_REDIRECTS  10


static int vidcast_av_stream_connect(vidcast_av_stream_t *stream, int *result,
    char *error);
static int vidcast_av_stream_start(vidcast_av_stream_t *stream);
static int vidcast_av_stream_fifo(vidcast_av_stream_t *stream, char *error);
static void vidcast_av_stream_options(vidcast_av_stream_t *stream,
    AVDictionary **options);
static int vidcast_av_stream_io(AVFormatContext *format, AVIOContext **pb,
    const char *url, int flags, AVDictionary **options);
static int vidcast_av_stream_trust(vidcast_av_stream_t *stream,
    AVDictionary **options);
static int vidcast_av_stream_recorded(vidcast_av_stream_t *stream);
static int vidcast_av_stream_probe(vidcast_av_stream_t *stream);
static AVStream *vidcast_av_stream_video(vidcast_av_stream_t *stream);
static int vidcast_av_stream_sizeless(const AVPacket *packet);
static int vidcast_av_stream_find(vidcast_av_stream_t *stream, char *error);
static void vidcast_av_stream_nature(vidcast_av_stream_t *stream);
static int vidcast_av_stream_interrupt(void *data);
static void vidcast_av_stream_refused(vidcast_av_stream_t *stream,
    const char *what, char *error);


int
vidcast_av_stream_open(vidcast_av_stream_t *stream, char *error)
{
    int  rc;

    if (vidcast_av_stream_fifo(stream, error) != VIDCAST_OK) {
        return VIDCAST_ERROR;
    }

    stream->timedout = 0;
    stream->deadline = vidcast_av_clock() + stream->conf->timeout;

    stream->first = av_packet_alloc();

    if (stream->first == NULL) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "no memory");
        return VIDCAST_ERROR;
    }

    if (vidcast_av_stream_connect(stream, &rc, error) != VIDCAST_OK) {
        vidcast_av_stream_close(stream);
        return VIDCAST_ERROR;
    }

    if (rc >= 0) {
        rc = vidcast_av_stream_recorded(stream)
                 ? avformat_find_stream_info(stream->format, NULL)
                 : vidcast_av_stream_probe(stream);
    }

    if (rc >= 0 && stream->timedout) {

        /* in the middle of a packet, so that nothing else can be read */

        rc = AVERROR_EXIT;
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
 * libavformat would follow a redirect of RTSP without end, and tell the user
 * and the password to whatever server it leads to: each is a new start.
 * VIDCAST_OK: *result is what libavformat said of the last one.
 */

static int
vidcast_av_stream_connect(vidcast_av_stream_t *stream, int *result,
    char *error)
{
    int          n, foreign;
    char        *url;
    const char  *location;

    stream->foreign = 0;

    for (n = 0; /* void */ ; n++) {

        vidcast_av_said_listen();

        *result = vidcast_av_stream_start(stream);

        location = vidcast_av_said_redirect();

        if (*result >= 0 || location[0] == '\0' || stream->timedout) {
            break;
        }

        if (n == VIDCAST_AV_REDIRECTS) {
            (void) snprintf(error, VIDCAST_ERROR_LEN,
                            "could not be opened: redirects without end");
            return VIDCAST_ERROR;
        }

        if (vidcast_av_conf_redirect(stream->conf, location, &url, &foreign,
                                     error)
            != VIDCAST_OK)
        {
            return VIDCAST_ERROR;
        }

        free(stream->url);

        stream->url = url;
        stream->foreign = foreign;
    }

    free(stream->url);
    stream->url = NULL;

    return VIDCAST_OK;
}


static int
vidcast_av_stream_start(vidcast_av_stream_t *stream)
{
    int            rc;
    AVDictionary  *options;

    options = NULL;

    stream->format = avformat_alloc_context();

    if (stream->format == NULL) {
        return AVERROR(ENOMEM);
    }

    stream->format->interrupt_callback.callback = vidcast_av_stream_interrupt;
    stream->format->interrupt_callback.opaque = stream;

    stream->io_open = stream->format->io_open;

    stream->format->io_open = vidcast_av_stream_io;
    stream->format->opaque = stream;

    vidcast_av_stream_options(stream, &options);

    rc = vidcast_av_stream_trust(stream, &options);

    if (rc >= 0 && stream->conf->pipe) {
        rc = vidcast_av_pipe_open(&stream->pipe, stream->conf->url,
                                  &stream->format->interrupt_callback,
                                  &stream->deadline, stream->conf->timeout);
        stream->format->pb = stream->pipe;
    }

    if (rc >= 0) {
        rc = avformat_open_input(&stream->format,
                                 stream->url ? stream->url : stream->conf->url,
                                 NULL, &options);
    }

    av_dict_free(&options);

    return rc;
}


/* libavformat would wait in open() for what writes into it */

static int
vidcast_av_stream_fifo(vidcast_av_stream_t *stream, char *error)
{
    const vidcast_av_conf_t  *conf;

    conf = stream->conf;

    if (conf->file
        && vidcast_av_pipe_is(conf->url + sizeof("file:") - 1) == 1)
    {
        (void) snprintf(error, VIDCAST_ERROR_LEN,
                        "it is a FIFO, which \"pipe:\" reads");
        return VIDCAST_ERROR;
    }

    if (conf->pipe && vidcast_av_pipe_is(conf->url) == 0) {
        (void) snprintf(error, VIDCAST_ERROR_LEN,
                        "it is no FIFO; \"file:\" reads it");
        return VIDCAST_ERROR;
    }

    return VIDCAST_OK;
}


static void
vidcast_av_stream_options(vidcast_av_stream_t *stream, AVDictionary **options)
{
    const vidcast_av_conf_t  *conf;

    conf = stream->conf;

    (void) av_dict_set(options, "protocol_whitelist", conf->protocols, 0);

    if (conf->rtsp) {
        (void) av_dict_set(options, "rtsp_transport", conf->udp ? "udp" : "tcp",
                           0);
        (void) av_dict_set(options, "allowed_media_types", "video", 0);
    }

    if (!conf->file) {
        (void) av_dict_set(options, "analyzeduration", VIDCAST_AV_ANALYZE, 0);
        (void) av_dict_set(options, "user_agent", "vidcast", 0);

        /* of datagrams some may be lost, but not all for one's sake */

        (void) av_dict_set(options, "overrun_nonfatal", "1", 0);
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


/* all of it is there, to be read as fast as we like */

static int
vidcast_av_stream_recorded(vidcast_av_stream_t *stream)
{
    const char       *name;
    AVFormatContext  *format;

    format = stream->format;
    name = format->iformat->name;

    return stream->conf->file
           || strcmp(name, "hls") == 0
           || strcmp(name, "dash") == 0
           || (format->pb && avio_size(format->pb) > 0);
}


/*
 * Of what is live only the codec is to be known, and its first packet tells
 * it, if the header did not.  libav would also wait for enough pictures to be
 * sure of the rate, which is longer than a slow camera can be waited for.
 */

static int
vidcast_av_stream_probe(vidcast_av_stream_t *stream)
{
    int               rc;
    AVStream         *video;
    AVFormatContext  *format;

    format = stream->format;

    for ( ;; ) {

        video = vidcast_av_stream_video(stream);

        if (video == NULL && !(format->ctx_flags & AVFMTCTX_NOHEADER)) {
            return 0;
        }

        rc = av_read_frame(format, stream->first);

        if (rc == AVERROR(EAGAIN) && !vidcast_av_stream_interrupt(stream)) {
            continue;
        }

        video = vidcast_av_stream_video(stream);

        if (rc == AVERROR_INVALIDDATA && video) {

            /* the next ones may be better */

            return 0;
        }

        if (rc < 0) {
            return rc;
        }

        if (video && video->index == stream->first->stream_index) {
            return 0;
        }

        av_packet_unref(stream->first);
    }
}


/* a piece of music may have a picture of its cover */

static AVStream *
vidcast_av_stream_video(vidcast_av_stream_t *stream)
{
    int        n;
    AVStream  *video;

    n = av_find_best_stream(stream->format, AVMEDIA_TYPE_VIDEO, -1, -1, NULL,
                            0);

    if (n < 0) {
        return NULL;
    }

    video = stream->format->streams[n];

    return video->disposition & AV_DISPOSITION_ATTACHED_PIC ? NULL : video;
}


/* the header is libavformat's, made of what RTP has instead of one */

static int
vidcast_av_stream_sizeless(const AVPacket *packet)
{
    int             i;
    const uint8_t  *data;

    data = packet->data;

    for (i = 2;
         i + 9 <= packet->size && data[i] == 0xff && data[i + 1] != 0xda;
         i += 2 + AV_RB16(data + i + 2))
    {
        if (data[i + 1] == 0xc0) {
            return AV_RB16(data + i + 5) == 0 || AV_RB16(data + i + 7) == 0;
        }
    }

    return 0;
}


static int
vidcast_av_stream_find(vidcast_av_stream_t *stream, char *error)
{
    unsigned   i;
    AVStream  *video;

    video = vidcast_av_stream_video(stream);

    if (video == NULL) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "no video in it");
        return VIDCAST_ERROR;
    }

    for (i = 0; i < stream->format->nb_streams; i++) {
        if (stream->format->streams[i] != video) {
            stream->format->streams[i]->discard = AVDISCARD_ALL;
        }
    }

    stream->video = video;

    if (stream->conf->rtsp
        && video->codecpar->codec_id == AV_CODEC_ID_MJPEG
        && vidcast_av_stream_sizeless(stream->first))
    {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "its JPEGs have more than "
                        "2040 pixels a side, for which libavformat finds no "
                        "size in RTP; let it send H.264, or smaller ones");
        return VIDCAST_ERROR;
    }

    vidcast_av_stream_nature(stream);

    vidcast_av_shape_look(&stream->look, stream->conf, stream->format, video,
                          NULL, 1);

    if (video->codecpar->codec_id == AV_CODEC_ID_MJPEG
        && stream->conf->width == 0 && stream->conf->height == 0
        && stream->look.aspect.num == stream->look.aspect.den)
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
                     || (!stream->conf->rtsp
                         && !stream->conf->pipe
                         && format->duration > 0);

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
 * live stream it would come later, and it would not be clear which one was
 * damaged.  With threads which take a slice each, libavcodec neither finds nor
 * fills the place of a slice that H.264 has lost.
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
        (void) snprintf(error, VIDCAST_ERROR_LEN, "no decoder for \"%s\"",
                        avcodec_get_name(codecpar->codec_id));
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
    decoder->thread_type = stream->stored && !stream->conf->hold
                               ? FF_THREAD_FRAME|FF_THREAD_SLICE
                               : FF_THREAD_SLICE;

    if (codecpar->codec_id == AV_CODEC_ID_H264
        && decoder->thread_type == FF_THREAD_SLICE)
    {
        decoder->thread_count = 1;
    }

    decoder->pkt_timebase = stream->video->time_base;
    decoder->opaque = &stream->lacks;

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
    av_packet_free(&stream->first);

    if (stream->pipe) {
        vidcast_av_pipe_close(&stream->pipe);
    }

    free(stream->url);

    stream->url = NULL;
    stream->closing = 0;
}


int
vidcast_av_stream_read(vidcast_av_stream_t *stream, AVPacket *packet)
{
    int  rc;

    if (stream->first->data) {
        av_packet_move_ref(packet, stream->first);
        return 0;
    }

    stream->deadline = vidcast_av_clock() + stream->conf->timeout;

    for ( ;; ) {

        /* of a file, libav does not ask */

        if (__atomic_load_n(&stream->quit, __ATOMIC_RELAXED)) {
            return AVERROR_EXIT;
        }

        vidcast_av_said_forget();

        rc = av_read_frame(stream->format, packet);

        /* some look for one more, and call it broken */

        if (rc == AVERROR_INVALIDDATA
            && stream->format->pb
            && avio_feof(stream->format->pb))
        {
            return AVERROR_EOF;
        }

        /* so does HTTP, if it was not told how long an answer is */

        if (rc == AVERROR(EIO)
            && !stream->stored
            && stream->format->pb
            && avio_size(stream->format->pb) <= 0)
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
        || (stream->stop && *stream->stop)
        || vidcast_av_said_redirect()[0])
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
    char                 reason[AV_ERROR_MAX_STRING_SIZE];
    size_t               n, len;
    AVStream            *video;
    const char          *said;
    vidcast_av_answer_e  answer;

    if (stream->timedout) {
        video = stream->format ? vidcast_av_stream_video(stream) : NULL;

        if (video && video->codecpar->codec_id == AV_CODEC_ID_NONE) {
            (void) snprintf(error, VIDCAST_ERROR_LEN, "%s: its video is of a "
                            "codec that libavformat does not know", what);
            return;
        }

        (void) snprintf(error, VIDCAST_ERROR_LEN, "%s: nothing came for %d ms",
                        what, (int) (stream->conf->timeout / 1000));
        return;
    }

    if (stream->conf->rtsp && rc == AVERROR(EPROTONOSUPPORT)) {

        /* what libavformat makes of 461 */

        (void) snprintf(error, VIDCAST_ERROR_LEN, "%s: the server does not "
                        "send by %s%s", what, stream->conf->udp ? "UDP" : "TCP",
                        stream->conf->tls ? ", which \"rtsps:\" needs"
                        : stream->conf->udp ? "; use \"transport=tcp\""
                                            : "; use \"transport=udp\"");
        return;
    }

    if (rc == AVERROR_HTTP_UNAUTHORIZED) {
        vidcast_av_stream_refused(stream, what, error);
        return;
    }

    said = vidcast_av_said_complaint();

    if (said[0] == '\0' && stream->conf->rtsp
        && (rc == AVERROR_INVALIDDATA || rc == AVERROR(EPERM)))
    {
        /* libavformat has no word for the end of a connection */

        answer = vidcast_av_said_answer();

        (void) snprintf(error, VIDCAST_ERROR_LEN, "%s: %s", what,
                        answer == VIDCAST_AV_SILENT
                        ? "the server closed the connection without an answer"
                        : answer == VIDCAST_AV_STRANGE
                        ? "the answer of the server is not one of RTSP"
                        : "the server closed the connection, or its answer "
                          "lacks what RTSP wants");
        return;
    }

    (void) av_strerror(rc, reason, sizeof(reason));

    len = strlen(said);
    n = strlen(reason);

    if (len == 0 || (len > n && strcmp(said + len - n, reason) == 0)) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "%s: %s", what, reason);

    } else if (strncmp(said, "method ", sizeof("method ") - 1) == 0) {

        /* what the server says of it, in its own words */

        (void) snprintf(error, VIDCAST_ERROR_LEN, "%s: %s", what, said);

    } else {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "%s: %s (%s)", what, reason,
                        said);
    }
}


static void
vidcast_av_stream_refused(vidcast_av_stream_t *stream, const char *what,
    char *error)
{
    const char  *digest, *why;

    digest = vidcast_av_said_digest();

    if (digest[0] && strncasecmp(digest, "MD5", 3) != 0) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "%s: the server asks for a "
                        "digest by %s, and libavformat knows only MD5", what,
                        digest);
        return;
    }

    if (!vidcast_av_conf_has_user(stream->conf)) {
        why = "it asks for user and password";

    } else if (stream->foreign) {
        why = "a redirect to another server, which is told no user and "
              "password";

    } else {
        why = "user or password is wrong";
    }

    (void) snprintf(error, VIDCAST_ERROR_LEN, "%s: 401 Unauthorized, %s", what,
                    why);
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
