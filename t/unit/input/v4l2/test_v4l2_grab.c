
/*
 * Copyright (C) vidcast contributors
 */


/*
 * test_v4l2_grab v4l2:/dev/videoN [name=value]... - the v4l2: input alone, for
 * t/v4l2.t, which runs this where there are devices.  Does what the capture
 * process does with an input, opens it again when it is lost included, and
 * prints what it sees, one JSON object a line, until it is ended by TERM.
 *
 * test_v4l2_grab -w FILE WxH NUMBER - writes a JPEG, a different one for each
 * number.
 *
 * test_v4l2_grab -d FILE - decodes a JPEG, and says what is in it.
 *
 * Without arguments it is a unit test that is skipped.
 */

#include "core/ngx_vidcast_escape.c"
#include "input/ngx_vidcast_input_jpeg.c"
#include "unit_codec.h"
#include "input/v4l2/ngx_vidcast_v4l2.c"
#include "input/v4l2/ngx_vidcast_v4l2_control.c"
#include "input/v4l2/ngx_vidcast_v4l2_device.c"
#include "input/v4l2/ngx_vidcast_v4l2_format.c"
#include "input/v4l2/ngx_vidcast_v4l2_range.c"
#include "input/v4l2/ngx_vidcast_v4l2_reason.c"
#include "input/v4l2/ngx_vidcast_v4l2_source.c"
#include "input/v4l2/ngx_vidcast_input_v4l2.c"

#define UNIT_INPUT_DRIVER  1

#include "unit_input.h"
#include "unit_ngx.h"

#include <ngx_md5.h>
#include <dirent.h>


#define BARS      8
#define MAX_JPEG  (4 * 1024 * 1024)


static ngx_vidcast_input_t       in;
static ngx_vidcast_input_conf_t  conf;
static ngx_vidcast_image_t       image;
static ngx_vidcast_picture_t     picture;
static volatile sig_atomic_t     ended;


static void
terminate(int signo)
{
    ended = 1;
}


static const char *
word(ngx_int_t rc)
{
    switch (rc) {

    case NGX_OK:
        return "ok";

    case NGX_BUSY:
        return "busy";

    case NGX_DECLINED:
        return "declined";

    case NGX_ERROR:
        return "error";

    default:
        return "unknown";
    }
}


static void
print_error(const char *event, ngx_int_t rc)
{
    u_char  *p;

    printf("{\"event\":\"%s\",\"rc\":\"%s\",\"error\":\"", event, word(rc));

    for (p = in.error; *p; p++) {
        printf((*p == '"' || *p == '\\') ? "\\%c" : "%c", *p);
    }

    printf("\"}\n");
}


/* eight points near the lower edge: of vivid's bars, clear of its text */

static void
print_bars(ngx_vidcast_image_t *picture)
{
    uint32_t  i, x, y;

    y = picture->height * 15 / 16;

    printf(",\"bars\":[");

    for (i = 0; i < BARS; i++) {
        x = (2 * i + 1) * picture->width / (2 * BARS);

        printf("%s[%d", i ? "," : "",
               picture->plane[0][y * picture->stride[0] + x]);

        if (picture->plane[1] != NULL) {
            printf(",%d,%d",
                   picture->plane[1][y / 2 * picture->stride[1] + x / 2],
                   picture->plane[2][y / 2 * picture->stride[2] + x / 2]);
        }

        printf("]");
    }

    printf("]");
}


static void
print_md5(const u_char *data, size_t size)
{
    u_char      digest[16];
    ngx_uint_t  i;
    ngx_md5_t   md5;

    ngx_md5_init(&md5);
    ngx_md5_update(&md5, data, size);
    ngx_md5_final(digest, &md5);

    printf(",\"size\":%zu,\"md5\":\"", size);

    for (i = 0; i < sizeof(digest); i++) {
        printf("%02x", digest[i]);
    }

    printf("\"");
}


static void
print_frame(void)
{
    printf("{\"event\":\"frame\",\"rc\":\"ok\",\"time\":%llu,\"age\":%lld",
           (unsigned long long) picture.time,
           (long long) (ngx_vidcast_clock() - picture.time));

    if (in.format == NGX_VIDCAST_INPUT_JPEG) {
        print_md5(picture.data, picture.size);

    } else {
        print_bars(&image);
    }

    printf("}\n");
}


static void
print_open(void)
{
    printf("{\"event\":\"open\",\"rc\":\"ok\",\"format\":\"%s\","
           "\"width\":%u,\"height\":%u,\"fps\":%.2f,\"said\":%u}\n",
           (in.format == NGX_VIDCAST_INPUT_JPEG) ? "jpeg" : "i420", in.width,
           in.height, in.fps, (unsigned) unit_log_count[NGX_LOG_NOTICE]);
}


static void
print_end(void)
{
    DIR       *dir;
    unsigned   n;

    n = 0;
    dir = opendir("/proc/self/fd");

    while (readdir(dir) != NULL) {
        n++;
    }

    (void) closedir(dir);

    printf("{\"event\":\"end\",\"rc\":\"ok\",\"descriptors\":%u}\n", n);
}


/* at each open, and when the source has changed */

static void
settle(void)
{
    print_open();

    ngx_vidcast_image_free(&image);

    if (ngx_vidcast_image_alloc(&image, in.width, in.height, 0) != NGX_OK) {
        abort();
    }
}


static ngx_int_t
grab_all(void)
{
    ngx_int_t  rc;

    settle();

    for ( ;; ) {

        if (ended) {
            return NGX_DONE;
        }

        picture.image = &image;

        rc = ngx_vidcast_input_v4l2.grab(&in, &picture);

        switch (rc) {

        case NGX_OK:
            print_frame();
            ngx_vidcast_input_v4l2.release(&in);
            break;

        case NGX_AGAIN:

            if (in.width != image.width || in.height != image.height) {
                settle();
            }

            break;

        case NGX_DECLINED:
            print_error("bad", rc);
            break;

        default:
            print_error("lost", rc);
            return rc;
        }
    }
}


/* as the capture process: tries again, and says a reason once */

static void
capture(void)
{
    u_char     last[NGX_VIDCAST_ERROR_LEN];
    ngx_int_t  rc;

    last[0] = '\0';

    while (!ended) {

        rc = ngx_vidcast_input_v4l2.open(&in);

        if (rc != NGX_OK) {

            if (ngx_strcmp(last, in.error) != 0) {
                print_error("open", rc);
                (void) ngx_cpystrn(last, in.error, sizeof(last));
            }

            (void) ngx_vidcast_clock_wait(ngx_vidcast_clock() + 200000);
            continue;
        }

        last[0] = '\0';

        (void) grab_all();

        ngx_vidcast_input_v4l2.close(&in);
    }

    print_end();
}


static int
configure(ngx_pool_t *pool, int argc, char **argv)
{
    int        i;
    u_char    *p;
    ngx_str_t  name, value;

    conf.module = &ngx_vidcast_input_v4l2;
    conf.params = ngx_vidcast_input_v4l2.create_params(pool);
    conf.uri.data = (u_char *) argv[1];
    conf.uri.len = strlen(argv[1]);
    conf.path.data = conf.uri.data + sizeof("v4l2:") - 1;
    conf.path.len = conf.uri.len - (sizeof("v4l2:") - 1);

    in.conf = &conf;
    in.log = &unit_log;

    for (i = 2; i < argc; i++) {
        p = (u_char *) strchr(argv[i], '=');

        if (p == NULL) {
            return 1;
        }

        name.data = (u_char *) argv[i];
        name.len = p - name.data;
        value.data = p + 1;
        value.len = strlen((char *) value.data);

        if (ngx_vidcast_input_v4l2.set(&conf, &name, &value) != NGX_OK) {
            return 1;
        }
    }

    return ngx_vidcast_input_v4l2.check(&conf, in.error) != NGX_OK;
}


static int
write_jpeg(const char *file, const char *dimensions, unsigned number)
{
    FILE                        *f;
    size_t                       size;
    u_char                      *data;
    uint32_t                     x, y;
    ngx_str_t                    text;
    ngx_vidcast_jpeg_encoder_t  *enc;

    text.data = (u_char *) dimensions;
    text.len = strlen(dimensions);

    if (ngx_vidcast_parse_size(&text, &x, &y) != NGX_OK
        || ngx_vidcast_image_alloc(&image, x, y, 0) != NGX_OK)
    {
        return 1;
    }

    for (y = 0; y < image.height; y++) {
        for (x = 0; x < image.width; x++) {
            image.plane[0][y * image.stride[0] + x] = x + y * number;
            image.plane[1][y / 2 * image.stride[1] + x / 2] = 60 + number;
            image.plane[2][y / 2 * image.stride[2] + x / 2] = y;
        }
    }

    size = image.width * image.height * 4;
    data = malloc(size);
    enc = ngx_vidcast_jpeg_encoder_create();
    f = fopen(file, "w");

    if (data == NULL || enc == NULL || f == NULL
        || ngx_vidcast_jpeg_encode(enc, &image, 75, data, &size) != NGX_OK
        || fwrite(data, 1, size, f) != size || fclose(f) != 0)
    {
        return 1;
    }

    ngx_vidcast_jpeg_encoder_destroy(enc);
    free(data);

    return 0;
}


static int
decode_jpeg(const char *file)
{
    FILE                        *f;
    size_t                       size;
    u_char                      *data, *luma;
    uint32_t                     y;
    ngx_vidcast_image_t          gray;
    ngx_vidcast_jpeg_decoder_t  *dec;

    data = malloc(MAX_JPEG);
    dec = ngx_vidcast_jpeg_decoder_create();
    f = fopen(file, "r");

    if (data == NULL || dec == NULL || f == NULL) {
        return 1;
    }

    size = fread(data, 1, MAX_JPEG, f);
    (void) fclose(f);

    if (ngx_vidcast_jpeg_decode_gray(dec, data, size, 0, &gray) != NGX_OK) {
        return 1;
    }

    luma = malloc(gray.width * gray.height);
    if (luma == NULL) {
        return 1;
    }

    for (y = 0; y < gray.height; y++) {
        ngx_memcpy(luma + y * gray.width,
                   gray.plane[0] + y * gray.stride[0], gray.width);
    }

    printf("{\"width\":%u,\"height\":%u", gray.width, gray.height);
    print_md5(luma, gray.width * gray.height);
    print_bars(&gray);
    printf("}\n");

    ngx_vidcast_jpeg_decoder_destroy(dec);
    free(luma);
    free(data);

    return 0;
}


int
main(int argc, char **argv)
{
    ngx_pool_t        *pool;
    struct sigaction   sa;

    if (argc == 1) {
        printf("1..0 # SKIP needs a camera: t/v4l2.t has one\n");
        return 0;
    }

    if (argc == 5 && strcmp(argv[1], "-w") == 0) {
        return write_jpeg(argv[2], argv[3], atoi(argv[4]));
    }

    if (argc == 3 && strcmp(argv[1], "-d") == 0) {
        return decode_jpeg(argv[2]);
    }

    ngx_memzero(&sa, sizeof(struct sigaction));
    sa.sa_handler = terminate;
    (void) sigaction(SIGTERM, &sa, NULL);

    (void) setvbuf(stdout, NULL, _IOLBF, 0);

    pool = ngx_create_pool(4096, &unit_log);

    if (strncmp(argv[1], "v4l2:", 5) != 0 || configure(pool, argc, argv)) {
        fprintf(stderr, "test_v4l2_grab: bad arguments\n");
        return 2;
    }

    capture();

    ngx_vidcast_image_free(&image);
    ngx_destroy_pool(pool);

    return 0;
}
