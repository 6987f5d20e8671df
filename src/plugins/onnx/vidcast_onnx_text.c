
/*
 * Copyright (C) vidcast contributors
 */


#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/onnx/vidcast_onnx_labels.h"
#include "plugins/onnx/vidcast_onnx_text.h"


/* powers of ten which bring any float32 to nine digits before the point */

#define VIDCAST_ONNX_TEXT_LEAST  (-30)

/* what is larger has no digits behind the point to be rounded */

#define VIDCAST_ONNX_TEXT_MOST   1e15


static const double  vidcast_onnx_text_tens[] = {
    1e-30, 1e-29, 1e-28, 1e-27, 1e-26, 1e-25, 1e-24, 1e-23, 1e-22,
    1e-21, 1e-20, 1e-19, 1e-18, 1e-17, 1e-16, 1e-15, 1e-14, 1e-13,
    1e-12, 1e-11, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4,
    1e-3, 1e-2, 1e-1, 1e0, 1e1, 1e2, 1e3, 1e4, 1e5,
    1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14,
    1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22, 1e23,
    1e24, 1e25, 1e26, 1e27, 1e28, 1e29, 1e30, 1e31, 1e32,
    1e33, 1e34, 1e35, 1e36, 1e37, 1e38, 1e39, 1e40, 1e41,
    1e42, 1e43, 1e44, 1e45, 1e46, 1e47, 1e48, 1e49, 1e50,
    1e51, 1e52, 1e53
};


static void vidcast_onnx_text_bytes(vidcast_onnx_text_t *text,
    const char *bytes, size_t len);
static char *vidcast_onnx_text_place(char *p, uint64_t digits, int exponent);
static char *vidcast_onnx_text_decimal(char *p, uint64_t n);


void
vidcast_onnx_text_add(vidcast_onnx_text_t *text, const char *bytes)
{
    vidcast_onnx_text_bytes(text, bytes, strlen(bytes));
}


static void
vidcast_onnx_text_bytes(vidcast_onnx_text_t *text, const char *bytes,
    size_t len)
{
    char    *data;
    size_t   room;

    if (text->failed || len == 0) {
        return;
    }

    if (text->room - text->len < len) {
        room = 2 * (text->room + len) + 256;
        data = realloc(text->data, room);

        if (data == NULL) {
            text->failed = 1;
            return;
        }

        text->data = data;
        text->room = room;
    }

    memcpy(text->data + text->len, bytes, len);
    text->len += len;
}


void
vidcast_onnx_text_string(vidcast_onnx_text_t *text, const char *string)
{
    char           buf[8];
    size_t         n;
    unsigned char  c;

    vidcast_onnx_text_add(text, "\"");

    for ( /* void */ ; *string; string += n) {
        c = (unsigned char) *string;
        n = vidcast_onnx_labels_char((const unsigned char *) string);

        if (n == 0) {
            vidcast_onnx_text_add(text, "?");
            n = 1;
            continue;
        }

        if (c < ' ') {
            (void) snprintf(buf, sizeof(buf), "\\u%04x", c);
            vidcast_onnx_text_add(text, buf);
            continue;
        }

        if (c == '"' || c == '\\') {
            vidcast_onnx_text_add(text, "\\");
        }

        vidcast_onnx_text_bytes(text, string, n);
    }

    vidcast_onnx_text_add(text, "\"");
}


void
vidcast_onnx_text_number(vidcast_onnx_text_t *text, double number, int digits)
{
    char  buf[40];

    if (!isfinite(number)) {
        vidcast_onnx_text_add(text, "null");
        return;
    }

    (void) snprintf(buf, sizeof(buf), "%.*g", digits, number);
    vidcast_onnx_text_add(text, buf);
}


void
vidcast_onnx_text_rounded(vidcast_onnx_text_t *text, double number, int digits)
{
    char    buf[40], *p;
    double  scaled;

    scaled = fabs(number) * vidcast_onnx_text_tens[digits
                                                   - VIDCAST_ONNX_TEXT_LEAST];

    if (!(scaled < VIDCAST_ONNX_TEXT_MOST)) {
        vidcast_onnx_text_number(text, number, 17);
        return;
    }

    scaled = rint(scaled);
    p = buf;

    if (scaled == 0) {
        vidcast_onnx_text_add(text, "0");
        return;
    }

    if (number < 0) {
        *p++ = '-';
    }

    /* the place of the first digit, by that of the last one */

    p = vidcast_onnx_text_place(p, (uint64_t) scaled, -digits);

    vidcast_onnx_text_bytes(text, buf, p - buf);
}


/*
 * Nine digits always tell one float32 from all others.  From them digits are
 * taken as long as what is left is nearer to this number than to its
 * neighbors, of which the lower one may be at half the distance.
 */

void
vidcast_onnx_text_exact(vidcast_onnx_text_t *text, double number, int bits,
    int least)
{
    int      e, exponent;
    char     buf[40], *p;
    double   scaled, near, unit, shorter, digits;

    if (number == 0 || !isfinite(number)) {
        vidcast_onnx_text_number(text, number, 1);
        return;
    }

    p = buf;

    if (number < 0) {
        *p++ = '-';
        number = -number;
    }

    near = frexp(number, &exponent) == .5 ? .25 : .5;

    e = (int) floor((exponent - 1) * 0.30103);
    scaled = number * vidcast_onnx_text_tens[8 - e - VIDCAST_ONNX_TEXT_LEAST];

    if (scaled >= 1e9) {
        e++;
        scaled = number
                 * vidcast_onnx_text_tens[8 - e - VIDCAST_ONNX_TEXT_LEAST];
    }

    exponent = (exponent - bits > least) ? exponent - bits : least;

    /* less what doubles do not have exactly */

    near = ldexp(near, exponent)
           * vidcast_onnx_text_tens[8 - e - VIDCAST_ONNX_TEXT_LEAST] - 1e-5;

    digits = rint(scaled);

    for (unit = 10; unit < 1e9; unit *= 10) {
        shorter = rint(scaled / unit) * unit;

        if (!(fabs(shorter - scaled) < near)) {
            break;
        }

        digits = shorter;
    }

    p = vidcast_onnx_text_place(p, (uint64_t) digits, e - 8);

    vidcast_onnx_text_bytes(text, buf, p - buf);
}


/* digits times a power of ten, without zeros at the end */

static char *
vidcast_onnx_text_place(char *p, uint64_t digits, int exponent)
{
    int   i, n, first;
    char  buf[20];

    n = (int) (vidcast_onnx_text_decimal(buf, digits) - buf);
    first = exponent + n - 1;

    while (n > 1 && buf[n - 1] == '0') {
        n--;
    }

    if (first < -4 || first > 14) {
        *p++ = buf[0];

        if (n > 1) {
            *p++ = '.';
            memcpy(p, buf + 1, n - 1);
            p += n - 1;
        }

        *p++ = 'e';

        if (first < 0) {
            *p++ = '-';
        }

        return vidcast_onnx_text_decimal(p, (uint64_t) abs(first));
    }

    if (first < 0) {
        *p++ = '0';
        *p++ = '.';

        for (i = -1; i > first; i--) {
            *p++ = '0';
        }
    }

    for (i = 0; i < n || i <= first; i++) {

        if (i && i == first + 1) {
            *p++ = '.';
        }

        *p++ = (i < n) ? buf[i] : '0';
    }

    return p;
}


static char *
vidcast_onnx_text_decimal(char *p, uint64_t n)
{
    char    buf[20];
    size_t  i;

    i = sizeof(buf);

    do {
        buf[--i] = (char) ('0' + n % 10);
        n /= 10;
    } while (n);

    memcpy(p, buf + i, sizeof(buf) - i);

    return p + sizeof(buf) - i;
}


void
vidcast_onnx_text_free(vidcast_onnx_text_t *text)
{
    free(text->data);

    memset(text, 0, sizeof(vidcast_onnx_text_t));
}
