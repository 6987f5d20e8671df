
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <jansson.h>
#include <math.h>

#include "core/ngx_vidcast_error.h"
#include "core/ngx_vidcast_string.h"
#include "wire/ngx_vidcast_result_value.h"


#define ngx_vidcast_result_value_space(c)                                     \
    ((c) == ' ' || (c) == '\t' || (c) == LF || (c) == CR)


/* a detection of the first plugins ends before this member */

#define NGX_VIDCAST_RESULT_OLDEST    offsetof(vidcast_detection_t, keypoints)

#define NGX_VIDCAST_RESULT_KEYPOINT  32


static json_t *ngx_vidcast_result_value_load(const u_char *json, size_t len,
    u_char *error);
static void ngx_vidcast_result_value_trim(const u_char **json, size_t *len);
static ngx_int_t ngx_vidcast_result_value_object(const vidcast_answer_t *answer,
    u_char *dst, size_t *size, ngx_uint_t *members, u_char *error);
static ngx_int_t ngx_vidcast_result_value_detections(
    const vidcast_answer_t *answer, const ngx_vidcast_resize_t *fit,
    uint32_t width, uint32_t height, u_char **dst, u_char *last,
    u_char *error);
static ngx_int_t ngx_vidcast_result_value_map(
    const vidcast_detection_t *detection, const ngx_vidcast_resize_t *fit,
    uint32_t width, uint32_t height, ngx_vidcast_result_detection_t *found);
static ngx_uint_t ngx_vidcast_result_value_span(double from, double to,
    uint32_t limit, uint32_t *start, uint32_t *length);
static ngx_int_t ngx_vidcast_result_value_keypoints(
    const vidcast_detection_t *detection, const ngx_vidcast_resize_t *fit,
    u_char **dst, u_char *last, u_char *error);
static u_char *ngx_vidcast_result_value_keypoint(u_char *p,
    const vidcast_keypoint_t *point, const ngx_vidcast_resize_t *fit);
static ngx_int_t ngx_vidcast_result_value_whole(double value);
static u_char *ngx_vidcast_result_value_label(u_char *p, const char *label);


ngx_int_t
ngx_vidcast_result_value_check(u_char *data, size_t *size)
{
    size_t         i, len;
    json_t        *value;
    const u_char  *json;
    u_char         error[NGX_VIDCAST_ERROR_LEN];

    json = data;
    len = *size;

    ngx_vidcast_result_value_trim(&json, &len);

    value = ngx_vidcast_result_value_load(json, len, error);
    if (value == NULL) {
        return NGX_DECLINED;
    }

    json_decref(value);

    if (json != data) {
        ngx_memmove(data, json, len);
    }

    /* within strings there are no control characters */

    for (i = 0; i < len; i++) {
        if (data[i] < ' ') {
            data[i] = ' ';
        }
    }

    *size = len;

    return NGX_OK;
}


ngx_int_t
ngx_vidcast_result_value_text(const u_char *json, size_t len, u_char *dst,
    size_t *size, u_char *error)
{
    json_t  *value;

    /* what cannot fit is not worth to be looked at, but for its blanks */

    if (len > 2 * *size + 1024) {
        return NGX_BUSY;
    }

    value = ngx_vidcast_result_value_load(json, len, error);
    if (value == NULL) {
        return NGX_DECLINED;
    }

    json_decref(value);

    return ngx_vidcast_result_value_copy(json, len, dst, size);
}


static json_t *
ngx_vidcast_result_value_load(const u_char *json, size_t len, u_char *error)
{
    json_t        *value;
    json_error_t   reason;

    /* the library passes over null characters, or takes one for the end */

    if (memchr(json, '\0', len)) {
        ngx_vidcast_error(error, "not JSON: a null character");
        return NULL;
    }

    value = json_loadb((const char *) json, len,
                       JSON_DECODE_ANY|JSON_ALLOW_NUL|JSON_DECODE_INT_AS_REAL,
                       &reason);

    if (value == NULL) {
        ngx_vidcast_error(error, "not JSON: %s", reason.text);
    }

    return value;
}


static void
ngx_vidcast_result_value_trim(const u_char **json, size_t *len)
{
    const u_char  *p, *last;

    p = *json;
    last = p + *len;

    while (p < last && ngx_vidcast_result_value_space(*p)) {
        p++;
    }

    while (p < last && ngx_vidcast_result_value_space(last[-1])) {
        last--;
    }

    *json = p;
    *len = last - p;
}


/* line feeds are blanks only: in strings they cannot be */

ngx_int_t
ngx_vidcast_result_value_copy(const u_char *json, size_t len, u_char *dst,
    size_t *size)
{
    size_t  i;

    ngx_vidcast_result_value_trim(&json, &len);

    if (len > *size) {
        return NGX_BUSY;
    }

    for (i = 0; i < len; i++) {
        dst[i] = (json[i] == '\r' || json[i] == '\n') ? ' ' : json[i];
    }

    *size = len;

    return NGX_OK;
}


ngx_int_t
ngx_vidcast_result_value_plugin(const vidcast_answer_t *answer,
    const ngx_vidcast_resize_t *fit, uint32_t width, uint32_t height,
    u_char *dst, size_t *size, u_char *error)
{
    u_char      *p, *last;
    size_t       len;
    ngx_int_t    rc;
    ngx_uint_t   members;

    if (answer->json && answer->ndetections == 0) {
        return ngx_vidcast_result_value_text((u_char *) answer->json,
                                            answer->json_size, dst, size,
                                            error);
    }

    p = dst;
    last = dst + *size;

    if (answer->json) {
        len = *size;

        rc = ngx_vidcast_result_value_object(answer, dst, &len, &members,
                                             error);

        if (rc != NGX_OK) {
            return rc;
        }

        /* in the place of its last brace */

        p = dst + len - 1;

        if (members) {
            *p++ = ',';
        }

    } else {

        if (*size == 0) {
            return NGX_BUSY;
        }

        *p++ = '{';
    }

    rc = ngx_vidcast_result_value_detections(answer, fit, width, height, &p,
                                            last, error);

    if (rc != NGX_OK) {
        return rc;
    }

    *size = p - dst;

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_result_value_object(const vidcast_answer_t *answer, u_char *dst,
    size_t *size, ngx_uint_t *members, u_char *error)
{
    json_t      *value;
    const char  *reason;

    if (answer->json_size > 2 * *size + 1024) {
        return NGX_BUSY;
    }

    value = ngx_vidcast_result_value_load((u_char *) answer->json,
                                         answer->json_size, error);
    if (value == NULL) {
        return NGX_DECLINED;
    }

    reason = NULL;

    if (!json_is_object(value)) {
        reason = "the JSON that comes with detections is not an object";

    } else if (json_object_get(value, "detections")) {
        reason = "the JSON has \"detections\", and others come with it";
    }

    *members = json_object_size(value);

    json_decref(value);

    if (reason) {
        (void) ngx_cpystrn(error, (u_char *) reason, NGX_VIDCAST_ERROR_LEN);
        return NGX_DECLINED;
    }

    return ngx_vidcast_result_value_copy((u_char *) answer->json,
                                        answer->json_size, dst, size);
}


static ngx_int_t
ngx_vidcast_result_value_detections(const vidcast_answer_t *answer,
    const ngx_vidcast_resize_t *fit, uint32_t width, uint32_t height,
    u_char **dst, u_char *last, u_char *error)
{
    size_t                          i, len;
    u_char                         *p, buf[NGX_VIDCAST_RESULT_DETECTION];
    ngx_int_t                       rc;
    ngx_uint_t                      n;
    vidcast_detection_t             detection;
    ngx_vidcast_result_detection_t  found;

    p = *dst;

    if ((size_t) (last - p) < sizeof("\"detections\":[]}") - 1) {
        return NGX_BUSY;
    }

    p = ngx_cpymem(p, "\"detections\":[", sizeof("\"detections\":[") - 1);
    last -= 2;

    if (answer->ndetections
        && answer->detection_size < NGX_VIDCAST_RESULT_OLDEST)
    {
        ngx_vidcast_error(error, "detections of %uz bytes each",
                          answer->detection_size);
        return NGX_DECLINED;
    }

    n = 0;

    ngx_memzero(&detection, sizeof(vidcast_detection_t));

    for (i = 0; i < answer->ndetections; i++) {

        /* a copy: what is looked at is what is told, whatever threads do */

        ngx_memcpy(&detection,
                   (const u_char *) answer->detections
                   + i * answer->detection_size,
                   ngx_min(answer->detection_size,
                           sizeof(vidcast_detection_t)));

        rc = ngx_vidcast_result_value_map(&detection, fit, width, height,
                                          &found);

        if (rc == NGX_ERROR) {
            ngx_vidcast_error(error, "detection %uz is not in numbers", i);
            return NGX_DECLINED;
        }

        if (rc == NGX_DECLINED) {
            continue;
        }

        len = ngx_vidcast_result_value_detection(buf, &found) - buf;

        if ((size_t) (last - p) < len + 1 + (n > 0)) {
            return NGX_BUSY;
        }

        if (n++) {
            *p++ = ',';
        }

        p = ngx_cpymem(p, buf, len);

        rc = ngx_vidcast_result_value_keypoints(&detection, fit, &p, last - 1,
                                                error);

        if (rc != NGX_OK) {
            return rc;
        }

        *p++ = '}';
    }

    *p++ = ']';
    *p++ = '}';

    *dst = p;

    return NGX_OK;
}


/* NGX_DECLINED: nothing of it is in the frame */

static ngx_int_t
ngx_vidcast_result_value_map(const vidcast_detection_t *detection,
    const ngx_vidcast_resize_t *fit, uint32_t width, uint32_t height,
    ngx_vidcast_result_detection_t *found)
{
    double  x, y, score;

    if (!isfinite(detection->x) || !isfinite(detection->y)
        || !isfinite(detection->width) || !isfinite(detection->height)
        || !isfinite(detection->score))
    {
        return NGX_ERROR;
    }

    score = ngx_min(detection->score, 1);

    found->label = detection->label;
    found->score = (score >= 0) ? (ngx_int_t) (score * 1000 + 0.5) : -1;
    found->track = detection->track;

    x = (double) detection->x - fit->left;
    y = (double) detection->y - fit->top;

    if (ngx_vidcast_result_value_span(x * fit->scale_x,
                                     (x + detection->width) * fit->scale_x,
                                     width, &found->x, &found->width)
        && ngx_vidcast_result_value_span(y * fit->scale_y,
                                        (y + detection->height) * fit->scale_y,
                                        height, &found->y, &found->height))
    {
        return NGX_OK;
    }

    return NGX_DECLINED;
}


/* whole pixels, at least one; zero: it is outside */

static ngx_uint_t
ngx_vidcast_result_value_span(double from, double to, uint32_t limit,
    uint32_t *start, uint32_t *length)
{
    uint32_t  end;

    if (to < from || to < 0 || from >= limit) {
        return 0;
    }

    from = ngx_max(from, 0);
    to = ngx_min(to, limit);

    *start = ngx_min((uint32_t) (from + 0.5), limit - 1);
    end = (uint32_t) (to + 0.5);

    *length = (end > *start) ? end - *start : 1;

    return 1;
}


/* they are not cut, and none is left out: their order says what they are */

static ngx_int_t
ngx_vidcast_result_value_keypoints(const vidcast_detection_t *detection,
    const ngx_vidcast_resize_t *fit, u_char **dst, u_char *last, u_char *error)
{
    size_t               i, len;
    u_char              *p, buf[NGX_VIDCAST_RESULT_KEYPOINT];
    vidcast_keypoint_t   point;

    if (detection->keypoints == NULL || detection->nkeypoints == 0) {
        return NGX_OK;
    }

    if (detection->keypoint_size < sizeof(vidcast_keypoint_t)) {
        ngx_vidcast_error(error, "key points of %uz bytes each",
                          detection->keypoint_size);
        return NGX_DECLINED;
    }

    if (detection->nkeypoints > VIDCAST_KEYPOINTS_MAX) {
        ngx_vidcast_error(error, "a detection has %uz key points, %d are the "
                          "most", detection->nkeypoints,
                          VIDCAST_KEYPOINTS_MAX);
        return NGX_DECLINED;
    }

    p = *dst;

    if ((size_t) (last - p) < sizeof(",\"keypoints\":[]") - 1) {
        return NGX_BUSY;
    }

    p = ngx_cpymem(p, ",\"keypoints\":[", sizeof(",\"keypoints\":[") - 1);
    last--;

    for (i = 0; i < detection->nkeypoints; i++) {
        ngx_memcpy(&point,
                   (const u_char *) detection->keypoints
                   + i * detection->keypoint_size,
                   sizeof(vidcast_keypoint_t));

        len = ngx_vidcast_result_value_keypoint(buf, &point, fit) - buf;

        if ((size_t) (last - p) < len + (i > 0)) {
            return NGX_BUSY;
        }

        if (i) {
            *p++ = ',';
        }

        p = ngx_cpymem(p, buf, len);
    }

    *p++ = ']';

    *dst = p;

    return NGX_OK;
}


static u_char *
ngx_vidcast_result_value_keypoint(u_char *p, const vidcast_keypoint_t *point,
    const ngx_vidcast_resize_t *fit)
{
    ngx_int_t  score;

    if (!isfinite(point->x) || !isfinite(point->y) || !isfinite(point->score))
    {
        return ngx_cpymem(p, "null", sizeof("null") - 1);
    }

    p = ngx_sprintf(p, "[%i,%i",
                    ngx_vidcast_result_value_whole(
                        ((double) point->x - fit->left) * fit->scale_x),
                    ngx_vidcast_result_value_whole(
                        ((double) point->y - fit->top) * fit->scale_y));

    if (point->score >= 0) {
        score = (ngx_int_t) (ngx_min((double) point->score, 1) * 1000 + 0.5);
        p = ngx_sprintf(p, ",%i.%03i", score / 1000, score % 1000);
    }

    *p++ = ']';

    return p;
}


static ngx_int_t
ngx_vidcast_result_value_whole(double value)
{
    value = ngx_min(value, NGX_VIDCAST_RESULT_FAR);
    value = ngx_max(value, -NGX_VIDCAST_RESULT_FAR);

    return (ngx_int_t) floor(value + 0.5);
}


/*
 * Adding a member of detections: these files.  Results are texts of programs,
 * too, so that a member is there, or not, or is anything.
 *
 *     src/vidcast_plugin.h
 *         its member of vidcast_detection_t, at the end: one of an older plugin
 *         ends before it, see detection_size; and what stands for none
 *     src/wire/ngx_vidcast_result_value.h
 *         the same as it is printed, and RESULT_DETECTION, the room for it
 *     src/wire/ngx_vidcast_result_value.c
 *         result_value_map() and result_value_detection(), below
 *     src/predict/ngx_vidcast_predict.c
 *         predict_emits() compares texts: what changes with each frame makes
 *         each result a change
 *     src/predict/motion/ngx_vidcast_predict_motion.c
 *         predict_motion_detection()
 *     src/plugins/onnx/vidcast_onnx.c
 *         where a box becomes a detection
 *     src/core/ngx_vidcast_detections.h
 *     src/wire/ngx_vidcast_detections_reader.c
 *     src/media/ngx_vidcast_annotate.c
 *         what the overlay draws of it
 *     conf/html/wire.js, conf/html/stage.js, conf/html/app.js,
 *     conf/html/log.js
 *         what the page shows of it
 *     conf/predictors/brightness.c, conf/predictors/vidcast.py
 *         the samples
 *     docs/wire-protocol.md, docs/predictors/c-plugin.md, CHANGES
 *         what it means, to clients and to plugins
 *     t/unit/unit_motion.h
 *         reads what "motion" prints, byte for byte
 *     t/unit/wire/test_result_value.c, t/fuzz/fuzz_answer.c
 *         it, and what is no such value
 *     t/unit/wire/test_detections_reader.c, t/unit/media/test_annotate.c
 *         how it is read and drawn
 *     t/predict-plugin.t, t/predict-onnx.t, t/motion.t, t/browser/messages.t
 *         it, from each predictor, and on the page
 */

u_char *
ngx_vidcast_result_value_detection(u_char *p,
    const ngx_vidcast_result_detection_t *found)
{
    *p++ = '{';

    if (found->label) {
        p = ngx_cpymem(p, "\"label\":\"", sizeof("\"label\":\"") - 1);
        p = ngx_vidcast_result_value_label(p, found->label);
        p = ngx_cpymem(p, "\",", 2);
    }

    if (found->score >= 0) {
        p = ngx_sprintf(p, "\"score\":%i.%03i,", found->score / 1000,
                        found->score % 1000);
    }

    p = ngx_sprintf(p, "\"bbox\":[%uD,%uD,%uD,%uD]", found->x, found->y,
                    found->width, found->height);

    if (found->track >= 0) {
        p = ngx_sprintf(p, ",\"track_id\":%L", found->track);
    }

    return p;
}


/* cut to its limit */

static u_char *
ngx_vidcast_result_value_label(u_char *p, const char *label)
{
    return ngx_vidcast_json(p, (u_char *) label,
                            strnlen(label, NGX_VIDCAST_RESULT_LABEL));
}
