
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "http/publish/ngx_http_vidcast_publish_body.h"
#include "wire/multipart/ngx_vidcast_multipart_reader.h"


typedef struct {
    u_char      *data;
    size_t       room;
    size_t       size;
    ngx_int_t    rc;
} ngx_http_vidcast_publish_picture_t;


static ngx_int_t ngx_http_vidcast_publish_body_read(ngx_buf_t *b, u_char *data,
    size_t size);
static ngx_int_t ngx_http_vidcast_publish_body_feed(ngx_http_request_t *r,
    ngx_vidcast_multipart_reader_t *reader);
static void ngx_http_vidcast_publish_body_picture(void *context,
    ngx_vidcast_multipart_end_e end, const uint8_t *data, size_t size);


off_t
ngx_http_vidcast_publish_body_size(ngx_http_request_t *r)
{
    off_t         size;
    ngx_chain_t  *cl;

    size = 0;

    for (cl = r->request_body->bufs; cl; cl = cl->next) {
        size += ngx_buf_size(cl->buf);
    }

    return size;
}


ngx_int_t
ngx_http_vidcast_publish_body_copy(ngx_http_request_t *r, u_char *data)
{
    size_t        size;
    ngx_chain_t  *cl;

    for (cl = r->request_body->bufs; cl; cl = cl->next) {

        size = (size_t) ngx_buf_size(cl->buf);

        if (size == 0) {
            continue;
        }

        if (!cl->buf->in_file) {
            ngx_memcpy(data, cl->buf->pos, size);

        } else if (ngx_http_vidcast_publish_body_read(cl->buf, data, size)
                   != NGX_OK)
        {
            return NGX_ERROR;
        }

        data += size;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_vidcast_publish_body_read(ngx_buf_t *b, u_char *data, size_t size)
{
    return (ngx_read_file(b->file, data, size, b->file_pos) == (ssize_t) size)
               ? NGX_OK : NGX_ERROR;
}


/*
 * Scripts and small cameras do not build forms as RFC 7578 has them, hence the
 * reader of what cameras send.  What else is in the form is passed over.
 */

ngx_int_t
ngx_http_vidcast_publish_body_form(ngx_http_request_t *r, u_char *data,
    size_t *size)
{
    u_char                              *type;
    ngx_int_t                            rc;
    ngx_str_t                           *value;
    ngx_vidcast_multipart_reader_t       reader;
    ngx_http_vidcast_publish_picture_t   picture;

    value = &r->headers_in.content_type->value;

    type = ngx_pnalloc(r->pool, value->len + 1);
    if (type == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_cpystrn(type, value->data, value->len + 1);

    picture.data = data;
    picture.room = *size;
    picture.size = 0;
    picture.rc = NGX_DECLINED;

    ngx_vidcast_multipart_reader_init(&reader, (char *) type);

    reader.picture = ngx_http_vidcast_publish_body_picture;
    reader.context = &picture;
    reader.max = *size;
    reader.single = 1;

    rc = ngx_http_vidcast_publish_body_feed(r, &reader);

    ngx_vidcast_multipart_reader_free(&reader);

    *size = picture.size;

    return (rc == NGX_OK) ? picture.rc : rc;
}


static ngx_int_t
ngx_http_vidcast_publish_body_feed(ngx_http_request_t *r,
    ngx_vidcast_multipart_reader_t *reader)
{
    u_char       *p;
    size_t        size;
    ngx_chain_t  *cl;

    for (cl = r->request_body->bufs; cl; cl = cl->next) {

        size = (size_t) ngx_buf_size(cl->buf);

        if (size == 0) {
            continue;
        }

        p = cl->buf->pos;

        if (cl->buf->in_file) {

            p = ngx_pnalloc(r->pool, size);

            if (p == NULL
                || ngx_http_vidcast_publish_body_read(cl->buf, p, size)
                   != NGX_OK)
            {
                return NGX_ERROR;
            }
        }

        if (ngx_vidcast_multipart_reader_feed(reader, p, size) != 0) {
            return NGX_ERROR;
        }
    }

    ngx_vidcast_multipart_reader_finish(reader);

    return NGX_OK;
}


/* one that was cut is a picture, too: the source takes it or does not */

static void
ngx_http_vidcast_publish_body_picture(void *context,
    ngx_vidcast_multipart_end_e end, const uint8_t *data, size_t size)
{
    ngx_http_vidcast_publish_picture_t *picture = context;

    if (picture->rc != NGX_DECLINED) {
        return;
    }

    if (end == NGX_VIDCAST_MULTIPART_LARGE || size > picture->room) {
        picture->rc = NGX_BUSY;
        return;
    }

    ngx_memcpy(picture->data, data, size);

    picture->size = size;
    picture->rc = NGX_OK;
}
