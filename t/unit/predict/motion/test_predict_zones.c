
/*
 * Copyright (C) vidcast contributors
 */


/*
 * Zones and emit=change make alarms out of boxes: one that does not come is a
 * burglar, and one that comes without a reason is turned off.  The synthetic
 * camera tells what is in which zone, and when that changes.
 */

#include "unit_motion.h"


#define FRAMES  1200
#define SHAPES  3
#define HOLD    NGX_VIDCAST_PREDICT_MOTION_HOLD


static const char  *zones[] = {
    "left:0,0,0.4,0,0.4,1,0,1",
    "low:0,0.6,1,0.6,1,1,0,1",
    "wedge:0.5,0,1,0,1,0.9",
    NULL
};


static ngx_vidcast_test_pattern_t *
open_rig(rig_t *rig, const char *emit, const char *outside)
{
    ngx_uint_t  i, ok;

    rig_open(rig, 640, 480);

    ok = rig_set(rig, "emit", emit) == NGX_OK
         && rig_set(rig, "outside", outside) == NGX_OK;

    for (i = 0; zones[i]; i++) {
        ok = ok && rig_set(rig, "zone", zones[i]) == NGX_OK;
    }

    unit_ok(ok, "emit=%s outside=%s", emit, outside);

    return ngx_vidcast_test_pattern_create(640, 480, SHAPES, 2);
}


static void
next(rig_t *rig, ngx_vidcast_test_pattern_t *tp)
{
    ngx_str_t  none = ngx_null_string;

    ngx_vidcast_test_pattern_render(tp, rig->number, &none, &rig->frame);

    if (rig_frame(rig) < 0) {
        rig->nanswers = 0;
    }
}


/* the zones of a box by the rule of the documents, shifted by some pixels */

static void
truth(ngx_vidcast_test_pattern_box_t *box, int dx, int dy, char *text)
{
    double  x, y;

    x = (box->x + box->width / 2.0 + dx) / 640;
    y = (box->y + box->height - 0.5 + dy) / 480;

    text[0] = '\0';

    if (x < 0.4) {
        strcat(text, "\"left\",");
    }

    if (y >= 0.6) {
        strcat(text, "\"low\",");
    }

    if (x >= 0.5 && y < (x - 0.5) * 1.8) {
        strcat(text, "\"wedge\",");
    }

    if (*text) {
        text[strlen(text) - 1] = '\0';
    }
}


/* too near to a border, now or lately, for the two to agree */

static ngx_uint_t
doubtful(uint64_t number, ngx_uint_t shape, char *text)
{
    int                             i, dx, dy;
    char                            other[128];
    ngx_vidcast_test_pattern_box_t  boxes[SHAPES];

    for (i = 0; i < HOLD; i++) {
        ngx_vidcast_test_pattern_boxes(number - i, 640, 480, SHAPES, boxes);

        for (dx = -4; dx <= 4; dx += 4) {
            for (dy = -4; dy <= 4; dy += 4) {
                truth(&boxes[shape], dx, dy, other);

                if (strcmp(text, other) != 0) {
                    return 1;
                }
            }
        }
    }

    return 0;
}


static void
test_zones(void)
{
    char                             text[128];
    rig_t                            rig;
    ngx_uint_t                       i, j, k, right, wrong, doubts, outside;
    ngx_vidcast_test_pattern_t      *tp;
    ngx_vidcast_test_pattern_box_t   boxes[SHAPES];

    tp = open_rig(&rig, "always", "on");
    right = wrong = doubts = outside = 0;

    for (i = 0; i < LEARNING + FRAMES; i++) {
        next(&rig, tp);
        ngx_vidcast_test_pattern_boxes(i, 640, 480, SHAPES, boxes);

        for (j = 0; i >= LEARNING && j < rig.nanswers; j++) {
            for (k = 0; k < SHAPES; k++) {

                if (iou(&rig.answers[j], &boxes[k]) < 0.9) {
                    continue;
                }

                truth(&boxes[k], 0, 0, text);

                if (doubtful(i, k, text)) {
                    doubts++;

                } else if (strcmp(text, rig.answers[j].zones) == 0) {
                    right++;
                    outside += (*text == '\0');

                } else {
                    wrong++;
                }
            }
        }
    }

    ngx_vidcast_test_pattern_destroy(tp);
    rig_close(&rig);

    unit_ok(right > FRAMES && wrong == 0, "%d boxes are in their zones, %d not"
            ", %d are near a border", (int) right, (int) wrong, (int) doubts);
    unit_ok(outside > 0, "%d are in none, and told", (int) outside);
}


static void
test_outside(void)
{
    rig_t                        rig;
    ngx_uint_t                   i, j, n, none;
    ngx_vidcast_test_pattern_t  *tp;

    tp = open_rig(&rig, "always", "off");
    n = none = 0;

    for (i = 0; i < LEARNING + FRAMES; i++) {
        next(&rig, tp);

        for (j = 0; j < rig.nanswers; j++) {
            n++;
            none += (rig.answers[j].zones[0] == '\0');
        }
    }

    ngx_vidcast_test_pattern_destroy(tp);
    rig_close(&rig);

    unit_ok(n > FRAMES && none == 0, "none of %d is outside", (int) n);
}


/* numbers and zones of an answer, in an order of their own */

static void
summary(rig_t *rig, char *text)
{
    ngx_uint_t  i, id, last;

    *text = '\0';
    last = 0;

    for ( ;; ) {
        id = (ngx_uint_t) -1;

        for (i = 0; i < rig->nanswers; i++) {
            if (rig->answers[i].id > last && rig->answers[i].id < id) {
                id = rig->answers[i].id;
            }
        }

        for (i = 0; i < rig->nanswers; i++) {
            if (rig->answers[i].id == id) {
                text += sprintf(text, "%d %s;", (int) id,
                                rig->answers[i].zones);
            }
        }

        if (id == (ngx_uint_t) -1) {
            break;
        }

        last = id;
    }
}


static void
test_change(void)
{
    char                         text[MAX * 160], told[MAX * 160];
    rig_t                        rig;
    ngx_uint_t                   i, news, wrong;
    ngx_vidcast_test_pattern_t  *tp;

    tp = open_rig(&rig, "change", "on");
    news = wrong = 0;
    strcpy(told, "nothing");

    for (i = 0; i < LEARNING + FRAMES; i++) {
        next(&rig, tp);
        summary(&rig, text);

        wrong += (rig.news != (strcmp(text, told) != 0));

        if (rig.news) {
            news++;
            strcpy(told, text);
        }
    }

    ngx_vidcast_test_pattern_destroy(tp);
    rig_close(&rig);

    unit_ok(news > 10 && news < 100 && wrong == 0,
            "%d answers of %d are news, each one where numbers or zones change"
            ", and no other", (int) news, (int) i);
}


/* a square of 20 pixels on plain ground */

static void
square(rig_t *rig, ngx_uint_t x, ngx_uint_t light)
{
    uint32_t              y;
    ngx_vidcast_image_t  *image;

    image = &rig->small;

    for (y = 0; y < image->height; y++) {
        ngx_memset(image->plane[0] + y * image->stride[0], 90, image->width);

        if (light && y >= 100 && y < 120) {
            ngx_memset(image->plane[0] + y * image->stride[0] + x, light, 20);
        }
    }

    (void) rig_predict(rig, image);
}


/* one that comes, is lost for a while, and goes: a result each, no more */

static void
test_coming(void)
{
    rig_t       rig;
    ngx_uint_t  i, came, while_gone, gone, blinks, first;

    rig_open(&rig, 320, 240);
    (void) rig_set(&rig, "emit", "change");

    first = blinks = came = while_gone = gone = 0;

    for (i = 0; i < 90; i++) {
        square(&rig, 0, 0);
        first += rig.news;
    }

    for (i = 0; i < 10; i++) {
        square(&rig, 30 * i, i % 5 == 0 ? 200 : 0);
        blinks += rig.news;
    }

    for (i = 0; i < 40; i++) {
        square(&rig, 0, 0);
        blinks += rig.news;
    }

    for (i = 0; i < 60; i++) {
        square(&rig, 10 + 4 * i, i % 10 < 8 ? 200 : 0);
        came += rig.news;
        while_gone += (i >= HOLD && rig.nanswers != 1);
    }

    for (i = 0; i < 60; i++) {
        square(&rig, 0, 0);
        gone += rig.news;
    }

    rig_close(&rig);

    unit_ok(first == 1, "an empty picture is told once");
    unit_ok(blinks == 0, "what flashes is not");
    unit_ok(came == 1 && while_gone == 0, "what comes is told once, though "
            "not seen in each picture");
    unit_ok(gone == 1 && rig.nanswers == 0, "and once more when gone");
}


int
main(void)
{
    pool = ngx_create_pool(4096, ngx_cycle->log);

    test_zones();
    test_outside();
    test_change();
    test_coming();

    ngx_destroy_pool(pool);

    return unit_done();
}
