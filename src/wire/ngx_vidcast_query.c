
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast_parse.h"
#include "core/ngx_vidcast_string.h"
#include "wire/ngx_vidcast_query.h"


#define NGX_VIDCAST_QUERY_EPOCH_LEN    16
#define NGX_VIDCAST_QUERY_MICRO        1000000
#define NGX_VIDCAST_QUERY_MAX_SECONDS  1000000000
#define NGX_VIDCAST_QUERY_MAX_NUMBER   ((uint64_t) -1)


typedef ngx_int_t (*ngx_vidcast_query_set_pt)(ngx_vidcast_query_t *query,
    ngx_str_t *value);


typedef struct {
    ngx_str_t                  name;
    ngx_uint_t                 has;
    ngx_vidcast_query_set_pt   set;
} ngx_vidcast_query_name_t;


static ngx_int_t ngx_vidcast_query_pair(ngx_vidcast_query_t *query,
    ngx_str_t *name, ngx_str_t *value);
static ngx_int_t ngx_vidcast_query_fps(ngx_vidcast_query_t *query,
    ngx_str_t *value);
static ngx_int_t ngx_vidcast_query_send(ngx_vidcast_query_t *query,
    ngx_str_t *value);
static ngx_int_t ngx_vidcast_query_overlay(ngx_vidcast_query_t *query,
    ngx_str_t *value);
static ngx_int_t ngx_vidcast_query_since(ngx_vidcast_query_t *query,
    ngx_str_t *value);
static ngx_int_t ngx_vidcast_query_after(ngx_vidcast_query_t *query,
    ngx_str_t *value);
static ngx_int_t ngx_vidcast_query_max_age(ngx_vidcast_query_t *query,
    ngx_str_t *value);
static ngx_int_t ngx_vidcast_query_source(ngx_vidcast_query_t *query,
    ngx_str_t *value);
static ngx_int_t ngx_vidcast_query_number(u_char *p, u_char *last,
    uint64_t *number);
static ngx_int_t ngx_vidcast_query_decimal(ngx_str_t *value, uint64_t *micro);


/*
 * Adding an argument: these files.
 *
 *     src/wire/ngx_vidcast_query.h
 *         its bit, which is in QUERY_ALL, too; its member; its form, above
 *         query_parse()
 *     src/wire/ngx_vidcast_query.c
 *         its setter, and its row below, which tests read as it is written
 *     src/http/request/ngx_http_vidcast_params.c
 *         what it may ask for within its location: see params_read(), which
 *         has the three ways of that
 *     src/http/delivery/ngx_http_vidcast_viewer.h
 *     src/http/delivery/ngx_http_vidcast_queue.c
 *         what it does to delivery, if anything; params_join() hands it over.
 *         What depends on the content of results needs a member of them, see
 *         the list in src/capture/ngx_vidcast_result_publish.c
 *     t/unit/http/test_queue.c, t/unit/http/test_viewer.c
 *     t/resume.t, t/ws-paired.t
 *         delivery with it; docs/operations.md, if it makes viewers skip
 *     src/http/transport/ngx_http_vidcast_*.c
 *         what it does in a transport that alone has it; and where a transport
 *         passes it over: streams and snapshots set "send" by themselves,
 *         MJPEG and snapshots have one source, a snapshot has no rate
 *     docs/directives/locations.md
 *         what a user sees of it, for which transports, and what is done if
 *         the location gives less
 *     CHANGES
 *     t/unit/wire/test_query.c, t/fuzz/fuzz_query.c, t/fuzz/corpus-query/all
 *         its values
 *     t/unit/http/test_params.c
 *         what is left of them within each location
 *     t/ws-commands.t, t/snapshot.t, t/limits.t, t/overlay.t
 *         400, 403 and 404, by the transport that has it
 *     t/lib/Vidcast/Features.pm
 *         its row in the table of features
 *
 * If a location has to allow it, its parameter, too: see the list above
 * src/http/conf/ngx_http_vidcast_module.c's commands.
 *
 * If a WebSocket may change it later, its command, too: see the list in
 * src/wire/ngx_vidcast_command.c.
 */

static ngx_vidcast_query_name_t  ngx_vidcast_query_names[] = {
    { ngx_string("fps"), NGX_VIDCAST_QUERY_FPS, ngx_vidcast_query_fps },
    { ngx_string("send"), NGX_VIDCAST_QUERY_SEND, ngx_vidcast_query_send },
    { ngx_string("since"), NGX_VIDCAST_QUERY_SINCE, ngx_vidcast_query_since },
    { ngx_string("after"), NGX_VIDCAST_QUERY_AFTER, ngx_vidcast_query_after },
    { ngx_string("max_age"), NGX_VIDCAST_QUERY_MAX_AGE,
      ngx_vidcast_query_max_age },
    { ngx_string("source"), NGX_VIDCAST_QUERY_SOURCE,
      ngx_vidcast_query_source },
    { ngx_string("overlay"), NGX_VIDCAST_QUERY_OVERLAY,
      ngx_vidcast_query_overlay },
    { ngx_null_string, 0, NULL }
};


ngx_int_t
ngx_vidcast_query_parse(ngx_str_t *args, ngx_vidcast_query_t *query,
    ngx_str_t *error)
{
    u_char     *p, *last, *end, *equal;
    ngx_str_t   name, value;

    ngx_memzero(query, sizeof(ngx_vidcast_query_t));

    last = args->data + args->len;

    for (p = args->data; p < last; p = end + 1) {

        end = ngx_strlchr(p, last, '&');
        if (end == NULL) {
            end = last;
        }

        equal = ngx_strlchr(p, end, '=');
        if (equal == NULL) {
            equal = end;
        }

        name.data = p;
        name.len = equal - p;

        value.data = (equal < end) ? equal + 1 : end;
        value.len = end - value.data;

        if (ngx_vidcast_query_pair(query, &name, &value) != NGX_OK) {
            *error = name;
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_query_pair(ngx_vidcast_query_t *query, ngx_str_t *name,
    ngx_str_t *value)
{
    ngx_vidcast_query_name_t  *known;

    for (known = ngx_vidcast_query_names; known->has; known++) {

        if (!ngx_vidcast_equal(&known->name, name)) {
            continue;
        }

        if (query->has & known->has) {
            return NGX_ERROR;
        }

        query->has |= known->has;

        return known->set(query, value);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_query_fps(ngx_vidcast_query_t *query, ngx_str_t *value)
{
    uint64_t  fps, second;

    second = NGX_VIDCAST_QUERY_MICRO;

    if (ngx_vidcast_query_decimal(value, &fps) != NGX_OK) {
        return NGX_ERROR;
    }

    if (fps == 0) {
        return NGX_OK;
    }

    if (fps < second / 100 || fps > NGX_VIDCAST_MAX_FPS * second) {
        return NGX_ERROR;
    }

    query->interval = (second * second + fps / 2) / fps;

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_query_send(ngx_vidcast_query_t *query, ngx_str_t *value)
{
    ngx_uint_t  i;

    static struct {
        ngx_str_t   name;
        ngx_uint_t  bits;
    } kinds[] = {
        { ngx_string("results"), NGX_VIDCAST_QUERY_RESULTS },
        { ngx_string("frames"), NGX_VIDCAST_QUERY_FRAMES },
        { ngx_string("both"), NGX_VIDCAST_QUERY_BOTH },
        { ngx_string("paired"), NGX_VIDCAST_QUERY_PAIRED }
    };

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {

        if (ngx_vidcast_equal(&kinds[i].name, value)) {
            query->send = kinds[i].bits;
            return NGX_OK;
        }
    }

    return NGX_ERROR;
}


static ngx_int_t
ngx_vidcast_query_overlay(ngx_vidcast_query_t *query, ngx_str_t *value)
{
    return ngx_vidcast_parse_flag(value, &query->overlay);
}


static ngx_int_t
ngx_vidcast_query_since(ngx_vidcast_query_t *query, ngx_str_t *value)
{
    return ngx_vidcast_query_point(value, &query->since);
}


ngx_int_t
ngx_vidcast_query_point(ngx_str_t *text, ngx_vidcast_point_t *point)
{
    u_char      *p, *last, c;
    uint64_t     epoch;
    ngx_uint_t   i;

    p = text->data;
    last = p + text->len;
    epoch = 0;

    if (text->len > NGX_VIDCAST_QUERY_EPOCH_LEN
        && p[NGX_VIDCAST_QUERY_EPOCH_LEN] == '-')
    {
        for (i = 0; i < NGX_VIDCAST_QUERY_EPOCH_LEN; i++) {

            c = p[i];

            if (c >= '0' && c <= '9') {
                c -= '0';

            } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
                c = (c | 0x20) - 'a' + 10;

            } else {
                return NGX_ERROR;
            }

            epoch = epoch << 4 | c;
        }

        p += NGX_VIDCAST_QUERY_EPOCH_LEN + 1;
    }

    if (ngx_vidcast_query_number(p, last, &point->seq) != NGX_OK) {
        return NGX_ERROR;
    }

    point->epoch = epoch;
    point->any = (p == text->data);

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_query_after(ngx_vidcast_query_t *query, ngx_str_t *value)
{
    return ngx_vidcast_query_number(value->data, value->data + value->len,
                                    &query->after);
}


static ngx_int_t
ngx_vidcast_query_max_age(ngx_vidcast_query_t *query, ngx_str_t *value)
{
    u_char      last;
    ngx_int_t   msec;
    ngx_str_t   text;

    if (value->len == 0) {
        return NGX_ERROR;
    }

    last = value->data[value->len - 1];

    if (last >= '0' && last <= '9') {
        return ngx_vidcast_query_decimal(value, &query->max_age);
    }

    text = *value;

    msec = ngx_parse_time(&text, 0);

    if (msec == NGX_ERROR
        || msec > (ngx_int_t) NGX_VIDCAST_QUERY_MAX_SECONDS * 1000)
    {
        return NGX_ERROR;
    }

    query->max_age = (uint64_t) msec * 1000;

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_query_source(ngx_vidcast_query_t *query, ngx_str_t *value)
{
    ngx_str_t   list, name;
    ngx_uint_t  i, more;

    list = *value;

    do {
        /* pages escape the comma */

        more = ngx_vidcast_list_next(&list, &name, NGX_VIDCAST_LIST_ESCAPED);

        if (!ngx_vidcast_is_name(&name, NGX_VIDCAST_MAX_NAME)
            || query->nsources == NGX_VIDCAST_QUERY_MAX_SOURCES)
        {
            return NGX_ERROR;
        }

        for (i = 0; i < query->nsources; i++) {
            if (ngx_vidcast_equal(&query->sources[i], &name)) {
                return NGX_ERROR;
            }
        }

        query->sources[query->nsources++] = name;

    } while (more);

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_query_number(u_char *p, u_char *last, uint64_t *number)
{
    u_char    digit;
    uint64_t  value;

    if (p == last) {
        return NGX_ERROR;
    }

    for (value = 0; p < last; p++) {

        if (*p < '0' || *p > '9') {
            return NGX_ERROR;
        }

        digit = *p - '0';

        if (value > (NGX_VIDCAST_QUERY_MAX_NUMBER - digit) / 10) {
            return NGX_ERROR;
        }

        value = value * 10 + digit;
    }

    *number = value;

    return NGX_OK;
}


/* "1", "0.5"; what is behind the sixth decimal is left out */

static ngx_int_t
ngx_vidcast_query_decimal(ngx_str_t *value, uint64_t *micro)
{
    u_char    *p, *last, *point;
    uint64_t   seconds, unit, fraction;

    last = value->data + value->len;

    point = ngx_strlchr(value->data, last, '.');
    if (point == NULL) {
        point = last;
    }

    if (ngx_vidcast_query_number(value->data, point, &seconds) != NGX_OK
        || seconds > NGX_VIDCAST_QUERY_MAX_SECONDS)
    {
        return NGX_ERROR;
    }

    p = point;

    if (p < last && ++p == last) {
        return NGX_ERROR;
    }

    unit = NGX_VIDCAST_QUERY_MICRO;
    fraction = 0;

    for ( /* void */ ; p < last; p++) {

        if (*p < '0' || *p > '9') {
            return NGX_ERROR;
        }

        unit /= 10;
        fraction += (*p - '0') * unit;
    }

    *micro = seconds * NGX_VIDCAST_QUERY_MICRO + fraction;

    if (*micro > (uint64_t) NGX_VIDCAST_QUERY_MAX_SECONDS
                 * NGX_VIDCAST_QUERY_MICRO)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}
