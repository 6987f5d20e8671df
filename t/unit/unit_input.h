
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _UNIT_INPUT_H_INCLUDED_
#define _UNIT_INPUT_H_INCLUDED_


/*
 * The table of inputs.  It needs their names only; with UNIT_INPUT_DRIVER the
 * driver of cameras is included as well, and has its own.
 */

#include "input/ngx_vidcast_input.c"
#include "input/ngx_vidcast_input_uri.c"


#define UNIT_INPUT(module)  UNIT_INPUT_FLAGS(module, 0)

#define UNIT_INPUT_FLAGS(module, is)                                          \
    ngx_vidcast_input_module_t  ngx_vidcast_input_##module = {                \
        .scheme = ngx_string(#module),                                        \
        .flags = is                                                           \
    }

UNIT_INPUT(test);
UNIT_INPUT_FLAGS(images, NGX_VIDCAST_INPUT_FILE);
UNIT_INPUT(push);
UNIT_INPUT_FLAGS(file, NGX_VIDCAST_INPUT_FILE);
UNIT_INPUT(rtsp);
UNIT_INPUT(rtsps);
UNIT_INPUT(rtmp);
UNIT_INPUT(srt);
UNIT_INPUT(udp);
UNIT_INPUT_FLAGS(pipe, NGX_VIDCAST_INPUT_FILE);
UNIT_INPUT(http);
UNIT_INPUT(https);
UNIT_INPUT(nats);

#ifndef UNIT_INPUT_DRIVER
UNIT_INPUT(v4l2);
#endif


#endif /* _UNIT_INPUT_H_INCLUDED_ */
