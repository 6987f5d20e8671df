
/*
 * Copyright (C) vidcast contributors
 */


/*
 * Captures that end, as their manager sees it: the state of a source is that
 * of the process that has it, and no other's end may change it.
 */

#include "unit_zone.h"
#include "unit_actor.h"

#include "core/ngx_vidcast_escape.c"
#include "core/ngx_vidcast_log_limit.c"
#include "os/ngx_vidcast_filter.c"
#include "os/ngx_vidcast_sandbox.c"
#include "process/ngx_vidcast_watchdog.c"
#include "process/ngx_vidcast_capture_watch.c"
#include "process/ngx_vidcast_leftovers.c"
#include "process/ngx_vidcast_manager.c"


static void test_coming(void);
static void test_overdue(void);
static void test_lost(void);
static void test_died(void);
static void test_still(ngx_vidcast_watchdog_t *watchdog, ngx_pid_t pid);
static void test_end(ngx_vidcast_managed_t *managed, int code);
static int64_t test_act(ngx_uint_t what, uint32_t lock);


static ngx_vidcast_conf_t      *test_conf;
static ngx_vidcast_source_t    *test_source;
static ngx_vidcast_zone_shm_t  *test_shm;

static unit_source_t            test_sources[] = {
    { "front", { 40, 100, 16, 100 }, 1 }
};


static unit_actor_t             test_manager;
static ngx_uint_t               test_starts;


/* what the manager is made of besides */

ngx_pid_t
ngx_vidcast_child_start(ngx_vidcast_child_t *child, ngx_vidcast_conf_t *conf,
    ngx_cycle_t *cycle)
{
    test_starts++;
    unit_spawn(&test_manager, test_act);

    return test_manager.pid;
}


ngx_int_t
ngx_vidcast_child_wait(ngx_vidcast_conf_t *conf, int timeout)
{
    return NGX_DONE;
}


void
ngx_vidcast_child_title(ngx_vidcast_child_t *child, u_char *title)
{
    (void) ngx_sprintf(title, "vidcast%Z");
}


ngx_uint_t
ngx_vidcast_kill_descendants(ngx_pid_t pid)
{
    return 0;
}


ngx_vidcast_supervisor_t *
ngx_vidcast_supervisor_create(ngx_vidcast_conf_t *conf)
{
    return NULL;
}


void
ngx_vidcast_supervisor_look(ngx_vidcast_supervisor_t *supervisor)
{
    /* void */
}


void
ngx_vidcast_supervisor_end(ngx_vidcast_supervisor_t *supervisor)
{
    /* void */
}


int
main(void)
{
    (void) signal(SIGPIPE, SIG_IGN);

    test_conf = unit_load(NULL, test_sources, 1);
    test_source = unit_source(test_conf, 0);
    test_shm = test_source->original.zone->shm;

    test_coming();
    test_overdue();
    test_lost();
    test_died();

    unit_unload(test_conf);

    return unit_done();
}


/*
 * A worker looks each second, but nginx may take longer to start.  Each manager
 * that was started beside another one made all of them slower, till none came.
 */

static void
test_coming(void)
{
    unit_actor_t  old;

    ngx_memzero(&ngx_vidcast_manager_watched,
                sizeof(ngx_vidcast_manager_watch_t));

    (void) ngx_vidcast_manager_start(test_conf);
    unit_ok(test_starts == 1, "coming: a manager is started");

    (void) ngx_vidcast_manager_start(test_conf);
    (void) ngx_vidcast_manager_start(test_conf);
    unit_ok(test_starts == 1, "coming: no other one while it is on its way");

    unit_kill(&test_manager);
    unit_reap(&test_manager);

    (void) ngx_vidcast_manager_start(test_conf);
    unit_ok(test_starts == 2, "coming: one more when it is dead");

    old = test_manager;
    test_still(&ngx_vidcast_manager_watched.start, old.pid);

    (void) ngx_vidcast_manager_start(test_conf);
    unit_ok(test_starts == 3, "coming: or hangs");

    unit_kill(&old);
    unit_reap(&old);

    unit_ok(unit_tell(&test_manager, 't', NGX_VIDCAST_LOCK_MANAGER) == NGX_OK,
            "coming: it has its lock");
    test_conf->control->shm->manager_generation = test_conf->generation;

    (void) ngx_vidcast_manager_start(test_conf);
    unit_ok(test_starts == 3, "coming: it is there");

    unit_kill(&test_manager);
    unit_reap(&test_manager);

    (void) ngx_vidcast_manager_start(test_conf);
    unit_ok(test_starts == 4, "coming: when it dies, there is another one");

    unit_kill(&test_manager);
    unit_reap(&test_manager);
}


/*
 * Where a hundred start at once, each may take longer than ten seconds to come.
 * They were killed then, and all of them began anew, for good.
 */

static void
test_overdue(void)
{
    int                     status;
    unit_actor_t            child;
    ngx_vidcast_managed_t  *managed;

    managed = ngx_vidcast_manager_list(test_conf);

    unit_spawn(&child, test_act);

    managed->pid = child.pid;
    test_still(&managed->coming, child.pid);

    /* as busy as one that reads its libraries */

    (void) kill(child.pid, SIGCONT);
    (void) unit_tell(&child, 'w', 10);

    ngx_vidcast_manager_reap(test_conf, managed);
    unit_ok(unit_tell(&child, 'w', 0) == NGX_OK, "overdue: busy, it may go on");

    test_still(&managed->coming, child.pid);

    ngx_vidcast_manager_overdue(test_conf, managed);
    unit_ok(waitpid(child.pid, &status, 0) == child.pid
            && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
            "overdue: it hangs, and is killed");

    (void) close(child.fd);
    ngx_free(managed);
}


/* stopped, and for so long that the next look is the last */

static void
test_still(ngx_vidcast_watchdog_t *watchdog, ngx_pid_t pid)
{
    int  status;

    (void) kill(pid, SIGSTOP);
    (void) waitpid(pid, &status, WUNTRACED);

    (void) ngx_vidcast_watchdog_stuck(watchdog, pid);

    watchdog->still = NGX_VIDCAST_WATCHDOG_COMES * 1000;
}


/* two managers forked one each; ours came second, and left */

static void
test_lost(void)
{
    unit_actor_t            other;
    ngx_vidcast_managed_t  *managed;

    managed = ngx_vidcast_manager_list(test_conf);

    unit_spawn(&other, test_act);

    unit_ok(unit_tell(&other, 't', NGX_VIDCAST_LOCK_CAPTURE
                                   + test_source->entry) == NGX_OK,
            "lost: another process has the source");

    test_shm->pid = other.pid;
    test_shm->state = NGX_VIDCAST_LIVE;
    test_shm->changed = 7;
    test_shm->error[0] = '\0';

    test_end(managed, 0);

    unit_ok(managed->pid == 0, "lost: ours is reaped");
    unit_ok(test_shm->state == NGX_VIDCAST_LIVE, "lost: the source is live");
    unit_ok(test_shm->pid == other.pid, "lost: by the other process");
    unit_ok(test_shm->error[0] == '\0' && test_shm->changed == 7,
            "lost: nothing has happened to it");
    unit_ok(managed->backoff.due == 0, "lost: it is no failure");

    unit_kill(&other);
    unit_reap(&other);

    ngx_free(managed);
}


static void
test_died(void)
{
    ngx_vidcast_managed_t  *managed;

    managed = ngx_vidcast_manager_list(test_conf);
    managed->started = ngx_vidcast_clock();

    test_shm->state = NGX_VIDCAST_STARTING;

    test_end(managed, 2);

    unit_ok(managed->pid == 0, "died: reaped");
    unit_ok(test_shm->state == NGX_VIDCAST_FAILED && test_shm->pid == 0,
            "died: the source has failed");
    unit_ok(ngx_strcmp(test_shm->error, "capture process exited with code 2")
            == 0, "died: and says why");
    unit_ok(managed->backoff.due > managed->started,
            "died: the next one has to wait");

    ngx_free(managed);
}


/* a child of the manager, which ends, and is looked for */

static void
test_end(ngx_vidcast_managed_t *managed, int code)
{
    siginfo_t  info;

    managed->pid = fork();

    if (managed->pid == 0) {
        _exit(code);
    }

    (void) waitid(P_PID, managed->pid, &info, WEXITED|WNOWAIT);

    ngx_vidcast_manager_reap(test_conf, managed);
}


static int64_t
test_act(ngx_uint_t what, uint32_t lock)
{
    uint64_t  until;

    /* works for so many ms */

    if (what == 'w') {
        until = ngx_vidcast_clock() + lock * 1000;

        while (ngx_vidcast_clock() < until) { /* void */ }

        return NGX_OK;
    }

    return ngx_vidcast_process_lock_take(test_conf->control->locks, lock,
                                         &unit_log);
}
