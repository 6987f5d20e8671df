
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_DETECTIONS_H_INCLUDED_
#define _NGX_VIDCAST_DETECTIONS_H_INCLUDED_


#include "core/ngx_vidcast.h"


/* what a result says that can be drawn */


#define NGX_VIDCAST_DETECTIONS_MAX   64
#define NGX_VIDCAST_DETECTIONS_TEXT  48

#define NGX_VIDCAST_KEYPOINTS_MAX    2048   /* of all detections */


typedef struct {
    double                   x;
    double                   y;
} ngx_vidcast_keypoint_t;


typedef struct {
    double                   x;            /* of width and height below */
    double                   y;
    double                   width;
    double                   height;
    ngx_uint_t               color;        /* the same for equal labels */
    ngx_uint_t               first;        /* of its points */
    ngx_uint_t               npoints;
    size_t                   len;
    u_char                   text[NGX_VIDCAST_DETECTIONS_TEXT];  /* ASCII */
} ngx_vidcast_detection_t;


typedef struct {
    uint32_t                 width;        /* what boxes are told in; or 0 */
    uint32_t                 height;
    ngx_uint_t               n;
    ngx_uint_t               npoints;
    ngx_vidcast_detection_t  list[NGX_VIDCAST_DETECTIONS_MAX];
    ngx_vidcast_keypoint_t   points[NGX_VIDCAST_KEYPOINTS_MAX];
} ngx_vidcast_detections_t;


#endif /* _NGX_VIDCAST_DETECTIONS_H_INCLUDED_ */
