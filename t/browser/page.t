#!/usr/bin/env node

/*
 * Copyright (C) vidcast contributors
 *
 * The page is what people see first, and it has to keep its word whatever
 * happens behind it: the picture moves, the boxes are where the results have
 * them at any size of window, and it comes back when the server does.
 */

'use strict';

const { DEADLINE, diag, ok, is, like, until, done } = require('./lib/tap.js');
const { Server } = require('./lib/server.js');
const { both, open, state, text } = require('./lib/browser.js');

const SIZES = [
    { viewport: { width: 1280, height: 800 }, deviceScaleFactor: 1 },
    { viewport: { width: 901, height: 777 }, deviceScaleFactor: 1.5 },
    { viewport: { width: 390, height: 844 }, deviceScaleFactor: 3,
      isMobile: true, hasTouch: true },
    { viewport: { width: 1600, height: 420 }, deviceScaleFactor: 2 },
];


function live(page) {
    return until(async () => await state(page) === 'live');
}


/* what the canvas shows, and what the page says that it shows, at one time */

function look(page) {
    return page.evaluate(() => {
        const canvas = document.getElementById('picture');
        const copy = new OffscreenCanvas(canvas.width, canvas.height)
                     .getContext('2d', { willReadFrequently: true });

        copy.drawImage(canvas, 0, 0);

        const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
        const colors = Array.from({ length: 8 }, (_, i) =>
            getComputedStyle(document.documentElement)
            .getPropertyValue(`--box-${i}`).trim().match(/\w\w/g)
            .map((hex) => parseInt(hex, 16)));

        /* part of the places along the edges that have the box's color */

        const near = (x, y, color) => {
            for (let dy = -1; dy <= 1; dy++) {
                for (let dx = -1; dx <= 1; dx++) {
                    const i = ((Math.round(y) + dy) * canvas.width
                               + Math.round(x) + dx) * 4;

                    if (Math.hypot(...color.map((c, k) => c - data[i + k]))
                        < 70)
                    {
                        return true;
                    }
                }
            }

            return false;
        };

        const outlined = ([x, y, w, h], color) => {
            let hits = 0;
            let places = 0;

            for (let part = 0.1; part < 1; part += 0.1) {
                for (const [px, py] of [[x + w * part, y],
                                        [x + w * part, y + h],
                                        [x, y + h * part],
                                        [x + w, y + h * part]])
                {
                    if (px > 2 && py > 2 && px < canvas.width - 3
                        && py < canvas.height - 3)
                    {
                        places++;
                        hits += near(px, py, color) ? 1 : 0;
                    }
                }
            }

            return places === 0 ? 1 : hits / places;
        };

        let sum = 0;
        let bright = 0;

        for (let i = 0; i < data.length; i += 4 * 97) {
            sum = (sum * 31 + data[i] + data[i + 1] * 3) % 1000000007;
            bright += data[i + 1] > 20 ? 1 : 0;
        }

        const [width, height] = document.getElementById('size').textContent
                                .split('×').map(Number);
        const scale = Math.min(canvas.width / width, canvas.height / height);
        const left = (canvas.width - width * scale) / 2;
        const top = (canvas.height - height * scale) / 2;
        const rect = canvas.getBoundingClientRect();

        return {
            sum,
            bright: bright / (data.length / 4 / 97),
            frame: Number(canvas.dataset.frame),
            result: Number(canvas.dataset.result),
            canvas: [canvas.width, canvas.height],
            css: [rect.width * devicePixelRatio,
                  rect.height * devicePixelRatio],
            picture: [width, height],
            boxes: [...document.querySelectorAll('#boxes li')].map((li) => {
                const bbox = li.dataset.bbox.split(',').map(Number);
                const place = [left + bbox[0] * scale, top + bbox[1] * scale,
                               bbox[2] * scale, bbox[3] * scale];

                const color = colors[li.dataset.color];

                return { bbox, outlined: outlined(place, color),
                         aside: outlined([place[0] + place[2] * 0.2,
                                          place[1] + place[3] * 0.3,
                                          place[2] * 0.5, place[3] * 0.5],
                                         color),
                         label: li.textContent };
            }),
        };
    });
}


async function appears(page) {
    ok(await live(page), 'the page says live by itself');
    like(await page.title(), /^front . vidcast$/, 'and names the source');
    is(await text(page, 'veil-title'), '', 'nothing is written over it');

    const one = await until(async () => {
        const seen = await look(page);

        return seen.bright > 0.3 && seen;
    });

    ok(one, 'a picture appears');

    const two = await until(async () => {
        const seen = await look(page);

        return one && seen.frame > one.frame && seen.sum !== one.sum && seen;
    });

    ok(two, 'and moves on');

    for (const id of ['fps', 'rps', 'predict', 'delay', 'traffic']) {
        ok(await until(async () => Number(await text(page, id)) > 0),
           `"${id}" is a number`);
    }

    like(await text(page, 'clock'), /^\d\d:\d\d:\d\d\.\d$/,
         'the time of the picture is told');
}


async function boxes(browser, server) {
    for (const size of SIZES) {
        const page = await open(browser, server.url, size);
        const name = `${size.viewport.width}x${size.viewport.height} `
                     + `at ${size.deviceScaleFactor}`;

        /* the outlines of some results, not of a lucky one */

        let checked = 0;
        let last = 0;
        let wrong = null;
        let aside = 0;

        await until(async () => {
            const seen = await look(page);
            const result = page.seen.results.get(`front ${seen.result}`);

            if (!(seen.result > last) || seen.boxes.length === 0) {
                return false;
            }

            last = seen.result;
            checked++;
            aside += seen.boxes.some((box) => box.aside > 0.6) ? 1 : 0;

            const same = result !== undefined
                && result.frame <= seen.frame
                && JSON.stringify(result.result.detections.map((d) => d.bbox))
                   === JSON.stringify(seen.boxes.map((box) => box.bbox));

            if (!same || seen.boxes.some((box) => box.outlined < 0.6)
                || Math.abs(seen.canvas[0] - seen.css[0]) > 1
                || Math.abs(seen.canvas[1] - seen.css[1]) > 1)
            {
                wrong ??= { seen, result };
            }

            return checked >= 10;
        }, 3 * DEADLINE);

        ok(checked >= 10 && wrong === null,
           `boxes are where the results have them, ${name}`);

        if (wrong !== null || checked < 10) {
            diag(`${checked} seen, ${JSON.stringify(wrong)}`);
        }

        ok(aside < checked / 2, `and nowhere else, ${name}`);

        const wide = await page.evaluate(() =>
            document.documentElement.scrollWidth > innerWidth);

        ok(!wide, `nothing sticks out to the side, ${name}`);

        if (size === SIZES[0]) {
            await page.click('#show-boxes');

            const plain = await until(async () => {
                const seen = await look(page);

                return seen.boxes.length === 0 && seen.frame > 0 && seen;
            });

            ok(plain, 'boxes can be put away');
        }

        clean(page, server, name);
        await page.context().close();
    }
}


function clean(page, server, name) {
    const host = new URL(server.url).host;
    const strange = page.seen.requests
                        .filter((url) => new URL(url).host !== host);

    is(page.seen.complaints.join('\n'), '', `no complaint, ${name}`);
    is(strange.join('\n'), '', `nothing asked of another host, ${name}`);
}


async function results(page) {
    const count = () => page.locator('#list li').count();

    ok(await until(async () => await count() > 3), 'results stream by');

    await page.click('#hold');

    const held = await count();
    const first = await page.locator('#list li').first().textContent();

    like(await until(async () => {
        const note = await text(page, 'note');

        return /held, [1-9]/.test(note) && note;
    }), /more since$/, 'held still, the new ones are counted');

    is(await count(), held, 'and not shown');
    is(await page.locator('#list li').first().textContent(), first,
       'the first one stays the first');

    await page.locator('.raw summary').click();
    await page.locator('#list').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');

    const chosen = await page.locator('#list [aria-selected="true"]').count();
    const raw = JSON.parse(await text(page, 'raw'));

    is(chosen, 1, 'a row is chosen by the keyboard');
    is(JSON.stringify(raw),
       JSON.stringify(page.seen.results.get(`${raw.source} ${raw.seq}`)),
       'and shown as it was sent');

    await page.keyboard.press('Escape');

    ok(await until(async () => await page.locator('#list li').first()
                                         .textContent() !== first),
       'let go, they stream by again');
    is(await text(page, 'note'), '', 'without a note');
}


async function picker(page) {
    await page.getByLabel('gate', { exact: true }).check();

    ok(await until(async () => await text(page, 'name') === 'gate'
                               && await state(page) === 'live'),
       'another source is picked');
    ok(await until(async () => (await text(page, 'words')).length > 0),
       'a result in words stands on the picture');
    is(await text(page, 'size'), '1280×720', 'its size is told');
    is(new URL(page.url()).hash, '#gate', 'the address says which');
    like(await page.getAttribute('#to-mjpeg', 'href'), /video_feed\/gate$/,
         'the links follow');

    await page.evaluate(() => history.back());

    ok(await until(async () => await text(page, 'name') === 'front'
                               && await state(page) === 'live'),
       'back is back');
    ok(await until(() => page.seen.sockets === 1),
       'one connection is open, not three');
}


async function hidden(page) {
    const hide = (value) => page.evaluate((value) => {
        Object.defineProperty(document, 'hidden', { value,
                                                    configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
    }, value);

    await hide(true);

    ok(await until(() => page.seen.sockets === 0),
       'a hidden tab lets go of the stream');

    await hide(false);

    ok(await until(() => page.seen.sockets === 1) && await live(page),
       'and takes it up when it is seen again');
}


async function black(browser, server) {
    const page = await open(browser, `${server.url}#black`);

    ok(await until(async () => await state(page) === 'stale'),
       'a source without a picture is stale');

    const { error } = await server.source('black');

    ok(error.length > 0 && await until(async () =>
           (await text(page, 'veil-text')).includes(error)),
       'and the server\'s reason is told');
    diag(await text(page, 'veil-text'));

    clean(page, server, 'black');
    await page.context().close();
}


async function fallbacks(page, server) {
    const target = async (id) => (await page.getAttribute(id, 'href'));

    const mjpeg = await server.get(await target('#to-mjpeg'));
    const snapshot = await server.get(await target('#to-snapshot'));
    const events = await server.get(await target('#to-events'));

    like(mjpeg.type, /^multipart\/x-mixed-replace/, 'the link to MJPEG');
    is(snapshot.type, 'image/jpeg', 'the link to a snapshot');
    is(snapshot.body.readUInt16BE(0), 0xffd8, 'which is a JPEG');
    like(events.type, /^text\/event-stream/, 'the link to events');

    const policy = (await server.get('')).headers['content-security-policy'];

    like(policy, /default-src 'none'; script-src 'self'; style-src 'self'/,
         'nothing inline, nothing from elsewhere is allowed');
}


/* a capture that dies, a reload: the page need not even be told */

async function capture(page, server) {
    const { pid } = await server.source('front');
    const { opened } = page.seen;

    process.kill(pid, 'SIGKILL');

    ok(await until(async () => {
        const source = await server.source('front');

        return source.pid !== pid && source.state === 'live';
    }), 'a capture is killed, there is another');
    ok(await moves(page), 'and the picture moves');
    is(page.seen.opened, opened, 'on the connection that it had');

    server.child.kill('SIGHUP');

    ok(await until(() => page.seen.opened > opened),
       'a reload: the page connects to a new worker');
    ok(await live(page) && await moves(page), 'and the picture moves');
}


async function moves(page) {
    const frame = async () =>
        Number(await page.getAttribute('#picture', 'data-frame'));
    const before = await frame();

    return until(async () => await frame() > before);
}


async function restart(page, server, signal) {
    await server.stop(signal);

    ok(await until(async () => await state(page) === 'reconnecting'),
       `${signal}: the page says that it reconnects`);
    ok(await until(async () => await text(page, 'veil-title')
                               === 'Reconnecting'),
       'on the picture, too');
    ok(await until(async () => /does not answer/.test(
                                   await text(page, 'veil-text'))),
       'and that nobody answers');

    const before = Number(await page.getAttribute('#picture', 'data-frame'));

    await server.start();

    ok(await live(page), 'it comes back by itself');
    ok(await until(async () => {
        const frame = Number(await page.getAttribute('#picture',
                                                     'data-frame'));

        return frame > 0 && frame !== before;
    }), 'with new pictures');
    ok(await until(async () => (await look(page)).boxes.length > 0),
       'and boxes');
    is(await text(page, 'veil-title'), '', 'nothing is written over it');
}


async function looks(browser) {
    const server = await Server.create();

    try {
        await server.start();

        const page = await open(browser, server.url);

        await appears(page);
        await results(page);
        await picker(page);

        const tab = await page.context().newPage();

        await tab.goto(server.url);
        ok(await live(tab) && await live(page), 'two tabs, both live');
        await tab.close();

        await hidden(page);
        await fallbacks(page, server);
        clean(page, server, 'so far');

        await boxes(browser, server);
        await black(browser, server);

        await capture(page, server);
        clean(page, server, 'through all of it');

        await restart(page, server, 'SIGTERM');
        await restart(page, server, 'SIGKILL');

    } finally {
        await server.remove();
    }
}


both([], looks).catch((error) => {
    ok(false, 'the test ran to its end');
    diag(error.stack);
}).finally(done);
