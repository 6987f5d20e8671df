
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_COMMAND_H_INCLUDED_
#define _NGX_VIDCAST_COMMAND_H_INCLUDED_


#include "core/ngx_vidcast.h"


/*
 * What a viewer may say, a JSON text:
 *
 *     {"type":"fps","value":5}               pictures a second, 0: no limit
 *     {"type":"pause"}, {"type":"resume"}    nothing at all meanwhile
 *     {"type":"ack"}                         the last picture was dealt with
 *     {"type":"subscribe","source":"gate"}
 *     {"type":"unsubscribe","source":"gate"}
 *
 * Other members are for later versions, and ignored.
 */

typedef enum {
    NGX_VIDCAST_COMMAND_FPS = 0,
    NGX_VIDCAST_COMMAND_PAUSE,
    NGX_VIDCAST_COMMAND_RESUME,
    NGX_VIDCAST_COMMAND_ACK,
    NGX_VIDCAST_COMMAND_SUBSCRIBE,
    NGX_VIDCAST_COMMAND_UNSUBSCRIBE
} ngx_vidcast_command_e;


typedef struct {
    ngx_vidcast_command_e   type;
    uint64_t                interval;    /* of fps, us; 0: no limit */
    ngx_str_t               source;      /* its data is below */
    u_char                  name[NGX_VIDCAST_MAX_NAME + 1];
} ngx_vidcast_command_t;


/* NGX_OK; NGX_DECLINED: not one of these, *reason says why, in ASCII */
ngx_int_t ngx_vidcast_command_parse(u_char *data, size_t size,
    ngx_vidcast_command_t *command, const char **reason);


#endif /* _NGX_VIDCAST_COMMAND_H_INCLUDED_ */
