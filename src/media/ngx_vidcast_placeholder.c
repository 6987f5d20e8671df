
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "media/ngx_vidcast_annotate.h"
#include "media/ngx_vidcast_image.h"
#include "media/ngx_vidcast_jpeg.h"
#include "media/ngx_vidcast_placeholder.h"


#define NGX_VIDCAST_PLACEHOLDER_WIDTH    640
#define NGX_VIDCAST_PLACEHOLDER_HEIGHT   360
#define NGX_VIDCAST_PLACEHOLDER_QUALITY  40

#define NGX_VIDCAST_PLACEHOLDER_GROUND   28     /* luma */
#define NGX_VIDCAST_PLACEHOLDER_BRIGHT   235
#define NGX_VIDCAST_PLACEHOLDER_DIM      160


static void ngx_vidcast_placeholder_write(ngx_vidcast_image_t *image,
    int32_t y, int32_t scale, u_char ink, ngx_str_t *text);


ngx_int_t
ngx_vidcast_placeholder(ngx_str_t *title, ngx_str_t *line, u_char *dst,
    size_t *size)
{
    size_t                       half;
    ngx_int_t                    rc;
    ngx_vidcast_image_t          image;
    ngx_vidcast_jpeg_encoder_t  *enc;

    ngx_memzero(&image, sizeof(ngx_vidcast_image_t));

    if (ngx_vidcast_image_alloc(&image, NGX_VIDCAST_PLACEHOLDER_WIDTH,
                                NGX_VIDCAST_PLACEHOLDER_HEIGHT, 0)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    half = NGX_VIDCAST_PLACEHOLDER_HEIGHT / 2;

    ngx_memset(image.plane[0], NGX_VIDCAST_PLACEHOLDER_GROUND,
               image.stride[0] * 2 * half);
    ngx_memset(image.plane[1], 128, image.stride[1] * half);
    ngx_memset(image.plane[2], 128, image.stride[2] * half);

    ngx_vidcast_placeholder_write(&image, 136, 4,
                                  NGX_VIDCAST_PLACEHOLDER_BRIGHT, title);
    ngx_vidcast_placeholder_write(&image, 200, 2,
                                  NGX_VIDCAST_PLACEHOLDER_DIM, line);

    rc = NGX_ERROR;
    enc = ngx_vidcast_jpeg_encoder_create();

    if (enc) {
        rc = ngx_vidcast_jpeg_encode(enc, &image,
                                     NGX_VIDCAST_PLACEHOLDER_QUALITY, dst,
                                     size);

        ngx_vidcast_jpeg_encoder_destroy(enc);
    }

    ngx_vidcast_image_free(&image);

    return (rc == NGX_OK) ? NGX_OK : NGX_ERROR;
}


/* in the middle of the row */

static void
ngx_vidcast_placeholder_write(ngx_vidcast_image_t *image, int32_t y,
    int32_t scale, u_char ink, ngx_str_t *text)
{
    int32_t  x;

    x = (int32_t) image->width - NGX_VIDCAST_FONT_STEP * scale * text->len;

    /* in step with the blocks of JPEG, which makes it smaller */

    ngx_vidcast_annotate_text(image, (x / 2) & ~7, y, scale, ink, text->data,
                              text->len);
}
