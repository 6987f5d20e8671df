
/*
 * Copyright (C) vidcast contributors
 */


#include <stdio.h>
#include <string.h>

#include "plugins/onnx/heads/vidcast_onnx_heads.h"
#include "vidcast_plugin.h"


static int vidcast_onnx_head_mislabeled(const vidcast_onnx_head_t *named,
    const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n, char *error);
static uint32_t vidcast_onnx_head_labels(const vidcast_onnx_head_t *head,
    const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n, uint32_t from);


static const vidcast_onnx_head_t  *vidcast_onnx_heads[] = {
    &vidcast_onnx_classes,
    &vidcast_onnx_yolov5,
    &vidcast_onnx_yolov8,
    &vidcast_onnx_yolov8pose,
    &vidcast_onnx_yolov10,
    &vidcast_onnx_yolox,
    &vidcast_onnx_ssd,
    &vidcast_onnx_detr,
    &vidcast_onnx_yunet,
    &vidcast_onnx_blazeface,
    &vidcast_onnx_raw,
    NULL
};


const vidcast_onnx_head_t *
vidcast_onnx_head_find(const char *name)
{
    const vidcast_onnx_head_t  **head;

    for (head = vidcast_onnx_heads; *head; head++) {

        if (strcmp((*head)->name, name) == 0) {
            break;
        }
    }

    return *head;
}


const vidcast_onnx_head_t *
vidcast_onnx_head_guess(const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n, char *error)
{
    char                         has[160];
    const vidcast_onnx_head_t   *found, *other, **head;

    found = NULL;
    other = NULL;

    for (head = vidcast_onnx_heads; *head; head++) {

        if ((*head)->sure && (*head)->sure(reading, outputs, n)) {
            other = found;
            found = *head;
        }

        if (other) {
            break;
        }
    }

    if (found && other == NULL) {
        return found;
    }

    if (found == NULL
        && vidcast_onnx_head_mislabeled(NULL, reading, outputs, n, error))
    {
        return NULL;
    }

    vidcast_onnx_head_outputs(outputs, n, has, sizeof(has));

    if (found) {
        (void) snprintf(error, VIDCAST_ERROR_LEN,
                        "its output %s may be \"%s\" or \"%s\": name the one "
                        "by \"head\"", has, other->name, found->name);

    } else {
        (void) snprintf(error, VIDCAST_ERROR_LEN,
                        "no head is sure of its output %s: name one by "
                        "\"head\", or \"head=raw\"", has);
    }

    return NULL;
}


int
vidcast_onnx_head_check(const vidcast_onnx_head_t *head,
    const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n, char *error)
{
    char  has[112], wants[104];

    if (head->fits(reading, outputs, n)) {
        return VIDCAST_OK;
    }

    if (vidcast_onnx_head_mislabeled(head, reading, outputs, n, error)) {
        return VIDCAST_ERROR;
    }

    head->wants(reading, wants, sizeof(wants));
    vidcast_onnx_head_outputs(outputs, n, has, sizeof(has));

    (void) snprintf(error, VIDCAST_ERROR_LEN, "\"%s\" wants %s, it has %s",
                    head->name, wants, has);

    return VIDCAST_ERROR;
}


/*
 * Is it the number of labels alone that keeps this head, or, if none was
 * named, one of those that are sure, from fitting?  Says so in "error".
 */

static int
vidcast_onnx_head_mislabeled(const vidcast_onnx_head_t *named,
    const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n, char *error)
{
    char                         either[24];
    uint32_t                     least, other;
    vidcast_onnx_labels_t        none;
    vidcast_onnx_reading_t       unlabeled;
    const vidcast_onnx_head_t  **head;

    if (reading->labels->n == 0) {
        return 0;
    }

    memset(&none, 0, sizeof(vidcast_onnx_labels_t));
    unlabeled = *reading;
    unlabeled.labels = &none;

    for (head = vidcast_onnx_heads; *head; head++) {

        if (named ? *head != named
                  : (*head)->sure == NULL
                    || !(*head)->sure(&unlabeled, outputs, n))
        {
            continue;
        }

        least = vidcast_onnx_head_labels(*head, reading, outputs, n, 1);

        if (least == 0) {
            continue;
        }

        /* "nothing" may have a label, or not; points may be classes */

        other = vidcast_onnx_head_labels(*head, reading, outputs, n,
                                         least + 1);
        either[0] = '\0';

        if (other) {
            (void) snprintf(either, sizeof(either), " or %u", other);
        }

        (void) snprintf(error, VIDCAST_ERROR_LEN,
                        "%u%s label%s wanted, %u in \"%.150s\"", least, either,
                        least == 1 && !other ? "" : "s", reading->labels->n,
                        reading->labels->from);

        return 1;
    }

    return 0;
}


/* the least number of labels, from this one on, with which it fits; 0: none */

static uint32_t
vidcast_onnx_head_labels(const vidcast_onnx_head_t *head,
    const vidcast_onnx_reading_t *reading,
    const vidcast_onnx_tensor_t *outputs, uint32_t n, uint32_t from)
{
    vidcast_onnx_labels_t   labels;
    vidcast_onnx_reading_t  labeled;

    memset(&labels, 0, sizeof(vidcast_onnx_labels_t));
    labeled = *reading;
    labeled.labels = &labels;

    for (labels.n = from; labels.n <= VIDCAST_ONNX_LABELS; labels.n++) {

        if (head->fits(&labeled, outputs, n)) {
            return labels.n;
        }
    }

    return 0;
}


/* all of them, or as many as there is room for */

void
vidcast_onnx_head_outputs(const vidcast_onnx_tensor_t *outputs, uint32_t n,
    char *buf, size_t size)
{
    char      one[96];
    size_t    len;
    uint32_t  i;

    buf[0] = '\0';

    for (i = 0; i < n; i++) {
        len = strlen(buf);

        (void) vidcast_onnx_tensor_print(&outputs[i], one, sizeof(one));

        if (len && size - len < strlen(one) + sizeof(", ...")) {
            (void) snprintf(buf + len, size - len, ", ...");
            return;
        }

        (void) snprintf(buf + len, size - len, "%s%s", i ? ", " : "", one);
    }
}


void
vidcast_onnx_head_defaults(const vidcast_onnx_head_t *head,
    vidcast_onnx_reading_t *reading)
{
    if (reading->score < 0) {
        reading->score = head->score;
    }

    if (reading->iou < 0) {
        reading->iou = head->iou;
    }

    if (reading->max == 0) {
        reading->max = head->max;
    }
}
