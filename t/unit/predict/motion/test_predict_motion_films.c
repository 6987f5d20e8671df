
/*
 * Copyright (C) vidcast contributors
 */


/*
 * What a camera sees is no flat wall with a shape before it.  Films of the
 * kinds that the bench has, in small: things without texture before a wall
 * with some and the other way round, leaves in the wind, switched light, much
 * noise, a crowd.  And what must not be seen for long: the place of a thing
 * that was there at the start, or that a film which is played in a loop takes
 * away.
 */

#include "unit_motion.h"


#define FIRST   100       /* frame that is judged */
#define THINGS  4


typedef struct {
    int                              x;          /* at first */
    int                              y;
    int                              width;
    int                              height;
    double                           speed;      /* pixels a frame */
    int                              level;      /* -1: textured */
} thing_t;


typedef struct {
    const char                      *name;
    uint32_t                         width;
    uint32_t                         height;
    ngx_uint_t                       frames;
    ngx_uint_t                       loop;       /* frames, or 0 */
    int                              block;      /* of the wall; 0: flat */
    double                           noise;
    ngx_uint_t                       sway;       /* upper third */
    ngx_uint_t                       light;      /* frames between switches */
    thing_t                          things[THINGS];
    double                           least;      /* F1 */
} film_t;


static film_t  films[] = {

    { "a flat dark thing before a wall of blocks", 320, 240, 260, 0, 16, 4,
      0, 0, { { 10, 100, 60, 90, 1.9, 20 } }, 0.97 },

    { "textured things before a flat wall", 320, 240, 260, 0, 0, 3,
      0, 0, { { -60, 20, 30, 50, 1.5, -1 }, { 300, 100, 40, 40, -1, -1 } },
      0.97 },

    { "things before leaves in the wind", 320, 240, 360, 0, 0, 3,
      1, 0, { { -160, 10, 30, 50, 1, 230 }, { 280, 140, 30, 60, -0.7, 20 } },
      0.9 },

    { "things in switched light", 320, 240, 260, 0, 12, 3,
      0, 50, { { -100, 20, 30, 50, 1, 20 }, { 280, 140, 30, 60, -0.7, 230 } },
      0.97 },

    { "things in noise", 320, 240, 260, 0, 12, 14,
      0, 0, { { -100, 20, 30, 50, 1, -1 }, { 280, 140, 30, 60, -0.7, -1 } },
      0.95 },

    { "a crowd", 320, 240, 260, 0, 12, 3,
      0, 0, { { -100, 10, 14, 30, 1, 20 }, { -150, 60, 14, 30, 1.5, -1 },
              { 320, 120, 14, 30, -1, 230 }, { 420, 180, 14, 30, -1.2, -1 } },
      0.95 }
};


static int
tile(int x, int y, int block, uint32_t seed)
{
    return ngx_vidcast_test_background_hash((x + 4096) / block,
                                            (y + 4096) / block, seed)
           % 1000;
}


static ngx_uint_t
place(film_t *film, thing_t *thing, ngx_uint_t n,
    ngx_vidcast_test_pattern_box_t *box)
{
    int  x, right;

    x = (int) floor(thing->x + thing->speed * n);
    right = ngx_min(x + thing->width, (int) film->width);

    box->x = ngx_max(x, 0);
    box->y = thing->y;
    box->width = ngx_max(right - (int) box->x, 0);
    box->height = thing->height;

    return thing->width && right > (int) box->x
           && box->width * box->height * 1000 > film->width * film->height;
}


/* of the wall, or of what is before it */

static int
level(film_t *film, int x, int y, ngx_uint_t n)
{
    int         left;
    thing_t    *thing;
    ngx_uint_t  i;

    for (i = 0; i < THINGS; i++) {
        thing = &film->things[i];
        left = (int) floor(thing->x + thing->speed * n);

        if (x >= left && x < left + thing->width
            && y >= thing->y && y < thing->y + thing->height)
        {
            return thing->level >= 0
                   ? thing->level
                   : 20 + 210 * tile(x - left, y - thing->y, 4, 7 + i) / 1000;
        }
    }

    if (film->sway && y < (int) film->height / 3) {
        left = lround(3 * sin(n * 0.25 + x / 40));

        return 40 + 120 * tile(x + left, y, 5, 3) / 1000;
    }

    return film->block ? 60 + 130 * tile(x, y, film->block, 1) / 1000 : 125;
}


static void
paint(film_t *film, rig_t *rig, ngx_uint_t n)
{
    double              v, gain;
    u_char             *p;
    uint32_t            x, y, hash;
    static const double gains[] = { 1, 0.6, 1.2, 0.8 };

    gain = film->light ? gains[n / film->light % 4] : 1;

    for (y = 0; y < rig->height; y++) {
        p = rig->frame.plane[0] + (size_t) y * rig->frame.stride[0];

        for (x = 0; x < rig->width; x++) {
            hash = ngx_vidcast_test_background_hash(x, y, rig->number + 1);

            v = (double) ((hash & 0xff) + (hash >> 8 & 0xff)
                          + (hash >> 16 & 0xff) + (hash >> 24)) - 510;

            v = v / 147.8 * film->noise + gain * level(film, x, y, n) + 0.5;

            p[x] = ngx_max(0, ngx_min(v, 255));
        }
    }
}


/* how many of the boxes have an answer of their own */

static ngx_uint_t
match(rig_t *rig, ngx_vidcast_test_pattern_box_t *boxes, ngx_uint_t n)
{
    char        used[MAX];
    ngx_uint_t  i, j, found;

    ngx_memzero(used, sizeof(used));
    found = 0;

    for (i = 0; i < n; i++) {
        for (j = 0; j < rig->nanswers; j++) {
            if (!used[j] && iou(&rig->answers[j], &boxes[i]) >= 0.3) {
                used[j] = 1;
                found++;
                break;
            }
        }
    }

    return found;
}


static void
test_film(film_t *film)
{
    rig_t                           rig;
    double                          f1;
    ngx_uint_t                      i, n, k, found, answered, known;
    ngx_vidcast_test_pattern_box_t  boxes[THINGS];

    rig_open(&rig, film->width, film->height);

    found = answered = known = 0;

    for (n = 0; n < film->frames; n++) {
        paint(film, &rig, n);

        if (rig_frame(&rig) < 0) {
            break;
        }

        if (n < FIRST) {
            continue;
        }

        for (i = 0, k = 0; i < THINGS; i++) {
            k += place(film, &film->things[i], n, &boxes[k]);
        }

        known += k;
        answered += rig.nanswers;
        found += match(&rig, boxes, k);
    }

    f1 = 2.0 * found / (answered + known);

    printf("# %s: precision %.3f recall %.3f F1 %.3f\n", film->name,
           answered ? (double) found / answered : 0, (double) found / known,
           f1);

    unit_ok(n == film->frames && f1 >= film->least, "%s", film->name);

    rig_close(&rig);
}


/* the longest time without a gap that there are boxes where nothing is */

static ngx_uint_t
ghosts(film_t *film)
{
    rig_t                           rig;
    ngx_uint_t                      i, j, k, n, at, wrong, run, longest;
    ngx_vidcast_test_pattern_box_t  boxes[THINGS];

    rig_open(&rig, film->width, film->height);

    run = longest = 0;

    for (n = 0; n < film->frames; n++) {
        at = film->loop ? n % film->loop : n;

        paint(film, &rig, at);

        if (rig_frame(&rig) < 0) {
            longest = film->frames;
            break;
        }

        for (i = 0, k = 0; i < THINGS; i++) {
            k += place(film, &film->things[i], at, &boxes[k]);
        }

        wrong = 0;

        for (j = 0; j < rig.nanswers; j++) {
            for (i = 0; i < k; i++) {
                if (iou(&rig.answers[j], &boxes[i]) > 0) {
                    break;
                }
            }

            wrong += (i == k);
        }

        run = wrong ? run + 1 : 0;
        longest = ngx_max(longest, run);
    }

    rig_close(&rig);

    return longest;
}


static void
test_ghosts(void)
{
    ngx_uint_t  i, n, block, textured, longest;

    film_t      film = { .width = 320, .height = 240, .noise = 3,
                         .frames = 300 };

    for (i = 0; i < 4; i++) {
        block = i & 1;
        textured = i & 2;

        film.block = block ? 12 : 0;

        /* it is there at the start, and leaves slowly */

        film.loop = 0;
        film.things[0] = (thing_t) { 100, 100, 40, 60, 0.8,
                                     textured ? -1 : 20 };
        longest = ghosts(&film);

        /* it is there again each time, and has gone far by then */

        film.loop = 150;
        film.things[0].speed = 1.2;

        n = ghosts(&film);

        printf("# boxes of nothing for %d and %d frames\n", (int) longest,
               (int) n);

        unit_ok(longest <= 60 && n <= 60, "a %s thing leaves no ghost before "
                "a %s wall", textured ? "textured" : "flat",
                block ? "textured" : "flat");
    }
}


int
main(void)
{
    ngx_uint_t  i;

    pool = ngx_create_pool(4096, ngx_cycle->log);

    for (i = 0; i < sizeof(films) / sizeof(films[0]); i++) {
        test_film(&films[i]);
    }

    test_ghosts();

    ngx_destroy_pool(pool);

    return unit_done();
}
