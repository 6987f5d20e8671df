
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast_string.h"
#include "predict/motion/ngx_vidcast_polygon_zones.h"


static ngx_int_t ngx_vidcast_polygon_zones_name(
    ngx_vidcast_polygon_zones_t *polygons, ngx_str_t *name);
static ngx_int_t ngx_vidcast_polygon_zones_points(
    ngx_vidcast_polygon_t *polygon, ngx_str_t *points);
static ngx_uint_t ngx_vidcast_polygon_zones_flat(
    ngx_vidcast_polygon_t *polygon);
static ngx_uint_t ngx_vidcast_polygon_zones_inside(
    ngx_vidcast_polygon_t *polygon, int64_t x, int64_t y);


ngx_int_t
ngx_vidcast_polygon_zones_add(ngx_vidcast_polygon_zones_t *polygons,
    ngx_str_t *text)
{
    u_char                 *p, *last;
    ngx_str_t               points;
    ngx_vidcast_polygon_t  *polygon;

    if (polygons->n == NGX_VIDCAST_POLYGONS_MAX) {
        return NGX_ERROR;
    }

    last = text->data + text->len;

    p = ngx_strlchr(text->data, last, ':');

    if (p == NULL) {
        return NGX_ERROR;
    }

    polygon = &polygons->polygons[polygons->n];

    polygon->name.data = text->data;
    polygon->name.len = p - text->data;

    points.data = p + 1;
    points.len = last - points.data;

    if (ngx_vidcast_polygon_zones_name(polygons, &polygon->name) != NGX_OK
        || ngx_vidcast_polygon_zones_points(polygon, &points) != NGX_OK
        || ngx_vidcast_polygon_zones_flat(polygon))
    {
        return NGX_ERROR;
    }

    polygons->n++;

    return NGX_OK;
}


/* it goes into JSON just as it is */

static ngx_int_t
ngx_vidcast_polygon_zones_name(ngx_vidcast_polygon_zones_t *polygons,
    ngx_str_t *name)
{
    ngx_uint_t  i;

    if (!ngx_vidcast_is_name(name, NGX_VIDCAST_POLYGONS_NAME)) {
        return NGX_ERROR;
    }

    for (i = 0; i < polygons->n; i++) {
        if (ngx_vidcast_equal(&polygons->polygons[i].name, name)) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_polygon_zones_points(ngx_vidcast_polygon_t *polygon,
    ngx_str_t *points)
{
    ngx_int_t   value;
    ngx_str_t   item;
    ngx_uint_t  n, more;

    n = 0;

    do {
        if (n == 2 * NGX_VIDCAST_POLYGON_POINTS) {
            return NGX_ERROR;
        }

        more = ngx_vidcast_list_next(points, &item, 0);

        value = ngx_atofp(item.data, item.len, 6);

        if (value == NGX_ERROR || value > NGX_VIDCAST_POLYGONS_UNIT) {
            return NGX_ERROR;
        }

        if (n % 2 == 0) {
            polygon->x[n / 2] = value;

        } else {
            polygon->y[n / 2] = value;
        }

        n++;

    } while (more);

    polygon->npoints = n / 2;

    return (n % 2 == 0 && n >= 6) ? NGX_OK : NGX_ERROR;
}


/* all points on one line */

static ngx_uint_t
ngx_vidcast_polygon_zones_flat(ngx_vidcast_polygon_t *polygon)
{
    int64_t     *x, *y;
    ngx_uint_t   i, j;

    x = polygon->x;
    y = polygon->y;

    for (i = 1; i < polygon->npoints; i++) {
        for (j = i + 1; j < polygon->npoints; j++) {

            if ((x[i] - x[0]) * (y[j] - y[0]) != (x[j] - x[0]) * (y[i] - y[0]))
            {
                return 0;
            }
        }
    }

    return 1;
}


ngx_int_t
ngx_vidcast_polygon_zones_print(ngx_vidcast_polygon_zones_t *polygons,
    ngx_pool_t *pool, ngx_str_t *json)
{
    size_t                  size;
    u_char                 *p;
    ngx_uint_t              i, j;
    ngx_vidcast_polygon_t  *polygon;

    size = sizeof("[]");

    for (i = 0; i < polygons->n; i++) {
        polygon = &polygons->polygons[i];

        size += sizeof(",{\"name\":\"\",\"points\":[]}") + polygon->name.len
                + polygon->npoints * sizeof(",[0.000000,0.000000]");
    }

    json->data = ngx_pnalloc(pool, size);
    if (json->data == NULL) {
        return NGX_ERROR;
    }

    p = json->data;
    *p++ = '[';

    for (i = 0; i < polygons->n; i++) {
        polygon = &polygons->polygons[i];

        p = ngx_sprintf(p, "%s{\"name\":\"%V\",\"points\":[", i ? "," : "",
                        &polygon->name);

        for (j = 0; j < polygon->npoints; j++) {
            p = ngx_sprintf(p, "%s[%L.%06L,%L.%06L]", j ? "," : "",
                            polygon->x[j] / NGX_VIDCAST_POLYGONS_UNIT,
                            polygon->x[j] % NGX_VIDCAST_POLYGONS_UNIT,
                            polygon->y[j] / NGX_VIDCAST_POLYGONS_UNIT,
                            polygon->y[j] % NGX_VIDCAST_POLYGONS_UNIT);
        }

        p = ngx_cpymem(p, "]}", 2);
    }

    *p++ = ']';

    json->len = p - json->data;

    return NGX_OK;
}


uint32_t
ngx_vidcast_polygon_zones_at(ngx_vidcast_polygon_zones_t *polygons, int64_t x,
    int64_t y)
{
    uint32_t    bits;
    ngx_uint_t  i;

    bits = 0;

    for (i = 0; i < polygons->n; i++) {
        if (ngx_vidcast_polygon_zones_inside(&polygons->polygons[i], x, y)) {
            bits |= (uint32_t) 1 << i;
        }
    }

    return bits;
}


/*
 * Counts the sides that a ray to the right crosses: M. Shimrat, "Algorithm
 * 112: Position of point relative to polygon", CACM 5 (1962).
 */

static ngx_uint_t
ngx_vidcast_polygon_zones_inside(ngx_vidcast_polygon_t *polygon, int64_t x,
    int64_t y)
{
    int64_t     dx, dy, left, right;
    ngx_uint_t  i, j, inside;

    inside = 0;
    j = polygon->npoints - 1;

    for (i = 0; i < polygon->npoints; j = i++) {

        if ((polygon->y[i] > y) == (polygon->y[j] > y)) {
            continue;
        }

        dx = polygon->x[j] - polygon->x[i];
        dy = polygon->y[j] - polygon->y[i];

        left = (x - polygon->x[i]) * dy;
        right = dx * (y - polygon->y[i]);

        inside ^= (dy > 0) ? left < right : left > right;
    }

    return inside;
}
