
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _VIDCAST_ONNX_LABELS_H_INCLUDED_
#define _VIDCAST_ONNX_LABELS_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


/* the names of classes */

#define VIDCAST_ONNX_LABELS       65536
#define VIDCAST_ONNX_LABEL_LEN    128       /* the null included */


typedef struct {
    char       **elts;
    uint32_t     n;
    char        *text;
    const char  *from;      /* for messages: their file */
} vidcast_onnx_labels_t;


/* a file of one a line; VIDCAST_OK; VIDCAST_ERROR: reason in "error" */
int vidcast_onnx_labels_read(vidcast_onnx_labels_t *labels, const char *file,
    char *error);

/*
 * Of a text of one a line.  VIDCAST_OK; VIDCAST_ERROR: reason in "error",
 * without the file's name.
 */
int vidcast_onnx_labels_lines(vidcast_onnx_labels_t *labels, const char *text,
    size_t len, char *error);

/*
 * What exporters put into models as "names": a dictionary, or a list, of
 * Python's, {0: 'person', 1: "driver's"}.  VIDCAST_ERROR: it is none.
 */
int vidcast_onnx_labels_names(vidcast_onnx_labels_t *labels, const char *text);

/* bytes of one character of UTF-8; 0: it is none */
size_t vidcast_onnx_labels_char(const unsigned char *p);

void vidcast_onnx_labels_free(vidcast_onnx_labels_t *labels);

/* in words, or as a number in "buf" */
const char *vidcast_onnx_labels_name(const vidcast_onnx_labels_t *labels,
    uint32_t first, uint32_t class, char *buf, size_t size);


#endif /* _VIDCAST_ONNX_LABELS_H_INCLUDED_ */
