
/*
 * Copyright (C) vidcast contributors
 */


/*
 * Pictures of cameras go to viewers as they came: whatever the probe lets
 * pass is what a browser gets.  So it must find each frame's end in spite of
 * padding, refuse what is cut or lies about its size before anybody takes
 * memory for it, and put the Huffman tables that cameras leave out in their
 * place, with the very values of the standard.
 */

#include "media/ngx_vidcast_jpeg.c"
#include "media/ngx_vidcast_jpeg_probe.c"
#include "media/ngx_vidcast_image.c"
#include "media/ngx_vidcast_orientation.c"
#include "unit_jpeg.h"


#define TEST_WIDTH   83
#define TEST_HEIGHT  51


static void test_whole(void);
static void test_end(void);
static void test_truncated(void);
static void test_between_segments(void);
static void test_thumbnail(void);
static void test_frame_header(void);
static void test_sizes(void);
static void test_broken(void);
static void test_tables(void);
static void test_insert(void);
static void test_insert_fill(void);

static void test_strip(unit_jpeg_t *jpeg);
static ngx_int_t test_probe(unit_jpeg_t *jpeg);
static ngx_int_t test_probe_bytes(const void *data, size_t size);
static ngx_int_t test_sof_byte(size_t offset, u_char value);
static ngx_int_t test_sof_size(uint32_t width, uint32_t height, size_t pad);


static ngx_vidcast_jpeg_info_t  info;


int
main(void)
{
    test_whole();
    test_end();
    test_truncated();
    test_between_segments();
    test_thumbnail();
    test_frame_header();
    test_sizes();
    test_broken();
    test_tables();
    test_insert();
    test_insert_fill();

    return unit_done();
}


static void
test_whole(void)
{
    unit_jpeg_t  jpeg;

    unit_jpeg(&jpeg, TEST_WIDTH, TEST_HEIGHT);

    unit_ok(test_probe(&jpeg) == NGX_OK, "a picture of ours");
    unit_ok(info.width == TEST_WIDTH && info.height == TEST_HEIGHT,
            "its size in pixels");
    unit_ok(info.size == jpeg.size, "its size in bytes");
    unit_ok(info.dht == 1, "it has tables");
    unit_ok(info.dht_pos == unit_jpeg_find(&jpeg, 0xda, 0),
            "more tables would belong before the scan");

    free(jpeg.data);
}


static void
test_end(void)
{
    size_t       size;
    u_char       pad[4096];
    ngx_uint_t   i;
    unit_jpeg_t  jpeg;

    static const struct {
        const char  *name;
        const char  *bytes;
        size_t       len;
        ngx_int_t    rc;
    } tails[] = {
        { "one zero",                "\0",              1, NGX_OK },
        { "zeros",                   "\0\0\0\0\0",      5, NGX_OK },
        { "a stray byte",            "\x0a",            1, NGX_OK },
        { "a stray 0xff",            "\xff",            1, NGX_OK },
        { "a stray 0xd9",            "\xd9",            1, NGX_OK },
        { "zeros and a stray byte",  "\0\0\x55",        3, NGX_OK },
        { "a stray byte and zeros",  "\x55\0\0",        3, NGX_OK },
        { "zeros around a byte",     "\0\x55\0",        3, NGX_OK },
        { "two stray bytes",         "\x55\x56",        2, NGX_DECLINED },
        { "two among zeros",         "\0\x55\0\x56\0",  5, NGX_DECLINED }
    };

    for (i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
        unit_jpeg(&jpeg, TEST_WIDTH, TEST_HEIGHT);
        size = jpeg.size;

        unit_jpeg_splice(&jpeg, size, 0, tails[i].bytes, tails[i].len);

        unit_ok(test_probe(&jpeg) == tails[i].rc
                && (tails[i].rc != NGX_OK || info.size == size),
                "behind the end: %s", tails[i].name);

        free(jpeg.data);
    }

    memset(pad, 0, sizeof(pad));

    unit_jpeg(&jpeg, TEST_WIDTH, TEST_HEIGHT);
    size = jpeg.size;

    unit_jpeg_splice(&jpeg, size, 0, pad, sizeof(pad));

    unit_ok(test_probe(&jpeg) == NGX_OK && info.size == size,
            "behind the end: a page of zeros");

    free(jpeg.data);
}


static void
test_truncated(void)
{
    size_t       n;
    u_char      *p;
    ngx_uint_t   passed, padded;
    unit_jpeg_t  jpeg;

    unit_jpeg(&jpeg, TEST_WIDTH, TEST_HEIGHT);

    passed = 0;
    padded = 0;

    for (n = 0; n < jpeg.size; n++) {

        if (test_probe_bytes(jpeg.data, n) == NGX_OK) {
            passed++;
        }

        p = calloc(1, jpeg.size);
        memcpy(p, jpeg.data, n);

        if (test_probe_bytes(p, jpeg.size) == NGX_OK) {
            padded++;
        }

        free(p);
    }

    unit_ok(passed == 0, "cut at each of %d bytes", (int) jpeg.size);
    unit_ok(padded == 0, "cut at each byte, zeros up to the old size");

    free(jpeg.data);
}


static void
test_between_segments(void)
{
    size_t       p, size, fill;
    ngx_uint_t   i, code;
    unit_jpeg_t  jpeg;

    static const ngx_uint_t  codes[] = { 0xe0, 0xdb, 0xc0, 0xc4, 0xda };

    static const struct {
        const char  *name;
        const char  *bytes;
        size_t       len;
    } fills[] = {
        { "a fill byte",           "\xff",              1 },
        { "fill bytes",            "\xff\xff\xff\xff",  4 },
        { "RST0 and RST7",         "\xff\xd0\xff\xd7",  4 },
        { "TEM",                   "\xff\x01",          2 },
        { "zeros",                 "\0\0\0",            3 },
        { "a stuffed zero",        "\xff\0",            2 },
        { "an empty comment",      "\xff\xfe\0\x02",    4 }
    };

    for (fill = 0; fill < sizeof(fills) / sizeof(fills[0]); fill++) {

        for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
            code = codes[i];

            unit_jpeg(&jpeg, TEST_WIDTH, TEST_HEIGHT);

            p = unit_jpeg_find(&jpeg, code, 0);
            size = jpeg.size;

            unit_jpeg_splice(&jpeg, p, 0, fills[fill].bytes,
                             fills[fill].len);

            unit_ok(p && test_probe(&jpeg) == NGX_OK
                    && info.width == TEST_WIDTH
                    && info.height == TEST_HEIGHT
                    && info.dht
                    && info.size == size + fills[fill].len,
                    "%s before marker %02x", fills[fill].name, (int) code);

            free(jpeg.data);
        }
    }
}


/* Exif has a whole JPEG, end marker and other size included, in a segment */

static void
test_thumbnail(void)
{
    size_t       len, size;
    u_char       head[4];
    unit_jpeg_t  jpeg, thumb;

    unit_jpeg(&jpeg, TEST_WIDTH, TEST_HEIGHT);
    unit_jpeg(&thumb, 16, 16);

    len = thumb.size + 2;
    size = jpeg.size;

    head[0] = 0xff;
    head[1] = 0xe1;
    head[2] = len >> 8;
    head[3] = len;

    unit_jpeg_splice(&jpeg, 2, 0, head, 4);
    unit_jpeg_splice(&jpeg, 6, 0, thumb.data, thumb.size);

    unit_ok(test_probe(&jpeg) == NGX_OK
            && info.width == TEST_WIDTH && info.height == TEST_HEIGHT
            && info.size == size + len + 2,
            "the thumbnail is not the picture");

    jpeg.size = len + 4 + 40;

    unit_ok(test_probe(&jpeg) == NGX_DECLINED,
            "nor is its end the end of the picture");

    free(jpeg.data);
    free(thumb.data);
}


static void
test_frame_header(void)
{
    ngx_uint_t  i, bad;

    /* offsets from the marker: code, precision at 4, components at 9 */

    unit_ok(test_sof_byte(1, 0xc0) == NGX_OK, "SOF0, baseline");
    unit_ok(test_sof_byte(1, 0xc1) == NGX_OK, "SOF1, extended");
    unit_ok(test_sof_byte(1, 0xc2) == NGX_OK, "SOF2, progressive");

    for (i = 0xc3; i <= 0xcf; i++) {
        unit_ok(test_sof_byte(1, i) == NGX_DECLINED,
                "no frame header that a browser knows: %02x", (int) i);
    }

    unit_ok(test_sof_byte(1, 0xe5) == NGX_DECLINED, "no frame header");
    unit_ok(test_sof_byte(4, 12) == NGX_DECLINED, "12 bits a sample");

    bad = 0;

    for (i = 0; i < 256; i++) {
        if (i != 3 && test_sof_byte(9, i) == NGX_OK) {
            bad++;
        }
    }

    unit_ok(bad == 0, "components that are not in the header");

    unit_ok(test_sof_byte(3, 16) == NGX_DECLINED, "header too short");
    unit_ok(test_sof_byte(3, 18) == NGX_DECLINED, "header too long");
    unit_ok(test_sof_byte(3, 7) == NGX_DECLINED, "header without sizes");
    unit_ok(test_sof_byte(3, 2) == NGX_DECLINED, "header without a body");
    unit_ok(test_sof_byte(3, 1) == NGX_DECLINED, "length below two");
}


static void
test_sizes(void)
{
    size_t       p;
    unit_jpeg_t  jpeg, copy;

    unit_ok(test_sof_size(0, 8, 0) == NGX_DECLINED, "width 0");
    unit_ok(test_sof_size(8, 0, 0) == NGX_DECLINED, "height 0");
    unit_ok(test_sof_size(1, 1, 0) == NGX_OK, "1x1");
    unit_ok(test_sof_size(NGX_VIDCAST_MAX_DIMENSION, 64, 4096) == NGX_OK,
            "as wide as may be");
    unit_ok(test_sof_size(NGX_VIDCAST_MAX_DIMENSION + 1, 64, 4096)
            == NGX_DECLINED, "too wide");
    unit_ok(test_sof_size(64, NGX_VIDCAST_MAX_DIMENSION + 1, 4096)
            == NGX_DECLINED, "too high");
    unit_ok(test_sof_size(65535, 65535, 8388608) == NGX_DECLINED,
            "65535x65535");

    unit_ok(test_sof_size(8192, 8192, 65536) == NGX_OK,
            "as many pixels as may be, in 64k");
    unit_ok(test_sof_size(8192, 8192, 0) == NGX_DECLINED,
            "more pixels than so few bytes can tell");
    unit_ok(test_sof_size(8192, 8208, 1048576) == NGX_DECLINED,
            "too many pixels");

    unit_jpeg(&jpeg, TEST_WIDTH, TEST_HEIGHT);
    unit_jpeg_copy(&copy, jpeg.data, jpeg.size);

    p = unit_jpeg_find(&jpeg, 0xc0, 0);
    unit_jpeg_splice(&jpeg, p, 0, copy.data + p, 19);

    unit_ok(test_probe(&jpeg) == NGX_DECLINED, "two frame headers");

    free(jpeg.data);
    free(copy.data);
}


static void
test_broken(void)
{
    size_t       p;
    u_char       junk[512];
    ngx_uint_t   i, n, passed;
    unit_jpeg_t  jpeg;

    unit_ok(test_probe_bytes("", 0) == NGX_DECLINED, "no bytes");
    unit_ok(test_probe_bytes("\xff\xd8", 2) == NGX_DECLINED, "SOI alone");
    unit_ok(test_probe_bytes("\xff\xd8\xff\xd9", 4) == NGX_DECLINED,
            "SOI and EOI");
    unit_ok(test_probe_bytes("\xff\xd8\xff\xff\xff", 5) == NGX_DECLINED,
            "nothing but fill bytes");
    unit_ok(test_probe_bytes("\xff\xd8\xff\xda\0\x02\xff\xd9", 8)
            == NGX_DECLINED, "a scan without a frame");
    unit_ok(test_probe_bytes("\x89PNG\r\n\x1a\n", 8) == NGX_DECLINED, "PNG");

    unit_jpeg(&jpeg, TEST_WIDTH, TEST_HEIGHT);
    p = unit_jpeg_find(&jpeg, 0xdb, 0);

    jpeg.data[p + 2] = 0xff;
    unit_ok(test_probe(&jpeg) == NGX_DECLINED, "a segment beyond the end");
    jpeg.data[p + 2] = 0;

    jpeg.data[p + 1] = 0xd8;
    unit_ok(test_probe(&jpeg) == NGX_DECLINED, "SOI within");
    jpeg.data[p + 1] = 0xd9;
    unit_ok(test_probe(&jpeg) == NGX_DECLINED, "EOI before the scan");
    jpeg.data[p + 1] = 0x42;
    unit_ok(test_probe(&jpeg) == NGX_DECLINED, "a reserved marker");
    jpeg.data[p + 1] = 0xdb;
    unit_ok(test_probe(&jpeg) == NGX_OK, "and repaired");

    jpeg.data[0] = 0x00;
    unit_ok(test_probe(&jpeg) == NGX_DECLINED, "something before SOI");

    free(jpeg.data);

    passed = 0;

    for (n = 0; n < 20000; n++) {

        for (i = 0; i < sizeof(junk); i++) {
            junk[i] = unit_random(4) ? unit_random(256) : 0xff;
        }

        junk[0] = 0xff;
        junk[1] = 0xd8;

        if (test_probe_bytes(junk, 4 + unit_random(sizeof(junk) - 4))
            == NGX_OK)
        {
            passed++;
        }
    }

    unit_ok(passed == 0, "20000 times noise behind SOI");
}


/* the library writes K.3 to K.6 as four segments: an independent source */

static void
test_tables(void)
{
    size_t       p, len, pos;
    u_char      *mine;
    ngx_uint_t   i, found;
    unit_jpeg_t  jpeg;

    static const u_char  order[] = { 0x00, 0x01, 0x10, 0x11 };

    unit_jpeg(&jpeg, TEST_WIDTH, TEST_HEIGHT);

    mine = ngx_vidcast_jpeg_dht;

    unit_ok(mine[0] == 0xff && mine[1] == 0xc4
            && (mine[2] << 8 | mine[3]) == NGX_VIDCAST_JPEG_DHT_LEN - 2,
            "one DHT segment");

    found = 0;
    pos = 4;

    for (i = 0; i < 16; i++) {
        p = unit_jpeg_find(&jpeg, 0xc4, i % 4);
        len = (jpeg.data[p + 2] << 8 | jpeg.data[p + 3]) - 2;

        if (found < 4 && p && jpeg.data[p + 4] == order[found]
            && pos + len <= NGX_VIDCAST_JPEG_DHT_LEN
            && memcmp(mine + pos, jpeg.data + p + 4, len) == 0)
        {
            pos += len;
            found++;
        }
    }

    unit_ok(found == 4 && pos == NGX_VIDCAST_JPEG_DHT_LEN,
            "its tables are those of the library, to the last byte");

    free(jpeg.data);
}


static void
test_insert(void)
{
    u_char                      *buf, *end;
    unit_jpeg_t                  jpeg, bare;
    ngx_vidcast_image_t          was, is;
    ngx_vidcast_jpeg_decoder_t  *one, *two;

    unit_jpeg(&jpeg, 320, 239);
    unit_jpeg_copy(&bare, jpeg.data, jpeg.size);
    test_strip(&bare);

    unit_ok(test_probe(&bare) == NGX_OK && !info.dht, "tables taken out");
    unit_ok(info.dht_pos == unit_jpeg_find(&bare, 0xda, 0),
            "they belong before the scan");

    buf = malloc(info.size + NGX_VIDCAST_JPEG_DHT_LEN);
    end = ngx_vidcast_jpeg_insert_dht(buf, bare.data, &info);

    unit_ok((size_t) (end - buf) == info.size + NGX_VIDCAST_JPEG_DHT_LEN,
            "put in, the picture is 420 bytes longer");

    free(bare.data);
    unit_jpeg_copy(&bare, buf, end - buf);

    unit_ok(test_probe(&bare) == NGX_OK && info.dht
            && info.size == bare.size, "and has tables");

    one = ngx_vidcast_jpeg_decoder_create();
    two = ngx_vidcast_jpeg_decoder_create();

    unit_ok(ngx_vidcast_jpeg_decode_gray(one, jpeg.data, jpeg.size, 0, &was)
            == NGX_OK
            && ngx_vidcast_jpeg_decode_gray(two, bare.data, bare.size, 0, &is)
               == NGX_OK
            && unit_difference(&was, &is) == 0,
            "it decodes to the same pixels");

    /* the library has tables of its own: are ours the ones it took? */

    bare.data[unit_jpeg_find(&bare, 0xc4, 0) + 4 + 17 + 5] ^= 0x01;

    unit_ok(ngx_vidcast_jpeg_decode_gray(two, bare.data, bare.size, 0, &is)
            != NGX_OK || unit_difference(&was, &is) != 0,
            "and with one bit of a table wrong it does not");

    ngx_vidcast_jpeg_decoder_destroy(one);
    ngx_vidcast_jpeg_decoder_destroy(two);
    free(jpeg.data);
    free(bare.data);
    free(buf);
}


/* fill bytes belong to the marker behind them */

static void
test_insert_fill(void)
{
    size_t       p, size;
    u_char      *buf, *end;
    unit_jpeg_t  jpeg;

    unit_jpeg(&jpeg, TEST_WIDTH, TEST_HEIGHT);
    test_strip(&jpeg);

    p = unit_jpeg_find(&jpeg, 0xda, 0);
    size = jpeg.size;

    unit_jpeg_splice(&jpeg, p, 0, "\xff\xff", 2);
    unit_jpeg_splice(&jpeg, jpeg.size, 0, "\0\0\0", 3);

    unit_ok(test_probe(&jpeg) == NGX_OK && info.dht_pos == p,
            "before the fill bytes of the scan's marker");

    buf = malloc(info.size + NGX_VIDCAST_JPEG_DHT_LEN);
    end = ngx_vidcast_jpeg_insert_dht(buf, jpeg.data, &info);

    unit_ok((size_t) (end - buf) == size + 2 + NGX_VIDCAST_JPEG_DHT_LEN
            && memcmp(buf, jpeg.data, p) == 0
            && memcmp(buf + p + NGX_VIDCAST_JPEG_DHT_LEN, jpeg.data + p,
                      size + 2 - p) == 0,
            "nothing else is changed, the padding is left out");

    free(jpeg.data);
    free(buf);
}


static void
test_strip(unit_jpeg_t *jpeg)
{
    size_t  p;

    for ( ;; ) {
        p = unit_jpeg_find(jpeg, 0xc4, 0);

        if (p == 0) {
            return;
        }

        unit_jpeg_splice(jpeg, p, 2 + (jpeg->data[p + 2] << 8
                                       | jpeg->data[p + 3]),
                         "", 0);
    }
}


static ngx_int_t
test_probe(unit_jpeg_t *jpeg)
{
    return test_probe_bytes(jpeg->data, jpeg->size);
}


/* from memory of exactly this size */

static ngx_int_t
test_probe_bytes(const void *data, size_t size)
{
    ngx_int_t    rc;
    unit_jpeg_t  copy;

    unit_jpeg_copy(&copy, data, size);

    rc = ngx_vidcast_jpeg_probe(copy.data, size, &info);

    free(copy.data);

    return rc;
}


static ngx_int_t
test_sof_byte(size_t offset, u_char value)
{
    ngx_int_t    rc;
    unit_jpeg_t  jpeg;

    unit_jpeg(&jpeg, TEST_WIDTH, TEST_HEIGHT);

    jpeg.data[unit_jpeg_find(&jpeg, 0xc0, 0) + offset] = value;

    rc = test_probe(&jpeg);

    free(jpeg.data);

    return rc;
}


/* "pad" more bytes in the scan */

static ngx_int_t
test_sof_size(uint32_t width, uint32_t height, size_t pad)
{
    u_char       *p;
    ngx_int_t     rc;
    unit_jpeg_t   jpeg;

    unit_jpeg(&jpeg, 16, 16);

    p = jpeg.data + unit_jpeg_find(&jpeg, 0xc0, 0);

    p[5] = height >> 8;
    p[6] = height;
    p[7] = width >> 8;
    p[8] = width;

    p = calloc(1, pad + 1);

    unit_jpeg_splice(&jpeg, jpeg.size - 2, 0, p, pad);

    rc = test_probe(&jpeg);

    free(jpeg.data);
    free(p);

    return rc;
}
