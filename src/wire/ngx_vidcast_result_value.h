
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_RESULT_VALUE_H_INCLUDED_
#define _NGX_VIDCAST_RESULT_VALUE_H_INCLUDED_


#include "core/ngx_vidcast.h"
#include "media/ngx_vidcast_resize.h"
#include "vidcast_plugin.h"


/*
 * The value of "result" in what viewers get: JSON of a predictor, or of a
 * publisher.  It comes from code of others: nothing of it is believed.
 */

/* of a label there is this much, escaped, with numbers of ten digits around */

#define NGX_VIDCAST_RESULT_LABEL      256
#define NGX_VIDCAST_RESULT_DETECTION  (6 * NGX_VIDCAST_RESULT_LABEL + 160)


/* of key points outside of the frame, farther is as far, in pixels */

#define NGX_VIDCAST_RESULT_FAR        99999


/* a member of "detections", in pixels of the frame */

typedef struct {
    const char  *label;       /* NULL: none */
    ngx_int_t    score;       /* thousandths; negative: none */
    int64_t      track;       /* negative: none */
    uint32_t     x;
    uint32_t     y;
    uint32_t     width;
    uint32_t     height;
} ngx_vidcast_result_detection_t;


/*
 * A publisher's: is this one JSON value (RFC 8259), and nothing else?  White
 * space around it is cut, *size being what is left, and line feeds, carriage
 * returns and tabs in it become spaces, so that it can stand in a line;
 * otherwise it stays as it is.  NGX_OK; NGX_DECLINED: no, or too deep for the
 * library, or no memory.
 */
ngx_int_t ngx_vidcast_result_value_check(u_char *data, size_t *size);

/*
 * A predictor's:
 *
 *     NGX_OK        *size is the length of what is in "dst"
 *     NGX_DECLINED  it is no answer, reason in "error"
 *     NGX_BUSY      it is larger than the *size that there is room for
 */

/*
 * One JSON value; its text is kept as it is, on one line, without the blanks
 * around it.
 */
ngx_int_t ngx_vidcast_result_value_text(const u_char *json, size_t len,
    u_char *dst, size_t *size, u_char *error);

/* the same of what is known to be one JSON value; never NGX_DECLINED */
ngx_int_t ngx_vidcast_result_value_copy(const u_char *json, size_t len,
    u_char *dst, size_t *size);

/*
 * A plugin's: its JSON, its detections, which become pixels of the frame of
 * width x height that "fit" was made of, or both.
 */
ngx_int_t ngx_vidcast_result_value_plugin(const vidcast_answer_t *answer,
    const ngx_vidcast_resize_t *fit, uint32_t width, uint32_t height,
    u_char *dst, size_t *size, u_char *error);

/*
 * The text of a detection, of every predictor that is not free to write its
 * own; at most NGX_VIDCAST_RESULT_DETECTION bytes.  Its last brace is left to
 * the caller, which may add members.
 */
u_char *ngx_vidcast_result_value_detection(u_char *p,
    const ngx_vidcast_result_detection_t *found);


#endif /* _NGX_VIDCAST_RESULT_VALUE_H_INCLUDED_ */
