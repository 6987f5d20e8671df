
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "core/ngx_vidcast_escape.h"
#include "http/offline/ngx_http_vidcast_offline.h"
#include "http/request/ngx_http_vidcast_response.h"
#include "http/status/ngx_http_vidcast_status_source.h"


/*
 * "vidcast_offline close": a source that is lost may be back at once; and one
 * that is being opened is waited for until it is known that it cannot be, as
 * networks take their time, but not forever.
 */

#define NGX_HTTP_VIDCAST_OFFLINE_LOST   3000     /* ms */
#define NGX_HTTP_VIDCAST_OFFLINE_START  15000


static ngx_uint_t ngx_http_vidcast_offline_cause(
    ngx_vidcast_source_t *source, ngx_http_vidcast_life_t *life);


void
ngx_http_vidcast_offline_look(ngx_http_vidcast_feed_t *feed)
{
    ngx_uint_t               dark;
    ngx_vidcast_source_t    *source;
    ngx_http_vidcast_life_t  life;

    source = feed->source;

    ngx_http_vidcast_status_life(&feed->vmcf->vidcast, source, &life,
                                 ngx_cycle->log);

    feed->state = life.state;
    feed->cause = ngx_http_vidcast_offline_cause(source, &life);

    /* of few frames a second it is "stale" between two of them */

    dark = life.state != NGX_VIDCAST_LIVE
           && (life.state != NGX_VIDCAST_STALE
               || source->input.push
               || ngx_http_vidcast_status_past(source, 0));

    if (dark && !feed->dark) {
        feed->darkened = ngx_current_msec;
    }

    feed->dark = dark;
}


static ngx_uint_t
ngx_http_vidcast_offline_cause(ngx_vidcast_source_t *source,
    ngx_http_vidcast_life_t *life)
{
    return (life->state == NGX_VIDCAST_OFF && life->pid && source->input.push)
           ? NGX_HTTP_VIDCAST_NO_PUBLISHER : life->state;
}


ngx_uint_t
ngx_http_vidcast_offline_decide(ngx_http_vidcast_feed_t *feed,
    ngx_uint_t policy, ngx_uint_t shown, ngx_msec_t started)
{
    ngx_msec_t  since, patience;

    switch (policy) {

    case NGX_HTTP_VIDCAST_HOLD:
        return shown ? NGX_HTTP_VIDCAST_SHOW_PICTURE
                     : NGX_HTTP_VIDCAST_SHOW_PLACEHOLDER;

    case NGX_HTTP_VIDCAST_PICTURE:

        /* the last picture of what has ended is right however old it is */

        return (shown && (!feed->dark || feed->state == NGX_VIDCAST_ENDED))
                   ? NGX_HTTP_VIDCAST_SHOW_PICTURE
                   : NGX_HTTP_VIDCAST_SHOW_PLACEHOLDER;

    default: /* NGX_HTTP_VIDCAST_CLOSE */
        break;
    }

    if (shown && !feed->dark) {
        return NGX_HTTP_VIDCAST_SHOW_PICTURE;
    }

    since = ngx_current_msec - started;

    if (feed->dark) {
        since = ngx_min(since, ngx_current_msec - feed->darkened);
    }

    switch (feed->state) {

    case NGX_VIDCAST_STARTING:
    case NGX_VIDCAST_SLEEPING:
    case NGX_VIDCAST_LIVE:
        patience = NGX_HTTP_VIDCAST_OFFLINE_START;
        break;

    default:
        patience = NGX_HTTP_VIDCAST_OFFLINE_LOST;
        break;
    }

    return (since < patience) ? NGX_HTTP_VIDCAST_SHOW_PICTURE
                              : NGX_HTTP_VIDCAST_SHOW_END;
}


ngx_str_t *
ngx_http_vidcast_offline_part(ngx_http_vidcast_feed_t *feed)
{
    return &feed->vmcf->offline->part[feed->cause];
}


ngx_str_t *
ngx_http_vidcast_offline_header(ngx_http_vidcast_feed_t *feed)
{
    return &feed->vmcf->offline->header[feed->state];
}


/* the reason is what a camera or a program has chosen to say */

ngx_int_t
ngx_http_vidcast_offline_answer(ngx_http_request_t *r,
    ngx_http_vidcast_feed_t *feed)
{
    u_char                                  *p, *last;
    ngx_str_t                                text, *name, *reason;
    ngx_vidcast_escaped_t                    escaped;
    ngx_http_vidcast_life_t                  life;
    const ngx_http_vidcast_offline_words_t  *words;

    static ngx_str_t  type = ngx_string("text/plain; charset=utf-8");

    ngx_http_vidcast_status_life(&feed->vmcf->vidcast, feed->source, &life,
                                 r->connection->log);

    name = ngx_vidcast_state_name(life.state);
    reason = ngx_vidcast_escape_text(&escaped, life.error);
    words = &ngx_http_vidcast_offline_words[
                      ngx_http_vidcast_offline_cause(feed->source, &life)];

    text.len = sizeof("There is no picture of \"\", which is : " CRLF CRLF)
               + feed->source->name.len + name->len + reason->len
               + words->hint.len;

    text.data = ngx_pnalloc(r->pool, text.len);
    if (text.data == NULL
        || ngx_http_vidcast_add_header(r, "X-Vidcast-State", name) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    last = text.data + text.len;

    p = ngx_slprintf(text.data, last,
                     "There is no picture of \"%V\", which is %V%s%V." CRLF
                     "%V" CRLF, &feed->source->name, name,
                     reason->len ? ": " : "", reason, &words->hint);

    text.len = p - text.data;

    return ngx_http_vidcast_response_error(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                           &type, &text);
}
