#!/usr/bin/env node

/*
 * Copyright (C) vidcast contributors
 *
 * What a server may send and a camera seldom does: pictures of known colors
 * with boxes at known places, answers of any shape, and nonsense.  There is
 * no server here, the browser is fed by hand, so each pixel is known.
 */

'use strict';

const path = require('node:path');

const { ok, is, like, until, diag, done } = require('./lib/tap.js');
const { both, open, state, text } = require('./lib/browser.js');

const HTML = path.resolve(__dirname, '../../conf/html');
const ORIGIN = 'http://vidcast.test/';
const TYPES = { '.html': 'text/html', '.css': 'text/css',
                '.js': 'text/javascript', '.svg': 'image/svg+xml' };
const T0 = 1763693000;

const QUARTERS = [[200, 30, 30], [30, 200, 30], [30, 30, 200],
                  [200, 200, 200]];


/* a page whose server is this test: files, status and socket */

async function fed(browser, name, sources = ['front'], options = {}) {
    const feed = { sockets: [], status: { sources: sources.map((source) =>
                                ({ name: source, state: 'live' })) } };

    feed.page = await open(browser, `${ORIGIN}#${name}`, options,
        async (page) => {
            await page.route('**/*', (route) => {
                const file = new URL(route.request().url()).pathname
                             .replace(/\/$/, '/index.html');

                if (file === '/status') {
                    return route.fulfill({ json: feed.status });
                }

                return route.fulfill({ path: HTML + file,
                                contentType: TYPES[path.extname(file)] });
            });

            await page.routeWebSocket('**/live/*', (socket) => {
                feed.sockets.push(socket);
            });
        });

    feed.send = (message) => feed.sockets.at(-1).send(
        Buffer.isBuffer(message) || typeof message === 'string'
        ? message
        : JSON.stringify(message));

    await until(() => feed.sockets.length > 0);

    return feed;
}


function picture(jpeg, meta, filler = 0, change = (m) => m) {
    const json = Buffer.from(JSON.stringify({ v: 1, source: 'front',
                                              ...meta }));
    const head = Buffer.alloc(12 + json.length + filler, 0xff);

    head.write('vidc');
    head.writeUInt8(1, 4);
    head.writeUInt8(0, 5);
    head.writeUInt16BE(head.length, 6);
    head.writeUInt16BE(json.length, 8);
    head.writeUInt16BE(0, 10);
    json.copy(head, 12);

    return change(Buffer.concat([head, jpeg]));
}


function result(seq, frame, answer, more = {}) {
    return { v: 1, source: 'front', epoch: 'e1', seq, frame,
             ts: T0 + frame / 10, width: 320, height: 240, status: 'ok',
             latency: { predict: 0.012, total: 0.015 }, result: answer,
             ...more };
}


function found(...boxes) {
    return { detections: boxes.map((bbox) => ({ label: 'thing', score: 0.5,
                                                bbox })) };
}


/* four quarters of one color each, made by the browser */

async function quarters(page, width, height) {
    const bytes = await page.evaluate(async ([width, height, colors]) => {
        const canvas = new OffscreenCanvas(width, height);
        const context = canvas.getContext('2d');

        colors.forEach((color, i) => {
            context.fillStyle = `rgb(${color})`;
            context.fillRect(i % 2 * width / 2, (i >> 1) * height / 2,
                             width / 2, height / 2);
        });

        const blob = await canvas.convertToBlob({ type: 'image/jpeg',
                                                  quality: 0.95 });

        return [...new Uint8Array(await blob.arrayBuffer())];
    }, [width, height, QUARTERS]);

    return Buffer.from(bytes);
}


/* colors at places given in parts of the canvas */

function pixels(page, places) {
    return page.evaluate((places) => {
        const canvas = document.getElementById('picture');
        const copy = new OffscreenCanvas(canvas.width, canvas.height)
                     .getContext('2d', { willReadFrequently: true });

        copy.drawImage(canvas, 0, 0);

        return places.map(([x, y]) => [...copy.getImageData(
            Math.round(x * canvas.width), Math.round(y * canvas.height),
            1, 1).data].slice(0, 3));
    }, places);
}


function close(one, other) {
    return Math.hypot(...one.map((c, i) => c - other[i])) < 30;
}


function frame(page) {
    return page.getAttribute('#picture', 'data-frame').then(Number);
}


function shows(page, number) {
    return until(async () => await frame(page) === number);
}


function boxes(page) {
    return page.evaluate(() =>
        [...document.querySelectorAll('#boxes li')]
        .map((li) => li.dataset.bbox).join(' '));
}


async function geometry(browser) {
    for (const [wide, high] of [[320, 240], [640, 120], [100, 400]]) {
        const feed = await fed(browser, 'front', ['front'],
                               { deviceScaleFactor: 2 });
        const { page } = feed;
        const jpeg = await quarters(page, wide, high);

        feed.send(picture(jpeg, { frame: 7, ts: T0 }, 13));
        await shows(page, 7);

        /* the canvas may have another shape: where is the picture in it? */

        const [cw, ch] = await page.evaluate(() => {
            const { width, height } = document.getElementById('picture');

            return [width, height];
        });
        const scale = Math.min(cw / wide, ch / high);
        const at = (x, y) => [(cw - wide * scale) / 2 / cw
                              + x * wide * scale / cw,
                              (ch - high * scale) / 2 / ch
                              + y * high * scale / ch];
        const seen = await pixels(page, [at(0.25, 0.25), at(0.75, 0.25),
                                         at(0.25, 0.75), at(0.75, 0.75),
                                         at(0.04, 0.04), at(0.96, 0.96)]);

        ok([0, 1, 2, 3, 0, 3].every((k, i) => close(seen[i], QUARTERS[k])),
           `a picture of ${wide}x${high} is whole, in its shape`);

        const bars = await pixels(page, [at(-0.01, 0.5), at(0.5, -0.01)]
            .filter(([x, y]) => x > 0.002 && y > 0.002));

        ok(bars.length === 1 && close(bars[0], [0, 0, 0]),
           `with black beside it, ${wide}x${high}`);

        await page.context().close();
    }
}


async function pairing(feed, jpeg) {
    const { page } = feed;
    const show = async (number, ts = T0 + number / 10) => {
        feed.send(picture(jpeg, { frame: number, ts }));
        await shows(page, number);
    };

    await show(1);
    is(await boxes(page), '', 'no result, no box');

    feed.send(result(1, 3, found([224, 168, 64, 48])));
    await show(2);
    is(await boxes(page), '', 'a result waits for its picture');

    await show(3);
    is(await boxes(page), '224,168,64,48', 'and is drawn with it');

    const [inside, color] = await page.evaluate(() => {
        const canvas = document.getElementById('picture');
        const scale = Math.min(canvas.width / 320, canvas.height / 240);
        const left = (canvas.width - 320 * scale) / 2;
        const top = (canvas.height - 240 * scale) / 2;
        const color = getComputedStyle(document.documentElement)
                      .getPropertyValue('--box-0').trim().match(/\w\w/g)
                      .map((hex) => parseInt(hex, 16));

        return [[[224, 216], [288, 168], [288, 216]].map(([x, y]) =>
            [(left + x * scale) / canvas.width,
             (top + y * scale) / canvas.height]), color];
    });

    const corners = await pixels(page, inside);

    ok(corners.every((corner) => close(corner, color)),
       'its corners are on the pixels that it names');

    await show(4);
    is(await boxes(page), '224,168,64,48', 'held on the next picture');

    feed.send(result(2, 4, found([0, 0, 10, 10], [300, 200, 20, 40])));
    ok(await until(async () => await boxes(page)
                               === '0,0,10,10 300,200,20,40'),
       'a late result is drawn on the picture that stands');

    feed.send(result(3, 5, found()));
    await show(5);
    is(await boxes(page), '', 'nothing found, nothing drawn');

    feed.send(result(4, 6, found([5, 5, 50, 50])));
    await show(6);
    await show(7, T0 + 0.6 + 1.2);
    is(await boxes(page), '5,5,50,50', 'an old box fades');
    await show(8, T0 + 0.6 + 1.6);
    is(await boxes(page), '', 'and is gone');

    feed.send(result(9, 9, found([9, 9, 9, 9])));
    await show(9);

    /* the capture began anew: numbers start from one, in another epoch */

    await show(1);
    is(await boxes(page), '', 'a new beginning forgets the old boxes');
    feed.send(result(1, 1, found([1, 1, 11, 11]), { epoch: 'e2' }));
    ok(await until(async () => await boxes(page) === '1,1,11,11'),
       'and draws the new ones');

    for (let i = 2; i <= 200; i++) {
        feed.send(picture(jpeg, { frame: i, ts: T0 + i / 10 }));
    }

    ok(await shows(page, 200), 'of a burst, the newest is shown');
}


async function answers(feed, jpeg) {
    const { page } = feed;
    let number = 300;

    const says = async (answer, more) => {
        number++;
        feed.send(result(number, number, answer, { epoch: 'e3', ...more }));
        feed.send(picture(jpeg, { frame: number, ts: T0 + number / 10 }));
        await shows(page, number);

        await until(async () => (await page.locator('#list li .at').first()
                                 .textContent()) === String(number));

        return text(page, 'words');
    };

    const row = () => page.locator('#list li').first().textContent();

    is(await says('Hello'), 'Hello', 'a string is shown as it is');
    is(await says({ text: 'A123' }), 'A123', 'so is a text');
    is(await says({ a: [1] }), '{"a":[1]}', 'anything else as JSON');
    is(await says(0), '0', 'even zero');
    is(await says(null), '', 'null is nothing');
    is(await says(found([1, 2, 3, 4])), '', 'boxes are not words');

    await says({ detections: [null, 7, { bbox: [1, 2, 3] },
                              { bbox: [1, 2, 3, '4'] }, { bbox: 'abcd' },
                              { bbox: [1, 2, 1e300, 4] },
                              { bbox: [10, 20, 30, 40] }] });
    is(await boxes(page), '10,20,30,40', 'boxes that are none are left out');

    await says(found([1, 1, 5, 5], [2, 2, 5, 5]));
    like(await row(), /thing0\.50 0\.50/, 'boxes of one label share a place');

    await says(found([1, 1, 5, 5]), { skipped: 7 });
    like(await page.locator('#list .skip').first().textContent(),
         /^7 results skipped$/, 'skipped results are told');

    await says(null, { status: 'predictor_failed' });
    like(await row(), /predictor failed/, 'a failed predictor, too');

    const evil = '<img src=x onerror="document.title=1">';

    await says({ detections: [{ label: evil, bbox: [1, 1, 9, 9] }] });
    ok((await row()).includes(evil), 'a label is text');
    is(await says(evil), evil, 'a result is text');
    is(await page.locator('img').count(), 0, 'and never markup');

    await says('x'.repeat(5000));
    ok(!await page.evaluate(() => document.documentElement.scrollWidth
                                  > innerWidth),
       'a long word does not stick out');
}


async function nonsense(feed, jpeg) {
    const { page } = feed;
    const good = { frame: 900, ts: T0 + 90 };
    const spoil = (change) => picture(jpeg, good, 0, (message) => {
        change(message);
        return message;
    });

    for (const text of ['', '{', 'null', '[]', '"x"', '7', '{"v":1}']) {
        feed.send(text);
    }

    feed.send(Buffer.alloc(0));
    feed.send(Buffer.from('vidc'));
    feed.send(Buffer.alloc(12));
    feed.send(spoil((m) => m.write('VIDC')));
    feed.send(spoil((m) => m.writeUInt8(2, 4)));
    feed.send(spoil((m) => m.writeUInt16BE(65535, 6)));
    feed.send(spoil((m) => m.writeUInt16BE(11, 6)));
    feed.send(spoil((m) => m.writeUInt16BE(65535, 8)));
    feed.send(spoil((m) => m.writeUInt16BE(3, 8)));
    feed.send(picture(Buffer.from('no picture'), good));
    feed.send(picture(jpeg.subarray(0, 20), good));

    /* as long as a good one would have taken to be seen */

    feed.send(result(900, 900, 'the end of it', { epoch: 'e3' }));
    await until(async () => /the end of it/.test(
                                await page.locator('#list li').first()
                                          .textContent()));
    await page.evaluate(async (jpeg) => {
        await createImageBitmap(new Blob([new Uint8Array(jpeg)]));
        await new Promise(requestAnimationFrame);
        await new Promise(requestAnimationFrame);
    }, [...jpeg]);

    ok(await frame(page) < 900, 'nothing spoiled is shown');

    feed.send(picture(jpeg, { frame: 901, ts: T0 + 90.1 }));

    ok(await shows(page, 901), 'after much nonsense, a picture is shown');
    is(await state(page), 'live', 'and the page is live');
}


async function closed(feed, jpeg) {
    const { page } = feed;
    const before = feed.sockets.length;

    await feed.sockets.at(-1).close({ code: 1013 });

    ok(await until(async () => /server is full/.test(
                                   await text(page, 'veil-text'))),
       'the reason of a close is told');
    ok(await until(() => feed.sockets.length > before), 'it tries again');

    feed.send(picture(jpeg, { frame: 950, ts: T0 + 95 }));
    ok(await until(async () => await state(page) === 'live'),
       'and is live again');

    ok(await until(async () => await state(page) === 'stale'),
       'no picture any more: stale');

    feed.status.sources[0] = { name: 'front', state: 'reconnecting',
                               error: 'the cable is out' };
    ok(await until(async () => /reconnecting: the cable is out/.test(
                                   await text(page, 'veil-text'))),
       'with what the server says about it');
}


/* things by their numbers, and zones around them */

async function tracks(browser, jpeg) {
    const feed = await fed(browser, 'front');
    const { page } = feed;
    const labels = () => page.locator('#boxes li').allTextContents();

    feed.send(result(1, 1, { detections: [
        { label: 'motion', score: 0.5, bbox: [10, 10, 50, 50], track_id: 7 },
        { label: 'motion', bbox: [90, 90, 50, 50], track_id: 'a' },
        { bbox: [1, 1, 9, 9], track_id: {} } ] }));
    feed.send(picture(jpeg, { frame: 1, ts: T0 + 0.1 }));
    await shows(page, 1);

    is((await labels()).join(), 'motion #7 0.50,motion #a,box',
       'things have numbers');

    const [left] = await pixels(page, [[0.3, 0.9]]);

    ok(close(left, QUARTERS[2]), 'no zone');

    const bad = [null, { name: 'x' }, { name: 'x', points: [[0, 0], [1, 1]] },
                 { name: 'x', points: [[0, 0], [1, 'a'], [1, 1]] }];

    feed.status.sources[0].zones = [ ...bad, { name: '<b>door', points:
        [[0.1, 0.7], [0.45, 0.7], [0.45, 0.9], [0.1, 0.9]] } ];

    const dashes = await until(async () => {
        const line = Array.from({ length: 60 }, (_, i) => [0.15 + i / 240,
                                                           0.9]);
        const seen = await pixels(page, line);
        const white = seen.filter((c) => Math.min(...c) > 160).length;

        return white > 5 && { white, of: line.length };
    });

    ok(dashes && dashes.white < dashes.of, 'the zone has a dashed border');
    is(feed.page.seen.complaints.join('\n'), '', 'and others do no harm');

    await page.locator('#show-boxes').click();

    const gone = await until(async () => close(
        (await pixels(page, [[0.3, 0.9]]))[0], QUARTERS[2])
        && (await pixels(page, [[0.2, 0.9], [0.25, 0.9], [0.35, 0.9]]))
           .every((c) => close(c, QUARTERS[2])));

    ok(gone, 'which goes with the boxes');
    await page.context().close();
}


/* key points, where they are, on a screen of any density */

async function dots(browser, deviceScaleFactor) {
    const feed = await fed(browser, 'front', ['front'],
                           { deviceScaleFactor });
    const { page } = feed;
    const jpeg = await quarters(page, 320, 240);

    feed.send(result(1, 1, { detections: [
        { label: 'face', bbox: [200, 10, 60, 80],
          keypoints: [[40, 30, 0.9], [120, 30], [80, 60, 0.1], null, 7, [1],
                      ['80', 90], [80, 90, 'x'], [-20, 100, 1], [1e300, 1]] },
        { label: 'none', bbox: [10, 200, 10, 10], keypoints: 'x' } ] }));
    feed.send(picture(jpeg, { frame: 1, ts: T0 + 0.1 }));
    await shows(page, 1);
    await until(async () => await boxes(page) !== '');

    const { at, wide, color } = await page.evaluate(() => {
        const canvas = document.getElementById('picture');
        const scale = Math.min(canvas.width / 320, canvas.height / 240);
        const left = (canvas.width - 320 * scale) / 2;
        const top = (canvas.height - 240 * scale) / 2;

        return { at: [[40, 30], [120, 30], [80, 60], [80, 90], [20, 100]]
                     .map(([x, y]) => [(left + x * scale) / canvas.width,
                                       (top + y * scale) / canvas.height]),
                 wide: canvas.width,
                 color: getComputedStyle(document.documentElement)
                        .getPropertyValue('--box-0').trim().match(/\w\w/g)
                        .map((hex) => parseInt(hex, 16)) };
    });

    const seen = await pixels(page, at);
    const name = `on ${deviceScaleFactor} pixels to one`;

    ok(close(seen[0], color) && close(seen[1], color),
       `key points are in the color of their box, ${name}`);
    ok(seen.slice(2).every((c) => close(c, QUARTERS[0])),
       `and none where nobody has seen one, ${name}`);

    /* how wide a dot is, in pixels of the screen */

    const row = await pixels(page, Array.from({ length: 41 }, (_, i) =>
        [at[0][0] + (i - 20) / wide, at[0][1]]));
    const filled = row.filter((c) => close(c, color)).length;

    ok(Math.abs(filled - 6 * deviceScaleFactor) <= 2,
       `a dot is as large to the eye, ${name}: ${filled}`);
    is(page.seen.complaints.join('\n'), '', 'no complaint');
    await page.context().close();
}


async function names(browser) {
    const odd = '"><b>x</b> / ü';
    const feed = await fed(browser, '', [odd, 'two']);

    is(await until(() => text(feed.page, 'name')), odd,
       'a source may have any name');
    ok(feed.sockets[0].url().endsWith(`/live/${encodeURIComponent(odd)}`),
       'which is escaped in the address');
    is(await feed.page.locator('#sources label').count(), 2, 'two to pick');

    feed.status.sources.pop();
    ok(await until(() => feed.page.locator('#sources').isHidden()),
       'one source needs no picker');
    await feed.page.context().close();
}


/* WCAG 2: 4.5 to 1 for text, whatever the scheme */

async function contrast(browser) {
    for (const colorScheme of ['light', 'dark']) {
        const feed = await fed(browser, 'front', ['front'], { colorScheme });
        const ratios = await feed.page.evaluate(() => {
            const style = getComputedStyle(document.documentElement);
            const light = (name) => {
                const [r, g, b] = style.getPropertyValue(name).trim()
                    .match(/\w\w/g)
                    .map((hex) => parseInt(hex, 16) / 255)
                    .map((c) => c <= 0.04045 ? c / 12.92
                                             : ((c + 0.055) / 1.055) ** 2.4);

                return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
            };

            return ['--ink', '--muted', '--good', '--warn', '--bad']
                .flatMap((text) => ['--paper', '--sheet'].map((ground) => {
                    const [a, b] = [light(text), light(ground)];

                    return [`${text} on ${ground}`,
                            Math.max(a, b) / Math.min(a, b)];
                }));
        });
        const poor = ratios.filter(([, ratio]) => ratio < 4.5);

        is(JSON.stringify(poor), '[]', `text can be read, ${colorScheme}`);
        await feed.page.context().close();
    }
}


async function feeds(browser) {
    await geometry(browser);

    const feed = await fed(browser, 'front');
    const jpeg = await quarters(feed.page, 320, 240);

    await pairing(feed, jpeg);
    await answers(feed, jpeg);
    await nonsense(feed, jpeg);
    await closed(feed, jpeg);

    is(feed.page.seen.complaints.join('\n'), '', 'no complaint');
    is(feed.page.seen.requests.filter((url) => !url.startsWith(ORIGIN))
           .filter((url) => !url.startsWith('ws://vidcast.test/'))
           .join(' '),
       '', 'nothing asked of another host');

    await tracks(browser, jpeg);
    await dots(browser, 1);
    await dots(browser, 3);
    await names(browser);
    await contrast(browser);
}


both([], feeds).catch((error) => {
    ok(false, 'the test ran to its end');
    diag(error.stack);
}).finally(done);
