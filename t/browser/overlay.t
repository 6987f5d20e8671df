#!/usr/bin/env node

/*
 * Copyright (C) vidcast contributors
 *
 * Where a page has only an <img>, the server draws.  What a browser sees is
 * compared, pixel by pixel along the edges, with the results of the same
 * frames; the picture without an overlay must not have them.
 *
 * Phones send pictures that lie down, and EXIF says so.  The browser stands
 * them up, and so does the server for its predictors: if the two do it each in
 * its own way, boxes are beside the things.  Here is a thing whose place is
 * found in the pixels of the page, too.
 */

'use strict';

const fs = require('node:fs');
const path = require('node:path');

const { diag, ok, is, until, done } = require('./lib/tap.js');
const { Server } = require('./lib/server.js');
const { launch, open } = require('./lib/browser.js');

const WANTED = 12;

/* boxes are drawn for a second at most: so many frames may pass */

const LATE = 30;


/* the bright thing in a picture, and, as key points, two of its corners */

const PROGRAM = `#!/usr/bin/perl

use strict;
use warnings;

$| = 1;

open my $memory, '<&=', 3 or die "descriptor 3: $!\\n";
binmode $memory;

while (my $line = <STDIN>) {
    my ($offset) = $line =~ /^frame (\\d+)/ or die;

    sysseek $memory, $offset, 0;
    sysread $memory, my $head, 128;

    my (undef, $skip, undef, $w, $h, $stride) = unpack 'L6', $head;

    sysseek $memory, $offset + $skip, 0;
    sysread $memory, my $pixels, $stride * $h;

    my ($l, $t, $r, $b) = ($w, $h, 0, 0);

    for my $y (0 .. $h - 1) {
        my $row = substr $pixels, $y * $stride, $w;

        next unless $row =~ /([\\xa0-\\xff]+)/;

        $t = $y if $y < $t;
        $b = $y + 1;
        $l = $-[1] if $-[1] < $l;
        $r = $+[1] if $+[1] > $r;
    }

    printf qq({"detections":[{"label":"thing","bbox":[%d,%d,%d,%d],)
           . qq("keypoints":[[%d,%d,0.9],[%d,%d]]}]}\\n),
        $l, $t, $r - $l, $b - $t, $l + 12, $t + 12, $r - 12, $t + 12;
}
`;

const SOURCES = `
    vidcast_source phone {
        input    push:;
        predict  exec ./program.pl format=gray8;
    }

    vidcast_source turned {
        input    push: rotate=90;
        predict  exec ./program.pl format=gray8;
    }

`;

/* of the thing, as the picture lies: left, top, width, height */

const WIDE = 320;               /* both are whole blocks of a JPEG, of which */
const HIGH = 208;               /* a turn leaves out what is behind the last */
const THING = [32, 16, 96, 48];


/* a snapshot: its frame; the pixels stay in the page */

function take(page, path) {
    return page.evaluate(async (path) => {
        const answer = await fetch(path, { cache: 'no-store' });
        const bitmap = await createImageBitmap(await answer.blob());
        const context = new OffscreenCanvas(bitmap.width, bitmap.height)
                        .getContext('2d', { willReadFrequently: true });

        context.drawImage(bitmap, 0, 0);
        window.taken = context.getImageData(0, 0, bitmap.width,
                                            bitmap.height);

        return Number(answer.headers.get('X-Vidcast-Frame'));
    }, path);
}


/* is there a result whose boxes all have edges in the color of a box? */

function outlined(page, results) {
    return page.evaluate((results) => {
        const { data, width, height } = window.taken;
        const style = getComputedStyle(document.documentElement);
        const colors = Array.from({ length: 8 }, (_, i) =>
            style.getPropertyValue(`--box-${i}`).trim().match(/\w\w/g)
            .map((hex) => parseInt(hex, 16)));

        const has = (x, y, color) => {
            const i = (Math.min(y, height - 1) * width
                       + Math.min(x, width - 1)) * 4;

            return Math.hypot(...color.map((c, k) => c - data[i + k])) < 60;
        };

        const part = ([x, y, w, h], color) => {
            let hits = 0;
            let places = 0;

            for (let step = 0.05; step < 1; step += 0.05) {
                for (const [px, py] of [[x + w * step, y],
                                        [x + w * step, y + h - 1],
                                        [x, y + h * step],
                                        [x + w - 1, y + h * step]])
                {
                    places++;
                    hits += has(Math.round(px), Math.round(py), color) ? 1 : 0;
                }
            }

            return hits / places;
        };

        return results.some((boxes) => boxes.length > 0
            && boxes.every((box) => colors.some((color) =>
                                                part(box, color) > 0.8)));
    }, results);
}


/* the boxes of each result of a frame, or of one of "back" before */

function known(page, frame, back) {
    const results = [...page.seen.results.values()].filter((result) =>
        result.source === 'front' && result.frame <= frame
        && result.frame >= frame - back);

    return results.map((result) => result.result.detections
                                   .map((found) => found.bbox));
}


async function drawn(page, path, wanted) {
    const seen = { taken: 0, same: 0, drawn: 0 };

    await until(async () => {
        const frame = await take(page, path);

        /* what it was drawn from has come, too, once a later one has */

        await until(() => known(page, 1e9, 1e9 - frame).length > 0);

        const late = known(page, frame, LATE);

        if (late.flat().length === 0) {
            return false;
        }

        seen.taken++;
        seen.same += await outlined(page, known(page, frame, 0));
        seen.drawn += await outlined(page, late);

        return seen.taken >= wanted;
    });

    return seen;
}


/* as an image of the page, which is not reloaded */

async function image(page) {
    await page.evaluate(() => {
        const img = document.createElement('img');

        img.id = 'overlay';
        img.src = 'overlay/front';
        document.body.append(img);
    });

    const orange = () => page.evaluate(() => {
        const img = document.getElementById('overlay');

        if (!img.naturalWidth) {
            return null;
        }

        const context = new OffscreenCanvas(img.naturalWidth,
                                            img.naturalHeight)
                        .getContext('2d', { willReadFrequently: true });

        context.drawImage(img, 0, 0);

        const { data } = context.getImageData(0, 0, img.naturalWidth,
                                              img.naturalHeight);
        const style = getComputedStyle(document.documentElement);
        const colors = Array.from({ length: 8 }, (_, i) =>
            style.getPropertyValue(`--box-${i}`).trim().match(/\w\w/g)
            .map((hex) => parseInt(hex, 16)));
        const counts = colors.map(() => 0);
        let sum = 0;

        for (let i = 0; i < data.length; i += 4) {
            sum = (sum * 31 + data[i]) % 1000000007;

            colors.forEach((color, n) => {
                counts[n] += Math.hypot(...color.map((c, k) =>
                                                     c - data[i + k])) < 25;
            });
        }

        return { most: Math.max(...counts), sum };
    });

    const first = await until(async () => {
        const seen = await orange();

        return seen && seen.most > 1500 && seen;
    });

    ok(first, 'an <img> of MJPEG has boxes and their labels');
    ok(await until(async () => {
        const seen = await orange();

        return first && seen.sum !== first.sum && seen.most > 1500;
    }), 'and moves');
}


/* a JPEG that lies, by the tag of EXIF */

async function lying(page, orientation) {
    const bytes = Buffer.from(await page.evaluate(
        async ([wide, high, thing]) => {
            const canvas = new OffscreenCanvas(wide, high);
            const context = canvas.getContext('2d');

            context.fillStyle = '#203050';
            context.fillRect(0, 0, wide, high);
            context.fillStyle = '#fff';
            context.fillRect(...thing);

            const blob = await canvas.convertToBlob({ type: 'image/jpeg',
                                                      quality: 0.95 });

            return [...new Uint8Array(await blob.arrayBuffer())];
        }, [WIDE, HIGH, THING]));

    const exif = Buffer.from('ffe100224578696600004d4d002a000000080001'
                             + '01120003000000010000000000000000', 'hex');

    exif.writeUInt16BE(orientation, 28);

    return Buffer.concat([bytes.subarray(0, 2), exif, bytes.subarray(2)]);
}


/* left, top, right, bottom of what is bright on the page, in its pixels */

function bright(page) {
    return page.evaluate(() => {
        const canvas = document.getElementById('picture');
        const { width, height } = canvas;
        const context = new OffscreenCanvas(width, height)
                        .getContext('2d', { willReadFrequently: true });

        context.drawImage(canvas, 0, 0);

        const { data } = context.getImageData(0, 0, width, height);
        let [left, top, right, bottom] = [width, height, 0, 0];

        for (let i = 0; i < data.length; i += 4) {
            if (Math.min(data[i], data[i + 1], data[i + 2]) > 220) {
                const x = i / 4 % width;
                const y = Math.floor(i / 4 / width);

                left = Math.min(left, x);
                right = Math.max(right, x + 1);
                top = Math.min(top, y);
                bottom = Math.max(bottom, y + 1);
            }
        }

        return { width, height, sides: [left, top, right, bottom] };
    });
}


/* where the thing is in the picture that stands upright, and its size */

function upright(orientation, [x, y, w, h]) {
    switch (orientation) {
    case 3: return [WIDE, HIGH, WIDE - x - w, HIGH - y - h, w, h];
    case 6: return [HIGH, WIDE, HIGH - y - h, x, h, w];
    case 8: return [HIGH, WIDE, y, WIDE - x - w, h, w];
    default: return [WIDE, HIGH, x, y, w, h];
    }
}


function near(one, other, tolerance) {
    return one.every((value, i) => Math.abs(value - other[i]) <= tolerance);
}


/* "name", and how the picture stands in the end when it lies so */

async function lies(browser, server, name, orientation, stands) {
    const page = await open(browser, `${server.url}#${name}`);
    const picture = await lying(page, orientation);
    const [width, height, ...box] = upright(stands, THING);
    const label = `${name}, lies as ${orientation}`;

    is(await server.post(`publish/${name}`, 'image/jpeg', picture), 204,
       `${label}: published`);

    const result = () => [...page.seen.results.values()].at(-1);
    const found = () => result()?.result?.detections[0].bbox ?? [];

    /* the one of the picture before it comes first, if there was one */

    ok(await until(() => near(box, found(), 3)),
       `${label}: the box is where the thing is: ${found()}`);
    is(`${result()?.width}x${result()?.height}`, `${width}x${height}`,
       `${label}: in the upright picture`);

    /* the lines are on the edges, and dim what is under them */

    const fits = await until(async () => {
        const seen = await bright(page);
        const scale = Math.min(seen.width / width, seen.height / height);
        const left = (seen.width - width * scale) / 2;
        const top = (seen.height - height * scale) / 2;
        const [x, y, w, h] = box.map((value) => value * scale);

        return near(seen.sides, [left + x, top + y, left + x + w,
                                 top + y + h], 3 + scale)
               && await page.locator('#boxes li').count() === 1;
    });

    ok(fits, `${label}: and the page has it there`);

    ok(await until(async () => {
        await take(page, `overlay/${name}.jpg`);
        return outlined(page, [[found()]]);
    }), `${label}: and so has the server that draws`);

    is(page.seen.complaints.join('\n'), '', `${label}: no complaint`);
    await page.context().close();
}


async function main() {
    const browser = await launch();
    const server = await Server.create(SOURCES);

    try {
        const program = path.join(server.prefix, 'program.pl');

        fs.writeFileSync(program, PROGRAM, { mode: 0o755 });
        fs.chmodSync(program, 0o755);

        await server.start();

        const page = await open(browser, server.url);

        ok(await until(() => known(page, 1e9, 1e9).flat().length),
           'there is something to be drawn');

        const seen = await drawn(page, 'overlay/front.jpg', WANTED);

        diag(JSON.stringify(seen));
        is(seen.taken, WANTED, 'pictures with results');
        ok(seen.drawn >= WANTED - 1, 'boxes are where a result has them');
        ok(seen.same > 0, 'and that of the same frame, if it came in time');

        const plain = await drawn(page, 'snapshot/front.jpg', 4);

        diag(JSON.stringify(plain));
        is(plain.taken, 4, 'pictures of the source itself');
        is(plain.drawn, 0, 'without an overlay there are none');

        await image(page);

        for (const orientation of [1, 3, 6, 8]) {
            await lies(browser, server, 'phone', orientation, orientation);
        }

        /* a camera that is mounted so; a picture that lies stands up first */

        await lies(browser, server, 'turned', 1, 6);
        await lies(browser, server, 'turned', 6, 3);

        is(page.seen.complaints.join('\n'), '', 'no complaint');

    } finally {
        await browser.close();
        await server.remove();
    }

    done();
}


main().catch((error) => {
    ok(false, 'the test ran to its end');
    diag(error.stack);
    done();
});
