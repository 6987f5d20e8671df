
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _UNIT_WS_H_INCLUDED_
#define _UNIT_WS_H_INCLUDED_


/*
 * A WebSocket client's encoder that shares nothing with the code under test,
 * and a driver that cuts its bytes in every way and writes down what is told.
 * Included by the tests of the codec, each of which uses a part of it.
 */

#include "unit.h"


#define TEST_BUFFER  (8 * 1024 * 1024)
#define TEST_MAX     65536

#define test_unused  __attribute__((unused))


/* what was told: messages joined, "!CODE" in the end when it was refused */

typedef struct {
    size_t       len;
    size_t       open;     /* start of a message not ended yet */
    size_t       taken;    /* bytes read when it was refused */
    ngx_uint_t   type;
    ngx_uint_t   compressed;
    u_char      *data;
} test_story_t;


static test_unused void test_start(void);
static test_unused void test_frame(ngx_uint_t byte, const void *data,
    size_t size);
static test_unused void test_header(ngx_uint_t byte, uint64_t length,
    ngx_uint_t form);
static test_unused void test_text(ngx_uint_t byte, const char *text);
static test_unused void test_told(test_story_t *story, const char *fmt,
    size_t n, const void *data, size_t size);
static test_unused void test_event(test_story_t *story,
    ngx_vidcast_ws_event_t *event);
static test_unused ngx_int_t test_feed(ngx_vidcast_ws_reader_t *reader,
    test_story_t *story, const u_char *data, size_t size);
static test_unused ngx_uint_t test_run(size_t max, size_t cut, size_t step,
    test_story_t *story);
static test_unused void test_expect(const char *name, size_t max,
    const char *told, size_t told_len, size_t taken);
static test_unused void test_expect_text(const char *name, const char *told);
static test_unused void test_expect_fail(const char *name, ngx_uint_t code,
    size_t taken);
static test_unused uint32_t test_random(void);
static test_unused size_t test_random_text(u_char *dst, size_t size);


static u_char    *input;
static size_t     input_len;
static uint32_t   seed = 2463534242;
static unsigned   deflate;               /* is RSV1 allowed? */


static void
test_start(void)
{
    input_len = 0;
}


/* a client's frame: "byte" is FIN, RSV and the opcode */

static void
test_frame(ngx_uint_t byte, const void *data, size_t size)
{
    u_char     *p;
    size_t      i;
    uint32_t    key;

    test_header(byte, size, (size < 126) ? 7 : (size < 65536) ? 16 : 64);

    key = test_random();
    p = input + input_len;

    p[0] = key & 0xff;
    p[1] = (key >> 8) & 0xff;
    p[2] = (key >> 16) & 0xff;
    p[3] = (key >> 24) & 0xff;

    for (i = 0; i < size; i++) {
        p[4 + i] = ((const u_char *) data)[i] ^ p[i % 4];
    }

    input_len += 4 + size;
}


static void
test_header(ngx_uint_t byte, uint64_t length, ngx_uint_t form)
{
    int      i;
    u_char  *p;

    p = input + input_len;
    *p++ = (u_char) byte;

    if (form == 7) {
        *p++ = (u_char) (0x80 + length);

    } else {
        *p++ = (form == 16) ? 0xfe : 0xff;

        for (i = (int) form - 8; i >= 0; i -= 8) {
            *p++ = (u_char) ((length >> i) & 0xff);
        }
    }

    input_len = p - input;
}


static void
test_text(ngx_uint_t byte, const char *text)
{
    test_frame(byte, text, strlen(text));
}


static void
test_told(test_story_t *story, const char *fmt, size_t n, const void *data,
    size_t size)
{
    story->len += sprintf((char *) story->data + story->len, fmt, n);

    if (size) {
        memcpy(story->data + story->len, data, size);
        story->len += size;
    }
}


/*
 * A message becomes "T(Hello)", "B(...)", "t(...)" and "b(...)" when it has
 * RSV1, a ping "P(...)", a pong "O(...)", a close "C1000(...)"; what the
 * contract of an event forbids, "BAD".  A control frame inside a message is
 * told before it, hence the move.
 */

static void
test_event(test_story_t *story, ngx_vidcast_ws_event_t *event)
{
    u_char  control[256];
    size_t  len, start;

    if (event->opcode == NGX_VIDCAST_WS_TEXT
        || event->opcode == NGX_VIDCAST_WS_BINARY)
    {
        if (story->type == 0) {
            story->open = story->len;
            story->type = event->opcode;
            story->compressed = event->compressed;

            test_told(story, event->opcode == NGX_VIDCAST_WS_TEXT ? "T(" : "B(",
                      0, NULL, 0);

            story->data[story->open] |= event->compressed ? 0x20 : 0;

            if (!event->first) {
                test_told(story, "BAD first missing", 0, NULL, 0);
            }

        } else if (event->first || story->type != event->opcode
                   || story->compressed != event->compressed)
        {
            test_told(story, "BAD first again", 0, NULL, 0);
        }

        if (event->size == 0 && !event->last) {
            test_told(story, "BAD empty", 0, NULL, 0);
        }

        test_told(story, "", 0, event->data, event->size);

        if (event->last) {
            test_told(story, ")", 0, NULL, 0);
            story->type = 0;
        }

        return;
    }

    start = story->len;

    switch (event->opcode) {

    case NGX_VIDCAST_WS_PING:
        test_told(story, "P(", 0, event->data, event->size);
        break;

    case NGX_VIDCAST_WS_PONG:
        test_told(story, "O(", 0, event->data, event->size);
        break;

    case NGX_VIDCAST_WS_CLOSE:
        test_told(story, "C%zu(", event->code, event->data, event->size);
        break;

    default:
        test_told(story, "BAD opcode(", 0, NULL, 0);
        break;
    }

    test_told(story, (event->first && event->last && !event->compressed)
                     ? ")" : "BAD control", 0, NULL, 0);

    if (story->type) {
        len = story->len - start;

        memcpy(control, story->data + start, len);
        memmove(story->data + story->open + len, story->data + story->open,
                start - story->open);
        memcpy(story->data + story->open, control, len);

        story->open += len;
    }
}


/* the copy is of the exact size, so that a sanitizer sees a step too far */

static ngx_int_t
test_feed(ngx_vidcast_ws_reader_t *reader, test_story_t *story,
    const u_char *data, size_t size)
{
    u_char                  *copy, *pos;
    ngx_int_t                rc;
    ngx_vidcast_ws_event_t   event;

    copy = malloc(size ? size : 1);
    memcpy(copy, data, size);
    pos = copy;

    for ( ;; ) {
        memset(&event, 0x5a, sizeof(event));

        rc = ngx_vidcast_ws_read(reader, &pos, copy + size, &event);

        if (rc != NGX_OK) {
            break;
        }

        test_event(story, &event);
    }

    story->taken += pos - copy;

    if (rc == NGX_AGAIN && pos != copy + size) {
        test_told(story, "BAD not taken", 0, NULL, 0);
    }

    if (rc == NGX_ERROR) {

        if (story->type) {
            story->len = story->open;
        }

        test_told(story, "!%zu", reader->code, NULL, 0);

        if (ngx_vidcast_ws_read(reader, &pos, copy + size, &event)
            != NGX_ERROR)
        {
            test_told(story, "BAD lives", 0, NULL, 0);
        }
    }

    free(copy);

    return rc;
}


/* "cut" first bytes, then the rest, or step by step */

static ngx_uint_t
test_run(size_t max, size_t cut, size_t step, test_story_t *story)
{
    size_t                   n, done;
    ngx_vidcast_ws_reader_t  reader;

    memset(&reader, 0xa5, sizeof(reader));
    ngx_vidcast_ws_reader_init(&reader, max);
    reader.deflate = deflate;

    story->len = 0;
    story->open = 0;
    story->taken = 0;
    story->type = 0;

    for (done = 0; done < input_len; done += n) {
        n = (done == 0 && cut) ? cut : step;
        n = ngx_min(n, input_len - done);

        if (test_feed(&reader, story, input + done, n) == NGX_ERROR) {
            return 1;
        }
    }

    if (story->type) {
        test_told(story, "...", 0, NULL, 0);
    }

    return 0;
}


static void
test_expect(const char *name, size_t max, const char *told, size_t told_len,
    size_t taken)
{
    size_t        cut;
    ngx_uint_t    bad, failed;
    test_story_t  story;

    bad = 0;
    story.data = malloc(4096 + 3 * input_len);

    /* cut == 0: whole, then in two; byte by byte comes last */

    for (cut = 0; cut <= input_len; cut++) {
        failed = test_run(max, cut, (cut == input_len) ? 1 : input_len, &story);

        if (cut == input_len) {
            failed = test_run(max, 1, 1, &story);

            if (failed && story.taken != taken) {
                printf("# refused at byte %zu\n", story.taken);
                bad++;
            }
        }

        if (story.len != told_len || memcmp(story.data, told, told_len) != 0) {
            printf("# cut at %zu: %.*s\n", cut, (int) story.len,
                   (char *) story.data);
            bad++;
        }
    }

    free(story.data);

    unit_ok(bad == 0, "%s", name);
}


static void
test_expect_text(const char *name, const char *told)
{
    test_expect(name, TEST_MAX, told, strlen(told), 0);
}


static void
test_expect_fail(const char *name, ngx_uint_t code, size_t taken)
{
    char  told[32];

    sprintf(told, "!%zu", (size_t) code);

    test_expect(name, TEST_MAX, told, strlen(told), taken);
}


static uint32_t
test_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;

    return seed;
}


/* valid UTF-8 of exactly "size" bytes, of all lengths of characters */

static size_t
test_random_text(u_char *dst, size_t size)
{
    size_t  i, n;

    static const char  *chars[] = {
        "a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
        "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "plain text"
    };

    for (i = 0; i < size; i += n) {
        do {
            n = test_random() % 10;
            dst[i] = (u_char) n;
        } while (strlen(chars[n]) > size - i);

        memcpy(dst + i, chars[n], strlen(chars[n]));
        n = strlen(chars[n]);
    }

    return size;
}


#endif /* _UNIT_WS_H_INCLUDED_ */
