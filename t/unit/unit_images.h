
/*
 * Copyright (C) vidcast contributors
 */


#ifndef _UNIT_IMAGES_H_INCLUDED_
#define _UNIT_IMAGES_H_INCLUDED_


/*
 * A folder of its own, files in it, and the input that plays them, for the
 * tests of images:.
 */

#include "input/ngx_vidcast_images_file.c"
#include "input/ngx_vidcast_input_images.c"
#include "input/ngx_vidcast_input_jpeg.c"
#include "unit_jpeg.h"
#include "unit_ngx.h"

#include <sys/stat.h>


static const char *test_path(const char *name);
static ngx_int_t test_set(ngx_vidcast_input_conf_t *conf, const char *name,
    const char *value);


/* a ring of one slot, if "slots" is not zero, and what became of it */

static ngx_uint_t              slots, claimed, abandoned;
static u_char                  slot[65536];
static ngx_vidcast_source_t    source;

static char                    folder[] = "/tmp/vidcast-unit-XXXXXX";
static int                     first_fd;
static ngx_pool_t             *pool;
static ngx_vidcast_picture_t   picture;


static uint32_t
test_claim(ngx_vidcast_capture_t *capture)
{
    if (slots == 0) {
        return NGX_VIDCAST_RING_NONE;
    }

    slots--;
    claimed++;

    return 0;
}


static void
test_abandon(ngx_vidcast_capture_t *capture, uint32_t n)
{
    slots++;
    abandoned++;
}


static ngx_vidcast_input_host_t  host = {
    test_claim,
    test_abandon,
    NULL,
    NULL
};


u_char *
ngx_vidcast_ring_data(ngx_vidcast_ring_t *ring, uint32_t n)
{
    return slot;
}


static void
test_init(void)
{
    static ngx_vidcast_zone_t  zone;

    source.original.geometry.slot_size = sizeof(slot);
    source.original.zone = &zone;

    pool = ngx_create_pool(4096, &unit_log);

    if (pool == NULL || mkdtemp(folder) == NULL) {
        exit(2);
    }

    first_fd = open("/", O_RDONLY);
    (void) close(first_fd);
}


/* good until the fourth call from here */

static const char *
test_path(const char *name)
{
    static char        paths[4][256];
    static ngx_uint_t  n;

    n = (n + 1) % 4;

    (void) snprintf(paths[n], sizeof(paths[n]), "%s/%s", folder, name);

    return paths[n];
}


static void
test_write(const char *name, const void *data, size_t size)
{
    FILE  *f;

    f = fopen(test_path(name), "w");

    if (f == NULL || fwrite(data, 1, size, f) != size || fclose(f) != 0) {
        exit(2);
    }
}


static void
test_jpeg(const char *name, uint32_t width)
{
    unit_jpeg_t  jpeg;

    unit_jpeg(&jpeg, width, 16);
    test_write(name, jpeg.data, jpeg.size);

    free(jpeg.data);
}


static void
test_clear(void)
{
    char  command[128];

    (void) snprintf(command, sizeof(command),
                    "find '%s' -mindepth 1 -delete", folder);

    if (system(command) != 0) {
        exit(2);
    }
}


static ngx_int_t
test_set(ngx_vidcast_input_conf_t *conf, const char *name, const char *value)
{
    ngx_str_t  n, v;

    n.data = (u_char *) name;
    n.len = strlen(name);
    v.data = (u_char *) value;
    v.len = strlen(value);

    return ngx_vidcast_input_images.set(conf, &n, &v);
}


/* 1000 frames a second; the path is not terminated */

static ngx_int_t
test_open(ngx_vidcast_input_t *in, const char *path, const char *loop)
{
    ngx_int_t                  rc;
    ngx_vidcast_input_conf_t  *conf;

    memset(in, 0, sizeof(ngx_vidcast_input_t));
    memset(in->error, 'x', NGX_VIDCAST_ERROR_LEN);

    conf = calloc(1, sizeof(ngx_vidcast_input_conf_t));

    conf->params = ngx_vidcast_input_images.create_params(pool);
    conf->path.len = strlen(path);
    conf->path.data = malloc(conf->path.len);
    memcpy(conf->path.data, path, conf->path.len);

    (void) test_set(conf, "fps", "1000");
    (void) test_set(conf, "loop", loop);

    in->conf = conf;
    in->log = &unit_log;
    in->source = &source;
    in->host = &host;

    rc = ngx_vidcast_input_images.open(in);

    if (rc != NGX_OK) {
        free(conf->path.data);
        free(conf);
    }

    return rc;
}


static void
test_close(ngx_vidcast_input_t *in)
{
    ngx_vidcast_input_images.close(in);

    free(in->conf->path.data);
    free(in->conf);
}


/* the next answer other than NGX_AGAIN */

static ngx_int_t
test_grab(ngx_vidcast_input_t *in)
{
    uint64_t   deadline;
    ngx_int_t  rc;

    deadline = ngx_vidcast_clock() + 30000000;

    do {
        memset(&picture, 0, sizeof(picture));
        in->number = 0;
        rc = ngx_vidcast_input_images.grab(in, &picture);
    } while (rc == NGX_AGAIN && ngx_vidcast_clock() < deadline);

    return rc;
}


/* is the next picture the one of this width? */

static ngx_uint_t
test_next(ngx_vidcast_input_t *in, uint32_t width)
{
    return test_grab(in) == NGX_OK && picture.time != 0
           && picture.info.width == width
           && picture.info.size == picture.size;
}


static ngx_uint_t __attribute__((unused))
test_says(ngx_vidcast_input_t *in, const char *text)
{
    if (in->error[0] == 'x'
        || memchr(in->error, '\0', NGX_VIDCAST_ERROR_LEN) == NULL)
    {
        return 0;
    }

    if (strstr((char *) in->error, text) == NULL) {
        printf("# it says: %s\n", in->error);
        return 0;
    }

    return 1;
}


static int
test_done(void)
{
    unit_ok(open("/", O_RDONLY) == first_fd, "no descriptor is left open");

    test_clear();
    (void) rmdir(folder);

    ngx_destroy_pool(pool);

    return unit_done();
}


#endif /* _UNIT_IMAGES_H_INCLUDED_ */
