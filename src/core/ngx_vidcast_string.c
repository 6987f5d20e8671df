
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast_string.h"


static void ngx_vidcast_list_trim(ngx_str_t *item);
static ngx_int_t ngx_vidcast_utf8_lead(ngx_vidcast_utf8_t *utf8, u_char byte);
static size_t ngx_vidcast_utf8_character(u_char *p, u_char *last);


ngx_uint_t
ngx_vidcast_equal(ngx_str_t *one, ngx_str_t *two)
{
    return one->len == two->len
           && ngx_memcmp(one->data, two->data, one->len) == 0;
}


ngx_uint_t
ngx_vidcast_equal_nocase(ngx_str_t *one, ngx_str_t *two)
{
    return one->len == two->len
           && ngx_strncasecmp(one->data, two->data, one->len) == 0;
}


ngx_uint_t
ngx_vidcast_is_name(ngx_str_t *name, size_t max)
{
    u_char  c, *p, *last;

    last = name->data + name->len;

    for (p = name->data; p < last; p++) {
        c = *p | 0x20;

        if ((c < 'a' || c > 'z') && (*p < '0' || *p > '9')
            && *p != '_' && *p != '-' && *p != '.')
        {
            return 0;
        }
    }

    return name->len && name->len <= max;
}


ngx_uint_t
ngx_vidcast_list_next(ngx_str_t *list, ngx_str_t *item, ngx_uint_t flags)
{
    u_char  *p, *last, *next;

    last = list->data + list->len;
    next = NULL;

    for (p = list->data; p < last; p++) {

        if (*p == ',') {
            next = p + 1;
            break;
        }

        if ((flags & NGX_VIDCAST_LIST_ESCAPED) && last - p >= 3
            && p[0] == '%' && p[1] == '2' && (p[2] | 0x20) == 'c')
        {
            next = p + 3;
            break;
        }
    }

    item->data = list->data;
    item->len = p - list->data;

    list->data = next ? next : last;
    list->len = last - list->data;

    if (flags & NGX_VIDCAST_LIST_TRIM) {
        ngx_vidcast_list_trim(item);
    }

    return next != NULL;
}


ngx_uint_t
ngx_vidcast_list_has(ngx_str_t *list, ngx_str_t *one,
    ngx_uint_t (*equal)(ngx_str_t *item, ngx_str_t *one))
{
    ngx_str_t   rest, item;
    ngx_uint_t  more;

    rest = *list;

    do {
        more = ngx_vidcast_list_next(&rest, &item, NGX_VIDCAST_LIST_TRIM);

        if (equal(&item, one)) {
            return 1;
        }

    } while (more);

    return 0;
}


static void
ngx_vidcast_list_trim(ngx_str_t *item)
{
    u_char  *last;

    while (item->len && (item->data[0] == ' ' || item->data[0] == '\t')) {
        item->data++;
        item->len--;
    }

    for ( /* void */ ; item->len; item->len--) {
        last = item->data + item->len - 1;

        if (*last != ' ' && *last != '\t') {
            break;
        }
    }
}


ngx_int_t
ngx_vidcast_utf8_read(ngx_vidcast_utf8_t *utf8, u_char *data, size_t size)
{
    u_char    *end;
    uint64_t   word;

    end = data + size;

    while (data < end) {

        if (utf8->need) {

            if (*data < utf8->low || *data > utf8->high) {
                return NGX_ERROR;
            }

            utf8->need--;
            utf8->low = 0x80;
            utf8->high = 0xbf;
            data++;

            continue;
        }

        while (end - data >= 8) {
            ngx_memcpy(&word, data, 8);

            if (word & 0x8080808080808080) {
                break;
            }

            data += 8;
        }

        while (data < end && *data < 0x80) {
            data++;
        }

        if (data < end && ngx_vidcast_utf8_lead(utf8, *data++) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_utf8_lead(ngx_vidcast_utf8_t *utf8, u_char byte)
{
    /*
     * RFC 3629, 4: the second byte's bounds leave out overlong forms,
     * surrogates and what is beyond U+10FFFF
     */

    utf8->low = 0x80;
    utf8->high = 0xbf;

    if (byte < 0xc2 || byte > 0xf4) {
        return NGX_ERROR;
    }

    if (byte < 0xe0) {
        utf8->need = 1;

    } else if (byte < 0xf0) {
        utf8->need = 2;

        if (byte == 0xe0) {
            utf8->low = 0xa0;

        } else if (byte == 0xed) {
            utf8->high = 0x9f;
        }

    } else {
        utf8->need = 3;

        if (byte == 0xf0) {
            utf8->low = 0x90;

        } else if (byte == 0xf4) {
            utf8->high = 0x8f;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_vidcast_utf8_check(u_char *data, size_t size)
{
    ngx_vidcast_utf8_t  utf8;

    utf8.need = 0;

    if (ngx_vidcast_utf8_read(&utf8, data, size) != NGX_OK || utf8.need) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


u_char *
ngx_vidcast_json(u_char *p, u_char *data, size_t size)
{
    size_t   n;
    u_char  *last;

    last = data + size;

    while (data < last) {
        n = ngx_vidcast_utf8_character(data, last);

        if (n) {
            p = (u_char *) ngx_escape_json(p, data, n);
            data += n;

        } else {
            *p++ = '?';
            data++;
        }
    }

    return p;
}


/* bytes of the character at "p"; 0: it is none */

static size_t
ngx_vidcast_utf8_character(u_char *p, u_char *last)
{
    size_t  n;

    n = (*p < 0x80) ? 1 : (*p < 0xe0) ? 2 : (*p < 0xf0) ? 3 : 4;

    if ((size_t) (last - p) < n
        || ngx_vidcast_utf8_check(p, n) != NGX_OK)
    {
        return 0;
    }

    return n;
}
