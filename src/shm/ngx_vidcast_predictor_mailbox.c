
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "shm/ngx_vidcast_predictor_mailbox.h"


static ngx_str_t  ngx_vidcast_predictor_state_names[] = {
    ngx_string("off"),
    ngx_string("starting"),
    ngx_string("ready"),
    ngx_string("predictor_failed"),
    ngx_string("paused")
};


ngx_int_t
ngx_vidcast_mailboxes_create(ngx_vidcast_mailboxes_t *mailboxes, ngx_uint_t n,
    size_t text)
{
    void    *p;
    size_t   size, stride;

    /* pages of its own: all the rest becomes read-only in a predictor */

    stride = ngx_align(sizeof(ngx_vidcast_predictor_mailbox_t) + text,
                       ngx_pagesize);
    size = ngx_pagesize + n * stride;

    p = mmap(NULL, size, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS, -1,
             0);

    if (p == MAP_FAILED) {
        return NGX_ERROR;
    }

    mailboxes->n = n;
    mailboxes->addr = p;
    mailboxes->stride = stride;
    mailboxes->text = text;
    mailboxes->futex = p;

    return NGX_OK;
}


ngx_int_t
ngx_vidcast_mailboxes_free(ngx_vidcast_mailboxes_t *mailboxes)
{
    if (mailboxes->n
        && munmap(mailboxes->addr,
                  ngx_pagesize + mailboxes->n * mailboxes->stride)
           == -1)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_vidcast_predictor_mailbox_t *
ngx_vidcast_mailbox(ngx_vidcast_mailboxes_t *mailboxes, ngx_uint_t n)
{
    return (ngx_vidcast_predictor_mailbox_t *) (mailboxes->addr + ngx_pagesize
                                                + n * mailboxes->stride);
}


void
ngx_vidcast_mailbox_reply(ngx_vidcast_mailboxes_t *mailboxes,
    ngx_vidcast_predictor_mailbox_t *mailbox, ngx_uint_t status, size_t size)
{
    mailbox->status = status;
    mailbox->size = (uint32_t) size;

    ngx_vidcast_store(&mailbox->done, ngx_vidcast_load(&mailbox->task));

    ngx_vidcast_futex_wake(mailboxes->futex);
}


void
ngx_vidcast_mailbox_error(ngx_vidcast_predictor_mailbox_t *mailbox,
    u_char *error)
{
    ngx_memcpy(error, mailbox->error, NGX_VIDCAST_ERROR_LEN);
    error[NGX_VIDCAST_ERROR_LEN - 1] = '\0';
}


void
ngx_vidcast_futex_wake(uint32_t *futex)
{
    (void) __atomic_fetch_add(futex, 1, __ATOMIC_SEQ_CST);

    (void) syscall(SYS_futex, futex, FUTEX_WAKE, 16, NULL, NULL, 0);
}


void
ngx_vidcast_futex_wait(uint32_t *futex, uint32_t seen, int timeout)
{
    struct timespec  ts;

    ts.tv_sec = timeout / 1000;
    ts.tv_nsec = timeout % 1000 * 1000000;

    (void) syscall(SYS_futex, futex, FUTEX_WAIT, seen, &ts, NULL, 0);
}


ngx_str_t *
ngx_vidcast_predictor_state_name(ngx_uint_t state)
{
    if (state
        >= sizeof(ngx_vidcast_predictor_state_names) / sizeof(ngx_str_t))
    {
        state = NGX_VIDCAST_PREDICTOR_OFF;
    }

    return &ngx_vidcast_predictor_state_names[state];
}
