
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _UNIT_DETECTIONS_H_INCLUDED_
#define _UNIT_DETECTIONS_H_INCLUDED_


/* the detections of a result, by the text of it */

#include "wire/ngx_vidcast_detections_reader.c"


static ngx_vidcast_detections_t  detections;


static void
read_text(const char *json)
{
    /* exactly as long as it is, for the sanitizer */

    u_char  *p;
    size_t   len;

    len = strlen(json);
    p = malloc(len);
    ngx_memcpy(p, json, len);

    ngx_vidcast_detections_read(p, len, &detections);

    free(p);
}


#endif /* _UNIT_DETECTIONS_H_INCLUDED_ */
