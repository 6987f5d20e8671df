
/*
 * Copyright (C) vidcast contributors
 */


/*
 * What a program says, on both of its outputs, in pieces of any size: lines
 * which are results, or garbage, or longer than there is room for.  No more
 * answers are found than it has written lines, and each is JSON on one line.
 */

#include "wire/ngx_vidcast_result_value.c"
#include "core/ngx_vidcast_escape.c"
#include "wire/ngx_vidcast_ws.c"
#include "predict/exec/ngx_vidcast_exec_lines.c"
#include "core/ngx_vidcast_log_limit.c"
#include "fuzz.h"


static void fuzz_open(void);
static size_t fuzz_piece(const uint8_t *data, size_t size);
static ngx_uint_t fuzz_answers(size_t room);
static void fuzz_answer(u_char *json, size_t size);


static ngx_log_t                    quiet;
static ngx_vidcast_predictor_mailbox_t           mailbox;
static ngx_vidcast_exec_t           exec;
static ngx_vidcast_source_t         source;
static ngx_vidcast_exec_conf_t      conf;
static ngx_vidcast_predictor_t      predictor;
static int                          out[2], err[2];


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t      n, room;
    ngx_uint_t  answers, lines;

    if (size < 4) {
        return 0;
    }

    fuzz_open();

    /* of the exact size, so that a step too far is seen */

    exec.lines.size = 32 + data[0] * 4;
    exec.lines.buf = malloc(exec.lines.size);
    exec.errors.size = 32 + data[1];
    exec.errors.buf = malloc(exec.errors.size);
    exec.number = data[2] & 1;
    room = data[3];

    data += 4;
    size -= 4;

    answers = 0;
    lines = 0;

    while (size) {
        n = fuzz_piece(data, size);

        while (n) {
            lines += (data[0] == '\n');
            data++;
            size--;
            n--;
        }

        answers += fuzz_answers(room);
        ngx_vidcast_exec_log(&exec);
    }

    fuzz_check(answers + mailbox.counters.stray <= lines);
    fuzz_check(exec.lines.len <= exec.lines.size);
    fuzz_check(exec.errors.len < exec.errors.size);

    free(exec.lines.buf);
    free(exec.errors.buf);

    return 0;
}


static void
fuzz_open(void)
{
    if (out[1] == 0) {
        fuzz_check(pipe2(out, O_NONBLOCK) == 0);
        fuzz_check(pipe2(err, O_NONBLOCK) == 0);
    }

    memset(&mailbox, 0, sizeof(mailbox));
    memset(&exec, 0, sizeof(exec));

    conf.path = "program";
    ngx_str_set(&source.name, "fuzz");

    predictor.mailbox = &mailbox;
    predictor.log = &quiet;
    predictor.source = &source;

    exec.predictor = &predictor;
    exec.conf = &conf;
    exec.out = out[0];
    exec.err = err[0];
}


/* the first byte says how long it is, itself included */

static size_t
fuzz_piece(const uint8_t *data, size_t size)
{
    size_t  n;

    n = ngx_min((size_t) data[0] + 1, size);

    fuzz_check(write(out[1], data, n) == (ssize_t) n);
    fuzz_check(write(err[1], data, n) == (ssize_t) n);

    return n;
}


static ngx_uint_t
fuzz_answers(size_t room)
{
    size_t      size;
    u_char     *json;
    ngx_int_t   rc;
    ngx_uint_t  n, status;

    n = 0;
    json = malloc(room);

    for ( ;; ) {
        size = room;
        status = NGX_VIDCAST_REPLY_LOST;

        rc = ngx_vidcast_exec_read(&exec, json, &size, &status);

        if (rc == NGX_OK) {
            break;
        }

        fuzz_check(rc == NGX_DONE);
        fuzz_check(exec.number != 0);

        if (status == NGX_VIDCAST_REPLY_OK) {
            fuzz_check(size <= room);
            fuzz_answer(json, size);

        } else {
            fuzz_check(status == NGX_VIDCAST_REPLY_NONE
                       || status == NGX_VIDCAST_REPLY_TOO_LARGE);
        }

        exec.number++;
        n++;
    }

    free(json);

    return n;
}


static void
fuzz_answer(u_char *json, size_t size)
{
    json_t        *value;
    json_error_t   error;

    fuzz_check(memchr(json, '\n', size) == NULL);
    fuzz_check(memchr(json, '\r', size) == NULL);

    value = json_loadb((char *) json, size, JSON_DECODE_ANY|JSON_ALLOW_NUL
                       |JSON_DECODE_INT_AS_REAL, &error);
    fuzz_check(value != NULL);

    json_decref(value);
}
