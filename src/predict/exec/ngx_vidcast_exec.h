
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_EXEC_H_INCLUDED_
#define _NGX_VIDCAST_EXEC_H_INCLUDED_


#include "predict/ngx_vidcast_engine.h"


/*
 * A program that predicts.  Frames come to it in shared memory, a file which
 * is its descriptor 3, or, with frames=pipe, as bare pixels on its standard
 * input.  In the former case a line on standard input tells of each frame:
 *
 *     frame OFFSET SIZE NUMBER
 *
 * that is where in the file it begins, in bytes, how long it is, and which.
 * It begins with the header below, in the byte order of the machine.  A frame
 * stays as it is until the second next line comes.  The file may grow.
 *
 * For each frame the program writes one line to its standard output: a JSON
 * value, or nothing for no result.  "@NUMBER " before it says to which frame
 * it belongs; without it, to the one that was sent last.
 */

#define NGX_VIDCAST_EXEC_FD      3
#define NGX_VIDCAST_EXEC_HEADER  128
#define NGX_VIDCAST_EXEC_MAGIC   0x31436456    /* "VdC1" */


typedef struct {
    uint32_t                  magic;
    uint32_t                  header;       /* its size, then come pixels */
    uint32_t                  format;       /* of vidcast_plugin.h */
    uint32_t                  width;
    uint32_t                  height;
    uint32_t                  stride[3];    /* bytes */
    uint64_t                  number;
    int64_t                   time;         /* of capture, since 1970, us */
    uint32_t                  frame_width;  /* as it was captured, pixels */
    uint32_t                  frame_height;
    double                    scale_x;      /* as in vidcast_sample_t */
    double                    scale_y;
    double                    offset_x;
    double                    offset_y;
    int64_t                   pts;          /* as in vidcast_sample_t */
    uint64_t                  media_time;
    uint32_t                  unused[2];
} ngx_vidcast_exec_header_t;


/* parameters; those which are text end with a null */

typedef struct {
    ngx_pool_t               *pool;
    ngx_array_t               argv;         /* of char * */
    ngx_array_t               files;        /* of ngx_str_t */
    char                     *path;         /* of the program */
    char                     *prefix;       /* its working directory */
    vidcast_want_t            want;
    unsigned                  fit:1;        /* it was set */
    unsigned                  pipe:1;       /* bare pixels */
} ngx_vidcast_exec_conf_t;


/* bytes of the program's, until they are lines */

typedef struct {
    u_char                   *buf;
    size_t                    size;
    size_t                    len;
    unsigned                  over:1;       /* this line is longer */
} ngx_vidcast_exec_lines_t;


typedef struct {
    ngx_vidcast_predictor_t  *predictor;
    ngx_vidcast_exec_conf_t  *conf;

    ngx_pid_t                 pid;          /* 0: has been waited for */
    ngx_fd_t                  in;           /* our ends of its pipes */
    ngx_fd_t                  out;
    ngx_fd_t                  err;

    ngx_fd_t                  file;         /* the frames */
    u_char                   *addr;
    size_t                    mapped;
    size_t                    base;         /* where the two slots begin */
    size_t                    slot;         /* bytes of one */
    ngx_uint_t                which;

    uint64_t                  number;       /* waited for, 0: none */
    uint64_t                  output;       /* bytes since an answer */
    ngx_vidcast_exec_lines_t  lines;
    ngx_vidcast_exec_lines_t  errors;
    uint64_t                  second;       /* of its errors, us */
    ngx_uint_t                logged;       /* in that second */
    ngx_uint_t                unlogged;
} ngx_vidcast_exec_t;


/*
 * Starts the program: its pipes are ours, all else of nginx is closed, its
 * signals are as new, its session is its own.  NGX_ERROR: reason in
 * predictor->error.
 */
ngx_int_t ngx_vidcast_exec_start(ngx_vidcast_exec_t *exec);

/* has it ended?  NGX_OK: no; NGX_ERROR: reason in predictor->error */
ngx_int_t ngx_vidcast_exec_alive(ngx_vidcast_exec_t *exec);

/* kills it and whatever it has started */
void ngx_vidcast_exec_kill(ngx_vidcast_exec_t *exec);

/*
 * Reads what it says.  NGX_OK: nothing for us; NGX_DONE: it is the answer to
 * frame exec->number, *status, and the JSON in "json", *size bytes.
 * NGX_ERROR: it will say no more, reason in predictor->error.
 */
ngx_int_t ngx_vidcast_exec_read(ngx_vidcast_exec_t *exec, u_char *json,
    size_t *size, ngx_uint_t *status);

/* writes what it says on standard error to the log, within limits */
void ngx_vidcast_exec_log(ngx_vidcast_exec_t *exec);


extern ngx_vidcast_engine_t  ngx_vidcast_engine_exec;


#endif /* _NGX_VIDCAST_EXEC_H_INCLUDED_ */
