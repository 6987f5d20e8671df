
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include <sys/eventfd.h>

#include "os/ngx_vidcast_notify.h"


static void ngx_vidcast_notify_empty_handler(ngx_event_t *ev);


ngx_connection_t *
ngx_vidcast_notify_create(ngx_fd_t fd, ngx_event_handler_pt handler,
    void *data, ngx_log_t *log)
{
    ngx_connection_t  *c;

    c = ngx_get_connection(fd, log);
    if (c == NULL) {
        return NULL;
    }

    c->data = data;
    c->log = log;

    c->read->handler = handler;
    c->read->log = log;
    c->write->handler = ngx_vidcast_notify_empty_handler;
    c->write->log = log;

    return c;
}


ngx_int_t
ngx_vidcast_notify_enable(ngx_connection_t *c)
{
    if (c->read->active) {
        return NGX_OK;
    }

    return ngx_add_event(c->read, NGX_READ_EVENT, NGX_CLEAR_EVENT);
}


void
ngx_vidcast_notify_disable(ngx_connection_t *c)
{
    if (c->read->active) {
        (void) ngx_del_event(c->read, NGX_READ_EVENT, 0);
    }

    if (c->read->posted) {
        ngx_delete_posted_event(c->read);
    }
}


void
ngx_vidcast_notify_destroy(ngx_connection_t *c)
{
    ngx_vidcast_notify_disable(c);

    ngx_free_connection(c);

    c->fd = (ngx_socket_t) -1;
}


ngx_connection_t *
ngx_vidcast_notify_watch_exit(ngx_event_handler_pt handler, void *data,
    ngx_log_t *log)
{
    ngx_fd_t           fd;
    ngx_connection_t  *c;

    fd = eventfd(0, EFD_CLOEXEC|EFD_NONBLOCK);

    if (fd == -1) {
        ngx_log_error(NGX_LOG_ALERT, log, ngx_errno, "eventfd() failed");
        return NULL;
    }

    c = ngx_vidcast_notify_create(fd, handler, data, log);

    if (c == NULL || ngx_vidcast_notify_enable(c) != NGX_OK) {

        if (c) {
            ngx_vidcast_notify_destroy(c);
        }

        (void) ngx_close_file(fd);
        return NULL;
    }

    c->idle = 1;

    return c;
}


void
ngx_vidcast_notify_unwatch_exit(ngx_connection_t *c)
{
    ngx_fd_t  fd;

    fd = c->fd;

    ngx_vidcast_notify_destroy(c);

    (void) ngx_close_file(fd);
}


static void
ngx_vidcast_notify_empty_handler(ngx_event_t *ev)
{
    /* void */
}
