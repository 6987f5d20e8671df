#!/usr/bin/env node

/*
 * Copyright (C) vidcast contributors
 *
 * From a browser's camera to another browser's screen, through the demo as
 * "make run" has it: what the one shows is what the other sees, and what is
 * watched and what is in the way is told, whatever becomes of the server.
 */

'use strict';

const http = require('node:http');

const { diag, ok, is, like, until, done } = require('./lib/tap.js');
const { Server } = require('./lib/server.js');
const { CAMERA, both, open, state, text } = require('./lib/browser.js');
const { fake, dimensions } = require('./lib/camera.js');


function becomes(page, wanted) {
    return until(async () => await state(page) === wanted);
}


function says(page, pattern) {
    return until(async () => pattern.test(await text(page, 'veil-title') + '\n'
                                          + await text(page, 'veil-text')));
}


/* what is on the viewer's screen, as a file */

async function screen(page) {
    const url = await page.evaluate(() =>
        document.getElementById('picture').toDataURL('image/png'));

    return Buffer.from(url.split(',')[1], 'base64');
}


async function moves(page) {
    const frame = async () =>
        Number(await page.getAttribute('#picture', 'data-frame'));
    const before = await frame();

    return until(async () => await frame() !== before && await frame() > 0);
}


/* the status of a POST of one picture, with these headers */

function post(server, jpeg, headers = {}) {
    return new Promise((resolve, reject) => {
        const request = http.request(`${server.url}publish/webcam`, {
            method: 'POST',
            headers: { 'Content-Type': 'image/jpeg', ...headers },
        }, (response) => {
            response.resume();
            resolve(response.statusCode);
        });

        request.on('error', reject);
        request.end(jpeg);
    });
}


async function finds(viewer, server) {
    await viewer.getByLabel('webcam', { exact: true }).check();

    ok(await becomes(viewer, 'stale'), 'nobody publishes: nothing to be seen');
    ok(await says(viewer, /webcam is \w+: no publisher/), 'and why');

    const href = await viewer.getAttribute('#veil-publish', 'href');

    like(href, /^publish\.html#webcam$/, 'with a link to do it');
    ok(await viewer.isVisible('#to-publish'), 'another one is always there');

    return server.url + href;
}


async function appears(camera, viewer, server) {
    await camera.click('#publish');

    ok(await becomes(camera, 'live'), 'a camera is published');
    ok(await becomes(viewer, 'live'), 'the viewer has it without a click');
    ok(await until(async () => (await fake(camera, await screen(viewer)))
                               .fake), 'it is that camera\'s picture');
    ok(await moves(viewer), 'and moves');

    const { body, type } = await server.get('snapshot/webcam.jpg');

    is(type, 'image/jpeg', 'a snapshot');
    is(dimensions(body), '640x480', 'of the size chosen');
    ok((await fake(camera, body)).fake, 'is that camera\'s, too');

    ok(await until(async () => await text(camera, 'viewers') === '1'),
       'the publisher is told of the viewer');
    ok(!await viewer.isVisible('#veil-publish'), 'no room for another one');

    await camera.fill('#message', 'back at five');
    await camera.click('#send');

    ok(await until(() => [...viewer.seen.results.values()].some(
           (m) => m.result === 'back at five')), 'a message is a result');
}


async function stops(camera, viewer) {
    await camera.click('#publish');

    ok(await becomes(viewer, 'stale'), 'stopped: the viewer sees no more');

    await camera.click('#publish');

    ok(await becomes(viewer, 'live') && await moves(viewer),
       'started anew: it does');
}


async function restarts(camera, viewer, server, signal) {
    await server.stop(signal);

    ok(await becomes(camera, 'reconnecting'),
       `${signal}: the publisher is told`);

    await server.start();

    ok(await becomes(camera, 'live'), 'it comes back by itself');
    ok(await becomes(viewer, 'live') && await moves(viewer),
       'and the viewer sees it');

    server.child.kill('SIGHUP');

    const { opened } = camera.seen;

    ok(await until(() => camera.seen.opened > opened)
       && await becomes(camera, 'live') && await moves(viewer),
       'so it is through a reload');
}


async function second(browser, camera, viewer, server) {
    const other = await open(browser, `${server.url}publish.html#webcam`);

    await other.click('#publish');

    ok(await says(other, /Somebody else publishes\n/), 'the second is told');

    const { body } = await server.get('snapshot/webcam.jpg');

    is(await post(server, body), 409, 'a POST is, too');
    is(await state(camera), 'live', 'the first one is not disturbed');
    ok(await moves(viewer), 'nor is the viewer');

    await camera.click('#publish');

    ok(await becomes(other, 'live'), 'it comes in when the first has left');
    ok(await moves(viewer), 'and is seen');

    await other.click('#publish');
    await other.context().close();

    return body;
}


/* a page of another site must not publish, even if its name leads here */

async function strangers(server, jpeg) {
    const own = `127.0.0.1:${server.port}`;

    ok(await until(async () => [201, 204].includes(
           await post(server, jpeg, { Origin: `http://${own}` }))),
       'a page of the demo may publish');
    is(await post(server, jpeg, { Origin: 'http://other.test' }), 403,
       'one of another site may not');
    is(await post(server, jpeg, { Origin: `http://other.test:${server.port}`,
                                  Host: `other.test:${server.port}` }), 403,
       'not even under a name that leads to this machine');
}


function clean(page, server, name) {
    const host = new URL(server.url).host;
    const strange = page.seen.requests
                        .filter((url) => new URL(url).host !== host);

    is(strange.join('\n'), '', `nothing asked of another host, ${name}`);
}


async function films(browser) {
    const server = await Server.create();

    try {
        await server.start();

        const viewer = await open(browser, server.url);
        const camera = await open(browser, await finds(viewer, server));

        await appears(camera, viewer, server);
        is([...camera.seen.complaints, ...viewer.seen.complaints].join('\n'),
           '', 'no complaint so far');

        await stops(camera, viewer);
        await restarts(camera, viewer, server, 'SIGTERM');
        await restarts(camera, viewer, server, 'SIGKILL');
        await strangers(server, await second(browser, camera, viewer,
                                             server));
        clean(camera, server, 'publisher');
        clean(viewer, server, 'viewer');

    } finally {
        await server.remove();
    }
}


both([CAMERA], films).catch((error) => {
    ok(false, 'the test ran to its end');
    diag(error.stack);
}).finally(done);
