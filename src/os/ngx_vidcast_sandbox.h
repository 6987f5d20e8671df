
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_SANDBOX_H_INCLUDED_
#define _NGX_VIDCAST_SANDBOX_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * What a process gives up before it looks at bytes of strangers, or runs code
 * that is not ours; for good, and for all that it starts:
 *
 *     privileges     no program gets more of them, setuid or not
 *     processes      a Landlock domain of its own: memory, descriptors and
 *                    more of any process that is not its descendant are out of
 *                    its reach, though they have the same user; and it cannot
 *                    signal them, where the kernel can prevent that
 *     system calls   those that nobody needs; by confine() also those that
 *                    the code which it runs does not need
 *     core files     none, and no other process of its user may look into it;
 *                    that is undone by execve(), the rest is not
 */

#define NGX_VIDCAST_SANDBOX_DEBUG     0x1    /* core files, and gdb */
#define NGX_VIDCAST_SANDBOX_SIGNALS   0x2    /* it must signal strangers */
#define NGX_VIDCAST_SANDBOX_FILTERED  0x4    /* as its parent is, which lasts */


/* what there is none of: of the kernel's, or of what was asked for */

#define NGX_VIDCAST_SANDBOX_LANDLOCK  0x1
#define NGX_VIDCAST_SANDBOX_ALL       0x2    /* it was turned off */
#define NGX_VIDCAST_SANDBOX_SECCOMP   0x4


/*
 * Enters it: in a process with one thread, and before it needs more than 1024
 * descriptors.  Returns what there is none of, 0: nothing.  A step that fails
 * though the kernel has it is logged, unless "log" is NULL; with that, and with
 * FILTERED, all calls are safe behind a fork.
 */
ngx_uint_t ngx_vidcast_sandbox_enter(ngx_uint_t flags, ngx_log_t *log);

/*
 * Before the process looks at bytes of strangers: it and all of its threads
 * can do no more than code with these VIDCAST_NEEDS_* needs, unless they are 0:
 * these are not known.  "lacks" is what enter() said; returns that, and what
 * there is none of.
 */
ngx_uint_t ngx_vidcast_sandbox_confine(ngx_uint_t needs, ngx_uint_t lacks,
    ngx_log_t *log);

/* what the kernel has none of, by the same bits */
ngx_uint_t ngx_vidcast_sandbox_lacks(void);

/* in the words of the status page */
ngx_str_t *ngx_vidcast_sandbox_name(ngx_uint_t lacks);


#endif /* _NGX_VIDCAST_SANDBOX_H_INCLUDED_ */
