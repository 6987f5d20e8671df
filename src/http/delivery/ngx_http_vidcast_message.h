
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_HTTP_VIDCAST_MESSAGE_H_INCLUDED_
#define _NGX_HTTP_VIDCAST_MESSAGE_H_INCLUDED_


#include "http/conf/ngx_http_vidcast_module.h"


typedef struct ngx_http_vidcast_message_s  ngx_http_vidcast_message_t;


/*
 * What viewers are sent, counted by references.  Of a frame "data" is the
 * picture with the headers and the tail of ngx_vidcast_ring.h: in the ring
 * while it is pinned, else "copy", which is in memory of this process.  Of a
 * result "data" is the text with the WebSocket header before it and "\n\n"
 * behind it.
 */

#define NGX_HTTP_VIDCAST_PART_LEN  160

struct ngx_http_vidcast_message_s {
    ngx_uint_t                     refs;
    ngx_http_vidcast_feed_t       *feed;
    ngx_http_vidcast_message_t    *next;      /* of those kept, or free */

    uint64_t                       seq;       /* of the result, or zero */
    u_char                        *data;
    size_t                         size;
    size_t                         header;    /* of a result, WebSocket */

    u_char                        *deflated;  /* a frame of WebSocket */
    size_t                         deflated_size;

    ngx_vidcast_frame_t            frame;
    u_char                        *copy;
    size_t                         part_len;  /* MJPEG: of the header, or 0 */

    unsigned                       pinned:1;
    unsigned                       text:1;    /* a result, or like one */
    unsigned                       plain:1;   /* deflate is not worth it */
};


/*
 * result() the result of this number, if the ring still has it
 * frame()  the newest frame, if it is newer than the feed's
 * at()     a copy of the frame of this number, if it is still in that slot
 * told()   the result with what its viewer missed, or that it is another
 *          series, written in; NULL: no memory
 * error()  a text for one viewer, about what it said; NULL: no memory
 * bytes()  what leaves by WebSocket: with a header of "vidcast.v1" if it is a
 *          frame, compressed if it is text and our window has these bits
 * part()   the header of a frame as a part of MJPEG, "part_len" bytes, which
 *          stay where they are; but for its end, which tells the state
 * duplicate()  gives a frame its "copy", which stays where it is, as output
 *          filters want it; NGX_OK or NGX_ERROR: no memory
 * copy()   the same, and makes the frame independent of the ring
 */
ngx_http_vidcast_message_t *ngx_http_vidcast_message_result(
    ngx_http_vidcast_feed_t *feed, uint64_t seq);
ngx_http_vidcast_message_t *ngx_http_vidcast_message_frame(
    ngx_http_vidcast_feed_t *feed);
ngx_http_vidcast_message_t *ngx_http_vidcast_message_at(
    ngx_http_vidcast_feed_t *feed, uint32_t slot, uint64_t number);
ngx_http_vidcast_message_t *ngx_http_vidcast_message_told(
    ngx_http_vidcast_message_t *message, uint64_t skipped, ngx_uint_t reset);
ngx_http_vidcast_message_t *ngx_http_vidcast_message_error(
    ngx_http_vidcast_feed_t *feed, const char *reason);
void ngx_http_vidcast_message_bytes(ngx_http_vidcast_message_t *message,
    ngx_uint_t v1, ngx_uint_t bits, u_char **data, size_t *size);
u_char *ngx_http_vidcast_message_part(ngx_http_vidcast_message_t *message);
ngx_int_t ngx_http_vidcast_message_duplicate(
    ngx_http_vidcast_message_t *message);
ngx_int_t ngx_http_vidcast_message_copy(ngx_http_vidcast_message_t *message);
void ngx_http_vidcast_message_unref(ngx_http_vidcast_message_t *message);


#endif /* _NGX_HTTP_VIDCAST_MESSAGE_H_INCLUDED_ */
