
/*
 * Copyright (C) vidcast contributors
 */


/*
 * What a viewer sees in place of a picture: a whole JPEG of the size that is
 * promised, with letters on it that can be read, within the room that there
 * is for it; also of the longest texts, and with no room.
 */

#include "media/ngx_vidcast_image.c"
#include "media/ngx_vidcast_orientation.c"
#include "media/ngx_vidcast_annotate.c"
#include "media/ngx_vidcast_font.c"
#include "media/ngx_vidcast_jpeg.c"
#include "media/ngx_vidcast_jpeg_fault.c"
#include "media/ngx_vidcast_jpeg_probe.c"
#include "media/ngx_vidcast_placeholder.c"

#include "unit.h"


static u_char  jpeg[NGX_VIDCAST_PLACEHOLDER_ROOM];


static void
test_draw(const char *title, const char *line, const char *name)
{
    size_t                       size;
    uint32_t                     x, y, bright, dim, beyond;
    ngx_str_t                    top, below;
    ngx_int_t                    rc;
    ngx_vidcast_image_t          image;
    ngx_vidcast_jpeg_info_t      info;
    ngx_vidcast_jpeg_decoder_t  *dec;

    top.data = (u_char *) title;
    top.len = strlen(title);
    below.data = (u_char *) line;
    below.len = strlen(line);
    size = sizeof(jpeg);

    rc = ngx_vidcast_placeholder(&top, &below, jpeg, &size);

    unit_ok(rc == NGX_OK, "%s: drawn", name);
    unit_ok(size < 16384, "%s: small, %zu bytes", name, size);
    unit_ok(ngx_vidcast_jpeg_probe(jpeg, size, &info) == NGX_OK
            && info.size == size && info.width == 640 && info.height == 360,
            "%s: a whole JPEG of 640x360", name);

    dec = ngx_vidcast_jpeg_decoder_create();

    unit_ok(dec && ngx_vidcast_jpeg_decode_gray(dec, jpeg, size, 0, &image)
            == NGX_OK, "%s: it can be decoded", name);

    bright = 0;
    dim = 0;
    beyond = 0;

    for (y = 0; y < image.height; y++) {
        for (x = 0; x < image.width; x++) {
            u_char  c = image.plane[0][y * image.stride[0] + x];

            bright += (c > 200);
            dim += (c > 110 && c <= 200 && y >= 200 && y < 214);
            beyond += (c > 80) && (x < 8 || x >= 632 || y < 100 || y > 230);
        }
    }

    unit_ok(bright > 16 * 5 * top.len, "%s: the title is bright", name);
    unit_ok(dim > 4 * 3 * below.len, "%s: the line is less so", name);
    unit_ok(beyond == 0, "%s: nothing is at the border", name);

    ngx_vidcast_jpeg_decoder_destroy(dec);
}


int
main(void)
{
    size_t     size;
    ngx_str_t  text = ngx_string("text");

    test_draw("Reconnecting ...", "The camera cannot be reached.", "usual");
    test_draw("WWWWWWWWWWWWWWWWWWWW",
              "MMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMMM", "longest");

    size = 100;

    unit_ok(ngx_vidcast_placeholder(&text, &text, jpeg, &size) == NGX_ERROR,
            "no room");

    return unit_done();
}
