
/*
 * Copyright (C) vidcast contributors
 */


/*
 * The ring's results: a history that is overwritten from its end.
 */

#include "unit_ring.h"


static void test_results(void);
static void test_result_sizes(void);
static void test_lost_result(void);
static void test_series(void);


int
main(void)
{
    test_results();
    test_result_sizes();
    test_lost_result();
    test_series();

    return unit_done();
}


static void
test_results(void)
{
    u_char                      text[100];
    uint64_t                    seq, newest;
    ngx_int_t                   rc, want;
    ngx_uint_t                  bad;
    unit_ring_t                 r;
    ngx_vidcast_ring_result_t   result;

    unit_ring_open(&r, 3, 600, 5, sizeof(text));

    bad = 0;

    for (newest = 1; newest <= 23; newest++) {
        unit_result_write(&r.writer, newest);

        bad |= (ngx_vidcast_ring_newest_result(&r.a) != newest);

        for (seq = 0; seq <= 25; seq++) {
            rc = ngx_vidcast_ring_read_result(&r.a, seq, &result, text);

            if (seq > newest) {
                want = NGX_AGAIN;

            } else if (seq == 0 || seq + 5 <= newest) {
                want = NGX_DECLINED;

            } else {
                want = NGX_OK;
            }

            bad |= (rc != want
                    || (rc == NGX_OK
                        && (unit_result_check(&r.a, seq, &result, text)
                            != NULL || result.frame != seq)));
        }
    }

    unit_ok(bad == 0, "results: the last 5 of 23 can be read each time");

    rc = ngx_vidcast_ring_read_result(&r.a, (uint64_t) -1, &result,
                                      text);

    unit_ok(rc == NGX_AGAIN, "results: the last one of all");

    unit_ring_close(&r);
}


static void
test_result_sizes(void)
{
    u_char                     *text;
    uint32_t                    size;
    uint64_t                    seq;
    ngx_uint_t                  bad;
    unit_ring_t                 r;
    unit_memory_t               memory;
    ngx_vidcast_ring_result_t   result, *p;

    unit_ring_open(&r, 1, 600, 3, 192);

    /* room for a result, and no byte beyond */

    unit_memory(&memory, 192);
    text = memory.addr;
    bad = 0;

    for (size = 0; size <= 192; size++) {
        p = ngx_vidcast_ring_open_result(&r.writer, &seq);
        p->size = size;
        unit_bytes((u_char *) (p + 1), size, size);
        ngx_vidcast_ring_publish_result(&r.writer, p, seq);

        ngx_memset(text, '#', 192);

        bad |= (ngx_vidcast_ring_read_result(&r.a, seq, &result, text)
                != NGX_OK
                || result.size != size
                || unit_bytes_check(text, size, size) != size
                || (size < 192 && text[size] != '#'));
    }

    unit_ok(bad == 0, "results: all sizes from 0 to the largest");

    p = ngx_vidcast_ring_open_result(&r.writer, &seq);
    p->size = 193;
    ngx_vidcast_ring_publish_result(&r.writer, p, seq);

    unit_ok(ngx_vidcast_ring_read_result(&r.a, seq, &result, text)
            == NGX_DECLINED, "results: none is read which cannot be");

    unit_memory_free(&memory);
    unit_ring_close(&r);
}


static void
test_lost_result(void)
{
    u_char                      text[100];
    uint64_t                    seq;
    ngx_uint_t                  i;
    unit_ring_t                 r;
    ngx_vidcast_ring_result_t   result, *p;

    unit_ring_open(&r, 3, 600, 4, sizeof(text));

    for (i = 0; i < 6; i++) {
        unit_result_write(&r.writer, 1);
    }

    unit_ok(ngx_vidcast_ring_read_result(&r.a, 3, &result, text) == NGX_OK,
            "lost: 3 is there");

    p = ngx_vidcast_ring_open_result(&r.writer, &seq);
    p->size = 5;

    unit_ok(seq == 7
            && ngx_vidcast_ring_read_result(&r.a, 7, &result, text)
               == NGX_AGAIN
            && ngx_vidcast_ring_newest_result(&r.a) == 6,
            "lost: 7 is being written");
    unit_ok(ngx_vidcast_ring_read_result(&r.a, 3, &result, text)
            == NGX_DECLINED, "lost: 3 makes room for it");

    /* a new writer */

    ngx_vidcast_ring_recover(&r.writer);
    unit_result_write(&r.writer, 2);

    unit_ok(ngx_vidcast_ring_newest_result(&r.a) == 7
            && ngx_vidcast_ring_read_result(&r.a, 7, &result, text) == NGX_OK
            && unit_result_check(&r.a, 7, &result, text) == NULL
            && result.frame == 2, "lost: 7 comes from the next writer");

    unit_ring_close(&r);
}


/* another ring has given the numbers, and then yet another one */

static void
test_series(void)
{
    u_char                      text[100];
    unit_ring_t                 r;
    ngx_vidcast_frame_t         frame;
    ngx_vidcast_ring_result_t   result, *p;

    unit_ring_open(&r, 3, 600, 5, sizeof(text));

    ngx_vidcast_ring_set_number(&r.writer, 99);
    (void) unit_ring_put(&r.writer);
    unit_result_write(&r.writer, 7);

    p = ngx_vidcast_ring_open_result_at(&r.writer, 40);
    p->size = 0;
    ngx_vidcast_ring_publish_result(&r.writer, p, 40);

    unit_ok(ngx_vidcast_ring_newest_result(&r.a) == 40
            && ngx_vidcast_ring_read_result(&r.a, 40, &result, text) == NGX_OK
            && result.slot == NGX_VIDCAST_RING_NONE,
            "a result keeps its number");
    unit_ok(ngx_vidcast_ring_read_result(&r.a, 39, &result, text)
            == NGX_DECLINED
            && ngx_vidcast_ring_read_result(&r.a, 36, &result, text)
               == NGX_DECLINED,
            "those before it are lost");

    ngx_vidcast_ring_begin(&r.writer, 0xe);

    unit_ok(ngx_vidcast_ring_epoch(&r.a) == 0xe
            && ngx_vidcast_ring_newest_result(&r.a) == 0
            && ngx_vidcast_ring_newest(&r.a) == 0
            && ngx_vidcast_ring_acquire(&r.a, 0, &frame) == NGX_AGAIN
            && ngx_vidcast_ring_peek(&r.a, 0, &frame) == NGX_AGAIN,
            "another series has nothing at first");

    ngx_vidcast_ring_set_number(&r.writer, 4);
    (void) unit_ring_put(&r.writer);

    unit_ok(ngx_vidcast_ring_acquire(&r.a, 0, &frame) == NGX_OK
            && frame.number == 5,
            "and then a frame with a lower number");

    ngx_vidcast_ring_release(&r.a, &frame);

    p = ngx_vidcast_ring_open_result_at(&r.writer, 1);
    p->size = 0;
    ngx_vidcast_ring_publish_result(&r.writer, p, 1);

    unit_ok(ngx_vidcast_ring_read_result(&r.a, 1, &result, text) == NGX_OK
            && ngx_vidcast_ring_read_result(&r.a, 40, &result, text)
               == NGX_AGAIN,
            "and a result");

    unit_ring_close(&r);
}
