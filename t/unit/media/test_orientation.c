
/*
 * Copyright (C) vidcast contributors
 */


/*
 * Phones lay their pictures down and say so in EXIF: browsers stood them up,
 * and the boxes of predictors stayed as the picture lay.  All eight ways to
 * lie, of each format; and EXIF of any length, of which nothing is believed.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "unit.h"
#include "unit_ngx.h"

#include "unit_image.h"


#define TEST_WIDTH   5
#define TEST_HEIGHT  3
#define TEST_SIDE    8
#define TEST_EXIF    64


static void test_turn(void);
static void test_join(void);
static void test_exif(void);
static void test_hostile(void);
static ngx_uint_t test_picture(uint32_t format, ngx_uint_t orientation);
static ngx_uint_t test_pixel(ngx_uint_t orientation, uint32_t x, uint32_t y,
    uint32_t width, uint32_t height);
static size_t test_make(u_char *p, ngx_uint_t big, ngx_uint_t type,
    ngx_uint_t value);
static u_char *test_number(u_char *p, ngx_uint_t big, uint32_t value,
    ngx_uint_t bytes);


int
main(void)
{
    test_turn();
    test_join();
    test_exif();
    test_hostile();

    return unit_done();
}


static void
test_turn(void)
{
    ngx_uint_t  i, wrong;

    for (i = 1; i <= 8; i++) {
        wrong = test_picture(VIDCAST_GRAY8, i) + test_picture(VIDCAST_I420, i)
                + test_picture(VIDCAST_RGB24, i)
                + test_picture(VIDCAST_BGR24, i);

        unit_ok(wrong == 0, "turn: what lies as %d stands upright, of four "
                "formats", (int) i);
    }
}


/* one after the other is the same as both at once */

static void
test_join(void)
{
    u_char           lying[TEST_SIDE * TEST_SIDE], half[sizeof(lying)];
    u_char           twice[sizeof(lying)], once[sizeof(lying)];
    ngx_uint_t       i, j, wrong;
    vidcast_image_t  image[4];

    for (i = 0; i < sizeof(lying); i++) {
        lying[i] = i;
    }

    ngx_memzero(image, sizeof(image));

    image[0].format = VIDCAST_GRAY8;
    image[0].width = TEST_WIDTH;
    image[0].height = TEST_HEIGHT;
    image[0].plane[0] = lying;
    image[1].plane[0] = half;
    image[2].plane[0] = twice;
    image[3].plane[0] = once;

    for (i = 0; i < 4; i++) {
        image[i].format = VIDCAST_GRAY8;
        image[i].stride[0] = TEST_SIDE;
    }

    wrong = 0;

    for (i = 1; i <= 8; i++) {
        for (j = 1; j <= 8; j++) {
            ngx_memzero(twice, sizeof(twice));
            ngx_memzero(once, sizeof(once));

            ngx_vidcast_image_turn(&image[0], i, &image[1]);
            ngx_vidcast_image_turn(&image[1], j, &image[2]);
            ngx_vidcast_image_turn(&image[0],
                                   ngx_vidcast_orientation_join(i, j),
                                   &image[3]);

            wrong += (image[2].width != image[3].width
                      || ngx_memcmp(twice, once, sizeof(once)) != 0);
        }
    }

    unit_ok(wrong == 0, "join: of all 64");
}


static void
test_exif(void)
{
    u_char      exif[TEST_EXIF];
    size_t      size;
    ngx_uint_t  i, big, wrong;

    for (big = 0; big < 2; big++) {
        wrong = 0;

        for (i = 0; i < 12; i++) {
            size = test_make(exif, big, 3, i);
            wrong += ngx_vidcast_orientation_exif(exif, size)
                     != ((i >= 1 && i <= 8) ? i : 1);
        }

        unit_ok(wrong == 0, "exif: each value, %s endian",
                big ? "big" : "little");

        size = test_make(exif, big, 4, 6);
        unit_ok(ngx_vidcast_orientation_exif(exif, size) == 1,
                "exif: of another type");
    }

    size = test_make(exif, 0, 3, 6);
    exif[4] = 'x';
    unit_ok(ngx_vidcast_orientation_exif(exif, size) == 1, "exif: XMP is none");

    size = test_make(exif, 0, 3, 6);
    exif[7] = 'M';
    unit_ok(ngx_vidcast_orientation_exif(exif, size) == 1,
            "exif: two byte orders are none");
}


/* the sanitizers watch its ends */

static void
test_hostile(void)
{
    u_char      exif[TEST_EXIF], *p;
    size_t      size, n;
    uint32_t    random;
    ngx_uint_t  i, bad;

    size = test_make(exif, 1, 3, 6);
    bad = 0;

    for (n = 0; n < size; n++) {
        p = malloc(n ? n : 1);
        ngx_memcpy(p, exif, n);

        i = ngx_vidcast_orientation_exif(p, n);
        bad += (i != 1 && i != 6);

        free(p);
    }

    unit_ok(bad == 0, "hostile: cut anywhere");

    random = 1;

    for (i = 0; i < 100000; i++) {
        p = malloc(size);
        ngx_memcpy(p, exif, size);

        for (n = 0; n < 3; n++) {
            random = random * 1103515245 + 12345;
            p[6 + (random >> 16) % (size - 6)] = (u_char) (random >> 8);
        }

        n = ngx_vidcast_orientation_exif(p, size);
        bad += (n < 1 || n > 8);

        free(p);
    }

    unit_ok(bad == 0, "hostile: with bytes changed");
}


/* pixels that are not where they belong */

static ngx_uint_t
test_picture(uint32_t format, ngx_uint_t orientation)
{
    u_char           lying[3][3 * TEST_SIDE * TEST_SIDE];
    u_char           upright[3][sizeof(lying[0])];
    uint32_t         x, y, width, height;
    ngx_uint_t       i, c, n, bytes, wrong;
    vidcast_image_t  src, dst;

    bytes = (format == VIDCAST_RGB24 || format == VIDCAST_BGR24) ? 3 : 1;

    ngx_memzero(&src, sizeof(src));
    ngx_memzero(&dst, sizeof(dst));

    src.format = format;
    src.width = TEST_WIDTH;
    src.height = TEST_HEIGHT;
    dst.format = format;

    for (i = 0; i < 3; i++) {
        src.plane[i] = lying[i];
        src.stride[i] = bytes * TEST_SIDE;
        dst.plane[i] = upright[i];
        dst.stride[i] = bytes * TEST_SIDE;

        for (n = 0; n < sizeof(lying[i]); n++) {
            lying[i][n] = 70 * i + n;
        }
    }

    ngx_memset(upright, 0xff, sizeof(upright));

    ngx_vidcast_image_turn(&src, orientation, &dst);

    wrong = (dst.width != (orientation < 5 ? TEST_WIDTH : TEST_HEIGHT));

    for (i = 0; i < (format == VIDCAST_I420 ? 3 : 1); i++) {
        width = i ? (src.width + 1) / 2 : src.width;
        height = i ? (src.height + 1) / 2 : src.height;

        for (y = 0; y < (orientation < 5 ? height : width); y++) {
            for (x = 0; x < (orientation < 5 ? width : height); x++) {
                for (c = 0; c < bytes; c++) {
                    n = bytes * test_pixel(orientation, x, y, width, height)
                        + c;
                    wrong += upright[i][(y * TEST_SIDE + x) * bytes + c]
                             != lying[i][n];
                }
            }
        }
    }

    return wrong;
}


/* where the pixel at x, y lies, by the words of the standard */

static ngx_uint_t
test_pixel(ngx_uint_t orientation, uint32_t x, uint32_t y, uint32_t width,
    uint32_t height)
{
    uint32_t  column, row;

    switch (orientation) {

    case 1: /* row 0 is at the top, column 0 at the left */
        column = x;
        row = y;
        break;

    case 2: /* top, right */
        column = width - 1 - x;
        row = y;
        break;

    case 3: /* bottom, right */
        column = width - 1 - x;
        row = height - 1 - y;
        break;

    case 4: /* bottom, left */
        column = x;
        row = height - 1 - y;
        break;

    case 5: /* row 0 at the left, column 0 at the top */
        column = y;
        row = x;
        break;

    case 6: /* right, top */
        column = y;
        row = height - 1 - x;
        break;

    case 7: /* right, bottom */
        column = width - 1 - y;
        row = height - 1 - x;
        break;

    default: /* 8: left, bottom */
        column = width - 1 - y;
        row = x;
        break;
    }

    return row * TEST_SIDE + column;
}


/* with a tag before it */

static size_t
test_make(u_char *exif, ngx_uint_t big, ngx_uint_t type, ngx_uint_t value)
{
    u_char  *p;

    p = ngx_cpymem(exif, "Exif\0", 6);
    p = ngx_cpymem(p, big ? "MM" : "II", 2);
    p = test_number(p, big, 42, 2);
    p = test_number(p, big, 8, 4);
    p = test_number(p, big, 2, 2);

    p = test_number(p, big, 0x010f, 2);
    p = test_number(p, big, 2, 2);
    p = test_number(p, big, 4, 4);
    p = ngx_cpymem(p, "cam\0", 4);

    p = test_number(p, big, 0x0112, 2);
    p = test_number(p, big, type, 2);
    p = test_number(p, big, 1, 4);
    p = test_number(p, big, value, 2);
    p = test_number(p, big, 0, 2);

    p = test_number(p, big, 0, 4);

    return p - exif;
}


static u_char *
test_number(u_char *p, ngx_uint_t big, uint32_t value, ngx_uint_t bytes)
{
    ngx_uint_t  i;

    for (i = 0; i < bytes; i++) {
        *p++ = value >> 8 * (big ? bytes - 1 - i : i);
    }

    return p;
}
