
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _VIDCAST_ONNX_TEXT_H_INCLUDED_
#define _VIDCAST_ONNX_TEXT_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


/* JSON that is being written; what has failed once stays failed */

typedef struct {
    char      *data;
    size_t     len;
    size_t     room;
    unsigned   failed:1;
} vidcast_onnx_text_t;


void vidcast_onnx_text_add(vidcast_onnx_text_t *text, const char *bytes);

/* quotes around it, and what JSON wants inside; "?" for what is no UTF-8 */
void vidcast_onnx_text_string(vidcast_onnx_text_t *text, const char *string);

/* with at most so many significant digits; "null" for what is no number */
void vidcast_onnx_text_number(vidcast_onnx_text_t *text, double number,
    int digits);

/*
 * The same, for many numbers: with so many digits behind the point, 0 to 9, or
 * with as few as tell it from others of a type, of at most the precision of
 * float32: of so many bits, the least one being 2^least.
 */
void vidcast_onnx_text_rounded(vidcast_onnx_text_t *text, double number,
    int digits);
void vidcast_onnx_text_exact(vidcast_onnx_text_t *text, double number,
    int bits, int least);

void vidcast_onnx_text_free(vidcast_onnx_text_t *text);


#endif /* _VIDCAST_ONNX_TEXT_H_INCLUDED_ */
