
/*
 * Copyright (C) vidcast contributors
 */


#include <stdio.h>
#include <string.h>

#include "plugins/onnx/heads/vidcast_onnx_heads.h"
#include "vidcast_plugin.h"


static void vidcast_onnx_head_outputs(const vidcast_onnx_tensor_t *outputs,
    uint32_t n, char *buf, size_t size);


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

    head->wants(reading, wants, sizeof(wants));
    vidcast_onnx_head_outputs(outputs, n, has, sizeof(has));

    (void) snprintf(error, VIDCAST_ERROR_LEN, "\"%s\" wants %s, it has %s",
                    head->name, wants, has);

    return VIDCAST_ERROR;
}


/* all of them, or as many as there is room for */

static void
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
