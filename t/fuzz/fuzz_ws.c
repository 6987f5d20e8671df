
/*
 * Copyright (C) vidcast contributors
 */


/*
 * The WebSocket reader: the same bytes must tell the same story however TCP
 * cuts them, and nothing may be touched that was not taken.
 *
 * An input: a byte of options (1: RSV1 is allowed, 2: a large max_message),
 * three bytes that say where to cut, and what a client sends.
 */

#include "wire/ngx_vidcast_ws.c"
#include "fuzz.h"


#define FUZZ_HEAD   4
#define FUZZ_SMALL  20
#define FUZZ_LARGE  100000


typedef struct {
    size_t                    len;
    u_char                   *data;
} fuzz_text_t;


typedef struct {
    ngx_vidcast_ws_reader_t   reader;
    ngx_int_t                 rc;
    ngx_uint_t                type;       /* of the open message, or zero */
    ngx_uint_t                compressed;
    ngx_uint_t                closed;
    fuzz_text_t               ended;      /* messages and control frames */
    fuzz_text_t               open;       /* message so far */
} fuzz_story_t;


static void fuzz_init(fuzz_story_t *story, ngx_uint_t options, size_t size);
static void fuzz_free(fuzz_story_t *story);
static void fuzz_feed(fuzz_story_t *story, const u_char *data, size_t size);
static void fuzz_data(fuzz_story_t *story, ngx_vidcast_ws_event_t *event);
static void fuzz_control(fuzz_story_t *story, ngx_vidcast_ws_event_t *event);
static ngx_uint_t fuzz_utf8(u_char *p, size_t size);
static void fuzz_append(fuzz_text_t *text, const void *data, size_t size);
static void fuzz_append_number(fuzz_text_t *text, size_t n);
static void fuzz_compare(fuzz_story_t *whole, fuzz_story_t *cut);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t        n, i, done;
    fuzz_story_t  whole, cut, bytes;

    if (size < FUZZ_HEAD) {
        return 0;
    }

    fuzz_init(&whole, data[0], size);
    fuzz_init(&cut, data[0], size);
    fuzz_init(&bytes, data[0], size);

    fuzz_feed(&whole, data + FUZZ_HEAD, size - FUZZ_HEAD);

    for (i = 0, done = FUZZ_HEAD; done < size; done += n, i++) {
        n = ngx_min((size_t) data[1 + i % 3], size - done);
        n = ngx_max(n, 1);

        fuzz_feed(&cut, data + done, n);
    }

    for (done = FUZZ_HEAD; done < size; done++) {
        fuzz_feed(&bytes, data + done, 1);
    }

    fuzz_compare(&whole, &cut);
    fuzz_compare(&whole, &bytes);

    fuzz_free(&whole);
    fuzz_free(&cut);
    fuzz_free(&bytes);

    return 0;
}


/* each event tells of bytes that came, a control frame's number is extra */

static void
fuzz_init(fuzz_story_t *story, ngx_uint_t options, size_t size)
{
    memset(story, 0, sizeof(fuzz_story_t));
    memset(&story->reader, 0x5a, sizeof(story->reader));

    ngx_vidcast_ws_reader_init(&story->reader,
                               (options & 2) ? FUZZ_LARGE : FUZZ_SMALL);

    story->reader.deflate = options & 1;
    story->rc = NGX_AGAIN;

    story->ended.data = malloc(16 * size);
    story->open.data = malloc(size);
}


static void
fuzz_free(fuzz_story_t *story)
{
    free(story->ended.data);
    free(story->open.data);
}


static void
fuzz_feed(fuzz_story_t *story, const u_char *data, size_t size)
{
    u_char                  *copy, *pos, *last, *taken;
    ngx_vidcast_ws_event_t   event;

    copy = fuzz_copy(data, size);
    pos = copy;
    last = copy + size;

    for ( ;; ) {
        taken = pos;
        memset(&event, 0x5a, sizeof(event));

        story->rc = ngx_vidcast_ws_read(&story->reader, &pos, last, &event);

        fuzz_check(pos >= taken && pos <= last);
        fuzz_check(memcmp(pos, data + (pos - copy), last - pos) == 0);

        if (story->rc != NGX_OK) {
            break;
        }

        fuzz_check(!story->closed);

        if (event.opcode & 8) {
            fuzz_control(story, &event);
            continue;
        }

        fuzz_check(event.data >= taken && event.data + event.size <= pos);
        fuzz_data(story, &event);
    }

    fuzz_check(story->rc == NGX_ERROR
               || (story->rc == NGX_AGAIN && pos == last));

    free(copy);
}


static void
fuzz_data(fuzz_story_t *story, ngx_vidcast_ws_event_t *event)
{
    fuzz_check(event->opcode == NGX_VIDCAST_WS_TEXT
               || event->opcode == NGX_VIDCAST_WS_BINARY);
    fuzz_check(event->size || event->last);
    fuzz_check(event->first == (story->type == 0));

    if (event->first) {
        story->type = event->opcode;
        story->compressed = event->compressed;
    }

    fuzz_check(story->type == event->opcode
               && story->compressed == event->compressed
               && (!event->compressed || story->reader.deflate));

    fuzz_append(&story->open, event->data, event->size);

    fuzz_check(story->open.len <= story->reader.max_message);

    if (!event->last) {
        return;
    }

    if (story->type == NGX_VIDCAST_WS_TEXT && !story->compressed) {
        fuzz_check(fuzz_utf8(story->open.data, story->open.len));
    }

    fuzz_append_number(&story->ended, story->type + 16 * story->compressed);
    fuzz_append_number(&story->ended, story->open.len);
    fuzz_append(&story->ended, story->open.data, story->open.len);

    story->open.len = 0;
    story->type = 0;
}


static void
fuzz_control(fuzz_story_t *story, ngx_vidcast_ws_event_t *event)
{
    u_char  *control;

    control = story->reader.control;

    fuzz_check(event->first && event->last && !event->compressed);
    fuzz_check(event->size <= NGX_VIDCAST_WS_MAX_CONTROL);
    fuzz_check(event->data >= control && event->data + event->size
               <= control + NGX_VIDCAST_WS_MAX_CONTROL);

    if (event->opcode == NGX_VIDCAST_WS_CLOSE) {
        story->closed = 1;

        fuzz_check(event->code >= 1000 && event->code < 5000
                   && event->code != 1004 && event->code != 1006
                   && event->code != 1015);
        fuzz_check(fuzz_utf8(event->data, event->size));
    }

    /* it stands where it came: behind so many bytes of the open message */

    fuzz_append_number(&story->ended, event->opcode);
    fuzz_append_number(&story->ended, event->code);
    fuzz_append_number(&story->ended, story->open.len);
    fuzz_append(&story->ended, event->data, event->size);
}


/* nginx's decoder knows overlong forms only */

static ngx_uint_t
fuzz_utf8(u_char *p, size_t size)
{
    u_char    *last;
    uint32_t   code;

    fuzz_check(ngx_vidcast_utf8_check(p, size) == NGX_OK);

    for (last = p + size; p < last; /* void */ ) {
        code = (*p < 0x80) ? *p++ : ngx_utf8_decode(&p, last - p);

        if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
            return 0;
        }
    }

    return 1;
}


static void
fuzz_append(fuzz_text_t *text, const void *data, size_t size)
{
    if (size) {
        memcpy(text->data + text->len, data, size);
        text->len += size;
    }
}


static void
fuzz_append_number(fuzz_text_t *text, size_t n)
{
    uint32_t  number;

    number = (uint32_t) n;

    fuzz_append(text, &number, sizeof(number));
}


static void
fuzz_compare(fuzz_story_t *whole, fuzz_story_t *cut)
{
    size_t  len;

    fuzz_check(whole->rc == cut->rc);
    fuzz_check(whole->reader.code == cut->reader.code);

    fuzz_check(whole->ended.len == cut->ended.len
               && memcmp(whole->ended.data, cut->ended.data, cut->ended.len)
                  == 0);

    /* text that is refused may have been told up to there, in small pieces */

    fuzz_check(whole->open.len == cut->open.len
               || (whole->rc == NGX_ERROR
                   && whole->open.len < cut->open.len));

    len = ngx_min(whole->open.len, cut->open.len);

    fuzz_check(memcmp(whole->open.data, cut->open.data, len) == 0);

    if (whole->rc != NGX_ERROR) {
        fuzz_check(whole->type == cut->type
                   && whole->reader.state == cut->reader.state
                   && whole->reader.rest == cut->reader.rest
                   && whole->reader.nheader == cut->reader.nheader);
    }
}
