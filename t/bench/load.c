
/*
 * Copyright (C) vidcast contributors
 */


/*
 * Many viewers in one process: opens connections, reads for a while, and
 * tells as JSON what each of them got, when, and what it cost the server.
 * Some may be slow, some may never read at all.
 *
 *     load [-t ws|mjpeg|sse|plain] [-n viewers] [-s slow]
 *          [-b bytes a second of a slow one] [-z never reading]
 *          [-w seconds of warm-up] [-d seconds] [-m number of paths]
 *          [-p pid of a process of the server] ... host port path
 *
 * With -m viewers ask for PATH0, PATH1, and so on, in turn.
 *
 * "plain" sends a request and looks at nothing of the answer.  The clock
 * starts when all viewers have their answer's header, but for those that never
 * read; "connected" says how many had it after 30 seconds.
 *
 * "fps" is messages a second of one viewer: pictures if they are binary or
 * MJPEG, results if they are text.  "gaps" are results missed without a
 * "skipped"; "wrong" are messages that are no result, or pictures which are
 * no JPEG.
 * Latency is from "ts" in the message to its last byte here, in ms: both
 * clocks are this machine's.  "cpu_us" is the server's CPU time a message,
 * "kb" its private memory a viewer, after the warm-up.
 */


#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>


#define LOAD_BUFFER   262144
#define LOAD_HEAD     512        /* bytes of a message that are looked at */
#define LOAD_SAMPLES  4000000
#define LOAD_CONNECT  30         /* seconds */
#define LOAD_PIDS     64


typedef struct {
    int        fd;
    int        slow;
    int        open;             /* the handshake is over */
    uint64_t   budget;           /* bytes that a slow one may read */

    uint8_t    header[10];
    unsigned   nheader;
    unsigned   opcode;
    uint64_t   rest;             /* of the payload */
    uint64_t   size;
    uint8_t    head[LOAD_HEAD];
    unsigned   nhead;
    uint8_t    tail[2];          /* of a picture */

    uint64_t   pictures;
    uint64_t   results;
    uint64_t   skipped;
    uint64_t   gaps;
    uint64_t   wrong;
    uint64_t   seq;
    uint64_t   bytes;
} load_viewer_t;


typedef struct {
    const char  *name;
    const char  *request;        /* path, host */
    void       (*bytes)(load_viewer_t *v, uint8_t *p, size_t size);
} load_transport_t;


static uint64_t load_clock(clockid_t id);
static void load_wait(int n, uint64_t end);
static int load_all(struct addrinfo *addr, const char *host,
    const char *path, int paths, uint64_t end);
static int load_connect(struct addrinfo *addr, const char *host,
    const char *path, load_viewer_t *v);
static int load_read(load_viewer_t *v);
static void load_frames(load_viewer_t *v, uint8_t *p, size_t size);
static void load_body(load_viewer_t *v, uint8_t *p, size_t size);
static void load_parts(load_viewer_t *v, uint8_t *p, size_t size);
static void load_part(load_viewer_t *v);
static void load_events(load_viewer_t *v, uint8_t *p, size_t size);
static void load_nothing(load_viewer_t *v, uint8_t *p, size_t size);
static void load_header(load_viewer_t *v);
static void load_pong(load_viewer_t *v);
static void load_message(load_viewer_t *v);
static void load_result(load_viewer_t *v);
static void load_timed(load_viewer_t *v, const char *json);
static void load_sample(const char *time);
static void load_reset(void);
static void load_run(double seconds);
static void load_refill(void);
static uint64_t load_server_cpu(void);
static long load_server_memory(void);
static long load_private(int pid);
static void load_report(double seconds, uint64_t cpu, long before, long after);
static int load_cmp_rate(const void *one, const void *two);
static int load_cmp_sample(const void *one, const void *two);


static load_transport_t  load_transports[] = {
    { "ws",
      "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
      "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
      "Sec-WebSocket-Protocol: vidcast.v1\r\n\r\n",
      load_frames },

    /* HTTP/1.0: not chunked */

    { "mjpeg", "GET %s HTTP/1.0\r\nHost: %s\r\n\r\n", load_parts },

    { "sse",
      "GET %s HTTP/1.0\r\nHost: %s\r\nAccept: text/event-stream\r\n\r\n",
      load_events },

    { "plain", "GET %s HTTP/1.0\r\nHost: %s\r\n\r\n", load_nothing },

    { NULL, NULL, NULL }
};


static load_transport_t  *load_transport = load_transports;
static load_viewer_t  *load_viewers;
static int             load_n, load_slow, load_never, load_closed;
static uint64_t        load_rate = 65536;
static int             load_epoll;
static uint8_t         load_buffer[LOAD_BUFFER];
static uint32_t       *load_samples;      /* us */
static unsigned        load_nsamples;

static int             load_pids[LOAD_PIDS];
static int             load_npids;


int
main(int argc, char **argv)
{
    int               i, c, n, paths;
    long              before, after;
    double            warmup, seconds;
    uint64_t          cpu, end;
    struct rlimit     rl;
    struct addrinfo   hints, *addr;

    n = 1;
    paths = 0;
    warmup = 1;
    seconds = 5;

    while ((c = getopt(argc, argv, "t:n:s:b:z:w:d:m:p:")) != -1) {
        switch (c) {

        case 't':
            for (load_transport = load_transports;
                 load_transport->name
                 && strcmp(load_transport->name, optarg) != 0;
                 load_transport++)
            {
                /* void */
            }

            if (load_transport->name == NULL) {
                fprintf(stderr, "load: unknown transport\n");
                return 2;
            }

            break;

        case 'n': n = atoi(optarg); break;
        case 's': load_slow = atoi(optarg); break;
        case 'b': load_rate = strtoull(optarg, NULL, 10); break;
        case 'z': load_never = atoi(optarg); break;
        case 'w': warmup = atof(optarg); break;
        case 'd': seconds = atof(optarg); break;
        case 'm': paths = atoi(optarg); break;

        case 'p':
            if (load_npids == LOAD_PIDS) {
                return 2;
            }

            load_pids[load_npids++] = atoi(optarg);
            break;

        default: return 2;
        }
    }

    if (argc - optind != 3) {
        fprintf(stderr, "usage: load [options] host port path\n");
        return 2;
    }

    if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
        rl.rlim_cur = rl.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &rl);
    }

    memset(&hints, 0, sizeof(hints));
    hints.ai_socktype = SOCK_STREAM;

    if (getaddrinfo(argv[optind], argv[optind + 1], &hints, &addr) != 0) {
        fprintf(stderr, "load: unknown host\n");
        return 2;
    }

    load_n = n + load_slow + load_never;
    load_viewers = calloc(load_n, sizeof(load_viewer_t));
    load_samples = malloc(LOAD_SAMPLES * sizeof(uint32_t));
    load_epoll = epoll_create1(0);

    before = load_server_memory();
    end = load_clock(CLOCK_MONOTONIC) + LOAD_CONNECT * 1000000ULL;

    for (i = 0; i < load_n; i++) {
        load_viewers[i].fd = -1;
        load_viewers[i].slow = (i >= n) + (i >= n + load_slow);
    }

    if (load_all(addr, argv[optind], argv[optind + 2], paths, end) != 0) {
        return 1;
    }

    load_wait(n, end);
    load_run(warmup);

    after = load_server_memory();

    load_reset();

    cpu = load_server_cpu();
    load_run(seconds);
    cpu = load_server_cpu() - cpu;

    load_report(seconds, cpu, before, after);

    return 0;
}


static uint64_t
load_clock(clockid_t id)
{
    struct timespec  ts;

    (void) clock_gettime(id, &ts);

    return (uint64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}


/* until the handshakes of those that read are over */

static void
load_wait(int n, uint64_t end)
{
    int  i;

    do {
        load_run(0.05);

        for (i = 0; i < n && load_viewers[i].open; i++) {
            /* void */
        }

    } while (i < n && load_clock(CLOCK_MONOTONIC) < end);
}


/* as many as there are till then */

static int
load_all(struct addrinfo *addr, const char *host, const char *path, int paths,
    uint64_t end)
{
    int   i;
    char  numbered[256];

    for (i = 0; i < load_n && load_clock(CLOCK_MONOTONIC) < end; i++) {

        if (paths) {
            snprintf(numbered, sizeof(numbered), "%s%d", path, i % paths);
        }

        if (load_connect(addr, host, paths ? numbered : path, &load_viewers[i])
            != 0)
        {
            if (load_clock(CLOCK_MONOTONIC) >= end) {
                break;
            }

            fprintf(stderr, "load: connection %d: %s\n", i, strerror(errno));
            return -1;
        }

        if (i % 64 == 63) {
            load_run(0);
        }
    }

    return 0;
}


static int
load_connect(struct addrinfo *addr, const char *host, const char *path,
    load_viewer_t *v)
{
    int                 len, one, small;
    char                request[512];
    struct timeval      tv;
    struct epoll_event  ev;

    v->fd = socket(addr->ai_family, SOCK_STREAM, 0);

    if (v->fd == -1) {
        return -1;
    }

    if (v->slow) {
        small = 65536;
        (void) setsockopt(v->fd, SOL_SOCKET, SO_RCVBUF, &small,
                          sizeof(small));
    }

    /* for connect() */

    tv.tv_sec = LOAD_CONNECT;
    tv.tv_usec = 0;
    (void) setsockopt(v->fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));

    if (connect(v->fd, addr->ai_addr, addr->ai_addrlen) == -1) {
        return -1;
    }

    one = 1;
    (void) setsockopt(v->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));

    len = snprintf(request, sizeof(request), load_transport->request, path,
                   host);

    if (send(v->fd, request, len, MSG_NOSIGNAL) != len) {
        return -1;
    }

    (void) fcntl(v->fd, F_SETFL, O_NONBLOCK);

    if (v->slow) {
        return 0;      /* read when it may, or never */
    }

    ev.events = EPOLLIN;
    ev.data.ptr = v;

    return epoll_ctl(load_epoll, EPOLL_CTL_ADD, v->fd, &ev);
}


/* 0: read what there is, or may be read; -1: closed */

static int
load_read(load_viewer_t *v)
{
    size_t    want, n;
    ssize_t   got;
    uint8_t  *p;

    want = LOAD_BUFFER;

    if (v->slow && want > v->budget) {
        want = v->budget;
    }

    if (want == 0) {
        return 0;
    }

    got = recv(v->fd, load_buffer, want, 0);

    if (got <= 0) {
        return (got == -1 && errno == EAGAIN) ? 0 : -1;
    }

    v->bytes += got;
    v->budget -= v->slow ? (uint64_t) got : 0;

    p = load_buffer;
    n = got;

    while (!v->open && n) {

        /* the end of the answer: an empty line */

        v->head[v->nhead & 3] = *p++;
        v->nhead++;
        n--;

        if (v->nhead >= 4
            && v->head[(v->nhead - 4) & 3] == '\r'
            && v->head[(v->nhead - 3) & 3] == '\n'
            && v->head[(v->nhead - 2) & 3] == '\r'
            && v->head[(v->nhead - 1) & 3] == '\n')
        {
            v->open = 1;
            v->nhead = 0;
        }
    }

    load_transport->bytes(v, p, n);

    return 0;
}


/* of WebSocket */

static void
load_frames(load_viewer_t *v, uint8_t *p, size_t size)
{
    size_t  n;

    while (size) {

        if (v->rest == 0) {
            v->header[v->nheader++] = *p++;
            size--;
            load_header(v);
            continue;
        }

        n = (size < v->rest) ? size : v->rest;

        load_body(v, p, n);

        p += n;
        size -= n;

        if (v->rest == 0) {
            load_message(v);
        }
    }
}


/* a part of a payload: its first bytes and the last two are kept */

static void
load_body(load_viewer_t *v, uint8_t *p, size_t size)
{
    size_t  take;

    take = LOAD_HEAD - v->nhead;
    take = (size < take) ? size : take;

    memcpy(v->head + v->nhead, p, take);
    v->nhead += take;

    if (v->rest - size < 2) {
        v->tail[0] = (size > 1) ? p[size - 2] : v->tail[1];
        v->tail[1] = p[size - 1];
    }

    v->rest -= size;
}


/* of multipart/x-mixed-replace: a header, an empty line, a picture */

static void
load_parts(load_viewer_t *v, uint8_t *p, size_t size)
{
    size_t  n;

    while (size) {

        if (v->rest) {
            n = (size < v->rest) ? size : v->rest;

            load_body(v, p, n);

            p += n;
            size -= n;

            if (v->rest == 0) {
                v->pictures++;
                v->wrong += v->tail[0] != 0xff || v->tail[1] != 0xd9;
                v->nhead = 0;
            }

            continue;
        }

        if (v->nhead == LOAD_HEAD - 1) {
            v->wrong++;
            v->nhead = 0;
        }

        v->head[v->nhead++] = *p++;
        size--;

        if (v->nhead >= 4
            && memcmp(v->head + v->nhead - 4, "\r\n\r\n", 4) == 0)
        {
            load_part(v);
        }
    }
}


/* the time of a part is that of its header, which is sent with the picture */

static void
load_part(load_viewer_t *v)
{
    char  *p;

    v->head[v->nhead] = '\0';

    p = strcasestr((char *) v->head, "Content-Length:");

    if (p == NULL) {
        v->wrong++;

    } else {
        v->rest = strtoull(p + 15, NULL, 10);
    }

    p = strcasestr((char *) v->head, "X-Timestamp:");

    if (p && !v->slow) {
        load_sample(p + 12);
    }

    v->nhead = 0;
}


/* of Server-Sent Events: only lines of "data:" count, as one result each */

static void
load_events(load_viewer_t *v, uint8_t *p, size_t size)
{
    for ( /* void */ ; size; p++, size--) {

        if (*p != '\n') {

            if (v->nhead < LOAD_HEAD - 1) {
                v->head[v->nhead++] = *p;
            }

            continue;
        }

        if (v->nhead > 5 && memcmp(v->head, "data:", 5) == 0) {
            load_result(v);
        }

        v->nhead = 0;
    }
}


static void
load_nothing(load_viewer_t *v, uint8_t *p, size_t size)
{
    (void) v;
    (void) p;
    (void) size;
}


static void
load_header(load_viewer_t *v)
{
    int       i;
    unsigned  len;

    if (v->nheader < 2) {
        return;
    }

    len = v->header[1] & 0x7f;

    if (len == 126 ? v->nheader < 4 : len == 127 && v->nheader < 10) {
        return;
    }

    v->opcode = v->header[0] & 0xf;
    v->size = len;

    if (len >= 126) {
        v->size = 0;

        for (i = 2; i < (len == 126 ? 4 : 10); i++) {
            v->size = v->size << 8 | v->header[i];
        }
    }

    v->rest = v->size;
    v->nheader = 0;
    v->nhead = 0;

    if (v->opcode == 9) {
        load_pong(v);
    }
}


/* the server's pings are empty, and so are the answers, masked with zeros */

static void
load_pong(load_viewer_t *v)
{
    static const uint8_t  pong[] = { 0x8a, 0x80, 0, 0, 0, 0 };

    if (send(v->fd, pong, sizeof(pong), MSG_NOSIGNAL) == -1) {
        v->wrong++;
    }
}


static void
load_message(load_viewer_t *v)
{
    unsigned  offset;

    if (v->opcode == 1) {
        load_result(v);
        return;
    }

    if (v->opcode != 2) {
        return;
    }

    v->pictures++;

    offset = v->head[6] << 8 | v->head[7];

    if (memcmp(v->head, "vidc", 4) != 0
        || offset + 2 > v->nhead
        || v->head[offset] != 0xff || v->head[offset + 1] != 0xd8
        || v->tail[0] != 0xff || v->tail[1] != 0xd9)
    {
        v->wrong++;
        return;
    }

    v->head[offset] = '\0';

    load_timed(v, (char *) v->head + 12);
}


static void
load_result(load_viewer_t *v)
{
    char      *p;
    uint64_t   seq, skipped;

    v->results++;
    v->head[v->nhead < LOAD_HEAD ? v->nhead : LOAD_HEAD - 1] = '\0';

    p = strstr((char *) v->head, "\"seq\":");

    if (p == NULL) {
        v->wrong++;
        return;
    }

    seq = strtoull(p + 6, NULL, 10);

    p = strstr((char *) v->head, "\"skipped\":");
    skipped = p ? strtoull(p + 10, NULL, 10) : 0;

    v->skipped += skipped;

    if (v->seq && seq != v->seq + skipped + 1) {
        v->gaps++;
    }

    v->seq = seq;

    load_timed(v, (char *) v->head);
}


static void
load_timed(load_viewer_t *v, const char *json)
{
    const char  *p;

    p = strstr(json, "\"ts\":");

    if (p && !v->slow) {
        load_sample(p + 5);
    }
}


/* latency since this time, seconds since 1970 */

static void
load_sample(const char *time)
{
    double  ts, now;

    if (load_nsamples == LOAD_SAMPLES) {
        return;
    }

    ts = strtod(time, NULL);
    now = load_clock(CLOCK_REALTIME) / 1e6;

    load_samples[load_nsamples++] = (now > ts) ? (now - ts) * 1e6 : 0;
}


static void
load_reset(void)
{
    int  i;

    for (i = 0; i < load_n; i++) {
        load_viewers[i].pictures = 0;
        load_viewers[i].results = 0;
        load_viewers[i].skipped = 0;
        load_viewers[i].bytes = 0;
    }

    load_nsamples = 0;
}


static void
load_run(double seconds)
{
    int                  i, n;
    uint64_t             end, now;
    load_viewer_t       *v;
    struct epoll_event   events[512];

    end = load_clock(CLOCK_MONOTONIC) + (uint64_t) (seconds * 1e6);

    do {
        n = epoll_wait(load_epoll, events, 512, seconds > 0 ? 10 : 0);

        for (i = 0; i < n; i++) {
            v = events[i].data.ptr;

            if (load_read(v) == -1) {
                (void) epoll_ctl(load_epoll, EPOLL_CTL_DEL, v->fd, NULL);
                load_closed++;
            }
        }

        load_refill();

        now = load_clock(CLOCK_MONOTONIC);

    } while (now < end);
}


/* slow ones read what their rate allows, twenty times a second */

static void
load_refill(void)
{
    int               i;
    uint64_t          now;
    load_viewer_t    *v;

    static uint64_t   last;

    now = load_clock(CLOCK_MONOTONIC);

    if (now - last < 50000) {
        return;
    }

    last = now;

    for (i = load_n - load_slow - load_never; i < load_n - load_never; i++) {
        v = &load_viewers[i];
        v->budget += load_rate / 20;

        if (v->fd != -1 && load_read(v) == -1) {
            close(v->fd);
            v->fd = -1;
            load_closed++;
        }
    }
}


/* of all threads, us; finer than the ticks in /proc */

static uint64_t
load_server_cpu(void)
{
    int              i;
    uint64_t         sum;
    clockid_t        id;
    struct timespec  ts;

    sum = 0;

    for (i = 0; i < load_npids; i++) {
        if (clock_getcpuclockid(load_pids[i], &id) == 0
            && clock_gettime(id, &ts) == 0)
        {
            sum += (uint64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
        }
    }

    return sum;
}


/* private, kB */

static long
load_server_memory(void)
{
    int   i;
    long  sum;

    sum = 0;

    for (i = 0; i < load_npids; i++) {
        sum += load_private(load_pids[i]);
    }

    return sum;
}


static long
load_private(int pid)
{
    char   path[64], line[256];
    long   kb, sum;
    FILE  *f;

    snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
    f = fopen(path, "r");

    if (f == NULL) {
        return 0;
    }

    sum = 0;

    while (fgets(line, sizeof(line), f)) {
        if (sscanf(line, "Private_Dirty: %ld", &kb) == 1
            || sscanf(line, "Private_Clean: %ld", &kb) == 1)
        {
            sum += kb;
        }
    }

    fclose(f);

    return sum;
}


static void
load_report(double seconds, uint64_t cpu, long before, long after)
{
    int             i, fast;
    double         *fps, *slow;
    uint64_t        messages, skipped, gaps, wrong, bytes, connected;
    load_viewer_t  *v;

    fast = load_n - load_slow - load_never;
    fps = calloc(fast + 1, sizeof(double));
    slow = calloc(load_slow + 1, sizeof(double));

    messages = skipped = gaps = wrong = bytes = connected = 0;

    for (i = 0; i < load_n; i++) {
        v = &load_viewers[i];

        messages += v->pictures + v->results;
        skipped += v->skipped;
        gaps += v->gaps;
        wrong += v->wrong;
        bytes += v->bytes;
        connected += v->open;

        if (i < fast) {
            fps[i] = (v->pictures ? v->pictures : v->results) / seconds;

        } else if (i < fast + load_slow) {
            slow[i - fast] = (v->pictures ? v->pictures : v->results)
                             / seconds;
        }
    }

    qsort(fps, fast, sizeof(double), load_cmp_rate);
    qsort(slow, load_slow, sizeof(double), load_cmp_rate);

    if (load_nsamples) {
        qsort(load_samples, load_nsamples, sizeof(uint32_t), load_cmp_sample);
    }

#define LOAD_AT(p)  (load_nsamples                                            \
        ? load_samples[(size_t) ((load_nsamples - 1) * (p))] / 1000.0 : 0)

    printf("{\"viewers\":%d,\"slow\":%d,\"never\":%d,\"closed\":%d,"
           "\"connected\":%lu,"
           "\"messages\":%lu,\"mb_s\":%.1f,"
           "\"fps\":{\"min\":%.2f,\"median\":%.2f,\"max\":%.2f},"
           "\"slow_fps\":{\"min\":%.2f,\"max\":%.2f},"
           "\"skipped\":%lu,\"gaps\":%lu,\"wrong\":%lu,"
           "\"latency_ms\":{\"p50\":%.2f,\"p99\":%.2f,\"max\":%.2f},"
           "\"cpu_us\":%.2f,\"cpu\":%.3f,\"kb\":%.2f}\n",
           fast, load_slow, load_never, load_closed,
           (unsigned long) connected, (unsigned long) messages,
           bytes / seconds / 1e6, fps[0], fps[fast / 2],
           fast ? fps[fast - 1] : 0, slow[0],
           load_slow ? slow[load_slow - 1] : 0, (unsigned long) skipped,
           (unsigned long) gaps, (unsigned long) wrong, LOAD_AT(0.5),
           LOAD_AT(0.99), LOAD_AT(1.0),
           messages ? (double) cpu / messages : 0, cpu / seconds / 1e6,
           load_n ? (double) (after - before) / load_n : 0);
}


static int
load_cmp_rate(const void *one, const void *two)
{
    double  a, b;

    a = *(const double *) one;
    b = *(const double *) two;

    return (a > b) - (a < b);
}


static int
load_cmp_sample(const void *one, const void *two)
{
    uint32_t  a, b;

    a = *(const uint32_t *) one;
    b = *(const uint32_t *) two;

    return (a > b) - (a < b);
}
