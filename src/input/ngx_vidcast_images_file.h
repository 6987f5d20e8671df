
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _NGX_VIDCAST_IMAGES_FILE_H_INCLUDED_
#define _NGX_VIDCAST_IMAGES_FILE_H_INCLUDED_


#include "input/ngx_vidcast_input.h"


/*
 * One file of images:, read into the ring if a slot is free and large enough,
 * else into memory; and which one it was, to know it again.
 */

typedef struct {
    uint32_t       slot;        /* of the picture in hand, or NONE */
    u_char        *buf;         /* instead of it */
    size_t         size;

    ngx_uint_t     known;       /* what follows is that of the last one */
    ngx_uint_t     young;       /* and may stay so while another is written */
    ngx_uint_t     gone;
    struct stat    st;
    uint64_t       digest;
} ngx_vidcast_images_file_t;


void ngx_vidcast_images_file_init(ngx_vidcast_images_file_t *file);
void ngx_vidcast_images_file_free(ngx_vidcast_images_file_t *file);

/*
 * As grab(); look() is for a file that was read before, and reads it only if
 * it has changed since, else NGX_VIDCAST_INPUT_UNCHANGED.  NGX_AGAIN: it is
 * not there, which was told already.
 */
ngx_int_t ngx_vidcast_images_file_read(ngx_vidcast_input_t *in,
    ngx_vidcast_images_file_t *file, const char *name,
    ngx_vidcast_picture_t *picture);
ngx_int_t ngx_vidcast_images_file_look(ngx_vidcast_input_t *in,
    ngx_vidcast_images_file_t *file, const char *name,
    ngx_vidcast_picture_t *picture);

/* as the module's: a picture that did not become a frame is to come again */
void ngx_vidcast_images_file_release(ngx_vidcast_input_t *in,
    ngx_vidcast_images_file_t *file);

/* a long name keeps its end, and the reason its place */
void ngx_vidcast_images_error(ngx_vidcast_input_t *in, ngx_err_t err,
    const char *what, const char *name);


#endif /* _NGX_VIDCAST_IMAGES_FILE_H_INCLUDED_ */
