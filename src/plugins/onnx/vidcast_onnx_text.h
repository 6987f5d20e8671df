
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _VIDCAST_ONNX_TEXT_H_INCLUDED_
#define _VIDCAST_ONNX_TEXT_H_INCLUDED_


#include <stddef.h>


/* JSON that is being written; what has failed once stays failed */

typedef struct {
    char      *data;
    size_t     len;
    size_t     room;
    unsigned   failed:1;
} vidcast_onnx_text_t;


void vidcast_onnx_text_add(vidcast_onnx_text_t *text, const char *bytes);

/* quotes around it, and what JSON wants inside */
void vidcast_onnx_text_string(vidcast_onnx_text_t *text, const char *string);

/* with at most so many significant digits; "null" for what is no number */
void vidcast_onnx_text_number(vidcast_onnx_text_t *text, double number,
    int digits);

void vidcast_onnx_text_free(vidcast_onnx_text_t *text);


#endif /* _VIDCAST_ONNX_TEXT_H_INCLUDED_ */
