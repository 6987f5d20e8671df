
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "media/ngx_vidcast_jpeg.h"


/* where a JPEG is looked for that other bytes stand before */

#define NGX_VIDCAST_JPEG_FAULT_BEHIND  1024


/*
 * What is told of data that are no JPEG for viewers: one reason for each cause.
 * They go into the log, into the status and to publishers, and are to be
 * understood by readers that have never seen the inside of a JPEG.
 */


typedef struct {
    ngx_uint_t      fault;
    size_t          offset;
    ngx_str_t       bytes;
} ngx_vidcast_jpeg_foreign_t;


static ngx_uint_t ngx_vidcast_jpeg_fault_markup(const u_char *data,
    size_t size);
static ngx_uint_t ngx_vidcast_jpeg_fault_printable(const u_char *data,
    size_t size);


static const char  *ngx_vidcast_jpeg_fault_texts[] = {
    "a JPEG that cannot be used",              /* NO_FAULT */

    "an empty picture",                        /* EMPTY */
    "not a JPEG, nor another known picture",   /* UNKNOWN */
    "a JPEG with other bytes before it",       /* BEHIND */
    "text, not a JPEG",                        /* TEXT */
    "HTML, not a JPEG",                        /* HTML */
    "XML or SVG, not a JPEG",                  /* XML */
    "PNG, not a JPEG",                         /* PNG */
    "GIF, not a JPEG",                         /* GIF */
    "WebP, not a JPEG",                        /* WEBP */
    "HEIC or AVIF, not a JPEG",                /* HEIF */
    "TIFF, not a JPEG",                        /* TIFF */
    "JPEG 2000, not a JPEG",                   /* 2000 */
    "JPEG XL, not a JPEG",                     /* XL */
    "a film, not a JPEG",                      /* FILM */

    "a JPEG with arithmetic coding, which browsers do not show",
    "a lossless JPEG, which browsers do not show",
    "a hierarchical JPEG, which browsers do not show",
    "a JPEG with 12 bits a sample, which browsers do not show",
    "a JPEG with a wrong number of bits a sample",
    "a JPEG that is neither gray, nor color, nor CMYK",
    "a JPEG that tells its height at its end (DNL), which browsers do not show",
    "a JPEG without width",
    "a JPEG of more than 16384 pixels in width or height",
    "a JPEG of more than 64 million pixels",
    "a JPEG that claims more pixels than so few bytes can have",
    "a JPEG with a broken header",             /* HEADER */
    "a JPEG with two headers",                 /* FRAMES */
    "a JPEG without a header",                 /* NO_FRAME */
    "a JPEG without a picture in it",          /* NO_SCAN */
    "a JPEG that is broken before its picture begins",
    "a truncated JPEG: it ends before its picture begins",
    "a truncated JPEG: its end is missing"     /* TRUNCATED */
};


static ngx_vidcast_jpeg_foreign_t  ngx_vidcast_jpeg_foreign[] = {
    { NGX_VIDCAST_JPEG_PNG,  0, ngx_string("\x89PNG") },
    { NGX_VIDCAST_JPEG_GIF,  0, ngx_string("GIF8") },
    { NGX_VIDCAST_JPEG_WEBP, 8, ngx_string("WEBP") },
    { NGX_VIDCAST_JPEG_TIFF, 0, ngx_string("II*\0") },
    { NGX_VIDCAST_JPEG_TIFF, 0, ngx_string("MM\0*") },
    { NGX_VIDCAST_JPEG_2000, 4, ngx_string("jP  ") },
    { NGX_VIDCAST_JPEG_2000, 0, ngx_string("\xff\x4f\xff\x51") },
    { NGX_VIDCAST_JPEG_XL,   4, ngx_string("JXL ") },
    { NGX_VIDCAST_JPEG_XL,   0, ngx_string("\xff\x0a") },
    { NGX_VIDCAST_JPEG_HEIF, 4, ngx_string("ftyphei") },
    { NGX_VIDCAST_JPEG_HEIF, 4, ngx_string("ftyphev") },
    { NGX_VIDCAST_JPEG_HEIF, 4, ngx_string("ftypmif1") },
    { NGX_VIDCAST_JPEG_HEIF, 4, ngx_string("ftypmsf1") },
    { NGX_VIDCAST_JPEG_HEIF, 4, ngx_string("ftypavi") },
    { NGX_VIDCAST_JPEG_FILM, 4, ngx_string("ftyp") },
    { NGX_VIDCAST_JPEG_FILM, 8, ngx_string("AVI ") },
    { NGX_VIDCAST_JPEG_FILM, 0, ngx_string("\x1a\x45\xdf\xa3") },
    { NGX_VIDCAST_JPEG_FILM, 0, ngx_string("\0\0\1\xba") },
    { 0, 0, ngx_null_string }
};


const char *
ngx_vidcast_jpeg_fault_text(ngx_uint_t fault)
{
    return (fault < NGX_VIDCAST_JPEG_FAULTS)
           ? ngx_vidcast_jpeg_fault_texts[fault]
           : ngx_vidcast_jpeg_fault_texts[NGX_VIDCAST_JPEG_UNKNOWN];
}


ngx_uint_t
ngx_vidcast_jpeg_fault_foreign(const u_char *data, size_t size)
{
    ngx_uint_t                   fault;
    ngx_vidcast_jpeg_foreign_t  *foreign;

    if (size == 0) {
        return NGX_VIDCAST_JPEG_EMPTY;
    }

    for (foreign = ngx_vidcast_jpeg_foreign; foreign->fault; foreign++) {

        if (size >= foreign->offset + foreign->bytes.len
            && ngx_memcmp(data + foreign->offset, foreign->bytes.data,
                          foreign->bytes.len)
               == 0)
        {
            return foreign->fault;
        }
    }

    if (size == 1 && data[0] == 0xff) {
        return NGX_VIDCAST_JPEG_BEGUN;
    }

    if (memmem(data, ngx_min(size, NGX_VIDCAST_JPEG_FAULT_BEHIND),
               "\xff\xd8\xff", 3))
    {
        return NGX_VIDCAST_JPEG_BEHIND;
    }

    fault = ngx_vidcast_jpeg_fault_markup(data, size);

    if (fault) {
        return fault;
    }

    return ngx_vidcast_jpeg_fault_printable(data, size);
}


static ngx_uint_t
ngx_vidcast_jpeg_fault_markup(const u_char *data, size_t size)
{
    const u_char  *last;

    last = data + size;

    if (size >= 3 && ngx_memcmp(data, "\xef\xbb\xbf", 3) == 0) {
        data += 3;
    }

    while (data < last
           && (*data == ' ' || *data == '\t' || *data == CR || *data == LF))
    {
        data++;
    }

    if (last - data >= 4
        && (ngx_memcmp(data, "<?xm", 4) == 0
            || ngx_memcmp(data, "<svg", 4) == 0))
    {
        return NGX_VIDCAST_JPEG_XML;
    }

    if (last - data < 2 || data[0] != '<') {
        return NGX_VIDCAST_JPEG_NO_FAULT;
    }

    return (data[1] == '!'
            || (data[1] >= 'a' && data[1] <= 'z')
            || (data[1] >= 'A' && data[1] <= 'Z'))
           ? NGX_VIDCAST_JPEG_HTML : NGX_VIDCAST_JPEG_NO_FAULT;
}


static ngx_uint_t
ngx_vidcast_jpeg_fault_printable(const u_char *data, size_t size)
{
    size_t  i;

    for (i = 0; i < size && i < 64; i++) {

        /* the last eight stand in no UTF-8 */

        if (data[i] == 0x7f || data[i] >= 0xf8
            || (data[i] < ' '
                && data[i] != '\t' && data[i] != CR && data[i] != LF))
        {
            return NGX_VIDCAST_JPEG_UNKNOWN;
        }
    }

    return (data[0] < 0x80) ? NGX_VIDCAST_JPEG_TEXT
                            : NGX_VIDCAST_JPEG_UNKNOWN;
}
