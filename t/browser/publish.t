#!/usr/bin/env node

/*
 * Copyright (C) vidcast contributors
 *
 * The page that publishes, with a browser's camera and a server that does
 * what real ones do on bad days.  A publisher stands alone with a phone in
 * the hand: whatever goes wrong, the page has to say it in words, and it must
 * never leave a camera on that is said to be off.
 */

'use strict';

const { diag, ok, is, like, until, done } = require('./lib/tap.js');
const { Taker } = require('./lib/taker.js');
const { launch, open, state, text } = require('./lib/browser.js');
const { fake, dimensions } = require('./lib/camera.js');

const CAMERA = '--use-fake-device-for-media-stream';
const ALLOWED = '--use-fake-ui-for-media-stream';
const ELSEWHERE = '--host-resolver-rules=MAP vidcast.test 127.0.0.1';

const SIZES = [
    { viewport: { width: 1280, height: 800 } },
    { viewport: { width: 901, height: 620 } },
    { viewport: { width: 390, height: 844 }, deviceScaleFactor: 3,
      isMobile: true, hasTouch: true },
    { viewport: { width: 320, height: 568 }, isMobile: true, hasTouch: true },
];


function becomes(page, wanted) {
    return until(async () => await state(page) === wanted);
}


function says(page, pattern) {
    return until(async () => pattern.test(await text(page, 'veil-title') + '\n'
                                          + await text(page, 'veil-text')));
}


function on(page) {
    return page.evaluate(() => {
        const stream = document.getElementById('preview').srcObject;

        return stream !== null
               && stream.getTracks().some((t) => t.readyState === 'live');
    });
}


/* more pictures than there were */

async function flows(taker, more = 5) {
    const before = taker.count;

    return until(() => taker.count >= before + more);
}


function clean(page, taker, name) {
    const strange = page.seen.requests.filter(
                        (url) => new URL(url).port !== String(taker.port));

    is(page.seen.complaints.join('\n'), '', `no complaint, ${name}`);
    is(strange.join('\n'), '', `nothing asked of another host, ${name}`);
}


async function publishes(page, taker) {
    is(await state(page), 'idle', 'the page does nothing by itself');
    is(await on(page), false, 'the camera is off');
    is(taker.opened, 0, 'and there is no connection');

    await page.click('#look');

    ok(await becomes(page, 'preview'), 'a preview');
    ok(await on(page), 'has the camera on');
    is(taker.opened, 0, 'and sends nothing');

    await page.click('#publish');

    ok(await becomes(page, 'live') && await flows(taker),
       'pictures are published');
    is(taker.path, '/publish/webcam', 'at the place of the source');
    is(taker.protocol, undefined, 'without a subprotocol');
    is(await text(page, 'veil-title'), '', 'nothing is written over them');

    const one = await fake(page, taker.pictures.at(-1));

    ok(one.fake, 'they are the camera\'s') || diag(JSON.stringify(one));
    ok(await until(async () => {
        const two = await fake(page, taker.pictures.at(-1));

        return two.fake && two.sum !== one.sum;
    }), 'and move');

    for (const id of ['fps', 'traffic', 'bytes', 'viewers']) {
        ok(await until(async () => Number(await text(page, id)) > 0),
           `"${id}" is a number`);
    }

    is(await text(page, 'viewers'), '3', 'viewers of all transports');
    like(await page.getAttribute('#watch', 'href'), /#webcam$/,
         'a link to where it is watched');
}


async function choices(page, taker) {
    await page.selectOption('#dimensions', '320x240');

    ok(await until(() => taker.count > 0
                         && dimensions(taker.pictures.at(-1)) === '320x240'),
       'a size is chosen');
    is(taker.opened, 1, 'on the connection that is there');

    await page.locator('#quality').fill('95');

    const fine = await smallest(page, taker);

    await page.locator('#quality').fill('30');

    ok(await until(async () => await smallest(page, taker) < fine * 0.8),
       'a quality is chosen');

    await page.selectOption('#rate', '5');

    ok(await until(async () => {
        const rate = Number(await text(page, 'fps'));

        return rate > 3 && rate < 7;
    }), 'a rate is chosen');

    is(await page.locator('#camera option').count(), 1, 'cameras by name');
    like(await text(page, 'camera'), /fake/, 'are listed');

    /* one choice while the camera still opens for the one before */

    let wrong = '';

    for (let i = 0; i < 12 && wrong === ''; i++) {
        const size = ['640x480', '1280x720', '320x240'][i % 3];

        await page.evaluate(([size, rate, after]) => {
            const choose = (id, value) => {
                document.getElementById(id).value = value;
                document.getElementById(id).dispatchEvent(new Event('change'));
            };

            choose('rate', rate);
            setTimeout(() => choose('dimensions', size), after);
        }, [size, i % 2 ? '25' : '15', 3 * i]);

        wrong = await until(() => dimensions(taker.pictures.at(-1)) === size)
                ? '' : size;
    }

    is(wrong, '', 'many choices, one fast behind the other');

    await page.selectOption('#dimensions', '640x480');
    await page.selectOption('#rate', '25');

    ok(await until(() => dimensions(taker.pictures.at(-1)) === '640x480'),
       'and changed back');
}


/* of the last pictures, after some that were under way */

async function smallest(page, taker) {
    await flows(taker, 10);

    return Math.min(...taker.pictures.map((picture) => picture.length));
}


async function messages(page, taker) {
    const said = async (message) => {
        await page.fill('#message', message);
        await page.click('#send');

        return until(() => taker.texts.shift());
    };

    is(await said('door "open"'), '"door \\"open\\""', 'words are a JSON text');
    is(await said('{"score": [1, 2]}'), '{"score": [1, 2]}',
       'JSON is left as it is');
    is(await page.inputValue('#message'), '', 'the field is empty again');
}


async function stops(page, taker) {
    taker.codes = [];
    await page.click('#publish');

    ok(await until(() => taker.sockets.size === 0), 'stopped: no connection');
    is(taker.codes.join(), '1000', 'that ended well');
    is(await state(page), 'idle', 'the page says so');
    is(await on(page), false, 'the camera is off');

    const { count } = taker;

    await page.click('#look');
    ok(await until(() => page.evaluate(() =>
           document.getElementById('preview').currentTime > 0.5)),
       'the camera runs for the preview');
    is(taker.count, count, 'and nothing is sent');

    await page.click('#publish');
    ok(await becomes(page, 'live') && await flows(taker),
       'started anew, pictures come again');
}


async function gone(page, taker) {
    await taker.stop();

    ok(await becomes(page, 'reconnecting'), 'the server is gone');
    ok(await says(page, /^Reconnecting\n/), 'the page says so');
    ok(await on(page), 'the camera stays on meanwhile');
    ok(await until(async () => /Next try/.test(await text(page, 'veil-wait'))),
       'and when it tries again');

    await taker.start();

    ok(await becomes(page, 'live') && await flows(taker),
       'it comes back by itself');
    is(await text(page, 'veil-title'), '', 'nothing is written over it');

    taker.close(1001);

    ok(await until(() => taker.sockets.size === 0)
       && await becomes(page, 'live') && await flows(taker),
       'so it does when the server restarts in good order');
}


async function second(page, taker) {
    taker.code = 1008;
    taker.close(1012);

    ok(await says(page, /Somebody else publishes\n.*one publisher at a time/),
       'the second publisher is told');
    ok(await until(() => taker.opened > 5 || page.isVisible('#retry')),
       'and tries again');

    taker.code = 0;
    await page.click('#retry').catch(() => { /* it just did */ });

    ok(await becomes(page, 'live'), 'and comes in when there is room');

    /* two pages must not take the source from each other for ever */

    ok(await flows(taker, 60), 'long after');
    taker.close(1008);

    ok(await says(page, /Somebody else took over\n/),
       'one that is thrown out is told');
    is(await state(page), 'failed', 'and stopped');
    is(await on(page), false, 'the camera, too');
}


async function large(page, taker) {
    await page.click('#publish');
    ok(await becomes(page, 'live'), 'published again');

    const { opened } = taker;

    taker.close(1009);

    ok(await says(page, /too large\n.*smaller size or quality/),
       'a picture that is too large is told');
    is(await state(page), 'failed', 'and ends it');
    is(taker.opened, opened, 'as the next one would be no smaller');
}


async function slow(page, taker) {
    await page.selectOption('#dimensions', '1920x1080');
    await page.locator('#quality').fill('95');
    await page.click('#publish');
    ok(await becomes(page, 'live'), 'large pictures');

    taker.pause(true);

    ok(await until(async () => Number(await text(page, 'dropped')) > 0),
       'the server stops to read: pictures are dropped');
    ok(await says(page, /server takes no picture\n/), 'and it is said');

    taker.pause(false);

    ok(await becomes(page, 'live'), 'the server reads on: they are sent');

    await page.click('#publish');
    await page.selectOption('#dimensions', '640x480');
}


async function refused(page, taker) {
    const words = {
        401: /password/,
        403: /^Refused\n/,
        404: /No such source\n.*webcam/,
        405: /no WebSocket to this page: “vidcast_origin”/,
        502: /answers 502/,
    };

    for (const [status, pattern] of Object.entries(words)) {
        taker.status = Number(status);
        await page.click('#publish');
        ok(await says(page, pattern), `${status} is told in words`);
        await page.click('#publish');
    }

    taker.status = 0;
}


async function unplugged(page, taker) {
    await page.click('#publish');
    ok(await becomes(page, 'live'), 'published');

    await page.evaluate(() => document.getElementById('preview').srcObject
        .getTracks()[0].dispatchEvent(new Event('ended')));

    ok(await says(page, /camera is gone\n/), 'a camera is unplugged');
    ok(await until(() => taker.sockets.size === 0), 'nothing is published');

    await page.evaluate(() => navigator.mediaDevices.dispatchEvent(
        new Event('devicechange')));

    ok(await becomes(page, 'live') && await flows(taker),
       'and plugged in again');

    await page.click('#publish');
}


/* a hidden tab is told of no frames, an old browser has less of all */

async function poor(browser, taker) {
    const lacks = {
        'callbacks for frames': () => {
            delete HTMLVideoElement.prototype.requestVideoFrameCallback;
        },
        'canvases in workers': () => {
            delete window.OffscreenCanvas;
        },
        'either': () => {
            delete HTMLVideoElement.prototype.requestVideoFrameCallback;
            delete window.OffscreenCanvas;
        },
    };

    for (const [name, script] of Object.entries(lacks)) {
        const page = await open(browser, `${taker.url()}#door-2`, {},
                                (page) => page.addInitScript(script));

        await page.click('#publish');
        ok(await becomes(page, 'live') && await flows(taker, 20),
           `without ${name}`);
        is(taker.path, '/publish/door-2', 'a source from the address');

        clean(page, taker, `without ${name}`);
        await page.context().close();
        await until(() => taker.sockets.size === 0);
    }
}


async function sizes(browser, taker) {
    for (const size of SIZES) {
        const page = await open(browser, taker.url(), size);
        const name = `${size.viewport.width}x${size.viewport.height}`;

        await page.click('#publish');
        await becomes(page, 'live');

        const { wide, small, bare } = await page.evaluate(() => ({
            wide: document.documentElement.scrollWidth > innerWidth,
            small: innerWidth < 800
                   && [...document.querySelectorAll('form button, form select')]
                      .some((node) => node.getClientRects().length > 0
                            && node.getBoundingClientRect().height < 40),
            bare: [...document.querySelectorAll('input, select')]
                  .filter((node) => node.labels.length === 0
                          && !node.hasAttribute('aria-labelledby')).length,
        }));

        ok(!wide, `nothing sticks out to the side, ${name}`);
        ok(!small, `nothing is too small for a thumb, ${name}`);
        is(bare, 0, `every field has a name, ${name}`);

        clean(page, taker, name);
        await page.context().close();
    }
}


/* no camera, for each reason that there may be */

async function without(taker) {
    const cases = [
        [[CAMERA], '127.0.0.1', /camera was refused\n/, 'nobody allows it'],
        [[ALLOWED], '127.0.0.1', /^No camera\n/, 'there is none'],
    ];

    for (const [args, host, pattern, name] of cases) {
        const browser = await launch(args);

        try {
            const page = await open(browser, taker.url(host));

            await page.click('#publish');
            ok(await says(page, pattern), `no camera: ${name}`);
            is(await state(page), 'failed', 'the state says so, too');

        } finally {
            await browser.close();
        }
    }

    const browser = await launch([CAMERA, ALLOWED, ELSEWHERE]);

    try {
        const page = await open(browser, taker.url('vidcast.test'));

        ok(await says(page, new RegExp('plain HTTP\\n.*TLS.*localhost:'
                                       + `${taker.port}/publish.html`)),
           'no camera: the page came over plain HTTP');
        ok(await page.isDisabled('#publish'), 'nothing to press');

    } finally {
        await browser.close();
    }
}


async function main() {
    const taker = await Taker.create();
    let browser = null;

    try {
        browser = await launch([CAMERA, ALLOWED]);

        const page = await open(browser, taker.url());

        await publishes(page, taker);
        await choices(page, taker);
        await messages(page, taker);
        await stops(page, taker);
        clean(page, taker, 'so far');

        await gone(page, taker);
        await second(page, taker);
        await large(page, taker);
        await slow(page, taker);
        await refused(page, taker);
        await unplugged(page, taker);
        await page.context().close();

        await poor(browser, taker);
        await sizes(browser, taker);
        await browser.close();
        browser = null;

        await without(taker);

    } finally {
        await browser?.close();
        await taker.stop();
    }

    done();
}


main().catch((error) => {
    ok(false, 'the test ran to its end');
    diag(error.stack);
    done();
});
