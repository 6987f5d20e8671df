
/*
 * Copyright (C) vidcast contributors
 */


#include <stdio.h>

#include "plugins/onnx/heads/vidcast_onnx_head.h"
#include "vidcast_plugin.h"


/* no head: the numbers as they are, for viewers that know their meaning */

static int vidcast_onnx_raw_fits(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n);
static void vidcast_onnx_raw_wants(const vidcast_onnx_reading_t *reading,
    char *buf, size_t size);
static int vidcast_onnx_raw_json(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    vidcast_onnx_text_t *text);
static void vidcast_onnx_raw_tensor(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *output, vidcast_onnx_text_t *text);
static void vidcast_onnx_raw_number(const vidcast_onnx_reading_t *reading,
    vidcast_onnx_type_e type, double number, vidcast_onnx_text_t *text);
static int vidcast_onnx_raw_room(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n, char *error);
static int64_t vidcast_onnx_raw_bytes(const vidcast_onnx_reading_t *reading,
    vidcast_onnx_type_e type);


const vidcast_onnx_head_t  vidcast_onnx_raw = {
    "raw",
    vidcast_onnx_raw_fits,
    NULL,
    vidcast_onnx_raw_wants,
    NULL,
    vidcast_onnx_raw_json,
    NULL,
    vidcast_onnx_raw_room,
    NULL,
    0, 1, 0,
    1 / 255.0f, VIDCAST_FIT_STRETCH, 0, 0, 0, NULL, 0
};


static int
vidcast_onnx_raw_fits(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n)
{
    uint32_t  i;

    for (i = 0; i < n; i++) {

        if (outputs[i].type == VIDCAST_ONNX_OTHER
            || vidcast_onnx_tensor_volume(&outputs[i]) < 0)
        {
            return 0;
        }
    }

    return n != 0;
}


static void
vidcast_onnx_raw_wants(const vidcast_onnx_reading_t *reading, char *buf,
    size_t size)
{
    (void) snprintf(buf, size, "outputs of numbers");
}


/* what they have in the end is known of none, but some bytes each they have */

static int
vidcast_onnx_raw_room(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n, char *error)
{
    int64_t   numbers, bytes, volume;
    uint32_t  i;

    numbers = 0;
    bytes = 0;

    for (i = 0; i < n; i++) {
        volume = vidcast_onnx_tensor_volume(&outputs[i]);

        numbers += volume;
        bytes += volume * vidcast_onnx_raw_bytes(reading, outputs[i].type);
    }

    if (reading->result_size == 0 || bytes <= (int64_t) reading->result_size) {
        return VIDCAST_OK;
    }

    (void) snprintf(error, VIDCAST_ERROR_LEN, "\"raw\" has %lld numbers, some "
                    "%lld bytes, but \"results\" allows %zu: choose some by "
                    "\"output\", round them by \"digits\", or allow more",
                    (long long) numbers, (long long) bytes,
                    reading->result_size);

    return VIDCAST_ERROR;
}


/* of one number, with its comma */

static int64_t
vidcast_onnx_raw_bytes(const vidcast_onnx_reading_t *reading,
    vidcast_onnx_type_e type)
{
    switch (type) {

    case VIDCAST_ONNX_FLOAT:
    case VIDCAST_ONNX_FLOAT16:
    case VIDCAST_ONNX_DOUBLE:
        break;

    default:
        return 2;
    }

    if (reading->digits >= 0) {
        return 3 + reading->digits;
    }

    return type == VIDCAST_ONNX_FLOAT16 ? 8
           : type == VIDCAST_ONNX_FLOAT ? 11 : 19;
}


static int
vidcast_onnx_raw_json(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    vidcast_onnx_text_t *text)
{
    uint32_t  i;

    vidcast_onnx_text_add(text, "{\"outputs\":[");

    for (i = 0; i < n; i++) {

        if (i) {
            vidcast_onnx_text_add(text, ",");
        }

        vidcast_onnx_raw_tensor(reading, &outputs[i], text);
    }

    vidcast_onnx_text_add(text, "]}");

    return text->failed ? VIDCAST_ERROR : VIDCAST_OK;
}


static void
vidcast_onnx_raw_tensor(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *output, vidcast_onnx_text_t *text)
{
    size_t    i;
    uint32_t  dim;

    vidcast_onnx_text_add(text, "{\"name\":");
    vidcast_onnx_text_string(text, output->name);
    vidcast_onnx_text_add(text, ",\"shape\":[");

    for (dim = 0; dim < output->ndims; dim++) {

        if (dim) {
            vidcast_onnx_text_add(text, ",");
        }

        vidcast_onnx_text_number(text, (double) output->dims[dim], 17);
    }

    vidcast_onnx_text_add(text, "],\"data\":[");

    for (i = 0; i < output->count; i++) {

        if (i) {
            vidcast_onnx_text_add(text, ",");
        }

        vidcast_onnx_raw_number(reading, output->type,
                                vidcast_onnx_tensor_number(output, i), text);
    }

    vidcast_onnx_text_add(text, "]}");
}


static void
vidcast_onnx_raw_number(const vidcast_onnx_reading_t *reading,
    vidcast_onnx_type_e type, double number, vidcast_onnx_text_t *text)
{
    if (reading->digits >= 0) {
        vidcast_onnx_text_rounded(text, number, reading->digits);
        return;
    }

    switch (type) {

    case VIDCAST_ONNX_FLOAT:
        vidcast_onnx_text_exact(text, number, 24, -149);
        break;

    case VIDCAST_ONNX_FLOAT16:
        vidcast_onnx_text_exact(text, number, 11, -24);
        break;

    case VIDCAST_ONNX_DOUBLE:
        vidcast_onnx_text_number(text, number, 17);
        break;

    default: /* whole numbers */
        vidcast_onnx_text_rounded(text, number, 0);
        break;
    }
}
