
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast_error.h"
#include "wire/ngx_vidcast_result_value.h"
#include "core/ngx_vidcast_escape.h"
#include "predict/exec/ngx_vidcast_exec.h"


/* what a program says, whatever it says */

#define NGX_VIDCAST_EXEC_FLOOD   (16 * 1024 * 1024)    /* without an answer */
#define NGX_VIDCAST_EXEC_LOGGED  20                    /* lines a second */
#define NGX_VIDCAST_EXEC_EXCERPT   80                    /* bytes of bad ones */


static ngx_int_t ngx_vidcast_exec_line(ngx_vidcast_exec_t *exec, size_t len,
    u_char *json, size_t *size, ngx_uint_t *status);
static ngx_int_t ngx_vidcast_exec_meant(ngx_vidcast_exec_t *exec,
    u_char **line, size_t *len);
static void ngx_vidcast_exec_unexpected_line(ngx_vidcast_exec_t *exec,
    u_char *line, size_t len, const char *reason);
static void ngx_vidcast_exec_log_line(ngx_vidcast_exec_t *exec, size_t len);


/* a line in the buffer is taken out before the next bytes are read */

ngx_int_t
ngx_vidcast_exec_read(ngx_vidcast_exec_t *exec, u_char *json, size_t *size,
    ngx_uint_t *status)
{
    u_char                           *p, *end;
    size_t                            room;
    ssize_t                           n;
    ngx_int_t                         rc;
    ngx_vidcast_exec_lines_t         *lines;
    ngx_vidcast_predictor_mailbox_t  *mailbox;

    lines = &exec->lines;

    for ( ;; ) {

        end = lines->buf + lines->len;
        p = memchr(lines->buf, '\n', lines->len);

        if (p) {
            rc = ngx_vidcast_exec_line(exec, p - lines->buf, json, size,
                                       status);

            lines->over = 0;
            lines->len = end - (p + 1);
            ngx_memmove(lines->buf, p + 1, lines->len);

            if (rc == NGX_DONE) {
                exec->output = 0;
                return NGX_DONE;
            }

            continue;
        }

        if (lines->len == lines->size) {

            /* its beginning is kept, to tell what it is */

            lines->over = 1;
            lines->len = lines->size / 2;
        }

        room = lines->size - lines->len;

        n = read(exec->out, lines->buf + lines->len, room);

        if (n == -1) {
            if (ngx_errno == NGX_EAGAIN || ngx_errno == NGX_EINTR) {
                return NGX_OK;
            }

            n = 0;
        }

        if (n == 0) {
            ngx_vidcast_error(exec->predictor->error,
                              "\"%s\" has closed its standard output",
                              exec->conf->path);
            return NGX_ERROR;
        }

        lines->len += n;
        exec->output += n;

        /* what is read has an end, but may take a slow machine its time */

        mailbox = exec->predictor->mailbox;
        ngx_vidcast_store(&mailbox->beat, mailbox->beat + 1);

        if (exec->output > NGX_VIDCAST_EXEC_FLOOD) {
            mailbox->counters.killed++;

            ngx_vidcast_error(exec->predictor->error,
                              "\"%s\" wrote %d bytes without a result",
                              exec->conf->path, NGX_VIDCAST_EXEC_FLOOD);
            return NGX_ERROR;
        }
    }
}


/* NGX_DONE: it is the answer; NGX_OK: it is nothing to us */

static ngx_int_t
ngx_vidcast_exec_line(ngx_vidcast_exec_t *exec, size_t len, u_char *json,
    size_t *size, ngx_uint_t *status)
{
    u_char                   *line, error[NGX_VIDCAST_ERROR_LEN];
    ngx_int_t                 rc;
    ngx_vidcast_predictor_t  *predictor;

    line = exec->lines.buf;
    predictor = exec->predictor;

    if (len && line[len - 1] == '\r') {
        len--;
    }

    if (exec->number == 0) {

        if (len) {
            ngx_vidcast_exec_unexpected_line(exec, line, len,
                                             "no frame waits for it");
        }

        return NGX_OK;
    }

    if (ngx_vidcast_exec_meant(exec, &line, &len) != NGX_OK) {
        return NGX_OK;
    }

    if (len == 0) {
        *status = NGX_VIDCAST_REPLY_NONE;
        return NGX_DONE;
    }

    rc = exec->lines.over ? NGX_BUSY
                          : ngx_vidcast_result_value_text(line, len, json, size,
                                                         error);

    if (rc == NGX_OK) {
        *status = NGX_VIDCAST_REPLY_OK;
        return NGX_DONE;
    }

    if (rc == NGX_BUSY) {
        *status = NGX_VIDCAST_REPLY_TOO_LARGE;
        ngx_vidcast_error(predictor->error,
                          "the result of \"%s\" is too large, see \"results\"",
                          exec->conf->path);
        return NGX_DONE;
    }

    ngx_vidcast_exec_unexpected_line(exec, line, len, (char *) error);

    return NGX_OK;
}


/* "@NUMBER " before the text: the frame it is for */

static ngx_int_t
ngx_vidcast_exec_meant(ngx_vidcast_exec_t *exec, u_char **line, size_t *len)
{
    u_char     *p, *end;
    ngx_int_t   number;

    if (*len == 0 || **line != '@') {
        return NGX_OK;
    }

    p = *line + 1;
    end = *line + *len;

    while (p < end && *p >= '0' && *p <= '9') {
        p++;
    }

    number = ngx_atoi(*line + 1, p - (*line + 1));

    if (number == NGX_ERROR
        || (uint64_t) number != exec->number
        || (p < end && *p != ' '))
    {
        ngx_vidcast_exec_unexpected_line(exec, *line, *len,
                                         "no frame waits for it");
        return NGX_DECLINED;
    }

    p += (p < end);

    *len = end - p;
    *line = p;

    return NGX_OK;
}


static void
ngx_vidcast_exec_unexpected_line(ngx_vidcast_exec_t *exec, u_char *line,
    size_t len, const char *reason)
{
    ngx_vidcast_escaped_t  escaped;

    exec->predictor->mailbox->counters.stray++;

    if (!ngx_vidcast_log_limit(&exec->predictor->unexpected, 1,
                               ngx_vidcast_clock()))
    {
        return;
    }

    len = ngx_min(len, NGX_VIDCAST_EXEC_EXCERPT);

    ngx_log_error(NGX_LOG_WARN, exec->predictor->log, 0,
                  "\"%s\" of vidcast source \"%V\" wrote a line which is no "
                  "result, %s: \"%V\"", exec->conf->path,
                  &exec->predictor->source->name, reason,
                  ngx_vidcast_escape_line(&escaped, line, len));
}


void
ngx_vidcast_exec_log(ngx_vidcast_exec_t *exec)
{
    u_char                    *p;
    size_t                     len;
    ssize_t                    n;
    ngx_vidcast_exec_lines_t  *lines;

    lines = &exec->errors;

    /* no more than what a pipe holds: there is other work to do */

    for (len = 0; len < 65536; len += n) {

        n = read(exec->err, lines->buf + lines->len, lines->size - lines->len);

        if (n <= 0) {

            /* its end: it will not be completed */

            if (n == 0 && lines->len) {
                ngx_vidcast_exec_log_line(exec, lines->len);
                lines->len = 0;
            }

            return;
        }

        lines->len += n;

        for ( ;; ) {
            p = memchr(lines->buf, '\n', lines->len);

            if (p == NULL && lines->len < lines->size) {
                break;
            }

            if (p == NULL) {

                /* the rest of a long line is dropped */

                if (!lines->over) {
                    ngx_vidcast_exec_log_line(exec, lines->len);
                }

                lines->over = 1;
                lines->len = 0;
                break;
            }

            if (!lines->over) {
                ngx_vidcast_exec_log_line(exec, p - lines->buf);
            }

            lines->over = 0;
            lines->len -= p + 1 - lines->buf;
            ngx_memmove(lines->buf, p + 1, lines->len);
        }
    }
}


static void
ngx_vidcast_exec_log_line(ngx_vidcast_exec_t *exec, size_t len)
{
    uint64_t               now;
    ngx_vidcast_escaped_t  escaped;

    now = ngx_vidcast_clock();

    if (now - exec->second >= 1000000) {

        if (exec->unlogged) {
            ngx_log_error(NGX_LOG_ERR, exec->predictor->log, 0,
                          "%ui more lines of \"%s\" of vidcast source \"%V\"",
                          exec->unlogged, exec->conf->path,
                          &exec->predictor->source->name);
        }

        exec->second = now;
        exec->logged = 0;
        exec->unlogged = 0;
    }

    if (len == 0) {
        return;
    }

    if (exec->logged == NGX_VIDCAST_EXEC_LOGGED) {
        exec->unlogged++;
        return;
    }

    exec->logged++;
    exec->predictor->mailbox->counters.logged++;

    ngx_log_error(NGX_LOG_ERR, exec->predictor->log, 0,
                  "\"%s\" of vidcast source \"%V\" said: %V",
                  exec->conf->path, &exec->predictor->source->name,
                  ngx_vidcast_escape_line(&escaped, exec->errors.buf, len));
}
