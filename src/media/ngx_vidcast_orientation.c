
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "media/ngx_vidcast_orientation.h"


#define NGX_VIDCAST_ORIENTATION_TAG      0x0112
#define NGX_VIDCAST_ORIENTATION_SHORT    3
#define NGX_VIDCAST_ORIENTATION_ENTRY    12     /* bytes of one in an IFD */
#define NGX_VIDCAST_ORIENTATION_ENTRIES  512


/* a file of TIFF's kind within the segment */

typedef struct {
    const u_char  *data;
    size_t         size;
    ngx_uint_t     big;        /* endian */
} ngx_vidcast_orientation_tiff_t;


typedef struct {
    u_char         turns;
    u_char         mirrors;
} ngx_vidcast_orientation_parts_t;


static uint32_t ngx_vidcast_orientation_read(
    const ngx_vidcast_orientation_tiff_t *tiff, size_t pos, size_t bytes);


static ngx_vidcast_orientation_parts_t  ngx_vidcast_orientation_parts[] = {
    { 0, 0 }, { 0, 0 }, { 2, 1 }, { 2, 0 }, { 0, 1 }, { 1, 1 }, { 1, 0 },
    { 3, 1 }, { 3, 0 }
};


ngx_uint_t
ngx_vidcast_orientation_turns(ngx_uint_t orientation)
{
    return ngx_vidcast_orientation_parts[orientation].turns;
}


ngx_uint_t
ngx_vidcast_orientation_mirrors(ngx_uint_t orientation)
{
    return ngx_vidcast_orientation_parts[orientation].mirrors;
}


/* a mirror that comes behind turns turns them round */

ngx_uint_t
ngx_vidcast_orientation_join(ngx_uint_t first, ngx_uint_t second)
{
    ngx_uint_t                        i, turns, mirrors;
    ngx_vidcast_orientation_parts_t  *a, *b;

    a = &ngx_vidcast_orientation_parts[first];
    b = &ngx_vidcast_orientation_parts[second];

    turns = (b->mirrors ? b->turns + 4 - a->turns : b->turns + a->turns) % 4;
    mirrors = a->mirrors ^ b->mirrors;

    for (i = NGX_VIDCAST_UPRIGHT; i < NGX_VIDCAST_TURN_270; i++) {
        if (ngx_vidcast_orientation_parts[i].turns == turns
            && ngx_vidcast_orientation_parts[i].mirrors == mirrors)
        {
            break;
        }
    }

    return i;
}


ngx_uint_t
ngx_vidcast_orientation_exif(const u_char *data, size_t size)
{
    size_t                          pos;
    uint32_t                        n, value;
    ngx_vidcast_orientation_tiff_t  tiff;

    if (size < 14 || ngx_memcmp(data, "Exif\0", 6) != 0) {
        return NGX_VIDCAST_UPRIGHT;
    }

    tiff.data = data + 6;
    tiff.size = size - 6;
    tiff.big = (tiff.data[0] == 'M');

    if (tiff.data[0] != tiff.data[1]
        || (tiff.data[0] != 'M' && tiff.data[0] != 'I')
        || ngx_vidcast_orientation_read(&tiff, 2, 2) != 42)
    {
        return NGX_VIDCAST_UPRIGHT;
    }

    /* the first directory is that of the picture, the next the thumbnail's */

    pos = ngx_vidcast_orientation_read(&tiff, 4, 4);
    n = ngx_vidcast_orientation_read(&tiff, pos, 2);
    n = ngx_min(n, NGX_VIDCAST_ORIENTATION_ENTRIES);

    for (pos += 2; n; n--, pos += NGX_VIDCAST_ORIENTATION_ENTRY) {

        if (ngx_vidcast_orientation_read(&tiff, pos, 2)
            != NGX_VIDCAST_ORIENTATION_TAG)
        {
            continue;
        }

        value = ngx_vidcast_orientation_read(&tiff, pos + 8, 2);

        if (ngx_vidcast_orientation_read(&tiff, pos + 2, 2)
            == NGX_VIDCAST_ORIENTATION_SHORT
            && value >= NGX_VIDCAST_UPRIGHT && value <= NGX_VIDCAST_TURN_270)
        {
            return value;
        }

        break;
    }

    return NGX_VIDCAST_UPRIGHT;
}


/* what is not there is zero, which is no tag, and no type */

static uint32_t
ngx_vidcast_orientation_read(const ngx_vidcast_orientation_tiff_t *tiff,
    size_t pos, size_t bytes)
{
    size_t    i;
    uint32_t  value;

    if (pos > tiff->size || tiff->size - pos < bytes) {
        return 0;
    }

    value = 0;

    for (i = 0; i < bytes; i++) {
        value = value << 8 | tiff->data[pos + (tiff->big ? i : bytes - 1 - i)];
    }

    return value;
}
