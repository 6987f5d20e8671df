
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _VIDCAST_ONNX_HEAD_H_INCLUDED_
#define _VIDCAST_ONNX_HEAD_H_INCLUDED_


#include "plugins/onnx/heads/vidcast_onnx_nms.h"
#include "plugins/onnx/vidcast_onnx_labels.h"
#include "plugins/onnx/vidcast_onnx_tensor.h"
#include "plugins/onnx/vidcast_onnx_text.h"
#include "vidcast_plugin.h"


/*
 * A head: what the numbers mean that a model gives.  All are pure functions of
 * shapes and numbers.
 *
 * Adding one: these files.
 *
 *     src/plugins/onnx/heads/vidcast_onnx_NAME.c
 *         it
 *     src/plugins/onnx/heads/vidcast_onnx_head.h
 *         its name among the "extern" ones
 *     src/plugins/onnx/heads/vidcast_onnx_heads.c
 *         the table
 *     docs/predictors/onnx.md, CHANGES
 *         the models that it reads
 *     t/unit/unit_onnx.h, t/unit/plugins/test_onnx_heads.c
 *         its file, and its test
 *     t/util/onnx-models, t/predict-onnx.t
 *         a model of its kind
 */

typedef enum {
    VIDCAST_ONNX_ORDER_OWN = 0,     /* the head's */
    VIDCAST_ONNX_XYXY,
    VIDCAST_ONNX_YXYX,
    VIDCAST_ONNX_XYWH,
    VIDCAST_ONNX_CXCYWH
} vidcast_onnx_order_e;


typedef enum {
    VIDCAST_ONNX_UNITS_OWN = 0,
    VIDCAST_ONNX_PIXELS,            /* of the model's picture */
    VIDCAST_ONNX_RATIO              /* of its width and height */
} vidcast_onnx_units_e;


typedef enum {
    VIDCAST_ONNX_ACTIVATION_OWN = 0,
    VIDCAST_ONNX_NONE,
    VIDCAST_ONNX_SIGMOID,
    VIDCAST_ONNX_SOFTMAX
} vidcast_onnx_activation_e;


/* how they are to be read */

typedef struct {
    uint32_t                    width;      /* of the model's picture */
    uint32_t                    height;
    const vidcast_onnx_labels_t  *labels;
    uint32_t                    first;      /* class of the first label */
    uint32_t                    max;        /* results; 0: the head's */
    float                       score;      /* negative: the head's */
    float                       iou;
    vidcast_onnx_order_e        order;
    vidcast_onnx_units_e        units;
    vidcast_onnx_activation_e   activation;
    uint32_t                    keypoints;  /* of a box, by the model's maker */
    uint32_t                    keypoint;   /* numbers of each; 0: unknown */
    int32_t                     digits;     /* of "raw"; negative: all */
    size_t                      result_size;  /* the largest; 0: unknown */
} vidcast_onnx_reading_t;


typedef struct vidcast_onnx_head_s  vidcast_onnx_head_t;


/*
 * fits()    may these be its outputs?  Their shapes are known.
 *
 * sure()    as fits(), where no head was named: what no other head
 *           would have, as far as that can be told.
 *
 * wants()   what outputs it has, in words.
 *
 * boxes()   adds what it finds; or NULL, and
 * json()    appends a JSON value.  The outputs fit, and have their values.
 *           VIDCAST_OK; VIDCAST_ERROR: no memory.
 *
 * points()  how many key points each box has, at most VIDCAST_KEYPOINTS_MAX;
 *           or NULL, none.  With a box, one of those that boxes() has added,
 *           it sets them, in pixels of the model's picture.
 *
 * room()    may be NULL: will the JSON of such outputs be as small as it has
 *           to be?  VIDCAST_OK; VIDCAST_ERROR: reason in "error".
 *
 * doubt()   may be NULL: do the values look as if this head were not theirs?
 *           1: why, in words; 0: they look well.
 */

struct vidcast_onnx_head_s {
    const char                 *name;

    int (*fits)(const vidcast_onnx_reading_t *reading,
                const vidcast_onnx_tensor_t *outputs, uint32_t n);
    int (*sure)(const vidcast_onnx_reading_t *reading,
                const vidcast_onnx_tensor_t *outputs, uint32_t n);
    void (*wants)(const vidcast_onnx_reading_t *reading, char *buf,
                  size_t size);
    int (*boxes)(const vidcast_onnx_reading_t *reading,
                 const vidcast_onnx_tensor_t *outputs, uint32_t n,
                 vidcast_onnx_nms_t *boxes);
    int (*json)(const vidcast_onnx_reading_t *reading,
                const vidcast_onnx_tensor_t *outputs, uint32_t n,
                vidcast_onnx_text_t *text);
    uint32_t (*points)(const vidcast_onnx_reading_t *reading,
                       const vidcast_onnx_tensor_t *outputs, uint32_t n,
                       const vidcast_onnx_box_t *box,
                       vidcast_keypoint_t *points);
    int (*room)(const vidcast_onnx_reading_t *reading,
                const vidcast_onnx_tensor_t *outputs, uint32_t n,
                char *error);
    int (*doubt)(const vidcast_onnx_reading_t *reading,
                 const vidcast_onnx_tensor_t *outputs, uint32_t n, char *buf,
                 size_t size);

    /* unless configured */

    float                       score;
    float                       iou;
    uint32_t                    max;
    float                       scale;      /* of the picture's numbers */
    uint32_t                    fit;
    uint32_t                    fill;
    uint32_t                    bgr;
    float                       mean;       /* of the picture's numbers */
    const char                 *label;      /* of the only class; or NULL */
    uint32_t                    anchor;     /* in a letterbox */
};


/* four numbers of a model, in the order and units, to a box's sides */
void vidcast_onnx_head_place(const vidcast_onnx_reading_t *reading,
    vidcast_onnx_order_e order, vidcast_onnx_units_e units, const float *v,
    vidcast_onnx_box_t *box);

/* the same of a key point, all but its score */
void vidcast_onnx_head_point(const vidcast_onnx_reading_t *reading,
    vidcast_onnx_units_e units, float x, float y, vidcast_keypoint_t *point);

/* may a model of so many classes have these labels? */
int vidcast_onnx_head_labeled(const vidcast_onnx_reading_t *reading,
    int64_t classes);

/* how many there are by the labels; -1: there are no labels */
int64_t vidcast_onnx_head_classes(const vidcast_onnx_reading_t *reading);

/* "12", or a word if it is not known */
const char *vidcast_onnx_head_number(int64_t number, const char *unknown,
    char *buf, size_t size);

float vidcast_onnx_sigmoid(float value);

/*
 * For doubt(): "n" of the numbers, so far from one to the next, are to be
 * probabilities.  1: one of them is none, why, in words.
 */
int vidcast_onnx_head_improbable(const float *values, size_t n, size_t step,
    char *buf, size_t size);

/* a class's share is exp(value - *most) * what is returned */
float vidcast_onnx_softmax(const float *values, uint32_t n, float *most);


extern const vidcast_onnx_head_t  vidcast_onnx_classes;
extern const vidcast_onnx_head_t  vidcast_onnx_yolov5;
extern const vidcast_onnx_head_t  vidcast_onnx_yolov8;
extern const vidcast_onnx_head_t  vidcast_onnx_yolov8pose;
extern const vidcast_onnx_head_t  vidcast_onnx_yolov10;
extern const vidcast_onnx_head_t  vidcast_onnx_yolox;
extern const vidcast_onnx_head_t  vidcast_onnx_ssd;
extern const vidcast_onnx_head_t  vidcast_onnx_detr;
extern const vidcast_onnx_head_t  vidcast_onnx_yunet;
extern const vidcast_onnx_head_t  vidcast_onnx_blazeface;
extern const vidcast_onnx_head_t  vidcast_onnx_raw;


#endif /* _VIDCAST_ONNX_HEAD_H_INCLUDED_ */
