
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _UNIT_ONNX_H_INCLUDED_
#define _UNIT_ONNX_H_INCLUDED_


/* all of vidcast_onnx but ONNX Runtime, and outputs as a model gives them */

#include <float.h>
#include <math.h>
#include <string.h>

#include "unit.h"

#include "plugins/onnx/heads/vidcast_onnx_blazeface.c"
#include "plugins/onnx/heads/vidcast_onnx_classes.c"
#include "plugins/onnx/heads/vidcast_onnx_detr.c"
#include "plugins/onnx/heads/vidcast_onnx_head.c"
#include "plugins/onnx/heads/vidcast_onnx_heads.c"
#include "plugins/onnx/heads/vidcast_onnx_nms.c"
#include "plugins/onnx/heads/vidcast_onnx_raw.c"
#include "plugins/onnx/heads/vidcast_onnx_ssd.c"
#include "plugins/onnx/heads/vidcast_onnx_yolo.c"
#include "plugins/onnx/heads/vidcast_onnx_yunet.c"
#include "plugins/onnx/vidcast_onnx_conf.c"
#include "plugins/onnx/vidcast_onnx_input.c"
#include "plugins/onnx/vidcast_onnx_labels.c"
#include "plugins/onnx/vidcast_onnx_tensor.c"
#include "plugins/onnx/vidcast_onnx_text.c"


/* of up to four dimensions */

static vidcast_onnx_tensor_t __attribute__((unused))
tensor(const char *name, vidcast_onnx_type_e type, const void *data,
    uint32_t ndims, int64_t a, int64_t b, int64_t c, int64_t d)
{
    int64_t                dims[] = { a, b, c, d };
    vidcast_onnx_tensor_t  t;

    memset(&t, 0, sizeof(vidcast_onnx_tensor_t));

    t.name = name;
    t.type = type;
    t.ndims = ndims;
    t.data = data;

    memcpy(t.dims, dims, sizeof(dims));

    if (vidcast_onnx_tensor_volume(&t) > 0) {
        t.count = (size_t) vidcast_onnx_tensor_volume(&t);
    }

    if (data) {
        (void) vidcast_onnx_tensor_values(&t);
    }

    return t;
}


static int __attribute__((unused))
near(double a, double b)
{
    return fabs(a - b) < 1e-3;
}


static int __attribute__((unused))
sides(const vidcast_onnx_box_t *box, double left, double top, double right,
    double bottom)
{
    return near(box->left, left) && near(box->top, top)
           && near(box->right, right) && near(box->bottom, bottom);
}


#endif /* _UNIT_ONNX_H_INCLUDED_ */
