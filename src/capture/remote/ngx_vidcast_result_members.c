
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast_string.h"
#include "capture/remote/ngx_vidcast_result_members.h"


static const u_char *ngx_vidcast_result_members_end(const u_char *p,
    const u_char *last);
static ngx_uint_t ngx_vidcast_result_members_own(ngx_str_t *name);


u_char *
ngx_vidcast_result_members(const u_char *json, size_t len, u_char *dst,
    u_char *last)
{
    ngx_str_t      name;
    const u_char  *p, *end, *next;

    p = json + 1;
    end = json + len - 1;

    while (p < end) {

        next = ngx_vidcast_result_members_end(p, end);

        while (*p == ' ') {
            p++;
        }

        if (p >= next) {
            break;
        }

        /* a name that is written with an escape is none of ours */

        name.data = (u_char *) p + 1;
        name.len = ngx_strlchr(name.data, (u_char *) next, '"') - name.data;

        if (!ngx_vidcast_result_members_own(&name)) {

            if (last - dst < next - p + 1) {
                return NULL;
            }

            *dst++ = ',';
            dst = ngx_cpymem(dst, p, next - p);
        }

        p = next + 1;
    }

    if (dst == last) {
        return NULL;
    }

    *dst++ = '}';

    return dst;
}


/* of the member at "p": its comma, or the end of the object */

static const u_char *
ngx_vidcast_result_members_end(const u_char *p, const u_char *last)
{
    ngx_uint_t  depth, string;

    depth = 0;
    string = 0;

    for ( /* void */ ; p < last; p++) {

        if (string) {
            if (*p == '\\') {
                p++;

            } else if (*p == '"') {
                string = 0;
            }

            continue;
        }

        switch (*p) {

        case '"':
            string = 1;
            break;

        case '{':
        case '[':
            depth++;
            break;

        case '}':
        case ']':
            depth--;
            break;

        case ',':
            if (depth == 0) {
                return p;
            }
        }
    }

    return last;
}


static ngx_uint_t
ngx_vidcast_result_members_own(ngx_str_t *name)
{
    ngx_str_t  *own;

    static ngx_str_t  names[] = {
        ngx_string("v"),
        ngx_string("source"),
        ngx_string("epoch"),
        ngx_string("seq"),
        ngx_string("skipped"),
        ngx_string("reset"),
        ngx_null_string
    };

    for (own = names; own->len; own++) {
        if (ngx_vidcast_equal(own, name)) {
            return 1;
        }
    }

    return 0;
}
