
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "shm/ngx_vidcast_desk.h"


static ngx_str_t  ngx_vidcast_desk_state_names[] = {
    ngx_string("off"),
    ngx_string("starting"),
    ngx_string("ready"),
    ngx_string("predictor_failed"),
    ngx_string("paused")
};


ngx_int_t
ngx_vidcast_desks_create(ngx_vidcast_desks_t *desks, ngx_uint_t n, size_t text)
{
    void    *p;
    size_t   size, stride;

    /* pages of its own: all the rest becomes read-only in a predictor */

    stride = ngx_align(sizeof(ngx_vidcast_desk_t) + text, ngx_pagesize);
    size = ngx_pagesize + n * stride;

    p = mmap(NULL, size, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS, -1,
             0);

    if (p == MAP_FAILED) {
        return NGX_ERROR;
    }

    desks->n = n;
    desks->addr = p;
    desks->stride = stride;
    desks->text = text;
    desks->bell = p;

    return NGX_OK;
}


void
ngx_vidcast_desks_free(ngx_vidcast_desks_t *desks)
{
    if (desks->n) {
        (void) munmap(desks->addr, ngx_pagesize + desks->n * desks->stride);
    }
}


ngx_vidcast_desk_t *
ngx_vidcast_desk(ngx_vidcast_desks_t *desks, ngx_uint_t n)
{
    return (ngx_vidcast_desk_t *) (desks->addr + ngx_pagesize
                                   + n * desks->stride);
}


void
ngx_vidcast_desk_answer(ngx_vidcast_desks_t *desks, ngx_vidcast_desk_t *desk,
    ngx_uint_t status, size_t size)
{
    desk->status = status;
    desk->size = (uint32_t) size;

    ngx_vidcast_store(&desk->done, ngx_vidcast_load(&desk->task));

    ngx_vidcast_bell_ring(desks->bell);
}


void
ngx_vidcast_desk_error(ngx_vidcast_desk_t *desk, u_char *error)
{
    ngx_memcpy(error, desk->error, NGX_VIDCAST_ERROR_LEN);
    error[NGX_VIDCAST_ERROR_LEN - 1] = '\0';
}


void
ngx_vidcast_bell_ring(uint32_t *bell)
{
    (void) __atomic_fetch_add(bell, 1, __ATOMIC_SEQ_CST);

    (void) syscall(SYS_futex, bell, FUTEX_WAKE, 16, NULL, NULL, 0);
}


void
ngx_vidcast_bell_wait(uint32_t *bell, uint32_t seen, int timeout)
{
    struct timespec  ts;

    ts.tv_sec = timeout / 1000;
    ts.tv_nsec = timeout % 1000 * 1000000;

    (void) syscall(SYS_futex, bell, FUTEX_WAIT, seen, &ts, NULL, 0);
}


ngx_str_t *
ngx_vidcast_desk_state_name(ngx_uint_t state)
{
    if (state >= sizeof(ngx_vidcast_desk_state_names) / sizeof(ngx_str_t)) {
        state = NGX_VIDCAST_PREDICTOR_OFF;
    }

    return &ngx_vidcast_desk_state_names[state];
}
