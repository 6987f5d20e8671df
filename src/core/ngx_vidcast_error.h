
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_ERROR_H_INCLUDED_
#define _NGX_VIDCAST_ERROR_H_INCLUDED_


#include "core/ngx_vidcast.h"


/*
 * Writes a reason, in nginx's formats, to the NGX_VIDCAST_ERROR_LEN bytes of
 * "error": cut where it does not fit, and terminated.
 */
void ngx_vidcast_error(u_char *error, const char *fmt, ...);


#endif /* _NGX_VIDCAST_ERROR_H_INCLUDED_ */
