
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <jansson.h>

#include "wire/ngx_vidcast_command.h"


static ngx_int_t ngx_vidcast_command_read(json_t *json,
    ngx_vidcast_command_t *command, const char **reason);
static ngx_int_t ngx_vidcast_command_fps(json_t *json,
    ngx_vidcast_command_t *command, const char **reason);
static ngx_int_t ngx_vidcast_command_source(json_t *json,
    ngx_vidcast_command_t *command, const char **reason);


/*
 * Adding a command: these files.
 *
 *     src/wire/ngx_vidcast_command.h
 *         its number, its members, and its form, at the head
 *     src/wire/ngx_vidcast_command.c
 *         its name below, in the order of the numbers, and how it is read
 *     src/http/transport/ngx_http_vidcast_ws.c
 *         what it does, in ws_command(), within what the location allows:
 *         "fps" keeps to ws->min_interval, whatever the query has asked for
 *     docs/wire-protocol.md, CHANGES
 *         what a client sees of it; t/util/gate-readme compares the names
 *     t/unit/wire/test_command.c
 *         its forms, good and bad
 *     t/ws-commands.t
 *         what it does
 */

static const char  *ngx_vidcast_commands[] = {
    "fps", "pause", "resume", "ack", "subscribe", "unsubscribe", NULL
};


ngx_int_t
ngx_vidcast_command_parse(u_char *data, size_t size,
    ngx_vidcast_command_t *command, const char **reason)
{
    json_t        *json;
    ngx_int_t      rc;
    json_error_t   error;

    json = json_loadb((char *) data, size, JSON_REJECT_DUPLICATES, &error);

    if (json == NULL) {
        *reason = "not a JSON object";
        return NGX_DECLINED;
    }

    rc = ngx_vidcast_command_read(json, command, reason);

    json_decref(json);

    return rc;
}


static ngx_int_t
ngx_vidcast_command_read(json_t *json, ngx_vidcast_command_t *command,
    const char **reason)
{
    const char  *type;
    ngx_uint_t   i;

    type = json_string_value(json_object_get(json, "type"));

    if (type == NULL) {
        *reason = "no \\\"type\\\"";
        return NGX_DECLINED;
    }

    for (i = 0; ngx_vidcast_commands[i]; i++) {
        if (ngx_strcmp(type, ngx_vidcast_commands[i]) == 0) {
            break;
        }
    }

    command->type = i;

    switch (i) {

    case NGX_VIDCAST_COMMAND_FPS:
        return ngx_vidcast_command_fps(json, command, reason);

    case NGX_VIDCAST_COMMAND_PAUSE:
    case NGX_VIDCAST_COMMAND_RESUME:
    case NGX_VIDCAST_COMMAND_ACK:
        return NGX_OK;

    case NGX_VIDCAST_COMMAND_SUBSCRIBE:
    case NGX_VIDCAST_COMMAND_UNSUBSCRIBE:
        return ngx_vidcast_command_source(json, command, reason);

    default:
        *reason = "unknown \\\"type\\\"";
        return NGX_DECLINED;
    }
}


static ngx_int_t
ngx_vidcast_command_fps(json_t *json, ngx_vidcast_command_t *command,
    const char **reason)
{
    double   fps;
    json_t  *value;

    value = json_object_get(json, "value");
    fps = json_number_value(value);

    if (!json_is_number(value)
        || (fps != 0 && (fps < 0.01 || fps > NGX_VIDCAST_MAX_FPS)))
    {
        *reason = "\\\"value\\\" must be 0, or 0.01 to 1000";
        return NGX_DECLINED;
    }

    command->interval = (fps == 0) ? 0 : (uint64_t) (1000000 / fps);

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_command_source(json_t *json, ngx_vidcast_command_t *command,
    const char **reason)
{
    json_t  *value;

    value = json_object_get(json, "source");

    if (!json_is_string(value)
        || json_string_length(value) == 0
        || json_string_length(value) > NGX_VIDCAST_MAX_NAME)
    {
        *reason = "\\\"source\\\" must be the name of one";
        return NGX_DECLINED;
    }

    command->source.len = json_string_length(value);
    command->source.data = command->name;

    (void) ngx_cpystrn(command->name, (u_char *) json_string_value(value),
                       NGX_VIDCAST_MAX_NAME + 1);

    return NGX_OK;
}
