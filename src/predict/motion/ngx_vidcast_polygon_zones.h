
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_POLYGON_ZONES_H_INCLUDED_
#define _NGX_VIDCAST_POLYGON_ZONES_H_INCLUDED_


#include "core/ngx_vidcast.h"


/* named parts of a picture; coordinates are millionths of its size */


#define NGX_VIDCAST_POLYGONS_MAX    32
#define NGX_VIDCAST_POLYGONS_NAME   32
#define NGX_VIDCAST_POLYGON_POINTS  32
#define NGX_VIDCAST_POLYGONS_UNIT   1000000


typedef struct {
    ngx_str_t                    name;
    ngx_uint_t                   npoints;
    int64_t                      x[NGX_VIDCAST_POLYGON_POINTS];
    int64_t                      y[NGX_VIDCAST_POLYGON_POINTS];
} ngx_vidcast_polygon_t;


typedef struct {
    ngx_uint_t                   n;
    ngx_vidcast_polygon_t        polygons[NGX_VIDCAST_POLYGONS_MAX];
} ngx_vidcast_polygon_zones_t;


/*
 * Adds "NAME:x1,y1,x2,y2,x3,y3...", ratios from 0 to 1 of at most 6 digits
 * behind the point; the name stays where it is.  NGX_OK; NGX_ERROR: no
 * polygon, no area, a name which is there, or too many.
 */
ngx_int_t ngx_vidcast_polygon_zones_add(ngx_vidcast_polygon_zones_t *polygons,
    ngx_str_t *text);

/* "[{"name":...,"points":[[x,y],...]},...]"; NGX_ERROR: no memory */
ngx_int_t ngx_vidcast_polygon_zones_print(ngx_vidcast_polygon_zones_t *polygons,
    ngx_pool_t *pool, ngx_str_t *json);

/* those which a point is in, a bit each, by the even-odd rule */
uint32_t ngx_vidcast_polygon_zones_at(ngx_vidcast_polygon_zones_t *polygons,
    int64_t x, int64_t y);


#endif /* _NGX_VIDCAST_POLYGON_ZONES_H_INCLUDED_ */
