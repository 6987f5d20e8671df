
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <sys/prctl.h>
#include <sys/resource.h>

#include "os/ngx_vidcast_filter.h"
#include "os/ngx_vidcast_sandbox.h"


/*
 * As in Linux's own header of Landlock, which older systems have in part or
 * not at all.  These system calls have the same numbers on all processors.
 */

#define NGX_VIDCAST_LANDLOCK_CREATE   444
#define NGX_VIDCAST_LANDLOCK_ADD      445
#define NGX_VIDCAST_LANDLOCK_ENTER    446

#define NGX_VIDCAST_LANDLOCK_VERSION  0x1              /* a flag: tell it */
#define NGX_VIDCAST_LANDLOCK_BENEATH  1                /* a type of rule */
#define NGX_VIDCAST_LANDLOCK_REFER    ((uint64_t) 1 << 13)
#define NGX_VIDCAST_LANDLOCK_SIGNAL   ((uint64_t) 1 << 1)

#define NGX_VIDCAST_LANDLOCK_LEAST    2                /* version: Linux 5.19 */
#define NGX_VIDCAST_LANDLOCK_SCOPES   6                /* Linux 6.12 */

#define NGX_VIDCAST_SANDBOX_FILES     1024


typedef struct {
    uint64_t    files;
    uint64_t    network;
    uint64_t    scopes;
} ngx_vidcast_landlock_ruleset_t;


typedef struct {
    uint64_t    access;
    int32_t     parent;
} __attribute__((packed)) ngx_vidcast_landlock_beneath_t;


static ngx_uint_t ngx_vidcast_sandbox_calls(ngx_log_t *log);
static long ngx_vidcast_sandbox_landlock_version(void);
static ngx_int_t ngx_vidcast_sandbox_landlock(ngx_uint_t flags);
static ngx_int_t ngx_vidcast_sandbox_restrict(ngx_fd_t ruleset);
static void ngx_vidcast_sandbox_limit(int resource, rlim_t soft, rlim_t hard);


ngx_uint_t
ngx_vidcast_sandbox_enter(ngx_uint_t flags, ngx_log_t *log)
{
    ngx_err_t   err;
    ngx_uint_t  lacks;

    lacks = 0;

    (void) prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);

    if (ngx_vidcast_sandbox_landlock(flags) != NGX_OK) {
        err = ngx_errno;
        lacks |= NGX_VIDCAST_SANDBOX_LANDLOCK;

        if (log && !(ngx_vidcast_sandbox_lacks()
                     & NGX_VIDCAST_SANDBOX_LANDLOCK))
        {
            ngx_log_error(NGX_LOG_WARN, log, err,
                          "landlock failed, this process can look into others");
        }
    }

    if (!(flags & NGX_VIDCAST_SANDBOX_FILTERED)) {
        lacks |= ngx_vidcast_sandbox_calls(log);
    }

    if (!(flags & NGX_VIDCAST_SANDBOX_DEBUG)) {
        (void) prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
        ngx_vidcast_sandbox_limit(RLIMIT_CORE, 0, 0);
    }

    /*
     * What nginx needs for its clients is no business of ours.  Above that
     * number a library that calls select() writes beside its memory.  The
     * manager has those of all sources, and no library.
     */

    if (!(flags & NGX_VIDCAST_SANDBOX_SIGNALS)) {
        ngx_vidcast_sandbox_limit(RLIMIT_NOFILE, NGX_VIDCAST_SANDBOX_FILES,
                                  RLIM_INFINITY);
    }

    return lacks;
}


/* a step that fails is logged where the kernel could have taken it */

static ngx_uint_t
ngx_vidcast_sandbox_calls(ngx_log_t *log)
{
    ngx_int_t  rc;

    rc = ngx_vidcast_filter_common();

    if (rc == NGX_OK) {
        return 0;
    }

    if (rc == NGX_ERROR && log) {
        ngx_log_error(NGX_LOG_WARN, log, ngx_errno,
                      "seccomp failed, this process has no filter");
    }

    return NGX_VIDCAST_SANDBOX_SECCOMP;
}


ngx_uint_t
ngx_vidcast_sandbox_confine(ngx_uint_t needs, ngx_uint_t lacks,
    ngx_log_t *log)
{
    if (needs == 0 || lacks & NGX_VIDCAST_SANDBOX_ALL) {
        return lacks;
    }

    switch (ngx_vidcast_filter_needs(needs, log)) {

    case NGX_OK:
        return lacks;

    case NGX_ERROR:
        ngx_log_error(NGX_LOG_WARN, log, ngx_errno,
                      "seccomp failed, this process can do more than its "
                      "plugin needs");
        break;

    default: /* NGX_DECLINED */
        break;
    }

    return lacks|NGX_VIDCAST_SANDBOX_SECCOMP;
}


ngx_uint_t
ngx_vidcast_sandbox_lacks(void)
{
    ngx_uint_t  lacks;

    lacks = ngx_vidcast_filter_available() ? 0 : NGX_VIDCAST_SANDBOX_SECCOMP;

    if (ngx_vidcast_sandbox_landlock_version() < NGX_VIDCAST_LANDLOCK_LEAST) {
        lacks |= NGX_VIDCAST_SANDBOX_LANDLOCK;
    }

    return lacks;
}


/* -1: the kernel has none, or it was not turned on */

static long
ngx_vidcast_sandbox_landlock_version(void)
{
    return syscall(NGX_VIDCAST_LANDLOCK_CREATE, NULL, (size_t) 0,
                   NGX_VIDCAST_LANDLOCK_VERSION);
}


/*
 * A domain is all we want: being in one keeps a process from those outside of
 * it.  A ruleset has to rule something; and any ruleset takes away the right
 * to move a file to another directory, unless it says otherwise.  So this is
 * the right that ours rules, and gives back.  Nothing in the file system is
 * refused by that, save mount(), which our user has no right to.
 *
 * The kernel takes a longer structure than it knows, if the rest is zero.
 */

static ngx_int_t
ngx_vidcast_sandbox_landlock(ngx_uint_t flags)
{
    long                            version;
    ngx_fd_t                        ruleset;
    ngx_int_t                       rc;
    ngx_err_t                       err;
    ngx_vidcast_landlock_ruleset_t  attr;

    version = ngx_vidcast_sandbox_landlock_version();

    if (version < NGX_VIDCAST_LANDLOCK_LEAST) {
        return NGX_DECLINED;
    }

    ngx_memzero(&attr, sizeof(ngx_vidcast_landlock_ruleset_t));

    attr.files = NGX_VIDCAST_LANDLOCK_REFER;

    if (version >= NGX_VIDCAST_LANDLOCK_SCOPES
        && !(flags & NGX_VIDCAST_SANDBOX_SIGNALS))
    {
        attr.scopes = NGX_VIDCAST_LANDLOCK_SIGNAL;
    }

    ruleset = syscall(NGX_VIDCAST_LANDLOCK_CREATE, &attr,
                      sizeof(ngx_vidcast_landlock_ruleset_t), 0);
    if (ruleset == -1) {
        return NGX_ERROR;
    }

    rc = ngx_vidcast_sandbox_restrict(ruleset);

    err = ngx_errno;
    (void) ngx_close_file(ruleset);
    ngx_set_errno(err);

    return rc;
}


static ngx_int_t
ngx_vidcast_sandbox_restrict(ngx_fd_t ruleset)
{
    int                             rc;
    ngx_err_t                       err;
    ngx_vidcast_landlock_beneath_t  beneath;

    beneath.access = NGX_VIDCAST_LANDLOCK_REFER;
    beneath.parent = open("/", O_PATH|O_DIRECTORY|O_CLOEXEC);

    if (beneath.parent == -1) {
        return NGX_ERROR;
    }

    rc = syscall(NGX_VIDCAST_LANDLOCK_ADD, ruleset,
                 NGX_VIDCAST_LANDLOCK_BENEATH, &beneath, 0);

    err = ngx_errno;
    (void) ngx_close_file(beneath.parent);
    ngx_set_errno(err);

    if (rc == -1 || syscall(NGX_VIDCAST_LANDLOCK_ENTER, ruleset, 0) == -1) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* lowers a limit, or leaves it as low as it is */

static void
ngx_vidcast_sandbox_limit(int resource, rlim_t soft, rlim_t hard)
{
    struct rlimit  rlmt;

    if (getrlimit(resource, &rlmt) == -1) {
        return;
    }

    rlmt.rlim_max = ngx_min(rlmt.rlim_max, hard);
    rlmt.rlim_cur = ngx_min(rlmt.rlim_cur, soft);

    (void) setrlimit(resource, &rlmt);
}


ngx_str_t *
ngx_vidcast_sandbox_name(ngx_uint_t lacks)
{
    static ngx_str_t  full = ngx_string("full");
    static ngx_str_t  no_landlock = ngx_string("no landlock");
    static ngx_str_t  no_seccomp = ngx_string("no seccomp");
    static ngx_str_t  neither = ngx_string("no landlock, no seccomp");
    static ngx_str_t  off = ngx_string("off");

    if (lacks & NGX_VIDCAST_SANDBOX_ALL) {
        return &off;
    }

    if (lacks & NGX_VIDCAST_SANDBOX_SECCOMP) {
        return (lacks & NGX_VIDCAST_SANDBOX_LANDLOCK) ? &neither : &no_seccomp;
    }

    return (lacks & NGX_VIDCAST_SANDBOX_LANDLOCK) ? &no_landlock : &full;
}
