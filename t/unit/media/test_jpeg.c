
/*
 * Copyright (C) vidcast contributors
 */


/*
 * The encoder writes straight into a slot of the shared ring, whose neighbor
 * is another frame: one byte beyond the slot would be somebody's torn
 * picture.  So: no byte too many at any size, pixels that are right, and
 * scales that are what a predictor asked for.
 */

#include "unit_jpeg.h"

#include <pthread.h>


#define TEST_GUARD    4096
#define TEST_THREADS  4


static void test_round_trip(void);
static void test_room(void);
static void test_beside(void);
static void test_quality(void);
static void test_encoder_errors(void);
static void test_scales(void);
static void test_scaled_pixels(void);
static void test_subsampling(void);
static void test_progressive(void);
static void test_buffer(void);
static void test_threads(void);

static ngx_int_t test_decode(unit_jpeg_t *jpeg, uint32_t width);
static void *test_thread(void *data);


static ngx_vidcast_image_t          out;
static ngx_vidcast_jpeg_encoder_t  *enc;
static ngx_vidcast_jpeg_decoder_t  *dec;


int
main(void)
{
    enc = ngx_vidcast_jpeg_encoder_create();
    dec = ngx_vidcast_jpeg_decoder_create();

    if (enc == NULL || dec == NULL) {
        return 2;
    }

    test_round_trip();
    test_room();
    test_beside();
    test_quality();
    test_encoder_errors();
    test_scales();
    test_scaled_pixels();
    test_subsampling();
    test_progressive();
    test_buffer();
    test_threads();

    ngx_vidcast_jpeg_encoder_destroy(enc);
    ngx_vidcast_jpeg_decoder_destroy(dec);

    ngx_vidcast_jpeg_encoder_destroy(NULL);
    ngx_vidcast_jpeg_decoder_destroy(NULL);

    return unit_done();
}


static void
test_round_trip(void)
{
    u_char                   *dst;
    size_t                    size;
    ngx_int_t                 rc;
    ngx_uint_t                i;
    unit_jpeg_t               jpeg;
    ngx_vidcast_image_t       image;
    ngx_vidcast_jpeg_info_t   info;

    static const struct {
        uint32_t  width;
        uint32_t  height;
    } sizes[] = {
        { 1, 1 }, { 1, 9 }, { 9, 1 }, { 2, 2 }, { 7, 5 }, { 15, 17 },
        { 16, 16 }, { 17, 15 }, { 31, 33 }, { 63, 64 }, { 65, 64 },
        { 639, 481 }, { 640, 480 }, { 1279, 719 }
    };

    dst = malloc(4194304);

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        unit_picture(&image, sizes[i].width, sizes[i].height, 4);

        size = 4194304;

        unit_ok(ngx_vidcast_jpeg_encode(enc, &image, 90, dst, &size)
                == NGX_OK
                && ngx_vidcast_jpeg_probe(dst, size, &info) == NGX_OK
                && info.width == image.width && info.height == image.height
                && info.size == size,
                "%ux%u is encoded", image.width, image.height);

        unit_jpeg_copy(&jpeg, dst, size);

        rc = test_decode(&jpeg, 0);

        unit_ok(rc == NGX_OK && unit_difference(&image, &out) < 300,
                "%ux%u is decoded to nearly the same", image.width,
                image.height);

        free(jpeg.data);
        ngx_vidcast_image_free(&image);
    }

    free(dst);
}


/* every amount of room around what is needed, with a guard behind it */

static void
test_room(void)
{
    u_char                      *dst;
    size_t                       need, room, size, i;
    ngx_int_t                    rc;
    ngx_uint_t                   written, wrong, different;
    unit_jpeg_t                  jpeg;
    ngx_vidcast_image_t          image;
    ngx_vidcast_jpeg_encoder_t  *fresh;

    unit_picture(&image, 161, 119, 64);

    dst = malloc(262144 + TEST_GUARD);

    need = 262144;

    if (ngx_vidcast_jpeg_encode(enc, &image, 80, dst, &need) != NGX_OK) {
        need = 0;
    }

    unit_jpeg_copy(&jpeg, dst, need);

    unit_ok(need > 2048 && need < tjBufSize(161, 119, TJSAMP_420),
            "less than the worst case is written");

    written = 0;
    wrong = 0;
    different = 0;

    fresh = ngx_vidcast_jpeg_encoder_create();

    for (room = 0; room < 2 * need; room += (room > need + 32) ? 997 : 1) {

        if (room == 33) {
            room = need - 32;
        }

        memset(dst, 0xa5, 262144 + TEST_GUARD);
        size = room;

        rc = ngx_vidcast_jpeg_encode(fresh, &image, 80, dst, &size);

        if (rc != (room < need ? NGX_DECLINED : NGX_OK)) {
            wrong++;
        }

        if (rc == NGX_OK
            && (size != need || memcmp(dst, jpeg.data, need) != 0))
        {
            different++;
        }

        for (i = room; i < room + TEST_GUARD; i++) {
            if (dst[i] != 0xa5) {
                written++;
                break;
            }
        }
    }

    unit_ok(wrong == 0, "declined when it does not fit, and only then");
    unit_ok(different == 0, "the same bytes in a small room and a large one");
    unit_ok(written == 0, "no byte behind the room");

    free(jpeg.data);
    free(dst);
    ngx_vidcast_image_free(&image);
    ngx_vidcast_jpeg_encoder_destroy(fresh);
}


/* the same planes, with other bytes around them */

static void
test_beside(void)
{
    u_char               *dst[2], *buf, *p;
    size_t                size[2], len;
    uint32_t              i, k, w, h, y;
    ngx_int_t             rc;
    ngx_uint_t            n;
    ngx_vidcast_image_t   image, other;

    static const struct {
        uint32_t  width;
        uint32_t  height;
    } sizes[] = { { 1, 1 }, { 33, 32 }, { 32, 33 }, { 35, 41 }, { 48, 48 } };

    buf = malloc(65536);
    dst[0] = malloc(65536);
    dst[1] = malloc(65536);

    for (n = 0; n < sizeof(sizes) / sizeof(sizes[0]); n++) {
        unit_picture(&image, sizes[n].width, sizes[n].height, 32);

        rc = NGX_OK;

        for (k = 0; k < 2; k++) {
            memset(buf, k ? 0xff : 0x00, 65536);

            other = image;
            p = buf;

            for (i = 0; i < 3; i++) {
                w = (image.width + (i != 0)) >> (i != 0);
                h = (image.height + (i != 0)) >> (i != 0);

                other.plane[i] = p;
                other.stride[i] = w + 16;

                for (y = 0; y < h; y++, p += w + 16) {
                    memcpy(p, image.plane[i] + y * image.stride[i], w);
                }

                p += 4 * (w + 16);
            }

            size[k] = 65536;

            if (ngx_vidcast_jpeg_encode(enc, &other, 90, dst[k], &size[k])
                != NGX_OK)
            {
                rc = NGX_ERROR;
            }
        }

        len = size[0];

        unit_ok(rc == NGX_OK && size[1] == len
                && memcmp(dst[0], dst[1], len) == 0,
                "%ux%u: what stands beside the picture has no effect",
                image.width, image.height);

        ngx_vidcast_image_free(&image);
    }

    free(buf);
    free(dst[0]);
    free(dst[1]);
}


static void
test_quality(void)
{
    u_char               *dst;
    size_t                size, last;
    uint64_t              diff[2];
    ngx_uint_t            i, bad;
    unit_jpeg_t           jpeg;
    ngx_vidcast_image_t   image;

    static const ngx_uint_t  qualities[] = { 1, 25, 50, 75, 90, 95, 96, 100 };

    unit_picture(&image, 320, 240, 32);

    dst = malloc(1048576);
    last = 0;
    bad = 0;
    diff[0] = 0;
    diff[1] = 0;

    for (i = 0; i < sizeof(qualities) / sizeof(qualities[0]); i++) {
        size = 1048576;

        if (ngx_vidcast_jpeg_encode(enc, &image, qualities[i], dst, &size)
            != NGX_OK
            || size <= last)
        {
            bad++;
        }

        last = size;

        unit_jpeg_copy(&jpeg, dst, size);

        if (test_decode(&jpeg, 0) == NGX_OK) {
            diff[i != 0] = unit_difference(&image, &out);

        } else {
            bad++;
        }

        free(jpeg.data);
    }

    unit_ok(bad == 0, "more quality is more bytes");
    unit_ok(diff[1] < 50 && diff[0] > 4 * diff[1],
            "and a better picture (%d, %d)", (int) diff[0], (int) diff[1]);

    free(dst);
    ngx_vidcast_image_free(&image);
}


static void
test_encoder_errors(void)
{
    u_char               *dst;
    size_t                size;
    ngx_vidcast_image_t   image, gray, huge;

    unit_picture(&image, 32, 32, 0);

    if (ngx_vidcast_image_alloc(&gray, 32, 32, 1) != NGX_OK) {
        exit(2);
    }

    dst = malloc(65536);
    size = 65536;

    unit_ok(ngx_vidcast_jpeg_encode(enc, &image, 0, dst, &size) == NGX_ERROR
            && size == 65536, "quality 0");
    unit_ok(ngx_vidcast_jpeg_encoder_error(enc)[0] != '\0', "says why");
    unit_ok(ngx_vidcast_jpeg_encode(enc, &image, 101, dst, &size)
            == NGX_ERROR, "quality 101");
    unit_ok(ngx_vidcast_jpeg_encode(enc, &gray, 80, dst, &size)
            == NGX_ERROR, "no chroma");

    huge = image;
    huge.width = NGX_VIDCAST_MAX_DIMENSION + 1;

    unit_ok(ngx_vidcast_jpeg_encode(enc, &huge, 80, dst, &size) == NGX_ERROR,
            "too wide");
    unit_ok(ngx_vidcast_jpeg_encoder_error(enc)[0] != '\0', "says why");

    huge.width = 0;

    unit_ok(ngx_vidcast_jpeg_encode(enc, &huge, 80, dst, &size) == NGX_ERROR,
            "width 0");

    unit_ok(ngx_vidcast_jpeg_encode(enc, &image, 80, dst, &size) == NGX_OK,
            "works on after errors");

    free(dst);
    ngx_vidcast_image_free(&image);
    ngx_vidcast_image_free(&gray);
}


/* halves, rounded up */

static void
test_scales(void)
{
    uint32_t     n, width, want_w, want_h;
    ngx_uint_t   i, bad;
    unit_jpeg_t  jpeg;

    static const struct {
        uint32_t  width;
        uint32_t  height;
    } sizes[] = { { 1, 1 }, { 5, 3 }, { 13, 50 }, { 641, 17 }, { 320, 240 } };

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        unit_jpeg(&jpeg, sizes[i].width, sizes[i].height);

        bad = 0;

        for (width = 0; width < sizes[i].width + 20; width++) {

            want_w = sizes[i].width;
            want_h = sizes[i].height;

            for (n = 2; width && n <= 8; n *= 2) {

                if ((sizes[i].width + n - 1) / n >= width) {
                    want_w = (sizes[i].width + n - 1) / n;
                    want_h = (sizes[i].height + n - 1) / n;
                }
            }

            if (test_decode(&jpeg, width) != NGX_OK
                || out.width != want_w || out.height != want_h
                || out.plane[1] || out.plane[2] || out.stride[0] < out.width
                || out.stride[0] % 64 || (uintptr_t) out.plane[0] % 64)
            {
                bad++;
            }
        }

        unit_ok(bad == 0, "%ux%u at every width asked", sizes[i].width,
                sizes[i].height);

        free(jpeg.data);
    }
}


static void
test_scaled_pixels(void)
{
    uint32_t             n;
    unit_jpeg_t          jpeg;
    ngx_vidcast_image_t  full, want;

    unit_jpeg(&jpeg, 640, 481);

    if (test_decode(&jpeg, 0) != NGX_OK) {
        exit(2);
    }

    unit_copy(&full, &out);

    for (n = 2; n <= 8; n *= 2) {

        if (test_decode(&jpeg, 640 / n) != NGX_OK
            || ngx_vidcast_image_alloc(&want, out.width, out.height, 1)
               != NGX_OK)
        {
            exit(2);
        }

        ngx_vidcast_image_scale_luma(&full, &want);

        unit_ok(out.width == 640 / n && unit_difference(&want, &out) < 400,
                "1/%u is the picture made smaller", n);

        ngx_vidcast_image_free(&want);
    }

    free(jpeg.data);
    ngx_vidcast_image_free(&full);
}


static void
test_subsampling(void)
{
    ngx_uint_t           i;
    unit_jpeg_t          jpeg;
    ngx_vidcast_image_t  first;

    static const struct {
        const char  *name;
        int          subsampling;
    } kinds[] = {
        { "4:4:4", TJSAMP_444 }, { "4:2:2", TJSAMP_422 },
        { "4:2:0", TJSAMP_420 }, { "4:4:0", TJSAMP_440 },
        { "4:1:1", TJSAMP_411 }, { "gray", TJSAMP_GRAY }
    };

    ngx_memzero(&first, sizeof(ngx_vidcast_image_t));

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        unit_jpeg_foreign(&jpeg, 99, 57, TJPF_RGB, kinds[i].subsampling, 0);

        if (test_decode(&jpeg, 0) != NGX_OK) {
            ngx_memzero(&out, sizeof(ngx_vidcast_image_t));
        }

        if (i == 0 && out.plane[0]) {
            unit_copy(&first, &out);
        }

        unit_ok(out.width == 99 && unit_difference(&first, &out) == 0,
                "%s has the same luma", kinds[i].name);

        free(jpeg.data);
    }

    ngx_vidcast_image_free(&first);
}


static void
test_progressive(void)
{
    unit_jpeg_t          jpeg;
    ngx_vidcast_image_t  first;

    unit_jpeg_foreign(&jpeg, 200, 101, TJPF_RGB, TJSAMP_420, 0);

    if (test_decode(&jpeg, 0) != NGX_OK) {
        exit(2);
    }

    unit_copy(&first, &out);

    free(jpeg.data);
    unit_jpeg_foreign(&jpeg, 200, 101, TJPF_RGB, TJSAMP_420,
                      TJFLAG_PROGRESSIVE);

    unit_ok(unit_jpeg_find(&jpeg, 0xc2, 0) != 0
            && test_decode(&jpeg, 0) == NGX_OK
            && unit_difference(&first, &out) == 0,
            "progressive decodes to the same pixels");

    free(jpeg.data);
    ngx_vidcast_image_free(&first);
}


static void
test_buffer(void)
{
    u_char                      *p;
    unit_jpeg_t                  large, small;
    ngx_vidcast_jpeg_decoder_t  *fresh;

    unit_jpeg(&large, 640, 480);
    unit_jpeg(&small, 64, 48);

    fresh = ngx_vidcast_jpeg_decoder_create();

    (void) ngx_vidcast_jpeg_decode_gray(fresh, large.data, large.size, 0,
                                        &out);
    p = out.plane[0];

    (void) ngx_vidcast_jpeg_decode_gray(fresh, small.data, small.size, 0,
                                        &out);
    unit_ok(out.width == 64 && out.plane[0] == p,
            "a smaller picture takes no other memory");

    (void) ngx_vidcast_jpeg_decode_gray(fresh, large.data, large.size, 0,
                                        &out);
    unit_ok(out.width == 640 && out.plane[0] == p, "nor the first one again");

    ngx_vidcast_jpeg_decoder_destroy(fresh);
    free(large.data);
    free(small.data);
}


static void
test_threads(void)
{
    void        *rc;
    ngx_uint_t   i, bad;
    pthread_t    tid[TEST_THREADS];
    unit_jpeg_t  jpeg;

    unit_jpeg(&jpeg, 321, 243);

    bad = 0;

    for (i = 0; i < TEST_THREADS; i++) {
        if (pthread_create(&tid[i], NULL, test_thread, &jpeg) != 0) {
            exit(2);
        }
    }

    for (i = 0; i < TEST_THREADS; i++) {
        (void) pthread_join(tid[i], &rc);
        bad += (rc != NULL);
    }

    unit_ok(bad == 0, "%d threads, each with its own", TEST_THREADS);

    free(jpeg.data);
}


/* good and bad pictures in turn; NULL: all went as it should */

static void *
test_thread(void *data)
{
    unit_jpeg_t *jpeg = data;

    size_t                       size;
    u_char                      *dst;
    ngx_uint_t                   i;
    ngx_vidcast_image_t          image, gray;
    ngx_vidcast_jpeg_encoder_t  *e;
    ngx_vidcast_jpeg_decoder_t  *d;

    e = ngx_vidcast_jpeg_encoder_create();
    d = ngx_vidcast_jpeg_decoder_create();
    dst = malloc(65536);

    if (ngx_vidcast_image_alloc(&image, 99, 99, 0) != NGX_OK) {
        return jpeg;
    }

    memset(image.plane[0], 100, image.stride[0] * 99);
    memset(image.plane[1], 100, image.stride[1] * 50);
    memset(image.plane[2], 100, image.stride[2] * 50);

    for (i = 0; i < 50; i++) {
        size = 65536;

        if (ngx_vidcast_jpeg_decode_gray(d, jpeg->data, jpeg->size, 0, &gray)
            != NGX_OK
            || ngx_vidcast_jpeg_decode_gray(d, jpeg->data, 100, 0, &gray)
               != NGX_DECLINED
            || ngx_vidcast_jpeg_encode(e, &image, 50, dst, &size) != NGX_OK
            || ngx_vidcast_jpeg_encode(e, &image, 0, dst, &size)
               != NGX_ERROR)
        {
            return jpeg;
        }
    }

    ngx_vidcast_jpeg_encoder_destroy(e);
    ngx_vidcast_jpeg_decoder_destroy(d);
    ngx_vidcast_image_free(&image);
    free(dst);

    return NULL;
}


static ngx_int_t
test_decode(unit_jpeg_t *jpeg, uint32_t width)
{
    ngx_memzero(&out, sizeof(ngx_vidcast_image_t));

    return ngx_vidcast_jpeg_decode_gray(dec, jpeg->data, jpeg->size, width,
                                        &out);
}
