
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "os/ngx_vidcast_filter.h"

#if (NGX_VIDCAST_SECCOMP)

#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#include "vidcast_plugin.h"


#define NGX_VIDCAST_FILTER_MODE  2      /* as in Linux's linux/seccomp.h */

/* of what nobody needs there is no flag */

#define NGX_VIDCAST_FILTER_NOBODY   0
#define NGX_VIDCAST_FILTER_NETWORK  VIDCAST_NEEDS_NETWORK
#define NGX_VIDCAST_FILTER_FILES    VIDCAST_NEEDS_FILES
#define NGX_VIDCAST_FILTER_EXEC     VIDCAST_NEEDS_EXEC
#define NGX_VIDCAST_FILTER_WRITING  (VIDCAST_NEEDS_FILES|VIDCAST_NEEDS_DEVICES)

/* where the flags of clone() are */

#ifdef __s390x__
#define NGX_VIDCAST_FILTER_CLONE  1
#else
#define NGX_VIDCAST_FILTER_CLONE  0
#endif

/* of any libc's headers, the newest of them since Linux 5.6 */

#define NGX_VIDCAST_FILTER_NEWTIME   0x80
#define NGX_VIDCAST_FILTER_TMPFILE   (O_TMPFILE & ~O_DIRECTORY)

#define NGX_VIDCAST_FILTER_TERMINALS  0x54  /* ioctl()s of them, of files, */
#define NGX_VIDCAST_FILTER_SOCKETS    0x89  /* and of sockets */


/*
 * A call that is refused, but to code which has one of "needs"; all of them,
 * or those with an argument that compares so: as a mask, or as a number.
 */

typedef struct {
    const char         *call;
    ngx_uint_t          needs;
    ngx_err_t           err;
    ngx_uint_t          arg;
    enum scmp_compare   compare;
    uint64_t            mask;
    uint64_t            value;
} ngx_vidcast_filter_rule_t;


#define ngx_vidcast_filter_call(call, needs)                                  \
    { call, NGX_VIDCAST_FILTER_##needs, EPERM, 0, 0, 0, 0 }

/* what libraries fall back from: no mask can look into what it points to */

#define ngx_vidcast_filter_new(call, needs)                                   \
    { call, NGX_VIDCAST_FILTER_##needs, ENOSYS, 0, 0, 0, 0 }

#define ngx_vidcast_filter_bits(call, needs, arg, mask, value)                \
    { call, NGX_VIDCAST_FILTER_##needs, EPERM, arg, SCMP_CMP_MASKED_EQ, mask, \
      value }

#define ngx_vidcast_filter_space(flag)                                        \
    ngx_vidcast_filter_bits("clone", NOBODY, NGX_VIDCAST_FILTER_CLONE, flag,  \
                            flag),                                            \
    ngx_vidcast_filter_bits("unshare", NOBODY, 0, flag, flag)

#define ngx_vidcast_filter_open(call, arg)                                    \
    ngx_vidcast_filter_bits(call, WRITING, arg, O_ACCMODE, O_RDWR),           \
    ngx_vidcast_filter_bits(call, WRITING, arg, O_ACCMODE, O_ACCMODE),        \
    ngx_vidcast_filter_bits(call, WRITING, arg, O_ACCMODE|O_APPEND,           \
                            O_WRONLY),                                        \
    ngx_vidcast_filter_bits(call, FILES, arg, O_CREAT, O_CREAT),              \
    ngx_vidcast_filter_bits(call, FILES, arg, O_TRUNC, O_TRUNC),              \
    ngx_vidcast_filter_bits(call, FILES, arg, NGX_VIDCAST_FILTER_TMPFILE,     \
                            NGX_VIDCAST_FILTER_TMPFILE)


static ngx_int_t ngx_vidcast_filter_create(scmp_filter_ctx *ctx);
static ngx_int_t ngx_vidcast_filter_load(scmp_filter_ctx ctx);
static ngx_int_t ngx_vidcast_filter_rules(scmp_filter_ctx ctx,
    ngx_uint_t common, ngx_uint_t needs);
static ngx_int_t ngx_vidcast_filter_rule(scmp_filter_ctx ctx,
    const ngx_vidcast_filter_rule_t *rule);
static ngx_int_t ngx_vidcast_filter_archs(scmp_filter_ctx ctx);
static ngx_int_t ngx_vidcast_filter_sockets(scmp_filter_ctx ctx,
    ngx_log_t *log);
static ngx_int_t ngx_vidcast_filter_ioctls(scmp_filter_ctx ctx, uint64_t one,
    uint64_t two);
static ngx_int_t ngx_vidcast_filter_signals(scmp_filter_ctx ctx);


/*
 * What is not in this list is allowed: libraries and programs of others find
 * what they are used to.  What root alone may do is in it since there are
 * calls which a namespace makes root's, and kernels with faults.
 */

static const ngx_vidcast_filter_rule_t  ngx_vidcast_filter_list[] = {

    /* other processes */

    ngx_vidcast_filter_call("ptrace", NOBODY),
    ngx_vidcast_filter_call("process_vm_readv", NOBODY),
    ngx_vidcast_filter_call("process_vm_writev", NOBODY),
    ngx_vidcast_filter_call("process_madvise", NOBODY),
    ngx_vidcast_filter_call("pidfd_getfd", NOBODY),
    ngx_vidcast_filter_call("kcmp", NOBODY),

    /* namespaces */

    ngx_vidcast_filter_call("setns", NOBODY),
    ngx_vidcast_filter_space(CLONE_NEWNS),
    ngx_vidcast_filter_space(CLONE_NEWUTS),
    ngx_vidcast_filter_space(CLONE_NEWIPC),
    ngx_vidcast_filter_space(CLONE_NEWUSER),
    ngx_vidcast_filter_space(CLONE_NEWPID),
    ngx_vidcast_filter_space(CLONE_NEWNET),
    ngx_vidcast_filter_space(CLONE_NEWCGROUP),
    ngx_vidcast_filter_bits("unshare", NOBODY, 0, NGX_VIDCAST_FILTER_NEWTIME,
                            NGX_VIDCAST_FILTER_NEWTIME),
    ngx_vidcast_filter_new("clone3", NOBODY),

    /* file systems */

    ngx_vidcast_filter_call("mount", NOBODY),
    ngx_vidcast_filter_call("mount_setattr", NOBODY),
    ngx_vidcast_filter_call("move_mount", NOBODY),
    ngx_vidcast_filter_call("umount", NOBODY),
    ngx_vidcast_filter_call("umount2", NOBODY),
    ngx_vidcast_filter_call("open_tree", NOBODY),
    ngx_vidcast_filter_call("fsopen", NOBODY),
    ngx_vidcast_filter_call("fsconfig", NOBODY),
    ngx_vidcast_filter_call("fsmount", NOBODY),
    ngx_vidcast_filter_call("fspick", NOBODY),
    ngx_vidcast_filter_call("pivot_root", NOBODY),
    ngx_vidcast_filter_call("chroot", NOBODY),
    ngx_vidcast_filter_call("open_by_handle_at", NOBODY),
    ngx_vidcast_filter_call("fanotify_init", NOBODY),
    ngx_vidcast_filter_call("quotactl", NOBODY),
    ngx_vidcast_filter_call("quotactl_fd", NOBODY),
    ngx_vidcast_filter_call("swapon", NOBODY),
    ngx_vidcast_filter_call("swapoff", NOBODY),

    /* the kernel, and what it does for few */

    ngx_vidcast_filter_call("acct", NOBODY),
    ngx_vidcast_filter_call("bpf", NOBODY),
    ngx_vidcast_filter_call("perf_event_open", NOBODY),
    ngx_vidcast_filter_call("userfaultfd", NOBODY),
    ngx_vidcast_filter_call("io_uring_setup", NOBODY),
    ngx_vidcast_filter_call("io_uring_enter", NOBODY),
    ngx_vidcast_filter_call("io_uring_register", NOBODY),
    ngx_vidcast_filter_call("add_key", NOBODY),
    ngx_vidcast_filter_call("request_key", NOBODY),
    ngx_vidcast_filter_call("keyctl", NOBODY),
    ngx_vidcast_filter_call("init_module", NOBODY),
    ngx_vidcast_filter_call("finit_module", NOBODY),
    ngx_vidcast_filter_call("delete_module", NOBODY),
    ngx_vidcast_filter_call("kexec_load", NOBODY),
    ngx_vidcast_filter_call("kexec_file_load", NOBODY),
    ngx_vidcast_filter_call("reboot", NOBODY),
    ngx_vidcast_filter_call("syslog", NOBODY),
    ngx_vidcast_filter_call("settimeofday", NOBODY),
    ngx_vidcast_filter_call("clock_settime", NOBODY),
    ngx_vidcast_filter_call("sethostname", NOBODY),
    ngx_vidcast_filter_call("setdomainname", NOBODY),
    ngx_vidcast_filter_call("vhangup", NOBODY),
    ngx_vidcast_filter_call("iopl", NOBODY),
    ngx_vidcast_filter_call("ioperm", NOBODY),
    ngx_vidcast_filter_call("modify_ldt", NOBODY),
    ngx_vidcast_filter_call("vm86", NOBODY),
    ngx_vidcast_filter_call("vm86old", NOBODY),
    ngx_vidcast_filter_call("lookup_dcookie", NOBODY),
    ngx_vidcast_filter_call("nfsservctl", NOBODY),
    ngx_vidcast_filter_call("uselib", NOBODY),

    /* what is typed into a terminal is not typed by us */

    ngx_vidcast_filter_bits("ioctl", NOBODY, 1, 0xffffffff, TIOCSTI),
    ngx_vidcast_filter_bits("ioctl", NOBODY, 1, 0xffffffff, 0x541c),

    /* processes, started and disturbed; a thread is none */

    ngx_vidcast_filter_call("execve", EXEC),
    ngx_vidcast_filter_call("execveat", EXEC),
    ngx_vidcast_filter_call("fork", EXEC),
    ngx_vidcast_filter_call("vfork", EXEC),
    ngx_vidcast_filter_bits("clone", EXEC, NGX_VIDCAST_FILTER_CLONE,
                            CLONE_THREAD, 0),
    ngx_vidcast_filter_call("tkill", EXEC),
    ngx_vidcast_filter_call("pidfd_send_signal", EXEC),
    ngx_vidcast_filter_bits("fcntl", EXEC, 1, 0xffffffff, F_SETOWN),
    ngx_vidcast_filter_bits("fcntl", EXEC, 1, 0xffffffff, F_SETOWN_EX),
    ngx_vidcast_filter_bits("ioctl", EXEC, 1, 0xffffffff, FIOSETOWN),
    ngx_vidcast_filter_bits("ioctl", EXEC, 1, 0xffffffff, SIOCSPGRP),
    { "prlimit64", NGX_VIDCAST_FILTER_EXEC, EPERM, 0, SCMP_CMP_NE, 0, 0 },

    /*
     * Files that are written to; by DEVICES those that are there.  A log is
     * opened anew when it was moved: to append to a file stays allowed.
     */

    ngx_vidcast_filter_open("open", 1),
    ngx_vidcast_filter_open("openat", 2),
    ngx_vidcast_filter_new("openat2", FILES),
    ngx_vidcast_filter_call("creat", FILES),
    ngx_vidcast_filter_call("truncate", FILES),
    ngx_vidcast_filter_call("mkdir", FILES),
    ngx_vidcast_filter_call("mkdirat", FILES),
    ngx_vidcast_filter_call("mknod", FILES),
    ngx_vidcast_filter_call("mknodat", FILES),
    ngx_vidcast_filter_call("link", FILES),
    ngx_vidcast_filter_call("linkat", FILES),
    ngx_vidcast_filter_call("symlink", FILES),
    ngx_vidcast_filter_call("symlinkat", FILES),
    ngx_vidcast_filter_call("unlink", FILES),
    ngx_vidcast_filter_call("unlinkat", FILES),
    ngx_vidcast_filter_call("rmdir", FILES),
    ngx_vidcast_filter_call("rename", FILES),
    ngx_vidcast_filter_call("renameat", FILES),
    ngx_vidcast_filter_call("renameat2", FILES),
    ngx_vidcast_filter_call("chmod", FILES),
    ngx_vidcast_filter_call("fchmod", FILES),
    ngx_vidcast_filter_call("fchmodat", FILES),
    ngx_vidcast_filter_new("fchmodat2", FILES),
    ngx_vidcast_filter_call("chown", FILES),
    ngx_vidcast_filter_call("fchown", FILES),
    ngx_vidcast_filter_call("lchown", FILES),
    ngx_vidcast_filter_call("fchownat", FILES),
    ngx_vidcast_filter_call("utime", FILES),
    ngx_vidcast_filter_call("utimes", FILES),
    ngx_vidcast_filter_call("futimesat", FILES),
    ngx_vidcast_filter_call("utimensat", FILES),
    ngx_vidcast_filter_call("setxattr", FILES),
    ngx_vidcast_filter_call("lsetxattr", FILES),
    ngx_vidcast_filter_call("fsetxattr", FILES),
    ngx_vidcast_filter_new("setxattrat", FILES),
    ngx_vidcast_filter_call("removexattr", FILES),
    ngx_vidcast_filter_call("lremovexattr", FILES),
    ngx_vidcast_filter_call("fremovexattr", FILES),
    ngx_vidcast_filter_new("removexattrat", FILES)
};


ngx_int_t
ngx_vidcast_filter_common(void)
{
    ngx_int_t        rc;
    scmp_filter_ctx  ctx;

    rc = ngx_vidcast_filter_create(&ctx);
    if (rc != NGX_OK) {
        return rc;
    }

    rc = NGX_ERROR;

    if (ngx_vidcast_filter_archs(ctx) == NGX_OK
        && ngx_vidcast_filter_rules(ctx, 1, 0) == NGX_OK)
    {
        rc = ngx_vidcast_filter_load(ctx);
    }

    seccomp_release(ctx);

    return rc;
}


ngx_int_t
ngx_vidcast_filter_needs(ngx_uint_t needs, ngx_log_t *log)
{
    ngx_int_t        rc;
    scmp_filter_ctx  ctx;

    rc = ngx_vidcast_filter_create(&ctx);
    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_vidcast_filter_rules(ctx, 0, needs);

    if (rc == NGX_OK && !(needs & VIDCAST_NEEDS_NETWORK)) {
        rc = ngx_vidcast_filter_sockets(ctx, log);
    }

    if (rc == NGX_OK && !(needs & VIDCAST_NEEDS_DEVICES)) {
        rc = ngx_vidcast_filter_ioctls(ctx, NGX_VIDCAST_FILTER_TERMINALS,
                                       (needs & VIDCAST_NEEDS_NETWORK)
                                           ? NGX_VIDCAST_FILTER_SOCKETS
                                           : NGX_VIDCAST_FILTER_TERMINALS);
    }

    if (rc == NGX_OK && !(needs & VIDCAST_NEEDS_EXEC)) {
        rc = ngx_vidcast_filter_signals(ctx);
    }

    if (rc == NGX_OK) {
        rc = ngx_vidcast_filter_load(ctx);
    }

    seccomp_release(ctx);

    return rc;
}


/* one that allows everything; NGX_DECLINED: there are none */

static ngx_int_t
ngx_vidcast_filter_create(scmp_filter_ctx *ctx)
{
    if (!ngx_vidcast_filter_available()) {
        return NGX_DECLINED;
    }

    *ctx = seccomp_init(SCMP_ACT_ALLOW);

    if (*ctx == NULL) {
        ngx_set_errno(NGX_ENOMEM);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* no filter is loaded by a null pointer, where there are any */

ngx_uint_t
ngx_vidcast_filter_available(void)
{
    return prctl(PR_SET_SECCOMP, NGX_VIDCAST_FILTER_MODE, NULL, 0, 0) == -1
           && ngx_errno == EFAULT;
}


/*
 * All threads, or none.  Calls by another way into the kernel than those that
 * the filter knows are not there at all.
 */

static ngx_int_t
ngx_vidcast_filter_load(scmp_filter_ctx ctx)
{
    int  rc;

    rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);

    if (rc == 0) {
        rc = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH,
                              SCMP_ACT_ERRNO(ENOSYS));
    }

    if (rc == 0) {
        rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    }

    if (rc == 0) {
        rc = seccomp_load(ctx);
    }

    if (rc != 0) {
        ngx_set_errno(-rc);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_filter_rules(scmp_filter_ctx ctx, ngx_uint_t common,
    ngx_uint_t needs)
{
    size_t                            i;
    const ngx_vidcast_filter_rule_t  *rule;

    for (i = 0;
         i < sizeof(ngx_vidcast_filter_list)
             / sizeof(ngx_vidcast_filter_list[0]);
         i++)
    {
        rule = &ngx_vidcast_filter_list[i];

        if (common != (rule->needs == NGX_VIDCAST_FILTER_NOBODY)
            || (rule->needs & needs))
        {
            continue;
        }

        if (ngx_vidcast_filter_rule(ctx, rule) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* a call that libseccomp does not know is newer than it is, or long gone */

static ngx_int_t
ngx_vidcast_filter_rule(scmp_filter_ctx ctx,
    const ngx_vidcast_filter_rule_t *rule)
{
    int                  rc, call;
    struct scmp_arg_cmp  arg;

    call = seccomp_syscall_resolve_name(rule->call);

    if (call == __NR_SCMP_ERROR) {
        return NGX_OK;
    }

    arg.arg = rule->arg;
    arg.op = rule->compare;
    arg.datum_a = (rule->compare == SCMP_CMP_MASKED_EQ) ? rule->mask
                                                        : rule->value;
    arg.datum_b = rule->value;

    rc = seccomp_rule_add_array(ctx, SCMP_ACT_ERRNO(rule->err), call,
                                rule->compare ? 1 : 0, &arg);

    if (rc != 0) {
        ngx_set_errno(-rc);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* programs may be of 32 bits, and then have calls of their own */

static ngx_int_t
ngx_vidcast_filter_archs(scmp_filter_ctx ctx)
{
    int       rc;
    uint32_t  arch;

    switch (seccomp_arch_native()) {

    case SCMP_ARCH_X86_64:
        arch = SCMP_ARCH_X86;
        break;

    case SCMP_ARCH_AARCH64:
        arch = SCMP_ARCH_ARM;
        break;

    default:
        return NGX_OK;
    }

    rc = seccomp_arch_add(ctx, arch);

    if (rc != 0) {
        ngx_set_errno(-rc);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* a log may go to syslog, whose socket is opened again and again */

static ngx_int_t
ngx_vidcast_filter_sockets(scmp_filter_ctx ctx, ngx_log_t *log)
{
    ngx_syslog_peer_t                *peer;
    ngx_vidcast_filter_rule_t         rule;

    static ngx_vidcast_filter_rule_t  any =
        ngx_vidcast_filter_call("socket", NETWORK);

    rule = any;

    for ( /* void */ ; log; log = log->next) {

        if (log->writer != ngx_syslog_writer) {
            continue;
        }

        peer = log->wdata;

        if (peer->server.sockaddr->sa_family != AF_UNIX) {
            return NGX_OK;
        }

        rule.compare = SCMP_CMP_NE;
        rule.value = AF_UNIX;
    }

    return ngx_vidcast_filter_rule(ctx, &rule);
}


/*
 * All but those of two types, which are one byte of the number.  A rule has one
 * mask only.  So: a bit that both have, or have not, must be so; and the others
 * must all be as in one, or all as in two: seen as a ring, there is no place
 * where one of them is as in one, and the next is as in two.
 */

static ngx_int_t
ngx_vidcast_filter_ioctls(scmp_filter_ctx ctx, uint64_t one, uint64_t two)
{
    uint64_t                   bit, next, other;
    ngx_vidcast_filter_rule_t  rule;

    rule.call = "ioctl";
    rule.err = EPERM;
    rule.arg = 1;
    rule.compare = SCMP_CMP_MASKED_EQ;

    for (bit = 1; bit < 0x100; bit <<= 1) {
        other = one ^ two;

        if (other & bit) {
            next = bit;

            do {
                next = (next == 0x80) ? 1 : next << 1;
            } while (!(other & next));

            rule.mask = bit|next;
            rule.value = (one & bit)|(two & next);

        } else {
            rule.mask = bit;
            rule.value = ~one & bit;
        }

        rule.mask <<= 8;
        rule.value <<= 8;

        if (ngx_vidcast_filter_rule(ctx, &rule) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* of its own threads a process may signal any */

static ngx_int_t
ngx_vidcast_filter_signals(scmp_filter_ctx ctx)
{
    size_t                     i;
    ngx_vidcast_filter_rule_t  rule;

    static const char  *calls[] = {
        "kill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"
    };

    rule.err = EPERM;
    rule.arg = 0;
    rule.compare = SCMP_CMP_NE;
    rule.value = (uint64_t) ngx_pid;

    for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        rule.call = calls[i];

        if (ngx_vidcast_filter_rule(ctx, &rule) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


#else


ngx_int_t
ngx_vidcast_filter_common(void)
{
    return NGX_DECLINED;
}


ngx_int_t
ngx_vidcast_filter_needs(ngx_uint_t needs, ngx_log_t *log)
{
    return NGX_DECLINED;
}


ngx_uint_t
ngx_vidcast_filter_available(void)
{
    return 0;
}


#endif
