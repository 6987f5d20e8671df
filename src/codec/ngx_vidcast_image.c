
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_vidcast_image.h"

#include <libyuv.h>


#define NGX_VIDCAST_IMAGE_ALIGNMENT  64


/* the calls of libyuv can only fail by arguments that nobody gives here */


ngx_int_t
ngx_vidcast_image_alloc(ngx_vidcast_image_t *image, uint32_t width,
    uint32_t height, ngx_uint_t gray)
{
    void    *p;
    size_t   luma, chroma, rows;

    ngx_memzero(image, sizeof(ngx_vidcast_image_t));

    if (width == 0 || width > NGX_VIDCAST_MAX_DIMENSION
        || height == 0 || height > NGX_VIDCAST_MAX_DIMENSION)
    {
        return NGX_ERROR;
    }

    luma = ngx_align(width, NGX_VIDCAST_IMAGE_ALIGNMENT);
    chroma = gray ? 0 : ngx_align((width + 1) / 2, NGX_VIDCAST_IMAGE_ALIGNMENT);
    rows = (height + 1) / 2;

    if (posix_memalign(&p, NGX_VIDCAST_IMAGE_ALIGNMENT,
                       luma * height + 2 * chroma * rows)
        != 0)
    {
        return NGX_ERROR;
    }

    image->width = width;
    image->height = height;
    image->plane[0] = p;
    image->stride[0] = luma;

    if (!gray) {
        image->plane[1] = image->plane[0] + luma * height;
        image->plane[2] = image->plane[1] + chroma * rows;
        image->stride[1] = chroma;
        image->stride[2] = chroma;
    }

    return NGX_OK;
}


void
ngx_vidcast_image_free(ngx_vidcast_image_t *image)
{
    /* the planes are one block */

    free(image->plane[0]);

    ngx_memzero(image, sizeof(ngx_vidcast_image_t));
}


void
ngx_vidcast_image_from_yuyv(ngx_vidcast_image_t *dst, const u_char *src,
    uint32_t stride)
{
    (void) YUY2ToI420(src, stride, dst->plane[0], dst->stride[0],
                      dst->plane[1], dst->stride[1], dst->plane[2],
                      dst->stride[2], dst->width, dst->height);
}


void
ngx_vidcast_image_from_i420(ngx_vidcast_image_t *dst, const u_char *src,
    uint32_t stride)
{
    uint32_t  width, height, chroma;

    width = (dst->width + 1) / 2;
    height = (dst->height + 1) / 2;
    chroma = (stride + 1) / 2;

    CopyPlane(src, stride, dst->plane[0], dst->stride[0], dst->width,
              dst->height);

    src += (size_t) stride * dst->height;

    CopyPlane(src, chroma, dst->plane[1], dst->stride[1], width, height);

    src += (size_t) chroma * height;

    CopyPlane(src, chroma, dst->plane[2], dst->stride[2], width, height);
}


void
ngx_vidcast_image_scale_luma(const ngx_vidcast_image_t *src,
    ngx_vidcast_image_t *dst)
{
    (void) ScalePlane(src->plane[0], src->stride[0], src->width, src->height,
                      dst->plane[0], dst->stride[0], dst->width, dst->height,
                      kFilterBox);
}
