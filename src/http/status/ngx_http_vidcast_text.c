
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast_string.h"
#include "http/status/ngx_http_vidcast_text.h"


#define NGX_HTTP_VIDCAST_TEXT_SIZE  4096    /* of the first buffer */


static void ngx_http_vidcast_text_vprintf(ngx_http_vidcast_text_t *text,
    const char *fmt, va_list args);
static ngx_buf_t *ngx_http_vidcast_text_room(ngx_http_vidcast_text_t *text,
    size_t size);
static void ngx_http_vidcast_text_wrote(ngx_http_vidcast_text_t *text,
    u_char *p);


void
ngx_http_vidcast_text_init(ngx_http_vidcast_text_t *text, ngx_pool_t *pool)
{
    ngx_memzero(text, sizeof(ngx_http_vidcast_text_t));

    text->pool = pool;
}


void ngx_cdecl
ngx_http_vidcast_text_printf(ngx_http_vidcast_text_t *text, const char *fmt,
    ...)
{
    va_list  args;

    va_start(args, fmt);
    ngx_http_vidcast_text_vprintf(text, fmt, args);
    va_end(args);
}


void ngx_cdecl
ngx_http_vidcast_text_item(ngx_http_vidcast_text_t *text, const char *fmt, ...)
{
    va_list  args;

    if (text->comma) {
        ngx_http_vidcast_text_printf(text, ",");
    }

    va_start(args, fmt);
    ngx_http_vidcast_text_vprintf(text, fmt, args);
    va_end(args);

    text->comma = 1;
}


void
ngx_http_vidcast_text_string(ngx_http_vidcast_text_t *text, const char *name,
    u_char *data, size_t len)
{
    u_char     *p;
    ngx_buf_t  *b;

    ngx_http_vidcast_text_item(text, "\"%s\":", name);

    b = ngx_http_vidcast_text_room(text,
                                  len + ngx_escape_json(NULL, data, len) + 2);
    if (b == NULL) {
        return;
    }

    p = b->last;

    *p++ = '"';
    p = ngx_vidcast_json(p, data, len);
    *p++ = '"';

    ngx_http_vidcast_text_wrote(text, p);
}


void
ngx_http_vidcast_text_begin(ngx_http_vidcast_text_t *text, const char *name,
    int bracket)
{
    if (name) {
        ngx_http_vidcast_text_item(text, "\"%s\":%c", name, bracket);

    } else {
        ngx_http_vidcast_text_item(text, "%c", bracket);
    }

    text->comma = 0;
}


void
ngx_http_vidcast_text_end(ngx_http_vidcast_text_t *text, int bracket)
{
    ngx_http_vidcast_text_printf(text, "%c", bracket);

    text->comma = 1;
}


/* what fills a buffer to its end may have been cut: it gets a larger one */

static void
ngx_http_vidcast_text_vprintf(ngx_http_vidcast_text_t *text, const char *fmt,
    va_list args)
{
    u_char     *p;
    size_t      size;
    va_list     copy;
    ngx_buf_t  *b;

    size = 1;

    for ( ;; ) {
        b = ngx_http_vidcast_text_room(text, size);
        if (b == NULL) {
            return;
        }

        va_copy(copy, args);
        p = ngx_vslprintf(b->last, b->end, fmt, copy);
        va_end(copy);

        if (p < b->end) {
            ngx_http_vidcast_text_wrote(text, p);
            return;
        }

        size = 2 * (b->end - b->last);
    }
}


/*
 * A buffer with so many bytes at its end.  Each new one is as large as the
 * text so far: there are few of them.
 */

static ngx_buf_t *
ngx_http_vidcast_text_room(ngx_http_vidcast_text_t *text, size_t size)
{
    ngx_buf_t  *b;

    b = text->buf;

    if (text->failed) {
        return NULL;
    }

    if (b && (size_t) (b->end - b->last) >= size) {
        return b;
    }

    size = ngx_max(size, text->size);
    size = ngx_max(size, NGX_HTTP_VIDCAST_TEXT_SIZE);

    text->buf = ngx_create_temp_buf(text->pool, size);
    if (text->buf == NULL) {
        text->failed = 1;
    }

    return text->buf;
}


/* up to p; a buffer is put into the chain with its first byte, never empty */

static void
ngx_http_vidcast_text_wrote(ngx_http_vidcast_text_t *text, u_char *p)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    b = text->buf;

    if (p == b->last) {
        return;
    }

    if (b->last == b->pos) {
        cl = ngx_alloc_chain_link(text->pool);
        if (cl == NULL) {
            text->failed = 1;
            return;
        }

        cl->buf = b;
        cl->next = NULL;

        if (text->last) {
            text->last->next = cl;

        } else {
            text->first = cl;
        }

        text->last = cl;
    }

    text->size += p - b->last;
    b->last = p;
}
