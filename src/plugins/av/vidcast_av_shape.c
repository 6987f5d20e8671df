
/*
 * Copyright (C) vidcast contributors
 */


#include <stdio.h>
#include <string.h>

#include "plugins/av/vidcast_av.h"


/*
 * How a picture is to be shown: which side is up, by the display matrix that
 * phones write; in which proportions, by the ratio of a pixel's sides; and how
 * large, by "size" and "fit".  What is asked for is of the upright picture;
 * here a picture is scaled as it lies, and the host turns it.
 */

#define VIDCAST_AV_SHAPE_RATIO   10        /* of a pixel's sides, at most */
#define VIDCAST_AV_SHAPE_SLIGHT  50        /* times less is as good as zero */
#define VIDCAST_AV_SHAPE_MATRIX  9


/* the picture with square pixels, as it lies */

typedef struct {
    int       width;
    int       height;
    int64_t   across;                      /* proportions, not yet rounded */
    int64_t   down;
} vidcast_av_shape_natural_t;


static void vidcast_av_shape_upside(vidcast_av_look_t *look,
    const vidcast_av_conf_t *conf, const int32_t *matrix);
static const int32_t *vidcast_av_shape_own(const AVFrame *frame);
static const int32_t *vidcast_av_shape_matrix(const AVStream *video);
static int vidcast_av_shape_orientation(const int32_t *matrix);
static int vidcast_av_shape_sign(int32_t value, int32_t other);
static AVRational vidcast_av_shape_aspect(const vidcast_av_conf_t *conf,
    AVRational aspect, int width, int height, int *odd);
static void vidcast_av_shape_natural(vidcast_av_shape_natural_t *natural,
    int width, int height, AVRational aspect);
static void vidcast_av_shape_inside(vidcast_av_shape_t *shape,
    const vidcast_av_shape_natural_t *natural, int width, int height);
static int vidcast_av_shape_even(int64_t side, int64_t num, int64_t den);


void
vidcast_av_shape_look(vidcast_av_look_t *look, const vidcast_av_conf_t *conf,
    AVFormatContext *format, AVStream *video, const AVFrame *frame,
    int key)
{
    int             odd, width, height;
    char            line[VIDCAST_ERROR_LEN];
    AVRational      aspect;
    const int32_t  *matrix;

    matrix = frame ? vidcast_av_shape_own(frame) : NULL;

    if (matrix || key) {

        /* one of its own holds up to the next key frame */

        vidcast_av_shape_upside(look, conf,
                                matrix ? matrix
                                       : vidcast_av_shape_matrix(video));
    }

    /* its own name for it does not take a constant one */

    aspect = av_guess_sample_aspect_ratio(format, video, (AVFrame *) frame);

    width = frame ? frame->width : video->codecpar->width;
    height = frame ? frame->height : video->codecpar->height;

    look->aspect = vidcast_av_shape_aspect(conf, aspect, width, height, &odd);

    if (odd && !look->aspect_told) {
        look->aspect_told = 1;

        (void) snprintf(line, sizeof(line), "its ratio of a pixel's sides is "
                        "ignored: %d:%d, of a picture of %dx%d pixels",
                        aspect.num, aspect.den, width, height);

        conf->context->log(conf->context->host, VIDCAST_LOG_WARN, line);
    }
}


/* NULL: there is no matrix */

static void
vidcast_av_shape_upside(vidcast_av_look_t *look, const vidcast_av_conf_t *conf,
    const int32_t *matrix)
{
    int  orientation;

    orientation = matrix ? vidcast_av_shape_orientation(matrix) : 1;

    look->orientation = orientation ? orientation : 1;

    if (orientation == 0 && !look->matrix_told) {
        look->matrix_told = 1;
        conf->context->log(conf->context->host, VIDCAST_LOG_WARN,
                           "its display matrix is ignored, which is no turn "
                           "by 90, 180 or 270 degrees, nor a mirror");
    }
}


/* that of a picture */

static const int32_t *
vidcast_av_shape_own(const AVFrame *frame)
{
    const AVFrameSideData  *side;

    side = av_frame_get_side_data(frame, AV_FRAME_DATA_DISPLAYMATRIX);

    return side && side->size >= VIDCAST_AV_SHAPE_MATRIX * sizeof(int32_t)
               ? (const int32_t *) side->data : NULL;
}


/* that of all of the film; libavcodec 61 has it in another place */

#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(60, 30, 100)

static const int32_t *
vidcast_av_shape_matrix(const AVStream *video)
{
    const AVPacketSideData  *side;

    side = av_packet_side_data_get(video->codecpar->coded_side_data,
                                   video->codecpar->nb_coded_side_data,
                                   AV_PKT_DATA_DISPLAYMATRIX);

    return side && side->size >= VIDCAST_AV_SHAPE_MATRIX * sizeof(int32_t)
               ? (const int32_t *) side->data : NULL;
}

#else

static const int32_t *
vidcast_av_shape_matrix(const AVStream *video)
{
    size_t          size;
    const uint8_t  *side;

    side = av_stream_get_side_data(video, AV_PKT_DATA_DISPLAYMATRIX, &size);

    return side && size >= VIDCAST_AV_SHAPE_MATRIX * sizeof(int32_t)
               ? (const int32_t *) side : NULL;
}

#endif


/*
 * A point x, y goes to x * m[0] + y * m[3], x * m[1] + y * m[4], with y
 * downwards.  The number of EXIF for it; 0: there is none.
 */

static int
vidcast_av_shape_orientation(const int32_t *matrix)
{
    int  right, down;

    /* where the first row goes, and the first column */

    right = vidcast_av_shape_sign(matrix[0], matrix[1]);
    down = vidcast_av_shape_sign(matrix[4], matrix[3]);

    if (right && down) {
        return right > 0 ? (down > 0 ? 1 : 4) : (down > 0 ? 2 : 3);
    }

    right = vidcast_av_shape_sign(matrix[1], matrix[0]);
    down = vidcast_av_shape_sign(matrix[3], matrix[4]);

    if (right && down) {
        return right > 0 ? (down > 0 ? 5 : 6) : (down > 0 ? 8 : 7);
    }

    return 0;
}


/* of a value beside which the other one is nothing; or 0 */

static int
vidcast_av_shape_sign(int32_t value, int32_t other)
{
    int64_t  v, o;

    v = value < 0 ? -(int64_t) value : value;
    o = other < 0 ? -(int64_t) other : other;

    if (v == 0 || o * VIDCAST_AV_SHAPE_SLIGHT > v) {
        return 0;
    }

    return value < 0 ? -1 : 1;
}


/* what is not told is square, and so is what makes no sense */

static AVRational
vidcast_av_shape_aspect(const vidcast_av_conf_t *conf, AVRational aspect,
    int width, int height, int *odd)
{
    vidcast_av_shape_natural_t  natural;

    static const AVRational  square = { 1, 1 };

    *odd = 0;

    if (aspect.num <= 0 || aspect.den <= 0 || aspect.num == aspect.den) {
        return square;
    }

    *odd = aspect.num / VIDCAST_AV_SHAPE_RATIO > aspect.den
           || aspect.den / VIDCAST_AV_SHAPE_RATIO > aspect.num;

    if (!*odd && conf->width == 0 && conf->height == 0) {
        vidcast_av_shape_natural(&natural, width, height, aspect);

        *odd = natural.width > VIDCAST_AV_MAX_SIZE
               || natural.height > VIDCAST_AV_MAX_SIZE;
    }

    return *odd ? square : aspect;
}


void
vidcast_av_shape_fit(vidcast_av_shape_t *shape, const vidcast_av_conf_t *conf,
    const AVFrame *frame, uint32_t orientation)
{
    int                         width, height;
    vidcast_av_shape_natural_t  natural;

    memset(shape, 0, sizeof(vidcast_av_shape_t));

    vidcast_av_shape_natural(&natural, frame->width, frame->height,
                             frame->sample_aspect_ratio);

    width = vidcast_av_shape_swaps(orientation) ? conf->height : conf->width;
    height = vidcast_av_shape_swaps(orientation) ? conf->width : conf->height;

    shape->inner_width = width ? width : natural.width;
    shape->inner_height = height ? height : natural.height;

    if (conf->fit == VIDCAST_FIT_WITHIN) {

        /* it never grows */

        width = width && width < natural.width ? width : natural.width;
        height = height && height < natural.height ? height : natural.height;
    }

    if (conf->fit != VIDCAST_FIT_STRETCH) {
        vidcast_av_shape_inside(shape, &natural, width, height);
    }

    shape->width = shape->inner_width;
    shape->height = shape->inner_height;

    if (conf->fit == VIDCAST_FIT_LETTERBOX) {
        shape->width = width;
        shape->height = height;

        /* even, for the halves of chroma */

        shape->left = (width - shape->inner_width) / 2 & ~1;
        shape->top = (height - shape->inner_height) / 2 & ~1;
    }
}


/* the side that has to grow does so, the other one stays */

static void
vidcast_av_shape_natural(vidcast_av_shape_natural_t *natural, int width,
    int height, AVRational aspect)
{
    natural->width = width;
    natural->height = height;
    natural->across = width;
    natural->down = height;

    if (aspect.num <= 0 || aspect.den <= 0) {
        return;
    }

    natural->across *= aspect.num;
    natural->down *= aspect.den;

    /* a ratio that does not add a pixel is a square one */

    if (av_rescale(width, aspect.num, aspect.den) > width) {
        natural->width = vidcast_av_shape_even(width, aspect.num, aspect.den);
    }

    if (av_rescale(height, aspect.den, aspect.num) > height) {
        natural->height = vidcast_av_shape_even(height, aspect.den,
                                                aspect.num);
    }
}


/* the largest in these sides, of which one may be any, that is zero */

static void
vidcast_av_shape_inside(vidcast_av_shape_t *shape,
    const vidcast_av_shape_natural_t *natural, int width, int height)
{
    int  w, h;

    w = width ? width : natural->width;
    h = height ? height : natural->height;

    if (w == natural->width && h == natural->height) {
        shape->inner_width = w;
        shape->inner_height = h;
        return;
    }

    /* does its full width make it too high? */

    if (width
        && (height == 0 || natural->down * width <= natural->across * height))
    {
        h = (width == natural->width) ? natural->height
            : vidcast_av_shape_even(width, natural->down, natural->across);

        shape->inner_width = width;
        shape->inner_height = height && h > height ? height : h;
        return;
    }

    w = (height == natural->height) ? natural->width
        : vidcast_av_shape_even(height, natural->across, natural->down);

    shape->inner_width = width && w > width ? width : w;
    shape->inner_height = height;
}


static int
vidcast_av_shape_even(int64_t side, int64_t num, int64_t den)
{
    int64_t  half;

    half = av_rescale(side, num, 2 * den);

    if (half > VIDCAST_AV_MAX_SIZE) {
        return 2 * VIDCAST_AV_MAX_SIZE;
    }

    return half ? (int) (2 * half) : 1;
}
