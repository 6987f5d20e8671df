
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_TRACKER_H_INCLUDED_
#define _NGX_VIDCAST_TRACKER_H_INCLUDED_


#include "core/ngx_vidcast.h"


/*
 * Keeps the identity of boxes from picture to picture.
 *
 * A track predicts its box by constant velocity and is corrected by an
 * alpha-beta filter, whose beta = alpha^2 / (2 - alpha) is the optimum of
 * T. R. Benedict, G. W. Bordner, "Synthesis of an optimal set of radar
 * track-while-scan smoothing equations", IRE Transactions on Automatic
 * Control 7 (1962).  Predicted and seen boxes are paired by their IoU as in
 * A. Bewley et al., "Simple online and realtime tracking", ICIP 2016, though
 * greedily, the best pair first.  Of tracks which share a box, as things
 * that cross melt into one, each is corrected by those edges of the box which
 * are its own: M. Xu, T. Ellis, "Partial observation vs. blind tracking
 * through occlusion", BMVC 2002.
 */


#define NGX_VIDCAST_TRACKS_MAX   64
#define NGX_VIDCAST_TRACKS_NONE  ((ngx_uint_t) -1)


/* pixels from the top left; "high" is behind the last ones; [0] x, [1] y */

typedef struct {
    double                     low[2];
    double                     high[2];
} ngx_vidcast_tracks_box_t;


typedef struct {
    double                     center;
    double                     velocity;    /* pixels a second */
    double                     size;
} ngx_vidcast_tracker_axis_t;


typedef struct {
    uint64_t                    id;         /* 0: nobody's place */
    ngx_uint_t                  seen;       /* index of the box, or NONE */
    ngx_uint_t                  pictures;   /* it was seen in */
    ngx_uint_t                  missed;     /* in a row, lately */
    uint64_t                    last;       /* when it was seen */
    double                      apart;      /* seconds on its own, lately */
    ngx_vidcast_tracks_box_t    box;        /* as seen, or else as supposed */
    ngx_vidcast_tracker_axis_t  axis[2];
} ngx_vidcast_track_t;


/* zeroed at first; a track keeps its place for life */

typedef struct {
    uint64_t                   time;        /* of the last picture */
    uint64_t                   ids;         /* given, from 1 on */
    ngx_vidcast_track_t        tracks[NGX_VIDCAST_TRACKS_MAX];
} ngx_vidcast_tracker_t;


/*
 * The boxes of the next picture, and its time in microseconds.  Several
 * tracks may be seen in one box; of those which go the same way in it the ones
 * that were not apart for long have ended.  So has a track which was not seen
 * for a second, and three pictures.  With more boxes than tracks the later
 * ones have none.
 */
void ngx_vidcast_tracker_update(ngx_vidcast_tracker_t *tracks,
    ngx_vidcast_tracks_box_t *boxes, ngx_uint_t n, uint64_t time);

/* ends all; ids go on */
void ngx_vidcast_tracker_forget(ngx_vidcast_tracker_t *tracks);


#endif /* _NGX_VIDCAST_TRACKER_H_INCLUDED_ */
