
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "media/ngx_vidcast_annotate.h"


#define NGX_VIDCAST_ANNOTATE_INK    20     /* luma of letters */
#define NGX_VIDCAST_ANNOTATE_LIMIT  65536  /* pixels; farther is as far */


/* pixels; "right" and "bottom" are behind the last ones */

typedef struct {
    int32_t                    x;
    int32_t                    y;
    int32_t                    right;
    int32_t                    bottom;
} ngx_vidcast_annotate_rect_t;


static void ngx_vidcast_annotate_box(ngx_vidcast_image_t *image,
    ngx_vidcast_annotate_rect_t *box, const u_char *color);
static void ngx_vidcast_annotate_dot(ngx_vidcast_image_t *image, int32_t x,
    int32_t y, const u_char *color);
static void ngx_vidcast_annotate_tag(ngx_vidcast_image_t *image,
    ngx_vidcast_annotate_rect_t *box, ngx_vidcast_detection_t *detection,
    const u_char *color);
static void ngx_vidcast_annotate_glyph(ngx_vidcast_image_t *image, int32_t x,
    int32_t y, int32_t scale, u_char ink, u_char ch);
static void ngx_vidcast_annotate_fill(ngx_vidcast_image_t *image, int32_t x,
    int32_t y, int32_t right, int32_t bottom, const u_char *color);
static void ngx_vidcast_annotate_plane(ngx_vidcast_image_t *image, ngx_uint_t n,
    ngx_vidcast_annotate_rect_t *rect, u_char value);
static int32_t ngx_vidcast_annotate_even(double value);


/* those of the page in conf/html; Y, U, V */

static const u_char  ngx_vidcast_annotate_colors[NGX_VIDCAST_COLORS][3] = {
    { 146, 84, 206 },
    { 168, 169, 62 },
    { 211, 67, 160 },
    { 184, 97, 87 },
    { 186, 140, 166 },
    { 181, 170, 130 },
    { 185, 140, 64 },
    { 228, 122, 131 }
};


void
ngx_vidcast_annotate(ngx_vidcast_image_t *image,
    ngx_vidcast_detections_t *detections)
{
    double                        sx, sy;
    ngx_uint_t                    i, j;
    const u_char                 *color;
    ngx_vidcast_keypoint_t       *point;
    ngx_vidcast_detection_t      *found;
    ngx_vidcast_annotate_rect_t   boxes[NGX_VIDCAST_DETECTIONS_MAX];

    sx = detections->width ? (double) image->width / detections->width : 1;
    sy = detections->height ? (double) image->height / detections->height : 1;

    for (i = 0; i < detections->n; i++) {
        found = &detections->list[i];
        color = ngx_vidcast_annotate_colors[found->color
                                        % NGX_VIDCAST_COLORS];

        boxes[i].x = ngx_vidcast_annotate_even(found->x * sx);
        boxes[i].y = ngx_vidcast_annotate_even(found->y * sy);
        boxes[i].right = ngx_vidcast_annotate_even(
            (found->x + found->width) * sx + 1);
        boxes[i].bottom = ngx_vidcast_annotate_even(
            (found->y + found->height) * sy + 1);

        ngx_vidcast_annotate_box(image, &boxes[i], color);

        for (j = 0; j < found->npoints; j++) {
            point = &detections->points[found->first + j];

            ngx_vidcast_annotate_dot(image,
                                     ngx_vidcast_annotate_even(point->x * sx),
                                     ngx_vidcast_annotate_even(point->y * sy),
                                     color);
        }
    }

    /* what is written is above all lines */

    for (i = 0; i < detections->n; i++) {
        found = &detections->list[i];
        color = ngx_vidcast_annotate_colors[found->color
                                        % NGX_VIDCAST_COLORS];

        ngx_vidcast_annotate_tag(image, &boxes[i], found, color);
    }
}


/* the lines are within the box */

static void
ngx_vidcast_annotate_box(ngx_vidcast_image_t *image,
    ngx_vidcast_annotate_rect_t *box, const u_char *color)
{
    int32_t  line;

    line = 2 * ngx_max((image->width + 320) / 640, 1);

    line = ngx_min(line, box->right - box->x);
    line = ngx_min(line, box->bottom - box->y);

    ngx_vidcast_annotate_fill(image, box->x, box->y, box->right, box->y + line,
                              color);
    ngx_vidcast_annotate_fill(image, box->x, box->bottom - line, box->right,
                              box->bottom, color);
    ngx_vidcast_annotate_fill(image, box->x, box->y, box->x + line, box->bottom,
                              color);
    ngx_vidcast_annotate_fill(image, box->right - line, box->y, box->right,
                              box->bottom, color);
}


/* a disc, which grows with the picture: rows of two, as chroma has them */

static void
ngx_vidcast_annotate_dot(ngx_vidcast_image_t *image, int32_t x, int32_t y,
    const u_char *color)
{
    int32_t  row, half, radius;

    radius = 2 * ngx_max((image->width + 320) / 480, 1);

    for (row = -radius; row < radius; row += 2) {
        half = radius;

        while (half > 2
               && (half - 1) * (half - 1) + (row + 1) * (row + 1)
                  > radius * radius)
        {
            half -= 2;
        }

        ngx_vidcast_annotate_fill(image, x - half, y + row, x + half,
                                  y + row + 2, color);
    }
}


/* above the box, or, where it would not be seen there, in it */

static void
ngx_vidcast_annotate_tag(ngx_vidcast_image_t *image,
    ngx_vidcast_annotate_rect_t *box, ngx_vidcast_detection_t *detection,
    const u_char *color)
{
    int32_t  x, y, width, height, scale;

    if (detection->len == 0) {
        return;
    }

    scale = ngx_max((image->width + 200) / 400, 1);

    width = NGX_VIDCAST_FONT_STEP * scale * detection->len + 3 * scale;
    height = (NGX_VIDCAST_FONT_HEIGHT + 4) * scale;

    x = ngx_max(ngx_min(box->x, (int32_t) image->width - width), 0) & ~1;
    y = (box->y >= height) ? box->y - height : box->y;
    y = ngx_max(y, 0) & ~1;

    ngx_vidcast_annotate_fill(image, x, y, x + width, y + height, color);

    ngx_vidcast_annotate_text(image, x + 2 * scale, y + 2 * scale, scale,
                              NGX_VIDCAST_ANNOTATE_INK,
                              (u_char *) detection->text, detection->len);
}


void
ngx_vidcast_annotate_text(ngx_vidcast_image_t *image, int32_t x, int32_t y,
    int32_t scale, u_char ink, const u_char *text, size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        ngx_vidcast_annotate_glyph(image, x, y, scale, ink, text[i]);
        x += NGX_VIDCAST_FONT_STEP * scale;
    }
}


static void
ngx_vidcast_annotate_glyph(ngx_vidcast_image_t *image, int32_t x, int32_t y,
    int32_t scale, u_char ink, u_char ch)
{
    int32_t                       col, row;
    const u_char                 *rows;
    ngx_vidcast_annotate_rect_t   rect;

    rows = ngx_vidcast_font[ch - NGX_VIDCAST_FONT_FIRST];

    for (row = 0; row < NGX_VIDCAST_FONT_HEIGHT; row++) {
        for (col = 0; col < NGX_VIDCAST_FONT_WIDTH; col++) {

            if (!(rows[row] & (0x10 >> col))) {
                continue;
            }

            rect.x = x + col * scale;
            rect.y = y + row * scale;
            rect.right = rect.x + scale;
            rect.bottom = rect.y + scale;

            ngx_vidcast_annotate_plane(image, 0, &rect, ink);
        }
    }
}


static void
ngx_vidcast_annotate_fill(ngx_vidcast_image_t *image, int32_t x, int32_t y,
    int32_t right, int32_t bottom, const u_char *color)
{
    ngx_uint_t                   i;
    ngx_vidcast_annotate_rect_t  rect;

    for (i = 0; i < 3; i++) {

        if (i == 1) {
            x /= 2;
            y /= 2;
            right = (right + 1) / 2;
            bottom = (bottom + 1) / 2;
        }

        rect.x = x;
        rect.y = y;
        rect.right = right;
        rect.bottom = bottom;

        ngx_vidcast_annotate_plane(image, i, &rect, color[i]);
    }
}


static void
ngx_vidcast_annotate_plane(ngx_vidcast_image_t *image, ngx_uint_t n,
    ngx_vidcast_annotate_rect_t *rect, u_char value)
{
    u_char   *p;
    int32_t   x, y, right, bottom, width, height;

    width = n ? (image->width + 1) / 2 : image->width;
    height = n ? (image->height + 1) / 2 : image->height;

    x = ngx_max(rect->x, 0);
    y = ngx_max(rect->y, 0);
    right = ngx_min(rect->right, width);
    bottom = ngx_min(rect->bottom, height);

    if (x >= right) {
        return;
    }

    for ( /* void */ ; y < bottom; y++) {
        p = image->plane[n] + (size_t) y * image->stride[n];

        ngx_memset(p + x, value, right - x);
    }
}


/* where chroma begins as well: edges are of one color */

static int32_t
ngx_vidcast_annotate_even(double value)
{
    value = ngx_min(value, NGX_VIDCAST_ANNOTATE_LIMIT);
    value = ngx_max(value, -NGX_VIDCAST_ANNOTATE_LIMIT);

    return (int32_t) value & ~1;
}
