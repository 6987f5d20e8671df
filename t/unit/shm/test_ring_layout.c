
/*
 * Copyright (C) vidcast contributors
 */


/*
 * Where the ring puts its slots and results, for many sizes: nothing overlaps,
 * nothing lies outside, and every process finds it.
 */

#include "unit_ring.h"


static void test_sizes(void);
static void test_geometry(void);
static ngx_uint_t test_layout(uint32_t slots, uint32_t slot_size,
    uint32_t results, uint32_t result_size);
static ngx_uint_t test_fill(unit_ring_t *r);
static void test_empty(void);
static void test_attach(void);
static void test_numbers(void);


int
main(void)
{
    test_sizes();
    test_geometry();
    test_empty();
    test_attach();
    test_numbers();

    return unit_done();
}


/* lines of memory are not shared between slots which two processes write */

static void
test_sizes(void)
{
    unit_ok(sizeof(ngx_vidcast_ring_shm_t) % 64 == 0, "head: whole lines");
    unit_ok(sizeof(ngx_vidcast_ring_slot_t) % 64 == 0, "slot: whole lines");
    unit_ok(sizeof(ngx_vidcast_ring_result_t) % 64 == 0,
            "result: whole lines");
    unit_ok(((uint64_t) 1 << NGX_VIDCAST_RING_OWN)
            != NGX_VIDCAST_RING_WRITING
            && NGX_VIDCAST_RING_OWN >= NGX_VIDCAST_RING_BITS,
            "bits of processes, writer and writing differ");
    unit_ok(NGX_VIDCAST_RING_OUTPUT >= NGX_VIDCAST_RING_BITS
            && NGX_VIDCAST_RING_OUTPUT + NGX_VIDCAST_MAX_OUTPUTS
               <= NGX_VIDCAST_RING_OVERLAY,
            "and so do those of outputs and the overlay");
}


static void
test_geometry(void)
{
    uint32_t    slots, size;
    uint64_t    random;
    ngx_uint_t  i, bad;

    static uint32_t  sizes[] = {
        1, 2, 63, 64, 511, 512, 513, 3583, 3584, 3585, 4095, 4096, 4097, 7680,
        7681, 65535, 65536, 100001, 1048576, 4194304
    };

    bad = 0;

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (slots = 1; slots <= 7; slots += 3) {
            bad += test_layout(slots, sizes[i], 1 + i % 5, sizes[i] % 5000);
        }
    }

    unit_ok(bad == 0, "layout: sizes about those of pages");

    random = 1;
    bad = 0;

    for (i = 0; i < 300; i++) {
        slots = unit_random(&random) % 40 + 1;
        size = unit_random(&random) % 20000 + 1;

        bad += test_layout(slots, size, unit_random(&random) % 300 + 1,
                           unit_random(&random) % 9000);
    }

    unit_ok(bad == 0, "layout: 300 sizes by chance");
}


static ngx_uint_t
test_layout(uint32_t slots, uint32_t slot_size, uint32_t results,
    uint32_t result_size)
{
    u_char       *p;
    uint32_t      i;
    ngx_uint_t    bad;
    unit_ring_t   r;

    unit_ring_open(&r, slots, slot_size, results, result_size);

    bad = 0;

    for (i = 0; i < slots; i++) {
        p = ngx_vidcast_ring_data(&r.writer, i) - NGX_VIDCAST_RING_HEAD;

        if ((uintptr_t) p % ngx_pagesize != 0) {
            bad = 1;
        }
    }

    bad |= test_fill(&r);

    if (bad) {
        printf("# slots:%u slot_size:%u results:%u result_size:%u\n",
               slots, slot_size, results, result_size);
    }

    unit_ring_close(&r);

    return bad;
}


/*
 * Everything is filled to its last byte, in two passes, so that whatever
 * overlaps is overwritten; what lies beyond the memory is forbidden.
 */

static ngx_uint_t
test_fill(unit_ring_t *r)
{
    u_char                     *p;
    size_t                      size;
    uint32_t                    i;
    uint64_t                    seq;
    ngx_uint_t                  bad;
    ngx_vidcast_geometry_t     *g;
    ngx_vidcast_ring_result_t  *result;

    g = &r->writer.geometry;
    size = NGX_VIDCAST_RING_HEAD + g->slot_size;
    bad = 0;

    for (i = 0; i < g->slots; i++) {
        p = ngx_vidcast_ring_data(&r->writer, i) - NGX_VIDCAST_RING_HEAD;
        unit_bytes(p, size, i);
        ngx_vidcast_ring_slot(&r->writer, i)->time = i;
        ngx_vidcast_ring_slot(&r->writer, i)->v1 = i;
    }

    for (i = 0; i < g->results; i++) {
        result = ngx_vidcast_ring_open_result(&r->writer, &seq);
        result->frame = i;
        result->size = g->result_size;
        unit_bytes((u_char *) (result + 1), g->result_size, ~seq);
        ngx_vidcast_ring_publish_result(&r->writer, result, seq);
    }

    for (i = 0; i < g->slots; i++) {
        p = ngx_vidcast_ring_data(&r->a, i) - NGX_VIDCAST_RING_HEAD;

        bad |= (unit_bytes_check(p, size, i) != size
                || ngx_vidcast_ring_slot(&r->a, i)->time != i
                || ngx_vidcast_ring_slot(&r->a, i)->v1 != i
                || ngx_vidcast_ring_slot(&r->a, i)->state != 0);
    }

    for (seq = 1; seq <= g->results; seq++) {
        result = ngx_vidcast_ring_result(&r->a, seq);
        p = (u_char *) (result + 1);

        bad |= (result->seq != seq || result->frame != seq - 1
                || unit_bytes_check(p, g->result_size, ~seq)
                   != g->result_size);
    }

    return bad;
}


static void
test_empty(void)
{
    u_char                      text[16];
    unit_ring_t                 r;
    ngx_vidcast_frame_t         frame;
    ngx_vidcast_ring_result_t   result;

    unit_ring_open(&r, 4, 1000, 4, 16);

    unit_ok(ngx_vidcast_ring_newest(&r.a) == 0, "empty: no newest frame");
    unit_ok(ngx_vidcast_ring_newest_result(&r.a) == 0,
            "empty: no newest result");
    unit_ok(ngx_vidcast_ring_acquire(&r.a, 0, &frame) == NGX_AGAIN,
            "empty: acquire");
    unit_ok(ngx_vidcast_ring_peek(&r.a, 0, &frame) == NGX_AGAIN,
            "empty: peek");
    unit_ok(ngx_vidcast_ring_read_result(&r.a, 0, &result, text)
            == NGX_DECLINED, "empty: there is no result 0");
    unit_ok(ngx_vidcast_ring_read_result(&r.a, 1, &result, text)
            == NGX_AGAIN, "empty: result 1 is not yet written");
    unit_ok(ngx_vidcast_ring_pinned(&r.a) == 0, "empty: no pins");
    unit_ok(unit_ring_free(&r.writer) == 4, "empty: all slots are free");

    unit_ring_close(&r);
}


/* a handle found in memory, at another address, is as good as the first */

static void
test_attach(void)
{
    u_char               *shm, *frames;
    unit_ring_t           r;
    ngx_vidcast_ring_t    ring;
    ngx_vidcast_frame_t   frame;

    unit_ring_open(&r, 5, 3000, 4, 16);
    (void) unit_ring_put(&r.writer);
    (void) unit_ring_put(&r.writer);

    shm = mremap(r.shm.start, 0, r.shm.len - ngx_pagesize, MREMAP_MAYMOVE);
    frames = mremap(r.frames.start, 0, r.frames.len - ngx_pagesize,
                    MREMAP_MAYMOVE);

    ngx_vidcast_ring_attach(&ring, shm + (r.shm.addr - r.shm.start),
                            frames + (r.frames.addr - r.frames.start),
                            &r.a.geometry);

    unit_ok(ring.bit == 0, "attach: without a bit");

    ring.bit = 4;

    unit_ok(ngx_vidcast_ring_acquire(&ring, 1, &frame) == NGX_OK
            && frame.number == 2 && unit_whole(&ring, &frame),
            "attach: the newest frame is found");
    unit_ok(ngx_vidcast_ring_pinned(&r.a) == 4, "attach: pin is seen");
    unit_ok(unit_ring_put(&ring) == 3, "attach: numbers go on");
    unit_ok(ngx_vidcast_ring_acquire(&r.a, 2, &frame) == NGX_OK
            && unit_whole(&r.a, &frame), "attach: what it wrote is read");

    (void) munmap(shm, r.shm.len - ngx_pagesize);
    (void) munmap(frames, r.frames.len - ngx_pagesize);

    unit_ring_close(&r);
}


static void
test_numbers(void)
{
    uint64_t     a, b;
    unit_ring_t  r;

    unit_ring_open(&r, 3, 600, 4, 100);

    a = ngx_vidcast_ring_next(&r.writer);
    ngx_vidcast_ring_attach(&r.writer, r.shm.addr, r.frames.addr,
                            &r.a.geometry);
    ngx_vidcast_ring_recover(&r.writer);
    b = ngx_vidcast_ring_next(&r.writer);

    unit_ok(a == 1 && b == 2, "numbers: never given twice");

    r.writer.shm->number = (uint64_t) 1 << 40;

    unit_ok(unit_ring_put(&r.writer) == ((uint64_t) 1 << 40) + 1
            && ngx_vidcast_ring_newest(&r.a) == ((uint64_t) 1 << 40) + 1,
            "numbers: of more than 32 bits");

    unit_ring_close(&r);
}
