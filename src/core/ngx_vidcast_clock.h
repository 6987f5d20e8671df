
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_CLOCK_H_INCLUDED_
#define _NGX_VIDCAST_CLOCK_H_INCLUDED_


#include "core/ngx_vidcast.h"


/*
 * Waits until the monotonic time "due", microseconds, but 200 ms at most.
 * NGX_OK: it has come; NGX_AGAIN: not yet.
 */
ngx_int_t ngx_vidcast_clock_wait(uint64_t due);


#endif /* _NGX_VIDCAST_CLOCK_H_INCLUDED_ */
