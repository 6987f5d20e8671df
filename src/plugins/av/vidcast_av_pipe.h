
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _VIDCAST_AV_PIPE_H_INCLUDED_
#define _VIDCAST_AV_PIPE_H_INCLUDED_


#include <libavformat/avformat.h>


/*
 * A FIFO, read by ourselves: libavformat would wait for a writer in open(),
 * where nothing can interrupt it.  Nor is there a time-out before the first
 * byte, as a writer that has it open, but has not yet written, would die of a
 * reader that leaves; with each byte *deadline is "timeout" us ahead.  0, or
 * an error of libav's.
 */
int vidcast_av_pipe_open(AVIOContext **pb, const char *path,
    AVIOInterruptCB *interrupt, int64_t *deadline, int64_t timeout);
void vidcast_av_pipe_close(AVIOContext **pb);

/* is it a FIFO?  Negative: it is not there */
int vidcast_av_pipe_is(const char *path);


#endif /* _VIDCAST_AV_PIPE_H_INCLUDED_ */
