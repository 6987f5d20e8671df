
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_RESULT_MEMBERS_H_INCLUDED_
#define _NGX_VIDCAST_RESULT_MEMBERS_H_INCLUDED_


#include "core/ngx_vidcast.h"


/*
 * Of a whole result, which another host has published, and which is known to
 * be an object of JSON on one line: appends to "dst" all members but those
 * which the host of a source puts around it, as they are and in their order,
 * each with a comma before it, and the object's end.  NULL: there is no room
 * before "last".
 */
u_char *ngx_vidcast_result_members(const u_char *json, size_t len, u_char *dst,
    u_char *last);


#endif /* _NGX_VIDCAST_RESULT_MEMBERS_H_INCLUDED_ */
