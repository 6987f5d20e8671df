
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <sys/mman.h>
#include <sys/resource.h>

#include "shm/ngx_vidcast_zone.h"


static const char *ngx_vidcast_memory_prepare(ngx_fd_t fd, size_t size);
static ngx_int_t ngx_vidcast_memory_map(ngx_vidcast_memory_t *memory);
static ngx_int_t ngx_vidcast_memory_extend(ngx_fd_t fd, off_t size);
static void ngx_vidcast_memory_close(ngx_fd_t *fd);


void
ngx_vidcast_memory_init(ngx_vidcast_memory_t *memory)
{
    memory->addr = NULL;
    memory->size = 0;
    memory->fd = NGX_INVALID_FILE;
    memory->readonly = NGX_INVALID_FILE;
}


ngx_int_t
ngx_vidcast_memory_create(ngx_vidcast_memory_t *memory, const char *name,
    size_t size, ngx_str_t *source, ngx_log_t *log)
{
    memory->size = size;
    memory->fd = ngx_vidcast_memory_file(name, size, source, log);

    if (memory->fd == NGX_INVALID_FILE) {
        return NGX_ERROR;
    }

    if (ngx_vidcast_memory_map(memory) != NGX_OK) {
        ngx_vidcast_limit_log(log, ngx_errno, "mmap() of a memfd", size,
                              source);
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_fd_t
ngx_vidcast_memory_file(const char *name, size_t size, ngx_str_t *source,
    ngx_log_t *log)
{
    ngx_fd_t     fd;
    ngx_err_t    err;
    const char  *what;

    fd = memfd_create(name, MFD_CLOEXEC|MFD_ALLOW_SEALING);

    if (fd == -1) {
        ngx_vidcast_limit_log(log, ngx_errno, "memfd_create()", 0, source);
        return NGX_INVALID_FILE;
    }

    what = ngx_vidcast_memory_prepare(fd, size);

    if (what) {
        err = ngx_errno;
        (void) ngx_close_file(fd);

        ngx_vidcast_limit_log(log, err, what, size, source);
        return NGX_INVALID_FILE;
    }

    return fd;
}


/* NULL, or what failed: see errno */

static const char *
ngx_vidcast_memory_prepare(ngx_fd_t fd, size_t size)
{
    if (ngx_vidcast_memory_extend(fd, (off_t) size) != NGX_OK) {
        return "ftruncate() of a memfd";
    }

    if (fchmod(fd, 0400) == -1) {
        return "fchmod() of a memfd";
    }

    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK|F_SEAL_GROW|F_SEAL_SEAL) == -1) {
        return "fcntl(F_ADD_SEALS) of a memfd";
    }

    return NULL;
}


/* beyond the limit the kernel would send a signal, of which the master dies */

static ngx_int_t
ngx_vidcast_memory_extend(ngx_fd_t fd, off_t size)
{
    struct rlimit  rlmt;

    if (getrlimit(RLIMIT_FSIZE, &rlmt) == 0
        && rlmt.rlim_cur != RLIM_INFINITY
        && rlmt.rlim_cur < (rlim_t) size)
    {
        ngx_set_errno(EFBIG);
        return NGX_ERROR;
    }

    return (ftruncate(fd, size) == -1) ? NGX_ERROR : NGX_OK;
}


ngx_int_t
ngx_vidcast_memory_readonly(ngx_vidcast_memory_t *memory, ngx_str_t *source,
    ngx_log_t *log)
{
    char  name[64];

    if (memory->readonly != NGX_INVALID_FILE) {
        return NGX_OK;
    }

    (void) ngx_sprintf((u_char *) name, "/proc/self/fd/%d%Z", memory->fd);

    memory->readonly = open(name, O_RDONLY|O_CLOEXEC);

    if (memory->readonly == -1) {
        ngx_vidcast_limit_log(log, ngx_errno, "open() of a memfd by /proc",
                              0, source);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_memory_map(ngx_vidcast_memory_t *memory)
{
    int        prot;
    void      *addr;
    ngx_fd_t   fd;

    fd = memory->fd;
    prot = PROT_READ|PROT_WRITE;

    if (fd == NGX_INVALID_FILE) {
        fd = memory->readonly;
        prot = PROT_READ;
    }

    addr = mmap(NULL, memory->size, prot, MAP_SHARED, fd, 0);

    if (addr == MAP_FAILED) {
        return NGX_ERROR;
    }

    /*
     * See ngx_vidcast_ring_replace_pages(); kernels without huge pages refuse.
     */

    (void) madvise(addr, memory->size, MADV_NOHUGEPAGE);

    memory->addr = addr;

    return NGX_OK;
}


ngx_int_t
ngx_vidcast_memory_attach(ngx_vidcast_memory_t *memory, ngx_fd_t fd,
    ngx_fd_t readonly, size_t size)
{
    ngx_file_info_t  fi;

    memory->addr = NULL;
    memory->size = size;
    memory->fd = fd;
    memory->readonly = readonly;

    if (ngx_fd_info((fd == NGX_INVALID_FILE) ? readonly : fd, &fi)
        == NGX_FILE_ERROR)
    {
        return NGX_ERROR;
    }

    if (ngx_file_size(&fi) < (off_t) size) {
        ngx_set_errno(NGX_EINVAL);
        return NGX_ERROR;
    }

    return ngx_vidcast_memory_map(memory);
}


ngx_int_t
ngx_vidcast_memory_free(ngx_vidcast_memory_t *memory)
{
    if (memory->addr) {

        if (munmap(memory->addr, memory->size) == -1) {
            return NGX_ERROR;
        }

        memory->addr = NULL;
    }

    ngx_vidcast_memory_close(&memory->fd);
    ngx_vidcast_memory_close(&memory->readonly);

    return NGX_OK;
}


static void
ngx_vidcast_memory_close(ngx_fd_t *fd)
{
    if (*fd != NGX_INVALID_FILE) {
        (void) ngx_close_file(*fd);
        *fd = NGX_INVALID_FILE;
    }
}
