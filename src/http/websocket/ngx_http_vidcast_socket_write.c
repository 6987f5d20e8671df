
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "http/websocket/ngx_http_vidcast_socket.h"


/* in which order things leave */


static ngx_int_t ngx_http_vidcast_socket_flush_answer(
    ngx_http_vidcast_socket_t *socket);


ngx_int_t
ngx_http_vidcast_socket_write(ngx_http_vidcast_socket_t *socket, u_char *data,
    size_t size, size_t *sent)
{
    ssize_t            n;
    ngx_connection_t  *c;

    c = socket->connection;

    while (*sent < size) {

        if (!c->write->ready) {
            return ngx_handle_write_event(c->write, 0) == NGX_OK ? NGX_AGAIN
                                                                 : NGX_ERROR;
        }

        n = c->send(c, data + *sent, size - *sent);

        if (n > 0) {
            *sent += n;
            socket->pending = 0;
            continue;
        }

        if (n != NGX_AGAIN) {
            return NGX_ERROR;
        }

#if (NGX_SSL)
        socket->pending = (c->ssl != NULL);

        if (c->write->ready) {

            /* TLS wants to read first, and calls the write handler then */

            return NGX_AGAIN;
        }
#endif
    }

    return NGX_OK;
}


/* without TLS, which would make a record of each place all the same */

ngx_int_t
ngx_http_vidcast_socket_write_chain(ngx_http_vidcast_socket_t *socket,
    ngx_chain_t *in, size_t *sent)
{
    off_t              before;
    ngx_connection_t  *c;

    c = socket->connection;

    if (c->write->ready) {
        before = c->sent;

        in = c->send_chain(c, in, 0);

        *sent += c->sent - before;

        if (in == NULL) {
            return NGX_OK;
        }

        if (in == NGX_CHAIN_ERROR) {
            return NGX_ERROR;
        }
    }

    return ngx_handle_write_event(c->write, 0) == NGX_OK ? NGX_AGAIN
                                                         : NGX_ERROR;
}


ngx_int_t
ngx_http_vidcast_socket_flush(ngx_http_vidcast_socket_t *socket)
{
    ngx_int_t  rc;

    rc = socket->answered ? NGX_OK
                          : ngx_http_vidcast_socket_flush_answer(socket);

    while (rc == NGX_OK) {

        /* between the bytes of a control frame nothing else may come */

        if (!socket->half) {
            rc = socket->user->flush(socket);
        }

        if (rc != NGX_OK || socket->ncontrol == 0) {
            break;
        }

        rc = ngx_http_vidcast_socket_write(socket, socket->control,
                                           socket->ncontrol,
                                           &socket->control_sent);

        socket->half = (socket->control_sent || socket->pending);

        if (rc != NGX_OK) {
            break;
        }

        socket->half = 0;
        socket->ncontrol = socket->nnext;
        socket->control_sent = 0;
        socket->nnext = 0;
        socket->pinged = ngx_current_msec;

        if (socket->ncontrol) {
            ngx_memcpy(socket->control, socket->next, socket->ncontrol);
        }
    }

    socket->busy = (rc == NGX_AGAIN);

    return rc;
}


/*
 * What the output filters still have of the handshake: nothing may pass it,
 * and nothing else goes through them.
 */

static ngx_int_t
ngx_http_vidcast_socket_flush_answer(ngx_http_vidcast_socket_t *socket)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = socket->request;
    c = r->connection;

    if ((r->buffered || c->buffered)
        && (ngx_http_output_filter(r, NULL) == NGX_ERROR || c->error))
    {
        return NGX_ERROR;
    }

    if (!r->buffered && !c->buffered) {
        socket->answered = 1;
        return NGX_OK;
    }

    if (!c->write->delayed && ngx_handle_write_event(c->write, 0) != NGX_OK) {
        return NGX_ERROR;
    }

    return NGX_AGAIN;
}
