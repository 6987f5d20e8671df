
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "http/offline/ngx_http_vidcast_offline.h"
#include "media/ngx_vidcast_placeholder.h"


#define NGX_HTTP_VIDCAST_STATE_HEADER  "X-Vidcast-State: %V" CRLF CRLF


static ngx_int_t ngx_http_vidcast_placeholders_header(ngx_conf_t *cf,
    ngx_str_t *header, ngx_uint_t state);
static ngx_int_t ngx_http_vidcast_placeholders_part(ngx_conf_t *cf,
    ngx_str_t *part, u_char *jpeg, size_t size, ngx_str_t *header);


/* a title has 20 letters at most, a line 50 */

const ngx_http_vidcast_offline_words_t
    ngx_http_vidcast_offline_words[NGX_HTTP_VIDCAST_CAUSES] =
{
    /* NGX_VIDCAST_OFF */

    { ngx_string("Not running"),
      ngx_string("Nothing reads this camera at the moment."),
      ngx_string("No capture process runs for it: the error log of nginx "
                 "says why.") },

    /* NGX_VIDCAST_STARTING */

    { ngx_string("Starting ..."),
      ngx_string("The first picture comes in a moment."),
      ngx_string("Its input is being opened: ask again in a moment.") },

    /* NGX_VIDCAST_LIVE */

    { ngx_string("Waiting ..."),
      ngx_string("The next picture comes in a moment."),
      ngx_string("It gives pictures, but none that suits this request came in "
                 "time.") },

    /* NGX_VIDCAST_STALE */

    { ngx_string("No new picture"),
      ngx_string("Nothing has come for a while."),
      ngx_string("Its input is open, but silent: look at the camera, or at "
                 "what publishes.") },

    /* NGX_VIDCAST_RECONNECTING */

    { ngx_string("Reconnecting ..."),
      ngx_string("The camera cannot be reached at the moment."),
      ngx_string("It is tried again and again: look at the camera, its cable "
                 "or network, and its \"input\".") },

    /* NGX_VIDCAST_FAILED */

    { ngx_string("Out of order"),
      ngx_string("The program that reads this camera has failed."),
      ngx_string("Its capture process keeps failing: the error log of nginx "
                 "says why.") },

    /* NGX_VIDCAST_ENDED */

    { ngx_string("The end"),
      ngx_string("There are no more pictures."),
      ngx_string("There will be no later picture.") },

    /* NGX_VIDCAST_SLEEPING */

    { ngx_string("Waking up ..."),
      ngx_string("The first picture comes in a moment."),
      ngx_string("It sleeps while there is no viewer, and is being woken: ask "
                 "again in a moment.") },

    /* NGX_HTTP_VIDCAST_NO_PUBLISHER */

    { ngx_string("No publisher"),
      ngx_string("Nothing is being published at the moment."),
      ngx_string("Nothing publishes to it: start what does.") }
};


ngx_int_t
ngx_http_vidcast_offline_create(ngx_conf_t *cf,
    ngx_http_vidcast_main_conf_t *vmcf)
{
    size_t                       size;
    u_char                      *jpeg;
    ngx_str_t                    title, line;
    ngx_uint_t                   n, state;
    ngx_http_vidcast_offline_t  *offline;

    offline = ngx_pcalloc(cf->pool, sizeof(ngx_http_vidcast_offline_t));
    if (offline == NULL) {
        return NGX_ERROR;
    }

    jpeg = ngx_palloc(cf->temp_pool, NGX_VIDCAST_PLACEHOLDER_ROOM);
    if (jpeg == NULL) {
        return NGX_ERROR;
    }

    vmcf->offline = offline;

    for (n = 0; n < NGX_HTTP_VIDCAST_CAUSES; n++) {

        state = (n < NGX_VIDCAST_STATES) ? n : NGX_VIDCAST_OFF;
        title = ngx_http_vidcast_offline_words[n].title;
        line = ngx_http_vidcast_offline_words[n].line;
        size = NGX_VIDCAST_PLACEHOLDER_ROOM;

        if (ngx_vidcast_placeholder(&title, &line, jpeg, &size) != NGX_OK) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "could not draw the placeholder of state \"%V\"",
                          ngx_vidcast_state_name(state));
            return NGX_ERROR;
        }

        if (n < NGX_VIDCAST_STATES
            && ngx_http_vidcast_placeholders_header(cf, &offline->header[n], n)
               != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (ngx_http_vidcast_placeholders_part(cf, &offline->part[n], jpeg,
                                               size, &offline->header[state])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

#if defined(__GLIBC__)

    /* what was drawn in is free, but would be memory of each process */

    (void) malloc_trim(0);

#endif

    return NGX_OK;
}


static ngx_int_t
ngx_http_vidcast_placeholders_header(ngx_conf_t *cf, ngx_str_t *header,
    ngx_uint_t state)
{
    ngx_str_t  *name;

    name = ngx_vidcast_state_name(state);

    header->len = sizeof(NGX_HTTP_VIDCAST_STATE_HEADER) - 1 + name->len;

    header->data = ngx_pnalloc(cf->pool, header->len);
    if (header->data == NULL) {
        return NGX_ERROR;
    }

    header->len = ngx_sprintf(header->data, NGX_HTTP_VIDCAST_STATE_HEADER,
                              name)
                  - header->data;

    return NGX_OK;
}


/* all in one piece; no number and no time of a frame, which it is not */

static ngx_int_t
ngx_http_vidcast_placeholders_part(ngx_conf_t *cf, ngx_str_t *part,
    u_char *jpeg, size_t size, ngx_str_t *header)
{
    u_char  *p;

    part->len = sizeof("Content-Type: image/jpeg" CRLF
                       "Content-Length: " CRLF) - 1 + NGX_SIZE_T_LEN
                + header->len + size + NGX_VIDCAST_RING_TAIL_LEN;

    part->data = ngx_pnalloc(cf->pool, part->len);
    if (part->data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_sprintf(part->data, "Content-Type: image/jpeg" CRLF
                                "Content-Length: %uz" CRLF "%V",
                    size, header);
    p = ngx_cpymem(p, jpeg, size);
    p = ngx_cpymem(p, NGX_VIDCAST_RING_TAIL, NGX_VIDCAST_RING_TAIL_LEN);

    part->len = p - part->data;

    return NGX_OK;
}
