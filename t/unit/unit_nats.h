
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _UNIT_NATS_H_INCLUDED_
#define _UNIT_NATS_H_INCLUDED_


/*
 * What stands around the plugin for sources over NATS: a server in a directory
 * of its own, a line of so many bytes a second before it, a host with frames
 * and results in memory which has an output, and one which has an input and
 * keeps account of what comes.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "vidcast_plugin.h"


#define UNIT_NATS_SERVER   "/usr/sbin/nats-server"
#define UNIT_NATS_DEADLINE  30000000     /* us for an event */
#define UNIT_NATS_OLD      2000000       /* us */
#define UNIT_NATS_FRAMES   4096          /* times that are remembered */
#define UNIT_NATS_HISTORY  512           /* results */


/* waits for an event; it is worth what it is then */

#define unit_nats_wait(cond)                                                  \
    ({                                                                        \
        int64_t  until = unit_nats_clock() + UNIT_NATS_DEADLINE;              \
                                                                              \
        while (!(cond) && unit_nats_clock() < until) {                        \
            usleep(10000);                                                    \
        }                                                                     \
                                                                              \
        (cond) ? 1 : 0;                                                       \
    })


typedef struct {
    int                          port;
    pid_t                        pid;
    char                         dir[64];
} unit_nats_server_t;


typedef struct {
    int                          fd;
    int                          port;
    int                          to;        /* port of the server */
    int                          rate;      /* bytes a second to the client */
    int                          up;        /* and from it; 0: all */
    pthread_t                    thread;
    volatile int                 stop;
    volatile int                 cut;       /* all connections, once */
    volatile int                 live;      /* connections */
} unit_nats_line_t;


/* a source with an output */

typedef struct {
    pthread_mutex_t              mutex;
    pthread_cond_t               cond;
    pthread_t                    camera;
    pthread_t                    thread;
    volatile int                 stop;
    int                          woken;

    const vidcast_output_table_t  *table;
    vidcast_context_t            context;
    vidcast_output_t             output;
    vidcast_param_t              params[4];
    char                         uri[256];

    uint64_t                     epoch;
    uint64_t                     frame;
    uint64_t                     seq;
    uint64_t                     first;     /* result that it has */
    const char                  *state;
    const char                  *reason;
    int64_t                      interval;  /* us; 0: none by itself */
    size_t                       size;      /* of a frame */
    int64_t                      captured[UNIT_NATS_FRAMES];

    uint8_t                     *jpeg;      /* given last */
    char                         json[256];

    vidcast_output_report_t      report;
    int                          rc;
    char                         error[VIDCAST_ERROR_LEN];
    char                         line[512];
    unsigned                     wanted;
} unit_nats_origin_t;


/* a source with an input */

typedef struct {
    pthread_mutex_t              mutex;
    pthread_t                    thread;
    volatile int                 stop;

    const vidcast_input_table_t  *table;
    vidcast_context_t            context;
    vidcast_param_t              params[4];
    char                         uri[256];
    unit_nats_origin_t          *origin;    /* whose frames have times */
    void                        *instance;

    uint64_t                     epoch;
    uint64_t                     frames;
    uint64_t                     frame;
    uint64_t                     wrong;     /* in no order, or not as sent */
    uint64_t                     results;
    uint64_t                     first;     /* result */
    uint64_t                     seq;
    uint64_t                     missed;    /* between results */
    uint64_t                     late;
    uint64_t                     bad;
    uint64_t                     unchanged;
    int64_t                      oldest;    /* picture that it showed, us */
    uint64_t                     old;       /* of more than UNIT_NATS_OLD */
    uint8_t                      got[UNIT_NATS_FRAMES];
    int                          rc;
    char                         error[VIDCAST_ERROR_LEN];
    char                         badness[VIDCAST_ERROR_LEN];
    char                         line[512];
    int                          slow;      /* ms that a frame takes here */
} unit_nats_edge_t;


static int64_t
unit_nats_clock(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}


/* a socket that listens on a free port, or on this one */

static int
unit_nats_listen(int *port)
{
    int                 fd, on;
    socklen_t           len;
    struct sockaddr_in  sin;

    memset(&sin, 0, sizeof(struct sockaddr_in));

    sin.sin_family = AF_INET;
    sin.sin_port = htons(*port);
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    on = 1;
    len = sizeof(struct sockaddr_in);

    (void) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(int));

    if (bind(fd, (struct sockaddr *) &sin, len) == -1
        || listen(fd, 16) == -1
        || getsockname(fd, (struct sockaddr *) &sin, &len) == -1)
    {
        perror("listen");
        exit(1);
    }

    *port = ntohs(sin.sin_port);

    return fd;
}


static int
unit_nats_connect(int port, int buffer)
{
    int                 fd;
    struct sockaddr_in  sin;

    memset(&sin, 0, sizeof(struct sockaddr_in));

    sin.sin_family = AF_INET;
    sin.sin_port = htons(port);
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (buffer) {
        (void) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(int));
    }

    if (connect(fd, (struct sockaddr *) &sin, sizeof(struct sockaddr_in))
        == -1)
    {
        (void) close(fd);
        return -1;
    }

    return fd;
}


/* starts the server again on the port that it had */

static void
unit_nats_restart(unit_nats_server_t *server)
{
    int    fd;
    pid_t  parent;
    char   conf[128], log[128];

    (void) snprintf(conf, sizeof(conf), "%s/nats.conf", server->dir);

    parent = getpid();
    server->pid = fork();

    if (server->pid == 0) {
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);

        if (getppid() != parent) {
            _exit(1);
        }

        (void) snprintf(log, sizeof(log), "%s/log", server->dir);

        fd = open(log, O_RDWR | O_CREAT | O_TRUNC, 0600);
        (void) dup2(fd, 0);
        (void) dup2(fd, 1);
        (void) dup2(fd, 2);

        (void) execl(UNIT_NATS_SERVER, UNIT_NATS_SERVER, "-c", conf,
                     (char *) NULL);
        _exit(127);
    }

    if (!unit_nats_wait((fd = unit_nats_connect(server->port, 0)) != -1)) {
        printf("Bail out! nats-server does not start\n");
        exit(1);
    }

    (void) close(fd);
}


static void
unit_nats_start(unit_nats_server_t *server, const char *more)
{
    int    fd;
    char   conf[128];
    FILE  *file;

    server->port = 0;
    fd = unit_nats_listen(&server->port);
    (void) close(fd);

    (void) strcpy(server->dir, "/tmp/vidcast-nats-XXXXXX");

    if (mkdtemp(server->dir) == NULL) {
        perror("mkdtemp");
        exit(1);
    }

    (void) snprintf(conf, sizeof(conf), "%s/nats.conf", server->dir);

    file = fopen(conf, "w");

    if (file == NULL) {
        perror(conf);
        exit(1);
    }

    fprintf(file, "host: 127.0.0.1\nport: %d\n%s\n", server->port, more);
    (void) fclose(file);

    unit_nats_restart(server);
}


static void
unit_nats_kill(unit_nats_server_t *server)
{
    int    status;
    char   log[128], line[512];
    FILE  *file;

    if (waitpid(server->pid, &status, WNOHANG) == server->pid) {
        (void) snprintf(log, sizeof(log), "%s/log", server->dir);

        file = fopen(log, "r");

        while (file && fgets(line, sizeof(line), file)) {
            printf("# %s", line);
        }

        printf("Bail out! nats-server has ended by itself, status %d\n",
               status);
        exit(1);
    }

    (void) kill(server->pid, SIGKILL);
    (void) waitpid(server->pid, NULL, 0);
}


static void
unit_nats_end(unit_nats_server_t *server)
{
    char  conf[128];

    unit_nats_kill(server);

    (void) snprintf(conf, sizeof(conf), "%s/nats.conf", server->dir);
    (void) unlink(conf);

    (void) snprintf(conf, sizeof(conf), "%s/log", server->dir);
    (void) unlink(conf);
    (void) rmdir(server->dir);
}


typedef struct {
    unit_nats_line_t            *line;
    int                          client;
} unit_nats_pair_t;


/* what waits for its time is not read, so that it waits in buffers */

static void *
unit_nats_line_pair(void *data)
{
    unit_nats_pair_t *pair = data;

    int               fd, client, small;
    char              buf[16384];
    int64_t           due, up, now, next;
    ssize_t           n;
    struct pollfd     pfd[2];
    unit_nats_line_t *line;

    line = pair->line;
    client = pair->client;
    free(pair);

    small = 16384;
    fd = unit_nats_connect(line->to, line->rate ? small : 0);

    if (line->rate) {
        (void) setsockopt(client, SOL_SOCKET, SO_SNDBUF, &small, sizeof(int));
    }

    if (line->up) {
        (void) setsockopt(client, SOL_SOCKET, SO_RCVBUF, &small, sizeof(int));
    }

    due = 0;
    up = 0;

    while (fd != -1 && !line->stop && !line->cut) {
        now = unit_nats_clock();
        next = 50000;

        if (now < due && due - now < next) {
            next = due - now;
        }

        if (now < up && up - now < next) {
            next = up - now;
        }

        pfd[0].fd = now < up ? -1 : client;
        pfd[0].events = POLLIN;
        pfd[0].revents = 0;
        pfd[1].fd = now < due ? -1 : fd;
        pfd[1].events = POLLIN;
        pfd[1].revents = 0;

        (void) poll(pfd, 2, (int) (next / 1000 + 1));

        if (pfd[0].revents) {
            n = recv(client, buf, line->up ? 4096 : sizeof(buf), 0);

            if (n <= 0 || send(fd, buf, n, MSG_NOSIGNAL) != n) {
                break;
            }

            if (line->up) {
                now = unit_nats_clock();
                up = (up > now - 20000 ? up : now)
                     + (int64_t) n * 1000000 / line->up;
            }
        }

        if (pfd[1].revents) {
            n = recv(fd, buf, line->rate ? 4096 : sizeof(buf), 0);

            if (n <= 0 || send(client, buf, n, MSG_NOSIGNAL) != n) {
                break;
            }

            if (line->rate) {
                now = unit_nats_clock();
                due = (due > now - 20000 ? due : now)
                      + (int64_t) n * 1000000 / line->rate;
            }
        }
    }

    (void) close(client);

    if (fd != -1) {
        (void) close(fd);
    }

    __sync_fetch_and_sub(&line->live, 1);

    return NULL;
}


static void *
unit_nats_line_run(void *data)
{
    unit_nats_line_t *line = data;

    int                fd;
    pthread_t          thread;
    struct pollfd      pfd;
    unit_nats_pair_t  *pair;

    while (!line->stop) {
        pfd.fd = line->fd;
        pfd.events = POLLIN;

        if (line->cut && line->live == 0) {
            line->cut = 0;
        }

        if (poll(&pfd, 1, 20) != 1) {
            continue;
        }

        fd = accept(line->fd, NULL, NULL);

        if (fd == -1) {
            continue;
        }

        pair = malloc(sizeof(unit_nats_pair_t));

        if (pair == NULL) {
            abort();
        }

        pair->line = line;
        pair->client = fd;

        __sync_fetch_and_add(&line->live, 1);

        (void) pthread_create(&thread, NULL, unit_nats_line_pair, pair);
        (void) pthread_detach(thread);
    }

    return NULL;
}


static void
unit_nats_line_start(unit_nats_line_t *line, int to, int rate, int up)
{
    memset(line, 0, sizeof(unit_nats_line_t));

    line->to = to;
    line->rate = rate;
    line->up = up;
    line->fd = unit_nats_listen(&line->port);

    (void) pthread_create(&line->thread, NULL, unit_nats_line_run, line);
}


static void
unit_nats_line_end(unit_nats_line_t *line)
{
    line->stop = 1;

    (void) pthread_join(line->thread, NULL);
    (void) unit_nats_wait(line->live == 0);
    (void) close(line->fd);
}


static void
unit_nats_origin_wake(void *host)
{
    unit_nats_origin_t *origin = host;

    (void) pthread_mutex_lock(&origin->mutex);
    origin->woken = 1;
    (void) pthread_cond_signal(&origin->cond);
    (void) pthread_mutex_unlock(&origin->mutex);
}


static void
unit_nats_origin_wanted(void *host)
{
    unit_nats_origin_t *origin = host;

    __sync_fetch_and_add(&origin->wanted, 1);
}


static int
unit_nats_origin_frame(void *host, uint64_t after,
    vidcast_output_frame_t *frame)
{
    unit_nats_origin_t *origin = host;

    (void) pthread_mutex_lock(&origin->mutex);

    if (origin->frame <= after) {
        (void) pthread_mutex_unlock(&origin->mutex);
        return VIDCAST_AGAIN;
    }

    origin->jpeg = realloc(origin->jpeg, origin->size);

    if (origin->jpeg == NULL) {
        abort();
    }

    memset(origin->jpeg, 'j', origin->size);
    memcpy(origin->jpeg, "\xff\xd8", 2);
    memcpy(origin->jpeg + 2, &origin->frame, sizeof(uint64_t));

    frame->identity.epoch = origin->epoch;
    frame->identity.number = origin->frame;
    frame->captured = origin->captured[origin->frame % UNIT_NATS_FRAMES];
    frame->identity.time = frame->captured + 1763693000000000;
    frame->pts = VIDCAST_NO_PTS;
    frame->width = 640;
    frame->height = 480;
    frame->jpeg = origin->jpeg;
    frame->jpeg_size = origin->size;

    (void) pthread_mutex_unlock(&origin->mutex);

    return VIDCAST_OK;
}


static int
unit_nats_origin_result(void *host, uint64_t seq, vidcast_result_t *result)
{
    unit_nats_origin_t *origin = host;

    (void) pthread_mutex_lock(&origin->mutex);

    if (seq > origin->seq) {
        (void) pthread_mutex_unlock(&origin->mutex);
        return VIDCAST_AGAIN;
    }

    if (seq < origin->first || seq == 0) {
        (void) pthread_mutex_unlock(&origin->mutex);
        return VIDCAST_BAD;
    }

    (void) snprintf(origin->json, sizeof(origin->json), "{\"seq\":%llu}",
                    (unsigned long long) seq);

    result->epoch = origin->epoch;
    result->seq = seq;
    result->frame = seq;
    result->json = origin->json;
    result->json_size = strlen(origin->json);

    (void) pthread_mutex_unlock(&origin->mutex);

    return VIDCAST_OK;
}


static void
unit_nats_origin_state(void *host, vidcast_output_state_t *state)
{
    unit_nats_origin_t *origin = host;

    (void) pthread_mutex_lock(&origin->mutex);

    state->name = origin->state;
    state->reason = origin->reason;
    state->epoch = origin->epoch;
    state->frame = origin->frame;
    state->seq = origin->seq;
    state->oldest = origin->seq ? origin->first : 0;
    state->width = 640;
    state->height = 480;
    state->fps = origin->interval ? 1000000.0 / origin->interval : 0;

    (void) pthread_mutex_unlock(&origin->mutex);
}


static void
unit_nats_origin_log(void *host, int level, const char *line)
{
    unit_nats_origin_t *origin = host;

    (void) pthread_mutex_lock(&origin->mutex);
    (void) snprintf(origin->line, sizeof(origin->line), "%s", line);
    (void) pthread_mutex_unlock(&origin->mutex);
}


/* one frame more, and its result */

static void
unit_nats_origin_capture(unit_nats_origin_t *origin)
{
    (void) pthread_mutex_lock(&origin->mutex);

    origin->frame++;
    origin->captured[origin->frame % UNIT_NATS_FRAMES] = unit_nats_clock();
    origin->seq++;

    if (origin->seq - origin->first >= UNIT_NATS_HISTORY) {
        origin->first = origin->seq - UNIT_NATS_HISTORY + 1;
    }

    origin->woken = 1;
    (void) pthread_cond_signal(&origin->cond);

    (void) pthread_mutex_unlock(&origin->mutex);
}


static void *
unit_nats_origin_camera(void *data)
{
    unit_nats_origin_t *origin = data;

    int64_t          due;
    struct timespec  ts;

    due = unit_nats_clock();

    while (!origin->stop) {

        if (origin->interval == 0) {
            usleep(10000);
            due = unit_nats_clock();
            continue;
        }

        due += origin->interval;

        ts.tv_sec = due / 1000000;
        ts.tv_nsec = due % 1000000 * 1000;

        (void) clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);

        unit_nats_origin_capture(origin);
    }

    return NULL;
}


static void *
unit_nats_origin_run(void *data)
{
    unit_nats_origin_t *origin = data;

    int                       rc;
    void                     *instance;
    char                      error[VIDCAST_ERROR_LEN];
    struct timespec           ts;
    vidcast_output_report_t   report;

    instance = origin->table->open(&origin->context, &origin->output, error);

    if (instance == NULL) {
        printf("Bail out! %s\n", error);
        exit(1);
    }

    while (!origin->stop) {
        memset(&report, 0, sizeof(vidcast_output_report_t));
        report.size = sizeof(vidcast_output_report_t);
        error[0] = '\0';

        rc = origin->table->run(instance, &report, error);

        (void) clock_gettime(CLOCK_REALTIME, &ts);

        ts.tv_nsec += 200000000;
        ts.tv_sec += ts.tv_nsec / 1000000000;
        ts.tv_nsec %= 1000000000;

        (void) pthread_mutex_lock(&origin->mutex);

        origin->report = report;
        origin->rc = rc;

        if (error[0]) {
            (void) strcpy(origin->error, error);
        }

        if (!origin->woken && !origin->stop) {
            (void) pthread_cond_timedwait(&origin->cond, &origin->mutex, &ts);
        }

        origin->woken = 0;

        (void) pthread_mutex_unlock(&origin->mutex);
    }

    origin->table->close(instance);

    return NULL;
}


/* "uri" up to the prefix, and parameters "a=b c=d" of one word each */

static void
unit_nats_params(vidcast_param_t *params, char *words)
{
    char  *word, *save;

    for (word = strtok_r(words, " ", &save); word;
         word = strtok_r(NULL, " ", &save))
    {
        params->name = word;
        params->value = strchr(word, '=') + 1;
        *strchr(word, '=') = '\0';
        params++;
    }

    params->name = NULL;
}


static unit_nats_origin_t *
unit_nats_origin_start(const vidcast_output_table_t *table, int port,
    const char *user, const char *params, int64_t interval, size_t size)
{
    unit_nats_origin_t  *origin;

    origin = calloc(1, sizeof(unit_nats_origin_t));

    if (origin == NULL) {
        abort();
    }

    (void) pthread_mutex_init(&origin->mutex, NULL);
    (void) pthread_cond_init(&origin->cond, NULL);

    (void) snprintf(origin->uri, sizeof(origin->uri),
                    "nats://%s127.0.0.1:%d/cams", user, port);

    origin->context.source = "front";
    origin->context.argument = strdup(origin->uri);
    origin->context.params = origin->params;
    origin->context.host = origin;
    origin->context.log = unit_nats_origin_log;
    origin->context.size = sizeof(vidcast_context_t);

    (void) snprintf(origin->uri, sizeof(origin->uri), "%s", params);
    unit_nats_params(origin->params, origin->uri);

    origin->output.size = sizeof(vidcast_output_t);
    origin->output.host = origin;
    origin->output.wake = unit_nats_origin_wake;
    origin->output.wanted = unit_nats_origin_wanted;
    origin->output.frame = unit_nats_origin_frame;
    origin->output.result = unit_nats_origin_result;
    origin->output.state = unit_nats_origin_state;

    origin->table = table;
    origin->epoch = 0x11;
    origin->first = 1;
    origin->state = "live";
    origin->reason = "";
    origin->interval = interval;
    origin->size = size;

    (void) pthread_create(&origin->camera, NULL, unit_nats_origin_camera,
                          origin);
    (void) pthread_create(&origin->thread, NULL, unit_nats_origin_run,
                          origin);

    return origin;
}


static void
unit_nats_origin_end(unit_nats_origin_t *origin)
{
    origin->stop = 1;
    unit_nats_origin_wake(origin);

    (void) pthread_join(origin->camera, NULL);
    (void) pthread_join(origin->thread, NULL);

    free((void *) origin->context.argument);
    free(origin->jpeg);
    free(origin);
}


static void
unit_nats_edge_log(void *host, int level, const char *line)
{
    unit_nats_edge_t *edge = host;

    (void) pthread_mutex_lock(&edge->mutex);
    (void) snprintf(edge->line, sizeof(edge->line), "%s", line);
    (void) pthread_mutex_unlock(&edge->mutex);
}


static void
unit_nats_edge_frame(unit_nats_edge_t *edge, const vidcast_picture_t *picture)
{
    int64_t    age;
    uint64_t   number;

    number = picture->identity.number;

    if (edge->epoch != picture->identity.epoch) {
        edge->epoch = picture->identity.epoch;
        edge->frame = 0;
        edge->seq = 0;
    }

    if (number <= edge->frame || picture->jpeg_size < 10
        || (edge->origin && memcmp(picture->jpeg + 2, &number, 8) != 0))
    {
        edge->wrong++;
    }

    /* before this one, the last one was shown */

    if (edge->origin && edge->frame) {
        age = unit_nats_clock()
              - edge->origin->captured[edge->frame % UNIT_NATS_FRAMES];

        if (age > edge->oldest) {
            edge->oldest = age;
        }

        edge->old += (age > UNIT_NATS_OLD);
    }

    edge->got[number % UNIT_NATS_FRAMES]++;
    edge->frame = number;
    edge->frames++;
}


static void
unit_nats_edge_result(unit_nats_edge_t *edge, const vidcast_result_t *result)
{
    char  json[256];

    if (edge->epoch != result->epoch) {
        edge->epoch = result->epoch;
        edge->frame = 0;
        edge->seq = 0;
    }

    (void) snprintf(json, sizeof(json), "{\"seq\":%llu}",
                    (unsigned long long) result->seq);

    if (result->seq <= edge->seq || result->json_size != strlen(json)
        || memcmp(result->json, json, strlen(json)) != 0)
    {
        edge->wrong++;
    }

    if (edge->seq) {
        edge->missed += result->seq - edge->seq - 1;

    } else {
        edge->first = result->seq;
    }

    edge->seq = result->seq;
    edge->results++;
}


static void *
unit_nats_edge_run(void *data)
{
    unit_nats_edge_t *edge = data;

    int                rc;
    char               error[VIDCAST_ERROR_LEN];
    vidcast_picture_t  picture;

    while (!edge->stop) {
        memset(&picture, 0, sizeof(vidcast_picture_t));
        picture.size = sizeof(vidcast_picture_t);
        error[0] = '\0';

        rc = edge->table->grab(edge->instance, &picture, error);

        (void) pthread_mutex_lock(&edge->mutex);

        edge->late += picture.late;

        switch (rc) {

        case VIDCAST_OK:
            unit_nats_edge_frame(edge, &picture);
            break;

        case VIDCAST_RESULT:
            unit_nats_edge_result(edge, &picture.result);
            break;

        case VIDCAST_BAD:
            edge->bad++;
            (void) strcpy(edge->badness, error);
            break;

        case VIDCAST_UNCHANGED:
            edge->unchanged++;
            break;

        case VIDCAST_WAITING:
            (void) strcpy(edge->error, error);
            break;

        default:
            break;
        }

        edge->rc = rc;

        (void) pthread_mutex_unlock(&edge->mutex);

        if (rc == VIDCAST_OK && edge->slow) {
            usleep(edge->slow * 1000);
        }

        if (rc == VIDCAST_OK || rc == VIDCAST_RESULT) {
            edge->table->release(edge->instance);
        }
    }

    return NULL;
}


static unit_nats_edge_t *
unit_nats_edge_start(const vidcast_input_table_t *table, int port,
    const char *user, const char *params, unit_nats_origin_t *origin,
    const vidcast_context_t *ring)
{
    int                stop;
    char               error[VIDCAST_ERROR_LEN];
    unit_nats_edge_t  *edge;

    edge = calloc(1, sizeof(unit_nats_edge_t));

    if (edge == NULL) {
        abort();
    }

    (void) pthread_mutex_init(&edge->mutex, NULL);

    edge->context.results = 1;

    if (ring) {
        edge->context = *ring;
        edge->epoch = ring->epoch;
        edge->frame = ring->frame;
        edge->seq = ring->seq;
    }

    (void) snprintf(edge->uri, sizeof(edge->uri),
                    "nats://%s127.0.0.1:%d/cams.front", user, port);

    edge->context.size = sizeof(vidcast_context_t);
    edge->context.source = "edge";
    edge->context.argument = strdup(edge->uri);
    edge->context.params = edge->params;
    edge->context.host = edge;
    edge->context.log = unit_nats_edge_log;
    edge->context.result_size = 65536;

    (void) snprintf(edge->uri, sizeof(edge->uri), "%s", params);
    unit_nats_params(edge->params, edge->uri);

    edge->table = table;
    edge->origin = origin;
    stop = 0;

    edge->instance = table->open(&edge->context, &stop, error);

    if (edge->instance == NULL) {
        printf("Bail out! %s\n", error);
        exit(1);
    }

    (void) pthread_create(&edge->thread, NULL, unit_nats_edge_run, edge);

    return edge;
}


static void
unit_nats_edge_end(unit_nats_edge_t *edge)
{
    edge->stop = 1;

    (void) pthread_join(edge->thread, NULL);

    edge->table->close(edge->instance);

    free((void *) edge->context.argument);
    free(edge);
}


#endif /* _UNIT_NATS_H_INCLUDED_ */
