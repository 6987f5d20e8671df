
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_DETECTIONS_READER_H_INCLUDED_
#define _NGX_VIDCAST_DETECTIONS_READER_H_INCLUDED_


#include "core/ngx_vidcast_detections.h"


/*
 * From the JSON text of a whole result, of any predictor.  What has no box is
 * left out, and so is what is too much; a text without any is no failure.
 */
void ngx_vidcast_detections_read(const u_char *json, size_t size,
    ngx_vidcast_detections_t *detections);


#endif /* _NGX_VIDCAST_DETECTIONS_READER_H_INCLUDED_ */
