
/*
 * Copyright (C) vidcast contributors
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/onnx/vidcast_onnx_conf.h"
#include "plugins/onnx/runtime/vidcast_onnx_session.h"


#define VIDCAST_ONNX_DOUBTS  5    /* results without one that looks well */


/*
 * The predictor plugin for models in ONNX: a picture becomes the input, the
 * model runs, its head makes boxes or JSON of the outputs.
 */

typedef struct {
    const vidcast_context_t    *context;
    vidcast_onnx_conf_t         conf;
    vidcast_onnx_session_t     *session;
    vidcast_onnx_labels_t       labels;
    vidcast_onnx_input_t        input;
    uint32_t                    picture;     /* which of the inputs it is */
    void                       *data;        /* of it */
    uint32_t                    doubts;      /* results that look odd */
    unsigned                    looked:1;    /* enough of them */
    int64_t                     sizes[2];    /* of an input that wants them */

    vidcast_onnx_nms_t          boxes;
    vidcast_onnx_text_t         text;
    vidcast_detection_t        *detections;
    vidcast_keypoint_t         *points;
    size_t                      npoints;     /* there is room for */
    char                      (*numbers)[16];
} vidcast_onnx_t;


static int vidcast_onnx_check(const vidcast_context_t *context, char *error);
static void *vidcast_onnx_open(const vidcast_context_t *context,
    vidcast_want_t *want, char *error);
static vidcast_onnx_t *vidcast_onnx_create(const vidcast_context_t *context,
    int draft, char *error);
static int vidcast_onnx_init(vidcast_onnx_t *onnx,
    const vidcast_context_t *context, int draft, char *error);
static int vidcast_onnx_label(vidcast_onnx_t *onnx, char *error);
static void vidcast_onnx_keypoints(vidcast_onnx_t *onnx);
static int vidcast_onnx_inputs(vidcast_onnx_t *onnx, char *error);
static int vidcast_onnx_sizes(vidcast_onnx_t *onnx, uint32_t i, char *error);
static int vidcast_onnx_known(vidcast_onnx_t *onnx);
static int vidcast_onnx_choose(vidcast_onnx_t *onnx, int draft, char *error);
static void vidcast_onnx_want(vidcast_onnx_t *onnx, vidcast_want_t *want);
static int vidcast_onnx_predict(void *instance, const vidcast_sample_t *sample,
    vidcast_answer_t *answer, char *error);
static void vidcast_onnx_look(vidcast_onnx_t *onnx);
static int vidcast_onnx_detect(vidcast_onnx_t *onnx, vidcast_answer_t *answer);
static int vidcast_onnx_points(vidcast_onnx_t *onnx);
static void vidcast_onnx_close(void *instance);


static const vidcast_predictor_table_t  vidcast_onnx_predictor = {
    sizeof(vidcast_predictor_table_t),
    vidcast_onnx_check,
    vidcast_onnx_open,
    vidcast_onnx_predict,
    vidcast_onnx_close
};


static const vidcast_plugin_t  vidcast_onnx_plugin = {
    sizeof(vidcast_plugin_t),
    VIDCAST_ABI,
    "vidcast_onnx with ONNX Runtime",
    NULL,
    &vidcast_onnx_predictor,
    VIDCAST_NEEDS_COMPUTING,
    NULL
};


const vidcast_plugin_t *
vidcast_plugin(uint32_t abi)
{
    return &vidcast_onnx_plugin;
}


static int
vidcast_onnx_check(const vidcast_context_t *context, char *error)
{
    vidcast_onnx_t  *onnx;

    onnx = vidcast_onnx_create(context, 1, error);

    if (onnx == NULL) {
        return VIDCAST_ERROR;
    }

    vidcast_onnx_close(onnx);

    return VIDCAST_OK;
}


static void *
vidcast_onnx_open(const vidcast_context_t *context, vidcast_want_t *want,
    char *error)
{
    char             line[160];
    vidcast_onnx_t  *onnx;

    onnx = vidcast_onnx_create(context, 0, error);

    if (onnx == NULL) {
        return NULL;
    }

    vidcast_onnx_want(onnx, want);

    (void) snprintf(line, sizeof(line), "model of head \"%s\", %ux%u, by ONNX "
                    "Runtime %s", onnx->conf.head->name, onnx->input.width,
                    onnx->input.height, onnx->session->version);

    context->log(context->host, VIDCAST_LOG_NOTICE, line);

    vidcast_onnx_session_loaded(onnx->session);

    return onnx;
}


static vidcast_onnx_t *
vidcast_onnx_create(const vidcast_context_t *context, int draft, char *error)
{
    vidcast_onnx_t  *onnx;

    onnx = calloc(1, sizeof(vidcast_onnx_t));

    if (onnx == NULL) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "no memory");
        return NULL;
    }

    if (vidcast_onnx_init(onnx, context, draft, error) != VIDCAST_OK) {
        vidcast_onnx_close(onnx);
        return NULL;
    }

    return onnx;
}


/* the first run takes longer than others, and tells shapes that are open */

static int
vidcast_onnx_init(vidcast_onnx_t *onnx, const vidcast_context_t *context,
    int draft, char *error)
{
    vidcast_onnx_conf_t  *conf;

    onnx->context = context;
    conf = &onnx->conf;

    if (vidcast_onnx_conf(conf, context, error) != VIDCAST_OK) {
        return VIDCAST_ERROR;
    }

    onnx->session = vidcast_onnx_session_open(context, conf->threads, draft,
                                              error);

    if (onnx->session == NULL) {
        return VIDCAST_ERROR;
    }

    if (conf->outputs
        && vidcast_onnx_session_choose(onnx->session, conf->outputs, error)
           != VIDCAST_OK)
    {
        return VIDCAST_ERROR;
    }

    if (vidcast_onnx_label(onnx, error) != VIDCAST_OK
        || vidcast_onnx_inputs(onnx, error) != VIDCAST_OK)
    {
        return VIDCAST_ERROR;
    }

    vidcast_onnx_keypoints(onnx);

    if ((!draft || !vidcast_onnx_known(onnx))
        && vidcast_onnx_session_run(onnx->session, error) != VIDCAST_OK)
    {
        return VIDCAST_ERROR;
    }

    return vidcast_onnx_choose(onnx, draft, error);
}


/* of the file; else of the model, if it has some that can be read */

static int
vidcast_onnx_label(vidcast_onnx_t *onnx, char *error)
{
    char  *names;

    onnx->conf.reading.labels = &onnx->labels;

    if (onnx->conf.labels) {
        return vidcast_onnx_labels_read(&onnx->labels, onnx->conf.labels,
                                        error);
    }

    names = vidcast_onnx_session_metadata(onnx->session, "names");

    if (names) {
        (void) vidcast_onnx_labels_names(&onnx->labels, names);
        free(names);
    }

    return VIDCAST_OK;
}


/* how many each box has, and of how many numbers: "[17, 3]" */

static void
vidcast_onnx_keypoints(vidcast_onnx_t *onnx)
{
    char      *shape;
    uint32_t   points, numbers;

    shape = vidcast_onnx_session_metadata(onnx->session, "kpt_shape");

    if (shape
        && sscanf(shape, " [%4u ,%1u", &points, &numbers) == 2
        && points > 0 && points <= VIDCAST_KEYPOINTS_MAX
        && (numbers == 2 || numbers == 3))
    {
        onnx->conf.reading.keypoints = points;
        onnx->conf.reading.keypoint = numbers;
    }

    free(shape);
}


/* the picture is the first one of three dimensions or four */

static int
vidcast_onnx_inputs(vidcast_onnx_t *onnx, char *error)
{
    uint32_t                 i;
    vidcast_onnx_session_t  *session;

    session = onnx->session;

    for (i = 0; i < session->ninputs; i++) {
        if (session->inputs[i].ndims == 3 || session->inputs[i].ndims == 4) {
            break;
        }
    }

    onnx->picture = (i < session->ninputs) ? i : 0;

    if (session->ninputs == 0) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "the model has no input");
        return VIDCAST_ERROR;
    }

    if (vidcast_onnx_input_plan(&onnx->input, &session->inputs[onnx->picture],
                                &onnx->conf.params, error)
        != VIDCAST_OK)
    {
        return VIDCAST_ERROR;
    }

    onnx->conf.reading.width = onnx->input.width;
    onnx->conf.reading.height = onnx->input.height;

    onnx->data = calloc(1, onnx->input.size);

    if (onnx->data == NULL) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "no memory");
        return VIDCAST_ERROR;
    }

    for (i = 0; i < session->ninputs; i++) {

        if (i != onnx->picture) {

            if (vidcast_onnx_sizes(onnx, i, error) != VIDCAST_OK) {
                return VIDCAST_ERROR;
            }

        } else if (vidcast_onnx_session_feed(session, i, onnx->data,
                                             onnx->input.size, error)
                   != VIDCAST_OK)
        {
            return VIDCAST_ERROR;
        }
    }

    return VIDCAST_OK;
}


/*
 * RT-DETR and its relatives want to know what size boxes are to be told in.
 * They get that of the model's picture, as the host maps boxes to the frame.
 */

static int
vidcast_onnx_sizes(vidcast_onnx_t *onnx, uint32_t i, char *error)
{
    char                    has[112];
    vidcast_onnx_tensor_t  *tensor;

    tensor = &onnx->session->inputs[i];

    if (tensor->type != VIDCAST_ONNX_INT64
        || tensor->ndims != 2
        || tensor->dims[0] > 1 || tensor->dims[0] == 0
        || (tensor->dims[1] >= 0 && tensor->dims[1] != 2))
    {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "besides the picture it has "
                        "an input %s, which may be int64 [1, 2] only",
                        vidcast_onnx_tensor_print(tensor, has, sizeof(has)));
        return VIDCAST_ERROR;
    }

    tensor->dims[0] = 1;
    tensor->dims[1] = 2;

    onnx->sizes[0] = onnx->input.width;
    onnx->sizes[1] = onnx->input.height;

    if (onnx->conf.reading.units == VIDCAST_ONNX_UNITS_OWN) {
        onnx->conf.reading.units = VIDCAST_ONNX_PIXELS;
    }

    return vidcast_onnx_session_feed(onnx->session, i, onnx->sizes,
                                     sizeof(onnx->sizes), error);
}


static int
vidcast_onnx_known(vidcast_onnx_t *onnx)
{
    uint32_t                 i, j;
    vidcast_onnx_session_t  *session;

    session = onnx->session;

    for (i = 0; i < session->noutputs; i++) {

        for (j = 0; j < session->outputs[i].ndims; j++) {
            if (session->outputs[i].dims[j] < 0) {
                return 0;
            }
        }
    }

    return 1;
}


/* the head, and all that hangs on it */

static int
vidcast_onnx_choose(vidcast_onnx_t *onnx, int draft, char *error)
{
    char                        has[128], line[VIDCAST_ERROR_LEN];
    vidcast_onnx_conf_t        *conf;
    vidcast_onnx_session_t     *session;
    const vidcast_onnx_head_t  *head;

    conf = &onnx->conf;
    session = onnx->session;

    head = conf->head;

    if (head == NULL) {
        head = vidcast_onnx_head_guess(&conf->reading, session->outputs,
                                       session->noutputs, error);

        if (head == NULL) {
            return VIDCAST_ERROR;
        }

        /* the labels would have had to be as many as its classes */

        if (draft && onnx->labels.n == 0 && head->label == NULL) {
            vidcast_onnx_head_outputs(session->outputs, session->noutputs, has,
                                      sizeof(has));

            (void) snprintf(line, sizeof(line), "\"head=%s\" is a guess by its "
                            "output %s, without labels: name it, or give "
                            "\"labels\"", head->name, has);

            onnx->context->log(onnx->context->host, VIDCAST_LOG_WARN, line);
        }
    }

    conf->head = head;

    if (vidcast_onnx_head_check(head, &conf->reading, session->outputs,
                                session->noutputs, error)
        != VIDCAST_OK)
    {
        return VIDCAST_ERROR;
    }

    if (head->room
        && head->room(&conf->reading, session->outputs, session->noutputs,
                      error)
           != VIDCAST_OK)
    {
        return VIDCAST_ERROR;
    }

    vidcast_onnx_head_defaults(head, &conf->reading);

    if (onnx->input.type != VIDCAST_ONNX_UINT8) {
        vidcast_onnx_input_scale(&onnx->input, &conf->params, head->mean,
                                 head->scale);
    }

    onnx->detections = calloc(conf->reading.max + 1,
                              sizeof(vidcast_detection_t));
    onnx->numbers = calloc(conf->reading.max + 1, sizeof(*onnx->numbers));

    if (onnx->detections == NULL || onnx->numbers == NULL) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "no memory");
        return VIDCAST_ERROR;
    }

    return VIDCAST_OK;
}


static void
vidcast_onnx_want(vidcast_onnx_t *onnx, vidcast_want_t *want)
{
    uint32_t                    bgr;
    vidcast_onnx_conf_t        *conf;
    const vidcast_onnx_head_t  *head;

    conf = &onnx->conf;
    head = conf->head;

    bgr = (conf->bgr < 0) ? head->bgr : (uint32_t) conf->bgr;

    want->format = (onnx->input.channels == 1) ? VIDCAST_GRAY8
                   : bgr ? VIDCAST_BGR24 : VIDCAST_RGB24;
    want->fit = conf->fit ? conf->fit : head->fit;
    want->fill = (conf->fill < 0) ? head->fill : (uint32_t) conf->fill;
    want->anchor = (conf->anchor < 0) ? head->anchor : (uint32_t) conf->anchor;
    want->width = onnx->input.width;
    want->height = onnx->input.height;
}


static int
vidcast_onnx_predict(void *instance, const vidcast_sample_t *sample,
    vidcast_answer_t *answer, char *error)
{
    vidcast_onnx_t *onnx = instance;

    int                         rc;
    vidcast_onnx_session_t     *session;
    const vidcast_onnx_head_t  *head;

    session = onnx->session;
    head = onnx->conf.head;

    vidcast_onnx_input_fill(&onnx->input, &sample->image, onnx->data);

    if (vidcast_onnx_session_run(session, error) != VIDCAST_OK
        || vidcast_onnx_head_check(head, &onnx->conf.reading, session->outputs,
                                   session->noutputs, error)
           != VIDCAST_OK)
    {
        return VIDCAST_ERROR;
    }

    if (head->doubt && !onnx->looked) {
        vidcast_onnx_look(onnx);
    }

    if (head->json) {
        onnx->text.len = 0;

        rc = head->json(&onnx->conf.reading, session->outputs,
                        session->noutputs, &onnx->text);

        answer->json = onnx->text.data;
        answer->json_size = onnx->text.len;

    } else {
        rc = vidcast_onnx_detect(onnx, answer);
    }

    if (rc != VIDCAST_OK) {
        (void) snprintf(error, VIDCAST_ERROR_LEN, "no memory");
    }

    return rc;
}


/* a dark picture may look odd as well: some of them in a row are too many */

static void
vidcast_onnx_look(vidcast_onnx_t *onnx)
{
    char                        why[80], has[112], line[VIDCAST_ERROR_LEN];
    vidcast_onnx_session_t     *session;
    const vidcast_onnx_head_t  *head;

    session = onnx->session;
    head = onnx->conf.head;

    if (!head->doubt(&onnx->conf.reading, session->outputs, session->noutputs,
                     why, sizeof(why)))
    {
        onnx->looked = 1;
        return;
    }

    if (++onnx->doubts < VIDCAST_ONNX_DOUBTS) {
        return;
    }

    onnx->looked = 1;

    vidcast_onnx_head_outputs(session->outputs, session->noutputs, has,
                              sizeof(has));

    (void) snprintf(line, sizeof(line), "the numbers of %s do not look like "
                    "\"%s\": %s", has, head->name, why);

    onnx->context->log(onnx->context->host, VIDCAST_LOG_WARN, line);
}


static int
vidcast_onnx_detect(vidcast_onnx_t *onnx, vidcast_answer_t *answer)
{
    int                      rc;
    size_t                   i;
    vidcast_onnx_box_t      *box;
    vidcast_detection_t     *detection;
    vidcast_onnx_reading_t  *reading;

    reading = &onnx->conf.reading;
    onnx->boxes.n = 0;

    rc = onnx->conf.head->boxes(reading, onnx->session->outputs,
                                onnx->session->noutputs, &onnx->boxes);

    if (rc != VIDCAST_OK) {
        return rc;
    }

    vidcast_onnx_nms_suppress(&onnx->boxes, reading->iou, reading->max);

    for (i = 0; i < onnx->boxes.n; i++) {
        box = &onnx->boxes.elts[i];
        detection = &onnx->detections[i];

        detection->x = box->left;
        detection->y = box->top;
        detection->width = box->right - box->left;
        detection->height = box->bottom - box->top;
        detection->score = box->score;
        detection->track = -1;
        detection->label = vidcast_onnx_labels_name(&onnx->labels,
                               reading->first, box->class, onnx->numbers[i],
                               sizeof(onnx->numbers[i]));

        if (onnx->labels.n == 0 && box->class == 0 && onnx->conf.head->label) {
            detection->label = onnx->conf.head->label;
        }
    }

    if (onnx->conf.head->points && vidcast_onnx_points(onnx) != VIDCAST_OK) {
        return VIDCAST_ERROR;
    }

    answer->detections = onnx->detections;
    answer->ndetections = onnx->boxes.n;
    answer->detection_size = sizeof(vidcast_detection_t);

    return VIDCAST_OK;
}


/* of the boxes that are left */

static int
vidcast_onnx_points(vidcast_onnx_t *onnx)
{
    size_t                      i, n;
    vidcast_keypoint_t         *points;
    vidcast_onnx_session_t     *session;
    const vidcast_onnx_head_t  *head;

    head = onnx->conf.head;
    session = onnx->session;

    n = head->points(&onnx->conf.reading, session->outputs, session->noutputs,
                     NULL, NULL);

    if (onnx->boxes.n * n > onnx->npoints) {
        points = realloc(onnx->points,
                         onnx->boxes.n * n * sizeof(vidcast_keypoint_t));

        if (points == NULL) {
            return VIDCAST_ERROR;
        }

        onnx->points = points;
        onnx->npoints = onnx->boxes.n * n;
    }

    for (i = 0; i < onnx->boxes.n; i++) {
        onnx->detections[i].nkeypoints = n;
        onnx->detections[i].keypoint_size = sizeof(vidcast_keypoint_t);

        if (n == 0) {
            continue;
        }

        onnx->detections[i].keypoints = onnx->points + i * n;

        (void) head->points(&onnx->conf.reading, session->outputs,
                            session->noutputs, &onnx->boxes.elts[i],
                            onnx->points + i * n);
    }

    return VIDCAST_OK;
}


static void
vidcast_onnx_close(void *instance)
{
    vidcast_onnx_t *onnx = instance;

    if (onnx->session) {
        vidcast_onnx_session_close(onnx->session);
    }

    vidcast_onnx_labels_free(&onnx->labels);
    vidcast_onnx_nms_free(&onnx->boxes);
    vidcast_onnx_text_free(&onnx->text);

    free(onnx->data);
    free(onnx->detections);
    free(onnx->points);
    free(onnx->numbers);
    free(onnx);
}
