
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "wire/ngx_vidcast_json.h"
#include "wire/ngx_vidcast_letter.h"


ngx_int_t
ngx_vidcast_letter_add(ngx_vidcast_letter_t *letter,
    ngx_vidcast_ws_event_t *event)
{
    u_char  *p;
    size_t   most;

    if (event->first) {
        letter->size = 0;
        letter->text = (event->opcode == NGX_VIDCAST_WS_TEXT);
    }

    most = letter->text ? letter->max_text : letter->max_picture;

    if (event->size > most - letter->size) {
        letter->code = NGX_VIDCAST_WS_CLOSE_TOO_BIG;
        letter->reason = "too large";
        return NGX_DECLINED;
    }

    p = letter->data + letter->size;

    if (event->size && event->data != p) {
        ngx_memcpy(p, event->data, event->size);
    }

    letter->size += event->size;

    if (!event->last) {
        return NGX_AGAIN;
    }

    if (letter->text
        && ngx_vidcast_json_check(letter->data, &letter->size) != NGX_OK)
    {
        letter->code = NGX_VIDCAST_WS_CLOSE_DATA;
        letter->reason = "not JSON";
        return NGX_DECLINED;
    }

    return NGX_OK;
}


u_char *
ngx_vidcast_letter_room(ngx_vidcast_letter_t *letter, size_t size)
{
    if (letter->data == NULL || size > letter->max_picture - letter->size) {
        return NULL;
    }

    return letter->data + letter->size;
}
