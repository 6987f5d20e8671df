
/*
 * Copyright (C) vidcast contributors
 */


/*
 * What pictures cost: a camera's YUYV to JPEG, and JPEG to what a predictor
 * wants at half of the size, by the functions of this project and by others.
 *
 *     codec [-d seconds] vidcast|turbojpeg|ffmpeg
 *
 * "turbojpeg" is that library alone, which is given planes that are ready.
 * "ffmpeg" makes the planes by libswscale and encodes them at the finest
 * scale with no more bytes than ours; it decodes to planes of full size, as
 * no other is to be had of it.  Times are of one thread's CPU, medians of one
 * picture, in ms.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "media/ngx_vidcast_resize.h"
#include "media/ngx_vidcast_image.h"
#include "media/ngx_vidcast_jpeg.h"

#include <time.h>
#include <turbojpeg.h>

#if (BENCH_FFMPEG)
#include <libavcodec/avcodec.h>
#include <libswscale/swscale.h>
#endif


#define CODEC_WIDTH    1280
#define CODEC_HEIGHT   720
#define CODEC_QUALITY  80
#define CODEC_RUNS     20000
#define CODEC_ROOM     (3 * CODEC_WIDTH * CODEC_HEIGHT)


/* each returns the bytes of what it made; 0: it failed */

typedef struct {
    const char  *name;
    void       (*open)(void);
    size_t     (*encode)(void);
    size_t     (*decode)(void);
} codec_t;


static void codec_draw(void);
static double codec_time(size_t (*run)(void), double seconds, size_t *size);
static uint64_t codec_clock(clockid_t id);
static int codec_cmp(const void *one, const void *two);
static void codec_fail(const char *what);
static void codec_vidcast_open(void);
static size_t codec_vidcast_encode(void);
static size_t codec_vidcast_decode(void);
static void codec_turbojpeg_open(void);
static size_t codec_turbojpeg_encode(void);
static size_t codec_turbojpeg_decode(void);
#if (BENCH_FFMPEG)
static void codec_ffmpeg_open(void);
static size_t codec_ffmpeg_encode(void);
static size_t codec_ffmpeg_decode(void);
#endif


static u_char                       codec_yuyv[2 * CODEC_WIDTH * CODEC_HEIGHT];
static u_char                       codec_out[CODEC_ROOM];
static u_char                       codec_jpeg[CODEC_ROOM];
static u_char                       codec_rgb[CODEC_ROOM / 4];
static size_t                       codec_size;
static uint64_t                     codec_runs[CODEC_RUNS];

static ngx_vidcast_image_t          codec_image;
static ngx_vidcast_resize_t            codec_fit;
static ngx_vidcast_jpeg_encoder_t  *codec_encoder;
static ngx_vidcast_jpeg_decoder_t  *codec_decoder;

static tjhandle                     codec_compressor;
static tjhandle                     codec_decompressor;

#if (BENCH_FFMPEG)
static AVCodecContext              *codec_av_encoder;
static AVCodecContext              *codec_av_decoder;
static AVFrame                     *codec_av_frame;
static AVFrame                     *codec_av_picture;
static AVPacket                    *codec_av_packet;
static AVPacket                    *codec_av_input;
static struct SwsContext           *codec_av_sws;
#endif


static codec_t  codec_all[] = {
    { "vidcast", codec_vidcast_open, codec_vidcast_encode,
      codec_vidcast_decode },

    { "turbojpeg", codec_turbojpeg_open, codec_turbojpeg_encode,
      codec_turbojpeg_decode },

#if (BENCH_FFMPEG)
    { "ffmpeg", codec_ffmpeg_open, codec_ffmpeg_encode, codec_ffmpeg_decode },
#endif

    { NULL, NULL, NULL, NULL }
};


int
main(int argc, char **argv)
{
    int       c;
    size_t    encoded, decoded;
    double    seconds, encode, decode;
    codec_t  *codec;

    seconds = 4;

    while ((c = getopt(argc, argv, "d:")) != -1) {
        switch (c) {
        case 'd': seconds = atof(optarg); break;
        default: return 2;
        }
    }

    for (codec = codec_all; codec->name; codec++) {
        if (argc - optind == 1 && strcmp(codec->name, argv[optind]) == 0) {
            break;
        }
    }

    if (codec->name == NULL) {
        fprintf(stderr, "usage: codec [-d seconds] name, one of:\n");

        for (codec = codec_all; codec->name; codec++) {
            fprintf(stderr, "    %s\n", codec->name);
        }

        return 2;
    }

    codec_draw();

    /* all decode the same, which is what we made */

    codec_vidcast_open();

    codec_size = codec_vidcast_encode();
    ngx_memcpy(codec_jpeg, codec_out, codec_size);

    codec->open();

    encode = codec_time(codec->encode, seconds / 2, &encoded);
    decode = codec_time(codec->decode, seconds / 2, &decoded);

    printf("{\"name\":\"%s\",\"encode_ms\":%.4f,\"decode_ms\":%.4f,"
           "\"encoded\":%zu,\"decoded\":%zu}\n",
           codec->name, encode, decode, encoded, decoded);

    return 0;
}


/* of a camera in a room: shades, edges, texture and noise */

static void
codec_draw(void)
{
    u_char     *p;
    uint32_t    noise;
    ngx_int_t   x, y, luma;

    p = codec_yuyv;
    noise = 1;

    for (y = 0; y < CODEC_HEIGHT; y++) {
        for (x = 0; x < CODEC_WIDTH; x++) {

            noise = noise * 1664525 + 1013904223;

            luma = 60 + x / 16 + y / 12 + (noise >> 29);

            if ((x / 80 + y / 60) % 5 == 0) {
                luma += (x * y / 7) % 40;
            }

            if ((x - 500) * (x - 500) + (y - 300) * (y - 300) < 150 * 150) {
                luma = 220 - y / 8;
            }

            *p++ = (u_char) ngx_min(luma, 235);
            *p++ = (u_char) ((x & 1) ? 110 + y / 20 : 140 - x / 40);
        }
    }
}


static double
codec_time(size_t (*run)(void), double seconds, size_t *size)
{
    size_t    n;
    uint64_t  start, end;

    /* what is allocated by the first one is there for the others */

    *size = run();

    end = codec_clock(CLOCK_MONOTONIC) + (uint64_t) (seconds * 1e9);

    for (n = 0; n < CODEC_RUNS; n++) {

        start = codec_clock(CLOCK_THREAD_CPUTIME_ID);

        if (run() == 0) {
            codec_fail("a picture");
        }

        codec_runs[n] = codec_clock(CLOCK_THREAD_CPUTIME_ID) - start;

        if (codec_clock(CLOCK_MONOTONIC) > end) {
            n++;
            break;
        }
    }

    qsort(codec_runs, n, sizeof(uint64_t), codec_cmp);

    return codec_runs[n / 2] / 1e6;
}


static uint64_t
codec_clock(clockid_t id)
{
    struct timespec  ts;

    (void) clock_gettime(id, &ts);

    return (uint64_t) ts.tv_sec * 1000000000 + ts.tv_nsec;
}


static int
codec_cmp(const void *one, const void *two)
{
    uint64_t  a, b;

    a = *(const uint64_t *) one;
    b = *(const uint64_t *) two;

    return (a > b) - (a < b);
}


static void
codec_fail(const char *what)
{
    fprintf(stderr, "codec: %s failed\n", what);
    exit(1);
}


static void
codec_vidcast_open(void)
{
    vidcast_want_t  want;

    ngx_memzero(&want, sizeof(vidcast_want_t));

    want.size = sizeof(vidcast_want_t);
    want.format = VIDCAST_RGB24;
    want.fit = VIDCAST_FIT_STRETCH;
    want.width = CODEC_WIDTH / 2;
    want.height = CODEC_HEIGHT / 2;

    codec_encoder = ngx_vidcast_jpeg_encoder_create();
    codec_decoder = ngx_vidcast_jpeg_decoder_create();

    if (codec_encoder == NULL
        || codec_decoder == NULL
        || ngx_vidcast_image_alloc(&codec_image, CODEC_WIDTH, CODEC_HEIGHT, 0)
           != NGX_OK
        || ngx_vidcast_resize_plan(&codec_fit, &want, CODEC_WIDTH, CODEC_HEIGHT)
           != NGX_OK
        || codec_fit.size > sizeof(codec_rgb))
    {
        codec_fail("our part");
    }
}


/* all that the input and an encoder do for a picture of a camera */

static size_t
codec_vidcast_encode(void)
{
    size_t  size;

    size = sizeof(codec_out);

    ngx_vidcast_image_from_yuyv(&codec_image, codec_yuyv, 2 * CODEC_WIDTH);
    ngx_vidcast_image_expand_range(&codec_image);

    return (ngx_vidcast_jpeg_encode(codec_encoder, &codec_image,
                                    CODEC_QUALITY, codec_out, &size)
            == NGX_OK) ? size : 0;
}


static size_t
codec_vidcast_decode(void)
{
    return (ngx_vidcast_resize_jpeg(&codec_fit, codec_decoder, codec_jpeg,
                                    codec_size, codec_rgb)
            == NGX_OK) ? codec_fit.size : 0;
}


static void
codec_turbojpeg_open(void)
{
    codec_compressor = tjInitCompress();
    codec_decompressor = tjInitDecompress();

    if (codec_compressor == NULL || codec_decompressor == NULL) {
        codec_fail("libturbojpeg");
    }
}


static size_t
codec_turbojpeg_encode(void)
{
    int             i, stride[3];
    u_char         *out;
    const u_char   *plane[3];
    unsigned long   size;

    for (i = 0; i < 3; i++) {
        plane[i] = codec_image.plane[i];
        stride[i] = codec_image.stride[i];
    }

    out = codec_out;
    size = sizeof(codec_out);

    return tjCompressFromYUVPlanes(codec_compressor, plane, CODEC_WIDTH,
                                   stride, CODEC_HEIGHT, TJSAMP_420, &out,
                                   &size, CODEC_QUALITY,
                                   TJFLAG_NOREALLOC|TJFLAG_ACCURATEDCT)
           == 0 ? size : 0;
}


static size_t
codec_turbojpeg_decode(void)
{
    return tjDecompress2(codec_decompressor, codec_jpeg, codec_size,
                         codec_rgb, CODEC_WIDTH / 2, 3 * CODEC_WIDTH / 2,
                         CODEC_HEIGHT / 2, TJPF_RGB, TJFLAG_ACCURATEDCT)
           == 0 ? sizeof(codec_rgb) : 0;
}


#if (BENCH_FFMPEG)

static void
codec_ffmpeg_open(void)
{
    int  scale;

    av_log_set_level(AV_LOG_ERROR);

    codec_av_frame = av_frame_alloc();
    codec_av_picture = av_frame_alloc();
    codec_av_packet = av_packet_alloc();
    codec_av_input = av_packet_alloc();

    codec_av_frame->format = AV_PIX_FMT_YUVJ420P;
    codec_av_frame->width = CODEC_WIDTH;
    codec_av_frame->height = CODEC_HEIGHT;

    codec_av_decoder = avcodec_alloc_context3(
                                   avcodec_find_decoder(AV_CODEC_ID_MJPEG));
    codec_av_decoder->thread_count = 1;

    codec_av_sws = sws_getContext(CODEC_WIDTH, CODEC_HEIGHT,
                                  AV_PIX_FMT_YUYV422, CODEC_WIDTH,
                                  CODEC_HEIGHT, AV_PIX_FMT_YUVJ420P,
                                  SWS_POINT, NULL, NULL, NULL);

    if (av_frame_get_buffer(codec_av_frame, 0) < 0
        || avcodec_open2(codec_av_decoder, NULL, NULL) < 0
        || codec_av_sws == NULL
        || av_new_packet(codec_av_input, codec_size) < 0)
    {
        codec_fail("FFmpeg");
    }

    ngx_memcpy(codec_av_input->data, codec_jpeg, codec_size);

    /* the finest scale that makes no more bytes than we */

    for (scale = 1; scale < 31; scale++) {

        codec_av_encoder = avcodec_alloc_context3(
                                   avcodec_find_encoder(AV_CODEC_ID_MJPEG));

        codec_av_encoder->width = CODEC_WIDTH;
        codec_av_encoder->height = CODEC_HEIGHT;
        codec_av_encoder->pix_fmt = AV_PIX_FMT_YUVJ420P;
        codec_av_encoder->time_base = (AVRational) { 1, 30 };
        codec_av_encoder->thread_count = 1;
        codec_av_encoder->flags |= AV_CODEC_FLAG_QSCALE;
        codec_av_encoder->global_quality = scale * FF_QP2LAMBDA;
        codec_av_frame->quality = codec_av_encoder->global_quality;

        if (avcodec_open2(codec_av_encoder, NULL, NULL) < 0) {
            codec_fail("FFmpeg's encoder");
        }

        if (codec_ffmpeg_encode() <= codec_size) {
            break;
        }

        avcodec_free_context(&codec_av_encoder);
    }
}


static size_t
codec_ffmpeg_encode(void)
{
    size_t         size;
    const u_char  *src[1];

    const int  stride[1] = { 2 * CODEC_WIDTH };

    src[0] = codec_yuyv;

    if (av_frame_make_writable(codec_av_frame) < 0
        || sws_scale(codec_av_sws, src, stride, 0, CODEC_HEIGHT,
                     codec_av_frame->data, codec_av_frame->linesize)
           != CODEC_HEIGHT
        || avcodec_send_frame(codec_av_encoder, codec_av_frame) < 0
        || avcodec_receive_packet(codec_av_encoder, codec_av_packet) < 0)
    {
        return 0;
    }

    size = codec_av_packet->size;
    codec_av_frame->pts++;

    av_packet_unref(codec_av_packet);

    return size;
}


static size_t
codec_ffmpeg_decode(void)
{
    if (avcodec_send_packet(codec_av_decoder, codec_av_input) < 0
        || avcodec_receive_frame(codec_av_decoder, codec_av_picture) < 0)
    {
        return 0;
    }

    return codec_av_picture->linesize[0] * codec_av_picture->height;
}

#endif
