
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_MULTIPART_READER_H_INCLUDED_
#define _NGX_VIDCAST_MULTIPART_READER_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


/*
 * Finds the JPEGs in what a camera sends by HTTP: in parts, as
 * multipart/x-mixed-replace has them, or one behind the other.  It is of no
 * use to hold cameras to the rules of MIME, hence
 *
 *   - a picture ends where its own markers say so, whatever length was told,
 *     and whatever its bytes look like;
 *   - boundaries only tell where the next one may begin: what follows a picture
 *     in the same part is not looked at, as phones append a second one there;
 *   - a line is a boundary with any number of dashes before it, with any end
 *     of line, and if another one was announced, or none;
 *   - without any boundary, each picture is one.
 *
 * A picture whose end is missing ends at the next boundary, or before the next
 * picture.  This is plain C, as a plugin of ours is built with it, too.
 */

#define NGX_VIDCAST_MULTIPART_BOUNDARY  70       /* bytes, of RFC 2046 */
#define NGX_VIDCAST_MULTIPART_TYPE      64


/* what a body is: see sniff() */

typedef enum {
    NGX_VIDCAST_MULTIPART_MORE = 0,       /* cannot be told yet */
    NGX_VIDCAST_MULTIPART_PARTS,
    NGX_VIDCAST_MULTIPART_JPEG,
    NGX_VIDCAST_MULTIPART_OTHER
} ngx_vidcast_multipart_kind_e;


/* what becomes of a picture */

typedef enum {
    NGX_VIDCAST_MULTIPART_WHOLE = 0,
    NGX_VIDCAST_MULTIPART_CUT,            /* it has no end */
    NGX_VIDCAST_MULTIPART_LARGE           /* and is left out: no data */
} ngx_vidcast_multipart_end_e;


/* called by feed() and finish() for each picture; "data" is valid till then */

typedef void (*ngx_vidcast_multipart_picture_pt)(void *context,
    ngx_vidcast_multipart_end_e end, const uint8_t *data, size_t size);


typedef struct {
    ngx_vidcast_multipart_picture_pt   picture;
    void                              *context;
    size_t                             max;        /* bytes of a picture */
    unsigned                           single:1;   /* only the first one */

    uint64_t                           pictures;   /* found so far */
    uint64_t                           parts;
    char                               type[NGX_VIDCAST_MULTIPART_TYPE];
                                                   /* of the part, or "" */

    /* its own */

    uint8_t                           *data;
    size_t                             size;
    size_t                             capacity;
    size_t                             start;      /* of picture, or line */
    size_t                             pos;        /* looked at up to here */
    size_t                             scan;       /* offset, 0: not there */
    size_t                             run;        /* of bytes, no marker */
    size_t                             seen;       /* no boundary up to here */
    size_t                             boundary_len;
    char                               boundary[NGX_VIDCAST_MULTIPART_BOUNDARY];
    unsigned                           inside:1;   /* of a picture */
    unsigned                           headers:1;  /* of a part, or before */
    unsigned                           armed:1;    /* a picture may begin */
    unsigned                           fresh:1;    /* at the start of a body */
    unsigned                           sure:1;     /* the boundary was seen */
} ngx_vidcast_multipart_reader_t;


/*
 * "type" is the value of Content-Type, and may be NULL.  The caller sets the
 * first four members afterwards.
 */
void ngx_vidcast_multipart_reader_init(ngx_vidcast_multipart_reader_t *reader,
    const char *type);
void ngx_vidcast_multipart_reader_free(ngx_vidcast_multipart_reader_t *reader);

/* 0; or -1: no memory */
int ngx_vidcast_multipart_reader_feed(ngx_vidcast_multipart_reader_t *reader,
    const void *data, size_t size);

/* there will be no more: a picture without an end is told */
void ngx_vidcast_multipart_reader_finish(
    ngx_vidcast_multipart_reader_t *reader);

/* by the type, which may be NULL, and by how the body begins */
ngx_vidcast_multipart_kind_e ngx_vidcast_multipart_sniff(const char *type,
    const void *data, size_t size);


#endif /* _NGX_VIDCAST_MULTIPART_READER_H_INCLUDED_ */
