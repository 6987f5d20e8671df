
/*
 * Copyright (C) vidcast contributors
 */


/*
 * What a camera sends by HTTP: whatever it is, the pictures that are found
 * stand in it, one behind the other, begin as a JPEG does, end as one does if
 * that is said, and are the same ones however the bytes are cut up.  The first
 * byte says how, and which boundary was announced.
 */

#include "wire/multipart/ngx_vidcast_multipart_reader.c"
#include "fuzz.h"


#define FUZZ_PICTURES  64
#define FUZZ_MAX       3000


typedef struct {
    const uint8_t                *data;
    size_t                        size;
    size_t                        after;    /* the last picture */
    unsigned                      count;
    size_t                        sizes[FUZZ_PICTURES];
    size_t                        starts[FUZZ_PICTURES];
    ngx_vidcast_multipart_end_e   ends[FUZZ_PICTURES];
} fuzz_found_t;


static void fuzz_read(fuzz_found_t *found, const char *type, size_t step);
static void fuzz_picture(void *context, ngx_vidcast_multipart_end_e end,
    const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t       *copy;
    unsigned       i;
    fuzz_found_t   whole, parts;

    static const char *const  types[] = {
        NULL, "multipart/x-mixed-replace; boundary=frame", "image/jpeg",
        "multipart/mixed;boundary=\"--frame\"", "multipart/x; boundary=f",
        "multipart/x-mixed-replace", ";boundary=;boundary=x", "a;;b = c"
    };

    if (size == 0) {
        return 0;
    }

    copy = fuzz_copy(data + 1, size - 1);

    whole.data = copy;
    whole.size = size - 1;
    parts.data = copy;
    parts.size = size - 1;

    fuzz_read(&whole, types[data[0] & 7], size);
    fuzz_read(&parts, types[data[0] & 7], 1 + (data[0] >> 3));

    /* how soon a large one is given up goes by the pieces */

    if (size < FUZZ_MAX) {
        fuzz_check(whole.count == parts.count);

        for (i = 0; i < whole.count && i < FUZZ_PICTURES; i++) {
            fuzz_check(whole.sizes[i] == parts.sizes[i]
                       && whole.starts[i] == parts.starts[i]
                       && whole.ends[i] == parts.ends[i]);
        }
    }

    (void) ngx_vidcast_multipart_sniff(types[data[0] & 7], copy, size - 1);

    free(copy);

    return 0;
}


static void
fuzz_read(fuzz_found_t *found, const char *type, size_t step)
{
    size_t                           i, n;
    uint8_t                         *piece;
    ngx_vidcast_multipart_reader_t   reader;

    found->after = 0;
    found->count = 0;

    ngx_vidcast_multipart_reader_init(&reader, type);

    reader.picture = fuzz_picture;
    reader.context = found;
    reader.max = FUZZ_MAX;

    for (i = 0; i < found->size; i += n) {
        n = found->size - i < step ? found->size - i : step;

        piece = fuzz_copy(found->data + i, n);

        fuzz_check(ngx_vidcast_multipart_reader_feed(&reader, piece, n) == 0);
        fuzz_check(reader.start <= reader.pos && reader.pos <= reader.size);

        free(piece);
    }

    ngx_vidcast_multipart_reader_finish(&reader);

    fuzz_check(reader.pictures == found->count);

    ngx_vidcast_multipart_reader_free(&reader);
}


static void
fuzz_picture(void *context, ngx_vidcast_multipart_end_e end,
    const uint8_t *data, size_t size)
{
    fuzz_found_t  *found = context;

    uint8_t  *p;

    if (found->count < FUZZ_PICTURES) {
        found->sizes[found->count] = size;
        found->ends[found->count] = end;
        found->starts[found->count] = 0;
    }

    if (data) {
        fuzz_check(size >= 3 && data[0] == 0xff && data[1] == 0xd8);

        p = memmem(found->data + found->after, found->size - found->after,
                   data, size);

        fuzz_check(p != NULL);

        if (end == NGX_VIDCAST_MULTIPART_WHOLE) {
            fuzz_check(data[size - 2] == 0xff && data[size - 1] == 0xd9);
        }

        if (found->count < FUZZ_PICTURES) {
            found->starts[found->count] = p - found->data;
        }

        found->after = p - found->data + size;
    }

    found->count++;
}
