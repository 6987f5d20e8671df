
/*
 * Copyright (C) vidcast contributors
 */


/*
 * Predictors that end before they have registered: another one may fare no
 * better, so that the next one must wait, longer each time.
 */

#include "unit_zone.h"

#include <sys/wait.h>

#include "process/ngx_vidcast_watchdog.c"
#include "process/ngx_vidcast_supervisor.c"


static void test_early(void);
static void test_registered(void);


static ngx_uint_t             test_forks;
static ngx_vidcast_conf_t    *test_conf;
static ngx_vidcast_source_t  *test_source;

static unit_source_t          test_sources[] = {
    { "front", { 40, 100, 16, 100 }, 1 }
};


/* it ends at once, and is a zombie when the supervisor looks */

ngx_pid_t
ngx_vidcast_child_start(ngx_vidcast_child_t *child, ngx_vidcast_conf_t *conf,
    ngx_cycle_t *cycle)
{
    pid_t      pid;
    siginfo_t  info;

    test_forks++;

    pid = fork();

    if (pid == 0) {
        _exit(0);
    }

    (void) waitid(P_PID, pid, &info, WEXITED|WNOWAIT);

    return pid;
}


/* what the supervisor is made of besides */

int64_t
ngx_vidcast_predictor_left(ngx_vidcast_source_t *source,
    ngx_vidcast_predictor_mailbox_t *mailbox, uint64_t since)
{
    return 1;
}


ngx_uint_t
ngx_vidcast_kill_descendants(ngx_pid_t pid)
{
    return 0;
}


ngx_str_t *
ngx_vidcast_escape_text(ngx_vidcast_escaped_t *escaped, const void *text)
{
    return NULL;
}


ngx_uint_t
ngx_vidcast_log_limit(ngx_vidcast_log_limit_t *limit, ngx_uint_t burst,
    uint64_t now)
{
    return 0;
}


void
ngx_vidcast_log_limit_tell(ngx_vidcast_log_limit_t *limit, ngx_uint_t burst,
    ngx_uint_t level, ngx_log_t *log, ngx_str_t *source, const char *what)
{
    /* void */
}


int
main(void)
{
    test_conf = unit_load(NULL, test_sources, 1);
    test_source = unit_source(test_conf, 0);
    test_source->predict.workers = 1;

    if (ngx_vidcast_mailboxes_create(&test_source->original.zone->mailboxes, 1,
                                     100, &test_source->name, &unit_log)
        != NGX_OK)
    {
        exit(2);
    }

    test_early();
    test_registered();

    unit_unload(test_conf);

    return unit_done();
}


static void
test_early(void)
{
    uint64_t                          before;
    ngx_uint_t                        n;
    ngx_vidcast_supervisor_t         *supervisor;
    ngx_vidcast_predictor_mailbox_t  *mailbox;

    supervisor = ngx_vidcast_supervisor_create(test_conf);
    mailbox = supervisor->child->mailbox;
    test_forks = 0;

    for (n = 1; n <= 3; n++) {
        mailbox->backoff.due = 0;

        ngx_vidcast_supervisor_look(supervisor);

        unit_ok(test_forks == n, "early: process %d is started", (int) n);

        before = ngx_vidcast_clock();

        ngx_vidcast_supervisor_look(supervisor);

        unit_ok(mailbox->backoff.delay
                == (uint64_t) NGX_VIDCAST_BACKOFF_MIN << (n - 1)
                && mailbox->backoff.due > before,
                "early: the next one has to wait");
    }

    ngx_free(supervisor);
}


static void
test_registered(void)
{
    ngx_vidcast_supervisor_t         *supervisor;
    ngx_vidcast_predictor_mailbox_t  *mailbox;

    supervisor = ngx_vidcast_supervisor_create(test_conf);
    mailbox = supervisor->child->mailbox;

    unit_ok(mailbox->backoff.delay == 0, "registered: a new manager");

    ngx_vidcast_supervisor_look(supervisor);
    mailbox->pid = supervisor->child->pid;
    ngx_vidcast_supervisor_look(supervisor);

    unit_ok(mailbox->pid == 0 && mailbox->counters.deaths == 1
            && mailbox->state == NGX_VIDCAST_PREDICTOR_FAILED,
            "registered: its death is told");
    unit_ok(mailbox->backoff.delay == NGX_VIDCAST_BACKOFF_MIN,
            "registered: and counts once");

    ngx_free(supervisor);
}
