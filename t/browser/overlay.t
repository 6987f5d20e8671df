#!/usr/bin/env node

/*
 * Copyright (C) vidcast contributors
 *
 * Where a page has only an <img>, the server draws.  What a browser sees is
 * compared, pixel by pixel along the edges, with the results of the same
 * frames; the picture without an overlay must not have them.
 */

'use strict';

const { diag, ok, is, until, done } = require('./lib/tap.js');
const { Server } = require('./lib/server.js');
const { launch, open } = require('./lib/browser.js');

const WANTED = 12;

/* boxes are drawn for a second at most: so many frames may pass */

const LATE = 30;


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


async function main() {
    const browser = await launch();
    const server = await Server.create();

    try {
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
