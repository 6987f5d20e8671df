
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_IMAGE_H_INCLUDED_
#define _NGX_VIDCAST_IMAGE_H_INCLUDED_


#include "core/ngx_vidcast.h"
#include "media/ngx_vidcast_orientation.h"
#include "vidcast_plugin.h"


/*
 * Allocates (malloc, 64-byte aligned strides and planes) an I420 or, with
 * "gray", a GRAY8 image of the size.  NGX_OK or NGX_ERROR: no memory.  Freed
 * by ngx_vidcast_image_free(), which may be called on a zeroed image.
 */
ngx_int_t ngx_vidcast_image_alloc(ngx_vidcast_image_t *image, uint32_t width,
    uint32_t height, ngx_uint_t gray);
void ngx_vidcast_image_free(ngx_vidcast_image_t *image);

/*
 * Conversion of one frame into the I420 "dst", whose size says how much is
 * converted.  "stride" is in bytes.
 */
void ngx_vidcast_image_from_yuyv(ngx_vidcast_image_t *dst, const u_char *src,
    uint32_t stride);
void ngx_vidcast_image_from_i420(ngx_vidcast_image_t *dst, const u_char *src,
    uint32_t stride);

/* the I420 "src" into "dst", which has its size */
void ngx_vidcast_image_copy(ngx_vidcast_image_t *dst,
    const ngx_vidcast_image_t *src);

/*
 * Cameras and TV leave room at both ends of a byte (luma 16-235, chroma
 * 16-240), JPEG uses all of it: stretches an I420 image, in its place.
 */
void ngx_vidcast_image_expand_range(ngx_vidcast_image_t *image);

/*
 * Scales luma (plane[0] of GRAY8 or I420) to the size of the GRAY8 "dst",
 * averaging over the area when it shrinks.
 */
void ngx_vidcast_image_scale_luma(const ngx_vidcast_image_t *src,
    ngx_vidcast_image_t *dst);

/*
 * Of the pixel formats of plugins: the bytes of a picture whose rows and
 * planes follow each other without a gap; planes of I420 are those of the
 * size's halves, rounded up.
 */
size_t ngx_vidcast_image_size(uint32_t format, uint32_t width,
    uint32_t height);

/* planes and strides of such a picture at "data", by its format and size */
void ngx_vidcast_image_lay_out(vidcast_image_t *image, u_char *data);

/*
 * The same, with any strides: scales a picture to the size of "dst", which is
 * of the same format; averaging when it shrinks.  NGX_ERROR: no memory.
 */
ngx_int_t ngx_vidcast_image_scale(const vidcast_image_t *src,
    vidcast_image_t *dst);

/*
 * The same: a picture that lies as "orientation" says, stood upright in "dst",
 * whose planes and strides are given, of the same format.
 */
void ngx_vidcast_image_turn(const vidcast_image_t *src, ngx_uint_t orientation,
    vidcast_image_t *dst);

/* the same of I420 images; "dst" has the size that it becomes */
void ngx_vidcast_image_turn_i420(const ngx_vidcast_image_t *src,
    ngx_uint_t orientation, ngx_vidcast_image_t *dst);

/* an RGB24 picture as the I420 "dst" of the same size */
void ngx_vidcast_image_from_rgb(vidcast_image_t *dst,
    const vidcast_image_t *rgb);


#endif /* _NGX_VIDCAST_IMAGE_H_INCLUDED_ */
