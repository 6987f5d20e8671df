
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "core/ngx_vidcast_error.h"
#include "predict/exec/ngx_vidcast_exec.h"


#define NGX_VIDCAST_EXEC_TICK   50            /* ms */
#define NGX_VIDCAST_EXEC_LEAVE  500           /* ms, of its own will */
#define NGX_VIDCAST_EXEC_LINE   128


static ngx_int_t ngx_vidcast_exec_open(ngx_vidcast_predictor_t *predictor);
static ngx_int_t ngx_vidcast_exec_create_file(ngx_vidcast_exec_t *exec);
static u_char *ngx_vidcast_exec_get_buffer(ngx_vidcast_predictor_t *predictor,
    size_t size);
static ngx_int_t ngx_vidcast_exec_grow(ngx_vidcast_exec_t *exec, size_t size);
static ngx_int_t ngx_vidcast_exec_predict(ngx_vidcast_predictor_t *predictor,
    const vidcast_sample_t *sample, u_char *json, size_t *size,
    ngx_uint_t *status);
static size_t ngx_vidcast_exec_tell(ngx_vidcast_exec_t *exec,
    const vidcast_sample_t *sample, u_char *line);
static ngx_int_t ngx_vidcast_exec_wait(ngx_vidcast_exec_t *exec,
    const u_char *data, size_t len, u_char *json, size_t *size,
    ngx_uint_t *status);
static ngx_int_t ngx_vidcast_exec_write(ngx_vidcast_exec_t *exec,
    const u_char **data, size_t *len);
static ngx_int_t ngx_vidcast_exec_overdue(ngx_vidcast_exec_t *exec);
static ngx_int_t ngx_vidcast_exec_idle(ngx_vidcast_predictor_t *predictor);
static void ngx_vidcast_exec_close(ngx_vidcast_predictor_t *predictor);


ngx_vidcast_engine_t  ngx_vidcast_engine_exec = {
    0,
    ngx_vidcast_exec_open,
    ngx_vidcast_exec_get_buffer,
    ngx_vidcast_exec_predict,
    ngx_vidcast_exec_idle,
    ngx_vidcast_exec_close
};


static ngx_int_t
ngx_vidcast_exec_open(ngx_vidcast_predictor_t *predictor)
{
    size_t               size;
    ngx_vidcast_exec_t  *exec;

    size = 2 * predictor->source->original.geometry.result_size + 1024;

    exec = ngx_calloc(sizeof(ngx_vidcast_exec_t) + size + NGX_MAX_ERROR_STR,
                      predictor->log);
    if (exec == NULL) {
        ngx_vidcast_error(predictor->error, "no memory");
        return NGX_ERROR;
    }

    exec->predictor = predictor;
    exec->conf = predictor->source->predict.params;

    exec->in = NGX_INVALID_FILE;
    exec->out = NGX_INVALID_FILE;
    exec->err = NGX_INVALID_FILE;
    exec->file = NGX_INVALID_FILE;

    exec->lines.buf = (u_char *) (exec + 1);
    exec->lines.size = size;
    exec->errors.buf = exec->lines.buf + size;
    exec->errors.size = NGX_MAX_ERROR_STR / 4;

    predictor->data = exec;
    predictor->want = exec->conf->want;

    /* what the program starts, and leaves, is ours to be ended */

    (void) prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);

    if (ngx_vidcast_exec_create_file(exec) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_vidcast_exec_start(exec);
}


/* that it never shrinks, both sides may rely on */

static ngx_int_t
ngx_vidcast_exec_create_file(ngx_vidcast_exec_t *exec)
{
    u_char  *error;

    error = exec->predictor->error;

    exec->file = memfd_create("vidcast predictor",
                              MFD_CLOEXEC|MFD_ALLOW_SEALING);

    if (exec->file == -1
        || fcntl(exec->file, F_ADD_SEALS, F_SEAL_SHRINK) == -1)
    {
        ngx_vidcast_error(error, "could not create the file of frames: %s",
                          strerror(ngx_errno));
        return NGX_ERROR;
    }

    return NGX_OK;
}


static u_char *
ngx_vidcast_exec_get_buffer(ngx_vidcast_predictor_t *predictor, size_t size)
{
    ngx_vidcast_exec_t  *exec = predictor->data;

    size += NGX_VIDCAST_EXEC_HEADER;

    if (size > exec->slot && ngx_vidcast_exec_grow(exec, size) != NGX_OK) {
        return NULL;
    }

    exec->which = !exec->which;

    return exec->addr + exec->base + exec->which * exec->slot
           + NGX_VIDCAST_EXEC_HEADER;
}


/* behind the slots that were: the program may still look at its last frame */

static ngx_int_t
ngx_vidcast_exec_grow(ngx_vidcast_exec_t *exec, size_t size)
{
    void    *p;
    size_t   slot, total;

    slot = ngx_align(size, ngx_pagesize);
    total = exec->mapped + 2 * slot;

    if (ftruncate(exec->file, (off_t) total) == -1) {
        return NGX_ERROR;
    }

    p = mmap(NULL, total, PROT_READ|PROT_WRITE, MAP_SHARED, exec->file, 0);

    if (p == MAP_FAILED) {
        return NGX_ERROR;
    }

    if (exec->addr) {
        (void) munmap(exec->addr, exec->mapped);
    }

    exec->addr = p;
    exec->base = exec->mapped;
    exec->mapped = total;
    exec->slot = slot;

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_exec_predict(ngx_vidcast_predictor_t *predictor,
    const vidcast_sample_t *sample, u_char *json, size_t *size,
    ngx_uint_t *status)
{
    ngx_vidcast_exec_t  *exec = predictor->data;

    size_t     len;
    u_char     line[NGX_VIDCAST_EXEC_LINE];
    ngx_int_t  rc;

    exec->number = sample->frame;
    exec->output = 0;

    if (exec->conf->pipe) {
        rc = ngx_vidcast_exec_wait(exec, sample->image.plane[0],
                                   predictor->fit.size, json, size, status);

    } else {
        len = ngx_vidcast_exec_tell(exec, sample, line);
        rc = ngx_vidcast_exec_wait(exec, line, len, json, size, status);
    }

    exec->number = 0;

    return rc;
}


/* the header right before the pixels, and the line that tells of them */

static size_t
ngx_vidcast_exec_tell(ngx_vidcast_exec_t *exec, const vidcast_sample_t *sample,
    u_char *line)
{
    size_t                      offset;
    ngx_uint_t                  i;
    ngx_vidcast_exec_header_t  *header;

    header = (ngx_vidcast_exec_header_t *)
                 (sample->image.plane[0] - NGX_VIDCAST_EXEC_HEADER);
    offset = (u_char *) header - exec->addr;

    ngx_memzero(header, NGX_VIDCAST_EXEC_HEADER);

    header->magic = NGX_VIDCAST_EXEC_MAGIC;
    header->header = NGX_VIDCAST_EXEC_HEADER;
    header->format = sample->image.format;
    header->width = sample->image.width;
    header->height = sample->image.height;

    for (i = 0; i < 3; i++) {
        header->stride[i] = sample->image.stride[i];
    }

    header->number = sample->frame;
    header->time = sample->time;
    header->frame_width = sample->width;
    header->frame_height = sample->height;
    header->scale_x = sample->scale_x;
    header->scale_y = sample->scale_y;
    header->offset_x = sample->offset_x;
    header->offset_y = sample->offset_y;
    header->pts = sample->pts;
    header->media_time = sample->media_time;

    return ngx_sprintf(line, "frame %uz %uz %uL\n", offset,
                       NGX_VIDCAST_EXEC_HEADER + exec->predictor->fit.size,
                       sample->frame)
           - line;
}


/* sends "data" and waits for the answer, however the program behaves */

static ngx_int_t
ngx_vidcast_exec_wait(ngx_vidcast_exec_t *exec, const u_char *data, size_t len,
    u_char *json, size_t *size, ngx_uint_t *status)
{
    ngx_int_t      rc;
    struct pollfd  pfd[3];

    pfd[0].fd = exec->out;
    pfd[0].events = POLLIN;
    pfd[1].fd = exec->err;
    pfd[1].events = POLLIN;
    pfd[2].events = POLLOUT;

    for ( ;; ) {

        if (len && ngx_vidcast_exec_write(exec, &data, &len) != NGX_OK) {
            return NGX_ERROR;
        }

        rc = ngx_vidcast_exec_read(exec, json, size, status);

        if (rc == NGX_DONE && len == 0) {
            return NGX_OK;
        }

        ngx_vidcast_exec_log(exec);

        /* one that died is told as dead, rather than as silent */

        if (ngx_vidcast_exec_alive(exec) != NGX_OK || rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (rc == NGX_DONE) {
            continue;
        }

        if (ngx_vidcast_exec_overdue(exec) != NGX_OK) {
            return NGX_ERROR;
        }

        if (exec->predictor->tick(exec->predictor) == NGX_DONE) {
            return NGX_DONE;
        }

        pfd[2].fd = len ? exec->in : -1;

        (void) poll(pfd, 3, NGX_VIDCAST_EXEC_TICK);
    }
}


static ngx_int_t
ngx_vidcast_exec_write(ngx_vidcast_exec_t *exec, const u_char **data,
    size_t *len)
{
    ssize_t     n;
    u_char     *error;
    ngx_err_t   err;

    while (*len) {
        n = write(exec->in, *data, *len);

        if (n == -1) {
            err = ngx_errno;

            if (err == NGX_EAGAIN || err == NGX_EINTR) {
                return NGX_OK;
            }

            /* it has closed its standard input; it may be just dying */

            ngx_msleep(NGX_VIDCAST_EXEC_TICK);
            ngx_vidcast_exec_log(exec);

            if (ngx_vidcast_exec_alive(exec) == NGX_OK) {
                error = exec->predictor->error;
                ngx_vidcast_error(error, "could not write to \"%s\": %s",
                                  exec->conf->path, strerror(err));
            }

            return NGX_ERROR;
        }

        *data += n;
        *len -= n;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_exec_overdue(ngx_vidcast_exec_t *exec)
{
    u_char                           *error;
    ngx_vidcast_predict_conf_t       *predict;
    ngx_vidcast_predictor_mailbox_t  *mailbox;

    mailbox = exec->predictor->mailbox;
    predict = &exec->predictor->source->predict;

    if (exec->predictor->left(exec->predictor) > 0) {
        return NGX_OK;
    }

    mailbox->counters.timeouts++;
    mailbox->counters.killed++;

    error = exec->predictor->error;

    ngx_vidcast_error(error, "\"%s\" gave no %sanswer within %M ms",
                      exec->conf->path, mailbox->lived ? "" : "first ",
                      mailbox->lived
                          ? predict->timeout
                          : ngx_max(predict->timeout, predict->start));
    return NGX_ERROR;
}


static ngx_int_t
ngx_vidcast_exec_idle(ngx_vidcast_predictor_t *predictor)
{
    ngx_vidcast_exec_t  *exec = predictor->data;

    size_t      size;
    ngx_int_t   rc;
    ngx_uint_t  status;

    /* a program that waits for frames says nothing but what is for the log */

    exec->output = 0;
    size = 0;

    rc = ngx_vidcast_exec_read(exec, NULL, &size, &status);

    ngx_vidcast_exec_log(exec);

    if (ngx_vidcast_exec_alive(exec) != NGX_OK || rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* one that does its work sees the end of its input, and ends by itself */

static void
ngx_vidcast_exec_close(ngx_vidcast_predictor_t *predictor)
{
    ngx_vidcast_exec_t  *exec = predictor->data;

    ngx_uint_t  n;

    if (exec == NULL || exec->pid == 0) {
        return;
    }

    if (!predictor->mailbox->explained) {

        (void) ngx_close_file(exec->in);
        exec->in = NGX_INVALID_FILE;

        for (n = 0; n < NGX_VIDCAST_EXEC_LEAVE / 10; n++) {

            ngx_vidcast_exec_log(exec);

            if (ngx_vidcast_exec_alive(exec) != NGX_OK) {
                break;
            }

            ngx_msleep(10);
        }
    }

    ngx_vidcast_exec_kill(exec);
}
