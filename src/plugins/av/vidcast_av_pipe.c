
/*
 * Copyright (C) vidcast contributors
 */


#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugins/av/vidcast_av.h"
#include "plugins/av/vidcast_av_pipe.h"


#define VIDCAST_AV_PIPE_BUFFER  32768
#define VIDCAST_AV_PIPE_POLL    100        /* ms between looks at "interrupt" */


typedef struct {
    int                fd;
    AVIOInterruptCB    interrupt;
    int64_t           *deadline;
    int64_t            timeout;
} vidcast_av_pipe_t;


static int vidcast_av_pipe_read(void *opaque, uint8_t *data, int size);


int
vidcast_av_pipe_open(AVIOContext **pb, const char *path,
    AVIOInterruptCB *interrupt, int64_t *deadline, int64_t timeout)
{
    int                 fd;
    unsigned char      *buffer;
    vidcast_av_pipe_t  *pipe;

    *deadline = INT64_MAX;

    /* that there is no writer yet is no reason to wait in here */

    fd = open(path, O_RDONLY|O_NONBLOCK|O_CLOEXEC);

    if (fd < 0) {
        return AVERROR(errno);
    }

    buffer = NULL;

    pipe = calloc(1, sizeof(vidcast_av_pipe_t));

    if (pipe == NULL) {
        goto failed;
    }

    pipe->fd = fd;
    pipe->interrupt = *interrupt;
    pipe->deadline = deadline;
    pipe->timeout = timeout;

    buffer = av_malloc(VIDCAST_AV_PIPE_BUFFER);

    if (buffer == NULL) {
        goto failed;
    }

    *pb = avio_alloc_context(buffer, VIDCAST_AV_PIPE_BUFFER, 0, pipe,
                             vidcast_av_pipe_read, NULL, NULL);

    if (*pb == NULL) {
        goto failed;
    }

    return 0;

failed:

    free(pipe);
    av_free(buffer);
    (void) close(fd);

    return AVERROR(ENOMEM);
}


int
vidcast_av_pipe_is(const char *path)
{
    struct stat  sb;

    if (stat(path, &sb) != 0) {
        return -1;
    }

    return S_ISFIFO(sb.st_mode);
}


/*
 * The end is when the last writer has closed it; before the first one there
 * is nothing to be polled for.
 */

static int
vidcast_av_pipe_read(void *opaque, uint8_t *data, int size)
{
    vidcast_av_pipe_t  *pipe = opaque;

    ssize_t        n;
    struct pollfd  pfd;

    pfd.fd = pipe->fd;
    pfd.events = POLLIN;

    for ( ;; ) {

        if (pipe->interrupt.callback(pipe->interrupt.opaque)) {
            return AVERROR_EXIT;
        }

        if (poll(&pfd, 1, VIDCAST_AV_PIPE_POLL) <= 0) {
            continue;
        }

        n = read(pipe->fd, data, size);

        if (n > 0) {
            *pipe->deadline = vidcast_av_clock() + pipe->timeout;
            return n;
        }

        if (n == 0) {
            return AVERROR_EOF;
        }

        if (errno != EAGAIN && errno != EINTR) {
            return AVERROR(errno);
        }
    }
}


void
vidcast_av_pipe_close(AVIOContext **pb)
{
    vidcast_av_pipe_t  *pipe;

    pipe = (*pb)->opaque;

    (void) close(pipe->fd);
    free(pipe);

    av_freep(&(*pb)->buffer);
    avio_context_free(pb);
}
