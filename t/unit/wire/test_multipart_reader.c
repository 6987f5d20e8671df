
/*
 * Copyright (C) vidcast contributors
 */


/*
 * The reader of what cameras send by HTTP: each picture comes once and just as
 * it is, however the parts are written, and however the network cuts them up.
 */

#include "wire/multipart/ngx_vidcast_multipart_reader.c"
#include "unit.h"


#define TEST_PICTURES  3


typedef struct {
    const char      *name;
    const char      *type;
    const char      *first;        /* before the first picture, NULL: as next */
    const char      *next;         /* before each picture */
    const char      *behind;       /* after each picture */
    const char      *end;
} test_case_t;


typedef struct {
    size_t           sizes[16];
    unsigned         sums[16];
    int              count;
    int              cut;
    int              large;
} test_found_t;


static void test_cases(void);
static void test_case(const test_case_t *test);
static void test_cut(void);
static void test_single(void);
static void test_large(void);
static void test_sniff(void);
static void test_memory(void);

static size_t test_write(const test_case_t *test, uint8_t *out);
static void test_jpeg(int n, uint8_t *out, size_t *size);
static size_t test_put(uint8_t *out, const char *text);
static void test_read(const char *type, const uint8_t *data, size_t size,
    size_t step, test_found_t *found);
static void test_picture(void *context, ngx_vidcast_multipart_end_e end,
    const uint8_t *data, size_t size);
static unsigned test_sum(const uint8_t *data, size_t size);


static const char  test_mixed[] = "multipart/x-mixed-replace; boundary=frame";


#define TEST_JPEG  "Content-Type: image/jpeg\r\n"


static const test_case_t  test_table[] = {

    { "as it should be", test_mixed, NULL,
      "--frame\r\n" TEST_JPEG "Content-Length: 9\r\n\r\n", "\r\n",
      "--frame--\r\n" },

    { "LF only", test_mixed, NULL,
      "--frame\nContent-Type: image/jpeg\n\n", "\n", "" },

    { "the boundary right behind the picture", test_mixed, NULL,
      "--frame\r\n" TEST_JPEG "\r\n", "", "" },

    { "no boundary at first", test_mixed, TEST_JPEG "\r\n",
      "--frame\r\n" TEST_JPEG "\r\n", "\r\n", "" },

    { "headers only", test_mixed, NULL, TEST_JPEG "\r\n", "\r\n", "" },

    { "boundaries behind", test_mixed, NULL, TEST_JPEG "\r\n",
      "\r\n--frame\r\n", "" },

    { "no headers", test_mixed, NULL, "--frame\r\n\r\n", "\r\n", "" },

    { "not even a blank line", test_mixed, NULL, "--frame\r\n", "\r\n", "" },

    { "a preamble", test_mixed,
      "This is it.\r\n\r\n--frame\r\n" TEST_JPEG "\r\n",
      "--frame\r\n" TEST_JPEG "\r\n", "\r\n", "An epilogue." },

    { "another boundary", test_mixed, NULL,
      "--image\r\n" TEST_JPEG "\r\n", "\r\n", "" },

    { "no dashes", test_mixed, NULL, "frame\r\n" TEST_JPEG "\r\n", "\r\n",
      "" },

    { "announced with dashes", "multipart/x-mixed-replace;boundary=--frame",
      NULL, "--frame\r\n" TEST_JPEG "\r\n", "\r\n", "" },

    { "four dashes", "multipart/x-mixed-replace;boundary=--frame", NULL,
      "----frame\r\n" TEST_JPEG "\r\n", "\r\n", "" },

    { "quoted", "Multipart/Mixed; a=b; Boundary = \"fr ame\" ; c", NULL,
      "--fr ame\r\n" TEST_JPEG "\r\n", "\r\n", "" },

    { "a boundary of one letter", "multipart/x-mixed-replace;boundary=x",
      NULL, "--x\r\n" TEST_JPEG "\r\n", "\r\n", "" },

    { "no type at all", NULL, NULL, "--frame\r\n" TEST_JPEG "\r\n", "\r\n",
      "" },

    { "one behind the other", "image/jpeg", NULL, "", "", "" },

    { "with something between", NULL, NULL, "", "\r\n", "" },

    { "a second picture in the part", test_mixed, NULL,
      "--frame\r\n" TEST_JPEG "\r\n", "\xff\xd8\xff\xdb\r\n", "" },

    { "junk in the part", test_mixed, NULL, "--frame\r\n" TEST_JPEG "\r\n",
      "\001\377\r\n<html>--TEXT\r\n\r\nfra\r\n", "" },

    { "junk right before the boundary", test_mixed, NULL,
      "--frame\r\n" TEST_JPEG "\r\n", "\001\377", "" },

    { "a blank line too much", test_mixed, NULL,
      "--frame\r\n" TEST_JPEG "\r\n\r\n", "\r\n", "" },

    { "parts of another kind", test_mixed, NULL,
      "--frame\r\nContent-Type: audio/basic\r\n\r\n.\xff\xd8\xff\xe0.\r\n"
      "--frame\r\n" TEST_JPEG "\r\n", "\r\n", "" },

    { "a picture which is called a text", test_mixed, NULL,
      "--frame\r\nContent-Type: text/plain\r\n\r\n", "\r\n", "" },

    { "a stray byte before it", test_mixed, NULL,
      "--frame\r\n" TEST_JPEG "\r\n.", "\r\n", "" }
};


int
main(void)
{
    test_cases();
    test_cut();
    test_single();
    test_large();
    test_sniff();
    test_memory();

    return unit_done();
}


static void
test_cases(void)
{
    size_t  i;

    for (i = 0; i < sizeof(test_table) / sizeof(test_table[0]); i++) {
        test_case(&test_table[i]);
    }
}


/* in pieces of each size */

static void
test_case(const test_case_t *test)
{
    int            n, good;
    size_t         size, step, length;
    uint8_t        data[16384], jpeg[4096];
    test_found_t   found;

    size = test_write(test, data);
    good = 1;

    for (step = 1; step <= size; step += (step < 300 ? 1 : 97)) {

        test_read(test->type, data, size, step, &found);

        good &= (found.count == TEST_PICTURES && found.cut == 0);

        for (n = 0; n < found.count && n < TEST_PICTURES; n++) {
            test_jpeg(n, jpeg, &length);

            good &= (found.sizes[n] == length
                     && found.sums[n] == test_sum(jpeg, length));
        }

        if (!good) {
            break;
        }
    }

    unit_ok(good, "%s: in pieces of %d, %d pictures, %d cut off", test->name,
            (int) step, found.count, found.cut);
}


/* a picture without an end ends where the next part begins */

static void
test_cut(void)
{
    size_t         size, length, step, whole;
    uint8_t        data[16384], *p;
    test_found_t   found;

    p = data;

    p += test_put(p, "--frame\r\n" TEST_JPEG "\r\n");
    test_jpeg(0, p, &length);
    p += length - 2;
    p += test_put(p, "\r\n--frame\r\n" TEST_JPEG "\r\n");
    test_jpeg(1, p, &whole);
    p += whole;

    size = p - data;

    for (step = 1; step <= size; step += 31) {
        test_read(test_mixed, data, size, step, &found);

        unit_ok(found.count == 2 && found.cut == 1
                && found.sizes[0] == length - 2 && found.sizes[1] == whole,
                "without EOI, in pieces of %d: %d, %d bytes", (int) step,
                (int) found.sizes[0], (int) found.sizes[1]);
    }

    /* nor is there a boundary */

    p = data;

    test_jpeg(0, p, &length);
    p += length - 2;
    test_jpeg(1, p, &whole);
    p += whole;

    test_read("image/jpeg", data, p - data, 7, &found);

    unit_ok(found.count == 2 && found.cut == 1 && found.sizes[1] == whole,
            "without EOI, and then another one");

    /* and never will be */

    test_read("image/jpeg", data, length - 2, 7, &found);

    unit_ok(found.count == 1 && found.cut == 1
            && found.sizes[0] == length - 2, "without EOI at the end");
}


static void
test_single(void)
{
    size_t                           one, two;
    uint8_t                          data[16384];
    test_found_t                     found;
    ngx_vidcast_multipart_reader_t   reader;

    test_jpeg(0, data, &one);
    test_jpeg(1, data + one, &two);

    memset(&found, 0, sizeof(test_found_t));
    ngx_vidcast_multipart_reader_init(&reader, "image/jpeg");

    reader.picture = test_picture;
    reader.context = &found;
    reader.single = 1;

    unit_ok(ngx_vidcast_multipart_reader_feed(&reader, data, one + two) == 0
            && found.count == 1 && found.sizes[0] == one,
            "of two in one answer, the first");

    ngx_vidcast_multipart_reader_free(&reader);
}


/* one which is too large does not take more memory, and the next is read */

static void
test_large(void)
{
    int                              i;
    size_t                           one, last;
    uint8_t                          data[16384];
    test_found_t                     found;
    ngx_vidcast_multipart_reader_t   reader;

    memset(&found, 0, sizeof(test_found_t));
    ngx_vidcast_multipart_reader_init(&reader, test_mixed);

    reader.picture = test_picture;
    reader.context = &found;
    reader.max = 100000;

    test_jpeg(0, data, &one);

    (void) ngx_vidcast_multipart_reader_feed(&reader, data, one - 2);

    memset(data, 'x', sizeof(data));

    for (i = 0; i < 100; i++) {
        (void) ngx_vidcast_multipart_reader_feed(&reader, data, sizeof(data));
    }

    unit_ok(found.large == 1, "it is told to be too large, once");
    unit_ok(reader.capacity < 200000, "and is not kept: %d bytes",
            (int) reader.capacity);

    one = test_put(data, "\r\n--frame\r\n\r\n");
    test_jpeg(0, data + one, &last);

    (void) ngx_vidcast_multipart_reader_feed(&reader, data, one + last);

    unit_ok(found.count == 2 && found.sizes[1] == last, "the next one is read");

    ngx_vidcast_multipart_reader_free(&reader);
}


static void
test_sniff(void)
{
    size_t                        i;
    ngx_vidcast_multipart_kind_e  kind;

    static const struct {
        const char                    *type;
        const char                    *data;
        ngx_vidcast_multipart_kind_e   kind;
    } bodies[] = {
        { "multipart/form-data", "", NGX_VIDCAST_MULTIPART_PARTS },
        { "MULTIPART/mixed;boundary=x", "", NGX_VIDCAST_MULTIPART_PARTS },
        { "image/jpeg", "", NGX_VIDCAST_MULTIPART_MORE },
        { "image/jpeg", "\xff\xd8", NGX_VIDCAST_MULTIPART_MORE },
        { "image/jpeg", "\xff\xd8\xff", NGX_VIDCAST_MULTIPART_JPEG },
        { NULL, "\r\n \xff\xd8\xff\xe0", NGX_VIDCAST_MULTIPART_JPEG },
        { "text/html", "\xff\xd8\xff\xe0", NGX_VIDCAST_MULTIPART_JPEG },
        { NULL, "--frame", NGX_VIDCAST_MULTIPART_PARTS },
        { NULL, "--", NGX_VIDCAST_MULTIPART_MORE },
        { NULL, "Content-Length: 1\r\n", NGX_VIDCAST_MULTIPART_PARTS },
        { NULL, "Content", NGX_VIDCAST_MULTIPART_MORE },
        { NULL, "Contest", NGX_VIDCAST_MULTIPART_OTHER },
        { "image/jpeg", "<html>", NGX_VIDCAST_MULTIPART_OTHER },
        { "text/html", "<html><body>", NGX_VIDCAST_MULTIPART_OTHER },
        { "video/mp4", "....ftypisom", NGX_VIDCAST_MULTIPART_OTHER },
        { NULL, "#EXTM3U\n", NGX_VIDCAST_MULTIPART_OTHER },
        { NULL, "-- a line", NGX_VIDCAST_MULTIPART_OTHER }
    };

    for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        kind = ngx_vidcast_multipart_sniff(bodies[i].type, bodies[i].data,
                                           strlen(bodies[i].data));

        unit_ok(kind == bodies[i].kind, "body %d, %s: %d", (int) i,
                bodies[i].type ? bodies[i].type : "no type", (int) kind);
    }
}


/* text without end, and without a line, takes no memory */

static void
test_memory(void)
{
    int                              i;
    uint8_t                          data[8192];
    test_found_t                     found;
    ngx_vidcast_multipart_reader_t   reader;

    memset(&found, 0, sizeof(test_found_t));
    memset(data, 'x', sizeof(data));

    ngx_vidcast_multipart_reader_init(&reader, test_mixed);

    reader.picture = test_picture;
    reader.context = &found;

    for (i = 0; i < 1000; i++) {
        (void) ngx_vidcast_multipart_reader_feed(&reader, data, sizeof(data));
    }

    unit_ok(found.count == 0 && reader.capacity < 32768,
            "a line without an end: %d bytes", (int) reader.capacity);

    ngx_vidcast_multipart_reader_free(&reader);
}


static size_t
test_write(const test_case_t *test, uint8_t *out)
{
    int       n;
    size_t    size;
    uint8_t  *p;

    p = out;

    for (n = 0; n < TEST_PICTURES; n++) {
        p += test_put(p, n == 0 && test->first ? test->first : test->next);
        test_jpeg(n, p, &size);
        p += size;
        p += test_put(p, test->behind);
    }

    p += test_put(p, test->end);

    return p - out;
}


/* with all in it that could be taken for something else */

static void
test_jpeg(int n, uint8_t *out, size_t *size)
{
    size_t    i;
    uint8_t  *p;

    static const char  comment[] = "\xff\xfe\x00\x24\xff\xd8\xff\xd9\r\n--frame"
                                   "\r\nContent-Type: x\r\n\r\n";

    static const char  frame[] = "\xff\xc0\x00\x0b\x08\x00\x10\x00\x10\x01\x01"
                                 "\x11\x00";

    p = out;

    *p++ = 0xff;
    *p++ = 0xd8;

    memcpy(p, comment, 2 + 0x24);
    p += 2 + 0x24;

    memcpy(p, frame, sizeof(frame) - 1);
    p += sizeof(frame) - 1;

    memcpy(p, "\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00", 10);
    p += 10;

    for (i = 0; i < 500 + (size_t) n; i++) {
        *p++ = (uint8_t) (i * 31 + n);

        if (p[-1] == 0xff) {
            *p++ = 0x00;
        }
    }

    /* the scans of a progressive one, restarts, and the like */

    memcpy(p, "\r\n--\xff\xd0\n\xff\xff\xd7\xff\xc4\x00\x04\xff\xd9", 16);
    p += 16;
    memcpy(p, "\xff\xda\x00\x04\xff\xd8.\xff\xd9", 9);
    p += 9;

    *size = p - out;
}


static size_t
test_put(uint8_t *out, const char *text)
{
    memcpy(out, text, strlen(text));

    return strlen(text);
}


static void
test_read(const char *type, const uint8_t *data, size_t size, size_t step,
    test_found_t *found)
{
    size_t                           i, n;
    ngx_vidcast_multipart_reader_t   reader;

    memset(found, 0, sizeof(test_found_t));
    ngx_vidcast_multipart_reader_init(&reader, type);

    reader.picture = test_picture;
    reader.context = found;
    reader.max = 1000000;

    for (i = 0; i < size; i += n) {
        n = size - i < step ? size - i : step;

        (void) ngx_vidcast_multipart_reader_feed(&reader, data + i, n);
    }

    ngx_vidcast_multipart_reader_finish(&reader);
    ngx_vidcast_multipart_reader_free(&reader);
}


static void
test_picture(void *context, ngx_vidcast_multipart_end_e end,
    const uint8_t *data, size_t size)
{
    test_found_t  *found = context;

    if (end == NGX_VIDCAST_MULTIPART_CUT) {
        found->cut++;
    }

    if (end == NGX_VIDCAST_MULTIPART_LARGE) {
        found->large++;
    }

    if (found->count < 16) {
        found->sizes[found->count] = size;
        found->sums[found->count] = data ? test_sum(data, size) : 0;
    }

    found->count++;
}


static unsigned
test_sum(const uint8_t *data, size_t size)
{
    size_t    i;
    unsigned  sum;

    sum = 0;

    for (i = 0; i < size; i++) {
        sum = sum * 31 + data[i];
    }

    return sum;
}
