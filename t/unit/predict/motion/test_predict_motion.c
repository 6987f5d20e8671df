
/*
 * Copyright (C) vidcast contributors
 */


/*
 * Boxes drawn over a picture are believed, so they have to be right.  The
 * motion predictor is held against the true boxes of the synthetic camera,
 * fed the way pictures go in production.
 *
 * The rule: a true box is found when an answer overlaps it with an IoU of 0.5
 * or more; each answer counts for one true box only.  Nothing is made easier
 * where shapes cross and melt into one component: then boxes count as missed.
 */

#include "unit_motion.h"


#define FRAMES  1000
#define SHAPES  3


typedef struct {
    double                       iou;
    double                       precision;
    double                       recall;
} quality_t;


static void
render(ngx_vidcast_test_pattern_t *tp, uint64_t n, ngx_vidcast_image_t *frame)
{
    u_char     buf[64];
    ngx_str_t  text;

    /* the clock changes as it does in production */

    text.data = buf;
    text.len = ngx_sprintf(buf, "#%06uL  %02uL:%02uL:%02uL.%03uL", n,
                           n / 108000, n / 1800 % 60, n / 30 % 60,
                           n % 30 * 1000 / 30)
               - buf;

    ngx_vidcast_test_pattern_render(tp, n, &text, frame);
}


/* pairs up the best overlap first; returns how many boxes are found */

static ngx_uint_t
match(rig_t *rig, ngx_vidcast_test_pattern_box_t *boxes, double *sum)
{
    char        used[MAX], found[SHAPES];
    double      best, v;
    ngx_uint_t  i, j, bi, bj, n;

    ngx_memzero(used, sizeof(used));
    ngx_memzero(found, sizeof(found));

    for (n = 0; /* void */ ; n++) {
        best = 0;
        bi = bj = 0;

        for (i = 0; i < SHAPES; i++) {
            for (j = 0; j < rig->nanswers; j++) {
                v = iou(&rig->answers[j], &boxes[i]);

                if (v > best && !used[j] && !found[i]) {
                    best = v;
                    bi = i;
                    bj = j;
                }
            }
        }

        if (best < 0.5) {
            return n;
        }

        found[bi] = 1;
        used[bj] = 1;
        *sum += best;
    }
}


static ngx_int_t
transcode(ngx_vidcast_jpeg_encoder_t *enc, ngx_vidcast_jpeg_decoder_t *dec,
    rig_t *rig, ngx_vidcast_image_t *image)
{
    size_t         size;
    static u_char  jpeg[4 * 1024 * 1024];

    size = sizeof(jpeg);

    if (ngx_vidcast_jpeg_encode(enc, &rig->frame, 80, jpeg, &size) != NGX_OK
        || ngx_vidcast_jpeg_decode_gray(dec, jpeg, size, rig->small.width,
                                        image)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
measure(rig_t *rig, ngx_uint_t noise, uint64_t first, ngx_uint_t jpeg,
    quality_t *q)
{
    double                           sum;
    ngx_int_t                        n;
    ngx_uint_t                       i, found, answered;
    ngx_vidcast_image_t              image;
    ngx_vidcast_test_pattern_t      *tp;
    ngx_vidcast_test_pattern_box_t   boxes[SHAPES];
    ngx_vidcast_jpeg_encoder_t      *enc;
    ngx_vidcast_jpeg_decoder_t      *dec;

    sum = 0;
    found = 0;
    answered = 0;

    enc = ngx_vidcast_jpeg_encoder_create();
    dec = ngx_vidcast_jpeg_decoder_create();
    tp = ngx_vidcast_test_pattern_create(rig->width, rig->height, SHAPES,
                                         noise);

    for (i = 0; i < LEARNING + FRAMES; i++) {
        render(tp, first + i, &rig->frame);

        if (!jpeg) {
            n = rig_frame(rig);

        } else if (transcode(enc, dec, rig, &image) == NGX_OK) {
            n = rig_predict(rig, &image);

        } else {
            n = -1;
        }

        if (n < 0) {
            break;
        }

        if (i < LEARNING) {
            continue;
        }

        ngx_vidcast_test_pattern_boxes(first + i, rig->width, rig->height,
                                       SHAPES, boxes);

        found += match(rig, boxes, &sum);
        answered += n;
    }

    ngx_vidcast_test_pattern_destroy(tp);
    ngx_vidcast_jpeg_encoder_destroy(enc);
    ngx_vidcast_jpeg_decoder_destroy(dec);

    q->iou = found ? sum / found : 0;
    q->precision = answered ? (double) found / answered : 0;
    q->recall = (double) found / (FRAMES * SHAPES);
}


static void
test_quality(uint32_t width, uint32_t height, ngx_uint_t noise,
    uint64_t first, ngx_uint_t jpeg)
{
    rig_t      rig;
    quality_t  q;

    rig_open(&rig, width, height);

    measure(&rig, noise, first, jpeg, &q);

    rig_close(&rig);

    printf("# %dx%d noise %d from frame %d%s: IoU %.3f precision %.3f "
           "recall %.3f\n", width, height, (int) noise, (int) first,
           jpeg ? " by JPEG" : "", q.iou, q.precision, q.recall);

    if (!jpeg) {
        printf("# CPU: %.3f ms a frame\n", rig.cpu / (LEARNING + FRAMES));
    }

    unit_ok(q.iou >= 0.6, "mean IoU");
    unit_ok(q.precision >= 0.9, "precision");
    unit_ok(q.recall >= 0.9, "recall");
}


/* the clock of the synthetic camera: thin, and never the same */

static void
test_text(uint32_t width, uint32_t height)
{
    rig_t                        rig;
    ngx_uint_t                   i, wrong;
    ngx_vidcast_test_pattern_t  *tp;

    rig_open(&rig, width, height);

    tp = ngx_vidcast_test_pattern_create(width, height, 0, 2);

    wrong = 0;

    for (i = 0; i < 600; i++) {
        render(tp, 107700 + i, &rig.frame);
        wrong += (rig_frame(&rig) != 0);
    }

    unit_ok(wrong == 0, "digits at %dx%d make no box", width, height);

    ngx_vidcast_test_pattern_destroy(tp);
    rig_close(&rig);
}


int
main(void)
{
    pool = ngx_create_pool(4096, ngx_cycle->log);

    test_quality(640, 480, 2, 0, 0);
    test_quality(640, 480, 2, 500, 0);
    test_quality(640, 480, 10, 3000, 0);
    test_quality(640, 480, 2, 0, 1);
    test_quality(1280, 720, 2, 0, 0);
    test_quality(641, 479, 2, 0, 0);

    test_text(640, 480);
    test_text(320, 240);
    test_text(600, 400);
    test_text(1279, 721);

    ngx_destroy_pool(pool);

    return unit_done();
}
