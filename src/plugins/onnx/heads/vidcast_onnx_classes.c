
/*
 * Copyright (C) vidcast contributors
 */


#include <math.h>
#include <stdio.h>
#include <string.h>

#include "plugins/onnx/heads/vidcast_onnx_head.h"
#include "vidcast_plugin.h"


/* classification: [1, classes], and what the picture is most likely of */

#define VIDCAST_ONNX_CLASSES_MAX   32

/* logits are smaller; of so many classes one stands out */

#define VIDCAST_ONNX_CLASSES_MOST  80
#define VIDCAST_ONNX_CLASSES_MANY  64


typedef struct {
    uint32_t      class[VIDCAST_ONNX_CLASSES_MAX];
    float         score[VIDCAST_ONNX_CLASSES_MAX];
    uint32_t      n;
    uint32_t      max;
} vidcast_onnx_ranking_t;


static int vidcast_onnx_classes_fits(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n);
static int64_t vidcast_onnx_classes_count(
    const vidcast_onnx_tensor_t *output);
static void vidcast_onnx_classes_wants(const vidcast_onnx_reading_t *reading,
    char *buf, size_t size);
static int vidcast_onnx_classes_json(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    vidcast_onnx_text_t *text);
static vidcast_onnx_activation_e vidcast_onnx_classes_activation(
    const vidcast_onnx_reading_t *reading, const float *values, uint32_t n);
static int vidcast_onnx_classes_doubt(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n, char *buf, size_t size);
static int vidcast_onnx_classes_logits(const float *values, uint32_t n,
    char *buf, size_t size);
static void vidcast_onnx_classes_rank(vidcast_onnx_ranking_t *ranking,
    uint32_t class, float score);


const vidcast_onnx_head_t  vidcast_onnx_classes = {
    "classes",
    vidcast_onnx_classes_fits,
    vidcast_onnx_classes_fits,
    vidcast_onnx_classes_wants,
    NULL,
    vidcast_onnx_classes_json,
    NULL,
    NULL,
    vidcast_onnx_classes_doubt,
    0, 1, 5,
    1 / 255.0f, VIDCAST_FIT_STRETCH, 0, 0, 0, NULL, 0
};


static int
vidcast_onnx_classes_fits(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n)
{
    int64_t  classes;

    if (n != 1 || outputs[0].type == VIDCAST_ONNX_OTHER) {
        return 0;
    }

    classes = vidcast_onnx_classes_count(&outputs[0]);

    return classes > 1 && vidcast_onnx_head_labeled(reading, classes);
}


/* [classes], [1, classes], or with ones behind; 0: it is none of these */

static int64_t
vidcast_onnx_classes_count(const vidcast_onnx_tensor_t *output)
{
    uint32_t  i, at;

    at = (output->ndims > 1) ? 1 : 0;

    for (i = 0; i < output->ndims; i++) {

        if (i != at && output->dims[i] != 1) {
            return 0;
        }
    }

    return output->ndims ? output->dims[at] : 0;
}


static void
vidcast_onnx_classes_wants(const vidcast_onnx_reading_t *reading, char *buf,
    size_t size)
{
    char     number[24];
    int64_t  classes;

    classes = vidcast_onnx_head_classes(reading);

    (void) snprintf(buf, size, "one output [1, %s]",
                    vidcast_onnx_head_number(classes, "classes", number,
                                             sizeof(number)));
}


static int
vidcast_onnx_classes_json(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    vidcast_onnx_text_t *text)
{
    char                        number[16];
    float                       score, most, factor;
    uint32_t                    i, classes;
    const float                *values;
    vidcast_onnx_ranking_t      ranking;
    vidcast_onnx_activation_e   activation;

    values = outputs[0].values;
    classes = (uint32_t) vidcast_onnx_classes_count(&outputs[0]);
    activation = vidcast_onnx_classes_activation(reading, values, classes);
    factor = vidcast_onnx_softmax(values, classes, &most);

    ranking.n = 0;
    ranking.max = (reading->max < VIDCAST_ONNX_CLASSES_MAX)
                      ? reading->max : VIDCAST_ONNX_CLASSES_MAX;

    for (i = 0; i < classes; i++) {
        score = values[i];

        if (activation == VIDCAST_ONNX_SOFTMAX) {
            score = expf(score - most) * factor;

        } else if (activation == VIDCAST_ONNX_SIGMOID) {
            score = vidcast_onnx_sigmoid(score);
        }

        if (score >= reading->score) {
            vidcast_onnx_classes_rank(&ranking, i, score);
        }
    }

    vidcast_onnx_text_add(text, "{\"classes\":[");

    for (i = 0; i < ranking.n; i++) {
        vidcast_onnx_text_add(text, i ? ",{\"label\":" : "{\"label\":");
        vidcast_onnx_text_string(text,
            vidcast_onnx_labels_name(reading->labels, reading->first,
                                     ranking.class[i], number,
                                     sizeof(number)));
        vidcast_onnx_text_add(text, ",\"class\":");
        vidcast_onnx_text_number(text, ranking.class[i], 10);
        vidcast_onnx_text_add(text, ",\"score\":");
        vidcast_onnx_text_number(text, ranking.score[i], 6);
        vidcast_onnx_text_add(text, "}");
    }

    vidcast_onnx_text_add(text, "]}");

    return text->failed ? VIDCAST_ERROR : VIDCAST_OK;
}


/* what adds up to one are probabilities, all else is to become some */

static vidcast_onnx_activation_e
vidcast_onnx_classes_activation(const vidcast_onnx_reading_t *reading,
    const float *values, uint32_t n)
{
    float     sum;
    uint32_t  i;

    if (reading->activation != VIDCAST_ONNX_ACTIVATION_OWN) {
        return reading->activation;
    }

    sum = 0;

    for (i = 0; i < n; i++) {

        if (values[i] < 0) {
            return VIDCAST_ONNX_SOFTMAX;
        }

        sum += values[i];
    }

    return fabsf(sum - 1) < 0.01f ? VIDCAST_ONNX_NONE : VIDCAST_ONNX_SOFTMAX;
}


/* embeddings and landmarks have the same shape */

static int
vidcast_onnx_classes_doubt(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n, char *buf, size_t size)
{
    uint32_t                    i, classes;
    const float                *values;
    vidcast_onnx_activation_e   activation;

    values = outputs[0].values;
    classes = (uint32_t) vidcast_onnx_classes_count(&outputs[0]);

    for (i = 0; i < classes; i++) {

        if (!isfinite(values[i])) {
            (void) snprintf(buf, size, "some are not numbers");
            return 1;
        }
    }

    activation = vidcast_onnx_classes_activation(reading, values, classes);

    if (activation == VIDCAST_ONNX_SOFTMAX) {
        return vidcast_onnx_classes_logits(values, classes, buf, size);
    }

    return activation == VIDCAST_ONNX_NONE
           && vidcast_onnx_head_improbable(values, classes, 1, buf, size);
}


static int
vidcast_onnx_classes_logits(const float *values, uint32_t n, char *buf,
    size_t size)
{
    float     most, share, length;
    uint32_t  i;

    share = vidcast_onnx_softmax(values, n, &most);
    length = 0;

    /* logarithms of probabilities may be anything below zero */

    if (most <= 0 && fabsf(expf(most) - share) < 0.01f * share) {
        return 0;
    }

    for (i = 0; i < n; i++) {
        length += values[i] * values[i];

        if (fabsf(values[i]) > VIDCAST_ONNX_CLASSES_MOST) {
            (void) snprintf(buf, size, "%g is no logit", values[i]);
            return 1;
        }
    }

    if (n < VIDCAST_ONNX_CLASSES_MANY) {
        return 0;
    }

    if (fabsf(length - 1) < 0.01f) {
        (void) snprintf(buf, size, "as a vector they have the length 1");
        return 1;
    }

    if (share * (float) n < 4) {
        (void) snprintf(buf, size, "the best one has a share of %g", share);
        return 1;
    }

    return 0;
}


/* into its place; the last one falls out */

static void
vidcast_onnx_classes_rank(vidcast_onnx_ranking_t *ranking, uint32_t class,
    float score)
{
    uint32_t  i;

    i = ranking->n;

    if (i == ranking->max) {

        if (i == 0 || score <= ranking->score[i - 1]) {
            return;
        }

        i--;

    } else {
        ranking->n++;
    }

    for ( /* void */ ; i && ranking->score[i - 1] < score; i--) {
        ranking->class[i] = ranking->class[i - 1];
        ranking->score[i] = ranking->score[i - 1];
    }

    ranking->class[i] = class;
    ranking->score[i] = score;
}
