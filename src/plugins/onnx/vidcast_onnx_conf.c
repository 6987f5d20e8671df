
/*
 * Copyright (C) vidcast contributors
 */


#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plugins/onnx/vidcast_onnx_conf.h"


#define VIDCAST_ONNX_THREADS  64
#define VIDCAST_ONNX_MAX      1000


/* set() answers VIDCAST_OK, or VIDCAST_ERROR: the value is bad */

typedef struct {
    const char   *name;
    int         (*set)(vidcast_onnx_conf_t *conf, const char *value);
} vidcast_onnx_param_t;


typedef struct {
    const char   *name;
    uint32_t      value;
} vidcast_onnx_word_t;


static void vidcast_onnx_conf_init(vidcast_onnx_conf_t *conf);
static int vidcast_onnx_conf_head(vidcast_onnx_conf_t *conf,
    const char *value);
static int vidcast_onnx_conf_labels(vidcast_onnx_conf_t *conf,
    const char *value);
static int vidcast_onnx_conf_first(vidcast_onnx_conf_t *conf,
    const char *value);
static int vidcast_onnx_conf_score(vidcast_onnx_conf_t *conf,
    const char *value);
static int vidcast_onnx_conf_iou(vidcast_onnx_conf_t *conf,
    const char *value);
static int vidcast_onnx_conf_max(vidcast_onnx_conf_t *conf,
    const char *value);
static int vidcast_onnx_conf_threads(vidcast_onnx_conf_t *conf,
    const char *value);
static int vidcast_onnx_conf_size(vidcast_onnx_conf_t *conf,
    const char *value);
static int vidcast_onnx_conf_layout(vidcast_onnx_conf_t *conf,
    const char *value);
static int vidcast_onnx_conf_color(vidcast_onnx_conf_t *conf,
    const char *value);
static int vidcast_onnx_conf_fit(vidcast_onnx_conf_t *conf,
    const char *value);
static int vidcast_onnx_conf_fill(vidcast_onnx_conf_t *conf,
    const char *value);
static int vidcast_onnx_conf_anchor(vidcast_onnx_conf_t *conf,
    const char *value);
static int vidcast_onnx_conf_mean(vidcast_onnx_conf_t *conf,
    const char *value);
static int vidcast_onnx_conf_scale(vidcast_onnx_conf_t *conf,
    const char *value);
static int vidcast_onnx_conf_boxes(vidcast_onnx_conf_t *conf,
    const char *value);
static int vidcast_onnx_conf_units(vidcast_onnx_conf_t *conf,
    const char *value);
static int vidcast_onnx_conf_activation(vidcast_onnx_conf_t *conf,
    const char *value);
static int vidcast_onnx_conf_output(vidcast_onnx_conf_t *conf,
    const char *value);
static int vidcast_onnx_conf_digits(vidcast_onnx_conf_t *conf,
    const char *value);
static int vidcast_onnx_conf_word(const vidcast_onnx_word_t *words,
    const char *name, uint32_t *value);
static int vidcast_onnx_conf_number(const char *value, uint32_t least,
    uint32_t most, uint32_t *number);
static int vidcast_onnx_conf_share(const char *value, float *share);
static int vidcast_onnx_conf_three(const char *value, float *three);
static int vidcast_onnx_conf_real(const char **value, float *number);


static const vidcast_onnx_param_t  vidcast_onnx_params[] = {
    { "head", vidcast_onnx_conf_head },
    { "labels", vidcast_onnx_conf_labels },
    { "first", vidcast_onnx_conf_first },
    { "score", vidcast_onnx_conf_score },
    { "iou", vidcast_onnx_conf_iou },
    { "max", vidcast_onnx_conf_max },
    { "threads", vidcast_onnx_conf_threads },
    { "size", vidcast_onnx_conf_size },
    { "layout", vidcast_onnx_conf_layout },
    { "color", vidcast_onnx_conf_color },
    { "fit", vidcast_onnx_conf_fit },
    { "fill", vidcast_onnx_conf_fill },
    { "anchor", vidcast_onnx_conf_anchor },
    { "mean", vidcast_onnx_conf_mean },
    { "scale", vidcast_onnx_conf_scale },
    { "boxes", vidcast_onnx_conf_boxes },
    { "units", vidcast_onnx_conf_units },
    { "activation", vidcast_onnx_conf_activation },
    { "output", vidcast_onnx_conf_output },
    { "digits", vidcast_onnx_conf_digits },
    { NULL, NULL }
};


int
vidcast_onnx_conf(vidcast_onnx_conf_t *conf, const vidcast_context_t *context,
    char *error)
{
    const vidcast_param_t       *param;
    const vidcast_onnx_param_t  *known;

    vidcast_onnx_conf_init(conf);

    if (context->size >= sizeof(vidcast_context_t)) {
        conf->reading.result_size = context->result_size;
    }

    for (param = context->params; param->name; param++) {

        for (known = vidcast_onnx_params; known->name; known++) {
            if (strcmp(known->name, param->name) == 0) {
                break;
            }
        }

        if (known->name && known->set(conf, param->value) == VIDCAST_OK) {
            continue;
        }

        (void) snprintf(error, VIDCAST_ERROR_LEN, "invalid %s \"%.60s=%.120s\"",
                        known->name ? "value" : "parameter", param->name,
                        param->value);

        return VIDCAST_ERROR;
    }

    return VIDCAST_OK;
}


static void
vidcast_onnx_conf_init(vidcast_onnx_conf_t *conf)
{
    long  cores;

    memset(conf, 0, sizeof(vidcast_onnx_conf_t));

    conf->fill = -1;
    conf->bgr = -1;
    conf->anchor = -1;
    conf->reading.score = -1;
    conf->reading.iou = -1;
    conf->reading.digits = -1;

    /* the rest of the machine has to do, too */

    cores = sysconf(_SC_NPROCESSORS_ONLN);
    conf->threads = (cores < 1) ? 1 : (cores > 4) ? 4 : (uint32_t) cores;
}


static int
vidcast_onnx_conf_head(vidcast_onnx_conf_t *conf, const char *value)
{
    if (strcmp(value, "auto") == 0) {
        conf->head = NULL;
        return VIDCAST_OK;
    }

    conf->head = vidcast_onnx_head_find(value);

    return conf->head ? VIDCAST_OK : VIDCAST_ERROR;
}


static int
vidcast_onnx_conf_labels(vidcast_onnx_conf_t *conf, const char *value)
{
    conf->labels = value;

    return *value ? VIDCAST_OK : VIDCAST_ERROR;
}


static int
vidcast_onnx_conf_first(vidcast_onnx_conf_t *conf, const char *value)
{
    return vidcast_onnx_conf_number(value, 0, VIDCAST_ONNX_LABELS,
                                    &conf->reading.first);
}


static int
vidcast_onnx_conf_score(vidcast_onnx_conf_t *conf, const char *value)
{
    return vidcast_onnx_conf_share(value, &conf->reading.score);
}


static int
vidcast_onnx_conf_iou(vidcast_onnx_conf_t *conf, const char *value)
{
    if (strcmp(value, "off") == 0) {
        conf->reading.iou = 1;
        return VIDCAST_OK;
    }

    return vidcast_onnx_conf_share(value, &conf->reading.iou);
}


static int
vidcast_onnx_conf_max(vidcast_onnx_conf_t *conf, const char *value)
{
    return vidcast_onnx_conf_number(value, 1, VIDCAST_ONNX_MAX,
                                    &conf->reading.max);
}


static int
vidcast_onnx_conf_threads(vidcast_onnx_conf_t *conf, const char *value)
{
    return vidcast_onnx_conf_number(value, 1, VIDCAST_ONNX_THREADS,
                                    &conf->threads);
}


static int
vidcast_onnx_conf_size(vidcast_onnx_conf_t *conf, const char *value)
{
    int       end;
    unsigned  width, height;

    end = 0;

    if (sscanf(value, "%5ux%5u%n", &width, &height, &end) != 2
        || value[end] != '\0'
        || width == 0 || width > VIDCAST_ONNX_MAX_SIZE
        || height == 0 || height > VIDCAST_ONNX_MAX_SIZE)
    {
        return VIDCAST_ERROR;
    }

    conf->params.width = width;
    conf->params.height = height;

    return VIDCAST_OK;
}


static int
vidcast_onnx_conf_layout(vidcast_onnx_conf_t *conf, const char *value)
{
    static const vidcast_onnx_word_t  words[] = {
        { "nchw", VIDCAST_ONNX_NCHW },
        { "nhwc", VIDCAST_ONNX_NHWC },
        { NULL, 0 }
    };

    return vidcast_onnx_conf_word(words, value, &conf->params.layout);
}


static int
vidcast_onnx_conf_color(vidcast_onnx_conf_t *conf, const char *value)
{
    conf->bgr = (strcmp(value, "bgr") == 0);

    return conf->bgr || strcmp(value, "rgb") == 0 ? VIDCAST_OK
                                                  : VIDCAST_ERROR;
}


static int
vidcast_onnx_conf_fit(vidcast_onnx_conf_t *conf, const char *value)
{
    static const vidcast_onnx_word_t  words[] = {
        { "stretch", VIDCAST_FIT_STRETCH },
        { "letterbox", VIDCAST_FIT_LETTERBOX },
        { NULL, 0 }
    };

    return vidcast_onnx_conf_word(words, value, &conf->fit);
}


static int
vidcast_onnx_conf_fill(vidcast_onnx_conf_t *conf, const char *value)
{
    uint32_t  fill;

    if (vidcast_onnx_conf_number(value, 0, 255, &fill) != VIDCAST_OK) {
        return VIDCAST_ERROR;
    }

    conf->fill = (int32_t) fill;

    return VIDCAST_OK;
}


static int
vidcast_onnx_conf_anchor(vidcast_onnx_conf_t *conf, const char *value)
{
    int       rc;
    uint32_t  anchor;

    static const vidcast_onnx_word_t  words[] = {
        { "center", VIDCAST_ANCHOR_CENTER },
        { "topleft", VIDCAST_ANCHOR_TOPLEFT },
        { NULL, 0 }
    };

    rc = vidcast_onnx_conf_word(words, value, &anchor);
    conf->anchor = (int32_t) anchor;

    return rc;
}


static int
vidcast_onnx_conf_mean(vidcast_onnx_conf_t *conf, const char *value)
{
    conf->params.given = 1;

    return vidcast_onnx_conf_three(value, conf->params.mean);
}


static int
vidcast_onnx_conf_scale(vidcast_onnx_conf_t *conf, const char *value)
{
    conf->params.given = 1;
    conf->params.scaled = 1;

    return vidcast_onnx_conf_three(value, conf->params.scale);
}


static int
vidcast_onnx_conf_boxes(vidcast_onnx_conf_t *conf, const char *value)
{
    int       rc;
    uint32_t  order;

    static const vidcast_onnx_word_t  words[] = {
        { "xyxy", VIDCAST_ONNX_XYXY },
        { "yxyx", VIDCAST_ONNX_YXYX },
        { "xywh", VIDCAST_ONNX_XYWH },
        { "cxcywh", VIDCAST_ONNX_CXCYWH },
        { NULL, 0 }
    };

    rc = vidcast_onnx_conf_word(words, value, &order);
    conf->reading.order = (vidcast_onnx_order_e) order;

    return rc;
}


static int
vidcast_onnx_conf_units(vidcast_onnx_conf_t *conf, const char *value)
{
    int       rc;
    uint32_t  units;

    static const vidcast_onnx_word_t  words[] = {
        { "pixels", VIDCAST_ONNX_PIXELS },
        { "ratio", VIDCAST_ONNX_RATIO },
        { NULL, 0 }
    };

    rc = vidcast_onnx_conf_word(words, value, &units);
    conf->reading.units = (vidcast_onnx_units_e) units;

    return rc;
}


static int
vidcast_onnx_conf_activation(vidcast_onnx_conf_t *conf, const char *value)
{
    int       rc;
    uint32_t  activation;

    static const vidcast_onnx_word_t  words[] = {
        { "none", VIDCAST_ONNX_NONE },
        { "sigmoid", VIDCAST_ONNX_SIGMOID },
        { "softmax", VIDCAST_ONNX_SOFTMAX },
        { NULL, 0 }
    };

    rc = vidcast_onnx_conf_word(words, value, &activation);
    conf->reading.activation = (vidcast_onnx_activation_e) activation;

    return rc;
}


static int
vidcast_onnx_conf_output(vidcast_onnx_conf_t *conf, const char *value)
{
    conf->outputs = value;

    return *value ? VIDCAST_OK : VIDCAST_ERROR;
}


static int
vidcast_onnx_conf_digits(vidcast_onnx_conf_t *conf, const char *value)
{
    uint32_t  digits;

    if (vidcast_onnx_conf_number(value, 0, 9, &digits) != VIDCAST_OK) {
        return VIDCAST_ERROR;
    }

    conf->reading.digits = (int32_t) digits;

    return VIDCAST_OK;
}


static int
vidcast_onnx_conf_word(const vidcast_onnx_word_t *words, const char *name,
    uint32_t *value)
{
    *value = 0;

    for ( /* void */ ; words->name; words++) {

        if (strcmp(words->name, name) == 0) {
            *value = words->value;
            return VIDCAST_OK;
        }
    }

    return VIDCAST_ERROR;
}


static int
vidcast_onnx_conf_number(const char *value, uint32_t least, uint32_t most,
    uint32_t *number)
{
    int       end;
    unsigned  n;

    end = 0;

    if (*value < '0' || *value > '9'
        || sscanf(value, "%9u%n", &n, &end) != 1
        || value[end] != '\0'
        || n < least || n > most)
    {
        return VIDCAST_ERROR;
    }

    *number = n;

    return VIDCAST_OK;
}


static int
vidcast_onnx_conf_share(const char *value, float *share)
{
    return vidcast_onnx_conf_real(&value, share) == VIDCAST_OK
           && *value == '\0' && *share >= 0 && *share <= 1 ? VIDCAST_OK
                                                           : VIDCAST_ERROR;
}


/* one for all channels, or one each; "1/255" is a number, too */

static int
vidcast_onnx_conf_three(const char *value, float *three)
{
    float     divisor;
    uint32_t  n;

    for (n = 0; n < 3; n++) {

        if (vidcast_onnx_conf_real(&value, &three[n]) != VIDCAST_OK) {
            return VIDCAST_ERROR;
        }

        if (*value == '/') {
            value++;

            if (vidcast_onnx_conf_real(&value, &divisor) != VIDCAST_OK
                || divisor == 0)
            {
                return VIDCAST_ERROR;
            }

            three[n] /= divisor;
        }

        if (*value == '\0') {
            break;
        }

        if (*value++ != ',') {
            return VIDCAST_ERROR;
        }
    }

    if (n == 0) {
        three[1] = three[0];
        three[2] = three[0];
    }

    return n == 0 || n == 2 ? VIDCAST_OK : VIDCAST_ERROR;
}


/* as strtof() has it, but in digits only */

static int
vidcast_onnx_conf_real(const char **value, float *number)
{
    char    *end;
    size_t   len;

    len = strspn(*value, "0123456789.-e");

    *number = strtof(*value, &end);

    if (end == *value || end > *value + len || !isfinite(*number)) {
        return VIDCAST_ERROR;
    }

    *value = end;

    return VIDCAST_OK;
}
