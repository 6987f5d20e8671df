
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_NOTIFY_H_INCLUDED_
#define _NGX_VIDCAST_NOTIFY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>


/*
 * A connection on an eventfd which all processes share.  It is registered
 * edge-triggered while it is enabled; it is never read.  The descriptor is
 * never closed: destroy() gives back the connection only.  "handler" gets an
 * event whose data is the connection, and whose data is "data".
 *
 * create()   NULL: no connection was free, logged
 * enable()   NGX_OK or NGX_ERROR
 */
ngx_connection_t *ngx_vidcast_notify_create(ngx_fd_t fd,
    ngx_event_handler_pt handler, void *data, ngx_log_t *log);
ngx_int_t ngx_vidcast_notify_enable(ngx_connection_t *c);
void ngx_vidcast_notify_disable(ngx_connection_t *c);
void ngx_vidcast_notify_destroy(ngx_connection_t *c);

/*
 * A connection of this process alone, on an eventfd of its own, which nginx
 * takes for idle: when the process is told to leave gracefully, "handler" is
 * called with c->close set.  NULL: logged.
 */
ngx_connection_t *ngx_vidcast_notify_watch_exit(ngx_event_handler_pt handler,
    void *data, ngx_log_t *log);
void ngx_vidcast_notify_unwatch_exit(ngx_connection_t *c);


#endif /* _NGX_VIDCAST_NOTIFY_H_INCLUDED_ */
