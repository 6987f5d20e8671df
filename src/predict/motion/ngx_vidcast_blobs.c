
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "predict/motion/ngx_vidcast_blobs.h"


static ngx_uint_t ngx_vidcast_blobs_merge(ngx_vidcast_box_t *boxes,
    ngx_uint_t n);
static ngx_int_t ngx_vidcast_blobs_covers(ngx_vidcast_component_t *a,
    ngx_vidcast_component_t *b);
static void ngx_vidcast_blobs_score(ngx_vidcast_box_t *box,
    ngx_uint_t floor);
static int ngx_libc_cdecl ngx_vidcast_blobs_cmp(const void *one,
    const void *two);


ngx_uint_t
ngx_vidcast_blobs_find(ngx_vidcast_background_model_t *bg,
    ngx_vidcast_box_t *boxes)
{
    ngx_uint_t                 i, n;
    ngx_vidcast_components_t  *rs;

    rs = bg->components;
    n = 0;

    for (i = 0; i < rs->ncomponents; i++) {

        if (rs->components[i].pixels == 0) {
            continue;
        }

        if (n == NGX_VIDCAST_BOXES_MAX) {
            break;
        }

        boxes[n].component = rs->components[i];
        boxes[n].contrast = (uint64_t) bg->contrast[i]
                            * rs->components[i].pixels;
        n++;
    }

    n = ngx_vidcast_blobs_merge(boxes, n);

    for (i = 0; i < n; i++) {
        ngx_vidcast_blobs_score(&boxes[i], bg->floor);
    }

    ngx_qsort(boxes, n, sizeof(ngx_vidcast_box_t),
              ngx_vidcast_blobs_cmp);

    return n;
}


/* a piece that lies mostly in the box of another belongs to it */

static ngx_uint_t
ngx_vidcast_blobs_merge(ngx_vidcast_box_t *boxes, ngx_uint_t n)
{
    ngx_uint_t                i, j;
    ngx_vidcast_component_t  *a, *b;

    for (i = 0; i < n; i++) {
        for (j = 0; j < n; j++) {

            a = &boxes[i].component;
            b = &boxes[j].component;

            if (i == j || !ngx_vidcast_blobs_covers(a, b)) {
                continue;
            }

            a->x = ngx_min(a->x, b->x);
            a->y = ngx_min(a->y, b->y);
            a->right = ngx_max(a->right, b->right);
            a->bottom = ngx_max(a->bottom, b->bottom);
            a->pixels += b->pixels;

            boxes[i].contrast += boxes[j].contrast;

            /* the box has changed: start again */

            boxes[j] = boxes[--n];
            i = (ngx_uint_t) -1;

            break;
        }
    }

    return n;
}


/* does "a" cover half of "b", or more? */

static ngx_int_t
ngx_vidcast_blobs_covers(ngx_vidcast_component_t *a,
    ngx_vidcast_component_t *b)
{
    uint32_t  x, y, right, bottom;

    x = ngx_max(a->x, b->x);
    y = ngx_max(a->y, b->y);
    right = ngx_min(a->right, b->right);
    bottom = ngx_min(a->bottom, b->bottom);

    if (x >= right || y >= bottom) {
        return 0;
    }

    return 2 * (uint64_t) (right - x) * (bottom - y)
           >= (uint64_t) (b->right - b->x) * (b->bottom - b->y);
}


/*
 * Half of the score is contrast, in full at four times the threshold, the
 * other half is how much of its box the component fills, in full at 3/4: of an
 * ellipse that is 0.79.
 */

static void
ngx_vidcast_blobs_score(ngx_vidcast_box_t *box, ngx_uint_t floor)
{
    uint64_t                  area, fill, contrast;
    ngx_vidcast_component_t  *component;

    component = &box->component;

    area = (uint64_t) (component->right - component->x)
           * (component->bottom - component->y);

    fill = (uint64_t) component->pixels * 200 / (3 * area);
    contrast = box->contrast * 50 / (4 * floor * component->pixels);

    box->score = ngx_min(fill, 50) + ngx_min(contrast, 50);
}


static int ngx_libc_cdecl
ngx_vidcast_blobs_cmp(const void *one, const void *two)
{
    ngx_vidcast_box_t  *first, *second;

    first = (ngx_vidcast_box_t *) one;
    second = (ngx_vidcast_box_t *) two;

    if (first->score != second->score) {
        return first->score < second->score ? 1 : -1;
    }

    if (first->component.pixels != second->component.pixels) {
        return first->component.pixels < second->component.pixels ? 1 : -1;
    }

    return 0;
}
