
/*
 * Copyright (C) vidcast contributors
 */


/*
 * Results of any predictor, or publisher, which the overlay looks into: what
 * becomes of them is within its bounds, and its text is one that the font has.
 */

#include "wire/ngx_vidcast_detections_reader.c"
#include "fuzz.h"

#include <math.h>


static void fuzz_detection(ngx_vidcast_detection_t *found);
static void fuzz_points(ngx_vidcast_detections_t *detections);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char                    *json;
    ngx_uint_t                 i;
    ngx_vidcast_detections_t  *detections;

    json = fuzz_copy(data, size);

    /* on the heap, where the sanitizers see its end */

    detections = malloc(sizeof(ngx_vidcast_detections_t));
    fuzz_check(detections != NULL);

    memset(detections, 0x5a, sizeof(ngx_vidcast_detections_t));

    ngx_vidcast_detections_read(json, size, detections);

    fuzz_check(detections->n <= NGX_VIDCAST_DETECTIONS_MAX);
    fuzz_check(detections->width <= NGX_VIDCAST_MAX_DIMENSION);
    fuzz_check(detections->height <= NGX_VIDCAST_MAX_DIMENSION);

    for (i = 0; i < detections->n; i++) {
        fuzz_detection(&detections->list[i]);
    }

    fuzz_points(detections);

    free(detections);
    free(json);

    return 0;
}


static void
fuzz_detection(ngx_vidcast_detection_t *found)
{
    size_t  i;

    fuzz_check(isfinite(found->x) && isfinite(found->y));
    fuzz_check(isfinite(found->width) && found->width >= 0);
    fuzz_check(isfinite(found->height) && found->height >= 0);
    fuzz_check(found->len <= NGX_VIDCAST_DETECTIONS_TEXT);

    for (i = 0; i < found->len; i++) {
        fuzz_check(found->text[i] >= 0x20 && found->text[i] < 0x7f);
    }
}


/* one detection's after the other's */

static void
fuzz_points(ngx_vidcast_detections_t *detections)
{
    ngx_uint_t  i, n;

    n = 0;

    for (i = 0; i < detections->n; i++) {
        fuzz_check(detections->list[i].first == n);
        n += detections->list[i].npoints;
    }

    fuzz_check(n == detections->npoints && n <= NGX_VIDCAST_KEYPOINTS_MAX);

    for (i = 0; i < n; i++) {
        fuzz_check(isfinite(detections->points[i].x));
        fuzz_check(isfinite(detections->points[i].y));
    }
}
