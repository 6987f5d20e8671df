
/*
 * Copyright (C) vidcast contributors
 */


/*
 * The capture's side of what publishers hand in: the box in shared memory, the
 * ring, and the pictures in it, all of which a worker can write to.  Whatever
 * stands there, and changes between two looks at it, the capture may read and
 * write in its ring only, and goes on.
 *
 * A change, while the capture is at work, is one of the box, the ring or its
 * frames, at an offset, to a value.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "fuzz_script.h"


#define __atomic_compare_exchange_n(p, old, v, weak, success, failure)        \
    (fuzz_between(), fuzz_cas((uint64_t *) (p), (uint64_t *) (old), v))

static int fuzz_cas(uint64_t *p, uint64_t *old, uint64_t v);


#include "shm/ngx_vidcast_publish_handoff.c"
#include "shm/ngx_vidcast_ring.c"
#include "input/ngx_vidcast_input_push.c"


#define FUZZ_SLOTS  8
#define FUZZ_SLOT   64


static void fuzz_worker(void);
static void fuzz_grab(void);
static void fuzz_open(void);
static void fuzz_close(void);
static uint32_t fuzz_claim(ngx_vidcast_capture_t *capture);
static void fuzz_abandon(ngx_vidcast_capture_t *capture, uint32_t slot);
static ngx_int_t fuzz_result(ngx_vidcast_capture_t *capture,
    const u_char *json, size_t size, uint64_t *seq);


static ngx_uint_t                 fuzz_sum;    /* of all that was read */

static void                      *fuzz_memory;
static void                      *fuzz_frames;
static ngx_log_t                  fuzz_log;
static ngx_vidcast_zone_t         fuzz_zone;
static ngx_vidcast_zone_shm_t     fuzz_shm;
static ngx_vidcast_source_t       fuzz_source;
static ngx_vidcast_input_t        fuzz_input;
static ngx_vidcast_input_conf_t   fuzz_conf;
static ngx_vidcast_input_host_t   fuzz_host = {
    fuzz_claim, fuzz_abandon, fuzz_result, NULL
};


/* what there is besides */

void
ngx_vidcast_zone_wake_workers(ngx_vidcast_zone_t *zone)
{
    /* void */
}


ngx_int_t
ngx_vidcast_zone_wait_wake(ngx_vidcast_zone_t *zone, int timeout)
{
    return NGX_OK;
}


void
ngx_vidcast_zone_take_back(ngx_vidcast_control_t *control,
    ngx_vidcast_zone_t *zone, ngx_log_t *log)
{
    /* void */
}


ngx_int_t
ngx_vidcast_input_jpeg(ngx_vidcast_input_t *in, ngx_vidcast_picture_t *picture,
    const u_char *data, size_t size)
{
    size_t  i;

    for (i = 0; i < size; i++) {
        fuzz_sum += data[i];
    }

    return (fuzz_sum & 1) ? NGX_OK : NGX_DECLINED;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t  slot;

    fuzz_open();

    fuzz_pos = data;
    fuzz_last = data + size;

    while (fuzz_pos < fuzz_last) {

        switch (fuzz_next() % 4) {

        case 0:
            fuzz_grab();
            break;

        case 1:
            fuzz_worker();
            break;

        case 2:
            fuzz_change();
            break;

        default:

            /* as a capture that is started again */

            fuzz_hostile = 1;

            slot = ngx_vidcast_handoff_recover(&fuzz_zone.shm->handoff);
            ngx_vidcast_ring_recover(&fuzz_zone.ring);
            ngx_vidcast_ring_reclaim(&fuzz_zone.ring, slot);

            fuzz_hostile = 0;
        }
    }

    fuzz_close();

    return 0;
}


static int
fuzz_cas(uint64_t *p, uint64_t *old, uint64_t v)
{
    if (*p != *old) {
        *old = *p;
        return 0;
    }

    *p = v;

    return 1;
}


static void
fuzz_change(void)
{
    u_char                  *p;
    ngx_uint_t               target, offset;
    ngx_vidcast_geometry_t  *g;

    g = &fuzz_zone.ring.geometry;

    target = fuzz_next() % 4;
    offset = fuzz_next() | fuzz_next() << 8;

    switch (target) {

    case 0:
        p = fuzz_memory;
        offset %= ngx_vidcast_ring_size(g);
        break;

    case 1:
        p = fuzz_frames;
        offset %= ngx_vidcast_ring_frames_size(g);
        break;

    default:
        p = (u_char *) &fuzz_zone.shm->handoff;
        offset %= sizeof(ngx_vidcast_handoff_t);
    }

    p[offset] = (u_char) fuzz_next();
}


/* as an honest one does, up to what it says of the message */

static void
fuzz_worker(void)
{
    uint64_t                number;
    uint32_t                slot;
    ngx_uint_t              reason;
    ngx_vidcast_handoff_t  *handoff;

    handoff = &fuzz_zone.shm->handoff;

    switch (fuzz_next() % 4) {

    case 0:
        (void) ngx_vidcast_handoff_enter(handoff, 3, fuzz_next() & 1);
        break;

    case 1:
        (void) ngx_vidcast_handoff_slot_lent(handoff, 3, &slot);
        (void) ngx_vidcast_handoff_submit(handoff, 3, fuzz_next() % 3,
                                          fuzz_next(), fuzz_next() & 1);
        break;

    case 2:
        (void) ngx_vidcast_handoff_outcome(handoff, 3, &reason, &number);
        break;

    default:
        (void) ngx_vidcast_handoff_leave(handoff, 3);
    }
}


static void
fuzz_grab(void)
{
    ngx_vidcast_picture_t  picture;

    ngx_memzero(&picture, sizeof(ngx_vidcast_picture_t));

    fuzz_hostile = 1;

    if (ngx_vidcast_input_push.grab(&fuzz_input, &picture) == NGX_OK) {
        fuzz_check(picture.slot < FUZZ_SLOTS);

        fuzz_input.number = fuzz_next() & 1;
        fuzz_input.large = fuzz_next() & 1;

        ngx_vidcast_input_push.release(&fuzz_input);
    }

    fuzz_hostile = 0;

    fuzz_check(ngx_strlen(fuzz_input.error) < NGX_VIDCAST_ERROR_LEN);
}


static uint32_t
fuzz_claim(ngx_vidcast_capture_t *capture)
{
    uint32_t  slot;

    slot = ngx_vidcast_ring_claim(&fuzz_zone.ring);

    fuzz_check(slot < FUZZ_SLOTS || slot == NGX_VIDCAST_RING_NONE);

    return slot;
}


static void
fuzz_abandon(ngx_vidcast_capture_t *capture, uint32_t slot)
{
    ngx_vidcast_ring_abandon(&fuzz_zone.ring, slot);
}


static ngx_int_t
fuzz_result(ngx_vidcast_capture_t *capture, const u_char *json, size_t size,
    uint64_t *seq)
{
    size_t  i;

    for (i = 0; i < size; i++) {
        fuzz_sum += json[i];
    }

    *seq = fuzz_sum;

    return (fuzz_sum & 1) ? NGX_OK : NGX_DECLINED;
}


static void
fuzz_open(void)
{
    ngx_vidcast_geometry_t  g;

    ngx_memzero(&g, sizeof(ngx_vidcast_geometry_t));

    g.slots = FUZZ_SLOTS;
    g.slot_size = FUZZ_SLOT;
    g.results = 4;
    g.result_size = 64;

    fuzz_memory = ngx_calloc(ngx_vidcast_ring_size(&g), &fuzz_log);
    fuzz_frames = ngx_calloc(ngx_vidcast_ring_frames_size(&g), &fuzz_log);

    fuzz_check(fuzz_memory && fuzz_frames);

    fuzz_zone.shm = &fuzz_shm;
    ngx_memzero(&fuzz_shm.handoff, sizeof(ngx_vidcast_handoff_t));

    ngx_vidcast_ring_create(&fuzz_zone.ring, fuzz_memory, fuzz_frames, &g);

    fuzz_zone.ring.bit = (uint64_t) 1 << NGX_VIDCAST_RING_OWN;

    fuzz_source.original.zone = &fuzz_zone;

    ngx_memzero(&fuzz_input, sizeof(ngx_vidcast_input_t));

    fuzz_input.conf = &fuzz_conf;
    fuzz_input.log = &fuzz_log;
    fuzz_input.source = &fuzz_source;
    fuzz_input.host = &fuzz_host;

    fuzz_sum = 0;

    fuzz_check(ngx_vidcast_input_push.open(&fuzz_input) == NGX_OK);
}


static void
fuzz_close(void)
{
    ngx_vidcast_input_push.close(&fuzz_input);

    ngx_free(fuzz_memory);
    ngx_free(fuzz_frames);
}
