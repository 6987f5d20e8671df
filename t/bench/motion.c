
/*
 * Copyright (C) vidcast contributors
 */


/*
 *     motion WIDTH HEIGHT FPS < pictures
 *
 * The motion predictor alone: gray pictures in, a line of JSON out for each,
 * and a last line with CPU milliseconds a picture.
 */

#include <ngx_config.h>
#include <ngx_core.h>

#include "unit_predict.h"


int
main(int argc, char *argv[])
{
    double                       ms;
    size_t                       size, got;
    ngx_str_t                    name = ngx_string("motion");
    ngx_uint_t                   n, fps;
    ngx_pool_t                  *pool;
    struct timespec              start, end;
    ngx_vidcast_image_t          image;
    ngx_vidcast_sample_t         sample;
    ngx_vidcast_predict_t        predict;
    ngx_vidcast_predict_conf_t   conf;
    u_char                       json[8193];

    if (argc != 4) {
        fprintf(stderr, "usage: %s WIDTH HEIGHT FPS\n", argv[0]);
        return 2;
    }

    ngx_memzero(&conf, sizeof(conf));
    ngx_memzero(&predict, sizeof(predict));
    ngx_memzero(&sample, sizeof(sample));

    pool = ngx_create_pool(4096, ngx_cycle->log);

    sample.width = atoi(argv[1]);
    sample.height = atoi(argv[2]);
    sample.image = &image;
    fps = atoi(argv[3]);

    conf.module = ngx_vidcast_predict_find(&name);
    conf.params = conf.module->create_params(pool);
    predict.conf = &conf;
    predict.log = ngx_cycle->log;

    if (ngx_vidcast_image_alloc(&image, sample.width, sample.height, 1)
        != NGX_OK
        || conf.module->open(&predict) != NGX_OK)
    {
        return 1;
    }

    ms = 0;

    for (n = 0; /* void */ ; n++) {
        for (got = 0; got < sample.height; got++) {
            if (fread(image.plane[0] + got * image.stride[0], sample.width, 1,
                      stdin)
                != 1)
            {
                break;
            }
        }

        if (got < sample.height) {
            break;
        }

        sample.number = n + 1;
        sample.time = (uint64_t) n * 1000000 / fps;
        size = 8192;

        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);

        if (conf.module->predict(&predict, &sample, json, &size) != NGX_OK) {
            return 1;
        }

        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);

        ms += (end.tv_sec - start.tv_sec) * 1e3
              + (end.tv_nsec - start.tv_nsec) / 1e6;

        printf("%.*s\n", (int) size, json);
    }

    printf("{\"ms\":%.4f}\n", n ? ms / n : 0);

    return 0;
}
