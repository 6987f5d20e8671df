
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_RING_H_INCLUDED_
#define _NGX_VIDCAST_RING_H_INCLUDED_


#include "core/ngx_vidcast.h"
#include "core/ngx_vidcast_atomic.h"


/*
 * One source's frames and results between one writing process and many
 * readers.  The bookkeeping lies in shared memory without a single pointer,
 * the pictures in a memfd.  No process waits for another one: a reader pins a
 * slot by its process's bit, the writer takes only slots without pins.
 *
 * Before each picture a slot has NGX_VIDCAST_RING_HEAD bytes for headers,
 * which are written backward from the picture, so that header and picture
 * leave in one piece: first comes, right before the picture, the header of
 * a plain WebSocket message, and before that, with the former as its filler,
 * that of a "vidcast.v1" message.  Behind the picture comes a tail, which ends
 * it as a part of MJPEG and begins the next one.
 *
 * A picture marked "sendfile" may leave by sendfile(): sockets, those of the
 * peers on this machine as well, then refer to its very pages for as long as
 * they like.  So its slot gets fresh pages before it is written again.
 */

#define NGX_VIDCAST_RING_HEAD     512

#define NGX_VIDCAST_RING_TAIL      "\r\n--frame\r\n"
#define NGX_VIDCAST_RING_TAIL_LEN  (sizeof(NGX_VIDCAST_RING_TAIL) - 1)

#define NGX_VIDCAST_RING_BITS     57    /* pins of processes */
#define NGX_VIDCAST_RING_OUTPUT   57    /* of the writer's first output */
#define NGX_VIDCAST_RING_OVERLAY  61    /* of its overlay */
#define NGX_VIDCAST_RING_OWN      62    /* and of its predictor */

#define NGX_VIDCAST_RING_WRITING  ((uint64_t) 1 << 63)

#define NGX_VIDCAST_RING_NONE     0xffffffff


typedef struct {
    uint64_t                     state;      /* WRITING and pins */
    uint64_t                     number;     /* of the frame; 0: none */
    uint64_t                     nth;        /* published, the first is 1 */
    uint64_t                     time;       /* of capture, since 1970, us */
    uint64_t                     captured;   /* CLOCK_MONOTONIC, us */
    uint64_t                     ready;      /* CLOCK_MONOTONIC, us */
    uint32_t                     size;       /* of the picture, bytes */
    uint32_t                     width;
    uint32_t                     height;
    uint32_t                     plain;      /* bytes of the plain header */
    uint32_t                     v1;         /* bytes of all headers */
    uint32_t                     sendfile;   /* sockets may have its pages */
    int64_t                      pts;        /* us, or NGX_VIDCAST_NO_PTS */
    uint64_t                     media_time; /* us */
    uint32_t                     unused[10];
} ngx_vidcast_ring_slot_t;


typedef struct {
    uint64_t                     seq;        /* 0: being written, or none */
    uint64_t                     frame;
    uint64_t                     captured;   /* CLOCK_MONOTONIC, us */
    uint64_t                     ready;      /* CLOCK_MONOTONIC, us */
    uint32_t                     size;       /* of the text, bytes */
    uint32_t                     slot;       /* where the frame was, or NONE */
    uint32_t                     unused[6];
} ngx_vidcast_ring_result_t;


typedef struct {
    uint64_t                     epoch;
    uint64_t                     number;     /* last frame number given */
    uint64_t                     seq;        /* newest result, 0: none */
    uint64_t                     frame;      /* newest frame, 0: none */
    uint64_t                     min_frame;  /* frames up to it are over */
    uint32_t                     newest;     /* its slot */
    uint32_t                     unused[21];
} ngx_vidcast_ring_shm_t;


/* a process's handle; plain memory, may be copied by fork */

typedef struct {
    ngx_vidcast_ring_shm_t      *shm;
    ngx_vidcast_ring_slot_t     *slots;
    u_char                      *results;
    u_char                      *frames;     /* the memfd's mapping */
    ngx_fd_t                     file;       /* the memfd, if it is known */
    uint64_t                     bit;        /* this process's pin, or zero */
    ngx_vidcast_geometry_t       geometry;
} ngx_vidcast_ring_t;


/*
 * What a reader got; "data" is the picture, between headers and tail.  The
 * writer may be anybody: what it says of sizes is read once, and is never more
 * than what a slot has room for.
 */

typedef struct {
    uint64_t                     number;
    uint64_t                     nth;        /* published, the first is 1 */
    uint64_t                     time;
    uint64_t                     captured;
    uint64_t                     ready;
    int64_t                      pts;
    uint64_t                     media_time;
    u_char                      *data;
    uint32_t                     size;
    uint32_t                     width;
    uint32_t                     height;
    uint32_t                     plain;
    uint32_t                     v1;
    uint32_t                     slot;
    uint32_t                     sendfile;
} ngx_vidcast_frame_t;


/* bytes of shared memory, and of the memfd, for a ring of this geometry */
size_t ngx_vidcast_ring_size(ngx_vidcast_geometry_t *geometry);
size_t ngx_vidcast_ring_frames_size(ngx_vidcast_geometry_t *geometry);

/*
 * attach() makes a handle to the ring at "addr" and "frames", whose geometry
 * the caller knows: none is taken from shared memory.  create() makes the ring
 * itself as well, in zeroed memory.
 */
void ngx_vidcast_ring_create(ngx_vidcast_ring_t *ring, void *addr,
    u_char *frames, ngx_vidcast_geometry_t *geometry);
void ngx_vidcast_ring_attach(ngx_vidcast_ring_t *ring, void *addr,
    u_char *frames, ngx_vidcast_geometry_t *geometry);


/*
 * Readers.
 *
 * acquire() pins the newest frame if its number is above "seen".
 *
 *     NGX_OK        *frame is whole and stays so until release()
 *     NGX_AGAIN     nothing newer than "seen"
 *     NGX_DECLINED  the writer was faster, three times, call again later;
 *                   or this process has no bit, or has this frame already
 *
 * A process has one bit, and so at most one pin on a slot.
 *
 * acquire_at() pins a frame which is not the newest one any more, if it is
 * still in the slot where it was: NGX_OK, NGX_DECLINED.
 *
 * peek() is for a reader without a pin: it copies the frame's bytes, headers
 * as well, and then asks check(), NGX_OK or NGX_DECLINED, whether they were
 * the same all the time.
 */
ngx_int_t ngx_vidcast_ring_acquire(ngx_vidcast_ring_t *ring, uint64_t seen,
    ngx_vidcast_frame_t *frame);
ngx_int_t ngx_vidcast_ring_acquire_at(ngx_vidcast_ring_t *ring, uint32_t slot,
    uint64_t number, ngx_vidcast_frame_t *frame);
void ngx_vidcast_ring_release(ngx_vidcast_ring_t *ring,
    ngx_vidcast_frame_t *frame);
ngx_int_t ngx_vidcast_ring_peek(ngx_vidcast_ring_t *ring, uint64_t seen,
    ngx_vidcast_frame_t *frame);
ngx_int_t ngx_vidcast_ring_check(ngx_vidcast_ring_t *ring,
    ngx_vidcast_frame_t *frame);

/* what is in a slot that is known to be pinned */
void ngx_vidcast_ring_describe(ngx_vidcast_ring_t *ring, uint32_t slot,
    ngx_vidcast_frame_t *frame);

/*
 * Number of the newest frame, and of the newest result; 0: none yet.  They
 * never go back within an epoch, and no reader has got a frame or result above
 * them.
 */
uint64_t ngx_vidcast_ring_newest(ngx_vidcast_ring_t *ring);
uint64_t ngx_vidcast_ring_newest_result(ngx_vidcast_ring_t *ring);

/* the series of these numbers; 0: another one is just about to begin */
uint64_t ngx_vidcast_ring_epoch(ngx_vidcast_ring_t *ring);

/*
 * How many frames had been published with the newest one, if it is still there,
 * else 0.  What is between two frames was published if it is between these
 * counts; other numbers were lost before that.
 */
uint64_t ngx_vidcast_ring_published(ngx_vidcast_ring_t *ring);

/* frames up to this number are of other times, and no reader gets them */
uint64_t ngx_vidcast_ring_min_frame(ngx_vidcast_ring_t *ring);

/* how many pins the reading processes have on all slots together */
uint32_t ngx_vidcast_ring_pins(ngx_vidcast_ring_t *ring);

/*
 * Copies result "seq" to "text", which has room for result_size bytes, and
 * its description to *result.
 *
 *     NGX_OK        copied whole
 *     NGX_AGAIN     not yet written
 *     NGX_DECLINED  overwritten, or lost with its writer
 */
ngx_int_t ngx_vidcast_ring_read_result(ngx_vidcast_ring_t *ring, uint64_t seq,
    ngx_vidcast_ring_result_t *result, u_char *text);

/*
 * The same in two steps, for a reader that makes room for result->size bytes,
 * which are result_size at most, in between.  copy() is what tells whether
 * description and text belong to one result: NGX_OK or NGX_DECLINED.
 */
ngx_int_t ngx_vidcast_ring_peek_result(ngx_vidcast_ring_t *ring, uint64_t seq,
    ngx_vidcast_ring_result_t *result);
ngx_int_t ngx_vidcast_ring_copy_result(ngx_vidcast_ring_t *ring,
    ngx_vidcast_ring_result_t *result, u_char *text);


/*
 * The writer: one process, whose threads call these one at a time.
 *
 * recover()         takes back what a dead writer left
 * reclaim()         but a slot which it had lent to a process that still has
 *                   it
 * invalidate()      takes all frames away from readers to come, also those
 *                   which have a number and are published later; numbers go on
 * invalidate_all()  does so with frames and results
 * next()            a new frame number
 * set_number()      a frame number that another ring gave; one from before the
 *                   newest begins a new series
 * begin()           an epoch that another ring has: no frame and no result is
 *                   there, and numbers may begin anew.  While it is zero, which
 *                   it is only here, nothing of the rest is to be believed
 * claim()           a slot to write, NGX_VIDCAST_RING_NONE: none is free.
 *                   The picture goes to ngx_vidcast_ring_data(), slot_size
 *                   bytes at most and the tail behind them, the description to
 *                   ngx_vidcast_ring_slot(): "sendfile", too, which is not to
 *                   be set unless the ring knows its memfd
 * publish()         makes it the newest frame, unless a newer one came first
 * abandon()         gives the slot back without a frame; as reclaim(), it
 *                   takes any number, since the one may come from another
 *                   process
 * unpin()           clears the pins of the processes in "bits"
 * pinned()          the pins of all processes, of any slot
 */
void ngx_vidcast_ring_recover(ngx_vidcast_ring_t *ring);
void ngx_vidcast_ring_reclaim(ngx_vidcast_ring_t *ring, uint32_t slot);
void ngx_vidcast_ring_invalidate(ngx_vidcast_ring_t *ring);
void ngx_vidcast_ring_invalidate_all(ngx_vidcast_ring_t *ring);
uint64_t ngx_vidcast_ring_next(ngx_vidcast_ring_t *ring);
void ngx_vidcast_ring_set_number(ngx_vidcast_ring_t *ring, uint64_t number);
void ngx_vidcast_ring_begin(ngx_vidcast_ring_t *ring, uint64_t epoch);
uint32_t ngx_vidcast_ring_claim(ngx_vidcast_ring_t *ring);
u_char *ngx_vidcast_ring_data(ngx_vidcast_ring_t *ring, uint32_t slot);
ngx_vidcast_ring_slot_t *ngx_vidcast_ring_slot(ngx_vidcast_ring_t *ring,
    uint32_t slot);
void ngx_vidcast_ring_publish(ngx_vidcast_ring_t *ring, uint32_t slot,
    uint64_t number);
void ngx_vidcast_ring_abandon(ngx_vidcast_ring_t *ring, uint32_t slot);
void ngx_vidcast_ring_unpin(ngx_vidcast_ring_t *ring, uint64_t bits);
uint64_t ngx_vidcast_ring_pinned(ngx_vidcast_ring_t *ring);

/*
 * A result is written to the result_size bytes behind the description which
 * open_result() gives, "seq" being the number that it will have, and is there
 * for the readers after publish_result().  open_result_at() is for one that
 * has a number, above the newest one: those between are lost for the readers.
 */
ngx_vidcast_ring_result_t *ngx_vidcast_ring_open_result(
    ngx_vidcast_ring_t *ring, uint64_t *seq);
ngx_vidcast_ring_result_t *ngx_vidcast_ring_open_result_at(
    ngx_vidcast_ring_t *ring, uint64_t seq);
void ngx_vidcast_ring_publish_result(ngx_vidcast_ring_t *ring,
    ngx_vidcast_ring_result_t *result, uint64_t seq);


#endif /* _NGX_VIDCAST_RING_H_INCLUDED_ */
