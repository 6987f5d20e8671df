
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "os/ngx_vidcast_process_tree.h"


/* a larger tree takes more rounds: the killed are not listed again */

#define NGX_VIDCAST_TREE_MAX  256


typedef struct {
    ngx_pid_t   pids[NGX_VIDCAST_TREE_MAX];
    ngx_uint_t  n;
} ngx_vidcast_process_tree_t;


static void ngx_vidcast_process_children(ngx_vidcast_process_tree_t *tree,
    ngx_pid_t pid);
static ssize_t ngx_vidcast_process_read(char *name, char *buf, size_t size);
static ngx_uint_t ngx_vidcast_process_alive(ngx_pid_t pid);


ngx_uint_t
ngx_vidcast_kill_descendants(ngx_pid_t pid)
{
    ngx_uint_t                  i, alive;
    ngx_vidcast_process_tree_t  tree;

    tree.n = 0;

    ngx_vidcast_process_children(&tree, pid);

    /* a killed process gives its children away: they are listed before */

    for (i = 0; i < tree.n; i++) {
        ngx_vidcast_process_children(&tree, tree.pids[i]);
    }

    alive = 0;

    for (i = 0; i < tree.n; i++) {

        if (ngx_vidcast_process_alive(tree.pids[i])) {
            (void) kill(tree.pids[i], SIGKILL);
            alive++;
        }
    }

    return alive;
}


/* a child belongs to the thread that forked it */

static void
ngx_vidcast_process_children(ngx_vidcast_process_tree_t *tree, ngx_pid_t pid)
{
    DIR            *tasks;
    char           *p, *end, name[64], list[4096];
    ngx_pid_t       child;
    struct dirent  *task;

    (void) ngx_sprintf((u_char *) name, "/proc/%P/task%Z", pid);

    tasks = opendir(name);
    if (tasks == NULL) {
        return;
    }

    for ( ;; ) {
        task = readdir(tasks);

        if (task == NULL) {
            break;
        }

        (void) ngx_snprintf((u_char *) name, sizeof(name),
                            "/proc/%P/task/%s/children%Z", pid, task->d_name);

        if (task->d_name[0] == '.'
            || ngx_vidcast_process_read(name, list, sizeof(list)) <= 0)
        {
            continue;
        }

        for (p = list; tree->n < NGX_VIDCAST_TREE_MAX; p = end) {

            child = (ngx_pid_t) strtol(p, &end, 10);

            if (end == p) {
                break;
            }

            tree->pids[tree->n++] = child;
        }
    }

    (void) closedir(tasks);
}


static ssize_t
ngx_vidcast_process_read(char *name, char *buf, size_t size)
{
    ssize_t   n;
    ngx_fd_t  fd;

    fd = open(name, O_RDONLY|O_CLOEXEC);
    if (fd == -1) {
        return -1;
    }

    n = read(fd, buf, size - 1);

    (void) ngx_close_file(fd);

    buf[ngx_max(n, 0)] = '\0';

    return n;
}


/* a zombie waits for its parent only; the name before the state is free text */

static ngx_uint_t
ngx_vidcast_process_alive(ngx_pid_t pid)
{
    char  *p, name[64], stat[512];

    (void) ngx_sprintf((u_char *) name, "/proc/%P/stat%Z", pid);

    if (ngx_vidcast_process_read(name, stat, sizeof(stat)) <= 0) {
        return 0;
    }

    p = strrchr(stat, ')');

    return p == NULL || (ngx_strncmp(p, ") Z", 3) != 0
                         && ngx_strncmp(p, ") X", 3) != 0);
}
