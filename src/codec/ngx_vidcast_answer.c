
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <jansson.h>

#include "ngx_vidcast_answer.h"


static json_t *ngx_vidcast_answer_load(const u_char *json, size_t len,
    u_char *error);
static ngx_int_t ngx_vidcast_answer_copy(const u_char *json, size_t len,
    u_char *dst, size_t *size);


ngx_int_t
ngx_vidcast_answer_json(const u_char *json, size_t len, u_char *dst,
    size_t *size, u_char *error)
{
    json_t  *value;

    /* what cannot fit is not worth to be looked at, but for its blanks */

    if (len > 2 * *size + 1024) {
        return NGX_BUSY;
    }

    value = ngx_vidcast_answer_load(json, len, error);
    if (value == NULL) {
        return NGX_DECLINED;
    }

    json_decref(value);

    return ngx_vidcast_answer_copy(json, len, dst, size);
}


static json_t *
ngx_vidcast_answer_load(const u_char *json, size_t len, u_char *error)
{
    json_t        *value;
    json_error_t   reason;

    value = json_loadb((const char *) json, len,
                       JSON_DECODE_ANY|JSON_ALLOW_NUL|JSON_DECODE_INT_AS_REAL,
                       &reason);

    if (value == NULL) {
        *ngx_slprintf(error, error + NGX_VIDCAST_ERROR_LEN - 1,
                      "not JSON: %s", reason.text) = '\0';
    }

    return value;
}


/* line feeds are blanks only: in strings they cannot be */

static ngx_int_t
ngx_vidcast_answer_copy(const u_char *json, size_t len, u_char *dst,
    size_t *size)
{
    size_t  i;

    while (len && (*json == ' ' || *json == '\t' || *json == '\r'
                   || *json == '\n'))
    {
        json++;
        len--;
    }

    while (len && (json[len - 1] == ' ' || json[len - 1] == '\t'
                   || json[len - 1] == '\r' || json[len - 1] == '\n'))
    {
        len--;
    }

    if (len > *size) {
        return NGX_BUSY;
    }

    for (i = 0; i < len; i++) {
        dst[i] = (json[i] == '\r' || json[i] == '\n') ? ' ' : json[i];
    }

    *size = len;

    return NGX_OK;
}
