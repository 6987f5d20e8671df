
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_PROCESS_TREE_H_INCLUDED_
#define _NGX_VIDCAST_PROCESS_TREE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Kills what a process has started, and what that has started, in sessions
 * of their own too.  Returns how many were still alive.  One of them may
 * have forked just before: call it again until it returns 0.  Without /proc,
 * or without a descriptor to read it, it finds none.
 */
ngx_uint_t ngx_vidcast_kill_descendants(ngx_pid_t pid);


#endif /* _NGX_VIDCAST_PROCESS_TREE_H_INCLUDED_ */
