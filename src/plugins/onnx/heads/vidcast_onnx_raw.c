
/*
 * Copyright (C) vidcast contributors
 */


#include <stdio.h>

#include "plugins/onnx/heads/vidcast_onnx_head.h"
#include "vidcast_plugin.h"


/* no head: the numbers as they are, for viewers that know their meaning */

#define VIDCAST_ONNX_RAW_MAX  (512 * 1024)     /* of a result's 1m */


static int vidcast_onnx_raw_fits(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n);
static void vidcast_onnx_raw_wants(const vidcast_onnx_reading_t *reading,
    char *buf, size_t size);
static int vidcast_onnx_raw_json(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    vidcast_onnx_text_t *text);
static void vidcast_onnx_raw_tensor(const vidcast_onnx_tensor_t *output,
    vidcast_onnx_text_t *text);


const vidcast_onnx_head_t  vidcast_onnx_raw = {
    "raw",
    vidcast_onnx_raw_fits,
    NULL,
    vidcast_onnx_raw_wants,
    NULL,
    vidcast_onnx_raw_json,
    NULL,
    0, 1, 0,
    1 / 255.0f, VIDCAST_FIT_STRETCH, 0, 0, 0, NULL
};


static int
vidcast_onnx_raw_fits(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n)
{
    int64_t   volume, sum;
    uint32_t  i;

    sum = 0;

    for (i = 0; i < n; i++) {
        volume = vidcast_onnx_tensor_volume(&outputs[i]);

        if (outputs[i].type == VIDCAST_ONNX_OTHER || volume < 0) {
            return 0;
        }

        sum += volume;
    }

    return n && sum <= VIDCAST_ONNX_RAW_MAX;
}


static void
vidcast_onnx_raw_wants(const vidcast_onnx_reading_t *reading, char *buf,
    size_t size)
{
    (void) snprintf(buf, size, "outputs of at most %d numbers together",
                    VIDCAST_ONNX_RAW_MAX);
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

        vidcast_onnx_raw_tensor(&outputs[i], text);
    }

    vidcast_onnx_text_add(text, "]}");

    return text->failed ? VIDCAST_ERROR : VIDCAST_OK;
}


static void
vidcast_onnx_raw_tensor(const vidcast_onnx_tensor_t *output,
    vidcast_onnx_text_t *text)
{
    int       digits;
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

    /* as many as the type has */

    switch (output->type) {

    case VIDCAST_ONNX_FLOAT16:
        digits = 5;
        break;

    case VIDCAST_ONNX_FLOAT:
        digits = 9;
        break;

    default:
        digits = 17;
        break;
    }

    for (i = 0; i < output->count; i++) {

        if (i) {
            vidcast_onnx_text_add(text, ",");
        }

        vidcast_onnx_text_number(text, vidcast_onnx_tensor_number(output, i),
                                 digits);
    }

    vidcast_onnx_text_add(text, "]}");
}
