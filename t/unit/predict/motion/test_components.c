
/*
 * Copyright (C) vidcast contributors
 */


/*
 * Regions are found in words of 64 pixels, run by run.  Here they are found
 * again, pixel by pixel with a flood fill, in thousands of small pictures
 * whose widths lie around the borders of words.
 */

#include "predict/motion/ngx_vidcast_components.c"

#include "unit.h"


#define MAX_WIDTH   140
#define MAX_HEIGHT  24


static u_char    raw[MAX_HEIGHT][MAX_WIDTH];
static u_char    weak[MAX_HEIGHT][MAX_WIDTH];
static u_char    mask[MAX_HEIGHT][MAX_WIDTH];
static u_char    thin[MAX_HEIGHT][MAX_WIDTH];
static u_char    firm[MAX_HEIGHT][MAX_WIDTH];
static uint64_t  seed = 1;


static uint32_t
next(void)
{
    seed = seed * 6364136223846793005 + 1442695040888963407;

    return seed >> 33;
}


/* has any pixel within "d" of x, y, and in the picture, the value? */

static u_char
near(u_char pixels[MAX_HEIGHT][MAX_WIDTH], int width, int height, int x,
    int y, int d, u_char value)
{
    int  i, j;

    for (j = ngx_max(y - d, 0); j <= y + d && j < height; j++) {
        for (i = ngx_max(x - d, 0); i <= x + d && i < width; i++) {
            if (pixels[j][i] == value) {
                return 1;
            }
        }
    }

    return 0;
}


/* clears a component from the mask and grows the box around it */

static void
fill(int width, int height, int x, int y, ngx_vidcast_component_t *component)
{
    int         i, j, n, dx, dy;
    static int  stack[MAX_WIDTH * MAX_HEIGHT][2];

    dx = NGX_VIDCAST_COMPONENTS_GAP_X + 1;
    dy = NGX_VIDCAST_COMPONENTS_GAP_Y + 1;

    component->x = component->right = x;
    component->y = component->bottom = y;
    component->pixels = 0;

    mask[y][x] = 0;
    stack[0][0] = x;
    stack[0][1] = y;

    for (n = 1; n; /* void */) {
        x = stack[--n][0];
        y = stack[n][1];

        component->x = ngx_min(component->x, (uint32_t) x);
        component->y = ngx_min(component->y, (uint32_t) y);
        component->right = ngx_max(component->right, (uint32_t) x + 1);
        component->bottom = ngx_max(component->bottom, (uint32_t) y + 1);
        component->pixels++;

        for (j = ngx_max(y - dy, 0); j <= y + dy && j < height; j++) {
            for (i = ngx_max(x - dx, 0); i <= x + dx && i < width; i++) {
                if (mask[j][i]) {
                    mask[j][i] = 0;
                    stack[n][0] = i;
                    stack[n++][1] = j;
                }
            }
        }
    }
}


static void
draw(ngx_vidcast_components_t *rs)
{
    int  x, y, w, h, width, height, n;

    width = rs->width;
    height = rs->height;

    ngx_memzero(raw, sizeof(raw));

    for (n = next() % 12; n; n--) {
        w = next() % 20 + 1;
        h = next() % 8 + 1;

        for (y = next() % height; h && y < height; y++, h--) {
            for (x = next() % width; w && x < width; x++, w--) {
                raw[y][x] = 1;
            }

            w = next() % 20 + 3;
        }
    }

    for (n = next() % 4; n; n--) {
        x = next() % width;
        y = next() % height;

        for (h = y; h < height && h < y + 6; h++) {
            for (w = x; w < width && w < x + 9; w++) {
                raw[h][w] = 1;
            }
        }
    }

    for (n = next() % 20; n; n--) {
        raw[next() % height][next() % width] ^= 1;
    }

    ngx_memzero(rs->raw, (size_t) rs->words * height * 8);
    ngx_memzero(rs->weak, (size_t) rs->words * height * 8);

    for (y = 0; y < height; y++) {
        for (x = 0; x < width; x++) {
            weak[y][x] = (raw[y][x] == 0 && next() % 16 == 0);

            rs->raw[y * rs->words + x / 64] |= (uint64_t) raw[y][x] << x % 64;
            rs->weak[y * rs->words + x / 64] |= (uint64_t) weak[y][x]
                                                << x % 64;
        }
    }
}


static ngx_uint_t
bit(ngx_vidcast_components_t *rs, uint64_t *bits, int x, int y)
{
    return bits[y * rs->words + x / 64] >> x % 64 & 1;
}


static ngx_uint_t
has_region(ngx_vidcast_components_t *rs, ngx_vidcast_component_t *component)
{
    ngx_uint_t  i;

    for (i = 0; i < rs->ncomponents; i++) {
        if (ngx_memcmp(&rs->components[i], component, sizeof(*component))
            == 0)
        {
            return 1;
        }
    }

    return 0;
}


/* how much of one random picture is wrong */

static ngx_uint_t
compare(ngx_vidcast_components_t *rs, uint32_t min)
{
    int                      x, y, width, height;
    uint32_t                 ones;
    ngx_uint_t               n, wrong;
    ngx_vidcast_component_t  component;

    width = rs->width;
    height = rs->height;

    draw(rs);

    ngx_vidcast_components_find(rs, min);

    ones = 0;
    wrong = 0;

    for (y = 0; y < height; y++) {
        for (x = 0; x < width; x++) {
            ones += raw[y][x];
            thin[y][x] = !near(raw, width, height, x, y, 1, 0);
        }
    }

    wrong += (ngx_vidcast_components_count(rs) != ones);

    for (y = 0; y < height; y++) {
        for (x = 0; x < width; x++) {
            firm[y][x] = near(thin, width, height, x, y, 1, 1);
        }
    }

    for (y = 0; y < height; y++) {
        for (x = 0; x < width; x++) {
            mask[y][x] = firm[y][x] || (weak[y][x]
                                        && near(firm, width, height, x, y, 2,
                                                1));

            wrong += (mask[y][x] != bit(rs, rs->mask, x, y));
        }
    }

    for (y = 0; y < height; y++) {
        for (x = 0; x < width; x++) {
            wrong += (near(mask, width, height, x, y, 2, 1)
                      != bit(rs, rs->grown, x, y));
        }
    }

    n = 0;

    for (y = 0; y < height; y++) {
        for (x = 0; x < width; x++) {
            if (mask[y][x]) {
                fill(width, height, x, y, &component);

                if ((component.right - component.x
                     + NGX_VIDCAST_COMPONENTS_GAP_X)
                    * (component.bottom - component.y
                       + NGX_VIDCAST_COMPONENTS_GAP_Y)
                    >= min
                    && component.pixels * NGX_VIDCAST_COMPONENTS_PART >= min)
                {
                    wrong += !has_region(rs, &component);
                    n++;
                }
            }
        }
    }

    return wrong + (n != rs->ncomponents);
}


int
main(void)
{
    uint32_t                   width, height, i;
    ngx_uint_t                 wrong, found, pictures;
    ngx_vidcast_components_t  *rs;

    static uint32_t         widths[] = {
        1, 2, 3, 5, 62, 63, 64, 65, 66, 100, 127, 128, 129, 130, 140
    };

    wrong = 0;
    found = 0;
    pictures = 0;

    for (width = 0; width < sizeof(widths) / sizeof(widths[0]); width++) {
        for (height = 1; height <= MAX_HEIGHT; height += 1 + height / 3) {
            rs = ngx_vidcast_components_create(widths[width], height);

            for (i = 0; i < 50; i++, pictures++) {
                wrong += compare(rs, i % 3 * 40);
                found += rs->ncomponents;
            }

            ngx_vidcast_components_destroy(rs);
        }
    }

    printf("# %d components in %d pictures\n", (int) found, (int) pictures);

    unit_ok(found > pictures / 4, "there is something to find");
    unit_ok(wrong == 0, "components are those of a flood fill");

    return unit_done();
}
