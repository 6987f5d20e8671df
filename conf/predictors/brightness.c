/*
 * Copyright (C) vidcast contributors
 *
 * A sample plugin of vidcast: where the picture is brighter than "above",
 * 0 to 255, and, as a key point, where the most.  Built by itself:
 *
 *     cc -O2 -fPIC -shared -o brightness.so brightness.c
 *
 * and used in a vidcast_source block:
 *
 *     predict  plugin /path/to/brightness.so above=200;
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vidcast_plugin.h>


typedef struct {
    long                 above;
    vidcast_detection_t  found;
    vidcast_keypoint_t   most;
    char                 json[64];
} brightness_t;


static int
brightness_check(const vidcast_context_t *context, char *error)
{
    const vidcast_param_t  *p;

    for (p = context->params; p->name; p++) {
        if (strcmp(p->name, "above") != 0 || atol(p->value) > 255) {
            snprintf(error, VIDCAST_ERROR_LEN, "what is \"%s=%s\"?",
                     p->name, p->value);
            return VIDCAST_ERROR;
        }
    }

    return VIDCAST_OK;
}


static void *
brightness_open(const vidcast_context_t *context, vidcast_want_t *want,
    char *error)
{
    brightness_t           *b;
    const vidcast_param_t  *p;

    b = calloc(1, sizeof(brightness_t));
    if (b == NULL) {
        snprintf(error, VIDCAST_ERROR_LEN, "no memory");
        return NULL;
    }

    b->above = 200;

    for (p = context->params; p->name; p++) {
        b->above = atol(p->value);
    }

    want->format = VIDCAST_GRAY8;
    want->fit = VIDCAST_FIT_WITHIN;
    want->width = 320;
    want->height = 320;

    return b;
}


static int
brightness_predict(void *instance, const vidcast_sample_t *sample,
    vidcast_answer_t *answer, char *error)
{
    int                     brightest = -1;
    long                    sum = 0;
    uint32_t                x, y, left, right, top, bottom;
    brightness_t           *b = instance;
    const uint8_t          *row;
    const vidcast_image_t  *image = &sample->image;

    left = image->width;
    top = image->height;
    right = bottom = 0;

    for (y = 0; y < image->height; y++) {
        row = image->plane[0] + (size_t) y * image->stride[0];

        for (x = 0; x < image->width; x++) {
            sum += row[x];

            if (row[x] > brightest) {
                brightest = row[x];
                b->most.x = x + .5f;
                b->most.y = y + .5f;
                b->most.score = brightest / 255.f;
            }

            if (row[x] > b->above) {
                left = x < left ? x : left;
                right = x + 1 > right ? x + 1 : right;
                top = y < top ? y : top;
                bottom = y + 1;
            }
        }
    }

    answer->json_size = (size_t) snprintf(b->json, sizeof(b->json),
        "{\"brightness\":%.1f}",
        (double) sum / image->width / image->height);
    answer->json = b->json;

    if (right) {
        b->found.x = (float) left;
        b->found.y = (float) top;
        b->found.width = (float) (right - left);
        b->found.height = (float) (bottom - top);
        b->found.score = 1;
        b->found.track = -1;
        b->found.label = "bright";
        b->found.keypoints = &b->most;
        b->found.nkeypoints = 1;
        b->found.keypoint_size = sizeof(vidcast_keypoint_t);

        answer->detections = &b->found;
        answer->ndetections = 1;
        answer->detection_size = sizeof(vidcast_detection_t);
    }

    return VIDCAST_OK;
}


static const vidcast_predictor_table_t  brightness_table = {
    sizeof(vidcast_predictor_table_t),
    brightness_check, brightness_open, brightness_predict, free
};

static const vidcast_plugin_t  brightness_plugin = {
    sizeof(vidcast_plugin_t), VIDCAST_ABI, "brightness 1", NULL,
    &brightness_table, VIDCAST_NEEDS_COMPUTING, NULL
};


const vidcast_plugin_t *
vidcast_plugin(uint32_t abi)
{
    return &brightness_plugin;
}
