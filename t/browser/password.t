#!/usr/bin/env node

/*
 * Copyright (C) vidcast contributors
 *
 * Publishing from a phone needs TLS, and in any network but one's own room a
 * password: docs/publishing.md has a configuration for it.  People copy that, so
 * that is what is run here, and what a browser does with it.
 */

'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { execFileSync } = require('node:child_process');

const { diag, ok, is, until, done } = require('./lib/tap.js');
const { withNginx } = require('./lib/nginx.js');
const { freePort } = require('./lib/server.js');
const { CAMERA, both, open, state, text } = require('./lib/browser.js');

const TOP = path.resolve(__dirname, '../..');


/* nginx's configuration as the document has it, but for the places of things */

function example(port) {
    const text = fs.readFileSync(path.join(TOP, 'docs/publishing.md'), 'utf8');
    const [, section] = text.split('\n## The camera of a browser\n');
    const [, conf] = /```nginx\n([^]*?)```/.exec(section);

    for (const place of ['listen 8443', '/path/to/vidcast']) {
        if (!conf.includes(place)) {
            throw new Error(`the example has no ${place}`);
        }
    }

    return conf.replace('listen 8443', `listen 127.0.0.1:${port}`)
               .replace('/path/to/vidcast', TOP);
}


function prepare(prefix, port) {
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes',
                             '-keyout', `${prefix}/camera.key`, '-out',
                             `${prefix}/camera.pem`, '-days', '2', '-subj',
                             '/CN=camera.example'], { stdio: 'ignore' });

    const hash = execFileSync('openssl', ['passwd', '-apr1', 'right']);

    fs.writeFileSync(path.join(prefix, 'publishers'), `me:${hash}`);

    return `types { text/html html; text/javascript js; text/css css; }
            ${example(port)}`;
}


/* HTTP status of what curl is told to ask for */

function curl(...options) {
    return Number(execFileSync('curl', ['-q', '-sk', '--noproxy', '*', '-o',
                                        '/dev/null', '-w', '%{http_code}',
                                        ...options]));
}


/* answers a picture that a browser made */

async function publishes(browser, url) {
    const trusting = { ignoreHTTPSErrors: true };
    const own = url.replace('//', '//me:right@');

    /* the page that publishes is in front: Firefox lists cameras to no other */

    const viewer = await open(browser, url, trusting);
    const page = await open(browser, `${own}publish.html#phone`, trusting);

    await page.click('#publish');

    ok(await until(async () => await state(page) === 'live'),
       'one with the password publishes from a page')
        || diag(await text(page, 'veil-text'));
    ok(await until(async () => await state(viewer) === 'live'),
       'one without it may watch');
    ok(await until(async () => Number(await text(page, 'viewers')) > 0),
       'and the other knows it, with a password in its address');
    is(page.seen.complaints.join('\n'), '', 'no complaint');

    await page.click('#publish');
    await until(() => page.seen.sockets === 0);

    const jpeg = await page.evaluate(() =>
        document.createElement('canvas').toDataURL('image/jpeg'));

    return Buffer.from(jpeg.split(',')[1], 'base64');
}


async function programs(url, picture) {
    is(curl(`${url}publish.html`), 401, 'the page wants a password');
    is(curl(`${url}publish.js`), 401, 'so does what it loads');
    is(curl('-T', picture, `${url}publish/phone`), 401, 'and the place');
    is(curl('-T', picture, '-u', 'me:wrong', `${url}publish/phone`), 401,
       'which takes no other');
    ok(await until(() => curl('-T', picture, '-u', 'me:right',
                              `${url}publish/phone`) === 204),
       'with the password a program publishes, too');
}


async function main() {
    const port = await freePort();
    const url = `https://127.0.0.1:${port}/`;

    await withNginx((prefix) => prepare(prefix, port),
                    'the example of docs/publishing.md runs',
                    () => curl(`${url}status`) === 200,
                    async (prefix) => {
        const picture = path.join(prefix, 'picture.jpg');

        await both([CAMERA], async (browser) =>
            fs.writeFileSync(picture, await publishes(browser, url)));
        await programs(url, picture);
    });
}


main().catch((error) => {
    ok(false, 'the test ran to its end');
    diag(error.stack);
}).finally(done);
