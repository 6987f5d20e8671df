
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <sys/prctl.h>
#include <sys/resource.h>

#include "core/ngx_vidcast_error.h"
#include "os/ngx_vidcast_process_tree.h"
#include "os/ngx_vidcast_program.h"
#include "os/ngx_vidcast_sandbox.h"
#include "predict/exec/ngx_vidcast_exec.h"


#define NGX_VIDCAST_EXEC_KILLS    200     /* times 5 ms */
#define NGX_VIDCAST_EXEC_VALUE    80      /* bytes of our variables */
#define NGX_VIDCAST_EXEC_OWN      12      /* of these, at most */
#define NGX_VIDCAST_EXEC_PIPE     (1024 * 1024)
#define NGX_VIDCAST_EXEC_SPARE    16      /* above the descriptors it gets */


/* what the program gets */

typedef struct {
    ngx_fd_t      in[2];
    ngx_fd_t      out[2];
    ngx_fd_t      err[2];
    ngx_fd_t      failed[2];     /* tells errno if it cannot be started */
    ngx_fd_t      file;          /* read-only */
    char        **env;
} ngx_vidcast_spawn_io_t;


static ngx_int_t ngx_vidcast_exec_prepare(ngx_vidcast_exec_t *exec,
    ngx_vidcast_spawn_io_t *io);
static ngx_int_t ngx_vidcast_exec_env(ngx_vidcast_exec_t *exec,
    ngx_vidcast_spawn_io_t *io);
static ngx_uint_t ngx_vidcast_exec_own(ngx_vidcast_exec_t *exec, char **env,
    char *buf);
static void ngx_vidcast_exec_child(ngx_vidcast_exec_t *exec,
    ngx_vidcast_spawn_io_t *io);
static ngx_fd_t ngx_vidcast_exec_move(ngx_fd_t fd, int cmd);
static ngx_int_t ngx_vidcast_exec_sandbox(ngx_vidcast_exec_t *exec);
static ngx_int_t ngx_vidcast_exec_started(ngx_vidcast_exec_t *exec,
    ngx_vidcast_spawn_io_t *io);
static void ngx_vidcast_exec_drop(ngx_vidcast_spawn_io_t *io);
static void ngx_vidcast_exec_close_file(ngx_fd_t fd);


ngx_int_t
ngx_vidcast_exec_start(ngx_vidcast_exec_t *exec)
{
    u_char                  *error;
    ngx_int_t                rc;
    ngx_vidcast_spawn_io_t   io;

    ngx_memset(&io, 0xff, sizeof(ngx_vidcast_spawn_io_t));
    io.env = NULL;

    error = exec->predictor->error;

    if (ngx_vidcast_exec_prepare(exec, &io) != NGX_OK) {
        ngx_vidcast_error(error, "could not prepare to start \"%s\": %s",
                          exec->conf->path, strerror(ngx_errno));
        ngx_vidcast_exec_drop(&io);
        return NGX_ERROR;
    }

    exec->pid = fork();

    if (exec->pid == 0) {
        ngx_vidcast_exec_child(exec, &io);
    }

    if (exec->pid == -1) {
        exec->pid = 0;
        ngx_vidcast_error(error, "fork() failed: %s", strerror(ngx_errno));
        ngx_vidcast_exec_drop(&io);
        return NGX_ERROR;
    }

    rc = ngx_vidcast_exec_started(exec, &io);

    ngx_vidcast_exec_drop(&io);

    return rc;
}


static ngx_int_t
ngx_vidcast_exec_prepare(ngx_vidcast_exec_t *exec,
    ngx_vidcast_spawn_io_t *io)
{
    u_char  name[sizeof("/proc/self/fd/") + NGX_INT_T_LEN];

    if (pipe2(io->in, O_CLOEXEC) == -1
        || pipe2(io->out, O_CLOEXEC) == -1
        || pipe2(io->err, O_CLOEXEC) == -1
        || pipe2(io->failed, O_CLOEXEC) == -1
        || ngx_vidcast_exec_env(exec, io) != NGX_OK)
    {
        return NGX_ERROR;
    }

    exec->in = io->in[1];
    exec->out = io->out[0];
    exec->err = io->err[0];

    if (ngx_nonblocking(exec->in) == -1
        || ngx_nonblocking(exec->out) == -1
        || ngx_nonblocking(exec->err) == -1)
    {
        return NGX_ERROR;
    }

    if (exec->conf->pipe) {

        /* a frame in a few pieces, not in dozens; if that may be */

        (void) fcntl(exec->in, F_SETPIPE_SZ, NGX_VIDCAST_EXEC_PIPE);

        return NGX_OK;
    }

    (void) ngx_sprintf(name, "/proc/self/fd/%d%Z", exec->file);

    io->file = open((char *) name, O_RDONLY|O_CLOEXEC);

    return (io->file == -1) ? NGX_ERROR : NGX_OK;
}


/* nginx's environment, which "env" directives rule, and ours */

static ngx_int_t
ngx_vidcast_exec_env(ngx_vidcast_exec_t *exec, ngx_vidcast_spawn_io_t *io)
{
    ngx_uint_t  i, n, path;

    for (n = 0; environ[n]; n++) { /* void */ }

    io->env = ngx_alloc((n + NGX_VIDCAST_EXEC_OWN + 3) * sizeof(char *)
                        + NGX_VIDCAST_EXEC_OWN * NGX_VIDCAST_EXEC_VALUE,
                        exec->predictor->log);
    if (io->env == NULL) {
        return NGX_ERROR;
    }

    path = 0;

    for (i = 0; i < n; i++) {
        io->env[i] = environ[i];
        path |= (ngx_strncmp(environ[i], "PATH=", 5) == 0);
    }

    if (!path) {
        io->env[i++] = "PATH=/usr/local/bin:/usr/bin:/bin";
    }

    /* results must leave a Python program when they are printed */

    io->env[i++] = "PYTHONUNBUFFERED=1";

    i += ngx_vidcast_exec_own(exec, &io->env[i],
                              (char *) (io->env + n + NGX_VIDCAST_EXEC_OWN
                                        + 3));
    io->env[i] = NULL;

    return NGX_OK;
}


static ngx_uint_t
ngx_vidcast_exec_own(ngx_vidcast_exec_t *exec, char **env, char *buf)
{
    ngx_uint_t               n;
    vidcast_want_t          *want;
    ngx_vidcast_predictor_t *predictor;

    static char  *formats[] = { "", "i420", "gray8", "rgb24", "bgr24" };

    n = 0;
    predictor = exec->predictor;
    want = &exec->conf->want;

#define ngx_vidcast_exec_set(fmt, value)                                      \
    env[n] = buf + n * NGX_VIDCAST_EXEC_VALUE;                                \
    (void) ngx_snprintf((u_char *) env[n++], NGX_VIDCAST_EXEC_VALUE,          \
                        fmt "%Z", value)

    ngx_vidcast_exec_set("VIDCAST_SOURCE=%V", &predictor->source->name);
    ngx_vidcast_exec_set("VIDCAST_FORMAT=%s", formats[want->format]);
    ngx_vidcast_exec_set("VIDCAST_WORKER=%ui", predictor->index + 1);

    if (want->fit != VIDCAST_FIT_ANY) {
        ngx_vidcast_exec_set("VIDCAST_WIDTH=%uD", want->width);
        ngx_vidcast_exec_set("VIDCAST_HEIGHT=%uD", want->height);
    }

    if (!exec->conf->pipe) {
        ngx_vidcast_exec_set("VIDCAST_FD=%d", NGX_VIDCAST_EXEC_FD);
    }

#undef ngx_vidcast_exec_set

    return n;
}


/* in the new process: only calls that are safe behind a fork */

static void
ngx_vidcast_exec_child(ngx_vidcast_exec_t *exec, ngx_vidcast_spawn_io_t *io)
{
    ngx_fd_t       failed, file, fd;
    ngx_err_t      err;
    ngx_pid_t      parent;
    struct rlimit  rlmt;

    parent = ngx_pid;

    (void) setsid();
    (void) prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);

    if (getppid() != parent) {
        _exit(127);
    }

    /* out of the way of the numbers that are to be */

    failed = io->failed[1];
    file = io->file;

    fd = ngx_vidcast_exec_move(failed, F_DUPFD_CLOEXEC);

    if (fd == -1) {
        goto failed;
    }

    failed = fd;

    if (file != -1) {
        file = ngx_vidcast_exec_move(file, F_DUPFD);

        if (file == -1) {
            goto failed;
        }
    }

    if (dup2(io->in[0], STDIN_FILENO) == -1
        || dup2(io->out[1], STDOUT_FILENO) == -1
        || dup2(io->err[1], STDERR_FILENO) == -1
        || (file != -1 && dup2(file, NGX_VIDCAST_EXEC_FD) == -1)
        || close_range(NGX_VIDCAST_EXEC_FD + (file != -1), failed - 1, 0)
           == -1
        || close_range(failed + 1, ~0U, 0) == -1)
    {
        goto failed;
    }

    ngx_vidcast_program_signals(0);

    if (ngx_vidcast_exec_sandbox(exec) != NGX_OK) {
        goto failed;
    }

    if (exec->predictor->source->predict.memory) {
        rlmt.rlim_cur = exec->predictor->source->predict.memory;
        rlmt.rlim_max = rlmt.rlim_cur;

        if (setrlimit(RLIMIT_DATA, &rlmt) == -1) {
            goto failed;
        }
    }

    if (chdir(exec->conf->prefix) == 0) {
        (void) execve(exec->conf->path, exec->conf->argv.elts, io->env);
    }

failed:

    err = ngx_errno;

    _exit(write(failed, &err, sizeof(ngx_err_t)) == sizeof(ngx_err_t) ? 127
                                                                      : 126);
}


/* a limit below the number asked for is the same as one that is met */

static ngx_fd_t
ngx_vidcast_exec_move(ngx_fd_t fd, int cmd)
{
    ngx_fd_t  moved;

    moved = fcntl(fd, cmd, NGX_VIDCAST_EXEC_SPARE);

    if (moved == -1 && ngx_errno == NGX_EINVAL) {
        ngx_set_errno(NGX_EMFILE);
    }

    return moved;
}


/*
 * A domain of its own: with that of the predictor process it could look into
 * that one.  What that one has got, the program must not lack; the filter of
 * its calls stays with it.
 */

static ngx_int_t
ngx_vidcast_exec_sandbox(ngx_vidcast_exec_t *exec)
{
    ngx_vidcast_predictor_t  *predictor;

    predictor = exec->predictor;

    if (predictor->sandbox == NGX_VIDCAST_SANDBOX_ALL) {
        return NGX_OK;
    }

    return (ngx_vidcast_sandbox_enter(predictor->conf->sandbox
                                      |NGX_VIDCAST_SANDBOX_FILTERED, NULL)
            == (predictor->sandbox & ~NGX_VIDCAST_SANDBOX_SECCOMP))
               ? NGX_OK : NGX_ERROR;
}


/* the other end closes with execve() */

static ngx_int_t
ngx_vidcast_exec_started(ngx_vidcast_exec_t *exec,
    ngx_vidcast_spawn_io_t *io)
{
    u_char     *error;
    ssize_t     n;
    ngx_err_t   err;

    ngx_vidcast_exec_close_file(io->failed[1]);
    io->failed[1] = NGX_INVALID_FILE;

    do {
        n = read(io->failed[0], &err, sizeof(ngx_err_t));
    } while (n == -1 && ngx_errno == NGX_EINTR);

    /* ours now */

    io->in[1] = NGX_INVALID_FILE;
    io->out[0] = NGX_INVALID_FILE;
    io->err[0] = NGX_INVALID_FILE;

    if (n == 0) {
        exec->predictor->mailbox->child = exec->pid;

        ngx_log_error(NGX_LOG_NOTICE, exec->predictor->log, 0,
                      "start \"%s\" %P for vidcast source \"%V\"",
                      exec->conf->path, exec->pid,
                      &exec->predictor->source->name);
        return NGX_OK;
    }

    error = exec->predictor->error;

    ngx_vidcast_error(error, "could not start \"%s\" in \"%s\": %s",
                      exec->conf->path, exec->conf->prefix,
                      (n == sizeof(err)) ? strerror(err) : "it died");
    return NGX_ERROR;
}


static void
ngx_vidcast_exec_drop(ngx_vidcast_spawn_io_t *io)
{
    ngx_uint_t  i;

    for (i = 0; i < 2; i++) {
        ngx_vidcast_exec_close_file(io->in[i]);
        ngx_vidcast_exec_close_file(io->out[i]);
        ngx_vidcast_exec_close_file(io->err[i]);
        ngx_vidcast_exec_close_file(io->failed[i]);
    }

    ngx_vidcast_exec_close_file(io->file);

    if (io->env) {
        ngx_free(io->env);
    }
}


static void
ngx_vidcast_exec_close_file(ngx_fd_t fd)
{
    if (fd != NGX_INVALID_FILE) {
        (void) ngx_close_file(fd);
    }
}


ngx_int_t
ngx_vidcast_exec_alive(ngx_vidcast_exec_t *exec)
{
    int         status;
    u_char     *p, *last;
    ngx_pid_t   pid;

    if (exec->pid == 0) {
        return NGX_ERROR;
    }

    pid = waitpid(exec->pid, &status, WNOHANG);

    if (pid == 0) {
        return NGX_OK;
    }

    /* what it said at the end says why */

    ngx_vidcast_exec_log(exec);

    p = exec->predictor->error;
    last = p + NGX_VIDCAST_ERROR_LEN - 1;

    if (pid == -1) {
        p = ngx_slprintf(p, last, "\"%s\" is gone", exec->conf->path);

    } else if (WIFSIGNALED(status)) {
        p = ngx_slprintf(p, last, "\"%s\" exited on signal %d",
                         exec->conf->path, WTERMSIG(status));

    } else {
        p = ngx_slprintf(p, last, "\"%s\" exited with code %d",
                         exec->conf->path, WEXITSTATUS(status));
    }

    *p = '\0';

    return NGX_ERROR;
}


void
ngx_vidcast_exec_kill(ngx_vidcast_exec_t *exec)
{
    ngx_uint_t  n;

    /* the rest of its session, and then all that have come here as orphans */

    (void) kill(-exec->pid, SIGKILL);

    /* their pids are in a file, which needs a descriptor */

    ngx_vidcast_exec_close_file(exec->in);
    ngx_vidcast_exec_close_file(exec->out);
    ngx_vidcast_exec_close_file(exec->err);

    exec->in = NGX_INVALID_FILE;
    exec->out = NGX_INVALID_FILE;
    exec->err = NGX_INVALID_FILE;

    for (n = 0; n < NGX_VIDCAST_EXEC_KILLS; n++) {

        (void) ngx_vidcast_kill_descendants(ngx_pid);

        while (waitpid(-1, NULL, WNOHANG) > 0) { /* void */ }

        if (waitpid(-1, NULL, WNOHANG) == -1 && ngx_errno == NGX_ECHILD) {
            break;
        }

        ngx_msleep(5);
    }

    exec->pid = 0;
    exec->predictor->mailbox->child = 0;
}
