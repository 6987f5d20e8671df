
/*
 * Copyright (C) vidcast contributors
 */


/*
 * The end of a capture process: what it leaves behind is what the status says
 * of the source until there is another one, which counts what became of the
 * frames that it had in hand: else no sum of counters would be true again.
 */

#include "unit_zone.h"

#include <sys/wait.h>

#include "os/ngx_vidcast_filter.c"
#include "os/ngx_vidcast_sandbox.c"
#include "capture/output/ngx_vidcast_output_view.c"
#include "capture/output/ngx_vidcast_output_thread.c"
#include "core/ngx_vidcast_escape.c"
#include "core/ngx_vidcast_log_limit.c"
#include "process/ngx_vidcast_capture_process.c"


static void test_off(void);
static void test_busy(void);
static void test_unfinished(void);
static int test_run(void);


static ngx_vidcast_conf_t          *test_conf;
static ngx_vidcast_source_t        *test_source;
static ngx_vidcast_zone_shm_t      *test_shm;
static ngx_vidcast_input_module_t   test_module;

static unit_source_t                test_sources[] = {
    { "front", { 40, 100, 16, 100 }, 1 }
};


/* nginx ends as soon as the input has been silent */

ngx_int_t
ngx_vidcast_child_wait(ngx_vidcast_conf_t *conf, int timeout)
{
    return NGX_DONE;
}


ngx_int_t
ngx_vidcast_capture_thread(ngx_vidcast_capture_t *capture,
    void *(*proc)(void *data), void *data, const char *name)
{
    test_shm->state = NGX_VIDCAST_STALE;
    test_shm->changed = 7;
    (void) ngx_cpystrn(test_shm->error, (u_char *) "no frame for 5000 ms",
                       NGX_VIDCAST_ERROR_LEN);

    return NGX_OK;
}


/* what the capture is made of besides */

ngx_vidcast_backend_t  ngx_vidcast_backend_process;
ngx_vidcast_backend_t  ngx_vidcast_backend_thread;


void
ngx_shm_free(ngx_shm_t *shm)
{
    /* void */
}


ngx_vidcast_raw_pool_t *
ngx_vidcast_raw_pool_create(ngx_uint_t n, ngx_log_t *log)
{
    return (ngx_vidcast_raw_pool_t *) &test_module;
}


ngx_vidcast_encoder_pool_t *
ngx_vidcast_encoder_pool_create(ngx_vidcast_capture_t *capture)
{
    return (ngx_vidcast_encoder_pool_t *) &test_module;
}


ngx_vidcast_scheduler_t *
ngx_vidcast_scheduler_create(ngx_vidcast_capture_t *capture,
    ngx_vidcast_backend_t *backend)
{
    return NULL;
}


ngx_int_t
ngx_vidcast_overlay_create(ngx_vidcast_capture_t *capture)
{
    return NGX_ERROR;
}


void *
ngx_vidcast_input_thread(void *data)
{
    return NULL;
}


void
ngx_vidcast_capture_on_tick(ngx_vidcast_capture_t *capture)
{
    /* void */
}


ngx_int_t
ngx_vidcast_capture_add_sink(ngx_vidcast_capture_t *capture,
    ngx_vidcast_sink_t *sink)
{
    return NGX_OK;
}


void
ngx_vidcast_capture_log_said(ngx_vidcast_capture_t *capture, int level,
    const char *line)
{
    /* void */
}


void
ngx_vidcast_capture_log_more(ngx_vidcast_capture_t *capture)
{
    /* void */
}


void
ngx_vidcast_capture_state(ngx_vidcast_capture_t *capture, ngx_uint_t state,
    const u_char *reason)
{
    /* void */
}


void
ngx_vidcast_frame_abandon(ngx_vidcast_frame_writer_t *writer, uint32_t slot)
{
    /* void */
}


ngx_int_t
ngx_vidcast_frame_writer_init(ngx_vidcast_frame_writer_t *writer,
    ngx_vidcast_capture_t *capture, ngx_vidcast_zone_t *zone,
    void (*on_frame)(ngx_vidcast_capture_t *capture))
{
    return NGX_OK;
}


void
ngx_vidcast_capture_on_frame(ngx_vidcast_capture_t *capture)
{
    /* void */
}


int
main(void)
{
    test_conf = unit_load(NULL, test_sources, 1);
    test_source = unit_source(test_conf, 0);
    test_source->input.module = &test_module;
    test_shm = test_source->original.zone->shm;

    test_off();
    test_busy();
    test_unfinished();

    unit_unload(test_conf);

    return unit_done();
}


static void
test_off(void)
{
    unit_ok(test_run() == 0, "off: it leaves");
    unit_ok(test_shm->state == NGX_VIDCAST_OFF && test_shm->pid == 0,
            "off: the source is off");
    unit_ok(test_shm->error[0] == '\0',
            "off: not for what was wrong with it before");
    unit_ok(test_shm->changed != 7, "off: and is so since now");
}


static void
test_busy(void)
{
    (void) ngx_vidcast_process_lock_take(test_conf->control->locks,
                                         NGX_VIDCAST_LOCK_CAPTURE
                                             + test_source->entry,
                                         &unit_log);

    test_shm->state = NGX_VIDCAST_LIVE;
    test_shm->changed = 8;

    unit_ok(test_run() == 3, "busy: it returns");
    unit_ok(test_shm->state == NGX_VIDCAST_LIVE && test_shm->changed == 8,
            "busy: the source is another one's");
}


/* killed with two frames in hand, and one of them with the predictor */

static void
test_unfinished(void)
{
    ngx_vidcast_counters_t  *counters;

    ngx_vidcast_process_lock_drop(test_conf->control->locks,
                                  NGX_VIDCAST_LOCK_CAPTURE
                                      + test_source->entry,
                                  &unit_log);

    counters = &test_shm->counters;

    counters->grabbed = 100;
    counters->captured = 90;
    counters->published = 80;
    counters->bad_frame = 5;
    counters->fps_limit = 5;
    counters->encoder_busy = 8;
    counters->offered = 80;
    counters->predicted = 70;
    counters->every = 4;
    counters->gone = 5;

    unit_ok(test_run() == 0 && test_run() == 0, "unfinished: two others come");
    unit_ok(counters->unfinished == 2, "unfinished: two frames, counted once");
    unit_ok(counters->interrupted == 1, "unfinished: one of the predictor");
}


/* its code; 3: the function has returned */

static int
test_run(void)
{
    int    status;
    pid_t  pid;

    pid = fork();

    if (pid == 0) {
        ngx_vidcast_capture_process(test_conf, test_source);
        _exit(3);
    }

    (void) waitpid(pid, &status, 0);

    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
