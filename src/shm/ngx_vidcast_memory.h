
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_MEMORY_H_INCLUDED_
#define _NGX_VIDCAST_MEMORY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Memory that processes share: a memfd, so that a process which did not
 * inherit it can be handed it.  It is made by the master, and belongs to its
 * user alone: nobody else can open it by way of /proc.  Its size is sealed: a
 * process that reads it would die of a page that is not there any more.  Holes
 * can be punched.
 *
 * A process's handle; plain memory, may be copied by fork.
 */

typedef struct {
    u_char                      *addr;       /* NULL: it is not mapped here */
    size_t                       size;
    ngx_fd_t                     fd;
    ngx_fd_t                     readonly;   /* the same file */
} ngx_vidcast_memory_t;


void ngx_vidcast_memory_init(ngx_vidcast_memory_t *memory);

/*
 * create()   a new file of "size" bytes, which is mapped
 * file()     a new file without a mapping, NGX_INVALID_FILE: none
 * readonly() a second descriptor, if there is none yet, by which nobody can
 *            write
 * attach()   maps a file that another process has made, if it has "size" bytes
 *            at least.  Without "fd" it is mapped by "readonly": mprotect()
 *            cannot make that writable, nor can anybody but the file's owner
 *            open it for writing.  NGX_ERROR: see errno
 * free()     unmaps and closes it, if it is there; NGX_ERROR: it is still
 *            mapped, see errno
 *
 * The first three log why there is none, and of which source: NULL is all of
 * them.  What was made till then is left to free().
 */
ngx_int_t ngx_vidcast_memory_create(ngx_vidcast_memory_t *memory,
    const char *name, size_t size, ngx_str_t *source, ngx_log_t *log);
ngx_fd_t ngx_vidcast_memory_file(const char *name, size_t size,
    ngx_str_t *source, ngx_log_t *log);
ngx_int_t ngx_vidcast_memory_readonly(ngx_vidcast_memory_t *memory,
    ngx_str_t *source, ngx_log_t *log);
ngx_int_t ngx_vidcast_memory_attach(ngx_vidcast_memory_t *memory, ngx_fd_t fd,
    ngx_fd_t readonly, size_t size);
ngx_int_t ngx_vidcast_memory_free(ngx_vidcast_memory_t *memory);


#endif /* _NGX_VIDCAST_MEMORY_H_INCLUDED_ */
