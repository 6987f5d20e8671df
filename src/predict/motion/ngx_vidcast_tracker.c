
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <math.h>

#include "predict/motion/ngx_vidcast_tracker.h"


#define NGX_VIDCAST_TRACKS_ALPHA   0.5
#define NGX_VIDCAST_TRACKS_BETA                                               \
    (NGX_VIDCAST_TRACKS_ALPHA * NGX_VIDCAST_TRACKS_ALPHA                      \
     / (2 - NGX_VIDCAST_TRACKS_ALPHA))

#define NGX_VIDCAST_TRACKS_IOU     0.1        /* least, of a pair */
#define NGX_VIDCAST_TRACKS_NEAR    -0.4       /* or else least DIoU */
#define NGX_VIDCAST_TRACKS_SLACK   2          /* pixels */
#define NGX_VIDCAST_TRACKS_APART   2          /* s, at most */
#define NGX_VIDCAST_TRACKS_LOST    1000000    /* us */
#define NGX_VIDCAST_TRACKS_MISSED  3          /* pictures */


typedef struct {
    double                     score;
    ngx_vidcast_track_t       *track;
    ngx_uint_t                 box;
} ngx_vidcast_tracker_pair_t;


static void ngx_vidcast_tracker_predict(ngx_vidcast_tracker_t *tracks,
    double dt);
static void ngx_vidcast_tracker_pair(ngx_vidcast_tracker_t *tracks,
    ngx_vidcast_tracks_box_t *boxes, u_char *taken, ngx_uint_t n,
    double (*score)(ngx_vidcast_tracks_box_t *a, ngx_vidcast_tracks_box_t *b),
    double least);
static int ngx_libc_cdecl ngx_vidcast_tracker_cmp(const void *one,
    const void *two);
static void ngx_vidcast_tracker_share(ngx_vidcast_tracker_t *tracks,
    ngx_vidcast_tracks_box_t *boxes, u_char *taken, ngx_uint_t n);
static double ngx_vidcast_tracker_area(ngx_vidcast_tracks_box_t *box);
static double ngx_vidcast_tracker_common(ngx_vidcast_tracks_box_t *a,
    ngx_vidcast_tracks_box_t *b);
static double ngx_vidcast_tracker_iou(ngx_vidcast_tracks_box_t *a,
    ngx_vidcast_tracks_box_t *b);
static double ngx_vidcast_tracker_diou(ngx_vidcast_tracks_box_t *a,
    ngx_vidcast_tracks_box_t *b);
static void ngx_vidcast_tracker_correct(ngx_vidcast_tracker_t *tracks,
    ngx_vidcast_tracks_box_t *box, ngx_uint_t i, double dt, uint64_t time);
static ngx_uint_t ngx_vidcast_tracker_melt(ngx_vidcast_track_t **sharers,
    ngx_uint_t n, double dt);
static ngx_uint_t ngx_vidcast_tracker_parts(ngx_vidcast_track_t *a,
    ngx_vidcast_track_t *b);
static ngx_uint_t ngx_vidcast_tracker_fits(ngx_vidcast_track_t *track,
    ngx_vidcast_tracks_box_t *box);
static ngx_uint_t ngx_vidcast_tracker_observe(ngx_vidcast_track_t *track,
    ngx_vidcast_track_t **edges, ngx_vidcast_tracks_box_t *box, double dt);
static void ngx_vidcast_tracker_suppose(ngx_vidcast_track_t *track,
    ngx_vidcast_tracks_box_t *within);
static void ngx_vidcast_tracker_add(ngx_vidcast_tracker_t *tracks,
    ngx_vidcast_tracks_box_t *box, ngx_uint_t i, uint64_t time);
static void ngx_vidcast_tracker_end(ngx_vidcast_tracker_t *tracks,
    uint64_t time);


void
ngx_vidcast_tracker_update(ngx_vidcast_tracker_t *tracks,
    ngx_vidcast_tracks_box_t *boxes, ngx_uint_t n, uint64_t time)
{
    double      dt;
    u_char      taken[NGX_VIDCAST_TRACKS_MAX];
    ngx_uint_t  i;

    n = ngx_min(n, NGX_VIDCAST_TRACKS_MAX);

    dt = (time > tracks->time) ? (time - tracks->time) / 1e6 : 0;
    tracks->time = time;

    ngx_memzero(taken, n);

    ngx_vidcast_tracker_predict(tracks, dt);

    ngx_vidcast_tracker_pair(tracks, boxes, taken, n, ngx_vidcast_tracker_iou,
                             NGX_VIDCAST_TRACKS_IOU);
    ngx_vidcast_tracker_share(tracks, boxes, taken, n);
    ngx_vidcast_tracker_pair(tracks, boxes, taken, n, ngx_vidcast_tracker_diou,
                             NGX_VIDCAST_TRACKS_NEAR);

    for (i = 0; i < n; i++) {
        if (taken[i]) {
            ngx_vidcast_tracker_correct(tracks, &boxes[i], i, dt, time);

        } else {
            ngx_vidcast_tracker_add(tracks, &boxes[i], i, time);
        }
    }

    ngx_vidcast_tracker_end(tracks, time);
}


void
ngx_vidcast_tracker_forget(ngx_vidcast_tracker_t *tracks)
{
    ngx_memzero(tracks->tracks, sizeof(tracks->tracks));
}


static void
ngx_vidcast_tracker_predict(ngx_vidcast_tracker_t *tracks, double dt)
{
    ngx_uint_t            i;
    ngx_vidcast_track_t  *track;

    for (i = 0; i < NGX_VIDCAST_TRACKS_MAX; i++) {
        track = &tracks->tracks[i];

        if (track->id == 0) {
            continue;
        }

        track->seen = NGX_VIDCAST_TRACKS_NONE;
        track->axis[0].center += track->axis[0].velocity * dt;
        track->axis[1].center += track->axis[1].velocity * dt;

        ngx_vidcast_tracker_suppose(track, NULL);
    }
}


/* the best pairs first, of tracks and boxes which are both without a partner */

static void
ngx_vidcast_tracker_pair(ngx_vidcast_tracker_t *tracks,
    ngx_vidcast_tracks_box_t *boxes, u_char *taken, ngx_uint_t n,
    double (*score)(ngx_vidcast_tracks_box_t *a, ngx_vidcast_tracks_box_t *b),
    double least)
{
    ngx_uint_t                   i, j, npairs;
    ngx_vidcast_track_t         *track;
    ngx_vidcast_tracker_pair_t  *pair;
    ngx_vidcast_tracker_pair_t   pairs[NGX_VIDCAST_TRACKS_MAX
                                      * NGX_VIDCAST_TRACKS_MAX];

    npairs = 0;

    for (i = 0; i < NGX_VIDCAST_TRACKS_MAX; i++) {
        track = &tracks->tracks[i];

        if (track->id == 0 || track->seen != NGX_VIDCAST_TRACKS_NONE) {
            continue;
        }

        for (j = 0; j < n; j++) {
            pair = &pairs[npairs];

            if (taken[j]) {
                continue;
            }

            pair->score = score(&track->box, &boxes[j]);
            pair->track = track;
            pair->box = j;

            npairs += (pair->score >= least);
        }
    }

    ngx_qsort(pairs, npairs, sizeof(ngx_vidcast_tracker_pair_t),
              ngx_vidcast_tracker_cmp);

    for (i = 0; i < npairs; i++) {
        pair = &pairs[i];

        if (pair->track->seen == NGX_VIDCAST_TRACKS_NONE && !taken[pair->box]) {
            pair->track->seen = pair->box;
            taken[pair->box] = 1;
        }
    }
}


static int ngx_libc_cdecl
ngx_vidcast_tracker_cmp(const void *one, const void *two)
{
    ngx_vidcast_tracker_pair_t  *first, *second;

    first = (ngx_vidcast_tracker_pair_t *) one;
    second = (ngx_vidcast_tracker_pair_t *) two;

    if (first->score != second->score) {
        return first->score < second->score ? 1 : -1;
    }

    /* the older one, and of its boxes the better one */

    if (first->track->id != second->track->id) {
        return first->track->id > second->track->id ? 1 : -1;
    }

    return first->box > second->box ? 1 : -1;
}


/* a track most of whose box is in that of another has melted into it */

static void
ngx_vidcast_tracker_share(ngx_vidcast_tracker_t *tracks,
    ngx_vidcast_tracks_box_t *boxes, u_char *taken, ngx_uint_t n)
{
    double                common, most;
    ngx_uint_t            i, j;
    ngx_vidcast_track_t  *track;

    for (i = 0; i < NGX_VIDCAST_TRACKS_MAX; i++) {
        track = &tracks->tracks[i];

        if (track->id == 0 || track->seen != NGX_VIDCAST_TRACKS_NONE) {
            continue;
        }

        most = ngx_vidcast_tracker_area(&track->box) / 2;

        for (j = 0; j < n; j++) {

            if (!taken[j]) {
                continue;
            }

            common = ngx_vidcast_tracker_common(&track->box, &boxes[j]);

            if (common > most) {
                most = common;
                track->seen = j;
            }
        }
    }
}


static double
ngx_vidcast_tracker_area(ngx_vidcast_tracks_box_t *box)
{
    return (box->high[0] - box->low[0]) * (box->high[1] - box->low[1]);
}


static double
ngx_vidcast_tracker_common(ngx_vidcast_tracks_box_t *a,
    ngx_vidcast_tracks_box_t *b)
{
    double  width, height;

    width = ngx_min(a->high[0], b->high[0]) - ngx_max(a->low[0], b->low[0]);
    height = ngx_min(a->high[1], b->high[1]) - ngx_max(a->low[1], b->low[1]);

    return (width > 0 && height > 0) ? width * height : 0;
}


static double
ngx_vidcast_tracker_iou(ngx_vidcast_tracks_box_t *a,
    ngx_vidcast_tracks_box_t *b)
{
    double  common;

    common = ngx_vidcast_tracker_common(a, b);

    return common / (ngx_vidcast_tracker_area(a) + ngx_vidcast_tracker_area(b)
                     - common);
}


/*
 * Tells near from far where nothing is in common: Z. Zheng et al., "Distance-
 * IoU loss", AAAI 2020.
 */

static double
ngx_vidcast_tracker_diou(ngx_vidcast_tracks_box_t *a,
    ngx_vidcast_tracks_box_t *b)
{
    double      d, distance, diagonal;
    ngx_uint_t  i;

    distance = 0;
    diagonal = 0;

    for (i = 0; i < 2; i++) {
        d = (a->low[i] + a->high[i] - b->low[i] - b->high[i]) / 2;
        distance += d * d;

        d = ngx_max(a->high[i], b->high[i]) - ngx_min(a->low[i], b->low[i]);
        diagonal += d * d;
    }

    return ngx_vidcast_tracker_iou(a, b) - distance / diagonal;
}


/*
 * The tracks seen in a box.  An edge of it is an observation of the track
 * that reaches out farthest; but where the box is as large as one of them,
 * all edges are that one's, and the others are hidden, or gone.
 */

static void
ngx_vidcast_tracker_correct(ngx_vidcast_tracker_t *tracks,
    ngx_vidcast_tracks_box_t *box, ngx_uint_t i, double dt, uint64_t time)
{
    ngx_uint_t            j, n, side;
    ngx_vidcast_track_t  *track, *edges[4], *sharers[NGX_VIDCAST_TRACKS_MAX];

    n = 0;

    for (j = 0; j < NGX_VIDCAST_TRACKS_MAX; j++) {
        track = &tracks->tracks[j];

        if (track->id && track->seen == i) {
            sharers[n++] = track;
        }
    }

    n = ngx_vidcast_tracker_melt(sharers, n, dt);

    for (side = 0; side < 4; side++) {
        edges[side] = sharers[0];
    }

    for (j = 1; j < n; j++) {
        for (side = 0; side < 2; side++) {

            if (sharers[j]->box.low[side] < edges[side]->box.low[side]) {
                edges[side] = sharers[j];
            }

            if (sharers[j]->box.high[side] > edges[2 + side]->box.high[side]) {
                edges[2 + side] = sharers[j];
            }
        }
    }

    for (j = 0; n > 1 && j < n; j++) {
        if (ngx_vidcast_tracker_fits(sharers[j], box)) {
            edges[0] = edges[1] = edges[2] = edges[3] = sharers[j];
            break;
        }
    }

    for (j = 0; j < n; j++) {
        track = sharers[j];

        if (ngx_vidcast_tracker_observe(track, edges, box, dt)) {
            track->last = time;
            track->missed = 0;
            track->pictures++;
        }

        if (n == 1) {
            track->box = *box;

        } else {
            ngx_vidcast_tracker_suppose(track, box);
        }
    }
}


/*
 * Pieces of one thing go the same way, for longer than they were apart; things
 * that cross do not.  How many are left.
 */

static ngx_uint_t
ngx_vidcast_tracker_melt(ngx_vidcast_track_t **sharers, ngx_uint_t n, double dt)
{
    ngx_uint_t            i, kept;
    ngx_vidcast_track_t  *track, *most;

    most = sharers[0];

    for (i = 1; i < n; i++) {
        if (sharers[i]->apart > most->apart) {
            most = sharers[i];
        }
    }

    if (n == 1) {
        most->apart = ngx_min(most->apart + dt, NGX_VIDCAST_TRACKS_APART);
        return n;
    }

    kept = 0;

    for (i = 0; i < n; i++) {
        track = sharers[i];

        if (!ngx_vidcast_tracker_parts(track, most)) {
            track->apart -= 2 * dt;
        }

        if (track == most || track->apart > 0) {
            sharers[kept++] = track;

        } else {
            ngx_memzero(track, sizeof(ngx_vidcast_track_t));
        }
    }

    return kept;
}


/* would they be apart in two seconds? */

static ngx_uint_t
ngx_vidcast_tracker_parts(ngx_vidcast_track_t *a, ngx_vidcast_track_t *b)
{
    double      way;
    ngx_uint_t  i;

    for (i = 0; i < 2; i++) {
        way = (a->axis[i].velocity - b->axis[i].velocity)
              * NGX_VIDCAST_TRACKS_APART;

        if (fabs(way) > (a->axis[i].size + b->axis[i].size) / 2) {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_vidcast_tracker_fits(ngx_vidcast_track_t *track,
    ngx_vidcast_tracks_box_t *box)
{
    double      size;
    ngx_uint_t  i;

    for (i = 0; i < 2; i++) {
        size = track->axis[i].size;

        if (fabs(box->high[i] - box->low[i] - size)
            > ngx_max(size / 16, NGX_VIDCAST_TRACKS_SLACK))
        {
            return 0;
        }
    }

    return 1;
}


/* by its edges; how many there were */

static ngx_uint_t
ngx_vidcast_tracker_observe(ngx_vidcast_track_t *track,
    ngx_vidcast_track_t **edges, ngx_vidcast_tracks_box_t *box, double dt)
{
    double                       center, size, residual;
    ngx_uint_t                   i, low, high, n;
    ngx_vidcast_tracker_axis_t  *axis;

    n = 0;

    for (i = 0; i < 2; i++) {
        axis = &track->axis[i];

        low = (edges[i] == track);
        high = (edges[2 + i] == track);

        if (low && high) {
            size = box->high[i] - box->low[i];
            center = (box->high[i] + box->low[i]) / 2;

            axis->size += NGX_VIDCAST_TRACKS_ALPHA * (size - axis->size);

        } else if (low) {
            center = box->low[i] + axis->size / 2;

        } else if (high) {
            center = box->high[i] - axis->size / 2;

        } else {
            continue;
        }

        n += low + high;
        residual = center - axis->center;

        axis->center += NGX_VIDCAST_TRACKS_ALPHA * residual;

        if (dt > 0) {
            axis->velocity += NGX_VIDCAST_TRACKS_BETA * residual / dt;
        }
    }

    return n;
}


/* the box by all that is known, not beyond the one it was seen in */

static void
ngx_vidcast_tracker_suppose(ngx_vidcast_track_t *track,
    ngx_vidcast_tracks_box_t *within)
{
    double                       half;
    ngx_uint_t                   i;
    ngx_vidcast_tracks_box_t    *box;
    ngx_vidcast_tracker_axis_t  *axis;

    box = &track->box;

    for (i = 0; i < 2; i++) {
        axis = &track->axis[i];
        half = axis->size / 2;

        box->low[i] = axis->center - half;
        box->high[i] = axis->center + half;

        if (within) {
            box->low[i] = ngx_min(ngx_max(box->low[i], within->low[i]),
                                  within->high[i] - 1);
            box->high[i] = ngx_max(ngx_min(box->high[i], within->high[i]),
                                   box->low[i] + 1);
        }
    }
}


/* in a free place, or in that of the track which was missed longest */

static void
ngx_vidcast_tracker_add(ngx_vidcast_tracker_t *tracks,
    ngx_vidcast_tracks_box_t *box, ngx_uint_t i, uint64_t time)
{
    ngx_uint_t            j;
    ngx_vidcast_track_t  *track, *place;

    place = NULL;

    for (j = 0; j < NGX_VIDCAST_TRACKS_MAX; j++) {
        track = &tracks->tracks[j];

        if (track->id == 0) {
            place = track;
            break;
        }

        if (track->seen == NGX_VIDCAST_TRACKS_NONE
            && (place == NULL || track->last < place->last))
        {
            place = track;
        }
    }

    if (place == NULL) {
        return;
    }

    ngx_memzero(place, sizeof(ngx_vidcast_track_t));

    place->id = ++tracks->ids;
    place->seen = i;
    place->pictures = 1;
    place->last = time;
    place->box = *box;

    for (j = 0; j < 2; j++) {
        place->axis[j].center = (box->low[j] + box->high[j]) / 2;
        place->axis[j].size = box->high[j] - box->low[j];
    }
}


static void
ngx_vidcast_tracker_end(ngx_vidcast_tracker_t *tracks, uint64_t time)
{
    ngx_uint_t            i;
    ngx_vidcast_track_t  *track;

    for (i = 0; i < NGX_VIDCAST_TRACKS_MAX; i++) {
        track = &tracks->tracks[i];

        if (track->id == 0 || track->last == time) {
            continue;
        }

        track->missed++;

        if (track->missed >= NGX_VIDCAST_TRACKS_MISSED
            && time - track->last >= NGX_VIDCAST_TRACKS_LOST)
        {
            ngx_memzero(track, sizeof(ngx_vidcast_track_t));
        }
    }
}
