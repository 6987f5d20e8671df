
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _UNIT_IMAGE_H_INCLUDED_
#define _UNIT_IMAGE_H_INCLUDED_


/* pixels, and what stands them upright */

#include "media/ngx_vidcast_image.c"
#include "media/ngx_vidcast_orientation.c"


#endif /* _UNIT_IMAGE_H_INCLUDED_ */
