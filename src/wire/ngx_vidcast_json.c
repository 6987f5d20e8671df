
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <jansson.h>

#include "wire/ngx_vidcast_json.h"


#define ngx_vidcast_json_space(c)                                             \
    ((c) == ' ' || (c) == '\t' || (c) == LF || (c) == CR)


ngx_int_t
ngx_vidcast_json_check(u_char *data, size_t *size)
{
    u_char        *p, *last;
    json_t        *json;
    json_error_t   error;

    p = data;
    last = data + *size;

    while (p < last && ngx_vidcast_json_space(*p)) {
        p++;
    }

    while (p < last && ngx_vidcast_json_space(last[-1])) {
        last--;
    }

    /* the library passes over null characters between values */

    if (ngx_strlchr(p, last, '\0')) {
        return NGX_DECLINED;
    }

    /* of numbers which are too large for an integer, there is nothing wrong */

    json = json_loadb((char *) p, last - p,
                      JSON_DECODE_ANY|JSON_DECODE_INT_AS_REAL|JSON_ALLOW_NUL,
                      &error);

    if (json == NULL) {
        return NGX_DECLINED;
    }

    json_decref(json);

    *size = last - p;

    if (p != data) {
        ngx_memmove(data, p, *size);
    }

    /* within strings there are no control characters */

    last = data + *size;

    for (p = data; p < last; p++) {
        if (*p < ' ') {
            *p = ' ';
        }
    }

    return NGX_OK;
}
