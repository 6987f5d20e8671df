
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_WS_ASSEMBLER_H_INCLUDED_
#define _NGX_VIDCAST_WS_ASSEMBLER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "wire/ngx_vidcast_ws.h"


/*
 * What a publisher sends in one WebSocket message, put together where it is
 * to stay: a picture, or a text that is JSON.
 */

typedef struct {
    u_char                      *data;       /* room for max_picture bytes */
    size_t                       size;       /* so far */
    size_t                       max_picture;
    size_t                       max_text;   /* max_picture at most */
    ngx_uint_t                   text;
    ngx_uint_t                   code;       /* why it was refused */
    const char                  *reason;
} ngx_vidcast_ws_assembler_t;


/*
 * A chunk of a message, in order; it may stand where buffer() said.  NGX_OK:
 * that is all, "size" and "text" are told; NGX_AGAIN: more of it will come;
 * NGX_DECLINED: 1007 or 1009, see "code", and nothing of it may be used.
 */
ngx_int_t ngx_vidcast_ws_assembler_add(ngx_vidcast_ws_assembler_t *message,
    ngx_vidcast_ws_event_t *event);

/* where the next "size" bytes of the message belong; NULL: not there */
u_char *ngx_vidcast_ws_assembler_buffer(ngx_vidcast_ws_assembler_t *message,
    size_t size);


#endif /* _NGX_VIDCAST_WS_ASSEMBLER_H_INCLUDED_ */
