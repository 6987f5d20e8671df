
/*
 * Copyright (C) vidcast contributors
 */


/*
 * The query: what is accepted is within its bounds, what is told points into
 * the query, and what is not ours makes no difference.
 */

#include "wire/ngx_vidcast_query.c"
#include "fuzz.h"


static void fuzz_values(ngx_vidcast_query_t *query, ngx_str_t *args);
static void fuzz_sources(ngx_vidcast_query_t *query, ngx_str_t *args);
static void fuzz_others(ngx_vidcast_query_t *query, ngx_str_t *args,
    ngx_int_t rc);
static ngx_uint_t fuzz_inside(ngx_str_t *part, ngx_str_t *args);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ngx_int_t            rc;
    ngx_str_t            args, error;
    ngx_vidcast_point_t  point;
    ngx_vidcast_query_t  query;

    args.len = size;
    args.data = fuzz_copy(data, size);

    memset(&query, 0x5a, sizeof(query));
    ngx_str_null(&error);

    rc = ngx_vidcast_query_parse(&args, &query, &error);

    if (rc == NGX_OK) {
        fuzz_values(&query, &args);
        fuzz_sources(&query, &args);

    } else {
        fuzz_check(rc == NGX_ERROR && error.len && fuzz_inside(&error, &args));
    }

    fuzz_others(&query, &args, rc);

    if (ngx_vidcast_query_point(&args, &point) == NGX_OK) {
        fuzz_check(point.any ? point.epoch == 0 : size > 17);
    }

    free(args.data);

    return 0;
}


static void
fuzz_values(ngx_vidcast_query_t *query, ngx_str_t *args)
{
    ngx_uint_t  has;

    has = query->has;

    fuzz_check((has & ~(ngx_uint_t) NGX_VIDCAST_QUERY_ALL) == 0);

    fuzz_check(query->interval == 0
               || ((has & NGX_VIDCAST_QUERY_FPS) && query->interval >= 1000
                   && query->interval <= 100000000));

    if (has & NGX_VIDCAST_QUERY_SEND) {
        fuzz_check(query->send == NGX_VIDCAST_QUERY_RESULTS
                   || query->send == NGX_VIDCAST_QUERY_FRAMES
                   || query->send == NGX_VIDCAST_QUERY_BOTH
                   || query->send == NGX_VIDCAST_QUERY_PAIRED);

    } else {
        fuzz_check(query->send == 0);
    }

    fuzz_check((has & NGX_VIDCAST_QUERY_SINCE)
               || (query->since.epoch == 0 && query->since.seq == 0
                   && query->since.any == 0));
    fuzz_check(!query->since.any || query->since.epoch == 0);

    fuzz_check((has & NGX_VIDCAST_QUERY_AFTER) || query->after == 0);

    fuzz_check(query->overlay <= 1
               && ((has & NGX_VIDCAST_QUERY_OVERLAY) || !query->overlay));

    fuzz_check(query->max_age == 0
               || ((has & NGX_VIDCAST_QUERY_MAX_AGE)
                   && query->max_age <= 1000000000000000));
}


static void
fuzz_sources(ngx_vidcast_query_t *query, ngx_str_t *args)
{
    size_t       n;
    ngx_str_t   *name;
    ngx_uint_t   i;

    static const char  *characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "abcdefghijklmnopqrstuvwxyz0123456789_-.";

    fuzz_check((query->nsources != 0)
               == ((query->has & NGX_VIDCAST_QUERY_SOURCE) != 0));
    fuzz_check(query->nsources <= NGX_VIDCAST_QUERY_MAX_SOURCES);

    for (i = 0; i < query->nsources; i++) {
        name = &query->sources[i];

        fuzz_check(name->len > 0 && name->len <= 63);
        fuzz_check(fuzz_inside(name, args));

        for (n = 0; n < name->len; n++) {
            fuzz_check(name->data[n] && strchr(characters, name->data[n]));
        }
    }
}


static void
fuzz_others(ngx_vidcast_query_t *query, ngx_str_t *args, ngx_int_t rc)
{
    ngx_str_t            more, error;
    ngx_uint_t           i;
    ngx_vidcast_query_t  again;

    more.len = args->len + 8;
    more.data = malloc(more.len);

    memcpy(more.data, "_=1&", 4);
    memcpy(more.data + 4, args->data, args->len);
    memcpy(more.data + 4 + args->len, "&t=1", 4);

    fuzz_check(ngx_vidcast_query_parse(&more, &again, &error) == rc);

    if (rc == NGX_OK) {
        fuzz_check(again.has == query->has && again.send == query->send
                   && again.interval == query->interval
                   && again.after == query->after
                   && again.overlay == query->overlay
                   && again.max_age == query->max_age
                   && again.since.epoch == query->since.epoch
                   && again.since.seq == query->since.seq
                   && again.nsources == query->nsources);

        for (i = 0; i < query->nsources; i++) {
            fuzz_check(again.sources[i].data - more.data
                       == query->sources[i].data - args->data + 4);
        }
    }

    free(more.data);
}


static ngx_uint_t
fuzz_inside(ngx_str_t *part, ngx_str_t *args)
{
    return part->data >= args->data
           && part->data + part->len <= args->data + args->len;
}
