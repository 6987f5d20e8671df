
/*
 * Copyright (C) vidcast contributors
 */


/*
 * All that reads what a publisher sends: the WebSocket reader, whose chunks go
 * into a slot, the check of a picture and of a text there, and the tables that
 * are put into a picture without.  Nothing may be written behind the slot, and
 * however TCP cuts the bytes the same messages must come out.
 *
 * An input: a byte of options (the size of the slot), three bytes that say
 * where to cut, and what a client sends.
 */

#include "wire/ngx_vidcast_ws.c"
#include "unit_codec.h"
#include "wire/ngx_vidcast_result_value.c"
#include "wire/ngx_vidcast_ws_assembler.c"
#include "fuzz.h"


#define FUZZ_HEAD     4
#define FUZZ_SLOT     64              /* the smallest one */
#define FUZZ_TEXT     200
#define FUZZ_LETTERS  256             /* of one input, then it is enough */


typedef struct {
    ngx_vidcast_ws_reader_t     reader;
    ngx_vidcast_ws_assembler_t  message;
    u_char                     *slot;
    ngx_uint_t                  code;   /* it was closed by */
    ngx_uint_t                  n;
    uint64_t                    sum;    /* of all messages, in their order */
} fuzz_publisher_t;


static void fuzz_run(fuzz_publisher_t *p, const uint8_t *data, size_t size,
    const uint8_t *cuts, ngx_uint_t slot);
static size_t fuzz_read(fuzz_publisher_t *p, const uint8_t *data, size_t size);
static void fuzz_events(fuzz_publisher_t *p, u_char *pos, u_char *last);
static void fuzz_letter(fuzz_publisher_t *p);
static void fuzz_picture(fuzz_publisher_t *p);
static void fuzz_text(fuzz_publisher_t *p);
static void fuzz_sum(fuzz_publisher_t *p, const u_char *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ngx_uint_t        slot;
    fuzz_publisher_t  whole, cut;

    static const uint8_t  none[3] = { 255, 255, 255 };

    if (size < FUZZ_HEAD) {
        return 0;
    }

    slot = FUZZ_SLOT + 16 * data[0];

    fuzz_run(&whole, data + FUZZ_HEAD, size - FUZZ_HEAD, none, slot);
    fuzz_run(&cut, data + FUZZ_HEAD, size - FUZZ_HEAD, data + 1, slot);

    /* a text may be refused for two reasons: which of them comes first? */

    fuzz_check((whole.code != 0) == (cut.code != 0));
    fuzz_check(whole.n == cut.n && whole.sum == cut.sum);

    return 0;
}


static void
fuzz_run(fuzz_publisher_t *p, const uint8_t *data, size_t size,
    const uint8_t *cuts, ngx_uint_t slot)
{
    size_t      n, done, taken;
    ngx_uint_t  i;

    memset(p, 0, sizeof(fuzz_publisher_t));

    ngx_vidcast_ws_reader_init(&p->reader, slot);

    /* of the exact size, for the sanitizer */

    p->slot = malloc(slot);
    fuzz_check(p->slot != NULL);

    p->message.data = p->slot;
    p->message.max_picture = slot;
    p->message.max_text = ngx_min(slot, FUZZ_TEXT);

    for (i = 0, done = 0; done < size && p->code == 0; i++) {
        n = ngx_min((size_t) cuts[i % 3] + 1, size - done);

        while (n && p->code == 0 && p->n < FUZZ_LETTERS) {
            taken = fuzz_read(p, data + done, n);

            done += taken;
            n -= taken;
        }

        if (p->n == FUZZ_LETTERS) {
            break;
        }
    }

    free(p->slot);
}


/* as the socket reads: data to its place, other bytes to a buffer */

static size_t
fuzz_read(fuzz_publisher_t *p, const uint8_t *data, size_t size)
{
    u_char    *room, *copy;
    uint64_t   expected;

    expected = ngx_vidcast_ws_expected(&p->reader);

    if (expected) {
        size = ngx_min(size, expected);

        room = ngx_vidcast_ws_assembler_buffer(&p->message, size);

        fuzz_check(room != NULL);
        fuzz_check(room + size <= p->slot + p->message.max_picture);

        memcpy(room, data, size);
        fuzz_events(p, room, room + size);

        return size;
    }

    copy = fuzz_copy(data, size);
    fuzz_events(p, copy, copy + size);
    free(copy);

    return size;
}


static void
fuzz_events(fuzz_publisher_t *p, u_char *pos, u_char *last)
{
    ngx_int_t               rc;
    ngx_vidcast_ws_event_t  event;

    while (p->code == 0 && p->n < FUZZ_LETTERS) {

        rc = ngx_vidcast_ws_read(&p->reader, &pos, last, &event);

        if (rc == NGX_AGAIN) {
            return;
        }

        if (rc == NGX_ERROR) {
            p->code = p->reader.code;
            return;
        }

        if (event.opcode == NGX_VIDCAST_WS_CLOSE) {
            p->code = event.code;
            return;
        }

        if (event.opcode == NGX_VIDCAST_WS_PING
            || event.opcode == NGX_VIDCAST_WS_PONG)
        {
            continue;
        }

        rc = ngx_vidcast_ws_assembler_add(&p->message, &event);

        if (rc == NGX_DECLINED) {
            fuzz_check(p->message.code == 1007 || p->message.code == 1009);
            p->code = p->message.code;
            return;
        }

        fuzz_check((rc == NGX_OK) == event.last);

        if (rc == NGX_OK) {
            fuzz_letter(p);
        }
    }
}


static void
fuzz_letter(fuzz_publisher_t *p)
{
    fuzz_check(p->message.size <= p->message.max_picture);

    p->n++;

    fuzz_sum(p, p->slot, p->message.size);

    if (p->message.text) {
        fuzz_text(p);

    } else {
        fuzz_picture(p);
    }

    /* the next one comes into a slot which others have used */

    memset(p->slot, 0x5a, p->message.max_picture);
    p->message.size = 0;
}


static void
fuzz_picture(fuzz_publisher_t *p)
{
    u_char                   *copy, *end;
    size_t                    size;
    ngx_int_t                 rc;
    ngx_vidcast_jpeg_info_t   info, again;

    copy = fuzz_copy(p->slot, p->message.size);
    rc = ngx_vidcast_jpeg_probe(copy, p->message.size, &info);
    free(copy);

    if (rc != NGX_OK) {
        return;
    }

    fuzz_check(info.size <= p->message.size && info.size > 4);
    fuzz_check(info.width && info.height
               && info.width <= NGX_VIDCAST_MAX_DIMENSION
               && info.height <= NGX_VIDCAST_MAX_DIMENSION);
    fuzz_check(p->slot[info.size - 2] == 0xff
               && p->slot[info.size - 1] == 0xd9);

    size = info.size + NGX_VIDCAST_JPEG_DHT_LEN;

    if (info.dht || size > p->message.max_picture) {
        return;
    }

    /* in place as into another buffer */

    copy = malloc(size);
    fuzz_check(copy != NULL);

    end = ngx_vidcast_jpeg_insert_dht(copy, p->slot, &info);
    fuzz_check(end == copy + size);

    end = ngx_vidcast_jpeg_insert_dht(p->slot, p->slot, &info);
    fuzz_check(end == p->slot + size && memcmp(copy, p->slot, size) == 0);

    free(copy);

    fuzz_check(ngx_vidcast_jpeg_probe(p->slot, size, &again) == NGX_OK);
    fuzz_check(again.dht && again.size == size
               && again.width == info.width && again.height == info.height);
}


static void
fuzz_text(fuzz_publisher_t *p)
{
    size_t      i, size;
    ngx_uint_t  n;

    fuzz_check(p->message.size && p->message.size <= p->message.max_text);
    fuzz_check(ngx_vidcast_utf8_check(p->slot, p->message.size) == NGX_OK);

    n = 0;

    for (i = 0; i < p->message.size; i++) {
        fuzz_check(p->slot[i] >= ' ');
        n += (p->slot[i] == '"');
    }

    /* it stands within an object: its strings must end */

    fuzz_check(n % 2 == 0 || memchr(p->slot, '\\', p->message.size));

    size = p->message.size;

    fuzz_check(ngx_vidcast_result_value_check(p->slot, &size) == NGX_OK
               && size == p->message.size);
}


static void
fuzz_sum(fuzz_publisher_t *p, const u_char *data, size_t size)
{
    p->sum = p->sum * 31 + size;

    while (size--) {
        p->sum = (p->sum ^ *data++) * 1099511628211U;
    }
}
