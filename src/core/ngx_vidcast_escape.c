
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "core/ngx_vidcast_escape.h"


#define NGX_VIDCAST_ESCAPE_LEN  (sizeof("\\x0A") - 1)


static ngx_str_t *ngx_vidcast_escape(ngx_vidcast_escaped_t *escaped,
    u_char *p, size_t len, ngx_uint_t quoted);
static size_t ngx_vidcast_escape_character(u_char *p, u_char *last,
    ngx_uint_t quoted);


ngx_str_t *
ngx_vidcast_escape_name(ngx_vidcast_escaped_t *escaped, ngx_str_t *name)
{
    return ngx_vidcast_escape(escaped, name->data, name->len, 1);
}


ngx_str_t *
ngx_vidcast_escape_text(ngx_vidcast_escaped_t *escaped, const void *text)
{
    return ngx_vidcast_escape(escaped, (u_char *) text, ngx_strlen(text), 0);
}


ngx_str_t *
ngx_vidcast_escape_line(ngx_vidcast_escaped_t *escaped, u_char *line,
    size_t len)
{
    return ngx_vidcast_escape(escaped, line, len, 0);
}


static ngx_str_t *
ngx_vidcast_escape(ngx_vidcast_escaped_t *escaped, u_char *p, size_t len,
    ngx_uint_t quoted)
{
    u_char  *last, *dst, *end;
    size_t   n;

    last = p + len;
    dst = escaped->data;
    end = dst + NGX_VIDCAST_ESCAPED - (sizeof("...") - 1);

    while (p < last) {

        n = ngx_vidcast_escape_character(p, last, quoted);

        if (dst + ngx_max(n, NGX_VIDCAST_ESCAPE_LEN) > end) {
            dst = ngx_cpymem(dst, "...", sizeof("...") - 1);
            break;
        }

        if (n) {
            dst = ngx_cpymem(dst, p, n);
            p += n;

        } else {
            dst = ngx_sprintf(dst, "\\x%02Xi", (ngx_uint_t) *p);
            p++;
        }
    }

    escaped->text.data = escaped->data;
    escaped->text.len = dst - escaped->data;

    return &escaped->text;
}


/* bytes of a character that may stand as it is; 0: the byte is escaped */

static size_t
ngx_vidcast_escape_character(u_char *p, u_char *last, ngx_uint_t quoted)
{
    u_char    *next;
    uint32_t   c;

    if (*p < 0x80) {
        return *p >= ' ' && *p != 0x7f && *p != '\\'
               && !(quoted && *p == '"');
    }

    next = p;
    c = ngx_utf8_decode(&next, last - p);

    /* no character; C1 controls; line and paragraph separators; surrogates */

    if (c > 0x10ffff
        || c < 0xa0
        || c == 0x2028
        || c == 0x2029
        || (c >= 0xd800 && c <= 0xdfff))
    {
        return 0;
    }

    return next - p;
}
