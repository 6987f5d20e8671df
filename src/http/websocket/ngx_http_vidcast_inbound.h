
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_HTTP_VIDCAST_INBOUND_H_INCLUDED_
#define _NGX_HTTP_VIDCAST_INBOUND_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "wire/ngx_vidcast_deflate.h"
#include "wire/ngx_vidcast_ws.h"


/*
 * The data message of a WebSocket that comes in: it is put together, and
 * inflated.  One that comes in one piece is not copied; a long compressed one
 * is inflated as it comes, since all of it at once would take as long as many
 * turns.
 */

typedef struct {
    u_char                 *text;        /* what has come, as it came */
    size_t                  size;
    size_t                  allocated;
    ngx_vidcast_inflate_t  *inflate;     /* in place of it */
    ngx_uint_t              code;        /* why it was refused */
    unsigned                compressed:1;
} ngx_http_vidcast_inbound_t;


/*
 * A chunk of it, in order.  NGX_OK: that was all, *out is the message until
 * forget() and ngx_vidcast_inflate_end(); NGX_AGAIN: more will come; NGX_ERROR:
 * it cannot be read, see "code"; NGX_ABORT: no memory.
 */
ngx_int_t ngx_http_vidcast_inbound_add(ngx_http_vidcast_inbound_t *inbound,
    ngx_vidcast_ws_event_t *event, size_t limit, ngx_str_t *out);

/* frees what there is of it; as often as one likes */
void ngx_http_vidcast_inbound_forget(ngx_http_vidcast_inbound_t *inbound);


#endif /* _NGX_HTTP_VIDCAST_INBOUND_H_INCLUDED_ */
