
/*
 * Copyright (C) vidcast contributors
 */


/*
 * A number on a box is of use only if it stays with the thing that it was
 * given to, above all when things cross and are one component for a while.  The
 * synthetic camera knows which shape is where in each frame, so that is
 * measured here with the whole of the motion predictor.
 *
 * The rule: a shape keeps its identity in a frame when the box which overlaps
 * it best, with an IoU of 0.5 or more, bears the number of the box which was
 * the first one of that shape.  No box, another number, or one that another
 * shape had before, all are a loss; so is everything after two have swapped.
 */

#include "unit_motion.h"


#define MAX_SHAPES  8


typedef struct {
    ngx_uint_t                   frames;
    ngx_uint_t                   places;     /* shapes times frames */
    ngx_uint_t                   kept;
    ngx_uint_t                   crossing;   /* frames with some */
    ngx_uint_t                   met;        /* places which cross */
    ngx_uint_t                   held;       /* and keep it */
    ngx_uint_t                   ids;
} tally_t;


typedef struct {
    ngx_uint_t                   width;
    ngx_uint_t                   height;
    ngx_uint_t                   shapes;
    ngx_uint_t                   noise;
    ngx_uint_t                   step;       /* every so many-th frame */
    uint64_t                     first;
    ngx_uint_t                   frames;
} scenario_t;


static ngx_uint_t
touch(ngx_vidcast_test_pattern_box_t *a, ngx_vidcast_test_pattern_box_t *b)
{
    return a->x < b->x + b->width && b->x < a->x + a->width
           && a->y < b->y + b->height && b->y < a->y + a->height;
}


/* the answer that is this shape, and nearer to it than to any other */

static answer_t *
best(rig_t *rig, ngx_vidcast_test_pattern_box_t *box)
{
    double      v, most;
    answer_t   *found;
    ngx_uint_t  i;

    most = 0.5;
    found = NULL;

    for (i = 0; i < rig->nanswers; i++) {
        v = iou(&rig->answers[i], box);

        if (v >= most) {
            most = v;
            found = &rig->answers[i];
        }
    }

    return found;
}


/* numbers a tracker would give that only counts the boxes of each answer */

static void
renumber(rig_t *rig)
{
    ngx_uint_t  i;

    for (i = 0; i < rig->nanswers; i++) {
        rig->answers[i].id = i + 1;
    }
}


static void
judge(rig_t *rig, ngx_vidcast_test_pattern_box_t *boxes, ngx_uint_t shapes,
    ngx_uint_t *owner, tally_t *t)
{
    answer_t    *a;
    ngx_uint_t   i, j, crosses, any;

    any = 0;

    for (i = 0; i < shapes; i++) {
        crosses = 0;

        for (j = 0; j < shapes; j++) {
            crosses |= (i != j && touch(&boxes[i], &boxes[j]));
        }

        a = best(rig, &boxes[i]);

        if (a && owner[i] == 0) {
            owner[i] = a->id;

            for (j = 0; j < shapes; j++) {
                if (j != i && owner[j] == a->id) {
                    owner[i] = 0;
                }
            }
        }

        t->places++;
        t->met += crosses;

        if (a && a->id == owner[i]) {
            t->kept++;
            t->held += crosses;
        }

        any |= crosses;
    }

    t->frames++;
    t->crossing += any;

    for (i = 0; i < rig->nanswers; i++) {
        t->ids = ngx_max(t->ids, rig->answers[i].id);
    }
}


static void
measure(scenario_t *s, ngx_uint_t blind, tally_t *t)
{
    rig_t                            rig;
    uint64_t                         number;
    ngx_str_t                        text = ngx_null_string;
    ngx_uint_t                       i, learning, owner[MAX_SHAPES];
    ngx_vidcast_test_pattern_t      *tp;
    ngx_vidcast_test_pattern_box_t   boxes[MAX_SHAPES];

    ngx_memzero(t, sizeof(tally_t));
    ngx_memzero(owner, sizeof(owner));

    rig_open(&rig, s->width, s->height);

    tp = ngx_vidcast_test_pattern_create(s->width, s->height, s->shapes,
                                         s->noise);

    learning = LEARNING / s->step;

    for (i = 0; i < learning + s->frames; i++) {
        number = s->first + i * s->step;

        ngx_vidcast_test_pattern_render(tp, number, &text, &rig.frame);

        rig.number = number;

        if (rig_frame(&rig) < 0) {
            break;
        }

        if (blind) {
            renumber(&rig);
        }

        if (i < learning) {
            continue;
        }

        ngx_vidcast_test_pattern_boxes(number, s->width, s->height, s->shapes,
                                       boxes);

        judge(&rig, boxes, s->shapes, owner, t);
    }

    ngx_vidcast_test_pattern_destroy(tp);
    rig_close(&rig);
}


static double
part(ngx_uint_t n, ngx_uint_t all)
{
    return all ? (double) n / all : 0;
}


static void
print(scenario_t *s, tally_t *t)
{
    printf("# %dx%d %d shapes noise %d, %d frames from %d, 1 of %d: kept "
           "%.4f, crossing (%d frames) %.4f, %d numbers given\n",
           (int) s->width, (int) s->height, (int) s->shapes, (int) s->noise,
           (int) t->frames, (int) s->first, (int) s->step,
           part(t->kept, t->places), (int) t->crossing,
           part(t->held, t->met), (int) t->ids);
}


int
main(void)
{
    tally_t     t;
    ngx_uint_t  i;

    static scenario_t  scenarios[] = {
        { 640, 480, 3, 2, 1, 0, 1200 },
        { 640, 480, 3, 2, 1, 137, 1200 },
        { 640, 480, 3, 2, 1, 500, 1200 },
        { 640, 480, 3, 2, 1, 777, 1200 },
        { 640, 480, 3, 2, 1, 1001, 1200 },
        { 640, 480, 3, 10, 1, 3000, 1200 },
        { 1280, 720, 3, 2, 1, 0, 1200 },
        { 640, 480, 3, 2, 2, 0, 1000 },
    };

    pool = ngx_create_pool(4096, ngx_cycle->log);

    for (i = 0; i < sizeof(scenarios) / sizeof(scenario_t); i++) {
        measure(&scenarios[i], 0, &t);
        print(&scenarios[i], &t);

        unit_ok(t.frames == scenarios[i].frames, "all frames were judged");
        unit_ok(t.crossing > 0, "shapes cross");
        unit_ok(part(t.kept, t.places) >= 0.95, "identity is kept");
        unit_ok(part(t.held, t.met) >= 0.95, "where they cross as well");
    }

    measure(&scenarios[0], 1, &t);
    print(&scenarios[0], &t);

    unit_ok(part(t.held, t.met) < 0.8, "by counting boxes it is not");

    ngx_destroy_pool(pool);

    return unit_done();
}
