
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "media/ngx_vidcast_jpeg.h"
#include "media/ngx_vidcast_orientation.h"


#define NGX_VIDCAST_JPEG_TEM         0x01
#define NGX_VIDCAST_JPEG_SOF0        0xc0
#define NGX_VIDCAST_JPEG_SOF2        0xc2
#define NGX_VIDCAST_JPEG_SOF3        0xc3
#define NGX_VIDCAST_JPEG_DHT         0xc4
#define NGX_VIDCAST_JPEG_SOF5        0xc5
#define NGX_VIDCAST_JPEG_SOF7        0xc7
#define NGX_VIDCAST_JPEG_DAC         0xcc
#define NGX_VIDCAST_JPEG_SOF15       0xcf
#define NGX_VIDCAST_JPEG_RST0        0xd0
#define NGX_VIDCAST_JPEG_RST7        0xd7
#define NGX_VIDCAST_JPEG_SOI         0xd8
#define NGX_VIDCAST_JPEG_EOI         0xd9
#define NGX_VIDCAST_JPEG_SOS         0xda
#define NGX_VIDCAST_JPEG_APP1        0xe1
#define NGX_VIDCAST_JPEG_SOF55       0xf7    /* of JPEG-LS */

/*
 * The least that a scan can say of 1024 pixels is eight bits, however its
 * components are sampled: a header that claims more than this lies, and is
 * refused before memory is taken for it.
 */

#define NGX_VIDCAST_JPEG_MAX_RATIO   1024

#define NGX_VIDCAST_JPEG_MAX_PIXELS  (64 * 1024 * 1024)

/*
 * What is held takes 320 megabytes: 48 million pixels, none of their colors
 * left out.  Encoders make ten scans or so; 32 million blocks take a second.
 */

#define NGX_VIDCAST_JPEG_MAX_BLOCKS  (320 * 1024 * 1024 / 128)
#define NGX_VIDCAST_JPEG_MAX_VISITS  (32 * 1024 * 1024)


typedef struct {
    const u_char   *marker;    /* its first 0xff, fill bytes included */
    const u_char   *body;      /* behind the length */
    const u_char   *end;
    ngx_uint_t      code;
} ngx_vidcast_jpeg_segment_t;


static void ngx_vidcast_jpeg_end(const u_char *data, const u_char *scan,
    const u_char *last, ngx_vidcast_jpeg_info_t *info);
static ngx_uint_t ngx_vidcast_jpeg_next_segment(const u_char *p,
    const u_char *last, ngx_vidcast_jpeg_segment_t *seg);
static ngx_uint_t ngx_vidcast_jpeg_parse_sof(ngx_vidcast_jpeg_segment_t *seg,
    size_t size, ngx_vidcast_jpeg_info_t *info);
static ngx_uint_t ngx_vidcast_jpeg_blocks(const u_char *components,
    ngx_uint_t n, uint32_t width, uint32_t height);
static ngx_uint_t ngx_vidcast_jpeg_coding(ngx_uint_t code);
static ngx_int_t ngx_vidcast_jpeg_find_eoi(const u_char *scan,
    const u_char *last, ngx_uint_t segments, const u_char **end);
static const u_char *ngx_vidcast_jpeg_find_last_eoi(const u_char *scan,
    const u_char *last);
static const u_char *ngx_vidcast_jpeg_skip_zeros(const u_char *first,
    const u_char *last);


/* ISO/IEC 10918-1, tables K.3 to K.6, as one segment */

static u_char  ngx_vidcast_jpeg_dht[NGX_VIDCAST_JPEG_DHT_LEN] = {
    0xff, 0xc4, 0x01, 0xa2,

    /* K.3: luminance, DC */

    0x00,
    0x00, 0x01, 0x05, 0x01, 0x01, 0x01, 0x01, 0x01,
    0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b,

    /* K.4: chrominance, DC */

    0x01,
    0x00, 0x03, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01,
    0x01, 0x01, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b,

    /* K.5: luminance, AC */

    0x10,
    0x00, 0x02, 0x01, 0x03, 0x03, 0x02, 0x04, 0x03,
    0x05, 0x05, 0x04, 0x04, 0x00, 0x00, 0x01, 0x7d,
    0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06,
    0x13, 0x51, 0x61, 0x07, 0x22, 0x71, 0x14, 0x32, 0x81, 0x91, 0xa1, 0x08,
    0x23, 0x42, 0xb1, 0xc1, 0x15, 0x52, 0xd1, 0xf0, 0x24, 0x33, 0x62, 0x72,
    0x82, 0x09, 0x0a, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x25, 0x26, 0x27, 0x28,
    0x29, 0x2a, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x43, 0x44, 0x45,
    0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59,
    0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74, 0x75,
    0x76, 0x77, 0x78, 0x79, 0x7a, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89,
    0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0xa2, 0xa3,
    0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6,
    0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9,
    0xca, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe1, 0xe2,
    0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf1, 0xf2, 0xf3, 0xf4,
    0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa,

    /* K.6: chrominance, AC */

    0x11,
    0x00, 0x02, 0x01, 0x02, 0x04, 0x04, 0x03, 0x04,
    0x07, 0x05, 0x04, 0x04, 0x00, 0x01, 0x02, 0x77,
    0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41,
    0x51, 0x07, 0x61, 0x71, 0x13, 0x22, 0x32, 0x81, 0x08, 0x14, 0x42, 0x91,
    0xa1, 0xb1, 0xc1, 0x09, 0x23, 0x33, 0x52, 0xf0, 0x15, 0x62, 0x72, 0xd1,
    0x0a, 0x16, 0x24, 0x34, 0xe1, 0x25, 0xf1, 0x17, 0x18, 0x19, 0x1a, 0x26,
    0x27, 0x28, 0x29, 0x2a, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x43, 0x44,
    0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58,
    0x59, 0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74,
    0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87,
    0x88, 0x89, 0x8a, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a,
    0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4,
    0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7,
    0xc8, 0xc9, 0xca, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda,
    0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf2, 0xf3, 0xf4,
    0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa
};


ngx_int_t
ngx_vidcast_jpeg_probe(const u_char *data, size_t size,
    ngx_vidcast_jpeg_info_t *info)
{
    const u_char  *scan;

    if (ngx_vidcast_jpeg_walk(data, data + size, info, &scan) == NGX_OK) {
        ngx_vidcast_jpeg_end(data, scan, data + size, info);

    } else if (info->fault == NGX_VIDCAST_JPEG_RATIO
               && ngx_vidcast_jpeg_find_last_eoi(data, data + size) == NULL)
    {
        /* a file that is being written, rather than a header that lies */

        info->fault = NGX_VIDCAST_JPEG_TRUNCATED;
    }

    return info->fault ? NGX_DECLINED : NGX_OK;
}


static void
ngx_vidcast_jpeg_end(const u_char *data, const u_char *scan,
    const u_char *last, ngx_vidcast_jpeg_info_t *info)
{
    ngx_int_t      rc;
    ngx_uint_t     few;
    const u_char  *end;

    rc = ngx_vidcast_jpeg_find_eoi(scan, last, 1, &end);

    if (rc == NGX_DECLINED) {

        /* damage that looks like a segment may have hidden it */

        rc = ngx_vidcast_jpeg_find_eoi(scan, last, 0, &end);
    }

    if (rc == NGX_DECLINED) {
        end = ngx_vidcast_jpeg_skip_zeros(scan, last);

        if (end - scan >= 2
            && end[-2] == 0xff && end[-1] == NGX_VIDCAST_JPEG_SOI)
        {
            /* of the next picture, of which no more is there */

            end -= 2;
        }
    }

    info->size = end - data;
    info->trailing = (ngx_vidcast_jpeg_skip_zeros(end, last) != end);

    /* what follows it tells nothing of its pixels */

    few = info->width * info->height / NGX_VIDCAST_JPEG_MAX_RATIO > info->size;

    if (rc != NGX_OK) {
        info->fault = NGX_VIDCAST_JPEG_TRUNCATED;
        info->cut = !few;

    } else if (few) {
        info->fault = NGX_VIDCAST_JPEG_RATIO;
    }
}


size_t
ngx_vidcast_jpeg_whole_size(ngx_vidcast_jpeg_info_t *info)
{
    return info->size + (info->dht ? 0 : NGX_VIDCAST_JPEG_DHT_LEN)
           + (info->cut ? 2 : 0);
}


void
ngx_vidcast_jpeg_make_whole(u_char *dst, const u_char *data,
    ngx_vidcast_jpeg_info_t *info)
{
    u_char  *last;

    if (!info->dht) {
        last = ngx_vidcast_jpeg_insert_dht(dst, data, info);

    } else {
        last = dst + info->size;

        if (dst != data) {
            ngx_memcpy(dst, data, info->size);
        }
    }

    if (info->cut) {
        last[0] = 0xff;
        last[1] = NGX_VIDCAST_JPEG_EOI;
    }
}


u_char *
ngx_vidcast_jpeg_insert_dht(u_char *dst, const u_char *data,
    ngx_vidcast_jpeg_info_t *info)
{
    size_t   rest;
    u_char  *tail;

    rest = info->size - info->dht_pos;
    tail = dst + info->dht_pos + NGX_VIDCAST_JPEG_DHT_LEN;

    ngx_memmove(tail, data + info->dht_pos, rest);

    if (dst != data) {
        ngx_memcpy(dst, data, info->dht_pos);
    }

    ngx_memcpy(dst + info->dht_pos, ngx_vidcast_jpeg_dht,
               NGX_VIDCAST_JPEG_DHT_LEN);

    return tail + rest;
}


/* up to the first scan; *scan is the first byte of its entropy-coded data */

ngx_int_t
ngx_vidcast_jpeg_walk(const u_char *data, const u_char *last,
    ngx_vidcast_jpeg_info_t *info, const u_char **scan)
{
    uint32_t                     width;
    const u_char                *p;
    ngx_vidcast_jpeg_segment_t   seg;

    ngx_memzero(info, sizeof(ngx_vidcast_jpeg_info_t));
    info->orientation = NGX_VIDCAST_UPRIGHT;

    if (last - data < 2
        || data[0] != 0xff || data[1] != NGX_VIDCAST_JPEG_SOI)
    {
        info->fault = ngx_vidcast_jpeg_fault_foreign(data, last - data);
        return NGX_DECLINED;
    }

    for (p = data + 2; /* void */ ; p = seg.end) {

        info->fault = ngx_vidcast_jpeg_next_segment(p, last, &seg);

        if (info->fault) {
            return NGX_DECLINED;
        }

        if (seg.code == NGX_VIDCAST_JPEG_SOS) {
            break;
        }

        if (seg.code == NGX_VIDCAST_JPEG_DHT) {
            info->dht |= (seg.end != seg.body);
            continue;
        }

        if (seg.code == NGX_VIDCAST_JPEG_APP1) {

            /* there may be others, with XMP */

            if (info->orientation == NGX_VIDCAST_UPRIGHT) {
                info->orientation = ngx_vidcast_orientation_exif(seg.body,
                                                          seg.end - seg.body);
            }

            continue;
        }

        if (seg.code >= NGX_VIDCAST_JPEG_SOF0
            && seg.code <= NGX_VIDCAST_JPEG_SOF15
            && seg.code != NGX_VIDCAST_JPEG_DAC)
        {
            info->fault = ngx_vidcast_jpeg_parse_sof(&seg, last - data, info);

            if (info->fault) {
                return NGX_DECLINED;
            }
        }
    }

    if (info->width == 0) {
        info->fault = NGX_VIDCAST_JPEG_NO_FRAME;
        return NGX_DECLINED;
    }

    if (ngx_vidcast_orientation_swaps(info->orientation)) {
        width = info->width;
        info->width = info->height;
        info->height = width;
    }

    if (seg.end == seg.body || seg.body[0] != info->components) {
        info->several = 1;
    }

    info->dht_pos = seg.marker - data;
    *scan = seg.end;

    return NGX_OK;
}


/*
 * As decoders do, skips what stands between segments and is no marker, and
 * markers that may stand anywhere (RSTn, TEM).  The fault, 0: none.
 */

static ngx_uint_t
ngx_vidcast_jpeg_next_segment(const u_char *p, const u_char *last,
    ngx_vidcast_jpeg_segment_t *seg)
{
    size_t  len;

    for ( ;; ) {

        while (p < last && *p != 0xff) {
            p++;
        }

        seg->marker = p;

        while (p < last && *p == 0xff) {
            p++;
        }

        if (p == last) {
            return NGX_VIDCAST_JPEG_BEGUN;
        }

        seg->code = *p++;

        if (seg->code != 0x00
            && seg->code != NGX_VIDCAST_JPEG_TEM
            && (seg->code < NGX_VIDCAST_JPEG_RST0
                || seg->code > NGX_VIDCAST_JPEG_RST7))
        {
            break;
        }
    }

    if (seg->code == NGX_VIDCAST_JPEG_EOI) {
        return NGX_VIDCAST_JPEG_NO_SCAN;
    }

    if (seg->code < NGX_VIDCAST_JPEG_SOF0
        || seg->code == NGX_VIDCAST_JPEG_SOI)
    {
        return NGX_VIDCAST_JPEG_BROKEN;
    }

    if (last - p < 2) {
        return NGX_VIDCAST_JPEG_BEGUN;
    }

    len = p[0] << 8 | p[1];

    if (len < 2) {
        return NGX_VIDCAST_JPEG_BROKEN;
    }

    if ((size_t) (last - p) < len) {
        return NGX_VIDCAST_JPEG_BEGUN;
    }

    seg->body = p + 2;
    seg->end = p + len;

    return (seg->code == NGX_VIDCAST_JPEG_SOF55) ? NGX_VIDCAST_JPEG_LOSSLESS
                                                 : NGX_VIDCAST_JPEG_NO_FAULT;
}


static ngx_uint_t
ngx_vidcast_jpeg_parse_sof(ngx_vidcast_jpeg_segment_t *seg, size_t size,
    ngx_vidcast_jpeg_info_t *info)
{
    ngx_uint_t     n;
    const u_char  *p;

    p = seg->body;

    if (seg->code > NGX_VIDCAST_JPEG_SOF2) {
        return ngx_vidcast_jpeg_coding(seg->code);
    }

    if (info->width != 0) {
        return NGX_VIDCAST_JPEG_FRAMES;
    }

    if (seg->end - p < 6) {
        return NGX_VIDCAST_JPEG_HEADER;
    }

    /* eight bits a sample; gray, color or CMYK */

    if (p[0] != 8) {
        return (p[0] == 12) ? NGX_VIDCAST_JPEG_12_BITS
                            : NGX_VIDCAST_JPEG_BITS;
    }

    info->height = p[1] << 8 | p[2];
    info->width = p[3] << 8 | p[4];
    n = p[5];

    if ((size_t) (seg->end - p) != 6 + 3 * n) {
        return NGX_VIDCAST_JPEG_HEADER;
    }

    if (n != 1 && n != 3 && n != 4) {
        return NGX_VIDCAST_JPEG_COMPONENTS;
    }

    info->cmyk = (n == 4);
    info->several = (seg->code == NGX_VIDCAST_JPEG_SOF2);
    info->components = n;

    if (info->height == 0) {
        return NGX_VIDCAST_JPEG_DNL;
    }

    if (info->width == 0) {
        return NGX_VIDCAST_JPEG_WIDTH;
    }

    if (info->width > NGX_VIDCAST_MAX_DIMENSION
        || info->height > NGX_VIDCAST_MAX_DIMENSION)
    {
        return NGX_VIDCAST_JPEG_SIDE;
    }

    info->blocks = ngx_vidcast_jpeg_blocks(p + 6, n, info->width,
                                           info->height);

    n = info->width * info->height;

    if (n > NGX_VIDCAST_JPEG_MAX_PIXELS) {
        return NGX_VIDCAST_JPEG_PIXELS;
    }

    return (n / NGX_VIDCAST_JPEG_MAX_RATIO > size) ? NGX_VIDCAST_JPEG_RATIO
                                                   : NGX_VIDCAST_JPEG_NO_FAULT;
}


/* sampling factors are 1 to 4; of others nothing is decoded */

static ngx_uint_t
ngx_vidcast_jpeg_blocks(const u_char *components, ngx_uint_t n,
    uint32_t width, uint32_t height)
{
    ngx_uint_t  i, h, v, max_h, max_v, unit;

    max_h = 1;
    max_v = 1;
    unit = 0;

    for (i = 0; i < n; i++) {
        h = components[3 * i + 1] >> 4;
        v = components[3 * i + 1] & 0x0f;

        max_h = ngx_max(max_h, h);
        max_v = ngx_max(max_v, v);
        unit += h * v;
    }

    return unit * ((width + 8 * max_h - 1) / (8 * max_h))
           * ((height + 8 * max_v - 1) / (8 * max_v));
}


const char *
ngx_vidcast_jpeg_excess(ngx_vidcast_jpeg_info_t *info, const u_char *scan,
    const u_char *last, ngx_uint_t held)
{
    ngx_uint_t     scans;
    const u_char  *p;

    if ((info->several || held)
        && info->blocks > NGX_VIDCAST_JPEG_MAX_BLOCKS)
    {
        return "it would take too much memory";
    }

    if (!info->several) {
        return NULL;
    }

    scans = 1;

    for (p = scan; /* void */ ; p++) {
        p = memchr(p, 0xff, last - p);

        if (p == NULL || last - p < 2) {
            return NULL;
        }

        if (p[1] == NGX_VIDCAST_JPEG_SOS
            && ++scans * info->blocks > NGX_VIDCAST_JPEG_MAX_VISITS)
        {
            return "it has too many scans";
        }
    }
}


/* of a frame header that no browser knows */

static ngx_uint_t
ngx_vidcast_jpeg_coding(ngx_uint_t code)
{
    if (code == NGX_VIDCAST_JPEG_SOF3) {
        return NGX_VIDCAST_JPEG_LOSSLESS;
    }

    return (code >= NGX_VIDCAST_JPEG_SOF5 && code <= NGX_VIDCAST_JPEG_SOF7)
           ? NGX_VIDCAST_JPEG_HIERARCHICAL : NGX_VIDCAST_JPEG_ARITHMETIC;
}


/*
 * Through all scans, and over the segments between them.  NGX_OK: *end is
 * behind EOI; NGX_ABORT: there is none before another picture, which begins
 * there; NGX_DECLINED: there is none.  Markers that mean nothing here are
 * damage, and are passed over, as decoders do.
 */

static ngx_int_t
ngx_vidcast_jpeg_find_eoi(const u_char *scan, const u_char *last,
    ngx_uint_t segments, const u_char **end)
{
    size_t         len;
    ngx_uint_t     code;
    const u_char  *p, *marker;

    for (p = scan; /* void */ ; /* void */ ) {

        /* in the scan of a photo one byte of 150 is such a one, or fewer */

        p = memchr(p, 0xff, last - p);

        if (p == NULL) {
            return NGX_DECLINED;
        }

        marker = p;

        while (p < last && *p == 0xff) {
            p++;
        }

        if (p == last) {
            return NGX_DECLINED;
        }

        code = *p++;

        if (code == NGX_VIDCAST_JPEG_EOI) {
            *end = p;
            return NGX_OK;
        }

        if (code == NGX_VIDCAST_JPEG_SOI && p < last && *p == 0xff) {
            *end = marker;
            return NGX_ABORT;
        }

        if (code < NGX_VIDCAST_JPEG_SOF0
            || (code >= NGX_VIDCAST_JPEG_RST0
                && code <= NGX_VIDCAST_JPEG_SOI)
            || last - p < 2)
        {
            continue;
        }

        len = p[0] << 8 | p[1];

        if (segments && len >= 2 && (size_t) (last - p) >= len) {
            p += len;
        }
    }
}


/* behind it any number of zeros, and one stray byte among them */

static const u_char *
ngx_vidcast_jpeg_find_last_eoi(const u_char *scan, const u_char *last)
{
    ngx_uint_t  stray;

    for (stray = 0; stray < 2; stray++) {
        last = ngx_vidcast_jpeg_skip_zeros(scan, last);

        if (last - scan < 2) {
            break;
        }

        if (last[-2] == 0xff && last[-1] == NGX_VIDCAST_JPEG_EOI) {
            return last;
        }

        last--;
    }

    return NULL;
}


/* from the end */

static const u_char *
ngx_vidcast_jpeg_skip_zeros(const u_char *first, const u_char *last)
{
    while (last > first && last[-1] == 0x00) {
        last--;
    }

    return last;
}
