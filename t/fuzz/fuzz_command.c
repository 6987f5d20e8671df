
/*
 * Copyright (C) vidcast contributors
 */


/*
 * Commands of a viewer: what is taken is within its bounds, and what is
 * refused has a reason that can stand in a JSON text.
 */

#include "wire/ngx_vidcast_command.c"
#include "fuzz.h"


static void fuzz_taken(ngx_vidcast_command_t *command);
static void fuzz_refused(const char *reason);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char                 *json;
    ngx_int_t               rc;
    const char             *reason;
    ngx_vidcast_command_t   command;

    json = fuzz_copy(data, size);
    reason = NULL;

    memset(&command, 0x5a, sizeof(ngx_vidcast_command_t));

    rc = ngx_vidcast_command_parse(json, size, &command, &reason);

    if (rc == NGX_OK) {
        fuzz_taken(&command);

    } else {
        fuzz_check(rc == NGX_DECLINED);
        fuzz_refused(reason);
    }

    free(json);

    return 0;
}


static void
fuzz_taken(ngx_vidcast_command_t *command)
{
    switch (command->type) {

    case NGX_VIDCAST_COMMAND_FPS:
        fuzz_check(command->interval == 0
                   || (command->interval >= 1000
                       && command->interval <= 100000000));
        break;

    case NGX_VIDCAST_COMMAND_SUBSCRIBE:
    case NGX_VIDCAST_COMMAND_UNSUBSCRIBE:
        fuzz_check(command->source.data == command->name);
        fuzz_check(command->source.len > 0);
        fuzz_check(command->source.len <= NGX_VIDCAST_MAX_NAME);
        fuzz_check(strlen((char *) command->name) == command->source.len);
        break;

    case NGX_VIDCAST_COMMAND_PAUSE:
    case NGX_VIDCAST_COMMAND_RESUME:
    case NGX_VIDCAST_COMMAND_ACK:
        break;

    default:
        fuzz_check(0);
    }
}


static void
fuzz_refused(const char *reason)
{
    char     text[256];
    json_t  *json;

    fuzz_check(reason != NULL);

    (void) snprintf(text, sizeof(text), "[\"%s\"]", reason);

    json = json_loads(text, 0, NULL);
    fuzz_check(json != NULL);

    json_decref(json);
}
