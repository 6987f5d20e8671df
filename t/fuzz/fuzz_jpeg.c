
/*
 * Copyright (C) vidcast contributors
 */


/*
 * The walk through a JPEG: whatever a camera, a phone or an attacker sends,
 * what is found to be a picture is one, with its end where it ends; and what is
 * behind it, or is put in, changes nothing of that.
 */

#include "media/ngx_vidcast_jpeg_fault.c"
#include "media/ngx_vidcast_jpeg_probe.c"
#include "media/ngx_vidcast_orientation.c"
#include "fuzz.h"


static void fuzz_good(const u_char *data, size_t size,
    ngx_vidcast_jpeg_info_t *info);
static void fuzz_whole(const u_char *data, ngx_vidcast_jpeg_info_t *info);
static void fuzz_same(const u_char *data, size_t size,
    ngx_vidcast_jpeg_info_t *info, ngx_uint_t trailing);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char                   *copy;
    ngx_int_t                 rc;
    ngx_vidcast_jpeg_info_t   info;

    copy = fuzz_copy(data, size);

    rc = ngx_vidcast_jpeg_probe(copy, size, &info);

    fuzz_check(rc == NGX_OK || rc == NGX_DECLINED);
    fuzz_check(info.size <= size);
    fuzz_check((rc == NGX_OK) == (info.fault == NGX_VIDCAST_JPEG_NO_FAULT));
    fuzz_check(info.fault < NGX_VIDCAST_JPEG_FAULTS);
    fuzz_check(strlen(ngx_vidcast_jpeg_fault_text(info.fault)) > 0);

    if (rc == NGX_OK) {
        fuzz_check(!info.cut);
        fuzz_good(copy, size, &info);

    } else if (info.cut) {
        fuzz_check(info.fault == NGX_VIDCAST_JPEG_TRUNCATED);
        fuzz_whole(copy, &info);
    }

    free(copy);

    return 0;
}


static void
fuzz_good(const u_char *data, size_t size, ngx_vidcast_jpeg_info_t *info)
{
    u_char  *longer;

    fuzz_check(info->size >= 4);
    fuzz_check(data[info->size - 2] == 0xff && data[info->size - 1] == 0xd9);
    fuzz_check(info->width > 0 && info->width <= NGX_VIDCAST_MAX_DIMENSION);
    fuzz_check(info->height > 0 && info->height <= NGX_VIDCAST_MAX_DIMENSION);
    fuzz_check(info->dht_pos > 0 && info->dht_pos < info->size);
    fuzz_check(info->trailing <= (info->size < size));

    fuzz_same(data, info->size, info, 0);

    longer = malloc(info->size + 2);

    memcpy(longer, data, info->size);
    memcpy(longer + info->size, "\r\n", 2);

    fuzz_same(longer, info->size + 2, info, 1);

    free(longer);

    fuzz_whole(data, info);
}


/* from memory of just this size */

static void
fuzz_same(const u_char *data, size_t size, ngx_vidcast_jpeg_info_t *info,
    ngx_uint_t trailing)
{
    u_char                   *copy;
    ngx_int_t                 rc;
    ngx_vidcast_jpeg_info_t   again;

    copy = fuzz_copy(data, size);

    rc = ngx_vidcast_jpeg_probe(copy, size, &again);

    if (rc != NGX_OK && trailing) {

        /* damage that looks like a segment fits into it now */

        free(copy);
        return;
    }

    fuzz_check(rc == NGX_OK);
    fuzz_check(again.size == info->size || (trailing && again.size < size));
    fuzz_check(again.width == info->width && again.height == info->height);
    fuzz_check(again.trailing == trailing);

    free(copy);
}


/* tables and end put in: another copy, and where it stands */

static void
fuzz_whole(const u_char *data, ngx_vidcast_jpeg_info_t *info)
{
    size_t                    size;
    u_char                   *copy, *place;
    ngx_vidcast_jpeg_info_t   whole;

    size = ngx_vidcast_jpeg_whole_size(info);

    copy = malloc(size);
    place = malloc(size);

    memcpy(place, data, info->size);

    ngx_vidcast_jpeg_make_whole(copy, data, info);
    ngx_vidcast_jpeg_make_whole(place, place, info);

    fuzz_check(memcmp(copy, place, size) == 0);
    fuzz_check(ngx_vidcast_jpeg_probe(copy, size, &whole) == NGX_OK);
    fuzz_check(whole.size == size && whole.dht);
    fuzz_check(whole.width == info->width && whole.height == info->height);

    free(copy);
    free(place);
}
