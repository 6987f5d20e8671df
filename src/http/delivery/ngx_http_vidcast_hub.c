
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "http/delivery/ngx_http_vidcast_hub.h"
#include "http/publish/ngx_http_vidcast_publisher.h"
#include "shm/ngx_vidcast_control.h"
#include "shm/ngx_vidcast_notify.h"


#define NGX_HTTP_VIDCAST_UNSENT  65536    /* bytes to wait in the kernel */


static void ngx_http_vidcast_hub_pair_overlay(
    ngx_http_vidcast_main_conf_t *vmcf, ngx_uint_t n);
static ngx_int_t ngx_http_vidcast_hub_create(ngx_http_vidcast_hub_t *hub,
    ngx_cycle_t *cycle);
static void ngx_http_vidcast_hub_keep_fresh(ngx_http_request_t *r);
static void ngx_http_vidcast_hub_cleanup(void *data);
static ngx_http_vidcast_subscription_t *ngx_http_vidcast_hub_subscription(
    ngx_http_vidcast_hub_t *hub, ngx_http_vidcast_viewer_t *viewer);
static ngx_http_vidcast_subscription_t *
    ngx_http_vidcast_hub_create_subscription(
    ngx_http_vidcast_viewer_t *viewer);
static void ngx_http_vidcast_hub_count(ngx_http_vidcast_hub_t *hub,
    ngx_http_vidcast_viewer_t *viewer, ngx_int_t n);
static ngx_uint_t ngx_http_vidcast_hub_full(ngx_http_vidcast_hub_t *hub,
    ngx_http_vidcast_viewer_t *viewer);
static ngx_uint_t ngx_http_vidcast_hub_current(ngx_http_vidcast_hub_t *hub);
static void ngx_http_vidcast_hub_resume(ngx_http_vidcast_subscription_t *sub,
    uint64_t since);
static void ngx_http_vidcast_hub_end(ngx_http_vidcast_subscription_t *sub);


ngx_int_t
ngx_http_vidcast_hub_init(ngx_cycle_t *cycle,
    ngx_http_vidcast_main_conf_t *vmcf)
{
    ngx_uint_t               i, n;
    ngx_vidcast_source_t   **source;
    ngx_http_vidcast_hub_t  *hub;

    n = vmcf->vidcast.sources.nelts;
    source = vmcf->vidcast.sources.elts;

    ngx_http_vidcast_sweep_init(vmcf, cycle->log);

    ngx_queue_init(&vmcf->behind);

    vmcf->slice.handler = ngx_http_vidcast_delivery_slice_handler;
    vmcf->slice.data = vmcf;
    vmcf->slice.log = cycle->log;

    if (n == 0) {
        return NGX_OK;
    }

    vmcf->hubs = ngx_pcalloc(cycle->pool, n * sizeof(ngx_http_vidcast_hub_t));
    if (vmcf->hubs == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        hub = &vmcf->hubs[i];

        hub->vmcf = vmcf;
        hub->source = source[i];
        hub->zone = source[i]->zone;
        hub->camera = source[i]->of ? source[i]->of->zone : hub->zone;
        hub->share = ngx_vidcast_zone_share(vmcf->vidcast.control,
                                            hub->camera);

        ngx_http_vidcast_hub_pair_overlay(vmcf, i);

        if (ngx_http_vidcast_hub_create(hub, cycle) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* sources stand before their overlays */

static void
ngx_http_vidcast_hub_pair_overlay(ngx_http_vidcast_main_conf_t *vmcf,
    ngx_uint_t n)
{
    ngx_uint_t  i;

    for (i = 0; i < n; i++) {
        if (vmcf->hubs[i].source->overlay == vmcf->hubs[n].source) {
            vmcf->hubs[i].overlay = &vmcf->hubs[n];
        }
    }
}


static ngx_int_t
ngx_http_vidcast_hub_create(ngx_http_vidcast_hub_t *hub, ngx_cycle_t *cycle)
{
    ngx_vidcast_geometry_t  *g;

    g = &hub->source->geometry;

    ngx_queue_init(&hub->subscriptions);

    ngx_http_vidcast_publisher_init(hub, cycle->log);

    hub->file.fd = hub->zone->frames;
    hub->file.name = hub->source->name;
    hub->file.log = cycle->log;

    hub->results = ngx_pcalloc(cycle->pool, g->results
                                     * sizeof(ngx_http_vidcast_message_t *));
    hub->text = ngx_pnalloc(cycle->pool, g->result_size);

    if (hub->results == NULL || hub->text == NULL) {
        return NGX_ERROR;
    }

    hub->wake = ngx_vidcast_notify_create(hub->zone->wake,
                                        ngx_http_vidcast_delivery_wake_handler,
                                        hub, cycle->log);

    if (hub->wake == NULL) {
        ngx_log_error(NGX_LOG_ALERT, cycle->log, 0,
                      "no connection is free to watch vidcast source \"%V\"",
                      &hub->source->name);
    }

    return NGX_OK;
}


void
ngx_http_vidcast_hub_exit(ngx_http_vidcast_main_conf_t *vmcf)
{
    ngx_uint_t               i;
    ngx_http_vidcast_hub_t  *hub;

    ngx_http_vidcast_sweep_exit(vmcf);

    if (vmcf->slice.posted) {
        ngx_delete_posted_event(&vmcf->slice);
    }

    for (i = 0; i < vmcf->vidcast.sources.nelts; i++) {
        hub = &vmcf->hubs[i];

        if (hub->patience.timer_set) {
            ngx_del_timer(&hub->patience);
        }

        if (hub->nsubscriptions == 0) {
            ngx_http_vidcast_message_drop(hub);
        }

        if (hub->wake) {
            ngx_vidcast_notify_destroy(hub->wake);
            hub->wake = NULL;
        }
    }
}


ngx_http_vidcast_hub_t *
ngx_http_vidcast_hub_find(ngx_http_vidcast_main_conf_t *vmcf, ngx_str_t *name)
{
    ngx_str_t   *s;
    ngx_uint_t   i;

    for (i = 0; i < vmcf->vidcast.sources.nelts; i++) {
        s = &vmcf->hubs[i].source->name;

        if (s->len == name->len
            && ngx_strncmp(s->data, name->data, name->len) == 0)
        {
            return &vmcf->hubs[i];
        }
    }

    return NULL;
}


ngx_int_t
ngx_http_vidcast_hub_join(ngx_http_vidcast_main_conf_t *vmcf,
    ngx_http_vidcast_viewer_t *viewer)
{
    ngx_connection_t             *c;
    ngx_http_cleanup_t           *cln;
    ngx_http_vidcast_loc_conf_t  *vlcf;

    if (vmcf->draining) {
        return NGX_BUSY;
    }

    cln = ngx_http_cleanup_add(viewer->request, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_vidcast_hub_cleanup;
    cln->data = viewer;

    ngx_queue_init(&viewer->subscriptions);
    ngx_queue_init(&viewer->ended);
    ngx_queue_insert_tail(&vmcf->viewers, &viewer->queue);

    c = viewer->request->connection;

    viewer->joined = 1;
    viewer->direct = c->sendfile
                     && c->send_chain == ngx_send_chain
                     && c->sockaddr->sa_family != AF_UNIX;
    viewer->progress = ngx_current_msec;
    viewer->answered = ngx_current_msec;

    vlcf = ngx_http_get_module_loc_conf(viewer->request,
                                        ngx_http_vidcast_module);

    viewer->patience = vlcf->ping ? vlcf->ping + vlcf->ping_timeout : 0;

    ngx_http_vidcast_peer_watch(viewer->request);

    if (viewer->frames) {
        ngx_http_vidcast_hub_keep_fresh(viewer->request);
    }

    vmcf->nviewers++;

    ngx_http_vidcast_sweep_watch(vmcf);

    return NGX_OK;
}


/*
 * The kernel would queue megabytes for a slow viewer, who then sees pictures
 * that are many seconds old, and who seems to take nothing for as long: it
 * says that there is room again only when a third is free.
 */

static void
ngx_http_vidcast_hub_keep_fresh(ngx_http_request_t *r)
{
    int                lowat;
    ngx_connection_t  *c;

    c = r->connection;

#if (NGX_HTTP_V2)

    if (r->stream) {
        return;
    }

#endif

    lowat = NGX_HTTP_VIDCAST_UNSENT;

    if (setsockopt(c->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT,
                   (const void *) &lowat, sizeof(int))
        == -1)
    {
        /* a Unix socket, for one; it has a small queue of its own */

        ngx_log_debug0(NGX_LOG_DEBUG_HTTP, c->log, ngx_socket_errno,
                       "vidcast setsockopt(TCP_NOTSENT_LOWAT) failed");
    }
}


static void
ngx_http_vidcast_hub_cleanup(void *data)
{
    ngx_http_vidcast_hub_leave(data);
}


void
ngx_http_vidcast_hub_leave(ngx_http_vidcast_viewer_t *viewer)
{
    ngx_queue_t                      *q;
    ngx_http_vidcast_main_conf_t     *vmcf;
    ngx_http_vidcast_subscription_t  *sub;

    if (!viewer->joined) {
        return;
    }

    viewer->joined = 0;

    (void) ngx_http_vidcast_hub_account(viewer);

    while (!ngx_queue_empty(&viewer->subscriptions)) {
        q = ngx_queue_head(&viewer->subscriptions);
        sub = ngx_queue_data(q, ngx_http_vidcast_subscription_t, link);

        ngx_http_vidcast_hub_end(sub);
    }

    vmcf = ngx_http_get_module_main_conf(viewer->request,
                                         ngx_http_vidcast_module);

    ngx_queue_remove(&viewer->queue);
    vmcf->nviewers--;
}


off_t
ngx_http_vidcast_hub_account(ngx_http_vidcast_viewer_t *viewer)
{
    off_t                             sent;
    ngx_queue_t                      *q;
    ngx_connection_t                 *c;
    ngx_http_vidcast_subscription_t  *sub;

    c = viewer->request->connection;

    sent = c->sent - viewer->sent;
    viewer->sent = c->sent;
    viewer->tally.bytes += sent;

    if (!ngx_queue_empty(&viewer->subscriptions)) {
        q = ngx_queue_head(&viewer->subscriptions);
        sub = ngx_queue_data(q, ngx_http_vidcast_subscription_t, link);
        sub->hub->share->bytes += sent;
    }

    return sent;
}


ngx_int_t
ngx_http_vidcast_hub_subscribe(ngx_http_vidcast_hub_t *hub,
    ngx_http_vidcast_viewer_t *viewer, uint64_t *since)
{
    uint32_t                         *viewers;
    ngx_http_vidcast_subscription_t  *sub;

    if (ngx_http_vidcast_hub_subscription(hub, viewer)) {
        return NGX_OK;
    }

    viewers = &hub->share->viewers[viewer->transport->id];

    /* counted first: of two workers at a time one at least sees the other */

    ngx_vidcast_store(viewers, *viewers + 1);

    if (hub->wake == NULL
        || ngx_http_vidcast_hub_full(hub, viewer)
        || ngx_vidcast_notify_enable(hub->wake) != NGX_OK)
    {
        ngx_vidcast_store(viewers, *viewers - 1);
        hub->share->refused++;
        return NGX_BUSY;
    }

    sub = ngx_http_vidcast_hub_create_subscription(viewer);
    if (sub == NULL) {
        ngx_vidcast_store(viewers, *viewers - 1);
        return NGX_ERROR;
    }

    sub->hub = hub;

    ngx_queue_insert_tail(&hub->subscriptions, &sub->queue);
    ngx_queue_insert_tail(&viewer->subscriptions, &sub->link);

    hub->nsubscriptions++;
    hub->nframes += viewer->frames;
    hub->npaired += viewer->paired;

    ngx_http_vidcast_message_news(hub);

    sub->result = hub->result;

    if (hub->result && !ngx_http_vidcast_hub_current(hub)) {
        sub->result++;
    }

    if (since) {
        ngx_http_vidcast_hub_resume(sub, *since);
    }

    ngx_http_vidcast_hub_count(hub, viewer, 1);

    ngx_http_vidcast_hub_ask(hub);

    return NGX_OK;
}


/* what is known of viewers beside their transport */

static void
ngx_http_vidcast_hub_count(ngx_http_vidcast_hub_t *hub,
    ngx_http_vidcast_viewer_t *viewer, ngx_int_t n)
{
    uint32_t  *viewers;

    viewers = hub->share->viewers;

    if (hub->camera != hub->zone) {
        ngx_vidcast_store(&viewers[NGX_VIDCAST_OVERLAID],
                          viewers[NGX_VIDCAST_OVERLAID] + n);

    } else if (viewer->frames && viewer->direct) {
        ngx_vidcast_store(&viewers[NGX_VIDCAST_DIRECT],
                          viewers[NGX_VIDCAST_DIRECT] + n);
    }
}


void
ngx_http_vidcast_hub_ask(ngx_http_vidcast_hub_t *hub)
{
    ngx_vidcast_zone_ask(hub->camera);

    if (hub->camera != hub->zone) {
        ngx_vidcast_zone_ask(hub->zone);
    }
}


void
ngx_http_vidcast_hub_unsubscribe(ngx_http_vidcast_hub_t *hub,
    ngx_http_vidcast_viewer_t *viewer)
{
    ngx_http_vidcast_subscription_t  *sub;

    sub = ngx_http_vidcast_hub_subscription(hub, viewer);

    if (sub) {
        ngx_http_vidcast_hub_end(sub);
    }
}


/* is the newest result not of other times, or before the source slept? */

static ngx_uint_t
ngx_http_vidcast_hub_current(ngx_http_vidcast_hub_t *hub)
{
    ngx_http_vidcast_message_t  *message;

    message = hub->results[hub->result % hub->source->geometry.results];

    return message
           && (message->frame.number == 0
               || message->frame.number
                  > ngx_vidcast_ring_past(&hub->zone->ring));
}


/* NULL: the viewer does not watch this source */

static ngx_http_vidcast_subscription_t *
ngx_http_vidcast_hub_subscription(ngx_http_vidcast_hub_t *hub,
    ngx_http_vidcast_viewer_t *viewer)
{
    ngx_queue_t                      *q;
    ngx_http_vidcast_subscription_t  *sub;

    for (q = ngx_queue_head(&viewer->subscriptions);
         q != ngx_queue_sentinel(&viewer->subscriptions);
         q = ngx_queue_next(q))
    {
        sub = ngx_queue_data(q, ngx_http_vidcast_subscription_t, link);

        if (sub->hub == hub) {
            return sub;
        }
    }

    return NULL;
}


/* ended ones are used again: viewers may come and go as long as they like */

static ngx_http_vidcast_subscription_t *
ngx_http_vidcast_hub_create_subscription(ngx_http_vidcast_viewer_t *viewer)
{
    ngx_queue_t                      *q;
    ngx_http_vidcast_subscription_t  *sub;

    if (ngx_queue_empty(&viewer->ended)) {
        sub = ngx_palloc(viewer->request->pool,
                         sizeof(ngx_http_vidcast_subscription_t));
        if (sub == NULL) {
            return NULL;
        }

    } else {
        q = ngx_queue_head(&viewer->ended);
        ngx_queue_remove(q);
        sub = ngx_queue_data(q, ngx_http_vidcast_subscription_t, link);
    }

    ngx_memzero(sub, sizeof(ngx_http_vidcast_subscription_t));

    sub->viewer = viewer;

    return sub;
}


static void
ngx_http_vidcast_hub_end(ngx_http_vidcast_subscription_t *sub)
{
    ngx_http_vidcast_hub_t     *hub;
    ngx_http_vidcast_viewer_t  *viewer;

    hub = sub->hub;
    viewer = sub->viewer;

    ngx_queue_remove(&sub->queue);
    ngx_queue_remove(&sub->link);
    ngx_queue_insert_tail(&viewer->ended, &sub->link);

    hub->nsubscriptions--;
    hub->nframes -= viewer->frames;
    hub->npaired -= viewer->paired;
    hub->share->viewers[viewer->transport->id]--;

    ngx_http_vidcast_hub_count(hub, viewer, -1);

    if (sub->pair) {
        ngx_http_vidcast_message_unref(sub->pair);
        sub->pair = NULL;
    }

    if (hub->nframes == 0) {
        ngx_http_vidcast_message_drop_frame(hub);
    }

    if (hub->nsubscriptions == 0) {
        ngx_http_vidcast_message_drop(hub);
        ngx_http_vidcast_hub_unwatch(hub);
    }
}


void
ngx_http_vidcast_hub_unwatch(ngx_http_vidcast_hub_t *hub)
{
    if (hub->wake && hub->nsubscriptions == 0 && hub->npublishers == 0) {
        ngx_vidcast_notify_disable(hub->wake);
    }
}


/*
 * Viewers of all workers are counted; what a worker that was killed left is
 * told from the living ones only when it matters.
 */

static ngx_uint_t
ngx_http_vidcast_hub_full(ngx_http_vidcast_hub_t *hub,
    ngx_http_vidcast_viewer_t *viewer)
{
    ngx_uint_t                    most;
    ngx_vidcast_control_t        *control;
    ngx_http_vidcast_loc_conf_t  *vlcf;

    vlcf = ngx_http_get_module_loc_conf(viewer->request,
                                        ngx_http_vidcast_module);
    most = vlcf->max_viewers;
    control = hub->vmcf->vidcast.control;

    return most
           && ngx_vidcast_zone_viewers(control, hub->camera, NULL) > most
           && ngx_vidcast_zone_viewers(control, hub->camera,
                                       viewer->request->connection->log)
              > most;
}


/* a number that we did not give, or not yet, is of another series */

static void
ngx_http_vidcast_hub_resume(ngx_http_vidcast_subscription_t *sub,
    uint64_t since)
{
    if (since == NGX_HTTP_VIDCAST_UNKNOWN || since > sub->hub->result) {
        sub->reset = 1;
        return;
    }

    sub->result = ngx_http_vidcast_message_seek(sub->hub, since + 1);
    sub->skipped = sub->result - (since + 1);
    sub->replay = 1;
}


void
ngx_http_vidcast_hub_finalize(ngx_http_vidcast_viewer_t *viewer, ngx_int_t rc)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = viewer->request;
    c = r->connection;

    ngx_http_vidcast_hub_leave(viewer);

    ngx_http_set_log_request(c->log, r);

    ngx_http_finalize_request(r, rc);

    ngx_http_run_posted_requests(c);
}
