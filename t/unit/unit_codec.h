
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _UNIT_CODEC_H_INCLUDED_
#define _UNIT_CODEC_H_INCLUDED_


/* JPEGs: the codec, and what looks into them */

#include "media/ngx_vidcast_jpeg.c"
#include "media/ngx_vidcast_jpeg_fault.c"
#include "media/ngx_vidcast_jpeg_probe.c"

#include "unit_image.h"


#endif /* _UNIT_CODEC_H_INCLUDED_ */
