
/*
 * Copyright (C) vidcast contributors
 */


/*
 * A size or a rate that a user types is parsed for all inputs and predictors
 * here: one that is taken wrongly would be found in front of a camera only.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast_parse.h"
#include "vidcast_plugin.h"
#include "unit.h"
#include "unit_ngx.h"


static void test_size(void);
static void test_sides(void);
static void test_fit(void);
static void test_fps(void);


int
main(void)
{
    test_size();
    test_sides();
    test_fit();
    test_fps();

    return unit_done();
}


static void
test_size(void)
{
    uint32_t    w, h;
    ngx_str_t   value;
    ngx_int_t   rc;
    ngx_uint_t  i;

    static const struct {
        const char  *text;
        uint32_t     width;
        uint32_t     height;
    } sizes[] = {
        { "640x480",        640, 480 },
        { "1x1",            1, 1 },
        { "16384x16384",    16384, 16384 },
        { "0640x0480",      640, 480 },
        { "16385x1",        0, 0 },
        { "1x16385",        0, 0 },
        { "0x480",          0, 0 },
        { "640x0",          0, 0 },
        { "",               0, 0 },
        { "x",              0, 0 },
        { "640",            0, 0 },
        { "640x",           0, 0 },
        { "x480",           0, 0 },
        { "640X480",        0, 0 },
        { "640x480x3",      0, 0 },
        { "640x480 ",       0, 0 },
        { " 640x480",       0, 0 },
        { "-640x480",       0, 0 },
        { "640*480",        0, 0 },
        { "6 40x480",       0, 0 },
        { "4294967936x480", 0, 0 },
        { "99999999999999999999x1", 0, 0 }
    };

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        w = 7;
        h = 9;

        value.data = (u_char *) sizes[i].text;
        value.len = strlen(sizes[i].text);

        rc = ngx_vidcast_parse_size(&value, &w, &h);

        if (sizes[i].width) {
            unit_ok(rc == NGX_OK && w == sizes[i].width
                    && h == sizes[i].height, "size \"%s\"", sizes[i].text);

        } else {
            unit_ok(rc == NGX_ERROR && w == 7 && h == 9,
                    "no size: \"%s\"", sizes[i].text);
        }
    }

    value.data = (u_char *) "640x4801";
    value.len = 7;

    unit_ok(ngx_vidcast_parse_size(&value, &w, &h) == NGX_OK
            && h == 480, "nothing behind the length is read");
}


/* one side may be left out */

static void
test_sides(void)
{
    uint32_t    w, h;
    ngx_str_t   value;
    ngx_int_t   rc;
    ngx_uint_t  i;

    static const struct {
        const char  *text;
        uint32_t     width;
        uint32_t     height;
    } sides[] = {
        { "640x480",  640, 480 },
        { "640x",     640, 0 },
        { "x480",     0, 480 },
        { "x",        0, 0 },
        { "",         0, 0 },
        { "640",      0, 0 },
        { "640x0",    0, 0 },
        { "0x",       0, 0 },
        { "x16385",   0, 0 },
        { "640x480x", 0, 0 },
        { "640x-1",   0, 0 },
        { "x 480",    0, 0 }
    };

    for (i = 0; i < sizeof(sides) / sizeof(sides[0]); i++) {
        w = 7;
        h = 9;

        value.data = (u_char *) sides[i].text;
        value.len = strlen(sides[i].text);

        rc = ngx_vidcast_parse_sides(&value, &w, &h);

        if (sides[i].width || sides[i].height) {
            unit_ok(rc == NGX_OK && w == sides[i].width
                    && h == sides[i].height, "sides \"%s\"", sides[i].text);

        } else {
            unit_ok(rc == NGX_ERROR && w == 7 && h == 9,
                    "no sides: \"%s\"", sides[i].text);
        }
    }

    value.data = (u_char *) "640x4";
    value.len = 4;

    unit_ok(ngx_vidcast_parse_sides(&value, &w, &h) == NGX_OK
            && w == 640 && h == 0, "nothing behind the length is read");
}


static void
test_fit(void)
{
    uint32_t    fit;
    ngx_str_t   value;
    ngx_int_t   rc;
    ngx_uint_t  i;

    static const struct {
        const char  *text;
        uint32_t     fit;
    } fits[] = {
        { "within",    VIDCAST_FIT_WITHIN },
        { "stretch",   VIDCAST_FIT_STRETCH },
        { "letterbox", VIDCAST_FIT_LETTERBOX },
        { "any",       VIDCAST_FIT_ANY },
        { "Within",    VIDCAST_FIT_ANY },
        { "",          VIDCAST_FIT_ANY }
    };

    for (i = 0; i < sizeof(fits) / sizeof(fits[0]); i++) {
        fit = VIDCAST_FIT_ANY;

        value.data = (u_char *) fits[i].text;
        value.len = strlen(fits[i].text);

        rc = ngx_vidcast_parse_fit(&value, &fit);

        unit_ok(fit == fits[i].fit
                && rc == (fit == VIDCAST_FIT_ANY ? NGX_ERROR : NGX_OK),
                "fit \"%s\"", fits[i].text);
    }
}


static void
test_fps(void)
{
    double      fps;
    ngx_str_t   value;
    ngx_int_t   rc;
    ngx_uint_t  i;

    static const struct {
        const char  *text;
        double       fps;
    } rates[] = {
        { "30",          30 },
        { "29.97",       29.97 },
        { "30000/1001",  30000.0 / 1001 },
        { "1000",        1000 },
        { "1",           1 },
        { "0.5",         0.5 },
        { "1/2",         0.5 },
        { "0.001",       0.001 },
        { "59.940060",   59.94006 },
        { "1001",        0 },
        { "1000.001",    0 },
        { "2001/2",      0 },
        { "0",           0 },
        { "0.0",         0 },
        { "0.0001",      0 },
        { "1/0",         0 },
        { "",            0 },
        { ".5",          0 },
        { "5.",          0 },
        { "30/",         0 },
        { "/30",         0 },
        { "30fps",       0 },
        { "-30",         0 },
        { "+30",         0 },
        { "3e1",         0 },
        { "0x1e",        0 },
        { "inf",         0 },
        { "nan",         0 },
        { "30,5",        0 },
        { "30/1001/2",   0 },
        { "1.5.5",       0 },
        { "99999999999999999999", 0 },
        { "1/99999999999999999999", 0 }
    };

    for (i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        fps = -1;

        value.data = (u_char *) rates[i].text;
        value.len = strlen(rates[i].text);

        rc = ngx_vidcast_parse_fps(&value, &fps);

        if (rates[i].fps) {
            unit_ok(rc == NGX_OK && fps > rates[i].fps * 0.999999999
                    && fps < rates[i].fps * 1.000000001,
                    "rate \"%s\"", rates[i].text);

        } else {
            unit_ok(rc == NGX_ERROR && fps == -1, "no rate: \"%s\"",
                    rates[i].text);
        }
    }
}
