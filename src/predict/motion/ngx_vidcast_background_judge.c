
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "predict/motion/ngx_vidcast_background_model.h"


/*
 * What stands out stands before the background, as long as it moves.  If it
 * does not: where the edge of a component is in the background and not in the
 * picture, a thing has left, and its place is given back to the background;
 * what stays for long is given to it, too.
 */


#define NGX_VIDCAST_BACKGROUND_DOUBT     2         /* ticks */
#define NGX_VIDCAST_BACKGROUND_PATIENCE  16        /* ticks */


typedef struct {
    uint64_t                contrast;
    uint32_t                edge;           /* in the picture */
    uint32_t                back_edge;      /* in the background */
    uint32_t                moved;          /* pixels, since the last tick */
    ngx_uint_t              age;            /* of the oldest pixel */
    ngx_uint_t              still;
    ngx_uint_t              left;           /* it is the place of a thing */
} ngx_vidcast_background_evidence_t;


static void ngx_vidcast_background_judge_examine(
    ngx_vidcast_background_model_t *bg, ngx_vidcast_run_t *run,
    ngx_vidcast_background_evidence_t *evidence);
static ngx_uint_t ngx_vidcast_background_judge_moved(
    ngx_vidcast_background_model_t *bg, size_t i);
static void ngx_vidcast_background_judge_step(
    ngx_vidcast_background_model_t *bg, size_t i, size_t apart,
    ngx_vidcast_background_evidence_t *evidence);
static void ngx_vidcast_background_judge_grow_old(
    ngx_vidcast_background_model_t *bg,
    ngx_vidcast_background_evidence_t *evidence);
static void ngx_vidcast_background_judge_absorb(
    ngx_vidcast_background_model_t *bg, size_t i);


void
ngx_vidcast_background_judge(ngx_vidcast_background_model_t *bg,
    ngx_uint_t tick)
{
    size_t                              row;
    uint32_t                            i, x;
    ngx_uint_t                          n;
    ngx_vidcast_run_t                  *run;
    ngx_vidcast_components_t           *rs;
    ngx_vidcast_background_evidence_t  *e;
    ngx_vidcast_background_evidence_t   evidence[NGX_VIDCAST_COMPONENTS_MAX];

    rs = bg->components;

    ngx_memzero(evidence, rs->ncomponents * sizeof(evidence[0]));

    for (i = 0; i < rs->nruns; i++) {
        if (rs->runs[i].component != NGX_VIDCAST_COMPONENTS_NONE) {
            ngx_vidcast_background_judge_examine(
                bg, &rs->runs[i], &evidence[rs->runs[i].component]);
        }
    }

    for (n = 0; n < rs->ncomponents; n++) {
        e = &evidence[n];

        bg->contrast[n] = e->contrast / rs->components[n].pixels;

        e->still = (e->moved * 50 <= rs->components[n].pixels);

        /* at first it has to be clear where the edge is */

        e->left = (e->still
                   && (e->back_edge * 2 > e->edge * 3
                       || (e->back_edge > e->edge
                           && e->age >= NGX_VIDCAST_BACKGROUND_DOUBT)));
    }

    if (tick) {
        ngx_vidcast_background_judge_grow_old(bg, evidence);
    }

    for (i = 0; i < rs->nruns; i++) {
        run = &rs->runs[i];

        if (run->component == NGX_VIDCAST_COMPONENTS_NONE
            || !evidence[run->component].left)
        {
            continue;
        }

        rs->components[run->component].pixels = 0;

        row = run->y * bg->stride;

        for (x = run->x; x < run->end; x++) {
            ngx_vidcast_background_judge_absorb(bg, row + x);
        }
    }
}


static void
ngx_vidcast_background_judge_examine(ngx_vidcast_background_model_t *bg,
    ngx_vidcast_run_t *run, ngx_vidcast_background_evidence_t *evidence)
{
    size_t    i, last, row;
    uint32_t  y;

    row = run->y * bg->stride;
    last = row + run->end;
    y = run->y;

    for (i = row + run->x; i < last; i++) {
        evidence->contrast += ngx_abs(bg->current[i]
                                      - ((bg->mean[i] + 64) >> 7));

        evidence->moved += ngx_vidcast_background_judge_moved(bg, i);
        evidence->age = ngx_max(evidence->age, bg->age[i]);

        if (y < 2 || y + 2 > bg->height) {
            continue;
        }

        if (!ngx_vidcast_background_masked(bg, i - bg->stride)) {
            ngx_vidcast_background_judge_step(bg, i, bg->stride, evidence);
        }

        if (y + 2 < bg->height
            && !ngx_vidcast_background_masked(bg, i + bg->stride))
        {
            ngx_vidcast_background_judge_step(bg, i + bg->stride, bg->stride,
                                              evidence);
        }
    }

    if (run->x >= 2 && run->x + 2 <= bg->width) {
        ngx_vidcast_background_judge_step(bg, row + run->x, 1, evidence);
    }

    if (run->end >= 2 && run->end + 2 <= bg->width) {
        ngx_vidcast_background_judge_step(bg, row + run->end, 1, evidence);
    }
}


static ngx_inline ngx_uint_t
ngx_vidcast_background_judge_moved(ngx_vidcast_background_model_t *bg, size_t i)
{
    ngx_int_t  change;

    change = bg->current[i] - bg->past[i];

    return ngx_abs(change) * 2 > bg->high[i] - bg->low[i];
}


/* how high a step picture and background have before pixel i */

static void
ngx_vidcast_background_judge_step(ngx_vidcast_background_model_t *bg, size_t i,
    size_t apart, ngx_vidcast_background_evidence_t *evidence)
{
    ngx_int_t  step;

    step = (bg->mean[i + apart] - bg->mean[i - 2 * apart]) / 128;
    evidence->back_edge += ngx_abs(step);

    step = bg->current[i + apart] - bg->current[i - 2 * apart];
    evidence->edge += ngx_abs(step);
}


/*
 * A component where fewer than one pixel in 50 have changed since the last tick
 * stands still: its pixels grow older.  While others move, those of theirs
 * which have not changed wait: what moves may be before them.
 */

static void
ngx_vidcast_background_judge_grow_old(ngx_vidcast_background_model_t *bg,
    ngx_vidcast_background_evidence_t *evidence)
{
    size_t                     i, n, size;
    uint32_t                   x;
    ngx_vidcast_run_t         *run;
    ngx_vidcast_components_t  *rs;

    rs = bg->components;
    size = bg->stride * bg->height;

    for (i = 0; i < size; i++) {
        if (!ngx_vidcast_background_masked(bg, i)) {
            bg->age[i] = 0;
        }
    }

    for (n = 0; n < rs->nruns; n++) {
        run = &rs->runs[n];

        for (x = run->x; x < run->end; x++) {
            i = run->y * bg->stride + x;

            if (ngx_vidcast_background_judge_moved(bg, i)) {
                bg->age[i] = 0;

            } else if (run->component != NGX_VIDCAST_COMPONENTS_NONE
                       && !evidence[run->component].still)
            {
                continue;

            } else if (++bg->age[i] == NGX_VIDCAST_BACKGROUND_PATIENCE) {
                bg->age[i] = 0;
                ngx_vidcast_background_judge_absorb(bg, i);
            }
        }
    }
}


static void
ngx_vidcast_background_judge_absorb(ngx_vidcast_background_model_t *bg,
    size_t i)
{
    bg->mean[i] = bg->current[i] * 128;
    bg->deviation[i] = 0;

    ngx_vidcast_background_limit(bg, i);
}
