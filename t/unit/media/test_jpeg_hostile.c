
/*
 * Copyright (C) vidcast contributors
 */


/*
 * The decoder is fed what cameras and publishers send.  Whatever it is, the
 * answer is pixels or NGX_DECLINED: no crash, no memory taken because a header
 * said so, no pixels of the picture before, and the next picture is decoded as
 * if nothing had been.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include <sys/resource.h>
#include <turbojpeg.h>


static int test_header(tjhandle handle, const u_char *data, unsigned long size,
    int *width, int *height, int *sampling, int *space);

#define tjDecompressHeader3  test_header

#include "unit_jpeg.h"

#undef tjDecompressHeader3


static void test_refused(void);
static void test_bomb(void);
static void test_excess(void);
static const char *test_excess_of(uint32_t width, uint32_t height,
    int sampling, int flags, ngx_uint_t scans, ngx_uint_t held);
static void test_truncated(void);
static void test_given_up(void);
static void test_corrupted(void);
static void test_changing(void);

static void test_damage(unit_jpeg_t *jpeg);
static ngx_int_t test_decode(unit_jpeg_t *jpeg, uint32_t width);


static ngx_vidcast_image_t          out;
static ngx_vidcast_jpeg_decoder_t  *dec;
static u_char                      *changing;   /* a byte of the picture */


int
main(void)
{
    dec = ngx_vidcast_jpeg_decoder_create();

    if (dec == NULL) {
        return 2;
    }

    test_refused();
    test_bomb();
    test_excess();
    test_truncated();
    test_given_up();
    test_corrupted();
    test_changing();

    ngx_vidcast_jpeg_decoder_destroy(dec);

    return unit_done();
}


static void
test_refused(void)
{
    size_t       p;
    ngx_uint_t   i;
    unit_jpeg_t  jpeg;

    static const struct {
        const char  *name;
        ngx_uint_t   marker;
        size_t       offset;
        u_char       value;
    } faults[] = {
        { "12 bits a sample",              0xc0,  4, 12 },
        { "65296 pixels high, few bytes",  0xc0,  5, 255 },
        { "width 0",                       0xc0,  8, 0 },
        { "sampling factor 0",             0xc0, 11, 0x00 },
        { "sampling factor 15",            0xc0, 11, 0xff },
        { "no such quantization table",    0xc0, 12, 9 },
        { "arithmetic coding",             0xc0,  1, 0xc9 },
        { "lossless",                      0xc0,  1, 0xc3 },
        { "a Huffman table too long",      0xc4,  5, 255 },
        { "no such Huffman table",         0xda,  6, 0x77 },
        { "a scan of nothing",             0xda,  4, 0 }
    };

    unit_jpeg_foreign(&jpeg, 64, 48, TJPF_CMYK, TJSAMP_444, 0);
    unit_ok(test_decode(&jpeg, 0) == NGX_DECLINED, "CMYK");
    free(jpeg.data);

    for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        unit_jpeg(&jpeg, 200, 64);

        p = unit_jpeg_find(&jpeg, faults[i].marker, 0);
        jpeg.data[p + faults[i].offset] = faults[i].value;

        unit_ok(p && test_decode(&jpeg, 0) == NGX_DECLINED, "%s",
                faults[i].name);

        free(jpeg.data);
    }

    unit_jpeg_copy(&jpeg, (u_char *) "GIF89a", 6);
    unit_ok(test_decode(&jpeg, 0) == NGX_DECLINED, "not a JPEG");
    free(jpeg.data);

    unit_jpeg_copy(&jpeg, (u_char *) "", 0);
    unit_ok(test_decode(&jpeg, 0) == NGX_DECLINED, "nothing");
    free(jpeg.data);

    unit_jpeg(&jpeg, 64, 48);
    unit_ok(test_decode(&jpeg, 0) == NGX_OK, "works on after that");
    free(jpeg.data);
}


/* a small file which says that it is a large picture */

static void
test_bomb(void)
{
    u_char         *p;
    unit_jpeg_t     jpeg;
    struct rusage   was, is;

    unit_jpeg_foreign(&jpeg, 64, 64, TJPF_RGB, TJSAMP_420,
                      TJFLAG_PROGRESSIVE);

    p = jpeg.data + unit_jpeg_find(&jpeg, 0xc2, 0);

    p[5] = 0x20;
    p[6] = 0x00;
    p[7] = 0x20;
    p[8] = 0x00;

    (void) getrusage(RUSAGE_SELF, &was);

    unit_ok(test_decode(&jpeg, 0) == NGX_DECLINED,
            "8192x8192, progressive, in %d bytes", (int) jpeg.size);

    (void) getrusage(RUSAGE_SELF, &is);

    unit_ok(is.ru_maxrss - was.ru_maxrss < 16384, "takes no memory");

    free(jpeg.data);
}


/* that it has the bytes for its pixels does not make it cheap */

static void
test_excess(void)
{
    const char  *why;

    why = test_excess_of(4096, 4096, TJSAMP_GRAY, TJFLAG_PROGRESSIVE, 200, 0);

    unit_ok(why && strcmp(why, "it has too many scans") == 0,
            "two hundred scans of 16 million pixels");
    unit_ok(strcmp(ngx_vidcast_jpeg_decoder_error(dec),
                   "it has too many scans") == 0, "are not decoded");

    why = test_excess_of(1024, 1024, TJSAMP_GRAY, TJFLAG_PROGRESSIVE, 200, 0);

    unit_ok(why == NULL, "of one million they are allowed");

    why = test_excess_of(8192, 8192, TJSAMP_444, TJFLAG_PROGRESSIVE, 1, 0);

    unit_ok(why && strcmp(why, "it would take too much memory") == 0,
            "64 million pixels with all of their colors, to be held");

    why = test_excess_of(8192, 8192, TJSAMP_444, 0, 0, 0);

    unit_ok(why == NULL, "are allowed if they are in one scan");

    why = test_excess_of(8192, 8192, TJSAMP_444, 0, 0, 1);

    unit_ok(why != NULL, "unless they are to be held for another reason");

    unit_ok(test_excess_of(8000, 6000, TJSAMP_420, TJFLAG_PROGRESSIVE, 1, 1)
            == NULL
            && test_excess_of(8000, 6000, TJSAMP_444, TJFLAG_PROGRESSIVE, 1, 1)
               == NULL,
            "what phones make of 48 million is allowed");
}


/*
 * Of a picture that says that it has this size; with so many more scans, which
 * are empty.  It is offered to the decoder if it is excessive.
 */

static const char *
test_excess_of(uint32_t width, uint32_t height, int sampling, int flags,
    ngx_uint_t scans, ngx_uint_t held)
{
    u_char                   *p;
    size_t                    size;
    ngx_uint_t                i;
    const char               *why;
    unit_jpeg_t               jpeg, large;
    const u_char             *scan;
    ngx_vidcast_jpeg_info_t   info;

    static const u_char  empty[] = {
        0xff, 0xda, 0x00, 0x08, 0x01, 0x01, 0x00, 0x00, 0x00, 0x01
    };

    unit_jpeg_foreign(&jpeg, 64, 64, TJPF_RGB, sampling, flags);

    p = jpeg.data
        + unit_jpeg_find(&jpeg, (flags & TJFLAG_PROGRESSIVE) ? 0xc2 : 0xc0, 0);

    p[5] = height >> 8;
    p[6] = height & 0xff;
    p[7] = width >> 8;
    p[8] = width & 0xff;

    /* as many bytes as so many pixels ask for */

    size = jpeg.size + scans * sizeof(empty) + 65536;

    large.data = calloc(1, size);
    large.size = size;

    if (large.data == NULL) {
        exit(2);
    }

    p = ngx_cpymem(large.data, jpeg.data, jpeg.size - 2);

    for (i = 0; i < scans; i++) {
        p = ngx_cpymem(p, empty, sizeof(empty));
    }

    large.data[size - 2] = 0xff;
    large.data[size - 1] = 0xd9;

    if (ngx_vidcast_jpeg_walk(large.data, large.data + size, &info, &scan)
        != NGX_OK)
    {
        exit(2);
    }

    why = ngx_vidcast_jpeg_excess(&info, scan, large.data + size, held);

    if (why && !held && test_decode(&large, 0) != NGX_DECLINED) {
        why = NULL;
    }

    free(jpeg.data);
    free(large.data);

    return why;
}


/* the upper part of a cut picture is there, and right */

static void
test_truncated(void)
{
    size_t               n;
    ngx_uint_t           odd;
    unit_jpeg_t          jpeg, cut;
    ngx_vidcast_image_t  whole, top;

    unit_jpeg(&jpeg, 320, 240);

    if (test_decode(&jpeg, 0) != NGX_OK) {
        exit(2);
    }

    unit_copy(&whole, &out);

    unit_jpeg_copy(&cut, jpeg.data, jpeg.size * 3 / 4);

    unit_ok(test_decode(&cut, 0) == NGX_OK, "three quarters of a picture");

    top = out;
    top.height = 120;
    whole.height = 120;

    unit_ok(unit_difference(&whole, &top) == 0, "its upper half is right");

    whole.height = 240;

    unit_ok(unit_difference(&whole, &out) > 0, "its lower half is not");

    free(cut.data);

    odd = 0;

    for (n = 0; n < jpeg.size; n += 1 + n / 16) {
        unit_jpeg_copy(&cut, jpeg.data, n);

        switch (test_decode(&cut, 160)) {

        case NGX_OK:
            odd += (out.width != 160 || n < 600);
            break;

        case NGX_DECLINED:
            odd += (n > 700);
            break;

        default:
            odd++;
        }

        free(cut.data);
    }

    unit_ok(odd == 0, "cut in the headers: declined, in the scan: decoded");

    free(jpeg.data);
    ngx_vidcast_image_free(&whole);
}


/*
 * The library warns, and then gives up: no picture, and not the one before,
 * which is what its memory has.
 */

static void
test_given_up(void)
{
    ngx_uint_t               i;
    unit_jpeg_t              good, bad;
    vidcast_image_t          image;
    ngx_vidcast_jpeg_info_t  info;

    static const uint32_t  formats[] = {
        VIDCAST_GRAY8, VIDCAST_RGB24, VIDCAST_BGR24, VIDCAST_I420
    };

    /* as long as the process lives, as in a capture */

    static ngx_vidcast_jpeg_turner_t  *turner;

    unit_jpeg(&good, 320, 240);

    unit_jpeg_foreign(&bad, 320, 240, TJPF_RGB, TJSAMP_420,
                      TJFLAG_PROGRESSIVE);
    test_damage(&bad);

    for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        ngx_memzero(&image, sizeof(vidcast_image_t));

        image.format = formats[i];
        image.width = 320;
        image.height = 240;

        unit_ok(ngx_vidcast_jpeg_decode(dec, good.data, good.size, NULL,
                                        &image)
                == NGX_OK
                && ngx_vidcast_jpeg_decode(dec, bad.data, bad.size, NULL,
                                           &image)
                   == NGX_DECLINED,
                "format %d: a picture of which nothing is decoded", (int) i);

        unit_ok(strcmp(ngx_vidcast_jpeg_decoder_error(dec),
                       "Bogus marker length")
                == 0,
                "format %d: the reason is not that of the warning", (int) i);
    }

    turner = ngx_vidcast_jpeg_turner_create();

    if (turner == NULL) {
        exit(2);
    }

    unit_ok(ngx_vidcast_jpeg_probe(good.data, good.size, &info) == NGX_OK
            && ngx_vidcast_jpeg_turn_lossless(turner, good.data, &info,
                                              NGX_VIDCAST_UPRIGHT + 1)
               != NULL,
            "a picture is turned");

    unit_ok(ngx_vidcast_jpeg_probe(bad.data, bad.size, &info) == NGX_OK
            && ngx_vidcast_jpeg_turn_lossless(turner, bad.data, &info,
                                              NGX_VIDCAST_UPRIGHT + 1)
               == NULL,
            "one that cannot be read does not become the one before");

    free(good.data);
    free(bad.data);
}


/* the first scan ends early, and a table behind it has no length */

static void
test_damage(unit_jpeg_t *jpeg)
{
    size_t  p;

    p = unit_jpeg_find(jpeg, 0xda, 0);

    for (p += 14; jpeg->data[p] != 0xff || jpeg->data[p + 1] == 0; p++) {
        /* void */
    }

    unit_jpeg_splice(jpeg, p - 40, 40, "\xff\xc4\0\3\0", 5);
}


static void
test_corrupted(void)
{
    size_t                    p;
    uint32_t                  head, i, n, kind;
    ngx_uint_t                ok, declined, odd;
    unit_jpeg_t               jpeg, copy;
    ngx_vidcast_jpeg_info_t   info;

    for (kind = 0; kind < 3; kind++) {

        unit_jpeg_foreign(&jpeg, 72, 56, TJPF_RGB,
                     kind == 1 ? TJSAMP_422 : TJSAMP_420,
                     kind == 2 ? TJFLAG_PROGRESSIVE : 0);

        head = unit_jpeg_find(&jpeg, 0xda, 0) + 14;

        ok = 0;
        declined = 0;
        odd = 0;

        for (i = 0; i < 2000; i++) {
            unit_jpeg_copy(&copy, jpeg.data, jpeg.size);

            /* every other one in the headers only */

            for (n = 1 + unit_random(8); n; n--) {
                p = unit_random(i % 2 ? head : copy.size);
                copy.data[p] = unit_random(2) ? unit_random(256)
                                : copy.data[p] ^ 1u << unit_random(8);
            }

            if (unit_random(8) == 0) {
                p = unit_random(copy.size);
                unit_jpeg_splice(&copy, p, unit_random(copy.size - p), "", 0);
            }

            if (ngx_vidcast_jpeg_probe(copy.data, copy.size, &info) == NGX_OK
                && (info.size > copy.size || info.dht_pos > info.size
                    || info.width == 0 || info.height == 0))
            {
                odd++;
            }

            switch (test_decode(&copy, unit_random(2) * 30)) {

            case NGX_OK:
                ok++;
                break;

            case NGX_DECLINED:
                declined++;
                break;

            default:
                odd++;
            }

            free(copy.data);
        }

        unit_ok(ok > 100 && declined > 100 && odd == 0,
                "2000 corruptions: %d decoded, %d declined", (int) ok,
                (int) declined);

        unit_ok(test_decode(&jpeg, 0) == NGX_OK
                && out.width == 72 && out.height == 56,
                "and the picture itself is decoded as before");

        free(jpeg.data);
    }
}


static ngx_int_t
test_decode(unit_jpeg_t *jpeg, uint32_t width)
{
    ngx_memzero(&out, sizeof(ngx_vidcast_image_t));

    return ngx_vidcast_jpeg_decode_gray(dec, jpeg->data, jpeg->size, width,
                                        &out);
}


/*
 * In memory of others the planes of a picture may become larger after their
 * size was looked at, and before they are written.
 */

static void
test_changing(void)
{
    u_char           *once;
    size_t            size;
    unit_jpeg_t       jpeg;
    vidcast_image_t   image;

    unit_jpeg(&jpeg, 64, 64);

    size = 64 * 64 * 3 / 2;
    once = malloc(size);

    ngx_memzero(&image, sizeof(vidcast_image_t));

    image.format = VIDCAST_I420;
    image.width = 64;
    image.height = 64;

    unit_ok(ngx_vidcast_jpeg_decode(dec, jpeg.data, jpeg.size, NULL, &image)
            == NGX_OK,
            "changing: a picture");

    memcpy(once, image.plane[0], size);

    /* the sampling of its first component */

    changing = jpeg.data + unit_jpeg_find(&jpeg, 0xc0, 0) + 11;

    unit_ok(*changing == 0x22, "changing: where its planes have their size");

    image.width = 64;
    image.height = 64;

    unit_ok(ngx_vidcast_jpeg_decode(dec, jpeg.data, jpeg.size, NULL, &image)
            == NGX_OK
            && memcmp(once, image.plane[0], size) == 0,
            "changing: it is the one that was looked at");
    unit_ok(*changing == 0x11, "changing: though it has changed");

    changing = NULL;

    free(once);
    free(jpeg.data);
}


static int
test_header(tjhandle handle, const u_char *data, unsigned long size,
    int *width, int *height, int *sampling, int *space)
{
    int  rc;

    rc = tjDecompressHeader3(handle, data, size, width, height, sampling,
                             space);

    if (changing) {
        *changing = 0x11;
    }

    return rc;
}
