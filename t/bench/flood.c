
/*
 * Copyright (C) vidcast contributors
 */


/*
 * One WebSocket publisher, as fast as it is let: sends the same picture, whose
 * frame was masked beforehand, so that it costs little more than send(), and
 * tells as JSON how many went in a window of time, and the CPU time that the
 * server's processes took for them, threads included.
 *
 *     flood [-w seconds of warm-up] [-d seconds]
 *           [-p pid of a process of the server]... host port path file
 */


#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>


#define FLOOD_PIDS    8
#define FLOOD_HEADER  14


static double flood_clock(void);
static uint8_t *flood_frame(const char *path, size_t *len);
static int flood_connect(const char *host, const char *port,
    const char *path);
static int flood_handshake(int fd, const char *host, const char *path);
static double flood_run(int fd, const uint8_t *frame, size_t len,
    double seconds, uint64_t *messages);
static int flood_closed(int fd);
static void flood_leave(int fd);
static double flood_cpu(int pid);


int
main(int argc, char **argv)
{
    int       i, c, fd, npids, pids[FLOOD_PIDS];
    double    warmup, seconds, own, cpu[FLOOD_PIDS];
    size_t    len;
    uint8_t  *frame;
    uint64_t  messages;

    warmup = 1;
    seconds = 4;
    npids = 0;

    while ((c = getopt(argc, argv, "w:d:p:")) != -1) {
        switch (c) {
        case 'w': warmup = atof(optarg); break;
        case 'd': seconds = atof(optarg); break;
        case 'p': pids[npids++ % FLOOD_PIDS] = atoi(optarg); break;
        default: return 2;
        }
    }

    if (argc - optind != 4 || npids > FLOOD_PIDS) {
        fprintf(stderr, "usage: flood [options] host port path file\n");
        return 2;
    }

    frame = flood_frame(argv[optind + 3], &len);
    fd = flood_connect(argv[optind], argv[optind + 1], argv[optind + 2]);

    (void) flood_run(fd, frame, len, warmup, &messages);

    for (i = 0; i < npids; i++) {
        cpu[i] = flood_cpu(pids[i]);
    }

    own = flood_cpu(getpid());
    seconds = flood_run(fd, frame, len, seconds, &messages);
    own = flood_cpu(getpid()) - own;

    printf("{\"messages\":%llu,\"bytes\":%llu,\"seconds\":%.3f,"
           "\"client\":%.4f,\"cpu\":[", (unsigned long long) messages,
           (unsigned long long) messages * (len - FLOOD_HEADER), seconds,
           own);

    for (i = 0; i < npids; i++) {
        printf("%s%.4f", i ? "," : "", flood_cpu(pids[i]) - cpu[i]);
    }

    printf("]}\n");

    flood_leave(fd);

    return 0;
}


static double
flood_clock(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return ts.tv_sec + ts.tv_nsec / 1e9;
}


/* header, mask and masked picture; *len is of all */

static uint8_t *
flood_frame(const char *path, size_t *len)
{
    int                   i;
    FILE                 *f;
    size_t                n, size;
    uint8_t              *frame;
    struct stat           st;
    static const uint8_t  mask[] = { 0x37, 0xfa, 0x21, 0x3d };

    f = fopen(path, "r");

    if (f == NULL || fstat(fileno(f), &st) == -1) {
        fprintf(stderr, "flood: %s: %s\n", path, strerror(errno));
        exit(2);
    }

    size = st.st_size;
    frame = malloc(size + FLOOD_HEADER);

    if (frame == NULL || fread(frame + FLOOD_HEADER, 1, size, f) != size) {
        fprintf(stderr, "flood: %s: not read\n", path);
        exit(2);
    }

    fclose(f);

    frame[0] = 0x82;
    frame[1] = 0xff;

    for (i = 0; i < 8; i++) {
        frame[2 + i] = (uint64_t) size >> (56 - 8 * i);
    }

    memcpy(frame + 10, mask, 4);

    for (n = 0; n < size; n++) {
        frame[FLOOD_HEADER + n] ^= mask[n & 3];
    }

    *len = size + FLOOD_HEADER;

    return frame;
}


static int
flood_connect(const char *host, const char *port, const char *path)
{
    int               fd, one;
    struct addrinfo   hints, *addr;

    memset(&hints, 0, sizeof(hints));
    hints.ai_socktype = SOCK_STREAM;

    if (getaddrinfo(host, port, &hints, &addr) != 0) {
        fprintf(stderr, "flood: unknown host\n");
        exit(2);
    }

    fd = socket(addr->ai_family, SOCK_STREAM, 0);

    one = 1;
    (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));

    if (connect(fd, addr->ai_addr, addr->ai_addrlen) == -1
        || flood_handshake(fd, host, path) == -1)
    {
        fprintf(stderr, "flood: no WebSocket: %s\n", strerror(errno));
        exit(1);
    }

    freeaddrinfo(addr);

    return fd;
}


static int
flood_handshake(int fd, const char *host, const char *path)
{
    int      len;
    char     text[1024];
    ssize_t  n;

    len = snprintf(text, sizeof(text),
                   "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
                   "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                   path, host);

    if (send(fd, text, len, MSG_NOSIGNAL) != len) {
        return -1;
    }

    for (len = 0; len < (int) sizeof(text) - 1; len++) {
        n = recv(fd, text + len, 1, 0);

        if (n != 1) {
            return -1;
        }

        if (len > 3 && memcmp(text + len - 3, "\r\n\r\n", 4) == 0) {
            break;
        }
    }

    text[len] = '\0';

    if (strncmp(text, "HTTP/1.1 101 ", 13) != 0) {
        fprintf(stderr, "flood: %.*s\n", (int) strcspn(text, "\r\n"), text);
        errno = EPROTO;
        return -1;
    }

    return 0;
}


/* returns how long it took, whole messages */

static double
flood_run(int fd, const uint8_t *frame, size_t len, double seconds,
    uint64_t *messages)
{
    double   start, now;
    size_t   sent;
    ssize_t  n;

    *messages = 0;
    start = flood_clock();
    now = start;

    while (now - start < seconds) {

        for (sent = 0; sent < len; sent += n) {
            n = send(fd, frame + sent, len - sent, MSG_NOSIGNAL);

            if (n == -1) {
                (void) flood_closed(fd);
                fprintf(stderr, "flood: send(): %s\n", strerror(errno));
                exit(1);
            }
        }

        (*messages)++;

        if (flood_closed(fd)) {
            exit(1);
        }

        now = flood_clock();
    }

    return now - start;
}


static int
flood_closed(int fd)
{
    ssize_t  n;
    uint8_t  data[256];

    n = recv(fd, data, sizeof(data), MSG_DONTWAIT);

    if (n == 0 || (n >= 4 && data[0] == 0x88)) {
        fprintf(stderr, "flood: closed with code %d\n",
                n ? data[2] << 8 | data[3] : 0);
        return 1;
    }

    return 0;
}


/* well, and when the server has said so, too */

static void
flood_leave(int fd)
{
    uint8_t               data[256];
    static const uint8_t  bye[] = { 0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8 };

    (void) send(fd, bye, sizeof(bye), MSG_NOSIGNAL);
    (void) shutdown(fd, SHUT_WR);

    while (recv(fd, data, sizeof(data), 0) > 0) {
        /* void */
    }
}


/* of all its threads; finer than the ticks in /proc */

static double
flood_cpu(int pid)
{
    clockid_t        id;
    struct timespec  ts;

    if (clock_getcpuclockid(pid, &id) != 0 || clock_gettime(id, &ts) != 0) {
        return 0;
    }

    return ts.tv_sec + ts.tv_nsec / 1e9;
}
