
/*
 * Copyright (C) vidcast contributors
 */


/*
 * A zone is drawn by people, and written down wrong, and alarms depend on
 * which side of its border something is: each answer is compared to that of
 * another method, which adds up angles.
 */

#include "predict/motion/ngx_vidcast_polygon_zones.c"

#include <math.h>

#include "unit.h"


static ngx_vidcast_polygon_zones_t  polygons;


static ngx_int_t
add(const char *text)
{
    ngx_str_t  str;

    str.data = (u_char *) text;
    str.len = strlen(text);

    return ngx_vidcast_polygon_zones_add(&polygons, &str);
}


static void
good(const char *text, ngx_uint_t n)
{
    ngx_memzero(&polygons, sizeof(ngx_vidcast_polygon_zones_t));

    unit_ok(add(text) == NGX_OK && polygons.n == 1
            && polygons.polygons[0].npoints == n,
            "\"%s\" has %d points", text, (int) n);
}


static void
bad(const char *text)
{
    ngx_memzero(&polygons, sizeof(ngx_vidcast_polygon_zones_t));

    unit_ok(add(text) == NGX_ERROR && polygons.n == 0, "\"%s\" is none", text);
}


static void
test_text(void)
{
    char        many[1024], names[NGX_VIDCAST_POLYGONS_MAX][32], *p;
    ngx_uint_t  i;

    good("door:0,0,1,0,1,1", 3);
    good("d:0.1,0.1,0.9,0.1,0.9,0.9,0.1,0.9", 4);
    good("A-z_0.9:.5,0,1,.5,0.123456,1", 3);

    bad("");
    bad("door");
    bad("door:");
    bad(":0,0,1,0,1,1");
    bad("door:0,0,1,0");
    bad("door:0,0,1,0,1");
    bad("door:0,0,1,0,1,1,");
    bad("door:0,0,1,0,1,,1");
    bad("door:0,0,1,0,1,1.1");
    bad("door:0,0,1,0,1,-1");
    bad("door:0,0,1,0,1,x");
    bad("door:0,0,1,0,1,1e0");
    bad("door:0,0,1,0,1,0.1234567");
    bad("door:0 0 1 0 1 1");
    bad("do\"or:0,0,1,0,1,1");
    bad("do or:0,0,1,0,1,1");
    bad("d\xc3\xb6r:0,0,1,0,1,1");
    bad("abcdefghijklmnopqrstuvwxyz0123456:0,0,1,0,1,1");

    bad("flat:0,0,0.5,0.5,1,1");
    bad("flat:0.5,0.5,0.5,0.5,0.5,0.5");

    p = many + sprintf(many, "many:0,0,1,0");

    for (i = 2; i < NGX_VIDCAST_POLYGON_POINTS; i++) {
        p += sprintf(p, ",0.%02d,1", (int) i);
    }

    good(many, NGX_VIDCAST_POLYGON_POINTS);

    strcpy(p, ",0,1");
    bad(many);

    ngx_memzero(&polygons, sizeof(ngx_vidcast_polygon_zones_t));

    for (i = 0; i < NGX_VIDCAST_POLYGONS_MAX; i++) {
        sprintf(names[i], "zone%d:0,0,1,0,1,1", (int) i);

        if (add(names[i]) != NGX_OK) {
            break;
        }
    }

    unit_ok(i == NGX_VIDCAST_POLYGONS_MAX, "there may be %d", (int) i);
    unit_ok(add("more:0,0,1,0,1,1") == NGX_ERROR, "and no more");

    ngx_memzero(&polygons, sizeof(ngx_vidcast_polygon_zones_t));

    unit_ok(add("a:0,0,1,0,1,1") == NGX_OK
            && add("ab:0,0,1,0,1,1") == NGX_OK
            && add("a:0,0,1,0,0,1") == NGX_ERROR && polygons.n == 2,
            "each name is there once");
}


/* how often the border goes around the point, odd: it is inside */

static ngx_uint_t
winds(ngx_vidcast_polygon_t *polygon, int64_t x, int64_t y)
{
    double      sum, d, angle, before;
    ngx_uint_t  i, n;

    n = polygon->npoints;
    sum = 0;

    before = atan2(polygon->y[n - 1] - y, polygon->x[n - 1] - x);

    for (i = 0; i < n; i++) {
        angle = atan2(polygon->y[i] - y, polygon->x[i] - x);

        d = angle - before;
        d -= 2 * M_PI * floor(d / (2 * M_PI) + 0.5);
        sum += d;

        before = angle;
    }

    return (long) floor(fabs(sum) / (2 * M_PI) + 0.5) & 1;
}


static void
test_inside(const char *text)
{
    int64_t                 x, y;
    ngx_uint_t              i, wrong, inside;
    ngx_vidcast_polygon_t  *polygon;

    ngx_memzero(&polygons, sizeof(ngx_vidcast_polygon_zones_t));

    (void) add(text);
    polygon = &polygons.polygons[0];

    wrong = inside = 0;

    for (i = 0; i < 20000; i++) {
        x = 1 + random() % (NGX_VIDCAST_POLYGONS_UNIT - 1);
        y = 1 + random() % (NGX_VIDCAST_POLYGONS_UNIT - 1);

        inside += winds(polygon, x, y);
        wrong += (winds(polygon, x, y)
                  != ngx_vidcast_polygon_zones_at(&polygons, x, y));
    }

    unit_ok(inside > 200 && wrong == 0, "%d of %d points are in \"%s\"",
            (int) inside, (int) i, text);
}


static void
test_borders(void)
{
    int64_t     x, y;
    uint32_t    bits;
    ngx_uint_t  i, wrong;

    /* what is parted without a gap is in exactly one of the parts */

    ngx_memzero(&polygons, sizeof(ngx_vidcast_polygon_zones_t));

    (void) add("left:0,0,0.5,0,0.3,1,0,1");
    (void) add("right:0.5,0,1,0,1,1,0.3,1");

    wrong = 0;

    for (i = 0; i < 10000; i++) {
        x = random() % NGX_VIDCAST_POLYGONS_UNIT;
        y = random() % NGX_VIDCAST_POLYGONS_UNIT;

        if (i % 2) {

            /* on the border itself */

            y = i * 100;
            x = 500000 - y / 5;
        }

        bits = ngx_vidcast_polygon_zones_at(&polygons, x, y);
        wrong += (bits != 1 && bits != 2);
    }

    unit_ok(wrong == 0, "no point is between two zones, or in both");
}


static void
test_print(void)
{
    ngx_str_t    json;
    ngx_pool_t  *pool;

    static const char  expected[] =
        "[{\"name\":\"a\",\"points\":[[0.000000,0.500000],"
        "[1.000000,0.000000],[0.123456,1.000000]]},"
        "{\"name\":\"b\",\"points\":[[0.000000,0.000000],"
        "[0.000001,0.000000],[0.000000,1.000000]]}]";

    pool = ngx_create_pool(4096, ngx_cycle->log);

    ngx_memzero(&polygons, sizeof(ngx_vidcast_polygon_zones_t));

    ngx_str_null(&json);

    (void) add("a:0,.5,1,0,0.123456,1");
    (void) add("b:0,0,0.000001,0,0,1");

    unit_ok(ngx_vidcast_polygon_zones_print(&polygons, pool, &json) == NGX_OK
            && json.len == sizeof(expected) - 1
            && ngx_memcmp(json.data, expected, json.len) == 0,
            "as JSON: %s", expected);

    ngx_destroy_pool(pool);
}


int
main(void)
{
    srandom(3);

    test_print();

    test_text();

    test_inside("square:0.25,0.25,0.75,0.25,0.75,0.75,0.25,0.75");
    test_inside("triangle:0,1,0.5,0,1,1");
    test_inside("notch:0,0,1,0,1,1,0.5,0.2,0,1");
    test_inside("star:0.5,0,0.8,1,0,0.4,1,0.4,0.2,1");
    test_inside("sliver:0,0,1,0.02,1,0.05,0,0.03");

    test_borders();

    return unit_done();
}
