
/*
 * Copyright (C) vidcast contributors
 */


#include <math.h>
#include <stdio.h>

#include "plugins/onnx/heads/vidcast_onnx_head.h"


void
vidcast_onnx_head_place(const vidcast_onnx_reading_t *reading,
    vidcast_onnx_order_e order, vidcast_onnx_units_e units, const float *v,
    vidcast_onnx_box_t *box)
{
    float  width, height;

    if (reading->order != VIDCAST_ONNX_ORDER_OWN) {
        order = reading->order;
    }

    if (reading->units != VIDCAST_ONNX_UNITS_OWN) {
        units = reading->units;
    }

    width = (units == VIDCAST_ONNX_RATIO) ? (float) reading->width : 1;
    height = (units == VIDCAST_ONNX_RATIO) ? (float) reading->height : 1;

    switch (order) {

    case VIDCAST_ONNX_YXYX:
        box->left = v[1] * width;
        box->top = v[0] * height;
        box->right = v[3] * width;
        box->bottom = v[2] * height;
        break;

    case VIDCAST_ONNX_XYWH:
        box->left = v[0] * width;
        box->top = v[1] * height;
        box->right = (v[0] + v[2]) * width;
        box->bottom = (v[1] + v[3]) * height;
        break;

    case VIDCAST_ONNX_CXCYWH:
        box->left = (v[0] - v[2] / 2) * width;
        box->top = (v[1] - v[3] / 2) * height;
        box->right = (v[0] + v[2] / 2) * width;
        box->bottom = (v[1] + v[3] / 2) * height;
        break;

    default: /* VIDCAST_ONNX_XYXY */
        box->left = v[0] * width;
        box->top = v[1] * height;
        box->right = v[2] * width;
        box->bottom = v[3] * height;
        break;
    }
}


void
vidcast_onnx_head_point(const vidcast_onnx_reading_t *reading,
    vidcast_onnx_units_e units, float x, float y, vidcast_keypoint_t *point)
{
    if (reading->units != VIDCAST_ONNX_UNITS_OWN) {
        units = reading->units;
    }

    point->x = (units == VIDCAST_ONNX_RATIO) ? x * (float) reading->width : x;
    point->y = (units == VIDCAST_ONNX_RATIO) ? y * (float) reading->height : y;
}


int
vidcast_onnx_head_labeled(const vidcast_onnx_reading_t *reading,
    int64_t classes)
{
    int64_t  labeled;

    labeled = vidcast_onnx_head_classes(reading);

    return labeled < 0 || labeled == classes;
}


int64_t
vidcast_onnx_head_classes(const vidcast_onnx_reading_t *reading)
{
    if (reading->labels->n == 0) {
        return -1;
    }

    return (int64_t) reading->labels->n + reading->first;
}


const char *
vidcast_onnx_head_number(int64_t number, const char *unknown, char *buf,
    size_t size)
{
    if (number < 0) {
        return unknown;
    }

    (void) snprintf(buf, size, "%lld", (long long) number);

    return buf;
}


float
vidcast_onnx_sigmoid(float value)
{
    return 1 / (1 + expf(-value));
}


/* what was rounded on its way may be a bit outside */

int
vidcast_onnx_head_improbable(const float *values, size_t n, size_t step,
    char *buf, size_t size)
{
    size_t  i;

    for (i = 0; i < n; i++, values += step) {

        if (!isfinite(*values)) {
            (void) snprintf(buf, size, "some are not numbers");
            return 1;
        }

        if (*values < -0.01f || *values > 1.01f) {
            (void) snprintf(buf, size, "%g is no probability", *values);
            return 1;
        }
    }

    return 0;
}


float
vidcast_onnx_softmax(const float *values, uint32_t n, float *most)
{
    float     sum;
    uint32_t  i;

    *most = values[0];

    for (i = 1; i < n; i++) {
        *most = fmaxf(*most, values[i]);
    }

    sum = 0;

    for (i = 0; i < n; i++) {
        sum += expf(values[i] - *most);
    }

    return 1 / sum;
}
