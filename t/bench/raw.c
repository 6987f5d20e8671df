
/*
 * Copyright (C) vidcast contributors
 */


/*
 * What the kernel can do with no protocol at all: one thread, an epoll loop,
 * a canned answer to any request, and messages which are made once for all.
 *
 *     raw [-s bytes of a message] [-r messages a second, 0: flat out]
 *         [-k text|picture] [-m send|sendfile|recv] port
 *
 * A client which is not done with a message misses the next ones.  Messages
 * look as vidcast's do, WebSocket header included, so that the load client
 * reads both alike: a text is a result with "ts", a picture begins with the
 * header of "vidcast.v1".  With "recv" it reads whatever comes and drops it.
 */


#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>


#define RAW_COPIES  8           /* of a message: one may still be leaving */
#define RAW_BUFFER  262144


typedef struct raw_client_s  raw_client_t;

struct raw_client_s {
    int            fd;
    int            open;        /* the request has been answered */
    int            waiting;     /* for EPOLLOUT */
    unsigned       end;         /* bytes of "\r\n\r\n" seen */
    unsigned       copy;        /* the message that is leaving */
    size_t         sent;        /* of it */
    raw_client_t  *next;
};


static void raw_make(void);
static void raw_stamp(void);
static int raw_listen(int port);
static void raw_accept(int fd);
static void raw_read(raw_client_t *c);
static void raw_begin(raw_client_t *c);
static void raw_continue(raw_client_t *c);
static int raw_write(raw_client_t *c);
static void raw_arm(raw_client_t *c, int waiting);
static void raw_tick(void);


static size_t         raw_size = 200;
static int            raw_text = 1;
static int            raw_file;
static int            raw_sink;
static double         raw_rate = 30;

static int            raw_epoll, raw_memfd;
static size_t         raw_length, raw_stride;
static unsigned       raw_copy;
static uint64_t       raw_seq;
static uint8_t       *raw_messages;
static raw_client_t  *raw_clients;


int
main(int argc, char **argv)
{
    int                  c, i, n, listener, timer;
    uint64_t             expired;
    raw_client_t        *client;
    struct rlimit        rl;
    struct itimerspec    its;
    struct epoll_event   ev, events[512];

    while ((c = getopt(argc, argv, "s:r:k:m:")) != -1) {
        switch (c) {
        case 's': raw_size = strtoull(optarg, NULL, 10); break;
        case 'r': raw_rate = atof(optarg); break;
        case 'k': raw_text = strcmp(optarg, "text") == 0; break;
        case 'm':
            raw_file = strcmp(optarg, "sendfile") == 0;
            raw_sink = strcmp(optarg, "recv") == 0;
            break;
        default: return 2;
        }
    }

    if (argc - optind != 1 || raw_size < 128) {
        fprintf(stderr, "usage: raw [options] port\n");
        return 2;
    }

    if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
        rl.rlim_cur = rl.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &rl);
    }

    raw_make();

    raw_epoll = epoll_create1(0);
    listener = raw_listen(atoi(argv[optind]));
    timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);

    if (listener == -1) {
        perror("raw");
        return 1;
    }

    memset(&its, 0, sizeof(its));

    if (raw_rate > 0) {
        its.it_interval.tv_sec = (time_t) (1 / raw_rate);
        its.it_interval.tv_nsec = (long) ((1 / raw_rate
                                           - its.it_interval.tv_sec) * 1e9);
        its.it_value = its.it_interval;
    }

    (void) timerfd_settime(timer, 0, &its, NULL);

    ev.events = EPOLLIN;
    ev.data.ptr = &listener;
    (void) epoll_ctl(raw_epoll, EPOLL_CTL_ADD, listener, &ev);
    ev.data.ptr = &timer;
    (void) epoll_ctl(raw_epoll, EPOLL_CTL_ADD, timer, &ev);

    for ( ;; ) {
        n = epoll_wait(raw_epoll, events, 512, -1);

        for (i = 0; i < n; i++) {

            if (events[i].data.ptr == &listener) {
                raw_accept(listener);
                continue;
            }

            if (events[i].data.ptr == &timer) {

                if (read(timer, &expired, sizeof(expired)) > 0) {
                    raw_tick();
                }

                continue;
            }

            client = events[i].data.ptr;

            if (events[i].events & EPOLLOUT) {
                raw_continue(client);
            }

            if (events[i].events & (EPOLLIN|EPOLLHUP|EPOLLERR)) {
                raw_read(client);
            }
        }
    }
}


/* copies of one message, page-aligned, in a memfd */

static void
raw_make(void)
{
    size_t    header, offset;
    uint8_t  *p;
    unsigned  i;

    header = raw_size < 126 ? 2 : raw_size < 65536 ? 4 : 10;

    raw_length = header + raw_size;
    raw_stride = (raw_length + 4095) & ~(size_t) 4095;

    raw_memfd = memfd_create("raw", 0);

    if (ftruncate(raw_memfd, RAW_COPIES * raw_stride) == -1) {
        exit(1);
    }

    raw_messages = mmap(NULL, RAW_COPIES * raw_stride, PROT_READ|PROT_WRITE,
                        MAP_SHARED, raw_memfd, 0);

    for (i = 0; i < RAW_COPIES; i++) {
        p = raw_messages + i * raw_stride;

        memset(p, ' ', raw_length);

        p[0] = 0x80 | (raw_text ? 1 : 2);
        p[1] = raw_size < 126 ? raw_size : raw_size < 65536 ? 126 : 127;

        for (offset = header; offset > 2; offset--) {
            p[offset - 1] = (uint8_t) (raw_size >> 8 * (header - offset));
        }

        if (!raw_text) {
            p += header;
            memcpy(p, "vidc\x01\x00\x00\x80\x00\x74\x00\x00", 12);
            p[128] = 0xff;
            p[129] = 0xd8;
            p[raw_size - 2] = 0xff;
            p[raw_size - 1] = 0xd9;
        }
    }

    raw_stamp();
}


/* the time into the next copy, as JSON padded with spaces */

static void
raw_stamp(void)
{
    int               n;
    char              json[128];
    uint8_t          *p;
    struct timespec   ts;

    (void) clock_gettime(CLOCK_REALTIME, &ts);

    raw_copy = (raw_copy + 1) % RAW_COPIES;
    raw_seq++;

    p = raw_messages + raw_copy * raw_stride + (raw_length - raw_size);

    n = snprintf(json, sizeof(json), "{\"v\":1,\"seq\":%lu,\"ts\":%ld.%06ld",
                 (unsigned long) raw_seq, (long) ts.tv_sec,
                 ts.tv_nsec / 1000);

    memcpy(p + (raw_text ? 0 : 12), json, n);
    p[raw_text ? raw_size - 1 : 127] = '}';
}


static int
raw_listen(int port)
{
    int                 fd, one;
    struct sockaddr_in  sin;

    fd = socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK, 0);

    one = 1;
    (void) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_port = htons(port);
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    if (bind(fd, (struct sockaddr *) &sin, sizeof(sin)) == -1
        || listen(fd, 4096) == -1)
    {
        return -1;
    }

    return fd;
}


static void
raw_accept(int listener)
{
    int                  fd, one;
    raw_client_t        *c;
    struct epoll_event   ev;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) != -1) {

        one = 1;
        (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));

        c = calloc(1, sizeof(raw_client_t));
        c->fd = fd;
        c->next = raw_clients;
        raw_clients = c;

        ev.events = EPOLLIN|EPOLLRDHUP;
        ev.data.ptr = c;
        (void) epoll_ctl(raw_epoll, EPOLL_CTL_ADD, fd, &ev);
    }
}


static void
raw_read(raw_client_t *c)
{
    ssize_t         n, i;
    static char     buffer[RAW_BUFFER];

    static const char  answer[] =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

    n = recv(c->fd, buffer, sizeof(buffer), 0);

    if (n == 0 || (n == -1 && errno != EAGAIN)) {
        (void) epoll_ctl(raw_epoll, EPOLL_CTL_DEL, c->fd, NULL);
        close(c->fd);
        c->fd = -1;
        c->open = 0;
        return;
    }

    for (i = 0; i < n && !c->open; i++) {
        c->end = (buffer[i] == "\r\n\r\n"[c->end]) ? c->end + 1
                                                   : buffer[i] == '\r';

        if (c->end == 4) {
            c->open = send(c->fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL)
                      == sizeof(answer) - 1;

            if (raw_rate == 0 && !raw_sink) {
                raw_begin(c);
            }
        }
    }
}


/* the newest message; flat out, one after the other till no more goes in */

static void
raw_begin(raw_client_t *c)
{
    do {
        c->copy = raw_copy;
        c->sent = 0;

        if (raw_write(c) != 0) {
            return;
        }

        if (raw_rate == 0) {
            raw_stamp();
        }

    } while (raw_rate == 0 && c->open);
}


/* goes on with a message */

static void
raw_continue(raw_client_t *c)
{
    if (raw_write(c) == 0 && raw_rate == 0 && c->open) {
        raw_stamp();
        raw_begin(c);
    }
}


/* 0: nothing of it is left */

static int
raw_write(raw_client_t *c)
{
    off_t    offset;
    ssize_t  n;

    while (c->sent < raw_length) {

        offset = c->copy * raw_stride + c->sent;

        if (raw_file) {
            n = sendfile(c->fd, raw_memfd, &offset, raw_length - c->sent);

        } else {
            n = send(c->fd, raw_messages + offset, raw_length - c->sent,
                     MSG_NOSIGNAL);
        }

        if (n == -1 && errno == EAGAIN) {
            raw_arm(c, 1);
            return -1;
        }

        if (n == -1) {
            c->open = 0;
            break;
        }

        c->sent += n;
    }

    raw_arm(c, 0);

    return 0;
}


/* flat out it stays armed, or each message would cost two more calls */

static void
raw_arm(raw_client_t *c, int waiting)
{
    struct epoll_event  ev;

    if (c->waiting == waiting || (c->waiting && raw_rate == 0)) {
        return;
    }

    ev.events = EPOLLIN|EPOLLRDHUP|(waiting ? EPOLLOUT|EPOLLET : 0);
    ev.data.ptr = c;
    (void) epoll_ctl(raw_epoll, EPOLL_CTL_MOD, c->fd, &ev);

    c->waiting = waiting;
}


static void
raw_tick(void)
{
    raw_client_t  *c;

    raw_stamp();

    for (c = raw_clients; c; c = c->next) {
        if (c->open && !c->waiting && !raw_sink) {
            raw_begin(c);
        }
    }
}
