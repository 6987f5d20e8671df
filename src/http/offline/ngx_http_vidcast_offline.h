
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_HTTP_VIDCAST_OFFLINE_H_INCLUDED_
#define _NGX_HTTP_VIDCAST_OFFLINE_H_INCLUDED_


#include "http/delivery/ngx_http_vidcast_feed.h"


/*
 * What is said and shown where there is no picture: placeholders, which are
 * parts of MJPEG, and the answer to a request for a snapshot.  Placeholders
 * are made when the configuration is read, once for all locations; workers
 * have no codec.
 */


/* "vidcast_offline" */

#define NGX_HTTP_VIDCAST_HOLD     0
#define NGX_HTTP_VIDCAST_PICTURE  1
#define NGX_HTTP_VIDCAST_CLOSE    2


/* why there is no picture: a state, or this, which is "off" of "push:" */

#define NGX_HTTP_VIDCAST_NO_PUBLISHER  NGX_VIDCAST_STATES
#define NGX_HTTP_VIDCAST_CAUSES        (NGX_VIDCAST_STATES + 1)


typedef struct {
    ngx_str_t                    title;      /* for viewers */
    ngx_str_t                    line;
    ngx_str_t                    hint;       /* what to do about it */
} ngx_http_vidcast_offline_words_t;


struct ngx_http_vidcast_offline_s {
    ngx_str_t                    part[NGX_HTTP_VIDCAST_CAUSES];
    ngx_str_t                    header[NGX_VIDCAST_STATES];
};


typedef enum {
    NGX_HTTP_VIDCAST_SHOW_PICTURE = 0,       /* the last one, if there is one */
    NGX_HTTP_VIDCAST_SHOW_PLACEHOLDER,
    NGX_HTTP_VIDCAST_SHOW_END
} ngx_http_vidcast_show_e;


/* when all of the configuration has been read; NGX_ERROR is logged */
ngx_int_t ngx_http_vidcast_offline_create(ngx_conf_t *cf,
    ngx_http_vidcast_main_conf_t *vmcf);

/* how the feed's source fares: a system call, so not for each message */
void ngx_http_vidcast_offline_look(ngx_http_vidcast_feed_t *feed);

/*
 * By the last look: what a viewer of MJPEG shall see which has nothing to get,
 * has been there since "started", and was "shown" a picture, or was not yet.
 */
ngx_uint_t ngx_http_vidcast_offline_decide(ngx_http_vidcast_feed_t *feed,
    ngx_uint_t policy, ngx_uint_t shown, ngx_msec_t started);

/*
 * part()    the placeholder with its header and what follows a part
 * header()  the end of a part's header, which tells the state
 */
ngx_str_t *ngx_http_vidcast_offline_part(ngx_http_vidcast_feed_t *feed);
ngx_str_t *ngx_http_vidcast_offline_header(ngx_http_vidcast_feed_t *feed);

/* the answer to a request for one picture: 503 */
ngx_int_t ngx_http_vidcast_offline_answer(ngx_http_request_t *r,
    ngx_http_vidcast_feed_t *feed);


extern const ngx_http_vidcast_offline_words_t
    ngx_http_vidcast_offline_words[NGX_HTTP_VIDCAST_CAUSES];


#endif /* _NGX_HTTP_VIDCAST_OFFLINE_H_INCLUDED_ */
