
/*
 * Copyright (C) vidcast contributors
 */


/*
 * The rules one by one are in test_ws.c; here they meet: big and very many
 * frames, random messages in random fragments and packets, and garbage.
 */

#include "wire/ngx_vidcast_ws.c"
#include "unit_ws.h"


static void test_lengths(void);
static void test_fragments(void);
static void test_round_trip(void);
static void test_garbage(void);


int
main(void)
{
    input = malloc(TEST_BUFFER);
    if (input == NULL) {
        return 2;
    }

    test_lengths();
    test_fragments();
    test_round_trip();
    test_garbage();

    free(input);

    return unit_done();
}


static void
test_lengths(void)
{
    size_t         i, size;
    u_char        *payload;
    test_story_t   story;

    static const size_t  sizes[] = {
        124, 125, 126, 127, 128, 65534, 65535, 65536, 65537, 3670016
    };

    payload = malloc(4 * 1024 * 1024);
    story.data = malloc(5 * 1024 * 1024);

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        size = sizes[i];
        memset(payload, 'a' + (int) i, size);

        test_start();
        test_frame(0x82, payload, size);

        unit_ok(test_run(size, 0, 16384, &story) == 0
                && story.len == size + 3
                && memcmp(story.data + 2, payload, size) == 0,
                "5.2: a payload of %zu bytes", size);

        unit_ok(test_run(size - 1, 0, 1, &story) == 1
                && story.len == 5 && memcmp(story.data, "!1009", 5) == 0
                && story.taken == (size < 126 ? 2 : size < 65536 ? 4 : 10),
                "too big by one is refused from the header: %zu", size);
    }

    free(payload);
    free(story.data);
}


static void
test_fragments(void)
{
    size_t        i;
    u_char       *text;
    test_story_t  story;

    text = malloc(65536 + 16);
    story.data = malloc(2 * 65536 + 16);

    text[0] = 'T';
    text[1] = '(';
    (void) test_random_text(text + 2, 65536);
    text[65538] = ')';

    test_start();

    for (i = 0; i < 65536; i++) {
        test_frame((i == 65535 ? 0x80 : 0) | (i == 0), text + 2 + i, 1);
    }

    unit_ok(test_run(65536, 0, input_len, &story) == 0
            && story.len == 65539 && memcmp(story.data, text, 65539) == 0,
            "5.4: 65536 fragments at once");

    unit_ok(test_run(65536, 3, 1447, &story) == 0
            && story.len == 65539 && memcmp(story.data, text, 65539) == 0,
            "5.4: 65536 fragments in packets");

    unit_ok(test_run(65536, 1, 1, &story) == 0
            && story.len == 65539 && memcmp(story.data, text, 65539) == 0,
            "5.4: 65536 fragments byte by byte");

    unit_ok(test_run(65535, 0, input_len, &story) == 1
            && memcmp(story.data, "!1009", 5) == 0
            && story.taken == input_len - 5,
            "5.4: one fragment more than allowed");

    free(text);
    free(story.data);
}


static void
test_round_trip(void)
{
    u_char       *sent, *p, *message;
    size_t        i, n, size, part, done;
    ngx_uint_t    text, round, bad;
    test_story_t  story;

    static const size_t  classes[] = { 4, 126, 130, 3000, 65536, 200000 };

    bad = 0;
    sent = malloc(TEST_BUFFER);
    message = malloc(200000);
    story.data = malloc(TEST_BUFFER);

    for (round = 0; round < 300; round++) {

        test_start();
        p = sent;

        for (i = 0; i < 8; i++) {
            size = test_random() % classes[test_random() % 6];
            text = test_random() % 2;

            if (text) {
                (void) test_random_text(message, size);

            } else {
                for (n = 0; n < size; n++) {
                    message[n] = (u_char) test_random();
                }
            }

            for (done = 0, n = 0; n == 0 || done < size; n++) {
                part = size - done;

                if (part && test_random() % 3) {
                    part = test_random() % (part + 1);
                }

                if (n && test_random() % 4 == 0) {
                    test_text(0x89, "between");
                    p += sprintf((char *) p, "P(between)");
                }

                test_frame((done + part == size ? 0x80 : 0)
                           | (n ? 0 : text ? 1 : 2), message + done, part);

                done += part;
            }

            *p++ = text ? 'T' : 'B';
            *p++ = '(';
            memcpy(p, message, size);
            p += size;
            *p++ = ')';
        }

        bad += test_run(200000, test_random() % 20,
                        1 + test_random() % classes[round % 6], &story);

        if (story.len != (size_t) (p - sent)
            || memcmp(story.data, sent, story.len) != 0)
        {
            printf("# round %zu differs\n", (size_t) round);
            bad++;
        }
    }

    unit_ok(bad == 0, "2400 random messages in random fragments and packets");

    free(sent);
    free(message);
    free(story.data);
}


/* hostile bytes: no harm, and the same end however they were cut */

static void
test_garbage(void)
{
    size_t        i;
    ngx_uint_t    round, bad, rc;
    test_story_t  one, two;

    bad = 0;
    one.data = malloc(4096);
    two.data = malloc(4096);

    for (round = 0; round < 200000; round++) {

        test_start();
        input_len = 2 + test_random() % 60;

        for (i = 0; i < input_len; i++) {
            input[i] = (u_char) test_random();

            if (test_random() % 2) {
                input[i] &= 0x8f;
            }
        }

        input[0] &= 0x8b;
        input[1] = 0x80 | (input[1] & 0x07);

        rc = test_run(32, 0, input_len, &one);

        if (test_run(32, 1, 1, &two) != rc
            || one.len != two.len || memcmp(one.data, two.data, one.len) != 0
            || one.taken < two.taken
            || memmem(one.data, one.len, "BAD", 3) != NULL)
        {
            bad++;
        }
    }

    unit_ok(bad == 0, "200000 rounds of garbage");

    free(one.data);
    free(two.data);
}
