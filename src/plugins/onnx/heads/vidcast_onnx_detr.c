
/*
 * Copyright (C) vidcast contributors
 */


#include <math.h>
#include <stdio.h>
#include <string.h>

#include "plugins/onnx/heads/vidcast_onnx_head.h"
#include "vidcast_plugin.h"


/*
 * DETR's head: logits [1, n, classes] and boxes [1, n, 4].  By softmax the
 * last class is "nothing"; by sigmoid, in its later relatives, there is none.
 */

typedef struct {
    const vidcast_onnx_tensor_t  *boxes;
    const vidcast_onnx_tensor_t  *logits;
    size_t                        n;
    uint32_t                      classes;     /* of the logits */
    vidcast_onnx_activation_e     activation;
} vidcast_onnx_detr_t;


static int vidcast_onnx_detr_fits(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n);
static int vidcast_onnx_detr_sure(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n);
static int vidcast_onnx_detr_find(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    vidcast_onnx_detr_t *detr);
static int vidcast_onnx_detr_activation(
    const vidcast_onnx_reading_t *reading, vidcast_onnx_detr_t *detr);
static void vidcast_onnx_detr_wants(const vidcast_onnx_reading_t *reading,
    char *buf, size_t size);
static int vidcast_onnx_detr_boxes(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    vidcast_onnx_nms_t *boxes);
static float vidcast_onnx_detr_best(const vidcast_onnx_detr_t *detr, size_t i,
    uint32_t *class);


const vidcast_onnx_head_t  vidcast_onnx_detr = {
    "detr",
    vidcast_onnx_detr_fits,
    vidcast_onnx_detr_sure,
    vidcast_onnx_detr_wants,
    vidcast_onnx_detr_boxes,
    NULL,
    NULL,
    NULL,
    NULL,
    0.5f, 1, 50,
    1 / 255.0f, VIDCAST_FIT_STRETCH, 0, 0, 0, NULL, 0
};


static int
vidcast_onnx_detr_fits(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n)
{
    vidcast_onnx_detr_t  detr;

    return vidcast_onnx_detr_find(reading, outputs, n, &detr);
}


static int
vidcast_onnx_detr_sure(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n)
{
    vidcast_onnx_detr_t  detr;

    return vidcast_onnx_detr_find(reading, outputs, n, &detr)
           && strstr(detr.logits->name, "logits");
}


/* there may be others: those of layers before the last */

static int
vidcast_onnx_detr_find(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    vidcast_onnx_detr_t *detr)
{
    uint32_t                      i;
    const vidcast_onnx_tensor_t  *output;

    memset(detr, 0, sizeof(vidcast_onnx_detr_t));

    for (i = 0; i < n; i++) {
        output = &outputs[i];

        if (output->ndims != 3 || output->dims[0] != 1
            || output->dims[2] != 4 || output->type == VIDCAST_ONNX_OTHER
            || strstr(output->name, "logits"))
        {
            continue;
        }

        if (detr->boxes == NULL || strstr(output->name, "box")) {
            detr->boxes = output;
        }
    }

    if (detr->boxes == NULL) {
        return 0;
    }

    detr->n = detr->boxes->dims[1];

    for (i = 0; i < n; i++) {
        output = &outputs[i];

        if (output == detr->boxes
            || output->ndims != 3 || output->dims[0] != 1
            || output->dims[1] != (int64_t) detr->n
            || output->dims[2] < 2 || output->type == VIDCAST_ONNX_OTHER)
        {
            continue;
        }

        if (detr->logits == NULL || strstr(output->name, "logits")) {
            detr->logits = output;
        }
    }

    return detr->logits && vidcast_onnx_detr_activation(reading, detr);
}


/* the labels tell whether the last class is one */

static int
vidcast_onnx_detr_activation(const vidcast_onnx_reading_t *reading,
    vidcast_onnx_detr_t *detr)
{
    int  all, but_one;

    detr->classes = (uint32_t) detr->logits->dims[2];
    detr->activation = reading->activation;

    all = vidcast_onnx_head_labeled(reading, detr->classes);
    but_one = vidcast_onnx_head_labeled(reading, (int64_t) detr->classes - 1);

    switch (detr->activation) {

    case VIDCAST_ONNX_ACTIVATION_OWN:
        detr->activation = but_one ? VIDCAST_ONNX_SOFTMAX
                                   : VIDCAST_ONNX_SIGMOID;
        return all || but_one;

    case VIDCAST_ONNX_SOFTMAX:
        return but_one;

    default: /* VIDCAST_ONNX_NONE, VIDCAST_ONNX_SIGMOID */
        return all;
    }
}


static void
vidcast_onnx_detr_wants(const vidcast_onnx_reading_t *reading, char *buf,
    size_t size)
{
    char     number[24], one_more[24];
    int64_t  classes;

    classes = vidcast_onnx_head_classes(reading);

    if (classes < 0) {
        (void) snprintf(buf, size, "logits [1, n, classes] and boxes "
                        "[1, n, 4]");
        return;
    }

    (void) snprintf(buf, size, "logits [1, n, %s or %s] and boxes [1, n, 4]",
                    vidcast_onnx_head_number(classes, "", number,
                                             sizeof(number)),
                    vidcast_onnx_head_number(classes + 1, "", one_more,
                                             sizeof(one_more)));
}


static int
vidcast_onnx_detr_boxes(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    vidcast_onnx_nms_t *boxes)
{
    size_t               i;
    vidcast_onnx_box_t   box;
    vidcast_onnx_detr_t  detr;

    (void) vidcast_onnx_detr_find(reading, outputs, n, &detr);

    for (i = 0; i < detr.n; i++) {
        box.score = vidcast_onnx_detr_best(&detr, i, &box.class);

        if (!(box.score >= reading->score)) {
            continue;
        }

        vidcast_onnx_head_place(reading, VIDCAST_ONNX_CXCYWH,
                                VIDCAST_ONNX_RATIO,
                                detr.boxes->values + 4 * i, &box);

        box.row = i;

        if (vidcast_onnx_nms_add(boxes, &box) != VIDCAST_OK) {
            return VIDCAST_ERROR;
        }
    }

    return VIDCAST_OK;
}


static float
vidcast_onnx_detr_best(const vidcast_onnx_detr_t *detr, size_t i,
    uint32_t *class)
{
    float         most, factor;
    uint32_t      j, n;
    const float  *logits;

    logits = detr->logits->values + i * detr->classes;
    n = detr->classes - (detr->activation == VIDCAST_ONNX_SOFTMAX);
    *class = 0;

    for (j = 1; j < n; j++) {
        if (logits[j] > logits[*class]) {
            *class = j;
        }
    }

    switch (detr->activation) {

    case VIDCAST_ONNX_SOFTMAX:
        factor = vidcast_onnx_softmax(logits, detr->classes, &most);
        return expf(logits[*class] - most) * factor;

    case VIDCAST_ONNX_SIGMOID:
        return vidcast_onnx_sigmoid(logits[*class]);

    default: /* VIDCAST_ONNX_NONE */
        return logits[*class];
    }
}
