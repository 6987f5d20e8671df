
/*
 * Copyright (C) vidcast contributors
 */


/*
 * A predictor gives away what foreign code must not write to, before any of
 * that code runs.  Where the kernel refuses one of the calls, the process ends
 * and says why.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include <sys/mman.h>
#include <sys/wait.h>


static int test_munmap(void *addr, size_t size);
static void *test_mmap(void *addr, size_t size, int prot, int flags, int fd,
    off_t offset);

#define munmap    test_munmap
#define mmap      test_mmap

#include "unit_zone.h"
#include "os/ngx_vidcast_sandbox.c"
#include "process/ngx_vidcast_predictor.c"

#undef munmap
#undef mmap


static void test_granted(void);
static void test_refused(void);
static int test_run(ngx_uint_t refuse);
static ngx_int_t test_refuse(void);
static ngx_int_t test_engine_open(ngx_vidcast_predictor_t *predictor);


/* what the process and the test tell each other */

typedef struct {
    ngx_uint_t                    calls;     /* made so far */
    ngx_uint_t                    refuse;    /* which of them fails */
    ngx_uint_t                    opened;
} test_shared_t;


static test_shared_t                    *test_shared;
static ngx_vidcast_conf_t               *test_conf;
static ngx_vidcast_predictor_id_t        test_id;
static ngx_vidcast_predictor_mailbox_t  *test_mailbox;

static ngx_vidcast_engine_t              test_engine = {
    0, test_engine_open, NULL, NULL, NULL, NULL
};

static ngx_vidcast_predict_module_t      test_module;

static unit_source_t                     test_sources[] = {
    { "front", { 40, 100, 16, 100 }, 1 },
    { "back", { 40, 100, 16, 100 }, 2 }
};


/* what the predictor is made of besides */

ngx_int_t
ngx_vidcast_child_wait(ngx_vidcast_conf_t *conf, int timeout)
{
    return NGX_DONE;
}


ngx_vidcast_jpeg_decoder_t *
ngx_vidcast_jpeg_decoder_create(void)
{
    return (ngx_vidcast_jpeg_decoder_t *) test_shared;
}


ngx_int_t
ngx_vidcast_resize_plan(ngx_vidcast_resize_t *fit, const vidcast_want_t *want,
    uint32_t width, uint32_t height)
{
    return NGX_DECLINED;
}


ngx_int_t
ngx_vidcast_resize_jpeg(const ngx_vidcast_resize_t *fit,
    ngx_vidcast_jpeg_decoder_t *decoder, const u_char *jpeg, size_t size,
    u_char *dst)
{
    return NGX_DECLINED;
}


void
ngx_vidcast_resize_view(const ngx_vidcast_resize_t *fit, u_char *data,
    vidcast_image_t *view)
{
    /* void */
}


void
ngx_vidcast_log_limit_tell(ngx_vidcast_log_limit_t *limit, ngx_uint_t n,
    ngx_uint_t level, ngx_log_t *log, ngx_str_t *name, const char *what)
{
    /* void */
}


int
main(void)
{
    ngx_uint_t             i;
    ngx_vidcast_source_t  *source;

    test_shared = mmap(NULL, sizeof(test_shared_t), PROT_READ|PROT_WRITE,
                       MAP_SHARED|MAP_ANONYMOUS, -1, 0);

    test_conf = unit_load(NULL, test_sources, 2);

    test_module.engine = &test_engine;

    test_id.source = unit_source(test_conf, 0);
    test_id.source->predict.module = &test_module;

    for (i = 0; i < 2; i++) {
        source = unit_source(test_conf, i);

        if (ngx_vidcast_mailboxes_create(&source->original.zone->mailboxes, 2,
                                         100, &source->name, &unit_log)
            != NGX_OK)
        {
            exit(2);
        }
    }

    source = test_id.source;

    if (ngx_vidcast_memory_readonly(&source->original.zone->contents,
                                    &source->name, &unit_log) != NGX_OK
        || ngx_vidcast_memory_readonly(&source->original.zone->frames,
                                       &source->name, &unit_log) != NGX_OK
        || ngx_vidcast_memory_readonly(&test_conf->control->contents,
                                       &source->name, &unit_log) != NGX_OK)
    {
        exit(2);
    }

    test_mailbox = ngx_vidcast_mailbox(&source->original.zone->mailboxes, 0);

    test_granted();
    test_refused();

    test_shared->refuse = 0;

    unit_unload(test_conf);

    return unit_done();
}


static void
test_granted(void)
{
    unit_ok(test_run(0) == 1, "granted: it ends as its engine wants");
    unit_ok(test_shared->calls == 12, "granted: memory was given away");
    unit_ok(test_shared->opened == 1, "granted: the engine ran");
    unit_ok(ngx_strcmp(test_mailbox->error, "no model") == 0,
            "granted: and failed");
}


static void
test_refused(void)
{
    ngx_uint_t   n, calls;
    const char  *reason;

    calls = test_shared->calls;
    reason = "could not protect shared memory: Cannot allocate memory";

    for (n = 1; n <= calls; n++) {
        unit_ok(test_run(n) == 1, "refused: it ends after call %d of %d",
                (int) n, (int) calls);
        unit_ok(test_shared->opened == 0, "refused: the engine did not run");
        unit_ok(test_mailbox->pid != 0 && test_mailbox->explained
                && ngx_strcmp(test_mailbox->error, reason) == 0,
                "refused: it says why");
    }
}


/* its code */

static int
test_run(ngx_uint_t refuse)
{
    int    status;
    pid_t  pid;

    ngx_memzero(test_shared, sizeof(test_shared_t));
    test_shared->refuse = refuse;

    test_mailbox->pid = 0;
    test_mailbox->explained = 0;
    test_mailbox->error[0] = '\0';

    pid = fork();

    if (pid == 0) {
        ngx_pid = ngx_getpid();
        ngx_vidcast_predictor_process(test_conf, &test_id);
        _exit(3);
    }

    (void) waitpid(pid, &status, 0);

    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}


static int
test_munmap(void *addr, size_t size)
{
    return (test_refuse() == NGX_OK) ? munmap(addr, size) : -1;
}


/* that of one place by another */

static void *
test_mmap(void *addr, size_t size, int prot, int flags, int fd, off_t offset)
{
    if ((flags & MAP_FIXED) && test_refuse() != NGX_OK) {
        return MAP_FAILED;
    }

    return mmap(addr, size, prot, flags, fd, offset);
}


static ngx_int_t
test_refuse(void)
{
    if (++test_shared->calls != test_shared->refuse) {
        return NGX_OK;
    }

    ngx_set_errno(ENOMEM);

    return NGX_ERROR;
}


static ngx_int_t
test_engine_open(ngx_vidcast_predictor_t *predictor)
{
    test_shared->opened = 1;

    ngx_vidcast_error(predictor->error, "no model");

    return NGX_ERROR;
}
