
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_PLUGIN_H_INCLUDED_
#define _NGX_VIDCAST_PLUGIN_H_INCLUDED_


#include "core/ngx_vidcast.h"
#include "vidcast_plugin.h"


#define NGX_VIDCAST_PLUGIN_CHECK  10000    /* ms that a check may take */


/*
 * The full name of a plugin which is ours, "vidcast_av.so": it lies where
 * the module itself does, or, of a module linked into nginx, in "modules"
 * under nginx's prefix.  NULL: no memory.
 */
u_char *ngx_vidcast_plugin_path(ngx_pool_t *pool, const char *name);

/*
 * Loads the plugin of this full name, for good.  NULL: reason in "error" of
 * NGX_VIDCAST_ERROR_LEN.  Its functions which the ABI requires are there.
 */
const vidcast_plugin_t *ngx_vidcast_plugin_load(const char *path,
    u_char *error);

/*
 * At configuration: runs "check", which is to load the plugin and to look at
 * the configuration, in a child process without our descriptors, which drops
 * to "user".  One that crashes, or takes longer than the limit, has failed.
 * NGX_OK; NGX_ERROR: reason in "error".
 */
typedef ngx_int_t (*ngx_vidcast_plugin_check_pt)(void *data, u_char *error);

ngx_int_t ngx_vidcast_plugin_try(ngx_cycle_t *cycle,
    ngx_vidcast_plugin_check_pt check, void *data, u_char *error);


#endif /* _NGX_VIDCAST_PLUGIN_H_INCLUDED_ */
