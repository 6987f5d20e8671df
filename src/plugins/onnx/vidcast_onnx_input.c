
/*
 * Copyright (C) vidcast contributors
 */


#include <stdio.h>
#include <string.h>

#include "plugins/onnx/vidcast_onnx_input.h"


static uint32_t vidcast_onnx_input_layout(const vidcast_onnx_tensor_t *tensor,
    const vidcast_onnx_requested_t *params);
static int vidcast_onnx_input_is(const vidcast_onnx_tensor_t *tensor,
    uint32_t at, int open);
static int vidcast_onnx_input_side(int64_t *dim, uint32_t wished,
    uint32_t *side);
static int vidcast_onnx_input_refuse(const vidcast_onnx_tensor_t *tensor,
    const char *reason, char *error);
static void vidcast_onnx_input_plane(const vidcast_onnx_input_t *input,
    const vidcast_image_t *image, uint32_t channel, uint8_t *dst);
static void vidcast_onnx_input_pixels(const vidcast_onnx_input_t *input,
    const vidcast_image_t *image, uint8_t *dst);
static void vidcast_onnx_input_row(const vidcast_onnx_input_t *input,
    uint32_t channel, const uint8_t *src, size_t src_step, uint8_t *dst,
    size_t dst_step);


int
vidcast_onnx_input_plan(vidcast_onnx_input_t *input,
    vidcast_onnx_tensor_t *tensor, const vidcast_onnx_requested_t *params,
    char *error)
{
    char                   reason[96];
    int64_t               *dims;
    uint32_t               channel, row, column;
    vidcast_onnx_tensor_t  has;

    memset(input, 0, sizeof(vidcast_onnx_input_t));

    has = *tensor;
    input->type = tensor->type;

    if (tensor->type != VIDCAST_ONNX_FLOAT
        && tensor->type != VIDCAST_ONNX_FLOAT16
        && tensor->type != VIDCAST_ONNX_UINT8)
    {
        return vidcast_onnx_input_refuse(&has, "pictures are float32, "
                                         "float16 or uint8", error);
    }

    if (tensor->type == VIDCAST_ONNX_UINT8 && params->given) {
        return vidcast_onnx_input_refuse(&has, "\"mean\" and \"scale\" are "
                                         "for floating-point numbers", error);
    }

    dims = tensor->dims;
    input->layout = vidcast_onnx_input_layout(tensor, params);

    if (input->layout == 0 || (tensor->ndims == 4 && dims[0] > 1)) {
        return vidcast_onnx_input_refuse(&has, "pictures are [1, 3, height, "
                                         "width] or [1, height, width, 3], "
                                         "or 1 instead of 3", error);
    }

    channel = tensor->ndims - (input->layout == VIDCAST_ONNX_NCHW ? 3 : 1);
    row = tensor->ndims - (input->layout == VIDCAST_ONNX_NCHW ? 2 : 3);
    column = row + 1;

    if (tensor->ndims == 4) {
        dims[0] = 1;
    }

    dims[channel] = (dims[channel] < 0) ? 3 : dims[channel];
    input->channels = (uint32_t) dims[channel];

    if ((dims[row] < 0 || dims[column] < 0) && params->width == 0) {
        return vidcast_onnx_input_refuse(&has, "\"size\" must be given", error);
    }

    if (vidcast_onnx_input_side(&dims[row], params->height, &input->height)
        != VIDCAST_OK
        || vidcast_onnx_input_side(&dims[column], params->width, &input->width)
           != VIDCAST_OK)
    {
        (void) snprintf(reason, sizeof(reason), "\"size\" is %ux%u",
                        params->width, params->height);
        return vidcast_onnx_input_refuse(&has, reason, error);
    }

    input->size = (size_t) input->width * input->height * input->channels
                  * vidcast_onnx_type_size(input->type);

    return VIDCAST_OK;
}


/* 0: neither */

static uint32_t
vidcast_onnx_input_layout(const vidcast_onnx_tensor_t *tensor,
    const vidcast_onnx_requested_t *params)
{
    int       open;
    uint32_t  first, last;

    if (tensor->ndims != 3 && tensor->ndims != 4) {
        return 0;
    }

    first = tensor->ndims - 3;
    last = tensor->ndims - 1;

    if (params->layout == VIDCAST_ONNX_NHWC) {
        return vidcast_onnx_input_is(tensor, last, 1) ? VIDCAST_ONNX_NHWC : 0;
    }

    if (params->layout == VIDCAST_ONNX_NCHW) {
        return vidcast_onnx_input_is(tensor, first, 1) ? VIDCAST_ONNX_NCHW : 0;
    }

    for (open = 0; open <= 1; open++) {

        if (vidcast_onnx_input_is(tensor, first, open)) {
            return VIDCAST_ONNX_NCHW;
        }

        if (vidcast_onnx_input_is(tensor, last, open)) {
            return VIDCAST_ONNX_NHWC;
        }
    }

    return 0;
}


/* may it be a number of channels?  So it may be if that is left open */

static int
vidcast_onnx_input_is(const vidcast_onnx_tensor_t *tensor, uint32_t at,
    int open)
{
    return tensor->dims[at] == 3 || tensor->dims[at] == 1
           || (open && tensor->dims[at] < 0);
}


static int
vidcast_onnx_input_side(int64_t *dim, uint32_t wished, uint32_t *side)
{
    if (*dim < 0) {
        *dim = wished;
    }

    if (*dim < 1 || *dim > VIDCAST_ONNX_MAX_SIZE
        || (wished && *dim != (int64_t) wished))
    {
        return VIDCAST_ERROR;
    }

    *side = (uint32_t) *dim;

    return VIDCAST_OK;
}


static int
vidcast_onnx_input_refuse(const vidcast_onnx_tensor_t *tensor,
    const char *reason, char *error)
{
    char  shape[112];

    (void) snprintf(error, VIDCAST_ERROR_LEN, "its input is %s, but %s",
                    vidcast_onnx_tensor_print(tensor, shape, sizeof(shape)),
                    reason);

    return VIDCAST_ERROR;
}


void
vidcast_onnx_input_scale(vidcast_onnx_input_t *input,
    const vidcast_onnx_requested_t *params, float mean, float scale)
{
    float     number;
    uint32_t  channel, value;

    for (channel = 0; channel < input->channels; channel++) {

        if (params->given) {
            mean = params->mean[channel];
        }

        if (params->scaled) {
            scale = params->scale[channel];
        }

        for (value = 0; value < 256; value++) {
            number = ((float) value - mean) * scale;

            if (input->type == VIDCAST_ONNX_FLOAT16) {
                input->table.half[channel][value] = vidcast_onnx_half(number);

            } else {
                input->table.number[channel][value] = number;
            }
        }
    }
}


void
vidcast_onnx_input_fill(const vidcast_onnx_input_t *input,
    const vidcast_image_t *image, void *data)
{
    uint32_t  channel;
    uint8_t  *dst;

    if (input->layout == VIDCAST_ONNX_NHWC) {
        vidcast_onnx_input_pixels(input, image, data);
        return;
    }

    dst = data;

    for (channel = 0; channel < input->channels; channel++) {
        vidcast_onnx_input_plane(input, image, channel, dst);
        dst += input->size / input->channels;
    }
}


static void
vidcast_onnx_input_plane(const vidcast_onnx_input_t *input,
    const vidcast_image_t *image, uint32_t channel, uint8_t *dst)
{
    size_t    bytes;
    uint32_t  y;

    bytes = vidcast_onnx_type_size(input->type);

    for (y = 0; y < input->height; y++) {
        vidcast_onnx_input_row(input, channel, image->plane[0] + channel
                               + (size_t) y * image->stride[0],
                               input->channels, dst, 1);
        dst += input->width * bytes;
    }
}


static void
vidcast_onnx_input_pixels(const vidcast_onnx_input_t *input,
    const vidcast_image_t *image, uint8_t *dst)
{
    size_t    bytes;
    uint32_t  y, channel;

    bytes = vidcast_onnx_type_size(input->type);

    for (y = 0; y < input->height; y++) {

        for (channel = 0; channel < input->channels; channel++) {
            vidcast_onnx_input_row(input, channel, image->plane[0] + channel
                                   + (size_t) y * image->stride[0],
                                   input->channels, dst + channel * bytes,
                                   input->channels);
        }

        dst += input->width * input->channels * bytes;
    }
}


/* steps are in bytes of the picture, and in numbers */

static void
vidcast_onnx_input_row(const vidcast_onnx_input_t *input, uint32_t channel,
    const uint8_t *src, size_t src_step, uint8_t *dst, size_t dst_step)
{
    float           *number;
    uint16_t        *half;
    uint32_t         x;
    const float     *numbers;
    const uint16_t  *halves;

    switch (input->type) {

    case VIDCAST_ONNX_FLOAT:
        number = (float *) (void *) dst;
        numbers = input->table.number[channel];

        for (x = 0; x < input->width; x++) {
            number[x * dst_step] = numbers[src[x * src_step]];
        }

        break;

    case VIDCAST_ONNX_FLOAT16:
        half = (uint16_t *) (void *) dst;
        halves = input->table.half[channel];

        for (x = 0; x < input->width; x++) {
            half[x * dst_step] = halves[src[x * src_step]];
        }

        break;

    default: /* VIDCAST_ONNX_UINT8 */

        for (x = 0; x < input->width; x++) {
            dst[x * dst_step] = src[x * src_step];
        }

        break;
    }
}
