
/*
 * Copyright (C) vidcast contributors
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>

#include "plugins/av/vidcast_av.h"


/*
 * A decoded picture becomes I420 of the size that is asked for by libswscale,
 * if it is not yet, and then has its values and colors made those of a JPEG,
 * if they are not yet.  Many pictures pass both untouched.  What has bars goes
 * through the second step in any case, which leaves them as they are.
 */

#define VIDCAST_AV_BLACK  0
#define VIDCAST_AV_GRAY   128           /* no color */


struct vidcast_av_image_s {
    const vidcast_av_conf_t  *conf;

    struct SwsContext    *sws;
    AVFrame              *scaled;
    AVFrame              *colored;
    vidcast_av_shape_t    shape;        /* that "colored" has its bars for */

    vidcast_av_color_t    color;
    vidcast_av_matrix_e   matrix;       /* what "color" was made for */
    int                   full;
};


static int vidcast_av_image_scale(vidcast_av_image_t *image,
    const AVFrame *frame, int width, int height, int full, char *error);
static int vidcast_av_image_alloc(AVFrame *frame, int width, int height,
    char *error);
static void vidcast_av_image_bars(vidcast_av_image_t *image,
    const vidcast_av_shape_t *shape);
static int vidcast_av_image_full(const AVFrame *frame);
static vidcast_av_matrix_e vidcast_av_image_matrix(const AVFrame *frame);
static int vidcast_av_image_rgb(const AVFrame *frame);
static void vidcast_av_image_view(const AVFrame *frame, vidcast_image_t *view);


vidcast_av_image_t *
vidcast_av_image_create(const vidcast_av_conf_t *conf)
{
    vidcast_av_image_t  *image;

    image = calloc(1, sizeof(vidcast_av_image_t));

    if (image == NULL) {
        return NULL;
    }

    image->conf = conf;

    image->scaled = av_frame_alloc();
    image->colored = av_frame_alloc();

    if (image->scaled == NULL || image->colored == NULL) {
        vidcast_av_image_free(image);
        return NULL;
    }

    vidcast_av_color_init(&image->color, VIDCAST_AV_BT601, 0);

    return image;
}


void
vidcast_av_image_free(vidcast_av_image_t *image)
{
    sws_freeContext(image->sws);
    av_frame_free(&image->scaled);
    av_frame_free(&image->colored);
    free(image);
}


int
vidcast_av_image_convert(vidcast_av_image_t *image, const AVFrame *frame,
    uint32_t orientation, vidcast_image_t *view, char *error)
{
    int                  i, full, bars;
    vidcast_image_t      from, to;
    vidcast_av_shape_t   shape;
    vidcast_av_matrix_e  matrix;

    if (frame->width <= 0 || frame->height <= 0) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "a picture of %dx%d pixels",
                        frame->width, frame->height);
        return VIDCAST_BAD;
    }

    vidcast_av_shape_fit(&shape, image->conf, frame, orientation);

    if (shape.width > VIDCAST_AV_MAX_SIZE
        || shape.height > VIDCAST_AV_MAX_SIZE)
    {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "a picture of %dx%d pixels "
                        "is too large: %dx%d", frame->width, frame->height,
                        shape.width, shape.height);
        return VIDCAST_BAD;
    }

    bars = (shape.inner_width != shape.width
            || shape.inner_height != shape.height);

    full = vidcast_av_image_full(frame);
    matrix = vidcast_av_image_matrix(frame);

    if (shape.inner_width != frame->width
        || shape.inner_height != frame->height
        || frame->linesize[0] < 0
        || (frame->format != AV_PIX_FMT_YUV420P
            && frame->format != AV_PIX_FMT_YUVJ420P))
    {
        if (vidcast_av_image_scale(image, frame, shape.inner_width,
                                   shape.inner_height, full, error)
            != VIDCAST_OK)
        {
            return VIDCAST_BAD;
        }

        frame = image->scaled;
    }

    vidcast_av_image_view(frame, view);

    if (image->matrix != matrix || image->full != full) {
        image->matrix = matrix;
        image->full = full;
        vidcast_av_color_init(&image->color, matrix, full);
    }

    if (image->color.same && !bars) {
        return VIDCAST_OK;
    }

    if (vidcast_av_image_alloc(image->colored, shape.width, shape.height,
                               error)
        != VIDCAST_OK)
    {
        return VIDCAST_BAD;
    }

    if (memcmp(&image->shape, &shape, sizeof(vidcast_av_shape_t)) != 0) {
        image->shape = shape;

        if (bars) {
            vidcast_av_image_bars(image, &shape);
        }
    }

    from = *view;
    vidcast_av_image_view(image->colored, view);

    to = *view;

    for (i = 0; i < 3; i++) {
        to.plane[i] += (size_t) (shape.top >> (i > 0)) * to.stride[i]
                       + (shape.left >> (i > 0));
    }

    vidcast_av_color_convert(&image->color, &from, &to);

    return VIDCAST_OK;
}


/*
 * Values and colors stay what they are.  RGB becomes the limited range of
 * BT.601, which is all that some paths of libswscale know.
 */

static int
vidcast_av_image_scale(vidcast_av_image_t *image, const AVFrame *frame,
    int width, int height, int full, char *error)
{
    const int  *matrix;

    if (vidcast_av_image_alloc(image->scaled, width, height, error)
        != VIDCAST_OK)
    {
        return VIDCAST_BAD;
    }

    image->sws = sws_getCachedContext(image->sws, frame->width, frame->height,
                                      frame->format, width, height,
                                      AV_PIX_FMT_YUV420P, SWS_BILINEAR, NULL,
                                      NULL, NULL);

    if (image->sws == NULL) {
        (void) snprintf(error, VIDCAST_ERROR_LEN,
                        "pictures of %dx%d pixels in %s could not be "
                        "converted", frame->width, frame->height,
                        av_get_pix_fmt_name(frame->format));
        return VIDCAST_BAD;
    }

    matrix = sws_getCoefficients(SWS_CS_ITU601);

    (void) sws_setColorspaceDetails(image->sws, matrix, full, matrix, full, 0,
                                    1 << 16, 1 << 16);

    if (sws_scale(image->sws, (const uint8_t *const *) frame->data,
                  frame->linesize, 0, frame->height, image->scaled->data,
                  image->scaled->linesize)
        != height)
    {
        (void) snprintf(error, VIDCAST_ERROR_LEN,
                        "a picture could not be converted");
        return VIDCAST_BAD;
    }

    return VIDCAST_OK;
}


static int
vidcast_av_image_alloc(AVFrame *frame, int width, int height, char *error)
{
    if (frame->width == width && frame->height == height) {
        return VIDCAST_OK;
    }

    av_frame_unref(frame);

    frame->format = AV_PIX_FMT_YUV420P;
    frame->width = width;
    frame->height = height;

    if (av_frame_get_buffer(frame, 0) < 0) {
        av_frame_unref(frame);
        (void) snprintf(error, VIDCAST_ERROR_LEN,
                        "no memory for %dx%d pixels", width, height);
        return VIDCAST_BAD;
    }

    return VIDCAST_OK;
}


/* all of it, most of which the pictures cover */

static void
vidcast_av_image_bars(vidcast_av_image_t *image,
    const vidcast_av_shape_t *shape)
{
    int       i;
    size_t    rows;
    AVFrame  *frame;

    frame = image->colored;

    for (i = 0; i < 3; i++) {
        rows = i ? (shape->height + 1) / 2 : shape->height;

        memset(frame->data[i], i ? VIDCAST_AV_GRAY : VIDCAST_AV_BLACK,
               rows * frame->linesize[i]);
    }
}


/* are values 0-255? */

static int
vidcast_av_image_full(const AVFrame *frame)
{
    switch (frame->format) {

    case AV_PIX_FMT_YUVJ420P:
    case AV_PIX_FMT_YUVJ422P:
    case AV_PIX_FMT_YUVJ444P:
    case AV_PIX_FMT_YUVJ440P:
    case AV_PIX_FMT_YUVJ411P:
        return 1;

    default:
        return frame->color_range == AVCOL_RANGE_JPEG
               && !vidcast_av_image_rgb(frame);
    }
}


/* many streams do not tell; then their size is what everybody goes by */

static vidcast_av_matrix_e
vidcast_av_image_matrix(const AVFrame *frame)
{
    switch (frame->colorspace) {

    case AVCOL_SPC_BT709:
        return VIDCAST_AV_BT709;

    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL:
        return VIDCAST_AV_BT2020;

    case AVCOL_SPC_SMPTE240M:
        return VIDCAST_AV_SMPTE240M;

    case AVCOL_SPC_FCC:
        return VIDCAST_AV_FCC;

    case AVCOL_SPC_UNSPECIFIED:
    case AVCOL_SPC_RESERVED:

        if (!vidcast_av_image_full(frame)
            && !vidcast_av_image_rgb(frame)
            && (frame->height >= 720 || frame->width >= 1280))
        {
            return VIDCAST_AV_BT709;
        }

        return VIDCAST_AV_BT601;

    default:
        return VIDCAST_AV_BT601;
    }
}


static int
vidcast_av_image_rgb(const AVFrame *frame)
{
    const AVPixFmtDescriptor  *desc;

    desc = av_pix_fmt_desc_get(frame->format);

    return desc
           && (desc->flags & (AV_PIX_FMT_FLAG_RGB|AV_PIX_FMT_FLAG_PAL)) != 0;
}


static void
vidcast_av_image_view(const AVFrame *frame, vidcast_image_t *view)
{
    int  i;

    memset(view, 0, sizeof(vidcast_image_t));

    view->format = VIDCAST_I420;
    view->width = frame->width;
    view->height = frame->height;

    for (i = 0; i < 3; i++) {
        view->plane[i] = frame->data[i];
        view->stride[i] = frame->linesize[i];
    }
}
