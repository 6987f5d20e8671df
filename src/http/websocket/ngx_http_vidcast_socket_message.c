
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "http/websocket/ngx_http_vidcast_socket.h"
#include "wire/ngx_vidcast_deflate.h"


/* puts messages together, of their frames, and of what deflate made of them */


static ngx_int_t ngx_http_vidcast_socket_append(
    ngx_http_vidcast_socket_t *socket, u_char *data, size_t size);
static ngx_int_t ngx_http_vidcast_socket_message(
    ngx_http_vidcast_socket_t *socket, ngx_uint_t opcode, u_char *data,
    size_t size, ngx_uint_t *code);


ngx_int_t
ngx_http_vidcast_socket_data(ngx_http_vidcast_socket_t *socket,
    ngx_vidcast_ws_event_t *event, ngx_uint_t *code)
{
    ngx_int_t  rc;

    if (socket->closing) {
        return NGX_OK;
    }

    if (event->first) {
        socket->size = 0;
        socket->compressed = event->compressed;

        if (event->last) {
            return ngx_http_vidcast_socket_message(socket, event->opcode,
                                                   event->data, event->size,
                                                   code);
        }
    }

    if (ngx_http_vidcast_socket_append(socket, event->data, event->size)
        != NGX_OK)
    {
        return NGX_ABORT;
    }

    if (!event->last) {
        return NGX_OK;
    }

    rc = ngx_http_vidcast_socket_message(socket, event->opcode, socket->text,
                                         socket->size, code);

    if (rc != NGX_DONE) {
        ngx_http_vidcast_socket_forget(socket);
    }

    return rc;
}


/* the reader has made sure that a message never outgrows its limit */

static ngx_int_t
ngx_http_vidcast_socket_append(ngx_http_vidcast_socket_t *socket, u_char *data,
    size_t size)
{
    u_char  *p;
    size_t   allocated;

    if (socket->size + size > socket->allocated) {

        allocated = ngx_max(2 * socket->allocated, 1024);
        allocated = ngx_max(allocated, socket->size + size);

        p = ngx_alloc(allocated, socket->request->connection->log);
        if (p == NULL) {
            return NGX_ERROR;
        }

        if (socket->text) {
            ngx_memcpy(p, socket->text, socket->size);
            ngx_free(socket->text);
        }

        socket->text = p;
        socket->allocated = allocated;
    }

    ngx_memcpy(socket->text + socket->size, data, size);
    socket->size += size;

    return NGX_OK;
}


static ngx_int_t
ngx_http_vidcast_socket_message(ngx_http_vidcast_socket_t *socket,
    ngx_uint_t opcode, u_char *data, size_t size, ngx_uint_t *code)
{
    ngx_int_t  rc;
    ngx_str_t  in, out;

    if (!socket->compressed) {
        return socket->user->message(socket, opcode, data, size);
    }

    in.data = data;
    in.len = size;

    rc = ngx_vidcast_inflate(&in, socket->reader.max_message, &out);

    if (rc == NGX_OK) {

        if (opcode == NGX_VIDCAST_WS_TEXT
            && ngx_vidcast_utf8_check(out.data, out.len) != NGX_OK)
        {
            *code = NGX_VIDCAST_WS_CLOSE_DATA;
            rc = NGX_ERROR;

        } else {
            rc = socket->user->message(socket, opcode, out.data, out.len);
        }

        ngx_free(out.data);

        return rc;
    }

    *code = (rc == NGX_DECLINED) ? NGX_VIDCAST_WS_CLOSE_TOO_BIG
            : (rc == NGX_ERROR) ? NGX_VIDCAST_WS_CLOSE_DATA
            : NGX_VIDCAST_WS_CLOSE_INTERNAL;

    return NGX_ERROR;
}


void
ngx_http_vidcast_socket_forget(ngx_http_vidcast_socket_t *socket)
{
    if (socket->text) {
        ngx_free(socket->text);
        socket->text = NULL;
        socket->allocated = 0;
    }
}
