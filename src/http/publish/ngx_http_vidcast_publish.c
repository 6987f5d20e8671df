
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "http/request/ngx_http_vidcast_response.h"
#include "http/websocket/ngx_http_vidcast_handshake.h"
#include "http/delivery/ngx_http_vidcast_peer.h"
#include "http/publish/ngx_http_vidcast_publish_body.h"
#include "http/publish/ngx_http_vidcast_publisher.h"
#include "core/ngx_vidcast_escape.h"
#include "core/ngx_vidcast_string.h"
#include "media/ngx_vidcast_jpeg.h"
#include "wire/ngx_vidcast_result_value.h"


/*
 * One picture or one text by POST or PUT.  The body is read first, so that
 * a slow publisher keeps no other waiting, and then copied into a slot.
 */

typedef struct {
    ngx_http_vidcast_publisher_t   publisher;
    ngx_http_request_t            *request;
    ngx_uint_t                     kind;
    size_t                         size;     /* of the body */
    ngx_event_t                    timer;    /* while it comes */
    ngx_msec_t                     timeout;
    unsigned                       form:1;   /* with the picture in it */
    unsigned                       representation:1; /* in the answer */
} ngx_http_vidcast_post_t;


static ngx_int_t ngx_http_vidcast_publish_feed(ngx_http_request_t *r,
    ngx_http_vidcast_feed_t **feed);
static ngx_int_t ngx_http_vidcast_publish_kind(ngx_http_request_t *r,
    ngx_http_vidcast_post_t *post);
static void ngx_http_vidcast_publish_timeout_handler(ngx_event_t *ev);
static void ngx_http_vidcast_publish_body_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_vidcast_publish_size(ngx_http_vidcast_post_t *post);
static size_t ngx_http_vidcast_publish_max(ngx_http_vidcast_post_t *post);
static ngx_int_t ngx_http_vidcast_publish_fill(ngx_http_vidcast_post_t *post,
    const char **reason);
static void ngx_http_vidcast_publish_cleanup(void *data);
static void ngx_http_vidcast_publish_lent(
    ngx_http_vidcast_publisher_t *publisher);
static void ngx_http_vidcast_publish_answered(
    ngx_http_vidcast_publisher_t *publisher, ngx_uint_t reason,
    uint64_t number);
static void ngx_http_vidcast_publish_dismiss(
    ngx_http_vidcast_publisher_t *publisher, ngx_uint_t why);
static void ngx_http_vidcast_publish_done(ngx_http_vidcast_post_t *post,
    ngx_int_t rc);
static ngx_int_t ngx_http_vidcast_publish_created(
    ngx_http_vidcast_post_t *post, uint64_t number);
static ngx_int_t ngx_http_vidcast_publish_later(ngx_http_vidcast_post_t *post);
static ngx_int_t ngx_http_vidcast_publish_conflict(
    ngx_http_vidcast_post_t *post);
static ngx_int_t ngx_http_vidcast_publish_refuse(ngx_http_request_t *r,
    ngx_uint_t status, const char *reason);
static ngx_int_t ngx_http_vidcast_publish_too_large(
    ngx_http_vidcast_post_t *post);


static ngx_http_vidcast_publisher_user_t  ngx_http_vidcast_publish_user = {
    ngx_http_vidcast_publish_lent,
    ngx_http_vidcast_publish_answered,
    ngx_http_vidcast_publish_dismiss
};


ngx_int_t
ngx_http_vidcast_publish_handler(ngx_http_request_t *r)
{
    ngx_int_t                     rc;
    ngx_http_cleanup_t           *cln;
    ngx_http_vidcast_feed_t      *feed;
    ngx_http_vidcast_post_t      *post;
    ngx_http_vidcast_headers_t    headers;
    ngx_http_vidcast_loc_conf_t  *vlcf;

    static ngx_str_t  allow = ngx_string("POST, PUT");

    vlcf = ngx_http_get_module_loc_conf(r, ngx_http_vidcast_module);

    rc = ngx_http_vidcast_publish_feed(r, &feed);

    if (rc != NGX_OK) {
        return rc;
    }

    if (r != r->main) {

        if (ngx_http_vidcast_log_limit(r, NGX_HTTP_VIDCAST_LOG_LOCATION)) {
            ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                          "a subrequest cannot publish to vidcast_source "
                          "\"%V\"", &feed->source->name);
        }

        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_vidcast_headers_read(r, &headers);

    if (r->method == NGX_HTTP_GET && headers.websocket) {
        return ngx_http_vidcast_publish_ws_handler(r, &headers, feed);
    }

    if (!(r->method & (NGX_HTTP_POST|NGX_HTTP_PUT))) {
        return (ngx_http_vidcast_add_header(r, "Allow", &allow) == NGX_OK)
                   ? NGX_HTTP_NOT_ALLOWED : NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    post = ngx_pcalloc(r->pool, sizeof(ngx_http_vidcast_post_t));
    cln = ngx_http_cleanup_add(r, 0);

    if (post == NULL || cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = ngx_http_vidcast_publish_cleanup;
    cln->data = post;

    post->request = r;
    post->publisher.feed = feed;
    post->publisher.user = &ngx_http_vidcast_publish_user;
    post->publisher.log = r->connection->log;
    post->publisher.takeover = vlcf->takeover;
    post->representation = headers.representation;
    post->timeout = vlcf->publish_timeout;

    post->timer.handler = ngx_http_vidcast_publish_timeout_handler;
    post->timer.data = post;
    post->timer.log = r->connection->log;

    rc = ngx_http_vidcast_publish_kind(r, post);

    if (rc != NGX_OK) {
        feed->stats->unwanted++;
        return rc;
    }

    if (r->headers_in.content_length_n
        > (off_t) ngx_http_vidcast_publish_max(post))
    {
        feed->stats->unwanted++;
        return ngx_http_vidcast_publish_too_large(post);
    }

    ngx_http_set_ctx(r, post, ngx_http_vidcast_module);

    ngx_http_vidcast_peer_watch(r);

    rc = ngx_http_read_client_request_body(r,
                                        ngx_http_vidcast_publish_body_handler);

    /* nginx's own time begins anew with each byte */

    if (rc == NGX_AGAIN) {
        ngx_add_timer(&post->timer, post->timeout);
    }

    return (rc >= NGX_HTTP_SPECIAL_RESPONSE) ? rc : NGX_DONE;
}


static ngx_int_t
ngx_http_vidcast_publish_feed(ngx_http_request_t *r,
    ngx_http_vidcast_feed_t **feed)
{
    ngx_str_t                      name;
    ngx_vidcast_escaped_t          escaped;
    ngx_http_vidcast_loc_conf_t   *vlcf;
    ngx_http_vidcast_main_conf_t  *vmcf;

    vlcf = ngx_http_get_module_loc_conf(r, ngx_http_vidcast_module);
    vmcf = ngx_http_get_module_main_conf(r, ngx_http_vidcast_module);

    if (ngx_http_complex_value(r, vlcf->publish, &name) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    *feed = ngx_http_vidcast_feed_find(vmcf, &name);

    if (*feed && (*feed)->source->input.push) {
        return NGX_OK;
    }

    if (ngx_http_vidcast_log_limit(r, NGX_HTTP_VIDCAST_LOG_SOURCE)) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      *feed ? "vidcast_source \"%V\" has no \"input push:\""
                            : "no vidcast_source \"%V\"",
                      ngx_vidcast_escape_name(&escaped, &name));
    }

    return NGX_HTTP_NOT_FOUND;
}


/* a picture by default, also under the type that curl gives to all it has */

static ngx_int_t
ngx_http_vidcast_publish_kind(ngx_http_request_t *r,
    ngx_http_vidcast_post_t *post)
{
    ngx_str_t               type;
    ngx_uint_t              i;
    ngx_vidcast_escaped_t   escaped;

    static struct {
        ngx_str_t   type;
        ngx_uint_t  kind;
    } types[] = {
        { ngx_string("image/jpeg"), NGX_VIDCAST_HANDOFF_PICTURE },
        { ngx_string("image/jpg"), NGX_VIDCAST_HANDOFF_PICTURE },
        { ngx_string("image/pjpeg"), NGX_VIDCAST_HANDOFF_PICTURE },
        { ngx_string("application/octet-stream"), NGX_VIDCAST_HANDOFF_PICTURE },
        { ngx_string("binary/octet-stream"), NGX_VIDCAST_HANDOFF_PICTURE },
        { ngx_string("application/x-www-form-urlencoded"),
          NGX_VIDCAST_HANDOFF_PICTURE },
        { ngx_string("application/json"), NGX_VIDCAST_HANDOFF_RESULT },
        { ngx_string("text/json"), NGX_VIDCAST_HANDOFF_RESULT },
        { ngx_string("text/plain"), NGX_VIDCAST_HANDOFF_RESULT },
        { ngx_null_string, 0 }
    };

    static ngx_str_t  form = ngx_string("multipart/form-data");

    post->kind = NGX_VIDCAST_HANDOFF_PICTURE;

    if (r->headers_in.content_type == NULL) {
        return NGX_OK;
    }

    type = r->headers_in.content_type->value;

    for (i = 0; i < type.len; i++) {
        if (type.data[i] == ';' || type.data[i] == ' ') {
            type.len = i;
        }
    }

    if (type.len == 0) {
        return NGX_OK;
    }

    if (ngx_vidcast_equal_nocase(&type, &form)) {
        post->form = 1;
        return NGX_OK;
    }

    for (i = 0; types[i].type.len; i++) {
        if (ngx_vidcast_equal_nocase(&type, &types[i].type)) {
            post->kind = types[i].kind;
            return NGX_OK;
        }
    }

    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                  "client published \"%V\", which is neither JPEG nor JSON",
                  ngx_vidcast_escape_name(&escaped, &type));

    return NGX_HTTP_UNSUPPORTED_MEDIA_TYPE;
}


/* the body does not come in time: as nginx does when none of it comes */

static void
ngx_http_vidcast_publish_timeout_handler(ngx_event_t *ev)
{
    ngx_connection_t         *c;
    ngx_http_request_t       *r;
    ngx_http_vidcast_post_t  *post;

    post = ev->data;
    r = post->request;
    c = r->connection;

    ngx_http_vidcast_publisher_slow(&post->publisher, post->timeout);

    c->timedout = 1;

    ngx_http_set_log_request(c->log, r);

    ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_vidcast_publish_body_handler(ngx_http_request_t *r)
{
    ngx_int_t                 rc;
    ngx_http_vidcast_post_t  *post;

    post = ngx_http_get_module_ctx(r, ngx_http_vidcast_module);

    if (post->timer.timer_set) {
        ngx_del_timer(&post->timer);
    }

    rc = ngx_http_vidcast_publish_size(post);

    if (rc == NGX_OK) {
        rc = ngx_http_vidcast_publisher_join(&post->publisher);

        if (rc == NGX_OK) {
            r->read_event_handler = ngx_http_test_reading;
            return;
        }

        rc = (rc == NGX_BUSY) ? ngx_http_vidcast_publish_conflict(post)
                              : ngx_http_vidcast_publish_later(post);

    } else if (rc == NGX_HTTP_REQUEST_ENTITY_TOO_LARGE) {
        rc = ngx_http_vidcast_publish_too_large(post);
    }

    ngx_http_finalize_request(r, rc);
}


/* the handler may have been left for another one, with the body thrown away */

static ngx_int_t
ngx_http_vidcast_publish_size(ngx_http_vidcast_post_t *post)
{
    off_t  size;

    if (post->request->request_body == NULL) {
        return NGX_HTTP_BAD_REQUEST;
    }

    size = ngx_http_vidcast_publish_body_size(post->request);

    if (size > (off_t) ngx_http_vidcast_publish_max(post)) {
        post->publisher.feed->stats->unwanted++;
        return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    }

    post->size = (size_t) size;

    return NGX_OK;
}


static size_t
ngx_http_vidcast_publish_max(ngx_http_vidcast_post_t *post)
{
    ngx_vidcast_geometry_t  *g;

    g = &post->publisher.feed->source->original.geometry;

    if (post->form) {
        return g->slot_size + NGX_HTTP_VIDCAST_PUBLISH_FORM;
    }

    return (post->kind == NGX_VIDCAST_HANDOFF_PICTURE)
               ? g->slot_size : ngx_min(g->slot_size, g->result_size);
}


/* NGX_OK: it is in the slot; or the status to answer with, and the reason */

static ngx_int_t
ngx_http_vidcast_publish_fill(ngx_http_vidcast_post_t *post,
    const char **reason)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = post->request;

    if (post->form) {
        post->size = post->publisher.feed->source->original.geometry.slot_size;

        rc = ngx_http_vidcast_publish_body_form(r, post->publisher.data,
                                                &post->size);

    } else {
        rc = ngx_http_vidcast_publish_body_copy(r, post->publisher.data);
    }

    if (rc == NGX_OK
        && post->kind == NGX_VIDCAST_HANDOFF_RESULT
        && ngx_vidcast_result_value_check(post->publisher.data, &post->size)
           != NGX_OK)
    {
        *reason = "not JSON";
        return NGX_HTTP_BAD_REQUEST;
    }

    switch (rc) {

    case NGX_OK:
        return NGX_OK;

    case NGX_DECLINED:
        *reason = "a form without a JPEG";
        return NGX_HTTP_BAD_REQUEST;

    case NGX_BUSY:
        return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;

    default: /* NGX_ERROR */
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
}


static void
ngx_http_vidcast_publish_cleanup(void *data)
{
    ngx_http_vidcast_post_t  *post = data;

    if (post->timer.timer_set) {
        ngx_del_timer(&post->timer);
    }

    ngx_http_vidcast_publisher_leave(&post->publisher);
}


static void
ngx_http_vidcast_publish_lent(ngx_http_vidcast_publisher_t *publisher)
{
    ngx_int_t                 rc;
    const char               *reason;
    ngx_http_vidcast_post_t  *post;

    post = (ngx_http_vidcast_post_t *) publisher;

    reason = NULL;

    rc = ngx_http_vidcast_publish_fill(post, &reason);

    if (rc != NGX_OK) {
        publisher->feed->stats->unwanted++;

        if (reason) {
            rc = ngx_http_vidcast_publish_refuse(post->request, rc, reason);

        } else if (rc == NGX_HTTP_REQUEST_ENTITY_TOO_LARGE) {
            rc = ngx_http_vidcast_publish_too_large(post);
        }

        ngx_http_vidcast_publish_done(post, rc);
        return;
    }

    ngx_http_vidcast_publisher_submit(publisher, post->kind, post->size);
}


static void
ngx_http_vidcast_publish_answered(ngx_http_vidcast_publisher_t *publisher,
    ngx_uint_t reason, uint64_t number)
{
    ngx_int_t                 rc;
    ngx_http_vidcast_post_t  *post;

    post = (ngx_http_vidcast_post_t *) publisher;

    switch (reason) {

    case NGX_VIDCAST_HANDOFF_TAKEN:
        rc = ngx_http_vidcast_publish_created(post, number);
        break;

    case NGX_VIDCAST_HANDOFF_BAD:
        rc = ngx_http_vidcast_publish_refuse(post->request,
                                          NGX_HTTP_BAD_REQUEST,
                                          ngx_vidcast_jpeg_fault_text(number));
        break;

    case NGX_VIDCAST_HANDOFF_TOO_LARGE:
        rc = ngx_http_vidcast_publish_too_large(post);
        break;

    default: /* NGX_VIDCAST_HANDOFF_LOST */
        rc = ngx_http_vidcast_publish_later(post);
        break;
    }

    ngx_http_vidcast_publish_done(post, rc);
}


static void
ngx_http_vidcast_publish_dismiss(ngx_http_vidcast_publisher_t *publisher,
    ngx_uint_t why)
{
    ngx_http_vidcast_post_t  *post;

    post = (ngx_http_vidcast_post_t *) publisher;

    ngx_http_vidcast_publish_done(post, (why == NGX_HTTP_VIDCAST_NO_TURN)
                              ? ngx_http_vidcast_publish_later(post)
                              : ngx_http_vidcast_publish_conflict(post));
}


static void
ngx_http_vidcast_publish_done(ngx_http_vidcast_post_t *post, ngx_int_t rc)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = post->request;
    c = r->connection;

    ngx_http_vidcast_publisher_leave(&post->publisher);

    ngx_http_set_log_request(c->log, r);

    ngx_http_finalize_request(r, rc);

    ngx_http_run_posted_requests(c);
}


static ngx_int_t
ngx_http_vidcast_publish_created(ngx_http_vidcast_post_t *post,
    uint64_t number)
{
    ngx_str_t            text, value;
    ngx_uint_t           frame;
    ngx_http_request_t  *r;

    static ngx_str_t  type = ngx_string("application/json");

    r = post->request;
    frame = (post->kind == NGX_VIDCAST_HANDOFF_PICTURE);

    text.data = ngx_pnalloc(r->pool, sizeof("{\"frame\":}" CRLF)
                                     + NGX_INT64_LEN);
    value.data = ngx_pnalloc(r->pool, NGX_INT64_LEN);

    if (text.data == NULL || value.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    value.len = ngx_sprintf(value.data, "%uL", number) - value.data;

    if (ngx_http_vidcast_add_header(r, frame ? "X-Vidcast-Frame"
                                             : "X-Vidcast-Result", &value)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (!post->representation) {
        return NGX_HTTP_NO_CONTENT;
    }

    text.len = ngx_sprintf(text.data, "{\"%s\":%uL}" CRLF,
                           frame ? "frame" : "seq", number)
               - text.data;

    return ngx_http_vidcast_response_text(r, NGX_HTTP_CREATED, &type, &text);
}


/* no capture, or it is starting, or the ring is full */

static ngx_int_t
ngx_http_vidcast_publish_later(ngx_http_vidcast_post_t *post)
{
    static ngx_str_t  retry = ngx_string("1");

    if (ngx_http_vidcast_add_header(post->request, "Retry-After", &retry)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    post->publisher.feed->stats->refused++;

    return NGX_HTTP_SERVICE_UNAVAILABLE;
}


static ngx_int_t
ngx_http_vidcast_publish_conflict(ngx_http_vidcast_post_t *post)
{
    post->publisher.feed->stats->refused++;

    return ngx_http_vidcast_publish_refuse(post->request, NGX_HTTP_CONFLICT,
                                           "another publisher is there");
}


static ngx_int_t
ngx_http_vidcast_publish_refuse(ngx_http_request_t *r, ngx_uint_t status,
    const char *reason)
{
    ngx_str_t  text;

    static ngx_str_t  type = ngx_string("text/plain");

    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                  "client could not publish: %s", reason);

    text.len = ngx_strlen(reason) + 1;

    text.data = ngx_pnalloc(r->pool, text.len);
    if (text.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memcpy(text.data, reason, text.len - 1);
    text.data[text.len - 1] = LF;

    return ngx_http_vidcast_response_text(r, status, &type, &text);
}


/* nginx has a limit of its own, and so may a proxy: this one tells its name */

static ngx_int_t
ngx_http_vidcast_publish_too_large(ngx_http_vidcast_post_t *post)
{
    u_char                  *p, reason[NGX_VIDCAST_ERROR_LEN];
    ngx_int_t                rc;
    ngx_uint_t               picture;
    ngx_http_request_t      *r;
    ngx_vidcast_geometry_t  *g;

    r = post->request;
    g = &post->publisher.feed->source->original.geometry;
    picture = (post->kind == NGX_VIDCAST_HANDOFF_PICTURE);

    /* as in nginx: what is still to come is read, and then all is over */

    r->keepalive = 0;

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    p = ngx_snprintf(reason, sizeof(reason) - 1,
                     "larger than the %uz bytes that a %s of this source may "
                     "have, see \"%s\"",
                     (size_t) (picture ? g->slot_size
                                       : ngx_min(g->slot_size,
                                                 g->result_size)),
                     picture ? "frame" : "result",
                     picture ? "frames" : "results");
    *p = '\0';

    return ngx_http_vidcast_publish_refuse(r,
                                           NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                           (char *) reason);
}
