
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast.h"
#include "core/ngx_vidcast_error.h"
#include "input/ngx_vidcast_images_file.h"


/*
 * Files are read, not mapped: one that is truncated meanwhile is a bad frame
 * then, and not a SIGBUS.
 */

#define NGX_VIDCAST_IMAGES_FILE_MAX_SIZE  (64 * 1024 * 1024)
#define NGX_VIDCAST_IMAGES_FILE_MAX_SHOW  120        /* of a name, bytes */

/*
 * A time of modification is that of the last tick of the kernel's clock, or of
 * the last two seconds where a file system knows no more: a file may be
 * written again, and keep it.
 */

#define NGX_VIDCAST_IMAGES_FILE_TICK      50         /* ms */
#define NGX_VIDCAST_IMAGES_FILE_SECONDS   2100


static ngx_int_t ngx_vidcast_images_file_load(ngx_vidcast_input_t *in,
    ngx_vidcast_images_file_t *file, const char *name,
    ngx_vidcast_picture_t *picture);
static ngx_int_t ngx_vidcast_images_file_stat(ngx_vidcast_input_t *in,
    ngx_vidcast_images_file_t *file, ngx_fd_t fd, const char *name);
static ngx_int_t ngx_vidcast_images_file_fill(ngx_vidcast_input_t *in,
    ngx_vidcast_images_file_t *file, ngx_fd_t fd, const char *name,
    ngx_vidcast_picture_t *picture);
static u_char *ngx_vidcast_images_file_get_buffer(ngx_vidcast_input_t *in,
    ngx_vidcast_images_file_t *file, ngx_vidcast_picture_t *picture,
    size_t size);
static void ngx_vidcast_images_file_give_back(ngx_vidcast_input_t *in,
    ngx_vidcast_images_file_t *file);
static ngx_uint_t ngx_vidcast_images_file_same(struct stat *one,
    struct stat *two);
static ngx_uint_t ngx_vidcast_images_file_young(struct stat *st);
static uint64_t ngx_vidcast_images_file_digest(const u_char *data,
    size_t size);


void
ngx_vidcast_images_file_init(ngx_vidcast_images_file_t *file)
{
    ngx_memzero(file, sizeof(ngx_vidcast_images_file_t));

    file->slot = NGX_VIDCAST_RING_NONE;
}


void
ngx_vidcast_images_file_free(ngx_vidcast_images_file_t *file)
{
    ngx_free(file->buf);
}


ngx_int_t
ngx_vidcast_images_file_read(ngx_vidcast_input_t *in,
    ngx_vidcast_images_file_t *file, const char *name,
    ngx_vidcast_picture_t *picture)
{
    u_char     what[NGX_VIDCAST_ERROR_LEN];
    ngx_int_t  rc;

    rc = ngx_vidcast_images_file_load(in, file, name, picture);

    if (rc == NGX_OK
        && ngx_vidcast_input_jpeg(in, picture, picture->data, picture->size)
           != NGX_OK)
    {
        ngx_vidcast_error(what, "%s:",
                          ngx_vidcast_jpeg_fault_text(picture->info.fault));
        ngx_vidcast_images_error(in, 0, (char *) what, name);
        rc = NGX_DECLINED;
    }

    if (rc != NGX_OK) {
        ngx_vidcast_images_file_give_back(in, file);
    }

    return rc;
}


ngx_int_t
ngx_vidcast_images_file_look(ngx_vidcast_input_t *in,
    ngx_vidcast_images_file_t *file, const char *name,
    ngx_vidcast_picture_t *picture)
{
    uint64_t     digest;
    ngx_int_t    rc;
    ngx_uint_t   same;
    struct stat  st;

    if (stat(name, &st) == -1) {

        if (file->gone) {
            return NGX_AGAIN;
        }

        ngx_vidcast_images_error(in, ngx_errno, "stat()", name);

        file->gone = 1;
        file->known = 0;

        return NGX_DECLINED;
    }

    file->gone = 0;

    same = file->known && ngx_vidcast_images_file_same(&st, &file->st);

    if (same && !file->young) {
        return NGX_VIDCAST_INPUT_UNCHANGED;
    }

    st = file->st;
    digest = file->digest;

    rc = ngx_vidcast_images_file_read(in, file, name, picture);

    if (same && file->known
        && ngx_vidcast_images_file_same(&st, &file->st)
        && digest == file->digest)
    {
        ngx_vidcast_images_file_give_back(in, file);
        return NGX_VIDCAST_INPUT_UNCHANGED;
    }

    return rc;
}


static ngx_int_t
ngx_vidcast_images_file_load(ngx_vidcast_input_t *in,
    ngx_vidcast_images_file_t *file, const char *name,
    ngx_vidcast_picture_t *picture)
{
    ngx_fd_t   fd;
    ngx_int_t  rc;

    file->known = 0;

    /* what has this name may be a pipe: do not wait for its other end */

    fd = open(name, O_RDONLY|O_NONBLOCK|O_CLOEXEC);

    if (fd == NGX_INVALID_FILE) {
        ngx_vidcast_images_error(in, ngx_errno, "open()", name);
        return NGX_DECLINED;
    }

    rc = ngx_vidcast_images_file_stat(in, file, fd, name);

    if (rc == NGX_OK) {
        rc = ngx_vidcast_images_file_fill(in, file, fd, name, picture);
    }

    (void) close(fd);

    return rc;
}


static ngx_int_t
ngx_vidcast_images_file_stat(ngx_vidcast_input_t *in,
    ngx_vidcast_images_file_t *file, ngx_fd_t fd, const char *name)
{
    if (fstat(fd, &file->st) == -1) {
        ngx_vidcast_images_error(in, ngx_errno, "fstat()", name);
        return NGX_DECLINED;
    }

    file->known = 1;
    file->young = ngx_vidcast_images_file_young(&file->st);
    file->digest = 0;

    if (!S_ISREG(file->st.st_mode)) {
        ngx_vidcast_images_error(in, 0, "not a file:", name);
        return NGX_DECLINED;
    }

    if (file->st.st_size > NGX_VIDCAST_IMAGES_FILE_MAX_SIZE) {
        ngx_vidcast_images_error(in, 0, "more than 64 megabytes:", name);
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_images_file_fill(ngx_vidcast_input_t *in,
    ngx_vidcast_images_file_t *file, ngx_fd_t fd, const char *name,
    ngx_vidcast_picture_t *picture)
{
    u_char       *p;
    size_t        len, size;
    ssize_t       n;
    struct stat   st;

    size = file->st.st_size;

    p = ngx_vidcast_images_file_get_buffer(in, file, picture, size);

    if (p == NULL) {
        file->known = 0;
        ngx_vidcast_images_error(in, NGX_ENOMEM, "reading", name);
        return NGX_DECLINED;
    }

    /* the file may shrink while it is read */

    for (len = 0; len < size; len += n) {
        n = read(fd, p + len, size - len);

        if (n == 0) {
            break;
        }

        if (n == -1) {

            if (ngx_errno == NGX_EINTR) {
                n = 0;
                continue;
            }

            file->known = 0;
            ngx_vidcast_images_error(in, ngx_errno, "read()", name);
            return NGX_DECLINED;
        }
    }

    /* half of it may be the one before, and no decoder would see that */

    if (fstat(fd, &st) == -1
        || !ngx_vidcast_images_file_same(&st, &file->st)
        || len != size)
    {
        file->known = 0;
        ngx_vidcast_images_error(in, 0, "written while it was read:", name);
        return NGX_DECLINED;
    }

    file->digest = ngx_vidcast_images_file_digest(p, len);

    picture->data = p;
    picture->size = len;

    return NGX_OK;
}


/* without a free slot: into memory, the input thread decides what to do */

static u_char *
ngx_vidcast_images_file_get_buffer(ngx_vidcast_input_t *in,
    ngx_vidcast_images_file_t *file, ngx_vidcast_picture_t *picture,
    size_t size)
{
    if (size <= in->source->original.geometry.slot_size) {
        file->slot = in->host->claim(in->capture);

        if (file->slot != NGX_VIDCAST_RING_NONE) {
            picture->slot = file->slot;
            picture->lent = 1;

            return ngx_vidcast_ring_data(&in->source->original.zone->ring,
                                         file->slot);
        }
    }

    if (file->size < size || file->buf == NULL) {
        ngx_free(file->buf);

        file->size = 0;

        file->buf = ngx_alloc(ngx_max(size, 1), in->log);
        if (file->buf == NULL) {
            return NULL;
        }

        file->size = size;
    }

    return file->buf;
}


void
ngx_vidcast_images_file_release(ngx_vidcast_input_t *in,
    ngx_vidcast_images_file_t *file)
{
    if (in->number == 0 && !in->large && !in->bad) {
        file->known = 0;
    }

    ngx_vidcast_images_file_give_back(in, file);
}


static void
ngx_vidcast_images_file_give_back(ngx_vidcast_input_t *in,
    ngx_vidcast_images_file_t *file)
{
    if (file->slot != NGX_VIDCAST_RING_NONE && in->number == 0) {
        in->host->abandon(in->capture, file->slot);
    }

    file->slot = NGX_VIDCAST_RING_NONE;
}


static ngx_uint_t
ngx_vidcast_images_file_same(struct stat *one, struct stat *two)
{
    return one->st_dev == two->st_dev
           && one->st_ino == two->st_ino
           && one->st_size == two->st_size
           && one->st_mtim.tv_sec == two->st_mtim.tv_sec
           && one->st_mtim.tv_nsec == two->st_mtim.tv_nsec;
}


static ngx_uint_t
ngx_vidcast_images_file_young(struct stat *st)
{
    int64_t          age;
    struct timespec  now;

    (void) clock_gettime(CLOCK_REALTIME, &now);

    age = (int64_t) (now.tv_sec - st->st_mtim.tv_sec) * 1000
          + (now.tv_nsec - st->st_mtim.tv_nsec) / 1000000;

    return age < (st->st_mtim.tv_nsec ? NGX_VIDCAST_IMAGES_FILE_TICK
                                      : NGX_VIDCAST_IMAGES_FILE_SECONDS);
}


/* FNV-1a, eight bytes at a time */

static uint64_t
ngx_vidcast_images_file_digest(const u_char *data, size_t size)
{
    uint64_t  digest, word;

    digest = 14695981039346656037U;

    for ( /* void */ ; size >= 8; size -= 8) {
        ngx_memcpy(&word, data, 8);
        digest = (digest ^ word) * 1099511628211U;
        digest ^= digest >> 32;
        data += 8;
    }

    for ( /* void */ ; size; size--) {
        digest = (digest ^ *data++) * 1099511628211U;
    }

    return digest;
}


void
ngx_vidcast_images_error(ngx_vidcast_input_t *in, ngx_err_t err,
    const char *what, const char *name)
{
    size_t       len;
    u_char      *p, *last;
    const char  *dots;

    len = ngx_strlen(name);
    dots = "";

    if (len > NGX_VIDCAST_IMAGES_FILE_MAX_SHOW) {
        name += len - NGX_VIDCAST_IMAGES_FILE_MAX_SHOW;
        dots = "...";
    }

    p = in->error;
    last = p + NGX_VIDCAST_ERROR_LEN - 1;

    p = ngx_slprintf(p, last, "%s \"%s%s\"", what, dots, name);

    if (err) {
        p = ngx_slprintf(p, last, " failed (%d: ", err);
        p = ngx_strerror(err, p, last - p);
        p = ngx_slprintf(p, last, ")");
    }

    *p = '\0';
}
