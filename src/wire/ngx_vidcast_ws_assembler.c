
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "wire/ngx_vidcast_result_value.h"
#include "wire/ngx_vidcast_ws_assembler.h"


ngx_int_t
ngx_vidcast_ws_assembler_add(ngx_vidcast_ws_assembler_t *message,
    ngx_vidcast_ws_event_t *event)
{
    u_char  *p;
    size_t   most;

    if (event->first) {
        message->size = 0;
        message->text = (event->opcode == NGX_VIDCAST_WS_TEXT);
    }

    most = message->text ? message->max_text : message->max_picture;

    if (event->size > most - message->size) {
        message->code = NGX_VIDCAST_WS_CLOSE_TOO_BIG;
        message->reason = "too large";
        return NGX_DECLINED;
    }

    p = message->data + message->size;

    if (event->size && event->data != p) {
        ngx_memcpy(p, event->data, event->size);
    }

    message->size += event->size;

    if (!event->last) {
        return NGX_AGAIN;
    }

    if (message->text
        && ngx_vidcast_result_value_check(message->data, &message->size)
               != NGX_OK)
    {
        message->code = NGX_VIDCAST_WS_CLOSE_DATA;
        message->reason = "not JSON";
        return NGX_DECLINED;
    }

    return NGX_OK;
}


u_char *
ngx_vidcast_ws_assembler_buffer(ngx_vidcast_ws_assembler_t *message,
    size_t size)
{
    if (message->data == NULL || size > message->max_picture - message->size) {
        return NULL;
    }

    return message->data + message->size;
}
