
/*
 * Copyright (C) vidcast contributors
 */


/*
 * The threads of a capture: each has its name, and leaves nothing behind.  A
 * thread may end before the one that started it goes on, so that it must not
 * be detached as long as anything is done with it.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include <pthread.h>

#include "unit.h"
#include "unit_ngx.h"


static int test_setname(pthread_t tid, const char *name);

#define pthread_setname_np  test_setname

#include "unit_capture.h"

#undef pthread_setname_np


static void test_thread(void);
static int test_detached(pthread_t tid);
static void *test_proc(void *data);


static int              test_state;
static pthread_t        test_tid;
static pthread_mutex_t  test_running = PTHREAD_MUTEX_INITIALIZER;


int
main(void)
{
    test_thread();

    return unit_done();
}


static void
test_thread(void)
{
    char                   name[16];
    ngx_vidcast_capture_t  capture;

    ngx_memzero(&capture, sizeof(ngx_vidcast_capture_t));
    capture.log = &unit_log;

    /* the thread lives until we have looked */

    (void) pthread_mutex_lock(&test_running);

    unit_ok(ngx_vidcast_capture_thread(&capture, test_proc, NULL, "test it")
            == NGX_OK, "thread: started");

    unit_ok(test_state == PTHREAD_CREATE_JOINABLE,
            "thread: its tid is good when it gets its name");
    unit_ok(pthread_getname_np(test_tid, name, sizeof(name)) == 0
            && ngx_strcmp(name, "test it") == 0, "thread: which it has");
    unit_ok(test_detached(test_tid) == PTHREAD_CREATE_DETACHED,
            "thread: nobody has to wait for it");

    (void) pthread_mutex_unlock(&test_running);
}


static int
test_setname(pthread_t tid, const char *name)
{
    test_tid = tid;
    test_state = test_detached(tid);

    return pthread_setname_np(tid, name);
}


static int
test_detached(pthread_t tid)
{
    int             state;
    pthread_attr_t  attr;

    state = -1;

    if (pthread_getattr_np(tid, &attr) == 0) {
        (void) pthread_attr_getdetachstate(&attr, &state);
        (void) pthread_attr_destroy(&attr);
    }

    return state;
}


static void *
test_proc(void *data)
{
    (void) pthread_mutex_lock(&test_running);
    (void) pthread_mutex_unlock(&test_running);

    return NULL;
}
