
/*
 * Copyright (C) vidcast contributors
 */


#include <math.h>
#include <stdio.h>
#include <string.h>

#include "plugins/onnx/heads/vidcast_onnx_head.h"
#include "vidcast_plugin.h"


/*
 * The head of models that do the rest by themselves: boxes, scores and classes
 * in one output each, found by their names and shapes.
 *
 * boxes [1, n, 4], scores [1, n], classes [1, n], and maybe how many count:
 *     TensorFlow's Object Detection, SSD of the ONNX zoo, RT-DETR; torchvision,
 *     there without the 1, and in pixels
 * the same with keypoints [n, points, 3] and their scores [n, points]:
 *     torchvision's Keypoint R-CNN; the third number is always 1, a score is
 *     the height of the best place in a map, not a probability, as its source
 *     makes points of heat maps
 * boxes [1, n, 4], scores [1, n, classes]: a class 0 is the background
 * one output [1, 1, n, 7]: Caffe's DetectionOutput
 */

typedef struct {
    const vidcast_onnx_tensor_t  *boxes;
    const vidcast_onnx_tensor_t  *scores;
    const vidcast_onnx_tensor_t  *classes;  /* NULL: scores has one each */
    const vidcast_onnx_tensor_t  *count;    /* or NULL */
    const vidcast_onnx_tensor_t  *points;   /* or NULL */
    const vidcast_onnx_tensor_t  *heights;  /* of the points; or NULL */
    size_t                        n;
    uint32_t                      nclasses;
} vidcast_onnx_ssd_t;


static int vidcast_onnx_ssd_fits(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n);
static int vidcast_onnx_ssd_sure(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n);
static int vidcast_onnx_ssd_packed(const vidcast_onnx_tensor_t *outputs,
    uint32_t n);
static int vidcast_onnx_ssd_find(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n, vidcast_onnx_ssd_t *ssd);
static int vidcast_onnx_ssd_spare(const vidcast_onnx_tensor_t *output);
static void vidcast_onnx_ssd_sort(vidcast_onnx_ssd_t *ssd,
    const vidcast_onnx_tensor_t *output);
static void vidcast_onnx_ssd_keypoints(vidcast_onnx_ssd_t *ssd,
    const vidcast_onnx_tensor_t *outputs, uint32_t n);
static int vidcast_onnx_ssd_shaped(const vidcast_onnx_tensor_t *output,
    int64_t a, int64_t b, int64_t c);
static int vidcast_onnx_ssd_is(const vidcast_onnx_tensor_t *output,
    const char *word);
static void vidcast_onnx_ssd_wants(const vidcast_onnx_reading_t *reading,
    char *buf, size_t size);
static int vidcast_onnx_ssd_boxes(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    vidcast_onnx_nms_t *boxes);
static void vidcast_onnx_ssd_counted(vidcast_onnx_ssd_t *ssd);
static int vidcast_onnx_ssd_unpack(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *output, vidcast_onnx_nms_t *boxes);
static int vidcast_onnx_ssd_add(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_ssd_t *ssd, size_t i, float score, float class,
    vidcast_onnx_nms_t *boxes);
static int vidcast_onnx_ssd_each(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_ssd_t *ssd, size_t i, vidcast_onnx_nms_t *boxes);
static uint32_t vidcast_onnx_ssd_points(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    const vidcast_onnx_box_t *box, vidcast_keypoint_t *points);
static int vidcast_onnx_ssd_doubt(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n, char *buf, size_t size);


const vidcast_onnx_head_t  vidcast_onnx_ssd = {
    "ssd",
    vidcast_onnx_ssd_fits,
    vidcast_onnx_ssd_sure,
    vidcast_onnx_ssd_wants,
    vidcast_onnx_ssd_boxes,
    NULL,
    vidcast_onnx_ssd_points,
    NULL,
    vidcast_onnx_ssd_doubt,
    0.5f, 0.45f, 50,
    1 / 255.0f, VIDCAST_FIT_STRETCH, 0, 0, 0, NULL, 0
};


static int
vidcast_onnx_ssd_fits(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n)
{
    vidcast_onnx_ssd_t  ssd;

    return vidcast_onnx_ssd_packed(outputs, n)
           || vidcast_onnx_ssd_find(reading, outputs, n, &ssd);
}


/* "logits" are of models with the same shapes, and no background */

static int
vidcast_onnx_ssd_sure(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n)
{
    vidcast_onnx_ssd_t  ssd;

    if (vidcast_onnx_ssd_packed(outputs, n)) {
        return 1;
    }

    return vidcast_onnx_ssd_find(reading, outputs, n, &ssd)
           && (ssd.classes || vidcast_onnx_ssd_is(ssd.scores, "score")
               || vidcast_onnx_ssd_is(ssd.scores, "conf"));
}


static int
vidcast_onnx_ssd_packed(const vidcast_onnx_tensor_t *outputs, uint32_t n)
{
    return n == 1 && outputs[0].ndims == 4 && outputs[0].dims[0] == 1
           && outputs[0].dims[1] == 1 && outputs[0].dims[3] == 7;
}


static int
vidcast_onnx_ssd_find(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n, vidcast_onnx_ssd_t *ssd)
{
    uint32_t                      i;
    const vidcast_onnx_tensor_t  *output;

    memset(ssd, 0, sizeof(vidcast_onnx_ssd_t));

    for (i = 0; i < n; i++) {
        output = &outputs[i];

        if (vidcast_onnx_ssd_spare(output)
            || output->ndims < 2 || output->ndims > 3
            || output->dims[output->ndims - 1] != 4
            || (output->ndims == 3 && output->dims[0] != 1))
        {
            continue;
        }

        /* four classes look the same */

        if (ssd->boxes == NULL || vidcast_onnx_ssd_is(output, "box")) {
            ssd->boxes = output;
        }
    }

    if (ssd->boxes == NULL) {
        return 0;
    }

    ssd->n = ssd->boxes->dims[ssd->boxes->ndims - 2];

    vidcast_onnx_ssd_keypoints(ssd, outputs, n);

    for (i = 0; i < n; i++) {
        output = &outputs[i];

        if (output != ssd->boxes && output != ssd->heights
            && !vidcast_onnx_ssd_spare(output))
        {
            vidcast_onnx_ssd_sort(ssd, output);
        }
    }

    if (ssd->scores == NULL) {
        return 0;
    }

    if (ssd->scores->ndims == ssd->boxes->ndims) {
        ssd->classes = NULL;
        ssd->nclasses = (uint32_t) ssd->scores->dims[ssd->scores->ndims - 1];

        return vidcast_onnx_head_labeled(reading, ssd->nclasses);
    }

    return ssd->classes != NULL;
}


/* what exporters add for programs that want to do it themselves */

static int
vidcast_onnx_ssd_spare(const vidcast_onnx_tensor_t *output)
{
    return output->type == VIDCAST_ONNX_OTHER
           || vidcast_onnx_ssd_is(output, "raw")
           || vidcast_onnx_ssd_is(output, "multiclass")
           || vidcast_onnx_ssd_is(output, "anchor");
}


static void
vidcast_onnx_ssd_sort(vidcast_onnx_ssd_t *ssd,
    const vidcast_onnx_tensor_t *output)
{
    uint32_t  ndims, row;

    ndims = ssd->boxes->ndims;
    row = (output->ndims == ndims - 1);

    if (output->ndims <= 1 && vidcast_onnx_ssd_is(output, "num")) {
        ssd->count = output;
        return;
    }

    if ((!row && output->ndims != ndims)
        || (ndims == 3 && output->dims[0] != 1)
        || output->dims[ndims - 2] != (int64_t) ssd->n)
    {
        return;
    }

    if (!row) {

        if (output->dims[ndims - 1] > 1 && ssd->scores == NULL) {
            ssd->scores = output;
        }

        return;
    }

    if (output->type == VIDCAST_ONNX_INT64
        || output->type == VIDCAST_ONNX_INT32
        || vidcast_onnx_ssd_is(output, "class")
        || vidcast_onnx_ssd_is(output, "label"))
    {
        ssd->classes = output;

    } else {
        ssd->scores = output;
    }
}


/* their scores have the shape of scores by class, and the same beginning */

static void
vidcast_onnx_ssd_keypoints(vidcast_onnx_ssd_t *ssd,
    const vidcast_onnx_tensor_t *outputs, uint32_t n)
{
    int64_t   boxes, points;
    uint32_t  i;

    boxes = (int64_t) ssd->n;

    for (i = 0; i < n && ssd->boxes->ndims == 2; i++) {
        points = (outputs[i].ndims == 3) ? outputs[i].dims[1] : 0;

        if (points > 0 && points <= VIDCAST_KEYPOINTS_MAX
            && outputs[i].type != VIDCAST_ONNX_OTHER
            && vidcast_onnx_ssd_shaped(&outputs[i], boxes, points, 3))
        {
            ssd->points = &outputs[i];
            break;
        }
    }

    if (ssd->points == NULL) {
        return;
    }

    /* the last one: with two classes, scores may look the same */

    for (i = n; i > 0; i--) {

        if (&outputs[i - 1] != ssd->boxes
            && outputs[i - 1].type != VIDCAST_ONNX_OTHER
            && vidcast_onnx_ssd_shaped(&outputs[i - 1], boxes,
                                       ssd->points->dims[1], 0))
        {
            ssd->heights = &outputs[i - 1];
            break;
        }
    }
}


/* a last dimension of zero is none */

static int
vidcast_onnx_ssd_shaped(const vidcast_onnx_tensor_t *output, int64_t a,
    int64_t b, int64_t c)
{
    return output->ndims == (c ? 3 : 2) && output->dims[0] == a
           && output->dims[1] == b && (c == 0 || output->dims[2] == c);
}


static int
vidcast_onnx_ssd_is(const vidcast_onnx_tensor_t *output, const char *word)
{
    return strstr(output->name, word) != NULL;
}


static void
vidcast_onnx_ssd_wants(const vidcast_onnx_reading_t *reading, char *buf,
    size_t size)
{
    char     number[24];
    int64_t  classes;

    classes = vidcast_onnx_head_classes(reading);

    (void) snprintf(buf, size, "boxes [1, n, 4] with scores and classes "
                    "[1, n], or scores [1, n, %s], or [1, 1, n, 7]",
                    vidcast_onnx_head_number(classes, "classes", number,
                                             sizeof(number)));
}


static int
vidcast_onnx_ssd_boxes(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    vidcast_onnx_nms_t *boxes)
{
    int                 rc;
    size_t              i;
    vidcast_onnx_ssd_t  ssd;

    if (vidcast_onnx_ssd_packed(outputs, n)) {
        return vidcast_onnx_ssd_unpack(reading, &outputs[0], boxes);
    }

    (void) vidcast_onnx_ssd_find(reading, outputs, n, &ssd);

    vidcast_onnx_ssd_counted(&ssd);

    for (i = 0; i < ssd.n; i++) {

        if (ssd.classes) {
            rc = vidcast_onnx_ssd_add(reading, &ssd, i, ssd.scores->values[i],
                                      ssd.classes->values[i], boxes);

        } else {
            rc = vidcast_onnx_ssd_each(reading, &ssd, i, boxes);
        }

        if (rc != VIDCAST_OK) {
            return rc;
        }
    }

    return VIDCAST_OK;
}


/* what stands behind those that count means nothing */

static void
vidcast_onnx_ssd_counted(vidcast_onnx_ssd_t *ssd)
{
    if (ssd->count
        && ssd->count->count == 1
        && ssd->count->values[0] >= 0
        && ssd->count->values[0] < (float) ssd->n)
    {
        ssd->n = (size_t) ssd->count->values[0];
    }
}


/* picture, class, score, sides; a picture of -1 ends it */

static int
vidcast_onnx_ssd_unpack(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *output, vidcast_onnx_nms_t *boxes)
{
    int64_t              i;
    const float         *v;
    vidcast_onnx_box_t   box;

    v = output->values;

    for (i = 0; i < output->dims[2] && v[0] >= 0; i++, v += 7) {

        if (!(v[2] >= reading->score) || !(v[1] >= 0 && v[1] < 1e6f)) {
            continue;
        }

        vidcast_onnx_head_place(reading, VIDCAST_ONNX_XYXY,
                                VIDCAST_ONNX_RATIO, v + 3, &box);

        box.score = v[2];
        box.class = (uint32_t) v[1];
        box.row = i;

        if (vidcast_onnx_nms_add(boxes, &box) != VIDCAST_OK) {
            return VIDCAST_ERROR;
        }
    }

    return VIDCAST_OK;
}


static int
vidcast_onnx_ssd_add(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_ssd_t *ssd, size_t i, float score, float class,
    vidcast_onnx_nms_t *boxes)
{
    vidcast_onnx_box_t  box;

    if (!(score >= reading->score) || !(class >= 0 && class < 1e6f)) {
        return VIDCAST_OK;
    }

    vidcast_onnx_head_place(reading,
                            strncmp(ssd->boxes->name, "detection_boxes", 15)
                            == 0 ? VIDCAST_ONNX_YXYX : VIDCAST_ONNX_XYXY,
                            ssd->boxes->ndims == 2 ? VIDCAST_ONNX_PIXELS
                                                   : VIDCAST_ONNX_RATIO,
                            ssd->boxes->values + 4 * i, &box);

    box.score = score;
    box.class = (uint32_t) class;
    box.row = i;

    return vidcast_onnx_nms_add(boxes, &box);
}


/* every class that is likely enough, the background is none */

static int
vidcast_onnx_ssd_each(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_ssd_t *ssd, size_t i, vidcast_onnx_nms_t *boxes)
{
    float         score, factor, most;
    uint32_t      class;
    const float  *scores;

    scores = ssd->scores->values + i * ssd->nclasses;
    class = 1;
    most = 0;
    factor = 1;

    if (reading->activation == VIDCAST_ONNX_SOFTMAX) {
        factor = vidcast_onnx_softmax(scores, ssd->nclasses, &most);

    } else if (reading->activation == VIDCAST_ONNX_SIGMOID) {
        class = 0;
    }

    for ( /* void */ ; class < ssd->nclasses; class++) {
        score = scores[class];

        if (reading->activation == VIDCAST_ONNX_SOFTMAX) {
            score = expf(score - most) * factor;

        } else if (reading->activation == VIDCAST_ONNX_SIGMOID) {
            score = vidcast_onnx_sigmoid(score);
        }

        if (vidcast_onnx_ssd_add(reading, ssd, i, score, (float) class, boxes)
            != VIDCAST_OK)
        {
            return VIDCAST_ERROR;
        }
    }

    return VIDCAST_OK;
}


static uint32_t
vidcast_onnx_ssd_points(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n,
    const vidcast_onnx_box_t *box, vidcast_keypoint_t *points)
{
    uint32_t             i, count;
    const float         *v;
    vidcast_onnx_ssd_t   ssd;

    if (vidcast_onnx_ssd_packed(outputs, n)
        || !vidcast_onnx_ssd_find(reading, outputs, n, &ssd)
        || ssd.points == NULL)
    {
        return 0;
    }

    count = (uint32_t) ssd.points->dims[1];

    if (box == NULL) {
        return count;
    }

    v = ssd.points->values + box->row * count * 3;

    for (i = 0; i < count; i++, v += 3) {
        vidcast_onnx_head_point(reading, VIDCAST_ONNX_PIXELS, v[0], v[1],
                                &points[i]);

        points[i].score = v[2];

        if (ssd.heights) {
            points[i].score = vidcast_onnx_sigmoid(
                                  ssd.heights->values[box->row * count + i]);
        }
    }

    return count;
}


/* the key points of SCRFD have the shape of scores by class */

static int
vidcast_onnx_ssd_doubt(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n, char *buf, size_t size)
{
    size_t              rows;
    const float        *v;
    vidcast_onnx_ssd_t  ssd;

    if (vidcast_onnx_ssd_packed(outputs, n)) {
        v = outputs[0].values;

        for (rows = 0; rows < (size_t) outputs[0].dims[2]; rows++) {
            if (!(v[7 * rows] >= 0)) {
                break;
            }
        }

        return vidcast_onnx_head_improbable(v + 2, rows, 7, buf, size);
    }

    if (!vidcast_onnx_ssd_find(reading, outputs, n, &ssd)) {
        return 0;
    }

    vidcast_onnx_ssd_counted(&ssd);

    if (ssd.classes) {
        return vidcast_onnx_head_improbable(ssd.scores->values, ssd.n, 1, buf,
                                            size);
    }

    return reading->activation != VIDCAST_ONNX_SOFTMAX
           && reading->activation != VIDCAST_ONNX_SIGMOID
           && vidcast_onnx_head_improbable(ssd.scores->values,
                                           ssd.n * ssd.nclasses, 1, buf, size);
}
