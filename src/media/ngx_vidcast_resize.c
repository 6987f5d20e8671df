
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "media/ngx_vidcast_resize.h"
#include "media/ngx_vidcast_image.h"


static void ngx_vidcast_resize_inside(ngx_vidcast_resize_t *fit,
    const vidcast_want_t *want, uint32_t width, uint32_t height);
static ngx_int_t ngx_vidcast_resize_i420(const ngx_vidcast_resize_t *fit,
    ngx_vidcast_jpeg_decoder_t *decoder, const u_char *data, size_t size,
    vidcast_image_t *inner);
static void ngx_vidcast_resize_fill(const ngx_vidcast_resize_t *fit,
    u_char *dst);
static void ngx_vidcast_resize_inner(const ngx_vidcast_resize_t *fit,
    u_char *dst, vidcast_image_t *inner);


ngx_int_t
ngx_vidcast_resize_plan(ngx_vidcast_resize_t *fit, const vidcast_want_t *want,
    uint32_t width, uint32_t height)
{
    ngx_memzero(fit, sizeof(ngx_vidcast_resize_t));

    fit->format = want->format;
    fit->fill = ngx_min(want->fill, 255);

    if (want->format < VIDCAST_I420 || want->format > VIDCAST_BGR24
        || width == 0 || height == 0)
    {
        return NGX_ERROR;
    }

    if (want->fit == VIDCAST_FIT_ANY) {
        fit->width = width;
        fit->height = height;
        fit->inner_width = width;
        fit->inner_height = height;

    } else if (want->fit > VIDCAST_FIT_LETTERBOX
               || want->anchor > VIDCAST_ANCHOR_TOPLEFT
               || want->width == 0 || want->width > NGX_VIDCAST_MAX_DIMENSION
               || want->height == 0
               || want->height > NGX_VIDCAST_MAX_DIMENSION)
    {
        return NGX_ERROR;

    } else {
        ngx_vidcast_resize_inside(fit, want, width, height);
    }

    fit->size = ngx_vidcast_image_size(fit->format, fit->width, fit->height);

    fit->scale_x = (double) width / fit->inner_width;
    fit->scale_y = (double) height / fit->inner_height;

    return NGX_OK;
}


static void
ngx_vidcast_resize_inside(ngx_vidcast_resize_t *fit, const vidcast_want_t *want,
    uint32_t width, uint32_t height)
{
    uint64_t  w, h;

    fit->width = want->width;
    fit->height = want->height;

    if (want->fit == VIDCAST_FIT_STRETCH) {
        fit->inner_width = want->width;
        fit->inner_height = want->height;
        return;
    }

    /* the side that is the first to touch */

    w = want->width;
    h = ((uint64_t) height * want->width * 2 + width) / (2 * (uint64_t) width);

    if (h > want->height) {
        h = want->height;
        w = ((uint64_t) width * want->height * 2 + height)
            / (2 * (uint64_t) height);
    }

    if (want->fit == VIDCAST_FIT_WITHIN && w > width) {
        w = width;
        h = height;
    }

    fit->inner_width = ngx_max(w, 1);
    fit->inner_height = ngx_max(h, 1);

    if (want->fit == VIDCAST_FIT_WITHIN) {
        fit->width = fit->inner_width;
        fit->height = fit->inner_height;
        return;
    }

    if (want->anchor == VIDCAST_ANCHOR_TOPLEFT) {
        return;
    }

    /* even, for the halves of chroma */

    fit->left = (want->width - fit->inner_width) / 2 & ~1U;
    fit->top = (want->height - fit->inner_height) / 2 & ~1U;
}


void
ngx_vidcast_resize_view(const ngx_vidcast_resize_t *fit, u_char *data,
    vidcast_image_t *image)
{
    ngx_memzero(image, sizeof(vidcast_image_t));

    image->format = fit->format;
    image->width = fit->width;
    image->height = fit->height;

    ngx_vidcast_image_lay_out(image, data);
}


ngx_int_t
ngx_vidcast_resize_jpeg(const ngx_vidcast_resize_t *fit,
    ngx_vidcast_jpeg_decoder_t *decoder, const u_char *data, size_t size,
    u_char *dst)
{
    ngx_int_t         rc;
    vidcast_image_t   decoded, inner;

    ngx_vidcast_resize_inner(fit, dst, &inner);

    if (fit->inner_width != fit->width || fit->inner_height != fit->height) {
        ngx_vidcast_resize_fill(fit, dst);
    }

    decoded.format = fit->format;
    decoded.width = fit->inner_width;
    decoded.height = fit->inner_height;

    rc = ngx_vidcast_jpeg_decode(decoder, data, size,
                                 (fit->inner_width == fit->width
                                  && fit->inner_height == fit->height)
                                     ? dst : NULL,
                                 &decoded);

    if (rc == NGX_AGAIN) {
        return ngx_vidcast_resize_i420(fit, decoder, data, size, &inner);
    }

    if (rc != NGX_OK || decoded.plane[0] == dst) {
        return rc;
    }

    return ngx_vidcast_image_scale(&decoded, &inner);
}


/* of a JPEG that is sampled otherwise: by way of RGB24, of the right size */

static ngx_int_t
ngx_vidcast_resize_i420(const ngx_vidcast_resize_t *fit,
    ngx_vidcast_jpeg_decoder_t *decoder, const u_char *data, size_t size,
    vidcast_image_t *inner)
{
    u_char                *p;
    ngx_int_t              rc;
    vidcast_image_t        rgb;
    ngx_vidcast_resize_t   plan;

    plan = *fit;

    plan.format = VIDCAST_RGB24;
    plan.width = fit->inner_width;
    plan.height = fit->inner_height;
    plan.left = 0;
    plan.top = 0;

    p = malloc(ngx_vidcast_image_size(plan.format, plan.width, plan.height));
    if (p == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_vidcast_resize_jpeg(&plan, decoder, data, size, p);

    if (rc == NGX_OK) {
        ngx_vidcast_resize_view(&plan, p, &rgb);
        ngx_vidcast_image_from_rgb(inner, &rgb);
    }

    free(p);

    return rc;
}


static void
ngx_vidcast_resize_fill(const ngx_vidcast_resize_t *fit, u_char *dst)
{
    size_t  luma;

    luma = (fit->format == VIDCAST_I420) ? (size_t) fit->width * fit->height
                                         : fit->size;

    ngx_memset(dst, fit->fill, luma);
    ngx_memset(dst + luma, 128, fit->size - luma);
}


/* the part of the picture where the frame goes */

static void
ngx_vidcast_resize_inner(const ngx_vidcast_resize_t *fit, u_char *dst,
    vidcast_image_t *inner)
{
    size_t  pixel;

    ngx_vidcast_resize_view(fit, dst, inner);

    pixel = (fit->format == VIDCAST_RGB24 || fit->format == VIDCAST_BGR24)
                ? 3 : 1;

    inner->width = fit->inner_width;
    inner->height = fit->inner_height;

    inner->plane[0] += (size_t) fit->top * inner->stride[0]
                       + fit->left * pixel;

    if (fit->format == VIDCAST_I420) {
        inner->plane[1] += (size_t) fit->top / 2 * inner->stride[1]
                           + fit->left / 2;
        inner->plane[2] += (size_t) fit->top / 2 * inner->stride[2]
                           + fit->left / 2;
    }
}
