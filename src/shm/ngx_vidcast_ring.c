
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <sys/mman.h>

#include "shm/ngx_vidcast_ring.h"


#define ngx_vidcast_ring_or(p, v)                                             \
    __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST)

#define ngx_vidcast_ring_and(p, v)                                            \
    __atomic_fetch_and(p, v, __ATOMIC_SEQ_CST)

#define NGX_VIDCAST_RING_TRIES  3

/* what a writer pins itself: it does not outlive it */

#define NGX_VIDCAST_RING_OWNED                                                \
    ((uint64_t) 1 << NGX_VIDCAST_RING_OWN                                     \
     | (uint64_t) 1 << NGX_VIDCAST_RING_OVERLAY                               \
     | (((uint64_t) 1 << NGX_VIDCAST_MAX_OUTPUTS) - 1)                        \
       << NGX_VIDCAST_RING_OUTPUT)


static size_t ngx_vidcast_ring_stride(uint32_t slot_size);
static size_t ngx_vidcast_ring_result_stride(uint32_t result_size);
static ngx_vidcast_ring_result_t *ngx_vidcast_ring_result(
    ngx_vidcast_ring_t *ring, uint64_t seq);
static uint32_t ngx_vidcast_ring_free(ngx_vidcast_ring_t *ring);
static ngx_int_t ngx_vidcast_ring_replace_pages(ngx_vidcast_ring_t *ring,
    uint32_t slot);


size_t
ngx_vidcast_ring_size(ngx_vidcast_geometry_t *geometry)
{
    return sizeof(ngx_vidcast_ring_shm_t)
           + geometry->slots * sizeof(ngx_vidcast_ring_slot_t)
           + geometry->results
             * ngx_vidcast_ring_result_stride(geometry->result_size);
}


size_t
ngx_vidcast_ring_frames_size(ngx_vidcast_geometry_t *geometry)
{
    return geometry->slots * ngx_vidcast_ring_stride(geometry->slot_size);
}


/* slots begin on pages, so that a page never holds bytes of two frames */

static size_t
ngx_vidcast_ring_stride(uint32_t slot_size)
{
    return ngx_align(NGX_VIDCAST_RING_HEAD + (size_t) slot_size
                     + NGX_VIDCAST_RING_TAIL_LEN, ngx_pagesize);
}


static size_t
ngx_vidcast_ring_result_stride(uint32_t result_size)
{
    return ngx_align(sizeof(ngx_vidcast_ring_result_t) + result_size, 64);
}


void
ngx_vidcast_ring_create(ngx_vidcast_ring_t *ring, void *addr, u_char *frames,
    ngx_vidcast_geometry_t *geometry)
{
    ngx_vidcast_ring_attach(ring, addr, frames, geometry);

    ring->shm->newest = NGX_VIDCAST_RING_NONE;
}


void
ngx_vidcast_ring_attach(ngx_vidcast_ring_t *ring, void *addr, u_char *frames,
    ngx_vidcast_geometry_t *geometry)
{
    ring->geometry = *geometry;
    ring->shm = addr;
    ring->slots = (ngx_vidcast_ring_slot_t *) (ring->shm + 1);
    ring->results = (u_char *) (ring->slots + geometry->slots);
    ring->frames = frames;
    ring->file = NGX_INVALID_FILE;
    ring->bit = 0;
}


ngx_int_t
ngx_vidcast_ring_acquire(ngx_vidcast_ring_t *ring, uint64_t seen,
    ngx_vidcast_frame_t *frame)
{
    uint32_t                  i;
    uint64_t                  old, past, number;
    ngx_uint_t                n;
    ngx_vidcast_ring_slot_t  *slot;

    if (ring->bit == 0) {
        return NGX_DECLINED;
    }

    past = ngx_vidcast_ring_min_frame(ring);
    seen = ngx_max(seen, past);

    for (n = 0; n < NGX_VIDCAST_RING_TRIES; n++) {

        i = ngx_vidcast_load(&ring->shm->newest);

        if (i >= ring->geometry.slots) {
            return NGX_AGAIN;
        }

        slot = &ring->slots[i];
        number = ngx_vidcast_load(&slot->number);

        if (number && number <= seen) {
            return NGX_AGAIN;
        }

        old = ngx_vidcast_ring_or(&slot->state, ring->bit);
        number = ngx_vidcast_load(&slot->number);

        /* one bit cannot stand for two pins: the first release takes both */

        if (!(old & (NGX_VIDCAST_RING_WRITING | ring->bit))
            && number > seen)
        {
            ngx_vidcast_ring_describe(ring, i, frame);
            return NGX_OK;
        }

        if (!(old & ring->bit)) {
            (void) ngx_vidcast_ring_and(&slot->state, ~ring->bit);
        }
    }

    return NGX_DECLINED;
}


ngx_int_t
ngx_vidcast_ring_acquire_at(ngx_vidcast_ring_t *ring, uint32_t slot,
    uint64_t number, ngx_vidcast_frame_t *frame)
{
    uint64_t                  old;
    ngx_vidcast_ring_slot_t  *s;

    if (ring->bit == 0 || slot >= ring->geometry.slots) {
        return NGX_DECLINED;
    }

    s = &ring->slots[slot];
    old = ngx_vidcast_ring_or(&s->state, ring->bit);

    if (old & ring->bit) {
        return NGX_DECLINED;
    }

    if ((old & NGX_VIDCAST_RING_WRITING)
        || ngx_vidcast_load(&s->number) != number)
    {
        (void) ngx_vidcast_ring_and(&s->state, ~ring->bit);
        return NGX_DECLINED;
    }

    ngx_vidcast_ring_describe(ring, slot, frame);

    return NGX_OK;
}


void
ngx_vidcast_ring_release(ngx_vidcast_ring_t *ring, ngx_vidcast_frame_t *frame)
{
    (void) ngx_vidcast_ring_and(&ring->slots[frame->slot].state, ~ring->bit);
}


ngx_int_t
ngx_vidcast_ring_peek(ngx_vidcast_ring_t *ring, uint64_t seen,
    ngx_vidcast_frame_t *frame)
{
    uint32_t    i;
    uint64_t    past;
    ngx_uint_t  n;

    past = ngx_vidcast_ring_min_frame(ring);
    seen = ngx_max(seen, past);

    for (n = 0; n < NGX_VIDCAST_RING_TRIES; n++) {

        i = ngx_vidcast_load(&ring->shm->newest);

        if (i >= ring->geometry.slots) {
            return NGX_AGAIN;
        }

        ngx_vidcast_ring_describe(ring, i, frame);

        if (frame->number && frame->number <= seen) {
            return NGX_AGAIN;
        }

        if (ngx_vidcast_ring_check(ring, frame) == NGX_OK) {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


ngx_int_t
ngx_vidcast_ring_check(ngx_vidcast_ring_t *ring, ngx_vidcast_frame_t *frame)
{
    ngx_vidcast_ring_slot_t  *slot;

    slot = &ring->slots[frame->slot];

    /* the bytes must have been read before the number is read again */

    __atomic_thread_fence(__ATOMIC_SEQ_CST);

    if (frame->number == 0
        || ngx_vidcast_load(&slot->number) != frame->number
        || (ngx_vidcast_load(&slot->state) & NGX_VIDCAST_RING_WRITING))
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


void
ngx_vidcast_ring_describe(ngx_vidcast_ring_t *ring, uint32_t slot,
    ngx_vidcast_frame_t *frame)
{
    uint32_t                  size, plain, v1;
    ngx_vidcast_ring_slot_t  *s;

    s = &ring->slots[slot];

    frame->number = ngx_vidcast_load(&s->number);
    frame->nth = ngx_vidcast_load(&s->nth);
    frame->time = ngx_vidcast_load(&s->time);
    frame->captured = ngx_vidcast_load(&s->captured);
    frame->ready = ngx_vidcast_load(&s->ready);
    frame->pts = ngx_vidcast_load(&s->pts);
    frame->media_time = ngx_vidcast_load(&s->media_time);
    frame->width = ngx_vidcast_load(&s->width);
    frame->height = ngx_vidcast_load(&s->height);
    frame->sendfile = ngx_vidcast_load(&s->sendfile);

    size = ngx_vidcast_load(&s->size);
    plain = ngx_vidcast_load(&s->plain);
    v1 = ngx_vidcast_load(&s->v1);

    frame->size = ngx_min(size, ring->geometry.slot_size);
    frame->plain = ngx_min(plain, NGX_VIDCAST_RING_HEAD);
    frame->v1 = ngx_min(v1, NGX_VIDCAST_RING_HEAD);

    frame->data = ngx_vidcast_ring_data(ring, slot);
    frame->slot = slot;
}


uint64_t
ngx_vidcast_ring_newest(ngx_vidcast_ring_t *ring)
{
    /* not from the newest slot, which may be taken again meanwhile */

    return ngx_vidcast_load(&ring->shm->frame);
}


uint64_t
ngx_vidcast_ring_published(ngx_vidcast_ring_t *ring)
{
    uint32_t                  i;
    ngx_vidcast_ring_slot_t  *slot;

    i = ngx_vidcast_load(&ring->shm->newest);

    if (i >= ring->geometry.slots) {
        return 0;
    }

    slot = &ring->slots[i];

    return ngx_vidcast_load(&slot->number) ? ngx_vidcast_load(&slot->nth) : 0;
}


uint64_t
ngx_vidcast_ring_newest_result(ngx_vidcast_ring_t *ring)
{
    return ngx_vidcast_load(&ring->shm->seq);
}


uint64_t
ngx_vidcast_ring_epoch(ngx_vidcast_ring_t *ring)
{
    return ngx_vidcast_load(&ring->shm->epoch);
}


uint64_t
ngx_vidcast_ring_min_frame(ngx_vidcast_ring_t *ring)
{
    return ngx_vidcast_load(&ring->shm->min_frame);
}


uint32_t
ngx_vidcast_ring_pins(ngx_vidcast_ring_t *ring)
{
    uint32_t  i, n;
    uint64_t  pins;

    n = 0;

    for (i = 0; i < ring->geometry.slots; i++) {

        pins = ngx_vidcast_load(&ring->slots[i].state)
               & (((uint64_t) 1 << NGX_VIDCAST_RING_BITS) - 1);

        for ( /* void */ ; pins; pins &= pins - 1) {
            n++;
        }
    }

    return n;
}


ngx_int_t
ngx_vidcast_ring_read_result(ngx_vidcast_ring_t *ring, uint64_t seq,
    ngx_vidcast_ring_result_t *result, u_char *text)
{
    ngx_int_t  rc;

    rc = ngx_vidcast_ring_peek_result(ring, seq, result);

    if (rc == NGX_OK) {
        rc = ngx_vidcast_ring_copy_result(ring, result, text);
    }

    return rc;
}


ngx_int_t
ngx_vidcast_ring_peek_result(ngx_vidcast_ring_t *ring, uint64_t seq,
    ngx_vidcast_ring_result_t *result)
{
    ngx_vidcast_ring_result_t  *r;

    if (seq == 0) {
        return NGX_DECLINED;
    }

    if (seq > ngx_vidcast_ring_newest_result(ring)) {
        return NGX_AGAIN;
    }

    r = ngx_vidcast_ring_result(ring, seq);

    if (ngx_vidcast_load(&r->seq) != seq) {
        return NGX_DECLINED;
    }

    result->seq = seq;
    result->frame = ngx_vidcast_load(&r->frame);
    result->captured = ngx_vidcast_load(&r->captured);
    result->ready = ngx_vidcast_load(&r->ready);
    result->size = ngx_vidcast_load(&r->size);
    result->slot = ngx_vidcast_load(&r->slot);

    return (result->size > ring->geometry.result_size) ? NGX_DECLINED : NGX_OK;
}


ngx_int_t
ngx_vidcast_ring_copy_result(ngx_vidcast_ring_t *ring,
    ngx_vidcast_ring_result_t *result, u_char *text)
{
    ngx_vidcast_ring_result_t  *r;

    r = ngx_vidcast_ring_result(ring, result->seq);

    ngx_memcpy(text, r + 1, result->size);

    __atomic_thread_fence(__ATOMIC_SEQ_CST);

    return (ngx_vidcast_load(&r->seq) == result->seq) ? NGX_OK : NGX_DECLINED;
}


static ngx_vidcast_ring_result_t *
ngx_vidcast_ring_result(ngx_vidcast_ring_t *ring, uint64_t seq)
{
    size_t  stride;

    stride = ngx_vidcast_ring_result_stride(ring->geometry.result_size);

    return (ngx_vidcast_ring_result_t *)
               (ring->results + (seq % ring->geometry.results) * stride);
}


void
ngx_vidcast_ring_recover(ngx_vidcast_ring_t *ring)
{
    uint32_t                  i;
    uint64_t                  state;
    ngx_vidcast_ring_slot_t  *slot;

    for (i = 0; i < ring->geometry.slots; i++) {

        slot = &ring->slots[i];
        state = ngx_vidcast_load(&slot->state);

        if (state & NGX_VIDCAST_RING_WRITING) {
            ngx_vidcast_store(&slot->number, 0);
        }

        (void) ngx_vidcast_ring_and(&slot->state,
                                    ~(NGX_VIDCAST_RING_WRITING
                                      | NGX_VIDCAST_RING_OWNED));
    }
}


/* it has no number, so that a reader that sees it just now lets it go */

void
ngx_vidcast_ring_reclaim(ngx_vidcast_ring_t *ring, uint32_t slot)
{
    if (slot >= ring->geometry.slots) {
        return;
    }

    ngx_vidcast_store(&ring->slots[slot].number, 0);

    (void) ngx_vidcast_ring_or(&ring->slots[slot].state,
                               NGX_VIDCAST_RING_WRITING);
}


void
ngx_vidcast_ring_invalidate(ngx_vidcast_ring_t *ring)
{
    ngx_vidcast_store(&ring->shm->min_frame,
                      ngx_vidcast_load(&ring->shm->number));
}


void
ngx_vidcast_ring_invalidate_all(ngx_vidcast_ring_t *ring)
{
    uint64_t    seq;
    ngx_uint_t  i;

    ngx_vidcast_ring_invalidate(ring);

    seq = ngx_vidcast_ring_newest_result(ring);

    for (i = 0; i < ring->geometry.results && i < seq; i++) {
        ngx_vidcast_store(&ngx_vidcast_ring_result(ring, seq - i)->seq, 0);
    }
}


uint64_t
ngx_vidcast_ring_next(ngx_vidcast_ring_t *ring)
{
    uint64_t  number;

    number = ngx_vidcast_load(&ring->shm->number) + 1;
    ngx_vidcast_store(&ring->shm->number, number);

    return number;
}


void
ngx_vidcast_ring_set_number(ngx_vidcast_ring_t *ring, uint64_t number)
{
    if (number < ngx_vidcast_ring_newest(ring)) {
        ngx_vidcast_store(&ring->shm->newest, NGX_VIDCAST_RING_NONE);
        ngx_vidcast_store(&ring->shm->frame, 0);
        ngx_vidcast_store(&ring->shm->min_frame, 0);
    }

    ngx_vidcast_store(&ring->shm->number, number);
}


void
ngx_vidcast_ring_begin(ngx_vidcast_ring_t *ring, uint64_t epoch)
{
    ngx_uint_t  i;

    ngx_vidcast_store(&ring->shm->epoch, 0);

    for (i = 0; i < ring->geometry.results; i++) {
        ngx_vidcast_store(&ngx_vidcast_ring_result(ring, i)->seq, 0);
    }

    ngx_vidcast_store(&ring->shm->newest, NGX_VIDCAST_RING_NONE);
    ngx_vidcast_store(&ring->shm->frame, 0);
    ngx_vidcast_store(&ring->shm->min_frame, 0);
    ngx_vidcast_store(&ring->shm->number, 0);
    ngx_vidcast_store(&ring->shm->seq, 0);

    ngx_vidcast_store(&ring->shm->epoch, epoch);
}


uint32_t
ngx_vidcast_ring_claim(ngx_vidcast_ring_t *ring)
{
    uint32_t                  i, n;
    uint64_t                  free;
    ngx_vidcast_ring_slot_t  *slot;

    for (n = 0; n < ring->geometry.slots; n++) {

        i = ngx_vidcast_ring_free(ring);

        if (i == NGX_VIDCAST_RING_NONE) {
            break;
        }

        free = 0;
        slot = &ring->slots[i];

        if (!ngx_vidcast_cas(&slot->state, &free, NGX_VIDCAST_RING_WRITING)) {
            continue;
        }

        ngx_vidcast_store(&slot->number, 0);

        /* seen before the bytes to come, by readers without a pin */

        __atomic_thread_fence(__ATOMIC_SEQ_CST);

        if (slot->sendfile
            && ngx_vidcast_ring_replace_pages(ring, i) != NGX_OK)
        {
            ngx_vidcast_ring_abandon(ring, i);
            continue;
        }

        return i;
    }

    return NGX_VIDCAST_RING_NONE;
}


/*
 * Of the slots that are free the one that was written last: the processor's
 * cache may still have it, and those that are never needed take no memory.
 */

static uint32_t
ngx_vidcast_ring_free(ngx_vidcast_ring_t *ring)
{
    uint32_t                  i, best, newest;
    uint64_t                  number, highest;
    ngx_vidcast_ring_slot_t  *slot;

    newest = ngx_vidcast_load(&ring->shm->newest);
    best = NGX_VIDCAST_RING_NONE;
    highest = 0;

    for (i = 0; i < ring->geometry.slots; i++) {
        slot = &ring->slots[i];
        number = ngx_vidcast_load(&slot->number);

        if (i != newest
            && ngx_vidcast_load(&slot->state) == 0
            && (best == NGX_VIDCAST_RING_NONE || number > highest))
        {
            best = i;
            highest = number;
        }
    }

    return best;
}


/*
 * The pages that sockets have stay as they are, and belong to them alone: the
 * memfd forgets them.  A slot begins and ends with pages, and the mapping
 * takes no huge ones, of which parts could only be overwritten.  A process
 * that dies here leaves the mark.
 */

static ngx_int_t
ngx_vidcast_ring_replace_pages(ngx_vidcast_ring_t *ring, uint32_t slot)
{
    size_t                    stride;
    ngx_vidcast_ring_slot_t  *s;
#ifdef MADV_POPULATE_WRITE
    size_t                    used;
#endif

    s = &ring->slots[slot];
    stride = ngx_vidcast_ring_stride(ring->geometry.slot_size);

    if (fallocate(ring->file, FALLOC_FL_PUNCH_HOLE|FALLOC_FL_KEEP_SIZE,
                  (off_t) (slot * stride), (off_t) stride)
        == -1)
    {
        return NGX_ERROR;
    }

    s->sendfile = 0;

#ifdef MADV_POPULATE_WRITE

    /* the next picture is about as large: all at once costs less */

    used = ngx_align(NGX_VIDCAST_RING_HEAD + (size_t) s->size
                     + NGX_VIDCAST_RING_TAIL_LEN, ngx_pagesize);

    (void) madvise(ring->frames + slot * stride, ngx_min(used, stride),
                   MADV_POPULATE_WRITE);

#endif

    return NGX_OK;
}


u_char *
ngx_vidcast_ring_data(ngx_vidcast_ring_t *ring, uint32_t slot)
{
    size_t  stride;

    stride = ngx_vidcast_ring_stride(ring->geometry.slot_size);

    return ring->frames + slot * stride + NGX_VIDCAST_RING_HEAD;
}


ngx_vidcast_ring_slot_t *
ngx_vidcast_ring_slot(ngx_vidcast_ring_t *ring, uint32_t slot)
{
    return &ring->slots[slot];
}


void
ngx_vidcast_ring_publish(ngx_vidcast_ring_t *ring, uint32_t slot,
    uint64_t number)
{
    ngx_vidcast_ring_slot_t  *s;

    s = &ring->slots[slot];

    if (number <= ngx_vidcast_ring_newest(ring)) {
        ngx_vidcast_ring_abandon(ring, slot);
        return;
    }

    ngx_vidcast_store(&s->number, number);

    /* no reader may get a frame that is above the newest number */

    ngx_vidcast_store(&ring->shm->frame, number);

    /* readers may have set their bits meanwhile: never a plain store here */

    (void) ngx_vidcast_ring_and(&s->state, ~NGX_VIDCAST_RING_WRITING);

    ngx_vidcast_store(&ring->shm->newest, slot);
}


void
ngx_vidcast_ring_abandon(ngx_vidcast_ring_t *ring, uint32_t slot)
{
    if (slot >= ring->geometry.slots) {
        return;
    }

    (void) ngx_vidcast_ring_and(&ring->slots[slot].state,
                                ~NGX_VIDCAST_RING_WRITING);
}


void
ngx_vidcast_ring_unpin(ngx_vidcast_ring_t *ring, uint64_t bits)
{
    uint32_t  i;

    for (i = 0; i < ring->geometry.slots; i++) {
        (void) ngx_vidcast_ring_and(&ring->slots[i].state, ~bits);
    }
}


uint64_t
ngx_vidcast_ring_pinned(ngx_vidcast_ring_t *ring)
{
    uint32_t  i;
    uint64_t  bits;

    bits = 0;

    for (i = 0; i < ring->geometry.slots; i++) {
        bits |= ngx_vidcast_load(&ring->slots[i].state);
    }

    return bits & ~NGX_VIDCAST_RING_WRITING;
}


ngx_vidcast_ring_result_t *
ngx_vidcast_ring_open_result(ngx_vidcast_ring_t *ring, uint64_t *seq)
{
    *seq = ngx_vidcast_ring_newest_result(ring) + 1;

    return ngx_vidcast_ring_open_result_at(ring, *seq);
}


ngx_vidcast_ring_result_t *
ngx_vidcast_ring_open_result_at(ngx_vidcast_ring_t *ring, uint64_t seq)
{
    ngx_vidcast_ring_result_t  *result;

    result = ngx_vidcast_ring_result(ring, seq);

    ngx_vidcast_store(&result->seq, 0);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);

    result->slot = NGX_VIDCAST_RING_NONE;

    return result;
}


void
ngx_vidcast_ring_publish_result(ngx_vidcast_ring_t *ring,
    ngx_vidcast_ring_result_t *result, uint64_t seq)
{
    ngx_vidcast_store(&result->seq, seq);
    ngx_vidcast_store(&ring->shm->seq, seq);
}
