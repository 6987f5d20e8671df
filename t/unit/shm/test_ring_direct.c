
/*
 * Copyright (C) vidcast contributors
 */


/*
 * A page that sendfile() gave to a socket is shared with whatever receives it,
 * which may read it much later.  So what a slot held when it left must arrive,
 * however often the slot is written meanwhile; and to know that this proves
 * anything, a slot without the mark must be seen to arrive torn.
 */

#include "unit_ring.h"

#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>


#define TEST_SLOTS  3
#define TEST_SIZE   300000
#define TEST_TURNS  200


static void test_open(void);
static void test_connect(int *pair);
static ngx_uint_t test_torn(uint32_t direct);
static void test_turn(uint32_t slot, uint64_t number, uint32_t size,
    uint32_t direct);
static ngx_uint_t test_send(int fd, ngx_vidcast_frame_t *frame);
static ngx_uint_t test_arrives(int fd, uint64_t number, uint32_t size);
static void test_neighbors(void);
static void test_refused(void);


static unit_memory_t       test_shm;
static ngx_vidcast_ring_t  test_writer;
static ngx_vidcast_ring_t  test_reader;
static int                 test_file;
static u_char              test_buffer[TEST_SIZE];


int
main(void)
{
    test_open();

    unit_ok(test_torn(1) == 0, "%d direct pictures arrive as they left",
            TEST_TURNS);
    unit_ok(test_torn(0) > 0, "without the mark some are torn: they could be");

    test_neighbors();
    test_refused();

    return unit_done();
}


static void
test_open(void)
{
    size_t                  size;
    u_char                 *frames;
    ngx_vidcast_geometry_t  geometry;

    geometry.slots = TEST_SLOTS;
    geometry.slot_size = TEST_SIZE;
    geometry.results = 1;
    geometry.result_size = 64;

    size = ngx_vidcast_ring_frames_size(&geometry);

    unit_memory(&test_shm, ngx_vidcast_ring_size(&geometry));

    test_file = memfd_create("test", MFD_CLOEXEC);

    if (test_file == -1 || ftruncate(test_file, (off_t) size) == -1) {
        exit(2);
    }

    frames = mmap(NULL, size, PROT_READ|PROT_WRITE, MAP_SHARED, test_file, 0);

    if (frames == MAP_FAILED) {
        exit(2);
    }

    ngx_vidcast_ring_create(&test_writer, test_shm.addr, frames, &geometry);
    ngx_vidcast_ring_attach(&test_reader, test_shm.addr, frames, &geometry);

    unit_ok(test_writer.file == NGX_INVALID_FILE, "no memfd is known at first");

    test_writer.file = test_file;
    test_reader.bit = 1;
}


/* two ends of TCP with room for a picture */

static void
test_connect(int *pair)
{
    int                 listener, size;
    socklen_t           len;
    struct sockaddr_in  sin;

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    len = sizeof(sin);

    listener = socket(AF_INET, SOCK_STREAM, 0);
    pair[0] = socket(AF_INET, SOCK_STREAM, 0);

    size = 4 * TEST_SIZE;

    (void) setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    (void) setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));

    if (bind(listener, (struct sockaddr *) &sin, len) == -1
        || listen(listener, 1) == -1
        || getsockname(listener, (struct sockaddr *) &sin, &len) == -1
        || connect(pair[0], (struct sockaddr *) &sin, len) == -1)
    {
        exit(2);
    }

    pair[1] = accept(listener, NULL, NULL);

    if (pair[1] == -1) {
        exit(2);
    }

    close(listener);
}


/* pictures of all sizes, each read when its slot has been written again */

static ngx_uint_t
test_torn(uint32_t direct)
{
    int                  pair[2];
    uint32_t             slot, size;
    uint64_t             number, random;
    ngx_uint_t           i, n, torn;
    ngx_vidcast_frame_t  frame;

    random = 7;
    torn = 0;

    test_connect(pair);

    for (i = 0; i < TEST_TURNS; i++) {

        size = unit_random(&random) % TEST_SIZE + 1;
        slot = ngx_vidcast_ring_claim(&test_writer);
        number = ngx_vidcast_ring_next(&test_writer);

        test_turn(slot, number, size, direct);

        if (ngx_vidcast_ring_acquire(&test_reader, number - 1, &frame)
            != NGX_OK
            || frame.sendfile != direct
            || test_send(pair[0], &frame) != 0)
        {
            unit_ok(0, "frame %d is sent", (int) i);
            exit(1);
        }

        ngx_vidcast_ring_release(&test_reader, &frame);

        for (n = 0; n < 2 * TEST_SLOTS; n++) {
            test_turn(ngx_vidcast_ring_claim(&test_writer),
                      ngx_vidcast_ring_next(&test_writer), TEST_SIZE, direct);
        }

        torn += (test_arrives(pair[1], number, size) != 0);
    }

    close(pair[0]);
    close(pair[1]);

    return torn;
}


static void
test_turn(uint32_t slot, uint64_t number, uint32_t size, uint32_t direct)
{
    ngx_vidcast_ring_slot_t  *s;

    s = ngx_vidcast_ring_slot(&test_writer, slot);

    s->size = size;
    s->sendfile = direct;

    unit_bytes(ngx_vidcast_ring_data(&test_writer, slot), size, number);

    ngx_vidcast_ring_publish(&test_writer, slot, number);
}


static ngx_uint_t
test_send(int fd, ngx_vidcast_frame_t *frame)
{
    off_t    offset, last;
    ssize_t  n;

    offset = frame->data - test_reader.frames;
    last = offset + frame->size;

    while (offset < last) {
        n = sendfile(fd, test_file, &offset, last - offset);

        if (n <= 0) {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
test_arrives(int fd, uint64_t number, uint32_t size)
{
    if (recv(fd, test_buffer, size, MSG_WAITALL) != (ssize_t) size) {
        return 1;
    }

    return unit_bytes_check(test_buffer, size, number) != size;
}


/* only the slot's own pages become others */

static void
test_neighbors(void)
{
    uint32_t    slot, i;
    ngx_uint_t  whole;

    for (i = 0; i < TEST_SLOTS; i++) {
        ngx_vidcast_ring_slot(&test_writer, i)->sendfile = 0;
        ngx_vidcast_ring_slot(&test_writer, i)->size = TEST_SIZE;
        unit_bytes(ngx_vidcast_ring_data(&test_writer, i), TEST_SIZE, i);
    }

    for (i = 0; i < TEST_SLOTS; i++) {
        ngx_vidcast_ring_slot(&test_writer, i)->sendfile = 1;
    }

    slot = ngx_vidcast_ring_claim(&test_writer);
    whole = 0;

    for (i = 0; i < TEST_SLOTS; i++) {
        whole += (unit_bytes_check(ngx_vidcast_ring_data(&test_writer, i),
                                   TEST_SIZE, i)
                  == TEST_SIZE);
    }

    unit_ok(whole == TEST_SLOTS - 1
            && unit_bytes_check(ngx_vidcast_ring_data(&test_writer, slot),
                                TEST_SIZE, slot)
               != TEST_SIZE,
            "fresh pages for one slot leave the others alone");

    unit_ok(ngx_vidcast_ring_slot(&test_writer, slot)->sendfile == 0,
            "and it has no mark any more");

    ngx_vidcast_ring_abandon(&test_writer, slot);
}


/* a slot whose pages cannot be given up is not written */

static void
test_refused(void)
{
    uint32_t  i;

    for (i = 0; i < TEST_SLOTS; i++) {
        ngx_vidcast_ring_slot(&test_writer, i)->sendfile = 1;
    }

    test_writer.file = NGX_INVALID_FILE;

    unit_ok(ngx_vidcast_ring_claim(&test_writer) == NGX_VIDCAST_RING_NONE,
            "no slot without fresh pages");

    /* as if its writer had died in between */

    ngx_vidcast_ring_recover(&test_writer);

    unit_ok(ngx_vidcast_ring_claim(&test_writer) == NGX_VIDCAST_RING_NONE,
            "nor for the next writer");

    test_writer.file = test_file;

    unit_ok(ngx_vidcast_ring_claim(&test_writer) != NGX_VIDCAST_RING_NONE,
            "they are there when it works again");
}
