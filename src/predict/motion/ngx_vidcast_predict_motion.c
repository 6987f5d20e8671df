
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <math.h>

#include "core/ngx_vidcast_error.h"
#include "core/ngx_vidcast_string.h"
#include "predict/ngx_vidcast_predict.h"
#include "predict/motion/ngx_vidcast_blobs.h"
#include "predict/motion/ngx_vidcast_polygon_zones.h"
#include "predict/motion/ngx_vidcast_tracker.h"
#include "wire/ngx_vidcast_result_value.h"


/* what moves before a background that is learned; the answer as JSON */


#define NGX_VIDCAST_PREDICT_MOTION_WIDTH  320
#define NGX_VIDCAST_PREDICT_MOTION_HOLD   3       /* pictures */


typedef struct {
    ngx_uint_t                   threshold;  /* gray levels */
    ngx_uint_t                   area;       /* millionths of the picture */
    ngx_uint_t                   outside;    /* of all zones: reported */
    ngx_vidcast_polygon_zones_t  zones;
    ngx_pool_t                  *pool;       /* of the configuration */
} ngx_vidcast_predict_motion_params_t;


/* of a track: the zones it is in, and those it may be in */

typedef struct {
    uint64_t                   id;
    uint32_t                   zones;
    uint32_t                   next;
    ngx_uint_t                 pictures;     /* with "next" */
    ngx_uint_t                 score;        /* when it was seen last */
} ngx_vidcast_predict_motion_place_t;


typedef struct {
    ngx_vidcast_background_model_t      *background;
    ngx_vidcast_tracker_t                tracks;

    /* by place of the track */

    ngx_vidcast_predict_motion_place_t   places[NGX_VIDCAST_TRACKS_MAX];
} ngx_vidcast_predict_motion_t;


static void *ngx_vidcast_predict_motion_create_params(ngx_pool_t *pool);
static ngx_int_t ngx_vidcast_predict_motion_set(
    ngx_vidcast_predict_conf_t *conf, ngx_str_t *name, ngx_str_t *value);
static uint32_t ngx_vidcast_predict_motion_want(
    ngx_vidcast_predict_conf_t *conf, uint32_t width);
static ngx_int_t ngx_vidcast_predict_motion_open(
    ngx_vidcast_predict_t *predict);
static ngx_int_t ngx_vidcast_predict_motion_predict(
    ngx_vidcast_predict_t *predict, ngx_vidcast_sample_t *sample,
    u_char *json, size_t *size);
static ngx_int_t ngx_vidcast_predict_motion_fit(
    ngx_vidcast_predict_t *predict, ngx_vidcast_image_t *image);
static void ngx_vidcast_predict_motion_track(ngx_vidcast_predict_t *predict,
    ngx_vidcast_sample_t *sample, ngx_vidcast_box_t *boxes,
    ngx_uint_t n);
static void ngx_vidcast_predict_motion_place(
    ngx_vidcast_predict_motion_place_t *place, ngx_vidcast_track_t *track,
    uint32_t zones);
static ngx_uint_t ngx_vidcast_predict_motion_list(
    ngx_vidcast_predict_t *predict, ngx_uint_t *list);
static size_t ngx_vidcast_predict_motion_print(
    ngx_vidcast_predict_t *predict, ngx_vidcast_sample_t *sample, u_char *json,
    size_t size);
static u_char *ngx_vidcast_predict_motion_detection(
    ngx_vidcast_predict_t *predict, ngx_vidcast_sample_t *sample,
    ngx_uint_t i, u_char *p, u_char *last);
static u_char *ngx_vidcast_predict_motion_zones(
    ngx_vidcast_polygon_zones_t *zones, uint32_t bits, u_char *p, u_char *last);
static uint64_t ngx_vidcast_predict_motion_mix(
    ngx_vidcast_predict_motion_place_t *place);
static void ngx_vidcast_predict_motion_forget(
    ngx_vidcast_predict_motion_t *motion);
static void ngx_vidcast_predict_motion_close(ngx_vidcast_predict_t *predict);


ngx_vidcast_predict_module_t  ngx_vidcast_predict_motion = {
    ngx_string("motion"),
    ngx_vidcast_predict_motion_create_params,
    ngx_vidcast_predict_motion_set,
    ngx_vidcast_predict_motion_want,
    ngx_vidcast_predict_motion_open,
    ngx_vidcast_predict_motion_predict,
    ngx_vidcast_predict_motion_close,
    NULL,
    NULL,
    NULL,
    NULL,
    NULL
};


static void *
ngx_vidcast_predict_motion_create_params(ngx_pool_t *pool)
{
    ngx_vidcast_predict_motion_params_t  *params;

    params = ngx_pcalloc(pool, sizeof(ngx_vidcast_predict_motion_params_t));
    if (params == NULL) {
        return NULL;
    }

    params->threshold = 14;
    params->area = 1000;
    params->outside = 1;
    params->pool = pool;

    return params;
}


static ngx_int_t
ngx_vidcast_predict_motion_set(ngx_vidcast_predict_conf_t *conf,
    ngx_str_t *name, ngx_str_t *value)
{
    ngx_vidcast_predict_motion_params_t  *params = conf->params;

    ngx_int_t  n;

    if (ngx_vidcast_is(name, "threshold")) {
        n = ngx_atoi(value->data, value->len);

        if (n < 1 || n > 255) {
            return NGX_ERROR;
        }

        params->threshold = n;

        return NGX_OK;
    }

    if (ngx_vidcast_is(name, "area")) {
        n = ngx_atofp(value->data, value->len, 6);

        if (n == NGX_ERROR || n > 1000000) {
            return NGX_ERROR;
        }

        params->area = n;

        return NGX_OK;
    }

    if (ngx_vidcast_is(name, "zone")) {

        if (ngx_vidcast_polygon_zones_add(&params->zones, value) != NGX_OK) {
            return NGX_ERROR;
        }

        return ngx_vidcast_polygon_zones_print(&params->zones, params->pool,
                                               &conf->zones);
    }

    if (ngx_vidcast_is(name, "outside")) {

        if (ngx_strcmp(value->data, "on") == 0) {
            params->outside = 1;
            return NGX_OK;
        }

        if (ngx_strcmp(value->data, "off") == 0) {
            params->outside = 0;
            return NGX_OK;
        }

        return NGX_ERROR;
    }

    return NGX_DECLINED;
}


static uint32_t
ngx_vidcast_predict_motion_want(ngx_vidcast_predict_conf_t *conf,
    uint32_t width)
{
    return ngx_min(width, NGX_VIDCAST_PREDICT_MOTION_WIDTH);
}


static ngx_int_t
ngx_vidcast_predict_motion_open(ngx_vidcast_predict_t *predict)
{
    /* the background is made when the first picture tells its size */

    predict->data = calloc(1, sizeof(ngx_vidcast_predict_motion_t));

    if (predict->data == NULL) {
        ngx_vidcast_error(predict->error, "no memory");
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_predict_motion_predict(ngx_vidcast_predict_t *predict,
    ngx_vidcast_sample_t *sample, u_char *json, size_t *size)
{
    ngx_vidcast_predict_motion_t  *motion = predict->data;

    ngx_uint_t         n;
    ngx_vidcast_box_t  boxes[NGX_VIDCAST_BOXES_MAX];

    if (sample->anew) {

        /* what was put there meanwhile has not moved, nor has the light */

        ngx_vidcast_predict_motion_forget(motion);
    }

    if (ngx_vidcast_predict_motion_fit(predict, sample->image) != NGX_OK) {
        return NGX_ERROR;
    }

    n = 0;

    if (ngx_vidcast_background_model_update(motion->background, sample->image,
                                            sample->time)
        == NGX_OK)
    {
        n = ngx_vidcast_blobs_find(motion->background, boxes);
    }

    ngx_vidcast_predict_motion_track(predict, sample, boxes, n);

    *size = ngx_vidcast_predict_motion_print(predict, sample, json, *size);

    if (*size == 0) {
        (void) ngx_slprintf(predict->error,
                            predict->error + NGX_VIDCAST_ERROR_LEN - 1,
                            "no room for a result%Z");
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_predict_motion_fit(ngx_vidcast_predict_t *predict,
    ngx_vidcast_image_t *image)
{
    ngx_vidcast_predict_motion_t  *motion = predict->data;

    uint64_t                              min;
    ngx_vidcast_background_model_t       *bg;
    ngx_vidcast_predict_motion_params_t  *params;

    bg = motion->background;

    if (bg && bg->width == image->width && bg->height == image->height) {
        return NGX_OK;
    }

    ngx_vidcast_predict_motion_forget(motion);

    params = predict->conf->params;

    min = (uint64_t) image->width * image->height * params->area / 1000000;
    min = ngx_max(min, 1);

    motion->background = ngx_vidcast_background_model_create(image->width,
                                                             image->height,
                                                             params->threshold,
                                                             min);
    if (motion->background == NULL) {
        (void) ngx_slprintf(predict->error,
                            predict->error + NGX_VIDCAST_ERROR_LEN - 1,
                            "no memory for pictures of %uDx%uD%Z",
                            image->width, image->height);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_vidcast_predict_motion_track(ngx_vidcast_predict_t *predict,
    ngx_vidcast_sample_t *sample, ngx_vidcast_box_t *boxes, ngx_uint_t n)
{
    ngx_vidcast_predict_motion_t  *motion = predict->data;

    double                                x, y;
    uint32_t                              zones;
    ngx_uint_t                            i;
    ngx_vidcast_track_t                  *track;
    ngx_vidcast_tracks_box_t              seen[NGX_VIDCAST_BOXES_MAX];
    ngx_vidcast_predict_motion_params_t  *params;

    params = predict->conf->params;

    for (i = 0; i < n; i++) {
        seen[i].low[0] = boxes[i].component.x;
        seen[i].low[1] = boxes[i].component.y;
        seen[i].high[0] = boxes[i].component.right;
        seen[i].high[1] = boxes[i].component.bottom;
    }

    ngx_vidcast_tracker_update(&motion->tracks, seen, n, sample->time);

    for (i = 0; i < NGX_VIDCAST_TRACKS_MAX; i++) {
        track = &motion->tracks.tracks[i];

        if (track->id == 0 || track->seen == NGX_VIDCAST_TRACKS_NONE) {
            continue;
        }

        /* things stand on the ground: the last pixel, in the middle */

        x = (track->box.low[0] + track->box.high[0]) / 2;
        y = track->box.high[1] - 0.5;

        zones = ngx_vidcast_polygon_zones_at(&params->zones,
                    x * NGX_VIDCAST_POLYGONS_UNIT / sample->image->width,
                    y * NGX_VIDCAST_POLYGONS_UNIT / sample->image->height);

        ngx_vidcast_predict_motion_place(&motion->places[i], track, zones);

        motion->places[i].score = boxes[track->seen].score;
    }
}


/* a border is crossed when it was so for some pictures in a row */

static void
ngx_vidcast_predict_motion_place(ngx_vidcast_predict_motion_place_t *place,
    ngx_vidcast_track_t *track, uint32_t zones)
{
    if (place->id != track->id) {
        place->id = track->id;
        place->zones = zones;
    }

    if (place->zones == zones) {
        place->pictures = 0;
        return;
    }

    if (place->pictures == 0 || place->next != zones) {
        place->next = zones;
        place->pictures = 0;
    }

    if (++place->pictures == NGX_VIDCAST_PREDICT_MOTION_HOLD) {
        place->zones = zones;
        place->pictures = 0;
    }
}


/*
 * The places of the tracks to be told of, the best ones first.  Where only
 * changes are of interest, one which comes and goes is none, and a gap in
 * another is not, either.
 */

static ngx_uint_t
ngx_vidcast_predict_motion_list(ngx_vidcast_predict_t *predict,
    ngx_uint_t *list)
{
    ngx_vidcast_predict_motion_t  *motion = predict->data;

    ngx_uint_t                            i, j, n;
    ngx_vidcast_track_t                  *track;
    ngx_vidcast_predict_motion_params_t  *params;

    params = predict->conf->params;
    n = 0;

    for (i = 0; i < NGX_VIDCAST_TRACKS_MAX; i++) {
        track = &motion->tracks.tracks[i];

        if (track->id == 0) {
            continue;
        }

        if (predict->conf->emit == NGX_VIDCAST_PREDICT_CHANGE
            ? track->pictures < NGX_VIDCAST_PREDICT_MOTION_HOLD
            : track->seen == NGX_VIDCAST_TRACKS_NONE)
        {
            continue;
        }

        if (!params->outside && motion->places[i].zones == 0) {
            continue;
        }

        for (j = n++;
             j > 0 && motion->places[list[j - 1]].score
                      < motion->places[i].score;
             j--)
        {
            list[j] = list[j - 1];
        }

        list[j] = i;
    }

    return n;
}


/* as many boxes as fit; 0: not even an empty list does */

static size_t
ngx_vidcast_predict_motion_print(ngx_vidcast_predict_t *predict,
    ngx_vidcast_sample_t *sample, u_char *json, size_t size)
{
    ngx_vidcast_predict_motion_t  *motion = predict->data;

    u_char      *p, *last, *end;
    ngx_uint_t   i, n, list[NGX_VIDCAST_TRACKS_MAX];

    if (size < sizeof("{\"detections\":[]}") - 1) {
        return 0;
    }

    predict->state = 1;

    n = ngx_vidcast_predict_motion_list(predict, list);

    last = json + size - (sizeof("]}") - 1);

    p = ngx_cpymem(json, "{\"detections\":[", sizeof("{\"detections\":[") - 1);

    for (i = 0; i < n; i++) {
        end = ngx_vidcast_predict_motion_detection(predict, sample, list[i],
                                                   p, last);
        if (end == NULL) {
            break;
        }

        predict->state += ngx_vidcast_predict_motion_mix(
                                                  &motion->places[list[i]]);

        *end++ = ',';
        p = end;
    }

    if (p[-1] == ',') {
        p--;
    }

    *p++ = ']';
    *p++ = '}';

    return p - json;
}


/* a detection and room for a comma; NULL: it does not fit */

static u_char *
ngx_vidcast_predict_motion_detection(ngx_vidcast_predict_t *predict,
    ngx_vidcast_sample_t *sample, ngx_uint_t i, u_char *p, u_char *last)
{
    ngx_vidcast_predict_motion_t  *motion = predict->data;

    size_t                                len;
    double                                low, high, size;
    u_char                                buf[NGX_VIDCAST_RESULT_DETECTION];
    uint32_t                              at[2], end[2];
    ngx_uint_t                            k;
    ngx_vidcast_track_t                  *track;
    ngx_vidcast_result_detection_t        found;
    ngx_vidcast_predict_motion_place_t   *place;
    ngx_vidcast_predict_motion_params_t  *params;

    params = predict->conf->params;
    track = &motion->tracks.tracks[i];
    place = &motion->places[i];

    for (k = 0; k < 2; k++) {
        size = k ? sample->image->height : sample->image->width;

        /* a pixel at least, and within the picture */

        low = ngx_max(ngx_min(track->box.low[k], size - 1), 0);
        high = ngx_max(ngx_min(track->box.high[k], size), low + 1);

        size = (k ? sample->height : sample->width) / size;

        at[k] = floor(low * size);
        end[k] = ceil(high * size);
    }

    found.label = "motion";
    found.score = place->score * 10;
    found.track = track->id;
    found.x = at[0];
    found.y = at[1];
    found.width = end[0] - at[0];
    found.height = end[1] - at[1];

    len = ngx_vidcast_result_value_detection(buf, &found) - buf;

    if ((size_t) (last - p) < len) {
        return NULL;
    }

    p = ngx_cpymem(p, buf, len);

    if (params->zones.n) {
        p = ngx_vidcast_predict_motion_zones(&params->zones, place->zones, p,
                                             last);
    }

    p = ngx_slprintf(p, last, "}");

    return (p < last) ? p : NULL;
}


static u_char *
ngx_vidcast_predict_motion_zones(ngx_vidcast_polygon_zones_t *zones,
    uint32_t bits, u_char *p, u_char *last)
{
    ngx_uint_t  i, n;

    p = ngx_slprintf(p, last, ",\"zones\":[");
    n = 0;

    for (i = 0; i < zones->n; i++) {
        if (bits & ((uint32_t) 1 << i)) {
            p = ngx_slprintf(p, last, "%s\"%V\"", n++ ? "," : "",
                             &zones->polygons[i].name);
        }
    }

    return ngx_slprintf(p, last, "]");
}


/* numbers so far from each other that a sum tells what is in it */

static uint64_t
ngx_vidcast_predict_motion_mix(ngx_vidcast_predict_motion_place_t *place)
{
    uint64_t  n;

    n = place->id << 32 ^ place->id >> 32 ^ place->zones;

    n = (n ^ n >> 32) * 0xd6e8feb86659fd93;
    n = (n ^ n >> 32) * 0xd6e8feb86659fd93;

    return n ^ n >> 32;
}


static void
ngx_vidcast_predict_motion_forget(ngx_vidcast_predict_motion_t *motion)
{
    if (motion->background) {
        ngx_vidcast_background_model_destroy(motion->background);
        motion->background = NULL;
    }

    ngx_vidcast_tracker_forget(&motion->tracks);
}


static void
ngx_vidcast_predict_motion_close(ngx_vidcast_predict_t *predict)
{
    ngx_vidcast_predict_motion_forget(predict->data);

    free(predict->data);
}
