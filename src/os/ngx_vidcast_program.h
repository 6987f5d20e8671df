
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_PROGRAM_H_INCLUDED_
#define _NGX_VIDCAST_PROGRAM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * nginx's own binary, which our processes are started from anew: none has
 * what nginx has in memory, keys of certificates and settings of others.  Both
 * binary and module are kept open since the first configuration, so that a
 * process never runs another version than its master does.
 */

typedef struct {
    u_char        *title;      /* without "nginx: " */
    ngx_fd_t       settings;   /* the configuration that it is to read */
    ngx_array_t    keep;       /* of ngx_fd_t: what it gets, in any order */
    unsigned       detached:1; /* it is nobody's child */
    unsigned       brief:1;    /* it ends with us, and leaves no core */
} ngx_vidcast_program_t;


/*
 * In the master, while the configuration may still be refused: they stay open
 * as long as a configuration that has asked for them.  NGX_ERROR, logged.
 */
ngx_int_t ngx_vidcast_program_open(ngx_cycle_t *cycle);

/* the file of the module, full name; NULL: it is a part of nginx itself */
u_char *ngx_vidcast_program_module(void);

/* the descriptors; that of the module may be NGX_INVALID_FILE */
ngx_fd_t ngx_vidcast_program_binary_fd(void);
ngx_fd_t ngx_vidcast_program_module_fd(void);

/*
 * In a process that was started so: there the module has the name of its
 * descriptor, and the binary is not to be looked for.
 */
void ngx_vidcast_program_inherit(ngx_fd_t binary, ngx_fd_t module,
    u_char *name);

/*
 * Starts a process, which becomes the user of the configuration if it would
 * be root.  Returns its pid; NGX_INVALID_PID, errno.
 */
ngx_pid_t ngx_vidcast_program_start(ngx_vidcast_program_t *program,
    ngx_cycle_t *cycle);

/*
 * In a process that is to execute a program: what is ignored or blocked stays
 * so there, handlers do not.  With "terminal" it ignores what a terminal sends
 * to all of us, until it has handlers of its own.
 */
void ngx_vidcast_program_signals(ngx_uint_t terminal);


#endif /* _NGX_VIDCAST_PROGRAM_H_INCLUDED_ */
