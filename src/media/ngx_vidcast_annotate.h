
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_ANNOTATE_H_INCLUDED_
#define _NGX_VIDCAST_ANNOTATE_H_INCLUDED_


#include "core/ngx_vidcast_detections.h"


#define NGX_VIDCAST_COLORS   8

#define NGX_VIDCAST_FONT_FIRST    0x20
#define NGX_VIDCAST_FONT_GLYPHS   95
#define NGX_VIDCAST_FONT_WIDTH    5
#define NGX_VIDCAST_FONT_HEIGHT   7
#define NGX_VIDCAST_FONT_STEP     (NGX_VIDCAST_FONT_WIDTH + 1)


/*
 * Draws boxes with their key points and texts into an I420 image; what is
 * beyond its borders is cut.  Lines, dots and letters grow with the image.
 */
void ngx_vidcast_annotate(ngx_vidcast_image_t *image,
    ngx_vidcast_detections_t *detections);

/*
 * Writes printable ASCII in gray of this luma, each pixel of the font "scale"
 * wide and high; x, y is its left upper corner.
 */
void ngx_vidcast_annotate_text(ngx_vidcast_image_t *image, int32_t x,
    int32_t y, int32_t scale, u_char ink, const u_char *text, size_t len);


extern const u_char  ngx_vidcast_font[NGX_VIDCAST_FONT_GLYPHS]
    [NGX_VIDCAST_FONT_HEIGHT];


#endif /* _NGX_VIDCAST_ANNOTATE_H_INCLUDED_ */
