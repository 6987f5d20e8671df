
/*
 * Copyright (C) vidcast contributors
 */


#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/onnx/vidcast_onnx_tensor.h"
#include "vidcast_plugin.h"


static const char *vidcast_onnx_type_name(vidcast_onnx_type_e type);


static const char *
vidcast_onnx_type_name(vidcast_onnx_type_e type)
{
    static const char  *names[] = {
        "of another type", "float32", "float16", "float64", "uint8", "int8",
        "int32", "int64", "bool"
    };

    return names[type];
}


size_t
vidcast_onnx_type_size(vidcast_onnx_type_e type)
{
    static const size_t  sizes[] = { 0, 4, 2, 8, 1, 1, 4, 8, 1 };

    return sizes[type];
}


char *
vidcast_onnx_tensor_print(const vidcast_onnx_tensor_t *tensor, char *buf,
    size_t size)
{
    char      dim[24];
    size_t    len;
    uint32_t  i;

    (void) snprintf(buf, size, "\"%.40s\" %s [", tensor->name,
                    vidcast_onnx_type_name(tensor->type));

    for (i = 0; i < tensor->ndims; i++) {
        len = strlen(buf);

        (void) snprintf(dim, sizeof(dim), "%lld", (long long) tensor->dims[i]);
        (void) snprintf(buf + len, size - len, "%s%s", i ? ", " : "",
                        tensor->dims[i] < 0 ? "?" : dim);
    }

    len = strlen(buf);

    (void) snprintf(buf + len, size - len, "]");

    return buf;
}


int64_t
vidcast_onnx_tensor_volume(const vidcast_onnx_tensor_t *tensor)
{
    int64_t   volume;
    uint32_t  i;

    volume = 1;

    for (i = 0; i < tensor->ndims; i++) {

        if (tensor->dims[i] < 0
            || (tensor->dims[i]
                && volume > INT32_MAX / tensor->dims[i]))
        {
            return -1;
        }

        volume *= tensor->dims[i];
    }

    return volume;
}


double
vidcast_onnx_tensor_number(const vidcast_onnx_tensor_t *tensor, size_t i)
{
    switch (tensor->type) {

    case VIDCAST_ONNX_FLOAT:
        return ((const float *) tensor->data)[i];

    case VIDCAST_ONNX_FLOAT16:
        return vidcast_onnx_unhalf(((const uint16_t *) tensor->data)[i]);

    case VIDCAST_ONNX_DOUBLE:
        return ((const double *) tensor->data)[i];

    case VIDCAST_ONNX_UINT8:
    case VIDCAST_ONNX_BOOL:
        return ((const uint8_t *) tensor->data)[i];

    case VIDCAST_ONNX_INT8:
        return ((const int8_t *) tensor->data)[i];

    case VIDCAST_ONNX_INT32:
        return ((const int32_t *) tensor->data)[i];

    case VIDCAST_ONNX_INT64:
        return (double) ((const int64_t *) tensor->data)[i];

    default: /* VIDCAST_ONNX_OTHER */
        return NAN;
    }
}


int
vidcast_onnx_tensor_values(vidcast_onnx_tensor_t *tensor)
{
    float   *own;
    size_t   i;

    if (tensor->type == VIDCAST_ONNX_FLOAT) {
        tensor->values = tensor->data;
        return VIDCAST_OK;
    }

    if (tensor->count > tensor->room) {
        own = realloc(tensor->own, tensor->count * sizeof(float));

        if (own == NULL) {
            return VIDCAST_ERROR;
        }

        tensor->own = own;
        tensor->room = tensor->count;
    }

    for (i = 0; i < tensor->count; i++) {
        tensor->own[i] = (float) vidcast_onnx_tensor_number(tensor, i);
    }

    tensor->values = tensor->own;

    return VIDCAST_OK;
}


/* rounded to the nearest, of two to the even one */

uint16_t
vidcast_onnx_half(float value)
{
    int       exponent;
    float     size;
    uint16_t  sign;

    sign = signbit(value) ? 0x8000 : 0;
    size = fabsf(value);

    if (isnan(value)) {
        return sign | 0x7e00;
    }

    if (size >= 65520) {
        return sign | 0x7c00;
    }

    /* below this, halves are multiples of 2^-24 */

    if (size < ldexpf(1, -14)) {
        return sign | (uint16_t) rintf(ldexpf(size, 24));
    }

    size = frexpf(size, &exponent);

    /* 1024 to 2048; if it is rounded to 2048, that is carried over */

    return sign | (uint16_t) (((exponent + 13) << 10)
                              + (int) rintf(ldexpf(size, 11)));
}


float
vidcast_onnx_unhalf(uint16_t half)
{
    int    exponent, fraction;
    float  value;

    exponent = half >> 10 & 0x1f;
    fraction = half & 0x3ff;

    if (exponent == 0x1f) {
        value = fraction ? NAN : INFINITY;

    } else if (exponent == 0) {
        value = ldexpf((float) fraction, -24);

    } else {
        value = ldexpf((float) (fraction + 1024), exponent - 25);
    }

    return half & 0x8000 ? -value : value;
}
