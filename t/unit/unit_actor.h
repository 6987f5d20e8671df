
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _UNIT_ACTOR_H_INCLUDED_
#define _UNIT_ACTOR_H_INCLUDED_


/* processes which do what they are told, and tell how it went */

#include <ngx_config.h>
#include <ngx_core.h>

#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>


#define UNIT_ACTOR_DEADLINE  20000     /* ms */
#define UNIT_ACTOR_SILENT    -1000


typedef struct {
    pid_t     pid;
    int       fd;
} unit_actor_t;


typedef int64_t (*unit_act_pt)(ngx_uint_t what, uint32_t arg);


static void
unit_actor(int fd, unit_act_pt act)
{
    int64_t   answer;
    uint32_t  order[2];

    ngx_pid = ngx_getpid();

    for ( ;; ) {
        if (read(fd, order, sizeof(order)) != sizeof(order)) {
            _exit(0);
        }

        answer = act(order[0], order[1]);

        if (write(fd, &answer, sizeof(answer)) != sizeof(answer)) {
            _exit(0);
        }
    }
}


static void
unit_spawn(unit_actor_t *actor, unit_act_pt act)
{
    int    fds[2];
    pid_t  parent;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) == -1) {
        perror("socketpair()");
        exit(2);
    }

    parent = getpid();
    actor->fd = fds[0];
    actor->pid = fork();

    if (actor->pid == -1) {
        perror("fork()");
        exit(2);
    }

    if (actor->pid == 0) {
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != parent) {
            _exit(3);
        }

        (void) close(fds[0]);
        unit_actor(fds[1], act);
    }

    (void) close(fds[1]);
}


static ngx_int_t
unit_send(unit_actor_t *actor, ngx_uint_t what, uint32_t arg)
{
    uint32_t  order[2];

    order[0] = what;
    order[1] = arg;

    return (write(actor->fd, order, sizeof(order)) == sizeof(order))
           ? NGX_OK : NGX_ERROR;
}


static int64_t
unit_answer(unit_actor_t *actor)
{
    int64_t        answer;
    struct pollfd  pfd;

    pfd.fd = actor->fd;
    pfd.events = POLLIN;

    if (poll(&pfd, 1, UNIT_ACTOR_DEADLINE) != 1
        || read(actor->fd, &answer, sizeof(answer)) != sizeof(answer))
    {
        printf("# process %d does not answer\n", (int) actor->pid);
        return UNIT_ACTOR_SILENT;
    }

    return answer;
}


static int64_t
unit_tell(unit_actor_t *actor, ngx_uint_t what, uint32_t arg)
{
    if (unit_send(actor, what, arg) != NGX_OK) {
        return UNIT_ACTOR_SILENT;
    }

    return unit_answer(actor);
}


/* killed, and left as a zombie */

static void
unit_kill(unit_actor_t *actor)
{
    siginfo_t  info;

    (void) kill(actor->pid, SIGKILL);
    (void) waitid(P_PID, actor->pid, &info, WEXITED|WNOWAIT);
    (void) close(actor->fd);
}


static void
unit_reap(unit_actor_t *actor)
{
    int  status;

    (void) waitpid(actor->pid, &status, 0);
}


#endif /* _UNIT_ACTOR_H_INCLUDED_ */
