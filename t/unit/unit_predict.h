
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _UNIT_PREDICT_H_INCLUDED_
#define _UNIT_PREDICT_H_INCLUDED_


/*
 * The predictors of the capture process, and the table of all.  Of those with
 * processes of their own it needs the names only.
 */

#include "unit_image.h"
#include "wire/ngx_vidcast_result_value.c"
#include "predict/motion/ngx_vidcast_components.c"
#include "predict/motion/ngx_vidcast_background_judge.c"
#include "predict/motion/ngx_vidcast_background_light.c"
#include "predict/motion/ngx_vidcast_background_model.c"
#include "predict/motion/ngx_vidcast_background_recall.c"
#include "predict/motion/ngx_vidcast_blobs.c"
#include "predict/motion/ngx_vidcast_polygon_zones.c"
#include "predict/motion/ngx_vidcast_tracker.c"
#include "predict/ngx_vidcast_predict.c"
#include "predict/ngx_vidcast_predict_delay.c"
#include "predict/motion/ngx_vidcast_predict_motion.c"


#define UNIT_PREDICT(module)                                                  \
    ngx_vidcast_predict_module_t  ngx_vidcast_predict_##module = {            \
        .name = ngx_string(#module)                                           \
    }

UNIT_PREDICT(exec);
UNIT_PREDICT(onnx);
UNIT_PREDICT(plugin);


#endif /* _UNIT_PREDICT_H_INCLUDED_ */
