
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_sha1.h>
#include "wire/ngx_vidcast_ws.h"


#define NGX_VIDCAST_WS_KEY_LEN  24


void
ngx_vidcast_ws_accept(u_char *dst, ngx_str_t *key)
{
    u_char      hash[20];
    ngx_str_t   src, accept;
    ngx_sha1_t  sha1;

    static const u_char  guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    ngx_sha1_init(&sha1);
    ngx_sha1_update(&sha1, key->data, key->len);
    ngx_sha1_update(&sha1, guid, sizeof(guid) - 1);
    ngx_sha1_final(hash, &sha1);

    src.len = sizeof(hash);
    src.data = hash;

    accept.data = dst;

    ngx_encode_base64(&accept, &src);
}


ngx_int_t
ngx_vidcast_ws_check_key(ngx_str_t *key)
{
    u_char     nonce[ngx_base64_decoded_length(NGX_VIDCAST_WS_KEY_LEN)];
    ngx_str_t  decoded;

    /* the decoder stops at the first "=" and does without the padding */

    if (key->len != NGX_VIDCAST_WS_KEY_LEN
        || key->data[NGX_VIDCAST_WS_KEY_LEN - 1] != '=')
    {
        return NGX_DECLINED;
    }

    decoded.data = nonce;

    if (ngx_decode_base64(&decoded, key) != NGX_OK || decoded.len != 16) {
        return NGX_DECLINED;
    }

    return NGX_OK;
}
