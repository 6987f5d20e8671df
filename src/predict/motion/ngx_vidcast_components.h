
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_COMPONENTS_H_INCLUDED_
#define _NGX_VIDCAST_COMPONENTS_H_INCLUDED_


#include "core/ngx_vidcast.h"


/*
 * Connected components of a picture of one bit a pixel.  Pixel x of row y is
 * bit x % 64 of word y * words + x / 64; bits beyond the width are zero.
 */


#define NGX_VIDCAST_COMPONENTS_MAX   256
#define NGX_VIDCAST_COMPONENTS_NONE  ((uint32_t) -1)


typedef struct {
    uint32_t                    x;          /* first pixel */
    uint32_t                    end;        /* behind the last one */
    uint32_t                    y;
    uint32_t                    parent;     /* in the union-find forest */
    uint32_t                    component;  /* or NGX_VIDCAST_COMPONENTS_NONE */
} ngx_vidcast_run_t;


typedef struct {
    uint32_t                    x;          /* the box */
    uint32_t                    y;
    uint32_t                    right;      /* behind the last pixels */
    uint32_t                    bottom;
    uint32_t                    pixels;
} ngx_vidcast_component_t;


typedef struct {
    uint32_t                    width;
    uint32_t                    height;
    uint32_t                    words;      /* in a row */

    uint64_t                   *raw;        /* filled by the caller */
    uint64_t                   *weak;       /* the same */
    uint64_t                   *mask;       /* without what is thin */
    uint64_t                   *grown;      /* mask and a margin of 2 pixels */
    uint64_t                   *work;

    ngx_vidcast_run_t          *runs;       /* of the mask, row by row */
    uint32_t                    nruns;
    uint32_t                   *rows;       /* first run; height + 1 of them */

    ngx_uint_t                  ncomponents;
    ngx_vidcast_component_t     components[NGX_VIDCAST_COMPONENTS_MAX];
} ngx_vidcast_components_t;


/* NULL: no memory */
ngx_vidcast_components_t *ngx_vidcast_components_create(uint32_t width,
    uint32_t height);
void ngx_vidcast_components_destroy(ngx_vidcast_components_t *rs);

/* ones in the raw picture */
uint32_t ngx_vidcast_components_count(ngx_vidcast_components_t *rs);

/*
 * Clears from the mask what is thinner than 3 pixels, adds weak ones which are
 * 2 pixels from the rest or nearer, then finds the components.  Pieces not
 * more than 4 pixels apart, or 8 from top to bottom, are one component.  None
 * have those whose boxes, with that much around them, are less than "min"
 * pixels, and those with less than half of that in the mask, or too many.
 */
void ngx_vidcast_components_find(ngx_vidcast_components_t *rs, uint32_t min);


#endif /* _NGX_VIDCAST_COMPONENTS_H_INCLUDED_ */
