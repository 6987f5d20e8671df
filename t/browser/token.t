#!/usr/bin/env node

/*
 * Copyright (C) vidcast contributors
 *
 * docs/deployment.md lets a viewer in by a token, which a page may put into
 * the subprotocols of its WebSocket.  Chromium closes the connection if none of
 * these is chosen, Firefox does not, no client of ours does: so the document's
 * configuration and its line of JavaScript are what is run here, in both.
 */

'use strict';

const fs = require('node:fs');
const path = require('node:path');

const { diag, ok, is, done } = require('./lib/tap.js');
const { withNginx } = require('./lib/nginx.js');
const { freePort } = require('./lib/server.js');
const { both, open } = require('./lib/browser.js');

const TOP = path.resolve(__dirname, '../..');
const TOKEN = 'r1ght~';


/* (configuration, JavaScript) under the document's heading */

function example() {
    const text = fs.readFileSync(path.join(TOP, 'docs/deployment.md'), 'utf8');
    const [, section] = text.split('\n## Tokens\n');
    const [, conf] = /```nginx\n([^]*?)```/.exec(section);
    const [, script] = /```js\n([^]*?)```/.exec(section);

    return [conf, script];
}


function changed(text, from, to) {
    if (!text.includes(from)) {
        throw new Error(`the example has no ${from}`);
    }

    return text.replace(from, to);
}


function configuration(port, service) {
    let [conf] = example();

    conf = changed(conf, 'listen 8080', `listen 127.0.0.1:${port}`);
    conf = changed(conf, '127.0.0.1:9000', `127.0.0.1:${service}`);
    conf = changed(conf, 'location = /live {',
                   `location = /page {
                        default_type text/html;
                        return 200 "<title>a page</title>";
                    }
                    location = /live {`);

    return `
        vidcast_source front { input test: size=64x48; }
        ${conf}
        server {
            listen 127.0.0.1:${service};

            location = /check {
                if ($http_x_token != "${TOKEN}") { return 403; }
                return 204;
            }
        }`;
}


/* what becomes of the socket that this JavaScript makes */

function attempt(page, script, token) {
    return page.evaluate(([code, given]) => new Promise((resolve) => {
        const socket = new Function('token', `${code}; return socket;`)(given);

        socket.onopen = () => resolve(`open ${socket.protocol}`);
        socket.onerror = () => resolve('refused');
    }), [script, token]);
}


async function attempts(browser, name, port) {
    const url = `http://127.0.0.1:${port}`;
    const [, code] = example();
    const script = changed(code, 'wss://camera.example',
                           url.replace('http', 'ws'));

    const page = await open(browser, `${url}/page`);

    is(await attempt(page, script, TOKEN), 'open vidcast.v1',
       'a page with the token gets in');
    is(await attempt(page, script, 'wrong'), 'refused',
       'one with another token does not');
    is(await attempt(page, changed(script, '"vidcast.v1", ', ''), TOKEN),
       name === 'Firefox' ? 'open ' : 'refused',
       'nothing but the token: Firefox does not mind, Chromium does');

    await page.context().addCookies([{ name: 'token', value: TOKEN, url }]);

    is(await attempt(page, changed(script, /, \[.*\]/.exec(script)[0], ''),
                     ''), 'open ',
       'a cookie needs no subprotocol');
}


async function main() {
    const [port, service] = [await freePort(), await freePort()];

    await withNginx(() => configuration(port, service),
                    'the example of docs/deployment.md runs',
                    () => fetch(`http://127.0.0.1:${port}/page`)
                          .then((response) => response.ok, () => false),
                    () => both([], (...browser) => attempts(...browser, port)));
}


main().catch((error) => {
    ok(false, 'the test ran to its end');
    diag(error.stack);
}).finally(done);
