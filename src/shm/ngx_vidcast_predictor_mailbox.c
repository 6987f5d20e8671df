
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <linux/futex.h>
#include <sys/syscall.h>

#include "shm/ngx_vidcast_predictor_mailbox.h"


#define ngx_vidcast_mailbox_size(text)                                        \
    ngx_align(sizeof(ngx_vidcast_predictor_mailbox_t) + (text), ngx_pagesize)


static ngx_str_t  ngx_vidcast_predictor_state_names[] = {
    ngx_string("off"),
    ngx_string("starting"),
    ngx_string("ready"),
    ngx_string("predictor_failed"),
    ngx_string("paused")
};


ngx_int_t
ngx_vidcast_mailboxes_create(ngx_vidcast_mailboxes_t *mailboxes, ngx_uint_t n,
    size_t text, ngx_str_t *source, ngx_log_t *log)
{
    size_t      size;
    ngx_uint_t  i;

    mailboxes->n = n;
    mailboxes->text = text;

    ngx_vidcast_memory_init(&mailboxes->bell);

    for (i = 0; i < n; i++) {
        ngx_vidcast_memory_init(&mailboxes->box[i]);
    }

    if (ngx_vidcast_memory_create(&mailboxes->bell, "vidcast bell",
                                  ngx_pagesize, source, log)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    mailboxes->futex = (uint32_t *) mailboxes->bell.addr;

    size = ngx_vidcast_mailbox_size(text);

    for (i = 0; i < n; i++) {
        if (ngx_vidcast_memory_create(&mailboxes->box[i], "vidcast mailbox",
                                      size, source, log)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_vidcast_mailboxes_attach(ngx_vidcast_mailboxes_t *mailboxes, ngx_fd_t *fds,
    ngx_uint_t n, size_t text)
{
    ngx_uint_t  i;

    mailboxes->n = n - 1;
    mailboxes->text = text;

    if (ngx_vidcast_memory_attach(&mailboxes->bell, fds[0],
                                  NGX_INVALID_FILE, ngx_pagesize)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    mailboxes->futex = (uint32_t *) mailboxes->bell.addr;

    for (i = 0; i < mailboxes->n; i++) {

        if (fds[i + 1] == NGX_INVALID_FILE) {
            ngx_vidcast_memory_init(&mailboxes->box[i]);
            continue;
        }

        if (ngx_vidcast_memory_attach(&mailboxes->box[i], fds[i + 1],
                                      NGX_INVALID_FILE,
                                      ngx_vidcast_mailbox_size(text))
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_vidcast_mailboxes_free(ngx_vidcast_mailboxes_t *mailboxes)
{
    ngx_uint_t  i;

    if (mailboxes->n == 0) {
        return NGX_OK;
    }

    for (i = 0; i < mailboxes->n; i++) {
        if (ngx_vidcast_memory_free(&mailboxes->box[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return ngx_vidcast_memory_free(&mailboxes->bell);
}


ngx_vidcast_predictor_mailbox_t *
ngx_vidcast_mailbox(ngx_vidcast_mailboxes_t *mailboxes, ngx_uint_t n)
{
    return (ngx_vidcast_predictor_mailbox_t *) mailboxes->box[n].addr;
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
