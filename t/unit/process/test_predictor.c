
/*
 * Copyright (C) vidcast contributors
 */


/*
 * A predictor whose engine cannot be opened ends and says why; one whose
 * program or model has gone since the configuration was read says that, and
 * does not get so far.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include <sys/mman.h>
#include <sys/wait.h>

#include "unit_zone.h"
#include "os/ngx_vidcast_filter.c"
#include "os/ngx_vidcast_sandbox.c"
#include "process/ngx_vidcast_predictor.c"


static void test_opened(void);
static void test_gone(void);
static int test_run(void);
static ngx_int_t test_engine_open(ngx_vidcast_predictor_t *predictor);


/* what the process and the test tell each other */

typedef struct {
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

    test_mailbox = ngx_vidcast_mailbox(&source->original.zone->mailboxes, 0);

    test_opened();
    test_gone();

    unit_unload(test_conf);

    return unit_done();
}


static void
test_opened(void)
{
    unit_ok(test_run() == 1, "opened: it ends as its engine wants");
    unit_ok(test_shared->opened == 1, "opened: the engine ran");
    unit_ok(ngx_strcmp(test_mailbox->error, "no model") == 0,
            "opened: and failed");
}


static void
test_gone(void)
{
    test_id.source->predict.error = (u_char *) "\"/a/b\": no such file";

    unit_ok(test_run() == 1, "gone: it ends");
    unit_ok(test_shared->opened == 0, "gone: the engine did not run");
    unit_ok(test_mailbox->explained
            && ngx_strcmp(test_mailbox->error, "\"/a/b\": no such file") == 0,
            "gone: it says why");
}


/* its code */

static int
test_run(void)
{
    int    status;
    pid_t  pid;

    ngx_memzero(test_shared, sizeof(test_shared_t));

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


static ngx_int_t
test_engine_open(ngx_vidcast_predictor_t *predictor)
{
    test_shared->opened = 1;

    ngx_vidcast_error(predictor->error, "no model");

    return NGX_ERROR;
}
