
/*
 * Copyright (C) vidcast contributors
 */


#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "wire/multipart/ngx_vidcast_multipart_reader.h"


#define NGX_VIDCAST_MULTIPART_TEM     0x01
#define NGX_VIDCAST_MULTIPART_SOF0    0xc0
#define NGX_VIDCAST_MULTIPART_DHT     0xc4
#define NGX_VIDCAST_MULTIPART_RST0    0xd0
#define NGX_VIDCAST_MULTIPART_RST7    0xd7
#define NGX_VIDCAST_MULTIPART_SOI     0xd8
#define NGX_VIDCAST_MULTIPART_EOI     0xd9
#define NGX_VIDCAST_MULTIPART_SOS     0xda
#define NGX_VIDCAST_MULTIPART_DQT     0xdb
#define NGX_VIDCAST_MULTIPART_DNL     0xdc
#define NGX_VIDCAST_MULTIPART_DRI     0xdd
#define NGX_VIDCAST_MULTIPART_APP0    0xe0
#define NGX_VIDCAST_MULTIPART_APP15   0xef
#define NGX_VIDCAST_MULTIPART_COM     0xfe

#define NGX_VIDCAST_MULTIPART_LINE    4096     /* bytes, more is no text */
#define NGX_VIDCAST_MULTIPART_TAIL    256      /* of such a line is kept */

/* a shorter one may be found in any picture */

#define NGX_VIDCAST_MULTIPART_RARE    6

/* before it, and what is searched again when there is more of a line */

#define NGX_VIDCAST_MULTIPART_DASHES  8
#define NGX_VIDCAST_MULTIPART_OVERLAP                                         \
    (NGX_VIDCAST_MULTIPART_BOUNDARY + NGX_VIDCAST_MULTIPART_DASHES + 4)

/* before SOI is found at least so many bytes have to be there */

#define NGX_VIDCAST_MULTIPART_MAGIC   3


static int ngx_vidcast_multipart_append(
    ngx_vidcast_multipart_reader_t *reader, const void *data, size_t size);
static void ngx_vidcast_multipart_compact(
    ngx_vidcast_multipart_reader_t *reader);
static int ngx_vidcast_multipart_text(ngx_vidcast_multipart_reader_t *reader);
static void ngx_vidcast_multipart_line(ngx_vidcast_multipart_reader_t *reader,
    const uint8_t *line, size_t len);
static int ngx_vidcast_multipart_is_boundary(
    ngx_vidcast_multipart_reader_t *reader, const uint8_t *line, size_t len);
static int ngx_vidcast_multipart_matches(
    ngx_vidcast_multipart_reader_t *reader, const uint8_t *line, size_t len);
static void ngx_vidcast_multipart_learn(ngx_vidcast_multipart_reader_t *reader,
    const char *value, size_t len);
static int ngx_vidcast_multipart_header(
    ngx_vidcast_multipart_reader_t *reader, const uint8_t *line, size_t len);
static int ngx_vidcast_multipart_is_picture(
    ngx_vidcast_multipart_reader_t *reader);
static void ngx_vidcast_multipart_begin(ngx_vidcast_multipart_reader_t *reader,
    size_t start);
static int ngx_vidcast_multipart_walk(ngx_vidcast_multipart_reader_t *reader);
static int ngx_vidcast_multipart_run(ngx_vidcast_multipart_reader_t *reader,
    size_t to);
static int ngx_vidcast_multipart_marker(
    ngx_vidcast_multipart_reader_t *reader, size_t marker, size_t code);
static int ngx_vidcast_multipart_go(ngx_vidcast_multipart_reader_t *reader,
    size_t pos);
static int ngx_vidcast_multipart_is_segment(
    ngx_vidcast_multipart_reader_t *reader, uint8_t code);
static size_t ngx_vidcast_multipart_find(
    ngx_vidcast_multipart_reader_t *reader, size_t from, size_t to);
static void ngx_vidcast_multipart_end(ngx_vidcast_multipart_reader_t *reader,
    size_t end, ngx_vidcast_multipart_end_e how);
static const char *ngx_vidcast_multipart_param(const char *type,
    const char *name, size_t *len);


void
ngx_vidcast_multipart_reader_init(ngx_vidcast_multipart_reader_t *reader,
    const char *type)
{
    size_t       len;
    const char  *boundary;

    memset(reader, 0, sizeof(ngx_vidcast_multipart_reader_t));

    reader->headers = 1;
    reader->armed = 1;

    if (type == NULL) {
        return;
    }

    boundary = ngx_vidcast_multipart_param(type, "boundary", &len);

    if (boundary) {
        ngx_vidcast_multipart_learn(reader, boundary, len);
    }
}


void
ngx_vidcast_multipart_reader_free(ngx_vidcast_multipart_reader_t *reader)
{
    free(reader->data);

    reader->data = NULL;
    reader->size = 0;
    reader->capacity = 0;
}


int
ngx_vidcast_multipart_reader_feed(ngx_vidcast_multipart_reader_t *reader,
    const void *data, size_t size)
{
    int  more;

    if (ngx_vidcast_multipart_append(reader, data, size) != 0) {
        return -1;
    }

    do {
        more = reader->inside ? ngx_vidcast_multipart_walk(reader)
                              : ngx_vidcast_multipart_text(reader);
    } while (more);

    ngx_vidcast_multipart_compact(reader);

    return 0;
}


void
ngx_vidcast_multipart_reader_finish(ngx_vidcast_multipart_reader_t *reader)
{
    if (reader->inside) {
        ngx_vidcast_multipart_end(reader, reader->size,
                                  NGX_VIDCAST_MULTIPART_CUT);
    }

    reader->size = 0;
    reader->start = 0;
    reader->pos = 0;
}


static int
ngx_vidcast_multipart_append(ngx_vidcast_multipart_reader_t *reader,
    const void *data, size_t size)
{
    size_t    capacity;
    uint8_t  *p;

    if (size == 0) {
        return 0;
    }

    if (reader->capacity - reader->size < size) {

        capacity = reader->capacity + reader->capacity / 2;

        if (capacity < reader->size + size) {
            capacity = reader->size + size;
        }

        p = realloc(reader->data, capacity);

        if (p == NULL) {
            return -1;
        }

        reader->data = p;
        reader->capacity = capacity;
    }

    memcpy(reader->data + reader->size, data, size);
    reader->size += size;

    return 0;
}


/* what is done is no longer needed */

static void
ngx_vidcast_multipart_compact(ngx_vidcast_multipart_reader_t *reader)
{
    size_t  start;

    start = reader->start;

    if (start == 0) {
        return;
    }

    reader->size -= start;
    reader->pos -= start;
    reader->start = 0;

    if (reader->scan) {
        reader->scan -= start;
        reader->run -= start;
        reader->seen -= start;
    }

    memmove(reader->data, reader->data + start, reader->size);
}


/* between pictures, line by line; 0: all of it has been looked at */

static int
ngx_vidcast_multipart_text(ngx_vidcast_multipart_reader_t *reader)
{
    uint8_t  *p, *last, *end, *soi;

    static const uint8_t  magic[] = { 0xff, NGX_VIDCAST_MULTIPART_SOI, 0xff };

    for ( ;; ) {
        p = reader->data + reader->start;
        last = reader->data + reader->size;

        end = (p < last) ? memchr(p, '\n', last - p) : NULL;
        soi = (p < last) ? memmem(p, (end ? end : last) - p, magic,
                                  NGX_VIDCAST_MULTIPART_MAGIC)
                         : NULL;

        if (soi) {

            if (soi > p) {
                ngx_vidcast_multipart_line(reader, p, soi - p);
            }

            if (reader->armed || reader->fresh) {
                ngx_vidcast_multipart_begin(reader, soi - reader->data);
                return 1;
            }

            reader->start = soi + NGX_VIDCAST_MULTIPART_MAGIC - 1
                            - reader->data;
            continue;
        }

        if (end) {
            ngx_vidcast_multipart_line(reader, p, end - p);
            reader->start = end + 1 - reader->data;
            continue;
        }

        if (last - p > NGX_VIDCAST_MULTIPART_LINE) {
            reader->start = reader->size - NGX_VIDCAST_MULTIPART_TAIL;
        }

        reader->pos = reader->size;

        return 0;
    }
}


/* without its end, which may be that of a picture */

static void
ngx_vidcast_multipart_line(ngx_vidcast_multipart_reader_t *reader,
    const uint8_t *line, size_t len)
{
    while (len && (line[len - 1] == '\r' || line[len - 1] == ' '
                   || line[len - 1] == '\t'))
    {
        len--;
    }

    if (ngx_vidcast_multipart_is_boundary(reader, line, len)) {
        reader->parts++;
        reader->type[0] = '\0';
        reader->headers = 1;
        reader->armed = !(reader->single && reader->pictures);
        reader->fresh = 0;

        return;
    }

    if (len == 0) {

        if (reader->headers && reader->type[0]) {
            reader->headers = 0;
            reader->fresh = reader->armed;
            reader->armed = ngx_vidcast_multipart_is_picture(reader);
        }

        return;
    }

    if (!ngx_vidcast_multipart_header(reader, line, len)) {
        reader->fresh = 0;
    }
}


static int
ngx_vidcast_multipart_is_boundary(ngx_vidcast_multipart_reader_t *reader,
    const uint8_t *line, size_t len)
{
    size_t  i, letters;

    if (ngx_vidcast_multipart_matches(reader, line, len)) {
        reader->sure = 1;
        return 1;
    }

    /* not the one that was announced, if any was, and it has never come */

    if (reader->sure
        || len < 3 || len > NGX_VIDCAST_MULTIPART_BOUNDARY + 4
        || line[0] != '-' || line[1] != '-')
    {
        return 0;
    }

    letters = 0;

    for (i = 0; i < len; i++) {
        if (line[i] < 0x21 || line[i] > 0x7e) {
            return 0;
        }

        letters += (isalnum(line[i]) != 0);
    }

    if (letters == 0) {
        return 0;
    }

    ngx_vidcast_multipart_learn(reader, (const char *) line, len);

    reader->sure = (reader->boundary_len != 0);

    return reader->sure;
}


/*
 * Dashes before it are not counted, and two behind it say that it is the last
 * one.  It may have something before it which is the end of the picture.
 */

static int
ngx_vidcast_multipart_matches(ngx_vidcast_multipart_reader_t *reader,
    const uint8_t *line, size_t len)
{
    size_t          n, skip;
    const uint8_t  *p;

    n = reader->boundary_len;

    if (n == 0 || len < n) {
        return 0;
    }

    for (skip = 0; skip <= 2; skip += 2) {

        if (len < n + skip
            || (skip && memcmp(line + len - skip, "--", 2) != 0))
        {
            break;
        }

        p = line + len - skip - n;

        if (memcmp(p, reader->boundary, n) != 0) {
            continue;
        }

        if (p == line || (p - line >= 2 && p[-1] == '-' && p[-2] == '-')) {
            return 1;
        }

        /* announced with one dash, or sent with it */

        if (p - line == 1 && p[-1] == '-') {
            return 1;
        }
    }

    return 0;
}


static void
ngx_vidcast_multipart_learn(ngx_vidcast_multipart_reader_t *reader,
    const char *value, size_t len)
{
    while (len && *value == '-') {
        value++;
        len--;
    }

    if (len > NGX_VIDCAST_MULTIPART_BOUNDARY) {
        len = 0;
    }

    memcpy(reader->boundary, value, len);
    reader->boundary_len = len;
}


/* "Content-Type" or "Content-Length": a part begins, if nothing else says so */

static int
ngx_vidcast_multipart_header(ngx_vidcast_multipart_reader_t *reader,
    const uint8_t *line, size_t len)
{
    size_t  n;

    static const char  prefix[] = "content-";
    static const char  type[] = "content-type";

    if (len < sizeof(prefix) - 1
        || strncasecmp((const char *) line, prefix, sizeof(prefix) - 1) != 0
        || memchr(line, ':', len) == NULL)
    {
        return 0;
    }

    if (!reader->headers) {
        reader->parts++;
        reader->type[0] = '\0';
        reader->headers = 1;
        reader->armed = !(reader->single && reader->pictures);
    }

    if (reader->parts == 0) {
        reader->parts = 1;
    }

    if (len < sizeof(type)
        || strncasecmp((const char *) line, type, sizeof(type) - 1) != 0)
    {
        if (reader->type[0] == '\0') {
            reader->type[0] = '*';
            reader->type[1] = '\0';
        }

        return 1;
    }

    line += sizeof(type) - 1;
    len -= sizeof(type) - 1;

    while (len && (*line == ':' || *line == ' ' || *line == '\t')) {
        line++;
        len--;
    }

    for (n = 0; n < len && n < sizeof(reader->type) - 1; n++) {
        if (line[n] == ';' || line[n] <= 0x20 || line[n] > 0x7e) {
            break;
        }

        reader->type[n] = line[n];
    }

    reader->type[n] = '\0';

    return 1;
}


/* may there be a picture behind the first bytes of this part? */

static int
ngx_vidcast_multipart_is_picture(ngx_vidcast_multipart_reader_t *reader)
{
    const char  *type;

    type = reader->type;

    if (!reader->armed) {
        return 0;
    }

    return *type == '\0' || *type == '*'
           || strncasecmp(type, "image/j", 7) == 0
           || strncasecmp(type, "image/pj", 8) == 0
           || strncasecmp(type, "image/x-j", 9) == 0
           || strncasecmp(type, "application/octet", 17) == 0;
}


static void
ngx_vidcast_multipart_begin(ngx_vidcast_multipart_reader_t *reader,
    size_t start)
{
    reader->start = start;
    reader->pos = start + 2;
    reader->scan = 0;
    reader->inside = 1;
}


/* 0: all of it has been looked at, and it has not ended */

static int
ngx_vidcast_multipart_walk(ngx_vidcast_multipart_reader_t *reader)
{
    size_t    marker;
    uint8_t  *p, *last;

    for ( ;; ) {
        p = reader->data + reader->pos;
        last = reader->data + reader->size;

        p = (p < last) ? memchr(p, 0xff, last - p) : NULL;

        marker = (p ? p : last) - reader->data;

        if (ngx_vidcast_multipart_run(reader, marker)) {
            return 1;
        }

        if (p == NULL) {
            reader->pos = reader->size;
            break;
        }

        while (p < last && *p == 0xff) {
            p++;
        }

        if (p == last) {
            reader->pos = reader->size - 1;
            break;
        }

        if (!ngx_vidcast_multipart_marker(reader, marker, p - reader->data)) {
            break;
        }

        if (!reader->inside) {
            return 1;
        }
    }

    if (reader->max && reader->size - reader->start > reader->max) {
        ngx_vidcast_multipart_end(reader, reader->pos,
                                  NGX_VIDCAST_MULTIPART_LARGE);
        return 1;
    }

    return 0;
}


/* 1: it has ended, as there is a boundary in what has no marker up to "to" */

static int
ngx_vidcast_multipart_run(ngx_vidcast_multipart_reader_t *reader, size_t to)
{
    size_t  from, end;

    if (reader->scan == 0
        || reader->boundary_len < NGX_VIDCAST_MULTIPART_RARE)
    {
        return 0;
    }

    from = reader->run;

    if (reader->seen > from + NGX_VIDCAST_MULTIPART_OVERLAP) {
        from = reader->seen - NGX_VIDCAST_MULTIPART_OVERLAP;
    }

    reader->seen = to;

    end = ngx_vidcast_multipart_find(reader, from, to);

    if (end == 0) {
        return 0;
    }

    ngx_vidcast_multipart_end(reader, end, NGX_VIDCAST_MULTIPART_CUT);

    return 1;
}


/* 0: it is not there yet; the picture may end by it */

static int
ngx_vidcast_multipart_marker(ngx_vidcast_multipart_reader_t *reader,
    size_t marker, size_t code)
{
    size_t    len, end;
    uint8_t  *p;

    p = reader->data + code;

    if (*p == NGX_VIDCAST_MULTIPART_EOI) {
        ngx_vidcast_multipart_end(reader, code + 1,
                                  NGX_VIDCAST_MULTIPART_WHOLE);
        return 1;
    }

    if (*p == NGX_VIDCAST_MULTIPART_SOI) {

        if (reader->size - code < 2) {
            reader->pos = marker;
            return 0;
        }

        if (p[1] != 0xff) {
            return ngx_vidcast_multipart_go(reader, code + 1);
        }

        /* the last 0xff before the code is the marker's own */

        marker = code - 1;

        if (marker == reader->start + 2) {
            ngx_vidcast_multipart_begin(reader, marker);
            return 1;
        }

        end = ngx_vidcast_multipart_find(reader,
                                         reader->scan ? reader->scan
                                                      : reader->start,
                                         marker);

        ngx_vidcast_multipart_end(reader, end ? end : marker,
                                  NGX_VIDCAST_MULTIPART_CUT);

        if (end == 0) {
            reader->armed = !(reader->single && reader->pictures);
        }

        return 1;
    }

    if (!ngx_vidcast_multipart_is_segment(reader, *p)) {
        return ngx_vidcast_multipart_go(reader, code + 1);
    }

    if (reader->size - code < 3) {
        reader->pos = marker;
        return 0;
    }

    len = p[1] << 8 | p[2];

    if (len < 2) {
        return ngx_vidcast_multipart_go(reader, code + 1);
    }

    end = code + 1 + len;

    if (end > reader->size) {
        reader->pos = marker;
        return 0;
    }

    if (*p == NGX_VIDCAST_MULTIPART_SOS && reader->scan == 0) {
        reader->scan = end;
    }

    return ngx_vidcast_multipart_go(reader, end);
}


static int
ngx_vidcast_multipart_go(ngx_vidcast_multipart_reader_t *reader, size_t pos)
{
    reader->pos = pos;
    reader->run = pos;
    reader->seen = pos;

    return 1;
}


/* behind the first scan, damaged data are not to be taken for a segment */

static int
ngx_vidcast_multipart_is_segment(ngx_vidcast_multipart_reader_t *reader,
    uint8_t code)
{
    if (code < NGX_VIDCAST_MULTIPART_SOF0
        || (code >= NGX_VIDCAST_MULTIPART_RST0
            && code <= NGX_VIDCAST_MULTIPART_RST7))
    {
        return 0;
    }

    if (reader->scan == 0) {
        return code != 0xff;
    }

    return code == NGX_VIDCAST_MULTIPART_DHT
           || code == NGX_VIDCAST_MULTIPART_SOS
           || code == NGX_VIDCAST_MULTIPART_DQT
           || code == NGX_VIDCAST_MULTIPART_DNL
           || code == NGX_VIDCAST_MULTIPART_DRI
           || code == NGX_VIDCAST_MULTIPART_COM
           || (code >= NGX_VIDCAST_MULTIPART_APP0
               && code <= NGX_VIDCAST_MULTIPART_APP15);
}


/* the end of line before a boundary, which is a whole line; 0: there is none */

static size_t
ngx_vidcast_multipart_find(ngx_vidcast_multipart_reader_t *reader, size_t from,
    size_t to)
{
    size_t    n;
    uint8_t  *p, *q, *first, *last;

    n = reader->boundary_len;
    first = reader->data + from;
    last = reader->data + to;

    for (p = first; n && last - p > (ptrdiff_t) n; p = q + 1) {

        /* with a byte behind it */

        q = memmem(p, last - p - 1, reader->boundary, n);

        if (q == NULL) {
            break;
        }

        if (q[n] != '\r' && q[n] != '\n' && q[n] != '-') {
            continue;
        }

        for (p = q; p > first && p[-1] == '-'; p--) {
            if (q - p == NGX_VIDCAST_MULTIPART_DASHES) {
                break;
            }
        }

        if (p == first || p[-1] != '\n') {
            continue;
        }

        p--;

        if (p > first && p[-1] == '\r') {
            p--;
        }

        return p - reader->data;
    }

    return 0;
}


/* what follows in the same part is none, if there are parts */

static void
ngx_vidcast_multipart_end(ngx_vidcast_multipart_reader_t *reader, size_t end,
    ngx_vidcast_multipart_end_e how)
{
    size_t          size;
    const uint8_t  *data;

    data = reader->data + reader->start;
    size = end - reader->start;

    reader->inside = 0;
    reader->fresh = 0;
    reader->headers = 0;
    reader->start = end;
    reader->pos = end;
    reader->scan = 0;
    reader->pictures++;
    reader->armed = (reader->parts == 0 && !reader->single);

    if (how == NGX_VIDCAST_MULTIPART_LARGE) {
        data = NULL;
    }

    reader->picture(reader->context, how, data, size);
}


ngx_vidcast_multipart_kind_e
ngx_vidcast_multipart_sniff(const char *type, const void *data, size_t size)
{
    const uint8_t  *p, *last;

    p = data;
    last = p + size;

    if (type && strncasecmp(type, "multipart/", 10) == 0) {
        return NGX_VIDCAST_MULTIPART_PARTS;
    }

    while (p < last && (*p == '\r' || *p == '\n' || *p == ' ')) {
        p++;
    }

    if (last - p >= NGX_VIDCAST_MULTIPART_MAGIC
        && p[0] == 0xff && p[1] == NGX_VIDCAST_MULTIPART_SOI && p[2] == 0xff)
    {
        return NGX_VIDCAST_MULTIPART_JPEG;
    }

    if (last - p >= 3 && p[0] == '-' && p[1] == '-' && p[2] > 0x20) {
        return NGX_VIDCAST_MULTIPART_PARTS;
    }

    if (last - p >= 8) {
        return strncasecmp((const char *) p, "content-", 8) == 0
                   ? NGX_VIDCAST_MULTIPART_PARTS : NGX_VIDCAST_MULTIPART_OTHER;
    }

    if (last - p >= NGX_VIDCAST_MULTIPART_MAGIC
        && strncasecmp((const char *) p, "content-", last - p) != 0)
    {
        return NGX_VIDCAST_MULTIPART_OTHER;
    }

    return NGX_VIDCAST_MULTIPART_MORE;
}


/* a parameter behind a type, without quotes; NULL: there is none */

static const char *
ngx_vidcast_multipart_param(const char *type, const char *name, size_t *len)
{
    size_t       n;
    const char  *p, *end;

    n = strlen(name);

    for (p = strchr(type, ';'); p; p = strchr(p, ';')) {

        do {
            p++;
        } while (*p == ' ' || *p == '\t');

        if (strncasecmp(p, name, n) != 0) {
            continue;
        }

        p += n;

        while (*p == ' ' || *p == '\t') {
            p++;
        }

        if (*p != '=') {
            continue;
        }

        do {
            p++;
        } while (*p == ' ' || *p == '\t');

        if (*p == '"') {
            p++;
            end = p + strcspn(p, "\"\r\n");

        } else {
            end = p + strcspn(p, ";, \t\r\n");
        }

        *len = end - p;

        return p;
    }

    return NULL;
}
