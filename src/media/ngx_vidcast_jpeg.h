
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_JPEG_H_INCLUDED_
#define _NGX_VIDCAST_JPEG_H_INCLUDED_


#include "core/ngx_vidcast.h"
#include "vidcast_plugin.h"


/* bytes of the standard Huffman tables as one DHT segment, marker included */

#define NGX_VIDCAST_JPEG_DHT_LEN  420


/* what is wrong with data that are no JPEG for viewers */

typedef enum {
    NGX_VIDCAST_JPEG_NO_FAULT = 0,

    /* something else */

    NGX_VIDCAST_JPEG_EMPTY,
    NGX_VIDCAST_JPEG_UNKNOWN,
    NGX_VIDCAST_JPEG_BEHIND,
    NGX_VIDCAST_JPEG_TEXT,
    NGX_VIDCAST_JPEG_HTML,
    NGX_VIDCAST_JPEG_XML,
    NGX_VIDCAST_JPEG_PNG,
    NGX_VIDCAST_JPEG_GIF,
    NGX_VIDCAST_JPEG_WEBP,
    NGX_VIDCAST_JPEG_HEIF,
    NGX_VIDCAST_JPEG_TIFF,
    NGX_VIDCAST_JPEG_2000,
    NGX_VIDCAST_JPEG_XL,
    NGX_VIDCAST_JPEG_FILM,

    /* a JPEG, but */

    NGX_VIDCAST_JPEG_ARITHMETIC,
    NGX_VIDCAST_JPEG_LOSSLESS,
    NGX_VIDCAST_JPEG_HIERARCHICAL,
    NGX_VIDCAST_JPEG_12_BITS,
    NGX_VIDCAST_JPEG_BITS,
    NGX_VIDCAST_JPEG_COMPONENTS,
    NGX_VIDCAST_JPEG_DNL,
    NGX_VIDCAST_JPEG_WIDTH,
    NGX_VIDCAST_JPEG_SIDE,
    NGX_VIDCAST_JPEG_PIXELS,
    NGX_VIDCAST_JPEG_RATIO,
    NGX_VIDCAST_JPEG_HEADER,
    NGX_VIDCAST_JPEG_FRAMES,
    NGX_VIDCAST_JPEG_NO_FRAME,
    NGX_VIDCAST_JPEG_NO_SCAN,
    NGX_VIDCAST_JPEG_BROKEN,
    NGX_VIDCAST_JPEG_BEGUN,
    NGX_VIDCAST_JPEG_TRUNCATED,

    NGX_VIDCAST_JPEG_FAULTS
} ngx_vidcast_jpeg_fault_e;


typedef struct {
    uint32_t                     width;    /* as it stands upright */
    uint32_t                     height;
    size_t                       size;     /* SOI to EOI */
    size_t                       dht_pos;  /* where a missing DHT belongs */
    ngx_uint_t                   orientation;  /* how it lies, by EXIF */
    ngx_uint_t                   fault;    /* ngx_vidcast_jpeg_fault_e */
    ngx_uint_t                   components;
    ngx_uint_t                   blocks;   /* of all of them */
    unsigned                     dht:1;    /* has Huffman tables */
    unsigned                     cmyk:1;   /* has four components */
    unsigned                     several:1; /* its first scan is not all */
    unsigned                     cut:1;    /* its scan has begun, EOI lacks */
    unsigned                     trailing:1; /* and more than zeros follows */
} ngx_vidcast_jpeg_info_t;


typedef struct ngx_vidcast_jpeg_encoder_s  ngx_vidcast_jpeg_encoder_t;
typedef struct ngx_vidcast_jpeg_decoder_s  ngx_vidcast_jpeg_decoder_t;
typedef struct ngx_vidcast_jpeg_turner_s   ngx_vidcast_jpeg_turner_t;


/*
 * Walks the segments up to the start of scan without decoding: SOI first, a
 * frame header (SOF0-SOF2, 8 bits a sample) with a size within
 * NGX_VIDCAST_MAX_DIMENSION, 64 million pixels, and what so many bytes can
 * tell; then the scans up to EOI.  What cameras, phones and scripts put behind
 * it does not belong to the picture.  NGX_OK, or NGX_DECLINED: not a whole
 * JPEG, see info->fault; "cut": all but its end is there, within info->size.
 */
ngx_int_t ngx_vidcast_jpeg_probe(const u_char *data, size_t size,
    ngx_vidcast_jpeg_info_t *info);

/* in words */
const char *ngx_vidcast_jpeg_fault_text(ngx_uint_t fault);

/* what data are that do not begin as a JPEG does */
ngx_uint_t ngx_vidcast_jpeg_fault_foreign(const u_char *data, size_t size);

/* the same, but for the end: data which are only decoded may lack it */
ngx_int_t ngx_vidcast_jpeg_walk(const u_char *data, const u_char *last,
    ngx_vidcast_jpeg_info_t *info, const u_char **scan);

/*
 * Is it more than a decoder should be given?  One of several scans is held in
 * memory as a whole, 128 bytes a block, and each scan may go through all of
 * it, however few bytes it has.  "held" is of what holds any picture.  NULL,
 * or what is too much, in words.
 */
const char *ngx_vidcast_jpeg_excess(ngx_vidcast_jpeg_info_t *info,
    const u_char *scan, const u_char *last, ngx_uint_t held);

/* of a probed JPEG, with what it lacks: tables, EOI */
size_t ngx_vidcast_jpeg_whole_size(ngx_vidcast_jpeg_info_t *info);

/*
 * Copies a probed JPEG to "dst", which has room for its whole size, with what
 * it lacks; "dst" may be "data" itself.
 */
void ngx_vidcast_jpeg_make_whole(u_char *dst, const u_char *data,
    ngx_vidcast_jpeg_info_t *info);

/*
 * Copies a probed JPEG to "dst" with the standard Huffman tables put in
 * (ISO/IEC 10918-1, K.3).  "dst" has room for info->size +
 * NGX_VIDCAST_JPEG_DHT_LEN bytes, and may be "data" itself, which then becomes
 * longer where it stands.  Returns the end of what was written.
 */
u_char *ngx_vidcast_jpeg_insert_dht(u_char *dst, const u_char *data,
    ngx_vidcast_jpeg_info_t *info);

/* one per thread; NULL: no memory */
ngx_vidcast_jpeg_encoder_t *ngx_vidcast_jpeg_encoder_create(void);
void ngx_vidcast_jpeg_encoder_destroy(ngx_vidcast_jpeg_encoder_t *enc);

/*
 * Encodes I420 planes, 4:2:0, quality 1-100, straight into "dst", never
 * beyond dst + *size; by way of a buffer of the encoder's own where *size is
 * less than the library's worst case, 3 bytes a pixel (of whole 16x16 blocks)
 * and 2048.  No allocation of ours for each frame.  NGX_OK: *size is the
 * length; NGX_DECLINED: does not fit; NGX_ERROR: the library refused, see
 * ngx_vidcast_jpeg_encoder_error().
 */
ngx_int_t ngx_vidcast_jpeg_encode(ngx_vidcast_jpeg_encoder_t *enc,
    const ngx_vidcast_image_t *image, ngx_uint_t quality, u_char *dst,
    size_t *size);
const char *ngx_vidcast_jpeg_encoder_error(ngx_vidcast_jpeg_encoder_t *enc);

/* one per thread; NULL: no memory */
ngx_vidcast_jpeg_decoder_t *ngx_vidcast_jpeg_decoder_create(void);
void ngx_vidcast_jpeg_decoder_destroy(ngx_vidcast_jpeg_decoder_t *dec);

/*
 * Decodes the luma of a JPEG at the smallest of 1/8, 1/4, 1/2 and 1/1 of its
 * size which is at least "width" pixels wide (0, or more than it has: full
 * size).  Other factors of the library are slower than full size.  *image is
 * GRAY8, its plane belongs to the decoder and stays valid until the next
 * call.  NGX_OK, NGX_DECLINED: not decodable (damaged data which the library
 * only warns of is decoded), or no memory.
 */
ngx_int_t ngx_vidcast_jpeg_decode_gray(ngx_vidcast_jpeg_decoder_t *dec,
    const u_char *data, size_t size, uint32_t width,
    ngx_vidcast_image_t *image);

/*
 * The same to one of the pixel formats of plugins, at least "width" pixels
 * wide and "height" high.  A picture which comes out just so, and needs no
 * rows longer than its own, goes to "dst" unless that is NULL, rows and planes
 * without a gap; any other to memory of the decoder's.  NGX_AGAIN: I420 of a
 * JPEG which is not sampled so.
 */
ngx_int_t ngx_vidcast_jpeg_decode(ngx_vidcast_jpeg_decoder_t *dec,
    const u_char *data, size_t size, u_char *dst, vidcast_image_t *image);

/* why the last picture was not decodable, in words */
const char *ngx_vidcast_jpeg_decoder_error(ngx_vidcast_jpeg_decoder_t *dec);


/* one per thread; NULL: no memory */
ngx_vidcast_jpeg_turner_t *ngx_vidcast_jpeg_turner_create(void);

/*
 * Turns a JPEG that lies as "orientation" says, without decoding its pixels,
 * so without loss; blocks that are not whole, at what becomes the left or the
 * upper edge, are cut off, up to 15 pixels, and so is what says how it lies.
 * *info becomes that of the turned one, which is the turner's memory, valid
 * until the next call.  NULL: the library refuses it, or no memory.
 */
u_char *ngx_vidcast_jpeg_turn_lossless(ngx_vidcast_jpeg_turner_t *turner,
    const u_char *data, ngx_vidcast_jpeg_info_t *info, ngx_uint_t orientation);
const char *ngx_vidcast_jpeg_turner_error(ngx_vidcast_jpeg_turner_t *turner);


#endif /* _NGX_VIDCAST_JPEG_H_INCLUDED_ */
