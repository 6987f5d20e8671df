#!/usr/bin/env node

/*
 * Copyright (C) vidcast contributors
 *
 * What pages of other sites can do with a camera is for the browser to decide,
 * by headers, so it is browsers that are asked, of both kinds that there are.
 * A page that "vidcast_origin" names can do all, with a password; any other one
 * sees nothing, and wakes nothing, while a link in it can be followed.
 * t/cross-origin.t has the headers.
 */

'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { execFileSync } = require('node:child_process');

const { diag, ok, is, like, until, done } = require('./lib/tap.js');
const { withNginx } = require('./lib/nginx.js');
const { freePort } = require('./lib/server.js');
const { HERE, both } = require('./lib/browser.js');


function prepare(prefix, port) {
    const hash = execFileSync('openssl', ['passwd', '-apr1', 'right']);

    fs.writeFileSync(path.join(prefix, 'users'), `me:${hash}`);

    return `
        client_max_body_size 4m;

        vidcast_source front {
            input test: size=64x48 fps=20; predict delay time=1ms;
        }
        vidcast_source yard { input test: size=64x48; on_demand 1h; }
        vidcast_source door { input push:; }

        server {
            listen 127.0.0.1:${port};

            location = /status { vidcast_status; }
            location = /page {
                default_type text/html;
                return 200 "<!DOCTYPE html><title>page</title>";
            }

            vidcast_origin same friend.test:${port};

            location = /snapshot { vidcast front as=snapshot; }
            location = /mjpeg    { vidcast front as=mjpeg; }
            location = /events   { vidcast front as=sse; }
            location = /ws       { vidcast front; }
            location = /publish  { vidcast_publish door; }
            location = /door     { vidcast door as=snapshot; }
            location = /yard     { vidcast yard as=snapshot; }

            location /guarded/ {
                auth_basic            cameras;
                auth_basic_user_file  ${prefix}/users;

                location = /guarded/snapshot {
                    vidcast front as=snapshot;
                }

                location = /guarded/events  { vidcast front as=sse; }
                location = /guarded/publish { vidcast_publish door; }
            }
        }`;
}


/* in the page: what it can read */

function reads(page, url, options = {}) {
    return page.evaluate(async ([url, options]) => {
        try {
            const answer = await fetch(url, options);

            return { status: answer.status,
                     frame: answer.headers.get('X-Vidcast-Frame'),
                     age: answer.headers.get('X-Vidcast-Age'),
                     etag: answer.headers.get('ETag'),
                     retry: answer.headers.get('Retry-After'),
                     size: (await answer.blob()).size };

        } catch (error) {
            return { error: error.message };
        }
    }, [url, options]);
}


/* a picture that the page has in itself: its width, or 0 */

function shows(page, src, more = {}) {
    return page.evaluate(([src, more]) => new Promise((resolve) => {
        const img = document.createElement('img');

        Object.assign(img, more);
        img.addEventListener('load', () => resolve(img.naturalWidth));
        img.addEventListener('error', () => resolve(0));
        img.src = src;
        document.body.append(img);
    }), [src, more]);
}


function hears(page, url, options) {
    return page.evaluate(([url, options]) => new Promise((resolve) => {
        const events = new EventSource(url, options);
        const end = (what) => {
            events.close();
            resolve(what);
        };

        events.addEventListener('message', (event) =>
            end(JSON.parse(event.data).source));
        events.addEventListener('error', () => end('an error'));
    }), [url, options]);
}


function connects(page, url) {
    return page.evaluate((url) => new Promise((resolve) => {
        const ws = new WebSocket(url);

        ws.addEventListener('open', () => resolve('open'));
        ws.addEventListener('error', () => resolve('an error'));
    }), url);
}


async function friend(page, camera, guarded, socket) {
    const got = await reads(page, `${camera}/snapshot`);

    is(got.status, 200, 'a page that is named reads a snapshot');
    ok(got.size > 100 && Number(got.frame) > 0, 'a picture, and its number');
    like(String(got.age), /^\d/, 'its age');
    like(String(got.etag), /^"/, 'and its ETag');
    is(await hears(page, `${camera}/events`, {}), 'front', 'results');
    is(await connects(page, `${socket}/ws`), 'open', 'a WebSocket');
    is(await shows(page, `${camera}/snapshot`), 64, 'shows it');
    is(await shows(page, `${camera}/mjpeg`), 64, 'and a stream');
    is(await shows(page, `${camera}/snapshot?b`,
                   { referrerPolicy: 'no-referrer' }), 0,
       'without a name it is any page');
    is(await shows(page, `${camera}/snapshot?a`,
                   { referrerPolicy: 'no-referrer',
                     crossOrigin: 'anonymous' }), 64,
       'and is named again with crossorigin');

    /* with a password, which is not sent along when the browser asks first */

    is((await reads(page, `${guarded}/guarded/snapshot`)).status, 401,
       'a password is wanted, and the page sees that');
    is((await reads(page, `${guarded}/guarded/snapshot`,
                    { credentials: 'include' })).status, 200,
       'with the password of the user');
    is(await hears(page, `${guarded}/guarded/events`,
                   { withCredentials: true }), 'front', 'results, too');
    is(await shows(page, `${guarded}/guarded/snapshot`,
                   { crossOrigin: 'use-credentials' }), 64, 'and a picture');

    const sent = await page.evaluate(async (url) => {
        const canvas = document.createElement('canvas');
        const blob = await new Promise((resolve) => canvas.toBlob(resolve,
                                                            'image/jpeg'));
        const answer = await fetch(url, { method: 'PUT', body: blob,
                                          credentials: 'include' });

        return [answer.status, answer.headers.get('X-Vidcast-Frame')];
    }, `${guarded}/guarded/publish`);

    is(sent.join(' '), '204 1', 'it publishes, after it has asked');
}


/* a form of the page, which the browser sends without asking first */

async function submits(page, url) {
    await page.evaluate(async (url) => {
        const canvas = document.createElement('canvas');
        const blob = await new Promise((resolve) => canvas.toBlob(resolve,
                                                            'image/jpeg'));
        const files = new DataTransfer();

        files.items.add(new File([blob], 'a.jpg', { type: 'image/jpeg' }));

        document.body.innerHTML = `<iframe name="answer"></iframe>
            <form method="post" enctype="multipart/form-data" target="answer">
            <input name="place" value="front door">
            <input name="image" type="file"></form>`;

        const form = document.querySelector('form');

        form.action = url;
        form.elements.image.files = files.files;
        form.submit();
    }, url);
}


async function stranger(page, camera, plain, socket) {
    like(String((await reads(page, `${camera}/snapshot`)).error), /fetch/,
         'any other page reads no snapshot');
    is(await hears(page, `${camera}/events`, {}), 'an error', 'no result');
    is(await connects(page, `${socket}/ws`), 'an error', 'has no WebSocket');
    is(await shows(page, `${camera}/snapshot`), 0, 'shows no picture');
    is(await shows(page, `${camera}/mjpeg`), 0, 'no stream');
    is(await shows(page, `${camera}/yard`), 0, 'nor a camera that sleeps');
    is(await shows(page, `${camera}/yard`, { crossOrigin: 'anonymous' }), 0,
       'by no means');

    const opaque = await reads(page, `${camera}/yard`, { mode: 'no-cors' });

    ok(opaque.error || opaque.status === 0, 'nor without CORS');

    /* where the browser does not say that it is another site */

    const answers = [];
    const failures = [];

    page.on('response', (response) => answers.push(response.status()));
    page.on('requestfailed', (request) =>
        failures.push(request.failure().errorText));

    is(await shows(page, `${plain}/snapshot`), 0, 'without TLS, no picture');
    ok(await until(() => failures.length > 0), 'the browser keeps it back');
    like(failures.join(), /BLOCKED_BY_RESPONSE|CORP_FAILED/,
         'by what it was told');

    await page.evaluate((url) => new Promise((resolve) => {
        const frame = document.createElement('iframe');

        frame.addEventListener('load', resolve);
        frame.src = url;
        document.body.append(frame);
    }), `${camera}/yard`);
}


async function link(page, url) {
    await page.evaluate((url) => {
        const a = document.createElement('a');

        a.id = 'link';
        a.href = url;
        a.textContent = 'camera';
        document.body.append(a);
    }, url);

    const [answer] = await Promise.all([page.waitForNavigation(),
                                        page.click('#link')]);

    is(answer.status(), 200, 'a link in it can be followed');
    like(answer.headers()['content-type'], /^image\/jpeg$/, 'to a picture');
}


async function status(port, name) {
    const answer = await fetch(`http://127.0.0.1:${port}/status`);

    return (await answer.json()).sources.find((s) => s.name === name);
}


async function browse(browser, port) {
    const camera = `http://localhost:${port}`;
    const plain = `http://camera.test:${port}`;

    /* browsers send passwords along to hosts of the page's own site only */

    const guarded = `http://camera.friend.test:${port}`;
    const socket = `ws://localhost:${port}`;
    const context = await browser.newContext({
        httpCredentials: { username: 'me', password: 'right' },
    });
    const page = await context.newPage();

    /* the browser asks the user, at the camera's own page */

    is((await page.goto(`${guarded}/guarded/snapshot`)).status(), 200,
       'the user has a password');

    await page.goto(`http://friend.test:${port}/page`);
    await friend(page, camera, guarded, socket);

    const before = (await status(port, 'yard')).opened;
    const other = await context.newPage();

    await submits(page, `${camera}/publish`);
    ok(await until(async () =>
        (await status(port, 'door')).published_by.taken === 2),
       'a form of a page that is named publishes');

    await other.goto(`http://stranger.test:${port}/page`);
    await stranger(other, camera, plain, socket);

    is(before, 0, 'a camera slept');
    is((await status(port, 'yard')).opened, 0, 'and sleeps on');

    const refused = other.waitForResponse(`${camera}/publish`);

    await submits(other, `${camera}/publish`);
    is((await refused).status(), 403, 'a form of any other page does not');
    is((await status(port, 'door')).published_by.taken, 2, 'publish');

    await link(other, `${camera}/yard`);
    ok(await until(async () => (await status(port, 'yard')).opened === 1),
       'which wakes it');
}


/* each browser has an nginx of its own */

async function serve(browser) {
    const port = await freePort();

    await withNginx((prefix) => prepare(prefix, port), 'a camera is live',
                    async () => (await status(port, 'front')).state === 'live',
                    () => browse(browser, port));
}


both([HERE], serve).catch((error) => {
    ok(false, 'the test ran to its end');
    diag(error.stack);
}).finally(done);
