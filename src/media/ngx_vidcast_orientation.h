
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_ORIENTATION_H_INCLUDED_
#define _NGX_VIDCAST_ORIENTATION_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * How a picture is to be turned to stand upright, by the numbers that EXIF has
 * for it (CIPA DC-008, tag 0x0112): where its first row and column belong.
 *
 *     1  upright                    5  mirrored at the falling diagonal
 *     2  mirrored left to right     6  turned by 90 degrees, clockwise
 *     3  turned by 180 degrees      7  mirrored at the rising diagonal
 *     4  mirrored top to bottom     8  turned by 270 degrees, clockwise
 *
 * Each is a mirror top to bottom, or none, and then quarter turns.
 */

#define NGX_VIDCAST_UPRIGHT        1
#define NGX_VIDCAST_MIRROR_H       2
#define NGX_VIDCAST_TURN_180       3
#define NGX_VIDCAST_MIRROR_V       4
#define NGX_VIDCAST_TURN_90        6
#define NGX_VIDCAST_TURN_270       8


/* does it need to be turned?  Zero is upright, too */

#define ngx_vidcast_orientation_lies(orientation)   ((orientation) > 1)

/* do width and height change places? */

#define ngx_vidcast_orientation_swaps(orientation)  ((orientation) >= 5)


/* quarter turns, clockwise, after a mirror top to bottom */
ngx_uint_t ngx_vidcast_orientation_turns(ngx_uint_t orientation);
ngx_uint_t ngx_vidcast_orientation_mirrors(ngx_uint_t orientation);

/* "first", and then "second" */
ngx_uint_t ngx_vidcast_orientation_join(ngx_uint_t first, ngx_uint_t second);

/* that of the body of a segment APP1; UPRIGHT, if it tells of none */
ngx_uint_t ngx_vidcast_orientation_exif(const u_char *data, size_t size);


#endif /* _NGX_VIDCAST_ORIENTATION_H_INCLUDED_ */
