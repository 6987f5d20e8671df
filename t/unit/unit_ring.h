
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _UNIT_RING_H_INCLUDED_
#define _UNIT_RING_H_INCLUDED_


/*
 * The ring with a step in front of each of its atomic operations, and amid its
 * copies, where a test can look, interfere or die; and frames and results
 * whose every byte and field follow from their number, so that a mixture of
 * two is seen.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include <sys/mman.h>

#include "unit.h"
#include "unit_ngx.h"

#include "shm/ngx_vidcast_ring.h"


typedef struct {
    u_char    *start;          /* of the mapping */
    size_t     len;
    u_char    *addr;           /* its last byte is before a forbidden page */
} unit_memory_t;


/* a ring with a handle for its writer, and those of two readers */

typedef struct {
    unit_memory_t        shm;
    unit_memory_t        frames;
    ngx_vidcast_ring_t   writer;
    ngx_vidcast_ring_t   a;
    ngx_vidcast_ring_t   b;
} unit_ring_t;


static void        (*unit_step_hook)(void);
static ngx_uint_t    unit_broken_claim;
static ngx_uint_t    unit_broken_result;


static ngx_inline void
unit_step(void)
{
    if (unit_step_hook) {
        unit_step_hook();
    }
}


/* the tests' own atomics, without steps */

static ngx_inline uint64_t
unit_get(uint64_t *p)
{
    return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}


static ngx_inline uint64_t
unit_add(uint64_t *p, uint64_t n)
{
    return __atomic_add_fetch(p, n, __ATOMIC_SEQ_CST);
}


static ngx_inline void
unit_set_bits(uint64_t *p, uint64_t bits)
{
    (void) __atomic_fetch_or(p, bits, __ATOMIC_SEQ_CST);
}


static ngx_inline void
unit_clear_bits(uint64_t *p, uint64_t bits)
{
    (void) __atomic_fetch_and(p, ~bits, __ATOMIC_SEQ_CST);
}


/* the claim; broken, it takes what others have pinned */

static ngx_inline int
unit_cas(uint64_t *p, uint64_t *old, uint64_t value)
{
    unit_step();

    if (unit_broken_claim) {
        __atomic_store_n(p, value, __ATOMIC_SEQ_CST);
        return 1;
    }

    return __atomic_compare_exchange_n(p, old, value, 0, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
}


/* a copy takes time, in which much can happen */

static ngx_inline void
unit_copy(u_char *dst, u_char *src, size_t n)
{
    unit_step();
    ngx_memcpy(dst, src, n / 2);
    unit_step();
    ngx_memcpy(dst + n / 2, src + n / 2, n - n / 2);
}


#pragma push_macro("ngx_memcpy")
#undef ngx_memcpy
#define ngx_memcpy(dst, src, n)                                               \
    unit_copy((u_char *) (dst), (u_char *) (src), n)

#define __atomic_load_n(p, o)      (unit_step(), __atomic_load_n(p, o))
#define __atomic_store_n(p, v, o)  (unit_step(), __atomic_store_n(p, v, o))
#define __atomic_fetch_or(p, v, o)                                            \
    (unit_step(), __atomic_fetch_or(p, v, o))
#define __atomic_fetch_and(p, v, o)                                           \
    (unit_step(), __atomic_fetch_and(p, v, o))
#define __atomic_compare_exchange_n(p, old, v, w, s, f)  unit_cas(p, old, v)

#include "shm/ngx_vidcast_ring.c"

#pragma pop_macro("ngx_memcpy")
#undef __atomic_load_n
#undef __atomic_store_n
#undef __atomic_fetch_or
#undef __atomic_fetch_and
#undef __atomic_compare_exchange_n


/* memory shared with children of fork(), the byte behind it is forbidden */

static void __attribute__((unused))
unit_memory(unit_memory_t *memory, size_t size)
{
    memory->len = ngx_align(size, ngx_pagesize) + ngx_pagesize;
    memory->start = mmap(NULL, memory->len, PROT_READ|PROT_WRITE,
                         MAP_SHARED|MAP_ANONYMOUS, -1, 0);

    if (memory->start == MAP_FAILED) {
        perror("mmap()");
        exit(2);
    }

    memory->addr = memory->start + memory->len - ngx_pagesize;

    if (mprotect(memory->addr, ngx_pagesize, PROT_NONE) == -1) {
        perror("mprotect()");
        exit(2);
    }

    memory->addr -= ngx_align(size, 64);
}


static void __attribute__((unused))
unit_memory_free(unit_memory_t *memory)
{
    (void) munmap(memory->start, memory->len);
}


static ngx_inline uint64_t
unit_mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;

    return x ^ (x >> 31);
}


static ngx_inline uint64_t
unit_random(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15;

    return unit_mix(*state);
}


static ngx_inline uint64_t
unit_word(uint64_t seed, size_t i)
{
    uint64_t  w;

    w = seed + i * 0x9e3779b97f4a7c15;

    return (w ^ (w >> 32)) * 0xd6e8feb86659fd93;
}


static void __attribute__((unused))
unit_bytes(u_char *p, size_t size, uint64_t seed)
{
    size_t    i;
    uint64_t  w;

    seed = unit_mix(seed);

    for (i = 0; i + sizeof(w) <= size; i += sizeof(w)) {
        w = unit_word(seed, i);
        ngx_memcpy(p + i, &w, sizeof(w));
    }

    if (i < size) {
        w = unit_word(seed, i);
        ngx_memcpy(p + i, &w, size - i);
    }
}


/* the place of the first wrong word, or "size" */

static size_t __attribute__((unused))
unit_bytes_check(u_char *p, size_t size, uint64_t seed)
{
    size_t    i;
    uint64_t  w, have;

    seed = unit_mix(seed);

    for (i = 0; i + sizeof(w) <= size; i += sizeof(w)) {
        ngx_memcpy(&have, p + i, sizeof(w));

        if (have != unit_word(seed, i)) {
            return i;
        }
    }

    if (i < size) {
        w = unit_word(seed, i);

        if (ngx_memcmp(p + i, &w, size - i) != 0) {
            return i;
        }
    }

    return size;
}


/* what frame "number" is in a ring whose largest picture has "max" bytes */

static void __attribute__((unused))
unit_frame(ngx_vidcast_frame_t *frame, uint64_t number, uint32_t max)
{
    uint64_t  h;

    h = unit_mix(number);

    frame->number = number;
    frame->time = unit_mix(h + 1);
    frame->captured = unit_mix(h + 2);
    frame->ready = unit_mix(h + 3);
    frame->width = unit_mix(h + 4);
    frame->height = unit_mix(h + 5);

    /* for a while small ones, which make the ring turn quicker */

    frame->size = ((number >> 8) % 4) ? max / 8 + h % (max - max / 8) + 1
                                      : h % 512 % max + 1;
    frame->plain = 2 + (h >> 32) % 9;
    frame->v1 = frame->plain
                + (h >> 40) % (NGX_VIDCAST_RING_HEAD - frame->plain + 1);
}


static void __attribute__((unused))
unit_frame_write(ngx_vidcast_ring_t *ring, uint32_t slot, uint64_t number)
{
    u_char                   *p;
    ngx_vidcast_frame_t       f;
    ngx_vidcast_ring_slot_t  *s;

    unit_frame(&f, number, ring->geometry.slot_size);

    s = ngx_vidcast_ring_slot(ring, slot);
    p = ngx_vidcast_ring_data(ring, slot);

    s->time = f.time;
    s->captured = f.captured;
    s->size = f.size;
    s->plain = f.plain;

    unit_step();
    unit_bytes(p, f.size, number);
    unit_step();
    unit_bytes(p - f.v1, f.v1, ~number);
    unit_step();

    s->ready = f.ready;
    s->width = f.width;
    s->height = f.height;
    s->v1 = f.v1;
}


/* NULL, or what is wrong with the frame whose bytes are at "data" */

static __attribute__((unused)) const char *
unit_frame_check(ngx_vidcast_ring_t *ring, ngx_vidcast_frame_t *frame,
    u_char *data)
{
    ngx_vidcast_frame_t  f;

    unit_frame(&f, frame->number, ring->geometry.slot_size);

    if (frame->size != f.size || frame->plain != f.plain
        || frame->v1 != f.v1)
    {
        return "sizes";
    }

    if (frame->time != f.time || frame->captured != f.captured
        || frame->ready != f.ready || frame->width != f.width
        || frame->height != f.height)
    {
        return "description";
    }

    if (unit_bytes_check(data - f.v1, f.v1, ~f.number) != f.v1) {
        return "headers";
    }

    if (unit_bytes_check(data, f.size, f.number) != f.size) {
        return "picture";
    }

    return NULL;
}


static ngx_uint_t __attribute__((unused))
unit_whole(ngx_vidcast_ring_t *ring, ngx_vidcast_frame_t *frame)
{
    return unit_frame_check(ring, frame, frame->data) == NULL;
}


/*
 * A result says in its "frame" which writer wrote it: a new one may write
 * again what its predecessor could not publish.
 */

static void __attribute__((unused))
unit_result_write(ngx_vidcast_ring_t *ring, uint64_t writer)
{
    uint64_t                    h, seq;
    ngx_vidcast_ring_result_t  *r;

    r = ngx_vidcast_ring_open_result(ring, &seq);

    if (unit_broken_result && seq > ring->geometry.results) {
        ngx_vidcast_store(&r->seq, seq - ring->geometry.results);
    }

    h = unit_mix(seq ^ writer << 40);

    r->frame = writer;
    r->size = h % (ring->geometry.result_size + 1);
    r->captured = unit_mix(h + 1);

    unit_step();
    unit_bytes((u_char *) (r + 1), r->size, h);
    unit_step();

    r->ready = unit_mix(h + 2);

    ngx_vidcast_ring_publish_result(ring, r, seq);
}


static __attribute__((unused)) const char *
unit_result_check(ngx_vidcast_ring_t *ring, uint64_t seq,
    ngx_vidcast_ring_result_t *r, u_char *text)
{
    uint64_t  h;

    h = unit_mix(seq ^ r->frame << 40);

    if (r->seq != seq) {
        return "sequence";
    }

    if (r->size != h % (ring->geometry.result_size + 1)
        || r->captured != unit_mix(h + 1) || r->ready != unit_mix(h + 2))
    {
        return "description";
    }

    if (unit_bytes_check(text, r->size, h) != r->size) {
        return "text";
    }

    return NULL;
}


static void __attribute__((unused))
unit_ring_open(unit_ring_t *ring, uint32_t slots, uint32_t slot_size,
    uint32_t results, uint32_t result_size)
{
    ngx_vidcast_geometry_t  geometry;

    geometry.slots = slots;
    geometry.slot_size = slot_size;
    geometry.results = results;
    geometry.result_size = result_size;

    unit_memory(&ring->shm, ngx_vidcast_ring_size(&geometry));
    unit_memory(&ring->frames, ngx_vidcast_ring_frames_size(&geometry));

    ngx_vidcast_ring_create(&ring->writer, ring->shm.addr, ring->frames.addr,
                            &geometry);
    ngx_vidcast_ring_attach(&ring->a, ring->shm.addr, ring->frames.addr,
                            &geometry);
    ngx_vidcast_ring_attach(&ring->b, ring->shm.addr, ring->frames.addr,
                            &geometry);

    ring->a.bit = 1;
    ring->b.bit = (uint64_t) 1 << (NGX_VIDCAST_RING_BITS - 1);
}


static void __attribute__((unused))
unit_ring_close(unit_ring_t *ring)
{
    unit_memory_free(&ring->shm);
    unit_memory_free(&ring->frames);
}


/* one frame from claim to publish; its number, or zero */

static uint64_t __attribute__((unused))
unit_ring_put(ngx_vidcast_ring_t *ring)
{
    uint32_t  slot;
    uint64_t  number;

    slot = ngx_vidcast_ring_claim(ring);

    if (slot == NGX_VIDCAST_RING_NONE) {
        return 0;
    }

    number = ngx_vidcast_ring_next(ring);
    unit_frame_write(ring, slot, number);
    ngx_vidcast_ring_publish(ring, slot, number);

    return number;
}


/* slots which a writer could claim now; they are given back */

static ngx_uint_t __attribute__((unused))
unit_ring_free(ngx_vidcast_ring_t *ring)
{
    uint32_t    slots[64];
    ngx_uint_t  i, n;

    for (n = 0; n < 64; n++) {
        slots[n] = ngx_vidcast_ring_claim(ring);

        if (slots[n] == NGX_VIDCAST_RING_NONE) {
            break;
        }
    }

    for (i = 0; i < n; i++) {
        ngx_vidcast_ring_abandon(ring, slots[i]);
    }

    return n;
}


#endif /* _UNIT_RING_H_INCLUDED_ */
