
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_RESIZE_H_INCLUDED_
#define _NGX_VIDCAST_RESIZE_H_INCLUDED_


#include "core/ngx_vidcast.h"
#include "media/ngx_vidcast_jpeg.h"
#include "vidcast_plugin.h"


/*
 * A frame made into the picture which a predictor wants, without a gap: see
 * image_size().
 */

typedef struct {
    uint32_t                     format;
    uint32_t                     width;      /* of the picture */
    uint32_t                     height;
    uint32_t                     left;       /* of the frame in it */
    uint32_t                     top;
    uint32_t                     inner_width;
    uint32_t                     inner_height;
    uint32_t                     fill;
    size_t                       size;       /* bytes */
    double                       scale_x;    /* picture to frame */
    double                       scale_y;
} ngx_vidcast_resize_t;


/* what *want makes of a frame of this size; NGX_ERROR: bad parameters */
ngx_int_t ngx_vidcast_resize_plan(ngx_vidcast_resize_t *fit,
    const vidcast_want_t *want, uint32_t width, uint32_t height);

/* a view of the picture that is, or will be, at "data" */
void ngx_vidcast_resize_view(const ngx_vidcast_resize_t *fit, u_char *data,
    vidcast_image_t *image);

/*
 * Decodes and scales a JPEG to "dst", which has fit->size bytes.  NGX_OK;
 * NGX_DECLINED: it cannot be decoded; NGX_ERROR: no memory.
 */
ngx_int_t ngx_vidcast_resize_jpeg(const ngx_vidcast_resize_t *fit,
    ngx_vidcast_jpeg_decoder_t *decoder, const u_char *data, size_t size,
    u_char *dst);


#endif /* _NGX_VIDCAST_RESIZE_H_INCLUDED_ */
