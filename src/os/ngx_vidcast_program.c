
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <dlfcn.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "os/ngx_vidcast_program.h"


#define NGX_VIDCAST_PROGRAM_ARGS   8
#define NGX_VIDCAST_PROGRAM_TITLE  256

/* as fork(), but for what is to be done before and after it with threads */

#define ngx_vidcast_program_clone(signo)                                      \
    (ngx_pid_t) syscall(SYS_clone, signo, 0, 0, 0, 0)

/* where the calls of these names have 16 bits, there are others with 32 */

#ifdef SYS_setuid32
#define NGX_VIDCAST_PROGRAM_SETGID     SYS_setgid32
#define NGX_VIDCAST_PROGRAM_SETGROUPS  SYS_setgroups32
#define NGX_VIDCAST_PROGRAM_SETUID     SYS_setuid32
#else
#define NGX_VIDCAST_PROGRAM_SETGID     SYS_setgid
#define NGX_VIDCAST_PROGRAM_SETGROUPS  SYS_setgroups
#define NGX_VIDCAST_PROGRAM_SETUID     SYS_setuid
#endif

#define ngx_vidcast_program_fd_name(name, fd)                                 \
    (void) ngx_sprintf(name, "/proc/self/fd/%d%Z", fd)


/* what the process needs between fork and exec */

typedef struct {
    ngx_vidcast_program_t  *program;
    ngx_cycle_t            *cycle;
    char                   *argv[NGX_VIDCAST_PROGRAM_ARGS];
    char                  **envp;
    gid_t                  *groups;
    int                     ngroups;
    u_char                  title[NGX_VIDCAST_PROGRAM_TITLE];
    u_char                  prefix[NGX_MAX_PATH];
    u_char                  binary[64];
    u_char                  settings[64];
} ngx_vidcast_program_run_t;


static void ngx_vidcast_program_cleanup(void *data);
static ngx_fd_t ngx_vidcast_program_open_file(char *name, ngx_log_t *log);
static ngx_int_t ngx_vidcast_program_prepare(ngx_vidcast_program_run_t *run,
    ngx_vidcast_program_t *program, ngx_cycle_t *cycle);
static int ngx_libc_cdecl ngx_vidcast_program_cmp(const void *one,
    const void *two);
static char **ngx_vidcast_program_environment(void);
static ngx_core_conf_t *ngx_vidcast_program_other_user(ngx_cycle_t *cycle);
static ngx_int_t ngx_vidcast_program_groups(ngx_vidcast_program_run_t *run);
static ngx_pid_t ngx_vidcast_program_detach(ngx_vidcast_program_run_t *run);
static ngx_pid_t ngx_vidcast_program_detached(ngx_pid_t pid, ngx_fd_t fd);
static void ngx_vidcast_program_exec(ngx_vidcast_program_run_t *run);
static void ngx_vidcast_program_descriptors(ngx_vidcast_program_t *program);
static void ngx_vidcast_program_affinity(ngx_cycle_t *cycle);
static ngx_int_t ngx_vidcast_program_user(ngx_vidcast_program_run_t *run);


static ngx_fd_t    ngx_vidcast_program_binary = NGX_INVALID_FILE;
static ngx_fd_t    ngx_vidcast_program_file = NGX_INVALID_FILE;
static ngx_uint_t  ngx_vidcast_program_refs;
static char        ngx_vidcast_program_name[PATH_MAX];


ngx_int_t
ngx_vidcast_program_open(ngx_cycle_t *cycle)
{
    u_char              *module;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(cycle->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_vidcast_program_cleanup;

    if (ngx_vidcast_program_refs++) {
        return NGX_OK;
    }

    module = ngx_vidcast_program_module();

    if (module) {
        ngx_vidcast_program_file =
                    ngx_vidcast_program_open_file((char *) module, cycle->log);

        if (ngx_vidcast_program_file == NGX_INVALID_FILE) {
            return NGX_ERROR;
        }
    }

    ngx_vidcast_program_binary =
                  ngx_vidcast_program_open_file("/proc/self/exe", cycle->log);

    return (ngx_vidcast_program_binary == NGX_INVALID_FILE) ? NGX_ERROR
                                                            : NGX_OK;
}


static void
ngx_vidcast_program_cleanup(void *data)
{
    if (--ngx_vidcast_program_refs) {
        return;
    }

    if (ngx_vidcast_program_binary != NGX_INVALID_FILE) {
        (void) ngx_close_file(ngx_vidcast_program_binary);
        ngx_vidcast_program_binary = NGX_INVALID_FILE;
    }

    if (ngx_vidcast_program_file != NGX_INVALID_FILE) {
        (void) ngx_close_file(ngx_vidcast_program_file);
        ngx_vidcast_program_file = NGX_INVALID_FILE;
    }
}


static ngx_fd_t
ngx_vidcast_program_open_file(char *name, ngx_log_t *log)
{
    ngx_fd_t  fd;

    fd = open(name, O_RDONLY|O_CLOEXEC);

    if (fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_EMERG, log, ngx_errno,
                      "vidcast could not open \"%s\", which its processes "
                      "are started from", name);
    }

    return fd;
}


u_char *
ngx_vidcast_program_module(void)
{
    Dl_info  own, core;

    if (ngx_vidcast_program_name[0]) {
        return (u_char *) ngx_vidcast_program_name;
    }

    if (dladdr(&ngx_vidcast_program_open, &own) == 0
        || dladdr((void *) &ngx_cycle, &core) == 0
        || own.dli_fbase == core.dli_fbase
        || realpath(own.dli_fname, ngx_vidcast_program_name) == NULL)
    {
        ngx_vidcast_program_name[0] = '\0';
        return NULL;
    }

    return (u_char *) ngx_vidcast_program_name;
}


ngx_fd_t
ngx_vidcast_program_binary_fd(void)
{
    return ngx_vidcast_program_binary;
}


ngx_fd_t
ngx_vidcast_program_module_fd(void)
{
    return ngx_vidcast_program_file;
}


void
ngx_vidcast_program_inherit(ngx_fd_t binary, ngx_fd_t module, u_char *name)
{
    ngx_vidcast_program_binary = binary;
    ngx_vidcast_program_file = module;

    if (name) {
        (void) ngx_cpystrn((u_char *) ngx_vidcast_program_name, name,
                           sizeof(ngx_vidcast_program_name));
    }
}


ngx_pid_t
ngx_vidcast_program_start(ngx_vidcast_program_t *program, ngx_cycle_t *cycle)
{
    ngx_err_t                  err;
    ngx_pid_t                  pid;
    ngx_vidcast_program_run_t  run;

    if (ngx_vidcast_program_prepare(&run, program, cycle) != NGX_OK) {
        return NGX_INVALID_PID;
    }

    if (program->detached) {
        pid = ngx_vidcast_program_detach(&run);

    } else {
        pid = fork();

        if (pid == 0) {
            ngx_vidcast_program_exec(&run);
        }
    }

    err = ngx_errno;

    free(run.envp);
    free(run.groups);
    ngx_set_errno(err);

    return pid;
}


/*
 * All that takes memory is done before the fork: another thread, of a pool of
 * nginx's, may have the lock of malloc() just then.
 */

static ngx_int_t
ngx_vidcast_program_prepare(ngx_vidcast_program_run_t *run,
    ngx_vidcast_program_t *program, ngx_cycle_t *cycle)
{
    run->program = program;
    run->cycle = cycle;

    ngx_qsort(program->keep.elts, program->keep.nelts, sizeof(ngx_fd_t),
              ngx_vidcast_program_cmp);

    (void) ngx_snprintf(run->title, sizeof(run->title) - 1, "nginx: %s%Z",
                        program->title);
    run->title[sizeof(run->title) - 1] = '\0';

    (void) ngx_snprintf(run->prefix, sizeof(run->prefix), "%V%Z",
                        &cycle->prefix);

    ngx_vidcast_program_fd_name(run->binary, ngx_vidcast_program_binary);
    ngx_vidcast_program_fd_name(run->settings, program->settings);

    run->argv[0] = (char *) run->title;
    run->argv[1] = "-p";
    run->argv[2] = (char *) run->prefix;
    run->argv[3] = "-e";
    run->argv[4] = "stderr";
    run->argv[5] = "-c";
    run->argv[6] = (char *) run->settings;
    run->argv[7] = NULL;

    run->groups = NULL;
    run->ngroups = 0;

    if (ngx_vidcast_program_groups(run) != NGX_OK) {
        return NGX_ERROR;
    }

    run->envp = ngx_vidcast_program_environment();

    if (run->envp == NULL) {
        free(run->groups);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static int ngx_libc_cdecl
ngx_vidcast_program_cmp(const void *one, const void *two)
{
    return *(const ngx_fd_t *) one - *(const ngx_fd_t *) two;
}


/* root is the master, or nginx without workers; NULL: there is no other one */

static ngx_core_conf_t *
ngx_vidcast_program_other_user(ngx_cycle_t *cycle)
{
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    return (geteuid() == 0 && ccf->user != (ngx_uid_t) NGX_CONF_UNSET_UINT)
           ? ccf : NULL;
}


static ngx_int_t
ngx_vidcast_program_groups(ngx_vidcast_program_run_t *run)
{
    int               n;
    gid_t            *groups;
    ngx_core_conf_t  *ccf;

    ccf = ngx_vidcast_program_other_user(run->cycle);

    if (ccf == NULL) {
        return NGX_OK;
    }

    for (n = 32; /* void */ ; n *= 2) {
        run->ngroups = n;

        groups = realloc(run->groups, n * sizeof(gid_t));
        if (groups == NULL) {
            free(run->groups);
            return NGX_ERROR;
        }

        run->groups = groups;

        if (getgrouplist(ccf->username, ccf->group, groups, &run->ngroups)
            != -1)
        {
            return NGX_OK;
        }
    }
}


/* without what a new binary of nginx takes for sockets that it inherits */

static char **
ngx_vidcast_program_environment(void)
{
    char       **envp;
    ngx_uint_t   i, n;

    for (n = 0; environ[n]; n++) { /* void */ }

    envp = malloc((n + 1) * sizeof(char *));
    if (envp == NULL) {
        return NULL;
    }

    n = 0;

    for (i = 0; environ[i]; i++) {
        if (ngx_strncmp(environ[i], NGINX_VAR "=", sizeof(NGINX_VAR)) != 0) {
            envp[n++] = environ[i];
        }
    }

    envp[n] = NULL;

    return envp;
}


/*
 * nginx waits for any child that ends, and logs that it does not know ours.
 * So the process is the child of one that ends at once and sends no SIGCHLD:
 * that one is seen by none but us, and tells us the pid.
 */

static ngx_pid_t
ngx_vidcast_program_detach(ngx_vidcast_program_run_t *run)
{
    ngx_fd_t   fd[2];
    ngx_err_t  err;
    ngx_pid_t  pid, child;

    if (pipe2(fd, O_CLOEXEC) == -1) {
        return NGX_INVALID_PID;
    }

    pid = ngx_vidcast_program_clone(0);

    if (pid == 0) {
        child = ngx_vidcast_program_clone(SIGCHLD);

        if (child == 0) {
            ngx_vidcast_program_exec(run);
        }

        err = ngx_errno;

        if (write(fd[1], &child, sizeof(ngx_pid_t)) == -1) {
            err = ngx_errno;
        }

        _exit(err);
    }

    (void) ngx_close_file(fd[1]);

    child = (pid == -1) ? NGX_INVALID_PID
                        : ngx_vidcast_program_detached(pid, fd[0]);
    err = ngx_errno;

    (void) ngx_close_file(fd[0]);
    ngx_set_errno(err);

    return child;
}


static ngx_pid_t
ngx_vidcast_program_detached(ngx_pid_t pid, ngx_fd_t fd)
{
    int        status;
    ngx_pid_t  child;

    while (waitpid(pid, &status, __WCLONE) == -1) {
        if (ngx_errno != NGX_EINTR) {
            return NGX_INVALID_PID;
        }
    }

    if (ngx_read_fd(fd, &child, sizeof(ngx_pid_t)) != sizeof(ngx_pid_t)
        || child == -1)
    {
        ngx_set_errno(WEXITSTATUS(status));
        return NGX_INVALID_PID;
    }

    return child;
}


static void
ngx_vidcast_program_exec(ngx_vidcast_program_run_t *run)
{
    ngx_pid_t               parent;
    struct rlimit           rlmt;
    ngx_vidcast_program_t  *program;

    program = run->program;
    parent = ngx_pid;

    if (program->brief) {
        (void) setpgid(0, 0);

        rlmt.rlim_cur = 0;
        rlmt.rlim_max = 0;
        (void) setrlimit(RLIMIT_CORE, &rlmt);
    }

    ngx_vidcast_program_descriptors(program);
    ngx_vidcast_program_signals(1);
    ngx_vidcast_program_affinity(run->cycle);

    if (ngx_vidcast_program_user(run) != NGX_OK) {
        _exit(2);
    }

    if (program->brief) {

        /* after the change of user, which would undo it */

        (void) prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);

        if (getppid() != parent) {
            _exit(2);
        }
    }

    (void) execve((char *) run->binary, run->argv, run->envp);

    ngx_log_error(NGX_LOG_ALERT, run->cycle->log, ngx_errno,
                  "execve() of nginx for \"%s\" failed", program->title);

    _exit(2);
}


/* all of nginx's are closed but those that it is to have */

static void
ngx_vidcast_program_descriptors(ngx_vidcast_program_t *program)
{
    ngx_fd_t    *fd, low;
    ngx_uint_t   i;

    low = STDERR_FILENO + 1;
    fd = program->keep.elts;

    for (i = 0; i < program->keep.nelts; i++) {

        if (fd[i] > low) {
            (void) close_range(low, fd[i] - 1, 0);
        }

        low = ngx_max(low, fd[i] + 1);

        (void) fcntl(fd[i], F_SETFD, 0);
    }

    (void) close_range(low, ~0U, 0);
}


void
ngx_vidcast_program_signals(ngx_uint_t terminal)
{
    int               signo;
    sigset_t          set;
    struct sigaction  sa;

    ngx_memzero(&sa, sizeof(struct sigaction));
    sigemptyset(&sa.sa_mask);

    for (signo = 1; signo < NSIG; signo++) {
        sa.sa_handler = (terminal
                         && (signo == SIGINT || signo == SIGQUIT
                             || signo == SIGHUP))
                        ? SIG_IGN : SIG_DFL;

        (void) sigaction(signo, &sa, NULL);
    }

    sigemptyset(&set);
    (void) sigprocmask(SIG_SETMASK, &set, NULL);
}


/* a worker may be bound to one processor, our threads want them all */

static void
ngx_vidcast_program_affinity(ngx_cycle_t *cycle)
{
#if (NGX_HAVE_SCHED_SETAFFINITY)
    cpu_set_t         set;
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    if (ccf == NULL || ccf->cpu_affinity == NULL) {
        return;
    }

    ngx_memset(&set, 0xff, sizeof(cpu_set_t));

    if (sched_setaffinity(0, sizeof(cpu_set_t), &set) == -1) {
        ngx_log_error(NGX_LOG_ALERT, cycle->log, ngx_errno,
                      "sched_setaffinity() failed");
    }
#endif
}


/*
 * By the kernel's own calls: the library's wait for all threads to change with
 * it, and those that were about to start at the fork are none of ours.
 */

static ngx_int_t
ngx_vidcast_program_user(ngx_vidcast_program_run_t *run)
{
    ngx_core_conf_t  *ccf;

    ccf = ngx_vidcast_program_other_user(run->cycle);

    if (ccf == NULL) {
        return NGX_OK;
    }

    if (syscall(NGX_VIDCAST_PROGRAM_SETGID, ccf->group) == -1
        || syscall(NGX_VIDCAST_PROGRAM_SETGROUPS, run->ngroups, run->groups)
           == -1
        || syscall(NGX_VIDCAST_PROGRAM_SETUID, ccf->user) == -1)
    {
        ngx_log_error(NGX_LOG_ALERT, run->cycle->log, ngx_errno,
                      "a process of vidcast could not become user \"%s\"",
                      ccf->username);
        return NGX_ERROR;
    }

    return NGX_OK;
}
