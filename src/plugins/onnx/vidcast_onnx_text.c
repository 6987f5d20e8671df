
/*
 * Copyright (C) vidcast contributors
 */


#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/onnx/vidcast_onnx_text.h"


static void vidcast_onnx_text_bytes(vidcast_onnx_text_t *text,
    const char *bytes, size_t len);


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
    unsigned char  c;

    vidcast_onnx_text_add(text, "\"");

    for ( /* void */ ; *string; string++) {
        c = (unsigned char) *string;

        if (c < ' ') {
            (void) snprintf(buf, sizeof(buf), "\\u%04x", c);
            vidcast_onnx_text_add(text, buf);
            continue;
        }

        if (c == '"' || c == '\\') {
            vidcast_onnx_text_add(text, "\\");
        }

        vidcast_onnx_text_bytes(text, string, 1);
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
vidcast_onnx_text_free(vidcast_onnx_text_t *text)
{
    free(text->data);

    memset(text, 0, sizeof(vidcast_onnx_text_t));
}
