
/*
 * Copyright (C) vidcast contributors
 */


#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>

#include "plugins/nats/vidcast_nats.h"


#define VIDCAST_NATS_REACH  1000           /* ms */


static int vidcast_nats_reach_server(const char *server, char *words,
    size_t size);
static int vidcast_nats_reach_address(const struct addrinfo *address);


/*
 * The library says no more than that there was no server.  Why the first of
 * these cannot be reached is found out here; "" if it can.
 */

void
vidcast_nats_reach_words(char *const *servers, unsigned nservers, char *words,
    size_t size)
{
    unsigned  i;

    *words = '\0';

    for (i = 0; i < nservers; i++) {
        if (vidcast_nats_reach_server(servers[i], words, size)
            == VIDCAST_ERROR)
        {
            return;
        }
    }
}


static int
vidcast_nats_reach_server(const char *server, char *words, size_t size)
{
    int               rc, err;
    char              host[256];
    const char       *colon;
    struct addrinfo   hints, *address;

    server += sizeof("nats://") - 1;
    colon = strrchr(server, ':');

    if (colon == NULL || colon == server) {
        return VIDCAST_OK;
    }

    if (*server == '[') {
        server++;
        (void) snprintf(host, sizeof(host), "%.*s", (int) (colon - server - 1),
                        server);

    } else {
        (void) snprintf(host, sizeof(host), "%.*s", (int) (colon - server),
                        server);
    }

    memset(&hints, 0, sizeof(struct addrinfo));
    hints.ai_socktype = SOCK_STREAM;

    rc = getaddrinfo(host, colon + 1, &hints, &address);

    if (rc != 0) {
        (void) snprintf(words, size, "%s", gai_strerror(rc));
        return VIDCAST_ERROR;
    }

    err = vidcast_nats_reach_address(address);

    freeaddrinfo(address);

    if (err) {
        (void) snprintf(words, size, "%s", strerror(err));
        return VIDCAST_ERROR;
    }

    return VIDCAST_OK;
}


/* 0, or the error of the system */

static int
vidcast_nats_reach_address(const struct addrinfo *address)
{
    int            fd, err;
    socklen_t      len;
    struct pollfd  pfd;

    fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                0);

    if (fd == -1) {
        return errno;
    }

    err = 0;

    if (connect(fd, address->ai_addr, address->ai_addrlen) == -1) {
        err = errno;
    }

    if (err == EINPROGRESS) {
        pfd.fd = fd;
        pfd.events = POLLOUT;
        len = sizeof(int);

        if (poll(&pfd, 1, VIDCAST_NATS_REACH) == 0) {
            err = ETIMEDOUT;

        } else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) == -1) {
            err = errno;
        }
    }

    (void) close(fd);

    return err;
}
