
/*
 * Copyright (C) vidcast contributors
 */


/*
 * Origins: one that is taken for one is made of its parts and nothing else, so
 * that they say all of what was compared.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "http/request/ngx_http_vidcast_origin.c"
#include "fuzz.h"


static void fuzz_parts(ngx_http_vidcast_origin_t *origin, ngx_str_t *text,
    const char *between);
static void fuzz_host(ngx_str_t *host);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ngx_str_t                  text;
    ngx_http_vidcast_origin_t  origin, value, host;

    text.len = size;
    text.data = fuzz_copy(data, size);

    if (ngx_http_vidcast_origin_parse(&text, &origin) == NGX_OK) {
        fuzz_check(origin.scheme.len && origin.sub == 0);
        fuzz_parts(&origin, &text, "://");

        /* each origin stands for itself in a configuration */

        fuzz_check(ngx_http_vidcast_origin_value(&text, &value) == NGX_OK);
        fuzz_check(ngx_http_vidcast_origin_match(&origin, &value));
    }

    if (ngx_http_vidcast_origin_host(&text, &host) == NGX_OK) {
        fuzz_check(host.scheme.len == 0 && host.sub == 0);
        fuzz_check(host.port != 80 && host.port != 443);
        fuzz_parts(&host, &text, "");
    }

    if (ngx_http_vidcast_origin_value(&text, &value) == NGX_OK) {
        fuzz_parts(&value, &text, value.scheme.len ? value.sub ? "://*."
                                                               : "://"
                                                   : value.sub ? "*." : "");
    }

    free(text.data);

    return 0;
}


static void
fuzz_parts(ngx_http_vidcast_origin_t *origin, ngx_str_t *text,
    const char *between)
{
    u_char  *p;

    p = text->data + origin->scheme.len;

    fuzz_check(origin->scheme.len == 0 || origin->scheme.data == text->data);
    fuzz_check(memcmp(p, between, strlen(between)) == 0);

    p += strlen(between);

    fuzz_check(origin->host.data == p);
    fuzz_host(&origin->host);

    p += origin->host.len;

    fuzz_check(origin->port <= 65535);

    if (p == text->data + text->len) {
        return;
    }

    fuzz_check(*p == ':' && text->data + text->len - p >= 2
               && text->data + text->len - p <= 6);
}


static void
fuzz_host(ngx_str_t *host)
{
    size_t  i;

    static const char  *characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "abcdefghijklmnopqrstuvwxyz0123456789_-.";

    fuzz_check(host->len > 0 && host->len <= 253);

    if (host->data[0] == '[') {
        fuzz_check(host->data[host->len - 1] == ']');
        return;
    }

    fuzz_check(host->data[0] != '.');

    for (i = 0; i < host->len; i++) {
        fuzz_check(host->data[i] && strchr(characters, host->data[i]));
    }
}
