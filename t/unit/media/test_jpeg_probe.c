
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

#include "unit_jpeg.h"


#define TEST_WIDTH   83
#define TEST_HEIGHT  51


static void test_whole(void);
static void test_end(void);
static void test_scans(void);
static void test_cut(void);
static void test_faults(void);
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
    test_scans();
    test_cut();
    test_faults();
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


/* padding, what scripts and phones append, and a second picture */

static void
test_end(void)
{
    size_t       size;
    u_char       pad[4096];
    ngx_uint_t   i, n;
    unit_jpeg_t  jpeg, other;

    static const struct {
        const char  *name;
        const char  *bytes;
        size_t       len;
        ngx_uint_t   trailing;
    } tails[] = {
        { "one zero",                "\0",              1, 0 },
        { "zeros",                   "\0\0\0\0\0",      5, 0 },
        { "a stray byte",            "\x0a",            1, 1 },
        { "a stray 0xff",            "\xff",            1, 1 },
        { "a stray 0xd9",            "\xd9",            1, 1 },
        { "zeros and a stray byte",  "\0\0\x55",        3, 1 },
        { "a stray byte and zeros",  "\x55\0\0",        3, 1 },
        { "two stray bytes",         "\x55\x56",        2, 1 },
        { "two among zeros",         "\0\x55\0\x56\0",  5, 1 },
        { "the end of a line",       "\r\n",            2, 1 },
        { "another EOI",             "\xff\xd9",        2, 1 },
        { "SOI",                     "\xff\xd8",        2, 1 },
        { "text",                    "taken by cam 1",  14, 1 },
        { "HTML",                    "<html></html>\n", 14, 1 },
        { "a film",                  "\0\0\0\x18" "ftypmp42", 12, 1 },
        { "a trailer with an EOI",   "SEFH\xff\xd9SEFT", 10, 1 }
    };

    for (i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
        unit_jpeg(&jpeg, TEST_WIDTH, TEST_HEIGHT);
        size = jpeg.size;

        unit_jpeg_splice(&jpeg, size, 0, tails[i].bytes, tails[i].len);

        unit_ok(test_probe(&jpeg) == NGX_OK && info.size == size
                && info.trailing == tails[i].trailing,
                "behind the end: %s", tails[i].name);

        free(jpeg.data);
    }

    memset(pad, 0, sizeof(pad));

    unit_jpeg(&jpeg, TEST_WIDTH, TEST_HEIGHT);
    size = jpeg.size;

    unit_jpeg_splice(&jpeg, size, 0, pad, sizeof(pad));

    unit_ok(test_probe(&jpeg) == NGX_OK && info.size == size
            && !info.trailing, "behind the end: a page of zeros");

    for (i = 0, n = 0; i < 1000; i++) {
        memset(pad, unit_random(256), sizeof(pad));
        pad[unit_random(sizeof(pad))] = unit_random(256);
        memcpy(jpeg.data + size, pad, sizeof(pad));

        n += (test_probe(&jpeg) == NGX_OK && info.size == size);
    }

    unit_ok(n == 1000, "behind the end: anything");

    unit_jpeg(&other, 16, 16);
    memcpy(jpeg.data + size, other.data, other.size);
    jpeg.size = size + other.size;

    unit_ok(test_probe(&jpeg) == NGX_OK && info.size == size
            && info.width == TEST_WIDTH && info.trailing,
            "behind the end: a second picture");

    free(other.data);
    free(jpeg.data);
}


/* several scans, and what may stand in them and between them */

static void
test_scans(void)
{
    size_t       p, size;
    ngx_uint_t   i, n;
    unit_jpeg_t  jpeg;

    static const struct {
        const char  *name;
        const char  *bytes;
        size_t       len;
    } insides[] = {
        { "RST0",                    "\xff\xd0",                    2 },
        { "RST7 and fill bytes",     "\xff\xff\xff\xd7",            4 },
        { "a stuffed zero",          "\xff\0",                      2 },
        { "a fill byte before it",   "\xff\xff\0",                  3 },
        { "SOI alone",               "\xff\xd8",                    2 },
        { "a reserved marker",       "\xff\x42",                    2 },
        { "a comment with an EOI",   "\xff\xfe\0\x06\xff\xd9\xff\xd9", 8 },
        { "APP1 beyond the end",     "\xff\xe1\xff\xff",            4 },
        { "a length of zero",        "\xff\xe1\0\0",                4 }
    };

    for (n = 0; n < 2; n++) {
        unit_jpeg_foreign(&jpeg, TEST_WIDTH, TEST_HEIGHT, TJPF_RGB, TJSAMP_420,
                          n ? TJFLAG_PROGRESSIVE : 0);
        size = jpeg.size;

        unit_ok(test_probe(&jpeg) == NGX_OK && info.size == size,
                "%s", n ? "progressive" : "baseline");

        unit_jpeg_splice(&jpeg, size, 0, "\r\n\r\n", 4);

        unit_ok(test_probe(&jpeg) == NGX_OK && info.size == size
                && info.trailing, "with bytes behind it");

        free(jpeg.data);
    }

    for (i = 0; i < sizeof(insides) / sizeof(insides[0]); i++) {
        unit_jpeg_foreign(&jpeg, TEST_WIDTH, TEST_HEIGHT, TJPF_RGB, TJSAMP_420,
                          TJFLAG_PROGRESSIVE);
        size = jpeg.size;

        p = unit_jpeg_find(&jpeg, 0xda, 0);
        p += 2 + (jpeg.data[p + 2] << 8 | jpeg.data[p + 3]) + 20;

        while (jpeg.data[p - 1] == 0xff || jpeg.data[p] == 0xff) {
            p++;
        }

        unit_jpeg_splice(&jpeg, p, 0, insides[i].bytes, insides[i].len);
        unit_jpeg_splice(&jpeg, jpeg.size, 0, "\r\n\r\n", 4);

        unit_ok(test_probe(&jpeg) == NGX_OK
                && info.size == size + insides[i].len && info.trailing,
                "in a scan: %s", insides[i].name);

        free(jpeg.data);
    }

    /* damage that looks like a segment with the end in it */

    unit_jpeg(&jpeg, TEST_WIDTH, TEST_HEIGHT);

    p = jpeg.size - 8;
    memcpy(jpeg.data + p, "\xff\xe1\0\x06", 4);

    unit_ok(test_probe(&jpeg) == NGX_OK && info.size == jpeg.size,
            "damage does not hide the end");

    size = jpeg.size;
    unit_jpeg_splice(&jpeg, size, 0, "\r\n\r\n", 4);

    unit_ok(test_probe(&jpeg) == NGX_OK && info.size == size
            && info.trailing, "nor with bytes behind it");

    free(jpeg.data);
}


/* its end is missing: what else there is can be shown */

static void
test_cut(void)
{
    size_t                       size;
    u_char                      *buf;
    unit_jpeg_t                  jpeg, other;
    ngx_vidcast_image_t          image;
    ngx_vidcast_jpeg_decoder_t  *dec;

    unit_jpeg(&jpeg, 320, 240);
    unit_jpeg(&other, 16, 16);

    size = jpeg.size / 2;
    jpeg.size = size;

    unit_ok(test_probe(&jpeg) == NGX_DECLINED
            && info.fault == NGX_VIDCAST_JPEG_TRUNCATED
            && info.cut && info.size == size && !info.trailing,
            "cut off in the scan");

    jpeg.size += 1000;
    memset(jpeg.data + size, 0, 1000);

    unit_ok(test_probe(&jpeg) == NGX_DECLINED
            && info.fault == NGX_VIDCAST_JPEG_TRUNCATED
            && info.cut && info.size == size, "zeros behind it");

    memcpy(jpeg.data + size, other.data, other.size);
    jpeg.size = size + other.size;

    unit_ok(test_probe(&jpeg) == NGX_DECLINED
            && info.fault == NGX_VIDCAST_JPEG_TRUNCATED
            && info.cut && info.size == size && info.trailing,
            "the end of the next picture is not its end");

    buf = malloc(ngx_vidcast_jpeg_whole_size(&info));
    ngx_vidcast_jpeg_make_whole(buf, jpeg.data, &info);

    free(jpeg.data);
    unit_jpeg_copy(&jpeg, buf, ngx_vidcast_jpeg_whole_size(&info));

    unit_ok(test_probe(&jpeg) == NGX_OK && info.size == size + 2
            && memcmp(buf + size, "\xff\xd9", 2) == 0, "EOI is put behind it");

    dec = ngx_vidcast_jpeg_decoder_create();

    unit_ok(ngx_vidcast_jpeg_decode_gray(dec, buf, size + 2, 0, &image)
            == NGX_OK && image.width == 320, "and it can be decoded");

    test_strip(&jpeg);
    jpeg.size -= 2;

    unit_ok(test_probe(&jpeg) == NGX_DECLINED && info.cut && !info.dht,
            "neither tables nor end");

    free(buf);
    buf = malloc(ngx_vidcast_jpeg_whole_size(&info));
    ngx_vidcast_jpeg_make_whole(buf, jpeg.data, &info);

    unit_ok(test_probe_bytes(buf, jpeg.size + NGX_VIDCAST_JPEG_DHT_LEN + 2)
            == NGX_OK && info.dht, "both are put in");

    jpeg.size = 100;

    unit_ok(test_probe(&jpeg) == NGX_DECLINED && !info.cut
            && info.fault == NGX_VIDCAST_JPEG_BEGUN,
            "cut off before the scan: nothing to be shown");

    ngx_vidcast_jpeg_decoder_destroy(dec);
    free(jpeg.data);
    free(other.data);
    free(buf);
}


/* each cause in its own words, and none of them twice */

static void
test_faults(void)
{
    ngx_uint_t   i, j, same;
    const char  *text, *before;

    static const struct {
        const char  *bytes;
        size_t       len;
        const char  *words;
    } faults[] = {
        { "", 0, "empty" },
        { "\xff", 1, "before its picture begins" },
        { "\xff\xd8", 2, "before its picture begins" },
        { "\xff\xd8\xff\xe0\0\x10JFIF", 10, "before its picture begins" },
        { "\xff\xd8\xff\xd9", 4, "without a picture" },
        { "\xff\xd8\xff\xda\0\x02\xff\xd9", 8, "without a header" },
        { "\xff\xd8\xff\xdb\0\0", 6, "broken before" },
        { "\xff\xd8\xff\xd8\xff\xe0", 6, "broken before" },
        { "\xff\xd8\xff\xc9\0\x0b\x08\0\x08\0\x08\1\1\x11\0", 15,
          "arithmetic" },
        { "\xff\xd8\xff\xca\0\x02", 6, "arithmetic" },
        { "\xff\xd8\xff\xc3\0\x02", 6, "lossless" },
        { "\xff\xd8\xff\xf7\0\x02", 6, "lossless" },
        { "\xff\xd8\xff\xc5\0\x02", 6, "hierarchical" },
        { "\xff\xd8\xff\xc1\0\x0b\x0c\0\x08\0\x08\1\1\x11\0", 15, "12 bits" },
        { "\xff\xd8\xff\xc0\0\x0b\x07\0\x08\0\x08\1\1\x11\0", 15,
          "wrong number of bits" },
        { "\xff\xd8\xff\xc0\0\x0b\x08\0\0\0\x08\1\1\x11\0", 15, "DNL" },
        { "\xff\xd8\xff\xc0\0\x0b\x08\0\x08\0\0\1\1\x11\0", 15,
          "without width" },
        { "\xff\xd8\xff\xc0\0\x0b\x08\x40\1\0\x08\1\1\x11\0", 15, "16384" },
        { "\xff\xd8\xff\xc0\0\x0b\x08\x40\0\x40\0\1\1\x11\0", 15,
          "64 million" },
        { "\xff\xd8\xff\xc0\0\x0b\x08\x10\0\x10\0\1\1\x11\0\xff\xd9", 17,
          "so few bytes" },
        { "\xff\xd8\xff\xc0\0\x0b\x08\x10\0\x10\0\1\1\x11\0", 15,
          "its end is missing" },
        { "\xff\xd8\xff\xc0\0\x0e\x08\0\x08\0\x08\2\1\x11\0\2\x11\0", 18,
          "neither gray" },
        { "\xff\xd8\xff\xc0\0\x0b\x08\0\x08\0\x08\3\1\x11\0", 15,
          "broken header" },
        { "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", 16, "PNG" },
        { "GIF89a\x01\0\x01\0", 10, "GIF" },
        { "RIFF\x24\0\0\0WEBPVP8 ", 16, "WebP" },
        { "\0\0\0\x18" "ftypheic\0\0\0\0", 16, "HEIC" },
        { "\0\0\0\x18" "ftypmif1\0\0\0\0", 16, "HEIC" },
        { "\0\0\0\x1c" "ftypavif\0\0\0\0", 16, "AVIF" },
        { "II*\0\x08\0\0\0", 8, "TIFF" },
        { "\0\0\0\x0cjP  \r\n\x87\n", 12, "JPEG 2000" },
        { "\0\0\0\x0cJXL \r\n\x87\n", 12, "JPEG XL" },
        { "\0\0\0\x18" "ftypisom\0\0\0\0", 16, "film" },
        { "RIFF\x24\0\0\0AVI LIST", 16, "film" },
        { "<!DOCTYPE html><html>", 21, "HTML" },
        { "\r\n  <html>", 10, "HTML" },
        { "\xef\xbb\xbf<html>", 9, "HTML" },
        { "<?xml version=\"1.0\"?>", 21, "XML" },
        { "<svg>", 5, "SVG" },
        { "hello\n", 6, "text" },
        { "{\"error\":\"busy\"}", 16, "text" },
        { "\r\n\xff\xd8\xff\xe0", 6, "bytes before it" },
        { "--x\r\n\r\n\xff\xd8\xff\xe0", 11, "bytes before it" },
        { "\xfe\xff\xd8\0", 4, "nor another" },
        { "\0\0\0\0", 4, "nor another" }
    };

    for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        (void) test_probe_bytes(faults[i].bytes, faults[i].len);
        text = ngx_vidcast_jpeg_fault_text(info.fault);

        unit_ok(info.fault && strstr(text, faults[i].words), "%s: \"%s\"",
                faults[i].words, text);
    }

    same = 0;

    for (i = 1; i < NGX_VIDCAST_JPEG_FAULTS; i++) {
        text = ngx_vidcast_jpeg_fault_text(i);
        same += strlen(text) > 100;

        for (j = 0; j < i; j++) {
            before = ngx_vidcast_jpeg_fault_text(j);
            same += strcmp(text, before) == 0;
        }
    }

    unit_ok(same == 0, "each in its own words");
    unit_ok(ngx_vidcast_jpeg_fault_text(NGX_VIDCAST_JPEG_FAULTS)
            == ngx_vidcast_jpeg_fault_text(NGX_VIDCAST_JPEG_UNKNOWN),
            "a number that there is not");
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
