
/*
 * Copyright (C) vidcast contributors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "core/ngx_vidcast.h"
#include "core/ngx_vidcast_parse.h"
#include "core/ngx_vidcast_error.h"
#include "core/ngx_vidcast_string.h"
#include "input/ngx_vidcast_images_file.h"

#include <glob.h>


/*
 * images:/folder, images:/folder/GLOB or images:/folder/file.jpg: an emulated
 * camera.  A folder stands for the files named *.jpg and *.jpeg in it, in any
 * case.  Name order is the order of the bytes of the names: 10.jpg comes
 * before 9.jpg.
 *
 * One file, unless loop=off, is what another program writes again and again:
 * it is looked at as often, and is a frame when it has changed.
 */


#define NGX_VIDCAST_INPUT_IMAGES_FPS       25
#define NGX_VIDCAST_INPUT_IMAGES_MAX_LATE  1000000    /* us */

#define NGX_VIDCAST_INPUT_IMAGES_MAX_SUFFIX                                   \
    sizeof("/*.[jJ][pP][eE][gG]")


typedef struct {
    ngx_uint_t     loop;
} ngx_vidcast_input_images_params_t;


typedef struct {
    char          *path;        /* terminated */
    char          *pattern;     /* what of it is given to glob() */

    glob_t         files;       /* sorted */
    size_t         next;
    size_t         good;        /* pictures of this pass */

    ngx_uint_t     watch;       /* it is one file */
    ngx_vidcast_images_file_t  file;

    uint64_t       anchor;      /* picture "count" is due at */
    uint64_t       count;       /*   anchor + count / fps */
} ngx_vidcast_input_images_t;


static void *ngx_vidcast_input_images_create_params(ngx_pool_t *pool);
static ngx_int_t ngx_vidcast_input_images_set(ngx_vidcast_input_conf_t *conf,
    ngx_str_t *name, ngx_str_t *value);
static ngx_int_t ngx_vidcast_input_images_check(
    ngx_vidcast_input_conf_t *conf, u_char *error);
static ngx_int_t ngx_vidcast_input_images_open(ngx_vidcast_input_t *in);
static ngx_int_t ngx_vidcast_input_images_grab(ngx_vidcast_input_t *in,
    ngx_vidcast_picture_t *picture);
static void ngx_vidcast_input_images_release(ngx_vidcast_input_t *in);
static void ngx_vidcast_input_images_close(ngx_vidcast_input_t *in);

static ngx_int_t ngx_vidcast_input_images_next(ngx_vidcast_input_t *in,
    ngx_vidcast_picture_t *picture);
static ngx_int_t ngx_vidcast_input_images_pace(ngx_vidcast_input_t *in);
static ngx_int_t ngx_vidcast_input_images_wrap(ngx_vidcast_input_t *in);
static ngx_int_t ngx_vidcast_input_images_list(ngx_vidcast_input_t *in);
static ngx_int_t ngx_vidcast_input_images_glob(ngx_vidcast_input_t *in,
    const char *suffix, int flags);
static ngx_int_t ngx_vidcast_input_images_no_match(ngx_vidcast_input_t *in,
    ngx_uint_t folder);
static int ngx_libc_cdecl ngx_vidcast_input_images_cmp(const void *one,
    const void *two);


ngx_vidcast_input_module_t  ngx_vidcast_input_images = {
    ngx_string("images"),
    NGX_VIDCAST_INPUT_FILE,
    ngx_vidcast_input_images_create_params,
    ngx_vidcast_input_images_set,
    ngx_vidcast_input_images_check,
    ngx_vidcast_input_images_open,
    ngx_vidcast_input_images_grab,
    ngx_vidcast_input_images_release,
    ngx_vidcast_input_images_close,
    NULL
};


static void *
ngx_vidcast_input_images_create_params(ngx_pool_t *pool)
{
    ngx_vidcast_input_images_params_t  *params;

    params = ngx_palloc(pool, sizeof(ngx_vidcast_input_images_params_t));
    if (params == NULL) {
        return NULL;
    }

    params->loop = 1;

    return params;
}


static ngx_int_t
ngx_vidcast_input_images_set(ngx_vidcast_input_conf_t *conf, ngx_str_t *name,
    ngx_str_t *value)
{
    ngx_uint_t                          on;
    ngx_vidcast_input_images_params_t  *params;

    params = conf->params;

    if (ngx_vidcast_is(name, "fps")) {
        return ngx_vidcast_parse_fps(value, &conf->fps);
    }

    if (ngx_vidcast_is(name, "loop")) {
        return ngx_vidcast_parse_flag(value, &params->loop);
    }

    if (ngx_vidcast_is(name, "realtime")) {

        if (ngx_vidcast_parse_flag(value, &on) != NGX_OK) {
            return NGX_ERROR;
        }

        conf->lossless = !on;

        return NGX_OK;
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_vidcast_input_images_check(ngx_vidcast_input_conf_t *conf, u_char *error)
{
    ngx_vidcast_input_images_params_t  *params;

    params = conf->params;

    if (conf->path.len == 0) {
        ngx_vidcast_error(error, "no folder given");
        return NGX_ERROR;
    }

    /* the capture process has a working directory of its own */

    if (conf->path.data[0] != '/') {
        ngx_vidcast_error(error, "path is not absolute");
        return NGX_ERROR;
    }

    conf->rereads = params->loop;

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_input_images_open(ngx_vidcast_input_t *in)
{
    size_t                              len;
    ngx_int_t                           rc;
    struct stat                         st;
    ngx_vidcast_input_images_t         *im;
    ngx_vidcast_input_images_params_t  *params;

    len = in->conf->path.len;
    params = in->conf->params;

    /* one block; of the pattern, each byte may have to be escaped */

    im = ngx_calloc(sizeof(ngx_vidcast_input_images_t) + len + 1
                    + 2 * len + NGX_VIDCAST_INPUT_IMAGES_MAX_SUFFIX,
                    in->log);
    if (im == NULL) {
        ngx_vidcast_error(in->error, "no memory");
        return NGX_ERROR;
    }

    im->path = (char *) im + sizeof(ngx_vidcast_input_images_t);
    im->pattern = im->path + len + 1;

    ngx_memcpy(im->path, in->conf->path.data, len);

    in->data = im;

    ngx_vidcast_images_file_init(&im->file);

    if (ngx_vidcast_input_images_list(in) != NGX_OK) {

        /* what has one name may be about to be made, and is soon found */

        rc = (stat(im->path, &st) == -1 && !strpbrk(im->path, "*?["))
             ? NGX_AGAIN : NGX_ERROR;

        ngx_vidcast_input_images_close(in);

        return rc;
    }

    im->watch = im->watch && params->loop;

    in->format = NGX_VIDCAST_INPUT_JPEG;
    in->fps = in->conf->fps ? in->conf->fps : NGX_VIDCAST_INPUT_IMAGES_FPS;

    im->anchor = ngx_vidcast_clock();

    return NGX_OK;
}


static ngx_int_t
ngx_vidcast_input_images_grab(ngx_vidcast_input_t *in,
    ngx_vidcast_picture_t *picture)
{
    ngx_int_t                    rc;
    ngx_vidcast_input_images_t  *im;

    im = in->data;

    if (im->watch || !in->conf->lossless) {
        rc = ngx_vidcast_input_images_pace(in);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    picture->time = ngx_vidcast_clock();

    if (!im->watch) {
        return ngx_vidcast_input_images_next(in, picture);
    }

    im->count++;

    return ngx_vidcast_images_file_look(in, &im->file, im->path, picture);
}


static ngx_int_t
ngx_vidcast_input_images_next(ngx_vidcast_input_t *in,
    ngx_vidcast_picture_t *picture)
{
    ngx_int_t                    rc;
    ngx_vidcast_input_images_t  *im;

    im = in->data;

    if (im->next == im->files.gl_pathc) {
        rc = ngx_vidcast_input_images_wrap(in);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    im->count++;

    if (im->files.gl_pathc > 1) {
        picture->pts = (int64_t) (im->next * 1000000 / in->fps);
    }

    rc = ngx_vidcast_images_file_read(in, &im->file,
                                      im->files.gl_pathv[im->next++], picture);

    im->good += (rc == NGX_OK);

    return rc;
}


/* till the next one is due: not an interval after the last, which drifts */

static ngx_int_t
ngx_vidcast_input_images_pace(ngx_vidcast_input_t *in)
{
    uint64_t                     now, due;
    ngx_int_t                    rc;
    ngx_vidcast_input_images_t  *im;

    im = in->data;

    due = im->anchor + (uint64_t) (im->count * 1000000 / in->fps);

    rc = ngx_vidcast_clock_wait(due);

    if (rc != NGX_OK) {
        return rc;
    }

    now = ngx_vidcast_clock();

    if (now > due + NGX_VIDCAST_INPUT_IMAGES_MAX_LATE) {
        im->anchor = now;
        im->count = 0;
    }

    return NGX_OK;
}


static void
ngx_vidcast_input_images_release(ngx_vidcast_input_t *in)
{
    ngx_vidcast_input_images_t  *im;

    im = in->data;

    ngx_vidcast_images_file_release(in, &im->file);
}


static void
ngx_vidcast_input_images_close(ngx_vidcast_input_t *in)
{
    ngx_vidcast_input_images_t  *im;

    im = in->data;

    globfree(&im->files);

    ngx_vidcast_images_file_free(&im->file);
    ngx_free(im);

    in->data = NULL;
}


static ngx_int_t
ngx_vidcast_input_images_wrap(ngx_vidcast_input_t *in)
{
    u_char                              last[NGX_VIDCAST_ERROR_LEN];
    ngx_vidcast_input_images_t         *im;
    ngx_vidcast_input_images_params_t  *params;

    im = in->data;
    params = in->conf->params;

    if (im->good == 0) {

        /* which has the name of its file */

        ngx_memcpy(last, in->error, NGX_VIDCAST_ERROR_LEN);
        ngx_vidcast_error(in->error, "no usable JPEG; the last one: %s",
                          last);
        return NGX_ERROR;
    }

    if (!params->loop) {
        return NGX_DONE;
    }

    im->next = 0;
    im->good = 0;

    return ngx_vidcast_input_images_list(in);
}


/* a folder, or a file, of this very name; else a pattern */

static ngx_int_t
ngx_vidcast_input_images_list(ngx_vidcast_input_t *in)
{
    ngx_int_t                    rc;
    ngx_uint_t                   folder;
    struct stat                  st;
    ngx_vidcast_input_images_t  *im;

    im = in->data;

    globfree(&im->files);
    ngx_memzero(&im->files, sizeof(glob_t));

    folder = 0;
    im->watch = 0;

    if (stat(im->path, &st) == -1) {
        rc = ngx_vidcast_input_images_glob(in, NULL, 0);

    } else if (!S_ISDIR(st.st_mode)) {
        im->watch = 1;
        rc = ngx_vidcast_input_images_glob(in, "", 0);

    } else {
        folder = 1;

        rc = ngx_vidcast_input_images_glob(in, "/*.[jJ][pP][gG]", 0);

        if (rc == NGX_OK) {
            rc = ngx_vidcast_input_images_glob(in, "/*.[jJ][pP][eE][gG]",
                                               GLOB_APPEND);
        }
    }

    if (rc != NGX_OK) {
        return rc;
    }

    if (im->files.gl_pathc == 0) {
        return ngx_vidcast_input_images_no_match(in, folder);
    }

    /* glob() itself would sort by the locale */

    ngx_qsort(im->files.gl_pathv, im->files.gl_pathc, sizeof(char *),
              ngx_vidcast_input_images_cmp);

    return NGX_OK;
}


/* "suffix": the path is to be taken literally, with this behind it */

static ngx_int_t
ngx_vidcast_input_images_glob(ngx_vidcast_input_t *in, const char *suffix,
    int flags)
{
    int                          n;
    char                        *src, *dst;
    ngx_vidcast_input_images_t  *im;

    im = in->data;
    dst = im->pattern;

    for (src = im->path; *src; src++) {

        if (suffix && strchr("*?[\\", *src)) {
            *dst++ = '\\';
        }

        *dst++ = *src;
    }

    (void) strcpy(dst, suffix ? suffix : "");

    n = glob(im->pattern, GLOB_NOSORT|flags, NULL, &im->files);

    if (n == GLOB_NOSPACE) {
        ngx_vidcast_images_error(in, NGX_ENOMEM, "glob()", im->path);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* glob() does not tell a folder that it cannot read from an empty one */

static ngx_int_t
ngx_vidcast_input_images_no_match(ngx_vidcast_input_t *in, ngx_uint_t folder)
{
    DIR                         *dir;
    char                        *p, ch;
    ngx_vidcast_input_images_t  *im;

    im = in->data;
    p = folder ? NULL : strpbrk(im->path, "*?[");

    if (p == NULL) {
        p = im->path + ngx_strlen(im->path);

    } else {
        while (p > im->path && p[-1] != '/') {
            p--;
        }
    }

    ch = *p;
    *p = '\0';

    dir = opendir(im->path);

    if (dir == NULL) {
        ngx_vidcast_images_error(in, ngx_errno, "opendir()", im->path);
        *p = ch;

        return NGX_ERROR;
    }

    (void) closedir(dir);

    *p = ch;

    ngx_vidcast_images_error(in, 0, folder ? "no *.jpg or *.jpeg in"
                                           : "no file matches",
                             im->path);
    return NGX_ERROR;
}


static int ngx_libc_cdecl
ngx_vidcast_input_images_cmp(const void *one, const void *two)
{
    char *const *first = one;
    char *const *second = two;

    return ngx_strcmp(*first, *second);
}
