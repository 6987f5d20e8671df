
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <jansson.h>

#include "wire/ngx_vidcast_detections_reader.h"


#define NGX_VIDCAST_DETECTIONS_SEEN  0.25   /* the same in conf/html/wire.js */


static ngx_int_t ngx_vidcast_detections_box(json_t *json,
    ngx_vidcast_detection_t *found);
static void ngx_vidcast_detections_points(json_t *json,
    ngx_vidcast_detections_t *detections, ngx_vidcast_detection_t *found);
static ngx_int_t ngx_vidcast_detections_point(json_t *json,
    ngx_vidcast_keypoint_t *point);
static void ngx_vidcast_detections_text(json_t *json,
    ngx_vidcast_detection_t *found);
static u_char *ngx_vidcast_detections_ascii(u_char *p, u_char *last,
    const char *text);
static uint32_t ngx_vidcast_detections_dimension(json_t *json);


void
ngx_vidcast_detections_read(const u_char *json, size_t size,
    ngx_vidcast_detections_t *detections)
{
    size_t                    i;
    json_t                   *root, *list, *one;
    json_error_t              error;
    ngx_vidcast_detection_t  *found;

    detections->n = 0;
    detections->npoints = 0;
    detections->width = 0;
    detections->height = 0;

    root = json_loadb((const char *) json, size, 0, &error);

    if (root == NULL) {
        return;
    }

    detections->width = ngx_vidcast_detections_dimension(
                                               json_object_get(root, "width"));
    detections->height = ngx_vidcast_detections_dimension(
                                              json_object_get(root, "height"));

    list = json_object_get(json_object_get(root, "result"), "detections");

    json_array_foreach(list, i, one) {

        if (detections->n == NGX_VIDCAST_DETECTIONS_MAX) {
            break;
        }

        found = &detections->list[detections->n];

        if (ngx_vidcast_detections_box(json_object_get(one, "bbox"), found)
            == NGX_OK)
        {
            ngx_vidcast_detections_points(json_object_get(one, "keypoints"),
                                          detections, found);
            ngx_vidcast_detections_text(one, found);
            detections->n++;
        }
    }

    json_decref(root);
}


static ngx_int_t
ngx_vidcast_detections_box(json_t *json, ngx_vidcast_detection_t *found)
{
    double       value[4];
    json_t      *number;
    ngx_uint_t   i;

    if (json_array_size(json) != 4) {
        return NGX_DECLINED;
    }

    for (i = 0; i < 4; i++) {
        number = json_array_get(json, i);

        if (!json_is_number(number)) {
            return NGX_DECLINED;
        }

        value[i] = json_number_value(number);
    }

    if (value[2] < 0 || value[3] < 0) {
        return NGX_DECLINED;
    }

    found->x = value[0];
    found->y = value[1];
    found->width = value[2];
    found->height = value[3];

    return NGX_OK;
}


/* as many as there is room for, in all detections together */

static void
ngx_vidcast_detections_points(json_t *json,
    ngx_vidcast_detections_t *detections, ngx_vidcast_detection_t *found)
{
    size_t   i;
    json_t  *one;

    found->first = detections->npoints;

    json_array_foreach(json, i, one) {

        if (detections->npoints == NGX_VIDCAST_KEYPOINTS_MAX) {
            break;
        }

        if (ngx_vidcast_detections_point(one,
                                    &detections->points[detections->npoints])
            == NGX_OK)
        {
            detections->npoints++;
        }
    }

    found->npoints = detections->npoints - found->first;
}


/* [x, y] or [x, y, score]; a model guesses those that it does not see, too */

static ngx_int_t
ngx_vidcast_detections_point(json_t *json, ngx_vidcast_keypoint_t *point)
{
    size_t       n;
    double       value[3];
    json_t      *number;
    ngx_uint_t   i;

    n = json_array_size(json);

    if (n != 2 && n != 3) {
        return NGX_DECLINED;
    }

    value[2] = 1;

    for (i = 0; i < n; i++) {
        number = json_array_get(json, i);

        if (!json_is_number(number)) {
            return NGX_DECLINED;
        }

        value[i] = json_number_value(number);
    }

    if (value[2] < NGX_VIDCAST_DETECTIONS_SEEN) {
        return NGX_DECLINED;
    }

    point->x = value[0];
    point->y = value[1];

    return NGX_OK;
}


/* "label #track score", of it what there is */

static void
ngx_vidcast_detections_text(json_t *json, ngx_vidcast_detection_t *found)
{
    u_char      *p, *last;
    double       score;
    json_t      *value;
    const char  *label;

    p = found->text;
    last = p + NGX_VIDCAST_DETECTIONS_TEXT;

    label = json_string_value(json_object_get(json, "label"));

    if (label) {
        p = ngx_vidcast_detections_ascii(p, last - 16, label);
    }

    found->color = ngx_crc32_short(found->text, p - found->text);

    value = json_object_get(json, "track_id");

    if (json_is_integer(value)) {
        p = ngx_slprintf(p, last, " #%uL",
                         (uint64_t) json_integer_value(value));

    } else if (json_is_string(value)) {
        p = ngx_slprintf(p, last, " #");
        p = ngx_vidcast_detections_ascii(p, ngx_min(p + 8, last),
                                         json_string_value(value));
    }

    value = json_object_get(json, "score");

    if (json_is_number(value)) {
        score = json_number_value(value);

        if (score > -1000 && score < 1000) {
            p = ngx_slprintf(p, last, " %.2f", score);
        }
    }

    found->len = p - found->text;

    if (found->len && found->text[0] == ' ') {
        found->len--;
        ngx_memmove(found->text, found->text + 1, found->len);
    }
}


/* the font has no more: any other character is a "?" */

static u_char *
ngx_vidcast_detections_ascii(u_char *p, u_char *last, const char *text)
{
    u_char  c;

    while (*text && p < last) {
        c = (u_char) *text++;

        if ((c & 0xc0) == 0x80) {

            /* a character's bytes after its first one */

            continue;
        }

        *p++ = (c >= 0x20 && c < 0x7f) ? c : '?';
    }

    return p;
}


static uint32_t
ngx_vidcast_detections_dimension(json_t *json)
{
    json_int_t  value;

    value = json_integer_value(json);

    return (value > 0 && value <= NGX_VIDCAST_MAX_DIMENSION) ? value : 0;
}
