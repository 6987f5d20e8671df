
/*
 * Copyright (C) vidcast contributors
 */


/*
 * What the synthetic camera does not show: pictures that are missing, things
 * that leave, hide, stop within another one, jump, and come in hundreds.
 * Boxes here are what a detector would have said.
 */

#include "predict/motion/ngx_vidcast_tracker.c"

#include "unit.h"


#define FRAME  33333          /* us */


static ngx_vidcast_tracker_t  tracks;
static uint64_t              now;


static ngx_vidcast_tracks_box_t
box(double x, double y, double width, double height)
{
    ngx_vidcast_tracks_box_t  b;

    b.low[0] = x;
    b.low[1] = y;
    b.high[0] = x + width;
    b.high[1] = y + height;

    return b;
}


static void
start(void)
{
    ngx_memzero(&tracks, sizeof(ngx_vidcast_tracker_t));
    now = 1000000000;
}


static void
see(ngx_vidcast_tracks_box_t *boxes, ngx_uint_t n)
{
    now += FRAME;
    ngx_vidcast_tracker_update(&tracks, boxes, n, now);
}


/* the number of the first track seen in a box; 0: none */

static uint64_t
id(ngx_uint_t seen)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_VIDCAST_TRACKS_MAX; i++) {
        if (tracks.tracks[i].id && tracks.tracks[i].seen == seen) {
            return tracks.tracks[i].id;
        }
    }

    return 0;
}


static ngx_uint_t
count(void)
{
    ngx_uint_t  i, n;

    n = 0;

    for (i = 0; i < NGX_VIDCAST_TRACKS_MAX; i++) {
        n += (tracks.tracks[i].id != 0);
    }

    return n;
}


static ngx_vidcast_track_t *
by_id(uint64_t number)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_VIDCAST_TRACKS_MAX; i++) {
        if (tracks.tracks[i].id == number) {
            return &tracks.tracks[i];
        }
    }

    return NULL;
}


static void
test_gap(void)
{
    ngx_uint_t                i;
    ngx_vidcast_tracks_box_t  b;

    start();

    for (i = 0; i < 20; i++) {
        b = box(10 + 4 * i, 50, 20, 30);
        see(&b, 1);
    }

    unit_ok(id(0) == 1 && count() == 1, "one thing is one track");

    for ( /* void */ ; i < 35; i++) {
        see(NULL, 0);
    }

    unit_ok(id(0) == 0, "which is not seen where it is not");
    unit_ok(fabs(by_id(1)->box.low[0] - (10 + 4 * (i - 1))) < 4,
            "but supposed to go on as it went: %.1f", by_id(1)->box.low[0]);

    b = box(10 + 4 * i, 50, 20, 30);
    see(&b, 1);

    unit_ok(id(0) == 1 && count() == 1, "and found again after half a second");

    for (i = 0; i < 40; i++) {
        see(NULL, 0);
    }

    unit_ok(count() == 0, "after more than a second it has ended");

    see(&b, 1);

    unit_ok(id(0) == 2, "and what comes there then is another");
}


static void
test_slow(void)
{
    ngx_vidcast_tracks_box_t  b;

    start();

    b = box(10, 10, 20, 20);
    see(&b, 1);

    now += 2000000;
    see(NULL, 0);

    unit_ok(count() == 1, "one picture in two seconds is not enough to end");

    now += 2000000;
    see(&b, 1);

    unit_ok(id(0) == 1, "so that slow cameras have tracks, too");
}


static void
test_jump(void)
{
    ngx_vidcast_tracks_box_t  b;

    start();

    b = box(100, 100, 10, 10);
    see(&b, 1);

    b = box(115, 100, 10, 10);
    see(&b, 1);

    unit_ok(id(0) == 1, "what moves by more than its size is the same");

    b = box(250, 20, 10, 10);
    see(&b, 1);

    unit_ok(id(0) == 2, "what is far away is not");
}


/* two that cross, and are told as one box as long as they touch */

static void
test_cross(double speed, double size, double rise)
{
    double                     x[2], y[2], w[2];
    uint64_t                   first, second;
    ngx_uint_t                 i, merged, both, steps;
    ngx_vidcast_track_t       *a, *b;
    ngx_vidcast_tracks_box_t   boxes[2];

    start();

    merged = both = 0;
    first = second = 0;
    w[0] = 30;
    w[1] = size;
    steps = 260 / speed;

    for (i = 0; i < steps; i++) {
        x[0] = 10 + speed * i;
        x[1] = 280 - speed * i;
        y[0] = 100;
        y[1] = 90 + rise * i;

        boxes[0] = box(x[0], y[0], w[0], 30);
        boxes[1] = box(x[1], y[1], w[1], 45);

        if (ngx_vidcast_tracker_common(&boxes[0], &boxes[1]) > 0) {
            boxes[0] = box(ngx_min(x[0], x[1]), ngx_min(y[0], y[1]), 0, 0);
            boxes[0].high[0] = ngx_max(x[0] + w[0], x[1] + w[1]);
            boxes[0].high[1] = ngx_max(y[0] + 30, y[1] + 45);

            see(boxes, 1);

            a = by_id(first);
            b = by_id(second);

            merged++;
            both += (a && a->seen == 0 && b && b->seen == 0
                     && fabs(a->box.low[0] - x[0]) < 8
                     && fabs(b->box.low[0] - x[1]) < 8);
            continue;
        }

        see(boxes, 2);

        if (i == 5) {
            first = id(0);
            second = id(1);
        }
    }

    unit_ok(merged > 3, "two of %.0f and %.0f pixels are one box for %d "
            "pictures", w[0], size, (int) merged);
    unit_ok(both == merged, "both are known all the time where they are");
    unit_ok(id(0) == first && id(1) == second && first != second,
            "and are then what they were");
}


/* one goes away behind the other: it is not to cling to that for ever */

static void
test_hidden(void)
{
    double                    x;
    ngx_uint_t                i;
    ngx_vidcast_tracks_box_t  boxes[2];

    start();

    for (i = 0; i < 100; i++) {
        x = 10 + 3 * i;

        boxes[0] = box(x, 50, 60, 60);
        boxes[1] = box(200, 70, 20, 20);

        see(boxes, x + 60 < 200 ? 2 : 1);
    }

    unit_ok(count() == 1 && id(0) == 1, "what went away in another has ended");
}


static void
test_many(void)
{
    ngx_uint_t                i, seen;
    ngx_vidcast_tracks_box_t  boxes[300];

    start();

    for (i = 0; i < 300; i++) {
        boxes[i] = box(i % 20 * 40, i / 20 * 40, 10, 10);
    }

    see(boxes, 300);

    unit_ok(count() == NGX_VIDCAST_TRACKS_MAX, "there are at most %d",
            NGX_VIDCAST_TRACKS_MAX);
    unit_ok(tracks.ids == NGX_VIDCAST_TRACKS_MAX, "others get no number");

    see(boxes + 100, 10);

    for (i = 0, seen = 0; i < 10; i++) {
        seen += (id(i) != 0);
    }

    unit_ok(seen == 10, "new ones take the places of those which are missed");
}


/* noise of every kind: only the bounds are of interest, and the sanitizers */

static void
test_noise(void)
{
    uint64_t                  last;
    ngx_uint_t                i, j, n, wrong;
    ngx_vidcast_track_t      *t;
    ngx_vidcast_tracks_box_t  boxes[NGX_VIDCAST_TRACKS_MAX];

    start();
    srandom(7);

    wrong = 0;
    last = 0;

    for (i = 0; i < 3000; i++) {
        n = random() % (NGX_VIDCAST_TRACKS_MAX + 1);

        for (j = 0; j < n; j++) {
            boxes[j] = box(random() % 320, random() % 240,
                           1 + random() % 200, 1 + random() % 200);
        }

        now += random() % 3 ? random() % 100000 : 0;
        ngx_vidcast_tracker_update(&tracks, boxes, n, now);

        wrong += (tracks.ids < last);
        last = tracks.ids;

        for (j = 0; j < NGX_VIDCAST_TRACKS_MAX; j++) {
            t = &tracks.tracks[j];

            wrong += (t->id && t->seen != NGX_VIDCAST_TRACKS_NONE
                      && (t->seen >= n
                          || t->box.low[0] < boxes[t->seen].low[0]
                          || t->box.high[0] > boxes[t->seen].high[0]
                          || t->box.low[1] < boxes[t->seen].low[1]
                          || t->box.high[1] > boxes[t->seen].high[1]
                          || !(t->box.low[0] < t->box.high[0])
                          || !(t->box.low[1] < t->box.high[1])));
        }
    }

    unit_ok(wrong == 0, "tracks are within the boxes that they are seen in");

    last = tracks.ids;

    ngx_vidcast_tracker_forget(&tracks);
    see(boxes, 1);

    unit_ok(count() == 1 && id(0) == last + 1, "numbers are not given again");
}


int
main(void)
{
    test_gap();
    test_slow();
    test_jump();
    test_cross(3, 30, 0);
    test_cross(3, 60, 0.2);
    test_cross(1.5, 15, 0.1);
    test_cross(6, 20, -0.5);
    test_hidden();
    test_many();
    test_noise();

    return unit_done();
}
