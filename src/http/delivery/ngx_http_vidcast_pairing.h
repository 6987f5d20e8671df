
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_HTTP_VIDCAST_PAIRING_H_INCLUDED_
#define _NGX_HTTP_VIDCAST_PAIRING_H_INCLUDED_


#include "http/delivery/ngx_http_vidcast_feed.h"


/*
 * Pictures for viewers that get each with its result.
 *
 * keep()   before the newest frame becomes an older one
 * fetch()  when there are new results
 * find()   the frame of this number, if it is there; no reference is added
 */
void ngx_http_vidcast_pairing_keep(ngx_http_vidcast_feed_t *feed);
void ngx_http_vidcast_pairing_fetch(ngx_http_vidcast_feed_t *feed);
ngx_http_vidcast_message_t *ngx_http_vidcast_pairing_find(
    ngx_http_vidcast_feed_t *feed, uint64_t number);


#endif /* _NGX_HTTP_VIDCAST_PAIRING_H_INCLUDED_ */
