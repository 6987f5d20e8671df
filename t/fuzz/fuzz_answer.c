
/*
 * Copyright (C) vidcast contributors
 */


/*
 * What a plugin answers: its JSON, its detections, or both, whatever numbers
 * they are made of.  What is told to viewers is JSON, on one line, within its
 * bounds, and its boxes are in the frame.
 */

#include "wire/ngx_vidcast_result_value.c"
#include "wire/ngx_vidcast_ws.c"
#include "fuzz.h"


#define FUZZ_DETECTIONS  16
#define FUZZ_POINTS      8


static void fuzz_result(u_char *json, size_t size, ngx_uint_t boxes,
    uint32_t width, uint32_t height);
static void fuzz_boxes(json_t *value, uint32_t width, uint32_t height);
static void fuzz_points(json_t *points);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char                   label[24];
    size_t                 n, room, length;
    u_char                *json, *out, error[NGX_VIDCAST_ERROR_LEN];
    uint32_t               width, height;
    ngx_int_t              rc;
    ngx_uint_t             i;
    vidcast_answer_t       answer;
    ngx_vidcast_resize_t   fit;
    vidcast_detection_t    found[FUZZ_DETECTIONS];
    vidcast_keypoint_t     points[FUZZ_POINTS];

    if (size < 16) {
        return 0;
    }

    memset(&fit, 0, sizeof(fit));
    memset(&answer, 0, sizeof(answer));

    width = 1 + (data[0] | data[1] << 8) % 16384;
    height = 1 + (data[2] | data[3] << 8) % 16384;
    fit.left = data[4];
    fit.top = data[5];
    fit.scale_x = (1 + data[6]) / 16.;
    fit.scale_y = (1 + data[7]) / 16.;
    room = data[8] * 16;
    n = data[9] % (FUZZ_DETECTIONS + 1);

    data += 16;
    size -= 16;

    memset(found, 0, sizeof(found));
    memset(points, 0, sizeof(points));
    memcpy(points, data, size < sizeof(points) ? size : sizeof(points));

    for (i = 0; i < n && size >= 28; i++) {
        memcpy(&found[i].x, data, offsetof(vidcast_detection_t, label));
        memcpy(label, data + 4, 23);
        label[23] = '\0';
        found[i].label = (data[24] & 1) ? label : NULL;
        found[i].keypoints = points;
        found[i].nkeypoints = data[25] % (FUZZ_POINTS + 1);
        found[i].keypoint_size = sizeof(points[0]);
        data += 28;
        size -= 28;
    }

    answer.detections = found;
    answer.ndetections = n;
    answer.detection_size = sizeof(found[0]);

    json = fuzz_copy(data, size);
    out = malloc(room + 1);

    answer.json = size ? (char *) json : NULL;
    answer.json_size = size;

    length = room;
    rc = ngx_vidcast_result_value_plugin(&answer, &fit, width, height, out,
                                        &length, error);

    fuzz_check(rc == NGX_OK || rc == NGX_DECLINED || rc == NGX_BUSY);

    if (rc == NGX_OK) {
        fuzz_check(length <= room);
        fuzz_result(out, length, n > 0, width, height);
    }

    length = room;
    rc = ngx_vidcast_result_value_text(json, size, out, &length, error);

    if (rc == NGX_OK) {
        fuzz_check(length <= room);
        fuzz_result(out, length, 0, width, height);
    }

    free(json);
    free(out);

    return 0;
}


static void
fuzz_result(u_char *json, size_t size, ngx_uint_t boxes, uint32_t width,
    uint32_t height)
{
    json_t        *value;
    json_error_t   error;

    fuzz_check(size > 0);
    fuzz_check(memchr(json, '\n', size) == NULL);
    fuzz_check(memchr(json, '\r', size) == NULL);

    value = json_loadb((char *) json, size, JSON_DECODE_ANY|JSON_ALLOW_NUL
                       |JSON_DECODE_INT_AS_REAL, &error);
    fuzz_check(value != NULL);

    if (boxes) {
        fuzz_boxes(json_object_get(value, "detections"), width, height);
    }

    json_decref(value);
}


static void
fuzz_boxes(json_t *value, uint32_t width, uint32_t height)
{
    double   x, y, w, h;
    size_t   i;
    json_t  *detection, *box;

    fuzz_check(json_is_array(value));

    json_array_foreach(value, i, detection) {
        box = json_object_get(detection, "bbox");

        fuzz_check(json_array_size(box) == 4);

        x = json_number_value(json_array_get(box, 0));
        y = json_number_value(json_array_get(box, 1));
        w = json_number_value(json_array_get(box, 2));
        h = json_number_value(json_array_get(box, 3));

        fuzz_check(x >= 0 && y >= 0 && w >= 1 && h >= 1);
        fuzz_check(x + w <= width && y + h <= height);

        fuzz_points(json_object_get(detection, "keypoints"));
    }
}


/* anywhere, but not without an end */

static void
fuzz_points(json_t *points)
{
    size_t   i, j;
    double   value;
    json_t  *point;

    fuzz_check(json_array_size(points) <= FUZZ_POINTS);

    json_array_foreach(points, i, point) {

        if (json_is_null(point)) {
            continue;
        }

        fuzz_check(json_array_size(point) == 2 || json_array_size(point) == 3);

        for (j = 0; j < json_array_size(point); j++) {
            value = json_number_value(json_array_get(point, j));

            fuzz_check(j < 2 ? value >= -99999 && value <= 99999
                             : value >= 0 && value <= 1);
        }
    }
}
